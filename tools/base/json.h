/* json.h - prints JSON to standard output. */
#ifndef JSON_H
#define JSON_H

#include <stddef.h>

/* With quotation marks; what is not UTF-8 becomes the replacement character. */
void json_text(const char *text, size_t size);
void json_number(double value); /* null if it is not finite */

#endif
