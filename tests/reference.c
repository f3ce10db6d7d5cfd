/* reference.c - the networks as the papers tell them: one direct loop per sum, in double precision. */
#include "reference.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count ? count : 1, size);
    if (!memory) {
        fputs("reference: out of memory\n", stderr);
        exit(1);
    }
    return memory;
}

/* --- The weight file --- */

typedef struct tensor {
    char name[32];
    int shape[4];
    size_t count;
    double *values;
} tensor;

struct reference {
    stylegan_config config;
    tensor *tensors;
    int count;
};

static uint32_t read_u32(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static float read_float(const unsigned char *p) {
    uint32_t bits = read_u32(p);
    float value;
    memcpy(&value, &bits, 4);
    return value;
}

/* sign, 5 bits of exponent, 10 of mantissa */
static double decode_half(unsigned bits) {
    int exponent = (int)(bits >> 10 & 31);
    double mantissa = bits & 1023;
    double value = exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24);
    return bits & 0x8000 ? -value : value;
}

/* i8 values have one scale per index of the last dimension. */
static void decode(tensor *t, stylegan_type type, size_t columns, const unsigned char *data) {
    for (size_t i = 0; i < t->count; i++) {
        if (type == STYLEGAN_F32) t->values[i] = read_float(data + 4 * i);
        if (type == STYLEGAN_F16) t->values[i] = decode_half(data[2 * i] | (unsigned)data[2 * i + 1] << 8);
        if (type == STYLEGAN_I8)
            t->values[i] = (signed char)data[4 * columns + i] * (double)read_float(data + 4 * (i % columns));
    }
}

static void read_config(stylegan_config *config, const unsigned char *fields, uint32_t count) {
    uint32_t index = 0;
    unsigned char *bytes = (unsigned char *)config;
#define READ_FIELD(type, name, meaning)                                                          \
    if (index < count) {                                                                         \
        uint32_t bits = read_u32(fields + 4 * index++);                                          \
        memcpy(bytes + offsetof(stylegan_config, name), &bits, 4); /* int32_t and float alike */ \
    }
    STYLEGAN_CONFIG_FIELDS(READ_FIELD)
#undef READ_FIELD
    config->resolution = config->height > config->width ? config->height : config->width;
}

static size_t align(size_t offset) {
    return (offset + 63) / 64 * 64;
}

reference *reference_open(const unsigned char *file, size_t size) {
    static const unsigned char magic[8] = {0x89, 'S', 'G', 'W', 13, 10, 26, 10};
    if (size < 64 || memcmp(file, magic, 8) || read_u32(file + 16) != size) {
        fputs("reference: not a sound weight file\n", stderr);
        exit(1);
    }
    reference *r = (reference *)allocate(1, sizeof *r);
    uint32_t fields = read_u32(file + 40);
    read_config(&r->config, file + 64, fields);
    r->count = (int)read_u32(file + 44);
    r->tensors = (tensor *)allocate((size_t)r->count, sizeof *r->tensors);
    const unsigned char *entry = file + align(64 + 4 * (size_t)fields);
    for (tensor *t = r->tensors; t < r->tensors + r->count; t++, entry += 64) {
        memcpy(t->name, entry, 31);
        t->count = 1;
        int dimensions = (int)read_u32(entry + 36);
        for (int i = 0; i < 4; i++) t->count *= (size_t)(t->shape[i] = (int)read_u32(entry + 40 + 4 * i));
        t->values = (double *)allocate(t->count, sizeof *t->values);
        decode(t, (stylegan_type)read_u32(entry + 32), (size_t)t->shape[dimensions - 1], file + read_u32(entry + 56));
    }
    return r;
}

void reference_close(reference *r) {
    for (int i = 0; i < r->count; i++) free(r->tensors[i].values);
    free(r->tensors);
    free(r);
}

const stylegan_config *reference_config(const reference *r) {
    return &r->config;
}

static const tensor *find(const reference *r, const char *format, ...) {
    char name[64];
    va_list list;
    va_start(list, format);
    vsnprintf(name, sizeof name, format, list);
    va_end(list);
    for (int i = 0; i < r->count; i++)
        if (!strcmp(r->tensors[i].name, name)) return &r->tensors[i];
    return NULL;
}

static const tensor *need(const reference *r, const char *layer, const char *part) {
    const tensor *t = find(r, "%s.%s", layer, part);
    if (t) return t;
    fprintf(stderr, "reference: no tensor %s.%s\n", layer, part);
    exit(1);
}

const double *reference_tensor(const reference *r, const char *name, size_t *count) {
    const tensor *t = find(r, "%s", name);
    if (t && count) *count = t->count;
    return t ? t->values : NULL;
}

void reference_perturb(reference *r) {
    uint32_t state = 1;
    for (tensor *t = r->tensors; t < r->tensors + r->count; t++)
        for (size_t i = 0; i < t->count; i++) {
            state = state * 1664525u + 1013904223u;
            t->values[i] *= 1 + 1e-7 * (state / 2147483648.0 - 1);
        }
}

/* --- Vectors --- */

/* y = x W + b; b is optional. Returns a new vector. */
static double *linear(const reference *r, const char *layer, const double *x) {
    const tensor *weight = need(r, layer, "weight"), *bias = find(r, "%s.bias", layer);
    int in = weight->shape[0], out = weight->shape[1];
    double *y = (double *)allocate((size_t)out, sizeof *y);
    for (int o = 0; o < out; o++) {
        y[o] = bias ? bias->values[o] : 0;
        for (int i = 0; i < in; i++) y[o] += x[i] * weight->values[i * out + o];
    }
    return y;
}

static double activate(int activation, double x) {
    const double scale = 1.0507009873554804934193349852946, alpha = 1.6732632423543772848170429916717;
    switch (activation) {
    case STYLEGAN_RELU:
        return x > 0 ? x : 0;
    case STYLEGAN_LRELU:
        return x > 0 ? x : 0.2 * x;
    case STYLEGAN_TANH:
        return tanh(x);
    case STYLEGAN_SIGMOID:
        return 1 / (1 + exp(-x));
    case STYLEGAN_ELU:
        return x > 0 ? x : expm1(x);
    case STYLEGAN_SELU:
        return scale * (x > 0 ? x : alpha * expm1(x));
    case STYLEGAN_SOFTPLUS:
        return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
    case STYLEGAN_SWISH:
        return x / (1 + exp(-x));
    default:
        return x;
    }
}

static void normalize(double *x, int count) {
    double squares = 0;
    for (int i = 0; i < count; i++) squares += x[i] * x[i];
    for (int i = 0; i < count; i++) x[i] /= sqrt(squares / count + 1e-8);
}

/* --- Mapping --- */

/* z and the embedded label, normalised. Returns a new vector. */
static double *mapping_input(const reference *r, const float *z, const float *labels) {
    const stylegan_config *config = &r->config;
    int z_dim = config->z_dim, embedded = config->c_dim ? need(r, "mapping.embed", "weight")->shape[1] : 0;
    double *x = (double *)allocate((size_t)(z_dim + embedded), sizeof *x);
    for (int i = 0; i < z_dim; i++) x[i] = z[i];
    if (embedded) {
        double *c = (double *)allocate((size_t)config->c_dim, sizeof *c);
        for (int i = 0; labels && i < config->c_dim; i++) c[i] = labels[i];
        double *y = linear(r, "mapping.embed", c);
        memcpy(x + z_dim, y, (size_t)embedded * sizeof *y);
        free(y);
        free(c);
    }
    if (config->normalization == STYLEGAN_NORMALIZE_JOINT) normalize(x, z_dim + embedded);
    if (config->normalization == STYLEGAN_NORMALIZE_SEPARATE) {
        normalize(x, z_dim);
        normalize(x + z_dim, embedded);
    }
    return x;
}

void reference_map(const reference *r, const float *z, const float *labels, double psi, int cutoff, double *ws) {
    const stylegan_config *config = &r->config;
    double *x = mapping_input(r, z, labels);
    for (int layer = 0; layer < config->mapping_layers; layer++) {
        char name[32];
        snprintf(name, sizeof name, "mapping.fc%d", layer);
        double *y = linear(r, name, x);
        for (int i = 0; i < need(r, name, "weight")->shape[1]; i++)
            y[i] = activate(config->mapping_activation, y[i]) * config->mapping_gain;
        free(x);
        x = y;
    }
    const double *mean = reference_tensor(r, "w_avg", NULL);
    for (int layer = 0; layer < config->num_ws; layer++)
        for (int i = 0; i < config->w_dim; i++)
            ws[layer * config->w_dim + i] = layer < cutoff && psi != 1 ? mean[i] + psi * (x[i] - mean[i]) : x[i];
    free(x);
}

/* --- Volumes --- */

static reference_volume volume(int channels, int height, int width) {
    reference_volume v = {{0}, channels, height, width, NULL};
    v.values = (double *)allocate((size_t)channels * (size_t)height * (size_t)width, sizeof *v.values);
    return v;
}

static size_t volume_size(const reference_volume *v) {
    return (size_t)v->channels * (size_t)v->height * (size_t)v->width;
}

static double *at(const reference_volume *v, int channel, int y, int x) {
    return v->values + ((size_t)channel * (size_t)v->height + (size_t)y) * (size_t)v->width + x;
}

static double sample(const reference_volume *v, int channel, int y, int x) { /* zero outside */
    return y >= 0 && y < v->height && x >= 0 && x < v->width ? *at(v, channel, y, x) : 0;
}

static void replace(reference_volume *v, reference_volume by) {
    free(v->values);
    *v = by;
}

static reference_volume copy(const reference_volume *v) {
    reference_volume out = volume(v->channels, v->height, v->width);
    memcpy(out.values, v->values, volume_size(v) * sizeof *v->values);
    return out;
}

static reference_volume nearest(const reference_volume *v, int factor) {
    reference_volume out = volume(v->channels, v->height * factor, v->width * factor);
    for (int c = 0; c < out.channels; c++)
        for (int y = 0; y < out.height; y++)
            for (int x = 0; x < out.width; x++) *at(&out, c, y, x) = *at(v, c, y / factor, x / factor);
    return out;
}

/* The transpose of a strided convolution: every pixel (y, x) adds w[ky][kx] times itself to pixel (stride * y + ky -
   crop, stride * x + kx - crop). weight [kernel][kernel][in][out]. */
static reference_volume scatter(const reference_volume *v, const double *weight, int kernel, int out_channels,
                                int stride, int crop, int size) {
    reference_volume out = volume(out_channels, size, size);
    for (int o = 0; o < out_channels; o++)
        for (int i = 0; i < v->channels; i++)
            for (int ky = 0; ky < kernel; ky++)
                for (int kx = 0; kx < kernel; kx++) {
                    double w = weight[((ky * kernel + kx) * v->channels + i) * out_channels + o];
                    for (int y = 0; y < v->height; y++)
                        for (int x = 0; x < v->width; x++) {
                            int to_y = stride * y + ky - crop, to_x = stride * x + kx - crop;
                            if (to_y >= 0 && to_y < size && to_x >= 0 && to_x < size)
                                *at(&out, o, to_y, to_x) += w * *at(v, i, y, x);
                        }
                }
    return out;
}

/* y[j] = sum w[k] x[j + k - kernel / 2] */
static reference_volume convolve(const reference_volume *v, const double *weight, int kernel, int out_channels) {
    reference_volume out = volume(out_channels, v->height, v->width);
    for (int o = 0; o < out_channels; o++)
        for (int i = 0; i < v->channels; i++)
            for (int ky = 0; ky < kernel; ky++)
                for (int kx = 0; kx < kernel; kx++) {
                    double w = weight[((ky * kernel + kx) * v->channels + i) * out_channels + o];
                    for (int y = 0; y < v->height; y++)
                        for (int x = 0; x < v->width; x++)
                            *at(&out, o, y, x) += w * sample(v, i, y + ky - kernel / 2, x + kx - kernel / 2);
                }
    return out;
}

/* y[j] = gain * sum fir[k] x[j + k - pad], for j below size */
static reference_volume filter(const reference_volume *v, const tensor *fir, double gain, int pad_y, int pad_x,
                               int size) {
    int height = fir->shape[0], width = fir->shape[1];
    reference_volume out = volume(v->channels, size, size);
    for (int c = 0; c < v->channels; c++)
        for (int y = 0; y < size; y++)
            for (int x = 0; x < size; x++)
                for (int ky = 0; ky < height; ky++)
                    for (int kx = 0; kx < width; kx++)
                        *at(&out, c, y, x) +=
                            gain * fir->values[ky * width + kx] * sample(v, c, y + ky - pad_y, x + kx - pad_x);
    return out;
}

static void add(reference_volume *v, const reference_volume *other) {
    for (size_t i = 0; i < volume_size(v); i++) v->values[i] += other->values[i];
}

static void add_bias(reference_volume *v, const tensor *bias) {
    for (size_t i = 0, plane = (size_t)v->height * (size_t)v->width; i < volume_size(v); i++)
        v->values[i] += bias->values[i / plane];
}

static void add_noise(reference_volume *v, const reference *r, const char *layer) {
    const tensor *noise = find(r, "%s.noise", layer), *strength = find(r, "%s.noise_strength", layer);
    if (!noise || !strength) return;
    size_t plane = (size_t)v->height * (size_t)v->width;
    for (size_t i = 0; i < volume_size(v); i++)
        v->values[i] += strength->values[strength->count == 1 ? 0 : i / plane] * noise->values[i % plane];
}

static void activate_all(reference_volume *v, int activation, double gain, double clamp) {
    for (size_t i = 0; i < volume_size(v); i++) {
        double y = gain * activate(activation, v->values[i]);
        v->values[i] = clamp > 0 ? fmin(fmax(y, -clamp), clamp) : y;
    }
}

/* --- One synthesis --- */

typedef struct synthesis {
    const reference *r;
    const float *ws;
    int noise;
    reference_volume *recorded;
    int count;
} synthesis;

static void record(synthesis *s, const char *layer, const reference_volume *v) {
    s->recorded = (reference_volume *)realloc(s->recorded, (size_t)(s->count + 1) * sizeof *s->recorded);
    if (!s->recorded) exit(1);
    reference_volume *entry = &s->recorded[s->count++];
    *entry = copy(v);
    snprintf(entry->layer, sizeof entry->layer, "%s", layer);
}

/* The affine transform A of w. Returns a new vector. */
static double *style_of(const synthesis *s, const char *layer, int ws_index) {
    char name[64];
    int width = s->r->config.w_dim;
    double *w = (double *)allocate((size_t)width, sizeof *w);
    for (int i = 0; i < width; i++) w[i] = s->ws[ws_index * width + i];
    snprintf(name, sizeof name, "%s.affine", layer);
    double *style = linear(s->r, name, w);
    free(w);
    return style;
}

static reference_volume make_input(const synthesis *s) {
    const tensor *constant = find(s->r, "b4.const");
    if (constant) {
        reference_volume v = volume(constant->shape[2], 4, 4);
        for (int c = 0; c < v.channels; c++)
            for (int i = 0; i < 16; i++) v.values[c * 16 + i] = constant->values[i * v.channels + c];
        return v;
    }
    reference_volume v = volume(need(s->r, "b4.dense", "weight")->shape[1] / 16, 4, 4);
    free(v.values);
    double *w = (double *)allocate((size_t)s->r->config.w_dim, sizeof *w);
    for (int i = 0; i < s->r->config.w_dim; i++) w[i] = s->ws[i];
    v.values = linear(s->r, "b4.dense", w);
    free(w);
    return v;
}

/* --- StyleGAN 1 --- */

static void pixel_norm(reference_volume *v) {
    for (int y = 0; y < v->height; y++)
        for (int x = 0; x < v->width; x++) {
            double squares = 0;
            for (int c = 0; c < v->channels; c++) squares += *at(v, c, y, x) * *at(v, c, y, x);
            for (int c = 0; c < v->channels; c++) *at(v, c, y, x) /= sqrt(squares / v->channels + 1e-8);
        }
}

static void instance_norm(reference_volume *v) {
    int plane = v->height * v->width;
    for (int c = 0; c < v->channels; c++) {
        double *x = at(v, c, 0, 0), mean = 0, variance = 0;
        for (int i = 0; i < plane; i++) mean += x[i] / plane;
        for (int i = 0; i < plane; i++) variance += (x[i] - mean) * (x[i] - mean) / plane;
        for (int i = 0; i < plane; i++) x[i] = (x[i] - mean) / sqrt(variance + 1e-8);
    }
}

static void style1_epilogue(synthesis *s, reference_volume *v, const char *layer, int ws_index) {
    const stylegan_config *config = &s->r->config;
    if (s->noise) add_noise(v, s->r, layer);
    add_bias(v, need(s->r, layer, "bias"));
    activate_all(v, config->activation, config->activation_gain, 0);
    record(s, layer, v);
    if (!config->use_pixel_norm && !config->use_instance_norm && !config->use_styles) return;
    if (config->use_pixel_norm) pixel_norm(v);
    if (config->use_instance_norm) instance_norm(v);
    if (config->use_styles) {
        double *style = style_of(s, layer, ws_index);
        for (int c = 0; c < v->channels; c++)
            for (int i = 0; i < v->height * v->width; i++) {
                double *x = at(v, c, 0, 0) + i;
                *x = *x * style[c] + style[v->channels + c];
            }
        free(style);
    }
    char norm[32]; /* "b4.conv0" is followed by "b4.norm0" */
    snprintf(norm, sizeof norm, "b%d.norm%c", v->height, layer[strlen(layer) - 1]);
    record(s, norm, v);
}

static reference_volume style1_upsample(const synthesis *s, const reference_volume *v, const char *layer) {
    const tensor *weight = need(s->r, layer, "weight"), *fir = find(s->r, "fir");
    int kernel = weight->shape[0];
    reference_volume doubled = nearest(v, 2);
    reference_volume y = scatter(&doubled, weight->values, kernel, weight->shape[3], 1, kernel / 2, doubled.height);
    if (fir) replace(&y, filter(&y, fir, 1, (fir->shape[0] - 1) / 2, (fir->shape[1] - 1) / 2, y.height));
    free(doubled.values);
    return y;
}

static reference_volume style1_torgb(const synthesis *s, const reference_volume *v) {
    char layer[32];
    snprintf(layer, sizeof layer, "b%d.torgb", v->height);
    const tensor *weight = need(s->r, layer, "weight");
    reference_volume rgb = convolve(v, weight->values, 1, weight->shape[3]);
    add_bias(&rgb, need(s->r, layer, "bias"));
    return rgb;
}

static reference_volume style1_image(synthesis *s) {
    const stylegan_config *config = &s->r->config;
    int most = 0; /* level of detail of the 4 x 4 image */
    while (4 << most < config->resolution) most++;
    int detail = config->lod < (float)most ? (int)floor(config->lod) : most;
    double blend = detail < most ? (double)config->lod - detail : 0;
    reference_volume x = make_input(s), below = {{0}, 0, 0, 0, NULL};
    for (int resolution = 4, ws_index = 0; resolution <= config->resolution >> detail; resolution *= 2) {
        char layer[32];
        if (blend > 0 && resolution == config->resolution >> detail) below = style1_torgb(s, &x);
        snprintf(layer, sizeof layer, "b%d.conv0", resolution);
        if (resolution > 4) replace(&x, style1_upsample(s, &x, layer));
        style1_epilogue(s, &x, layer, ws_index++);
        snprintf(layer, sizeof layer, "b%d.conv1", resolution);
        const tensor *weight = need(s->r, layer, "weight");
        replace(&x, convolve(&x, weight->values, weight->shape[0], weight->shape[3]));
        style1_epilogue(s, &x, layer, ws_index++);
    }
    reference_volume rgb = style1_torgb(s, &x);
    free(x.values);
    if (blend > 0) {
        replace(&below, nearest(&below, 2));
        for (size_t i = 0; i < volume_size(&rgb); i++) rgb.values[i] += blend * (below.values[i] - rgb.values[i]);
        free(below.values);
    }
    replace(&rgb, nearest(&rgb, 1 << detail));
    return rgb;
}

/* --- StyleGAN 2 --- */

/* w' and, if demodulated, w''. Returns new weights. */
static double *modulated(const synthesis *s, const char *layer, int ws_index, int demodulate) {
    const tensor *weight = need(s->r, layer, "weight");
    int taps = weight->shape[0] * weight->shape[1], in = weight->shape[2], out = weight->shape[3];
    double *style = style_of(s, layer, ws_index), *w = (double *)allocate(weight->count, sizeof *w);
    for (size_t i = 0; i < weight->count; i++) w[i] = weight->values[i] * style[i / (size_t)out % (size_t)in];
    for (int o = 0; demodulate && o < out; o++) {
        double squares = 0;
        for (int i = 0; i < taps * in; i++) squares += w[i * out + o] * w[i * out + o];
        for (int i = 0; i < taps * in; i++) w[i * out + o] /= sqrt(squares + 1e-8);
    }
    free(style);
    return w;
}

/* A transposed convolution of stride 2, then the low-pass filter. */
static reference_volume style2_upsample(const synthesis *s, const reference_volume *v, const double *weight, int kernel,
                                        int out) {
    const tensor *fir = find(s->r, "fir");
    reference_volume spread = scatter(v, weight, kernel, out, 2, 0, 2 * (v->height - 1) + kernel);
    int pad = kernel / 2 - (kernel - 1);
    replace(&spread,
            filter(&spread, fir, 4, pad + (fir->shape[0] + 1) / 2, pad + (fir->shape[1] + 1) / 2, 2 * v->height));
    return spread;
}

static void style2_epilogue(synthesis *s, reference_volume *v, const char *layer, double gain) {
    const stylegan_config *config = &s->r->config;
    if (s->noise) add_noise(v, s->r, layer);
    add_bias(v, need(s->r, layer, "bias"));
    activate_all(v, config->activation, config->activation_gain * gain, config->conv_clamp * gain);
}

static void style2_layer(synthesis *s, reference_volume *v, const char *layer, int ws_index, int up, double gain) {
    const tensor *weight = need(s->r, layer, "weight");
    double *w = modulated(s, layer, ws_index, 1);
    int kernel = weight->shape[0], out = weight->shape[3];
    replace(v, up ? style2_upsample(s, v, w, kernel, out) : convolve(v, w, kernel, out));
    free(w);
    style2_epilogue(s, v, layer, gain);
}

/* Adds the block's ToRGB to the image of the block before. */
static void style2_torgb(synthesis *s, reference_volume *image, const reference_volume *v, int ws_index) {
    char layer[32];
    snprintf(layer, sizeof layer, "b%d.torgb", v->height);
    double *w = modulated(s, layer, ws_index, 0);
    reference_volume rgb = convolve(v, w, 1, need(s->r, layer, "weight")->shape[3]);
    free(w);
    add_bias(&rgb, need(s->r, layer, "bias"));
    activate_all(&rgb, STYLEGAN_LINEAR, 1, s->r->config.conv_clamp);
    if (image->values) {
        const tensor *fir = find(s->r, "fir_image");
        if (!fir) fir = find(s->r, "fir");
        double one[16] = {0}; /* zero insertion is a transposed 1x1 convolution by the identity */
        for (int c = 0; c < image->channels; c++) one[c * image->channels + c] = 1;
        replace(image, scatter(image, one, 1, image->channels, 2, 0, v->height));
        replace(image, filter(image, fir, 4, (fir->shape[0] + 1) / 2, (fir->shape[1] + 1) / 2, v->height));
        add(&rgb, image);
    }
    replace(image, rgb);
    if (v->height < s->r->config.resolution) record(s, layer, image); /* the last one is the image */
}

static reference_volume style2_image(synthesis *s) {
    const stylegan_config *config = &s->r->config;
    reference_volume x = make_input(s), image = {{0}, 0, 0, 0, NULL};
    for (int resolution = 4, ws_index = 0; resolution <= config->resolution; resolution *= 2) {
        char layer[32];
        int residual = resolution > 4 && config->architecture == STYLEGAN_RESNET;
        reference_volume skip = {{0}, 0, 0, 0, NULL};
        if (residual) {
            snprintf(layer, sizeof layer, "b%d.skip", resolution);
            const tensor *weight = need(s->r, layer, "weight");
            skip = style2_upsample(s, &x, weight->values, 1, weight->shape[3]);
        }
        if (resolution > 4) {
            snprintf(layer, sizeof layer, "b%d.conv0", resolution);
            style2_layer(s, &x, layer, ws_index++, 1, 1);
            record(s, layer, &x);
        }
        snprintf(layer, sizeof layer, "b%d.conv1", resolution);
        style2_layer(s, &x, layer, ws_index++, 0, residual ? sqrt(0.5) : 1);
        if (residual) add(&x, &skip);
        record(s, layer, &x);
        free(skip.values);
        if (config->architecture == STYLEGAN_SKIP || resolution == config->resolution)
            style2_torgb(s, &image, &x, ws_index);
    }
    free(x.values);
    return image;
}

reference_volume *reference_synthesize(const reference *r, const float *ws, int noise, int *count) {
    synthesis s = {r, ws, noise, NULL, 0};
    reference_volume image = (r->config.family == STYLEGAN_FAMILY_1 ? style1_image : style2_image)(&s);
    record(&s, "image", &image);
    free(image.values);
    *count = s.count;
    return s.recorded;
}

void reference_free(reference_volume *volumes, int count) {
    for (int i = 0; i < count; i++) free(volumes[i].values);
    free(volumes);
}
