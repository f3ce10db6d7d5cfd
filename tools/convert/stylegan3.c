/* stylegan3.c - StyleGAN 3, T and R: its modules store sizes, paddings and filters layer by layer, and so does the weight
   file. */
#include "persistence.h"

#include <math.h>

enum { MOST_LAYERS = 64, MOST_TAPS = 64, MOST_RADIAL_TAPS = 32, LARGEST_SIDE = 16384 };

static const layout names = {
    .dense = "mapping.fc{N}.",
    .embedding_weight = "mapping.embed.weight",
    .embedding_bias = "mapping.embed.bias",
    .average = "mapping.w_avg",
    .torch_order = true,
};

typedef struct size {
    int width, height;
} size;

static int whole(network *n, const char *name, float number, int least, int most) {
    const bool good = number >= (float)least && number <= (float)most && number == floorf(number);
    if (!good) reader_fail(n->r, "%s = %g is not supported", name, (double)number);
    return good ? (int)number : least;
}

/* (width, height), or one number for both. */
static size size_of(network *n, const char *path, const char *end) {
    const char *name = reader_format(n->r, "%s.%s", path, end);
    float sides[2] = {0};
    if (network_numbers(n, name, sides, 2) == 1) sides[1] = sides[0];
    return (size){whole(n, name, sides[0], 1, LARGEST_SIDE), whole(n, name, sides[1], 1, LARGEST_SIDE)};
}

static int integer_of(network *n, const char *path, const char *end, int least, int most) {
    return persistence_integer(n, reader_format(n->r, "%s.%s", path, end), least, most);
}

static void add_affine(network *n, const char *out, const char *path, int styles) {
    const int w_dim = n->w.config.w_dim;
    const char *affine = reader_format(n->r, "%s.affine", path);
    persistence_check_dense(n, affine, 1.0, STYLEGAN_LINEAR);
    network_add_dense(n, reader_format(n->r, "%s.affine.weight", out), reader_format(n->r, "%s.weight", affine), w_dim,
                      styles, 1.0 / sqrt(w_dim));
    network_add_vector(n, reader_format(n->r, "%s.affine.bias", out), reader_format(n->r, "%s.bias", affine), styles, 1,
                       0, 0);
}

/* --- The Fourier features. Returns their channels. --- */

static int add_input(network *n, size *made) {
    static const char path[] = "synthesis.input";
    const int channels = network_vector_size(n, "synthesis.input.phases");
    const double rate = persistence_number(n, "synthesis.input.sampling_rate");
    const double bandwidth = persistence_number(n, "synthesis.input.bandwidth");
    *made = size_of(n, path, "size");
    if (!(bandwidth > 0 && rate > 2 * bandwidth && rate < LARGEST_SIDE))
        reader_fail(n->r, "%s: a sampling rate of %g with a bandwidth of %g is not supported", path, rate, bandwidth);
    const float grid[4] = {(float)made->height, (float)made->width, (float)rate, (float)bandwidth};
    network_add_matrix(n, "input.freqs", "synthesis.input.freqs", channels, 2);
    network_add_vector(n, "input.phases", "synthesis.input.phases", channels, 1, 0, 0);
    network_add_matrix(n, "input.transform", "synthesis.input.transform", 3, 3);
    weights_add_values(&n->w, "input.grid", 1, (int32_t[]){4}, grid);
    add_affine(n, "input", path, 4);
    network_add_conv(n, "input.weight", "synthesis.input.weight", 1, channels, channels, 1.0 / sqrt(channels), false);
    return channels;
}

/* --- The filters: convolutions in the source, correlations in the weight file --- */

/* Returns the taps along one axis; 1 without filter. */
static int add_filter(network *n, const char *out, const char *name, double gain) {
    float taps[MOST_RADIAL_TAPS * MOST_RADIAL_TAPS], turned[MOST_RADIAL_TAPS * MOST_RADIAL_TAPS];
    if (!network_has(n, name)) return 1;
    const int dimensions = network_dimensions(n, name);
    const int count = network_numbers(n, name, taps, dimensions == 1 ? MOST_TAPS : MOST_RADIAL_TAPS * MOST_RADIAL_TAPS);
    const int side = dimensions == 1 ? count : (int)lrint(sqrt(count));
    if (dimensions > 2 || (dimensions == 2 && side * side != count)) reader_fail(n->r, "%s: not a filter", name);
    for (int i = 0; i < count; i++) turned[i] = (float)(gain * (double)taps[count - 1 - i]);
    if (count && !n->r->error[0]) weights_add_values(&n->w, out, dimensions, (int32_t[]){side, side}, turned);
    return side;
}

/* --- The layers --- */

typedef struct layer3 {
    const char *path, *out; /* "synthesis.L3_52_1024", "L3" */
    bool is_torgb;
    int in, outputs, kernel, up, down;
    int padding[4]; /* x0, x1, y0, y1 */
    size from, to;
} layer3;

/* Pixels along an axis of what the layer makes. */
static int output_side(const layer3 *l, int side, const int *padding, int up_taps, int down_taps) {
    const int high = (side + l->kernel - 1) * l->up + padding[0] + padding[1] - (up_taps - 1) - (down_taps - 1);
    return high < 1 ? 0 : (high - 1) / l->down + 1;
}

static void read_geometry(network *n, layer3 *l) {
    const char *padding = reader_format(n->r, "%s.padding", l->path);
    float numbers[4] = {0};
    const int count = network_numbers(n, padding, numbers, 4);
    if (count && count != 4) reader_fail(n->r, "%s: has %d numbers, should have 4", padding, count);
    for (int i = 0; i < 4; i++) l->padding[i] = whole(n, padding, numbers[i], -LARGEST_SIDE, LARGEST_SIDE);
    l->from = size_of(n, l->path, "in_size");
    l->to = size_of(n, l->path, "out_size");
    l->up = integer_of(n, l->path, "up_factor", 1, 16);
    l->down = integer_of(n, l->path, "down_factor", 1, 16);
}

static void add_geometry(network *n, const layer3 *l) {
    const int numbers[10] = {l->from.height, l->from.width, l->to.height,  l->to.width,   l->up,
                             l->down,        l->padding[0], l->padding[1], l->padding[2], l->padding[3]};
    float values[10];
    for (int i = 0; i < 10; i++) values[i] = (float)numbers[i];
    weights_add_values(&n->w, reader_format(n->r, "%s.geometry", l->out), 1, (int32_t[]){10}, values);
    const int up =
        add_filter(n, reader_format(n->r, "%s.up_filter", l->out), reader_format(n->r, "%s.up_filter", l->path), l->up);
    const int down =
        add_filter(n, reader_format(n->r, "%s.down_filter", l->out), reader_format(n->r, "%s.down_filter", l->path), 1);
    if (output_side(l, l->from.width, l->padding, up, down) != l->to.width ||
        output_side(l, l->from.height, l->padding + 2, up, down) != l->to.height)
        reader_fail(n->r, "%s: its sizes, padding and filters do not fit each other", l->path);
    if (l->is_torgb && (up != 1 || down != 1 || l->up != 1 || l->down != 1))
        reader_fail(n->r, "%s: filters in the layer of the image are not supported", l->path);
}

/* The factor that keeps maps at unit variance: a moving average of training. */
static double magnitude_gain(network *n, const layer3 *l) {
    const char *name = reader_format(n->r, "%s.magnitude_ema", l->path);
    const double square = network_number(n, name, 0.0);
    if (!(square > 1e-20 && square < 1e20)) reader_fail(n->r, "%s = %g is not supported", name, square);
    return 1.0 / sqrt(square);
}

/* Modulated and, but for the image's, demodulated, which cancels any gain of the weights. */
static void add_convolution(network *n, const layer3 *l, double output_scale) {
    const char *weight = reader_format(n->r, "%s.weight", l->path), *out = reader_format(n->r, "%s.weight", l->out);
    const double magnitude = magnitude_gain(n, l);
    const float gain = (float)(l->is_torgb ? output_scale : magnitude);
    if (l->is_torgb)
        network_add_conv(n, out, weight, 1, l->in, l->outputs, magnitude / sqrt(l->in), false);
    else
        network_add_unit_conv(n, out, weight, l->kernel, l->in, l->outputs);
    weights_add_values(&n->w, reader_format(n->r, "%s.gain", l->out), 1, (int32_t[]){1}, &gain);
    network_add_vector(n, reader_format(n->r, "%s.bias", l->out), reader_format(n->r, "%s.bias", l->path), l->outputs,
                       1, 0, 0);
    add_affine(n, l->out, l->path, l->in);
}

static layer3 read_layer(network *n, const value *name, int index, int layers) {
    layer3 l = {.out = reader_format(n->r, "L%d", index), .is_torgb = index == layers - 1};
    if (!name || name->kind != VALUE_TEXT || name->size > 60) reader_fail(n->r, "synthesis.layer_names: not names");
    if (n->r->error[0]) return l;
    l.path = reader_format(n->r, "synthesis.%.*s", (int)name->size, name->data);
    network_conv_shape(n, reader_format(n->r, "%s.weight", l.path), &l.kernel, &l.in, &l.outputs);
    persistence_expect(n, l.path, "is_torgb", l.is_torgb);
    persistence_expect(n, l.path, "conv_kernel", l.kernel);
    if (persistence_clamp(n, l.path) != n->w.config.conv_clamp)
        reader_fail(n->r, "%s.conv_clamp differs from that of the first layer", l.path);
    read_geometry(n, &l);
    return l;
}

static void add_layers(network *n, const value *layer_names, int channels, size from) {
    stylegan_config *config = &n->w.config;
    const double output_scale = persistence_number(n, "synthesis.output_scale");
    for (int i = 0; i < config->blocks && !n->r->error[0]; i++) {
        const layer3 l = read_layer(n, value_item(layer_names, (size_t)i), i, config->blocks);
        if (!n->r->error[0] && (l.from.width != from.width || l.from.height != from.height || l.in != channels))
            reader_fail(n->r, "%s: takes %d x %d of %d channels, the layer before makes %d x %d of %d", l.path,
                        l.from.width, l.from.height, l.in, from.width, from.height, channels);
        if (n->r->error[0]) return;
        add_convolution(n, &l, output_scale);
        add_geometry(n, &l);
        from = l.to;
        channels = l.outputs;
    }
    config->height = from.height;
    config->width = from.width;
    config->resolution = from.height > from.width ? from.height : from.width;
    config->channels = channels;
}

void stylegan3_build(network *n) {
    stylegan_config *config = &n->w.config;
    const value *layer_names = network_find(n, "synthesis.layer_names");
    const size_t layers = layer_names && layer_names->kind == VALUE_LIST ? layer_names->count : 0;
    if (layers < 1 || layers > MOST_LAYERS)
        reader_fail(n->r, "synthesis.layer_names: %zu layers are not supported", layers);
    if (n->r->error[0]) return;
    n->names = names;
    persistence_read_mapping(n);
    config->family = STYLEGAN_FAMILY_3;
    config->blocks = (int)layers;
    config->num_ws = persistence_integer(n, "synthesis.num_ws", (int)layers + 1, (int)layers + 1);
    config->activation = STYLEGAN_LRELU;
    config->activation_gain = network_activation_gain(STYLEGAN_LRELU);
    const value *first = layer_names->items[0];
    if (first->kind == VALUE_TEXT && first->size <= 60)
        config->conv_clamp = persistence_clamp(n, reader_format(n->r, "synthesis.%.*s", (int)first->size, first->data));
    network_add_mapping(n, 1.0);
    size made;
    const int channels = add_input(n, &made);
    add_layers(n, layer_names, channels, made);
    if (config->channels > MOST_CHANNELS)
        reader_fail(n->r, "synthesis.img_channels = %d is not supported", config->channels);
}
