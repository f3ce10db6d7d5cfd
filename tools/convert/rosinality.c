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

/* {g_ema, g, latent_avg}, {state_dict: {decoder.*}, latent_avg}, or the generator's own state dict. */
const value *rosinality_find(reader *r, const value *root, bool averaged) {
    const value *found = state_dict(r, value_get(root, averaged ? "g_ema" : "g"));
    if (!found) found = without_prefix(r, state_dict(r, value_get(root, "state_dict")), "decoder.");
    if (!found) found = state_dict(r, root);
    if (!value_get(found, names.constant)) return NULL;
    value *generator = without_prefix(r, found, "");
    value *average = value_get(root, names.average);
    if (generator && average) {
        value_append(r, generator,
                     value_text(r, VALUE_TEXT, (const unsigned char *)names.average, strlen(names.average)));
        value_append(r, generator, average);
    }
    return generator;
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
