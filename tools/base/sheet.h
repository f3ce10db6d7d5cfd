/* sheet.h - many pictures as tiles of one: columns x rows of them, black where none is put. */
#ifndef SHEET_H
#define SHEET_H

typedef struct sheet {
    int columns, rows, width, height, channels; /* width and height of a tile */
    unsigned char *pixels;
} sheet;

/* Ends the program if the sheet is too large for a PNG file. */
void sheet_start(sheet *s, int columns, int rows, int width, int height, int channels);
void sheet_parse(sheet *s, const char *grid, int width, int height, int channels); /* the value of --grid: "7x4" */

/* Tiles are numbered row by row; pixels [height][width][channels]. */
void sheet_put(const sheet *s, int number, const unsigned char *pixels);
void sheet_show(const sheet *s); /* in the terminal */
/* As a PNG with notes, to which it adds how many pictures there are; frees the sheet. */
void sheet_write(sheet *s, const char *path, char **notes);
void sheet_save(sheet *s, const char *folder, const char *name, char **notes);

#endif
