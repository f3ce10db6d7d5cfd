/* stylegan2.c - the synthesis network of StyleGAN 2 and 2-ADA: modulated convolutions. */
#include "network.h"

#include <math.h>

/* Adds b{R}.conv0 (up-sampling) or conv1 and returns its channels. */
static int add_layer(network *n, place at, int index, int in) {
    const layout *names = &n->names;
    const bool first = at.block == 0;
    at.layer = first ? 0 : 2 * at.block - 1 + index;
    layer l = {.out = reader_format(n->r, "b%d.conv%d", at.side, index),
               .prefix = network_name(n,
                                      first   ? names->first_conv1
                                      : index ? names->conv1
                                              : names->conv0,
                                      at),
               .noise = n->opt.use_noise ? network_name(n, index ? names->noise1 : names->noise0, at) : NULL,
               .bias = names->bias,
               .at = at,
               .in = in,
               .has_weight = true,
               .flipped = !index && names->upsampling_flipped,
               .gain = 1.0,
               .scaled = !names->unscaled_convolutions,
               .strengths = 1,
               .styles = in,
               .styles_from_zero = names->style_bias_from_zero ? in : 0};
    int kernel, inputs;
    network_conv_shape(n, reader_format(n->r, "%s%s", l.prefix, names->weight), &kernel, &inputs, &l.outputs);
    network_add_layer(n, &l);
    return l.outputs;
}

static void add_torgb(network *n, place at, int in) {
    const layout *names = &n->names;
    const layer l = {.out = reader_format(n->r, "b%d.torgb", at.side),
                     .prefix = network_name(n, at.block ? names->torgb : names->first_torgb, at),
                     .bias = names->torgb_bias,
                     .at = at,
                     .in = in,
                     .outputs = n->w.config.channels,
                     .has_weight = true,
                     .pointwise = true,
                     .gain = 1.0,
                     .scaled = true,
                     .styles = in,
                     .styles_from_zero = names->style_bias_from_zero ? in : 0};
    network_add_layer(n, &l);
}

static void add_skip(network *n, place at, int in, int outputs) {
    network_add_conv(n, reader_format(n->r, "b%d.skip.weight", at.side), network_name(n, n->names.skip, at), 1, in,
                     outputs, sqrt(0.5) / sqrt(in), false);
}

void stylegan2_build(network *n) {
    stylegan_config *config = &n->w.config;
    const int blocks = config->blocks;
    config->family = STYLEGAN_FAMILY_2;
    config->num_ws = 2 * blocks;
    config->activation_gain = network_activation_gain(config->activation);
    config->mapping_gain = network_activation_gain(config->mapping_activation);

    network_add_mapping(n, 1.0);
    network_add_upsampling_filters(n, blocks);
    int channels = network_add_constant(n);
    for (int block = 0; block < blocks; block++) {
        const place at = network_block(n, block);
        const int in = channels;
        if (block) channels = add_layer(n, at, 0, channels);
        channels = add_layer(n, at, 1, channels);
        if (block && config->architecture == STYLEGAN_RESNET) add_skip(n, at, in, channels);
        if (config->architecture == STYLEGAN_SKIP || block == blocks - 1) add_torgb(n, at, channels);
    }
}
