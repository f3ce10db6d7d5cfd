/* cli.h - what every command of the tool shares: flags, messages, progress, files that appear whole or not at all. */
#ifndef CLI_H
#define CLI_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#ifdef __GNUC__
#ifdef __MINGW_PRINTF_FORMAT
#define CLI_PRINTF(text, first) __attribute__((format(__MINGW_PRINTF_FORMAT, text, first)))
#else
#define CLI_PRINTF(text, first) __attribute__((format(printf, text, first)))
#endif
#define CLI_NORETURN __attribute__((noreturn))
#else
#define CLI_PRINTF(text, first)
#define CLI_NORETURN
#endif

/* One flag. A switch has argument NULL; its value becomes "". `*value` keeps its default when the flag is absent. */
typedef struct cli_flag {
    const char *name;     /* "--trunc" */
    const char *argument; /* "PSI", or NULL */
    const char *help;     /* one line */
    const char **value;
} cli_flag;

/* One command: `run` gets the arguments after the command's name and returns the exit status. */
typedef struct cli_command {
    const char *name;      /* "generate" */
    const char *arguments; /* "MODEL": positional arguments, as the usage line shows them */
    const char *summary;   /* one line */
    const char *examples;  /* one command line per line */
    int (*run)(int argc, char **argv);
} cli_command;

enum { CLI_EXIT_OK = 0, CLI_EXIT_FAILED = 1, CLI_EXIT_USAGE = 2 };

/* Parses `argv`: flags (as "--flag value" or "--flag=value", terminated by a NULL name) anywhere, positional arguments
   in order into positional[], of which there must be least to most. --help prints the command's help to standard output
   and exits. Anything wrong ends the program with one line and CLI_EXIT_USAGE. Returns the number of positionals. */
int cli_parse(const cli_command *command, const cli_flag *flags, int argc, char **argv, const char **positional,
              int least, int most);

/* Whether the arguments ask for --help, which cli_parse prints. */
int cli_asks_help(int argc, char **argv);

/* Print "stylegan: <message>" on standard error, remove unfinished outputs and exit: for failures and for wrong usage. */
CLI_NORETURN void cli_fail(const char *format, ...) CLI_PRINTF(1, 2);
CLI_NORETURN void cli_usage(const char *format, ...) CLI_PRINTF(1, 2);
void cli_note(const char *format, ...) CLI_PRINTF(1, 2); /* a warning: goes on */
void cli_tell(const char *format, ...) CLI_PRINTF(1, 2); /* what was done: on a terminal only */

/* For one of several processes that work together. Its failures begin with its name, which stays the caller's, and its notes
   are left to the others; a failure calls `end` with the exit status before the process exits. NULL: as alone. */
void cli_work_with_others(const char *name, void (*end)(int status));

CLI_NORETURN void cli_end(int status); /* as a failure that another one has told of */

/* Of several names, the one that was meant. Start with {typed}, try each, then print near_miss_text: "; did you mean X?",
   or nothing if none is near. */
typedef struct near_miss {
    const char *typed, *name;
    int distance;
} near_miss;
void near_miss_try(near_miss *miss, const char *name);
const char *near_miss_text(const near_miss *miss);

/* Numbers as flags give them; anything but a whole number or a finite number in [least, most] ends the program. */
int64_t cli_integer(const char *flag, const char *text, int64_t least, int64_t most);
double cli_number(const char *flag, const char *text, double least, double most);

/* "64M" to 67108864: bytes, or with K, M or G behind them 1024, 1024^2 or 1024^3 of them; at least 1. */
int64_t cli_bytes(const char *flag, const char *text);

/* "-1,0,0.5" to {-1, 0, 0.5}, each in [least, most]; the caller frees them. Warns of what looks like a decimal comma. */
double *cli_numbers(const char *flag, const char *text, double least, double most, int *count);

/* "0-3,85" to {0, 1, 2, 3, 85}: at most `most` values; the caller frees them. */
uint32_t *cli_list(const char *flag, const char *text, int most, int *count);

/* malloc and realloc that end the program when memory is out. Sizes are checked for overflow: count * size. */
void *cli_alloc(size_t count, size_t size);
void *cli_realloc(void *memory, size_t count, size_t size);
char *cli_format(const char *format, ...) CLI_PRINTF(1, 2); /* allocated text */
const char *cli_file_name(const char *path);                /* without its folders; in path */
int cli_same_file(const char *a, const char *b);            /* which need not be there */
int cli_lies_in(const char *path, const char *folder);      /* or is it; path need not be there */
char *cli_format_list(const char *format, va_list arguments) CLI_PRINTF(1, 0);

/* A file written under a temporary name beside `path` and renamed when it is complete: output_open, then what follows,
   then output_close. Each ends the program if it fails, on a full disk say. A failure or a signal before the end
   removes the temporary file. A link stays one, and a file that is replaced hands on its rights. What the command has
   read is not opened, nor what is being written already. */
typedef struct output {
    FILE *file;             /* NULL: memory */
    char *path, *temporary; /* without links; PATH.PROCESS.part, or NULL for a device, which is written to directly */
    unsigned char *memory;
    size_t size, space, at; /* of the memory: what is written, allocated, and where the next byte goes */
} output;
void output_open(output *out, const char *path);
void output_check(const char *path);    /* before long work: ends the program if output_open would */
void output_open_standard(output *out); /* standard output, unless that is a terminal */
void output_write(output *out, const void *bytes, size_t size);
void output_seek(output *out, uint64_t offset);
void output_flush(output *out); /* what was written can be read */
void output_sync(output *out);  /* ... and survives a loss of power */
void output_close(output *out);

/* The same into memory: begin with an output of zeros, end with this, whose result the caller frees. */
unsigned char *output_take_memory(output *out, size_t *size);

/* Failures and signals remove the file `path` from now on, and no longer. The text stays the caller's. */
void cli_unfinished(const char *path);
void cli_finished(const char *path);

/* Removes what is unfinished and ends the program by this signal: for signal handlers. */
void cli_end_by_signal(int signal_number);

/* Ends the program if what was printed could not be written. */
void cli_end_stdout(void);

/* Creates a folder (and its parents) unless it is there; fails with a message if it cannot be written to. */
void cli_make_folder(const char *path);

/* A progress line with rate and time left on standard error: only on a terminal and only after two seconds.
   Call progress_update as often as convenient, progress_end once. */
typedef struct progress {
    const char *what; /* "images" */
    double total, start, shown;
    int visible;
} progress;
void progress_start(progress *p, const char *what, double total);
void progress_update(progress *p, double done);
void progress_end(progress *p);

/* A whole file mapped or read into memory. file_view_open ends the program if it cannot be read. From then on no output
   takes its place, unless it is the program's own: one that it has written before, and may write again. */
typedef struct file_view {
    const unsigned char *data;
    size_t size;
    int mapped;
} file_view;
file_view file_view_open(const char *path);
file_view file_view_open_own(const char *path);
void file_view_close(file_view *view);
void input_remember(const char *path); /* the same for a file that is read, or will be, in another way */

#endif
