/* kernels.c - test_kernels.c for a board, in one file: what it asks of test.c, and words that leave through the debugger. */
#define STYLEGAN_NO_STDIO
#define STYLEGAN_IMPLEMENTATION
#define main kernels_main
#include "../test_kernels.c"
#undef main

#include "../../examples/boards/port.h"

#include <stdarg.h>
#include <stdio.h>

static int failed;

int test_check(int ok, const char *format, ...) {
    char text[256];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    port_print(ok ? "ok " : "FAIL ");
    port_print(text);
    port_print("\n");
    failed |= !ok;
    return ok;
}

int test_end(void) {
    return failed;
}

int main(void) {
    return kernels_main();
}
