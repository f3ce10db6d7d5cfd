/* value.h - what a checkpoint holds, as inert values, and the arena they live in. */
#ifndef VALUE_H
#define VALUE_H

#include "../base/cli.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Everything that reading a checkpoint allocates, freed at once, and its first failure. Functions that take a reader
   may be called after a failure: they then do nothing and return NULL, 0 or false. */
typedef struct reader {
    struct arena_block *blocks;
    size_t allocated, limit;
    char error[240]; /* "": no failure */
} reader;

void reader_open(reader *r, size_t file_size);
void reader_close(reader *r);
void reader_fail(reader *r, const char *format, ...) CLI_PRINTF(2, 3);
void *reader_alloc(reader *r, size_t count, size_t size);                 /* zeroed; NULL beyond the limit */
char *reader_format(reader *r, const char *format, ...) CLI_PRINTF(2, 3); /* "" after a failure: never NULL */

typedef enum value_kind {
    VALUE_NONE,
    VALUE_BOOL,
    VALUE_INTEGER,
    VALUE_FLOAT,
    VALUE_TEXT,   /* text or bytes */
    VALUE_CLASS,  /* a name, "module.class": nothing is imported */
    VALUE_LIST,   /* a list, tuple or set */
    VALUE_DICT,   /* items: key, value, key, value, ... */
    VALUE_OBJECT, /* a call that was recorded and not made */
    VALUE_STORAGE /* a tensor's memory that lies outside the pickle */
} value_kind;

typedef struct value value;
struct value {
    value_kind kind;
    int64_t integer;           /* BOOL, INTEGER */
    double number;             /* BOOL, INTEGER, FLOAT */
    const unsigned char *data; /* TEXT, CLASS: into the file where possible. STORAGE: once found */
    size_t size;
    value **items; /* LIST, DICT; OBJECT: what was set by key */
    size_t count, capacity;
    value *callable, *arguments, *state; /* OBJECT. STORAGE: its persistent id in arguments */
    bool big_endian;                     /* STORAGE */
    bool used;                           /* TEXT, the name of a tensor: the network has it */
};

value *value_new(reader *r, value_kind kind);
value *value_text(reader *r, value_kind kind, const unsigned char *data, size_t size);
void value_append(reader *r, value *list, value *item);

/* All accept NULL and values of other kinds, and find nothing there. */
bool value_equals(const value *v, const char *text); /* TEXT, CLASS */
bool value_is_call(const value *v, const char *callable);
bool value_is_number(const value *v);
value *value_item(const value *list, size_t index);
value *value_get(const value *dict, const char *key);  /* DICT, OBJECT */
const char *value_describe(reader *r, const value *v); /* "a list", "posix.system", "'relu'", "3": for messages */

#endif
