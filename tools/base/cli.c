/* cli.c - what every command of the tool shares: see cli.h. */
#define _XOPEN_SOURCE 700
#include "cli.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* --- Unfinished outputs: temporary files and new folders, removed by failures and signals --- */

enum { MAX_UNFINISHED = 16 };
static const char *volatile unfinished[MAX_UNFINISHED];

typedef struct new_folder {
    const char *path;
    struct new_folder *before;
} new_folder;
static new_folder *volatile new_folders; /* the last comes first: children before their parents */

static void remove_unfinished(void) {
    for (int i = 0; i < MAX_UNFINISHED; i++)
        if (unfinished[i]) unlink(unfinished[i]);
    for (const new_folder *f = new_folders; f; f = f->before)
        rmdir(f->path); /* leaves those that hold finished files */
}

static void remove_and_die(int signal_number) {
    remove_unfinished();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void watch_signals(void) {
    static int watching;
    if (watching++) return;
    static const int deadly[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    for (size_t i = 0; i < sizeof deadly / sizeof *deadly; i++) {
        struct sigaction now;
        /* nohup and background jobs ignore some signals: leave them so. */
        if (sigaction(deadly[i], NULL, &now) == 0 && now.sa_handler == SIG_DFL) signal(deadly[i], remove_and_die);
    }
    signal(SIGXFSZ, SIG_IGN); /* a limit on the size of files is an error of writing as a full disk is */
}

static int find_unfinished(const char *temporary) {
    for (int i = 0; i < MAX_UNFINISHED; i++)
        if (unfinished[i] == temporary) return i;
    cli_fail("more than %d files are being written", MAX_UNFINISHED);
}

void cli_unfinished(const char *path) {
    watch_signals();
    unfinished[find_unfinished(NULL)] = path;
}

void cli_finished(const char *path) {
    unfinished[find_unfinished(path)] = NULL;
}

/* --- Messages --- */

static int progress_visible;

/* Messages quote names from files: control characters must neither break the line nor reach the terminal. */
static void print_line(char *line) {
    for (char *at = line; *at; at++)
        if (iscntrl((unsigned char)*at)) *at = '?';
    fprintf(stderr, "%sstylegan: %s\n", progress_visible ? "\r\033[K" : "", line);
    progress_visible = 0;
}

/* A line of any length, so that the reason behind a long path is said too; only the memory for it may be missing. */
static void say(const char *format, va_list arguments) {
    char line[1024];
    va_list again;
    va_copy(again, arguments);
    const size_t size = (size_t)vsnprintf(line, sizeof line, format, arguments) + 1;
    char *whole = size > sizeof line ? malloc(size) : NULL;
    if (whole) vsnprintf(whole, size, format, again);
    va_end(again);
    print_line(whole ? whole : line);
    free(whole);
}

#define SAY(format)              \
    va_list arguments;           \
    va_start(arguments, format); \
    say(format, arguments);      \
    va_end(arguments)

void cli_fail(const char *format, ...) {
    SAY(format);
    remove_unfinished();
    exit(CLI_EXIT_FAILED);
}

void cli_usage(const char *format, ...) {
    SAY(format);
    remove_unfinished();
    exit(CLI_EXIT_USAGE);
}

void cli_note(const char *format, ...) {
    SAY(format);
}

/* --- Arguments --- */

static void print_help(const cli_command *command, const cli_flag *flags) {
    printf("stylegan %s - %s\n\nUsage: stylegan %s %s%s\n", command->name, command->summary, command->name,
           command->arguments, flags->name ? " [flags]" : "");
    if (flags->name) printf("\nFlags:\n");
    for (const cli_flag *flag = flags; flag->name; flag++) {
        const int used = printf("  %s %s", flag->name, flag->argument ? flag->argument : "");
        printf("%*s%s\n", used < 26 ? 26 - used : 2, "", flag->help);
    }
    if (command->examples) printf("\nExamples:\n");
    for (const char *at = command->examples; at && *at; at += strspn(at, "\n")) {
        const int length = (int)strcspn(at, "\n");
        printf("  %.*s\n", length, at);
        at += length;
    }
}

static const cli_flag *find_flag(const cli_command *command, const cli_flag *flags, const char *name, size_t length) {
    for (const cli_flag *flag = flags; flag->name; flag++)
        if (strlen(flag->name) == length && strncmp(flag->name, name, length) == 0) return flag;
    cli_usage("unknown flag %.*s; `stylegan %s --help` lists the flags", (int)length, name, command->name);
}

int cli_parse(const cli_command *command, const cli_flag *flags, int argc, char **argv, const char **positional,
              int least, int most) {
    int count = 0, flags_end = 0;
    for (int i = 0; i < argc; i++) {
        const char *text = argv[i];
        if (flags_end || text[0] != '-' || text[1] == '\0') {
            if (count == most)
                cli_usage("unexpected argument %s; `stylegan %s --help` shows the usage", text, command->name);
            positional[count++] = text;
        } else if (strcmp(text, "--") == 0) {
            flags_end = 1;
        } else if (strcmp(text, "--help") == 0 || strcmp(text, "-h") == 0) {
            print_help(command, flags);
            cli_end_stdout();
            exit(CLI_EXIT_OK);
        } else {
            const size_t length = strcspn(text, "=");
            const cli_flag *flag = find_flag(command, flags, text, length);
            const char *value = text[length] ? text + length + 1 : NULL;
            if (!flag->argument && value) cli_usage("%s takes no value", flag->name);
            if (flag->argument && !value && i + 1 < argc && strncmp(argv[i + 1], "--", 2) != 0) value = argv[++i];
            if (flag->argument && !value) cli_usage("%s needs a value: %s %s", flag->name, flag->name, flag->argument);
            *flag->value = value ? value : "";
        }
    }
    if (count < least) cli_usage("missing argument: stylegan %s %s", command->name, command->arguments);
    return count;
}

int64_t cli_integer(const char *flag, const char *text, int64_t least, int64_t most) {
    char *end;
    errno = 0;
    const long long value = strtoll(text, &end, 10);
    if (end == text || *end || isspace((unsigned char)*text)) cli_usage("%s %s: not a whole number", flag, text);
    if (errno || value < least || value > most)
        cli_usage("%s %s: must be from %lld to %lld", flag, text, (long long)least, (long long)most);
    return value;
}

double cli_number(const char *flag, const char *text, double least, double most) {
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end || isspace((unsigned char)*text) || !isfinite(value))
        cli_usage("%s %s: not a number", flag, text);
    if (value < least || value > most) cli_usage("%s %s: must be from %g to %g", flag, text, least, most);
    return value;
}

double *cli_numbers(const char *flag, const char *text, double least, double most, int *count) {
    double *values = NULL;
    char *list = cli_format("%s", text), *at = list;
    *count = 0;
    for (char *comma = at; comma; at = comma + 1) {
        comma = strchr(at, ',');
        if (comma) *comma = 0;
        values = cli_realloc(values, (size_t)*count + 1, sizeof *values);
        values[(*count)++] = cli_number(flag, at, least, most);
    }
    free(list);
    return values;
}

static uint32_t list_number(const char *flag, const char *text, const char **at) {
    char *end;
    errno = 0;
    const unsigned long long value = strtoull(*at, &end, 10);
    if (!isdigit((unsigned char)**at)) cli_usage("%s %s: not a list such as 0-3,85", flag, text);
    if (errno || value > UINT32_MAX) cli_usage("%s %s: numbers go from 0 to 4294967295", flag, text);
    *at = end;
    return (uint32_t)value;
}

uint32_t *cli_list(const char *flag, const char *text, int most, int *count) {
    uint32_t *values = NULL;
    const char *at = text;
    *count = 0;
    for (int more = 1; more; at += more) {
        const uint32_t first = list_number(flag, text, &at);
        uint32_t last = first;
        if (*at == '-') at++, last = list_number(flag, text, &at);
        if (last < first) cli_usage("%s %s: the range %u-%u is empty", flag, text, first, last);
        if (last - first >= (uint32_t)(most - *count)) cli_usage("%s %s: more than %d numbers", flag, text, most);
        const int added = (int)(last - first) + 1;
        values = cli_realloc(values, (size_t)(*count + added), sizeof *values);
        for (int i = 0; i < added; i++) values[(*count)++] = first + (uint32_t)i;
        if (*at && *at != ',') cli_usage("%s %s: not a list such as 0-3,85", flag, text);
        more = *at == ',';
    }
    return values;
}

/* --- Memory --- */

void *cli_realloc(void *memory, size_t count, size_t size) {
    if (size && count > SIZE_MAX / size) cli_fail("out of memory: %zu x %zu bytes", count, size);
    const size_t bytes = count * size;
    memory = realloc(memory, bytes ? bytes : 1);
    if (!memory) cli_fail("out of memory: %zu bytes", bytes);
    return memory;
}

void *cli_alloc(size_t count, size_t size) {
    return cli_realloc(NULL, count, size);
}

char *cli_format(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    const int length = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = cli_alloc((size_t)length + 1, 1);
    va_start(arguments, format);
    vsnprintf(text, (size_t)length + 1, format, arguments);
    va_end(arguments);
    return text;
}

/* --- Outputs --- */

/* What may not be replaced by another file is written to directly: /dev/stdout, a pipe. */
static int is_device(const char *path) {
    struct stat status;
    if (stat(path, &status) != 0) return 0;
    if (S_ISDIR(status.st_mode)) cli_fail("%s: is a folder", path);
    return !S_ISREG(status.st_mode);
}

CLI_NORETURN static void cannot_write(const char *path) {
    cli_fail("%s: cannot write: %s", path, strerror(errno));
}

void output_open(output *out, const char *path) {
    watch_signals();
    const int direct = is_device(path);
    char *real = realpath(path, NULL); /* a symbolic link stays one */
    out->path = cli_format("%s", real ? real : path);
    out->temporary = direct ? NULL : cli_format("%s.%ld.part", out->path, (long)getpid());
    free(real);
    if (out->temporary) cli_unfinished(out->temporary);
    const int flags = direct ? O_WRONLY : O_WRONLY | O_CREAT | O_TRUNC;
    const int descriptor = open(direct ? path : out->temporary, flags, 0666);
    out->file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (!out->file) cannot_write(path);
}

void output_write(output *out, const void *bytes, size_t size) {
    if (fwrite(bytes, 1, size, out->file) != size) cannot_write(out->path);
}

void output_seek(output *out, uint64_t offset) {
    if (fseeko(out->file, (off_t)offset, SEEK_SET)) cannot_write(out->path);
}

void output_flush(output *out) {
    if (fflush(out->file)) cannot_write(out->path);
}

void output_sync(output *out) {
    output_flush(out);
    if (out->temporary && fsync(fileno(out->file))) cannot_write(out->path);
}

void output_close(output *out) {
    if (fclose(out->file)) cannot_write(out->path);
    if (out->temporary) {
        if (rename(out->temporary, out->path)) cannot_write(out->path);
        cli_finished(out->temporary);
    }
    free(out->temporary);
    free(out->path);
}

/* An earlier write that failed leaves only the file's error flag: another one brings its reason back. */
void cli_end_stdout(void) {
    const int failed_before = ferror(stdout);
    errno = 0;
    if (failed_before) putchar('\n');
    if (fflush(stdout) || failed_before) cli_fail("standard output: cannot write: %s", strerror(errno ? errno : EIO));
}

static void make_one_folder(const char *path) {
    struct stat status;
    if (stat(path, &status) == 0 && S_ISDIR(status.st_mode)) return;
    new_folder *f = cli_alloc(1, sizeof *f);
    *f = (new_folder){cli_format("%s", path), new_folders};
    if (mkdir(path, 0777)) cli_fail("%s: cannot create the folder: %s", path, strerror(errno));
    new_folders = f;
}

void cli_make_folder(const char *path) {
    char *part = cli_format("%s", path);
    watch_signals();
    for (size_t end = 1; end <= strlen(path); end++) {
        if (path[end] != '/' && path[end] != '\0') continue;
        part[end] = '\0';
        make_one_folder(part);
        part[end] = path[end];
    }
    free(part);
    if (access(path, W_OK)) cli_fail("%s: cannot write into the folder: %s", path, strerror(errno));
}

/* --- Progress --- */

double cli_seconds(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + 1e-9 * (double)now.tv_nsec;
}

void progress_start(progress *p, const char *what, double total) {
    *p = (progress){.what = what, .total = total, .start = cli_seconds(), .visible = isatty(STDERR_FILENO)};
}

void progress_update(progress *p, double done) {
    const double now = cli_seconds(), patience = 2, interval = 0.2;
    if (!p->visible || now - p->start < patience || now - p->shown < interval || done <= 0) return;
    const double rate = done / (now - p->start);
    fprintf(stderr, "\r%s: %.0f of %.0f, %.3g per second, %.0f s left\033[K", p->what, done, p->total, rate,
            (p->total - done) / rate);
    p->shown = now;
    progress_visible = 1;
}

void progress_end(progress *p) {
    if (p->shown > 0) fputs("\r\033[K", stderr);
    progress_visible = 0;
}

/* --- Whole files --- */

/* A pipe's end is only known when it is reached. */
static file_view read_stream(const char *path, int descriptor) {
    unsigned char *data = NULL;
    size_t size = 0, space = 0;
    for (;;) {
        if (size == space) data = cli_realloc(data, space = space ? 2 * space : 65536, 1);
        const ssize_t got = read(descriptor, data + size, space - size);
        if (got < 0) cli_fail("%s: cannot read: %s", path, strerror(errno));
        if (got == 0) return (file_view){data, size, 0};
        size += (size_t)got;
    }
}

file_view file_view_open(const char *path) {
    struct stat status;
    const int descriptor = open(path, O_RDONLY);
    if (descriptor < 0 || fstat(descriptor, &status)) cli_fail("%s: cannot read: %s", path, strerror(errno));
    if (S_ISDIR(status.st_mode)) cli_fail("%s: is a folder, not a file", path);
    if (S_ISCHR(status.st_mode) || S_ISBLK(status.st_mode)) cli_fail("%s: is a device, not a file", path);
    void *data = MAP_FAILED;
    if (S_ISREG(status.st_mode) && status.st_size > 0 && (uintmax_t)status.st_size <= SIZE_MAX)
        data = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, descriptor, 0);
    const file_view view =
        data == MAP_FAILED ? read_stream(path, descriptor) : (file_view){data, (size_t)status.st_size, 1};
    close(descriptor);
    return view;
}

void file_view_close(file_view *view) {
    if (view->mapped)
        munmap((void *)(uintptr_t)view->data, view->size);
    else
        free((void *)(uintptr_t)view->data);
    *view = (file_view){0};
}
