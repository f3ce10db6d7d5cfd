/* sgw.h - the few facts about weight files that damaging them on purpose needs. */
#ifndef SGW_H
#define SGW_H

#include <stddef.h>
#include <stdint.h>

static inline uint64_t sgw_read(const unsigned char *p, int bytes) {
    uint64_t value = 0;
    for (int i = bytes - 1; i >= 0; i--) value = value << 8 | p[i];
    return value;
}

static inline void sgw_write(unsigned char *p, uint64_t value, int bytes) {
    for (int i = 0; i < bytes; i++) p[i] = (unsigned char)(value >> 8 * i);
}

enum { SGW_CONFIG = 64, SGW_ENTRY = 64 }; /* where the configuration lies; the size of a tensor's entry */

static inline size_t sgw_config_fields(const unsigned char *file) {
    return (size_t)sgw_read(file + 40, 4);
}

static inline size_t sgw_tensors(const unsigned char *file) {
    return (size_t)sgw_read(file + 44, 4);
}

static inline size_t sgw_directory(const unsigned char *file) {
    return (SGW_CONFIG + 4 * sgw_config_fields(file) + 63) / 64 * 64;
}

static inline size_t sgw_head_size(const unsigned char *file) {
    return (size_t)sgw_read(file + 12, 4);
}

static inline void sgw_sum(const unsigned char *from, const unsigned char *to, uint32_t *a, uint32_t *b) {
    for (; from + 4 <= to; from += 4) {
        *a += (uint32_t)sgw_read(from, 4);
        *b += *a;
    }
}

/* Makes both checksums right again, whatever else is wrong. */
static inline void sgw_fix_checksums(unsigned char *file, size_t size) {
    if (size < 64) return;
    size_t head = sgw_head_size(file);
    if (head < 64 || head > size) head = size & ~(size_t)3;
    uint32_t a = 1, b = 0;
    sgw_sum(file + head, file + size, &a, &b);
    sgw_write(file + 32, (uint64_t)b << 32 | a, 8);
    a = 1;
    b = 0;
    sgw_sum(file, file + 24, &a, &b);
    sgw_sum(file + 32, file + head, &a, &b);
    sgw_write(file + 24, (uint64_t)b << 32 | a, 8);
}

#endif
