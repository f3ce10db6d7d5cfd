/* distance.h - how far a picture is from another, with the gradient: what inversion makes small. */
#ifndef DISTANCE_H
#define DISTANCE_H

/* One kind of distance; another joins as a row of the table. Pictures are [C][S][S], nominal range [-1, 1]: what a target
   shows as -1 or 1 may lie beyond. */
typedef struct distance {
    const char *name;
    void *(*start)(const float *target, int channels, int size); /* copies what it needs */
    double (*measure)(void *state, const float *image, float *gradient);
    void (*end)(void *state);
} distance;

enum { DISTANCES = 2 };
extern const distance distances[DISTANCES];
const distance *distance_named(const char *name); /* NULL: none */

#endif
