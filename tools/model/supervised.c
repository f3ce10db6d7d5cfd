/* supervised.c - see supervised.h. */
#include "supervised.h"
#include "../base/covariance.h"
#include "../base/eigen.h"
#include "seed_values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SEEDS = 10000000, FEWEST = 3 }; /* of a group; of a fit */

/* --- Differences --- */

static void add_mean(const mapping *m, const char *flag, const char *list, double factor, double *sum) {
    const size_t values = m->opened->ws_values;
    int count;
    uint32_t *seeds = cli_list(flag, list, MOST_SEEDS, &count);
    float *ws = cli_alloc(values, sizeof *ws);
    for (int i = 0; i < count; i++) {
        mapping_seed(m, i, seeds[i], ws);
        for (size_t k = 0; k < values; k++) sum[k] += factor / count * (double)ws[k];
    }
    free(ws);
    free(seeds);
}

void find_difference(directions *d, const mapping *m, const char *from, const char *to) {
    const size_t values = m->opened->ws_values;
    double *sum = cli_alloc(values, sizeof *sum);
    for (size_t i = 0; i < values; i++) sum[i] = 0;
    add_mean(m, "--from-seeds", from, -1, sum);
    add_mean(m, "--to-seeds", to, 1, sum);
    directions_start(d, m->opened, 1, m->opened->config->num_ws);
    for (size_t i = 0; i < values; i++) d->values[i] = (float)sum[i];
    free(sum);
}

/* --- Ridge regression, in the principal components of w, where it is one division for each --- */

typedef struct principal_w {
    int count, size;
    double *vectors;   /* [size][size], rows */
    double *variances; /* [size] */
    double *z;         /* [count][size]: the w of each seed, without their mean, along each vector */
} principal_w;

static void project(principal_w *p, const float *w, const double *mean) {
    const size_t n = (size_t)p->size;
    double *x = cli_alloc(n, sizeof *x);
    p->z = cli_alloc((size_t)p->count, n * sizeof *p->z);
    for (size_t i = 0; i < (size_t)p->count; i++) {
        for (size_t k = 0; k < n; k++) x[k] = (double)w[i * n + k] - mean[k];
        for (size_t k = 0; k < n; k++) {
            double sum = 0;
            for (size_t j = 0; j < n; j++) sum += p->vectors[k * n + j] * x[j];
            p->z[i * n + k] = sum;
        }
    }
    free(x);
}

static void start_principal(principal_w *p, const mapping *m, const seed_values *labels) {
    const size_t w_dim = (size_t)m->opened->config->w_dim;
    float *w = cli_alloc((size_t)labels->count, w_dim * sizeof *w);
    double *mean = cli_alloc(w_dim, sizeof *mean);
    pool *threads = pool_start(stylegan_model_threads(m->opened->model));
    covariance c;
    *p = (principal_w){.count = labels->count, .size = (int)w_dim};
    p->vectors = cli_alloc(w_dim * w_dim, sizeof *p->vectors);
    p->variances = cli_alloc(w_dim, sizeof *p->variances);
    mapping_w(m, 0, labels->seeds, labels->count, w);
    covariance_start(&c, (int)w_dim);
    covariance_add(&c, threads, w, labels->count);
    covariance_read(&c, mean, p->vectors);
    if (!eigen_symmetric((int)w_dim, p->vectors, p->variances))
        cli_fail("%s: its w are not finite numbers", m->opened->name);
    project(p, w, mean);
    covariance_end(&c);
    pool_end(threads);
    free(mean);
    free(w);
}

static void end_principal(principal_w *p) {
    free(p->vectors);
    free(p->variances);
    free(p->z);
}

static int is_constant(const seed_values *labels, int column) {
    const double *value = labels->values + column;
    for (int i = 1; i < labels->count; i++)
        if (fabs(value[(size_t)i * (size_t)labels->columns] - *value) > 0) return 0;
    return 1;
}

/* Values y [count], without their mean; correlation [size] = mean of z y. */
static double center(const principal_w *p, const seed_values *labels, int column, double *y, double *correlation) {
    const size_t n = (size_t)p->size, columns = (size_t)labels->columns;
    double mean = 0, variance = 0;
    for (size_t i = 0; i < (size_t)p->count; i++) mean += labels->values[i * columns + (size_t)column] / p->count;
    for (size_t k = 0; k < n; k++) correlation[k] = 0;
    for (size_t i = 0; i < (size_t)p->count; i++) {
        y[i] = labels->values[i * columns + (size_t)column] - mean;
        variance += y[i] * y[i] / p->count;
        for (size_t k = 0; k < n; k++) correlation[k] += p->z[i * n + k] * y[i] / p->count;
    }
    return variance;
}

/* The mean squared error at each seed of the regression from all the others: the residual over 1 - leverage. */
static double left_out_error(const principal_w *p, const double *y, const double *correlation, double ridge) {
    const double least = 1e-9; /* of 1 - leverage, where there are fewer seeds than dimensions */
    double error = 0;
    for (int i = 0; i < p->count; i++) {
        const double *z = p->z + (size_t)i * (size_t)p->size;
        double predicted = 0, leverage = 1.0 / p->count;
        for (int k = 0; k < p->size; k++) {
            const double scaled = z[k] / (p->variances[k] + ridge);
            predicted += scaled * correlation[k];
            leverage += scaled * z[k] / p->count;
        }
        const double residual = (y[i] - predicted) / fmax(1 - leverage, least);
        error += residual * residual / p->count;
    }
    return error;
}

/* One of 10^-4 to 10^4 mean variances. */
static double choose_ridge(const principal_w *p, const double *y, const double *correlation, double mean_variance) {
    double best = 0, least_error = INFINITY;
    for (int power = -4; power <= 4; power++) {
        const double ridge = mean_variance * pow(10, power), error = left_out_error(p, y, correlation, ridge);
        if (error < least_error) best = ridge, least_error = error;
    }
    return best;
}

/* The direction: the coefficients of the regression, as long as w deviates along them. 0 if their squares are no numbers. */
static int store_direction(const principal_w *p, const double *correlation, double ridge, float *direction) {
    double squares = 0, variance = 0;
    for (int k = 0; k < p->size; k++) {
        const double c = correlation[k] / (p->variances[k] + ridge);
        squares += c * c;
        variance += c * c * fmax(p->variances[k], 0);
    }
    if (!(squares > 0 && isfinite(squares) && variance > 0 && isfinite(variance))) return 0;
    for (int i = 0; i < p->size; i++) {
        double sum = 0;
        for (int k = 0; k < p->size; k++)
            sum += correlation[k] / (p->variances[k] + ridge) * p->vectors[(size_t)k * (size_t)p->size + (size_t)i];
        direction[i] = (float)(sum * sqrt(variance) / squares);
    }
    return 1;
}

static void tell(const char *path, const char *name, double explained) {
    const double little = 0.1;
    if (explained < little) cli_note("%s: %s: w hardly tells it; its direction may mean little", path, name);
    cli_tell("%s: %s: w explains %.0f%% of it (leave-one-out)", path, name, 100 * explained);
}

double *find_labelled(directions *d, const mapping *m, const char *path, const char *ridge) {
    seed_values labels;
    principal_w p;
    const double given = ridge ? cli_number("--ridge", ridge, 1e-12, 1e12) : 0;
    seed_values_read(&labels, path);
    if (labels.count < FEWEST) cli_fail("%s: has %d seeds with values; %d are needed", path, labels.count, FEWEST);
    start_principal(&p, m, &labels);
    double *y = cli_alloc((size_t)p.count, sizeof *y), *correlation = cli_alloc((size_t)p.size, sizeof *y), mean = 0;
    for (int k = 0; k < p.size; k++) mean += p.variances[k] / p.size;
    if (mean <= 0) cli_fail("%s: its seeds have all the same w", path);
    double *explained = cli_alloc((size_t)labels.columns, sizeof *explained);
    directions_start(d, m->opened, labels.columns, 1);
    for (int i = 0; i < labels.columns; i++) {
        const double variance = center(&p, &labels, i, y, correlation);
        if (is_constant(&labels, i)) cli_fail("%s: all values of column %d are the same", path, i + 1);
        const double used = ridge ? given * mean : choose_ridge(&p, y, correlation, mean);
        explained[i] = 1 - left_out_error(&p, y, correlation, used) / variance;
        if (!store_direction(&p, correlation, used, directions_at(d, i)))
            cli_fail("%s: the values of column %d are too large or too small to compute with", path, i + 1);
        tell(path, labels.names ? labels.names[i] : "its values", explained[i]);
    }
    d->names = labels.names;
    labels.names = NULL;
    free(correlation);
    free(y);
    end_principal(&p);
    seed_values_free(&labels);
    return explained;
}
