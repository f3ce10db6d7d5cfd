/* crc32.h - the checksum of PNG chunks and zip members. */
#ifndef CRC32_H
#define CRC32_H

#include <stddef.h>
#include <stdint.h>

/* Of bytes in several parts: begin with 0, go on with the result. */
uint32_t crc32_of(uint32_t before, const void *bytes, size_t size);

#endif
