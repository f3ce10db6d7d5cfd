/* pool.c - see pool.h. */
#include "pool.h"
#include "cli.h"
#include "system.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

typedef struct worker {
    pool *pool;
    int index;
    pthread_t thread;
} worker;

struct pool {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* a job came, or its last item is done, or the end */
    int threads, next, items, unfinished, stop;
    pool_item *run;
    void *context;
    worker *workers; /* [threads]; the first is the caller */
};

/* Takes items until none is left. The lock is held at the beginning and at the end. */
static void take_items(pool *p, int thread) {
    while (p->next < p->items) {
        const int item = p->next++;
        pthread_mutex_unlock(&p->lock);
        p->run(p->context, item, thread);
        pthread_mutex_lock(&p->lock);
        if (!--p->unfinished) pthread_cond_broadcast(&p->changed);
    }
}

static void *work(void *context) {
    const worker *w = context;
    pool *p = w->pool;
    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        take_items(p, w->index);
        if (!p->stop) pthread_cond_wait(&p->changed, &p->lock);
    }
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

int pool_processors(void) {
    const int count = system_processors(), most = 64;
    return count < 1 ? 1 : count < most ? count : most;
}

pool *pool_start(int threads) {
    pool *p = cli_alloc(1, sizeof *p);
    *p = (pool){.threads = threads, .workers = cli_alloc((size_t)threads, sizeof *p->workers)};
    pthread_mutex_init(&p->lock, NULL);
    pthread_cond_init(&p->changed, NULL);
    for (int i = 1; i < threads; i++) {
        p->workers[i] = (worker){.pool = p, .index = i};
        if (system_start_thread(&p->workers[i].thread, work, &p->workers[i]))
            cli_fail("cannot start a thread: %s", strerror(errno));
    }
    return p;
}

void pool_run(pool *p, int items, pool_item *run, void *context) {
    pthread_mutex_lock(&p->lock);
    p->run = run;
    p->context = context;
    p->next = 0;
    p->items = p->unfinished = items;
    pthread_cond_broadcast(&p->changed);
    take_items(p, 0);
    while (p->unfinished) pthread_cond_wait(&p->changed, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

void pool_end(pool *p) {
    pthread_mutex_lock(&p->lock);
    p->stop = 1;
    pthread_cond_broadcast(&p->changed);
    pthread_mutex_unlock(&p->lock);
    for (int i = 1; i < p->threads; i++) pthread_join(p->workers[i].thread, NULL);
    pthread_mutex_destroy(&p->lock);
    pthread_cond_destroy(&p->changed);
    free(p->workers);
    free(p);
}

void pool_each(int items, int threads, pool_item *run, void *context) {
    pool *p = pool_start(threads);
    pool_run(p, items, run, context);
    pool_end(p);
}
