/* notes.c - see notes.h. */
#include "notes.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

void notes_add(char **notes, const char *key, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *value = cli_format_list(format, arguments);
    va_end(arguments);
    char *line = cli_format("%s: %s", key, value);
    for (char *at = line; *at; at++)
        if (iscntrl((unsigned char)*at)) *at = '?';
    char *longer = cli_format("%s%s\n", *notes ? *notes : "", line);
    free(line);
    free(value);
    free(*notes);
    *notes = longer;
}

int notes_next(const char **notes, note *line) {
    const char *at = *notes, *end = at ? strchr(at, '\n') : NULL, *colon = at ? strstr(at, ": ") : NULL;
    if (!end || !colon || colon > end) return 0;
    *line = (note){at, colon + 2, (int)(colon - at), (int)(end - colon - 2)};
    *notes = end + 1;
    return 1;
}

char *notes_find(const char *notes, const char *key) {
    note line;
    while (notes_next(&notes, &line))
        if (strlen(key) == (size_t)line.key_length && strncmp(line.key, key, strlen(key)) == 0)
            return cli_format("%.*s", line.value_length, line.value);
    return NULL;
}
