/* covariance.c - see covariance.h. */
#include "covariance.h"
#include "cli.h"

#include <stdlib.h>
#include <string.h>

void covariance_start(covariance *c, int size) {
    const size_t n = (size_t)size;
    *c = (covariance){.size = size};
    c->origin = cli_alloc(n, sizeof *c->origin);
    c->sums = cli_alloc(n, sizeof *c->sums);
    c->products = cli_alloc(n * n, sizeof *c->products);
    memset(c->sums, 0, n * sizeof *c->sums);
    memset(c->products, 0, n * n * sizeof *c->products);
}

typedef struct batch {
    covariance *to;
    const double *x; /* [count][size] from the origin */
    int count;
} batch;

static void add_row(void *context, int row, int thread) {
    const batch *b = context;
    const size_t size = (size_t)b->to->size;
    double *products = b->to->products + (size_t)row * size;
    (void)thread;
    for (int i = 0; i < b->count; i++) {
        const double *x = b->x + (size_t)i * size, factor = x[row];
        for (int j = 0; j <= row; j++) products[j] += factor * x[j];
        b->to->sums[row] += factor;
    }
}

static void add_part(covariance *c, pool *threads, const float *values, int count) {
    const size_t size = (size_t)c->size, total = (size_t)count * size;
    double *x = cli_alloc(total, sizeof *x);
    for (size_t i = 0; !c->count && i < size; i++) c->origin[i] = (double)values[i];
    for (size_t i = 0; i < total; i++) x[i] = (double)values[i] - c->origin[i % size];
    pool_run(threads, c->size, add_row, &(batch){c, x, count});
    c->count += count;
    free(x);
}

void covariance_add(covariance *c, pool *threads, const float *values, int count) {
    enum { PART = 256 };
    for (int i = 0; i < count; i += PART)
        add_part(c, threads, values + (size_t)i * (size_t)c->size, count - i < PART ? count - i : PART);
}

void covariance_read(const covariance *c, double *mean, double *matrix) {
    const size_t size = (size_t)c->size;
    const double count = (double)c->count;
    for (size_t i = 0; i < size; i++) {
        mean[i] = c->origin[i] + c->sums[i] / count;
        for (size_t j = 0; j <= i; j++) {
            const double value = (c->products[i * size + j] - c->sums[i] * c->sums[j] / count) / count;
            matrix[i * size + j] = matrix[j * size + i] = value;
        }
    }
}

void covariance_end(covariance *c) {
    free(c->origin);
    free(c->sums);
    free(c->products);
}
