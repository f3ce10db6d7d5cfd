/* part.h - one of several parts of a command's work, for as many machines: --part K/N. */
#ifndef PART_H
#define PART_H

#include <stdint.h>

#define PART_FLAG(text) \
    { "--part", "K/N", "only the K-th of N parts, for job arrays; the other flags as for the whole", &(text) }

enum { MOST_PARTS = 1000000 };

typedef struct part {
    int number, count; /* 1 to count */
} part;

/* The value of --part, NULL: all of it. Anything wrong ends the program, as does a part without any of the items. */
part part_parse(const char *text, int64_t items);

/* Parts are runs of items, one after the other: this one from the first on, and before the next one's first. */
int64_t part_first(part p, int64_t items);
int64_t part_end(part p, int64_t items);

/* Where a part writes what is one file of the whole: "ws.3-of-8.npy". The caller frees it. */
char *part_path(part p, const char *path);

#endif
