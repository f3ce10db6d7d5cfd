/* feed.c - reads the pictures of the next step while the networks work on this one. */
#define _POSIX_C_SOURCE 200809L
#include "feed.h"
#include "../base/cli.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>

static void *read_batch(void *argument) {
    const feed *f = argument;
    const size_t picture = (size_t)f->data->resolution * (size_t)f->data->resolution * (size_t)f->data->channels;
    float *labels = f->labels[f->filling];
    for (int i = 0; i < f->batch; i++)
        dataset_read(f->data, f->indices[i], f->pixels[f->filling] + (size_t)i * picture,
                     labels ? labels + i * f->label_size : NULL);
    return NULL;
}

/* A thread lives for one batch: joining it is all the synchronisation there is. Signals are the main thread's. */
static void start_reading(feed *f, int steps_ahead) {
    sigset_t all, before;
    for (int i = 0; i < f->batch; i++)
        f->indices[i] = trainer_picture(f->trainer, steps_ahead * f->batch + i, f->data->count);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(&f->thread, NULL, read_batch, f);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (error) cli_fail("cannot start a thread: %s", strerror(error));
}

void feed_start(feed *f, const dataset *data, const trainer *t) {
    const trainer_config *config = trainer_get_config(t);
    const size_t picture = (size_t)data->resolution * (size_t)data->resolution * (size_t)data->channels;
    *f = (feed){.data = data, .trainer = t, .batch = config->batch, .label_size = config->shape.label_size};
    f->indices = cli_alloc((size_t)f->batch, sizeof *f->indices);
    for (int i = 0; i < 2; i++) {
        f->pixels[i] = cli_alloc((size_t)f->batch, picture);
        if (f->label_size) f->labels[i] = cli_alloc((size_t)f->batch * (size_t)f->label_size, sizeof *f->labels[i]);
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
