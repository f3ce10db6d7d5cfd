/* test_format.c - weight files: every value and field comes back, and the types keep their promises about size and
   accuracy. */
#include "../tools/base/cli.h"
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

int main(void) {
    for (uint64_t seed = 0; seed < 24; seed++) check_round_trip(seed, (stylegan_type)(seed % STYLEGAN_TYPE_COUNT));
    check_accuracy("sg1-8");
    check_accuracy("sg2-8");
    check_accuracy("sg1-64");
    check_accuracy("sg2-64");
    check_accuracy("sg3-t-64");
    check_accuracy("sg3-r-64");
    return test_end();
}
