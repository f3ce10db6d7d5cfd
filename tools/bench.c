/* bench.c - times the synthesis: whole images, then layer by layer. */
#include "model.h"
#include "peak.h"
#include "random_network.h"

#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command bench_command = {"bench", "[MODEL | sg1-1024 | sg1-256 | sg2-1024 | sg2-256]",
                                   "time the synthesis; named networks get random weights (default: sg2-256)",
                                   "stylegan bench sg2-1024 --threads 4\n"
                                   "stylegan bench ffhq.sgw --isa avx2 --runs 20\n"
                                   "stylegan bench sg1-1024 --dtype i8 --save random.sgw",
                                   run};

/* --- The network --- */

static stylegan_type type_named(const char *name) {
    static const char *const names[] = {"f32", "f16", "i8"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(name, names[i]) == 0) return (stylegan_type)i;
    cli_usage("--dtype %s: must be f32, f16 or i8", name);
}

/* The bytes of a network built here; NULL if it lies in a file. */
static unsigned char *open_network(opened_model *opened, const char *name, const char *dtype, const char *save,
                                   const model_flags *flags) {
    weights network = {0};
    if (!random_network_named(name, &network)) {
        if (dtype || save) cli_usage("--dtype and --save are for the named networks, %s is a file", name);
        model_open(opened, name, flags);
        return NULL;
    }
    const stylegan_type type = type_named(dtype ? dtype : "f16");
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

/* --- Time and work per layer --- */

typedef struct layer {
    char name[32];
    int channels, height, width;
    double seconds, flops;
} layer;

typedef struct profile {
    const opened_model *opened;
    layer *layers;
    int count;
    double last; /* when the layer before was done */
} profile;

static const stylegan_tensor *find_tensor(const stylegan_model *model, const char *name, stylegan_tensor *tensor) {
    for (int i = 0; i < stylegan_tensor_count(model); i++) {
        stylegan_get_tensor(model, i, tensor);
        if (strcmp(tensor->name, name) == 0) return tensor;
    }
    return NULL;
}

/* Multiply-adds of a direct convolution that outputs height x width. A transposed convolution is counted on its input;
   StyleGAN 1 up-samples first below 128 and sums the kernel to 4 x 4 from there. */
static double direct_macs(int family, int up, const stylegan_tensor *weight, int height, int width) {
    const double pairs = (double)weight->shape[2] * weight->shape[3], outputs = (double)height * width;
    const int kernel = weight->shape[0], fused = family == STYLEGAN_FAMILY_1 && height >= 128;
    if (!up) return pairs * kernel * kernel * outputs;
    if (family == STYLEGAN_FAMILY_1 && !fused) return pairs * kernel * kernel * outputs;
    return pairs * (fused ? 16 : kernel * kernel) * outputs / 4;
}

/* `part` of the block that the layer belongs to: "b8.conv1" and "skip" make "b8.skip.weight". */
static double layer_macs(const opened_model *opened, const stylegan_feature_map *map, const char *part, int up) {
    char name[48];
    stylegan_tensor weight;
    snprintf(name, sizeof name, "%.*s.%s.weight", (int)strcspn(map->layer, "."), map->layer, part);
    if (!find_tensor(opened->model, name, &weight) || weight.dimensions != 4) return 0;
    return direct_macs(opened->config->family, up, &weight, map->height, map->width);
}

/* A layer as it was computed: as a whole, or a strip of rows. */
static void record_layer(void *user, int index, const stylegan_feature_map *map) {
    profile *p = user;
    const double now = cli_seconds();
    const char *part = map->layer + strcspn(map->layer, ".") + 1;
    const int up = strcmp(part, "conv0") == 0 || strcmp(part, "skip") == 0;
    layer *found = p->layers;
    (void)index;
    while (found < p->layers + p->count && strcmp(found->name, map->layer)) found++;
    if (found == p->layers + p->count) {
        p->layers = cli_realloc(p->layers, (size_t)p->count + 1, sizeof *p->layers);
        found = &p->layers[p->count++];
        *found = (layer){.channels = map->channels, .height = map->height, .width = map->width};
        snprintf(found->name, sizeof found->name, "%s", map->layer);
        found->flops = 2 * layer_macs(p->opened, map, part, up);
    }
    found->seconds += now - p->last;
    p->last = cli_seconds();
}

/* The last ToRGB delivers rows, not a feature map: it is what remains. */
static void record_last_layer(profile *p) {
    if (p->count == 0) return;
    const layer *before = &p->layers[p->count - 1];
    char name[sizeof before->name + 8];
    snprintf(name, sizeof name, "%.*s.torgb", (int)strcspn(before->name, "."), before->name);
    record_layer(
        p, 0,
        &(stylegan_feature_map){
            .layer = name, .channels = p->opened->config->channels, .height = before->height, .width = before->width});
}

static void print_row(const layer *row, double peak) {
    const double rate = row->flops / row->seconds;
    fprintf(stderr, "%-12s", row->name);
    if (row->channels) fprintf(stderr, "%5d x %5d x %5d", row->channels, row->height, row->width);
    fprintf(stderr, "%*s%10.3f ms", row->channels ? 0 : 21, "", 1e3 * row->seconds);
    if (row->flops > 0) fprintf(stderr, "%10.2f GFLOP/s", 1e-9 * rate);
    if (row->flops > 0 && peak > 0) fprintf(stderr, "%8.1f %%", 100 * rate / peak);
    fputc('\n', stderr);
}

static void print_profile(const profile *p) {
    const stylegan_isa isa = stylegan_model_isa(p->opened->model);
    const int threads = stylegan_model_threads(p->opened->model);
    const double peak = peak_flops(isa, threads);
    layer total = {.name = "total"};
    fprintf(stderr, "%s, %d thread%s", stylegan_isa_name(isa), threads, threads == 1 ? "" : "s");
    if (peak > 0) fprintf(stderr, ", peak %.1f GFLOP/s", 1e-9 * peak);
    fprintf(stderr, ", work counted as direct convolutions\n");
    for (int i = 0; i < p->count; i++) {
        print_row(&p->layers[i], peak);
        total.seconds += p->layers[i].seconds;
        total.flops += p->layers[i].flops;
    }
    print_row(&total, peak);
}

/* --- Running --- */

static double synthesize(const opened_model *opened, const float *ws, float *image, const stylegan_run *how) {
    stylegan_error error;
    const double start = cli_seconds();
    if (stylegan_synthesize(opened->model, ws, 1, image, how, &error)) cli_fail("%s", error.message);
    return cli_seconds() - start;
}

static int run(int argc, char **argv) {
    const char *name = "sg2-256", *runs_text = "5", *dtype = NULL, *save = NULL;
    model_flags compute_flags = {0};
    const cli_flag flags[] = {{"--runs", "K", "timed runs, after one to warm up (default: 5)", &runs_text},
                              {"--dtype", "TYPE", "weights of a named network: f32, f16 (default) or i8", &dtype},
                              {"--save", "FILE.sgw", "also write the named network as a weight file", &save},
                              MODEL_FLAGS(compute_flags),
                              {0}};
    cli_parse(&bench_command, flags, argc, argv, &name, 0, 1);
    const int runs = (int)cli_integer("--runs", runs_text, 1, 1000000);

    opened_model opened;
    unsigned char *bytes = open_network(&opened, name, dtype, save, &compute_flags);
    float *ws = cli_alloc(opened.ws_values, sizeof *ws), *image = cli_alloc(opened.image_values, sizeof *image);
    stylegan_seed_z(0, ws, (int)opened.ws_values);

    synthesize(&opened, ws, image, NULL);
    for (int i = 0; i < runs; i++) {
        printf("{\"run\":%d,\"seconds\":%.6f}\n", i, synthesize(&opened, ws, image, NULL));
        fflush(stdout);
    }
    profile p = {.opened = &opened, .last = cli_seconds()};
    synthesize(&opened, ws, image, &(stylegan_run){.inspect = record_layer, .user = &p});
    record_last_layer(&p);
    print_profile(&p);

    free(p.layers);
    free(image);
    free(ws);
    model_close(&opened);
    free(bytes);
    return CLI_EXIT_OK;
}
