/* feed.c - reads the pictures of the next step while the networks work on this one. */
#include "feed.h"
#include "../base/cli.h"
#include "../base/system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static void *read_batch(void *argument) {
    const feed *f = argument;
    const size_t picture = (size_t)f->data->resolution * (size_t)f->data->resolution * (size_t)f->data->channels;
    float *labels = f->labels[f->filling];
    for (int i = 0; i < f->count; i++)
        dataset_read(f->data, f->indices[i], f->pixels[f->filling] + (size_t)i * picture,
                     labels ? labels + i * f->label_size : NULL);
    return NULL;
}

/* A thread lives for one batch: joining it is all the synchronisation there is. */
static void start_reading(feed *f, int steps_ahead) {
    f->count = trainer_looks_at_held(f->trainer, steps_ahead) ? 2 * f->share : f->share;
    for (int i = 0; i < f->count; i++) {
        const int of_batch = steps_ahead * f->batch + f->first + i % f->share;
        f->indices[i] = (i < f->share ? trainer_picture : trainer_held_picture)(f->trainer, of_batch, f->data->count);
    }
    if (system_start_thread(&f->thread, read_batch, f)) cli_fail("cannot start a thread: %s", strerror(errno));
}

void feed_start(feed *f, const dataset *data, const trainer *t) {
    const trainer_config *config = trainer_get_config(t);
    const size_t picture = (size_t)data->resolution * (size_t)data->resolution * (size_t)data->channels;
    *f = (feed){.data = data, .trainer = t, .batch = config->batch, .label_size = config->shape.label_size};
    trainer_share(t, &f->first, &f->share);
    const size_t most = 2 * (size_t)f->share;
    f->indices = cli_alloc(most, sizeof *f->indices);
    for (int i = 0; i < 2; i++) {
        f->pixels[i] = cli_alloc(most, picture);
        if (f->label_size) f->labels[i] = cli_alloc(most * (size_t)f->label_size, sizeof *f->labels[i]);
    }
    start_reading(f, 0);
}

void feed_next(feed *f, const uint8_t **pixels, const float **labels) {
    pthread_join(f->thread, NULL);
    *pixels = f->pixels[f->filling];
    *labels = f->labels[f->filling];
    f->filling = !f->filling;
    start_reading(f, 1);
}

void feed_end(feed *f) {
    pthread_join(f->thread, NULL);
    for (int i = 0; i < 2; i++) {
        free(f->pixels[i]);
        free(f->labels[i]);
    }
    free(f->indices);
}
