/* palette.c - see palette.h. */
#include "palette.h"
#include "cli.h"

#include <stdlib.h>

enum { SHIFT = 8 - PALETTE_BITS, CELLS = 1 << 3 * PALETTE_BITS };

/* Colours with the same first bits. */
typedef struct cell {
    double count, mean[3];
} cell;

/* Some of the cells, next to each other in the array. */
typedef struct box {
    cell *cells;
    int size;
    double mean[3];
    double errors[3]; /* sums of squared distances from the mean, along each axis */
} box;

static int cell_of(const unsigned char *rgb) {
    return (rgb[0] >> SHIFT) << 2 * PALETTE_BITS | (rgb[1] >> SHIFT) << PALETTE_BITS | rgb[2] >> SHIFT;
}

/* The cells that have colours; returns how many. */
static int fill_cells(cell *cells, const unsigned char *rgb, size_t count) {
    int used = 0;
    for (int i = 0; i < CELLS; i++) cells[i] = (cell){0};
    for (size_t i = 0; i < count; i++, rgb += 3) {
        cell *c = &cells[cell_of(rgb)];
        c->count++;
        for (int axis = 0; axis < 3; axis++) c->mean[axis] += (rgb[axis] - c->mean[axis]) / c->count;
    }
    for (int i = 0; i < CELLS; i++)
        if (cells[i].count > 0) cells[used++] = cells[i];
    return used;
}

static box make_box(cell *cells, int size) {
    box b = {.cells = cells, .size = size};
    double count = 0;
    for (int i = 0; i < size; i++) count += cells[i].count;
    for (int axis = 0; axis < 3; axis++) {
        for (int i = 0; i < size; i++) b.mean[axis] += cells[i].count / count * cells[i].mean[axis];
        for (int i = 0; i < size; i++) {
            const double distance = cells[i].mean[axis] - b.mean[axis];
            b.errors[axis] += cells[i].count * distance * distance;
        }
    }
    return b;
}

static int worst_axis(const box *b) {
    const int axis = b->errors[1] > b->errors[0];
    return b->errors[2] > b->errors[axis] ? 2 : axis;
}

/* Cuts a box at its mean along the axis where it is widest; the box behind the cut, of size 0 if it has but one cell. */
static box cut(box *b) {
    const int axis = worst_axis(b), size = b->size;
    const double middle = b->mean[axis];
    int below = 0;
    for (int i = 0; i < size; i++) {
        if (b->cells[i].mean[axis] > middle) continue;
        const cell moved = b->cells[i];
        b->cells[i] = b->cells[below];
        b->cells[below++] = moved;
    }
    if (below == size) return (box){0};
    const box behind = make_box(b->cells + below, size - below);
    *b = make_box(b->cells, below);
    return behind;
}

static int find_worst(const box *boxes, int count) {
    int worst = 0;
    for (int i = 1; i < count; i++)
        if (boxes[i].errors[worst_axis(&boxes[i])] > boxes[worst].errors[worst_axis(&boxes[worst])]) worst = i;
    return worst;
}

static unsigned char find_nearest(const palette *p, int cell_number) {
    int nearest = 0, least = 4 * 255 * 255;
    for (int i = 0; i < p->count; i++) {
        int distance = 0;
        for (int axis = 0; axis < 3; axis++) {
            const int bits = cell_number >> (2 - axis) * PALETTE_BITS & ((1 << PALETTE_BITS) - 1);
            const int apart = (bits << SHIFT) + (1 << (SHIFT - 1)) - p->colours[i][axis];
            distance += apart * apart;
        }
        if (distance < least) nearest = i, least = distance;
    }
    return (unsigned char)nearest;
}

void palette_choose(palette *p, const unsigned char *rgb, size_t count, int most) {
    cell *cells = cli_alloc(CELLS, sizeof *cells);
    box boxes[PALETTE_MOST];
    boxes[0] = make_box(cells, fill_cells(cells, rgb, count));
    for (p->count = 1; p->count < most; p->count++) {
        const box behind = cut(&boxes[find_worst(boxes, p->count)]);
        if (!behind.size) break;
        boxes[p->count] = behind;
    }
    for (int i = 0; i < p->count; i++)
        for (int axis = 0; axis < 3; axis++) p->colours[i][axis] = (unsigned char)(boxes[i].mean[axis] + 0.5);
    for (int i = 0; i < CELLS; i++) p->nearest[i] = find_nearest(p, i);
    free(cells);
}

/* Bayer's matrix: the numbers 0 to 15, neighbours far apart. */
static const int thresholds[4][4] = {{0, 8, 2, 10}, {12, 4, 14, 6}, {3, 11, 1, 9}, {15, 7, 13, 5}};

void palette_apply(const palette *p, const unsigned char *rgb, int width, int height, unsigned char *numbers) {
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++, rgb += 3) {
            unsigned char moved[3];
            for (int axis = 0; axis < 3; axis++) {
                const int value = rgb[axis] + thresholds[y % 4][x % 4] / 2 - 4; /* by the width of a cell */
                moved[axis] = (unsigned char)(value < 0 ? 0 : value > 255 ? 255 : value);
            }
            *numbers++ = p->nearest[cell_of(moved)];
        }
}
