/* test_video.c - moving pictures:
     test_video spline SPLINE.npy                     frames between key frames as SciPy's, seeds shuffled as NumPy's
     test_video ws SPLINE.npy KEYS.npy FRAMES.npy     ws of frames, 8 from each of 6 key frames to the next
     test_video zs NAME OUT.npy                       writes the zs [8][48] of frames in that space: z between seeds 1 and
                                                      7, 4 frames from each to the other; circle about seed 7, 30 degrees
     test_video y4m|apng|raw FILE IMAGES.npy CxR [TOLERANCE]
                                                      frames of C x R images each, which generate has drawn; raw: RGB.
                                                      An apng with TOLERANCE has a palette: the mean of the differences
     test_video show TEXT PICTURE.png FACTOR          half blocks in 24-bit colour, each two pixels of the picture, which is
                                                      FACTOR times as large */
#include "../tools/base/crc32.h"
#include "../tools/base/npy.h"
#include "../tools/base/stb.h"
#include "../tools/model/shuffle.h"
#include "../tools/model/spline.h"
#include "test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- Key frames --- */

/* Rows of SPLINE.npy: the shares of 1, 2, 3 and 6 key frames at each eighth. */
enum { MOST = 6, STEPS = 8 };
static const int counts[] = {1, 2, 3, MOST};
enum { COUNTS = sizeof counts / sizeof *counts };

static npy read_splines(const char *path) {
    npy expected;
    npy_read(path, &expected);
    npy_expect(&expected, path, "splines", 2, (const int64_t[]){(1 + 2 + 3 + MOST) * STEPS, MOST});
    return expected;
}

static void check_spline(const float *row, int count) {
    double largest = 0, shares[MOST];
    for (int i = 0; i < count * STEPS; i++, row += MOST) {
        spline_weights(count, (double)i / STEPS, shares);
        for (int k = 0; k < count; k++) largest = fmax(largest, fabs(shares[k] - (double)row[k]));
    }
    test_check(largest < 1e-7, "spline through %d key frames: within %.2g of SciPy's", count, largest);
}

/* Longer than any reference: it passes through the key frames, and the curvature of the next one's share is the same
   before and behind each. */
static void check_long_spline(int count) {
    double *shares = cli_alloc((size_t)count, sizeof *shares), worst = 0, jump = 0;
    const double step = 1.0 / 1024;
    for (int i = 0; i < count; i++) {
        double values[5];
        for (int s = 0; s < 5; s++) {
            spline_weights(count, fmod(i + (s - 2) * step + count, count), shares);
            values[s] = shares[(i + 1) % count];
            for (int k = 0; s == 2 && k < count; k++) worst = fmax(worst, fabs(shares[k] - (k == i)));
        }
        const double before = values[0] - 2 * values[1] + values[2], behind = values[2] - 2 * values[3] + values[4];
        jump = fmax(jump, fabs(before - behind) / (step * step));
    }
    test_check(worst < 1e-12, "spline through %d key frames: passes through each, off by %.2g", count, worst);
    test_check(jump < 0.1, "spline through %d key frames: its curvature jumps by no more than %.2g", count, jump);
    free(shares);
}

/* numpy.arange(10) after RandomState(seed).shuffle */
static void check_shuffle(void) {
    static const struct {
        uint32_t seed, order[10];
    } numpy[] = {{0, {2, 8, 4, 9, 1, 6, 7, 3, 0, 5}},
                 {7, {8, 5, 0, 2, 1, 9, 7, 3, 6, 4}},
                 {4294967295u, {6, 9, 5, 1, 8, 0, 7, 4, 2, 3}}};
    for (size_t i = 0; i < sizeof numpy / sizeof *numpy; i++) {
        uint32_t order[10];
        for (uint32_t k = 0; k < 10; k++) order[k] = k;
        shuffle(order, 10, numpy[i].seed);
        test_check(memcmp(order, numpy[i].order, sizeof order) == 0, "shuffle %u: as NumPy's", (unsigned)numpy[i].seed);
    }
}

static void test_spline(char **files) {
    npy expected = read_splines(files[0]);
    const float *row = expected.values;
    for (int i = 0; i < COUNTS; row += counts[i++] * STEPS * MOST) check_spline(row, counts[i]);
    check_long_spline(32);
    check_long_spline(500);
    check_shuffle();
    free(expected.values);
}

static void test_ws(char **files) {
    npy spline = read_splines(files[0]), keys, frames;
    npy_read(files[1], &keys);
    npy_read(files[2], &frames);
    npy_expect(&keys, files[1], "key frames", 3, (const int64_t[]){MOST, -1, -1});
    npy_expect(&frames, files[2], "frames", 3, (const int64_t[]){MOST * STEPS, keys.shape[1], keys.shape[2]});
    const size_t size = keys.count / MOST;
    const float *row = spline.values + spline.count - (size_t)(MOST * STEPS * MOST);
    double largest = 0, range = 0;
    for (size_t i = 0; i < frames.count; i++) {
        double sum = 0;
        for (size_t k = 0; k < MOST; k++)
            sum += (double)row[i / size * MOST + k] * (double)keys.values[k * size + i % size];
        largest = fmax(largest, fabs(sum - (double)frames.values[i]));
        range = fmax(range, fabs(sum));
    }
    test_check(largest <= 1e-5 * range, "ws of every frame: within %.2g of SciPy's, of the largest", largest / range);
    free(spline.values);
    free(keys.values);
    free(frames.values);
}

/* --- Paths through z --- */

enum { Z = 48, FRAMES = 8 };
static const double turn = 6.28318530717958648;

/* The plane that a and b span has the axes a / |a| and what of b stands upright on it, in which b is (cos, sin) |b|. */
static void sphere(const float *a, const float *b, double share, float *z) {
    double aa = 0, ab = 0, bb = 0;
    for (int i = 0; i < Z; i++) {
        aa += (double)a[i] * (double)a[i];
        ab += (double)a[i] * (double)b[i];
        bb += (double)b[i] * (double)b[i];
    }
    const double angle = atan2(sqrt(aa * bb - ab * ab), ab);
    for (int i = 0; i < Z; i++)
        z[i] = (float)((sin((1 - share) * angle) * (double)a[i] + sin(share * angle) * (double)b[i]) / sin(angle));
}

static void write_zs(char **arguments) {
    const int circle = strcmp(arguments[0], "circle") == 0;
    float seeds[3 * Z], other[Z], zs[FRAMES * Z];
    stylegan_seed_z(7, seeds, 3 * Z);
    stylegan_seed_z(1, other, Z);
    for (int frame = 0; frame < FRAMES; frame++) {
        float *z = zs + frame * Z;
        const double angle = turn * frame / FRAMES, share = frame % (FRAMES / 2) / (FRAMES / 2.0);
        for (int i = 0; circle && i < Z; i++) /* cos(30 degrees) of the middle, half of the axes */
            z[i] = (float)(sqrt(0.75) * (double)seeds[i] + cos(angle) / 2 * (double)seeds[Z + i] +
                           sin(angle) / 2 * (double)seeds[2 * Z + i]);
        if (!circle) sphere(frame < FRAMES / 2 ? other : seeds, frame < FRAMES / 2 ? seeds : other, share, z);
    }
    npy_write(arguments[1], 2, (const int64_t[]){FRAMES, Z}, zs);
    test_check(1, "zs written");
}

/* --- Frames --- */

/* RGB of frames [count][height][width][3], which are put together here as the sheets of generate are. */
typedef struct frames {
    int count, height, width;
    unsigned char *rgb;
} frames;

static unsigned char to_8_bits(float value) {
    const float scaled = value * 127.5f + 128;
    return scaled < 0 ? 0 : scaled > 255 ? 255 : (unsigned char)scaled;
}

static frames read_frames(const char *path, const char *grid) {
    npy images;
    int columns = 1, rows = 1;
    if (sscanf(grid, "%dx%d", &columns, &rows) != 2) cli_usage("%s: not a grid", grid);
    npy_read(path, &images);
    npy_expect(&images, path, "images", 4, (const int64_t[]){-1, 3, -1, -1});
    const int h = (int)images.shape[2], w = (int)images.shape[3], tiles = columns * rows;
    frames f = {(int)images.shape[0] / tiles, rows * h, columns * w, NULL};
    f.rgb = cli_alloc(images.count, 1);
    for (int i = 0; i < f.count * tiles; i++)
        for (int c = 0; c < 3; c++)
            for (int y = 0; y < h; y++)
                for (int x = 0; x < w; x++) {
                    const int top = i / tiles * f.height + i % tiles / columns * h, left = i % tiles % columns * w;
                    const size_t pixel = (size_t)(top + y) * (size_t)f.width + (size_t)(left + x);
                    f.rgb[3 * pixel + (size_t)c] = to_8_bits(images.values[((i * 3 + c) * h + y) * w + x]);
                }
    free(images.values);
    return f;
}

static size_t frame_size(const frames *f) {
    return 3 * (size_t)f->height * (size_t)f->width;
}

/* The largest difference of a frame's pixels. */
static int difference(const frames *f, int index, const unsigned char *rgb) {
    const unsigned char *expected = f->rgb + (size_t)index * frame_size(f);
    int largest = 0;
    for (size_t i = 0; i < frame_size(f); i++) {
        const int d = abs(rgb[i] - expected[i]);
        if (d > largest) largest = d;
    }
    return largest;
}

static void test_raw(char **files) {
    const frames f = read_frames(files[1], files[2]);
    const file_view file = file_view_open(files[0]);
    const int tolerance = files[3] ? atoi(files[3]) : 0;
    int largest = 0;
    const int whole = test_check(file.size == (size_t)f.count * frame_size(&f), "raw: %d frames", f.count);
    for (int i = 0; whole && i < f.count; i++) {
        const int d = difference(&f, i, file.data + (size_t)i * frame_size(&f));
        if (d > largest) largest = d;
    }
    test_check(largest <= tolerance, "raw: pixels differ by up to %d", largest);
}

/* --- y4m: planes against the definition of BT.601 --- */

/* Y', Cb and Cr of a pixel, not rounded. */
static void exact_planes(const unsigned char *rgb, double *planes) {
    const double r = rgb[0] / 255.0, g = rgb[1] / 255.0, b = rgb[2] / 255.0, y = 0.299 * r + 0.587 * g + 0.114 * b;
    planes[0] = 16 + 219 * y;
    planes[1] = 128 + 224 * (b - y) / 1.772;
    planes[2] = 128 + 224 * (r - y) / 1.402;
}

static void test_y4m(char **files) {
    const frames f = read_frames(files[1], files[2]);
    const file_view file = file_view_open(files[0]);
    char *head = cli_format("YUV4MPEG2 W%d H%d F60:1 Ip A1:1 C444 ", f.width, f.height);
    const char *line = memchr(file.data, '\n', file.size);
    const size_t pixels = frame_size(&f) / 3, frame = strlen("FRAME\n") + 3 * pixels;
    test_check(line && strncmp((const char *)file.data, head, strlen(head)) == 0, "y4m: its first line");
    const unsigned char *at = (const unsigned char *)line + 1;
    const size_t rest = file.size - (size_t)(at - file.data);
    const int whole = test_check(rest == (size_t)f.count * frame, "y4m: %d frames, no more", f.count);
    double largest = 0, planes[3];
    for (int i = 0; whole && i < f.count; i++, at += frame) {
        if (memcmp(at, "FRAME\n", 6) != 0) largest = INFINITY;
        for (size_t p = 0; p < pixels; p++) {
            exact_planes(f.rgb + (size_t)i * frame_size(&f) + 3 * p, planes);
            for (size_t k = 0; k < 3; k++) largest = fmax(largest, fabs(at[6 + k * pixels + p] - planes[k]));
        }
    }
    test_check(largest < 0.51, "y4m: within %.3f of the exact values", largest);
    free(head);
}

/* --- apng: each frame as a PNG of its own --- */

static size_t get32(const unsigned char *at) {
    return (size_t)at[0] << 24 | (size_t)at[1] << 16 | (size_t)at[2] << 8 | at[3];
}

/* What the chunks tell. */
typedef struct animation {
    frames expected;
    const unsigned char *head, *palette; /* signature and IHDR; PLTE with its length, NULL: none */
    size_t frames, sequence, sized, shown;
    double sum; /* of differences */
    int largest, sums, order, ended;
} animation;

/* Decodes signature, IHDR and the pixels in one IDAT, whose checksum stb_image does not look at. */
static void show_frame(animation *a, const unsigned char *content, size_t size) {
    enum { HEAD = 33 };
    const size_t palette = a->palette ? 12 + get32(a->palette) : 0;
    unsigned char *png = cli_alloc(HEAD + palette + 24 + size, 1), *idat = png + HEAD + palette;
    int w, h, channels;
    memcpy(png, a->head, HEAD);
    if (palette) memcpy(png + HEAD, a->palette, palette);
    for (int i = 0; i < 4; i++) idat[i] = (unsigned char)(size >> (24 - 8 * i));
    memcpy(idat + 4, "IDAT", 4);
    memcpy(idat + 8, content, size);
    memcpy(idat + 8 + size, "\0\0\0\0\0\0\0\0IEND\0\0\0\0", 16);
    unsigned char *rgb = stbi_load_from_memory(png, (int)(HEAD + palette + 24 + size), &w, &h, &channels, 3);
    if (!rgb || w != a->expected.width || h != a->expected.height || a->shown >= (size_t)a->expected.count)
        a->largest = 255;
    else {
        const int d = difference(&a->expected, (int)a->shown, rgb);
        const unsigned char *expected = a->expected.rgb + a->shown * frame_size(&a->expected);
        for (size_t i = 0; i < frame_size(&a->expected); i++) a->sum += abs(rgb[i] - expected[i]);
        if (d > a->largest) a->largest = d;
    }
    a->shown++;
    stbi_image_free(rgb);
    free(png);
}

static void read_chunk(animation *a, const unsigned char *name, const unsigned char *content, size_t size) {
    const int numbered = memcmp(name, "fcTL", 4) == 0 || memcmp(name, "fdAT", 4) == 0;
    a->sums &= get32(content + size) == crc32_of(0, name, 4 + size);
    if (numbered) a->order &= get32(content) == a->sequence++;
    if (memcmp(name, "PLTE", 4) == 0) a->palette = name - 4;
    if (memcmp(name, "acTL", 4) == 0) a->frames = get32(content);
    if (memcmp(name, "fcTL", 4) == 0) {
        a->order &= a->shown == a->sized++;
        a->order &= get32(content + 4) == (size_t)a->expected.width && get32(content + 8) == (size_t)a->expected.height;
        a->order &= memcmp(content + 12, "\0\0\0\0\0\0\0\0\0\1\0\74\0\0", 14) == 0; /* at 0, 0; 1/60 s; as it is */
    }
    if (memcmp(name, "IDAT", 4) == 0) show_frame(a, content, size);
    if (memcmp(name, "fdAT", 4) == 0) show_frame(a, content + 4, size - 4);
    a->ended = memcmp(name, "IEND", 4) == 0;
}

static void test_apng(char **files) {
    const file_view file = file_view_open(files[0]);
    animation a = {.expected = read_frames(files[1], files[2]), .head = file.data, .sums = 1, .order = 1};
    test_check(file.size > 8 && memcmp(file.data, "\x89PNG\r\n\x1a\n", 8) == 0, "apng: a PNG");
    for (size_t at = 8, size; at + 12 <= file.size; at += 12 + size) {
        size = get32(file.data + at);
        if (size > file.size - at - 12) break;
        read_chunk(&a, file.data + at + 4, file.data + at + 8, size);
    }
    test_check(a.ended, "apng: ends with IEND");
    test_check(a.sums, "apng: checksums");
    test_check(a.order, "apng: frames are numbered, placed and timed");
    test_check(a.frames == (size_t)a.expected.count && a.shown == a.frames, "apng: %zu frames of %zu", a.shown,
               a.frames);
    if (!files[3]) {
        test_check(a.largest == 0 && !a.palette, "apng: pixels differ by up to %d", a.largest);
        return;
    }
    const double mean = a.sum / ((double)a.expected.count * (double)frame_size(&a.expected));
    test_check(a.palette && a.head[25] == 3, "apng: by a palette of %zu colours", a.palette ? get32(a.palette) / 3 : 0);
    test_check(mean <= atof(files[3]) && a.largest < 255, "apng: pixels differ by %.2f in the mean, %d at most", mean,
               a.largest);
}

/* --- Terminals --- */

/* The mean of the FACTOR x FACTOR pixels [3] that a pixel stands for. */
static void mean_of(const unsigned char *rgb, int width, int x, int y, int factor, double *mean) {
    for (int c = 0; c < 3; c++) {
        mean[c] = 0;
        for (int i = 0; i < factor * factor; i++) {
            const int at = (y * factor + i / factor) * width + x * factor + i % factor;
            mean[c] += (double)rgb[3 * at + c] / (factor * factor);
        }
    }
}

/* Reads "ESC[38;2;R;G;B" or "ESC[38;2;R;G;B;48;2;R;G;B", then "m" and the upper half block; returns the colours. */
static int read_cell(const char **text, int *colours) {
    int length = 0, both = 0;
    const int upper = sscanf(*text, "\33[38;2;%d;%d;%d%n", colours, colours + 1, colours + 2, &length);
    if (upper != 3) return 0;
    *text += length;
    const int lower = sscanf(*text, ";48;2;%d;%d;%d%n", colours + 3, colours + 4, colours + 5, &both);
    if (lower == 3) *text += both;
    if (strncmp(*text, "m\xe2\x96\x80", 4) != 0) return 0;
    *text += 4;
    return lower == 3 ? 2 : 1;
}

static void test_show(char **files) {
    int width, height, channels, colours[6], cells = 0, shown = 0;
    const int factor = atoi(files[2]);
    file_view file = file_view_open(files[0]);
    char *whole = cli_format("%.*s", (int)file.size, (const char *)file.data);
    const char *text = whole;
    file_view picture = file_view_open(files[1]);
    unsigned char *rgb = stbi_load_from_memory(picture.data, (int)picture.size, &width, &height, &channels, 3);
    if (!rgb) cli_fail("%s: %s", files[1], stbi_failure_reason());
    const int wide = width / factor, high = height / factor;
    double largest = 0, mean[3];
    for (int y = 0; y < high; y += 2) {
        for (int x = 0; x < wide; x++, cells++) {
            const int pixels = read_cell(&text, colours);
            for (int i = 0; i < pixels && y + i < high; i++) {
                mean_of(rgb, width, x, y + i, factor, mean);
                for (int c = 0; c < 3; c++) largest = fmax(largest, fabs(mean[c] - colours[3 * i + c]));
                shown++;
            }
        }
        if (strncmp(text, "\33[0m\n", 5) != 0) break;
        text += 5;
    }
    test_check(!*text && shown == wide * high, "show: %d pixels in %d cells, and no more", shown, cells);
    test_check(largest <= (factor == 1 ? 0 : 1), "show: colours differ by up to %.2f", largest);
    stbi_image_free(rgb);
    free(whole);
}

/* --- */

static const struct {
    const char *name;
    int least, most; /* arguments */
    void (*run)(char **arguments);
} modes[] = {{"spline", 1, 1, test_spline}, {"ws", 3, 3, test_ws},   {"zs", 2, 2, write_zs},   {"y4m", 3, 3, test_y4m},
             {"apng", 3, 4, test_apng},     {"raw", 3, 4, test_raw}, {"show", 3, 3, test_show}};

int main(int argc, char **argv) {
    for (size_t i = 0; argc > 1 && i < sizeof modes / sizeof *modes; i++) {
        if (strcmp(argv[1], modes[i].name) != 0 || argc - 2 < modes[i].least || argc - 2 > modes[i].most) continue;
        modes[i].run(argv + 2);
        return test_end();
    }
    cli_usage("test_video spline|ws|zs|y4m|apng|raw|show ARGUMENTS...");
}
