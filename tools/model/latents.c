/* latents.c - from seeds, z or ws, as a command's flags give them, to the ws of each image. */
#include "latents.h"
#include "../base/notes.h"
#include "../base/npz.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_IMAGES = 100000000 };

/* --- Mapping --- */

/* The number of a class that the network's text names, "0 cats, 1 dogs"; -1 if it does not. */
static int class_named(const opened_model *opened, const char *name) {
    char *text = model_text(opened->model, "classes");
    int found = -1, number, length;
    for (const char *at = text; at && sscanf(at, "%d %n", &number, &length) == 1;) {
        at += length;
        const char *comma = strstr(at, ", ");
        const size_t size = comma ? (size_t)(comma - at) : strlen(at);
        if (strlen(name) == size && strncmp(at, name, size) == 0) found = number;
        at = comma ? comma + 2 : NULL;
    }
    free(text);
    return found;
}

static int class_given(const opened_model *opened, const char *text) {
    const int named = class_named(opened, text), most = opened->config->c_dim - 1;
    return named >= 0 && named <= most ? named : (int)cli_integer("--class", text, 0, most);
}

static void one_hot(npy *labels, int class_index, int classes) {
    *labels = (npy){.dimensions = 2, .shape = {1, classes}, .count = (size_t)classes};
    labels->values = cli_alloc(labels->count, sizeof *labels->values);
    for (int i = 0; i < classes; i++) labels->values[i] = 0;
    labels->values[class_index] = 1;
}

/* An array of numbers, a row of each image: `name` is what such a file holds, `rows` what its rows are. */
static void read_array(npy *array, const char *path, const char *name, const char *rows, int dimensions,
                       const int64_t *shape) {
    npz_read(path, array);
    npy_expect(array, path, name, dimensions, shape);
    npy_expect_finite(array, path);
    if (array->shape[0] < 1) cli_fail("%s: holds no %s", path, rows);
    if (array->shape[0] > MOST_IMAGES) cli_fail("%s: holds more than %d %s", path, MOST_IMAGES, rows);
}

static void read_labels(npy *labels, const mapping_flags *flags, const opened_model *opened) {
    const int classes = opened->config->c_dim;
    int count;
    if (flags->class_index && flags->labels) cli_usage("--class and --labels exclude each other");
    const char *given = flags->class_index ? "--class" : flags->labels ? "--labels" : NULL;
    if (classes == 0 && given) cli_note("%s is ignored: the network is unconditional", given);
    if (classes == 0) return;
    if (flags->class_number) {
        one_hot(labels, (int)cli_integer("Class", flags->class_number, 0, classes - 1), classes);
        return;
    }
    if (flags->label) {
        double *values = cli_numbers("Label", flags->label, -1e30, 1e30, &count);
        if (count != classes) cli_fail("Label %s: the network takes %d values", flags->label, classes);
        *labels = (npy){.dimensions = 2, .shape = {1, classes}, .count = (size_t)classes};
        labels->values = cli_alloc(labels->count, sizeof *labels->values);
        for (int i = 0; i < classes; i++) labels->values[i] = (float)values[i];
        free(values);
        return;
    }
    if (!given && flags->each_class) return;
    if (!given) cli_usage("the network is conditional: give a class with --class (0 to %d) or --labels", classes - 1);
    if (flags->class_index) {
        one_hot(labels, class_given(opened, flags->class_index), classes);
    } else {
        read_array(labels, flags->labels, "labels", "labels", 2, (const int64_t[]){-1, classes});
    }
}

void mapping_start_all(mapping *m, const opened_model *opened) {
    const stylegan_config *config = opened->config;
    *m = (mapping){.opened = opened, .psi = 1, .cutoff = config->num_ws};
    m->z = cli_alloc((size_t)config->z_dim, sizeof *m->z);
    m->one_hot = cli_alloc((size_t)config->c_dim, sizeof *m->one_hot);
}

void mapping_start(mapping *m, const opened_model *opened, const mapping_flags *flags) {
    const stylegan_config *config = opened->config;
    mapping_start_all(m, opened);
    m->psi = config->truncation_psi;
    m->cutoff = config->truncation_cutoff;
    if (flags->psi) m->psi = (float)cli_number("--trunc", flags->psi, -WIDEST_PSI, WIDEST_PSI);
    if (flags->cutoff) m->cutoff = (int)cli_integer("--trunc-cutoff", flags->cutoff, 0, INT_MAX);
    read_labels(&m->labels, flags, opened);
}

static const float *label_of(const mapping *m, int image) {
    const int classes = m->opened->config->c_dim;
    if (m->labels.values) return m->labels.values + image % m->labels.shape[0] * classes;
    for (int k = 0; k < classes; k++) m->one_hot[k] = k == image % classes;
    return m->one_hot;
}

void mapping_z(const mapping *m, int image, const float *z, float *ws) {
    stylegan_error error;
    if (stylegan_map(m->opened->model, z, label_of(m, image), 1, m->psi, m->cutoff, ws, NULL, &error))
        cli_fail("%s", error.message);
}

void mapping_seed(const mapping *m, int image, uint32_t seed, float *ws) {
    stylegan_seed_z(seed, m->z, m->opened->config->z_dim);
    mapping_z(m, image, m->z, ws);
}

/* A part of mapping_w: labels [count][K] and ws [count][L][D] are in memory at once. */
static void map_part(const mapping *m, int image, const uint32_t *seeds, int count, float *w) {
    const stylegan_config *config = m->opened->config;
    const size_t z_dim = (size_t)config->z_dim, w_dim = (size_t)config->w_dim, classes = (size_t)config->c_dim;
    const size_t n = (size_t)count, ws_values = m->opened->ws_values;
    float *z = cli_alloc(n * z_dim, sizeof *z), *labels = cli_alloc(n * classes, sizeof *labels);
    float *ws = cli_alloc(n * ws_values, sizeof *ws);
    stylegan_error error;
    for (size_t i = 0; i < n; i++) {
        stylegan_seed_z(seeds[i], z + i * z_dim, config->z_dim);
        if (classes) memcpy(labels + i * classes, label_of(m, image + (int)i), classes * sizeof *labels);
    }
    if (stylegan_map(m->opened->model, z, classes ? labels : NULL, count, 1, 0, ws, NULL, &error))
        cli_fail("%s", error.message);
    for (size_t i = 0; i < n; i++) memcpy(w + i * w_dim, ws + i * ws_values, w_dim * sizeof *w);
    free(ws);
    free(labels);
    free(z);
}

void mapping_w(const mapping *m, int image, const uint32_t *seeds, int count, float *w) {
    enum { PART = 256 };
    for (int i = 0; i < count; i += PART)
        map_part(m, image + i, seeds + i, count - i < PART ? count - i : PART,
                 w + (size_t)i * (size_t)m->opened->config->w_dim);
}

/* The class of a one-hot label, -1 of others. */
static int class_of(const float *label, int classes) {
    int class_index = -1;
    for (int k = 0; k < classes; k++) {
        if (label[k] == 0) continue;
        if (label[k] != 1 || class_index >= 0) return -1;
        class_index = k;
    }
    return class_index;
}

static char *label_text(const float *label, int classes) {
    char *text = cli_alloc((size_t)classes, 20), *at = text;
    for (int k = 0; k < classes; k++) at += sprintf(at, k ? ",%.9g" : "%.9g", (double)label[k]);
    return text;
}

/* How many digits tell a number from all others: 0.7 is shorter than 0.699999988. */
static int digits_of(float value) {
    int digits = 1;
    for (char text[32]; digits < 9; digits++) {
        sprintf(text, "%.*g", digits, (double)value);
        if ((float)strtod(text, NULL) == value) break;
    }
    return digits;
}

void mapping_notes(const mapping *m, int image, char **notes) {
    const stylegan_config *config = m->opened->config;
    const int classes = config->c_dim;
    notes_add(notes, "Psi", "%.*g", digits_of(m->psi), (double)m->psi);
    notes_add(notes, "Cutoff", "%d", m->cutoff < config->num_ws ? m->cutoff : config->num_ws);
    if (!classes) return;
    if (image < 0 && (!m->labels.values || m->labels.shape[0] > 1)) {
        notes_add(notes, "Classes", m->labels.values ? "one for each picture" : "each in turn");
        return;
    }
    const float *label = label_of(m, image < 0 ? 0 : image);
    const int class_index = class_of(label, classes);
    char *text = class_index < 0 ? label_text(label, classes) : cli_format("%d", class_index);
    notes_add(notes, class_index < 0 ? "Label" : "Class", "%s", text);
    free(text);
}

void mapping_end(mapping *m) {
    free(m->labels.values);
    free(m->one_hot);
    free(m->z);
}

/* --- Style mixing --- */

layers layers_of(const opened_model *opened, const char *flag, const char *list) {
    const int count = opened->config->num_ws;
    layers l = {.text = list ? cli_format("%s", list) : cli_format("0-%d", count - 1)};
    l.indices = cli_list(flag, l.text, count, &l.count);
    for (int i = 0; i < l.count; i++)
        if (l.indices[i] >= (uint32_t)count) cli_usage("%s %s: the network has layers 0 to %d", flag, list, count - 1);
    return l;
}

layers layers_parse(const opened_model *opened, const char *list) {
    enum { MIXED = 7 };
    return layers_of(opened, "--styles", list || opened->config->num_ws < MIXED ? list : "0-6");
}

void layers_free(layers *l) {
    free(l->indices);
    free(l->text);
}

void layers_mix(const opened_model *opened, const layers *l, const float *other, float *ws) {
    for (int i = 0; i < l->count; i++)
        stylegan_mix(opened->model, ws, other, (int)l->indices[i], (int)l->indices[i], ws);
}

/* --- Sources --- */

static void refuse_mapping_flags(const mapping_flags *flags) {
    const char *given = flags->psi           ? "--trunc"
                        : flags->cutoff      ? "--trunc-cutoff"
                        : flags->class_index ? "--class"
                        : flags->labels      ? "--labels"
                                             : NULL;
    if (given) cli_usage("%s has no effect on --ws, which is past the mapping", given);
}

static int compare_seeds(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

int has_repeats(const uint32_t *seeds, int count) {
    uint32_t *sorted = cli_alloc((size_t)count, sizeof *sorted);
    int repeats = 0;
    memcpy(sorted, seeds, (size_t)count * sizeof *sorted);
    qsort(sorted, (size_t)count, sizeof *sorted, compare_seeds);
    for (int i = 1; i < count; i++) repeats |= sorted[i] == sorted[i - 1];
    free(sorted);
    return repeats;
}

static void start_mixing(latents *l, const opened_model *opened, const latent_flags *flags) {
    l->mixed_seed = (uint32_t)cli_integer("Mixed Seed", flags->mixed_seed, 0, UINT32_MAX);
    l->mixed_layers = layers_parse(opened, flags->mixed_layers);
    l->mixed_ws = cli_alloc(opened->ws_values, sizeof *l->mixed_ws);
    mapping_seed(&l->mapping, 0, l->mixed_seed, l->mixed_ws);
}

void latents_start(latents *l, const opened_model *opened, const latent_flags *flags) {
    const stylegan_config *config = opened->config;
    *l = (latents){.psi_count = 1};
    if (!flags->seeds + !flags->z + !flags->ws != 2) cli_usage("give one of --seeds, --latents and --ws");
    l->source = flags->seeds ? flags->seeds : flags->z ? flags->z : flags->ws;
    if (flags->ws) {
        refuse_mapping_flags(&flags->mapping);
        read_array(&l->ws, flags->ws, "ws", "latents", 3, (const int64_t[]){-1, config->num_ws, config->w_dim});
        l->count = (int)l->ws.shape[0];
        return;
    }
    if (flags->seeds) l->seeds = cli_list("--seeds", flags->seeds, MOST_IMAGES, &l->count);
    if (flags->z) {
        read_array(&l->z, flags->z, "z", "latents", 2, (const int64_t[]){-1, config->z_dim});
        l->count = (int)l->z.shape[0];
    }
    mapping_flags one = flags->mapping;
    if (one.psi && strchr(one.psi, ',')) {
        l->psis = cli_numbers("--trunc", one.psi, -WIDEST_PSI, WIDEST_PSI, &l->psi_count);
        l->psi_text = one.psi;
        one.psi = NULL;
    }
    mapping_start(&l->mapping, opened, &one);
    const npy *labels = &l->mapping.labels;
    if (labels->values && labels->shape[0] != 1 && labels->shape[0] != l->count)
        cli_fail("%s: has %lld labels for %d images", flags->mapping.labels, (long long)labels->shape[0], l->count);
    if (l->count > MOST_IMAGES / l->psi_count) cli_usage("more than %d images", MOST_IMAGES);
    if (l->seeds) l->repeats = has_repeats(l->seeds, l->count);
    l->numbered = l->repeats && labels->values && labels->shape[0] > 1;
    l->count *= l->psi_count;
    if (flags->mixed_seed) start_mixing(l, opened, flags);
}

void latents_ws(latents *l, int number, float *ws) {
    const int index = number / l->psi_count;
    if (l->psis) l->mapping.psi = (float)l->psis[number % l->psi_count];
    if (l->ws.values) {
        const size_t size = l->ws.count / (size_t)l->count;
        memcpy(ws, l->ws.values + (size_t)index * size, size * sizeof *ws);
    } else if (l->z.values) {
        mapping_z(&l->mapping, index, l->z.values + index * l->z.shape[1], ws);
    } else {
        mapping_seed(&l->mapping, index, l->seeds[index], ws);
    }
    layers_mix(l->mapping.opened, &l->mixed_layers, l->mixed_ws, ws);
}

char *latents_name(const latents *l, int number, const char *end) {
    const int index = number / l->psi_count;
    char *psi = l->psis ? cli_format("-psi%g", l->psis[number % l->psi_count]) : cli_format("%s", "");
    char *place = l->numbered ? cli_format("-%d", index) : cli_format("%s", "");
    char *name = l->mixed_layers.count ? cli_format("%u-%u%s", l->seeds[index], l->mixed_seed, end)
                 : l->seeds            ? cli_format("seed%04u%s%s%s", l->seeds[index], place, psi, end)
                                       : cli_format("img%04d%s%s", index, psi, end);
    free(place);
    free(psi);
    return name;
}

void latents_notes(const latents *l, int number, char **notes) {
    const int index = number / l->psi_count;
    if (l->seeds)
        notes_add(notes, "Seed", "%u", l->seeds[index]);
    else
        notes_add(notes, "Array", "%s, image %d", cli_file_name(l->source), index);
    mapping how = l->mapping; /* of which the psi is that of the ws made last */
    if (l->psis) how.psi = (float)l->psis[number % l->psi_count];
    if (!l->ws.values) mapping_notes(&how, index, notes);
    if (!l->mixed_layers.count) return;
    notes_add(notes, "Mixed Seed", "%u", l->mixed_seed);
    notes_add(notes, "Mixed Layers", "%s", l->mixed_layers.text);
}

void latents_sheet_notes(const latents *l, char **notes) {
    notes_add(notes, l->seeds ? "Seeds" : "Array", "%s", l->seeds ? l->source : cli_file_name(l->source));
    if (l->psis)
        notes_add(notes, "Psis", "%s", l->psi_text);
    else if (!l->ws.values)
        mapping_notes(&l->mapping, -1, notes);
}

void latents_end(latents *l) {
    layers_free(&l->mixed_layers);
    free(l->mixed_ws);
    free(l->psis);
    free(l->seeds);
    free(l->z.values);
    free(l->ws.values);
    mapping_end(&l->mapping);
}
