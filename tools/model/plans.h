/* plans.h - what the plans of a network need, asked of the library's inside: for engine.c and footprint.c, which compile it
   and include this after it. */
#ifndef PLANS_H
#define PLANS_H

#include "../base/cli.h"
#include "footprint.h"

#include <stdlib.h>

/* --- Counting: a drawing whose convolutions count instead --- */

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

static double plan_products(stylegan_model *m) {
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

/* Opens a weight file that has been opened before; the memory that it lies in is the caller's to free. */
static stylegan_model *open_for_plans(const unsigned char *bytes, size_t size, stylegan_isa isa, int threads,
                                      int precision, void **memory) {
    stylegan_options options = {0};
    options.isa = isa;
    options.threads = threads;
    options.precision = (stylegan_precision)precision;
    options.parallel = one_by_one;
    options.memory_size = stylegan_open_size(bytes, size, NULL, NULL);
    options.memory = *memory = cli_alloc(options.memory_size, 1);
    options.trust_data = 1;
    return stylegan_open_memory(bytes, size, &options, NULL);
}

/* From the fastest to the leanest: the next one is what a limit below this one's workspace chooses. */
static int list_plans(stylegan_model *m, size_t open_size, int count, footprint plans[FOOTPRINT_MOST_PLANS]) {
    size_t limit = 0;
    int found = 0;
    while (found < FOOTPRINT_MOST_PLANS) {
        if (sg__choose_budget(m, limit, NULL)) break; /* there is no leaner one */
        const size_t workspace = stylegan_workspace_size(m);
        plans[found++] = (footprint){open_size, workspace, count ? plan_products(m) : 0};
        limit = workspace - 1;
    }
    return found;
}

#endif
