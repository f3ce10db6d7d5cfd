/* make_checkpoint.h - writes a network as a checkpoint of another layout: the converter backwards. Unfolds gains, turns
   axes, renames, and makes pickles and torch.save files by hand. */
#ifndef MAKE_CHECKPOINT_H
#define MAKE_CHECKPOINT_H

#include "../tools/base/cli.h"
#include "../tools/model/weights.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

typedef struct buffer {
    unsigned char *bytes;
    size_t size, capacity;
} buffer;

typedef enum checkpoint_layout { LAYOUT_TENSORFLOW, LAYOUT_ROSINALITY, LAYOUT_GENFORCE } checkpoint_layout;
typedef enum checkpoint_element { ELEMENT_F32, ELEMENT_F16, ELEMENT_BF16, ELEMENT_F64 } checkpoint_element;

typedef struct checkpoint_style {
    checkpoint_layout layout;
    checkpoint_element element;
    bool legacy;          /* torch: the older stream instead of a zip archive ... */
    int protocol;         /* ... which begins in this pickle protocol, 0: 2 */
    bool shared;          /* torch: all tensors in one storage, transposed */
    const char *archive;  /* torch: its name in the zip archive, NULL: "archive" */
    int parts;            /* torch, legacy, shared: each tensor's storage is a part of the one; 2: and lies outside */
    bool data_parallel;   /* torch: names begin with "module." */
    bool bare;            /* torch: the state dict itself */
    bool training;        /* only the generator in training */
    const char *key;      /* torch: below which the state dict lies, NULL: the layout's */
    const char *prefix;   /* torch: of its names */
    bool module;          /* torch: a whole module instead of its state dict */
    bool inner_average;   /* rosinality: latent_avg is in the state dict */
    bool encoder;         /* rosinality: below state_dict, with "decoder." */
    int average_rows;     /* rosinality: of latent_avg, 0: a vector */
    bool repeated_rows;   /* rosinality: they are one, as expand() makes them */
    bool without_average; /* rosinality, TensorFlow */
    int odd_filter;       /* rosinality: 1 the last convolution's filter differs from the others, 2 the last ToRGB's */
    int fir_gain;         /* rosinality: what the filters sum to, 0: 4 */
    bool without_noise;   /* rosinality */
    bool nested;          /* genforce: below "models" */
    bool python2;         /* TensorFlow: Python 2's strings and longs */
    bool big_endian;      /* TensorFlow */
    bool fortran;         /* TensorFlow: column-major arrays */
    bool tuple;           /* TensorFlow: (G, D, Gs) */
    bool numpy_scalars;   /* TensorFlow: numbers among the options */
    const char *option;   /* TensorFlow: one more ... */
    int setting;          /* ... and its value, unless ... */
    const char *pickled;  /* ... it is this */
    int fused_from;       /* StyleGAN 1: resolution of the first fused up-sampling, 0: the default, 128 */
    bool unscaled;        /* StyleGAN 1: without equalised learning rate */
    const char *extra;    /* torch: one more tensor of that name */
    bool own_streams;     /* every storage is a torch.save of its own, as in persistence pickles */
} checkpoint_style;

/* --- Bytes --- */

static void put(buffer *b, const void *bytes, size_t size) {
    if (b->size + size > b->capacity) b->bytes = cli_realloc(b->bytes, b->capacity = 2 * (b->size + size), 1);
    if (size) memcpy(b->bytes + b->size, bytes, size);
    b->size += size;
}

static void put_byte(buffer *b, int byte) {
    put(b, &(unsigned char){(unsigned char)byte}, 1);
}

static void put_number(buffer *b, uint64_t number, int bytes) {
    for (int i = 0; i < bytes; i++) put_byte(b, i < 8 ? (int)(number >> 8 * i & 0xff) : 0);
}

static void put_string(buffer *b, const char *text) {
    put(b, text, strlen(text));
}

static void put_value(buffer *b, float number, checkpoint_element element, bool big_endian) {
    uint64_t bits = 0;
    uint32_t single;
    const double wide = number;
    memcpy(&single, &number, sizeof single);
    memcpy(&bits, &wide, sizeof bits);
    const int sizes[] = {4, 2, 2, 8}, size = sizes[element];
    if (element == ELEMENT_F32) bits = single;
    if (element == ELEMENT_BF16) bits = single >> 16;
    if (element == ELEMENT_F16) { /* cut, not rounded: the caller allows for it */
        const int exponent = (int)(single >> 23 & 0xff) - 112;
        bits = exponent <= 0 ? 0 : (uint64_t)exponent << 10 | (single >> 13 & 0x3ff);
        bits |= single >> 16 & 0x8000;
    }
    for (int i = 0; i < size; i++) put_byte(b, (int)(bits >> 8 * (big_endian ? size - 1 - i : i) & 0xff));
}

/* --- Pickle --- */

typedef struct writer {
    buffer pickle;
    checkpoint_style style;
    buffer *storages; /* torch: the bytes of each */
    int storage_count;
    int64_t repeats; /* PyTorch: an axis before the others of the next tensor, without elements of its own; 0: none */
} writer;

static void put_global(writer *o, const char *module, const char *name) {
    put_byte(&o->pickle, 'c');
    put_string(&o->pickle, module);
    put_byte(&o->pickle, '\n');
    put_string(&o->pickle, name);
    put_byte(&o->pickle, '\n');
}

static void put_text(writer *o, const char *text) {
    if (o->style.python2) { /* SHORT_BINSTRING */
        put_byte(&o->pickle, 'U');
        put_byte(&o->pickle, (int)strlen(text));
    } else { /* BINUNICODE */
        put_byte(&o->pickle, 'X');
        put_number(&o->pickle, strlen(text), 4);
    }
    put_string(&o->pickle, text);
}

static void put_integer(writer *o, int64_t number) {
    put_string(&o->pickle, o->style.python2 ? "\x8a\x05" : "J");
    put_number(&o->pickle, (uint64_t)number, o->style.python2 ? 5 : 4);
}

static void put_numbers(writer *o, const int64_t *numbers, int count) {
    put_byte(&o->pickle, '(');
    for (int i = 0; i < count; i++) put_integer(o, numbers[i]);
    put_byte(&o->pickle, 't');
}

/* --- Arrays --- */

/* An array as the checkpoint wants it: row-major, values owned. */
typedef struct array {
    int dimensions;
    int64_t shape[5];
    float *values;
} array;

static int64_t array_count(const array *a) {
    int64_t count = 1;
    for (int d = 0; d < a->dimensions; d++) count *= a->shape[d];
    return count;
}

/* Writes the values, the last axis slowest if asked. */
static void put_values(writer *o, buffer *b, const array *a, bool reversed) {
    int64_t index[5] = {0};
    for (int64_t i = array_count(a); i > 0; i--) {
        int64_t at = 0;
        for (int d = 0; d < a->dimensions; d++) at = at * a->shape[d] + index[d];
        put_value(b, a->values[at], o->style.element, o->style.big_endian);
        for (int k = 0; k < a->dimensions; k++) {
            const int d = reversed ? k : a->dimensions - 1 - k;
            if (++index[d] < a->shape[d]) break;
            index[d] = 0;
        }
    }
}

static void put_numpy(writer *o, const array *a) {
    static const char *const types[] = {"f4", "f2", NULL, "f8"};
    buffer data = {0};
    put_values(o, &data, a, o->style.fortran);
    put_global(o, "numpy.core.multiarray", "_reconstruct");
    put_global(o, "numpy", "ndarray");
    put_string(&o->pickle, "K\1"); /* its shape before the state is set: (1,) */
    put_byte(&o->pickle, 0x85);
    put_text(o, "b");
    put_string(&o->pickle, "\x87R(K\1");
    put_numbers(o, a->shape, a->dimensions);
    put_global(o, "numpy", "dtype");
    put_text(o, types[o->style.element]);
    put_string(&o->pickle, "K\1K\1\x87R(K\3");
    put_text(o, o->style.big_endian ? ">" : "<");
    put_string(&o->pickle, "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\1tb");
    put_byte(&o->pickle, o->style.fortran ? 0x88 : 0x89);
    put_byte(&o->pickle, o->style.python2 ? 'T' : 'B');
    put_number(&o->pickle, data.size, 4);
    put(&o->pickle, data.bytes, data.size);
    put_string(&o->pickle, "tb");
    free(data.bytes);
}

static buffer legacy_file(const writer *o);

/* Storage `index` of `count` elements, from `first` on: a persistent id. */
static void put_storage(writer *o, int index, int64_t first, int64_t count) {
    static const char *const types[] = {"FloatStorage", "HalfStorage", "BFloat16Storage", "DoubleStorage"};
    char *key = cli_format("%d", index);
    put_byte(&o->pickle, '(');
    put_text(o, "storage");
    put_global(o, "torch", types[o->style.element]);
    put_text(o, key);
    put_text(o, "cpu");
    put_integer(o, count);
    if (o->style.parts) {
        put_byte(&o->pickle, '(');
        put_text(o, "part");
        put_integer(o, o->style.parts == 2 ? first + (1 << 30) : first);
        put_integer(o, count);
        put_byte(&o->pickle, 't');
    } else if (o->style.legacy) {
        put_byte(&o->pickle, 'N');
    }
    put_string(&o->pickle, "tQ");
    free(key);
}

static void put_own_stream(writer *o, buffer *storage, int64_t count) {
    writer stream = {.style = {.element = o->style.element, .legacy = true}, .storages = storage, .storage_count = 1};
    put_string(&stream.pickle, "\x80\2");
    put_storage(&stream, 0, 0, count);
    put_byte(&stream.pickle, '.');
    const buffer file = legacy_file(&stream);
    put_global(o, "torch.storage", "_load_from_bytes");
    put_string(&o->pickle, "(B");
    put_number(&o->pickle, file.size, 4);
    put(&o->pickle, file.bytes, file.size);
    put_string(&o->pickle, "tR");
    free(file.bytes);
    free(stream.pickle.bytes);
}

static void put_torch(writer *o, const array *a) {
    static const int sizes[] = {4, 2, 2, 8};
    if (!o->style.shared || !o->storage_count) {
        o->storages = cli_realloc(o->storages, (size_t)o->storage_count + 1, sizeof *o->storages);
        o->storages[o->storage_count++] = (buffer){0};
    }
    buffer *storage = &o->storages[o->storage_count - 1];
    const int64_t offset = (int64_t)storage->size / sizes[o->style.element];
    put_values(o, storage, a, o->style.shared);
    const int repeats = o->repeats > 0;
    int64_t shape[6] = {o->repeats}, strides[6] = {0}, step = 1;
    for (int k = 0; k < a->dimensions; k++) {
        const int d = o->style.shared ? k : a->dimensions - 1 - k;
        shape[repeats + d] = a->shape[d];
        strides[repeats + d] = step;
        step *= a->shape[d];
    }
    put_global(o, "torch._utils", "_rebuild_tensor_v2");
    put_byte(&o->pickle, '(');
    if (o->style.own_streams)
        put_own_stream(o, storage, array_count(a));
    else
        put_storage(o, o->storage_count - 1, offset, array_count(a));
    put_integer(o, o->style.parts ? 0 : offset);
    put_numbers(o, shape, repeats + a->dimensions);
    put_numbers(o, strides, repeats + a->dimensions);
    put_byte(&o->pickle, 0x89);
    put_global(o, "collections", "OrderedDict");
    put_string(&o->pickle, ")RtR");
}

/* --- Names: {R} resolution, {B} block, {P} block before, {L} layer, {M} layer before, {N} number, {O} number from 1
 * --- */

typedef struct rule {
    const char *own, *theirs; /* `own` is what follows "b{R}." or "mapping.fc{N}.", or a whole name */
} rule;

static const rule tensorflow1[] = {{"fc.weight", "mapping/Dense{N}/weight"},
                                   {"fc.bias", "mapping/Dense{N}/bias"},
                                   {"mapping.embed.weight", "mapping/LabelConcat/weight"},
                                   {"w_avg", "dlatent_avg"},
                                   {"const", "synthesis/4x4/Const/const"},
                                   {"first.conv0", "synthesis/4x4/Const"},
                                   {"first.conv1", "synthesis/4x4/Conv"},
                                   {"conv0", "synthesis/{R}x{R}/Conv0_up"},
                                   {"conv1", "synthesis/{R}x{R}/Conv1"},
                                   {"torgb", "synthesis/ToRGB_lod0"},
                                   {".weight", "/weight"},
                                   {".bias", "/bias"},
                                   {".noise_strength", "/Noise/weight"},
                                   {".affine.weight", "/StyleMod/weight"},
                                   {".affine.bias", "/StyleMod/bias"},
                                   {".noise", "synthesis/noise{L}"},
                                   {NULL, NULL}};

static const rule tensorflow2[] = {{"fc.weight", "mapping/Dense{N}/weight"},
                                   {"fc.bias", "mapping/Dense{N}/bias"},
                                   {"w_avg", "dlatent_avg"},
                                   {"const", "synthesis/4x4/Const/const"},
                                   {"first.conv1", "synthesis/4x4/Conv"},
                                   {"conv0", "synthesis/{R}x{R}/Conv0_up"},
                                   {"conv1", "synthesis/{R}x{R}/Conv1"},
                                   {"torgb", "synthesis/{R}x{R}/ToRGB"},
                                   {"skip", "synthesis/{R}x{R}/Skip"},
                                   {".weight", "/weight"},
                                   {".bias", "/bias"},
                                   {".noise_strength", "/noise_strength"},
                                   {".affine.weight", "/mod_weight"},
                                   {".affine.bias", "/mod_bias"},
                                   {".noise", "synthesis/noise{L}"},
                                   {NULL, NULL}};

static const rule rosinality[] = {{"fc.weight", "style.{O}.weight"},
                                  {"fc.bias", "style.{O}.bias"},
                                  {"w_avg", "latent_avg"},
                                  {"const", "input.input"},
                                  {"first.conv1", "conv1"},
                                  {"conv0", "convs.{M}"},
                                  {"conv1", "convs.{M}"},
                                  {"first.torgb", "to_rgb1"},
                                  {"torgb", "to_rgbs.{P}"},
                                  {".weight", ".conv.weight"},
                                  {".bias", ".activate.bias"},
                                  {"torgb.bias", ".bias"},
                                  {".noise_strength", ".noise.weight"},
                                  {".affine.weight", ".conv.modulation.weight"},
                                  {".affine.bias", ".conv.modulation.bias"},
                                  {".noise", "noises.noise_{L}"},
                                  {NULL, NULL}};

static const rule genforce1[] = {{"fc.weight", "mapping.dense{N}.weight"},
                                 {"fc.bias", "mapping.dense{N}.bias"},
                                 {"mapping.embed.weight", "mapping.label_weight"},
                                 {"w_avg", "truncation.w_avg"},
                                 {"const", "synthesis.layer0.const"},
                                 {"conv0", "synthesis.layer{L}"},
                                 {"conv1", "synthesis.layer{L}"},
                                 {"torgb", "synthesis.output{B}"},
                                 {".weight", ".weight"},
                                 {".bias", ".bias"},
                                 {".noise_strength", ".apply_noise.weight"},
                                 {".affine.weight", ".style.weight"},
                                 {".affine.bias", ".style.bias"},
                                 {".noise", "synthesis.layer{L}.apply_noise.noise"},
                                 {NULL, NULL}};

static const rule genforce2[] = {{"fc.weight", "mapping.dense{N}.weight"},
                                 {"fc.bias", "mapping.dense{N}.bias"},
                                 {"mapping.embed.weight", "mapping.LabelEmbed.weight"},
                                 {"mapping.embed.bias", "mapping.LabelEmbed.bias"},
                                 {"w_avg", "truncation.w_avg"},
                                 {"const", "synthesis.early_layer.const"},
                                 {"conv0", "synthesis.layer{L}"},
                                 {"conv1", "synthesis.layer{L}"},
                                 {"torgb", "synthesis.output{B}"},
                                 {"skip", "synthesis.skip_layer{P}"},
                                 {".weight", ".weight"},
                                 {".bias", ".bias"},
                                 {".noise_strength", ".noise_strength"},
                                 {".affine.weight", ".style.weight"},
                                 {".affine.bias", ".style.bias"},
                                 {".noise", "synthesis.layer{L}.noise"},
                                 {NULL, NULL}};

/* By layout and family. */
static const rule *const tables[][2] = {[LAYOUT_TENSORFLOW] = {tensorflow1, tensorflow2},
                                        [LAYOUT_ROSINALITY] = {NULL, rosinality},
                                        [LAYOUT_GENFORCE] = {genforce1, genforce2}};

static const char *renamed(const rule *table, const char *own) {
    while (table->own && strcmp(table->own, own)) table++;
    return table->theirs;
}

/* One tensor's name, taken apart. */
typedef struct parts {
    int resolution, block, layer, number;
    char unit[32]; /* "fc", "conv0", "torgb", ...; "" for a whole name */
    char end[32];  /* ".weight", ... */
} parts;

/* Sources number squares: block i is {R} = 4 << i, whatever shape the constant has. */
static parts take_apart(const char *name, const stylegan_config *c) {
    parts p = {0};
    char digit = 0;
    if (sscanf(name, "mapping.fc%d%31s", &p.number, p.end) == 2) {
        strcpy(p.unit, "fc");
    } else if (sscanf(name, "b%d.%31[a-z01]%31s", &p.resolution, p.unit, p.end) >= 2) {
        while (c->resolution >> (c->blocks - 1 - p.block) < p.resolution) p.block++;
        p.resolution = 4 << p.block;
        if (sscanf(p.unit, "conv%c", &digit) == 1) {
            p.layer = c->family == STYLEGAN_FAMILY_1 ? 2 * p.block + (digit - '0')
                      : p.block                      ? 2 * p.block - 1 + (digit - '0')
                                                     : 0;
        }
    }
    return p;
}

static char *expand(const char *pattern, const parts *p) {
    char *text = cli_format("%s", "");
    while (*pattern) {
        const size_t plain = strcspn(pattern, "{");
        const char letter = pattern[plain] ? pattern[plain + 1] : 0;
        const int number = letter == 'R'   ? p->resolution
                           : letter == 'B' ? p->block
                           : letter == 'P' ? p->block - 1
                           : letter == 'L' ? p->layer
                           : letter == 'M' ? p->layer - 1
                                           : p->number + (letter == 'O');
        char *longer =
            letter ? cli_format("%s%.*s%d", text, (int)plain, pattern, number) : cli_format("%s%s", text, pattern);
        free(text);
        text = longer;
        pattern += letter ? plain + 3 : strlen(pattern);
    }
    return text;
}

static char *their_name(const rule *table, const char *name, const parts *p) {
    char first[48], whole[80];
    snprintf(whole, sizeof whole, "%s%s", p->unit, p->end);
    const char *direct = renamed(table, p->unit[0] ? whole : name);
    if (!p->end[0] && p->unit[0]) direct = renamed(table, p->unit);
    if (p->end[0] && !strcmp(p->end, ".noise")) direct = renamed(table, ".noise");
    if (direct && direct[0] != '.') return expand(direct, p);
    snprintf(first, sizeof first, "first.%s", p->unit);
    const char *unit = p->block == 0 && renamed(table, first) ? renamed(table, first) : renamed(table, p->unit);
    char *start = expand(unit, p), *full = cli_format("%s%s", start, direct ? direct : renamed(table, p->end));
    free(start);
    return full;
}

/* --- Values --- */

/* Of StyleGAN 2-ADA, which has a layer for labels; StyleGAN 1 has a bare matrix. */
static bool is_embedding2(const weights_tensor *t, int family) {
    return family == 2 && !strcmp(t->name, "mapping.embed.weight");
}

/* What the converter multiplies with, and adds to the first `shifted` values. */
static double folded_gain(const weights_tensor *t, const parts *p, int family, bool unscaled) {
    const double fan_in = t->dimensions == 4 ? (double)t->shape[0] * t->shape[1] * t->shape[2] : t->shape[0];
    const double he = family == 1 ? sqrt(2.0) : 1.0;
    if (unscaled) return strcmp(p->unit, "fc") ? 1.0 : 0.01;
    if (!strcmp(p->unit, "fc")) return 0.01 * (t->dimensions == 2 ? he / sqrt(fan_in) : 1.0);
    if (!strcmp(p->unit, "skip")) return sqrt(0.5) / sqrt(fan_in);
    if (!strcmp(p->end, ".affine.weight")) return 1.0 / sqrt(fan_in);
    if (is_embedding2(t, family)) return 1.0 / sqrt(fan_in);
    if (!strcmp(p->end, ".weight") && p->unit[0]) return (!strcmp(p->unit, "torgb") ? 1.0 : he) / sqrt(fan_in);
    return 1.0;
}

/* [kernel][kernel][I][O] turned by 180 degrees. */
static void turn(float *values, const weights_tensor *t) {
    const int64_t taps = (int64_t)t->shape[0] * t->shape[1], size = (int64_t)t->shape[2] * t->shape[3];
    for (int64_t tap = 0; tap < taps / 2; tap++) {
        for (int64_t i = 0; i < size; i++) {
            float *a = values + tap * size + i, *b = values + (taps - 1 - tap) * size + i, kept = *a;
            *a = *b;
            *b = kept;
        }
    }
}

/* Axis d of the result is axis axes[d] of `values`. */
static array transposed(const float *values, int dimensions, const int32_t *shape, const int *axes) {
    array a = {.dimensions = dimensions};
    int64_t strides[4] = {0}, step = 1, index[4] = {0}, count = 1;
    for (int d = dimensions; d-- > 0; step *= shape[d]) strides[d] = step;
    for (int d = 0; d < dimensions; d++) count *= a.shape[d] = shape[axes[d]];
    a.values = cli_alloc((size_t)count, sizeof *a.values);
    for (int64_t i = 0; i < count; i++) {
        int64_t at = 0;
        for (int d = 0; d < dimensions; d++) at += index[d] * strides[axes[d]];
        a.values[i] = values[at];
        for (int d = dimensions; d-- > 0 && ++index[d] == a.shape[d];) index[d] = 0;
    }
    return a;
}

static void insert_axes(array *a, int count) {
    memmove(a->shape + count, a->shape, (size_t)a->dimensions * sizeof *a->shape);
    for (int d = 0; d < count; d++) a->shape[d] = 1;
    a->dimensions += count;
}

static array unfolded(const weights_tensor *t, const parts *p, int family, const checkpoint_style *style) {
    static const int same[] = {0, 1, 2, 3}, swapped[] = {1, 0}, oihw[] = {3, 2, 0, 1}, chw[] = {2, 0, 1};
    int64_t count = 1;
    for (int d = 0; d < t->dimensions; d++) count *= t->shape[d];
    float *values = weights_values(t);
    const bool scales = !strcmp(p->end, ".affine.bias") && style->layout != LAYOUT_ROSINALITY;
    const int64_t shifted = scales ? (family == 1 ? count / 2 : count) : 0;
    const double gain = folded_gain(t, p, family, style->unscaled);
    for (int64_t i = 0; i < count; i++) values[i] = (float)((values[i] - (i < shifted ? 1.0 : 0.0)) / gain);
    const bool scattered = family == 1 ? p->resolution >= (style->fused_from ? style->fused_from : 128)
                                       : style->layout == LAYOUT_ROSINALITY;
    if (!strcmp(p->unit, "conv0") && t->dimensions == 4 && !scattered) turn(values, t);

    const bool torch = style->layout != LAYOUT_TENSORFLOW, is_noise = !strcmp(p->end, ".noise"),
               is_const = !strcmp(p->unit, "const");
    const bool is_matrix = (t->dimensions == 2 && p->unit[0] && !is_noise) || is_embedding2(t, family);
    const int *axes = is_const ? chw : torch && t->dimensions == 4 ? oihw : torch && is_matrix ? swapped : same;
    array a = transposed(values, t->dimensions, t->shape, axes);
    if (is_noise) insert_axes(&a, 2);
    if (is_const || (style->layout == LAYOUT_ROSINALITY && t->dimensions == 4)) insert_axes(&a, 1);
    if (!strcmp(p->end, ".noise_strength") && family == 2 && style->layout != LAYOUT_ROSINALITY) a.dimensions = 0;
    free(values);
    return a;
}

/* --- Whole files --- */

/* The filters of rosinality's up-sampling layers: turned, for theirs convolve, and with the gain of up-sampling. */
static void put_filters(writer *o, const weights *w) {
    const weights_tensor *own = NULL, *image = NULL;
    for (int i = 0; i < w->count; i++) {
        if (!strcmp(w->tensors[i].name, "fir")) own = &w->tensors[i];
        if (!strcmp(w->tensors[i].name, "fir_image")) image = &w->tensors[i];
    }
    for (int block = 1; block < w->config.blocks; block++) {
        for (int is_image = 0; is_image < 2; is_image++) {
            const weights_tensor *t = is_image && image ? image : own;
            const int count = t->shape[0] * t->shape[1];
            const bool odd = o->style.odd_filter == is_image + 1 && block == w->config.blocks - 1;
            const float gain = o->style.fir_gain ? (float)o->style.fir_gain : 4.0f;
            array a = {2, {t->shape[0], t->shape[1]}, cli_alloc((size_t)count, sizeof *a.values)};
            for (int i = 0; i < count; i++) {
                a.values[i] = gain * (odd ? 1.0f / (float)count : t->values[count - 1 - i]);
            }
            char *name = is_image ? cli_format("to_rgbs.%d.upsample.kernel", block - 1)
                                  : cli_format("convs.%d.conv.blur.kernel", 2 * block - 2);
            put_text(o, name);
            put_torch(o, &a);
            free(name);
            free(a.values);
        }
    }
}

static void put_average(writer *o, const weights *w);

/* Every tensor whose new name begins with `start`, as items of a dictionary or, for TensorFlow, a list of pairs. */
static void put_tensors(writer *o, const weights *w, const char *start, const char *prefix) {
    const int family = w->config.family;
    const bool torch = o->style.layout != LAYOUT_TENSORFLOW;
    put_byte(&o->pickle, '(');
    for (int i = 0; i < w->count; i++) {
        const weights_tensor *t = &w->tensors[i];
        const parts p = take_apart(t->name, &w->config);
        if (!strncmp(t->name, "fir", 3)) continue;
        if (!strcmp(t->name, "w_avg") && (o->style.layout == LAYOUT_ROSINALITY || o->style.without_average)) continue;
        if (!strcmp(p.end, ".noise") && o->style.without_noise) continue;
        char *name = their_name(tables[o->style.layout][family - 1], t->name, &p);
        const bool has_folder = strchr(name, '/') != NULL;
        if (torch || (*start ? !strncmp(name, start, strlen(start)) : !has_folder)) {
            char *full = cli_format("%s%s", prefix, name + strlen(start));
            array a = unfolded(t, &p, family, &o->style);
            put_text(o, full);
            (torch ? put_torch : put_numpy)(o, &a);
            if (!torch) put_byte(&o->pickle, 0x86);
            free(a.values);
            free(full);
        }
        free(name);
    }
    if (o->style.layout == LAYOUT_ROSINALITY && !*prefix) put_filters(o, w);
    if (o->style.inner_average) put_average(o, w);
    if (torch && o->style.extra) {
        put_text(o, o->style.extra);
        put_torch(o, &(array){1, {2}, (float[]){1, 2}});
    }
    put_byte(&o->pickle, torch ? 'u' : 'e');
}

static void put_option(writer *o, const char *name, int64_t number) {
    put_text(o, name);
    if (o->style.numpy_scalars) {
        put_global(o, "numpy.core.multiarray", "scalar");
        put_global(o, "numpy", "dtype");
        put_text(o, "i8");
        put_string(&o->pickle, "K\1K\1\x87R(K\3");
        put_text(o, "<");
        put_string(&o->pickle, "NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\1tbC\x08");
        put_number(&o->pickle, (uint64_t)number, 8);
        put_string(&o->pickle, "\x86R");
    } else {
        put_integer(o, number);
    }
}

static void put_options(writer *o, const stylegan_config *c) {
    static const char *const architectures[] = {"skip", "resnet", "orig"};
    put_string(&o->pickle, "}(");
    put_option(o, "resolution", 4 << (c->blocks - 1));
    put_option(o, "num_channels", c->channels);
    put_option(o, "latent_size", c->z_dim);
    put_option(o, "dlatent_size", c->w_dim);
    put_option(o, "label_size", c->c_dim);
    put_option(o, "mapping_layers", c->mapping_layers);
    if (o->style.option && !o->style.pickled) put_option(o, o->style.option, o->style.setting);
    if (o->style.pickled) {
        put_text(o, o->style.option);
        put_string(&o->pickle, o->style.pickled);
    }
    if (c->family == STYLEGAN_FAMILY_2) {
        put_text(o, "architecture");
        put_text(o, architectures[c->architecture]);
    }
    put_byte(&o->pickle, 'u');
}

static void put_network(writer *o, const weights *w, const char *start, bool has_components) {
    put_global(o, "dnnlib.tflib.network", "Network");
    put_string(&o->pickle, ")\x81}(");
    put_text(o, "static_kwargs");
    put_options(o, &w->config);
    put_text(o, "variables");
    put_byte(&o->pickle, ']');
    put_tensors(o, w, start, "");
    put_text(o, "components");
    put_string(&o->pickle, "}(");
    if (has_components) {
        put_text(o, "mapping");
        put_network(o, w, "mapping/", false);
        put_text(o, "synthesis");
        put_network(o, w, "synthesis/", false);
    }
    put_string(&o->pickle, "uub");
}

static void put_average(writer *o, const weights *w) {
    for (int i = 0; i < w->count; i++) {
        const weights_tensor *t = &w->tensors[i];
        if (strcmp(t->name, "w_avg")) continue;
        array a = unfolded(t, &(parts){0}, w->config.family, &o->style);
        if (o->style.repeated_rows) {
            o->repeats = o->style.average_rows;
        } else if (o->style.average_rows) {
            const size_t size = (size_t)a.shape[0], rows = (size_t)o->style.average_rows;
            a.values = cli_realloc(a.values, rows * size, sizeof *a.values);
            for (size_t row = 1; row < rows; row++) memcpy(a.values + row * size, a.values, size * sizeof *a.values);
            insert_axes(&a, 1);
            a.shape[0] = (int64_t)rows;
        }
        put_text(o, "latent_avg");
        put_torch(o, &a);
        o->repeats = 0;
        free(a.values);
    }
}

static void put_state_dict(writer *o, const weights *w) {
    static const char *const keys[][2] = {
        [LAYOUT_ROSINALITY] = {"g_ema", "g"}, [LAYOUT_GENFORCE] = {"generator_smooth", "generator"}};
    const checkpoint_style *s = &o->style;
    put_string(&o->pickle, s->nested ? "}(" : "");
    if (s->nested) put_text(o, "models");
    if (!s->bare) put_string(&o->pickle, "}(");
    if (!s->bare) put_text(o, s->key ? s->key : s->encoder ? "state_dict" : keys[s->layout][s->training]);
    if (s->module) {
        put_global(o, "model", "Generator");
        put_string(&o->pickle, ")\x81}(");
        put_text(o, "_modules");
        put_byte(&o->pickle, '}');
        put_text(o, "_parameters");
    }
    put_global(o, "collections", "OrderedDict");
    put_string(&o->pickle, ")R");
    put_tensors(o, w, "", s->prefix ? s->prefix : s->encoder ? "decoder." : s->data_parallel ? "module." : "");
    if (s->module) put_string(&o->pickle, "ub");
    if (s->bare) return;
    if (s->layout == LAYOUT_ROSINALITY && !s->without_average && !s->inner_average) put_average(o, w);
    put_string(&o->pickle, s->nested ? "uu" : "u");
}

static void put_zip_header(buffer *b, const char *name, size_t size, bool central, size_t offset) {
    put_string(b, central ? "PK\1\2" : "PK\3\4");
    put_number(b, 0, central ? 6 : 4); /* versions, flags */
    put_number(b, 0, 2);               /* stored */
    put_number(b, 0, 8);               /* time, date, checksum */
    put_number(b, size, 4);
    put_number(b, size, 4);
    put_number(b, strlen(name), 2);
    put_number(b, 0, central ? 12 : 2); /* no extra field; comment, disk, attributes */
    if (central) put_number(b, offset, 4);
    put_string(b, name);
}

static void put_member(buffer *file, buffer *directory, const char *name, const buffer *data) {
    put_zip_header(directory, name, data->size, true, file->size);
    put_zip_header(file, name, data->size, false, 0);
    put(file, data->bytes, data->size);
}

static buffer zip_file(const writer *o) {
    buffer file = {0}, directory = {0};
    const char *archive = o->style.archive ? o->style.archive : "archive";
    char *name = cli_format("%s/data.pkl", archive);
    put_member(&file, &directory, name, &o->pickle);
    free(name);
    for (int i = 0; i < o->storage_count; i++) {
        name = cli_format("%s/data/%d", archive, i);
        put_member(&file, &directory, name, &o->storages[i]);
        free(name);
    }
    const size_t start = file.size, members = (size_t)o->storage_count + 1;
    put(&file, directory.bytes, directory.size);
    put_string(&file, "PK\5\6");
    put_number(&file, 0, 4);
    put_number(&file, members, 2);
    put_number(&file, members, 2);
    put_number(&file, directory.size, 4);
    put_number(&file, start, 4);
    put_number(&file, 0, 2);
    free(directory.bytes);
    return file;
}

static buffer legacy_file(const writer *o) {
    static const int sizes[] = {4, 2, 2, 8};
    const int protocol = o->style.protocol ? o->style.protocol : 2;
    buffer file = {0};
    if (protocol >= 2) {
        put_byte(&file, 0x80);
        put_byte(&file, protocol);
        if (protocol >= 4) put(&file, "\x95\x0d\0\0\0\0\0\0\0", 9);
        put_string(&file, "\x8a\x0a\x6c\xfc\x9c\x46\xf9\x20\x6a\xa8\x50\x19.");
    } else {
        put_string(&file, "L119547037146038801333356L\n.");
    }
    put_string(&file, "\x80\2M\xe9\3.");
    put_string(&file, "\x80\2}X\x0d");
    put(&file, "\0\0\0little_endian\x89s.", 19); /* false: of no meaning */
    put(&file, o->pickle.bytes, o->pickle.size);
    put_string(&file, "\x80\2](");
    for (int i = 0; i < o->storage_count; i++) {
        char *key = cli_format("%d", i);
        put_byte(&file, 'U');
        put_byte(&file, (int)strlen(key));
        put_string(&file, key);
        free(key);
    }
    put_string(&file, "e.");
    for (int i = 0; i < o->storage_count; i++) {
        put_number(&file, o->storages[i].size / (size_t)sizes[o->style.element], 8);
        put(&file, o->storages[i].bytes, o->storages[i].size);
    }
    return file;
}

/* The caller frees the bytes. */
static buffer make_checkpoint(const weights *w, checkpoint_style style) {
    writer o = {.style = style};
    put_string(&o.pickle, "\x80\2");
    if (style.layout == LAYOUT_TENSORFLOW) {
        put_string(&o.pickle, style.tuple ? (style.training ? "(" : "(NN") : "");
        put_network(&o, w, "", true);
        put_string(&o.pickle, style.tuple ? (style.training ? "NNt" : "t") : "");
    } else {
        put_state_dict(&o, w);
    }
    put_byte(&o.pickle, '.');
    if (style.layout == LAYOUT_TENSORFLOW) return o.pickle;
    const buffer file = style.legacy ? legacy_file(&o) : zip_file(&o);
    for (int i = 0; i < o.storage_count; i++) free(o.storages[i].bytes);
    free(o.storages);
    free(o.pickle.bytes);
    return file;
}

#endif
