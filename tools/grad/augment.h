/* augment.h - what the discriminator is shown instead of images, real and generated ones alike, so that it cannot learn a
   small folder by heart: the transforms of StyleGAN 2-ADA (Karras and others, 2020, section 2.3 and appendix B) that suit
   pictures of any kind. */
#ifndef AUGMENT_H
#define AUGMENT_H

#include "layers.h"

/* Of one image: mirrored, then shifted by whole pixels, reflected at the edges; then its colours changed; then a box set
   to zero, which is grey. Colours change by a circulant matrix: channel c becomes the sum over i of color[i] * channel
   (c + i) % 3, plus brightness. */
typedef struct augmentation {
    int mirror, down, right;
    float color[3], brightness;
    int cut[2], uncut[2]; /* the box's rows and columns: from the first to before the second; equal: none */
} augmentation;

/* Each transform is applied with probability p, its strength drawn from the paper's distributions. The same for the same
   key and image. */
augmentation augment_draw(uint64_t key, uint64_t image, double p, int may_mirror, int size);

/* y = the images x, augmented, a [N]; and from the gradient of y that of x. */
void augment_forward(const augmentation *a, const map *x, const map *y);
void augment_backward(const augmentation *a, const map *dy, const map *dx);

#endif
