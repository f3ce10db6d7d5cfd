/* footprint.c - the library once more, as a board compiles it, to ask it what it needs there. */
#define STYLEGAN_STATIC
#define STYLEGAN_NO_STDIO
#define STYLEGAN_NO_MALLOC
#define STYLEGAN_NO_THREADS
#define STYLEGAN_NO_SIMD
#define STYLEGAN_IMPLEMENTATION
#include "../../stylegan.h"

#include "../base/cli.h"
#include "footprint.h"
#include "layout32.h"

#include <stdlib.h>

enum {
#define SIZE_32(type, bytes) type##_32 = bytes,
    LAYOUT_32(SIZE_32)
#undef SIZE_32
};

static uint64_t table_bytes(int count, size_t size) {
    return ((uint64_t)count * size + SG__ALIGN - 1) / SG__ALIGN * SG__ALIGN;
}

/* What smaller pointers save in a table of `count`. */
#define SAVED(count, type) (table_bytes(count, sizeof(type)) - table_bytes(count, type##_32))

/* The same plan where a pointer has 4 bytes: floats and counters stay, the tables of sg__arrange and sg__layout shrink. */
static footprint shrink(const stylegan_model *m, footprint f) {
    const int steps = sg__most_steps(&m->config);
    f.open -= SAVED(1, stylegan_model) + SAVED(steps, sg__step) + SAVED(steps, sg__plan) + SAVED(steps, sg__map) +
              SAVED(1, sg__sizes) + SAVED(m->config.mapping_layers, sg__layer) + SAVED(1, sg__shared);
    f.workspace -= SAVED(m->step_count, sg__map) + SAVED(m->step_count, sg__tables) + SAVED(m->parts, sg__scratch);
    return f;
}

int footprint_plans(const unsigned char *bytes, size_t size, int bits, footprint plans[FOOTPRINT_MOST_PLANS]) {
    const size_t open_size = stylegan_open_size(bytes, size, NULL, NULL);
    stylegan_options options = {0};
    int count = 0;
    options.memory = cli_alloc(open_size, 1);
    options.memory_size = open_size;
    options.trust_data = 1; /* it has been opened before */
    for (size_t last = 0; count < FOOTPRINT_MOST_PLANS; count++) {
        const stylegan_model *model = stylegan_open_memory(bytes, size, &options, NULL);
        const size_t workspace = model ? stylegan_workspace_size(model) : 0;
        if (!model || (last && workspace >= last)) break; /* there is no leaner one */
        plans[count] = (footprint){open_size, workspace};
        if (bits == 32) plans[count] = shrink(model, plans[count]);
        last = workspace;
        options.memory_limit = last - 1;
    }
    free(options.memory);
    return count;
}
