/* test_golden.c - the reference data of the official implementations: test_golden GOLDEN CONVERTED CASE... compares
   CONVERTED/CASE.sgw (f32) with GOLDEN/CASE/(w, ws, img, mix).npy on every instruction set, with 1, 2 and 7 threads. */
#include "../tools/base/cli.h"
#include "../tools/base/npy.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { THREAD_COUNTS = 3 };
static const double image_bar = 2e-5, style_bar = 1e-5;

/* What case.json says, and the arrays beside it; mix is absent in some, labels in most. */
typedef struct golden {
    double psi;
    int cutoff; /* num_ws: all */
    int noise;
    int mix_first, mix_last;
    int moved; /* by transform */
    float transform[9];
    npy z, labels, w, ws, image, mix;
} golden;

static int file_exists(const char *path) {
    FILE *file = fopen(path, "rb");
    if (file) fclose(file);
    return file != NULL;
}

static void read_array(npy *array, const char *folder, const char *name) {
    char *path = cli_format("%s/%s.npy", folder, name);
    if (file_exists(path)) npy_read(path, array);
    free(path);
}

/* The text behind "key": in flat JSON, "" if there is none. */
static const char *json_find(const char *json, const char *key) {
    char *quoted = cli_format("\"%s\":", key);
    const char *found = strstr(json, quoted);
    found = found ? found + strlen(quoted) : "";
    free(quoted);
    return found + strspn(found, " \n[");
}

static golden read_golden(const char *folder) {
    golden g;
    memset(&g, 0, sizeof g);
    char *path = cli_format("%s/case.json", folder);
    file_view view = file_view_open(path);
    char *json = cli_format("%.*s", (int)view.size, (const char *)view.data);
    g.psi = strtod(json_find(json, "truncation_psi"), NULL);
    g.cutoff = (int)strtol(json_find(json, "truncation_cutoff"), NULL, 10);
    if (!g.cutoff) g.cutoff = (int)strtol(json_find(json, "num_ws"), NULL, 10);
    g.noise = !strncmp(json_find(json, "noise_mode"), "\"none", 5) ? STYLEGAN_NOISE_NONE : STYLEGAN_NOISE_CONST;
    const char *layers = json_find(json, "layers");
    char *second = NULL;
    g.mix_first = (int)strtol(layers, &second, 10);
    if (*second) g.mix_last = (int)strtol(second + strspn(second, ", \n"), NULL, 10) - 1; /* "layers": [first, end] */
    char *at = (char *)json_find(json, "transform");
    g.moved = *at != 0;
    for (int i = 0; g.moved && i < 9; i++) g.transform[i] = strtof(at + strspn(at, "[], \n"), &at);
    file_view_close(&view);
    free(json);
    free(path);
    read_array(&g.z, folder, "z");
    read_array(&g.labels, folder, "c");
    read_array(&g.w, folder, "w");
    read_array(&g.ws, folder, "ws");
    read_array(&g.image, folder, "img");
    read_array(&g.mix, folder, "mix");
    return g;
}

static void free_golden(golden *g) {
    npy *arrays[] = {&g->z, &g->labels, &g->w, &g->ws, &g->image, &g->mix};
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++) free(arrays[i]->values);
}

/* What the engine makes of the same inputs. */
typedef struct outcome {
    float *w, *ws, *image, *mix;
} outcome;

static outcome run_engine(const golden *g, const test_file *file, stylegan_isa isa, int threads) {
    stylegan_model *model = test_open(file, isa, threads);
    const stylegan_config *config = stylegan_describe(model);
    int count = (int)g->z.shape[0];
    size_t style_size = (size_t)config->num_ws * (size_t)config->w_dim;
    stylegan_run run = {0};
    run.noise_mode = (stylegan_noise_mode)g->noise;
    if (g->moved) run.transform = g->transform;
    outcome out = {NULL, NULL, NULL, NULL};
    out.w = (float *)cli_alloc(g->w.count, sizeof *out.w);
    out.ws = (float *)cli_alloc((size_t)count * style_size, sizeof *out.ws);
    if (g->ws.count != (size_t)count * style_size || g->image.count != (size_t)count * test_image_size(config))
        cli_fail("the network has another shape than the reference data");
    stylegan_map(model, g->z.values, g->labels.values, count, 1, 0, out.ws, NULL, NULL);
    for (int i = 0; i < count; i++)
        memcpy(out.w + i * config->w_dim, out.ws + (size_t)i * style_size, (size_t)config->w_dim * sizeof *out.w);
    stylegan_map(model, g->z.values, g->labels.values, count, (float)g->psi, g->cutoff, out.ws, NULL, NULL);
    out.image = test_images(model, out.ws, count, &run);
    if (g->mix.count) {
        float *mixed = (float *)cli_alloc(style_size, sizeof *mixed);
        stylegan_mix(model, out.ws, out.ws + style_size, g->mix_first, g->mix_last, mixed);
        run.transform = NULL; /* mix.npy was not moved */
        out.mix = test_images(model, mixed, 1, &run);
        free(mixed);
    }
    stylegan_close(model);
    return out;
}

static void free_outcome(outcome *out) {
    free(out->w);
    free(out->ws);
    free(out->image);
    free(out->mix);
}

static void check_case(const char *name, const golden *g, const test_file *file) {
    static const int threads[THREAD_COUNTS] = {1, 2, 7};
    for (stylegan_isa isa = test_next_isa(STYLEGAN_ISA_AUTO); isa < STYLEGAN_ISA_COUNT; isa = test_next_isa(isa)) {
        outcome outcomes[THREAD_COUNTS];
        for (int i = 0; i < THREAD_COUNTS; i++) outcomes[i] = run_engine(g, file, isa, threads[i]);
        const outcome *out = &outcomes[0];
        double w = test_relative(out->w, g->w.values, g->w.count),
               ws = test_relative(out->ws, g->ws.values, g->ws.count);
        double image = test_difference(out->image, g->image.values, g->image.count);
        double mix = out->mix ? test_difference(out->mix, g->mix.values, g->mix.count) : 0;
        test_check(w <= style_bar && ws <= style_bar && image <= image_bar && mix <= image_bar,
                   "golden %s %s: image %.1e, mix %.1e, w %.1e, ws %.1e", name, stylegan_isa_name(isa), image, mix, w,
                   ws);
        for (int i = 1; i < THREAD_COUNTS; i++)
            test_check(test_same(out->ws, outcomes[i].ws, g->ws.count) &&
                           test_same(out->image, outcomes[i].image, g->image.count),
                       "golden %s %s: the same bits with %d threads", name, stylegan_isa_name(isa), threads[i]);
        for (int i = 0; i < THREAD_COUNTS; i++) free_outcome(&outcomes[i]);
    }
}

int main(int argc, char **argv) {
    for (int i = 3; i < argc; i++) {
        char *folder = cli_format("%s/%s", argv[1], argv[i]), *path = cli_format("%s/%s.sgw", argv[2], argv[i]);
        golden g = read_golden(folder);
        file_view view = file_view_open(path);
        test_file file = {(unsigned char *)cli_alloc(view.size, 1), view.size};
        memcpy(file.bytes, view.data, view.size);
        file_view_close(&view);
        check_case(argv[i], &g, &file);
        free(file.bytes);
        free_golden(&g);
        free(folder);
        free(path);
    }
    return test_end();
}
