/* rosinality.c - state dicts of stylegan2-pytorch, and of the encoders (pSp, e4e, ...) that carry one as decoder. */
#include "formats.h"

#include <string.h>

static const layout names = {
    .dense = "style.{O}.",
    .embedding_weight = "",
    .average = "latent_avg",
    .constant = "input.input",
    .first_conv1 = "conv1.",
    .conv0 = "convs.{M}.",
    .conv1 = "convs.{M}.",
    .first_torgb = "to_rgb1.",
    .torgb = "to_rgbs.{P}.",
    .weight = "conv.weight",
    .bias = "activate.bias",
    .strength = "noise.weight",
    .affine_weight = "conv.modulation.weight",
    .affine_bias = "conv.modulation.bias",
    .torgb_bias = "bias",
    .noise0 = "noises.noise_{L}",
    .noise1 = "noises.noise_{L}",
    .conv0_fir = "convs.{M}.conv.blur.kernel",
    .image_fir = "to_rgbs.{P}.upsample.kernel",
    .fir_sum = 4, /* the gain of up-sampling */
    .torch_order = true,
};

/* The generator's part of a state dict; NULL if there is none. */
static value *generator_part(reader *r, const value *dict) {
    static const char *const prefixes[] = {"", "decoder.", "generator.", "g_ema."};
    for (size_t i = 0; dict && i < sizeof prefixes / sizeof *prefixes; i++) {
        if (value_get(dict, reader_format(r, "%s%s", prefixes[i], names.constant)))
            return without_prefix(r, dict, prefixes[i]);
    }
    return NULL;
}

/* A state dict or a whole module, below one of these keys or alone; latent_avg beside or in it. */
const value *rosinality_find(reader *r, const value *root, bool averaged) {
    static const char *const keys[2][5] = {{"g", "state_dict"}, {"g_ema", "ema", "params_ema", "state_dict"}};
    const value *dict = NULL;
    value *found = NULL;
    for (int i = 0; !found && keys[averaged][i]; i++) {
        dict = state_dict(r, value_get(root, keys[averaged][i]));
        found = generator_part(r, dict);
    }
    if (!found) found = generator_part(r, dict = state_dict(r, root));
    value *average = value_get(root, names.average);
    if (!average || average->kind == VALUE_NONE) average = value_get(dict, names.average);
    if (found && average) {
        value_append(r, found, value_text(r, VALUE_TEXT, (const unsigned char *)names.average, strlen(names.average)));
        value_append(r, found, average);
    }
    return found;
}

void rosinality_build(network *n, const value *generator) {
    stylegan_config *config = &n->w.config;
    n->variables = generator;
    n->names = names;
    const int convolutions = network_count(n, "convs.{N}.conv.weight", 2 * (LARGEST_BLOCKS - 1));
    config->channels = network_vector_size(n, "to_rgb1.bias");
    if (config->channels > MOST_CHANNELS)
        reader_fail(n->r, "to_rgb1.bias: images of %d channels are not supported", config->channels);
    config->z_dim = config->mapping_layers = -1; /* as the variables say */
    config->normalization = STYLEGAN_NORMALIZE_JOINT;
    config->architecture = STYLEGAN_SKIP;
    config->activation = config->mapping_activation = STYLEGAN_LRELU;
    n->opt = (options){.mapping_lrmul = 0.01,
                       .use_wscale = true,
                       .mapping_use_wscale = true,
                       .use_noise = true,
                       .const_input = true,
                       .random_noise = true,
                       .fir_default = {1, 3, 3, 1},
                       .fir_default_size = 4};
    network_set_size(n, 1 + (convolutions + 1) / 2);
    stylegan2_build(n);
    config->truncation_psi = 1.0f;
    config->truncation_cutoff = config->num_ws;
    network_refuse_unused(n);
}
