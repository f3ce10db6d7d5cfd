/* npydiff.c - compares two arrays: npydiff A.npy B.npy TOLERANCE [RIGHT DOWN]. Fails if the shapes differ, if the largest
   difference exceeds TOLERANCE times the range of B or if A holds what is not a number. Prints the difference over the range.
   With RIGHT and DOWN, A should hold the images of B moved by so many pixels: an eighth at each border is left out. */
#include "../tools/base/npy.h"

#include <math.h>
#include <stdlib.h>

/* Whether a pixel of A, value i, came from a pixel of B; moves i there. */
static int find_source(const npy *b, int64_t right, int64_t down, size_t *i) {
    const int64_t height = b->shape[2], width = b->shape[3], x = (int64_t)*i % width, y = (int64_t)*i / width % height;
    const int64_t from_x = x - right, from_y = y - down, border_x = width / 8, border_y = height / 8;
    *i = (size_t)((int64_t)*i - down * width - right);
    return x >= border_x && x < width - border_x && from_x >= border_x && from_x < width - border_x && y >= border_y &&
           y < height - border_y && from_y >= border_y && from_y < height - border_y;
}

int main(int argc, char **argv) {
    npy a, b;
    if (argc != 4 && argc != 6) cli_usage("npydiff A.npy B.npy TOLERANCE [RIGHT DOWN]");
    const double tolerance = cli_number("TOLERANCE", argv[3], 0, 1e9);
    npy_read(argv[1], &a);
    npy_read(argv[2], &b);
    npy_expect(&a, argv[1], argv[2], b.dimensions, b.shape);
    if (argc == 6) npy_expect(&b, argv[2], "images", 4, (const int64_t[]){-1, -1, -1, -1});

    double least = INFINITY, most = -INFINITY, difference = 0;
    const int64_t right = argc == 6 ? cli_integer("RIGHT", argv[4], -1000, 1000) : 0;
    const int64_t down = argc == 6 ? cli_integer("DOWN", argv[5], -1000, 1000) : 0;
    for (size_t i = 0; i < b.count; i++) {
        size_t from = i;
        if (argc == 6 && !find_source(&b, right, down, &from)) continue;
        const double d = fabs((double)a.values[i] - (double)b.values[from]);
        least = fmin(least, (double)b.values[from]);
        most = fmax(most, (double)b.values[from]);
        if (!(d <= difference)) difference = isnan(d) ? INFINITY : d;
    }
    const double share = difference > 0 ? difference / (most - least) : 0;
    printf("%.3g\n", share);
    free(a.values);
    free(b.values);
    return share <= tolerance ? CLI_EXIT_OK : CLI_EXIT_FAILED;
}
