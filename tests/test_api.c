/* test_api.c - the contract of every function: memory, threads, mapping, wrong use. Drawing itself: test_drawing.c. */
#ifndef _POSIX_C_SOURCE
#define _POSIX_C_SOURCE 200809L
#endif
#include "fixture.h"

#include <math.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* --- Opening --- */

static void check_callers_memory(fixture *f) {
    stylegan_options options = {0};
    stylegan_error error;
    options.threads = 1;
    size_t size = stylegan_open_size(f->file.bytes, f->file.size, &options, &error);
    size_t head = f->file.bytes[12] | (size_t)f->file.bytes[13] << 8 | (size_t)f->file.bytes[14] << 16;
    test_check(size > 0 && size == stylegan_open_size(f->file.bytes, head, &options, &error),
               "api %d: the head tells the size: %d bytes", f->seed, (int)size);
    unsigned char *memory = (unsigned char *)cli_alloc(size, 1);
    options.memory = memory;
    options.memory_size = size;
    stylegan_model *model = stylegan_open_memory(f->file.bytes, f->file.size, &options, &error);
    if (test_check(model != NULL, "api %d: opens in the caller's memory%s%s", f->seed, model ? "" : ": ",
                   model ? "" : error.message)) {
        size_t workspace_size = stylegan_workspace_size(model);
        stylegan_run run = {0};
        run.workspace = cli_alloc(workspace_size, 1);
        run.workspace_size = workspace_size;
        float *images = test_images(model, f->ws, BATCH, &run);
        test_check(test_same(images, f->images, BATCH * f->image_size),
                   "api %d: the caller's memory and workspace draw the same", f->seed);
        free(images);
        free(run.workspace);
        stylegan_close(model);
    }
    options.memory_size = size - 1;
    model = stylegan_open_memory(f->file.bytes, f->file.size, &options, &error);
    test_check(!model && error.code == STYLEGAN_ERROR_MEMORY, "api %d: one byte less is refused", f->seed);
    free(memory);
}

static void check_alignment(fixture *f) {
    unsigned char *shifted = (unsigned char *)cli_alloc(f->file.size + 64, 1);
    int same = 1;
    for (size_t shift = 1; shift < 64; shift += 13) {
        memcpy(shifted + shift, f->file.bytes, f->file.size);
        test_file file = {shifted + shift, f->file.size};
        stylegan_model *model = test_open(&file, STYLEGAN_ISA_AUTO, 1);
        same &= draws_the_same(f, model);
        stylegan_close(model);
    }
    test_check(same, "api %d: unaligned weights draw the same", f->seed);
    free(shifted);
}

typedef struct reader {
    const test_file *file;
    size_t position, limit; /* fails behind the limit */
} reader;

static int read_some(void *user, void *buffer, size_t size) {
    reader *r = (reader *)user;
    if (size > r->limit - r->position) return -1;
    memcpy(buffer, r->file->bytes + r->position, size);
    r->position += size;
    return 0;
}

static void check_callback(fixture *f) {
    stylegan_options options = {0};
    stylegan_error error;
    options.threads = 1;
    reader whole = {&f->file, 0, f->file.size};
    stylegan_model *model = stylegan_open_callback(read_some, &whole, &options, &error);
    if (test_check(model && whole.position == f->file.size, "api %d: opens through a callback", f->seed))
        test_check(draws_the_same(f, model), "api %d: and draws the same", f->seed);
    stylegan_close(model);
    options.memory_size = stylegan_open_size(f->file.bytes, f->file.size, &options, NULL) + f->file.size + 64;
    options.memory = cli_alloc(options.memory_size, 1);
    reader again = {&f->file, 0, f->file.size};
    model = stylegan_open_callback(read_some, &again, &options, &error);
    test_check(model && draws_the_same(f, model), "api %d: through a callback into the caller's memory", f->seed);
    stylegan_close(model);
    free(options.memory);
    options.memory = NULL;
    options.memory_size = 0;
    int refused = 1;
    for (size_t limit = 0; limit < f->file.size; limit += 1 + f->file.size / 100) {
        reader part = {&f->file, 0, limit};
        error.code = STYLEGAN_OK;
        model = stylegan_open_callback(read_some, &part, &options, &error);
        refused &= !model && error.code == STYLEGAN_ERROR_FILE;
        stylegan_close(model);
    }
    test_check(refused, "api %d: a stream that ends early is refused", f->seed);
}

/* A flipped bit of a weight is found unless the caller trusts the data. */
static void check_trust(fixture *f) {
    stylegan_options options = {0};
    stylegan_error error;
    options.threads = 1;
    f->file.bytes[f->file.size - 64] ^= 1;
    stylegan_model *model = stylegan_open_memory(f->file.bytes, f->file.size, &options, &error);
    test_check(!model && error.code == STYLEGAN_ERROR_CHECKSUM, "api %d: damaged weights: %s", f->seed, error.message);
    options.trust_data = 1;
    model = stylegan_open_memory(f->file.bytes, f->file.size, &options, &error);
    test_check(model != NULL, "api %d: trusted data is not checked", f->seed);
    stylegan_close(model);
    f->file.bytes[f->file.size - 64] ^= 1;
}

static void check_file(fixture *f, const char *folder) {
    stylegan_error error;
    char *path = cli_format("%s/api.sgw", folder);
    FILE *file = fopen(path, "wb");
    if (!file || fwrite(f->file.bytes, 1, f->file.size, file) != f->file.size || fclose(file))
        cli_fail("%s: cannot write", path);
    stylegan_model *model = stylegan_open_file(path, &(stylegan_options){.threads = 1}, &error);
    test_check(model && draws_the_same(f, model), "api %d: opens a file", f->seed);
    stylegan_close(model);
    remove(path);
    model = stylegan_open_file(path, NULL, &error);
    test_check(!model && error.code == STYLEGAN_ERROR_FILE && strstr(error.message, "api.sgw"),
               "api %d: a missing file: %s", f->seed, error.message);
    free(path);
    path = cli_format("%0400d/api.sgw", 0);
    test_check(!stylegan_open_file(path, NULL, &error) && strstr(error.message, "0/api.sgw: cannot open"),
               "api %d: a long path leaves room for the reason: %s", f->seed, error.message);
    free(path);
}

/* --- Allocation --- */

typedef struct allocations {
    int made, freed, limit;
} allocations;

static void *count_allocation(void *user, size_t size) {
    allocations *a = (allocations *)user;
    return a->made++ < a->limit ? malloc(size) : NULL;
}

static void count_release(void *user, void *memory) {
    ((allocations *)user)->freed += memory != NULL;
    free(memory);
}

static void check_allocator(fixture *f) {
    allocations counts = {0, 0, 100};
    stylegan_options options = {0};
    stylegan_error error;
    options.threads = 2;
    options.allocate = count_allocation;
    options.release = count_release;
    options.allocator_user = &counts;
    stylegan_model *model = stylegan_open_memory(f->file.bytes, f->file.size, &options, &error);
    if (!test_check(model && counts.made == 1, "api %d: opening allocates once", f->seed)) return;
    stylegan_run run = {0};
    run.workspace_size = stylegan_workspace_size(model);
    unsigned char *block = (unsigned char *)cli_alloc(run.workspace_size + 4, 1);
    run.workspace = block + 4; /* aligned to 4 bytes only */
    float *images = test_images(model, f->ws, BATCH, &run);
    test_check(counts.made == 1 && test_same(images, f->images, BATCH * f->image_size),
               "api %d: drawing in a workspace allocates nothing, whatever its alignment", f->seed);
    run.workspace_size--;
    test_check(stylegan_synthesize(model, f->ws, 1, images, &run, &error) == STYLEGAN_ERROR_WORKSPACE &&
                   error.code == STYLEGAN_ERROR_WORKSPACE && error.message[0],
               "api %d: a small workspace: %s", f->seed, error.message);
    free(images);
    free(block);
    test_check(draws_the_same(f, model) && draws_the_same(f, model) && counts.made == 2,
               "api %d: without a workspace one is made and kept", f->seed);
    stylegan_close(model);
    test_check(counts.freed == counts.made, "api %d: closing frees everything", f->seed);
    f->file.bytes[f->file.size - 1] ^= 1;
    test_check(!stylegan_open_memory(f->file.bytes, f->file.size, &options, &error) &&
                   error.code == STYLEGAN_ERROR_CHECKSUM && counts.made == 3 && counts.freed == 3,
               "api %d: opening what is damaged frees everything: %s", f->seed, error.message);
    f->file.bytes[f->file.size - 1] ^= 1;
    options.release = NULL;
    test_check(!stylegan_open_memory(f->file.bytes, f->file.size, &options, &error) &&
                   error.code == STYLEGAN_ERROR_ARGUMENT,
               "api %d: an allocator that cannot release: %s", f->seed, error.message);
    options.release = count_release;
    options.allocate = NULL;
    test_check(!stylegan_open_memory(f->file.bytes, f->file.size, &options, &error) &&
                   error.code == STYLEGAN_ERROR_ARGUMENT,
               "api %d: one that can only release: %s", f->seed, error.message);
    options.allocate = count_allocation;
    allocations none = {0, 0, 0};
    options.allocator_user = &none;
    test_check(!stylegan_open_memory(f->file.bytes, f->file.size, &options, &error) &&
                   error.code == STYLEGAN_ERROR_MEMORY,
               "api %d: no memory to open: %s", f->seed, error.message);
    allocations one = {0, 0, 1};
    options.allocator_user = &one;
    model = stylegan_open_memory(f->file.bytes, f->file.size, &options, &error);
    float *image = (float *)cli_alloc(f->image_size, sizeof *image);
    test_check(model && stylegan_synthesize(model, f->ws, 1, image, NULL, &error) == STYLEGAN_ERROR_MEMORY,
               "api %d: no memory to draw", f->seed);
    stylegan_close(model);
    free(image);
}

/* --- Signals --- */

static volatile sig_atomic_t taken_signals;

static void take_signal(int signal_number) {
    (void)signal_number;
    taken_signals++;
}

/* A server that waits for signals blocks them; it must not lose them to the threads of a model that it opened before. */
static void check_signals(fixture *f) {
    sigset_t one, waiting;
    int found = 0;
    stylegan_model *model = test_open(&f->file, STYLEGAN_ISA_AUTO, 4);
    struct sigaction before, action = {.sa_handler = take_signal};
    sigaction(SIGUSR2, &action, &before);
    sigemptyset(&one);
    sigaddset(&one, SIGUSR2);
    pthread_sigmask(SIG_BLOCK, &one, NULL);
    kill(getpid(), SIGUSR2);
    const int same = draws_the_same(f, model);
    sigpending(&waiting);
    test_check(same && sigismember(&waiting, SIGUSR2) == 1 && !taken_signals,
               "api %d: a signal that the program blocks waits for it", f->seed);
    if (sigismember(&waiting, SIGUSR2) == 1) sigwait(&one, &found);
    pthread_sigmask(SIG_UNBLOCK, &one, NULL);
    sigaction(SIGUSR2, &before, NULL);
    stylegan_close(model);
}

/* --- A mapping alone --- */

static void check_mapping_alone(fixture *f) {
    weights whole, mapping;
    make_network(f->seed, &whole);
    weights_copy_mapping(&whole, &mapping);
    test_file file;
    file.bytes = weights_to_memory(&mapping, STYLEGAN_F32, &file.size);
    stylegan_model *model = test_open(&file, STYLEGAN_ISA_AUTO, 1);
    stylegan_error error;
    stylegan_layer layer;
    float *z = test_normal(3, (size_t)f->config.z_dim), *labels = test_normal(4, (size_t)f->config.c_dim);
    float *ws = (float *)cli_alloc(f->style_size, sizeof *ws),
          *w = (float *)cli_alloc((size_t)f->config.w_dim, sizeof *w);
    stylegan_map(f->model, z, labels, 1, 1, 0, ws, NULL, NULL);
    stylegan_map(model, z, labels, 1, 1, 0, w, NULL, NULL);
    test_check(test_same(w, ws, (size_t)f->config.w_dim) && stylegan_layer_count(model) == 0 &&
                   stylegan_get_layer(model, 0, &layer) == STYLEGAN_ERROR_ARGUMENT &&
                   stylegan_synthesize(model, w, 1, ws, NULL, &error) == STYLEGAN_ERROR_ARGUMENT,
               "api %d: a mapping alone maps, and does not draw: %s", f->seed, error.message);
    stylegan_close(model);
    free(file.bytes);
    free(z);
    free(labels);
    free(ws);
    free(w);
    weights_free(&mapping);
    random_network_free(&whole);
}

/* --- Threads --- */

typedef struct painter {
    const fixture *f;
    const stylegan_model *model;
    int own_workspace, same;
} painter;

static void *paint(void *context) {
    painter *p = (painter *)context;
    stylegan_run run = {0};
    if (p->own_workspace) {
        run.workspace_size = stylegan_workspace_size(p->model);
        run.workspace = cli_alloc(run.workspace_size, 1);
    }
    p->same = 1;
    for (int round = 0; round < 4; round++) {
        float *images = test_images(p->model, p->f->ws, BATCH, &run);
        p->same &= test_same(images, p->f->images, BATCH * p->f->image_size);
        free(images);
    }
    free(run.workspace);
    return NULL;
}

static void check_concurrency(fixture *f, int own_workspace) {
    enum { PAINTERS = 4 };
    pthread_t threads[PAINTERS];
    painter painters[PAINTERS];
    stylegan_model *model = test_open(&f->file, STYLEGAN_ISA_AUTO, 2);
    int same = 1;
    for (int i = 0; i < PAINTERS; i++) {
        painters[i] = (painter){f, model, own_workspace, 0};
        if (pthread_create(&threads[i], NULL, paint, &painters[i])) cli_fail("cannot start a thread");
    }
    for (int i = 0; i < PAINTERS; i++) {
        pthread_join(threads[i], NULL);
        same &= painters[i].same;
    }
    stylegan_close(model);
    test_check(same, "api %d: %d threads draw from one model at once, %s", f->seed, PAINTERS,
               own_workspace ? "each in its workspace" : "sharing the model's workspace");
}

static void run_backwards(void *user, int parts, stylegan_task_fn *task, void *context) {
    ++*(int *)user;
    while (parts-- > 0) task(context, parts);
}

static void check_scheduler(fixture *f) {
    for (int threads = 0; threads <= 64; threads += 1 + 6 * (threads > 0) + 56 * (threads > 7)) {
        int calls = 0;
        stylegan_options options = {0};
        options.threads = threads;
        options.parallel = run_backwards;
        options.parallel_user = &calls;
        stylegan_model *model = stylegan_open_memory(f->file.bytes, f->file.size, &options, NULL);
        if (!test_check(model && draws_the_same(f, model), "api %d: the caller's scheduler, at most %d parts", f->seed,
                        threads))
            return;
        test_check(threads == 1 || calls > 0, "api %d: the scheduler is called (%d times)", f->seed, calls);
        stylegan_close(model);
    }
}

/* --- Instruction sets --- */

static void check_isas(fixture *f) {
    int opened = 1, refused = 1;
    for (int isa = STYLEGAN_ISA_AUTO + 1; isa < STYLEGAN_ISA_COUNT; isa++) {
        stylegan_options options = {0};
        stylegan_error error = {STYLEGAN_OK, ""};
        options.isa = (stylegan_isa)isa;
        options.threads = 1;
        stylegan_model *model = stylegan_open_memory(f->file.bytes, f->file.size, &options, &error);
        if (stylegan_isa_available((stylegan_isa)isa))
            opened &= model && stylegan_model_isa(model) == (stylegan_isa)isa;
        else
            refused &= !model && error.code == STYLEGAN_ERROR_UNSUPPORTED &&
                       strstr(error.message, stylegan_isa_name((stylegan_isa)isa));
        stylegan_close(model);
    }
    test_check(opened && stylegan_isa_available(STYLEGAN_ISA_SCALAR),
               "api %d: every available instruction set can be forced", f->seed);
    test_check(refused, "api %d: the others are refused by name", f->seed);
    test_check(stylegan_model_isa(f->model) != STYLEGAN_ISA_AUTO && stylegan_model_threads(f->model) == 1,
               "api %d: the model tells both", f->seed);
    test_check(
        !stylegan_open_memory(f->file.bytes, f->file.size, &(stylegan_options){.isa = STYLEGAN_ISA_COUNT}, NULL) &&
            !stylegan_open_memory(f->file.bytes, f->file.size, &(stylegan_options){.threads = 65}, NULL) &&
            !stylegan_open_memory(f->file.bytes, f->file.size, &(stylegan_options){.threads = -1}, NULL),
        "api %d: options out of range are refused", f->seed);
}

/* --- Networks at the edge of what can be drawn --- */

typedef struct collected {
    const stylegan_config *config;
    float *image;
} collected;

static int collect_rows(void *user, int index, int y, int rows, const float *pixels) {
    const collected *c = (const collected *)user;
    const size_t width = (size_t)c->config->width, height = (size_t)c->config->height, count = (size_t)rows * width;
    (void)index;
    for (size_t i = 0; i < (size_t)c->config->channels; i++)
        memcpy(c->image + (i * height + (size_t)y) * width, pixels + i * count, count * sizeof *pixels);
    return 0;
}

/* The rows of an image that is still growing are handed over together: none may lie behind the workspace. */
static void check_young(size_t memory_limit) {
    enum { GUARD = 8 << 20, MARK = 0xA5 };
    test_file file = test_young_network(1);
    stylegan_model *model = test_open_limited(&file, STYLEGAN_ISA_AUTO, 1, memory_limit);
    const stylegan_config *config = stylegan_describe(model);
    const size_t size = stylegan_workspace_size(model), floats = test_image_size(config);
    unsigned char *workspace = (unsigned char *)cli_alloc(size + GUARD, 1);
    float *ws = test_styles(model, 1, 1), *whole = test_images(model, ws, 1, NULL);
    collected rows = {config, (float *)cli_alloc(floats, sizeof(float))};
    stylegan_run run = {0};
    run.workspace = workspace;
    run.workspace_size = size;
    run.rows = collect_rows;
    run.user = &rows;
    memset(workspace + size, MARK, GUARD);
    const stylegan_result result = stylegan_synthesize(model, ws, 1, NULL, &run, NULL);
    size_t kept = 0;
    while (kept < GUARD && workspace[size + kept] == MARK) kept++;
    test_check(!result && kept == GUARD && !memcmp(rows.image, whole, floats * sizeof *whole),
               "api: rows of a young network, limit %zu: as the whole image, nothing behind the workspace",
               memory_limit);
    free(rows.image);
    free(whole);
    free(ws);
    free(workspace);
    stylegan_close(model);
    free(file.bytes);
}

/* The side of a resnet's block is added to it, channel by channel. */
static void check_skip_channels(void) {
    weights w = {0};
    stylegan_error error = {STYLEGAN_OK, ""};
    uint64_t seed = 0;
    do {
        random_network_free(&w);
        random_network(seed++, &w);
    } while (w.config.family != STYLEGAN_FAMILY_2 || w.config.architecture != STYLEGAN_RESNET || w.config.blocks < 2 ||
             weights_find(&w, "b8.skip.weight")->shape[3] < 2);
    test_file file = {NULL, 0};
    file.bytes = weights_to_memory(&w, STYLEGAN_F32, &file.size);
    stylegan_model *model = test_open(&file, STYLEGAN_ISA_AUTO, 1);
    weights fewer = {0};
    weights_read(&fewer, model);
    weights_find(&fewer, "b8.skip.weight")->shape[3]--;
    size_t size;
    unsigned char *bytes = weights_to_memory(&fewer, STYLEGAN_F32, &size);
    stylegan_model *odd = stylegan_open_memory(bytes, size, NULL, &error);
    test_check(!odd && strstr(error.message, "its skip has"), "api: a skip of fewer channels: %s", error.message);
    stylegan_close(odd);
    stylegan_close(model);
    weights_free(&fewer);
    random_network_free(&w);
    free(bytes);
    free(file.bytes);
}

/* A filter of one row whose taps add up to nothing, behind an up-sampling without a kernel: row 0 of its map has no input. What
   lay in the workspace before must not be seen in it. */
static void check_filter_of_nothing(void) {
    weights w = {0}, odd = {0};
    uint64_t seed = 0;
    const weights_tensor *t = NULL;
    do {
        random_network_free(&w);
        random_network(seed++, &w);
        t = weights_find(&w, "b8.conv0.weight");
    } while (w.config.family != STYLEGAN_FAMILY_2 || !t || t->shape[0] != 1 || weights_find(&w, "fir_image"));
    odd.config = w.config;
    for (int i = 0; i < w.count; i++) {
        float *values = weights_values(&w.tensors[i]);
        const int32_t shape[] = {1, 2};
        const float taps[] = {1, -1};
        if (!strcmp(w.tensors[i].name, "fir"))
            weights_add_values(&odd, "fir", 2, shape, taps);
        else
            weights_add_values(&odd, w.tensors[i].name, w.tensors[i].dimensions, w.tensors[i].shape, values);
        free(values);
    }
    test_file file = {NULL, 0};
    file.bytes = weights_to_memory(&odd, STYLEGAN_F32, &file.size);
    stylegan_model *model = test_open(&file, STYLEGAN_ISA_AUTO, 1);
    const size_t size = stylegan_workspace_size(model), floats = test_image_size(stylegan_describe(model));
    unsigned char *workspace = (unsigned char *)cli_alloc(size, 1);
    float *ws = test_styles(model, 1, 1), *image[2];
    stylegan_run run = {0};
    run.workspace = workspace;
    run.workspace_size = size;
    for (int i = 0; i < 2; i++) {
        memset(workspace, i ? 0x3F : 0, size);
        image[i] = test_images(model, ws, 1, &run);
    }
    test_check(!memcmp(image[0], image[1], floats * sizeof(float)),
               "api: a filter of nothing: the same in any workspace");
    for (int i = 0; i < 2; i++) free(image[i]);
    free(ws);
    free(workspace);
    stylegan_close(model);
    weights_free(&odd);
    random_network_free(&w);
    free(file.bytes);
}

/* A StyleGAN 3 whose maps have 16 x 16 and 512 x 512 pixels in turn: the small ones are kept, each in a buffer. */
static void check_crowded(void) {
    enum { LAYERS = 41, SMALL = 16, LARGE = 512 };
    weights plain, w = {0};
    stylegan_error error = {STYLEGAN_OK, ""};
    random_network3(0, &plain);
    w.config = plain.config;
    w.config.blocks = LAYERS;
    w.config.num_ws = w.config.truncation_cutoff = LAYERS + 1;
    w.config.height = w.config.width = w.config.resolution = LARGE;
    int channels = 0, size = SMALL;
    for (int i = 0; i < plain.count; i++) {
        weights_tensor *t = &plain.tensors[i];
        if (t->name[0] == 'L') continue;
        float *values = weights_values(t);
        if (!strcmp(t->name, "input.grid")) values[0] = values[1] = SMALL;
        if (!strcmp(t->name, "input.freqs")) channels = t->shape[0];
        weights_add_values(&w, t->name, t->dimensions, t->shape, values);
        free(values);
    }
    float *values = (float *)cli_alloc((size_t)(w.config.w_dim * channels + LARGE), sizeof *values);
    for (int i = 0; i < w.config.w_dim * channels + LARGE; i++) values[i] = 0.1f;
    for (int i = 0; i < LAYERS; i++) {
        const int last = i == LAYERS - 1, in = i ? 1 : channels, out = last ? w.config.channels : 1;
        const int next = last ? size : i % 2 ? LARGE : SMALL, pad = (next - size) / 2;
        const float geometry[10] = {(float)size, (float)size, (float)next, (float)next, 1,
                                    1,           (float)pad,  (float)pad,  (float)pad,  (float)pad};
        const struct {
            const char *name;
            int dimensions;
            int32_t shape[4];
            const float *values;
        } tensors[] = {{"geometry", 1, {10}, geometry},
                       {"weight", 4, {1, 1, in, out}, values},
                       {"bias", 1, {out}, values},
                       {"affine.weight", 2, {w.config.w_dim, in}, values},
                       {"affine.bias", 1, {in}, values}};
        for (int k = 0; k < 5; k++) {
            char name[32];
            snprintf(name, sizeof name, "L%d.%s", i, tensors[k].name);
            weights_add_values(&w, name, tensors[k].dimensions, tensors[k].shape, tensors[k].values);
        }
        size = next;
    }
    size_t bytes;
    unsigned char *file = weights_to_memory(&w, STYLEGAN_F32, &bytes);
    stylegan_model *model = stylegan_open_memory(file, bytes, NULL, &error);
    test_check(!model && strstr(error.message, "too often"), "api: %d maps, small and large in turn: %s", LAYERS,
               error.message);
    stylegan_close(model);
    random_network_free(&plain);
    weights_free(&w);
    free(values);
    free(file);
}

/* --- Mapping, mixing, easy level --- */

static void check_mix(fixture *f) {
    int last = f->config.num_ws - 1;
    size_t width = (size_t)f->config.w_dim;
    const float *base = f->ws, *style = f->ws + f->style_size;
    float *ws = (float *)cli_alloc(f->style_size, sizeof *ws);
    test_check(!stylegan_mix(f->model, base, style, 0, last, ws) && test_same(ws, style, f->style_size),
               "api %d: mixing all layers", f->seed);
    test_check(!stylegan_mix(f->model, base, style, last, last, ws) && test_same(ws, base, f->style_size - width) &&
                   test_same(ws + f->style_size - width, style + f->style_size - width, width),
               "api %d: mixing the last layer", f->seed);
    memcpy(ws, base, f->style_size * sizeof *ws);
    test_check(!stylegan_mix(f->model, ws, style, 0, 0, ws) && test_same(ws, style, width) &&
                   test_same(ws + width, base + width, f->style_size - width),
               "api %d: mixing in place", f->seed);
    test_check(stylegan_mix(f->model, base, style, -1, last, ws) == STYLEGAN_ERROR_ARGUMENT &&
                   stylegan_mix(f->model, base, style, 0, last + 1, ws) == STYLEGAN_ERROR_ARGUMENT &&
                   stylegan_mix(f->model, NULL, style, 0, last, ws) == STYLEGAN_ERROR_ARGUMENT,
               "api %d: mixing outside the layers is refused", f->seed);
    free(ws);
}

static void check_mapping(fixture *f) {
    int z_dim = f->config.z_dim, c_dim = f->config.c_dim, layers = f->config.num_ws;
    size_t width = (size_t)f->config.w_dim;
    float *z = test_normal(3, (size_t)(BATCH * z_dim)), *labels = test_normal(4, (size_t)(BATCH * c_dim));
    float *batch = (float *)cli_alloc(BATCH * f->style_size, sizeof *batch),
          *one = (float *)cli_alloc(f->style_size, sizeof *one);
    stylegan_map(f->model, z, labels, BATCH, 0.5f, layers, batch, NULL, NULL);
    int same = 1;
    for (int i = 0; i < BATCH; i++) {
        stylegan_map(f->model, z + i * z_dim, labels + i * c_dim, 1, 0.5f, layers, one, NULL, NULL);
        same &= test_same(one, batch + (size_t)i * f->style_size, f->style_size);
    }
    test_check(same, "api %d: mapping a batch is mapping one by one", f->seed);
    stylegan_map(f->model, z, labels, 1, 0.5f, layers + 5, one, NULL, NULL);
    test_check(test_same(one, batch, f->style_size), "api %d: a cutoff beyond the layers means all", f->seed);
    stylegan_map(f->model, z, labels, 1, 0.5f, 0, batch, NULL, NULL);
    stylegan_map(f->model, z, labels, 1, 1, layers, one, NULL, NULL);
    test_check(test_same(one, batch, f->style_size), "api %d: cutoff 0 and psi 1 both leave w", f->seed);
    stylegan_map(f->model, z, labels, 1, 0, 1, one, NULL, NULL);
    int mean = 0;
    for (int i = 0; i < stylegan_tensor_count(f->model); i++) {
        stylegan_tensor t;
        if (!stylegan_get_tensor(f->model, i, &t) && !strcmp(t.name, "w_avg"))
            mean = test_same((const float *)(const void *)t.data, one, width);
    }
    test_check(mean && test_same(one + width, batch + width, f->style_size - width),
               "api %d: psi 0 gives w_avg up to the cutoff", f->seed);
    float *zeros = (float *)calloc((size_t)c_dim + 1, sizeof *zeros);
    stylegan_map(f->model, z, zeros, 1, 1, 0, batch, NULL, NULL);
    stylegan_map(f->model, z, NULL, 1, 1, 0, one, NULL, NULL);
    test_check(test_same(one, batch, f->style_size), "api %d: no labels are zeros", f->seed);
    free(zeros);
    free(z);
    free(labels);
    free(batch);
    free(one);
}

static void check_generate(fixture *f) {
    float *z = test_normal(85, (size_t)f->config.z_dim), *ws = (float *)cli_alloc(f->style_size, sizeof *ws);
    stylegan_error error;
    stylegan_map(f->model, z, NULL, 1, 0.6f, f->config.truncation_cutoff, ws, NULL, NULL);
    float *image = test_images(f->model, ws, 1, NULL);
    unsigned char *expected = (unsigned char *)cli_alloc(f->image_size, 1),
                  *rgb = (unsigned char *)cli_alloc(f->image_size, 1);
    stylegan_to_rgb8(image, f->config.channels, f->config.height, f->config.width, expected);
    test_check(!stylegan_generate(f->model, 85, 0.6f, rgb, &error) && !memcmp(rgb, expected, f->image_size),
               "api %d: the easy call is the three medium ones", f->seed);
    free(z);
    free(ws);
    free(image);
    free(expected);
    free(rgb);
}

static void check_rgb8(void) {
    static const float image[] = {-2, -1, -0.999f, 0, 0.5f, 0.9999f, 1, 1e30f, -1e30f, -0.00392f, INFINITY, -INFINITY};
    enum { COUNT = sizeof image / sizeof *image };
    unsigned char pixels[COUNT];
    int good = 1;
    stylegan_to_rgb8(image, 1, 1, COUNT, pixels);
    for (int i = 0; i < COUNT; i++) {
        double value = trunc((double)image[i] * 127.5 + 128);
        good &= pixels[i] == (value < 0 ? 0 : value > 255 ? 255 : (int)value);
    }
    test_check(good, "api: RGB8 is clamp(trunc(x * 127.5 + 128))");
    stylegan_to_rgb8(image, 3, 2, 2, pixels);
    unsigned char plain[COUNT];
    stylegan_to_rgb8(image, 1, 1, COUNT, plain);
    for (int i = 0; i < COUNT; i++) good &= pixels[i] == plain[i % 3 * 4 + i / 3];
    test_check(good, "api: RGB8 interleaves the channels");
    static const float nothing[] = {NAN};
    stylegan_to_rgb8(nothing, 1, 1, 1, pixels); /* any pixel will do, but no undefined behaviour */
}

/* --- Wrong use --- */

static void check_arguments(fixture *f) {
    stylegan_error error;
    float *image = (float *)cli_alloc(f->image_size, sizeof *image);
    float *ws = (float *)cli_alloc(f->style_size, sizeof *ws);
    test_check(!stylegan_open_memory(NULL, 0, NULL, &error) && error.code && error.message[0] &&
                   !stylegan_open_memory(NULL, 0, NULL, NULL) && !stylegan_open_callback(NULL, NULL, NULL, &error) &&
                   !stylegan_open_file(NULL, NULL, &error) && !stylegan_open_size(NULL, 0, NULL, &error),
               "api %d: opening nothing is refused", f->seed);
    stylegan_close(NULL);
    test_check(stylegan_synthesize(f->model, NULL, 1, image, NULL, &error) == STYLEGAN_ERROR_ARGUMENT &&
                   error.message[0] &&
                   stylegan_synthesize(f->model, f->ws, 1, NULL, NULL, NULL) == STYLEGAN_ERROR_ARGUMENT &&
                   stylegan_synthesize(NULL, f->ws, 1, image, NULL, &error) == STYLEGAN_ERROR_ARGUMENT &&
                   stylegan_synthesize(f->model, f->ws, -1, image, NULL, &error) == STYLEGAN_ERROR_ARGUMENT,
               "api %d: synthesis without what it needs is refused", f->seed);
    float z = 0;
    test_check((!f->config.z_dim ||
                stylegan_map(f->model, NULL, NULL, 1, 1, 0, ws, NULL, &error) == STYLEGAN_ERROR_ARGUMENT) &&
                   stylegan_map(f->model, &z, NULL, 1, 1, 0, NULL, NULL, &error) == STYLEGAN_ERROR_ARGUMENT &&
                   stylegan_map(NULL, &z, NULL, 1, 1, 0, ws, NULL, &error) == STYLEGAN_ERROR_ARGUMENT &&
                   stylegan_generate(f->model, 0, 1, NULL, &error) == STYLEGAN_ERROR_ARGUMENT &&
                   stylegan_generate(NULL, 0, 1, (unsigned char *)image, &error) == STYLEGAN_ERROR_ARGUMENT,
               "api %d: mapping without what it needs is refused", f->seed);
    const stylegan_options options = {.memory_size = (size_t)1 << 30};
    const stylegan_run run = {.workspace_size = (size_t)1 << 30};
    test_check(!stylegan_open_memory(f->file.bytes, f->file.size, &options, &error) &&
                   error.code == STYLEGAN_ERROR_MEMORY &&
                   stylegan_synthesize(f->model, f->ws, 1, image, &run, &error) == STYLEGAN_ERROR_WORKSPACE,
               "api %d: memory that could not be had is not taken from elsewhere", f->seed);
    float *latent = (float *)cli_alloc((size_t)f->config.z_dim + 1, sizeof *latent);
    stylegan_seed_z(1, latent, f->config.z_dim);
    test_check(stylegan_map(f->model, latent, NULL, 1, NAN, 9, ws, NULL, &error) == STYLEGAN_ERROR_ARGUMENT &&
                   stylegan_map(f->model, latent, NULL, 1, -INFINITY, 9, ws, NULL, &error) == STYLEGAN_ERROR_ARGUMENT &&
                   stylegan_generate(f->model, 0, INFINITY, (unsigned char *)image, &error) == STYLEGAN_ERROR_ARGUMENT,
               "api %d: a psi that is no number: %s", f->seed, error.message);
    free(latent);
    free(image);
    free(ws);
}

static void check_names(void) {
    int named = 1;
    for (int i = 0; i < STYLEGAN_ISA_COUNT; i++) named &= stylegan_isa_name((stylegan_isa)i)[0] != 0;
    for (int i = 0; i < STYLEGAN_ACTIVATION_COUNT; i++)
        named &= stylegan_activation_name((stylegan_activation)i)[0] != 0;
    for (int i = STYLEGAN_OK; i <= STYLEGAN_ERROR_CANCELLED; i++)
        named &= stylegan_result_text((stylegan_result)i)[0] != 0;
    test_check(named && !strcmp(stylegan_isa_name(STYLEGAN_ISA_AVX2), "avx2") &&
                   !strcmp(stylegan_activation_name(STYLEGAN_SWISH), "swish") &&
                   stylegan_isa_name(STYLEGAN_ISA_COUNT) && stylegan_activation_name(STYLEGAN_ACTIVATION_COUNT) &&
                   stylegan_result_text((stylegan_result)99),
               "api: everything has a name");
}

int main(int argc, char **argv) {
    const char *folder = argc > 1 ? argv[1] : ".";
    for (int i = 0; i < FIXTURES; i++) {
        fixture f = set_up(fixture_seeds[i]);
        check_callers_memory(&f);
        check_alignment(&f);
        check_callback(&f);
        check_trust(&f);
        check_file(&f, folder);
        check_allocator(&f);
        check_signals(&f);
        check_mapping_alone(&f);
        check_concurrency(&f, 1);
        check_concurrency(&f, 0);
        check_scheduler(&f);
        check_isas(&f);
        check_mix(&f);
        check_mapping(&f);
        check_generate(&f);
        check_arguments(&f);
        tear_down(&f);
    }
    check_young(0);
    check_young(STYLEGAN_MEMORY_LEAST);
    check_skip_channels();
    check_crowded();
    check_filter_of_nothing();
    check_rgb8();
    check_names();
    return test_end();
}
