/* npydiff.c - compares two arrays: npydiff A.npy B.npy TOLERANCE. Fails if the shapes differ, if the largest difference
   exceeds TOLERANCE times the range of B or if A holds what is not a number. Prints the difference over the range. */
#include "../tools/base/npy.h"

#include <math.h>
#include <stdlib.h>

int main(int argc, char **argv) {
    npy a, b;
    if (argc != 4) cli_usage("npydiff A.npy B.npy TOLERANCE");
    const double tolerance = cli_number("TOLERANCE", argv[3], 0, 1e9);
    npy_read(argv[1], &a);
    npy_read(argv[2], &b);
    npy_expect(&a, argv[1], argv[2], b.dimensions, b.shape);

    double least = INFINITY, most = -INFINITY, difference = 0;
    for (size_t i = 0; i < b.count; i++) {
        const double d = fabs((double)a.values[i] - (double)b.values[i]);
        least = fmin(least, (double)b.values[i]);
        most = fmax(most, (double)b.values[i]);
        if (!(d <= difference)) difference = isnan(d) ? INFINITY : d;
    }
    const double share = difference > 0 ? difference / (most - least) : 0;
    printf("%.3g\n", share);
    free(a.values);
    free(b.values);
    return share <= tolerance ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}
