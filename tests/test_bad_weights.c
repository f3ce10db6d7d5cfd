/* test_bad_weights.c - damaged weight files: every byte of the head flipped, the checksum left wrong or made right, and
   the file cut at every 64th byte. Each must be refused with a message, or open and work. */
#include "../tools/base/cli.h"
#include "sgw.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* A larger image than this network's comes from a flipped resolution: it opens, but takes too long to draw. */
enum { LARGEST_RESOLUTION = 64 };

typedef struct tally {
    int opened, refused, silent; /* silent: refused without a code and a message */
} tally;

static void draw(const stylegan_model *model, tally *t) {
    const stylegan_config *config = stylegan_describe(model);
    if (config->resolution > LARGEST_RESOLUTION) return;
    float *ws = test_styles(model, 1, 1);
    float *image = (float *)cli_alloc(test_image_size(config), sizeof *image);
    stylegan_error error = {STYLEGAN_OK, ""};
    stylegan_result result = stylegan_synthesize(model, ws, 1, image, NULL, &error);
    t->silent += result && (error.code != result || !error.message[0]);
    free(image);
    free(ws);
}

/* The copy has exactly `size` bytes, so that a sanitizer sees every read behind the end. */
static void try_open(const unsigned char *bytes, size_t size, tally *t) {
    stylegan_options options = {0};
    stylegan_error error = {STYLEGAN_OK, ""};
    unsigned char *copy = (unsigned char *)cli_alloc(size ? size : 1, 1);
    memcpy(copy, bytes, size);
    options.threads = 1;
    stylegan_model *model = stylegan_open_memory(copy, size, &options, &error);
    t->opened += model != NULL;
    t->refused += model == NULL;
    t->silent += !model && (!error.code || !error.message[0]);
    if (model) draw(model, t);
    stylegan_close(model);
    free(copy);
}

static void check_flips(uint64_t seed, const test_file *file) {
    size_t head = sgw_head_size(file->bytes);
    unsigned char *bytes = (unsigned char *)cli_alloc(file->size, 1);
    memcpy(bytes, file->bytes, file->size);
    tally wrong = {0, 0, 0}, right = {0, 0, 0};
    for (size_t i = 0; i < head; i++) {
        static const unsigned char masks[] = {0x01, 0x80, 0xFF};
        for (size_t m = 0; m < sizeof masks; m++) {
            bytes[i] ^= masks[m];
            if (masks[m] == 0xFF) try_open(bytes, file->size, &wrong);
            sgw_fix_checksums(bytes, file->size);
            try_open(bytes, file->size, &right);
            memcpy(bytes, file->bytes, head);
        }
    }
    free(bytes);
    test_check(wrong.opened == 0 && wrong.silent == 0, "bad weights %d: %d flipped bytes of the head refused",
               (int)seed, wrong.refused);
    test_check(right.silent == 0, "bad weights %d: flipped and the checksums recomputed: %d refused, %d opened",
               (int)seed, right.refused, right.opened);
}

static void check_truncation(uint64_t seed, const test_file *file) {
    tally cut = {0, 0, 0};
    for (size_t size = 0; size < file->size; size += 64) try_open(file->bytes, size, &cut);
    try_open(file->bytes, file->size - 1, &cut);
    test_check(cut.opened == 0 && cut.silent == 0, "bad weights %d: cut at %d places, all refused", (int)seed,
               cut.refused);
}

/* Not a number, infinity, subnormal, huge: numbers are numbers, so the file works. */
static void check_values(uint64_t seed, const test_file *file) {
    static const uint32_t patterns[] = {0x7FC00000u, 0x7F800000u, 1u, 0x7F7FFFFFu};
    unsigned char *bytes = (unsigned char *)cli_alloc(file->size, 1);
    tally t = {0, 0, 0};
    for (size_t p = 0; p < sizeof patterns / sizeof *patterns; p++) {
        memcpy(bytes, file->bytes, file->size);
        for (size_t i = sgw_head_size(bytes); i + 4 <= file->size; i += 4)
            for (int b = 0; b < 4; b++) bytes[i + (size_t)b] = (unsigned char)(patterns[p] >> 8 * b);
        sgw_fix_checksums(bytes, file->size);
        try_open(bytes, file->size, &t);
    }
    free(bytes);
    test_check(t.silent == 0, "bad weights %d: extreme values: %d opened, %d refused", (int)seed, t.opened, t.refused);
}

/* --- Refusals, each with its own message --- */

static void check_refusal(const unsigned char *bytes, size_t size, const char *what, const char *message) {
    stylegan_options options = {0};
    stylegan_error error = {STYLEGAN_OK, ""};
    options.threads = 1;
    stylegan_model *model = stylegan_open_memory(bytes, size, &options, &error);
    test_check(!model && strstr(error.message, message), "bad weights: %s: %s", what, model ? "opens" : error.message);
    stylegan_close(model);
}

/* The entry of the first tensor of two dimensions. */
static size_t matrix_entry(const unsigned char *bytes) {
    size_t entry = sgw_directory(bytes);
    for (size_t i = 0; i < sgw_tensors(bytes); i++, entry += SGW_ENTRY)
        if (sgw_read(bytes + entry + 36, 4) == 2) return entry;
    cli_fail("no tensor of two dimensions");
}

static void check_refusals(void) {
    test_file file = test_random_network(0, STYLEGAN_F32);
    const size_t size = file.size, head = sgw_head_size(file.bytes), entry = matrix_entry(file.bytes);
    const size_t fields = sgw_config_fields(file.bytes), offset = (size_t)sgw_read(file.bytes + entry + 56, 8);
    const struct {
        const char *what;
        size_t at;
        int bytes;
        uint64_t value;
        const char *message;
    } changes[] = {
        {"another first byte", 0, 1, 'S', "wrong magic at byte 0"},
        {"line ends as text", 6, 1, '\n', "wrong magic at byte 6"},
        {"an older version", 8, 4, 1, "version 1, expected 2"},
        {"a newer version", 8, 4, 3, "version 3, expected 2"},
        {"65 fields", 40, 4, 65, "damaged head: 65 fields"},
        {"65537 tensors", 44, 4, 65537, "65537 tensors"},
        {"a text of more than 1 MiB", 48, 4, (1 << 20) + 1, "1048577 bytes of text"},
        {"another text than fits", 48, 4, 100000, "do not fit its contents"},
        {"a shorter head", 12, 4, head - 64, "do not fit its contents"},
        {"a longer head", 12, 4, head + 64, "do not fit its contents"},
        {"a file shorter than its head", 16, 8, head - 4, "do not fit its contents"},
        {"a file of no whole words", 16, 8, size + 2, "do not fit its contents"},
        {"a longer file", 16, 8, size + 64, "its head promises"},
        {"a file of 2^56 bytes", 16, 8, (uint64_t)1 << 56, "its head promises"},
        {"a field from the future", 40, 8, (fields + 1) | (uint64_t)sgw_tensors(file.bytes) << 32,
         "field 23 is unknown"},
        {"a name without end", entry + 31, 1, 'x', "bad name"},
        {"no name", entry, 1, 0, "bad name"},
        {"an unknown type", entry + 32, 4, STYLEGAN_TYPE_COUNT, "unknown type 3"},
        {"no dimensions", entry + 36, 4, 0, "0 dimensions, expected 1 to 4"},
        {"five dimensions", entry + 36, 4, 5, "5 dimensions, expected 1 to 4"},
        {"a side of 0", entry + 40, 4, 0, "bad shape, dimension 0 is 0"},
        {"a side of 2^31", entry + 40, 4, (uint64_t)1 << 31, "bad shape, dimension 0 is 2147483648"},
        {"a side beyond the last", entry + 52, 4, 2, "bad shape, dimension 3 is 2"},
        {"10^12 values", entry + 40, 8, 1000001 | (uint64_t)1000000 << 32, "bad shape, dimension 1 is 1000000"},
        {"more values than there are", entry + 40, 4, size, "do not fit the file's"},
        {"an offset that is not aligned", entry + 56, 8, offset + 4, "do not fit the file's"},
        {"an offset within the head", entry + 56, 8, head - 64, "do not fit the file's"},
        {"an offset at the end", entry + 56, 8, size / 64 * 64, "do not fit the file's"},
        {"an offset beyond the end", entry + 56, 8, size / 64 * 64 + 128, "do not fit the file's"},
        {"an offset of nearly 2^64", entry + 56, 8, (uint64_t)-64, "do not fit the file's"},
    };
    const struct {
        const char *what;
        size_t size;
        const char *message;
    } cuts[] = {{"less than a prologue", 63, "63 bytes, shorter than its head"},
                {"a prologue alone", 64, "64 bytes end within its head"},
                {"a part of a head", head - 4, "its head alone has"},
                {"a head alone", head, "its head promises"},
                {"all but a word", size - 4, "its head promises"}};
    unsigned char *bytes = (unsigned char *)cli_alloc(size, 1);
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        memcpy(bytes, file.bytes, size);
        sgw_write(bytes + changes[i].at, changes[i].value, changes[i].bytes);
        if (changes[i].at == 40 && changes[i].bytes == 8) bytes[SGW_CONFIG + 4 * fields] = 1; /* where zeros are */
        sgw_fix_checksums(bytes, size);
        check_refusal(bytes, size, changes[i].what, changes[i].message);
    }
    for (size_t i = 0; i < sizeof cuts / sizeof *cuts; i++)
        check_refusal(file.bytes, cuts[i].size, cuts[i].what, cuts[i].message);
    file.bytes[head - 1] ^= 1;
    check_refusal(file.bytes, size, "a changed head", "the checksum of its head is wrong");
    file.bytes[head - 1] ^= 1;
    file.bytes[size - 1] ^= 1;
    check_refusal(file.bytes, size, "a changed tensor", "the checksum of its tensors is wrong");
    free(bytes);
    free(file.bytes);
}

/* Value `at` of a tensor of a StyleGAN 3 becomes another: refused, and the message says where. */
static void check_value(const test_file *file, const char *name, int at, float value, const char *message) {
    stylegan_options options = {0};
    stylegan_error error = {STYLEGAN_OK, ""};
    stylegan_tensor tensor;
    stylegan_model *model = test_open(file, STYLEGAN_ISA_AUTO, 1);
    int found = test_find_tensor(model, name, &tensor);
    unsigned char *place = file->bytes + (found ? tensor.data - file->bytes : 0) + 4 * at, before[4];
    stylegan_close(model);
    if (!found) cli_fail("no tensor %s", name);
    memcpy(before, place, 4);
    memcpy(place, &value, 4);
    sgw_fix_checksums(file->bytes, file->size);
    model = stylegan_open_memory(file->bytes, file->size, &options, &error);
    test_check(!model && strstr(error.message, message), "bad weights: %s[%d] = %g: %s", name, at, (double)value,
               model ? "opens" : error.message);
    stylegan_close(model);
    memcpy(place, before, 4);
    sgw_fix_checksums(file->bytes, file->size);
}

/* Geometry that fits nothing: sizes, factors, paddings. */
static void check_geometry(void) {
    static const struct {
        const char *tensor;
        int at;
        float value;
        const char *message;
    } cases[] = {
        {"input.grid", 0, 0, "input.grid"},
        {"input.grid", 1, 1e9f, "input.grid"},
        {"input.grid", 0, NAN, "input.grid"},
        {"input.grid", 1, 12.5f, "input.grid"},
        {"input.grid", 2, 0, "input.grid"},
        {"input.grid", 0, 9, "layer L0: its input has 9 x"},
        {"L0.geometry", 0, 3, "layer L0: its input has"},
        {"L0.geometry", 2, 0, "L0.geometry: value 2"},
        {"L0.geometry", 3, 16384, "layer L0: its geometry makes"},
        {"L0.geometry", 3, 16385, "L0.geometry: value 3"},
        {"L0.geometry", 4, 0, "L0.geometry: value 4"},
        {"L0.geometry", 4, 1e30f, "L0.geometry: value 4"},
        {"L0.geometry", 5, INFINITY, "L0.geometry: value 5"},
        {"L0.geometry", 6, -65536, "layer L0: its geometry makes 0 pixels"},
        {"L0.geometry", 7, 65536, "layer L0: its geometry makes"},
        {"L0.geometry", 8, -1e9f, "L0.geometry: value 8"},
        {"L0.geometry", 9, NAN, "L0.geometry: value 9"},
        {"L0.geometry", 9, 0.5f, "L0.geometry: value 9"},
    };
    test_file file = test_random_network3(0, STYLEGAN_F32);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_value(&file, cases[i].tensor, cases[i].at, cases[i].value, cases[i].message);
    free(file.bytes);
}

int main(int argc, char **argv) {
    int count = argc > 1 ? (int)cli_integer("COUNT", argv[1], 1, 1000) : 4;
    check_refusals();
    for (int seed = 0, done = 0; done < count; seed++) { /* small images only: this is about heads */
        stylegan_type type = (stylegan_type)(seed % STYLEGAN_TYPE_COUNT);
        test_file file =
            seed % 2 ? test_random_network3((uint64_t)seed, type) : test_random_network((uint64_t)seed, type);
        if (file.size < 60000) {
            check_flips((uint64_t)seed, &file);
            check_truncation((uint64_t)seed, &file);
            check_values((uint64_t)seed, &file);
            done++;
        }
        free(file.bytes);
    }
    check_geometry();
    return test_end();
}
