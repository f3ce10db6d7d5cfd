/* random.c - see random.h. */
#include "random.h"

static const uint64_t step = 0x9e3779b97f4a7c15u; /* odd, so that a sequence takes all 2^64 states in turn */

uint64_t random_mix(uint64_t x) {
    x += step;
    x = (x ^ x >> 30) * 0xbf58476d1ce4e5b9u;
    x = (x ^ x >> 27) * 0x94d049bb133111ebu;
    return x ^ x >> 31;
}

uint64_t random_next(uint64_t *state) {
    const uint64_t number = random_mix(*state);
    *state += step;
    return number;
}

uint64_t random_at(uint64_t seed, uint64_t index) {
    return random_mix(seed + index * step);
}

double random_uniform(uint64_t key, uint64_t index) {
    return (double)(random_mix(key + random_mix(index)) >> 11) * 0x1p-53;
}
