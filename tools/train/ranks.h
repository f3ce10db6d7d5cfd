/* ranks.h - the processes of one training run, ranks as MPI calls them: ranks_single.c, of one alone, or ranks_mpi.c, of as
   many as mpirun starts, as the Makefile chooses. All ranks call these functions in the same order, from one thread unless
   told otherwise. */
#ifndef RANKS_H
#define RANKS_H

#include <stddef.h>

/* Finds the others, until the program ends. From here on a failure of one rank ends all; messages of ranks but the first
   say whose they are, and their notes are left out. */
void ranks_start(void);
int ranks_index(void); /* of this one; rank 0 keeps the run's folder */
int ranks_count(void);
int ranks_on_machine(void); /* those on this machine, this one included */

/* The first of `items` that belong to a rank; the last ones belong to the rank before the next one's first. */
int ranks_first(int items, int rank);

/* What stands between the two is done by rank 0 before the others begin with it: what it refuses is said once. */
void ranks_begin_turn(void);
void ranks_end_turn(void);

/* Ends the program unless `text`, of `what`, is the same on every rank: tells which one differs. */
void ranks_agree(const char *what, const char *text);

void ranks_share(void *bytes, size_t size); /* rank 0's to all */
int ranks_most(int value);                  /* the largest of all ranks' */

/* items [count], each of `size` bytes, of which every rank has its own, ranks_first: now all have all. */
void ranks_gather(void *items, size_t size, int count);

/* --- The sum of vectors over all ranks, in their order: rank 0 adds what is its own to zeros, the next rank its own to
   that, and so on to the last one, from where the total travels back. So the bits are those of one process that adds all
   of it in order. It goes in pieces, each as soon as it is final, so that ranks, networks and processors work at once. --- */

typedef struct ordered_sum ordered_sum;

/* sum[i] += everything of this rank, in order, for from <= i < to; both are multiples of RANKS_UNIT, or `to` is
   the end. */
enum { RANKS_UNIT = 16 };
typedef void ordered_add(void *context, size_t from, size_t to, float *sum);

ordered_sum *ordered_sum_create(size_t floats, ordered_add *add, void *context);
void ordered_sum_free(ordered_sum *s);

/* Of each sum: expect what it will consist of, the same on all ranks but for `parts`, in which a rank's own becomes final;
   begin; tell of every part when it is final, and wait for totals, from any thread; end. */
void ordered_sum_expect(ordered_sum *s, size_t from, size_t to, int parts);
void ordered_sum_begin(ordered_sum *s);
void ordered_sum_final(ordered_sum *s, size_t from, size_t to);
const float *ordered_sum_wait(ordered_sum *s, size_t from, size_t to); /* the whole vector, final there until the end */
void ordered_sum_end(ordered_sum *s);

/* Seconds that this rank has waited for totals so far, and that one such sum takes when all is final on all ranks. */
double ordered_sum_waited(const ordered_sum *s);
double ordered_sum_measure(ordered_sum *s);

#endif
