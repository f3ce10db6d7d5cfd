/* projector.c - see projector.h. */
#include "projector.h"
#include "../base/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const projector_settings projector_defaults = {.steps = 1000,
                                               .learning_rate = 0.1,
                                               .ramp_up = 0.05,
                                               .ramp_down = 0.25,
                                               .exploration = 0.05,
                                               .exploration_ramp = 0.75,
                                               .noise_weight = 100,
                                               .tuning_rate = 0.001};

/* Numbers that Adam moves. */
typedef struct variable {
    size_t count;
    float *values, *gradient, *mean, *square;
    int size; /* of a noise map; 0: w */
} variable;

enum { MOST_VARIABLES = 2 * MOST_LEVELS + 1 };

struct projector {
    projector_settings settings;
    engine engine;
    arena arena;
    generator g;
    g_maps x, dx;
    map d_image;
    scratch scratch;
    growth at;
    int rows, num_ws; /* of w: 1, or num_ws */
    double w_deviation;
    int step;
    float *w, *moved, *image, *d_pixels, *reg;
    float *gradient; /* of the weights; NULL: they are not tuned */
    variable variables[MOST_VARIABLES];
    int variable_count;
    void *distance;
};

/* --- Start --- */

static void plan(projector *p, const weights *file) {
    const stylegan_config *c = &file->config;
    const g_maps_kind kind = p->settings.keep_noise ? G_GRADIENTS : G_NOISE_GRADIENTS;
    const size_t pixels = (size_t)c->width * (size_t)c->width, w = (size_t)(p->rows * c->w_dim);
    arena *a = &p->arena;
    import_plan(&p->g, file, &p->engine, a);
    p->x = g_maps_take(a, &p->g, G_MAPS);
    p->dx = g_maps_take(a, &p->g, kind);
    p->d_image = map_take(a, &p->engine, c->channels, c->width, 1);
    generator_scratch_fit(&p->g, &p->scratch.convolution);
    convolution_scratch_take(a, &p->scratch.convolution);
    p->w = arena_take(a, w);
    p->moved = arena_take(a, w);
    p->image = arena_take(a, pixels * (size_t)c->channels);
    p->d_pixels = arena_take(a, pixels * (size_t)c->channels);
    p->reg = arena_take(a, 3 * pixels);
    p->gradient = p->settings.tuning ? arena_take(a, p->g.net.floats) : NULL;
}

static void add_variable(projector *p, size_t count, float *values, float *gradient, int size) {
    variable *v = &p->variables[p->variable_count++];
    *v = (variable){count, values, gradient, cli_alloc(count, sizeof(float)), cli_alloc(count, sizeof(float)), size};
    memset(v->mean, 0, count * sizeof(float));
    memset(v->square, 0, count * sizeof(float));
}

static void add_variables(projector *p) {
    const size_t count = (size_t)(p->rows * p->g.w_dim);
    add_variable(p, count, p->w, cli_alloc(count, sizeof(float)), 0);
    for (int level = 0; level < p->g.levels && !p->settings.keep_noise; level++)
        for (int index = generator_first_layer(&p->g, level); index < 2; index++)
            if (!p->g.layer[level][index].quiet)
                add_variable(p, (size_t)16 << 2 * level, p->x.layer[level][index].noise,
                             p->dx.layer[level][index].noise, 4 << level);
}

projector *projector_start(const weights *file, stylegan_isa isa, int threads, const projector_settings *settings,
                           const w_statistics *w, const float *target) {
    projector *p = cli_alloc(1, sizeof *p);
    memset(p, 0, sizeof *p);
    p->settings = *settings;
    p->num_ws = file->config.num_ws;
    p->rows = settings->per_layer ? p->num_ws : 1;
    p->w_deviation = w->deviation;
    if (!engine_for_one(isa, threads, &p->engine)) cli_fail("this processor lacks the instruction set");
    plan(p, file);
    arena_allocate(&p->arena);
    plan(p, file);
    import_values(&p->g, file, &p->scratch);
    import_noise(&p->g, file, &p->x);
    p->at = import_growth(&p->g, file);
    for (int i = 0; i < p->rows * p->g.w_dim; i++) p->w[i] = w->mean[i % p->g.w_dim];
    add_variables(p);
    p->distance = settings->distance->start(target, file->config.channels, file->config.width, &p->engine);
    return p;
}

void projector_end(projector *p) {
    p->settings.distance->end(p->distance);
    free(p->variables[0].gradient);
    for (int i = 0; i < p->variable_count; i++) {
        free(p->variables[i].mean);
        free(p->variables[i].square);
    }
    arena_free(&p->arena);
    engine_end(&p->engine);
    free(p);
}

/* --- The picture and its distance, and back --- */

static int row_of(const projector *p, int level, int index) {
    return p->rows == 1 ? 0 : generator_ws_index(&p->g, level, index);
}

static double forward(projector *p, const float *w) {
    for (int level = 0; level < p->g.levels; level++)
        for (int index = generator_first_layer(&p->g, level); index < generator_layers(&p->g, level); index++) {
            const map *to = &p->x.layer[level][index].w;
            const float *from = w + row_of(p, level, index) * p->g.w_dim;
            for (int i = 0; i < p->g.w_dim; i++) to->data[map_at(to, i, 0, 0, 0)] = from[i];
        }
    generator_synthesize(&p->g, p->at, &p->x, &p->scratch);
    const map *m = generator_image(&p->x, p->at);
    float *to = p->image;
    for (int c = 0; c < m->channels; c++)
        for (int y = 0; y < m->size; y++) {
            const float *row = map_row(m, 0, c / m->lanes, y) + c % m->lanes;
            for (int x = 0; x < m->size; x++) *to++ = row[x * m->lanes];
        }
    return p->settings.distance->measure(p->distance, p->image, p->d_pixels);
}

/* gradient: of the weights, or NULL */
static void backward(projector *p, float *gradient) {
    const map *m = &p->d_image;
    const float *from = p->d_pixels;
    for (int c = 0; c < m->channels; c++)
        for (int y = 0; y < m->size; y++) {
            float *row = map_row(m, 0, c / m->lanes, y) + c % m->lanes;
            for (int x = 0; x < m->size; x++) row[x * m->lanes] = *from++;
        }
    generator_synthesize_back(&p->g, p->at, &p->x, &p->dx, m, gradient, &p->scratch);
}

static void gather_w(projector *p, float *gradient) {
    memset(gradient, 0, p->variables[0].count * sizeof *gradient);
    for (int level = 0; level < p->g.levels; level++)
        for (int index = generator_first_layer(&p->g, level); index < generator_layers(&p->g, level); index++) {
            const map *from = &p->dx.layer[level][index].w;
            float *to = gradient + row_of(p, level, index) * p->g.w_dim;
            for (int i = 0; i < p->g.w_dim; i++) to[i] += from->data[map_at(from, i, 0, 0, 0)];
        }
}

/* --- Noise --- */

/* The squared mean product of each pixel with its right or lower neighbour, around the edges; gradient += its gradient
   times weight. step: from a pixel to that neighbour. */
static double neighbour_penalty(int size, const float *noise, int downwards, float weight, float *gradient) {
    const size_t count = (size_t)size * (size_t)size, mask = (size_t)size - 1;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        const size_t next = downwards ? (i + (size_t)size) % count : (i & ~mask) | ((i + 1) & mask);
        sum += (double)noise[i] * (double)noise[next];
    }
    const double mean = sum / (double)count;
    const float share = weight * (float)(2 * mean / (double)count);
    for (size_t i = 0; i < count; i++) {
        const size_t next = downwards ? (i + (size_t)size) % count : (i & ~mask) | ((i + 1) & mask);
        gradient[i] += share * noise[next];
        gradient[next] += share * noise[i];
    }
    return mean * mean;
}

double noise_penalty(int size, const float *noise, float weight, float *gradient, float *room) {
    const size_t half = (size_t)size / 2, quarter = half * half;
    double penalty = neighbour_penalty(size, noise, 0, weight, gradient);
    penalty += neighbour_penalty(size, noise, 1, weight, gradient);
    if (size <= 8) return penalty;
    float *small = room, *d_small = room + quarter;
    memset(d_small, 0, quarter * sizeof *d_small);
    for (size_t i = 0; i < quarter; i++) {
        const float *from = noise + i / half * 2 * (size_t)size + i % half * 2;
        small[i] = 0.25f * (from[0] + from[1] + from[size] + from[size + 1]);
    }
    penalty += noise_penalty(size / 2, small, weight, d_small, room + 2 * quarter);
    for (size_t i = 0; i < quarter; i++) {
        float *to = gradient + i / half * 2 * (size_t)size + i % half * 2;
        to[0] += 0.25f * d_small[i];
        to[1] += 0.25f * d_small[i];
        to[size] += 0.25f * d_small[i];
        to[size + 1] += 0.25f * d_small[i];
    }
    return penalty;
}

/* To mean 0 and mean square 1. */
static void normalize(float *values, size_t count) {
    double sum = 0, squares = 0;
    for (size_t i = 0; i < count; i++) sum += (double)values[i];
    const double mean = sum / (double)count;
    for (size_t i = 0; i < count; i++) squares += ((double)values[i] - mean) * ((double)values[i] - mean);
    const double scale = squares > 0 ? sqrt((double)count / squares) : 1;
    for (size_t i = 0; i < count; i++) values[i] = (float)(((double)values[i] - mean) * scale);
}

/* --- Steps --- */

static void adam(variable *v, double rate, int step) {
    static const double beta1 = 0.9, beta2 = 0.999;
    const float by = (float)(rate / (1 - pow(beta1, step))), correction = (float)(1 / (1 - pow(beta2, step)));
    for (size_t i = 0; i < v->count; i++) {
        v->mean[i] += (float)(1 - beta1) * (v->gradient[i] - v->mean[i]);
        v->square[i] += (float)(1 - beta2) * (v->gradient[i] * v->gradient[i] - v->square[i]);
        v->values[i] -= by * v->mean[i] / (sqrtf(v->square[i] * correction) + 1e-8f);
    }
}

static double rate_at(const projector_settings *s, double time) {
    static const double pi = 3.14159265358979323846;
    const double down = fmin(1, (1 - time) / s->ramp_down), up = fmin(1, time / s->ramp_up);
    return s->learning_rate * up * (0.5 - 0.5 * cos(down * pi));
}

/* w and what it explores around it. */
static void move_w(projector *p, double time) {
    const projector_settings *s = &p->settings;
    const int count = p->rows * p->g.w_dim;
    const double left = fmax(0, 1 - time / s->exploration_ramp);
    const float scale = (float)(p->w_deviation * s->exploration * left * left);
    stylegan_random_normal(s->seed, 0, (uint64_t)p->step * (uint64_t)count, p->moved, count);
    for (int i = 0; i < count; i++) p->moved[i] = p->w[i] + scale * p->moved[i];
}

double projector_step(projector *p) {
    const projector_settings *s = &p->settings;
    const double time = (double)p->step / s->steps, rate = rate_at(s, time);
    move_w(p, time);
    const double found = forward(p, p->moved);
    backward(p, NULL);
    gather_w(p, p->variables[0].gradient);
    p->step++;
    for (int i = 0; i < p->variable_count; i++) {
        variable *v = &p->variables[i];
        if (v->size) noise_penalty(v->size, v->values, (float)s->noise_weight, v->gradient, p->reg);
        adam(v, rate, p->step);
        if (v->size) normalize(v->values, v->count);
    }
    return found;
}

double projector_tune(projector *p) {
    network *net = &p->g.net;
    const double found = forward(p, p->w);
    memset(p->gradient, 0, net->floats * sizeof *p->gradient);
    backward(p, p->gradient);
    for (int i = 0; i < net->count; i++)
        if (network_active(&net->parameters[i], p->at)) network_step(net, i, p->gradient, p->settings.tuning_rate);
    import_prepare(&p->g, &p->scratch);
    return found;
}

/* --- Results --- */

void projector_ws(const projector *p, float *ws) {
    for (int i = 0; i < p->num_ws * p->g.w_dim; i++) ws[i] = p->w[i % (p->rows * p->g.w_dim)];
}

double projector_draw(projector *p, float *image) {
    const double found = forward(p, p->w);
    memcpy(image, p->image,
           (size_t)p->d_image.channels * (size_t)p->d_image.size * (size_t)p->d_image.size * sizeof *image);
    return found;
}

void projector_write(const projector *p, weights *file) {
    if (p->settings.tuning) import_replace_values(&p->g, p->at, file);
    import_replace_noise(&p->g, &p->x, file);
}
