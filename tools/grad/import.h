/* import.h - a weight file as a differentiable generator, and back. */
#ifndef IMPORT_H
#define IMPORT_H

#include "generator.h"

/* NULL, or why a network cannot be differentiated, by the name of what is in the way; the caller frees it. */
char *import_refusal(const weights *w);

/* NULL, or what in a network is not as in a generator that generator_plan has made; the caller frees it. */
char *import_difference(const generator *g, const weights *w);

/* What generator_plan is for a network to be trained, without the mapping; the weights are read by import_values (those of
   the mapping, too, if the generator has one), after the arena is allocated, which leaves the network prepared. */
void import_plan(generator *g, const weights *w, const engine *e, arena *a);
void import_values(generator *g, const weights *w, const scratch *s);

/* All convolutions and dense layers, after their weights have changed. */
void import_prepare(const generator *g, const scratch *s);

/* How far a half-grown network has grown. */
growth import_growth(const generator *g, const weights *w);

/* The constant noise, to the maps of every layer [R][R]; and back to the tensors. */
void import_noise(const generator *g, const weights *w, g_maps *x);
void import_replace_noise(const generator *g, const g_maps *x, weights *w);

/* The generator's weights in the place of those that they were read from. */
void import_replace_values(const generator *g, growth at, weights *w);

/* The layer's name in the weight file: "b8.conv0", in out [16]. */
void import_layer_name(int level, int index, char *out);

#endif
