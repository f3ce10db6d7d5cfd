/* test_mixed.c - the trainer in mixed precision: gradients beside those of float32, runs that must agree to the bit. On real
   matrix units, or, built with STYLEGAN_MODEL_AMX, on their model in plain C: the checksum is the same. */
#include "small_trainer.h"

#include <stdlib.h>

/* Networks of whole and of broken channel blocks, on few pixels: the model is slow. */
static trainer_config mixed_config(network_architecture architecture, trainer_precision precision) {
    trainer_config config = small;
    config.shape.architecture = (int)architecture;
    config.shape.label_size = 0;
    config.shape.z_dim = config.shape.w_dim = 32;
    config.shape.fmap_base = config.shape.d_fmap_base = 320;
    config.shape.fmap_max = config.shape.d_fmap_max = 40;
    config.start_resolution = 16;
    config.batch = 8;
    config.mixing = 0;
    config.ada_kimg = 1;
    config.precision = (int)precision;
    return config;
}

static void draw_pixels(const trainer *t, uint8_t *pixels, size_t count) {
    for (size_t i = 0; i < count; i++)
        pixels[i] = (uint8_t)(256 * random_uniform(random_key(9, RANDOM_ORDER, (uint64_t)trainer_images(t)), i / 48));
}

static trainer_step_report step(trainer *t) {
    static uint8_t pixels[8 * 16 * 16 * 3];
    trainer_step_report report;
    draw_pixels(t, pixels, sizeof pixels);
    trainer_step(t, pixels, NULL, &report);
    return report;
}

/* Of two vectors: how long their difference is, over the length of the second, and the cosine between them. */
static void compare_vectors(const float *a, const float *b, size_t count, double *error, double *cosine) {
    double difference = 0, product = 0, square_a = 0, square_b = 0;
    for (size_t i = 0; i < count; i++) {
        const double x = (double)a[i], y = (double)b[i];
        difference += (x - y) * (x - y);
        product += x * y;
        square_a += x * x;
        square_b += y * y;
    }
    *error = sqrt(difference / square_b);
    *cosine = product / sqrt(square_a * square_b);
}

/* The gradients of both networks after some steps, each with its penalties. They are sums of what almost cancels out: to round
   the weights of the float32 networks to 16 bits changes them as much, most of all where AdaIN divides by small deviations. D does not learn in the last step, so that G's
   gradients are those of the same D. */
static void check_gradients(network_architecture architecture) {
    enum { STEPS = 3 };
    const trainer_config config[2] = {mixed_config(architecture, PRECISION_BF16),
                                      mixed_config(architecture, PRECISION_F32)};
    trainer *t[2];
    for (int i = 0; i < 2; i++) t[i] = trainer_create(&config[i], 1);
    for (int i = 0; i < STEPS; i++) step(t[1]);
    network *nets[2][2] = {{&t[0]->g.net, &t[0]->d.net}, {&t[1]->g.net, &t[1]->d.net}};
    for (int k = 0; k < 2; k++) memcpy(nets[0][k]->values, nets[1][k]->values, nets[0][k]->floats * sizeof(float));
    t[0]->steps = t[1]->steps;
    t[0]->images = t[1]->images;
    for (int i = 0; i < 2; i++) {
        t[i]->config.d_rate = 0;
        step(t[i]);
    }
    double error, cosine;
    compare_vectors(d_gradient_of_both(t[0]), d_gradient_of_both(t[1]), t[0]->d.net.floats, &error, &cosine);
    test_check(error < 0.2 && cosine > 0.985,
               "mixed: StyleGAN %d, D's gradients: %.1e from those in float32, cosine %.6f", (int)architecture + 1,
               error, cosine);
    compare_vectors(t[0]->shards_of_batch[0].g_gradient, t[1]->shards_of_batch[0].g_gradient, t[0]->g.net.floats,
                    &error, &cosine);
    test_check(error < 0.2 && cosine > 0.985,
               "mixed: StyleGAN %d, G's gradients: %.1e from those in float32, cosine %.6f", (int)architecture + 1,
               error, cosine);
    for (int i = 0; i < 2; i++) trainer_free(t[i]);
}

static void check_runs(network_architecture architecture) {
    enum { STEPS = 4, HALF = 2 };
    const trainer_config config = mixed_config(architecture, PRECISION_BF16);
    trainer *one = trainer_create(&config, 1), *two = trainer_create(&config, 2);
    unsigned char *state[3];
    size_t size[3];
    const char *why;
    for (int i = 0; i < HALF; i++) step(two);
    state[0] = trainer_save(two, &size[0]);
    trainer *resumed = trainer_load(state[0], size[0], NULL, 1, &why);
    for (int i = 0; i < STEPS; i++) step(one);
    for (int i = HALF; resumed && i < STEPS; i++) step(resumed);
    state[1] = trainer_save(one, &size[1]);
    state[2] = resumed ? trainer_save(resumed, &size[2]) : NULL;
    test_check(
        resumed && size[1] == size[2] && !memcmp(state[1], state[2], size[1]),
        "mixed: StyleGAN %d, %d steps on one thread, or on two and resumed: the same to the bit, checksum %016llx",
        (int)architecture + 1, STEPS, (unsigned long long)training_checksum(0, state[1], size[1]));
    for (int i = 0; i < 3; i++) free(state[i]);
    trainer_free(one);
    trainer_free(two);
    trainer_free(resumed);
}

int main(void) {
    const trainer_config config = mixed_config(ARCHITECTURE_STYLEGAN2, PRECISION_BF16);
    if (!trainer_engine(&config)) {
        puts("skipped: mixed precision: no matrix units");
        return 0;
    }
    for (int i = 0; i < 2; i++) {
        check_gradients((network_architecture)i);
        check_runs((network_architecture)i);
    }
    return test_end();
}
