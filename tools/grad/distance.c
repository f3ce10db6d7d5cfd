/* distance.c - see distance.h. */
#include "distance.h"
#include "../base/cli.h"

#include <stdlib.h>
#include <string.h>

/* --- Pixels, at one or many resolutions: sum over the levels of the mean squared difference of averaged pixels --- */

enum { MOST_SIZES = 12, COARSEST = 4 };

typedef struct pyramid {
    int channels, size, levels;
    float *target;
    float *difference[MOST_SIZES]; /* [C][S >> level][S >> level], then its gradient */
} pyramid;

static size_t floats_of(const pyramid *p, int level) {
    const size_t size = (size_t)(p->size >> level);
    return (size_t)p->channels * size * size;
}

static pyramid *start(const float *target, int channels, int size, int coarsest) {
    pyramid *p = cli_alloc(1, sizeof *p);
    *p = (pyramid){.channels = channels, .size = size};
    for (int at = size; at >= coarsest && p->levels < MOST_SIZES; at /= 2, p->levels++)
        p->difference[p->levels] = cli_alloc(floats_of(p, p->levels), sizeof(float));
    p->target = cli_alloc(floats_of(p, 0), sizeof(float));
    memcpy(p->target, target, floats_of(p, 0) * sizeof(float));
    return p;
}

static void *start_pixels(const float *target, int channels, int size, const engine *e) {
    (void)e;
    return start(target, channels, size, size);
}

static void *start_pyramid(const float *target, int channels, int size, const engine *e) {
    (void)e;
    return start(target, channels, size, COARSEST);
}

/* Averages of 2x2 pixels; rows of all channels follow each other. */
static void average(const float *from, int rows, int columns, float *to) {
    for (int y = 0; y < rows; y++, from += 4 * columns)
        for (int x = 0; x < columns; x++, to++)
            *to = 0.25f * (from[2 * x] + from[2 * x + 1] + from[2 * columns + 2 * x] + from[2 * columns + 2 * x + 1]);
}

static void average_back(const float *from, int rows, int columns, float *to) {
    for (int y = 0; y < rows; y++, to += 4 * columns)
        for (int x = 0; x < columns; x++, from++) {
            const float share = 0.25f * *from;
            to[2 * x] += share;
            to[2 * x + 1] += share;
            to[2 * columns + 2 * x] += share;
            to[2 * columns + 2 * x + 1] += share;
        }
}

/* The mean square of d, which becomes its gradient. */
static double mean_square(float *d, size_t count) {
    const float share = 2 / (float)count;
    double sum = 0;
    for (size_t i = 0; i < count; i++) {
        sum += (double)d[i] * (double)d[i];
        d[i] *= share;
    }
    return sum / (double)count;
}

/* A picture's black and white stand for all that lies beyond them, too. */
static float difference_of(float value, float target) {
    if ((target >= 1 && value > target) || (target <= -1 && value < target)) return 0;
    return value - target;
}

static double measure(void *state, const float *image, float *gradient) {
    pyramid *p = state;
    double total = 0;
    for (size_t i = 0; i < floats_of(p, 0); i++) p->difference[0][i] = difference_of(image[i], p->target[i]);
    for (int l = 1; l < p->levels; l++)
        average(p->difference[l - 1], p->channels * (p->size >> l), p->size >> l, p->difference[l]);
    for (int l = p->levels - 1; l >= 0; l--) {
        total += mean_square(p->difference[l], floats_of(p, l));
        if (l < p->levels - 1)
            average_back(p->difference[l + 1], p->channels * (p->size >> (l + 1)), p->size >> (l + 1),
                         p->difference[l]);
    }
    memcpy(gradient, p->difference[0], floats_of(p, 0) * sizeof *gradient);
    return total;
}

static void end(void *state) {
    pyramid *p = state;
    for (int l = 0; l < p->levels; l++) free(p->difference[l]);
    free(p->target);
    free(p);
}

const distance distance_pyramid = {"pyramid", 0, start_pyramid, measure, end};
const distance distance_pixels = {"pixels", 0, start_pixels, measure, end};
