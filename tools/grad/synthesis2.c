/* synthesis2.c - the synthesis of StyleGAN 2 (figures 2d and 7b): modulated convolutions, and an image that is the sum of
   what each resolution contributes. The paper does not grow it; where time is short, it may: a new level's contribution fades
   in. */
#include "synthesis.h"
#include "modulate.h"

#include <math.h>
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

/* In a residual level, layer 1 and the branch around the level share the variance. */
static double share_of(const generator *g, int level, int index) {
    return g->image == IMAGE_RESNET && level && index ? 0.70710678 : 1;
}

static void plan_layer(generator *g, int level, int index, const network_variant *variant, arena *a) {
    static const double root = 1.4142135623730951;
    g_layer *layer = &g->layer[level][index];
    const int size = 4 << level, out = index ? g->channels[level] : g->channels0[level];
    const int in = index ? g->channels0[level] : g->channels[level - 1];
    const double share = share_of(g, level, index);
    char name[32], text[64];
    snprintf(name, sizeof name, "b%d.conv%d", size, index);
    layer->conv = network_add_linear(&g->net, a, name, index ? CONVOLUTION_SAME : CONVOLUTION_SPREAD, 3, in, out,
                                     index ? size : size / 2, 1, 1, level, 0);
    layer->conv->energy = arena_take(a, energy_floats(&layer->conv->c));
    layer->bias = layer->conv->bias;
    snprintf(text, sizeof text, "%s.noise_strength", name);
    layer->strength = network_add(&g->net, text, 1, 1, out, 1, 0, 0, level, 0);
    layer->affine = plan_affine(g, name, in, level, a);
    layer->gain = share * (variant->gain > 0 ? variant->gain : root);
    layer->limit = variant->clamp > 0 ? variant->clamp * (float)share : INFINITY;
}

static void plan_to_rgb(generator *g, int level, int colors, const network_variant *variant, arena *a) {
    char name[32];
    snprintf(name, sizeof name, "b%d.torgb", 4 << level);
    g->to_rgb[level] = network_add_linear(&g->net, a, name, CONVOLUTION_SAME, 1, g->channels[level], colors, 4 << level,
                                          1, 1, level, 0);
    g->layer[level][TO_RGB] = (g_layer){.conv = g->to_rgb[level],
                                        .affine = plan_affine(g, name, g->channels[level], level, a),
                                        .limit = variant->clamp > 0 ? variant->clamp : INFINITY};
}

/* Its bias, which the weight file does not have, stays zero. */
static void plan_skip(generator *g, int level, arena *a) {
    char name[32];
    snprintf(name, sizeof name, "b%d.skip", 4 << level);
    g->skip[level] = network_add_linear(&g->net, a, name, CONVOLUTION_SAME, 1, g->channels[level - 1],
                                        g->channels[level], 2 << level, 1, 1, level, 0);
}

static void plan(generator *g, const network_shape *shape, const network_variant *variant, arena *a) {
    g->constant = network_add(&g->net, "b4.const", 16, 1, g->channels0[0], 1, 1, 0, 0, 0);
    for (int level = 0; level < g->levels; level++) {
        for (int index = first_layer(level); index < 2; index++) plan_layer(g, level, index, variant, a);
        if (g->image == IMAGE_SKIP || level == g->levels - 1) plan_to_rgb(g, level, shape->channels, variant, a);
        if (g->image == IMAGE_RESNET && level) plan_skip(g, level, a);
    }
}

/* ToRGB and what it adds to. */
static void take_image_maps(arena *a, const generator *g, int gradients, int l, g_maps *x) {
    const engine *e = g->net.engine;
    const int size = 4 << l, colors = g->to_rgb[l]->c.out, clamped = g->layer[l][TO_RGB].limit < INFINITY;
    x->rgb[l] = map_take(a, e, colors, size, 1);
    if (l && g->image == IMAGE_SKIP) x->below[l] = map_take(a, e, colors, size / 2, MOST_PLANES);
    if (!gradients) x->image[l] = x->below[l].size ? map_take(a, e, colors, size, 1) : x->rgb[l];
    if (gradients && clamped) x->image[l] = map_take(a, e, colors, size, 1);
}

static void take_branch_maps(arena *a, const generator *g, int l, g_maps *x) {
    const engine *e = g->net.engine;
    x->branch[l] = map_take(a, e, g->channels[l], 2 << l, 1);
    x->spread[l] = map_take(a, e, g->channels[l], 2 << l, MOST_PLANES);
    x->sum[l] = map_take(a, e, g->channels[l], 4 << l, 1);
}

static void take_maps(arena *a, const generator *g, int gradients, g_maps *x) {
    const engine *e = g->net.engine;
    size_t energy = 0;
    x->layer[0][0].y = map_take(a, e, g->channels0[0], 4, 1); /* the constant */
    for (int l = 0; l < g->levels; l++) {
        const int size = 4 << l;
        for (int i = first_layer(l); i < generator_layers(g, l); i++) {
            const convolution *c = &g->layer[l][i].conv->c;
            const int channels = c->out;
            x->layer[l][i].w = map_take(a, e, g->w_dim, 1, 1);
            x->layer[l][i].style = map_take(a, e, c->in, 1, 1);
            if (!gradients || i == TO_RGB || (!i && g->skip[l]))
                x->layer[l][i].modulated = map_take(a, e, c->in, c->size, 1);
            if (i == TO_RGB) continue;
            x->layer[l][i].scale = map_take(a, e, channels, 1, 1);
            x->layer[l][i].y = map_take(a, e, channels, size, 1);
            if (!i && !c->matrix) x->layer[l][i].planes = map_take(a, e, channels, size / 2, MOST_PLANES);
            if (!gradients) x->layer[l][i].noise = arena_take(a, (size_t)(size * size * e->images));
            if (energy_floats(c) > energy) energy = energy_floats(c);
        }
        if (g->to_rgb[l]) take_image_maps(a, g, gradients, l, x);
        if (g->skip[l]) take_branch_maps(a, g, l, x);
    }
    if (gradients) x->energy = arena_take(a, energy);
}

/* --- Forward --- */

/* What a level hands on. */
static const map *output_of(const g_maps *x, int level) {
    return x->sum[level].channels ? &x->sum[level] : &x->layer[level][1].y;
}

/* The map that a layer's convolution sees, before its modulation. */
static const map *input_of(const g_maps *x, int level, int index) {
    return index == 0 ? output_of(x, level - 1) : index == 1 ? &x->layer[level][0].y : output_of(x, level);
}

static demodulate end_of(const generator *g, const g_maps *x, int level, int index) {
    const g_layer *layer = &g->layer[level][index];
    return (demodulate){g->net.engine,
                        &x->layer[level][index].scale,
                        x->layer[level][index].noise,
                        network_value(&g->net, layer->strength),
                        network_value(&g->net, layer->bias),
                        layer->limit};
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
    demodulation(style, conv->energy, g->layer[level][index].gain, end.scale);
    if (index)
        convolution_forward(&conv->c, modulated, y, &f, &s->convolution);
    else
        blurred_forward(&conv->c, modulated, planes, y, &f, &s->convolution);
}

/* IMAGE_RESNET: a level's output is the sum of layer 1 and its up-sampled input. */
static void branch_forward(const generator *g, g_maps *x, int level, const scratch *s) {
    const engine *e = g->net.engine;
    convolution_forward(&g->skip[level]->c, output_of(x, level - 1), &x->branch[level], NULL, &s->convolution);
    blur_double(e, &x->branch[level], &x->sum[level], NULL);
    map_add(e, &x->layer[level][1].y, &x->sum[level]);
}

/* The image so far = the image of the level below, up-sampled, + share * ToRGB; a new level fades in. */
static void to_rgb_forward(const generator *g, g_maps *x, int level, float share, const scratch *s) {
    const engine *e = g->net.engine;
    const map *modulated = &x->layer[level][TO_RGB].modulated;
    const float limit = g->layer[level][TO_RGB].limit;
    const finish f = finish_activate(e, g->to_rgb[level]->used_bias, 1);
    style_forward(g, x, level, TO_RGB, s);
    modulate(e, input_of(x, level, TO_RGB), &x->layer[level][TO_RGB].style, modulated);
    convolution_forward(&g->to_rgb[level]->c, modulated, &x->rgb[level], &f, &s->convolution);
    if (limit < INFINITY) map_clamp(e, &x->rgb[level], limit);
    if (!x->below[level].size) return;
    const finish sum = finish_add(e, &x->rgb[level], share);
    blur_double(e, &x->image[level - 1], &x->image[level], &sum);
}

static void forward(const generator *g, growth at, g_maps *x, const scratch *s) {
    constant_forward(g, &x->layer[0][0].y);
    for (int level = 0; level <= at.top; level++) {
        for (int index = first_layer(level); index < 2; index++) layer_forward(g, x, level, index, s);
        if (g->skip[level]) branch_forward(g, x, level, s);
        if (g->to_rgb[level]) to_rgb_forward(g, x, level, level == at.top ? at.fade : 1, s);
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
    const float limit = g->layer[level][TO_RGB].limit;
    if (limit < INFINITY) {
        map_unclamp(g->net.engine, d_rgb, &x->rgb[level], limit, &dx->image[level]);
        d_rgb = &dx->image[level];
    }
    linear_gradient(g, conv, &x->layer[level][TO_RGB].modulated, d_rgb, gradient, s);
    if (gradient) map_sum(g->net.engine, d_rgb, gradient_of(g, gradient, conv->bias));
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
    const map *modulated = &x->layer[level][index].modulated;
    const map *d_scale = &dx->layer[level][index].scale, *d_input = input_of(dx, level, index);
    float *d_noise = dx->layer[level][index].noise;
    demodulate_gradient(&end, &x->layer[level][index].y, dy, d_scale,
                        gradient_or(g, gradient, layer->bias, dx->ignored),
                        gradient_or(g, gradient, layer->strength, dx->ignored));
    if (d_noise) layer_noise_gradient(g, layer, end.scale, dy, dx->factor, d_noise);
    if (index) {
        linear_gradient(g, conv, modulated, dy, gradient, s);
        convolution_backward(&conv->c, dy, d_input, NULL, &s->convolution);
    } else {
        blurred_backward(&conv->c, dy, planes, d_input, NULL, &s->convolution);
        if (gradient)
            blurred_gradient(&conv->c, modulated, dy, planes, gradient_of(g, gradient, conv->weight), &s->convolution);
    }
    modulation_backward(g, x, dx, level, index, d_input);
    demodulation_gradient(&conv->c, &x->layer[level][index].style, network_value(&g->net, conv->weight), conv->energy,
                          layer->gain, end.scale, d_scale, &dx->layer[level][index].style,
                          gradient_of(g, gradient, conv->weight), dx->energy);
    style_backward(g, x, dx, level, index, gradient, s);
}

/* The level's gradient goes to layer 1 as it is ... */
static void branch_split(const generator *g, g_maps *dx, int level) {
    const engine *e = g->net.engine;
    map_scale(e, &dx->sum[level], 1, &dx->layer[level][1].y);
    blur_halve(e, &dx->sum[level], &dx->spread[level], &dx->branch[level]);
}

/* ... and around the level to the one below. */
static void branch_backward(const generator *g, g_maps *x, g_maps *dx, int level, float *gradient, const scratch *s) {
    const map *around = &dx->layer[level][0].modulated;
    linear_gradient(g, g->skip[level], output_of(x, level - 1), &dx->branch[level], gradient, s);
    convolution_backward(&g->skip[level]->c, &dx->branch[level], around, NULL, &s->convolution);
    map_add(g->net.engine, around, output_of(dx, level - 1));
}

static void backward(const generator *g, growth at, g_maps *x, g_maps *dx, const map *d_image, float *gradient,
                     const scratch *s) {
    const engine *e = g->net.engine;
    for (int level = at.top; level >= 0; level--) {
        const map *dy = output_of(dx, level), *share = &dx->layer[level][TO_RGB].modulated;
        const map *d_rgb = level == at.top && growth_fades(at) ? &dx->rgb[level] : d_image;
        if (d_rgb != d_image) map_scale(e, d_image, at.fade, d_rgb);
        if (g->to_rgb[level]) to_rgb_backward(g, x, dx, level, d_rgb, level < at.top ? share : dy, gradient, s);
        if (g->to_rgb[level] && level < at.top) map_add(e, share, dy);
        if (x->below[level].size) {
            blur_halve(e, d_image, &dx->below[level], &dx->rgb[level - 1]);
            d_image = &dx->rgb[level - 1];
        }
        if (g->skip[level]) branch_split(g, dx, level);
        for (int index = 1; index >= first_layer(level); index--) layer_backward(g, x, dx, level, index, gradient, s);
        if (g->skip[level]) branch_backward(g, x, dx, level, gradient, s);
        if (level) network_tell_final(s, level);
    }
    constant_backward(g, &dx->layer[0][0].y, gradient);
}

/* --- Export --- */

/* stylegan.h multiplies by sqrt(2) after the activation, this trainer before; the demodulation takes any factor out of
   the weights. */
static void write_layers(const generator *g, growth at, const float *values, weights *w) {
    float filter[16];
    for (int i = 0; i < 16; i++) filter[i] = (i / 4 % 3 ? 3.0f : 1.0f) * (i % 4 % 3 ? 3.0f : 1.0f) / 64;
    w->config.family = STYLEGAN_FAMILY_2;
    w->config.architecture = STYLEGAN_SKIP;
    w->config.activation_gain = (float)g->layer[0][1].gain;
    weights_add_values(w, "fir", 2, (const int32_t[2]){4, 4}, filter);
    for (int level = 0; level <= at.top; level++) {
        for (int index = first_layer(level); index < 2; index++) {
            const double factor = 1 / g->layer[level][index].gain;
            export_convolution(g, g->layer[level][index].conv, values, factor, w);
            export_noise(g, level, index, values, factor, w);
            export_dense(g, g->layer[level][index].affine, values, 0, w);
        }
        if (g->skip[level]) export_weight(g, g->skip[level], values, 1, w);
        if (!g->to_rgb[level]) continue;
        export_convolution(g, g->to_rgb[level], values, level == at.top ? (double)at.fade : 1, w);
        export_dense(g, g->layer[level][TO_RGB].affine, values, 0, w);
    }
}

const synthesis synthesis2 = {plan, take_maps, forward, backward, write_layers};
