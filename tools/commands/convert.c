/* convert.c - the command `convert`: a checkpoint becomes a weight file. */
#include "../base/cli.h"
#include "../convert/average.h"
#include "../convert/checkpoint.h"

#include <stdlib.h>
#include <string.h>

extern const cli_command convert_command;
int convert_command_run(int argc, char **argv);

static const char licence[] = "converted weights keep the licence of the checkpoint they come from";

static generator_choice parse_network(const char *text) {
    if (!text) return GENERATOR_PREFER_AVERAGED;
    if (!strcmp(text, "G_ema")) return GENERATOR_AVERAGED;
    if (strcmp(text, "G")) cli_usage("--which %s: must be G_ema or G", text);
    return GENERATOR_TRAINING;
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
    printf(", %d x %d, %d channels, z %d, w %d", c->width, c->height, c->channels, c->z_dim, c->w_dim);
    if (c->c_dim) printf(", %d labels", c->c_dim);
    if (c->family == STYLEGAN_FAMILY_3) printf(", %d layers", c->blocks);
    if (c->lod > 0) printf(", half-grown (lod %g)", (double)c->lod);
    printf(", %.2f million parameters\n", (double)weights_parameters(&n->w) / 1e6);
}

int convert_command_run(int argc, char **argv) {
    const char *type_text = "f16", *network_text = NULL, *paths[2];
    const cli_flag flags[] = {{"--dtype", "TYPE", "type of the weights: f32, f16 (default) or i8", &type_text},
                              {"--which", "NAME",
                               "G_ema, the averaged generator, or G, the one in training (default: G_ema if there)",
                               &network_text},
                              {0}};
    cli_parse(&convert_command, flags, argc, argv, paths, 2, 2);
    const stylegan_type type = weights_type(type_text);
    const generator_choice choice = parse_network(network_text);

    file_view view = file_view_open(paths[0]);
    output_check(paths[1]);
    reader r;
    network n;
    reader_open(&r, view.size);
    checkpoint_read(&r, view.data, view.size, choice, &n);
    if (r.error[0]) cli_fail("%s: %s", paths[0], r.error);
    print_network(&n);
    weights_note(&n.w, "source", cli_file_name(paths[0]));
    weights_note(&n.w, "format", n.format);
    if (!n.averaged) note(&n.w, "the generator in training, not the averaged one");
    if (n.estimate_w_avg) {
        estimate_w_avg(&n.w);
        note(&n.w, "the checkpoint has no mean of w: estimated from 10000 samples");
    }
    if (n.drew_noise) note(&n.w, "the checkpoint has no noise maps: drawn from a fixed seed");
    weights_note(&n.w, "licence", licence);
    const uint64_t size = weights_save(&n.w, paths[1], type);
    printf("%s: %.1f MB, %s: %.1f MB (%s)\n", cli_file_name(paths[0]), (double)view.size / 1e6, cli_file_name(paths[1]),
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
