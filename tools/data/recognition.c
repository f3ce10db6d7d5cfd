/* recognition.c - see recognition.h.

   The file of the network, little-endian, its numbers IEEE 754 binary32:

     offset  bytes  content
          0      8  magic: 89 53 47 46 0D 0A 1A 0A (hexadecimal; "SGF" between bytes that text transfers spoil)
          8      4  outputs
         12      -  of each layer in turn: the weights' scales [out], weights / scale from -127 to 127 [taps][in][out],
                    biases [out]

   make writes that of tools/data/factors.bin as an array, factors_network.h. */
#include "recognition.h"
#include "../base/cli.h"
#include "../base/pool.h"
#include "factors.h"
#include "factors_network.h"
#include "photograph.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const unsigned char magic[8] = {0x89, 'S', 'G', 'F', 0x0D, 0x0A, 0x1A, 0x0A};
enum { MOST_WEIGHT = 127 };

/* --- The file --- */

static void write32(output *out, uint32_t value) {
    unsigned char bytes[4];
    for (int i = 0; i < 4; i++) bytes[i] = (unsigned char)(value >> (8 * i));
    output_write(out, bytes, sizeof bytes);
}

static void write_float(output *out, float value) {
    uint32_t bits;
    memcpy(&bits, &value, sizeof bits);
    write32(out, bits);
}

static void write_weights(output *out, const parameter *p, const float *values) {
    float *scales = cli_alloc((size_t)p->columns, sizeof *scales);
    for (int c = 0; c < p->columns; c++) {
        float most = 0;
        for (int r = 0; r < p->rows; r++) most = fmaxf(most, fabsf(values[r * padded(p->columns) + c]));
        scales[c] = most > 0 ? most / MOST_WEIGHT : 1;
        write_float(out, scales[c]);
    }
    for (int r = 0; r < p->rows; r++)
        for (int c = 0; c < p->columns; c++) {
            const long weight = lrintf(values[r * padded(p->columns) + c] / scales[c]);
            const unsigned char byte = (unsigned char)weight;
            output_write(out, &byte, 1);
        }
    free(scales);
}

void recognition_save(const recognizer *r, const char *path) {
    output out;
    output_open(&out, path);
    output_write(&out, magic, sizeof magic);
    write32(&out, (uint32_t)r->outputs);
    for (int i = 0; i < r->net.linear_count; i++) {
        const linear *l = &r->net.linears[i];
        const parameter *bias = &r->net.parameters[l->bias];
        write_weights(&out, &r->net.parameters[l->weight], network_value(&r->net, l->weight));
        for (int c = 0; c < bias->columns; c++) write_float(&out, network_value(&r->net, l->bias)[c]);
    }
    output_close(&out);
}

static uint32_t read32(const unsigned char **at) {
    uint32_t value = 0;
    for (int i = 0; i < 4; i++) value |= (uint32_t) * (*at)++ << (8 * i);
    return value;
}

static float read_float(const unsigned char **at) {
    const uint32_t bits = read32(at);
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

static void read_weights(const unsigned char **at, const parameter *p, float *values) {
    float *scales = cli_alloc((size_t)p->columns, sizeof *scales);
    for (int c = 0; c < p->columns; c++) scales[c] = read_float(at);
    for (int r = 0; r < p->rows; r++)
        for (int c = 0; c < p->columns; c++) {
            const int byte = *(*at)++;
            values[r * padded(p->columns) + c] = scales[c] * (float)(byte < 128 ? byte : byte - 256);
        }
    free(scales);
}

static size_t file_size(const recognizer *r) {
    size_t size = sizeof magic + 4;
    for (int i = 0; i < r->net.linear_count; i++) {
        const parameter *p = &r->net.parameters[r->net.linears[i].weight];
        size += (size_t)p->columns * (size_t)(p->rows + 8);
    }
    return size;
}

static void read_parameters(const recognizer *r, const unsigned char *bytes, size_t size) {
    const unsigned char *at = bytes + sizeof magic;
    if (size != file_size(r) || memcmp(bytes, magic, sizeof magic) != 0 || read32(&at) != (uint32_t)r->outputs)
        cli_fail("the network of factors was made for another list of factors: `make factors` makes it again");
    for (int i = 0; i < r->net.linear_count; i++) {
        const linear *l = &r->net.linears[i];
        const parameter *bias = &r->net.parameters[l->bias];
        read_weights(&at, &r->net.parameters[l->weight], network_value(&r->net, l->weight));
        for (int c = 0; c < bias->columns; c++) network_value(&r->net, l->bias)[c] = read_float(&at);
    }
}

/* --- The network at work --- */

/* What one thread computes in. */
typedef struct desk {
    recognizer_maps maps;
    convolution_scratch scratch;
    uint8_t *pixels; /* [64][64][3] */
} desk;

struct recognition {
    arena arena;
    recognizer network;
    pool *pool;
    int threads;
    desk *desks;
};

static void plan(recognition *r, const engine *e) {
    recognizer_plan(&r->network, factor_outputs(), e, &r->arena);
    for (int i = 0; i < r->threads; i++) {
        r->desks[i].maps = recognizer_maps_take(&r->arena, &r->network);
        recognizer_scratch_fit(&r->network, &r->desks[i].scratch);
        convolution_scratch_take(&r->arena, &r->desks[i].scratch);
    }
}

recognition *recognition_open_bytes(const unsigned char *bytes, size_t size, stylegan_isa isa, int threads) {
    recognition *r = cli_alloc(1, sizeof *r);
    const engine *e = engine_for(isa) ? engine_for(isa) : engine_for(STYLEGAN_ISA_SCALAR);
    *r = (recognition){.threads = threads ? threads : pool_processors()};
    r->desks = cli_alloc((size_t)r->threads, sizeof *r->desks);
    memset(r->desks, 0, (size_t)r->threads * sizeof *r->desks);
    for (int i = 0; i < r->threads; i++) r->desks[i].pixels = cli_alloc(RECOGNIZER_SIZE * RECOGNIZER_SIZE, 3);
    plan(r, e);
    arena_allocate(&r->arena);
    plan(r, e);
    read_parameters(&r->network, bytes, size);
    recognizer_prepare(&r->network, &r->desks[0].scratch);
    r->pool = pool_start(r->threads);
    return r;
}

recognition *recognition_open(stylegan_isa isa, int threads) {
    return recognition_open_bytes(factors_network, sizeof factors_network, isa, threads);
}

void recognition_parameters(const recognizer *r, const convolution_scratch *s) {
    read_parameters(r, factors_network, sizeof factors_network);
    recognizer_prepare(r, s);
}

typedef struct view {
    const recognition *r;
    const picture_set *set;
    float *features, *outputs;
} view;

static void load(const view *v, desk *at, int picture, int n) {
    const int size = v->set->resolution;
    const uint8_t *pixels = v->set->pixels + (size_t)picture * (size_t)size * (size_t)size * 3;
    picture_resize(pixels, size, size, RECOGNIZER_SIZE, at->pixels);
    recognizer_load(&at->maps, n, at->pixels, 0);
}

static void store(const map *x, int n, int picture, float *values) {
    for (int c = 0; values && c < x->channels; c++)
        values[(size_t)picture * (size_t)x->channels + (size_t)c] = x->data[map_at(x, c, 0, 0, n)];
}

static void see_shard(void *context, int item, int thread) {
    const view *v = context;
    desk *at = &v->r->desks[thread];
    const int first = item * SHARD, left = v->set->count - first, count = left < SHARD ? left : SHARD;
    for (int n = 0; n < count; n++) load(v, at, first + n, n);
    recognizer_forward(&v->r->network, &at->maps, &at->scratch);
    for (int n = 0; n < count; n++) {
        store(&at->maps.features, n, first + n, v->features);
        store(&at->maps.outputs, n, first + n, v->outputs);
    }
}

void recognition_see(recognition *r, const picture_set *set, float *features, float *outputs) {
    view v = {r, set, features, outputs};
    pool_run(r->pool, (set->count + SHARD - 1) / SHARD, see_shard, &v);
}

/* --- Its success --- */

enum { PIXELS = RECOGNIZER_SIZE * RECOGNIZER_SIZE * 3 };

typedef struct exam {
    uint64_t seed;
    uint8_t *pixels; /* [count][64][64][3] */
    float *truths;   /* [count][factors] */
} exam;

static void draw_question(void *context, int item, int thread) {
    const exam *x = context;
    portrait p;
    (void)thread;
    portrait_draw_factors(&p, x->seed, (uint64_t)item);
    portrait_render(&p, RECOGNIZER_SIZE, x->pixels + (size_t)item * PIXELS);
    factors_of(&p, x->truths + (size_t)item * (size_t)factor_count());
}

void recognition_score(recognition *r, uint64_t seed, int count, double *scores) {
    const size_t factors = (size_t)factor_count(), size = (size_t)factor_outputs();
    float *outputs = cli_alloc((size_t)count * size, sizeof *outputs);
    float *values = cli_alloc((size_t)count * factors, sizeof *values);
    exam x = {seed, cli_alloc((size_t)count, PIXELS), cli_alloc((size_t)count * factors, sizeof *x.truths)};
    pool_run(r->pool, count, draw_question, &x);
    recognition_see(r, &(picture_set){count, RECOGNIZER_SIZE, x.pixels}, NULL, outputs);
    for (size_t i = 0; i < (size_t)count; i++) factors_read(outputs + i * size, values + i * factors);
    for (int i = 0; i < factor_count(); i++) scores[i] = factor_score(i, count, values, x.truths);
    free(outputs);
    free(values);
    free(x.pixels);
    free(x.truths);
}

void recognition_close(recognition *r) {
    pool_end(r->pool);
    for (int i = 0; i < r->threads; i++) free(r->desks[i].pixels);
    arena_free(&r->arena);
    free(r->desks);
    free(r);
}
