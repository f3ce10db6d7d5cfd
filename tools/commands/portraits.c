/* portraits.c - draws synthetic portraits, as pictures or packed for training; packs folders of photographs too. */
#include "../base/png.h"
#include "../base/sheet.h"
#include "../data/dataset.h"

#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command portraits_command = {"portraits", "",
                                       "draw synthetic portraits to learn from, or pack pictures for training",
                                       "stylegan portraits --count 100 --grid 10x10 --outdir people\n"
                                       "stylegan portraits --count 60000 --size 64 --seed 1 --pack portraits.sgd\n"
                                       "stylegan portraits --data photographs --size 128 --pack photographs.sgd",
                                       run};

/* Where the pictures go. */
typedef struct destination {
    const char *folder; /* NULL: no single pictures */
    int resolution;
    dataset_writer *pack; /* or NULL */
    sheet *grid;          /* or NULL */
} destination;

static void take_picture(void *context, int64_t index, const uint8_t *pixels, const float *label) {
    const destination *to = context;
    if (to->folder) {
        char *path = cli_format("%s/portrait%06lld.png", to->folder, (long long)index);
        png_write(path, to->resolution, to->resolution, 3, pixels);
        free(path);
    }
    if (to->pack) dataset_writer_append(to->pack, pixels, label);
    if (to->grid && index < (int64_t)to->grid->columns * to->grid->rows) sheet_put(to->grid, (int)index, pixels);
}

static int run(int argc, char **argv) {
    const char *count_text = NULL, *size_text = NULL, *seed_text = "0", *folder = NULL, *pack_path = NULL,
               *grid_text = NULL, *data = "portraits", *threads_text = "0";
    const cli_flag flags[] = {
        {"--count", "N", "pictures (default: 100, or all of --data)", &count_text},
        {"--size", "PIXELS", "their width and height (default: 64; --data FILE: as there)", &size_text},
        {"--seed", "S", "seed: portrait i of seed S is always the same (default: 0)", &seed_text},
        {"--outdir", "DIR", "folder for the pictures and grid.png (default: out)", &folder},
        {"--pack", "FILE", "write all into one file for `stylegan train --data FILE` instead", &pack_path},
        {"--grid", "CxR", "also write grid.png, the first pictures in C columns and R rows", &grid_text},
        {"--data", "DATA", DATASET_KINDS " (default)", &data},
        {"--threads", "N", "threads to draw with (default: one per processor)", &threads_text},
        {0}};
    cli_parse(&portraits_command, flags, argc, argv, NULL, 0, 0);
    const int default_size = strcmp(data, "portraits") == 0 ? 64 : 0;
    const int size = size_text ? (int)cli_integer("--size", size_text, 8, 4096) : default_size;
    const int threads = (int)cli_integer("--threads", threads_text, 0, 64);
    const uint64_t seed = (uint64_t)cli_integer("--seed", seed_text, 0, INT64_MAX);
    if (pack_path && folder && !grid_text) cli_usage("--pack writes no pictures: --outdir is for --grid then");
    int64_t count = count_text ? cli_integer("--count", count_text, 1, 100000000) : 0;

    dataset d;
    dataset_writer pack;
    sheet grid;
    dataset_open(&d, data, size, seed);
    if (!count) count = d.count == INT64_MAX ? 100 : d.count;
    if (count > d.count) cli_usage("--count %lld: %s has %lld pictures", (long long)count, data, (long long)d.count);
    if (grid_text) sheet_parse(&grid, grid_text, d.resolution, d.resolution, d.channels);
    const char *grid_folder = folder ? folder : "out";
    if (!pack_path || grid_text) cli_make_folder(grid_folder);
    if (pack_path) dataset_writer_open(&pack, pack_path, &d, count);

    destination to = {.folder = pack_path ? NULL : grid_folder,
                      .resolution = d.resolution,
                      .pack = pack_path ? &pack : NULL,
                      .grid = grid_text ? &grid : NULL};
    dataset_each(&d, count, threads, take_picture, &to);
    if (pack_path) dataset_writer_close(&pack);
    if (grid_text) sheet_save(&grid, grid_folder, "grid.png");
    dataset_close(&d);
    return CLI_EXIT_OK;
}
