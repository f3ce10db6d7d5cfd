/* engine.c - the library as the functions that stylegan.mjs calls. A WebAssembly instance holds one network and its memory:
   nothing is ever freed, a network is closed by forgetting its instance. Pointers are to that memory; those that
   functions return without an argument `out` are valid until the next call. */
#define STYLEGAN_STATIC
#define STYLEGAN_NO_STDIO
#define STYLEGAN_NO_MALLOC
#define STYLEGAN_IMPLEMENTATION
#include "../../stylegan.h"

#define EXPORT(name) __attribute__((export_name(#name)))
enum { PAGE = 65536, ALIGN = 64 };

/* --- Memory, and what the library says --- */

extern unsigned char __heap_base;
static size_t heap_end;

/* Aligned bytes, 0 if there are no more. */
EXPORT(reserve) void *reserve(size_t size) {
    const size_t begin = ((heap_end ? heap_end : (size_t)&__heap_base) + ALIGN - 1) / ALIGN * ALIGN;
    const size_t pages = __builtin_wasm_memory_size(0);
    if (size > (size_t)-1 - begin - PAGE) return NULL;
    const size_t needed = (begin + size + PAGE - 1) / PAGE;
    if (needed > pages && __builtin_wasm_memory_grow(0, needed - pages) == (size_t)-1) return NULL;
    heap_end = begin + size;
    return (void *)begin;
}

static stylegan_error error;

EXPORT(message) const char *message(void) {
    return error.message[0] ? error.message : stylegan_result_text(error.code);
}

static stylegan_result refuse(stylegan_result code) {
    error = (stylegan_error){code, ""};
    return code;
}

/* --- The network --- */

static stylegan_model *model;
static stylegan_run run;

/* Opens the weight file that lies at `data`; STYLEGAN_OK is 0. */
EXPORT(open_network) stylegan_result open_network(const void *data, size_t size) {
    stylegan_options options = {.threads = 1};
    error = (stylegan_error){STYLEGAN_OK, ""};
    options.memory_size = stylegan_open_size(data, size, &options, &error);
    if (!options.memory_size) return error.code;
    options.memory = reserve(options.memory_size);
    if (!options.memory) return refuse(STYLEGAN_ERROR_MEMORY);
    model = stylegan_open_memory(data, size, &options, &error);
    if (!model) return error.code;
    run.workspace_size = stylegan_workspace_size(model);
    run.workspace = reserve(run.workspace_size);
    return run.workspace ? STYLEGAN_OK : refuse(STYLEGAN_ERROR_MEMORY);
}

/* "type name" of every field of the configuration, each of 4 bytes */
#define FIELD(type, name, meaning) #type " " #name "\n"
EXPORT(config_fields) const char *config_fields(void) {
    return STYLEGAN_CONFIG_FIELDS(FIELD);
}

EXPORT(config) const stylegan_config *config(void) {
    return stylegan_describe(model);
}

EXPORT(engine) const char *engine(void) {
#ifdef __wasm_relaxed_simd__
    return "relaxed SIMD";
#else
    return "SIMD";
#endif
}

EXPORT(text) const char *text(size_t *length) {
    return stylegan_text(model, length);
}

EXPORT(parameters) double parameters(void) {
    return (double)stylegan_parameters(model);
}

EXPORT(layer_count) int layer_count(void) {
    return stylegan_layer_count(model);
}

/* The name of a layer; out: its numbers in the order of LAYER_NUMBERS in stylegan.mjs */
EXPORT(layer) const char *layer(int index, double *out) {
    static stylegan_layer l;
    stylegan_get_layer(model, index, &l);
    const double numbers[] = {l.in,
                              l.out,
                              l.height,
                              l.width,
                              l.ws,
                              l.styles,
                              l.noise,
                              l.strip_rows,
                              l.points,
                              l.macs,
                              (double)l.weight_bytes};
    memcpy(out, numbers, sizeof numbers);
    return l.name;
}

EXPORT(tensor_count) int tensor_count(void) {
    return stylegan_tensor_count(model);
}

EXPORT(tensor) const stylegan_tensor *tensor(int index) {
    static stylegan_tensor t;
    stylegan_get_tensor(model, index, &t);
    return &t;
}

/* A tensor's values as floats: out [rows][columns], the columns being its last dimension. */
EXPORT(tensor_values) void tensor_values(int index, float *out) {
    stylegan_tensor t;
    stylegan_get_tensor(model, index, &t);
    const int columns = t.shape[t.dimensions - 1];
    int rows = 1;
    for (int i = 0; i < t.dimensions - 1; i++) rows *= t.shape[i];
    const unsigned char *integers = t.data + 4 * (size_t)columns;
    for (int i = 0; i < rows * columns; i++) {
        if (t.type == STYLEGAN_F32) out[i] = sg__f32(t.data + 4 * (size_t)i);
        if (t.type == STYLEGAN_F16) out[i] = sg__f16(t.data + 2 * (size_t)i);
        if (t.type == STYLEGAN_I8)
            out[i] = (float)(signed char)integers[i] * sg__f32(t.data + 4 * (size_t)(i % columns));
    }
}

/* --- From a seed to an image --- */

EXPORT(seed_z) void seed_z(unsigned seed, float *z) {
    stylegan_seed_z(seed, z, stylegan_describe(model)->z_dim);
}

/* labels: NULL for none */
EXPORT(map) stylegan_result map(const float *z, const float *labels, float psi, int cutoff, float *ws) {
    return stylegan_map(model, z, labels, 1, psi, cutoff, ws, &run, &error);
}

EXPORT(mix) stylegan_result mix(const float *base, const float *style, int first, int last, float *ws) {
    return stylegan_mix(model, base, style, first, last, ws);
}

EXPORT(style) stylegan_result style(int index, const float *ws, float *out) {
    return stylegan_get_style(model, index, ws, out);
}

EXPORT(random_normal) void random_normal(double seed, int layer_ws, float *out, int count) {
    stylegan_random_normal((uint64_t)seed, (uint32_t)layer_ws, 0, out, count);
}

/* Tells JavaScript that rows of a layer are there, which may then call read_feature. */
__attribute__((import_module("page"), import_name("inspect"))) void show_layer(int index, int first_row, int rows,
                                                                               const float *style);
static const stylegan_feature_map *shown;

static void inspect(void *user, int index, const stylegan_feature_map *feature) {
    (void)user, (void)index;
    shown = feature;
    show_layer(feature->index, feature->first_row, feature->rows, feature->style);
    shown = NULL;
}

EXPORT(read_feature) void read_feature(int channel, float *plane) {
    if (shown) stylegan_read_feature(shown, channel, plane);
}

/* layer_noise, strength [layers], offsets [layers], each [styles] or NULL: NULL for nothing special. */
EXPORT(synthesize)
stylegan_result synthesize(const float *ws, int noise_mode, double noise_seed, const stylegan_noise_mode *layer_noise,
                           const float *strength, const float *const *offsets, int inspected, float *image) {
    run.noise_mode = (stylegan_noise_mode)noise_mode;
    run.noise_seed = (uint64_t)noise_seed;
    run.layer_noise = layer_noise;
    run.layer_noise_strength = strength;
    run.style_offsets = offsets;
    run.inspect = inspected ? inspect : NULL;
    return stylegan_synthesize(model, ws, 1, image, &run, &error);
}

EXPORT(to_rgb8) void to_rgb8(const float *image, unsigned char *pixels) {
    const stylegan_config *c = stylegan_describe(model);
    stylegan_to_rgb8(image, c->channels, c->height, c->width, pixels);
}
