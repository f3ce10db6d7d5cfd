/* average.c - see average.h. */
#include "average.h"
#include "../base/cli.h"

#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 10000, BATCH = 100 };

/* The mapping network with the smallest possible synthesis network behind it: 4x4 pixels of one channel. */
static stylegan_model *open_mapping(const weights *w, unsigned char **data) {
    static const char *const scalars[] = {"b4.conv1.bias", "b4.conv1.affine.bias", "b4.torgb.bias",
                                          "b4.torgb.affine.bias"};
    static const char *const convolutions[] = {"b4.conv1.weight", "b4.torgb.weight"};
    static const char *const affines[] = {"b4.conv1.affine.weight", "b4.torgb.affine.weight"};
    const int32_t w_dim = w->config.w_dim;
    const float zeros[16] = {0}, one = 1.0f;
    float *wide_zeros = cli_alloc((size_t)w_dim, sizeof *wide_zeros);
    memset(wide_zeros, 0, (size_t)w_dim * sizeof *wide_zeros);
    weights small = {.config = w->config};
    small.config.family = STYLEGAN_FAMILY_2;
    small.config.architecture = STYLEGAN_SKIP;
    weights_set_resolution(&small.config, 4);
    small.config.channels = 1;
    small.config.num_ws = small.config.truncation_cutoff = 2;
    small.config.lod = 0.0f;
    small.config.use_pixel_norm = small.config.use_instance_norm = small.config.use_styles = 0;
    for (int i = 0; i < w->count; i++) {
        const weights_tensor *t = &w->tensors[i];
        if (!strncmp(t->name, "mapping.", 8))
            weights_add(&small, t->name, t->dimensions, t->shape, t->fill, t->context);
    }
    weights_add_values(&small, "w_avg", 1, (int32_t[]){w_dim}, wide_zeros);
    weights_add_values(&small, "fir", 2, (int32_t[]){1, 1}, &one);
    weights_add_values(&small, "b4.const", 3, (int32_t[]){4, 4, 1}, zeros);
    for (int i = 0; i < 4; i++) weights_add_values(&small, scalars[i], 1, (int32_t[]){1}, zeros);
    for (int i = 0; i < 2; i++) weights_add_values(&small, convolutions[i], 4, (int32_t[]){1, 1, 1, 1}, zeros);
    for (int i = 0; i < 2; i++) weights_add_values(&small, affines[i], 2, (int32_t[]){w_dim, 1}, wide_zeros);
    size_t size;
    *data = weights_to_memory(&small, STYLEGAN_F32, &size);
    weights_free(&small);
    free(wide_zeros);
    stylegan_error error = {0};
    stylegan_model *model = stylegan_open_memory(*data, size, NULL, &error);
    if (!model) cli_fail("cannot estimate the mean of w: %s", error.message);
    return model;
}

void estimate_w_avg(weights *w) {
    const size_t w_dim = (size_t)w->config.w_dim, z_dim = (size_t)w->config.z_dim, c_dim = (size_t)w->config.c_dim;
    unsigned char *data;
    stylegan_model *model = open_mapping(w, &data);
    float *z = cli_alloc(BATCH * z_dim + 1, sizeof *z), *ws = cli_alloc(BATCH * 2 * w_dim, sizeof *ws);
    float *labels = cli_alloc(BATCH * c_dim + 1, sizeof *labels);
    double *sum = cli_alloc(w_dim, sizeof *sum);
    for (size_t i = 0; i < w_dim; i++) sum[i] = 0.0;
    for (uint32_t seed = 0; seed < SAMPLES / BATCH; seed++) {
        stylegan_error error = {0};
        stylegan_seed_z(seed, z, (int)(BATCH * z_dim));
        for (size_t i = 0; i < BATCH * c_dim; i++) { /* each class in turn */
            labels[i] = i % c_dim == (seed * BATCH + i / c_dim) % c_dim ? 1.0f : 0.0f;
        }
        if (stylegan_map(model, z, c_dim ? labels : NULL, BATCH, 1.0f, 2, ws, NULL, &error))
            cli_fail("cannot estimate the mean of w: %s", error.message);
        for (size_t sample = 0; sample < BATCH; sample++) {
            for (size_t i = 0; i < w_dim; i++) sum[i] += ws[sample * 2 * w_dim + i];
        }
    }
    for (int i = 0; i < w->count; i++) {
        weights_tensor *t = &w->tensors[i];
        for (size_t k = 0; !strcmp(t->name, "w_avg") && k < w_dim; k++) t->values[k] = (float)(sum[k] / SAMPLES);
    }
    stylegan_close(model);
    free(data);
    free(z);
    free(labels);
    free(ws);
    free(sum);
}
