/* checkpoint.h - a checkpoint file to a network: the whole reader, without files, output or exits. */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "network.h"

typedef enum generator_choice {
    GENERATOR_PREFER_AVERAGED, /* the one in training if there is no other */
    GENERATOR_AVERAGED,
    GENERATOR_TRAINING
} generator_choice;

/* Reads a generator into n (the caller then owns n->w, whose tensors stay valid as long as `data` and the reader). On
   failure r->error says why. */
void checkpoint_read(reader *r, const unsigned char *data, size_t size, generator_choice choice, network *n);

#endif
