/* drawing.h - draws images from ws, one by one, and tiles them on a canvas. */
#ifndef DRAWING_H
#define DRAWING_H

#include "model.h"

typedef struct drawing_flags {
    const char *noise_mode, *noise_seed;
} drawing_flags;
#define DRAWING_FLAGS(flags)                                                                               \
    {"--noise-mode", "MODE", "const (default), random or none", &(flags).noise_mode}, {                    \
        "--noise-seed", "S", "seed of random noise; image i takes S + i (default: 0)", &(flags).noise_seed \
    }

/* Holds one image at a time. */
typedef struct drawing {
    const opened_model *opened;
    stylegan_run run;
    float *image;          /* [C][H][W] */
    unsigned char *pixels; /* [H][W][C] */
    int drawn;
    progress progress;
} drawing;

void drawing_start(drawing *d, const opened_model *opened, const drawing_flags *flags, int count);
void drawing_draw(drawing *d, const float *ws); /* ws [L][D] to image and pixels */
void drawing_save(const drawing *d, const char *folder, const char *name);
void drawing_end(drawing *d);

/* Columns x rows of images, black where none is put. */
typedef struct canvas {
    int columns, rows, resolution, channels;
    unsigned char *pixels;
} canvas;

void canvas_start(canvas *c, const stylegan_config *config, int columns, int rows);
void canvas_parse(canvas *c, const stylegan_config *config, const char *grid); /* the value of --grid, such as 7x4 */
void canvas_put(const canvas *c, int column, int row, const unsigned char *pixels); /* pixels [H][W][C] */
void canvas_save(canvas *c, const char *folder);                                    /* as grid.png; frees the canvas */

#endif
