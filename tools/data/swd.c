/* swd.c - how well one set of pictures passes for another: distance, diversity, colour.

   The sliced Wasserstein distance compares small patches of the pictures. Each picture is taken apart into the levels of
   a Laplacian pyramid, and 128 patches of 7x7 pixels of each level are points in 147 dimensions. If both sets have the
   same patches equally often, so have all projections of these points on a line; and on a line, the distance between two
   sets of points is easy: sort both, and take the mean difference between points of equal rank. The result is the mean
   over 512 random lines. Fine levels tell whether the texture is right, the coarsest one whether the large shapes are. */
#define _POSIX_C_SOURCE 200809L
#include "swd.h"
#include "../../stylegan.h"
#include "../base/cli.h"
#include "../base/pool.h"
#include "../base/random.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    CHANNELS = 3,
    PATCH = 7,
    PATCH_VALUES = CHANNELS * PATCH * PATCH,
    PATCHES = 128, /* of each picture and level */
    DIRECTIONS = 512,
    GROUP = 16, /* directions and ... */
    LANES = 64  /* ... patches that are projected together */
};

/* --- The Laplacian pyramid of one picture: planes [3][H][W] --- */

static const float BINOMIAL[5] = {1 / 16.0f, 4 / 16.0f, 6 / 16.0f, 4 / 16.0f, 1 / 16.0f};

/* Behind the border, pictures go on as in a mirror. */
static int mirrored(int at, int size) {
    if (at < 0) at = -at;
    return at < size ? at : 2 * (size - 1) - at;
}

/* Along one axis: out[i] sums BINOMIAL[k] * in[i + k - 2]. `step` is the distance of neighbours, `across` that of lines. */
static void blur_axis(const float *in, float *out, int size, int step, int across) {
    for (int line = 0; line < size; line++)
        for (int i = 0; i < size; i++) {
            float sum = 0;
            for (int k = 0; k < 5; k++) sum += BINOMIAL[k] * in[line * across + mirrored(i + k - 2, size) * step];
            out[line * across + i * step] = sum;
        }
}

static void blur(float *plane, float *scratch, int size) {
    blur_axis(plane, scratch, size, 1, size);
    blur_axis(scratch, plane, size, size, 1);
}

/* Every other pixel of the blurred plane [size][size]. */
static void shrink(const float *plane, int size, float *half, float *scratch) {
    float *blurred = scratch + size * size;
    memcpy(blurred, plane, (size_t)(size * size) * sizeof *plane);
    blur(blurred, scratch, size);
    for (int y = 0; y < size / 2; y++)
        for (int x = 0; x < size / 2; x++) half[y * (size / 2) + x] = blurred[2 * y * size + 2 * x];
}

/* Subtracts what the half knows already: its pixels spread out, blurred (times 4, as three of four pixels are empty). */
static void subtract_enlarged(float *plane, int size, const float *half, float *scratch) {
    float *enlarged = scratch + size * size;
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++)
            enlarged[y * size + x] = x % 2 || y % 2 ? 0 : 4 * half[y / 2 * (size / 2) + x / 2];
    blur(enlarged, scratch, size);
    for (int i = 0; i < size * size; i++) plane[i] -= enlarged[i];
}

/* Leaves the wanted level in planes [3][size][size], which begin as the picture. */
static int pyramid_level(float *planes, int size, int level, float *scratch) {
    for (;; level--) {
        const int last = size == SWD_LEAST_RESOLUTION, area = size * size;
        float *half = scratch + 2 * area;
        if (level == 0 && last) return size;
        for (int c = 0; c < CHANNELS; c++) {
            shrink(planes + c * area, size, half, scratch);
            if (level == 0)
                subtract_enlarged(planes + c * area, size, half, scratch);
            else
                memcpy(planes + c * area / 4, half, (size_t)area / 4 * sizeof *half);
        }
        if (level == 0) return size;
        size /= 2;
    }
}

int swd_levels(int resolution) {
    int levels = 1;
    while (resolution >> levels >= SWD_LEAST_RESOLUTION) levels++;
    return levels;
}

int swd_takes(int resolution) {
    return resolution >= SWD_LEAST_RESOLUTION && !(resolution & (resolution - 1)) &&
           swd_levels(resolution) <= SWD_MOST_LEVELS;
}

/* --- Patches of one level: [blocks][147][LANES], so that LANES of them are projected at once --- */

typedef struct patches {
    const picture_set *set;
    int level;
    uint64_t seed;
    size_t count, blocks;
    float *values;
} patches;

static float *patch_value(const patches *p, size_t patch, int value) {
    return p->values + (patch / LANES * PATCH_VALUES + (size_t)value) * LANES + patch % LANES;
}

/* The picture's pixels [H][W][3] as planes [3][H][W]. */
static void split_channels(const picture_set *set, int picture, float *planes) {
    const int area = set->resolution * set->resolution;
    const uint8_t *pixels = set->pixels + (size_t)picture * (size_t)area * CHANNELS;
    for (int c = 0; c < CHANNELS; c++)
        for (int i = 0; i < area; i++) planes[c * area + i] = pixels[i * CHANNELS + c];
}

static void cut_patches(void *context, int picture, int thread) {
    (void)thread;
    const patches *p = context;
    const size_t area = (size_t)p->set->resolution * (size_t)p->set->resolution;
    float *planes = cli_alloc(CHANNELS * area, sizeof *planes), *scratch = cli_alloc(3 * area, sizeof *scratch);
    split_channels(p->set, picture, planes);
    const int size = pyramid_level(planes, p->set->resolution, p->level, scratch);
    for (size_t i = 0; i < PATCHES; i++) {
        const size_t patch = (size_t)picture * PATCHES + i;
        const uint64_t bits = random_at(p->seed, patch), places = (uint64_t)(size - PATCH + 1);
        const int left = (int)((bits & 0xffffffff) % places), top = (int)((bits >> 32) % places);
        for (int v = 0; v < PATCH_VALUES; v++) {
            const int c = v / (PATCH * PATCH), y = top + v / PATCH % PATCH, x = left + v % PATCH;
            *patch_value(p, patch, v) = planes[(c * size + y) * size + x];
        }
    }
    free(scratch);
    free(planes);
}

/* Each channel to mean 0 and standard deviation 1 over all patches. */
static void normalize_patches(void *context, int channel, int thread) {
    (void)thread;
    const patches *p = context;
    const size_t values = PATCH * PATCH * LANES; /* of the channel in a block; lanes behind the last patch are 0 */
    const double count = (double)p->count * PATCH * PATCH;
    double sum = 0, squares = 0;
    for (size_t b = 0; b < p->blocks; b++) {
        const float *at = p->values + (b * CHANNELS + (size_t)channel) * values;
        for (size_t i = 0; i < values; i++) {
            sum += (double)at[i];
            squares += (double)at[i] * (double)at[i];
        }
    }
    const double mean = sum / count, variance = squares / count - mean * mean;
    const float shift = (float)mean, scale = variance > 1e-8 ? (float)(1 / sqrt(variance)) : 1; /* a flat channel */
    for (size_t b = 0; b < p->blocks; b++) {
        float *at = p->values + (b * CHANNELS + (size_t)channel) * values;
        for (size_t i = 0; i < values; i++) at[i] = (at[i] - shift) * scale;
    }
}

static patches cut_all_patches(const picture_set *set, int level, uint64_t seed, int threads) {
    patches p = {.set = set, .level = level, .seed = seed, .count = (size_t)set->count * PATCHES};
    p.blocks = p.count / LANES;
    p.values = cli_alloc(p.blocks * PATCH_VALUES, LANES * sizeof *p.values);
    pool_each(set->count, threads, cut_patches, &p);
    pool_each(CHANNELS, threads, normalize_patches, &p);
    return p;
}

/* --- Projections --- */

/* A random direction: normal values are equally likely in all of them. */
static void draw_direction(uint64_t seed, int index, float *direction) {
    double squares = 0;
    stylegan_random_normal(seed, (uint32_t)index, 0, direction, PATCH_VALUES);
    for (int i = 0; i < PATCH_VALUES; i++) squares += (double)direction[i] * (double)direction[i];
    for (int i = 0; i < PATCH_VALUES; i++) direction[i] /= (float)sqrt(squares);
}

/* The dot products of LANES patches with a direction, a row of the patches at a time. */
static void project_block(const float *values, const float *direction, float *projected) {
    float sums[LANES] = {0};
    for (const float *x = values, *d = direction; d < direction + PATCH_VALUES; x += PATCH * LANES, d += PATCH)
        for (int i = 0; i < LANES; i++)
            sums[i] += d[0] * x[i] + d[1] * x[LANES + i] + d[2] * x[2 * LANES + i] + d[3] * x[3 * LANES + i] +
                       d[4] * x[4 * LANES + i] + d[5] * x[5 * LANES + i] + d[6] * x[6 * LANES + i];
    memcpy(projected, sums, sizeof sums);
}

/* projected [GROUP][patches]. A block stays in the cache for all directions of the group. */
static void project(const patches *p, const float *directions, float *projected) {
    for (size_t b = 0; b < p->blocks; b++)
        for (size_t d = 0; d < GROUP; d++)
            project_block(p->values + b * PATCH_VALUES * LANES, directions + d * PATCH_VALUES,
                          projected + d * p->count + b * LANES);
}

/* Bits that order like the float: negative numbers upside down below the positive ones. */
static uint32_t order_bits(float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    return bits >> 31 ? ~bits : bits | 0x80000000u;
}

static float value_of_bits(uint32_t bits) {
    float value;
    bits = bits >> 31 ? bits & 0x7fffffffu : ~bits;
    memcpy(&value, &bits, sizeof value);
    return value;
}

/* Radix sort, 11 bits at a time: keys to others by one digit, stable. */
static void sort_by_digit(const uint32_t *keys, uint32_t *sorted, size_t count, int shift) {
    enum { DIGIT = 2048 };
    size_t starts[DIGIT + 1] = {0};
    for (size_t i = 0; i < count; i++) starts[(keys[i] >> shift) % DIGIT + 1]++;
    for (int d = 0; d < DIGIT; d++) starts[d + 1] += starts[d];
    for (size_t i = 0; i < count; i++) sorted[starts[(keys[i] >> shift) % DIGIT]++] = keys[i];
}

/* Leaves the sorted values as bits in keys; scratch holds as many. */
static void sort_values(const float *values, size_t count, uint32_t *keys, uint32_t *scratch) {
    for (size_t i = 0; i < count; i++) scratch[i] = order_bits(values[i]);
    sort_by_digit(scratch, keys, count, 0);
    sort_by_digit(keys, scratch, count, 11);
    sort_by_digit(scratch, keys, count, 22);
}

/* Of two sets of points on a line. */
static double distance_on_line(float *const values[2], size_t count, uint32_t *const keys[2], uint32_t *scratch) {
    double sum = 0;
    for (int s = 0; s < 2; s++) sort_values(values[s], count, keys[s], scratch);
    for (size_t i = 0; i < count; i++)
        sum += fabs((double)value_of_bits(keys[0][i]) - (double)value_of_bits(keys[1][i]));
    return sum / (double)count;
}

typedef struct comparison {
    const patches *sets[2];
    uint64_t seed;
    double distances[DIRECTIONS];
} comparison;

static void compare_group(void *context, int group, int thread) {
    (void)thread;
    comparison *c = context;
    const size_t count = c->sets[0]->count;
    float directions[GROUP * PATCH_VALUES], *projected[2];
    uint32_t *keys[2], *scratch = cli_alloc(count, sizeof *scratch);
    for (int d = 0; d < GROUP; d++) draw_direction(c->seed, group * GROUP + d, directions + d * PATCH_VALUES);
    for (int s = 0; s < 2; s++) {
        keys[s] = cli_alloc(count, sizeof *keys[s]);
        projected[s] = cli_alloc(GROUP * count, sizeof *projected[s]);
        project(c->sets[s], directions, projected[s]);
    }
    for (int d = 0; d < GROUP; d++) {
        float *const line[2] = {projected[0] + (size_t)d * count, projected[1] + (size_t)d * count};
        c->distances[group * GROUP + d] = distance_on_line(line, count, keys, scratch);
    }
    for (int s = 0; s < 2; s++) {
        free(projected[s]);
        free(keys[s]);
    }
    free(scratch);
}

void swd_compare(const picture_set *a, const picture_set *b, uint64_t seed, int threads, double *distances) {
    for (int level = 0; level < swd_levels(a->resolution); level++) {
        const uint64_t level_seed = random_at(seed, (uint64_t)level);
        patches of_a = cut_all_patches(a, level, level_seed, threads);
        patches of_b = cut_all_patches(b, level, level_seed, threads);
        comparison c = {.sets = {&of_a, &of_b}, .seed = level_seed};
        double sum = 0;
        pool_each(DIRECTIONS / GROUP, threads, compare_group, &c);
        for (int i = 0; i < DIRECTIONS; i++) sum += c.distances[i];
        distances[level] = 1e3 * sum / DIRECTIONS;
        free(of_a.values);
        free(of_b.values);
    }
}

/* --- Neighbours --- */

enum { THUMBNAIL = 16 };

typedef struct thumbnails {
    int count, values;
    float *pixels; /* [count][values] */
} thumbnails;

/* Averages of squares of pixels: picture [H][W][3] to thumbnail [16][16][3]. */
static void make_thumbnail(const picture_set *set, int picture, int side, float *thumbnail) {
    const int size = set->resolution, block = size / side;
    const uint8_t *pixels = set->pixels + (size_t)picture * (size_t)(size * size) * CHANNELS;
    memset(thumbnail, 0, (size_t)(side * side) * CHANNELS * sizeof *thumbnail);
    for (int y = 0; y < size; y++)
        for (int x = 0; x < size; x++)
            for (int c = 0; c < CHANNELS; c++)
                thumbnail[(y / block * side + x / block) * CHANNELS + c] +=
                    (float)pixels[(y * size + x) * CHANNELS + c] / (float)(block * block);
}

static thumbnails make_thumbnails(const picture_set *set) {
    const int side = set->resolution < THUMBNAIL ? set->resolution : THUMBNAIL;
    thumbnails t = {set->count, side * side * CHANNELS, NULL};
    t.pixels = cli_alloc((size_t)t.count * (size_t)t.values, sizeof *t.pixels);
    for (int i = 0; i < t.count; i++) make_thumbnail(set, i, side, t.pixels + (size_t)i * (size_t)t.values);
    return t;
}

static double thumbnail_distance(const thumbnails *a, int i, const thumbnails *b, int k) {
    enum { SUMS = 16 }; /* at a time, as vectors; thumbnails have a multiple of values */
    const float *one = a->pixels + (size_t)i * (size_t)a->values, *other = b->pixels + (size_t)k * (size_t)b->values;
    float sums[SUMS] = {0};
    double squares = 0;
    for (int v = 0; v < a->values; v += SUMS)
        for (int s = 0; s < SUMS; s++) sums[s] += (one[v + s] - other[v + s]) * (one[v + s] - other[v + s]);
    for (int s = 0; s < SUMS; s++) squares += (double)sums[s];
    return sqrt(squares / a->values);
}

typedef struct neighbour_search {
    thumbnails from, among[2];
    int sets, itself; /* the set of `among` that `from` is, -1: none */
    neighbour *found;
} neighbour_search;

static void find_neighbour(void *context, int index, int thread) {
    (void)thread;
    const neighbour_search *s = context;
    neighbour nearest = {.distance = INFINITY};
    double sum = 0;
    int others = 0;
    for (int set = 0; set < s->sets; set++)
        for (int i = 0; i < s->among[set].count; i++) {
            if (set == s->itself && i == index) continue;
            const double distance = thumbnail_distance(&s->from, index, &s->among[set], i);
            if (distance < nearest.distance) nearest = (neighbour){set, i, distance, 0};
            sum += distance;
            others++;
        }
    nearest.mean = sum / others;
    s->found[index] = nearest;
}

neighbour *find_neighbours(const picture_set *from, const picture_set *among, int sets, int threads) {
    neighbour_search s = {.from = make_thumbnails(from), .sets = sets, .itself = -1};
    s.found = cli_alloc((size_t)from->count, sizeof *s.found);
    for (int i = 0; i < sets; i++) {
        s.among[i] = make_thumbnails(&among[i]);
        if (among[i].pixels == from->pixels) s.itself = i;
    }
    pool_each(from->count, threads, find_neighbour, &s);
    for (int i = 0; i < sets; i++) free(s.among[i].pixels);
    free(s.from.pixels);
    return s.found;
}

picture_spread measure_spread(const picture_set *set, int threads) {
    neighbour *found = find_neighbours(set, set, 1, threads);
    picture_spread result = {0, 0};
    for (int i = 0; i < set->count; i++) {
        result.mean += found[i].mean / set->count;
        result.nearest += found[i].distance / set->count;
    }
    free(found);
    return result;
}

/* --- Colour --- */

picture_tone measure_tone(const picture_set *set) {
    const size_t values = (size_t)set->count * (size_t)set->resolution * (size_t)set->resolution * CHANNELS;
    const double pixels = (double)(values / CHANNELS);
    picture_tone tone = {{0}, {0}};
    for (size_t i = 0; i < values; i++) {
        tone.mean[i % CHANNELS] += set->pixels[i] / pixels;
        tone.deviation[i % CHANNELS] += set->pixels[i] * (double)set->pixels[i] / pixels;
    }
    for (int c = 0; c < CHANNELS; c++)
        tone.deviation[c] = sqrt(fmax(0, tone.deviation[c] - tone.mean[c] * tone.mean[c]));
    return tone;
}
