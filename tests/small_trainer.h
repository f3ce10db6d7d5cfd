/* small_trainer.h - a trainer of the smallest networks that have everything: labels, channels of no multiple of anything. */
#ifndef SMALL_TRAINER_H
#define SMALL_TRAINER_H

#include "plain.h"
#include "../tools/train/training.h"

static const trainer_config small = {.shape = {.resolution = 16,
                                               .channels = 3,
                                               .z_dim = 5,
                                               .w_dim = 6,
                                               .label_size = 3,
                                               .mapping_layers = 2,
                                               .fmap_base = 80,
                                               .fmap_max = 9,
                                               .d_fmap_base = 96,
                                               .d_fmap_max = 11,
                                               .mapping_rate = 0.1},
                                     .start_resolution = 8,
                                     .batch = 4,
                                     .g_rate = 0.003,
                                     .d_rate = 0.003,
                                     .r1_gamma = 1,
                                     .r1_interval = 1,
                                     .mixing = 0.9,
                                     .ema_kimg = 1,
                                     .ema_ramp = 1,
                                     .w_avg_beta = 0.9,
                                     .fade_kimg = 1,
                                     .stable_kimg = 1,
                                     .total_kimg = 4,
                                     .mirror = 1,
                                     .seed = 5};

/* Random values instead of the first ones, of which many are zero; no padding. */
static inline void shake(network *net) {
    for (int i = 0; i < net->count; i++) {
        const parameter *p = &net->parameters[i];
        const int stride = (p->columns + COLUMNS - 1) / COLUMNS * COLUMNS;
        float *value = network_value(net, i);
        for (size_t k = 0; k < network_floats(net, i); k++)
            if ((int)(k % (size_t)stride) < p->columns)
                value[k] += (float)((double)p->deviation * 0.5 + 0.3) * (float)draw();
    }
}

static inline trainer *small_trainer(network_architecture architecture, growth g) {
    trainer_config config = small;
    config.shape.architecture = (int)architecture;
    trainer *t = trainer_create(&config, 1);
    shake(&t->g.net);
    shake(&t->d.net);
    t->growth = g;
    for (int i = 0; i < t->g.net.linear_count; i++) network_prepare(&t->g.net, i, g, &t->desks[0].scratch.convolution);
    for (int i = 0; i < t->d.net.linear_count; i++) network_prepare(&t->d.net, i, g, &t->desks[0].scratch.convolution);
    return t;
}

/* D's gradient on the first shard's images, real and generated, which takes the place of that on the real ones. */
static inline float *d_gradient_of_both(const trainer *t) {
    float *const *of = t->shards_of_batch[0].d_gradient;
    for (size_t i = 0; i < t->d.net.floats; i++) of[REAL][i] += of[FAKE][i];
    return of[REAL];
}

#endif
