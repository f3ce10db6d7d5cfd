/* embed.c - a network as a C header, for programs without files: its weights as a constant array and, as macros, what
   such a program must know when it is compiled. */
#include "../base/notes.h"
#include "../model/footprint.h"
#include "../model/model.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command embed_command = {"embed", "MODEL -o NAME.h",
                                   "make a C header of a network, for programs without files",
                                   "stylegan embed portraits-64.sgw -o portrait.h\n"
                                   "stylegan embed portraits-64.sgw -o portrait.h --memory-limit 260K\n"
                                   "stylegan embed portraits-64.sgw -o portrait.h --isa mve\n"
                                   "stylegan embed portraits-64.sgw -o portrait.h --bits 64",
                                   run};

/* The file's name without folder and ending, as a C name: "my-face.h" gives my_face, "3.h" n3. */
static char *name_from(const char *path) {
    const char *start = path;
    for (const char *p = path; *p; p++)
        if (*p == '/' || *p == '\\') start = p + 1;
    const char *dot = strrchr(start, '.');
    const int length = dot ? (int)(dot - start) : (int)strlen(start);
    if (!dot || strcmp(dot, ".h") || !length) cli_usage("-o %s: must be a C header, such as portrait.h", path);
    char *name = cli_format("%s%.*s", isdigit((unsigned char)*start) ? "n" : "", length, start);
    for (char *p = name; *p; p++)
        if (!isalnum((unsigned char)*p)) *p = '_';
    return name;
}

static char *upper_case(const char *name) {
    char *upper = cli_format("%s", name);
    for (char *p = upper; *p; p++) *p = (char)toupper((unsigned char)*p);
    return upper;
}

/* The fastest plan whose workspace fits into the limit. */
static footprint choose_plan(const char *path, const opened_model *opened, int helium, int bits,
                             const char *limit_text) {
    footprint plans[FOOTPRINT_MOST_PLANS];
    const int count =
        footprint_board(opened->file.data, opened->file.size, helium, bits, (int)opened->options.precision, 0, plans);
    const int least = limit_text && !strcmp(limit_text, "least");
    const uint64_t limit = limit_text && !least ? (uint64_t)cli_bytes("--memory-limit", limit_text) : UINT64_MAX;
    for (int i = least ? count - 1 : 0; i < count; i++)
        if (plans[i].workspace <= limit && (bits == 64 || plans[i].workspace <= INT32_MAX)) return plans[i];
    cli_fail("%s: needs a workspace of at least %" PRIu64 " bytes, more than %s", path, plans[count - 1].workspace,
             limit_text && !least ? "--memory-limit allows" : "32 bits can address");
}

static void write_text(output *out, char *text) {
    output_write(out, text, strlen(text));
    free(text);
}

/* What the weight file says of itself, within a comment, which it must not end. */
static void write_notes(output *out, const stylegan_model *model) {
    static const char *const keys[] = {"source", "begun as", "data", "licence"};
    char *lines = NULL;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        char *value = model_text(model, keys[i]);
        if (value) notes_add(&lines, keys[i], "%s", value);
        free(value);
    }
    for (char *p = lines; p && *p; p++) {
        if (p[0] == '*' && p[1] == '/') p[1] = '?';
        if (p == lines || p[-1] == '\n') output_write(out, "   ", 3);
        output_write(out, p, 1);
    }
    if (lines) output_write(out, "\n", 1);
    free(lines);
}

static void write_comment(output *out, const char *path, const opened_model *opened, int helium, int bits,
                          const char *name) {
    const stylegan_config *c = opened->config;
    write_text(out, cli_format("/* %s - %s for programs without files: StyleGAN %d, %d x %d. Made by `stylegan embed`,"
                               " stylegan.h %s.\n\n",
                               cli_file_name(path), opened->name, (int)c->family, (int)c->width, (int)c->height,
                               stylegan_version()));
    write_notes(out, opened->model);
    write_text(out, cli_format("   One file of the program defines %s_IMPLEMENTATION before it includes this. The sizes"
                               " hold for %s, one thread and\n   pointers of %d bits; with %s_WORKSPACE_SIZE as"
                               " options.memory_limit the library takes the plan that they belong to. */\n",
                               name, helium ? "Helium" : "plain C", bits, name));
}

static void write_macros(output *out, const opened_model *opened, int helium, const footprint *f, const char *name) {
    const stylegan_config *c = opened->config;
    const struct {
        const char *name;
        uint64_t value;
        const char *meaning;
    } macros[] = {
        {"FAMILY", (uint64_t)c->family, "1: StyleGAN, 2: StyleGAN 2 and 2-ADA, 3: StyleGAN 3"},
        {"Z_DIM", (uint64_t)c->z_dim, "values of z"},
        {"C_DIM", (uint64_t)c->c_dim, "labels"},
        {"NUM_WS", (uint64_t)c->num_ws, "ws holds this many ..."},
        {"W_DIM", (uint64_t)c->w_dim, "... times this many values"},
        {"CHANNELS", (uint64_t)c->channels, "of the image"},
        {"HEIGHT", (uint64_t)c->height, ""},
        {"WIDTH", (uint64_t)c->width, ""},
        {"OPEN_SIZE", f->open, "bytes of options.memory"},
        {"WORKSPACE_SIZE", f->workspace, "bytes of run.workspace, and options.memory_limit"},
        {"STACK_SIZE", helium ? FOOTPRINT_STACK_HELIUM : FOOTPRINT_STACK, "bytes of stack that a call takes at most"},
        {"WEIGHTS_SIZE", opened->file.size, "bytes of the weights, which stay where they are"},
    };
    write_text(out, cli_format("#define %s_ISA STYLEGAN_ISA_%s /* options.isa */\n", name, helium ? "MVE" : "SCALAR"));
    write_text(out, cli_format("#define %s_PRECISION STYLEGAN_PRECISION_%s /* options.precision */\n", name,
                               opened->options.precision == STYLEGAN_PRECISION_FAST ? "FAST" : "F32"));
    for (size_t i = 0; i < sizeof macros / sizeof *macros; i++) {
        char *define = cli_format("#define %s_%s %" PRIu64, name, macros[i].name, macros[i].value);
        if (*macros[i].meaning)
            write_text(out, cli_format("%-40s /* %s */\n", define, macros[i].meaning));
        else
            write_text(out, cli_format("%s\n", define));
        free(define);
    }
}

static void write_declaration(output *out, const char *name, const char *upper) {
    write_text(out, cli_format("\n#ifdef __cplusplus\nextern \"C\" const unsigned char %s_weights[%s_WEIGHTS_SIZE];\n"
                               "#else\nextern const unsigned char %s_weights[%s_WEIGHTS_SIZE];\n#endif\n",
                               name, upper, name, upper));
}

static void write_definition(output *out, const file_view *file, const char *name, const char *upper) {
    enum { LINE = 32, DIGITS = 4 };
    write_text(out, cli_format("\n#if defined(%s_IMPLEMENTATION) && !defined(%s_IMPLEMENTED)\n#define %s_IMPLEMENTED\n"
                               "#ifndef %s_ATTRIBUTES /* to be defined before, to put the weights elsewhere */\n"
                               "#ifdef _MSC_VER\n#define %s_ATTRIBUTES __declspec(align(64))\n#else\n"
                               "#define %s_ATTRIBUTES __attribute__((aligned(64)))\n#endif\n#endif\n"
                               "%s_ATTRIBUTES const unsigned char %s_weights[%s_WEIGHTS_SIZE] = {\n",
                               upper, upper, upper, upper, upper, upper, upper, name, upper));
    for (size_t i = 0; i < file->size; i += LINE) {
        char line[LINE * DIGITS + 2], *at = line;
        for (size_t k = i; k < i + LINE && k < file->size; k++) at += sprintf(at, "%d,", file->data[k]);
        *at++ = '\n';
        output_write(out, line, (size_t)(at - line));
    }
    write_text(out, cli_format("};\n#endif\n"));
}

static int run(int argc, char **argv) {
    const char *path, *out_path = NULL, *limit = NULL, *precision = NULL, *isa = "scalar", *bits_text = "32";
    const cli_flag flags[] = {
        {"-o", "NAME.h", "the header to write; its names begin with NAME", &out_path},
        {"--memory-limit", "BYTES", "most bytes of workspace, such as 640K, or least (default: as fast as can be)",
         &limit},
        {"--precision", "NAME", "f32, or fast: feature maps in 16 bits, half the memory (default: f32)", &precision},
        {"--isa", "NAME", "scalar, or mve: compiled for a Cortex-M with Helium (default: scalar)", &isa},
        {"--bits", "32|64", "of a pointer where the program will run (default: 32)", &bits_text},
        {0}};
    cli_parse(&embed_command, flags, argc, argv, &path, 1, 1);
    if (!out_path) cli_usage("give the file to write: -o portrait.h");
    if (strcmp(bits_text, "32") && strcmp(bits_text, "64")) cli_usage("--bits %s: must be 32 or 64", bits_text);
    if (strcmp(isa, "scalar") && strcmp(isa, "mve")) cli_usage("--isa %s: must be scalar or mve", isa);
    const int bits = bits_text[0] == '3' ? 32 : 64, helium = isa[0] == 'm';
    if (bits == 64 && helium) cli_usage("--bits 64: processors with Helium have 32");
    if (bits == 64 && sizeof(void *) < 8) cli_fail("--bits 64: this program has pointers of 32 bits itself");
    char *name = name_from(out_path), *upper = upper_case(name);
    if (!strcmp(upper, "STYLEGAN")) cli_usage("-o %s: is the library's own name", out_path);

    opened_model opened;
    output out;
    model_open(&opened, path, &(model_flags){.threads = "1", .isa = "scalar", .precision = precision});
    const footprint f = choose_plan(path, &opened, helium, bits, limit);
    output_open(&out, out_path);
    write_comment(&out, out_path, &opened, helium, bits, upper);
    write_text(&out, cli_format("#ifndef %s_EMBEDDED\n#define %s_EMBEDDED\n\n", upper, upper));
    write_macros(&out, &opened, helium, &f, upper);
    write_declaration(&out, name, upper);
    write_text(&out, cli_format("\n#endif\n"));
    write_definition(&out, &opened.file, name, upper);
    output_close(&out);
    cli_tell("%s: %zu bytes of weights; %" PRIu64 " + %" PRIu64 " bytes of memory for model and workspace", out_path,
             opened.file.size, f.open, f.workspace);
    model_close(&opened);
    free(upper);
    free(name);
    return CLI_EXIT_OK;
}
