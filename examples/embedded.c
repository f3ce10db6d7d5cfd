/* embedded.c - a portrait on a device without files, heap or threads.

   The network is an array in read-only memory and is used where it lies; portrait.h, which holds it, tells how much memory
   to set aside. All of that is static. Rows leave as they are finished, so that no whole image is held: here they go to
   standard output as a PPM file, on a device to the display. boards/ has this for real ones.

   stylegan embed examples/portraits-64.sgw -o portrait.h --bits 64 --memory-limit 260K
   cc -O2 -I. examples/embedded.c -o embedded -lm && ./embedded > portrait.ppm */
#define PORTRAIT_IMPLEMENTATION
#include "portrait.h"

#define STYLEGAN_NO_STDIO
#define STYLEGAN_NO_MALLOC
#define STYLEGAN_NO_THREADS
#define STYLEGAN_NO_SIMD /* as on the device */
#define STYLEGAN_IMPLEMENTATION
#include "../stylegan.h"

#include <stdio.h> /* only for what stands in for the display */
#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

static unsigned char model_memory[PORTRAIT_OPEN_SIZE], workspace[PORTRAIT_WORKSPACE_SIZE];
static float z[PORTRAIT_Z_DIM], ws[PORTRAIT_NUM_WS][PORTRAIT_W_DIM];

/* Takes rows y, y + 1, ...: pixels [CHANNELS][rows][WIDTH]. Returning anything but 0 would stop the drawing. */
static int show_rows(void *user, int index, int y, int rows, const float *pixels) {
    (void)user, (void)index, (void)y;
    for (int row = 0; row < rows; row++) {
        for (int x = 0; x < PORTRAIT_WIDTH; x++) {
            unsigned char rgb[PORTRAIT_CHANNELS];
            for (int c = 0; c < PORTRAIT_CHANNELS; c++)
                stylegan_to_rgb8(&pixels[(c * rows + row) * PORTRAIT_WIDTH + x], 1, 1, 1, &rgb[c]);
            if (fwrite(rgb, 1, PORTRAIT_CHANNELS, stdout) != PORTRAIT_CHANNELS) return 1;
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
    options.memory_limit = sizeof workspace;
    options.precision = PORTRAIT_PRECISION;
    stylegan_model *model = stylegan_open_memory(portrait_weights, sizeof portrait_weights, &options, &error);
    if (!model) return fail(error.message);

    stylegan_run run = {0};
    run.workspace = workspace;
    run.workspace_size = sizeof workspace;
    run.rows = show_rows;
    stylegan_seed_z(85, z, PORTRAIT_Z_DIM);
    if (stylegan_map(model, z, NULL, 1, 0.7f, PORTRAIT_NUM_WS, ws[0], &run, &error)) return fail(error.message);
#ifdef _WIN32
    _setmode(_fileno(stdout), _O_BINARY); /* a picture is no text */
#endif
    printf("P%d %d %d 255\n", PORTRAIT_CHANNELS == 1 ? 5 : 6, PORTRAIT_WIDTH, PORTRAIT_HEIGHT); /* grey or RGB */
    if (stylegan_synthesize(model, ws[0], 1, NULL, &run, &error)) return fail(error.message);
    if (fflush(stdout)) return fail("cannot write the picture");
    stylegan_close(model);
    return 0;
}
