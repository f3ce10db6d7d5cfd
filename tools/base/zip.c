/* zip.c - finds members through the central directory; zip64 included. */
#include "zip.h"
#include "cli.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum {
    LOCAL = 0x04034b50,
    CENTRAL = 0x02014b50,
    END = 0x06054b50,
    END64 = 0x06064b50,
    LOCATOR64 = 0x07064b50,
    LOCAL_SIZE = 30,
    CENTRAL_SIZE = 46,
    END_SIZE = 22,
    END64_SIZE = 56,
    LOCATOR64_SIZE = 20,
    LONGEST_COMMENT = 65535,
    EXTRA_ZIP64 = 1
};

static uint64_t number(const unsigned char *at, int bytes) {
    uint64_t result = 0;
    for (int i = bytes; i-- > 0;) result = result << 8 | at[i];
    return result;
}

/* The record of `size` bytes with that signature at `offset`, NULL if it is not there. */
static const unsigned char *record(const zip *archive, uint64_t offset, size_t size, uint32_t signature) {
    if (offset > archive->size || archive->size - offset < size) return NULL;
    const unsigned char *at = archive->data + offset;
    return number(at, 4) == signature ? at : NULL;
}

static bool find_directory(const zip *archive, uint64_t *offset, uint64_t *entries) {
    const unsigned char *end = NULL;
    size_t at = archive->size;
    for (size_t tried = 0; !end && at > 0 && tried <= LONGEST_COMMENT + END_SIZE; tried++) {
        end = record(archive, --at, END_SIZE, END);
    }
    if (!end) return false;
    *entries = number(end + 10, 2);
    *offset = number(end + 16, 4);
    const unsigned char *locator =
        at < LOCATOR64_SIZE ? NULL : record(archive, at - LOCATOR64_SIZE, LOCATOR64_SIZE, LOCATOR64);
    const unsigned char *end64 = locator ? record(archive, number(locator + 8, 8), END64_SIZE, END64) : NULL;
    if (end64) {
        *entries = number(end64 + 32, 8);
        *offset = number(end64 + 48, 8);
    }
    return true;
}

/* Replaces a 32-bit field that is all ones by the next number of the zip64 extra field. */
static uint64_t widened(uint64_t narrow, const unsigned char **extra, size_t *left) {
    if (narrow != UINT32_MAX || *left < 8) return narrow;
    const uint64_t wide = number(*extra, 8);
    *extra += 8;
    *left -= 8;
    return wide;
}

static const unsigned char *zip64_extra(const unsigned char *extra, size_t size, size_t *found) {
    *found = 0;
    while (size >= 4) {
        const size_t length = (size_t)number(extra + 2, 2);
        if (length > size - 4) return NULL;
        if (number(extra, 2) == EXTRA_ZIP64) {
            *found = length;
            return extra + 4;
        }
        extra += 4 + length;
        size -= 4 + length;
    }
    return NULL;
}

static int compare_names(const void *a, const void *b) {
    const zip_member *first = a, *second = b;
    const size_t shorter = first->name_size < second->name_size ? first->name_size : second->name_size;
    const int order = memcmp(first->name, second->name, shorter);
    return order ? order : (first->name_size > second->name_size) - (first->name_size < second->name_size);
}

static int compare_places(const void *a, const void *b) {
    const uint64_t first = ((const zip_member *)a)->header, second = ((const zip_member *)b)->header;
    return (first > second) - (first < second);
}

static bool members_overlap(const zip *archive) {
    for (size_t i = 1; i < archive->count; i++) {
        const zip_member *previous = &archive->members[i - 1], *next = &archive->members[i];
        const uint64_t between = next->header - previous->header;
        if (between < LOCAL_SIZE || between - LOCAL_SIZE < previous->packed_size) return true;
    }
    return false;
}

/* The entry of the directory at `offset`, which moves behind it; false if it is damaged. */
static bool read_entry(const zip *archive, uint64_t *offset, zip_member *member) {
    const unsigned char *entry = record(archive, *offset, CENTRAL_SIZE, CENTRAL);
    if (!entry) return false;
    const size_t name_size = (size_t)number(entry + 28, 2), extra_size = (size_t)number(entry + 30, 2);
    const size_t entry_size = CENTRAL_SIZE + name_size + extra_size + (size_t)number(entry + 32, 2);
    if (archive->size - *offset < entry_size) return false;
    size_t left;
    const unsigned char *extra = zip64_extra(entry + CENTRAL_SIZE + name_size, extra_size, &left);
    const uint64_t size = widened(number(entry + 24, 4), &extra, &left);
    const uint64_t packed = widened(number(entry + 20, 4), &extra, &left);
    *member = (zip_member){.name = entry + CENTRAL_SIZE,
                           .name_size = name_size,
                           .header = widened(number(entry + 42, 4), &extra, &left),
                           .method = (int)number(entry + 10, 2),
                           .checksum = (uint32_t)number(entry + 16, 4),
                           .packed_size = (size_t)packed,
                           .size = (size_t)size};
    *offset += entry_size;
    return packed <= archive->size && size <= SIZE_MAX && (member->method != ZIP_STORED || size == packed);
}

char *zip_open(const unsigned char *data, size_t size, zip *archive) {
    *archive = (zip){.data = data, .size = size};
    uint64_t offset = 0, entries = 0;
    if (!find_directory(archive, &offset, &entries)) return cli_format("zip: no directory at its end: cut off?");
    if (entries > size / CENTRAL_SIZE)
        return cli_format("zip: a directory of %llu members does not fit", (unsigned long long)entries);
    archive->members = cli_alloc((size_t)entries, sizeof *archive->members);
    for (; archive->count < entries; archive->count++)
        if (!read_entry(archive, &offset, &archive->members[archive->count]))
            return cli_format("zip: directory entry %zu is damaged", archive->count);
    if (!archive->count) return NULL;
    qsort(archive->members, archive->count, sizeof *archive->members, compare_places);
    if (members_overlap(archive)) return cli_format("zip: members overlap");
    qsort(archive->members, archive->count, sizeof *archive->members, compare_names);
    return NULL;
}

void zip_close(zip *archive) {
    free(archive->members);
}

const zip_member *zip_find(const zip *archive, const char *name) {
    const zip_member key = {.name = (const unsigned char *)name, .name_size = strlen(name)};
    if (!archive->count) return NULL;
    return bsearch(&key, archive->members, archive->count, sizeof key, compare_names);
}

const unsigned char *zip_bytes(const zip *archive, const zip_member *member) {
    const unsigned char *local = record(archive, member->header, LOCAL_SIZE, LOCAL);
    const uint64_t skipped = local ? LOCAL_SIZE + number(local + 26, 2) + number(local + 28, 2) : 0;
    if (!local || archive->size - member->header < skipped) return NULL;
    return archive->size - member->header - skipped < member->packed_size ? NULL : local + skipped;
}
