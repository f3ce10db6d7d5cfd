/* modulate.c - see modulate.h. */
#include "modulate.h"

#include <math.h>
#include <string.h>

static const float zeros[SHARD * 16]; /* [N][V] */

/* What belongs to image and channel of a block, [N][V]: a vector's first pixel. */
static float *of_block(const map *vector, int block) {
    return map_row(vector, 0, block, 0);
}

void modulate(const engine *e, const map *x, const map *style, const map *y) {
    for (int block = 0; block < map_blocks(x); block++)
        for (int at = 0; at < x->size; at++)
            e->elementwise->normalize(map_row(y, 0, block, at), map_row(x, 0, block, at), x->size, zeros,
                                      of_block(style, block), zeros);
}

void modulate_gradient(const engine *e, const map *x, const map *style, const map *dy, const map *d_style) {
    float ignored[SHARD * 16] = {0};
    map_clear(d_style);
    for (int block = 0; block < map_blocks(x); block++)
        for (int at = 0; at < x->size; at++)
            e->elementwise->normalize_sums(map_row(dy, 0, block, at), map_row(x, 0, block, at), x->size, zeros, ignored,
                                           of_block(d_style, block));
    modulate(e, dy, style, dy);
}

static int columns(const convolution *c) {
    return (c->out + COLUMNS - 1) / COLUMNS * COLUMNS;
}

size_t energy_floats(const convolution *c) {
    return (size_t)(c->in * columns(c));
}

void energy_prepare(const convolution *c, const float *weights, float *energy) {
    const size_t count = energy_floats(c);
    const float square = c->gain * c->gain;
    memset(energy, 0, count * sizeof *energy);
    for (int tap = 0; tap < c->kernel * c->kernel; tap++, weights += count)
        for (size_t i = 0; i < count; i++) energy[i] += square * weights[i] * weights[i];
}

void demodulation(const map *style, const float *energy, const map *scale) {
    const int stride = (scale->channels + COLUMNS - 1) / COLUMNS * COLUMNS;
    for (int n = 0; n < SHARD; n++)
        for (int o = 0; o < scale->channels; o++) {
            double sum = 1e-8;
            for (int i = 0; i < style->channels; i++) {
                const double s = (double)style->data[map_at(style, i, 0, 0, n)];
                sum += s * s * (double)energy[i * stride + o];
            }
            scale->data[map_at(scale, o, 0, 0, n)] = (float)sqrt(2 / sum);
        }
}

static void demodulate_row(const finish *f, int block, int y, float *row, int width) {
    const demodulate *d = f->context;
    const int channel = block * f->engine->lanes;
    f->engine->elementwise->demodulate(row, width, of_block(d->scale, block), d->noise + y * width * SHARD,
                                       d->strength + channel, d->bias + channel);
}

finish finish_demodulate(const demodulate *d) {
    return (finish){.row = demodulate_row, .engine = d->engine, .context = (void *)(uintptr_t)d};
}

void demodulate_gradient(const demodulate *d, const map *a, const map *dy, const map *d_scale, float *d_bias,
                         float *d_strength) {
    map_clear(d_scale);
    for (int block = 0; block < map_blocks(a); block++)
        for (int at = 0; at < a->size; at++) {
            const int channel = block * d->engine->lanes;
            d->engine->elementwise->demodulate_gradient(
                map_row(dy, 0, block, at), map_row(a, 0, block, at), a->size, of_block(d->scale, block),
                d->noise + at * a->size * SHARD, d->strength + channel, d->bias + channel, of_block(d_scale, block),
                d_bias + channel, d_strength + channel);
        }
}

/* With q = sum of style^2 * energy + 1e-8 and scale = sqrt(2 / q): dq = -scale dscale / (2 q) = -d_scale * scale^2 / 4. */
void demodulation_gradient(const convolution *c, const map *style, const float *weights, const float *energy,
                           const map *scale, const map *d_scale, const map *d_style, float *gradient, float *d_energy) {
    const size_t count = energy_floats(c);
    memset(d_energy, 0, count * sizeof *d_energy);
    for (int n = 0; n < SHARD; n++)
        for (int i = 0; i < c->in; i++) {
            const float s = style->data[map_at(style, i, 0, 0, n)];
            float sum = 0;
            for (int o = 0; o < c->out; o++) {
                const size_t at = map_at(scale, o, 0, 0, n);
                const float dq = -d_scale->data[at] * scale->data[at] * scale->data[at] / 4;
                sum += dq * energy[i * columns(c) + o];
                d_energy[i * columns(c) + o] += s * s * dq;
            }
            d_style->data[map_at(d_style, i, 0, 0, n)] += 2 * s * sum;
        }
    for (int tap = 0; tap < c->kernel * c->kernel; tap++, weights += count, gradient += count)
        for (size_t i = 0; i < count; i++) gradient[i] += 2 * c->gain * weights[i] * d_energy[i];
}
