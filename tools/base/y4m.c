/* y4m.c - see y4m.h. A line of text, then for each frame the line "FRAME" and three planes: Y', Cb, Cr. */
#include "y4m.h"
#include "pixel.h"

#include <stdlib.h>
#include <string.h>

/* ITU-R BT.601: shares of red, green and blue in each plane, times 65536, and what a plane adds. */
enum { BITS = 16 };
static const struct {
    int red, green, blue, offset;
} matrix[3] = {{16829, 33039, 6416, 16}, {-9714, -19070, 28784, 128}, {28784, -24103, -4681, 128}};

static void write_text(y4m_writer *w, const char *text) {
    output_write(&w->out, text, strlen(text));
}

void y4m_open(y4m_writer *w, const char *path, int width, int height, int channels, int rate) {
    *w = (y4m_writer){.pixels = (size_t)width * (size_t)height, .channels = channels};
    if (strcmp(path, "-") == 0)
        output_open_standard(&w->out);
    else
        output_open(&w->out, path);
    w->planes = cli_alloc(w->pixels, 3);
    char *head = cli_format("YUV4MPEG2 W%d H%d F%d:1 Ip A1:1 C444 XCOLORRANGE=LIMITED\n", width, height, rate);
    write_text(w, head);
    free(head);
}

void y4m_add(y4m_writer *w, const unsigned char *pixels) {
    unsigned char rgb[3];
    for (size_t i = 0; i < w->pixels; i++) {
        pixel_rgb(pixels + i * (size_t)w->channels, w->channels, rgb);
        for (size_t p = 0; p < 3; p++) {
            const int sum = matrix[p].red * rgb[0] + matrix[p].green * rgb[1] + matrix[p].blue * rgb[2];
            w->planes[p * w->pixels + i] =
                (unsigned char)((sum + (matrix[p].offset << BITS) + (1 << (BITS - 1))) >> BITS);
        }
    }
    write_text(w, "FRAME\n");
    output_write(&w->out, w->planes, 3 * w->pixels);
}

void y4m_close(y4m_writer *w) {
    output_close(&w->out);
    free(w->planes);
}
