/* value.c - the arena and the access to values. */
#include "value.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK_SIZE = 1 << 16, ALIGNMENT = 16 };

/* What parsing needs beside twice the file: real checkpoints stay far below. */
static const size_t FIXED_LIMIT = (size_t)64 << 20;

typedef struct arena_block {
    struct arena_block *next;
    size_t used, size;
    union {
        double number;
        void *pointer;
        int64_t integer;
    } memory[]; /* aligned for every type used */
} arena_block;

void reader_open(reader *r, size_t file_size) {
    memset(r, 0, sizeof *r);
    r->limit = FIXED_LIMIT + 2 * file_size;
}

void reader_close(reader *r) {
    while (r->blocks) {
        arena_block *next = r->blocks->next;
        free(r->blocks);
        r->blocks = next;
    }
}

static void format_error(reader *r, const char *format, va_list arguments) {
    vsnprintf(r->error, sizeof r->error, format, arguments);
    for (char *c = r->error; *c; c++) {
        if ((unsigned char)*c < 32 || (unsigned char)*c > 126) *c = '?'; /* names in files may hold anything */
    }
}

void reader_fail(reader *r, const char *format, ...) {
    if (r->error[0]) return;
    va_list arguments;
    va_start(arguments, format);
    format_error(r, format, arguments);
    va_end(arguments);
}

void *reader_alloc(reader *r, size_t count, size_t size) {
    if (r->error[0]) return NULL;
    if (size && count > (r->limit - r->allocated) / size) {
        reader_fail(r, "describing its contents takes more than %zu MB: not a generator's checkpoint", r->limit >> 20);
        return NULL;
    }
    const size_t bytes = (count * size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    arena_block *block = r->blocks;
    if (!block || block->size - block->used < bytes) {
        const size_t block_size = bytes > BLOCK_SIZE ? bytes : BLOCK_SIZE;
        block = cli_alloc(1, sizeof *block + block_size);
        memset(block, 0, sizeof *block + block_size);
        block->size = block_size;
        block->next = r->blocks;
        r->blocks = block;
    }
    void *memory = (unsigned char *)block->memory + block->used;
    block->used += bytes;
    r->allocated = r->allocated + bytes < r->limit ? r->allocated + bytes : r->limit;
    return memory;
}

char *reader_format(reader *r, const char *format, ...) {
    static char nothing[1];
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    char *text = length < 0 ? NULL : reader_alloc(r, (size_t)length + 1, 1);
    if (text) vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    va_end(arguments);
    return text ? text : nothing;
}

value *value_new(reader *r, value_kind kind) {
    value *v = reader_alloc(r, 1, sizeof *v);
    if (v) v->kind = kind;
    return v;
}

value *value_text(reader *r, value_kind kind, const unsigned char *data, size_t size) {
    value *v = value_new(r, kind);
    if (v) {
        v->data = data;
        v->size = size;
    }
    return v;
}

void value_append(reader *r, value *list, value *item) {
    if (!list || !item) return;
    if (list->count == list->capacity) {
        const size_t capacity = list->capacity ? 2 * list->capacity : 4;
        value **items = reader_alloc(r, capacity, sizeof *items);
        if (!items) return;
        if (list->count) memcpy(items, list->items, list->count * sizeof *items);
        list->items = items;
        list->capacity = capacity;
    }
    list->items[list->count++] = item;
}

bool value_equals(const value *v, const char *text) {
    return v && (v->kind == VALUE_TEXT || v->kind == VALUE_CLASS) && v->size == strlen(text) &&
           !memcmp(v->data, text, v->size);
}

bool value_is_call(const value *v, const char *callable) {
    return v && v->kind == VALUE_OBJECT && value_equals(v->callable, callable);
}

bool value_is_number(const value *v) {
    return v && (v->kind == VALUE_BOOL || v->kind == VALUE_INTEGER || v->kind == VALUE_FLOAT);
}

value *value_item(const value *list, size_t index) {
    return list && list->kind == VALUE_LIST && index < list->count ? list->items[index] : NULL;
}

value *value_get(const value *dict, const char *key) {
    if (!dict || (dict->kind != VALUE_DICT && dict->kind != VALUE_OBJECT)) return NULL;
    for (size_t i = dict->count; i >= 2; i -= 2) { /* the last one set counts */
        if (value_equals(dict->items[i - 2], key)) return dict->items[i - 1];
    }
    return NULL;
}

const char *value_describe(reader *r, const value *v) {
    enum { LONGEST = 80 };
    static const char *const kinds[] = {"None",    "a truth value", "a number",     "a number",  "text",
                                        "a class", "a list",        "a dictionary", "an object", "a storage"};
    if (!v) return "nothing";
    if (v->kind == VALUE_OBJECT && v->callable->kind == VALUE_CLASS) v = v->callable;
    const int size = v->size < LONGEST ? (int)v->size : LONGEST;
    if (v->kind == VALUE_CLASS) return reader_format(r, "%.*s", size, v->data);
    if (v->kind == VALUE_TEXT) return reader_format(r, "'%.*s'", size, v->data);
    if (value_is_number(v)) return reader_format(r, "%g", v->number);
    return kinds[v->kind];
}
