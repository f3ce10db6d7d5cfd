/* shape.h - what both networks are built from. */
#ifndef SHAPE_H
#define SHAPE_H

/* StyleGAN: AdaIN, a plain discriminator. StyleGAN 2: modulated convolutions, an image summed over the resolutions, a
   residual discriminator. Both grow progressively from start_resolution, if it is below resolution. */
typedef enum network_architecture { ARCHITECTURE_STYLEGAN1, ARCHITECTURE_STYLEGAN2 } network_architecture;

typedef struct network_shape {
    int architecture;            /* network_architecture */
    int resolution;              /* of the finished network: power of two, 8 to 1024 */
    int channels;                /* of the images: 3 */
    int z_dim, w_dim;            /* latent and style */
    int label_size;              /* K, 0: no labels */
    int mapping_layers;          /* dense layers from z to w */
    int fmap_base, fmap_max;     /* feature maps at resolution r: min(fmap_base / r, fmap_max) */
    int d_fmap_base, d_fmap_max; /* of the discriminator, which no one ships; 0: as the generator's */
    double mapping_rate;         /* factor for the learning rate of the mapping network: 0.01 */
} network_shape;

typedef enum network_image { IMAGE_SKIP, IMAGE_RESNET, IMAGE_ORIG } network_image;

/* What networks from elsewhere may have otherwise than those that are trained here, which have all zero. */
typedef struct network_variant {
    const int *fmaps; /* feature maps of each level's two convolutions, or NULL */
    int image;        /* network_image: how StyleGAN 2 makes its image */
    float clamp;      /* StyleGAN 2: of layers and ToRGB; 0: none */
    double gain;      /* StyleGAN 2: after the activation; 0: sqrt(2) */
} network_variant;

#endif
