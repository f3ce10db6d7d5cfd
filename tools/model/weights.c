/* weights.c - the weight file, byte by byte as stylegan.h specifies it under >>weight-file. */
#define STYLEGAN_KERNELS
#include "../../stylegan.h"
#include "weights.h"
#include "../base/cli.h"
#include "../base/notes.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGNMENT = 64, FIXED_SIZE = 64, ENTRY_SIZE = 64, NAME_SIZE = 32, CHECKSUM_AT = 24 };

#define COUNT_FIELD(type, name, meaning) +1
enum { CONFIG_FIELDS = 0 STYLEGAN_CONFIG_FIELDS(COUNT_FIELD) };
#undef COUNT_FIELD

static const float LARGEST_F16 = 65504.0f;

static size_t aligned(size_t size) {
    return (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
}

size_t weights_count(const weights_tensor *t) {
    size_t count = 1;
    for (int d = 0; d < t->dimensions; d++) count *= (size_t)t->shape[d];
    return count;
}

/* --- The table of tensors --- */

static weights_tensor *append(weights *w, const char *name, int dimensions, const int32_t *shape) {
    if (strlen(name) >= NAME_SIZE) cli_fail("%s: the name is too long for a weight file", name);
    w->tensors = cli_realloc(w->tensors, (size_t)w->count + 1, sizeof *w->tensors);
    weights_tensor *t = &w->tensors[w->count++];
    memset(t, 0, sizeof *t);
    memcpy(t->name, name, strlen(name));
    t->dimensions = dimensions;
    memcpy(t->shape, shape, (size_t)dimensions * sizeof *shape);
    return t;
}

void weights_add(weights *w, const char *name, int dimensions, const int32_t *shape, weights_fill_fn *fill,
                 void *context) {
    weights_tensor *t = append(w, name, dimensions, shape);
    t->fill = fill;
    t->context = context;
}

void weights_add_values(weights *w, const char *name, int dimensions, const int32_t *shape, const float *values) {
    weights_tensor *t = append(w, name, dimensions, shape);
    const size_t count = weights_count(t);
    t->values = cli_alloc(count, sizeof *values);
    memcpy(t->values, values, count * sizeof *values);
}

float *weights_values(const weights_tensor *t) {
    const size_t count = weights_count(t);
    float *values = cli_alloc(count, sizeof *values);
    if (t->fill)
        t->fill(t->context, values);
    else
        memcpy(values, t->values, count * sizeof *values);
    return values;
}

weights_tensor *weights_find(const weights *w, const char *name) {
    for (int i = 0; i < w->count; i++)
        if (strcmp(w->tensors[i].name, name) == 0) return &w->tensors[i];
    return NULL;
}

float *weights_unpack(const stylegan_tensor *t) {
    const sg__kernels *k = sg__find_kernels(STYLEGAN_ISA_SCALAR); /* whose vectors have one lane: no row is padded */
    const int columns = t->shape[t->dimensions - 1];
    const size_t scales = t->type == STYLEGAN_I8 ? 4 * (size_t)columns : 0;
    const sg__tensor packed = {t->data + scales, t->data, t->type, columns};
    size_t rows = 1;
    for (int i = 0; i < t->dimensions - 1; i++) rows *= (size_t)t->shape[i];
    float *values = cli_alloc(rows * (size_t)columns, sizeof *values);
    for (size_t row = 0; row < rows; row++) k->unpack(&packed, row, 0, columns, values + row * (size_t)columns);
    return values;
}

void weights_read(weights *w, const stylegan_model *model) {
    size_t length;
    const char *text = stylegan_text(model, &length);
    *w = (weights){.config = *stylegan_describe(model), .text = cli_format("%.*s", (int)length, length ? text : "")};
    for (int i = 0; i < stylegan_tensor_count(model); i++) {
        stylegan_tensor tensor;
        if (stylegan_get_tensor(model, i, &tensor)) cli_fail("tensor %d cannot be read", i);
        append(w, tensor.name, tensor.dimensions, tensor.shape)->values = weights_unpack(&tensor);
    }
}

void weights_copy_mapping(const weights *w, weights *mapping) {
    *mapping = (weights){.config = w->config};
    stylegan_config *c = &mapping->config;
    c->height = c->width = c->resolution = c->blocks = 0;
    c->num_ws = 1;
    c->lod = 0.0f;
    for (int i = 0; i < w->count; i++) {
        const weights_tensor *t = &w->tensors[i];
        if (strncmp(t->name, "mapping.", 8)) continue;
        float *values = weights_values(t);
        weights_add_values(mapping, t->name, t->dimensions, t->shape, values);
        free(values);
    }
}

void weights_note(weights *w, const char *key, const char *value) {
    notes_add(&w->text, key, "%s", value);
}

stylegan_type weights_type(const char *name) {
    static const char *const names[STYLEGAN_TYPE_COUNT] = {"f32", "f16", "i8"};
    for (int i = 0; i < STYLEGAN_TYPE_COUNT; i++)
        if (strcmp(name, names[i]) == 0) return (stylegan_type)i;
    cli_usage("--dtype %s: must be f32, f16 or i8", name);
}

uint64_t weights_parameters(const weights *w) {
    uint64_t total = 0;
    for (int i = 0; i < w->count; i++) total += weights_count(&w->tensors[i]);
    return total;
}

void weights_set_resolution(stylegan_config *config, int resolution) {
    config->height = config->width = config->resolution = resolution;
    config->blocks = 1;
    while (4 << (config->blocks - 1) < resolution) config->blocks++;
}

void weights_free(weights *w) {
    for (int i = 0; i < w->count; i++) free(w->tensors[i].values);
    free(w->tensors);
    free(w->text);
    memset(w, 0, sizeof *w);
}

/* --- Numbers as bytes --- */

static void put_u32(unsigned char *at, uint32_t value) {
    for (int i = 0; i < 4; i++) at[i] = (unsigned char)(value >> (8 * i));
}

static void put_u64(unsigned char *at, uint64_t value) {
    put_u32(at, (uint32_t)value);
    put_u32(at + 4, (uint32_t)(value >> 32));
}

static void put_i32(unsigned char *at, int32_t value) {
    put_u32(at, (uint32_t)value);
}

static void put_f32(unsigned char *at, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    put_u32(at, bits);
}

/* Round to nearest, ties to even. |value| <= LARGEST_F16. */
static void put_f16(unsigned char *at, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    const uint32_t sign = bits >> 16 & 0x8000u, magnitude = bits & 0x7fffffffu;
    uint32_t half;
    if (magnitude < 0x38800000u) { /* below 2^-14: a subnormal, in units of 2^-24 */
        half = (uint32_t)lrintf(ldexpf(fabsf(value), 24));
    } else {
        half = (magnitude - 0x38000000u + 0xfffu + (magnitude >> 13 & 1u)) >> 13;
    }
    half |= sign;
    at[0] = (unsigned char)half;
    at[1] = (unsigned char)(half >> 8);
}

/* --- One tensor as bytes --- */

static float largest_magnitude(const float *values, size_t count, size_t stride) {
    float largest = 0.0f;
    for (size_t i = 0; i < count; i += stride) {
        const float magnitude = fabsf(values[i]);
        if (!(magnitude <= largest)) largest = magnitude; /* lets NaN through, which then stays */
        if (largest != largest) break;
    }
    return largest;
}

/* Filters, and where StyleGAN 3's waves lie: small, and an error in them moves the whole picture. */
static int is_exact(const weights_tensor *t) {
    return t->dimensions == 1 || !strncmp(t->name, "fir", 3) || strstr(t->name, "_filter") != NULL ||
           (!strncmp(t->name, "input.", 6) && strcmp(t->name, "input.weight") != 0);
}

/* ToRGB, by its few channels, and the learned constant. */
static int is_image_or_constant(const weights_tensor *t) {
    enum { MOST_CHANNELS = 4 };
    return strstr(t->name, ".const") != NULL || (t->dimensions == 4 && t->shape[3] <= MOST_CHANNELS);
}

static stylegan_type choose_type(const weights_tensor *t, float largest, stylegan_type requested) {
    if (is_exact(t) || largest > LARGEST_F16) return STYLEGAN_F32;
    if (requested == STYLEGAN_I8 && is_image_or_constant(t)) return STYLEGAN_F16;
    return requested;
}

static void encode_f32(unsigned char *bytes, const float *values, size_t count, size_t channels) {
    (void)channels;
    for (size_t i = 0; i < count; i++) put_f32(bytes + 4 * i, values[i]);
}

static void encode_f16(unsigned char *bytes, const float *values, size_t count, size_t channels) {
    (void)channels;
    for (size_t i = 0; i < count; i++) put_f16(bytes + 2 * i, values[i]);
}

/* Scales [channels], then integers [count / channels][channels]. */
static void encode_i8(unsigned char *bytes, const float *values, size_t count, size_t channels) {
    float *inverse = cli_alloc(channels, sizeof *inverse);
    for (size_t c = 0; c < channels; c++) {
        const float scale = largest_magnitude(values + c, count - c, channels) / 127.0f;
        put_f32(bytes + 4 * c, scale);
        inverse[c] = scale > 1e-37f ? 1.0f / scale : 0.0f;
    }
    bytes += 4 * channels;
    for (size_t row = 0; row < count; row += channels) {
        for (size_t c = 0; c < channels; c++) {
            const float scaled = fmaxf(-127.0f, fminf(127.0f, values[row + c] * inverse[c]));
            bytes[row + c] = (unsigned char)(int)(scaled + (scaled < 0.0f ? -0.5f : 0.5f));
        }
    }
    free(inverse);
}

static const struct {
    size_t element_size, channel_size;
    void (*encode)(unsigned char *bytes, const float *values, size_t count, size_t channels);
} encodings[STYLEGAN_TYPE_COUNT] = {{4, 0, encode_f32}, {2, 0, encode_f16}, {1, 4, encode_i8}};

/* --- The file --- */

typedef struct checksum {
    uint32_t a, b;
} checksum;

static void checksum_add(checksum *sum, const unsigned char *bytes, size_t size) {
    for (size_t i = 0; i < size; i += 4) {
        const uint32_t word = (uint32_t)bytes[i] | (uint32_t)bytes[i + 1] << 8 | (uint32_t)bytes[i + 2] << 16 |
                              (uint32_t)bytes[i + 3] << 24;
        sum->a += word;
        sum->b += sum->a;
    }
}

static uint64_t checksum_value(checksum sum) {
    return (uint64_t)sum.b << 32 | sum.a;
}

/* Grown to the largest tensor and used for all. */
typedef struct scratch {
    float *values;
    unsigned char *bytes;
    size_t values_capacity, bytes_capacity;
} scratch;

/* Writes one tensor and its directory entry; returns its padded size. */
static size_t write_tensor(const weights_tensor *t, stylegan_type requested, scratch *s, output *out, checksum *sum,
                           uint64_t offset, unsigned char *entry) {
    const size_t count = weights_count(t), channels = (size_t)t->shape[t->dimensions - 1];
    const float *values = t->values;
    if (t->fill) {
        if (count > s->values_capacity) s->values = cli_realloc(s->values, s->values_capacity = count, sizeof(float));
        t->fill(t->context, s->values);
        values = s->values;
    }
    const float largest = largest_magnitude(values, count, 1);
    if (!(largest <= FLT_MAX))
        cli_fail("%s: tensor %s holds a value that is not a finite number", out->path ? out->path : "in memory",
                 t->name);
    const stylegan_type type = choose_type(t, largest, requested);
    const size_t size = encodings[type].element_size * count + encodings[type].channel_size * channels;
    const size_t padded = aligned(size);
    if (padded > s->bytes_capacity) s->bytes = cli_realloc(s->bytes, s->bytes_capacity = padded, 1);
    encodings[type].encode(s->bytes, values, count, channels);
    memset(s->bytes + size, 0, padded - size);
    checksum_add(sum, s->bytes, padded);
    output_write(out, s->bytes, padded);

    memcpy(entry, t->name, NAME_SIZE);
    put_u32(entry + 32, (uint32_t)type);
    put_i32(entry + 36, t->dimensions);
    for (int d = 0; d < 4; d++) put_i32(entry + 40 + 4 * d, d < t->dimensions ? t->shape[d] : 1);
    put_u64(entry + 56, offset);
    return padded;
}

static void put_config(unsigned char *at, const stylegan_config *config) {
#define PUT_int32_t put_i32
#define PUT_float put_f32
#define PUT_FIELD(type, name, meaning) \
    PUT_##type(at, config->name);      \
    at += 4;
    STYLEGAN_CONFIG_FIELDS(PUT_FIELD)
#undef PUT_FIELD
#undef PUT_float
#undef PUT_int32_t
}

/* The head is written last: it holds the tensors' types, offsets and checksum, which are known only then. */
static uint64_t write_file(const weights *w, output *out, stylegan_type type) {
    const size_t directory = aligned(FIXED_SIZE + 4 * CONFIG_FIELDS);
    const size_t text = directory + (size_t)w->count * ENTRY_SIZE;
    const size_t text_size = w->text ? strlen(w->text) : 0;
    const size_t head_size = aligned(text + text_size);
    unsigned char *head = cli_alloc(head_size, 1);
    memset(head, 0, head_size);
    output_write(out, head, head_size);

    uint64_t offset = head_size;
    checksum tensors = {1, 0};
    scratch s = {0};
    for (int i = 0; i < w->count; i++) {
        unsigned char *entry = head + directory + (size_t)i * ENTRY_SIZE;
        offset += write_tensor(&w->tensors[i], type, &s, out, &tensors, offset, entry);
    }
    free(s.values);
    free(s.bytes);

    memcpy(head, "\x89SGW\r\n\x1a\n", 8);
    put_u32(head + 8, 2);
    put_u32(head + 12, (uint32_t)head_size);
    put_u64(head + 16, offset);
    put_u64(head + 32, checksum_value(tensors));
    put_u32(head + 40, CONFIG_FIELDS);
    put_i32(head + 44, w->count);
    put_u32(head + 48, (uint32_t)text_size);
    put_config(head + FIXED_SIZE, &w->config);
    if (text_size) memcpy(head + text, w->text, text_size);
    checksum sum = {1, 0};
    checksum_add(&sum, head, CHECKSUM_AT);
    checksum_add(&sum, head + CHECKSUM_AT + 8, head_size - CHECKSUM_AT - 8);
    put_u64(head + CHECKSUM_AT, checksum_value(sum));

    output_seek(out, 0);
    output_write(out, head, head_size);
    output_seek(out, offset);
    free(head);
    return offset;
}

/* The library has the last word on whether these tensors make a network. */
static void check_network(output *out) {
    output_flush(out);
    if (!out->temporary) return;
    file_view view = file_view_open(out->temporary);
    stylegan_error error = {0};
    stylegan_model *model =
        stylegan_open_memory(view.data, view.size, &(stylegan_options){.threads = 1, .trust_data = 1}, &error);
    if (!model) cli_fail("%s: cannot make a network of these tensors: %s", out->path, error.message);
    stylegan_close(model);
    file_view_close(&view);
}

uint64_t weights_save(const weights *w, const char *path, stylegan_type type) {
    output out;
    output_open(&out, path);
    const uint64_t size = write_file(w, &out, type);
    check_network(&out);
    output_close(&out);
    return size;
}

unsigned char *weights_to_memory(const weights *w, stylegan_type type, size_t *size) {
    output out = {.path = NULL};
    write_file(w, &out, type);
    return output_take_memory(&out, size);
}
