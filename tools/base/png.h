/* png.h - writes PNG files. */
#ifndef PNG_H
#define PNG_H

/* pixels [height][width][channels], 1 to 4 channels: grey, grey with alpha, RGB, RGB with alpha. Ends the program on
   failure. */
void png_write(const char *path, int width, int height, int channels, const unsigned char *pixels);

/* Ends the program if such a picture is too large to be written. */
void png_check_size(const char *what, int width, int height, int channels);

#endif
