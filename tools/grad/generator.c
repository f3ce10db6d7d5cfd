/* generator.c - see generator.h. */
#include "generator.h"
#include "../base/cli.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int padded(int columns) {
    return (columns + COLUMNS - 1) / COLUMNS * COLUMNS;
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

static void plan_layer(generator *g, int level, int index, arena *a) {
    const double lrelu = 1.4142135623730951;
    g_layer *layer = &g->layer[level][index];
    const int size = 4 << level, channels = g->channels[level];
    char name[32], text[64];
    snprintf(name, sizeof name, "b%d.conv%d", size, index);
    if (index) {
        layer->conv =
            network_add_linear(&g->net, a, name, CONVOLUTION_SAME, 3, channels, channels, size, lrelu, 1, level, 0);
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

void generator_plan(generator *g, const network_shape *shape, const engine *e, arena *a) {
    *g = (generator){.net.engine = e,
                     .z_dim = shape->z_dim,
                     .w_dim = shape->w_dim,
                     .labels = shape->label_size,
                     .mapping_layers = shape->mapping_layers};
    plan_mapping(g, shape, a);
    for (int size = 4; size <= shape->resolution; size *= 2) {
        const int level = g->levels++;
        char name[32];
        g->channels[level] = network_channels(shape->fmap_base, shape->fmap_max, size);
        if (!level) g->constant = network_add(&g->net, "b4.const", 16, 1, g->channels[0], 1, 0, 1, 0, 0);
        for (int index = 0; index < 2; index++) plan_layer(g, level, index, a);
        snprintf(name, sizeof name, "b%d.torgb", size);
        g->to_rgb[level] = network_add_linear(&g->net, a, name, CONVOLUTION_SAME, 1, g->channels[level],
                                              shape->channels, size, 1, 1, level, 1);
    }
    network_allocate(&g->net, a);
}

g_maps g_maps_take(arena *a, const generator *g, int gradients) {
    const engine *e = g->net.engine;
    g_maps x;
    memset(&x, 0, sizeof x);
    for (int i = 0; i < 2; i++) {
        const int in = g->mapping[0]->c.in;
        x.latent[i].input = map_take(a, e, in, 1, 1);
        x.latent[i].normal = map_take(a, e, in, 1, 1);
        x.latent[i].factor = arena_take(a, SHARD);
        for (int m = 0; m < g->mapping_layers; m++) x.latent[i].hidden[m] = map_take(a, e, g->w_dim, 1, 1);
    }
    for (int l = 0; l < g->levels; l++) {
        const int size = 4 << l, channels = g->channels[l];
        for (int i = 0; i < 2; i++) {
            x.layer[l][i].w = map_take(a, e, g->w_dim, 1, 1);
            x.layer[l][i].style = map_take(a, e, 2 * padded(channels), 1, 1);
            if (l && !i) x.layer[l][i].planes = map_take(a, e, channels, size / 2, MOST_PLANES);
            x.layer[l][i].y = map_take(a, e, channels, size, 1);
            if (gradients) continue;
            x.layer[l][i].activated = map_take(a, e, channels, size, 1);
            x.layer[l][i].noise = arena_take(a, (size_t)(size * size * SHARD));
            x.layer[l][i].adain = adain_take(a, e, channels);
        }
        x.rgb[l] = map_take(a, e, g->to_rgb[l]->c.out, size, 1);
        if (!gradients) x.image[l] = map_take(a, e, g->to_rgb[l]->c.out, size, 1);
    }
    return x;
}

void generator_scratch_fit(const generator *g, convolution_scratch *s) {
    for (int i = 0; i < g->net.linear_count; i++) convolution_scratch_fit(s, &g->net.linears[i].c);
}

/* --- Forward --- */

/* The label's embedding [K][E] goes behind z: for a one-hot label, a row. */
static void embed_labels(const generator *g, const float *labels, const map *input) {
    const float *rows = network_value(&g->net, g->embed);
    for (int n = 0; n < SHARD; n++)
        for (int i = 0; i < g->z_dim; i++) {
            float sum = 0;
            for (int k = 0; k < g->labels; k++) sum += labels[n * g->labels + k] * rows[k * padded(g->z_dim) + i];
            input->data[map_at(input, g->z_dim + i, 0, 0, n)] = sum;
        }
}

static void embed_labels_gradient(const generator *g, const float *labels, const map *d_input, float *d_rows) {
    for (int n = 0; n < SHARD; n++)
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

/* Which latent image n takes in layer 2 * level + index. */
static int latent_of(const g_maps *x, int n, int level, int index) {
    return 2 * level + index >= x->crossover[n];
}

/* w of every image by style mixing, then style = A w. */
static void make_style(const generator *g, g_maps *x, int level, int index, const scratch *s) {
    const int last = g->mapping_layers - 1;
    const linear *affine = g->layer[level][index].affine;
    const map *w = &x->layer[level][index].w;
    for (int n = 0; n < SHARD; n++) {
        const map *from = &x->latent[latent_of(x, n, level, index)].hidden[last];
        for (int i = 0; i < g->w_dim; i++) w->data[map_at(w, i, 0, 0, n)] = from->data[map_at(w, i, 0, 0, n)];
    }
    const finish f = finish_activate(g->net.engine, affine->used_bias, 1);
    convolution_forward(&affine->c, w, &x->layer[level][index].style, &f, &s->convolution);
}

/* The learned constant [4][4][C] as the map of every image. */
static void fill_constant(const generator *g, const map *y) {
    const float *constant = network_value(&g->net, g->constant);
    for (int p = 0; p < 16; p++)
        for (int c = 0; c < g->channels[0]; c++)
            for (int n = 0; n < SHARD; n++)
                y->data[map_at(y, c, p / 4, p % 4, n)] = constant[p * padded(g->channels[0]) + c];
}

static void constant_gradient(const generator *g, const map *dy, float *d_constant) {
    for (int p = 0; p < 16; p++)
        for (int c = 0; c < g->channels[0]; c++)
            for (int n = 0; n < SHARD; n++)
                d_constant[p * padded(g->channels[0]) + c] += dy->data[map_at(dy, c, p / 4, p % 4, n)];
}

/* One layer: x [C][R][R] (or the level below, or nothing) to y [C][R][R]. */
static void layer_forward(const generator *g, g_maps *x, int level, int index, const scratch *s) {
    const engine *e = g->net.engine;
    const g_layer *layer = &g->layer[level][index];
    const map *a = &x->layer[level][index].activated;
    const epilogue p = {e, x->layer[level][index].noise, network_value(&g->net, layer->strength),
                        network_value(&g->net, layer->bias), &x->layer[level][index].adain};
    const finish f = finish_epilogue(&p);
    make_style(g, x, level, index, s);
    epilogue_reset(&p, g->channels[level]);
    if (index) {
        convolution_forward(&layer->conv->c, &x->layer[level][0].y, a, &f, &s->convolution);
    } else if (level) {
        convolution_forward(&layer->conv->c, &x->layer[level - 1][1].y, &x->layer[level][0].planes, NULL,
                            &s->convolution);
        blur_join(e, &x->layer[level][0].planes, a, &f, s->row);
    } else {
        fill_constant(g, a);
        map_finish(a, &f);
    }
    adain_forward(e, &x->layer[level][index].adain, a, &x->layer[level][index].style, &x->layer[level][index].y);
}

static void to_rgb(const generator *g, g_maps *x, int level, const scratch *s) {
    const finish f = finish_activate(g->net.engine, g->to_rgb[level]->used_bias, 1);
    convolution_forward(&g->to_rgb[level]->c, &x->layer[level][1].y, &x->rgb[level], &f, &s->convolution);
}

const map *generator_image(const g_maps *x, growth at) {
    return growth_fades(at) ? &x->image[at.top] : &x->rgb[at.top];
}

void generator_forward(const generator *g, growth at, g_maps *x, const float *labels, const scratch *s) {
    const engine *e = g->net.engine;
    for (int i = 0; i < 2; i++) map_latent(g, x, i, labels, s);
    for (int level = 0; level <= at.top; level++)
        for (int index = 0; index < 2; index++) layer_forward(g, x, level, index, s);
    to_rgb(g, x, at.top, s);
    if (!growth_fades(at)) return;
    to_rgb(g, x, at.top - 1, s);
    map_unpool(e, &x->rgb[at.top - 1], &x->image[at.top], 0, 1);
    map_lerp(e, &x->image[at.top], &x->rgb[at.top], at.fade, &x->image[at.top]);
}

/* --- Backward --- */

static float *gradient_of(const generator *g, float *gradient, int i) {
    return network_at(&g->net, gradient, i);
}

static void linear_gradient(const generator *g, const linear *l, const map *x, const map *dy, float *gradient,
                            const scratch *s) {
    convolution_gradient(&l->c, x, dy, gradient_of(g, gradient, l->weight), &s->convolution);
}

/* From the gradient of a layer's style to that of its w, which is added to the latent's. */
static void style_backward(const generator *g, g_maps *x, g_maps *dx, int level, int index, float *gradient,
                           const scratch *s) {
    const linear *affine = g->layer[level][index].affine;
    const map *d_style = &dx->layer[level][index].style, *dw = &dx->layer[level][index].w;
    linear_gradient(g, affine, &x->layer[level][index].w, d_style, gradient, s);
    map_sum(g->net.engine, d_style, gradient_of(g, gradient, affine->bias));
    convolution_backward(&affine->c, d_style, dw, NULL, &s->convolution);
    for (int n = 0; n < SHARD; n++) {
        const map *to = &dx->latent[latent_of(x, n, level, index)].hidden[g->mapping_layers - 1];
        for (int i = 0; i < g->w_dim; i++) to->data[map_at(to, i, 0, 0, n)] += dw->data[map_at(dw, i, 0, 0, n)];
    }
}

/* From the gradient of a layer's y to that of its input, which is added to what ToRGB left there. */
static void layer_backward(const generator *g, g_maps *x, g_maps *dx, int level, int index, float *gradient,
                           const scratch *s) {
    const engine *e = g->net.engine;
    const g_layer *layer = &g->layer[level][index];
    const map *dy = &dx->layer[level][index].y;
    adain_backward(e, &x->layer[level][index].adain, &x->layer[level][index].activated, &x->layer[level][index].style,
                   dy, &dx->layer[level][index].style, x->layer[level][index].noise,
                   gradient_of(g, gradient, layer->bias), gradient_of(g, gradient, layer->strength));
    style_backward(g, x, dx, level, index, gradient, s);
    if (index) {
        linear_gradient(g, layer->conv, &x->layer[level][0].y, dy, gradient, s);
        convolution_backward(&layer->conv->c, dy, &dx->layer[level][0].y, NULL, &s->convolution);
    } else if (level) {
        const map *planes = &dx->layer[level][0].planes;
        blur_split(e, dy, planes, s->row);
        linear_gradient(g, layer->conv, &x->layer[level - 1][1].y, planes, gradient, s);
        convolution_backward(&layer->conv->c, planes, &dx->layer[level - 1][1].y, NULL, &s->convolution);
    } else {
        constant_gradient(g, dy, gradient_of(g, gradient, g->constant));
    }
}

static void to_rgb_backward(const generator *g, g_maps *x, const map *d_rgb, int level, const map *dy, float *gradient,
                            const scratch *s) {
    linear_gradient(g, g->to_rgb[level], &x->layer[level][1].y, d_rgb, gradient, s);
    map_sum(g->net.engine, d_rgb, gradient_of(g, gradient, g->to_rgb[level]->bias));
    convolution_backward(&g->to_rgb[level]->c, d_rgb, dy, NULL, &s->convolution);
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
    const engine *e = g->net.engine;
    const int top = at.top;
    for (int i = 0; i < 2; i++) map_clear(&dx->latent[i].hidden[g->mapping_layers - 1]);
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
    }
    for (int i = 0; i < 2; i++) latent_backward(g, x, dx, i, labels, gradient, s);
}

/* --- Export --- */

/* values [rows][groups][columns], as the weight file has them: times the gain, without padding. */
static float *export_values(const generator *g, int i, const float *values, float first_group) {
    const parameter *p = &g->net.parameters[i];
    float *out = cli_alloc((size_t)(p->rows * p->groups * p->columns), sizeof *out), *to = out;
    const float *from = values + p->offset;
    for (int r = 0; r < p->rows * p->groups; r++, from += padded(p->columns))
        for (int c = 0; c < p->columns; c++) *to++ = p->gain * from[c] + (r % p->groups ? 0 : first_group);
    return out;
}

static void export_parameter(const generator *g, int i, const float *values, int dimensions, const int32_t *shape,
                             float first_group, weights *w) {
    float *out = export_values(g, i, values, first_group);
    weights_add_values(w, g->net.parameters[i].name, dimensions, shape, out);
    free(out);
}

static void export_dense(const generator *g, const linear *l, const float *values, float first_group, weights *w) {
    const parameter *p = &g->net.parameters[l->weight];
    const int32_t columns = p->groups * p->columns;
    export_parameter(g, l->weight, values, 2, (const int32_t[2]){p->rows, columns}, 0, w);
    export_parameter(g, l->bias, values, 1, &columns, first_group, w);
}

/* weight [k][k][I][O]. The weight file's up-sampling convolutions scatter: their taps run backwards. */
static void export_convolution(const generator *g, const linear *l, const float *values, weights *w) {
    const parameter *p = &g->net.parameters[l->weight];
    const int kernel = l->c.kernel, taps = kernel * kernel;
    const size_t tap = (size_t)(l->c.in * p->columns);
    float *out = export_values(g, l->weight, values, 0), *swap = cli_alloc(tap, sizeof *swap);
    for (int i = 0; l->c.kind == CONVOLUTION_UP && i < taps / 2; i++) {
        float *a = out + tap * (size_t)i, *b = out + tap * (size_t)(taps - 1 - i);
        memcpy(swap, a, tap * sizeof *swap);
        memcpy(a, b, tap * sizeof *swap);
        memcpy(b, swap, tap * sizeof *swap);
    }
    weights_add_values(w, p->name, 4, (const int32_t[4]){kernel, kernel, l->c.in, p->columns}, out);
    export_parameter(g, l->bias, values, 1, (const int32_t[1]){p->columns}, 0, w);
    free(swap);
    free(out);
}

static void export_layer(const generator *g, int level, int index, const float *values, weights *w) {
    const g_layer *layer = &g->layer[level][index];
    const int32_t channels = g->channels[level], size = 4 << level;
    char name[32];
    if (layer->conv)
        export_convolution(g, layer->conv, values, w);
    else
        export_parameter(g, layer->bias, values, 1, &channels, 0, w);
    float *noise = cli_alloc((size_t)(size * size), sizeof *noise);
    stylegan_random_normal(0, (uint32_t)(2 * level + index), 0, noise, size * size);
    snprintf(name, sizeof name, "b%d.conv%d.noise", (int)size, index);
    weights_add_values(w, name, 2, (const int32_t[2]){size, size}, noise);
    free(noise);
    export_parameter(g, layer->strength, values, 1, &channels, 0, w);
    export_dense(g, layer->affine, values, 1, w);
}

void generator_export(const generator *g, growth at, const float *values, const float *w_avg, weights *w) {
    memset(w, 0, sizeof *w);
    w->config = (stylegan_config){.family = STYLEGAN_FAMILY_1,
                                  .channels = g->to_rgb[0]->c.out,
                                  .z_dim = g->z_dim,
                                  .w_dim = g->w_dim,
                                  .c_dim = g->labels,
                                  .num_ws = 2 * (at.top + 1),
                                  .mapping_layers = g->mapping_layers,
                                  .normalization = STYLEGAN_NORMALIZE_JOINT,
                                  .mapping_activation = STYLEGAN_LRELU,
                                  .mapping_gain = 1,
                                  .activation = STYLEGAN_LRELU,
                                  .activation_gain = 1,
                                  .use_instance_norm = 1,
                                  .use_styles = 1,
                                  .lod = growth_fades(at) ? 1 - at.fade : 0,
                                  .truncation_psi = 0.7f,
                                  .truncation_cutoff = 2 * (at.top + 1)};
    weights_set_resolution(&w->config, 4 << at.top);
    if (g->labels) export_parameter(g, g->embed, values, 2, (const int32_t[2]){g->labels, g->z_dim}, 0, w);
    for (int i = 0; i < g->mapping_layers; i++) export_dense(g, g->mapping[i], values, 0, w);
    weights_add_values(w, "w_avg", 1, &w->config.w_dim, w_avg);
    static const float blur[9] = {1 / 16.0f, 2 / 16.0f, 1 / 16.0f, 2 / 16.0f, 4 / 16.0f,
                                  2 / 16.0f, 1 / 16.0f, 2 / 16.0f, 1 / 16.0f};
    weights_add_values(w, "fir", 2, (const int32_t[2]){3, 3}, blur);
    export_parameter(g, g->constant, values, 3, (const int32_t[3]){4, 4, g->channels[0]}, 0, w);
    for (int level = 0; level <= at.top; level++) {
        for (int index = 0; index < 2; index++) export_layer(g, level, index, values, w);
        if (level == at.top || (level == at.top - 1 && growth_fades(at)))
            export_convolution(g, g->to_rgb[level], values, w);
    }
}
