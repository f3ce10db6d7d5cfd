/* ranks_mpi.c - a training run of several processes, by MPI: see ranks.h. */
#define _POSIX_C_SOURCE 200809L
#include "ranks.h"
#include "../base/cli.h"
#include "../base/system.h"

#include <errno.h>
#include <mpi.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int own_index, count = 1, on_machine = 1;

/* Waits without keeping a processor from those that work: what is due within a millisecond comes at once. */
static void pause_after(double seconds_waited) {
    static const double patience = 1e-3;
    if (seconds_waited < patience)
        sched_yield();
    else
        nanosleep(&(struct timespec){0, 100000}, NULL);
}

enum { FAILURE = 32000 }; /* tag of the message that a rank has failed: its exit status */

static void heed_failures(void) {
    int failed = 0, status;
    if (!own_index) MPI_Iprobe(MPI_ANY_SOURCE, FAILURE, MPI_COMM_WORLD, &failed, MPI_STATUS_IGNORE);
    if (!failed) return;
    MPI_Recv(&status, 1, MPI_INT, MPI_ANY_SOURCE, FAILURE, MPI_COMM_WORLD, MPI_STATUS_IGNORE);
    cli_end(status);
}

static void finish(MPI_Request *request) {
    const double start = system_seconds();
    for (int done = 0; !done;) {
        MPI_Test(request, &done, MPI_STATUS_IGNORE);
        if (done) return;
        heed_failures();
        pause_after(system_seconds() - start);
    }
}

/* --- All together --- */

/* The thread that carries sums sleeps until there is one. While it works no other thread may call MPI. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER; /* a sum has begun, a piece is done, a sum has ended */
static ordered_sum *current;

static int is_carrying(void) {
    pthread_mutex_lock(&lock);
    const int carrying = current != NULL;
    pthread_mutex_unlock(&lock);
    return carrying;
}

/* The first rank, if it waits, removes what it has not finished before it ends all; it gets two seconds for that. */
static void end_all(int status) {
    static const double patience = 2;
    const double start = system_seconds();
    MPI_Request request;
    const int tells = own_index && !is_carrying();
    if (tells) MPI_Isend(&status, 1, MPI_INT, 0, FAILURE, MPI_COMM_WORLD, &request);
    for (int done; tells && system_seconds() - start < patience; pause_after(patience))
        MPI_Test(&request, &done, MPI_STATUS_IGNORE);
    MPI_Abort(MPI_COMM_WORLD, status);
}

static void end_in_order(void) {
    MPI_Finalize();
}

static void *carry_sums(void *argument);

static void find_machine(void) {
    MPI_Comm machine;
    MPI_Comm_split_type(MPI_COMM_WORLD, MPI_COMM_TYPE_SHARED, own_index, MPI_INFO_NULL, &machine);
    MPI_Comm_size(machine, &on_machine);
    MPI_Comm_free(&machine);
}

/* "rank 2 on node7" */
static char *name_rank(void) {
    char machine[MPI_MAX_PROCESSOR_NAME + 1] = "";
    int length;
    MPI_Get_processor_name(machine, &length);
    return cli_format("rank %d on %s", own_index, machine);
}

void ranks_start(void) {
    int threads;
    pthread_t carrier;
    MPI_Init_thread(NULL, NULL, MPI_THREAD_SERIALIZED, &threads);
    atexit(end_in_order);
    MPI_Comm_rank(MPI_COMM_WORLD, &own_index);
    MPI_Comm_size(MPI_COMM_WORLD, &count);
    cli_work_with_others(own_index ? name_rank() : NULL, end_all);
    if (threads < MPI_THREAD_SERIALIZED) cli_fail("this MPI library works in one thread only");
    find_machine();
    if (system_start_thread(&carrier, carry_sums, NULL)) cli_fail("cannot start a thread: %s", strerror(errno));
}

int ranks_index(void) {
    return own_index;
}

int ranks_count(void) {
    return count;
}

int ranks_on_machine(void) {
    return on_machine;
}

int ranks_first(int items, int rank) {
    return (int)((int64_t)items * rank / count);
}

static void meet(void) {
    MPI_Request request;
    MPI_Ibarrier(MPI_COMM_WORLD, &request);
    finish(&request);
}

void ranks_begin_turn(void) {
    if (own_index) meet();
}

void ranks_end_turn(void) {
    if (!own_index) meet();
}

/* What a rank says of itself, for the first to compare. */
enum { NAME_SIZE = 128, TEXT_SIZE = 384 };
typedef struct statement {
    char name[NAME_SIZE], text[TEXT_SIZE];
} statement;

static void compare(const char *what, const statement *all) {
    int differing = 0, first = 0;
    for (int i = count - 1; i > 0; i--)
        if (strcmp(all[i].text, all[0].text) != 0) differing++, first = i;
    if (!differing) return;
    char *more = differing > 1 ? cli_format("; %d ranks differ", differing) : cli_format("%s", "");
    cli_fail("%s: %s %s, but on rank 0 %s%s", all[first].name, what, all[first].text, all[0].text, more);
}

void ranks_agree(const char *what, const char *text) {
    statement *all = cli_alloc((size_t)count, sizeof *all), own;
    MPI_Request request;
    char *name = name_rank();
    memset(&own, 0, sizeof own);
    snprintf(own.name, sizeof own.name, "%s", name);
    snprintf(own.text, sizeof own.text, "%s", text);
    MPI_Igather(&own, sizeof own, MPI_BYTE, all, sizeof own, MPI_BYTE, 0, MPI_COMM_WORLD, &request);
    finish(&request);
    if (!own_index) compare(what, all);
    meet(); /* the first has found no difference */
    free(name);
    free(all);
}

void ranks_share(void *bytes, size_t size) {
    enum { MOST = 1 << 30 }; /* MPI counts in int */
    for (size_t at = 0; at < size; at += MOST) {
        MPI_Request request;
        MPI_Ibcast((char *)bytes + at, size - at < MOST ? (int)(size - at) : MOST, MPI_BYTE, 0, MPI_COMM_WORLD,
                   &request);
        finish(&request);
    }
}

int ranks_most(int value) {
    int most = value;
    MPI_Request request;
    MPI_Iallreduce(&value, &most, 1, MPI_INT, MPI_MAX, MPI_COMM_WORLD, &request);
    finish(&request);
    return most;
}

void ranks_gather(void *items, size_t size, int all) {
    int *counts = cli_alloc((size_t)count, sizeof *counts), *places = cli_alloc((size_t)count, sizeof *places);
    MPI_Request request;
    for (int i = 0; i < count; i++) {
        places[i] = ranks_first(all, i) * (int)size;
        counts[i] = ranks_first(all, i + 1) * (int)size - places[i];
    }
    MPI_Iallgatherv(MPI_IN_PLACE, 0, MPI_DATATYPE_NULL, items, counts, places, MPI_BYTE, MPI_COMM_WORLD, &request);
    finish(&request);
    free(places);
    free(counts);
}

/* --- Sums: up the chain of ranks and down again, piece by piece --- */

enum { LEAST_PIECE = 8192 /* floats: 32 KiB */, MOST_PIECES = 256, DIRECTIONS = 2 };
typedef enum direction { UP, DOWN } direction;

typedef struct piece {
    size_t from, to;
    size_t missing;      /* own addends that are not final, counted for each part */
    int expected;        /* takes part in this sum */
    int arrived, passed; /* the sum of the ranks before is here; was added to and passed on */
    int done;            /* the total is here */
} piece;

struct ordered_sum {
    ordered_add *add;
    void *context;
    float *partial, *total; /* [floats]; the last rank's are one */
    int number, piece_count;
    piece *pieces;
    size_t missing;                /* of all pieces */
    int final_pieces;              /* of which nothing of this rank is missing */
    MPI_Request *receives, *sends; /* [pieces][DIRECTIONS] */
    MPI_Status *statuses;
    double final_since, waited;
};

ordered_sum *ordered_sum_create(size_t floats, ordered_add *add, void *context) {
    static int numbers;
    const size_t unit = RANKS_UNIT, many = (floats + MOST_PIECES * unit - 1) / (MOST_PIECES * unit) * unit;
    const size_t size = many < LEAST_PIECE ? LEAST_PIECE : many;
    ordered_sum *s = cli_alloc(1, sizeof *s);
    *s = (ordered_sum){.add = add, .context = context, .number = numbers++ % 2};
    s->total = cli_alloc(floats, sizeof *s->total);
    s->partial = own_index == count - 1 ? s->total : cli_alloc(floats, sizeof *s->partial);
    s->piece_count = (int)((floats + size - 1) / size);
    s->pieces = cli_alloc((size_t)s->piece_count, sizeof *s->pieces);
    s->receives = cli_alloc((size_t)s->piece_count * DIRECTIONS, sizeof *s->receives);
    s->sends = cli_alloc((size_t)s->piece_count * DIRECTIONS, sizeof *s->sends);
    s->statuses = cli_alloc((size_t)s->piece_count * DIRECTIONS, sizeof *s->statuses);
    for (int i = 0; i < s->piece_count; i++) {
        const size_t from = (size_t)i * size;
        s->pieces[i] = (piece){.from = from, .to = floats - from < size ? floats : from + size};
    }
    return s;
}

void ordered_sum_free(ordered_sum *s) {
    if (!s) return;
    if (s->partial != s->total) free(s->partial);
    free(s->total);
    free(s->pieces);
    free(s->receives);
    free(s->sends);
    free(s->statuses);
    free(s);
}

static size_t overlap(const piece *p, size_t from, size_t to) {
    const size_t first = from > p->from ? from : p->from, end = to < p->to ? to : p->to;
    return first < end ? end - first : 0;
}

/* The first piece with something at `from` or behind. */
static piece *piece_at(const ordered_sum *s, size_t from) {
    return &s->pieces[from / (s->pieces[0].to - s->pieces[0].from)];
}

void ordered_sum_expect(ordered_sum *s, size_t from, size_t to, int parts) {
    for (piece *p = piece_at(s, from); p < s->pieces + s->piece_count && p->from < to; p++) {
        p->expected = 1;
        p->missing += overlap(p, from, to) * (size_t)parts;
    }
    s->missing += (to - from) * (size_t)parts;
}

void ordered_sum_begin(ordered_sum *s) {
    for (int i = 0; i < s->piece_count; i++) {
        piece *p = &s->pieces[i];
        p->arrived = own_index == 0;
        p->passed = p->done = !p->expected;
    }
    pthread_mutex_lock(&lock);
    current = s;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

void ordered_sum_final(ordered_sum *s, size_t from, size_t to) {
    pthread_mutex_lock(&lock);
    for (piece *p = piece_at(s, from); p < s->pieces + s->piece_count && p->from < to; p++) {
        p->missing -= overlap(p, from, to);
        if (!p->missing && !s->final_pieces++) pthread_cond_broadcast(&changed);
    }
    s->missing -= to - from;
    if (!s->missing) s->final_since = system_seconds();
    pthread_mutex_unlock(&lock);
}

const float *ordered_sum_wait(ordered_sum *s, size_t from, size_t to) {
    pthread_mutex_lock(&lock);
    for (const piece *p = piece_at(s, from); p < s->pieces + s->piece_count && p->from < to; p++)
        while (!p->done) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
    return s->total;
}

void ordered_sum_end(ordered_sum *s) {
    pthread_mutex_lock(&lock);
    while (current == s) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static int tag_of(const ordered_sum *s, int index, direction d) {
    return (s->number * MOST_PIECES + index) * DIRECTIONS + (int)d;
}

static void receive_piece(ordered_sum *s, int index, direction d) {
    const piece *p = &s->pieces[index];
    const int from = d == UP ? own_index - 1 : own_index + 1;
    MPI_Request *request = &s->receives[index * DIRECTIONS + (int)d];
    *request = MPI_REQUEST_NULL;
    if (p->expected && from >= 0 && from < count)
        MPI_Irecv((d == UP ? s->partial : s->total) + p->from, (int)(p->to - p->from), MPI_FLOAT, from,
                  tag_of(s, index, d), MPI_COMM_WORLD, request);
}

static void send_piece(ordered_sum *s, int index, direction d) {
    const piece *p = &s->pieces[index];
    const int to = d == UP ? own_index + 1 : own_index - 1;
    if (to >= 0 && to < count)
        MPI_Isend((d == UP ? s->partial : s->total) + p->from, (int)(p->to - p->from), MPI_FLOAT, to,
                  tag_of(s, index, d), MPI_COMM_WORLD, &s->sends[index * DIRECTIONS + (int)d]);
}

/* The total of a piece is here: on with it to the rank before. */
static void finish_piece(ordered_sum *s, int index) {
    pthread_mutex_lock(&lock);
    s->pieces[index].done = 1;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
    send_piece(s, index, DOWN);
}

/* The sum of the ranks before, and what is this one's, go to the next; behind the last one they are the total. */
static void pass_piece(ordered_sum *s, int index) {
    piece *p = &s->pieces[index];
    p->passed = 1;
    if (!own_index) memset(s->partial + p->from, 0, (p->to - p->from) * sizeof(float));
    s->add(s->context, p->from, p->to, s->partial);
    if (own_index == count - 1)
        finish_piece(s, index);
    else
        send_piece(s, index, UP);
}

static int is_final(const piece *p) {
    pthread_mutex_lock(&lock);
    const int final = !p->missing;
    pthread_mutex_unlock(&lock);
    return final;
}

/* Moves what can be moved; 0 if that is nothing. `arrivals` [pieces][DIRECTIONS] is scratch. */
static int move_pieces(ordered_sum *s, int *arrivals) {
    int moved = 0;
    MPI_Testsome(s->piece_count * DIRECTIONS, s->receives, &moved, arrivals, s->statuses);
    if (moved == MPI_UNDEFINED) moved = 0; /* all have been received */
    for (int i = 0; i < moved; i++) {
        const int index = arrivals[i] / DIRECTIONS;
        if (arrivals[i] % DIRECTIONS == UP)
            s->pieces[index].arrived = 1;
        else
            finish_piece(s, index);
    }
    for (int i = 0; i < s->piece_count; i++) {
        const piece *p = &s->pieces[i];
        if (p->passed || !p->arrived || !is_final(p)) continue;
        pass_piece(s, i);
        moved++;
    }
    return moved;
}

static int all_done(const ordered_sum *s) {
    for (int i = 0; i < s->piece_count; i++)
        if (!s->pieces[i].done) return 0;
    return 1;
}

/* There is nothing to carry before something of this rank is final. */
static void await_first(ordered_sum *s) {
    pthread_mutex_lock(&lock);
    while (!s->final_pieces) pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static int is_computing(const ordered_sum *s) {
    pthread_mutex_lock(&lock);
    const int computing = s->missing > 0;
    pthread_mutex_unlock(&lock);
    return computing;
}

static void carry(ordered_sum *s) {
    int *arrivals = cli_alloc((size_t)s->piece_count * DIRECTIONS, sizeof *arrivals);
    for (int i = 0; i < s->piece_count; i++)
        for (int d = UP; d <= DOWN; d++) {
            receive_piece(s, i, (direction)d);
            s->sends[i * DIRECTIONS + d] = MPI_REQUEST_NULL;
        }
    await_first(s);
    for (double moved = system_seconds(); !all_done(s);)
        if (move_pieces(s, arrivals))
            moved = system_seconds();
        else
            pause_after(is_computing(s) ? 1 : system_seconds() - moved);
    for (int i = 0; i < s->piece_count * DIRECTIONS; i++) finish(&s->sends[i]);
    s->waited += system_seconds() - s->final_since;
    for (int i = 0; i < s->piece_count; i++) s->pieces[i].expected = 0;
    s->final_pieces = 0;
    free(arrivals);
}

static void *carry_sums(void *argument) {
    pthread_mutex_lock(&lock);
    for (;;) {
        while (!current) pthread_cond_wait(&changed, &lock);
        pthread_mutex_unlock(&lock);
        carry(current);
        pthread_mutex_lock(&lock);
        current = NULL;
        pthread_cond_broadcast(&changed);
    }
    return argument;
}

double ordered_sum_waited(const ordered_sum *s) {
    return s->waited;
}

double ordered_sum_measure(ordered_sum *s) {
    const size_t floats = s->pieces[s->piece_count - 1].to;
    const double waited = s->waited;
    ordered_sum_expect(s, 0, floats, 1);
    meet();
    const double start = system_seconds();
    ordered_sum_begin(s);
    ordered_sum_final(s, 0, floats);
    ordered_sum_end(s);
    s->waited = waited;
    return system_seconds() - start;
}
