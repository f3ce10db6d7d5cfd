/* palette.h - few colours that stand for many. */
#ifndef PALETTE_H
#define PALETTE_H

#include <stddef.h>

enum { PALETTE_MOST = 256, PALETTE_BITS = 5 /* of each colour that are looked at */ };

typedef struct palette {
    int count;
    unsigned char colours[PALETTE_MOST][3];
    unsigned char nearest[1 << 3 * PALETTE_BITS]; /* number of the colour for the first bits of red, green and blue */
} palette;

/* At most `most` colours for rgb [count][3]: boxes of similar colours, of which the worst is cut until there are enough
   (after Heckbert, Color image quantization for frame buffer display, 1982). */
void palette_choose(palette *p, const unsigned char *rgb, size_t count, int most);

/* Numbers of colours [height][width] for rgb [height][width][3], with ordered dithering, which stays still when pictures
   move. */
void palette_apply(const palette *p, const unsigned char *rgb, int width, int height, unsigned char *numbers);

#endif
