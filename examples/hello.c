/* hello.c - a portrait from a seed.
   cc -O2 examples/hello.c -o hello -lm && ./hello ffhq.sgw 85 portrait.ppm */
#include <stdio.h>
#include <stdlib.h>

#define STYLEGAN_IMPLEMENTATION
#include "../stylegan.h"

int main(int argc, char **argv) {
    stylegan_error error;
    if (argc != 4) return fprintf(stderr, "usage: hello MODEL.sgw SEED OUT.ppm\n"), 2;

    stylegan_model *model = stylegan_open_file(argv[1], NULL, &error);
    if (!model) return fprintf(stderr, "hello: %s\n", error.message), 1;
    const stylegan_config *config = stylegan_describe(model);
    const size_t size = (size_t)config->height * (size_t)config->width * (size_t)config->channels;
    unsigned char *rgb = malloc(size);
    if (!rgb) return fprintf(stderr, "hello: out of memory\n"), 1;

    char *end;
    const unsigned long seed = strtoul(argv[2], &end, 10);
    if (end == argv[2] || *end || seed > UINT32_MAX) return fprintf(stderr, "hello: %s is no seed\n", argv[2]), 2;
    if (stylegan_generate(model, (uint32_t)seed, 0.7f, rgb, &error))
        return fprintf(stderr, "hello: %s\n", error.message), 1;

    FILE *file = fopen(argv[3], "wb");
    if (!file) return perror(argv[3]), 1;
    fprintf(file, "P%d %d %d 255\n", config->channels == 1 ? 5 : 6, config->width, config->height); /* grey or RGB */
    const int whole = fwrite(rgb, 1, size, file) == size;
    if (fclose(file) || !whole) return perror(argv[3]), 1;
    free(rgb);
    stylegan_close(model);
    return 0;
}
