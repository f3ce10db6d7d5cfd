/* log.c - the log of a training run: a table as TSV, and its plot. */
#define _POSIX_C_SOURCE 200809L
#include "log.h"
#include "../../stylegan.h"
#include "../base/cli.h"
#include "../base/png.h"
#include "../base/system.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#if __has_include(<stb/stb_easy_font.h>)
#include <stb/stb_easy_font.h>
#else
#include <stb_easy_font.h>
#endif

/* --- The table --- */

static const char titles[] =
#define LOG_TITLE(column, title) "\t" title
    LOG_COLUMNS(LOG_TITLE) "\n";
#undef LOG_TITLE
static const char *const first_line = titles + 1; /* without the first tabulator */

static void write_row(FILE *file, const log_row *row) {
    for (int i = 0; i < LOG_COLUMN_COUNT; i++) {
        if (i) fputc('\t', file);
        if (!isnan(row->value[i])) fprintf(file, "%.9g", row->value[i]);
    }
    fputc('\n', file);
}

/* 0 at the end, and for a line that was cut off when the run was killed. */
static int read_row(FILE *file, log_row *row) {
    char line[1024];
    if (!fgets(line, sizeof line, file)) return 0;
    const char *at = line;
    for (int i = 0; i < LOG_COLUMN_COUNT; i++) {
        const char end = i + 1 < LOG_COLUMN_COUNT ? '\t' : '\n';
        char *behind = (char *)(uintptr_t)at;
        row->value[i] = *at == end ? NAN : strtod(at, &behind);
        if (*behind != end) return 0;
        at = behind + 1;
    }
    return 1;
}

static void keep(training_log *log, const log_row *row) {
    log->rows = cli_realloc(log->rows, (size_t)log->count + 1, sizeof *row);
    log->rows[log->count++] = *row;
}

/* Returns where the rows to keep end. */
static long read_rows(training_log *log, int64_t images) {
    log_row row;
    long end = ftell(log->file);
    while (read_row(log->file, &row) && row.value[LOG_IMAGES] <= (double)images) {
        keep(log, &row);
        end = ftell(log->file);
    }
    return end;
}

CLI_NORETURN static void cannot_write(const training_log *log) {
    cli_fail("%s: cannot write: %s", log->path, strerror(errno));
}

void log_open(training_log *log, const char *path) {
    const system_kind kind = system_kind_of(path);
    *log = (training_log){.path = cli_format("%s", path), .created = kind == SYSTEM_NOTHING};
    if (kind == SYSTEM_DEVICE || kind == SYSTEM_PIPE) cli_fail("%s: is not a file", path); /* may never end */
    const int descriptor = system_open(path, O_RDWR | O_CREAT);
    log->file = descriptor < 0 ? NULL : fdopen(descriptor, "r+b");
    if (!log->file) cannot_write(log);
    if (system_lock(descriptor) == 1) cli_fail("%s: another process is training in this folder", path);
    if (log->created) cli_unfinished(log->path);
}

/* Whether the titles are there; a process that was killed early has not written them. */
static int read_titles(const training_log *log) {
    char found[sizeof titles];
    const size_t length = fread(found, 1, strlen(first_line), log->file);
    if (memcmp(found, first_line, length) != 0) cli_fail("%s: is not the log of a training run", log->path);
    return length == strlen(first_line);
}

/* Cuts the file off at `end`, to go on from there. */
static void go_on(training_log *log, long end) {
    if (ftruncate(fileno(log->file), end) || fseek(log->file, end, SEEK_SET)) cannot_write(log);
    if (end == 0) fputs(first_line, log->file);
}

void log_begin(training_log *log) {
    if (read_titles(log) && fgetc(log->file) != EOF)
        cli_usage("%s: is the log of another run; choose another --outdir", log->path);
    go_on(log, 0);
}

void log_continue(training_log *log, int64_t images) {
    go_on(log, read_titles(log) ? read_rows(log, images) : 0);
}

void log_keep(const training_log *log) {
    if (log->created) cli_finished(log->path);
}

void log_append(training_log *log, const log_row *row) {
    keep(log, row);
    write_row(log->file, row);
    if (fflush(log->file)) cannot_write(log);
}

double log_last(const training_log *log, int column) {
    for (int i = log->count - 1; i >= 0; i--)
        if (!isnan(log->rows[i].value[column])) return log->rows[i].value[column];
    return NAN;
}

void log_close(training_log *log) {
    fclose(log->file);
    free(log->path);
    free(log->rows);
}

/* --- The plot: panels below each other, a few curves in each --- */

enum { WIDTH = 900, PANEL = 220, LEFT = 60, RIGHT = 20, TOP = 24, BOTTOM = 26, TICKS = 5, MOST_CURVES = 3 };

typedef struct color {
    unsigned char r, g, b;
} color;

static const color BLACK = {40, 40, 40}, GRID = {225, 225, 225},
                   CURVES[MOST_CURVES] = {{31, 119, 180}, {214, 39, 40}, {44, 160, 44}};

typedef struct panel {
    const char *names[MOST_CURVES];
    int curves[MOST_CURVES]; /* columns of the log */
} panel;

static const panel panels[] = {
    {{"loss of the generator", "loss of the discriminator"}, {LOG_G_LOSS, LOG_D_LOSS}},
    {{"score of training images", "score of generated images", "score of pictures held back"},
     {LOG_REAL_SCORE, LOG_FAKE_SCORE, LOG_HELD_SCORE}},
    {{"R1: squared gradient of the discriminator", NULL}, {LOG_R1, 0}},
    {{"probability of augmentation", NULL}, {LOG_P, 0}}, /* if there is one */
};
enum { PANELS = sizeof panels / sizeof *panels, HEIGHT = PANELS * PANEL };

typedef struct picture {
    color pixels[HEIGHT][WIDTH];
} picture;

static void fill(picture *p, int x, int y, int width, int height, color c) {
    for (int row = y < 0 ? 0 : y; row < y + height && row < HEIGHT; row++)
        for (int column = x < 0 ? 0 : x; column < x + width && column < WIDTH; column++) p->pixels[row][column] = c;
}

/* The font's letters are made of upright rectangles: four corners each, the first and the third opposite. */
static void write_text(picture *p, int x, int y, const char *text, color c) {
    struct vertex {
        float x, y, z;
        unsigned char color[4];
    } corners[4 * 2000];
    char copy[100];
    snprintf(copy, sizeof copy, "%s", text);
    const int letters = stb_easy_font_print((float)x, (float)y, copy, NULL, corners, sizeof corners);
    for (const struct vertex *v = corners; v < corners + 4 * letters; v += 4)
        fill(p, (int)v[0].x, (int)v[0].y, (int)(v[2].x - v[0].x), (int)(v[2].y - v[0].y), c);
}

static void draw_line(picture *p, double x0, double y0, double x1, double y1, color c) {
    const int steps = 1 + (int)fmax(fabs(x1 - x0), fabs(y1 - y0));
    for (int i = 0; i <= steps; i++)
        fill(p, (int)(x0 + (x1 - x0) * i / steps), (int)(y0 + (y1 - y0) * i / steps), 2, 2, c);
}

typedef struct range {
    double least, most;
} range;

static int ascending(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* From the first to the last percentile: a few spikes do not flatten the curves. */
static range find_range(const training_log *log, const panel *what) {
    double *values = cli_alloc((size_t)log->count * MOST_CURVES, sizeof *values);
    int count = 0;
    for (int i = 0; i < MOST_CURVES && what->names[i]; i++)
        for (int row = 0; row < log->count; row++) {
            const double value = log->rows[row].value[what->curves[i]];
            if (isfinite(value)) values[count++] = value;
        }
    qsort(values, (size_t)count, sizeof *values, ascending);
    const range y = count ? (range){values[count / 100], values[count - 1 - count / 100]} : (range){0, 0};
    free(values);
    return y.most > y.least ? y : (range){y.least - 1, y.least + 1};
}

static double position(range r, double value, int from, int to) {
    const double share = (value - r.least) / (r.most - r.least);
    return from + (to - from) * fmin(fmax(share, 0), 1);
}

static void draw_axes(picture *p, int top, range x, range y) {
    const int bottom = top + PANEL - TOP - BOTTOM, right = WIDTH - RIGHT;
    char text[32];
    for (int i = 0; i < TICKS; i++) {
        const double share = (double)i / (TICKS - 1), kimg = x.least + share * (x.most - x.least);
        const int column = (int)position(x, kimg, LEFT, right), row = bottom - (int)(share * (bottom - top));
        fill(p, column, top, 1, bottom - top, GRID);
        fill(p, LEFT, row, right - LEFT, 1, GRID);
        snprintf(text, sizeof text, i + 1 < TICKS ? "%.3g" : "%.3g kimg", kimg);
        write_text(p, column - (i + 1 < TICKS ? 6 : 40), bottom + 8, text, BLACK);
        snprintf(text, sizeof text, "%9.3g", y.least + share * (y.most - y.least));
        write_text(p, 4, row - 3, text, BLACK);
    }
}

static void draw_curve(picture *p, int top, const training_log *log, int curve, range x, range y, color c) {
    const int bottom = top + PANEL - TOP - BOTTOM;
    double last_column = 0, last_row = NAN;
    for (int i = 0; i < log->count; i++) {
        const double value = log->rows[i].value[curve];
        if (!isfinite(value)) continue; /* R1 is not computed in every step */
        const double column = position(x, 1e-3 * log->rows[i].value[LOG_IMAGES], LEFT, WIDTH - RIGHT);
        const double row = position(y, value, bottom, top);
        if (isfinite(last_row)) draw_line(p, last_column, last_row, column, row, c);
        last_column = column;
        last_row = row;
    }
}

void log_plot(const training_log *log, const char *path) {
    picture *p = cli_alloc(1, sizeof *p);
    const range x = {0, log->count ? fmax(1e-3 * log->rows[log->count - 1].value[LOG_IMAGES], 1e-3) : 1};
    memset(p, 255, sizeof *p);
    const int shown = isnan(log_last(log, LOG_P)) ? PANELS - 1 : PANELS;
    for (int i = 0; i < shown; i++) {
        const int top = i * PANEL + TOP;
        const range y = find_range(log, &panels[i]);
        draw_axes(p, top, x, y);
        for (int k = 0; k < MOST_CURVES && panels[i].names[k]; k++) {
            if (k && isnan(log_last(log, panels[i].curves[k]))) continue;
            write_text(p, LEFT + 260 * k, top - 14, panels[i].names[k], CURVES[k]);
            draw_curve(p, top, log, panels[i].curves[k], x, y, CURVES[k]);
        }
    }
    png_write(path, WIDTH, shown * PANEL, 3, &p->pixels[0][0].r, "Software: stylegan " STYLEGAN_VERSION "\n");
    free(p);
}
