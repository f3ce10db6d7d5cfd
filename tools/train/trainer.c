/* trainer.c - one training step, told from top to bottom. */
#include "training.h"
#include "../base/cli.h"
#include "../base/system.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Creation --- */

/* Everything in memory, twice: to count and to place. */
static void plan(trainer *t, const engine *e) {
    arena *a = &t->arena;
    generator_plan(&t->g, &t->config.shape, e, a);
    discriminator_plan(&t->d, &t->config.shape, e, a);
    t->average = arena_take(a, t->g.net.floats);
    t->w_avg = arena_take(a, (size_t)t->g.w_dim);
    for (int i = 0; i < t->threads; i++) {
        trainer_thread *desk = &t->desks[i];
        desk->dx = d_maps_take(a, &t->d);
        desk->tangent = d_maps_take(a, &t->d);
        desk->extra = map_take(a, e, t->d.channels[0], 4, 1);
        desk->g_gradient = g_maps_take(a, &t->g, 1);
        discriminator_scratch_fit(&t->d, &desk->scratch.convolution);
        generator_scratch_fit(&t->g, &desk->scratch.convolution);
        convolution_scratch_take(a, &desk->scratch.convolution);
    }
    for (int i = 0; i < t->shards; i++) {
        trainer_shard *s = &t->shards_of_batch[i];
        s->fakes = g_maps_take(a, &t->g, 0);
        s->g_gradient = arena_take(a, t->g.net.floats);
        for (int kind = 0; kind < KINDS; kind++) s->d_gradient[kind] = arena_take(a, t->d.net.floats);
    }
    for (int i = 0; i < t->wave; i++)
        for (int kind = 0; kind < KINDS; kind++) t->activations[i][kind] = d_maps_take(a, &t->d);
}

static void prepare_generator(void *context, int item, int thread) {
    trainer *t = context;
    network_prepare(&t->g.net, item, t->growth, &t->desks[thread].scratch.convolution);
}

static void prepare_discriminator(void *context, int item, int thread) {
    trainer *t = context;
    network_prepare(&t->d.net, item, t->growth, &t->desks[thread].scratch.convolution);
}

int trainer_threads(void) {
    const int own = pool_processors(), share = system_all_processors() / ranks_on_machine();
    return own < share ? own : share < 1 ? 1 : share;
}

trainer *trainer_plan(const trainer_config *config, int threads) {
    trainer *t = cli_alloc(1, sizeof *t);
    const int shards = config->batch / SHARD, first = ranks_first(shards, ranks_index());
    *t = (trainer){.config = *config, .first = first, .shards = ranks_first(shards, ranks_index() + 1) - first};
    if (threads < 1) threads = trainer_threads();
    t->threads = threads < KINDS * t->shards ? threads : KINDS * t->shards;
    t->wave = t->threads < t->shards ? t->threads : t->shards;
    t->desks = cli_alloc((size_t)t->threads, sizeof *t->desks);
    t->shards_of_batch = cli_alloc((size_t)t->shards, sizeof *t->shards_of_batch);
    t->activations = cli_alloc((size_t)t->wave, sizeof *t->activations);
    memset(t->desks, 0, (size_t)t->threads * sizeof *t->desks);
    memset(t->shards_of_batch, 0, (size_t)t->shards * sizeof *t->shards_of_batch);
    t->reports = cli_alloc((size_t)shards, sizeof *t->reports);
    plan(t, trainer_engine(&t->config));
    return t;
}

void trainer_allocate(trainer *t) {
    arena_allocate(&t->arena);
    plan(t, trainer_engine(&t->config));
    gradients_create(t);
    t->pool = pool_start(t->threads);
}

trainer *trainer_create(const trainer_config *config, int threads) {
    trainer *t = trainer_plan(config, threads);
    trainer_allocate(t);
    network_initialize(&t->g.net, random_key(config->seed, RANDOM_G, 0));
    network_initialize(&t->d.net, random_key(config->seed, RANDOM_D, 0));
    memcpy(t->average, t->g.net.values, t->g.net.floats * sizeof *t->average);
    t->p = config->p;
    return t;
}

void trainer_free(trainer *t) {
    if (!t) return;
    if (t->pool) pool_end(t->pool);
    ordered_sum_free(t->d_sum);
    ordered_sum_free(t->g_sum);
    arena_free(&t->arena);
    free(t->reports);
    free(t->activations);
    free(t->desks);
    free(t->shards_of_batch);
    free(t);
}

const trainer_config *trainer_get_config(const trainer *t) {
    return &t->config;
}

void trainer_share(const trainer *t, int *first, int *count) {
    *first = t->first * SHARD;
    *count = t->shards * SHARD;
}

int64_t trainer_images(const trainer *t) {
    return t->images;
}

/* --- Progressive growing --- */

growth training_growth(const trainer *t, int64_t images) {
    const trainer_config *c = &t->config;
    growth g = {0, 1};
    while (4 << g.top < c->start_resolution) g.top++;
    double left = (double)images / 1000 - c->stable_kimg;
    for (; left >= 0 && 4 << g.top < c->shape.resolution; left -= c->fade_kimg + c->stable_kimg) {
        const double shown = (left + c->batch / 1000.0) / c->fade_kimg; /* never 0: the newest block is in use */
        g.top++;
        g.fade = shown < 1 ? (float)shown : 1;
    }
    return g;
}

int trainer_resolution(const trainer *t, float *fade) {
    const growth g = training_growth(t, t->images);
    if (fade) *fade = g.fade;
    return 4 << g.top;
}

/* --- Randomness: every number is a function of the seed, its purpose, and the step, so that there is no state to
   save --- */

uint64_t random_key(uint64_t seed, random_purpose purpose, uint64_t number) {
    return random_mix(random_mix(random_mix(seed) + purpose) + number);
}

/* A permutation of [0, count): four rounds of a Feistel network on the smallest square of a power of two that holds
   count, again and again until the result is one of them. */
static uint64_t permute(uint64_t key, uint64_t count, uint64_t index) {
    int bits = 1;
    while ((uint64_t)1 << 2 * bits < count) bits++;
    const uint64_t half = ((uint64_t)1 << bits) - 1;
    do {
        uint64_t left = index >> bits, right = index & half;
        for (uint64_t round = 0; round < 4; round++) {
            const uint64_t next = left ^ (random_mix(key + random_mix(right) + round) & half);
            left = right;
            right = next;
        }
        index = left << bits | right;
    } while (index >= count);
    return index;
}

/* The mean score of 50 pictures is within a seventh of one's deviation; of few pictures, most are needed to learn from. */
static uint64_t count_held(const trainer *t, uint64_t count) {
    const uint64_t enough = 50, tenth = (count + 9) / 10;
    return t->config.aug != AUG_ADA ? 0 : tenth < enough ? tenth : enough;
}

int64_t trainer_picture(const trainer *t, int i, int64_t count) {
    const uint64_t n = (uint64_t)(t->images + i), held = count_held(t, (uint64_t)count), all = (uint64_t)count - held;
    const uint64_t seed = t->config.seed;
    if (all > (uint64_t)1 << 40) return (int64_t)(n % all); /* endless: no order to shuffle */
    const uint64_t picture = permute(random_key(seed, RANDOM_ORDER, n / all), all, n % all);
    return (int64_t)(held ? permute(random_key(seed, RANDOM_HELD, 0), all + held, picture) : picture);
}

/* Those that come last in another permutation of all. */
int64_t trainer_held_picture(const trainer *t, int i, int64_t count) {
    const uint64_t n = (uint64_t)(t->images + i), held = count_held(t, (uint64_t)count), all = (uint64_t)count - held;
    const uint64_t seed = t->config.seed;
    if (all > (uint64_t)1 << 40) return (int64_t)(all + n % held);
    return (int64_t)permute(random_key(seed, RANDOM_HELD, 0), all + held,
                            all + permute(random_key(seed, RANDOM_HELD, 1 + n / held), held, n % held));
}

int trainer_looks_at_held(const trainer *t, int steps_ahead) {
    return t->config.aug == AUG_ADA && (t->steps + steps_ahead) % ADA_INTERVAL == ADA_INTERVAL - 1;
}

/* z [2][N][z_dim], crossovers, and noise [R][R][N] for every layer of the shard. */
void training_draw(const trainer *t, int item) {
    const generator *g = &t->g;
    g_maps *x = &t->shards_of_batch[item].fakes;
    const int shard = t->first + item;
    const uint64_t step = (uint64_t)t->steps, seed = t->config.seed;
    const uint64_t mixing = random_key(seed, RANDOM_MIXING, step);
    const int layers = 2 * (t->growth.top + 1);
    for (int n = 0; n < SHARD; n++) {
        const uint64_t image = (uint64_t)(shard * SHARD + n);
        for (int latent = 0; latent < 2; latent++) {
            const map *input = &x->latent[latent].input;
            for (int i = 0; i < g->z_dim; i += COLUMNS) {
                float z[COLUMNS];
                const int count = g->z_dim - i < COLUMNS ? g->z_dim - i : COLUMNS;
                stylegan_random_normal(random_key(seed, RANDOM_LATENTS, step), (uint32_t)latent,
                                       image * (uint64_t)g->z_dim + (uint64_t)i, z, count);
                for (int k = 0; k < count; k++) input->data[map_at(input, i + k, 0, 0, n)] = z[k];
            }
        }
        const int mixes = random_uniform(mixing, 2 * image) < t->config.mixing;
        x->crossover[n] = mixes ? 1 + (int)(random_uniform(mixing, 2 * image + 1) * (layers - 1)) : layers;
    }
    for (int layer = 0; layer < layers; layer++) {
        const int size = 4 << layer / 2, count = size * size * SHARD;
        float *noise = x->layer[layer / 2][layer % 2].noise;
        if (!noise) continue;
        stylegan_random_normal(random_key(seed, RANDOM_NOISE, step), (uint32_t)layer, (uint64_t)(shard * count), noise,
                               count);
    }
}

/* --- Real pictures: mirrored at random, shrunk to the current resolution, and faded like the generator's --- */

/* Of a shard of this rank, the place of the n-th picture among all of the step. */
typedef enum picture_set { PICTURES, HELD_PICTURES } picture_set;
static size_t place_of(const trainer *t, picture_set set, int item, int n) {
    return (size_t)(((set == HELD_PICTURES ? t->shards : 0) + item) * SHARD + n);
}

static void load_real(const trainer *t, picture_set set, int item, const map *to, int n) {
    const int size = t->config.shape.resolution, box = size / to->size, channels = t->config.shape.channels;
    const uint8_t *pixels = t->pixels + place_of(t, set, item, n) * (size_t)(size * size * channels);
    const uint64_t image = (uint64_t)((t->first + item) * SHARD + n); /* of the batch */
    float value[256];                                                 /* of a single pixel */
    const uint64_t mirroring = random_key(t->config.seed, RANDOM_MIRROR, (uint64_t)t->steps);
    const int mirror = t->config.mirror && random_uniform(mirroring, image) < 0.5;
    for (int i = 0; i < 256; i++) value[i] = (float)(i / 127.5 - 1);
    for (int y = 0; y < to->size; y++)
        for (int x = 0; x < to->size; x++)
            for (int c = 0; c < channels; c++) {
                const uint8_t *from = pixels + ((size_t)(y * box * size) + (size_t)(x * box)) * (size_t)channels + c;
                float *pixel = to->data + map_at(to, c, y, mirror ? to->size - 1 - x : x, n);
                int sum = 0;
                if (box == 1) {
                    *pixel = value[*from];
                    continue;
                }
                for (int i = 0; i < box * box; i++) sum += from[(i / box * size + i % box) * channels];
                *pixel = (float)(sum / (127.5 * box * box) - 1);
            }
}

/* In the levels of x. */
static const map *load_reals(const trainer *t, picture_set set, int item, const d_maps *x) {
    const growth g = t->growth;
    const map *image = &x->level[g.top].image;
    for (int n = 0; n < SHARD; n++) load_real(t, set, item, image, n);
    if (g.fade == 1 || !g.top) return image;
    const map *half = &x->level[g.top - 1].image;
    map_pool(t->d.net.engine, image, half, 0.25f);
    map_unpool(t->d.net.engine, half, image, g.fade, 1 - g.fade);
    return image;
}

/* --- What D sees of images: they, or what augmentations make of them. Both networks learn from the same draws --- */

static void draw_augmentations(const trainer *t, image_kind kind, int item) {
    const trainer_config *c = &t->config;
    const uint64_t key = random_key(c->seed, RANDOM_AUGMENTATION, (uint64_t)t->steps);
    for (int n = 0; n < SHARD && t->p > 0; n++) {
        const uint64_t image = (uint64_t)((t->first + item) * SHARD + n), all = (uint64_t)c->batch;
        t->shards_of_batch[item].augmentations[kind][n] =
            augment_draw(key, kind * all + image, t->p, c->mirror, 4 << t->growth.top);
    }
}

/* D's activations on a shard's images, as they are shown to it. */
static d_maps activations_of(const trainer *t, image_kind kind, int item) {
    d_maps x = t->activations[item - t->at][kind];
    if (kind == FAKE && t->p <= 0)
        x.level[t->growth.top].image = *generator_image(&t->shards_of_batch[item].fakes, t->growth);
    return x;
}

static void show_reals(const trainer *t, picture_set set, int item, const trainer_thread *desk, const d_maps *x) {
    if (t->p > 0)
        augment_forward(t->shards_of_batch[item].augmentations[REAL], load_reals(t, set, item, &desk->dx),
                        &x->level[t->growth.top].image);
    else
        load_reals(t, set, item, x);
}

static void show_fakes(const trainer *t, int item, const d_maps *x) {
    const trainer_shard *s = &t->shards_of_batch[item];
    if (t->p > 0)
        augment_forward(s->augmentations[FAKE], generator_image(&s->fakes, t->growth), &x->level[t->growth.top].image);
}

/* From the gradient of what is shown in `dx` that of the generated images. */
static const map *fakes_gradient(const trainer *t, const trainer_shard *s, const trainer_thread *desk) {
    const map *shown = &desk->dx.level[t->growth.top].image, *image = &desk->tangent.level[t->growth.top].image;
    if (t->p <= 0) return shown;
    augment_backward(s->augmentations[FAKE], shown, image);
    return image;
}

/* --- Losses --- */

static double softplus(double x) {
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double sigmoid(double x) {
    return 1 / (1 + exp(-x));
}

static double label_of(const trainer *t, picture_set set, int item, int n, int k) {
    const int size = t->config.shape.label_size;
    return t->labels && size ? (double)t->labels[place_of(t, set, item, n) * (size_t)size + (size_t)k] : 1;
}

/* The scores D(x) of a shard's images: their logits; with labels, those of their labels. Returns the sum. */
static double read_scores(const trainer *t, picture_set set, int item, const map *logits, double *scores) {
    double sum = 0;
    for (int n = 0; n < SHARD; n++) {
        scores[n] = 0;
        for (int k = 0; k < logits->channels; k++)
            scores[n] += label_of(t, set, item, n, k) * (double)logits->data[map_at(logits, k, 0, 0, n)];
        sum += scores[n];
    }
    return sum;
}

static void set_score_gradient(const trainer *t, int item, const map *d_logits, int n, double gradient) {
    for (int k = 0; k < d_logits->channels; k++)
        d_logits->data[map_at(d_logits, k, 0, 0, n)] = (float)(gradient * label_of(t, PICTURES, item, n, k));
}

/* D's loss on a shard and its derivative by the scores. Image n of the real ones is paired with image n of the generated
   ones. */
static double discriminator_loss(const trainer *t, const double *real, const double *fake, double *d_real,
                                 double *d_fake) {
    double loss = 0;
    for (int n = 0; n < SHARD; n++)
        if (t->config.loss == LOSS_RELATIVISTIC) {
            loss += softplus(fake[n] - real[n]);
            d_fake[n] = sigmoid(fake[n] - real[n]);
            d_real[n] = -d_fake[n];
        } else {
            loss += softplus(-real[n]) + softplus(fake[n]);
            d_real[n] = -sigmoid(-real[n]);
            d_fake[n] = sigmoid(fake[n]);
        }
    return loss;
}

/* G's: the same with the roles exchanged. */
static double generator_loss(const trainer *t, const double *real, const double *fake, double *d_fake) {
    double loss = 0;
    for (int n = 0; n < SHARD; n++) {
        const double below = (t->config.loss == LOSS_RELATIVISTIC ? real[n] : 0) - fake[n];
        loss += softplus(below);
        d_fake[n] = -sigmoid(below);
    }
    return loss;
}

/* --- One step --- */

/* A network that has learnt elsewhere would forget, were it to follow a D that knows nothing yet. */
static int generator_learns(const trainer *t) {
    return (double)t->images >= 1000 * t->config.d_first_kimg;
}

static int has_penalties(const trainer *t) {
    return t->config.r1_gamma > 0 && t->steps % t->config.r1_interval == 0;
}

/* A strong penalty keeps D from running ahead at first, a weak one lets it see details at last (R3GAN). */
static double current_gamma(const trainer *t) {
    const trainer_config *c = &t->config;
    if (c->r1_gamma_last <= 0 || c->r1_gamma <= 0) return c->r1_gamma;
    return c->r1_gamma * pow(c->r1_gamma_last / c->r1_gamma, fmin((double)t->images / (1000 * c->total_kimg), 1));
}

/* Leaves in `gradient` D's, final, at the activations x, where the loss has the derivatives `slopes` by the scores, and with
   `penalised` that of R1. Returns the sum of |dD/dx|^2 over the shard's images, or NAN. R1 is taken with respect to what D
   sees, augmented images: it shall be smooth where it looks. StyleGAN 2-ADA's code, which augments all that D sees (section
   2.1), takes it with respect to the images before: larger by contrast and saturation, nothing where they are cut. */
static double learn(trainer *t, int item, trainer_thread *desk, const d_maps *x, const double *slopes, int penalised,
                    float *gradient) {
    const growth g = t->growth;
    const scratch telling = {desk->scratch.convolution, discriminator_final, t};
    double square = NAN;
    memset(gradient, 0, t->d.net.floats * sizeof(float));
    if (penalised) {
        const float factor = (float)(current_gamma(t) * t->config.r1_interval / t->config.batch);
        for (int n = 0; n < SHARD; n++) set_score_gradient(t, item, &desk->dx.logits, n, 1);
        square =
            discriminator_r1(&t->d, g, x, &desk->dx, &desk->tangent, &desk->extra, factor, gradient, &desk->scratch);
    }
    for (int n = 0; n < SHARD; n++) set_score_gradient(t, item, &desk->dx.logits, n, slopes[n] / t->config.batch);
    discriminator_backward(&t->d, g, x, &desk->dx, penalised ? &desk->extra : NULL, gradient, &desk->scratch);
    discriminator_gradient(&t->d, g, x, &desk->dx, gradient, &telling);
    return square;
}

static const float *labels_of(const trainer *t, int item) {
    return t->labels ? t->labels + item * SHARD * t->config.shape.label_size : NULL;
}

/* D's scores of the 4 real, or generated, images of a shard, [3][R][R] each. Returns their sum. */
static double score(const trainer *t, image_kind kind, picture_set set, int item, const trainer_thread *desk) {
    d_maps x = activations_of(t, kind, item);
    if (kind == REAL)
        show_reals(t, set, item, desk, &x);
    else
        show_fakes(t, item, &x);
    discriminator_forward(&t->d, t->growth, &x, NULL, &desk->scratch);
    return read_scores(t, set, item, &x.logits, t->shards_of_batch[item].scores[kind]);
}

static image_kind kind_of(int task) {
    return task % KINDS ? FAKE : REAL;
}

static void score_task(void *context, int task, int thread) {
    const trainer *t = context;
    const image_kind kind = kind_of(task);
    const int item = t->at + task / KINDS;
    const trainer_thread *desk = &t->desks[thread];
    trainer_step_report *report = &t->reports[t->first + item];
    draw_augmentations(t, kind, item);
    if (kind == FAKE) {
        training_draw(t, item);
        generator_forward(&t->g, t->growth, &t->shards_of_batch[item].fakes, labels_of(t, item), &desk->scratch);
        report->fake_score = score(t, FAKE, PICTURES, item, desk);
    } else {
        report->p = t->config.aug ? t->p : (double)NAN;
        report->held_score = trainer_looks_at_held(t, 0) ? score(t, REAL, HELD_PICTURES, item, desk) : (double)NAN;
        report->real_score = score(t, REAL, PICTURES, item, desk);
    }
}

/* D's gradient, by all scores of a shard. */
static void discriminator_task(void *context, int task, int thread) {
    trainer *t = context;
    const image_kind kind = kind_of(task);
    const int item = t->at + task / KINDS, relativistic = t->config.loss == LOSS_RELATIVISTIC;
    trainer_shard *s = &t->shards_of_batch[item];
    trainer_step_report *report = &t->reports[t->first + item];
    double slopes[KINDS][SHARD], unused[SHARD];
    const double loss = discriminator_loss(t, s->scores[REAL], s->scores[FAKE], slopes[REAL], slopes[FAKE]);
    const d_maps x = activations_of(t, kind, item);
    const double r1 = learn(t, item, &t->desks[thread], &x, slopes[kind],
                            has_penalties(t) && (kind == REAL || relativistic), s->d_gradient[kind]);
    if (kind == FAKE) return;
    report->r1 = r1;
    report->d_loss = loss;
    report->g_loss =
        generator_loss(t, s->scores[REAL], s->scores[FAKE], unused); /* if G does not learn from them next */
}

/* The same images again, as the discriminator sees them that is a step further. */
static void score_again_task(void *context, int task, int thread) {
    const trainer *t = context;
    if (kind_of(task) == REAL && t->config.loss != LOSS_RELATIVISTIC) return; /* does not count for G */
    score(t, kind_of(task), PICTURES, t->at + task / KINDS, &t->desks[thread]);
}

/* The generator's gradient. */
static void generator_task(void *context, int task, int thread) {
    trainer *t = context;
    const int item = t->at + task;
    trainer_shard *s = &t->shards_of_batch[item];
    trainer_thread *desk = &t->desks[thread];
    const growth g = t->growth;
    const d_maps x = activations_of(t, FAKE, item);
    double slopes[SHARD];
    t->reports[t->first + item].g_loss = generator_loss(t, s->scores[REAL], s->scores[FAKE], slopes);
    for (int n = 0; n < SHARD; n++) set_score_gradient(t, item, &desk->dx.logits, n, slopes[n] / t->config.batch);
    discriminator_backward(&t->d, g, &x, &desk->dx, NULL, NULL, &desk->scratch);
    discriminator_image_gradient(&t->d, g, &desk->dx, &desk->scratch);
    memset(s->g_gradient, 0, t->g.net.floats * sizeof(float));
    const scratch telling = {desk->scratch.convolution, generator_final, t};
    generator_backward(&t->g, g, &s->fakes, &desk->g_gradient, fakes_gradient(t, s, desk), labels_of(t, item),
                       s->g_gradient, &telling);
}

/* All scores of a wave of shards, then what is learnt from them, by so many tasks a shard; and so on with the next wave. */
static void learn_by_waves(trainer *t, pool_item *scoring, pool_item *learning, int tasks) {
    for (t->at = 0; t->at < t->shards; t->at += t->wave) {
        const int left = t->shards - t->at, shards = left < t->wave ? left : t->wave;
        pool_run(t->pool, KINDS * shards, scoring, t);
        pool_run(t->pool, tasks * shards, learning, t);
    }
}

/* Both learning rates: the last images only settle what has been learned. */
static double annealed(const trainer *t, double rate) {
    const double left = t->config.total_kimg - (double)t->images / 1000;
    return left < t->config.anneal_kimg ? rate * (left > 0 ? left / t->config.anneal_kimg : 0) : rate;
}

static void discriminator_step(void *context, int item, int thread) {
    trainer *t = context;
    (void)thread;
    const float *gradient = gradient_wait(t->d_sum, &t->d.net, item, t->growth);
    if (gradient) network_step(&t->d.net, item, gradient, annealed(t, t->config.d_rate));
}

/* Adam, then the moving average of the parameters: half of it is younger than ema_kimg, or, at the beginning, than a share of the
   images shown. */
static void generator_step(void *context, int item, int thread) {
    trainer *t = context;
    (void)thread;
    const float *gradient = gradient_wait(t->g_sum, &t->g.net, item, t->growth);
    if (gradient) network_step(&t->g.net, item, gradient, annealed(t, t->config.g_rate));
    const double images = fmin(t->config.ema_kimg * 1000, t->config.ema_ramp * (double)t->images);
    const double half_life = images / t->config.batch; /* steps */
    const float share = (float)(half_life > 0 ? 1 - pow(0.5, 1 / half_life) : 1);
    network_average(&t->g.net, item, share, t->average);
}

/* w_avg moves to the mean of the batch's w. */
static void average_w(trainer *t) {
    const float share = (float)(1 - t->config.w_avg_beta) / (float)t->config.batch;
    const size_t from = t->g.net.floats, size = (size_t)t->g.w_dim;
    const float *change = ordered_sum_wait(t->g_sum, from, from + size) + from;
    for (size_t i = 0; i < size; i++) t->w_avg[i] += share * change[i];
}

/* Over the whole batch: of each shard's sums, in their order. */
static trainer_step_report mean_report(const trainer *t) {
    trainer_step_report sum = {0};
    for (int i = 0; i < t->config.batch / SHARD; i++) {
        const trainer_step_report *r = &t->reports[i];
        sum.g_loss += r->g_loss / t->config.batch;
        sum.d_loss += r->d_loss / t->config.batch;
        sum.r1 += r->r1 / t->config.batch;
        sum.real_score += r->real_score / t->config.batch;
        sum.fake_score += r->fake_score / t->config.batch;
        sum.held_score += r->held_score / t->config.batch;
    }
    sum.p = t->reports->p;
    return sum;
}

/* How much D has learnt by heart is r_v of StyleGAN 2-ADA (section 3, equation 1): 0 if it takes pictures that it has never
   learnt from for what it has learnt from, 1 if for generated ones. The paper prefers r_t = E[sign(D(real))], which needs no
   pictures to be held back; but with the relativistic loss D may add any number to all scores, and the sign of D(real) -
   D(fake) tells only how far G is behind: 0.98 on average where nothing is learnt by heart yet. p goes up or down by the same
   amount each time, from 0 to 1 in ada_kimg; above 0.8, G begins to draw what the transforms do (section 2.2). All ranks have
   all reports, and so the same p. */
static void adapt(trainer *t, const trainer_step_report *r) {
    const double step = ADA_INTERVAL * t->config.batch / (1000 * t->config.ada_kimg);
    const int by_heart = r->real_score - r->held_score > t->config.target * fmax(r->real_score - r->fake_score, 0);
    t->p = fmin(fmax(t->p + (by_heart ? step : -step), 0), 0.8);
}

void trainer_step(trainer *t, const uint8_t *pixels, const float *labels, trainer_step_report *report) {
    const growth now = training_growth(t, t->images), before = t->growth;
    const int d_is_prepared = t->prepared && now.top == before.top && growth_fades(now) == growth_fades(before);
    t->growth = now;
    t->pixels = pixels;
    t->labels = labels;

    pool_run(t->pool, t->g.net.linear_count, prepare_generator, t);
    if (!d_is_prepared) pool_run(t->pool, t->d.net.linear_count, prepare_discriminator, t);
    discriminator_expect(t);
    ordered_sum_begin(t->d_sum);
    learn_by_waves(t, score_task, discriminator_task, KINDS);
    pool_run(t->pool, t->d.net.count, discriminator_step, t);
    ordered_sum_end(t->d_sum);

    const int both_learn = generator_learns(t);
    if (both_learn) {
        pool_run(t->pool, t->d.net.linear_count, prepare_discriminator, t);
        generator_expect(t);
        ordered_sum_begin(t->g_sum);
        learn_by_waves(t, score_again_task, generator_task, 1);
        pool_run(t->pool, t->g.net.count, generator_step, t);
        average_w(t);
        ordered_sum_end(t->g_sum);
    }

    const int looks_at_held = trainer_looks_at_held(t, 0);
    ranks_gather(t->reports, sizeof *t->reports, t->config.batch / SHARD);
    const trainer_step_report mean = mean_report(t);
    if (report) *report = mean;
    t->prepared = both_learn; /* for G, D was */
    t->steps++;
    t->images += t->config.batch;
    if (looks_at_held) adapt(t, &mean);
}
