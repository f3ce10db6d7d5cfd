/* startup.c - from the first instruction to main, and what main asks of a board, through semihosting: the debugger or
   emulator does what a call says. */
#include "port.h"
#include "portrait.h"
#include "startup.h"

int main(void);

enum { OPEN = 1, PRINT = 4, WRITE = 5, EXIT = 0x20 }; /* operations of Arm's semihosting, which RISC-V has taken over */
enum { MODE_WRITE_BINARY = 5 };                       /* "wb" of fopen */
enum { EXIT_NORMAL = 0x20026, PAINT = 0x5a5a5a5a };

/* The library's share of the stack, and that of main and of interrupts. */
enum { OTHERS = 1024 };
__attribute__((used, aligned(16), section(".bss.stack"))) static unsigned char stack[PORTRAIT_STACK_SIZE + OTHERS];

static void write_file(int file, const void *bytes, size_t size) {
    const uintptr_t block[] = {(uintptr_t)file, (uintptr_t)bytes, size};
    semihosting(WRITE, block);
}

void port_print(const char *text) {
    semihosting(PRINT, text);
}

void port_picture(const void *bytes, size_t size) {
    static const char name[] = "portrait.ppm";
    static const uintptr_t open[] = {(uintptr_t)name, MODE_WRITE_BINARY, sizeof name - 1};
    static int file; /* whose number is not 0 */
    if (!file) file = semihosting(OPEN, open);
    write_file(file, bytes, size);
}

static void finish(int status) {
    const uintptr_t block[] = {EXIT_NORMAL, (uintptr_t)status};
    semihosting(EXIT, block);
}

/* The deepest word that is not paint any more. */
uint32_t port_stack(void) {
    const uint32_t *p = stack_low;
    while (*p == PAINT) p++;
    return (uint32_t)((uintptr_t)stack_top - (uintptr_t)p);
}

void start(void) {
    const uint32_t *from = data_load;
    enum { OWN = 32 }; /* words of the stack that this function may use itself */
    uint32_t *here = (uint32_t *)__builtin_frame_address(0);
    for (uint32_t *to = data_start; to < data_end;) *to++ = *from++;
    for (uint32_t *to = bss_start; to < bss_end;) *to++ = 0;
    for (uint32_t *to = stack_low; to < here - OWN;) *to++ = PAINT;
    start_clock();
    finish(main());
    for (;;) {
    }
}

void fault(const char *cause, uint32_t detail) {
    char text[] = " 00000000\n";
    for (int i = 0; i < 8; i++) text[1 + i] = "0123456789abcdef"[detail >> (28 - 4 * i) & 15];
    port_print(cause);
    port_print(text);
    finish(2);
    for (;;) {
    }
}
