/* photograph.h - a picture file to the square that a network learns from. */
#ifndef PHOTOGRAPH_H
#define PHOTOGRAPH_H

#include <pthread.h>
#include <stddef.h>
#include <stdint.h>

/* How many pixels may be in decoding at the same time, by all threads together. */
typedef struct pixel_budget {
    pthread_mutex_t lock;
    pthread_cond_t returned;
    int64_t left;
} pixel_budget;
enum { MOST_PIXELS = 1 << 26 }; /* of a picture; a budget has to be as large */
void pixel_budget_start(pixel_budget *b, int64_t pixels);
void pixel_budget_take(pixel_budget *b, int64_t pixels); /* waits until there are so many */
void pixel_budget_return(pixel_budget *b, int64_t pixels);
void pixel_budget_end(pixel_budget *b);

/* As stored in the file. */
typedef struct picture_size {
    int width, height;
} picture_size;

/* PNG, JPEG or BMP to pixels [resolution][resolution][3]: turned upright as EXIF says, transparency composed on white, the
   largest square in the middle. Returns NULL, or what is wrong. The caller frees either. */
char *photograph_decode(const unsigned char *bytes, size_t size, int resolution, pixel_budget *budget,
                        picture_size *original, uint8_t **pixels);
char *photograph_load(const char *path, int resolution, pixel_budget *budget, picture_size *original, uint8_t **pixels);

/* pixels [height][width][3] to resized [resolution][resolution][3]: the largest square in the middle; shrunk by averaging
   areas, which leaves pictures of the right size as they are. */
void picture_resize(const uint8_t *pixels, int width, int height, int resolution, uint8_t *resized);

#endif
