/* fidelity.h - how well one set of pictures passes for another, by the features that a network sees in them. */
#ifndef FIDELITY_H
#define FIDELITY_H

/* Points, one a picture: values [count][size]. */
typedef struct point_set {
    int count, size;
    const float *values;
} point_set;

/* A normal distribution: mean [size], covariance [size][size]. */
typedef struct gaussian {
    int size;
    double *mean, *covariance;
} gaussian;
gaussian gaussian_of(const point_set *points); /* at least 2; to be freed */
void gaussian_free(gaussian *g);

/* The Frechet distance of two normal distributions (Dowson and Landau, 1982; of pictures: Heusel and others, 2017), squared
   as there: |mean_a - mean_b|^2 + trace(C_a + C_b - 2 (C_a C_b)^(1/2)). */
double frechet_distance(const gaussian *a, const gaussian *b);

/* Improved precision and recall (Kynkaanniemi and others, 2019): the share of generated pictures that lie among the real
   ones, and of real ones among the generated: nearer to one of them than its k-th neighbour in its own set. Counts beyond k.
   The same for any number of threads. */
typedef struct precision_recall {
    double precision, recall;
} precision_recall;
precision_recall measure_precision_recall(const point_set *real, const point_set *generated, int k, int threads);

#endif
