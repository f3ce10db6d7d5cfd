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
    int arrays = 0, named = 0;
    for (size_t i = 0; i < archive->count; i++) {
        const zip_member *m = &archive->members[i];
        if (is_array(m)) *chosen = m, arrays++;
        named += m->name_size == 5 && memcmp(m->name, "w.npy", 5) == 0;
    }
    if (arrays == 1) return NULL;
    if (named == 1 && (*chosen = zip_find(archive, "w.npy")) != NULL) return NULL;
    return cli_format("holds %d arrays, %s of them named w: save the one that is meant alone", arrays,
                      named ? "several" : "none");
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

/* --- Writing: a zip archive of one stored member --- */

static void put(output *out, uint32_t value, int bytes) {
    const unsigned char low[] = {(unsigned char)value, (unsigned char)(value >> 8), (unsigned char)(value >> 16),
                                 (unsigned char)(value >> 24)};
    output_write(out, low, (size_t)bytes);
}

/* What local header and directory entry have in common: version, flags, method, date (1 January 1980), sizes, name. */
static void put_member(output *out, uint32_t checksum, uint32_t size, const char *name) {
    enum { VERSION = 20, DATE = 0x21 };
    put(out, VERSION, 2);
    put(out, 0, 2);
    put(out, ZIP_STORED, 2);
    put(out, 0, 2);
    put(out, DATE, 2);
    put(out, checksum, 4);
    put(out, size, 4);
    put(out, size, 4);
    put(out, (uint32_t)strlen(name), 2);
    put(out, 0, 2);
}

static void put_archive(output *out, const unsigned char *bytes, uint32_t size, const char *name) {
    enum { LOCAL = 0x04034b50, ENTRY = 0x02014b50, END = 0x06054b50, LOCAL_SIZE = 30, ENTRY_SIZE = 46 };
    const uint32_t checksum = crc32_of(0, bytes, size), length = (uint32_t)strlen(name);
    put(out, LOCAL, 4);
    put_member(out, checksum, size, name);
    output_write(out, name, length);
    output_write(out, bytes, size);
    put(out, ENTRY, 4);
    put(out, 20, 2); /* the version that made it */
    put_member(out, checksum, size, name);
    for (int i = 0; i < 7; i++) put(out, 0, 2); /* comment, disk, attributes (4 bytes), offset (4 bytes) */
    output_write(out, name, length);
    put(out, END, 4);
    put(out, 0, 4); /* disks */
    put(out, 1, 2); /* members, here and in all */
    put(out, 1, 2);
    put(out, ENTRY_SIZE + length, 4);
    put(out, LOCAL_SIZE + length + size, 4);
    put(out, 0, 2);
}

void npz_write(const char *path, const char *name, int dimensions, const int64_t *shape, const float *values) {
    npy_writer array = {{0}};
    output out;
    size_t size, count = 1;
    for (int i = 0; i < dimensions; i++) count *= (size_t)shape[i];
    npy_begin(&array, dimensions, shape);
    npy_append(&array, values, count);
    unsigned char *bytes = output_take_memory(&array.out, &size);
    if (size > UINT32_MAX / 2) cli_fail("%s: the array is too large for an archive", path);
    char *member = cli_format("%s.npy", name);
    output_open(&out, path);
    put_archive(&out, bytes, (uint32_t)size, member);
    output_close(&out);
    free(member);
    free(bytes);
}
