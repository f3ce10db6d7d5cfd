/* main.c - the command line: finds the command. */
#include "../stylegan.h"
#include "base/cli.h"
#include "base/system.h"

#include <string.h>

extern const cli_command convert_command, generate_command, map_command, mix_command, info_command, bench_command,
    train_command, evaluate_command, portraits_command, pack_command;

static const cli_command *const commands[] = {&convert_command,   &generate_command, &mix_command,   &map_command,
                                              &info_command,      &bench_command,    &train_command, &evaluate_command,
                                              &portraits_command, &pack_command};
enum { COMMANDS = sizeof commands / sizeof *commands };

static int print_help(void) {
    printf("stylegan - StyleGAN, StyleGAN 2, 2-ADA and 3 without Python\n\n"
           "Usage: stylegan COMMAND ...\n\nCommands:\n");
    for (int i = 0; i < COMMANDS; i++) printf("  %-10s%s\n", commands[i]->name, commands[i]->summary);
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

static int run_command(int argc, char **argv) {
    if (argc < 2) cli_usage("no command; `stylegan --help` lists the commands");
    const char *name = argv[1];
    if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0 || strcmp(name, "help") == 0) return print_help();
    if (strcmp(name, "--version") == 0) return print_version();
    near_miss miss = {.typed = name};
    for (int i = 0; i < COMMANDS; i++) {
        if (strcmp(name, commands[i]->name) == 0) return commands[i]->run(argc - 2, argv + 2);
        near_miss_try(&miss, commands[i]->name);
    }
    cli_usage("unknown command %s%s `stylegan --help` lists the commands", name,
              miss.name ? near_miss_text(&miss) : ";");
}

int main(int argc, char **argv) {
    system_start(&argc, &argv);
    const int status = run_command(argc, argv);
    cli_end_stdout();
    return status;
}
