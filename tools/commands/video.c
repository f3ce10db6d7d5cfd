/* video.c - moving pictures: from key frame to key frame. */
#include "../base/notes.h"
#include "../base/sheet.h"
#include "../base/video.h"
#include "../model/drawing.h"
#include "../model/keyframes.h"

#include <stdlib.h>
#include <string.h>

static int run(int argc, char **argv);

const cli_command video_command = {
    "video", "MODEL -o FILE", "draw a video: pictures that change into others and back",
    "stylegan video ffhq.sgw --seeds 0-31 --grid 4x2 -o faces.y4m\n"
    "stylegan video ffhq.sgw --seeds 0-4 --trunc 0.7 -o - | ffmpeg -i - -pix_fmt yuv420p faces.mp4\n"
    "stylegan video ffhq.sgw --seeds 85 --space circle --w-frames 240 --fps 30 -o face.apng\n"
    "stylegan video ffhq.sgw --seeds 0-4 -o frames   (frame000000.png, ...; again: goes on)",
    run};

enum { BATCH = MODEL_BATCH }; /* images drawn by one call, or those of one frame */

/* The frames that are missing, [frames]; returns how many. */
static int find_missing(const video *v, unsigned char *missing) {
    int count = 0;
    for (int i = 0; i < v->format.frames; i++) count += missing[i] = (unsigned char)!video_has(v, i);
    return count;
}

/* What a frame is put together from, and where it goes. */
typedef struct studio {
    keyframes *path;
    drawing *picture;
    sheet *frame;
    video *out;
    uint64_t first_noise;
    float *ws; /* [frames of a batch][T][L][D] */
} studio;

static void draw_frames(const studio *s, int first, int count) {
    const opened_model *opened = s->path->opened;
    const int pictures = s->path->pictures;
    for (int i = 0; i < count; i++)
        keyframes_ws(s->path, first + i, s->ws + (size_t)i * (size_t)pictures * opened->ws_values);
    s->picture->run.noise_seed = s->first_noise + (uint64_t)first * (uint64_t)pictures;
    drawing_draw(s->picture, s->ws, count * pictures, NULL);
    for (int i = 0; i < count; i++) {
        for (int p = 0; p < pictures; p++)
            sheet_put(s->frame, p, s->picture->pixels + (size_t)(i * pictures + p) * opened->image_values);
        video_add(s->out, first + i, s->frame->pixels);
    }
}

static void draw_missing(const studio *s, const unsigned char *missing) {
    const int most = BATCH > s->path->pictures ? BATCH / s->path->pictures : 1;
    for (int first = 0, count; first < s->path->frames; first += count ? count : 1) {
        for (count = 0; count < most && first + count < s->path->frames && missing[first + count];) count++;
        if (count) draw_frames(s, first, count);
    }
}

static char *make_notes(const drawing *d, const keyframes *k, const char *grid) {
    char *notes = drawing_notes(d, DRAWN_SHEET);
    if (!notes) return NULL;
    if (grid) notes_add(&notes, "Grid", "%s", grid);
    keyframes_notes(k, &notes);
    return notes;
}

static void save_ws(keyframes *k, const char *path) {
    const stylegan_config *config = k->opened->config;
    const size_t values = (size_t)k->pictures * k->opened->ws_values;
    float *ws = cli_alloc(values, sizeof *ws);
    npy_writer writer;
    npy_open(&writer, path, 3, (const int64_t[]){(int64_t)k->frames * k->pictures, config->num_ws, config->w_dim});
    for (int i = 0; i < k->frames; i++) {
        keyframes_ws(k, i, ws);
        npy_append(&writer, ws, values);
    }
    npy_close(&writer);
    free(ws);
}

/* Of the format rate, colours and notes are given. */
static void make_video(keyframes *path, drawing *picture, sheet *frame, video_format *format, const char *file) {
    const int most = BATCH > path->pictures ? BATCH : path->pictures;
    video out;
    format->width = frame->columns * frame->width;
    format->height = frame->rows * frame->height;
    format->channels = frame->channels;
    format->frames = path->frames;
    video_open(&out, file, format);
    unsigned char *missing = cli_alloc((size_t)path->frames, 1);
    picture->progress.total = (double)find_missing(&out, missing) * path->pictures;
    float *ws = cli_alloc((size_t)most, path->opened->ws_values * sizeof *ws);
    const studio s = {path, picture, frame, &out, picture->run.noise_seed, ws};
    draw_missing(&s, missing);
    video_close(&out);
    progress_end(&picture->progress);
    cli_tell("%d frames in %s", path->frames, strcmp(file, "-") ? file : "standard output");
    free(ws);
    free(missing);
}

static int run(int argc, char **argv) {
    enum { MOST_RATE = 1000 };
    const char *file = NULL, *grid_text = NULL, *rate_text = "60", *ws_path = NULL, *colour_text = NULL;
    model_flags compute_flags = {.batch = BATCH};
    keyframe_flags path_flags = {0};
    drawing_flags noise_flags = {0};
    const cli_flag flags[] = {
        {"-o", "FILE", "what to write: .y4m, .apng, a folder; -: y4m to standard output", &file},
        {"--output", "FILE", "the same as -o", &file},
        KEYFRAME_FLAGS(path_flags),
        {"--grid", "CxR", "so many pictures beside each other (default: 1x1)", &grid_text},
        {"--fps", "N", "frames a second (default: 60)", &rate_text},
        {"--colours", "N", "of .apng, from 2 to 256: a smaller file in so many colours (default: as they are)",
         &colour_text},
        {"--save-ws", "FILE.npy", "also, or only, write the ws of the frames, for generate --ws", &ws_path},
        DRAWING_FLAGS(noise_flags),
        MODEL_FLAGS(compute_flags),
        {0}};
    const char *path = model_parse(&video_command, flags, &compute_flags, argc, argv, NULL);
    const int rate = (int)cli_integer("--fps", rate_text, 1, MOST_RATE);
    const int colours = colour_text ? (int)cli_integer("--colours", colour_text, 2, 256) : 0;
    if (!file && !ws_path) cli_usage("give the file to write: -o FILE.y4m");
    if (file) video_check(file, colours);
    if (file && ws_path && cli_same_file(file, ws_path)) cli_usage("-o and --save-ws name the same file");

    opened_model opened;
    keyframes frames;
    drawing picture;
    sheet frame;
    model_open(&opened, path, &compute_flags);
    const stylegan_config *config = opened.config;
    sheet_parse(&frame, grid_text ? grid_text : "1x1", config->width, config->height, config->channels);
    keyframes_start(&frames, &opened, &path_flags, frame.columns * frame.rows);
    drawing_start(&picture, &opened, &noise_flags, 0);
    if (file) video_make_folder(file); /* in which the ws may lie */
    if (ws_path) save_ws(&frames, ws_path);
    char *notes = make_notes(&picture, &frames, grid_text);
    video_format format = {.rate = rate, .colours = colours, .notes = notes};
    if (file) make_video(&frames, &picture, &frame, &format, file);
    free(notes);
    drawing_end(&picture);
    free(frame.pixels);
    keyframes_end(&frames);
    model_close(&opened);
    return CLI_EXIT_OK;
}
