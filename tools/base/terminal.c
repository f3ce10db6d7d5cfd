/* terminal.c - see terminal.h. A cell is about twice as high as wide, so it shows two pixels: the upper one as the colour of
   a half block, the lower one as that behind it. */
#include "terminal.h"
#include "cli.h"
#include "pixel.h"
#include "stb.h"
#include "system.h"

#include <stdlib.h>

static int find_columns(void) {
    enum { USUAL = 80, MOST = 10000 };
    const char *given = getenv("COLUMNS");
    int columns = system_columns();
    if (!columns && given) columns = atoi(given);
    return columns > 0 && columns <= MOST ? columns : USUAL;
}

/* RGB [high][wide][3], made smaller by averaging areas. */
static unsigned char *shrink(const unsigned char *pixels, int width, int height, int channels, int wide, int high) {
    const size_t count = (size_t)width * (size_t)height;
    unsigned char *rgb = cli_alloc(count, 3), *small = cli_alloc((size_t)wide * (size_t)high, 3);
    for (size_t i = 0; i < count; i++) pixel_rgb(pixels + i * (size_t)channels, channels, rgb + 3 * i);
    if (!stbir_resize_uint8_generic(rgb, width, height, 0, small, wide, high, 0, 3, STBIR_ALPHA_CHANNEL_NONE, 0,
                                    STBIR_EDGE_CLAMP, STBIR_FILTER_BOX, STBIR_COLORSPACE_LINEAR, NULL))
        cli_fail("out of memory");
    free(rgb);
    return small;
}

void terminal_show(const unsigned char *pixels, int width, int height, int channels) {
    static const char half_block[] = "\xe2\x96\x80"; /* U+2580 */
    const int columns = find_columns(), wide = width < columns ? width : columns;
    const int scaled = (int)(((int64_t)height * wide + width / 2) / width), high = scaled ? scaled : 1;
    unsigned char *small = shrink(pixels, width, height, channels, wide, high);
    for (int y = 0; y < high; y += 2) {
        const unsigned char *up = small + 3 * (size_t)y * (size_t)wide, *down = up + 3 * (size_t)wide;
        for (int x = 0; x < wide; x++, up += 3, down += 3) {
            printf("\033[38;2;%d;%d;%d", up[0], up[1], up[2]);
            if (y + 1 < high) printf(";48;2;%d;%d;%d", down[0], down[1], down[2]);
            printf("m%s", half_block);
        }
        printf("\033[0m\n");
    }
    free(small);
}
