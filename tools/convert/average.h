/* average.h - the mean of w, where a checkpoint has none. */
#ifndef AVERAGE_H
#define AVERAGE_H

#include "../model/weights.h"

/* Sets the tensor w_avg to the mean over 10000 latents. Ends the program on failure. */
void estimate_w_avg(weights *w);

#endif
