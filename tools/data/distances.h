/* distances.h - all kinds of distance that inversion can make small. */
#ifndef DISTANCES_H
#define DISTANCES_H

#include "../grad/distance.h"

enum { DISTANCES = 3 };
extern const distance *const distances[DISTANCES];
const distance *distance_named(const char *name); /* NULL: none */

#endif
