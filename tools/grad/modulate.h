/* modulate.h - StyleGAN 2's modulated convolutions (section 2.2) around the plain ones: as a convolution is linear, its
   input takes the style and its output the demodulation, and the images of a shard share the weights. Shapes as in
   layers.h; a style is a vector [C][1][1]. */
#ifndef MODULATE_H
#define MODULATE_H

#include "layers.h"

/* y = style * x */
void modulate(const engine *e, const map *x, const map *style, const map *y);
/* dy becomes the gradient of x, d_style that of the style */
void modulate_gradient(const engine *e, const map *x, const map *style, const map *dy, const map *d_style);

/* energy [I][O rounded up to 16]: the sum over the taps of (gain * weight)^2, after every change of the weights. */
size_t energy_floats(const convolution *c);
void energy_prepare(const convolution *c, const float *weights, float *energy);

/* scale [O][1][1] = gain / sqrt(sum over i of style^2 * energy + 1e-8); sqrt(2) keeps the variance through an lrelu */
void demodulation(const map *style, const float *energy, double gain, const map *scale);

/* The end of a layer: a = lrelu(scale * x + strength * noise + bias) within +-limit, noise [S][S][N]. */
typedef struct demodulate {
    const engine *engine;
    const map *scale;
    const float *noise, *strength, *bias;
    float limit; /* INFINITY: none */
} demodulate;
finish finish_demodulate(const demodulate *d);

/* At a: dy becomes the gradient of x; d_bias, d_strength [O] are added to; d_scale [O][1][1] is scale times the gradient
   of scale. */
void demodulate_gradient(const demodulate *d, const map *a, const map *dy, const map *d_scale, float *d_bias,
                         float *d_strength);
/* From there on: d_style [I][1][1] +=, gradient += that of gain * weight, unless it is NULL. d_energy: scratch as energy;
   d_scale is used up. */
void demodulation_gradient(const convolution *c, const map *style, const float *weights, const float *energy,
                           double gain, const map *scale, const map *d_scale, const map *d_style, float *gradient,
                           float *d_energy);

#endif
