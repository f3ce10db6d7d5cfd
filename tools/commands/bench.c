/* bench.c - times the synthesis: whole images, then layer by layer; and tells where the memory goes. */
#include "../base/system.h"
#include "../model/model.h"
#include "../model/peak.h"
#include "../model/random_network.h"

#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command bench_command = {"bench", "[MODEL | sg1-1024 | sg2-256 | sg3-t-1024 | sg3-r-256 | ...]",
                                   "time the synthesis; named networks get random weights (default: sg2-256)",
                                   "stylegan bench sg2-1024 --threads 4\n"
                                   "stylegan bench ffhq.sgw --isa avx2 --runs 20\n"
                                   "stylegan bench sg1-256 --batch 8\n"
                                   "stylegan bench sg1-1024 --dtype i8 --save random.sgw",
                                   run};

/* --- The network --- */

/* The bytes of a network built here; NULL if it lies in a file. */
static unsigned char *open_network(opened_model *opened, const char *name, const char *dtype, const char *save,
                                   const model_flags *flags) {
    weights network = {0};
    if (!random_network_named(name, &network)) {
        if (dtype || save) cli_usage("--dtype and --save are for the named networks, %s is a file", name);
        model_open(opened, name, flags);
        return NULL;
    }
    const stylegan_type type = weights_type(dtype ? dtype : "f16");
    unsigned char *bytes = NULL;
    if (save) {
        weights_save(&network, save, type);
        model_open(opened, save, flags);
    } else {
        size_t size;
        bytes = weights_to_memory(&network, type, &size);
        *opened = (opened_model){0};
        model_open_bytes(opened, name, bytes, size, flags);
    }
    random_network_free(&network);
    return bytes;
}

/* The same model again, to draw single images. */
static opened_model open_single(const opened_model *opened) {
    opened_model single = *opened;
    stylegan_error error;
    single.options.batch = 0;
    single.model = stylegan_open_memory(opened->bytes, opened->size, &single.options, &error);
    if (!single.model) cli_fail("%s", error.message);
    return single;
}

/* --- Time per layer --- */

typedef struct profile {
    const opened_model *opened;
    int count;
    stylegan_layer *layers; /* [count] */
    double *seconds;        /* [count] */
    double last;            /* when the layer before was done */
} profile;

/* Layers come as a whole or as strips of rows, in turn. */
static void record(profile *p, const char *name) {
    const double now = system_seconds();
    for (int i = 0; i < p->count; i++)
        if (strcmp(p->layers[i].name, name) == 0) p->seconds[i] += now - p->last;
    p->last = system_seconds();
}

static void record_layer(void *user, int index, const stylegan_feature_map *map) {
    (void)index;
    record(user, map->layer);
}

/* The last ToRGB delivers rows of the image instead of a feature map. */
static int record_rows(void *user, int index, int y, int rows, const float *pixels) {
    profile *p = user;
    (void)index, (void)y, (void)rows, (void)pixels;
    record(p, p->layers[p->count - 1].name);
    return 0;
}

static profile start_profile(const opened_model *opened) {
    profile p = {.opened = opened, .count = stylegan_layer_count(opened->model)};
    p.layers = cli_alloc((size_t)p.count, sizeof *p.layers);
    p.seconds = cli_alloc((size_t)p.count, sizeof *p.seconds);
    for (int i = 0; i < p.count; i++) {
        stylegan_get_layer(opened->model, i, &p.layers[i]);
        p.seconds[i] = 0;
    }
    return p;
}

static void print_row(const stylegan_layer *layer, double seconds, double peak) {
    const double rate = 2 * layer->macs / seconds, megabytes = 1e-6 * (double)layer->moved_bytes;
    fprintf(stderr, "%-12s", layer->name);
    if (layer->height) {
        char algorithm[32] = "";
        if (layer->macs > 0) snprintf(algorithm, sizeof algorithm, "direct");
        if (layer->points) snprintf(algorithm, sizeof algorithm, "Winograd %dx%d", layer->points, layer->points);
        if (layer->terms) snprintf(algorithm, sizeof algorithm, "AMX bf16x%d", layer->terms);
        fprintf(stderr, "%4d -> %4d %5dx%-5d%6d %-13s", layer->in, layer->out, layer->height, layer->width,
                layer->strip_rows, algorithm);
    } else {
        fprintf(stderr, "%43s", "");
    }
    fprintf(stderr, "%9.3f%9.1f%8.1f", 1e3 * seconds, megabytes, 1e-3 * megabytes / seconds);
    if (layer->macs > 0) fprintf(stderr, "%9.1f", 1e-9 * rate);
    if (layer->macs > 0 && peak > 0) fprintf(stderr, "%7.0f %%", 100 * rate / peak);
    fputc('\n', stderr);
}

static void print_memory(const opened_model *opened, uint64_t prepared) {
    fprintf(stderr, "memory: %.1f MB weights, %.1f MB workspace (%.1f MB of it prepared weights), ",
            1e-6 * (double)stylegan_file_size(opened->model), 1e-6 * (double)stylegan_workspace_size(opened->model),
            1e-6 * (double)prepared);
    fprintf(stderr, "%.1f MB at most in the process\n", 1e-6 * (double)system_peak_memory());
}

static void print_profile(const profile *p, double median) {
    const stylegan_isa isa = stylegan_model_isa(p->opened->model);
    const int threads = stylegan_model_threads(p->opened->model);
    const double peak = peak_flops(isa, threads);
    stylegan_layer total = {.name = "total"};
    double seconds = 0;
    fprintf(stderr, "%-12s%12s %11s%6s %-13s%9s%9s%8s%9s%9s\n", "layer", "channels", "resolution", "strip", "algorithm",
            "ms", "MB", "GB/s", "GFLOP/s", "of peak");
    for (int i = 0; i < p->count; i++) {
        print_row(&p->layers[i], p->seconds[i], peak);
        seconds += p->seconds[i];
        total.macs += p->layers[i].macs;
        total.moved_bytes += p->layers[i].moved_bytes;
        total.prepared_bytes += p->layers[i].prepared_bytes;
    }
    print_row(&total, seconds, peak);
    fprintf(stderr, "median of the runs: %.4f s, %.1f GFLOP/s counted as direct sums; %s, %d thread%s", median,
            2e-9 * total.macs / median, stylegan_isa_name(isa), threads, threads == 1 ? "" : "s");
    if (peak > 0) fprintf(stderr, ", peak %.1f GFLOP/s: %.2f of it", 1e-9 * peak, 2 * total.macs / median / peak);
    fputc('\n', stderr);
    print_memory(p->opened, total.prepared_bytes);
}

/* --- Running --- */

static int ignore_rows(void *user, int index, int y, int rows, const float *pixels) {
    (void)user, (void)index, (void)y, (void)rows, (void)pixels;
    return 0;
}

/* Seconds an image. Rows are dropped as they come: no image is held. */
static double synthesize(const opened_model *opened, const float *ws, int count, const stylegan_run *how) {
    stylegan_error error;
    const double start = system_seconds();
    if (stylegan_synthesize(opened->model, ws, count, NULL, how, &error)) cli_fail("%s", error.message);
    return (system_seconds() - start) / count;
}

static int by_value(const void *a, const void *b) {
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count) {
    qsort(values, (size_t)count, sizeof *values, by_value);
    return values[count / 2];
}

static int run(int argc, char **argv) {
    const char *runs_text = "5", *batch_text = "1", *dtype = NULL, *save = NULL;
    model_flags compute_flags = {0};
    const cli_flag flags[] = {
        {"--runs", "K", "timed runs, after one to warm up (default: 5)", &runs_text},
        {"--batch", "N", "images drawn together, compared with single ones (default: 1)", &batch_text},
        {"--dtype", "TYPE", "weights of a named network: f32, f16 (default) or i8", &dtype},
        {"--save", "FILE.sgw", "also write the named network as a weight file", &save},
        MODEL_FLAGS(compute_flags),
        {0}};
    const char *name = model_parse(&bench_command, flags, &compute_flags, argc, argv, "sg2-256");
    const int runs = (int)cli_integer("--runs", runs_text, 1, 1000000);
    compute_flags.batch = (int)cli_integer("--batch", batch_text, 1, 64);

    opened_model opened, single = {0};
    unsigned char *bytes = open_network(&opened, name, dtype, save, &compute_flags);
    const int batch = stylegan_model_batch(opened.model);
    float *ws = cli_alloc((size_t)batch, opened.ws_values * sizeof *ws);
    double *seconds = cli_alloc(2 * (size_t)runs, sizeof *seconds), *alone = seconds + runs;
    stylegan_seed_z(0, ws, batch * (int)opened.ws_values);
    if (batch < compute_flags.batch) cli_note("--batch %s: the memory allows %d", batch_text, batch);
    if (batch > 1) single = open_single(&opened);

    for (int i = -1; i < runs; i++) { /* one to warm up */
        const double together = synthesize(&opened, ws, batch, &(stylegan_run){.rows = ignore_rows});
        if (batch > 1) alone[i < 0 ? 0 : i] = synthesize(&single, ws, batch, &(stylegan_run){.rows = ignore_rows});
        if (i < 0) continue;
        seconds[i] = together;
        printf("{\"run\":%d,\"seconds\":%.6f}\n", i, together);
        fflush(stdout);
    }
    profile p = start_profile(&opened);
    p.last = system_seconds();
    synthesize(&opened, ws, batch, &(stylegan_run){.inspect = record_layer, .rows = record_rows, .user = &p});
    for (int i = 0; i < p.count; i++) p.seconds[i] /= batch;
    const double middle = median(seconds, runs);
    print_profile(&p, middle);
    if (batch > 1) {
        fprintf(stderr, "batches of %d: %.2f images a second, %.3f times as many as one by one\n", batch, 1 / middle,
                median(alone, runs) / middle);
        stylegan_close(single.model);
    }

    free(p.layers);
    free(p.seconds);
    free(seconds);
    free(ws);
    model_close(&opened);
    free(bytes);
    return CLI_EXIT_OK;
}
