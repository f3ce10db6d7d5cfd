/* state.c - a training run as bytes, and its generator as a network. */
#include "training.h"
#include "../base/cli.h"
#include "../grad/import.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The bytes: magic, size, checksum of what follows, the options, counters, then every array. Numbers are in the
   machine's own order; the magic number reads differently in the other one. */
static const uint64_t magic = 0x0006746e69617274; /* "traint", version 6 */

typedef struct head {
    uint64_t magic, size, checksum;
} head;

/* One pass over the state: writing, reading, or, with neither, counting. */
typedef struct stream {
    unsigned char *out;
    const unsigned char *in;
    size_t at;
} stream;

static void pass(stream *s, void *value, size_t size) {
    if (s->out) memcpy(s->out + s->at, value, size);
    if (s->in) memcpy(value, s->in + s->at, size);
    s->at += size;
}

static void pass_config(stream *s, trainer_config *config) {
    for (const trainer_option *o = trainer_options; o->name; o++)
        pass(s, (char *)config + o->offset, o->kind == 'i' ? sizeof(int) : sizeof(double));
}

static void pass_network(stream *s, network *n) {
    pass(s, n->values, n->floats * sizeof(float));
    pass(s, n->squares, n->floats * sizeof(float));
    for (int i = 0; i < n->count; i++) pass(s, &n->parameters[i].steps, sizeof n->parameters[i].steps);
}

static void pass_state(stream *s, trainer *t) {
    pass(s, &t->images, sizeof t->images);
    pass(s, &t->steps, sizeof t->steps);
    pass(s, &t->p, sizeof t->p);
    pass_network(s, &t->g.net);
    pass_network(s, &t->d.net);
    pass(s, t->average, t->g.net.floats * sizeof(float));
    pass(s, t->w_avg, (size_t)t->g.w_dim * sizeof(float));
}

uint64_t training_checksum(uint64_t before, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    for (size_t i = 0; i < size; i++) before = (before ^ at[i]) * 0x100000001b3u;
    return before;
}

static uint64_t checksum(const unsigned char *bytes, size_t size) {
    return training_checksum(0xcbf29ce484222325u, bytes, size);
}

unsigned char *trainer_save(const trainer *t, size_t *size) {
    trainer *source = (trainer *)(uintptr_t)t; /* only read */
    stream s = {NULL, NULL, sizeof(head)};
    pass_config(&s, &source->config);
    pass_state(&s, source);
    *size = s.at;
    s = (stream){cli_alloc(*size, 1), NULL, sizeof(head)};
    pass_config(&s, &source->config);
    pass_state(&s, source);
    const head h = {magic, *size, checksum(s.out + sizeof h, *size - sizeof h)};
    memcpy(s.out, &h, sizeof h);
    return s.out;
}

int trainer_is_state(const unsigned char *bytes, size_t size) {
    return size >= sizeof magic && memcmp(bytes, &magic, sizeof magic) == 0;
}

const char *trainer_read_config(const unsigned char *bytes, size_t size, trainer_config *config) {
    stream counted = {NULL, NULL, sizeof(head)}, s = {NULL, bytes, sizeof(head)};
    head h = {0, 0, 0};
    pass_config(&counted, config);
    if (size >= sizeof h) memcpy(&h, bytes, sizeof h);
    if (h.magic != magic)
        return size > 6 && !memcmp(bytes, &magic, 6) ? "a training state of another version of this program"
                                                     : "not a training state";
    if (h.size != size || size < counted.at) return "truncated";
    if (h.checksum != checksum(bytes + sizeof h, size - sizeof h)) return "damaged: its checksum is wrong";
    pass_config(&s, config);
    return training_fault(config);
}

static int counts_fit(const network *n, int64_t steps) {
    for (int i = 0; i < n->count; i++)
        if (n->parameters[i].steps < 0 || n->parameters[i].steps > steps) return 0;
    return 1;
}

/* Whether the counters are what so many steps leave. */
static int counters_fit(const trainer *t) {
    const int64_t most_images = (int64_t)1 << 40; /* more than the largest total-kimg */
    return t->images >= 0 && t->images < most_images && t->images % t->config.batch == 0 &&
           t->steps == t->images / t->config.batch && counts_fit(&t->g.net, t->steps) &&
           counts_fit(&t->d.net, t->steps);
}

/* A probability: what the run has found, or its setting. */
static int augmentation_fits(const trainer *t) {
    return t->config.aug == AUG_ADA ? t->p >= 0 && t->p <= 1 : t->p == t->config.p;
}

trainer *trainer_load(const unsigned char *bytes, size_t size, const trainer_config *changed, int threads,
                      const char **why) {
    trainer_config config;
    *why = trainer_read_config(bytes, size, &config);
    if (!*why) *why = trainer_check(changed ? changed : &config);
    if (*why) return NULL;
    trainer *t = trainer_plan(changed ? changed : &config, threads);
    stream counted = {NULL, NULL, sizeof(head)}, s = {NULL, bytes, sizeof(head)};
    pass_config(&counted, &config);
    pass_state(&counted, t);
    if (counted.at != size) { /* before anything is allocated of the sizes that the file tells */
        *why = "its size does not fit its configuration";
    } else {
        trainer_allocate(t);
        pass_config(&s, &config);
        pass_state(&s, t);
        if (!counters_fit(t) || !augmentation_fits(t)) *why = "its counters are out of range";
    }
    if (!*why) return t;
    trainer_free(t);
    return NULL;
}

static int is_finite(const float *values, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (!isfinite(values[i])) return 0;
    return 1;
}

int trainer_is_finite(const trainer *t) {
    return is_finite(t->g.net.values, t->g.net.floats) && is_finite(t->d.net.values, t->d.net.floats) &&
           is_finite(t->average, t->g.net.floats) && is_finite(t->w_avg, (size_t)t->g.w_dim);
}

void trainer_export(const trainer *t, weights *w) {
    const growth last = training_growth(t, t->images - t->config.batch); /* the next step may begin a block */
    generator_export(&t->g, last, t->average, t->w_avg, w);
}

char *trainer_begin_as(trainer *t, const weights *w) {
    char *difference = import_difference(&t->g, w);
    const weights_tensor *average = weights_find(w, "w_avg");
    if (difference) return difference;
    import_values(&t->g, w, &t->desks[0].scratch);
    memcpy(t->average, t->g.net.values, t->g.net.floats * sizeof *t->average);
    if (average) memcpy(t->w_avg, average->values, (size_t)t->g.w_dim * sizeof *t->w_avg);
    return NULL;
}
