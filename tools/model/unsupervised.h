/* unsupervised.h - directions that a network itself tells, without labels: principal components of w, and what its styles
   answer to most. Each is as long as one standard deviation of w along it, so that steps of -3 to 3 go through what the
   network draws; the share of each, in descending order, says how much it explains. */
#ifndef UNSUPERVISED_H
#define UNSUPERVISED_H

#include "directions.h"

/* How w varies: the covariance [D][D] of w of the seeds 0, 1, ..., samples - 1, not truncated. The caller frees it. */
double *w_covariance(const mapping *m, int64_t samples);

/* Up to `most` directions, fewer if w or the styles vary in fewer only; shares [most].
   GANSpace (Haerkoenen et al., 2020): the principal components of w.
   SeFa (Shen and Zhou, 2021): the eigenvectors of A A^T of the affine maps A [D][styles] from w to the styles of the given
   layers, each style's weights normalised to unit length, as their authors do it; without ToRGB. */
void find_principal_components(directions *d, const mapping *m, const double *variances, int most, double *shares);
void find_style_eigenvectors(directions *d, const mapping *m, const double *variances, const layers *taken, int most,
                             double *shares);

#endif
