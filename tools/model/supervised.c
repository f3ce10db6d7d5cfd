/* supervised.c - see supervised.h. */
#include "supervised.h"
#include "../base/covariance.h"
#include "../base/eigen.h"
#include "../base/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_SEEDS = 10000000 };

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

/* --- Labels --- */

typedef struct label_table {
    int count, columns;
    uint32_t *seeds; /* [count] */
    double *values;  /* [count][columns] */
    char **names;    /* [columns], or NULL */
} label_table;

static double number_in(const table *lines, int field) {
    char *end;
    const char *text = lines->field[field];
    const double value = strtod(text, &end);
    if (end == text || *end || !isfinite(value))
        cli_fail("%s: line %d: %s is not a number", lines->path, lines->line, *text ? text : "nothing");
    return value;
}

/* The first line, if its first field is no seed. */
static void take_names(label_table *labels, const table *lines) {
    labels->names = cli_alloc((size_t)labels->columns, sizeof *labels->names);
    for (int i = 0; i < labels->columns; i++) labels->names[i] = cli_format("%s", lines->field[i + 1]);
}

static void take_line(label_table *labels, const table *lines) {
    const size_t columns = (size_t)labels->columns, at = (size_t)labels->count;
    const double seed = number_in(lines, 0);
    if (seed < 0 || seed > UINT32_MAX || seed != floor(seed))
        cli_fail("%s: line %d: %s is no seed, a whole number from 0 to 4294967295", lines->path, lines->line,
                 lines->field[0]);
    if (labels->count == MOST_SEEDS) cli_fail("%s: more than %d seeds", lines->path, MOST_SEEDS);
    if ((at & (at - 1)) == 0) { /* room for twice as many */
        const size_t room = at ? 2 * at : 1;
        labels->seeds = cli_realloc(labels->seeds, room, sizeof *labels->seeds);
        labels->values = cli_realloc(labels->values, room, columns * sizeof *labels->values);
    }
    labels->seeds[at] = (uint32_t)seed;
    for (size_t i = 0; i < columns; i++) labels->values[at * columns + i] = number_in(lines, (int)i + 1);
    labels->count++;
}

static void read_label_table(label_table *labels, const char *path) {
    table lines;
    *labels = (label_table){0};
    table_open(&lines, path);
    while (table_next(&lines)) {
        if (lines.fields < 2) cli_fail("%s: line %d: must be a seed, a tab and a value", path, lines.line);
        const int is_first = !labels->columns;
        if (is_first) labels->columns = lines.fields - 1;
        if (lines.fields != labels->columns + 1)
            cli_fail("%s: line %d: has %d values, the lines before have %d", path, lines.line, lines.fields - 1,
                     labels->columns);
        if (is_first && strspn(lines.field[0], "0123456789") != strlen(lines.field[0]))
            take_names(labels, &lines);
        else
            take_line(labels, &lines);
    }
    table_close(&lines);
    if (labels->count < 3) cli_fail("%s: has %d seeds with values; at least 3 are needed", path, labels->count);
}

static void free_label_table(label_table *labels) {
    for (int i = 0; labels->names && i < labels->columns; i++) free(labels->names[i]);
    free(labels->names);
    free(labels->values);
    free(labels->seeds);
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

static void start_principal(principal_w *p, const mapping *m, const label_table *labels) {
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

/* Values y [count], without their mean; correlation [size] = mean of z y. */
static double center(const principal_w *p, const label_table *labels, int column, double *y, double *correlation) {
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

/* The direction: the coefficients of the regression, as long as w deviates along them. */
static void store_direction(const principal_w *p, const double *correlation, double ridge, float *direction) {
    double squares = 0, variance = 0;
    for (int k = 0; k < p->size; k++) {
        const double c = correlation[k] / (p->variances[k] + ridge);
        squares += c * c;
        variance += c * c * fmax(p->variances[k], 0);
    }
    for (int i = 0; i < p->size; i++) {
        double sum = 0;
        for (int k = 0; k < p->size; k++)
            sum += correlation[k] / (p->variances[k] + ridge) * p->vectors[(size_t)k * (size_t)p->size + (size_t)i];
        direction[i] = squares > 0 ? (float)(sum * sqrt(variance) / squares) : 0;
    }
}

static void tell(const char *path, const char *name, double explained) {
    const double little = 0.1;
    if (explained < little) cli_note("%s: %s: w hardly tells it; its direction may mean little", path, name);
    cli_tell("%s: %s: w explains %.0f%% of it (leave-one-out)", path, name, 100 * explained);
}

double *find_labelled(directions *d, const mapping *m, const char *path, const char *ridge) {
    label_table labels;
    principal_w p;
    const double given = ridge ? cli_number("--ridge", ridge, 1e-12, 1e12) : 0;
    read_label_table(&labels, path);
    start_principal(&p, m, &labels);
    double *y = cli_alloc((size_t)p.count, sizeof *y), *correlation = cli_alloc((size_t)p.size, sizeof *y), mean = 0;
    for (int k = 0; k < p.size; k++) mean += p.variances[k] / p.size;
    if (mean <= 0) cli_fail("%s: its seeds have all the same w", path);
    double *explained = cli_alloc((size_t)labels.columns, sizeof *explained);
    directions_start(d, m->opened, labels.columns, 1);
    for (int i = 0; i < labels.columns; i++) {
        const double variance = center(&p, &labels, i, y, correlation);
        if (variance <= 0) cli_fail("%s: all values of column %d are the same", path, i + 1);
        const double used = ridge ? given * mean : choose_ridge(&p, y, correlation, mean);
        explained[i] = 1 - left_out_error(&p, y, correlation, used) / variance;
        store_direction(&p, correlation, used, directions_at(d, i));
        tell(path, labels.names ? labels.names[i] : "its values", explained[i]);
    }
    d->names = labels.names;
    labels.names = NULL;
    free(correlation);
    free(y);
    end_principal(&p);
    free_label_table(&labels);
    return explained;
}
