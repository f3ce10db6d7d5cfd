/* terminal.h - pictures in a terminal. */
#ifndef TERMINAL_H
#define TERMINAL_H

/* Prints a picture, pixels [height][width][channels] (pixel.h), to standard output: half blocks in 24-bit colour, as wide as
   the terminal at most. What is no terminal has as many columns as COLUMNS says, or 80. */
void terminal_show(const unsigned char *pixels, int width, int height, int channels);

#endif
