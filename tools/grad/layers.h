/* layers.h - what both networks are made of, each operator with its gradient. Shapes: N images (a shard: 4, or 1), C channels,
   S x S pixels, I input and O output channels, V lanes of the instruction set, D the width of w. */
#ifndef LAYERS_H
#define LAYERS_H

#include "elementwise.h"
#include "../base/pool.h"
#include "../../stylegan.h"

#include <stdint.h>

enum { COLUMNS = 16, MOST_PLANES = 4 }; /* parameters have rows of a multiple of 16 values, the last ones zero */

/* The instruction set: the convolution of stylegan.h, and what comes between convolutions; and who computes. */
typedef struct engine {
    int lanes, vectors;  /* V; Q, vectors of output channels that a convolution computes at once */
    int images, threads; /* N; threads that share an operator's work */
    const void *kernels;
    const elementwise *elementwise;
    stylegan_isa isa;
    int mixed;           /* convolutions in mixed precision: factors in 16 bits, sums in 32 */
    pool *pool;          /* NULL: the calling thread alone */
    size_t worth_waking; /* floats of work from which on the others help */
} engine;

/* For shards of 4 images, each computed by one thread. NULL if the processor lacks the instruction set. */
const engine *engine_for(stylegan_isa isa);
/* The same in mixed precision. NULL if the instruction set has no matrix units, too. */
const engine *engine_for_mixed(stylegan_isa isa);
/* For a single image, on which the threads work together; the same bits for any number of them. Returns 0 if the processor
   lacks the instruction set. */
int engine_for_one(stylegan_isa isa, int threads, engine *e);
void engine_end(engine *e); /* what engine_for_one made */

/* Calls run(context, item, thread) for every item, on the engine's threads if they have enough to do: `floats` in all. */
void engine_each(const engine *e, size_t floats, int items, pool_item *run, void *context);

int round_up(int n, int to); /* to a multiple */

/* --- Memory: planned with base NULL, which only counts; then allocated, zeroed, and planned again --- */

typedef struct arena {
    float *base;
    size_t used; /* floats */
    void *memory;
} arena;
float *arena_take(arena *a, size_t count); /* 64-byte aligned, so that every arena is a whole number of vectors */
void arena_allocate(arena *a);             /* after counting; ends the program if memory is out */
void arena_free(arena *a);

/* --- Feature maps --- */

/* [planes][ceil(C/V)][S + 2][S + 2][N][V]: the border of one pixel, and the lanes beyond C, are always zero, so that a
   row of all images is one run of S * N pixels and every tap of a convolution a constant distance away. A vector is a
   map of S = 1. Four planes hold a map of 2S x 2S by its even and odd rows and columns: plane 2 * (y % 2) + x % 2. */
typedef struct map {
    float *data;
    int channels, size, planes, lanes, images;
} map;

map map_take(arena *a, const engine *e, int channels, int size, int planes);
int map_blocks(const map *m);                                  /* ceil(C/V) */
size_t map_row_floats(const map *m);                           /* between rows */
size_t map_block_floats(const map *m);                         /* between channel blocks */
size_t map_plane_floats(const map *m);                         /* between planes */
float *map_row(const map *m, int plane, int block, int y);     /* its first pixel inside the border */
size_t map_at(const map *m, int channel, int y, int x, int n); /* index into data, plane 0 */
void map_clear(const map *m);

/* Called for each row of W * N pixels of one channel block as soon as it is computed, while it is in the cache. */
typedef struct finish {
    void (*row)(const struct finish *f, int block, int y, float *row, int width);
    const engine *engine;
    const float *bias; /* [C] */
    float slope;       /* of the lrelu; 1: linear */
    const map *mask;   /* the lrelu's output */
    float *sum;        /* [C]: where the sum over images and pixels is added */
    const map *other;  /* what is added */
    float share;       /* ... times this */
    void *context;
} finish;

finish finish_activate(const engine *e, const float *bias, float slope); /* lrelu(x + bias) */
finish finish_mask(const engine *e, const map *mask, float *sum); /* x * lrelu'(mask), summed if sum is not NULL */

/* x + share * other */
finish finish_add(const engine *e, const map *other, float share);
/* share * (x + bias) + share * y, y's row; bias NULL: none */
finish finish_join(const engine *e, const float *bias, const map *y, float share);
/* x + factor * half, every pixel of `half` at 2x2 places; then, unless mask is NULL, as finish_mask */
finish finish_add_doubled(const engine *e, const map *half, float factor, const map *mask, float *sum);

/* --- Convolutions, with the equalised learning rate's gain --- */

typedef enum convolution_kind {
    CONVOLUTION_SAME,   /* 3x3 or 1x1 (on S = 1: fully connected) */
    CONVOLUTION_UP,     /* 3x3 after nearest-neighbour up-sampling: S to four planes of S */
    CONVOLUTION_SPREAD, /* the same, and the pixels -1 and 2S that it reaches beyond them, in the planes' borders: with
                           the blur, StyleGAN 2's transposed convolution and low-pass filter */
    CONVOLUTION_DOWN    /* 3x3 followed by average pooling: four planes of S to S */
} convolution_kind;

typedef struct convolution {
    const engine *engine;
    convolution_kind kind;
    int kernel, in, out, size; /* size: S, of one plane */
    float gain;
    int taps;                  /* of the folded weights: kernel^2, or 16 for UP and DOWN */
    int points;                /* of Winograd's algorithm along one axis, 6 or 5; 0: computed directly */
    int matrix;                /* computed by matrix units */
    float *edge;               /* SPREAD: the weights as panels for the pixels beyond */
    float *forward, *backward; /* the weights as panels, [taps][I][q][V], and transposed, [taps][O][q][V]; with Winograd
                                  those of every point; for matrix units in 16 bits */
} convolution;

convolution convolution_take(arena *a, const engine *e, convolution_kind kind, int kernel, int in, int out, int size,
                             double gain);
size_t convolution_weights(const convolution *c); /* [k][k][I][O rounded up to 16] */

/* Scratch that the threads of an engine need for any of these convolutions. */
typedef struct convolution_scratch {
    int threads;
    float *folded, *panels, *sums, *tiled, *halves, *strips, *separated, *points, *products;
    size_t folded_size, panels_size, sums_size, tiled_size, halves_size, strips_size, separated_size, points_size,
        products_size;
} convolution_scratch;
void convolution_scratch_fit(convolution_scratch *s, const convolution *c); /* grows the sizes */
void convolution_scratch_take(arena *a, convolution_scratch *s);

/* After every change of the weights. */
void convolution_prepare(const convolution *c, const float *weights, const convolution_scratch *s);
/* y = W x */
void convolution_forward(const convolution *c, const map *x, const map *y, const finish *f,
                         const convolution_scratch *s);
/* dx = transpose of W dy */
void convolution_backward(const convolution *c, const map *dy, const map *dx, const finish *f,
                          const convolution_scratch *s);
/* dW[tap][i][o] += sum over images and pixels of x[pixel + tap][i] * dy[pixel][o]: the gradient of gain * weight */
void convolution_gradient(const convolution *c, const map *x, const map *dy, float *gradient,
                          const convolution_scratch *s);

/* --- Between convolutions --- */

/* The binomial filter [1 2 1] / 4 in both directions, zero outside the picture: its own adjoint. One side is a map of
   2S x 2S, the other its four planes. With `beyond`, the pixels -1 and 2S of the planes' side are set too; blur_join
   always takes them along. */
void blur_split(const engine *e, const map *x, const map *planes, int beyond);
void blur_join(const engine *e, const map *planes, const map *y, const finish *f);
/* x with its pixels doubled, blurred to y, twice as large; and the adjoint, for which `planes` are scratch. */
void blur_double(const engine *e, const map *x, const map *y, const finish *f);
void blur_halve(const engine *e, const map *x, const map *planes, const map *y);
/* blur_split a row at a time: of row y (with `beyond` -1 or 2S, too) the even and the odd pixels. */
void blur_split_row(const engine *e, const map *x, int block, int y, int beyond, float *even, float *odd);

/* Convolutions with the blur: before DOWN, after UP and SPREAD, x, y, dx and dy maps of 2S x 2S on that side. `planes` is what
   lies between, its gradient in the backward pass, after which comes that of the weights, with x's or dy's planes; with matrix
   units, NULL or not, it is never used. */
void blurred_forward(const convolution *c, const map *x, const map *planes, const map *y, const finish *f,
                     const convolution_scratch *s);
void blurred_backward(const convolution *c, const map *dy, const map *planes, const map *dx, const finish *f,
                      const convolution_scratch *s);
void blurred_gradient(const convolution *c, const map *x, const map *dy, const map *planes, float *gradient,
                      const convolution_scratch *s);

/* y = factor * the sum of 2x2 pixels: average pooling with 1/4; with 1 the adjoint of nearest-neighbour up-sampling. */
void map_pool(const engine *e, const map *x, const map *y, float factor);
/* y = previous * y + factor * x, every pixel of x at 2x2 places */
void map_unpool(const engine *e, const map *x, const map *y, float previous, float factor);
/* y = share_a * a + share_b * b */
void map_blend(const engine *e, const map *a, float share_a, const map *b, float share_b, const map *y);
/* y = t * x * lrelu'(mask), sum as above */
void map_scale_mask(const engine *e, const map *x, float t, const map *mask, const map *y, float *sum);
/* a = share * dy * lrelu'(y), b = share * dy; sums as above */
void map_fork(const engine *e, const map *dy, float share, const map *y, const map *a, float *sum_a, const map *b,
              float *sum_b);
void map_sum(const engine *e, const map *x, float *sum);              /* sum [C] += over images and pixels */
void map_scale(const engine *e, const map *x, float t, const map *y); /* y = t * x */
double map_square(const map *x);                                      /* the sum of all squares */
void map_add(const engine *e, const map *x, const map *y);            /* y += x */
void map_finish(const map *x, const finish *f);                       /* finishes every row */
void map_flatten(const map *x, const map *y);                         /* [C][4][4] to [4 * 4 * C][1][1] */
void map_unflatten(const map *x, const map *y, const finish *f);      /* and back */

/* d_noise [S][S][N] = the sum over the channels of dx * factor, factor [C/V][N][V]. */
void noise_gradient(const engine *e, const map *dx, const float *factor, float *d_noise);
/* x within +-limit; to = dy where |y| is below the limit, otherwise 0. */
void map_clamp(const engine *e, const map *x, float limit);
void map_unclamp(const engine *e, const map *dy, const map *y, float limit, const map *to);

/* AdaIN of a layer: style [2 * C rounded up to 16][1][1], the scales (one is added), then the shifts. */
typedef struct adain {
    float *mean, *deviation;                      /* [C/V][N][V], of the current activations */
    float *scale, *shift, *slope, *sum, *product; /* [C/V][N][V], scratch */
} adain;
adain adain_take(arena *a, const engine *e, int channels);

/* The epilogue of a generator's layer: a = lrelu(x + strength * noise + bias), noise [S][S][N], gathering the moments
   on the way. Reset before the first row. */
typedef struct epilogue {
    const engine *engine;
    const float *noise, *strength, *bias;
    const adain *moments;
} epilogue;
void epilogue_reset(const epilogue *p, int channels);
finish finish_epilogue(const epilogue *p);

/* y = style scale * (a - mean) / std + style shift */
void adain_forward(const engine *e, const adain *n, const map *a, const map *style, const map *y);
/* dy becomes the gradient of the epilogue's input; d_style [2C], d_bias and d_strength [C] are added to (the latter
   two) or set */
void adain_backward(const engine *e, const adain *n, const map *a, const map *style, const map *dy, const map *d_style,
                    const float *noise, float *d_bias, float *d_strength);

/* Minibatch standard deviation (ProGAN, section 3): y [C + 1] = x [C] and the deviation s = mean over channels and pixels
   j of sigma_j, sigma_j^2 = mean over the N images of (x_nj - mean_j)^2 + 1e-8. */
void stddev_forward(const map *x, const map *y);
/* The directional derivative: t [C] to u [C + 1], at x. */
void stddev_tangent(const map *x, const map *t, const map *u);
/* dx from dy, at x. */
void stddev_backward(const map *x, const map *dy, const map *dx);
/* dx += the gradient of (sum of dy's last channel) * (the directional derivative of s along t), with respect to x. */
void stddev_second(const map *x, const map *t, const map *dy, const map *dx);

/* x = x / sqrt(mean(x^2) + 1e-8) of each image, and its gradient: dx from dy at y = the output. factor [N]. */
void pixel_norm_forward(const map *x, const map *y, float *factor);
void pixel_norm_backward(const map *y, const float *factor, const map *dy, const map *dx);

#endif
