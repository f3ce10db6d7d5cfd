/* network.c - see network.h. */
#include "network.h"
#include "modulate.h"
#include "../base/cli.h"

#include <math.h>
#include <string.h>

int network_channels(int base, int most, int resolution) {
    return base / resolution < most ? base / resolution : most;
}

int growth_fades(growth g) {
    return g.top > 0 && g.fade < 1;
}

int padded(int columns) {
    return (columns + COLUMNS - 1) / COLUMNS * COLUMNS;
}

static size_t parameter_floats(const parameter *p) {
    return (size_t)(p->rows * p->groups * padded(p->columns));
}

int network_add(network *n, const char *name, int rows, int groups, int columns, double gain, double deviation,
                double mean, int level, int image) {
    if (n->count == MOST_PARAMETERS) cli_fail("more than %d tensors in a network", MOST_PARAMETERS);
    parameter *p = &n->parameters[n->count];
    *p = (parameter){.rows = rows,
                     .groups = groups,
                     .columns = columns,
                     .gain = (float)gain,
                     .deviation = (float)deviation,
                     .mean = (float)mean,
                     .level = level,
                     .image = image,
                     .offset = n->floats};
    snprintf(p->name, sizeof p->name, "%s", name);
    n->floats += parameter_floats(p);
    return n->count++;
}

/* He's initialisation at run time: gain / sqrt(fan in). With a learning rate multiplier m, values are 1 / m times as
   large and the gain m times: the same outputs, m times smaller relative steps. */
linear *network_add_linear(network *n, arena *a, const char *name, convolution_kind kind, int kernel, int in, int out,
                           int size, double gain, double rate, int level, int image) {
    if (n->linear_count == MOST_LINEARS) cli_fail("more than %d layers in a network", MOST_LINEARS);
    linear *l = &n->linears[n->linear_count++];
    char text[64];
    const int taps = kernel * kernel;
    const double he = gain / sqrt((double)taps * in);
    l->c = convolution_take(a, n->engine, kind, kernel, in, out, size, he * rate);
    snprintf(text, sizeof text, "%s.weight", name);
    l->weight = network_add(n, text, taps * in, 1, out, he * rate, 1 / rate, 0, level, image);
    snprintf(text, sizeof text, "%s.bias", name);
    l->bias = network_add(n, text, 1, 1, out, rate, 0, 0, level, image);
    l->used_bias = arena_take(a, (size_t)padded(out));
    return l;
}

void network_allocate(network *n, arena *a) {
    n->values = arena_take(a, n->floats);
    n->squares = arena_take(a, n->floats);
}

void network_initialize(network *n, uint64_t seed) {
    for (int i = 0; i < n->count; i++) {
        const parameter *p = &n->parameters[i];
        float *row = network_value(n, i);
        for (int r = 0; r < p->rows * p->groups; r++, row += padded(p->columns)) {
            stylegan_random_normal(seed, (uint32_t)i, (uint64_t)r * (uint64_t)padded(p->columns), row, p->columns);
            for (int c = 0; c < p->columns; c++) row[c] = p->mean + p->deviation * row[c];
        }
    }
}

int network_active(const parameter *p, growth g) {
    if (!p->image) return p->level <= g.top;
    return p->level == g.top || (p->level == g.top - 1 && g.fade < 1);
}

size_t network_floats(const network *n, int i) {
    return parameter_floats(&n->parameters[i]);
}

float *network_at(const network *n, float *values, int i) {
    return values + n->parameters[i].offset;
}

float *network_value(const network *n, int i) {
    return network_at(n, n->values, i);
}

void network_prepare(const network *n, int i, growth g, const convolution_scratch *s) {
    const linear *l = &n->linears[i];
    const parameter *bias = &n->parameters[l->bias];
    if (!network_active(bias, g)) return;
    convolution_prepare(&l->c, network_value(n, l->weight), s);
    if (l->energy) energy_prepare(&l->c, network_value(n, l->weight), l->energy);
    for (size_t o = 0; o < parameter_floats(bias); o++) l->used_bias[o] = bias->gain * network_value(n, l->bias)[o];
}

void network_tell_final(const scratch *s, int level) {
    if (s->level_final) s->level_final(s->context, level);
}

/* With beta1 = 0 the first moment is the gradient itself. Every parameter counts its own steps, so that a new block's
   first ones are corrected as at the beginning of the training. */
LOOPS void network_step(network *n, int i, const float *gradients, double rate) {
    static const double beta2 = 0.99;
    parameter *p = &n->parameters[i];
    p->steps++;
    float *restrict value = network_value(n, i), *restrict square = network_at(n, n->squares, i);
    const float *restrict from = gradients + p->offset;
    const float decay = (float)beta2, correction = (float)(1 / (1 - pow(beta2, (double)p->steps))), step = (float)rate;
    const float gain = p->gain;
    const size_t count = parameter_floats(p);
    for (size_t k = 0; k < count; k += COLUMNS) { /* rows are padded */
        FETCH_AHEAD(value + k);
        FETCH_AHEAD(square + k);
        for (size_t j = k; j < k + COLUMNS; j++) {
            const float gradient = gain * from[j];
            square[j] = decay * square[j] + (1 - decay) * gradient * gradient;
            value[j] -= step * gradient / (sqrtf(square[j] * correction) + 1e-8f);
        }
    }
}

LOOPS void network_average(const network *n, int i, float share, float *averages) {
    const float *restrict value = network_value(n, i);
    float *restrict average = network_at(n, averages, i);
    const size_t count = network_floats(n, i);
    for (size_t k = 0; k < count; k++) average[k] += share * (value[k] - average[k]);
}
