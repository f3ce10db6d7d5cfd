/* test_reference.c - the engine against the plain implementation on random networks, layer by layer, on every
   instruction set: test_reference [FIRST COUNT]. */
#include "../tools/base/cli.h"
#include "reference.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A network that amplifies rounding (ReLU before a normalisation, one or two channels) may differ by a multiple of what
   rounding its weights to float32 already does to it. */
static const double tolerance = 2e-5, condition_factor = 10;

/* What inspecting one synthesis found. */
typedef struct inspection {
    reference_volume *volumes;
    float **maps; /* [count], filled in as strips of rows come */
    int count, seen;
    double worst;
    char worst_layer[32];
} inspection;

/* The largest difference over the range of the expected values. */
static double difference(const double *values, const double *expected, size_t count) {
    double least = INFINITY, most = -INFINITY, largest = 0;
    for (size_t i = 0; i < count; i++) {
        double distance = fabs(values[i] - expected[i]);
        if (!(distance <= largest)) largest = distance == distance ? distance : INFINITY;
        least = fmin(least, expected[i]);
        most = fmax(most, expected[i]);
    }
    double range = fmax(most - least, fmax(fabs(most), fabs(least))); /* a layer may be one constant */
    return largest > 0 ? largest / range : 0;
}

static size_t volume_size(const reference_volume *volume) {
    return (size_t)volume->channels * (size_t)volume->height * (size_t)volume->width;
}

static void compare(inspection *found, const char *layer, const reference_volume *volume, const float *values) {
    size_t count = volume_size(volume);
    double *wide = (double *)cli_alloc(count, sizeof *wide);
    for (size_t i = 0; i < count; i++) wide[i] = (double)values[i];
    double error = difference(wide, volume->values, count);
    free(wide);
    if (error > found->worst) {
        found->worst = error;
        snprintf(found->worst_layer, sizeof found->worst_layer, "%s", layer);
    }
}

static void inspect(void *user, int index, const stylegan_feature_map *map) {
    inspection *found = (inspection *)user;
    (void)index;
    size_t plane = (size_t)map->height * (size_t)map->width, first = (size_t)map->first_row * (size_t)map->width;
    for (int i = 0; i < found->count; i++) {
        const reference_volume *volume = &found->volumes[i];
        if (strcmp(volume->layer, map->layer)) continue;
        if (volume->channels != map->channels || volume->height != map->height || volume->width != map->width) continue;
        if (!found->maps[i]) found->maps[i] = (float *)cli_alloc((size_t)map->channels * plane, sizeof(float));
        for (int c = 0; c < map->channels; c++)
            stylegan_read_feature(map, c, found->maps[i] + (size_t)c * plane + first);
        if (map->first_row + map->rows == map->height) found->seen++;
    }
}

/* Synthesizes and compares every layer and the image. */
static inspection inspect_synthesis(const stylegan_model *model, const float *ws, int noise, const float *transform,
                                    reference_volume *volumes, int count) {
    float **maps = (float **)cli_alloc((size_t)count, sizeof *maps);
    for (int i = 0; i < count; i++) maps[i] = NULL;
    inspection found = {volumes, maps, count, 0, 0, ""};
    stylegan_run run = {0};
    run.noise_mode = noise ? STYLEGAN_NOISE_CONST : STYLEGAN_NOISE_NONE;
    run.transform = transform;
    run.inspect = inspect;
    run.user = &found;
    float *image = test_images(model, ws, 1, &run);
    compare(&found, "image", &volumes[count - 1], image);
    free(image);
    for (int i = 0; i < count; i++) {
        if (maps[i]) compare(&found, volumes[i].layer, &volumes[i], maps[i]);
        free(maps[i]);
    }
    free(maps);
    found.maps = NULL;
    return found;
}

/* How far the reference itself moves when its weights are rounded. */
static double condition(const test_file *file, const float *ws, int noise, const float *transform,
                        const reference_volume *volumes, int count) {
    double worst = 0;
    reference *rounded = reference_open(file->bytes, file->size);
    if (transform) reference_transform(rounded, transform);
    reference_perturb(rounded);
    reference_volume *moved = reference_synthesize(rounded, ws, noise, &count);
    for (int i = 0; i < count; i++)
        worst = fmax(worst, difference(moved[i].values, volumes[i].values, volume_size(&volumes[i])));
    reference_free(moved, count);
    reference_close(rounded);
    return worst;
}

static double mapping_error(const reference *r, const stylegan_model *model, const float *z, const float *labels,
                            int cutoff) {
    const stylegan_config *config = reference_config(r);
    size_t count = (size_t)config->num_ws * (size_t)config->w_dim;
    double *expected = (double *)cli_alloc(count, sizeof *expected);
    float *ws = (float *)cli_alloc(count, sizeof *ws), *rounded = (float *)cli_alloc(count, sizeof *rounded);
    reference_map(r, z, labels, 0.7f, cutoff, expected);
    for (size_t i = 0; i < count; i++) rounded[i] = (float)expected[i];
    stylegan_map(model, z, labels, 1, 0.7f, cutoff, ws, NULL, NULL);
    double error = test_relative(ws, rounded, count);
    free(expected);
    free(ws);
    free(rounded);
    return error;
}

/* Whether both mix the same styles into layers first to last. */
static int mixes_alike(const reference *r, const stylegan_model *model, const float *ws, int first, int last) {
    const stylegan_config *config = reference_config(r);
    size_t count = (size_t)config->num_ws * (size_t)config->w_dim;
    float *style = test_normal(99, count), *mixed = (float *)cli_alloc(count, sizeof *mixed);
    double *expected = (double *)cli_alloc(2 * count, sizeof *expected), *wide_style = expected + count;
    for (size_t i = 0; i < count; i++) {
        expected[i] = (double)ws[i];
        wide_style[i] = (double)style[i];
    }
    reference_mix(r, expected, wide_style, first, last);
    int alike = !stylegan_mix(model, ws, style, first, last, mixed);
    for (size_t i = 0; i < count; i++) alike &= (double)mixed[i] == expected[i];
    free(expected);
    free(mixed);
    free(style);
    return alike;
}

/* limit: of the workspace; it decides how much is computed strip by strip, and how. */
static void check_network(const char *name, test_file file, int seed, size_t limit) {
    reference *r = reference_open(file.bytes, file.size);
    const stylegan_config *config = reference_config(r);
    int noise = seed % 5 != 0, cutoff = seed % (config->num_ws + 1), count;
    float *z = test_normal((uint32_t)seed, (size_t)config->z_dim);
    float *labels = test_normal((uint32_t)seed + 1, (size_t)config->c_dim);
    float *ws = test_normal((uint32_t)seed + 2, (size_t)(config->num_ws * config->w_dim));
    float *transform = NULL; /* of StyleGAN 3: any motion, off the canvas too */
    if (config->family == STYLEGAN_FAMILY_3 && seed % 3) {
        transform = test_normal((uint32_t)seed + 3, 9);
        if (seed % 3 == 1)
            stylegan_transform((double)transform[0], (double)transform[1], 90 * (double)transform[2], transform);
        reference_transform(r, transform);
    }
    reference_volume *volumes = reference_synthesize(r, ws, noise, &count);
    double allowed = tolerance;
    for (stylegan_isa isa = test_next_isa(STYLEGAN_ISA_AUTO); isa < STYLEGAN_ISA_COUNT; isa = test_next_isa(isa)) {
        stylegan_model *model = test_open_limited(&file, isa, 1 + seed % 3, limit);
        double mapping = mapping_error(r, model, z, seed % 7 ? labels : NULL, cutoff);
        inspection found = inspect_synthesis(model, ws, noise, transform, volumes, count);
        if (found.worst > allowed && allowed == tolerance)
            allowed = fmax(tolerance, condition_factor * condition(&file, ws, noise, transform, volumes, count));
        int alike = mixes_alike(r, model, ws, cutoff / 2, config->num_ws - 1 - cutoff / 4);
        test_check(mapping <= tolerance && alike && found.worst <= allowed && found.seen == count - 1,
                   "reference %s %s: w %.1e, %s %.1e of %.1e, %d of %d layers seen; %s", name, stylegan_isa_name(isa),
                   mapping, found.worst_layer, found.worst, allowed, found.seen, count - 1, test_describe(config));
        stylegan_close(model);
    }
    reference_free(volumes, count);
    reference_close(r);
    free(z);
    free(labels);
    free(transform);
    free(ws);
    free(file.bytes);
}

static void check_random_network(int seed, stylegan_type type, size_t limit) {
    static const char *type_names[] = {"f32", "f16", "i8"};
    char *name = cli_format("%d %s%s", seed, type_names[type], limit ? " lean" : "");
    check_network(name, test_random_network((uint64_t)seed, type), seed, limit);
    free(name);
}

int main(int argc, char **argv) {
    int first = argc > 1 ? (int)cli_integer("FIRST", argv[1], 0, 1 << 30) : 0;
    int count = argc > 2 ? (int)cli_integer("COUNT", argv[2], 0, 1 << 20) : 200;
    for (int seed = first; seed < first + count; seed++) {
        check_random_network(seed, STYLEGAN_F32, 0);
        check_random_network(seed, STYLEGAN_F32, 1);
        if (seed % 8 == 0) check_random_network(seed, STYLEGAN_F16, 0);
        if (seed % 8 == 4) check_random_network(seed, STYLEGAN_I8, 0);
    }
    for (int seed = first; seed < first + count / 2; seed++) {
        check_network("sg3", test_random_network3((uint64_t)seed, STYLEGAN_F32), seed, 0);
        check_network("sg3 lean", test_random_network3((uint64_t)seed, seed % 4 ? STYLEGAN_F32 : STYLEGAN_I8), seed, 1);
    }
    for (int seed = first; seed < first + count / 5; seed++) {
        check_network("rectangular", test_rectangular_network((uint64_t)seed), seed, 0);
        check_network("rectangular lean", test_rectangular_network((uint64_t)seed), seed, 1);
    }
    if (argc == 1) { /* 512 channels, as in the official networks */
        check_network("sg1-8", test_named_network("sg1-8", STYLEGAN_F32), 1, 0);
        check_network("sg2-8", test_named_network("sg2-8", STYLEGAN_F16), 1, 0);
        /* high resolutions are computed strip by strip */
        for (int seed = 0; seed < 4; seed++)
            check_network("tall", test_tall_network((uint64_t)seed), seed,
                          (const size_t[]){0, 15000000, 9000000, 1}[seed]);
        for (int seed = 0; seed < 4; seed++)
            check_network("tall sg3", test_tall_network3((uint64_t)seed), seed,
                          (const size_t[]){0, 4000000, 2000000, 1}[seed]);
    }
    return test_end();
}
