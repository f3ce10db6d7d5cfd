/* convert.c - the command `convert`: a checkpoint becomes a weight file. */
#include "../base/cli.h"
#include "../convert/checkpoint.h"

#include <stdlib.h>
#include <string.h>

extern const cli_command convert_command;
int convert_command_run(int argc, char **argv);

static const char licence[] = "converted weights keep the licence of the checkpoint they come from";

/* --- The mean of w, where a checkpoint has none --- */

enum { SAMPLES = 10000, BATCH = 100 };

/* The mapping network with the smallest possible synthesis network behind it: 4x4 pixels of one channel. */
static stylegan_model *open_mapping(const weights *w, unsigned char **data) {
    static const char *const scalars[] = {"b4.conv1.bias", "b4.conv1.affine.bias", "b4.torgb.bias",
                                          "b4.torgb.affine.bias"};
    static const char *const convolutions[] = {"b4.conv1.weight", "b4.torgb.weight"};
    static const char *const affines[] = {"b4.conv1.affine.weight", "b4.torgb.affine.weight"};
    const int32_t w_dim = w->config.w_dim;
    const float zeros[16] = {0}, one = 1.0f;
    float *wide_zeros = cli_alloc((size_t)w_dim, sizeof *wide_zeros);
    memset(wide_zeros, 0, (size_t)w_dim * sizeof *wide_zeros);
    weights small = {.config = w->config};
    small.config.family = STYLEGAN_FAMILY_2;
    small.config.architecture = STYLEGAN_SKIP;
    small.config.resolution = 4;
    small.config.channels = 1;
    small.config.num_ws = small.config.truncation_cutoff = 2;
    small.config.lod = 0.0f;
    small.config.use_pixel_norm = small.config.use_instance_norm = small.config.use_styles = 0;
    for (int i = 0; i < w->count; i++) {
        const weights_tensor *t = &w->tensors[i];
        if (!strncmp(t->name, "mapping.", 8))
            weights_add(&small, t->name, t->dimensions, t->shape, t->fill, t->context);
    }
    weights_add_values(&small, "w_avg", 1, (int32_t[]){w_dim}, wide_zeros);
    weights_add_values(&small, "fir", 2, (int32_t[]){1, 1}, &one);
    weights_add_values(&small, "b4.const", 3, (int32_t[]){4, 4, 1}, zeros);
    for (int i = 0; i < 4; i++) weights_add_values(&small, scalars[i], 1, (int32_t[]){1}, zeros);
    for (int i = 0; i < 2; i++) weights_add_values(&small, convolutions[i], 4, (int32_t[]){1, 1, 1, 1}, zeros);
    for (int i = 0; i < 2; i++) weights_add_values(&small, affines[i], 2, (int32_t[]){w_dim, 1}, wide_zeros);
    size_t size;
    *data = weights_to_memory(&small, STYLEGAN_F32, &size);
    weights_free(&small);
    free(wide_zeros);
    stylegan_error error = {0};
    stylegan_model *model = stylegan_open_memory(*data, size, NULL, &error);
    if (!model) cli_fail("cannot estimate the mean of w: %s", error.message);
    return model;
}

static void estimate_w_avg(weights *w) {
    const size_t w_dim = (size_t)w->config.w_dim, z_dim = (size_t)w->config.z_dim, c_dim = (size_t)w->config.c_dim;
    unsigned char *data;
    stylegan_model *model = open_mapping(w, &data);
    float *z = cli_alloc(BATCH * z_dim + 1, sizeof *z), *ws = cli_alloc(BATCH * 2 * w_dim, sizeof *ws);
    float *labels = cli_alloc(BATCH * c_dim + 1, sizeof *labels);
    double *sum = cli_alloc(w_dim, sizeof *sum);
    for (size_t i = 0; i < w_dim; i++) sum[i] = 0.0;
    for (uint32_t seed = 0; seed < SAMPLES / BATCH; seed++) {
        stylegan_error error = {0};
        stylegan_seed_z(seed, z, (int)(BATCH * z_dim));
        for (size_t i = 0; i < BATCH * c_dim; i++) { /* each class in turn */
            labels[i] = i % c_dim == (seed * BATCH + i / c_dim) % c_dim ? 1.0f : 0.0f;
        }
        if (stylegan_map(model, z, c_dim ? labels : NULL, BATCH, 1.0f, 2, ws, NULL, &error))
            cli_fail("cannot estimate the mean of w: %s", error.message);
        for (size_t sample = 0; sample < BATCH; sample++) {
            for (size_t i = 0; i < w_dim; i++) sum[i] += ws[sample * 2 * w_dim + i];
        }
    }
    for (int i = 0; i < w->count; i++) {
        weights_tensor *t = &w->tensors[i];
        for (size_t k = 0; !strcmp(t->name, "w_avg") && k < w_dim; k++) t->values[k] = (float)(sum[k] / SAMPLES);
    }
    stylegan_close(model);
    free(data);
    free(z);
    free(labels);
    free(ws);
    free(sum);
}

/* --- The command --- */

static generator_choice parse_network(const char *text) {
    if (!text) return GENERATOR_PREFER_AVERAGED;
    if (!strcmp(text, "G_ema")) return GENERATOR_AVERAGED;
    if (strcmp(text, "G")) cli_usage("--network %s: must be G_ema or G", text);
    return GENERATOR_TRAINING;
}

static const char *file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

static void note(weights *w, const char *text) {
    weights_note(w, "note", text);
    printf("note: %s\n", text);
}

static void print_network(const network *n) {
    static const char *const architectures[] = {"skip", "resnet", "orig"};
    const stylegan_config *c = &n->w.config;
    printf("%s: StyleGAN %d", n->format, c->family);
    if (c->family == STYLEGAN_FAMILY_2) printf(", %s", architectures[c->architecture]);
    printf(", %d x %d, %d channels, z %d, w %d", c->resolution, c->resolution, c->channels, c->z_dim, c->w_dim);
    if (c->c_dim) printf(", %d labels", c->c_dim);
    if (c->lod > 0) printf(", half-grown (lod %g)", (double)c->lod);
    printf(", %.2f million parameters\n", (double)weights_parameters(&n->w) / 1e6);
}

int convert_command_run(int argc, char **argv) {
    const char *type_text = "f16", *network_text = NULL, *paths[2];
    const cli_flag flags[] = {{"--dtype", "TYPE", "type of the weights: f32, f16 (default) or i8", &type_text},
                              {"--network", "NAME",
                               "G_ema, the averaged generator, or G, the one in training (default: G_ema if there)",
                               &network_text},
                              {0}};
    cli_parse(&convert_command, flags, argc, argv, paths, 2, 2);
    const stylegan_type type = weights_type(type_text);
    const generator_choice choice = parse_network(network_text);
    if (!strcmp(paths[0], paths[1])) cli_usage("%s: input and output are the same file", paths[0]);

    file_view view = file_view_open(paths[0]);
    reader r;
    network n;
    reader_open(&r, view.size);
    checkpoint_read(&r, view.data, view.size, choice, &n);
    if (r.error[0]) cli_fail("%s: %s", paths[0], r.error);
    print_network(&n);
    weights_note(&n.w, "source", file_name(paths[0]));
    weights_note(&n.w, "format", n.format);
    if (!n.averaged) note(&n.w, "the generator in training, not the averaged one");
    if (n.estimate_w_avg) {
        estimate_w_avg(&n.w);
        note(&n.w, "the checkpoint has no mean of w: estimated from 10000 samples");
    }
    if (n.drew_noise) note(&n.w, "the checkpoint has no noise maps: drawn from a fixed seed");
    weights_note(&n.w, "licence", licence);
    const uint64_t size = weights_save(&n.w, paths[1], type);
    printf("%s: %.1f MB, %s: %.1f MB (%s)\n", file_name(paths[0]), (double)view.size / 1e6, file_name(paths[1]),
           (double)size / 1e6, type_text);
    printf("licence: %s\n", licence);
    weights_free(&n.w);
    reader_close(&r);
    file_view_close(&view);
    return CLI_EXIT_OK;
}

const cli_command convert_command = {
    "convert",
    "CHECKPOINT OUT.sgw",
    "make a weight file from a checkpoint of the official or community code",
    "stylegan convert ffhq.pkl ffhq.sgw\n"
    "stylegan convert --dtype i8 stylegan2-cat.pt cat.sgw\n",
    convert_command_run,
};
