/* design3.c - StyleGAN 3's sizes, rates and filters from the paper's formulas. */
#include "design3.h"

#include <math.h>
#include <string.h>

static const double pi = 3.141592653589793;

/* --- Rates --- */

/* A layer's band: frequencies up to `cutoff` pass, from `stop` on none does, in cycles a unit (the image's width). */
typedef struct band {
    double cutoff, stop;
    double rate;       /* pixels a unit: a power of two */
    double half_width; /* of the filter's transition */
    int size, channels;
} band;

/* Cutoffs and stopbands grow geometrically, from 2 and 2^2.1 to half of the resolution and 2^0.3 times that; the last,
   critically sampled, layers are alike. */
static band make_band(const design3 *d, int layer) {
    double last = d->resolution / 2.0, share = fmin((double)layer / (d->layers - d->critical), 1);
    band b;
    b.cutoff = 2 * pow(last / 2, share);
    b.stop = pow(2, 2.1) * pow(last * pow(2, 0.3) / pow(2, 2.1), share);
    b.rate = exp2(ceil(log2(fmin(2 * b.stop, d->resolution))));
    b.half_width = fmax(b.stop, b.rate / 2) - b.cutoff;
    b.size = layer >= d->layers - 1 ? d->resolution : (int)b.rate + 2 * d->margin;
    b.channels = (int)nearbyint(fmax(fmin(d->channel_base / 2 / b.cutoff, d->channel_most), 1));
    return b;
}

/* --- Filters --- */

static double bessel_i0(double x) {
    double sum = 1, term = 1;
    for (int k = 1; term > 1e-17 * sum; k++) {
        term *= x * x / (4.0 * k * k);
        sum += term;
    }
    return sum;
}

/* The mean of cos(t - x sin t) over [0, pi], which few samples give to the last digit. */
static double bessel_j1(double x) {
    enum { SAMPLES = 256 };
    double sum = 0;
    for (int i = 0; i < SAMPLES; i++) {
        double t = pi * (i + 0.5) / SAMPLES;
        sum += cos(t - x * sin(t));
    }
    return sum / SAMPLES;
}

/* Kaiser's shape parameter for a transition `width` wide, in units of half the rate. */
static double kaiser_beta(int taps, double width) {
    double attenuation = 2.285 * (taps - 1) * pi * width + 7.95;
    if (attenuation > 50) return 0.1102 * (attenuation - 8.7);
    return attenuation > 21 ? 0.5842 * pow(attenuation - 21, 0.4) + 0.07886 * (attenuation - 21) : 0;
}

static double kaiser(int taps, double beta, int i) {
    double x = 2.0 * i / (taps - 1) - 1;
    return taps > 1 ? bessel_i0(beta * sqrt(fmax(1 - x * x, 0))) / bessel_i0(beta) : 1;
}

/* A low-pass filter at `rate`, of sum `sum` (radial: along both axes). */
static void design_filter(const band *b, double rate, int taps, int radial, double sum, float *filter) {
    double beta = kaiser_beta(taps, 2 * b->half_width / (rate / 2)), values[DESIGN3_TAPS * DESIGN3_TAPS], total = 0;
    int count = radial ? taps * taps : taps;
    for (int i = 0; i < count; i++) {
        double x = (i % taps - (taps - 1) / 2.0) / rate, y = radial ? (i / taps - (taps - 1) / 2.0) / rate : 0;
        double r = sqrt(x * x + y * y), phase = 2 * pi * b->cutoff * r;
        if (radial) /* the jinc */
            values[i] = r > 0 ? bessel_j1(phase) / (pi * r) : b->cutoff;
        else
            values[i] = r > 0 ? sin(phase) / phase : 1;
        values[i] *= kaiser(taps, beta, i % taps) * (radial ? kaiser(taps, beta, i / taps) : 1);
        total += values[i];
    }
    for (int i = 0; i < count; i++) filter[i] = (float)(values[i] / total * sum);
    if (radial) return;
    for (int i = 0; i < taps / 2; i++) filter[taps - 1 - i] = filter[i]; /* to the last bit */
}

/* --- The network --- */

design3_input design3_make_input(const design3 *d) {
    band b = make_band(d, 0);
    design3_input input = {b.channels, b.size, b.rate, b.cutoff};
    return input;
}

design3_layer design3_make_layer(const design3 *d, int layer, int kernel) {
    band in = make_band(d, layer > 0 ? layer - 1 : 0), out = make_band(d, layer);
    design3_layer l;
    int last = layer == d->layers;
    double rate = fmax(in.rate, out.rate) * (last ? 1 : 2); /* of the activation */
    memset(&l, 0, sizeof l);
    l.in = in.channels;
    l.out = last ? 0 : out.channels;
    l.in_size = in.size;
    l.out_size = out.size;
    l.up = (int)(rate / in.rate);
    l.down = (int)(rate / out.rate);
    l.up_taps = l.up > 1 && !last ? (int)fmin(d->filter * l.up, DESIGN3_LINE) : 1;
    l.down_taps = l.down > 1 && !last ? (int)fmin(d->filter * l.down, DESIGN3_TAPS) : 1;
    l.radial = d->radial && l.down_taps > 1 && layer < d->layers - d->critical;
    design_filter(&in, rate, l.up_taps, 0, l.up, l.up_filter);
    design_filter(&out, rate, l.down_taps, l.radial, 1, l.down_filter);
    int padding = (l.out_size - 1) * l.down + 1 - (l.in_size + kernel - 1) * l.up + l.up_taps + l.down_taps - 2;
    l.before = (padding + l.up) >> 1;
    l.after = padding - l.before;
    return l;
}
