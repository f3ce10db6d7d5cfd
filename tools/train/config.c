/* config.c - the options of a training run, and the presets. */
#include "training.h"
#include "../base/cli.h"
#include "../grad/discriminator.h"
#include "../grad/generator.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In the order of the enumerations. */
static const char *const architectures[] = {"stylegan1", "stylegan2", NULL};
static const char *const losses[] = {"relativistic", "logistic", NULL};
static const char *const augs[] = {"noaug", "ada", "fixed", NULL};
static const char *const precisions[] = {"f32", "bf16", NULL};
#define ISA_NAME(name, text) text,
static const char *const isas[] = {STYLEGAN_ISAS(ISA_NAME) NULL};
#undef ISA_NAME

#define OPTION(kind, name, field, least, most, help, choices) \
    { name, help, kind, offsetof(trainer_config, field), least, most, choices }
#define INTEGER(name, field, least, most, help) OPTION('i', name, field, least, most, help, NULL)
#define NUMBER(name, field, least, most, help) OPTION('d', name, field, least, most, help, NULL)
#define CHOICE(name, field, choices, help) \
    OPTION('i', name, field, 0, sizeof choices / sizeof *choices - 2, help, choices)

/* Names are the fields' with - for _. */
const trainer_option trainer_options[] = {
    CHOICE("architecture", shape.architecture, architectures,
           "stylegan1: AdaIN; stylegan2: demodulation, an image summed over resolutions, residual discriminator"),
    INTEGER("resolution", shape.resolution, 8, 1024, "of the finished network, a power of two"),
    INTEGER("start-resolution", start_resolution, 4, 1024, "where progressive growing begins (resolution: none)"),
    INTEGER("channels", shape.channels, 3, 3, "of the pictures"),
    INTEGER("z-dim", shape.z_dim, 1, 4096, "width of the latent z"),
    INTEGER("w-dim", shape.w_dim, 1, 4096, "width of the style w"),
    INTEGER("label-size", shape.label_size, 0, 4096, "values of a label, 0 without labels"),
    INTEGER("mapping-layers", shape.mapping_layers, 1, MOST_MAPPING, "fully connected layers from z to w"),
    INTEGER("fmap-base", shape.fmap_base, 8, 65536, "feature maps at resolution r are this divided by r"),
    INTEGER("fmap-max", shape.fmap_max, 1, 1024, "... but at most so many"),
    INTEGER("d-fmap-base", shape.d_fmap_base, 0, 65536, "the same of the discriminator (0: as the generator)"),
    INTEGER("d-fmap-max", shape.d_fmap_max, 0, 1024, "... (0: as the generator)"),
    INTEGER("batch", batch, 4, 256, "images a step, a multiple of 4"),
    CHOICE("loss", loss, losses, "relativistic: of pairs, with R1 and R2 (R3GAN); logistic: non-saturating, with R1"),
    NUMBER("g-rate", g_rate, 0, 1, "learning rate of the generator"),
    NUMBER("d-rate", d_rate, 0, 1, "learning rate of the discriminator"),
    NUMBER("mapping-rate", shape.mapping_rate, 1e-6, 1, "the mapping network's share of it"),
    NUMBER("r1-gamma", r1_gamma, 0, 1e6, "weight of the gradient penalties R1 and R2: more, if d_loss stays below 0.3"),
    NUMBER("r1-gamma-last", r1_gamma_last, 0, 1e6, "... which it falls to by the end of the run (0: stays as it is)"),
    INTEGER("r1-interval", r1_interval, 1, 1024, "steps from one penalty to the next"),
    NUMBER("mixing", mixing, 0, 1, "probability of style mixing"),
    NUMBER("ema-kimg", ema_kimg, 0, 1e6, "half-life of the generator's average, in thousands of images"),
    NUMBER("ema-ramp", ema_ramp, 0, 1, "... but at most this share of the images shown"),
    NUMBER("w-avg-beta", w_avg_beta, 0, 1, "decay of the average of w"),
    NUMBER("fade-kimg", fade_kimg, 0, 1e9, "thousands of images while a block fades in"),
    NUMBER("stable-kimg", stable_kimg, 0, 1e9, "... and after that until the next one"),
    NUMBER("d-first-kimg", d_first_kimg, 0, 1e9, "thousands of images at the beginning that only D learns from"),
    NUMBER("total-kimg", total_kimg, 0, 1e9, "thousands of images in all"),
    NUMBER("anneal-kimg", anneal_kimg, 0, 1e9, "... over the last of which the learning rates fall to zero"),
    INTEGER("mirror", mirror, 0, 1, "1: mirror pictures at random"),
    CHOICE("aug", aug, augs,
           "changes at random of what D sees: noaug, ada: as many as a small folder needs, fixed: --p"),
    NUMBER("p", p, 0, 1, "of --aug fixed: the probability of each change"),
    NUMBER("target", target, 0, 1, "of ada: how much of what D knows it may know by heart, 0: nothing, 1: all"),
    NUMBER("ada-kimg", ada_kimg, 1e-3, 1e6, "of ada: thousands of images in which the probability can go from 0 to 1"),
    CHOICE("isa", isa, isas, "instruction set to compute with, auto, avx2, ...: another one rounds differently"),
    CHOICE("precision", precision, precisions,
           "f32, or bf16: convolutions of numbers in 16 bits, by matrix units (--isa amx)"),
    OPTION('u', "seed", seed, 0, 9007199254740992.0, "of everything random", NULL),
    {NULL, NULL, 0, 0, 0, 0, NULL}};

/* What the networks in examples/ were trained by, with a discriminator twice as wide as the generator. */
#define STYLEGAN2_PRESET(size, start, width_of_w, layers, maps, most_maps, most_d_maps, rate, gamma, fade, stable)   \
    {                                                                                                                \
        .shape = {.architecture = ARCHITECTURE_STYLEGAN2,                                                            \
                  .resolution = size,                                                                                \
                  .z_dim = width_of_w,                                                                               \
                  .w_dim = width_of_w,                                                                               \
                  .mapping_layers = layers,                                                                          \
                  .fmap_base = maps,                                                                                 \
                  .fmap_max = most_maps,                                                                             \
                  .d_fmap_base = 2 * maps,                                                                           \
                  .d_fmap_max = most_d_maps},                                                                        \
        .start_resolution = start, .batch = 16, .g_rate = rate, .d_rate = rate, .r1_gamma = gamma, .r1_interval = 4, \
        .ema_kimg = 10, .fade_kimg = fade, .stable_kimg = stable, .total_kimg = 1000, .anneal_kimg = 200             \
    }

static const struct {
    const char *name;
    trainer_config config;
} presets[] = {
    {"tiny-16",
     {.shape = {.resolution = 16, .z_dim = 32, .w_dim = 32, .mapping_layers = 2, .fmap_base = 256, .fmap_max = 32},
      .start_resolution = 8,
      .batch = 8,
      .g_rate = 0.003,
      .d_rate = 0.003,
      .r1_gamma = 1,
      .ema_kimg = 1,
      .fade_kimg = 2,
      .stable_kimg = 2,
      .total_kimg = 20}},
    {"tiny-32",
     {.shape = {.resolution = 32, .z_dim = 64, .w_dim = 64, .mapping_layers = 4, .fmap_base = 512, .fmap_max = 64},
      .start_resolution = 8,
      .batch = 16,
      .g_rate = 0.003,
      .d_rate = 0.003,
      .r1_gamma = 1,
      .ema_kimg = 5,
      .fade_kimg = 10,
      .stable_kimg = 10,
      .total_kimg = 100}},
    {"portraits-32", STYLEGAN2_PRESET(32, 32, 64, 2, 512, 64, 96, 0.003, 1, 0, 0)},
    {"portraits-64", STYLEGAN2_PRESET(64, 64, 128, 2, 1024, 128, 96, 0.0025, 2, 0, 0)},
    {"portraits-128", STYLEGAN2_PRESET(128, 64, 128, 2, 2048, 128, 128, 0.0025, 4, 30, 180)},
    {"faces-64", STYLEGAN2_PRESET(64, 64, 128, 2, 1024, 128, 96, 0.0025, 4, 0, 0)}, /* photographs are fewer: gamma */
    {"ffhq-128",
     {.shape = {.resolution = 128, .z_dim = 512, .w_dim = 512, .mapping_layers = 8, .fmap_base = 8192, .fmap_max = 512},
      .start_resolution = 8,
      .batch = 32,
      .loss = LOSS_LOGISTIC,
      .g_rate = 0.0015,
      .d_rate = 0.0015,
      .r1_gamma = 5,
      .ema_kimg = 10,
      .fade_kimg = 600,
      .stable_kimg = 600,
      .total_kimg = 25000}},
    {"ffhq-256",
     {.shape = {.resolution = 256, .z_dim = 512, .w_dim = 512, .mapping_layers = 8, .fmap_base = 8192, .fmap_max = 512},
      .start_resolution = 8,
      .batch = 16,
      .loss = LOSS_LOGISTIC,
      .g_rate = 0.0015,
      .d_rate = 0.0015,
      .r1_gamma = 10,
      .ema_kimg = 10,
      .fade_kimg = 600,
      .stable_kimg = 600,
      .total_kimg = 25000}},
};
enum { PRESETS = sizeof presets / sizeof *presets };

int trainer_preset(const char *name, trainer_config *config) {
    for (int i = 0; i < PRESETS; i++) {
        if (strcmp(name, presets[i].name)) continue;
        *config = presets[i].config; /* and what they share: */
        config->shape.channels = 3;
        config->shape.mapping_rate = 0.01;
        config->ema_ramp = 0.05;
        if (!config->r1_interval) config->r1_interval = 1;
        config->mixing = 0.9;
        config->w_avg_beta = 0.995;
        config->mirror = 1;
        config->target = 0.5;
        config->ada_kimg = 100;
        return 1;
    }
    return 0;
}

const char *trainer_preset_names(void) {
    static char names[128];
    size_t end = 0;
    for (int i = 0; i < PRESETS; i++)
        end += (size_t)snprintf(names + end, sizeof names - end, "%s%s", i ? ", " : "", presets[i].name);
    return names;
}

char *trainer_option_text(const trainer_config *config, const trainer_option *option) {
    const void *field = (const char *)config + option->offset;
    if (option->choices) return cli_format("%s", option->choices[*(const int *)field]);
    if (option->kind == 'd') return cli_format("%g", *(const double *)field);
    if (option->kind == 'i') return cli_format("%d", *(const int *)field);
    return cli_format("%llu", (unsigned long long)*(const uint64_t *)field);
}

char *trainer_settings(const trainer_config *config) {
    char *all = NULL;
    for (const trainer_option *option = trainer_options; option->name; option++) {
        char *value = trainer_option_text(config, option);
        char *longer = cli_format("%s%s%s %s", all ? all : "", all ? ", " : "", option->name, value);
        free(value);
        free(all);
        all = longer;
    }
    return all;
}

const engine *trainer_engine(const trainer_config *c) {
    return (c->precision == PRECISION_BF16 ? engine_for_mixed : engine_for)((stylegan_isa)c->isa);
}

static int power_of_two(int n) {
    return n > 0 && !(n & (n - 1));
}

const char *training_fault(const trainer_config *c) {
    static char message[128];
    for (const trainer_option *o = trainer_options; o->name; o++) {
        const char *field = (const char *)c + o->offset;
        double value = 0;
        if (o->kind == 'i') value = *(const int *)(const void *)field;
        if (o->kind == 'd') value = *(const double *)(const void *)field;
        if (o->kind == 'u') value = (double)*(const uint64_t *)(const void *)field;
        if (value >= o->least && value <= o->most) continue;
        snprintf(message, sizeof message, "%s must be from %g to %g, not %g", o->name, o->least, o->most, value);
        return message;
    }
    if (!power_of_two(c->shape.resolution)) return "resolution must be a power of two";
    if (!power_of_two(c->start_resolution)) return "start-resolution must be a power of two";
    if (c->start_resolution > c->shape.resolution) return "start-resolution must not be larger than resolution";
    if (c->batch % SHARD) return "batch must be a multiple of 4";
    if (c->shape.d_fmap_base && c->shape.d_fmap_base < c->shape.resolution)
        return "d-fmap-base must not be smaller than resolution";
    if (c->shape.fmap_base < c->shape.resolution) return "fmap-base must not be smaller than resolution";
    if (c->r1_gamma_last > c->r1_gamma) return "r1-gamma-last must not be larger than r1-gamma";
    if (c->aug == AUG_FIXED && c->p <= 0) return "aug fixed needs a p above 0";
    if (c->aug != AUG_FIXED && c->p > 0) return "p is for aug fixed";
    return NULL;
}

const char *trainer_check(const trainer_config *c) {
    const char *fault = training_fault(c);
    if (fault) return fault;
    if (!engine_for((stylegan_isa)c->isa)) return "isa: this processor does not have it; --isa auto takes what it has";
    if (!trainer_engine(c))
        return "precision bf16 needs matrix units: --isa amx or auto, on a processor that has them; f32 needs none";
    return NULL;
}
