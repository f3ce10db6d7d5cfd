/* y4m.h - uncompressed video (YUV4MPEG2), which players and encoders read from a pipe. */
#ifndef Y4M_H
#define Y4M_H

#include "cli.h"

typedef struct y4m_writer {
    output out;
    size_t pixels; /* of a frame */
    int channels;
    unsigned char *planes; /* [3][pixels] */
} y4m_writer;

/* Frames of BT.601 in the range of video (16 to 235), chroma for every pixel, which is how programs read such files. Path
   "-": to standard output. End the program on failure. */
void y4m_open(y4m_writer *w, const char *path, int width, int height, int channels, int rate);
void y4m_add(y4m_writer *w, const unsigned char *pixels); /* [height][width][channels], see pixel.h */
void y4m_close(y4m_writer *w);

#endif
