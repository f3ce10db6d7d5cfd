/* run_folder.h - the folder of a training run: which files in it are the run's, and its checkpoints. */
#ifndef RUN_FOLDER_H
#define RUN_FOLDER_H

#include "trainer.h"
#include "../base/cli.h"

char *run_path(const char *folder, const char *name); /* the caller frees */

/* Ends the program if a new run would overwrite what is here. */
void run_refuse_to_overwrite(const char *folder);

/* Removes what a killed process was writing, and nothing else. */
void run_remove_unfinished(const char *folder);

void run_expect_checkpoint(const char *folder); /* ends the program if there is none */

/* The checkpoint in the folder that rank 0 has, on all ranks together, and its settings; and what run_load makes of it
   with settings of which some have changed (trainer_load): it closes the file. */
file_view run_read(const char *folder, trainer_config *config);
trainer *run_load(const char *folder, file_view *file, const trainer_config *config, int threads);

/* At every moment checkpoint.sgt is a whole checkpoint: the new one is on the disk before it takes the name. The one
   before becomes checkpoint-previous.sgt, where the file system has links. */
void run_save(const char *folder, const trainer *t);

#endif
