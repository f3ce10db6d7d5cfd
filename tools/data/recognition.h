/* recognition.h - what the tool sees in a portrait: the network of factors that is compiled into it. It knows drawn portraits
   only: what it says of other pictures means nothing. */
#ifndef RECOGNITION_H
#define RECOGNITION_H

#include "../grad/recognizer.h"
#include "swd.h"

#include <stddef.h>

enum { RECOGNITION_LEAST_SIZE = 32 }; /* of pictures that are worth looking at */

typedef struct recognition recognition;

/* The network from tools/data/factors.bin, or from other bytes of that format; threads 0: one per processor. `isa`:
   STYLEGAN_ISA_AUTO, the fastest, or another that this processor has; where the trainer's layers lack it, scalar code
   is used. Ends the program if the bytes do not fit factors.h. */
recognition *recognition_open(stylegan_isa isa, int threads);
recognition *recognition_open_bytes(const unsigned char *bytes, size_t size, stylegan_isa isa, int threads);

/* Of square pictures of any size: features [count][RECOGNIZER_FEATURES] and outputs [count][factor_outputs()], either may be
   NULL. Other sizes than 64 x 64 are resampled. The same for any number of threads. */
void recognition_see(recognition *r, const picture_set *set, float *features, float *outputs);

/* How well the factors of `count` portraits, drawn from a seed, are read: scores [factor_count()], see factors.h. */
void recognition_score(recognition *r, uint64_t seed, int count, double *scores);
void recognition_close(recognition *r);

/* The parameters from tools/data/factors.bin into a network that is planned for factor_outputs(), and prepares it. */
void recognition_parameters(const recognizer *r, const convolution_scratch *s);

/* Writes a network's parameters: weights as 8-bit numbers, one scale for each output channel. */
void recognition_save(const recognizer *r, const char *path);

#endif
