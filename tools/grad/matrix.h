/* matrix.h - convolutions in mixed precision, by matrix units: factors in 16 bits (bfloat16), sums in 32. convolution.c gives
   them what it has folded. */
#ifndef MATRIX_H
#define MATRIX_H

#include "layers.h"

/* Output pixel p of out_plane sees, through this tap, input pixel p + (dy, dx) of in_plane. */
typedef struct tap {
    int in_plane, out_plane, dy, dx;
} tap;
tap tap_of(const convolution *c, int index, int transposed);

/* Of `rows` input channels from `first` on, gradients of the folded taps [taps][rows][O rounded up to 16] go to those of the
   weights: gradient +=. */
void convolution_unfold(const convolution *c, const float *folded, int first, int rows, float *gradient);

/* Where they are faster than vectors: enough channels, rows that are whole tiles. */
int matrix_serves(const convolution *c);

/* Floats of c->forward and c->backward; and of scratch: what is turned into 16 bits, rows between the blur and the
   convolution, and weights before they are packed. */
size_t matrix_weights(const convolution *c, int transposed);
size_t matrix_halves(const convolution *c);
size_t matrix_strips(const convolution *c);
size_t matrix_panels(const convolution *c);

/* Takes a folded tap [I][O rounded up to 16] into the panels; when all are there, they are packed. */
void matrix_take_tap(const convolution *c, int index, const float *folded, float *panels);
void matrix_pack(const convolution *c, int transposed, const float *panels, float *packed);

/* All planes of y, with SPREAD the pixels beyond them, too; each row of a block is finished after those above it. A map of
   2S x 2S, here and below, stands for the four planes that it is blurred to, or blurred from. */
void matrix_convolve(const convolution *c, int transposed, const map *x, const map *y, const finish *f,
                     const convolution_scratch *s);
/* As convolution_gradient. */
void matrix_gradient(const convolution *c, const map *x, const map *dy, float *gradient, const convolution_scratch *s);

#endif
