/* footprint.c - the library once more, as a board compiles it, to ask it what it needs there. */
#define STYLEGAN_STATIC
#define STYLEGAN_NO_STDIO
#define STYLEGAN_NO_MALLOC
#define STYLEGAN_NO_THREADS
#define STYLEGAN_NO_SIMD
#define STYLEGAN_KERNELS /* which are exchanged here */
#define STYLEGAN_IMPLEMENTATION
#include "../../stylegan.h"

#include "layout32.h"
#include "plans.h"

enum {
#define SIZE_32(type, bytes) type##_32 = bytes,
    LAYOUT_32(SIZE_32)
#undef SIZE_32
};

static uint64_t table_bytes(int count, size_t size) {
    return ((uint64_t)count * size + SG__ALIGN - 1) / SG__ALIGN * SG__ALIGN;
}

/* What smaller pointers save in a table of `count`. */
#define SAVED(count, type) ((int64_t)table_bytes(count, sizeof(type)) - (int64_t)table_bytes(count, type##_32))

/* The same plan where a pointer has 4 bytes: floats and counters stay, the tables of sg__arrange and sg__layout shrink. */
static footprint shrink(const stylegan_model *m, footprint f) {
    const int steps = sg__most_steps(&m->config);
    f.open -=
        (uint64_t)(SAVED(1, stylegan_model) + SAVED(steps, sg__step) + SAVED(steps, sg__plan) + SAVED(steps, sg__map) +
                   SAVED(1, sg__sizes) + SAVED(m->config.mapping_layers, sg__layer) + SAVED(1, sg__shared));
    f.workspace -=
        (uint64_t)(SAVED(m->step_count, sg__map) + SAVED(m->step_count, sg__tables) + SAVED(m->parts, sg__scratch));
    return f;
}

/* Maps, panels and styles come in whole vectors: what they are where the library is compiled for Helium, which it is not
   here. tests/test_boards.sh compares the sizes that come of it with the board's own. */
static void take_vectors(stylegan_model *m, const sg__kernels *k) {
    const int panel = k->lanes * k->vectors;
    m->kernels = k;
    m->style_floats = 0;
    for (int i = 0; i < m->step_count; i++) {
        if (!m->steps[i].affine_weight.data) continue;
        m->steps[i].style = m->style_floats;
        m->style_floats += (size_t)((m->steps[i].affine_weight.columns + panel - 1) / panel * panel);
    }
}

int footprint_board(const unsigned char *bytes, size_t size, int helium, int bits, int precision, int count,
                    footprint plans[FOOTPRINT_MOST_PLANS]) {
    void *memory;
    stylegan_model *m = open_for_plans(bytes, size, STYLEGAN_ISA_SCALAR, 1, precision, &memory);
    sg__kernels vectors = *m->kernels;
    vectors.lanes = 4;
    vectors.pixels = 3;
    vectors.vectors = 2;
    if (helium) take_vectors(m, &vectors);
    const int found = list_plans(m, stylegan_open_size(bytes, size, NULL, NULL), count, plans);
    for (int i = 0; i < found && bits == 32; i++) plans[i] = shrink(m, plans[i]);
    free(memory);
    return found;
}
