/* test_seeds.c - latents against NumPy's, random noise against fixed values: test_seeds SEEDS.npy. */
#include "../tools/base/npy.h"
#include "reference.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static void check_latents(const char *path) {
    static const uint32_t seeds[] = {0, 1, 85, 4294967295u};
    npy expected;
    npy_read(path, &expected);
    npy_expect(&expected, path, "seeds", 2, (const int64_t[2]){4, 16});
    for (int i = 0; i < 4; i++) {
        float z[16];
        double exact[16];
        reference_seed_z(seeds[i], exact, 16);
        for (int j = 0; j < 16; j++) z[j] = (float)exact[j];
        test_check(test_same(z, expected.values + 16 * i, 16), "seeds %u: by the reference", (unsigned)seeds[i]);
        for (int count = 1; count <= 16; count += 5) {
            stylegan_seed_z(seeds[i], z, count);
            test_check(test_same(z, expected.values + 16 * i, (size_t)count), "seeds %u: the first %d values",
                       (unsigned)seeds[i], count);
        }
    }
    free(expected.values);
}

static void check_noise(void) {
    enum { COUNT = 100000 };
    static float whole[COUNT], part[COUNT];
    stylegan_random_normal(7, 3, 0, whole, COUNT);
    double sum = 0, squares = 0, products = 0, largest = 0;
    for (int i = 0; i < COUNT; i++) {
        sum += (double)whole[i];
        squares += (double)whole[i] * (double)whole[i];
        products += i ? (double)whole[i] * (double)whole[i - 1] : 0;
        largest = fmax(largest, fabs((double)whole[i]));
    }
    test_check(fabs(sum / COUNT) < 0.02 && fabs(squares / COUNT - 1) < 0.02 && fabs(products / COUNT) < 0.02 &&
                   largest > 3.5 && largest < 7,
               "random noise: mean %.4f, variance %.4f, correlation of neighbours %.4f, largest %.2f", sum / COUNT,
               squares / COUNT, products / COUNT, largest);
    for (int start = 0; start < COUNT; start += 12345) {
        int count = start + 997 < COUNT ? 997 : COUNT - start;
        stylegan_random_normal(7, 3, (uint64_t)start, part, count);
        test_check(test_same(part, whole + start, (size_t)count), "random noise: values from %d on are the same alone",
                   start);
    }
    stylegan_random_normal(7, 4, 0, part, COUNT);
    test_check(!test_same(part, whole, 16), "random noise: layers differ");
    stylegan_random_normal(8, 3, 0, part, COUNT);
    test_check(!test_same(part, whole, 16), "random noise: seeds differ");
    stylegan_random_normal(7, 3, 0xFFFFFFFFFFu, part, 8);
    test_check(!test_same(part, whole, 8), "random noise: streams are long");
}

/* The stream is part of the interface: these values may never change, on any platform. */
static void check_stream(void) {
    static const float early[4] = {-0.656331599f, 1.76255202f, -0.473274916f, -0.185187608f};
    static const float late[4] = {-0.0185851064f, -1.2794646f, -0.261120826f, -0.536119998f};
    float values[4];
    stylegan_random_normal(1, 0, 0, values, 4);
    test_check(test_same(values, early, 4), "random noise: the stream's first values");
    stylegan_random_normal(UINT64_MAX, 17, (uint64_t)1 << 32, values, 4);
    test_check(test_same(values, late, 4), "random noise: the stream far out");
}

int main(int argc, char **argv) {
    if (argc != 2) cli_usage("test_seeds SEEDS.npy");
    check_latents(argv[1]);
    check_noise();
    check_stream();
    return test_end();
}
