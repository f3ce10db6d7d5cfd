/* peak.h - how fast this machine multiplies and adds at best. */
#ifndef PEAK_H
#define PEAK_H

#include "../../stylegan.h"

/* Floating-point operations per second of a loop that does nothing else, 2 for each multiply-add, on `threads` threads
   at once. 0: not known for this instruction set. */
double peak_flops(stylegan_isa isa, int threads);

#endif
