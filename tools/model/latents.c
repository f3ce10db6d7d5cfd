/* latents.c - from seeds, z or ws, as a command's flags give them, to the ws of each image. */
#include "latents.h"
#include "../base/npz.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { WIDEST_PSI = 100 }; /* beyond it images are noise */

/* --- Mapping --- */

static void one_hot(npy *labels, const char *class_index, int classes) {
    *labels = (npy){.dimensions = 2, .shape = {1, classes}, .count = (size_t)classes};
    labels->values = cli_alloc(labels->count, sizeof *labels->values);
    for (int i = 0; i < classes; i++) labels->values[i] = 0;
    labels->values[cli_integer("--class", class_index, 0, classes - 1)] = 1;
}

static void read_labels(npy *labels, const mapping_flags *flags, int classes) {
    if (flags->class_index && flags->labels) cli_usage("--class and --labels exclude each other");
    const char *given = flags->class_index ? "--class" : flags->labels ? "--labels" : NULL;
    if (classes == 0 && given) cli_note("%s is ignored: the network is unconditional", given);
    if (classes == 0) return;
    if (!given) cli_usage("the network is conditional: give a class with --class (0 to %d) or --labels", classes - 1);
    if (flags->class_index) {
        one_hot(labels, flags->class_index, classes);
    } else {
        npz_read(flags->labels, labels);
        npy_expect(labels, flags->labels, "labels", 2, (const int64_t[]){-1, classes});
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
    read_labels(&m->labels, flags, config->c_dim);
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

void mapping_end(mapping *m) {
    free(m->labels.values);
    free(m->one_hot);
    free(m->z);
}

/* --- Sources --- */

enum { MOST_IMAGES = 100000000 };

static void read_array(npy *array, const char *path, const char *what, int dimensions, const int64_t *shape,
                       int *count) {
    npz_read(path, array);
    npy_expect(array, path, what, dimensions, shape);
    if (array->shape[0] < 1 || array->shape[0] > MOST_IMAGES) cli_fail("%s: holds no latents", path);
    *count = (int)array->shape[0];
}

static void refuse_mapping_flags(const mapping_flags *flags) {
    const char *given = flags->psi           ? "--trunc"
                        : flags->cutoff      ? "--trunc-cutoff"
                        : flags->class_index ? "--class"
                        : flags->labels      ? "--labels"
                                             : NULL;
    if (given) cli_usage("%s has no effect on --ws, which is past the mapping", given);
}

void latents_start(latents *l, const opened_model *opened, const latent_flags *flags) {
    const stylegan_config *config = opened->config;
    *l = (latents){.psi_count = 1};
    if (!flags->seeds + !flags->z + !flags->ws != 2) cli_usage("give one of --seeds, --latents and --ws");
    if (flags->ws) {
        refuse_mapping_flags(&flags->mapping);
        read_array(&l->ws, flags->ws, "ws", 3, (const int64_t[]){-1, config->num_ws, config->w_dim}, &l->count);
        return;
    }
    if (flags->seeds) l->seeds = cli_list("--seeds", flags->seeds, MOST_IMAGES, &l->count);
    if (flags->z) read_array(&l->z, flags->z, "z", 2, (const int64_t[]){-1, config->z_dim}, &l->count);
    mapping_flags one = flags->mapping;
    if (one.psi && strchr(one.psi, ',')) {
        l->psis = cli_numbers("--trunc", one.psi, -WIDEST_PSI, WIDEST_PSI, &l->psi_count);
        one.psi = NULL;
    }
    mapping_start(&l->mapping, opened, &one);
    const npy *labels = &l->mapping.labels;
    if (labels->values && labels->shape[0] != 1 && labels->shape[0] != l->count)
        cli_fail("%s: has %lld labels for %d images", flags->mapping.labels, (long long)labels->shape[0], l->count);
    if (l->count > MOST_IMAGES / l->psi_count) cli_usage("more than %d images", MOST_IMAGES);
    l->count *= l->psi_count;
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
}

char *latents_name(const latents *l, int number, const char *end) {
    const int index = number / l->psi_count;
    char *psi = l->psis ? cli_format("-psi%g", l->psis[number % l->psi_count]) : cli_format("%s", "");
    char *name =
        l->seeds ? cli_format("seed%04u%s%s", l->seeds[index], psi, end) : cli_format("img%04d%s%s", index, psi, end);
    free(psi);
    return name;
}

void latents_end(latents *l) {
    free(l->psis);
    free(l->seeds);
    free(l->z.values);
    free(l->ws.values);
    mapping_end(&l->mapping);
}
