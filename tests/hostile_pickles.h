/* hostile_pickles.h - pickles that a careless reader runs, drowns in or never leaves. */
#ifndef HOSTILE_PICKLES_H
#define HOSTILE_PICKLES_H

#include "make_checkpoint.h"

static void repeat(buffer *b, const char *bytes, size_t size, size_t times) {
    while (times-- > 0) put(b, bytes, size);
}

static buffer system_call(void) {
    buffer b = {0};
    put_string(&b, "cos\nsystem\n(S'touch stylegan-was-here'\ntR.");
    return b;
}

static buffer long_bytes(void) {
    buffer b = {0};
    put_string(&b, "\x80\4\x8e");
    put_number(&b, (uint64_t)1 << 60, 8);
    put_string(&b, "abc.");
    return b;
}

static buffer deep_lists(void) {
    buffer b = {0};
    repeat(&b, "]", 1, 1000000);
    repeat(&b, "a", 1, 999999);
    put_byte(&b, '.');
    return b;
}

static buffer deep_tuples(void) {
    buffer b = {0};
    put_byte(&b, ')');
    repeat(&b, "\x85", 1, 1000000);
    put_byte(&b, '.');
    return b;
}

static buffer deep_marks(void) {
    buffer b = {0};
    repeat(&b, "(", 1, 1000000);
    repeat(&b, "t", 1, 1000000);
    put_byte(&b, '.');
    return b;
}

static buffer list_in_itself(void) {
    buffer b = {0};
    put_string(&b, "]q");
    put_byte(&b, 0);
    put_string(&b, "h");
    put_byte(&b, 0);
    put_string(&b, "a.");
    return b;
}

/* {G_ema: module}, where the module's _modules holds the module itself, several times. */
static buffer module_in_itself(void) {
    buffer b = {0};
    put_string(
        &b,
        "(S'G_ema'\nctorch_utils.persistence\n_reconstruct_persistent_obj\n((S'class_name'\nNS'state'\n(S'_modules'\n}"
        "p1\ndp0\ndtp2\nRp3\n");
    for (int i = 0; i < 8; i++) {
        char *item = cli_format("0g1\nS'm%d'\ng3\ns", i);
        put_string(&b, item);
        free(item);
    }
    put_string(&b, "0g3\nd.");
    return b;
}

/* Each of 60 lists holds the one before twice. */
static buffer doubling(void) {
    buffer b = {0};
    put_string(&b, "]p0\n");
    for (int i = 0; i < 60; i++) {
        char *list = cli_format("](g%d\ng%d\nep%d\n", i, i, i + 1);
        put_string(&b, list);
        free(list);
    }
    put_byte(&b, '.');
    return b;
}

static buffer huge_memo_index(void) {
    buffer b = {0};
    put_string(&b, "(Nr\xff\xff\xff\xff.");
    return b;
}

static buffer huge_array(void) {
    buffer b = {0};
    put_string(&b, "}(S'g_ema'\n}(S'input.input'\nNS'to_rgb1.bias'\ncnumpy.core.multiarray\n_reconstruct\n()tR(K\1"
                   "(L1152921504606846976\nL1152921504606846976\ntcnumpy\ndtype\n(S'f4'\ntR(K\3S'<'\ntb"
                   "I00\nS'abcd'\ntbuu.");
    return b;
}

#endif
