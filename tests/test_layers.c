/* test_layers.c - the trainer's operators, in every instruction set, against plain double-precision references and their
   central differences. */
#include "plain.h"
#include "../tools/grad/modulate.h"

#include <stdlib.h>

/* --- Convolutions --- */

typedef struct conv_case {
    convolution_kind kind;
    int kernel, in, out, size;
    double gain;
    plain x, r; /* the loss is r . y */
    double *w;
} conv_case;

static plain conv_reference(const conv_case *k) {
    const int stride = (k->out + COLUMNS - 1) / COLUMNS * COLUMNS;
    plain x = k->kind == CONVOLUTION_UP || k->kind == CONVOLUTION_SPREAD ? ref_up(k->x) : k->x;
    if (k->kind == CONVOLUTION_SPREAD) x = ref_pad(x, 1);
    const plain y = ref_conv(x, k->w, k->kernel, k->out, stride, k->gain);
    return k->kind == CONVOLUTION_DOWN ? ref_pool(y) : y;
}

/* Small integers, which 16 bits hold: with them, matrix units are as exact as float32. */
static double draw_value(const engine *e) {
    return e->mixed ? floor(7 * random_uniform(98, draws++)) - 3 : draw();
}

static plain random_values(const engine *e, int channels, int size) {
    plain x = plain_new(channels, size);
    for (int i = 0; i < plain_count(x); i++) x.v[i] = (double)(float)draw_value(e);
    return x;
}

static double conv_loss(void *context) {
    const conv_case *k = context;
    return dot(k->r, conv_reference(k));
}

static void check_convolution(const engine *e, convolution_kind kind, int kernel, int in, int out, int size,
                              verdict *v) {
    arena a = {NULL, 0, NULL};
    convolution c;
    convolution_scratch s;
    map x, y, dx;
    float *w, *d_w;
    const double gain = e->mixed ? 0.5 : 0.37;
    const int beyond = kind == CONVOLUTION_SPREAD, up = kind == CONVOLUTION_UP || beyond;
    const int down = kind == CONVOLUTION_DOWN;
    for (int pass = 0; pass < 2; pass++) {
        c = convolution_take(&a, e, kind, kernel, in, out, size, gain);
        x = map_take(&a, e, in, size, down ? 4 : 1);
        y = map_take(&a, e, out, size, up ? 4 : 1);
        dx = map_take(&a, e, in, size, down ? 4 : 1);
        w = arena_take(&a, convolution_weights(&c));
        d_w = arena_take(&a, convolution_weights(&c));
        if (!pass) memset(&s, 0, sizeof s);
        convolution_scratch_fit(&s, &c);
        convolution_scratch_take(&a, &s);
        if (!pass) arena_allocate(&a);
    }
    const int count = (int)convolution_weights(&c), stride = count / (kernel * kernel * in);
    conv_case k = {kind,
                   kernel,
                   in,
                   out,
                   size,
                   (double)c.gain,
                   random_values(e, in, down ? 2 * size : size),
                   random_values(e, out, up ? 2 * (size + beyond) : size),
                   take((size_t)count)};
    for (int i = 0; i < count; i++) w[i] = i % stride < out ? (float)draw_value(e) : 0;
    copy_doubles(k.w, w, (size_t)count);
    convolution_prepare(&c, w, &s);
    (down ? to_planes : to_map)(k.x, &x);
    convolution_forward(&c, &x, &y, NULL, &s);
    compare(v, (beyond ? from_planes_and_beyond : up ? from_planes : from_map)(&y), conv_reference(&k));

    (up ? to_planes : to_map)(k.r, &y);
    convolution_backward(&c, &y, &dx, NULL, &s);
    compare_gradient(v, k.x.v, (down ? from_planes : from_map)(&dx).v, plain_count(k.x), conv_loss, &k);
    convolution_gradient(&c, &x, &y, d_w, &s);
    double *gradient = take((size_t)count);
    for (int i = 0; i < count; i++) gradient[i] = (double)(d_w[i] * c.gain);
    compare_gradient(v, k.w, gradient, count, conv_loss, &k);
    arena_free(&a);
    heap_used = 0;
}

static void check_convolutions(const engine *e) {
    static const int channels[][2] = {{1, 3}, {3, 1}, {5, 17}, {16, 16}, {33, 40}, {18, 7}};
    static const struct {
        const char *name;
        convolution_kind kind;
        int kernel, sizes[6];
    } kinds[] = {{"3x3 convolution", CONVOLUTION_SAME, 3, {1, 12, 4, 5, 8, 19}},
                 {"1x1 convolution", CONVOLUTION_SAME, 1, {1, 4, 7, 8, 17, 2}},
                 {"up-sampling convolution", CONVOLUTION_UP, 3, {1, 8, 4, 5, 2, 12}},
                 {"spreading convolution", CONVOLUTION_SPREAD, 3, {1, 8, 4, 5, 2, 12}},
                 {"down-sampling convolution", CONVOLUTION_DOWN, 3, {1, 8, 4, 5, 2, 12}}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        verdict v = none;
        for (int j = 0; j < 6; j++)
            check_convolution(e, kinds[i].kind, kinds[i].kernel, channels[j][0], channels[j][1], kinds[i].sizes[j], &v);
        report(e, kinds[i].name, v);
    }
}

/* With the blur, as they are used: in mixed precision against the same in float32, of multiples of 16, as the blur divides by
   16, and of any numbers. 32 x 32 pixels are more than a strip. */
typedef struct blurred_case {
    map x, planes, y, dy, d_planes, dx;
    float *w, *d_w;
} blurred_case;

static void take_blurred(arena *a, const engine *e, const convolution *c, blurred_case *k) {
    const int down = c->kind == CONVOLUTION_DOWN, large = down ? 2 * c->size : c->size;
    const int out = down ? c->size : 2 * c->size;
    k->x = map_take(a, e, c->in, large, 1);
    k->dx = map_take(a, e, c->in, large, 1);
    k->y = map_take(a, e, c->out, out, 1);
    k->dy = map_take(a, e, c->out, out, 1);
    k->planes = map_take(a, e, down ? c->in : c->out, c->size, MOST_PLANES);
    k->d_planes = map_take(a, e, down ? c->in : c->out, c->size, MOST_PLANES);
    k->w = arena_take(a, convolution_weights(c));
    k->d_w = arena_take(a, convolution_weights(c));
}

/* y, dx and d_w, of so many values, behind each other. */
static double *compute_blurred(const engine *e, convolution_kind kind, int in, int out, int size, int exact,
                               uint64_t seed, int *count) {
    arena a = {NULL, 0, NULL};
    convolution c;
    convolution_scratch s;
    blurred_case k;
    for (int pass = 0; pass < 2; pass++) {
        c = convolution_take(&a, e, kind, 3, in, out, size, 1);
        take_blurred(&a, e, &c, &k);
        if (!pass) memset(&s, 0, sizeof s);
        convolution_scratch_fit(&s, &c);
        convolution_scratch_take(&a, &s);
        if (!pass) arena_allocate(&a);
    }
    const uint64_t before = draws;
    const int floats = (int)convolution_weights(&c), stride = floats / (9 * in);
    const engine whole = {.mixed = exact};
    draws = seed;
    plain x = random_values(&whole, in, k.x.size), dy = random_values(&whole, out, k.dy.size);
    for (int i = 0; i < plain_count(x); i++) x.v[i] *= 16;
    for (int i = 0; i < plain_count(dy); i++) dy.v[i] *= 16;
    for (int i = 0; i < floats; i++) k.w[i] = i % stride < out ? (float)draw_value(&whole) : 0;
    draws = before;
    to_map(x, &k.x);
    to_map(dy, &k.dy);
    convolution_prepare(&c, k.w, &s);
    blurred_forward(&c, &k.x, &k.planes, &k.y, NULL, &s);
    blurred_backward(&c, &k.dy, &k.d_planes, &k.dx, NULL, &s);
    blurred_gradient(&c, &k.x, &k.dy, kind == CONVOLUTION_DOWN ? &k.planes : &k.d_planes, k.d_w, &s);
    const plain y = from_map(&k.y), dx = from_map(&k.dx);
    count[0] = plain_count(y);
    count[1] = plain_count(dx);
    count[2] = floats;
    double *all = cli_alloc((size_t)(count[0] + count[1] + count[2]), sizeof *all);
    memcpy(all, y.v, (size_t)plain_count(y) * sizeof *all);
    memcpy(all + plain_count(y), dx.v, (size_t)plain_count(dx) * sizeof *all);
    copy_doubles(all + plain_count(y) + plain_count(dx), k.d_w, (size_t)floats);
    arena_free(&a);
    heap_used = 0;
    return all;
}

/* How long the difference of two vectors is, over the length of the second. */
static double distance_between(const double *found, const double *expected, int count) {
    double difference = 0, square = 0;
    for (int i = 0; i < count; i++) {
        difference += (found[i] - expected[i]) * (found[i] - expected[i]);
        square += expected[i] * expected[i];
    }
    return sqrt(difference / square);
}

static void check_blurred(const engine *e, const engine *f32) {
    static const struct {
        convolution_kind kind;
        int in, out, size;
    } cases[] = {{CONVOLUTION_DOWN, 16, 32, 32}, {CONVOLUTION_DOWN, 40, 7, 12}, {CONVOLUTION_SPREAD, 32, 16, 32},
                 {CONVOLUTION_SPREAD, 5, 33, 8}, {CONVOLUTION_UP, 18, 5, 4},    {CONVOLUTION_UP, 7, 16, 36}};
    double worst[2][3] = {{0}}; /* rounded, exact; of y, dx, d_w */
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const size_t k = i / 2;
        const int exact = i % 2, in = cases[k].in, out = cases[k].out, size = cases[k].size;
        int count[3];
        double *found = compute_blurred(e, cases[k].kind, in, out, size, exact, i << 32, count), *at = found;
        double *expected = compute_blurred(f32, cases[k].kind, in, out, size, exact, i << 32, count), *to = expected;
        for (int part = 0; part < 3; at += count[part], to += count[part], part++)
            note(&worst[exact][part], distance_between(at, to, count[part]));
        free(found);
        free(expected);
    }
    for (int exact = 0; exact < 2; exact++) /* a number in 16 bits is within 2^-9 */
        test_check(
            fmax(worst[exact][0], fmax(worst[exact][1], worst[exact][2])) < (exact ? 1e-6 : 3e-3),
            "train %2d lanes, matrix units, convolutions with the blur, %s: y %.1e, dx %.1e, dw %.1e from float32",
            e->lanes, exact ? "small integers" : "any numbers", worst[exact][0], worst[exact][1], worst[exact][2]);
}

/* --- What lies between them --- */

typedef struct unary_case {
    plain x, r;
    plain (*reference)(plain x);
} unary_case;

static double unary_loss(void *context) {
    const unary_case *k = context;
    return dot(k->r, k->reference(k->x));
}

static void check_blur(const engine *e) {
    verdict v = none;
    for (int size = 1; size <= 9; size += 2) {
        arena a = {NULL, 0, NULL};
        map whole, planes;
        for (int pass = 0; pass < 2; pass++) {
            whole = map_take(&a, e, 5 + size, 2 * size, 1);
            planes = map_take(&a, e, 5 + size, size, 4);
            if (!pass) arena_allocate(&a);
        }
        unary_case k = {random_plain(5 + size, 2 * size), random_plain(5 + size, 2 * size), ref_blur};
        to_map(k.x, &whole);
        blur_split(e, &whole, &planes, 0);
        compare(&v, from_planes(&planes), ref_blur(k.x));
        to_planes(k.r, &planes);
        blur_join(e, &planes, &whole, NULL); /* the adjoint */
        compare(&v, from_map(&whole), ref_blur(k.r));
        compare_gradient(&v, k.x.v, from_map(&whole).v, plain_count(k.x), unary_loss, &k);

        k = (unary_case){random_plain(5 + size, 2 * size + 2), random_plain(5 + size, 2 * size), ref_blur_within};
        to_planes(k.x, &planes);
        blur_join(e, &planes, &whole, NULL);
        compare(&v, from_map(&whole), ref_blur_within(k.x));
        to_map(k.r, &whole);
        blur_split(e, &whole, &planes, 1);
        compare_gradient(&v, k.x.v, from_planes_and_beyond(&planes).v, plain_count(k.x), unary_loss, &k);
        arena_free(&a);
    }
    report(e, "blur", v);
}

static void check_pooling(const engine *e) {
    verdict v = none;
    for (int size = 1; size <= 5; size += 2) {
        arena a = {NULL, 0, NULL};
        map large, small;
        for (int pass = 0; pass < 2; pass++) {
            large = map_take(&a, e, 3 * size, 2 * size, 1);
            small = map_take(&a, e, 3 * size, size, 1);
            if (!pass) arena_allocate(&a);
        }
        unary_case k = {random_plain(3 * size, 2 * size), random_plain(3 * size, size), ref_pool};
        to_map(k.x, &large);
        map_pool(e, &large, &small, 0.25f);
        compare(&v, from_map(&small), ref_pool(k.x));
        to_map(k.r, &small);
        map_unpool(e, &small, &large, 0, 0.25f);
        compare_gradient(&v, k.x.v, from_map(&large).v, plain_count(k.x), unary_loss, &k);

        k = (unary_case){random_plain(3 * size, size), random_plain(3 * size, 2 * size), ref_up};
        to_map(k.x, &small);
        map_unpool(e, &small, &large, 0, 1);
        compare(&v, from_map(&large), ref_up(k.x));
        to_map(k.r, &large);
        map_pool(e, &large, &small, 1);
        compare_gradient(&v, k.x.v, from_map(&small).v, plain_count(k.x), unary_loss, &k);
        arena_free(&a);
    }
    report(e, "pooling and up-sampling", v);
}

static void check_pixel_norm(const engine *e) {
    verdict v = none;
    for (int width = 1; width <= 41; width += 8) {
        arena a = {NULL, 0, NULL};
        map x, y, dx;
        float factor[SHARD];
        for (int pass = 0; pass < 2; pass++) {
            x = map_take(&a, e, width, 1, 1);
            y = map_take(&a, e, width, 1, 1);
            dx = map_take(&a, e, width, 1, 1);
            if (!pass) arena_allocate(&a);
        }
        unary_case k = {random_plain(width, 1), random_plain(width, 1), ref_pixel_norm};
        to_map(k.x, &x);
        pixel_norm_forward(&x, &y, factor);
        compare(&v, from_map(&y), ref_pixel_norm(k.x));
        to_map(k.r, &x);
        pixel_norm_backward(&y, factor, &x, &dx);
        if (width > 1) compare_gradient(&v, k.x.v, from_map(&dx).v, plain_count(k.x), unary_loss, &k);
        arena_free(&a);
    }
    report(e, "pixel norm", v);
}

/* --- Augmentation: each transform of what is drawn, and all together --- */

typedef struct augment_case {
    plain x, r;
    augmentation a[SHARD];
} augment_case;

static double augment_loss(void *context) {
    const augment_case *k = context;
    return dot(k->r, ref_augment(k->x, k->a));
}

typedef enum transform { MIRROR, SHIFT, COLOR, CUT, ALL_TRANSFORMS } transform;

static augmentation only(augmentation a, transform kept) {
    augmentation b = {.color = {1, 0, 0}};
    if (kept == ALL_TRANSFORMS) return a;
    if (kept == MIRROR) b.mirror = 1;
    if (kept == SHIFT) b.down = a.down, b.right = a.right;
    if (kept == COLOR) memcpy(b.color, a.color, sizeof b.color), b.brightness = a.brightness;
    if (kept == CUT) memcpy(b.cut, a.cut, sizeof b.cut), memcpy(b.uncut, a.uncut, sizeof b.uncut);
    return b;
}

static void check_augmentation(const engine *e, transform kept, const char *name) {
    verdict v = none;
    for (int size = 4; size <= 32; size *= 2) {
        arena a = {NULL, 0, NULL};
        map x, y;
        for (int pass = 0; pass < 2; pass++) {
            x = map_take(&a, e, 3, size, 1);
            y = map_take(&a, e, 3, size, 1);
            if (!pass) arena_allocate(&a);
        }
        augment_case k = {random_plain(3, size), random_plain(3, size), {{0}}};
        for (int n = 0; n < SHARD; n++) k.a[n] = only(augment_draw(5, draws++, 1, 1, size), kept);
        to_map(k.x, &x);
        augment_forward(k.a, &x, &y);
        compare(&v, from_map(&y), ref_augment(k.x, k.a));
        to_map(k.r, &y);
        augment_backward(k.a, &y, &x);
        compare_gradient(&v, k.x.v, from_map(&x).v, plain_count(k.x), augment_loss, &k);
        arena_free(&a);
    }
    report(e, name, v);
}

static int is_colored(const augmentation *a) {
    return a->color[0] < 1 || a->color[0] > 1 || a->color[1] < 0 || a->color[1] > 0;
}

static int is_cut_somewhere(const augmentation *a) {
    return a->uncut[0] > a->cut[0] && a->uncut[1] > a->cut[1];
}

/* Each as often as it should be, and no wider. */
static void check_augmentation_draws(void) {
    enum { DRAWN = 4000, SIZE = 16 };
    int shares[5] = {0}, within = 1, farthest = 0, nothing = 1;
    for (uint64_t i = 0; i < DRAWN; i++) {
        const augmentation a = augment_draw(1, i, 0.5, 1, SIZE), again = augment_draw(1, i, 0.5, 1, SIZE);
        const augmentation upright = augment_draw(1, i, 1, 0, SIZE), absent = augment_draw(1, i, 0, 1, SIZE);
        const augmentation unchanged = only(absent, CUT);
        shares[MIRROR] += a.mirror;
        shares[SHIFT] += a.down || a.right;
        shares[COLOR] += is_colored(&a);
        shares[CUT] += is_cut_somewhere(&a);
        shares[4] += a.brightness > 0;
        if (abs(a.down) > farthest) farthest = abs(a.down);
        within &= !upright.mirror && abs(a.right) <= SIZE / 8 && !memcmp(&a, &again, sizeof a);
        for (int axis = 0; axis < 2; axis++)
            within &= a.cut[axis] >= 0 && a.uncut[axis] <= SIZE && a.uncut[axis] - a.cut[axis] <= SIZE / 2;
        nothing &= !memcmp(&absent, &unchanged, sizeof absent) && !is_cut_somewhere(&absent);
    }
    /* half of the mirrored, one in 25 of the shifted stays in place; brightness is positive for half of them */
    static const double expected[5] = {0.25, 0.47, 0.875, 0.5, 0.25};
    double worst = 0;
    for (int i = 0; i < 5; i++) worst = fmax(worst, fabs((double)shares[i] / DRAWN - expected[i]));
    test_check(worst < 0.03 && within && nothing && farthest == SIZE / 8,
               "train: augmentations are as frequent as they should be, within %.3f, by %d pixels at most", worst,
               farthest);
}

/* The deviations of StyleGAN 2-ADA, appendix B: brightness 0.2; binary logarithms of contrast 0.5 and saturation 1. A grey
   is multiplied by the contrast, what a colour is beside its grey by contrast and saturation, and turned by the hue. */
static void check_augmentation_strengths(void) {
    enum { DRAWN = 4000, MEASURES = 4 };
    static const double expected[MEASURES] = {0.2, 0.5, 1, 0.7071}; /* the last: of the cosine of any angle */
    double sums[MEASURES] = {0}, squares[MEASURES] = {0}, worst = 0, farthest = 0;
    for (uint64_t i = 0; i < DRAWN; i++) {
        const augmentation a = augment_draw(2, i, 1, 0, 16);
        const double c0 = (double)a.color[0], c1 = (double)a.color[1], c2 = (double)a.color[2];
        const double contrast = c0 + c1 + c2, along = c0 - (c1 + c2) / 2, across = sqrt(0.75) * (c1 - c2);
        const double colors = sqrt(along * along + across * across);
        const double measures[MEASURES] = {(double)a.brightness / contrast, log2(contrast), log2(colors / contrast),
                                           along / colors};
        for (int k = 0; k < MEASURES; k++) {
            sums[k] += measures[k] / DRAWN;
            squares[k] += measures[k] * measures[k] / DRAWN;
        }
    }
    for (int k = 0; k < MEASURES; k++) {
        worst = fmax(worst, fabs(sqrt(squares[k] - sums[k] * sums[k]) / expected[k] - 1));
        farthest = fmax(farthest, fabs(sums[k]) / expected[k]);
    }
    test_check(worst < 0.05 && farthest < 0.05,
               "train: augmentations are as strong as they should be, within %.3f, and lean nowhere, within %.3f",
               worst, farthest);
}

/* ds . u: the derivative of r . stddev(x) along t, whose gradient with respect to x is the second derivative. */
typedef struct stddev_case {
    plain x, t, r;
} stddev_case;

static double stddev_along(void *context) {
    const stddev_case *k = context;
    const double step = 1e-4;
    plain moved = plain_new(k->x.c, k->x.s);
    double sum = 0;
    for (int sign = -1; sign <= 1; sign += 2) {
        for (int i = 0; i < plain_count(moved); i++) moved.v[i] = k->x.v[i] + sign * step * k->t.v[i];
        sum += sign * dot(k->r, ref_stddev(moved)) / (2 * step);
    }
    return sum;
}

static void check_stddev(const engine *e) {
    verdict v = none;
    for (int channels = 1; channels <= 33; channels += 8) {
        arena a = {NULL, 0, NULL};
        const int size = channels % 4 + 3;
        map x, y, t, u, dx;
        for (int pass = 0; pass < 2; pass++) {
            x = map_take(&a, e, channels, size, 1);
            t = map_take(&a, e, channels, size, 1);
            dx = map_take(&a, e, channels, size, 1);
            y = map_take(&a, e, channels + 1, size, 1);
            u = map_take(&a, e, channels + 1, size, 1);
            if (!pass) arena_allocate(&a);
        }
        unary_case k = {random_plain(channels, size), random_plain(channels + 1, size), ref_stddev};
        to_map(k.x, &x);
        v.step = none.step;
        stddev_forward(&x, &y);
        compare(&v, from_map(&y), ref_stddev(k.x));
        to_map(k.r, &y);
        stddev_backward(&x, &y, &dx);
        compare_gradient(&v, k.x.v, from_map(&dx).v, plain_count(k.x), unary_loss, &k);

        stddev_case second = {k.x, random_plain(channels, size), k.r};
        to_map(second.t, &t);
        stddev_tangent(&x, &t, &u);
        const double along = stddev_along(&second);
        note(&v.gradient, fabs(dot(k.r, from_map(&u)) - along) / (fabs(along) + 1));
        map_clear(&dx);
        stddev_second(&x, &t, &y, &dx);
        v.step = 1e-4;
        compare_gradient(&v, second.x.v, from_map(&dx).v, plain_count(k.x), stddev_along, &second);
        arena_free(&a);
    }
    report(e, "minibatch standard deviation", v);
}

typedef struct adain_case {
    plain x, style, r, noise; /* noise [N][1][S][S] */
    double *bias, *strength;
    int half;
} adain_case;

static plain adain_reference(const adain_case *k) {
    return ref_adain(ref_epilogue(k->x, k->noise, k->strength, k->bias), k->style, k->half);
}

static double adain_loss(void *context) {
    const adain_case *k = context;
    return dot(k->r, adain_reference(k));
}

static void check_adain(const engine *e) {
    verdict v = none;
    for (int channels = 1; channels <= 40; channels += 13) {
        arena a = {NULL, 0, NULL};
        const int size = channels % 8 + 3, half = (channels + COLUMNS - 1) / COLUMNS * COLUMNS;
        map x, style, y, dy, d_style;
        adain norm;
        float *noise, *bias, *strength, *d_bias, *d_strength;
        for (int pass = 0; pass < 2; pass++) {
            x = map_take(&a, e, channels, size, 1);
            y = map_take(&a, e, channels, size, 1);
            dy = map_take(&a, e, channels, size, 1);
            style = map_take(&a, e, 2 * half, 1, 1);
            d_style = map_take(&a, e, 2 * half, 1, 1);
            norm = adain_take(&a, e, channels);
            noise = arena_take(&a, (size_t)(size * size * SHARD));
            bias = arena_take(&a, (size_t)half);
            strength = arena_take(&a, (size_t)half);
            d_bias = arena_take(&a, (size_t)half);
            d_strength = arena_take(&a, (size_t)half);
            if (!pass) arena_allocate(&a);
        }
        adain_case k = {random_plain(channels, size),
                        random_plain(2 * half, 1),
                        random_plain(channels, size),
                        random_plain(1, size),
                        take((size_t)channels),
                        take((size_t)channels),
                        half};
        for (int i = 0; i < channels; i++) {
            k.bias[i] = (double)(bias[i] = (float)(0.5 * draw()));
            k.strength[i] = (double)(strength[i] = (float)draw());
        }
        for (int i = 0; i < size * size * SHARD; i++) noise[i] = (float)k.noise.v[i % SHARD * size * size + i / SHARD];
        EACH(k.style) if (c % half >= channels) * at(k.style, n, c, row, column) = 0;
        to_map(k.x, &x);
        to_map(k.style, &style);
        to_map(k.r, &dy);
        const epilogue p = {e, noise, strength, bias, &norm};
        const finish f = finish_epilogue(&p);
        epilogue_reset(&p, channels);
        map_finish(&x, &f);
        adain_forward(e, &norm, &x, &style, &y);
        compare(&v, from_map(&y), adain_reference(&k));
        adain_backward(e, &norm, &x, &style, &dy, &d_style, noise, d_bias, d_strength);
        double *gradient = take((size_t)(2 * channels));
        copy_doubles(gradient, d_bias, (size_t)channels);
        copy_doubles(gradient + channels, d_strength, (size_t)channels);
        compare_gradient(&v, k.x.v, from_map(&dy).v, plain_count(k.x), adain_loss, &k);
        compare_gradient(&v, k.style.v, from_map(&d_style).v, plain_count(k.style), adain_loss, &k);
        compare_gradient(&v, k.bias, gradient, channels, adain_loss, &k);
        compare_gradient(&v, k.strength, gradient + channels, channels, adain_loss, &k);
        arena_free(&a);
        heap_used = 0;
    }
    report(e, "noise, bias, lrelu and AdaIN", v);
}

/* --- A layer of StyleGAN 2: every image with weights of its own, modulated and demodulated --- */

typedef struct modulated_case {
    plain x, style, r, noise; /* style [N][I], noise [N][1][S][S] */
    double *w, *bias, *strength, gain;
    int kernel, stride;
} modulated_case;

static plain modulated_reference(const modulated_case *k) {
    return ref_noise_and_lrelu(ref_modulated(k->x, k->style, k->w, k->kernel, k->r.c, k->stride, k->gain, 1), k->noise,
                               k->strength, k->bias);
}

static double modulated_loss(void *context) {
    const modulated_case *k = context;
    return dot(k->r, modulated_reference(k));
}

static void check_modulated(const engine *e) {
    static const int cases[][4] = {{3, 2, 3, 4}, {1, 5, 17, 8}, {3, 17, 5, 8}, {3, 16, 33, 5}}; /* kernel, I, O, S */
    verdict v = none;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const int kernel = cases[i][0], in = cases[i][1], out = cases[i][2], size = cases[i][3];
        arena a = {NULL, 0, NULL};
        convolution conv;
        convolution_scratch s;
        map x, modulated, style, d_style, scale, d_scale, y, dy, dx;
        float *w, *d_w, *energy, *d_energy, *noise, *bias, *strength, *d_bias, *d_strength;
        for (int pass = 0; pass < 2; pass++) {
            conv = convolution_take(&a, e, CONVOLUTION_SAME, kernel, in, out, size, 0.37);
            x = map_take(&a, e, in, size, 1);
            modulated = map_take(&a, e, in, size, 1);
            dx = map_take(&a, e, in, size, 1);
            y = map_take(&a, e, out, size, 1);
            dy = map_take(&a, e, out, size, 1);
            style = map_take(&a, e, in, 1, 1);
            d_style = map_take(&a, e, in, 1, 1);
            scale = map_take(&a, e, out, 1, 1);
            d_scale = map_take(&a, e, out, 1, 1);
            w = arena_take(&a, convolution_weights(&conv));
            d_w = arena_take(&a, convolution_weights(&conv));
            energy = arena_take(&a, energy_floats(&conv));
            d_energy = arena_take(&a, energy_floats(&conv));
            noise = arena_take(&a, (size_t)(size * size * SHARD));
            float **const rows[] = {&bias, &strength, &d_bias, &d_strength};
            for (int r = 0; r < 4; r++) *rows[r] = arena_take(&a, (size_t)padded(out));
            if (!pass) memset(&s, 0, sizeof s);
            convolution_scratch_fit(&s, &conv);
            convolution_scratch_take(&a, &s);
            if (!pass) arena_allocate(&a);
        }
        const int count = (int)convolution_weights(&conv), stride = padded(out);
        modulated_case k = {random_plain(in, size),
                            random_plain(in, 1),
                            random_plain(out, size),
                            random_plain(1, size),
                            take((size_t)count),
                            take((size_t)out),
                            take((size_t)out),
                            (double)conv.gain,
                            kernel,
                            stride};
        for (int j = 0; j < count; j++) w[j] = j % stride < out ? (float)draw() : 0;
        for (int j = 0; j < out; j++) {
            bias[j] = (float)(0.5 * draw());
            strength[j] = (float)draw();
        }
        copy_doubles(k.w, w, (size_t)count);
        copy_doubles(k.bias, bias, (size_t)out);
        copy_doubles(k.strength, strength, (size_t)out);
        for (int j = 0; j < size * size * SHARD; j++) noise[j] = (float)k.noise.v[j % SHARD * size * size + j / SHARD];
        to_map(k.x, &x);
        to_map(k.style, &style);
        to_map(k.r, &dy);
        const demodulate end = {e, &scale, noise, strength, bias, INFINITY};
        const finish f = finish_demodulate(&end);
        convolution_prepare(&conv, w, &s);
        energy_prepare(&conv, w, energy);
        modulate(e, &x, &style, &modulated);
        demodulation(&style, energy, sqrt(2), &scale);
        convolution_forward(&conv, &modulated, &y, &f, &s);
        compare(&v, from_map(&y), modulated_reference(&k));

        demodulate_gradient(&end, &y, &dy, &d_scale, d_bias, d_strength);
        convolution_gradient(&conv, &modulated, &dy, d_w, &s);
        convolution_backward(&conv, &dy, &dx, NULL, &s);
        modulate_gradient(e, &x, &style, &dx, &d_style);
        demodulation_gradient(&conv, &style, w, energy, sqrt(2), &scale, &d_scale, &d_style, d_w, d_energy);
        double *gradient = take((size_t)(count + 2 * out)), *rest = gradient + count;
        for (int j = 0; j < count; j++) gradient[j] = (double)(d_w[j] * conv.gain);
        copy_doubles(rest, d_bias, (size_t)out);
        copy_doubles(rest + out, d_strength, (size_t)out);
        compare_gradient(&v, k.x.v, from_map(&dx).v, plain_count(k.x), modulated_loss, &k);
        compare_gradient(&v, k.style.v, from_map(&d_style).v, plain_count(k.style), modulated_loss, &k);
        compare_gradient(&v, k.w, gradient, count, modulated_loss, &k);
        compare_gradient(&v, k.bias, rest, out, modulated_loss, &k);
        compare_gradient(&v, k.strength, rest + out, out, modulated_loss, &k);
        arena_free(&a);
        heap_used = 0;
    }
    report(e, "modulation, demodulation, noise, bias and lrelu", v);
}

static void check_all(const engine *e) {
    check_convolutions(e);
    check_blur(e);
    check_pooling(e);
    check_pixel_norm(e);
    check_stddev(e);
    check_adain(e);
    check_modulated(e);
    check_augmentation(e, MIRROR, "mirroring");
    check_augmentation(e, SHIFT, "shifting");
    check_augmentation(e, COLOR, "colours");
    check_augmentation(e, CUT, "cutting out");
    check_augmentation(e, ALL_TRANSFORMS, "all augmentations");
}

/* test_layers [mixed]: with it, only what runs on matrix units. */
int main(int argc, char **argv) {
    const int only_mixed = argc > 1 && !strcmp(argv[1], "mixed");
    heap = cli_alloc(HEAP, sizeof *heap);
    for (stylegan_isa isa = test_next_isa(STYLEGAN_ISA_AUTO); isa != STYLEGAN_ISA_COUNT; isa = test_next_isa(isa)) {
        const engine *e = engine_for(isa);
        if (!only_mixed) check_all(e);
        if (!engine_for_mixed(isa)) continue;
        check_convolutions(engine_for_mixed(isa));
        check_blurred(engine_for_mixed(isa), e);
    }
    if (!only_mixed) {
        check_augmentation_draws();
        check_augmentation_strengths();
    }
    free(heap);
    return test_end();
}
