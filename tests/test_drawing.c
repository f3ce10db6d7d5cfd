/* test_drawing.c - what a call that draws can be told and tells: rows and layers as they are finished, progress and an early
   end, batches, noise, and offsets on styles. */
#include "fixture.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Callbacks while drawing --- */

typedef struct listener {
    const fixture *f;
    float *images;
    int next_index, next_y, orderly;
    float done;
    int calls, cancel_at; /* the call that says stop; 0: none */
} listener;

static int take_rows(void *user, int index, int y, int rows, const float *pixels) {
    listener *l = (listener *)user;
    int height = l->f->config.height, channels = l->f->config.channels;
    size_t width = (size_t)l->f->config.width, plane = width * (size_t)height;
    l->orderly &= index == l->next_index && y == l->next_y && rows > 0 && y + rows <= height;
    for (int c = 0; l->orderly && c < channels; c++)
        memcpy(l->images + (size_t)index * l->f->image_size + (size_t)c * plane + (size_t)y * width,
               pixels + (size_t)(c * rows) * width, (size_t)rows * width * sizeof *pixels);
    l->next_y = (y + rows) % height;
    l->next_index += y + rows == height;
    return ++l->calls == l->cancel_at;
}

static int take_progress(void *user, float done) {
    listener *l = (listener *)user;
    l->orderly &= done > 0 && done <= 1 && (done > l->done || l->done == 1);
    l->done = done;
    return ++l->calls == l->cancel_at;
}

static void check_rows(fixture *f) {
    listener l = {f, NULL, 0, 0, 1, 0, 0, 0};
    stylegan_run run = {0};
    stylegan_error error;
    l.images = (float *)cli_alloc(BATCH * f->image_size, sizeof *l.images);
    run.rows = take_rows;
    run.user = &l;
    stylegan_result result = stylegan_synthesize(f->model, f->ws, BATCH, NULL, &run, &error);
    test_check(!result && l.orderly && l.next_index == BATCH && test_same(l.images, f->images, BATCH * f->image_size),
               "api %d: rows arrive in order and are the image (%d calls)", f->seed, l.calls);
    listener both = {f, l.images, 0, 0, 1, 0, 0, 0};
    run.user = &both;
    float *images = test_images(f->model, f->ws, BATCH, &run);
    test_check(both.orderly && test_same(l.images, f->images, BATCH * f->image_size) &&
                   test_same(images, l.images, BATCH * f->image_size),
               "api %d: rows and image together", f->seed);
    free(images);
    listener stopped = {f, l.images, 0, 0, 1, 0, 0, 1};
    run.user = &stopped;
    result = stylegan_synthesize(f->model, f->ws, BATCH, NULL, &run, &error);
    test_check(result == STYLEGAN_ERROR_CANCELLED && error.code == result && stopped.calls == 1, "api %d: rows cancel",
               f->seed);
    free(l.images);
}

/* The layers that were computed, against those that the model tells of. */
typedef struct tour {
    const stylegan_model *model;
    int next, orderly;
} tour;

static void visit(void *user, int index, const stylegan_feature_map *map) {
    tour *t = (tour *)user;
    stylegan_layer layer;
    (void)index;
    if (map->first_row) return; /* a further strip */
    t->orderly &= !stylegan_get_layer(t->model, t->next++, &layer) && !strcmp(layer.name, map->layer) &&
                  layer.out == map->channels && layer.height == map->height && layer.width == map->width;
}

static void check_layers(fixture *f) {
    tour t = {f->model, 0, 1};
    stylegan_run run = {0};
    stylegan_layer layer;
    uint64_t stored = 0, prepared = 0;
    int count = stylegan_layer_count(f->model), sound = 1;
    run.inspect = visit;
    run.user = &t;
    free(test_images(f->model, f->ws, 1, &run));
    for (int i = 0; i < count; i++) {
        sound &= !stylegan_get_layer(f->model, i, &layer);
        sound &= (layer.macs > 0) == (layer.weight_bytes > 0) && layer.moved_bytes > layer.weight_bytes;
        stored += layer.weight_bytes;
        prepared += layer.prepared_bytes;
    }
    test_check(t.orderly && t.next == count - 1, "api %d: %d layers in the order of their computation", f->seed, count);
    test_check(sound && stored < stylegan_file_size(f->model) && prepared < stylegan_workspace_size(f->model) &&
                   stylegan_get_layer(f->model, count, &layer) == STYLEGAN_ERROR_ARGUMENT &&
                   stylegan_get_layer(f->model, -1, &layer) == STYLEGAN_ERROR_ARGUMENT,
               "api %d: the layers' sizes", f->seed);
}

static void check_progress(fixture *f) {
    listener l = {f, NULL, 0, 0, 1, 0, 0, 0};
    stylegan_run run = {0};
    stylegan_error error;
    run.progress = take_progress;
    run.user = &l;
    float *images = test_images(f->model, f->ws, 1, &run);
    int calls = l.calls;
    test_check(calls > 0 && l.orderly && l.done == 1, "api %d: progress rises to %.7f in %d calls", f->seed,
               (double)l.done, calls);
    int cancelled = 1;
    for (int at = 1; at < calls; at++) {
        listener stop = {f, NULL, 0, 0, 1, 0, 0, at};
        run.user = &stop;
        cancelled &= stylegan_synthesize(f->model, f->ws, 1, images, &run, &error) == STYLEGAN_ERROR_CANCELLED &&
                     stop.calls == at;
    }
    free(images);
    test_check(cancelled && draws_the_same(f, f->model), "api %d: progress cancels anywhere, the model stays sound",
               f->seed);
}

/* --- Batches and noise --- */

static void check_batch(fixture *f) {
    int same = 1, same_random = 1;
    stylegan_run run = {0};
    run.noise_mode = STYLEGAN_NOISE_RANDOM;
    run.noise_seed = 77;
    float *random = test_images(f->model, f->ws, BATCH, &run);
    for (size_t i = 0; i < BATCH; i++) {
        float *one = draw(f->model, f->ws + i * f->style_size, STYLEGAN_NOISE_CONST, 0);
        float *noisy = draw(f->model, f->ws + i * f->style_size, STYLEGAN_NOISE_RANDOM, 77 + i);
        same &= test_same(one, f->images + i * f->image_size, f->image_size);
        same_random &= test_same(noisy, random + i * f->image_size, f->image_size);
        free(one);
        free(noisy);
    }
    free(random);
    test_check(same, "api %d: a batch is its images one by one", f->seed);
    test_check(same_random, "api %d: with random noise, image i takes noise_seed + i", f->seed);
}

/* What the inspect callback sees of each layer of each image. */
typedef struct gallery {
    int layers;
    double *sums; /* [BATCH][layers] */
} gallery;

static void look(void *user, int index, const stylegan_feature_map *map) {
    const gallery *g = (const gallery *)user;
    float *plane = (float *)cli_alloc((size_t)map->rows * (size_t)map->width, sizeof *plane);
    double *sum = &g->sums[index * g->layers + map->index];
    for (int c = 0; c < map->channels; c++) {
        stylegan_read_feature(map, c, plane);
        for (int i = 0; i < map->rows * map->width; i++)
            *sum += (double)plane[i] * (1 + (map->first_row * map->width + i) % 7);
    }
    if (map->style) *sum += (double)map->style[0];
    free(plane);
}

static gallery draw_gallery(const fixture *f, const stylegan_options *options, float **images) {
    stylegan_model *model = stylegan_open_memory(f->file.bytes, f->file.size, options, NULL);
    const size_t size = stylegan_workspace_size(model);
    gallery g;
    g.layers = stylegan_layer_count(model);
    g.sums = (double *)cli_alloc((size_t)(BATCH * g.layers), sizeof *g.sums);
    for (int i = 0; i < BATCH * g.layers; i++) g.sums[i] = 0;
    stylegan_run run = {0};
    run.noise_mode = STYLEGAN_NOISE_RANDOM;
    run.noise_seed = 77;
    run.workspace = malloc(size);
    run.workspace_size = size;
    memset(run.workspace, 0xff, size); /* what is read before it is written is not a number */
    *images = test_images(model, f->ws, BATCH, &run);
    memset(run.workspace, 0xff, size);
    run.inspect = look;
    run.user = &g;
    free(test_images(model, f->ws, BATCH, &run));
    free(run.workspace);
    stylegan_close(model);
    return g;
}

/* options.batch changes no bit of an image at any position, whatever else is chosen. */
static void check_together(fixture *f) {
    for (int isa = STYLEGAN_ISA_AUTO + 1; isa < STYLEGAN_ISA_COUNT; isa++) {
        int same = 1, same_maps = 1;
        for (int variant = 0; stylegan_isa_available((stylegan_isa)isa) && variant < 4; variant++) {
            stylegan_options options = {0};
            options.isa = (stylegan_isa)isa;
            options.threads = variant % 2 ? 3 : 1;
            options.precision = variant / 2 ? STYLEGAN_PRECISION_FAST : STYLEGAN_PRECISION_F32;
            float *alone, *images;
            gallery g = draw_gallery(f, &options, &alone);
            for (options.batch = 2; options.batch <= 8; options.batch += options.batch == 2 ? 1 : 5) {
                gallery h = draw_gallery(f, &options, &images);
                same &= test_same(images, alone, BATCH * f->image_size);
                for (int i = 0; i < BATCH * g.layers; i++) same_maps &= g.sums[i] == h.sums[i];
                free(h.sums);
                free(images);
            }
            free(g.sums);
            free(alone);
        }
        test_check(same, "api %d: images drawn together are those drawn alone, %s", f->seed,
                   stylegan_isa_name((stylegan_isa)isa));
        test_check(same_maps, "api %d: so are their layers and styles, %s", f->seed,
                   stylegan_isa_name((stylegan_isa)isa));
    }
}

static stylegan_model *open_together(const fixture *f, int batch, size_t limit, stylegan_error *error) {
    stylegan_options options = {0};
    options.threads = 1;
    options.batch = batch;
    options.memory_limit = limit;
    return stylegan_open_memory(f->file.bytes, f->file.size, &options, error);
}

/* A limit of memory has room for fewer, and never for other pictures. */
static void check_batch_memory(fixture *f) {
    stylegan_error error = {STYLEGAN_OK, ""};
    stylegan_model *one = open_together(f, 1, 0, NULL), *all = open_together(f, 8, 0, NULL);
    const size_t least = stylegan_workspace_size(one), most = stylegan_workspace_size(all);
    test_check(stylegan_model_batch(f->model) == 1 && stylegan_model_batch(one) == 1 &&
                   stylegan_model_batch(all) == 8 && most > least,
               "api %d: batches of 8 take %zu bytes, single images %zu", f->seed, most, least);
    int fits = 1, same = 1, before = 1;
    for (int i = 0; i <= 4; i++) {
        const size_t limit = least + (most - least) * (size_t)i / 4;
        stylegan_model *model = open_together(f, 8, limit, NULL);
        float *images = test_images(model, f->ws, BATCH, NULL), *alone = test_images(one, f->ws, BATCH, NULL);
        fits &= stylegan_workspace_size(model) <= limit && stylegan_model_batch(model) >= before;
        before = stylegan_model_batch(model);
        same &= test_same(images, alone, BATCH * f->image_size);
        free(alone);
        free(images);
        stylegan_close(model);
    }
    test_check(fits && before == 8, "api %d: as many images together as memory_limit allows", f->seed);
    test_check(same, "api %d: which are the same for any limit above a single image's", f->seed);
    stylegan_model *lean = open_together(f, 8, STYLEGAN_MEMORY_LEAST, NULL);
    stylegan_model *lean_one = open_together(f, 1, STYLEGAN_MEMORY_LEAST, NULL);
    test_check(stylegan_model_batch(lean) == 1 && stylegan_workspace_size(lean) == stylegan_workspace_size(lean_one),
               "api %d: the least memory is that of single images", f->seed);
    test_check(!open_together(f, -1, 0, &error) && error.code == STYLEGAN_ERROR_ARGUMENT &&
                   strstr(error.message, "options.batch") && !open_together(f, 65, 0, NULL),
               "api %d: batches of -1 and 65 are refused", f->seed);
    stylegan_run run = {0};
    run.workspace = malloc(most);
    run.workspace_size = most - 1;
    float *image = (float *)cli_alloc(f->image_size, sizeof *image);
    test_check(stylegan_synthesize(all, f->ws, 1, image, &run, &error) == STYLEGAN_ERROR_WORKSPACE,
               "api %d: a workspace a byte too small for a batch is refused", f->seed);
    free(image);
    free(run.workspace);
    stylegan_close(lean_one);
    stylegan_close(lean);
    stylegan_close(all);
    stylegan_close(one);
}

/* Rows and progress, with a batch as without. */
static void check_batch_callbacks(fixture *f) {
    stylegan_model *model = open_together(f, 2, 0, NULL);
    stylegan_error error;
    listener l = {f, NULL, 0, 0, 1, 0, 0, 0};
    stylegan_run run = {0};
    l.images = (float *)cli_alloc(BATCH * f->image_size, sizeof *l.images);
    run.rows = take_rows;
    run.user = &l;
    float *images = test_images(model, f->ws, BATCH, &run), *plain = test_images(model, f->ws, BATCH, NULL);
    test_check(l.orderly && l.next_index == BATCH && test_same(l.images, plain, BATCH * f->image_size) &&
                   test_same(images, plain, BATCH * f->image_size),
               "api %d: rows of a batch come image after image", f->seed);
    listener p = {f, NULL, 0, 0, 1, 0, 0, 0};
    stylegan_run watched = {0};
    watched.progress = take_progress;
    watched.user = &p;
    free(test_images(model, f->ws, BATCH, &watched));
    test_check(p.orderly && p.done == 1, "api %d: progress of a batch rises to %.7f", f->seed, (double)p.done);
    int cancelled = 1;
    for (int at = 1; at < p.calls; at += 1 + p.calls / 7) {
        listener stop = {f, NULL, 0, 0, 1, 0, 0, at};
        watched.user = &stop;
        cancelled &= stylegan_synthesize(model, f->ws, BATCH, images, &watched, &error) == STYLEGAN_ERROR_CANCELLED &&
                     stop.calls == at;
    }
    free(images);
    images = test_images(model, f->ws, BATCH, NULL);
    test_check(cancelled && test_same(images, plain, BATCH * f->image_size),
               "api %d: progress cancels a batch anywhere, the model stays sound", f->seed);
    free(images);
    free(plain);
    free(l.images);
    stylegan_close(model);
}

/* The w that feeds the layer "b{R}.conv{i}". */
static uint32_t layer_index(const char *name, int family) {
    int resolution = atoi(name + 1), index = 0;
    for (int r = resolution; r > 4; r /= 2) index += 2;
    index += strstr(name, "conv1") != NULL;
    return (uint32_t)(family == STYLEGAN_FAMILY_1 ? index : index - 1);
}

/* Random noise is the same as constant noise whose maps hold the documented stream. */
static void check_random_noise(fixture *f) {
    weights w;
    make_network(f->seed, &w);
    int maps = 0;
    weights replaced = {w.config, NULL, 0, NULL};
    for (int i = 0; i < w.count; i++) {
        const weights_tensor *t = &w.tensors[i];
        const char *part = strstr(t->name, ".noise");
        if (!part || strcmp(part, ".noise")) {
            float *values = weights_values(t);
            weights_add_values(&replaced, t->name, t->dimensions, t->shape, values);
            free(values);
            continue;
        }
        int pixels = t->shape[0] * t->shape[1];
        float *noise = (float *)cli_alloc((size_t)pixels, sizeof *noise);
        stylegan_random_normal(5, layer_index(t->name, w.config.family), 0, noise, pixels);
        weights_add_values(&replaced, t->name, t->dimensions, t->shape, noise);
        free(noise);
        maps++;
    }
    weights_note(&replaced, "source", "replaced noise");
    test_file file;
    file.bytes = weights_to_memory(&replaced, STYLEGAN_F32, &file.size);
    stylegan_model *model = test_open(&file, STYLEGAN_ISA_AUTO, 1);
    float *expected = draw(model, f->ws, STYLEGAN_NOISE_CONST, 0),
          *random = draw(f->model, f->ws, STYLEGAN_NOISE_RANDOM, 5);
    test_check(test_same(random, expected, f->image_size), "api %d: random noise is the documented stream (%d maps)",
               f->seed, maps);
    stylegan_close(model);
    float *none = draw(f->model, f->ws, STYLEGAN_NOISE_NONE, 0);
    int differ = !test_same(none, f->images, f->image_size);
    test_check(!differ || maps, "api %d: without noise maps there is no noise", f->seed);
    free(expected);
    free(random);
    free(none);
    free(file.bytes);
    weights_free(&replaced);
    random_network_free(&w);
}

/* --- Layer by layer --- */

/* Noise of every layer set apart is the noise of all. */
static void check_layer_noise(fixture *f) {
    int count = stylegan_layer_count(f->model);
    stylegan_noise_mode *modes = (stylegan_noise_mode *)cli_alloc((size_t)count, sizeof *modes);
    float *strengths = (float *)cli_alloc((size_t)count, sizeof *strengths);
    float *random = draw(f->model, f->ws, STYLEGAN_NOISE_RANDOM, 5),
          *none = draw(f->model, f->ws, STYLEGAN_NOISE_NONE, 0);
    stylegan_run run = {0};
    stylegan_error error;
    int noisy = -1;
    for (int i = 0; i < count; i++) {
        stylegan_layer layer;
        stylegan_get_layer(f->model, i, &layer);
        if (layer.noise) noisy = i;
        modes[i] = STYLEGAN_NOISE_RANDOM;
        strengths[i] = 0;
    }
    run.noise_mode = STYLEGAN_NOISE_NONE;
    run.noise_seed = 5;
    run.layer_noise = modes;
    float *all = test_images(f->model, f->ws, 1, &run);
    run.layer_noise_strength = strengths;
    float *silent = test_images(f->model, f->ws, 1, &run);
    test_check(test_same(all, random, f->image_size) && test_same(silent, none, f->image_size),
               "api %d: noise and its strength layer by layer", f->seed);
    if (!test_same(random, none, f->image_size)) { /* else all strengths are zero */
        strengths[noisy] = 3;
        float *loud = test_images(f->model, f->ws, 1, &run);
        stylegan_layer layer;
        stylegan_get_layer(f->model, noisy, &layer);
        test_check(!test_same(loud, none, f->image_size), "api %d: noise in %s alone", f->seed, layer.name);
        free(loud);
    }
    modes[count - 1] = (stylegan_noise_mode)99;
    test_check(stylegan_synthesize(f->model, f->ws, 1, all, &run, &error) == STYLEGAN_ERROR_ARGUMENT,
               "api %d: an unknown noise mode: %s", f->seed, error.message);
    free(all);
    free(silent);
    free(random);
    free(none);
    free(modes);
    free(strengths);
}

/* What inspect says of styles, against stylegan_get_style and the offsets. */
typedef struct style_tour {
    const stylegan_model *model;
    const float *ws, *const *offsets;
    double worst;
} style_tour;

static void compare_style(void *user, int index, const stylegan_feature_map *map) {
    style_tour *t = (style_tour *)user;
    stylegan_layer layer;
    (void)index;
    stylegan_get_layer(t->model, map->index, &layer);
    if (strcmp(layer.name, map->layer) || (layer.styles > 0) != (map->style != NULL)) t->worst = INFINITY;
    if (!map->style) return;
    float *style = (float *)cli_alloc((size_t)layer.styles, sizeof *style);
    stylegan_get_style(t->model, map->index, t->ws, style);
    for (int i = 0; i < layer.styles; i++) style[i] += t->offsets[map->index][i];
    t->worst = fmax(t->worst, test_relative(map->style, style, (size_t)layer.styles));
    free(style);
}

/* The styles of one image, moved by the difference to another's, draw the other. */
static void check_style_offsets(fixture *f) {
    int count = stylegan_layer_count(f->model), steered = 0;
    const float *other = f->ws + f->style_size;
    const float **offsets = (const float **)cli_alloc((size_t)count, sizeof *offsets);
    stylegan_layer layer;
    for (int i = 0; i < count; i++) {
        offsets[i] = NULL;
        stylegan_get_layer(f->model, i, &layer);
        if (!layer.styles) continue;
        float *from = (float *)cli_alloc((size_t)layer.styles, sizeof *from);
        float *to = (float *)cli_alloc((size_t)layer.styles, sizeof *to);
        stylegan_get_style(f->model, i, f->ws, from);
        stylegan_get_style(f->model, i, other, to);
        for (int k = 0; k < layer.styles; k++) to[k] -= from[k];
        free(from);
        offsets[i] = to;
        steered++;
    }
    style_tour seen = {f->model, f->ws, offsets, 0};
    stylegan_run run = {0};
    run.style_offsets = offsets;
    run.inspect = compare_style;
    run.user = &seen;
    float *image = test_images(f->model, f->ws, 1, &run);
    double difference = test_difference(image, f->images + f->image_size, f->image_size);
    int dense =
        test_find_tensor(f->model, "b4.dense.weight", &(stylegan_tensor){0}); /* then w has another way to the image */
    test_check((dense || difference <= 2e-4) && seen.worst <= 1e-5 && stylegan_get_style(f->model, count, f->ws, image),
               "api %d: offsets on the styles of %d layers draw another image: %.1e, styles %.1e", f->seed, steered,
               difference, seen.worst);
    free(image);
    for (int i = 0; i < count; i++) free((void *)(uintptr_t)offsets[i]);
    free(offsets);
}

int main(void) {
    for (int i = 0; i < FIXTURES; i++) {
        fixture f = set_up(fixture_seeds[i]);
        check_rows(&f);
        check_layers(&f);
        check_progress(&f);
        check_batch(&f);
        check_together(&f);
        check_batch_memory(&f);
        check_batch_callbacks(&f);
        check_random_noise(&f);
        check_layer_noise(&f);
        check_style_offsets(&f);
        tear_down(&f);
    }
    return test_end();
}
