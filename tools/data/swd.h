/* swd.h - how well one set of pictures passes for another: distance, diversity, colour. */
#ifndef SWD_H
#define SWD_H

#include <stdint.h>

/* Square RGB pictures. */
typedef struct picture_set {
    int count, resolution; /* resolution: a power of two, at least 16 for swd_compare */
    uint8_t *pixels;       /* [count][H][W][3] */
} picture_set;

enum { SWD_LEAST_RESOLUTION = 16, SWD_MOST_LEVELS = 8 };

/* Levels of the Laplacian pyramid: the full resolution, half of it, ..., 16. */
int swd_levels(int resolution);

/* Whether pictures of this size can be compared: 16, 32, ..., 2048. */
int swd_takes(int resolution);

/* The sliced Wasserstein distance of progressive GANs (Karras et al. 2018, section 5), times 1000, of each level, finest
   first. Both sets have the same count and resolution. The same for any number of threads; 0 for equal sets. */
void swd_compare(const picture_set *a, const picture_set *b, uint64_t seed, int threads, double *distances);

/* Of one picture, the one that is most like it. Distances are root mean squares over pixels, 0 to 255, of pictures shrunk
   to 16x16. */
typedef struct neighbour {
    int set, index;
    double distance, mean; /* to it; to all, on average */
} neighbour;

/* For each picture of `from` its neighbour among those of one or two sets, which may be `from` itself: a picture is not its
   own neighbour. The caller frees them. */
neighbour *find_neighbours(const picture_set *from, const picture_set *among, int sets, int threads);

/* How different the pictures of a set are: the distance of two of them, on average over all pairs, and that of a picture to
   its neighbour. A generator that always draws the same picture has small ones; one that draws a few pictures again and
   again only a small nearest. */
typedef struct picture_spread {
    double mean, nearest;
} picture_spread;
picture_spread measure_spread(const picture_set *set, int threads);

/* The mean of the pixels, 0 to 255, and their standard deviation, over all channels: equal distances leave a difference
   in brightness or contrast open, because each set is normalised before it is compared. */
typedef struct picture_tone {
    double mean[3], deviation[3];
} picture_tone;
picture_tone measure_tone(const picture_set *set);

#endif
