/* npz.c - see npz.h. The archive is a zip file of .npy files. */
#include "npz.h"
#include "crc32.h"
#include "stb.h"
#include "zip.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int is_array(const zip_member *m) {
    return m->name_size > 4 && memcmp(m->name + m->name_size - 4, ".npy", 4) == 0;
}

static char *choose_array(const zip *archive, const zip_member **chosen) {
    int arrays = 0;
    for (size_t i = 0; i < archive->count; i++)
        if (is_array(&archive->members[i])) *chosen = &archive->members[i], arrays++;
    if (arrays == 1) return NULL;
    *chosen = zip_find(archive, "w.npy");
    return *chosen ? NULL
                   : cli_format("holds %d arrays, none of them named w: save the one that is meant alone", arrays);
}

static char *parse_array(const unsigned char *bytes, const zip_member *m, npy *array) {
    if (crc32_of(0, bytes, m->size) != m->checksum) return cli_format("its array is damaged: wrong checksum");
    return npy_parse(bytes, m->size, array);
}

/* Deflate makes a thousand bytes of one at most: a size beyond that is a lie, and no memory is spent on it. stb's decoder
   looks a few bytes ahead: the archive's directory lies there. */
static char *inflate(const zip *archive, const unsigned char *bytes, const zip_member *m, npy *array) {
    enum { MOST_EXPANSION = 1032, AHEAD = 4 };
    const size_t left = archive->size - (size_t)(bytes - archive->data);
    const size_t seen = left - m->packed_size < AHEAD ? left : m->packed_size + AHEAD;
    if (seen > INT_MAX || m->size > INT_MAX || m->size / MOST_EXPANSION > m->packed_size)
        return cli_format("its array is damaged or too large");
    unsigned char *unpacked = cli_alloc(m->size, 1);
    const int size = stbi_zlib_decode_noheader_buffer((char *)unpacked, (int)m->size, (const char *)bytes, (int)seen);
    char *fault = size < 0 || (size_t)size != m->size ? cli_format("its compressed array is damaged")
                                                      : parse_array(unpacked, m, array);
    free(unpacked);
    return fault;
}

static char *parse_archive(const zip *archive, npy *array) {
    const zip_member *chosen = NULL;
    char *fault = choose_array(archive, &chosen);
    if (fault) return fault;
    const unsigned char *bytes = zip_bytes(archive, chosen);
    if (!bytes) return cli_format("its array lies outside the file");
    if (chosen->method == ZIP_STORED) return parse_array(bytes, chosen, array);
    if (chosen->method == ZIP_DEFLATED) return inflate(archive, bytes, chosen, array);
    return cli_format("its array is compressed by method %d, not deflate", chosen->method);
}

char *npz_parse(const unsigned char *bytes, size_t size, npy *array) {
    zip archive;
    *array = (npy){0};
    if (size < 4 || memcmp(bytes, "PK\3\4", 4) != 0) return npy_parse(bytes, size, array);
    char *fault = zip_open(bytes, size, &archive);
    if (!fault) fault = parse_archive(&archive, array);
    zip_close(&archive);
    return fault;
}

void npz_read(const char *path, npy *array) {
    file_view file = file_view_open(path);
    const char *fault = npz_parse(file.data, file.size, array);
    if (fault) cli_fail("%s: %s", path, fault);
    file_view_close(&file);
}
