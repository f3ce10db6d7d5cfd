/* info.c - what a weight file holds. */
#include "../model/model.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command info_command = {"info", "MODEL", "describe a weight file: configuration and tensors",
                                  "stylegan info ffhq.sgw\n"
                                  "stylegan info ffhq.sgw --json",
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

static const char *const type_names[] = {"f32", "f16", "i8"};

static stylegan_tensor tensor_at(const stylegan_model *model, int index) {
    stylegan_tensor tensor;
    stylegan_get_tensor(model, index, &tensor);
    return tensor;
}

/* --- For people --- */

/* Text from the file reaches the terminal: no control characters but line ends. */
static void print_text(const char *text, size_t length) {
    for (size_t i = 0; i < length; i++) putchar(text[i] == '\n' || !iscntrl((unsigned char)text[i]) ? text[i] : '?');
    if (length && text[length - 1] != '\n') putchar('\n');
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
    for (int i = 0; i < FIELDS; i++) printf("  %-20s %-10g %s\n", fields[i].name, fields[i].value, fields[i].meaning);
    print_layers(opened->model);
    print_tensors(opened->model);
    if (length) printf("\nText\n");
    print_text(text, length);
}

/* --- For programs --- */

/* Bytes of the UTF-8 character at `text`, 0 if it is not one. */
static size_t utf8_length(const unsigned char *text, size_t left) {
    static const struct {
        unsigned char mask, lead;
        uint32_t least;
    } forms[] = {{0x80, 0x00, 0}, {0xe0, 0xc0, 0x80}, {0xf0, 0xe0, 0x800}, {0xf8, 0xf0, 0x10000}};
    for (size_t length = 1; length <= 4 && length <= left; length++) {
        if ((text[0] & forms[length - 1].mask) != forms[length - 1].lead) continue;
        uint32_t code = text[0] & (unsigned char)~forms[length - 1].mask;
        for (size_t i = 1; i < length; i++) {
            if ((text[i] & 0xc0) != 0x80) return 0;
            code = code << 6 | (text[i] & 0x3f);
        }
        return code >= forms[length - 1].least && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) ? length : 0;
    }
    return 0;
}

static void json_text(const char *text, size_t size) {
    putchar('"');
    for (size_t i = 0; i < size;) {
        const unsigned char c = (unsigned char)text[i];
        const size_t length = utf8_length((const unsigned char *)text + i, size - i);
        if (c == '"' || c == '\\')
            printf("\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            printf("\\u%04x", c);
        else if (length == 0)
            printf("\\ufffd");
        else
            fwrite(text + i, 1, length, stdout);
        i += length ? length : 1;
    }
    putchar('"');
}

static void json_number(double value) {
    if (isfinite(value))
        printf("%.9g", value);
    else
        printf("null");
}

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
    json_config(opened->config);
    printf("  \"text\": ");
    json_text(text, length);
    printf(",\n");
    json_tensors(opened->model);
    printf("}\n");
}

static int run(int argc, char **argv) {
    const char *path, *json = NULL;
    const cli_flag flags[] = {{"--json", NULL, "print JSON", &json}, {0}};
    const model_flags compute_flags = {.threads = "1"};
    opened_model opened;
    cli_parse(&info_command, flags, argc, argv, &path, 1, 1);
    model_open(&opened, path, &compute_flags);
    if (json)
        print_json(path, &opened);
    else
        print_description(path, &opened);
    model_close(&opened);
    return CLI_EXIT_OK;
}
