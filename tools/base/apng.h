/* apng.h - animated PNG: a PNG whose further frames lie in chunks of their own, which browsers show. */
#ifndef APNG_H
#define APNG_H

#include "cli.h"

typedef struct apng_writer {
    output out;
    int width, height, channels;
    int frames, rate;
    int colours;         /* of a palette for all frames, 0: none */
    unsigned char *held; /* frames [..][height][width][3] that wait for it */
    int waiting;
    const char *notes;
    size_t sequence; /* number of the next chunk that is numbered */
} apng_writer;

/* `frames` pictures, `rate` a second, again and again; with notes, NULL: none. `colours` from 2 to 256: in so many colours,
   which takes a third of the bytes, holds all frames in memory and makes transparency white; 0: as they are. End the
   program on failure. */
void apng_open(apng_writer *w, const char *path, int width, int height, int channels, int frames, int rate, int colours,
               const char *notes);
void apng_add(apng_writer *w, const unsigned char *pixels); /* [height][width][channels] */
void apng_close(apng_writer *w);

#endif
