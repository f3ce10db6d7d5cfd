/* test_project.c - inversion: weight files in the differentiable networks draw what the engine draws; gradients for w and
 * noise against central differences of the double-precision reference; tuned networks; pictures found again. Arguments:
 * portraits-64.sgw, a folder of weight files, and their names. */
#include "test.h"
#include "reference.h"
#include "../tools/base/cli.h"
#include "../tools/base/random.h"
#include "../tools/data/distances.h"
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
    float *gradient; /* of the weights */
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
        d->gradient = arena_take(&d->arena, d->g.net.floats);
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

static float *copied(const float *values, size_t count) {
    float *copy = cli_alloc(count, sizeof *copy);
    memcpy(copy, values, count * sizeof *copy);
    return copy;
}

static void check_pictures(const char *name, const stylegan_model *model, stylegan_isa isa) {
    const stylegan_config *config = stylegan_describe(model);
    const size_t size = test_image_size(config);
    float *ws = test_styles(model, 5, 1), *expected = test_images(model, ws, 1, NULL);
    float *found = cli_alloc(size, sizeof *found), *again = cli_alloc(size, sizeof *again);
    weights w;
    differentiable d;
    weights_read(&w, model);
    float *gradient = NULL;
    int same = 1;
    for (int threads = 1; threads <= 3; threads += 2) {
        import_network(&d, &w, isa, threads);
        draw(&d, ws, threads == 1 ? found : again);
        for (size_t i = 0; i < size / 3; i++) /* red only: any gradient will do */
            d.d_image.data[map_at(&d.d_image, 0, (int)i / config->width, (int)i % config->width, 0)] = found[i];
        generator_synthesize_back(&d.g, d.at, &d.x, &d.dx, &d.d_image, d.gradient, &d.scratch);
        if (!gradient) gradient = copied(d.gradient, d.g.net.floats);
        same &= test_same(gradient, d.gradient, d.g.net.floats);
        free_network(&d);
    }
    const double difference = test_difference(found, expected, size);
    test_check(difference < 1e-5, "project %s %s: the engine's picture: %.1e of its range", name,
               stylegan_isa_name(isa), difference);
    test_check(same && test_same(found, again, size),
               "project %s %s: the same picture and gradients of weights with 3 threads", name, stylegan_isa_name(isa));
    free(gradient);
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

/* --- What the search makes small --- */

typedef double part_fn(void *context, const float *x, float *gradient);

/* The error of a float32 gradient along a direction, over its own share of it. */
static double direction_error(part_fn *part, void *context, const float *x, size_t count, const float *direction,
                              double found, float step) {
    float *moved = cli_alloc(count, sizeof *moved), *ignored = cli_alloc(count, sizeof *ignored);
    double expected = 0;
    for (int side = -1; side <= 1; side += 2) {
        for (size_t i = 0; i < count; i++) moved[i] = x[i] + (float)side * step * direction[i];
        expected += side * part(context, moved, ignored) / (2 * (double)step);
    }
    free(moved);
    free(ignored);
    return fabs(found - expected);
}

/* Over the gradient's length: along +-1 everywhere, and along the gradient itself, where a short step is enough to pass few
   kinks. What is smooth allows for long ones. */
static double part_error(part_fn *part, void *context, const float *x, size_t count, float step, double *along_itself) {
    float *direction = cli_alloc(count, sizeof *direction), *gradient = cli_alloc(count, sizeof *gradient);
    double found = 0, square = 0;
    for (size_t i = 0; i < count; i++) gradient[i] = 0;
    part(context, x, gradient);
    for (size_t i = 0; i < count; i++) {
        direction[i] = (float)sign_at(21, i);
        found += (double)gradient[i] * sign_at(21, i);
        square += (double)gradient[i] * (double)gradient[i];
    }
    const double length = sqrt(square);
    const double error = direction_error(part, context, x, count, direction, found, step) / length;
    for (size_t i = 0; i < count; i++) direction[i] = (float)((double)gradient[i] / length);
    *along_itself = direction_error(part, context, x, count, direction, length, 1e-3f) / length;
    free(direction);
    free(gradient);
    return error;
}

static double penalty_of(void *context, const float *x, float *gradient) {
    float room[3 * 32 * 32];
    return noise_penalty(*(const int *)context, x, 1, gradient, room);
}

typedef struct distance_case {
    const distance *distance;
    void *state;
} distance_case;

static double distance_of(void *context, const float *x, float *gradient) {
    const distance_case *k = context;
    return k->distance->measure(k->state, x, gradient);
}

static void check_penalties(void) {
    enum { SIZE = 32 };
    float *x = test_normal(31, SIZE * SIZE);
    for (int size = 8; size <= SIZE; size *= 2) {
        for (int i = 1; i < size * size; i++) x[i] += 0.5f * x[i - 1]; /* neighbours that are alike */
        double along;
        const double error = part_error(penalty_of, &size, x, (size_t)(size * size), 1e-3f, &along);
        test_check(error < 1e-3 && along < 1e-3, "project: gradient of the noise's autocorrelation, %dx%d: %.1e, %.1e",
                   size, size, error, along);
    }
    free(x);
}

/* Within the range, whose ends are checked below. */
static float *random_picture(uint32_t seed, size_t count) {
    float *x = test_normal(seed, count);
    for (size_t i = 0; i < count; i++) x[i] = tanhf(0.5f * x[i]);
    return x;
}

static void check_distance(const distance *kind, int size, const engine *e) {
    const size_t count = 3 * (size_t)size * (size_t)size;
    float *x = random_picture(31, count), *target = random_picture(32, count);
    float *ignored = cli_alloc(count, sizeof *ignored);
    distance_case k = {kind, kind->start(target, 3, size, e)};
    const int has_kinks = kind->least_size > 0;
    double along;
    const double error = part_error(distance_of, &k, x, count, has_kinks ? 3e-5f : 1e-2f, &along);
    const double zero = kind->measure(k.state, target, ignored);
    test_check(error < (has_kinks ? 0.03 : 1e-3) && along < 1e-3 && zero >= 0 && zero < 1e-12,
               "project: gradient of the distance %s at %dx%d, %d lanes: %.1e, along itself %.1e", kind->name, size,
               size, e->lanes, error, along);
    kind->end(k.state);
    free(ignored);
    free(x);
    free(target);
}

static void check_distances(stylegan_isa isa) {
    engine e;
    if (!engine_for_one(isa, 1, &e)) cli_fail("no such instruction set");
    for (int i = 0; i < DISTANCES; i++)
        for (int size = distances[i]->least_size ? 64 : 32; size <= (distances[i]->least_size ? 128 : 32); size *= 2)
            check_distance(distances[i], size, &e);
    engine_end(&e);
}

/* A target's -1 and 1 may lie beyond; what falls short of them is far from them. */
static void check_ends(void) {
    enum { SIZE = 64, VALUES = 3 * SIZE * SIZE };
    static float target[VALUES], beyond[VALUES], within[VALUES], gradient[VALUES];
    engine e;
    if (!engine_for_one(STYLEGAN_ISA_AUTO, 1, &e)) cli_fail("no such instruction set");
    for (int i = 0; i < VALUES; i++) {
        target[i] = i % 2 ? 1 : -1;
        beyond[i] = (float)(1 + i % 5) * target[i];
        within[i] = 0.5f * target[i];
    }
    for (int i = 0; i < DISTANCES; i++) {
        void *state = distances[i]->start(target, 3, SIZE, &e);
        const double none = distances[i]->measure(state, beyond, gradient);
        const double some = distances[i]->measure(state, within, gradient);
        test_check(none >= 0 && none <= 0 && some > 0.2,
                   "project: black and white of the distance %s: beyond %g, within %g", distances[i]->name, none, some);
        distances[i]->end(state);
    }
    engine_end(&e);
}

/* --- Inversion: a picture of the network's own, from a w that the search does not know --- */

/* ws of seed 77 about w_avg; w [D] of 100 others: their mean and spread. */
static w_statistics statistics_of(const stylegan_model *model) {
    enum { SAMPLES = 100 };
    const stylegan_config *c = stylegan_describe(model);
    float *ws = test_styles(model, 40, SAMPLES);
    w_statistics s = {cli_alloc((size_t)c->w_dim, sizeof(float)), 0};
    for (int d = 0; d < c->w_dim; d++) {
        double sum = 0;
        for (int n = 0; n < SAMPLES; n++) sum += (double)ws[n * c->num_ws * c->w_dim + d] / SAMPLES;
        s.mean[d] = (float)sum;
        for (int n = 0; n < SAMPLES; n++)
            s.deviation += pow((double)ws[n * c->num_ws * c->w_dim + d] - sum, 2) / SAMPLES;
    }
    s.deviation = sqrt(s.deviation);
    free(ws);
    return s;
}

/* In decibels, of pictures from -1 to 1. */
static double psnr(const float *a, const float *b, size_t count) {
    double square = 0;
    for (size_t i = 0; i < count; i++) square += pow((double)a[i] - (double)b[i], 2) / (double)count;
    return 10 * log10(4 / square);
}

typedef struct inversion {
    const stylegan_model *model;
    weights file;
    w_statistics w;
    float *target, *ws, *image;
    size_t size;
} inversion;

static inversion start_inversion(const stylegan_model *model) {
    const stylegan_config *c = stylegan_describe(model);
    inversion v = {.model = model, .w = statistics_of(model), .size = test_image_size(c)};
    float *ws = test_styles(model, 77, 1);
    weights_read(&v.file, model);
    v.target = test_images(model, ws, 1, NULL);
    v.ws = cli_alloc((size_t)(c->num_ws * c->w_dim), sizeof *v.ws);
    v.image = cli_alloc(v.size, sizeof *v.image);
    free(ws);
    return v;
}

static void end_inversion(inversion *v) {
    weights_free(&v->file);
    free(v->w.mean);
    free(v->target);
    free(v->ws);
    free(v->image);
}

/* Leaves ws and the picture in v. */
static void invert(inversion *v, int threads, const projector_settings *settings, int tune_steps) {
    projector *p = projector_start(&v->file, stylegan_model_isa(v->model), threads, settings, &v->w, v->target);
    for (int i = 0; i < settings->steps; i++) projector_step(p);
    for (int i = 0; i < tune_steps; i++) projector_tune(p);
    projector_ws(p, v->ws);
    projector_draw(p, v->image);
    if (tune_steps) projector_write(p, &v->file);
    projector_end(p);
}

static void check_inversion(const stylegan_model *model) {
    inversion v = start_inversion(model);
    projector_settings settings = projector_defaults;
    settings.distance = distance_named("pyramid");
    settings.steps = 150;
    settings.keep_noise = 1;
    invert(&v, 2, &settings, 0);
    const double found = psnr(v.image, v.target, v.size);
    float *by_engine = test_images(model, v.ws, 1, NULL);
    test_check(found > 30, "project: an unseen w found again in %d steps: %.1f dB", settings.steps, found);
    test_check(test_difference(v.image, by_engine, v.size) < 1e-5, "project: the engine draws the w that was found");
    free(by_engine);
    end_inversion(&v);
}

static void check_threads(const char *name, const stylegan_model *model) {
    inversion v = start_inversion(model), other = start_inversion(model);
    const size_t count = (size_t)(stylegan_describe(model)->num_ws * stylegan_describe(model)->w_dim);
    projector_settings settings = projector_defaults;
    settings.distance = distance_named("pyramid");
    settings.steps = 12;
    settings.per_layer = 1;
    settings.tuning = 1;
    invert(&v, 1, &settings, 3);
    invert(&other, 3, &settings, 3);
    test_check(test_same(v.ws, other.ws, count) && test_same(v.image, other.image, v.size),
               "project %s: the same w+, noise and weights with 1 and 3 threads", name);
    settings.seed = 1;
    weights_free(&other.file);
    weights_read(&other.file, model);
    invert(&other, 1, &settings, 0);
    test_check(!test_same(v.ws, other.ws, count), "project %s: another seed, another search", name);
    end_inversion(&v);
    end_inversion(&other);
}

/* The tuned network as a weight file, in the engine. */
static void check_tuning(const char *name, const stylegan_model *model) {
    inversion v = start_inversion(model);
    projector_settings settings = projector_defaults;
    settings.distance = distance_named("pyramid");
    settings.steps = 20;
    settings.tuning = 1;
    invert(&v, 1, &settings, 0);
    const double before = psnr(v.image, v.target, v.size);
    invert(&v, 1, &settings, 20);
    const double after = psnr(v.image, v.target, v.size);
    test_file file;
    file.bytes = weights_to_memory(&v.file, STYLEGAN_F32, &file.size);
    stylegan_model *tuned = test_open(&file, stylegan_model_isa(model), 1);
    float *by_engine = test_images(tuned, v.ws, 1, NULL);
    const double difference = test_difference(v.image, by_engine, v.size);
    test_check(difference < 1e-5 && after > before,
               "project %s: the engine draws the tuned network: %.1e; PSNR %.1f, tuned %.1f", name, difference, before,
               after);
    stylegan_close(tuned);
    free(by_engine);
    free(file.bytes);
    end_inversion(&v);
}

/* --- What is refused --- */

static void check_refusals(const stylegan_model *model) {
    static const struct {
        const char *text;
        int32_t family, blocks, width, activation;
    } cases[] = {{"StyleGAN 3", 3, 5, 64, STYLEGAN_LRELU},
                 {"a mapping alone", 1, 0, 0, STYLEGAN_LRELU},
                 {"32x64, not square", 1, 5, 32, STYLEGAN_LRELU},
                 {"from 4x4", 1, 4, 64, STYLEGAN_LRELU},
                 {"activation is relu", 1, 5, 64, STYLEGAN_RELU}};
    weights w;
    weights_read(&w, model);
    const stylegan_config sound = w.config;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        w.config = sound;
        w.config.family = cases[i].family;
        w.config.blocks = cases[i].blocks;
        w.config.width = cases[i].width;
        w.config.activation = cases[i].activation;
        char *refusal = import_refusal(&w);
        test_check(refusal && strstr(refusal, cases[i].text), "project: refused: %s", refusal ? refusal : "nothing");
        free(refusal);
    }
    w.config = sound;
    weights_find(&w, "fir")->values[0] *= 2;
    char *refusal = import_refusal(&w);
    test_check(refusal && strstr(refusal, "(fir)"), "project: refused: %s", refusal ? refusal : "nothing");
    free(refusal);
    weights_free(&w);
}

static stylegan_model *open_file(const char *path) {
    stylegan_error error;
    stylegan_model *model = stylegan_open_file(path, NULL, &error);
    if (!model) cli_fail("%s", error.message);
    return model;
}

static void check_network(const char *folder, const char *name) {
    char *path = cli_format("%s/%s.sgw", folder, name);
    weights w;
    stylegan_model *model = open_file(path);
    const stylegan_config *config = stylegan_describe(model);
    weights_read(&w, model);
    char *refusal = import_refusal(&w);
    test_check(!refusal, "project %s: can be differentiated%s%s", name, refusal ? ", not: " : "",
               refusal ? refusal : "");
    for (stylegan_isa isa = test_next_isa(STYLEGAN_ISA_AUTO); !refusal && isa < STYLEGAN_ISA_COUNT;
         isa = test_next_isa(isa)) {
        check_pictures(name, model, isa);
        if (config->width <= 32) check_gradients(name, path, model, isa);
    }
    if (!refusal && config->width <= 32) check_threads(name, model);
    if (!refusal && config->width <= 32) check_tuning(name, model);
    free(refusal);
    weights_free(&w);
    stylegan_close(model);
    free(path);
}

int main(int argc, char **argv) {
    if (argc < 4) cli_fail("usage: test_project PORTRAITS.sgw FOLDER NAME...");
    stylegan_model *portraits = open_file(argv[1]);
    check_penalties();
    for (stylegan_isa isa = test_next_isa(STYLEGAN_ISA_AUTO); isa < STYLEGAN_ISA_COUNT; isa = test_next_isa(isa))
        check_distances(isa);
    check_ends();
    check_inversion(portraits);
    check_refusals(portraits);
    stylegan_close(portraits);
    for (int i = 3; i < argc; i++) check_network(argv[2], argv[i]);
    return test_end();
}
