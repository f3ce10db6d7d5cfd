/* covariance.h - mean and covariance of any number of vectors, in the memory of one matrix. */
#ifndef COVARIANCE_H
#define COVARIANCE_H

#include "pool.h"

#include <stdint.h>

typedef struct covariance {
    int size;
    int64_t count;
    double *origin;   /* [size] the first vector, from which the sums are taken lest they cancel */
    double *sums;     /* [size] */
    double *products; /* [size][size], up to the diagonal */
} covariance;

void covariance_start(covariance *c, int size);
/* values [count][size]. The same sums, to the bit, for any number of threads. */
void covariance_add(covariance *c, pool *threads, const float *values, int count);
/* mean [size] and matrix [size][size], of the vectors so far (at least one) as a population: divided by their number. */
void covariance_read(const covariance *c, double *mean, double *matrix);
void covariance_end(covariance *c);

#endif
