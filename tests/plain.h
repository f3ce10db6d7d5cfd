/* plain.h - tensors and operators as plain double-precision loops, and central differences: what the differentiable networks
   are compared with. */
#ifndef PLAIN_H
#define PLAIN_H

#include "test.h"
#include "../tools/base/cli.h"
#include "../tools/base/random.h"
#include "../tools/grad/augment.h"
#include "../tools/grad/network.h"

#include <math.h>
#include <string.h>

static const double TOLERANCE = 1e-3; /* of gradients */

/* --- Random numbers, and double memory that lives until the next check --- */

static uint64_t draws;

static inline double draw(void) { /* about normal, deviation 1 */
    double sum = 0;
    for (int i = 0; i < 12; i++) sum += random_uniform(99, draws++);
    return sum - 6;
}

static double *heap;
static size_t heap_used;
enum { HEAP = 1 << 23 };

static inline double *take(size_t count) {
    if (heap_used + count > HEAP) cli_fail("plain.h: out of memory");
    double *at = heap + heap_used;
    heap_used += count;
    memset(at, 0, count * sizeof *at);
    return at;
}

/* --- Plain tensors [N][C][S][S] and the reference operators on them --- */

typedef struct plain {
    int c, s;
    double *v;
} plain;

static inline plain plain_new(int channels, int size) {
    return (plain){channels, size, take((size_t)(SHARD * channels * size * size))};
}

static inline int plain_count(plain x) {
    return SHARD * x.c * x.s * x.s;
}

static inline double *at(plain x, int n, int c, int y, int column) {
    return &x.v[((n * x.c + c) * x.s + y) * x.s + column];
}

static inline double value_at(plain x, int n, int c, int y, int column) {
    return y < 0 || y >= x.s || column < 0 || column >= x.s ? 0 : *at(x, n, c, y, column);
}

/* Loops over every element of a plain tensor. */
#define EACH(x)                                   \
    for (int n = 0; n < SHARD; n++)               \
        for (int c = 0; c < (x).c; c++)           \
            for (int row = 0; row < (x).s; row++) \
                for (int column = 0; column < (x).s; column++)

static inline plain random_plain(int channels, int size) {
    plain x = plain_new(channels, size);
    for (int i = 0; i < plain_count(x); i++) x.v[i] = (double)(float)draw();
    return x;
}

/* w [k * k][I][stride] times gain */
static inline plain ref_conv(plain x, const double *w, int kernel, int out, int stride, double gain) {
    plain y = plain_new(out, x.s);
    EACH(y) {
        double sum = 0;
        for (int k = 0; k < kernel * kernel; k++)
            for (int i = 0; i < x.c; i++)
                sum += w[(k * x.c + i) * stride + c] *
                       value_at(x, n, i, row + k / kernel - kernel / 2, column + k % kernel - kernel / 2);
        *at(y, n, c, row, column) = gain * sum;
    }
    return y;
}

static inline plain ref_up(plain x) {
    plain y = plain_new(x.c, 2 * x.s);
    EACH(y) * at(y, n, c, row, column) = *at(x, n, c, row / 2, column / 2);
    return y;
}

/* `rim` pixels of zeros around it, or, negative, taken away. */
static inline plain ref_pad(plain x, int rim) {
    plain y = plain_new(x.c, x.s + 2 * rim);
    EACH(y) * at(y, n, c, row, column) = value_at(x, n, c, row - rim, column - rim);
    return y;
}

static inline plain ref_pool(plain x) {
    plain y = plain_new(x.c, x.s / 2);
    EACH(y)
    for (int i = 0; i < 4; i++) *at(y, n, c, row, column) += *at(x, n, c, 2 * row + i / 2, 2 * column + i % 2) / 4;
    return y;
}

static inline plain ref_blur(plain x) {
    plain y = plain_new(x.c, x.s);
    static const double taps[3] = {0.25, 0.5, 0.25};
    EACH(y)
    for (int i = 0; i < 9; i++)
        *at(y, n, c, row, column) += taps[i / 3] * taps[i % 3] * value_at(x, n, c, row + i / 3 - 1, column + i % 3 - 1);
    return y;
}

static inline plain ref_lerp(plain a, plain b, double t) {
    plain y = plain_new(a.c, a.s);
    for (int i = 0; i < plain_count(y); i++) y.v[i] = a.v[i] + t * (b.v[i] - a.v[i]);
    return y;
}

/* The least distance of any lrelu's input from its kink, where it has no slope and float32 may be on the other side. */
static double nearest_kink;

static inline void ref_activate(plain x, const double *bias, double gain, double slope) {
    EACH(x) {
        double *v = at(x, n, c, row, column);
        *v += gain * bias[c];
        if (slope < 1) nearest_kink = fmin(nearest_kink, fabs(*v));
        if (*v < 0) *v *= slope;
    }
}

static inline plain ref_adain(plain a, plain style, int half) {
    plain y = plain_new(a.c, a.s);
    const int pixels = a.s * a.s;
    for (int n = 0; n < SHARD; n++)
        for (int c = 0; c < a.c; c++) {
            const double *from = at(a, n, c, 0, 0);
            double mean = 0, square = 0;
            for (int p = 0; p < pixels; p++) mean += from[p] / pixels;
            for (int p = 0; p < pixels; p++) square += (from[p] - mean) * (from[p] - mean) / pixels;
            for (int p = 0; p < pixels; p++)
                at(y, n, c, 0, 0)[p] = (1 + *at(style, n, c, 0, 0)) * (from[p] - mean) / sqrt(square + 1e-8) +
                                       *at(style, n, half + c, 0, 0);
        }
    return y;
}

static inline plain ref_stddev(plain x) {
    plain y = plain_new(x.c + 1, x.s);
    const int pixels = x.s * x.s;
    double total = 0;
    EACH(x) * at(y, n, c, row, column) = *at(x, n, c, row, column);
    for (int c = 0; c < x.c; c++)
        for (int p = 0; p < pixels; p++) {
            double mean = 0, square = 0;
            for (int n = 0; n < SHARD; n++) mean += at(x, n, c, 0, 0)[p] / SHARD;
            for (int n = 0; n < SHARD; n++) square += pow(at(x, n, c, 0, 0)[p] - mean, 2) / SHARD;
            total += sqrt(square + 1e-8) / (x.c * pixels);
        }
    for (int n = 0; n < SHARD; n++)
        for (int p = 0; p < pixels; p++) at(y, n, x.c, 0, 0)[p] = total;
    return y;
}

static inline plain ref_pixel_norm(plain x) {
    plain y = plain_new(x.c, 1);
    for (int n = 0; n < SHARD; n++) {
        double square = 0;
        for (int c = 0; c < x.c; c++) square += pow(x.v[n * x.c + c], 2) / x.c;
        for (int c = 0; c < x.c; c++) y.v[n * x.c + c] = x.v[n * x.c + c] / sqrt(square + 1e-8);
    }
    return y;
}

static inline plain ref_blur_within(plain x) {
    return ref_pad(ref_blur(x), -1);
}

static inline plain ref_epilogue(plain x, plain noise, const double *strength, const double *bias) {
    plain y = plain_new(x.c, x.s);
    EACH(y) * at(y, n, c, row, column) = *at(x, n, c, row, column) + strength[c] * *at(noise, n, 0, row, column);
    ref_activate(y, bias, 1, 0.2);
    return y;
}

/* conv of image n by gain * w * style / sqrt(sum over inputs and taps of the square + 1e-8) */
static inline plain ref_modulated(plain x, plain style, const double *w, int kernel, int out, int stride, double gain,
                                  int demodulated) {
    plain y = {0, 0, NULL};
    double *own = take((size_t)(kernel * kernel * x.c * stride));
    for (int image = 0; image < SHARD; image++) {
        for (int o = 0; o < out; o++) {
            double square = 1e-8;
            for (int k = 0; k < kernel * kernel * x.c; k++) {
                own[k * stride + o] = gain * w[k * stride + o] * style.v[image * x.c + k % x.c];
                square += own[k * stride + o] * own[k * stride + o];
            }
            for (int k = 0; demodulated && k < kernel * kernel * x.c; k++) own[k * stride + o] /= sqrt(square);
        }
        const plain all = ref_conv(x, own, kernel, out, stride, 1);
        if (!y.v) y = plain_new(out, x.s);
        EACH(y) if (n == image) * at(y, n, c, row, column) = *at(all, n, c, row, column);
    }
    return y;
}

static inline plain ref_noise_and_lrelu(plain x, plain noise, const double *strength, const double *bias) {
    plain y = plain_new(x.c, x.s);
    EACH(y)
    *at(y, n, c, row, column) = sqrt(2) * *at(x, n, c, row, column) + strength[c] * *at(noise, n, 0, row, column);
    ref_activate(y, bias, 1, 0.2);
    return y;
}

static inline plain ref_augment(plain x, const augmentation *augmentations) {
    plain y = plain_new(x.c, x.s);
    EACH(y) {
        const augmentation *a = &augmentations[n];
        if (row >= a->cut[0] && row < a->uncut[0] && column >= a->cut[1] && column < a->uncut[1]) continue;
        int from[2] = {row - a->down, column - a->right};
        for (int i = 0; i < 2; i++) {
            if (from[i] < 0) from[i] = -from[i];
            if (from[i] >= x.s) from[i] = 2 * (x.s - 1) - from[i];
        }
        if (a->mirror) from[1] = x.s - 1 - from[1];
        *at(y, n, c, row, column) = (double)a->brightness;
        for (int i = 0; i < 3; i++)
            *at(y, n, c, row, column) += (double)a->color[i] * *at(x, n, (c + i) % 3, from[0], from[1]);
    }
    return y;
}

static inline double dot(plain a, plain b) {
    double sum = 0;
    for (int i = 0; i < plain_count(a); i++) sum += a.v[i] * b.v[i];
    return sum;
}

/* --- Between plain tensors and maps --- */

static inline void to_map(plain x, const map *m) {
    EACH(x) m->data[map_at(m, c, row, column, n)] = (float)*at(x, n, c, row, column);
}

static inline plain from_map(const map *m) {
    plain x = plain_new(m->channels, m->size);
    EACH(x) * at(x, n, c, row, column) = (double)m->data[map_at(m, c, row, column, n)];
    return x;
}

/* Pixel (row, column) of a map of 2S x 2S in its four planes; -1 and 2S lie in their borders. */
static inline float *plane_pixel(const map *planes, int n, int c, int row, int column) {
    const map one = {planes->data, planes->channels, planes->size, 1, planes->lanes, planes->images};
    const int odd_row = row & 1, odd_column = column & 1;
    const ptrdiff_t plane = map_row(planes, 2 * odd_row + odd_column, 0, 0) - map_row(planes, 0, 0, 0);
    return planes->data + plane + map_at(&one, c, (row - odd_row) / 2, (column - odd_column) / 2, n);
}

/* A plain tensor of 2S x 2S, or of two pixels more with those beyond. */
static inline void to_planes(plain x, const map *m) {
    const int beyond = x.s / 2 - m->size;
    EACH(x) * plane_pixel(m, n, c, row - beyond, column - beyond) = (float)*at(x, n, c, row, column);
}

static inline plain from_planes(const map *m) {
    plain x = plain_new(m->channels, 2 * m->size);
    EACH(x) * at(x, n, c, row, column) = (double)*plane_pixel(m, n, c, row, column);
    return x;
}

static inline plain from_planes_and_beyond(const map *m) {
    plain x = plain_new(m->channels, 2 * m->size + 2);
    EACH(x) * at(x, n, c, row, column) = (double)*plane_pixel(m, n, c, row - 1, column - 1);
    return x;
}

/* --- Verdicts --- */

/* The worst of what was compared, and how much. */
typedef struct verdict {
    double value, gradient; /* worst relative errors */
    int count;
    double step;  /* of the differences */
    double floor; /* gradients shorter than this count as this long */
} verdict;
static const verdict none = {.step = 1e-7, .floor = 1e-12};

static inline void note(double *worst, double error) {
    if (!(error <= *worst)) *worst = error == error ? error : INFINITY;
}

/* The largest difference over the largest value. */
static inline void compare(verdict *v, plain found, plain expected) {
    double difference = 0, largest = 0;
    for (int i = 0; i < plain_count(expected); i++) {
        note(&difference, fabs(found.v[i] - expected.v[i]));
        largest = fmax(largest, fabs(expected.v[i]));
    }
    note(&v->value, difference / (largest + 1e-30));
    v->count++;
}

typedef double loss_fn(void *context);

/* `gradient` of the loss with respect to x [count] against central differences along random directions of +-1, which
   involve every value: the error over the gradient's length, which is how large such a difference is on average. Where one
   direction fails, a second may: an lrelu whose kink lies within the step spoils one now and then. */
static inline void compare_gradient(verdict *v, double *x, const double *gradient, int count, loss_fn *loss,
                                    void *context) {
    const double step = v->step;
    const size_t heap_before = heap_used;
    double *start = take((size_t)count), *direction = take((size_t)count), length = 0;
    const size_t heap_inside = heap_used;
    memcpy(start, x, (size_t)count * sizeof *x);
    for (int i = 0; i < count; i++) length += gradient[i] * gradient[i];
    double best = INFINITY;
    for (int trial = 0; trial < 2 && !(best <= TOLERANCE); trial++) {
        double expected = 0, found = 0;
        for (int i = 0; i < count; i++) {
            direction[i] = random_uniform(7, draws++) < 0.5 ? -1 : 1;
            found += direction[i] * gradient[i];
        }
        for (int sign = -1; sign <= 1; sign += 2) {
            for (int i = 0; i < count; i++) x[i] = start[i] + sign * step * direction[i];
            expected += sign * loss(context) / (2 * step);
            heap_used = heap_inside;
        }
        best = fmin(best, fabs(found - expected) / fmax(sqrt(length), v->floor));
    }
    note(&v->gradient, best);
    memcpy(x, start, (size_t)count * sizeof *x);
    heap_used = heap_before;
}

static inline void report(const engine *e, const char *name, verdict v) {
    test_check(v.count && v.value <= 2e-5 && v.gradient <= TOLERANCE,
               "train %2d lanes%s, %s: values %.1e, gradients %.1e in %d cases", e->lanes,
               e->mixed ? ", matrix units" : "", name, v.value, v.gradient, v.count);
    heap_used = 0;
}

static inline void copy_doubles(double *to, const float *from, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = (double)from[i];
}

#endif
