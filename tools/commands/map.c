/* map.c - from seeds or z to ws. */
#include "../model/latents.h"

#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command map_command = {"map", "MODEL", "map seeds or z to ws, the styles of each layer",
                                 "stylegan map ffhq.sgw --seeds 0-99 --trunc 0.7 --save-npy ws.npy", run};

static int run(int argc, char **argv) {
    const char *path, *npy_path = NULL;
    model_flags compute_flags = {0};
    latent_flags source_flags = {0};
    const cli_flag flags[] = {
        LATENT_FLAGS(source_flags),
        {"--save-npy", "FILE.npy", "where to write ws, float32 [n, num_ws, w_dim]; -: to standard output", &npy_path},
        MODEL_FLAGS(compute_flags),
        {0}};
    path = model_parse(&map_command, flags, &compute_flags, argc, argv, NULL);
    if (!npy_path) cli_usage("give the file to write: --save-npy ws.npy");

    opened_model opened;
    latents source;
    npy_writer writer;
    model_open(&opened, path, &compute_flags);
    latents_start(&source, &opened, &source_flags);
    npy_open(&writer, npy_path, 3, (const int64_t[]){source.count, opened.config->num_ws, opened.config->w_dim});

    float *ws = cli_alloc(opened.ws_values, sizeof *ws);
    for (int i = 0; i < source.count; i++) {
        latents_ws(&source, i, ws);
        npy_append(&writer, ws, opened.ws_values);
    }
    npy_close(&writer);
    cli_tell("%s: ws of %d images", strcmp(npy_path, "-") ? npy_path : "standard output", source.count);
    free(ws);
    latents_end(&source);
    model_close(&opened);
    return CLI_EXIT_OK;
}
