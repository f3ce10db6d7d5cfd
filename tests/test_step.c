/* test_step.c - what a step of training is given: real pictures and their order, random numbers, rates and penalties that
   change in the course of a run. */
#include "small_trainer.h"
#include "../tools/train/feed.h"

#include <stdlib.h>

/* --- Small runs --- */

enum { RESOLUTION = 32, PIXELS = RESOLUTION * RESOLUTION * 3, BATCH = 8 };

/* 8 x 8 until 1 kimg, fading in until 2; 16 x 16 until 3, fading in until 4. */
static trainer_config step_config(void) {
    trainer_config config = small;
    config.shape.label_size = 0;
    config.shape.resolution = RESOLUTION;
    config.batch = BATCH;
    return config;
}

/* Random networks, the same each time, and a step on random pictures of [BATCH]. */
static trainer *shaken(const trainer_config *config, int64_t images) {
    trainer *t = trainer_create(config, 1);
    draws = 0;
    shake(&t->g.net);
    shake(&t->d.net);
    t->images = images;
    return t;
}

static uint8_t *random_pixels(void) {
    uint8_t *pixels = cli_alloc(BATCH, PIXELS);
    for (size_t i = 0; i < (size_t)BATCH * PIXELS; i++) pixels[i] = (uint8_t)(256 * random_uniform(7, i));
    return pixels;
}

/* --- Real pictures: the mean of a box of pixels from -1 to 1, mirrored or not, faded as they grow --- */

static plain ref_reals(const uint8_t *pixels, int size, double fade, int mirror) {
    const int box = RESOLUTION / size;
    plain x = plain_new(3, size);
    EACH(x) {
        const int left = mirror ? size - 1 - column : column;
        double sum = 0;
        for (int i = 0; i < box * box; i++)
            sum += pixels[n * PIXELS + ((row * box + i / box) * RESOLUTION + left * box + i % box) * 3 + c];
        *at(x, n, c, row, column) = sum / (box * box) / 127.5 - 1;
    }
    return ref_lerp(ref_up(ref_pool(x)), x, fade);
}

static double picture_difference(plain a, plain b, int n) {
    const int count = a.c * a.s * a.s;
    double worst = 0;
    for (int i = n * count; i < (n + 1) * count; i++) note(&worst, fabs(a.v[i] - b.v[i]));
    return worst;
}

/* What D sees of the last shard's pictures, at some moment of the growing. */
static void check_reals(int64_t images, int size, double fade) {
    enum { STEPS = 12 };
    const uint8_t *last_shard;
    uint8_t *pixels = random_pixels();
    int mirrored[2] = {0, 0};
    double worst = 0;
    last_shard = pixels + (BATCH - SHARD) * PIXELS;
    const plain as_is = ref_reals(last_shard, size, fade, 0), mirror = ref_reals(last_shard, size, fade, 1);
    for (int may_mirror = 0; may_mirror < 2; may_mirror++) {
        trainer_config config = step_config();
        config.mirror = may_mirror;
        trainer *t = shaken(&config, images);
        const size_t before = heap_used;
        for (int i = 0; i < STEPS; i++) {
            t->images = images;
            trainer_step(t, pixels, NULL, NULL);
            const plain seen = from_map(&t->activations[0][REAL].level[t->growth.top].image);
            if (seen.s != size) note(&worst, INFINITY);
            for (int n = 0; n < SHARD && seen.s == size; n++) {
                const double straight = picture_difference(seen, as_is, n),
                             turned = picture_difference(seen, mirror, n);
                mirrored[may_mirror] += turned < straight;
                note(&worst, fmin(straight, turned));
            }
            heap_used = before;
        }
        trainer_free(t);
    }
    const int all = STEPS * SHARD;
    test_check(worst < 1e-5 && !mirrored[0] && mirrored[1] > all / 4 && mirrored[1] < all * 3 / 4,
               "step: real pictures at %d x %d, fade %g: %.1e off; %d of %d are mirrored", size, size, fade, worst,
               mirrored[1], all);
    free(pixels);
    heap_used = 0;
}

/* --- What a step draws --- */

typedef struct moments {
    double count, sum, squares;
} moments;

static void add_moment(moments *m, double x) {
    m->count++;
    m->sum += x;
    m->squares += x * x;
}

/* Within five deviations of a mean of 0 and a variance of 1. */
static int is_normal(const moments *m) {
    const double mean = m->sum / m->count;
    return fabs(mean) < 5 / sqrt(m->count) && fabs(m->squares / m->count - 1) < 5 * sqrt(2 / m->count);
}

static void check_crossovers(void) {
    enum { STEPS = 100, LAYERS = 6, IMAGES = STEPS * BATCH };
    trainer_config config = step_config();
    config.mixing = 0.7;
    trainer *t = trainer_create(&config, 1);
    int count[LAYERS + 1] = {0}, outside = 0, least = IMAGES;
    t->growth = (growth){LAYERS / 2 - 1, 1};
    for (; t->steps < STEPS; t->steps++)
        for (int item = 0; item < t->shards; item++) {
            training_draw(t, item);
            for (int n = 0; n < SHARD; n++) {
                const int crossover = t->shards_of_batch[item].fakes.crossover[n];
                if (crossover < 1 || crossover > LAYERS)
                    outside++;
                else
                    count[crossover]++;
            }
        }
    for (int i = 1; i < LAYERS; i++)
        if (count[i] < least) least = count[i];
    const double mixed = 1 - (double)count[LAYERS] / IMAGES;
    test_check(!outside && fabs(mixed - config.mixing) < 0.05 && least > IMAGES * config.mixing / (LAYERS - 1) / 2,
               "step: %.3f of the pictures have two latents, for %g; at least %d of %d from each layer on", mixed,
               config.mixing, least, IMAGES);
    trainer_free(t);
}

/* Latents and noise: about normal, and never the same twice. */
static void check_normals(void) {
    enum { STEPS = 20, LAYERS = 8, DRAWS = STEPS * BATCH / SHARD * LAYERS, FIRST = 16 * SHARD };
    static float noises[DRAWS][FIRST];
    trainer_config config = step_config();
    config.shape.z_dim = 40;
    trainer *t = trainer_create(&config, 1);
    moments z = {0}, noise = {0};
    int number = 0, repeats = 0;
    t->growth = (growth){LAYERS / 2 - 1, 1};
    for (; t->steps < STEPS; t->steps++)
        for (int item = 0; item < t->shards; item++) {
            const g_maps *x = &t->shards_of_batch[item].fakes;
            float before = 0;
            training_draw(t, item);
            for (int i = 0; i < 2 * SHARD; i++)
                for (int k = 0; k < config.shape.z_dim; k++) {
                    const map *input = &x->latent[i / SHARD].input;
                    const float value = input->data[map_at(input, k, 0, 0, i % SHARD)];
                    add_moment(&z, (double)value);
                    repeats += value == before;
                    before = value;
                }
            for (int layer = 0; layer < LAYERS; layer++, number++) {
                const float *values = x->layer[layer / 2][layer % 2].noise;
                for (int i = 0; i < (FIRST << layer / 2 * 2); i++) add_moment(&noise, (double)values[i]);
                memcpy(noises[number], values, sizeof noises[number]);
                for (int other = 0; other < number; other++)
                    repeats += !memcmp(noises[other], noises[number], sizeof noises[number]);
            }
        }
    test_check(is_normal(&z) && is_normal(&noise) && !repeats,
               "step: %.0f values of z of mean %.4f and mean square %.4f, %.0f of noise, %.4f and %.4f; %d repeated",
               z.count, z.sum / z.count, z.squares / z.count, noise.count, noise.sum / noise.count,
               noise.squares / noise.count, repeats);
    trainer_free(t);
}

/* No two pictures of a run are augmented alike, real or generated. */
static void check_augmentations(void) {
    enum { STEPS = 2, ALL = STEPS * 2 * BATCH };
    float brightness[ALL];
    trainer_config config = step_config();
    config.aug = AUG_FIXED;
    config.p = 1;
    trainer *t = shaken(&config, 0);
    uint8_t *pixels = random_pixels();
    int number = 0, repeats = 0;
    for (int step = 0; step < STEPS; step++) {
        trainer_step(t, pixels, NULL, NULL);
        for (int i = 0; i < 2 * BATCH; i++, number++) {
            const trainer_shard *shard = &t->shards_of_batch[i / 2 / SHARD];
            brightness[number] = shard->augmentations[i % KINDS][i / 2 % SHARD].brightness;
            for (int other = 0; other < number; other++) repeats += brightness[other] == brightness[number];
        }
    }
    test_check(!repeats, "step: %d augmentations of real and generated pictures, %d twice", number, repeats);
    free(pixels);
    trainer_free(t);
}

/* --- What changes in the course of a run --- */

/* The sum of all changes of a network's values in its first step, which Adam makes as large as the rate, whatever the
   gradient. */
static double total_change(const network *net, const float *before) {
    double sum = 0;
    for (size_t i = 0; i < net->floats; i++) sum += fabs((double)net->values[i] - (double)before[i]);
    return sum;
}

static void first_changes(const trainer_config *config, int64_t images, const uint8_t *pixels, double *g, double *d) {
    trainer *t = shaken(config, images);
    float *g_before = cli_alloc(t->g.net.floats, sizeof *g_before),
          *d_before = cli_alloc(t->d.net.floats, sizeof *d_before);
    memcpy(g_before, t->g.net.values, t->g.net.floats * sizeof *g_before);
    memcpy(d_before, t->d.net.values, t->d.net.floats * sizeof *d_before);
    trainer_step(t, pixels, NULL, NULL);
    *g = total_change(&t->g.net, g_before);
    *d = total_change(&t->d.net, d_before);
    free(d_before);
    free(g_before);
    trainer_free(t);
}

/* Of 4 kimg, the rates fall over the last 2. */
static void check_rates(void) {
    static const struct {
        int64_t images;
        double share;
    } moments_of[] = {{1000, 1}, {2000, 1}, {3000, 0.5}, {3600, 0.2}, {4000, 0}, {5000, 0}};
    uint8_t *pixels = random_pixels();
    for (size_t i = 0; i < sizeof moments_of / sizeof *moments_of; i++) {
        trainer_config config = step_config();
        double g, d, g_full, d_full;
        config.total_kimg = 100; /* behind the end of a run the rates are zero */
        first_changes(&config, moments_of[i].images, pixels, &g_full, &d_full);
        config.total_kimg = 4;
        config.anneal_kimg = 2;
        first_changes(&config, moments_of[i].images, pixels, &g, &d);
        test_check(fabs(g / g_full - moments_of[i].share) < 0.01 && fabs(d / d_full - moments_of[i].share) < 0.01,
                   "step: annealed over the last 2 of 4 kimg, at %g: the rate is %.3f of G's, %.3f of D's",
                   (double)moments_of[i].images / 1000, g / g_full, d / d_full);
    }
    free(pixels);
}

/* w_avg moves by 1 - w_avg_beta of its distance to the mean w of a batch. */
static void check_w_avg(void) {
    trainer_config config = step_config();
    config.w_avg_beta = 0.75;
    trainer *t = shaken(&config, 0);
    uint8_t *pixels = random_pixels();
    double worst = 0;
    for (int i = 0; i < t->g.w_dim; i++) t->w_avg[i] = (float)draw();
    for (int step = 0; step < 2; step++) {
        float before[16];
        memcpy(before, t->w_avg, (size_t)t->g.w_dim * sizeof *before);
        trainer_step(t, pixels, NULL, NULL);
        for (int i = 0; i < t->g.w_dim; i++) {
            double mean = 0;
            for (int n = 0; n < BATCH; n++) {
                const map *w = &t->shards_of_batch[n / SHARD].fakes.latent[0].hidden[t->g.mapping_layers - 1];
                mean += (double)w->data[map_at(w, i, 0, 0, n % SHARD)] / BATCH;
            }
            note(&worst, fabs((double)t->w_avg[i] - (0.75 * (double)before[i] + 0.25 * mean)));
        }
    }
    test_check(worst < 1e-5, "step: w_avg keeps 0.75 of itself and takes 0.25 of the batch's mean: %.1e off", worst);
    free(pixels);
    trainer_free(t);
}

/* D's gradient in a step after so many images. */
static plain d_gradient(const trainer_config *config, int64_t images, const uint8_t *pixels) {
    trainer *t = shaken(config, images);
    trainer_step(t, pixels, NULL, NULL);
    plain gradient = {1, 1, take(t->d.net.floats)};
    copy_doubles(gradient.v, d_gradient_of_both(t), t->d.net.floats);
    gradient.c = (int)t->d.net.floats / SHARD;
    trainer_free(t);
    return gradient;
}

static double gradient_difference(plain a, plain b) {
    double apart = 0, all = 0;
    for (int i = 0; i < plain_count(a); i++) {
        apart += pow(a.v[i] - b.v[i], 2);
        all += pow(b.v[i], 2);
    }
    return sqrt(apart / all);
}

/* From 4 to 1 in 4 kimg, by the same factor each time: as a penalty that stays has it there. */
static void check_gamma(void) {
    static const struct {
        int64_t images;
        double gamma;
    } moments_of[] = {{0, 4}, {2000, 2}, {3000, 1.4142135623730951}, {4000, 1}, {8000, 1}};
    uint8_t *pixels = random_pixels();
    for (size_t i = 0; i < sizeof moments_of / sizeof *moments_of; i++) {
        trainer_config falls = step_config(), stays = step_config(), no_less = step_config();
        falls.r1_gamma = 4;
        falls.r1_gamma_last = 1;
        stays.r1_gamma = moments_of[i].gamma;
        no_less.r1_gamma = 1.1 * moments_of[i].gamma;
        const plain found = d_gradient(&falls, moments_of[i].images, pixels);
        const double same = gradient_difference(found, d_gradient(&stays, moments_of[i].images, pixels));
        const double other = gradient_difference(found, d_gradient(&no_less, moments_of[i].images, pixels));
        test_check(same < 1e-5 && other > 100 * same && other > 1e-3,
                   "step: R1 that falls from 4 to 1 in 4 kimg, at %g: %.1e from R1 of %.3f, %.1e from a tenth more",
                   (double)moments_of[i].images / 1000, same, moments_of[i].gamma, other);
        heap_used = 0;
    }
    free(pixels);
}

/* --- The order of pictures, and who reads them --- */

static void check_epochs(void) {
    enum { COUNT = 37, EPOCHS = 4 };
    int64_t order[EPOCHS][COUNT];
    const trainer_config config = step_config();
    trainer *t = trainer_create(&config, 1);
    int whole = 1, alike = 0;
    for (int epoch = 0; epoch < EPOCHS; epoch++) {
        int seen[COUNT] = {0};
        for (int i = 0; i < COUNT; i++) {
            order[epoch][i] = trainer_picture(t, epoch * COUNT + i, COUNT);
            whole &= order[epoch][i] >= 0 && order[epoch][i] < COUNT && !seen[order[epoch][i]]++;
        }
        for (int before = 0; before < epoch; before++)
            alike += !memcmp(order[before], order[epoch], sizeof order[epoch]);
    }
    test_check(whole && !alike, "step: %d epochs, each shows all pictures in an order of its own", EPOCHS);
    trainer_free(t);
}

/* Picture i is all i, and so is its label. */
static void read_number(const dataset *d, int64_t index, uint8_t *pixels, float *label) {
    (void)d;
    memset(pixels, (int)index, PIXELS);
    *label = (float)index;
}

static void check_feed(void) {
    enum { COUNT = 60, STEPS = 24 };
    const dataset numbers = {
        .resolution = RESOLUTION, .channels = 3, .label_size = 1, .count = COUNT, .read = read_number};
    trainer_config config = step_config();
    config.shape.label_size = 1;
    config.aug = AUG_ADA; /* some steps look at what is held back, too */
    trainer *t = trainer_create(&config, 1);
    feed f;
    int wrong = 0, all = 0;
    feed_start(&f, &numbers, t);
    for (int step = 0; step < STEPS; step++) {
        const uint8_t *pixels;
        const float *labels;
        feed_next(&f, &pixels, &labels);
        for (int i = 0; i < BATCH * (1 + trainer_looks_at_held(t, 0)); i++, all++) {
            const int64_t picture =
                i < BATCH ? trainer_picture(t, i, COUNT) : trainer_held_picture(t, i - BATCH, COUNT);
            wrong +=
                pixels[i * PIXELS] != picture || pixels[(i + 1) * PIXELS - 1] != picture || labels[i] != (float)picture;
        }
        t->steps++; /* as a step has it, without its work */
        t->images += BATCH;
    }
    feed_end(&f);
    test_check(!wrong && all > STEPS * BATCH, "step: %d of %d pictures and labels are those of their step", all - wrong,
               all);
    trainer_free(t);
}

int main(void) {
    heap = cli_alloc(HEAP, sizeof *heap);
    check_reals(0, 8, 1);
    check_reals(1400, 16, 0.408); /* a batch further than 0.4: the newest block is in use from the first one on */
    check_reals(2500, 16, 1);
    check_reals(3400, 32, 0.408);
    check_reals(5000, 32, 1);
    check_crossovers();
    check_normals();
    check_augmentations();
    check_rates();
    check_w_avg();
    check_gamma();
    check_epochs();
    check_feed();
    free(heap);
    return test_end();
}
