/* test_convert.c - the converter: checkpoints of every layout and hostile ones. test_convert TOOL WORK, from the root.
 */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "../tools/convert/checkpoint.h"
#include "hostile_pickles.h"
#include "make_stylegan3.h"
#include "test.h"

#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* --- Reading --- */

typedef struct conversion {
    reader r;
    network n;
    file_view view; /* unless it came from memory */
} conversion;

static void convert_choice(conversion *c, const unsigned char *bytes, size_t size, generator_choice choice) {
    memset(c, 0, sizeof *c);
    reader_open(&c->r, size);
    checkpoint_read(&c->r, bytes, size, choice, &c->n);
}

static void convert_bytes(conversion *c, const unsigned char *bytes, size_t size) {
    convert_choice(c, bytes, size, GENERATOR_PREFER_AVERAGED);
}

static void conversion_end(conversion *c) {
    weights_free(&c->n.w);
    reader_close(&c->r);
    if (c->view.data) file_view_close(&c->view);
}

static void convert_golden(conversion *c, const char *name, const char *extension) {
    char *path = cli_format("tests/golden/%s/model.%s", name, extension);
    const file_view view = file_view_open(path);
    convert_bytes(c, view.data, view.size);
    c->view = view;
    free(path);
}

/* --- Layouts: a network written as another checkpoint must come back the same --- */

static weights_tensor *find_tensor(const weights *w, const char *name) {
    for (int i = 0; i < w->count; i++) {
        if (!strcmp(w->tensors[i].name, name)) return &w->tensors[i];
    }
    return NULL;
}

static bool is_noise_map(const char *name) {
    return strlen(name) > 6 && !strcmp(name + strlen(name) - 6, ".noise");
}

/* The largest difference over the largest value, of all tensors; infinite if one is missing or of another shape. */
static double weights_difference(const weights *a, const weights *b, const checkpoint_style *style) {
    double worst = a->count == b->count ? 0.0 : INFINITY;
    for (int i = 0; i < b->count; i++) {
        const weights_tensor *wanted = &b->tensors[i], *found = find_tensor(a, wanted->name);
        if (style->without_noise && is_noise_map(wanted->name)) continue;
        if (style->without_average && !strcmp(wanted->name, "w_avg")) continue;
        if (!found || found->dimensions != wanted->dimensions ||
            memcmp(found->shape, wanted->shape, (size_t)wanted->dimensions * sizeof *wanted->shape)) {
            return INFINITY;
        }
        float *x = weights_values(found), *y = weights_values(wanted);
        const double difference = test_relative(x, y, weights_count(wanted));
        if (!(difference <= worst)) worst = difference;
        free(x);
        free(y);
    }
    return worst;
}

static bool same_network(const stylegan_config *a, const stylegan_config *b) {
    return a->family == b->family && a->architecture == b->architecture && a->height == b->height &&
           a->width == b->width && a->channels == b->channels && a->z_dim == b->z_dim && a->w_dim == b->w_dim &&
           a->c_dim == b->c_dim && a->num_ws == b->num_ws && a->mapping_layers == b->mapping_layers;
}

typedef struct layout_case {
    const char *name, *golden, *extension;
    checkpoint_style style;
} layout_case;

static const layout_case separate_case = {
    "rosinality, another filter for the convolutions", "sg2-tf-64", "pkl", {.layout = LAYOUT_ROSINALITY}};

/* The image keeps [1, 3, 3, 1]; the convolutions get an asymmetric filter. */
static void separate_filters(weights *w) {
    static const float asymmetric[] = {0.1f, 0.2f, 0.3f, 0.4f};
    weights_tensor *fir = find_tensor(w, "fir"), image = *fir;
    memcpy(fir->shape, (const int32_t[]){2, 2}, 2 * sizeof *fir->shape);
    fir->values = cli_alloc(4, sizeof *fir->values);
    memcpy(fir->values, asymmetric, sizeof asymmetric);
    weights_add_values(w, "fir_image", 2, image.shape, image.values);
    free(image.values);
}

/* A file's name of 250 bytes, which torch.save makes the archive's. */
#define TEN "0123456789"
#define FIFTY TEN TEN TEN TEN TEN

static const layout_case layout_cases[] = {
    {"rosinality, zip", "sg2-tf-64", "pkl", {.layout = LAYOUT_ROSINALITY}},
    {"rosinality, zip of a long name",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .archive = FIFTY FIFTY FIFTY FIFTY FIFTY}},
    {"rosinality, legacy stream", "sg2-tf-64", "pkl", {.layout = LAYOUT_ROSINALITY, .legacy = true}},
    {"rosinality, float16", "sg2-tf-64", "pkl", {.layout = LAYOUT_ROSINALITY, .element = ELEMENT_F16}},
    {"rosinality, bfloat16, legacy",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .element = ELEMENT_BF16, .legacy = true}},
    {"rosinality, float64", "sg2-tf-64", "pkl", {.layout = LAYOUT_ROSINALITY, .element = ELEMENT_F64}},
    {"rosinality, one shared storage with strides", "sg2-tf-64", "pkl", {.layout = LAYOUT_ROSINALITY, .shared = true}},
    {"rosinality, the same in the legacy stream",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .shared = true, .legacy = true}},
    {"rosinality, parts of one storage in the legacy stream",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .shared = true, .legacy = true, .parts = 1}},
    {"rosinality, module. prefix", "sg2-tf-64", "pkl", {.layout = LAYOUT_ROSINALITY, .data_parallel = true}},
    {"rosinality, legacy stream of protocol 1",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .legacy = true, .protocol = 1}},
    {"rosinality, legacy stream of protocol 3",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .legacy = true, .protocol = 3}},
    {"rosinality, legacy stream of protocol 5",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .legacy = true, .protocol = 5}},
    {"rosinality, bare, module. prefix",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .bare = true, .data_parallel = true, .without_average = true}},
    {"rosinality, state_dict", "sg2-tf-64", "pkl", {.layout = LAYOUT_ROSINALITY, .key = "state_dict"}},
    {"rosinality, ema", "sg2-tf-64", "pkl", {.layout = LAYOUT_ROSINALITY, .key = "ema"}},
    {"rosinality, params_ema",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .key = "params_ema", .data_parallel = true}},
    {"rosinality, g_ema. in a state_dict",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .key = "state_dict", .prefix = "g_ema."}},
    {"rosinality, bare, generator. prefix",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .bare = true, .prefix = "generator.", .without_average = true}},
    {"rosinality, latent_avg in the state dict",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .encoder = true, .inner_average = true}},
    {"rosinality, a whole module", "sg2-tf-64", "pkl", {.layout = LAYOUT_ROSINALITY, .module = true}},
    {"genforce 2, a bare module", "sg2-tf-64", "pkl", {.layout = LAYOUT_GENFORCE, .bare = true, .module = true}},
    {"rosinality, only in training", "sg2-tf-64", "pkl", {.layout = LAYOUT_ROSINALITY, .training = true}},
    {"rosinality, decoder of an encoder",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .encoder = true, .average_rows = 10}},
    {"rosinality, one mean of w for each of 18 layers",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .average_rows = 18}},
    {"rosinality, one mean of w repeated for 18 layers",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .average_rows = 18, .repeated_rows = true}},
    {"rosinality, without latent_avg", "sg2-tf-64", "pkl", {.layout = LAYOUT_ROSINALITY, .without_average = true}},
    {"rosinality, without noises", "sg2-tf-64", "pkl", {.layout = LAYOUT_ROSINALITY, .without_noise = true}},
    {"rosinality, a filter more",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .extra = "convs.1.conv.blur.kernel"}},
    {"rosinality, beside the encoder",
     "sg2-tf-64",
     "pkl",
     {.layout = LAYOUT_ROSINALITY, .encoder = true, .extra = "encoder.body.0.weight"}},
    {"genforce 1, an image of lower resolution",
     "sg1-64",
     "pkl",
     {.layout = LAYOUT_GENFORCE, .extra = "synthesis.output1.bias"}},
    {"genforce 2, zip", "sg2-tf-64", "pkl", {.layout = LAYOUT_GENFORCE}},
    {"genforce 2, legacy stream", "sg2-rosinality-64", "pt", {.layout = LAYOUT_GENFORCE, .legacy = true}},
    {"genforce 2, resnet, below models", "sg2-ada-resnet-32", "pkl", {.layout = LAYOUT_GENFORCE, .nested = true}},
    {"genforce 1, below models", "sg1-64", "pkl", {.layout = LAYOUT_GENFORCE, .nested = true}},
    {"genforce 1, bare", "sg1-64", "pkl", {.layout = LAYOUT_GENFORCE, .bare = true}},
    {"genforce 2, only in training", "sg2-tf-64", "pkl", {.layout = LAYOUT_GENFORCE, .nested = true, .training = true}},
    {"genforce 1, fused up-sampling", "sg1-128-thin", "pkl", {.layout = LAYOUT_GENFORCE}},
    {"genforce 1, labels", "sg1-cond-32", "pkl", {.layout = LAYOUT_GENFORCE, .legacy = true}},
    {"TensorFlow 1, Python 2", "sg1-64", "pkl", {.layout = LAYOUT_TENSORFLOW, .python2 = true}},
    {"TensorFlow 1, options as NumPy scalars", "sg1-64", "pkl", {.numpy_scalars = true}},
    {"TensorFlow 2, only in training", "sg2-tf-64", "pkl", {.tuple = true, .training = true}},
    {"TensorFlow 1, big-endian", "sg1-cond-32", "pkl", {.layout = LAYOUT_TENSORFLOW, .big_endian = true}},
    {"TensorFlow 1, column-major",
     "sg1-128-thin",
     "pkl",
     {.layout = LAYOUT_TENSORFLOW, .fortran = true, .tuple = true}},
    {"TensorFlow 1, float64", "sg1-64", "pkl", {.layout = LAYOUT_TENSORFLOW, .element = ELEMENT_F64}},
    {"TensorFlow 1, fused_scale = True", "sg1-64", "pkl", {.option = "fused_scale", .setting = 1, .fused_from = 4}},
    {"TensorFlow 1, fused_scale = False",
     "sg1-128-thin",
     "pkl",
     {.option = "fused_scale", .setting = 0, .fused_from = 256}},
    {"TensorFlow 1, use_wscale = False", "sg1-64", "pkl", {.option = "use_wscale", .setting = 0, .unscaled = true}},
    {"TensorFlow 2, float16", "sg2-tf-64", "pkl", {.layout = LAYOUT_TENSORFLOW, .element = ELEMENT_F16}},
    {"TensorFlow 2, resnet", "sg2-ada-resnet-32", "pkl", {.layout = LAYOUT_TENSORFLOW, .tuple = true}},
    {"rosinality, a rectangle", "sg2-rect-64", "pkl", {.layout = LAYOUT_ROSINALITY}},
    {"genforce 2, a rectangle", "sg2-rect-64", "pkl", {.layout = LAYOUT_GENFORCE}},
    {"TensorFlow 2, a rectangle", "sg2-rect-64", "pkl", {.layout = LAYOUT_TENSORFLOW}},
    {"TensorFlow 2, from rosinality", "sg2-rosinality-64", "pt", {.layout = LAYOUT_TENSORFLOW}},
};

/* Another constant: 3 high and 5 wide instead of 4 and 2, so that the blocks' sides are 5, 10, 20, ... */
static void lay_down(weights *w) {
    stylegan_config *c = &w->config;
    c->height = 3 << (c->blocks - 1);
    c->width = c->resolution = 5 << (c->blocks - 1);
    for (int i = 0; i < w->count; i++) {
        weights_tensor *t = &w->tensors[i];
        int side;
        char rest[sizeof t->name];
        if (sscanf(t->name, "b%d.%31s", &side, rest) != 2) continue;
        snprintf(t->name, sizeof t->name, "b%d.%.24s", side / 4 * 5, rest);
        if (strcmp(rest, "const") && !is_noise_map(t->name)) continue;
        t->shape[0] = side / 4 * 3;
        t->shape[1] = side / 4 * 5;
        const size_t count = weights_count(t);
        t->fill = NULL;
        t->values = cli_alloc(count, sizeof *t->values);
        for (size_t k = 0; k < count; k++) t->values[k] = (float)(k % 1000) - 500.0f;
    }
}

/* genforce's files do not tell how activations are clamped. */
static void unclamp(weights *w) {
    w->config.conv_clamp = 0;
}

static const layout_case labels_case = {
    "genforce 2, labels of 2-ADA", "sg2-ada-cond-32-clamp", "pkl", {.layout = LAYOUT_GENFORCE}};

static const layout_case lying_cases[] = {
    {"rosinality, 3 x 5", "sg2-rect-64", "pkl", {.layout = LAYOUT_ROSINALITY}},
    {"genforce 2, 3 x 5", "sg2-rect-64", "pkl", {.layout = LAYOUT_GENFORCE, .legacy = true}},
    {"TensorFlow 2, 3 x 5", "sg2-rect-64", "pkl", {.layout = LAYOUT_TENSORFLOW}},
};

static void test_layout(const layout_case *t, void (*change)(weights *w)) {
    static const double tolerances[] = {
        [ELEMENT_F32] = 1e-6, [ELEMENT_F16] = 1e-3, [ELEMENT_BF16] = 8e-3, [ELEMENT_F64] = 1e-6};
    conversion original, again;
    convert_golden(&original, t->golden, t->extension);
    if (change) change(&original.n.w);
    buffer file = make_checkpoint(&original.n.w, t->style);
    convert_bytes(&again, file.bytes, file.size);
    if (again.r.error[0]) {
        test_check(0, "%s: %s", t->name, again.r.error);
    } else {
        const double difference = weights_difference(&again.n.w, &original.n.w, &t->style);
        const bool told = again.n.estimate_w_avg == t->style.without_average &&
                          again.n.drew_noise == t->style.without_noise && again.n.averaged != t->style.training;
        test_check(difference <= tolerances[t->style.element] && told &&
                       same_network(&again.n.w.config, &original.n.w.config),
                   "%s: largest difference %.1e", t->name, difference);
    }
    conversion_end(&again);
    conversion_end(&original);
    free(file.bytes);
}

/* Demodulation cancels what each output's weights are multiplied with: the converter makes it their root mean square. */
static void normalize_weights(weights *w) {
    for (int i = 0; i < w->count; i++) {
        weights_tensor *t = &w->tensors[i];
        int index;
        char end[16];
        if (sscanf(t->name, "L%d.%15s", &index, end) != 2 || strcmp(end, "weight") || index == w->config.blocks - 1)
            continue;
        const size_t count = weights_count(t), outputs = (size_t)t->shape[3];
        float *values = weights_values(t);
        for (size_t o = 0; o < outputs; o++) {
            double squares = 0;
            for (size_t k = o; k < count; k += outputs) squares += (double)values[k] * values[k];
            for (size_t k = o; k < count; k += outputs)
                values[k] = (float)(values[k] / sqrt(squares * (double)outputs / (double)count));
        }
        if (t->fill) free(t->context); /* random_network_free does not see it any more */
        free(t->values);
        t->fill = NULL;
        t->values = values;
    }
}

/* What a file may leave out, the converter writes. */
static void complete(weights *w) {
    for (int i = 0; i < w->config.blocks; i++) {
        char *name = cli_format("L%d.gain", i);
        if (!find_tensor(w, name)) weights_add_values(w, name, 1, (int32_t[]){1}, (float[]){1});
        free(name);
    }
    if (!find_tensor(w, "input.transform"))
        weights_add_values(w, "input.transform", 2, (int32_t[]){3, 3}, (float[]){1, 0, 0, 0, 1, 0, 0, 0, 1});
}

/* Any layers, sizes, margins, kernels, filters, clamps and labels, as the official code would have saved them. */
static void test_stylegan3(void) {
    enum { NETWORKS = 40, LEAST = 20 };
    int tried = 0, classes = 0, refused = 0;
    for (uint64_t seed = 0; seed < NETWORKS; seed++) {
        weights w;
        conversion again;
        random_network3(seed, &w);
        stylegan_config *c = &w.config;
        const bool bare = c->c_dim && !find_tensor(&w, "mapping.embed.bias");
        if (!bare && find_tensor(&w, "w_avg")) {
            complete(&w);
            normalize_weights(&w);
            buffer file = make_stylegan3(&w);
            convert_bytes(&again, file.bytes, file.size);
            const double difference =
                again.r.error[0] ? INFINITY : weights_difference(&again.n.w, &w, &(checkpoint_style){0});
            test_check(difference <= 1e-6 && same_network(&again.n.w.config, c) &&
                           again.n.w.config.conv_clamp == c->conv_clamp,
                       "StyleGAN 3, random network %d: %.1e %s", (int)seed, difference, again.r.error);
            conversion_end(&again);
            free(file.bytes);
            tried++;
        } else if (bare) {
            buffer file = make_stylegan3(&w);
            convert_bytes(&again, file.bytes, file.size);
            classes++;
            refused += strstr(again.r.error, "labels embedded as in StyleGAN-XL are not supported") != NULL;
            conversion_end(&again);
            free(file.bytes);
        }
        random_network_free(&w);
    }
    test_check(classes && refused == classes, "StyleGAN-XL's table of classes: refused %d of %d times", refused,
               classes);
    test_check(tried >= LEAST, "StyleGAN 3: %d random networks", tried);
}

/* --- What is wrong is named --- */

/* The tensor gets values of its own, of any shape. */
static void replace_values(weights_tensor *t, int dimensions, const int32_t *shape, float number) {
    size_t count = 1;
    t->fill = NULL;
    t->dimensions = dimensions;
    for (int d = 0; d < dimensions; d++) count *= (size_t)(t->shape[d] = shape[d]);
    t->values = cli_realloc(t->values, count, sizeof *t->values);
    for (size_t i = 0; i < count; i++) t->values[i] = number;
}

static void drop_bias(weights *w) {
    *find_tensor(w, "b8.conv1.bias") = w->tensors[--w->count];
}

static void shorten_bias(weights *w) {
    weights_tensor *t = find_tensor(w, "b8.conv1.bias");
    replace_values(t, 1, (int32_t[]){t->shape[0] - 1}, 0);
}

static void claim_layer(weights *w) {
    w->config.mapping_layers++;
}

static void stretch_constant(weights *w) {
    weights_tensor *t = find_tensor(w, "b4.const");
    replace_values(t, 3, (int32_t[]){4096, 2, t->shape[2]}, 1);
}

static void widen_torgb(weights *w) {
    weights_tensor *t = find_tensor(w, "b8.torgb.weight");
    replace_values(t, 4, (int32_t[]){3, 3, t->shape[2], t->shape[3]}, 1);
}

static void spoil_weight(weights *w) {
    weights_tensor *t = find_tensor(w, "b8.conv1.weight");
    replace_values(t, 4, (int32_t[]){t->shape[0], t->shape[1], t->shape[2], t->shape[3]}, NAN);
}

static void drop_mapping_layer(weights *w) {
    *find_tensor(w, "mapping.fc2.weight") = w->tensors[--w->count];
}

static void drop_convolution(weights *w) {
    *find_tensor(w, "b16.conv1.weight") = w->tensors[--w->count];
}

static void vary_average(weights *w) {
    weights_tensor *t = find_tensor(w, "w_avg");
    replace_values(t, 2, (int32_t[]){2, t->shape[0]}, 1);
    t->values[t->shape[1]] = 2;
}

static const struct {
    const char *name, *golden, *message;
    void (*change)(weights *w);
    checkpoint_style style;
} mistakes[] = {
    {"an unknown option", "sg1-64", "option 'use_magic' = 1 is not known", NULL, {.option = "use_magic", .setting = 1}},
    {"an option that cannot be run",
     "sg1-64",
     "option nonlinearity = 1 is not",
     NULL,
     {.option = "nonlinearity", .setting = 1}},
    {"a missing tensor, TensorFlow",
     "sg2-tf-64",
     "synthesis/8x8/Conv1/bias is missing",
     drop_bias,
     {.layout = LAYOUT_TENSORFLOW}},
    {"a missing tensor, rosinality",
     "sg2-tf-64",
     "convs.1.activate.bias is missing",
     drop_bias,
     {.layout = LAYOUT_ROSINALITY}},
    {"a tensor of the wrong shape",
     "sg2-tf-64",
     "convs.1.activate.bias: is [39], should be [40]",
     shorten_bias,
     {.layout = LAYOUT_ROSINALITY}},
    {"a missing mapping layer",
     "sg1-64",
     "mapping/Dense8/weight is missing",
     claim_layer,
     {.layout = LAYOUT_TENSORFLOW}},
    {"a gap in the mapping",
     "sg2-tf-64",
     "style.3.weight is missing",
     drop_mapping_layer,
     {.layout = LAYOUT_ROSINALITY}},
    {"a gap in the convolutions",
     "sg2-tf-64",
     "convs.3.conv.weight is missing",
     drop_convolution,
     {.layout = LAYOUT_ROSINALITY}},
    {"ToRGB of 3 x 3",
     "sg2-tf-64",
     "to_rgbs.0.conv.weight: a kernel of size 3",
     widen_torgb,
     {.layout = LAYOUT_ROSINALITY}},
    {"means of w that differ", "sg2-tf-64", "latent_avg: its rows differ", vary_average, {.layout = LAYOUT_ROSINALITY}},
    {"a convolution's filter that differs",
     "sg2-tf-64",
     "convs.6.conv.blur.kernel: differs",
     NULL,
     {.layout = LAYOUT_ROSINALITY, .odd_filter = 1}},
    {"a ToRGB's filter that differs",
     "sg2-tf-64",
     "to_rgbs.3.upsample.kernel: differs",
     NULL,
     {.layout = LAYOUT_ROSINALITY, .odd_filter = 2}},
    {"filters of another gain",
     "sg2-tf-64",
     "convs.0.conv.blur.kernel: its taps sum to 1, should to 4",
     NULL,
     {.layout = LAYOUT_ROSINALITY, .fir_gain = 1}},
    {"a blur in one direction",
     "sg1-64",
     "blur_filter: a filter of 1 x 3 taps is not supported",
     NULL,
     {.option = "blur_filter", .pickled = "](](K\1K\2K\1ee"}},
    {"a clamp to nothing",
     "sg2-tf-64",
     "option conv_clamp = 0 is not supported",
     NULL,
     {.option = "conv_clamp", .setting = 0}},
    {"a resolution of 48",
     "sg1-64",
     "option resolution = 48 is not supported",
     NULL,
     {.option = "resolution", .setting = 48}},
    {"a layer more, rosinality",
     "sg2-tf-64",
     "convs.2.attn.query.weight belongs to no layer known here",
     NULL,
     {.layout = LAYOUT_ROSINALITY, .extra = "convs.2.attn.query.weight"}},
    {"a layer more, genforce 1",
     "sg1-64",
     "synthesis.layer3.attention.weight belongs to no layer known here",
     NULL,
     {.layout = LAYOUT_GENFORCE, .extra = "synthesis.layer3.attention.weight"}},
    {"an image more, genforce 2",
     "sg2-ada-resnet-32",
     "synthesis.output1.bias belongs to no layer known here",
     NULL,
     {.layout = LAYOUT_GENFORCE, .extra = "synthesis.output1.bias"}},
    {"a part outside its storage",
     "sg2-tf-64",
     "storage 0: a part of it lies outside",
     NULL,
     {.layout = LAYOUT_ROSINALITY, .shared = true, .legacy = true, .parts = 2}},
    {"2^20 repetitions",
     "sg2-tf-64",
     "latent_avg: the array is larger than its data",
     NULL,
     {.layout = LAYOUT_ROSINALITY, .average_rows = 1 << 20, .repeated_rows = true}},
    {"a constant of 4096 x 2",
     "sg2-rect-64",
     "input.input: images of 32 x 65536 pixels are not supported",
     stretch_constant,
     {.layout = LAYOUT_ROSINALITY}},
};

static void test_mistakes(void) {
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        conversion original, again;
        convert_golden(&original, mistakes[i].golden, "pkl");
        if (mistakes[i].change) mistakes[i].change(&original.n.w);
        buffer file = make_checkpoint(&original.n.w, mistakes[i].style);
        convert_bytes(&again, file.bytes, file.size);
        test_check(strstr(again.r.error, mistakes[i].message) != NULL, "%s: %s", mistakes[i].name, again.r.error);
        conversion_end(&again);
        conversion_end(&original);
        free(file.bytes);
    }
}

static const struct {
    const char *pickle, *message;
} strangers[] = {
    {"}(S'alpha'\nNS'beta'\nNu.", "no generator found: the file holds a dictionary of 'alpha', 'beta'"},
    {"}(S'a'\nNS'b'\nNS'c'\nNS'd'\nNS'e'\nNu.", "a dictionary of 'a', 'b', 'c', 'd', ..."},
    {"}.", "the file holds a dictionary"},
    {"}(S'mapping.w_avg'\nNS'synthesis.b4.const'\nNu.", "a state dict of StyleGAN 2-ADA or 3 lacks"},
    {"}(S'state_dict'\n}(S'decoder.synthesis.input.freqs'\nNuu.", "a state dict of StyleGAN 2-ADA or 3 lacks"},
};

/* Files without a generator say what they hold. */
static void test_strangers(void) {
    for (size_t i = 0; i < sizeof strangers / sizeof *strangers; i++) {
        conversion c;
        convert_bytes(&c, (const unsigned char *)strangers[i].pickle, strlen(strangers[i].pickle));
        test_check(strstr(c.r.error, strangers[i].message) != NULL, "no generator: %s", c.r.error);
        conversion_end(&c);
    }
}

/* An averaged generator that is asked for must be there. */
static void test_choice(void) {
    conversion original, again;
    convert_golden(&original, "sg2-tf-64", "pkl");
    buffer file = make_checkpoint(&original.n.w, (checkpoint_style){.layout = LAYOUT_ROSINALITY, .training = true});
    convert_choice(&again, file.bytes, file.size, GENERATOR_AVERAGED);
    test_check(strstr(again.r.error, "no averaged generator") != NULL, "--which G_ema: %s", again.r.error);
    conversion_end(&again);
    conversion_end(&original);
    free(file.bytes);
}

/* Reference files with some bytes changed. */
#define FIR_ROW "\0\0\x80\x3c\0\0\x40\x3d\0\0\x40\x3d\0\0\x80\x3c" /* 1, 3, 3, 1 of 64 */

static const struct {
    const char *name, *golden, *find, *replacement, *message;
    size_t size;
    int accepted, refused; /* of the places where `find` is found */
} patches[] = {
    /* that of b4 and those of the five conv1 are of no use */
    {"2-ADA, a filter that differs", "sg2-ada-64", FIR_ROW "\0\0\x40\x3d",
     "\0\0\x40\x3d\0\0\x80\x3c\0\0\x80\x3c\0\0\x40\x3d\0\0\x40\x3d", "resample_filter: differs", 20, 6, 8},
    {"2-ADA, another gain", "sg2-ada-64", "\xcd\x3b\x7f\x66\x9e\xa0\xf6\x3f", "\0\0\0\0\0\0\xf0\x3f",
     "act_gain = 1 is not supported: should be 1.41421", 8, 0, 1}, /* all layers share the number */
    {"2-ADA, a clamp to nothing", "sg2-ada-cond-32-clamp", "conv_clamp\x94M\0\1", "conv_clamp\x94M\0\0",
     "conv1.conv_clamp = 0 is not supported", 14, 0, 1},
    {"2-ADA, a buffer of unknown use", "sg2-ada-64", "resample_filter", "resample_magnet",
     "resample_magnet belongs to no layer known here", 15, 0, 1},
    {"2-ADA, a clamp that differs", "sg2-ada-cond-32-clamp", "conv_clamp\x94M\0\1", "conv_clamp\x94M\0\2",
     "conv_clamp = 256 differs from that of the first layer", 14, 0, 1},
    {"2-ADA, an up-sampling that differs", "sg2-ada-64", "\x8c\2up\x94K\1", "\x8c\2up\x94K\2",
     "conv1.up = 2 is not supported: should be 1", 7, 0, 1},
    {"StyleGAN 3, a clamp to nothing", "sg3-t-64", "conv_clamp\x94M\0\1", "conv_clamp\x94M\0\0",
     "conv_clamp = 0 is not supported", 14, 0, 1},
    {"StyleGAN 3, another padding", "sg3-t-64", "K\x09K\x08K\x09K\x08", "K\x09K\x08K\x09K\x0a",
     "its sizes, padding and filters do not fit each other", 8, 0, 11},
    {"StyleGAN 3, a factor too large", "sg3-t-64", "up_factor\x94K\2", "up_factor\x94K\x11",
     "up_factor = 17 is not supported", 12, 0, 1},
    {"StyleGAN 3, an image in the middle", "sg3-t-64", "is_torgb\x94\x89", "is_torgb\x94\x88",
     "is_torgb = 1 is not supported: should be 0", 10, 0, 1},
    {"StyleGAN 3, a tuple for a number", "sg3-t-64", "num_ws\x94K\x10", "num_ws\x94(t",
     "attribute synthesis.num_ws is a list, should be a number", 9, 0, 1},
    {"StyleGAN 3, too many styles", "sg3-t-64", "num_ws\x94K\x10", "num_ws\x94K\x11", "num_ws = 17 is not supported", 9,
     0, 1},
};

static void test_patches(void) {
    for (size_t i = 0; i < sizeof patches / sizeof *patches; i++) {
        char *path = cli_format("tests/golden/%s/model.pkl", patches[i].golden);
        file_view view = file_view_open(path);
        unsigned char *copy = cli_alloc(view.size, 1);
        memcpy(copy, view.data, view.size);
        int accepted = 0, refused = 0;
        for (size_t at = 0; at + patches[i].size <= view.size; at++) {
            if (memcmp(copy + at, patches[i].find, patches[i].size)) continue;
            conversion c;
            memcpy(copy + at, patches[i].replacement, patches[i].size);
            convert_bytes(&c, copy, view.size);
            memcpy(copy + at, patches[i].find, patches[i].size);
            accepted += !c.r.error[0];
            refused += strstr(c.r.error, patches[i].message) != NULL;
            conversion_end(&c);
        }
        test_check(accepted == patches[i].accepted && refused == patches[i].refused,
                   "%s: refused in %d places, accepted in %d", patches[i].name, refused, accepted);
        free(copy);
        file_view_close(&view);
        free(path);
    }
}

/* Truncation as the static options have it. */
static void test_truncation(void) {
    static const struct {
        const char *golden, *option, *pickled;
        double psi;
        int cutoff;
    } cases[] = {
        {"sg1-64", NULL, NULL, 0.7, 8},
        {"sg1-64", "truncation_cutoff", "N", 1, 10},
        {"sg1-64", "truncation_psi", "N", 1, 8},
        {"sg1-64", "truncation_cutoff", "J\xff\xff\xff\xff", 0.7, 0},
        {"sg2-tf-64", "truncation_cutoff", "N", 0.5, 10},
        {"sg2-tf-64", "truncation_cutoff", "K\3", 0.5, 3},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        conversion original, again;
        convert_golden(&original, cases[i].golden, "pkl");
        buffer file =
            make_checkpoint(&original.n.w, (checkpoint_style){.option = cases[i].option, .pickled = cases[i].pickled});
        convert_bytes(&again, file.bytes, file.size);
        const stylegan_config *config = &again.n.w.config;
        test_check(!again.r.error[0] && fabs((double)config->truncation_psi - cases[i].psi) < 1e-6 &&
                       config->truncation_cutoff == cases[i].cutoff,
                   "%s, %s: psi %g in %d layers", cases[i].golden, cases[i].option ? cases[i].option : "as it is",
                   (double)config->truncation_psi, config->truncation_cutoff);
        conversion_end(&again);
        conversion_end(&original);
        free(file.bytes);
    }
}

/* --- Hostile files --- */

/* Refused with one line, or accepted: within time, and memory as the reader's limit has it. */
static bool survives(const unsigned char *bytes, size_t size, bool must_fail, char *message, size_t message_size) {
    conversion c;
    const clock_t start = clock(); /* its own time, whatever else the machine does */
    convert_bytes(&c, bytes, size);
    const bool fast = (double)(clock() - start) / CLOCKS_PER_SEC < 10.0, one_line = !strchr(c.r.error, '\n');
    snprintf(message, message_size, "%s", c.r.error);
    const bool failed = c.r.error[0] != 0;
    conversion_end(&c);
    return fast && one_line && (failed || !must_fail);
}

/* A zip archive whose members begin at `offset`, `offset` + `step`, ... */
static buffer broken_zip(uint64_t offset, uint64_t step) {
    conversion c;
    convert_golden(&c, "sg2-tf-64", "pkl");
    buffer b = make_checkpoint(&c.n.w, (checkpoint_style){.layout = LAYOUT_ROSINALITY});
    for (size_t i = 0; i + 46 <= b.size; i++) {
        if (memcmp(b.bytes + i, "PK\1\2", 4)) continue;
        for (int k = 0; k < 4; k++) b.bytes[i + 42 + (size_t)k] = (unsigned char)(offset >> 8 * k);
        offset += step;
    }
    conversion_end(&c);
    return b;
}

static buffer overlapping_zip(void) {
    return broken_zip(0, 0);
}

static buffer zip_beyond_end(void) {
    return broken_zip(0xf0000000u, 1 << 20);
}

static const struct {
    const char *name;
    buffer (*make)(void);
} hostile[] = {
    {"a call of os.system", system_call},
    {"a length of 2^60", long_bytes},
    {"lists 10^6 deep", deep_lists},
    {"tuples 10^6 deep", deep_tuples},
    {"10^6 marks", deep_marks},
    {"a list in itself", list_in_itself},
    {"a module in itself", module_in_itself},
    {"lists doubling 60 times", doubling},
    {"a huge memo index", huge_memo_index},
    {"an array of 2^120 elements", huge_array},
    {"overlapping zip members", overlapping_zip},
    {"a zip member beyond the end", zip_beyond_end},
};

static void test_hostile(void) {
    for (size_t i = 0; i < sizeof hostile / sizeof *hostile; i++) {
        char message[256];
        buffer b = hostile[i].make();
        test_check(survives(b.bytes, b.size, true, message, sizeof message), "%s: %s", hostile[i].name, message);
        free(b.bytes);
    }
    test_check(access("stylegan-was-here", F_OK) != 0, "nothing in a checkpoint is executed");
}

static const struct {
    const char *name, *extension;
} damaged[] = {{"sg1-cond-32", "pkl"}, {"sg2-tf-64", "pkl"}, {"sg2-ada-resnet-32", "pkl"}, {"sg2-rosinality-64", "pt"},
               {"sg2-rect-64", "pkl"}, {"sg3-t-64", "pkl"},  {"sg3-r-64", "pkl"}};

/* Cut off at 200 places, and with 1 to 4 bits flipped 200 times; each a copy of exactly that size. */
static void test_damaged(const char *name, const char *extension) {
    enum { TRIALS = 200 };
    char *path = cli_format("tests/golden/%s/model.%s", name, extension), message[256] = "";
    const file_view view = file_view_open(path);
    uint32_t random = 12345;
    int cut = 0, flipped = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        const size_t size = view.size * (size_t)trial / TRIALS;
        unsigned char *copy = cli_alloc(view.size, 1);
        memcpy(copy, view.data, view.size);
        for (int bits = 0; bits <= trial % 4; bits++) {
            random = random * 1664525u + 1013904223u;
            copy[(random >> 3) % view.size] ^= (unsigned char)(1u << (random & 7));
        }
        flipped += survives(copy, view.size, false, message, sizeof message);
        copy = cli_realloc(copy, size + 1, 1);
        memcpy(copy, view.data, size);
        cut += survives(copy, size, true, message, sizeof message);
        free(copy);
    }
    test_check(cut == TRIALS, "%s cut off: refused %d of %d times", name, cut, TRIALS);
    test_check(flipped == TRIALS, "%s with flipped bits: survived %d of %d times", name, flipped, TRIALS);
    file_view_close(&((file_view){view.data, view.size, view.mapped}));
    free(path);
}

/* --- The command --- */

static size_t file_size(const char *path) {
    FILE *file = fopen(path, "rb");
    if (!file) return 0;
    fseek(file, 0, SEEK_END);
    const long size = ftell(file);
    fclose(file);
    return size > 0 ? (size_t)size : 0;
}

static void write_file(const char *path, const buffer *b) {
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(b->bytes, 1, b->size, file) != b->size || fclose(file)) cli_fail("%s: cannot write", path);
}

static int run_tool(const char *tool, const char *in, const char *out, const char *log) {
    char *command = cli_format("'%s' convert '%s' '%s' --dtype f32 2> '%s' > /dev/null", tool, in, out, log);
    const int status = system(command);
    free(command);
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

static void test_refusal(const char *tool, const char *work, const buffer *b, const char *message) {
    char *in = cli_format("%s/hostile.pkl", work), *out = cli_format("%s/hostile.sgw", work),
         *log = cli_format("%s/hostile.log", work);
    write_file(in, b);
    const int status = run_tool(tool, in, out, log);
    const file_view text = file_view_open(log);
    char *copy = cli_format("%.*s", (int)text.size, (const char *)text.data), *end = strchr(copy, '\n');
    test_check(status == CLI_EXIT_FAILED && access(out, F_OK) && end && !end[1] && strstr(copy, message),
               "refusal: exit status %d, one line, no output: %.*s", status, (int)strcspn(copy, "\n"), copy);
    file_view_close(&(file_view){text.data, text.size, text.mapped});
    free(copy);
    free(in);
    free(out);
    free(log);
}

static void test_refusals(const char *tool, const char *work) {
    conversion c;
    convert_golden(&c, "sg2-tf-64", "pkl");
    spoil_weight(&c.n.w);
    buffer page = {0}, pointer = {0};
    put_string(&page, "<!DOCTYPE html><html>");
    put_string(&pointer, "version https://git-lfs.github.com/spec/v1\noid sha256:1\nsize 3\n");
    buffer call = system_call(), spoiled = make_checkpoint(&c.n.w, (checkpoint_style){.layout = LAYOUT_ROSINALITY});
    test_refusal(tool, work, &page, "this is a web page");
    test_refusal(tool, work, &pointer, "this is a pointer of git-lfs");
    test_refusal(tool, work, &call, "os.system");
    test_refusal(tool, work, &spoiled, "b8.conv1.weight holds a value that is not a finite number");
    conversion_end(&c);
    free(page.bytes);
    free(pointer.bytes);
    free(call.bytes);
    free(spoiled.bytes);
}

static const struct {
    const char *golden;
    checkpoint_style style;
} estimates[] = {
    {"sg2-tf-64", {.layout = LAYOUT_ROSINALITY, .without_average = true, .without_noise = true}},
    {"sg1-cond-32", {.layout = LAYOUT_TENSORFLOW, .without_average = true}},
};

/* Without latent_avg the mean of w is estimated: near that of an independent sample of all classes. */
static void test_estimate(const char *tool, const char *work, const char *golden, checkpoint_style style) {
    enum { SAMPLES = 4000 };
    char *in = cli_format("%s/no-average.pt", work), *out = cli_format("%s/no-average.sgw", work),
         *log = cli_format("%s/no-average.log", work);
    conversion c;
    convert_golden(&c, golden, "pkl");
    buffer b = make_checkpoint(&c.n.w, style);
    write_file(in, &b);
    const int status = run_tool(tool, in, out, log);
    stylegan_model *model = status ? NULL : stylegan_open_file(out, NULL, NULL);
    if (test_check(model != NULL, "%s without its mean of w converts and opens", golden)) {
        const stylegan_config *config = stylegan_describe(model);
        const size_t w_dim = (size_t)config->w_dim, num_ws = (size_t)config->num_ws;
        const size_t c_dim = (size_t)config->c_dim;
        float *z = test_normal(777, SAMPLES * (size_t)config->z_dim), *labels = NULL,
              *ws = cli_alloc(SAMPLES * w_dim * num_ws, sizeof *ws);
        float *mean = cli_alloc(w_dim, sizeof *mean), *average = cli_alloc(w_dim * num_ws, sizeof *average);
        if (c_dim) labels = cli_alloc(SAMPLES * c_dim, sizeof *labels);
        for (size_t i = 0; i < SAMPLES * c_dim; i++) labels[i] = i % c_dim == i / c_dim % c_dim;
        stylegan_map(model, z, labels, SAMPLES, 1.0f, config->num_ws, ws, NULL, NULL);
        stylegan_map(model, z, labels, 1, 0.0f, config->num_ws, average, NULL, NULL); /* psi 0: w_avg */
        double worst = 0.0, largest = 0.0;
        for (size_t i = 0; i < w_dim; i++) {
            double sum = 0.0, squares = 0.0;
            for (size_t s = 0; s < SAMPLES; s++) {
                const double x = ws[s * num_ws * w_dim + i];
                sum += x;
                squares += x * x;
            }
            mean[i] = (float)(sum / SAMPLES);
            const double deviation = sqrt(squares / SAMPLES - (double)mean[i] * mean[i]);
            worst = fmax(worst, fabs((double)mean[i] - average[i]));
            largest = fmax(largest, deviation);
        }
        test_check(worst < 0.1 * largest, "estimated mean of w: off by %.3f of a standard deviation", worst / largest);
        size_t length;
        const char *text = stylegan_text(model, &length);
        char *copy = cli_format("%.*s", (int)length, text);
        test_check(strstr(copy, "estimated") && !style.without_noise == !strstr(copy, "seed"),
                   "what was made up is told in the weight file");
        free(copy);
        free(z);
        free(labels);
        free(ws);
        free(mean);
        free(average);
    }
    stylegan_close(model);
    conversion_end(&c);
    free(b.bytes);
    free(in);
    free(out);
    free(log);
}

/* A million parameters and more: bytes a parameter. */
static void test_sizes(const char *work) {
    static const struct {
        const char *name;
        stylegan_type type;
        double bar;
    } sizes[] = {{"f16", STYLEGAN_F16, 2.03}, {"i8", STYLEGAN_I8, 1.06}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *path = cli_format("%s/size.sgw", work);
        weights w;
        random_network_named("sg2-64", &w);
        weights_save(&w, path, sizes[i].type);
        const double each = (double)file_size(path) / (double)weights_parameters(&w);
        test_check(each <= sizes[i].bar, "%s takes %.3f bytes a parameter", sizes[i].name, each);
        random_network_free(&w);
        remove(path);
        free(path);
    }
}

int main(int argc, char **argv) {
    if (argc != 3) cli_fail("usage: test_convert TOOL WORK");
    for (size_t i = 0; i < sizeof layout_cases / sizeof *layout_cases; i++) test_layout(&layout_cases[i], NULL);
    test_layout(&separate_case, separate_filters);
    test_layout(&labels_case, unclamp);
    for (size_t i = 0; i < sizeof lying_cases / sizeof *lying_cases; i++) test_layout(&lying_cases[i], lay_down);
    test_stylegan3();
    test_mistakes();
    test_strangers();
    test_choice();
    test_patches();
    test_truncation();
    test_hostile();
    for (size_t i = 0; i < sizeof damaged / sizeof *damaged; i++) test_damaged(damaged[i].name, damaged[i].extension);
    test_refusals(argv[1], argv[2]);
    for (size_t i = 0; i < sizeof estimates / sizeof *estimates; i++) {
        test_estimate(argv[1], argv[2], estimates[i].golden, estimates[i].style);
    }
    test_sizes(argv[2]);
    return test_end();
}
