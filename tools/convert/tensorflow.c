/* tensorflow.c - pickles of dnnlib.tflib.network.Network: StyleGAN, StyleGAN 2, 2-ADA before PyTorch. */
#include "formats.h"

#include <limits.h>
#include <math.h>
#include <string.h>

static const layout stylegan1_names = {
    .dense = "mapping/Dense{N}/",
    .embedding_weight = "mapping/LabelConcat/weight",
    .average = "dlatent_avg",
    .constant = "synthesis/4x4/Const/const",
    .first_conv0 = "synthesis/4x4/Const/",
    .first_conv1 = "synthesis/4x4/Conv/",
    .conv0 = "synthesis/{R}x{R}/Conv0_up/",
    .conv1 = "synthesis/{R}x{R}/Conv1/",
    .torgb = "synthesis/ToRGB_lod{D}/",
    .weight = "weight",
    .bias = "bias",
    .strength = "Noise/weight",
    .affine_weight = "StyleMod/weight",
    .affine_bias = "StyleMod/bias",
    .torgb_bias = "bias",
    .noise0 = "synthesis/noise{L}",
    .noise1 = "synthesis/noise{L}",
};

static const layout stylegan2_names = {
    .dense = "mapping/Dense{N}/",
    .embedding_weight = "mapping/LabelConcat/weight",
    .average = "dlatent_avg",
    .constant = "synthesis/4x4/Const/const",
    .first_conv1 = "synthesis/4x4/Conv/",
    .conv0 = "synthesis/{R}x{R}/Conv0_up/",
    .conv1 = "synthesis/{R}x{R}/Conv1/",
    .first_torgb = "synthesis/4x4/ToRGB/",
    .torgb = "synthesis/{R}x{R}/ToRGB/",
    .skip = "synthesis/{R}x{R}/Skip/weight",
    .weight = "weight",
    .bias = "bias",
    .strength = "noise_strength",
    .affine_weight = "mod_weight",
    .affine_bias = "mod_bias",
    .torgb_bias = "bias",
    .noise0 = "synthesis/noise{L}",
    .noise1 = "synthesis/noise{L}",
    .upsampling_flipped = true,
    .style_bias_from_zero = true,
};

/* Arguments of the official network functions. Those that change the network are read below; the others concern
   training, precision or the order of evaluation. Any other name is refused. */
static const char *const known_options[] = {
    "resolution", "num_channels", "fmap_base", "fmap_decay", "fmap_min", "fmap_max", "fmap_const", "latent_size",
    "dlatent_size", "label_size", "label_fmaps", "mapping_layers", "mapping_fmaps", "mapping_lrmul",
    "mapping_nonlinearity", "nonlinearity", "normalize_latents", "use_wscale", "use_noise", "use_styles",
    "const_input_layer", "use_pixel_norm", "use_instance_norm", "fused_scale", "blur_filter", "structure",
    "architecture", "resample_kernel", "conv_clamp", "truncation_psi", "truncation_cutoff", "dtype", "init_res",
    /* without effect on the image */
    "truncation_psi_val", "truncation_cutoff_val", "dlatent_avg_beta", "w_avg_beta", "style_mixing_prob", "is_training",
    "is_validation", "is_template_graph", "force_clean_graph", "return_dlatents", "randomize_noise",
    "dlatent_broadcast", "fused_modconv", "num_fp16_res", "mapping_func", "synthesis_func", "func_name", "name",
    "conditioning"};

/* A Network and the arguments it was built with. */
typedef struct component {
    const value *state, *own_options, *top_options;
} component;

static bool is_network(const value *v) {
    return v && v->kind == VALUE_OBJECT && value_get(v->state, "variables") && value_get(v->state, "static_kwargs");
}

/* A file holds (G, D, Gs) or one Network. */
const value *tensorflow_find(reader *r, const value *root, bool averaged) {
    (void)r;
    if (is_network(root)) return root;
    const value *found =
        root->kind == VALUE_LIST && root->count ? value_item(root, averaged ? root->count - 1 : 0) : NULL;
    return is_network(found) ? found : NULL;
}

static const value *option(const component *c, const char *name) {
    const value *own = value_get(c->own_options, name);
    return own ? own : value_get(c->top_options, name);
}

static void refuse_option(network *n, const component *c, const char *name) {
    reader_fail(n->r, "option %s = %s is not supported", name, value_describe(n->r, option(c, name)));
}

static double number_option(network *n, const component *c, const char *name, double otherwise, double least,
                            double most) {
    const value *v = option(c, name);
    if (!v) return otherwise;
    if (!value_is_number(v) || !(v->number >= least && v->number <= most)) {
        refuse_option(n, c, name);
        return otherwise;
    }
    return v->number;
}

static int integer_option(network *n, const component *c, const char *name, int otherwise, int least, int most) {
    return (int)number_option(n, c, name, otherwise, least, most);
}

static bool switch_option(network *n, const component *c, const char *name, bool otherwise) {
    return number_option(n, c, name, otherwise, 0, 1) > 0;
}

/* The position of the option's text among `choices` (NULL-terminated); 0, the default, if it is absent. */
static int choice_option(network *n, const component *c, const char *name, const char *const *choices) {
    const value *v = option(c, name);
    if (!v) return 0;
    for (int i = 0; choices[i]; i++) {
        if (value_equals(v, choices[i])) return i;
    }
    refuse_option(n, c, name);
    return 0;
}

static int activation_option(network *n, const component *c, const char *name) {
    const value *v = option(c, name);
    return v ? network_activation(n, reader_format(n->r, "option %s", name), v) : STYLEGAN_LRELU;
}

static void refuse_unknown_options(network *n, const component *c) {
    const value *given = c->own_options;
    for (size_t i = 0; given && i + 1 < given->count; i += 2) {
        bool known = false;
        for (size_t k = 0; !known && k < sizeof known_options / sizeof *known_options; k++) {
            known = value_equals(given->items[i], known_options[k]);
        }
        if (known) continue;
        reader_fail(n->r, "option %s = %s is not known", value_describe(n->r, given->items[i]),
                    value_describe(n->r, given->items[i + 1]));
    }
}

/* Appends the variables of a network as "prefix/name". */
static void add_variables(network *n, value *all, const component *c, const char *prefix) {
    const value *variables = value_get(c->state, "variables");
    for (size_t i = 0; variables && variables->kind == VALUE_LIST && i < variables->count; i++) {
        const value *name = value_item(variables->items[i], 0);
        value *variable = value_item(variables->items[i], 1);
        if (!name || name->kind != VALUE_TEXT || name->size > 200 || !variable) continue;
        const char *full = reader_format(n->r, "%s%.*s", prefix, (int)name->size, name->data);
        value_append(n->r, all, value_text(n->r, VALUE_TEXT, (const unsigned char *)full, strlen(full)));
        value_append(n->r, all, variable);
    }
}

static component find_component(network *n, const component *top, const char *name) {
    const value *found = value_get(value_get(top->state, "components"), name);
    if (!is_network(found)) {
        reader_fail(n->r, "the network has no %s component: not a StyleGAN generator", name);
        return *top;
    }
    return (component){found->state, value_get(found->state, "static_kwargs"), top->own_options};
}

/* --- What both families share --- */

static void read_mapping_options(network *n, const component *mapping) {
    stylegan_config *config = &n->w.config;
    config->z_dim = integer_option(n, mapping, "latent_size", 512, 0, 1 << 16);
    config->w_dim = integer_option(n, mapping, "dlatent_size", 512, 1, 1 << 16);
    config->c_dim = integer_option(n, mapping, "label_size", 0, 0, 1 << 16);
    config->mapping_layers = integer_option(n, mapping, "mapping_layers", 8, 0, 64);
    config->mapping_activation = activation_option(n, mapping, "mapping_nonlinearity");
    config->normalization =
        switch_option(n, mapping, "normalize_latents", true) ? STYLEGAN_NORMALIZE_JOINT : STYLEGAN_NORMALIZE_NONE;
    n->opt.mapping_lrmul = number_option(n, mapping, "mapping_lrmul", 0.01, 0, 1000);
}

static void read_synthesis_options(network *n, const component *synthesis) {
    static const char *const types[] = {"float32", NULL};
    stylegan_config *config = &n->w.config;
    config->channels = integer_option(n, synthesis, "num_channels", 3, 1, MOST_CHANNELS);
    config->activation = activation_option(n, synthesis, "nonlinearity");
    n->opt.use_noise = switch_option(n, synthesis, "use_noise", true);
    choice_option(n, synthesis, "dtype", types);
}

/* The option `resolution` counts blocks: each doubles a constant that is 4 x 4 in the official networks. */
static void read_size(network *n, const component *synthesis) {
    const int resolution = integer_option(n, synthesis, "resolution", 1024, 4, 16384);
    int blocks = 1;
    while (4 << (blocks - 1) < resolution) blocks++;
    if (4 << (blocks - 1) != resolution) refuse_option(n, synthesis, "resolution");
    network_set_size(n, blocks);
}

/* psi None: no truncation. cutoff None: none either in StyleGAN 1, in all layers in StyleGAN 2. */
static void read_truncation(network *n, const component *top, float psi, int cutoff) {
    stylegan_config *config = &n->w.config;
    const value *own_psi = option(top, "truncation_psi"), *own_cutoff = option(top, "truncation_cutoff");
    const bool no_psi = own_psi && own_psi->kind == VALUE_NONE,
               no_cutoff = own_cutoff && own_cutoff->kind == VALUE_NONE;
    const bool is_off = no_psi || (no_cutoff && config->family == STYLEGAN_FAMILY_1);
    config->truncation_psi = is_off ? 1.0f : (float)number_option(n, top, "truncation_psi", psi, -10, 10);
    cutoff = no_cutoff ? INT_MAX : integer_option(n, top, "truncation_cutoff", cutoff, -INT_MAX, INT_MAX);
    config->truncation_cutoff = cutoff < 0 ? 0 : cutoff < config->num_ws ? cutoff : config->num_ws;
}

/* --- StyleGAN --- */

static void read_fused_scale(network *n, const component *synthesis) {
    const value *v = option(synthesis, "fused_scale");
    enum { AUTO_FUSED_FROM = 128 };
    if (!v || value_equals(v, "auto")) {
        n->opt.fused_from = AUTO_FUSED_FROM;
    } else {
        n->opt.fused_from = switch_option(n, synthesis, "fused_scale", true) ? 0 : INT_MAX;
    }
}

static void build_stylegan1(network *n, const component *top, const component *mapping, const component *synthesis) {
    static const char *const structures[] = {"auto", "fixed", "linear", "recursive", NULL};
    enum { FIXED = 1 };
    stylegan_config *config = &n->w.config;
    config->use_styles = switch_option(n, synthesis, "use_styles", true);
    config->use_pixel_norm = switch_option(n, synthesis, "use_pixel_norm", false);
    config->use_instance_norm = switch_option(n, synthesis, "use_instance_norm", true);
    const bool fixed = choice_option(n, synthesis, "structure", structures) == FIXED;
    config->lod = fixed ? 0.0f : (float)network_number(n, "lod", network_number(n, "synthesis/lod", 0.0));
    if (config->activation != STYLEGAN_RELU && config->activation != STYLEGAN_LRELU)
        refuse_option(n, synthesis, "nonlinearity");
    if (config->mapping_activation != STYLEGAN_RELU && config->mapping_activation != STYLEGAN_LRELU) {
        refuse_option(n, mapping, "mapping_nonlinearity");
    }
    n->opt.use_wscale = switch_option(n, synthesis, "use_wscale", true);
    n->opt.mapping_use_wscale = switch_option(n, mapping, "use_wscale", true);
    n->opt.const_input = switch_option(n, synthesis, "const_input_layer", true);
    if (!n->opt.const_input) n->names.first_conv0 = "synthesis/4x4/Dense/";
    read_size(n, synthesis);
    read_fused_scale(n, synthesis);
    n->opt.fir = option(synthesis, "blur_filter");
    n->opt.fir_name = "blur_filter";
    if (!n->opt.fir) {
        n->opt.fir_default_size = 3;
        memcpy(n->opt.fir_default, (const float[]){1, 2, 1}, 3 * sizeof(float));
    } else if (n->opt.fir->kind == VALUE_LIST && !n->opt.fir->count) {
        n->opt.fir = NULL; /* an empty one is none */
    }
    stylegan1_build(n);
    read_truncation(n, top, 0.7f, 8);
}

/* --- StyleGAN 2 --- */

static void build_stylegan2(network *n, const component *top, const component *mapping, const component *synthesis) {
    static const char *const architectures[] = {"skip", "resnet", "orig", NULL}; /* as stylegan_architecture counts */
    stylegan_config *config = &n->w.config;
    config->architecture = choice_option(n, synthesis, "architecture", architectures);
    const value *clamp = option(synthesis, "conv_clamp");
    const bool clamps = clamp && clamp->kind != VALUE_NONE;
    config->conv_clamp = clamps ? (float)number_option(n, synthesis, "conv_clamp", 0, 1e-30, 1e30) : 0.0f;
    n->opt.use_wscale = n->opt.mapping_use_wscale = n->opt.const_input = true;
    read_size(n, synthesis);
    if (!switch_option(n, synthesis, "use_wscale", true)) refuse_option(n, synthesis, "use_wscale");
    if (network_has(n, "synthesis/ToRGB_lod0/weight")) { /* G_synthesis_stylegan_revised */
        config->architecture = STYLEGAN_ORIG;
        n->names.first_torgb = n->names.torgb = "synthesis/ToRGB_lod{D}/";
        const double lod = network_number(n, "lod", network_number(n, "synthesis/lod", 0.0));
        if (lod > 0) reader_fail(n->r, "a half-grown StyleGAN 2 network (lod = %g) is not supported", lod);
    }
    if (network_has(n, "mapping/LabelEmbed/weight")) { /* 2-ADA */
        n->names.embedding_weight = "mapping/LabelEmbed/weight";
        n->names.embedding_bias = "mapping/LabelEmbed/bias";
        if (config->normalization == STYLEGAN_NORMALIZE_NONE) refuse_option(n, mapping, "normalize_latents");
        config->normalization = STYLEGAN_NORMALIZE_SEPARATE;
    }
    n->opt.fir = option(synthesis, "resample_kernel");
    n->opt.fir_name = "resample_kernel";
    n->opt.fir_default_size = n->opt.fir ? 2 : 4;
    memcpy(n->opt.fir_default, n->opt.fir ? (const float[4]){1, 1} : (const float[4]){1, 3, 3, 1}, 4 * sizeof(float));
    stylegan2_build(n);
    read_truncation(n, top, 0.5f, INT_MAX);
}

void tensorflow_build(network *n, const value *generator) {
    const component top = {generator->state, value_get(generator->state, "static_kwargs"), NULL};
    const component mapping = find_component(n, &top, "mapping"), synthesis = find_component(n, &top, "synthesis");
    value *variables = value_new(n->r, VALUE_DICT);
    add_variables(n, variables, &top, "");
    add_variables(n, variables, &mapping, "mapping/");
    add_variables(n, variables, &synthesis, "synthesis/");
    n->variables = variables;
    refuse_unknown_options(n, &top);
    refuse_unknown_options(n, &mapping);
    refuse_unknown_options(n, &synthesis);
    read_mapping_options(n, &mapping);
    read_synthesis_options(n, &synthesis);
    const bool modulated = network_has(n, "synthesis/4x4/Conv/mod_weight");
    n->names = modulated ? stylegan2_names : stylegan1_names;
    if (n->r->error[0]) return;
    (modulated ? build_stylegan2 : build_stylegan1)(n, &top, &mapping, &synthesis);
}
