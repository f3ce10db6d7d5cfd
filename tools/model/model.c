/* model.c - opens a weight file for a command. */
#include "model.h"
#include "../base/notes.h"
#include "weights.h"

#include <stdlib.h>
#include <string.h>

static stylegan_isa isa_named(const char *name) {
    for (int i = 0; i < STYLEGAN_ISA_COUNT; i++) {
        const stylegan_isa isa = (stylegan_isa)i;
        if (strcmp(name, stylegan_isa_name(isa)) != 0) continue;
        if (isa != STYLEGAN_ISA_AUTO && !stylegan_isa_available(isa))
            cli_fail("--isa %s: this machine does not have it", name);
        return isa;
    }
    cli_usage("--isa %s: no such instruction set", name);
}

static stylegan_precision precision_named(const char *name) {
    for (int i = 0; i < STYLEGAN_PRECISION_COUNT; i++)
        if (strcmp(name, stylegan_precision_name((stylegan_precision)i)) == 0) return (stylegan_precision)i;
    cli_usage("--precision %s: is none of f32, bf16x2 and fast", name);
}

static size_t memory_limit_of(const char *text) {
    return strcmp(text, "least") == 0 ? STYLEGAN_MEMORY_LEAST : (size_t)cli_bytes("--memory-limit", text);
}

const char *model_parse(const cli_command *command, const cli_flag *flags, const model_flags *given, int argc,
                        char **argv, const char *by_default) {
    const char *path = NULL;
    cli_parse(command, flags, argc, argv, &path, 0, 1);
    if (path && given->network) cli_usage("%s and --network %s: give the model once", path, given->network);
    if (!path) path = given->network ? given->network : by_default;
    if (!path) cli_usage("missing argument: stylegan %s %s", command->name, command->arguments);
    return path;
}

int model_has_isa(const char *name) {
    for (int i = 0; i < STYLEGAN_ISA_COUNT; i++)
        if (strcmp(name, stylegan_isa_name((stylegan_isa)i)) == 0)
            return i == STYLEGAN_ISA_AUTO || stylegan_isa_available((stylegan_isa)i);
    return 0;
}

void model_open_bytes(opened_model *opened, const char *name, const unsigned char *bytes, size_t size,
                      const model_flags *flags) {
    enum { MOST_THREADS = 64 };
    stylegan_options options = {0};
    stylegan_error error = {STYLEGAN_OK, ""};
    if (flags->isa) options.isa = isa_named(flags->isa);
    if (flags->threads) options.threads = (int)cli_integer("--threads", flags->threads, 1, MOST_THREADS);
    if (flags->precision) options.precision = precision_named(flags->precision);
    if (flags->memory_limit) options.memory_limit = memory_limit_of(flags->memory_limit);
    options.batch = flags->batch;
    opened->model = stylegan_open_memory(bytes, size, &options, &error);
    if (!opened->model) cli_fail("%s: %s", name, error.message);
    opened->name = cli_file_name(name);
    opened->bytes = bytes;
    opened->size = size;
    opened->options = options;
    opened->config = stylegan_describe(opened->model);
    opened->ws_values = (size_t)opened->config->num_ws * (size_t)opened->config->w_dim;
    opened->image_values =
        (size_t)opened->config->channels * (size_t)opened->config->height * (size_t)opened->config->width;
}

/* Pickles begin with their protocol, torch.save archives are zip files. */
static int is_checkpoint(const file_view *file) {
    return (file->size > 2 && file->data[0] == 0x80 && file->data[1] <= 5) ||
           (file->size > 4 && memcmp(file->data, "PK\3\4", 4) == 0);
}

/* What people take for a weight file, by its first bytes. */
static const struct {
    const char *magic, *what;
} others[] = {{"\x93NUMPY", "is an array, not a model; arrays go with --ws or --latents"},
              {"\x89PNG", "is a picture, not a model; `stylegan info` tells how it was drawn"},
              {"\xff\xd8\xff", "is a picture, not a model"},
              {"\x89SGD", "holds packed pictures, not a model; `stylegan train --data` learns from them"},
              {"traint", "is a training state; the model is model.sgw beside it"}};

void model_open_view(opened_model *opened, const char *path, file_view file, const model_flags *flags) {
    *opened = (opened_model){.file = file};
    if (is_checkpoint(&file))
        cli_fail("%s: is a checkpoint; convert it first: stylegan convert %s model.sgw", path, path);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (file.size >= strlen(others[i].magic) && memcmp(file.data, others[i].magic, strlen(others[i].magic)) == 0)
            cli_fail("%s: %s", path, others[i].what);
    model_open_bytes(opened, path, file.data, file.size, flags);
}

void model_open(opened_model *opened, const char *path, const model_flags *flags) {
    model_open_view(opened, path, file_view_open(path), flags);
}

void model_draw_together(opened_model *opened, int count) {
    stylegan_error error = {STYLEGAN_OK, ""};
    opened->options.batch = count;
    opened->options.trust_data = 1; /* its checksum has been verified */
    stylegan_close(opened->model);
    opened->model = stylegan_open_memory(opened->bytes, opened->size, &opened->options, &error);
    if (!opened->model) cli_fail("%s: %s", opened->name, error.message);
    opened->config = stylegan_describe(opened->model);
}

/* --- What it says of itself --- */

/* stylegan.h, >>weight-file: the checksums of head and tensors, 8 bytes each. */
char *model_checksum(const opened_model *opened) {
    enum { CHECKSUMS_AT = 24, CHECKSUMS = 16 };
    char text[2 * CHECKSUMS + 1];
    for (int i = 0; i < CHECKSUMS; i++) sprintf(text + 2 * i, "%02x", opened->file.data[CHECKSUMS_AT + i]);
    return cli_format("%s", text);
}

char *model_text(const stylegan_model *model, const char *key) {
    size_t length;
    const char *text = stylegan_text(model, &length);
    char *notes = cli_format("%.*s", (int)length, length ? text : ""), *value = notes_find(notes, key);
    free(notes);
    return value;
}

void model_notes(const opened_model *opened, char **notes) {
    char *checksum = model_checksum(opened), *source = model_text(opened->model, "source");
    char *data = model_text(opened->model, "data");
    notes_add(notes, "Model", "%s", opened->name);
    notes_add(notes, "Model Checksum", "%s", checksum);
    if (source) notes_add(notes, "Model Source", "%s", source);
    if (!source && data) notes_add(notes, "Model Source", "trained on %s", data);
    notes_add(notes, "Instruction Set", "%s", stylegan_isa_name(stylegan_model_isa(opened->model)));
    if (opened->options.precision)
        notes_add(notes, "Precision", "%s", stylegan_precision_name(opened->options.precision));
    if (opened->options.memory_limit == STYLEGAN_MEMORY_LEAST)
        notes_add(notes, "Memory Limit", "least");
    else if (opened->options.memory_limit)
        notes_add(notes, "Memory Limit", "%zu", opened->options.memory_limit);
    free(data);
    free(source);
    free(checksum);
}

float *model_tensor(const opened_model *opened, const char *name, stylegan_tensor *t) {
    int index = stylegan_tensor_count(opened->model) - 1;
    while (index >= 0 && (stylegan_get_tensor(opened->model, index, t) || strcmp(t->name, name) != 0)) index--;
    if (index < 0) return NULL;
    return weights_unpack(t);
}

void model_close(opened_model *opened) {
    stylegan_close(opened->model);
    if (opened->file.data) file_view_close(&opened->file);
}
