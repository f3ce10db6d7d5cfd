/* persistence.c - PyTorch modules pickled through torch_utils.persistence, as NVIDIA's code saves them: the container,
   whatever network lies in it. */
#include "persistence.h"
#include "formats.h"

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

const value *persistence_find(reader *r, const value *root, bool averaged) {
    (void)r;
    const value *found = is_module(root) ? root : value_get(root, averaged ? "G_ema" : "G");
    return is_module(found) ? found : NULL;
}

enum { DEEPEST_MODULE = 8 };

/* Appends parameters, buffers and plain attributes of a module and of those inside it as "path.name". A module that is
   reached by many paths is listed many times: the reader's memory limit ends that. */
static void flatten(reader *r, value *all, const value *module, const char *path, int depth) {
    const value *state = module_state(module), *modules = value_get(state, "_modules");
    const value *const groups[] = {state, value_get(state, "_buffers"), value_get(state, "_parameters")};
    for (size_t g = 0; g < sizeof groups / sizeof *groups; g++) {
        for (size_t i = 0; groups[g] && groups[g]->kind == VALUE_DICT && i + 1 < groups[g]->count && !r->error[0];
             i += 2) {
            const value *key = groups[g]->items[i];
            value *v = groups[g]->items[i + 1];
            if (key->kind != VALUE_TEXT || key->size > 60 || v->kind == VALUE_LIST || v->kind == VALUE_DICT) continue;
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

double persistence_number(network *n, const char *name) {
    const value *v = network_find(n, name);
    if (!value_is_number(v)) reader_fail(n->r, "attribute %s is missing", name);
    return value_is_number(v) ? v->number : 0.0;
}

int persistence_integer(network *n, const char *name, int least, int most) {
    const double number = persistence_number(n, name);
    if (!(number >= least && number <= most)) reader_fail(n->r, "%s = %g is not supported", name, number);
    return number >= least && number <= most ? (int)number : least;
}

void persistence_build(network *n, const value *generator) {
    value *variables = value_new(n->r, VALUE_DICT);
    flatten(n->r, variables, generator, "", 0);
    n->variables = variables;
    if (network_has(n, "synthesis.input.freqs"))
        reader_fail(n->r, "this is a StyleGAN 3 network: not supported yet");
    else if (network_has(n, "synthesis.b4.conv1.weight"))
        ada_build(n);
    else
        reader_fail(n->r, "the network has no synthesis.b4.conv1: not a StyleGAN 2 generator");
}
