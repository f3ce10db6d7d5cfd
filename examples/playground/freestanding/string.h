/* What the engine and the trainer need of string.h, for WebAssembly without a C library: its bulk memory instructions. */
#ifndef FREESTANDING_STRING_H
#define FREESTANDING_STRING_H
#include <stddef.h>

__attribute__((weak)) void *memcpy(void *to, const void *from, size_t size) {
    return __builtin_memcpy(to, from, size);
}

__attribute__((weak)) void *memset(void *to, int value, size_t size) {
    return __builtin_memset(to, value, size);
}

#endif
