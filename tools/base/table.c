/* table.c - see table.h. */
#include "table.h"
#include "cli.h"

#include <stdlib.h>
#include <string.h>

char *table_open(table *t, const unsigned char *bytes, size_t size) {
    static const unsigned char mark[3] = {0xef, 0xbb, 0xbf}; /* of UTF-8, which some editors put first */
    if (size >= sizeof mark && memcmp(bytes, mark, sizeof mark) == 0) bytes += sizeof mark, size -= sizeof mark;
    *t = (table){.text = cli_alloc(size + 1, 1)};
    if (size) memcpy(t->text, bytes, size);
    t->text[size] = 0;
    t->next = t->text;
    return strlen(t->text) == size ? NULL : cli_format("is no text");
}

static void split(table *t, char *line) {
    t->fields = 0;
    while (line) {
        t->field[t->fields++] = line;
        char *tab = t->fields < TABLE_FIELDS ? strchr(line, '\t') : NULL;
        if (tab) *tab++ = 0;
        line = tab;
    }
}

int table_next(table *t) {
    while (*t->next) {
        char *line = t->next;
        const size_t length = strcspn(line, "\n");
        t->next = line + length + (line[length] != 0);
        t->line++;
        line[length] = 0;
        if (length && line[length - 1] == '\r') line[length - 1] = 0;
        if (*line == 0 || *line == '#') continue;
        split(t, line);
        return 1;
    }
    return 0;
}

void table_close(table *t) {
    free(t->text);
}
