/* discriminator.h - tells real pictures from generated ones: the discriminator of ProGAN and StyleGAN, or, residual, that of
   StyleGAN 2. */
#ifndef DISCRIMINATOR_H
#define DISCRIMINATOR_H

#include "network.h"

/* Level l works at R = 4 << l with C_l = min(d_fmap_base / R, d_fmap_max) channels:

     fromRGB   [3][R][R]     -> [C_l][R][R]              1x1, lrelu           of the level at the top
     conv0     [C_l][R][R]   -> [C_l][R][R]              3x3, lrelu
     conv1     [C_l][R][R]   -> [C_l-1][R/2][R/2]        blur, 3x3, average pooling, lrelu
     skip      [C_l][R][R]   -> [C_l-1][R/2][R/2]        average pooling, 1x1; residual: the level's output is
                                                         (conv1 + skip) / sqrt(2)
   and at level 0
     stddev    [C_0][4][4]   -> [C_0 + 1][4][4]          minibatch standard deviation
     conv      [C_0 + 1][4][4] -> [C_0][4][4]            3x3, lrelu
     dense0    [16 C_0]      -> [C_0]                    lrelu
     dense1    [C_0]         -> [1], or [K]: the logit of every label */
typedef struct discriminator {
    network net;
    int residual, levels, channels[MOST_LEVELS], logits;
    linear *from_rgb[MOST_LEVELS], *conv0[MOST_LEVELS], *conv1[MOST_LEVELS], *skip[MOST_LEVELS];
    linear *conv, *dense0, *dense1;
} discriminator;

/* One value of everything that flows through it: the activations, their gradients, or their tangents. */
typedef struct d_maps {
    struct {
        map image;   /* [3][R][R] */
        map rgb;     /* [C_l][R][R]: fromRGB's output */
        map middle;  /* [C_l][R][R]: conv0's output */
        map blurred; /* four planes [C_l][R/2][R/2] of conv1's input; with matrix units there are none */
        map below;   /* [C_l][R][R]: the output of conv1 of the level above */
        map pooled;  /* [C_l][R/2][R/2]: of the level's input, for the skip connection */
        map skip;    /* [C_l][R][R]: the skip connection of the level above; of gradients only */
        map blend;   /* [C_l][R][R]: residual: of skip and below, the output of the level above */
        map faded;   /* [C_l][R][R]: of rgb and that output, while the level above fades in */
    } level[MOST_LEVELS];
    int residual;
    map stddev; /* [C_0 + 1][4][4] */
    map conv;   /* [C_0][4][4] */
    map flat;   /* [16 C_0][1][1] */
    map dense;  /* [C_0][1][1] */
    map logits; /* [1 or K][1][1] */
} d_maps;

void discriminator_plan(discriminator *d, const network_shape *shape, const engine *e, arena *a);
d_maps d_maps_take(arena *a, const discriminator *d);
void discriminator_scratch_fit(const discriminator *d, convolution_scratch *s);

/* From x->level[top].image to x->logits. With `at`, the activations of a forward pass, x is instead the derivative of
   everything along the direction x->level[top].image: the layers without biases, each lrelu with the slope it has there. */
void discriminator_forward(const discriminator *d, growth g, d_maps *x, const d_maps *at, const scratch *s);

/* From dx->logits to dx->level[top].rgb, at the activations x. `extra` (or NULL) is added to the gradient of the
   minibatch standard deviation's input. d_biases [floats] (or NULL) receives the gradients of the biases. */
void discriminator_backward(const discriminator *d, growth g, const d_maps *x, d_maps *dx, const map *extra,
                            float *d_biases, const scratch *s);

/* And from there to dx->level[top].image. */
void discriminator_image_gradient(const discriminator *d, growth g, d_maps *dx, const scratch *s);

/* gradient [floats] += for all weights: of inputs x and of gradients dx. */
void discriminator_gradient(const discriminator *d, growth g, const d_maps *x, const d_maps *dx, float *gradient,
                            const scratch *s);

/* gradient += that of R1 = factor / 2 * sum of |g|^2, g the gradient of dx->logits . logits with respect to the images, at
   the activations x of real ones, but for a part that passes through `extra` [C_0][4][4]: hand it to the next
   discriminator_backward. Returns the sum of |g|^2. */
double discriminator_r1(const discriminator *d, growth g, const d_maps *x, d_maps *dx, d_maps *tangent,
                        const map *extra, float factor, float *gradient, const scratch *s);

/* The input of level l's conv0 (of the minibatch standard deviation for l = 0). */
const map *discriminator_input(const d_maps *x, growth g, int level);

#endif
