/* reference.c - examples/reference.c as a library for the tests. */
#include "reference.h"

#define REFERENCE_LIBRARY
#include "../examples/reference.c"

struct reference {
    network network;
    stylegan_config config;
    double transform[9];
};

reference *reference_open(const unsigned char *file, size_t size) {
    reference *r = (reference *)allocate(1, sizeof *r);
    r->network = read_network(file, size);
#define COPY_FIELD(type, name, meaning) r->config.name = r->network.config.name;
    STYLEGAN_CONFIG_FIELDS(COPY_FIELD)
#undef COPY_FIELD
    r->config.resolution = r->config.height > r->config.width ? r->config.height : r->config.width;
    return r;
}

void reference_transform(reference *r, const float transform[9]) {
    for (int i = 0; i < 9; i++) r->transform[i] = (double)transform[i];
    r->network.transform = r->transform;
}

void reference_close(reference *r) {
    free_network(&r->network);
    free(r);
}

const stylegan_config *reference_config(const reference *r) {
    return &r->config;
}

const double *reference_tensor(const reference *r, const char *name, size_t *count) {
    const tensor *t = find(&r->network, name);
    if (t && count) *count = t->count;
    return t ? t->values : NULL;
}

void reference_perturb(reference *r) {
    uint32_t state = 1;
    for (size_t i = 0; i < r->network.tensor_count; i++) {
        const tensor *t = &r->network.tensors[i];
        if (strstr(t->name, ".geometry") || !strcmp(t->name, "input.grid")) continue; /* whole numbers */
        for (size_t k = 0; k < t->count; k++) {
            state = state * 1664525u + 1013904223u;
            t->values[k] *= 1 + 1e-7 * (state / 2147483648.0 - 1);
        }
    }
}

void reference_seed_z(uint32_t seed, double *z, int count) {
    seed_z(seed, z, count);
}

static double *widen(const float *values, int count) {
    double *wide = (double *)allocate((size_t)count, sizeof *wide);
    for (int i = 0; i < count; i++) wide[i] = (double)values[i];
    return wide;
}

void reference_map(const reference *r, const float *z, const float *labels, double psi, int cutoff, double *ws) {
    double *wide_z = widen(z, r->config.z_dim), *wide_labels = labels ? widen(labels, r->config.c_dim) : NULL;
    double *styles = truncate_w(&r->network, map_z(&r->network, wide_z, wide_labels), psi, cutoff);
    memcpy(ws, styles, (size_t)(r->config.num_ws * r->config.w_dim) * sizeof *ws);
    free(styles);
    free(wide_labels);
    free(wide_z);
}

void reference_mix(const reference *r, double *ws, const double *style, int first, int last) {
    mix_styles(&r->network, ws, style, first, last);
}

typedef struct recording {
    reference_volume *volumes;
    int count;
} recording;

static void append(void *user, const char *name, map x) {
    recording *all = (recording *)user;
    all->volumes = (reference_volume *)realloc(all->volumes, (size_t)(all->count + 1) * sizeof *all->volumes);
    if (!all->volumes) fail("out of memory");
    map kept = copy(x);
    reference_volume *volume = &all->volumes[all->count++];
    *volume = (reference_volume){"", kept.channels, kept.height, kept.width, kept.values};
    snprintf(volume->layer, sizeof volume->layer, "%s", name);
}

reference_volume *reference_synthesize(const reference *r, const float *ws, int noise, int *count) {
    recording all = {NULL, 0};
    network n = r->network;
    n.noise = noise;
    n.record = append;
    n.user = &all;
    double *wide = widen(ws, r->config.num_ws * r->config.w_dim);
    map image = synthesize(&n, wide);
    append(&all, "image", image);
    free(image.values);
    free(wide);
    *count = all.count;
    return all.volumes;
}

void reference_free(reference_volume *volumes, int count) {
    for (int i = 0; i < count; i++) free(volumes[i].values);
    free(volumes);
}
