/* test_kernels.c - the kernels of every instruction set against direct loops, for sizes that are no multiple of
 * anything. */
#define STYLEGAN_KERNELS
#include "sgw.h"
#include "test.h"

#include <math.h>
#include <string.h>

enum { MOST = 1 << 16 };
static const double tolerance = 2e-6;

static float input[MOST], factors[MOST], output[MOST], other[MOST]; /* what the kernels work on */

static void fill(float *values, size_t count, uint64_t stream) {
    stylegan_random_normal(11, (uint32_t)stream, 0, values, (int)count);
}

/* What one kernel of one instruction set did over all its sizes. */
typedef struct verdict {
    double worst;
    int sizes;
} verdict;

static void note(verdict *v, double found, double expected, double scale) {
    double error = fabs(found - expected) / scale;
    if (!(error <= v->worst)) v->worst = error == error ? error : INFINITY;
}

/* --- Unpacking --- */

static unsigned char weights_bytes[4 * MOST], scale_bytes[4 * MOST];

/* A matrix whose bits are random but finite. */
static sg__tensor make_tensor(stylegan_type type, int rows, int columns) {
    sg__tensor tensor = {weights_bytes, type == STYLEGAN_I8 ? scale_bytes : NULL, type, columns};
    static const int sizes[] = {4, 2, 1};
    uint32_t state = 12345;
    for (int i = 0; i < rows * columns * sizes[type]; i++) {
        state = state * 1664525u + 1013904223u;
        weights_bytes[i] = (unsigned char)(state >> 24);
        int last = i % sizes[type] == sizes[type] - 1; /* the byte with the exponent */
        if (last && type == STYLEGAN_F32) weights_bytes[i] = (unsigned char)(0x3F | (state >> 10 & 0x80));
        if (last && type == STYLEGAN_F16 && (weights_bytes[i] & 0x7C) == 0x7C) weights_bytes[i] &= 0xBF;
    }
    for (int i = 0; i < columns; i++) {
        uint32_t bits;
        memcpy(&bits, &input[i], 4);
        sgw_write(scale_bytes + 4 * i, bits, 4);
    }
    return tensor;
}

/* Both kernels that read weights, exactly as the scalar ones do. */
static verdict check_reading(const sg__kernels *k, stylegan_type type) {
    const sg__kernels *plain = sg__find_kernels(STYLEGAN_ISA_SCALAR);
    verdict v = {0, 0};
    fill(input, 100, 1);
    fill(factors, 100, 2);
    for (int columns = 1; columns <= 37; columns += 3) {
        sg__tensor tensor = make_tensor(type, 7, columns);
        for (int column = 0; column < columns; column += k->lanes, v.sizes++) {
            int count = columns - column, padded = (count + k->lanes - 1) / k->lanes * k->lanes, q = padded / k->lanes;
            float squares[64] = {0}, expected_squares[64] = {0};
            k->unpack(&tensor, 3, column, count, output);
            plain->unpack(&tensor, 3, column, count, other);
            for (int i = 0; i < padded; i++) note(&v, (double)output[i], i < count ? (double)other[i] : 0, 1);
            if (q > k->vectors) q = k->vectors;
            k->panel(&tensor, 2, 5, column, q, factors, squares, output);
            for (int i = 0; i < q * k->lanes; i++) {
                for (int row = 0; row < 5; row++) {
                    float w = 0;
                    if (i < count) plain->unpack(&tensor, (size_t)(2 + row), column + i, 1, &w);
                    float styled = w * factors[row];
                    expected_squares[i] += styled * styled;
                    note(&v, (double)output[row * q * k->lanes + i], (double)styled, fabs((double)styled) + 1e-30);
                }
                if (i < count)
                    note(&v, (double)squares[i], (double)expected_squares[i], (double)expected_squares[i] + 1e-30);
            }
        }
    }
    return v;
}

/* --- Convolution --- */

/* One row of a convolution with its taps side by side and a row further: [taps] at offsets (t / 3) * row + t % 3. */
static void check_row(const sg__kernels *k, verdict *v, int channels, int taps, int width, int q) {
    int lanes = k->lanes, blocks = (channels + lanes - 1) / lanes, pixels = 3 * (width + 3);
    sg__row row;
    row.input = input;
    row.input_block = (size_t)(pixels * lanes);
    row.channels = channels;
    row.taps = taps;
    row.output = output;
    row.output_pixel = (size_t)lanes;
    row.output_vector = (size_t)(width * lanes);
    row.width = width;
    fill(input, (size_t)(blocks * pixels * lanes), 3);
    fill(factors, (size_t)(taps * channels * q * lanes), 4);
    for (int t = 0; t < taps; t++) {
        row.offset[t] = (ptrdiff_t)((t / 3 * (width + 3) + t % 3) * lanes);
        row.panel[t] = factors + t * channels * q * lanes;
    }
    k->convolve(&row, q);
    for (int x = 0; x < width; x++)
        for (int o = 0; o < q * lanes; o++) {
            double sum = 0, size = 0;
            for (int t = 0; t < taps; t++)
                for (int i = 0; i < channels; i++) {
                    double pixel = (double)row.input[(size_t)(i / lanes) * row.input_block + (size_t)row.offset[t] +
                                                     (size_t)(x * lanes + i % lanes)];
                    double product = pixel * (double)row.panel[t][i * q * lanes + o];
                    sum += product;
                    size += fabs(product);
                }
            note(v, (double)output[(o / lanes) * width * lanes + x * lanes + o % lanes], sum, size);
        }
    v->sizes++;
}

static verdict check_convolve(const sg__kernels *k) {
    static const int channels[] = {1, 3, 5, 16, 17, 33};
    verdict v = {0, 0};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        for (int taps = 1; taps <= 9; taps += 4)
            for (int width = 1; width <= 23; width += 1 + width / 8)
                for (int q = 1; q <= k->vectors; q++) check_row(k, &v, channels[i], taps, width, q);
    return v;
}

/* --- What follows --- */

static double expected_activation(int activation, double x) {
    switch (activation) {
    case STYLEGAN_RELU:
        return fmax(x, 0);
    case STYLEGAN_LRELU:
        return fmax(x, 0.2 * x);
    case STYLEGAN_TANH:
        return tanh(x);
    case STYLEGAN_SIGMOID:
        return 1 / (1 + exp(-x));
    case STYLEGAN_ELU:
        return x > 0 ? x : expm1(x);
    case STYLEGAN_SELU:
        return 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * expm1(x));
    case STYLEGAN_SOFTPLUS:
        return fmax(x, 0) + log1p(exp(-fabs(x)));
    case STYLEGAN_SWISH:
        return x / (1 + exp(-x));
    default:
        return x;
    }
}

static verdict check_finish(const sg__kernels *k) {
    verdict v = {0, 0};
    int lanes = k->lanes;
    fill(factors, (size_t)(3 * lanes), 5);
    for (int activation = 0; activation < STYLEGAN_ACTIVATION_COUNT; activation++)
        for (int width = 1; width <= 19; width += 3)
            for (int variant = 0; variant < 8; variant++, v.sizes++) {
                sg__epilogue e = {factors,
                                  factors + lanes,
                                  factors + 2 * lanes,
                                  variant & 1 ? output : NULL,
                                  variant & 2 ? other : NULL,
                                  (stylegan_activation)activation,
                                  1.4f,
                                  variant & 4 ? 0.9f : 0};
                size_t count = (size_t)(width * lanes);
                float before[19 * 64];
                fill(input, count, 6);
                for (size_t i = 0; i < count; i++) before[i] = input[i] = 4 * input[i];
                fill(output, (size_t)width, 7);
                fill(other, count, 8);
                k->finish(input, width, &e);
                for (int x = 0; x < width; x++)
                    for (int i = 0; i < lanes; i++) {
                        int at = x * lanes + i;
                        double y = (double)before[at] * (double)factors[i] + (double)factors[lanes + i];
                        if (e.noise) y += (double)output[x] * (double)factors[2 * lanes + i];
                        y = expected_activation(activation, y) * (double)e.gain;
                        if (e.clamp > 0) y = fmin(fmax(y, -(double)e.clamp), (double)e.clamp);
                        if (e.add) y += (double)other[at];
                        note(&v, (double)input[at], y, 10);
                    }
            }
    return v;
}

static verdict check_weighted_sum(const sg__kernels *k) {
    verdict v = {0, 0};
    fill(input, 4096, 9);
    fill(factors, 16, 10);
    for (int n = 1; n <= 8; n++)
        for (int vectors = 1; vectors <= 13; vectors += 2, v.sizes++) {
            const float *source[8];
            int count = vectors * k->lanes;
            for (int s = 0; s < n; s++) source[s] = input + s * 300;
            k->weighted_sum(output, count, source, factors, n);
            for (int i = 0; i < count; i++) {
                double sum = 0;
                for (int s = 0; s < n; s++) sum += (double)factors[s] * (double)source[s][i];
                note(&v, (double)output[i], sum, 5);
            }
        }
    return v;
}

/* Moments far from zero: what a sum of squares would lose. */
static verdict check_moments(const sg__kernels *k) {
    verdict v = {0, 0};
    int lanes = k->lanes;
    for (int width = 1; width <= 33; width += 4)
        for (int height = 1; height <= 9; height += 4, v.sizes++) {
            size_t stride = (size_t)((width + 2) * lanes);
            float mean[64], deviation[64];
            fill(input, stride * (size_t)height, 12);
            for (size_t i = 0; i < stride * (size_t)height; i++) input[i] += 10;
            k->moments(input, width, height, stride, mean, deviation);
            for (int i = 0; i < lanes; i++) {
                double sum = 0, squares = 0;
                for (int p = 0; p < width * height; p++)
                    sum += (double)input[(size_t)(p / width) * stride + (size_t)(p % width * lanes + i)];
                double expected = sum / (width * height);
                for (int p = 0; p < width * height; p++) {
                    double x = (double)input[(size_t)(p / width) * stride + (size_t)(p % width * lanes + i)] - expected;
                    squares += x * x;
                }
                note(&v, (double)mean[i], expected, 10);
                note(&v, (double)deviation[i], squares, 10.0 * width * height);
            }
        }
    return v;
}

static verdict check_scale_shift(const sg__kernels *k) {
    verdict v = {0, 0};
    fill(factors, (size_t)(3 * k->lanes), 13);
    for (int width = 1; width <= 19; width++, v.sizes++) {
        fill(input, (size_t)(width * k->lanes), 14);
        memcpy(output, input, (size_t)(width * k->lanes) * sizeof *input);
        k->scale_shift(output, width, factors, factors + k->lanes, factors + 2 * k->lanes);
        for (int i = 0; i < width * k->lanes; i++)
            note(&v, (double)output[i],
                 ((double)input[i] - (double)factors[i % k->lanes]) * (double)factors[k->lanes + i % k->lanes] +
                     (double)factors[2 * k->lanes + i % k->lanes],
                 5);
    }
    return v;
}

/* --- Doubled pixels --- */

static verdict check_double_pixels(const sg__kernels *k) {
    verdict v = {0, 0};
    for (int width = 1; width <= 9; width++) {
        size_t stride = (size_t)((width + 1) * k->lanes), row = (size_t)(2 * width * k->lanes);
        fill(input, 9 * stride, 17);
        k->double_pixels(input, stride, width, output, output + row);
        for (int y = 0; y < 2; y++)
            for (int x = 0; x < 2 * width; x++)
                for (int i = 0; i < k->lanes; i++) {
                    const float *at = input + x / 2 * k->lanes + i;
                    int aside_y = y ? 2 : 0, aside_x = x % 2 ? 2 : 0; /* the products of what lies on that side */
                    double sign_y = y ? 1 : -1, sign_x = x % 2 ? 1 : -1;
                    double middle = (double)at[4 * stride] + sign_y * (double)at[(size_t)(3 * aside_y + 1) * stride];
                    double aside = (double)at[(size_t)(3 + aside_x) * stride] +
                                   sign_y * (double)at[(size_t)(3 * aside_y + aside_x) * stride];
                    note(&v, (double)output[(size_t)y * row + (size_t)(x * k->lanes + i)], middle + sign_x * aside, 10);
                }
        v.sizes++;
    }
    return v;
}

/* --- Resampling --- */

static verdict check_upsample(const sg__kernels *k) {
    verdict v = {0, 0};
    sg__leak leak = {0.2f, 1.5f, 4};
    fill(factors, 64, 18);
    for (int up = 1; up <= 4; up++)
        for (int n = 1; n <= 6; n += 5)
            for (int groups = 1; groups <= 19; groups += 3, v.sizes++) {
                fill(input, (size_t)((groups + n) * k->lanes), 19);
                k->upsample(input, groups, factors, up, n, &leak, output);
                for (int i = 0; i < groups * up * k->lanes; i++) {
                    int pixel = i / k->lanes, lane = i % k->lanes;
                    double sum = 0;
                    for (int tap = 0; tap < n; tap++)
                        sum +=
                            (double)factors[pixel % up * n + tap] * (double)input[(pixel / up + tap) * k->lanes + lane];
                    sum *= sum < 0 ? (double)leak.gain * (double)leak.slope : (double)leak.gain;
                    note(&v, (double)output[i], fmax(-4, fmin(4, sum)), 5);
                }
            }
    return v;
}

/* Of an even number of rows: folded ones share the taps of half of them. */
static void check_downsampled(const sg__kernels *k, verdict *v, int rows, int folded, int n, int down, int count) {
    const float *row[12];
    size_t stride = (size_t)((n + down * (count - 1) + 1) * k->lanes);
    fill(input, stride * (size_t)rows, 20);
    for (int r = 0; r < rows; r++) row[r] = input + (size_t)r * stride;
    k->downsample(output, count, row, rows, folded, factors, n, down);
    for (int i = 0; i < count * k->lanes; i++) {
        double sum = 0;
        for (int r = 0; r < rows; r++)
            for (int tap = 0; tap < n; tap++) {
                int taps = folded && r >= rows / 2 ? rows - 1 - r : r;
                sum += (double)factors[taps * n + tap] *
                       (double)row[r][(i / k->lanes * down + tap) * k->lanes + i % k->lanes];
            }
        note(v, (double)output[i], sum, 20);
    }
    v->sizes++;
}

static verdict check_downsample(const sg__kernels *k) {
    verdict v = {0, 0};
    fill(factors, 12 * 12, 21);
    for (int down = 1; down <= 3; down++)
        for (int n = 1; n <= 12; n += 11)
            for (int count = 1; count <= 19; count += 3) {
                check_downsampled(k, &v, 1, 0, n, down, count);
                check_downsampled(k, &v, 12, 0, n, down, count);
                check_downsampled(k, &v, 12, 1, n, down, count);
            }
    return v;
}

/* --- Winograd's algorithm --- */

/* Tiles of one channel: inputs and weights transformed, multiplied point by point and transformed back are the plain
   sums over taps down x across. A tile reads its input from the pixel above and left of it (3 taps) or from its own first
   one (2 taps); a single tap meets the pixel after that. */
static void check_tiles(const sg__kernels *k, verdict *v, int down, int across, int tiles) {
    enum { ROWS = 6, POINTS = 36, TAPS = 9 };
    static float transformed[MOST], transformed_weights[POINTS * 64];
    const float *row[ROWS], *tap[TAPS];
    int lanes = k->lanes, taps_down = down - 3, taps_across = across - 3, width = 4 * tiles + 2;
    int weights_across = across == 4 ? 1 : across; /* a single tap has one weight for all points */
    size_t stride = (size_t)((tiles + 1) * lanes), output_row = (size_t)((4 * tiles + 1) * lanes);
    fill(input, (size_t)(ROWS * width * lanes), 15);
    fill(factors, (size_t)(TAPS * lanes), 16);
    for (int y = 0; y < ROWS; y++) row[y] = input + y * width * lanes;
    for (int t = 0; t < TAPS; t++) tap[t] = factors + t * lanes;
    k->winograd_input(row, NULL, down, across, tiles, transformed, stride);
    k->winograd_weights(tap, down, across, 1, transformed_weights, (size_t)lanes);
    for (int p = 0; p < down * across; p++) {
        int weight = (down == 4 ? 0 : p / across) * weights_across + (across == 4 ? 0 : p % across);
        for (int i = 0; i < tiles * lanes; i++)
            transformed[(size_t)p * stride + (size_t)i] *= transformed_weights[weight * lanes + i % lanes];
    }
    k->winograd_output(transformed, stride, down, across, tiles, output, output_row, (size_t)lanes);
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 4 * tiles; x++)
            for (int i = 0; i < lanes; i++) {
                double sum = 0, size = 0;
                for (int t = 0; t < taps_down * taps_across; t++) {
                    int from_y = y + t / taps_across + (down == 4), from_x = x + t % taps_across + (across == 4);
                    double product = (double)row[from_y][from_x * lanes + i] * (double)tap[t][i];
                    sum += product;
                    size += fabs(product);
                }
                note(v, (double)output[(size_t)y * output_row + (size_t)(x * lanes + i)], sum, size + 10);
            }
    v->sizes++;
}

static verdict check_winograd(const sg__kernels *k) {
    static const int points[][2] = {{6, 6}, {5, 5}, {5, 4}, {4, 5}, {4, 4}};
    verdict v = {0, 0};
    for (size_t i = 0; i < sizeof points / sizeof *points; i++)
        for (int tiles = 1; tiles <= 5; tiles++) check_tiles(k, &v, points[i][0], points[i][1], tiles);
    return v;
}

static void report(const sg__kernels *k, const char *name, verdict v) {
    test_check(v.worst <= tolerance && v.sizes > 0, "kernels %s %s: %.1e in %d sizes", stylegan_isa_name(k->isa), name,
               v.worst, v.sizes);
}

int main(void) {
    for (int isa = STYLEGAN_ISA_AUTO + 1; isa < STYLEGAN_ISA_COUNT; isa++) {
        const sg__kernels *k = sg__find_kernels((stylegan_isa)isa);
        if (!k) continue;
        report(k, "unpack and panel, f32", check_reading(k, STYLEGAN_F32));
        report(k, "unpack and panel, f16", check_reading(k, STYLEGAN_F16));
        report(k, "unpack and panel, i8", check_reading(k, STYLEGAN_I8));
        report(k, "convolve", check_convolve(k));
        report(k, "finish", check_finish(k));
        report(k, "weighted_sum", check_weighted_sum(k));
        report(k, "moments", check_moments(k));
        report(k, "scale_shift", check_scale_shift(k));
        report(k, "double_pixels", check_double_pixels(k));
        report(k, "upsample", check_upsample(k));
        report(k, "downsample", check_downsample(k));
        report(k, "winograd_input, _weights and _output", check_winograd(k));
    }
    return test_end();
}
