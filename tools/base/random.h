/* random.h - random numbers that are a function of their key alone: SplitMix64 (Steele, Lea and Flood, 2014). */
#ifndef RANDOM_H
#define RANDOM_H

#include <stdint.h>

uint64_t random_mix(uint64_t x);                   /* scrambles x */
uint64_t random_next(uint64_t *state);             /* the next number of a sequence, whose first state is its seed */
uint64_t random_at(uint64_t seed, uint64_t index); /* the same numbers in any order */

/* The index-th number of a key, in [0, 1). */
double random_uniform(uint64_t key, uint64_t index);

#endif
