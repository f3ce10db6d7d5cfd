/* fuzz_packed.c - feeds the reader of packed pictures, and reads them all. The header's checksum is made right first.
   .ci/run builds it with libFuzzer; with -DFUZZ_STANDALONE any compiler builds a program that runs files given as arguments,
   or with "--seconds N FILE..." mutates them at random. */
#include "../tools/data/sources.h"
#include "sgw.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_all(const dataset *d) {
    uint8_t *pixels = cli_alloc(picture_bytes(d->resolution), 1);
    float *label = cli_alloc((size_t)d->label_size, sizeof *label);
    for (int64_t i = 0; i < d->count; i++) dataset_read(d, i, pixels, label);
    free(pixels);
    free(label);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { CHECKSUM_AT = 56 };
    unsigned char *copy = cli_alloc(size, 1);
    const file_view file = {copy, size, 0};
    uint32_t a = 1, b = 0;
    dataset d;
    memcpy(copy, data, size);
    if (size >= CHECKSUM_AT + 8) {
        sgw_sum(copy, copy + CHECKSUM_AT, &a, &b);
        sgw_write(copy + CHECKSUM_AT, (uint64_t)b << 32 | a, 8);
    }
    char *fault = dataset_view_packed(&d, &file);
    if (fault) {
        free(fault);
        free(copy);
        return 0;
    }
    read_all(&d);
    dataset_close(&d);
    return 0;
}

#ifdef FUZZ_STANDALONE
#include "standalone_fuzzer.h"
#endif
