/* synthesis2.c - the synthesis of StyleGAN 2 (figures 2d and 7b): modulated convolutions, and an image that is the sum of
   what each resolution contributes. The paper does not grow it; where time is short, it may: a new level's contribution fades
   in. */
#include "synthesis.h"
#include "modulate.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TO_RGB = 2 }; /* the third layer of a level that takes a style */

/* Layers of a level: 0 (not at 4 x 4) and 1. */
static int first_layer(int level) {
    return level ? 0 : 1;
}

/* --- Plan --- */

/* w to the styles of `in` channels, around one. */
static linear *plan_affine(generator *g, const char *layer, int in, int level, arena *a) {
    char name[64];
    snprintf(name, sizeof name, "%s.affine", layer);
    linear *l = network_add_linear(&g->net, a, name, CONVOLUTION_SAME, 1, g->w_dim, in, 1, 1, 1, level, 0);
    g->net.parameters[l->bias].mean = 1;
    return l;
}

static void plan_layer(generator *g, int level, int index, arena *a) {
    g_layer *layer = &g->layer[level][index];
    const int size = 4 << level, out = g->channels[level], in = index ? out : g->channels[level - 1];
    char name[32], text[64];
    snprintf(name, sizeof name, "b%d.conv%d", size, index);
    layer->conv = network_add_linear(&g->net, a, name, index ? CONVOLUTION_SAME : CONVOLUTION_SPREAD, 3, in, out,
                                     index ? size : size / 2, 1, 1, level, 0);
    layer->conv->energy = arena_take(a, energy_floats(&layer->conv->c));
    layer->bias = layer->conv->bias;
    snprintf(text, sizeof text, "%s.noise_strength", name);
    layer->strength = network_add(&g->net, text, 1, 1, out, 1, 0, 0, level, 0);
    layer->affine = plan_affine(g, name, in, level, a);
}

static void plan(generator *g, const network_shape *shape, arena *a) {
    g->constant = network_add(&g->net, "b4.const", 16, 1, g->channels[0], 1, 1, 0, 0, 0);
    for (int level = 0; level < g->levels; level++) {
        char name[32];
        for (int index = first_layer(level); index < 2; index++) plan_layer(g, level, index, a);
        snprintf(name, sizeof name, "b%d.torgb", 4 << level);
        g->to_rgb[level] = network_add_linear(&g->net, a, name, CONVOLUTION_SAME, 1, g->channels[level],
                                              shape->channels, 4 << level, 1, 1, level, 0);
        g->layer[level][TO_RGB] =
            (g_layer){.conv = g->to_rgb[level], .affine = plan_affine(g, name, g->channels[level], level, a)};
    }
}

static void take_maps(arena *a, const generator *g, int gradients, g_maps *x) {
    const engine *e = g->net.engine;
    size_t energy = 0;
    x->layer[0][0].y = map_take(a, e, g->channels[0], 4, 1); /* the constant */
    for (int l = 0; l < g->levels; l++) {
        const int size = 4 << l, channels = g->channels[l], colors = g->to_rgb[l]->c.out;
        for (int i = first_layer(l); i < MOST_LAYERS; i++) {
            const convolution *c = &g->layer[l][i].conv->c;
            x->layer[l][i].w = map_take(a, e, g->w_dim, 1, 1);
            x->layer[l][i].style = map_take(a, e, c->in, 1, 1);
            if (!gradients || i == TO_RGB) x->layer[l][i].modulated = map_take(a, e, c->in, c->size, 1);
            if (i == TO_RGB) continue;
            x->layer[l][i].scale = map_take(a, e, channels, 1, 1);
            x->layer[l][i].y = map_take(a, e, channels, size, 1);
            if (!i) x->layer[l][i].planes = map_take(a, e, channels, size / 2, MOST_PLANES);
            if (!gradients) x->layer[l][i].noise = arena_take(a, (size_t)(size * size * SHARD));
            if (energy_floats(c) > energy) energy = energy_floats(c);
        }
        x->rgb[l] = map_take(a, e, colors, size, 1);
        if (l) x->below[l] = map_take(a, e, colors, size / 2, MOST_PLANES);
        if (!gradients) x->image[l] = l ? map_take(a, e, colors, size, 1) : x->rgb[0];
    }
    if (gradients) x->energy = arena_take(a, energy);
}

/* --- Forward --- */

/* The map that a layer's convolution sees, before its modulation. */
static const map *input_of(const g_maps *x, int level, int index) {
    return index == 0 ? &x->layer[level - 1][1].y : index == 1 ? &x->layer[level][0].y : &x->layer[level][1].y;
}

static demodulate end_of(const generator *g, const g_maps *x, int level, int index) {
    const g_layer *layer = &g->layer[level][index];
    return (demodulate){g->net.engine, &x->layer[level][index].scale, x->layer[level][index].noise,
                        network_value(&g->net, layer->strength), network_value(&g->net, layer->bias)};
}

static void layer_forward(const generator *g, g_maps *x, int level, int index, const scratch *s) {
    const engine *e = g->net.engine;
    const linear *conv = g->layer[level][index].conv;
    const map *style = &x->layer[level][index].style, *modulated = &x->layer[level][index].modulated;
    const map *y = &x->layer[level][index].y, *planes = &x->layer[level][index].planes;
    const demodulate end = end_of(g, x, level, index);
    const finish f = finish_demodulate(&end);
    style_forward(g, x, level, index, s);
    modulate(e, input_of(x, level, index), style, modulated);
    demodulation(style, conv->energy, end.scale);
    if (index) {
        convolution_forward(&conv->c, modulated, y, &f, &s->convolution);
    } else {
        convolution_forward(&conv->c, modulated, planes, NULL, &s->convolution);
        blur_join(e, planes, y, &f, s->row);
    }
}

/* The image so far = the image of the level below, up-sampled, + share * ToRGB; a new level fades in. */
static void to_rgb_forward(const generator *g, g_maps *x, int level, float share, const scratch *s) {
    const engine *e = g->net.engine;
    const map *modulated = &x->layer[level][TO_RGB].modulated;
    const finish f = finish_activate(e, g->to_rgb[level]->used_bias, 1);
    style_forward(g, x, level, TO_RGB, s);
    modulate(e, input_of(x, level, TO_RGB), &x->layer[level][TO_RGB].style, modulated);
    convolution_forward(&g->to_rgb[level]->c, modulated, &x->rgb[level], &f, &s->convolution);
    if (!level) return;
    map_repeat(&x->image[level - 1], &x->below[level]);
    blur_join(e, &x->below[level], &x->image[level], NULL, s->row);
    map_blend(e, &x->image[level], 1, &x->rgb[level], share, &x->image[level]);
}

static void forward(const generator *g, growth at, g_maps *x, const scratch *s) {
    constant_forward(g, &x->layer[0][0].y);
    for (int level = 0; level <= at.top; level++) {
        for (int index = first_layer(level); index < 2; index++) layer_forward(g, x, level, index, s);
        to_rgb_forward(g, x, level, level == at.top ? at.fade : 1, s);
    }
}

/* --- Backward --- */

/* From the gradient of a modulated input to that of the input, in place, and of the style's first part. */
static void modulation_backward(const generator *g, g_maps *x, g_maps *dx, int level, int index, const map *dy) {
    modulate_gradient(g->net.engine, input_of(x, level, index), &x->layer[level][index].style, dy,
                      &dx->layer[level][index].style);
}

static void to_rgb_backward(const generator *g, g_maps *x, g_maps *dx, int level, const map *d_rgb, const map *to,
                            float *gradient, const scratch *s) {
    const linear *conv = g->to_rgb[level];
    linear_gradient(g, conv, &x->layer[level][TO_RGB].modulated, d_rgb, gradient, s);
    map_sum(g->net.engine, d_rgb, gradient_of(g, gradient, conv->bias));
    convolution_backward(&conv->c, d_rgb, to, NULL, &s->convolution);
    modulation_backward(g, x, dx, level, TO_RGB, to);
    style_backward(g, x, dx, level, TO_RGB, gradient, s);
}

/* From the gradient of a layer's y to that of its input. */
static void layer_backward(const generator *g, g_maps *x, g_maps *dx, int level, int index, float *gradient,
                           const scratch *s) {
    const g_layer *layer = &g->layer[level][index];
    const linear *conv = layer->conv;
    const demodulate end = end_of(g, x, level, index);
    const map *dy = &dx->layer[level][index].y, *planes = &dx->layer[level][index].planes;
    const map *d_scale = &dx->layer[level][index].scale, *d_input = input_of(dx, level, index);
    demodulate_gradient(&end, &x->layer[level][index].y, dy, d_scale, gradient_of(g, gradient, layer->bias),
                        gradient_of(g, gradient, layer->strength));
    if (!index) blur_split(g->net.engine, dy, planes, 1, s->row);
    linear_gradient(g, conv, &x->layer[level][index].modulated, index ? dy : planes, gradient, s);
    convolution_backward(&conv->c, index ? dy : planes, d_input, NULL, &s->convolution);
    modulation_backward(g, x, dx, level, index, d_input);
    demodulation_gradient(&conv->c, &x->layer[level][index].style, network_value(&g->net, conv->weight), conv->energy,
                          end.scale, d_scale, &dx->layer[level][index].style, gradient_of(g, gradient, conv->weight),
                          dx->energy);
    style_backward(g, x, dx, level, index, gradient, s);
}

static void backward(const generator *g, growth at, g_maps *x, g_maps *dx, const map *d_image, float *gradient,
                     const scratch *s) {
    const engine *e = g->net.engine;
    for (int level = at.top; level >= 0; level--) {
        const map *dy = &dx->layer[level][1].y, *share = &dx->layer[level][TO_RGB].modulated;
        const map *d_rgb = level == at.top && growth_fades(at) ? &dx->rgb[level] : d_image;
        if (d_rgb != d_image) map_scale(e, d_image, at.fade, d_rgb);
        to_rgb_backward(g, x, dx, level, d_rgb, level < at.top ? share : dy, gradient, s);
        if (level < at.top) map_add(e, share, dy);
        if (level) {
            blur_split(e, d_image, &dx->below[level], 0, s->row);
            d_image = &dx->rgb[level - 1];
            map_fold(e, &dx->below[level], d_image);
        }
        for (int index = 1; index >= first_layer(level); index--) layer_backward(g, x, dx, level, index, gradient, s);
        if (level) network_tell_final(s, level);
    }
    constant_backward(g, &dx->layer[0][0].y, gradient);
}

/* --- Export --- */

/* stylegan.h multiplies by sqrt(2) after the activation, this trainer before; the demodulation takes any factor out of
   the weights. */
static void write_layers(const generator *g, growth at, const float *values, weights *w) {
    static const double root = 1.4142135623730951;
    float filter[16];
    for (int i = 0; i < 16; i++) filter[i] = (i / 4 % 3 ? 3.0f : 1.0f) * (i % 4 % 3 ? 3.0f : 1.0f) / 64;
    w->config.family = STYLEGAN_FAMILY_2;
    w->config.architecture = STYLEGAN_SKIP;
    w->config.activation_gain = (float)root;
    weights_add_values(w, "fir", 2, (const int32_t[2]){4, 4}, filter);
    for (int level = 0; level <= at.top; level++) {
        for (int index = first_layer(level); index < 2; index++) {
            export_convolution(g, g->layer[level][index].conv, values, 1 / root, w);
            export_noise(g, level, index, values, 1 / root, w);
            export_dense(g, g->layer[level][index].affine, values, 0, w);
        }
        export_convolution(g, g->to_rgb[level], values, level == at.top ? (double)at.fade : 1, w);
        export_dense(g, g->layer[level][TO_RGB].affine, values, 0, w);
    }
}

const synthesis synthesis2 = {plan, take_maps, forward, backward, write_layers};
