/* feed.h - reads the pictures of the next step while the networks work on this one. */
#ifndef TRAIN_FEED_H
#define TRAIN_FEED_H

#include "../data/dataset.h"
#include "trainer.h"

#include <pthread.h>

/* Two batches: the trainer works on one, a thread fills the other. Which pictures they hold depends on the trainer's
   state alone, never on the thread's speed. */
typedef struct feed {
    const dataset *data;
    const trainer *trainer;
    int batch, label_size;
    int first, share;   /* of each batch, this rank's */
    int count;          /* what the thread reads: the share, and as much of what is held back if the step looks at it */
    int64_t *indices;   /* [count] */
    uint8_t *pixels[2]; /* [count][H][W][3] */
    float *labels[2];   /* [count][K], NULL without labels */
    int filling;        /* which of the two */
    pthread_t thread;
} feed;

void feed_start(feed *f, const dataset *data, const trainer *t);

/* The pictures of the trainer's next step, valid until the next call. To be followed by exactly one step. */
void feed_next(feed *f, const uint8_t **pixels, const float **labels);
void feed_end(feed *f);

#endif
