/* eigen.c - see eigen.h. Reflections make the matrix tridiagonal (Householder), rotations make that diagonal (the QR
   algorithm with implicit shifts); Golub and Van Loan, Matrix Computations, sections 8.3.1 to 8.3.5. All loops run along
   rows. */
#include "eigen.h"
#include "cli.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static double dot(const double *x, const double *y, int n) {
    double sum = 0;
    for (int i = 0; i < n; i++) sum += x[i] * y[i];
    return sum;
}

/* y += factor x */
static void add(double *y, double factor, const double *x, int n) {
    for (int i = 0; i < n; i++) y[i] += factor * x[i];
}

static double *row_of(double *a, int n, int row) {
    return a + (size_t)row * (size_t)n;
}

/* x [n] becomes the v of the reflection 1 - v v^T that takes it to (side, 0, ..., 0). Returns side. */
static double reflect(double *x, int n) {
    const double length = sqrt(dot(x, x, n)), side = x[0] > 0 ? -length : length;
    if (length <= DBL_MIN) { /* nothing to reflect */
        memset(x, 0, (size_t)n * sizeof *x);
        return 0;
    }
    x[0] -= side;
    const double factor = sqrt(2 / dot(x, x, n));
    for (int i = 0; i < n; i++) x[i] *= factor;
    return side;
}

/* a becomes tridiagonal, with `diagonal` [n] and `beside` [n - 1]; the reflections' v stay in its rows, right of the
   diagonal. */
static void make_tridiagonal(int n, double *a, double *diagonal, double *beside) {
    double *p = cli_alloc((size_t)n, sizeof *p);
    for (int k = 0; k < n; k++) {
        double *v = row_of(a, n, k) + k + 1;
        const int rest = n - k - 1;
        diagonal[k] = v[-1];
        if (rest == 1) beside[k] = v[0];
        if (rest <= 1) continue;
        beside[k] = reflect(v, rest);
        for (int i = 0; i < rest; i++) p[i] = dot(row_of(a, n, k + 1 + i) + k + 1, v, rest);
        add(p, -dot(p, v, rest) / 2, v, rest);
        for (int i = 0; i < rest; i++) { /* a - v p^T - p v^T */
            double *row = row_of(a, n, k + 1 + i) + k + 1;
            const double vi = v[i], pi = p[i];
            for (int j = 0; j < rest; j++) row[j] -= vi * p[j] + pi * v[j];
        }
    }
    free(p);
}

/* The product of all reflections, last one first: rows [n][n] takes a vector to where the matrix is tridiagonal. */
static void multiply_reflections(int n, double *a, double *rows) {
    memset(rows, 0, (size_t)n * (size_t)n * sizeof *rows);
    for (int i = 0; i < n; i++) row_of(rows, n, i)[i] = 1;
    for (int k = n - 3; k >= 0; k--) {
        const double *v = row_of(a, n, k) + k + 1;
        for (int i = k + 1; i < n; i++) {
            double *row = row_of(rows, n, i) + k + 1;
            add(row, -dot(row, v, n - k - 1), v, n - k - 1);
        }
    }
}

static void rotate_rows(double *x, double *y, double c, double s, int n) {
    for (int i = 0; i < n; i++) {
        const double xi = x[i], yi = y[i];
        x[i] = c * xi + s * yi;
        y[i] = c * yi - s * xi;
    }
}

/* One step of the QR algorithm on rows and columns first..last, with Wilkinson's shift: a rotation starts a bulge beside the
   three diagonals, the following ones chase it out at the end. */
static void chase_bulge(int n, int first, int last, double *diagonal, double *beside, double *rows) {
    const double half = (diagonal[last - 1] - diagonal[last]) / 2, e = beside[last - 1];
    const double shift = diagonal[last] - e * e / (half + copysign(hypot(half, e), half));
    double x = diagonal[first] - shift, bulge = beside[first];
    for (int k = first; k < last; k++) {
        const double length = hypot(x, bulge), c = length > 0 ? x / length : 1, s = length > 0 ? bulge / length : 0;
        const double d0 = diagonal[k], d1 = diagonal[k + 1], b = beside[k];
        if (k > first) beside[k - 1] = length;
        diagonal[k] = c * c * d0 + 2 * c * s * b + s * s * d1;
        diagonal[k + 1] = s * s * d0 - 2 * c * s * b + c * c * d1;
        beside[k] = c * s * (d1 - d0) + (c * c - s * s) * b;
        if (k + 1 < last) {
            bulge = s * beside[k + 1];
            beside[k + 1] *= c;
        }
        x = beside[k];
        rotate_rows(row_of(rows, n, k), row_of(rows, n, k + 1), c, s, n);
    }
}

static void make_diagonal(int n, double *diagonal, double *beside, double *rows) {
    double most = 0;
    for (int i = 0; i < n; i++) most = fmax(most, fabs(diagonal[i]) + (i + 1 < n ? fabs(beside[i]) : 0));
    for (int last = n - 1; last > 0;) { /* what is behind `last` is done */
        int first = last;
        while (first > 0 && fabs(beside[first - 1]) > DBL_EPSILON * most) first--;
        if (first < last)
            chase_bulge(n, first, last, diagonal, beside, rows);
        else
            last--;
    }
}

static void swap_rows(double *a, double *b, int n) {
    for (int i = 0; i < n; i++) {
        const double x = a[i];
        a[i] = b[i];
        b[i] = x;
    }
}

static void sort_descending(int n, double *values, double *rows) {
    for (int i = 0; i < n; i++) {
        int largest = i;
        for (int j = i + 1; j < n; j++)
            if (values[j] > values[largest]) largest = j;
        swap_rows(&values[i], &values[largest], 1);
        swap_rows(row_of(rows, n, i), row_of(rows, n, largest), n);
    }
}

static void choose_sign(double *x, int n) {
    double largest = 0;
    for (int i = 0; i < n; i++)
        if (fabs(x[i]) > fabs(largest)) largest = x[i];
    for (int i = 0; largest < 0 && i < n; i++) x[i] = -x[i];
}

int eigen_symmetric(int n, double *a, double *values) {
    const size_t size = (size_t)n * (size_t)n;
    for (size_t i = 0; i < size; i++)
        if (!isfinite(a[i])) return 0;
    double *rows = cli_alloc(size, sizeof *rows), *beside = cli_alloc((size_t)n, sizeof *beside);
    make_tridiagonal(n, a, values, beside);
    multiply_reflections(n, a, rows);
    make_diagonal(n, values, beside, rows);
    sort_descending(n, values, rows);
    for (int i = 0; i < n; i++) choose_sign(row_of(rows, n, i), n);
    memcpy(a, rows, size * sizeof *a);
    free(beside);
    free(rows);
    return 1;
}
