/* like.c - see like.h. */
#include "like.h"
#include "../base/notes.h"
#include "../base/png.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
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

/* Whether a text has a form of sscanf, which ends with %n, and its number is not beyond `most`; or is one of words between
   spaces. */
static int has_form(const char *text, const char *form, double most) {
    int end = 0;
    if (*form == ' ') {
        char *word = cli_format(" %s ", text);
        const int found = !strchr(text, ' ') && strstr(form, word);
        free(word);
        return found;
    }
    sscanf(text, form, &end);
    return end && !text[end] && fabs(strtod(text, NULL)) <= most;
}

#define WORD(name, text) text " "

char *like_flags(const char *path, latent_flags *source, drawing_flags *noise, model_flags *compute) {
    static const char whole[] = "%*[0-9]%n", number[] = "%*f%n", numbers[] = "%*[-+.,e0-9]%n",
                      precisions[] = " " STYLEGAN_PRECISIONS(WORD), matrix[] = "%*f,%*f,%*f,%*f,%*f,%*f,%*f,%*f,%*f%n",
                      list[] = "%*[-,0-9]%n";
    const struct {
        const char *key, **value;
        const char *flag; /* that gives it otherwise; NULL: may be given as well */
        const char *form; /* as this tool writes it; NULL: any */
        double most;
    } told[] = {{"Seed", &source->seeds, "--seeds", whole, UINT32_MAX},
                {"Array", &source->z, "--latents", NULL, 0},
                {"", &source->ws, "--ws", NULL, 0},
                {"Psi", &source->mapping.psi, "--trunc", number, WIDEST_PSI},
                {"Cutoff", &source->mapping.cutoff, "--trunc-cutoff", whole, INT_MAX},
                {"", &source->mapping.class_index, "--class", NULL, 0},
                {"Class", &source->mapping.class_number, NULL, whole, INT_MAX},
                {"", &source->mapping.labels, "--labels", NULL, 0},
                {"Label", &source->mapping.label, "--labels", numbers, INFINITY},
                {"Mixed Seed", &source->mixed_seed, NULL, whole, UINT32_MAX},
                {"Mixed Layers", &source->mixed_layers, NULL, list, INT_MAX},
                {"Noise Mode", &noise->noise_mode, "--noise-mode", " const random none ", 0},
                {"Noise Seed", &noise->noise_seed, "--noise-seed", whole, (double)INT64_MAX},
                {"Transform", &noise->transform, "--transform", matrix, INFINITY},
                {"Instruction Set", &compute->isa, NULL, NULL, 0},
                {"Precision", &compute->precision, NULL, precisions, 0},
                {"Memory Limit", &compute->memory_limit, NULL, "%*[a-z0-9]%n", INFINITY}};
    char *notes = read_notes(path);
    for (size_t i = 0; i < sizeof told / sizeof *told; i++) {
        if (told[i].flag && *told[i].value) cli_usage("--like tells %s already: leave it out", told[i].flag);
        if (*told[i].value) continue;
        const char *value = notes_find(notes, told[i].key);
        if (value && told[i].form && !has_form(value, told[i].form, told[i].most))
            cli_fail("%s: says %s: %s, which this tool would not write", path, told[i].key, value);
        *told[i].value = value;
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
