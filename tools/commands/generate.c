/* generate.c - pictures from seeds, z or ws. */
#include "../base/part.h"
#include "../base/sheet.h"
#include "../base/terminal.h"
#include "../model/drawing.h"
#include "../model/latents.h"
#include "../model/like.h"

#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command generate_command = {"generate", "MODEL", "draw pictures from seeds, z or ws",
                                      "stylegan generate ffhq.sgw --seeds 0-3,85 --trunc 0.7\n"
                                      "stylegan generate ffhq.sgw --seeds 85 --show\n"
                                      "stylegan generate ffhq.sgw --seeds 1-4 --trunc=-1,-0.5,0,0.5,1 --grid 5x4\n"
                                      "stylegan generate cifar10.sgw --seeds 0-34 --class 1 --grid 7x5 --outdir cars\n"
                                      "stylegan generate ffhq.sgw --ws ws.npy --save-npy images.npy\n"
                                      "stylegan generate stylegan3.sgw --seeds 0-3 --translate 0.1,0 --rotate 30\n"
                                      "stylegan generate ffhq.sgw --seeds 0-999999 --part 3/100 --outdir faces\n"
                                      "stylegan generate ffhq.sgw --like out/seed0085.png --outdir again",
                                      run};

static void save_picture(const drawing *d, const latents *l, int index, const char *folder) {
    char *name = latents_name(l, index, ".png"), *notes = drawing_notes(d, DRAWN_PICTURE);
    if (notes) latents_notes(l, index, &notes);
    drawing_save(d, folder, name, notes);
    free(notes);
    free(name);
}

static void save_sheet(const drawing *d, const latents *l, sheet *grid, const char *folder) {
    char *notes = drawing_notes(d, DRAWN_SHEET);
    if (notes) latents_sheet_notes(l, &notes);
    sheet_save(grid, folder, "grid.png", &notes);
    free(notes);
}

/* The sheet, or the picture, in the terminal. */
static void show(drawing *d, const sheet *grid) {
    const stylegan_config *config = d->opened->config;
    progress_end(&d->progress); /* its line would stay before the picture */
    if (grid)
        sheet_show(grid);
    else
        terminal_show(drawing_pixels(d), config->width, config->height, config->channels);
}

static void tell_where(const latents *l, int first, int count, const char *folder, int with_grid) {
    char *name = latents_name(l, first, ".png");
    if (count == 1 && !with_grid)
        cli_tell("%s/%s", folder, name);
    else
        cli_tell("%d pictures in %s/%s", count, folder, with_grid ? ", together in grid.png" : "");
    free(name);
}

static int run(int argc, char **argv) {
    const char *path, *folder = "out", *grid_text = NULL, *npy_path = NULL, *like = NULL, *shown = NULL,
                      *part_text = NULL;
    model_flags compute_flags = {0};
    latent_flags source_flags = {0};
    drawing_flags noise_flags = {0};
    const cli_flag flags[] = {
        LATENT_FLAGS(source_flags),
        {"--ws", "FILE.npy", "ws [n, num_ws, w_dim] instead of seeds, .npy or .npz", &source_flags.ws},
        {"--projected-w", "FILE.npz", "the same as --ws", &source_flags.ws},
        {"--like", "PICTURE.png", "draw a picture of this tool again, as it says itself", &like},
        DRAWING_FLAGS(noise_flags),
        {"--outdir", "DIR", "folder for the pictures (default: out)", &folder},
        {"--grid", "CxR", "also write grid.png, C columns and R rows of the pictures", &grid_text},
        {"--show", NULL, "also show the pictures, or their grid, in the terminal", &shown},
        {"--save-npy", "FILE.npy", "also write the images as float32 [n, C, H, W]; -: to standard output", &npy_path},
        PART_FLAG(part_text),
        MODEL_FLAGS(compute_flags),
        {0}};
    path = model_parse(&generate_command, flags, &compute_flags, argc, argv, NULL);
    if (part_text && grid_text) cli_usage("--part and --grid exclude each other: a sheet shows all pictures");

    if (shown && npy_path && strcmp(npy_path, "-") == 0)
        cli_usage("--show and --save-npy -: both go to standard output");

    opened_model opened;
    latents source;
    drawing picture;
    sheet grid;
    npy_writer writer;
    char *told = !like ? NULL : like_flags(like, &source_flags, &noise_flags, &compute_flags);
    model_open(&opened, path, &compute_flags);
    if (told) like_check(like, told, &opened);
    latents_start(&source, &opened, &source_flags);
    const part own = part_parse(part_text, source.count);
    const int first = (int)part_first(own, source.count), end = (int)part_end(own, source.count);
    const int batch = end - first < MODEL_BATCH ? end - first : MODEL_BATCH;
    if (batch > 1) model_draw_together(&opened, batch);
    drawing_start(&picture, &opened, &noise_flags, end - first);
    picture.run.noise_seed += (uint64_t)first;
    if (picture.run.noise_mode == STYLEGAN_NOISE_RANDOM) source.numbered = source.repeats;
    const stylegan_config *config = opened.config;
    if (grid_text) sheet_parse(&grid, grid_text, config->width, config->height, config->channels);
    if (grid_text && grid.columns * grid.rows < source.count)
        cli_usage("--grid %s: has no room for %d images", grid_text, source.count);
    cli_make_folder(folder);
    char *own_path = npy_path ? part_path(own, npy_path) : NULL;
    if (npy_path)
        npy_open(&writer, own_path, 4, (const int64_t[]){end - first, config->channels, config->height, config->width});

    float *ws = cli_alloc((size_t)batch + 1, opened.ws_values * sizeof *ws);
    float *images = npy_path ? cli_alloc((size_t)batch + 1, opened.image_values * sizeof *images) : NULL;
    for (int i = first; i < end; i += picture.batch) {
        const int count = end - i < batch ? end - i : batch;
        for (int k = 0; k < count; k++) latents_ws(&source, i + k, ws + (size_t)k * opened.ws_values);
        drawing_draw(&picture, ws, count, images);
        for (; picture.at < count; picture.at++) {
            save_picture(&picture, &source, i + picture.at, folder);
            if (grid_text) sheet_put(&grid, i + picture.at, drawing_pixels(&picture));
            if (shown && !grid_text) show(&picture, NULL);
        }
        if (npy_path) npy_append(&writer, images, (size_t)count * opened.image_values);
    }
    if (shown && grid_text) show(&picture, &grid);
    if (grid_text) save_sheet(&picture, &source, &grid, folder);
    if (npy_path) npy_close(&writer);
    drawing_end(&picture);
    tell_where(&source, first, end - first, folder, grid_text != NULL);
    free(own_path);
    free(images);
    free(ws);
    latents_end(&source);
    model_close(&opened);
    return CLI_EXIT_OK;
}
