/* shuffle.h - the order that NumPy's RandomState(seed).shuffle brings values into; engine.c. */
#ifndef SHUFFLE_H
#define SHUFFLE_H

#include <stdint.h>

void shuffle(uint32_t *values, int count, uint32_t seed);

#endif
