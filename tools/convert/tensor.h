/* tensor.h - views of the arrays in a checkpoint: nothing is copied until the weight file is written. */
#ifndef TENSOR_H
#define TENSOR_H

#include "value.h"

enum { TENSOR_DIMENSIONS = 6 };

typedef struct tensor {
    const char *name;
    const struct element_type *type;
    bool big_endian;
    const unsigned char *data; /* of the first element */
    int dimensions;
    int64_t shape[TENSOR_DIMENSIONS];
    ptrdiff_t stride[TENSOR_DIMENSIONS]; /* in bytes */
} tensor;

/* Opens a NumPy array or scalar, a PyTorch tensor or parameter, or a number. Fails naming `name`. */
bool tensor_open(reader *r, const char *name, const value *v, tensor *t);

/* Puts the tensor into this shape, whatever dimensions of 1 it has more or less. */
bool tensor_match(reader *r, tensor *t, int dimensions, const int64_t *shape);

void tensor_flip(tensor *t, int dimension);

/* Reads `count` elements along `dimension` from `index` (of the other dimensions) on. */
void tensor_read_row(const tensor *t, const int64_t *index, int dimension, float *values);

/* The number in a NumPy scalar's record, as a plain value; NULL if its type is not a number's. */
value *scalar_number(reader *r, const value *record);

size_t storage_element_size(const value *storage); /* 0: unknown */

#endif
