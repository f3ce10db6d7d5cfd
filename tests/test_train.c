/* test_train.c - the trainer: every operator and both whole networks against plain double-precision references and their
 * central differences; training runs that must agree to the bit; the exported network in stylegan.h. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "sgt.h"
#include "../tools/base/cli.h"
#include "../tools/grad/modulate.h"
#include "../tools/train/training.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>

static const double TOLERANCE = 1e-3; /* of gradients */

/* --- Random numbers, and double memory that lives until the next check --- */

static uint64_t draws;

static double draw(void) { /* about normal, deviation 1 */
    double sum = 0;
    for (int i = 0; i < 12; i++) sum += random_uniform(99, draws++);
    return sum - 6;
}

static double *heap;
static size_t heap_used;
enum { HEAP = 1 << 23 };

static double *take(size_t count) {
    if (heap_used + count > HEAP) cli_fail("test_train: out of memory");
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

static plain plain_new(int channels, int size) {
    return (plain){channels, size, take((size_t)(SHARD * channels * size * size))};
}

static int plain_count(plain x) {
    return SHARD * x.c * x.s * x.s;
}

static double *at(plain x, int n, int c, int y, int column) {
    return &x.v[((n * x.c + c) * x.s + y) * x.s + column];
}

static double value_at(plain x, int n, int c, int y, int column) {
    return y < 0 || y >= x.s || column < 0 || column >= x.s ? 0 : *at(x, n, c, y, column);
}

/* Loops over every element of a plain tensor. */
#define EACH(x)                                   \
    for (int n = 0; n < SHARD; n++)               \
        for (int c = 0; c < (x).c; c++)           \
            for (int row = 0; row < (x).s; row++) \
                for (int column = 0; column < (x).s; column++)

static plain random_plain(int channels, int size) {
    plain x = plain_new(channels, size);
    for (int i = 0; i < plain_count(x); i++) x.v[i] = (double)(float)draw();
    return x;
}

/* w [k * k][I][stride] times gain */
static plain ref_conv(plain x, const double *w, int kernel, int out, int stride, double gain) {
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

static plain ref_up(plain x) {
    plain y = plain_new(x.c, 2 * x.s);
    EACH(y) * at(y, n, c, row, column) = *at(x, n, c, row / 2, column / 2);
    return y;
}

/* `rim` pixels of zeros around it, or, negative, taken away. */
static plain ref_pad(plain x, int rim) {
    plain y = plain_new(x.c, x.s + 2 * rim);
    EACH(y) * at(y, n, c, row, column) = value_at(x, n, c, row - rim, column - rim);
    return y;
}

static plain ref_pool(plain x) {
    plain y = plain_new(x.c, x.s / 2);
    EACH(y)
    for (int i = 0; i < 4; i++) *at(y, n, c, row, column) += *at(x, n, c, 2 * row + i / 2, 2 * column + i % 2) / 4;
    return y;
}

static plain ref_blur(plain x) {
    plain y = plain_new(x.c, x.s);
    static const double taps[3] = {0.25, 0.5, 0.25};
    EACH(y)
    for (int i = 0; i < 9; i++)
        *at(y, n, c, row, column) += taps[i / 3] * taps[i % 3] * value_at(x, n, c, row + i / 3 - 1, column + i % 3 - 1);
    return y;
}

static plain ref_lerp(plain a, plain b, double t) {
    plain y = plain_new(a.c, a.s);
    for (int i = 0; i < plain_count(y); i++) y.v[i] = a.v[i] + t * (b.v[i] - a.v[i]);
    return y;
}

/* The least distance of any lrelu's input from its kink, where it has no slope and float32 may be on the other side. */
static double nearest_kink;

static void ref_activate(plain x, const double *bias, double gain, double slope) {
    EACH(x) {
        double *v = at(x, n, c, row, column);
        *v += gain * bias[c];
        if (slope < 1) nearest_kink = fmin(nearest_kink, fabs(*v));
        if (*v < 0) *v *= slope;
    }
}

static plain ref_adain(plain a, plain style, int half) {
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

static plain ref_stddev(plain x) {
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

static plain ref_pixel_norm(plain x) {
    plain y = plain_new(x.c, 1);
    for (int n = 0; n < SHARD; n++) {
        double square = 0;
        for (int c = 0; c < x.c; c++) square += pow(x.v[n * x.c + c], 2) / x.c;
        for (int c = 0; c < x.c; c++) y.v[n * x.c + c] = x.v[n * x.c + c] / sqrt(square + 1e-8);
    }
    return y;
}

static double dot(plain a, plain b) {
    double sum = 0;
    for (int i = 0; i < plain_count(a); i++) sum += a.v[i] * b.v[i];
    return sum;
}

/* --- Between plain tensors and maps --- */

static void to_map(plain x, const map *m) {
    EACH(x) m->data[map_at(m, c, row, column, n)] = (float)*at(x, n, c, row, column);
}

static plain from_map(const map *m) {
    plain x = plain_new(m->channels, m->size);
    EACH(x) * at(x, n, c, row, column) = (double)m->data[map_at(m, c, row, column, n)];
    return x;
}

/* Pixel (row, column) of a map of 2S x 2S in its four planes; -1 and 2S lie in their borders. */
static float *plane_pixel(const map *planes, int n, int c, int row, int column) {
    const map one = {planes->data, planes->channels, planes->size, 1, planes->lanes, planes->images};
    const int odd_row = row & 1, odd_column = column & 1;
    const ptrdiff_t plane = map_row(planes, 2 * odd_row + odd_column, 0, 0) - map_row(planes, 0, 0, 0);
    return planes->data + plane + map_at(&one, c, (row - odd_row) / 2, (column - odd_column) / 2, n);
}

/* A plain tensor of 2S x 2S, or of two pixels more with those beyond. */
static void to_planes(plain x, const map *m) {
    const int beyond = x.s / 2 - m->size;
    EACH(x) * plane_pixel(m, n, c, row - beyond, column - beyond) = (float)*at(x, n, c, row, column);
}

static plain from_planes(const map *m) {
    plain x = plain_new(m->channels, 2 * m->size);
    EACH(x) * at(x, n, c, row, column) = (double)*plane_pixel(m, n, c, row, column);
    return x;
}

static plain from_planes_and_beyond(const map *m) {
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

static void note(double *worst, double error) {
    if (!(error <= *worst)) *worst = error == error ? error : INFINITY;
}

/* The largest difference over the largest value. */
static void compare(verdict *v, plain found, plain expected) {
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
   involve every value: the error over the gradient's length, which is how large such a difference is on average. The
   better of two directions counts: an lrelu whose kink lies within the step spoils one now and then. */
static void compare_gradient(verdict *v, double *x, const double *gradient, int count, loss_fn *loss, void *context) {
    const double step = v->step;
    const size_t heap_before = heap_used;
    double *start = take((size_t)count), *direction = take((size_t)count), length = 0;
    const size_t heap_inside = heap_used;
    memcpy(start, x, (size_t)count * sizeof *x);
    for (int i = 0; i < count; i++) length += gradient[i] * gradient[i];
    double best = INFINITY;
    for (int trial = 0; trial < 2; trial++) {
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

static void report(const engine *e, const char *name, verdict v) {
    test_check(v.count && v.value <= 2e-5 && v.gradient <= TOLERANCE,
               "train %2d lanes, %s: values %.1e, gradients %.1e in %d cases", e->lanes, name, v.value, v.gradient,
               v.count);
    heap_used = 0;
}

static void copy_doubles(double *to, const float *from, size_t count) {
    for (size_t i = 0; i < count; i++) to[i] = (double)from[i];
}

/* --- Convolutions --- */

typedef struct conv_case {
    convolution_kind kind;
    int kernel, in, out, size;
    double gain;
    plain x, r; /* the loss is r . y */
    double *w;
} conv_case;

static plain conv_reference(const conv_case *k) {
    const int stride = (k->out + COLUMNS - 1) / COLUMNS * COLUMNS;
    plain x = k->kind == CONVOLUTION_UP || k->kind == CONVOLUTION_SPREAD ? ref_up(k->x) : k->x;
    if (k->kind == CONVOLUTION_SPREAD) x = ref_pad(x, 1);
    const plain y = ref_conv(x, k->w, k->kernel, k->out, stride, k->gain);
    return k->kind == CONVOLUTION_DOWN ? ref_pool(y) : y;
}

static double conv_loss(void *context) {
    const conv_case *k = context;
    return dot(k->r, conv_reference(k));
}

static void check_convolution(const engine *e, convolution_kind kind, int kernel, int in, int out, int size,
                              verdict *v) {
    arena a = {NULL, 0, NULL};
    convolution c;
    convolution_scratch s;
    map x, y, dx;
    float *w, *d_w;
    const double gain = 0.37;
    const int beyond = kind == CONVOLUTION_SPREAD, up = kind == CONVOLUTION_UP || beyond;
    const int down = kind == CONVOLUTION_DOWN;
    for (int pass = 0; pass < 2; pass++) {
        c = convolution_take(&a, e, kind, kernel, in, out, size, gain);
        x = map_take(&a, e, in, size, down ? 4 : 1);
        y = map_take(&a, e, out, size, up ? 4 : 1);
        dx = map_take(&a, e, in, size, down ? 4 : 1);
        w = arena_take(&a, convolution_weights(&c));
        d_w = arena_take(&a, convolution_weights(&c));
        if (!pass) memset(&s, 0, sizeof s);
        convolution_scratch_fit(&s, &c);
        convolution_scratch_take(&a, &s);
        if (!pass) arena_allocate(&a);
    }
    const int count = (int)convolution_weights(&c), stride = count / (kernel * kernel * in);
    conv_case k = {kind,
                   kernel,
                   in,
                   out,
                   size,
                   (double)c.gain,
                   random_plain(in, down ? 2 * size : size),
                   random_plain(out, up ? 2 * (size + beyond) : size),
                   take((size_t)count)};
    for (int i = 0; i < count; i++) w[i] = i % stride < out ? (float)draw() : 0;
    copy_doubles(k.w, w, (size_t)count);
    convolution_prepare(&c, w, &s);
    (down ? to_planes : to_map)(k.x, &x);
    convolution_forward(&c, &x, &y, NULL, &s);
    compare(v, (beyond ? from_planes_and_beyond : up ? from_planes : from_map)(&y), conv_reference(&k));

    (up ? to_planes : to_map)(k.r, &y);
    convolution_backward(&c, &y, &dx, NULL, &s);
    compare_gradient(v, k.x.v, (down ? from_planes : from_map)(&dx).v, plain_count(k.x), conv_loss, &k);
    convolution_gradient(&c, &x, &y, d_w, &s);
    double *gradient = take((size_t)count);
    for (int i = 0; i < count; i++) gradient[i] = (double)(d_w[i] * c.gain);
    compare_gradient(v, k.w, gradient, count, conv_loss, &k);
    arena_free(&a);
    heap_used = 0;
}

static void check_convolutions(const engine *e) {
    static const int channels[][2] = {{1, 3}, {3, 1}, {5, 17}, {16, 16}, {33, 40}, {18, 7}};
    static const struct {
        const char *name;
        convolution_kind kind;
        int kernel, sizes[6];
    } kinds[] = {{"3x3 convolution", CONVOLUTION_SAME, 3, {1, 12, 4, 5, 8, 19}},
                 {"1x1 convolution", CONVOLUTION_SAME, 1, {1, 4, 7, 8, 17, 2}},
                 {"up-sampling convolution", CONVOLUTION_UP, 3, {1, 8, 4, 5, 2, 12}},
                 {"spreading convolution", CONVOLUTION_SPREAD, 3, {1, 8, 4, 5, 2, 12}},
                 {"down-sampling convolution", CONVOLUTION_DOWN, 3, {1, 8, 4, 5, 2, 12}}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        verdict v = none;
        for (int j = 0; j < 6; j++)
            check_convolution(e, kinds[i].kind, kinds[i].kernel, channels[j][0], channels[j][1], kinds[i].sizes[j], &v);
        report(e, kinds[i].name, v);
    }
}

/* --- What lies between them --- */

typedef struct unary_case {
    plain x, r;
    plain (*reference)(plain x);
} unary_case;

static double unary_loss(void *context) {
    const unary_case *k = context;
    return dot(k->r, k->reference(k->x));
}

static plain ref_blur_within(plain x) {
    return ref_pad(ref_blur(x), -1);
}

static void check_blur(const engine *e) {
    verdict v = none;
    for (int size = 1; size <= 9; size += 2) {
        arena a = {NULL, 0, NULL};
        map whole, planes;
        float *row;
        for (int pass = 0; pass < 2; pass++) {
            whole = map_take(&a, e, 5 + size, 2 * size, 1);
            planes = map_take(&a, e, 5 + size, size, 4);
            row = arena_take(&a, blur_row_floats(&whole));
            if (!pass) arena_allocate(&a);
        }
        unary_case k = {random_plain(5 + size, 2 * size), random_plain(5 + size, 2 * size), ref_blur};
        to_map(k.x, &whole);
        blur_split(e, &whole, &planes, 0, row);
        compare(&v, from_planes(&planes), ref_blur(k.x));
        to_planes(k.r, &planes);
        blur_join(e, &planes, &whole, NULL, row); /* the adjoint */
        compare(&v, from_map(&whole), ref_blur(k.r));
        compare_gradient(&v, k.x.v, from_map(&whole).v, plain_count(k.x), unary_loss, &k);

        k = (unary_case){random_plain(5 + size, 2 * size + 2), random_plain(5 + size, 2 * size), ref_blur_within};
        to_planes(k.x, &planes);
        blur_join(e, &planes, &whole, NULL, row);
        compare(&v, from_map(&whole), ref_blur_within(k.x));
        to_map(k.r, &whole);
        blur_split(e, &whole, &planes, 1, row);
        compare_gradient(&v, k.x.v, from_planes_and_beyond(&planes).v, plain_count(k.x), unary_loss, &k);
        arena_free(&a);
    }
    report(e, "blur", v);
}

static void check_pooling(const engine *e) {
    verdict v = none;
    for (int size = 1; size <= 5; size += 2) {
        arena a = {NULL, 0, NULL};
        map large, small;
        for (int pass = 0; pass < 2; pass++) {
            large = map_take(&a, e, 3 * size, 2 * size, 1);
            small = map_take(&a, e, 3 * size, size, 1);
            if (!pass) arena_allocate(&a);
        }
        unary_case k = {random_plain(3 * size, 2 * size), random_plain(3 * size, size), ref_pool};
        to_map(k.x, &large);
        map_pool(e, &large, &small, 0.25f);
        compare(&v, from_map(&small), ref_pool(k.x));
        to_map(k.r, &small);
        map_unpool(e, &small, &large, 0, 0.25f);
        compare_gradient(&v, k.x.v, from_map(&large).v, plain_count(k.x), unary_loss, &k);

        k = (unary_case){random_plain(3 * size, size), random_plain(3 * size, 2 * size), ref_up};
        to_map(k.x, &small);
        map_unpool(e, &small, &large, 0, 1);
        compare(&v, from_map(&large), ref_up(k.x));
        to_map(k.r, &large);
        map_pool(e, &large, &small, 1);
        compare_gradient(&v, k.x.v, from_map(&small).v, plain_count(k.x), unary_loss, &k);
        arena_free(&a);
    }
    report(e, "pooling and up-sampling", v);
}

static void check_pixel_norm(const engine *e) {
    verdict v = none;
    for (int width = 1; width <= 41; width += 8) {
        arena a = {NULL, 0, NULL};
        map x, y, dx;
        float factor[SHARD];
        for (int pass = 0; pass < 2; pass++) {
            x = map_take(&a, e, width, 1, 1);
            y = map_take(&a, e, width, 1, 1);
            dx = map_take(&a, e, width, 1, 1);
            if (!pass) arena_allocate(&a);
        }
        unary_case k = {random_plain(width, 1), random_plain(width, 1), ref_pixel_norm};
        to_map(k.x, &x);
        pixel_norm_forward(&x, &y, factor);
        compare(&v, from_map(&y), ref_pixel_norm(k.x));
        to_map(k.r, &x);
        pixel_norm_backward(&y, factor, &x, &dx);
        if (width > 1) compare_gradient(&v, k.x.v, from_map(&dx).v, plain_count(k.x), unary_loss, &k);
        arena_free(&a);
    }
    report(e, "pixel norm", v);
}

/* ds . u: the derivative of r . stddev(x) along t, whose gradient with respect to x is the second derivative. */
typedef struct stddev_case {
    plain x, t, r;
} stddev_case;

static double stddev_along(void *context) {
    const stddev_case *k = context;
    const double step = 1e-4;
    plain moved = plain_new(k->x.c, k->x.s);
    double sum = 0;
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int i = 0; i < plain_count(moved); i++) moved.v[i] = k->x.v[i] + sign * step * k->t.v[i];
        sum += sign * dot(k->r, ref_stddev(moved)) / (2 * step);
    }
    return sum;
}

static void check_stddev(const engine *e) {
    verdict v = none;
    for (int channels = 1; channels <= 33; channels += 8) {
        arena a = {NULL, 0, NULL};
        const int size = channels % 4 + 3;
        map x, y, t, u, dx;
        for (int pass = 0; pass < 2; pass++) {
            x = map_take(&a, e, channels, size, 1);
            t = map_take(&a, e, channels, size, 1);
            dx = map_take(&a, e, channels, size, 1);
            y = map_take(&a, e, channels + 1, size, 1);
            u = map_take(&a, e, channels + 1, size, 1);
            if (!pass) arena_allocate(&a);
        }
        unary_case k = {random_plain(channels, size), random_plain(channels + 1, size), ref_stddev};
        to_map(k.x, &x);
        v.step = none.step;
        stddev_forward(&x, &y);
        compare(&v, from_map(&y), ref_stddev(k.x));
        to_map(k.r, &y);
        stddev_backward(&x, &y, &dx);
        compare_gradient(&v, k.x.v, from_map(&dx).v, plain_count(k.x), unary_loss, &k);

        stddev_case second = {k.x, random_plain(channels, size), k.r};
        to_map(second.t, &t);
        stddev_tangent(&x, &t, &u);
        const double along = stddev_along(&second);
        note(&v.gradient, fabs(dot(k.r, from_map(&u)) - along) / (fabs(along) + 1));
        map_clear(&dx);
        stddev_second(&x, &t, &y, &dx);
        v.step = 1e-4;
        compare_gradient(&v, second.x.v, from_map(&dx).v, plain_count(k.x), stddev_along, &second);
        arena_free(&a);
    }
    report(e, "minibatch standard deviation", v);
}

typedef struct adain_case {
    plain x, style, r, noise; /* noise [N][1][S][S] */
    double *bias, *strength;
    int half;
} adain_case;

static plain ref_epilogue(plain x, plain noise, const double *strength, const double *bias) {
    plain y = plain_new(x.c, x.s);
    EACH(y) * at(y, n, c, row, column) = *at(x, n, c, row, column) + strength[c] * *at(noise, n, 0, row, column);
    ref_activate(y, bias, 1, 0.2);
    return y;
}

static plain adain_reference(const adain_case *k) {
    return ref_adain(ref_epilogue(k->x, k->noise, k->strength, k->bias), k->style, k->half);
}

static double adain_loss(void *context) {
    const adain_case *k = context;
    return dot(k->r, adain_reference(k));
}

static void check_adain(const engine *e) {
    verdict v = none;
    for (int channels = 1; channels <= 40; channels += 13) {
        arena a = {NULL, 0, NULL};
        const int size = channels % 8 + 3, half = (channels + COLUMNS - 1) / COLUMNS * COLUMNS;
        map x, style, y, dy, d_style;
        adain norm;
        float *noise, *bias, *strength, *d_bias, *d_strength;
        for (int pass = 0; pass < 2; pass++) {
            x = map_take(&a, e, channels, size, 1);
            y = map_take(&a, e, channels, size, 1);
            dy = map_take(&a, e, channels, size, 1);
            style = map_take(&a, e, 2 * half, 1, 1);
            d_style = map_take(&a, e, 2 * half, 1, 1);
            norm = adain_take(&a, e, channels);
            noise = arena_take(&a, (size_t)(size * size * SHARD));
            bias = arena_take(&a, (size_t)half);
            strength = arena_take(&a, (size_t)half);
            d_bias = arena_take(&a, (size_t)half);
            d_strength = arena_take(&a, (size_t)half);
            if (!pass) arena_allocate(&a);
        }
        adain_case k = {random_plain(channels, size),
                        random_plain(2 * half, 1),
                        random_plain(channels, size),
                        random_plain(1, size),
                        take((size_t)channels),
                        take((size_t)channels),
                        half};
        for (int i = 0; i < channels; i++) {
            k.bias[i] = (double)(bias[i] = (float)(0.5 * draw()));
            k.strength[i] = (double)(strength[i] = (float)draw());
        }
        for (int i = 0; i < size * size * SHARD; i++) noise[i] = (float)k.noise.v[i % SHARD * size * size + i / SHARD];
        EACH(k.style) if (c % half >= channels) * at(k.style, n, c, row, column) = 0;
        to_map(k.x, &x);
        to_map(k.style, &style);
        to_map(k.r, &dy);
        const epilogue p = {e, noise, strength, bias, &norm};
        const finish f = finish_epilogue(&p);
        epilogue_reset(&p, channels);
        map_finish(&x, &f);
        adain_forward(e, &norm, &x, &style, &y);
        compare(&v, from_map(&y), adain_reference(&k));
        adain_backward(e, &norm, &x, &style, &dy, &d_style, noise, d_bias, d_strength);
        double *gradient = take((size_t)(2 * channels));
        copy_doubles(gradient, d_bias, (size_t)channels);
        copy_doubles(gradient + channels, d_strength, (size_t)channels);
        compare_gradient(&v, k.x.v, from_map(&dy).v, plain_count(k.x), adain_loss, &k);
        compare_gradient(&v, k.style.v, from_map(&d_style).v, plain_count(k.style), adain_loss, &k);
        compare_gradient(&v, k.bias, gradient, channels, adain_loss, &k);
        compare_gradient(&v, k.strength, gradient + channels, channels, adain_loss, &k);
        arena_free(&a);
        heap_used = 0;
    }
    report(e, "noise, bias, lrelu and AdaIN", v);
}

/* --- A layer of StyleGAN 2: every image with weights of its own, modulated and demodulated --- */

typedef struct modulated_case {
    plain x, style, r, noise; /* style [N][I], noise [N][1][S][S] */
    double *w, *bias, *strength, gain;
    int kernel, stride;
} modulated_case;

/* conv of image n by gain * w * style / sqrt(sum over inputs and taps of the square + 1e-8) */
static plain ref_modulated(plain x, plain style, const double *w, int kernel, int out, int stride, double gain,
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

static plain ref_noise_and_lrelu(plain x, plain noise, const double *strength, const double *bias) {
    plain y = plain_new(x.c, x.s);
    EACH(y)
    *at(y, n, c, row, column) = sqrt(2) * *at(x, n, c, row, column) + strength[c] * *at(noise, n, 0, row, column);
    ref_activate(y, bias, 1, 0.2);
    return y;
}

static plain modulated_reference(const modulated_case *k) {
    return ref_noise_and_lrelu(ref_modulated(k->x, k->style, k->w, k->kernel, k->r.c, k->stride, k->gain, 1), k->noise,
                               k->strength, k->bias);
}

static double modulated_loss(void *context) {
    const modulated_case *k = context;
    return dot(k->r, modulated_reference(k));
}

static void check_modulated(const engine *e) {
    static const int cases[][4] = {{3, 2, 3, 4}, {1, 5, 17, 8}, {3, 17, 5, 8}, {3, 16, 33, 5}}; /* kernel, I, O, S */
    verdict v = none;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int kernel = cases[i][0], in = cases[i][1], out = cases[i][2], size = cases[i][3];
        arena a = {NULL, 0, NULL};
        convolution conv;
        convolution_scratch s;
        map x, modulated, style, d_style, scale, d_scale, y, dy, dx;
        float *w, *d_w, *energy, *d_energy, *noise, *bias, *strength, *d_bias, *d_strength;
        for (int pass = 0; pass < 2; pass++) {
            conv = convolution_take(&a, e, CONVOLUTION_SAME, kernel, in, out, size, 0.37);
            x = map_take(&a, e, in, size, 1);
            modulated = map_take(&a, e, in, size, 1);
            dx = map_take(&a, e, in, size, 1);
            y = map_take(&a, e, out, size, 1);
            dy = map_take(&a, e, out, size, 1);
            style = map_take(&a, e, in, 1, 1);
            d_style = map_take(&a, e, in, 1, 1);
            scale = map_take(&a, e, out, 1, 1);
            d_scale = map_take(&a, e, out, 1, 1);
            w = arena_take(&a, convolution_weights(&conv));
            d_w = arena_take(&a, convolution_weights(&conv));
            energy = arena_take(&a, energy_floats(&conv));
            d_energy = arena_take(&a, energy_floats(&conv));
            noise = arena_take(&a, (size_t)(size * size * SHARD));
            float **const rows[] = {&bias, &strength, &d_bias, &d_strength};
            for (int r = 0; r < 4; r++) *rows[r] = arena_take(&a, (size_t)padded(out));
            if (!pass) memset(&s, 0, sizeof s);
            convolution_scratch_fit(&s, &conv);
            convolution_scratch_take(&a, &s);
            if (!pass) arena_allocate(&a);
        }
        const int count = (int)convolution_weights(&conv), stride = padded(out);
        modulated_case k = {random_plain(in, size),
                            random_plain(in, 1),
                            random_plain(out, size),
                            random_plain(1, size),
                            take((size_t)count),
                            take((size_t)out),
                            take((size_t)out),
                            (double)conv.gain,
                            kernel,
                            stride};
        for (int j = 0; j < count; j++) w[j] = j % stride < out ? (float)draw() : 0;
        for (int j = 0; j < out; j++) {
            bias[j] = (float)(0.5 * draw());
            strength[j] = (float)draw();
        }
        copy_doubles(k.w, w, (size_t)count);
        copy_doubles(k.bias, bias, (size_t)out);
        copy_doubles(k.strength, strength, (size_t)out);
        for (int j = 0; j < size * size * SHARD; j++) noise[j] = (float)k.noise.v[j % SHARD * size * size + j / SHARD];
        to_map(k.x, &x);
        to_map(k.style, &style);
        to_map(k.r, &dy);
        const demodulate end = {e, &scale, noise, strength, bias, INFINITY};
        const finish f = finish_demodulate(&end);
        convolution_prepare(&conv, w, &s);
        energy_prepare(&conv, w, energy);
        modulate(e, &x, &style, &modulated);
        demodulation(&style, energy, sqrt(2), &scale);
        convolution_forward(&conv, &modulated, &y, &f, &s);
        compare(&v, from_map(&y), modulated_reference(&k));

        demodulate_gradient(&end, &y, &dy, &d_scale, d_bias, d_strength);
        convolution_gradient(&conv, &modulated, &dy, d_w, &s);
        convolution_backward(&conv, &dy, &dx, NULL, &s);
        modulate_gradient(e, &x, &style, &dx, &d_style);
        demodulation_gradient(&conv, &style, w, energy, sqrt(2), &scale, &d_scale, &d_style, d_w, d_energy);
        double *gradient = take((size_t)(count + 2 * out)), *rest = gradient + count;
        for (int j = 0; j < count; j++) gradient[j] = (double)(d_w[j] * conv.gain);
        copy_doubles(rest, d_bias, (size_t)out);
        copy_doubles(rest + out, d_strength, (size_t)out);
        compare_gradient(&v, k.x.v, from_map(&dx).v, plain_count(k.x), modulated_loss, &k);
        compare_gradient(&v, k.style.v, from_map(&d_style).v, plain_count(k.style), modulated_loss, &k);
        compare_gradient(&v, k.w, gradient, count, modulated_loss, &k);
        compare_gradient(&v, k.bias, rest, out, modulated_loss, &k);
        compare_gradient(&v, k.strength, rest + out, out, modulated_loss, &k);
        arena_free(&a);
        heap_used = 0;
    }
    report(e, "modulation, demodulation, noise, bias and lrelu", v);
}

/* --- Whole networks --- */

static const trainer_config small = {.shape = {.resolution = 16,
                                               .channels = 3,
                                               .z_dim = 5,
                                               .w_dim = 6,
                                               .label_size = 3,
                                               .mapping_layers = 2,
                                               .fmap_base = 80,
                                               .fmap_max = 9,
                                               .d_fmap_base = 96,
                                               .d_fmap_max = 11,
                                               .mapping_rate = 0.1},
                                     .start_resolution = 8,
                                     .batch = 4,
                                     .g_rate = 0.003,
                                     .d_rate = 0.003,
                                     .r1_gamma = 1,
                                     .r1_interval = 1,
                                     .mixing = 0.9,
                                     .ema_kimg = 1,
                                     .ema_ramp = 1,
                                     .w_avg_beta = 0.9,
                                     .fade_kimg = 1,
                                     .stable_kimg = 1,
                                     .total_kimg = 4,
                                     .mirror = 1,
                                     .seed = 5};

/* Parameters of both networks in double; [floats] as the network has them. */
typedef struct reference {
    const trainer *t;
    double *g, *d;
    growth growth;
    plain image, logits_weight; /* of D; the loss is their product, or R1 of it */
    plain z[2], image_weight;   /* of G */
    const float *labels;
    plain noise[MOST_LEVELS][2];
    plain direction; /* v of R1 */
    double factor;
} reference;

static plain ref_linear(const network *net, const double *theta, const linear *l, plain x, int activate) {
    const parameter *weight = &net->parameters[l->weight], *bias = &net->parameters[l->bias];
    const int stride = (weight->groups * weight->columns + COLUMNS - 1) / COLUMNS * COLUMNS;
    const int columns = l->c.out, row = weight->groups > 1 ? columns : stride;
    plain y = ref_conv(l->c.kind == CONVOLUTION_UP ? ref_up(x) : x, theta + weight->offset, l->c.kernel, columns, row,
                       (double)weight->gain);
    if (l->c.kind == CONVOLUTION_DOWN) y = ref_pool(y);
    if (activate) ref_activate(y, theta + bias->offset, (double)bias->gain, activate > 1 ? 1 : 0.2);
    return y;
}

enum { RAW, LRELU, LINEAR };

static const double MARGIN = 1e-5;

/* A layer of D, and its derivative: along *t, unless that is empty, which becomes the output's. */
static plain d_layer(const reference *r, const linear *l, plain x, plain *t) {
    const plain y = ref_linear(&r->t->d.net, r->d, l, x, LRELU);
    if (!t->v) return y;
    *t = ref_linear(&r->t->d.net, r->d, l, *t, RAW);
    for (int i = 0; i < plain_count(y); i++) t->v[i] *= y.v[i] < 0 ? 0.2 : 1;
    return y;
}

static plain d_stddev(plain x, plain *t) {
    const double step = 1e-4;
    const plain y = ref_stddev(x);
    if (!t->v) return y;
    plain moved[2], u = plain_new(y.c, y.s);
    for (int k = 0; k < 2; k++) {
        moved[k] = plain_new(x.c, x.s);
        for (int i = 0; i < plain_count(x); i++) moved[k].v[i] = x.v[i] + (k ? step : -step) * t->v[i];
        moved[k] = ref_stddev(moved[k]);
    }
    for (int i = 0; i < plain_count(y); i++) u.v[i] = (moved[1].v[i] - moved[0].v[i]) / (2 * step);
    *t = u;
    return y;
}

static plain flattened(plain x) {
    plain flat = plain_new(16 * x.c, 1);
    EACH(x) * at(flat, n, (row * 4 + column) * x.c + c, 0, 0) = *at(x, n, c, row, column);
    return flat;
}

static plain ref_add(plain a, plain b, double factor) {
    plain y = plain_new(a.c, a.s);
    for (int i = 0; i < plain_count(y); i++) y.v[i] = factor * (a.v[i] + b.v[i]);
    return y;
}

/* The logits, and their derivative along *t if that is not empty. */
static plain d_reference(const reference *r, plain *t) {
    const discriminator *d = &r->t->d;
    const int top = r->growth.top;
    plain small_t = t->v ? ref_pool(*t) : *t;
    plain x = d_layer(r, d->from_rgb[top], r->image, t);
    for (int l = top; l > 0; l--) {
        const plain input = x, input_t = *t;
        x = d_layer(r, d->conv0[l], x, t);
        if (t->v) *t = ref_blur(*t);
        x = d_layer(r, d->conv1[l], ref_blur(x), t);
        if (d->residual) { /* (x + skip) / sqrt(2) */
            x = ref_add(x, ref_linear(&d->net, r->d, d->skip[l], ref_pool(input), LINEAR), sqrt(0.5));
            if (t->v) *t = ref_add(*t, ref_linear(&d->net, r->d, d->skip[l], ref_pool(input_t), RAW), sqrt(0.5));
        }
        if (l < top || r->growth.fade == 1) continue;
        x = ref_lerp(d_layer(r, d->from_rgb[l - 1], ref_pool(r->image), &small_t), x, (double)r->growth.fade);
        if (t->v) *t = ref_lerp(small_t, *t, (double)r->growth.fade);
    }
    x = d_layer(r, d->conv, d_stddev(x, t), t);
    if (t->v) *t = flattened(*t);
    x = d_layer(r, d->dense0, flattened(x), t);
    if (t->v) *t = ref_linear(&d->net, r->d, d->dense1, *t, RAW);
    return ref_linear(&d->net, r->d, d->dense1, x, LINEAR);
}

static double d_loss(void *context) {
    const reference *r = context;
    plain none_of_it = {0, 0, NULL};
    return dot(r->logits_weight, d_reference(r, &none_of_it));
}

/* R1 from its definition: every component of D's gradient by a central difference. */
static double r1_loss(void *context) {
    const reference *r = context;
    const double step = 1e-5;
    double sum = 0;
    const size_t before = heap_used;
    for (int i = 0; i < plain_count(r->image); i++) {
        const double value = r->image.v[i];
        r->image.v[i] = value + step;
        const double above = d_loss(context);
        r->image.v[i] = value - step;
        const double below = d_loss(context);
        r->image.v[i] = value;
        sum += pow((above - below) / (2 * step), 2);
        heap_used = before;
    }
    return r->factor / 2 * sum;
}

/* v . dD/dx: its gradient is R1's where v = factor * dD/dx is held. */
static double along_loss(void *context) {
    const reference *r = context;
    plain t = r->direction;
    d_reference(r, &t);
    return dot(r->logits_weight, t);
}

/* Both w [N][D]. */
static void ref_mapping(const reference *r, plain *w) {
    const generator *g = &r->t->g;
    const network *net = &g->net;
    const double *theta = r->g;
    for (int i = 0; i < 2; i++) {
        plain input = plain_new(2 * g->z_dim, 1);
        for (int n = 0; n < SHARD; n++)
            for (int c = 0; c < g->z_dim; c++) {
                *at(input, n, c, 0, 0) = *at(r->z[i], n, c, 0, 0);
                for (int k = 0; k < g->labels; k++)
                    *at(input, n, g->z_dim + c, 0, 0) +=
                        (double)r->labels[n * g->labels + k] *
                        theta[net->parameters[g->embed].offset + (size_t)(k * COLUMNS + c)];
            }
        w[i] = ref_pixel_norm(input);
        for (int m = 0; m < g->mapping_layers; m++) w[i] = ref_linear(net, theta, g->mapping[m], w[i], LRELU);
    }
}

static plain ref_constant(const reference *r) {
    const generator *g = &r->t->g;
    plain x = plain_new(g->channels[0], 4);
    EACH(x)
    *at(x, n, c, row, column) =
        r->g[g->net.parameters[g->constant].offset + (size_t)((row * 4 + column) * COLUMNS + c)];
    return x;
}

/* A layer's style, where style `number` is the first to take the second latent for crossover = number. */
static plain ref_style(const reference *r, const plain *w, const g_layer *layer, int number, const int *crossover) {
    plain mixed = plain_new(r->t->g.w_dim, 1);
    EACH(mixed) * at(mixed, n, c, 0, 0) = *at(w[number >= crossover[n]], n, c, row, column);
    return ref_linear(&r->t->g.net, r->g, layer->affine, mixed, LINEAR);
}

static plain g_reference1(const reference *r, const plain *w, const int *crossover) {
    const generator *g = &r->t->g;
    const network *net = &g->net;
    const double *theta = r->g;
    plain x = {0, 0, NULL}, below = {0, 0, NULL};
    for (int level = 0; level <= r->growth.top; level++)
        for (int index = 0; index < 2; index++) {
            const g_layer *layer = &g->layer[level][index];
            const double *bias = theta + net->parameters[layer->bias].offset;
            const double *strength = theta + net->parameters[layer->strength].offset;
            if (layer->conv) {
                x = ref_linear(net, theta, layer->conv, x, RAW);
                if (!index) x = ref_blur(x);
            } else {
                x = ref_constant(r);
            }
            const plain style = ref_style(r, w, layer, 2 * level + index, crossover);
            x = ref_adain(ref_epilogue(x, r->noise[level][index], strength, bias), style, style.c / 2);
            if (level == r->growth.top - 1 && index && r->growth.fade < 1)
                below = ref_up(ref_linear(net, theta, g->to_rgb[level], x, LINEAR));
        }
    const plain image = ref_linear(net, theta, g->to_rgb[r->growth.top], x, LINEAR);
    return below.v ? ref_lerp(below, image, (double)r->growth.fade) : image;
}

static plain modulated_layer(const reference *r, const linear *l, plain x, plain style, int demodulated) {
    const parameter *weight = &r->t->g.net.parameters[l->weight];
    return ref_modulated(x, style, r->g + weight->offset, l->c.kernel, l->c.out, padded(l->c.out), (double)weight->gain,
                         demodulated);
}

static plain g_reference2(const reference *r, const plain *w, const int *crossover) {
    const generator *g = &r->t->g;
    const network *net = &g->net;
    plain x = ref_constant(r), image = {0, 0, NULL};
    for (int level = 0; level <= r->growth.top; level++)
        for (int index = level ? 0 : 1; index < 3; index++) {
            const g_layer *layer = &g->layer[level][index];
            const plain style = ref_style(r, w, layer, 2 * level + index - 1, crossover);
            const double *bias = r->g + net->parameters[layer->conv->bias].offset;
            if (index == 2) {
                plain rgb = modulated_layer(r, layer->conv, x, style, 0);
                ref_activate(rgb, bias, 1, 1);
                for (int i = 0; level == r->growth.top && i < plain_count(rgb); i++) rgb.v[i] *= (double)r->growth.fade;
                image = image.v ? ref_add(ref_blur(ref_up(image)), rgb, 1) : rgb;
                continue;
            }
            if (index) x = modulated_layer(r, layer->conv, x, style, 1);
            if (!index) x = ref_blur_within(modulated_layer(r, layer->conv, ref_pad(ref_up(x), 1), style, 1));
            x = ref_noise_and_lrelu(x, r->noise[level][index], r->g + net->parameters[layer->strength].offset, bias);
        }
    return image;
}

static plain g_reference(const reference *r, const int *crossover) {
    plain w[2];
    ref_mapping(r, w);
    return (r->t->config.shape.architecture == ARCHITECTURE_STYLEGAN2 ? g_reference2 : g_reference1)(r, w, crossover);
}

static double g_loss(void *context) {
    const reference *r = context;
    return dot(r->image_weight, g_reference(r, r->t->shards_of_batch[0].fakes.crossover));
}

/* Random values instead of the first ones, of which many are zero; no padding. */
static void shake(network *net) {
    for (int i = 0; i < net->count; i++) {
        const parameter *p = &net->parameters[i];
        const int stride = (p->columns + COLUMNS - 1) / COLUMNS * COLUMNS;
        float *value = network_value(net, i);
        for (size_t k = 0; k < network_floats(net, i); k++)
            if ((int)(k % (size_t)stride) < p->columns)
                value[k] += (float)((double)p->deviation * 0.5 + 0.3) * (float)draw();
    }
}

/* The gradient of the parameters themselves, gains included, of those that take part. Those with little share in it are
   measured by the whole. */
static double *used_gradient(const network *net, growth g, const float *gradient, verdict *v) {
    double *used = take(net->floats), square = 0;
    for (int i = 0; i < net->count; i++) {
        const parameter *p = &net->parameters[i];
        for (size_t k = p->offset; k < p->offset + network_floats(net, i) && network_active(p, g); k++) {
            used[k] = (double)(gradient[k] * p->gain);
            square += used[k] * used[k];
        }
    }
    v->floor = sqrt(square) / 30;
    return used;
}

/* Parameter by parameter. */
static void compare_parameters(verdict *v, const network *net, growth g, double *theta, const double *gradient,
                               loss_fn *loss, void *context) {
    for (int i = 0; i < net->count; i++) {
        const parameter *p = &net->parameters[i];
        if (!network_active(p, g)) continue;
        compare_gradient(v, theta + p->offset, gradient + p->offset, (int)network_floats(net, i), loss, context);
        v->count++;
    }
}

static trainer *small_trainer(network_architecture architecture, growth g) {
    trainer_config config = small;
    config.shape.architecture = (int)architecture;
    trainer *t = trainer_create(&config, 1);
    shake(&t->g.net);
    shake(&t->d.net);
    t->growth = g;
    for (int i = 0; i < t->g.net.linear_count; i++) network_prepare(&t->g.net, i, g, &t->desks[0].scratch.convolution);
    for (int i = 0; i < t->d.net.linear_count; i++) network_prepare(&t->d.net, i, g, &t->desks[0].scratch.convolution);
    return t;
}

static void check_discriminator(network_architecture architecture, growth g) {
    trainer *t = small_trainer(architecture, g);
    trainer_thread *desk = &t->desks[0];
    verdict v = none, r1 = none;
    r1.step = 1e-6;
    reference r = {.t = t, .d = take(t->d.net.floats), .growth = g, .logits_weight = random_plain(3, 1), .factor = 0.3};
    copy_doubles(r.d, t->d.net.values, t->d.net.floats);
    float *gradient = t->shards_of_batch[0].d_gradient;
    plain none_of_it = {0, 0, NULL};
    for (nearest_kink = 0; nearest_kink < MARGIN;) {
        r.image = random_plain(3, 4 << g.top);
        nearest_kink = INFINITY;
        d_reference(&r, &none_of_it);
    }
    to_map(r.image, &desk->real.level[g.top].image);
    discriminator_forward(&t->d, g, &desk->real, NULL, &desk->scratch);
    compare(&v, from_map(&desk->real.logits), d_reference(&r, &none_of_it));

    to_map(r.logits_weight, &desk->dx.logits);
    memset(gradient, 0, t->d.net.floats * sizeof *gradient);
    discriminator_backward(&t->d, g, &desk->real, &desk->dx, NULL, gradient, &desk->scratch);
    discriminator_gradient(&t->d, g, &desk->real, &desk->dx, gradient, &desk->scratch);
    const plain slope = from_map(&desk->dx.level[g.top].image);
    compare_gradient(&v, r.image.v, slope.v, plain_count(r.image), d_loss, &r);
    compare_parameters(&v, &t->d.net, g, r.d, used_gradient(&t->d.net, g, gradient, &v), d_loss, &r);

    /* R1 alone: its own part, then what goes down with a loss of zero */
    memset(gradient, 0, t->d.net.floats * sizeof *gradient);
    const double square = discriminator_r1(&t->d, g, &desk->real, &desk->dx, &desk->tangent, &desk->extra,
                                           (float)r.factor, gradient, &desk->scratch);
    map_clear(&desk->dx.logits);
    discriminator_backward(&t->d, g, &desk->real, &desk->dx, &desk->extra, gradient, &desk->scratch);
    discriminator_gradient(&t->d, g, &desk->real, &desk->dx, gradient, &desk->scratch);
    r.direction = plain_new(3, 4 << g.top);
    for (int i = 0; i < plain_count(r.image); i++) r.direction.v[i] = r.factor * slope.v[i];
    double *all = used_gradient(&t->d.net, g, gradient, &r1);
    compare_parameters(&r1, &t->d.net, g, r.d, all, along_loss, &r);
    /* R1 by its definition, with all parameters moving at once */
    if (g.top == 1 && (g.fade < 1 || t->d.residual)) { /* 1536 passes for one value: not at 16 x 16 */
        note(&r1.value, fabs(r.factor / 2 * square / r1_loss(&r) - 1));
        compare_gradient(&r1, r.d, all, (int)t->d.net.floats, r1_loss, &r);
    }
    char name[80];
    snprintf(name, sizeof name, "StyleGAN %d, discriminator at %d, fade %g", architecture + 1, 4 << g.top,
             (double)g.fade);
    report(t->d.net.engine, name, v);
    snprintf(name, sizeof name, "StyleGAN %d, R1 at %d, fade %g", architecture + 1, 4 << g.top, (double)g.fade);
    report(t->d.net.engine, name, r1);
    trainer_free(t);
}

/* What training_draw drew for the shard. */
static void copy_draws(const g_maps *x, reference *r) {
    for (int i = 0; i < 2; i++) {
        r->z[i] = plain_new(r->t->g.z_dim, 1);
        EACH(r->z[i]) * at(r->z[i], n, c, row, column) =
            (double)x->latent[i].input.data[map_at(&x->latent[i].input, c, 0, 0, n)];
    }
    for (int l = 0; l <= r->growth.top; l++)
        for (int i = 0; i < 2; i++) {
            const int pixels = 16 << 2 * l;
            if (!x->layer[l][i].noise) continue;
            r->noise[l][i] = plain_new(1, 4 << l);
            for (int p = 0; p < pixels * SHARD; p++)
                r->noise[l][i].v[p % SHARD * pixels + p / SHARD] = (double)x->layer[l][i].noise[p];
        }
}

static void check_generator(network_architecture architecture, growth g) {
    static const float labels[SHARD * 3] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0.5f, 0, 0.25f};
    trainer *t = small_trainer(architecture, g);
    trainer_thread *desk = &t->desks[0];
    g_maps *x = &t->shards_of_batch[0].fakes;
    verdict v = none;
    reference r = {
        .t = t, .g = take(t->g.net.floats), .growth = g, .image_weight = random_plain(3, 4 << g.top), .labels = labels};
    copy_doubles(r.g, t->g.net.values, t->g.net.floats);
    for (nearest_kink = 0; nearest_kink < MARGIN; t->steps++) {
        training_draw(t, 0);
        copy_draws(x, &r);
        nearest_kink = INFINITY;
        g_reference(&r, x->crossover);
    }
    generator_forward(&t->g, g, x, labels, &desk->scratch);
    compare(&v, from_map(generator_image(x, g)), g_reference(&r, x->crossover));
    map *d_image = &desk->dx.level[g.top].image;
    to_map(r.image_weight, d_image);
    float *gradient = t->shards_of_batch[0].g_gradient;
    memset(gradient, 0, t->g.net.floats * sizeof *gradient);
    generator_backward(&t->g, g, x, &desk->g_gradient, d_image, labels, gradient, &desk->scratch);
    compare_parameters(&v, &t->g.net, g, r.g, used_gradient(&t->g.net, g, gradient, &v), g_loss, &r);
    char name[80];
    snprintf(name, sizeof name, "StyleGAN %d, generator at %d, fade %g", architecture + 1, 4 << g.top, (double)g.fade);
    report(t->g.net.engine, name, v);
    trainer_free(t);
}

/* --- A whole step: the gradients that the trainer leaves, of losses and penalties as they are defined --- */

typedef struct step_case {
    reference r;
    plain real, labels, slope_real, slope_fake; /* slopes: factor * dD/dx, held */
} step_case;

static double step_softplus(double x) {
    return log1p(exp(-fabs(x))) + fmax(x, 0);
}

/* Scores [N] of images; adds the derivative of their sum along `slope` to *along, unless that is empty. */
static void step_scores(step_case *k, plain image, plain slope, double *scores, double *along) {
    k->r.image = image;
    const plain logits = d_reference(&k->r, &slope);
    if (slope.v) *along += dot(k->labels, slope);
    for (int n = 0; n < SHARD; n++) {
        scores[n] = 0;
        for (int c = 0; c < logits.c; c++) scores[n] += logits.v[n * logits.c + c] * k->labels.v[n * logits.c + c];
    }
}

static double step_d_loss(void *context) {
    step_case *k = context;
    double real[SHARD], fake[SHARD], penalties = 0, loss = 0;
    step_scores(k, k->real, k->slope_real, real, &penalties);
    step_scores(k, g_reference(&k->r, k->r.t->shards_of_batch[0].fakes.crossover), k->slope_fake, fake, &penalties);
    for (int n = 0; n < SHARD; n++)
        loss += k->r.t->config.loss == LOSS_RELATIVISTIC ? step_softplus(-(real[n] - fake[n]))
                                                         : step_softplus(-real[n]) + step_softplus(fake[n]);
    return loss / SHARD + penalties;
}

static double step_g_loss(void *context) {
    step_case *k = context;
    double real[SHARD], fake[SHARD], ignored = 0, loss = 0;
    const plain empty = {0, 0, NULL};
    step_scores(k, k->real, empty, real, &ignored);
    step_scores(k, g_reference(&k->r, k->r.t->shards_of_batch[0].fakes.crossover), empty, fake, &ignored);
    for (int n = 0; n < SHARD; n++)
        loss += step_softplus(k->r.t->config.loss == LOSS_RELATIVISTIC ? -(fake[n] - real[n]) : -fake[n]);
    return loss / SHARD;
}

static plain slope_at(trainer *t, const d_maps *x, plain labels) {
    trainer_thread *desk = &t->desks[0];
    to_map(labels, &desk->dx.logits);
    discriminator_backward(&t->d, t->growth, x, &desk->dx, NULL, NULL, &desk->scratch);
    plain slope = from_map(&desk->dx.level[t->growth.top].image);
    for (int i = 0; i < plain_count(slope); i++) slope.v[i] *= t->config.r1_gamma * t->config.r1_interval / SHARD;
    return slope;
}

static void check_step(trainer_loss loss, const char *name) {
    static const float labels[SHARD * 3] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0.5f, 0, 0.25f};
    uint8_t pixels[SHARD * 16 * 16 * 3];
    trainer_config config = small;
    config.loss = (int)loss;
    config.g_rate = config.d_rate = 0; /* the networks stay as they are */
    config.r1_interval = 2;
    trainer *t = trainer_create(&config, 1);
    shake(&t->g.net);
    shake(&t->d.net);
    trainer_thread *desk = &t->desks[0];
    step_case k = {.r = {.t = t, .g = take(t->g.net.floats), .d = take(t->d.net.floats), .labels = labels},
                   .labels = plain_new(3, 1)};
    copy_doubles(k.r.g, t->g.net.values, t->g.net.floats);
    copy_doubles(k.r.d, t->d.net.values, t->d.net.floats);
    copy_doubles(k.labels.v, labels, SHARD * 3);
    trainer_step_report found;
    for (nearest_kink = 0; nearest_kink < MARGIN;) {
        t->steps += t->steps % 2; /* to the next one with penalties */
        t->images = 0;
        for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(256 * random_uniform(3, draws++));
        trainer_step(t, pixels, labels, &found);
        k.r.growth = t->growth;
        copy_draws(&t->shards_of_batch[0].fakes, &k.r);
        k.real = from_map(&desk->real.level[t->growth.top].image);
        nearest_kink = INFINITY;
        step_d_loss(&k);
    }
    verdict v = none;
    note(&v.value, fabs(found.g_loss / step_g_loss(&k) - 1));
    note(&v.value, fabs(found.d_loss / step_d_loss(&k) - 1));
    k.slope_real = slope_at(t, &desk->real, k.labels);
    if (loss == LOSS_RELATIVISTIC) k.slope_fake = slope_at(t, &desk->fake, k.labels);
    const trainer_shard *shard = &t->shards_of_batch[0];
    v.step = 1e-6;
    compare_parameters(&v, &t->d.net, t->growth, k.r.d, used_gradient(&t->d.net, t->growth, shard->d_gradient, &v),
                       step_d_loss, &k);
    compare_parameters(&v, &t->g.net, t->growth, k.r.g, used_gradient(&t->g.net, t->growth, shard->g_gradient, &v),
                       step_g_loss, &k);
    report(t->g.net.engine, name, v);
    trainer_free(t);
}

/* --- Training --- */

/* Discs of any place and colour: pictures [batch][H][W][3] of a step. */
static void draw_discs(const trainer *t, uint8_t *pixels) {
    const trainer_config *config = trainer_get_config(t);
    const int size = config->shape.resolution;
    for (int i = 0; i < config->batch; i++) {
        const uint64_t key = random_key(1, RANDOM_ORDER, (uint64_t)trainer_picture(t, i, 1000));
        const double cx = 0.25 + 0.5 * random_uniform(key, 0), cy = 0.25 + 0.5 * random_uniform(key, 1);
        for (int p = 0; p < size * size; p++) {
            const double dx = (p % size + 0.5) / size - cx, dy = (p / size + 0.5) / size - cy;
            for (uint64_t c = 0; c < 3; c++)
                *pixels++ = dx * dx + dy * dy < 0.04 ? (uint8_t)(256 * random_uniform(key, 2 + c)) : 40;
        }
    }
}

static void train(trainer *t, int steps, trainer_step_report *reports) {
    const trainer_config *config = trainer_get_config(t);
    uint8_t *pixels = cli_alloc((size_t)(config->batch * config->shape.resolution * config->shape.resolution), 3);
    for (int i = 0; i < steps; i++) {
        draw_discs(t, pixels);
        trainer_step(t, pixels, NULL, &reports[i]);
    }
    free(pixels);
}

static trainer_config tiny(void) {
    trainer_config config;
    trainer_preset("tiny-16", &config);
    config.stable_kimg = 0.4; /* 50 steps at 8 x 8, 50 fading in, the rest at 16 x 16 */
    config.fade_kimg = 0.4;
    return config;
}

/* Mean absolute difference between the colours of two pictures of a batch, over all pairs. */
static double diversity(const trainer *t) {
    const map *image = generator_image(&t->shards_of_batch[0].fakes, t->growth);
    double sum = 0;
    int pairs = 0;
    for (int a = 0; a < SHARD; a++)
        for (int b = 0; b < a; b++, pairs++)
            for (int c = 0; c < image->channels; c++)
                for (int p = 0; p < image->size * image->size; p++)
                    sum += fabs((double)image->data[map_at(image, c, p / image->size, p % image->size, a)] -
                                (double)image->data[map_at(image, c, p / image->size, p % image->size, b)]);
    return sum / pairs / (image->channels * image->size * image->size);
}

static void check_training(network_architecture architecture, trainer_loss loss, const char *name) {
    enum { STEPS = 300, HALF = 120 };
    static trainer_step_report one[STEPS], two[STEPS], again[STEPS];
    trainer_config config = tiny();
    config.shape.architecture = (int)architecture;
    config.loss = (int)loss;
    trainer *a = trainer_create(&config, 1), *b = trainer_create(&config, 2);
    train(a, HALF, one);
    size_t size;
    unsigned char *state = trainer_save(a, &size);
    train(a, STEPS - HALF, one + HALF);
    train(b, STEPS, two);
    test_check(!memcmp(one, two, sizeof one), "train: %d steps of %s with 1 and 2 threads, the same to the bit", STEPS,
               name);
    const char *why;
    trainer *c = trainer_load(state, size, 2, &why);
    if (test_check(c != NULL, "train: a saved state loads")) {
        train(c, STEPS - HALF, again);
        size_t sizes[2];
        unsigned char *ends[2] = {trainer_save(a, &sizes[0]), trainer_save(c, &sizes[1])};
        test_check(!memcmp(one + HALF, again, (STEPS - HALF) * sizeof *one) && sizes[0] == sizes[1] &&
                       !memcmp(ends[0], ends[1], sizes[0]),
                   "train: continued from the state of step %d, the same to the bit", HALF);
        free(ends[0]);
        free(ends[1]);
    }
    double g = 0, d = 0, apart = 0;
    for (int i = STEPS - 100; i < STEPS; i++) {
        g += one[i].g_loss / 100;
        d += one[i].d_loss / 100;
        apart += (one[i].real_score - one[i].fake_score) / 100;
    }
    /* without learning, D's loss is log(2) for each probability */
    test_check(g > 0.3 && g < 5 && d > 0.05 && d < (loss == LOSS_LOGISTIC ? 1.6 : 0.69) && apart > 0 &&
                   diversity(a) > 0.05,
               "train: losses %.2f of G, %.2f of D, scores %.2f apart, diversity %.2f", g, d, apart, diversity(a));

    int refused = 0, tried = 0;
    for (size_t cut = 0; cut < size; cut += size / 13 + 1, tried++) refused += !trainer_load(state, cut, 1, &why);
    for (size_t spot = 0; spot < size; spot += size / 13 + 1, tried++) {
        state[spot] ^= 0x10;
        refused += !trainer_load(state, size, 1, &why);
        state[spot] ^= 0x10;
    }
    test_check(refused == tried, "train: %d of %d truncated or damaged states refused", refused, tried);
    free(state);
    trainer_free(a);
    trainer_free(b);
    trainer_free(c);
}

/* States whose checksums are right, from strangers: sizes are compared before they are allocated, counters as they must
   be after so many steps. */
static void check_crafted_states(void) {
    static const struct {
        const char *what, *option;
        int value;
    } crafted[] = {{"resolution 1024", "resolution", 1024}, {"batch 6", "batch", 6}, {"w of 4096", "w-dim", 4096},
                   {"resolution 17", "resolution", 17},     {"batch 0", "batch", 0}, {"mirror 2", "mirror", 2}};
    static const struct {
        const char *what;
        int64_t images, steps;
    } counters[] = {{"no step of its images", 80, 0},
                    {"another number of steps", 80, 11},
                    {"images that are no batch", 81, 10},
                    {"images below 0", -80, -10},
                    {"more images than a run has", (int64_t)8 << 50, (int64_t)1 << 50}};
    enum { CRAFTED = sizeof crafted / sizeof *crafted, COUNTERS = sizeof counters / sizeof *counters };
    const trainer_config config = tiny();
    const size_t counters_at = sgt_offset("");
    trainer *t = trainer_create(&config, 1);
    size_t size;
    unsigned char *state = trainer_save(t, &size), *copy = cli_alloc(size, 1);
    struct rlimit before, limit;
    getrlimit(RLIMIT_AS, &before);
    limit = (struct rlimit){(rlim_t)1 << 30, before.rlim_max};
    const char *why;
    for (int i = 0; i < CRAFTED; i++) {
        for (size_t cut = size; cut; cut = cut == size ? counters_at : 0) {
            memcpy(copy, state, size);
            sgt_set(copy, crafted[i].option, crafted[i].value);
            if (crafted[i].value > 1000) sgt_set(copy, "fmap-base", 65536), sgt_set(copy, "fmap-max", 1024);
            sgt_fix(copy, cut);
            setrlimit(RLIMIT_AS, &limit);
            trainer *c = trainer_load(copy, cut, 1, &why);
            setrlimit(RLIMIT_AS, &before);
            test_check(!c, "train: a state of %zu bytes with %s: %s", cut, crafted[i].what, c ? "loads" : why);
        }
    }
    for (int i = 0; i < COUNTERS; i++) {
        memcpy(copy, state, size);
        memcpy(copy + counters_at, &counters[i].images, 16);
        sgt_fix(copy, size);
        trainer *c = trainer_load(copy, size, 1, &why);
        test_check(!c, "train: a state with %s: %s", counters[i].what, c ? "loads" : why);
        trainer_free(c);
    }
    free(copy);
    free(state);
    trainer_free(t);
}

/* --- Export: the averaged generator in stylegan.h against the trainer's own forward pass --- */

static double export_difference(trainer *t) {
    weights w;
    test_file file;
    stylegan_error error;
    trainer_export(t, &w);
    file.bytes = weights_to_memory(&w, STYLEGAN_F32, &file.size);
    weights_free(&w);
    stylegan_model *model = test_open(&file, STYLEGAN_ISA_AUTO, 1);
    const stylegan_config *config = stylegan_describe(model);
    float *z = test_normal(3, (size_t)(SHARD * config->z_dim));
    float *labels = test_normal(4, (size_t)(SHARD * (config->c_dim ? config->c_dim : 1)));
    float *ws = cli_alloc((size_t)(SHARD * config->num_ws * config->w_dim), sizeof *ws);
    if (stylegan_map(model, z, labels, SHARD, 1, 0, ws, NULL, &error)) cli_fail("%s", error.message);
    float *images = test_images(model, ws, SHARD, NULL);

    g_maps *x = &t->shards_of_batch[0].fakes;
    t->growth = training_growth(t);
    memcpy(t->g.net.values, t->average, t->g.net.floats * sizeof(float));
    for (int i = 0; i < t->g.net.linear_count; i++)
        network_prepare(&t->g.net, i, t->growth, &t->desks[0].scratch.convolution);
    for (int n = 0; n < SHARD; n++) {
        x->crossover[n] = config->num_ws;
        for (int i = 0; i < config->z_dim; i++)
            x->latent[0].input.data[map_at(&x->latent[0].input, i, 0, 0, n)] = z[n * config->z_dim + i];
    }
    for (int layer = 0; layer < config->num_ws; layer++) {
        const int pixels = 16 << 2 * (layer / 2);
        if (!x->layer[layer / 2][layer % 2].noise) continue;
        float *noise = cli_alloc((size_t)pixels, sizeof *noise);
        stylegan_random_normal(0, (uint32_t)layer, 0, noise, pixels);
        for (int p = 0; p < pixels * SHARD; p++) x->layer[layer / 2][layer % 2].noise[p] = noise[p / SHARD];
        free(noise);
    }
    generator_forward(&t->g, t->growth, x, labels, &t->desks[0].scratch);
    const plain own = from_map(generator_image(x, t->growth));
    float *found = cli_alloc((size_t)plain_count(own), sizeof *found);
    for (int i = 0; i < plain_count(own); i++) found[i] = (float)own.v[i];
    const double difference = test_difference(images, found, (size_t)plain_count(own));
    free(found);
    free(images);
    free(ws);
    free(labels);
    free(z);
    stylegan_close(model);
    free(file.bytes);
    heap_used = 0;
    return difference;
}

static void check_export(void) {
    static const int steps[] = {20, 70, 120}; /* at 8 x 8, fading in, at 16 x 16 */
    static trainer_step_report ignored[120];
    for (size_t i = 0; i < 2 * sizeof steps / sizeof *steps; i++) {
        trainer_config config = tiny();
        config.shape.architecture = (int)i % 2;
        config.shape.fmap_max = 21; /* no multiple of anything */
        config.ema_kimg = 0.02;     /* else flat feature maps, as at the beginning, multiply rounding errors */
        trainer *t = trainer_create(&config, 2);
        train(t, steps[i / 2], ignored);
        float fade;
        const int resolution = trainer_resolution(t, &fade);
        const double difference = export_difference(t);
        test_check(difference <= 1e-5, "train: StyleGAN %d exported at %d x %d, fade %g: %.1e from the trainer's image",
                   config.shape.architecture + 1, resolution, resolution, (double)fade, difference);
        trainer_free(t);
    }
    for (int i = 0; i < 2; i++) {
        trainer *t = small_trainer((network_architecture)i, (growth){i + 1, 1});
        memcpy(t->average, t->g.net.values, t->g.net.floats * sizeof(float));
        const double difference = export_difference(t);
        test_check(difference <= 1e-5, "train: StyleGAN %d exported with labels: %.1e from the trainer's image", i + 1,
                   difference);
        trainer_free(t);
    }
}

/* --- Options and order --- */

static void check_average(void) {
    trainer_config config = tiny();
    config.ema_kimg = 1000;
    config.ema_ramp = 1; /* half of it is younger than the images shown: in the second step, than one step */
    trainer *t = trainer_create(&config, 1);
    trainer_step_report ignored;
    const size_t count = t->g.net.floats;
    float *first = cli_alloc(count, sizeof *first);
    train(t, 1, &ignored);
    memcpy(first, t->g.net.values, count * sizeof *first);
    const int same = !memcmp(t->average, first, count * sizeof *first);
    train(t, 1, &ignored);
    double worst = 0;
    for (size_t i = 0; i < count; i++)
        note(&worst, fabs((double)t->average[i] - (double)(first[i] + t->g.net.values[i]) / 2));
    test_check(same && worst < 1e-6, "train: the average begins with a short memory: %.1e", worst);
    free(first);
    trainer_free(t);
}

static void check_widths(void) {
    const trainer_config config = tiny();
    trainer *wide = trainer_create(&small, 1), *equal = trainer_create(&config, 1);
    int sound =
        wide->g.channels[0] == 9 && wide->d.channels[0] == 11 && wide->g.channels[2] == 5 && wide->d.channels[2] == 6;
    for (int l = 0; l < equal->g.levels; l++) sound &= equal->g.channels[l] == equal->d.channels[l];
    test_check(sound, "train: a discriminator of its own width, or of the generator's");
    trainer_free(wide);
    trainer_free(equal);
}

/* The networks that ship: their weight files, and the multiply-adds of a picture. */
static void check_sizes(void) {
    static const struct {
        const char *preset;
        size_t bytes;
        double macs;
    } limits[] = {{"portraits-32", 250000, 20e6}, {"portraits-64", 1000000, 75e6}, {"portraits-128", 4000000, 300e6}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        trainer_config config;
        trainer_preset(limits[i].preset, &config);
        config.start_resolution = config.shape.resolution;
        trainer *t = trainer_create(&config, 1);
        weights w;
        test_file file;
        trainer_export(t, &w);
        file.bytes = weights_to_memory(&w, STYLEGAN_I8, &file.size);
        stylegan_model *model = test_open(&file, STYLEGAN_ISA_AUTO, 1);
        double macs = 0;
        for (int l = 0; l < stylegan_layer_count(model); l++) {
            stylegan_layer layer;
            stylegan_get_layer(model, l, &layer);
            macs += layer.macs;
        }
        test_check(file.size <= limits[i].bytes && macs <= limits[i].macs,
                   "train: %s: %zu bytes, %.1f million multiply-adds", limits[i].preset, file.size, macs / 1e6);
        stylegan_close(model);
        free(file.bytes);
        weights_free(&w);
        trainer_free(t);
    }
}

static void check_order(void) {
    trainer_config config = tiny();
    trainer *t = trainer_create(&config, 1);
    int good = 1;
    for (int count = 1; count <= 40; count += 13) {
        int seen[40] = {0};
        for (int i = 0; i < count; i++) {
            const int64_t picture = trainer_picture(t, i, count);
            good &= picture >= 0 && picture < count && !seen[picture]++;
        }
    }
    test_check(good, "train: an epoch shows every picture once");
    trainer_free(t);
    int sound = 1;
    char names[200];
    snprintf(names, sizeof names, "%s", trainer_preset_names());
    for (char *name = strtok(names, ", "); name; name = strtok(NULL, ", "))
        sound &= trainer_preset(name, &config) && !trainer_check(&config);
    config.batch = 6;
    test_check(sound && trainer_check(&config), "train: presets are sound, a batch of 6 is not");
}

int main(void) {
    heap = cli_alloc(HEAP, sizeof *heap);
    for (stylegan_isa isa = test_next_isa(STYLEGAN_ISA_AUTO); isa != STYLEGAN_ISA_COUNT; isa = test_next_isa(isa)) {
        const engine *e = engine_for(isa);
        check_convolutions(e);
        check_blur(e);
        check_pooling(e);
        check_pixel_norm(e);
        check_stddev(e);
        check_adain(e);
        check_modulated(e);
    }
    check_discriminator(ARCHITECTURE_STYLEGAN1, (growth){1, 1});
    check_discriminator(ARCHITECTURE_STYLEGAN1, (growth){1, 0.3f});
    check_discriminator(ARCHITECTURE_STYLEGAN1, (growth){2, 0.6f});
    check_discriminator(ARCHITECTURE_STYLEGAN2, (growth){1, 1});
    check_discriminator(ARCHITECTURE_STYLEGAN2, (growth){1, 0.3f});
    check_discriminator(ARCHITECTURE_STYLEGAN2, (growth){2, 0.6f});
    check_generator(ARCHITECTURE_STYLEGAN1, (growth){1, 1});
    check_generator(ARCHITECTURE_STYLEGAN1, (growth){1, 0.3f});
    check_generator(ARCHITECTURE_STYLEGAN1, (growth){2, 0.6f});
    check_generator(ARCHITECTURE_STYLEGAN2, (growth){1, 1});
    check_generator(ARCHITECTURE_STYLEGAN2, (growth){1, 0.3f});
    check_generator(ARCHITECTURE_STYLEGAN2, (growth){2, 0.6f});
    check_export();
    check_step(LOSS_LOGISTIC, "a step with the logistic loss and R1");
    check_step(LOSS_RELATIVISTIC, "a step with the relativistic loss, R1 and R2");
    check_training(ARCHITECTURE_STYLEGAN1, LOSS_LOGISTIC, "StyleGAN 1 with the logistic loss");
    check_training(ARCHITECTURE_STYLEGAN1, LOSS_RELATIVISTIC, "StyleGAN 1 with the relativistic loss");
    check_training(ARCHITECTURE_STYLEGAN2, LOSS_RELATIVISTIC, "StyleGAN 2 with the relativistic loss");
    check_crafted_states();
    check_average();
    check_widths();
    check_sizes();
    check_order();
    free(heap);
    return test_end();
}
