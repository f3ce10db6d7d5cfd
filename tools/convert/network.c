/* network.c - tensors by name, checked and folded; the mapping network, which all formats share. */
#include "network.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Names --- */

const char *network_name(network *n, const char *pattern, place at) {
    const struct {
        char letter;
        int number;
    } numbers[] = {{'R', at.resolution}, {'B', at.block}, {'P', at.block - 1}, {'L', at.layer},
                   {'M', at.layer - 1},  {'D', at.level}, {'N', at.number},    {'O', at.number + 1}};
    const char *name = "";
    while (*pattern) {
        const size_t plain = strcspn(pattern, "{");
        name = reader_format(n->r, "%s%.*s", name, (int)plain, pattern);
        pattern += plain;
        for (size_t i = 0; *pattern && i < sizeof numbers / sizeof *numbers; i++) {
            if (pattern[1] == numbers[i].letter) name = reader_format(n->r, "%s%d", name, numbers[i].number);
        }
        if (*pattern) pattern += 3;
    }
    return name;
}

const value *network_find(const network *n, const char *name) {
    return value_get(n->variables, name);
}

bool network_has(const network *n, const char *name) {
    const value *v = network_find(n, name);
    return v && v->kind != VALUE_NONE;
}

static bool open_variable(network *n, const char *name, tensor *t) {
    const value *v = network_find(n, name);
    if (!v || v->kind == VALUE_NONE) reader_fail(n->r, "%s is missing", name);
    return tensor_open(n->r, name, v, t);
}

/* --- Sizes --- */

void network_conv_shape(network *n, const char *name, int *kernel, int *in, int *out) {
    tensor t;
    *kernel = *in = *out = 0;
    if (!open_variable(n, name, &t)) return;
    if (t.dimensions < 4) {
        reader_fail(n->r, "%s: not a convolution", name);
        return;
    }
    const int64_t *shape = t.shape + t.dimensions - 4;
    *kernel = (int)shape[n->names.torch_order ? 2 : 0];
    *in = (int)shape[n->names.torch_order ? 1 : 2];
    *out = (int)shape[n->names.torch_order ? 0 : 3];
    if (*kernel != 1 && *kernel != 3) reader_fail(n->r, "%s: a kernel of size %d is not supported", name, *kernel);
}

void network_dense_shape(network *n, const char *name, int *in, int *out) {
    tensor t;
    *in = *out = 0;
    if (!open_variable(n, name, &t)) return;
    if (t.dimensions != 2) {
        reader_fail(n->r, "%s: not a matrix", name);
        return;
    }
    *in = (int)t.shape[n->names.torch_order ? 1 : 0];
    *out = (int)t.shape[n->names.torch_order ? 0 : 1];
}

int network_vector_size(network *n, const char *name) {
    tensor t;
    if (!open_variable(n, name, &t)) return 0;
    int64_t size = 1;
    for (int d = 0; d < t.dimensions; d++) size *= t.shape[d];
    return size <= INT32_MAX ? (int)size : 0;
}

double network_number(network *n, const char *name, double otherwise) {
    tensor t;
    float number = 0.0f;
    if (!network_has(n, name) || !open_variable(n, name, &t) || !tensor_match(n->r, &t, 1, (int64_t[]){1}))
        return otherwise;
    tensor_read_row(&t, (int64_t[]){0}, 0, &number);
    return number;
}

/* --- Tensors: a view of the source, in the order of the weight file, times a gain --- */

typedef struct recipe {
    tensor source;
    double gain, shift;
    int shifted; /* the first so many outputs get `shift` added */
} recipe;

static void fill_from_source(void *context, float *values) {
    const recipe *p = context;
    const int inner = p->source.dimensions - 1;
    const int64_t row = p->source.shape[inner];
    int64_t index[TENSOR_DIMENSIONS] = {0};
    for (int d = inner; d >= 0;) {
        tensor_read_row(&p->source, index, inner, values);
        for (int64_t i = 0; i < row; i++) values[i] = (float)(values[i] * p->gain + (i < p->shifted ? p->shift : 0.0));
        values += row;
        for (d = inner - 1; d >= 0 && ++index[d] == p->source.shape[d]; d--) index[d] = 0;
    }
}

/* Adds `out` of that shape. Dimension d of it is dimension axes[d] of the source. */
static recipe *add_view(network *n, const char *out, const char *name, int dimensions, const int32_t *shape,
                        const int *axes) {
    recipe *p = reader_alloc(n->r, 1, sizeof *p);
    tensor source;
    int64_t expected[TENSOR_DIMENSIONS];
    for (int d = 0; d < dimensions; d++) expected[axes[d]] = shape[d];
    if (!p || !open_variable(n, name, &source) || !tensor_match(n->r, &source, dimensions, expected)) return NULL;
    p->source = source;
    for (int d = 0; d < dimensions; d++) {
        p->source.shape[d] = shape[d];
        p->source.stride[d] = source.stride[axes[d]];
    }
    p->gain = 1.0;
    weights_add(&n->w, out, dimensions, shape, fill_from_source, p);
    return p;
}

void network_add_vector(network *n, const char *out, const char *name, int size, double gain, double shift,
                        int shifted) {
    recipe *p = add_view(n, out, name, 1, (int32_t[]){size}, (int[]){0});
    if (!p) return;
    p->gain = gain;
    p->shift = shift;
    p->shifted = shifted;
}

void network_add_dense(network *n, const char *out, const char *name, int in, int outputs, double gain) {
    static const int orders[2][2] = {{0, 1}, {1, 0}};
    recipe *p = add_view(n, out, name, 2, (int32_t[]){in, outputs}, orders[n->names.torch_order]);
    if (p) p->gain = gain;
}

void network_add_conv(network *n, const char *out, const char *name, int kernel, int in, int outputs, double gain,
                      bool flipped) {
    static const int orders[2][4] = {{0, 1, 2, 3}, {2, 3, 1, 0}};
    recipe *p = add_view(n, out, name, 4, (int32_t[]){kernel, kernel, in, outputs}, orders[n->names.torch_order]);
    if (!p) return;
    p->gain = gain;
    for (int d = 0; flipped && d < 2; d++) tensor_flip(&p->source, d);
}

void network_add_constant(network *n, int channels) {
    add_view(n, "b4.const", n->names.constant, 3, (int32_t[]){4, 4, channels}, (int[]){1, 2, 0});
}

typedef struct drawn_noise {
    uint32_t layer;
    int resolution;
} drawn_noise;

static void fill_drawn_noise(void *context, float *values) {
    const drawn_noise *noise = context;
    for (int y = 0; y < noise->resolution; y++) {
        const size_t at = (size_t)y * (size_t)noise->resolution;
        stylegan_random_normal(0, noise->layer, at, values + at, noise->resolution);
    }
}

static void add_noise(network *n, const layer *l) {
    const char *out = reader_format(n->r, "%s.noise", l->out);
    const int32_t shape[2] = {l->at.resolution, l->at.resolution};
    if (!n->opt.random_noise || network_has(n, l->noise)) {
        add_view(n, out, l->noise, 2, shape, (int[]){0, 1});
        return;
    }
    drawn_noise *noise = reader_alloc(n->r, 1, sizeof *noise);
    if (!noise) return;
    *noise = (drawn_noise){(uint32_t)l->at.layer, l->at.resolution};
    n->drew_noise = true;
    weights_add(&n->w, out, 2, shape, fill_drawn_noise, noise);
}

static double equalized(bool scaled, double fan_in) {
    return scaled ? 1.0 / sqrt(fan_in) : 1.0;
}

static const char *joined(network *n, const char *prefix, const char *end) {
    return reader_format(n->r, "%s%s", prefix, end);
}

void network_add_layer(network *n, const layer *l) {
    const layout *names = &n->names;
    if (l->has_weight) {
        const char *weight = joined(n, l->prefix, names->weight);
        int kernel, in, outputs;
        network_conv_shape(n, weight, &kernel, &in, &outputs);
        const double gain = l->gain * equalized(l->scaled, (double)kernel * kernel * l->in);
        network_add_conv(n, joined(n, l->out, ".weight"), weight, kernel, l->in, l->outputs, gain, l->flipped);
    }
    network_add_vector(n, joined(n, l->out, ".bias"), joined(n, l->prefix, l->bias), l->outputs, 1, 0, 0);
    if (l->noise) {
        add_noise(n, l);
        network_add_vector(n, joined(n, l->out, ".noise_strength"), joined(n, l->prefix, names->strength), l->strengths,
                           1, 0, 0);
    }
    if (l->styles) {
        const int w_dim = n->w.config.w_dim;
        network_add_dense(n, joined(n, l->out, ".affine.weight"), joined(n, l->prefix, names->affine_weight), w_dim,
                          l->styles, equalized(n->opt.use_wscale, w_dim));
        network_add_vector(n, joined(n, l->out, ".affine.bias"), joined(n, l->prefix, names->affine_bias), l->styles, 1,
                           1, l->styles_from_zero);
    }
}

/* --- The filter --- */

enum { FIR_LARGEST = 16 };

/* taps [size][size] of a square array or, from one dimension, its outer product; returns the size. */
static int read_fir(network *n, float *taps) {
    const value *fir = n->opt.fir;
    const bool is_list = fir && fir->kind == VALUE_LIST;
    float row[FIR_LARGEST * FIR_LARGEST];
    int height = 1, width = n->opt.fir_default_size;
    memcpy(row, n->opt.fir_default, sizeof n->opt.fir_default);
    if (is_list) {
        const value *inner = value_item(fir, 0);
        const bool square = inner && inner->kind == VALUE_LIST;
        height = square ? (int)(fir->count < FIR_LARGEST ? fir->count : FIR_LARGEST + 1) : 1;
        const size_t columns = square ? inner->count : fir->count;
        width = columns > FIR_LARGEST ? FIR_LARGEST + 1 : (int)columns;
        for (int y = 0; y < height && height <= FIR_LARGEST && width <= FIR_LARGEST; y++) {
            for (int x = 0; x < width; x++) {
                const value *tap = value_item(square ? value_item(fir, (size_t)y) : fir, (size_t)x);
                row[y * width + x] = value_is_number(tap) ? (float)tap->number : NAN;
            }
        }
    } else if (fir && fir->kind != VALUE_NONE) {
        tensor t;
        if (!tensor_open(n->r, n->opt.fir_name, fir, &t)) return 0;
        const bool square = t.dimensions >= 2;
        width =
            t.dimensions && t.shape[t.dimensions - 1] <= FIR_LARGEST ? (int)t.shape[t.dimensions - 1] : FIR_LARGEST + 1;
        height = square ? width : 1;
        if (width > FIR_LARGEST) {
            reader_fail(n->r, "%s: a filter of more than %d taps is not supported", n->opt.fir_name, FIR_LARGEST);
            return 0;
        }
        if (!tensor_match(n->r, &t, 2, (int64_t[]){height, width})) return 0;
        for (int y = 0; y < height; y++) tensor_read_row(&t, (int64_t[]){y, 0}, 1, row + y * width);
    }
    if (width > FIR_LARGEST || height > FIR_LARGEST || (height > 1 && height != width)) {
        reader_fail(n->r, "%s: a filter of %d x %d taps is not supported", n->opt.fir_name, height, width);
        return 0;
    }
    for (int y = 0; y < width; y++) {
        for (int x = 0; x < width; x++) taps[y * width + x] = height > 1 ? row[y * width + x] : row[y] * row[x];
    }
    return width;
}

void network_add_fir(network *n, bool flipped) {
    float taps[FIR_LARGEST * FIR_LARGEST], ordered[FIR_LARGEST * FIR_LARGEST];
    const int size = read_fir(n, taps), count = size * size;
    if (!size) return;
    double sum = 0;
    for (int i = 0; i < count; i++) sum += taps[i];
    if (!(fabs(sum) > 1e-12 && fabs(sum) < 1e12)) {
        reader_fail(n->r, "%s: the filter's taps sum to %g", n->opt.fir_name, sum);
        return;
    }
    for (int i = 0; i < count; i++) ordered[i] = (float)(taps[flipped ? count - 1 - i : i] / sum);
    weights_add_values(&n->w, "fir", 2, (int32_t[]){size, size}, ordered);
}

/* --- The mapping network --- */

/* [K][E]: a fully connected layer, or a bare matrix if the layout knows no bias. Returns E. */
static int add_embedding(network *n) {
    stylegan_config *config = &n->w.config;
    const char *name = n->names.embedding_weight, *bias = n->names.embedding_bias, *out = "mapping.embed.weight";
    if (!network_has(n, name)) {
        if (config->c_dim > 0) reader_fail(n->r, "%s is missing", name);
        config->c_dim = 0;
        return 0;
    }
    int labels, features;
    if (bias) {
        network_dense_shape(n, name, &labels, &features);
    } else {
        tensor t;
        if (!open_variable(n, name, &t) || t.dimensions != 2) return 0;
        labels = (int)t.shape[0];
        features = (int)t.shape[1];
    }
    if (config->c_dim >= 0 && config->c_dim != labels) {
        reader_fail(n->r, "%s: has %d labels, should have %d", name, labels, config->c_dim);
    }
    config->c_dim = labels;
    if (bias) {
        network_add_dense(n, out, name, labels, features, 1.0 / sqrt(labels));
        network_add_vector(n, "mapping.embed.bias", bias, features, 1, 0, 0);
    } else {
        add_view(n, out, name, 2, (int32_t[]){labels, features}, (int[]){0, 1});
    }
    return features;
}

static void add_average(network *n) {
    const int w_dim = n->w.config.w_dim;
    const char *name = n->names.average;
    if (!name || !network_has(n, name)) {
        float *zeros = reader_alloc(n->r, (size_t)w_dim, sizeof *zeros);
        if (!zeros || !w_dim) return;
        n->estimate_w_avg = true;
        weights_add_values(&n->w, "w_avg", 1, (int32_t[]){w_dim}, zeros);
        return;
    }
    tensor t;
    recipe *p = reader_alloc(n->r, 1, sizeof *p);
    if (!p || !open_variable(n, name, &t)) return;
    if (t.dimensions == 2 && t.shape[0] == n->w.config.num_ws) { /* the same one for every layer */
        t.dimensions = 1;
        t.shape[0] = t.shape[1];
        t.stride[0] = t.stride[1];
    }
    if (!tensor_match(n->r, &t, 1, (int64_t[]){w_dim})) return;
    p->source = t;
    p->gain = 1.0;
    weights_add(&n->w, "w_avg", 1, (int32_t[]){w_dim}, fill_from_source, p);
}

void network_add_mapping(network *n, double gain) {
    stylegan_config *config = &n->w.config;
    const int features = add_embedding(n);
    const double lrmul = n->opt.mapping_lrmul;
    int width = 0, found = 0;
    for (;; found++) {
        const place at = {.number = found};
        const char *prefix = network_name(n, n->names.dense, at);
        const char *weight = joined(n, prefix, "weight");
        if (n->r->error[0] || !network_has(n, weight)) break;
        int in, outputs;
        network_dense_shape(n, weight, &in, &outputs);
        if (!found && config->z_dim < 0) config->z_dim = in - features;
        if (!found) width = config->z_dim + features;
        network_add_dense(n, reader_format(n->r, "mapping.fc%d.weight", found), weight, width, outputs,
                          lrmul * (n->opt.mapping_use_wscale ? gain / sqrt(in) : 1.0));
        network_add_vector(n, reader_format(n->r, "mapping.fc%d.bias", found), joined(n, prefix, "bias"), outputs,
                           lrmul, 0, 0);
        width = outputs;
    }
    if (!found) width = config->z_dim + features;
    if (config->mapping_layers >= 0 && config->mapping_layers != found) {
        reader_fail(n->r, "%sweight is missing: the mapping should have %d layers",
                    network_name(n, n->names.dense, (place){.number = found}), config->mapping_layers);
    }
    config->mapping_layers = found;
    if (config->w_dim && config->w_dim != width)
        reader_fail(n->r, "the mapping ends with %d features, should with %d", width, config->w_dim);
    if (config->z_dim < 0 || width < 1) reader_fail(n->r, "the mapping network is missing");
    config->w_dim = width;
    add_average(n);
}

/* --- Activations --- */

int network_activation(network *n, const char *option, const value *name) {
#define ACTIVATION_NAME(constant, text) text,
    static const char *const names[] = {STYLEGAN_ACTIVATIONS(ACTIVATION_NAME)};
#undef ACTIVATION_NAME
    for (int i = 0; i < STYLEGAN_ACTIVATION_COUNT; i++) {
        if (value_equals(name, names[i])) return i;
    }
    reader_fail(n->r, "%s = %s is not supported", option, value_describe(n->r, name));
    return STYLEGAN_LRELU;
}

float network_activation_gain(int activation) {
    const bool halves = activation == STYLEGAN_RELU || activation == STYLEGAN_LRELU || activation == STYLEGAN_SWISH;
    return halves ? 1.41421356f : 1.0f;
}
