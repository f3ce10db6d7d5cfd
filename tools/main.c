/* main.c - the command line: finds the command. */
#include "../stylegan.h"
#include "base/cli.h"
#include "base/system.h"

#include <string.h>

extern const cli_command convert_command, generate_command, map_command, mix_command, info_command, bench_command,
    train_command, evaluate_command, portraits_command, pack_command, directions_command, edit_command, video_command,
    embed_command, project_command, factors_command;

static const cli_command *const commands[] = {
    &convert_command,  &generate_command, &mix_command,       &video_command, &map_command,   &directions_command,
    &edit_command,     &project_command,  &info_command,      &bench_command, &embed_command, &train_command,
    &evaluate_command, &factors_command,  &portraits_command, &pack_command};
enum { COMMANDS = sizeof commands / sizeof *commands };

static int print_help(void) {
    printf("stylegan - StyleGAN, StyleGAN 2, 2-ADA and 3 without Python\n\n"
           "Usage: stylegan COMMAND ...\n\nCommands:\n");
    for (int i = 0; i < COMMANDS; i++) printf("  %-12s%s\n", commands[i]->name, commands[i]->summary);
    printf("\nA first picture:\n"
           "  stylegan convert ffhq.pkl ffhq.sgw\n"
           "  stylegan generate ffhq.sgw --seeds 85 --trunc 0.7\n\n"
           "`stylegan COMMAND --help` lists a command's flags and shows examples.\n");
    return CLI_EXIT_OK;
}

static int print_version(void) {
    printf("stylegan %s, instruction sets:", stylegan_version());
    for (int i = STYLEGAN_ISA_AUTO + 1; i < STYLEGAN_ISA_COUNT; i++)
        if (stylegan_isa_available((stylegan_isa)i)) printf(" %s", stylegan_isa_name((stylegan_isa)i));
    printf("\n");
    return CLI_EXIT_OK;
}

static const cli_command *find_command(const char *name) {
    for (int i = 0; i < COMMANDS; i++)
        if (strcmp(name, commands[i]->name) == 0) return commands[i];
    return NULL;
}

/* What was meant by a first word that is no command: flags or a file before it, or one mistyped. */
CLI_NORETURN static void refuse(int argc, char **argv) {
    const char *name = argv[1];
    near_miss miss = {.typed = name};
    for (int i = 2; i < argc; i++)
        if (find_command(argv[i])) cli_usage("%s: the command comes first: stylegan %s ...", name, argv[i]);
    if (strchr(name, '.') || strchr(name, '/'))
        cli_usage("%s: a command comes first, such as: stylegan info %s", name, name);
    for (int i = 0; i < COMMANDS; i++) near_miss_try(&miss, commands[i]->name);
    cli_usage("unknown command %s%s `stylegan --help` lists the commands", name,
              miss.name ? near_miss_text(&miss) : ";");
}

static int is_help(const char *word) {
    return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

static int run_command(int argc, char **argv) {
    char help[] = "--help", *only_help[] = {help};
    if (argc < 2) cli_usage("no command; `stylegan --help` lists the commands");
    const cli_command *command = find_command(argv[1]), *helped = argc > 2 ? find_command(argv[2]) : NULL;
    if (command) return command->run(argc - 2, argv + 2);
    if (is_help(argv[1])) return helped ? helped->run(1, only_help) : print_help();
    if (strcmp(argv[1], "--version") == 0) return print_version();
    refuse(argc, argv);
}

int main(int argc, char **argv) {
    system_start(&argc, &argv);
    const int status = run_command(argc, argv);
    cli_end_stdout();
    return status;
}
