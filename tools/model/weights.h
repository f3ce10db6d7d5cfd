/* weights.h - builds a network from named tensors and writes it as a weight file (stylegan.h, >>weight-file). */
#ifndef WEIGHTS_H
#define WEIGHTS_H

#include "../../stylegan.h"

/* Fills values [product of shape], row-major. Called once, when the tensor is written, so that a large network is never
   in memory as a whole. */
typedef void weights_fill_fn(void *context, float *values);

typedef struct weights_tensor {
    char name[32];
    int dimensions;
    int32_t shape[4];
    weights_fill_fn *fill;
    void *context;
    float *values; /* owned, if fill is NULL */
} weights_tensor;

/* Zero-initialise. `text` is "key: value" lines, built with weights_note. */
typedef struct weights {
    stylegan_config config;
    weights_tensor *tensors;
    int count;
    char *text;
} weights;

void weights_add(weights *w, const char *name, int dimensions, const int32_t *shape, weights_fill_fn *fill,
                 void *context);
void weights_add_values(weights *w, const char *name, int dimensions, const int32_t *shape,
                        const float *values);   /* copies */
size_t weights_count(const weights_tensor *t);  /* its values */
float *weights_values(const weights_tensor *t); /* made or copied; the caller frees them */

/* An open model's configuration, text and tensors, as float32: copies. */
void weights_read(weights *w, const stylegan_model *model);
float *weights_unpack(const stylegan_tensor *t);                  /* the values of f32, f16 or i8, to be freed */
weights_tensor *weights_find(const weights *w, const char *name); /* NULL: none of that name */

/* The mapping of a network alone, as a file without blocks holds it: copies. */
void weights_copy_mapping(const weights *w, weights *mapping);
void weights_note(weights *w, const char *key, const char *value);
uint64_t weights_parameters(const weights *w);

/* Sets height, width, resolution and blocks of a network whose first block is 4 x 4; any power of two from 4 on. */
void weights_set_resolution(stylegan_config *config, int resolution);

/* The value of --dtype: f32, f16 or i8; anything else ends the program. */
stylegan_type weights_type(const char *name);

/* Writes the network. `type` is that of the large tensors (weights and noise maps); small or sensitive ones (one
   dimension, const, torgb, values beyond the range of f16) stay in a wider type. Ends the program on failure.
   Returns the bytes written. */
uint64_t weights_save(const weights *w, const char *path, stylegan_type type);

/* The same into memory: *size bytes that the caller frees. */
unsigned char *weights_to_memory(const weights *w, stylegan_type type, size_t *size);

void weights_free(weights *w);

#endif
