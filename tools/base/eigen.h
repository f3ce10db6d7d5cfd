/* eigen.h - the eigenvectors of a symmetric matrix. */
#ifndef EIGEN_H
#define EIGEN_H

/* a [n][n], symmetric, becomes its eigenvectors: rows of unit length, whose largest component is positive, in descending
   order of their values [n]. The error is of the order of 1e-16 times the largest value.
   Returns 0, with nothing of use in a, if a holds what is not a finite number. */
int eigen_symmetric(int n, double *a, double *values);

#endif
