/* seed_values.c - see seed_values.h. */
#include "seed_values.h"
#include "../base/cli.h"
#include "../base/table.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { MOST = 10000000, QUOTED = 40 }; /* seeds; letters of a wrong field that are told */

static char *take_names(seed_values *v, const table *t) {
    v->names = cli_alloc((size_t)v->columns, sizeof *v->names);
    for (int i = 0; i < v->columns; i++) v->names[i] = cli_format("%s", t->field[i + 1]);
    for (int i = 1; i < v->columns; i++)
        for (int k = 0; k < i; k++)
            if (*v->names[i] && strcmp(v->names[i], v->names[k]) == 0)
                return cli_format("line %d: two values are called %.*s", t->line, QUOTED, v->names[i]);
    return NULL;
}

static int is_number(const char *text, double *value) {
    char *end;
    *value = strtod(text, &end);
    return end != text && !*end && isfinite(*value);
}

static char *take_line(seed_values *v, const table *t) {
    const size_t columns = (size_t)v->columns, at = (size_t)v->count;
    double seed;
    if (!is_number(t->field[0], &seed) || seed < 0 || seed > UINT32_MAX || seed != floor(seed))
        return cli_format("line %d: %.*s is no seed, a whole number from 0 to 4294967295", t->line, QUOTED,
                          t->field[0]);
    if (at == MOST) return cli_format("more than %d seeds", MOST);
    if ((at & (at - 1)) == 0) { /* room for twice as many */
        const size_t room = at ? 2 * at : 1;
        v->seeds = cli_realloc(v->seeds, room, sizeof *v->seeds);
        v->values = cli_realloc(v->values, room, columns * sizeof *v->values);
    }
    v->seeds[at] = (uint32_t)seed;
    for (size_t i = 0; i < columns; i++)
        if (!is_number(t->field[i + 1], &v->values[at * columns + i]))
            return cli_format("line %d: %.*s is not a number", t->line, QUOTED,
                              *t->field[i + 1] ? t->field[i + 1] : "nothing");
    v->count++;
    return NULL;
}

static char *take_lines(seed_values *v, table *t) {
    char *fault = NULL;
    while (!fault && table_next(t)) {
        if (t->fields < 2) return cli_format("line %d: must be a seed, a tab and a value", t->line);
        const int is_first = !v->columns;
        if (is_first) v->columns = t->fields - 1;
        if (t->fields != v->columns + 1)
            return cli_format("line %d: has %d values, the lines before have %d", t->line, t->fields - 1, v->columns);
        double first;
        if (is_first && !is_number(t->field[0], &first))
            fault = take_names(v, t);
        else
            fault = take_line(v, t);
    }
    return fault;
}

char *seed_values_parse(seed_values *v, const unsigned char *bytes, size_t size) {
    table t;
    *v = (seed_values){0};
    char *fault = table_open(&t, bytes, size);
    if (!fault) fault = take_lines(v, &t);
    table_close(&t);
    return fault;
}

void seed_values_read(seed_values *v, const char *path) {
    file_view file = file_view_open(path);
    const char *fault = seed_values_parse(v, file.data, file.size);
    if (fault) cli_fail("%s: %s", path, fault);
    file_view_close(&file);
}

void seed_values_free(seed_values *v) {
    for (int i = 0; v->names && i < v->columns; i++) free(v->names[i]);
    free(v->names);
    free(v->values);
    free(v->seeds);
}
