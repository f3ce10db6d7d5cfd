/* random_network.h - networks with random weights, for the benchmark and the tests. */
#ifndef RANDOM_NETWORK_H
#define RANDOM_NETWORK_H

#include "weights.h"

/* "sg1-256", "sg2-1024", ...: the official full-size shapes (StyleGAN 1 with fmap_base 8192, StyleGAN 2 configuration
   F) at any resolution from 4 to 1024, "sg3-t-256", "sg3-r-1024", ... from 64 to 1024. Returns 0 if it names no such
   network. The values are made as they are written: nothing large is held in memory. */
int random_network_named(const char *name, weights *w);

/* A small network that draws every option an engine has to express from `seed`. */
void random_network(uint64_t seed, weights *w);

/* The same of StyleGAN 3: as it is designed, or with sizes, rates and filters of no design. */
void random_network3(uint64_t seed, weights *w);

/* As designed for 128 x 128, with few channels. */
void random_tall_network3(uint64_t seed, weights *w);

/* A StyleGAN 2 of 512 x 512 with few channels, otherwise the same. */
void random_tall_network(uint64_t seed, weights *w);

/* A StyleGAN 1 of 128 x 128 that has not grown beyond its 4 x 4 (lod 5): few maps, 256 channels. */
void random_young_network(uint64_t seed, weights *w);

/* Instead of weights_free. */
void random_network_free(weights *w);

#endif
