/* test_photographs.c - picture files to squares: turned as EXIF says, transparency on white, and what is wrong with them;
   the bound on what is in decoding at the same time. */
#define _POSIX_C_SOURCE 200809L
#include "test.h"
#include "../tools/base/cli.h"
#include "../tools/base/pool.h"
#include "../tools/data/photograph.h"

#include <stdlib.h>
#include <string.h>

#if __has_include(<stb/stb_image_write.h>)
#include <stb/stb_image_write.h>
#else
#include <stb_image_write.h>
#endif

enum { SIDE = 16, MOST = 1 << 16 };

/* A file in memory. */
typedef struct file {
    unsigned char bytes[MOST];
    size_t size;
} file;

static void append(void *context, void *data, int size) {
    file *f = context;
    if (f->size + (size_t)size > MOST) cli_fail("a picture of the tests is too large");
    memcpy(f->bytes + f->size, data, (size_t)size);
    f->size += (size_t)size;
}

static void insert(file *f, size_t at, const void *data, size_t size) {
    unsigned char rest[MOST];
    const size_t left = f->size - at;
    memcpy(rest, f->bytes + at, left);
    f->size = at;
    append(f, (void *)(uintptr_t)data, (int)size);
    append(f, rest, (int)left);
}

static void big_endian(unsigned char *at, size_t value, int length) {
    for (int i = 0; i < length; i++) at[i] = (unsigned char)(value >> 8 * (length - 1 - i));
}

/* Behind the head of a PNG; nobody looks at the checksum. */
static void insert_chunk(file *png, const char *name, const void *data, size_t size) {
    unsigned char chunk[300] = {0};
    big_endian(chunk, size, 4);
    memcpy(chunk + 4, name, 4);
    memcpy(chunk + 8, data, size);
    insert(png, 33, chunk, 12 + size);
}

static void insert_segment(file *jpeg, const unsigned char *exif, size_t size) {
    unsigned char segment[300] = {0xFF, 0xE1, 0, 0, 'E', 'x', 'i', 'f', 0, 0};
    big_endian(segment + 2, 8 + size, 2);
    memcpy(segment + 10, exif, size);
    insert(jpeg, 2, segment, 10 + size);
}

/* A TIFF directory of two entries: the width, then the orientation. */
enum { EXIF = 38 };
static void make_exif(unsigned char *exif, int little_endian, int orientation) {
    static const unsigned char little[EXIF] = {'I', 'I', 42, 0, 8, 0, 0, 0, 2,    0,       /* directory */
                                               0,   1,   3,  0, 1, 0, 0, 0, SIDE, 0, 0, 0, /* width */
                                               18,  1,   3,  0, 1, 0, 0, 0, 0,    0, 0, 0},
                               big[EXIF] = {'M', 'M', 0, 42, 0, 0, 0, 8, 0, 2,          /* directory */
                                            1,   0,   0, 3,  0, 0, 0, 1, 0, SIDE, 0, 0, /* width */
                                            1,   18,  0, 3,  0, 0, 0, 1, 0, 0,    0, 0};
    memcpy(exif, little_endian ? little : big, EXIF);
    exif[little_endian ? 30 : 31] = (unsigned char)orientation;
}

static uint8_t *decode(const file *f, char **fault) {
    uint8_t *pixels = NULL;
    unsigned char *copy = cli_alloc(f->size, 1); /* a sanitizer sees every read behind the end */
    pixel_budget budget;
    memcpy(copy, f->bytes, f->size);
    pixel_budget_start(&budget, MOST_PIXELS);
    *fault = photograph_decode(copy, f->size, SIDE, &budget, &(picture_size){0, 0}, &pixels);
    pixel_budget_end(&budget);
    free(copy);
    return pixels;
}

static void draw(uint8_t *pixels, int channels) { /* no two alike */
    for (int i = 0; i < SIDE * SIDE * channels; i++) pixels[i] = (uint8_t)(i * 7 + i / 97);
}

/* --- Orientation --- */

typedef struct point {
    int x, y;
} point;

/* Where the stored top left, top right and bottom left corners are seen, as the standard tells. */
static const struct {
    point top_left, top_right, bottom_left;
} seen[] = {{{0, 0}, {1, 0}, {0, 1}}, {{1, 0}, {0, 0}, {1, 1}}, {{1, 1}, {0, 1}, {1, 0}}, {{0, 1}, {1, 1}, {0, 0}},
            {{0, 0}, {0, 1}, {1, 0}}, {{1, 0}, {1, 1}, {0, 0}}, {{1, 1}, {1, 0}, {0, 1}}, {{0, 1}, {0, 0}, {1, 1}}};

/* A pixel is seen as far along the edges as it is stored. */
static int along(int corner, int right, int below, int column, int row) {
    return corner * (SIDE - 1) + (right - corner) * column + (below - corner) * row;
}

static int is_turned(const uint8_t *stored, const uint8_t *upright, int orientation) {
    const point corner = seen[orientation - 1].top_left, right = seen[orientation - 1].top_right,
                below = seen[orientation - 1].bottom_left;
    for (int row = 0; row < SIDE; row++)
        for (int column = 0; column < SIDE; column++) {
            const int x = along(corner.x, right.x, below.x, column, row);
            const int y = along(corner.y, right.y, below.y, column, row);
            if (memcmp(stored + (row * SIDE + column) * 3, upright + (y * SIDE + x) * 3, 3) != 0) return 0;
        }
    return 1;
}

static file picture(int jpeg) {
    uint8_t pixels[SIDE * SIDE * 3];
    file f = {.size = 0};
    draw(pixels, 3);
    if (jpeg)
        stbi_write_jpg_to_func(append, &f, SIDE, SIDE, 3, pixels, 95);
    else
        stbi_write_png_to_func(append, &f, SIDE, SIDE, 3, pixels, 0);
    return f;
}

static void insert_exif(file *f, int jpeg, const unsigned char *exif, size_t size) {
    if (jpeg)
        insert_segment(f, exif, size);
    else
        insert_chunk(f, "eXIf", exif, size);
}

static void check_orientation(int jpeg, int little_endian) {
    const file plain = picture(jpeg);
    char *fault;
    uint8_t *stored = decode(&plain, &fault);
    const char *what = jpeg ? "JPEG" : "PNG", *order = little_endian ? "little" : "big";
    if (!stored) test_check(0, "photographs: %s: %s", what, fault);
    for (int orientation = 0; stored && orientation <= 9; orientation++) {
        file turned = plain;
        unsigned char exif[EXIF];
        make_exif(exif, little_endian, orientation);
        insert_exif(&turned, jpeg, exif, EXIF);
        uint8_t *upright = decode(&turned, &fault);
        const int expected = orientation >= 1 && orientation <= 8 ? orientation : 1;
        test_check(upright && is_turned(stored, upright, expected), "photographs: %s, %s-endian, orientation %d: %s",
                   what, order, orientation, upright ? "turned" : fault);
        free(upright);
    }
    free(stored);
}

/* Whatever is wrong with EXIF, the picture is there. */
static void check_damaged_exif(int jpeg) {
    const file plain = picture(jpeg);
    int decoded = 0, tried = 0;
    for (int i = 0; i < EXIF; i++)
        for (int damage = 0; damage < 2; damage++, tried++) {
            file f = plain;
            unsigned char exif[EXIF];
            char *fault;
            make_exif(exif, 1, 6);
            if (damage) exif[i] ^= 0xFF;
            insert_exif(&f, jpeg, exif, damage ? EXIF : (size_t)i);
            uint8_t *pixels = decode(&f, &fault);
            decoded += pixels != NULL;
            free(pixels);
            free(fault);
        }
    test_check(decoded == tried, "photographs: %s: %d of %d with damaged EXIF are read", jpeg ? "JPEG" : "PNG", decoded,
               tried);
}

/* --- Transparency --- */

static void check_transparency(int channels) {
    uint8_t pixels[SIDE * SIDE * 4];
    file f = {.size = 0};
    char *fault;
    draw(pixels, channels);
    stbi_write_png_to_func(append, &f, SIDE, SIDE, channels, pixels, 0);
    uint8_t *found = decode(&f, &fault);
    int wrong = 0;
    for (int i = 0; found && i < SIDE * SIDE; i++) {
        const double opacity = pixels[i * channels + channels - 1] / 255.0;
        for (int c = 0; c < 3; c++) {
            const double color = pixels[i * channels + (channels == 4 ? c : 0)];
            wrong += (int)(color * opacity + 255 * (1 - opacity) + 0.5) != found[3 * i + c];
        }
    }
    test_check(found && !wrong, "photographs: %d channels: transparency is white paper", channels);
    free(found);
}

static void check_transparent_color(void) {
    file f = picture(0);
    uint8_t pixels[SIDE * SIDE * 3];
    draw(pixels, 3);
    const unsigned char color[6] = {0, pixels[3], 0, pixels[4], 0, pixels[5]};
    insert_chunk(&f, "tRNS", color, sizeof color);
    char *fault;
    uint8_t *found = decode(&f, &fault);
    test_check(found && !memcmp(found, pixels, 3) && !memcmp(found + 3, "\xFF\xFF\xFF", 3),
               "photographs: a colour that stands for transparency is white paper");
    free(found);
}

/* --- What is wrong --- */

static void check_empty(uint32_t width, uint32_t height) {
    file f = {{'B', 'M', 0, 0, 0, 0, 0, 0, 0, 0, 54, 0, 0, 0, 40, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 24}, 200};
    for (int i = 0; i < 4; i++) {
        f.bytes[18 + i] = (unsigned char)(width >> 8 * i);
        f.bytes[22 + i] = (unsigned char)(height >> 8 * i);
    }
    char *fault;
    uint8_t *pixels = decode(&f, &fault);
    test_check(!pixels && fault, "photographs: a BMP of %d x %d pixels: %s", (int)width, (int)height,
               fault ? fault : "is read");
    free(pixels);
    free(fault);
}

/* --- Pixels in decoding --- */

typedef struct decoding {
    pixel_budget budget;
    pthread_mutex_t lock;
    int64_t now, most;
} decoding;

static void decode_item(void *context, int item, int thread) {
    decoding *d = context;
    const int64_t pixels = 1 + item % 10;
    (void)thread;
    pixel_budget_take(&d->budget, pixels);
    pthread_mutex_lock(&d->lock);
    d->now += pixels;
    if (d->now > d->most) d->most = d->now;
    pthread_mutex_unlock(&d->lock);
    nanosleep(&(struct timespec){0, 100000}, NULL);
    pthread_mutex_lock(&d->lock);
    d->now -= pixels;
    pthread_mutex_unlock(&d->lock);
    pixel_budget_return(&d->budget, pixels);
}

static void check_budget(void) {
    enum { BUDGET = 10, THREADS = 8, ITEMS = 400 };
    decoding d = {.now = 0};
    pixel_budget_start(&d.budget, BUDGET);
    pthread_mutex_init(&d.lock, NULL);
    pool_each(ITEMS, THREADS, decode_item, &d);
    test_check(d.now == 0 && d.most == BUDGET && d.budget.left == BUDGET,
               "photographs: %d threads decode at most %d of %d pixels at the same time", THREADS, (int)d.most, BUDGET);
    pixel_budget_end(&d.budget);
}

int main(void) {
    for (int jpeg = 0; jpeg < 2; jpeg++) {
        check_orientation(jpeg, 0);
        check_orientation(jpeg, 1);
        check_damaged_exif(jpeg);
    }
    check_transparency(2);
    check_transparency(4);
    check_transparent_color();
    check_empty(0, 5);
    check_empty(5, 0);
    check_empty(5, 0x80000000u);
    check_budget();
    return test_end();
}
