/* npy.h - NumPy's array files. A failure ends the program with one line that names the file, except for npy_parse. */
#ifndef NPY_H
#define NPY_H

#include "cli.h"

enum { NPY_MAX_DIMENSIONS = 8 };

/* An array as float32, row-major. The caller frees `values`. */
typedef struct npy {
    int dimensions;
    int64_t shape[NPY_MAX_DIMENSIONS]; /* unused ones are 1 */
    size_t count;                      /* product of the shape */
    float *values;
} npy;

/* Reads real numbers of any width and byte order, in C or Fortran order, from format versions 1 to 3. npy_parse returns
   NULL, or what is wrong; the caller frees it. */
void npy_read(const char *path, npy *array);
char *npy_parse(const unsigned char *bytes, size_t size, npy *array);

/* Ends the program unless `array` has this shape; -1 allows any size. `what` says what the file should hold: "z". */
void npy_expect(const npy *array, const char *path, const char *what, int dimensions, const int64_t *shape);
void npy_expect_finite(const npy *array, const char *path); /* ... unless all its values are finite */

/* Writes float32, to standard output if the path is "-": at once, or bit by bit between opening and closing. */
typedef struct npy_writer {
    output out;
} npy_writer;
void npy_open(npy_writer *writer, const char *path, int dimensions, const int64_t *shape);
void npy_begin(npy_writer *writer, int dimensions, const int64_t *shape); /* instead of opening, into an open output */
void npy_append(npy_writer *writer, const float *values, size_t count);
void npy_close(npy_writer *writer);
void npy_write(const char *path, int dimensions, const int64_t *shape, const float *values);

#endif
