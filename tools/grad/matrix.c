/* matrix.c - see matrix.h. Rows of a map with their borders follow each other, and the images lie side by side, so that a tap
   is a constant distance between positions, whatever the row. A strip of rows at a time is turned into 16 bits, as large as
   leaves room in the second level cache. */
#define STYLEGAN_KERNELS
#include "../../stylegan.h"
#include "matrix.h"

#include <string.h>

enum {
    UNIT = 32,             /* values of a position: two channel blocks, or a block's pair of positions */
    STRIP_BYTES = 3 << 18, /* of what is turned */
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
    enum { LEAST = 16 }; /* channels that a single tap must have to pay for what is turned */
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
    const int row = pitch_of(c) * 2 * UNIT, in = groups_of(transposed ? c->out : c->in);
    const int joined = planes_of(c, !transposed) > 1 ? MOST_PLANES * blocks_of(transposed ? c->in : c->out) : 0;
    return strip_rows(c, (planes_of(c, transposed) * in + joined) * row);
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

/* Floats of a folded tap, [O / 16][I][16], both of whole groups. */
static size_t folded_floats(const convolution *c) {
    return (size_t)(round_up(c->in, UNIT) * round_up(c->out, UNIT));
}

size_t matrix_panels(const convolution *c) {
    return folded_floats(c) * (size_t)c->taps;
}

void matrix_take_tap(const convolution *c, int index, const float *folded, float *panels) {
    const int rows = round_up(c->in, UNIT), stride = round_up(c->out, COLUMNS);
    float *to = panels + folded_floats(c) * (size_t)index;
    memset(to, 0, folded_floats(c) * sizeof *to);
    for (int i = 0; i < c->in; i++)
        for (int o = 0; o < blocks_of(c->out); o++)
            memcpy(to + (o * rows + i) * COLUMNS, folded + i * stride + o * COLUMNS, COLUMNS * sizeof *to);
}

/* A product's weights of two blocks of inputs, or of one and a tap on the right (NULL: none), for a block of outputs. */
static void pack_tile(const convolution *c, int transposed, const float *left, const float *right, int input,
                      int output, uint16_t *to) {
    static const float zeros[COLUMNS * COLUMNS];
    const int rows = round_up(c->in, UNIT), alone = is_alone(c, transposed);
    const int in = transposed ? output : input, out = transposed ? input : output;
    const size_t at = (size_t)((out * rows + in * COLUMNS) * COLUMNS);
    const size_t next = (size_t)((transposed ? rows : COLUMNS) * COLUMNS);
    const float *const both[2] = {left + at, !alone ? left + at + next : right ? right + at : zeros};
    if (transposed)
        kernels_of(c)->turn(both[0], both[1], COLUMNS, to);
    else
        kernels_of(c)->split(both, NULL, COLUMNS, 1, 0, to);
}

void matrix_pack(const convolution *c, int transposed, const float *panels, float *packed) {
    const int vectors = blocks_of(transposed ? c->in : c->out), groups = groups_of(transposed ? c->out : c->in);
    uint16_t *to = (uint16_t *)(void *)packed;
    for (int first = 0; first < vectors; first += c->engine->vectors)
        for (int plane = 0; plane < planes_of(c, !transposed); plane++) {
            taken products[SG__MAX_TAPS];
            const int count = taken_by(c, transposed, plane, products), q = vectors_from(c, transposed, first);
            for (int i = 0; i < groups * count * q; i++, to += COLUMNS * UNIT) {
                const taken *p = &products[i / q % count];
                const float *right = p->right < 0 ? NULL : panels + folded_floats(c) * (size_t)p->right;
                pack_tile(c, transposed, panels + folded_floats(c) * (size_t)p->index, right, i / q / count * 2,
                          first + i % q, to);
            }
        }
}

/* The leftmost pixel of a row's border. */
static const float *row_start(const map *x, int plane, int block, int y) {
    return map_row(x, plane, block, y) - x->images * x->lanes;
}

/* Positions of one or two channel blocks, as a product's. The last pixels of a single block have none on their right; no
   product needs it. */
static void turn_positions(const convolution *c, const float *const *block, int positions, uint16_t *to) {
    const int images = c->engine->images, most = positions - images;
    const float *const right[2] = {block[0], block[0] + images * COLUMNS};
    const float *const last[2] = {block[0] + most * COLUMNS, block[0] + most * COLUMNS};
    if (block[1]) {
        kernels_of(c)->split(block, NULL, positions, 1, 0, to);
    } else {
        kernels_of(c)->split(right, NULL, most, 1, 0, to);
        kernels_of(c)->split(last, NULL, images, 1, 0, to + most * UNIT);
    }
}

/* A map of 2S x 2S stands for four planes. */
static int is_whole(const convolution *c, const map *m) {
    return m->size > c->size;
}

/* Rows of planes, with their borders, in scratch. */
static size_t row_floats(const convolution *c) {
    return (size_t)(pitch_of(c) * COLUMNS);
}

/* What blur_split makes of x: row y of the even (0) or odd (1) rows, its even and its odd columns. */
static void blurred_row(const convolution *c, const map *x, int block, int y, int odd, float *even_row,
                        float *odd_row) {
    const int beyond = c->kind == CONVOLUTION_SPREAD, row = 2 * y + odd, border = c->engine->images * COLUMNS;
    float *const rows[2] = {even_row, odd_row};
    const int there = row >= -beyond && row < x->size + beyond;
    const size_t cleared = there ? (size_t)border : row_floats(c);
    for (int i = 0; i < 2; i++) {
        memset(rows[i], 0, cleared * sizeof(float));
        memset(rows[i] + row_floats(c) - border, 0, (size_t)border * sizeof(float));
    }
    if (there) blur_split_row(c->engine, x, block, row, beyond, even_row + border, odd_row + border);
}

static void turn_blurred_strip(const convolution *c, const map *x, int begin, int rows, float *scratch, uint16_t *to) {
    const int pitch = pitch_of(c), groups = groups_of(x->channels);
    float *row[2][2]; /* [blocks][columns] */
    for (int i = 0; i < 4; i++) row[i / 2][i % 2] = scratch + row_floats(c) * (size_t)i;
    for (int b = 0; b < map_blocks(x); b += 2)
        for (int i = 0; i < 2 * rows; i++) {
            const int both = b + 1 < map_blocks(x), odd = i % 2;
            for (int k = 0; k <= both; k++) blurred_row(c, x, b + k, begin + i / 2, odd, row[k][0], row[k][1]);
            for (int k = 0; k < 2; k++) {
                const float *const block[2] = {row[0][k], both ? row[1][k] : NULL};
                const int plane = 2 * odd + k;
                turn_positions(c, block, pitch, to + ((plane * groups + b / 2) * rows + i / 2) * pitch * UNIT);
            }
        }
}

/* `rows` rows from `begin` on as [planes][groups][positions][32]. */
static void turn_strip(const convolution *c, const map *x, int begin, int rows, float *scratch, uint16_t *to) {
    const int positions = rows * pitch_of(c);
    if (is_whole(c, x)) {
        turn_blurred_strip(c, x, begin, rows, scratch, to);
        return;
    }
    for (int plane = 0; plane < x->planes; plane++)
        for (int b = 0; b < map_blocks(x); b += 2, to += positions * UNIT) {
            const float *const block[2] = {row_start(x, plane, b, begin),
                                           b + 1 < map_blocks(x) ? row_start(x, plane, b + 1, begin) : NULL};
            turn_positions(c, block, positions, to);
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

/* Where rows of the output go: rows of a map, or [planes][blocks][rows], from the one above the strip to the one below. */
typedef struct target {
    float *data; /* the first block's first pixel of row 0 */
    size_t plane, block, row;
} target;

static target target_map(const map *y) {
    return (target){map_row(y, 0, 0, 0), map_plane_floats(y), map_block_floats(y), map_row_floats(y)};
}

static target target_strip(const convolution *c, float *strip, int blocks, int rows, int begin) {
    const size_t row = row_floats(c), block = row * (size_t)(rows + 2);
    return (target){strip + (ptrdiff_t)row * (1 - begin) + c->engine->images * COLUMNS, block * (size_t)blocks, block,
                    row};
}

static float *target_row(const target *t, int plane, int block, int row) {
    return t->data + t->plane * (size_t)plane + t->block * (size_t)block + (ptrdiff_t)t->row * row;
}

/* Row by row; or at once, if no more tiles are needed for the borders between rows than for the ends of rows. */
static void multiply_part(const convolution *c, sg__product *product, const target *to, const part *p, int first,
                          int begin, int q) {
    const int images = c->engine->images, width = p->width * images, rows = p->bottom - p->top;
    const int all = (rows - 1) * product->pitch + width, at_once = tiles_of(all) <= rows * tiles_of(width);
    product->positions = at_once ? all : width;
    product->width = width;
    product->output_row = to->row;
    product->output_vector = to->block;
    product->rows = at_once ? 1 : rows;
    product->input += ((p->top - begin + 1) * product->pitch + (p->left + 1) * images) * UNIT;
    product->output = target_row(to, p->plane, first, p->top) + p->left * images * COLUMNS;
    kernels_of(c)->multiply(product, q);
}

/* Joins the planes' rows to y's, as far as they are there: all but the last, which needs the one below. */
static void join_strip(const convolution *c, const map *y, const target *from, int begin, int end, const finish *f) {
    const int first = begin ? 2 * begin - 1 : 0, last = end == c->size ? 2 * end : 2 * end - 1;
    for (int b = 0; b < map_blocks(y); b++)
        for (int row = first; row < last; row++) {
            const float *rows[2][3];
            for (int i = 0; i < 6; i++) {
                const int at = row - 1 + i / 2, odd = at & 1;
                rows[i % 2][i / 2] = target_row(from, 2 * odd + i % 2, b, (at - odd) / 2);
            }
            c->engine->elementwise->blur_join(rows[0], rows[1], c->size, map_row(y, 0, b, row));
            if (f) f->row(f, b, row, map_row(y, 0, b, row), y->size);
        }
}

static size_t joined_floats(const convolution *c, int blocks, int rows) {
    return row_floats(c) * (size_t)(MOST_PLANES * blocks * (rows + 2));
}

static size_t floats_between(const convolution *c, int transposed) {
    return joined_floats(c, blocks_of(transposed ? c->in : c->out), convolve_rows_of(c, transposed));
}

/* What is above the first row, and between the rows. */
static void clear_around(const convolution *c, float *strip, int blocks, int rows) {
    const size_t border = (size_t)(c->engine->images * COLUMNS);
    for (int i = 0; i < MOST_PLANES * blocks; i++, strip += row_floats(c)) {
        memset(strip, 0, row_floats(c) * sizeof *strip);
        for (int row = 0; row <= rows; row++) {
            memset(strip + row_floats(c) - border, 0, 2 * border * sizeof *strip);
            strip += row_floats(c);
        }
        memset(strip + row_floats(c) - border, 0, border * sizeof *strip);
    }
}

/* What is below the last row. */
static void clear_below(const convolution *c, const target *strip, int blocks) {
    for (int i = 0; i < MOST_PLANES * blocks; i++)
        memset(target_row(strip, i / blocks, i % blocks, c->size) - c->engine->images * COLUMNS, 0,
               row_floats(c) * sizeof(float));
}

/* The last rows of a strip become those above the next. */
static void move_last_rows(const convolution *c, float *strip, int blocks, int rows) {
    for (int i = 0; i < MOST_PLANES * blocks; i++, strip += row_floats(c) * (size_t)(rows + 2))
        memcpy(strip, strip + row_floats(c) * (size_t)rows, row_floats(c) * sizeof *strip);
}

void matrix_convolve(const convolution *c, int transposed, const map *x, const map *y, const finish *f,
                     const convolution_scratch *s) {
    const int most = convolve_rows_of(c, transposed), pitch = pitch_of(c), blocks = map_blocks(y);
    const int joins = is_whole(c, y), planes = planes_of(c, !transposed);
    uint16_t *strip = (uint16_t *)(void *)s->halves;
    if (joins) clear_around(c, s->strips, blocks, most);
    for (int begin = 0; begin < c->size; begin += most) {
        const int end = begin + most < c->size ? begin + most : c->size, positions = (end - begin + 2) * pitch;
        const uint16_t *weights = (const uint16_t *)(const void *)(transposed ? c->backward : c->forward);
        const target to = joins ? target_strip(c, s->strips, blocks, most, begin) : target_map(y);
        if (joins && end == c->size) clear_below(c, &to, blocks);
        turn_strip(c, x, begin - 1, end - begin + 2, s->strips, strip);
        for (int first = 0; first < blocks; first += c->engine->vectors) {
            const int q = vectors_from(c, transposed, first), groups = groups_of(x->channels);
            for (int plane = 0; plane < planes; plane++, weights += packed_values(c, transposed, q)) {
                const part p = part_of(c, transposed, plane, begin, end);
                sg__product product = {.input = strip,
                                       .terms = 1,
                                       .group = (size_t)(positions * UNIT),
                                       .groups = groups,
                                       .weights = weights,
                                       .pitch = pitch,
                                       .output_pixel = COLUMNS};
                taken products[SG__MAX_TAPS];
                product.taps = taken_by(c, transposed, plane, products);
                for (int i = 0; i < product.taps; i++) {
                    const tap t = products[i].t;
                    product.offset[i] = t.in_plane * groups * positions + t.dy * pitch + t.dx * c->engine->images;
                }
                multiply_part(c, &product, &to, &p, first, begin, q);
                for (int row = begin; f && !joins && row < end; row++)
                    for (int v = 0; v < q; v++) f->row(f, first + v, row, map_row(y, plane, first + v, row), c->size);
            }
        }
        if (!joins) continue;
        join_strip(c, y, &to, begin, end, f);
        move_last_rows(c, s->strips, blocks, most);
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

/* Floats of scratch: [halves][columns][2 rows]. */
static size_t both_halves(const convolution *c) {
    return 8 * row_floats(c);
}

size_t matrix_strips(const convolution *c) {
    size_t most = both_halves(c);
    if (c->kind == CONVOLUTION_SAME) return 0;
    for (int transposed = 0; transposed < 2; transposed++)
        if (planes_of(c, !transposed) > 1 && floats_between(c, transposed) > most) most = floats_between(c, transposed);
    return most;
}

static void turn_input(const convolution *c, const map *x, int begin, int pairs, uint16_t *to) {
    for (int plane = 0; plane < x->planes; plane++)
        for (int b = 0; b < map_blocks(x); b++, to += pairs * UNIT) {
            const float *first = row_start(x, plane, b, begin);
            kernels_of(c)->turn(first, first + pairs * COLUMNS, pairs, to);
        }
}

/* Two rows at a time, which are whole tiles of pairs. */
static void turn_blurred_input(const convolution *c, const map *x, int begin, int pairs, float *scratch, uint16_t *to) {
    const int pitch = pitch_of(c), half = pairs / pitch, blocks = map_blocks(x);
    float *rows[2][2];
    for (int i = 0; i < 4; i++) rows[i / 2][i % 2] = scratch + 2 * row_floats(c) * (size_t)i;
    for (int b = 0; b < blocks; b++)
        for (int row = 0; row < half; row += 2)
            for (int odd = 0; odd < 2; odd++) {
                for (int i = 0; i < 4; i++) {
                    const size_t at = row_floats(c) * (size_t)(i % 2);
                    blurred_row(c, x, b, begin + row + i % 2 + i / 2 * half, odd, rows[i / 2][0] + at,
                                rows[i / 2][1] + at);
                }
                for (int i = 0; i < 2; i++)
                    kernels_of(c)->turn(rows[0][i], rows[1][i], 2 * pitch,
                                        to + (((2 * odd + i) * blocks + b) * pairs + row * pitch) * UNIT);
            }
}

static void turn_output(const convolution *c, const map *dy, int begin, int pairs, uint16_t *to) {
    const int border = c->engine->images * UNIT, used = pairs + 2 * pitch_of(c);
    for (int plane = 0; plane < dy->planes; plane++)
        for (int b = 0; b < map_blocks(dy); b++, to += used * UNIT + 2 * border) {
            const float *first = row_start(dy, plane, b, begin - 1);
            const float *const halves[2] = {first, first + pairs * COLUMNS};
            kernels_of(c)->split(halves, NULL, used, 1, 0, to + border);
        }
}

static void turn_blurred_output(const convolution *c, const map *dy, int begin, int pairs, float *scratch,
                                uint16_t *to) {
    const int pitch = pitch_of(c), half = pairs / pitch, blocks = map_blocks(dy), images = c->engine->images;
    const int span = pairs + 2 * pitch + 2 * images;
    float *rows[2][2];
    for (int i = 0; i < 4; i++) rows[i / 2][i % 2] = scratch + row_floats(c) * (size_t)i;
    for (int b = 0; b < blocks; b++)
        for (int row = -1; row <= half; row++)
            for (int odd = 0; odd < 2; odd++) {
                for (int i = 0; i < 2; i++) blurred_row(c, dy, b, begin + row + i * half, odd, rows[i][0], rows[i][1]);
                for (int i = 0; i < 2; i++) {
                    const float *const halves[2] = {rows[0][i], rows[1][i]};
                    uint16_t *plane = to + (((2 * odd + i) * blocks + b) * span + images) * UNIT;
                    kernels_of(c)->split(halves, NULL, pitch, 1, 0, plane + (row + 1) * pitch * UNIT);
                }
            }
}

/* Before the first pair of the output and behind the last. */
static void clear_ends(const convolution *c, int blocks, int span, uint16_t *to) {
    const size_t border = (size_t)(c->engine->images * UNIT), all = (size_t)(span * UNIT);
    for (int i = 0; i < blocks; i++, to += all) {
        memset(to, 0, border * sizeof *to);
        memset(to + all - border, 0, border * sizeof *to);
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

static void turn_both(const convolution *c, const map *x, const map *dy, int begin, int count, float *scratch,
                      uint16_t *turned) {
    const int pairs = pairs_of(c, count);
    uint16_t *output = turned + planes_of(c, 0) * blocks_of(c->in) * pairs * UNIT;
    if (is_whole(c, x))
        turn_blurred_input(c, x, begin, pairs, scratch, turned);
    else
        turn_input(c, x, begin, pairs, turned);
    clear_ends(c, planes_of(c, 1) * blocks_of(c->out), output_pairs(c, count), output);
    if (is_whole(c, dy))
        turn_blurred_output(c, dy, begin, pairs, scratch, output);
    else
        turn_output(c, dy, begin, pairs, output);
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
            if (!once || !first) turn_both(c, x, dy, begin, count, s->strips, turned);
            for (int plane = 0; plane < planes_of(c, 0); plane++) {
                strip_gradient g = {.c = c,
                                    .pairs = pairs,
                                    .span = output_pairs(c, count),
                                    .x = turned + plane * plane_values,
                                    .dy = turned + planes_of(c, 0) * plane_values,
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
