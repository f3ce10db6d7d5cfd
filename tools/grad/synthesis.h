/* synthesis.h - the two synthesis networks, and what they share with the rest of the generator. */
#ifndef SYNTHESIS_H
#define SYNTHESIS_H

#include "generator.h"

/* One architecture: each function does its part of the generator's of the same name. `backward` tells of the levels that are
   final, but the first. */
typedef struct synthesis {
    void (*plan)(generator *g, const network_shape *shape, const network_variant *variant, arena *a);
    void (*take_maps)(arena *a, const generator *g, int gradients, g_maps *x);
    void (*forward)(const generator *g, growth at, g_maps *x, const scratch *s);
    void (*backward)(const generator *g, growth at, g_maps *x, g_maps *dx, const map *d_image, float *gradient,
                     const scratch *s);
    void (*write)(const generator *g, growth at, const float *values, weights *w);
} synthesis;
extern const synthesis synthesis1, synthesis2;

/* --- Styles --- */

/* style = A w; and back, to the gradient of w */
void style_forward(const generator *g, g_maps *x, int level, int index, const scratch *s);
void style_backward(const generator *g, g_maps *x, g_maps *dx, int level, int index, float *gradient, const scratch *s);

/* --- The learned constant [4][4][C] as the map of every image --- */

void constant_forward(const generator *g, const map *y);
void constant_backward(const generator *g, const map *dy, float *gradient);

/* --- Gradient of the noise: from that of what the noise is added to, times the layer's demodulation unless that is NULL --- */

void layer_noise_gradient(const generator *g, const g_layer *layer, const map *scale, const map *dx, float *factor,
                          float *d_noise);

/* --- Gradients of parameters --- */

/* Where `gradient` is NULL nothing is computed: gradient_of is NULL, and gradient_or a place that no one reads. */
float *gradient_of(const generator *g, float *gradient, int number);
float *gradient_or(const generator *g, float *gradient, int number, float *otherwise);
void linear_gradient(const generator *g, const linear *l, const map *x, const map *dy, float *gradient,
                     const scratch *s);

/* --- Export: parameters times their gain and `factor`, without padding; `first_group` is added to the first group --- */

void export_parameter(const generator *g, int number, const float *values, double factor, int dimensions,
                      const int32_t *shape, float first_group, weights *w);
void export_dense(const generator *g, const linear *l, const float *values, float first_group, weights *w);
/* weight [k][k][I][O], and with its bias */
void export_weight(const generator *g, const linear *l, const float *values, double factor, weights *w);
void export_convolution(const generator *g, const linear *l, const float *values, double factor, weights *w);
/* the constant noise of a layer, and its strength */
void export_noise(const generator *g, int level, int index, const float *values, double factor, weights *w);

#endif
