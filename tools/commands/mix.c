/* mix.c - the style mixing figure (StyleGAN, figure 3): each row's image with some layers' styles from each column's.
 */
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

typedef struct layers {
    int count;
    uint32_t *indices;
} layers;

static layers parse_layers(const char *text, const stylegan_config *config) {
    layers l;
    char *all = cli_format("0-%d", config->num_ws - 1 < 6 ? config->num_ws - 1 : 6);
    l.indices = cli_list("--styles", text ? text : all, config->num_ws, &l.count);
    for (int i = 0; i < l.count; i++)
        if (l.indices[i] >= (uint32_t)config->num_ws)
            cli_usage("--styles %s: the network has layers 0 to %d", text, config->num_ws - 1);
    free(all);
    return l;
}

static void mix_layers(const opened_model *opened, const place *p, const layers *l, float *ws) {
    memcpy(ws, p->row_ws, opened->ws_values * sizeof *ws);
    for (int i = 0; i < l->count; i++)
        stylegan_mix(opened->model, ws, p->column_ws, (int)l->indices[i], (int)l->indices[i], ws);
}

static int run(int argc, char **argv) {
    const char *path, *folder = "out", *row_list = NULL, *column_list = NULL, *layer_list = NULL;
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
    layers taken = parse_layers(layer_list, opened.config);
    const int width = columns.count + 1, height = rows.count + 1;
    drawing_start(&picture, &opened, &noise_flags, width * height - 1);
    sheet_start(&figure, width, height, opened.config->width, opened.config->height, opened.config->channels);
    cli_make_folder(folder);

    float *ws = cli_alloc(opened.ws_values, sizeof *ws);
    for (int i = 1; i < width * height; i++) { /* the top left corner stays empty */
        const place p = find_place(&rows, &columns, i / width, i % width, opened.ws_values);
        mix_layers(&opened, &p, &taken, ws);
        drawing_draw(&picture, ws);
        sheet_put(&figure, i, picture.pixels);
        char *name = cli_format("%u-%u.png", p.row_seed, p.column_seed);
        drawing_save(&picture, folder, name);
        free(name);
    }
    sheet_save(&figure, folder, "grid.png");
    free(ws);
    free(taken.indices);
    free_side(&rows);
    free_side(&columns);
    drawing_end(&picture);
    mapping_end(&mapper);
    model_close(&opened);
    return CLI_EXIT_OK;
}
