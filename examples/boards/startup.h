/* startup.h - what the parts of this port ask of each other. */
#ifndef STARTUP_H
#define STARTUP_H

#include <stdint.h>

/* From the linker script, sections.ld: only their addresses count. */
extern uint32_t data_load[], data_start[], data_end[], bss_start[], bss_end[], stack_low[], stack_top[];

/* The processor's, cortex-m.c or riscv.c; reset is the first instruction. */
void reset(void);
int semihosting(int operation, const void *argument);
void start_clock(void);

/* startup.c's, called with a stack from the processor's first instructions, and from its faults. */
__attribute__((noreturn, used)) void start(void);
__attribute__((noreturn)) void fault(const char *cause, uint32_t detail);

#endif
