#define STYLEGAN_KERNELS
#include "test.h"
#include "../tools/base/cli.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static int checks, failures;

int test_check(int ok, const char *format, ...) {
    va_list list;
    va_start(list, format);
    fputs(ok ? "ok " : "FAIL ", stdout);
    vprintf(format, list);
    putchar('\n');
    fflush(stdout);
    va_end(list);
    checks++;
    failures += !ok;
    return ok;
}

int test_end(void) {
    return failures || !checks;
}

static void stop(const char *what, const stylegan_error *error) {
    test_check(0, "%s: %s", what, error->message);
    exit(1);
}

static test_file write_network(weights *w, stylegan_type type) {
    test_file file;
    file.bytes = weights_to_memory(w, type, &file.size);
    random_network_free(w);
    return file;
}

test_file test_random_network3(uint64_t seed, stylegan_type type) {
    weights w = {0};
    random_network3(seed, &w);
    return write_network(&w, type);
}

test_file test_tall_network3(uint64_t seed) {
    weights w = {0};
    random_tall_network3(seed, &w);
    return write_network(&w, STYLEGAN_F32);
}

test_file test_random_network(uint64_t seed, stylegan_type type) {
    weights w;
    random_network(seed, &w);
    return write_network(&w, type);
}

/* The values that fill the smaller shapes are the first ones: they are random anyway. */
test_file test_rectangular_network(uint64_t seed) {
    weights square, w = {0};
    int quarters = 1 + (int)(seed % 3), upright = seed % 2 != 0;
    random_network(seed, &square);
    w.config = square.config;
    *(upright ? &w.config.width : &w.config.height) = w.config.resolution / 4 * quarters;
    for (int i = 0; i < square.count; i++) {
        weights_tensor t = square.tensors[i];
        float *values = weights_values(&t);
        const char *part = strrchr(t.name, '.');
        int dense = !strcmp(t.name, "b4.dense.weight");
        if (part && (!strcmp(part, ".const") || !strcmp(part, ".noise") || dense)) {
            int32_t *side = &t.shape[dense || upright ? 1 : 0];
            *side = *side / 4 * quarters;
        }
        weights_add_values(&w, t.name, t.dimensions, t.shape, values);
        free(values);
    }
    weights_note(&w, "source", "random values");
    random_network_free(&square);
    return write_network(&w, STYLEGAN_F32);
}

test_file test_tall_network(uint64_t seed) {
    weights w;
    random_tall_network(seed, &w);
    return write_network(&w, STYLEGAN_F32);
}

test_file test_young_network(uint64_t seed) {
    weights w;
    random_young_network(seed, &w);
    return write_network(&w, STYLEGAN_F32);
}

test_file test_named_network(const char *name, stylegan_type type) {
    weights w;
    if (!random_network_named(name, &w)) cli_fail("%s is no named network", name);
    return write_network(&w, type);
}

int test_find_tensor(const stylegan_model *model, const char *name, stylegan_tensor *tensor) {
    for (int i = 0; i < stylegan_tensor_count(model); i++)
        if (!stylegan_get_tensor(model, i, tensor) && !strcmp(tensor->name, name)) return 1;
    return 0;
}

const char *test_describe(const stylegan_config *c) {
    static const char *architectures[] = {"skip", "resnet", "orig"};
    static char text[300];
    int end = snprintf(text, sizeof text, "StyleGAN %d, %dx%dx%d, z %d, c %d, w %d, mapping %d x %s, %s", c->family,
                       c->height, c->width, c->channels, c->z_dim, c->c_dim, c->w_dim, c->mapping_layers,
                       stylegan_activation_name((stylegan_activation)c->mapping_activation),
                       stylegan_activation_name((stylegan_activation)c->activation));
    if (c->family == STYLEGAN_FAMILY_2)
        snprintf(text + end, sizeof text - (size_t)end, ", %s, clamp %g", architectures[c->architecture],
                 (double)c->conv_clamp);
    else
        snprintf(text + end, sizeof text - (size_t)end, ", pixel norm %d, instance norm %d, styles %d, lod %g",
                 c->use_pixel_norm, c->use_instance_norm, c->use_styles, (double)c->lod);
    return text;
}

stylegan_model *test_open(const test_file *file, stylegan_isa isa, int threads) {
    return test_open_limited(file, isa, threads, 0);
}

stylegan_model *test_open_limited(const test_file *file, stylegan_isa isa, int threads, size_t memory_limit) {
    stylegan_options options = {0};
    stylegan_error error = {STYLEGAN_OK, ""};
    options.isa = isa;
    options.threads = threads;
    options.memory_limit = memory_limit;
    stylegan_model *model = stylegan_open_memory(file->bytes, file->size, &options, &error);
    if (!model) stop("open", &error);
    return model;
}

float *test_normal(uint32_t seed, size_t count) {
    float *values = (float *)cli_alloc(count ? count : 1, sizeof *values);
    stylegan_seed_z(seed, values, (int)count);
    return values;
}

float *test_styles(const stylegan_model *model, uint32_t seed, int count) {
    const stylegan_config *config = stylegan_describe(model);
    stylegan_error error;
    float *z = test_normal(seed, (size_t)(count * config->z_dim));
    float *labels = test_normal(seed + 1, (size_t)(count * config->c_dim));
    float *ws = (float *)cli_alloc((size_t)(count * config->num_ws * config->w_dim), sizeof *ws);
    if (stylegan_map(model, z, labels, count, 0.8f, config->num_ws / 2, ws, NULL, &error)) stop("map", &error);
    free(z);
    free(labels);
    return ws;
}

size_t test_image_size(const stylegan_config *config) {
    return (size_t)config->channels * (size_t)config->height * (size_t)config->width;
}

float *test_images(const stylegan_model *model, const float *ws, int count, const stylegan_run *run) {
    stylegan_error error;
    float *images = (float *)cli_alloc((size_t)count * test_image_size(stylegan_describe(model)), sizeof *images);
    if (stylegan_synthesize(model, ws, count, images, run, &error)) stop("synthesize", &error);
    return images;
}

float *test_draw(const test_file *file, const stylegan_options *options, const float *ws) {
    stylegan_error error = {STYLEGAN_OK, ""};
    if (!stylegan_isa_available(options->isa)) return NULL;
    stylegan_model *model = stylegan_open_memory(file->bytes, file->size, options, &error);
    if (!model) stop("open", &error);
    float *image = test_images(model, ws, 1, NULL);
    stylegan_close(model);
    return image;
}

static double largest_difference(const float *a, const float *b, size_t count) {
    double largest = 0;
    for (size_t i = 0; i < count; i++) {
        double difference = fabs((double)a[i] - (double)b[i]);
        if (!(difference <= largest)) largest = difference == difference ? difference : INFINITY;
    }
    return largest;
}

double test_difference(const float *a, const float *b, size_t count) {
    double least = INFINITY, most = -INFINITY;
    for (size_t i = 0; i < count; i++) {
        least = fmin(least, (double)b[i]);
        most = fmax(most, (double)b[i]);
    }
    double largest = largest_difference(a, b, count);
    return largest > 0 ? largest / (most - least) : 0;
}

double test_relative(const float *a, const float *b, size_t count) {
    double most = 0;
    for (size_t i = 0; i < count; i++) most = fmax(most, fabs((double)b[i]));
    double largest = largest_difference(a, b, count);
    return largest > 0 ? largest / most : 0;
}

int test_same(const float *a, const float *b, size_t count) {
    return !memcmp(a, b, count * sizeof *a);
}

stylegan_isa test_next_isa(stylegan_isa isa) {
    int next = (int)isa + 1;
    while (next < STYLEGAN_ISA_COUNT && !stylegan_isa_available((stylegan_isa)next)) next++;
    return (stylegan_isa)next;
}

const sg__kernels *test_kernels(stylegan_isa isa) {
    return sg__find_kernels(isa);
}
