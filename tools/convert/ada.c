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

/* 0: None. */
static float clamp_of(network *n, const char *path) {
    const char *name = reader_format(n->r, "%s.conv_clamp", path);
    if (!network_has(n, name)) return 0.0f;
    const double clamp = persistence_number(n, name);
    if (clamp > 1e-30 && clamp < 1e30) return (float)clamp;
    reader_fail(n->r, "%s = %g is not supported", name, clamp);
    return 0.0f;
}

static int activation_of(network *n, const char *path) {
    const char *name = reader_format(n->r, "%s.activation", path);
    return network_activation(n, name, network_find(n, name));
}

/* The engine has one activation, one clamp, ... for all layers, and gains that follow from the sizes. */
static void expect(network *n, const char *path, const char *end, double expected) {
    const char *name = reader_format(n->r, "%s.%s", path, end);
    const double found = network_has(n, name) ? persistence_number(n, name) : expected;
    if (!(fabs(found - expected) <= 1e-5 * fabs(expected)))
        reader_fail(n->r, "%s = %g is not supported: should be %g", name, found, expected);
}

static void expect_activation(network *n, const char *path, int expected) {
    if (network_has(n, reader_format(n->r, "%s.activation", path)) && activation_of(n, path) != expected)
        reader_fail(n->r, "%s.activation differs from that of other layers", path);
}

static void check_dense(network *n, const char *path, double lrmul, int activation) {
    const char *weight = reader_format(n->r, "%s.weight", path);
    if (!network_has(n, weight)) return;
    int in, outputs;
    network_dense_shape(n, weight, &in, &outputs);
    expect(n, path, "weight_gain", lrmul / sqrt(in));
    expect(n, path, "bias_gain", lrmul);
    expect_activation(n, path, activation);
}

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
    if (kind->up) expect(n, path, "up", kind->up);
    if (kind->is_pointwise) expect(n, path, "weight_gain", 1.0 / sqrt(in));
    if (!kind->is_modulated) return;
    check_dense(n, reader_format(n->r, "%s.affine", path), 1.0, STYLEGAN_LINEAR);
    if (clamp_of(n, path) != config->conv_clamp)
        reader_fail(n->r, "%s.conv_clamp = %g differs from that of the first layer", path, (double)clamp_of(n, path));
    if (kind->is_pointwise) return;
    expect_activation(n, path, config->activation);
    expect(n, path, "act_gain", (double)network_activation_gain(config->activation));
    expect(n, path, "use_noise", n->opt.use_noise);
}

static const char *const architectures[] = {"skip", "resnet", "orig"}; /* as stylegan_architecture counts */

static void check_layers(network *n) {
    static const layer_kind kinds[] = {
        {"conv0", true, false, 2}, {"conv1", true, false, 1}, {"torgb", true, true, 0}, {"skip", false, true, 2}};
    const stylegan_config *config = &n->w.config;
    check_dense(n, "mapping.embed", 1.0, STYLEGAN_LINEAR);
    for (int i = 0; i < config->mapping_layers; i++) {
        check_dense(n, reader_format(n->r, "mapping.fc%d", i), n->opt.mapping_lrmul, config->mapping_activation);
    }
    for (int resolution = 4; resolution <= config->resolution; resolution *= 2) {
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

static void read_attributes(network *n) {
    stylegan_config *config = &n->w.config;
    weights_set_resolution(config, persistence_integer(n, "synthesis.img_resolution", 4, 16384));
    config->channels = persistence_integer(n, "synthesis.img_channels", 1, MOST_CHANNELS);
    config->z_dim = persistence_integer(n, "mapping.z_dim", 0, 1 << 16);
    config->w_dim = persistence_integer(n, "mapping.w_dim", 1, 1 << 16);
    config->c_dim = persistence_integer(n, "mapping.c_dim", 0, 1 << 16);
    config->mapping_layers = persistence_integer(n, "mapping.num_layers", 0, 64);
    if (config->resolution & (config->resolution - 1))
        reader_fail(n->r, "synthesis.img_resolution = %d is not supported", config->resolution);
    config->normalization = STYLEGAN_NORMALIZE_SEPARATE;
    config->architecture = architecture_of(n);
    config->activation = activation_of(n, "synthesis.b4.conv1");
    config->mapping_activation = config->mapping_layers ? activation_of(n, "mapping.fc0") : STYLEGAN_LRELU;
    config->conv_clamp = clamp_of(n, "synthesis.b4.conv1");
    n->opt.use_noise = persistence_number(n, "synthesis.b4.conv1.use_noise") > 0;
    n->opt.mapping_lrmul = config->mapping_layers ? persistence_number(n, "mapping.fc0.bias_gain") : 1.0;
    n->opt.use_wscale = n->opt.mapping_use_wscale = n->opt.const_input = true;
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
    n->w.config.truncation_psi = 1.0f;
    n->w.config.truncation_cutoff = n->w.config.num_ws;
}
