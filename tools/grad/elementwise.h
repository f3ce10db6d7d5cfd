/* elementwise.h - what happens to feature maps between the convolutions, a row at a time, for each vector width.

   V lanes of channels lie together, and the N images of a shard, 4 or 1, lie side by side: a row is [W][N][V], W * N pixels.
   What belongs to a channel is [V]; what belongs to an image and a channel is [N][V]. lrelu has slope 0.2. */
#ifndef ELEMENTWISE_H
#define ELEMENTWISE_H

#include <stddef.h>

/* Functions whose loops GCC would leave one by one at -O2: those over parameters, in the compiler's own vectors. */
#if defined __GNUC__ && !defined __clang__
#define LOOPS __attribute__((optimize("O3", "no-math-errno")))
#else
#define LOOPS
#endif

/* What is about to be stored, a page ahead: memory that is not in the cache must be fetched first. */
#ifdef __GNUC__
#define FETCH_AHEAD(p) __builtin_prefetch((const char *)(p) + 4096, 1)
#else
#define FETCH_AHEAD(p) ((void)0)
#endif

enum { SHARD = 4 }; /* N of a training shard, and the largest N */

/* A gradient of weights. Pixels lie V floats apart, in `rows` rows. */
typedef struct outer {
    const float *x, *dy;
    size_t x_block, dy_block, x_row, dy_row; /* floats between channel blocks, between rows */
    int rows, pixels, in, vectors;           /* I; vectors of O, 1 or 2 */
    float *out;
    size_t out_row; /* floats between the rows of out */
    int set;        /* out = instead of += */
} outer;

typedef struct elementwise {
    int lanes, images; /* V, N */
    /* x = lrelu(x + bias) with any slope up to 1 */
    void (*activate)(float *x, int pixels, const float *bias, float slope);
    /* x = x * lrelu'(y), y the output of the lrelu (it has the sign of the input); sum += the sum over all pixels */
    void (*mask)(float *x, const float *y, int pixels, float *sum);
    /* x = share * (x + bias) + share * y */
    void (*join)(float *x, const float *y, int pixels, const float *bias, float share);
    /* a = share * dy * lrelu'(y), b = share * dy, and the sums over all pixels are added to theirs */
    void (*fork)(float *a, float *b, const float *dy, const float *y, int pixels, float share, float *sum_a,
                 float *sum_b);
    /* x += factor * half, every pixel of half [W / 2][N] at two places of x */
    void (*add_doubled)(float *x, const float *half, int width, float factor);
    /* sum += the sum over all pixels */
    void (*sum)(const float *x, int pixels, float *sum);
    /* x = lrelu(x + strength * noise + bias), noise [W][N]; mean and deviation [N][V], the mean and the sum of squared
       deviations of the rows before this one, number y, become those including it */
    void (*epilogue)(float *x, int width, const float *noise, const float *strength, const float *bias, int y,
                     float *mean, float *deviation);
    /* y = (a - mean) * scale + shift, all three [N][V] */
    void (*normalize)(float *y, const float *a, int width, const float *mean, const float *scale, const float *shift);
    /* sum += dy, product += dy * (a - mean), summed over the row */
    void (*normalize_sums)(const float *dy, const float *a, int width, const float *mean, float *sum, float *product);
    /* dx = (dy * scale + shift + slope * (a - mean)) * lrelu'(a), in place; d_bias += dx, d_strength += dx * noise */
    void (*epilogue_gradient)(float *dy, const float *a, int width, const float *mean, const float *scale,
                              const float *shift, const float *slope, const float *noise, float *d_bias,
                              float *d_strength);
    /* x = lrelu(x * scale + strength * noise + bias), scale [N][V], kept within +-limit */
    void (*demodulate)(float *x, int width, const float *scale, const float *noise, const float *strength,
                       const float *bias, float limit);
    /* From dy to dx, in place, at a = lrelu(h), h = x * scale + strength * noise + bias: dh = dy * lrelu'(a), or 0 at
       the limit, product [N][V] += dh * x * scale, d_bias += dh, d_strength += dh * noise, dx = dh * scale */
    void (*demodulate_gradient)(float *dy, const float *a, int width, const float *scale, const float *noise,
                                const float *strength, const float *bias, float limit, float *product, float *d_bias,
                                float *d_strength);
    /* x within +-limit */
    void (*clamp)(float *x, int pixels, float limit);
    /* out = dy where |y| is below the limit, otherwise 0 */
    void (*unclamp)(float *out, const float *dy, const float *y, int pixels, float limit);
    /* out [W][N] = the sum over the blocks, `block` floats from one to the next, and their lanes of x * factor, factor
       [blocks][N][V] */
    void (*dot)(float *out, const float *x, size_t block, int blocks, const float *factor, int width);
    /* The middle one of three rows [2 half][N][V], blurred by (1 2 1) / 4 down and across, its even and its odd columns;
       what lies beside the rows is 0. `beyond`: also odd column -1 and even column `half`. */
    void (*blur_split)(const float *const rows[3], int half, int beyond, float *even, float *odd);
    /* The same of rows that lie in their even and odd columns, [half + 1] and from -1 to half, to one row [2 half] */
    void (*blur_join)(const float *const even[3], const float *const odd[3], int half, float *out);
    /* out [I][O] += the sums over pixels of x [I] * dy [O] */
    void (*outer)(const outer *o);
    /* The adjoint of winograd_output: `tiles` tiles of 4x4 pixels, at in + y * row + x * pixel, to n x n points, point p
       of tile t at out[p * stride + t * V] */
    void (*points)(const float *in, size_t row, size_t pixel, int n, int tiles, float *out, size_t stride);
    /* The adjoint of winograd_weights: point p of `count` floats at in[p * stride], n x n points; tap[k][...] += */
    void (*taps)(const float *in, size_t stride, int n, size_t count, float *const *tap);
    /* in [pixels][N][V] to out [N][pixels][V], `image` floats from one image to the next */
    void (*separate)(float *out, size_t image, const float *in, int pixels);
    /* y += scale * x; count is a multiple of V */
    void (*add)(float *y, const float *x, float scale, size_t count);
} elementwise;

/* For V = 1, 4, 8 or 16 lanes, N = 1 or 4 images; the caller knows that the processor has them. */
const elementwise *elementwise_for(int lanes, int images);

#endif
