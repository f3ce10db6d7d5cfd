/* train.c - the command around the trainer: a run's folder, its checkpoints, log and sheets. */
#include "../data/dataset.h"
#include "../model/drawing.h"
#include "../model/latents.h"
#include "../base/notes.h"
#include "../base/sheet.h"
#include "../base/stop.h"
#include "../base/system.h"
#include "../train/agreement.h"
#include "../train/feed.h"
#include "../train/log.h"
#include "../train/ranks.h"
#include "../train/run_folder.h"
#include "../train/trainer.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command train_command = {
    "train", "--data DATA --outdir RUN",
    "train a StyleGAN on a folder of pictures, a packed file (.sgd) or drawn portraits",
    "stylegan train --config tiny-32 --data portraits --outdir runs/tiny\n"
    "stylegan train --data portraits.sgd --outdir runs/portraits --kimg 1500\n"
    "stylegan train --data portraits.sgd --outdir runs/portraits --kimg 3000 --resume\n"
    "stylegan train --config faces-64 --data photos --outdir runs/photos --r1-gamma 5\n"
    "stylegan train --config faces-64 --from examples/portraits-64.sgw --data photos --outdir runs/photos\n"
    "stylegan train --config tiny-32 --data pets --cond 1 --outdir runs/pets    (pets/cats, pets/dogs)\n"
    "mpirun -n 4 stylegan train --data photos.sgd --outdir runs/photos --batch 64    (built by make MPI=1)\n"
    "stylegan train --config portraits-64 --dry-run",
    run};

static const char DEFAULT_PRESET[] = "portraits-64";

/* --- Flags: the command's own, and one for each option of the trainer --- */

typedef struct train_flags {
    const char *data, *folder, *preset, *from, *cond, *kimg, *resume, *threads, *minutes, *dtype, *dry_run;
    int option_count;     /* of trainer_options; for each of them: */
    const char **options; /* its value; NULL if absent */
    char **names;         /* its flag */
} train_flags;

static void parse_flags(train_flags *f, int argc, char **argv) {
    char *presets = cli_format("%s (default: %s); the flags below change it", trainer_preset_names(), DEFAULT_PRESET);
    const cli_flag own[] = {
        {"--data", "DATA", DATASET_KINDS, &f->data},
        {"--outdir", "RUN", "folder of the run: checkpoint, model.sgw, log and sheets", &f->folder},
        {"--config", "NAME", presets, &f->preset},
        {"--from", "MODEL.sgw",
         "begin as this network, not as random values: learns faster (it does not grow, d-first-kimg is 1)", &f->from},
        {"--cond", "0|1", "1: a conditional network, of the classes that the data tell (default: 0)", &f->cond},
        {"--kimg", "N", "thousands of images to show (default: the preset's, or the run's)", &f->kimg},
        {"--resume", NULL, "continue the run in RUN from its checkpoint, with its settings", &f->resume},
        {"--snapshot-minutes", "M", "time between checkpoints and sheets (default: 5)", &f->minutes},
        {"--threads", "N",
         "threads to compute with, of each rank, up to half its share of the batch (default: one per processor)",
         &f->threads},
        {"--dtype", "TYPE", "type of the weights in model.sgw: f32, f16 (default; a resumed run: as before) or i8",
         &f->dtype},
        {"--dry-run", NULL, "only print the settings and what the networks measure", &f->dry_run}};
    enum { OWN = sizeof own / sizeof *own };
    *f = (train_flags){.minutes = "5"};
    while (trainer_options[f->option_count].name) f->option_count++;
    const size_t options = (size_t)f->option_count;
    cli_flag *all = cli_alloc(OWN + options + 1, sizeof *all);
    f->options = cli_alloc(options, sizeof *f->options);
    f->names = cli_alloc(options, sizeof *f->names);
    memcpy(all, own, sizeof own);
    for (size_t i = 0; i < options; i++) {
        const trainer_option *option = &trainer_options[i];
        f->options[i] = NULL;
        f->names[i] = cli_format("--%s", option->name);
        all[OWN + i] = (cli_flag){f->names[i],
                                  option->choices       ? "NAME"
                                  : option->kind == 'd' ? "X"
                                                        : "N",
                                  option->help, &f->options[i]};
    }
    all[OWN + options] = (cli_flag){0};
    cli_parse(&train_command, all, argc, argv, NULL, 0, 0);
    if (!f->dry_run && !f->data) cli_usage("--data is needed: what to learn from");
    if ((!f->dry_run || f->resume) && !f->folder) cli_usage("--outdir is needed: the folder of the run");
    if (f->resume && f->from) cli_usage("--from is for a new run; --resume goes on with its own network");
    free(all);
    free(presets);
}

static void free_flags(train_flags *f) {
    for (int i = 0; i < f->option_count; i++) free(f->names[i]);
    free(f->names);
    free(f->options);
}

static int choice_named(const trainer_option *option, const char *name, const char *text) {
    char *all = cli_format("%s", option->choices[0]);
    for (int i = 0; option->choices[i]; i++) {
        if (strcmp(text, option->choices[i]) == 0) {
            free(all);
            return i;
        }
        char *more = i ? cli_format("%s, %s", all, option->choices[i]) : cli_format("%s", all);
        free(all);
        all = more;
    }
    cli_usage("%s %s: must be one of %s", name, text, all);
}

static void set_option(trainer_config *config, const trainer_option *option, const char *name, const char *text) {
    void *field = (char *)config + option->offset;
    if (option->choices)
        *(int *)field = choice_named(option, name, text);
    else if (option->kind == 'd')
        *(double *)field = cli_number(name, text, option->least, option->most);
    else if (option->kind == 'i')
        *(int *)field = (int)cli_integer(name, text, (int64_t)option->least, (int64_t)option->most);
    else
        *(uint64_t *)field = (uint64_t)cli_integer(name, text, 0, INT64_MAX);
}

/* Whether a flag gives the option that is this field of trainer_config. */
static int is_given(const train_flags *f, size_t field) {
    for (int i = 0; i < f->option_count; i++)
        if (f->options[i] && trainer_options[i].offset == field) return 1;
    return 0;
}

/* What has defaults, but not without what it belongs to. */
static void refuse_unused(const train_flags *f, const trainer_config *config) {
    for (int i = 0; i < f->option_count; i++) {
        const size_t field = trainer_options[i].offset;
        if (f->options[i] && config->aug != AUG_ADA &&
            (field == offsetof(trainer_config, target) || field == offsetof(trainer_config, ada_kimg)))
            cli_usage("%s is for --aug ada", f->names[i]);
    }
}

/* Another machine may go on as it can. */
static int only_rounds(const trainer_option *option) {
    return option->offset == offsetof(trainer_config, isa) || option->offset == offsetof(trainer_config, precision);
}

static int differs(const trainer_option *option, const trainer_config *a, const trainer_config *b) {
    const size_t size = option->kind == 'i' ? sizeof(int) : sizeof(double);
    return memcmp((const char *)a + option->offset, (const char *)b + option->offset, size) != 0;
}

#define KEEPS_SETTINGS "a resumed run keeps its settings; only --kimg, --isa and --precision can change"

static void refuse_changes(const trainer_config *config, const trainer_config *resumed) {
    for (const trainer_option *option = trainer_options; option->name; option++) {
        const int can_change = option->offset == offsetof(trainer_config, total_kimg) || only_rounds(option);
        if (!can_change && differs(option, config, resumed)) cli_usage("--%s: " KEEPS_SETTINGS, option->name);
    }
}

/* What the data, --from and --kimg have told, and need not tell again. */
static void keep_what_no_preset_tells(trainer_config *config, const trainer_config *resumed) {
    config->shape.label_size = resumed->shape.label_size;
    config->start_resolution = resumed->start_resolution;
    config->d_first_kimg = resumed->d_first_kimg;
    config->total_kimg = resumed->total_kimg;
    config->isa = resumed->isa;
    config->precision = resumed->precision;
}

/* A preset, or the settings of the run that is resumed, and what the flags change. */
static trainer_config make_config(const train_flags *f, const trainer_config *resumed) {
    trainer_config config;
    const char *preset = f->preset ? f->preset : DEFAULT_PRESET;
    if (resumed && !f->preset)
        config = *resumed;
    else if (!trainer_preset(preset, &config))
        cli_usage("--config %s: there are %s", preset, trainer_preset_names());
    if (resumed) keep_what_no_preset_tells(&config, resumed);
    for (int i = 0; i < f->option_count; i++)
        if (f->options[i]) set_option(&config, &trainer_options[i], f->names[i], f->options[i]);
    /* A network that is finished does not grow again, and keeps what it knows until D knows something, too. Other pictures
       than those that it learnt from D tells in a few hundred images. */
    if (f->from && !is_given(f, offsetof(trainer_config, start_resolution)))
        config.start_resolution = config.shape.resolution;
    if (f->from && !is_given(f, offsetof(trainer_config, d_first_kimg))) config.d_first_kimg = 1;
    if (f->kimg) config.total_kimg = cli_number("--kimg", f->kimg, 0, 1e9);
    if (resumed) refuse_changes(&config, resumed);
    const char *wrong = trainer_check(&config);
    if (wrong) cli_usage("--%s", wrong);
    refuse_unused(f, &config);
    return config;
}

/* --- A run --- */

/* What model.sgw says of the network that the run began as: which it was, and its licence, as it told it. */
static const char *const origins[] = {"begun as", "licence"};
enum { BEGUN_AS, LICENCE, ORIGINS };

enum { REPORTED = 7, LOG_EVERY = 1024 /* images a row of the log */ };

typedef struct training {
    const char *folder, *data_name, *threads;
    int resumed;
    stylegan_type type; /* of the weights in model.sgw */
    trainer *trainer;
    const trainer_config *config;
    dataset data;
    char *origin[ORIGINS]; /* NULL: nothing */
    training_log log;
    double row_start;                               /* when the log's next row began, ... */
    int64_t row_images;                             /* ... after so many images; ... */
    double row_sums[REPORTED], row_steps[REPORTED]; /* ... what its steps reported, and how many did */
    double total_images;
    int64_t kept_images; /* of the checkpoint in the folder; -1: none yet */
    int stopped;         /* by this signal, at whichever rank */
} training;

/* "pets, 300 pictures" */
static char *data_text(const training *r) {
    int length = (int)strlen(r->data_name);
    while (length > 1 && r->data_name[length - 1] == '/') length--;
    return r->data.count == INT64_MAX
               ? cli_format("%s", r->data_name)
               : cli_format("%.*s, %lld pictures", length, r->data_name, (long long)r->data.count);
}

/* "0 cats, 1 dogs" */
static char *classes_text(const dataset *d) {
    char *text = cli_format("%s", "");
    for (int k = 0; k < d->label_size; k++) {
        char *more = cli_format("%s%s%d %s", text, k ? ", " : "", k, d->classes[k]);
        free(text);
        text = more;
    }
    return text;
}

static void open_data(training *r, const trainer_config *config) {
    const int taken = config->shape.label_size;
    dataset_open(&r->data, r->data_name, config->shape.resolution, config->seed);
    if (config->aug == AUG_ADA && r->data.count < 2)
        cli_fail("%s: one picture, of which --aug ada would hold one back", r->data_name);
    if (taken && taken != r->data.label_size)
        cli_fail("%s: has %d classes, the networks know %d (--label-size)", r->data_name, r->data.label_size, taken);
}

/* Other data are allowed, but hardly meant. */
static void compare_data(const training *r, const stylegan_model *model) {
    char *now = data_text(r), *before = model_text(model, "data");
    const int other = before && strcmp(cli_file_name(before), cli_file_name(now)) != 0;
    if (other) cli_note("%s: learnt from %s until now, goes on with %s", r->folder, before, now);
    if (other && trainer_get_config(r->trainer)->aug == AUG_ADA)
        cli_note("%s: other pictures are held back now, most of which D has learnt from: p will be too small at first",
                 r->folder);
    free(before);
    free(now);
}

/* Names of classes are told by folders: another one would give the others' numbers a new meaning. */
static void compare_classes(const training *r, const stylegan_model *model) {
    char *before = model_text(model, "classes"), *now = r->data.classes ? classes_text(&r->data) : NULL;
    if (before && now && strcmp(before, now) != 0)
        cli_fail("%s: has the classes %s; %s has learnt %s", r->data_name, now, r->folder, before);
    free(before);
    free(now);
}

static stylegan_type type_of_weights(const stylegan_model *model) {
    stylegan_tensor widest = {.bytes = 0}, tensor;
    for (int i = 0; stylegan_get_tensor(model, i, &tensor) == STYLEGAN_OK; i++)
        if (tensor.bytes > widest.bytes) widest = tensor;
    return widest.type;
}

/* The run's network tells what the checkpoint does not. */
static void ask_model(training *r, const train_flags *f) {
    char *path = run_path(r->folder, "model.sgw");
    stylegan_error error;
    stylegan_model *model = stylegan_open_file(path, NULL, &error);
    if (!model)
        cli_note("%s: %s; the run's data, classes, licence and type of weights are not known any more", path,
                 error.message);
    free(path);
    if (!model) return;
    compare_data(r, model);
    compare_classes(r, model);
    for (int i = 0; i < ORIGINS; i++) r->origin[i] = model_text(model, origins[i]);
    if (!f->dtype) r->type = type_of_weights(model);
    stylegan_close(model);
}

/* --kimg is the end of the run, not what is added to it. */
static void note_end(const training *r, double total_before, double total) {
    const double shown = 1e-3 * (double)trainer_images(r->trainer);
    if (total <= shown)
        cli_note("%s: has seen %g kimg already, nothing is left to %g; a larger --kimg goes on", r->folder, shown,
                 total);
    else if (total < total_before)
        cli_note("%s: ends at %g kimg now, not at %g", r->folder, total, total_before);
}

static void note_rounding(const training *r, const trainer_config *resumed, const trainer_config *config) {
    for (const trainer_option *option = trainer_options; option->name; option++) {
        if (!only_rounds(option) || !differs(option, config, resumed)) continue;
        char *before = trainer_option_text(resumed, option), *now = trainer_option_text(config, option);
        cli_note("%s: goes on by --%s %s, not %s, and rounds differently", r->folder, option->name, now, before);
        free(before);
        free(now);
    }
}

static void resume_run(training *r, const train_flags *f, int threads) {
    trainer_config resumed;
    file_view file = run_read(f->folder, &resumed);
    ranks_begin_turn();
    const trainer_config config = make_config(f, &resumed);
    agree_on_work(&config, threads);
    r->trainer = run_load(f->folder, &file, &config, threads);
    note_end(r, resumed.total_kimg, config.total_kimg);
    note_rounding(r, &resumed, &config);
    if (f->cond && cli_integer("--cond", f->cond, 0, 1) != (resumed.shape.label_size > 0))
        cli_usage("--cond: " KEEPS_SETTINGS);
    r->kept_images = trainer_images(r->trainer);
    if (!f->dry_run) {
        open_data(r, &config);
        ask_model(r, f);
    }
    ranks_end_turn();
}

static void take_classes(const training *r, trainer_config *config) {
    config->shape.label_size = r->data.label_size;
    if (!r->data.label_size)
        cli_fail(
            "%s: has no classes for --cond 1; they come from dataset.json, or from folders in it (cats/, dogs/) if "
            "these hold all pictures",
            r->data_name);
    const char *wrong = trainer_check(config);
    if (wrong) cli_fail("%s: %s", r->data_name, wrong);
}

/* "portraits.sgw, 600000 images", "ffhq.sgw, converted from ffhq.pkl" */
static char *origin_text(const opened_model *opened) {
    char *images = model_text(opened->model, "images"), *source = model_text(opened->model, "source");
    char *text = images   ? cli_format("%s, %s images", opened->name, images)
                 : source ? cli_format("%s, converted from %s", opened->name, source)
                          : cli_format("%s", opened->name);
    free(source);
    free(images);
    return text;
}

static void begin_as(training *r, const char *path) {
    opened_model opened;
    weights network;
    model_open(&opened, path, &(model_flags){.threads = r->threads});
    weights_read(&network, opened.model);
    const char *difference = trainer_begin_as(r->trainer, &network);
    if (difference)
        cli_fail("%s: cannot be trained with these settings (--config and the other flags): %s", path, difference);
    r->origin[BEGUN_AS] = origin_text(&opened);
    r->origin[LICENCE] = model_text(opened.model, origins[LICENCE]);
    weights_free(&network);
    model_close(&opened);
}

static void start_run(training *r, const train_flags *f, int threads) {
    ranks_begin_turn();
    trainer_config config = make_config(f, NULL);
    const int conditional = f->cond && cli_integer("--cond", f->cond, 0, 1);
    agree_on_work(&config, threads);
    if (conditional && !f->data) cli_usage("--cond 1 needs --data, which tells the classes");
    if (!f->dry_run || conditional) open_data(r, &config);
    if (conditional)
        take_classes(r, &config);
    else if (r->data.label_size && !config.shape.label_size)
        cli_note("%s: has %d classes, which --cond 1 would learn", r->data_name, r->data.label_size);
    r->trainer = trainer_create(&config, threads);
    if (f->from) begin_as(r, f->from);
    ranks_end_turn();
}

/* --- What a run leaves: model.sgw, sheets, checkpoints, the log --- */

static void save_model(const training *r, const char *path) {
    weights network = {0};
    char *images = cli_format("%lld", (long long)trainer_images(r->trainer)), *settings = trainer_settings(r->config);
    trainer_export(r->trainer, &network);
    for (int i = 0; i < ORIGINS; i++)
        if (r->origin[i]) weights_note(&network, origins[i], r->origin[i]);
    char *data = data_text(r);
    weights_note(&network, "data", data);
    free(data);
    if (r->config->shape.label_size && r->data.classes) {
        char *classes = classes_text(&r->data);
        weights_note(&network, "classes", classes);
        free(classes);
    }
    weights_note(&network, "images", images);
    weights_note(&network, "settings", settings);
    weights_save(&network, path, r->type);
    weights_free(&network);
    free(settings);
    free(images);
}

/* While the networks grow, sheets show their pictures at the finished size; tiny ones larger. */
static void enlarge(const unsigned char *pixels, int from, int to, int channels, unsigned char *enlarged) {
    for (int y = 0; y < to; y++)
        for (int x = 0; x < to; x++)
            memcpy(enlarged + (y * to + x) * channels, pixels + (y * from / to * from + x * from / to) * channels,
                   (size_t)channels);
}

/* Always the same latents, so that the sheets of a run show the same portraits taking shape. */
static void draw_sheet(const training *r, const char *model_path) {
    enum { LEAST_SIDE = 64, SHEET_WIDTH = 640, SHEET_HEIGHT = 384, LEAST = 2 };
    const int side = r->config->shape.resolution > LEAST_SIDE ? r->config->shape.resolution : LEAST_SIDE;
    const int columns = SHEET_WIDTH / side > LEAST ? SHEET_WIDTH / side : LEAST;
    const int rows = SHEET_HEIGHT / side > LEAST ? SHEET_HEIGHT / side : LEAST;
    opened_model opened;
    mapping mapper;
    drawing picture;
    sheet samples;
    model_open_view(&opened, model_path, file_view_open_own(model_path), &(model_flags){.threads = r->threads});
    mapping_start_all(&mapper, &opened);
    drawing_start(&picture, &opened, &(drawing_flags){0}, columns * rows);
    const int channels = opened.config->channels;
    sheet_start(&samples, columns, rows, side, side, channels);
    unsigned char *enlarged = cli_alloc((size_t)side * (size_t)side, (size_t)channels);
    float *ws = cli_alloc(opened.ws_values, sizeof *ws);
    for (int i = 0; i < columns * rows; i++) {
        mapping_seed(&mapper, i, (uint32_t)i, ws);
        drawing_draw(&picture, ws, 1, NULL);
        enlarge(picture.pixels, opened.config->resolution, side, channels, enlarged);
        sheet_put(&samples, i, enlarged);
    }
    char *name = cli_format("samples-%06d.png", (int)(trainer_images(r->trainer) / 1000));
    char *notes = drawing_notes(&picture, DRAWN_SHEET);
    notes_add(&notes, "Seeds", "0-%d", columns * rows - 1);
    mapping_notes(&mapper, -1, &notes);
    sheet_save(&samples, r->folder, name, &notes);
    free(notes);
    free(name);
    free(ws);
    free(enlarged);
    drawing_end(&picture);
    mapping_end(&mapper);
    model_close(&opened);
}

static void start_row(training *r) {
    r->row_start = system_seconds();
    r->row_images = trainer_images(r->trainer);
    memset(r->row_sums, 0, sizeof r->row_sums);
    memset(r->row_steps, 0, sizeof r->row_steps);
}

static const struct {
    int column;
    size_t offset;
} reported[REPORTED] = {{LOG_G_LOSS, offsetof(trainer_step_report, g_loss)},
                        {LOG_D_LOSS, offsetof(trainer_step_report, d_loss)},
                        {LOG_R1, offsetof(trainer_step_report, r1)},
                        {LOG_REAL_SCORE, offsetof(trainer_step_report, real_score)},
                        {LOG_FAKE_SCORE, offsetof(trainer_step_report, fake_score)},
                        {LOG_HELD_SCORE, offsetof(trainer_step_report, held_score)},
                        {LOG_P, offsetof(trainer_step_report, p)}};

/* Before a checkpoint takes them. */
static void expect_numbers(const training *r, int are_numbers) {
    if (!are_numbers)
        cli_fail(
            "%s: losses or weights are no longer numbers after %lld images; another run may learn with lower rates "
            "(--g-rate, --d-rate) or a larger --r1-gamma",
            r->folder, (long long)trainer_images(r->trainer));
}

static void add_report(training *r, const trainer_step_report *report) {
    if (ranks_index()) return;
    expect_numbers(r, isfinite(report->g_loss + report->d_loss));
    for (int i = 0; i < REPORTED; i++) {
        const double value = *(const double *)(const void *)((const char *)report + reported[i].offset);
        if (isnan(value)) continue; /* R1 and held_score are not computed in every step */
        r->row_sums[i] += value;
        r->row_steps[i]++;
    }
}

static void end_row(training *r) {
    const int64_t images = trainer_images(r->trainer);
    if (ranks_index() || images == r->row_images) return;
    float fade;
    log_row row;
    const double seconds = system_seconds() - r->row_start;
    row.value[LOG_IMAGES] = (double)images;
    row.value[LOG_RESOLUTION] = trainer_resolution(r->trainer, &fade);
    row.value[LOG_FADE] = (double)fade;
    for (int i = 0; i < REPORTED; i++)
        row.value[reported[i].column] = r->row_steps[i] > 0 ? r->row_sums[i] / r->row_steps[i] : (double)NAN;
    row.value[LOG_SPEED] = (double)(images - r->row_images) / seconds;
    row.value[LOG_SECONDS] = seconds + (r->log.count ? r->log.rows[r->log.count - 1].value[LOG_SECONDS] : 0);
    log_append(&r->log, &row);
    start_row(r);
}

/* The log comes first: rows behind the checkpoint are dropped when the run is resumed, missing ones would stay so. */
static void save_everything(training *r) {
    agree_on_state(r->trainer);
    if (ranks_index()) return;
    char *model_path = run_path(r->folder, "model.sgw"), *plot_path = run_path(r->folder, "log.png");
    end_row(r);
    expect_numbers(r, trainer_is_finite(r->trainer));
    if (trainer_images(r->trainer) > r->kept_images) run_save(r->folder, r->trainer);
    r->kept_images = trainer_images(r->trainer);
    save_model(r, model_path);
    draw_sheet(r, model_path);
    log_plot(&r->log, plot_path);
    free(plot_path);
    free(model_path);
}

/* --- Training --- */

static void print_status(const training *r, double rate) {
    if (ranks_index()) return;
    const double images = (double)trainer_images(r->trainer);
    printf("%.1f of %.1f kimg", 1e-3 * images, 1e-3 * r->total_images);
    if (r->log.count) {
        const double *value = r->log.rows[r->log.count - 1].value;
        const double r1 = log_last(&r->log, LOG_R1);
        printf(", %gx%g, fade %.2f, g_loss %.3f, d_loss %.3f", value[LOG_RESOLUTION], value[LOG_RESOLUTION],
               value[LOG_FADE], value[LOG_G_LOSS], value[LOG_D_LOSS]);
        if (!isnan(r1)) printf(", r1 %.3g", r1);
        if (!isnan(value[LOG_P])) printf(", p %.3f", value[LOG_P]);
    }
    if (rate > 0) printf(", %.1f images/s, %.0f min left", rate, fmax(r->total_images - images, 0) / rate / 60);
    printf("\n");
    fflush(stdout);
}

/* What all ranks do after a step: a signal that any of them gets stops all, and the first knows when it is time to save. */
typedef enum plan { GO_ON, SAVE, STOP } plan;

static plan agree_on_plan(int save_is_due) {
    return (plan)ranks_most(stop_asked() ? STOP : save_is_due && !ranks_index() ? SAVE : GO_ON);
}

static void print_traffic(const training *r, double seconds, double done) {
    const trainer_traffic traffic = trainer_measure_traffic(r->trainer);
    const double share = done > 0 ? traffic.waited / seconds : 0;
    const int waited = -ranks_most(-(int)(1e5 * share));
    if (ranks_index() || done <= 0) return;
    printf("%d ranks: %.1f MB a step from rank to rank in %.2g ms, %.1f %% of the time; at least %.1f %% waiting for "
           "sums\n",
           ranks_count(), 1e-6 * traffic.bytes, 1e3 * traffic.seconds,
           100 * traffic.seconds * done / r->config->batch / seconds, 1e-3 * waited);
}

static void train(training *r, double snapshot_seconds) {
    const double first = (double)trainer_images(r->trainer), start_time = system_seconds();
    double last_snapshot = start_time;
    feed pictures;
    progress shown;
    feed_start(&pictures, &r->data, r->trainer);
    progress_start(&shown, "images", r->total_images - first);
    start_row(r);
    double done = 0;
    for (plan next = agree_on_plan(0); first + done < r->total_images && next != STOP;) {
        const uint8_t *pixels;
        const float *labels;
        trainer_step_report report;
        feed_next(&pictures, &pixels, &labels);
        trainer_step(r->trainer, pixels, labels, &report);
        add_report(r, &report);
        done = (double)trainer_images(r->trainer) - first;
        if (trainer_images(r->trainer) - r->row_images >= LOG_EVERY) end_row(r);
        progress_update(&shown, done);
        next = agree_on_plan(system_seconds() - last_snapshot >= snapshot_seconds);
        if (next != SAVE) continue;
        save_everything(r);
        progress_end(&shown);
        print_status(r, done / (system_seconds() - start_time));
        last_snapshot = system_seconds();
    }
    progress_end(&shown);
    feed_end(&pictures);
    const double seconds = system_seconds() - start_time;
    r->stopped = ranks_most(stop_asked());
    save_everything(r);
    if (done > 0) print_status(r, 0);
    if (ranks_count() > 1 && !r->stopped) print_traffic(r, seconds, done);
}

/* The size is that of the finished networks: of a run that begins at the full resolution. */
static void print_settings(const training *r) {
    if (ranks_index()) return;
    trainer_config finished = *r->config;
    finished.start_resolution = finished.shape.resolution;
    trainer *t = trainer_create(&finished, 1);
    weights network = {0};
    size_t size;
    free(trainer_save(t, &size));
    trainer_export(t, &network);
    for (const trainer_option *option = trainer_options; option->name; option++) {
        char *value = trainer_option_text(r->config, option);
        printf("%s\t%s\t%s\n", option->name, value, option->help);
        free(value);
    }
    printf("parameters\t%llu\tof the finished generator\n", (unsigned long long)weights_parameters(&network));
    printf("checkpoint\t%zu\tbytes\n", size);
    weights_free(&network);
    trainer_free(t);
}

/* The log's lock comes before everything else that is read or written in the folder. */
static void enter_folder(training *r) {
    if (ranks_index()) return;
    dataset_refuse_inside(r->data_name, r->folder);
    if (r->resumed) run_expect_checkpoint(r->folder);
    if (!r->resumed) cli_make_folder(r->folder);
    char *log_path = run_path(r->folder, "log.tsv");
    log_open(&r->log, log_path);
    free(log_path);
    if (!r->resumed) run_refuse_to_overwrite(r->folder);
}

static void train_in_folder(training *r, double snapshot_seconds) {
    const int keeps_folder = ranks_index() == 0;
    agree_on_settings(r->config);
    agree_on_data(&r->data);
    stop_when_asked();
    if (keeps_folder) run_remove_unfinished(r->folder);
    if (keeps_folder && r->resumed) log_continue(&r->log, trainer_images(r->trainer));
    if (keeps_folder && !r->resumed) log_begin(&r->log);
    if (!r->resumed) save_everything(r); /* finds out early whether everything can be written */
    if (keeps_folder) log_keep(&r->log);
    print_status(r, 0);
    train(r, snapshot_seconds);
    if (keeps_folder) log_close(&r->log);
}

static int run(int argc, char **argv) {
    train_flags f;
    if (!cli_asks_help(argc, argv)) ranks_start();
    ranks_begin_turn();
    parse_flags(&f, argc, argv);
    const int threads = f.threads ? (int)cli_integer("--threads", f.threads, 1, 64) : 0;
    const double snapshot_seconds = 60 * cli_number("--snapshot-minutes", f.minutes, 0, 1e6);
    training r = {.folder = f.folder,
                  .data_name = f.data,
                  .threads = f.threads,
                  .resumed = f.resume != NULL,
                  .kept_images = -1,
                  .type = f.dtype ? weights_type(f.dtype) : STYLEGAN_F16};
    ranks_end_turn();
    ranks_agree("version", stylegan_version());
    if (!f.dry_run) enter_folder(&r);
    (f.resume ? resume_run : start_run)(&r, &f, threads);
    r.config = trainer_get_config(r.trainer);
    r.total_images = 1000 * r.config->total_kimg;
    if (f.dry_run)
        print_settings(&r);
    else
        train_in_folder(&r, snapshot_seconds);
    trainer_free(r.trainer);
    if (r.data.close) dataset_close(&r.data);
    for (int i = 0; i < ORIGINS; i++) free(r.origin[i]);
    free_flags(&f);
    if (!r.stopped) return CLI_EXIT_OK;
    cli_note("%s: stopped; --resume continues the run", r.folder);
    return 128 + r.stopped; /* as shells report a signal */
}
