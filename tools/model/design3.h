/* design3.h - how StyleGAN 3 chooses its sizes, rates and filters (Alias-Free Generative Adversarial Networks, section 3.2
   and appendix C): for networks with random weights; a converter finds them in its checkpoint. */
#ifndef DESIGN3_H
#define DESIGN3_H

enum { DESIGN3_LINE = 64, DESIGN3_TAPS = 32 }; /* most taps of a separable and of a radial filter */

/* What a network is designed from. The published ones: layers 14 (and ToRGB), critical 2, margin 10, filter 6. */
typedef struct design3 {
    int resolution, layers, critical, margin;
    int filter;                     /* taps for each step of a rate */
    int radial;                     /* rotation equivariant: radial down-sampling filters, but in critical layers */
    int channel_base, channel_most; /* channels: channel_base / (2 cutoff), at most channel_most */
} design3;

/* One layer; ToRGB, which follows the last, has up = down = 1 and no filters. */
typedef struct design3_layer {
    int in, out;                     /* channels; out of ToRGB: 0 */
    int in_size, out_size, up, down; /* pixels along an axis; factors of the resampling */
    int before, after;               /* zeros around the up-sampled map, less than 0: cropped */
    int up_taps, down_taps, radial;
    float up_filter[DESIGN3_LINE];                  /* sum `up` */
    float down_filter[DESIGN3_TAPS * DESIGN3_TAPS]; /* [taps], or [taps][taps] if radial; sum 1 */
} design3_layer;

/* The input's map. */
typedef struct design3_input {
    int channels, size;
    double rate, bandwidth;
} design3_input;

design3_input design3_make_input(const design3 *d);

/* Layer 0 to d->layers, of kernel x kernel. */
design3_layer design3_make_layer(const design3 *d, int layer, int kernel);

#endif
