/* dataset.c - the pictures a network learns from: a folder, a packed file, or drawn portraits. */
#include "dataset.h"
#include "../base/pool.h"
#include "../base/system.h"
#include "portrait_scene.h"
#include "sources.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

size_t picture_bytes(int resolution) {
    return (size_t)resolution * (size_t)resolution * CHANNELS;
}

char *dataset_class_name(const char *name, size_t length) {
    char *clean = cli_format("%.*s", (int)length, name);
    for (char *at = clean; *at; at++) {
        if (iscntrl((unsigned char)*at)) *at = '?';
        if (at[0] == ',' && at[1] == ' ') *at = ';';
    }
    return clean;
}

void dataset_free_classes(dataset *d) {
    for (int k = 0; d->classes && k < d->label_size; k++) free(d->classes[k]);
    free(d->classes);
}

/* --- Portraits, drawn when they are read --- */

static void read_portrait(const dataset *d, int64_t index, uint8_t *pixels, float *label) {
    const uint64_t *seed = d->source;
    portrait p;
    (void)label;
    portrait_draw_factors(&p, *seed, (uint64_t)index);
    portrait_render(&p, d->resolution, pixels);
}

static void close_portraits(dataset *d) {
    free(d->source);
}

static void open_portraits(dataset *d, int resolution, uint64_t seed) {
    uint64_t *source = cli_alloc(1, sizeof *source);
    *source = seed;
    *d = (dataset){resolution, CHANNELS, 0, INT64_MAX, read_portrait, source, close_portraits, NULL, 0, 0};
}

/* --- All alike --- */

int dataset_is_drawn(const char *data) {
    return strcmp(data, "portraits") == 0;
}

static int is_folder_of_pictures(const char *data) {
    return !dataset_is_drawn(data) && system_kind_of(data) == SYSTEM_FOLDER;
}

void dataset_refuse_inside(const char *data, const char *outdir) {
    if (is_folder_of_pictures(data) && cli_lies_in(outdir, data))
        cli_usage("--outdir %s: lies in %s, whose pictures are the data; choose another one", outdir, data);
}

void dataset_open(dataset *d, const char *data, int resolution, uint64_t seed) {
    enum { DEFAULT_RESOLUTION = 64 };
    const int drawn = dataset_is_drawn(data), is_folder = is_folder_of_pictures(data);
    if (resolution == 0 && (drawn || is_folder)) resolution = DEFAULT_RESOLUTION;
    if (drawn)
        open_portraits(d, resolution, seed);
    else if (is_folder)
        dataset_open_folder(d, data, resolution);
    else
        dataset_open_packed(d, data, resolution);
}

void dataset_read(const dataset *d, int64_t index, uint8_t *pixels, float *label) {
    d->read(d, index, pixels, label);
}

void dataset_close(dataset *d) {
    d->close(d);
}

/* Pictures from `first` on, on their way to `take`. */
typedef struct chunk {
    const dataset *d;
    int64_t first;
    uint8_t *pixels;
    float *labels;
} chunk;

static uint8_t *chunk_pixels(const chunk *c, int64_t index) {
    return c->pixels + (size_t)(index - c->first) * picture_bytes(c->d->resolution);
}

static float *chunk_label(const chunk *c, int64_t index) {
    return c->labels + (index - c->first) * c->d->label_size;
}

static void read_into_chunk(void *context, int item, int thread) {
    const chunk *c = context;
    const int64_t index = c->first + item;
    (void)thread;
    dataset_read(c->d, index, chunk_pixels(c, index), chunk_label(c, index));
}

void dataset_each(const dataset *d, int64_t first, int64_t count, int threads, dataset_take_fn *take, void *context) {
    const int at_once = threads ? threads : pool_processors();
    const int64_t size = 8 * at_once; /* short enough for a lively progress line */
    pool *readers = pool_start(at_once);
    chunk c = {.d = d};
    progress shown;
    c.pixels = cli_alloc((size_t)size, picture_bytes(d->resolution));
    c.labels = cli_alloc((size_t)size * (size_t)d->label_size, sizeof *c.labels);
    progress_start(&shown, "pictures", (double)count);
    for (c.first = first; c.first < first + count; c.first += size) {
        const int64_t left = first + count - c.first, end = c.first + (left < size ? left : size);
        pool_run(readers, (int)(end - c.first), read_into_chunk, &c);
        for (int64_t i = c.first; i < end; i++) take(context, i, chunk_pixels(&c, i), chunk_label(&c, i));
        progress_update(&shown, (double)(end - first));
    }
    progress_end(&shown);
    pool_end(readers);
    free(c.pixels);
    free(c.labels);
}
