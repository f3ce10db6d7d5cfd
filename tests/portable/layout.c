/* layout.c - what the compiler for a board makes of the structures in tools/model/layout32.h: the object's symbol
   size_of_TYPE is as large as the type. */
#define STYLEGAN_STATIC
#define STYLEGAN_NO_STDIO
#define STYLEGAN_NO_MALLOC
#define STYLEGAN_NO_THREADS
#define STYLEGAN_NO_SIMD
#define STYLEGAN_IMPLEMENTATION
#include "../../stylegan.h"

#include "../../tools/model/layout32.h"

#define SIZE_OF(type, bytes) char size_of_##type[sizeof(type)];
LAYOUT_32(SIZE_OF)
