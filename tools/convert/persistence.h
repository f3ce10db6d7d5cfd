/* persistence.h - PyTorch modules pickled through torch_utils.persistence. The variables of a network are the parameters,
   buffers and plain attributes of its modules, by path: "synthesis.b4.conv1.weight". */
#ifndef PERSISTENCE_H
#define PERSISTENCE_H

#include "network.h"

/* Attributes that must be there; fail naming them. */
double persistence_number(network *n, const char *name);
int persistence_integer(network *n, const char *name, int least, int most);

/* The networks that come in this container. */
void ada_build(network *n);

#endif
