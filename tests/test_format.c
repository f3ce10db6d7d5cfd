/* test_format.c - weight files: every value and field comes back, and the types keep their promises about size and
   accuracy; and NumPy's arrays of any kind. */
#include "../tools/base/cli.h"
#include "../tools/base/npy.h"
#include "reference.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *type_names[] = {"f32", "f16", "i8"};

/* --- Round trips --- */

/* How far a value may move: the largest of its last-dimension column decides the step of i8. */
static double allowed(stylegan_type type, double value, double column_largest) {
    if (type == STYLEGAN_F32) return 0;
    if (type == STYLEGAN_F16) return fmax(fabs(value) * 0x1p-11, 0x1p-25);
    return column_largest / 127 * 0.5001;
}

static int values_survive(const weights_tensor *written, const stylegan_tensor *t, const double *values, size_t count) {
    float *original = weights_values(written);
    size_t columns = (size_t)t->shape[t->dimensions - 1];
    double *largest = (double *)cli_alloc(columns, sizeof *largest);
    int survive = 1;
    for (size_t i = 0; i < columns; i++) largest[i] = 0;
    for (size_t i = 0; i < count; i++) largest[i % columns] = fmax(largest[i % columns], fabs((double)original[i]));
    for (size_t i = 0; i < count; i++)
        survive &= fabs(values[i] - (double)original[i]) <= allowed(t->type, (double)original[i], largest[i % columns]);
    free(largest);
    free(original);
    return survive;
}

static void check_tensor(uint64_t seed, stylegan_type type, const weights_tensor *written, const stylegan_tensor *t,
                         const reference *r) {
    size_t count = 0;
    const double *values = reference_tensor(r, written->name, &count);
    size_t size = t->type == STYLEGAN_F32   ? 4 * count
                  : t->type == STYLEGAN_F16 ? 2 * count
                                            : count + 4 * (size_t)t->shape[t->dimensions - 1];
    int same_shape = !strcmp(written->name, t->name) && written->dimensions == t->dimensions &&
                     !memcmp(written->shape, t->shape, (size_t)t->dimensions * sizeof *t->shape);
    int sensitive = t->dimensions == 1 || strstr(t->name, "const") || strstr(t->name, "torgb.weight");
    int good = values && same_shape && t->bytes == size && t->type <= type && !(sensitive && t->type == STYLEGAN_I8) &&
               values_survive(written, t, values, count);
    if (!good) test_check(0, "format %d %s: tensor %s", (int)seed, type_names[type], written->name);
}

static void check_round_trip(uint64_t seed, stylegan_type type) {
    weights w;
    test_file file;
    random_network(seed, &w);
    weights_note(&w, "remark", "anything \xC3\xA9 at all");
    file.bytes = weights_to_memory(&w, type, &file.size);
    stylegan_model *model = test_open(&file, STYLEGAN_ISA_AUTO, 1);
    reference *r = reference_open(file.bytes, file.size);
    size_t length;
    const char *text = stylegan_text(model, &length);
    int good = !memcmp(&w.config, stylegan_describe(model), sizeof w.config) &&
               !memcmp(&w.config, reference_config(r), sizeof w.config) && length == strlen(w.text) &&
               !memcmp(text, w.text, length) && stylegan_file_size(model) == file.size &&
               stylegan_tensor_count(model) == w.count && stylegan_parameters(model) == weights_parameters(&w);
    test_check(good, "format %d %s: configuration, text and counts come back", (int)seed, type_names[type]);
    for (int i = 0; i < w.count; i++) {
        stylegan_tensor t;
        if (test_find_tensor(model, w.tensors[i].name, &t))
            check_tensor(seed, type, &w.tensors[i], &t, r);
        else
            test_check(0, "format %d %s: no tensor %s", (int)seed, type_names[type], w.tensors[i].name);
    }
    test_check(stylegan_get_tensor(model, w.count, &(stylegan_tensor){0}) &&
                   stylegan_get_tensor(model, -1, &(stylegan_tensor){0}),
               "format %d %s: tensors outside the directory are refused", (int)seed, type_names[type]);
    reference_close(r);
    stylegan_close(model);
    free(file.bytes);
    random_network_free(&w);
}

/* --- Size and accuracy --- */

/* Size in bytes per parameter and peak signal to noise ratio that a type has to reach. */
typedef struct promise {
    stylegan_type type;
    double most_bytes, least_decibels;
} promise;

static const promise promises[] = {{STYLEGAN_F16, 2.03, 65}, {STYLEGAN_I8, 1.06, 38}};

static double decibels(const float *image, const float *exact, size_t count) {
    double least = INFINITY, most = -INFINITY, squares = 0;
    for (size_t i = 0; i < count; i++) {
        squares += ((double)image[i] - (double)exact[i]) * ((double)image[i] - (double)exact[i]);
        least = fmin(least, (double)exact[i]);
        most = fmax(most, (double)exact[i]);
    }
    return 20 * log10((most - least) / sqrt(squares / (double)count));
}

static void check_accuracy(const char *name) {
    test_file file = test_named_network(name, STYLEGAN_F32);
    stylegan_model *model = test_open(&file, STYLEGAN_ISA_AUTO, 0);
    double parameters = (double)stylegan_parameters(model);
    size_t count = test_image_size(stylegan_describe(model));
    float *ws = test_styles(model, 1, 1), *exact = test_images(model, ws, 1, NULL);
    stylegan_close(model);
    free(file.bytes);
    for (size_t i = 0; i < sizeof promises / sizeof *promises; i++) {
        const promise *p = &promises[i];
        file = test_named_network(name, p->type);
        model = test_open(&file, STYLEGAN_ISA_AUTO, 0);
        float *image = test_images(model, ws, 1, NULL);
        double bytes = (double)file.size / parameters, ratio = decibels(image, exact, count);
        test_check(parameters >= 1e6 && bytes <= p->most_bytes && ratio >= p->least_decibels,
                   "format %s %s: %.2f million parameters, %.4f bytes each, %.1f dB", name, type_names[p->type],
                   parameters / 1e6, bytes, ratio);
        stylegan_close(model);
        free(image);
        free(file.bytes);
    }
    free(ws);
    free(exact);
}

/* --- NumPy's arrays --- */

enum { NPY_START = 10, NPY_HEADER = 118, NPY_VALUES = NPY_START + NPY_HEADER, NPY_MOST = 256 };

/* The head of a file of version 1. */
static void npy_head(unsigned char *file, const char *descr, const char *fortran_order, const char *shape) {
    char *header =
        cli_format("{'descr': '%s', 'fortran_order': %s, 'shape': (%s), }%100s", descr, fortran_order, shape, "");
    memcpy(file, "\x93NUMPY\1\0\x76\0", NPY_START);
    memcpy(file + NPY_START, header, NPY_HEADER);
    free(header);
}

/* One value of each kind, in both orders of bytes. */
static void check_npy_kinds(void) {
    static const struct {
        const char *kind;
        uint64_t bits;
        double value;
    } cases[] = {{"f2", 0x3c00, 1},
                 {"f2", 0xc900, -10},
                 {"f2", 0x7bff, 65504},
                 {"f2", 0x0400, 0x1p-14},
                 {"f2", 0x03ff, 0x1p-14 - 0x1p-24}, /* subnormal */
                 {"f2", 0x0001, 0x1p-24},
                 {"f2", 0x8001, -0x1p-24},
                 {"f2", 0x7c00, (double)INFINITY},
                 {"f2", 0xfc00, -(double)INFINITY},
                 {"f4", 0x3fa00000, 1.25},
                 {"f4", 0x00000001, 0x1p-149},
                 {"f8", 0xbff4000000000000u, -1.25},
                 {"i1", 0x7f, 127},
                 {"i1", 0x80, -128},
                 {"i2", 0x0102, 258},
                 {"i2", 0x8000, -32768},
                 {"i4", 0xfffffffe, -2},
                 {"i8", 0xfffffffffffffffeu, -2},
                 {"i8", 0x8000000000000000u, -0x1p63},
                 {"u1", 0xff, 255},
                 {"u2", 0x0102, 258},
                 {"u4", 0x80000000, 0x1p31},
                 {"u8", 0x8000000000000000u, 0x1p63},
                 {"b1", 1, 1}};
    for (size_t i = 0; i < 2 * sizeof cases / sizeof *cases; i++) {
        const int big = (int)i % 2, bytes = cases[i / 2].kind[1] - '0';
        unsigned char file[NPY_MOST];
        npy array;
        char *descr = cli_format("%c%s", big ? '>' : '<', cases[i / 2].kind);
        npy_head(file, descr, "False", "1,");
        for (int b = 0; b < bytes; b++)
            file[NPY_VALUES + (big ? bytes - 1 - b : b)] = (unsigned char)(cases[i / 2].bits >> 8 * b);
        char *fault = npy_parse(file, (size_t)(NPY_VALUES + bytes), &array);
        const double found = fault ? 0 : (double)array.values[0];
        test_check(!fault && found == cases[i / 2].value, "format npy: %s %llx is %g: %s", descr,
                   (unsigned long long)cases[i / 2].bits, found, fault ? fault : "read");
        free(fault);
        free(array.values);
        free(descr);
    }
}

/* The i-th byte of a file is i: row after row, or column after column. */
static void check_npy_order(const char *fortran_order, int first, int second, int third) {
    enum { COUNT = 2 * 3 * 4 };
    unsigned char file[NPY_MOST];
    npy array;
    int good = 1;
    npy_head(file, "|u1", fortran_order, "2, 3, 4");
    for (int i = 0; i < COUNT; i++) file[NPY_VALUES + i] = (unsigned char)i;
    char *fault = npy_parse(file, NPY_VALUES + COUNT, &array);
    for (int i = 0; !fault && i < COUNT; i++)
        good &= array.values[i] == (float)(i / 12 * first + i / 4 % 3 * second + i % 4 * third);
    test_check(!fault && good && array.dimensions == 3 && array.shape[1] == 3,
               "format npy: [2, 3, 4], fortran_order %s: %s", fortran_order, fault ? fault : "read");
    free(fault);
    free(array.values);
}

int main(void) {
    check_npy_kinds();
    check_npy_order("False", 12, 4, 1);
    check_npy_order("True", 1, 2, 6);
    for (uint64_t seed = 0; seed < 24; seed++) check_round_trip(seed, (stylegan_type)(seed % STYLEGAN_TYPE_COUNT));
    check_accuracy("sg1-8");
    check_accuracy("sg2-8");
    check_accuracy("sg1-64");
    check_accuracy("sg2-64");
    check_accuracy("sg3-t-64");
    check_accuracy("sg3-r-64");
    return test_end();
}
