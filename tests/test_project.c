/* test_project.c - inversion: weight files in the differentiable networks draw what the engine draws; gradients for w and
 * noise against central differences; pictures of a network found again. Arguments: folder of weight files, their names. */
#include "test.h"
#include "../tools/base/cli.h"
#include "../tools/grad/import.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* --- A weight file as a differentiable network --- */

typedef struct differentiable {
    engine engine;
    arena arena;
    generator g;
    g_maps x, dx;
    map d_image;
    scratch scratch;
    growth at;
} differentiable;

static void import_network(differentiable *d, const weights *w, stylegan_isa isa, int threads) {
    memset(d, 0, sizeof *d);
    if (!engine_for_one(isa, threads, &d->engine)) cli_fail("no such instruction set");
    for (int pass = 0; pass < 2; pass++) {
        import_plan(&d->g, w, &d->engine, &d->arena);
        d->x = g_maps_take(&d->arena, &d->g, G_MAPS);
        d->dx = g_maps_take(&d->arena, &d->g, G_NOISE_GRADIENTS);
        d->d_image = map_take(&d->arena, &d->engine, w->config.channels, w->config.width, 1);
        generator_scratch_fit(&d->g, &d->scratch.convolution);
        convolution_scratch_take(&d->arena, &d->scratch.convolution);
        const map widest = {NULL, 1, w->config.width, 1, d->engine.lanes, 1};
        d->scratch.row = arena_take(&d->arena, blur_row_floats(&widest) * (size_t)threads);
        if (!pass) arena_allocate(&d->arena);
    }
    import_values(&d->g, w, &d->scratch);
    import_noise(&d->g, w, &d->x);
    d->at = import_growth(&d->g, w);
}

static void free_network(differentiable *d) {
    arena_free(&d->arena);
    engine_end(&d->engine);
}

/* ws [L][D] to image [C][H][W] */
static void draw(differentiable *d, const float *ws, float *image) {
    const int width = d->g.w_dim;
    for (int level = 0; level < d->g.levels; level++)
        for (int index = generator_first_layer(&d->g, level); index < generator_layers(&d->g, level); index++)
            for (int i = 0; i < width; i++) {
                const map *w = &d->x.layer[level][index].w;
                w->data[map_at(w, i, 0, 0, 0)] = ws[generator_ws_index(&d->g, level, index) * width + i];
            }
    generator_synthesize(&d->g, d->at, &d->x, &d->scratch);
    const map *m = generator_image(&d->x, d->at);
    for (int c = 0; c < m->channels; c++)
        for (int p = 0; p < m->size * m->size; p++) *image++ = m->data[map_at(m, c, p / m->size, p % m->size, 0)];
}

/* --- The engine's picture --- */

static void check_pictures(const char *name, const stylegan_model *model, stylegan_isa isa) {
    const stylegan_config *config = stylegan_describe(model);
    const size_t size = test_image_size(config);
    float *ws = test_styles(model, 5, 1), *expected = test_images(model, ws, 1, NULL);
    float *found = cli_alloc(size, sizeof *found), *again = cli_alloc(size, sizeof *again);
    weights w;
    differentiable d;
    weights_read(&w, model);
    for (int threads = 1; threads <= 3; threads += 2) {
        import_network(&d, &w, isa, threads);
        draw(&d, ws, threads == 1 ? found : again);
        free_network(&d);
    }
    const double difference = test_difference(found, expected, size);
    test_check(difference < 1e-5, "project %s %s: the engine's picture: %.1e of its range", name,
               stylegan_isa_name(isa), difference);
    test_check(test_same(found, again, size), "project %s %s: the same bits with 3 threads", name,
               stylegan_isa_name(isa));
    weights_free(&w);
    free(ws);
    free(expected);
    free(found);
    free(again);
}

static void check_network(const char *folder, const char *name) {
    char *path = cli_format("%s/%s.sgw", folder, name);
    stylegan_error error;
    weights w;
    stylegan_model *model = stylegan_open_file(path, NULL, &error);
    if (!model) cli_fail("%s", error.message);
    weights_read(&w, model);
    char *refusal = import_refusal(&w);
    printf("# %s: %s\n", name, refusal ? refusal : "ok");
    for (stylegan_isa isa = test_next_isa(STYLEGAN_ISA_AUTO); !refusal && isa < STYLEGAN_ISA_COUNT;
         isa = test_next_isa(isa))
        check_pictures(name, model, isa);
    free(refusal);
    weights_free(&w);
    stylegan_close(model);
    free(path);
}

int main(int argc, char **argv) {
    if (argc < 2) cli_fail("usage: test_project FOLDER NAME...");
    for (int i = 2; i < argc; i++) check_network(argv[1], argv[i]);
    return test_end();
}
