/* engine.c - the library itself, compiled once for all commands; and what needs its inside: random numbers as they are, plans. */
#define STYLEGAN_KERNELS
#define STYLEGAN_IMPLEMENTATION
#include "../../stylegan.h"

#include "plans.h"
#include "shuffle.h"

/* From 0 to `most`: the first that is small enough, of numbers cut to as many bits. */
static uint32_t draw_up_to(sg__twister *twister, uint32_t most) {
    uint32_t mask = most, number;
    for (int shift = 1; shift < 32; shift *= 2) mask |= mask >> shift;
    do number = sg__twister_next(twister) & mask;
    while (number > most);
    return number;
}

void shuffle(uint32_t *values, int count, uint32_t seed) {
    sg__twister twister;
    sg__twister_start(&twister, seed);
    for (int i = count - 1; i > 0; i--) {
        const uint32_t j = draw_up_to(&twister, (uint32_t)i), moved = values[i];
        values[i] = values[j];
        values[j] = moved;
    }
}

int footprint_here(const unsigned char *bytes, size_t size, int isa, int threads, int precision,
                   footprint plans[FOOTPRINT_MOST_PLANS]) {
    void *memory;
    stylegan_model *m = open_for_plans(bytes, size, (stylegan_isa)isa, threads, precision, &memory);
    const int found = list_plans(m, stylegan_open_size(bytes, size, NULL, NULL), 1, plans);
    free(memory);
    return found;
}
