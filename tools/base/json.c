/* json.c - see json.h. */
#include "json.h"

#include <math.h>
#include <stdint.h>
#include <stdio.h>

/* Bytes of the UTF-8 character at `text`, 0 if it is not one. */
static size_t utf8_length(const unsigned char *text, size_t left) {
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t length = 1; length <= 4 && length <= left; length++) {
        if ((text[0] & forms[length - 1].mask) != forms[length - 1].lead) continue;
        uint32_t code = text[0] & (unsigned char)~forms[length - 1].mask;
        for (size_t i = 1; i < length; i++) {
            if ((text[i] & 0xc0) != 0x80) return 0;
            code = code << 6 | (text[i] & 0x3f);
        }
        return code >= forms[length - 1].least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? length : 0;
    }
    return 0;
}

void json_text(const char *text, size_t size) {
    putchar('"');
    for (size_t i = 0; i < size;) {
        const unsigned char c = (unsigned char)text[i];
        const size_t length = utf8_length((const unsigned char *)text + i, size - i);
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            printf("\\u%04x", c);
        else if (length == 0)
            printf("\\ufffd");
        else
            fwrite(text + i, 1, length, stdout);
        i += length ? length : 1;
    }
    putchar('"');
}

void json_number(double value) {
    if (isfinite(value))
        printf("%.9g", value);
    else
        printf("null");
}
