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

/* --- Counting: a drawing with kernels that do nothing --- */

static struct {
    double products;
    int lanes;
} counted;

static void count_products(const sg__row *row, int q) {
    counted.products += (double)row->width * row->taps * row->channels * q * counted.lanes;
}

static void skip_panel(const sg__tensor *tensor, size_t row, int rows, int column, int q, const float *style,
                       float *squares, float *panel) {
    (void)tensor, (void)row, (void)rows, (void)column, (void)q, (void)style, (void)squares, (void)panel;
}

static int take_rows(void *user, int index, int y, int rows, const float *pixels) {
    (void)user, (void)index, (void)y, (void)rows, (void)pixels;
    return 0;
}

static double products(stylegan_model *m) {
    const size_t size = stylegan_workspace_size(m);
    const sg__kernels *kernels = m->kernels;
    sg__kernels idle = *kernels;
    stylegan_run run = {0};
    float *ws = calloc((size_t)m->config.num_ws, (size_t)m->config.w_dim * sizeof *ws);
    idle.convolve = count_products;
    idle.panel = skip_panel;
    counted.products = 0;
    counted.lanes = kernels->lanes;
    run.workspace = calloc(size, 1);
    run.workspace_size = size;
    run.rows = take_rows;
    if (!ws || !run.workspace) cli_fail("out of memory: a plan's workspace of %zu bytes", size);
    m->kernels = &idle;
    if (m->step_count) stylegan_synthesize(m, ws, 1, NULL, &run, NULL);
    m->kernels = kernels;
    free(run.workspace);
    free(ws);
    return counted.products;
}

/* --- Plans --- */

static void one_by_one(void *user, int parts, stylegan_task_fn *task, void *context) {
    (void)user;
    for (int i = 0; i < parts; i++) task(context, i);
}

int footprint_plans(const unsigned char *bytes, size_t size, const footprint_target *target, int count,
                    footprint plans[FOOTPRINT_MOST_PLANS]) {
    stylegan_options options = {0};
    options.memory_size = stylegan_open_size(bytes, size, NULL, NULL);
    options.memory = cli_alloc(options.memory_size, 1);
    options.threads = target->threads;
    options.parallel = one_by_one;
    options.trust_data = 1; /* it has been opened before */
    stylegan_model *m = stylegan_open_memory(bytes, size, &options, NULL);
    int found = 0;
    if (target->kernels) m->kernels = target->kernels;
    for (size_t limit = 0; found < FOOTPRINT_MOST_PLANS; found++) {
        sg__choose_budget(m, limit);
        const size_t workspace = stylegan_workspace_size(m);
        if (limit && workspace > limit) break; /* there is no leaner one */
        footprint f = {options.memory_size, workspace, count ? products(m) : 0};
        plans[found] = target->bits == 32 ? shrink(m, f) : f;
        limit = workspace - 1;
    }
    free(options.memory);
    return found;
}
