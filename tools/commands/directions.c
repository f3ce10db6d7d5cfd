/* directions.c - finds directions in w, and shows what each does to three people. */
#include "../base/notes.h"
#include "../base/png.h"
#include "../base/sheet.h"
#include "../base/system.h"
#include "../model/drawing.h"
#include "../model/supervised.h"
#include "../model/unsupervised.h"

#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command directions_command = {
    "directions", "MODEL -o FILE.npy", "find directions for `edit`, with a sheet that shows what they do",
    "stylegan directions ffhq.sgw --method pca --samples 100000 -o directions.npy\n"
    "stylegan directions ffhq.sgw --method sefa --layers 0-3 --count 10 -o coarse.npy\n"
    "stylegan directions ffhq.sgw --fit labels.tsv -o labelled.npy   (seed<TAB>smile<TAB>age in its first line)\n"
    "Directions are named in the text beside, directions.txt: index<TAB>name.",
    run};

typedef struct search_flags {
    const char *method, *fit, *ridge, *count, *samples, *layers;
} search_flags;

static void tell_shares(const directions *d, const double *shares) {
    double sum = 0;
    for (int i = 0; i < d->count; i++) sum += shares[i];
    cli_tell("%d directions, %.0f%% of all variation; the first %.0f%%", d->count, 100 * sum, 100 * shares[0]);
}

static void check_flags(search_flags *flags, const char *to) {
    if (!to) cli_usage("give the file to write: -o FILE.npy");
    if (strcmp(to, "-") == 0) cli_usage("-o -: names and a sheet are written beside it; give a file");
    if (flags->fit && (flags->method || flags->count || flags->samples))
        cli_usage("--fit excludes --method, --count and --samples");
    if (flags->ridge && !flags->fit) cli_usage("--ridge needs --fit");
    if (!flags->method) flags->method = "pca";
    if (!flags->samples) flags->samples = "100000";
}

static void find_unlabelled(directions *d, const mapping *m, const search_flags *flags, const layers *taken) {
    enum { FEWEST = 2, USUAL = 20, MOST = 1000000000 };
    const int is_pca = strcmp(flags->method, "pca") == 0, w_dim = m->opened->config->w_dim;
    if (!is_pca && strcmp(flags->method, "sefa") != 0) cli_usage("--method %s: must be pca or sefa", flags->method);
    const int most = flags->count ? (int)cli_integer("--count", flags->count, 1, w_dim) : USUAL;
    double *shares = cli_alloc((size_t)most, sizeof *shares);
    double *covariance = w_covariance(m, cli_integer("--samples", flags->samples, FEWEST, MOST));
    if (is_pca)
        find_principal_components(d, m, covariance, most, shares);
    else
        find_style_eigenvectors(d, m, covariance, taken, most, shares);
    if (flags->count && d->count < most)
        cli_fail("--count %d: there are only %d directions, of %d samples", most, d->count, atoi(flags->samples));
    tell_shares(d, shares);
    free(covariance);
    free(shares);
}

/* --- The sheet: a row for each direction, its number before three people at the first, middle and last step --- */

enum { PEOPLE = 3, STEPS = 3, COLUMNS = 1 + PEOPLE * STEPS, TILE = 128 };

typedef struct overview {
    const opened_model *opened;
    const directions *found;
    const layers *moved;
    step_range range;
    int shrink; /* pixels of a picture's side that become one of the sheet */
    drawing picture;
    sheet sheet;
    unsigned char *tile; /* of the sheet */
} overview;

/* pixels [H][W][C] to their means over squares of shrink x shrink, in tile. */
static void shrink_picture(const overview *o) {
    const sheet *s = &o->sheet;
    const int n = o->shrink, width = o->opened->config->width;
    for (int i = 0; i < s->height * s->width * s->channels; i++) {
        const int channel = i % s->channels, x = i / s->channels % s->width, y = i / s->channels / s->width;
        int sum = n * n / 2;
        for (int k = 0; k < n * n; k++)
            sum += o->picture.pixels[((y * n + k / n) * width + x * n + k % n) * s->channels + channel];
        o->tile[i] = (unsigned char)(sum / (n * n));
    }
}

/* Black, with a number in white: figures of 3 x 5 squares, a row of three bits in each octal digit. */
static void draw_number(const overview *o, int number) {
    enum { WIDTH = 3, HEIGHT = 5, ROOM = 16 };
    static const unsigned figures[10] = {075557, 026227, 071747, 071717, 055711,
                                         074717, 074757, 071122, 075757, 075717};
    const sheet *s = &o->sheet;
    const int square = (s->height < s->width ? s->height : s->width) / ROOM + 1;
    char *digits = cli_format("%d", number);
    memset(o->tile, 0, (size_t)s->width * (size_t)s->height * (size_t)s->channels);
    for (int i = 0; digits[i]; i++)
        for (int bit = 0; bit < WIDTH * HEIGHT * square * square; bit++) {
            const int x = bit % (WIDTH * square), y = bit / (WIDTH * square);
            const int at_x = square * (1 + i * (WIDTH + 1)) + x, at_y = square + y;
            const unsigned row = figures[digits[i] - '0'] >> (3 * (HEIGHT - 1 - y / square)) & 7;
            if (at_x >= s->width || at_y >= s->height || !(row >> (WIDTH - 1 - x / square) & 1)) continue;
            memset(o->tile + (at_y * s->width + at_x) * s->channels, 255, (size_t)s->channels);
        }
    free(digits);
}

static void draw_overview(overview *o, const mapping *m, const uint32_t *seeds) {
    const size_t values = o->opened->ws_values;
    float *people = cli_alloc(PEOPLE * values, sizeof *people), *ws = cli_alloc(values, sizeof *ws);
    const uint64_t noise_seed = o->picture.run.noise_seed; /* of the first person, in all rows */
    for (int i = 0; i < PEOPLE; i++) mapping_seed(m, i, seeds[i], people + (size_t)i * values);
    for (int row = 0; row < o->found->count; row++) {
        draw_number(o, row);
        sheet_put(&o->sheet, row * COLUMNS, o->tile);
        for (int i = 0; i < PEOPLE * STEPS; i++) {
            directions_move(o->found, row, step_range_at(&o->range, i % STEPS), o->moved,
                            people + (size_t)(i / STEPS) * values, ws);
            o->picture.run.noise_seed = noise_seed + (uint64_t)(i / STEPS);
            drawing_draw(&o->picture, ws, 1, NULL);
            shrink_picture(o);
            sheet_put(&o->sheet, row * COLUMNS + 1 + i, o->tile);
        }
    }
    free(ws);
    free(people);
}

static void start_overview(overview *o, const drawing_flags *flags) {
    const stylegan_config *config = o->opened->config;
    const int side = config->width < config->height ? config->width : config->height;
    o->shrink = side / TILE > 1 ? side / TILE : 1;
    drawing_start(&o->picture, o->opened, flags, PEOPLE * STEPS * o->found->count);
    sheet_start(&o->sheet, COLUMNS, o->found->count, config->width / o->shrink, config->height / o->shrink,
                config->channels);
    o->tile = cli_alloc((size_t)o->sheet.width * (size_t)o->sheet.height, (size_t)config->channels);
}

/* Beside the array: directions.png for directions.npy. */
static char *overview_path(const char *path) {
    const char *name = cli_file_name(path), *end = strrchr(name, '.');
    const size_t stem = end && end > name ? (size_t)(end - path) : strlen(path);
    char *png = cli_format("%.*s.png", (int)stem, path);
    if (strcmp(png, path) == 0) cli_usage("-o %s: the sheet has that name; call the array .npy, or --no-sheet", path);
    return png;
}

static const char EACH_ROW[] = ", each row another one"; /* behind "Direction: FILE.npy" */

/* FILE.png may be a picture of which FILE.npy was made: nothing but such a sheet is replaced. */
static void check_overview(const char *png) {
    const system_kind kind = system_kind_of(png);
    file_view file = {0};
    int width, height, is_overview = 0;
    char *notes;
    if (kind == SYSTEM_NOTHING) return;
    if (kind == SYSTEM_FILE) file = file_view_open_own(png);
    if (png_read_notes(file.data, file.size, &notes, &width, &height)) {
        char *direction = notes_find(notes, "Direction");
        is_overview = direction && strstr(direction, EACH_ROW);
        free(direction);
        free(notes);
    }
    if (!is_overview)
        cli_fail("%s: does not say that it is such a sheet, and would be replaced; move it, or give --no-sheet", png);
    file_view_close(&file);
}

static void save_overview(overview *o, const mapping *m, const char *seeds, const char *range, const char *path,
                          const char *png) {
    char *notes = drawing_notes(&o->picture, DRAWN_SHEET);
    if (notes) {
        notes_add(&notes, "Seeds", "%s", seeds);
        notes_add(&notes, "Direction", "%s%s", cli_file_name(path), EACH_ROW);
        notes_add(&notes, "Moved Layers", "%s", o->moved->text);
        notes_add(&notes, "Range", "%s", range);
        mapping_notes(m, -1, &notes);
    }
    sheet_write(&o->sheet, png, &notes);
    free(notes);
    free(o->tile);
    drawing_end(&o->picture);
}

static int run(int argc, char **argv) {
    const char *path, *to = NULL, *seed_list = "0-2", *range = "-3..3", *no_sheet = NULL;
    model_flags compute_flags = {0};
    mapping_flags mapper_flags = {.each_class = 1};
    drawing_flags noise_flags = {0};
    search_flags search = {0};
    const cli_flag flags[] = {
        {"--method", "NAME", "pca (GANSpace; default): principal components of w, or sefa (SeFa): of the styles",
         &search.method},
        {"--count", "N", "how many, the strongest first (default: 20)", &search.count},
        {"--samples", "N", "w of the seeds 0 to N - 1 are looked at (default: 100000)", &search.samples},
        {"--fit", "FILE.tsv", "instead: one direction for each value of lines seed<TAB>value<TAB>...", &search.fit},
        {"--ridge", "R", "of the fit, in mean variances of w (default: what predicts best)", &search.ridge},
        {"--layers", "LIST", "layers whose styles sefa looks at, and which the sheet moves (default: all)",
         &search.layers},
        {"-o", "FILE.npy", "where to write them, [n, w_dim]; names go to FILE.txt, the sheet to FILE.png", &to},
        {"--seeds", "LIST", "the three people of the sheet (default: 0-2)", &seed_list},
        {"--range", "A..B", "the sheet's first and last step (default: -3..3), in standard deviations of w", &range},
        {"--no-sheet", NULL, "no FILE.png", &no_sheet},
        MAPPING_FLAGS(mapper_flags),
        DRAWING_FLAGS(noise_flags),
        MODEL_FLAGS(compute_flags),
        {0}};
    path = model_parse(&directions_command, flags, &compute_flags, argc, argv, NULL);
    check_flags(&search, to);
    char *png = no_sheet ? NULL : overview_path(to);
    directions_check_place(to);
    if (png) check_overview(png);

    opened_model opened;
    mapping mapper;
    directions found;
    int people;
    uint32_t *seeds = cli_list("--seeds", seed_list, PEOPLE, &people);
    if (people != PEOPLE) cli_usage("--seeds %s: must be three", seed_list);
    model_open(&opened, path, &compute_flags);
    if (search.fit) input_remember(search.fit);
    output_check(to);
    mapping_start(&mapper, &opened, &mapper_flags);
    layers moved = layers_of(&opened, "--layers", search.layers);
    overview o = {&opened, &found, &moved, step_range_parse(range, STEPS), 0, {0}, {0}, NULL};
    if (search.fit)
        free(find_labelled(&found, &mapper, search.fit, search.ridge));
    else
        find_unlabelled(&found, &mapper, &search, &moved);
    if (png) start_overview(&o, &noise_flags);
    directions_write(&found, to);
    if (png) draw_overview(&o, &mapper, seeds);
    if (png) save_overview(&o, &mapper, seed_list, range, to, png);
    cli_tell("%s: %d directions", to, found.count);
    free(png);
    free(seeds);
    layers_free(&moved);
    directions_end(&found);
    mapping_end(&mapper);
    model_close(&opened);
    return CLI_EXIT_OK;
}
