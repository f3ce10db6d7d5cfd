/* test_pace.c WORK - run.progress comes often enough for a watchdog: in plain C on one thread, after at most 2 million
   multiplications, counted in the kernels themselves, within every plan of every StyleGAN. */
#define STYLEGAN_STATIC
#define STYLEGAN_IMPLEMENTATION
#include "../stylegan.h"

#include "../tools/base/cli.h"
#include "test.h"

#include <stdlib.h>

enum { MOST = 2000000 };

/* While an image is drawn: multiplications since the last call of run.progress; the most between two. */
static int drawing;
static double since, longest;

static void count(double multiplications) {
    if (!drawing) return;
    since += multiplications;
    if (longest < since) longest = since;
}

/* --- The kernels of plain C, and what they multiply --- */

static const sg__kernels *plain;

static void unpack(const sg__tensor *tensor, size_t row, int column, int n, float *out) {
    count(n);
    plain->unpack(tensor, row, column, n, out);
}

static void panel(const sg__tensor *tensor, size_t row, int rows, int column, int q, const float *style, float *squares,
                  float *out) {
    count(3.0 * rows * q);
    plain->panel(tensor, row, rows, column, q, style, squares, out);
}

static void convolve(const sg__row *row, int q) {
    count((double)row->taps * row->channels * row->width * q);
    plain->convolve(row, q);
}

static void finish(float *row, int width, const sg__epilogue *epilogue) {
    count(4.0 * width);
    plain->finish(row, width, epilogue);
}

static void weighted_sum(float *out, int n, const float *const *source, const float *weight, int sources) {
    count((double)n * sources);
    plain->weighted_sum(out, n, source, weight, sources);
}

static void moments(const float *x, int width, int height, size_t row_stride, float *mean, float *deviation) {
    count((double)width * height);
    plain->moments(x, width, height, row_stride, mean, deviation);
}

static void sum_squares(float *out, int n, const float *const *tap, int taps) {
    count((double)n * taps);
    plain->sum_squares(out, n, tap, taps);
}

static void winograd_input(const float *const *row, const float *scale, int down, int across, int tiles, float *out,
                           size_t stride) {
    count(8.0 * (down + across) * tiles);
    plain->winograd_input(row, scale, down, across, tiles, out, stride);
}

static void winograd_weights(const float *const *tap, int down, int across, int n, float *out, size_t stride) {
    count(8.0 * (down + across) * n);
    plain->winograd_weights(tap, down, across, n, out, stride);
}

static void winograd_output(const float *in, size_t stride, int down, int across, int tiles, float *out, size_t row,
                            size_t pixel) {
    count(4.0 * (down + across) * tiles);
    plain->winograd_output(in, stride, down, across, tiles, out, row, pixel);
}

static void scale_shift(float *row, int width, const float *mean, const float *scale, const float *shift) {
    count(width);
    plain->scale_shift(row, width, mean, scale, shift);
}

static void upsample(const float *x, int groups, const float *taps, int up, int n, const sg__leak *leak, float *out) {
    count((double)groups * up * (n + 2));
    plain->upsample(x, groups, taps, up, n, leak, out);
}

static void downsample(float *out, int n, const float *const *row, int rows, int folded, const float *taps, int width,
                       int down) {
    count((double)n * rows * width / (1 + folded));
    plain->downsample(out, n, row, rows, folded, taps, width, down);
}

static sg__kernels count_kernels(void) {
    plain = sg__find_kernels(STYLEGAN_ISA_SCALAR);
    sg__kernels k = *plain;
    k.unpack = unpack;
    k.panel = panel;
    k.convolve = convolve;
    k.finish = finish;
    k.weighted_sum = weighted_sum;
    k.moments = moments;
    k.sum_squares = sum_squares;
    k.winograd_input = winograd_input;
    k.winograd_weights = winograd_weights;
    k.winograd_output = winograd_output;
    k.scale_shift = scale_shift;
    k.upsample = upsample;
    k.downsample = downsample;
    return k;
}

/* --- Drawing --- */

typedef struct listener {
    int calls, until; /* cancels at this call */
    float done;
} listener;

static int hear(void *user, float done) {
    listener *l = (listener *)user;
    since = 0;
    l->done = done;
    return ++l->calls == l->until;
}

static int ignore_rows(void *user, int index, int y, int rows, const float *pixels) {
    (void)user, (void)index, (void)y, (void)rows, (void)pixels;
    return 0;
}

static stylegan_result draw(const stylegan_model *model, const float *ws, listener *l) {
    stylegan_run run = {0};
    run.progress = hear;
    run.rows = ignore_rows;
    run.user = l;
    since = 0;
    drawing = 1;
    stylegan_result result = stylegan_synthesize(model, ws, 1, NULL, &run, NULL);
    drawing = 0;
    return result;
}

static void check_file(const char *folder, const char *name, const sg__kernels *counting) {
    char *path = cli_format("%s/%s.sgw", folder, name);
    file_view file = file_view_open(path);
    stylegan_options options = {0};
    int plans = 0, whole = 1, stopped = 1;
    options.isa = STYLEGAN_ISA_SCALAR;
    options.threads = 1;
    longest = 0;
    for (stylegan_model *model; (model = stylegan_open_memory(file.data, file.size, &options, NULL)) != NULL; plans++) {
        listener all = {0, 0, 0}, part = {0, 0, 0};
        model->kernels = counting;
        float *ws = test_styles(model, 3, 1);
        whole &= draw(model, ws, &all) == STYLEGAN_OK && all.done == 1;
        part.until = all.calls / 2;
        stopped &= draw(model, ws, &part) == STYLEGAN_ERROR_CANCELLED && part.calls == part.until;
        options.memory_limit = stylegan_workspace_size(model) - 1;
        free(ws);
        stylegan_close(model);
    }
    test_check(
        longest > 0 && longest <= MOST && plans >= 4 && whole && stopped,
        "pace %s: progress after at most %.2f million multiplications within %d plans; draws all: %d, cancels: %d",
        name, longest / 1e6, plans, whole, stopped);
    file_view_close(&file);
    free(path);
}

int main(int argc, char **argv) {
    static const char *const cases[] = {"sg1-64",           "sg1-128-thin", "sg2-ada-64",
                                        "sg2-ada-128-thin", "sg3-t-64",     "sg3-r-64"};
    const sg__kernels counting = count_kernels();
    if (argc != 2) cli_usage("test_pace WORK");
    check_file("examples", "portraits-64-stylegan1", &counting);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) check_file(argv[1], cases[i], &counting);
    return test_end();
}
