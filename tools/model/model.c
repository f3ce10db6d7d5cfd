/* model.c - opens a weight file for a command. */
#include "model.h"

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

const char *model_parse(const cli_command *command, const cli_flag *flags, const model_flags *given, int argc,
                        char **argv, const char *by_default) {
    const char *path = NULL;
    cli_parse(command, flags, argc, argv, &path, 0, 1);
    if (path && given->network) cli_usage("%s and --network %s: give the model once", path, given->network);
    if (!path) path = given->network ? given->network : by_default;
    if (!path) cli_usage("missing argument: stylegan %s %s", command->name, command->arguments);
    return path;
}

void model_open_bytes(opened_model *opened, const char *name, const unsigned char *bytes, size_t size,
                      const model_flags *flags) {
    enum { MOST_THREADS = 64 };
    stylegan_options options = {0};
    stylegan_error error = {STYLEGAN_OK, ""};
    if (flags->isa) options.isa = isa_named(flags->isa);
    if (flags->threads) options.threads = (int)cli_integer("--threads", flags->threads, 1, MOST_THREADS);
    if (flags->memory_limit) options.memory_limit = (size_t)cli_bytes("--memory-limit", flags->memory_limit);
    opened->model = stylegan_open_memory(bytes, size, &options, &error);
    if (!opened->model) cli_fail("%s: %s", name, error.message);
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

void model_open(opened_model *opened, const char *path, const model_flags *flags) {
    *opened = (opened_model){.file = file_view_open(path)};
    if (is_checkpoint(&opened->file))
        cli_fail("%s: is a checkpoint; convert it first: stylegan convert %s model.sgw", path, path);
    model_open_bytes(opened, path, opened->file.data, opened->file.size, flags);
}

void model_close(opened_model *opened) {
    stylegan_close(opened->model);
    if (opened->file.data) file_view_close(&opened->file);
}
