/* embedded.c - a portrait on a device without files, heap or threads.

   The network is an array in read-only memory, as `xxd -i portrait.sgw > portrait.h` makes it; it is used where it
   lies. All working memory is static. Rows leave as they are finished, so that no whole image is held: here they go to
   standard output as a PPM file, on a device to the display.

   cc -O2 -I FOLDER_OF_portrait.h examples/embedded.c -o embedded -lm && ./embedded > portrait.ppm */
#define STYLEGAN_NO_STDIO
#define STYLEGAN_NO_MALLOC
#define STYLEGAN_NO_THREADS
#define STYLEGAN_NO_SIMD /* as on the device */
#define STYLEGAN_IMPLEMENTATION
#include "../stylegan.h"

#include "portrait.h"

#include <stdio.h> /* only for what stands in for the display */

/* What stylegan_open_size and stylegan_workspace_size say for this network, rounded up. */
static unsigned char model_memory[16 * 1024];
static unsigned char workspace[224 * 1024];

enum { Z_DIM = 48, NUM_WS = 10, W_DIM = 48, WIDTH = 64, CHANNELS = 3 };
static float z[Z_DIM], ws[NUM_WS][W_DIM];

/* Takes rows y, y + 1, ...: pixels [CHANNELS][rows][WIDTH]. Returning anything but 0 would stop the drawing. */
static int show_rows(void *user, int index, int y, int rows, const float *pixels) {
    (void)user, (void)index, (void)y;
    for (int row = 0; row < rows; row++) {
        for (int x = 0; x < WIDTH; x++) {
            unsigned char rgb[CHANNELS];
            for (int c = 0; c < CHANNELS; c++)
                stylegan_to_rgb8(&pixels[(c * rows + row) * WIDTH + x], 1, 1, 1, &rgb[c]);
            fwrite(rgb, 1, CHANNELS, stdout);
        }
    }
    return 0;
}

static int fail(const char *message) {
    fprintf(stderr, "%s\n", message);
    return 1;
}

int main(void) {
    stylegan_error error;
    stylegan_options options = {0};
    options.memory = model_memory;
    options.memory_size = sizeof model_memory;
    options.memory_limit = sizeof workspace; /* slower, but within it */
    stylegan_model *model = stylegan_open_memory(portrait_sgw, portrait_sgw_len, &options, &error);
    if (!model) return fail(error.message);
    const stylegan_config *config = stylegan_describe(model);
    if (config->z_dim != Z_DIM || config->num_ws != NUM_WS || config->w_dim != W_DIM || config->width != WIDTH ||
        config->channels != CHANNELS)
        return fail("another network than this program is made for");

    stylegan_run run = {0};
    run.workspace = workspace;
    run.workspace_size = sizeof workspace;
    run.rows = show_rows;
    stylegan_seed_z(85, z, Z_DIM);
    if (stylegan_map(model, z, NULL, 1, 0.7f, NUM_WS, ws[0], &run, &error)) return fail(error.message);
    printf("P6 %d %d 255\n", WIDTH, WIDTH);
    if (stylegan_synthesize(model, ws[0], 1, NULL, &run, &error)) return fail(error.message);
    stylegan_close(model);
    return 0;
}
