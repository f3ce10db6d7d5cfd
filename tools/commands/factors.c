/* factors.c - what is to be seen in the portraits that a network draws: glasses, beard, hair, pose, colours, ...; and what style
   mixing does with it. */
#include "../data/factors.h"
#include "../data/recognition.h"
#include "../model/drawing.h"
#include "../model/latents.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command factors_command = {"factors", "MODEL",
                                     "tell what is to be seen in a network's portraits: hair, glasses, pose, ...",
                                     "stylegan factors portraits.sgw --seeds 0-999 > factors.tsv\n"
                                     "stylegan factors portraits.sgw --mixing 500",
                                     run};

typedef struct factor_flags {
    const char *mixing, *styles;
    latent_flags source;
    drawing_flags drawing;
    model_flags compute;
} factor_flags;

/* --- What is to be seen --- */

/* A network whose pictures are looked at one by one. */
typedef struct looker {
    const opened_model *opened;
    drawing picture;
    recognition *eye;
    float *outputs; /* [factor_outputs()] */
} looker;

static void look_start(looker *l, const opened_model *opened, const drawing_flags *flags, int count) {
    const stylegan_config *config = opened->config;
    if (config->channels != 3 || config->width != config->height || config->width < RECOGNITION_LEAST_SIZE)
        cli_fail("%s: %d channels of %dx%d: factors are seen in RGB squares of at least %dx%d", opened->name,
                 config->channels, config->width, config->height, RECOGNITION_LEAST_SIZE, RECOGNITION_LEAST_SIZE);
    *l = (looker){.opened = opened, .eye = recognition_open(stylegan_model_isa(opened->model), 1)};
    l->outputs = cli_alloc((size_t)factor_outputs(), sizeof *l->outputs);
    drawing_start(&l->picture, opened, flags, count);
}

static void look_at(looker *l, const float *ws, float *outputs) {
    drawing_draw(&l->picture, ws, 1, NULL);
    recognition_see(l->eye, &(picture_set){1, l->opened->config->width, l->picture.pixels}, NULL, outputs);
}

static void look_end(looker *l) {
    drawing_end(&l->picture);
    recognition_close(l->eye);
    free(l->outputs);
}

/* The table: first what is told surely, then what is read less so. */

static void print_header(const char *first) {
    printf("%s", first);
    for (int told = 1; told >= 0; told--)
        for (int i = 0; i < factor_count(); i++)
            if (factor_at(i)->told == told) printf("\t%s", factor_at(i)->name);
    printf("\n");
}

static void print_seen(const looker *l) {
    float *values = cli_alloc((size_t)factor_count(), sizeof *values);
    factors_read(l->outputs, values);
    for (int told = 1; told >= 0; told--)
        for (int i = 0; i < factor_count(); i++) {
            if (factor_at(i)->told != told) continue;
            char *text = factor_text(factor_at(i), values[i]);
            printf("\t%s", text);
            free(text);
        }
    printf("\n");
    free(values);
}

static void tell(const opened_model *opened, const factor_flags *f) {
    looker l;
    latents source;
    float *ws = cli_alloc(opened->ws_values, sizeof *ws);
    latents_start(&source, opened, &f->source);
    look_start(&l, opened, &f->drawing, source.count);
    print_header(source.seeds ? "seed" : "image");
    for (int i = 0; i < source.count; i++) {
        latents_ws(&source, i, ws);
        look_at(&l, ws, l.outputs);
        if (source.seeds)
            printf("%u", source.seeds[i / source.psi_count]);
        else
            printf("%d", i);
        print_seen(&l);
    }
    look_end(&l);
    latents_end(&source);
    free(ws);
}

/* --- Style mixing: coarse styles of A, the others of B --- */

/* How often the mixed picture is nearer to A's, among the pairs whose people differ in a factor. */
typedef struct tally {
    int pairs, nearer;
} tally;

static void count_pair(tally *t, int index, const float *a, const float *b, const float *mixed) {
    const double from_a = factor_distance(index, mixed, a), from_b = factor_distance(index, mixed, b);
    if (!factor_differs(index, a, b)) return;
    t->pairs++;
    t->nearer += from_a < from_b;
}

static void print_tally(const char *name, const tally *t) {
    if (t->pairs)
        printf("%s\t%d\t%.3f\t%.3f\n", name, t->pairs, (double)t->nearer / t->pairs, 1 - (double)t->nearer / t->pairs);
    else
        printf("%s\t0\t-\t-\n", name);
}

static void print_tallies(const tally *tallies) {
    static const char *const names[FACTOR_GROUPS] = {"all: pose", "all: shape", "all: features", "all: light",
                                                     "all: colours"};
    tally groups[FACTOR_GROUPS] = {{0, 0}};
    printf("factor\tpairs\tnearer_to_coarse\tnearer_to_rest\n");
    for (int i = 0; i < factor_count(); i++) {
        const factor *f = factor_at(i);
        if (!f->told) continue;
        print_tally(f->name, &tallies[i]);
        groups[f->group].pairs += tallies[i].pairs;
        groups[f->group].nearer += tallies[i].nearer;
    }
    for (int g = 0; g < FACTOR_GROUPS; g++) print_tally(names[g], &groups[g]);
}

/* Pair i: seeds 2 i and 2 i + 1. */
static void measure_mixing(const opened_model *opened, const factor_flags *f) {
    const int pairs = (int)cli_integer("--mixing", f->mixing, 1, 1000000);
    const size_t outputs = (size_t)factor_outputs();
    looker l;
    mapping mapper;
    layers coarse = layers_parse(opened, f->styles ? f->styles : "0-3");
    float *ws = cli_alloc(3 * opened->ws_values, sizeof *ws), *seen = cli_alloc(3 * outputs, sizeof *seen);
    tally *tallies = cli_alloc((size_t)factor_count(), sizeof *tallies);
    memset(tallies, 0, (size_t)factor_count() * sizeof *tallies);
    mapping_start(&mapper, opened, &f->source.mapping);
    look_start(&l, opened, &f->drawing, 3 * pairs);
    for (int i = 0; i < pairs; i++) {
        for (int k = 0; k < 2; k++) mapping_seed(&mapper, i, (uint32_t)(2 * i + k), ws + (size_t)k * opened->ws_values);
        memcpy(ws + 2 * opened->ws_values, ws + opened->ws_values, opened->ws_values * sizeof *ws);
        layers_mix(opened, &coarse, ws, ws + 2 * opened->ws_values);
        for (size_t k = 0; k < 3; k++) look_at(&l, ws + k * opened->ws_values, seen + k * outputs);
        for (int k = 0; k < factor_count(); k++) count_pair(&tallies[k], k, seen, seen + outputs, seen + 2 * outputs);
    }
    look_end(&l);
    print_tallies(tallies);
    mapping_end(&mapper);
    layers_free(&coarse);
    free(tallies);
    free(seen);
    free(ws);
}

static int run(int argc, char **argv) {
    factor_flags f = {0};
    const cli_flag flags[] = {
        LATENT_FLAGS(f.source),
        {"--ws", "FILE.npy", "ws [n, num_ws, w_dim] instead of seeds, .npy or .npz", &f.source.ws},
        {"--mixing", "N", "instead: of N pairs, coarse styles of A and the rest of B, how often it is nearer to which",
         &f.mixing},
        {"--styles", "LIST", "the coarse styles: layers that come from A (default: 0-3)", &f.styles},
        {"--noise-mode", "MODE", "const (default), random or none", &f.drawing.noise_mode},
        {"--noise-seed", "S", "seed of random noise; image i takes S + i (default: 0)", &f.drawing.noise_seed},
        MODEL_FLAGS(f.compute),
        {0}};
    const char *path = model_parse(&factors_command, flags, &f.compute, argc, argv, NULL);
    if (f.styles && !f.mixing) cli_usage("--styles is for --mixing");
    if (f.mixing && (f.source.seeds || f.source.z || f.source.ws))
        cli_usage("--mixing takes pairs of seeds of its own: no --seeds, --latents or --ws");
    opened_model opened;
    model_open(&opened, path, &f.compute);
    if (f.mixing)
        measure_mixing(&opened, &f);
    else
        tell(&opened, &f);
    model_close(&opened);
    return CLI_EXIT_OK;
}
