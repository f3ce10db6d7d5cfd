/* second_unit.c - a second file of a program: includes the header twice, beside the one with the implementation. */
#include "stylegan.h"
#include "stylegan.h"

const char *second_unit_text(void);
const char *second_unit_text(void) {
    return stylegan_result_text(STYLEGAN_OK);
}
