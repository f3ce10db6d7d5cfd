/* cli.c - what every command of the tool shares: see cli.h. */
#define _POSIX_C_SOURCE 200809L
#include "cli.h"
#include "system.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
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
    system_close_all();
    for (int i = 0; i < MAX_UNFINISHED; i++)
        if (unfinished[i]) system_remove(unfinished[i]);
    for (const new_folder *f = new_folders; f; f = f->before)
        system_remove_folder(f->path); /* leaves those that hold finished files */
}

void cli_end_by_signal(int signal_number) {
    remove_unfinished();
    signal(signal_number, SIG_DFL);
    raise(signal_number);
}

static void watch_signals(void) {
    static int watching;
    if (!watching++) system_before_end(cli_end_by_signal);
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
static const char *own_name; /* among others */
static void (*end_others)(int status);

void cli_work_with_others(const char *name, void (*end)(int status)) {
    own_name = name;
    end_others = end;
}

/* Messages quote names from files: control characters must neither break the line nor reach the terminal. */
static void print_line(char *line) {
    for (char *at = line; *at; at++)
        if (iscntrl((unsigned char)*at)) *at = '?';
    fprintf(stderr, "%sstylegan: %s%s%s\n", progress_visible ? "\r\033[K" : "", own_name ? own_name : "",
            own_name ? ": " : "", line);
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

void cli_end(int status) {
    remove_unfinished();
    if (end_others) end_others(status);
    exit(status);
}

void cli_fail(const char *format, ...) {
    SAY(format);
    cli_end(CLI_EXIT_FAILED);
}

void cli_usage(const char *format, ...) {
    SAY(format);
    cli_end(CLI_EXIT_USAGE);
}

void cli_note(const char *format, ...) {
    if (own_name) return;
    SAY(format);
}

void cli_tell(const char *format, ...) {
    if (own_name || !system_is_terminal(stderr)) return;
    SAY(format);
}

/* --- Arguments --- */

/* In lines that a terminal holds, all beginning at `column`, where the first begins already. */
static void print_wrapped(const char *text, int column) {
    enum { WIDTH = 118 };
    for (int at = column; *text; text += strspn(text, " ")) {
        const int length = (int)strcspn(text, " ");
        if (at > column && at + 1 + length > WIDTH) {
            printf("\n%*s", column, "");
            at = column;
        }
        at += printf(at > column ? " %.*s" : "%.*s", length, text);
        text += length;
    }
    printf("\n");
}

static void print_help(const cli_command *command, const cli_flag *flags) {
    enum { COLUMN = 26 };
    printf("stylegan %s - %s\n\nUsage: stylegan %s %s%s\n", command->name, command->summary, command->name,
           command->arguments, flags->name ? " [flags]" : "");
    if (flags->name) printf("\nFlags:\n");
    for (const cli_flag *flag = flags; flag->name; flag++) {
        const int used = printf("  %s %s", flag->name, flag->argument ? flag->argument : "");
        printf("%*s", used < COLUMN ? COLUMN - used : 2, "");
        print_wrapped(flag->help, COLUMN);
    }
    if (command->examples) printf("\nExamples:\n");
    for (const char *at = command->examples; at && *at; at += strspn(at, "\n")) {
        const int length = (int)strcspn(at, "\n");
        printf("  %.*s\n", length, at);
        at += length;
    }
}

static int least(int a, int b) {
    return a < b ? a : b;
}

/* Letters to insert, leave out or replace until one name is the other (Levenshtein). */
static int edit_distance(const char *a, const char *b) {
    enum { LONGEST = 63 };
    const size_t width = strlen(b);
    int row[LONGEST + 1];
    if (width > LONGEST) return LONGEST;
    for (size_t j = 0; j <= width; j++) row[j] = (int)j;
    for (size_t i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = (int)i;
        for (size_t j = 1; j <= width; j++) {
            const int replaced = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            row[j] = least(replaced, 1 + least(row[j], row[j - 1]));
        }
    }
    return row[width];
}

/* Whether words of a name are, or begin with, a text: gamma in r1-gamma, out in outdir. */
static int has_word(const char *name, const char *text) {
    for (const char *at = strstr(name, text); at; at = strstr(at + 1, text))
        if (at == name || at[-1] == '-') return 1;
    return 0;
}

static int holds(const char *typed, const char *name) {
    enum { SHORTEST = 3 };
    typed += strspn(typed, "-");
    name += strspn(name, "-");
    return (strlen(typed) >= SHORTEST && has_word(name, typed)) || (strlen(name) > SHORTEST && has_word(typed, name));
}

void near_miss_try(near_miss *miss, const char *name) {
    const int distance = holds(miss->typed, name) ? 1 : edit_distance(miss->typed, name);
    if (distance > 1 + (int)strlen(miss->typed) / 5 || (miss->name && distance >= miss->distance)) return;
    miss->name = name;
    miss->distance = distance;
}

const char *near_miss_text(const near_miss *miss) {
    return miss->name ? cli_format("; did you mean %s?", miss->name) : "";
}

static const cli_flag *find_flag(const cli_command *command, const cli_flag *flags, const char *name, size_t length) {
    char *typed = cli_format("%.*s", (int)length, name);
    near_miss miss = {.typed = typed};
    for (char *at = typed; *at; at++)
        if (*at == '_') *at = '-'; /* --projected_w, as the official README has it */
    for (const cli_flag *flag = flags; flag->name; flag++) {
        if (strcmp(flag->name, typed) == 0) {
            free(typed);
            return flag;
        }
        near_miss_try(&miss, flag->name);
    }
    cli_usage("unknown flag %s%s `stylegan %s --help` lists the flags", miss.typed,
              miss.name ? near_miss_text(&miss) : ";", command->name);
}

/* Whoever asks for help gets it, whatever else is on the line. */
int cli_asks_help(int argc, char **argv) {
    for (int i = 0; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return 1;
    return 0;
}

int cli_parse(const cli_command *command, const cli_flag *flags, int argc, char **argv, const char **positional,
              int least, int most) {
    int count = 0, flags_end = 0;
    if (cli_asks_help(argc, argv)) {
        print_help(command, flags);
        cli_end_stdout();
        exit(CLI_EXIT_OK);
    }
    for (int i = 0; i < argc; i++) {
        const char *text = argv[i];
        if (!*text) cli_usage("an argument is empty; `stylegan %s --help` shows the usage", command->name);
        if (flags_end || text[0] != '-' || text[1] == '\0') {
            if (count == most)
                cli_usage("unexpected argument %s; `stylegan %s --help` shows the usage", text, command->name);
            positional[count++] = text;
        } else if (strcmp(text, "--") == 0) {
            flags_end = 1;
        } else {
            const size_t length = strcspn(text, "=");
            const cli_flag *flag = find_flag(command, flags, text, length);
            const char *value = text[length] ? text + length + 1 : NULL;
            if (!flag->argument && value) cli_usage("%s takes no value", flag->name);
            if (flag->argument && !value && i + 1 < argc && strncmp(argv[i + 1], "--", 2) != 0) value = argv[++i];
            if (flag->argument && (!value || !*value))
                cli_usage("%s needs a value: %s %s", flag->name, flag->name, flag->argument);
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
        cli_usage("%s %s: not a number%s", flag, text, strchr(text, ',') ? " (the decimal point is a point)" : "");
    if (value < least || value > most) cli_usage("%s %s: must be from %g to %g", flag, text, least, most);
    return value;
}

int64_t cli_bytes(const char *flag, const char *text) {
    static const char units[] = "KMG";
    const size_t digits = strspn(text, "0123456789");
    const char *unit = text[digits] ? strchr(units, text[digits]) : NULL;
    if (!digits || (text[digits] && (!unit || text[digits + 1])))
        cli_usage("%s %s: not a size such as 64M (bytes, or with K, M or G)", flag, text);
    const int shift = unit ? 10 * (int)(unit - units + 1) : 0;
    char *number = cli_format("%.*s", (int)digits, text);
    const int64_t bytes = cli_integer(flag, number, 1, INT64_MAX >> shift) * ((int64_t)1 << shift);
    free(number);
    return bytes;
}

/* "0,7" is a list of two whole numbers, but hardly meant so. */
static void warn_of_decimal_comma(const char *flag, const char *text, const double *values, int count) {
    const char *comma = strchr(text, ',');
    if (count != 2 || !comma || strspn(text, "-0123456789,") != strlen(text) || comma[1] == '-') return;
    cli_note("%s %s: two values, %g and %g; if one is meant: %.*s.%s", flag, text, values[0], values[1],
             (int)(comma - text), text, comma + 1);
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
    warn_of_decimal_comma(flag, text, values, *count);
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

enum { LARGE = 4 << 20 }; /* bytes */

void *cli_realloc(void *memory, size_t count, size_t size) {
    if (size && count > SIZE_MAX / size) cli_fail("out of memory: %zu x %zu bytes", count, size);
    const size_t bytes = count * size;
    memory = realloc(memory, bytes ? bytes : 1);
    if (!memory) cli_fail("out of memory: %zu bytes", bytes);
    if (bytes >= LARGE) system_advise_large_pages(memory, bytes);
    return memory;
}

void *cli_alloc(size_t count, size_t size) {
    return cli_realloc(NULL, count, size);
}

char *cli_format_list(const char *format, va_list arguments) {
    va_list again;
    va_copy(again, arguments);
    const int length = vsnprintf(NULL, 0, format, arguments);
    char *text = cli_alloc((size_t)length + 1, 1);
    vsnprintf(text, (size_t)length + 1, format, again);
    va_end(again);
    return text;
}

const char *cli_file_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? slash + 1 : path;
}

/* The path of a file, which need not be there, without links and dots: the same for every way to it. */
static char *resolve(const char *path, int links) {
    const int folder_length = (int)(cli_file_name(path) - path);
    char *real = system_real_path(path), *target = real ? NULL : system_link_target(path);
    if (target) { /* the link leads to nothing yet */
        if (!links) cli_fail("%s: cannot write: %s", path, strerror(ELOOP));
        char *next = target[0] == '/' ? cli_format("%s", target) : cli_format("%.*s%s", folder_length, path, target);
        real = resolve(next, links - 1);
        free(next);
        free(target);
    }
    if (real) return real;
    char *folder = cli_format("%.*s.", folder_length, path), *real_folder = system_real_path(folder);
    real = real_folder ? cli_format("%s/%s", real_folder, path + folder_length) : cli_format("%s", path);
    free(real_folder);
    free(folder);
    return real;
}

static char *real_path(const char *path) {
    enum { MOST_LINKS = 40 };
    return resolve(path, MOST_LINKS);
}

int cli_same_file(const char *a, const char *b) {
    char *real_a = real_path(a), *real_b = real_path(b);
    const int same = strcmp(real_a, real_b) == 0;
    free(real_a);
    free(real_b);
    return same;
}

/* What links lead to from the first of a path, its folder, the folder of that, ... that is there. */
static char *real_beginning(const char *path) {
    char *at = cli_format("%s", path), *real, *slash;
    while (!(real = system_real_path(at)) && at[1] && (slash = strrchr(at, '/')) != NULL) slash[slash == at] = 0;
    free(at);
    return real ? real : system_real_path(".");
}

int cli_lies_in(const char *path, const char *folder) {
    char *real = real_beginning(path), *real_folder = system_real_path(folder);
    const char *inner = real ? real : path, *outer = real_folder ? real_folder : folder;
    const size_t length = strlen(outer);
    const int inside = strncmp(inner, outer, length) == 0 && (!inner[length] || inner[length] == '/');
    free(real_folder);
    free(real);
    return inside;
}

char *cli_format(const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    char *text = cli_format_list(format, arguments);
    va_end(arguments);
    return text;
}

/* --- Inputs: what is read, which no output replaces --- */

typedef struct input {
    char *path;
    struct input *next; /* of the same hash */
} input;

enum { HASHES = 1 << 16 }; /* folders hold many pictures */
static input *inputs[HASHES];
static pthread_mutex_t inputs_lock = PTHREAD_MUTEX_INITIALIZER; /* which several threads read */

/* Where it is, or belongs. */
static input **find_input(const char *path) {
    uint32_t hash = 2166136261; /* FNV-1a */
    for (const char *at = path; *at; at++) hash = (hash ^ (unsigned char)*at) * 16777619;
    input **place = &inputs[hash % HASHES];
    while (*place && strcmp((*place)->path, path) != 0) place = &(*place)->next;
    return place;
}

void input_remember(const char *path) {
    char *real = real_path(path);
    pthread_mutex_lock(&inputs_lock);
    input **place = find_input(real);
    if (*place) {
        free(real);
    } else {
        *place = cli_alloc(1, sizeof **place);
        **place = (input){real, NULL};
    }
    pthread_mutex_unlock(&inputs_lock);
}

/* --- Outputs --- */

/* What may not be replaced by another file is written to directly: /dev/stdout, a pipe. */
static int is_device(const char *path) {
    const system_kind kind = system_kind_of(path);
    if (kind == SYSTEM_FOLDER) cli_fail("%s: is a folder", path);
    return kind == SYSTEM_DEVICE || kind == SYSTEM_PIPE;
}

CLI_NORETURN static void cannot_write(const char *path) {
    cli_fail("%s: cannot write: %s", path, strerror(errno));
}

/* Of the file that will be replaced or made; NULL for a device. */
static char *output_path(const char *path) {
    if (is_device(path)) return NULL;
    char *real = real_path(path);
    if (*find_input(real)) cli_usage("%s: would be overwritten, but is read", path);
    return real;
}

void output_check(const char *path) {
    char *real = strcmp(path, "-") == 0 ? NULL : output_path(path);
    if (!real) return;
    char *folder = cli_format("%.*s.", (int)(cli_file_name(real) - real), real);
    if (!system_can_write_into(folder)) cannot_write(path);
    free(folder);
    free(real);
}

/* PATH.PROCESS.part, without the end of a name that leaves no room for it. */
static char *temporary_path(const char *path) {
    enum { LONGEST_NAME = 255 }; /* bytes */
    const char *name = cli_file_name(path);
    char *end = cli_format(".%ld.part", system_process());
    size_t length = strlen(name);
    if (length <= LONGEST_NAME && length + strlen(end) > LONGEST_NAME) {
        length = LONGEST_NAME - strlen(end);
        while (length && (name[length] & 0xC0) == 0x80) length--; /* not within a letter */
    }
    char *temporary = cli_format("%.*s%s", (int)(name - path) + (int)length, path, end);
    free(end);
    return temporary;
}

void output_open(output *out, const char *path) {
    *out = (output){0};
    watch_signals();
    if (strcmp(path, "-") == 0)
        cli_usage("-: only arrays and videos go to standard output; a file of this name is ./-");
    char *real = output_path(path); /* a symbolic link stays one */
    const int direct = !real;
    out->path = direct ? cli_format("%s", path) : real;
    out->temporary = direct ? NULL : temporary_path(out->path);
    for (int i = 0; !direct && i < MAX_UNFINISHED; i++)
        if (unfinished[i] && strcmp(unfinished[i], out->temporary) == 0)
            cli_usage("%s: is the name of two outputs", path);
    if (out->temporary) cli_unfinished(out->temporary);
    const int flags = direct ? O_WRONLY : O_WRONLY | O_CREAT | O_TRUNC;
    const int descriptor = system_open(direct ? path : out->temporary, flags);
    out->file = descriptor < 0 ? NULL : fdopen(descriptor, "wb");
    if (!out->file) cannot_write(path);
    if (!direct) system_take_rights(descriptor, out->path);
}

void output_open_standard(output *out) {
    watch_signals();
    if (system_is_terminal(stdout)) cli_usage("-: standard output is a terminal, which cannot show this; redirect it");
    *out = (output){.file = fdopen(dup(fileno(stdout)), "wb"), .path = cli_format("standard output")};
    if (!out->file) cannot_write(out->path);
}

static void write_to_memory(output *out, const void *bytes, size_t size) {
    const size_t end = out->at + size;
    if (end > out->space) out->memory = cli_realloc(out->memory, out->space = end + end / 2, 1);
    memcpy(out->memory + out->at, bytes, size);
    out->at = end;
    if (out->size < end) out->size = end;
}

unsigned char *output_take_memory(output *out, size_t *size) {
    *size = out->size;
    return out->memory;
}

void output_write(output *out, const void *bytes, size_t size) {
    if (!out->file)
        write_to_memory(out, bytes, size);
    else if (fwrite(bytes, 1, size, out->file) != size)
        cannot_write(out->path);
}

void output_seek(output *out, uint64_t offset) {
    if (!out->file)
        out->at = (size_t)offset;
    else if (fseeko(out->file, (off_t)offset, SEEK_SET))
        cannot_write(out->path);
}

void output_flush(output *out) {
    if (fflush(out->file)) cannot_write(out->path);
}

void output_sync(output *out) {
    output_flush(out);
    if (out->temporary && system_sync(fileno(out->file))) cannot_write(out->path);
}

void output_close(output *out) {
    if (fclose(out->file)) cannot_write(out->path);
    if (out->temporary) {
        if (system_rename(out->temporary, out->path)) cannot_write(out->path);
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
    if (system_kind_of(path) == SYSTEM_FOLDER) return;
    new_folder *f = cli_alloc(1, sizeof *f);
    *f = (new_folder){cli_format("%s", path), new_folders};
    if (system_make_folder(path)) {
        const int why = errno;
        if (system_kind_of(path) == SYSTEM_FOLDER) return; /* another process was faster */
        cli_fail("%s: cannot create the folder: %s", path, strerror(why));
    }
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
    if (!system_can_write_into(path)) cli_fail("%s: cannot write into the folder: %s", path, strerror(errno));
}

/* --- Progress --- */

void progress_start(progress *p, const char *what, double total) {
    *p = (progress){
        .what = what, .total = total, .start = system_seconds(), .visible = !own_name && system_is_terminal(stderr)};
}

void progress_update(progress *p, double done) {
    const double now = system_seconds(), patience = 2, interval = 0.2;
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
static file_view read_stream(FILE *file) {
    unsigned char *data = NULL;
    size_t size = 0, space = 0;
    do {
        if (size == space) data = cli_realloc(data, space = space ? 2 * space : 65536, 1);
        size += fread(data + size, 1, space - size, file);
    } while (size == space);
    return (file_view){data, size, 0};
}

file_view file_view_open_own(const char *path) {
    uint64_t size;
    if (system_kind_of(path) == SYSTEM_FOLDER) cli_fail("%s: is a folder, not a file", path);
    const int descriptor = system_open(path, O_RDONLY);
    FILE *file = descriptor < 0 ? NULL : fdopen(descriptor, "rb");
    if (!file && strstr(path, "://")) cli_fail("%s: is an address: download the file first", path);
    if (!file) cli_fail("%s: cannot read: %s", path, strerror(errno));
    const system_kind kind = system_kind_of_open(descriptor, &size);
    if (kind == SYSTEM_DEVICE) cli_fail("%s: is a device, not a file", path);
    const void *data = kind == SYSTEM_FILE && size && size <= SIZE_MAX ? system_map(descriptor, (size_t)size) : NULL;
    const file_view view = data ? (file_view){data, (size_t)size, 1} : read_stream(file);
    if (ferror(file)) cli_fail("%s: cannot read: %s", path, strerror(errno));
    fclose(file);
    return view;
}

file_view file_view_open(const char *path) {
    const file_view view = file_view_open_own(path);
    input_remember(path);
    return view;
}

void file_view_close(file_view *view) {
    if (view->mapped)
        system_unmap(view->data, view->size);
    else
        free((void *)(uintptr_t)view->data);
    *view = (file_view){0};
}
