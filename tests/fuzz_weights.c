/* fuzz_weights.c - feeds the weight reader and draws with what it accepts: whole images and windows of rows, on every
   instruction set, within any limit of memory, from data that lie anywhere. The checksums are made right first, so that
   what lies behind them is reached.
   .ci/run builds it with libFuzzer; with -DFUZZ_STANDALONE any compiler builds a program that runs files given as arguments,
   or with "--seconds N FILE..." mutates them at random. */
#include "../stylegan.h"
#include "sgw.h"

#include <stdlib.h>
#include <string.h>

/* Larger networks are opened, but not drawn. */
enum { MOST_WORKSPACE = 1 << 22, MOST_VALUES = 1 << 18, MOST_SIDE = 1024 };
static const double MOST_MACS = 1e7;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t most);

/* How the file is opened and drawn: its head's checksum, which is recomputed in any case. */
enum { CHOICES_AT = 24, CHOOSE_ISA = 0, CHOOSE_LIMIT, CHOOSE_OFFSET, CHOOSE_CALLBACKS, CHOOSE_CALL, CHOOSE_CANCEL };
enum { ROWS = 1, IMAGE = 2, PROGRESS = 4, INSPECT = 8, TRANSFORM = 16 }; /* CHOOSE_CALLBACKS */
enum { BATCH = 1, LABELS = 2, UNTRUNCATED = 4, NOISE = 8 };              /* CHOOSE_CALL; NOISE: the modes are above */

static int calls_left; /* until one cancels */

static int take_rows(void *user, int index, int y, int rows, const float *pixels) {
    const stylegan_config *config = (const stylegan_config *)user;
    const size_t count = (size_t)config->channels * (size_t)rows * (size_t)config->width;
    volatile float last = pixels[count - 1];
    (void)index, (void)y, (void)last;
    return --calls_left == 0;
}

static int take_progress(void *user, float done) {
    (void)user, (void)done;
    return --calls_left == 0;
}

static void inspect(void *user, int index, const stylegan_feature_map *map) {
    float *feature = (float *)malloc(sizeof(float) * (size_t)map->rows * (size_t)map->width + 1);
    (void)user, (void)index;
    if (feature) {
        stylegan_read_feature(map, 0, feature);
        stylegan_read_feature(map, map->channels - 1, feature);
    }
    free(feature);
}

/* Zeros where the size is 0 or memory is out: the call then has its own checks to pass. */
static float *values(size_t count) {
    return (float *)calloc(count + 1, sizeof(float));
}

static double work(const stylegan_model *model) {
    stylegan_layer layer;
    double macs = 0;
    for (int i = 0; i < stylegan_layer_count(model); i++)
        if (!stylegan_get_layer(model, i, &layer)) macs += layer.macs;
    return macs;
}

static void draw(const stylegan_model *model, const uint8_t *choices) {
    const stylegan_config *config = stylegan_describe(model);
    stylegan_config copy = *config; /* what the callbacks are given is not const */
    const size_t workspace_size = stylegan_workspace_size(model);
    const size_t styles = (size_t)config->num_ws * (size_t)config->w_dim;
    const int callbacks = choices[CHOOSE_CALLBACKS], call = choices[CHOOSE_CALL], count = call & BATCH ? 2 : 1;
    if (workspace_size > MOST_WORKSPACE || styles > MOST_VALUES || config->z_dim > MOST_VALUES ||
        config->c_dim > MOST_VALUES || config->resolution > MOST_SIDE || work(model) * count > MOST_MACS)
        return;
    const size_t pixels = (size_t)config->channels * (size_t)config->height * (size_t)config->width, n = (size_t)count;
    const int whole = callbacks & IMAGE || !(callbacks & ROWS);
    const size_t offset = 4 * (size_t)(choices[CHOOSE_OFFSET] / 4 % 16);
    float *z = values(n * (size_t)config->z_dim), *ws = values(n * styles), *image = whole ? values(n * pixels) : NULL;
    float *labels = call & LABELS ? values(n * (size_t)config->c_dim) : NULL;
    unsigned char *workspace = (unsigned char *)malloc(workspace_size + offset);
    stylegan_run run = {0};
    run.workspace = workspace + offset;
    run.workspace_size = workspace_size;
    run.noise_mode = (stylegan_noise_mode)(call / NOISE % 3);
    run.noise_seed = (uint64_t)call;
    if (callbacks & ROWS) run.rows = take_rows;
    if (callbacks & PROGRESS) run.progress = take_progress;
    if (callbacks & INSPECT) run.inspect = inspect;
    float transform[9] = {1, 0, 1e30f, 0, -1, 0.1f, 0, 0, 1};
    if (callbacks & TRANSFORM) run.transform = transform;
    run.user = &copy;
    calls_left = choices[CHOOSE_CANCEL] % 64; /* 0: none does */
    if (z && ws && workspace && (image || !whole)) {
        for (int i = 0; i < count; i++) stylegan_seed_z((uint32_t)i, z + i * config->z_dim, config->z_dim);
        for (int i = 0; labels && i < count * config->c_dim; i++) labels[i] = (float)(i % 3);
        if (!stylegan_map(model, z, labels, count, call & UNTRUNCATED ? 1.0f : 0.7f, config->num_ws, ws, &run, NULL))
            stylegan_synthesize(model, ws, count, image, &run, NULL);
    }
    free(z);
    free(ws);
    free(image);
    free(labels);
    free(workspace);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static const size_t limits[] = {0, 1, 1 << 16, 1 << 18, 1 << 20};
    static const uint8_t none[8] = {0};
    const uint8_t *choices = size >= CHOICES_AT + sizeof none ? data + CHOICES_AT : none;
    const size_t offset = choices[CHOOSE_OFFSET] % 4;
    unsigned char *memory = (unsigned char *)malloc(size + offset + 1), *file = memory + offset;
    if (!memory) return 0;
    memcpy(file, data, size);
    sgw_fix_checksums(file, size);
    stylegan_options options;
    memset(&options, 0, sizeof options);
    options.threads = 1;
    options.isa = (stylegan_isa)(choices[CHOOSE_ISA] % STYLEGAN_ISA_COUNT);
    if (!stylegan_isa_available(options.isa)) options.isa = STYLEGAN_ISA_AUTO;
    options.memory_limit = limits[choices[CHOOSE_LIMIT] % (sizeof limits / sizeof *limits)];
    stylegan_error error;
    stylegan_model *model = stylegan_open_memory(file, size, &options, &error);
    if (model) draw(model, choices);
    stylegan_close(model);
    free(memory);
    return 0;
}

/* --- Mutations that keep the file a file: another way to open it, other sizes, other values --- */

static uint32_t fuzz_state;

static uint32_t pick(uint32_t limit) { /* xorshift */
    fuzz_state ^= fuzz_state << 13;
    fuzz_state ^= fuzz_state >> 17;
    fuzz_state ^= fuzz_state << 5;
    return fuzz_state % limit;
}

static uint32_t pick_number(void) {
    static const uint32_t numbers[] = {
        0,  1,  2,  3,  4,  5,   7,   8,   9,   12,  15,   16,    17,    24,          31,          32,
        33, 48, 63, 64, 65, 127, 128, 129, 256, 512, 1024, 65535, 65536, 0x3F800000u, 0x7FFFFFFFu, 0xFFFFFFFFu};
    return numbers[pick(sizeof numbers / sizeof *numbers)];
}

static void change_choices(uint8_t *file, size_t size) {
    (void)size;
    file[CHOICES_AT + pick(6)] = (uint8_t)pick(256);
}

static void change_config(uint8_t *file, size_t size) {
    const size_t fields = sgw_config_fields(file);
    if (fields && SGW_CONFIG + 4 * fields <= size)
        sgw_write(file + SGW_CONFIG + 4 * pick((uint32_t)fields), pick_number(), 4);
}

/* A type, a shape or an offset becomes another number, or that of another tensor. */
static void change_directory(uint8_t *file, size_t size) {
    static const struct {
        size_t at, size;
    } parts[] = {{0, 32}, {32, 4}, {36, 4}, {40, 4}, {44, 4}, {48, 4}, {52, 4}, {56, 8}, {32, 32}};
    const size_t directory = sgw_directory(file), count = sgw_tensors(file), kind = pick(sizeof parts / sizeof *parts);
    if (!count || count > size || directory + SGW_ENTRY * count > size) return;
    uint8_t *entry = file + directory + SGW_ENTRY * pick((uint32_t)count) + parts[kind].at;
    if (parts[kind].size == 4 && pick(2))
        sgw_write(entry, pick_number(), 4);
    else
        memmove(entry, file + directory + SGW_ENTRY * pick((uint32_t)count) + parts[kind].at, parts[kind].size);
}

static void change_values(uint8_t *file, size_t size) {
    static const uint32_t numbers[] = {0x7F800000u, 0x7FC00000u, 0xFF7FFFFFu, 1,           0x80000000u, 0x00007C01u, 0,
                                       0x3F800000u, 0x40000000u, 0x40A00000u, 0x41800000u, 0xC0000000u, 0x47000000u};
    const size_t head = sgw_head_size(file);
    if (head + 4 > size) return;
    const size_t at = head + 4 * (size_t)pick((uint32_t)((size - head) / 4));
    sgw_write(file + at, numbers[pick(sizeof numbers / sizeof *numbers)], 4);
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t most, unsigned int seed) {
    static void (*const changes[])(uint8_t * file, size_t size) = {change_choices, change_config, change_directory,
                                                                   change_values};
    fuzz_state = (uint32_t)seed * 2654435761u | 1u;
    if (size < SGW_CONFIG || pick(4) == 0) return LLVMFuzzerMutate(data, size, most);
    for (uint32_t left = 1 + pick(3); left; left--) changes[pick(sizeof changes / sizeof *changes)](data, size);
    return size;
}

#ifdef FUZZ_STANDALONE
#define FUZZ_CUSTOM_MUTATOR
#include "standalone_fuzzer.h"
#endif
