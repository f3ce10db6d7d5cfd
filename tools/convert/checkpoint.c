/* checkpoint.c - tells the formats apart. */
#include "checkpoint.h"
#include "formats.h"
#include "pickle.h"
#include "torch.h"

#include <string.h>

value *without_prefix(reader *r, const value *dict, const char *prefix) {
    const size_t cut = strlen(prefix);
    if (!dict || dict->kind != VALUE_DICT) return NULL;
    value *rest = value_new(r, VALUE_DICT);
    for (size_t i = 0; rest && i + 1 < dict->count; i += 2) {
        const value *key = dict->items[i];
        if (key->kind != VALUE_TEXT || key->size < cut || memcmp(key->data, prefix, cut)) continue;
        value_append(r, rest, value_text(r, VALUE_TEXT, key->data + cut, key->size - cut));
        value_append(r, rest, dict->items[i + 1]);
    }
    return rest && rest->count ? rest : NULL;
}

const value *state_dict(reader *r, const value *dict) {
    const value *variables = module_variables(r, dict);
    if (variables) dict = variables;
    const value *stripped = without_prefix(r, dict, "module.");
    return stripped ? stripped : dict;
}

static const struct {
    const char *name;
    const value *(*find)(reader *r, const value *root, bool averaged);
    void (*build)(network *n, const value *generator);
} formats[] = {
    {"TensorFlow pickle", tensorflow_find, tensorflow_build},
    {"PyTorch persistence pickle", persistence_find, persistence_build},
    {"rosinality state dict", rosinality_find, rosinality_build},
    {"genforce state dict", genforce_find, genforce_build},
};

/* What is taken for a checkpoint by mistake. */
static const struct {
    const char *start, *message;
} other_files[] = {
    {"\x89SGW", "this is a weight file already"},
    {"<", "this is a web page: the download went wrong"},
    {"version https://git-lfs", "this is a pointer of git-lfs: `git lfs pull` fetches the checkpoint"},
};

static const value *read_root(reader *r, const unsigned char *data, size_t size) {
    if (size < 2) reader_fail(r, "the file is empty");
    for (size_t i = 0; i < sizeof other_files / sizeof *other_files; i++) {
        const size_t length = strlen(other_files[i].start);
        if (size >= length && !memcmp(data, other_files[i].start, length)) reader_fail(r, "%s", other_files[i].message);
    }
    if (r->error[0]) return NULL;
    if (torch_recognise(data, size)) return torch_read(r, data, size);
    if (!strchr("\x80(])}c", data[0]) || !data[0]) {
        reader_fail(r, "neither a pickle nor a file of torch.save");
        return NULL;
    }
    size_t end;
    return pickle_read(r, data, size, &end, value_new(r, VALUE_LIST));
}

static bool build_generator(network *n, const value *root, bool averaged) {
    for (size_t i = 0; root && i < sizeof formats / sizeof *formats; i++) {
        const value *generator = formats[i].find(n->r, root, averaged);
        if (!generator) continue;
        n->format = formats[i].name;
        n->averaged = averaged;
        formats[i].build(n, generator);
        return true;
    }
    return false;
}

/* A state dict as the official PyTorch code would load it into a network that is there already. */
static bool is_bare_official(const value *dict) {
    static const char *const ends[] = {"synthesis.b4.const", "synthesis.input.freqs"};
    bool is = false;
    for (size_t i = 0; !is && dict && dict->kind == VALUE_DICT && i < dict->count; i += 2) {
        const value *key = dict->items[i];
        for (size_t e = 0; key->kind == VALUE_TEXT && e < 2; e++) {
            const size_t length = strlen(ends[e]);
            is |= key->size >= length && !memcmp(key->data + key->size - length, ends[e], length);
        }
    }
    return is;
}

static const char *first_keys(reader *r, const value *dict) {
    enum { MOST = 4 };
    const char *text = " of ";
    if (!dict || dict->kind != VALUE_DICT || !dict->count) return "";
    for (size_t i = 0; i < dict->count && i <= 2 * MOST; i += 2) {
        const char *key = i < 2 * MOST ? value_describe(r, dict->items[i]) : "...";
        text = reader_format(r, "%s%s%s", text, i ? ", " : "", key);
    }
    return text;
}

static void refuse_root(reader *r, const value *root, const char *kind) {
    enum { MOST = 16 };
    bool is_bare = is_bare_official(root);
    for (size_t i = 1; root && root->kind == VALUE_DICT && i < root->count && i < 2 * MOST; i += 2) {
        is_bare |= is_bare_official(root->items[i]);
    }
    if (is_bare) reader_fail(r, "a state dict of StyleGAN 2-ADA or 3 lacks the network's attributes: convert the .pkl");
    reader_fail(r, "no %sgenerator found: the file holds %s%s", kind, value_describe(r, root), first_keys(r, root));
}

void checkpoint_read(reader *r, const unsigned char *data, size_t size, generator_choice choice, network *n) {
    static const char *const kinds[] = {"", "averaged ", "training "};
    *n = (network){.r = r};
    const value *root = read_root(r, data, size);
    if (choice != GENERATOR_TRAINING && build_generator(n, root, true)) return;
    if (choice != GENERATOR_AVERAGED && build_generator(n, root, false)) return;
    refuse_root(r, root, kinds[choice]);
}
