/* edit.c - pictures moved along a direction in w. */
#include "../base/notes.h"
#include "../base/sheet.h"
#include "../model/drawing.h"
#include "../model/supervised.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command edit_command = {
    "edit", "MODEL", "move pictures along a direction: age, smile, from one seed to another",
    "stylegan edit ffhq.sgw --seeds 1-4 --direction directions.npy --index smile --range -3..3\n"
    "stylegan edit ffhq.sgw --seeds 1-4 --direction directions.npy --index 0 --layers 0-6 --range -2..2 --grid 9x4\n"
    "stylegan edit ffhq.sgw --ws projected_w.npz --from-seeds 3,8,15 --to-seeds 4,7,11 --range 0..1\n"
    "stylegan edit ffhq.sgw --seeds 1-4 --fit smiles.tsv --save-direction smile.npy\n"
    "stylegan edit ffhq.sgw --seeds 0-999 --direction directions.npy --index smile --no-sheet   (single pictures only)",
    run};

/* Where the direction comes from: one of the three. */
typedef struct direction_flags {
    const char *file, *index, *from, *to, *fit, *ridge;
} direction_flags;

typedef struct chosen_direction {
    directions all;
    int index;
    char *text; /* what notes call it */
} chosen_direction;

static void refuse_extra_flags(const direction_flags *flags) {
    if (!flags->file + !flags->fit + !(flags->from || flags->to) != 2)
        cli_usage("give one of --direction, --fit and --from-seeds with --to-seeds");
    if (!flags->from != !flags->to) cli_usage("--from-seeds and --to-seeds need each other");
    if (flags->index && flags->from) cli_usage("--index has no effect on --from-seeds");
    if (flags->ridge && !flags->fit) cli_usage("--ridge needs --fit");
}

static void choose_direction(chosen_direction *c, const opened_model *opened, const direction_flags *flags,
                             const mapping_flags *mapper_flags) {
    const char *source = flags->file ? flags->file : flags->fit;
    mapping m;
    *c = (chosen_direction){0};
    if (flags->file) {
        directions_read(&c->all, opened, flags->file);
    } else {
        mapping_flags used = *mapper_flags;
        if (flags->fit) used.psi = NULL; /* of the pictures alone, and may be a list */
        mapping_start(&m, opened, &used);
        if (flags->fit)
            free(find_labelled(&c->all, &m, flags->fit, flags->ridge));
        else
            find_difference(&c->all, &m, flags->from, flags->to);
        mapping_end(&m);
    }
    if (source) c->index = directions_find(&c->all, source, flags->index);
    c->text = !source ? cli_format("seeds %s to seeds %s", flags->from, flags->to)
              : c->all.names && c->all.names[c->index]
                  ? cli_format("%s, %d %s", cli_file_name(source), c->index, c->all.names[c->index])
                  : cli_format("%s, %d", cli_file_name(source), c->index);
}

static void save_direction(const chosen_direction *c, const char *path) {
    directions one = c->all;
    one.count = 1;
    one.values = directions_at(&c->all, c->index);
    one.names = c->all.names && c->all.names[c->index] ? &c->all.names[c->index] : NULL;
    directions_write(&one, path);
}

/* A command's work, for each picture. */
typedef struct edit {
    opened_model opened;
    latents source;
    chosen_direction direction;
    layers moved;
    step_range range;
    drawing picture;
    sheet figure; /* without pixels: none is wanted */
    const char *folder;
} edit;

static void add_notes(const edit *e, char **notes) {
    notes_add(notes, "Direction", "%s", e->direction.text);
    notes_add(notes, "Moved Layers", "%s", e->moved.text);
}

static void save_picture(const edit *e, int image, int step) {
    char *end = cli_format("-edit%02d.png", step), *name = latents_name(&e->source, image, end);
    char *notes = drawing_notes(&e->picture, DRAWN_PICTURE);
    if (notes) {
        latents_notes(&e->source, image, &notes);
        add_notes(e, &notes);
        notes_add(&notes, "Step", "%.9g", step_range_at(&e->range, step));
    }
    drawing_save(&e->picture, e->folder, name, notes);
    free(notes);
    free(name);
    free(end);
}

static void save_figure(edit *e, const char *range) {
    char *notes = drawing_notes(&e->picture, DRAWN_SHEET);
    if (notes) {
        latents_sheet_notes(&e->source, &notes);
        add_notes(e, &notes);
        notes_add(&notes, "Range", "%s", range);
    }
    sheet_save(&e->figure, e->folder, "grid.png", &notes);
    free(notes);
}

/* All steps of a picture have the same noise. */
static void draw_steps(edit *e, int image, npy_writer *writer) {
    const uint64_t noise_seed = e->picture.run.noise_seed;
    const size_t values = e->opened.ws_values;
    float *from = cli_alloc(values, sizeof *from), *ws = cli_alloc(values, sizeof *ws);
    latents_ws(&e->source, image, from);
    for (int step = 0; step < e->range.steps; step++) {
        directions_move(&e->direction.all, e->direction.index, step_range_at(&e->range, step), &e->moved, from, ws);
        e->picture.run.noise_seed = noise_seed;
        drawing_draw(&e->picture, ws, 1, NULL);
        if (e->figure.pixels) sheet_put(&e->figure, image * e->range.steps + step, e->picture.pixels);
        save_picture(e, image, step);
        if (writer) npy_append(writer, ws, values);
    }
    free(ws);
    free(from);
}

static void draw_all(edit *e, const char *ws_path) {
    const stylegan_config *config = e->opened.config;
    npy_writer writer;
    if (ws_path)
        npy_open(&writer, ws_path, 3,
                 (const int64_t[]){e->source.count * e->range.steps, config->num_ws, config->w_dim});
    for (int i = 0; i < e->source.count; i++) draw_steps(e, i, ws_path ? &writer : NULL);
    if (ws_path) npy_close(&writer);
}

/* A row for each picture and a column for each step, or as --grid has it, which also tells the number of steps. */
static void start_figure(edit *e, const char *grid, int wanted, const char *range, const char *steps) {
    enum { MOST_STEPS = 1000, USUAL_STEPS = 7 };
    const stylegan_config *config = e->opened.config;
    int count = steps ? (int)cli_integer("--steps", steps, 1, MOST_STEPS) : USUAL_STEPS;
    if (grid) sheet_parse(&e->figure, grid, config->width, config->height, config->channels);
    if (grid && !steps) count = e->figure.columns;
    if (count > MOST_STEPS) cli_usage("--grid %s: more than %d steps", grid, MOST_STEPS);
    e->range = step_range_parse(range, count);
    if (e->source.count > INT_MAX / count) cli_usage("more than %d pictures", INT_MAX);
    if (!grid && wanted)
        sheet_start(&e->figure, count, e->source.count, config->width, config->height, config->channels);
    if (grid && e->figure.columns * e->figure.rows < e->source.count * count)
        cli_usage("--grid %s: has no room for %d images of %d steps", grid, e->source.count, count);
}

static void end_edit(edit *e) {
    drawing_end(&e->picture);
    latents_end(&e->source);
    layers_free(&e->moved);
    directions_end(&e->direction.all);
    free(e->direction.text);
    model_close(&e->opened);
}

static int run(int argc, char **argv) {
    const char *path, *grid = NULL, *range = "-3..3", *steps = NULL, *layer_list = NULL, *save = NULL, *ws_path = NULL,
                      *no_sheet = NULL;
    model_flags compute_flags = {0};
    latent_flags source_flags = {0};
    drawing_flags noise_flags = {0};
    direction_flags which = {0};
    edit e = {.folder = "out"};
    const cli_flag flags[] = {
        LATENT_FLAGS(source_flags),
        {"--ws", "FILE.npy", "ws [n, num_ws, w_dim] instead of seeds, .npy or .npz", &source_flags.ws},
        {"--projected-w", "FILE.npz", "the same as --ws", &source_flags.ws},
        {"--direction", "FILE.npy", "directions [n, w_dim] or [n, num_ws, w_dim], named in FILE.txt", &which.file},
        {"--index", "K", "which of them, a number or a name", &which.index},
        {"--from-seeds", "LIST", "instead: from this seed, or the mean of several, ...", &which.from},
        {"--to-seeds", "LIST", "... to this; a step of 1 goes all the way", &which.to},
        {"--fit", "FILE.tsv", "instead: in which a value rises, from lines seed<TAB>value", &which.fit},
        {"--ridge", "R", "of the fit, in mean variances of w (default: what predicts best)", &which.ridge},
        {"--save-direction", "FILE.npy", "also write the direction", &save},
        {"--layers", "LIST", "layers that are moved (default: all)", &layer_list},
        {"--range", "A..B", "first and last step (default: -3..3), mostly standard deviations of w", &range},
        {"--steps", "N", "how many steps (default: the columns of --grid, or 7)", &steps},
        DRAWING_FLAGS(noise_flags),
        {"--outdir", "DIR", "folder for the pictures and grid.png (default: out)", &e.folder},
        {"--grid", "CxR", "columns and rows of grid.png (default: a row for each picture)", &grid},
        {"--no-sheet", NULL, "no grid.png, which limits how many pictures there may be", &no_sheet},
        {"--save-ws", "FILE.npy", "also write the moved ws [n * steps, num_ws, w_dim]", &ws_path},
        MODEL_FLAGS(compute_flags),
        {0}};
    path = model_parse(&edit_command, flags, &compute_flags, argc, argv, NULL);
    refuse_extra_flags(&which);
    if (grid && no_sheet) cli_usage("--grid and --no-sheet exclude each other");
    if (save && ws_path && cli_same_file(save, ws_path)) cli_usage("--save-direction and --save-ws name the same file");
    const mapping_flags direction_mapping = source_flags.mapping;
    if (source_flags.ws && !which.file) source_flags.mapping = (mapping_flags){0}; /* they are the direction's */

    model_open(&e.opened, path, &compute_flags);
    latents_start(&e.source, &e.opened, &source_flags);
    choose_direction(&e.direction, &e.opened, &which, &direction_mapping);
    e.moved = layers_of(&e.opened, "--layers", layer_list);
    start_figure(&e, grid, !no_sheet, range, steps);
    drawing_start(&e.picture, &e.opened, &noise_flags, e.source.count * e.range.steps);
    if (e.picture.run.noise_mode == STYLEGAN_NOISE_RANDOM) e.source.numbered = e.source.repeats;
    cli_make_folder(e.folder);
    if (save) save_direction(&e.direction, save);
    draw_all(&e, ws_path);
    if (e.figure.pixels) save_figure(&e, range);
    cli_tell("%d pictures in %s/%s", e.picture.drawn, e.folder, no_sheet ? "" : ", together in grid.png");
    end_edit(&e);
    return CLI_EXIT_OK;
}
