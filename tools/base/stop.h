/* stop.h - an orderly end when somebody asks for it, by Ctrl-C say. */
#ifndef STOP_H
#define STOP_H

/* From now on a signal is only noted; another one that follows seconds later ends the program at once. */
void stop_when_asked(void);

/* The signal, 0 as long as there was none. The exit status is then 128 + the signal, as shells report it. */
int stop_asked(void);

#endif
