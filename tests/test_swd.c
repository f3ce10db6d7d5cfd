/* test_swd.c - the comparison of picture sets: equal, alike, shifted, collapsed ones. */
#include "../tools/base/cli.h"
#include "../tools/data/swd.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { COUNT = 60, SIZE = 32, LEVELS = 2, VALUES = SIZE * SIZE * 3, THREADS = 2 };

/* Pictures of a disc: its place, radius and colour, and the background's colour, are random. */
static void draw_disc(uint32_t seed, uint8_t *pixels) {
    float r[9];
    stylegan_seed_z(seed, r, 9);
    for (int i = 0; i < VALUES; i++) {
        const int x = i / 3 % SIZE, y = i / 3 / SIZE, c = i % 3;
        const double far = hypot(x - SIZE / 2.0 - 4 * (double)r[0], y - SIZE / 2.0 - 4 * (double)r[1]);
        const double inside = 1 / (1 + exp(far - 8 - (double)r[2]));
        const double value = 128 + 30 * ((double)r[3 + c] * inside + (double)r[6 + c] * (1 - inside));
        pixels[i] = (uint8_t)fmin(fmax(value, 0), 255);
    }
}

static picture_set discs(uint32_t first_seed) {
    picture_set set = {COUNT, SIZE, (uint8_t *)cli_alloc(COUNT, VALUES)};
    for (int i = 0; i < COUNT; i++) draw_disc(first_seed + (uint32_t)i, set.pixels + (size_t)i * VALUES);
    return set;
}

static picture_set copy_of(const picture_set *set) {
    picture_set copy = *set;
    copy.pixels = (uint8_t *)cli_alloc(COUNT, VALUES);
    memcpy(copy.pixels, set->pixels, (size_t)COUNT * VALUES);
    return copy;
}

static double distance(const picture_set *a, const picture_set *b, int threads) {
    double distances[SWD_MOST_LEVELS], sum = 0;
    swd_compare(a, b, 1, threads, distances);
    for (int i = 0; i < LEVELS; i++) sum += distances[i] / LEVELS;
    return sum;
}

/* Every pixel of a copy, changed. */
typedef int change_fn(const uint8_t *pixels, int i);

static int swap_red_and_blue(const uint8_t *pixels, int i) {
    return pixels[i / 3 * 3 + 2 - i % 3];
}

static int make_grey(const uint8_t *pixels, int i) {
    return (pixels[i / 3 * 3] + pixels[i / 3 * 3 + 1] + pixels[i / 3 * 3 + 2]) / 3;
}

static int make_coarse(const uint8_t *pixels, int i) {
    return pixels[(i / (3 * SIZE) / 4 * 4 * SIZE + i / 3 % SIZE / 4 * 4) * 3 + i % 3];
}

static int brighten(const uint8_t *pixels, int i) {
    return pixels[i] < 235 ? pixels[i] + 20 : 255;
}

static picture_set changed(const picture_set *set, change_fn *change) {
    picture_set copy = copy_of(set);
    for (int p = 0; p < COUNT; p++)
        for (int i = 0; i < VALUES; i++)
            copy.pixels[(size_t)p * VALUES + (size_t)i] = (uint8_t)change(set->pixels + (size_t)p * VALUES, i);
    return copy;
}

/* Only the first `kinds` pictures, again and again. */
static picture_set collapsed(const picture_set *set, int kinds) {
    picture_set copy = copy_of(set);
    for (int i = kinds; i < COUNT; i++)
        memcpy(copy.pixels + (size_t)i * VALUES, set->pixels + (size_t)(i % kinds) * VALUES, VALUES);
    return copy;
}

int main(void) {
    picture_set a = discs(0), b = discs(COUNT), coarse = changed(&b, make_coarse), grey = changed(&b, make_grey);
    picture_set swapped = changed(&b, swap_red_and_blue), bright = changed(&b, brighten);
    picture_set same = collapsed(&b, 1), few = collapsed(&b, 3);
    const double floor = distance(&a, &b, 1);
    test_check(swd_levels(64) == 3 && swd_levels(SIZE) == LEVELS && swd_levels(16) == 1, "swd: levels down to 16");
    test_check(swd_takes(16) && swd_takes(2048) && !swd_takes(8) && !swd_takes(24) && !swd_takes(200) &&
                   !swd_takes(4096),
               "swd: takes powers of two from 16 to 2048");
    test_check(distance(&a, &a, 1) == 0, "swd: 0 for equal sets");
    test_check(floor > 0 && floor == distance(&a, &b, THREADS), "swd: %.1f for sets alike, on any number of threads",
               floor);
    const struct {
        const char *what;
        const picture_set *set;
        double least, most; /* times the floor */
    } cases[] = {{"coarse pixels", &coarse, 1.3, 9},
                 {"pictures without colour", &grey, 1.3, 9},
                 {"a single picture", &same, 1.3, 9},
                 {"red and blue swapped, which here changes nothing", &swapped, 0.7, 1.3}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const double far = distance(&a, cases[i].set, THREADS);
        test_check(far > cases[i].least * floor && far < cases[i].most * floor, "swd: %.1f for %s", far, cases[i].what);
    }

    const picture_spread of_a = measure_spread(&a, 1), of_b = measure_spread(&b, THREADS);
    const picture_spread of_same = measure_spread(&same, THREADS), of_few = measure_spread(&few, THREADS);
    const picture_spread again = measure_spread(&a, THREADS);
    test_check(of_a.mean == again.mean && of_a.nearest == again.nearest, "spread: the same on any number of threads");
    test_check(fabs(of_a.mean / of_b.mean - 1) < 0.2 && of_a.nearest < of_a.mean,
               "spread: %.1f and %.1f for sets alike", of_a.mean, of_b.mean);
    test_check(of_same.mean == 0 && of_same.nearest == 0, "spread: 0 for a single picture");
    test_check(of_few.mean > 0.3 * of_b.mean && of_few.nearest == 0,
               "spread: three pictures differ, but not from their copies");

    /* The third picture of the second set is the first of `a`; the others are from elsewhere. */
    picture_set sets[] = {b, few};
    memcpy(few.pixels + 2 * VALUES, a.pixels, VALUES);
    neighbour *near = find_neighbours(&a, sets, 2, THREADS), *self = find_neighbours(&b, &b, 1, 1);
    test_check(near[0].set == 1 && near[0].index == 2 && near[0].distance == 0, "neighbours: a copy is found");
    test_check(near[1].distance > 0 && near[1].distance < near[1].mean, "neighbours: %.1f away, all %.1f",
               near[1].distance, near[1].mean);
    test_check(self[0].distance > 0, "neighbours: none is its own");
    free(near);
    free(self);

    const picture_tone of_bright = measure_tone(&bright), of_plain = measure_tone(&b), of_grey = measure_tone(&grey);
    test_check(fabs(of_bright.mean[1] - of_plain.mean[1] - 20) < 1, "tone: brighter by %.1f",
               of_bright.mean[1] - of_plain.mean[1]);
    test_check(of_grey.deviation[0] < 0.9 * of_plain.deviation[0] && of_grey.mean[0] == of_grey.mean[2],
               "tone: less contrast without colour");

    picture_set *const all[] = {&a, &b, &coarse, &grey, &swapped, &bright, &same, &few};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++) free(all[i]->pixels);
    return test_end();
}
