/* port.h - what main.c asks of a board. Here all of it goes through the debugger or emulator (semihosting); on a product
   port_picture feeds the display, and port_print may do nothing. */
#ifndef PORT_H
#define PORT_H

#include <stddef.h>
#include <stdint.h>

void port_print(const char *text);                 /* to the console */
void port_picture(const void *bytes, size_t size); /* the next bytes of the file portrait.ppm */
uint32_t port_microseconds(void);                  /* since the start, for 71 minutes */
uint32_t port_stack(void);                         /* bytes of stack used so far, at most */

#endif
