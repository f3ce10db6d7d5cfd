/* test_project.c - inversion: weight files in the differentiable networks draw what the engine draws; gradients for w and
 * noise against central differences of the double-precision reference; tuned networks; pictures found again. Arguments: a
 * folder of weight files, their names, and portraits-64. */
#include "test.h"
#include "reference.h"
#include "../tools/base/cli.h"
#include "../tools/base/random.h"
#include "../tools/grad/projector.h"

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
    d->engine.worth_waking = 0; /* every operator on all threads */
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

/* --- Gradients --- */

typedef struct slope_case {
    reference *reference;
    const float *direction_of_image; /* r: the loss is r . image */
    size_t pixels;
} slope_case;

static double loss_of(const slope_case *k, const float *ws) {
    int count;
    reference_volume *volumes = reference_synthesize(k->reference, ws, 1, &count);
    double sum = 0;
    for (size_t i = 0; i < k->pixels; i++) sum += volumes[count - 1].values[i] * (double)k->direction_of_image[i];
    reference_free(volumes, count);
    return sum;
}

static double sign_at(uint64_t key, size_t i) {
    return random_uniform(key, i) < 0.5 ? -1 : 1;
}

/* The error of a gradient along a random direction of +-1, over its length; both directions of ws are as float32 has them. */
static double ws_error(const slope_case *k, const float *ws, const double *gradient, size_t count, uint64_t key) {
    const double step = 1e-6;
    float *moved[2];
    double found = 0, length = 0;
    for (int side = 0; side < 2; side++) {
        moved[side] = cli_alloc(count, sizeof(float));
        for (size_t i = 0; i < count; i++)
            moved[side][i] = (float)((double)ws[i] + (2 * side - 1) * step * sign_at(key, i));
    }
    for (size_t i = 0; i < count; i++) {
        found += gradient[i] * ((double)moved[1][i] - (double)moved[0][i]);
        length += gradient[i] * gradient[i];
    }
    const double expected = loss_of(k, moved[1]) - loss_of(k, moved[0]);
    for (int side = 0; side < 2; side++) free(moved[side]);
    return fabs(found - expected) / (2 * step) / sqrt(length);
}

/* The same of a noise map, in the reference's own memory. */
static double noise_error(const slope_case *k, const float *ws, double *noise, const float *gradient, size_t count,
                          uint64_t key) {
    const double step = 1e-7;
    double found = 0, length = 0, expected = 0;
    for (size_t i = 0; i < count; i++) {
        found += (double)gradient[i] * sign_at(key, i);
        length += (double)gradient[i] * (double)gradient[i];
    }
    for (int side = -1; side <= 1; side += 2) {
        for (size_t i = 0; i < count; i++) noise[i] += side * step * sign_at(key, i);
        expected += side * loss_of(k, ws) / (2 * step);
        for (size_t i = 0; i < count; i++) noise[i] -= side * step * sign_at(key, i);
    }
    return length > 0 ? fabs(found - expected) / sqrt(length) : fabs(expected);
}

static void start_gradients(differentiable *d, const slope_case *k, const float *ws, float *image) {
    draw(d, ws, image);
    const map *m = &d->d_image;
    for (int c = 0; c < m->channels; c++)
        for (int p = 0; p < m->size * m->size; p++)
            m->data[map_at(m, c, p / m->size, p % m->size, 0)] = k->direction_of_image[c * m->size * m->size + p];
    generator_synthesize_back(&d->g, d->at, &d->x, &d->dx, m, NULL, &d->scratch);
}

static void gather_ws(const differentiable *d, double *gradient) {
    const int width = d->g.w_dim;
    for (int level = 0; level < d->g.levels; level++)
        for (int index = generator_first_layer(&d->g, level); index < generator_layers(&d->g, level); index++)
            for (int i = 0; i < width; i++) {
                const map *dw = &d->dx.layer[level][index].w;
                gradient[generator_ws_index(&d->g, level, index) * width + i] +=
                    (double)dw->data[map_at(dw, i, 0, 0, 0)];
            }
}

/* The better of two directions counts: an lrelu's kink within the step spoils one now and then. */
static double better(double a, double b) {
    return a < b ? a : b;
}

static double worst_noise_error(const differentiable *d, const slope_case *k, const float *ws, int *maps) {
    double worst = 0;
    for (int level = 0; level < d->g.levels; level++)
        for (int index = generator_first_layer(&d->g, level); index < 2; index++) {
            char layer[16], name[32];
            size_t count;
            import_layer_name(level, index, layer);
            snprintf(name, sizeof name, "%s.noise", layer);
            double *noise = (double *)(uintptr_t)reference_tensor(k->reference, name, &count);
            if (!noise) continue;
            const float *gradient = d->dx.layer[level][index].noise;
            const double one = noise_error(k, ws, noise, gradient, count, 11);
            worst = fmax(worst, one < 1e-3 ? one : better(one, noise_error(k, ws, noise, gradient, count, 12)));
            ++*maps;
        }
    return worst;
}

static void check_gradients(const char *name, const char *path, const stylegan_model *model, stylegan_isa isa) {
    const stylegan_config *config = stylegan_describe(model);
    const size_t size = test_image_size(config), count = (size_t)(config->num_ws * config->w_dim);
    file_view file = file_view_open(path);
    float *ws = test_styles(model, 6, 1), *r = test_normal(7, size), *image = cli_alloc(size, sizeof *image);
    double *gradient = cli_alloc(count, sizeof *gradient);
    const slope_case k = {reference_open(file.data, file.size), r, size};
    weights w;
    differentiable d;
    int maps = 0;
    weights_read(&w, model);
    import_network(&d, &w, isa, 3);
    start_gradients(&d, &k, ws, image);
    for (size_t i = 0; i < count; i++) gradient[i] = 0;
    gather_ws(&d, gradient);
    const double styles = better(ws_error(&k, ws, gradient, count, 8), ws_error(&k, ws, gradient, count, 9));
    const double noise = worst_noise_error(&d, &k, ws, &maps);
    test_check(styles < 1e-3 && noise < 1e-3, "project %s %s: gradients of ws %.1e, of %d noise maps %.1e", name,
               stylegan_isa_name(isa), styles, maps, noise);
    free_network(&d);
    weights_free(&w);
    reference_close(k.reference);
    file_view_close(&file);
    free(gradient);
    free(image);
    free(ws);
    free(r);
}

static void check_network(const char *folder, const char *name) {
    char *path = cli_format("%s/%s.sgw", folder, name);
    stylegan_error error;
    weights w;
    stylegan_model *model = stylegan_open_file(path, NULL, &error);
    if (!model) cli_fail("%s", error.message);
    const stylegan_config *config = stylegan_describe(model);
    weights_read(&w, model);
    char *refusal = import_refusal(&w);
    printf("# %s: %s\n", name, refusal ? refusal : "ok");
    for (stylegan_isa isa = test_next_isa(STYLEGAN_ISA_AUTO); !refusal && isa < STYLEGAN_ISA_COUNT;
         isa = test_next_isa(isa)) {
        check_pictures(name, model, isa);
        if (config->width <= 32) check_gradients(name, path, model, isa);
    }
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
