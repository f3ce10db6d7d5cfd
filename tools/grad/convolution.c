/* convolution.c - see layers.h. All convolutions, their gradients included, are calls of stylegan.h's own kernel. */
#define STYLEGAN_KERNELS
#include "../../stylegan.h"
#include "matrix.h"

#include <string.h>

enum { STRIP_FLOATS = 40000, STRIP_TILES = 64 };

/* Up-sampling by doubling pixels, then convolving with w, scatters pixel i to pixels 2i - 1 + k, k = 0 to 3, with the
   folded weights w[2], w[2] + w[1], w[1] + w[0], w[0]; convolving, then averaging pairs, gathers from the same places
   with (w[0], w[0] + w[1], w[1] + w[2], w[2]) / 2. Even pixels lie in plane 0, odd ones in plane 1. 16 taps for each
   small pixel instead of 9 for each large one. */
tap tap_of(const convolution *c, int index, int transposed) {
    static const int parity[4] = {1, 0, 1, 0}, distance[4] = {-1, 0, 0, 1};
    const int ky = index / 4, kx = index % 4, plane = 2 * parity[ky] + parity[kx];
    tap t = {0, plane, -distance[ky], -distance[kx]};
    if (c->kind == CONVOLUTION_SAME)
        t = (tap){0, 0, index / c->kernel - c->kernel / 2, index % c->kernel - c->kernel / 2};
    if (c->kind == CONVOLUTION_DOWN) t = (tap){plane, 0, distance[ky], distance[kx]};
    return transposed ? (tap){t.out_plane, t.in_plane, -t.dy, -t.dx} : t;
}

/* Winograd's algorithm (stylegan.h, >>kernels) for 3x3 taps, or the 2x2 that every plane sees of the folded 4x4, if a
   plane is of whole tiles of 4x4 pixels, and enough of them: the weights of all points are larger than those of the
   taps, and every tile of a strip shares them. */
static int points_of(convolution_kind kind, int kernel, int size, int images) {
    enum { FEWEST_TILES = 16 };
    if (kernel < 3 || size % 4 || size < 8 || size / 4 * (size / 4) * images < FEWEST_TILES) return 0;
    return kind == CONVOLUTION_SAME ? 6 : 5;
}

convolution convolution_take(arena *a, const engine *e, convolution_kind kind, int kernel, int in, int out, int size,
                             double gain) {
    const int taps = kind == CONVOLUTION_SAME ? kernel * kernel : 16, points = points_of(kind, kernel, size, e->images);
    convolution c = {.engine = e,
                     .kind = kind,
                     .kernel = kernel,
                     .in = in,
                     .out = out,
                     .size = size,
                     .gain = (float)gain,
                     .taps = taps,
                     .points = points};
    c.matrix = matrix_serves(&c);
    if (c.matrix) {
        c.points = 0;
        c.forward = arena_take(a, matrix_weights(&c, 0));
        c.backward = arena_take(a, matrix_weights(&c, 1));
        return c;
    }
    const int copies = !points ? taps : kind == CONVOLUTION_SAME ? points * points : MOST_PLANES * points * points;
    c.forward = arena_take(a, (size_t)(copies * in * round_up(out, e->lanes)));
    c.backward = arena_take(a, (size_t)(copies * out * round_up(in, e->lanes)));
    c.edge = c.forward;
    if (kind == CONVOLUTION_SPREAD && points) c.edge = arena_take(a, (size_t)(taps * in * round_up(out, e->lanes)));
    return c;
}

size_t convolution_weights(const convolution *c) {
    return (size_t)(c->kernel * c->kernel * c->in * round_up(c->out, COLUMNS));
}

static int planes_in(const convolution *c) {
    return c->kind == CONVOLUTION_DOWN ? MOST_PLANES : 1;
}

static int planes_out(const convolution *c) {
    return c->kind == CONVOLUTION_UP || c->kind == CONVOLUTION_SPREAD ? MOST_PLANES : 1;
}

/* Rows of tiles that Winograd's algorithm works on at a time: as many as the second level cache holds, or, where the
   weights leave it no room, as many as are worth fetching them again. */
static int strip_rows(const convolution *c) {
    const int sources = c->kind == CONVOLUTION_SAME ? 1 : MOST_PLANES, channels = c->in > c->out ? c->in : c->out;
    const int points = sources * c->points * c->points, tiles = c->engine->images * (c->size / 4);
    const int most = STRIP_FLOATS / (points * channels * tiles), least = (STRIP_TILES + tiles - 1) / tiles;
    const int rows = most < least && points * c->in * c->out > STRIP_FLOATS ? least : most;
    return rows < 1 ? 1 : rows > c->size / 4 ? c->size / 4 : rows;
}

/* Of a point in a gradient; not a power of two, see point_floats. */
static size_t sum_floats(const convolution *c) {
    return (size_t)(c->in * round_up(c->out, COLUMNS) + COLUMNS);
}

static void grow(size_t *size, int least) {
    if (*size < (size_t)least) *size = (size_t)round_up(least, COLUMNS);
}

void convolution_scratch_fit(convolution_scratch *s, const convolution *c) {
    const int lanes = c->engine->lanes;
    s->threads = c->engine->threads;
    grow(&s->folded_size, c->taps * c->in * round_up(c->out, COLUMNS));
    const int channels = round_up(c->in > c->out ? c->in : c->out, lanes);
    if (c->matrix) grow(&s->halves_size, (int)matrix_halves(c));
    if (c->matrix) grow(&s->strips_size, (int)matrix_strips(c));
    if (c->matrix) grow(&s->panels_size, (int)matrix_panels(c));
    if (!c->points) return;
    grow(&s->panels_size, c->taps * channels * channels);
    const int tiles = strip_rows(c) * c->engine->images * (c->size / 4) * lanes, all = c->points * c->points;
    grow(&s->separated_size, c->engine->images * (4 * strip_rows(c) + 2) * (c->size + 2) * lanes);
    grow(&s->points_size, (c->kind == CONVOLUTION_SAME ? 1 : MOST_PLANES) * all * (channels / lanes * tiles + lanes));
    grow(&s->tiled_size, all * (channels / lanes * tiles + lanes));
    grow(&s->sums_size, (c->kind == CONVOLUTION_SAME ? 1 : MOST_PLANES) * all * (int)sum_floats(c));
    grow(&s->products_size, all * (c->engine->vectors * tiles + lanes));
}

void convolution_scratch_take(arena *a, convolution_scratch *s) {
    const size_t threads = (size_t)s->threads;
    s->folded = arena_take(a, s->folded_size);
    s->sums = arena_take(a, s->sums_size);
    s->tiled = arena_take(a, s->tiled_size);
    s->panels = arena_take(a, s->panels_size);
    s->halves = arena_take(a, s->halves_size * threads);
    s->strips = arena_take(a, s->strips_size * threads);
    s->separated = arena_take(a, s->separated_size * threads);
    s->points = arena_take(a, s->points_size * threads);
    s->products = arena_take(a, s->products_size * threads);
}

/* What is a thread's own. */
static convolution_scratch scratch_of(const convolution_scratch *s, int thread) {
    convolution_scratch own = *s;
    const size_t t = (size_t)thread;
    own.separated += s->separated_size * t;
    own.points += s->points_size * t;
    own.products += s->products_size * t;
    return own;
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
    const int lanes = c->engine->lanes, vectors = round_up(c->out, lanes) / lanes, stride = round_up(c->out, COLUMNS);
    for (int first = 0; first < vectors; first += c->engine->vectors) {
        const int q = vectors - first < c->engine->vectors ? vectors - first : c->engine->vectors, width = q * lanes;
        float *to = panels + (size_t)(first * lanes * c->taps * c->in) + (size_t)(tap_index * c->in * width);
        for (int i = 0; i < c->in; i++)
            memcpy(to + i * width, w + (size_t)(i * stride + first * lanes), (size_t)width * sizeof *to);
    }
}

static void pack_transposed(const convolution *c, const float *w, int tap_index, float *panels) {
    const int lanes = c->engine->lanes, vectors = round_up(c->in, lanes) / lanes, stride = round_up(c->out, COLUMNS);
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
            const tap t = tap_of(c, i, transposed);
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
    const int vectors = round_up(out, k->lanes) / k->lanes;
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

/* A tap as it is used: folded, times the gain. */
static void fold(const convolution *c, const float *weights, int t, float *folded) {
    const size_t tap_floats = (size_t)(c->in * round_up(c->out, COLUMNS));
    int from[4] = {t}, count = 1;
    if (c->kind != CONVOLUTION_SAME) count = folded_sources(c, t, from);
    const float *w[4];
    const float factor = c->gain * fold_gain(c), gain[4] = {factor, factor, factor, factor};
    for (int i = 0; i < count; i++) w[i] = weights + tap_floats * (size_t)from[i];
    ((const sg__kernels *)c->engine->kernels)->weighted_sum(folded, (int)tap_floats, w, gain, count);
}

static void pack_all(const convolution *c, const float *weights, const convolution_scratch *s, float *forward,
                     float *backward) {
    for (int t = 0; t < c->taps; t++) {
        fold(c, weights, t, s->folded);
        if (forward) pack(c, s->folded, t, forward);
        if (backward) pack_transposed(c, s->folded, t, backward);
    }
}

void convolution_prepare(const convolution *c, const float *weights, const convolution_scratch *s) {
    if (c->matrix) {
        for (int t = 0; t < c->taps; t++) {
            fold(c, weights, t, s->folded);
            matrix_take_tap(c, t, s->folded, s->panels);
        }
        matrix_pack(c, 0, s->panels, c->forward);
        matrix_pack(c, 1, s->panels, c->backward);
        return;
    }
    if (!c->points) {
        pack_all(c, weights, s, c->forward, c->backward);
        return;
    }
    pack_all(c, weights, s, s->panels, NULL);
    if (c->kind == CONVOLUTION_SPREAD)
        memcpy(c->edge, s->panels, (size_t)(c->taps * c->in * round_up(c->out, c->engine->lanes)) * sizeof *c->edge);
    transform_panels(c, 0, s->panels, c->forward);
    pack_all(c, weights, s, NULL, s->panels);
    transform_panels(c, 1, s->panels, c->backward);
}

/* Floats of one point of `rows` rows of tiles, `blocks` channel blocks: not a power of two, which would put the points
   into the same lines of the cache. */
static size_t point_floats(const convolution *c, int blocks, int rows) {
    return (size_t)((rows * c->engine->images * (c->size / 4) * blocks + 1) * c->engine->lanes);
}

/* Rows of tiles [begin, end) of one source, as [points^2][C/V][rows][N][tiles][V]. */
static void transform_input(const convolution *c, const map *x, const window *from, int begin, int end,
                            const convolution_scratch *s, float *out) {
    const sg__kernels *k = c->engine->kernels;
    const int tiles = c->size / 4, rows = 4 * (end - begin) + c->points - 4;
    const size_t pixels = (size_t)(c->size + 2), row_floats = pixels * (size_t)k->lanes;
    const size_t run = (size_t)(tiles * k->lanes), block = run * (size_t)(c->engine->images * (end - begin));
    const size_t point = point_floats(c, map_blocks(x), end - begin);
    for (int b = 0; b < map_blocks(x); b++) {
        for (int y = 0; y < rows; y++) /* the images lie side by side: take them apart, [N][rows][S + 2][V] */
            c->engine->elementwise->separate(
                s->separated + row_floats * (size_t)y, row_floats * (size_t)rows,
                map_row(x, from->plane, b, 4 * begin + from->dy + y) - c->engine->images * k->lanes, (int)pixels);
        for (int strip = 0; strip < end - begin; strip++)
            for (int n = 0; n < c->engine->images; n++) {
                const float *row[6];
                for (int y = 0; y < c->points; y++)
                    row[y] = s->separated + row_floats * (size_t)(n * rows + 4 * strip + y) + (from->dx + 1) * k->lanes;
                k->winograd_input(row, NULL, c->points, c->points, tiles,
                                  out + block * (size_t)b + run * (size_t)(strip * c->engine->images + n), point);
            }
    }
}

/* The inverse, for one block of output channels, from in [points^2 of `stride` floats][rows][N][tiles][V]. */
static void transform_output(const convolution *c, const map *y, int plane, int block, int begin, int end,
                             const float *in, size_t stride, const finish *f) {
    const sg__kernels *k = c->engine->kernels;
    const int tiles = c->size / 4;
    for (int strip = begin; strip < end; strip++) {
        for (int n = 0; n < c->engine->images; n++, in += tiles * k->lanes)
            k->winograd_output(in, stride, c->points, c->points, tiles,
                               map_row(y, plane, block, 4 * strip) + n * k->lanes, map_row_floats(y),
                               (size_t)(c->engine->images * k->lanes));
        for (int at = 4 * strip; f && at < 4 * strip + 4; at++)
            f->row(f, block, at, map_row(y, plane, block, at), c->size);
    }
}

/* A convolution as items: strips of rows, times parts of the output's channel groups. */
typedef struct convolve_job {
    const convolution *c;
    int transposed;
    const map *x, *y;
    const finish *f;
    const convolution_scratch *s;
    int rows, strips, parts; /* rows of a strip: of tiles, or of pixels */
} convolve_job;

typedef struct item_range {
    int begin, end;    /* rows */
    int first, blocks; /* channel blocks of the output, up to this one */
} item_range;

static int group_count(const convolve_job *j) {
    return (map_blocks(j->y) + j->c->engine->vectors - 1) / j->c->engine->vectors;
}

static item_range range_of(const convolve_job *j, int item, int all_rows) {
    const int strip = item / j->parts, part = item % j->parts, groups = group_count(j), q = j->c->engine->vectors;
    item_range r = {strip * j->rows, (strip + 1) * j->rows, groups * part / j->parts * q,
                    groups * (part + 1) / j->parts * q};
    if (r.end > all_rows) r.end = all_rows;
    if (r.blocks > map_blocks(j->y)) r.blocks = map_blocks(j->y);
    return r;
}

/* The products of one point, over all tiles and channels of a strip, are a 1x1 convolution. panels: of the group, the
   plane; first: channel block of the output. */
static void multiply_points(const convolve_job *j, const convolution_scratch *s, int count, int width, int q,
                            const float *panels) {
    const sg__kernels *k = j->c->engine->kernels;
    const int lanes = k->lanes, all = j->c->points * j->c->points;
    const size_t point = (size_t)((map_blocks(j->x) * width + 1) * lanes), panel = (size_t)(j->x->channels * q * lanes);
    for (int p = 0; p < all; p++) {
        sg__row row = {.input = s->points + point * (size_t)p,
                       .input_block = (size_t)(width * lanes),
                       .channels = j->x->channels,
                       .taps = count,
                       .output = s->products + (size_t)(p * (q * width + 1) * lanes),
                       .output_pixel = (size_t)lanes,
                       .output_vector = (size_t)(width * lanes),
                       .width = width};
        for (int i = 0; i < count; i++) {
            row.offset[i] = (ptrdiff_t)point * all * i;
            row.panel[i] = panels + panel * (size_t)(p * count + i);
        }
        k->convolve(&row, q);
    }
}

/* The convolution in tiles. */
static void convolve_tiles(void *context, int item, int thread) {
    const convolve_job *j = context;
    const convolution *c = j->c;
    const map *x = j->x, *y = j->y;
    const sg__kernels *k = c->engine->kernels;
    const convolution_scratch own = scratch_of(j->s, thread);
    const int lanes = k->lanes, tiles = c->size / 4, all = c->points * c->points;
    const item_range r = range_of(j, item, tiles);
    const int width = (r.end - r.begin) * c->engine->images * tiles;
    const size_t point = point_floats(c, map_blocks(x), r.end - r.begin);
    for (int plane = 0; plane < y->planes; plane++) {
        window sources[MOST_PLANES];
        const int count = sources_of(c, j->transposed, plane, sources);
        for (int i = 0; i < count; i++)
            transform_input(c, x, &sources[i], r.begin, r.end, &own, own.points + point * (size_t)(all * i));
        for (int first = r.first; first < r.blocks; first += k->vectors) {
            const int q = r.blocks - first < k->vectors ? r.blocks - first : k->vectors;
            const size_t panel = (size_t)(x->channels * q * lanes), product = (size_t)((q * width + 1) * lanes);
            const float *panels = (j->transposed ? c->backward : c->forward) +
                                  (size_t)(first * lanes * x->channels) * (size_t)(y->planes * count * all) +
                                  panel * (size_t)(plane * count * all);
            multiply_points(j, &own, count, width, q, panels);
            for (int v = 0; v < q; v++)
                transform_output(c, y, plane, first + v, r.begin, r.end, own.products + width * lanes * v, product,
                                 j->f);
        }
    }
}

static void convolve_rows(void *context, int item, int thread) {
    const convolve_job *j = context;
    const convolution *c = j->c;
    const map *x = j->x, *y = j->y;
    const sg__kernels *k = c->engine->kernels;
    const int lanes = k->lanes;
    const item_range r = range_of(j, item, c->size);
    (void)thread;
    for (int first = r.first; first < r.blocks; first += k->vectors) {
        const int q = r.blocks - first < k->vectors ? r.blocks - first : k->vectors;
        const float *panel =
            (j->transposed ? c->backward : c->forward) + (size_t)(first * lanes * c->taps * x->channels);
        for (int plane = 0; plane < y->planes; plane++) {
            sg__row row = {.input_block = map_block_floats(x),
                           .channels = x->channels,
                           .output_pixel = (size_t)lanes,
                           .output_vector = map_block_floats(y),
                           .width = c->size * c->engine->images};
            for (int i = 0; i < c->taps; i++) {
                const tap t = tap_of(c, i, j->transposed);
                if (t.out_plane != plane) continue;
                row.offset[row.taps] =
                    (map_row(x, t.in_plane, 0, t.dy) - map_row(x, 0, 0, 0)) + t.dx * c->engine->images * lanes;
                row.panel[row.taps++] = panel + (size_t)(i * x->channels * q * lanes);
            }
            for (int at = r.begin; at < r.end; at++) {
                row.input = map_row(x, 0, 0, at);
                row.output = map_row(y, plane, first, at);
                k->convolve(&row, q);
                for (int v = 0; j->f && v < q; v++)
                    j->f->row(j->f, first + v, at, map_row(y, plane, first + v, at), c->size);
            }
        }
    }
}

/* How much a convolution is, for engine_each: a multiply-add is a sixteenth of a float that comes from memory. */
static size_t work_of(const convolution *c) {
    return (size_t)c->in * (size_t)c->out * (size_t)(c->taps * c->size * c->size * c->engine->images) / 16;
}

/* The forward pass, or, transposed, the backward pass, which are the same but for the direction of the taps. Rows are
   finished in order: by several threads only when all are there. */
static void convolve(const convolution *c, int transposed, const map *x, const map *y, const finish *f,
                     const convolution_scratch *s) {
    const engine *e = c->engine;
    convolve_job j = {c, transposed, x, y, e->pool ? NULL : f, s, 0, 0, 1};
    const int rows = c->points ? c->size / 4 : c->size, groups = group_count(&j);
    j.rows = c->points ? strip_rows(c) : (rows + e->threads - 1) / e->threads;
    j.strips = (rows + j.rows - 1) / j.rows;
    if (j.strips < e->threads) j.parts = (e->threads + j.strips - 1) / j.strips;
    if (j.parts > groups) j.parts = groups;
    engine_each(e, work_of(c), j.strips * j.parts, c->points ? convolve_tiles : convolve_rows, &j);
    if (e->pool && f) map_finish(y, f);
}

/* `width` pixels of row `at` of a plane, from column `left` on. */
static void convolve_edge(const convolution *c, const map *x, const map *y, int plane, int at, int left, int width) {
    const sg__kernels *k = c->engine->kernels;
    const int lanes = k->lanes, blocks = map_blocks(y), column = left * c->engine->images * lanes;
    for (int first = 0; first < blocks; first += k->vectors) {
        const int q = blocks - first < k->vectors ? blocks - first : k->vectors;
        sg__row row = {.input = map_row(x, 0, 0, at) + column,
                       .input_block = map_block_floats(x),
                       .channels = x->channels,
                       .output = map_row(y, plane, first, at) + column,
                       .output_pixel = (size_t)lanes,
                       .output_vector = map_block_floats(y),
                       .width = width * c->engine->images};
        for (int i = 0; i < c->taps; i++) {
            const tap t = tap_of(c, i, 0);
            if (t.out_plane != plane) continue;
            row.offset[row.taps] = (map_row(x, 0, 0, t.dy) - map_row(x, 0, 0, 0)) + t.dx * c->engine->images * lanes;
            row.panel[row.taps++] = c->edge + (size_t)((first * c->taps + i * q) * lanes * x->channels);
        }
        k->convolve(&row, q);
    }
}

/* Pixel -1 is an odd one, pixel 2S even. */
static void convolve_beyond(void *context, int plane, int thread) {
    const convolve_job *j = context;
    const convolution *c = j->c;
    const int top = plane & 2 ? -1 : c->size, left = plane & 1 ? -1 : c->size;
    (void)thread;
    convolve_edge(c, j->x, j->y, plane, top, left < 0 ? -1 : 0, c->size + 1);
    for (int at = 0; at < c->size; at++) convolve_edge(c, j->x, j->y, plane, at, left, 1);
}

void convolution_forward(const convolution *c, const map *x, const map *y, const finish *f,
                         const convolution_scratch *s) {
    convolve_job beyond = {.c = c, .x = x, .y = y};
    if (c->matrix) {
        matrix_convolve(c, 0, x, y, f, s);
        return;
    }
    convolve(c, 0, x, y, f, s);
    if (c->kind == CONVOLUTION_SPREAD)
        engine_each(c->engine, work_of(c) / (size_t)c->size, y->planes, convolve_beyond, &beyond);
}

void convolution_backward(const convolution *c, const map *dy, const map *dx, const finish *f,
                          const convolution_scratch *s) {
    if (c->matrix)
        matrix_convolve(c, 1, dy, dx, f, s);
    else
        convolve(c, 1, dy, dx, f, s);
}

/* Tile by tile of y's plane 0, as transform_input's counterpart in the products of a gradient. */
static void transform_tiles(const convolution *c, const map *y, int begin, int end, float *out) {
    const engine *e = c->engine;
    const int tiles = c->size / 4;
    const size_t pixel = (size_t)(e->images * e->lanes), point = point_floats(c, map_blocks(y), end - begin);
    for (int b = 0; b < map_blocks(y); b++)
        for (int strip = begin; strip < end; strip++)
            for (int n = 0; n < e->images; n++, out += tiles * e->lanes)
                e->elementwise->points(map_row(y, 0, b, 4 * strip) + n * e->lanes, map_row_floats(y), pixel, c->points,
                                       tiles, out, point);
}

/* The gradient as items: pairs of channel blocks of the output. */
typedef struct gradient_job {
    const convolution *c;
    const map *x, *dy;
    const float *x_points, *dy_points; /* of a strip */
    int tiles;                         /* of a strip */
    float *out;
    int set; /* out = instead of += */
} gradient_job;

static int first_of(int item) {
    return 2 * item;
}

static int vectors_of(const map *dy, int item) {
    return map_blocks(dy) - first_of(item) < 2 ? 1 : 2;
}

/* Tap by tap; the border of dy supplies the zeros. */
static void gradient_taps(void *context, int item, int thread) {
    const gradient_job *j = context;
    const convolution *c = j->c;
    const size_t stride = (size_t)round_up(c->out, COLUMNS);
    (void)thread;
    for (int i = 0; i < c->in; i += c->engine->lanes)
        for (int index = 0; index < c->taps; index++) {
            const tap t = tap_of(c, index, 0);
            const outer o = {.x = map_row(j->x, t.in_plane, i / c->engine->lanes, 0),
                             .dy = map_row(j->dy, t.out_plane, first_of(item), -t.dy) -
                                   t.dx * c->engine->images * c->engine->lanes,
                             .dy_block = map_block_floats(j->dy),
                             .x_row = map_row_floats(j->x),
                             .dy_row = map_row_floats(j->dy),
                             .rows = c->size,
                             .pixels = c->size * c->engine->images,
                             .in = c->in - i < c->engine->lanes ? c->in - i : c->engine->lanes,
                             .vectors = vectors_of(j->dy, item),
                             .out = j->out + stride * (size_t)(index * c->in + i) + first_of(item) * c->engine->lanes,
                             .out_row = stride};
            c->engine->elementwise->outer(&o);
        }
}

/* Point by point of a strip of tiles. */
static void gradient_points(void *context, int item, int thread) {
    const gradient_job *j = context;
    const convolution *c = j->c;
    const size_t stride = (size_t)round_up(c->out, COLUMNS), block = (size_t)(j->tiles * c->engine->lanes);
    (void)thread;
    for (int p = 0; p < c->points * c->points; p++) {
        const outer o = {.x = j->x_points + (block * (size_t)map_blocks(j->x) + (size_t)c->engine->lanes) * (size_t)p,
                         .dy = j->dy_points +
                               (block * (size_t)map_blocks(j->dy) + (size_t)c->engine->lanes) * (size_t)p +
                               block * (size_t)first_of(item),
                         .x_block = block,
                         .dy_block = block,
                         .rows = 1,
                         .pixels = j->tiles,
                         .in = c->in,
                         .vectors = vectors_of(j->dy, item),
                         .out = j->out + sum_floats(c) * (size_t)p + first_of(item) * c->engine->lanes,
                         .out_row = stride,
                         .set = j->set};
        c->engine->elementwise->outer(&o);
    }
}

/* Winograd's algorithm, transposed: the tiles are those of the side that has but one plane. */
static void gradient_tiles(const convolution *c, const map *x, const map *dy, float *gradient,
                           const convolution_scratch *s) {
    const int transposed = planes_out(c) > 1, all = c->points * c->points, rows = strip_rows(c);
    const int items = (map_blocks(dy) + 1) / 2;
    const map *seen = transposed ? dy : x, *tiled = transposed ? x : dy;
    const size_t tap_floats = (size_t)(c->in * round_up(c->out, COLUMNS)), sums = sum_floats(c) * (size_t)all;
    window sources[MOST_PLANES];
    const int count = sources_of(c, transposed, 0, sources);
    if (round_up(c->out, c->engine->lanes) < round_up(c->out, COLUMNS)) /* columns that no vector writes */
        memset(s->sums, 0, sums * (size_t)count * sizeof *s->sums);
    for (int begin = 0; begin < c->size / 4; begin += rows) {
        const int end = begin + rows < c->size / 4 ? begin + rows : c->size / 4;
        transform_tiles(c, tiled, begin, end, s->tiled);
        for (int i = 0; i < count; i++) {
            gradient_job j = {.c = c,
                              .x = x,
                              .dy = dy,
                              .x_points = transposed ? s->tiled : s->points,
                              .dy_points = transposed ? s->points : s->tiled,
                              .tiles = (end - begin) * c->engine->images * (c->size / 4),
                              .set = !begin,
                              .out = s->sums + sums * (size_t)i};
            transform_input(c, seen, &sources[i], begin, end, s, s->points);
            engine_each(c->engine, work_of(c), items, gradient_points, &j);
        }
    }
    for (int i = 0; i < count; i++) {
        float *taps[9];
        for (int t = 0; t < (c->points - 3) * (c->points - 3); t++)
            taps[t] = gradient + tap_floats * (size_t)sources[i].tap[t];
        c->engine->elementwise->taps(s->sums + sums * (size_t)i, sum_floats(c), c->points, tap_floats, taps);
    }
}

void convolution_unfold(const convolution *c, const float *folded, int first, int rows, float *gradient) {
    const size_t stride = (size_t)round_up(c->out, COLUMNS), count = stride * (size_t)rows;
    for (int t = 0; t < c->taps; t++) {
        int source[4];
        const int sources = folded_sources(c, t, source);
        for (int i = 0; i < sources; i++)
            c->engine->elementwise->add(gradient + stride * (size_t)(source[i] * c->in + first),
                                        folded + count * (size_t)t, fold_gain(c), count);
    }
}

void convolution_gradient(const convolution *c, const map *x, const map *dy, float *gradient,
                          const convolution_scratch *s) {
    const size_t tap_floats = (size_t)(c->in * round_up(c->out, COLUMNS));
    const int folded = c->kind != CONVOLUTION_SAME;
    float *out = folded ? s->folded : gradient;
    if (c->matrix) {
        matrix_gradient(c, x, dy, gradient, s);
        return;
    }
    if (folded) memset(out, 0, (size_t)c->taps * tap_floats * sizeof *out);
    if (c->points) {
        gradient_tiles(c, x, dy, out, s);
    } else {
        gradient_job j = {.c = c, .x = x, .dy = dy, .out = out};
        engine_each(c->engine, work_of(c), (map_blocks(dy) + 1) / 2, gradient_taps, &j);
    }
    if (folded) convolution_unfold(c, out, 0, c->in, gradient);
}

/* --- With the blur --- */

void blurred_forward(const convolution *c, const map *x, const map *planes, const map *y, const finish *f,
                     const convolution_scratch *s) {
    if (c->matrix) {
        matrix_convolve(c, 0, x, y, f, s);
    } else if (c->kind == CONVOLUTION_DOWN) {
        blur_split(c->engine, x, planes, 0);
        convolution_forward(c, planes, y, f, s);
    } else {
        convolution_forward(c, x, planes, NULL, s);
        blur_join(c->engine, planes, y, f);
    }
}

void blurred_backward(const convolution *c, const map *dy, const map *planes, const map *dx, const finish *f,
                      const convolution_scratch *s) {
    if (c->matrix) {
        matrix_convolve(c, 1, dy, dx, f, s);
    } else if (c->kind == CONVOLUTION_DOWN) {
        convolution_backward(c, dy, planes, NULL, s);
        blur_join(c->engine, planes, dx, f);
    } else {
        blur_split(c->engine, dy, planes, c->kind == CONVOLUTION_SPREAD);
        convolution_backward(c, planes, dx, f, s);
    }
}

void blurred_gradient(const convolution *c, const map *x, const map *dy, const map *planes, float *gradient,
                      const convolution_scratch *s) {
    const int down = c->kind == CONVOLUTION_DOWN;
    if (c->matrix)
        matrix_gradient(c, x, dy, gradient, s);
    else
        convolution_gradient(c, down ? planes : x, down ? dy : planes, gradient, s);
}
