/* notes.h - lines "key: value", as weight files and pictures carry them. */
#ifndef NOTES_H
#define NOTES_H

#include "cli.h"

/* Adds a line to *notes, NULL at first, which the caller frees. Control characters in it become question marks. */
void notes_add(char **notes, const char *key, const char *format, ...) CLI_PRINTF(3, 4);

/* The value of a key, which the caller frees; NULL if it is not there. */
char *notes_find(const char *notes, const char *key);

/* The line at *notes, which moves behind it; 0 at the end. Key and value are not terminated. */
typedef struct note {
    const char *key, *value;
    int key_length, value_length;
} note;
int notes_next(const char **notes, note *line);

#endif
