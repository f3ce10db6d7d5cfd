/* npz.h - arrays in NumPy's archives. */
#ifndef NPZ_H
#define NPZ_H

#include "npy.h"

/* As npy_read and npy_parse; of an archive (.npz, stored or compressed) its only array, or the one named w, which is what
   the official projector writes. */
void npz_read(const char *path, npy *array);
char *npz_parse(const unsigned char *bytes, size_t size, npy *array);

/* Writes one array of float32 under a name, "w" say, as numpy.savez does. */
void npz_write(const char *path, const char *name, int dimensions, const int64_t *shape, const float *values);

#endif
