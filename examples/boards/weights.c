/* weights.c - the network, in a file of its own: it is compiled once, and sections.ld puts it where the board's flash is. */
#define PORTRAIT_ATTRIBUTES __attribute__((aligned(64), section(".weights")))
#define PORTRAIT_IMPLEMENTATION
#include "portrait.h"
