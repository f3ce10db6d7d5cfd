/* fixture.h - what the checks of the API work on: one network of many, its model with one thread, three styles and their
   images. */
#ifndef FIXTURE_H
#define FIXTURE_H

#include "test.h"
#include "../tools/base/cli.h"

#include <stdlib.h>

typedef struct fixture {
    int seed;
    test_file file;
    stylegan_model *model;
    stylegan_config config;
    size_t style_size, image_size;
    float *ws, *images;
} fixture;

enum { BATCH = 3 };

/* Seeds from 100 on: a StyleGAN 3. */
static inline void make_network(int seed, weights *w) {
    (seed < 100 ? random_network : random_network3)((uint64_t)seed, w);
}

static inline fixture set_up(int seed) {
    fixture f;
    f.seed = seed;
    f.file = seed < 100 ? test_random_network((uint64_t)seed, STYLEGAN_F32)
                        : test_random_network3((uint64_t)seed, STYLEGAN_F32);
    f.model = test_open(&f.file, STYLEGAN_ISA_AUTO, 1);
    f.config = *stylegan_describe(f.model);
    f.style_size = (size_t)f.config.num_ws * (size_t)f.config.w_dim;
    f.image_size = test_image_size(&f.config);
    f.ws = test_styles(f.model, 1, BATCH);
    f.images = test_images(f.model, f.ws, BATCH, NULL);
    return f;
}

static inline void tear_down(fixture *f) {
    stylegan_close(f->model);
    free(f->file.bytes);
    free(f->ws);
    free(f->images);
}

static inline int draws_the_same(const fixture *f, const stylegan_model *model) {
    float *images = test_images(model, f->ws, BATCH, NULL);
    int same = test_same(images, f->images, BATCH * f->image_size);
    free(images);
    return same;
}

/* Draws one image without help; the caller frees it. */
static inline float *draw(const stylegan_model *model, const float *ws, stylegan_noise_mode mode, uint64_t noise_seed) {
    stylegan_run run = {0};
    run.noise_mode = mode;
    run.noise_seed = noise_seed;
    return test_images(model, ws, 1, &run);
}

/* Seeds from 1 on: networks of StyleGAN 1 and 2, from 100 on: of StyleGAN 3. */
static const int fixture_seeds[] = {1, 2, 3, 4, 5, 6, 100, 101, 102};
enum { FIXTURES = sizeof fixture_seeds / sizeof *fixture_seeds };

#endif
