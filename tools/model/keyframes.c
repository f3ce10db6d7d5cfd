/* keyframes.c - see keyframes.h. */
#include "keyframes.h"
#include "../base/notes.h"
#include "shuffle.h"
#include "spline.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double pi = 3.14159265358979323846;

/* Where the frames lie. */
struct keyframe_space {
    const char *name;
    int in_w;                                                                 /* key frames are ws, else zs */
    int zs;                                                                   /* of a key frame */
    void (*blend)(keyframes *k, const float *values, double time, float *to); /* values [K][size] to ws or z */
};

/* --- Frames between key frames --- */

static void blend_spline(keyframes *k, const float *values, double time, float *ws) {
    spline_weights(k->count, time, k->weights);
    for (size_t i = 0; i < k->size; i++) k->sums[i] = 0;
    for (int j = 0; j < k->count; j++, values += k->size)
        for (size_t i = 0; i < k->size; i++) k->sums[i] += k->weights[j] * (double)values[i];
    for (size_t i = 0; i < k->size; i++) ws[i] = (float)k->sums[i];
}

static double dot(const float *a, const float *b, size_t size) {
    double sum = 0;
    for (size_t i = 0; i < size; i++) sum += (double)a[i] * (double)b[i];
    return sum;
}

/* Spherical linear interpolation (Shoemake, 1985); between parallel zs the straight line is the same. */
static void blend_sphere(keyframes *k, const float *values, double time, float *z) {
    const int at = (int)floor(time);
    const float *a = values + (size_t)at * k->size, *b = values + (size_t)((at + 1) % k->count) * k->size;
    const double u = time - at, lengths = sqrt(dot(a, a, k->size) * dot(b, b, k->size));
    const double cosine = lengths > 0 ? fmax(-1, fmin(1, dot(a, b, k->size) / lengths)) : 1;
    const double angle = acos(cosine), sine = sin(angle);
    const double of_a = sine > 1e-6 ? sin((1 - u) * angle) / sine : 1 - u;
    const double of_b = sine > 1e-6 ? sin(u * angle) / sine : u;
    for (size_t i = 0; i < k->size; i++) z[i] = (float)(of_a * (double)a[i] + of_b * (double)b[i]);
}

/* Of three normal zs the first is the middle and the others span the circle: each point is normal again. */
static void blend_circle(keyframes *k, const float *values, double time, float *z) {
    const size_t size = k->size / 3;
    const double angle = 2 * pi * time, away = sin(k->radius);
    const double factors[3] = {cos(k->radius), away * cos(angle), away * sin(angle)};
    for (size_t i = 0; i < size; i++) {
        double sum = 0;
        for (size_t j = 0; j < 3; j++) sum += factors[j] * (double)values[j * size + i];
        z[i] = (float)sum;
    }
}

static const keyframe_space spaces[] = {
    {"w", 1, 0, blend_spline}, {"z", 0, 1, blend_sphere}, {"circle", 0, 3, blend_circle}};
enum { SPACES = sizeof spaces / sizeof *spaces };

/* --- Flags --- */

static const keyframe_space *space_named(const char *name) {
    for (int i = 0; i < SPACES; i++)
        if (strcmp(name, spaces[i].name) == 0) return &spaces[i];
    cli_usage("--space %s: must be w, z or circle", name);
}

static void count_keyframes(keyframes *k, const keyframe_flags *flags, int seeds) {
    enum { MOST_KEYFRAMES = 1000000, MOST_SPACING = 100000, MOST_FRAMES = 100000000 };
    if (!flags->count && seeds % k->pictures)
        cli_usage("--seeds %s: %d seeds are not the same number for each of %d pictures; --num-keyframes gives it",
                  flags->seeds, seeds, k->pictures);
    k->count =
        flags->count ? (int)cli_integer("--num-keyframes", flags->count, 1, MOST_KEYFRAMES) : seeds / k->pictures;
    k->spacing = flags->frames ? (int)cli_integer("--w-frames", flags->frames, 1, MOST_SPACING) : 120;
    if (k->count > MOST_FRAMES / k->spacing) cli_usage("more than %d frames", MOST_FRAMES);
    k->frames = k->count * k->spacing;
}

static void set_radius(keyframes *k, const keyframe_flags *flags) {
    const int circle = k->space->blend == blend_circle;
    if (!circle && flags->radius) cli_usage("--radius needs --space circle");
    if (circle && k->count != 1) cli_usage("--space circle: goes around one seed a picture, not %d", k->count);
    k->radius = (flags->radius ? cli_number("--radius", flags->radius, 0, 90) : 30) * pi / 180;
}

/* The seeds [T][K], from the first on as often as it takes. */
static uint32_t *spread_seeds(keyframes *k, const keyframe_flags *flags) {
    enum { MOST_SEEDS = 100000000 };
    int found;
    uint32_t *given = cli_list("--seeds", flags->seeds, MOST_SEEDS, &found);
    count_keyframes(k, flags, found);
    if (k->count > MOST_SEEDS / k->pictures) cli_usage("more than %d key frames", MOST_SEEDS);
    const int count = k->pictures * k->count;
    uint32_t *seeds = cli_alloc((size_t)count, sizeof *seeds);
    for (int i = 0; i < count; i++) seeds[i] = given[i % found];
    if (flags->shuffle_seed)
        shuffle(seeds, count, (uint32_t)cli_integer("--shuffle-seed", flags->shuffle_seed, 0, UINT32_MAX));
    free(given);
    return seeds;
}

void keyframes_start(keyframes *k, const opened_model *opened, const keyframe_flags *flags, int pictures) {
    const size_t z_dim = (size_t)opened->config->z_dim;
    *k = (keyframes){.opened = opened, .pictures = pictures, .list = flags->seeds, .shuffle_seed = flags->shuffle_seed};
    if (!flags->seeds) cli_usage("give the seeds of the key frames: --seeds 0-31");
    k->space = space_named(flags->space ? flags->space : "w");
    uint32_t *seeds = spread_seeds(k, flags);
    set_radius(k, flags);
    mapping_start(&k->mapping, opened, &flags->mapping);

    k->size = k->space->in_w ? opened->ws_values : z_dim * (size_t)k->space->zs;
    k->z = cli_alloc(z_dim, sizeof *k->z);
    k->weights = cli_alloc((size_t)k->count, sizeof *k->weights);
    k->sums = cli_alloc(k->size, sizeof *k->sums);
    const size_t count = (size_t)pictures * (size_t)k->count;
    k->values = cli_alloc(count, k->size * sizeof *k->values);
    for (size_t i = 0; i < count; i++) {
        float *values = k->values + i * k->size;
        if (k->space->in_w)
            mapping_seed(&k->mapping, 0, seeds[i], values);
        else
            stylegan_seed_z(seeds[i], values, (int)k->size);
    }
    free(seeds);
}

/* --- Use --- */

void keyframes_ws(keyframes *k, int frame, float *ws) {
    const double time = (double)frame / k->spacing;
    for (int i = 0; i < k->pictures; i++) {
        const float *values = k->values + (size_t)i * (size_t)k->count * k->size;
        float *to = ws + (size_t)i * k->opened->ws_values;
        k->space->blend(k, values, time, k->space->in_w ? to : k->z);
        if (!k->space->in_w) mapping_z(&k->mapping, 0, k->z, to);
    }
}

void keyframes_notes(const keyframes *k, char **notes) {
    notes_add(notes, "Seeds", "%s", k->list);
    if (k->shuffle_seed) notes_add(notes, "Shuffle Seed", "%s", k->shuffle_seed);
    notes_add(notes, "Key Frames", "%d, each after %d frames", k->count, k->spacing);
    notes_add(notes, "Space", "%s", k->space->name);
    if (k->space->blend == blend_circle) notes_add(notes, "Radius", "%g degrees", k->radius * 180 / pi);
    mapping_notes(&k->mapping, 0, notes);
}

void keyframes_end(keyframes *k) {
    mapping_end(&k->mapping);
    free(k->values);
    free(k->weights);
    free(k->sums);
    free(k->z);
}
