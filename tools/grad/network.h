/* network.h - the parameters of a network: initialised, used, and changed by Adam. */
#ifndef NETWORK_H
#define NETWORK_H

#include "layers.h"
#include "shape.h"

enum { MOST_LEVELS = 9, MOST_PARAMETERS = 256, MOST_LINEARS = 128 }; /* level l: resolution 4 << l, up to 1024 */

/* Feature maps at a resolution: base / resolution, but at most `most`. */
int network_channels(int base, int most, int resolution);

/* How far the networks have grown: to level `top`, whose share of the picture is `fade`. */
typedef struct growth {
    int top;
    float fade;
} growth;
int growth_fades(growth g); /* whether the level below still has a share */

/* One tensor [rows][groups][columns rounded up to 16]. The network computes with gain * value (equalised learning rate:
   values have unit deviation at the beginning, and Adam's steps have the same relative size in all layers). */
typedef struct parameter {
    char name[32]; /* as in the weight file */
    int rows, groups, columns;
    float gain;
    float deviation, mean; /* of the first values */
    int level;             /* takes part from this level on ... */
    int image;             /* ... or, ToRGB and fromRGB, only while this level's picture is shown */
    size_t offset;
    int64_t steps; /* of Adam */
} parameter;

/* A convolution with bias, or a fully connected layer. */
typedef struct linear {
    convolution c;
    int weight, bias; /* parameters */
    float *used_bias; /* gain * bias */
    float *energy;    /* NULL, or of a modulated convolution, see modulate.h */
} linear;

int padded(int columns); /* to a multiple of 16 */

/* What one thread computes in. */
typedef struct scratch {
    convolution_scratch convolution;
    /* NULL, or called when the gradients of all parameters of a level are final, of which the passes are the last */
    void (*level_final)(void *context, int level);
    void *context;
} scratch;

typedef struct network {
    const engine *engine;
    int count, linear_count;
    parameter parameters[MOST_PARAMETERS];
    linear linears[MOST_LINEARS];
    size_t floats;
    float *values, *squares; /* [floats]; squares: Adam's moving average of the squared gradients */
} network;

int network_add(network *n, const char *name, int rows, int groups, int columns, double gain, double deviation,
                double mean, int level, int image);

/* weight "{name}.weight" and bias "{name}.bias"; gain is sqrt(2) before an lrelu, 1 otherwise; rate: the learning rate
   multiplier. */
linear *network_add_linear(network *n, arena *a, const char *name, convolution_kind kind, int kernel, int in, int out,
                           int size, double gain, double rate, int level, int image);

void network_allocate(network *n, arena *a); /* after all parameters are added */
void network_initialize(network *n, uint64_t seed);
int network_active(const parameter *p, growth g);

size_t network_floats(const network *n, int parameter); /* padding included */
float *network_value(const network *n, int parameter);
float *network_at(const network *n, float *values, int parameter); /* the same place in another array */

/* Prepares linear i for use, if it takes part. */
void network_prepare(const network *n, int i, growth g, const convolution_scratch *s);

void network_tell_final(const scratch *s, int level);

/* One step of Adam(0, 0.99) on one parameter that takes part. gradients [floats] */
void network_step(network *n, int i, const float *gradients, double rate);
/* averages [floats] of parameter i move towards its values. */
void network_average(const network *n, int i, float share, float *averages);

#endif
