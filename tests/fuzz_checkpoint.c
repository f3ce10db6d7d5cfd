/* fuzz_checkpoint.c - feeds the checkpoint reader, which must refuse or accept within bounded memory and time.
   .ci/run builds it with libFuzzer; with -DFUZZ_STANDALONE any compiler builds a program that runs files given as arguments,
   or with "--seconds N FILE..." mutates them at random. */
#include "../tools/convert/checkpoint.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LARGEST_TENSOR = 1 << 22 };

/* Reads the tensors as well, as far as they are small. */
static void read_tensors(const weights *w) {
    float *values = cli_alloc(LARGEST_TENSOR, sizeof *values);
    for (int i = 0; i < w->count; i++) {
        const weights_tensor *t = &w->tensors[i];
        double count = 1;
        for (int d = 0; d < t->dimensions; d++) count *= t->shape[d];
        if (t->fill && count <= LARGEST_TENSOR) t->fill(t->context, values);
    }
    free(values);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (int choice = GENERATOR_PREFER_AVERAGED; choice <= GENERATOR_TRAINING; choice++) {
        reader r;
        network n;
        reader_open(&r, size);
        checkpoint_read(&r, data, size, (generator_choice)choice, &n);
        if (!r.error[0]) read_tensors(&n.w);
        weights_free(&n.w);
        reader_close(&r);
    }
    return 0;
}

#ifdef FUZZ_STANDALONE
#include "standalone_fuzzer.h"
#endif
