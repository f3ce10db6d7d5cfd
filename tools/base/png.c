/* png.c - see png.h. A PNG is a signature and chunks: length, name, content, CRC-32 of name and content. */
#include "png.h"
#include "cli.h"
#include "crc32.h"
#include "notes.h"
#include "stb.h"

#include <stdlib.h>
#include <string.h>

enum { SIGNATURE = 8, CHUNK = 12, HEAD = PNG_HEAD /* signature and IHDR */ };

/* --- Writing --- */

void png_put32(unsigned char *at, size_t value) {
    for (int i = 0; i < 4; i++) at[i] = (unsigned char)(value >> (24 - 8 * i));
}

void png_write_chunk(output *out, const char *name, const void *content, size_t size) {
    unsigned char length[4], sum[4];
    png_put32(length, size);
    png_put32(sum, crc32_of(crc32_of(0, name, 4), content, size));
    output_write(out, length, sizeof length);
    output_write(out, name, 4);
    output_write(out, content, size);
    output_write(out, sum, sizeof sum);
}

/* International text: keyword, uncompressed, without language and translation, then UTF-8. */
static void write_text(output *out, const char *key, size_t key_length, const char *value, size_t value_length) {
    static const char between[5] = {0};
    const size_t size = key_length + sizeof between + value_length;
    char *content = cli_alloc(size, 1);
    memcpy(content, key, key_length);
    memcpy(content + key_length, between, sizeof between);
    memcpy(content + key_length + sizeof between, value, value_length);
    png_write_chunk(out, "iTXt", content, size);
    free(content);
}

static const char xmp_key[] = "XML:com.adobe.xmp";

static void write_source_type(output *out, const char *type) {
    char *packet = cli_format(
        "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\">"
        "<rdf:Description rdf:about=\"\" xmlns:Iptc4xmpExt=\"http://iptc.org/std/Iptc4xmpExt/2008-02-29/\" "
        "Iptc4xmpExt:DigitalSourceType=\"http://cv.iptc.org/newscodes/digitalsourcetype/%s\"/></rdf:RDF></x:xmpmeta>",
        type);
    write_text(out, xmp_key, strlen(xmp_key), packet, strlen(packet));
    free(packet);
}

void png_write_notes(output *out, const char *notes) {
    note line;
    char *type = notes_find(notes, PNG_SOURCE_TYPE);
    while (notes_next(&notes, &line))
        write_text(out, line.key, (size_t)line.key_length, line.value, (size_t)line.value_length);
    if (type) write_source_type(out, type);
    free(type);
}

/* A file on its way from stb_image_write, which hands it over as a whole. */
typedef struct unfinished_png {
    output out;
    const char *notes;
} unfinished_png;

static void append(void *context, void *data, int size) {
    unfinished_png *png = context;
    output_write(&png->out, data, HEAD);
    png_write_notes(&png->out, png->notes);
    output_write(&png->out, (const char *)data + HEAD, (size_t)size - HEAD);
}

void png_check_size(const char *what, int width, int height, int channels) {
    const int64_t most = 1 << 30; /* stb_image_write computes with int */
    if (channels > 4) cli_fail("%s: %d channels; pictures have 1 to 4", what, channels);
    if (((int64_t)width * channels + 1) * height > most)
        cli_fail("%s: %d x %d pixels are too many", what, width, height);
}

void png_write(const char *path, int width, int height, int channels, const unsigned char *pixels, const char *notes) {
    unfinished_png png = {.notes = notes};
    png_check_size(path, width, height, channels);
    output_open(&png.out, path);
    if (!stbi_write_png_to_func(append, &png, width, height, channels, pixels, width * channels))
        cli_fail("out of memory");
    output_close(&png.out);
}

/* --- Reading --- */

static size_t get32(const unsigned char *at) {
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

/* Behind `count` more zeros; NULL if there are not so many. */
static const char *behind_zeros(const char *at, const char *end, int count) {
    for (int i = 0; at && i < count; i++) {
        at = memchr(at, 0, (size_t)(end - at));
        if (at) at++;
    }
    return at;
}

/* tEXt is keyword, zero, text; iTXt has five zeros between the two if it is neither compressed nor translated. */
static void read_text(const char *name, const char *content, size_t size, output *notes) {
    enum { LONGEST_KEY = 79, LONGEST_VALUE = 65536 };
    const char *end = content + size, *value = behind_zeros(content, end, 1);
    const int international = memcmp(name, "iTXt", 4) == 0;
    if (!value || value == content + 1 || value - content > LONGEST_KEY + 1) return;
    if (international && (end - value < 2 || value[0])) return;
    if (international) value = behind_zeros(value + 2, end, 2);
    if (!value || end - value > LONGEST_VALUE || strcmp(content, xmp_key) == 0) return;
    char *line = NULL;
    notes_add(&line, content, "%.*s", (int)(end - value), value);
    output_write(notes, line, strlen(line));
    free(line);
}

int png_read_notes(const unsigned char *bytes, size_t size, char **notes, int *width, int *height) {
    output texts = {0}; /* in memory, which grows by halves: of many texts each is copied a few times only */
    *notes = NULL;
    if (size < HEAD || memcmp(bytes, "\x89PNG\r\n\x1a\n\0\0\0\rIHDR", SIGNATURE + 8) != 0) return 0;
    *width = (int)(get32(bytes + SIGNATURE + 8) & 0x7FFFFFFF);
    *height = (int)(get32(bytes + SIGNATURE + 12) & 0x7FFFFFFF);
    for (size_t at = SIGNATURE; size - at >= CHUNK;) {
        const size_t length = get32(bytes + at);
        const char *name = (const char *)bytes + at + 4;
        if (length > size - at - CHUNK) break;
        if (memcmp(name, "tEXt", 4) == 0 || memcmp(name, "iTXt", 4) == 0) read_text(name, name + 4, length, &texts);
        at += CHUNK + length;
    }
    if (!texts.size) return 1;
    output_write(&texts, "", 1);
    *notes = (char *)output_take_memory(&texts, &texts.size);
    return 1;
}

int png_is_whole(const unsigned char *bytes, size_t size) {
    return size >= CHUNK && memcmp(bytes + size - CHUNK, "\0\0\0\0IEND", 8) == 0;
}
