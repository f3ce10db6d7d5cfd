/* log.h - the log of a training run: a table as TSV, and its plot. */
#ifndef TRAIN_LOG_H
#define TRAIN_LOG_H

#include <stdint.h>
#include <stdio.h>

/* X(COLUMN, title): what a row tells, averaged over the images since the row before. */
#define LOG_COLUMNS(X)                                                                 \
    X(IMAGES, "images")         /* shown so far */                                     \
    X(RESOLUTION, "resolution") /* of the networks as they grow */                     \
    X(FADE, "fade")             /* share of the newest block, 1 when it is faded in */ \
    X(G_LOSS, "g_loss")                                                                \
    X(D_LOSS, "d_loss") /* without R1 */                                               \
    X(R1, "r1")         /* mean squared norm of D's gradient; an empty field: NAN */   \
    X(REAL_SCORE, "real_score")                                                        \
    X(FAKE_SCORE, "fake_score")                                                        \
    X(HELD_SCORE, "held_score") /* of pictures that are held back */                   \
    X(P, "p")                   /* of the augmentation; empty without it */            \
    X(SPEED, "images_per_second")                                                      \
    X(SECONDS, "seconds") /* spent on the run so far */

enum {
#define LOG_ENUM(column, title) LOG_##column,
    LOG_COLUMNS(LOG_ENUM)
#undef LOG_ENUM
        LOG_COLUMN_COUNT
};

typedef struct log_row {
    double value[LOG_COLUMN_COUNT];
} log_row;

typedef struct training_log {
    FILE *file;
    char *path;
    int created;
    log_row *rows;
    int count;
} training_log;

/* Opens the table and locks it: until log_close, no other process can open it. Then either begins a new one, which
   ends the program if there is another run's, or goes on: of the rows already there, those up to `images` stay; what a
   killed run logged behind its last checkpoint is computed again. A new file is removed by failures until it is kept. */
void log_open(training_log *log, const char *path);
void log_begin(training_log *log);
void log_continue(training_log *log, int64_t images);
void log_keep(const training_log *log);

void log_append(training_log *log, const log_row *row);
double log_last(const training_log *log, int column);     /* what was measured last; NAN: nothing yet */
void log_plot(const training_log *log, const char *path); /* over the images, as PNG */
void log_close(training_log *log);

#endif
