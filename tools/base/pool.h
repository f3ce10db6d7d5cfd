/* pool.h - threads that share the items of a job. */
#ifndef POOL_H
#define POOL_H

typedef struct pool pool;
typedef void pool_item(void *context, int item, int thread);

int pool_processors(void); /* of this machine, at most 64 */

pool *pool_start(int threads);
/* Calls run(context, item, thread) for every item from 0 to items - 1, 0 <= thread < threads, and returns when all have
   returned. Which thread takes which item is left open. */
void pool_run(pool *p, int items, pool_item *run, void *context);
void pool_end(pool *p);

/* The three in one. */
void pool_each(int items, int threads, pool_item *run, void *context);

#endif
