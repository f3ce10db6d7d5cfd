/* system.h - what the tool asks of the operating system beside the C library: system_posix.c or system_windows.c, as the
   Makefile chooses. Texts are UTF-8. Unless told otherwise: 0 on success, else -1 and errno. */
#ifndef SYSTEM_H
#define SYSTEM_H

#include <fcntl.h>
#include <pthread.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* To be called first: the arguments become UTF-8, the standard streams leave every byte as it is. */
void system_start(int *argc, char ***argv);

/* --- Files and folders --- */

typedef enum system_kind {
    SYSTEM_NOTHING, /* there, or to be seen: errno */
    SYSTEM_FILE,
    SYSTEM_FOLDER,
    SYSTEM_DEVICE,
    SYSTEM_PIPE
} system_kind;
system_kind system_kind_of(const char *path);
system_kind system_kind_of_open(int descriptor, uint64_t *size);
int system_is_link(const char *path);
char *system_real_path(const char *path); /* what links lead to, to be freed; NULL: it leads to itself, or to nothing */
char *system_link_target(const char *path); /* what the link says, to be freed; NULL: it is none */

int system_open(const char *path, int flags);              /* a descriptor; flags of fcntl.h */
void system_take_rights(int descriptor, const char *path); /* those of the file that it will replace, if there is one */
int system_sync(int descriptor);
void system_sync_folder(const char *path);
int system_lock(int descriptor); /* until it is closed; 1 if another process has it */

const void *system_map(int descriptor, size_t size); /* the whole file, to be read; NULL: read it instead */
void system_unmap(const void *data, size_t size);

int system_rename(const char *from, const char *to); /* takes the place of a file `to` */
int system_link(const char *path, const char *other_name);
int system_remove(const char *path);
void system_close_all(void); /* files that are being written, where open ones cannot be removed */

int system_make_folder(const char *path);
int system_remove_folder(const char *path); /* if it is empty */
int system_can_write_into(const char *folder);

/* The names in a folder, in any order: system_next_name returns NULL at the end. */
typedef struct system_names system_names;
system_names *system_open_names(const char *folder); /* NULL and errno */
const char *system_next_name(system_names *names);   /* valid until the next call */
void system_close_names(system_names *names);

/* --- The process --- */

/* Calls the handler when somebody asks the process to end, by Ctrl-C say; ignored signals stay ignored. `before_end`
   leaves signals that have a handler, and is called as well when a pipe is read no more, by Ctrl-\ and at a limit of processor
   time; `to_stop` replaces it but for Ctrl-\, and is called when a batch system warns of the end, too (SIGUSR1). */
typedef void system_handler(int signal_number);
void system_before_end(system_handler *handler);
void system_to_stop(system_handler *handler);

int system_start_thread(pthread_t *thread, void *(*run)(void *), void *argument); /* signals stay with the others */
long system_process(void);                                                        /* its number */
int system_processors(void);                                                      /* that the process may use */
int system_all_processors(void);                                                  /* of the machine */
uint64_t system_peak_memory(void);                                                /* bytes, of the process so far */

/* Large pages are found faster; nothing happens where there are none. */
void system_advise_large_pages(void *memory, size_t size);

double system_seconds(void);            /* monotonic clock */
int system_is_terminal(FILE *standard); /* that understands escape sequences */
int system_columns(void);               /* of the terminal that standard output is; 0: it is none */

#endif
