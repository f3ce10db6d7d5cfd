/* elementwise.c - see elementwise.h. The file includes itself once for each vector width and number of images: the second
   part is the code, written with the compiler's vectors, on which + - * work lane by lane. */
#ifndef LANES
#include "elementwise.h"

#include <string.h>

/* So that small arrays are registers. */
#if defined __clang__
#define UNROLL _Pragma("clang loop unroll(full)")
#elif defined __GNUC__
#define UNROLL _Pragma("GCC unroll 36")
#else
#define UNROLL
#endif

#define CONCAT_(a, b, c) a##_##b##_##c
#define CONCAT(a, b, c) CONCAT_(a, b, c)
#define FN(name) CONCAT(name, LANES, IMAGES)

#define LANES 1
#define IMAGES 1
#include "elementwise.c"
#undef IMAGES
#define IMAGES 4
#include "elementwise.c"
#undef IMAGES
#undef LANES

#ifdef __GNUC__ /* every processor of these compilers has, or imitates, vectors of four */
#define LANES 4
#define IMAGES 1
#include "elementwise.c"
#undef IMAGES
#define IMAGES 4
#include "elementwise.c"
#undef IMAGES
#undef LANES
#endif

#if defined __GNUC__ && (defined __x86_64__ || defined __i386__)
#define LANES 8
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx2,fma"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx2,fma")
#endif
#define IMAGES 1
#include "elementwise.c"
#undef IMAGES
#define IMAGES 4
#include "elementwise.c"
#undef IMAGES
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef LANES

#define LANES 16
#ifdef __clang__
#pragma clang attribute push(__attribute__((target("avx512f,avx2,fma,prfchw"))), apply_to = function)
#else
#pragma GCC push_options
#pragma GCC target("avx512f,avx2,fma,prfchw")
#endif
#define IMAGES 1
#include "elementwise.c"
#undef IMAGES
#define IMAGES 4
#include "elementwise.c"
#undef IMAGES
#ifdef __clang__
#pragma clang attribute pop
#else
#pragma GCC pop_options
#endif
#undef LANES
#endif

const elementwise *elementwise_for(int lanes, int images) {
    static const elementwise *const all[] = {
        &table_1_1,
        &table_1_4,
#ifdef __GNUC__
        &table_4_1,
        &table_4_4,
#endif
#if defined __GNUC__ && (defined __x86_64__ || defined __i386__)
        &table_8_1,
        &table_8_4,
        &table_16_1,
        &table_16_4,
#endif
    };
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (all[i]->lanes == lanes && all[i]->images == images) return all[i];
    return NULL;
}

#else /* the code, for LANES lanes and IMAGES images */

#define vector FN(vector)
#define load FN(load)
#define store FN(store)
#define splat FN(splat)
#define lrelu FN(lrelu)
#define slope_of FN(slope_of)

#if LANES == 1
typedef float vector;
static inline vector lrelu(vector x, float slope) {
    return x > 0 ? x : x * slope;
}
static inline vector slope_of(vector y) {
    return y > 0 ? 1.0f : 0.2f;
}
#else
typedef float vector __attribute__((vector_size(LANES * sizeof(float))));
typedef int FN(bits) __attribute__((vector_size(LANES * sizeof(int))));
/* A comparison gives all ones where it holds. */
static inline __attribute__((always_inline)) vector FN(choose)(FN(bits) where, vector yes, vector no) {
    return (vector)((where & (FN(bits))yes) | (~where & (FN(bits))no));
}
static inline __attribute__((always_inline)) vector lrelu(vector x, float slope) {
    return FN(choose)(x > 0, x, x * slope);
}
static inline __attribute__((always_inline)) vector slope_of(vector y) {
    const vector zero = {0};
    return FN(choose)(y > 0, zero + 1.0f, zero + 0.2f);
}
#endif

#ifdef __GNUC__
#define INLINE static inline __attribute__((always_inline))
#else
#define INLINE static inline
#endif

INLINE vector load(const float *p) {
    vector v;
    memcpy(&v, p, sizeof v);
    return v;
}

INLINE void store(float *p, vector v) {
    memcpy(p, &v, sizeof v);
}

INLINE vector splat(float x) {
    const vector zero = {0};
    return x - zero; /* where x + zero would be computed, as it is not x for -0 */
}

static void FN(activate)(float *x, int pixels, const float *bias, float slope) {
    const vector b = load(bias);
    for (int p = 0; p < pixels; p++, x += LANES) store(x, lrelu(load(x) + b, slope));
}

static void FN(mask)(float *x, const float *y, int pixels, float *sum) {
    vector total = splat(0);
    for (int p = 0; p < pixels; p++, x += LANES, y += LANES) {
        const vector masked = load(x) * slope_of(load(y));
        total += masked;
        store(x, masked);
    }
    store(sum, load(sum) + total);
}

static void FN(join)(float *x, const float *y, int pixels, const float *bias, float share) {
    const vector b = load(bias);
    for (int p = 0; p < pixels; p++, x += LANES, y += LANES) {
        const vector other = load(y) * share, own = (load(x) + b) * share;
        store(x, own + other);
    }
}

static void FN(fork)(float *a, float *b, const float *dy, const float *y, int pixels, float share, float *sum_a,
                     float *sum_b) {
    vector total_a = splat(0), total_b = splat(0);
    for (int p = 0; p < pixels; p++, a += LANES, b += LANES, dy += LANES, y += LANES) {
        const vector d = load(dy) * share, masked = d * slope_of(load(y));
        total_a += masked;
        total_b += d;
        FETCH_AHEAD(a);
        FETCH_AHEAD(b);
        store(a, masked);
        store(b, d);
    }
    store(sum_a, load(sum_a) + total_a);
    store(sum_b, load(sum_b) + total_b);
}

static void FN(add_doubled)(float *x, const float *half, int width, float factor) {
    for (int i = 0; i < width / 2; i++, x += 2 * IMAGES * LANES, half += IMAGES * LANES)
        UNROLL for (int n = 0; n < IMAGES; n++) {
            const vector h = load(half + n * LANES) * factor;
            store(x + n * LANES, load(x + n * LANES) + h);
            store(x + (IMAGES + n) * LANES, load(x + (IMAGES + n) * LANES) + h);
        }
}

static void FN(sum)(const float *x, int pixels, float *sum) {
    vector total = splat(0);
    for (int p = 0; p < pixels; p++, x += LANES) total += load(x);
    store(sum, load(sum) + total);
}

/* The row is summed around its first pixel, so that a mean far from zero costs no precision, and merged with the rows
   before it by Chan's formula. */
static void FN(epilogue)(float *x, int width, const float *noise, const float *strength, const float *bias, int y,
                         float *mean, float *deviation) {
    const vector s = load(strength), b = load(bias);
    const float before = (float)width * (float)y, share = (float)width / (before + (float)width);
    vector pivot[IMAGES], sum[IMAGES], squares[IMAGES];
    UNROLL for (int n = 0; n < IMAGES; n++) {
        pivot[n] = lrelu(load(x + n * LANES) + s * noise[n] + b, 0.2f);
        sum[n] = squares[n] = splat(0);
    }
    for (int i = 0; i < width; i++, x += IMAGES * LANES, noise += IMAGES) {
        UNROLL for (int n = 0; n < IMAGES; n++) {
            const vector a = lrelu(load(x + n * LANES) + s * noise[n] + b, 0.2f), d = a - pivot[n];
            store(x + n * LANES, a);
            sum[n] += d;
            squares[n] += d * d;
        }
    }
    for (int n = 0; n < IMAGES; n++, mean += LANES, deviation += LANES) {
        const vector row_mean = sum[n] * (1 / (float)width), delta = pivot[n] + row_mean - load(mean);
        store(deviation, load(deviation) + squares[n] - sum[n] * row_mean + delta * delta * (before * share));
        store(mean, load(mean) + delta * share);
    }
}

static void FN(normalize)(float *y, const float *a, int width, const float *mean, const float *scale,
                          const float *shift) {
    vector m[IMAGES], s[IMAGES], t[IMAGES];
    UNROLL for (int n = 0; n < IMAGES; n++) {
        m[n] = load(mean + n * LANES);
        s[n] = load(scale + n * LANES);
        t[n] = load(shift + n * LANES);
    }
    for (int i = 0; i < width; i++, y += IMAGES * LANES, a += IMAGES * LANES) UNROLL for (int n = 0; n < IMAGES; n++) {
            FETCH_AHEAD(y + n * LANES);
            store(y + n * LANES, (load(a + n * LANES) - m[n]) * s[n] + t[n]);
        }
}

static void FN(normalize_sums)(const float *dy, const float *a, int width, const float *mean, float *sum,
                               float *product) {
    vector m[IMAGES], s[IMAGES], p[IMAGES];
    UNROLL for (int n = 0; n < IMAGES; n++) {
        m[n] = load(mean + n * LANES);
        s[n] = p[n] = splat(0);
    }
    for (int i = 0; i < width; i++, dy += IMAGES * LANES, a += IMAGES * LANES) {
        UNROLL for (int n = 0; n < IMAGES; n++) {
            const vector d = load(dy + n * LANES);
            s[n] += d;
            p[n] += d * (load(a + n * LANES) - m[n]);
        }
    }
    UNROLL for (int n = 0; n < IMAGES; n++) {
        store(sum + n * LANES, load(sum + n * LANES) + s[n]);
        store(product + n * LANES, load(product + n * LANES) + p[n]);
    }
}

static void FN(epilogue_gradient)(float *dy, const float *a, int width, const float *mean, const float *scale,
                                  const float *shift, const float *slope, const float *noise, float *d_bias,
                                  float *d_strength) {
    vector bias = splat(0), strength = splat(0), m[IMAGES], s[IMAGES], t[IMAGES], k[IMAGES];
    UNROLL for (int n = 0; n < IMAGES; n++) {
        m[n] = load(mean + n * LANES);
        s[n] = load(scale + n * LANES);
        t[n] = load(shift + n * LANES);
        k[n] = load(slope + n * LANES);
    }
    for (int i = 0; i < width; i++, dy += IMAGES * LANES, a += IMAGES * LANES, noise += IMAGES) {
        UNROLL for (int n = 0; n < IMAGES; n++) {
            const vector y = load(a + n * LANES);
            const vector d = (load(dy + n * LANES) * s[n] + t[n] + (y - m[n]) * k[n]) * slope_of(y);
            store(dy + n * LANES, d);
            bias += d;
            strength += d * noise[n];
        }
    }
    store(d_bias, load(d_bias) + bias);
    store(d_strength, load(d_strength) + strength);
}

/* x within +-limit */
INLINE vector FN(clamp)(vector x, vector limit) {
#if LANES == 1
    return x > limit ? limit : x < -limit ? -limit : x;
#else
    return FN(choose)(x > limit, limit, FN(choose)(x < -limit, -limit, x));
#endif
}

/* x where |y| is below the limit, otherwise 0 */
INLINE vector FN(unless_clamped)(vector x, vector y, vector limit) {
#if LANES == 1
    return y < limit && y > -limit ? x : 0;
#else
    return FN(choose)((y < limit) & (y > -limit), x, splat(0));
#endif
}

static void FN(clamp_row)(float *x, int pixels, float limit) {
    const vector most = splat(limit);
    for (int p = 0; p < pixels; p++, x += LANES) store(x, FN(clamp)(load(x), most));
}

static void FN(unclamp)(float *out, const float *dy, const float *y, int pixels, float limit) {
    const vector most = splat(limit);
    for (int p = 0; p < pixels; p++, out += LANES, dy += LANES, y += LANES)
        store(out, FN(unless_clamped)(load(dy), load(y), most));
}

static void FN(demodulate)(float *x, int width, const float *scale, const float *noise, const float *strength,
                           const float *bias, float limit) {
    const vector s = load(strength), b = load(bias), most = splat(limit);
    vector d[IMAGES];
    UNROLL for (int n = 0; n < IMAGES; n++) d[n] = load(scale + n * LANES);
    for (int i = 0; i < width; i++, x += IMAGES * LANES, noise += IMAGES)
        UNROLL for (int n = 0; n < IMAGES; n++)
            store(x + n * LANES, FN(clamp)(lrelu(load(x + n * LANES) * d[n] + s * noise[n] + b, 0.2f), most));
}

static void FN(demodulate_gradient)(float *dy, const float *a, int width, const float *scale, const float *noise,
                                    const float *strength, const float *bias, float limit, float *product,
                                    float *d_bias, float *d_strength) {
    const vector s = load(strength), b = load(bias), most = splat(limit);
    vector bias_sum = splat(0), strength_sum = splat(0), d[IMAGES], p[IMAGES];
    UNROLL for (int n = 0; n < IMAGES; n++) {
        d[n] = load(scale + n * LANES);
        p[n] = splat(0);
    }
    for (int i = 0; i < width; i++, dy += IMAGES * LANES, a += IMAGES * LANES, noise += IMAGES) {
        UNROLL for (int n = 0; n < IMAGES; n++) {
            const vector y = load(a + n * LANES), slope = slope_of(y);
            const vector dh = FN(unless_clamped)(load(dy + n * LANES) * slope, y, most);
            p[n] += dh * (y / slope - s * noise[n] - b);
            bias_sum += dh;
            strength_sum += dh * noise[n];
            store(dy + n * LANES, dh * d[n]);
        }
    }
    UNROLL for (int n = 0; n < IMAGES; n++) store(product + n * LANES, load(product + n * LANES) + p[n]);
    store(d_bias, load(d_bias) + bias_sum);
    store(d_strength, load(d_strength) + strength_sum);
}

static void FN(dot)(float *out, const float *x, size_t block, int blocks, const float *factor, int width) {
    for (int i = 0; i < width; i++)
        for (int n = 0; n < IMAGES; n++, x += LANES) {
            vector sum = splat(0);
            float lane[LANES], total = 0;
            for (int b = 0; b < blocks; b++)
                sum += load(x + block * (size_t)b) * load(factor + (b * IMAGES + n) * LANES);
            store(lane, sum);
            for (int l = 0; l < LANES; l++) total += lane[l];
            out[i * IMAGES + n] = total;
        }
}

/* What (1 2 1) / 4 makes of three neighbours. */
INLINE vector FN(between)(vector before, vector at, vector after) {
    return (before + after) * 0.25f + at * 0.5f;
}

INLINE vector FN(across)(const float *const rows[3], size_t at) {
    return FN(between)(load(rows[0] + at), load(rows[1] + at), load(rows[2] + at));
}

static void FN(blur_split)(const float *const rows[3], int half, int beyond, float *even, float *odd) {
    enum { PIXEL = IMAGES * LANES };
    vector before[IMAGES], at[IMAGES];
    UNROLL for (int n = 0; n < IMAGES; n++) {
        before[n] = splat(0);
        at[n] = FN(across)(rows, (size_t)n * LANES);
        if (beyond) store(odd - PIXEL + n * LANES, FN(between)(before[n], before[n], at[n]));
    }
    for (int i = 0; i < half; i++, even += PIXEL, odd += PIXEL) UNROLL for (int n = 0; n < IMAGES; n++) {
            const size_t from = (size_t)(2 * i + 1) * PIXEL + (size_t)n * LANES;
            const vector next = FN(across)(rows, from);
            const vector after = i + 1 < half ? FN(across)(rows, from + PIXEL) : splat(0);
            FETCH_AHEAD(even + n * LANES);
            FETCH_AHEAD(odd + n * LANES);
            store(even + n * LANES, FN(between)(before[n], at[n], next));
            store(odd + n * LANES, FN(between)(at[n], next, after));
            before[n] = next;
            at[n] = after;
        }
    if (!beyond) return;
    UNROLL for (int n = 0; n < IMAGES; n++) store(even + n * LANES, FN(between)(before[n], at[n], at[n]));
}

static void FN(blur_join)(const float *const even[3], const float *const odd[3], int half, float *out) {
    enum { PIXEL = IMAGES * LANES };
    vector before[IMAGES], at[IMAGES];
    UNROLL for (int n = 0; n < IMAGES; n++) {
        const float *const beyond[3] = {odd[0] - PIXEL, odd[1] - PIXEL, odd[2] - PIXEL};
        before[n] = FN(across)(beyond, (size_t)n * LANES);
        at[n] = FN(across)(even, (size_t)n * LANES);
    }
    for (int i = 0; i < half; i++, out += 2 * PIXEL) UNROLL for (int n = 0; n < IMAGES; n++) {
            const size_t from = (size_t)i * PIXEL + (size_t)n * LANES;
            const vector next = FN(across)(odd, from), after = FN(across)(even, from + PIXEL);
            FETCH_AHEAD(out + n * LANES);
            FETCH_AHEAD(out + PIXEL + n * LANES);
            store(out + n * LANES, FN(between)(before[n], at[n], next));
            store(out + PIXEL + n * LANES, FN(between)(at[n], next, after));
            before[n] = next;
            at[n] = after;
        }
}

/* `many` rows of I, as many as registers hold sums, and q vectors of O; `used` of the rows count. */
INLINE void FN(outer_block)(const outer *o, const float *x, float *out, int used, const int many, const int q) {
    vector sum[2 * LANES];
    UNROLL for (int i = 0; i < many * q; i++) sum[i] = splat(0);
    for (int y = 0; y < o->rows; y++) {
        const float *in = x + o->x_row * (size_t)y, *dy = o->dy + o->dy_row * (size_t)y;
        for (int p = 0; p < o->pixels; p++, in += LANES, dy += LANES) {
            const vector first = load(dy), second = load(q > 1 ? dy + o->dy_block : dy);
            UNROLL for (int i = 0; i < many; i++) {
                const vector factor = splat(in[i]);
                sum[i * q] += factor * first;
                if (q > 1) sum[i * q + 1] += factor * second;
            }
        }
    }
    UNROLL for (int i = 0; i < many; i++) if (i < used) {
        float *to = out + o->out_row * (size_t)i;
        UNROLL for (int j = 0; j < q; j++, to += LANES) store(to, o->set ? sum[i * q + j] : load(to) + sum[i * q + j]);
    }
}

INLINE void FN(outer_blocks)(const outer *o, const int many, const int q) {
    for (int i = 0; i < o->in; i += many) FN(outer_block)
    (o, o->x + o->x_block * (size_t)(i / LANES) + i % LANES, o->out + o->out_row * (size_t)i, o->in - i, many, q);
}

static void FN(outer)(const outer *o) {
    enum { HALF = LANES > 4 ? LANES / 2 : LANES, FEW = LANES > 4 ? 4 : LANES }; /* colours are few */
    if (o->in <= FEW && o->vectors > 1)
        FN(outer_blocks)(o, FEW, 2);
    else if (o->in <= FEW)
        FN(outer_blocks)(o, FEW, 1);
    else if (o->vectors > 1)
        FN(outer_blocks)(o, HALF, 2);
    else
        FN(outer_blocks)(o, LANES, 1);
}

/* One dimension of stylegan.h's winograd_at, transposed: 4 values y [step] to n values m. */
INLINE void FN(at_adjoint)(const vector *y, int step, vector *m, const int n) {
    const vector a = y[0] + y[2 * step] * 0.5f, odd_a = (y[step] + y[3 * step] * 0.5f) * 0.70710678f;
    const vector b = y[0] + y[2 * step] * 2.0f, odd_b = (y[step] + y[3 * step] * 2.0f) * 1.41421356f;
    if (n == 6) *m++ = y[0];
    m[0] = a + odd_a;
    m[1] = a - odd_a;
    m[2] = b + odd_b;
    m[3] = b - odd_b;
    m[4] = y[3 * step];
}

/* One dimension of its winograd_g, transposed: n values u [step] to n - 3 values g. */
INLINE void FN(g_adjoint)(const vector *u, int step, vector *g, const int n) {
    const vector *e = n == 6 ? u + step : u;
    const vector sum_a = e[0] + e[step], sum_b = e[2 * step] + e[3 * step];
    const vector less_a = e[0] - e[step], less_b = e[2 * step] - e[3 * step];
    if (n == 6) {
        g[0] = u[0] + sum_b * (1 / 6.0f) - sum_a * (1 / 1.5f);
        g[1] = less_b * (1.41421356f / 6) - less_a * (0.70710678f / 1.5f);
        g[2] = e[4 * step] + sum_b * (1 / 3.0f) - sum_a * (1 / 3.0f);
    } else {
        g[0] = less_b * 0.23570226f - less_a * 0.47140452f; /* 1 / 3a, 1 / 3b */
        g[1] = e[4 * step] + sum_b * (1 / 3.0f) - sum_a * (1 / 3.0f);
    }
}

INLINE void FN(points_of)(const float *in, size_t row, size_t pixel, int tiles, float *out, size_t stride,
                          const int n) {
    for (int t = 0; t < tiles; t++, in += 4 * pixel, out += LANES) {
        vector d[4], v[4 * 6], m[6];
        UNROLL for (int y = 0; y < 4; y++) {
            UNROLL for (int x = 0; x < 4; x++) d[x] = load(in + row * (size_t)y + pixel * (size_t)x);
            FN(at_adjoint)(d, 1, v + y * n, n);
        }
        UNROLL for (int x = 0; x < n; x++) {
            FN(at_adjoint)(v + x, n, m, n);
            UNROLL for (int y = 0; y < n; y++) store(out + stride * (size_t)(y * n + x), m[y]);
        }
    }
}

static void FN(points)(const float *in, size_t row, size_t pixel, int n, int tiles, float *out, size_t stride) {
    if (n == 6)
        FN(points_of)(in, row, pixel, tiles, out, stride, 6);
    else
        FN(points_of)(in, row, pixel, tiles, out, stride, 5);
}

INLINE void FN(taps_of)(const float *in, size_t stride, size_t count, float *const *tap, const int n) {
    for (size_t i = 0; i < count; i += LANES) {
        vector u[6], v[6 * 3], g[3];
        UNROLL for (int y = 0; y < n; y++) {
            UNROLL for (int x = 0; x < n; x++) u[x] = load(in + i + stride * (size_t)(y * n + x));
            FN(g_adjoint)(u, 1, v + y * (n - 3), n);
        }
        UNROLL for (int x = 0; x < n - 3; x++) {
            FN(g_adjoint)(v + x, n - 3, g, n);
            UNROLL for (int y = 0; y < n - 3; y++) {
                float *to = tap[y * (n - 3) + x] + i;
                store(to, load(to) + g[y]);
            }
        }
    }
}

static void FN(taps)(const float *in, size_t stride, int n, size_t count, float *const *tap) {
    if (n == 6)
        FN(taps_of)(in, stride, count, tap, 6);
    else
        FN(taps_of)(in, stride, count, tap, 5);
}

static void FN(separate)(float *out, size_t image, const float *in, int pixels) {
    for (int p = 0; p < pixels; p++, out += LANES)
        for (size_t n = 0; n < IMAGES; n++, in += LANES) store(out + n * image, load(in));
}

static void FN(add)(float *y, const float *x, float scale, size_t count) {
    for (size_t i = 0; i < count; i += LANES) store(y + i, load(y + i) + load(x + i) * scale);
}

static const elementwise FN(table) = {
    LANES,
    IMAGES,
    FN(activate),
    FN(mask),
    FN(join),
    FN(fork),
    FN(add_doubled),
    FN(sum),
    FN(epilogue),
    FN(normalize),
    FN(normalize_sums),
    FN(epilogue_gradient),
    FN(demodulate),
    FN(demodulate_gradient),
    FN(clamp_row),
    FN(unclamp),
    FN(dot),
    FN(blur_split),
    FN(blur_join),
    FN(outer),
    FN(points),
    FN(taps),
    FN(separate),
    FN(add),
};

#undef vector
#undef load
#undef store
#undef splat
#undef lrelu
#undef slope_of
#undef INLINE
#endif
