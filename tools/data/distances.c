/* distances.c - see distances.h. */
#include "distances.h"
#include "../base/cli.h"
#include "factors.h"
#include "recognition.h"

#include <stdlib.h>
#include <string.h>

/* --- The pyramid, and what the network of factors sees --- */

static const float WEIGHT = 0.1f; /* of its features' squared difference, in the square of the target's */

typedef struct sight {
    void *pyramid;
    int size;
    arena arena;
    recognizer network;
    recognizer_maps x, dx;
    convolution_scratch scratch;
    float target[RECOGNIZER_FEATURES];
    float weight;
} sight;

static void see(const sight *s, const float *image) {
    recognizer_load_image(&s->x, 0, image, s->size);
    recognizer_forward(&s->network, &s->x, &s->scratch);
}

static size_t feature_at(const sight *s, int i) {
    return map_at(&s->x.features, i, 0, 0, 0);
}

static void plan(sight *s, const engine *e) {
    recognizer_plan(&s->network, factor_outputs(), e, &s->arena);
    s->x = recognizer_maps_take(&s->arena, &s->network);
    s->dx = recognizer_maps_take(&s->arena, &s->network);
    recognizer_scratch_fit(&s->network, &s->scratch);
    convolution_scratch_take(&s->arena, &s->scratch);
}

static void *start(const float *target, int channels, int size, const engine *e) {
    sight *s = cli_alloc(1, sizeof *s);
    float square = 0;
    memset(s, 0, sizeof *s);
    s->pyramid = distance_pyramid.start(target, channels, size, e);
    s->size = size;
    plan(s, e);
    arena_allocate(&s->arena);
    plan(s, e);
    recognition_parameters(&s->network, &s->scratch);
    see(s, target);
    for (int i = 0; i < RECOGNIZER_FEATURES; i++) {
        s->target[i] = s->x.features.data[feature_at(s, i)];
        square += s->target[i] * s->target[i];
    }
    s->weight = square > 0 ? WEIGHT / square : 0;
    return s;
}

static double measure(void *state, const float *image, float *gradient) {
    const sight *s = state;
    double square = 0;
    see(s, image);
    for (int i = 0; i < RECOGNIZER_FEATURES; i++) {
        const float difference = s->x.features.data[feature_at(s, i)] - s->target[i];
        s->dx.features.data[feature_at(s, i)] = 2 * s->weight * difference;
        square += (double)difference * (double)difference;
    }
    recognizer_backward_picture(&s->network, &s->x, &s->dx, &s->scratch);
    const double pixels = distance_pyramid.measure(s->pyramid, image, gradient);
    recognizer_image_gradient(&s->dx, 0, image, s->size, gradient);
    return pixels + (double)s->weight * square;
}

static void end(void *state) {
    sight *s = state;
    distance_pyramid.end(s->pyramid);
    arena_free(&s->arena);
    free(s);
}

static const distance distance_factors = {"factors", RECOGNIZER_SIZE, start, measure, end};

/* --- The table --- */

const distance *const distances[DISTANCES] = {&distance_pyramid, &distance_pixels, &distance_factors};

const distance *distance_named(const char *name) {
    for (int i = 0; i < DISTANCES; i++)
        if (strcmp(distances[i]->name, name) == 0) return distances[i];
    return NULL;
}
