/* npy.c - reads and writes NumPy's array files.

   magic "\x93NUMPY", version (2 bytes), header length (2 or 4 bytes), header (a Python dict as text), values. */
#include "npy.h"

#include <limits.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char magic[] = "\x93NUMPY";
enum { MAGIC_SIZE = 6, ALIGNMENT = 64 };

/* --- Reading --- */

typedef struct layout {
    char kind;      /* f, i, u or b, as NumPy calls them */
    int size;       /* bytes a value takes */
    int big_endian; /* order of these bytes */
    int fortran_order;
} layout;

static const struct {
    char kind;
    int size;
} readable[] = {{'f', 2}, {'f', 4}, {'f', 8}, {'i', 1}, {'i', 2}, {'i', 4},
                {'i', 8}, {'u', 1}, {'u', 2}, {'u', 4}, {'u', 8}, {'b', 1}};

static uint64_t load(const unsigned char *bytes, int size, int big_endian) {
    uint64_t bits = 0;
    for (int i = 0; i < size; i++) bits = bits << 8 | bytes[big_endian ? i : size - 1 - i];
    return bits;
}

static float half_to_float(uint64_t bits) {
    const int exponent = (int)(bits >> 10 & 31), mantissa = (int)(bits & 1023);
    const double magnitude = exponent == 31  ? (mantissa ? NAN : INFINITY)
                             : exponent == 0 ? ldexp(mantissa, -24)
                                             : ldexp(1024 + mantissa, exponent - 25);
    return (float)(bits >> 15 & 1 ? -magnitude : magnitude);
}

static float float_value(uint64_t bits, int size) {
    if (size == 2) return half_to_float(bits);
    if (size == 4) {
        const uint32_t word = (uint32_t)bits;
        float value;
        memcpy(&value, &word, sizeof value);
        return value;
    }
    double value;
    memcpy(&value, &bits, sizeof value);
    return (float)value;
}

static float signed_value(uint64_t bits, int size) {
    const uint64_t sign = (uint64_t)1 << (8 * size - 1);
    return bits & sign ? -(float)(sign - (bits & (sign - 1))) : (float)bits;
}

static float value_at(const unsigned char *bytes, const layout *l) {
    const uint64_t bits = load(bytes, l->size, l->big_endian);
    if (l->kind == 'f') return float_value(bits, l->size);
    return l->kind == 'i' ? signed_value(bits, l->size) : (float)bits;
}

/* What follows "'key':" in the header, or NULL. */
static const char *entry(const char *header, const char *key) {
    const char *found = strstr(header, key);
    if (!found || found == header || strchr("'\"", found[-1]) == NULL) return NULL;
    found += strlen(key);
    return found + strspn(found, "'\": ");
}

static char *parse_type(const char *header, layout *l) {
    const char *descr = entry(header, "descr");
    char order = 0;
    if (!descr) return cli_format("its header lacks descr");
    if (sscanf(descr, "%c%c%2d", &order, &l->kind, &l->size) == 3) {
        l->big_endian = order == '>';
        for (size_t i = 0; i < sizeof readable / sizeof *readable; i++)
            if (l->kind == readable[i].kind && l->size == readable[i].size) return NULL;
    }
    return cli_format("the values' type is %.*s, not real numbers", (int)strcspn(descr, "'\",}"), descr);
}

/* "(2, 3)" into the shape. */
static char *parse_shape(const char *header, npy *array) {
    const char *at = entry(header, "shape");
    if (!at || *at++ != '(') return cli_format("its header has no shape");
    array->count = 1;
    for (at += strspn(at, " "); *at && *at != ')'; at += strspn(at, " ,")) {
        char *end;
        const long long size = strtoll(at, &end, 10);
        if (end == at || size < 0) return cli_format("its header has no valid shape");
        if (array->dimensions == NPY_MAX_DIMENSIONS) return cli_format("more than %d dimensions", NPY_MAX_DIMENSIONS);
        if (size && array->count > SIZE_MAX / 8 / (uint64_t)size) return cli_format("its shape is too large");
        array->shape[array->dimensions++] = size;
        array->count *= (size_t)size;
        at = end;
    }
    return NULL;
}

static char *parse_header(const char *header, layout *l, npy *array) {
    char *fault = parse_type(header, l);
    if (!fault) fault = parse_shape(header, array);
    const char *order = entry(header, "fortran_order");
    if (!fault && !order) fault = cli_format("its header lacks fortran_order");
    l->fortran_order = order && *order == 'T';
    return fault;
}

/* Bytes between two neighbours of each dimension. */
static void strides(const npy *array, const layout *l, size_t *stride) {
    size_t step = (size_t)l->size;
    for (int i = 0; i < array->dimensions; i++) {
        const int d = l->fortran_order ? i : array->dimensions - 1 - i;
        stride[d] = step;
        step *= (size_t)array->shape[d];
    }
}

static void copy_values(npy *array, const unsigned char *data, const layout *l) {
    size_t stride[NPY_MAX_DIMENSIONS] = {0};
    int64_t index[NPY_MAX_DIMENSIONS] = {0};
    strides(array, l, stride);
    for (size_t i = 0; i < array->count; i++) {
        size_t offset = 0;
        for (int d = 0; d < array->dimensions; d++) offset += (size_t)index[d] * stride[d];
        array->values[i] = value_at(data + offset, l);
        for (int d = array->dimensions - 1; d >= 0 && ++index[d] == array->shape[d]; d--) index[d] = 0;
    }
}

char *npy_parse(const unsigned char *bytes, size_t size, npy *array) {
    *array = (npy){.shape = {1, 1, 1, 1, 1, 1, 1, 1}};
    if (size < MAGIC_SIZE + 4 || memcmp(bytes, magic, MAGIC_SIZE) != 0) return cli_format("not a NumPy array (.npy)");
    const int version = bytes[MAGIC_SIZE], length_size = version == 1 ? 2 : 4;
    const size_t start = MAGIC_SIZE + 2 + (size_t)length_size;
    if (version < 1 || version > 3 || size < start) return cli_format(".npy version %d is not supported", version);
    const uint64_t length = load(bytes + MAGIC_SIZE + 2, length_size, 0);
    if (length > size - start || length > INT_MAX) return cli_format("the file ends within its header");

    layout l = {0};
    char *header = cli_format("%.*s", (int)length, (const char *)bytes + start);
    char *fault = parse_header(header, &l, array);
    free(header);
    if (fault) return fault;

    const size_t held = size - start - (size_t)length, needed = array->count * (size_t)l.size;
    if (held < needed) return cli_format("the file ends after %zu of %zu bytes of values", held, needed);
    array->values = cli_alloc(array->count, sizeof *array->values);
    copy_values(array, bytes + start + length, &l);
    return NULL;
}

void npy_read(const char *path, npy *array) {
    file_view file = file_view_open(path);
    const char *fault = npy_parse(file.data, file.size, array);
    if (fault) cli_fail("%s: %s", path, fault);
    file_view_close(&file);
}

/* "[2, 512]", with n for any size. */
static char *shape_text(int dimensions, const int64_t *shape) {
    char text[NPY_MAX_DIMENSIONS * 24 + 2], *at = text;
    *at++ = '[';
    for (int i = 0; i < dimensions; i++) {
        if (i) at += sprintf(at, ", ");
        at += shape[i] < 0 ? sprintf(at, "n") : sprintf(at, "%lld", (long long)shape[i]);
    }
    return cli_format("%.*s]", (int)(at - text), text);
}

void npy_expect(const npy *array, const char *path, const char *what, int dimensions, const int64_t *shape) {
    int same = array->dimensions == dimensions;
    for (int i = 0; same && i < dimensions; i++) same = shape[i] < 0 || shape[i] == array->shape[i];
    if (!same)
        cli_fail("%s: its shape is %s, %s has %s", path, shape_text(array->dimensions, array->shape), what,
                 shape_text(dimensions, shape));
}

void npy_expect_finite(const npy *array, const char *path) {
    for (size_t i = 0; i < array->count; i++)
        if (!isfinite(array->values[i])) cli_fail("%s: holds what is not a finite number", path);
}

/* --- Writing --- */

void npy_begin(npy_writer *writer, int dimensions, const int64_t *shape) {
    char sizes[NPY_MAX_DIMENSIONS * 24 + 1] = "", *at = sizes;
    for (int i = 0; i < dimensions; i++) at += sprintf(at, i ? ", %lld" : "%lld", (long long)shape[i]);
    char *text =
        cli_format("{'descr': '<f4', 'fortran_order': False, 'shape': (%s%s), }", sizes, dimensions == 1 ? "," : "");
    const size_t start = MAGIC_SIZE + 4, used = start + strlen(text) + 1;
    const size_t padding = (ALIGNMENT - used % ALIGNMENT) % ALIGNMENT, length = used + padding - start;
    char *header = cli_format("%s%*s\n", text, (int)padding, "");
    output_write(&writer->out, magic, MAGIC_SIZE);
    output_write(&writer->out, (const unsigned char[]){1, 0, (unsigned char)length, (unsigned char)(length >> 8)}, 4);
    output_write(&writer->out, header, length);
    free(header);
    free(text);
}

void npy_open(npy_writer *writer, const char *path, int dimensions, const int64_t *shape) {
    if (strcmp(path, "-") == 0)
        output_open_standard(&writer->out);
    else
        output_open(&writer->out, path);
    npy_begin(writer, dimensions, shape);
}

void npy_append(npy_writer *writer, const float *values, size_t count) {
    unsigned char bytes[4096];
    while (count) {
        const size_t part = count < sizeof bytes / 4 ? count : sizeof bytes / 4;
        for (size_t i = 0; i < part; i++) {
            uint32_t word;
            memcpy(&word, &values[i], sizeof word);
            for (int b = 0; b < 4; b++) bytes[4 * i + (size_t)b] = (unsigned char)(word >> (8 * b));
        }
        output_write(&writer->out, bytes, 4 * part);
        values += part;
        count -= part;
    }
}

void npy_close(npy_writer *writer) {
    output_close(&writer->out);
}

void npy_write(const char *path, int dimensions, const int64_t *shape, const float *values) {
    size_t count = 1;
    for (int i = 0; i < dimensions; i++) count *= (size_t)shape[i];
    npy_writer writer;
    npy_open(&writer, path, dimensions, shape);
    npy_append(&writer, values, count);
    npy_close(&writer);
}
