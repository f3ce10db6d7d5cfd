/* directions.c - see directions.h. */
#include "directions.h"
#include "../base/npz.h"
#include "../base/system.h"
#include "../base/table.h"

#include <ctype.h>
#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

void directions_start(directions *d, const opened_model *opened, int count, int styles) {
    *d = (directions){.opened = opened, .count = count, .layers = styles};
    const size_t values = (size_t)styles * (size_t)opened->config->w_dim;
    d->values = cli_alloc((size_t)count, values * sizeof *d->values);
}

void directions_end(directions *d) {
    for (int i = 0; d->names && i < d->count; i++) free(d->names[i]);
    free(d->names);
    free(d->values);
}

float *directions_at(const directions *d, int index) {
    return d->values + (size_t)index * (size_t)d->layers * (size_t)d->opened->config->w_dim;
}

/* --- Names --- */

/* "directions.txt" for "directions.npy". */
static char *names_path(const char *path) {
    const size_t length = strlen(path);
    const int has_end = length > 4 && (!strcmp(path + length - 4, ".npy") || !strcmp(path + length - 4, ".npz"));
    return cli_format("%.*s.txt", (int)(has_end ? length - 4 : length), path);
}

static char *take_name(const table *t, int count, char **names) {
    char *end;
    const long index = strtol(t->field[0], &end, 10);
    if (end == t->field[0] || *end || t->fields > 2)
        return cli_format("line %d: must be an index, a tab and a name", t->line);
    if (index < 0 || index >= count)
        return cli_format("line %d: index %ld, but there are directions 0 to %d", t->line, index, count - 1);
    if (t->fields < 2 || !*t->field[1]) return NULL; /* not named yet */
    free(names[index]);
    names[index] = cli_format("%s", t->field[1]);
    return NULL;
}

char *direction_names_parse(const unsigned char *bytes, size_t size, int count, char **names) {
    table t;
    char *fault = table_open(&t, bytes, size);
    while (!fault && table_next(&t)) fault = take_name(&t, count, names);
    table_close(&t);
    return fault;
}

static void read_names(directions *d, const char *path) {
    char *names = names_path(path);
    if (system_kind_of(names) == SYSTEM_FILE) {
        d->names = cli_alloc((size_t)d->count, sizeof *d->names);
        for (int i = 0; i < d->count; i++) d->names[i] = NULL;
        file_view file = file_view_open(names);
        const char *fault = direction_names_parse(file.data, file.size, d->count, d->names);
        if (fault) cli_fail("%s: %s", names, fault);
        file_view_close(&file);
    }
    free(names);
}

static char *names_text(const directions *d) {
    char *text = cli_format("%s", "");
    for (int i = 0; i < d->count; i++) {
        char *longer = cli_format("%s%d\t%s\n", text, i, d->names && d->names[i] ? d->names[i] : "");
        free(text);
        text = longer;
    }
    return text;
}

static int holds_text(const char *path, const char *text) {
    file_view file = file_view_open(path);
    const int same = file.size == strlen(text) && (!file.size || memcmp(file.data, text, file.size) == 0);
    file_view_close(&file);
    return same;
}

static void write_text(const char *path, const char *text) {
    output out;
    output_open(&out, path);
    output_write(&out, text, strlen(text));
    output_close(&out);
}

/* Names that are kept must be of directions that there are. */
static void check_kept(const directions *d, const char *path) {
    directions named = {.opened = d->opened, .count = d->count};
    read_names(&named, path);
    directions_end(&named);
}

static void write_array(const directions *d, const char *path) {
    const int32_t w_dim = d->opened->config->w_dim;
    if (d->layers == 1)
        npy_write(path, 2, (const int64_t[]){d->count, w_dim}, d->values);
    else
        npy_write(path, 3, (const int64_t[]){d->count, d->layers, w_dim}, d->values);
}

static int is_stream(const char *path) {
    const system_kind kind = system_kind_of(path);
    return strcmp(path, "-") == 0 || kind == SYSTEM_DEVICE || kind == SYSTEM_PIPE;
}

static void expect_file_or_nothing(const char *path) {
    const system_kind kind = system_kind_of(path);
    if (kind == SYSTEM_FOLDER) cli_fail("%s: is a folder", path);
    if (kind != SYSTEM_FILE && kind != SYSTEM_NOTHING) cli_fail("%s: is not a file", path);
}

void directions_check_place(const char *path) {
    if (is_stream(path)) return;
    char *names = names_path(path);
    expect_file_or_nothing(path);
    expect_file_or_nothing(names);
    free(names);
}

void directions_write(const directions *d, const char *path) {
    if (is_stream(path)) {
        write_array(d, path);
        return;
    }
    directions_check_place(path);
    char *names = names_path(path), *text = names_text(d);
    const int exists = system_kind_of(names) == SYSTEM_FILE, kept = exists && !holds_text(names, text);
    if (kept && d->names) cli_fail("%s: holds other names; remove it or write to another file", names);
    if (kept) check_kept(d, path);
    write_array(d, path);
    if (kept) cli_note("%s: kept; it may name the directions that were here before", names);
    if (!exists) write_text(names, text);
    free(text);
    free(names);
}

/* --- Files --- */

void directions_read(directions *d, const opened_model *opened, const char *path) {
    const stylegan_config *config = opened->config;
    npy array;
    npz_read(path, &array);
    if (array.dimensions == 1) array = (npy){2, {1, array.shape[0]}, array.count, array.values};
    if (array.dimensions == 3)
        npy_expect(&array, path, "a set of directions for each layer", 3,
                   (const int64_t[]){-1, config->num_ws, config->w_dim});
    else
        npy_expect(&array, path, "a set of directions", 2, (const int64_t[]){-1, config->w_dim});
    if (array.shape[0] < 1 || array.shape[0] > INT_MAX) cli_fail("%s: holds no directions", path);
    npy_expect_finite(&array, path);
    *d = (directions){opened, (int)array.shape[0], array.dimensions == 3 ? config->num_ws : 1, array.values, NULL};
    read_names(d, path);
}

static int is_number(const char *text) {
    return *text && strspn(text, "0123456789") == strlen(text);
}

int directions_find(const directions *d, const char *source, const char *index) {
    near_miss miss = {.typed = index};
    int names = 0, found = -1;
    if (!index && d->count > 1) cli_usage("%s: holds %d directions; choose one with --index", source, d->count);
    if (!index) return 0;
    for (int i = 0; d->names && i < d->count; i++) {
        if (!d->names[i]) continue;
        const int same = strcmp(d->names[i], index) == 0;
        if (same && found >= 0) cli_fail("%s: two directions are called %s, %d and %d", source, index, found, i);
        if (same) found = i;
        near_miss_try(&miss, d->names[i]);
        names++;
    }
    if (found >= 0) return found;
    if (is_number(index)) return (int)cli_integer("--index", index, 0, d->count - 1);
    cli_usage("--index %s: %s has no direction of that name%s", index, source,
              names ? near_miss_text(&miss) : ", nor any other name");
}

/* --- Steps --- */

void directions_move(const directions *d, int index, double step, const layers *moved, const float *from, float *ws) {
    const size_t w_dim = (size_t)d->opened->config->w_dim;
    memcpy(ws, from, d->opened->ws_values * sizeof *ws);
    for (int i = 0; i < moved->count; i++) {
        const size_t layer = moved->indices[i], at = layer * w_dim;
        const float *direction = directions_at(d, index) + (d->layers == 1 ? 0 : at);
        for (size_t k = 0; k < w_dim; k++) ws[at + k] = from[at + k] + (float)step * direction[k];
    }
}

static int take_number(const char *text, double *value) {
    char *end;
    *value = strtod(text, &end);
    return end != text && !*end && !isspace((unsigned char)*text) && isfinite(*value);
}

/* A third point could be of the dots or of a number. */
step_range step_range_parse(const char *text, int steps) {
    const double farthest = 1000;
    const char *dots = strstr(text, "..");
    char *first = cli_format("%.*s", dots ? (int)(dots - text) : 0, text);
    step_range range = {.steps = steps};
    if (!dots || dots[2] == '.' || !take_number(first, &range.first) || !take_number(dots + 2, &range.last))
        cli_usage("--range %s: must be two numbers such as -3..3 or -0.5..0.5", text);
    if (fabs(range.first) > farthest || fabs(range.last) > farthest)
        cli_usage("--range %s: must be from %g to %g", text, -farthest, farthest);
    free(first);
    return range;
}

/* The middle of -3..3 is exactly 0. */
double step_range_at(const step_range *range, int step) {
    const int last = range->steps - 1;
    return last ? (range->first * (last - step) + range->last * step) / last : range->first;
}
