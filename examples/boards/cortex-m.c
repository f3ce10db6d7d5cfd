/* cortex-m.c - Cortex-M4F, M7, M33, M55 and their like: vectors, floating point, semihosting, the clock. */
#include "port.h"
#include "startup.h"

#define REGISTER(address) (*(volatile uint32_t *)(address))
#define ACCESS_CONTROL REGISTER(0xe000ed88u) /* CPACR: who may use the FPU, and Helium */
#define FAULT_STATUS REGISTER(0xe000ed28u)   /* CFSR */
#define TICK_CONTROL REGISTER(0xe000e010u)   /* SysTick counts down from ... */
#define TICK_RELOAD REGISTER(0xe000e014u)
#define TICK_VALUE REGISTER(0xe000e018u)

#ifndef CLOCK_HZ
#define CLOCK_HZ 25000000 /* of the processor */
#endif

/* SysTick can count to 2^24 before it begins again and interrupts: so many whole microseconds. */
enum { PER_MICROSECOND = CLOCK_HZ / 1000000, TICKS = (1 << 24) / PER_MICROSECOND * PER_MICROSECOND };
static volatile uint32_t rounds;

int semihosting(int operation, const void *argument) {
    register int r0 __asm__("r0") = operation;
    register const void *r1 __asm__("r1") = argument;
    __asm__ volatile("bkpt 0xab" : "+r"(r0) : "r"(r1) : "memory");
    return r0;
}

void start_clock(void) {
    TICK_RELOAD = TICKS - 1;
    TICK_VALUE = 0;
    TICK_CONTROL = 7; /* on, interrupts, by the processor's clock */
}

static void tick(void) {
    rounds++;
}

uint32_t port_microseconds(void) {
    uint32_t before, value;
    do {
        before = rounds;
        value = TICK_VALUE;
    } while (before != rounds); /* it has begun again in between */
    return before * (TICKS / PER_MICROSECOND) + (TICKS - 1 - value) / PER_MICROSECOND;
}

__attribute__((naked, used)) void reset(void) {
    __asm__ volatile("ldr r0, =0xe000ed88\n" /* ACCESS_CONTROL, before any other function saves registers of the FPU */
                     "ldr r1, [r0]\n"
                     "orr r1, r1, #0xf00000\n"
                     "str r1, [r0]\n"
                     "dsb\n"
                     "isb\n"
                     "b start\n");
}

static void stop(void) {
    fault("fault", FAULT_STATUS);
}

/* Where the processor starts, and what it calls: handler n is that of exception n + 1, 2 to 5 are faults, 14 is SysTick. */
__attribute__((section(".vectors"), used)) static const struct {
    const void *stack;
    void (*handlers[15])(void);
} vectors = {stack_top, {reset, stop, stop, stop, stop, stop, stop, 0, 0, 0, stop, stop, 0, stop, tick}};
