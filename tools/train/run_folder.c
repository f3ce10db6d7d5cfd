/* run_folder.c - see run_folder.h. */
#include "run_folder.h"
#include "ranks.h"
#include "../base/cli.h"
#include "../base/system.h"

#include <stdio.h>
#include <stdlib.h>

static const char CHECKPOINT[] = "checkpoint.sgt", PREVIOUS[] = "checkpoint-previous.sgt";

/* What else a run writes beside them, and the log; sheets are samples-000000.png and so on. */
static const char *const others[] = {"model.sgw", "log.png", "samples-000000.png"};
enum { OTHERS = sizeof others / sizeof *others };

char *run_path(const char *folder, const char *name) {
    return cli_format("%s/%s", folder, name);
}

static int exists(const char *folder, const char *name) {
    char *path = run_path(folder, name);
    const int found = system_kind_of(path) != SYSTEM_NOTHING;
    free(path);
    return found;
}

/* What helps where there is no checkpoint, or a damaged one, if anything does. */
static const char *way_back(const char *folder) {
    return exists(folder, PREVIOUS)
               ? "; rename checkpoint-previous.sgt, the one before, to checkpoint.sgt to go on from there"
               : "";
}

void run_expect_checkpoint(const char *folder) {
    if (!exists(folder, CHECKPOINT)) cli_fail("%s: there is no run to resume%s", folder, way_back(folder));
}

void run_refuse_to_overwrite(const char *folder) {
    if (exists(folder, CHECKPOINT))
        cli_usage("%s: holds a run; continue it with --resume, or choose another --outdir", folder);
    if (exists(folder, PREVIOUS))
        cli_usage(
            "%s: holds a run without its last checkpoint; rename %s to %s to --resume it, or choose another --outdir",
            folder, PREVIOUS, CHECKPOINT);
    for (int i = 0; i < OTHERS; i++)
        if (exists(folder, others[i]))
            cli_usage("%s: holds %s, but no run; choose another --outdir", folder, others[i]);
}

/* Whether the name is one that output_open gives to a run's file while it is written. */
static int is_unfinished(const char *name) {
    static const char *const forms[] = {"checkpoint.sgt.%*d.part%n", "checkpoint-previous.sgt.%*d.part%n",
                                        "model.sgw.%*d.part%n", "log.png.%*d.part%n", "samples-%*d.png.%*d.part%n"};
    for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
        int end = 0;
        sscanf(name, forms[i], &end);
        if (end && !name[end]) return 1;
    }
    return 0;
}

void run_remove_unfinished(const char *folder) {
    system_names *names = system_open_names(folder);
    if (!names) return;
    for (const char *name; (name = system_next_name(names)) != NULL;) {
        if (!is_unfinished(name)) continue;
        char *path = run_path(folder, name);
        system_remove(path);
        free(path);
    }
    system_close_names(names);
}

/* --- Checkpoints --- */

/* The file's bytes on all ranks, of which rank 0 reads it. */
static file_view read_for_all(const char *path) {
    file_view file = {0};
    if (!ranks_index()) file = file_view_open_own(path);
    ranks_share(&file.size, sizeof file.size);
    if (ranks_index()) file.data = cli_alloc(file.size, 1);
    ranks_share((void *)(uintptr_t)file.data, file.size); /* only read where it is mapped */
    return file;
}

file_view run_read(const char *folder, trainer_config *config) {
    char *path = run_path(folder, CHECKPOINT);
    const file_view file = read_for_all(path);
    ranks_begin_turn();
    const char *why = trainer_read_config(file.data, file.size, config);
    if (why) cli_fail("%s: %s%s", path, why, way_back(folder));
    ranks_end_turn();
    free(path);
    return file;
}

trainer *run_load(const char *folder, file_view *file, const trainer_config *config, int threads) {
    const char *why;
    trainer *t = trainer_load(file->data, file->size, config, threads, &why);
    if (!t) cli_fail("%s/%s: %s%s", folder, CHECKPOINT, why, way_back(folder));
    file_view_close(file);
    return t;
}

void run_save(const char *folder, const trainer *t) {
    output out;
    size_t size;
    unsigned char *bytes = trainer_save(t, &size);
    char *path = run_path(folder, CHECKPOINT), *previous = run_path(folder, PREVIOUS);
    char *link_path = cli_format("%s.%ld.part", previous, system_process());
    output_open(&out, path);
    output_write(&out, bytes, size);
    output_sync(&out);
    /* The old one keeps a second name until it takes the previous one's. */
    cli_unfinished(link_path);
    const int linked = system_link(path, link_path) == 0;
    output_close(&out);
    if (linked) system_rename(link_path, previous);
    system_remove(link_path); /* two names of one file are not renamed */
    cli_finished(link_path);
    system_sync_folder(folder);
    free(bytes);
    free(link_path);
    free(previous);
    free(path);
}
