/* apng.c - see apng.h. Chunks in this order: IHDR, acTL (how many frames), texts, PLTE (the colours, if they are few); a frame
   is fcTL (its size, place and time), then the compressed pixels: IDAT of the first, fdAT of the others, where a number
   precedes them; IEND. fcTL and fdAT are numbered together. */
#include "apng.h"
#include "palette.h"
#include "pixel.h"
#include "png.h"
#include "stb.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_HEAD = 8, CHUNK_END = 4 };

void apng_open(apng_writer *w, const char *path, int width, int height, int channels, int frames, int rate, int colours,
               const char *notes) {
    *w = (apng_writer){.width = width,
                       .height = height,
                       .channels = channels,
                       .frames = frames,
                       .rate = rate,
                       .colours = colours,
                       .notes = notes};
    png_check_size(path, width, height, channels);
    output_open(&w->out, path);
}

static void write_control(apng_writer *w) {
    unsigned char control[8];
    png_put32(control, (size_t)w->frames);
    png_put32(control + 4, 0); /* shown without end */
    png_write_chunk(&w->out, "acTL", control, sizeof control);
}

static void write_frame_control(apng_writer *w) {
    unsigned char control[26] = {0}; /* at the top left; replaces what was there and stays */
    png_put32(control, w->sequence++);
    png_put32(control + 4, (size_t)w->width);
    png_put32(control + 8, (size_t)w->height);
    control[21] = 1; /* shown for 1 / rate of a second */
    control[22] = (unsigned char)(w->rate >> 8);
    control[23] = (unsigned char)w->rate;
    png_write_chunk(&w->out, "fcTL", control, sizeof control);
}

static void write_numbered(apng_writer *w, const unsigned char *pixels, size_t size) {
    unsigned char *content = cli_alloc(4 + size, 1);
    png_put32(content, w->sequence++);
    memcpy(content + 4, pixels, size);
    png_write_chunk(&w->out, "fdAT", content, 4 + size);
    free(content);
}

/* Signature and IHDR of a grey picture, whose values are numbers of colours instead. */
static void write_head(apng_writer *w, const unsigned char *grey, const palette *p) {
    enum { IHDR = 8, KIND = IHDR + 8 + 9, BY_PALETTE = 3 };
    unsigned char head[PNG_HEAD];
    memcpy(head, grey, PNG_HEAD);
    if (p) head[KIND] = BY_PALETTE;
    output_write(&w->out, head, IHDR);
    png_write_chunk(&w->out, "IHDR", head + IHDR + CHUNK_HEAD, PNG_HEAD - IHDR - CHUNK_HEAD - CHUNK_END);
    write_control(w);
    png_write_notes(&w->out, w->notes);
    if (p) png_write_chunk(&w->out, "PLTE", p->colours, 3 * (size_t)p->count);
}

typedef struct frame {
    apng_writer *writer;
    const palette *palette; /* or NULL */
} frame;

/* Takes a PNG from stb_image_write, whose pixels are one chunk between IHDR and IEND. */
static void take_frame(void *context, void *data, int size) {
    apng_writer *w = ((const frame *)context)->writer;
    const size_t end = CHUNK_HEAD + CHUNK_END;
    const unsigned char *chunk = (const unsigned char *)data + PNG_HEAD;
    const size_t compressed = (size_t)size - PNG_HEAD - 2 * end;
    const int first = w->sequence == 0;
    if (first) write_head(w, data, ((const frame *)context)->palette);
    write_frame_control(w);
    if (first)
        output_write(&w->out, chunk, compressed + end);
    else
        write_numbered(w, chunk + CHUNK_HEAD, compressed);
}

static void write_frame(apng_writer *w, const unsigned char *pixels, int channels, const palette *p) {
    frame f = {w, p};
    if (!stbi_write_png_to_func(take_frame, &f, w->width, w->height, channels, pixels, w->width * channels))
        cli_fail("out of memory");
}

/* --- In few colours --- */

static void hold(apng_writer *w, const unsigned char *pixels) {
    const size_t count = (size_t)w->width * (size_t)w->height;
    w->held = cli_realloc(w->held, (size_t)w->waiting + 1, 3 * count);
    unsigned char *rgb = w->held + (size_t)w->waiting++ * 3 * count;
    for (size_t i = 0; i < count; i++) pixel_rgb(pixels + i * (size_t)w->channels, w->channels, rgb + 3 * i);
}

static void write_held(apng_writer *w) {
    const size_t count = (size_t)w->width * (size_t)w->height;
    unsigned char *numbers = cli_alloc(count, 1);
    palette *p = cli_alloc(1, sizeof *p);
    palette_choose(p, w->held, (size_t)w->waiting * count, w->colours);
    stbi_write_force_png_filter = 0; /* differences of numbers mean nothing */
    for (int i = 0; i < w->waiting; i++) {
        palette_apply(p, w->held + (size_t)i * 3 * count, w->width, w->height, numbers);
        write_frame(w, numbers, 1, p);
    }
    stbi_write_force_png_filter = -1;
    free(p);
    free(numbers);
    free(w->held);
}

/* --- */

void apng_add(apng_writer *w, const unsigned char *pixels) {
    if (w->colours)
        hold(w, pixels);
    else
        write_frame(w, pixels, w->channels, NULL);
}

void apng_close(apng_writer *w) {
    if (w->colours) write_held(w);
    png_write_chunk(&w->out, "IEND", "", 0);
    output_close(&w->out);
}
