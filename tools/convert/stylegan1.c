/* stylegan1.c - the synthesis network of StyleGAN: AdaIN after every convolution. */
#include "network.h"

#include <math.h>

/* Channels of the first epilogue; adds what it works on: the learned constant, or a dense layer of w. */
static int add_input(network *n) {
    if (n->opt.const_input) return network_add_constant(n);
    const int w_dim = n->w.config.w_dim;
    const char *name =
        reader_format(n->r, "%s%s", network_name(n, n->names.first_conv0, network_block(n, 0)), n->names.weight);
    int in, outputs;
    network_dense_shape(n, name, &in, &outputs);
    network_add_dense(n, "b4.dense.weight", name, w_dim, outputs,
                      n->opt.use_wscale ? sqrt(2.0) / 4 / sqrt(w_dim) : 1.0);
    return outputs / 16;
}

/* Adds b{R}.conv0 or conv1 and returns its channels. */
static int add_layer(network *n, place at, int index, int in) {
    const layout *names = &n->names;
    const bool first = at.block == 0, is_input = first && index == 0;
    const char *pattern =
        first ? (index ? names->first_conv1 : names->first_conv0) : (index ? names->conv1 : names->conv0);
    at.layer = 2 * at.block + index;
    layer l = {.out = reader_format(n->r, "b%d.conv%d", at.side, index),
               .prefix = network_name(n, pattern, at),
               .noise = n->opt.use_noise ? network_name(n, index ? names->noise1 : names->noise0, at) : NULL,
               .bias = names->bias,
               .at = at,
               .in = in,
               .outputs = in,
               .has_weight = !is_input,
               .flipped = !first && !index && at.resolution < n->opt.fused_from,
               .gain = n->opt.use_wscale ? sqrt(2.0) : 1.0,
               .scaled = n->opt.use_wscale};
    if (l.has_weight) {
        int kernel, inputs;
        network_conv_shape(n, reader_format(n->r, "%s%s", l.prefix, names->weight), &kernel, &inputs, &l.outputs);
    }
    l.strengths = l.styles_from_zero = l.outputs;
    l.styles = n->w.config.use_styles ? 2 * l.outputs : 0;
    network_add_layer(n, &l);
    return l.outputs;
}

static void add_torgb(network *n, place at, int in) {
    const layer l = {.out = reader_format(n->r, "b%d.torgb", at.side),
                     .prefix = network_name(n, n->names.torgb, at),
                     .bias = n->names.torgb_bias,
                     .at = at,
                     .in = in,
                     .outputs = n->w.config.channels,
                     .has_weight = true,
                     .pointwise = true,
                     .gain = 1.0,
                     .scaled = n->opt.use_wscale};
    network_add_layer(n, &l);
}

void stylegan1_build(network *n) {
    stylegan_config *config = &n->w.config;
    const int blocks = config->blocks;
    config->family = STYLEGAN_FAMILY_1;
    config->num_ws = config->use_styles ? 2 * blocks : 1;
    config->mapping_gain = config->activation_gain = 1.0f;
    config->lod = fminf(fmaxf(config->lod, 0.0f), (float)(blocks - 1));
    const int level = (int)config->lod, last = blocks - 1 - level;
    const bool blended = config->lod > (float)level;

    network_add_mapping(n, sqrt(2.0));
    network_add_blur(n);
    int channels = add_input(n);
    for (int block = 0; block <= last; block++) {
        const place at = network_block(n, block);
        channels = add_layer(n, at, 0, channels);
        channels = add_layer(n, at, 1, channels);
        if (block == last || (blended && block == last - 1)) add_torgb(n, at, channels);
    }
}
