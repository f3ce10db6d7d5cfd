/* layers.c - maps, and what happens to them between convolutions; see layers.h. */
#define STYLEGAN_KERNELS
#include "../../stylegan.h"
#include "layers.h"
#include "../base/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

int round_up(int n, int to) {
    return (n + to - 1) / to * to;
}

/* --- The instruction set --- */

static const engine *find_engine(stylegan_isa isa, int mixed) {
    static engine engines[2][STYLEGAN_ISA_COUNT];
    const sg__kernels *k = sg__find_kernels(isa);
    if (!k || (mixed && !k->multiply)) return NULL;
    engine *e = &engines[mixed][isa];
    *e = (engine){k->lanes, k->vectors, SHARD, 1, k, elementwise_for(k->lanes, SHARD), k->isa, mixed, NULL, 0};
    return e->elementwise ? e : NULL;
}

const engine *engine_for(stylegan_isa isa) {
    return find_engine(isa, 0);
}

const engine *engine_for_mixed(stylegan_isa isa) {
    return find_engine(isa, 1);
}

int engine_for_one(stylegan_isa isa, int threads, engine *e) {
    enum { WORTH_WAKING = 1 << 17 }; /* which takes as long as some ten thousand floats */
    const engine *shards = engine_for(isa);
    if (!shards) return 0;
    *e = *shards;
    e->images = 1;
    e->worth_waking = WORTH_WAKING;
    e->elementwise = elementwise_for(e->lanes, 1);
    e->threads = threads;
    if (threads > 1) e->pool = pool_start(threads);
    return 1;
}

void engine_end(engine *e) {
    if (e->pool) pool_end(e->pool);
    e->pool = NULL;
}

void engine_each(const engine *e, size_t floats, int items, pool_item *run, void *context) {
    if (e->pool && items > 1 && floats >= e->worth_waking)
        pool_run(e->pool, items, run, context);
    else
        for (int i = 0; i < items; i++) run(context, i, 0);
}

/* --- Memory --- */

float *arena_take(arena *a, size_t count) {
    float *at = a->base ? a->base + a->used : NULL;
    a->used += (count + COLUMNS - 1) / COLUMNS * COLUMNS;
    return at;
}

void arena_allocate(arena *a) {
    enum { ALIGNMENT = 64 };
    const size_t size = a->used * sizeof(float);
    unsigned char *memory = cli_alloc(size + COLUMNS * sizeof(float) + ALIGNMENT, 1);
    unsigned char *base = memory + (ALIGNMENT - (uintptr_t)memory % ALIGNMENT) % ALIGNMENT;
    memset(base, 0, size);
    *a = (arena){(float *)base, 0, memory};
}

void arena_free(arena *a) {
    free(a->memory);
    *a = (arena){0};
}

/* --- Feature maps --- */

int map_blocks(const map *m) {
    return (m->channels + m->lanes - 1) / m->lanes;
}

size_t map_row_floats(const map *m) {
    return (size_t)((m->size + 2) * m->images * m->lanes);
}

size_t map_block_floats(const map *m) {
    return map_row_floats(m) * (size_t)(m->size + 2);
}

size_t map_plane_floats(const map *m) {
    return map_block_floats(m) * (size_t)map_blocks(m);
}

map map_take(arena *a, const engine *e, int channels, int size, int planes) {
    map m = {NULL, channels, size, planes, e->lanes, e->images};
    m.data = arena_take(a, map_plane_floats(&m) * (size_t)planes);
    return m;
}

float *map_row(const map *m, int plane, int block, int y) {
    return m->data + map_plane_floats(m) * (size_t)plane + map_block_floats(m) * (size_t)block +
           map_row_floats(m) * (size_t)(y + 1) + m->images * m->lanes;
}

size_t map_at(const map *m, int channel, int y, int x, int n) {
    const size_t pixel = (size_t)(((y + 1) * (m->size + 2) + x + 1) * m->images + n);
    return map_block_floats(m) * (size_t)(channel / m->lanes) + pixel * (size_t)m->lanes + (size_t)(channel % m->lanes);
}

void map_clear(const map *m) {
    memset(m->data, 0, map_plane_floats(m) * (size_t)m->planes * sizeof(float));
}

/* --- What finishes a row --- */

static void activate_row(const finish *f, int block, int y, float *row, int width) {
    (void)y;
    f->engine->elementwise->activate(row, width * f->engine->images, f->bias + block * f->engine->lanes, f->slope);
}

finish finish_activate(const engine *e, const float *bias, float slope) {
    return (finish){.row = activate_row, .engine = e, .bias = bias, .slope = slope};
}

static void mask_row(const finish *f, int block, int y, float *row, int width) {
    float ignored[COLUMNS] = {0};
    f->engine->elementwise->mask(row, map_row(f->mask, 0, block, y), width * f->engine->images,
                                 f->sum ? f->sum + block * f->engine->lanes : ignored);
}

finish finish_mask(const engine *e, const map *mask, float *sum) {
    return (finish){.row = mask_row, .engine = e, .mask = mask, .sum = sum};
}

static void join_row(const finish *f, int block, int y, float *row, int width) {
    static const float none[COLUMNS];
    f->engine->elementwise->join(row, map_row(f->other, 0, block, y), width * f->engine->images,
                                 f->bias ? f->bias + block * f->engine->lanes : none, f->share);
}

finish finish_join(const engine *e, const float *bias, const map *y, float share) {
    return (finish){.row = join_row, .engine = e, .bias = bias, .other = y, .share = share};
}

static void add_doubled_row(const finish *f, int block, int y, float *row, int width) {
    f->engine->elementwise->add_doubled(row, map_row(f->other, 0, block, y / 2), width, f->share);
    if (f->mask) mask_row(f, block, y, row, width);
}

finish finish_add_doubled(const engine *e, const map *half, float factor, const map *mask, float *sum) {
    return (finish){.row = add_doubled_row, .engine = e, .mask = mask, .sum = sum, .other = half, .share = factor};
}

static void add_row(const finish *f, int block, int y, float *row, int width) {
    f->engine->elementwise->add(row, map_row(f->other, 0, block, y), f->share,
                                (size_t)(width * f->engine->images * f->engine->lanes));
}

finish finish_add(const engine *e, const map *other, float share) {
    return (finish){.row = add_row, .engine = e, .other = other, .share = share};
}

/* --- Blur --- */

/* Row y of a map that lies in four planes: its even (0) or odd (1) columns. */
static float *plane_row(const map *planes, int block, int y, int odd) {
    return map_row(planes, 2 * (y & 1) + odd, block, (y - (y & 1)) / 2);
}

/* What one thread does of an operator: a channel block. */
typedef struct block_job {
    const engine *e;
    const map *x, *y, *dy;
    int beyond;
    const finish *f;
    const adain *norm;
    const float *noise;
    float *d_bias, *d_strength;
} block_job;

static void each_block(const block_job *j, const map *m, pool_item *run) {
    engine_each(j->e, map_plane_floats(m) * (size_t)m->planes, map_blocks(m), run, (void *)(uintptr_t)j);
}

void blur_split_row(const engine *e, const map *x, int block, int y, int beyond, float *even, float *odd) {
    const float *const rows[3] = {map_row(x, 0, block, y < 0 ? y : y - 1), map_row(x, 0, block, y),
                                  map_row(x, 0, block, y < x->size ? y + 1 : y)};
    e->elementwise->blur_split(rows, x->size / 2, beyond, even, odd);
}

static void split_block(void *context, int block, int thread) {
    const block_job *j = context;
    const map *x = j->x, *planes = j->y;
    const int first = j->beyond ? -1 : 0;
    (void)thread;
    for (int y = first; y < x->size - first; y++) /* what lies outside the map is as zero as its border */
        blur_split_row(j->e, x, block, y, j->beyond, plane_row(planes, block, y, 0), plane_row(planes, block, y, 1));
}

void blur_split(const engine *e, const map *x, const map *planes, int beyond) {
    const block_job j = {.e = e, .x = x, .y = planes, .beyond = beyond};
    each_block(&j, x, split_block);
}

static void join_block(void *context, int block, int thread) {
    const block_job *j = context;
    const map *planes = j->x, *y = j->y;
    (void)thread;
    for (int at = 0; at < y->size; at++) {
        float *out = map_row(y, 0, block, at);
        const float *rows[2][3];
        for (int i = 0; i < 6; i++) rows[i % 2][i / 2] = plane_row(planes, block, at - 1 + i / 2, i % 2);
        j->e->elementwise->blur_join(rows[0], rows[1], planes->size, out);
        if (j->f) j->f->row(j->f, block, at, out, y->size);
    }
}

void blur_join(const engine *e, const map *planes, const map *y, const finish *f) {
    const block_job j = {.e = e, .x = planes, .y = y, .f = f};
    each_block(&j, y, join_block);
}

/* Every pixel is in all four planes. */
static void double_block(void *context, int block, int thread) {
    const block_job *j = context;
    (void)thread;
    for (int at = 0; at < j->y->size; at++) {
        float *out = map_row(j->y, 0, block, at);
        const float *rows[3];
        for (int i = 0; i < 3; i++) rows[i] = map_row(j->x, 0, block, (at + 1 + i) / 2 - 1);
        j->e->elementwise->blur_join(rows, rows, j->x->size, out);
        if (j->f) j->f->row(j->f, block, at, out, j->y->size);
    }
}

void blur_double(const engine *e, const map *x, const map *y, const finish *f) {
    const block_job j = {.e = e, .x = x, .y = y, .f = f};
    each_block(&j, y, double_block);
}

/* The sum of the planes, of which a row is kept at a time. */
static void halve_block(void *context, int block, int thread) {
    const block_job *j = context;
    const map *x = j->x, *planes = j->dy, *y = j->y;
    const size_t count = (size_t)(y->size * y->images * y->lanes);
    float *part[MOST_PLANES];
    (void)thread;
    for (int i = 0; i < MOST_PLANES; i++) part[i] = map_row(planes, i, block, 0);
    for (int at = 0; at < y->size; at++) {
        float *out = map_row(y, 0, block, at);
        for (int odd = 0; odd < 2; odd++)
            blur_split_row(j->e, x, block, 2 * at + odd, 0, part[2 * odd], part[2 * odd + 1]);
        memcpy(out, part[0], count * sizeof *out);
        for (int i = 1; i < MOST_PLANES; i++) j->e->elementwise->add(out, part[i], 1, count);
    }
}

void blur_halve(const engine *e, const map *x, const map *planes, const map *y) {
    const block_job j = {.e = e, .x = x, .y = y, .dy = planes};
    each_block(&j, x, halve_block);
}

/* --- Pooling, blending, sums --- */

void map_pool(const engine *e, const map *x, const map *y, float factor) {
    const size_t pixel = (size_t)(e->images * e->lanes), row = map_row_floats(x);
    const float weight[4] = {factor, factor, factor, factor};
    for (int block = 0; block < map_blocks(y); block++)
        for (int i = 0; i < y->size * y->size; i++) {
            const float *from = map_row(x, 0, block, i / y->size * 2) + pixel * (size_t)(i % y->size * 2);
            const float *const source[4] = {from, from + pixel, from + row, from + row + pixel};
            float *to = map_row(y, 0, block, i / y->size) + pixel * (size_t)(i % y->size);
            ((const sg__kernels *)e->kernels)->weighted_sum(to, (int)pixel, source, weight, 4);
        }
}

void map_unpool(const engine *e, const map *x, const map *y, float previous, float factor) {
    const size_t pixel = (size_t)(e->images * e->lanes);
    const float weight[2] = {factor, previous};
    for (int block = 0; block < map_blocks(y); block++)
        for (int i = 0; i < y->size * y->size; i++) {
            float *to = map_row(y, 0, block, i / y->size) + pixel * (size_t)(i % y->size);
            const float *from = map_row(x, 0, block, i / y->size / 2) + pixel * (size_t)(i % y->size / 2);
            const float *const source[2] = {from, to};
            ((const sg__kernels *)e->kernels)->weighted_sum(to, (int)pixel, source, weight, 2);
        }
}

void map_blend(const engine *e, const map *a, float share_a, const map *b, float share_b, const map *y) {
    const float weight[2] = {share_a, share_b};
    const float *const source[2] = {a->data, b->data};
    ((const sg__kernels *)e->kernels)->weighted_sum(y->data, (int)map_plane_floats(y), source, weight, 2);
}

void map_scale(const engine *e, const map *x, float t, const map *y) {
    const float *const source[1] = {x->data};
    ((const sg__kernels *)e->kernels)->weighted_sum(y->data, (int)map_plane_floats(y), source, &t, 1);
}

void map_scale_mask(const engine *e, const map *x, float t, const map *mask, const map *y, float *sum) {
    const finish f = finish_mask(e, mask, sum);
    map_scale(e, x, t, y);
    map_finish(y, &f);
}

void map_fork(const engine *e, const map *dy, float share, const map *y, const map *a, float *sum_a, const map *b,
              float *sum_b) {
    for (int block = 0; block < map_blocks(dy); block++)
        for (int row = 0; row < dy->size; row++) {
            float ignored[COLUMNS] = {0};
            const int channel = block * e->lanes;
            e->elementwise->fork(map_row(a, 0, block, row), map_row(b, 0, block, row), map_row(dy, 0, block, row),
                                 map_row(y, 0, block, row), dy->size * e->images, share,
                                 sum_a ? sum_a + channel : ignored, sum_b ? sum_b + channel : ignored);
        }
}

void map_sum(const engine *e, const map *x, float *sum) {
    for (int block = 0; block < map_blocks(x); block++)
        for (int y = 0; y < x->size; y++)
            e->elementwise->sum(map_row(x, 0, block, y), x->size * e->images, sum + block * e->lanes);
}

double map_square(const map *x) {
    double sum = 0;
    for (size_t i = 0; i < map_plane_floats(x); i++) sum += (double)x->data[i] * (double)x->data[i];
    return sum;
}

void noise_gradient(const engine *e, const map *dx, const float *factor, float *d_noise) {
    for (int y = 0; y < dx->size; y++)
        e->elementwise->dot(d_noise + y * dx->size * e->images, map_row(dx, 0, 0, y), map_block_floats(dx),
                            map_blocks(dx), factor, dx->size);
}

void map_unclamp(const engine *e, const map *dy, const map *y, float limit, const map *to) {
    e->elementwise->unclamp(to->data, dy->data, y->data, (int)(map_plane_floats(y) / (size_t)e->lanes), limit);
}

void map_clamp(const engine *e, const map *x, float limit) {
    e->elementwise->clamp(x->data, (int)(map_plane_floats(x) / (size_t)e->lanes), limit);
}

void map_add(const engine *e, const map *x, const map *y) {
    e->elementwise->add(y->data, x->data, 1, map_plane_floats(y));
}

static void finish_block(void *context, int block, int thread) {
    const block_job *j = context;
    (void)thread;
    for (int y = 0; y < j->x->size; y++) j->f->row(j->f, block, y, map_row(j->x, 0, block, y), j->x->size);
}

void map_finish(const map *x, const finish *f) {
    const block_job j = {.e = f->engine, .x = x, .f = f};
    each_block(&j, x, finish_block);
}

void map_flatten(const map *x, const map *y) {
    for (int c = 0; c < x->channels; c++)
        for (int p = 0; p < x->size * x->size; p++)
            for (int n = 0; n < x->images; n++)
                y->data[map_at(y, p * x->channels + c, 0, 0, n)] = x->data[map_at(x, c, p / x->size, p % x->size, n)];
}

void map_unflatten(const map *x, const map *y, const finish *f) {
    for (int c = 0; c < y->channels; c++)
        for (int p = 0; p < y->size * y->size; p++)
            for (int n = 0; n < x->images; n++)
                y->data[map_at(y, c, p / y->size, p % y->size, n)] = x->data[map_at(x, p * y->channels + c, 0, 0, n)];
    map_finish(y, f);
}

/* --- The generator's epilogue and AdaIN --- */

adain adain_take(arena *a, const engine *e, int channels) {
    const size_t floats = (size_t)(round_up(channels, e->lanes) * e->images);
    adain n;
    float **const parts[] = {&n.mean, &n.deviation, &n.scale, &n.shift, &n.slope, &n.sum, &n.product};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) *parts[i] = arena_take(a, floats);
    return n;
}

void epilogue_reset(const epilogue *p, int channels) {
    const size_t bytes = (size_t)(round_up(channels, p->engine->lanes) * p->engine->images) * sizeof(float);
    memset(p->moments->mean, 0, bytes);
    memset(p->moments->deviation, 0, bytes);
}

static void epilogue_row(const finish *f, int block, int y, float *row, int width) {
    const epilogue *p = f->context;
    const int channel = block * f->engine->lanes;
    f->engine->elementwise->epilogue(row, width, p->noise + y * width * f->engine->images, p->strength + channel,
                                     p->bias + channel, y, p->moments->mean + channel * f->engine->images,
                                     p->moments->deviation + channel * f->engine->images);
}

finish finish_epilogue(const epilogue *p) {
    return (finish){.row = epilogue_row, .engine = p->engine, .context = (void *)(uintptr_t)p};
}

/* Where style [2 * C rounded up][1][1] has the scale of a channel; the shift is `shift` floats further on. */
static size_t style_at(const map *style, int channel, int n) {
    return map_at(style, channel, 0, 0, n);
}

static void normalize_block(void *context, int block, int thread) {
    const block_job *j = context;
    const int first = block * j->e->images * j->e->lanes;
    (void)thread;
    for (int at = 0; at < j->x->size; at++)
        j->e->elementwise->normalize(map_row(j->y, 0, block, at), map_row(j->x, 0, block, at), j->x->size,
                                     j->norm->mean + first, j->norm->scale + first, j->norm->shift + first);
}

void adain_forward(const engine *e, const adain *n, const map *a, const map *style, const map *y) {
    const int lanes = e->lanes, half = style->channels / 2;
    const double pixels = (double)a->size * a->size;
    for (int i = 0; i < map_blocks(a) * e->images * lanes; i++) {
        const int channel = i / (e->images * lanes) * lanes + i % lanes, image = i / lanes % e->images;
        const double deviation = sqrt((double)n->deviation[i] / pixels + 1e-8);
        n->scale[i] = (float)((1 + (double)style->data[style_at(style, channel, image)]) / deviation);
        n->shift[i] = style->data[style_at(style, half + channel, image)];
    }
    const block_job j = {.e = e, .x = a, .y = y, .norm = n};
    each_block(&j, a, normalize_block);
}

static void sum_block(void *context, int block, int thread) {
    const block_job *j = context;
    const int first = block * j->e->images * j->e->lanes;
    (void)thread;
    for (int at = 0; at < j->x->size; at++)
        j->e->elementwise->normalize_sums(map_row(j->dy, 0, block, at), map_row(j->x, 0, block, at), j->x->size,
                                          j->norm->mean + first, j->norm->sum + first, j->norm->product + first);
}

static void epilogue_block(void *context, int block, int thread) {
    const block_job *j = context;
    const adain *n = j->norm;
    const int channel = block * j->e->lanes, first = channel * j->e->images;
    (void)thread;
    for (int at = 0; at < j->x->size; at++)
        j->e->elementwise->epilogue_gradient(map_row(j->dy, 0, block, at), map_row(j->x, 0, block, at), j->x->size,
                                             n->mean + first, n->scale + first, n->shift + first, n->slope + first,
                                             j->noise + at * j->x->size * j->e->images, j->d_bias + channel,
                                             j->d_strength + channel);
}

/* With h = (a - mean) / std and y = s h + t, over the M pixels of an image and channel:
     dt = sum dy,  ds = sum dy h,  da = s / std * (dy - dt / M - h * ds / M). */
void adain_backward(const engine *e, const adain *n, const map *a, const map *style, const map *dy, const map *d_style,
                    const float *noise, float *d_bias, float *d_strength) {
    const int lanes = e->lanes, half = style->channels / 2, values = map_blocks(a) * e->images * lanes;
    const double pixels = (double)a->size * a->size;
    memset(n->sum, 0, (size_t)values * sizeof(float));
    memset(n->product, 0, (size_t)values * sizeof(float));
    const block_job j = {
        .e = e, .x = a, .dy = dy, .norm = n, .noise = noise, .d_bias = d_bias, .d_strength = d_strength};
    each_block(&j, a, sum_block);
    for (int i = 0; i < values; i++) {
        const int channel = i / (e->images * lanes) * lanes + i % lanes, image = i / lanes % e->images;
        const double deviation = sqrt((double)n->deviation[i] / pixels + 1e-8);
        const double d_shift = (double)n->sum[i], d_scale = (double)n->product[i] / deviation;
        const double scale = (1 + (double)style->data[style_at(style, channel, image)]) / deviation;
        d_style->data[style_at(style, channel, image)] = (float)d_scale;
        d_style->data[style_at(style, half + channel, image)] = (float)d_shift;
        n->scale[i] = (float)scale;
        n->shift[i] = (float)(-scale * d_shift / pixels);
        n->slope[i] = (float)(-scale * d_scale / pixels / deviation);
    }
    each_block(&j, a, epilogue_block);
}

/* --- Minibatch standard deviation --- */

/* Values of the N images at one channel and pixel, with their mean taken off; returns sigma. */
static double deviations(const map *x, int c, int p, double *d) {
    double mean = 0, square = 0;
    for (int n = 0; n < x->images; n++) mean += d[n] = (double)x->data[map_at(x, c, p / x->size, p % x->size, n)];
    mean /= x->images;
    for (int n = 0; n < x->images; n++) {
        d[n] -= mean;
        square += d[n] * d[n];
    }
    return sqrt(square / x->images + 1e-8);
}

/* Copies the channels that both have, row by row. */
static void copy_channels(const map *x, const map *y) {
    const int channels = x->channels < y->channels ? x->channels : y->channels;
    for (int block = 0; block * x->lanes < channels; block++) {
        const int used = channels - block * x->lanes < x->lanes ? channels - block * x->lanes : x->lanes;
        for (int at = 0; at < x->size; at++) {
            const float *from = map_row(x, 0, block, at);
            float *to = map_row(y, 0, block, at);
            for (int i = 0; i < x->size * x->images; i++)
                memcpy(to + i * x->lanes, from + i * x->lanes, (size_t)used * sizeof *to);
        }
    }
}

static void fill_channel(const map *y, int channel, double value) {
    for (int p = 0; p < y->size * y->size; p++)
        for (int n = 0; n < y->images; n++) y->data[map_at(y, channel, p / y->size, p % y->size, n)] = (float)value;
}

static double sum_channel(const map *y, int channel) {
    double sum = 0;
    for (int p = 0; p < y->size * y->size; p++)
        for (int n = 0; n < y->images; n++) sum += (double)y->data[map_at(y, channel, p / y->size, p % y->size, n)];
    return sum;
}

void stddev_forward(const map *x, const map *y) {
    const int pixels = x->size * x->size;
    double total = 0, d[SHARD];
    copy_channels(x, y);
    for (int c = 0; c < x->channels; c++)
        for (int p = 0; p < pixels; p++) total += deviations(x, c, p, d);
    fill_channel(y, x->channels, total / (x->channels * pixels));
}

/* ds = sum over j of (sum over n of d_nj t_nj) / (N sigma_j), over the number of j */
void stddev_tangent(const map *x, const map *t, const map *u) {
    const int pixels = x->size * x->size;
    double total = 0, d[SHARD], e[SHARD];
    copy_channels(t, u);
    for (int c = 0; c < x->channels; c++)
        for (int p = 0; p < pixels; p++) {
            const double sigma = deviations(x, c, p, d);
            deviations(t, c, p, e);
            for (int n = 0; n < x->images; n++) total += d[n] * e[n] / (x->images * sigma);
        }
    fill_channel(u, x->channels, total / (x->channels * pixels));
}

void stddev_backward(const map *x, const map *dy, const map *dx) {
    const int pixels = x->size * x->size;
    const double ds = sum_channel(dy, x->channels) / (x->channels * pixels);
    double d[SHARD];
    copy_channels(dy, dx);
    for (int c = 0; c < x->channels; c++)
        for (int p = 0; p < pixels; p++) {
            const double sigma = deviations(x, c, p, d);
            for (int n = 0; n < x->images; n++)
                dx->data[map_at(dx, c, p / x->size, p % x->size, n)] += (float)(ds * d[n] / (x->images * sigma));
        }
}

/* d/dx_nj of ds above, with e = t less its mean over the images:
     (e_nj / sigma_j - d_nj * (sum over m of d_mj e_mj) / (N sigma_j^3)) / (N * number of j) */
void stddev_second(const map *x, const map *t, const map *dy, const map *dx) {
    const int pixels = x->size * x->size;
    const double ds = sum_channel(dy, x->channels) / (x->channels * pixels);
    double d[SHARD], e[SHARD];
    for (int c = 0; c < x->channels; c++)
        for (int p = 0; p < pixels; p++) {
            const double sigma = deviations(x, c, p, d);
            double along = 0;
            deviations(t, c, p, e);
            for (int n = 0; n < x->images; n++) along += d[n] * e[n] / x->images;
            for (int n = 0; n < x->images; n++)
                dx->data[map_at(dx, c, p / x->size, p % x->size, n)] +=
                    (float)(ds / x->images * (e[n] - d[n] * along / (sigma * sigma)) / sigma);
        }
}

/* --- Pixel norm --- */

void pixel_norm_forward(const map *x, const map *y, float *factor) {
    for (int n = 0; n < x->images; n++) {
        double sum = 0;
        for (int c = 0; c < x->channels; c++) sum += pow((double)x->data[map_at(x, c, 0, 0, n)], 2);
        factor[n] = (float)(1 / sqrt(sum / x->channels + 1e-8));
        for (int c = 0; c < x->channels; c++)
            y->data[map_at(y, c, 0, 0, n)] = x->data[map_at(x, c, 0, 0, n)] * factor[n];
    }
}

/* y = r x: dx = r (dy - y * mean(y dy)) */
void pixel_norm_backward(const map *y, const float *factor, const map *dy, const map *dx) {
    for (int n = 0; n < y->images; n++) {
        double product = 0;
        for (int c = 0; c < y->channels; c++) {
            const size_t at = map_at(y, c, 0, 0, n);
            product += (double)y->data[at] * (double)dy->data[at];
        }
        product /= y->channels;
        for (int c = 0; c < y->channels; c++) {
            const size_t at = map_at(y, c, 0, 0, n);
            dx->data[at] = (float)((double)factor[n] * ((double)dy->data[at] - (double)y->data[at] * product));
        }
    }
}
