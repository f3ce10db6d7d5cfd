/* fidelity.c - see fidelity.h. */
#include "fidelity.h"
#include "../base/cli.h"
#include "../base/covariance.h"
#include "../base/eigen.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Matrices [n][n] --- */

static double *new_matrix(int n) {
    return cli_alloc((size_t)n * (size_t)n, sizeof(double));
}

/* c = a b */
static void multiply(const double *a, const double *b, int n, double *c) {
    for (int i = 0; i < n; i++) {
        for (int j = 0; j < n; j++) c[i * n + j] = 0;
        for (int k = 0; k < n; k++)
            for (int j = 0; j < n; j++) c[i * n + j] += a[i * n + k] * b[k * n + j];
    }
}

/* Of a covariance: rounding may leave eigenvalues just below 0. */
static double root(double eigenvalue) {
    return eigenvalue > 0 ? sqrt(eigenvalue) : 0;
}

static void decompose(double *a, int n, double *values) {
    if (!eigen_symmetric(n, a, values)) cli_fail("what the network of factors sees is not finite");
}

/* result = a^(1/2), symmetric as a is. */
static void square_root(const double *a, int n, double *result) {
    double *vectors = new_matrix(n), *values = cli_alloc((size_t)n, sizeof *values);
    memcpy(vectors, a, (size_t)n * (size_t)n * sizeof *vectors);
    decompose(vectors, n, values);
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            double sum = 0;
            for (int k = 0; k < n; k++) sum += vectors[k * n + i] * root(values[k]) * vectors[k * n + j];
            result[i * n + j] = sum;
        }
    free(vectors);
    free(values);
}

/* --- The Frechet distance --- */

gaussian gaussian_of(const point_set *p) {
    const int n = p->size;
    const double unbiased = (double)p->count / (p->count - 1);
    gaussian g = {n, cli_alloc((size_t)n, sizeof *g.mean), new_matrix(n)};
    covariance sums;
    pool *alone = pool_start(1);
    covariance_start(&sums, n);
    covariance_add(&sums, alone, p->values, p->count);
    covariance_read(&sums, g.mean, g.covariance);
    for (int i = 0; i < n * n; i++) g.covariance[i] *= unbiased;
    covariance_end(&sums);
    pool_end(alone);
    return g;
}

void gaussian_free(gaussian *g) {
    free(g->mean);
    free(g->covariance);
}

/* (C_a C_b)^(1/2) has the trace of (A C_b A)^(1/2) with A = C_a^(1/2), and that matrix is symmetric. */
double frechet_distance(const gaussian *a, const gaussian *b) {
    const int n = a->size;
    double *half = new_matrix(n), *product = new_matrix(n), *whole = new_matrix(n);
    double *values = cli_alloc((size_t)n, sizeof *values), distance = 0;
    square_root(a->covariance, n, half);
    multiply(half, b->covariance, n, product);
    multiply(product, half, n, whole);
    decompose(whole, n, values);
    for (int i = 0; i < n; i++) {
        const double off = a->mean[i] - b->mean[i];
        distance += off * off + a->covariance[i * n + i] + b->covariance[i * n + i] - 2 * root(values[i]);
    }
    free(half);
    free(product);
    free(whole);
    free(values);
    return distance > 0 ? distance : 0;
}

/* --- Precision and recall --- */

enum { MOST_NEIGHBOURS = 16 };

static double square_distance(const point_set *a, int i, const point_set *b, int j) {
    const float *x = a->values + (size_t)i * (size_t)a->size, *y = b->values + (size_t)j * (size_t)b->size;
    float sum[8] = {0}; /* eight at once: in float, fast, and exact enough to compare */
    int at = 0;
    for (; at + 8 <= a->size; at += 8)
        for (int k = 0; k < 8; k++) sum[k] += (x[at + k] - y[at + k]) * (x[at + k] - y[at + k]);
    for (; at < a->size; at++) sum[0] += (x[at] - y[at]) * (x[at] - y[at]);
    for (int k = 1; k < 8; k++) sum[0] += sum[k];
    return (double)sum[0];
}

/* The manifold of a set: balls about its points that reach to the k-th neighbour. */
typedef struct manifold {
    const point_set *points, *others;
    int k;
    double *radii; /* [count], squared */
    char *inside;  /* [count of others]: whether one lies in any ball */
} manifold;

static void find_radius(void *context, int item, int thread) {
    const manifold *m = context;
    double nearest[MOST_NEIGHBOURS];
    (void)thread;
    for (int i = 0; i < m->k; i++) nearest[i] = HUGE_VAL;
    for (int j = 0; j < m->points->count; j++) {
        double d = j == item ? HUGE_VAL : square_distance(m->points, item, m->points, j);
        for (int i = 0; i < m->k; i++)
            if (d < nearest[i]) {
                const double next = nearest[i];
                nearest[i] = d;
                d = next;
            }
    }
    m->radii[item] = nearest[m->k - 1];
}

static void find_inside(void *context, int item, int thread) {
    const manifold *m = context;
    (void)thread;
    m->inside[item] = 0;
    for (int j = 0; j < m->points->count && !m->inside[item]; j++)
        m->inside[item] = square_distance(m->others, item, m->points, j) <= m->radii[j];
}

/* The share of others in the manifold of points. */
static double share_inside(const point_set *points, const point_set *others, int k, int threads) {
    manifold m = {points, others, k, cli_alloc((size_t)points->count, sizeof *m.radii),
                  cli_alloc((size_t)others->count, 1)};
    int inside = 0;
    pool_each(points->count, threads, find_radius, &m);
    pool_each(others->count, threads, find_inside, &m);
    for (int i = 0; i < others->count; i++) inside += m.inside[i];
    free(m.radii);
    free(m.inside);
    return (double)inside / others->count;
}

precision_recall measure_precision_recall(const point_set *real, const point_set *generated, int k, int threads) {
    return (precision_recall){share_inside(real, generated, k, threads), share_inside(generated, real, k, threads)};
}
