/* dataset.h - the pictures a network learns from: a folder of PNG, JPEG or BMP files, a packed file (.sgd), or drawn
   portraits. */
#ifndef DATASET_H
#define DATASET_H

#include "../base/cli.h"

typedef struct dataset {
    int resolution; /* pictures are square */
    int channels;   /* 3 */
    int label_size; /* K values a picture, 0 without labels */
    int64_t count;  /* pictures; INT64_MAX: endless */
    void (*read)(const struct dataset *d, int64_t index, uint8_t *pixels, float *label);
    void *source;
    void (*close)(struct dataset *d);
    char **classes; /* [K] their names, NULL if nothing tells them */
    int64_t whole;  /* a part of so many drawn portraits, of the seed whole_seed; 0: no part */
    uint64_t whole_seed;
} dataset;

/* What --data takes, for --help. */
#define DATASET_KINDS                                                                                             \
    "a folder of PNG, JPEG or BMP files (turned as EXIF says, transparency on white, cut to the square in their " \
    "middle; "                                                                                                    \
    "folders in it or dataset.json tell classes), a packed file (.sgd), or portraits"

/* `data` is a folder (searched recursively, names sorted), a packed file, or "portraits" (endless, drawn from `seed`).
   Pictures of a folder are turned as EXIF says, composed on white, centre-cropped and resized to `resolution`; files that
   cannot be used are named on standard error and counted, extreme shapes too; ends the program if fewer than two are left.
   Labels are one-hot: classes come from dataset.json (labels.h), or else from the folders in the folder, if all pictures lie
   in such and there are several, in the order of their names. `resolution` 0: the packed file's own, else 64. Reading is
   thread-safe. */
void dataset_open(dataset *d, const char *data, int resolution, uint64_t seed);

int dataset_is_drawn(const char *data); /* whether it is "portraits" */

/* Ends the program if what is written into --outdir would be among the data the next time. */
void dataset_refuse_inside(const char *data, const char *outdir);

/* pixels [H][W][3]; label [K], may be NULL. */
void dataset_read(const dataset *d, int64_t index, uint8_t *pixels, float *label);
void dataset_close(dataset *d);

/* Reads `count` pictures from `first` on, on `threads` threads (0: one per processor) and hands them to `take` in order, on the
   calling thread. Shows progress. */
typedef void dataset_take_fn(void *context, int64_t index, const uint8_t *pixels, const float *label);
void dataset_each(const dataset *d, int64_t first, int64_t count, int threads, dataset_take_fn *take, void *context);

/* Writes a packed file: open, append `count` pictures in order, close. Ends the program on failure. */
typedef struct dataset_writer {
    output out;
    int64_t left; /* pictures to come */
    size_t picture_size;
    int label_size;
    unsigned char *labels, *next_label; /* little-endian, written behind the pictures */
    char *text;                         /* the class names behind them, or NULL */
} dataset_writer;
void dataset_writer_open(dataset_writer *w, const char *path, const dataset *d, int64_t count);
void dataset_writer_append(dataset_writer *w, const uint8_t *pixels, const float *label);
void dataset_writer_close(dataset_writer *w);

#endif
