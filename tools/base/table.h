/* table.h - text files of lines with fields between tabs, read line by line. A failure ends the program with one line that
   names the file. */
#ifndef TABLE_H
#define TABLE_H

enum { TABLE_FIELDS = 64 };

typedef struct table {
    const char *path;
    char *text, *next;
    int line; /* its number in the file, from 1 on */
    int fields;
    char *field[TABLE_FIELDS]; /* valid until table_close */
} table;

void table_open(table *t, const char *path);
int table_next(table *t); /* the next line that is neither empty nor a comment (# ...); 0 at the end */
void table_close(table *t);

#endif
