/* generator.c - the mapping network, styles, and what both synthesis networks share. */
#include "synthesis.h"
#include "../base/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const synthesis *synthesis_of(const generator *g) {
    return g->architecture == ARCHITECTURE_STYLEGAN2 ? &synthesis2 : &synthesis1;
}

/* --- Plan --- */

static void plan_mapping(generator *g, const network_shape *shape, arena *a) {
    const double lrelu = 1.4142135623730951; /* keeps the variance through an lrelu */
    int in = g->z_dim;
    if (g->labels) {
        g->embed = network_add(&g->net, "mapping.embed.weight", g->labels, 1, g->z_dim, 1, 1, 0, 0, 0);
        in += g->z_dim;
    }
    for (int i = 0; i < g->mapping_layers; i++) {
        char name[32];
        snprintf(name, sizeof name, "mapping.fc%d", i);
        g->mapping[i] = network_add_linear(&g->net, a, name, CONVOLUTION_SAME, 1, in, g->w_dim, 1, lrelu,
                                           shape->mapping_rate, 0, 0);
        in = g->w_dim;
    }
}

void generator_plan(generator *g, const network_shape *shape, const engine *e, arena *a) {
    generator_plan_variant(g, shape, &(network_variant){NULL, IMAGE_SKIP, 0, 0}, e, a);
}

void generator_plan_variant(generator *g, const network_shape *shape, const network_variant *variant, const engine *e,
                            arena *a) {
    *g = (generator){.net.engine = e,
                     .architecture = shape->architecture,
                     .z_dim = shape->z_dim,
                     .w_dim = shape->w_dim,
                     .labels = shape->label_size,
                     .image = variant->image,
                     .mapping_layers = shape->mapping_layers};
    plan_mapping(g, shape, a);
    for (int size = 4; size <= shape->resolution; size *= 2, g->levels++)
        for (int i = 0; i < 2; i++)
            *(i ? &g->channels[g->levels] : &g->channels0[g->levels]) =
                variant->fmaps ? variant->fmaps[2 * g->levels + i]
                               : network_channels(shape->fmap_base, shape->fmap_max, size);
    synthesis_of(g)->plan(g, shape, variant, a);
    network_allocate(&g->net, a);
}

static void take_latents(arena *a, const generator *g, g_maps *x) {
    const engine *e = g->net.engine;
    for (int i = 0; i < 2; i++) {
        const int in = g->mapping[0]->c.in;
        x->latent[i].input = map_take(a, e, in, 1, 1);
        x->latent[i].normal = map_take(a, e, in, 1, 1);
        x->latent[i].factor = arena_take(a, (size_t)e->images);
        for (int m = 0; m < g->mapping_layers; m++) x->latent[i].hidden[m] = map_take(a, e, g->w_dim, 1, 1);
    }
}

g_maps g_maps_take(arena *a, const generator *g, g_maps_kind kind) {
    const engine *e = g->net.engine;
    size_t widest = 0;
    g_maps x;
    memset(&x, 0, sizeof x);
    if (g->mapping_layers) take_latents(a, g, &x);
    synthesis_of(g)->take_maps(a, g, kind != G_MAPS, &x);
    if (kind == G_MAPS) return x;
    for (int l = 0; l < g->levels; l++)
        for (int i = 0; i < 2; i++) {
            const int channels = i ? g->channels[l] : g->channels0[l];
            const size_t size = (size_t)4 << l, noise = size * size * (size_t)e->images;
            if (kind == G_NOISE_GRADIENTS) x.layer[l][i].noise = arena_take(a, noise);
            if ((size_t)padded(channels) > widest) widest = (size_t)padded(channels);
        }
    x.ignored = arena_take(a, widest);
    x.factor = arena_take(a, widest * (size_t)e->images);
    return x;
}

void generator_scratch_fit(const generator *g, convolution_scratch *s) {
    for (int i = 0; i < g->net.linear_count; i++) convolution_scratch_fit(s, &g->net.linears[i].c);
}

/* --- Forward --- */

/* The label's embedding [K][E] goes behind z: for a one-hot label, a row. */
static void embed_labels(const generator *g, const float *labels, const map *input) {
    const float *rows = network_value(&g->net, g->embed);
    for (int n = 0; n < g->net.engine->images; n++)
        for (int i = 0; i < g->z_dim; i++) {
            float sum = 0;
            for (int k = 0; k < g->labels; k++) sum += labels[n * g->labels + k] * rows[k * padded(g->z_dim) + i];
            input->data[map_at(input, g->z_dim + i, 0, 0, n)] = sum;
        }
}

static void embed_labels_gradient(const generator *g, const float *labels, const map *d_input, float *d_rows) {
    for (int n = 0; n < g->net.engine->images; n++)
        for (int i = 0; i < g->z_dim; i++)
            for (int k = 0; k < g->labels; k++)
                d_rows[k * padded(g->z_dim) + i] +=
                    labels[n * g->labels + k] * d_input->data[map_at(d_input, g->z_dim + i, 0, 0, n)];
}

/* w = f(z) */
static void map_latent(const generator *g, g_maps *x, int which, const float *labels, const scratch *s) {
    if (g->labels) embed_labels(g, labels, &x->latent[which].input);
    pixel_norm_forward(&x->latent[which].input, &x->latent[which].normal, x->latent[which].factor);
    const map *from = &x->latent[which].normal;
    for (int i = 0; i < g->mapping_layers; i++) {
        const finish f = finish_activate(g->net.engine, g->mapping[i]->used_bias, 0.2f);
        convolution_forward(&g->mapping[i]->c, from, &x->latent[which].hidden[i], &f, &s->convolution);
        from = &x->latent[which].hidden[i];
    }
}

/* StyleGAN 2's first level has no layer 0, and each ToRGB shares a style with the level above's layer 0. */
int generator_ws_index(const generator *g, int level, int index) {
    return 2 * level + index - (g->architecture == ARCHITECTURE_STYLEGAN2);
}

int generator_first_layer(const generator *g, int level) {
    return g->architecture == ARCHITECTURE_STYLEGAN2 && !level;
}

int generator_layers(const generator *g, int level) {
    return g->architecture == ARCHITECTURE_STYLEGAN2 && g->to_rgb[level] ? 3 : 2;
}

static const map *latent_of(const generator *g, const g_maps *x, int n, int level, int index) {
    const int second = generator_ws_index(g, level, index) >= x->crossover[n];
    return &x->latent[second].hidden[g->mapping_layers - 1];
}

/* Copies each image's w to the layers that take it. */
static void spread_latents(const generator *g, growth at, g_maps *x) {
    for (int level = 0; level <= at.top; level++)
        for (int index = generator_first_layer(g, level); index < generator_layers(g, level); index++)
            for (int n = 0; n < g->net.engine->images; n++) {
                const map *w = &x->layer[level][index].w, *from = latent_of(g, x, n, level, index);
                for (int i = 0; i < g->w_dim; i++) w->data[map_at(w, i, 0, 0, n)] = from->data[map_at(w, i, 0, 0, n)];
            }
}

void style_forward(const generator *g, g_maps *x, int level, int index, const scratch *s) {
    const linear *affine = g->layer[level][index].affine;
    const map *w = &x->layer[level][index].w;
    const finish f = finish_activate(g->net.engine, affine->used_bias, 1);
    convolution_forward(&affine->c, w, &x->layer[level][index].style, &f, &s->convolution);
}

void constant_forward(const generator *g, const map *y) {
    const float *constant = network_value(&g->net, g->constant);
    for (int p = 0; p < 16; p++)
        for (int c = 0; c < g->channels0[0]; c++)
            for (int n = 0; n < g->net.engine->images; n++)
                y->data[map_at(y, c, p / 4, p % 4, n)] = constant[p * padded(g->channels0[0]) + c];
}

void generator_forward(const generator *g, growth at, g_maps *x, const float *labels, const scratch *s) {
    for (int i = 0; i < 2; i++) map_latent(g, x, i, labels, s);
    spread_latents(g, at, x);
    synthesis_of(g)->forward(g, at, x, s);
}

void generator_synthesize(const generator *g, growth at, g_maps *x, const scratch *s) {
    synthesis_of(g)->forward(g, at, x, s);
}

const map *generator_image(const g_maps *x, growth at) {
    return growth_fades(at) || x->below[at.top].data ? &x->image[at.top] : &x->rgb[at.top];
}

/* --- Backward --- */

float *gradient_of(const generator *g, float *gradient, int number) {
    return gradient ? network_at(&g->net, gradient, number) : NULL;
}

float *gradient_or(const generator *g, float *gradient, int number, float *otherwise) {
    return gradient ? network_at(&g->net, gradient, number) : otherwise;
}

void linear_gradient(const generator *g, const linear *l, const map *x, const map *dy, float *gradient,
                     const scratch *s) {
    if (gradient) convolution_gradient(&l->c, x, dy, gradient_of(g, gradient, l->weight), &s->convolution);
}

void constant_backward(const generator *g, const map *dy, float *gradient) {
    float *d_constant = gradient_of(g, gradient, g->constant);
    if (!gradient) return;
    for (int p = 0; p < 16; p++)
        for (int c = 0; c < g->channels0[0]; c++)
            for (int n = 0; n < g->net.engine->images; n++)
                d_constant[p * padded(g->channels0[0]) + c] += dy->data[map_at(dy, c, p / 4, p % 4, n)];
}

void layer_noise_gradient(const generator *g, const g_layer *layer, const map *scale, const map *dx, float *factor,
                          float *d_noise) {
    const engine *e = g->net.engine;
    const float *strength = network_value(&g->net, layer->strength);
    for (int i = 0; i < map_blocks(dx) * e->images * e->lanes; i++) {
        const int channel = i / (e->images * e->lanes) * e->lanes + i % e->lanes, n = i / e->lanes % e->images;
        factor[i] = channel >= dx->channels ? 0 : strength[channel];
        if (scale && channel < dx->channels) factor[i] /= scale->data[map_at(scale, channel, 0, 0, n)];
    }
    noise_gradient(e, dx, factor, d_noise);
}

void style_backward(const generator *g, g_maps *x, g_maps *dx, int level, int index, float *gradient,
                    const scratch *s) {
    const linear *affine = g->layer[level][index].affine;
    const map *d_style = &dx->layer[level][index].style, *dw = &dx->layer[level][index].w;
    linear_gradient(g, affine, &x->layer[level][index].w, d_style, gradient, s);
    if (gradient) map_sum(g->net.engine, d_style, gradient_of(g, gradient, affine->bias));
    convolution_backward(&affine->c, d_style, dw, NULL, &s->convolution);
}

/* The latents' gradients are the sums of those of the layers that take them. */
static void gather_latents(const generator *g, growth at, const g_maps *x, g_maps *dx) {
    for (int i = 0; i < 2; i++) map_clear(&dx->latent[i].hidden[g->mapping_layers - 1]);
    for (int level = at.top; level >= 0; level--)
        for (int index = generator_layers(g, level) - 1; index >= generator_first_layer(g, level); index--)
            for (int n = 0; n < g->net.engine->images; n++) {
                const int second = generator_ws_index(g, level, index) >= x->crossover[n];
                const map *dw = &dx->layer[level][index].w, *to = &dx->latent[second].hidden[g->mapping_layers - 1];
                for (int i = 0; i < g->w_dim; i++) to->data[map_at(to, i, 0, 0, n)] += dw->data[map_at(dw, i, 0, 0, n)];
            }
}

static void latent_backward(const generator *g, g_maps *x, g_maps *dx, int which, const float *labels, float *gradient,
                            const scratch *s) {
    const engine *e = g->net.engine;
    for (int i = g->mapping_layers - 1; i >= 0; i--) {
        const linear *l = g->mapping[i];
        const map *dy = &dx->latent[which].hidden[i];
        const finish f = finish_mask(e, &x->latent[which].hidden[i], gradient_of(g, gradient, l->bias));
        map_finish(dy, &f);
        linear_gradient(g, l, i ? &x->latent[which].hidden[i - 1] : &x->latent[which].normal, dy, gradient, s);
        convolution_backward(&l->c, dy, i ? &dx->latent[which].hidden[i - 1] : &dx->latent[which].normal, NULL,
                             &s->convolution);
    }
    if (!g->labels) return;
    pixel_norm_backward(&x->latent[which].normal, x->latent[which].factor, &dx->latent[which].normal,
                        &dx->latent[which].input);
    embed_labels_gradient(g, labels, &dx->latent[which].input, gradient_of(g, gradient, g->embed));
}

void generator_backward(const generator *g, growth at, g_maps *x, g_maps *dx, const map *d_image, const float *labels,
                        float *gradient, const scratch *s) {
    synthesis_of(g)->backward(g, at, x, dx, d_image, gradient, s);
    gather_latents(g, at, x, dx);
    for (int i = 0; i < 2; i++) latent_backward(g, x, dx, i, labels, gradient, s);
    network_tell_final(s, 0);
}

void generator_synthesize_back(const generator *g, growth at, g_maps *x, g_maps *dx, const map *d_image,
                               float *gradient, const scratch *s) {
    synthesis_of(g)->backward(g, at, x, dx, d_image, gradient, s);
}

/* --- Export --- */

/* values [rows][groups][columns], as the weight file has them, without padding. */
static float *export_values(const generator *g, int i, const float *values, double factor, float first_group) {
    const parameter *p = &g->net.parameters[i];
    float *out = cli_alloc((size_t)(p->rows * p->groups * p->columns), sizeof *out), *to = out;
    const float *from = values + p->offset;
    for (int r = 0; r < p->rows * p->groups; r++, from += padded(p->columns))
        for (int c = 0; c < p->columns; c++)
            *to++ = (float)factor * p->gain * from[c] + (r % p->groups ? 0 : first_group);
    return out;
}

void export_parameter(const generator *g, int number, const float *values, double factor, int dimensions,
                      const int32_t *shape, float first_group, weights *w) {
    float *out = export_values(g, number, values, factor, first_group);
    weights_add_values(w, g->net.parameters[number].name, dimensions, shape, out);
    free(out);
}

void export_dense(const generator *g, const linear *l, const float *values, float first_group, weights *w) {
    const parameter *p = &g->net.parameters[l->weight];
    const int32_t columns = p->groups * p->columns;
    export_parameter(g, l->weight, values, 1, 2, (const int32_t[2]){p->rows, columns}, 0, w);
    export_parameter(g, l->bias, values, 1, 1, &columns, first_group, w);
}

/* The weight file's up-sampling convolutions scatter: their taps run backwards. */
void export_weight(const generator *g, const linear *l, const float *values, double factor, weights *w) {
    const parameter *p = &g->net.parameters[l->weight];
    const int kernel = l->c.kernel, taps = kernel * kernel;
    const size_t tap = (size_t)(l->c.in * p->columns);
    float *out = export_values(g, l->weight, values, factor, 0), *swap = cli_alloc(tap, sizeof *swap);
    for (int i = 0; l->c.kind != CONVOLUTION_SAME && i < taps / 2; i++) {
        float *a = out + tap * (size_t)i, *b = out + tap * (size_t)(taps - 1 - i);
        memcpy(swap, a, tap * sizeof *swap);
        memcpy(a, b, tap * sizeof *swap);
        memcpy(b, swap, tap * sizeof *swap);
    }
    weights_add_values(w, p->name, 4, (const int32_t[4]){kernel, kernel, l->c.in, p->columns}, out);
    free(swap);
    free(out);
}

void export_convolution(const generator *g, const linear *l, const float *values, double factor, weights *w) {
    export_weight(g, l, values, factor, w);
    export_parameter(g, l->bias, values, factor, 1, (const int32_t[1]){g->net.parameters[l->bias].columns}, 0, w);
}

void export_noise(const generator *g, int level, int index, const float *values, double factor, weights *w) {
    const int32_t size = 4 << level;
    char name[32];
    float *noise = cli_alloc((size_t)(size * size), sizeof *noise);
    stylegan_random_normal(0, (uint32_t)(2 * level + index), 0, noise, size * size);
    snprintf(name, sizeof name, "b%d.conv%d.noise", (int)size, index);
    weights_add_values(w, name, 2, (const int32_t[2]){size, size}, noise);
    free(noise);
    export_parameter(g, g->layer[level][index].strength, values, factor, 1,
                     &(int32_t){index ? g->channels[level] : g->channels0[level]}, 0, w);
}

void generator_export(const generator *g, growth at, const float *values, const float *w_avg, weights *w) {
    memset(w, 0, sizeof *w);
    w->config = (stylegan_config){.channels = g->to_rgb[g->levels - 1]->c.out,
                                  .z_dim = g->z_dim,
                                  .w_dim = g->w_dim,
                                  .c_dim = g->labels,
                                  .num_ws = 2 * (at.top + 1),
                                  .mapping_layers = g->mapping_layers,
                                  .normalization = STYLEGAN_NORMALIZE_JOINT,
                                  .mapping_activation = STYLEGAN_LRELU,
                                  .mapping_gain = 1,
                                  .activation = STYLEGAN_LRELU,
                                  .truncation_psi = 0.7f,
                                  .truncation_cutoff = 2 * (at.top + 1)};
    weights_set_resolution(&w->config, 4 << at.top);
    if (g->labels) export_parameter(g, g->embed, values, 1, 2, (const int32_t[2]){g->labels, g->z_dim}, 0, w);
    for (int i = 0; i < g->mapping_layers; i++) export_dense(g, g->mapping[i], values, 0, w);
    if (w_avg) weights_add_values(w, "w_avg", 1, &w->config.w_dim, w_avg);
    export_parameter(g, g->constant, values, 1, 3, (const int32_t[3]){4, 4, g->channels0[0]}, 0, w);
    synthesis_of(g)->write(g, at, values, w);
}
