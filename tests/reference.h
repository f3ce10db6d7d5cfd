/* reference.h - examples/reference.c, the networks in plain loops and double precision, to compare the engine with. It reads
   the weight file by itself; nothing in it is fast. */
#ifndef REFERENCE_H
#define REFERENCE_H

#include "../stylegan.h"

typedef struct reference reference;

/* A layer's output, [channels][height][width]. */
typedef struct reference_volume {
    char layer[32]; /* as stylegan_feature_map names it, or "image" */
    int channels, height, width;
    double *values;
} reference_volume;

/* Opens a sound weight file (anything else ends the program). The bytes may go afterwards. */
reference *reference_open(const unsigned char *file, size_t size);
void reference_close(reference *r);
const stylegan_config *reference_config(const reference *r);

/* One tensor's values in the order of the file, NULL if there is none. */
const double *reference_tensor(const reference *r, const char *name, size_t *count);

/* Moves every value of every tensor at random by up to one part in 10^7, about what rounding to float32 does: the
   difference that this makes is what float32 arithmetic cannot avoid. */
void reference_perturb(reference *r);

/* NumPy's RandomState(seed).randn(count). */
void reference_seed_z(uint32_t seed, double *z, int count);

/* z [z_dim], labels [c_dim] -> ws [num_ws][w_dim]. */
void reference_map(const reference *r, const float *z, const float *labels, double psi, int cutoff, double *ws);

/* From now on StyleGAN 3's input is moved by this 3 x 3 matrix, as stylegan_run.transform says. */
void reference_transform(reference *r, const float transform[9]);

/* Layers first to last of ws take those of style. */
void reference_mix(const reference *r, double *ws, const double *style, int first, int last);

/* ws [num_ws][w_dim] -> every layer's output in order, at last the image; to be freed with reference_free. */
reference_volume *reference_synthesize(const reference *r, const float *ws, int noise, int *count);
void reference_free(reference_volume *volumes, int count);

#endif
