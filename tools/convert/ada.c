/* ada.c - StyleGAN 2-ADA and what later code saves as such: the names of its modules, and what their attributes say. */
#include "persistence.h"

#include <math.h>

static const layout names = {
    .dense = "mapping.fc{N}.",
    .embedding_weight = "mapping.embed.weight",
    .embedding_bias = "mapping.embed.bias",
    .average = "mapping.w_avg",
    .constant = "synthesis.b4.const",
    .first_conv1 = "synthesis.b4.conv1.",
    .conv0 = "synthesis.b{R}.conv0.",
    .conv1 = "synthesis.b{R}.conv1.",
    .first_torgb = "synthesis.b4.torgb.",
    .torgb = "synthesis.b{R}.torgb.",
    .skip = "synthesis.b{R}.skip.weight",
    .weight = "weight",
    .bias = "bias",
    .strength = "noise_strength",
    .affine_weight = "affine.weight",
    .affine_bias = "affine.bias",
    .torgb_bias = "bias",
    .noise0 = "synthesis.b{R}.conv0.noise_const",
    .noise1 = "synthesis.b{R}.conv1.noise_const",
    .conv0_fir = "synthesis.b{R}.conv0.resample_filter",
    .skip_fir = "synthesis.b{R}.skip.resample_filter",
    .image_fir = "synthesis.b{R}.resample_filter",
    .fir_sum = 1,
    .torch_order = true,
    .unscaled_convolutions = true,
};

typedef struct layer_kind {
    const char *name;
    bool is_modulated, is_pointwise; /* only pointwise ones have a weight_gain */
    int up;                          /* 0: the layer knows no up-sampling */
} layer_kind;

static void check_layer(network *n, const char *path, const layer_kind *kind) {
    const stylegan_config *config = &n->w.config;
    const char *weight = reader_format(n->r, "%s.weight", path);
    if (!network_has(n, weight)) return;
    int kernel, in, outputs;
    network_conv_shape(n, weight, &kernel, &in, &outputs);
    if (kind->up) persistence_expect(n, path, "up", kind->up);
    if (kind->is_pointwise) persistence_expect(n, path, "weight_gain", 1.0 / sqrt(in));
    if (!kind->is_modulated) return;
    persistence_check_dense(n, reader_format(n->r, "%s.affine", path), 1.0, STYLEGAN_LINEAR);
    if (persistence_clamp(n, path) != config->conv_clamp)
        reader_fail(n->r, "%s.conv_clamp = %g differs from that of the first layer", path,
                    (double)persistence_clamp(n, path));
    if (kind->is_pointwise) return;
    persistence_expect_activation(n, path, config->activation);
    persistence_expect(n, path, "act_gain", (double)network_activation_gain(config->activation));
    persistence_expect(n, path, "use_noise", n->opt.use_noise);
}

static const char *const architectures[] = {"skip", "resnet", "orig"}; /* as stylegan_architecture counts */

static void check_layers(network *n) {
    static const layer_kind kinds[] = {
        {"conv0", true, false, 2}, {"conv1", true, false, 1}, {"torgb", true, true, 0}, {"skip", false, true, 2}};
    const stylegan_config *config = &n->w.config;
    for (int block = 0; block < config->blocks; block++) {
        const int resolution = network_block(n, block).resolution;
        const char *architecture = reader_format(n->r, "synthesis.b%d.architecture", resolution);
        if (!value_equals(network_find(n, architecture), architectures[config->architecture]))
            reader_fail(n->r, "%s differs from that of the first block", architecture);
        for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
            check_layer(n, reader_format(n->r, "synthesis.b%d.%s", resolution, kinds[i].name), &kinds[i]);
        }
    }
}

static int architecture_of(network *n) {
    const value *own = network_find(n, "synthesis.b4.architecture");
    for (int i = 0; i < 3; i++) {
        if (value_equals(own, architectures[i])) return i;
    }
    reader_fail(n->r, "synthesis.b4.architecture is not skip, resnet or orig");
    return STYLEGAN_SKIP;
}

/* As many blocks as there are; the attribute counts 4 x 4 as the first, or is the true larger side. */
static void read_size(network *n) {
    const int resolution = persistence_integer(n, "synthesis.img_resolution", 1, 16384);
    int blocks = 1;
    while (4 << blocks <= 16384 && network_has(n, reader_format(n->r, "synthesis.b%d.conv1.weight", 4 << blocks)))
        blocks++;
    network_set_size(n, blocks);
    if (resolution != 4 << (blocks - 1) && resolution != n->w.config.resolution)
        reader_fail(n->r, "synthesis.img_resolution = %d, but the blocks reach %d", resolution, 4 << (blocks - 1));
}

static void read_attributes(network *n) {
    stylegan_config *config = &n->w.config;
    n->opt.const_input = true;
    read_size(n);
    config->channels = persistence_integer(n, "synthesis.img_channels", 1, MOST_CHANNELS);
    persistence_read_mapping(n);
    config->architecture = architecture_of(n);
    config->activation = persistence_activation(n, "synthesis.b4.conv1");
    config->conv_clamp = persistence_clamp(n, "synthesis.b4.conv1");
    n->opt.use_noise = persistence_number(n, "synthesis.b4.conv1.use_noise") > 0;
    n->opt.fir_name = "synthesis.b4.resample_filter";
    n->opt.fir = network_find(n, n->opt.fir_name);
    n->opt.fir_default_size = 1;
    n->opt.fir_default[0] = 1.0f;
}

void ada_build(network *n) {
    n->names = names;
    read_attributes(n);
    check_layers(n);
    if (n->r->error[0]) return;
    stylegan2_build(n);
}
