/* reference.c - StyleGAN, StyleGAN 2 and StyleGAN 3 as their papers tell them: one file of plain loops in double precision,
   to be read from top to bottom. It opens a weight file by its written format alone and draws a portrait; it shares no code with
   stylegan.h, whose tests take it as their truth. Exact, not fast.

     cc -O2 examples/reference.c -o reference -lm
     ./reference MODEL.sgw SEED PSI > out.ppm                    the portrait of SEED with truncation psi PSI
     ./reference MODEL.sgw SEED PSI SEED2 FIRST-LAST > out.ppm   the same with layers FIRST to LAST styled by SEED2

   Where is what? Search for the marks.
     >>file            the weight file
     >>maps            feature maps and tensors by name
     >>mapping         from the latent code z to w                     StyleGAN, section 2
     >>truncation      towards the mean of w                           StyleGAN, appendix B
     >>mixing          style mixing: some layers of another person     StyleGAN, section 3.1
     >>convolution     plain and transposed
     >>up-sampling     and the low-pass filter behind it
     >>noise           stochastic variation                            StyleGAN, section 3.2
     >>styles          the affine transforms A of w                    StyleGAN, section 2
     >>StyleGAN        the whole network                               StyleGAN, figure 1b
       >>AdaIN         adaptive instance normalisation                 StyleGAN, equation 1
     >>StyleGAN-2      the whole network                               StyleGAN 2, figures 2d and 7
       >>modulation    of weights by the style                         StyleGAN 2, equation 1
       >>demodulation  back to unit variance                           StyleGAN 2, equation 3
       >>ToRGB         images of all resolutions add up                StyleGAN 2, figure 7b
     >>StyleGAN-3      the whole network                               StyleGAN 3, figure 4b
       >>Fourier       features, moved by w and by the caller          StyleGAN 3, section 3
       >>filtered      leaky ReLU at a higher sampling rate            StyleGAN 3, section 3
     >>variants        growing networks, resnet, dense first layer, embedded labels, other activations
     >>program         from a seed to z, from an image to a picture

   StyleGAN: Karras, Laine, Aila, "A Style-Based Generator Architecture for Generative Adversarial Networks", 2019.
   StyleGAN 2: Karras et al., "Analyzing and Improving the Image Quality of StyleGAN", 2020. StyleGAN 3: Karras et al.,
   "Alias-Free Generative Adversarial Networks", 2021. ProGAN: Karras et al., "Progressive Growing of GANs for Improved
   Quality, Stability, and Variation", 2018. */
#include <math.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

static const char *subject = "reference"; /* what messages are about: the file being read */

static void fail(const char *format, ...) {
    va_list list;
    va_start(list, format);
    fprintf(stderr, "%s: ", subject);
    vfprintf(stderr, format, list);
    fputc('\n', stderr);
    va_end(list);
    exit(1);
}

static void *allocate(size_t count, size_t size) { /* zeros */
    void *memory = calloc(count ? count : 1, size);
    if (!memory) fail("out of memory");
    return memory;
}

/* --- >>file: the weight file (stylegan.h states its format to the byte) --- */

enum { SKIP, RESNET, ORIG };
enum { NORMALIZE_NONE, NORMALIZE_JOINT, NORMALIZE_SEPARATE };
enum { LINEAR, RELU, LRELU, TANH, SIGMOID, ELU, SELU, SOFTPLUS, SWISH };

/* The configuration: 4 bytes a field, in the order of the file. */
typedef struct configuration {
    int32_t family;                          /* 1: StyleGAN, 2: StyleGAN 2, 3: StyleGAN 3 */
    int32_t architecture;                    /* of StyleGAN 2: SKIP, ... */
    int32_t height, width, blocks, channels; /* blocks: of StyleGAN 3, its layers */
    int32_t z_dim, w_dim, c_dim;             /* widths of z and w, number of labels */
    int32_t num_ws;                          /* layers that take a w */
    int32_t mapping_layers, normalization, mapping_activation;
    float mapping_gain;
    int32_t activation;
    float activation_gain, conv_clamp;
    int32_t use_pixel_norm, use_instance_norm, use_styles; /* StyleGAN 1 */
    float lod;
    float truncation_psi;
    int32_t truncation_cutoff; /* layers that are truncated */
} configuration;

typedef struct tensor {
    char name[32];
    int shape[4];
    size_t count;
    double *values; /* row-major, as in the file */
} tensor;

typedef struct map map;

typedef struct network {
    configuration config;
    tensor *tensors;
    size_t tensor_count;
    int noise;                                               /* 0: draw without */
    const double *transform;                                 /* of StyleGAN 3's input, 3 x 3; NULL: the file's */
    void (*record)(void *user, const char *layer, map maps); /* called with every layer's output; may be NULL */
    void *user;
} network;

static uint32_t read_u32(const unsigned char *p) {
    return (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
}

static uint64_t read_u64(const unsigned char *p) {
    return read_u32(p) | (uint64_t)read_u32(p + 4) << 32;
}

/* A finite number of IEEE 754: sign, exponent, mantissa. */
static double decode_ieee(uint32_t bits, int exponent_bits, int mantissa_bits) {
    int exponent = (int)(bits >> mantissa_bits & ((1u << exponent_bits) - 1)), bias = (1 << (exponent_bits - 1)) - 1;
    double mantissa = bits & ((1u << mantissa_bits) - 1), one = 1u << mantissa_bits;
    double value =
        exponent ? ldexp(one + mantissa, exponent - bias - mantissa_bits) : ldexp(mantissa, 1 - bias - mantissa_bits);
    return bits >> (exponent_bits + mantissa_bits) ? -value : value;
}

enum { F32, F16, I8 };

static double decode(const unsigned char *data, uint32_t type, size_t i, size_t columns) {
    if (type == F32) return decode_ieee(read_u32(data + 4 * i), 8, 23);
    if (type == F16) return decode_ieee(data[2 * i] | (uint32_t)data[2 * i + 1] << 8, 5, 10);
    double scale = decode_ieee(read_u32(data + 4 * (i % columns)), 8, 23); /* one per index of the last dimension */
    return (signed char)data[4 * columns + i] * scale;
}

static size_t aligned(size_t offset) {
    return (offset + 63) / 64 * 64;
}

static uint64_t checksum(const unsigned char *from, const unsigned char *to, uint64_t sum) {
    uint32_t a = (uint32_t)sum, b = (uint32_t)(sum >> 32);
    for (; to - from >= 4; from += 4) b += a += read_u32(from);
    return (uint64_t)b << 32 | a;
}

static void read_tensor(tensor *t, const unsigned char *entry, const unsigned char *file, size_t size) {
    uint32_t type = read_u32(entry + 32), dimensions = read_u32(entry + 36);
    uint64_t offset = read_u64(entry + 56), count = 1;
    memcpy(t->name, entry, 31);
    if (type > I8 || dimensions < 1 || dimensions > 4) fail("tensor %s: unknown type or shape", t->name);
    for (int i = 0; i < 4; i++) {
        uint32_t length = read_u32(entry + 40 + 4 * i);
        t->shape[i] = (int)length;
        count = length && length <= size && count <= size / length ? count * length : size + 1;
    }
    size_t columns = (size_t)t->shape[dimensions - 1];
    uint64_t bytes = type == F32 ? 4 * count : type == F16 ? 2 * count : 4 * columns + count;
    if (count > size || offset > size || bytes > size - offset) fail("tensor %s lies outside the file", t->name);
    t->count = (size_t)count;
    t->values = (double *)allocate(t->count, sizeof *t->values);
    for (size_t i = 0; i < t->count; i++) t->values[i] = decode(file + offset, type, i, columns);
}

static int possible_sizes(const configuration *c) {
    const int most_pixels = 16384, most_channels = 512; /* a side, of the image: the format's limits */
    if (c->blocks == 0) return c->num_ws == 1;          /* the file holds a mapping alone */
    if (c->blocks < 0 || c->blocks > 64 || c->height < 1 || c->width < 1) return 0;
    if (c->height > most_pixels || c->width > most_pixels || c->channels > most_channels) return 0;
    if (c->family == 3) return c->num_ws == c->blocks + 1;
    if (c->blocks > 15) return 0;
    int unit = 1 << (c->blocks - 1), layers = c->family == 2 || c->use_styles ? 2 * c->blocks : 1;
    return c->height % unit == 0 && c->width % unit == 0 && c->num_ws == layers;
}

static void check_configuration(const configuration *c) {
    if (c->family < 1 || c->family > 3) fail("not StyleGAN, StyleGAN 2 or StyleGAN 3");
    const int widest = 65536;
    int good = c->z_dim >= 0 && c->w_dim > 0 && c->c_dim >= 0 && c->num_ws > 0 && c->channels > 0 && c->lod >= 0;
    int narrow = c->z_dim <= widest && c->w_dim <= widest && c->c_dim <= widest;
    if (!good || !narrow || !possible_sizes(c)) fail("the configuration is impossible");
}

static network read_network(const unsigned char *file, size_t size) {
    static const unsigned char magic[8] = {0x89, 'S', 'G', 'W', 13, 10, 26, 10};
    network n = {.noise = 1};
    if (size < 64 || memcmp(file, magic, 8)) fail("not a weight file");
    if (read_u32(file + 8) != 2) fail("a weight file of version %u, not 2", (unsigned)read_u32(file + 8));
    size_t head = read_u32(file + 12), fields = read_u32(file + 40);
    n.tensor_count = read_u32(file + 44);
    size_t directory = aligned(64 + 4 * fields);
    if (read_u64(file + 16) != size || head > size || directory > head || n.tensor_count > (head - directory) / 64)
        fail("the weight file is cut off or damaged");
    if (checksum(file + 32, file + head, checksum(file, file + 24, 1)) != read_u64(file + 24) ||
        checksum(file + head, file + size, 1) != read_u64(file + 32))
        fail("checksum mismatch: the weight file is damaged");

    for (size_t i = 0; i < fields; i++) {
        uint32_t bits = read_u32(file + 64 + 4 * i);
        if (4 * i < sizeof n.config)
            memcpy((char *)&n.config + 4 * i, &bits, 4); /* int32_t and float alike */
        else if (bits)
            fail("configuration field %u is unknown", (unsigned)i);
    }
    check_configuration(&n.config);
    n.tensors = (tensor *)allocate(n.tensor_count, sizeof *n.tensors);
    for (size_t i = 0; i < n.tensor_count; i++) read_tensor(&n.tensors[i], file + directory + 64 * i, file, size);
    return n;
}

static void free_network(network *n) {
    for (size_t i = 0; i < n->tensor_count; i++) free(n->tensors[i].values);
    free(n->tensors);
}

/* --- >>maps: feature maps, and tensors by name --- */

/* values [channels][height][width]. A vector is a map of 1 x 1 pixels. Functions that return a map have used up those
   they were given: x = f(x). */
struct map {
    int channels, height, width;
    double *values;
};

static map make_map(int channels, int height, int width) {
    map x = {channels, height, width, NULL};
    x.values = (double *)allocate((size_t)channels * (size_t)height * (size_t)width, sizeof *x.values);
    return x;
}

static size_t map_size(map x) {
    return (size_t)x.channels * (size_t)x.height * (size_t)x.width;
}

static double *at(map m, int channel, int y, int x) {
    return m.values + ((size_t)channel * (size_t)m.height + (size_t)y) * (size_t)m.width + x;
}

static double pixel(map m, int channel, int y, int x) { /* zero outside */
    return y >= 0 && y < m.height && x >= 0 && x < m.width ? *at(m, channel, y, x) : 0;
}

static map vector_of(const double *values, int count) {
    map x = make_map(count, 1, 1);
    if (count) memcpy(x.values, values, (size_t)count * sizeof *values);
    return x;
}

static map copy(map x) {
    map y = make_map(x.channels, x.height, x.width);
    if (map_size(x)) memcpy(y.values, x.values, map_size(x) * sizeof *x.values);
    return y;
}

static map scale(map x, double factor) {
    for (size_t i = 0; i < map_size(x); i++) x.values[i] *= factor;
    return x;
}

static map add(map x, map other) {
    if (map_size(x) != map_size(other)) fail("maps of different sizes cannot be added");
    for (size_t i = 0; i < map_size(x); i++) x.values[i] += other.values[i];
    free(other.values);
    return x;
}

static const tensor *find(const network *n, const char *name) { /* NULL: there is none */
    for (size_t i = 0; i < n->tensor_count; i++)
        if (!strcmp(n->tensors[i].name, name)) return &n->tensors[i];
    return NULL;
}

/* A layer: the prefix of its tensors' names, and its w. */
typedef struct layer {
    const network *network;
    char name[32];
    const double *w; /* NULL: none */
} layer;

/* format, number: "mapping.fc%d", 3 */
static layer find_layer(const network *n, const char *format, int number, const double *ws, int index) {
    int known = ws && index >= 0 && index < n->config.num_ws; /* StyleGAN 2's first block has one layer less */
    layer l = {n, "", known ? ws + (size_t)index * (size_t)n->config.w_dim : NULL};
    snprintf(l.name, sizeof l.name, format, number);
    return l;
}

/* Tensor "b8.conv0" "." "weight" of a layer, NULL if there is none. */
static const tensor *part(const layer *l, const char *kind) {
    char name[64];
    snprintf(name, sizeof name, "%s.%s", l->name, kind);
    return find(l->network, name);
}

/* The same, required. count: of its values, 0: any */
static const tensor *need(const layer *l, const char *kind, size_t count) {
    const tensor *t = part(l, kind);
    if (!t) fail("tensor %s.%s is missing", l->name, kind);
    if (count && t->count != count) fail("tensor %s has the wrong shape", t->name);
    return t;
}

static void record(const layer *l, map x) {
    if (l->network->record) l->network->record(l->network->user, l->name, x);
}

/* y = x W, W [I][O] */
static map multiply(map x, const tensor *weight) {
    map y = make_map(weight->shape[1], 1, 1);
    if (weight->count != map_size(x) * map_size(y)) fail("tensor %s has the wrong shape", weight->name);
    for (int i = 0; i < x.channels; i++)
        for (int o = 0; o < y.channels; o++) y.values[o] += x.values[i] * weight->values[i * y.channels + o];
    free(x.values);
    return y;
}

static map add_bias(map x, const tensor *bias) {
    for (size_t i = 0, plane = (size_t)x.height * (size_t)x.width; i < map_size(x); i++)
        x.values[i] += bias->values[i / plane];
    return x;
}

static double curve(int activation, double x); /* lrelu in the official networks; the others: >>variants */

static map activate(map x, int activation, double gain) {
    for (size_t i = 0; i < map_size(x); i++) x.values[i] = gain * curve(activation, x.values[i]);
    return x;
}

/* Every pixel's features to unit mean square (ProGAN, section 4.2). */
static map pixel_norm(map m) {
    for (int y = 0; y < m.height; y++)
        for (int x = 0; x < m.width; x++) {
            double squares = 0;
            for (int c = 0; c < m.channels; c++) squares += *at(m, c, y, x) * *at(m, c, y, x);
            for (int c = 0; c < m.channels; c++) *at(m, c, y, x) /= sqrt(squares / m.channels + 1e-8);
        }
    return m;
}

/* --- >>mapping: the latent code z, normalised, passes through fully connected layers: w = f(z) --- */

static map with_labels(const network *n, map z, const double *labels); /* >>variants */

/* z [z_dim], labels [c_dim] or NULL -> w [w_dim] */
static map map_z(const network *n, const double *z, const double *labels) {
    const configuration *c = &n->config;
    map x = vector_of(z, c->z_dim);
    if (c->normalization == NORMALIZE_SEPARATE) x = pixel_norm(x);
    if (c->c_dim) x = with_labels(n, x, labels);
    if (c->normalization == NORMALIZE_JOINT) x = pixel_norm(x);
    for (int i = 0; i < c->mapping_layers; i++) {
        layer fc = find_layer(n, "mapping.fc%d", i, NULL, 0);
        x = multiply(x, need(&fc, "weight", 0));
        x = add_bias(x, need(&fc, "bias", map_size(x)));
        x = activate(x, c->mapping_activation, c->mapping_gain);
    }
    if (x.channels != c->w_dim) fail("the mapping ends with %d values, not %d", x.channels, c->w_dim);
    return x;
}

/* --- >>truncation: psi pulls w to its mean in the first `cutoff` layers: w' = w_avg + psi (w - w_avg) --- */

/* w [w_dim] -> ws [num_ws][w_dim], a w for each layer */
static double *truncate_w(const network *n, map w, double psi, int cutoff) {
    const tensor *w_avg = find(n, "w_avg");
    int width = n->config.w_dim, layers = n->config.num_ws;
    if (psi == 1) cutoff = 0;
    if (cutoff > 0 && (!w_avg || w_avg->count != (size_t)width)) fail("w_avg is missing: only psi 1 is possible");
    double *ws = (double *)allocate((size_t)layers * (size_t)width, sizeof *ws);
    for (int l = 0; l < layers; l++)
        for (int i = 0; i < width; i++)
            ws[l * width + i] = l < cutoff ? w_avg->values[i] + psi * (w.values[i] - w_avg->values[i]) : w.values[i];
    free(w.values);
    return ws;
}

/* --- >>mixing: layers first to last take the other's styles. Coarse layers (the first) are pose and shape, middle ones
   the face, fine ones colours --- */

static void mix_styles(const network *n, double *ws, const double *other, int first, int last) {
    for (int l = first; l <= last && l < n->config.num_ws; l++)
        for (int i = 0; i < n->config.w_dim; i++) ws[l * n->config.w_dim + i] = other[l * n->config.w_dim + i];
}

/* --- >>convolution --- */

static void check_kernel(const tensor *weight, map x) { /* [K][K][I][O] */
    const int *shape = weight->shape;
    if (shape[0] != shape[1] || shape[2] != x.channels) fail("tensor %s has the wrong shape", weight->name);
}

/* Correlation: y[j] = sum w[k] x[j + k - K / 2] along both axes */
static map convolve(map in, const tensor *weight) {
    int kernel = weight->shape[0], outputs = weight->shape[3];
    check_kernel(weight, in);
    map out = make_map(outputs, in.height, in.width);
    for (int o = 0; o < outputs; o++)
        for (int i = 0; i < in.channels; i++)
            for (int ky = 0; ky < kernel; ky++)
                for (int kx = 0; kx < kernel; kx++) {
                    double w = weight->values[((ky * kernel + kx) * in.channels + i) * outputs + o];
                    for (int y = 0; y < out.height; y++)
                        for (int x = 0; x < out.width; x++)
                            *at(out, o, y, x) += w * pixel(in, i, y + ky - kernel / 2, x + kx - kernel / 2);
                }
    free(in.values);
    return out;
}

/* Transposed convolution: pixel j adds w[k] times itself to pixel stride * j + k - crop */
static map scatter(map in, const tensor *weight, int stride, int crop) {
    int kernel = weight->shape[0], outputs = weight->shape[3], more = kernel - 2 * crop;
    check_kernel(weight, in);
    map out = make_map(outputs, stride * (in.height - 1) + more, stride * (in.width - 1) + more);
    for (int o = 0; o < outputs; o++)
        for (int i = 0; i < in.channels; i++)
            for (int ky = 0; ky < kernel; ky++)
                for (int kx = 0; kx < kernel; kx++) {
                    double w = weight->values[((ky * kernel + kx) * in.channels + i) * outputs + o];
                    for (int y = 0; y < in.height; y++)
                        for (int x = 0; x < in.width; x++) {
                            int to_y = stride * y + ky - crop, to_x = stride * x + kx - crop;
                            if (to_y >= 0 && to_y < out.height && to_x >= 0 && to_x < out.width)
                                *at(out, o, to_y, to_x) += w * *at(in, i, y, x);
                        }
                }
    free(in.values);
    return out;
}

/* --- >>up-sampling --- */

/* Nearest neighbour: every pixel factor x factor times. */
static map repeat(map in, int factor) {
    map out = make_map(in.channels, in.height * factor, in.width * factor);
    for (int c = 0; c < out.channels; c++)
        for (int y = 0; y < out.height; y++)
            for (int x = 0; x < out.width; x++) *at(out, c, y, x) = *at(in, c, y / factor, x / factor);
    free(in.values);
    return out;
}

static map insert_zeros(map in, int factor) {
    map out = make_map(in.channels, factor * in.height, factor * in.width);
    for (int c = 0; c < in.channels; c++)
        for (int y = 0; y < in.height; y++)
            for (int x = 0; x < in.width; x++) *at(out, c, factor * y, factor * x) = *at(in, c, y, x);
    free(in.values);
    return out;
}

/* The low-pass filter: y[j] = gain * sum fir[k] x[j + k + shift - (taps + 1) / 2], for j below the given size */
static map filter(map in, const tensor *fir, double gain, int shift, int height, int width) {
    int rows = fir->shape[0], columns = fir->shape[1];
    map out = make_map(in.channels, height, width);
    for (int c = 0; c < in.channels; c++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++)
                for (int ky = 0; ky < rows; ky++)
                    for (int kx = 0; kx < columns; kx++)
                        *at(out, c, y, x) +=
                            gain * fir->values[ky * columns + kx] *
                            pixel(in, c, y + ky + shift - (rows + 1) / 2, x + kx + shift - (columns + 1) / 2);
    free(in.values);
    return out;
}

/* --- >>noise: one picture of Gaussian noise a layer, stored with the network; B scales it for each channel --- */

static map add_noise(const layer *l, map x) {
    size_t plane = (size_t)x.height * (size_t)x.width;
    if (!l->network->noise || !part(l, "noise")) return x;
    const tensor *noise = need(l, "noise", plane), *strength = need(l, "noise_strength", 0);
    if (strength->count != 1 && strength->count != (size_t)x.channels)
        fail("tensor %s has the wrong shape", strength->name);
    for (size_t i = 0; i < map_size(x); i++)
        x.values[i] += strength->values[strength->count == 1 ? 0 : i / plane] * noise->values[i % plane];
    return x;
}

/* --- >>styles: the affine transform A of the layer's w --- */

static map style_of(const layer *l, int count) {
    layer a = *l;
    snprintf(a.name, sizeof a.name, "%.20s.affine", l->name);
    map style = multiply(vector_of(l->w, l->network->config.w_dim), need(&a, "weight", 0));
    if (style.channels != count) fail("tensor %s.weight has the wrong shape", a.name);
    return add_bias(style, need(&a, "bias", (size_t)count));
}

/* Block i is 2^i times as high and wide as the first; the larger side names its layers. */
static int block_side(const configuration *c, int i) {
    return (c->height > c->width ? c->height : c->width) >> (c->blocks - 1 - i);
}

static map dense_first_layer(const layer *l, int height, int width); /* >>variants */

/* Instead of an input the networks learned a constant, [H][W][C] in the file. */
static map learned_constant(const network *n, const double *ws) {
    const configuration *c = &n->config;
    int side = block_side(c, 0), height = c->height >> (c->blocks - 1), width = c->width >> (c->blocks - 1);
    layer l = find_layer(n, "b%d", side, ws, 0);
    const tensor *constant = part(&l, "const");
    if (!constant) return dense_first_layer(&l, height, width);
    map x = make_map(constant->shape[2], height, width);
    if (constant->count != map_size(x)) fail("tensor %s has the wrong shape", constant->name);
    for (int channel = 0; channel < x.channels; channel++)
        for (int i = 0; i < height * width; i++)
            x.values[channel * height * width + i] = constant->values[i * x.channels + channel];
    return x;
}

/* --- >>StyleGAN (figure 1b): a constant; then at each resolution two layers of convolution, noise, bias, leaky ReLU and
   AdaIN --- */

/* (x - mean) / standard deviation, over each channel's pixels */
static map instance_norm(map m) {
    int plane = m.height * m.width;
    for (int c = 0; c < m.channels; c++) {
        double *x = at(m, c, 0, 0), mean = 0, variance = 0;
        for (int i = 0; i < plane; i++) mean += x[i] / plane;
        for (int i = 0; i < plane; i++) variance += (x[i] - mean) * (x[i] - mean) / plane;
        for (int i = 0; i < plane; i++) x[i] = (x[i] - mean) / sqrt(variance + 1e-8);
    }
    return m;
}

/* >>AdaIN (equation 1): y_s (x - mean(x)) / std(x) + y_b, where the style y = (y_s, y_b) = A w. The official networks have
   all of it but the pixel norm. */
static map adain(const layer *l, map x) {
    const configuration *c = &l->network->config;
    if (c->use_pixel_norm) x = pixel_norm(x);
    if (c->use_instance_norm) x = instance_norm(x);
    if (c->use_styles) {
        map style = style_of(l, 2 * x.channels);
        const double *y_s = style.values, *y_b = style.values + x.channels;
        for (int channel = 0; channel < x.channels; channel++)
            for (int i = 0; i < x.height * x.width; i++) {
                double *value = at(x, channel, 0, 0) + i;
                *value = y_s[channel] * *value + y_b[channel];
            }
        free(style.values);
    }
    if (c->use_pixel_norm || c->use_instance_norm || c->use_styles) {
        layer norm = *l; /* what "b8.conv0" becomes is recorded as "b8.norm0" */
        memcpy(strstr(norm.name, "conv"), "norm", 4);
        record(&norm, x);
    }
    return x;
}

/* What follows a convolution. */
static map epilogue(const layer *l, map x) {
    const configuration *c = &l->network->config;
    x = add_noise(l, x);
    x = add_bias(x, need(l, "bias", (size_t)x.channels));
    x = activate(x, c->activation, c->activation_gain);
    record(l, x);
    return adain(l, x);
}

/* A convolution of the up-sampled map, then the blur. The file holds its weights as those of a transposed convolution. */
static map upsample_and_convolve(const layer *l, map x) {
    const tensor *weight = need(l, "weight", 0);
    const tensor *blur = find(l->network, "fir");
    x = scatter(repeat(x, 2), weight, 1, weight->shape[0] / 2);
    return blur ? filter(x, blur, 1, 1, x.height, x.width) : x;
}

static map to_rgb(const layer *l, map x) {
    x = convolve(x, need(l, "weight", 0));
    return add_bias(x, need(l, "bias", (size_t)x.channels));
}

static int last_block(const configuration *c);                     /* blocks - 1; while growing: >>variants */
static map grow(const network *n, int last, map image, map below); /* image; while growing: >>variants */

/* ws [num_ws][w_dim] -> the image [channels][height][width], nominal range [-1, 1] */
static map synthesize1(const network *n, const double *ws) {
    int last = last_block(&n->config);
    map x = learned_constant(n, ws), below = {0, 0, 0, NULL};
    for (int i = 0; i <= last; i++) {
        int side = block_side(&n->config, i);
        layer conv0 = find_layer(n, "b%d.conv0", side, ws, 2 * i);
        layer conv1 = find_layer(n, "b%d.conv1", side, ws, 2 * i + 1);
        if (i && i == last) below = copy(x);
        if (i) x = upsample_and_convolve(&conv0, x);
        x = epilogue(&conv0, x);
        x = convolve(x, need(&conv1, "weight", 0));
        x = epilogue(&conv1, x);
    }
    layer torgb = find_layer(n, "b%d.torgb", block_side(&n->config, last), NULL, 0);
    return grow(n, last, to_rgb(&torgb, x), below);
}

/* --- >>StyleGAN-2 (section 2.2, figure 2d): no feature map is normalised; the style works on the weights --- */

/* >>modulation (equation 1): w'[i][o] = s[i] w[i][o] for every tap. Returns new weights. */
static tensor modulate(const tensor *weight, map style) {
    tensor w = *weight;
    size_t outputs = (size_t)weight->shape[3], inputs = (size_t)weight->shape[2];
    if (inputs != map_size(style)) fail("tensor %s has the wrong shape", weight->name);
    w.values = (double *)allocate(w.count, sizeof *w.values);
    for (size_t i = 0; i < w.count; i++) w.values[i] = weight->values[i] * style.values[i / outputs % inputs];
    free(style.values);
    return w;
}

/* >>demodulation (equation 3): w''[i][o] = w'[i][o] / sqrt(sum over inputs and taps of w'[i][o]^2 + epsilon) */
static void demodulate(tensor *w) {
    size_t outputs = (size_t)w->shape[3];
    for (size_t o = 0; o < outputs; o++) {
        double squares = 0;
        for (size_t i = o; i < w->count; i += outputs) squares += w->values[i] * w->values[i];
        for (size_t i = o; i < w->count; i += outputs) w->values[i] /= sqrt(squares + 1e-8);
    }
}

static map low_pass(const network *n, const char *name, map x, int shift, int height, int width) {
    const tensor *fir = find(n, name) ? find(n, name) : find(n, "fir");
    if (!fir) fail("tensor fir is missing");
    return filter(x, fir, 4, shift, height, width); /* the gain makes up for the zeros between the pixels */
}

/* A transposed convolution of stride 2, then the low-pass filter. */
static map convolve_up(const network *n, map x, const tensor *weight) {
    int height = 2 * x.height, width = 2 * x.width;
    return low_pass(n, "fir", scatter(x, weight, 2, 0), (weight->shape[0] - 1) / 2, height, width);
}

static map clamp(map x, double limit) { /* 0: none */
    for (size_t i = 0; limit > 0 && i < map_size(x); i++) x.values[i] = fmin(fmax(x.values[i], -limit), limit);
    return x;
}

/* clamp(gain * act(conv(x, w'') + noise + bias)) */
static map modulated_layer(const layer *l, map x, int up) {
    const configuration *c = &l->network->config;
    tensor w = modulate(need(l, "weight", 0), style_of(l, x.channels));
    demodulate(&w);
    x = up ? convolve_up(l->network, x, &w) : convolve(x, &w);
    free(w.values);
    x = add_noise(l, x);
    x = add_bias(x, need(l, "bias", (size_t)x.channels));
    x = activate(x, c->activation, c->activation_gain);
    return clamp(x, c->conv_clamp);
}

/* >>ToRGB: a modulated 1x1 convolution without demodulation; its image is added to the up-sampled one of the block
   before. */
static map add_rgb(const layer *l, map x, map image) {
    const configuration *c = &l->network->config;
    tensor w = modulate(need(l, "weight", 0), style_of(l, x.channels));
    map rgb = convolve(x, &w);
    free(w.values);
    rgb = add_bias(rgb, need(l, "bias", (size_t)rgb.channels));
    rgb = clamp(rgb, c->conv_clamp);
    if (image.values)
        rgb = add(rgb, low_pass(l->network, "fir_image", insert_zeros(image, 2), 0, rgb.height, rgb.width));
    return rgb;
}

static map add_residual(const network *n, int side, map x, map input); /* >>variants */

/* A constant; then two modulated layers at each resolution, whose images add up. The other architectures (figure 7) have
   one image, of the last block; resnet adds a block's input to its output. */
static map synthesize2(const network *n, const double *ws) {
    const configuration *c = &n->config;
    map x = learned_constant(n, ws), image = {0, 0, 0, NULL}, input = {0, 0, 0, NULL};
    for (int i = 0; i < c->blocks; i++) {
        int side = block_side(c, i), resnet = i && c->architecture == RESNET;
        layer conv0 = find_layer(n, "b%d.conv0", side, ws, 2 * i - 1);
        layer conv1 = find_layer(n, "b%d.conv1", side, ws, 2 * i);
        layer torgb = find_layer(n, "b%d.torgb", side, ws, 2 * i + 1);
        if (resnet) input = copy(x);
        if (i) {
            x = modulated_layer(&conv0, x, 1);
            record(&conv0, x);
        }
        x = modulated_layer(&conv1, x, 0);
        if (resnet) x = add_residual(n, side, x, input);
        record(&conv1, x);
        if (c->architecture != SKIP && i < c->blocks - 1) continue;
        image = add_rgb(&torgb, copy(x), image);
        if (i < c->blocks - 1) record(&torgb, image); /* the last one is the image itself */
    }
    free(x.values);
    return image;
}

/* --- >>StyleGAN-3 (figure 4b): details must not stick to the grid of pixels but move with what they belong to. So every
   map stands for a continuous signal of limited frequencies, nothing tells a layer where its pixels lie (no noise, no
   constant, borders beyond the canvas), and what makes new frequencies, the leaky ReLU, is followed by a filter --- */

/* product = a b, of 3 x 3 matrices that move points (x, y, 1) */
static void multiply_matrices(const double a[9], const double b[9], double product[9]) {
    for (int i = 0; i < 9; i++) {
        product[i] = 0;
        for (int k = 0; k < 3; k++) product[i] += a[i / 3 * 3 + k] * b[k * 3 + i % 3];
    }
}

/* Where the input's point (x, y) is taken from: R T U, a rotation R and a translation T that the first w chooses, and the
   caller's U, the inverse of what is to happen to the picture. */
static void input_motion(const layer *l, double motion[9]) {
    const double identity[9] = {1, 0, 0, 0, 1, 0, 0, 0, 1};
    const double *user = l->network->transform  ? l->network->transform
                         : part(l, "transform") ? need(l, "transform", 9)->values
                                                : identity;
    map style = style_of(l, 4); /* (rc, rs, tx, ty) */
    const double *s = style.values, length = hypot(s[0], s[1]);
    const double c = s[0] / length, sine = s[1] / length, tx = s[2] / length, ty = s[3] / length;
    const double rotation[9] = {c, -sine, 0, sine, c, 0, 0, 0, 1}, translation[9] = {1, 0, -tx, 0, 1, -ty, 0, 0, 1};
    double moved[9];
    multiply_matrices(rotation, translation, moved);
    multiply_matrices(moved, user, motion);
    free(style.values);
}

/* >>Fourier features: waves sin(2 pi (f . (x, y) + phase)) instead of a constant, which can be moved by any amount. A wave
   fades out as its frequency leaves the bandwidth for half the sampling rate. One matrix mixes the waves. */
static map fourier_features(const network *n, const double *ws) {
    const double pi = 3.14159265358979323846;
    layer l = find_layer(n, "input", 0, ws, 0);
    const double *grid = need(&l, "grid", 4)->values, rate = grid[2], bandwidth = grid[3];
    if (!(grid[0] >= 1 && grid[0] < 32768 && grid[1] >= 1 && grid[1] < 32768)) fail("the input's size is impossible");
    const tensor *freqs = need(&l, "freqs", 0), *phases = need(&l, "phases", freqs->count / 2);
    double m[9];
    input_motion(&l, m);
    map waves = make_map((int)phases->count, (int)grid[0], (int)grid[1]);
    for (int i = 0; i < waves.channels; i++) {
        const double *f = freqs->values + 2 * i;
        double fx = f[0] * m[0] + f[1] * m[3], fy = f[0] * m[1] + f[1] * m[4];
        double phase = phases->values[i] + f[0] * m[2] + f[1] * m[5];
        double amplitude = fmin(fmax(1 - (hypot(fx, fy) - bandwidth) / (rate / 2 - bandwidth), 0), 1);
        for (int y = 0; y < waves.height; y++)
            for (int x = 0; x < waves.width; x++) { /* the canvas is 1 x 1, its middle (0, 0); margins go beyond */
                double at_x = (x + 0.5 - waves.width / 2.0) / rate, at_y = (y + 0.5 - waves.height / 2.0) / rate;
                *at(waves, i, y, x) = amplitude * sin(2 * pi * (fx * at_x + fy * at_y + phase));
            }
    }
    layer fourier = find_layer(n, "fourier", 0, NULL, 0);
    record(&fourier, waves);
    waves = convolve(waves, need(&l, "weight", 0));
    record(&l, waves);
    return waves;
}

/* Zeros beyond the sides, or less of the map where the number is negative. */
static map pad(map in, int left, int right, int top, int bottom) {
    int height = in.height + top + bottom, width = in.width + left + right;
    if (height < 1 || width < 1) fail("nothing is left of a map");
    map out = make_map(in.channels, height, width);
    for (int c = 0; c < out.channels; c++)
        for (int y = 0; y < height; y++)
            for (int x = 0; x < width; x++) *at(out, c, y, x) = pixel(in, c, y - top, x - left);
    free(in.values);
    return out;
}

/* y[j] = sum f[k] x[j + k], where all of the filter lies on the map */
static map apply_taps(map in, const double *taps, int rows, int columns) {
    if (in.height < rows || in.width < columns) fail("a filter is larger than its map");
    map out = make_map(in.channels, in.height - rows + 1, in.width - columns + 1);
    for (int c = 0; c < out.channels; c++)
        for (int y = 0; y < out.height; y++)
            for (int x = 0; x < out.width; x++)
                for (int ky = 0; ky < rows; ky++)
                    for (int kx = 0; kx < columns; kx++)
                        *at(out, c, y, x) += taps[ky * columns + kx] * *at(in, c, y + ky, x + kx);
    free(in.values);
    return out;
}

/* A separable filter [n] works along both axes; a radial one, which favours no direction, is [n][n]. */
static map apply_filter(const layer *l, const char *name, map x) {
    const tensor *f = part(l, name);
    if (!f) return x;
    if (f->count != (size_t)f->shape[0]) return apply_taps(x, f->values, f->shape[0], f->shape[1]);
    x = apply_taps(x, f->values, 1, f->shape[0]);
    return apply_taps(x, f->values, f->shape[0], 1);
}

static map keep_every(map in, int step) {
    map out = make_map(in.channels, (in.height + step - 1) / step, (in.width + step - 1) / step);
    for (int c = 0; c < out.channels; c++)
        for (int y = 0; y < out.height; y++)
            for (int x = 0; x < out.width; x++) *at(out, c, y, x) = *at(in, c, step * y, step * x);
    free(in.values);
    return out;
}

/* Where a layer's map comes from and goes to: whole numbers in the file. */
typedef struct geometry {
    int in_height, in_width, out_height, out_width, up, down, left, right, top, bottom;
} geometry;

static geometry geometry_of(const layer *l, map x) {
    const double *numbers = need(l, "geometry", 10)->values;
    int g[10];
    for (int i = 0; i < 10; i++) {
        g[i] = fabs(numbers[i]) < 32768 ? (int)numbers[i] : 0;
        if (g[i] != numbers[i] || (i < 6 && g[i] < 1)) fail("tensor %s.geometry: impossible", l->name);
    }
    if (g[0] != x.height || g[1] != x.width) fail("tensor %s.geometry: the map before has another size", l->name);
    return (geometry){g[0], g[1], g[2], g[3], g[4], g[5], g[6], g[7], g[8], g[9]};
}

/* >>filtered leaky ReLU: its sharp bend makes frequencies that the pixels cannot hold. So the map is brought to a higher
   sampling rate, bent there, and what is too high for the layer's rate is filtered away before pixels are dropped. */
static map filtered_lrelu(const layer *l, geometry g, map x) {
    const configuration *c = &l->network->config;
    x = pad(insert_zeros(x, g.up), g.left, g.right, g.top, g.bottom);
    x = apply_filter(l, "up_filter", x); /* its gain makes up for the zeros */
    x = clamp(activate(x, c->activation, c->activation_gain), c->conv_clamp);
    return keep_every(apply_filter(l, "down_filter", x), g.down);
}

/* A modulated convolution of all places where the kernel touches the map: kernel - 1 more than it has. */
static map convolve_modulated(const layer *l, map x, int demodulated) {
    tensor w = modulate(need(l, "weight", 0), style_of(l, x.channels));
    int more = w.shape[0] / 2;
    if (demodulated) demodulate(&w);
    x = convolve(pad(x, more, more, more, more), &w);
    free(w.values);
    return x;
}

/* The waves; then layers, each with a sampling rate and a cutoff frequency of its own; the last makes the image, linear. */
static map synthesize3(const network *n, const double *ws) {
    const configuration *c = &n->config;
    map x = fourier_features(n, ws);
    for (int i = 0; i < c->blocks; i++) {
        layer l = find_layer(n, "L%d", i, ws, i + 1);
        int is_torgb = i == c->blocks - 1;
        double gain = part(&l, "gain") ? need(&l, "gain", 1)->values[0] : 1;
        geometry g = geometry_of(&l, x);
        x = convolve_modulated(&l, x, !is_torgb);
        if (!is_torgb) x = scale(x, gain); /* to unit variance, in the mean of training */
        x = add_bias(x, need(&l, "bias", (size_t)x.channels));
        if (is_torgb) {
            x = scale(clamp(x, c->conv_clamp), gain);
            break;
        }
        x = filtered_lrelu(&l, g, x);
        if (x.height != g.out_height || x.width != g.out_width) fail("tensor %s.geometry: wrong output", l.name);
        record(&l, x);
    }
    if (x.channels != c->channels || x.height != c->height || x.width != c->width) fail("the image has another size");
    return x;
}

static map synthesize(const network *n, const double *ws) {
    static map (*const families[])(const network *n, const double *ws) = {synthesize1, synthesize2, synthesize3};
    if (!n->config.blocks) fail("the file holds a mapping, no synthesis");
    return families[n->config.family - 1](n, ws);
}

/* --- >>variants: what the networks may have in place of the above --- */

/* The activation functions of the official code (bias_act). */
static double curve(int activation, double x) {
    const double lambda = 1.0507009873554804934193349852946, alpha = 1.6732632423543772848170429916717; /* of selu */
    if (activation == LINEAR) return x;
    if (activation == RELU) return x > 0 ? x : 0;
    if (activation == LRELU) return x > 0 ? x : 0.2 * x;
    if (activation == TANH) return tanh(x);
    if (activation == SIGMOID) return 1 / (1 + exp(-x));
    if (activation == ELU) return x > 0 ? x : expm1(x);
    if (activation == SELU) return lambda * (x > 0 ? x : alpha * expm1(x));
    if (activation == SOFTPLUS) return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
    if (activation == SWISH) return x / (1 + exp(-x));
    fail("activation %d is unknown", activation);
    return 0;
}

/* Conditional networks: the labels pass through a fully connected layer and go behind z. */
static map with_labels(const network *n, map z, const double *labels) {
    layer embed = find_layer(n, "mapping.embed", 0, NULL, 0);
    map c = make_map(n->config.c_dim, 1, 1);
    for (int i = 0; labels && i < c.channels; i++) c.values[i] = labels[i];
    c = multiply(c, need(&embed, "weight", 0));
    if (part(&embed, "bias")) c = add_bias(c, need(&embed, "bias", map_size(c)));
    if (n->config.normalization == NORMALIZE_SEPARATE) c = pixel_norm(c);
    map both = make_map(z.channels + c.channels, 1, 1);
    for (int i = 0; i < both.channels; i++) both.values[i] = i < z.channels ? z.values[i] : c.values[i - z.channels];
    free(z.values);
    free(c.values);
    return both;
}

/* In place of the constant, a fully connected layer of w. */
static map dense_first_layer(const layer *l, int height, int width) {
    layer dense = *l;
    snprintf(dense.name, sizeof dense.name, "%.20s.dense", l->name);
    map x = multiply(vector_of(l->w, l->network->config.w_dim), need(&dense, "weight", 0));
    if (x.channels % (height * width)) fail("tensor %s.weight has the wrong shape", dense.name);
    return (map){x.channels / (height * width), height, width, x.values};
}

/* While a StyleGAN grows (ProGAN, figure 2), its level of detail `lod` goes down to 0. The blocks above it are not drawn
   yet, and a fraction blends the image with the one below. */
static int last_block(const configuration *c) {
    return c->lod < (float)(c->blocks - 1) ? c->blocks - 1 - (int)c->lod : 0;
}

/* below: the last block's input, used up like the image. */
static map grow(const network *n, int last, map image, map below) {
    const configuration *c = &n->config;
    double blend = last ? c->lod - floor(c->lod) : 0;
    if (blend > 0) {
        layer torgb = find_layer(n, "b%d.torgb", block_side(c, last - 1), NULL, 0);
        map old = to_rgb(&torgb, below);
        record(&torgb, old);
        image = add(scale(image, 1 - blend), scale(repeat(old, 2), blend));
    } else
        free(below.values);
    return repeat(image, 1 << (c->blocks - 1 - last));
}

/* resnet (StyleGAN 2, figure 7c): (block(x) + up-sampled 1x1 convolution of x) / sqrt(2); the file's weights of the latter
   are divided already. */
static map add_residual(const network *n, int side, map x, map input) {
    layer skip = find_layer(n, "b%d.skip", side, NULL, 0);
    map branch = convolve_up(n, input, need(&skip, "weight", 0));
    record(&skip, branch);
    return add(scale(x, sqrt(0.5)), branch);
}

/* --- >>program --- */

/* The Mersenne Twister MT19937 (Matsumoto and Nishimura, 1998) as NumPy's RandomState seeds it. */
typedef struct twister {
    uint32_t state[624];
    int index;
} twister;

static twister seed_twister(uint32_t seed) {
    twister t = {{seed}, 624};
    for (uint32_t i = 1; i < 624; i++) t.state[i] = 1812433253u * (t.state[i - 1] ^ t.state[i - 1] >> 30) + i;
    return t;
}

static uint32_t next_bits(twister *t) {
    uint32_t *s = t->state;
    for (int i = 0; t->index == 624 && i < 624; i++) {
        uint32_t y = (s[i] & 0x80000000u) | (s[(i + 1) % 624] & 0x7fffffffu);
        s[i] = s[(i + 397) % 624] ^ y >> 1 ^ (y & 1 ? 0x9908b0dfu : 0);
    }
    t->index %= 624;
    uint32_t y = s[t->index++];
    y ^= y >> 11;
    y ^= y << 7 & 0x9d2c5680u;
    y ^= y << 15 & 0xefc60000u;
    return y ^ y >> 18;
}

static double next_uniform(twister *t) { /* 53 bits in [-1, 1) */
    uint32_t high = next_bits(t) >> 5, low = next_bits(t) >> 6;
    return 2 * ((high * 67108864.0 + low) / 9007199254740992.0) - 1;
}

/* z, standard normal: NumPy's RandomState(seed).randn(count), by Marsaglia's polar method. */
static void seed_z(uint32_t seed, double *z, int count) {
    twister t = seed_twister(seed);
    for (int i = 0; i < count; i += 2) {
        double x, y, square;
        do {
            x = next_uniform(&t);
            y = next_uniform(&t);
            square = x * x + y * y;
        } while (square >= 1 || square == 0);
        double factor = sqrt(-2 * log(square) / square);
        z[i] = factor * y;
        if (i + 1 < count) z[i + 1] = factor * x;
    }
}

#ifndef REFERENCE_LIBRARY /* the tests bring their own program */

static network open_network(const char *path) {
    FILE *file = fopen(subject = path, "rb");
    long size = file && !fseek(file, 0, SEEK_END) ? ftell(file) : -1;
    if (size < 0) fail("cannot open");
    if (size > 1L << 30) fail("not a weight file, or a very large one");
    rewind(file);
    unsigned char *bytes = (unsigned char *)allocate((size_t)size, 1);
    if (fread(bytes, 1, (size_t)size, file) != (size_t)size) fail("cannot read");
    fclose(file);
    network n = read_network(bytes, (size_t)size);
    free(bytes);
    return n;
}

static double *styles_of(const network *n, uint32_t seed, double psi) {
    double *z = (double *)allocate((size_t)n->config.z_dim, sizeof *z);
    seed_z(seed, z, n->config.z_dim);
    double *ws = truncate_w(n, map_z(n, z, NULL), psi, n->config.truncation_cutoff);
    free(z);
    return ws;
}

/* 8 bits as the official tools make them: clamp(trunc(x * 127.5 + 128), 0, 255) */
static void write_picture(map image) {
    if (image.channels != 1 && image.channels != 3) fail("%d channels, a picture has 1 or 3", image.channels);
#ifdef _WIN32
    _setmode(_fileno(stdout), _O_BINARY); /* a picture is no text */
#endif
    printf("P%d %d %d 255\n", image.channels == 1 ? 5 : 6, image.width, image.height);
    for (int y = 0; y < image.height; y++)
        for (int x = 0; x < image.width; x++)
            for (int c = 0; c < image.channels; c++)
                putchar((int)fmin(fmax(trunc(*at(image, c, y, x) * 127.5 + 128), 0), 255));
    if (fflush(stdout) || ferror(stdout)) fail("cannot write the picture");
}

static double number(const char *text, double least, double most) {
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end || !(value >= least && value <= most)) fail("%s is no number that fits here", text);
    return value;
}

static uint32_t seed_of(const char *text) {
    double value = number(text, 0, UINT32_MAX);
    if (value != floor(value)) fail("%s is no seed, a whole number", text);
    return (uint32_t)value;
}

int main(int argc, char **argv) {
    unsigned first = 0, last = 0;
    char rest;
    if (argc != 4 && (argc != 6 || sscanf(argv[5], "%3u-%3u%c", &first, &last, &rest) != 2)) {
        fputs("usage: reference MODEL.sgw SEED PSI [SEED2 FIRST-LAST] > out.ppm\n", stderr);
        return 2;
    }
    uint32_t seed = seed_of(argv[2]);
    double psi = number(argv[3], -100, 100);
    network n = open_network(argv[1]);

    double *ws = styles_of(&n, seed, psi);
    if (argc == 6) {
        double *other = styles_of(&n, seed_of(argv[4]), psi);
        if (first > last || last >= (unsigned)n.config.num_ws) fail("layers are 0-%d", n.config.num_ws - 1);
        mix_styles(&n, ws, other, (int)first, (int)last);
        free(other);
    }
    map image = synthesize(&n, ws);
    write_picture(image);
    free(image.values);
    free(ws);
    free_network(&n);
    return 0;
}

#endif
