/* png.c - see png.h. */
#include "png.h"
#include "cli.h"
#include "stb.h"

static void append(void *context, void *data, int size) {
    output_write(context, data, (size_t)size);
}

void png_check_size(const char *what, int width, int height, int channels) {
    const int64_t most = 1 << 30; /* stb_image_write computes with int */
    if (((int64_t)width * channels + 1) * height > most)
        cli_fail("%s: %d x %d pixels are too many", what, width, height);
}

void png_write(const char *path, int width, int height, int channels, const unsigned char *pixels) {
    output out;
    png_check_size(path, width, height, channels);
    output_open(&out, path);
    if (!stbi_write_png_to_func(append, &out, width, height, channels, pixels, width * channels))
        cli_fail("out of memory");
    output_close(&out);
}
