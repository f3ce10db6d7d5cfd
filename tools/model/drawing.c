/* drawing.c - draws images from ws. */
#include "drawing.h"
#include "../base/notes.h"
#include "../base/png.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *const noise_modes[] = {"const", "random", "none"};

static stylegan_noise_mode noise_mode_named(const char *name) {
    for (size_t i = 0; i < sizeof noise_modes / sizeof *noise_modes; i++)
        if (strcmp(name, noise_modes[i]) == 0) return (stylegan_noise_mode)i;
    cli_usage("--noise-mode %s: must be const, random or none", name);
}

static double *read_numbers(const char *flag, const char *text, int count) {
    enum { FARTHEST = 1000 };
    int found;
    double *numbers = cli_numbers(flag, text, -FARTHEST, FARTHEST, &found);
    if (found != count) cli_usage("%s %s: must be %d numbers", flag, text, count);
    return numbers;
}

/* Where StyleGAN 3 looks its picture up: as the official tools build it, or as given. */
static void set_transform(drawing *d, const drawing_flags *flags) {
    const char *given = flags->transform ? "--transform" : flags->translate ? "--translate" : "--rotate";
    if (!flags->transform && !flags->translate && !flags->rotate) return;
    if (d->opened->config->family != STYLEGAN_FAMILY_3) cli_usage("%s: only StyleGAN 3 networks can do that", given);
    if (flags->transform) {
        if (flags->translate || flags->rotate) cli_usage("--transform excludes --translate and --rotate");
        double *matrix = read_numbers("--transform", flags->transform, 9);
        for (int i = 0; i < 9; i++) d->transform[i] = (float)matrix[i];
        free(matrix);
    } else {
        double *by = read_numbers("--translate", flags->translate ? flags->translate : "0,0", 2);
        stylegan_transform(by[0], by[1], flags->rotate ? cli_number("--rotate", flags->rotate, -1e6, 1e6) : 0.0,
                           d->transform);
        free(by);
    }
    d->run.transform = d->transform;
}

static int show_progress(void *user, float done) {
    drawing *d = user;
    progress_update(&d->progress, d->drawn + d->batch * (double)done);
    return 0;
}

/* To 8 bits as they arrive, so that the image as numbers need not exist. */
static int take_rows(void *user, int index, int y, int rows, const float *pixels) {
    const drawing *d = user;
    const stylegan_config *config = d->opened->config;
    unsigned char *image = d->pixels + (size_t)index * d->opened->image_values;
    const size_t row = (size_t)config->width * (size_t)config->channels;
    for (size_t i = 0; i < row * (size_t)rows; i++)
        if (!isfinite(pixels[i])) cli_fail("%s: makes no numbers of these latents: too large", d->opened->name);
    stylegan_to_rgb8(pixels, config->channels, rows, config->width, image + (size_t)y * row);
    return 0;
}

void drawing_start(drawing *d, const opened_model *opened, const drawing_flags *flags, int count) {
    *d = (drawing){.opened = opened,
                   .metadata = !flags->no_metadata,
                   .run = {.rows = take_rows, .progress = show_progress, .user = d}};
    if (flags->noise_mode) d->run.noise_mode = noise_mode_named(flags->noise_mode);
    if (flags->noise_seed) {
        if (d->run.noise_mode != STYLEGAN_NOISE_RANDOM) cli_usage("--noise-seed needs --noise-mode random");
        d->run.noise_seed = (uint64_t)cli_integer("--noise-seed", flags->noise_seed, 0, INT64_MAX);
    }
    d->first_noise_seed = d->run.noise_seed;
    set_transform(d, flags);
    progress_start(&d->progress, "images", count);
}

void drawing_draw(drawing *d, const float *ws, int count, float *images) {
    stylegan_error error;
    if (count > d->room) d->pixels = cli_realloc(d->pixels, (size_t)count, d->opened->image_values);
    if (count > d->room) d->room = count;
    d->batch = count;
    d->at = 0;
    if (stylegan_synthesize(d->opened->model, ws, count, images, &d->run, &error)) cli_fail("%s", error.message);
    d->run.noise_seed += (uint64_t)count;
    d->drawn += count;
}

char *drawing_notes(const drawing *d, drawing_kind kind) {
    char *notes = NULL;
    if (!d->metadata) return NULL;
    notes_add(&notes, "Software", "stylegan %s", stylegan_version());
    notes_add(&notes, "Synthetic",
              kind == DRAWN_WITH_OTHERS ? "in parts made by a generative network"
                                        : "made by a generative network, not a photograph");
    notes_add(&notes, PNG_SOURCE_TYPE, kind == DRAWN_WITH_OTHERS ? PNG_PARTLY_FROM_NETWORK : PNG_FROM_NETWORK);
    model_notes(d->opened, &notes);
    notes_add(&notes, "Noise Mode", "%s", noise_modes[d->run.noise_mode]);
    const float *m = d->run.transform;
    if (m)
        notes_add(&notes, "Transform", "%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g,%.9g", (double)m[0], (double)m[1],
                  (double)m[2], (double)m[3], (double)m[4], (double)m[5], (double)m[6], (double)m[7], (double)m[8]);
    const uint64_t seed =
        kind != DRAWN_PICTURE ? d->first_noise_seed : d->run.noise_seed - (uint64_t)(d->batch - d->at);
    if (d->run.noise_mode == STYLEGAN_NOISE_RANDOM)
        notes_add(&notes, kind != DRAWN_PICTURE ? "First Noise Seed" : "Noise Seed", "%llu", (unsigned long long)seed);
    return notes;
}

const unsigned char *drawing_pixels(const drawing *d) {
    return d->pixels + (size_t)d->at * d->opened->image_values;
}

void drawing_save(const drawing *d, const char *folder, const char *name, const char *notes) {
    const stylegan_config *config = d->opened->config;
    char *path = cli_format("%s/%s", folder, name);
    png_write(path, config->width, config->height, config->channels, drawing_pixels(d), notes);
    free(path);
}

void drawing_end(drawing *d) {
    progress_end(&d->progress);
    free(d->pixels);
}
