/* engine.c - the library itself, compiled once for all commands. */
#define STYLEGAN_KERNELS
#define STYLEGAN_IMPLEMENTATION
#include "../../stylegan.h"
