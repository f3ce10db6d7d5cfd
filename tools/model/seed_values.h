/* seed_values.h - numbers that somebody gives to the pictures of seeds: lines seed<TAB>value<TAB>... A first line whose first
   field is no number names the values. */
#ifndef SEED_VALUES_H
#define SEED_VALUES_H

#include <stddef.h>
#include <stdint.h>

typedef struct seed_values {
    int count, columns;
    uint32_t *seeds; /* [count] */
    double *values;  /* [count][columns], finite */
    char **names;    /* [columns], or NULL */
} seed_values;

/* NULL, or what is wrong, which the caller frees; the other ends the program. Both leave what seed_values_free frees. */
char *seed_values_parse(seed_values *v, const unsigned char *bytes, size_t size);
void seed_values_read(seed_values *v, const char *path);
void seed_values_free(seed_values *v);

#endif
