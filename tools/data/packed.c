/* packed.c - pictures packed into one file.

   All numbers are little-endian:

     offset  bytes  content
          0      8  magic: 89 53 47 44 0D 0A 1A 0A (hexadecimal; "SGD" between bytes that text transfers spoil)
          8      4  version, 1
         12      4  resolution: H = W, 1 to 16384
         16      4  channels: 3
         20      4  label size K, 0 to 65536
         24      8  number of pictures, at least 1
         32      8  bytes of the class names, 0 without
         40      8  of a part of drawn portraits: how many all parts have; 0: it is no part
         48      8  of a part: their seed; 0 of others
         56      8  checksum of bytes 0 to 55, as in weight files (stylegan.h, >>weight-file)
         64      -  pictures, 8 bits a value: [count][H][W][3], red, green, blue
          -      -  labels, IEEE 754 binary32, finite: [count][K]
          -      -  class names, if there are any: UTF-8 lines "class: NAME", K of them

   and nothing behind. The pictures are used where they lie, in the mapped file. */
#include "../base/notes.h"
#include "labels.h"
#include "sources.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_RESOLUTION = 16384 };

static const unsigned char packed_magic[8] = {0x89, 'S', 'G', 'D', 0x0D, 0x0A, 0x1A, 0x0A};
enum {
    VERSION_AT = 8,
    RESOLUTION_AT = 12,
    CHANNELS_AT = 16,
    LABELS_AT = 20,
    COUNT_AT = 24,
    TEXT_AT = 32,
    WHOLE_AT = 40,
    SEED_AT = 48
};
enum { CHECKSUM_AT = 56, HEADER_SIZE = 64 };

static uint32_t get32(const unsigned char *bytes) {
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

static void put32(unsigned char *bytes, uint32_t value) {
    for (int i = 0; i < 4; i++) bytes[i] = (unsigned char)(value >> (8 * i));
}

static uint64_t get64(const unsigned char *bytes) {
    return get32(bytes) | (uint64_t)get32(bytes + 4) << 32;
}

static void put64(unsigned char *bytes, uint64_t value) {
    put32(bytes, (uint32_t)value);
    put32(bytes + 4, (uint32_t)(value >> 32));
}

static uint64_t header_checksum(const unsigned char *header) {
    uint32_t a = 1, b = 0;
    for (int i = 0; i < CHECKSUM_AT; i += 4) a += get32(header + i), b += a;
    return (uint64_t)b << 32 | a;
}

static void read_packed(const dataset *d, int64_t index, uint8_t *pixels, float *label) {
    const file_view *file = d->source;
    const size_t picture = picture_bytes(d->resolution);
    const unsigned char *pictures = file->data + HEADER_SIZE, *labels = pictures + (size_t)d->count * picture;
    memcpy(pixels, pictures + (size_t)index * picture, picture);
    for (int k = 0; label && k < d->label_size; k++) {
        const uint32_t bits = get32(labels + ((size_t)index * (size_t)d->label_size + (size_t)k) * 4);
        memcpy(label + k, &bits, sizeof bits);
    }
}

/* The names of the classes, NULL without; another number of them than labels is a fault. */
static char *read_classes(const file_view *file, int label_size, char ***classes) {
    const size_t size = (size_t)get64(file->data + TEXT_AT);
    if (!size) return NULL;
    char *text = cli_format("%.*s", size < INT_MAX ? (int)size : INT_MAX, (const char *)file->data + file->size - size);
    const char *at = text;
    int count = 0;
    *classes = cli_alloc((size_t)label_size, sizeof **classes);
    for (note line; count < label_size && notes_next(&at, &line); count++)
        (*classes)[count] = dataset_class_name(line.value, (size_t)line.value_length);
    const int complete = count == label_size && !*at;
    free(text);
    if (complete) return NULL;
    while (count > 0) free((*classes)[--count]);
    free(*classes);
    return cli_format("its class names do not fit its %d labels", label_size);
}

static void close_packed(dataset *d) {
    dataset_free_classes(d);
    file_view_close(d->source);
    free(d->source);
}

/* NULL if the header is that of a packed file of this size, or what is wrong. */
static const char *header_fault(const unsigned char *bytes, size_t size) {
    if (size < sizeof packed_magic || memcmp(bytes, packed_magic, sizeof packed_magic) != 0)
        return "neither a folder nor a packed file of pictures (.sgd)";
    if (size < HEADER_SIZE) return "truncated packed file";
    if (get64(bytes + CHECKSUM_AT) != header_checksum(bytes)) return "damaged packed file: checksum of the header";
    if (get32(bytes + VERSION_AT) != 1) return "packed file of an unknown version";
    const uint32_t resolution = get32(bytes + RESOLUTION_AT), label_size = get32(bytes + LABELS_AT);
    const uint64_t count = get64(bytes + COUNT_AT), whole = get64(bytes + WHOLE_AT);
    if (resolution < 1 || resolution > MOST_RESOLUTION || get32(bytes + CHANNELS_AT) != CHANNELS ||
        label_size > MOST_LABELS || count < 1)
        return "not a valid packed file: sizes out of range";
    if (whole ? whole < count || whole > INT64_MAX : get64(bytes + SEED_AT) != 0)
        return "not a valid packed file: no part of so many pictures";
    const uint64_t each = (uint64_t)resolution * resolution * CHANNELS + 4 * (uint64_t)label_size;
    const uint64_t text = get64(bytes + TEXT_AT), all = size - HEADER_SIZE, rest = all - text;
    if (text > all || rest / each < count) return "truncated packed file";
    return rest == count * each ? NULL : "not a valid packed file: more bytes than its pictures take";
}

static char *label_fault(const unsigned char *bytes, size_t size) {
    const size_t label_size = get32(bytes + LABELS_AT), values = (size_t)get64(bytes + COUNT_AT) * label_size;
    const unsigned char *labels = bytes + size - (size_t)get64(bytes + TEXT_AT) - 4 * values;
    for (size_t i = 0; i < values; i++)
        if ((get32(labels + 4 * i) >> 23 & 0xFF) == 0xFF) /* infinite or not a number */
            return cli_format("label of picture %zu is not a finite number", i / label_size);
    return NULL;
}

char *dataset_view_packed(dataset *d, const file_view *file) {
    const char *header = header_fault(file->data, file->size);
    char *fault = header ? cli_format("%s", header) : label_fault(file->data, file->size);
    char **classes = NULL;
    if (!fault) fault = read_classes(file, (int)get32(file->data + LABELS_AT), &classes);
    if (fault) return fault;
    file_view *source = cli_alloc(1, sizeof *source);
    *source = *file;
    *d = (dataset){(int)get32(file->data + RESOLUTION_AT),
                   CHANNELS,
                   (int)get32(file->data + LABELS_AT),
                   (int64_t)get64(file->data + COUNT_AT),
                   read_packed,
                   source,
                   close_packed,
                   classes,
                   (int64_t)get64(file->data + WHOLE_AT),
                   get64(file->data + SEED_AT)};
    return NULL;
}

void dataset_open_packed(dataset *d, const char *path, int resolution) {
    const file_view file = file_view_open(path);
    const char *fault = dataset_view_packed(d, &file);
    if (fault) cli_fail("%s: %s", path, fault);
    if (resolution && resolution != d->resolution)
        cli_fail("%s: holds pictures of %d x %d pixels, not %d x %d", path, d->resolution, d->resolution, resolution,
                 resolution);
}

void dataset_writer_open(dataset_writer *w, const char *path, const dataset *d, int64_t count) {
    unsigned char header[HEADER_SIZE] = {0};
    memcpy(header, packed_magic, sizeof packed_magic);
    put32(header + VERSION_AT, 1);
    put32(header + RESOLUTION_AT, (uint32_t)d->resolution);
    put32(header + CHANNELS_AT, CHANNELS);
    put32(header + LABELS_AT, (uint32_t)d->label_size);
    put64(header + COUNT_AT, (uint64_t)count);
    char *text = NULL;
    for (int k = 0; d->classes && k < d->label_size; k++) notes_add(&text, "class", "%s", d->classes[k]);
    put64(header + WHOLE_AT, (uint64_t)d->whole);
    put64(header + SEED_AT, d->whole_seed);
    put64(header + TEXT_AT, text ? strlen(text) : 0);
    put64(header + CHECKSUM_AT, header_checksum(header));
    *w = (dataset_writer){
        .left = count, .picture_size = picture_bytes(d->resolution), .label_size = d->label_size, .text = text};
    w->labels = w->next_label = cli_alloc((size_t)count, 4 * (size_t)d->label_size);
    output_open(&w->out, path);
    output_write(&w->out, header, sizeof header);
}

void dataset_writer_append(dataset_writer *w, const uint8_t *pixels, const float *label) {
    output_write(&w->out, pixels, w->picture_size);
    for (int k = 0; k < w->label_size; k++, w->next_label += 4) {
        uint32_t bits;
        memcpy(&bits, label + k, sizeof bits);
        put32(w->next_label, bits);
    }
    w->left--;
}

void dataset_writer_close(dataset_writer *w) {
    if (w->left) cli_fail("%s: %lld pictures are missing", w->out.path, (long long)w->left);
    output_write(&w->out, w->labels, (size_t)(w->next_label - w->labels));
    if (w->text) output_write(&w->out, w->text, strlen(w->text));
    output_close(&w->out);
    free(w->text);
    free(w->labels);
}
