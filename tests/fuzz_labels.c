/* fuzz_labels.c - feeds the reader of dataset.json.
   .ci/run builds it with libFuzzer; with -DFUZZ_STANDALONE any compiler builds a program that runs files given as arguments,
   or with "--seconds N FILE..." mutates them at random. */
#include "../tools/base/cli.h"
#include "../tools/data/labels.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    label_list list;
    char *text = cli_format("%.*s", (int)size, (const char *)data);
    char *fault = label_list_parse(text, &list);
    (void)label_list_find(&list, "a.png");
    label_list_free(&list);
    free(fault);
    free(text);
    return 0;
}

#ifdef FUZZ_STANDALONE
#include "standalone_fuzzer.h"
#endif
