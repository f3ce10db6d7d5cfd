/* distance.h - how far a picture is from another, with the gradient: what inversion makes small. */
#ifndef DISTANCE_H
#define DISTANCE_H

#include "layers.h"

/* One kind of distance. Pictures are [C][S][S], nominal range [-1, 1]: what a target shows as -1 or 1 may lie beyond. */
typedef struct distance {
    const char *name;
    int least_size;                                                               /* of pictures */
    void *(*start)(const float *target, int channels, int size, const engine *e); /* copies what it needs */
    double (*measure)(void *state, const float *image, float *gradient);
    void (*end)(void *state);
} distance;

/* Squared differences, of the picture and of its halves down to 4 x 4 pixels, or of pixels alone. */
extern const distance distance_pyramid, distance_pixels;

#endif
