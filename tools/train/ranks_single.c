/* ranks_single.c - a training run of one process: see ranks.h. */
#include "ranks.h"
#include "../base/cli.h"

#include <stdlib.h>
#include <string.h>

/* Whoever starts this with mpirun may mean one run. */
void ranks_start(void) {
    static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        const char *size = getenv(sizes[i]);
        if (size && atoi(size) > 1)
            cli_note("one of %s processes that know nothing of each other: built without MPI (make MPI=1)", size);
    }
}

int ranks_index(void) {
    return 0;
}

int ranks_count(void) {
    return 1;
}

int ranks_on_machine(void) {
    return 1;
}

int ranks_first(int items, int rank) {
    return items * rank;
}

void ranks_begin_turn(void) {
}

void ranks_end_turn(void) {
}

void ranks_agree(const char *what, const char *text) {
    (void)what, (void)text;
}

void ranks_share(void *bytes, size_t size) {
    (void)bytes, (void)size;
}

int ranks_most(int value) {
    return value;
}

void ranks_gather(void *items, size_t size, int count) {
    (void)items, (void)size, (void)count;
}

/* --- Sums: each part of the total is computed where it is waited for, by the threads at once --- */

struct ordered_sum {
    ordered_add *add;
    void *context;
    float *total;
};

ordered_sum *ordered_sum_create(size_t floats, ordered_add *add, void *context) {
    ordered_sum *s = cli_alloc(1, sizeof *s);
    *s = (ordered_sum){add, context, cli_alloc(floats, sizeof(float))};
    return s;
}

void ordered_sum_free(ordered_sum *s) {
    if (!s) return;
    free(s->total);
    free(s);
}

void ordered_sum_expect(ordered_sum *s, size_t from, size_t to, int parts) {
    (void)s, (void)from, (void)to, (void)parts;
}

void ordered_sum_begin(ordered_sum *s) {
    (void)s;
}

void ordered_sum_final(ordered_sum *s, size_t from, size_t to) {
    (void)s, (void)from, (void)to;
}

const float *ordered_sum_wait(ordered_sum *s, size_t from, size_t to) {
    memset(s->total + from, 0, (to - from) * sizeof(float));
    s->add(s->context, from, to, s->total);
    return s->total;
}

void ordered_sum_end(ordered_sum *s) {
    (void)s;
}

double ordered_sum_waited(const ordered_sum *s) {
    (void)s;
    return 0;
}

double ordered_sum_measure(ordered_sum *s) {
    (void)s;
    return 0;
}
