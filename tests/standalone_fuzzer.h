/* standalone_fuzzer.h - a main() for a fuzz target where there is no libFuzzer: runs every file given, or with
   --seconds N mutates them for N seconds. The random numbers are fixed: a run repeats. */
#ifndef STANDALONE_FUZZER_H
#define STANDALONE_FUZZER_H

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

typedef struct fuzz_input {
    unsigned char *bytes;
    size_t size;
} fuzz_input;

static uint32_t fuzz_random(uint32_t limit) { /* xorshift */
    static uint32_t state = 2463534242u;
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    return limit ? state % limit : state;
}

static fuzz_input fuzz_read(const char *path) {
    fuzz_input input = {NULL, 0};
    FILE *file = fopen(path, "rb");
    if (!file || fseek(file, 0, SEEK_END)) {
        fprintf(stderr, "%s: cannot read\n", path);
        exit(1);
    }
    input.size = (size_t)ftell(file);
    input.bytes = (unsigned char *)malloc(input.size + 1);
    rewind(file);
    if (!input.bytes || fread(input.bytes, 1, input.size, file) != input.size) exit(1);
    fclose(file);
    return input;
}

/* A few bytes, mostly near the beginning, become other bytes, interesting numbers or copies; sometimes the end is cut.
 */
static void fuzz_mutate(fuzz_input *copy) {
    static const uint32_t numbers[] = {0,   1,     2,          3,           4,           127,        128,
                                       255, 65535, 0x7FFFFFFF, 0x80000000u, 0xFFFFFFFFu, 0x7FC00000, 0x3F800000};
    uint32_t changes = 1 + fuzz_random(6);
    for (uint32_t i = 0; i < changes && copy->size > 8; i++) {
        uint32_t span = fuzz_random(4) ? 4096 : (uint32_t)copy->size;
        if (span > copy->size) span = (uint32_t)copy->size;
        size_t at = fuzz_random(span - 7), from = fuzz_random((uint32_t)copy->size - 7);
        uint32_t number = numbers[fuzz_random((uint32_t)(sizeof numbers / sizeof *numbers))];
        switch (fuzz_random(5)) {
        case 0:
            copy->bytes[at] ^= (unsigned char)(1u << fuzz_random(8));
            break;
        case 1:
            copy->bytes[at] = (unsigned char)fuzz_random(256);
            break;
        case 2:
            for (int b = 0; b < 4; b++) copy->bytes[(at & ~(size_t)3) + (size_t)b] = (unsigned char)(number >> 8 * b);
            break;
        case 3:
            memmove(copy->bytes + at, copy->bytes + from, 1 + fuzz_random(7));
            break;
        default:
            if (fuzz_random(8) == 0)
                copy->size -= fuzz_random((uint32_t)copy->size);
            else
                copy->bytes[at] = (unsigned char)(copy->bytes[at] + 1 - fuzz_random(3));
        }
    }
}

/* As libFuzzer's, for a target that calls it from a mutator of its own. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most) {
    fuzz_input input = {data, size};
    (void)most;
    fuzz_mutate(&input);
    return input.size;
}

static void fuzz_change(fuzz_input *copy) {
#ifdef FUZZ_CUSTOM_MUTATOR
    copy->size = LLVMFuzzerCustomMutator(copy->bytes, copy->size, copy->size, fuzz_random(0));
#else
    fuzz_mutate(copy);
#endif
}

static long fuzz_for(const fuzz_input *inputs, int count, double seconds) {
    long runs = 0;
    for (time_t start = time(NULL); difftime(time(NULL), start) < seconds; runs++) {
        const fuzz_input *input = &inputs[fuzz_random((uint32_t)count)];
        fuzz_input copy = {(unsigned char *)malloc(input->size + 1), input->size};
        if (!copy.bytes) exit(1);
        memcpy(copy.bytes, input->bytes, input->size);
        fuzz_change(&copy);
        LLVMFuzzerTestOneInput(copy.bytes, copy.size);
        free(copy.bytes);
    }
    return runs;
}

int main(int argc, char **argv) {
    int first = argc > 2 && !strcmp(argv[1], "--seconds") ? 3 : 1, count = argc - first;
    if (count < 1) {
        fprintf(stderr, "usage: %s [--seconds N] FILE...\n", argv[0]);
        return 2;
    }
    fuzz_input *inputs = (fuzz_input *)calloc((size_t)count, sizeof *inputs);
    if (!inputs) return 1;
    for (int i = 0; i < count; i++) {
        inputs[i] = fuzz_read(argv[first + i]);
        LLVMFuzzerTestOneInput(inputs[i].bytes, inputs[i].size);
    }
    long runs = first == 3 ? fuzz_for(inputs, count, strtod(argv[2], NULL)) : 0;
    printf("ok fuzz: %d files, %ld mutations\n", count, runs);
    for (int i = 0; i < count; i++) free(inputs[i].bytes);
    free(inputs);
    return 0;
}

#endif
