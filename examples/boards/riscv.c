/* riscv.c - 32-bit RISC-V with floating point, in machine mode: floating point, traps, semihosting, the clock. */
#include "port.h"
#include "startup.h"

__asm__(".option arch, +zicsr"); /* toolchains since 2022 want it named */

#ifndef CLOCK_HZ
#define CLOCK_HZ 1000000000 /* of the processor; under qemu an instruction takes a nanosecond */
#endif

/* A semihosting call is this sequence of three instructions, uncompressed and on one page. */
__attribute__((naked, aligned(16))) int semihosting(int operation, const void *argument) {
    (void)operation, (void)argument;
    __asm__ volatile(".option push\n"
                     ".option norvc\n"
                     "slli x0, x0, 0x1f\n"
                     "ebreak\n"
                     "srai x0, x0, 7\n"
                     "ret\n"
                     ".option pop\n");
}

static uint64_t started;

static uint64_t cycles(void) {
    uint32_t high, low, again;
    do {
        __asm__ volatile("csrr %0, mcycleh\ncsrr %1, mcycle\ncsrr %2, mcycleh" : "=r"(high), "=r"(low), "=r"(again));
    } while (high != again); /* the low half has begun again in between */
    return (uint64_t)high << 32 | low;
}

void start_clock(void) {
    started = cycles();
}

uint32_t port_microseconds(void) {
    return (uint32_t)((cycles() - started) / (CLOCK_HZ / 1000000));
}

__attribute__((used, aligned(4))) static void trap(void) {
    uint32_t cause;
    __asm__ volatile("csrr %0, mcause" : "=r"(cause));
    fault("trap", cause);
}

__attribute__((naked, used, section(".vectors"))) void reset(void) {
    __asm__ volatile("la sp, stack_top\n"
                     "la t0, trap\n"
                     "csrw mtvec, t0\n"
                     "li t0, 0x6000\n" /* mstatus.FS: floating point on */
                     "csrs mstatus, t0\n"
                     "j start\n");
}
