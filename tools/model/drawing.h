/* drawing.h - draws images from ws. */
#ifndef DRAWING_H
#define DRAWING_H

#include "model.h"

typedef struct drawing_flags {
    const char *noise_mode, *noise_seed, *no_metadata;
    const char *translate, *rotate, *transform; /* StyleGAN 3 */
} drawing_flags;
#define DRAWING_FLAGS(flags)                                                                                       \
    {"--noise-mode", "MODE", "const (default), random or none", &(flags).noise_mode},                              \
        {"--noise-seed", "S", "seed of random noise; image i takes S + i (default: 0)", &(flags).noise_seed},      \
        {"--translate", "X,Y", "StyleGAN 3: move the picture, 1 is its width (default: 0,0)", &(flags).translate}, \
        {"--rotate", "DEGREES", "StyleGAN 3: turn the picture (default: 0)", &(flags).rotate},                     \
        {"--transform", "A,...,I", "StyleGAN 3: 3 x 3 matrix of the input, the motion's inverse, row by row",      \
         &(flags).transform},                                                                                      \
    {                                                                                                              \
        "--no-metadata", NULL, "pictures do not say what they are and how they were drawn", &(flags).no_metadata   \
    }

/* Holds the pixels of the images drawn last. */
typedef struct drawing {
    const opened_model *opened;
    stylegan_run run;
    float transform[9];
    unsigned char *pixels; /* [batch][H][W][C] */
    int at;                /* the one of them that is saved: the first, unless the command says so */
    int batch, room;       /* images drawn by one call, and the most so far */
    int drawn;
    uint64_t first_noise_seed; /* of the first image */
    int metadata;              /* 0: pictures carry no notes */
    progress progress;
} drawing;

void drawing_start(drawing *d, const opened_model *opened, const drawing_flags *flags, int count);
/* ws [count][L][D] to pixels by one call, which can share what it prepares, and to images [count][C][H][W] unless NULL. */
void drawing_draw(drawing *d, const float *ws, int count, float *images);

/* What the picture at `at`, a sheet of all, or one of all beside pictures from elsewhere says of itself: that it is synthetic,
   the model, the noise. NULL if pictures carry no notes; the caller adds where it comes from, and frees it. */
typedef enum drawing_kind { DRAWN_PICTURE, DRAWN_SHEET, DRAWN_WITH_OTHERS } drawing_kind;
char *drawing_notes(const drawing *d, drawing_kind kind);
const unsigned char *drawing_pixels(const drawing *d); /* [H][W][C] of the picture at `at` */
void drawing_save(const drawing *d, const char *folder, const char *name, const char *notes);
void drawing_end(drawing *d);

#endif
