/* supervised.h - directions from seeds of which somebody knows something: the difference of two groups, and what labels
   tell. */
#ifndef SUPERVISED_H
#define SUPERVISED_H

#include "directions.h"

/* From the mean of some seeds to that of others, each a list as --seeds has it, as ws of this mapping, truncated: a step of 1
   goes all the way. */
void find_difference(directions *d, const mapping *m, const char *from, const char *to);

/* One direction for each column of a file of lines seed<TAB>value<TAB>..., in which the value rises; a first line "seed<TAB>
   name..." names them. Ridge regression from w, not truncated, to the value; `ridge` in units of the mean variance of w, NULL:
   the one that predicts best what it has not seen (leave-one-out). As long as one standard deviation of w along it.
   Returns for each the share of the variance that it predicts so, which the caller frees; a note warns of small ones. */
double *find_labelled(directions *d, const mapping *m, const char *path, const char *ridge);

#endif
