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
    int bias, strength, quiet; /* quiet: without noise */
    double gain;               /* StyleGAN 2: after the activation */
    float limit;               /* what clamps the result, INFINITY: nothing */
} g_layer;

/* Level l works at R = 4 << l with C_l channels, layer 0 with C0_l; layer 0 up-samples the level below. */
typedef struct generator {
    network net;
    int architecture, levels, channels[MOST_LEVELS], channels0[MOST_LEVELS], z_dim, w_dim, labels, mapping_layers;
    int embed;    /* parameter [K][E], E = z_dim; only with labels */
    int constant; /* parameter [4 * 4][C_0] */
    int image;    /* network_image */
    linear *mapping[MOST_MAPPING];
    linear *to_rgb[MOST_LEVELS]; /* but for IMAGE_SKIP, of the last level */
    linear *skip[MOST_LEVELS];   /* IMAGE_RESNET: 1x1 convolution around the level, but for the first */
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
        map planes;    /* layer 0: four planes [C_l][R/2][R/2] of the up-sampling convolution's output; with matrix
                          units there are none */
        map activated; /* StyleGAN 1: [C_l][R][R] after noise, bias, lrelu */
        map y;         /* [C_l][R][R]: the layer's output, after AdaIN in StyleGAN 1 */
        float *noise;  /* [R][R][N]; NULL: none, or its gradient not wanted */
        adain adain;
    } layer[MOST_LEVELS][MOST_LAYERS];
    map rgb[MOST_LEVELS]; /* [3][R][R]: ToRGB's output */
    map image
        [MOST_LEVELS]; /* [3][R][R]: StyleGAN 1: blended with the level below's, while fading; 2: the image so far */
    map below[MOST_LEVELS];  /* StyleGAN 2: four planes [3][R/2][R/2], the image of the level below, up-sampled */
    map branch[MOST_LEVELS]; /* IMAGE_RESNET: [C_l][R/2][R/2], the level's input through `skip` */
    map spread[MOST_LEVELS]; /* the same in four planes, up-sampled */
    map sum[MOST_LEVELS];    /* [C_l][R][R]: of layer 1 and that */
    float *energy, *ignored, *factor; /* scratch */
} g_maps;

void generator_plan(generator *g, const network_shape *shape, const engine *e, arena *a);
/* mapping_layers 0: the synthesis alone */
void generator_plan_variant(generator *g, const network_shape *shape, const network_variant *variant, const engine *e,
                            arena *a);
typedef enum g_maps_kind { G_MAPS, G_GRADIENTS, G_NOISE_GRADIENTS } g_maps_kind; /* the last: of noise, too */
g_maps g_maps_take(arena *a, const generator *g, g_maps_kind kind);
void generator_scratch_fit(const generator *g, convolution_scratch *s);

/* From latent[].input's z, crossover and noise to generator_image. labels [N][K] or NULL. */
void generator_forward(const generator *g, growth at, g_maps *x, const float *labels, const scratch *s);

const map *generator_image(const g_maps *x, growth at);

/* From the image's gradient to that of all parameters: gradient [floats] +=. dx is scratch for the gradients. */
void generator_backward(const generator *g, growth at, g_maps *x, g_maps *dx, const map *d_image, const float *labels,
                        float *gradient, const scratch *s);

/* The synthesis alone, from layer[][].w and noise; and back, to the gradients of these. gradient NULL: of parameters none. */
void generator_synthesize(const generator *g, growth at, g_maps *x, const scratch *s);
void generator_synthesize_back(const generator *g, growth at, g_maps *x, g_maps *dx, const map *d_image,
                               float *gradient, const scratch *s);
int generator_first_layer(const generator *g, int level);         /* the first that takes a style */
int generator_layers(const generator *g, int level);              /* and their number, it and those before */
int generator_ws_index(const generator *g, int level, int index); /* the row of ws that a layer takes */

/* The network as named tensors for stylegan.h, with the given parameter values; w_avg may be NULL. */
void generator_export(const generator *g, growth at, const float *values, const float *w_avg, weights *w);

#endif
