/* random_network.c - networks with random weights, scaled as equalised learning rates leave them: signals of about unit
   variance from the first layer to the image. */
#include "random_network.h"
#include "../base/cli.h"
#include "../base/random.h"
#include "design3.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { LEVELS = 13, MOST_FIR_TAPS = 8, MOST_MAPPING_LAYERS = 8 }; /* levels: 4, 8, ..., 16384 */

/* --- Random numbers --- */

static double next_uniform(uint64_t *state) { /* in (0, 1] */
    return ((double)(random_next(state) >> 11) + 1) * 0x1p-53;
}

static int next_below(uint64_t *state, int limit) {
    return (int)(random_next(state) % (uint64_t)limit);
}

static int happens(uint64_t *state, int percent) {
    return next_below(state, 100) < percent;
}

/* --- Tensors of normal values --- */

/* The first `shifted` values have mean 1, the others 0. */
typedef struct normal_fill {
    uint64_t seed, count, shifted;
    double deviation;
} normal_fill;

static void fill_normal(void *context, float *values) {
    const normal_fill *fill = (const normal_fill *)context;
    uint64_t state = fill->seed;
    for (uint64_t i = 0; i < fill->count; i += 2) { /* Box and Muller make two at a time */
        double radius = fill->deviation * sqrt(-2 * log(next_uniform(&state)));
        double angle = 6.283185307179586 * next_uniform(&state);
        values[i] = (float)(radius * cos(angle) + (i < fill->shifted));
        if (i + 1 < fill->count) values[i + 1] = (float)(radius * sin(angle) + (i + 1 < fill->shifted));
    }
}

/* What a network is made from, beside its configuration. */
typedef struct blueprint {
    stylegan_config config;
    int features[LEVELS];                    /* of 4 x 4, 8 x 8, ... */
    int mapping_widths[MOST_MAPPING_LAYERS]; /* outputs of each layer; the last one is w_dim */
    int embedding, embedding_bias;
    int dense_input;
    int kernel;
    int fir_height, fir_width; /* 0: none */
    int image_fir;
    float fir[MOST_FIR_TAPS * MOST_FIR_TAPS];
    int noise_percent, channel_strength_percent; /* chances of a layer */
    int fresh;                                   /* as before training: constant ones, no noise, no biases */
    design3 design;                              /* of StyleGAN 3 ... */
    int odd, moved_input;                        /* ... or a geometry of no design; with a transform */
    uint64_t state;
    weights *target;
} blueprint;

static void add_shifted(blueprint *b, const char *name, int dimensions, const int32_t *shape, double deviation,
                        int shifted) {
    normal_fill *fill = (normal_fill *)cli_alloc(1, sizeof *fill);
    fill->seed = random_next(&b->state);
    fill->count = 1;
    for (int i = 0; i < dimensions; i++) fill->count *= (uint64_t)shape[i];
    fill->shifted = (uint64_t)shifted;
    fill->deviation = deviation;
    weights_add(b->target, name, dimensions, shape, fill_normal, fill);
}

/* Adds "{layer}.{part}"; unused sizes are 0. */
static void add(blueprint *b, const char *layer, const char *part, const int32_t shape[4], double deviation,
                int shifted) {
    char name[64];
    int dimensions = 0;
    while (dimensions < 4 && shape[dimensions]) dimensions++;
    snprintf(name, sizeof name, "%s.%s", layer, part);
    add_shifted(b, name, dimensions, shape, deviation, shifted);
}

/* --- The network --- */

static void add_dense(blueprint *b, const char *layer, int in, int out, double gain, int bias) {
    add(b, layer, "weight", (const int32_t[4]){in, out}, gain / sqrt(in), 0);
    if (bias) add(b, layer, "bias", (const int32_t[4]){out}, 0.1, 0);
}

static void add_mapping(blueprint *b, double gain) {
    const stylegan_config *config = &b->config;
    if (config->c_dim) /* a one-hot label picks one row */
        add_dense(b, "mapping.embed", config->c_dim, b->embedding, sqrt(config->c_dim), b->embedding_bias);
    int in = config->z_dim + b->embedding;
    for (int i = 0; i < config->mapping_layers; i++) {
        char layer[32];
        snprintf(layer, sizeof layer, "mapping.fc%d", i);
        add_dense(b, layer, in, b->mapping_widths[i], gain, 1);
        in = b->mapping_widths[i];
    }
    add_shifted(b, "w_avg", 1, &config->w_dim, 0.3, 0);
}

static void add_affine(blueprint *b, const char *layer, int styles, int scales) {
    add(b, layer, "affine.weight", (const int32_t[4]){b->config.w_dim, styles}, 1 / sqrt(b->config.w_dim), 0);
    add(b, layer, "affine.bias", (const int32_t[4]){styles}, 0.1, scales);
}

/* A convolution with its epilogue; in = 0: the epilogue alone. */
static void add_layer(blueprint *b, int resolution, const char *convolution, int in, int out, double gain) {
    char layer[32];
    snprintf(layer, sizeof layer, "b%d.%s", resolution, convolution);
    if (in)
        add(b, layer, "weight", (const int32_t[4]){b->kernel, b->kernel, in, out},
            gain / sqrt(in * b->kernel * b->kernel), 0);
    add(b, layer, "bias", (const int32_t[4]){out}, b->fresh ? 0 : 0.1, 0);
    if (happens(&b->state, b->noise_percent)) {
        add(b, layer, "noise", (const int32_t[4]){resolution, resolution}, 1, 0);
        add(b, layer, "noise_strength", (const int32_t[4]){happens(&b->state, b->channel_strength_percent) ? out : 1},
            b->fresh ? 0 : 0.1, 0);
    }
    if (b->config.family == STYLEGAN_FAMILY_2)
        add_affine(b, layer, in, in);
    else if (b->config.use_styles)
        add_affine(b, layer, 2 * out, out);
}

static void add_torgb(blueprint *b, int resolution, int in) {
    char layer[32];
    snprintf(layer, sizeof layer, "b%d.torgb", resolution);
    add(b, layer, "weight", (const int32_t[4]){1, 1, in, b->config.channels}, 0.5 / sqrt(in), 0);
    add(b, layer, "bias", (const int32_t[4]){b->config.channels}, 0.1, 0);
    if (b->config.family == STYLEGAN_FAMILY_2) add_affine(b, layer, in, in);
}

static void add_style1_synthesis(blueprint *b) {
    const stylegan_config *config = &b->config;
    double shown = config->lod; /* the images that lod blends: at levels of detail floor and ceiling of it */
    for (int level = 0; 4 << level <= config->resolution; level++) {
        int resolution = 4 << level, in = level ? b->features[level - 1] : 0, out = b->features[level];
        int detail = 0;
        while (resolution << detail < config->resolution) detail++;
        if (level && detail < floor(shown)) break;
        add_layer(b, resolution, "conv0", in, out, sqrt(2));
        add_layer(b, resolution, "conv1", out, out, sqrt(2));
        int visible = fabs(detail - shown) < 1 || (level == 0 && shown >= detail);
        if (visible) add_torgb(b, resolution, out);
    }
}

static void add_style2_synthesis(blueprint *b) {
    const stylegan_config *config = &b->config;
    for (int level = 0; 4 << level <= config->resolution; level++) {
        int resolution = 4 << level, out = b->features[level];
        if (level) add_layer(b, resolution, "conv0", b->features[level - 1], out, 1);
        add_layer(b, resolution, "conv1", out, out, 1);
        if (level && config->architecture == STYLEGAN_RESNET) {
            char layer[32];
            int in = b->features[level - 1];
            snprintf(layer, sizeof layer, "b%d.skip", resolution);
            add(b, layer, "weight", (const int32_t[4]){1, 1, in, out}, sqrt(0.5 / in), 0);
        }
        if (config->architecture == STYLEGAN_SKIP || resolution == config->resolution) add_torgb(b, resolution, out);
    }
}

/* --- StyleGAN 3 --- */

static const int widths[] = {1, 2, 3, 4, 5, 7, 8, 11, 16, 17, 20, 24, 33};

static int draw_width(blueprint *b, int least) {
    int width = widths[next_below(&b->state, (int)(sizeof widths / sizeof *widths))];
    return width < least ? least : width;
}

static void add_values(blueprint *b, const char *layer, const char *part, const int32_t shape[4], const float *values) {
    char name[64];
    int dimensions = 0;
    while (dimensions < 4 && shape[dimensions]) dimensions++;
    snprintf(name, sizeof name, "%s.%s", layer, part);
    weights_add_values(b->target, name, dimensions, shape, values);
}

/* The waves: frequencies uniform on a disc of the bandwidth, as far as the paper's formula makes normal ones so. */
static void add_waves(blueprint *b, const design3_input *input, int height, int width) {
    float *frequencies = (float *)cli_alloc((size_t)(2 * input->channels), sizeof *frequencies);
    float *phases = (float *)cli_alloc((size_t)input->channels, sizeof *phases);
    const float grid[4] = {(float)height, (float)width, (float)input->rate, (float)input->bandwidth};
    for (int i = 0; i < input->channels; i++) {
        double length = sqrt(-2 * log(next_uniform(&b->state))), angle = 6.283185307179586 * next_uniform(&b->state);
        double radius = input->bandwidth * exp(-0.25 * length * length);
        frequencies[2 * i] = (float)(radius * cos(angle));
        frequencies[2 * i + 1] = (float)(radius * sin(angle));
        phases[i] = (float)(next_uniform(&b->state) - 0.5);
    }
    add_values(b, "input", "freqs", (const int32_t[4]){input->channels, 2}, frequencies);
    add_values(b, "input", "phases", (const int32_t[4]){input->channels}, phases);
    add_values(b, "input", "grid", (const int32_t[4]){4}, grid);
    if (b->moved_input) add(b, "input", "transform", (const int32_t[4]){3, 3}, 0.5, 1);
    add(b, "input", "affine.weight", (const int32_t[4]){b->config.w_dim, 4}, 0.1 / sqrt(b->config.w_dim), 0);
    add(b, "input", "affine.bias", (const int32_t[4]){4}, 0.1, 1);
    free(frequencies);
    free(phases);
}

/* What the geometry tensor holds, and the filters. */
static void add_resampling(blueprint *b, const char *name, const design3_layer *l, const int size[4],
                           const int padding[4]) {
    const float geometry[10] = {(float)size[0],    (float)size[1],   (float)size[2],    (float)size[3],
                                (float)l->up,      (float)l->down,   (float)padding[0], (float)padding[1],
                                (float)padding[2], (float)padding[3]};
    add_values(b, name, "geometry", (const int32_t[4]){10}, geometry);
    if (l->up_taps > 1) add_values(b, name, "up_filter", (const int32_t[4]){l->up_taps}, l->up_filter);
    if (l->down_taps > 1)
        add_values(b, name, "down_filter", (const int32_t[4]){l->down_taps, l->radial ? l->down_taps : 0},
                   l->down_filter);
}

/* A layer of square maps as designed, or, with `odd`, of another geometry; size [2]: of its input, then of its output. */
static void add_layer3(blueprint *b, int number, design3_layer *l, int size[2]) {
    int last = number == b->config.blocks - 1, kernel = last ? 1 : b->kernel, out = last ? b->config.channels : l->out;
    int sizes[4] = {size[0], size[1], l->out_size, l->out_size};
    int padding[4] = {l->before, l->after, l->before, l->after}; /* left, right, top, bottom */
    char name[32];
    snprintf(name, sizeof name, "L%d", number);
    for (int axis = 0; b->odd && axis < 2; axis++) { /* 0: rows */
        int lost = l->up_taps + l->down_taps - 2, most = (size[axis] + kernel - 1) * l->up,
            *pad = padding + 2 - 2 * axis;
        pad[0] = last ? 0 : next_below(&b->state, 12) - 4;
        pad[1] = last ? 0 : next_below(&b->state, 12) - 4;
        if (!last && most + pad[0] + pad[1] - lost < 8) pad[1] = 8 + lost - most - pad[0];
        sizes[2 + axis] = last ? size[axis] : (most + pad[0] + pad[1] - lost - 1) / l->down + 1;
    }
    add_resampling(b, name, l, sizes, padding);
    add(b, name, "weight", (const int32_t[4]){kernel, kernel, l->in, out}, last ? 1 / sqrt(l->in) : 1, 0);
    add(b, name, "bias", (const int32_t[4]){out}, 0.1, 0);
    add_affine(b, name, l->in, l->in);
    if (last || happens(&b->state, 50))
        add_values(b, name, "gain", (const int32_t[4]){1}, (const float[1]){last ? 0.25f : 1.25f});
    memcpy(size, sizes + 2, 2 * sizeof *size);
}

/* Factors and filters of no design. */
static void draw_resampling(blueprint *b, design3_layer *l) {
    l->up = 1 + next_below(&b->state, 4);
    l->down = 1 + next_below(&b->state, 3);
    l->up_taps = 1 + next_below(&b->state, 14);
    l->radial = happens(&b->state, 40);
    l->down_taps = 1 + next_below(&b->state, l->radial ? 7 : 14);
    int count = l->radial ? l->down_taps * l->down_taps : l->down_taps, mirrored = happens(&b->state, 50);
    for (int i = 0; i < l->up_taps; i++) l->up_filter[i] = (float)(l->up * next_uniform(&b->state) / l->up_taps);
    for (int i = 0; i < count; i++) l->down_filter[i] = (float)(next_uniform(&b->state) / count);
    for (int i = 0; mirrored && i < count; i++) {
        int y = i / l->down_taps;
        l->down_filter[i] =
            l->down_filter[y * l->down_taps < count / 2 ? i : (l->down_taps - 1 - y) * l->down_taps + i % l->down_taps];
    }
    if (l->down_taps == 1) l->radial = 0;
}

static void add_style3_synthesis(blueprint *b) {
    design3_input input = design3_make_input(&b->design);
    int size[2] = {input.size, input.size};
    if (b->odd) {
        input.channels = draw_width(b, 1);
        for (int axis = 0; axis < 2; axis++) size[axis] = 3 + next_below(&b->state, 12);
    }
    int channels = input.channels;
    add_waves(b, &input, size[0], size[1]);
    add(b, "input", "weight", (const int32_t[4]){1, 1, channels, channels}, 1 / sqrt(channels), 0);
    for (int i = 0; i < b->config.blocks; i++) {
        design3_layer layer = design3_make_layer(&b->design, i, i < b->config.blocks - 1 ? b->kernel : 1);
        if (b->odd) {
            layer.in = channels;
            channels = layer.out = draw_width(b, 1);
            if (i < b->config.blocks - 1) draw_resampling(b, &layer);
        }
        add_layer3(b, i, &layer, size);
    }
    b->target->config.height = size[0];
    b->target->config.width = size[1];
    b->target->config.resolution = size[0] > size[1] ? size[0] : size[1];
}

static blueprint start(stylegan_family family, int resolution, uint64_t seed);

/* margin and the like are the published ones'. */
static blueprint start3(int resolution, int rotates, uint64_t seed) {
    blueprint b = start(STYLEGAN_FAMILY_3, resolution, seed);
    const design3 design = {resolution, 14, 2, 10, 6, rotates, rotates ? 65536 : 32768, rotates ? 1024 : 512};
    b.design = design;
    b.kernel = rotates ? 1 : 3;
    b.config.conv_clamp = 256;
    return b;
}

/* The number of layers is known. */
static void set_layers(blueprint *b) {
    b->config.blocks = b->design.layers + 1;
    b->config.num_ws = b->config.truncation_cutoff = b->config.blocks + 1;
}

static void build(blueprint *b, weights *w) {
    memset(w, 0, sizeof *w);
    w->config = b->config;
    b->target = w;
    int first = b->config.family == STYLEGAN_FAMILY_1;
    add_mapping(b, first ? sqrt(2) : 1);
    weights_note(w, "source", "random values");
    if (b->config.family == STYLEGAN_FAMILY_3) {
        add_style3_synthesis(b);
        return;
    }
    if (b->fir_height) weights_add_values(w, "fir", 2, (const int32_t[2]){b->fir_height, b->fir_width}, b->fir);
    if (b->image_fir) /* another filter: the same taps in another shape */
        weights_add_values(w, "fir_image", 2, (const int32_t[2]){b->fir_width, b->fir_height}, b->fir);
    if (b->dense_input)
        add_dense(b, "b4.dense", b->config.w_dim, 16 * b->features[0], 1, 0);
    else
        add_shifted(b, "b4.const", 3, (const int32_t[3]){4, 4, b->features[0]}, !b->fresh,
                    b->fresh ? 16 * b->features[0] : 0);
    (first ? add_style1_synthesis : add_style2_synthesis)(b);
}

static int count_styles(int resolution) {
    int count = 2;
    for (; resolution > 4; resolution /= 2) count += 2;
    return count;
}

/* What all families start from. */
static blueprint start(stylegan_family family, int resolution, uint64_t seed) {
    blueprint b = {0};
    b.state = seed;
    b.config.family = (int32_t)family;
    weights_set_resolution(&b.config, resolution);
    b.config.num_ws = count_styles(resolution);
    b.config.channels = 3;
    b.config.mapping_activation = b.config.activation = STYLEGAN_LRELU;
    b.config.mapping_gain = b.config.activation_gain = family == STYLEGAN_FAMILY_1 ? 1 : (float)sqrt(2);
    b.config.use_instance_norm = b.config.use_styles = family == STYLEGAN_FAMILY_1;
    b.config.truncation_psi = 1;
    b.config.truncation_cutoff = b.config.num_ws;
    b.kernel = 3;
    return b;
}

static void set_fir(blueprint *b, int height, int width, const float *column, const float *row) {
    float sum = 0;
    b->fir_height = height;
    b->fir_width = width;
    for (int i = 0; i < height * width; i++) sum += b->fir[i] = column[i / width] * row[i % width];
    for (int i = 0; i < height * width; i++) b->fir[i] /= sum;
}

/* --- Named networks --- */

/* "sg3-t-256": translation equivariant; "sg3-r-256": rotation too */
static int name_stylegan3(const char *name, weights *w) {
    if (strncmp(name, "sg3-t-", 6) != 0 && strncmp(name, "sg3-r-", 6) != 0) return 0;
    char *end;
    long resolution = strtol(name + 6, &end, 10);
    if (*end || resolution < 64 || resolution > 1024 || resolution & (resolution - 1)) return 0;
    blueprint b = start3((int)resolution, name[4] == 'r', 1);
    b.config.z_dim = b.config.w_dim = b.mapping_widths[0] = b.mapping_widths[1] = 512;
    b.config.mapping_layers = 2;
    b.config.normalization = STYLEGAN_NORMALIZE_SEPARATE;
    set_layers(&b);
    build(&b, w);
    return 1;
}

int random_network_named(const char *name, weights *w) {
    if (name_stylegan3(name, w)) return 1;
    static const struct {
        const char *prefix;
        stylegan_family family;
        int base, taps;
        float fir[4], psi;
    } kinds[] = {{"sg1-", STYLEGAN_FAMILY_1, 8192, 3, {1, 2, 1, 0}, 0.7f},
                 {"sg2-", STYLEGAN_FAMILY_2, 16384, 4, {1, 3, 3, 1}, 0.5f}};
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
        size_t length = strlen(kinds[i].prefix);
        if (strncmp(name, kinds[i].prefix, length)) continue;
        char *end;
        long resolution = strtol(name + length, &end, 10);
        if (*end || resolution < 4 || resolution > 1024 || resolution & (resolution - 1)) continue;
        blueprint b = start(kinds[i].family, (int)resolution, 1);
        b.config.z_dim = b.config.w_dim = 512;
        b.config.mapping_layers = 8;
        b.config.normalization = STYLEGAN_NORMALIZE_JOINT;
        b.config.truncation_psi = kinds[i].psi;
        for (int layer = 0; layer < 8; layer++) b.mapping_widths[layer] = 512;
        for (int level = 0; level < LEVELS; level++)
            b.features[level] = kinds[i].base >> (level + 1) < 512 ? kinds[i].base >> (level + 1) : 512;
        set_fir(&b, kinds[i].taps, kinds[i].taps, kinds[i].fir, kinds[i].fir);
        b.noise_percent = 100;
        b.channel_strength_percent = kinds[i].family == STYLEGAN_FAMILY_1 ? 100 : 0;
        build(&b, w);
        return 1;
    }
    return 0;
}

/* --- Random configurations --- */

static void draw_fir(blueprint *b) {
    int first = b->config.family == STYLEGAN_FAMILY_1;
    if (first && happens(&b->state, 20)) return;
    float column[MOST_FIR_TAPS], row[MOST_FIR_TAPS];
    for (int i = 0; i < MOST_FIR_TAPS; i++) {
        column[i] = (float)next_uniform(&b->state);
        row[i] = (float)next_uniform(&b->state);
    }
    int height = 1 + next_below(&b->state, MOST_FIR_TAPS), width = 1 + next_below(&b->state, MOST_FIR_TAPS);
    if (happens(&b->state, 50)) { /* the usual one: as long as in the official networks, the same on both axes */
        height = width = first ? 3 : 4;
        memcpy(row, column, sizeof row);
    }
    set_fir(b, height, width, column, row);
    if (happens(&b->state, 30)) { /* not separable: mass moved between two taps */
        float moved = 0.3f * b->fir[0];
        b->fir[0] -= moved;
        b->fir[height * width - 1] += moved;
    }
}

static void draw_mapping(blueprint *b) {
    stylegan_config *config = &b->config;
    config->normalization = next_below(&b->state, 3);
    if (happens(&b->state, 40)) {
        config->c_dim = draw_width(b, 1);
        b->embedding = draw_width(b, 2);
        b->embedding_bias = happens(&b->state, 50);
    }
    config->z_dim = config->c_dim && happens(&b->state, 15) ? 0 : draw_width(b, 2);
    config->mapping_layers = next_below(&b->state, 5);
    for (int i = 0; i < config->mapping_layers; i++) b->mapping_widths[i] = draw_width(b, 2);
    config->w_dim =
        config->mapping_layers ? b->mapping_widths[config->mapping_layers - 1] : config->z_dim + b->embedding;
}

static void draw_style1(blueprint *b) {
    stylegan_config *config = &b->config;
    config->activation = happens(&b->state, 25) ? STYLEGAN_RELU : STYLEGAN_LRELU;
    config->mapping_activation = happens(&b->state, 25) ? STYLEGAN_RELU : STYLEGAN_LRELU;
    config->use_pixel_norm = happens(&b->state, 25);
    /* a pixel whose few channels are all about zero has no direction to keep */
    for (int level = 0; config->use_pixel_norm && level < LEVELS; level++)
        if (b->features[level] < 11) b->features[level] = 11;
    config->use_instance_norm = happens(&b->state, 75);
    config->use_styles = happens(&b->state, 80);
    if (!config->use_styles) config->num_ws = config->truncation_cutoff = 1; /* as the official networks have it */
    b->dense_input = happens(&b->state, 25);
    if (happens(&b->state, 35)) { /* half grown; on a level's edge now and then */
        config->lod = (float)(count_styles(config->resolution) / 2 * next_uniform(&b->state));
        if (happens(&b->state, 25)) config->lod = floorf(config->lod);
    }
    b->fresh = happens(&b->state, 10);
}

static void draw_style2(blueprint *b) {
    stylegan_config *config = &b->config;
    config->architecture = next_below(&b->state, 3);
    if (happens(&b->state, 75)) config->activation = next_below(&b->state, STYLEGAN_ACTIVATION_COUNT);
    if (happens(&b->state, 75)) config->mapping_activation = next_below(&b->state, STYLEGAN_ACTIVATION_COUNT);
    if (happens(&b->state, 40)) config->conv_clamp = (float)(0.5 + 3 * next_uniform(&b->state));
    b->image_fir = config->architecture == STYLEGAN_SKIP && happens(&b->state, 30);
}

/* tall: StyleGAN 2 at this resolution, with few channels; 0: any small network */
static void draw_network(uint64_t seed, int tall, weights *w) {
    uint64_t state = seed;
    int first = happens(&state, 45) && !tall;
    int resolution = happens(&state, 3) ? 128 : 4 << next_below(&state, 5);
    blueprint b = start(first ? STYLEGAN_FAMILY_1 : STYLEGAN_FAMILY_2, tall ? tall : resolution, random_next(&state));
    b.config.channels = 1 + next_below(&b.state, 4);
    if (happens(&b.state, 30)) b.config.activation_gain = (float)(0.7 + next_uniform(&b.state));
    if (happens(&b.state, 30)) b.config.mapping_gain = (float)(0.7 + next_uniform(&b.state));
    b.config.truncation_psi = (float)next_uniform(&b.state);
    b.config.truncation_cutoff = 1 + next_below(&b.state, b.config.num_ws);
    draw_mapping(&b);
    for (int level = 0; level < LEVELS; level++)
        b.features[level] = tall ? 2 + next_below(&b.state, 4) : draw_width(&b, 1);
    if (happens(&b.state, 15)) b.kernel = 1;
    b.noise_percent = (const int[]){0, 50, 100, 100}[next_below(&b.state, 4)];
    b.channel_strength_percent = (const int[]){0, 50, 100}[next_below(&b.state, 3)];
    draw_fir(&b);
    (first ? draw_style1 : draw_style2)(&b);
    build(&b, w);
}

/* tall: as designed at this resolution, with few channels; 0: any small network */
static void draw_network3(uint64_t seed, int tall, weights *w) {
    uint64_t state = seed;
    int rotates = happens(&state, 40), resolution = 16 << next_below(&state, 2);
    blueprint b = start3(tall ? tall : resolution, rotates, random_next(&state));
    b.config.channels = 1 + next_below(&b.state, 4);
    b.design.layers = 3 + next_below(&b.state, 4);
    b.design.critical = 1 + next_below(&b.state, 2);
    b.design.margin = next_below(&b.state, 9);
    b.design.filter = 2 * (1 + next_below(&b.state, 4));
    b.design.channel_base = 64 + 8 * next_below(&b.state, 60);
    b.design.channel_most = draw_width(&b, 1);
    b.odd = happens(&b.state, 50) && !tall;
    if (tall) b.design.channel_base = 8192;
    if (tall) b.design.channel_most = 24 + next_below(&b.state, 24);
    b.moved_input = happens(&b.state, 30);
    if (happens(&b.state, 30)) b.kernel = 4 - b.kernel;
    if (happens(&b.state, 50)) b.config.conv_clamp = (float)next_below(&b.state, 3);
    if (happens(&b.state, 20)) b.config.activation = next_below(&b.state, STYLEGAN_LRELU + 1);
    b.config.truncation_psi = (float)next_uniform(&b.state);
    draw_mapping(&b);
    set_layers(&b);
    build(&b, w);
}

void random_network3(uint64_t seed, weights *w) {
    draw_network3(seed, 0, w);
}

void random_tall_network3(uint64_t seed, weights *w) {
    draw_network3(seed, 128, w);
}

void random_network(uint64_t seed, weights *w) {
    draw_network(seed, 0, w);
}

void random_tall_network(uint64_t seed, weights *w) {
    draw_network(seed, 512, w);
}

void random_young_network(uint64_t seed, weights *w) {
    static const float taps[] = {1, 2, 1};
    blueprint b = start(STYLEGAN_FAMILY_1, 128, seed);
    b.config.channels = 256;
    b.config.lod = 5;
    draw_mapping(&b);
    for (int level = 0; level < LEVELS; level++) b.features[level] = 2;
    set_fir(&b, 3, 3, taps, taps);
    build(&b, w);
}

void random_network_free(weights *w) {
    for (int i = 0; i < w->count; i++)
        if (w->tensors[i].fill == fill_normal) free(w->tensors[i].context);
    weights_free(w);
}
