/* import.c - see import.h. */
#include "import.h"
#include "synthesis.h"
#include "../base/cli.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void import_layer_name(int level, int index, char *out) {
    static const char *const kinds[] = {"conv0", "conv1", "torgb"};
    snprintf(out, 16, "b%d.%s", 4 << level, kinds[index]);
}

static weights_tensor *find(const weights *w, const char *layer, const char *part) {
    char name[64];
    snprintf(name, sizeof name, "%s.%s", layer, part);
    return weights_find(w, name);
}

static int ends_with(const char *name, const char *end) {
    const size_t length = strlen(name), count = strlen(end);
    return length >= count && strcmp(name + length - count, end) == 0;
}

/* Of a layer; 0: there is none. */
static int channels_of(const weights *w, int level, int index) {
    char name[16];
    import_layer_name(level, index, name);
    const weights_tensor *bias = find(w, name, "bias");
    return bias ? bias->shape[0] : 0;
}

/* --- What is in the way --- */

/* Whether a filter is the product of `taps` with itself, of sum 1. */
static int is_filter(const weights_tensor *t, const double *taps, int count) {
    if (!t || t->dimensions != 2 || t->shape[0] != count || t->shape[1] != count) return 0;
    for (int i = 0; i < count * count; i++)
        if (fabs((double)t->values[i] - taps[i / count] * taps[i % count]) > 1e-6) return 0;
    return 1;
}

static int has_known_filters(const weights *w) {
    static const double three[] = {0.25, 0.5, 0.25}, four[] = {0.125, 0.375, 0.375, 0.125};
    const weights_tensor *image = weights_find(w, "fir_image");
    if (w->config.family == STYLEGAN_FAMILY_1) return is_filter(weights_find(w, "fir"), three, 3);
    return is_filter(weights_find(w, "fir"), four, 4) && (!image || is_filter(image, four, 4));
}

/* The first convolution that is not 3x3, as its name in out [16]; 0 if there is none. */
static int odd_kernel(const weights *w, char *out) {
    for (int level = 0; level < w->config.blocks; level++)
        for (int index = 0; index < 2; index++) {
            import_layer_name(level, index, out);
            const weights_tensor *weight = find(w, out, "weight");
            if (weight && weight->shape[0] != 3) return 1;
        }
    return 0;
}

static char *family1_refusal(const stylegan_config *c) {
    if (c->use_pixel_norm) return cli_format("its features are normalised per pixel (use_pixel_norm)");
    if (!c->use_instance_norm) return cli_format("its features are not normalised (use_instance_norm is 0)");
    if (!c->use_styles) return cli_format("its layers take no styles (use_styles is 0)");
    if (c->activation_gain < 1 || c->activation_gain > 1)
        return cli_format("activation_gain is %g, not 1", (double)c->activation_gain);
    if (c->lod >= 1) return cli_format("it has not grown to its resolution yet (lod is %g)", (double)c->lod);
    return NULL;
}

char *import_refusal(const weights *w) {
    const stylegan_config *c = &w->config;
    char name[16];
    if (c->family == STYLEGAN_FAMILY_3) return cli_format("StyleGAN 3, whose filters are not differentiated yet");
    if (!c->blocks) return cli_format("it is a mapping alone");
    if (c->width != c->height) return cli_format("its pictures are %dx%d, not square", c->width, c->height);
    if (c->width >> (c->blocks - 1) != 4 || c->blocks > MOST_LEVELS)
        return cli_format("its %d blocks lead to %dx%d, not from 4x4 to at most 1024x1024", c->blocks, c->width,
                          c->height);
    if (c->activation != STYLEGAN_LRELU)
        return cli_format("its activation is %s, not lrelu",
                          stylegan_activation_name((stylegan_activation)c->activation));
    if (c->activation_gain <= 0) return cli_format("activation_gain is %g", (double)c->activation_gain);
    if (!weights_find(w, "b4.const")) return cli_format("its first layer is dense (b4.dense), not a constant");
    if (!has_known_filters(w)) return cli_format("its low-pass filter (fir) is not the papers' binomial one");
    if (odd_kernel(w, name)) return cli_format("the convolution %s is not 3x3", name);
    return c->family == STYLEGAN_FAMILY_1 ? family1_refusal(c) : NULL;
}

/* --- What a generator that is to be trained cannot have --- */

static char *setting_difference(const generator *g, const stylegan_config *c) {
    const struct {
        const char *name;
        int is, expected;
    } settings[] = {{"family", c->family, g->architecture == ARCHITECTURE_STYLEGAN2 ? 2 : 1},
                    {"resolution", c->width, 4 << (g->levels - 1)},
                    {"channels", c->channels, g->to_rgb[g->levels - 1]->c.out},
                    {"z_dim", c->z_dim, g->z_dim},
                    {"w_dim", c->w_dim, g->w_dim},
                    {"c_dim", c->c_dim, g->labels},
                    {"mapping_layers", c->mapping_layers, g->mapping_layers}};
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
        if (settings[i].is != settings[i].expected)
            return cli_format("its %s is %d, not %d", settings[i].name, settings[i].is, settings[i].expected);
    return NULL;
}

static char *variant_difference(const generator *g, const stylegan_config *c) {
    const int joint = c->normalization == STYLEGAN_NORMALIZE_JOINT;
    const double gain = g->layer[0][1].gain;
    if (!joint && (g->labels || c->normalization != STYLEGAN_NORMALIZE_SEPARATE))
        return cli_format("its mapping does not normalise z and label together");
    if (c->mapping_activation != STYLEGAN_LRELU) return cli_format("the activation of its mapping is not lrelu");
    if (g->architecture == ARCHITECTURE_STYLEGAN1)
        return c->lod > 0 ? cli_format("it is still growing (lod is %g)", (double)c->lod) : NULL;
    if (c->architecture != STYLEGAN_SKIP) return cli_format("its images are not summed over resolutions (skip)");
    if (c->conv_clamp > 0) return cli_format("its layers are clamped (conv_clamp is %g)", (double)c->conv_clamp);
    if (fabs((double)c->activation_gain - gain) > 1e-5)
        return cli_format("activation_gain is %g, not %g", (double)c->activation_gain, gain);
    return NULL;
}

/* Of the finished network: a StyleGAN 1 that has grown has no more than one ToRGB. */
static char *tensor_difference(const generator *g, const weights *w) {
    const growth finished = {g->levels - 1, 1};
    for (int i = 0; i < g->net.count; i++) {
        const parameter *p = &g->net.parameters[i];
        const weights_tensor *t = weights_find(w, p->name);
        const size_t expected = (size_t)(p->rows * p->groups) * (size_t)p->columns;
        const int strength = ends_with(p->name, ".noise_strength"); /* may be absent, or one for all channels */
        if (!network_active(p, finished) || (strength && (!t || weights_count(t) == 1))) continue;
        if (!t) return cli_format("it has no %s", p->name);
        if (weights_count(t) != expected)
            return cli_format("its %s has %zu values, not %zu", p->name, weights_count(t), expected);
    }
    return NULL;
}

char *import_difference(const generator *g, const weights *w) {
    char *difference = import_refusal(w);
    if (!difference) difference = setting_difference(g, &w->config);
    if (!difference) difference = variant_difference(g, &w->config);
    return difference ? difference : tensor_difference(g, w);
}

/* --- Plan --- */

void import_plan(generator *g, const weights *w, const engine *e, arena *a) {
    static const int images[] = {IMAGE_SKIP, IMAGE_RESNET, IMAGE_ORIG}; /* as stylegan_architecture */
    const stylegan_config *c = &w->config;
    int fmaps[2 * MOST_LEVELS];
    const network_shape shape = {.architecture =
                                     c->family == STYLEGAN_FAMILY_1 ? ARCHITECTURE_STYLEGAN1 : ARCHITECTURE_STYLEGAN2,
                                 .resolution = c->width,
                                 .channels = c->channels,
                                 .w_dim = c->w_dim};
    network_variant variant = {fmaps, IMAGE_SKIP, 0, 0};
    for (int i = 0; i < 2 * c->blocks; i++) fmaps[i] = channels_of(w, i / 2, i % 2);
    if (!fmaps[0]) fmaps[0] = weights_find(w, "b4.const")->shape[2]; /* StyleGAN 2: the constant is what conv1 sees */
    if (c->family == STYLEGAN_FAMILY_2) {
        variant.image = images[c->architecture];
        variant.clamp = c->conv_clamp;
        variant.gain = (double)c->activation_gain;
    }
    generator_plan_variant(g, &shape, &variant, e, a);
}

growth import_growth(const generator *g, const weights *w) {
    const int blends = g->architecture == ARCHITECTURE_STYLEGAN1;
    return (growth){g->levels - 1, blends ? 1 - w->config.lod : 1};
}

/* --- Values: those of the file, times a factor, over the parameter's gain --- */

/* from [rows][columns] of the file to a parameter's; subtract: from the first group. flip: the rows of each tap run
   backwards, as in the file's up-sampling convolutions. */
static void read_rows(generator *g, int number, const float *from, double factor, float subtract, int flip_rows) {
    const parameter *p = &g->net.parameters[number];
    const int rows = p->rows * p->groups, taps = flip_rows ? rows / flip_rows : 1;
    float *to = network_value(&g->net, number);
    for (int r = 0; r < rows; r++, to += padded(p->columns)) {
        const int row = flip_rows ? (taps - 1 - r / flip_rows) * flip_rows + r % flip_rows : r;
        const float *source = from + (size_t)row * (size_t)p->columns, shift = r % p->groups ? 0 : subtract;
        for (int c = 0; c < p->columns; c++)
            to[c] = (float)(((double)source[c] * factor - (double)shift) / (double)p->gain);
    }
}

static void read_named(generator *g, int number, const weights *w, double factor, float subtract, int flip_rows) {
    const weights_tensor *t = weights_find(w, g->net.parameters[number].name);
    if (t) read_rows(g, number, t->values, factor, subtract, flip_rows);
}

/* A strength for all channels or for each; without noise, it stays zero. */
static void read_strength(generator *g, int level, int index, const weights *w, double factor) {
    g_layer *layer = &g->layer[level][index];
    const parameter *p = &g->net.parameters[layer->strength];
    const weights_tensor *t = weights_find(w, p->name);
    char name[16];
    import_layer_name(level, index, name);
    layer->quiet = !t || !find(w, name, "noise");
    float *to = network_value(&g->net, layer->strength);
    for (int c = 0; !layer->quiet && c < p->columns; c++)
        to[c] = (float)((double)t->values[t->shape[0] == 1 ? 0 : c] * factor);
}

static void read_layer(generator *g, int level, int index, const weights *w) {
    const g_layer *layer = &g->layer[level][index];
    const int modulated = g->architecture == ARCHITECTURE_STYLEGAN2;
    const double factor = modulated && index < 2 ? layer->gain : 1;
    if (layer->conv) {
        const convolution *c = &layer->conv->c;
        read_named(g, layer->conv->weight, w, factor, 0, c->kind == CONVOLUTION_SAME ? 0 : c->in);
        read_named(g, layer->conv->bias, w, factor, 0, 0);
    } else {
        read_named(g, layer->bias, w, factor, 0, 0);
    }
    if (index < 2) read_strength(g, level, index, w, factor);
    read_named(g, layer->affine->weight, w, 1, 0, 0);
    read_named(g, layer->affine->bias, w, 1, modulated ? 0 : 1, 0);
}

static void read_mapping(generator *g, const weights *w) {
    const double gain = (double)w->config.mapping_gain; /* after an lrelu as good as before it */
    if (g->labels) read_named(g, g->embed, w, 1, 0, 0);
    for (int i = 0; i < g->mapping_layers; i++) {
        read_named(g, g->mapping[i]->weight, w, gain, 0, 0);
        read_named(g, g->mapping[i]->bias, w, gain, 0, 0);
    }
}

void import_values(generator *g, const weights *w, const scratch *s) {
    read_mapping(g, w);
    read_named(g, g->constant, w, 1, 0, 0);
    for (int level = 0; level < g->levels; level++) {
        for (int index = generator_first_layer(g, level); index < generator_layers(g, level); index++)
            read_layer(g, level, index, w);
        if (g->skip[level]) read_named(g, g->skip[level]->weight, w, 1, 0, 0);
        if (!g->to_rgb[level] || g->architecture == ARCHITECTURE_STYLEGAN2) continue;
        read_named(g, g->to_rgb[level]->weight, w, 1, 0, 0);
        read_named(g, g->to_rgb[level]->bias, w, 1, 0, 0);
    }
    import_prepare(g, s);
}

void import_prepare(const generator *g, const scratch *s) {
    const growth all = {g->levels - 1, 0.5f}; /* with both images of a growing network */
    for (int i = 0; i < g->net.linear_count; i++) network_prepare(&g->net, i, all, &s->convolution);
}

/* --- Noise --- */

void import_noise(const generator *g, const weights *w, g_maps *x) {
    for (int level = 0; level < g->levels; level++)
        for (int index = generator_first_layer(g, level); index < 2; index++) {
            char name[16];
            const size_t count = (size_t)16 << 2 * level;
            if (g->layer[level][index].quiet) continue;
            import_layer_name(level, index, name);
            const float *noise = find(w, name, "noise")->values;
            for (size_t p = 0; p < count * (size_t)g->net.engine->images; p++)
                x->layer[level][index].noise[p] = noise[p / (size_t)g->net.engine->images];
        }
}

void import_replace_noise(const generator *g, const g_maps *x, weights *w) {
    for (int level = 0; level < g->levels; level++)
        for (int index = generator_first_layer(g, level); index < 2; index++) {
            char name[16];
            const size_t count = (size_t)16 << 2 * level;
            if (g->layer[level][index].quiet) continue;
            import_layer_name(level, index, name);
            memcpy(find(w, name, "noise")->values, x->layer[level][index].noise, count * sizeof(float));
        }
}

/* --- Back --- */

void import_replace_values(const generator *g, growth at, weights *w) {
    weights made;
    generator_export(g, at, g->net.values, NULL, &made);
    for (int i = 0; i < made.count; i++) {
        weights_tensor *from = &made.tensors[i], *to = weights_find(w, from->name);
        if (!to || ends_with(from->name, ".noise")) continue;
        free(to->values);
        *to = *from; /* a noise strength for all channels becomes one for each */
        from->values = NULL;
    }
    weights_free(&made);
}
