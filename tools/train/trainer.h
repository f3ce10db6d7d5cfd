/* trainer.h - trains a StyleGAN: the two networks, their gradients, one training step, and the state between steps. */
#ifndef TRAINER_H
#define TRAINER_H

#include "../grad/shape.h"
#include "../model/weights.h"

/* What D and G minimise: relativistic (R3GAN; Huang and others, 2024), the probability that a real image's score is not
   above that of the generated image it is paired with; logistic (StyleGAN), the probabilities of taking one for the
   other. */
typedef enum trainer_loss { LOSS_RELATIVISTIC, LOSS_LOGISTIC } trainer_loss;

/* What D sees of images (augment.h): all as they are; each transform with a probability p that follows how much D has learnt
   by heart, as pictures tell that are held back (StyleGAN 2-ADA; Karras and others, 2020, section 3); with the same p
   throughout. */
typedef enum trainer_aug { AUG_NONE, AUG_ADA, AUG_FIXED } trainer_aug;

/* Of the factors in convolutions: float32, or bfloat16 for matrix units. All else, weights and sums, is float32. */
typedef enum trainer_precision { PRECISION_F32, PRECISION_BF16 } trainer_precision;

/* Everything that decides a run; a checkpoint carries it. Defaults and presets: trainer_options, trainer_preset. */
typedef struct trainer_config {
    network_shape shape;
    int start_resolution;  /* progressive growing begins here */
    int batch;             /* images a step, a multiple of 4 (the group of the minibatch standard deviation) */
    int loss;              /* trainer_loss */
    double g_rate, d_rate; /* learning rates of Adam(0, 0.99) */
    double r1_gamma;       /* of R1 and, with the relativistic loss, of R2, the same on generated images */
    double r1_gamma_last; /* ... which it falls to by the end of the run, by the same factor every image; 0: it stays */
    int r1_interval;      /* every so many steps, scaled accordingly; 1: every step */
    double mixing;        /* probability of style mixing: 0.9 */
    double ema_kimg;      /* half-life of the generator's moving average, in thousands of images */
    double ema_ramp;      /* ... but at most this share of the images shown: 0.05 */
    double w_avg_beta;    /* of the moving average of w: 0.995 */
    double fade_kimg, stable_kimg; /* progressive growing: thousands of images a phase */
    double d_first_kimg;           /* the first so many are only D's to learn from */
    double total_kimg;
    double anneal_kimg; /* the learning rates fall to zero over the last so many of them */
    int mirror;         /* 1: mirror pictures at random */
    int aug;            /* trainer_aug */
    double p;           /* AUG_FIXED: the transforms' probability */
    double target;      /* AUG_ADA: the share of D's lead that may come from knowing pictures by heart: 0.5 */
    double ada_kimg;    /* ... and thousands of images in which p can go from 0 to 1 */
    int isa;            /* stylegan_isa; a run keeps its bits only on the same one */
    int precision;      /* trainer_precision */
    uint64_t seed;
} trainer_config;

/* One row per field: for flags (--NAME VALUE), checkpoints and presets. Kinds: 'i' int, 'd' double, 'u' uint64_t. An int
   with choices is the number of one of these names, which end with NULL. */
typedef struct trainer_option {
    const char *name, *help;
    char kind;
    size_t offset;
    double least, most;
    const char *const *choices;
} trainer_option;
extern const trainer_option trainer_options[]; /* ends with a NULL name */

/* "tiny-16", "tiny-32", "portraits-64", "ffhq-128", "ffhq-256", ...: 0 if there is no such preset. */
int trainer_preset(const char *name, trainer_config *config);
const char *trainer_preset_names(void); /* for messages: "tiny-16, tiny-32, ..." */

/* "architecture stylegan2, resolution 64, ...": one option, and all of them. The caller frees them. */
char *trainer_option_text(const trainer_config *config, const trainer_option *option);
char *trainer_settings(const trainer_config *config);

/* NULL if the configuration makes sense, and this processor can compute so, or what is wrong with it. */
const char *trainer_check(const trainer_config *config);

typedef struct trainer trainer;

int trainer_threads(void); /* one for each processor that this rank has for itself */

/* Fresh networks. threads 0: trainer_threads(). The result is the same to the bit for any number of ranks and threads. */
trainer *trainer_create(const trainer_config *config, int threads);
void trainer_free(trainer *t);

/* A fresh run's generator, and its averages, become the network's. Returns NULL, or why they cannot; the caller frees it. */
char *trainer_begin_as(trainer *t, const weights *w);
const trainer_config *trainer_get_config(const trainer *t);
int64_t trainer_images(const trainer *t);              /* shown so far */
int trainer_resolution(const trainer *t, float *fade); /* the current one; fade 0..1: share of the newest block */

/* What one step did, averaged over its batch. */
typedef struct trainer_step_report {
    double g_loss, d_loss;         /* d_loss without the penalties */
    double r1;                     /* mean squared norm of D's gradient on real images; NAN when not computed */
    double real_score, fake_score; /* mean logits */
    double held_score;             /* AUG_ADA: of pictures held back; NAN in steps that do not show them */
    double p;                      /* of the augmentation */
} trainer_step_report;

/* The images of a batch that are this rank's to learn from (ranks.h): all, if it is alone. */
void trainer_share(const trainer *t, int *first, int *count);

/* One step: discriminator, then generator, then the averages. `pixels` [count][H][W][3] this rank's real images at the
   finished resolution (mirroring, shrinking and fading are the trainer's), behind them as many that are held back if the
   step looks at these, `labels` [count][K] or NULL. The report is that of all ranks. */
void trainer_step(trainer *t, const uint8_t *pixels, const float *labels, trainer_step_report *report);

/* What goes from rank to rank; all of them call it together. */
typedef struct trainer_traffic {
    double bytes;   /* of a step, in each direction */
    double seconds; /* that it takes when no rank waits for another's computation */
    double waited;  /* seconds that this rank has waited for sums so far */
} trainer_traffic;
trainer_traffic trainer_measure_traffic(trainer *t);

/* The index of the i-th picture (0 to batch - 1) of the next step, out of `count`: a permutation an epoch, from the
   seed alone. i goes on into the steps after that. With AUG_ADA, a tenth of the pictures, at most 50, is held
   back: the step that is so many ahead may look at it. */
int64_t trainer_picture(const trainer *t, int i, int64_t count);
int64_t trainer_held_picture(const trainer *t, int i, int64_t count);
int trainer_looks_at_held(const trainer *t, int steps_ahead);

/* Whether all parameters of both networks, and the averages, are numbers. */
int trainer_is_finite(const trainer *t);

/* The averaged generator at the resolution of its last step, as a network for weights_save: stylegan.h runs it as it is. */
void trainer_export(const trainer *t, weights *w);

/* Bytes of the whole state (configuration, networks, averages, optimiser, counters; checksummed), to continue the same
   run to the same bits. trainer_read_config tells its configuration, even if this processor cannot compute so: NULL, or why
   the bytes are no state. trainer_load goes on with it, or with `changed`: NULL, or the same but for total_kimg, isa
   and precision. Returns NULL and *why if that cannot be. */
int trainer_is_state(const unsigned char *bytes, size_t size); /* or the beginning of one */
unsigned char *trainer_save(const trainer *t, size_t *size);   /* the caller frees */
const char *trainer_read_config(const unsigned char *bytes, size_t size, trainer_config *config);
trainer *trainer_load(const unsigned char *bytes, size_t size, const trainer_config *changed, int threads,
                      const char **why);

#endif
