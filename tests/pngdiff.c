/* pngdiff.c - compares a tile of a PNG with a picture, to the bit:
     pngdiff GRID.png COLUMN ROW TILE.png
     pngdiff GRID.png COLUMN ROW IMAGES.npy INDEX    as the official tools turn floats into 8 bits
   or two pictures, PNG or PPM, of which no value may differ by more than 1, and prints how many do:
     pngdiff PICTURE PICTURE
   or prints their peak signal-to-noise ratio in whole dB, rounded down, 99 if they are the same:
     pngdiff --psnr PICTURE PICTURE */
#include "../tools/base/npy.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_PNM
#if __has_include(<stb/stb_image.h>)
#include <stb/stb_image.h>
#else
#include <stb_image.h>
#endif

/* pixels [height][width][channels] */
typedef struct picture {
    int width, height, channels;
    unsigned char *pixels;
} picture;

static picture read_picture(const char *path) {
    picture p;
    p.pixels = stbi_load(path, &p.width, &p.height, &p.channels, 0);
    if (!p.pixels) cli_fail("%s: %s", path, stbi_failure_reason());
    return p;
}

static unsigned char to_8_bits(float value) {
    const float scaled = value * 127.5f + 128;
    return scaled < 0 ? 0 : scaled > 255 ? 255 : (unsigned char)scaled;
}

static picture read_npy(const char *path, int index) {
    npy images;
    npy_read(path, &images);
    npy_expect(&images, path, "the images", 4, (const int64_t[]){-1, -1, -1, -1});
    const size_t channels = (size_t)images.shape[1], plane = (size_t)(images.shape[2] * images.shape[3]);
    picture p = {(int)images.shape[3], (int)images.shape[2], (int)channels, cli_alloc(channels, plane)};
    const float *image = images.values + (size_t)index * channels * plane;
    for (size_t i = 0; i < plane; i++)
        for (size_t c = 0; c < channels; c++) p.pixels[i * channels + c] = to_8_bits(image[c * plane + i]);
    free(images.values);
    return p;
}

static int values_of_both(const picture *a, const picture *b) {
    if (a->width != b->width || a->height != b->height || a->channels != b->channels) cli_fail("different sizes");
    return a->width * a->height * a->channels;
}

static int compare_pictures(const char *one, const char *other) {
    const picture a = read_picture(one), b = read_picture(other);
    const int count = values_of_both(&a, &b);
    int different = 0;
    for (int i = 0; i < count; i++) {
        const int distance = abs(a.pixels[i] - b.pixels[i]);
        if (distance > 1) cli_fail("%d and %d at %d", a.pixels[i], b.pixels[i], i);
        different += distance;
    }
    printf("%d\n", different);
    return CLI_EXIT_OK;
}

static int print_psnr(const char *one, const char *other) {
    const picture a = read_picture(one), b = read_picture(other);
    const int count = values_of_both(&a, &b);
    double squares = 0;
    for (int i = 0; i < count; i++) squares += (a.pixels[i] - b.pixels[i]) * (a.pixels[i] - b.pixels[i]);
    printf("%d\n", squares > 0 ? (int)floor(10 * log10(255.0 * 255 * count / squares)) : 99);
    return CLI_EXIT_OK;
}

int main(int argc, char **argv) {
    if (argc == 4 && !strcmp(argv[1], "--psnr")) return print_psnr(argv[2], argv[3]);
    if (argc == 3) return compare_pictures(argv[1], argv[2]);
    if (argc != 5 && argc != 6) cli_usage("pngdiff GRID.png COLUMN ROW TILE.png|IMAGES.npy [INDEX] or PICTURE PICTURE");
    const picture grid = read_picture(argv[1]);
    const picture tile =
        argc == 5 ? read_picture(argv[4]) : read_npy(argv[4], (int)cli_integer("INDEX", argv[5], 0, 1000));
    const int column = (int)cli_integer("COLUMN", argv[2], 0, grid.width / tile.width - 1);
    const int row = (int)cli_integer("ROW", argv[3], 0, grid.height / tile.height - 1);
    if (grid.channels != tile.channels) cli_fail("%d and %d channels", grid.channels, tile.channels);

    const size_t line = (size_t)tile.width * (size_t)tile.channels,
                 grid_line = (size_t)grid.width * (size_t)grid.channels;
    for (int y = 0; y < tile.height; y++) {
        const unsigned char *at = grid.pixels + (size_t)(row * tile.height + y) * grid_line + (size_t)column * line;
        if (memcmp(at, tile.pixels + (size_t)y * line, line) != 0) cli_fail("row %d differs", y);
    }
    return CLI_EXIT_OK;
}
