/* main.c - a portrait on a board without operating system, files or heap. The network lies in flash and is used there, all
   memory is static, and rows leave as they are finished. README.md tells how to build and port it.

   portrait.h is made by `stylegan embed portraits-64.sgw -o portrait.h`. */
#include "portrait.h"

#define STYLEGAN_STATIC /* so that the linker leaves out what is not called */
#define STYLEGAN_NO_STDIO
#define STYLEGAN_NO_MALLOC
#define STYLEGAN_NO_THREADS
#define STYLEGAN_NO_BATCH
#ifndef STYLEGAN_FAMILIES
#define STYLEGAN_FAMILIES (1 << (PORTRAIT_FAMILY - 1)) /* the network's alone */
#endif
#define STYLEGAN_IMPLEMENTATION
#include "stylegan.h"

#include "port.h"

#ifndef SEED
#define SEED 85
#endif

#define ALIGNED __attribute__((aligned(64)))
static ALIGNED unsigned char model_memory[PORTRAIT_OPEN_SIZE];
static ALIGNED unsigned char workspace[PORTRAIT_WORKSPACE_SIZE];
static float z[PORTRAIT_Z_DIM], ws[PORTRAIT_NUM_WS * PORTRAIT_W_DIM];

/* --- Text --- */

/* The digits of a number into text[11]; returns where they begin. */
static const char *digits(uint32_t value, char *text) {
    char *at = text + 10;
    *at = 0;
    do *--at = (char)('0' + value % 10);
    while (value /= 10);
    return at;
}

static void report(const char *what, size_t value) {
    char text[11];
    port_print(what);
    port_print(" ");
    port_print(digits((uint32_t)value, text));
    port_print("\n");
}

static int fail(const char *message) {
    port_print(message);
    port_print("\n");
    return 1;
}

/* --- Rows --- */

static void begin_picture(void) { /* a PGM or PPM file */
    char text[11];
    const char *parts[] = {PORTRAIT_CHANNELS == 1 ? "P5 " : "P6 ", NULL, " ", NULL, " 255\n"};
    for (int i = 0; i < 5; i++) {
        const char *part = parts[i] ? parts[i] : digits(i == 1 ? PORTRAIT_WIDTH : PORTRAIT_HEIGHT, text);
        size_t length = 0;
        while (part[length]) length++;
        port_picture(part, length);
    }
}

/* Takes rows y, y + 1, ...: pixels [CHANNELS][rows][WIDTH]. Returning anything but 0 would stop the drawing. */
static int show_rows(void *user, int index, int y, int rows, const float *pixels) {
    static unsigned char line[PORTRAIT_WIDTH * PORTRAIT_CHANNELS];
    (void)user, (void)index, (void)y;
    for (int row = 0; row < rows; row++) {
        for (int x = 0; x < PORTRAIT_WIDTH; x++)
            for (int c = 0; c < PORTRAIT_CHANNELS; c++)
                stylegan_to_rgb8(&pixels[(c * rows + row) * PORTRAIT_WIDTH + x], 1, 1, 1,
                                 &line[x * PORTRAIT_CHANNELS + c]);
        port_picture(line, sizeof line);
    }
    return 0;
}

int main(void) {
    stylegan_error error;
    stylegan_options options = {0};
    options.memory = model_memory;
    options.memory_size = sizeof model_memory;
    options.memory_limit = sizeof workspace;
    options.isa = PORTRAIT_ISA;
    options.precision = PORTRAIT_PRECISION;
    stylegan_model *model = stylegan_open_memory(portrait_weights, sizeof portrait_weights, &options, &error);
    if (!model) return fail(error.message);
    const uint32_t opened = port_microseconds();

    stylegan_run run = {0};
    run.workspace = workspace;
    run.workspace_size = sizeof workspace;
    run.rows = show_rows;
    stylegan_seed_z(SEED, z, PORTRAIT_Z_DIM);
    if (stylegan_map(model, z, NULL, 1, 0.7f, PORTRAIT_NUM_WS, ws, &run, &error)) return fail(error.message);
    begin_picture();
    if (stylegan_synthesize(model, ws, 1, NULL, &run, &error)) return fail(error.message);

    report("microseconds to open", opened);
    report("microseconds to draw", port_microseconds() - opened);
    report("model", stylegan_open_size(portrait_weights, sizeof portrait_weights, NULL, NULL));
    report("workspace", stylegan_workspace_size(model));
    report("stack", port_stack());
    stylegan_close(model);
    return 0;
}
