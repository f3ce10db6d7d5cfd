/* layers.c - see layers.h. All convolutions, their gradients included, are calls of stylegan.h's own kernel. */
#define STYLEGAN_KERNELS
#include "../../stylegan.h"
#include "layers.h"
#include "../base/cli.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int rounded(int n, int to) {
    return (n + to - 1) / to * to;
}

/* --- The instruction set --- */

const engine *engine_for(stylegan_isa isa) {
    static engine engines[STYLEGAN_ISA_COUNT];
    const sg__kernels *k = sg__find_kernels(isa);
    if (!k) return NULL;
    engines[isa] = (engine){k->lanes, k->vectors, k, elementwise_for(k->lanes), k->isa};
    return engines[isa].elementwise ? &engines[isa] : NULL;
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
    return (size_t)((m->size + 2) * SHARD * m->lanes);
}

size_t map_block_floats(const map *m) {
    return map_row_floats(m) * (size_t)(m->size + 2);
}

static size_t plane_floats(const map *m) {
    return map_block_floats(m) * (size_t)map_blocks(m);
}

map map_take(arena *a, const engine *e, int channels, int size, int planes) {
    map m = {NULL, channels, size, planes, e->lanes};
    m.data = arena_take(a, plane_floats(&m) * (size_t)planes);
    return m;
}

float *map_row(const map *m, int plane, int block, int y) {
    return m->data + plane_floats(m) * (size_t)plane + map_block_floats(m) * (size_t)block +
           map_row_floats(m) * (size_t)(y + 1) + SHARD * m->lanes;
}

size_t map_at(const map *m, int channel, int y, int x, int n) {
    const size_t pixel = (size_t)(((y + 1) * (m->size + 2) + x + 1) * SHARD + n);
    return map_block_floats(m) * (size_t)(channel / m->lanes) + pixel * (size_t)m->lanes + (size_t)(channel % m->lanes);
}

void map_clear(const map *m) {
    memset(m->data, 0, plane_floats(m) * (size_t)m->planes * sizeof(float));
}

/* --- What finishes a row --- */

static void activate_row(const finish *f, int block, int y, float *row, int width) {
    (void)y;
    f->engine->elementwise->activate(row, width * SHARD, f->bias + block * f->engine->lanes, f->slope);
}

finish finish_activate(const engine *e, const float *bias, float slope) {
    return (finish){.row = activate_row, .engine = e, .bias = bias, .slope = slope};
}

static void mask_row(const finish *f, int block, int y, float *row, int width) {
    float ignored[COLUMNS] = {0};
    f->engine->elementwise->mask(row, map_row(f->mask, 0, block, y), width * SHARD,
                                 f->sum ? f->sum + block * f->engine->lanes : ignored);
}

finish finish_mask(const engine *e, const map *mask, float *sum) {
    return (finish){.row = mask_row, .engine = e, .mask = mask, .sum = sum};
}

/* --- Convolutions --- */

enum { STRIP_FLOATS = 40000 };

/* Output pixel p of out_plane sees, through this tap, input pixel p + (dy, dx) of in_plane. */
typedef struct tap {
    int in_plane, out_plane, dy, dx;
} tap;

/* Up-sampling by doubling pixels, then convolving with w, scatters pixel i to pixels 2i - 1 + k, k = 0 to 3, with the
   folded weights w[2], w[2] + w[1], w[1] + w[0], w[0]; convolving, then averaging pairs, gathers from the same places
   with (w[0], w[0] + w[1], w[1] + w[2], w[2]) / 2. Even pixels lie in plane 0, odd ones in plane 1. 16 taps for each
   small pixel instead of 9 for each large one. */
static tap tap_of(const convolution *c, int index) {
    if (c->kind == CONVOLUTION_SAME)
        return (tap){0, 0, index / c->kernel - c->kernel / 2, index % c->kernel - c->kernel / 2};
    static const int parity[4] = {1, 0, 1, 0}, distance[4] = {-1, 0, 0, 1};
    const int ky = index / 4, kx = index % 4, plane = 2 * parity[ky] + parity[kx];
    if (c->kind == CONVOLUTION_DOWN) return (tap){plane, 0, distance[ky], distance[kx]};
    return (tap){0, plane, -distance[ky], -distance[kx]};
}

static tap reversed(tap t) {
    return (tap){t.out_plane, t.in_plane, -t.dy, -t.dx};
}

/* Winograd's algorithm (stylegan.h, >>kernels) for 3x3 taps, or the 2x2 that every plane sees of the folded 4x4, if a
   plane is of whole tiles of 4x4 pixels. */
static int points_of(convolution_kind kind, int kernel, int size) {
    if (kernel < 3 || size % 4 || size < 8) return 0;
    return kind == CONVOLUTION_SAME ? 6 : 5;
}

convolution convolution_take(arena *a, const engine *e, convolution_kind kind, int kernel, int in, int out, int size,
                             double gain) {
    const int taps = kind == CONVOLUTION_SAME ? kernel * kernel : 16, points = points_of(kind, kernel, size);
    convolution c = {.engine = e,
                     .kind = kind,
                     .kernel = kernel,
                     .in = in,
                     .out = out,
                     .size = size,
                     .gain = (float)gain,
                     .taps = taps,
                     .points = points};
    const int copies = !points ? taps : kind == CONVOLUTION_SAME ? points * points : MOST_PLANES * points * points;
    c.forward = arena_take(a, (size_t)(copies * in * rounded(out, e->lanes)));
    c.backward = arena_take(a, (size_t)(copies * out * rounded(in, e->lanes)));
    c.edge = c.forward;
    if (kind == CONVOLUTION_SPREAD && points) c.edge = arena_take(a, (size_t)(taps * in * rounded(out, e->lanes)));
    return c;
}

size_t convolution_weights(const convolution *c) {
    return (size_t)(c->kernel * c->kernel * c->in * rounded(c->out, COLUMNS));
}

static int planes_in(const convolution *c) {
    return c->kind == CONVOLUTION_DOWN ? MOST_PLANES : 1;
}

static int planes_out(const convolution *c) {
    return c->kind == CONVOLUTION_UP || c->kind == CONVOLUTION_SPREAD ? MOST_PLANES : 1;
}

/* Blocks of V pixels in a row of all images. */
static int pixel_blocks(const convolution *c) {
    return (c->size * SHARD + c->engine->lanes - 1) / c->engine->lanes;
}

/* Rows of tiles that Winograd's algorithm works on at a time: as many as the second level cache holds. */
static int strip_rows(const convolution *c) {
    const int sources = c->kind == CONVOLUTION_SAME ? 1 : MOST_PLANES, channels = c->in > c->out ? c->in : c->out;
    const int row = sources * c->points * c->points * channels * SHARD * (c->size / 4), most = STRIP_FLOATS / row;
    return most < 1 ? 1 : most > c->size / 4 ? c->size / 4 : most;
}

static void grow(size_t *size, int least) {
    if (*size < (size_t)least) *size = (size_t)least;
}

void convolution_scratch_fit(convolution_scratch *s, const convolution *c) {
    const int lanes = c->engine->lanes, padded = (c->size + 2) * (c->size + 2) * SHARD;
    grow(&s->transposed_size, planes_in(c) * c->size * pixel_blocks(c) * rounded(c->in, lanes) * lanes);
    grow(&s->interleaved_size, planes_out(c) * padded * c->engine->vectors * lanes);
    grow(&s->partial_size, c->in * c->engine->vectors * lanes);
    grow(&s->folded_size, c->taps * c->in * rounded(c->out, COLUMNS));
    if (!c->points) return;
    const int tiles = strip_rows(c) * SHARD * (c->size / 4) * lanes, all = c->points * c->points;
    const int channels = rounded(c->in > c->out ? c->in : c->out, lanes);
    grow(&s->panels_size, c->taps * channels * channels);
    grow(&s->separated_size, SHARD * (4 * strip_rows(c) + 2) * (c->size + 2) * lanes);
    grow(&s->points_size, (c->kind == CONVOLUTION_SAME ? 1 : MOST_PLANES) * all * channels / lanes * tiles);
    grow(&s->products_size, all * c->engine->vectors * tiles);
}

void convolution_scratch_take(arena *a, convolution_scratch *s) {
    s->transposed = arena_take(a, s->transposed_size);
    s->interleaved = arena_take(a, s->interleaved_size);
    s->partial = arena_take(a, s->partial_size);
    s->folded = arena_take(a, s->folded_size);
    s->panels = arena_take(a, s->panels_size);
    s->separated = arena_take(a, s->separated_size);
    s->points = arena_take(a, s->points_size);
    s->products = arena_take(a, s->products_size);
}

/* The taps of w[3][3] that folded tap `index` of [4][4] is the sum of, up to four: their number. */
static int folded_sources(const convolution *c, int index, int *source) {
    int count = 0;
    for (int shift = 0; shift < 4; shift++) {
        const int y = index / 4 - shift / 2, x = index % 4 - shift % 2;
        if (y < 0 || y > 2 || x < 0 || x > 2) continue;
        source[count++] = c->kind == CONVOLUTION_DOWN ? y * 3 + x : (2 - y) * 3 + 2 - x;
    }
    return count;
}

/* DOWN averages four pixels. */
static float fold_gain(const convolution *c) {
    return c->kind == CONVOLUTION_DOWN ? 0.25f : 1.0f;
}

/* panel [rows][q][V], for each group of q vectors of columns, from w [rows][stride]; the panels of the group's taps
   follow each other. */
static void pack(const convolution *c, const float *w, int tap_index, float *panels) {
    const int lanes = c->engine->lanes, vectors = rounded(c->out, lanes) / lanes, stride = rounded(c->out, COLUMNS);
    for (int first = 0; first < vectors; first += c->engine->vectors) {
        const int q = vectors - first < c->engine->vectors ? vectors - first : c->engine->vectors, width = q * lanes;
        float *to = panels + (size_t)(first * lanes * c->taps * c->in) + (size_t)(tap_index * c->in * width);
        for (int i = 0; i < c->in; i++)
            memcpy(to + i * width, w + (size_t)(i * stride + first * lanes), (size_t)width * sizeof *to);
    }
}

static void pack_transposed(const convolution *c, const float *w, int tap_index, float *panels) {
    const int lanes = c->engine->lanes, vectors = rounded(c->in, lanes) / lanes, stride = rounded(c->out, COLUMNS);
    for (int first = 0; first < vectors; first += c->engine->vectors) {
        const int q = vectors - first < c->engine->vectors ? vectors - first : c->engine->vectors, width = q * lanes;
        const int used = c->in - first * lanes < width ? c->in - first * lanes : width;
        float *to = panels + (size_t)(first * lanes * c->taps * c->out) + (size_t)(tap_index * c->out * width);
        const float *from = w + (size_t)(first * lanes * stride);
        for (int o = 0; o < c->out; o++)
            for (int i = 0; i < width; i++) to[o * width + i] = i < used ? from[i * stride + o] : 0;
    }
}

/* A square of taps through which an output plane sees an input plane: from pixel (dy, dx) on. */
typedef struct window {
    int plane, dy, dx, tap[9];
} window;

static int sources_of(const convolution *c, int transposed, int out_plane, window *sources) {
    const int side = c->points - 3;
    int count = 0;
    for (int pass = 0; pass < 2; pass++) /* the corners, then the taps */
        for (int i = 0; i < c->taps; i++) {
            const tap t = transposed ? reversed(tap_of(c, i)) : tap_of(c, i);
            if (t.out_plane != out_plane) continue;
            int k = 0;
            while (k < count && sources[k].plane != t.in_plane) k++;
            window *from = &sources[k];
            if (k == count) sources[count++] = (window){t.in_plane, t.dy, t.dx, {0}};
            if (t.dy < from->dy) from->dy = t.dy;
            if (t.dx < from->dx) from->dx = t.dx;
            if (pass) from->tap[(t.dy - from->dy) * side + t.dx - from->dx] = i;
        }
    return count;
}

/* Panels [taps][I][q][V] of each group to [out planes][points^2][sources][I][q][V]. */
static void transform_panels(const convolution *c, int transposed, const float *panels, float *to) {
    const sg__kernels *k = c->engine->kernels;
    const int in = transposed ? c->out : c->in, out = transposed ? c->in : c->out;
    const int planes = transposed ? planes_in(c) : planes_out(c), side = c->points - 3;
    const int vectors = rounded(out, k->lanes) / k->lanes;
    for (int first = 0; first < vectors; first += k->vectors) {
        const int q = vectors - first < k->vectors ? vectors - first : k->vectors;
        const size_t tap_floats = (size_t)(in * q * k->lanes);
        for (int plane = 0; plane < planes; plane++) {
            window sources[MOST_PLANES];
            const int count = sources_of(c, transposed, plane, sources);
            for (int i = 0; i < count; i++) {
                const float *taps[9];
                for (int t = 0; t < side * side; t++) taps[t] = panels + tap_floats * (size_t)sources[i].tap[t];
                k->winograd_weights(taps, c->points, c->points, in * q, to + tap_floats * (size_t)i,
                                    tap_floats * (size_t)count);
            }
            to += tap_floats * (size_t)(count * c->points * c->points);
        }
        panels += tap_floats * (size_t)c->taps;
    }
}

/* The weights as they are used: folded, times the gain; tap by tap. */
static void pack_all(const convolution *c, const float *weights, const convolution_scratch *s, float *forward,
                     float *backward) {
    const size_t tap_floats = (size_t)(c->in * rounded(c->out, COLUMNS));
    for (int t = 0; t < c->taps; t++) {
        int from[4] = {t}, count = 1;
        if (c->kind != CONVOLUTION_SAME) count = folded_sources(c, t, from);
        const float *w[4];
        const float factor = c->gain * fold_gain(c), gain[4] = {factor, factor, factor, factor};
        for (int i = 0; i < count; i++) w[i] = weights + tap_floats * (size_t)from[i];
        ((const sg__kernels *)c->engine->kernels)->weighted_sum(s->folded, (int)tap_floats, w, gain, count);
        if (forward) pack(c, s->folded, t, forward);
        if (backward) pack_transposed(c, s->folded, t, backward);
    }
}

void convolution_prepare(const convolution *c, const float *weights, const convolution_scratch *s) {
    if (!c->points) {
        pack_all(c, weights, s, c->forward, c->backward);
        return;
    }
    pack_all(c, weights, s, s->panels, NULL);
    if (c->kind == CONVOLUTION_SPREAD)
        memcpy(c->edge, s->panels, (size_t)(c->taps * c->in * rounded(c->out, c->engine->lanes)) * sizeof *c->edge);
    transform_panels(c, 0, s->panels, c->forward);
    pack_all(c, weights, s, NULL, s->panels);
    transform_panels(c, 1, s->panels, c->backward);
}

/* Rows of tiles [begin, end) of one source, as [points^2][C/V][rows][N][tiles][V]. */
static void transform_input(const convolution *c, const map *x, const window *from, int begin, int end,
                            const convolution_scratch *s, float *out) {
    const sg__kernels *k = c->engine->kernels;
    const int tiles = c->size / 4, rows = 4 * (end - begin) + c->points - 4;
    const size_t pixels = (size_t)(c->size + 2), row_floats = pixels * (size_t)k->lanes;
    const size_t run = (size_t)(tiles * k->lanes), block = run * (size_t)(SHARD * (end - begin));
    for (int b = 0; b < map_blocks(x); b++) {
        for (int y = 0; y < rows; y++) /* the images lie side by side: take them apart, [N][rows][S + 2][V] */
            c->engine->elementwise->separate(s->separated + row_floats * (size_t)y, row_floats * (size_t)rows,
                                             map_row(x, from->plane, b, 4 * begin + from->dy + y) - SHARD * k->lanes,
                                             (int)pixels);
        for (int strip = 0; strip < end - begin; strip++)
            for (int n = 0; n < SHARD; n++) {
                const float *row[6];
                for (int y = 0; y < c->points; y++)
                    row[y] = s->separated + row_floats * (size_t)(n * rows + 4 * strip + y) + (from->dx + 1) * k->lanes;
                k->winograd_input(row, c->points, c->points, tiles,
                                  out + block * (size_t)b + run * (size_t)(strip * SHARD + n),
                                  block * (size_t)map_blocks(x));
            }
    }
}

/* The inverse, for one block of output channels, from in [points^2 of `stride` floats][rows][N][tiles][V]. */
static void transform_output(const convolution *c, const map *y, int plane, int block, int begin, int end,
                             const float *in, size_t stride, const finish *f) {
    const sg__kernels *k = c->engine->kernels;
    const int tiles = c->size / 4;
    for (int strip = begin; strip < end; strip++) {
        for (int n = 0; n < SHARD; n++, in += tiles * k->lanes)
            k->winograd_output(in, stride, c->points, c->points, tiles,
                               map_row(y, plane, block, 4 * strip) + n * k->lanes, map_row_floats(y),
                               (size_t)(SHARD * k->lanes));
        for (int at = 4 * strip; f && at < 4 * strip + 4; at++)
            f->row(f, block, at, map_row(y, plane, block, at), c->size);
    }
}

/* The convolution in tiles: the products of one point, over all tiles and channels, are a 1x1 convolution. */
static void convolve_tiles(const convolution *c, int transposed, const map *x, const map *y, const finish *f,
                           const convolution_scratch *s) {
    const sg__kernels *k = c->engine->kernels;
    const int lanes = k->lanes, blocks = map_blocks(y), tiles = c->size / 4, all = c->points * c->points;
    for (int begin = 0; begin < tiles; begin += strip_rows(c)) {
        const int end = begin + strip_rows(c) < tiles ? begin + strip_rows(c) : tiles;
        const int width = (end - begin) * SHARD * tiles;
        const size_t point = (size_t)(map_blocks(x) * width * lanes);
        for (int plane = 0; plane < y->planes; plane++) {
            window sources[MOST_PLANES];
            const int count = sources_of(c, transposed, plane, sources);
            for (int i = 0; i < count; i++)
                transform_input(c, x, &sources[i], begin, end, s, s->points + point * (size_t)(all * i));
            for (int first = 0; first < blocks; first += k->vectors) {
                const int q = blocks - first < k->vectors ? blocks - first : k->vectors;
                const size_t panel = (size_t)(x->channels * q * lanes), product = (size_t)(q * width * lanes);
                const float *panels = (transposed ? c->backward : c->forward) +
                                      (size_t)(first * lanes * x->channels) * (size_t)(y->planes * count * all) +
                                      panel * (size_t)(plane * count * all);
                for (int p = 0; p < all; p++) {
                    sg__row row = {.input = s->points + point * (size_t)p,
                                   .input_block = (size_t)(width * lanes),
                                   .channels = x->channels,
                                   .taps = count,
                                   .output = s->products + product * (size_t)p,
                                   .output_pixel = (size_t)lanes,
                                   .output_vector = (size_t)(width * lanes),
                                   .width = width};
                    for (int i = 0; i < count; i++) {
                        row.offset[i] = (ptrdiff_t)point * all * i;
                        row.panel[i] = panels + panel * (size_t)(p * count + i);
                    }
                    k->convolve(&row, q);
                }
                for (int v = 0; v < q; v++)
                    transform_output(c, y, plane, first + v, begin, end, s->products + width * lanes * v, product, f);
            }
        }
    }
}

/* The forward pass, or, transposed, the backward pass, which are the same but for the direction of the taps. */
static void convolve(const convolution *c, int transposed, const map *x, const map *y, const finish *f,
                     const convolution_scratch *s) {
    const sg__kernels *k = c->engine->kernels;
    if (c->points) {
        convolve_tiles(c, transposed, x, y, f, s);
        return;
    }
    const float *panels = transposed ? c->backward : c->forward;
    const int lanes = k->lanes, blocks = map_blocks(y);
    for (int first = 0; first < blocks; first += k->vectors) {
        const int q = blocks - first < k->vectors ? blocks - first : k->vectors;
        const float *panel = panels + (size_t)(first * lanes * c->taps * x->channels);
        for (int plane = 0; plane < y->planes; plane++) {
            sg__row row = {.input_block = map_block_floats(x),
                           .channels = x->channels,
                           .output_pixel = (size_t)lanes,
                           .output_vector = map_block_floats(y),
                           .width = c->size * SHARD};
            for (int i = 0; i < c->taps; i++) {
                const tap t = transposed ? reversed(tap_of(c, i)) : tap_of(c, i);
                if (t.out_plane != plane) continue;
                row.offset[row.taps] = (map_row(x, t.in_plane, 0, t.dy) - map_row(x, 0, 0, 0)) + t.dx * SHARD * lanes;
                row.panel[row.taps++] = panel + (size_t)(i * x->channels * q * lanes);
            }
            for (int at = 0; at < c->size; at++) {
                row.input = map_row(x, 0, 0, at);
                row.output = map_row(y, plane, first, at);
                k->convolve(&row, q);
                for (int v = 0; f && v < q; v++) f->row(f, first + v, at, map_row(y, plane, first + v, at), c->size);
            }
        }
    }
}

/* `width` pixels of row `at` of a plane, from column `left` on. */
static void convolve_edge(const convolution *c, const map *x, const map *y, int plane, int at, int left, int width) {
    const sg__kernels *k = c->engine->kernels;
    const int lanes = k->lanes, blocks = map_blocks(y), column = left * SHARD * lanes;
    for (int first = 0; first < blocks; first += k->vectors) {
        const int q = blocks - first < k->vectors ? blocks - first : k->vectors;
        sg__row row = {.input = map_row(x, 0, 0, at) + column,
                       .input_block = map_block_floats(x),
                       .channels = x->channels,
                       .output = map_row(y, plane, first, at) + column,
                       .output_pixel = (size_t)lanes,
                       .output_vector = map_block_floats(y),
                       .width = width * SHARD};
        for (int i = 0; i < c->taps; i++) {
            const tap t = tap_of(c, i);
            if (t.out_plane != plane) continue;
            row.offset[row.taps] = (map_row(x, 0, 0, t.dy) - map_row(x, 0, 0, 0)) + t.dx * SHARD * lanes;
            row.panel[row.taps++] = c->edge + (size_t)((first * c->taps + i * q) * lanes * x->channels);
        }
        k->convolve(&row, q);
    }
}

/* Pixel -1 is an odd one, pixel 2S even. */
static void convolve_beyond(const convolution *c, const map *x, const map *y) {
    for (int plane = 0; plane < y->planes; plane++) {
        const int top = plane & 2 ? -1 : c->size, left = plane & 1 ? -1 : c->size;
        convolve_edge(c, x, y, plane, top, left < 0 ? -1 : 0, c->size + 1);
        for (int at = 0; at < c->size; at++) convolve_edge(c, x, y, plane, at, left, 1);
    }
}

void convolution_forward(const convolution *c, const map *x, const map *y, const finish *f,
                         const convolution_scratch *s) {
    convolve(c, 0, x, y, f, s);
    if (c->kind == CONVOLUTION_SPREAD) convolve_beyond(c, x, y);
}

void convolution_backward(const convolution *c, const map *dy, const map *dx, const finish *f,
                          const convolution_scratch *s) {
    convolve(c, 1, dy, dx, f, s);
}

/* x as [planes][S][S * N / V][I][V]: V pixels in the place of V channels. */
static void transpose_map(const convolution *c, const map *x, float *out) {
    const int lanes = x->lanes, blocks = pixel_blocks(c), pixels = c->size * SHARD;
    for (int plane = 0; plane < x->planes; plane++)
        for (int y = 0; y < c->size; y++)
            for (int b = 0; b < blocks; b++) {
                const int count = pixels - b * lanes < lanes ? pixels - b * lanes : lanes;
                for (int i = 0; i < c->in; i += lanes) {
                    const int channels = c->in - i < lanes ? c->in - i : lanes;
                    c->engine->elementwise->transpose(map_row(x, plane, i / lanes, y) + b * lanes * lanes, count,
                                                      channels, out + i * lanes);
                }
                out += c->in * lanes;
            }
}

/* The kernel's roles change: its pixels are input channels, its input channels are the pixels of a row, its taps are
   rows (up to SG__MAX_TAPS at once), and its panel is dy itself, [pixels][q][V], moved by the tap's distance; the border
   of dy supplies the zeros. */
static void gradient_group(const convolution *c, const map *dy, int first, int q, float *gradient,
                           const convolution_scratch *s) {
    const sg__kernels *k = c->engine->kernels;
    const int lanes = k->lanes, stride = rounded(c->out, COLUMNS), width = q * lanes;
    const size_t row_floats = (size_t)(pixel_blocks(c) * c->in * lanes);
    const float *base = map_row(dy, 0, first, 0);
    size_t dy_plane = plane_floats(dy), dy_row = map_row_floats(dy);
    if (q > 1) {
        const size_t block = map_block_floats(dy);
        for (int plane = 0; plane < dy->planes; plane++) {
            const float *from = dy->data + plane_floats(dy) * (size_t)plane + block * (size_t)first;
            c->engine->elementwise->interleave(s->interleaved + 2 * block * (size_t)plane, from, from + block,
                                               (int)(block / (size_t)lanes));
        }
        dy_plane = 2 * block;
        dy_row *= 2;
        base = s->interleaved + dy_row + 2 * SHARD * lanes;
    }
    for (int i = 0; i < c->taps; i++) {
        const tap t = tap_of(c, i);
        for (int begin = 0; begin < c->size; begin += SG__MAX_TAPS) {
            sg__row row = {.input = s->transposed + row_floats * (size_t)(t.in_plane * c->size + begin),
                           .input_block = (size_t)(c->in * lanes),
                           .channels = c->size * SHARD,
                           .output = s->partial,
                           .output_pixel = (size_t)width,
                           .output_vector = (size_t)lanes,
                           .width = c->in};
            for (; row.taps < SG__MAX_TAPS && begin + row.taps < c->size; row.taps++) {
                row.offset[row.taps] = (ptrdiff_t)row_floats * row.taps;
                row.panel[row.taps] = base + dy_plane * (size_t)t.out_plane +
                                      (ptrdiff_t)dy_row * (begin + row.taps - t.dy) - t.dx * SHARD * width;
            }
            k->convolve(&row, q);
            float *to = gradient + (size_t)(i * c->in * stride + first * lanes);
            for (int channel = 0; channel < c->in; channel++)
                c->engine->elementwise->add(to + channel * stride, s->partial + channel * width, fold_gain(c),
                                            (size_t)width);
        }
    }
}

void convolution_gradient(const convolution *c, const map *x, const map *dy, float *gradient,
                          const convolution_scratch *s) {
    const int blocks = map_blocks(dy), most = c->engine->vectors < 2 ? c->engine->vectors : 2;
    const size_t tap_floats = (size_t)(c->in * rounded(c->out, COLUMNS));
    const int folded = c->kind != CONVOLUTION_SAME;
    float *to = folded ? s->folded : gradient;
    transpose_map(c, x, s->transposed);
    if (folded) memset(to, 0, (size_t)c->taps * tap_floats * sizeof *to);
    for (int first = 0; first < blocks; first += most)
        gradient_group(c, dy, first, blocks - first < most ? blocks - first : most, to, s);
    for (int t = 0; folded && t < c->taps; t++) {
        int source[4];
        const int count = folded_sources(c, t, source);
        for (int i = 0; i < count; i++)
            c->engine->elementwise->add(gradient + tap_floats * (size_t)source[i], to + tap_floats * (size_t)t, 1,
                                        tap_floats);
    }
}

/* --- Blur --- */

size_t blur_row_floats(const map *whole) {
    return map_row_floats(whole) + 2 * SHARD * (size_t)whole->lanes;
}

/* Row y of a map that lies in four planes: its even (0) or odd (1) columns. */
static float *plane_row(const map *planes, int block, int y, int odd) {
    return map_row(planes, 2 * (y & 1) + odd, block, (y - (y & 1)) / 2);
}

void blur_split(const engine *e, const map *x, const map *planes, int beyond, float *row) {
    const size_t pixel = (size_t)(SHARD * e->lanes);
    const int first = beyond ? -1 : 0;
    float *middle = row + 2 * pixel; /* between two zero pixels on each side */
    memset(row, 0, 2 * pixel * sizeof *row);
    memset(middle + pixel * (size_t)x->size, 0, 2 * pixel * sizeof *row);
    for (int block = 0; block < map_blocks(x); block++)
        for (int y = first; y < x->size - first; y++) { /* what lies outside the map is as zero as its border */
            const float *above = map_row(x, 0, block, y < 0 ? y : y - 1), *at = map_row(x, 0, block, y);
            const float *below = map_row(x, 0, block, y < x->size ? y + 1 : y);
            e->elementwise->blur(middle, pixel, above, at, below, pixel, x->size);
            for (int odd = 0; odd < 2; odd++) {
                const int left = odd ? first : 0, right = odd ? 0 : -first;
                const float *from = middle + (ptrdiff_t)pixel * (2 * left + odd);
                float *to = plane_row(planes, block, y, odd) + (ptrdiff_t)pixel * left;
                e->elementwise->blur(to, pixel, from - pixel, from, from + pixel, 2 * pixel,
                                     planes->size - left + right);
            }
        }
}

void blur_join(const engine *e, const map *planes, const map *y, const finish *f, float *row) {
    const size_t pixel = (size_t)(SHARD * e->lanes);
    const size_t half = pixel * (size_t)(planes->size + 1); /* even columns and one beyond; one before and odd ones */
    float *even = row, *odd = row + half + pixel;
    for (int block = 0; block < map_blocks(y); block++)
        for (int at = 0; at < y->size; at++) {
            float *out = map_row(y, 0, block, at);
            for (int i = 0; i < 2; i++) {
                const size_t before = i ? pixel : 0;
                e->elementwise->blur((i ? odd : even) - before, pixel, plane_row(planes, block, at - 1, i) - before,
                                     plane_row(planes, block, at, i) - before,
                                     plane_row(planes, block, at + 1, i) - before, pixel, planes->size + 1);
            }
            e->elementwise->blur(out, 2 * pixel, odd - pixel, even, odd, pixel, planes->size);
            e->elementwise->blur(out + pixel, 2 * pixel, even, odd, even + pixel, pixel, planes->size);
            if (f) f->row(f, block, at, out, y->size);
        }
}

/* --- Pooling, blending, sums --- */

void map_pool(const engine *e, const map *x, const map *y, float factor) {
    const size_t pixel = (size_t)(SHARD * e->lanes), row = map_row_floats(x);
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
    const size_t pixel = (size_t)(SHARD * e->lanes);
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
    ((const sg__kernels *)e->kernels)->weighted_sum(y->data, (int)plane_floats(y), source, weight, 2);
}

void map_scale(const engine *e, const map *x, float t, const map *y) {
    const float *const source[1] = {x->data};
    ((const sg__kernels *)e->kernels)->weighted_sum(y->data, (int)plane_floats(y), source, &t, 1);
}

void map_scale_mask(const engine *e, const map *x, float t, const map *mask, const map *y, float *sum) {
    const finish f = finish_mask(e, mask, sum);
    map_scale(e, x, t, y);
    map_finish(y, &f);
}

void map_sum(const engine *e, const map *x, float *sum) {
    for (int block = 0; block < map_blocks(x); block++)
        for (int y = 0; y < x->size; y++)
            e->elementwise->sum(map_row(x, 0, block, y), x->size * SHARD, sum + block * e->lanes);
}

double map_square(const map *x) {
    double sum = 0;
    for (size_t i = 0; i < plane_floats(x); i++) sum += (double)x->data[i] * (double)x->data[i];
    return sum;
}

void map_add(const engine *e, const map *x, const map *y) {
    e->elementwise->add(y->data, x->data, 1, plane_floats(y));
}

void map_finish(const map *x, const finish *f) {
    for (int block = 0; block < map_blocks(x); block++)
        for (int y = 0; y < x->size; y++) f->row(f, block, y, map_row(x, 0, block, y), x->size);
}

void map_repeat(const map *x, const map *planes) {
    for (int plane = 0; plane < planes->planes; plane++)
        memcpy(planes->data + plane_floats(x) * (size_t)plane, x->data, plane_floats(x) * sizeof *x->data);
}

void map_fold(const engine *e, const map *planes, const map *y) {
    const float *source[MOST_PLANES], weight[MOST_PLANES] = {1, 1, 1, 1};
    for (int plane = 0; plane < planes->planes; plane++) source[plane] = planes->data + plane_floats(y) * (size_t)plane;
    ((const sg__kernels *)e->kernels)->weighted_sum(y->data, (int)plane_floats(y), source, weight, planes->planes);
}

void map_flatten(const map *x, const map *y) {
    for (int c = 0; c < x->channels; c++)
        for (int p = 0; p < x->size * x->size; p++)
            for (int n = 0; n < SHARD; n++)
                y->data[map_at(y, p * x->channels + c, 0, 0, n)] = x->data[map_at(x, c, p / x->size, p % x->size, n)];
}

void map_unflatten(const map *x, const map *y, const finish *f) {
    for (int c = 0; c < y->channels; c++)
        for (int p = 0; p < y->size * y->size; p++)
            for (int n = 0; n < SHARD; n++)
                y->data[map_at(y, c, p / y->size, p % y->size, n)] = x->data[map_at(x, p * y->channels + c, 0, 0, n)];
    map_finish(y, f);
}

/* --- The generator's epilogue and AdaIN --- */

adain adain_take(arena *a, const engine *e, int channels) {
    const size_t floats = (size_t)(rounded(channels, e->lanes) * SHARD);
    adain n;
    float **const parts[] = {&n.mean, &n.deviation, &n.scale, &n.shift, &n.slope, &n.sum, &n.product};
    for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) *parts[i] = arena_take(a, floats);
    return n;
}

void epilogue_reset(const epilogue *p, int channels) {
    const size_t bytes = (size_t)(rounded(channels, p->engine->lanes) * SHARD) * sizeof(float);
    memset(p->moments->mean, 0, bytes);
    memset(p->moments->deviation, 0, bytes);
}

static void epilogue_row(const finish *f, int block, int y, float *row, int width) {
    const epilogue *p = f->context;
    const int channel = block * f->engine->lanes;
    f->engine->elementwise->epilogue(row, width, p->noise + y * width * SHARD, p->strength + channel, p->bias + channel,
                                     y, p->moments->mean + channel * SHARD, p->moments->deviation + channel * SHARD);
}

finish finish_epilogue(const epilogue *p) {
    return (finish){.row = epilogue_row, .engine = p->engine, .context = (void *)(uintptr_t)p};
}

/* Where style [2 * C rounded up][1][1] has the scale of a channel; the shift is `shift` floats further on. */
static size_t style_at(const map *style, int channel, int n) {
    return map_at(style, channel, 0, 0, n);
}

void adain_forward(const engine *e, const adain *n, const map *a, const map *style, const map *y) {
    const int lanes = e->lanes, half = style->channels / 2;
    const double pixels = (double)a->size * a->size;
    for (int i = 0; i < map_blocks(a) * SHARD * lanes; i++) {
        const int channel = i / (SHARD * lanes) * lanes + i % lanes, image = i / lanes % SHARD;
        const double deviation = sqrt((double)n->deviation[i] / pixels + 1e-8);
        n->scale[i] = (float)((1 + (double)style->data[style_at(style, channel, image)]) / deviation);
        n->shift[i] = style->data[style_at(style, half + channel, image)];
    }
    for (int block = 0; block < map_blocks(a); block++)
        for (int at = 0; at < a->size; at++) {
            const int first = block * SHARD * lanes;
            e->elementwise->normalize(map_row(y, 0, block, at), map_row(a, 0, block, at), a->size, n->mean + first,
                                      n->scale + first, n->shift + first);
        }
}

/* With h = (a - mean) / std and y = s h + t, over the M pixels of an image and channel:
     dt = sum dy,  ds = sum dy h,  da = s / std * (dy - dt / M - h * ds / M). */
void adain_backward(const engine *e, const adain *n, const map *a, const map *style, const map *dy, const map *d_style,
                    const float *noise, float *d_bias, float *d_strength) {
    const int lanes = e->lanes, half = style->channels / 2, values = map_blocks(a) * SHARD * lanes;
    const double pixels = (double)a->size * a->size;
    memset(n->sum, 0, (size_t)values * sizeof(float));
    memset(n->product, 0, (size_t)values * sizeof(float));
    for (int block = 0; block < map_blocks(a); block++)
        for (int at = 0; at < a->size; at++) {
            const int first = block * SHARD * lanes;
            e->elementwise->normalize_sums(map_row(dy, 0, block, at), map_row(a, 0, block, at), a->size,
                                           n->mean + first, n->sum + first, n->product + first);
        }
    for (int i = 0; i < values; i++) {
        const int channel = i / (SHARD * lanes) * lanes + i % lanes, image = i / lanes % SHARD;
        const double deviation = sqrt((double)n->deviation[i] / pixels + 1e-8);
        const double d_shift = (double)n->sum[i], d_scale = (double)n->product[i] / deviation;
        const double scale = (1 + (double)style->data[style_at(style, channel, image)]) / deviation;
        d_style->data[style_at(style, channel, image)] = (float)d_scale;
        d_style->data[style_at(style, half + channel, image)] = (float)d_shift;
        n->scale[i] = (float)scale;
        n->shift[i] = (float)(-scale * d_shift / pixels);
        n->slope[i] = (float)(-scale * d_scale / pixels / deviation);
    }
    for (int block = 0; block < map_blocks(a); block++)
        for (int at = 0; at < a->size; at++) {
            const int first = block * SHARD * lanes, channel = block * lanes;
            e->elementwise->epilogue_gradient(map_row(dy, 0, block, at), map_row(a, 0, block, at), a->size,
                                              n->mean + first, n->scale + first, n->shift + first, n->slope + first,
                                              noise + at * a->size * SHARD, d_bias + channel, d_strength + channel);
        }
}

/* --- Minibatch standard deviation --- */

/* Values of the N images at one channel and pixel, with their mean taken off; returns sigma. */
static double deviations(const map *x, int c, int p, double *d) {
    double mean = 0, square = 0;
    for (int n = 0; n < SHARD; n++) mean += d[n] = (double)x->data[map_at(x, c, p / x->size, p % x->size, n)];
    mean /= SHARD;
    for (int n = 0; n < SHARD; n++) {
        d[n] -= mean;
        square += d[n] * d[n];
    }
    return sqrt(square / SHARD + 1e-8);
}

/* Copies the channels that both have, row by row. */
static void copy_channels(const map *x, const map *y) {
    const int channels = x->channels < y->channels ? x->channels : y->channels;
    for (int block = 0; block * x->lanes < channels; block++) {
        const int used = channels - block * x->lanes < x->lanes ? channels - block * x->lanes : x->lanes;
        for (int at = 0; at < x->size; at++) {
            const float *from = map_row(x, 0, block, at);
            float *to = map_row(y, 0, block, at);
            for (int i = 0; i < x->size * SHARD; i++)
                memcpy(to + i * x->lanes, from + i * x->lanes, (size_t)used * sizeof *to);
        }
    }
}

static void fill_channel(const map *y, int channel, double value) {
    for (int p = 0; p < y->size * y->size; p++)
        for (int n = 0; n < SHARD; n++) y->data[map_at(y, channel, p / y->size, p % y->size, n)] = (float)value;
}

static double sum_channel(const map *y, int channel) {
    double sum = 0;
    for (int p = 0; p < y->size * y->size; p++)
        for (int n = 0; n < SHARD; n++) sum += (double)y->data[map_at(y, channel, p / y->size, p % y->size, n)];
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
            for (int n = 0; n < SHARD; n++) total += d[n] * e[n] / (SHARD * sigma);
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
            for (int n = 0; n < SHARD; n++)
                dx->data[map_at(dx, c, p / x->size, p % x->size, n)] += (float)(ds * d[n] / (SHARD * sigma));
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
            for (int n = 0; n < SHARD; n++) along += d[n] * e[n] / SHARD;
            for (int n = 0; n < SHARD; n++)
                dx->data[map_at(dx, c, p / x->size, p % x->size, n)] +=
                    (float)(ds / SHARD * (e[n] - d[n] * along / (sigma * sigma)) / sigma);
        }
}

/* --- Pixel norm --- */

void pixel_norm_forward(const map *x, const map *y, float *factor) {
    for (int n = 0; n < SHARD; n++) {
        double sum = 0;
        for (int c = 0; c < x->channels; c++) sum += pow((double)x->data[map_at(x, c, 0, 0, n)], 2);
        factor[n] = (float)(1 / sqrt(sum / x->channels + 1e-8));
        for (int c = 0; c < x->channels; c++)
            y->data[map_at(y, c, 0, 0, n)] = x->data[map_at(x, c, 0, 0, n)] * factor[n];
    }
}

/* y = r x: dx = r (dy - y * mean(y dy)) */
void pixel_norm_backward(const map *y, const float *factor, const map *dy, const map *dx) {
    for (int n = 0; n < SHARD; n++) {
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
