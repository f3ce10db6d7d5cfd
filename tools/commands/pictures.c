/* pictures.c - the commands that make pictures to learn from: `portraits` draws them, `pack` takes photographs; both as one
   packed file or as single pictures. */
#include "../../stylegan.h"
#include "../base/notes.h"
#include "../base/part.h"
#include "../base/png.h"
#include "../base/sheet.h"
#include "../data/dataset.h"
#include "../data/factors.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int run_portraits(int argc, char **argv);
static int run_pack(int argc, char **argv);

const cli_command portraits_command = {"portraits", "", "draw synthetic portraits to learn from",
                                       "stylegan portraits --count 100 --grid 10x10 --outdir people\n"
                                       "stylegan portraits --count 60000 --size 64 --seed 1 --pack portraits.sgd\n"
                                       "stylegan portraits --count 60000 --pack portraits.sgd --part 3/8  (of 8 such)\n"
                                       "stylegan portraits --join 8 --pack portraits.sgd                  (then)",
                                       run_portraits};

const cli_command pack_command = {
    "pack", "DATA -o FILE.sgd",
    "make photographs (PNG, JPEG, BMP) ready for training, with labels: one packed file (.sgd)",
    "stylegan pack photographs -o photographs.sgd --size 128\n"
    "stylegan pack pets -o pets.sgd           (pets/cats/*.jpg and pets/dogs/*.jpg: two classes)\n"
    "stylegan pack pets.sgd --count 20 --outdir seen --grid 5x4  (as the networks will see them)",
    run_pack};

static const char OUT[] = "out"; /* the folder, unless another one is given */

typedef struct picture_flags {
    const char *count, *size, *folder, *pack, *grid, *threads, *no_metadata, *part;
} picture_flags;
#define PICTURE_FLAGS(flags)                                                                                 \
    {"--outdir", "DIR",                                                                                      \
     "folder for single pictures and grid.png; with a packed file for grid.png alone (default: out)",        \
     &(flags).folder},                                                                                       \
        {"--grid", "CxR", "also write grid.png, the first pictures in C columns and R rows", &(flags).grid}, \
        {"--threads", "N", "threads to work with (default: one per processor)", &(flags).threads}, {         \
        "--no-metadata", NULL, "pictures do not say what they are", &(flags).no_metadata                     \
    }

/* Where the pictures go. */
typedef struct destination {
    const char *folder; /* NULL: no single pictures */
    const char *prefix; /* of their names */
    const dataset *data;
    dataset_writer *pack; /* or NULL */
    sheet *grid;          /* or NULL */
    int64_t *counts;      /* [K] pictures of each class */
    char *notes;          /* what the pictures say of themselves, or NULL */
} destination;

static void count_class(const destination *to, const float *label) {
    for (int k = 0; k < to->data->label_size; k++) to->counts[k] += label[k] == 1;
}

static void take_picture(void *context, int64_t index, const uint8_t *pixels, const float *label) {
    const destination *to = context;
    if (to->folder) {
        char *path = cli_format("%s/%s%06lld.png", to->folder, to->prefix, (long long)index);
        png_write(path, to->data->resolution, to->data->resolution, to->data->channels, pixels, to->notes);
        free(path);
    }
    if (to->pack) dataset_writer_append(to->pack, pixels, label);
    if (to->grid && index < (int64_t)to->grid->columns * to->grid->rows) sheet_put(to->grid, (int)index, pixels);
    count_class(to, label);
}

static void print_summary(const destination *to, const char *what, int64_t count) {
    const dataset *d = to->data;
    printf("%s: %lld pictures of %d x %d pixels", what, (long long)count, d->resolution, d->resolution);
    printf(d->label_size ? ", %d classes\n" : ", no labels\n", d->label_size);
    for (int k = 0; k < d->label_size; k++) {
        printf("class %d: %lld pictures", k, (long long)to->counts[k]);
        printf(d->classes ? " (%s)\n" : "\n", d->classes ? d->classes[k] : "");
    }
}

/* Photographs stay what they are: only the program is told. */
static char *make_notes(int drawn, uint64_t seed) {
    char *notes = NULL;
    notes_add(&notes, "Software", "stylegan %s", stylegan_version());
    if (!drawn) return notes;
    notes_add(&notes, "Synthetic", "portrait drawn by a program, of nobody");
    notes_add(&notes, PNG_SOURCE_TYPE, PNG_FROM_PROGRAM);
    notes_add(&notes, "Collection", "%llu", (unsigned long long)seed);
    return notes;
}

/* The folder for pictures or their sheet; NULL: there is neither. */
static const char *make_folder(const picture_flags *f) {
    const char *folder = f->folder ? f->folder : OUT;
    if (f->pack && !f->grid) return NULL;
    cli_make_folder(folder);
    return folder;
}

/* Returns their number. */
static int64_t write_pictures(const char *data, const char *prefix, uint64_t seed, const picture_flags *f) {
    const int size = f->size ? (int)cli_integer("--size", f->size, 8, 4096) : 0;
    const int threads = f->threads ? (int)cli_integer("--threads", f->threads, 1, 64) : 0;
    int64_t count = f->count ? cli_integer("--count", f->count, 1, 100000000) : 0;
    dataset d;
    dataset_writer pack;
    sheet grid;
    dataset_open(&d, data, size, seed);
    if (!count) count = d.count == INT64_MAX ? 100 : d.count;
    if (count > d.count) cli_usage("--count %lld: %s has %lld pictures", (long long)count, data, (long long)d.count);
    if (f->grid) sheet_parse(&grid, f->grid, d.resolution, d.resolution, d.channels);
    const char *folder = make_folder(f);
    const part own = part_parse(f->part, count);
    const int64_t first = part_first(own, count), own_count = part_end(own, count) - first;
    d.whole = own.count > 1 ? count : 0;
    d.whole_seed = own.count > 1 ? seed : 0;
    char *pack_path = f->pack ? part_path(own, f->pack) : NULL;
    if (f->pack) dataset_writer_open(&pack, pack_path, &d, own_count);

    destination to = {f->pack ? NULL : folder, prefix, &d, f->pack ? &pack : NULL, f->grid ? &grid : NULL, NULL, NULL};
    if (!f->no_metadata) to.notes = make_notes(dataset_is_drawn(data), seed);
    to.counts = cli_alloc((size_t)d.label_size, sizeof *to.counts);
    for (int k = 0; k < d.label_size; k++) to.counts[k] = 0;
    dataset_each(&d, first, own_count, threads, take_picture, &to);
    if (f->pack) dataset_writer_close(&pack);
    if (f->grid) sheet_save(&grid, folder, "grid.png", &to.notes);
    print_summary(&to, f->pack ? pack_path : folder, own_count);
    free(pack_path);
    free(to.notes);
    free(to.counts);
    dataset_close(&d);
    return count;
}

/* The true factors of each portrait, as a table; "-" where hidden. Completes the file. */
static void write_factors(output *out, uint64_t seed, int64_t count) {
    float *values = cli_alloc((size_t)factor_count(), sizeof *values);
    fprintf(out->file, "portrait");
    for (int i = 0; i < factor_count(); i++) fprintf(out->file, "\t%s", factor_at(i)->name);
    for (int64_t index = 0; index < count; index++) {
        portrait p;
        portrait_draw_factors(&p, seed, (uint64_t)index);
        factors_of(&p, values);
        fprintf(out->file, "\n%lld", (long long)index);
        for (int i = 0; i < factor_count(); i++) {
            const factor *f = factor_at(i);
            if (isnan(values[i]))
                fprintf(out->file, "\t-");
            else if (f->names)
                fprintf(out->file, "\t%s", f->names[(int)values[i]]);
            else
                fprintf(out->file, "\t%.6g", (double)values[i]);
        }
    }
    fprintf(out->file, "\n");
    output_close(out);
    free(values);
}

/* --- Joining --- */

/* Opens a part of a packed file, which must have its share of `count` pictures (0: any) and the resolution (0: any). */
static char *open_part(dataset *d, part p, const char *path, int64_t count, int resolution) {
    char *name = part_path(p, path);
    dataset_open(d, name, resolution, 0);
    const int64_t share = part_end(p, count) - part_first(p, count);
    if (count && d->count != share)
        cli_fail("%s: has %lld pictures, not %lld as part %d of %d of %lld", name, (long long)d->count,
                 (long long)share, p.number, p.count, (long long)count);
    return name;
}

/* "part of 4 portraits of seed 0, labels: 2 (cats, dogs)" */
static char *whole_text(const dataset *d) {
    char *text = d->whole ? cli_format("part of %lld portraits of seed %llu, labels: %d", (long long)d->whole,
                                       (unsigned long long)d->whole_seed, d->label_size)
                          : cli_format("labels: %d", d->label_size);
    for (int k = 0; d->classes && k < d->label_size; k++) {
        char *more = cli_format("%s%s%s%s", text, k ? ", " : " (", d->classes[k], k == d->label_size - 1 ? ")" : "");
        free(text);
        text = more;
    }
    return text;
}

/* Parts of one whole say the same of it, and have the same classes, as the first one. */
static void compare_wholes(const dataset *d, const char *name, char **first) {
    char *whole = whole_text(d);
    if (!*first) *first = whole;
    if (strcmp(whole, *first) != 0) cli_fail("%s: %s; the first part: %s", name, whole, *first);
    if (whole != *first) free(whole);
}

static void append_all(dataset_writer *to, const dataset *d) {
    uint8_t *pixels = cli_alloc((size_t)d->resolution * (size_t)d->resolution, (size_t)d->channels);
    float *label = cli_alloc((size_t)d->label_size, sizeof *label);
    for (int64_t i = 0; i < d->count; i++) {
        dataset_read(d, i, pixels, label);
        dataset_writer_append(to, pixels, label);
    }
    free(label);
    free(pixels);
}

/* The parts of a packed file become the whole. All of them are looked at before anything is written. */
static void join_parts(const char *path, int parts) {
    int64_t count = 0;
    int resolution = 0;
    char *said = NULL;
    dataset d;
    dataset_writer whole;
    for (int pass = 0; pass < 3; pass++) { /* counts; checks; copies */
        for (part p = {1, parts}; p.number <= parts; p.number++) {
            char *name = open_part(&d, p, path, pass ? count : 0, resolution);
            compare_wholes(&d, name, &said);
            d.whole = 0;
            d.whole_seed = 0;
            if (pass == 0) count += d.count;
            if (pass == 2 && p.number == 1) dataset_writer_open(&whole, path, &d, count);
            if (pass == 2) append_all(&whole, &d);
            resolution = d.resolution;
            dataset_close(&d);
            free(name);
        }
        if (pass == 0 && count < parts) cli_fail("%s: more parts than pictures", path);
    }
    dataset_writer_close(&whole);
    free(said);
    printf("%s: %lld pictures of %d x %d pixels, joined from %d parts\n", path, (long long)count, resolution,
           resolution, parts);
}

static int run_portraits(int argc, char **argv) {
    const char *seed = "0", *join = NULL, *factors = NULL;
    picture_flags f = {0};
    const cli_flag flags[] = {
        {"--count", "N", "pictures (default: 100)", &f.count},
        {"--size", "PIXELS", "their width and height (default: 64)", &f.size},
        {"--seed", "S", "seed: portrait i of seed S is always the same (default: 0)", &seed},
        {"--pack", "FILE.sgd", "write all into one file for `stylegan train` instead", &f.pack},
        PART_FLAG(f.part),
        {"--join", "N", "join the N parts of the --pack file that --part has written", &join},
        {"--factors", "FILE.tsv", "also write what each shows: hair, glasses, pose, ...", &factors},
        PICTURE_FLAGS(f),
        {0}};
    cli_parse(&portraits_command, flags, argc, argv, NULL, 0, 0);
    if (join && (!f.pack || f.part)) cli_usage("--join needs --pack FILE.sgd, the whole, and no --part");
    if (join && (f.count || f.size || f.grid || f.folder || factors))
        cli_usage("--join only puts the parts together: no --count, --size, --grid, --outdir or --factors");
    if (join) {
        join_parts(f.pack, (int)cli_integer("--join", join, 2, MOST_PARTS));
        return CLI_EXIT_OK;
    }
    if (f.part && f.grid) cli_usage("--part and --grid exclude each other: a sheet shows the first pictures");
    if (f.part && factors) cli_usage("--part and --factors exclude each other: the table is one of all pictures");
    if (f.pack && f.folder && !f.grid) cli_usage("--pack writes no pictures: --outdir is for --grid then");
    const uint64_t collection = (uint64_t)cli_integer("--seed", seed, 0, INT64_MAX);
    output table;
    if (factors) make_folder(&f); /* in which the table may lie */
    if (factors) output_open(&table, factors);
    const int64_t count = write_pictures("portraits", "portrait", collection, &f);
    if (factors) write_factors(&table, collection, count);
    return CLI_EXIT_OK;
}

static int run_pack(int argc, char **argv) {
    const char *data = NULL;
    picture_flags f = {0};
    const cli_flag flags[] = {{"-o", "FILE.sgd", "the packed file to write", &f.pack},
                              {"--size", "PIXELS",
                               "width and height; photographs are cut to the square in their middle (default: 64; of a "
                               "packed file: as there)",
                               &f.size},
                              {"--count", "N", "only the first N pictures", &f.count},
                              PICTURE_FLAGS(f),
                              {0}};
    cli_parse(&pack_command, flags, argc, argv, &data, 1, 1);
    if (dataset_is_drawn(data)) cli_usage("portraits are packed by `stylegan portraits --pack FILE.sgd`");
    if (!f.pack && !f.folder) cli_usage("give the file to write: -o FILE.sgd, or --outdir for single pictures");
    if (f.pack && f.folder && !f.grid) cli_usage("-o writes no pictures: --outdir is for --grid then");
    if (f.pack) output_check(f.pack);
    if (!f.pack || f.grid) dataset_refuse_inside(data, f.folder ? f.folder : OUT);
    write_pictures(data, "picture", 0, &f);
    return CLI_EXIT_OK;
}
