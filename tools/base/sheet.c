/* sheet.c - see sheet.h. */
#include "sheet.h"
#include "cli.h"
#include "notes.h"
#include "png.h"
#include "terminal.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void sheet_start(sheet *s, int columns, int rows, int width, int height, int channels) {
    *s = (sheet){columns, rows, width, height, channels, NULL};
    png_check_size("the sheet", columns * width, rows > INT_MAX / height ? INT_MAX : rows * height, channels);
    const size_t tiles = (size_t)columns * (size_t)rows, tile = (size_t)width * (size_t)height * (size_t)channels;
    s->pixels = cli_alloc(tiles, tile);
    memset(s->pixels, 0, tiles * tile);
}

void sheet_parse(sheet *s, const char *grid, int width, int height, int channels) {
    int columns, rows;
    char end;
    if (sscanf(grid, "%4dx%4d%c", &columns, &rows, &end) != 2 || columns < 1 || rows < 1)
        cli_usage("--grid %s: must be columns x rows, such as 7x4", grid);
    sheet_start(s, columns, rows, width, height, channels);
}

void sheet_put(const sheet *s, int number, const unsigned char *pixels) {
    const size_t line = (size_t)s->width * (size_t)s->channels, step = (size_t)s->columns * line;
    const size_t top = (size_t)(number / s->columns) * (size_t)s->height, column = (size_t)(number % s->columns);
    unsigned char *tile = s->pixels + top * step + column * line;
    for (size_t y = 0; y < (size_t)s->height; y++) memcpy(tile + y * step, pixels + y * line, line);
}

void sheet_show(const sheet *s) {
    terminal_show(s->pixels, s->columns * s->width, s->rows * s->height, s->channels);
}

void sheet_write(sheet *s, const char *path, char **notes) {
    if (*notes) notes_add(notes, "Sheet", "%d x %d pictures", s->columns, s->rows);
    png_write(path, s->columns * s->width, s->rows * s->height, s->channels, s->pixels, *notes);
    free(s->pixels);
}

void sheet_save(sheet *s, const char *folder, const char *name, char **notes) {
    char *path = cli_format("%s/%s", folder, name);
    sheet_write(s, path, notes);
    free(path);
}
