/* network.h - from the variables of a checkpoint to the tensors of a weight file: folding, orientation, checks. */
#ifndef NETWORK_H
#define NETWORK_H

#include "../model/weights.h"
#include "tensor.h"

/* Where a checkpoint format keeps what. In names {R} stands for the resolution of a square, {B} for the block (0: 4x4), {P} for the
   block before, {L} for the layer (the index of its w), {M} for the layer before, {D} for the level of detail, {N} for
   the number of a mapping layer and {O} for that from one. */
typedef struct layout {
    const char *dense, *embedding_weight, *embedding_bias, *average; /* mapping */
    const char *constant;
    const char *first_conv0, *first_conv1, *conv0, *conv1, *first_torgb, *torgb, *skip; /* synthesis layers */
    const char *weight, *bias, *strength, *affine_weight, *affine_bias;                 /* ends of a layer's names */
    const char *torgb_bias;
    const char *noise0, *noise1;                  /* noise maps of conv0, conv1 */
    const char *conv0_fir, *skip_fir, *image_fir; /* filters of the up-sampling; NULL: as options.fir says */
    double fir_sum;                               /* of their taps */
    const char *undrawn;                          /* begins the names of layers that may be left out; NULL: none */
    bool torch_order;                             /* [out][in] and OIHW; else [in][out] and HWIO */
    bool upsampling_flipped;                      /* conv0 is not in scatter form */
    bool style_bias_from_zero;                    /* the +1 of the styles is not in the bias */
    bool unscaled_convolutions;                   /* demodulated weights without equalised learning rate */
} layout;

/* What the formats know beyond the variables. */
typedef struct options {
    double mapping_lrmul;
    bool use_wscale; /* equalised learning rate */
    bool mapping_use_wscale;
    bool use_noise;
    bool const_input;
    int fused_from;       /* StyleGAN 1: resolution from which up-sampling is one transposed convolution */
    const value *fir;     /* array or list of numbers; NULL or None: fir_default */
    const char *fir_name; /* for messages */
    float fir_default[4]; /* taps ... */
    int fir_default_size; /* ... and their number, 0: no filter */
    bool random_noise;    /* the maps are missing: draw them */
} options;

/* A checkpoint on its way into a weight file. */
typedef struct network {
    reader *r;
    const value *variables; /* name to array */
    layout names;
    options opt;
    weights w;
    const char *format;  /* "TensorFlow pickle" */
    bool averaged;       /* the averaged generator, not the one in training */
    bool estimate_w_avg; /* the file has none */
    bool drew_noise;
} network;

/* The position of a layer in the synthesis network. */
typedef struct place {
    int block;      /* 0: 4x4 */
    int resolution; /* 4 << block: names the source's layers, whatever shape the constant has */
    int side;       /* the larger of the block's height and width: names the weight file's layers */
    int layer;      /* index of its w */
    int level;      /* of detail: 0 for the last block */
    int number;     /* of a mapping layer */
} place;

/* One synthesis layer as the weight file wants it. */
typedef struct layer {
    const char *out;    /* "b8.conv0" */
    const char *prefix; /* of the source's names */
    const char *noise;  /* the source's noise map; NULL: none */
    const char *bias;   /* end of the source's name */
    place at;
    int in, outputs;
    bool has_weight, flipped, pointwise; /* pointwise: the kernel must be 1x1 */
    double gain;                         /* of the weight, apart from the equalised learning rate */
    bool scaled;                         /* the weight has equalised learning rate */
    int strengths;                       /* numbers in noise_strength */
    int styles, styles_from_zero;        /* outputs of the affine; how many lack the +1. styles 0: no affine */
} layer;

/* The constant is as high and wide as the first block, and each block twice the one before. To be called before the parts
   of the synthesis network are added. */
void network_set_size(network *n, int blocks);
place network_block(const network *n, int block);

const char *network_name(network *n, const char *pattern, place at);
const value *network_find(const network *n, const char *name);
bool network_has(const network *n, const char *name);

/* Sizes that the variables themselves tell; 0 after a failure. */
void network_conv_shape(network *n, const char *name, int *kernel, int *in, int *out);
void network_dense_shape(network *n, const char *name, int *in, int *out);
int network_vector_size(network *n, const char *name);
int network_dimensions(network *n, const char *name);
double network_number(network *n, const char *name, double otherwise); /* a scalar variable */

/* Reads an array or a list of at most `most` numbers, or one number; returns how many, 0 after a failure. */
int network_numbers(network *n, const char *name, float *values, int most);

/* How many variables of these names there are, numbered from 0 without gap. */
int network_count(network *n, const char *pattern, int most);

/* Tensors. Shapes are checked; failures name the variable. */
void network_add_vector(network *n, const char *out, const char *name, int size, double gain, double shift,
                        int shifted);
void network_add_matrix(network *n, const char *out, const char *name, int rows, int columns);
void network_add_dense(network *n, const char *out, const char *name, int in, int outputs, double gain);
void network_add_conv(network *n, const char *out, const char *name, int kernel, int in, int outputs, double gain,
                      bool flipped);
/* Each output's weights are scaled to unit mean square. */
void network_add_unit_conv(network *n, const char *out, const char *name, int kernel, int in, int outputs);
int network_add_constant(network *n); /* returns its channels */
void network_add_layer(network *n, const layer *l);
void network_add_blur(network *n);                           /* StyleGAN 1 */
void network_add_upsampling_filters(network *n, int blocks); /* StyleGAN 2 */

/* The mapping network, from the embedding to w_avg; gain: of each layer's weights. Sets z_dim, w_dim and c_dim. */
void network_add_mapping(network *n, double gain);

/* Fails if a tensor of the source was not added and is more than a filter or a statistic: its layer would be missing. */
void network_refuse_unused(network *n);

enum { MOST_CHANNELS = 4 }; /* of an image */

/* Whole networks. The configuration must hold size, channels and what the variables do not tell. */
void stylegan1_build(network *n);
void stylegan2_build(network *n);

/* The stylegan_activation of that name; fails naming `option` if there is none. */
int network_activation(network *n, const char *option, const value *name);
float network_activation_gain(int activation); /* of StyleGAN 2 */

#endif
