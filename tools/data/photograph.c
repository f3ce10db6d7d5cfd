/* photograph.c - see photograph.h. */
#define _POSIX_C_SOURCE 200809L
#include "photograph.h"
#include "sources.h"
#include "../base/pixel.h"
#include "../base/png.h"
#include "../base/stb.h"
#include "../base/system.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

/* --- Pixels in decoding --- */

void pixel_budget_start(pixel_budget *b, int64_t pixels) {
    b->left = pixels;
    pthread_mutex_init(&b->lock, NULL);
    pthread_cond_init(&b->returned, NULL);
}

void pixel_budget_take(pixel_budget *b, int64_t pixels) {
    pthread_mutex_lock(&b->lock);
    while (b->left < pixels) pthread_cond_wait(&b->returned, &b->lock);
    b->left -= pixels;
    pthread_mutex_unlock(&b->lock);
}

void pixel_budget_return(pixel_budget *b, int64_t pixels) {
    pthread_mutex_lock(&b->lock);
    b->left += pixels;
    pthread_cond_broadcast(&b->returned);
    pthread_mutex_unlock(&b->lock);
}

void pixel_budget_end(pixel_budget *b) {
    pthread_cond_destroy(&b->returned);
    pthread_mutex_destroy(&b->lock);
}

/* --- EXIF: how the camera was held, a TIFF directory in a segment of a JPEG or a chunk of a PNG --- */

/* Bytes that are not all there: reading behind the end gives zeros. */
typedef struct bytes {
    const unsigned char *at;
    size_t size;
    int little_endian;
} bytes;

static bytes part(bytes b, size_t from, size_t size) {
    if (from > b.size) from = b.size;
    if (size > b.size - from) size = b.size - from;
    return (bytes){b.at + from, size, b.little_endian};
}

static uint32_t number(bytes b, size_t from, int length) {
    uint32_t value = 0;
    for (int i = 0; i < length; i++) {
        const size_t at = from + (size_t)(b.little_endian ? length - 1 - i : i);
        value = value << 8 | (at < b.size ? b.at[at] : 0);
    }
    return value;
}

static int begins_with(bytes b, const char *text, size_t length) {
    return b.size >= length && memcmp(b.at, text, length) == 0;
}

/* The first segment APP1 of a JPEG that holds EXIF, from its TIFF header on. */
static bytes exif_of_jpeg(bytes file) {
    enum { APP1 = 0xE1, START_OF_SCAN = 0xDA };
    for (size_t at = 2; at + 4 <= file.size && file.at[at] == 0xFF;) {
        const size_t length = number(file, at + 2, 2);
        const bytes segment = part(file, at + 4, length - 2);
        if (file.at[at + 1] == START_OF_SCAN || length < 2) break;
        if (file.at[at + 1] == APP1 && begins_with(segment, "Exif\0\0", 6)) return part(segment, 6, SIZE_MAX);
        at += 2 + length;
    }
    return part(file, file.size, 0);
}

static bytes exif_of_png(bytes file) {
    for (size_t at = 8; at + 12 <= file.size;) {
        const size_t length = number(file, at, 4);
        if (memcmp(file.at + at + 4, "eXIf", 4) == 0) return part(file, at + 8, length);
        if (length > file.size - at - 12) break;
        at += 12 + length;
    }
    return part(file, file.size, 0);
}

/* The tag Orientation of the first directory, 1 to 8; 1, upright, if there is none. */
static int orientation(bytes file) {
    enum { ENTRY = 12, ORIENTATION = 0x0112, SHORT = 3 };
    bytes tiff = begins_with(file, "\xFF\xD8", 2) ? exif_of_jpeg(file) : exif_of_png(file);
    tiff.little_endian = begins_with(tiff, "II*\0", 4);
    if (!tiff.little_endian && !begins_with(tiff, "MM\0*", 4)) return 1;
    const bytes directory = part(tiff, number(tiff, 4, 4), SIZE_MAX);
    const uint32_t entries = number(directory, 0, 2);
    for (size_t i = 0; i < entries; i++) {
        const size_t at = 2 + i * ENTRY;
        if (number(directory, at, 2) != ORIENTATION || number(directory, at + 2, 2) != SHORT) continue;
        const uint32_t value = number(directory, at + 8, 2);
        return value >= 1 && value <= 8 ? (int)value : 1;
    }
    return 1;
}

/* A square as it is stored to one that stands upright: along x and y of the latter, the former is read with rows and
   columns exchanged, and each of them forwards or backwards. */
static void turn_upright(const uint8_t *stored, int side, int how, uint8_t *upright) {
    static const struct {
        int exchanged, column_back, row_back;
    } ways[] = {{0, 0, 0}, {0, 1, 0}, {0, 1, 1}, {0, 0, 1}, {1, 0, 0}, {1, 0, 1}, {1, 1, 1}, {1, 1, 0}};
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++, upright += CHANNELS) {
            int column = ways[how - 1].exchanged ? y : x, row = ways[how - 1].exchanged ? x : y;
            if (ways[how - 1].column_back) column = side - 1 - column;
            if (ways[how - 1].row_back) row = side - 1 - row;
            memcpy(upright, stored + ((size_t)row * (size_t)side + (size_t)column) * CHANNELS, CHANNELS);
        }
}

/* --- Decoding --- */

/* Red, green, blue and opacity to red, green and blue on white paper, in place. */
static void compose_on_white(uint8_t *pixels, size_t count) {
    const uint8_t *from = pixels;
    for (size_t i = 0; i < count; i++, from += CHANNELS + 1, pixels += CHANNELS) pixel_rgb(from, CHANNELS + 1, pixels);
}

void picture_resize(const uint8_t *pixels, int width, int height, int resolution, uint8_t *resized) {
    const int side = width < height ? width : height, x = (width - side) / 2, y = (height - side) / 2;
    const uint8_t *corner = pixels + ((size_t)y * (size_t)width + (size_t)x) * CHANNELS;
    const stbir_filter filter = side < resolution ? STBIR_FILTER_MITCHELL : STBIR_FILTER_BOX;
    if (!stbir_resize_uint8_generic(corner, side, side, width * CHANNELS, resized, resolution, resolution, 0, CHANNELS,
                                    STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP, filter, STBIR_COLORSPACE_LINEAR,
                                    NULL))
        cli_fail("out of memory");
}

static char *decode(bytes file, int resolution, uint8_t **pixels) {
    int width, height, channels;
    uint8_t *decoded = stbi_load_from_memory(file.at, (int)file.size, &width, &height, &channels, CHANNELS + 1);
    const int is_cut = begins_with(file, "\x89PNG", 4) && !png_is_whole(file.at, file.size); /* stb would quote zeros */
    if (!decoded) return cli_format("damaged picture: %s", is_cut ? "ends too early" : stbi_failure_reason());
    uint8_t *stored = cli_alloc(picture_bytes(resolution), 1);
    compose_on_white(decoded, (size_t)width * (size_t)height);
    picture_resize(decoded, width, height, resolution, stored);
    stbi_image_free(decoded);
    *pixels = cli_alloc(picture_bytes(resolution), 1);
    turn_upright(stored, resolution, orientation(file), *pixels);
    free(stored);
    return NULL;
}

/* stb takes the missing rows of a BMP for black ones. */
static int is_cut_bmp(bytes file, int width, int height) {
    enum { FILE_HEADER = 14, OLD_HEADER = 12 };
    file.little_endian = 1;
    if (!begins_with(file, "BM", 2)) return 0;
    const uint64_t bits = number(file, number(file, FILE_HEADER, 4) == OLD_HEADER ? 24 : 28, 2);
    const uint64_t row = ((uint64_t)width * bits + 31) / 32 * 4;
    return number(file, 10, 4) + row * (uint64_t)height > file.size;
}

char *photograph_decode(const unsigned char *data, size_t size, int resolution, pixel_budget *budget,
                        picture_size *original, uint8_t **pixels) {
    int width, height, channels;
    if (size > INT_MAX || !stbi_info_from_memory(data, (int)size, &width, &height, &channels))
        return cli_format("not a PNG, JPEG or BMP picture");
    if (width < 1 || height < 1) return cli_format("has %d x %d pixels", width, height);
    *original = (picture_size){width, height};
    const int64_t count = (int64_t)width * height;
    if (count > MOST_PIXELS) return cli_format("%d x %d pixels are too many (at most %d)", width, height, MOST_PIXELS);
    if (is_cut_bmp((bytes){data, size, 0}, width, height)) return cli_format("damaged picture: ends too early");
    pixel_budget_take(budget, count);
    char *fault = decode((bytes){data, size, 0}, resolution, pixels);
    pixel_budget_return(budget, count);
    return fault;
}

/* NULL and errno if that fails. */
static unsigned char *read_whole(FILE *file, size_t size) {
    unsigned char *data = cli_alloc(size, 1);
    errno = EIO; /* shorter than it was */
    if (fread(data, 1, size, file) == size) return data;
    free(data);
    return NULL;
}

char *photograph_load(const char *path, int resolution, pixel_budget *budget, picture_size *original,
                      uint8_t **pixels) {
    uint64_t size = 0;
    const system_kind kind = system_kind_of(path);
    if (kind == SYSTEM_NOTHING) return cli_format("cannot read: %s", strerror(errno));
    if (kind == SYSTEM_FOLDER && !system_is_link(path)) return cli_format("is a folder, not a picture");
    if (kind == SYSTEM_FOLDER) return cli_format("a link to a folder, which could lead in circles");
    if (kind != SYSTEM_FILE) return cli_format("not a file"); /* opening a pipe would wait for its writer */
    const int descriptor = system_open(path, O_RDONLY);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "rb");
    if (file) system_kind_of_open(descriptor, &size);
    if (file) input_remember(path);
    unsigned char *data = file ? read_whole(file, (size_t)size) : NULL;
    char *fault = data ? photograph_decode(data, (size_t)size, resolution, budget, original, pixels)
                       : cli_format("cannot read: %s", strerror(errno));
    if (file) fclose(file);
    free(data);
    return fault;
}
