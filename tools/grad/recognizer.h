/* recognizer.h - a small network from pictures of 64 x 64 pixels to a list of outputs, such as the logits of categories. */
#ifndef RECOGNIZER_H
#define RECOGNIZER_H

#include "network.h"

/* 2 x 2 pixels are one of 12 channels at first, so that nothing is computed at the full resolution:

     picture   [3][64][64]   -> [12][32][32]
     conv0-1   [12][32][32]  -> [48][32][32]   3x3, lrelu, as all convolutions; the second one is followed by average pooling
     conv2-3   [48][16][16]  -> [96][16][16]   and so on
     conv4-5   [96][8][8]    -> [112][8][8]
     conv6     [112][4][4]   -> [64][4][4]
     dense     [1024]        -> [128]          lrelu: the features, by which pictures are compared
     output    [128]         -> [outputs] */
enum { RECOGNIZER_SIZE = 64, RECOGNIZER_CONVOLUTIONS = 7, RECOGNIZER_FEATURES = 128 };

typedef struct recognizer {
    network net;
    int outputs;
    linear *conv[RECOGNIZER_CONVOLUTIONS], *dense, *output;
} recognizer;

/* One value of everything that flows through it: the activations, or their gradients. */
typedef struct recognizer_maps {
    map picture;                       /* [12][32][32] */
    map conv[RECOGNIZER_CONVOLUTIONS]; /* the convolutions' outputs */
    map pooled[RECOGNIZER_CONVOLUTIONS];
    map flat, features, outputs; /* [1024], [128], [outputs] */
} recognizer_maps;

void recognizer_plan(recognizer *r, int outputs, const engine *e, arena *a);
recognizer_maps recognizer_maps_take(arena *a, const recognizer *r);
void recognizer_scratch_fit(const recognizer *r, convolution_scratch *s);
void recognizer_prepare(const recognizer *r, const convolution_scratch *s); /* after every change of the parameters */

/* Picture n of a shard: pixels [64][64][3], mirrored or not. */
void recognizer_load(const recognizer_maps *x, int n, const uint8_t *pixels, int mirror);

/* The same of an image [3][size][size] from -1 to 1; what lies beyond counts as these. Its size is a multiple of 64, of whose
   pixels means are taken. And back: gradient [3][size][size] += that of dx->picture. */
void recognizer_load_image(const recognizer_maps *x, int n, const float *image, int size);
void recognizer_image_gradient(const recognizer_maps *dx, int n, const float *image, int size, float *gradient);

/* From x->picture to x->outputs. */
void recognizer_forward(const recognizer *r, const recognizer_maps *x, const convolution_scratch *s);

/* gradient [floats] += that of all parameters, from dx->outputs, at the activations x. */
void recognizer_backward(const recognizer *r, const recognizer_maps *x, const recognizer_maps *dx, float *gradient,
                         const convolution_scratch *s);

/* From dx->features to dx->picture alone, at the activations x. */
void recognizer_backward_picture(const recognizer *r, const recognizer_maps *x, const recognizer_maps *dx,
                                 const convolution_scratch *s);

#endif
