/* test_directions.c - directions in w against independent computations: eigenvectors by Jacobi's rotations, covariances in
   two passes, styles through the library's API, regressions by elimination. The arguments: a folder of converted networks,
   portraits-64.sgw. */
#include "../tools/base/covariance.h"
#include "../tools/base/eigen.h"
#include "../tools/model/supervised.h"
#include "../tools/model/unsupervised.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double *doubles(size_t count) {
    double *values = (double *)cli_alloc(count, sizeof *values);
    for (size_t i = 0; i < count; i++) values[i] = 0;
    return values;
}

/* --- Eigenvectors --- */

/* The reference: Jacobi's method, cyclic. a [n][n] becomes diagonal; rows [n][n] become the vectors, not sorted. */
static void jacobi(int n, double *a, double *rows) {
    for (int i = 0; i < n * n; i++) rows[i] = i % (n + 1) == 0;
    for (int sweep = 0; sweep < 15; sweep++) {
        for (int pair = 0; pair < n * n; pair++) {
            const int p = pair / n, q = pair % n;
            if (p >= q || a[p * n + q] == 0) continue;
            const double theta = (a[q * n + q] - a[p * n + p]) / (2 * a[p * n + q]);
            const double t = copysign(1 / (fabs(theta) + sqrt(theta * theta + 1)), theta);
            const double c = 1 / sqrt(t * t + 1), s = t * c;
            for (int k = 0; k < n; k++) {
                const double kp = a[k * n + p], kq = a[k * n + q];
                a[k * n + p] = c * kp - s * kq;
                a[k * n + q] = s * kp + c * kq;
            }
            for (int k = 0; k < n; k++) {
                const double pk = a[p * n + k], qk = a[q * n + k], x = rows[p * n + k], y = rows[q * n + k];
                a[p * n + k] = c * pk - s * qk;
                a[q * n + k] = s * pk + c * qk;
                rows[p * n + k] = c * x - s * y;
                rows[q * n + k] = s * x + c * y;
            }
        }
    }
}

/* The number of the k-th largest value on the diagonal of a. */
static int rank_of(const double *a, int n, int k) {
    for (int i = 0; i < n; i++) {
        int before = 0;
        for (int j = 0; j < n; j++) {
            const double other = a[j * n + j], own = a[i * n + i];
            before += other > own || (other == own && j < i);
        }
        if (before == k) return i;
    }
    return -1;
}

/* The largest of |A v - value v| / most and |v v^T - 1|. */
static double eigen_error(int n, const double *matrix, double most, const double *vectors, const double *values) {
    double worst = 0;
    for (int k = 0; k < n; k++) {
        const double *v = vectors + k * n;
        for (int i = 0; i < n; i++) {
            double product = 0, dot = 0;
            for (int j = 0; j < n; j++) {
                product += matrix[i * n + j] * v[j];
                dot += vectors[i * n + j] * v[j];
            }
            worst = fmax(worst, fmax(fabs(product - values[k] * v[i]) / most, fabs(dot - (i == k))));
        }
        if (k && values[k] > values[k - 1]) worst = INFINITY;
    }
    return worst;
}

/* Symmetric matrices of several kinds, entry (i, j). */
typedef double entry_fn(int n, int i, int j, const float *random);

static double random_entry(int n, int i, int j, const float *random) {
    return (double)(i < j ? random[i * n + j] : random[j * n + i]);
}

static double zero_entry(int n, int i, int j, const float *random) {
    (void)n, (void)i, (void)j, (void)random;
    return 0;
}

static double unit_entry(int n, int i, int j, const float *random) {
    (void)n, (void)random;
    return i == j;
}

static double rank_one_entry(int n, int i, int j, const float *random) {
    (void)n;
    return (double)random[i] * (double)random[j];
}

static double tiny_entry(int n, int i, int j, const float *random) {
    return 1e-150 * random_entry(n, i, j, random);
}

static double graded_entry(int n, int i, int j, const float *random) {
    return random_entry(n, i, j, random) * pow(10, -(i + j));
}

static void check_eigen(void) {
    static const struct {
        const char *name;
        entry_fn *entry;
    } kinds[] = {{"random", random_entry},     {"zero", zero_entry}, {"unit", unit_entry},
                 {"rank one", rank_one_entry}, {"tiny", tiny_entry}, {"graded", graded_entry}};
    static const int sizes[] = {1, 2, 3, 17, 64};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds * 5; i++) {
        const int n = sizes[i % 5];
        const size_t size = (size_t)(n * n);
        float *random = test_normal((uint32_t)n, size);
        double *a = doubles(size), *copy = doubles(size), *values = doubles((size_t)n), most = 0;
        for (int k = 0; k < n * n; k++) {
            copy[k] = a[k] = kinds[i / 5].entry(n, k / n, k % n, random);
            most = fmax(most, fabs(a[k]));
        }
        const int done = eigen_symmetric(n, a, values);
        const double error = eigen_error(n, copy, most > 0 ? most : 1, a, values);
        test_check(done && error < 1e-13, "eigen: %s, %d: %.1e", kinds[i / 5].name, n, error);
        free(values);
        free(copy);
        free(a);
        free(random);
    }
    double bad[4] = {1, NAN, NAN, 1}, values[2];
    test_check(!eigen_symmetric(2, bad, values), "eigen: what is not a number is refused");
}

/* --- Covariance --- */

static void check_covariance(void) {
    enum { COUNT = 1000, SIZE = 24 };
    float *x = test_normal(1, COUNT * SIZE);
    double mean[SIZE], matrix[2][SIZE * SIZE], worst = 0;
    for (int i = 0; i < COUNT * SIZE; i++) x[i] = 1000 + x[i] + (i % SIZE ? x[i - 1] - 1000 : 0);
    for (int threads = 1; threads <= 2; threads++) {
        covariance c;
        pool *workers = pool_start(threads == 1 ? 1 : 3);
        covariance_start(&c, SIZE);
        covariance_add(&c, workers, x, 1);
        covariance_add(&c, workers, x + SIZE, COUNT - 1);
        covariance_read(&c, mean, matrix[threads - 1]);
        covariance_end(&c);
        pool_end(workers);
    }
    for (int i = 0; i < SIZE * SIZE; i++) {
        double means[2] = {0, 0}, sum = 0;
        for (int k = 0; k < COUNT; k++) {
            means[0] += (double)x[k * SIZE + i / SIZE] / COUNT;
            means[1] += (double)x[k * SIZE + i % SIZE] / COUNT;
        }
        for (int k = 0; k < COUNT; k++)
            sum += ((double)x[k * SIZE + i / SIZE] - means[0]) * ((double)x[k * SIZE + i % SIZE] - means[1]) / COUNT;
        worst = fmax(worst, fmax(fabs(sum - matrix[0][i]), fabs(means[0] - mean[i / SIZE])));
    }
    test_check(worst < 1e-10, "covariance: as in two passes: %.1e", worst);
    test_check(!memcmp(matrix[0], matrix[1], sizeof *matrix), "covariance: same bits for any number of threads");
    free(x);
}

/* --- Networks --- */

typedef struct network_under_test {
    opened_model opened;
    mapping m;
    layers all;
    int w_dim;
} network_under_test;

static void open_network(network_under_test *t, const char *path, const char *layer_list) {
    const mapping_flags flags = {.each_class = 1};
    model_open(&t->opened, path, &(model_flags){.threads = "1"}); /* many small calls */
    mapping_start(&t->m, &t->opened, &flags);
    t->all = layers_of(&t->opened, "--layers", layer_list);
    t->w_dim = t->opened.config->w_dim;
}

static void close_network(network_under_test *t) {
    layers_free(&t->all);
    mapping_end(&t->m);
    model_close(&t->opened);
}

/* w of a seed, mapped alone. */
static void map_alone(const network_under_test *t, uint32_t seed, float *w) {
    const stylegan_config *config = t->opened.config;
    float *z = test_normal(seed, (size_t)config->z_dim), *ws = (float *)cli_alloc(t->opened.ws_values, sizeof *ws);
    double *label = doubles((size_t)config->c_dim);
    float *labels = (float *)label; /* as many bytes at least, all zero */
    if (config->c_dim) labels[seed % (uint32_t)config->c_dim] = 1;
    if (stylegan_map(t->opened.model, z, labels, 1, 1, 0, ws, NULL, NULL)) exit(1);
    memcpy(w, ws, (size_t)t->w_dim * sizeof *w);
    free(label);
    free(ws);
    free(z);
}

/* The covariance of w by the book: mean first, every w again for the rest. */
static double *plain_covariance(const network_under_test *t, int samples) {
    const int n = t->w_dim;
    double *mean = doubles((size_t)n), *matrix = doubles((size_t)(n * n));
    float *w = (float *)cli_alloc((size_t)samples, (size_t)n * sizeof *w);
    for (int s = 0; s < samples; s++) {
        map_alone(t, (uint32_t)s, w + (size_t)s * (size_t)n);
        for (int i = 0; i < n; i++) mean[i] += (double)w[(size_t)s * (size_t)n + (size_t)i] / samples;
    }
    for (int s = 0; s < samples; s++) {
        const float *x = w + (size_t)s * (size_t)n;
        for (int i = 0; i < n; i++)
            for (int j = 0; j <= i; j++)
                matrix[i * n + j] += ((double)x[i] - mean[i]) * ((double)x[j] - mean[j]) / samples;
    }
    for (int i = 0; i < n * n; i++) matrix[i] = matrix[i / n > i % n ? i : i % n * n + i / n];
    free(w);
    free(mean);
    return matrix;
}

static double length_of(const float *x, int n) {
    double squares = 0;
    for (int i = 0; i < n; i++) squares += (double)x[i] * (double)x[i];
    return sqrt(squares);
}

/* The sine of the largest principal angle between the directions and as many of the reference's vectors, from above. */
static double subspace_angle(const directions *d, const double *matrix, const double *vectors, int n) {
    double squares = 0;
    for (int k = 0; k < d->count; k++) {
        const float *x = directions_at(d, k);
        const double length = length_of(x, n);
        double *rest = doubles((size_t)n);
        for (int i = 0; i < n; i++) rest[i] = (double)x[i] / length;
        for (int r = 0; r < d->count; r++) {
            const double *v = vectors + rank_of(matrix, n, r) * n;
            double dot = 0;
            for (int i = 0; i < n; i++) dot += v[i] * (double)x[i] / length;
            for (int i = 0; i < n; i++) rest[i] -= dot * v[i];
        }
        for (int i = 0; i < n; i++) squares += rest[i] * rest[i];
        free(rest);
    }
    return sqrt(squares);
}

/* The largest difference of a component from the reference's vector, or from its opposite. */
static double vector_difference(const float *x, const double *v, int n) {
    const double length = length_of(x, n);
    double same = 0, opposite = 0;
    for (int i = 0; i < n; i++) {
        same = fmax(same, fabs((double)x[i] / length - v[i]));
        opposite = fmax(opposite, fabs((double)x[i] / length + v[i]));
    }
    return fmin(same, opposite);
}

static void check_principal(const char *name, const char *path, int samples) {
    enum { COUNT = 20 };
    network_under_test t;
    directions d;
    double shares[COUNT], worst = 0, sum = 0;
    open_network(&t, path, NULL);
    const int n = t.w_dim;
    double *variances = w_covariance(&t.m, samples), *plain = plain_covariance(&t, samples);
    double *vectors = doubles((size_t)(n * n));
    find_principal_components(&d, &t.m, variances, COUNT, shares);
    jacobi(n, plain, vectors);
    for (int i = 0; i < n; i++) sum += plain[i * n + i];
    for (int i = 0; i < d.count; i++) {
        const double variance = plain[rank_of(plain, n, i) * (n + 1)], length = length_of(directions_at(&d, i), n);
        worst = fmax(worst, fmax(fabs(length / sqrt(variance) - 1), fabs(shares[i] * sum / variance - 1)));
    }
    const double angle = subspace_angle(&d, plain, vectors, n);
    test_check(d.count == COUNT && angle < 1e-3, "pca of %s: principal angles, %d samples: %.1e", name, samples, angle);
    test_check(worst < 1e-5, "pca of %s: deviations and shares: %.1e", name, worst);
    directions_end(&d);
    free(vectors);
    free(plain);
    free(variances);
    close_network(&t);
}

/* matrix += A A^T of a layer's map from w to its style, as the API tells it, each style's weights normalised. */
static void add_styles(const network_under_test *t, int index, int styles, double *matrix) {
    const int n = t->w_dim;
    float *ws = (float *)cli_alloc(t->opened.ws_values, sizeof *ws);
    float *zero = (float *)cli_alloc((size_t)styles, sizeof *zero),
          *style = (float *)cli_alloc((size_t)styles, sizeof *ws);
    double *a = doubles((size_t)(n * styles));
    for (int i = -1; i < n; i++) {
        for (size_t k = 0; k < t->opened.ws_values; k++) ws[k] = (int)(k % (size_t)n) == i ? 1024 : 0;
        if (stylegan_get_style(t->opened.model, index, ws, i < 0 ? zero : style)) exit(1);
        for (int s = 0; i >= 0 && s < styles; s++) a[i * styles + s] = ((double)style[s] - (double)zero[s]) / 1024;
    }
    for (int s = 0; s < styles; s++) {
        double squares = 0;
        for (int i = 0; i < n; i++) squares += a[i * styles + s] * a[i * styles + s];
        for (int i = 0; i < n * n && squares > 0; i++)
            matrix[i] += a[i / n * styles + s] * a[i % n * styles + s] / squares;
    }
    free(a);
    free(style);
    free(zero);
    free(ws);
}

static void check_styles(const char *name, const char *path, const char *layer_list, int first, int last) {
    enum { COUNT = 8, SAMPLES = 2000 };
    network_under_test t;
    directions d;
    double shares[COUNT], worst = 0;
    open_network(&t, path, layer_list);
    const int n = t.w_dim;
    double *matrix = doubles((size_t)(n * n)), *vectors = doubles((size_t)(n * n)), *variances;
    for (int i = 0; i < stylegan_layer_count(t.opened.model); i++) {
        stylegan_layer layer;
        stylegan_get_layer(t.opened.model, i, &layer);
        if (layer.styles && layer.ws >= first && layer.ws <= last && layer.out != t.opened.config->channels)
            add_styles(&t, i, layer.styles, matrix);
    }
    jacobi(n, matrix, vectors);
    variances = w_covariance(&t.m, SAMPLES);
    find_style_eigenvectors(&d, &t.m, variances, &t.all, COUNT, shares);
    for (int i = 0; i < d.count; i++)
        worst = fmax(worst, vector_difference(directions_at(&d, i), vectors + rank_of(matrix, n, i) * n, n));
    test_check(d.count > 0 && worst < 1e-4, "sefa of %s, layers %d to %d: %d vectors: %.1e", name, first, last, d.count,
               worst);
    directions_end(&d);
    free(variances);
    free(vectors);
    free(matrix);
    close_network(&t);
}

/* --- Fits --- */

/* x [n] = a^-1 b, a [n][n] positive definite. */
static void eliminate(int n, double *a, double *x) {
    for (int k = 0; k < n; k++)
        for (int i = k + 1; i < n; i++) {
            const double factor = a[i * n + k] / a[k * n + k];
            for (int j = k; j < n; j++) a[i * n + j] -= factor * a[k * n + j];
            x[i] -= factor * x[k];
        }
    for (int k = n - 1; k >= 0; k--) {
        for (int j = k + 1; j < n; j++) x[k] -= a[k * n + j] * x[j];
        x[k] /= a[k * n + k];
    }
}

/* Ridge regression of y on w [count][n] without line `left_out` (-1: none): b [n], its intercept, with this penalty of the
   sum of squares. */
static double regress(const float *w, const double *y, int count, int n, int left_out, double penalty, double *b) {
    double *mean = doubles((size_t)n), *a = doubles((size_t)(n * n)), y_mean = 0;
    const int used = count - (left_out >= 0);
    for (int s = 0; s < count; s++) {
        if (s == left_out) continue;
        y_mean += y[s] / used;
        for (int i = 0; i < n; i++) mean[i] += (double)w[s * n + i] / used;
    }
    for (int i = 0; i < n; i++) b[i] = 0, a[i * n + i] = penalty;
    for (int s = 0; s < count; s++) {
        if (s == left_out) continue;
        for (int i = 0; i < n; i++) {
            const double x = (double)w[s * n + i] - mean[i];
            b[i] += x * (y[s] - y_mean);
            for (int j = 0; j < n; j++) a[i * n + j] += x * ((double)w[s * n + j] - mean[j]);
        }
    }
    eliminate(n, a, b);
    for (int i = 0; i < n; i++) y_mean -= b[i] * mean[i];
    free(a);
    free(mean);
    return y_mean;
}

/* Labels: the third component of w, with noise in the second column. */
static void write_labels(const char *path, const float *w, const float *noise, int count, int n, double *y) {
    FILE *file = fopen(path, "w");
    if (!file) exit(1);
    fprintf(file, "# made by a test\nseed\tthird\tnoisy third\n");
    for (int s = 0; s < count; s++) {
        y[s] = (double)(w[s * n + 2] + noise[s] * 0.1f);
        fprintf(file, "%d\t%.9g\t%.17g\n", s, (double)w[s * n + 2], y[s]);
    }
    fclose(file);
}

/* The mean variance of a component of w [count][n]. */
static double mean_variance(const float *w, int count, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) {
        double mean = 0;
        for (int s = 0; s < count; s++) mean += (double)w[s * n + i] / count;
        for (int s = 0; s < count; s++) sum += pow((double)w[s * n + i] - mean, 2) / count / n;
    }
    return sum;
}

/* The share of the variance of y that regressions predict, each without the line that it predicts. */
static double predicted_share(const float *w, const double *y, int count, int n, double penalty) {
    double *b = doubles((size_t)n), mean = 0, error = 0, variance = 0;
    for (int s = 0; s < count; s++) mean += y[s] / count;
    for (int s = 0; s < count; s++) {
        double predicted = regress(w, y, count, n, s, penalty, b);
        for (int i = 0; i < n; i++) predicted += b[i] * (double)w[s * n + i];
        error += (y[s] - predicted) * (y[s] - predicted);
        variance += (y[s] - mean) * (y[s] - mean);
    }
    free(b);
    return 1 - error / variance;
}

/* A direction against the coefficients of the regression, scaled to unit length, and the deviation of w along them. */
static void check_direction(const float *found, const float *w, const double *y, int count, int n, double penalty) {
    double *b = doubles((size_t)n), squares = 0, mean = 0, variance = 0;
    regress(w, y, count, n, -1, penalty, b);
    for (int i = 0; i < n; i++) squares += b[i] * b[i];
    for (int i = 0; i < n; i++) b[i] /= sqrt(squares);
    for (int s = 0; s < 2 * count; s++) { /* the mean first */
        double along = 0;
        for (int i = 0; i < n; i++) along += b[i] * (double)w[s % count * n + i];
        *(s < count ? &mean : &variance) += (s < count ? along : (along - mean) * (along - mean)) / count;
    }
    const double difference = vector_difference(found, b, n);
    test_check(difference < 1e-5, "fit: the direction, as by elimination: %.1e", difference);
    test_check(fabs(length_of(found, n) / sqrt(variance) - 1) < 1e-5, "fit: as long as one deviation of w");
    free(b);
}

static void check_fit(const char *path, const char *folder) {
    enum { COUNT = 80 };
    network_under_test t;
    directions d;
    open_network(&t, path, NULL);
    const int n = t.w_dim;
    double y[COUNT];
    float *w = (float *)cli_alloc(COUNT * (size_t)n, sizeof *w), *noise = test_normal(5, COUNT);
    char *labels = cli_format("%s/labels.tsv", folder);
    for (int s = 0; s < COUNT; s++) map_alone(&t, (uint32_t)s, w + s * n);
    write_labels(labels, w, noise, COUNT, n, y);

    double *explained = find_labelled(&d, &t.m, labels, "0.5");
    const double penalty = 0.5 * mean_variance(w, COUNT, n) * COUNT;
    const double difference = fabs(explained[1] - predicted_share(w, y, COUNT, n, penalty));
    test_check(difference < 1e-6, "fit: explained %.4f, as by leaving each one out: %.1e", explained[1], difference);
    test_check(directions_at(&d, 1)[2] > 0, "fit: the value rises along it");
    test_check(!strcmp(d.names[0], "third") && !strcmp(d.names[1], "noisy third"), "fit: names from the first line");
    check_direction(directions_at(&d, 1), w, y, COUNT, n, penalty);
    directions_end(&d);
    free(explained);

    explained = find_labelled(&d, &t.m, labels, NULL);
    test_check(explained[0] > 0.999, "fit: with a ridge of its own choice, what w holds is found: %.6f", explained[0]);
    directions_end(&d);
    free(explained);
    free(labels);
    free(noise);
    free(w);
    close_network(&t);
}

/* The end to end: pictures labelled with their brightness, and unseen ones edited. */
static double brightness(const network_under_test *t, const float *ws) {
    float *image = test_images(t->opened.model, ws, 1, NULL);
    double sum = 0;
    for (size_t i = 0; i < t->opened.image_values; i++) sum += (double)image[i] / (double)t->opened.image_values;
    free(image);
    return sum;
}

static void check_editing(const char *path, const char *folder) {
    enum { LABELLED = 300, UNSEEN = 10 };
    network_under_test t;
    directions d;
    int brighter = 0;
    open_network(&t, path, NULL);
    float *from = (float *)cli_alloc(t.opened.ws_values, sizeof *from),
          *ws = (float *)cli_alloc(t.opened.ws_values, sizeof *ws);
    char *labels = cli_format("%s/brightness.tsv", folder);
    FILE *file = fopen(labels, "w");
    for (uint32_t seed = 0; file && seed < LABELLED; seed++) {
        mapping_seed(&t.m, 0, seed, ws);
        fprintf(file, "%u\t%.9g\n", seed, brightness(&t, ws));
    }
    if (!file || fclose(file)) exit(1);
    double *explained = find_labelled(&d, &t.m, labels, NULL);
    for (uint32_t seed = 1000; seed < 1000 + UNSEEN; seed++) {
        double values[3];
        mapping_seed(&t.m, 0, seed, from);
        for (int i = 0; i < 3; i++) {
            directions_move(&d, 0, i - 1, &t.all, from, ws);
            values[i] = brightness(&t, ws);
        }
        brighter += values[0] < values[1] && values[1] < values[2];
    }
    test_check(explained[0] > 0.5, "fit: w tells how bright a picture is: %.2f", explained[0]);
    test_check(brighter == UNSEEN, "edit: %d of %d unseen pictures get brighter along it", brighter, UNSEEN);
    directions_end(&d);
    free(explained);
    free(labels);
    free(ws);
    free(from);
    close_network(&t);
}

int main(int argc, char **argv) {
    if (argc != 3) cli_usage("test_directions FOLDER portraits-64.sgw");
    const char *folder = argv[1], *portraits = argv[2];
    char *sg2 = cli_format("%s/sg2-ada-64.sgw", folder), *sg3 = cli_format("%s/sg3-t-64.sgw", folder);
    char *conditional = cli_format("%s/sg1-cond-32.sgw", folder);
    check_eigen();
    check_covariance();
    check_principal("portraits-64", portraits, 100000);
    check_principal("sg1-cond-32", conditional, 1000);
    check_styles("portraits-64", portraits, NULL, 0, 9);
    check_styles("portraits-64", portraits, "2-3", 2, 3);
    check_styles("sg2-ada-64", sg2, NULL, 0, 9);
    check_styles("sg2-ada-64", sg2, "0-4", 0, 4);
    check_styles("sg3-t-64", sg3, NULL, 0, 15);
    check_styles("sg3-t-64", sg3, "0", 0, 0);
    check_fit(conditional, folder);
    check_editing(portraits, folder);
    free(conditional);
    free(sg3);
    free(sg2);
    return test_end();
}
