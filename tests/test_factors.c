/* test_factors.c - what `evaluate` tells of portraits: distances of known distributions, sets made for precision and recall,
   the gradient of the network of factors, and the network that is shipped, on portraits that it has not seen. */
#include "../tools/base/cli.h"
#include "../tools/base/random.h"
#include "../tools/data/factors.h"
#include "../tools/data/fidelity.h"
#include "../tools/data/recognition.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int near(double a, double b, double tolerance) {
    return fabs(a - b) <= tolerance * (1 + fabs(b));
}

/* --- The Frechet distance --- */

/* G G^T of random numbers: a covariance. */
static void random_covariance(uint32_t seed, int n, double *covariance) {
    float *g = test_normal(seed, (size_t)(n * n));
    for (int i = 0; i < n; i++)
        for (int j = 0; j < n; j++) {
            covariance[i * n + j] = 0;
            for (int k = 0; k < n; k++) covariance[i * n + j] += (double)g[i * n + k] * (double)g[j * n + k];
        }
    free(g);
}

static void test_frechet_numbers(void) {
    double mean_a[1] = {1}, mean_b[1] = {4}, a[1] = {4}, b[1] = {25};
    const double d = frechet_distance(&(gaussian){1, mean_a, a}, &(gaussian){1, mean_b, b});
    test_check(near(d, 9 + 9, 1e-12), "Frechet distance of N(1, 2^2) and N(4, 5^2): %.12f, (1 - 4)^2 + (2 - 5)^2", d);
}

/* The eigenvalues of a 2 x 2 matrix P give trace(P^(1/2)) = sqrt(trace P + 2 sqrt(det P)), also of a P = A B that is not
   symmetric. */
static void test_frechet_planes(void) {
    double worst = 0;
    for (uint32_t seed = 0; seed < 50; seed++) {
        double a[4], b[4], p[4], zero[2] = {0, 0};
        random_covariance(2 * seed + 2, 2, a);
        random_covariance(2 * seed + 3, 2, b);
        for (int i = 0; i < 4; i++) p[i] = a[i / 2 * 2] * b[i % 2] + a[i / 2 * 2 + 1] * b[2 + i % 2];
        const double det = p[0] * p[3] - p[1] * p[2];
        const double known = a[0] + a[3] + b[0] + b[3] - 2 * sqrt(p[0] + p[3] + 2 * sqrt(det));
        const double d = frechet_distance(&(gaussian){2, zero, a}, &(gaussian){2, zero, b});
        worst = fmax(worst, fabs(d - known) / (1 + known));
    }
    test_check(worst < 1e-9, "Frechet distance of 50 pairs in the plane: %.1e off the closed form", worst);
}

/* C and s C: trace(C) (1 - sqrt(s))^2. Of a rank below the dimension too. */
static void test_frechet_scaled(void) {
    enum { N = 64, RANK = 20 };
    static double a[N * N], b[N * N], mean[N];
    double trace = 0;
    float *g = test_normal(7, (size_t)(N * RANK));
    for (int i = 0; i < N * N; i++) {
        a[i] = 0;
        for (int k = 0; k < RANK; k++) a[i] += (double)g[i / N * RANK + k] * (double)g[i % N * RANK + k];
        b[i] = 9 * a[i];
        if (i / N == i % N) trace += a[i];
    }
    free(g);
    const double d = frechet_distance(&(gaussian){N, mean, a}, &(gaussian){N, mean, b});
    const double same = frechet_distance(&(gaussian){N, mean, a}, &(gaussian){N, mean, a});
    test_check(near(d, 4 * trace, 1e-6), "Frechet distance of a covariance of rank 20 to its ninefold: %.6f of %.6f", d,
               4 * trace);
    test_check(same < 1e-6 * trace, "Frechet distance to itself: %.1e", same);
}

static void test_gaussian(void) {
    const float values[] = {1, 2, 3, 6, 5, 1};
    gaussian g = gaussian_of(&(point_set){3, 2, values});
    const double known[] = {3, 3, 4, -1, -1, 7};
    int right = near(g.mean[0], known[0], 1e-12) && near(g.mean[1], known[1], 1e-12);
    for (int i = 0; i < 4; i++) right = right && near(g.covariance[i], known[2 + i], 1e-12);
    test_check(right, "mean and covariance of three points");
    gaussian_free(&g);
}

/* --- Precision and recall: clusters of points about corners that lie far apart --- */

enum { CLUSTER = 40, SPACE = 11 }; /* 11: not a multiple of 8 */

/* Points about corners first to last - 1 of space. */
static point_set clusters(uint32_t seed, int first, int last) {
    point_set p = {CLUSTER * (last - first), SPACE, NULL};
    float *values = test_normal(seed, (size_t)(p.count * SPACE));
    for (int i = 0; i < p.count; i++) values[i * SPACE + first + i / CLUSTER] += 1000;
    p.values = values;
    return p;
}

static void check_sets(const char *what, point_set real, point_set generated, double precision, double recall,
                       double slack) {
    const precision_recall got = measure_precision_recall(&real, &generated, 3, 2),
                           one = measure_precision_recall(&real, &generated, 3, 1);
    test_check(fabs(got.precision - precision) <= slack && fabs(got.recall - recall) <= slack,
               "%s: precision %.3f, recall %.3f, of %g and %g", what, got.precision, got.recall, precision, recall);
    test_check(one.precision == got.precision && one.recall == got.recall, "%s: the same on one thread", what);
    free((void *)(uintptr_t)real.values);
    free((void *)(uintptr_t)generated.values);
}

/* By hand, k = 1 on a line: radii of 0, 1, 10 are 1, 1, 9. 0.5 and 1.5 lie inside, 19.5 does not; radii of these are 1, 1,
   18, so that 0 and 1 lie inside, and 10 too, within 18 of 19.5. */
static void test_line(void) {
    const float real[] = {0, 1, 10}, generated[] = {0.5f, 1.5f, 19.5f};
    const precision_recall got =
        measure_precision_recall(&(point_set){3, 1, real}, &(point_set){3, 1, generated}, 1, 1);
    test_check(near(got.precision, 2.0 / 3, 1e-12) && near(got.recall, 1, 1e-12),
               "six points on a line: precision %.3f, recall %.3f", got.precision, got.recall);
}

static void test_precision_recall(void) {
    test_line();
    check_sets("the same set", clusters(1, 0, 3), clusters(1, 0, 3), 1, 1, 0);
    check_sets("sets apart", clusters(1, 0, 3), clusters(2, 3, 6), 0, 0, 0);
    point_set real = clusters(1, 0, 4), some = clusters(1, 0, 2);
    check_sets("half of the kinds", real, some, 1, 0.5, 0);
    real = clusters(1, 0, 2), some = clusters(1, 0, 4);
    float *values = test_normal(1, (size_t)(some.count * SPACE)); /* the first half is that of real */
    for (int i = 0; i < some.count; i++) values[i * SPACE + i / CLUSTER] += 1000;
    free((void *)(uintptr_t)some.values);
    some.values = values;
    check_sets("half of it nonsense", real, some, 0.5, 1, 0);
    const point_set a = clusters(3, 0, 4), b = clusters(4, 0, 4);
    const precision_recall alike = measure_precision_recall(&a, &b, 3, 1);
    check_sets("two sets of one kind", a, b, alike.precision, alike.recall, 0);
    test_check(alike.precision > 0.4 && alike.recall > 0.4, "two sets of one kind lie among each other: %.2f, %.2f",
               alike.precision, alike.recall);
}

/* --- The network of factors --- */

/* A recognizer in memory with maps for activations and gradients. */
typedef struct bench {
    arena arena;
    recognizer r;
    recognizer_maps x, dx;
    convolution_scratch scratch;
    float *gradient, *direction;
} bench;

static void plan_bench(bench *b, const engine *e) {
    recognizer_plan(&b->r, 5, e, &b->arena);
    b->x = recognizer_maps_take(&b->arena, &b->r);
    b->dx = recognizer_maps_take(&b->arena, &b->r);
    recognizer_scratch_fit(&b->r, &b->scratch);
    convolution_scratch_take(&b->arena, &b->scratch);
    b->gradient = arena_take(&b->arena, b->r.net.floats);
    b->direction = arena_take(&b->arena, b->r.net.floats);
}

/* Half the sum of the squared outputs, at the parameters moved by `step` along the direction. */
static double loss_at(bench *b, double step) {
    const map *y = &b->x.outputs;
    double loss = 0;
    for (size_t i = 0; i < b->r.net.floats; i++) b->r.net.values[i] += (float)step * b->direction[i];
    recognizer_prepare(&b->r, &b->scratch);
    recognizer_forward(&b->r, &b->x, &b->scratch);
    for (int k = 0; k < y->channels; k++)
        for (int n = 0; n < SHARD; n++) loss += 0.5 * pow((double)y->data[map_at(y, k, 0, 0, n)], 2);
    for (size_t i = 0; i < b->r.net.floats; i++) b->r.net.values[i] -= (float)step * b->direction[i];
    return loss;
}

/* The derivative along a direction in which one tensor moves, against a difference. */
static double direction_error(bench *b, int index) {
    const double step = 3e-4; /* short: an lrelu has a kink */
    const size_t size = network_floats(&b->r.net, index);
    float *direction = network_at(&b->r.net, b->direction, index), *noise = test_normal((uint32_t)index, size);
    const float *gradient = network_at(&b->r.net, b->gradient, index);
    const parameter *p = &b->r.net.parameters[index];
    double along = 0;
    memset(b->direction, 0, b->r.net.floats * sizeof(float));
    for (size_t i = 0; i < size; i++)
        if ((int)(i % (size_t)padded(p->columns)) < p->columns) direction[i] = noise[i];
    for (size_t i = 0; i < size; i++) along += (double)p->gain * (double)gradient[i] * (double)direction[i];
    const double measured = (loss_at(b, step) - loss_at(b, -step)) / (2 * step);
    free(noise);
    return fabs(along - measured) / (fabs(measured) + 0.1);
}

static void test_gradient(void) {
    bench b = {0};
    plan_bench(&b, engine_for(STYLEGAN_ISA_AUTO));
    arena_allocate(&b.arena);
    plan_bench(&b, engine_for(STYLEGAN_ISA_AUTO));
    network_initialize(&b.r.net, 5);
    uint8_t *pixels = cli_alloc(RECOGNIZER_SIZE * RECOGNIZER_SIZE, 3);
    for (int n = 0; n < SHARD; n++) {
        portrait p;
        portrait_draw_factors(&p, 9, (uint64_t)n);
        portrait_render(&p, RECOGNIZER_SIZE, pixels);
        recognizer_load(&b.x, n, pixels, n % 2);
    }
    free(pixels);
    loss_at(&b, 0);
    memcpy(b.dx.outputs.data, b.x.outputs.data, map_block_floats(&b.x.outputs) * sizeof(float));
    recognizer_backward(&b.r, &b.x, &b.dx, b.gradient, &b.scratch);
    for (int i = 0; i < b.r.net.count; i++) {
        const double error = direction_error(&b, i);
        test_check(error < 0.03, "gradient of %s: %.1e from a difference", b.r.net.parameters[i].name, error);
    }
    arena_free(&b.arena);
}

/* The loss's derivative by each output, and nothing of what is hidden. */
static void test_loss(void) {
    const int outputs = factor_outputs();
    float *at = test_normal(3, (size_t)outputs), *derivative = cli_alloc((size_t)outputs, sizeof *derivative);
    float *values = cli_alloc((size_t)factor_count(), sizeof *values), *ignored = test_normal(4, (size_t)outputs);
    double worst = 0;
    portrait p;
    portrait_draw_factors(&p, 3, 3);
    factors_of(&p, values);
    values[0] = NAN;
    factors_loss(at, values, derivative);
    for (int k = 0; k < outputs; k++) {
        const float was = at[k];
        at[k] = was + 0.01f;
        const double above = factors_loss(at, values, ignored);
        at[k] = was - 0.01f;
        const double below = factors_loss(at, values, ignored);
        at[k] = was;
        worst = fmax(worst, fabs((above - below) / 0.02 - (double)derivative[k]));
    }
    test_check(worst < 1e-3, "derivative of the loss: %.1e from a difference", worst);
    test_check(derivative[0] == 0, "a hidden factor has no derivative");
    free(at);
    free(derivative);
    free(values);
    free(ignored);
}

/* --- Portraits --- */

enum { SIDE = RECOGNIZER_SIZE, PIXELS = SIDE * SIDE * 3 };

static void test_mirror(void) {
    enum { COUNT = 12 };
    uint8_t *a = cli_alloc(PIXELS, 1), *b = cli_alloc(PIXELS, 1);
    double difference = 0, unmirrored = 0;
    for (int n = 0; n < COUNT; n++) {
        portrait p, mirrored;
        portrait_draw_factors(&p, 6, (uint64_t)n);
        mirrored = portrait_mirrored(&p);
        portrait_render(&p, SIDE, a);
        portrait_render(&mirrored, SIDE, b);
        for (int i = 0; i < PIXELS; i++) {
            const int pixel = i / 3, other = pixel / SIDE * SIDE + SIDE - 1 - pixel % SIDE;
            difference += fabs((double)a[i] - b[other * 3 + i % 3]) / (COUNT * PIXELS);
            unmirrored += fabs((double)a[i] - b[i]) / (COUNT * PIXELS);
        }
    }
    /* Not quite: strands of hair and beard are not mirrored. */
    test_check(difference < 0.25 * unmirrored,
               "a mirrored portrait is the mirrored picture: %.1f apart, %.1f if not turned", difference, unmirrored);
    free(a);
    free(b);
}

static picture_set draw_set(uint64_t seed, int count, int size) {
    picture_set set = {count, size, cli_alloc((size_t)count, (size_t)size * (size_t)size * 3)};
    for (int i = 0; i < count; i++) {
        portrait p;
        portrait_draw_factors(&p, seed, (uint64_t)i);
        portrait_render(&p, size, set.pixels + (size_t)i * (size_t)size * (size_t)size * 3);
    }
    return set;
}

/* The bars: 95 % of every category, R^2 of 0.9 of every number. */
static void test_shipped(void) {
    enum { COUNT = 400 };
    recognition *eye = recognition_open(STYLEGAN_ISA_AUTO, 2);
    double *scores = cli_alloc((size_t)factor_count(), sizeof *scores);
    recognition_score(eye, 12345, COUNT, scores);
    for (int i = 0; i < factor_count(); i++) {
        const factor *f = factor_at(i);
        if (f->told)
            test_check(scores[i] >= (f->names ? 0.95 : 0.9), "%s of %d unseen portraits: %s %.3f", f->name, COUNT,
                       f->names ? "right" : "R^2", scores[i]);
    }
    recognition_close(eye);
    free(scores);
}

/* Features [count][RECOGNIZER_FEATURES] of a set. */
static float *features_of(const picture_set *set, stylegan_isa isa, int threads) {
    float *features = cli_alloc((size_t)set->count * RECOGNIZER_FEATURES, sizeof *features);
    recognition *eye = recognition_open(isa, threads);
    recognition_see(eye, set, features, NULL);
    recognition_close(eye);
    return features;
}

static void test_same_everywhere(void) {
    enum { COUNT = 10 }; /* not a multiple of a shard */
    const size_t size = (size_t)COUNT * RECOGNIZER_FEATURES;
    const picture_set set = draw_set(8, COUNT, SIDE), one = {1, SIDE, set.pixels + 9 * PIXELS};
    float *scalar = features_of(&set, STYLEGAN_ISA_SCALAR, 1);
    for (stylegan_isa isa = test_next_isa(STYLEGAN_ISA_AUTO); isa < STYLEGAN_ISA_COUNT; isa = test_next_isa(isa)) {
        float *a = features_of(&set, isa, 1), *b = features_of(&set, isa, 3), *last = features_of(&one, isa, 1);
        const double error = test_difference(a, scalar, size);
        test_check(error < 1e-5, "features, %s: %.1e from scalar code", stylegan_isa_name(isa), error);
        test_check(test_same(a, b, size), "features, %s: the same on three threads", stylegan_isa_name(isa));
        test_check(test_same(a + 9 * RECOGNIZER_FEATURES, last, RECOGNIZER_FEATURES),
                   "features, %s: the same of one picture alone", stylegan_isa_name(isa));
        free(a);
        free(b);
        free(last);
    }
    free(scalar);
    free(set.pixels);
}

/* Drawn portraits, of other sizes too, look familiar, other pictures do not. */
static void test_strangeness(void) {
    enum { COUNT = 48 };
    static const struct {
        const char *what;
        int size, kind;
    } sets[] = {{"portraits", 64, 0},
                {"portraits of 90 x 90", 90, 0},
                {"noise", 64, 1},
                {"negatives", 64, 2},
                {"portraits upside down", 64, 3}};
    recognition *eye = recognition_open(STYLEGAN_ISA_AUTO, 2);
    float *outputs = cli_alloc((size_t)COUNT * (size_t)factor_outputs(), sizeof *outputs);
    for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
        picture_set set = draw_set(11, COUNT, sets[i].size);
        const size_t picture = (size_t)set.resolution * (size_t)set.resolution * 3, bytes = COUNT * picture;
        for (size_t k = 0; sets[i].kind == 1 && k < bytes; k++) set.pixels[k] = (uint8_t)random_mix(k);
        for (size_t k = 0; sets[i].kind == 2 && k < bytes; k++) set.pixels[k] = (uint8_t)(255 - set.pixels[k]);
        for (size_t k = 0; sets[i].kind == 3 && k < bytes; k++) {
            const size_t other = k / picture * picture + picture - 3 - k % picture / 3 * 3 + k % 3;
            if (other <= k) continue;
            const uint8_t was = set.pixels[k];
            set.pixels[k] = set.pixels[other];
            set.pixels[other] = was;
        }
        recognition_see(eye, &set, NULL, outputs);
        const double strange = factors_strangeness(outputs, COUNT);
        test_check(sets[i].kind ? strange > 0.1 : strange < 0.1, "strangeness of %s: %.3f", sets[i].what, strange);
        free(set.pixels);
    }
    free(outputs);
    recognition_close(eye);
}

int main(void) {
    test_gaussian();
    test_frechet_numbers();
    test_frechet_planes();
    test_frechet_scaled();
    test_precision_recall();
    test_gradient();
    test_loss();
    test_mirror();
    test_same_everywhere();
    test_strangeness();
    test_shipped();
    return test_end();
}
