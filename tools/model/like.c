/* like.c - see like.h. */
#include "like.h"
#include "../base/notes.h"
#include "../base/png.h"

#include <stdlib.h>
#include <string.h>

static char *read_notes(const char *path) {
    int width, height;
    char *notes;
    file_view file = file_view_open(path);
    if (!png_read_notes(file.data, file.size, &notes, &width, &height)) cli_fail("%s: is not a PNG picture", path);
    file_view_close(&file);
    char *checksum = notes_find(notes, "Model Checksum");
    if (!checksum) cli_fail("%s: does not say how it was drawn (--no-metadata, or by another program)", path);
    free(checksum);
    char *direction = notes_find(notes, "Direction");
    if (direction) cli_fail("%s: was edited along %s; `stylegan edit` draws it again", path, direction);
    char *target = notes_find(notes, "Projected From");
    if (target) cli_fail("%s: was projected from %s; generate --projected-w draws its w", path, target);
    return notes;
}

char *like_flags(const char *path, latent_flags *source, drawing_flags *noise, model_flags *compute) {
    const struct {
        const char *key, **value;
        const char *flag; /* that gives it otherwise; NULL: may be given as well */
    } told[] = {{"Seed", &source->seeds, "--seeds"},
                {"Array", &source->z, "--latents"},
                {"", &source->ws, "--ws"},
                {"Psi", &source->mapping.psi, "--trunc"},
                {"Cutoff", &source->mapping.cutoff, "--trunc-cutoff"},
                {"", &source->mapping.class_index, "--class"},
                {"Class", &source->mapping.class_number, NULL},
                {"", &source->mapping.labels, "--labels"},
                {"Label", &source->mapping.label, "--labels"},
                {"Mixed Seed", &source->mixed_seed, NULL},
                {"Mixed Layers", &source->mixed_layers, NULL},
                {"Noise Mode", &noise->noise_mode, "--noise-mode"},
                {"Noise Seed", &noise->noise_seed, "--noise-seed"},
                {"Transform", &noise->transform, "--transform"},
                {"Instruction Set", &compute->isa, NULL},
                {"Precision", &compute->precision, NULL},
                {"Memory Limit", &compute->memory_limit, NULL}};
    char *notes = read_notes(path);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        if (told[i].flag && *told[i].value) cli_usage("--like tells %s already: leave it out", told[i].flag);
        if (!*told[i].value) *told[i].value = notes_find(notes, told[i].key);
    }
    if (source->z) cli_fail("%s: was drawn from the array %s, which it does not hold", path, source->z);
    if (!source->seeds) cli_fail("%s: is a sheet of pictures or of a video; --like draws single ones", path);
    if (compute->isa && !model_has_isa(compute->isa)) {
        cli_note("%s: was drawn with %s, which this machine lacks: pixels may differ by rounding", path, compute->isa);
        compute->isa = NULL;
    }
    return notes;
}

void like_check(const char *path, char *notes, const opened_model *opened) {
    char *told = notes_find(notes, "Model Checksum"), *checksum = model_checksum(opened);
    char *name = notes_find(notes, "Model");
    if (strcmp(told, checksum) != 0)
        cli_fail("%s: was drawn by another model than %s: %s, checksum %s", path, opened->name, name ? name : "?",
                 told);
    free(name);
    free(checksum);
    free(told);
    free(notes);
}
