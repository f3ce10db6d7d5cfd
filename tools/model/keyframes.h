/* keyframes.h - from seeds, as the flags of a video give them, to the ws of each of its frames. */
#ifndef KEYFRAMES_H
#define KEYFRAMES_H

#include "latents.h"

typedef struct keyframe_flags {
    const char *seeds, *count, *frames, *shuffle_seed, *space, *radius;
    mapping_flags mapping;
} keyframe_flags;
#define KEYFRAME_FLAGS(flags)                                                                                       \
    {"--seeds", "LIST", "seeds of the key frames, those of the first picture first, such as 0-31", &(flags).seeds}, \
        {"--num-keyframes", "K", "key frames of a picture (default: as many as the seeds make)", &(flags).count},   \
        {"--w-frames", "N", "frames from one key frame to the next (default: 120)", &(flags).frames},               \
        {"--shuffle-seed", "S", "shuffle the seeds, as NumPy does with this seed", &(flags).shuffle_seed},          \
        {"--space", "NAME",                                                                                         \
         "how frames lie between key frames: w, a cubic spline through their ws (default); z, great circles from "  \
         "z to z; circle, a circle of zs about one seed a picture",                                                 \
         &(flags).space},                                                                                           \
        {"--radius", "DEGREES", "of --space circle, up to 90 (default: 30)", &(flags).radius},                      \
        MAPPING_FLAGS((flags).mapping)

typedef struct keyframe_space keyframe_space;

/* The pictures of a frame move each through key frames of its own and return to the first. */
typedef struct keyframes {
    const opened_model *opened;
    mapping mapping;
    const keyframe_space *space;
    double radius;    /* radians */
    int pictures;     /* T */
    int count;        /* K of a picture */
    int spacing;      /* frames from one to the next */
    int frames;       /* K * spacing */
    size_t size;      /* values of a key frame */
    float *values;    /* [T][K][size] */
    double *weights;  /* [K] */
    double *sums;     /* [size] */
    float *z;         /* [z_dim] */
    const char *list; /* the seeds as given */
    const char *shuffle_seed;
} keyframes;

void keyframes_start(keyframes *k, const opened_model *opened, const keyframe_flags *flags, int pictures);
void keyframes_ws(keyframes *k, int frame, float *ws);  /* ws [T][L][D] */
void keyframes_notes(const keyframes *k, char **notes); /* what the frames are drawn from */
void keyframes_end(keyframes *k);

#endif
