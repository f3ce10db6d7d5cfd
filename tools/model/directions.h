/* directions.h - directions in w that change something in a picture: ws + step * direction, in some layers. */
#ifndef DIRECTIONS_H
#define DIRECTIONS_H

#include "latents.h"

/* As files hold them: an array [n, w_dim], the same for all layers, or [n, num_ws, w_dim]; and their names, in a text beside
   it (.txt for .npy) of lines index<TAB>name. */
typedef struct directions {
    const opened_model *opened;
    int count;
    int layers;    /* 1 or num_ws */
    float *values; /* [count][layers][w_dim] */
    char **names;  /* [count], NULL or a name each; NULL: none */
} directions;

void directions_start(directions *d, const opened_model *opened, int count,
                      int styles); /* layers; values are not set */
void directions_end(directions *d);
float *directions_at(const directions *d, int index);

/* All end the program on failure. Names that are there already are kept, as they are the user's: where directions without
   names are written, with a note; others that differ end the program. */
void directions_read(directions *d, const opened_model *opened, const char *path);
void directions_write(const directions *d, const char *path);
void directions_check_place(const char *path); /* where array and names will go; before a long search */

/* The text of names: fills in names [count], NULL where there is none, each to be freed. Returns NULL, or what is wrong, which
   the caller frees. */
char *direction_names_parse(const unsigned char *bytes, size_t size, int count, char **names);

/* The value of --index, a number or a name, of directions from `source`; NULL: the only one. Or ends the program. */
int directions_find(const directions *d, const char *source, const char *index);

/* ws [L][D] becomes from + step * direction in the layers `moved`, `from` in the others. */
void directions_move(const directions *d, int index, double step, const layers *moved, const float *from, float *ws);

/* The value of --range: "-3..3". */
typedef struct step_range {
    double first, last;
    int steps;
} step_range;
step_range step_range_parse(const char *text, int steps);
double step_range_at(const step_range *range, int step);

#endif
