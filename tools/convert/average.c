/* average.c - see average.h. */
#include "average.h"
#include "../base/cli.h"

#include <stdlib.h>
#include <string.h>

enum { SAMPLES = 10000, BATCH = 100 };

/* The mapping network alone: a file without blocks. */
static stylegan_model *open_mapping(const weights *w, unsigned char **data) {
    weights mapping;
    weights_copy_mapping(w, &mapping);
    size_t size;
    *data = weights_to_memory(&mapping, STYLEGAN_F32, &size);
    weights_free(&mapping);
    stylegan_error error = {0};
    stylegan_model *model = stylegan_open_memory(*data, size, NULL, &error);
    if (!model) cli_fail("cannot estimate the mean of w: %s", error.message);
    return model;
}

void estimate_w_avg(weights *w) {
    const size_t w_dim = (size_t)w->config.w_dim, z_dim = (size_t)w->config.z_dim, c_dim = (size_t)w->config.c_dim;
    unsigned char *data;
    stylegan_model *model = open_mapping(w, &data);
    float *z = cli_alloc(BATCH * z_dim + 1, sizeof *z), *ws = cli_alloc(BATCH * w_dim, sizeof *ws);
    float *labels = cli_alloc(BATCH * c_dim + 1, sizeof *labels);
    double *sum = cli_alloc(w_dim, sizeof *sum);
    for (size_t i = 0; i < w_dim; i++) sum[i] = 0.0;
    for (uint32_t seed = 0; seed < SAMPLES / BATCH; seed++) {
        stylegan_error error = {0};
        stylegan_seed_z(seed, z, (int)(BATCH * z_dim));
        for (size_t i = 0; i < BATCH * c_dim; i++) { /* each class in turn */
            labels[i] = i % c_dim == (seed * BATCH + i / c_dim) % c_dim ? 1.0f : 0.0f;
        }
        if (stylegan_map(model, z, c_dim ? labels : NULL, BATCH, 1.0f, 1, ws, NULL, &error))
            cli_fail("cannot estimate the mean of w: %s", error.message);
        for (size_t sample = 0; sample < BATCH; sample++) {
            for (size_t i = 0; i < w_dim; i++) sum[i] += ws[sample * w_dim + i];
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
