/* generator.h - the generator: the mapping network, and the synthesis of StyleGAN 1 or 2; see stylegan.h,
   >>architecture. */
#ifndef GENERATOR_H
#define GENERATOR_H

#include "network.h"
#include "../model/weights.h"

enum { MOST_MAPPING = 16, MOST_LAYERS = 3 }; /* of a level: two convolutions and, in StyleGAN 2, ToRGB take styles */

/* A layer that takes a style. StyleGAN 1: convolution (the first level's first layer has none), noise, bias, AdaIN.
   StyleGAN 2: modulated convolution (the first level has but one), noise, bias. ToRGB: no noise. */
typedef struct g_layer {
    linear *conv; /* with its bias */
    linear *affine;
    int bias, strength;
} g_layer;

/* Level l works at R = 4 << l with C_l channels; layer 0 up-samples the level below. */
typedef struct generator {
    network net;
    int architecture, levels, channels[MOST_LEVELS], z_dim, w_dim, labels, mapping_layers;
    int embed;    /* parameter [K][E], E = z_dim; only with labels */
    int constant; /* parameter [4 * 4][C_0] */
    linear *mapping[MOST_MAPPING], *to_rgb[MOST_LEVELS];
    g_layer layer[MOST_LEVELS][MOST_LAYERS];
} generator;

/* Everything that flows through it for one shard, or, where they make sense, the gradients of that. */
typedef struct g_maps {
    struct {                      /* the two latents of style mixing */
        map input;                /* [z_dim + E][1][1]: z, then the embedded label */
        map normal;               /* the same with unit mean square */
        map hidden[MOST_MAPPING]; /* [D][1][1]; the last one is w */
        float *factor;            /* [N]: of the normalisation */
    } latent[2];
    int crossover[SHARD]; /* layers from here on take the second latent */
    struct {
        map w;         /* [D][1][1]: of the latent that this layer takes */
        map style;     /* StyleGAN 1: [2 * C_l rounded up to 16][1][1]; 2: [input channels][1][1] */
        map modulated; /* StyleGAN 2: the layer's input times the style */
        map scale;     /* StyleGAN 2: [C_l][1][1], the demodulation */
        map planes;    /* layer 0: four planes [C_l][R/2][R/2] of the up-sampling convolution's output */
        map activated; /* StyleGAN 1: [C_l][R][R] after noise, bias, lrelu */
        map y;         /* [C_l][R][R]: the layer's output, after AdaIN in StyleGAN 1 */
        float *noise;  /* [R][R][N]; NULL: none */
        adain adain;
    } layer[MOST_LEVELS][MOST_LAYERS];
    map rgb[MOST_LEVELS]; /* [3][R][R]: ToRGB's output */
    map image
        [MOST_LEVELS]; /* [3][R][R]: StyleGAN 1: blended with the level below's, while fading; 2: the image so far */
    map below[MOST_LEVELS]; /* StyleGAN 2: four planes [3][R/2][R/2], the image of the level below, up-sampled */
    float *energy;          /* scratch */
} g_maps;

void generator_plan(generator *g, const network_shape *shape, const engine *e, arena *a);
g_maps g_maps_take(arena *a, const generator *g, int gradients);
void generator_scratch_fit(const generator *g, convolution_scratch *s);

/* From latent[].input's z, crossover and noise to generator_image. labels [N][K] or NULL. */
void generator_forward(const generator *g, growth at, g_maps *x, const float *labels, const scratch *s);

const map *generator_image(const g_maps *x, growth at);

/* From the image's gradient to that of all parameters: gradient [floats] +=. dx is scratch for the gradients. */
void generator_backward(const generator *g, growth at, g_maps *x, g_maps *dx, const map *d_image, const float *labels,
                        float *gradient, const scratch *s);

/* The network as named tensors for stylegan.h, with the given parameter values. */
void generator_export(const generator *g, growth at, const float *values, const float *w_avg, weights *w);

#endif
