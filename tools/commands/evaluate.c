/* evaluate.c - how well a network's pictures pass for its training pictures. */
#include "../base/notes.h"
#include "../base/sheet.h"
#include "../data/dataset.h"
#include "../data/factors.h"
#include "../data/fidelity.h"
#include "../data/recognition.h"
#include "../data/swd.h"
#include "../model/drawing.h"
#include "../model/latents.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command evaluate_command = {"evaluate", "MODEL --data DATA",
                                      "compare a network's pictures with its training pictures",
                                      "stylegan evaluate runs/portraits/model.sgw --data portraits.sgd\n"
                                      "stylegan evaluate model.sgw --data photos --count 500 --nearest nearest.png",
                                      run};

/* --- Training pictures: two sets that share none, so that their difference shows what chance alone makes --- */

typedef struct halves {
    picture_set sets[2];
    npy labels; /* [count, K] of the first set */
    int label_size;
} halves;

static picture_set empty_set(int count, int resolution) {
    return (picture_set){count, resolution, cli_alloc((size_t)count * 3, (size_t)resolution * (size_t)resolution)};
}

static uint8_t *picture_at(const picture_set *set, int64_t index) {
    return set->pixels + (size_t)index * (size_t)set->resolution * (size_t)set->resolution * 3;
}

/* Every other picture goes to the second set. */
static void deal(void *context, int64_t index, const uint8_t *pixels, const float *label) {
    halves *h = context;
    const size_t size = (size_t)h->sets[0].resolution * (size_t)h->sets[0].resolution * 3;
    memcpy(picture_at(&h->sets[index % 2], index / 2), pixels, size);
    if (h->label_size && index % 2 == 0)
        memcpy(h->labels.values + index / 2 * h->label_size, label, (size_t)h->label_size * sizeof *label);
}

/* A dataset as every stride-th picture of another: of a large sorted folder, all parts should be seen. */
typedef struct thinned {
    const dataset *whole;
    int64_t stride;
} thinned;

static void read_thinned(const dataset *d, int64_t index, uint8_t *pixels, float *label) {
    const thinned *t = d->source;
    dataset_read(t->whole, index * t->stride, pixels, label);
}

static halves read_halves(const dataset *whole, int count, int threads) {
    halves h = {.label_size = whole->label_size};
    thinned t = {whole, whole->count == INT64_MAX ? 1 : whole->count / (2 * count)};
    dataset d = *whole;
    d.read = read_thinned;
    d.source = &t;
    for (int i = 0; i < 2; i++) h.sets[i] = empty_set(count, whole->resolution);
    h.labels = (npy){2, {count, h.label_size}, (size_t)count * (size_t)h.label_size, NULL};
    h.labels.values = cli_alloc(h.labels.count, sizeof *h.labels.values);
    dataset_each(&d, 0, 2 * (int64_t)count, threads, deal, &h);
    return h;
}

/* --- Generated pictures: psi 1, random noise, the labels of training pictures --- */

/* *notes: what a sheet of them says, which the caller frees. */
static picture_set generate(const opened_model *opened, const halves *training, uint32_t seed, char **notes) {
    const picture_set set = empty_set(training->sets[0].count, opened->config->resolution);
    float *ws = cli_alloc(opened->ws_values, sizeof *ws);
    mapping mapper;
    drawing picture;
    mapping_start_all(&mapper, opened);
    if (opened->config->c_dim == training->label_size) mapper.labels = training->labels;
    drawing_start(&picture, opened, &(drawing_flags){.noise_mode = "random"}, set.count);
    picture.run.noise_seed = seed;
    for (int i = 0; i < set.count; i++) {
        mapping_seed(&mapper, i, seed + (uint32_t)i, ws);
        drawing_draw(&picture, ws, 1, NULL);
        memcpy(picture_at(&set, i), picture.pixels, opened->image_values);
    }
    *notes = drawing_notes(&picture, DRAWN_WITH_OTHERS);
    notes_add(notes, "Seeds", "from %u on", seed);
    mapping_notes(&mapper, -1, notes);
    drawing_end(&picture);
    mapper.labels.values = NULL; /* the caller's */
    mapping_end(&mapper);
    free(ws);
    return set;
}

/* --- Copies: a network that has learnt its training pictures by heart draws them again --- */

enum { SHEET_COLUMNS = 10, SHEET_ROWS = 3 };

/* As many generated pictures as find room, below each the training picture that is most like it. */
static void save_nearest(const char *path, const picture_set *generated, const halves *training, const neighbour *found,
                         char **notes) {
    const int count = generated->count < SHEET_COLUMNS * SHEET_ROWS ? generated->count : SHEET_COLUMNS * SHEET_ROWS;
    const int size = generated->resolution;
    sheet s;
    sheet_start(&s, SHEET_COLUMNS, 2 * ((count + SHEET_COLUMNS - 1) / SHEET_COLUMNS), size, size, 3);
    for (int i = 0; i < count; i++) {
        const int above = i / SHEET_COLUMNS * 2 * SHEET_COLUMNS + i % SHEET_COLUMNS;
        sheet_put(&s, above, picture_at(generated, i));
        sheet_put(&s, above + SHEET_COLUMNS, picture_at(&training->sets[found[i].set], found[i].index));
    }
    notes_add(notes, "Rows", "generated pictures; below each, of %d training pictures, the one most like it",
              training->sets[0].count + training->sets[1].count);
    sheet_write(&s, path, notes);
}

static double mean_distance(const neighbour *found, int count) {
    double sum = 0;
    for (int i = 0; i < count; i++) sum += found[i].distance;
    return sum / count;
}

/* --- The table: what generated pictures measure, what training pictures measure, and the ratio --- */

static void print_row(const char *name, double generated, double training) {
    printf("%s\t%.4g\t%.4g\t%.4g\n", name, generated, training, generated / training);
}

static void print_distances(const picture_set *generated, const halves *training, uint64_t seed, int threads) {
    double distances[SWD_MOST_LEVELS], floors[SWD_MOST_LEVELS], distance = 0, least = 0;
    const int levels = swd_levels(generated->resolution);
    swd_compare(generated, &training->sets[0], seed, threads, distances);
    swd_compare(&training->sets[1], &training->sets[0], seed, threads, floors);
    for (int i = 0; i < levels; i++) {
        char name[32];
        snprintf(name, sizeof name, "swd_%d", generated->resolution >> i);
        print_row(name, distances[i], floors[i]);
        distance += distances[i] / levels;
        least += floors[i] / levels;
    }
    print_row("swd_average", distance, least);
}

static void print_spreads(const picture_set *generated, const picture_set *training, int threads) {
    const picture_spread drawn = measure_spread(generated, threads), real = measure_spread(training, threads);
    print_row("diversity", drawn.mean, real.mean);
    print_row("nearest", drawn.nearest, real.nearest);
}

static void print_tones(const picture_set *generated, const picture_set *training) {
    static const char *const names[] = {"red", "green", "blue"};
    const picture_tone drawn = measure_tone(generated), real = measure_tone(training);
    for (int c = 0; c < 3; c++) {
        char name[32];
        snprintf(name, sizeof name, "%s_mean", names[c]);
        print_row(name, drawn.mean[c], real.mean[c]);
        snprintf(name, sizeof name, "%s_deviation", names[c]);
        print_row(name, drawn.deviation[c], real.deviation[c]);
    }
}

/* --- What a network sees that knows drawn portraits --- */

/* Sets of pictures as features and outputs. */
typedef struct seen_set {
    point_set features;
    float *values, *outputs;
} seen_set;

static seen_set see(recognition *eye, const picture_set *set) {
    seen_set s;
    s.values = cli_alloc((size_t)set->count * RECOGNIZER_FEATURES, sizeof *s.values);
    s.outputs = cli_alloc((size_t)set->count * (size_t)factor_outputs(), sizeof *s.outputs);
    s.features = (point_set){set->count, RECOGNIZER_FEATURES, s.values};
    recognition_see(eye, set, s.values, s.outputs);
    return s;
}

static void free_seen(seen_set *s) {
    free(s->values);
    free(s->outputs);
}

static double frechet(const point_set *a, const point_set *b) {
    gaussian x = gaussian_of(a), y = gaussian_of(b);
    const double distance = frechet_distance(&x, &y);
    gaussian_free(&x);
    gaussian_free(&y);
    return distance;
}

static void print_fidelity(const seen_set *generated, const seen_set *training, int threads) {
    enum { NEIGHBOURS = 3 };
    const point_set *real = &training[0].features, *others = &training[1].features;
    const precision_recall drawn = measure_precision_recall(real, &generated->features, NEIGHBOURS, threads);
    const precision_recall least = measure_precision_recall(real, others, NEIGHBOURS, threads);
    print_row("factors_frechet", frechet(&generated->features, real), frechet(others, real));
    print_row("factors_precision", drawn.precision, least.precision);
    print_row("factors_recall", drawn.recall, least.recall);
}

/* Of other pictures than drawn portraits, these figures would mean nothing. */
static void judge_portraits(const picture_set *generated, const halves *training, stylegan_isa isa, int threads,
                            const char *data) {
    const double most_strange = 0.1;
    const int fewest = 32; /* pictures that tell a set of drawn portraits from others */
    const picture_set *const sets[] = {&training->sets[0], &training->sets[1], generated};
    seen_set seen[3];
    if (generated->count < fewest || generated->resolution < RECOGNITION_LEAST_SIZE) {
        cli_note("%s: %d pictures of %dx%d: figures of factors need %d of at least %dx%d", data, generated->count,
                 generated->resolution, generated->resolution, fewest, RECOGNITION_LEAST_SIZE, RECOGNITION_LEAST_SIZE);
        return;
    }
    recognition *eye = recognition_open(isa, threads);
    for (int i = 0; i < 3; i++) seen[i] = see(eye, sets[i]);
    recognition_close(eye);
    if (factors_strangeness(seen[0].outputs, sets[0]->count) > most_strange)
        cli_note("%s: no drawn portraits, so no figures of factors: the network that sees them knows no others", data);
    else
        print_fidelity(&seen[2], seen, threads);
    for (int i = 0; i < 3; i++) free_seen(&seen[i]);
}

/* Both sets must find room in the data. */
static int count_of_each(const dataset *d, const char *name, int wanted) {
    if (d->count < 4)
        cli_fail("%s: %lld pictures are too few: two sets of at least 2 are compared", name, (long long)d->count);
    if (d->count / 2 >= wanted) return wanted;
    cli_note("%s: %lld pictures make two sets of %lld, not of %d", name, (long long)d->count, (long long)d->count / 2,
             wanted);
    return (int)(d->count / 2);
}

static int run(int argc, char **argv) {
    const char *path, *data = NULL, *count_text = "2000", *seed_text = "0", *nearest = NULL;
    model_flags compute_flags = {0};
    const cli_flag flags[] = {
        {"--data", "DATA", DATASET_KINDS, &data},
        {"--count", "N", "pictures of each set: generated, training, other training pictures (default: 2000)",
         &count_text},
        {"--seed", "S", "first seed of the generated pictures, and that of the patches and lines (default: 0)",
         &seed_text},
        {"--nearest", "FILE.png", "also a sheet: generated pictures, below each the training picture most like it",
         &nearest},
        MODEL_FLAGS(compute_flags),
        {0}};
    path = model_parse(&evaluate_command, flags, &compute_flags, argc, argv, NULL);
    if (!data) cli_usage("--data is needed: the training pictures");
    const int wanted = (int)cli_integer("--count", count_text, 2, 1000000);
    const uint32_t seed = (uint32_t)cli_integer("--seed", seed_text, 0, UINT32_MAX);

    opened_model opened;
    dataset d;
    model_open(&opened, path, &compute_flags);
    const int width = opened.config->width, height = opened.config->height;
    if (opened.config->channels != 3 || width != height || !swd_takes(width))
        cli_fail("%s: %d channels of %dx%d: only RGB squares of 16x16, 32x32, ..., 2048x2048 can be compared", path,
                 opened.config->channels, width, height);
    dataset_open(&d, data, width, seed);
    if (nearest) output_check(nearest);
    const int count = count_of_each(&d, data, wanted), threads = stylegan_model_threads(opened.model);
    halves training = read_halves(&d, count, threads);
    char *notes;
    picture_set generated = generate(&opened, &training, seed, &notes);
    neighbour *drawn = find_neighbours(&generated, training.sets, 2, threads);
    neighbour *real = find_neighbours(&training.sets[0], training.sets, 2, threads);
    if (nearest) save_nearest(nearest, &generated, &training, drawn, &notes);

    printf("measure\tgenerated\ttraining\tratio\n");
    print_row("pictures", generated.count, training.sets[0].count);
    print_distances(&generated, &training, seed, threads);
    print_spreads(&generated, &training.sets[0], threads);
    print_row("nearest_training", mean_distance(drawn, count), mean_distance(real, count));
    print_tones(&generated, &training.sets[0]);
    judge_portraits(&generated, &training, stylegan_model_isa(opened.model), threads, data);

    free(real);
    free(drawn);
    free(notes);
    free(generated.pixels);
    for (int i = 0; i < 2; i++) free(training.sets[i].pixels);
    free(training.labels.values);
    dataset_close(&d);
    model_close(&opened);
    return CLI_EXIT_OK;
}
