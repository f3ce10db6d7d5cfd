/* dataset.c - the pictures a network learns from: a folder, a packed file, or drawn portraits.

   A packed file. All numbers are little-endian:

     offset  bytes  content
          0      8  magic: 89 53 47 44 0D 0A 1A 0A (hexadecimal; "SGD" between bytes that text transfers spoil)
          8      4  version, 1
         12      4  resolution: H = W, 1 to 16384
         16      4  channels: 3
         20      4  label size K, 0 to 65536
         24      8  number of pictures, at least 1
         32     24  zero
         56      8  checksum of bytes 0 to 55, as in weight files (stylegan.h, >>weight-file)
         64      -  pictures, 8 bits a value: [count][H][W][3], red, green, blue
          -      -  labels, IEEE 754 binary32, finite: [count][K]

   and nothing behind. The pictures are used where they lie, in the mapped file.

   Pictures of a folder are taken as they are stored: rotations noted by a camera (EXIF) are not applied, transparency
   is dropped. */
#define _XOPEN_SOURCE 700
#include "dataset.h"
#include "../base/pool.h"
#include "portrait_scene.h"

#include <dirent.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define STB_IMAGE_IMPLEMENTATION
#define STBI_ONLY_PNG
#define STBI_ONLY_JPEG
#define STBI_ONLY_BMP
#define STB_IMAGE_RESIZE_IMPLEMENTATION
#if __has_include(<stb/stb_image.h>)
#include <stb/stb_image.h>
#include <stb/stb_image_resize.h>
#elif __has_include(<stb_image.h>)
#include <stb_image.h>
#include <stb_image_resize.h>
#else
#error "stb_image.h is missing. Install the package libstb-dev (Debian, Ubuntu) or stb-devel (Fedora)."
#endif

enum { CHANNELS = 3, MOST_RESOLUTION = 16384, MOST_LABELS = 65536 };

static size_t picture_bytes(int resolution) {
    return (size_t)resolution * (size_t)resolution * CHANNELS;
}

/* --- Portraits, drawn when they are read --- */

static void read_portrait(const dataset *d, int64_t index, uint8_t *pixels, float *label) {
    const uint64_t *seed = d->source;
    portrait p;
    (void)label;
    portrait_draw_factors(&p, *seed, (uint64_t)index);
    portrait_render(&p, d->resolution, pixels);
}

static void close_portraits(dataset *d) {
    free(d->source);
}

static void open_portraits(dataset *d, int resolution, uint64_t seed) {
    uint64_t *source = cli_alloc(1, sizeof *source);
    *source = seed;
    *d = (dataset){resolution, CHANNELS, 0, INT64_MAX, read_portrait, source, close_portraits};
}

/* --- A packed file --- */

static const unsigned char packed_magic[8] = {0x89, 'S', 'G', 'D', 0x0D, 0x0A, 0x1A, 0x0A};
enum { VERSION_AT = 8, RESOLUTION_AT = 12, CHANNELS_AT = 16, LABELS_AT = 20, COUNT_AT = 24, ZERO_AT = 32 };
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

static void close_packed(dataset *d) {
    file_view_close(d->source);
    free(d->source);
}

/* NULL if the header is that of a packed file of this size, or what is wrong. */
static const char *packed_fault(const file_view *file) {
    const unsigned char *header = file->data;
    if (file->size < sizeof packed_magic || memcmp(header, packed_magic, sizeof packed_magic) != 0)
        return "neither a folder nor a packed file of pictures";
    if (file->size < HEADER_SIZE) return "truncated packed file";
    if (get64(header + CHECKSUM_AT) != header_checksum(header)) return "damaged packed file: checksum of the header";
    if (get32(header + VERSION_AT) != 1) return "packed file of an unknown version";
    const uint32_t resolution = get32(header + RESOLUTION_AT), label_size = get32(header + LABELS_AT);
    const uint64_t count = get64(header + COUNT_AT);
    if (resolution < 1 || resolution > MOST_RESOLUTION || get32(header + CHANNELS_AT) != CHANNELS ||
        label_size > MOST_LABELS || count < 1)
        return "not a valid packed file: sizes out of range";
    for (int i = ZERO_AT; i < CHECKSUM_AT; i++)
        if (header[i]) return "not a valid packed file: reserved bytes are not zero";
    const uint64_t each = (uint64_t)resolution * resolution * CHANNELS + 4 * (uint64_t)label_size;
    const uint64_t rest = file->size - HEADER_SIZE;
    if (rest / each < count) return "truncated packed file";
    return rest == count * each ? NULL : "not a valid packed file: more bytes than its pictures take";
}

static void check_labels(const dataset *d, const char *path) {
    const file_view *file = d->source;
    const size_t values = (size_t)d->count * (size_t)d->label_size;
    const unsigned char *labels = file->data + file->size - 4 * values;
    for (size_t i = 0; i < values; i++)
        if ((get32(labels + 4 * i) >> 23 & 0xFF) == 0xFF) /* infinite or not a number */
            cli_fail("%s: label of picture %zu is not a finite number", path, i / (size_t)d->label_size);
}

static void open_packed(dataset *d, const char *path, int resolution) {
    file_view *file = cli_alloc(1, sizeof *file);
    *file = file_view_open(path);
    const char *fault = packed_fault(file);
    if (fault) cli_fail("%s: %s", path, fault);
    *d = (dataset){(int)get32(file->data + RESOLUTION_AT),
                   CHANNELS,
                   (int)get32(file->data + LABELS_AT),
                   (int64_t)get64(file->data + COUNT_AT),
                   read_packed,
                   file,
                   close_packed};
    if (resolution && resolution != d->resolution)
        cli_fail("%s: holds pictures of %d x %d pixels, not %d x %d", path, d->resolution, d->resolution, resolution,
                 resolution);
    check_labels(d, path);
}

void dataset_writer_open(dataset_writer *w, const char *path, const dataset *d, int64_t count) {
    unsigned char header[HEADER_SIZE] = {0};
    memcpy(header, packed_magic, sizeof packed_magic);
    put32(header + VERSION_AT, 1);
    put32(header + RESOLUTION_AT, (uint32_t)d->resolution);
    put32(header + CHANNELS_AT, CHANNELS);
    put32(header + LABELS_AT, (uint32_t)d->label_size);
    put64(header + COUNT_AT, (uint64_t)count);
    put64(header + CHECKSUM_AT, header_checksum(header));
    *w = (dataset_writer){.left = count, .picture_size = picture_bytes(d->resolution), .label_size = d->label_size};
    w->labels = w->next_label = cli_alloc((size_t)count, 4 * (size_t)d->label_size);
    output_open(&w->out, path);
    fwrite(header, 1, sizeof header, w->out.file);
}

void dataset_writer_append(dataset_writer *w, const uint8_t *pixels, const float *label) {
    fwrite(pixels, 1, w->picture_size, w->out.file);
    for (int k = 0; k < w->label_size; k++, w->next_label += 4) {
        uint32_t bits;
        memcpy(&bits, label + k, sizeof bits);
        put32(w->next_label, bits);
    }
    w->left--;
}

void dataset_writer_close(dataset_writer *w) {
    if (w->left) cli_fail("%s: %lld pictures are missing", w->out.path, (long long)w->left);
    fwrite(w->labels, 1, (size_t)(w->next_label - w->labels), w->out.file);
    output_close(&w->out);
    free(w->labels);
}

/* --- A folder, decoded once into memory --- */

/* One file of the folder: its picture, or why there is none. */
typedef struct picture_file {
    char *path, *fault;
    uint8_t *pixels;
} picture_file;

typedef struct folder {
    const char *path;
    int resolution;
    picture_file *files;
    size_t count;
    size_t first; /* of the chunk that is loaded */
} folder;

static void find_files(folder *f, const char *path, int depth) {
    enum { DEEPEST = 64 };
    DIR *directory = opendir(path);
    if (!directory) cli_fail("%s: cannot read the folder: %s", path, strerror(errno));
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;) {
        struct stat status;
        if (entry->d_name[0] == '.') continue; /* hidden files, the folder itself and its parent */
        char *name = cli_format("%s/%s", path, entry->d_name);
        const int is_folder = lstat(name, &status) == 0 && S_ISDIR(status.st_mode); /* links could lead in circles */
        if (is_folder) {
            if (depth == DEEPEST) cli_fail("%s: more than %d folders deep", name, DEEPEST);
            find_files(f, name, depth + 1);
            free(name);
        } else {
            if ((f->count & (f->count - 1)) == 0) /* grows by doubling */
                f->files = cli_realloc(f->files, f->count ? 2 * f->count : 1, sizeof *f->files);
            f->files[f->count++] = (picture_file){.path = name};
        }
    }
    closedir(directory);
}

static int compare_paths(const void *a, const void *b) {
    return strcmp(((const picture_file *)a)->path, ((const picture_file *)b)->path);
}

/* The largest square in the middle; shrunk by averaging areas, which leaves pictures of the right size as they are. */
static uint8_t *crop_and_resize(const uint8_t *pixels, int width, int height, int resolution) {
    const int side = width < height ? width : height, x = (width - side) / 2, y = (height - side) / 2;
    const uint8_t *corner = pixels + ((size_t)y * (size_t)width + (size_t)x) * CHANNELS;
    uint8_t *resized = cli_alloc(picture_bytes(resolution), 1);
    const stbir_filter filter = side < resolution ? STBIR_FILTER_MITCHELL : STBIR_FILTER_BOX;
    if (!stbir_resize_uint8_generic(corner, side, side, width * CHANNELS, resized, resolution, resolution, 0, CHANNELS,
                                    STBIR_ALPHA_CHANNEL_NONE, 0, STBIR_EDGE_CLAMP, filter, STBIR_COLORSPACE_LINEAR,
                                    NULL))
        cli_fail("out of memory");
    return resized;
}

static char *decode(FILE *file, int resolution, uint8_t **pixels) {
    const int64_t most_pixels = 1 << 26;
    int width, height, channels;
    if (!stbi_info_from_file(file, &width, &height, &channels)) return cli_format("not a PNG, JPEG or BMP picture");
    if ((int64_t)width * height > most_pixels)
        return cli_format("%d x %d pixels are too many (at most %lld)", width, height, (long long)most_pixels);
    uint8_t *decoded = stbi_load_from_file(file, &width, &height, &channels, CHANNELS);
    if (!decoded) return cli_format("damaged picture: %s", stbi_failure_reason());
    *pixels = crop_and_resize(decoded, width, height, resolution);
    stbi_image_free(decoded);
    return NULL;
}

/* Picture `item` of a chunk. */
static void load_picture(void *context, int item, int thread) {
    const folder *f = context;
    picture_file *p = &f->files[f->first + (size_t)item];
    (void)thread;
    struct stat status;
    if (stat(p->path, &status) == 0 && !S_ISREG(status.st_mode)) { /* opening a pipe would wait for its writer */
        p->fault = cli_format("not a file");
        return;
    }
    FILE *file = fopen(p->path, "rb");
    p->fault = file ? decode(file, f->resolution, &p->pixels) : cli_format("cannot read: %s", strerror(errno));
    if (file) fclose(file);
}

/* Names the files that were skipped, and keeps the others. */
static void report_and_compact(folder *f) {
    const size_t most_named = 20;
    size_t kept = 0, skipped = 0;
    for (size_t i = 0; i < f->count; i++) {
        picture_file p = f->files[i];
        if (p.fault && skipped++ < most_named) cli_note("%s: skipped: %s", p.path, p.fault);
        free(p.path);
        free(p.fault);
        if (p.pixels) f->files[kept++].pixels = p.pixels;
    }
    if (kept < 2) {
        const char *found = kept ? "only one usable picture" : "no usable picture";
        cli_fail("%s: %s, at least two are needed (%zu file%s skipped)", f->path, found, skipped,
                 skipped == 1 ? "" : "s");
    }
    if (skipped)
        cli_note("%s: %zu file%s skipped, %zu pictures remain", f->path, skipped, skipped == 1 ? "" : "s", kept);
    f->count = kept;
}

static void read_from_folder(const dataset *d, int64_t index, uint8_t *pixels, float *label) {
    const folder *f = d->source;
    (void)label;
    memcpy(pixels, f->files[index].pixels, picture_bytes(d->resolution));
}

static void close_folder(dataset *d) {
    folder *f = d->source;
    for (size_t i = 0; i < f->count; i++) free(f->files[i].pixels);
    free(f->files);
    free(f);
}

static void open_folder(dataset *d, const char *path, int resolution) {
    enum { CHUNK = 256 }; /* short enough for a lively progress line */
    pool *readers = pool_start(pool_processors());
    folder *f = cli_alloc(1, sizeof *f);
    progress shown;
    *f = (folder){.path = path, .resolution = resolution};
    find_files(f, path, 0);
    if (f->count) qsort(f->files, f->count, sizeof *f->files, compare_paths);
    progress_start(&shown, "pictures", (double)f->count);
    for (f->first = 0; f->first < f->count; f->first += CHUNK) {
        const size_t left = f->count - f->first;
        pool_run(readers, left < CHUNK ? (int)left : CHUNK, load_picture, f);
        progress_update(&shown, (double)f->first);
    }
    progress_end(&shown);
    pool_end(readers);
    report_and_compact(f);
    *d = (dataset){resolution, CHANNELS, 0, (int64_t)f->count, read_from_folder, f, close_folder};
}

/* --- All alike --- */

void dataset_open(dataset *d, const char *data, int resolution, uint64_t seed) {
    struct stat status;
    const int drawn = strcmp(data, "portraits") == 0;
    const int is_folder = !drawn && stat(data, &status) == 0 && S_ISDIR(status.st_mode);
    if (resolution == 0 && (drawn || is_folder)) cli_fail("%s: needs a resolution", data);
    if (drawn)
        open_portraits(d, resolution, seed);
    else if (is_folder)
        open_folder(d, data, resolution);
    else
        open_packed(d, data, resolution);
}

void dataset_read(const dataset *d, int64_t index, uint8_t *pixels, float *label) {
    d->read(d, index, pixels, label);
}

void dataset_close(dataset *d) {
    d->close(d);
}

/* Pictures from `first` on, on their way to `take`. */
typedef struct chunk {
    const dataset *d;
    int64_t first;
    uint8_t *pixels;
    float *labels;
} chunk;

static uint8_t *chunk_pixels(const chunk *c, int64_t index) {
    return c->pixels + (size_t)(index - c->first) * picture_bytes(c->d->resolution);
}

static float *chunk_label(const chunk *c, int64_t index) {
    return c->labels + (index - c->first) * c->d->label_size;
}

static void read_into_chunk(void *context, int item, int thread) {
    const chunk *c = context;
    const int64_t index = c->first + item;
    (void)thread;
    dataset_read(c->d, index, chunk_pixels(c, index), chunk_label(c, index));
}

void dataset_each(const dataset *d, int64_t count, int threads, dataset_take_fn *take, void *context) {
    const int at_once = threads ? threads : pool_processors();
    const int64_t size = 8 * at_once; /* short enough for a lively progress line */
    pool *readers = pool_start(at_once);
    chunk c = {.d = d};
    progress shown;
    c.pixels = cli_alloc((size_t)size, picture_bytes(d->resolution));
    c.labels = cli_alloc((size_t)size * (size_t)d->label_size, sizeof *c.labels);
    progress_start(&shown, "pictures", (double)count);
    for (c.first = 0; c.first < count; c.first += size) {
        const int64_t end = count - c.first < size ? count : c.first + size;
        pool_run(readers, (int)(end - c.first), read_into_chunk, &c);
        for (int64_t i = c.first; i < end; i++) take(context, i, chunk_pixels(&c, i), chunk_label(&c, i));
        progress_update(&shown, (double)end);
    }
    progress_end(&shown);
    pool_end(readers);
    free(c.pixels);
    free(c.labels);
}
