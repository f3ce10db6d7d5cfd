/* animate.c - one person becomes another, and so on around to the first: the frames, one behind the other, as a pipe of
   pictures.
   cc -O2 examples/animate.c -o animate -lm && ./animate ffhq.sgw 85 100 75 | ffmpeg -f image2pipe -r 30 -i - people.mp4 */
#include <stdio.h>
#include <stdlib.h>
#ifdef _WIN32
#include <fcntl.h>
#include <io.h>
#endif

#define STYLEGAN_IMPLEMENTATION
#include "../stylegan.h"

enum { FRAMES = 30 }; /* from one person to the next */

/* Ends the program if `ok` is not true. */
static void check(int ok, const char *message) {
    if (ok) return;
    fprintf(stderr, "animate: %s\n", message);
    exit(1);
}

static void *allocate(size_t count, size_t size) {
    void *memory = malloc(count * size);
    check(memory != NULL, "out of memory");
    return memory;
}

int main(int argc, char **argv) {
    check(argc > 2, "usage: animate MODEL.sgw SEED... > frames.ppm");
    stylegan_error error;
    stylegan_model *model = stylegan_open_file(argv[1], NULL, &error);
    check(model != NULL, error.message);
    const stylegan_config *c = stylegan_describe(model);
    const int people = argc - 2;
    const size_t values = (size_t)c->num_ws * (size_t)c->w_dim;
    const size_t pixels = (size_t)c->height * (size_t)c->width, channels = (size_t)c->channels;

    /* From each seed to z, and from z to ws [num_ws][w_dim], the styles of the layers. */
    float *z = allocate((size_t)c->z_dim, sizeof *z), *ws = allocate((size_t)people * values, sizeof *ws);
    for (int i = 0; i < people; i++) {
        char *end;
        const unsigned long seed = strtoul(argv[2 + i], &end, 10);
        float *person = ws + (size_t)i * values;
        check(end != argv[2 + i] && !*end && seed <= UINT32_MAX, "seeds are whole numbers from 0 to 4294967295");
        stylegan_seed_z((uint32_t)seed, z, c->z_dim);
        check(!stylegan_map(model, z, NULL, 1, c->truncation_psi, c->truncation_cutoff, person, NULL, &error),
              error.message);
    }

    /* Between two ws lie those of people in between: w is made for that, z is not. */
    float *between = allocate(values, sizeof *between), *image = allocate(pixels * channels, sizeof *image);
    unsigned char *rgb = allocate(pixels, channels);
#ifdef _WIN32
    _setmode(_fileno(stdout), _O_BINARY); /* pictures are no text */
#endif
    for (int frame = 0; frame < people * FRAMES; frame++) {
        const int person = frame / FRAMES, next = (person + 1) % people;
        const float *from = ws + (size_t)person * values, *to = ws + (size_t)next * values;
        const float t = (float)(frame % FRAMES) / FRAMES, share = t * t * (3 - 2 * t); /* starts and ends gently */
        for (size_t i = 0; i < values; i++) between[i] = from[i] + share * (to[i] - from[i]);
        check(!stylegan_synthesize(model, between, 1, image, NULL, &error), error.message);
        stylegan_to_rgb8(image, c->channels, c->height, c->width, rgb);
        printf("P%d %d %d 255\n", channels == 1 ? 5 : 6, c->width, c->height); /* grey or RGB */
        check(fwrite(rgb, channels, pixels, stdout) == pixels, "cannot write the pictures");
    }
    check(!fflush(stdout), "cannot write the pictures");

    free(rgb), free(image), free(between), free(ws), free(z);
    stylegan_close(model);
    return 0;
}
