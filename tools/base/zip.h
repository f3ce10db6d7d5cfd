/* zip.h - the directory of a zip archive, as torch.save and NumPy write them. */
#ifndef ZIP_H
#define ZIP_H

#include <stddef.h>
#include <stdint.h>

typedef struct zip_member {
    const unsigned char *name; /* not terminated */
    size_t name_size;
    uint64_t header; /* offset of its local header */
    int method;
    uint32_t checksum;        /* CRC-32 of the unpacked bytes */
    size_t packed_size, size; /* in the file and unpacked: the same if it is stored */
} zip_member;
enum { ZIP_STORED = 0, ZIP_DEFLATED = 8 };

typedef struct zip {
    const unsigned char *data;
    size_t size;
    zip_member *members; /* sorted by name */
    size_t count;
} zip;

/* Returns NULL, or what is wrong, which the caller frees. To be closed in either case. */
char *zip_open(const unsigned char *data, size_t size, zip *archive);
void zip_close(zip *archive);

/* The member of that name, NULL if there is none. */
const zip_member *zip_find(const zip *archive, const char *name);

/* Its bytes as they lie in the file, NULL if their place there is wrong. */
const unsigned char *zip_bytes(const zip *archive, const zip_member *member);

#endif
