/* genforce.c - state dicts of genforce: PyTorch's order of axes, TensorFlow's kernels and styles. */
#include "formats.h"

#include <string.h>

static const layout stylegan1_names = {
    .dense = "mapping.dense{N}.",
    .embedding_weight = "mapping.label_weight",
    .average = "truncation.w_avg",
    .constant = "synthesis.layer0.const",
    .first_conv0 = "synthesis.layer{L}.",
    .first_conv1 = "synthesis.layer{L}.",
    .conv0 = "synthesis.layer{L}.",
    .conv1 = "synthesis.layer{L}.",
    .torgb = "synthesis.output{B}.",
    .weight = "weight",
    .bias = "bias",
    .strength = "apply_noise.weight",
    .affine_weight = "style.weight",
    .affine_bias = "style.bias",
    .torgb_bias = "bias",
    .noise0 = "synthesis.layer{L}.apply_noise.noise",
    .noise1 = "synthesis.layer{L}.apply_noise.noise",
    .undrawn = "synthesis.output", /* the images of lower resolutions */
    .torch_order = true,
};

static const layout stylegan2_names = {
    .dense = "mapping.dense{N}.",
    .embedding_weight = "mapping.label_weight",
    .average = "truncation.w_avg",
    .constant = "synthesis.early_layer.const",
    .first_conv1 = "synthesis.layer{L}.",
    .conv0 = "synthesis.layer{L}.",
    .conv1 = "synthesis.layer{L}.",
    .first_torgb = "synthesis.output{B}.",
    .torgb = "synthesis.output{B}.",
    .skip = "synthesis.skip_layer{P}.weight",
    .weight = "weight",
    .bias = "bias",
    .strength = "noise_strength",
    .affine_weight = "style.weight",
    .affine_bias = "style.bias",
    .torgb_bias = "bias",
    .noise0 = "synthesis.layer{L}.noise",
    .noise1 = "synthesis.layer{L}.noise",
    .torch_order = true,
    .upsampling_flipped = true,
    .style_bias_from_zero = true,
};

/* {generator_smooth, generator, ...}, the same under "models", or the generator's own state dict. */
const value *genforce_find(reader *r, const value *root, bool averaged) {
    const value *models = value_get(root, "models");
    const value *found = state_dict(r, value_get(models ? models : root, averaged ? "generator_smooth" : "generator"));
    if (!found) found = state_dict(r, root);
    return value_get(found, "synthesis.layer0.bias") ? found : NULL;
}

static void build_stylegan1(network *n, int blocks) {
    stylegan_config *config = &n->w.config;
    if (network_has(n, "synthesis.layer0.style.dense.weight")) {
        n->names.affine_weight = "style.dense.weight";
        n->names.affine_bias = "style.dense.bias";
    }
    config->channels = network_vector_size(n, reader_format(n->r, "synthesis.output%d.bias", blocks - 1));
    config->use_styles = config->use_instance_norm = 1;
    config->lod = (float)network_number(n, "synthesis.lod", 0.0);
    config->truncation_psi = 0.7f;
    config->truncation_cutoff = 2 * blocks < 8 ? 2 * blocks : 8;
    n->opt.fused_from = 128;
    n->opt.fir_default_size = 3;
    memcpy(n->opt.fir_default, (const float[]){1, 2, 1}, 3 * sizeof(float));
    stylegan1_build(n);
}

static void build_stylegan2(network *n, int blocks) {
    stylegan_config *config = &n->w.config;
    const bool has_skip = network_has(n, "synthesis.skip_layer0.weight"),
               has_rgb = network_has(n, "synthesis.output0.weight");
    config->channels = network_vector_size(n, reader_format(n->r, "synthesis.output%d.bias", blocks - 1));
    config->architecture = has_skip ? STYLEGAN_RESNET : has_rgb ? STYLEGAN_SKIP : STYLEGAN_ORIG;
    config->truncation_psi = 0.5f;
    config->truncation_cutoff = 2 * blocks;
    n->opt.fir_default_size = 4;
    memcpy(n->opt.fir_default, (const float[]){1, 3, 3, 1}, 4 * sizeof(float));
    stylegan2_build(n);
}

void genforce_build(network *n, const value *generator) {
    stylegan_config *config = &n->w.config;
    n->variables = generator;
    const bool modulated = network_has(n, stylegan2_names.constant);
    n->names = modulated ? stylegan2_names : stylegan1_names;
    n->opt.mapping_lrmul = 0.01;
    n->opt.use_wscale = n->opt.mapping_use_wscale = n->opt.use_noise = n->opt.const_input = true;
    n->opt.fir_name = "filter";
    config->z_dim = config->c_dim = config->mapping_layers = -1; /* as the variables say */
    config->normalization = STYLEGAN_NORMALIZE_JOINT;
    if (network_has(n, "mapping.LabelEmbed.weight")) { /* StyleGAN 2-ADA */
        n->names.embedding_weight = "mapping.LabelEmbed.weight";
        n->names.embedding_bias = "mapping.LabelEmbed.bias";
        config->normalization = STYLEGAN_NORMALIZE_SEPARATE;
    }
    config->activation = config->mapping_activation = STYLEGAN_LRELU;
    const int layers = network_count(n, "synthesis.layer{N}.bias", 2 * LARGEST_BLOCKS - modulated);
    const int blocks = 1 + (layers - !modulated) / 2;
    network_set_size(n, blocks);
    (modulated ? build_stylegan2 : build_stylegan1)(n, blocks);
    if (config->channels > MOST_CHANNELS)
        reader_fail(n->r, "images of %d channels are not supported", config->channels);
    network_refuse_unused(n);
}
