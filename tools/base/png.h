/* png.h - PNG files that say what they are. */
#ifndef PNG_H
#define PNG_H

#include "cli.h"

/* pixels [height][width][channels], 1 to 4 channels: grey, grey with alpha, RGB, RGB with alpha. `notes` (notes.h) become
   text chunks, NULL: none. Ends the program on failure. */
void png_write(const char *path, int width, int height, int channels, const unsigned char *pixels, const char *notes);

/* The note that tells programs where a picture comes from, with a term of IPTC's vocabulary of digital source types; it is
   written as XMP as well, which is where they look. */
#define PNG_SOURCE_TYPE "Digital Source Type"
#define PNG_FROM_NETWORK "trainedAlgorithmicMedia"
#define PNG_PARTLY_FROM_NETWORK "compositeWithTrainedAlgorithmicMedia"
#define PNG_FROM_PROGRAM "algorithmicMedia"

/* The texts of a PNG in memory as notes, which the caller frees, and its size. Returns 0 if it is not a PNG. */
int png_read_notes(const unsigned char *bytes, size_t size, char **notes, int *width, int *height);

/* Whether it has its last chunk. */
int png_is_whole(const unsigned char *bytes, size_t size);

/* Ends the program if such a picture is too large to be written. */
void png_check_size(const char *what, int width, int height, int channels);

/* The parts of a PNG, for apng.c: signature and first chunk take PNG_HEAD bytes. */
enum { PNG_HEAD = 33 };
void png_put32(unsigned char *at, size_t value); /* big-endian */
void png_write_chunk(output *out, const char *name, const void *content, size_t size);
void png_write_notes(output *out, const char *notes);

#endif
