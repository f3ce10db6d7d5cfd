/* learn_factors.c - makes the network that sees the factors of portraits (tools/data/recognition.h) from drawn portraits:

     learn_factors PORTRAITS.sgd SEED KIMG FILE.bin    PORTRAITS.sgd: `stylegan portraits --size 64 --seed SEED --pack ...`

   `make factors` calls it. The same bits for any number of threads, on one instruction set. Prints how well the network
   reads portraits that it has not seen. */
#include "../tools/base/cli.h"
#include "../tools/base/pool.h"
#include "../tools/base/random.h"
#include "../tools/data/dataset.h"
#include "../tools/data/factors.h"
#include "../tools/data/recognition.h"

#include <stdlib.h>
#include <string.h>

enum { SHARDS = 4, BATCH = SHARDS * SHARD, PIXELS = RECOGNIZER_SIZE * RECOGNIZER_SIZE * 3 };
static const double first_rate = 0.01; /* of learning */

/* What one thread computes in. */
typedef struct desk {
    recognizer_maps x, dx;
    convolution_scratch scratch;
    uint8_t *pixels;
    float *outputs, *derivative, *values;
} desk;

typedef struct learner {
    const dataset *data; /* portraits of 64 x 64 pixels ... */
    uint64_t portraits;  /* ... 0, 1, ... of this seed: their factors are drawn again */
    int64_t images;      /* to learn from, each portrait several times */
    arena arena;
    recognizer network;
    int threads;
    desk *desks;
    float *gradients[SHARDS];
    double losses[SHARDS];
    int64_t step;
} learner;

static void plan(learner *l) {
    recognizer_plan(&l->network, factor_outputs(), engine_for(STYLEGAN_ISA_AUTO), &l->arena);
    for (int i = 0; i < l->threads; i++) {
        desk *d = &l->desks[i];
        d->x = recognizer_maps_take(&l->arena, &l->network);
        d->dx = recognizer_maps_take(&l->arena, &l->network);
        recognizer_scratch_fit(&l->network, &d->scratch);
        convolution_scratch_take(&l->arena, &d->scratch);
        d->outputs = arena_take(&l->arena, (size_t)factor_outputs());
        d->derivative = arena_take(&l->arena, (size_t)factor_outputs());
        d->values = arena_take(&l->arena, (size_t)factor_count());
    }
    for (int i = 0; i < SHARDS; i++) l->gradients[i] = arena_take(&l->arena, l->network.net.floats);
}

/* Image `place` of all: a random portrait, mirrored every other time. Its true factors go to d->values. */
static void load(const learner *l, desk *d, int64_t place, int n) {
    const uint64_t bits = random_at(random_mix(0), (uint64_t)place);
    const int mirror = (int)(bits & 1);
    const int64_t index = (int64_t)((bits >> 1) % (uint64_t)l->data->count);
    portrait p;
    dataset_read(l->data, index, d->pixels, NULL);
    recognizer_load(&d->x, n, d->pixels, mirror);
    portrait_draw_factors(&p, l->portraits, (uint64_t)index);
    if (mirror) p = portrait_mirrored(&p);
    factors_of(&p, d->values);
}

/* The loss of image n, and its derivative into d->dx.outputs. */
static double compare(desk *d, const float *values, int n) {
    const map *x = &d->x.outputs, *dx = &d->dx.outputs;
    for (int k = 0; k < x->channels; k++) d->outputs[k] = x->data[map_at(x, k, 0, 0, n)];
    const double loss = factors_loss(d->outputs, values, d->derivative);
    for (int k = 0; k < x->channels; k++) dx->data[map_at(dx, k, 0, 0, n)] = d->derivative[k] / BATCH;
    return loss;
}

static void learn_shard(void *context, int item, int thread) {
    learner *l = context;
    desk *d = &l->desks[thread];
    const size_t count = (size_t)factor_count();
    float *values = cli_alloc(SHARD * count, sizeof *values);
    for (int n = 0; n < SHARD; n++) {
        load(l, d, l->step * BATCH + item * SHARD + n, n);
        memcpy(values + (size_t)n * count, d->values, count * sizeof *values);
    }
    recognizer_forward(&l->network, &d->x, &d->scratch);
    l->losses[item] = 0;
    for (int n = 0; n < SHARD; n++) l->losses[item] += compare(d, values + (size_t)n * count, n) / BATCH;
    memset(l->gradients[item], 0, l->network.net.floats * sizeof(float));
    recognizer_backward(&l->network, &d->x, &d->dx, l->gradients[item], &d->scratch);
    free(values);
}

/* Constant in the first half, then it falls to 0. */
static double rate_at(const learner *l) {
    const double left = 1 - (double)(l->step * BATCH) / (double)l->images;
    return first_rate * (left < 0.5 ? 2 * left : 1);
}

/* The shards' gradients are summed in their order, so that threads change nothing. */
static void step_parameter(void *context, int item, int thread) {
    learner *l = context;
    network *net = &l->network.net;
    float *sum = network_at(net, l->gradients[0], item);
    (void)thread;
    for (int shard = 1; shard < SHARDS; shard++) {
        const float *gradient = network_at(net, l->gradients[shard], item);
        for (size_t k = 0; k < network_floats(net, item); k++) sum[k] += gradient[k];
    }
    network_step(net, item, l->gradients[0], rate_at(l));
}

static void prepare_layer(void *context, int item, int thread) {
    learner *l = context;
    network_prepare(&l->network.net, item, (growth){0, 1}, &l->desks[thread].scratch);
}

/* All steps; tells the loss now and then. */
static void run(learner *l) {
    enum { TOLD_EVERY = 500 };
    const int64_t steps = l->images / BATCH;
    pool *workers = pool_start(l->threads);
    progress shown;
    double sum = 0;
    progress_start(&shown, "images", (double)(steps * BATCH));
    for (l->step = 0; l->step < steps; l->step++) {
        pool_run(workers, l->network.net.linear_count, prepare_layer, l);
        pool_run(workers, SHARDS, learn_shard, l);
        pool_run(workers, l->network.net.count, step_parameter, l);
        for (int i = 0; i < SHARDS; i++) sum += l->losses[i];
        progress_update(&shown, (double)((l->step + 1) * BATCH));
        if ((l->step + 1) % TOLD_EVERY) continue;
        cli_note("%lld images: loss %.3f", (long long)(l->step + 1) * BATCH, sum / TOLD_EVERY);
        sum = 0;
    }
    progress_end(&shown);
    pool_end(workers);
}

static void learn(learner *l, const char *path) {
    l->threads = pool_processors() < SHARDS ? pool_processors() : SHARDS;
    l->desks = cli_alloc((size_t)l->threads, sizeof *l->desks);
    memset(l->desks, 0, (size_t)l->threads * sizeof *l->desks);
    for (int i = 0; i < l->threads; i++) l->desks[i].pixels = cli_alloc(PIXELS, 1);
    plan(l);
    arena_allocate(&l->arena);
    plan(l);
    network_initialize(&l->network.net, 0);
    run(l);
    recognition_save(&l->network, path);
    for (int i = 0; i < l->threads; i++) free(l->desks[i].pixels);
    arena_free(&l->arena);
    free(l->desks);
}

/* Of a collection that was not learnt from. */
static void print_scores(const char *path, uint64_t portraits) {
    enum { COUNT = 2000 };
    file_view file = file_view_open(path);
    recognition *eye = recognition_open_bytes(file.data, file.size, STYLEGAN_ISA_AUTO, 0);
    double *scores = cli_alloc((size_t)factor_count(), sizeof *scores);
    recognition_score(eye, portraits, COUNT, scores);
    printf("factor\ttold\tmeasure\tscore\n");
    for (int i = 0; i < factor_count(); i++)
        printf("%s\t%s\t%s\t%.4f\n", factor_at(i)->name, factor_at(i)->told ? "yes" : "no",
               factor_at(i)->names ? "right" : "R^2", scores[i]);
    free(scores);
    recognition_close(eye);
    file_view_close(&file);
}

/* The pictures must be the portraits whose factors will be taken for theirs. */
static void check_portraits(const dataset *d, const char *path, uint64_t seed) {
    uint8_t *drawn = cli_alloc(PIXELS, 1), *packed = cli_alloc(PIXELS, 1);
    portrait p;
    portrait_draw_factors(&p, seed, (uint64_t)(d->count - 1));
    portrait_render(&p, RECOGNIZER_SIZE, drawn);
    dataset_read(d, d->count - 1, packed, NULL);
    for (int i = 0; i < PIXELS; i++)
        if (abs(drawn[i] - packed[i]) > 1)
            cli_fail("%s: not the portraits of seed %llu", path, (unsigned long long)seed);
    free(drawn);
    free(packed);
}

int main(int argc, char **argv) {
    dataset d;
    if (argc != 5) cli_usage("learn_factors PORTRAITS.sgd SEED KIMG FILE.bin");
    const uint64_t seed = (uint64_t)cli_integer("SEED", argv[2], 0, INT64_MAX - 1);
    dataset_open(&d, argv[1], RECOGNIZER_SIZE, seed);
    check_portraits(&d, argv[1], seed);
    learner l = {.data = &d, .portraits = seed, .images = 1000 * cli_integer("KIMG", argv[3], 1, 1000000)};
    learn(&l, argv[4]);
    dataset_close(&d);
    print_scores(argv[4], seed + 1);
    return CLI_EXIT_OK;
}
