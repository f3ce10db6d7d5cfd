/* fuzz_state.c - feeds the reader of training states, and goes on for a step with what it accepts. Size and checksum are
   made right first.
   .ci/run builds it with libFuzzer; with -DFUZZ_STANDALONE any compiler builds a program that runs files given as arguments,
   or with "--seconds N FILE..." mutates them at random. */
#include "../tools/base/cli.h"
#include "sgt.h"

#include <stdlib.h>

enum { MOST_RESOLUTION = 16, MOST_BATCH = 8 }; /* larger ones are legal, and take long */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int option(const unsigned char *state, const char *name) {
    int value;
    memcpy(&value, state + sgt_offset(name), sizeof value);
    return value;
}

static void go_on(trainer *t) {
    const trainer_config *config = trainer_get_config(t);
    const int resolution = config->shape.resolution;
    uint8_t *pixels = cli_alloc((size_t)(config->batch * resolution * resolution), 3);
    float *labels = cli_alloc((size_t)(config->batch * config->shape.label_size), sizeof *labels);
    for (int i = 0; i < config->batch * resolution * resolution * 3; i++) pixels[i] = (uint8_t)(i * 7);
    for (int i = 0; i < config->batch * config->shape.label_size; i++) labels[i] = (float)(i % 2);
    trainer_step(t, pixels, labels, NULL);
    free(labels);
    free(pixels);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    unsigned char *copy = cli_alloc(size, 1);
    const char *why;
    memcpy(copy, data, size);
    sgt_fix(copy, size);
    const int small =
        size < sgt_offset("") || (option(copy, "resolution") <= MOST_RESOLUTION && option(copy, "batch") <= MOST_BATCH);
    trainer *t = small ? trainer_load(copy, size, NULL, 1, &why) : NULL;
    if (t) go_on(t);
    trainer_free(t);
    free(copy);
    return 0;
}

#ifdef FUZZ_STANDALONE
#include "standalone_fuzzer.h"
#endif
