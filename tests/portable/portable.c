/* portable.c - a whole user of the library, in the common subset of C99 and C++11, that every compiler, option and
   processor must build and run: portable MODEL.sgw z.npy img.npy PSI CUTOFF draws the first latent with memory of its
   own and compares with the first image. */
#define STYLEGAN_IMPLEMENTATION
#include "stylegan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_BYTES = 4 << 20, MOST_STYLES = 4096, MOST_PIXELS = 4 * 128 * 128 };

static unsigned char weights_file[MOST_BYTES], array_file[MOST_BYTES];
static float model_memory[MOST_BYTES / 4], workspace[MOST_BYTES / 2];
static float z[MOST_STYLES], ws[MOST_STYLES], image[MOST_PIXELS], expected[MOST_PIXELS];

static size_t read_file(const char *path, unsigned char *bytes) {
    FILE *file = fopen(path, "rb");
    size_t size = file ? fread(bytes, 1, MOST_BYTES, file) : 0;
    if (file) fclose(file);
    if (!size || size == MOST_BYTES) {
        printf("FAIL portable: cannot read %s\n", path);
        exit(1);
    }
    return size;
}

/* The first `count` numbers of a little-endian float32 .npy file of version 1. */
static void read_array(const char *path, float *values, size_t count) {
    size_t size = read_file(path, array_file);
    size_t data = 10 + array_file[8] + 256 * (size_t)array_file[9];
    if (size < data + 4 * count) {
        printf("FAIL portable: %s is short\n", path);
        exit(1);
    }
    for (size_t i = 0; i < count; i++) {
        const unsigned char *p = array_file + data + 4 * i;
        uint32_t bits = (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        memcpy(values + i, &bits, 4);
    }
}

static double difference(size_t count) {
    double least = 1e30, most = -1e30, largest = 0;
    for (size_t i = 0; i < count; i++) {
        double value = (double)expected[i], distance = (double)image[i] - value;
        if (distance < 0) distance = -distance;
        if (!(distance <= largest)) largest = distance;
        if (value < least) least = value;
        if (value > most) most = value;
    }
    return largest / (most - least);
}

int main(int argc, char **argv) {
    stylegan_error error;
    stylegan_options options;
    stylegan_run run;
    if (argc != 6) return 2;
    memset(&options, 0, sizeof options);
    memset(&run, 0, sizeof run);
    size_t size = read_file(argv[1], weights_file);
    options.memory = model_memory;
    options.memory_size = sizeof model_memory;
    for (int isa = STYLEGAN_ISA_AUTO + 1; isa < STYLEGAN_ISA_COUNT; isa++) {
        options.isa = (stylegan_isa)isa;
        if (stylegan_isa_available(options.isa) || !stylegan_open_memory(weights_file, size, &options, &error))
            continue;
        printf("FAIL portable: opens for %s, which is not there\n", stylegan_isa_name(options.isa));
        return 1;
    }
    options.isa = STYLEGAN_ISA_AUTO;
    stylegan_model *model = stylegan_open_memory(weights_file, size, &options, &error);
    if (!model) {
        printf("FAIL portable: %s\n", error.message);
        return 1;
    }
    const stylegan_config *config = stylegan_describe(model);
    size_t pixels = (size_t)config->channels * (size_t)config->resolution * (size_t)config->resolution;
    int cutoff = (int)strtol(argv[5], NULL, 10);
    run.workspace = workspace;
    run.workspace_size = sizeof workspace;
    read_array(argv[2], z, (size_t)config->z_dim);
    read_array(argv[3], expected, pixels);
    if (stylegan_map(model, z, NULL, 1, (float)strtod(argv[4], NULL), cutoff, ws, &run, &error) ||
        stylegan_synthesize(model, ws, 1, image, &run, &error)) {
        printf("FAIL portable: %s\n", error.message);
        return 1;
    }
    double found = difference(pixels);
    int good = found <= 2e-5;
    printf("%s portable %s: image %.1e\n", good ? "ok" : "FAIL", stylegan_isa_name(stylegan_model_isa(model)), found);
    stylegan_close(model);
    return !good;
}
