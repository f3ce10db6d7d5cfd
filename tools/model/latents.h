/* latents.h - from seeds, z or ws, as a command's flags give them, to the ws of each image. */
#ifndef LATENTS_H
#define LATENTS_H

#include "model.h"
#include "../base/npy.h"

enum { WIDEST_PSI = 100 }; /* beyond it images are noise */

/* How z becomes ws. */
typedef struct mapping_flags {
    const char *psi, *cutoff, *class_index, *labels;
    /* No flags, told by a picture (like.h): the number of a class, never a name; the values of one label, "0,1,0". */
    const char *class_number, *label;
    int each_class; /* without a class: each in turn */
} mapping_flags;
#define MAPPING_FLAGS(flags)                                                                                          \
    {"--trunc", "PSI", "truncation psi (default: the network's own)", &(flags).psi},                                  \
        {"--truncation-psi", "PSI", "the same as --trunc", &(flags).psi},                                             \
        {"--trunc-cutoff", "N", "truncate the first N layers only (default: the network's own)", &(flags).cutoff}, {  \
        "--class", "K", "class of every image, a number or, where the network knows it, a name", &(flags).class_index \
    }

typedef struct mapping {
    const opened_model *opened;
    float psi;
    int cutoff;
    npy labels;     /* [n, K]: image i takes label i % n; values NULL: each class in turn */
    float *z;       /* [z_dim] */
    float *one_hot; /* [K] */
} mapping;

void mapping_start(mapping *m, const opened_model *opened, const mapping_flags *flags);
void mapping_start_all(mapping *m, const opened_model *opened);         /* as in training: psi 1, each class in turn */
void mapping_z(const mapping *m, int image, const float *z, float *ws); /* to ws [L][D] */
void mapping_seed(const mapping *m, int image, uint32_t seed, float *ws);
/* w [count][D] of many seeds, psi 1; the first is that of `image`. */
void mapping_w(const mapping *m, int image, const uint32_t *seeds, int count, float *w);
void mapping_notes(const mapping *m, int image, char **notes); /* psi, cutoff, class or label; image -1: of all */
void mapping_end(mapping *m);

/* Layers of a network, as a flag lists them. */
typedef struct layers {
    int count;
    uint32_t *indices;
    char *text; /* the list */
} layers;
layers layers_parse(const opened_model *opened, const char *list); /* of --styles, style mixing; NULL: 0-6 */
layers layers_of(const opened_model *opened, const char *flag, const char *list); /* of another flag; NULL: all */
void layers_free(layers *l);
void layers_mix(const opened_model *opened, const layers *l, const float *other, float *ws); /* into ws [L][D] */

/* Where the images come from: one of the three. Of several psis every latent gets each in turn. */
typedef struct latent_flags {
    const char *seeds, *z, *ws;
    mapping_flags mapping;
    const char *mixed_seed, *mixed_layers; /* style mixing of every image with another one: no flags */
} latent_flags;
#define LATENT_FLAGS(flags)                                                                                   \
    {"--seeds", "LIST", "seeds of the images, such as 0-3,85", &(flags).seeds},                               \
        {"--seed", "LIST", "the same as --seeds", &(flags).seeds},                                            \
        {"--latents", "FILE.npy", "latents z [n, z_dim] instead of seeds, .npy or .npz", &(flags).z},         \
        MAPPING_FLAGS((flags).mapping), {                                                                     \
        "--labels", "FILE.npy", "labels [n, c_dim] or [1, c_dim] instead of --class", &(flags).mapping.labels \
    }

typedef struct latents {
    int count;
    int psi_count;
    const char *psi_text; /* their list */
    double *psis;         /* [psi_count]: image i takes latent i / psi_count and psi i % psi_count */
    uint32_t *seeds;      /* [count / psi_count], or NULL */
    const char *source;   /* the value of the flag that gave the latents */
    int repeats;          /* a seed is there twice */
    int numbered;         /* names carry the number of the image, for several of one seed */
    uint32_t mixed_seed;
    layers mixed_layers; /* count 0: no mixing */
    float *mixed_ws;
    npy z, ws; /* [count / psi_count, z_dim] and [count, L, D]; values NULL if not given */
    mapping mapping;
} latents;

void latents_start(latents *l, const opened_model *opened, const latent_flags *flags);
void latents_ws(latents *l, int index, float *ws);                /* ws [L][D] */
char *latents_name(const latents *l, int index, const char *end); /* of a file: "seed0085.png"; the caller frees it */
void latents_notes(const latents *l, int index, char **notes);    /* what draws the image again, or why it cannot */
void latents_sheet_notes(const latents *l, char **notes);         /* of all together */
void latents_end(latents *l);

int has_repeats(const uint32_t *seeds, int count);

#endif
