/* formats.h - the layouts of checkpoints. Each has a function that finds the generator in a file's root object (the
   averaged one or the one in training; NULL if it is not of that format) and one that makes a network of it. */
#ifndef FORMATS_H
#define FORMATS_H

#include "network.h"

/* Where the resolution is not told but counted: at most 4096. */
enum { LARGEST_BLOCKS = 11 };

const value *tensorflow_find(reader *r, const value *root, bool averaged);
const value *persistence_find(reader *r, const value *root, bool averaged);
const value *rosinality_find(reader *r, const value *root, bool averaged);
const value *genforce_find(reader *r, const value *root, bool averaged);

void tensorflow_build(network *n, const value *generator);
void persistence_build(network *n, const value *generator);
void rosinality_build(network *n, const value *generator);
void genforce_build(network *n, const value *generator);

/* The entries of `dict` whose names begin with `prefix`, without it; NULL if there are none. */
value *without_prefix(reader *r, const value *dict, const char *prefix);

/* Parameters, buffers and plain attributes of a module and of those inside it by path, "conv1.weight"; NULL if it is none. */
const value *module_variables(reader *r, const value *module);

/* A state dict, or that of a whole module, without DataParallel's "module.". */
const value *state_dict(reader *r, const value *dict);

#endif
