/* video.c - see video.h. */
#include "video.h"
#include "notes.h"
#include "png.h"
#include "system.h"

#include <stdlib.h>
#include <string.h>

struct video_kind {
    const char *end; /* of the path */
    void (*open)(video *v);
    void (*add)(video *v, int frame, const unsigned char *pixels);
    void (*close)(video *v);
    int (*has)(const video *v, int frame); /* NULL: never */
};

/* --- One file --- */

static void open_y4m(video *v) {
    const video_format *f = &v->format;
    y4m_open(&v->writer.y4m, v->path, f->width, f->height, f->channels, f->rate);
}

static void add_y4m(video *v, int frame, const unsigned char *pixels) {
    (void)frame;
    y4m_add(&v->writer.y4m, pixels);
}

static void close_y4m(video *v) {
    y4m_close(&v->writer.y4m);
}

static void open_apng(video *v) {
    const video_format *f = &v->format;
    apng_open(&v->writer.apng, v->path, f->width, f->height, f->channels, f->frames, f->rate, f->colours, f->notes);
}

static void add_apng(video *v, int frame, const unsigned char *pixels) {
    (void)frame;
    apng_add(&v->writer.apng, pixels);
}

static void close_apng(video *v) {
    apng_close(&v->writer.apng);
}

/* --- Numbered pictures --- */

static char *frame_path(const video *v, int frame) {
    const size_t length = strlen(v->path);
    return cli_format("%s%sframe%06d.png", v->path, length && v->path[length - 1] == '/' ? "" : "/", frame);
}

static char *frame_notes(const video *v, int frame) {
    if (!v->format.notes) return NULL;
    char *notes = cli_format("%s", v->format.notes);
    notes_add(&notes, "Frame", "%d of %d", frame, v->format.frames);
    return notes;
}

static void open_folder(video *v) {
    png_check_size(v->path, v->format.width, v->format.height, v->format.channels);
    cli_make_folder(v->path);
}

static void add_to_folder(video *v, int frame, const unsigned char *pixels) {
    char *path = frame_path(v, frame), *notes = frame_notes(v, frame);
    png_write(path, v->format.width, v->format.height, v->format.channels, pixels, notes);
    free(notes);
    free(path);
}

static void close_folder(video *v) {
    (void)v;
}

/* Frames without notes cannot be told from others': they are drawn again. */
static int is_frame(const video *v, int frame, const char *path, const file_view *file) {
    char *told = NULL, *expected = frame_notes(v, frame);
    int width, height;
    const int picture = png_read_notes(file->data, file->size, &told, &width, &height);
    const int whole = picture && png_is_whole(file->data, file->size);
    if (!picture && file->size) cli_fail("%s: is not a picture, and would be replaced", path);
    if (whole && strcmp(told ? told : "", expected ? expected : "") != 0)
        cli_fail("%s: is of another video, or drawn in another way; give another folder", path);
    const int is = whole && expected;
    free(expected);
    free(told);
    return is;
}

static int folder_has(const video *v, int frame) {
    char *path = frame_path(v, frame);
    int has = 0;
    if (system_kind_of(path) == SYSTEM_FILE) {
        file_view file = file_view_open_own(path);
        has = is_frame(v, frame, path, &file);
        file_view_close(&file);
    }
    free(path);
    return has;
}

/* --- Which of them --- */

static const video_kind kinds[] = {{".y4m", open_y4m, add_y4m, close_y4m, NULL},
                                   {".apng", open_apng, add_apng, close_apng, NULL},
                                   {".png", open_apng, add_apng, close_apng, NULL}};
enum { KINDS = sizeof kinds / sizeof *kinds };
static const video_kind folder_kind = {"/", open_folder, add_to_folder, close_folder, folder_has};

static int ends_with(const char *text, const char *end) {
    const size_t length = strlen(text), tail = strlen(end);
    return length >= tail && strcmp(text + length - tail, end) == 0;
}

/* A device or a pipe may have any name; what has no dot in its last part is a folder. */
static const video_kind *find_kind(const char *path) {
    const system_kind there = system_kind_of(path);
    const char *slash = strrchr(path, '/');
    if (strcmp(path, "-") == 0) return &kinds[0];
    for (int i = 0; i < KINDS; i++)
        if (there != SYSTEM_FOLDER && ends_with(path, kinds[i].end)) return &kinds[i];
    if (there == SYSTEM_DEVICE || there == SYSTEM_PIPE) return &kinds[0];
    if (there == SYSTEM_FOLDER || !strchr(slash && slash[1] ? slash : path, '.') || (slash && !slash[1]))
        return &folder_kind;
    cli_usage(
        "%s: writes .y4m, .apng and folders; an encoder makes the rest: ... -o - | ffmpeg -i - -pix_fmt yuv420p %s",
        path, path);
}

void video_check(const char *path, int colours) {
    if (find_kind(path)->open != open_apng && colours) cli_usage("--colours is for .apng, not for %s", path);
}

void video_make_folder(const char *path) {
    if (find_kind(path) == &folder_kind) cli_make_folder(path);
}

void video_open(video *v, const char *path, const video_format *format) {
    *v = (video){.kind = find_kind(path), .path = path, .format = *format};
    v->kind->open(v);
}

int video_has(const video *v, int frame) {
    return v->kind->has && v->kind->has(v, frame);
}

void video_add(video *v, int frame, const unsigned char *pixels) {
    v->kind->add(v, frame, pixels);
}

void video_close(video *v) {
    v->kind->close(v);
}
