/* gradients.c - the gradients of all shards of a batch, summed in their order over all ranks: on each rank its own, as soon
   as they are final. */
#include "training.h"

#include <math.h>

enum { PART = 1024 };                                           /* of a sum, which stays in the cache for all shards */
typedef char whole_columns[RANKS_UNIT % COLUMNS == 0 ? 1 : -1]; /* no two pieces of a sum share any */

LOOPS static void add(float *restrict sum, const float *restrict gradient, size_t count) {
    for (size_t i = 0; i < count; i += COLUMNS) { /* rows are padded */
        FETCH_AHEAD(gradient + i);                /* of the next part: this is the only one that is read now */
        for (size_t k = i; k < i + COLUMNS; k++) sum[k] += gradient[k];
    }
}

static void add_discriminator(void *context, size_t from, size_t to, float *sum) {
    const trainer *t = context;
    for (size_t i = from; i < to; i += PART) {
        const size_t count = to - i < PART ? to - i : PART;
        for (int s = 0; s < t->shards; s++)
            for (int kind = 0; kind < KINDS; kind++) add(sum + i, t->shards_of_batch[s].d_gradient[kind] + i, count);
    }
}

/* How far w_avg [D] is from the w of every image. */
static void add_w(const trainer *t, size_t from, size_t to, float *sum) {
    for (int s = 0; s < t->shards; s++) {
        const map *w = &t->shards_of_batch[s].fakes.latent[0].hidden[t->g.mapping_layers - 1];
        for (size_t i = from; i < to; i++)
            for (int n = 0; n < SHARD; n++) sum[i] += w->data[map_at(w, (int)i, 0, 0, n)] - t->w_avg[i];
    }
}

static void add_generator(void *context, size_t from, size_t to, float *sum) {
    const trainer *t = context;
    const size_t floats = t->g.net.floats, end = to < floats ? to : floats, first_w = from > floats ? from : floats;
    for (size_t i = from; i < end; i += PART) {
        const size_t count = end - i < PART ? end - i : PART;
        for (int s = 0; s < t->shards; s++) add(sum + i, t->shards_of_batch[s].g_gradient + i, count);
    }
    if (first_w < to) add_w(t, first_w - floats, to - floats, sum + floats);
}

void gradients_create(trainer *t) {
    t->d_sum = ordered_sum_create(t->d.net.floats, add_discriminator, t);
    t->g_sum = ordered_sum_create(t->g.net.floats + (size_t)t->g.w_dim, add_generator, t);
}

/* A shard's gradients of the parameters of a level are final. */
static void level_final(ordered_sum *sum, const network *n, growth g, int level) {
    for (int i = 0; i < n->count; i++) {
        const parameter *p = &n->parameters[i];
        if (p->level == level && network_active(p, g))
            ordered_sum_final(sum, p->offset, p->offset + network_floats(n, i));
    }
}

void discriminator_final(void *context, int level) {
    const trainer *t = context;
    level_final(t->d_sum, &t->d.net, t->growth, level);
}

void generator_final(void *context, int level) {
    const trainer *t = context;
    const size_t floats = t->g.net.floats;
    level_final(t->g_sum, &t->g.net, t->growth, level);
    if (!level) ordered_sum_final(t->g_sum, floats, floats + (size_t)t->g.w_dim);
}

static void expect_network(ordered_sum *sum, const network *n, growth g, int parts) {
    for (int i = 0; i < n->count; i++) {
        const size_t offset = n->parameters[i].offset;
        if (network_active(&n->parameters[i], g)) ordered_sum_expect(sum, offset, offset + network_floats(n, i), parts);
    }
}

void discriminator_expect(const trainer *t) {
    expect_network(t->d_sum, &t->d.net, t->growth, KINDS * t->shards);
}

void generator_expect(const trainer *t) {
    const size_t floats = t->g.net.floats;
    expect_network(t->g_sum, &t->g.net, t->growth, t->shards);
    ordered_sum_expect(t->g_sum, floats, floats + (size_t)t->g.w_dim, t->shards);
}

const float *gradient_wait(ordered_sum *sum, const network *n, int i, growth g) {
    const size_t offset = n->parameters[i].offset;
    return network_active(&n->parameters[i], g) ? ordered_sum_wait(sum, offset, offset + network_floats(n, i)) : NULL;
}

trainer_traffic trainer_measure_traffic(trainer *t) {
    ordered_sum *const sums[] = {t->d_sum, t->g_sum};
    trainer_traffic traffic = {.bytes = (double)((t->d.net.floats + t->g.net.floats) * sizeof(float))};
    for (int i = 0; i < 2; i++) {
        double best = ordered_sum_measure(sums[i]);
        for (int again = 0; again < 4; again++) best = fmin(best, ordered_sum_measure(sums[i]));
        traffic.seconds += best;
        traffic.waited += ordered_sum_waited(sums[i]);
    }
    return traffic;
}
