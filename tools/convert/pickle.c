/* pickle.c - the pickle machine: a stack, a memo, and opcodes that build values. */
#include "pickle.h"
#include "tensor.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct machine {
    reader *r;
    const unsigned char *data;
    size_t size, at;
    value **stack;
    size_t count, capacity;
    size_t *marks; /* the stack's height at each open MARK */
    size_t mark_count, mark_capacity;
    value **memo;
    size_t memo_capacity, memo_next;
    value *storages, *none;
    bool stopped;
    const char *opcode; /* being run, at byte `opcode_at`: for messages */
    size_t opcode_at;
} machine;

/* What follows an opcode. */
typedef enum operand_kind {
    NO_OPERAND,
    NUMBER1, /* little-endian numbers of so many bytes */
    NUMBER2,
    NUMBER4,
    NUMBER8,
    BYTES1, /* a length of so many bytes, then the bytes */
    BYTES4,
    BYTES8,
    LINE, /* bytes up to a newline */
    TWO_LINES
} operand_kind;

typedef struct operand {
    uint64_t number;
    const unsigned char *data;
    size_t size;
    const unsigned char *second; /* line */
    size_t second_size;
    int parameter; /* from the opcode table */
} operand;

static void fail(machine *m, const char *what) {
    reader_fail(m->r, "pickle opcode %s at byte %zu: %s", m->opcode, m->opcode_at, what);
}

/* --- The stack --- */

static void *grown(machine *m, const void *old, size_t used, size_t *capacity, size_t needed, size_t size) {
    const size_t larger = needed > 2 * *capacity ? needed : 2 * *capacity;
    void *memory = reader_alloc(m->r, larger, size);
    if (!memory) return NULL;
    if (used) memcpy(memory, old, used * size);
    *capacity = larger;
    return memory;
}

static void push(machine *m, value *v) {
    if (!v) return;
    if (m->count == m->capacity) {
        value **stack = grown(m, m->stack, m->count, &m->capacity, 0, sizeof *stack);
        if (!stack) return;
        m->stack = stack;
    }
    m->stack[m->count++] = v;
}

/* The values pushed since the last MARK are above this height. */
static size_t floor_of(const machine *m) {
    return m->mark_count ? m->marks[m->mark_count - 1] : 0;
}

static value *top(machine *m) {
    if (m->count > floor_of(m)) return m->stack[m->count - 1];
    fail(m, "the stack is empty");
    return NULL;
}

static value *pop(machine *m) {
    value *v = top(m);
    if (v) m->count--;
    return v;
}

/* Takes everything above the last MARK off the stack; *count values at the result. */
static value **pop_mark(machine *m, size_t *count) {
    *count = 0;
    if (!m->mark_count) {
        fail(m, "no MARK");
        return NULL;
    }
    const size_t height = m->marks[--m->mark_count];
    *count = m->count - height;
    m->count = height;
    return m->stack + height;
}

static value *list_of(machine *m, value **items, size_t count) {
    value *list = value_new(m->r, VALUE_LIST);
    if (!list || !count) return list;
    list->items = reader_alloc(m->r, count, sizeof *items);
    if (!list->items) return NULL;
    memcpy(list->items, items, count * sizeof *items);
    list->count = list->capacity = count;
    return list;
}

/* --- Text --- */

static size_t put_utf8(unsigned char *out, uint32_t c) {
    if (c < 0x80) {
        out[0] = (unsigned char)c;
        return 1;
    }
    const int more = c < 0x800 ? 1 : c < 0x10000 ? 2 : 3;
    out[0] = (unsigned char)((0xff00u >> (more + 1) & 0xff) | c >> 6 * more);
    for (int i = 1; i <= more; i++) out[i] = (unsigned char)(0x80 | (c >> 6 * (more - i) & 0x3f));
    return (size_t)more + 1;
}

/* The number of `digits` digits at `text`, -1 if they are not all there. */
static int32_t digits_value(const unsigned char *text, const unsigned char *end, int digits, int base) {
    int32_t number = 0;
    for (int i = 0; i < digits; i++, text++) {
        const char *all = "0123456789abcdef", *lower = text < end && *text ? strchr(all, *text | 0x20) : NULL;
        if (!lower || lower - all >= base) return -1;
        number = number * base + (int32_t)(lower - all);
    }
    return number;
}

static size_t unescape_one(const unsigned char *text, const unsigned char *end, unsigned char *out, size_t *length) {
    static const char names[] = "abfnrtv\\'\"", values[] = "\a\b\f\n\r\t\v\\'\"";
    const char *simple = text + 1 < end && text[1] ? strchr(names, text[1]) : NULL;
    const int32_t hex = text + 1 < end && text[1] == 'x' ? digits_value(text + 2, end, 2, 16) : -1;
    const int32_t octal = digits_value(text + 1, end, 3, 8);
    *length = 1;
    out[0] = simple       ? (unsigned char)values[simple - names]
             : hex >= 0   ? (unsigned char)hex
             : octal >= 0 ? (unsigned char)octal
                          : '\\';
    return simple ? 2 : hex >= 0 || octal >= 0 ? 4 : 1;
}

static size_t unescape_unicode(const unsigned char *text, const unsigned char *end, unsigned char *out,
                               size_t *length) {
    const int digits = text + 1 < end && text[1] == 'u' ? 4 : text + 1 < end && text[1] == 'U' ? 6 : 0;
    const size_t skipped = digits == 6 ? 4 : 2; /* \U00 is followed by at most 10ffff */
    const int32_t code = digits && text + skipped < end ? digits_value(text + skipped, end, digits, 16) : -1;
    *length = put_utf8(out, code >= 0 ? (uint32_t)code : *text);
    return code >= 0 ? skipped + (size_t)digits : 1;
}

/* Text of protocol 0: STRING escapes bytes, UNICODE (parameter 1) escapes code points in Latin-1. */
static void push_escaped(machine *m, const operand *x) {
    const unsigned char *text = x->data, *end = x->data + x->size;
    if (!x->parameter && x->size >= 2 && (*text == '\'' || *text == '"') && end[-1] == *text) text++, end--;
    unsigned char *out = reader_alloc(m->r, x->size + 1, 2);
    size_t size = 0, length = 0;
    while (out && text < end) {
        if (*text == '\\') {
            text += (x->parameter ? unescape_unicode : unescape_one)(text, end, out + size, &length);
        } else {
            length = x->parameter ? put_utf8(out + size, *text) : 1;
            if (length == 1) out[size] = *text;
            text++;
        }
        size += length;
    }
    if (out) push(m, value_text(m->r, VALUE_TEXT, out, size));
}

/* Python 3 writes bytes in protocols 0 to 2 as _codecs.encode(text, 'latin1'). */
static value *latin1_bytes(machine *m, const value *text) {
    if (!text || text->kind != VALUE_TEXT) return NULL;
    unsigned char *out = reader_alloc(m->r, text->size + 1, 1);
    size_t size = 0;
    for (size_t i = 0; out && i < text->size; i++) {
        const unsigned char c = text->data[i];
        const bool pair = (c == 0xc2 || c == 0xc3) && i + 1 < text->size && (text->data[i + 1] & 0xc0) == 0x80;
        if (c >= 0x80 && !pair) {
            fail(m, "the text is not Latin-1");
            return NULL;
        }
        out[size++] = pair ? (unsigned char)((c & 3) << 6 | (text->data[++i] & 0x3f)) : c;
    }
    return out ? value_text(m->r, VALUE_TEXT, out, size) : NULL;
}

/* --- Calls: recorded, apart from a few that only make plain values --- */

static value *make_dict(machine *m, const value *arguments) {
    value *dict = value_new(m->r, VALUE_DICT);
    const value *source = value_item(arguments, 0);
    for (size_t i = 0; source && i < source->count; i++) {
        if (source->kind == VALUE_DICT) {
            value_append(m->r, dict, source->items[i]);
        } else if (source->items[i]->kind == VALUE_LIST && source->items[i]->count == 2) {
            value_append(m->r, dict, source->items[i]->items[0]);
            value_append(m->r, dict, source->items[i]->items[1]);
        }
    }
    return dict;
}

static value *make_list(machine *m, const value *arguments) {
    const value *source = value_item(arguments, 0);
    return source && source->kind == VALUE_LIST ? list_of(m, source->items, source->count)
                                                : value_new(m->r, VALUE_LIST);
}

static value *make_bytes(machine *m, const value *arguments) {
    const value *text = value_item(arguments, 0);
    if (text && text->kind == VALUE_TEXT)
        return value_item(arguments, 1) ? latin1_bytes(m, text) : value_item(arguments, 0);
    return value_text(m->r, VALUE_TEXT, (const unsigned char *)"", 0);
}

static value *call(machine *m, value *callable, value *arguments);

/* Objects of protocols 0 and 1: (class, base class, the base's value). */
static value *reconstruct(machine *m, const value *arguments) {
    value *base_value = value_item(arguments, 2), *own_class = value_item(arguments, 0);
    if (base_value && base_value->kind == VALUE_DICT) return base_value;
    if (!own_class || value_equals(own_class, "copy_reg._reconstructor") ||
        value_equals(own_class, "copyreg._reconstructor"))
        return NULL;
    return call(m, own_class, list_of(m, NULL, 0));
}

static const struct {
    const char *callable;
    value *(*make)(machine *m, const value *arguments);
} plain_calls[] = {
    {"collections.OrderedDict", make_dict},  {"dnnlib.util.EasyDict", make_dict},
    {"dnnlib.EasyDict", make_dict},          {"builtins.dict", make_dict},
    {"__builtin__.dict", make_dict},         {"builtins.list", make_list},
    {"__builtin__.list", make_list},         {"builtins.tuple", make_list},
    {"__builtin__.tuple", make_list},        {"builtins.set", make_list},
    {"__builtin__.set", make_list},          {"builtins.frozenset", make_list},
    {"__builtin__.frozenset", make_list},    {"builtins.bytes", make_bytes},
    {"__builtin__.bytes", make_bytes},       {"builtins.bytearray", make_bytes},
    {"__builtin__.bytearray", make_bytes},   {"_codecs.encode", make_bytes},
    {"copyreg._reconstructor", reconstruct}, {"copy_reg._reconstructor", reconstruct},
};

static value *call(machine *m, value *callable, value *arguments) {
    if (!callable || !arguments) return NULL;
    if (callable->kind != VALUE_CLASS) {
        fail(m, "what is called is not a class");
        return NULL;
    }
    for (size_t i = 0; i < sizeof plain_calls / sizeof *plain_calls; i++) {
        if (value_equals(callable, plain_calls[i].callable)) return plain_calls[i].make(m, arguments);
    }
    value *object = value_new(m->r, VALUE_OBJECT);
    if (object) {
        object->callable = callable;
        object->arguments = arguments;
    }
    value *number = value_is_call(object, "numpy.core.multiarray.scalar") ? scalar_number(m->r, object) : NULL;
    return number ? number : object;
}

static void push_result(machine *m, value *result) {
    if (!result) fail(m, "wrong arguments");
    push(m, result);
}

/* --- The opcodes --- */

static void op_ignore(machine *m, const operand *x) {
    (void)m;
    (void)x;
}

static void op_protocol(machine *m, const operand *x) {
    if (x->number > 5) fail(m, "protocols above 5 are not supported");
}

static void op_stop(machine *m, const operand *x) {
    (void)x;
    m->stopped = true;
}

static void op_mark(machine *m, const operand *x) {
    (void)x;
    if (m->mark_count == m->mark_capacity) {
        size_t *marks = grown(m, m->marks, m->mark_count, &m->mark_capacity, 64, sizeof *marks);
        if (!marks) return;
        m->marks = marks;
    }
    m->marks[m->mark_count++] = m->count;
}

static void op_pop(machine *m, const operand *x) {
    (void)x;
    if (m->mark_count && m->count == floor_of(m)) {
        m->mark_count--;
    } else {
        pop(m);
    }
}

static void op_pop_mark(machine *m, const operand *x) {
    (void)x;
    size_t count;
    pop_mark(m, &count);
}

static void op_dup(machine *m, const operand *x) {
    (void)x;
    push(m, top(m));
}

static void op_none(machine *m, const operand *x) {
    (void)x;
    push(m, m->none);
}

static void push_number(machine *m, value_kind kind, int64_t integer, double number) {
    value *v = value_new(m->r, kind);
    if (!v) return;
    v->integer = integer;
    v->number = number;
    push(m, v);
}

static void op_bool(machine *m, const operand *x) {
    push_number(m, VALUE_BOOL, x->parameter, x->parameter);
}

static void op_integer(machine *m, const operand *x) {
    const int64_t integer =
        x->parameter ? (int64_t)(int32_t)(uint32_t)x->number : (int64_t)x->number; /* BININT has a sign */
    push_number(m, VALUE_INTEGER, integer, (double)integer);
}

/* LONG1, LONG4: two's complement, little-endian. What exceeds 64 bits is cut to the nearest that fits. */
static void op_long(machine *m, const operand *x) {
    const uint64_t sign = x->size && x->data[x->size - 1] & 0x80 ? ~(uint64_t)0 : 0;
    uint64_t bits = sign;
    for (size_t i = x->size < 8 ? x->size : 8; i-- > 0;) bits = bits << 8 | x->data[i];
    const int64_t integer = x->size > 8 ? (sign ? INT64_MIN : INT64_MAX) : (int64_t)bits;
    push_number(m, VALUE_INTEGER, integer, (double)integer);
}

/* INT, LONG and FLOAT of protocol 0. */
static void op_decimal(machine *m, const operand *x) {
    char text[400];
    if (x->size >= sizeof text) {
        fail(m, "the number is too long");
        return;
    }
    memcpy(text, x->data, x->size);
    text[x->size] = 0;
    if (x->parameter) {
        push_number(m, VALUE_FLOAT, 0, strtod(text, NULL));
    } else if (!strcmp(text, "00") || !strcmp(text, "01")) {
        push_number(m, VALUE_BOOL, text[1] == '1', text[1] == '1');
    } else {
        const int64_t integer = strtoll(text, NULL, 10);
        push_number(m, VALUE_INTEGER, integer, (double)integer);
    }
}

static void op_binary_float(machine *m, const operand *x) {
    uint64_t bits = 0; /* the only big-endian number of the format */
    for (int i = 0; i < 8; i++) bits |= (x->number >> 8 * i & 0xff) << 8 * (7 - i);
    double number;
    memcpy(&number, &bits, sizeof number);
    push_number(m, VALUE_FLOAT, 0, number);
}

static void op_text(machine *m, const operand *x) {
    push(m, value_text(m->r, VALUE_TEXT, x->data, x->size));
}

static void op_empty(machine *m, const operand *x) {
    push(m, value_new(m->r, (value_kind)x->parameter));
}

/* TUPLE1 to TUPLE3. */
static void op_tuple(machine *m, const operand *x) {
    const size_t count = (size_t)x->parameter;
    if (m->count - floor_of(m) < count) {
        fail(m, "the stack is empty");
        return;
    }
    value *tuple = list_of(m, m->stack + m->count - count, count);
    m->count -= count;
    push(m, tuple);
}

/* TUPLE, LIST, FROZENSET. */
static void op_sequence(machine *m, const operand *x) {
    (void)x;
    size_t count;
    value **items = pop_mark(m, &count);
    if (items) push(m, list_of(m, items, count));
}

static void set_items(machine *m, value *dict, value **items, size_t count) {
    if (!dict) return;
    if (count % 2) {
        fail(m, "a key without a value");
    } else if (dict->kind != VALUE_DICT && dict->kind != VALUE_OBJECT) {
        fail(m, "not a dictionary");
    }
    for (size_t i = 0; i < count && !m->r->error[0]; i++) value_append(m->r, dict, items[i]);
}

static void op_dict(machine *m, const operand *x) {
    (void)x;
    size_t count;
    value **items = pop_mark(m, &count), *dict = value_new(m->r, VALUE_DICT);
    if (items) set_items(m, dict, items, count);
    push(m, dict);
}

static void op_set_items(machine *m, const operand *x) {
    (void)x;
    size_t count;
    value **items = pop_mark(m, &count);
    if (items) set_items(m, top(m), items, count);
}

static void op_set_item(machine *m, const operand *x) {
    (void)x;
    value *item = pop(m), *key = pop(m);
    if (item && key) set_items(m, top(m), (value *[]){key, item}, 2);
}

/* Elements of unknown objects (queues, ...) are of no interest. */
static void append_items(machine *m, value *list, value **items, size_t count) {
    if (!list) return;
    if (list->kind != VALUE_LIST && list->kind != VALUE_OBJECT) fail(m, "not a list");
    for (size_t i = 0; i < count && list->kind == VALUE_LIST; i++) value_append(m->r, list, items[i]);
}

static void op_appends(machine *m, const operand *x) {
    (void)x;
    size_t count;
    value **items = pop_mark(m, &count);
    if (items) append_items(m, top(m), items, count);
}

static void op_append(machine *m, const operand *x) {
    (void)x;
    value *item = pop(m);
    if (item) append_items(m, top(m), &item, 1);
}

static void remember(machine *m, uint64_t index) {
    value *v = top(m);
    if (!v) return;
    if (index >= m->size) { /* each PUT takes a byte at least */
        fail(m, "the memo index is out of range");
        return;
    }
    if (index >= m->memo_capacity) {
        const size_t used = m->memo_capacity;
        value **memo = grown(m, m->memo, used, &m->memo_capacity, (size_t)index + 1, sizeof *memo);
        if (!memo) return;
        m->memo = memo;
    }
    m->memo[index] = v;
    m->memo_next++;
}

static void recall(machine *m, uint64_t index) {
    if (index < m->memo_capacity && m->memo[index]) {
        push(m, m->memo[index]);
    } else {
        fail(m, "nothing was put there");
    }
}

static uint64_t line_number(const operand *x) {
    uint64_t number = 0;
    for (size_t i = 0; i < x->size && x->data[i] >= '0' && x->data[i] <= '9' && number < UINT32_MAX; i++) {
        number = number * 10 + (uint64_t)(x->data[i] - '0');
    }
    return number;
}

static void op_put(machine *m, const operand *x) {
    remember(m, x->parameter ? line_number(x) : x->number);
}

static void op_memoize(machine *m, const operand *x) {
    (void)x;
    remember(m, m->memo_next);
}

static void op_get(machine *m, const operand *x) {
    recall(m, x->parameter ? line_number(x) : x->number);
}

static value *class_named(machine *m, const unsigned char *module, size_t module_size, const unsigned char *name,
                          size_t name_size) {
    static const char renamed[] = "numpy._core"; /* numpy.core since version 2 */
    const size_t cut = sizeof renamed - 1;
    const bool is_new = module_size >= cut && !memcmp(module, renamed, cut);
    unsigned char *full = reader_alloc(m->r, module_size + name_size + 2, 1);
    if (!full) return NULL;
    size_t size = 0;
    for (size_t i = 0; i < module_size; i++) {
        if (!is_new || i != 6) full[size++] = module[i];
    }
    full[size++] = '.';
    memcpy(full + size, name, name_size);
    return value_text(m->r, VALUE_CLASS, full, size + name_size);
}

static void op_global(machine *m, const operand *x) {
    push(m, class_named(m, x->data, x->size, x->second, x->second_size));
}

static void op_stack_global(machine *m, const operand *x) {
    (void)x;
    value *name = pop(m), *module = pop(m);
    if (!name || !module) return;
    if (name->kind != VALUE_TEXT || module->kind != VALUE_TEXT) {
        fail(m, "the name is not text");
        return;
    }
    push(m, class_named(m, module->data, module->size, name->data, name->size));
}

/* REDUCE, NEWOBJ; NEWOBJ_EX (parameter 1) has keyword arguments as well. */
static void op_call(machine *m, const operand *x) {
    if (x->parameter) pop(m);
    value *arguments = pop(m), *callable = pop(m);
    push_result(m, call(m, callable, arguments));
}

static void op_instance(machine *m, const operand *x) {
    size_t count;
    value **items = pop_mark(m, &count);
    if (items)
        push_result(m, call(m, class_named(m, x->data, x->size, x->second, x->second_size), list_of(m, items, count)));
}

static void op_object(machine *m, const operand *x) {
    (void)x;
    size_t count;
    value **items = pop_mark(m, &count);
    if (items) push_result(m, count ? call(m, items[0], list_of(m, items + 1, count - 1)) : NULL);
}

/* Only objects keep a state: that of a plain container's subclass is of no interest. */
static void op_build(machine *m, const operand *x) {
    (void)x;
    value *state = pop(m), *object = top(m);
    if (state && object && object->kind == VALUE_OBJECT) object->state = state;
}

static void push_storage(machine *m, value *id) {
    value *storage = value_new(m->r, VALUE_STORAGE);
    if (!storage || !id) return;
    storage->arguments = id;
    value_append(m->r, m->storages, storage);
    push(m, storage);
}

static void op_persistent(machine *m, const operand *x) {
    (void)x;
    push_storage(m, pop(m));
}

static void op_persistent_line(machine *m, const operand *x) {
    push_storage(m, value_text(m->r, VALUE_TEXT, x->data, x->size));
}

static const struct opcode {
    const char *name;
    operand_kind operand;
    void (*run)(machine *m, const operand *x);
    int parameter;
} opcodes[256] = {
    ['('] = {"MARK", NO_OPERAND, op_mark, 0},
    ['.'] = {"STOP", NO_OPERAND, op_stop, 0},
    ['0'] = {"POP", NO_OPERAND, op_pop, 0},
    ['1'] = {"POP_MARK", NO_OPERAND, op_pop_mark, 0},
    ['2'] = {"DUP", NO_OPERAND, op_dup, 0},
    ['F'] = {"FLOAT", LINE, op_decimal, 1},
    ['I'] = {"INT", LINE, op_decimal, 0},
    ['L'] = {"LONG", LINE, op_decimal, 0},
    ['J'] = {"BININT", NUMBER4, op_integer, 1},
    ['K'] = {"BININT1", NUMBER1, op_integer, 0},
    ['M'] = {"BININT2", NUMBER2, op_integer, 0},
    ['G'] = {"BINFLOAT", NUMBER8, op_binary_float, 0},
    ['N'] = {"NONE", NO_OPERAND, op_none, 0},
    ['P'] = {"PERSID", LINE, op_persistent_line, 0},
    ['Q'] = {"BINPERSID", NO_OPERAND, op_persistent, 0},
    ['R'] = {"REDUCE", NO_OPERAND, op_call, 0},
    ['S'] = {"STRING", LINE, push_escaped, 0},
    ['V'] = {"UNICODE", LINE, push_escaped, 1},
    ['T'] = {"BINSTRING", BYTES4, op_text, 0},
    ['U'] = {"SHORT_BINSTRING", BYTES1, op_text, 0},
    ['X'] = {"BINUNICODE", BYTES4, op_text, 0},
    ['B'] = {"BINBYTES", BYTES4, op_text, 0},
    ['C'] = {"SHORT_BINBYTES", BYTES1, op_text, 0},
    ['a'] = {"APPEND", NO_OPERAND, op_append, 0},
    ['e'] = {"APPENDS", NO_OPERAND, op_appends, 0},
    ['b'] = {"BUILD", NO_OPERAND, op_build, 0},
    ['c'] = {"GLOBAL", TWO_LINES, op_global, 0},
    ['i'] = {"INST", TWO_LINES, op_instance, 0},
    ['o'] = {"OBJ", NO_OPERAND, op_object, 0},
    ['d'] = {"DICT", NO_OPERAND, op_dict, 0},
    ['l'] = {"LIST", NO_OPERAND, op_sequence, 0},
    ['t'] = {"TUPLE", NO_OPERAND, op_sequence, 0},
    [')'] = {"EMPTY_TUPLE", NO_OPERAND, op_empty, VALUE_LIST},
    [']'] = {"EMPTY_LIST", NO_OPERAND, op_empty, VALUE_LIST},
    ['}'] = {"EMPTY_DICT", NO_OPERAND, op_empty, VALUE_DICT},
    ['g'] = {"GET", LINE, op_get, 1},
    ['h'] = {"BINGET", NUMBER1, op_get, 0},
    ['j'] = {"LONG_BINGET", NUMBER4, op_get, 0},
    ['p'] = {"PUT", LINE, op_put, 1},
    ['q'] = {"BINPUT", NUMBER1, op_put, 0},
    ['r'] = {"LONG_BINPUT", NUMBER4, op_put, 0},
    ['s'] = {"SETITEM", NO_OPERAND, op_set_item, 0},
    ['u'] = {"SETITEMS", NO_OPERAND, op_set_items, 0},
    [0x80] = {"PROTO", NUMBER1, op_protocol, 0},
    [0x81] = {"NEWOBJ", NO_OPERAND, op_call, 0},
    [0x85] = {"TUPLE1", NO_OPERAND, op_tuple, 1},
    [0x86] = {"TUPLE2", NO_OPERAND, op_tuple, 2},
    [0x87] = {"TUPLE3", NO_OPERAND, op_tuple, 3},
    [0x88] = {"NEWTRUE", NO_OPERAND, op_bool, 1},
    [0x89] = {"NEWFALSE", NO_OPERAND, op_bool, 0},
    [0x8a] = {"LONG1", BYTES1, op_long, 0},
    [0x8b] = {"LONG4", BYTES4, op_long, 0},
    [0x8c] = {"SHORT_BINUNICODE", BYTES1, op_text, 0},
    [0x8d] = {"BINUNICODE8", BYTES8, op_text, 0},
    [0x8e] = {"BINBYTES8", BYTES8, op_text, 0},
    [0x8f] = {"EMPTY_SET", NO_OPERAND, op_empty, VALUE_LIST},
    [0x90] = {"ADDITEMS", NO_OPERAND, op_appends, 0},
    [0x91] = {"FROZENSET", NO_OPERAND, op_sequence, 0},
    [0x92] = {"NEWOBJ_EX", NO_OPERAND, op_call, 1},
    [0x93] = {"STACK_GLOBAL", NO_OPERAND, op_stack_global, 0},
    [0x94] = {"MEMOIZE", NO_OPERAND, op_memoize, 0},
    [0x95] = {"FRAME", NUMBER8, op_ignore, 0},
    [0x96] = {"BYTEARRAY8", BYTES8, op_text, 0},
};

/* --- Reading --- */

static uint64_t read_number(machine *m, size_t bytes) {
    uint64_t number = 0;
    if (m->size - m->at < bytes) {
        fail(m, "the file ends here");
        return 0;
    }
    for (size_t i = 0; i < bytes; i++) number |= (uint64_t)m->data[m->at + i] << 8 * i;
    m->at += bytes;
    return number;
}

static const unsigned char *read_bytes(machine *m, uint64_t count) {
    const unsigned char *bytes = m->data + m->at;
    if (count > m->size - m->at) {
        reader_fail(m->r, "pickle opcode %s at byte %zu: wants %llu bytes, but %zu are left", m->opcode, m->opcode_at,
                    (unsigned long long)count, m->size - m->at);
        return NULL;
    }
    m->at += (size_t)count;
    return bytes;
}

static const unsigned char *read_line(machine *m, size_t *size) {
    const unsigned char *line = m->data + m->at, *end = memchr(line, '\n', m->size - m->at);
    if (!end) {
        fail(m, "the file ends here");
        return NULL;
    }
    *size = (size_t)(end - line);
    m->at += *size + 1;
    if (*size && line[*size - 1] == '\r') --*size;
    return line;
}

static operand read_operand(machine *m, operand_kind kind) {
    static const size_t widths[] = {
        [NUMBER1] = 1, [NUMBER2] = 2, [NUMBER4] = 4, [NUMBER8] = 8, [BYTES1] = 1, [BYTES4] = 4, [BYTES8] = 8};
    operand x = {0};
    if (kind >= NUMBER1 && kind <= BYTES8) x.number = read_number(m, widths[kind]);
    if (kind >= BYTES1 && kind <= BYTES8) {
        x.data = read_bytes(m, x.number);
        x.size = (size_t)x.number;
    }
    if (kind >= LINE) x.data = read_line(m, &x.size);
    if (kind == TWO_LINES && x.data) x.second = read_line(m, &x.second_size);
    return x;
}

static void step(machine *m) {
    m->opcode_at = m->at;
    if (m->at >= m->size) {
        reader_fail(m->r, "the pickle ends at byte %zu, before its STOP", m->at);
        return;
    }
    const unsigned code = m->data[m->at++];
    const struct opcode *op = &opcodes[code];
    if (!op->name) {
        reader_fail(m->r, "pickle opcode 0x%02x at byte %zu is not supported", code, m->opcode_at);
        return;
    }
    m->opcode = op->name;
    operand x = read_operand(m, op->operand);
    x.parameter = op->parameter;
    if (!m->r->error[0]) op->run(m, &x);
}

value *pickle_read(reader *r, const unsigned char *data, size_t size, size_t *end, value *storages) {
    enum { FIRST_STACK = 64 };
    machine m = {.r = r, .data = data, .size = size, .storages = storages, .none = value_new(r, VALUE_NONE)};
    m.stack = reader_alloc(r, m.capacity = FIRST_STACK, sizeof *m.stack);
    while (!m.stopped && !r->error[0]) step(&m);
    *end = m.at;
    return r->error[0] ? NULL : pop(&m);
}
