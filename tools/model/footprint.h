/* footprint.h - the memory that a network needs where the library is compiled for a board: plain C, one thread. */
#ifndef FOOTPRINT_H
#define FOOTPRINT_H

#include <stddef.h>
#include <stdint.h>

/* Bytes of one plan, as stylegan_open_size and stylegan_workspace_size report them on the board. */
typedef struct footprint {
    uint64_t open, workspace;
} footprint;

enum {
    FOOTPRINT_MOST_PLANS = 32,
    FOOTPRINT_STACK = 8192 /* bytes that a call uses at most; tests/test_boards.sh measures them */
};

/* The plans for a weight file that opens, the fastest and largest first; returns their number. bits: of a pointer, 32 or
   64. Structures are laid out as gcc does for ARM and RISC-V, where 8-byte numbers are aligned to 8 bytes. */
int footprint_plans(const unsigned char *bytes, size_t size, int bits, footprint plans[FOOTPRINT_MOST_PLANS]);

#endif
