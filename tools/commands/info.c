/* info.c - what a file of this tool is and holds: weights, a picture, packed pictures, a training state. */
#include "../base/json.h"
#include "../base/notes.h"
#include "../base/png.h"
#include "../data/factors.h"
#include "../data/photograph.h"
#include "../data/recognition.h"
#include "../data/sources.h"
#include "../model/footprint.h"
#include "../model/model.h"
#include "../train/trainer.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command info_command = {
    "info", "FILE", "describe a weight file, a picture, packed pictures (.sgd) or a training state (.sgt)",
    "stylegan info ffhq.sgw\n"
    "stylegan info ffhq.sgw --json\n"
    "stylegan info portraits-64.sgw --memory\n"
    "stylegan info out/seed0085.png",
    run};

/* --- The configuration's fields, all as numbers --- */

typedef struct field {
    const char *name;
    double value;
    const char *meaning;
} field;

enum {
#define COUNT_FIELD(type, name, meaning) FIELD_##name,
    STYLEGAN_CONFIG_FIELDS(COUNT_FIELD) FIELDS
#undef COUNT_FIELD
};

static void list_fields(const stylegan_config *config, field *fields) {
#define LIST_FIELD(type, name, meaning) *fields++ = (field){#name, (double)config->name, meaning};
    STYLEGAN_CONFIG_FIELDS(LIST_FIELD)
#undef LIST_FIELD
}

/* The names of the fields that are numbers of something, in the order of its enumeration. */
static const char *name_of(int index, double value) {
#define ACTIVATION_NAME(name, text) text,
    static const char *const activations[] = {STYLEGAN_ACTIVATIONS(ACTIVATION_NAME)};
#undef ACTIVATION_NAME
    static const char *const architectures[] = {"skip", "resnet", "orig"};
    static const char *const normalizations[] = {"none", "joint", "separate"};
    switch (index) {
    case FIELD_architecture:
        return architectures[(int)value];
    case FIELD_normalization:
        return normalizations[(int)value];
    case FIELD_mapping_activation:
    case FIELD_activation:
        return activations[(int)value];
    default:
        return NULL;
    }
}

static const char *const type_names[] = {"f32", "f16", "i8"};

static stylegan_tensor tensor_at(const stylegan_model *model, int index) {
    stylegan_tensor tensor;
    stylegan_get_tensor(model, index, &tensor);
    return tensor;
}

static size_t open_size(const opened_model *opened) {
    return stylegan_open_size(opened->file.data, opened->file.size, &opened->options, NULL);
}

/* --- For people --- */

/* Text from the file reaches the terminal: no control characters but line ends. */
static void print_text(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) putchar(text[i] == '\n' || !iscntrl((unsigned char)text[i]) ? text[i] : '?');
    if (length && text[length - 1] != '\n') putchar('\n');
}

/* What the header needs beside the file's own bytes. */
static void print_memory(const opened_model *opened) {
    printf("\nMemory (%s, threads: %d; --memory lists what --memory-limit can choose from)\n",
           stylegan_isa_name(stylegan_model_isa(opened->model)), stylegan_model_threads(opened->model));
    printf("  %-20s %zu bytes\n", "open model", open_size(opened));
    printf("  %-20s %zu bytes\n", "workspace", stylegan_workspace_size(opened->model));
}

static void print_tensors(const stylegan_model *model) {
    printf("\nTensors\n");
    for (int i = 0; i < stylegan_tensor_count(model); i++) {
        const stylegan_tensor tensor = tensor_at(model, i);
        char shape[64] = "", *at = shape;
        for (int d = 0; d < tensor.dimensions; d++) at += sprintf(at, d ? " x %" PRId32 : "%" PRId32, tensor.shape[d]);
        printf("  %-28s %-22s %-4s %12" PRIu64 "\n", tensor.name, shape, type_names[tensor.type], tensor.bytes);
    }
}

/* What w steers which layer, and what each makes. */
static void print_layers(const stylegan_model *model) {
    printf("\nLayers             w        channels   width x height\n");
    for (int i = 0; i < stylegan_layer_count(model); i++) {
        stylegan_layer layer;
        stylegan_get_layer(model, i, &layer);
        char w[16] = "";
        if (layer.ws >= 0) snprintf(w, sizeof w, "%d", layer.ws);
        printf("  %-14s %3s   %5d -> %-5d %6d x %d\n", layer.name, w, layer.in, layer.out, layer.width, layer.height);
    }
}

static void print_description(const char *path, const opened_model *opened) {
    field fields[FIELDS];
    size_t length;
    const char *text = stylegan_text(opened->model, &length);
    printf("%s: StyleGAN %d, %d x %d, %" PRIu64 " parameters, %" PRIu64 " bytes\n\nConfiguration\n", path,
           (int)opened->config->family, (int)opened->config->width, (int)opened->config->height,
           stylegan_parameters(opened->model), stylegan_file_size(opened->model));
    list_fields(opened->config, fields);
    for (int i = 0; i < FIELDS; i++) {
        const char *name = name_of(i, fields[i].value);
        if (name)
            printf("  %-20s %-10s %s\n", fields[i].name, name, fields[i].meaning);
        else
            printf("  %-20s %-10g %s\n", fields[i].name, fields[i].value, fields[i].meaning);
    }
    print_memory(opened);
    print_layers(opened->model);
    print_tensors(opened->model);
    if (length) printf("\nText\n");
    print_text(text, length);
}

/* --- For programs --- */

static void json_config(const stylegan_config *config) {
    field fields[FIELDS];
    list_fields(config, fields);
    printf("  \"config\": {\n");
    for (int i = 0; i < FIELDS; i++) {
        printf("    \"%s\": ", fields[i].name);
        json_number(fields[i].value);
        printf(i + 1 < FIELDS ? ",\n" : "\n  },\n");
    }
}

static void json_tensors(const stylegan_model *model) {
    const int count = stylegan_tensor_count(model);
    printf("  \"tensors\": [\n");
    for (int i = 0; i < count; i++) {
        const stylegan_tensor tensor = tensor_at(model, i);
        printf("    {\"name\": ");
        json_text(tensor.name, strlen(tensor.name));
        printf(", \"type\": \"%s\", \"shape\": [", type_names[tensor.type]);
        for (int d = 0; d < tensor.dimensions; d++) printf(d ? ", %" PRId32 : "%" PRId32, tensor.shape[d]);
        printf("], \"bytes\": %" PRIu64 "}%s\n", tensor.bytes, i + 1 < count ? "," : "");
    }
    printf("  ]\n");
}

static void print_json(const char *path, const opened_model *opened) {
    size_t length;
    const char *text = stylegan_text(opened->model, &length);
    printf("{\n  \"file\": ");
    json_text(path, strlen(path));
    printf(",\n  \"bytes\": %" PRIu64 ",\n  \"parameters\": %" PRIu64 ",\n", stylegan_file_size(opened->model),
           stylegan_parameters(opened->model));
    printf("  \"open_bytes\": %zu,\n  \"workspace_bytes\": %zu,\n", open_size(opened),
           stylegan_workspace_size(opened->model));
    json_config(opened->config);
    printf("  \"text\": ");
    json_text(text, length);
    printf(",\n");
    json_tensors(opened->model);
    printf("}\n");
}

/* --- The plans that a limit of memory chooses from --- */

static void print_plans(const footprint *plans, int count) {
    printf("  open model %" PRIu64 " bytes\n  %16s %16s %10s\n", plans[0].open, "workspace", "multiply-adds",
           "relative");
    for (int i = 0; i < count; i++)
        printf("  %16" PRIu64 " %14.1f M %10.2f\n", plans[i].workspace, plans[i].products / 1e6,
               plans[0].products > 0 ? plans[i].products / plans[0].products : 1);
}

static void print_all_plans(const char *path, const opened_model *opened) {
    const unsigned char *bytes = opened->file.data;
    const size_t size = opened->file.size;
    const stylegan_isa isa = stylegan_model_isa(opened->model);
    const int threads = stylegan_model_threads(opened->model), precision = (int)opened->options.precision;
    footprint plans[FOOTPRINT_MOST_PLANS];
    printf("%s: of these plans, the first whose workspace is within --memory-limit is taken.\n"
           "Multiply-adds are those of the convolutions\n",
           path);
    printf("\nThis machine (%s, threads: %d)\n", stylegan_isa_name(isa), threads);
    print_plans(plans, footprint_here(bytes, size, (int)isa, threads, precision, plans));
    printf("\nBoards (plain C, one thread, pointers of 32 bits; see stylegan embed)\n");
    print_plans(plans, footprint_board(bytes, size, 0, 32, precision, 1, plans));
}

/* --- Other files: what they are, and notes --- */

typedef struct description {
    const char *what;
    char *notes;
} description;

/* What the network of factors sees in a square picture; it knows drawn portraits alone. */
static void describe_portrait(const file_view *file, char **notes) {
    pixel_budget budget;
    picture_size original;
    uint8_t *pixels = NULL;
    pixel_budget_start(&budget, MOST_PIXELS);
    char *fault = photograph_decode(file->data, file->size, RECOGNIZER_SIZE, &budget, &original, &pixels);
    pixel_budget_end(&budget);
    free(fault);
    if (!pixels) return;
    float *outputs = cli_alloc((size_t)factor_outputs(), sizeof *outputs);
    float *values = cli_alloc((size_t)factor_count(), sizeof *values);
    recognition *eye = recognition_open(STYLEGAN_ISA_AUTO, 1);
    recognition_see(eye, &(picture_set){1, RECOGNIZER_SIZE, pixels}, NULL, outputs);
    recognition_close(eye);
    factors_read(outputs, values);
    notes_add(notes, "Seen", "as follows, by a network that knows drawn portraits; of other pictures it means nothing");
    factors_note(values, "Seen ", notes);
    free(values);
    free(outputs);
    free(pixels);
}

static int describe_picture(const file_view *file, description *d) {
    int width, height;
    char *told;
    if (!png_read_notes(file->data, file->size, &told, &width, &height)) return 0;
    d->what = told ? "a picture" : "a picture that does not say what it is";
    notes_add(&d->notes, "Size", "%d x %d", width, height);
    char *all = cli_format("%s%s", d->notes, told ? told : "");
    free(d->notes);
    free(told);
    d->notes = all;
    if (width == height && width >= RECOGNITION_LEAST_SIZE) describe_portrait(file, &d->notes);
    return 1;
}

static int has_magic(const file_view *file, const char *name) { /* stylegan.h, >>weight-file; packed.c */
    return file->size > 4 && file->data[0] == 0x89 && memcmp(file->data + 1, name, 3) == 0;
}

static int describe_packed(const char *path, const file_view *file, description *d) {
    dataset data;
    if (!has_magic(file, "SGD")) return 0;
    const char *fault = dataset_view_packed(&data, file);
    if (fault) cli_fail("%s: %s", path, fault);
    d->what = "packed pictures";
    notes_add(&d->notes, "Pictures", "%lld", (long long)data.count);
    notes_add(&d->notes, "Size", "%d x %d", data.resolution, data.resolution);
    notes_add(&d->notes, "Labels", "%d", data.label_size);
    for (int k = 0; data.classes && k < data.label_size; k++) {
        char *key = cli_format("Class %d", k);
        notes_add(&d->notes, key, "%s", data.classes[k]);
        free(key);
    }
    return 1;
}

static int describe_state(const char *path, const file_view *file, description *d) {
    const char *why;
    if (!trainer_is_state(file->data, file->size)) return 0;
    trainer_config config, here;
    why = trainer_read_config(file->data, file->size, &config);
    here = config;
    here.isa = STYLEGAN_ISA_AUTO; /* it may be another machine's */
    here.precision = PRECISION_F32;
    trainer *t = why ? NULL : trainer_load(file->data, file->size, &here, 1, &why);
    if (!t) cli_fail("%s: %s", path, why);
    char *settings = trainer_settings(&config);
    d->what = "a training state; `stylegan train --resume` goes on with it, model.sgw beside it is what it draws with";
    notes_add(&d->notes, "Images", "%lld", (long long)trainer_images(t));
    notes_add(&d->notes, "Settings", "%s", settings);
    free(settings);
    trainer_free(t);
    return 1;
}

static void print_notes(const char *path, const description *d, int json) {
    const char *notes = d->notes;
    note line;
    if (!json) {
        printf("%s: %s\n", path, d->what);
        print_text(notes, strlen(notes));
        return;
    }
    printf("{\n  \"file\": ");
    json_text(path, strlen(path));
    while (notes_next(&notes, &line)) {
        printf(",\n  ");
        json_text(line.key, (size_t)line.key_length);
        printf(": ");
        json_text(line.value, (size_t)line.value_length);
    }
    printf("\n}\n");
}

static int run(int argc, char **argv) {
    const char *json = NULL, *memory = NULL;
    model_flags compute_flags = {0};
    const cli_flag flags[] = {{"--json", NULL, "print JSON", &json},
                              {"--memory", NULL, "what plans there are: memory and work of each", &memory},
                              MODEL_FLAGS(compute_flags),
                              {0}};
    const char *path = model_parse(&info_command, flags, &compute_flags, argc, argv, NULL);
    if (json && memory) cli_usage("--json and --memory: give one of them");
    opened_model opened;
    description other = {NULL, NULL};
    file_view file = file_view_open(path);
    if (describe_picture(&file, &other) || describe_packed(path, &file, &other) ||
        describe_state(path, &file, &other)) {
        print_notes(path, &other, json != NULL);
        free(other.notes);
        file_view_close(&file);
        return CLI_EXIT_OK;
    }
    model_open_view(&opened, path, file, &compute_flags);
    if (memory)
        print_all_plans(path, &opened);
    else if (json)
        print_json(path, &opened);
    else
        print_description(path, &opened);
    model_close(&opened);
    return CLI_EXIT_OK;
}
