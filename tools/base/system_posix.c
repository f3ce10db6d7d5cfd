/* system_posix.c - see system.h. */
#define _GNU_SOURCE /* sched_getaffinity, where it is there */
#define _XOPEN_SOURCE 700
#include "system.h"

#include <dirent.h>
#include <errno.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* Closed standard streams would be the next files that are opened, which messages then went into. Writing to these fails. */
void system_start(int *argc, char ***argv) {
    int descriptor;
    (void)argc, (void)argv;
    do descriptor = open("/dev/null", O_RDONLY);
    while (descriptor >= 0 && descriptor <= STDERR_FILENO);
    if (descriptor >= 0) close(descriptor);
}

/* --- Files and folders --- */

static system_kind kind_of(const struct stat *status) {
    if (S_ISREG(status->st_mode)) return SYSTEM_FILE;
    if (S_ISDIR(status->st_mode)) return SYSTEM_FOLDER;
    return S_ISCHR(status->st_mode) || S_ISBLK(status->st_mode) ? SYSTEM_DEVICE : SYSTEM_PIPE;
}

system_kind system_kind_of(const char *path) {
    struct stat status;
    return stat(path, &status) ? SYSTEM_NOTHING : kind_of(&status);
}

system_kind system_kind_of_open(int descriptor, uint64_t *size) {
    struct stat status;
    if (fstat(descriptor, &status)) return SYSTEM_NOTHING;
    *size = (uint64_t)status.st_size;
    return kind_of(&status);
}

int system_is_link(const char *path) {
    struct stat status;
    return lstat(path, &status) == 0 && S_ISLNK(status.st_mode);
}

char *system_real_path(const char *path) {
    return realpath(path, NULL);
}

char *system_link_target(const char *path) {
    char target[4096];
    const ssize_t length = readlink(path, target, sizeof target);
    return length < 0 ? NULL : strndup(target, (size_t)length);
}

int system_open(const char *path, int flags) {
    return open(path, flags, 0666);
}

void system_take_rights(int descriptor, const char *path) {
    struct stat status;
    if (stat(path, &status) == 0) (void)fchmod(descriptor, status.st_mode & 0777);
}

int system_sync(int descriptor) {
    return fsync(descriptor);
}

void system_sync_folder(const char *path) {
    const int descriptor = open(path, O_RDONLY);
    if (descriptor < 0) return;
    fsync(descriptor);
    close(descriptor);
}

int system_lock(int descriptor) {
    if (lockf(descriptor, F_TLOCK, 0) == 0) return 0;
    return errno == EACCES || errno == EAGAIN ? 1 : -1;
}

const void *system_map(int descriptor, size_t size) {
    const void *data = mmap(NULL, size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    return data == MAP_FAILED ? NULL : data;
}

void system_unmap(const void *data, size_t size) {
    munmap((void *)(uintptr_t)data, size);
}

int system_rename(const char *from, const char *to) {
    return rename(from, to);
}

int system_link(const char *path, const char *other_name) {
    return link(path, other_name);
}

int system_remove(const char *path) {
    return unlink(path);
}

void system_close_all(void) {
}

int system_make_folder(const char *path) {
    return mkdir(path, 0777);
}

int system_remove_folder(const char *path) {
    return rmdir(path);
}

int system_can_write_into(const char *folder) {
    return access(folder, W_OK) == 0;
}

/* A DIR by another name. */
system_names *system_open_names(const char *folder) {
    return (system_names *)opendir(folder);
}

const char *system_next_name(system_names *names) {
    const struct dirent *entry = readdir((DIR *)names);
    return entry ? entry->d_name : NULL;
}

void system_close_names(system_names *names) {
    closedir((DIR *)names);
}

/* --- The process --- */

static void handle(int signal_number, system_handler *handler, int replace) {
    struct sigaction action = {.sa_handler = handler, .sa_flags = SA_RESTART}, now;
    sigemptyset(&action.sa_mask);
    if (sigaction(signal_number, NULL, &now)) return;
    if (now.sa_handler == SIG_DFL || (replace && now.sa_handler != SIG_IGN)) sigaction(signal_number, &action, NULL);
}

static const int requests[] = {SIGINT, SIGTERM, SIGHUP}, other_ends[] = {SIGPIPE, SIGQUIT, SIGXCPU};
enum { REQUESTS = sizeof requests / sizeof *requests, OTHER_ENDS = sizeof other_ends / sizeof *other_ends };

void system_before_end(system_handler *handler) {
    for (int i = 0; i < REQUESTS; i++) handle(requests[i], handler, 0);
    for (int i = 0; i < OTHER_ENDS; i++) handle(other_ends[i], handler, 0);
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error of writing as a full disk is */
}

static system_handler *stop_handler;

/* A limit of processor time warns each second until it kills: more than once is no second request. */
static void stop_once(int signal_number) {
    signal(signal_number, SIG_IGN);
    stop_handler(signal_number);
}

void system_to_stop(system_handler *handler) {
    stop_handler = handler;
    for (int i = 0; i < REQUESTS; i++) handle(requests[i], handler, 1);
    handle(SIGUSR1, handler, 1);
    handle(SIGXCPU, stop_once, 1);
}

int system_start_thread(pthread_t *thread, void *(*run)(void *), void *argument) {
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    const int error = pthread_create(thread, NULL, run, argument);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    errno = error;
    return error ? -1 : 0;
}

long system_process(void) {
    return (long)getpid();
}

int system_all_processors(void) {
    return (int)sysconf(_SC_NPROCESSORS_ONLN);
}

int system_processors(void) {
#ifdef CPU_COUNT
    cpu_set_t allowed; /* by taskset, mpirun, a batch system */
    if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
    return system_all_processors();
}

uint64_t system_peak_memory(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return 1024 * (uint64_t)usage.ru_maxrss;
}

void system_advise_large_pages(void *memory, size_t size) {
#ifdef MADV_HUGEPAGE
    const uintptr_t page = (uintptr_t)sysconf(_SC_PAGESIZE), at = (uintptr_t)memory;
    const uintptr_t first = (at + page - 1) / page * page, end = (at + size) / page * page;
    if (first < end) (void)madvise((unsigned char *)memory + (first - at), end - first, MADV_HUGEPAGE);
#else
    (void)memory, (void)size;
#endif
}

double system_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

int system_is_terminal(FILE *standard) {
    return isatty(fileno(standard));
}

int system_columns(void) {
#ifdef TIOCGWINSZ
    struct winsize size;
    if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0) return size.ws_col;
#endif
    return 0;
}
