/* spline.h - the cubic spline of the official videos, which runs through key frames and closes. */
#ifndef SPLINE_H
#define SPLINE_H

/* Shares of `count` key frames in the frame at `time`, 0 <= time < count; key frame i is at time i, and behind the last
   one the first follows again. The spline is SciPy's interp1d(kind="cubic"), not-a-knot, through the sequence of key
   frames with two more copies of it before and two behind. weights [count], which sum to 1. */
void spline_weights(int count, double time, double *weights);

#endif
