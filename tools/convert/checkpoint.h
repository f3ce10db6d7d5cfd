/* checkpoint.h - a checkpoint file to a network: the whole reader, without files, output or exits. */
#ifndef CHECKPOINT_H
#define CHECKPOINT_H

#include "network.h"

/* Reads the averaged generator, or the one in training, into n (the caller then owns n->w, whose tensors stay valid as
   long as `data` and the reader). On failure r->error says why. */
void checkpoint_read(reader *r, const unsigned char *data, size_t size, bool averaged, network *n);

#endif
