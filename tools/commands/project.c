/* project.c - inversion: the styles that draw a given picture. */
#include "../base/npz.h"
#include "../base/notes.h"
#include "../base/png.h"
#include "../base/sheet.h"
#include "../base/stop.h"
#include "../data/distances.h"
#include "../data/photograph.h"
#include "../grad/projector.h"
#include "../model/drawing.h"
#include "../model/latents.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command project_command = {
    "project", "MODEL --target PICTURE", "find the w and noise that draw a given picture",
    "stylegan project ffhq.sgw --target face.png\n"
    "stylegan generate ffhq.sgw --projected-w out/projected_w.npz --outdir again\n"
    "stylegan project ffhq.sgw --target face.png --space w+ --num-steps 500 --frame-every 10\n"
    "stylegan project ffhq.sgw --target face.png --tune-steps 300   # out/tuned.sgw draws it from that w\n"
    "# The picture's middle square is taken. Crop a photograph as the training pictures were: same place and size of\n"
    "# eyes and mouth; what was never seen so is not found.",
    run};

typedef struct project_flags {
    const char *target, *steps, *seed, *space, *keep_noise, *class_index, *distance, *rate, *noise_weight, *tune,
        *model, *dtype;
    const char *frame_every, *folder, *no_metadata;
    model_flags compute;
} project_flags;

static const char *parse_flags(project_flags *f, int argc, char **argv) {
    *f = (project_flags){.steps = "1000",
                         .seed = "303",
                         .space = "w",
                         .distance = "pyramid",
                         .rate = "0.1",
                         .noise_weight = "100",
                         .tune = "0",
                         .dtype = "f16",
                         .frame_every = "0",
                         .folder = "out"};
    const cli_flag flags[] = {
        {"--target", "FILE", "the picture: PNG, JPEG or BMP; its middle square, scaled to the network's size",
         &f->target},
        {"--num-steps", "N", "steps of the search (default: 1000)", &f->steps},
        {"--seed", "S", "seed of the noise that the search adds to w (default: 303)", &f->seed},
        {"--space", "w or w+", "one w for all layers (default), or one for each: closer, but harder to edit",
         &f->space},
        {"--keep-noise", NULL, "the network's own noise stays: w alone makes the picture", &f->keep_noise},
        {"--class", "K", "class whose mean w is the start, a number or, where the network knows it, a name",
         &f->class_index},
        {"--distance", "NAME",
         "pyramid: pixels and their averages down to 4 x 4 (default); pixels; factors: pyramid, and hair, glasses and "
         "the like that the tool sees in drawn portraits",
         &f->distance},
        {"--learning-rate", "X", "largest step of each value (default: 0.1)", &f->rate},
        {"--noise-weight", "X", "how much the noise must stay noise: weight of its autocorrelation (default: 100)",
         &f->noise_weight},
        {"--tune-steps", "N", "then fit the weights, too, and write OUTDIR/tuned.sgw (default: 0)", &f->tune},
        {"--save-model", "FILE.sgw", "write the network with the noise found, and the fitted weights", &f->model},
        {"--dtype", "TYPE", "type of its weights: f32, f16 (default) or i8", &f->dtype},
        {"--frame-every", "N", "also write every Nth step as OUTDIR/frames/0000.png, ... (default: 0, none)",
         &f->frame_every},
        {"--outdir", "DIR", "folder for target.png, proj.png, projected_w.npz and .npy, ... (default: out)",
         &f->folder},
        {"--no-metadata", NULL, "pictures do not say what they are and how they were drawn", &f->no_metadata},
        MODEL_FLAGS(f->compute),
        {0}};
    const char *path = model_parse(&project_command, flags, &f->compute, argc, argv, NULL);
    if (!f->target) cli_usage("--target is needed: the picture to find");
    return path;
}

static projector_settings settings_of(const project_flags *f) {
    enum { MOST_STEPS = 1000000 };
    projector_settings s = projector_defaults;
    s.steps = (int)cli_integer("--num-steps", f->steps, 1, MOST_STEPS);
    s.seed = (uint64_t)cli_integer("--seed", f->seed, 0, INT64_MAX);
    s.learning_rate = cli_number("--learning-rate", f->rate, 1e-6, 100);
    s.noise_weight = cli_number("--noise-weight", f->noise_weight, 0, 1e9);
    s.tuning = cli_integer("--tune-steps", f->tune, 0, MOST_STEPS) > 0;
    s.keep_noise = f->keep_noise != NULL;
    s.per_layer = strcmp(f->space, "w+") == 0;
    s.distance = distance_named(f->distance);
    if (!s.per_layer && strcmp(f->space, "w") != 0) cli_usage("--space %s: must be w or w+", f->space);
    if (!s.distance) cli_usage("--distance %s: must be pyramid, pixels or factors", f->distance);
    return s;
}

/* --- One inversion --- */

typedef struct projection {
    opened_model opened;
    weights file;
    const char *folder, *target_path;
    unsigned char *target; /* [S][S][C] */
    float *aim;            /* the same, [C][S][S], from -1 to 1 */
    w_statistics w;
    projector *projector;
    float *image, *ws;
    unsigned char *found; /* [S][S][C]: with noise and weights as found */
    int frame_every, frames;
    drawing picture; /* by the engine: of w alone */
    progress shown;
} projection;

static int side_of(const projection *p) {
    return p->opened.config->width;
}

/* Refuses what cannot be done before anything is computed or written. */
static void open_network(projection *p, const char *path, const project_flags *f, const distance *kind) {
    model_open(&p->opened, path, &f->compute);
    weights_read(&p->file, p->opened.model);
    const char *refusal = import_refusal(&p->file);
    if (refusal) cli_fail("%s: cannot be projected into: %s", path, refusal);
    if (side_of(p) < kind->least_size)
        cli_usage("--distance %s: is for pictures of %d pixels or more, not %d", kind->name, kind->least_size,
                  side_of(p));
    if (p->opened.config->channels != 3)
        cli_fail("%s: cannot be projected into: its pictures have %d channels, not 3", path,
                 p->opened.config->channels);
}

static picture_size read_target(projection *p) {
    const size_t side = (size_t)side_of(p), pixels = side * side;
    picture_size original;
    pixel_budget budget;
    pixel_budget_start(&budget, MOST_PIXELS);
    char *fault = photograph_load(p->target_path, (int)side, &budget, &original, &p->target);
    if (fault) cli_fail("%s: %s", p->target_path, fault);
    pixel_budget_end(&budget);
    p->aim = cli_alloc(3 * pixels, sizeof *p->aim);
    for (size_t i = 0; i < 3 * pixels; i++) p->aim[i % 3 * pixels + i / 3] = (float)p->target[i] / 127.5f - 1;
    return original;
}

/* Mean and deviation of w over 10,000 latents, those of NumPy's RandomState(123) as in the official projector. */
static void measure_w(projection *p, const mapping *m) {
    enum { SAMPLES = 10000, SEED = 123 };
    const int z_dim = p->opened.config->z_dim, w_dim = p->opened.config->w_dim;
    float *z = cli_alloc((size_t)SAMPLES * (size_t)(z_dim ? z_dim : 1), sizeof *z);
    float *w = cli_alloc((size_t)SAMPLES * (size_t)w_dim, sizeof *w);
    double *mean = cli_alloc((size_t)w_dim, sizeof *mean), square = 0;
    stylegan_seed_z(SEED, z, SAMPLES * z_dim);
    for (int d = 0; d < w_dim; d++) mean[d] = 0;
    for (int i = 0; i < SAMPLES && !stop_asked(); i++) {
        mapping_z(m, 0, z + (size_t)i * (size_t)z_dim, p->ws);
        for (int d = 0; d < w_dim; d++)
            mean[d] += (double)(w[(size_t)i * (size_t)w_dim + (size_t)d] = p->ws[d]) / SAMPLES;
    }
    if (stop_asked()) cli_end(128 + stop_asked()); /* nothing is found yet */
    for (size_t i = 0; i < (size_t)SAMPLES * (size_t)w_dim; i++)
        square += ((double)w[i] - mean[i % (size_t)w_dim]) * ((double)w[i] - mean[i % (size_t)w_dim]);
    p->w = (w_statistics){cli_alloc((size_t)w_dim, sizeof *p->w.mean), sqrt(square / SAMPLES)};
    for (int d = 0; d < w_dim; d++) p->w.mean[d] = (float)mean[d];
    free(mean);
    free(w);
    free(z);
}

static void draw_found(projection *p) {
    projector_draw(p->projector, p->image);
    stylegan_to_rgb8(p->image, 3, side_of(p), side_of(p), p->found);
}

/* What a picture says of itself. */
static char *notes_of(const projection *p, drawing_kind kind) {
    char *notes = drawing_notes(&p->picture, kind);
    if (notes) notes_add(&notes, "Projected From", "%s", cli_file_name(p->target_path));
    return notes;
}

static void save_tiles(const projection *p, const char *name, const unsigned char *const *tiles, int count) {
    char *notes = notes_of(p, DRAWN_WITH_OTHERS);
    sheet s;
    sheet_start(&s, count, 1, side_of(p), side_of(p), 3);
    for (int i = 0; i < count; i++) sheet_put(&s, i, tiles[i]);
    sheet_save(&s, p->folder, name, &notes);
    free(notes);
}

static char *frame_name(int number) {
    return cli_format("frames/%04d.png", number);
}

static void save_frame(projection *p, int step) {
    if (!p->frame_every || step % p->frame_every) return;
    char *name = frame_name(p->frames++);
    draw_found(p);
    save_tiles(p, name, (const unsigned char *const[]){p->target, p->found}, 2);
    free(name);
}

/* Ctrl-C ends the search early: what it has found is saved. */
static void search(projection *p, int steps, int tune_steps) {
    progress_start(&p->shown, "steps", steps + tune_steps);
    for (int i = 0; i < steps + tune_steps && !stop_asked(); i++) {
        save_frame(p, i);
        (i < steps ? projector_step : projector_tune)(p->projector);
        progress_update(&p->shown, i + 1);
    }
    progress_end(&p->shown);
    save_frame(p, 0);
}

static double decibels(const projection *p, const unsigned char *pixels) {
    const size_t count = (size_t)side_of(p) * (size_t)side_of(p) * 3;
    double square = 0;
    for (size_t i = 0; i < count; i++) square += pow((double)pixels[i] - (double)p->target[i], 2) / (double)count;
    return square > 0 ? 10 * log10(255.0 * 255.0 / square) : INFINITY;
}

static void save_results(projection *p) {
    const stylegan_config *c = p->opened.config;
    const int64_t shape[] = {1, c->num_ws, c->w_dim};
    char *archive = cli_format("%s/projected_w.npz", p->folder), *array = cli_format("%s/projected_w.npy", p->folder);
    char *target = cli_format("%s/target.png", p->folder), *result = cli_format("%s/proj.png", p->folder);
    projector_ws(p->projector, p->ws);
    draw_found(p);
    progress_start(&p->picture.progress, "images", 1); /* the search's time is not its own */
    drawing_draw(&p->picture, p->ws, 1, NULL);
    char *notes = notes_of(p, DRAWN_PICTURE);
    npz_write(archive, "w", 3, shape, p->ws);
    npy_write(array, 3, shape, p->ws);
    png_write(target, c->width, c->height, 3, p->target, NULL);
    png_write(result, c->width, c->height, 3, p->found, notes);
    save_tiles(p, "comparison.png", (const unsigned char *const[]){p->target, p->found, p->picture.pixels}, 3);
    cli_tell("%s: PSNR %.2f dB; %.2f dB by w alone, as generate --projected-w draws it", result, decibels(p, p->found),
             decibels(p, p->picture.pixels));
    free(notes);
    free(result);
    free(target);
    free(array);
    free(archive);
}

static void save_network(projection *p, const project_flags *f, int tuned) {
    char *path = f->model ? cli_format("%s", f->model) : tuned ? cli_format("%s/tuned.sgw", p->folder) : NULL;
    if (!path) return;
    projector_write(p->projector, &p->file);
    weights_note(&p->file, "projection", tuned ? "noise and weights fitted to a picture" : "noise fitted to a picture");
    weights_save(&p->file, path, weights_type(f->dtype));
    free(path);
}

static void check_result(const projection *p, const char *result) {
    char *path = cli_format("%s/%s", p->folder, result);
    output_check(path);
    free(path);
}

/* Before the search, that it is not for nothing: the target and the model may lie where a result will. */
static void check_results(const projection *p, const char *model, int steps) {
    static const char *const results[] = {"target.png", "proj.png", "comparison.png", "tuned.sgw"};
    const int frames = p->frame_every ? (steps - 1) / p->frame_every + 2 : 0; /* the last one is the result */
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) check_result(p, results[i]);
    for (int i = 0; i < frames; i++) {
        char *name = frame_name(i);
        check_result(p, name);
        free(name);
    }
    if (model) output_check(model);
}

static void make_folders(const projection *p) {
    char *frames = cli_format("%s/frames", p->folder);
    cli_make_folder(p->folder);
    if (p->frame_every) cli_make_folder(frames);
    free(frames);
}

static void start(projection *p, const char *path, const project_flags *f, const projector_settings *settings,
                  int tune_steps) {
    open_network(p, path, f, settings->distance);
    const picture_size original = read_target(p);
    make_folders(p);
    check_results(p, f->model, settings->steps + tune_steps);
    if (original.width != original.height)
        cli_note("%s: %dx%d pixels: the square in the middle is taken", p->target_path, original.width,
                 original.height);
    const stylegan_model *model = p->opened.model;
    mapping m;
    p->ws = cli_alloc(p->opened.ws_values, sizeof *p->ws);
    p->image = cli_alloc(p->opened.image_values, sizeof *p->image);
    p->found = cli_alloc(p->opened.image_values, 1);
    mapping_start(&m, &p->opened, &(mapping_flags){.psi = "1", .class_index = f->class_index});
    stop_when_asked();
    measure_w(p, &m);
    mapping_end(&m);
    drawing_start(&p->picture, &p->opened, &(drawing_flags){.no_metadata = f->no_metadata}, 1);
    p->projector =
        projector_start(&p->file, stylegan_model_isa(model), stylegan_model_threads(model), settings, &p->w, p->aim);
}

static void end(projection *p) {
    projector_end(p->projector);
    drawing_end(&p->picture);
    weights_free(&p->file);
    free(p->w.mean);
    free(p->target);
    free(p->aim);
    free(p->image);
    free(p->found);
    free(p->ws);
    model_close(&p->opened);
}

static int run(int argc, char **argv) {
    project_flags f;
    const char *path = parse_flags(&f, argc, argv);
    const projector_settings settings = settings_of(&f);
    const int tune_steps = (int)cli_integer("--tune-steps", f.tune, 0, 1000000);
    weights_type(f.dtype);
    projection p = {.folder = f.folder,
                    .target_path = f.target,
                    .frame_every = (int)cli_integer("--frame-every", f.frame_every, 0, 1000000)};
    start(&p, path, &f, &settings, tune_steps);
    search(&p, settings.steps, tune_steps);
    save_results(&p);
    save_network(&p, &f, settings.tuning);
    end(&p);
    if (!stop_asked()) return CLI_EXIT_OK;
    cli_note("%s: stopped early: what was found until then is saved", f.folder);
    return 128 + stop_asked();
}
