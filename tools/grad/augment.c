/* augment.c - see augment.h. */
#include "augment.h"
#include "../base/random.h"

#include <math.h>

/* --- Draws --- */

typedef struct draws {
    uint64_t key, next;
    double p;
} draws;

static double uniform(draws *d) {
    return random_uniform(d->key, d->next++);
}

static double normal(draws *d) {
    const double radius = sqrt(-2 * log(1 - uniform(d)));
    return radius * cos(6.283185307179586 * uniform(d));
}

static int applies(draws *d) {
    return uniform(d) < d->p;
}

/* Hue and saturation turn and stretch what a colour is beside its grey, contrast stretches both; all three together are a
   circulant matrix. Most often none of them applies. */
static void draw_color(draws *d, augmentation *a) {
    a->brightness = applies(d) ? (float)(0.2 * normal(d)) : 0;
    const int contrasts = applies(d), turns = applies(d), saturates = applies(d);
    a->color[0] = 1;
    if (!contrasts && !turns && !saturates) return;
    const double contrast = contrasts ? exp2(0.5 * normal(d)) : 1;
    const double hue = turns ? 6.283185307179586 * uniform(d) : 0;
    const double saturation = saturates ? exp2(normal(d)) : 1;
    for (int i = 0; i < 3; i++)
        a->color[i] = (float)(contrast * (1 + 2 * saturation * cos(hue + 2.0943951023931953 * i)) / 3);
    a->brightness *= (float)contrast;
}

static int shift(draws *d, int size) {
    return (int)floor((2 * uniform(d) - 1) * size / 8 + 0.5);
}

/* Half the image's size, about any of its points. */
static void draw_cut(draws *d, augmentation *a, int size) {
    for (int axis = 0; axis < 2; axis++) {
        const int middle = (int)(uniform(d) * (size + 1)), from = middle - size / 4, to = from + size / 2;
        a->cut[axis] = from > 0 ? from : 0;
        a->uncut[axis] = to < size ? to : size;
    }
}

augmentation augment_draw(uint64_t key, uint64_t image, double p, int may_mirror, int size) {
    enum { MOST_DRAWS = 32 };
    draws d = {key, image * MOST_DRAWS, p};
    augmentation a = {0};
    if (may_mirror && applies(&d)) a.mirror = uniform(&d) < 0.5;
    if (applies(&d)) {
        a.down = shift(&d, size);
        a.right = shift(&d, size);
    }
    draw_color(&d, &a);
    if (applies(&d)) draw_cut(&d, &a, size);
    return a;
}

/* --- Passes --- */

/* The pixel of the image that is seen at i. */
static int source(int i, int shifted, int size) {
    const int from = i - shifted < 0 ? shifted - i : i - shifted;
    return from < size ? from : 2 * (size - 1) - from;
}

static int is_cut(const augmentation *a, int y, int x) {
    return y >= a->cut[0] && y < a->uncut[0] && x >= a->cut[1] && x < a->uncut[1];
}

/* Calls a pixel's function with its place in the image and in what is seen of it: both maps have the same shape. */
typedef void pixel_pass(const augmentation *a, const map *from, size_t seen, const map *to, size_t in_image);

static void each_pixel(const augmentation *augmentations, const map *from, const map *to, pixel_pass *pass) {
    const int size = from->size, pixel = from->images * from->lanes;
    for (int n = 0; n < from->images; n++) {
        const augmentation *a = &augmentations[n];
        for (int y = 0; y < size; y++) {
            const size_t seen = map_at(from, 0, y, 0, n), row = map_at(from, 0, source(y, a->down, size), 0, n);
            for (int x = 0; x < size; x++) {
                const int column = source(x, a->right, size);
                if (!is_cut(a, y, x))
                    pass(a, from, seen + (size_t)(x * pixel), to,
                         row + (size_t)((a->mirror ? size - 1 - column : column) * pixel));
            }
        }
    }
}

/* How far a channel's value lies behind that of channel 0. */
static size_t channel(const map *m, int c) {
    return map_block_floats(m) * (size_t)(c / m->lanes) + (size_t)(c % m->lanes);
}

static void see(const augmentation *a, const map *x, size_t seen, const map *y, size_t in_image) {
    for (int c = 0; c < 3; c++) {
        float sum = a->brightness;
        for (int i = 0; i < 3; i++) sum += a->color[i] * x->data[in_image + channel(x, (c + i) % 3)];
        y->data[seen + channel(y, c)] = sum;
    }
}

/* The adjoint: a pixel that is seen twice gets both gradients. */
static void take_back(const augmentation *a, const map *dy, size_t seen, const map *dx, size_t in_image) {
    for (int c = 0; c < 3; c++)
        for (int i = 0; i < 3; i++)
            dx->data[in_image + channel(dx, (c + i) % 3)] += a->color[i] * dy->data[seen + channel(dy, c)];
}

void augment_forward(const augmentation *a, const map *x, const map *y) {
    map_clear(y);
    each_pixel(a, x, y, see);
}

void augment_backward(const augmentation *a, const map *dy, const map *dx) {
    map_clear(dx);
    each_pixel(a, dy, dx, take_back);
}
