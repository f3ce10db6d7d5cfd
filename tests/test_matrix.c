/* test_matrix.c WORK - matrix units: this program's own engine has the model of them in plain C (STYLEGAN_MODEL_AMX). It draws the
   reference networks of the folder WORK in every precision; where the processor has the units, its
   kernels compute the same bits. */
#define STYLEGAN_STATIC
#define STYLEGAN_KERNELS
#define STYLEGAN_MODEL_AMX
#define SG__OWN_TERMS (1 << 13) /* small networks, too, are drawn in strips of a part's own */
#define STYLEGAN_IMPLEMENTATION
#include "../stylegan.h"

#include "../tools/base/cli.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Largest difference over the range that a precision may make. */
static const double tolerances[STYLEGAN_PRECISION_COUNT] = {2e-5, 1e-4, 0.1};

static stylegan_options options_of(stylegan_precision precision) {
    stylegan_options options = {0};
    options.isa = STYLEGAN_ISA_AMX;
    options.threads = 1;
    options.precision = precision;
    return options;
}

/* Layers whose products the model computes, of so many terms. */
static int count_layers(const stylegan_model *model, int terms) {
    int count = 0;
    for (int i = 0; i < stylegan_layer_count(model); i++) {
        stylegan_layer layer;
        stylegan_get_layer(model, i, &layer);
        count += layer.terms == terms;
    }
    return count;
}

static int check_network(const char *name, const test_file *file, stylegan_precision precision) {
    static const int terms[STYLEGAN_PRECISION_COUNT] = {3, 2, 1};
    stylegan_options options = options_of(precision), plain = options_of(STYLEGAN_PRECISION_F32);
    stylegan_error error;
    stylegan_model *model = stylegan_open_memory(file->bytes, file->size, &options, &error);
    if (!model) cli_fail("%s: %s", name, error.message);
    const stylegan_config *c = stylegan_describe(model);
    const size_t floats = test_image_size(c);
    float *z = test_normal(3, (size_t)c->z_dim), *ws = (float *)cli_alloc((size_t)(c->num_ws * c->w_dim), sizeof *ws);
    float *found = (float *)cli_alloc(floats, sizeof *found);
    if (stylegan_map(model, z, NULL, 1, 1, 0, ws, NULL, &error) ||
        stylegan_synthesize(model, ws, 1, found, NULL, &error))
        cli_fail("%s: %s", name, error.message);
    plain.isa = STYLEGAN_ISA_SCALAR;
    float *expected = test_draw(file, &plain, ws);
    const double difference = test_difference(found, expected, floats);
    const int layers = count_layers(model, terms[precision]);
    test_check(difference <= tolerances[precision], "matrix units %s %s: %d layers, differs by %.1e", name,
               stylegan_precision_name(precision), layers, difference);
    free(expected);
    free(found);
    free(ws);
    free(z);
    stylegan_close(model);
    return layers;
}

/* --- Kernels --- */

/* Values of all magnitudes, some of which are zeros, or too small to be normal. */
static void fill(float *values, size_t count, uint32_t seed) {
    float *normal = test_normal(seed, count);
    for (size_t i = 0; i < count; i++)
        values[i] = i % 11 == 3 ? 0 : ldexpf(normal[i], i % 7 == 2 ? -120 - (int)(i % 40) : (int)(i % 9) - 4);
    free(normal);
}

enum { SIDE = 7, PITCH = SIDE + 1, CHANNELS = 40, V = 16, GROUPS = 2, TAPS = 9, REST = 64, DEPTH = 2 * V };
enum { POSITIONS = (SIDE + 2) * PITCH + REST, BLOCKS = 3, MOST_TERMS = 3, Q = 2 };

/* What the kernels of one table make of the same map and weights. */
typedef struct results {
    uint16_t split[MOST_TERMS * GROUPS * POSITIONS * DEPTH];
    uint16_t packed[GROUPS * TAPS * MOST_TERMS * Q * V * DEPTH];
    float sums[Q * SIDE * SIDE * V];
} results;

static void compute(const sg__kernels *k, int terms, int q, const float *map, const float *kernel, const float *scale,
                    results *r) {
    const float *taps[TAPS];
    sg__product p;
    memset(r, 0, sizeof *r);
    memset(&p, 0, sizeof p);
    p.input = r->split;
    p.group = (size_t)POSITIONS * DEPTH;
    p.term = GROUPS * p.group;
    p.terms = terms;
    p.groups = GROUPS;
    p.taps = TAPS;
    p.weights = r->packed;
    p.positions = SIDE * PITCH;
    p.rows = 1;
    p.pitch = PITCH;
    p.width = SIDE;
    p.output = r->sums;
    p.output_row = (size_t)SIDE * V;
    p.output_pixel = V;
    p.output_vector = (size_t)SIDE * SIDE * V;
    for (int g = 0; g < GROUPS; g++) {
        const float *blocks[2] = {map + (size_t)(2 * g) * POSITIONS * V, NULL};
        if (2 * g + 1 < BLOCKS) blocks[1] = blocks[0] + (size_t)POSITIONS * V;
        k->split(blocks, scale + 2 * V * g, POSITIONS, terms, p.term, r->split + p.group * (size_t)g);
    }
    for (int t = 0; t < TAPS; t++) {
        taps[t] = kernel + (size_t)t * CHANNELS * Q * V;
        p.offset[t] = t / 3 * PITCH + t % 3;
    }
    k->pack(taps, TAPS, CHANNELS, q, terms, r->packed);
    k->multiply(&p, q);
}

/* The sums in double precision, over the largest. */
static double error_of(const results *r, int q, const float *map, const float *kernel, const float *scale) {
    double worst = 0, largest = 0;
    for (int o = 0; o < q * V; o++)
        for (int pixel = 0; pixel < SIDE * SIDE; pixel++) {
            double sum = 0;
            for (int t = 0; t < TAPS; t++)
                for (int c = 0; c < CHANNELS; c++) {
                    const size_t at = (size_t)((pixel / SIDE + t / 3) * PITCH + pixel % SIDE + t % 3);
                    const double x = (double)map[((size_t)(c / V) * POSITIONS + at) * V + (size_t)(c % V)];
                    sum +=
                        x * (double)scale[c] * (double)kernel[(size_t)t * CHANNELS * Q * V + (size_t)(c * q * V + o)];
                }
            largest = fmax(largest, fabs(sum));
            worst = fmax(worst, fabs(sum - (double)r->sums[(o / V * SIDE * SIDE + pixel) * V + o % V]));
        }
    return worst / largest;
}

static void check_kernels(void) {
    static const double bars[MOST_TERMS] = {1e-2, 3e-5, 1e-6};
    const sg__kernels *model = sg__find_kernels(STYLEGAN_ISA_AMX), *real = test_kernels(STYLEGAN_ISA_AMX);
    float *map = (float *)cli_alloc((size_t)BLOCKS * POSITIONS * V, sizeof *map), scale[GROUPS * DEPTH];
    float *kernel = (float *)cli_alloc((size_t)TAPS * CHANNELS * Q * V, sizeof *kernel);
    results *found = (results *)cli_alloc(2, sizeof *found);
    fill(map, (size_t)BLOCKS * POSITIONS * V, 1);
    fill(kernel, (size_t)TAPS * CHANNELS * Q * V, 2);
    for (int i = 0; i < GROUPS * DEPTH; i++) scale[i] = 0.5f + (float)i / 50;
    for (int terms = 1; terms <= MOST_TERMS; terms++)
        for (int q = 1; q <= Q; q++) {
            compute(model, terms, q, map, kernel, scale, &found[0]);
            if (real) compute(real, terms, q, map, kernel, scale, &found[1]);
            const int same = !real || !memcmp(&found[0], &found[1], sizeof *found);
            const double error = error_of(&found[0], q, map, kernel, scale);
            test_check(same && error < bars[terms - 1], "matrix units kernels, terms %d, vectors %d: error %.1e; %s",
                       terms, q, error,
                       !real  ? "this processor has none"
                       : same ? "this processor's compute the same bits"
                              : "this processor's compute other bits");
        }
    free(found);
    free(kernel);
    free(map);
}

int main(int argc, char **argv) {
    static const char *const cases[] = {"sg1-64",      "sg2-ada-64", "sg2-ada-resnet-32",
                                        "sg2-rect-64", "sg3-t-64",   "sg3-r-64"};
    int layers[STYLEGAN_PRECISION_COUNT] = {0};
    if (argc != 2) cli_usage("test_matrix WORK");
    check_kernels();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *path = cli_format("%s/%s.sgw", argv[1], cases[i]);
        file_view view = file_view_open(path);
        test_file file = {(unsigned char *)cli_alloc(view.size, 1), view.size};
        memcpy(file.bytes, view.data, view.size);
        for (int p = STYLEGAN_PRECISION_F32 + 1; p < STYLEGAN_PRECISION_COUNT; p++)
            layers[p] += check_network(cases[i], &file, (stylegan_precision)p);
        free(file.bytes);
        file_view_close(&view);
        free(path);
    }
    test_file wide = test_named_network("sg2-16", STYLEGAN_F16); /* all terms pay where channels are many */
    layers[STYLEGAN_PRECISION_F32] += check_network("sg2-16", &wide, STYLEGAN_PRECISION_F32);
    free(wide.bytes);
    for (int p = 0; p < STYLEGAN_PRECISION_COUNT; p++)
        test_check(layers[p] > 0, "matrix units %s: %d layers in all", stylegan_precision_name((stylegan_precision)p),
                   layers[p]);
    return test_end();
}
