/* matrix.c - see matrix.h. Rows of a map with their borders follow each other, and the images lie side by side, so that a tap
   is a constant distance between positions, whatever the row. A strip of rows at a time is turned into 16 bits, as large as
   leaves room in the second level cache. */
#define STYLEGAN_KERNELS
#include "../../stylegan.h"
#include "matrix.h"

#include <string.h>

enum {
    UNIT = 32,             /* values of a position: two channel blocks, or a block's pair of positions */
    STRIP_BYTES = 1 << 18, /* of what is turned */
    BEYOND = 32,           /* positions that the last tile may read behind a strip */
    MOST_SUMS = 6          /* tiles of sums */
};

static const sg__kernels *kernels_of(const convolution *c) {
    return c->engine->kernels;
}

static int blocks_of(int channels) {
    return round_up(channels, COLUMNS) / COLUMNS;
}

static int groups_of(int channels) {
    return (blocks_of(channels) + 1) / 2;
}

/* Positions from one row to the next. */
static int pitch_of(const convolution *c) {
    return (c->size + 2) * c->engine->images;
}

static int is_up(const convolution *c) {
    return c->kind == CONVOLUTION_UP || c->kind == CONVOLUTION_SPREAD;
}

/* Planes of the input and of the output. */
static int planes_of(const convolution *c, int output) {
    return output == is_up(c) && c->kind != CONVOLUTION_SAME ? MOST_PLANES : 1;
}

int matrix_serves(const convolution *c) {
    enum { LEAST = 32 }; /* channels that a single tap must have to pay for what is turned */
    if (!c->engine->mixed || c->engine->images != SHARD || c->size % 4) return 0;
    return c->kernel > 1 || (c->in >= LEAST && c->out >= LEAST);
}

/* Rows of a strip, of `bytes` each, besides the two around it: a multiple of 4. */
static int strip_rows(const convolution *c, int bytes) {
    const int rows = (STRIP_BYTES / bytes - 2) / 4 * 4;
    return rows < 4 ? 4 : rows > c->size ? c->size : rows;
}

/* --- The convolution and, transposed, the gradient of its input --- */

static int convolve_rows_of(const convolution *c, int transposed) {
    const int bytes = planes_of(c, transposed) * groups_of(transposed ? c->out : c->in) * pitch_of(c) * 2 * UNIT;
    return strip_rows(c, bytes);
}

/* Two channel blocks are multiplied at once, those of one tap. A single one is multiplied with two taps side by side. */
typedef struct taken {
    tap t;
    int index, right; /* taps; -1: none */
} taken;

static int is_alone(const convolution *c, int transposed) {
    return blocks_of(transposed ? c->out : c->in) == 1;
}

/* What an output plane sees: how many products it takes, and these unless NULL. */
static int taken_by(const convolution *c, int transposed, int plane, taken *products) {
    int count = 0, used[SG__MAX_TAPS] = {0};
    for (int dx = -1; dx <= 1; dx++)
        for (int i = 0; i < c->taps; i++) {
            const tap t = tap_of(c, i, transposed);
            if (t.out_plane != plane || t.dx != dx || used[i]) continue;
            int right = -1;
            for (int k = 0; k < c->taps && is_alone(c, transposed); k++) {
                const tap next = tap_of(c, k, transposed);
                if (next.out_plane == plane && next.in_plane == t.in_plane && next.dy == t.dy && next.dx == dx + 1)
                    right = k;
            }
            if (right >= 0) used[right] = 1;
            if (products) products[count] = (taken){t, i, right};
            count++;
        }
    return count;
}

/* Values of a group of q vectors of an output plane. */
static size_t packed_values(const convolution *c, int transposed, int q) {
    return (size_t)(groups_of(transposed ? c->out : c->in) * taken_by(c, transposed, 0, NULL) * q * COLUMNS * UNIT);
}

size_t matrix_weights(const convolution *c, int transposed) {
    const int vectors = blocks_of(transposed ? c->in : c->out);
    return packed_values(c, transposed, vectors) * (size_t)planes_of(c, !transposed) / 2;
}

static int vectors_from(const convolution *c, int transposed, int first) {
    const int left = blocks_of(transposed ? c->in : c->out) - first;
    return left < c->engine->vectors ? left : c->engine->vectors;
}

/* As if the tap on the right had the channels of a second block. */
static void pack_alone(const convolution *c, const taken *products, int count, const float *panels, size_t tap_floats,
                       int q, uint16_t *to) {
    enum { MOST_VECTORS = 2 };
    float both[2 * COLUMNS * MOST_VECTORS * COLUMNS];
    const float *const source = both;
    const size_t half = (size_t)(COLUMNS * q * COLUMNS);
    for (int i = 0; i < count; i++, to += q * COLUMNS * UNIT) {
        memset(both, 0, sizeof both);
        memcpy(both, panels + tap_floats * (size_t)products[i].index, tap_floats * sizeof *both);
        if (products[i].right >= 0)
            memcpy(both + half, panels + tap_floats * (size_t)products[i].right, tap_floats * sizeof *both);
        kernels_of(c)->pack(&source, 1, 2 * COLUMNS, q, 1, to);
    }
}

void matrix_pack(const convolution *c, int transposed, const float *panels, float *packed) {
    const int in = transposed ? c->out : c->in, vectors = blocks_of(transposed ? c->in : c->out);
    uint16_t *to = (uint16_t *)(void *)packed;
    for (int first = 0; first < vectors; first += c->engine->vectors) {
        const int q = vectors_from(c, transposed, first);
        const size_t tap_floats = (size_t)(in * q * COLUMNS);
        for (int plane = 0; plane < planes_of(c, !transposed); plane++) {
            taken products[SG__MAX_TAPS];
            const float *taps[SG__MAX_TAPS];
            const int count = taken_by(c, transposed, plane, products);
            for (int i = 0; i < count; i++) taps[i] = panels + tap_floats * (size_t)products[i].index;
            if (is_alone(c, transposed))
                pack_alone(c, products, count, panels, tap_floats, q, to);
            else
                kernels_of(c)->pack(taps, count, in, q, 1, to);
            to += packed_values(c, transposed, q);
        }
        panels += tap_floats * (size_t)c->taps;
    }
}

/* The leftmost pixel of a row's border. */
static const float *row_start(const map *x, int plane, int block, int y) {
    return map_row(x, plane, block, y) - x->images * x->lanes;
}

/* `rows` rows from `begin` on as [planes][groups][positions][32]. What is right of the last border, no product needs. */
static void turn_strip(const convolution *c, const map *x, int begin, int rows, uint16_t *to) {
    const int positions = rows * pitch_of(c), images = c->engine->images;
    for (int plane = 0; plane < x->planes; plane++)
        for (int b = 0; b < map_blocks(x); b += 2, to += positions * UNIT) {
            const float *first = row_start(x, plane, b, begin), *last = first + (positions - images) * COLUMNS;
            const float *const block[2] = {first, b + 1 < map_blocks(x) ? row_start(x, plane, b + 1, begin) : NULL};
            const float *const pixels[2] = {first, first + images * COLUMNS}, *const rest[2] = {last, last};
            if (map_blocks(x) > 1) {
                kernels_of(c)->split(block, NULL, positions, 1, 0, to);
            } else {
                kernels_of(c)->split(pixels, NULL, positions - images, 1, 0, to);
                kernels_of(c)->split(rest, NULL, images, 1, 0, to + (positions - images) * UNIT);
            }
        }
}

/* Output rows [top, bottom) of a plane, pixels [left, left + width) of each. */
typedef struct part {
    int plane, top, bottom, left, width;
} part;

/* SPREAD reaches pixel -1, an odd one, and pixel 2S, an even one. */
static part part_of(const convolution *c, int transposed, int plane, int begin, int end) {
    const int odd_rows = plane >> 1, odd_columns = plane & 1;
    part p = {plane, begin, end, 0, c->size};
    if (c->kind != CONVOLUTION_SPREAD || transposed) return p;
    if (odd_rows && !begin) p.top--;
    if (!odd_rows && end == c->size) p.bottom++;
    if (odd_columns) p.left--;
    p.width++;
    return p;
}

static int tiles_of(int positions) {
    return (positions + COLUMNS - 1) / COLUMNS;
}

/* Row by row; or at once, if no more tiles are needed for the borders between rows than for the ends of rows. */
static void multiply_part(const convolution *c, sg__product *product, const map *y, const part *p, int first, int begin,
                          int q) {
    const uint16_t *strip = product->input;
    const int images = c->engine->images, width = p->width * images, rows = p->bottom - p->top;
    const int all = (rows - 1) * product->pitch + width, at_once = tiles_of(all) <= rows * tiles_of(width);
    product->positions = at_once ? all : width;
    product->width = width;
    for (int row = p->top; row < p->bottom; row += at_once ? rows : 1) {
        product->input = strip + ((row - begin + 1) * product->pitch + (p->left + 1) * images) * UNIT;
        product->output = map_row(y, p->plane, first, row) + p->left * images * COLUMNS;
        kernels_of(c)->multiply(product, q);
    }
    product->input = strip;
}

void matrix_convolve(const convolution *c, int transposed, const map *x, const map *y, const finish *f,
                     const convolution_scratch *s) {
    const int rows = convolve_rows_of(c, transposed), pitch = pitch_of(c), blocks = map_blocks(y);
    uint16_t *strip = (uint16_t *)(void *)s->halves;
    for (int begin = 0; begin < c->size; begin += rows) {
        const int end = begin + rows < c->size ? begin + rows : c->size, positions = (end - begin + 2) * pitch;
        const uint16_t *weights = (const uint16_t *)(const void *)(transposed ? c->backward : c->forward);
        turn_strip(c, x, begin - 1, end - begin + 2, strip);
        for (int first = 0; first < blocks; first += c->engine->vectors) {
            const int q = vectors_from(c, transposed, first), groups = groups_of(x->channels);
            for (int plane = 0; plane < y->planes; plane++, weights += packed_values(c, transposed, q)) {
                const part p = part_of(c, transposed, plane, begin, end);
                sg__product product = {.input = strip,
                                       .terms = 1,
                                       .group = (size_t)(positions * UNIT),
                                       .groups = groups,
                                       .weights = weights,
                                       .pitch = pitch,
                                       .output_row = map_row_floats(y),
                                       .output_pixel = COLUMNS,
                                       .output_vector = map_block_floats(y)};
                taken products[SG__MAX_TAPS];
                product.taps = taken_by(c, transposed, plane, products);
                for (int i = 0; i < product.taps; i++) {
                    const tap t = products[i].t;
                    product.offset[i] = t.in_plane * groups * positions + t.dy * pitch + t.dx * c->engine->images;
                }
                multiply_part(c, &product, y, &p, first, begin, q);
                for (int row = begin; f && row < end; row++)
                    for (int v = 0; v < q; v++) f->row(f, first + v, row, map_row(y, plane, first + v, row), c->size);
            }
        }
    }
}

/* --- The gradient of the weights --- */

/* A strip's positions p and p + H, H half of them, are a pair, so that a tap is a distance between pairs as well: of x,
   [planes][blocks][H / 16][16 channels][16 pairs], of dy, [planes][blocks][pairs][16 channels], from a row above the
   strip to a row below, and a border's pixel more, which meets only the zeros of x's border. */
static int gradient_rows_of(const convolution *c) {
    const int blocks = planes_of(c, 0) * blocks_of(c->in) + planes_of(c, 1) * blocks_of(c->out);
    return strip_rows(c, blocks * pitch_of(c) * UNIT);
}

static int pairs_of(const convolution *c, int rows) {
    return rows / 2 * pitch_of(c);
}

static int output_pairs(const convolution *c, int rows) {
    return pairs_of(c, rows) + 2 * pitch_of(c) + 2 * c->engine->images;
}

size_t matrix_halves(const convolution *c) {
    const int rows = gradient_rows_of(c);
    size_t most = (size_t)(planes_of(c, 0) * blocks_of(c->in) * pairs_of(c, rows) +
                           planes_of(c, 1) * blocks_of(c->out) * output_pairs(c, rows));
    for (int transposed = 0; transposed < 2; transposed++) {
        const int turned = (convolve_rows_of(c, transposed) + 2) * pitch_of(c);
        const int groups = planes_of(c, transposed) * groups_of(transposed ? c->out : c->in);
        if (most < (size_t)(turned * groups + BEYOND)) most = (size_t)(turned * groups + BEYOND);
    }
    return most * UNIT / 2;
}

static void turn_input(const convolution *c, const map *x, int begin, int pairs, uint16_t *to) {
    for (int plane = 0; plane < x->planes; plane++)
        for (int b = 0; b < map_blocks(x); b++, to += pairs * UNIT) {
            const float *first = row_start(x, plane, b, begin);
            kernels_of(c)->turn(first, first + pairs * COLUMNS, pairs, to);
        }
}

static void turn_output(const convolution *c, const map *dy, int begin, int pairs, uint16_t *to) {
    const int border = c->engine->images * UNIT, used = pairs + 2 * pitch_of(c);
    for (int plane = 0; plane < dy->planes; plane++)
        for (int b = 0; b < map_blocks(dy); b++, to += used * UNIT + 2 * border) {
            const float *first = row_start(dy, plane, b, begin - 1);
            const float *const halves[2] = {first, first + pairs * COLUMNS};
            memset(to, 0, (size_t)border * sizeof *to);
            kernels_of(c)->split(halves, NULL, used, 1, 0, to + border);
            memset(to + border + used * UNIT, 0, (size_t)border * sizeof *to);
        }
}

/* Sums of the taps that see one plane of x. */
typedef struct strip_gradient {
    const convolution *c;
    int pairs, span; /* of x, of dy */
    int taps, index[SG__MAX_TAPS];
    const uint16_t *x, *dy; /* [blocks of this plane], [planes][blocks] */
    float *out;             /* [taps][rows][O rounded up to 16] */
    int first, rows, set;   /* from this block on */
} strip_gradient;

/* Columns [first, first + count), of which each is a tap of a block of outputs, for one block of inputs. */
static void correlate(const strip_gradient *g, int block, int first, int count) {
    const convolution *c = g->c;
    const int row = (block - g->first) * COLUMNS, used = g->rows - row, stride = round_up(c->out, COLUMNS);
    const int images = c->engine->images;
    float rest[MOST_SUMS][COLUMNS * COLUMNS], *to[MOST_SUMS];
    sg__correlation k = {.turned = g->x + (size_t)(block * g->pairs * UNIT),
                         .steps = g->pairs / COLUMNS,
                         .count = count,
                         .row = (size_t)stride,
                         .set = g->set};
    for (int i = 0; i < count; i++) {
        const int output = (first + i) / g->taps, index = g->index[(first + i) % g->taps];
        const tap t = tap_of(c, index, 0);
        const int at = pitch_of(c) + images - t.dy * pitch_of(c) - t.dx * images;
        k.pairs[i] = g->dy + ((t.out_plane * blocks_of(c->out) + output) * g->span + at) * UNIT;
        k.sum[i] = to[i] = g->out + (index * g->rows + row) * stride + output * COLUMNS;
    }
    if (used < COLUMNS) { /* what a tile has more must not go into the next tap */
        for (int i = 0; i < count; i++) k.sum[i] = rest[i];
        k.row = COLUMNS;
        k.set = 1;
    }
    kernels_of(c)->correlate(&k);
    for (int i = 0; used < COLUMNS && i < count; i++)
        for (int j = 0; j < used * COLUMNS; j++) {
            float *sum = to[i] + j / COLUMNS * stride + j % COLUMNS;
            *sum = g->set ? rest[i][j] : *sum + rest[i][j];
        }
}

/* Those of blocks up to `end`. */
static void correlate_all(const strip_gradient *g, int end) {
    const int columns = g->taps * blocks_of(g->c->out), calls = (columns + MOST_SUMS - 1) / MOST_SUMS;
    for (int i = 0; i < calls; i++) {
        const int first = columns * i / calls, count = columns * (i + 1) / calls - first;
        for (int block = g->first; block < end; block++) correlate(g, block, first, count);
    }
}

static void turn_both(const convolution *c, const map *x, const map *dy, int begin, int pairs, uint16_t *turned) {
    turn_input(c, x, begin, pairs, turned);
    turn_output(c, dy, begin, pairs, turned + x->planes * map_blocks(x) * pairs * UNIT);
}

/* Where one strip is all, one block of inputs after the other: the folded taps of all would not stay in the cache. */
void matrix_gradient(const convolution *c, const map *x, const map *dy, float *gradient, const convolution_scratch *s) {
    const int strip = gradient_rows_of(c), folded = c->kind != CONVOLUTION_SAME, once = strip >= c->size;
    const int blocks = blocks_of(c->in), chunk = folded && once ? 1 : blocks;
    uint16_t *turned = (uint16_t *)(void *)s->halves;
    for (int first = 0; first < blocks; first += chunk) {
        const int last = (first + chunk) * COLUMNS < c->in ? (first + chunk) * COLUMNS : c->in;
        const int rows = last - first * COLUMNS;
        for (int begin = 0; begin < c->size; begin += strip) {
            const int count = begin + strip < c->size ? strip : c->size - begin, pairs = pairs_of(c, count);
            const int plane_values = blocks * pairs * UNIT;
            if (!once || !first) turn_both(c, x, dy, begin, pairs, turned);
            for (int plane = 0; plane < x->planes; plane++) {
                strip_gradient g = {.c = c,
                                    .pairs = pairs,
                                    .span = output_pairs(c, count),
                                    .x = turned + plane * plane_values,
                                    .dy = turned + x->planes * plane_values,
                                    .out = folded ? s->folded : gradient,
                                    .first = first,
                                    .rows = rows,
                                    .set = folded && !begin};
                for (int i = 0; i < c->taps; i++)
                    if (tap_of(c, i, 0).in_plane == plane) g.index[g.taps++] = i;
                correlate_all(&g, first + chunk);
            }
        }
        if (folded) convolution_unfold(c, s->folded, first * COLUMNS, rows, gradient);
    }
}
