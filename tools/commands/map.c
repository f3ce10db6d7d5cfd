/* map.c - from seeds or z to ws. */
#include "../base/part.h"
#include "../model/latents.h"

#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command map_command = {"map", "MODEL", "map seeds or z to ws, the styles of each layer",
                                 "stylegan map ffhq.sgw --seeds 0-99 --trunc 0.7 --save-npy ws.npy\n"
                                 "stylegan map ffhq.sgw --seeds 0-99999 --save-npy ws.npy --part 3/8   (ws.3-of-8.npy)",
                                 run};

static int run(int argc, char **argv) {
    const char *path, *npy_path = NULL, *part_text = NULL;
    model_flags compute_flags = {0};
    latent_flags source_flags = {0};
    const cli_flag flags[] = {
        LATENT_FLAGS(source_flags),
        {"--save-npy", "FILE.npy", "where to write ws, float32 [n, num_ws, w_dim]; -: to standard output", &npy_path},
        PART_FLAG(part_text),
        MODEL_FLAGS(compute_flags),
        {0}};
    path = model_parse(&map_command, flags, &compute_flags, argc, argv, NULL);
    if (!npy_path) cli_usage("give the file to write: --save-npy ws.npy");

    opened_model opened;
    latents source;
    npy_writer writer;
    model_open(&opened, path, &compute_flags);
    latents_start(&source, &opened, &source_flags);
    const part own = part_parse(part_text, source.count);
    const int first = (int)part_first(own, source.count), end = (int)part_end(own, source.count);
    char *own_path = part_path(own, npy_path);
    npy_open(&writer, own_path, 3, (const int64_t[]){end - first, opened.config->num_ws, opened.config->w_dim});

    float *ws = cli_alloc(opened.ws_values, sizeof *ws);
    for (int i = first; i < end; i++) {
        latents_ws(&source, i, ws);
        npy_append(&writer, ws, opened.ws_values);
    }
    npy_close(&writer);
    cli_tell("%s: ws of %d images", strcmp(npy_path, "-") ? own_path : "standard output", end - first);
    free(own_path);
    free(ws);
    latents_end(&source);
    model_close(&opened);
    return CLI_EXIT_OK;
}
