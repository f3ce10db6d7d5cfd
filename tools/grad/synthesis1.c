/* synthesis1.c - the synthesis of StyleGAN 1 (figure 1b): noise and AdaIN after every layer, grown progressively. */
#include "synthesis.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- Plan --- */

static void plan_layer(generator *g, int level, int index, arena *a) {
    const double lrelu = 1.4142135623730951;
    g_layer *layer = &g->layer[level][index];
    const int size = 4 << level, channels = index ? g->channels[level] : g->channels0[level];
    char name[32], text[64];
    snprintf(name, sizeof name, "b%d.conv%d", size, index);
    if (index) {
        layer->conv = network_add_linear(&g->net, a, name, CONVOLUTION_SAME, 3, g->channels0[level], channels, size,
                                         lrelu, 1, level, 0);
    } else if (level) {
        layer->conv = network_add_linear(&g->net, a, name, CONVOLUTION_UP, 3, g->channels[level - 1], channels,
                                         size / 2, lrelu, 1, level, 0);
    }
    snprintf(text, sizeof text, "%s.bias", name);
    layer->bias = layer->conv ? layer->conv->bias : network_add(&g->net, text, 1, 1, channels, 1, 0, 0, level, 0);
    snprintf(text, sizeof text, "%s.noise_strength", name);
    layer->strength = network_add(&g->net, text, 1, 1, channels, 1, 0, 0, level, 0);
    snprintf(text, sizeof text, "%s.affine", name);
    layer->affine =
        network_add_linear(&g->net, a, text, CONVOLUTION_SAME, 1, g->w_dim, 2 * padded(channels), 1, 1, 1, level, 0);
    for (int i = 0; i < 2; i++) { /* scales and shifts, each padded */
        parameter *p = &g->net.parameters[i ? layer->affine->bias : layer->affine->weight];
        p->groups = 2;
        p->columns = channels;
    }
}

static void plan(generator *g, const network_shape *shape, const network_variant *variant, arena *a) {
    (void)variant; /* but for the feature maps, which are chosen already, there is only one StyleGAN 1 */
    g->constant = network_add(&g->net, "b4.const", 16, 1, g->channels0[0], 1, 0, 1, 0, 0);
    for (int level = 0; level < g->levels; level++) {
        char name[32];
        for (int index = 0; index < 2; index++) plan_layer(g, level, index, a);
        snprintf(name, sizeof name, "b%d.torgb", 4 << level);
        g->to_rgb[level] = network_add_linear(&g->net, a, name, CONVOLUTION_SAME, 1, g->channels[level],
                                              shape->channels, 4 << level, 1, 1, level, 1);
    }
}

static void take_maps(arena *a, const generator *g, int gradients, g_maps *x) {
    const engine *e = g->net.engine;
    for (int l = 0; l < g->levels; l++) {
        const int size = 4 << l;
        for (int i = 0; i < 2; i++) {
            const int channels = i ? g->channels[l] : g->channels0[l];
            x->layer[l][i].w = map_take(a, e, g->w_dim, 1, 1);
            x->layer[l][i].style = map_take(a, e, 2 * padded(channels), 1, 1);
            if (l && !i && !g->layer[l][0].conv->c.matrix)
                x->layer[l][i].planes = map_take(a, e, channels, size / 2, MOST_PLANES);
            x->layer[l][i].y = map_take(a, e, channels, size, 1);
            if (gradients) continue;
            x->layer[l][i].activated = map_take(a, e, channels, size, 1);
            x->layer[l][i].noise = arena_take(a, (size_t)(size * size * e->images));
            x->layer[l][i].adain = adain_take(a, e, channels);
        }
        x->rgb[l] = map_take(a, e, g->to_rgb[l]->c.out, size, 1);
        if (!gradients) x->image[l] = map_take(a, e, g->to_rgb[l]->c.out, size, 1);
    }
}

/* --- Forward --- */

/* One layer: x [C][R][R] (or the level below, or nothing) to y [C][R][R]. */
static void layer_forward(const generator *g, g_maps *x, int level, int index, const scratch *s) {
    const engine *e = g->net.engine;
    const g_layer *layer = &g->layer[level][index];
    const map *a = &x->layer[level][index].activated;
    const epilogue p = {e, x->layer[level][index].noise, network_value(&g->net, layer->strength),
                        network_value(&g->net, layer->bias), &x->layer[level][index].adain};
    const finish f = finish_epilogue(&p);
    style_forward(g, x, level, index, s);
    epilogue_reset(&p, a->channels);
    if (index) {
        convolution_forward(&layer->conv->c, &x->layer[level][0].y, a, &f, &s->convolution);
    } else if (level) {
        blurred_forward(&layer->conv->c, &x->layer[level - 1][1].y, &x->layer[level][0].planes, a, &f, &s->convolution);
    } else {
        constant_forward(g, a);
        map_finish(a, &f);
    }
    adain_forward(e, &x->layer[level][index].adain, a, &x->layer[level][index].style, &x->layer[level][index].y);
}

static void to_rgb(const generator *g, g_maps *x, int level, const scratch *s) {
    const finish f = finish_activate(g->net.engine, g->to_rgb[level]->used_bias, 1);
    convolution_forward(&g->to_rgb[level]->c, &x->layer[level][1].y, &x->rgb[level], &f, &s->convolution);
}

static void forward(const generator *g, growth at, g_maps *x, const scratch *s) {
    const engine *e = g->net.engine;
    for (int level = 0; level <= at.top; level++)
        for (int index = 0; index < 2; index++) layer_forward(g, x, level, index, s);
    to_rgb(g, x, at.top, s);
    if (!growth_fades(at)) return;
    to_rgb(g, x, at.top - 1, s);
    map_unpool(e, &x->rgb[at.top - 1], &x->image[at.top], 0, 1);
    map_blend(e, &x->image[at.top], 1 - at.fade, &x->rgb[at.top], at.fade, &x->image[at.top]);
}

/* --- Backward --- */

/* From the gradient of a layer's y to that of its input, which is added to what ToRGB left there. */
static void layer_backward(const generator *g, g_maps *x, g_maps *dx, int level, int index, float *gradient,
                           const scratch *s) {
    const engine *e = g->net.engine;
    const g_layer *layer = &g->layer[level][index];
    const map *dy = &dx->layer[level][index].y;
    adain_backward(e, &x->layer[level][index].adain, &x->layer[level][index].activated, &x->layer[level][index].style,
                   dy, &dx->layer[level][index].style, x->layer[level][index].noise,
                   gradient_or(g, gradient, layer->bias, dx->ignored),
                   gradient_or(g, gradient, layer->strength, dx->ignored));
    if (dx->layer[level][index].noise)
        layer_noise_gradient(g, layer, NULL, dy, dx->factor, dx->layer[level][index].noise);
    style_backward(g, x, dx, level, index, gradient, s);
    if (index) {
        linear_gradient(g, layer->conv, &x->layer[level][0].y, dy, gradient, s);
        convolution_backward(&layer->conv->c, dy, &dx->layer[level][0].y, NULL, &s->convolution);
    } else if (level) {
        const map *planes = &dx->layer[level][0].planes;
        blurred_backward(&layer->conv->c, dy, planes, &dx->layer[level - 1][1].y, NULL, &s->convolution);
        if (gradient)
            blurred_gradient(&layer->conv->c, &x->layer[level - 1][1].y, dy, planes,
                             gradient_of(g, gradient, layer->conv->weight), &s->convolution);
    } else {
        constant_backward(g, dy, gradient);
    }
}

static void to_rgb_backward(const generator *g, g_maps *x, const map *d_rgb, int level, const map *dy, float *gradient,
                            const scratch *s) {
    linear_gradient(g, g->to_rgb[level], &x->layer[level][1].y, d_rgb, gradient, s);
    if (gradient) map_sum(g->net.engine, d_rgb, gradient_of(g, gradient, g->to_rgb[level]->bias));
    convolution_backward(&g->to_rgb[level]->c, d_rgb, dy, NULL, &s->convolution);
}

static void backward(const generator *g, growth at, g_maps *x, g_maps *dx, const map *d_image, float *gradient,
                     const scratch *s) {
    const engine *e = g->net.engine;
    const int top = at.top;
    const map *d_rgb = d_image;
    if (growth_fades(at)) {
        d_rgb = &dx->rgb[top];
        map_scale(e, d_image, at.fade, d_rgb);
        map_pool(e, d_image, &dx->rgb[top - 1], 1 - at.fade);
    }
    to_rgb_backward(g, x, d_rgb, top, &dx->layer[top][1].y, gradient, s);
    for (int level = top; level >= 0; level--) {
        for (int index = 1; index >= 0; index--) layer_backward(g, x, dx, level, index, gradient, s);
        if (level == top && growth_fades(at)) { /* the level below has a ToRGB of its own, whose share joins */
            const map *shared = &dx->layer[top - 1][1].y, *own = &dx->layer[top - 1][0].y;
            to_rgb_backward(g, x, &dx->rgb[top - 1], top - 1, own, gradient, s);
            map_add(e, own, shared);
        }
        if (level) network_tell_final(s, level);
    }
}

/* --- Export --- */

static void export_layer(const generator *g, int level, int index, const float *values, weights *w) {
    const g_layer *layer = &g->layer[level][index];
    if (layer->conv)
        export_convolution(g, layer->conv, values, 1, w);
    else
        export_parameter(g, layer->bias, values, 1, 1, &(int32_t){g->channels0[level]}, 0, w);
    export_noise(g, level, index, values, 1, w);
    export_dense(g, layer->affine, values, 1, w);
}

static void write_layers(const generator *g, growth at, const float *values, weights *w) {
    static const float blur[9] = {1 / 16.0f, 2 / 16.0f, 1 / 16.0f, 2 / 16.0f, 4 / 16.0f,
                                  2 / 16.0f, 1 / 16.0f, 2 / 16.0f, 1 / 16.0f};
    w->config.family = STYLEGAN_FAMILY_1;
    w->config.activation_gain = 1;
    w->config.use_instance_norm = w->config.use_styles = 1;
    w->config.lod = growth_fades(at) ? 1 - at.fade : 0;
    weights_add_values(w, "fir", 2, (const int32_t[2]){3, 3}, blur);
    for (int level = 0; level <= at.top; level++) {
        for (int index = 0; index < 2; index++) export_layer(g, level, index, values, w);
        if (level == at.top || (level == at.top - 1 && growth_fades(at)))
            export_convolution(g, g->to_rgb[level], values, 1, w);
    }
}

const synthesis synthesis1 = {plan, take_maps, forward, backward, write_layers};
