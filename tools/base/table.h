/* table.h - texts of lines with fields between tabs, read line by line. */
#ifndef TABLE_H
#define TABLE_H

#include <stddef.h>

enum { TABLE_FIELDS = 64 };

typedef struct table {
    char *text, *next;
    int line;                  /* its number, from 1 on */
    int fields;                /* of the line */
    char *field[TABLE_FIELDS]; /* valid until table_close; the last one would hold all that is left */
} table;

char *table_open(table *t, const unsigned char *bytes,
                 size_t size); /* NULL, or what is wrong, which the caller frees */
int table_next(table *t);      /* the next line that is neither empty nor a comment (# ...); 0 at the end */
void table_close(table *t);

#endif
