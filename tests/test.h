/* test.h - what the tests share: reporting, networks in memory, the engine run in a given way, differences. */
#ifndef TEST_H
#define TEST_H

#include "../stylegan.h"
#include "../tools/model/random_network.h"

#ifdef __GNUC__
#define TEST_PRINTF(text, first) __attribute__((format(printf, text, first)))
#else
#define TEST_PRINTF(text, first)
#endif

/* Prints "ok NAME: detail" or "FAIL NAME: detail"; the format makes "NAME: detail". Returns ok. */
int test_check(int ok, const char *format, ...) TEST_PRINTF(2, 3);

/* The exit status: 1 if any check failed or there was none. */
int test_end(void);

/* A weight file in memory. */
typedef struct test_file {
    unsigned char *bytes;
    size_t size;
} test_file;
test_file test_random_network(uint64_t seed, stylegan_type type);
test_file test_random_network3(uint64_t seed, stylegan_type type); /* of StyleGAN 3 */
test_file test_tall_network3(uint64_t seed);
test_file test_named_network(const char *name, stylegan_type type);
test_file test_tall_network(uint64_t seed);
test_file test_young_network(uint64_t seed);       /* still growing: a row computed is 32 of the image */
test_file test_rectangular_network(uint64_t seed); /* one side a quarter, a half or three quarters of the other */

/* "1, skip, 64x64x3, ...": a configuration in one line; valid until the next call. */
const char *test_describe(const stylegan_config *config);

/* Whether a model has a tensor of that name, which becomes *tensor. */
int test_find_tensor(const stylegan_model *model, const char *name, stylegan_tensor *tensor);

/* Opens or ends the program. */
stylegan_model *test_open(const test_file *file, stylegan_isa isa, int threads);
stylegan_model *test_open_limited(const test_file *file, stylegan_isa isa, int threads, size_t memory_limit);

/* `count` normal values from stylegan_seed_z; the caller frees them, as the following. */
float *test_normal(uint32_t seed, size_t count);

/* ws [count][L][D] about w_avg: mapped from random latents and labels; the caller frees it. */
float *test_styles(const stylegan_model *model, uint32_t seed, int count);

size_t test_image_size(const stylegan_config *config); /* floats */

/* Synthesizes or ends the program. `run` may be NULL. The caller frees the images. */
float *test_images(const stylegan_model *model, const float *ws, int count, const stylegan_run *run);

/* The image of ws [L][D], drawn by a model opened with these options, or NULL where the instruction set is not available. The
   caller frees it. */
float *test_draw(const test_file *file, const stylegan_options *options, const float *ws);

/* The largest |a - b| over the range of b; infinite where a is not a number. */
double test_difference(const float *a, const float *b, size_t count);

/* The largest |a - b| over the largest |b|. */
double test_relative(const float *a, const float *b, size_t count);

int test_same(const float *a, const float *b, size_t count); /* to the bit */

/* The linked engine's kernels, NULL where this processor does not have them. */
const struct sg__kernels *test_kernels(stylegan_isa isa);

/* The next available instruction set behind `isa`, STYLEGAN_ISA_COUNT at the end. Start from STYLEGAN_ISA_AUTO. */
stylegan_isa test_next_isa(stylegan_isa isa);

#endif
