/* fuzz_table.c - feeds the readers of tables: values of seeds, names of directions.
   .ci/run builds it with libFuzzer; with -DFUZZ_STANDALONE any compiler builds a program that runs files given as arguments,
   or with "--seconds N FILE..." mutates them at random. */
#include "../tools/model/directions.h"
#include "../tools/model/seed_values.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    enum { COUNT = 4 };
    seed_values v;
    char *names[COUNT] = {NULL};
    char *fault = seed_values_parse(&v, data, size);
    volatile double last = v.count ? v.values[v.count * v.columns - 1] : 0;
    (void)last;
    free(fault);
    seed_values_free(&v);
    free(direction_names_parse(data, size, COUNT, names));
    for (int i = 0; i < COUNT; i++) free(names[i]);
    return 0;
}

#ifdef FUZZ_STANDALONE
#include "standalone_fuzzer.h"
#endif
