/* persistence.h - PyTorch modules pickled through torch_utils.persistence. The variables of a network are the parameters,
   buffers and plain attributes of its modules, by path: "synthesis.b4.conv1.weight". */
#ifndef PERSISTENCE_H
#define PERSISTENCE_H

#include "network.h"

/* Attributes that must be there; fail naming them. */
double persistence_number(network *n, const char *name);
int persistence_integer(network *n, const char *name, int least, int most);

/* Attributes of the module at `path`. The engine has one activation, one clamp, ... for all layers, and gains that follow
   from the sizes: what differs fails. */
float persistence_clamp(network *n, const char *path); /* conv_clamp, 0: None */
int persistence_activation(network *n, const char *path);
void persistence_expect(network *n, const char *path, const char *end, double expected); /* if it is there */
void persistence_expect_activation(network *n, const char *path, int expected);
void persistence_check_dense(network *n, const char *path, double lrmul, int activation);

/* What the attributes of the mapping network say, into the configuration and the options. */
void persistence_read_mapping(network *n);

/* The networks that come in this container. */
void ada_build(network *n);
void stylegan3_build(network *n);

#endif
