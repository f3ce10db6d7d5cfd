/* factors.h - what can be told of a drawn portrait: its categories and numbers, as the outputs of a network that learns them
   (recognition.h). */
#ifndef FACTORS_H
#define FACTORS_H

#include "portrait_scene.h"

#include <stddef.h>

/* Coarse to fine. Style mixing takes pose and shape from the one picture, colours from the other. */
typedef enum factor_group {
    FACTOR_POSE,
    FACTOR_SHAPE,
    FACTOR_FEATURE,
    FACTOR_LIGHT,
    FACTOR_COLOR,
    FACTOR_GROUPS
} factor_group;

typedef struct factor {
    const char *name;
    factor_group group;
    int told;  /* 0: learnt beside the others, but read less surely in unseen portraits than the bars ask */
    int color; /* 1: the red of a colour, whose green and blue follow */
    const char *const *names;      /* of a category's values; NULL: a number */
    const char *const *told_names; /* the same, but values that cannot be told apart have one name */
    float mean, deviation;         /* of a number among portraits: outputs are (number - mean) / deviation */
    int classes;                   /* outputs: values of a category, 1 of a number */
    int (*is_seen)(const portrait_look *look); /* NULL: in every portrait */
    size_t offset;                             /* in portrait_look */
} factor;

enum { FACTOR_MOST_CLASSES = 16 };

int factor_count(void);
const factor *factor_at(int index);
int factor_outputs(void); /* of all factors together */

/* The factors of a portrait: values [factor_count()], a category's row or a number as it is; NAN where hidden. */
void factors_of(const portrait *p, float *values);

/* The same from a network's outputs [factor_outputs()]: the likeliest value of a category; nothing is hidden. */
void factors_read(const float *outputs, float *values);

/* As told: a category's name, or a number; the caller frees it. */
char *factor_text(const factor *f, float value);

/* For people: lines "key: value" (base/notes.h) of all that is told, with `prefix` before each key, red, green and blue of
   a colour as one, "#c08b63". Added to *notes. */
void factors_note(const float *values, const char *prefix, char **notes);

/* Half the squared errors of numbers and the cross entropies of categories, of what is not hidden; and its derivative by
   the outputs. */
double factors_loss(const float *outputs, const float *values, float *derivative);

/* How well factors are read on `count` portraits: values and truths [count][factor_count()]. The share of right values of a
   category, R^2 of a number: 1 - mean square of the errors / variance. NAN if all are hidden. */
double factor_score(int index, int count, const float *values, const float *truths);

/* Between the outputs of two pictures: whether they differ clearly in a factor (in a category, or by half the deviation of
   a number), and how far the first one is from what the second one shows. */
int factor_differs(int index, const float *a, const float *b);
double factor_distance(int index, const float *outputs, const float *shown);

/* How far the numbers that are read in pictures are from what drawn portraits have: over all that are always to be seen,
   the mean of (shift of the mean)^2 + (ratio of the deviations - 1)^2, the shift in deviations. Next to 0 for drawn
   portraits. outputs [count][factor_outputs()]. */
double factors_strangeness(const float *outputs, int count);

#endif
