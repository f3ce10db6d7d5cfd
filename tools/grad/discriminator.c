/* discriminator.c - see discriminator.h. */
#include "discriminator.h"

#include <stdio.h>
#include <string.h>

/* --- Plan --- */

typedef struct planner {
    discriminator *d;
    arena *arena;
} planner;

static linear *add(const planner *p, const char *name, convolution_kind kind, int kernel, int in, int out, int size,
                   double gain, int level, int image) {
    return network_add_linear(&p->d->net, p->arena, name, kind, kernel, in, out, size, gain, 1, level, image);
}

void discriminator_plan(discriminator *d, const network_shape *shape, const engine *e, arena *a) {
    const double lrelu = 1.4142135623730951; /* keeps the variance through an lrelu */
    const planner p = {d, a};
    *d = (discriminator){.net.engine = e,
                         .residual = shape->architecture == ARCHITECTURE_STYLEGAN2,
                         .logits = shape->label_size ? shape->label_size : 1};
    const int base = shape->d_fmap_base ? shape->d_fmap_base : shape->fmap_base;
    const int most = shape->d_fmap_max ? shape->d_fmap_max : shape->fmap_max;
    for (int size = 4; size <= shape->resolution; size *= 2)
        d->channels[d->levels++] = network_channels(base, most, size);
    for (int l = 0; l < d->levels; l++) {
        const int size = 4 << l, channels = d->channels[l];
        char name[32];
        snprintf(name, sizeof name, "b%d.fromrgb", size);
        d->from_rgb[l] = add(&p, name, CONVOLUTION_SAME, 1, shape->channels, channels, size, lrelu, l, 1);
        if (!l) continue;
        snprintf(name, sizeof name, "b%d.conv0", size);
        d->conv0[l] = add(&p, name, CONVOLUTION_SAME, 3, channels, channels, size, lrelu, l, 0);
        snprintf(name, sizeof name, "b%d.conv1", size);
        d->conv1[l] = add(&p, name, CONVOLUTION_DOWN, 3, channels, d->channels[l - 1], size / 2, lrelu, l, 0);
        if (!d->residual) continue;
        snprintf(name, sizeof name, "b%d.skip", size);
        d->skip[l] = add(&p, name, CONVOLUTION_SAME, 1, channels, d->channels[l - 1], size / 2, 1, l, 0);
    }
    const int last = d->channels[0];
    d->conv = add(&p, "b4.conv", CONVOLUTION_SAME, 3, last + 1, last, 4, lrelu, 0, 0);
    d->dense0 = add(&p, "b4.dense0", CONVOLUTION_SAME, 1, 16 * last, last, 1, lrelu, 0, 0);
    d->dense1 = add(&p, "b4.dense1", CONVOLUTION_SAME, 1, last, d->logits, 1, 1, 0, 0);
    network_allocate(&d->net, a);
}

d_maps d_maps_take(arena *a, const discriminator *d) {
    const engine *e = d->net.engine;
    d_maps x;
    memset(&x, 0, sizeof x);
    x.residual = d->residual;
    for (int l = 0; l < d->levels; l++) {
        const int size = 4 << l, channels = d->channels[l];
        x.level[l].image = map_take(a, e, d->from_rgb[l]->c.in, size, 1);
        x.level[l].rgb = map_take(a, e, channels, size, 1);
        if (l) x.level[l].middle = map_take(a, e, channels, size, 1);
        if (l && !d->conv1[l]->c.matrix) x.level[l].blurred = map_take(a, e, channels, size / 2, MOST_PLANES);
        x.level[l].below = map_take(a, e, channels, size, 1);
        x.level[l].faded = map_take(a, e, channels, size, 1);
        if (!d->residual) continue;
        x.level[l].blend = map_take(a, e, channels, size, 1);
        if (l) x.level[l].pooled = map_take(a, e, channels, size / 2, 1);
        x.level[l].skip = map_take(a, e, channels, size, 1);
    }
    x.stddev = map_take(a, e, d->channels[0] + 1, 4, 1);
    x.conv = map_take(a, e, d->channels[0], 4, 1);
    x.flat = map_take(a, e, 16 * d->channels[0], 1, 1);
    x.dense = map_take(a, e, d->channels[0], 1, 1);
    x.logits = map_take(a, e, d->logits, 1, 1);
    return x;
}

void discriminator_scratch_fit(const discriminator *d, convolution_scratch *s) {
    for (int i = 0; i < d->net.linear_count; i++) convolution_scratch_fit(s, &d->net.linears[i].c);
}

/* --- Passes --- */

/* Of the level above. */
static const map *block_output(const d_maps *x, int level) {
    return x->residual ? &x->level[level].blend : &x->level[level].below;
}

const map *discriminator_input(const d_maps *x, growth g, int level) {
    if (level == g.top) return &x->level[level].rgb;
    if (level == g.top - 1 && growth_fades(g)) return &x->level[level].faded;
    return block_output(x, level);
}

static finish finish_forward(const linear *l, const map *at) {
    return at ? finish_mask(l->c.engine, at, NULL) : finish_activate(l->c.engine, l->used_bias, 0.2f);
}

/* y = lrelu(W x + b), or, where `at` is the output of that, its derivative along x. */
static void forward(const linear *l, const map *x, const map *y, const map *at, const scratch *s) {
    const finish f = finish_forward(l, at);
    convolution_forward(&l->c, x, y, &f, &s->convolution);
}

static void forward_blurred(const linear *l, const map *x, const map *planes, const map *y, const map *at,
                            const scratch *s) {
    const finish f = finish_forward(l, at);
    blurred_forward(&l->c, x, planes, y, &f, &s->convolution);
}

/* The same without an lrelu. */
static void forward_linear(const linear *l, const map *x, const map *y, int tangent, const scratch *s) {
    const finish f = finish_activate(l->c.engine, l->used_bias, 1);
    convolution_forward(&l->c, x, y, tangent ? NULL : &f, &s->convolution);
}

static const float half_power = 0.70710678f; /* two branches of a block, each with its share of the variance */

void discriminator_forward(const discriminator *d, growth g, d_maps *x, const d_maps *at, const scratch *s) {
    const engine *e = d->net.engine;
    const int top = g.top;
#define AT(name) (at ? &at->name : NULL)
    forward(d->from_rgb[top], &x->level[top].image, &x->level[top].rgb, AT(level[top].rgb), s);
    for (int l = top; l > 0; l--) {
        forward(d->conv0[l], discriminator_input(x, g, l), &x->level[l].middle, AT(level[l].middle), s);
        forward_blurred(d->conv1[l], &x->level[l].middle, &x->level[l].blurred, &x->level[l - 1].below,
                        AT(level[l - 1].below), s);
        if (d->residual) {
            map_pool(e, discriminator_input(x, g, l), &x->level[l].pooled, 0.25f);
            const finish f = finish_join(e, at ? NULL : d->skip[l]->used_bias, &x->level[l - 1].below, half_power);
            convolution_forward(&d->skip[l]->c, &x->level[l].pooled, &x->level[l - 1].blend, &f, &s->convolution);
        }
        if (l == top && growth_fades(g)) {
            map_pool(e, &x->level[l].image, &x->level[l - 1].image, 0.25f);
            forward(d->from_rgb[l - 1], &x->level[l - 1].image, &x->level[l - 1].rgb, AT(level[l - 1].rgb), s);
            map_blend(e, &x->level[l - 1].rgb, 1 - g.fade, block_output(x, l - 1), g.fade, &x->level[l - 1].faded);
        }
    }
    const map *features = discriminator_input(x, g, 0);
    if (at)
        stddev_tangent(discriminator_input(at, g, 0), features, &x->stddev);
    else
        stddev_forward(features, &x->stddev);
    forward(d->conv, &x->stddev, &x->conv, AT(conv), s);
    map_flatten(&x->conv, &x->flat);
    forward(d->dense0, &x->flat, &x->dense, AT(dense), s);
#undef AT
    forward_linear(d->dense1, &x->dense, &x->logits, at != NULL, s);
}

static float *bias_gradient(const discriminator *d, const linear *l, float *d_biases) {
    return d_biases ? network_at(&d->net, d_biases, l->bias) : NULL;
}

/* Whether the gradient of a level's input is that of an lrelu's output, and not of a blend, which backward_fade or
   backward_residual take apart. */
static int follows_lrelu(const d_maps *x, growth g, int level) {
    const map *input = discriminator_input(x, g, level);
    return input != &x->level[level].blend && input != &x->level[level].faded;
}

/* Carries it through that lrelu: fromRGB's at the top, else that of conv1 of the level above. */
static finish finish_input(const discriminator *d, growth g, const d_maps *x, int level, float *d_biases) {
    const linear *l = level == g.top ? d->from_rgb[level] : d->conv1[level + 1];
    return finish_mask(d->net.engine, discriminator_input(x, g, level), bias_gradient(d, l, d_biases));
}

/* While fading, the input is a blend of two outputs. */
static void backward_fade(const discriminator *d, growth g, const d_maps *x, d_maps *dx, float *d_biases) {
    const engine *e = d->net.engine;
    const int l = g.top - 1;
    const map *faded = &dx->level[l].faded;
    map_scale_mask(e, faded, 1 - g.fade, &x->level[l].rgb, &dx->level[l].rgb,
                   bias_gradient(d, d->from_rgb[l], d_biases));
    if (d->residual)
        map_scale(e, faded, g.fade, &dx->level[l].blend);
    else
        map_scale_mask(e, faded, g.fade, &x->level[l].below, &dx->level[l].below,
                       bias_gradient(d, d->conv1[l + 1], d_biases));
}

/* From the gradient of a block's output, two branches, to theirs. */
static void backward_residual(const discriminator *d, const d_maps *x, d_maps *dx, int level, float *d_biases) {
    const engine *e = d->net.engine;
    map_fork(e, &dx->level[level - 1].blend, half_power, &x->level[level - 1].below, &dx->level[level - 1].below,
             bias_gradient(d, d->conv1[level], d_biases), &dx->level[level - 1].skip,
             bias_gradient(d, d->skip[level], d_biases));
}

void discriminator_backward(const discriminator *d, growth g, const d_maps *x, d_maps *dx, const map *extra,
                            float *d_biases, const scratch *s) {
    const engine *e = d->net.engine;
    const int top = g.top;
    if (d_biases) map_sum(e, &dx->logits, bias_gradient(d, d->dense1, d_biases));
    finish f = finish_mask(e, &x->dense, bias_gradient(d, d->dense0, d_biases));
    convolution_backward(&d->dense1->c, &dx->logits, &dx->dense, &f, &s->convolution);
    convolution_backward(&d->dense0->c, &dx->dense, &dx->flat, NULL, &s->convolution);
    f = finish_mask(e, &x->conv, bias_gradient(d, d->conv, d_biases));
    map_unflatten(&dx->flat, &dx->conv, &f);
    convolution_backward(&d->conv->c, &dx->conv, &dx->stddev, NULL, &s->convolution);

    const map *input = discriminator_input(dx, g, 0);
    stddev_backward(discriminator_input(x, g, 0), &dx->stddev, input);
    if (extra) map_add(e, extra, input);
    f = finish_input(d, g, x, 0, d_biases);
    if (follows_lrelu(x, g, 0)) map_finish(input, &f);
    for (int l = 1; l <= top; l++) {
        const map *skip = &dx->level[l].pooled;
        const int masks = follows_lrelu(x, g, l);
        if (l == top && growth_fades(g)) backward_fade(d, g, x, dx, d_biases);
        if (d->residual) backward_residual(d, x, dx, l, d_biases);
        f = finish_mask(e, &x->level[l].middle, bias_gradient(d, d->conv0[l], d_biases));
        blurred_backward(&d->conv1[l]->c, &dx->level[l - 1].below, &dx->level[l].blurred, &dx->level[l].middle, &f,
                         &s->convolution);
        input = discriminator_input(dx, g, l);
        f = finish_input(d, g, x, l, d_biases);
        if (d->residual) {
            convolution_backward(&d->skip[l]->c, &dx->level[l - 1].skip, skip, NULL, &s->convolution);
            f = finish_add_doubled(e, skip, 0.25f, masks ? f.mask : NULL, f.sum);
        }
        convolution_backward(&d->conv0[l]->c, &dx->level[l].middle, input, masks || d->residual ? &f : NULL,
                             &s->convolution);
    }
}

void discriminator_image_gradient(const discriminator *d, growth g, d_maps *dx, const scratch *s) {
    const engine *e = d->net.engine;
    const int top = g.top;
    convolution_backward(&d->from_rgb[top]->c, &dx->level[top].rgb, &dx->level[top].image, NULL, &s->convolution);
    if (growth_fades(g)) {
        const map *small = &dx->level[top - 1].image;
        convolution_backward(&d->from_rgb[top - 1]->c, &dx->level[top - 1].rgb, small, NULL, &s->convolution);
        map_unpool(e, small, &dx->level[top].image, 1, 0.25f);
    }
}

void discriminator_gradient(const discriminator *d, growth g, const d_maps *x, const d_maps *dx, float *gradient,
                            const scratch *s) {
    const int top = g.top;
#define LAYER(l, x, dy) \
    convolution_gradient(&(l)->c, x, dy, network_at(&d->net, gradient, (l)->weight), &s->convolution)
    LAYER(d->from_rgb[top], &x->level[top].image, &dx->level[top].rgb);
    if (growth_fades(g)) LAYER(d->from_rgb[top - 1], &x->level[top - 1].image, &dx->level[top - 1].rgb);
    LAYER(d->conv, &x->stddev, &dx->conv);
    LAYER(d->dense0, &x->flat, &dx->dense);
    LAYER(d->dense1, &x->dense, &dx->logits);
    network_tell_final(s, 0);
    for (int l = 1; l <= top; l++) { /* most weights come first, most pixels last */
        LAYER(d->conv0[l], discriminator_input(x, g, l), &dx->level[l].middle);
        blurred_gradient(&d->conv1[l]->c, &x->level[l].middle, &dx->level[l - 1].below, &x->level[l].blurred,
                         network_at(&d->net, gradient, d->conv1[l]->weight), &s->convolution);
        if (d->residual) LAYER(d->skip[l], &x->level[l].pooled, &dx->level[l - 1].skip);
        network_tell_final(s, l);
    }
#undef LAYER
}

/* R1 = factor / 2 * sum over the images of |g|^2, g = dD/dx at a real image x, has a gradient of a gradient in its
   gradient. It can be had exactly from the passes above, because D is piecewise linear (an lrelu's slope is constant
   almost everywhere), all but the minibatch standard deviation.

     1. Backward from the logits: the gradient delta_l of every layer's output, and g.
     2. With v = factor * g held constant, dR1/dW is the gradient of v.g, which is the derivative of the sum of all D
        along v. So forward v through the layers with their slopes and without biases: the tangents
        t_l = slope_l * (W_l t_l-1), which end in v.g.
     3. This pass is linear in t, and its own backward pass is that of step 1: v.g = the sum over layer l of
        delta_l * (W_l t_l-1), whatever the layer. So the gradient of W_l is that of a layer with input t_l-1 and output
        gradient delta_l.
     4. Only the minibatch standard deviation s(h) has a slope that depends on its input h, and so on the weights before
        it: its tangent is ds = s'(h).t. The gradient of that with respect to h, delta_s * s''(h) t, is left in `extra`,
        for the loss's own backward pass to take along. */
double discriminator_r1(const discriminator *d, growth g, const d_maps *x, d_maps *dx, d_maps *tangent,
                        const map *extra, float factor, float *gradient, const scratch *s) {
    const map *image = &dx->level[g.top].image;
    discriminator_backward(d, g, x, dx, NULL, NULL, s);
    discriminator_image_gradient(d, g, dx, s);
    map_scale(d->net.engine, image, factor, &tangent->level[g.top].image);
    discriminator_forward(d, g, tangent, x, s);
    discriminator_gradient(d, g, tangent, dx, gradient, s);
    map_clear(extra);
    stddev_second(discriminator_input(x, g, 0), discriminator_input(tangent, g, 0), &dx->stddev, extra);
    return map_square(image);
}
