/* folder.c - the pictures of a folder, decoded once into memory, and their classes. */
#include "labels.h"
#include "photograph.h"
#include "sources.h"
#include "../base/pool.h"
#include "../base/system.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* One file of the folder: its picture, or why there is none. */
typedef struct picture_file {
    char *path, *fault;
    uint8_t *pixels;
    picture_size original;
    int class_index;
} picture_file;

typedef struct folder {
    const char *path;
    int resolution;
    picture_file *files;
    size_t count;
    size_t first;      /* of the chunk that is loaded */
    label_list labels; /* of dataset.json */
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
    p->fault = photograph_load(p->path, f->resolution, &f->decoding, &p->original, &p->pixels);
}

enum { MOST_NAMED = 20 }; /* files, of each kind of remark */

/* What becomes of shapes that a square hardly holds. */
static void report_shapes(const folder *f) {
    enum { LONG = 3, TINY = 4 };
    size_t cut = 0, strange = 0, pictures = 0;
    for (size_t i = 0; i < f->count; i++) {
        const picture_file *p = &f->files[i];
        const int width = p->original.width, height = p->original.height, side = width < height ? width : height;
        if (!p->pixels) continue;
        pictures++;
        cut += width != height;
        if (width / LONG >= height || height / LONG >= width) {
            if (strange++ < MOST_NAMED)
                cli_note("%s: of %d x %d pixels only %d x %d in the middle are used", p->path, width, height, side,
                         side);
        } else if (side * TINY <= f->resolution && strange++ < MOST_NAMED) {
            cli_note("%s: %d x %d pixels are enlarged to %d x %d", p->path, width, height, f->resolution,
                     f->resolution);
        }
    }
    if (cut)
        cli_note("%s: %zu of %zu pictures are not square: cut to the square in their middle", f->path, cut, pictures);
}

/* Names the files that were skipped, and keeps the others. */
static void report_and_compact(folder *f) {
    size_t kept = 0, skipped = 0;
    for (size_t i = 0; i < f->count; i++) {
        picture_file p = f->files[i];
        if (p.fault && skipped++ < MOST_NAMED) cli_note("%s: skipped: %s", p.path, p.fault);
        free(p.fault);
        if (p.pixels)
            f->files[kept++] = p;
        else
            free(p.path);
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

/* --- Classes --- */

static const char *name_in(const folder *f, const picture_file *p) {
    return p->path + strlen(f->path) + 1;
}

/* Takes dataset.json out of the files, and what it says. */
static void read_labels(folder *f) {
    size_t kept = 0;
    for (size_t i = 0; i < f->count; i++) {
        char *path = f->files[i].path;
        if (strcmp(name_in(f, &f->files[i]), "dataset.json") != 0) {
            f->files[kept++].path = path;
            continue;
        }
        if (system_kind_of(path) == SYSTEM_PIPE) cli_fail("%s: is not a file", path); /* would wait for a writer */
        file_view view = file_view_open(path);
        char *text = cli_format("%.*s", view.size < INT_MAX ? (int)view.size : INT_MAX, (const char *)view.data);
        const char *fault = label_list_parse(text, &f->labels);
        if (fault) cli_fail("%s: %s", path, fault);
        free(text);
        file_view_close(&view);
        free(path);
    }
    f->count = kept;
}

/* Files that dataset.json, where there is one, forgets are of no class: better none than a wrong one. */
static void classify_by_list(folder *f) {
    for (size_t i = 0; i < f->count; i++) {
        picture_file *p = &f->files[i];
        p->class_index = label_list_find(&f->labels, name_in(f, p));
        if (p->class_index >= 0 || p->fault) continue;
        p->fault = cli_format("dataset.json has no label for it");
        free(p->pixels);
        p->pixels = NULL;
    }
}

static int classes_in_list(const folder *f) {
    int most = 0;
    for (size_t i = 0; i < f->labels.count; i++)
        if (f->labels.items[i].class_index >= most) most = f->labels.items[i].class_index + 1;
    return most;
}

/* Whether all lie in folders of the folder, of which there are several. */
static int all_in_folders(const folder *f) {
    const char *first = name_in(f, &f->files[0]), *last = name_in(f, &f->files[f->count - 1]);
    if (strncmp(first, last, strcspn(first, "/") + 1) == 0) return 0;
    for (size_t i = 0; i < f->count; i++)
        if (!strchr(name_in(f, &f->files[i]), '/')) return 0;
    return 1;
}

/* The files are sorted: those of a folder follow each other. */
static int classify_by_folder(folder *f, char ***names) {
    int count = 0;
    if (!all_in_folders(f)) return 0;
    for (size_t i = 0; i < f->count; i++) {
        const char *name = name_in(f, &f->files[i]), *before = i ? name_in(f, &f->files[i - 1]) : "";
        const size_t length = strcspn(name, "/");
        if (strncmp(before, name, length + 1) != 0) {
            if (count == MOST_LABELS) cli_fail("%s: more than %d folders: too many classes", f->path, MOST_LABELS);
            *names = cli_realloc(*names, (size_t)count + 1, sizeof **names);
            (*names)[count++] = dataset_class_name(name, length);
        }
        f->files[i].class_index = count - 1;
    }
    return count;
}

static void read_from_folder(const dataset *d, int64_t index, uint8_t *pixels, float *label) {
    const folder *f = d->source;
    const picture_file *p = &f->files[index];
    memcpy(pixels, p->pixels, picture_bytes(d->resolution));
    for (int k = 0; label && k < d->label_size; k++) label[k] = k == p->class_index;
}

static void close_folder(dataset *d) {
    folder *f = d->source;
    for (size_t i = 0; i < f->count; i++) {
        free(f->files[i].pixels);
        free(f->files[i].path);
    }
    dataset_free_classes(d);
    free(f->files);
    label_list_free(&f->labels);
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
    read_labels(f);
    progress_start(&shown, "pictures", (double)f->count);
    for (f->first = 0; f->first < f->count; f->first += CHUNK) {
        const size_t left = f->count - f->first;
        pool_run(readers, left < CHUNK ? (int)left : CHUNK, load_picture, f);
        progress_update(&shown, (double)f->first);
    }
    progress_end(&shown);
    pool_end(readers);
    pixel_budget_end(&f->decoding);
    if (f->labels.count) classify_by_list(f);
    report_shapes(f);
    report_and_compact(f);
    *d = (dataset){resolution, CHANNELS, 0, (int64_t)f->count, read_from_folder, f, close_folder, NULL, 0, 0};
    d->label_size = f->labels.count ? classes_in_list(f) : classify_by_folder(f, &d->classes);
}
