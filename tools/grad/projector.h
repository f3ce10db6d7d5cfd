/* projector.h - inversion: the w and the noise that make a network draw a given picture (StyleGAN 2, section 5 and appendix
   D), and afterwards, if wanted, weights that come still closer (pivotal tuning: Roich and others, 2021). */
#ifndef PROJECTOR_H
#define PROJECTOR_H

#include "distance.h"
#include "import.h"

typedef struct projector_settings {
    int steps;
    int per_layer;           /* w+: every layer has a w of its own */
    int keep_noise;          /* the network's noise stays as it is */
    double learning_rate;    /* of w and noise ... */
    double ramp_up;          /* ... which grows over this share of the steps ... */
    double ramp_down;        /* ... and falls over this share at the end */
    double exploration;      /* noise added to w, in deviations of w ... */
    double exploration_ramp; /* ... which fades over this share of the steps */
    double noise_weight;     /* of the noise maps' autocorrelation */
    double tuning_rate;      /* Adam's, of weights of unit deviation */
    int tuning;              /* weights will be tuned */
    uint64_t seed;
    const distance *distance;
} projector_settings;
/* As published, but for noise_weight: the official 1e5 goes with a distance that sums features, not with a mean of pixels. */
extern const projector_settings projector_defaults;

/* Where w starts, and how far it is spread: over mapped latents. */
typedef struct w_statistics {
    float *mean;      /* [D] */
    double deviation; /* root of the mean squared distance from it */
} w_statistics;

typedef struct projector projector;

/* target [C][S][S]. The network's import_refusal is NULL. Results are the same to the bit for any number of threads. */
projector *projector_start(const weights *file, stylegan_isa isa, int threads, const projector_settings *settings,
                           const w_statistics *w, const float *target);
void projector_end(projector *p);

/* One step of w and noise, or of the weights; the distance before it. */
double projector_step(projector *p);
double projector_tune(projector *p);

void projector_ws(const projector *p, float *ws); /* [L][D] */
double projector_draw(projector *p,
                      float *image); /* [C][S][S] of the w, noise and weights found so far: the distance */

/* The squared autocorrelation of noise [S][S] with its neighbours, at S and every half of it down to 8; its gradient is added.
   room: 3 S S floats. */
double noise_penalty(int size, const float *noise, float weight, float *gradient, float *room);

/* The noise and weights found so far into the network that they come from. */
void projector_write(const projector *p, weights *file);

#endif
