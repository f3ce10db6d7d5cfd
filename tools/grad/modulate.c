/* modulate.c - see modulate.h. */
#include "modulate.h"

#include <math.h>
#include <string.h>

static const float zeros[SHARD * 16]; /* [N][V] */

/* What belongs to image and channel of a block, [N][V]: a vector's first pixel. */
static float *of_block(const map *vector, int block) {
    return map_row(vector, 0, block, 0);
}

typedef struct modulate_job {
    const engine *e;
    const map *x, *style, *y, *d_style;
} modulate_job;

static void modulate_block(void *context, int block, int thread) {
    const modulate_job *j = context;
    (void)thread;
    for (int at = 0; at < j->x->size; at++)
        j->e->elementwise->normalize(map_row(j->y, 0, block, at), map_row(j->x, 0, block, at), j->x->size, zeros,
                                     of_block(j->style, block), zeros);
}

void modulate(const engine *e, const map *x, const map *style, const map *y) {
    modulate_job j = {e, x, style, y, NULL};
    engine_each(e, map_plane_floats(x), map_blocks(x), modulate_block, &j);
}

static void sum_block(void *context, int block, int thread) {
    const modulate_job *j = context;
    float ignored[SHARD * 16] = {0};
    (void)thread;
    for (int at = 0; at < j->x->size; at++) {
        float *dy = map_row(j->y, 0, block, at);
        j->e->elementwise->normalize_sums(dy, map_row(j->x, 0, block, at), j->x->size, zeros, ignored,
                                          of_block(j->d_style, block));
        j->e->elementwise->normalize(dy, dy, j->x->size, zeros, of_block(j->style, block), zeros);
    }
}

void modulate_gradient(const engine *e, const map *x, const map *style, const map *dy, const map *d_style) {
    modulate_job j = {e, x, style, dy, d_style};
    map_clear(d_style);
    engine_each(e, map_plane_floats(x), map_blocks(x), sum_block, &j);
}

static int columns(const convolution *c) {
    return (c->out + COLUMNS - 1) / COLUMNS * COLUMNS;
}

size_t energy_floats(const convolution *c) {
    return (size_t)(c->in * columns(c));
}

LOOPS void energy_prepare(const convolution *c, const float *weights, float *energy) {
    const size_t count = energy_floats(c);
    const float square = c->gain * c->gain;
    memset(energy, 0, count * sizeof *energy);
    for (int tap = 0; tap < c->kernel * c->kernel; tap++, weights += count)
        for (size_t i = 0; i < count; i++) energy[i] += square * weights[i] * weights[i];
}

void demodulation(const map *style, const float *energy, double gain, const map *scale) {
    enum { GROUP = COLUMNS }; /* of output channels: their sums lie together */
    const int stride = round_up(scale->channels, GROUP);
    for (int n = 0; n < style->images; n++)
        for (int first = 0; first < scale->channels; first += GROUP) {
            double sum[GROUP];
            for (int o = 0; o < GROUP; o++) sum[o] = 1e-8;
            for (int i = 0; i < style->channels; i++) {
                const double s = (double)style->data[map_at(style, i, 0, 0, n)], square = s * s;
                const float *row = energy + i * stride + first;
                for (int o = 0; o < GROUP; o++) sum[o] += square * (double)row[o];
            }
            for (int o = 0; o < GROUP && first + o < scale->channels; o++)
                scale->data[map_at(scale, first + o, 0, 0, n)] = (float)sqrt(gain * gain / sum[o]);
        }
}

static void demodulate_row(const finish *f, int block, int y, float *row, int width) {
    const demodulate *d = f->context;
    const int channel = block * f->engine->lanes;
    f->engine->elementwise->demodulate(row, width, of_block(d->scale, block), d->noise + y * width * f->engine->images,
                                       d->strength + channel, d->bias + channel, d->limit);
}

finish finish_demodulate(const demodulate *d) {
    return (finish){.row = demodulate_row, .engine = d->engine, .context = (void *)(uintptr_t)d};
}

typedef struct gradient_job {
    const demodulate *d;
    const map *a, *dy, *d_scale;
    float *d_bias, *d_strength;
} gradient_job;

static void gradient_block(void *context, int block, int thread) {
    const gradient_job *j = context;
    const demodulate *d = j->d;
    const map *a = j->a;
    const int channel = block * a->lanes;
    (void)thread;
    for (int at = 0; at < a->size; at++)
        d->engine->elementwise->demodulate_gradient(
            map_row(j->dy, 0, block, at), map_row(a, 0, block, at), a->size, of_block(d->scale, block),
            d->noise + at * a->size * a->images, d->strength + channel, d->bias + channel, d->limit,
            of_block(j->d_scale, block), j->d_bias + channel, j->d_strength + channel);
}

void demodulate_gradient(const demodulate *d, const map *a, const map *dy, const map *d_scale, float *d_bias,
                         float *d_strength) {
    gradient_job j = {d, a, dy, d_scale, d_bias, d_strength};
    map_clear(d_scale);
    engine_each(d->engine, map_plane_floats(a), map_blocks(a), gradient_block, &j);
}

/* With q = sum of style^2 * energy + 1e-8 and scale = gain / sqrt(q): dq = -scale dscale / (2 q) =
   -d_scale * scale^2 / (2 gain^2), which takes the place of d_scale. */
static void scale_to_energy(const map *scale, const map *d_scale, double gain, int n) {
    const float share = (float)(-0.5 / (gain * gain));
    for (int o = 0; o < scale->channels; o++) {
        const size_t at = map_at(scale, o, 0, 0, n);
        d_scale->data[at] = share * d_scale->data[at] * scale->data[at] * scale->data[at];
    }
}

/* sum [N] = the sum over o of dq * energy, and d_energy += square [N] * dq unless it is NULL */
LOOPS static void energy_row(const map *dq, const float *energy, const float *square, float *d_energy, float *sum) {
    const int lanes = dq->lanes;
    for (int n = 0; n < SHARD; n++) sum[n] = 0;
    for (int block = 0; block < map_blocks(dq); block++) {
        const int first = block * lanes, used = dq->channels - first < lanes ? dq->channels - first : lanes;
        const float *q = of_block(dq, block);
        if (dq->images == SHARD) /* at once: each sum waits for its last addition */
            for (int o = 0; o < used; o++)
                for (int n = 0; n < SHARD; n++) sum[n] += q[n * lanes + o] * energy[first + o];
        else
            for (int o = 0; o < used; o++) sum[0] += q[o] * energy[first + o];
        for (int n = 0; d_energy && n < dq->images; n++)
            for (int o = 0; o < used; o++) d_energy[first + o] += square[n] * q[n * lanes + o];
    }
}

LOOPS void demodulation_gradient(const convolution *c, const map *style, const float *weights, const float *energy,
                                 double gain, const map *scale, const map *d_scale, const map *d_style, float *gradient,
                                 float *d_energy) {
    const size_t count = energy_floats(c);
    if (gradient) memset(d_energy, 0, count * sizeof *d_energy);
    for (int n = 0; n < style->images; n++) scale_to_energy(scale, d_scale, gain, n);
    for (int i = 0; i < c->in; i++) {
        float square[SHARD], sum[SHARD];
        for (int n = 0; n < style->images; n++) {
            const float s = style->data[map_at(style, i, 0, 0, n)];
            square[n] = s * s;
        }
        energy_row(d_scale, energy + i * columns(c), square, gradient ? d_energy + i * columns(c) : NULL, sum);
        for (int n = 0; n < style->images; n++) {
            const size_t at = map_at(style, i, 0, 0, n);
            d_style->data[at] += 2 * style->data[at] * sum[n];
        }
    }
    for (int tap = 0; gradient && tap < c->kernel * c->kernel; tap++, weights += count, gradient += count)
        for (size_t i = 0; i < count; i++) gradient[i] += 2 * c->gain * weights[i] * d_energy[i];
}
