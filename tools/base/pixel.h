/* pixel.h - pixels of 1 to 4 channels, grey, grey with alpha, RGB or RGB with alpha, as RGB over white. */
#ifndef PIXEL_H
#define PIXEL_H

static inline void pixel_rgb(const unsigned char *pixel, int channels, unsigned char *rgb) {
    const int colours = channels < 3 ? 1 : 3, alpha = channels == colours ? 255 : pixel[colours];
    for (int c = 0; c < 3; c++) {
        const int value = pixel[colours == 1 ? 0 : c];
        rgb[c] = (unsigned char)((value * alpha + 255 * (255 - alpha) + 127) / 255);
    }
}

#endif
