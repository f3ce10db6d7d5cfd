/* footprint.h - what a network needs of memory and work, plan by plan, on this machine or a board. */
#ifndef FOOTPRINT_H
#define FOOTPRINT_H

#include <stddef.h>
#include <stdint.h>

/* Where it will run. Structures with pointers of 32 bits are laid out as gcc does for ARM and RISC-V, where 8-byte numbers
   are aligned to 8 bytes. */
typedef struct footprint_target {
    const struct sg__kernels *kernels; /* the instruction set's; NULL: plain C */
    int threads, bits;                 /* of a pointer: 32, or 64 where this program has them itself */
} footprint_target;

/* One plan: bytes, as stylegan_open_size and stylegan_workspace_size report them there (but for what the built-in threads add
   to the open model), and multiply-adds of its convolutions for a picture, with what they compute twice or, by Winograd's
   algorithm, less often. */
typedef struct footprint {
    uint64_t open, workspace;
    double products;
} footprint;

enum {
    FOOTPRINT_MOST_PLANS = 32,
    FOOTPRINT_STACK = 8192 /* bytes that a call uses at most; tests/test_boards.sh measures them */
};

/* The plans for a weight file that opens, the fastest and largest first; returns their number. Products are counted, by
   going through the motions of a picture, if `count` is not 0. */
int footprint_plans(const unsigned char *bytes, size_t size, const footprint_target *target, int count,
                    footprint plans[FOOTPRINT_MOST_PLANS]);

#endif
