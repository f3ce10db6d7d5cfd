/* mix.c - style mixing (StyleGAN, section 3.1): pose and shape of one person, colours and details of another.
   cc -O2 examples/mix.c -o mix -lm && ./mix ffhq.sgw 85 55 mixed.ppm */
#include <stdio.h>
#include <stdlib.h>

#define STYLEGAN_IMPLEMENTATION
#include "../stylegan.h"

static const stylegan_config *config;

/* Ends the program if `ok` is not true. */
static void check(int ok, const char *message) {
    if (ok) return;
    fprintf(stderr, "mix: %s\n", message);
    exit(1);
}

static float *floats(size_t count) {
    float *memory = malloc(count * sizeof *memory);
    check(memory != NULL, "out of memory");
    return memory;
}

/* z is what the seed draws, ws [num_ws][w_dim] are the styles of the layers. */
static float *styles_of(const stylegan_model *model, const char *seed) {
    float *z = floats((size_t)config->z_dim), *ws = floats((size_t)config->num_ws * (size_t)config->w_dim);
    char *end;
    const unsigned long number = strtoul(seed, &end, 10);
    stylegan_error error;
    check(end != seed && !*end && number <= UINT32_MAX, "seeds are whole numbers from 0 to 4294967295");
    stylegan_seed_z((uint32_t)number, z, config->z_dim);
    check(!stylegan_map(model, z, NULL, 1, config->truncation_psi, config->truncation_cutoff, ws, NULL, &error),
          error.message);
    free(z);
    return ws;
}

static void save(const char *path, const unsigned char *pixels) {
    FILE *file = fopen(path, "wb");
    check(file != NULL, "cannot write the picture");
    fprintf(file, "P%d %d %d 255\n", config->channels == 1 ? 5 : 6, config->width, config->height); /* grey or RGB */
    const size_t count = (size_t)config->height * (size_t)config->width;
    const int whole = fwrite(pixels, (size_t)config->channels, count, file) == count;
    check(!fclose(file) && whole, "cannot write the picture");
}

int main(int argc, char **argv) {
    check(argc == 5, "usage: mix MODEL.sgw COARSE_SEED FINE_SEED OUT.ppm");
    stylegan_error error;
    stylegan_model *model = stylegan_open_file(argv[1], NULL, &error);
    check(model != NULL, error.message);
    config = stylegan_describe(model);

    /* Layers 0 to 3 are those up to 8 x 8 (in StyleGAN 2, the first of 16 x 16, too): pose, face shape. */
    const int first_fine = 4;
    check(config->num_ws > first_fine, "the network has too few layers to mix");
    float *coarse = styles_of(model, argv[2]), *fine = styles_of(model, argv[3]);
    stylegan_mix(model, coarse, fine, first_fine, config->num_ws - 1, coarse);

    const size_t values = (size_t)config->channels * (size_t)config->height * (size_t)config->width;
    float *image = floats(values);
    unsigned char *pixels = malloc(values);
    check(pixels != NULL, "out of memory");
    check(!stylegan_synthesize(model, coarse, 1, image, NULL, &error), error.message);
    stylegan_to_rgb8(image, config->channels, config->height, config->width, pixels);
    save(argv[4], pixels);

    free(pixels);
    free(image);
    free(fine);
    free(coarse);
    stylegan_close(model);
    return 0;
}
