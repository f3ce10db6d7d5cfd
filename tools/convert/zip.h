/* zip.h - the directory of a zip archive whose members are stored, not compressed (torch.save writes such). */
#ifndef ZIP_H
#define ZIP_H

#include "value.h"

typedef struct zip_member {
    const unsigned char *name, *data;
    size_t name_size, size;
    uint64_t header; /* offset of its local header */
} zip_member;

typedef struct zip {
    const unsigned char *data;
    size_t size;
    zip_member *members; /* sorted by name */
    size_t count;
} zip;

bool zip_open(reader *r, const unsigned char *data, size_t size, zip *archive);

/* The member of that name with its data found, NULL if there is none or its place in the file is wrong. */
const zip_member *zip_find(reader *r, const zip *archive, const char *name);

#endif
