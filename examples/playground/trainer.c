/* trainer.c - examples/train_step.c as the functions that learning.js calls. */
#define TRAIN_STEP_LIBRARY
#include "../train_step.c"

#define EXPORT(name) __attribute__((export_name(#name)))
enum { SHOWN = 16 };

static game m;
static g_tape shown[SHOWN]; /* always the same latents, so that one sees them learn */

EXPORT(start) void start(unsigned seed) {
    reset(&m, seed);
    for (int i = 0; i < SHOWN; i++) draw_latents(&shown[i]);
    for (int n = 0; n < BATCH; n++) draw_blob(m.reals[n]);
}

EXPORT(set_rates) void set_rates(double rate, double gamma) {
    learning_rate = rate;
    r1_gamma = gamma;
}

EXPORT(step) void step(void) {
    train_step(&m);
}

EXPORT(loss) double loss(int of_generator) {
    return of_generator ? m.g_loss : m.d_loss;
}

/* [BATCH] */
EXPORT(scores) const double *scores(int of_fakes) {
    return of_fakes ? m.fake_scores : m.real_scores;
}

/* Pictures [3][8][8]: of the training set, of the step that was, and of the latents that stay. */
EXPORT(real) const double *real(int n) {
    return m.reals[n];
}

EXPORT(fake) const double *fake(int n) {
    return m.fakes[n].picture;
}

EXPORT(draw_shown) const double *draw_shown(int n) {
    draw_averaged(&m, &shown[n]);
    return shown[n].picture;
}
