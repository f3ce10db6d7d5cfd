/* fuzz_picture.c - feeds the reader of what pictures say of themselves.
   .ci/run builds it with libFuzzer; with -DFUZZ_STANDALONE any compiler builds a program that runs files given as arguments,
   or with "--seconds N FILE..." mutates them at random. */
#include "../tools/base/notes.h"
#include "../tools/base/png.h"

#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    int width, height;
    char *notes;
    png_read_notes(data, size, &notes, &width, &height);
    free(notes_find(notes, "Seed"));
    free(notes);
    return 0;
}

#ifdef FUZZ_STANDALONE
#include "standalone_fuzzer.h"
#endif
