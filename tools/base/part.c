/* part.c - see part.h. */
#include "part.h"
#include "cli.h"

#include <stdlib.h>
#include <string.h>

part part_parse(const char *text, int64_t items) {
    if (!text) return (part){1, 1};
    const char *slash = strchr(text, '/');
    if (!slash) cli_usage("--part %s: not a part such as 3/8, the third of eight", text);
    char *number = cli_format("%.*s", (int)(slash - text), text);
    part p;
    p.count = (int)cli_integer("--part ... /", slash + 1, 1, MOST_PARTS);
    p.number = (int)cli_integer("--part", number, 1, p.count);
    free(number);
    if (p.count > items) cli_usage("--part %s: there are only %lld pictures", text, (long long)items);
    return p;
}

int64_t part_first(part p, int64_t items) {
    return items * (p.number - 1) / p.count;
}

int64_t part_end(part p, int64_t items) {
    return items * p.number / p.count;
}

char *part_path(part p, const char *path) {
    const char *slash = strrchr(path, '/'), *dot = strrchr(path, '.');
    if (p.count == 1 || strcmp(path, "-") == 0) return cli_format("%s", path);
    if (!dot || (slash && dot < slash)) dot = path + strlen(path);
    return cli_format("%.*s.%d-of-%d%s", (int)(dot - path), path, p.number, p.count, dot);
}
