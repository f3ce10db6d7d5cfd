/* labels.c - see labels.h. Of JSON, what a list of labels needs; everything else in the file is skipped. */
#include "labels.h"
#include "../base/cli.h"

#include <stdlib.h>
#include <string.h>

/* Where the text is read. The first thing that is not as it should be is the fault; nothing is read after it. */
typedef struct json {
    const char *start, *at;
    const char *fault, *fault_at;
} json;

static void expect_failed(json *j, const char *wanted) {
    if (j->fault) return;
    j->fault = wanted;
    j->fault_at = j->at;
}

/* Whether the next sign, behind white space, is this one; takes it if so. */
static int take(json *j, char sign) {
    j->at += strspn(j->at, " \t\r\n");
    if (j->fault || *j->at != sign) return 0;
    j->at++;
    return 1;
}

static int hex_digits(json *j) {
    int code = 0;
    for (int i = 0; i < 4; i++, j->at++) {
        static const char digits[] = "0123456789abcdef0123456789ABCDEF";
        const char *digit = *j->at ? strchr(digits, *j->at) : NULL;
        if (!digit) return expect_failed(j, "four hexadecimal digits behind \\u"), 0;
        code = code * 16 + (int)((digit - digits) % 16);
    }
    return code;
}

static char *put_utf8(char *to, unsigned code) {
    if (code < 0x80) return *to++ = (char)code, to;
    const int more = code < 0x800 ? 1 : code < 0x10000 ? 2 : 3;
    static const unsigned char lead[] = {0, 0xC0, 0xE0, 0xF0};
    *to++ = (char)(lead[more] | code >> 6 * more);
    for (int i = more - 1; i >= 0; i--) *to++ = (char)(0x80 | (code >> 6 * i & 0x3F));
    return to;
}

static char *put_escaped(json *j, char *to) {
    static const char names[] = "\"\\/bfnrt", meanings[] = "\"\\/\b\f\n\r\t";
    const char *name = *j->at ? strchr(names, *j->at) : NULL;
    if (name) return j->at++, *to++ = meanings[name - names], to;
    if (*j->at != 'u') return expect_failed(j, "a known escape in a text"), to;
    j->at++;
    unsigned code = (unsigned)hex_digits(j);
    if (code >= 0xD800 && code < 0xDC00 && j->at[0] == '\\' && j->at[1] == 'u') { /* one sign in two halves */
        j->at += 2;
        code = 0x10000 + ((code & 0x3FF) << 10) + ((unsigned)hex_digits(j) & 0x3FF);
    }
    if (code == 0) expect_failed(j, "a text without zeros");
    return put_utf8(to, code);
}

/* A text, which the caller frees; never longer than it is written. */
static char *take_text(json *j) {
    if (!take(j, '"')) return expect_failed(j, "a text"), NULL;
    size_t space = strcspn(j->at, "\"") + 8;
    char *text = cli_alloc(space, 1), *to = text;
    while (!j->fault && *j->at && *j->at != '"') {
        if ((size_t)(to - text) + 8 > space) { /* a quotation mark in the text */
            const size_t used = (size_t)(to - text);
            text = cli_realloc(text, space *= 2, 1);
            to = text + used;
        }
        if (*j->at == '\\')
            j->at++, to = put_escaped(j, to);
        else
            *to++ = *j->at++;
    }
    *to = 0;
    if (!take(j, '"')) expect_failed(j, "the end of a text");
    return text;
}

static void skip_value(json *j, int depth) {
    enum { DEEPEST = 64 };
    const int list = take(j, '['), object = !list && take(j, '{');
    const char end = list ? ']' : '}';
    if (depth > DEEPEST) expect_failed(j, "fewer lists within lists");
    if (list || object) {
        if (take(j, end)) return;
        do {
            if (object) free(take_text(j));
            if (object && !take(j, ':')) expect_failed(j, ":");
            skip_value(j, depth + 1);
        } while (!j->fault && take(j, ','));
        if (!take(j, end)) expect_failed(j, list ? "]" : "}");
    } else if (*j->at == '"') {
        free(take_text(j));
    } else {
        const size_t length =
            strspn(j->at, "+-.0123456789abcdefghijklmnopqrstuvwxyzE"); /* a number, true, false, null */
        if (!length) expect_failed(j, "a value");
        j->at += length;
    }
}

static void take_label(json *j, label_list *list) {
    if (!take(j, '[')) expect_failed(j, "[\"file\", class]");
    char *file = take_text(j), *end;
    if (!take(j, ',')) expect_failed(j, ", and a class");
    j->at += strspn(j->at, " \t\r\n");
    const double value = strtod(j->at, &end);
    if (end == j->at || !(value >= 0 && value < MOST_LABELS) || value != (double)(int)value)
        expect_failed(j, "a class, a whole number from 0 to 65535");
    j->at = end;
    if (!take(j, ']')) expect_failed(j, "]");
    if (j->fault) {
        free(file);
        return;
    }
    if ((list->count & (list->count - 1)) == 0) /* grows by doubling */
        list->items = cli_realloc(list->items, list->count ? 2 * list->count : 1, sizeof *list->items);
    list->items[list->count++] = (file_label){file, (int)value};
}

static void take_labels(json *j, label_list *list) {
    j->at += strspn(j->at, " \t\r\n");
    if (strncmp(j->at, "null", 4) == 0) {
        j->at += 4;
        return;
    }
    if (!take(j, '[')) expect_failed(j, "a list of labels");
    if (take(j, ']')) return;
    do take_label(j, list);
    while (!j->fault && take(j, ','));
    if (!take(j, ']')) expect_failed(j, "]");
}

static int compare_files(const void *a, const void *b) {
    return strcmp(((const file_label *)a)->file, ((const file_label *)b)->file);
}

char *label_list_parse(const char *text, label_list *list) {
    json j = {text, text, NULL, NULL};
    *list = (label_list){NULL, 0};
    if (!take(&j, '{')) expect_failed(&j, "{\"labels\": ...}");
    do {
        char *key = take_text(&j);
        if (!take(&j, ':')) expect_failed(&j, ":");
        if (key && strcmp(key, "labels") == 0)
            take_labels(&j, list);
        else
            skip_value(&j, 0);
        free(key);
    } while (!j.fault && take(&j, ','));
    if (!take(&j, '}')) expect_failed(&j, "}");
    if (list->count) qsort(list->items, list->count, sizeof *list->items, compare_files);
    return j.fault ? cli_format("byte %td should be %s", j.fault_at - j.start, j.fault) : NULL;
}

void label_list_free(label_list *list) {
    for (size_t i = 0; i < list->count; i++) free(list->items[i].file);
    free(list->items);
}

int label_list_find(const label_list *list, const char *file) {
    const file_label key = {(char *)(uintptr_t)file, 0};
    const file_label *found = list->count ? bsearch(&key, list->items, list->count, sizeof key, compare_files) : NULL;
    return found ? found->class_index : -1;
}
