/* recognizer.c - see recognizer.h. */
#include "recognizer.h"

#include <math.h>
#include <stdio.h>

enum { COLORS = 3, HALF = RECOGNIZER_SIZE / 2, FIRST_CHANNELS = 4 * COLORS };

static const struct stage {
    int size, channels, pooled;
} stages[RECOGNIZER_CONVOLUTIONS] = {{32, 48, 0}, {32, 48, 1}, {16, 96, 0}, {16, 96, 1},
                                     {8, 112, 0}, {8, 112, 1}, {4, 64, 0}};

enum { LAST = RECOGNIZER_CONVOLUTIONS - 1, FLAT = 16 * 64 };

/* --- Plan --- */

static linear *add(recognizer *r, arena *a, const char *name, int kernel, int in, int out, int size, double gain) {
    return network_add_linear(&r->net, a, name, CONVOLUTION_SAME, kernel, in, out, size, gain, 1, 0, 0);
}

void recognizer_plan(recognizer *r, int outputs, const engine *e, arena *a) {
    const double lrelu = 1.4142135623730951; /* keeps the variance through an lrelu */
    *r = (recognizer){.net.engine = e, .outputs = outputs};
    int in = FIRST_CHANNELS;
    for (int i = 0; i < RECOGNIZER_CONVOLUTIONS; in = stages[i++].channels) {
        char name[32];
        snprintf(name, sizeof name, "conv%d", i);
        r->conv[i] = add(r, a, name, 3, in, stages[i].channels, stages[i].size, lrelu);
    }
    r->dense = add(r, a, "dense", 1, FLAT, RECOGNIZER_FEATURES, 1, lrelu);
    r->output = add(r, a, "output", 1, RECOGNIZER_FEATURES, outputs, 1, 1);
    network_allocate(&r->net, a);
}

recognizer_maps recognizer_maps_take(arena *a, const recognizer *r) {
    const engine *e = r->net.engine;
    recognizer_maps x = {.picture = map_take(a, e, FIRST_CHANNELS, HALF, 1)};
    for (int i = 0; i < RECOGNIZER_CONVOLUTIONS; i++) {
        x.conv[i] = map_take(a, e, stages[i].channels, stages[i].size, 1);
        if (stages[i].pooled) x.pooled[i] = map_take(a, e, stages[i].channels, stages[i].size / 2, 1);
    }
    x.flat = map_take(a, e, FLAT, 1, 1);
    x.features = map_take(a, e, RECOGNIZER_FEATURES, 1, 1);
    x.outputs = map_take(a, e, r->outputs, 1, 1);
    return x;
}

void recognizer_scratch_fit(const recognizer *r, convolution_scratch *s) {
    for (int i = 0; i < r->net.linear_count; i++) convolution_scratch_fit(s, &r->net.linears[i].c);
}

void recognizer_prepare(const recognizer *r, const convolution_scratch *s) {
    for (int i = 0; i < r->net.linear_count; i++) network_prepare(&r->net, i, (growth){0, 1}, s);
}

/* --- Passes --- */

/* Where a pixel of a picture of 64 x 64 lies. */
static float *picture_at(const recognizer_maps *x, int n, int c, int row, int column) {
    const int place = row % 2 * 2 + column % 2;
    return &x->picture.data[map_at(&x->picture, place * COLORS + c, row / 2, column / 2, n)];
}

void recognizer_load(const recognizer_maps *x, int n, const uint8_t *pixels, int mirror) {
    for (int i = 0; i < RECOGNIZER_SIZE * RECOGNIZER_SIZE; i++) {
        const int row = i / RECOGNIZER_SIZE, from = i % RECOGNIZER_SIZE;
        const int column = mirror ? RECOGNIZER_SIZE - 1 - from : from;
        for (int c = 0; c < COLORS; c++) *picture_at(x, n, c, row, column) = (float)pixels[i * COLORS + c] / 127.5f - 1;
    }
}

void recognizer_load_image(const recognizer_maps *x, int n, const float *image, int size) {
    const int shrink = size / RECOGNIZER_SIZE;
    const float share = 1 / (float)(shrink * shrink);
    map_clear(&x->picture);
    for (int c = 0; c < COLORS; c++)
        for (int y = 0; y < size; y++)
            for (int column = 0; column < size; column++, image++)
                *picture_at(x, n, c, y / shrink, column / shrink) += share * fmaxf(-1, fminf(1, *image));
}

void recognizer_image_gradient(const recognizer_maps *dx, int n, const float *image, int size, float *gradient) {
    const int shrink = size / RECOGNIZER_SIZE;
    const float share = 1 / (float)(shrink * shrink);
    for (int c = 0; c < COLORS; c++)
        for (int y = 0; y < size; y++)
            for (int column = 0; column < size; column++, image++, gradient++)
                if (*image >= -1 && *image <= 1)
                    *gradient += share * *picture_at(dx, n, c, y / shrink, column / shrink);
}

/* Of convolution i. */
static const map *input(const recognizer_maps *x, int i) {
    if (i == 0) return &x->picture;
    return stages[i - 1].pooled ? &x->pooled[i - 1] : &x->conv[i - 1];
}

static void forward(const linear *l, const map *x, const map *y, float slope, const convolution_scratch *s) {
    const finish f = finish_activate(l->c.engine, l->used_bias, slope);
    convolution_forward(&l->c, x, y, &f, s);
}

void recognizer_forward(const recognizer *r, const recognizer_maps *x, const convolution_scratch *s) {
    for (int i = 0; i < RECOGNIZER_CONVOLUTIONS; i++) {
        forward(r->conv[i], input(x, i), &x->conv[i], 0.2f, s);
        if (stages[i].pooled) map_pool(r->net.engine, &x->conv[i], &x->pooled[i], 0.25f);
    }
    map_flatten(&x->conv[LAST], &x->flat);
    forward(r->dense, &x->flat, &x->features, 0.2f, s);
    forward(r->output, &x->features, &x->outputs, 1, s);
}

/* Where the gradient of a bias is added; NULL: those of the parameters are not wanted. */
static float *bias_gradient(const recognizer *r, float *gradient, const linear *l) {
    return gradient ? network_at(&r->net, gradient, l->bias) : NULL;
}

/* From the gradient of convolution i's input to that of the output of convolution i - 1, before its lrelu. */
static void backward_input(const recognizer *r, const recognizer_maps *x, const recognizer_maps *dx, int i,
                           float *gradient, const convolution_scratch *s) {
    const engine *e = r->net.engine;
    const finish f = finish_mask(e, &x->conv[i - 1], bias_gradient(r, gradient, r->conv[i - 1]));
    convolution_backward(&r->conv[i]->c, &dx->conv[i], input(dx, i), stages[i - 1].pooled ? NULL : &f, s);
    if (!stages[i - 1].pooled) return;
    map_unpool(e, &dx->pooled[i - 1], &dx->conv[i - 1], 0, 0.25f);
    map_finish(&dx->conv[i - 1], &f);
}

/* From dx->features, before their lrelu, to the outputs of all convolutions before theirs. */
static void backward_convolutions(const recognizer *r, const recognizer_maps *x, const recognizer_maps *dx,
                                  float *gradient, const convolution_scratch *s) {
    const finish f = finish_mask(r->net.engine, &x->conv[LAST], bias_gradient(r, gradient, r->conv[LAST]));
    convolution_backward(&r->dense->c, &dx->features, &dx->flat, NULL, s);
    map_unflatten(&dx->flat, &dx->conv[LAST], &f);
    for (int i = LAST; i > 0; i--) backward_input(r, x, dx, i, gradient, s);
}

static void gradient_of(const recognizer *r, const linear *l, const map *x, const map *dy, float *gradient,
                        const convolution_scratch *s) {
    convolution_gradient(&l->c, x, dy, network_at(&r->net, gradient, l->weight), s);
}

void recognizer_backward(const recognizer *r, const recognizer_maps *x, const recognizer_maps *dx, float *gradient,
                         const convolution_scratch *s) {
    const engine *e = r->net.engine;
    map_sum(e, &dx->outputs, network_at(&r->net, gradient, r->output->bias));
    const finish f = finish_mask(e, &x->features, bias_gradient(r, gradient, r->dense));
    convolution_backward(&r->output->c, &dx->outputs, &dx->features, &f, s);
    backward_convolutions(r, x, dx, gradient, s);
    gradient_of(r, r->output, &x->features, &dx->outputs, gradient, s);
    gradient_of(r, r->dense, &x->flat, &dx->features, gradient, s);
    for (int i = 0; i < RECOGNIZER_CONVOLUTIONS; i++)
        gradient_of(r, r->conv[i], input(x, i), &dx->conv[i], gradient, s);
}

void recognizer_backward_picture(const recognizer *r, const recognizer_maps *x, const recognizer_maps *dx,
                                 const convolution_scratch *s) {
    const finish f = finish_mask(r->net.engine, &x->features, NULL);
    map_finish(&dx->features, &f);
    backward_convolutions(r, x, dx, NULL, s);
    convolution_backward(&r->conv[0]->c, &dx->conv[0], &dx->picture, NULL, s);
}
