/* test_train.c - the trainer: runs that must agree to the bit, states, options; the exported network in stylegan.h. */
#define _POSIX_C_SOURCE 200809L
#include "small_trainer.h"
#include "sgt.h"

#include <stdlib.h>
#include <sys/resource.h>

/* --- Training --- */

/* Discs of any place and colour, so many: pictures [batch][H][W][3] of a step, and as many that are held back. */
static void draw_discs(const trainer *t, int64_t count, uint8_t *pixels) {
    const trainer_config *config = trainer_get_config(t);
    const int size = config->shape.resolution;
    for (int i = 0; i < 2 * config->batch; i++) {
        const int held = i >= config->batch;
        if (held && !trainer_looks_at_held(t, 0)) return;
        const int64_t disc = (held ? trainer_held_picture : trainer_picture)(t, i % config->batch, count);
        const uint64_t key = random_key(1, RANDOM_ORDER, (uint64_t)disc);
        const double cx = 0.25 + 0.5 * random_uniform(key, 0), cy = 0.25 + 0.5 * random_uniform(key, 1);
        for (int p = 0; p < size * size; p++) {
            const double dx = (p % size + 0.5) / size - cx, dy = (p / size + 0.5) / size - cy;
            for (uint64_t c = 0; c < 3; c++)
                *pixels++ = dx * dx + dy * dy < 0.04 ? (uint8_t)(256 * random_uniform(key, 2 + c)) : 40;
        }
    }
}

static void train_on(trainer *t, int64_t discs, int steps, trainer_step_report *reports) {
    const trainer_config *config = trainer_get_config(t);
    uint8_t *pixels = cli_alloc((size_t)(2 * config->batch * config->shape.resolution * config->shape.resolution), 3);
    for (int i = 0; i < steps; i++) {
        draw_discs(t, discs, pixels);
        trainer_step(t, pixels, NULL, &reports[i]);
    }
    free(pixels);
}

static void train(trainer *t, int steps, trainer_step_report *reports) {
    train_on(t, 1000, steps, reports);
}

static trainer_config tiny(void) {
    trainer_config config;
    trainer_preset("tiny-16", &config);
    config.stable_kimg = 0.4; /* 50 steps at 8 x 8, 50 fading in, the rest at 16 x 16 */
    config.fade_kimg = 0.4;
    return config;
}

/* Mean absolute difference between the colours of two pictures of a batch, over all pairs. */
static double diversity(const trainer *t) {
    const map *image = generator_image(&t->shards_of_batch[0].fakes, t->growth);
    double sum = 0;
    int pairs = 0;
    for (int a = 0; a < SHARD; a++)
        for (int b = 0; b < a; b++, pairs++)
            for (int c = 0; c < image->channels; c++)
                for (int p = 0; p < image->size * image->size; p++)
                    sum += fabs((double)image->data[map_at(image, c, p / image->size, p % image->size, a)] -
                                (double)image->data[map_at(image, c, p / image->size, p % image->size, b)]);
    return sum / pairs / (image->channels * image->size * image->size);
}

/* With a batch of so many shards, of which twice as many threads work on all at once, two on one or two of them. */
static void check_training(network_architecture architecture, trainer_loss loss, trainer_aug aug, int shards,
                           const char *name) {
    enum { STEPS = 300, HALF = 122 }; /* between two changes of the augmentation's p */
    static trainer_step_report one[STEPS], two[HALF], again[STEPS];
    trainer_config config = tiny();
    config.shape.architecture = (int)architecture;
    config.loss = (int)loss;
    config.aug = (int)aug;
    config.target = 0; /* p rises and falls */
    config.ada_kimg = 1;
    config.batch = SHARD * shards;
    const int threads = KINDS * shards;
    trainer *a = trainer_create(&config, 1), *b = trainer_create(&config, threads);
    train(a, HALF, one);
    size_t size;
    unsigned char *state = trainer_save(a, &size);
    train(a, STEPS - HALF, one + HALF);
    train(b, HALF, two); /* the others are those of c, below */
    test_check(!memcmp(one, two, sizeof two), "train: %d steps of %s with 1 and %d threads, the same to the bit", HALF,
               name, threads);
    const char *why;
    trainer *c = trainer_load(state, size, NULL, 2, &why);
    if (test_check(c != NULL, "train: a saved state loads")) {
        train(c, STEPS - HALF, again);
        size_t sizes[2];
        unsigned char *ends[2] = {trainer_save(a, &sizes[0]), trainer_save(c, &sizes[1])};
        test_check(!memcmp(one + HALF, again, (STEPS - HALF) * sizeof *one) && sizes[0] == sizes[1] &&
                       !memcmp(ends[0], ends[1], sizes[0]),
                   "train: continued from the state of step %d with 2 threads, the same to the bit", HALF);
        free(ends[0]);
        free(ends[1]);
    }
    double g = 0, d = 0, apart = 0;
    for (int i = STEPS - 100; i < STEPS; i++) {
        g += one[i].g_loss / 100;
        d += one[i].d_loss / 100;
        apart += (one[i].real_score - one[i].fake_score) / 100;
    }
    /* without learning, D's loss is log(2) for each probability */
    test_check(g > 0.3 && g < 5 && d > 0.05 && d < (loss == LOSS_LOGISTIC ? 1.6 : 0.69) && apart > 0 &&
                   diversity(a) > 0.05,
               "train: losses %.2f of G, %.2f of D, scores %.2f apart, diversity %.2f", g, d, apart, diversity(a));

    int refused = 0, tried = 0;
    for (size_t cut = 0; cut < size; cut += size / 13 + 1, tried++) refused += !trainer_load(state, cut, NULL, 1, &why);
    for (size_t spot = 0; spot < size; spot += size / 13 + 1, tried++) {
        state[spot] ^= 0x10;
        refused += !trainer_load(state, size, NULL, 1, &why);
        state[spot] ^= 0x10;
    }
    test_check(refused == tried, "train: %d of %d truncated or damaged states refused", refused, tried);
    free(state);
    trainer_free(a);
    trainer_free(b);
    trainer_free(c);
}

/* Widths that are no multiple of a vector leave columns of weights that nothing uses: in a state they are zero, whatever else
   the thread at work has computed before. */
static void check_threads(stylegan_isa isa) {
    static trainer_step_report ignored[4];
    trainer_config config = tiny();
    config.shape.fmap_max = config.shape.d_fmap_max = 21;
    config.shape.architecture = ARCHITECTURE_STYLEGAN2;
    config.start_resolution = 16;
    config.isa = (int)isa;
    size_t sizes[2];
    unsigned char *ends[2];
    for (int i = 0; i < 2; i++) {
        trainer *t = trainer_create(&config, i + 1);
        train(t, 4, ignored);
        ends[i] = trainer_save(t, &sizes[i]);
        trainer_free(t);
    }
    test_check(sizes[0] == sizes[1] && !memcmp(ends[0], ends[1], sizes[0]),
               "train: the state of networks of 21 maps after 4 steps by %s with 1 and 2 threads, the same to the bit",
               stylegan_isa_name(isa));
    free(ends[0]);
    free(ends[1]);
}

/* The largest probability within 500 steps. */
static double largest_p(int64_t discs) {
    enum { STEPS = 500 };
    static trainer_step_report reports[STEPS];
    trainer_config config;
    trainer_preset("tiny-16", &config);
    config.start_resolution = 16;
    config.r1_gamma = 0.1;
    config.r1_interval = 4;
    config.aug = AUG_ADA;
    config.ada_kimg = 1;
    trainer *t = trainer_create(&config, 2);
    train_on(t, discs, STEPS, reports);
    trainer_free(t);
    double largest = 0;
    for (int i = 0; i < STEPS; i++) largest = fmax(largest, reports[i].p);
    return largest;
}

/* 20 pictures are learnt by heart, pictures without end are not. */
static void check_ada(void) {
    const double few = largest_p(20), many = largest_p((int64_t)1 << 50);
    test_check(few > 0.05 && many < 0.04, "train: augmentations of 20 pictures, at most %.3f, and of any number, %.3f",
               few, many);
}

/* A state of a machine that can what this one cannot. */
static void check_moved_state(void) {
    const trainer_config config = tiny();
    trainer *t = trainer_create(&config, 1);
    size_t size;
    unsigned char *state = trainer_save(t, &size);
    sgt_set(state, "isa", STYLEGAN_ISA_WASM);
    sgt_fix(state, size);
    trainer_config moved;
    const char *why;
    trainer *as_it_was = trainer_load(state, size, NULL, 1, &why);
    test_check(!as_it_was, "train: a state of another processor: %s", as_it_was ? "loads" : why);
    test_check(!trainer_read_config(state, size, &moved) && moved.isa == STYLEGAN_ISA_WASM,
               "train: a state of another processor tells its settings");
    moved.isa = config.isa;
    trainer *here = trainer_load(state, size, &moved, 1, &why);
    test_check(here && !memcmp(here->g.net.values, t->g.net.values, t->g.net.floats * sizeof(float)),
               "train: a state of another processor goes on as this one can");
    free(state);
    trainer_free(t);
    trainer_free(here);
}

/* States whose checksums are right, from strangers: sizes are compared before they are allocated, counters as they must
   be after so many steps. */
static void check_crafted_states(void) {
    static const struct {
        const char *what, *option;
        int value;
    } crafted[] = {{"resolution 1024", "resolution", 1024}, {"batch 6", "batch", 6}, {"w of 4096", "w-dim", 4096},
                   {"resolution 17", "resolution", 17},     {"batch 0", "batch", 0}, {"mirror 2", "mirror", 2}};
    static const struct {
        const char *what;
        int64_t images, steps;
    } counters[] = {{"no step of its images", 80, 0},
                    {"another number of steps", 80, 11},
                    {"images that are no batch", 81, 10},
                    {"images below 0", -80, -10},
                    {"more images than a run has", (int64_t)8 << 50, (int64_t)1 << 50}};
    enum { CRAFTED = sizeof crafted / sizeof *crafted, COUNTERS = sizeof counters / sizeof *counters };
    const trainer_config config = tiny();
    const size_t counters_at = sgt_offset("");
    trainer *t = trainer_create(&config, 1);
    size_t size;
    unsigned char *state = trainer_save(t, &size), *copy = cli_alloc(size, 1);
    struct rlimit before, limit;
    getrlimit(RLIMIT_AS, &before);
    limit = (struct rlimit){(rlim_t)1 << 30, before.rlim_max};
    const char *why;
    for (int i = 0; i < CRAFTED; i++) {
        for (size_t cut = size; cut; cut = cut == size ? counters_at : 0) {
            memcpy(copy, state, size);
            sgt_set(copy, crafted[i].option, crafted[i].value);
            if (crafted[i].value > 1000) sgt_set(copy, "fmap-base", 65536), sgt_set(copy, "fmap-max", 1024);
            sgt_fix(copy, cut);
            setrlimit(RLIMIT_AS, &limit);
            trainer *c = trainer_load(copy, cut, NULL, 1, &why);
            setrlimit(RLIMIT_AS, &before);
            test_check(!c, "train: a state of %zu bytes with %s: %s", cut, crafted[i].what, c ? "loads" : why);
        }
    }
    for (int i = 0; i < COUNTERS; i++) {
        memcpy(copy, state, size);
        memcpy(copy + counters_at, &counters[i].images, 16);
        sgt_fix(copy, size);
        trainer *c = trainer_load(copy, size, NULL, 1, &why);
        test_check(!c, "train: a state with %s: %s", counters[i].what, c ? "loads" : why);
        trainer_free(c);
    }
    test_check(trainer_is_finite(t), "train: numbers throughout");
    float *const last[] = {t->g.net.values + t->g.net.floats - 1, t->d.net.values + t->d.net.floats - 1, t->average};
    for (int i = 0; i < 3; i++) {
        const float kept = *last[i];
        *last[i] = NAN;
        test_check(!trainer_is_finite(t), "train: one weight of %d is no number", i);
        *last[i] = kept;
    }
    static const double probabilities[] = {0.5, -1, (double)NAN}; /* of no augmentation */
    for (int i = 0; i < 3; i++) {
        memcpy(copy, state, size);
        memcpy(copy + counters_at + 16, &probabilities[i], sizeof probabilities[i]);
        sgt_fix(copy, size);
        trainer *c = trainer_load(copy, size, NULL, 1, &why);
        test_check(!c, "train: a state with the probability %g: %s", probabilities[i], c ? "loads" : why);
        trainer_free(c);
    }
    free(copy);
    free(state);
    trainer_free(t);
}

/* --- Export: the averaged generator in stylegan.h against the trainer's own forward pass --- */

static double export_difference(trainer *t) {
    weights w;
    test_file file;
    stylegan_error error;
    trainer_export(t, &w);
    file.bytes = weights_to_memory(&w, STYLEGAN_F32, &file.size);
    weights_free(&w);
    stylegan_model *model = test_open(&file, STYLEGAN_ISA_AUTO, 1);
    const stylegan_config *config = stylegan_describe(model);
    float *z = test_normal(3, (size_t)(SHARD * config->z_dim));
    float *labels = test_normal(4, (size_t)(SHARD * (config->c_dim ? config->c_dim : 1)));
    float *ws = cli_alloc((size_t)(SHARD * config->num_ws * config->w_dim), sizeof *ws);
    if (stylegan_map(model, z, labels, SHARD, 1, 0, ws, NULL, &error)) cli_fail("%s", error.message);
    float *images = test_images(model, ws, SHARD, NULL);

    g_maps *x = &t->shards_of_batch[0].fakes;
    t->growth = training_growth(t, t->images - t->config.batch);
    memcpy(t->g.net.values, t->average, t->g.net.floats * sizeof(float));
    for (int i = 0; i < t->g.net.linear_count; i++)
        network_prepare(&t->g.net, i, t->growth, &t->desks[0].scratch.convolution);
    for (int n = 0; n < SHARD; n++) {
        x->crossover[n] = config->num_ws;
        for (int i = 0; i < config->z_dim; i++)
            x->latent[0].input.data[map_at(&x->latent[0].input, i, 0, 0, n)] = z[n * config->z_dim + i];
    }
    for (int layer = 0; layer < config->num_ws; layer++) {
        const int pixels = 16 << 2 * (layer / 2);
        if (!x->layer[layer / 2][layer % 2].noise) continue;
        float *noise = cli_alloc((size_t)pixels, sizeof *noise);
        stylegan_random_normal(0, (uint32_t)layer, 0, noise, pixels);
        for (int p = 0; p < pixels * SHARD; p++) x->layer[layer / 2][layer % 2].noise[p] = noise[p / SHARD];
        free(noise);
    }
    generator_forward(&t->g, t->growth, x, labels, &t->desks[0].scratch);
    const plain own = from_map(generator_image(x, t->growth));
    float *found = cli_alloc((size_t)plain_count(own), sizeof *found);
    for (int i = 0; i < plain_count(own); i++) found[i] = (float)own.v[i];
    const double difference = test_difference(images, found, (size_t)plain_count(own));
    free(found);
    free(images);
    free(ws);
    free(labels);
    free(z);
    stylegan_close(model);
    free(file.bytes);
    heap_used = 0;
    return difference;
}

static void check_export(void) {
    static const int steps[] = {20, 70, 120}; /* at 8 x 8, fading in, at 16 x 16 */
    static trainer_step_report ignored[120];
    for (size_t i = 0; i < 2 * sizeof steps / sizeof *steps; i++) {
        trainer_config config = tiny();
        config.shape.architecture = (int)i % 2;
        config.shape.fmap_max = 21; /* no multiple of anything */
        config.ema_kimg = 0.02;     /* else flat feature maps, as at the beginning, multiply rounding errors */
        trainer *t = trainer_create(&config, 2);
        train(t, steps[i / 2], ignored);
        float fade;
        const int resolution = trainer_resolution(t, &fade);
        const double difference = export_difference(t);
        test_check(difference <= 1e-5, "train: StyleGAN %d exported at %d x %d, fade %g: %.1e from the trainer's image",
                   config.shape.architecture + 1, resolution, resolution, (double)fade, difference);
        trainer_free(t);
    }
    for (int i = 0; i < 2; i++) {
        trainer *t = small_trainer((network_architecture)i, (growth){i + 1, 1});
        memcpy(t->average, t->g.net.values, t->g.net.floats * sizeof(float));
        const double difference = export_difference(t);
        test_check(difference <= 1e-5, "train: StyleGAN %d exported with labels: %.1e from the trainer's image", i + 1,
                   difference);
        trainer_free(t);
    }
    trainer_config config = tiny();
    config.fade_kimg = 0;
    trainer *t = trainer_create(&config, 2);
    weights grown;
    train(t, 50, ignored);
    trainer_export(t, &grown);
    test_check(grown.config.height == 8 && trainer_resolution(t, NULL) == 16,
               "train: exported without the block that the next step begins: %d x %d", grown.config.width,
               grown.config.height);
    weights_free(&grown);
    trainer_free(t);
}

/* --- Runs that begin as a network --- */

/* The largest difference between values of the same name, in shares of the largest of them. */
static double weights_difference(const weights *a, const weights *b) {
    double worst = a->count == b->count ? 0 : INFINITY;
    for (int i = 0; i < a->count && worst < INFINITY; i++) {
        const weights_tensor *one = &a->tensors[i], *two = weights_find(b, one->name);
        double apart = two ? 0 : INFINITY, largest = 1e-30;
        for (size_t k = 0; two && k < weights_count(one); k++) {
            note(&largest, fabs((double)one->values[k]));
            note(&apart, fabs((double)one->values[k] - (double)two->values[k]));
        }
        note(&worst, apart / largest);
    }
    return worst;
}

static trainer_config finished(network_architecture architecture, int labels, uint64_t seed) {
    trainer_config config = small;
    config.shape.architecture = (int)architecture;
    config.shape.label_size = labels;
    config.start_resolution = config.shape.resolution;
    config.seed = seed;
    return config;
}

static void check_begin(network_architecture architecture, int labels) {
    static trainer_step_report ignored[3];
    trainer_config config = finished(architecture, labels, 6);
    config.d_first_kimg = 2e-3 * config.batch; /* two steps */
    const trainer_config other = finished(architecture, labels, 5);
    trainer *known = trainer_create(&other, 1), *t = trainer_create(&config, 2);
    weights from, begun, after;
    shake(&known->g.net);
    memcpy(known->average, known->g.net.values, known->g.net.floats * sizeof(float));
    for (int i = 0; i < known->g.w_dim; i++) known->w_avg[i] = (float)draw();
    trainer_export(known, &from);
    char *why = trainer_begin_as(t, &from);
    trainer_export(t, &begun);
    const double difference = weights_difference(&from, &begun);
    test_check(!why && difference < 1e-6, "train: a run begins as a StyleGAN %d of %d labels, but for %.1e: %s",
               (int)architecture + 1, labels, difference, why ? why : "no complaint");

    const size_t g_size = t->g.net.floats * sizeof(float), d_size = t->d.net.floats * sizeof(float);
    float *g = cli_alloc(1, g_size), *d = cli_alloc(1, d_size);
    memcpy(g, t->g.net.values, g_size);
    memcpy(d, t->d.net.values, d_size);
    if (!labels) {
        train(t, 2, ignored);
        trainer_export(t, &after);
        test_check(!memcmp(g, t->g.net.values, g_size) && weights_difference(&begun, &after) == 0 &&
                       memcmp(d, t->d.net.values, d_size) && isfinite(ignored[1].g_loss),
                   "train: StyleGAN %d keeps what it knows while only D learns", (int)architecture + 1);
        weights_free(&after);
        train(t, 1, ignored);
        test_check(memcmp(g, t->g.net.values, g_size), "train: StyleGAN %d learns from then on", (int)architecture + 1);
    }
    free(d);
    free(g);
    free(why);
    weights_free(&begun);
    weights_free(&from);
    trainer_free(known);
    trainer_free(t);
}

/* A network that the run cannot be: told by what. */
static void check_other_networks(void) {
    const trainer_config config = finished(ARCHITECTURE_STYLEGAN2, 0, 1);
    const struct {
        const char *told;
        int architecture, resolution, z_dim, labels, mapping_layers, fmap_max, clamp;
    } others[] = {{"family is 1", 0, 16, 5, 0, 2, 9, 0}, {"resolution is 8", 1, 8, 5, 0, 2, 9, 0},
                  {"z_dim is 7", 1, 16, 7, 0, 2, 9, 0},  {"c_dim is 3", 1, 16, 5, 3, 2, 9, 0},
                  {"layers is 3", 1, 16, 5, 0, 3, 9, 0}, {"b4.const has 128 values", 1, 16, 5, 0, 2, 8, 0},
                  {"conv_clamp", 1, 16, 5, 0, 2, 9, 256}};
    trainer *t = trainer_create(&config, 1);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        trainer_config other = config;
        other.shape.architecture = others[i].architecture;
        other.shape.resolution = other.start_resolution = others[i].resolution;
        other.shape.z_dim = others[i].z_dim;
        other.shape.label_size = others[i].labels;
        other.shape.mapping_layers = others[i].mapping_layers;
        other.shape.fmap_max = others[i].fmap_max;
        trainer *made = trainer_create(&other, 1);
        weights w;
        trainer_export(made, &w);
        w.config.conv_clamp = (float)others[i].clamp;
        char *why = trainer_begin_as(t, &w);
        test_check(why && strstr(why, others[i].told), "train: a run cannot begin as a network whose %s: %s",
                   others[i].told, why ? why : "no complaint");
        free(why);
        weights_free(&w);
        trainer_free(made);
    }
    trainer_free(t);
}

/* --- Options and order --- */

static void check_average(void) {
    trainer_config config = tiny();
    config.ema_kimg = 1000;
    config.ema_ramp = 1; /* half of it is younger than the images shown: in the second step, than one step */
    trainer *t = trainer_create(&config, 1);
    trainer_step_report ignored;
    const size_t count = t->g.net.floats;
    float *first = cli_alloc(count, sizeof *first);
    train(t, 1, &ignored);
    memcpy(first, t->g.net.values, count * sizeof *first);
    const int same = !memcmp(t->average, first, count * sizeof *first);
    train(t, 1, &ignored);
    double worst = 0;
    for (size_t i = 0; i < count; i++)
        note(&worst, fabs((double)t->average[i] - (double)(first[i] + t->g.net.values[i]) / 2));
    test_check(same && worst < 1e-6, "train: the average begins with a short memory: %.1e", worst);
    free(first);
    trainer_free(t);
}

static void check_widths(void) {
    const trainer_config config = tiny();
    trainer *wide = trainer_create(&small, 1), *equal = trainer_create(&config, 1);
    int sound =
        wide->g.channels[0] == 9 && wide->d.channels[0] == 11 && wide->g.channels[2] == 5 && wide->d.channels[2] == 6;
    for (int l = 0; l < equal->g.levels; l++) sound &= equal->g.channels[l] == equal->d.channels[l];
    test_check(sound, "train: a discriminator of its own width, or of the generator's");
    trainer_free(wide);
    trainer_free(equal);
}

/* The networks that ship: their weight files, and the multiply-adds of a picture. */
static void check_sizes(void) {
    static const struct {
        const char *preset;
        size_t bytes;
        double macs;
    } limits[] = {{"portraits-32", 250000, 20e6}, {"portraits-64", 1000000, 75e6}, {"portraits-128", 4000000, 300e6}};
    for (size_t i = 0; i < sizeof limits / sizeof *limits; i++) {
        trainer_config config;
        trainer_preset(limits[i].preset, &config);
        config.start_resolution = config.shape.resolution;
        trainer *t = trainer_create(&config, 1);
        weights w;
        test_file file;
        trainer_export(t, &w);
        file.bytes = weights_to_memory(&w, STYLEGAN_I8, &file.size);
        stylegan_model *model = test_open(&file, STYLEGAN_ISA_AUTO, 1);
        double macs = 0;
        for (int l = 0; l < stylegan_layer_count(model); l++) {
            stylegan_layer layer;
            stylegan_get_layer(model, l, &layer);
            macs += layer.macs;
        }
        test_check(file.size <= limits[i].bytes && macs <= limits[i].macs,
                   "train: %s: %zu bytes, %.1f million multiply-adds", limits[i].preset, file.size, macs / 1e6);
        stylegan_close(model);
        free(file.bytes);
        weights_free(&w);
        trainer_free(t);
    }
}

static void check_order(void) {
    trainer_config config = tiny();
    trainer *t = trainer_create(&config, 1);
    int good = 1;
    for (int count = 1; count <= 40; count += 13) {
        int seen[40] = {0};
        for (int i = 0; i < count; i++) {
            const int64_t picture = trainer_picture(t, i, count);
            good &= picture >= 0 && picture < count && !seen[picture]++;
        }
    }
    test_check(good, "train: an epoch shows every picture once");
    trainer_free(t);
    config.aug = AUG_ADA;
    t = trainer_create(&config, 1);
    for (int count = 2; count <= 40; count += 19) {
        int seen[40] = {0}, held = 0, all = 0;
        for (int i = 0; i < 40 * count; i++) seen[trainer_held_picture(t, i, count)] = 1;
        for (int i = 0; i < count; i++) held += seen[i];
        good &= held == (count + 9) / 10;
        for (int i = 0; i < count - held; i++) good &= !seen[trainer_picture(t, i, count)]++;
        for (int i = 0; i < count; i++) all += seen[i];
        good &= all == count;
    }
    test_check(good, "train: an epoch shows every picture once but those held back");
    trainer_free(t);
    config.aug = AUG_NONE;
    int sound = 1;
    char names[200];
    snprintf(names, sizeof names, "%s", trainer_preset_names());
    for (char *name = strtok(names, ", "); name; name = strtok(NULL, ", "))
        sound &= trainer_preset(name, &config) && !trainer_check(&config);
    config.batch = 6;
    test_check(sound && trainer_check(&config), "train: presets are sound, a batch of 6 is not");
}

int main(void) {
    heap = cli_alloc(HEAP, sizeof *heap);
    check_export();
    check_training(ARCHITECTURE_STYLEGAN1, LOSS_LOGISTIC, AUG_NONE, 2, "StyleGAN 1 with the logistic loss");
    check_training(ARCHITECTURE_STYLEGAN1, LOSS_RELATIVISTIC, AUG_NONE, 2, "StyleGAN 1 with the relativistic loss");
    check_training(ARCHITECTURE_STYLEGAN2, LOSS_RELATIVISTIC, AUG_NONE, 2, "StyleGAN 2 with the relativistic loss");
    check_training(ARCHITECTURE_STYLEGAN1, LOSS_RELATIVISTIC, AUG_ADA, 3, "StyleGAN 1 with augmentations");
    check_ada();
    for (int isa = STYLEGAN_ISA_SCALAR; isa < STYLEGAN_ISA_COUNT; isa++)
        if (stylegan_isa_available((stylegan_isa)isa)) check_threads((stylegan_isa)isa);
    check_moved_state();
    check_crafted_states();
    for (int i = 0; i < 2; i++) {
        check_begin((network_architecture)i, 0);
        check_begin((network_architecture)i, 3);
    }
    check_other_networks();
    check_average();
    check_widths();
    check_sizes();
    check_order();
    free(heap);
    return test_end();
}
