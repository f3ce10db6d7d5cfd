/* make_stylegan3.h - writes a StyleGAN 3 as the official code pickles it: modules with attributes, the storage of each tensor
   a torch.save of its own. The converter backwards, like make_checkpoint.h. */
#ifndef MAKE_STYLEGAN3_H
#define MAKE_STYLEGAN3_H

#include "make_checkpoint.h"

/* --- Modules: begin, attributes, then tensors, then children, end --- */

static void module_begin(writer *o, const char *class_name) {
    put_global(o, "torch_utils.persistence", "_reconstruct_persistent_obj");
    put_string(&o->pickle, "(}(");
    put_text(o, "class_name");
    put_text(o, class_name);
    put_text(o, "state");
    put_string(&o->pickle, "}(");
}

static void module_tensors(writer *o) {
    put_text(o, "_parameters");
    put_string(&o->pickle, "}(");
}

static void module_children(writer *o) {
    put_byte(&o->pickle, 'u');
    put_text(o, "_modules");
    put_string(&o->pickle, "}(");
}

static void module_end(writer *o) {
    put_string(&o->pickle, "uuutR");
}

static void put_float(writer *o, double number) {
    uint64_t bits;
    memcpy(&bits, &number, sizeof bits);
    put_byte(&o->pickle, 'G');
    for (int i = 7; i >= 0; i--) put_byte(&o->pickle, (int)(bits >> 8 * i & 0xff));
}

static void put_attribute(writer *o, const char *name, double number) {
    put_text(o, name);
    put_float(o, number);
}

static void put_pair(writer *o, const char *name, int64_t first, int64_t second) {
    put_text(o, name);
    put_numbers(o, (const int64_t[]){first, second}, 2);
}

/* --- Tensors --- */

static const weights_tensor *find_own(const weights *w, const char *prefix, const char *end) {
    char *name = cli_format("%s%s", prefix, end);
    const weights_tensor *found = NULL;
    for (int i = 0; i < w->count; i++)
        if (!strcmp(w->tensors[i].name, name)) found = &w->tensors[i];
    free(name);
    return found;
}

/* The values divided by `gain`; axes NULL: as they are. Nothing if the network has no such tensor. */
static void put_tensor(writer *o, const weights *w, const char *prefix, const char *end, const char *name,
                       const int *axes, double gain) {
    static const int same[] = {0, 1, 2, 3};
    const weights_tensor *t = find_own(w, prefix, end);
    if (!t) return;
    float *values = weights_values(t);
    array a = transposed(values, t->dimensions, t->shape, axes ? axes : same);
    for (int64_t i = 0; i < array_count(&a); i++) a.values[i] = (float)((double)a.values[i] / gain);
    put_text(o, name);
    put_torch(o, &a);
    free(a.values);
    free(values);
}

/* The single numbers of a tensor, or `otherwise`. */
static double number_of(const weights *w, const char *prefix, const char *end, int index, double otherwise) {
    const weights_tensor *t = find_own(w, prefix, end);
    float *values = t ? weights_values(t) : NULL;
    const double number = values ? (double)values[index] : otherwise;
    free(values);
    return number;
}

/* Filters convolve in the source. */
static void put_turned(writer *o, const weights *w, const char *prefix, const char *end, double gain) {
    const weights_tensor *t = find_own(w, prefix, end);
    put_text(o, end + 1);
    if (!t) {
        put_byte(&o->pickle, 'N');
        return;
    }
    float *values = weights_values(t);
    array a = {.dimensions = t->dimensions};
    for (int d = 0; d < t->dimensions; d++) a.shape[d] = t->shape[d];
    const int64_t count = array_count(&a);
    a.values = cli_alloc((size_t)count, sizeof *a.values);
    for (int64_t i = 0; i < count; i++) a.values[i] = (float)((double)values[count - 1 - i] / gain);
    put_torch(o, &a);
    free(a.values);
    free(values);
}

static void put_dense(writer *o, const weights *w, const char *name, const char *own) {
    static const int swapped[] = {1, 0};
    const double gain = 1 / sqrt((double)find_own(w, own, ".weight")->shape[0]);
    put_text(o, name);
    module_begin(o, "FullyConnectedLayer");
    put_attribute(o, "weight_gain", gain);
    put_attribute(o, "bias_gain", 1);
    put_text(o, "activation");
    put_text(o, strstr(own, ".fc") ? "lrelu" : "linear");
    module_tensors(o);
    put_tensor(o, w, own, ".weight", "weight", swapped, gain);
    put_tensor(o, w, own, ".bias", "bias", NULL, 1);
    module_children(o);
    module_end(o);
}

/* --- The network --- */

static void put_mapping(writer *o, const weights *w) {
    put_text(o, "mapping");
    module_begin(o, "MappingNetwork");
    put_attribute(o, "z_dim", w->config.z_dim);
    put_attribute(o, "c_dim", w->config.c_dim);
    put_attribute(o, "w_dim", w->config.w_dim);
    put_attribute(o, "num_layers", w->config.mapping_layers);
    module_tensors(o);
    put_tensor(o, w, "w_avg", "", "w_avg", NULL, 1);
    module_children(o);
    if (w->config.c_dim) put_dense(o, w, "embed", "mapping.embed");
    for (int i = 0; i < w->config.mapping_layers; i++) {
        char *name = cli_format("fc%d", i), *own = cli_format("mapping.%s", name);
        put_dense(o, w, name, own);
        free(name);
        free(own);
    }
    module_end(o);
}

static void put_input(writer *o, const weights *w) {
    static const int oihw[] = {3, 2, 0, 1};
    const weights_tensor *freqs = find_own(w, "input.freqs", "");
    const array identity = {2, {3, 3}, (float[]){1, 0, 0, 0, 1, 0, 0, 0, 1}};
    put_text(o, "input");
    module_begin(o, "SynthesisInput");
    put_pair(o, "size", (int64_t)number_of(w, "input", ".grid", 1, 0), (int64_t)number_of(w, "input", ".grid", 0, 0));
    put_attribute(o, "sampling_rate", number_of(w, "input", ".grid", 2, 0));
    put_attribute(o, "bandwidth", number_of(w, "input", ".grid", 3, 0));
    module_tensors(o);
    put_tensor(o, w, "input", ".freqs", "freqs", NULL, 1);
    put_tensor(o, w, "input", ".phases", "phases", NULL, 1);
    put_text(o, "transform");
    put_torch(o, &identity);
    put_tensor(o, w, "input", ".transform", "transform", NULL, 1);
    put_tensor(o, w, "input", ".weight", "weight", oihw, 1 / sqrt((double)freqs->shape[0]));
    module_children(o);
    put_dense(o, w, "affine", "input.affine");
    module_end(o);
}

static void put_layer(writer *o, const weights *w, int index) {
    static const int oihw[] = {3, 2, 0, 1};
    static const char *const factors[] = {"up_factor", "down_factor"};
    const int is_torgb = index == w->config.blocks - 1;
    char *own = cli_format("L%d", index), *name = cli_format("L%d_any", index), *affine = cli_format("%s.affine", own);
    const weights_tensor *weight = find_own(w, own, ".weight");
    const double gain = is_torgb ? 2 : number_of(w, own, ".gain", 0, 1);
    int64_t g[10];
    for (int i = 0; i < 10; i++) g[i] = (int64_t)number_of(w, own, ".geometry", i, 0);
    put_text(o, name);
    module_begin(o, "SynthesisLayer");
    put_attribute(o, "is_torgb", is_torgb);
    put_attribute(o, "conv_kernel", weight->shape[0]);
    if (w->config.conv_clamp > 0) put_attribute(o, "conv_clamp", (double)w->config.conv_clamp);
    put_pair(o, "in_size", g[1], g[0]);
    put_pair(o, "out_size", g[3], g[2]);
    for (int i = 0; i < 2; i++) put_attribute(o, factors[i], (double)g[4 + i]);
    put_text(o, "padding");
    put_numbers(o, g + 6, 4);
    module_tensors(o);
    put_tensor(o, w, own, ".weight", "weight", oihw, is_torgb ? gain / sqrt((double)weight->shape[2]) : 1);
    put_tensor(o, w, own, ".bias", "bias", NULL, 1);
    put_turned(o, w, own, ".up_filter", (double)g[4]);
    put_turned(o, w, own, ".down_filter", 1);
    put_text(o, "magnitude_ema");
    put_torch(o, &(array){0, {0}, &(float){(float)(1 / (gain * gain))}});
    module_children(o);
    put_dense(o, w, "affine", affine);
    module_end(o);
    free(affine);
    free(name);
    free(own);
}

static void put_synthesis(writer *o, const weights *w) {
    char *last = cli_format("L%d", w->config.blocks - 1);
    put_text(o, "synthesis");
    module_begin(o, "SynthesisNetwork");
    put_attribute(o, "num_ws", w->config.num_ws);
    put_attribute(o, "output_scale", number_of(w, last, ".gain", 0, 1));
    put_text(o, "layer_names");
    put_string(&o->pickle, "](");
    for (int i = 0; i < w->config.blocks; i++) {
        char *name = cli_format("L%d_any", i);
        put_text(o, name);
        free(name);
    }
    put_byte(&o->pickle, 'e');
    module_tensors(o);
    module_children(o);
    put_input(o, w);
    for (int i = 0; i < w->config.blocks; i++) put_layer(o, w, i);
    module_end(o);
    free(last);
}

/* The caller frees the bytes. */
static buffer make_stylegan3(const weights *w) {
    writer o = {.style = {.own_streams = true}};
    put_string(&o.pickle, "\x80\3}(");
    put_text(&o, "G_ema");
    module_begin(&o, "Generator");
    module_tensors(&o);
    module_children(&o);
    put_mapping(&o, w);
    put_synthesis(&o, w);
    module_end(&o);
    put_string(&o.pickle, "u.");
    for (int i = 0; i < o.storage_count; i++) free(o.storages[i].bytes);
    free(o.storages);
    return o.pickle;
}

#endif
