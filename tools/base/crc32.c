/* crc32.c - see crc32.h. */
#include "crc32.h"

uint32_t crc32_of(uint32_t before, const void *bytes, size_t size) {
    const unsigned char *at = bytes;
    uint32_t sum = ~before;
    for (size_t i = 0; i < size; i++) {
        sum ^= at[i];
        for (int bit = 0; bit < 8; bit++) sum = sum >> 1 ^ (sum & 1 ? 0xEDB88320u : 0);
    }
    return ~sum;
}
