/* stop.c - see stop.h. */
#include "stop.h"
#include "cli.h"
#include "system.h"

#include <signal.h>
#include <time.h>

static volatile sig_atomic_t asked;
static volatile time_t asked_at;

/* (`timeout` sends its signal twice in a row.) */
static void note_signal(int signal_number) {
    const time_t now = time(NULL);
    if (asked && now > asked_at + 1) cli_end_by_signal(signal_number); /* ends as soon as this handler returns */
    if (asked) return;
    asked_at = now;
    asked = signal_number;
}

void stop_when_asked(void) {
    system_to_stop(note_signal);
}

int stop_asked(void) {
    return asked;
}
