/* agreement.c - see agreement.h. */
#include "agreement.h"
#include "training.h"
#include "../base/cli.h"

#include <stdlib.h>

void agree_on_work(const trainer_config *config, int threads) {
    const int ranks = ranks_count(), each = threads ? threads : 1, shards = config->batch / SHARD;
    if (ranks > shards || (ranks > 1 && ranks * each > KINDS * shards))
        cli_usage("%d ranks x %d threads: a batch of %d has work for %d ranks (batch / 4) and %d threads (batch / 2)",
                  ranks, each, config->batch, shards, KINDS * shards);
}

void agree_on_settings(const trainer_config *config) {
    for (const trainer_option *option = trainer_options; option->name; option++) {
        char *text = trainer_option_text(config, option);
        ranks_agree(option->name, text);
        free(text);
    }
    ranks_agree("instruction set", stylegan_isa_name(engine_for((stylegan_isa)config->isa)->isa));
}

typedef struct sum_of_pictures {
    size_t pixels, labels; /* bytes of each */
    uint64_t checksum;
} sum_of_pictures;

static void add_picture(void *context, int64_t index, const uint8_t *pixels, const float *label) {
    sum_of_pictures *sum = context;
    (void)index;
    sum->checksum = training_checksum(sum->checksum, pixels, sum->pixels);
    sum->checksum = training_checksum(sum->checksum, label, sum->labels);
}

void agree_on_data(const dataset *d) {
    enum { OF_ENDLESS = 64 };
    if (ranks_count() == 1) return;
    const int64_t count = d->count == INT64_MAX ? OF_ENDLESS : d->count;
    sum_of_pictures sum = {.pixels = (size_t)d->resolution * (size_t)d->resolution * (size_t)d->channels,
                           .labels = (size_t)d->label_size * sizeof(float)};
    dataset_each(d, 0, count, trainer_threads(), add_picture, &sum);
    char *number = d->count == INT64_MAX ? cli_format("endless") : cli_format("%lld", (long long)d->count);
    char *text = cli_format("%s pictures of %d x %d, %d labels, checksum %016llx", number, d->resolution, d->resolution,
                            d->label_size, (unsigned long long)sum.checksum);
    ranks_agree("data", text);
    free(text);
    free(number);
}

void agree_on_state(const trainer *t) {
    enum { HEAD = 24 }; /* bytes, among them the checksum of all others */
    if (ranks_count() == 1) return;
    size_t size;
    unsigned char *bytes = trainer_save(t, &size);
    char *text = cli_format("after %lld images %016llx", (long long)trainer_images(t),
                            (unsigned long long)training_checksum(0, bytes, HEAD));
    ranks_agree("networks", text);
    free(text);
    free(bytes);
}
