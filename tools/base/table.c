/* table.c - see table.h. */
#include "table.h"
#include "cli.h"

#include <stdlib.h>
#include <string.h>

void table_open(table *t, const char *path) {
    file_view file = file_view_open(path);
    if (file.size && memchr(file.data, 0, file.size)) cli_fail("%s: is no text", path);
    *t = (table){.path = path, .text = cli_alloc(file.size + 1, 1)};
    if (file.size) memcpy(t->text, file.data, file.size);
    t->text[file.size] = 0;
    t->next = t->text;
    file_view_close(&file);
}

static void split(table *t, char *line) {
    t->fields = 0;
    for (char *tab = line; tab; line = tab + 1) {
        if (t->fields == TABLE_FIELDS) cli_fail("%s: line %d: more than %d fields", t->path, t->line, TABLE_FIELDS);
        t->field[t->fields++] = line;
        tab = strchr(line, '\t');
        if (tab) *tab = 0;
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
