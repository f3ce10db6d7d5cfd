/* test_precision.c WORK - options.precision: feature maps kept in 16 bits, bfloat16 products of matrix units; and what a limit of
   memory does: the reference networks in the folder WORK and portraits-64.sgw, random networks, every instruction set, any number of threads. */
#include "test.h"

#include "../tools/base/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STYLEGAN_KERNELS
#include "../stylegan.h"

static const double least_decibels[STYLEGAN_PRECISION_COUNT] = {0, 90, 45};

/* Peak signal to noise, of b in a; the peak is a's range. */
static double decibels(const float *a, const float *b, size_t count) {
    double low = (double)a[0], high = low, sum = 0;
    for (size_t i = 0; i < count; i++) {
        double x = (double)a[i], error = x - (double)b[i];
        low = x < low ? x : low;
        high = x > high ? x : high;
        sum += error * error;
    }
    return 10 * log10((high - low) * (high - low) * (double)count / sum);
}

static stylegan_model *open_model(const test_file *file, stylegan_isa isa, int threads, stylegan_precision precision,
                                  size_t limit) {
    stylegan_options options = {0};
    stylegan_error error;
    options.isa = isa;
    options.threads = threads;
    options.precision = precision;
    options.memory_limit = limit;
    stylegan_model *model = stylegan_open_memory(file->bytes, file->size, &options, &error);
    if (!model) cli_fail("cannot open a network: %s", error.message);
    return model;
}

/* --- Halves, one by one --- */

static double half_value(int bits) {
    int exponent = bits >> 10 & 31, mantissa = bits & 1023;
    double magnitude = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
    return bits & 0x8000 ? -magnitude : magnitude;
}

enum { LEAST_NORMAL = 0x400, INFINITE = 0x7c00, MOST_LANES = 16 };

/* The bits that a number becomes; those of a subnormal half may be lost. */
static int narrowed(const sg__kernels *k, double value) {
    float x[MOST_LANES] = {0};
    unsigned char half[2 * MOST_LANES];
    x[k->lanes - 1] = (float)value;
    k->narrow(x, k->lanes, half);
    return half[2 * k->lanes - 2] | half[2 * k->lanes - 1] << 8;
}

static void check_halves(stylegan_isa isa) {
    const sg__kernels *k = sg__find_kernels(isa);
    int widened = 0, kept = 0, rounded = 0, clamped = 1;
    for (int sign = 0; sign < 2; sign++) {
        for (int h = 0; h < INFINITE; h++) {
            unsigned char half[2 * MOST_LANES] = {0};
            float x[MOST_LANES];
            int bits = sign << 15 | h, above = h + 1 < INFINITE ? bits + 1 : bits;
            double value = half_value(bits), middle = (value + half_value(above)) / 2;
            double more = middle + (middle - value) / 8, less = middle - (middle - value) / 8;
            half[0] = (unsigned char)bits;
            half[1] = (unsigned char)(bits >> 8);
            k->widen(half, k->lanes, x);
            widened += (double)x[0] == value;
            kept += narrowed(k, value) == bits || h < LEAST_NORMAL;
            rounded += h < LEAST_NORMAL || (narrowed(k, middle) == (h & 1 ? above : bits) &&
                                            narrowed(k, more) == above && narrowed(k, less) == bits);
        }
    }
    for (int i = 0; i < 4; i++) {
        double large = (const double[]){65504, 65519, 1e6, 3e38}[i];
        clamped &= narrowed(k, large) == INFINITE - 1 && narrowed(k, -large) == (0x8000 | (INFINITE - 1));
    }
    test_check(widened == 2 * INFINITE && kept == widened && rounded == widened && clamped,
               "precision halves %s: of %d, %d widened, %d kept, %d rounded to nearest even; large ones clamped: %d",
               stylegan_isa_name(isa), 2 * INFINITE, widened, kept, rounded, clamped);
}

/* --- Networks --- */

static int has_terms(const stylegan_model *model) {
    int found = 0;
    for (int i = 0; i < stylegan_layer_count(model); i++) {
        stylegan_layer layer;
        stylegan_get_layer(model, i, &layer);
        found |= layer.terms > 0;
    }
    return found;
}

/* Images of two latents in another precision compared with those in the exact one. Without matrix units bf16x2 is as exact. */
static void check_network(const char *name, const test_file *file, stylegan_isa isa, size_t limit,
                          stylegan_precision precision) {
    enum { IMAGES = 2 };
    const int fast = precision == STYLEGAN_PRECISION_FAST;
    stylegan_model *exact = open_model(file, isa, 1, STYLEGAN_PRECISION_F32, limit);
    stylegan_model *other = open_model(file, isa, 1, precision, limit);
    float *ws = test_styles(exact, 3, IMAGES), *expected = test_images(exact, ws, IMAGES, NULL);
    float *found = test_images(other, ws, IMAGES, NULL);
    size_t count = IMAGES * test_image_size(stylegan_describe(exact));
    size_t exact_bytes = stylegan_workspace_size(exact), bytes = stylegan_workspace_size(other);
    double quality = decibels(expected, found, count);
    int same = 1, differs = !test_same(expected, found, count);
    for (int threads = 2; threads <= 3 && !limit; threads++) { /* with a limit they may plan in another way */
        stylegan_model *again = open_model(file, isa, threads, precision, limit);
        float *images = test_images(again, ws, IMAGES, NULL);
        same &= test_same(found, images, count);
        free(images);
        stylegan_close(again);
    }
    test_check(quality >= least_decibels[precision] && same && differs == (fast || has_terms(other)) &&
                   (!fast || bytes < exact_bytes) && stylegan_model_precision(other) == precision,
               "precision %s %s %s%s: %.1f dB, %zu bytes instead of %zu, the same for any threads: %d", name,
               stylegan_precision_name(precision), stylegan_isa_name(isa), limit ? " lean" : "", quality, bytes,
               exact_bytes, same);
    free(found);
    free(expected);
    free(ws);
    stylegan_close(other);
    stylegan_close(exact);
}

static void check_file(const char *folder, const char *name) {
    char *path = cli_format("%s/%s.sgw", folder, name);
    file_view view = file_view_open(path);
    test_file file = {(unsigned char *)malloc(view.size), view.size};
    memcpy(file.bytes, view.data, view.size);
    for (stylegan_isa isa = test_next_isa(STYLEGAN_ISA_AUTO); isa < STYLEGAN_ISA_COUNT; isa = test_next_isa(isa)) {
        for (int p = STYLEGAN_PRECISION_F32 + 1; p < STYLEGAN_PRECISION_COUNT; p++) {
            check_network(name, &file, isa, 0, (stylegan_precision)p);
            check_network(name, &file, isa, STYLEGAN_MEMORY_LEAST, (stylegan_precision)p);
        }
    }
    free(file.bytes);
    file_view_close(&view);
    free(path);
}

/* --- Limits of memory --- */

static size_t workspace_within(const test_file *file, stylegan_precision precision, size_t limit,
                               stylegan_error *error) {
    stylegan_options options = {0};
    options.threads = 1;
    options.precision = precision;
    options.memory_limit = limit;
    stylegan_model *model = stylegan_open_memory(file->bytes, file->size, &options, error);
    size_t size = model ? stylegan_workspace_size(model) : 0;
    stylegan_close(model);
    return size;
}

/* Whatever fits is within the limit, and what cannot fit is refused with the size that it takes. */
static void check_limits(const char *name, const test_file *file, stylegan_precision precision) {
    stylegan_error error;
    size_t fastest = workspace_within(file, precision, 0, &error);
    size_t least = workspace_within(file, precision, STYLEGAN_MEMORY_LEAST, &error);
    char *size = cli_format(" %zu", least);
    int within = least < fastest, plans = 1;
    for (size_t limit = fastest, got; limit >= least; limit = got - 1, plans++) {
        got = workspace_within(file, precision, limit, &error);
        within &= got >= least && got <= limit;
        if (got <= least) break;
    }
    int refused = workspace_within(file, precision, least - 1, &error) == 0 && error.code == STYLEGAN_ERROR_MEMORY &&
                  strstr(error.message, size) != NULL;
    test_check(within && plans >= 4 && refused, "precision limits %s %s: %d plans from %zu to %zu bytes; below: %s",
               name, stylegan_precision_name(precision), plans, fastest, least, error.message);
    free(size);
}

static void check_options(const test_file *file) {
    stylegan_error error;
    size_t size = workspace_within(file, STYLEGAN_PRECISION_COUNT, 0, &error);
    test_check(size == 0 && error.code == STYLEGAN_ERROR_ARGUMENT, "precision unknown: %s", error.message);
}

/* --- What callers see of it --- */

enum { MOST_LAYERS = 64 };

typedef struct watch {
    int next[MOST_LAYERS];    /* rows seen of each layer */
    double mean[MOST_LAYERS]; /* of magnitudes, times their number */
    int wrong;                /* strips that came out of turn */
} watch;

static void see(void *user, int index, const stylegan_feature_map *map) {
    watch *w = (watch *)user;
    float *plane = (float *)malloc((size_t)(map->rows * map->width) * sizeof *plane);
    if (index || map->first_row != w->next[map->index]) w->wrong++;
    w->next[map->index] = map->first_row + map->rows;
    for (int c = 0; c < map->channels; c++) {
        stylegan_read_feature(map, c, plane);
        for (int i = 0; i < map->rows * map->width; i++) w->mean[map->index] += fabs((double)plane[i]);
    }
    free(plane);
}

/* Every layer's rows come once, from top to bottom, and are what they are in 32 bits. */
static void check_inspection(const char *name, const test_file *file, size_t limit) {
    watch seen[STYLEGAN_PRECISION_COUNT];
    int layers = 0, complete = 1;
    double worst = 0;
    for (int i = 0; i < STYLEGAN_PRECISION_COUNT; i++) {
        stylegan_model *model = open_model(file, STYLEGAN_ISA_AUTO, 1, (stylegan_precision)i, limit);
        float *ws = test_styles(model, 3, 1);
        stylegan_run run = {0};
        memset(&seen[i], 0, sizeof seen[i]);
        run.inspect = see;
        run.user = &seen[i];
        free(test_images(model, ws, 1, &run));
        layers = stylegan_layer_count(model);
        for (int k = 0; k < layers - 1; k++) {
            stylegan_layer layer;
            stylegan_get_layer(model, k, &layer);
            complete &= seen[i].next[k] >= layer.height;
        }
        free(ws);
        stylegan_close(model);
    }
    int wrong = seen[0].wrong;
    for (int i = 1; i < STYLEGAN_PRECISION_COUNT; i++) {
        wrong += seen[i].wrong;
        for (int k = 0; k < layers - 1; k++) worst = fmax(worst, fabs(seen[i].mean[k] / seen[0].mean[k] - 1));
    }
    test_check(complete && !wrong && worst < 1e-2,
               "precision inspect %s%s: %d layers, strips out of turn: %d, means differ by %.1e", name,
               limit ? " lean" : "", layers, wrong, worst);
}

int main(int argc, char **argv) {
    static const char *const cases[] = {"sg1-64",           "sg1-cond-32",       "sg1-128-thin", "sg2-ada-64",
                                        "sg2-ada-128-thin", "sg2-ada-resnet-32", "sg2-rect-64",  "sg2-tf-64",
                                        "sg3-t-64",         "sg3-r-64"};
    if (argc != 2) cli_usage("test_precision WORK");
    for (stylegan_isa isa = test_next_isa(STYLEGAN_ISA_AUTO); isa < STYLEGAN_ISA_COUNT; isa = test_next_isa(isa))
        check_halves(isa);
    check_file("examples", "portraits-64-stylegan1");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_file(argv[1], cases[i]);
    test_file networks[] = {test_named_network("sg1-64", STYLEGAN_I8), test_named_network("sg2-64", STYLEGAN_I8)};
    static const char *const names[] = {"sg1-64", "sg2-64"};
    for (size_t i = 0; i < sizeof networks / sizeof *networks; i++) {
        check_limits(names[i], &networks[i], STYLEGAN_PRECISION_F32);
        check_limits(names[i], &networks[i], STYLEGAN_PRECISION_FAST);
        check_options(&networks[i]);
        free(networks[i].bytes);
    }
    for (uint64_t seed = 0; seed < 6; seed++) {
        test_file file =
            seed % 3 == 2 ? test_random_network3(seed, STYLEGAN_F32) : test_random_network(seed, STYLEGAN_F32);
        char *name = cli_format("%d", (int)seed);
        check_inspection(name, &file, 0);
        check_inspection(name, &file, STYLEGAN_MEMORY_LEAST);
        free(name);
        free(file.bytes);
    }
    return test_end();
}
