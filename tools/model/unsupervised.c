/* unsupervised.c - see unsupervised.h. */
#include "unsupervised.h"
#include "../base/covariance.h"
#include "../base/eigen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

double *w_covariance(const mapping *m, int64_t samples) {
    enum { BATCH = 512 };
    const size_t w_dim = (size_t)m->opened->config->w_dim;
    uint32_t seeds[BATCH];
    float *w = cli_alloc(BATCH * w_dim, sizeof *w);
    double *mean = cli_alloc(w_dim, sizeof *mean), *matrix = cli_alloc(w_dim * w_dim, sizeof *matrix);
    pool *threads = pool_start(stylegan_model_threads(m->opened->model));
    covariance c;
    progress shown;
    covariance_start(&c, (int)w_dim);
    progress_start(&shown, "samples of w", (double)samples);
    for (int64_t first = 0; first < samples; first += BATCH) {
        const int count = samples - first < BATCH ? (int)(samples - first) : BATCH;
        for (int i = 0; i < count; i++) seeds[i] = (uint32_t)(first + i);
        mapping_w(m, (int)first, seeds, count, w);
        covariance_add(&c, threads, w, count);
        progress_update(&shown, (double)c.count);
    }
    progress_end(&shown);
    covariance_read(&c, mean, matrix);
    covariance_end(&c);
    pool_end(threads);
    free(mean);
    free(w);
    return matrix;
}

/* The deviation of w along x [n], of unit length: sqrt(x^T C x). */
static double deviation_along(const double *x, const double *variances, size_t n) {
    double variance = 0;
    for (size_t i = 0; i < n; i++)
        for (size_t j = 0; j < n; j++) variance += x[i] * variances[i * n + j] * x[j];
    return sqrt(fmax(variance, 0));
}

/* The eigenvectors of `matrix`, which they replace, become directions, as long as w deviates along them. */
static void take_eigenvectors(directions *d, const opened_model *opened, double *matrix, const double *variances,
                              int most, double *shares) {
    const double nothing = 1e-12; /* of the largest value: what rounding leaves of a zero */
    const int n = opened->config->w_dim;
    double *values = cli_alloc((size_t)n, sizeof *values), sum = 0;
    int count = 0;
    if (!eigen_symmetric(n, matrix, values)) cli_fail("%s: its w or styles are not finite numbers", opened->name);
    for (int i = 0; i < n; i++) sum += values[i];
    while (count < most && count < n && values[count] > nothing * values[0]) count++;
    if (!count) cli_fail("%s: its w or styles do not vary", opened->name);
    directions_start(d, opened, count, 1);
    for (int i = 0; i < count; i++) {
        const double *vector = matrix + (size_t)i * (size_t)n;
        const double length = deviation_along(vector, variances, (size_t)n);
        for (int k = 0; k < n; k++) directions_at(d, i)[k] = (float)(length * vector[k]);
        shares[i] = values[i] / sum;
    }
    free(values);
}

void find_principal_components(directions *d, const mapping *m, const double *variances, int most, double *shares) {
    const size_t w_dim = (size_t)m->opened->config->w_dim;
    double *matrix = cli_alloc(w_dim * w_dim, sizeof *matrix);
    memcpy(matrix, variances, w_dim * w_dim * sizeof *matrix);
    take_eigenvectors(d, m->opened, matrix, variances, most, shares);
    free(matrix);
}

/* The affine map of a layer that the given ones steer: its weights [D][*styles], NULL if there is none. */
static float *affine_weights(const opened_model *opened, int index, const layers *taken, int *styles) {
    stylegan_layer layer;
    stylegan_tensor tensor;
    stylegan_get_layer(opened->model, index, &layer);
    const int is_last = index == stylegan_layer_count(opened->model) - 1;
    int is_taken = 0;
    for (int i = 0; i < taken->count; i++) is_taken |= (int)taken->indices[i] == layer.ws;
    if (!is_taken || !layer.styles || is_last || strstr(layer.name, ".torgb")) return NULL;
    char *norm =
        strstr(layer.name, ".norm"); /* StyleGAN 1's styles belong to the convolution before: b4.norm0, b4.conv0 */
    if (norm) memcpy(norm, ".conv", 5);
    const char *owner = strcmp(layer.name, "fourier") ? layer.name : "input"; /* as weight files call it */
    char *name = cli_format("%s.affine.weight", owner);
    float *weights = model_tensor(opened, name, &tensor);
    if (!weights) cli_fail("%s: has no tensor %s", opened->name, name);
    free(name);
    *styles = layer.styles;
    return weights;
}

/* matrix += A A^T, each style's weights, a column of A [n][styles], normalised. */
static void add_affine(const float *weights, int n, int styles, double *matrix) {
    double *column = cli_alloc((size_t)n, sizeof *column);
    for (int s = 0; s < styles; s++) {
        double squares = 0;
        for (int i = 0; i < n; i++) {
            column[i] = (double)weights[(size_t)i * (size_t)styles + (size_t)s];
            squares += column[i] * column[i];
        }
        for (int i = 0; squares > 0 && i < n; i++) {
            const double factor = column[i] / squares;
            double *row = matrix + (size_t)i * (size_t)n;
            for (int j = 0; j < n; j++) row[j] += factor * column[j];
        }
    }
    free(column);
}

void find_style_eigenvectors(directions *d, const mapping *m, const double *variances, const layers *taken, int most,
                             double *shares) {
    const opened_model *opened = m->opened;
    const size_t w_dim = (size_t)opened->config->w_dim;
    double *matrix = cli_alloc(w_dim * w_dim, sizeof *matrix);
    int found = 0, styles;
    memset(matrix, 0, w_dim * w_dim * sizeof *matrix);
    for (int i = 0; i < stylegan_layer_count(opened->model); i++) {
        float *weights = affine_weights(opened, i, taken, &styles);
        if (!weights) continue;
        add_affine(weights, (int)w_dim, styles, matrix);
        free(weights);
        found++;
    }
    if (!found) cli_usage("--layers %s: no styles there but ToRGB's, which are left out", taken->text);
    take_eigenvectors(d, opened, matrix, variances, most, shares);
    free(matrix);
}
