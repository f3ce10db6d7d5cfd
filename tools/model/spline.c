/* spline.c - see spline.h. A spline is linear in its points, so a frame is a weighted sum of them. With points y_i one apart
   and d_i = y_{i-1} - 2 y_i + y_{i+1}, its second derivatives M_i solve

     M_{i-1} + 4 M_i + M_{i+1} = 6 d_i                                     for i from 2 to n - 3
     M_1 = d_1, M_{n-2} = d_{n-2}                                          which is what not-a-knot comes to

   and at u from point j towards the next it is

     (1 - u) y_j + u y_{j+1} + ((1 - u)^3 - (1 - u)) / 6 M_j + (u^3 - u) / 6 M_{j+1}

   The weights of the y follow from the factors of M_j and M_{j+1} through the transposed system, which is the same one. */
#include "spline.h"
#include "../base/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COPIES = 5, BEFORE = 2 };

/* x [n] solves x_{i-1} + 4 x_i + x_{i+1} = x_i, as it is found, where 0 stands outside (Thomas's algorithm). */
static void solve(double *x, double *factors, int n) {
    for (int i = 0; i < n; i++) {
        const double pivot = 1 / (4 - (i ? factors[i - 1] : 0));
        factors[i] = pivot;
        x[i] = (x[i] - (i ? x[i - 1] : 0)) * pivot;
    }
    for (int i = n - 2; i >= 0; i--) x[i] -= factors[i] * x[i + 1];
}

/* From the factors of the second derivatives [n] to those of the second differences. */
static void through_differences(double *factors, double *scratch, int n) {
    double *inner = factors + 2;
    const int inside = n - 4;
    solve(inner, scratch, inside);
    factors[1] -= inner[0];
    factors[n - 2] -= inner[inside - 1];
    for (int i = 0; i < inside; i++) inner[i] *= 6;
}

void spline_weights(int count, double time, double *weights) {
    const int n = COPIES * count, at = (int)floor(time), j = BEFORE * count + at;
    const double u = time - at, v = 1 - u;
    double *factors = cli_alloc((size_t)n, sizeof *factors), *scratch = cli_alloc((size_t)n, sizeof *scratch);
    for (int i = 0; i < n; i++) factors[i] = 0;
    factors[j] = (v * v * v - v) / 6;
    factors[j + 1] = (u * u * u - u) / 6;
    through_differences(factors, scratch, n);

    for (int i = 0; i < count; i++) weights[i] = 0;
    weights[j % count] += v;
    weights[(j + 1) % count] += u;
    for (int i = 1; i < n - 1; i++) {
        weights[(i - 1) % count] += factors[i];
        weights[i % count] -= 2 * factors[i];
        weights[(i + 1) % count] += factors[i];
    }
    free(scratch);
    free(factors);
}
