/* fuzz_npy.c - feeds the reader of NumPy's arrays and archives.
   .ci/run builds it with libFuzzer; with -DFUZZ_STANDALONE any compiler builds a program that runs files given as arguments,
   or with "--seconds N FILE..." mutates them at random. */
#include "../tools/base/npz.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    npy array;
    char *fault = npz_parse(data, size, &array);
    volatile float last = !fault && array.count ? array.values[array.count - 1] : 0;
    (void)last;
    free(fault);
    free(array.values);
    return 0;
}

#ifdef FUZZ_STANDALONE
#include "standalone_fuzzer.h"
#endif
