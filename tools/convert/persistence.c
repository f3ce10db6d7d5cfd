/* persistence.c - PyTorch modules pickled through torch_utils.persistence, as NVIDIA's code saves them: the container,
   whatever network lies in it. */
#include "persistence.h"
#include "formats.h"

#include <math.h>
#include <string.h>

/* The __dict__ of a module: in the persistence record, or set by BUILD. */
static const value *module_state(const value *module) {
    if (!module || module->kind != VALUE_OBJECT) return NULL;
    const value *record = value_item(module->arguments, 0), *state = value_get(record, "state");
    return value_get(record, "class_name") && state ? state : module->state;
}

static bool is_module(const value *v) {
    return value_get(module_state(v), "_modules") != NULL;
}

enum { DEEPEST_MODULE = 8 };

/* Appends what is in a module and in those inside it as "path.name". A module that is reached by many paths is listed many
   times: the reader's memory limit ends that. */
static void flatten(reader *r, value *all, const value *module, const char *path, int depth) {
    const value *state = module_state(module), *modules = value_get(state, "_modules");
    const value *const groups[] = {state, value_get(state, "_buffers"), value_get(state, "_parameters")};
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        for (size_t i = 0; groups[g] && groups[g]->kind == VALUE_DICT && i + 1 < groups[g]->count && !r->error[0];
             i += 2) {
            const value *key = groups[g]->items[i];
            value *v = groups[g]->items[i + 1];
            if (key->kind != VALUE_TEXT || key->size > 60 || v->kind == VALUE_DICT) continue;
            const char *name = reader_format(r, "%s%.*s", path, (int)key->size, key->data);
            value_append(r, all, value_text(r, VALUE_TEXT, (const unsigned char *)name, strlen(name)));
            value_append(r, all, v);
        }
    }
    if (!modules || modules->kind != VALUE_DICT || depth == DEEPEST_MODULE) return;
    for (size_t i = 0; i + 1 < modules->count && !r->error[0]; i += 2) {
        const value *key = modules->items[i];
        if (key->kind != VALUE_TEXT || key->size > 60) continue;
        flatten(r, all, modules->items[i + 1], reader_format(r, "%s%.*s.", path, (int)key->size, key->data), depth + 1);
    }
}

const value *module_variables(reader *r, const value *module) {
    value *all = is_module(module) ? value_new(r, VALUE_DICT) : NULL;
    if (all) flatten(r, all, module, "", 0);
    return all;
}

static const char stylegan2_mark[] = "synthesis.b4.conv1.weight", stylegan3_mark[] = "synthesis.input.freqs";

/* {G_ema, G, ...}, or the module itself, which may be of another layout. */
const value *persistence_find(reader *r, const value *root, bool averaged) {
    const value *found = module_variables(r, value_get(root, averaged ? "G_ema" : "G"));
    if (found) return found;
    found = module_variables(r, root);
    return value_get(found, stylegan2_mark) || value_get(found, stylegan3_mark) ? found : NULL;
}

double persistence_number(network *n, const char *name) {
    const value *v = network_find(n, name);
    if (!v) reader_fail(n->r, "attribute %s is missing", name);
    if (!value_is_number(v)) reader_fail(n->r, "attribute %s is %s, should be a number", name, value_describe(n->r, v));
    return value_is_number(v) ? v->number : 0.0;
}

int persistence_integer(network *n, const char *name, int least, int most) {
    const double number = persistence_number(n, name);
    if (!(number >= least && number <= most)) reader_fail(n->r, "%s = %g is not supported", name, number);
    return number >= least && number <= most ? (int)number : least;
}

float persistence_clamp(network *n, const char *path) {
    const char *name = reader_format(n->r, "%s.conv_clamp", path);
    if (!network_has(n, name)) return 0.0f;
    const double clamp = persistence_number(n, name);
    if (clamp > 1e-30 && clamp < 1e30) return (float)clamp;
    reader_fail(n->r, "%s = %g is not supported", name, clamp);
    return 0.0f;
}

int persistence_activation(network *n, const char *path) {
    const char *name = reader_format(n->r, "%s.activation", path);
    return network_activation(n, name, network_find(n, name));
}

void persistence_expect(network *n, const char *path, const char *end, double expected) {
    const char *name = reader_format(n->r, "%s.%s", path, end);
    const double found = network_has(n, name) ? persistence_number(n, name) : expected;
    if (!(fabs(found - expected) <= 1e-5 * fabs(expected)))
        reader_fail(n->r, "%s = %g is not supported: should be %g", name, found, expected);
}

void persistence_expect_activation(network *n, const char *path, int expected) {
    if (network_has(n, reader_format(n->r, "%s.activation", path)) && persistence_activation(n, path) != expected)
        reader_fail(n->r, "%s.activation differs from that of other layers", path);
}

void persistence_check_dense(network *n, const char *path, double lrmul, int activation) {
    const char *weight = reader_format(n->r, "%s.weight", path);
    if (!network_has(n, weight)) return;
    int in, outputs;
    network_dense_shape(n, weight, &in, &outputs);
    persistence_expect(n, path, "weight_gain", lrmul / sqrt(in));
    persistence_expect(n, path, "bias_gain", lrmul);
    persistence_expect_activation(n, path, activation);
}

/* StyleGAN-XL looks features of classes up in a table, and projects them. */
static void refuse_embedded_classes(network *n) {
    const bool is_table = network_has(n, "mapping.embed.weight") && !network_has(n, "mapping.embed.bias");
    if (is_table || network_has(n, "mapping.embed_proj.weight"))
        reader_fail(n->r, "mapping.embed: labels embedded as in StyleGAN-XL are not supported");
}

void persistence_read_mapping(network *n) {
    stylegan_config *config = &n->w.config;
    refuse_embedded_classes(n);
    config->z_dim = persistence_integer(n, "mapping.z_dim", 0, 1 << 16);
    config->w_dim = persistence_integer(n, "mapping.w_dim", 1, 1 << 16);
    config->c_dim = persistence_integer(n, "mapping.c_dim", 0, 1 << 16);
    config->mapping_layers = persistence_integer(n, "mapping.num_layers", 0, 64);
    config->mapping_activation = config->mapping_layers ? persistence_activation(n, "mapping.fc0") : STYLEGAN_LRELU;
    config->mapping_gain = network_activation_gain(config->mapping_activation);
    config->normalization = STYLEGAN_NORMALIZE_SEPARATE;
    config->truncation_psi = 1.0f;
    n->opt.mapping_lrmul = config->mapping_layers ? persistence_number(n, "mapping.fc0.bias_gain") : 1.0;
    n->opt.use_wscale = n->opt.mapping_use_wscale = true;
    persistence_check_dense(n, "mapping.embed", 1.0, STYLEGAN_LINEAR);
    for (int i = 0; i < config->mapping_layers; i++) {
        persistence_check_dense(n, reader_format(n->r, "mapping.fc%d", i), n->opt.mapping_lrmul,
                                config->mapping_activation);
    }
}

void persistence_build(network *n, const value *generator) {
    n->variables = generator;
    if (network_has(n, stylegan3_mark))
        stylegan3_build(n);
    else if (network_has(n, stylegan2_mark))
        ada_build(n);
    else
        reader_fail(n->r, "the network has neither synthesis.b4.conv1 nor synthesis.input: not a generator");
    n->w.config.truncation_cutoff = n->w.config.num_ws;
    network_refuse_unused(n);
}
