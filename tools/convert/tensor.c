/* tensor.c - from values to views: NumPy's and PyTorch's ways to describe an array. */
#include "tensor.h"
#include "torch.h"

#include <math.h>
#include <string.h>

/* --- Types of elements --- */

static uint64_t load(const unsigned char *at, int bytes, bool big_endian) {
    uint64_t bits = 0;
    for (int i = 0; i < bytes; i++) bits |= (uint64_t)at[big_endian ? bytes - 1 - i : i] << 8 * i;
    return bits;
}

static float float_of_bits(uint32_t bits) {
    float result;
    memcpy(&result, &bits, sizeof result);
    return result;
}

static double load_f32(const unsigned char *at, bool big_endian) {
    return float_of_bits((uint32_t)load(at, 4, big_endian));
}

static double load_f64(const unsigned char *at, bool big_endian) {
    const uint64_t bits = load(at, 8, big_endian);
    double result;
    memcpy(&result, &bits, sizeof result);
    return fabs(result) <= 3.4e38 ? result : NAN;
}

static double load_bf16(const unsigned char *at, bool big_endian) {
    return float_of_bits((uint32_t)load(at, 2, big_endian) << 16);
}

static double load_f16(const unsigned char *at, bool big_endian) {
    const uint32_t bits = (uint32_t)load(at, 2, big_endian), exponent = bits >> 10 & 31, fraction = bits & 1023;
    const float magnitude = exponent == 31 ? NAN
                            : exponent     ? float_of_bits((exponent + 112) << 23 | fraction << 13)
                                           : (float)fraction * 0x1p-24f;
    return bits & 0x8000 ? -magnitude : magnitude;
}

static double load_u1(const unsigned char *at, bool big_endian) {
    return (double)load(at, 1, big_endian);
}

static double load_i1(const unsigned char *at, bool big_endian) {
    return (double)(int8_t)load(at, 1, big_endian);
}

static double load_i2(const unsigned char *at, bool big_endian) {
    return (double)(int16_t)load(at, 2, big_endian);
}

static double load_i4(const unsigned char *at, bool big_endian) {
    return (double)(int32_t)load(at, 4, big_endian);
}

static double load_i8(const unsigned char *at, bool big_endian) {
    return (double)(int64_t)load(at, 8, big_endian);
}

typedef struct element_type {
    const char *torch, *numpy; /* the storage's class; the code in a dtype */
    size_t size;
    double (*load)(const unsigned char *at, bool big_endian); /* NULL: not real numbers */
} element_type;

static const element_type element_types[] = {
    {"torch.FloatStorage", "f4", 4, load_f32},     {"torch.HalfStorage", "f2", 2, load_f16},
    {"torch.BFloat16Storage", NULL, 2, load_bf16}, {"torch.DoubleStorage", "f8", 8, load_f64},
    {"torch.LongStorage", "i8", 8, load_i8},       {"torch.IntStorage", "i4", 4, load_i4},
    {"torch.ShortStorage", "i2", 2, load_i2},      {"torch.CharStorage", "i1", 1, load_i1},
    {"torch.ByteStorage", "u1", 1, load_u1},       {"torch.BoolStorage", "b1", 1, load_u1},
    {"torch.ComplexFloatStorage", "c8", 8, NULL},  {"torch.ComplexDoubleStorage", "c16", 16, NULL},
    {"torch.QInt8Storage", NULL, 1, NULL},         {"torch.QUInt8Storage", NULL, 1, NULL},
    {"torch.QInt32Storage", NULL, 4, NULL},        {"torch.storage.UntypedStorage", NULL, 1, NULL},
};

static const element_type *find_type(const value *name, bool torch) {
    for (size_t i = 0; i < sizeof element_types / sizeof *element_types; i++) {
        const char *own = torch ? element_types[i].torch : element_types[i].numpy;
        if (own && value_equals(name, own)) return &element_types[i];
    }
    return NULL;
}

size_t storage_element_size(const value *storage) {
    const element_type *type = find_type(value_item(storage->arguments, 1), true);
    return type ? type->size : 0;
}

/* --- Shapes --- */

static bool refuse(reader *r, const tensor *t, const char *why) {
    reader_fail(r, "%s: %s", t->name, why);
    return false;
}

/* Sets the shape and strides (in elements; NULL: contiguous, in Fortran's order if asked) of a view that begins
   `offset` elements into `size` bytes, after checking that it stays inside them. Small views may repeat elements, as
   expand() makes them; large ones may not, or a small file could ask for any amount of memory. */
static bool set_shape(reader *r, tensor *t, const value *shape, const value *strides, bool fortran, uint64_t offset,
                      size_t size) {
    static const char too_large[] = "the array is larger than its data";
    enum { MOST_REPEATED = 1 << 16 };
    const uint64_t available = size / t->type->size, most = available > MOST_REPEATED ? available : MOST_REPEATED;
    const size_t dimensions = shape && shape->kind == VALUE_LIST ? shape->count : TENSOR_DIMENSIONS + 1;
    if (dimensions > TENSOR_DIMENSIONS) return refuse(r, t, "not a shape of at most 6 dimensions");
    if (offset >= available) return refuse(r, t, too_large);
    t->dimensions = (int)dimensions;
    uint64_t count = 1, last = offset;
    for (size_t i = 0; i < dimensions; i++) {
        const size_t d = fortran ? i : dimensions - 1 - i;
        const value *extent = shape->items[d], *stride = value_item(strides, d);
        if (extent->kind != VALUE_INTEGER || extent->integer < 1 || extent->integer > INT32_MAX ||
            (strides && !stride)) {
            return refuse(r, t, "not a valid shape");
        }
        t->shape[d] = extent->integer;
        const uint64_t step = strides ? (uint64_t)stride->integer : count, steps = (uint64_t)extent->integer - 1;
        if (steps >= most / count || (steps && step > available / steps)) return refuse(r, t, too_large);
        last += step * steps;
        count *= steps + 1;
        if (last >= available) return refuse(r, t, too_large);
        t->stride[d] = extent->integer > 1 ? (ptrdiff_t)(step * t->type->size) : 0;
    }
    t->data += offset * t->type->size;
    return true;
}

static const char *shape_text(reader *r, int dimensions, const int64_t *shape) {
    const char *text = dimensions ? "" : "[]";
    for (int d = 0; d < dimensions; d++) text = reader_format(r, "%s[%lld]", text, (long long)shape[d]);
    return text;
}

bool tensor_match(reader *r, tensor *t, int dimensions, const int64_t *shape) {
    ptrdiff_t stride[TENSOR_DIMENSIONS] = {0};
    int source = 0;
    bool same = true;
    for (int d = 0; d < dimensions && same; d++) {
        if (shape[d] == 1) continue;
        while (source < t->dimensions && t->shape[source] == 1) source++;
        same = source < t->dimensions && t->shape[source] == shape[d];
        if (same) stride[d] = t->stride[source++];
    }
    while (source < t->dimensions && t->shape[source] == 1) source++;
    if (!same || source < t->dimensions) {
        const char *found = shape_text(r, t->dimensions, t->shape);
        reader_fail(r, "%s: is %s, should be %s", t->name, found, shape_text(r, dimensions, shape));
        return false;
    }
    t->dimensions = dimensions;
    memcpy(t->shape, shape, (size_t)dimensions * sizeof *shape);
    memcpy(t->stride, stride, sizeof stride);
    return true;
}

void tensor_flip(tensor *t, int dimension) {
    t->data += t->stride[dimension] * (ptrdiff_t)(t->shape[dimension] - 1);
    t->stride[dimension] = -t->stride[dimension];
}

void tensor_read_row(const tensor *t, const int64_t *index, int dimension, float *values) {
    const unsigned char *at = t->data;
    for (int d = 0; d < t->dimensions; d++) at += d == dimension ? 0 : t->stride[d] * (ptrdiff_t)index[d];
    const ptrdiff_t stride = t->stride[dimension];
    for (int64_t i = 0; i < t->shape[dimension]; i++) values[i] = (float)t->type->load(at + i * stride, t->big_endian);
}

/* --- NumPy --- */

/* NULL if it is not a number's. */
static const element_type *dtype_of(const value *dtype) {
    const element_type *type =
        value_is_call(dtype, "numpy.dtype") ? find_type(value_item(dtype->arguments, 0), false) : NULL;
    return type && type->load ? type : NULL;
}

static bool is_big_endian(const value *dtype) {
    return value_equals(value_item(dtype->state, 1), ">");
}

static bool open_array(reader *r, tensor *t, const value *shape, const value *dtype, bool fortran, const value *data) {
    if (!data || data->kind != VALUE_TEXT) return refuse(r, t, "the array has no data");
    t->type = dtype_of(dtype);
    if (!t->type) return refuse(r, t, "its elements are not real numbers");
    t->big_endian = is_big_endian(dtype);
    t->data = data->data;
    return set_shape(r, t, shape, NULL, fortran, 0, data->size);
}

/* State: (version, shape, dtype, fortran, data), in old files without the version. */
static bool open_reconstructed(reader *r, tensor *t, const value *v) {
    const value *state = v->state;
    const size_t first = state && state->kind == VALUE_LIST && state->count == 5;
    const value *fortran = value_item(state, first + 2);
    return open_array(r, t, value_item(state, first), value_item(state, first + 1), fortran && fortran->integer,
                      value_item(state, first + 3));
}

/* Protocol 5: (data, dtype, shape, order). */
static bool open_from_buffer(reader *r, tensor *t, const value *v) {
    const value *a = v->arguments;
    return open_array(r, t, value_item(a, 2), value_item(a, 1), value_equals(value_item(a, 3), "F"), value_item(a, 0));
}

/* (dtype, data) */
value *scalar_number(reader *r, const value *record) {
    const value *dtype = value_item(record->arguments, 0), *data = value_item(record->arguments, 1);
    const element_type *type = dtype_of(dtype);
    if (!type || !data || data->kind != VALUE_TEXT || data->size != type->size) return NULL;
    const char kind = type->numpy[0];
    value *number = value_new(r, kind == 'f' ? VALUE_FLOAT : kind == 'b' ? VALUE_BOOL : VALUE_INTEGER);
    if (!number) return NULL;
    number->number = type->load(data->data, is_big_endian(dtype));
    const double past = 9223372036854775808.0; /* 2^63, which large integers round to */
    number->integer = kind == 'f' ? 0 : number->number >= past ? INT64_MAX : (int64_t)number->number;
    return number;
}

/* --- PyTorch --- */

/* Inside persistence pickles every storage is a torch.save of its own. */
static const value *nested_storage(reader *r, tensor *t, value *v) {
    if (v && v->kind == VALUE_STORAGE) return v;
    const value *bytes = value_is_call(v, "torch.storage._load_from_bytes") ? value_item(v->arguments, 0) : NULL;
    if (!bytes || bytes->kind != VALUE_TEXT || !torch_recognise(bytes->data, bytes->size)) {
        refuse(r, t, "its storage is not a torch.save stream");
        return NULL;
    }
    if (!v->state) v->state = torch_read(r, bytes->data, bytes->size);
    if (!v->state || v->state->kind != VALUE_STORAGE) {
        refuse(r, t, "its storage is not a torch.save stream");
        return NULL;
    }
    return v->state;
}

/* (storage, offset, shape, strides, ...) */
static bool open_rebuilt(reader *r, tensor *t, const value *v) {
    const value *a = v->arguments, *storage = nested_storage(r, t, value_item(a, 0)), *offset = value_item(a, 1);
    if (!storage) return false;
    t->type = find_type(value_item(storage->arguments, 1), true);
    if (!t->type || !t->type->load) return refuse(r, t, "its elements are not real numbers");
    if (!storage->data) return refuse(r, t, "its storage is not in the file");
    if (!offset || offset->integer < 0 || !value_item(a, 3)) return refuse(r, t, "not a valid tensor");
    t->data = storage->data;
    t->big_endian = storage->big_endian;
    return set_shape(r, t, value_item(a, 2), value_item(a, 3), false, (uint64_t)offset->integer, storage->size);
}

/* (tensor, ...) */
static bool open_parameter(reader *r, tensor *t, const value *v) {
    const value *inner = value_item(v->arguments, 0);
    if (value_is_call(inner, "torch._utils._rebuild_tensor_v2") ||
        value_is_call(inner, "torch._utils._rebuild_tensor")) {
        return open_rebuilt(r, t, inner);
    }
    return refuse(r, t, "not a valid parameter");
}

static bool open_number(reader *r, tensor *t, const value *v) {
    const float number = fabs(v->number) <= 3.4e38 ? (float)v->number : NAN;
    uint32_t bits;
    memcpy(&bits, &number, sizeof bits);
    unsigned char *bytes = reader_alloc(r, 4, 1);
    for (int i = 0; bytes && i < 4; i++) bytes[i] = (unsigned char)(bits >> 8 * i);
    t->type = &element_types[0];
    t->data = bytes;
    return bytes != NULL;
}

static const struct {
    const char *callable;
    bool (*open)(reader *r, tensor *t, const value *v);
} descriptions[] = {
    {"numpy.core.multiarray._reconstruct", open_reconstructed},
    {"numpy.core.numeric._frombuffer", open_from_buffer},
    {"torch._utils._rebuild_tensor_v2", open_rebuilt},
    {"torch._utils._rebuild_tensor", open_rebuilt},
    {"torch._utils._rebuild_parameter", open_parameter},
    {"torch._utils._rebuild_parameter_with_state", open_parameter},
};

bool tensor_open(reader *r, const char *name, const value *v, tensor *t) {
    *t = (tensor){.name = name};
    if (r->error[0]) return false;
    if (value_is_number(v)) return open_number(r, t, v);
    for (size_t i = 0; i < sizeof descriptions / sizeof *descriptions; i++) {
        if (value_is_call(v, descriptions[i].callable)) return descriptions[i].open(r, t, v);
    }
    reader_fail(r, "%s: is %s, should be an array", name, value_describe(r, v));
    return false;
}
