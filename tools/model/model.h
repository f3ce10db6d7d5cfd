/* model.h - opens a weight file for a command. */
#ifndef MODEL_H
#define MODEL_H

#include "../../stylegan.h"
#include "../base/cli.h"

/* How to compute. */
typedef struct model_flags {
    const char *network, *threads, *isa, *precision, *memory_limit;
    int batch; /* images that one call draws together, see stylegan_options; no flag of most commands */
} model_flags;
enum { MODEL_BATCH = 8 }; /* the same of commands that draw many */
#define MODEL_FLAGS(flags)                                                                                       \
    {"--network", "FILE", "the same as MODEL", &(flags).network},                                                \
        {"--threads", "N", "threads to compute with (default: one per processor)", &(flags).threads},            \
        {"--isa", "NAME", "instruction set: scalar, sse2, avx2, avx512, neon, ... (default: the fastest)",       \
         &(flags).isa},                                                                                          \
        {"--precision", "NAME",                                                                                  \
         "f32 (default); bf16x2: products of 17 bits by AMX; fast: maps in 16 bits, half the memory, and AMX's " \
         "products of 8",                                                                                        \
         &(flags).precision},                                                                                    \
    {                                                                                                            \
        "--memory-limit", "BYTES", "most working memory, such as 64M, or least; at the price of speed",          \
            &(flags).memory_limit                                                                                \
    }

typedef struct opened_model {
    const char *name; /* of the file, without its folder */
    file_view file;
    const unsigned char *bytes; /* of the weight file, and how many */
    size_t size;
    stylegan_options options;
    stylegan_model *model;
    const stylegan_config *config;
    size_t ws_values;    /* of one image: L * D */
    size_t image_values; /* C * H * W */
} opened_model;

/* cli_parse for commands whose argument is a MODEL, which --network can give as well: its path, or the
   default unless that is NULL. */
const char *model_parse(const cli_command *command, const cli_flag *flags, const model_flags *given, int argc,
                        char **argv, const char *by_default);

int model_has_isa(const char *name); /* whether this machine has the instruction set */

/* All end the program on failure. A view becomes the model's, the bytes of model_open_bytes stay the caller's. */
void model_open(opened_model *opened, const char *path, const model_flags *flags);
void model_open_view(opened_model *opened, const char *path, file_view file, const model_flags *flags);
void model_open_bytes(opened_model *opened, const char *name, const unsigned char *bytes, size_t size,
                      const model_flags *flags);
/* Opens the model again, to draw so many images by one call, together. */
void model_draw_together(opened_model *opened, int count);
/* What a picture says of the network that drew it, for `--like` to find the same one again: the checksums of its file as 32
   hexadecimal digits, and how it computes. */
char *model_checksum(const opened_model *opened); /* the caller frees it */
void model_notes(const opened_model *opened, char **notes);

/* The value of a key in the weight file's text, NULL if there is none; the caller frees it. */
char *model_text(const stylegan_model *model, const char *key);

/* The values of a tensor, row-major; the caller frees them. NULL if the model has no tensor of that name. */
float *model_tensor(const opened_model *opened, const char *name, stylegan_tensor *tensor);

void model_close(opened_model *opened);

#endif
