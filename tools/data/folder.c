/* folder.c - the pictures of a folder, decoded once into memory. */
#include "photograph.h"
#include "sources.h"
#include "../base/pool.h"
#include "../base/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* One file of the folder: its picture, or why there is none. */
typedef struct picture_file {
    char *path, *fault;
    uint8_t *pixels;
} picture_file;

typedef struct folder {
    const char *path;
    int resolution;
    picture_file *files;
    size_t count;
    size_t first; /* of the chunk that is loaded */
    pixel_budget decoding;
} folder;

static void find_files(folder *f, const char *path, int depth) {
    enum { DEEPEST = 64 };
    system_names *names = system_open_names(path);
    if (!names) cli_fail("%s: cannot read the folder: %s", path, strerror(errno));
    for (const char *entry; (entry = system_next_name(names)) != NULL;) {
        if (entry[0] == '.') continue; /* hidden files, the folder itself and its parent */
        char *name = cli_format("%s/%s", path, entry);
        const int is_folder =
            system_kind_of(name) == SYSTEM_FOLDER && !system_is_link(name); /* could lead in circles */
        if (is_folder) {
            if (depth == DEEPEST) cli_fail("%s: more than %d folders deep", name, DEEPEST);
            find_files(f, name, depth + 1);
            free(name);
        } else {
            if ((f->count & (f->count - 1)) == 0) /* grows by doubling */
                f->files = cli_realloc(f->files, f->count ? 2 * f->count : 1, sizeof *f->files);
            f->files[f->count++] = (picture_file){.path = name};
        }
    }
    system_close_names(names);
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(((const picture_file *)a)->path, ((const picture_file *)b)->path);
}

/* Picture `item` of a chunk. */
static void load_picture(void *context, int item, int thread) {
    folder *f = context;
    picture_file *p = &f->files[f->first + (size_t)item];
    (void)thread;
    p->fault = photograph_load(p->path, f->resolution, &f->decoding, &p->pixels);
}

/* Names the files that were skipped, and keeps the others. */
static void report_and_compact(folder *f) {
    const size_t most_named = 20;
    size_t kept = 0, skipped = 0;
    for (size_t i = 0; i < f->count; i++) {
        picture_file p = f->files[i];
        if (p.fault && skipped++ < most_named) cli_note("%s: skipped: %s", p.path, p.fault);
        free(p.path);
        free(p.fault);
        if (p.pixels) f->files[kept++].pixels = p.pixels;
    }
    if (kept < 2) {
        const char *found = kept ? "only one usable picture" : "no usable picture";
        cli_fail("%s: %s, at least two are needed (%zu file%s skipped)", f->path, found, skipped,
                 skipped == 1 ? "" : "s");
    }
    if (skipped)
        cli_note("%s: %zu file%s skipped, %zu pictures remain", f->path, skipped, skipped == 1 ? "" : "s", kept);
    f->count = kept;
}

static void read_from_folder(const dataset *d, int64_t index, uint8_t *pixels, float *label) {
    const folder *f = d->source;
    (void)label;
    memcpy(pixels, f->files[index].pixels, picture_bytes(d->resolution));
}

static void close_folder(dataset *d) {
    folder *f = d->source;
    for (size_t i = 0; i < f->count; i++) free(f->files[i].pixels);
    free(f->files);
    free(f);
}

void dataset_open_folder(dataset *d, const char *path, int resolution) {
    enum { CHUNK = 256 }; /* short enough for a lively progress line */
    pool *readers = pool_start(pool_processors());
    folder *f = cli_alloc(1, sizeof *f);
    progress shown;
    *f = (folder){.path = path, .resolution = resolution};
    pixel_budget_start(&f->decoding, MOST_PIXELS);
    find_files(f, path, 0);
    if (f->count) qsort(f->files, f->count, sizeof *f->files, compare_paths);
    progress_start(&shown, "pictures", (double)f->count);
    for (f->first = 0; f->first < f->count; f->first += CHUNK) {
        const size_t left = f->count - f->first;
        pool_run(readers, left < CHUNK ? (int)left : CHUNK, load_picture, f);
        progress_update(&shown, (double)f->first);
    }
    progress_end(&shown);
    pool_end(readers);
    pixel_budget_end(&f->decoding);
    report_and_compact(f);
    *d = (dataset){resolution, CHANNELS, 0, (int64_t)f->count, read_from_folder, f, close_folder};
}
