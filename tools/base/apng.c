/* apng.c - see apng.h. Chunks in this order: IHDR, acTL (how many frames), texts; a frame is fcTL (its size, place and
   time), then the compressed pixels: IDAT of the first, fdAT of the others, where a number precedes them; IEND. fcTL and
   fdAT are numbered together. */
#include "apng.h"
#include "png.h"
#include "stb.h"

#include <stdlib.h>
#include <string.h>

enum { CHUNK_HEAD = 8, CHUNK_END = 4 };

void apng_open(apng_writer *w, const char *path, int width, int height, int channels, int frames, int rate,
               const char *notes) {
    *w = (apng_writer){
        .width = width, .height = height, .channels = channels, .frames = frames, .rate = rate, .notes = notes};
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

/* Takes a PNG from stb_image_write, whose pixels are one chunk between IHDR and IEND. */
static void take_frame(void *context, void *data, int size) {
    apng_writer *w = context;
    const size_t end = CHUNK_HEAD + CHUNK_END;
    const unsigned char *chunk = (const unsigned char *)data + PNG_HEAD;
    const size_t compressed = (size_t)size - PNG_HEAD - 2 * end;
    if (!w->sequence) {
        output_write(&w->out, data, PNG_HEAD);
        write_control(w);
        png_write_notes(&w->out, w->notes);
        write_frame_control(w);
        output_write(&w->out, chunk, compressed + end);
    } else {
        write_frame_control(w);
        write_numbered(w, chunk + CHUNK_HEAD, compressed);
    }
}

void apng_add(apng_writer *w, const unsigned char *pixels) {
    if (!stbi_write_png_to_func(take_frame, w, w->width, w->height, w->channels, pixels, w->width * w->channels))
        cli_fail("out of memory");
}

void apng_close(apng_writer *w) {
    png_write_chunk(&w->out, "IEND", "", 0);
    output_close(&w->out);
}
