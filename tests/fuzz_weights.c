/* fuzz_weights.c - feeds the weight reader. With libFuzzer:
     clang -g -O1 -fsanitize=fuzzer,address,undefined tests/fuzz_weights.c -lm -lpthread
   With -DFUZZ_STANDALONE any compiler builds a program that runs files given as arguments, or with "--seconds N
   FILE..." mutates them at random. The checksums are made right first, so that what lies behind them is reached. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#define STYLEGAN_IMPLEMENTATION
#include "../stylegan.h"
#include "sgw.h"

#include <stdlib.h>
#include <string.h>

enum { LARGEST_WORKSPACE = 1 << 22, LARGEST_RESOLUTION = 32 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void draw(const stylegan_model *model) {
    const stylegan_config *config = stylegan_describe(model);
    size_t workspace_size = stylegan_workspace_size(model);
    if (workspace_size > LARGEST_WORKSPACE || config->resolution > LARGEST_RESOLUTION) return;
    size_t styles = (size_t)config->num_ws * (size_t)config->w_dim;
    size_t pixels = (size_t)config->channels * (size_t)config->resolution * (size_t)config->resolution;
    float *z = (float *)calloc((size_t)config->z_dim + 1, sizeof *z), *ws = (float *)calloc(styles + 1, sizeof *ws);
    float *image = (float *)calloc(pixels + 1, sizeof *image);
    stylegan_run run = {0};
    run.workspace_size = workspace_size;
    run.workspace = malloc(workspace_size + 1);
    if (z && ws && image && run.workspace) {
        stylegan_seed_z(1, z, config->z_dim);
        if (!stylegan_map(model, z, NULL, 1, 0.7f, config->num_ws, ws, &run, NULL))
            stylegan_synthesize(model, ws, 1, image, &run, NULL);
    }
    free(z);
    free(ws);
    free(image);
    free(run.workspace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned char *file = (unsigned char *)malloc(size ? size : 1);
    if (!file) return 0;
    memcpy(file, data, size);
    sgw_fix_checksums(file, size);
    stylegan_options options;
    memset(&options, 0, sizeof options);
    options.threads = 1;
    stylegan_error error;
    stylegan_model *model = stylegan_open_memory(file, size, &options, &error);
    if (model) draw(model);
    stylegan_close(model);
    free(file);
    return 0;
}

#ifdef FUZZ_STANDALONE
#include "standalone_fuzzer.h"
#endif
