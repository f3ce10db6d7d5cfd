/* training.h - a training run from the inside. */
#ifndef TRAINING_H
#define TRAINING_H

#include "ranks.h"
#include "trainer.h"
#include "../base/pool.h"
#include "../base/random.h"
#include "../grad/augment.h"
#include "../grad/discriminator.h"
#include "../grad/generator.h"

/* What one thread computes in. */
typedef struct trainer_thread {
    d_maps dx, tangent; /* of the discriminator: gradients, derivatives along R1's direction */
    map extra;          /* [C_0][4][4] */
    g_maps g_gradient;
    scratch scratch;
} trainer_thread;

/* The images that D tells apart. Threads share a shard's two kinds, so that there is work for twice as many as there are
   shards. */
typedef enum image_kind { REAL, FAKE, KINDS } image_kind;

/* What belongs to one shard of the batch, 4 images, whichever thread works on it. */
typedef struct trainer_shard {
    g_maps fakes;
    augmentation augmentations[KINDS][SHARD]; /* where p > 0 */
    double scores[KINDS][SHARD];
    float *g_gradient, *d_gradient[KINDS]; /* [floats] */
} trainer_shard;

enum { ADA_INTERVAL = 4 }; /* steps between two changes of p */

struct trainer {
    trainer_config config;
    int64_t images, steps; /* shown; done */
    generator g;
    discriminator d;
    float *average; /* [g.net.floats]: moving average of the generator's parameters */
    float *w_avg;   /* [D] */
    double p;       /* of the augmentation; 0: none */

    int threads;
    int first, shards; /* of the batch's shards, those of this rank */
    int wave, at;      /* so many of them are at work at once; the first of these */
    pool *pool;
    arena arena;
    trainer_thread *desks;          /* [threads] */
    trainer_shard *shards_of_batch; /* [shards] */
    d_maps (*activations)[KINDS];   /* [wave]: D's, of the shards at work */
    trainer_step_report *reports;   /* [batch / 4]: sums over the images of each shard, of all ranks */
    /* Of all shards, in their order: D's gradient, and G's with the change of w_avg [D] behind it. */
    ordered_sum *d_sum, *g_sum;

    int prepared; /* D, since its last change, as much of it as took part */
    /* of the step at work */
    growth growth;
    const uint8_t *pixels;
    const float *labels;
};

const char *training_fault(const trainer_config *config);   /* as trainer_check, on whatever processor */
const engine *trainer_engine(const trainer_config *config); /* NULL if this processor cannot do it */

/* Creation in two steps: what the configuration needs, which allocates nothing of note; then its memory, all zero. */
trainer *trainer_plan(const trainer_config *config, int threads);
void trainer_allocate(trainer *t);

growth training_growth(const trainer *t, int64_t images); /* of the step after so many */

/* FNV-1a, of bytes in several parts: begin with any number, go on with the result. */
uint64_t training_checksum(uint64_t before, const void *bytes, size_t size);

/* --- The sums of gradients --- */

void gradients_create(trainer *t);
/* What takes part in this step: of a network that learns. */
void discriminator_expect(const trainer *t);
void generator_expect(const trainer *t);

/* Of one shard, the gradients of the parameters of a level are final. The context is the trainer. */
void discriminator_final(void *context, int level);
void generator_final(void *context, int level);

/* The gradients of the parameter number i at its place, once they are there; NULL if it does not take part. */
const float *gradient_wait(ordered_sum *sum, const network *n, int i, growth g);

/* --- Randomness --- */

/* What the numbers of a key are used for. */
typedef enum random_purpose {
    RANDOM_G,
    RANDOM_D,
    RANDOM_LATENTS,
    RANDOM_NOISE,
    RANDOM_MIXING,
    RANDOM_MIRROR,
    RANDOM_ORDER,
    RANDOM_AUGMENTATION,
    RANDOM_HELD
} random_purpose;
uint64_t random_key(uint64_t seed, random_purpose purpose, uint64_t number);

/* Fills latents, crossovers and noise of one of this rank's shards. */
void training_draw(const trainer *t, int item);

#endif
