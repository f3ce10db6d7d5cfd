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

static void mark_used(network *n, const char *name) {
    const value *all = n->variables;
    for (size_t i = 0; i + 1 < all->count; i += 2) all->items[i]->used |= value_equals(all->items[i], name);
}

static bool ends_with(const char *name, const char *end) {
    const size_t size = strlen(name), cut = strlen(end);
    return size >= cut && !strcmp(name + size - cut, end);
}

/* Filters are read where they count; noise may be switched off. */
static bool may_be_unused(const network *n, const char *name) {
    static const char *const ends[] = {"filter", ".kernel",       ".noise", "noise_const",        "noise_strength",
                                       "_avg",   "magnitude_ema", ".lod",   "num_batches_tracked"};
    bool may = !strncmp(name, "noises.", 7);
    for (size_t i = 0; !may && i < sizeof ends / sizeof *ends; i++) may = ends_with(name, ends[i]);
    return may || (n->names.undrawn && !strncmp(name, n->names.undrawn, strlen(n->names.undrawn)));
}

void network_refuse_unused(network *n) {
    static const char maker[] = "torch._"; /* _utils._rebuild_tensor_v2, _utils._rebuild_parameter, ... */
    for (size_t i = 0; n->variables && i + 1 < n->variables->count && !n->r->error[0]; i += 2) {
        const value *key = n->variables->items[i], *v = n->variables->items[i + 1];
        const value *callable = v->kind == VALUE_OBJECT ? v->callable : NULL;
        if (key->used || key->kind != VALUE_TEXT || !callable || callable->size < sizeof maker ||
            memcmp(callable->data, maker, sizeof maker - 1))
            continue;
        const char *name = reader_format(n->r, "%.*s", (int)(key->size < 200 ? key->size : 200), key->data);
        if (!may_be_unused(n, name))
            reader_fail(n->r, "%s belongs to no layer known here: the network is not supported", name);
    }
}

/* --- Sizes --- */

void network_set_size(network *n, int blocks) {
    enum { LARGEST_SIDE = 16384 };
    stylegan_config *config = &n->w.config;
    const char *name = n->names.constant;
    int64_t height = 4, width = 4;
    tensor t;
    if (n->opt.const_input && open_variable(n, name, &t)) {
        if (t.dimensions < 3) reader_fail(n->r, "%s: not a feature map", name);
        height = t.dimensions < 3 ? 1 : t.shape[t.dimensions - 2];
        width = t.dimensions < 3 ? 1 : t.shape[t.dimensions - 1];
    }
    if (height > LARGEST_SIDE >> (blocks - 1) || width > LARGEST_SIDE >> (blocks - 1)) {
        reader_fail(n->r, "%s: images of %lld x %lld pixels are not supported", name, (long long)width << (blocks - 1),
                    (long long)height << (blocks - 1));
        height = width = 1;
    }
    config->blocks = blocks;
    config->height = (int)height << (blocks - 1);
    config->width = (int)width << (blocks - 1);
    config->resolution = config->height > config->width ? config->height : config->width;
}

place network_block(const network *n, int block) {
    const int level = n->w.config.blocks - 1 - block;
    return (place){.block = block, .resolution = 4 << block, .side = n->w.config.resolution >> level, .level = level};
}

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

int network_dimensions(network *n, const char *name) {
    tensor t;
    return open_variable(n, name, &t) ? t.dimensions : 0;
}

double network_number(network *n, const char *name, double otherwise) {
    tensor t;
    float number = 0.0f;
    if (!network_has(n, name) || !open_variable(n, name, &t) || !tensor_match(n->r, &t, 1, (int64_t[]){1}))
        return otherwise;
    tensor_read_row(&t, (int64_t[]){0}, 0, &number);
    return number;
}

int network_count(network *n, const char *pattern, int most) {
    int count = 0;
    for (int i = 0; i <= most; i++) {
        if (!network_has(n, network_name(n, pattern, (place){.number = i}))) continue;
        if (i > count) reader_fail(n->r, "%s is missing", network_name(n, pattern, (place){.number = count}));
        count = i + 1;
    }
    if (count > most) reader_fail(n->r, "%s: more than %d are not supported", pattern, most);
    return count < most ? count : most;
}

/* --- Tensors: a view of the source, in the order of the weight file, times a gain --- */

typedef struct recipe {
    tensor source;
    double gain, shift;
    int shifted;     /* the first so many outputs get `shift` added */
    bool normalized; /* each output's values are scaled to unit mean square */
} recipe;

/* values [count / outputs][outputs] */
static void normalize_outputs(float *values, size_t count, size_t outputs) {
    double *gains = cli_alloc(outputs, sizeof *gains);
    for (size_t o = 0; o < outputs; o++) gains[o] = 0.0;
    for (size_t row = 0; row < count; row += outputs) {
        for (size_t o = 0; o < outputs; o++) gains[o] += (double)values[row + o] * values[row + o];
    }
    for (size_t o = 0; o < outputs; o++)
        gains[o] = gains[o] > 0.0 ? 1.0 / sqrt(gains[o] * (double)outputs / (double)count) : 0.0;
    for (size_t row = 0; row < count; row += outputs) {
        for (size_t o = 0; o < outputs; o++) values[row + o] = (float)(values[row + o] * gains[o]);
    }
    free(gains);
}

static void fill_from_source(void *context, float *values) {
    const recipe *p = context;
    const int inner = p->source.dimensions - 1;
    const int64_t row = p->source.shape[inner];
    float *const first = values;
    int64_t index[TENSOR_DIMENSIONS] = {0};
    for (int d = inner; d >= 0;) {
        tensor_read_row(&p->source, index, inner, values);
        for (int64_t i = 0; i < row; i++) values[i] = (float)(values[i] * p->gain + (i < p->shifted ? p->shift : 0.0));
        values += row;
        for (d = inner - 1; d >= 0 && ++index[d] == p->source.shape[d]; d--) index[d] = 0;
    }
    if (p->normalized) normalize_outputs(first, (size_t)(values - first), (size_t)row);
}

int network_numbers(network *n, const char *name, float *values, int most) {
    const value *list = network_find(n, name);
    int count = 0;
    if (list && list->kind == VALUE_LIST) {
        for (size_t i = 0; i < list->count && count <= most; i++, count++) {
            if (!value_is_number(list->items[i])) reader_fail(n->r, "%s: not numbers", name);
            if (count < most) values[count] = (float)list->items[i]->number;
        }
    } else {
        tensor t;
        count = network_vector_size(n, name);
        const bool fits = count && count <= most && open_variable(n, name, &t);
        if (fits && (t.dimensions || tensor_match(n->r, &t, 1, (int64_t[]){1})))
            fill_from_source(&(recipe){.source = t, .gain = 1.0}, values);
    }
    if (!count || count > most) reader_fail(n->r, "%s: has %d numbers: should have at most %d", name, count, most);
    return n->r->error[0] ? 0 : count;
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
    mark_used(n, name);
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

void network_add_matrix(network *n, const char *out, const char *name, int rows, int columns) {
    add_view(n, out, name, 2, (int32_t[]){rows, columns}, (int[]){0, 1});
}

void network_add_dense(network *n, const char *out, const char *name, int in, int outputs, double gain) {
    static const int orders[2][2] = {{0, 1}, {1, 0}};
    recipe *p = add_view(n, out, name, 2, (int32_t[]){in, outputs}, orders[n->names.torch_order]);
    if (p) p->gain = gain;
}

static recipe *add_conv(network *n, const char *out, const char *name, int kernel, int in, int outputs) {
    static const int orders[2][4] = {{0, 1, 2, 3}, {2, 3, 1, 0}};
    return add_view(n, out, name, 4, (int32_t[]){kernel, kernel, in, outputs}, orders[n->names.torch_order]);
}

void network_add_unit_conv(network *n, const char *out, const char *name, int kernel, int in, int outputs) {
    recipe *p = add_conv(n, out, name, kernel, in, outputs);
    if (p) p->normalized = true;
}

void network_add_conv(network *n, const char *out, const char *name, int kernel, int in, int outputs, double gain,
                      bool flipped) {
    recipe *p = add_conv(n, out, name, kernel, in, outputs);
    if (!p) return;
    p->gain = gain;
    for (int d = 0; flipped && d < 2; d++) tensor_flip(&p->source, d);
}

int network_add_constant(network *n) {
    const stylegan_config *config = &n->w.config;
    const int last = config->blocks - 1, height = config->height >> last, width = config->width >> last;
    const int channels = network_vector_size(n, n->names.constant) / (height * width);
    add_view(n, reader_format(n->r, "b%d.const", config->resolution >> last), n->names.constant, 3,
             (int32_t[]){height, width, channels}, (int[]){1, 2, 0});
    return channels;
}

typedef struct drawn_noise {
    uint32_t layer;
    int height, width;
} drawn_noise;

static void fill_drawn_noise(void *context, float *values) {
    const drawn_noise *noise = context;
    for (int y = 0; y < noise->height; y++) {
        const size_t at = (size_t)y * (size_t)noise->width;
        stylegan_random_normal(0, noise->layer, at, values + at, noise->width);
    }
}

static void add_noise(network *n, const layer *l) {
    const char *out = reader_format(n->r, "%s.noise", l->out);
    const stylegan_config *config = &n->w.config;
    const int32_t shape[2] = {config->height >> l->at.level, config->width >> l->at.level};
    if (!n->opt.random_noise || network_has(n, l->noise)) {
        add_view(n, out, l->noise, 2, shape, (int[]){0, 1});
        return;
    }
    drawn_noise *noise = reader_alloc(n->r, 1, sizeof *noise);
    if (!noise) return;
    *noise = (drawn_noise){(uint32_t)l->at.layer, shape[0], shape[1]};
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
        if (l->pointwise && kernel != 1) reader_fail(n->r, "%s: a kernel of size %d is not supported", weight, kernel);
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

/* --- The filters --- */

enum { FIR_LARGEST = 16 };

typedef struct filter {
    int height, width;                     /* as read: height 0 if one-dimensional */
    float taps[FIR_LARGEST * FIR_LARGEST]; /* [height][width]; in the end [width][width] */
    double sum;                            /* of the taps as read */
} filter;

static bool set_filter_size(network *n, const char *name, int64_t height, int64_t width, filter *f) {
    if (width < 1 || width > FIR_LARGEST || (height && height != width)) {
        reader_fail(n->r, "%s: a filter of %lld x %lld taps is not supported", name, (long long)(height ? height : 1),
                    (long long)width);
        return false;
    }
    f->height = (int)height;
    f->width = (int)width;
    return true;
}

static bool read_filter_list(network *n, const char *name, const value *list, filter *f) {
    const value *inner = value_item(list, 0);
    const bool square = inner && inner->kind == VALUE_LIST;
    const size_t height = square ? list->count : 0, width = square ? inner->count : list->count;
    if (!set_filter_size(n, name, (int64_t)height, (int64_t)width, f)) return false;
    for (size_t i = 0; i < (square ? height : 1) * width; i++) {
        const value *tap = square ? value_item(value_item(list, i / width), i % width) : value_item(list, i);
        f->taps[i] = value_is_number(tap) ? (float)tap->number : NAN;
    }
    return true;
}

static bool read_filter_array(network *n, const char *name, const value *array, filter *f) {
    tensor t;
    if (!tensor_open(n->r, name, array, &t)) return false;
    const bool square = t.dimensions >= 2;
    const int64_t width = t.dimensions ? t.shape[t.dimensions - 1] : 0;
    if (!set_filter_size(n, name, square ? t.shape[t.dimensions - 2] : 0, width, f)) return false;
    const int rows = square ? f->height : 1;
    if (!tensor_match(n->r, &t, 2, (int64_t[]){rows, f->width})) return false;
    for (int y = 0; y < rows; y++) tensor_read_row(&t, (int64_t[]){y, 0}, 1, f->taps + y * f->width);
    return true;
}

/* Reads an array, a list or, if `source` is neither, the default; one dimension becomes its outer product. The taps
   then sum to 1. Returns false if there is no filter. */
static bool read_filter(network *n, const char *name, const value *source, bool flipped, filter *f) {
    *f = (filter){.width = n->opt.fir_default_size};
    memcpy(f->taps, n->opt.fir_default, sizeof n->opt.fir_default);
    if (source && source->kind == VALUE_LIST) {
        if (!read_filter_list(n, name, source, f)) return false;
    } else if (source && source->kind != VALUE_NONE) {
        if (!read_filter_array(n, name, source, f)) return false;
    }
    const filter read = *f;
    const int size = f->width, count = size * size;
    for (int i = 0; i < count; i++) {
        f->taps[flipped ? count - 1 - i : i] = read.height ? read.taps[i] : read.taps[i / size] * read.taps[i % size];
    }
    for (int i = 0; i < count; i++) f->sum += f->taps[i];
    if (count && !(fabs(f->sum) > 1e-12 && fabs(f->sum) < 1e12))
        reader_fail(n->r, "%s: the filter's taps sum to %g", name, f->sum);
    for (int i = 0; i < count; i++) f->taps[i] = (float)(f->taps[i] / f->sum);
    return size > 0 && !n->r->error[0];
}

static bool same_filter(const filter *a, const filter *b) {
    bool same = a->width == b->width;
    for (int i = 0; same && i < a->width * a->width; i++) same = fabsf(a->taps[i] - b->taps[i]) <= 1e-6f;
    return same;
}

static void add_filter(network *n, const char *out, const filter *f) {
    weights_add_values(&n->w, out, 2, (int32_t[]){f->width, f->width}, f->taps);
}

void network_add_blur(network *n) {
    filter blur;
    if (read_filter(n, n->opt.fir_name, n->opt.fir, false, &blur)) add_filter(n, "fir", &blur);
}

/* Reads the filter that all up-sampling layers of a kind share; `f` holds those already met (width 0: none). */
static void read_shared_filter(network *n, const char *pattern, int blocks, filter *f) {
    for (int block = 1; pattern && block < blocks; block++) {
        place at = network_block(n, block);
        at.layer = 2 * block - 1;
        const char *name = network_name(n, pattern, at);
        filter own;
        if (!network_has(n, name) || !read_filter(n, name, network_find(n, name), true, &own)) continue;
        if (fabs(own.sum - n->names.fir_sum) > 1e-3)
            reader_fail(n->r, "%s: its taps sum to %g, should to %g", name, own.sum, n->names.fir_sum);
        if (f->width && !same_filter(f, &own)) reader_fail(n->r, "%s: differs from the filters before it", name);
        *f = own;
    }
}

void network_add_upsampling_filters(network *n, int blocks) {
    const layout *names = &n->names;
    filter fallback, own = {0}, image = {0};
    read_shared_filter(n, names->conv0_fir, blocks, &own);
    read_shared_filter(n, names->skip_fir, blocks, &own);
    if (n->w.config.architecture == STYLEGAN_SKIP) read_shared_filter(n, names->image_fir, blocks, &image);
    if (!read_filter(n, n->opt.fir_name, n->opt.fir, true, &fallback)) return;
    if (!own.width) own = fallback;
    if (!image.width) image = names->image_fir ? fallback : own;
    add_filter(n, "fir", &own);
    if (n->w.config.architecture == STYLEGAN_SKIP && !same_filter(&own, &image)) add_filter(n, "fir_image", &image);
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
        if (!open_variable(n, name, &t)) return 0;
        if (t.dimensions != 2) {
            reader_fail(n->r, "%s: is not a matrix", name);
            return 0;
        }
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
        network_add_matrix(n, out, name, labels, features);
    }
    return features;
}

/* Reads [D] or rows of it, as encoders' checkpoints have one for each of their layers: they must be equal. */
static const float *read_average(network *n, const char *name) {
    const int w_dim = n->w.config.w_dim, count = network_vector_size(n, name);
    float *values = reader_alloc(n->r, (size_t)count, sizeof *values);
    tensor t;
    if (!count || !values || !open_variable(n, name, &t)) return NULL;
    const bool has_rows = t.dimensions > 1 && t.shape[t.dimensions - 1] == w_dim;
    if (!has_rows && !tensor_match(n->r, &t, 1, (int64_t[]){w_dim})) return NULL;
    fill_from_source(&(recipe){.source = t, .gain = 1.0}, values);
    for (int i = w_dim; i < count; i++) {
        if (values[i] == values[i - w_dim]) continue;
        reader_fail(n->r, "%s: its rows differ: a mean of w for each layer is not supported", name);
        return NULL;
    }
    return values;
}

static void add_average(network *n) {
    const char *name = n->names.average;
    n->estimate_w_avg = !name || !network_has(n, name);
    const float *values =
        n->estimate_w_avg ? reader_alloc(n->r, (size_t)n->w.config.w_dim, sizeof *values) : read_average(n, name);
    if (values) weights_add_values(&n->w, "w_avg", 1, (int32_t[]){n->w.config.w_dim}, values);
}

void network_add_mapping(network *n, double gain) {
    enum { MOST_LAYERS = 100 };
    stylegan_config *config = &n->w.config;
    const int features = add_embedding(n);
    const double lrmul = n->opt.mapping_lrmul;
    const char *weight_names = joined(n, n->names.dense, "weight"), *bias_names = joined(n, n->names.dense, "bias");
    const int layers = network_count(n, weight_names, MOST_LAYERS);
    if (config->mapping_layers > layers)
        reader_fail(n->r, "%s is missing", network_name(n, weight_names, (place){.number = layers}));
    if (config->mapping_layers >= 0 && config->mapping_layers < layers)
        reader_fail(n->r, "the mapping has %d layers, should have %d", layers, config->mapping_layers);
    config->mapping_layers = layers;
    int width = config->z_dim + features;
    for (int i = 0; i < layers && !n->r->error[0]; i++) {
        const place at = {.number = i};
        const char *weight = network_name(n, weight_names, at);
        int in, outputs;
        network_dense_shape(n, weight, &in, &outputs);
        if (!i && config->z_dim < 0) {
            config->z_dim = in - features;
            width = in;
        }
        network_add_dense(n, reader_format(n->r, "mapping.fc%d.weight", i), weight, width, outputs,
                          lrmul * (n->opt.mapping_use_wscale ? gain / sqrt(in) : 1.0));
        network_add_vector(n, reader_format(n->r, "mapping.fc%d.bias", i), network_name(n, bias_names, at), outputs,
                           lrmul, 0, 0);
        width = outputs;
    }
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
