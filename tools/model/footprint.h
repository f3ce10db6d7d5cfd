/* footprint.h - what a network needs of memory and work, plan by plan, on this machine and on boards. */
#ifndef FOOTPRINT_H
#define FOOTPRINT_H

#include <stddef.h>
#include <stdint.h>

/* One plan: bytes, as stylegan_open_size and stylegan_workspace_size report them there, and multiply-adds of its
   convolutions for a picture, with what they compute twice or, by Winograd's algorithm, less often. */
typedef struct footprint {
    uint64_t open, workspace;
    double products;
} footprint;

enum {
    FOOTPRINT_MOST_PLANS = 32,
    FOOTPRINT_STACK = 3072, /* bytes that a call on a board uses at most; tests/test_boards.sh measures them ... */
    FOOTPRINT_STACK_HELIUM = 3840 /* ... and with vectors */
};

/* The plans for a weight file that opens, the fastest and largest first; they return their number. isa: stylegan_isa,
   precision: stylegan_precision. On boards the library has one thread and is plain C, or with `helium` compiled for
   Cortex-M's vectors (MVE). bits: of a pointer, 32, or 64 if this program has such itself; structures with pointers of
   32 bits are laid out as gcc does for ARM and RISC-V, where 8-byte numbers are aligned to 8 bytes. Products are counted by going through the motions of a picture, for boards if `count`
   is not 0, which they cannot be with `helium`. */
int footprint_here(const unsigned char *bytes, size_t size, int isa, int threads, int precision,
                   footprint plans[FOOTPRINT_MOST_PLANS]);
int footprint_board(const unsigned char *bytes, size_t size, int helium, int bits, int precision, int count,
                    footprint plans[FOOTPRINT_MOST_PLANS]);

#endif
