/* training.h - a training run from the inside. */
#ifndef TRAINING_H
#define TRAINING_H

#include "trainer.h"
#include "../base/pool.h"
#include "../base/random.h"
#include "../grad/discriminator.h"
#include "../grad/generator.h"

/* What one thread computes in. */
typedef struct trainer_thread {
    /* of the discriminator: activations on real images and on generated ones, gradients, derivatives along R1's
       direction */
    d_maps real, fake, dx, tangent;
    map extra; /* [C_0][4][4] */
    g_maps g_gradient;
    scratch scratch;
} trainer_thread;

/* What belongs to one shard of the batch, 4 images, whichever thread works on it. */
typedef struct trainer_shard {
    g_maps fakes;
    float *g_gradient, *d_gradient; /* [floats] */
    trainer_step_report report;     /* sums over the images */
} trainer_shard;

struct trainer {
    trainer_config config;
    int64_t images, steps; /* shown; done */
    generator g;
    discriminator d;
    float *average; /* [g.net.floats]: moving average of the generator's parameters */
    float *w_avg;   /* [D] */

    int threads, shards;
    pool *pool;
    arena arena;
    trainer_thread *desks;          /* [threads] */
    trainer_shard *shards_of_batch; /* [shards] */

    /* of the step at work */
    growth growth;
    const uint8_t *pixels;
    const float *labels;
};

/* Creation in two steps: what the configuration needs, which allocates nothing of note; then its memory, all zero. */
trainer *trainer_plan(const trainer_config *config, int threads);
void trainer_allocate(trainer *t);

growth training_growth(const trainer *t);

/* What the numbers of a key are used for. */
typedef enum random_purpose {
    RANDOM_G,
    RANDOM_D,
    RANDOM_LATENTS,
    RANDOM_NOISE,
    RANDOM_MIXING,
    RANDOM_MIRROR,
    RANDOM_ORDER
} random_purpose;
uint64_t random_key(uint64_t seed, random_purpose purpose, uint64_t number);

/* Fills a shard's latents, crossovers and noise. */
void training_draw(const trainer *t, int shard);

#endif
