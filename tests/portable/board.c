/* board.c - all that a board needs of the header, to be linked for processors without atomic instructions: without files,
   heap or threads, nothing may be missing that a C library has. The weights are the linker's business, here none. */
#define STYLEGAN_NO_STDIO
#define STYLEGAN_NO_MALLOC
#define STYLEGAN_IMPLEMENTATION
#include "../../stylegan.h"

static const unsigned char weights[64] = {0};
static unsigned char model_memory[1024], workspace[1024];
static float z[64], ws[64];

static int take_rows(void *user, int index, int y, int rows, const float *pixels) {
    (void)user, (void)index, (void)y, (void)rows;
    return pixels[0] > 1;
}

int main(void) {
    stylegan_options options = {0};
    stylegan_run run = {0};
    options.memory = model_memory;
    options.memory_size = sizeof model_memory;
    stylegan_model *model = stylegan_open_memory(weights, sizeof weights, &options, NULL);
    if (!model) return 1;
    run.workspace = workspace;
    run.workspace_size = sizeof workspace;
    run.rows = take_rows;
    stylegan_seed_z(1, z, 64);
    if (stylegan_map(model, z, NULL, 1, 1, 0, ws, &run, NULL)) return 1;
    if (stylegan_synthesize(model, ws, 1, NULL, &run, NULL)) return 1;
    stylegan_close(model);
    return 0;
}
