/* mix.c - the style mixing figure (StyleGAN, figure 3): each row's image with some layers' styles from each column's.
 */
#include "../base/notes.h"
#include "../base/sheet.h"
#include "../model/drawing.h"
#include "../model/latents.h"

#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command mix_command = {"mix", "MODEL",
                                 "draw the style mixing figure: rows of images that take some styles from the columns",
                                 "stylegan mix ffhq.sgw --rows 85,100,75,458,1500 --cols 55,821,1789,293 --styles 0-6\n"
                                 "stylegan mix ffhq.sgw --rows 85 --cols 0-9 --styles 8-17 --trunc 0.7 --outdir fine",
                                 run};

/* Seeds along a side of the figure and their ws [count][L][D]. */
typedef struct side {
    int count;
    uint32_t *seeds;
    float *ws;
} side;

static side map_side(const mapping *m, const char *flag, const char *list) {
    enum { MOST_SEEDS = 1000 };
    const opened_model *opened = m->opened;
    side s;
    if (!list) cli_usage("give the seeds of the %s: %s 0-3,85", flag + 2, flag);
    s.seeds = cli_list(flag, list, MOST_SEEDS, &s.count);
    s.ws = cli_alloc((size_t)s.count * opened->ws_values, sizeof *s.ws);
    for (int i = 0; i < s.count; i++) mapping_seed(m, 0, s.seeds[i], s.ws + (size_t)i * opened->ws_values);
    return s;
}

static void free_side(side *s) {
    free(s->seeds);
    free(s->ws);
}

/* A place of the figure: the image of the row's seed with styles of the column's. Sources, on the borders, have the
   same seed twice. */
typedef struct place {
    uint32_t row_seed, column_seed;
    const float *row_ws, *column_ws;
} place;

static place find_place(const side *rows, const side *columns, int row, int column, size_t ws_values) {
    const side *row_side = row ? rows : columns, *column_side = column ? columns : rows;
    const int r = (row ? row : column) - 1, c = (column ? column : row) - 1;
    return (place){row_side->seeds[r], column_side->seeds[c], row_side->ws + (size_t)r * ws_values,
                   column_side->ws + (size_t)c * ws_values};
}

/* Whether two pictures of the figure would have one name and yet differ. */
static int needs_numbers(const drawing *d, const side *rows, const side *columns) {
    const int count = rows->count + columns->count;
    uint32_t *seeds = cli_alloc((size_t)count, sizeof *seeds);
    memcpy(seeds, rows->seeds, (size_t)rows->count * sizeof *seeds);
    memcpy(seeds + rows->count, columns->seeds, (size_t)columns->count * sizeof *seeds);
    const int repeats = has_repeats(seeds, count);
    free(seeds);
    return repeats && d->run.noise_mode == STYLEGAN_NOISE_RANDOM;
}

/* `mixed` NULL: the image of a border. */
static void save_place(const drawing *d, const mapping *m, const place *p, const layers *mixed, const char *number,
                       const char *folder) {
    char *name = cli_format("%u-%u%s.png", p->row_seed, p->column_seed, number),
         *notes = drawing_notes(d, DRAWN_PICTURE);
    if (notes) {
        notes_add(&notes, "Seed", "%u", p->row_seed);
        mapping_notes(m, 0, &notes);
    }
    if (notes && mixed) {
        notes_add(&notes, "Mixed Seed", "%u", p->column_seed);
        notes_add(&notes, "Mixed Layers", "%s", mixed->text);
    }
    drawing_save(d, folder, name, notes);
    free(notes);
    free(name);
}

static void save_figure(const drawing *d, const mapping *m, sheet *figure, const char *rows, const char *columns,
                        const layers *mixed, const char *folder) {
    char *notes = drawing_notes(d, DRAWN_SHEET);
    if (notes) {
        notes_add(&notes, "Row Seeds", "%s", rows);
        notes_add(&notes, "Column Seeds", "%s", columns);
        notes_add(&notes, "Mixed Layers", "%s", mixed->text);
        mapping_notes(m, 0, &notes);
    }
    sheet_save(figure, folder, "grid.png", &notes);
    free(notes);
}

static int run(int argc, char **argv) {
    const char *path, *folder = "out", *row_list = NULL, *column_list = NULL, *layer_list = NULL, *shown = NULL;
    model_flags compute_flags = {0};
    mapping_flags mapper_flags = {0};
    drawing_flags noise_flags = {0};
    const cli_flag flags[] = {{"--rows", "LIST", "seeds of the rows", &row_list},
                              {"--row-seeds", "LIST", "the same as --rows", &row_list},
                              {"--cols", "LIST", "seeds of the columns", &column_list},
                              {"--col-seeds", "LIST", "the same as --cols", &column_list},
                              {"--styles", "LIST", "layers that come from the column (default: 0-6)", &layer_list},
                              {"--col-styles", "LIST", "the same as --styles", &layer_list},
                              MAPPING_FLAGS(mapper_flags),
                              DRAWING_FLAGS(noise_flags),
                              {"--outdir", "DIR", "folder for ROW-COL.png and grid.png (default: out)", &folder},
                              {"--show", NULL, "also show the figure in the terminal", &shown},
                              MODEL_FLAGS(compute_flags),
                              {0}};
    path = model_parse(&mix_command, flags, &compute_flags, argc, argv, NULL);

    opened_model opened;
    mapping mapper;
    drawing picture;
    sheet figure;
    model_open(&opened, path, &compute_flags);
    mapping_start(&mapper, &opened, &mapper_flags);
    side rows = map_side(&mapper, "--rows", row_list), columns = map_side(&mapper, "--cols", column_list);
    layers taken = layers_parse(&opened, layer_list);
    const int width = columns.count + 1, height = rows.count + 1;
    drawing_start(&picture, &opened, &noise_flags, width * height - 1);
    sheet_start(&figure, width, height, opened.config->width, opened.config->height, opened.config->channels);
    const int numbered = needs_numbers(&picture, &rows, &columns);
    cli_make_folder(folder);

    float *ws = cli_alloc(opened.ws_values, sizeof *ws);
    for (int i = 1; i < width * height; i++) { /* the top left corner stays empty */
        const place p = find_place(&rows, &columns, i / width, i % width, opened.ws_values);
        const int mixed = i / width && i % width;
        memcpy(ws, p.row_ws, opened.ws_values * sizeof *ws);
        if (mixed) layers_mix(&opened, &taken, p.column_ws, ws);
        drawing_draw(&picture, ws, 1, NULL);
        sheet_put(&figure, i, picture.pixels);
        char *number = numbered ? cli_format("-%d", i) : cli_format("%s", "");
        save_place(&picture, &mapper, &p, mixed ? &taken : NULL, number, folder);
        free(number);
    }
    progress_end(&picture.progress);
    if (shown) sheet_show(&figure);
    save_figure(&picture, &mapper, &figure, row_list, column_list, &taken, folder);
    free(ws);
    layers_free(&taken);
    free_side(&rows);
    free_side(&columns);
    drawing_end(&picture);
    cli_tell("%d pictures in %s/, together in grid.png", picture.drawn, folder);
    mapping_end(&mapper);
    model_close(&opened);
    return CLI_EXIT_OK;
}
