/* train_step.c - how a StyleGAN learns: one training step from top to bottom, in plain C, with every tensor's shape.
   cc -O2 examples/train_step.c -o train_step -lm && ./train_step sheet.ppm

   Two networks play against each other. The generator turns random numbers into pictures; the discriminator gives each
   picture a score: high if it takes it for one of the training set. Every step teaches the discriminator to tell them
   apart, and the generator to draw what scores higher. Here both are tiny, and the pictures are blobs of 8x8 pixels, but
   the method is that of the paper. (Left out: progressive growing, style mixing, minibatch standard deviation, the blur
   after up-sampling, the slower learning rate of the mapping.) Read on from >>step and look up the rest as it is called.
   It takes half a minute to learn; the sheet shows training pictures, and what is drawn before and after learning.

   Learning is going downhill: each parameter moves against the gradient of a loss. Gradients come from the chain rule,
   from the last layer to the first. For each operation y = f(x) there is a backward one that turns dy, the gradient of
   the loss with respect to y, into dx. `./train_step --check` compares them with differences of losses.
   examples/playground.html runs the same game in the browser, with its rates as sliders.

   Arrays are row-major: x [C][H][W] has pixel (i, j) of channel c at x[(c * H + i) * W + j]. */
#include <math.h>
#include <string.h>

enum {
    SIZE = 8,      /* H and W of the pictures */
    COLORS = 3,    /* their channels */
    FEATURES = 16, /* F, channels of all other feature maps */
    LATENTS = 16,  /* D, width of z and w */
    BATCH = 8,     /* N, pictures of each kind a step */
    PIXELS = COLORS * SIZE * SIZE,
    MOST = FEATURES * SIZE * SIZE, /* values of the largest feature map */
    MOST_PARAMETERS = 16384,
    MOST_GROUPS = 64
};

static const double BETA2 = 0.99, AVERAGE_BETA = 0.995, SLOPE = 0.2;
static double learning_rate = 0.005, r1_gamma = 0.3;

/* --- Random numbers --- */

static unsigned long long random_state = 1;

static double uniform(void) { /* in (0, 1) */
    random_state = random_state * 6364136223846793005u + 1442695040888963407u;
    return ((double)(random_state >> 12) + 0.5) / 4503599627370496.0;
}

static double normal(void) {
    const double radius = sqrt(-2 * log(uniform()));
    return radius * cos(6.283185307179586 * uniform());
}

/* --- Parameters: all of a network's in one array, so that the optimiser need not know the layers --- */

typedef struct parameters {
    int count, steps, groups, first[MOST_GROUPS]; /* of each layer's weights, its biases, ... */
    double value[MOST_PARAMETERS], gradient[MOST_PARAMETERS], squares[MOST_PARAMETERS], average[MOST_PARAMETERS];
} parameters;

static int add_parameters(parameters *p, int count, double deviation) { /* returns where they begin */
    const int first = p->first[p->groups++] = p->count;
    for (int i = 0; i < count; i++) p->value[first + i] = deviation * normal();
    p->count += count;
    return first;
}

/* Adam with beta1 = 0: every parameter moves by about the learning rate, however large its gradient is. */
static void adam(parameters *p) {
    const double correction = 1 - pow(BETA2, ++p->steps); /* squares begin at 0 */
    for (int i = 0; i < p->count; i++) {
        p->squares[i] = BETA2 * p->squares[i] + (1 - BETA2) * p->gradient[i] * p->gradient[i];
        p->value[i] -= learning_rate * p->gradient[i] / (sqrt(p->squares[i] / correction) + 1e-8);
        p->average[i] = AVERAGE_BETA * p->average[i] + (1 - AVERAGE_BETA) * p->value[i]; /* draws better pictures */
    }
}

/* --- Convolution; with kernel 1 and size 1 it is a fully connected layer --- */

typedef struct linear {
    int in, out, kernel, size; /* x [I][S][S] to y [O][S][S] with weights [O][I][K][K] */
    double gain;               /* equalised learning rate: stored weights have deviation 1, the gain is He's */
    int weight, bias;          /* places among the parameters */
} linear;

static linear make_linear(parameters *p, int in, int out, int kernel, int size, double gain) {
    linear l = {in, out, kernel, size, gain / sqrt(in * kernel * kernel), 0, 0};
    l.weight = add_parameters(p, out * in * kernel * kernel, 1);
    l.bias = add_parameters(p, out, 0);
    return l;
}

/* Visits every product of the convolution: y[output] += gain * w[weight] * x[input]. */
#define FOR_EACH_PRODUCT(l, statement)                                                        \
    for (int weight = 0; weight < (l)->out * (l)->in * (l)->kernel * (l)->kernel; weight++) { \
        const int k = (l)->kernel, s = (l)->size, plane = weight / (k * k);                   \
        const int di = weight / k % k - k / 2, dj = weight % k - k / 2;                       \
        const int first = dj < 0 ? -dj : 0, last = dj > 0 ? s - dj : s;                       \
        for (int i = di < 0 ? -di : 0; i < s && i + di < s; i++)                              \
            for (int j = first; j < last; j++) {                                              \
                const int output = (plane / (l)->in * s + i) * s + j;                         \
                const int input = ((plane % (l)->in) * s + i + di) * s + j + dj;              \
                statement;                                                                    \
            }                                                                                 \
    }

/* Without its bias: a linear map, which is its own derivative. */
static void multiply(const parameters *p, const linear *l, const double *x, double *y) {
    const double *w = p->value + l->weight;
    memset(y, 0, (size_t)(l->out * l->size * l->size) * sizeof *y);
    FOR_EACH_PRODUCT(l, y[output] += l->gain * w[weight] * x[input])
}

static void multiply_backward(const parameters *p, const linear *l, const double *dy, double *dx) {
    const double *w = p->value + l->weight;
    memset(dx, 0, (size_t)(l->in * l->size * l->size) * sizeof *dx);
    FOR_EACH_PRODUCT(l, dx[input] += l->gain * w[weight] * dy[output])
}

static void add_weight_gradient(parameters *p, const linear *l, const double *x, const double *dy) {
    double *dw = p->gradient + l->weight;
    FOR_EACH_PRODUCT(l, dw[weight] += l->gain * x[input] * dy[output])
}

/* The whole layer, bias included, ... */
static void forward(const parameters *p, const linear *l, const double *x, double *y) {
    const int area = l->size * l->size;
    multiply(p, l, x, y);
    for (int i = 0; i < l->out * area; i++) y[i] += p->value[l->bias + i / area];
}

static void add_bias_gradient(parameters *p, const linear *l, const double *dy, double factor) {
    const int area = l->size * l->size;
    for (int i = 0; i < l->out * area; i++) p->gradient[l->bias + i / area] += factor * dy[i];
}

/* ... and back. */
static void backward(parameters *p, const linear *l, const double *x, const double *dy, double *dx) {
    add_weight_gradient(p, l, x, dy);
    add_bias_gradient(p, l, dy, 1);
    multiply_backward(p, l, dy, dx);
}

/* --- Other operations --- */

/* y = slope * x: the slope is 1 above 0 and 0.2 below. It is kept, because dx = slope * dy. */
static void leaky_relu(double *x, int count, double *slope) {
    for (int i = 0; i < count; i++) x[i] *= slope[i] = x[i] > 0 ? 1 : SLOPE;
}

static void scale_by(double *x, const double *factor, int count) {
    for (int i = 0; i < count; i++) x[i] *= factor[i];
}

/* large [C][2S][2S], each pixel a quarter block of small [C][S][S]. Up-sampling copies a pixel to its block, and its
   backward operation sums the block; average pooling is a quarter of the one, and its backward operation of the other. */
static void spread_blocks(const double *small, double *large, int channels, int size, double factor) {
    for (int i = 0; i < channels * 4 * size * size; i++)
        large[i] = factor * small[(i / (2 * size) / 2) * size + i % (2 * size) / 2];
}

static void sum_blocks(const double *large, double *small, int channels, int size, double factor) {
    memset(small, 0, (size_t)(channels * size * size) * sizeof *small);
    for (int i = 0; i < channels * 4 * size * size; i++)
        small[(i / (2 * size) / 2) * size + i % (2 * size) / 2] += factor * large[i];
}

/* --- The discriminator: picture [3][8][8] to score [1] --- */

enum { D_LAYERS = 5 };

typedef struct discriminator {
    parameters p;
    linear layers[D_LAYERS];
} discriminator;

/* What a pass leaves: x[l] is the input of layer l, delta[l] the gradient of the score with respect to its output. */
typedef struct d_tape {
    double x[D_LAYERS + 1][MOST], slope[D_LAYERS][MOST], delta[D_LAYERS][MOST];
} d_tape;

static const int POOLED[D_LAYERS] = {0, 1, 0, 0, 0}, ACTIVATED[D_LAYERS] = {1, 1, 1, 1, 0};

static void build_discriminator(discriminator *d) {
    const double he = sqrt(2);
    d->p.count = d->p.steps = 0;
    d->layers[0] = make_linear(&d->p, COLORS, FEATURES, 1, 8, he);        /* [3][8][8] to [F][8][8] */
    d->layers[1] = make_linear(&d->p, FEATURES, FEATURES, 3, 8, he);      /* to [F][8][8], pooled to [F][4][4] */
    d->layers[2] = make_linear(&d->p, FEATURES, FEATURES, 3, 4, he);      /* to [F][4][4], seen as [16 F][1][1] */
    d->layers[3] = make_linear(&d->p, 16 * FEATURES, FEATURES, 1, 1, he); /* to [F] */
    d->layers[4] = make_linear(&d->p, FEATURES, 1, 1, 1, 1);              /* to [1] */
}

static void pool(const linear *l, int pooled, const double *y, double *next) {
    if (pooled)
        sum_blocks(y, next, l->out, l->size / 2, 0.25);
    else
        memcpy(next, y, (size_t)(l->out * l->size * l->size) * sizeof *y);
}

static double discriminate(const discriminator *d, const double *picture, d_tape *t) {
    double y[MOST];
    memcpy(t->x[0], picture, PIXELS * sizeof *picture);
    for (int l = 0; l < D_LAYERS; l++) {
        const linear *layer = &d->layers[l];
        const int count = layer->out * layer->size * layer->size;
        forward(&d->p, layer, t->x[l], y);
        for (int i = 0; i < count; i++) t->slope[l][i] = 1;
        if (ACTIVATED[l]) leaky_relu(y, count, t->slope[l]);
        pool(layer, POOLED[l], y, t->x[l + 1]);
    }
    return t->x[D_LAYERS][0];
}

/* The gradient of the score: with respect to every layer's output (t->delta) and to the picture. */
static void discriminate_backward(const discriminator *d, d_tape *t, double *dpicture) {
    double dx[MOST] = {1}; /* the score's own */
    for (int l = D_LAYERS - 1; l >= 0; l--) {
        const linear *layer = &d->layers[l];
        const int count = layer->out * layer->size * layer->size;
        if (POOLED[l])
            spread_blocks(dx, t->delta[l], layer->out, layer->size / 2, 0.25);
        else
            memcpy(t->delta[l], dx, (size_t)count * sizeof *dx);
        scale_by(t->delta[l], t->slope[l], count);
        multiply_backward(&d->p, layer, t->delta[l], dx);
    }
    memcpy(dpicture, dx, PIXELS * sizeof *dpicture);
}

/* R1 punishes steep scores at training pictures: gamma / 2 * |g|^2 with g = d score / d picture. For its gradient, g must
   be differentiated once more. As the discriminator is made of linear maps A and slopes S, which do not change nearby,
   g = A0' S0 A1' S1 ... 1 and, for v = gamma * g, v . g = 1' ... S1 A1 S0 A0 v: a forward pass of v instead of the picture,
   with the slopes kept and without biases. So the gradient with respect to A_l is, as in any pass, the product of delta_l
   and the input of layer l, here the tangent. The main loss has the same deltas, times d loss / d score: both at once. */
static double add_d_gradient(discriminator *d, d_tape *t, double dscore, double gamma) {
    double tangent[MOST], y[MOST], squares = 0;
    discriminate_backward(d, t, tangent);
    for (int i = 0; i < PIXELS; i++) {
        squares += tangent[i] * tangent[i];
        tangent[i] *= gamma;
    }
    for (int l = 0; l < D_LAYERS; l++) {
        const linear *layer = &d->layers[l];
        const int count = layer->out * layer->size * layer->size, inputs = layer->in * layer->size * layer->size;
        double combined[MOST];
        for (int i = 0; i < inputs; i++) combined[i] = dscore * t->x[l][i] + tangent[i];
        add_weight_gradient(&d->p, layer, combined, t->delta[l]);
        add_bias_gradient(&d->p, layer, t->delta[l], dscore);
        multiply(&d->p, layer, tangent, y);
        scale_by(y, t->slope[l], count);
        pool(layer, POOLED[l], y, tangent);
    }
    return gamma / 2 * squares;
}

/* --- The generator: z [D] to picture [3][8][8] --- */

enum { MAPPING = 2, G_LAYERS = 4 };
static const int SIZES[G_LAYERS] = {4, 4, 8, 8};

typedef struct generator {
    parameters p;
    linear mapping[MAPPING];      /* [D] to [D] */
    int constant;                 /* [F][4][4], where every picture begins */
    linear conv[G_LAYERS];        /* not in layer 0; [F][S][S] to [F][S][S] */
    int noise_strength[G_LAYERS]; /* [F] */
    linear style[G_LAYERS];       /* w [D] to [2 F]: scales, then shifts */
    linear torgb;                 /* [F][8][8] to [3][8][8] */
} generator;

typedef struct g_tape {
    double z[LATENTS], w[MAPPING + 1][LATENTS], w_slope[MAPPING][LATENTS];
    double noise[G_LAYERS][SIZE * SIZE];
    double x[G_LAYERS][MOST];      /* input of the convolution, up-sampled where the size doubles */
    double slope[G_LAYERS][MOST];  /* of the activation */
    double normal[G_LAYERS][MOST]; /* normalised: mean 0 and deviation 1 in each channel */
    double deviation[G_LAYERS][FEATURES];
    double style[G_LAYERS][2 * FEATURES];
    double last[MOST], picture[PIXELS];
} g_tape;

static void build_generator(generator *g) {
    const double he = sqrt(2);
    g->p.count = g->p.steps = 0;
    for (int i = 0; i < MAPPING; i++) g->mapping[i] = make_linear(&g->p, LATENTS, LATENTS, 1, 1, he);
    g->constant = add_parameters(&g->p, FEATURES * 4 * 4, 1);
    for (int l = 0; l < G_LAYERS; l++) {
        if (l) g->conv[l] = make_linear(&g->p, FEATURES, FEATURES, 3, SIZES[l], he);
        g->noise_strength[l] = add_parameters(&g->p, FEATURES, 0);
        g->style[l] = make_linear(&g->p, LATENTS, 2 * FEATURES, 1, 1, 1);
    }
    g->torgb = make_linear(&g->p, FEATURES, COLORS, 1, SIZE, 1);
    memcpy(g->p.average, g->p.value, sizeof g->p.value);
}

/* AdaIN: each channel to mean 0 and deviation 1, then to the scale and shift that the style wants. */
static void adain(const double *a, const double *style, int area, double *normalized, double *deviation, double *out) {
    for (int c = 0; c < FEATURES; c++) {
        double mean = 0, variance = 1e-8;
        for (int i = c * area; i < (c + 1) * area; i++) mean += a[i] / area;
        for (int i = c * area; i < (c + 1) * area; i++) variance += (a[i] - mean) * (a[i] - mean) / area;
        deviation[c] = sqrt(variance);
        for (int i = c * area; i < (c + 1) * area; i++) {
            normalized[i] = (a[i] - mean) / deviation[c];
            out[i] = (1 + style[c]) * normalized[i] + style[FEATURES + c];
        }
    }
}

/* dx holds the gradient of the output, then that of the input. A change of a pixel also moves its channel's mean and
   deviation: what dx shares with these two is taken out. */
static void adain_backward(const double *normalized, const double *deviation, const double *style, int area, double *dx,
                           double *dstyle) {
    for (int c = 0; c < FEATURES; c++) {
        const double scale = 1 + style[c];
        double sum = 0, product = 0;
        for (int i = c * area; i < (c + 1) * area; i++) {
            sum += dx[i];
            product += dx[i] * normalized[i];
        }
        for (int i = c * area; i < (c + 1) * area; i++)
            dx[i] = scale / deviation[c] * (dx[i] - sum / area - normalized[i] * product / area);
        dstyle[c] = product;
        dstyle[FEATURES + c] = sum;
    }
}

/* From t->z and t->noise. */
static void generate(const generator *g, g_tape *t) {
    const parameters *p = &g->p;
    double squares = 0, a[MOST], out[MOST];
    for (int i = 0; i < LATENTS; i++) squares += t->z[i] * t->z[i] / LATENTS;
    for (int i = 0; i < LATENTS; i++) t->w[0][i] = t->z[i] / sqrt(squares + 1e-8);
    for (int i = 0; i < MAPPING; i++) {
        forward(p, &g->mapping[i], t->w[i], t->w[i + 1]);
        leaky_relu(t->w[i + 1], LATENTS, t->w_slope[i]);
    }
    for (int l = 0; l < G_LAYERS; l++) {
        const int area = SIZES[l] * SIZES[l], count = FEATURES * area;
        if (l == 0)
            memcpy(a, p->value + g->constant, (size_t)count * sizeof *a);
        else if (SIZES[l] > SIZES[l - 1])
            spread_blocks(out, t->x[l], FEATURES, SIZES[l - 1], 1);
        else
            memcpy(t->x[l], out, (size_t)count * sizeof *out);
        if (l) forward(p, &g->conv[l], t->x[l], a);
        for (int i = 0; i < count; i++) a[i] += p->value[g->noise_strength[l] + i / area] * t->noise[l][i % area];
        leaky_relu(a, count, t->slope[l]);
        forward(p, &g->style[l], t->w[MAPPING], t->style[l]);
        adain(a, t->style[l], area, t->normal[l], t->deviation[l], out);
    }
    memcpy(t->last, out, sizeof out);
    forward(p, &g->torgb, t->last, t->picture);
}

/* The same way back, with the gradient of the loss with respect to the picture. */
static void add_g_gradient(generator *g, const g_tape *t, const double *dpicture) {
    parameters *p = &g->p;
    double dx[MOST], dw[LATENTS] = {0}, from_style[LATENTS], dstyle[2 * FEATURES], d_input[MOST];
    backward(p, &g->torgb, t->last, dpicture, dx);
    for (int l = G_LAYERS - 1; l >= 0; l--) {
        const int area = SIZES[l] * SIZES[l], count = FEATURES * area;
        adain_backward(t->normal[l], t->deviation[l], t->style[l], area, dx, dstyle);
        backward(p, &g->style[l], t->w[MAPPING], dstyle, from_style);
        for (int i = 0; i < LATENTS; i++) dw[i] += from_style[i];
        scale_by(dx, t->slope[l], count);
        for (int i = 0; i < count; i++) {
            p->gradient[g->noise_strength[l] + i / area] += dx[i] * t->noise[l][i % area];
            if (l == 0) p->gradient[g->constant + i] += dx[i];
        }
        if (l == 0) break;
        backward(p, &g->conv[l], t->x[l], dx, d_input);
        if (SIZES[l] > SIZES[l - 1])
            sum_blocks(d_input, dx, FEATURES, SIZES[l - 1], 1);
        else
            memcpy(dx, d_input, (size_t)count * sizeof *dx);
    }
    for (int i = MAPPING - 1; i >= 0; i--) {
        scale_by(dw, t->w_slope[i], LATENTS);
        backward(p, &g->mapping[i], t->w[i], dw, from_style);
        memcpy(dw, from_style, sizeof dw);
    }
}

/* --- >>step --- */

typedef struct game {
    discriminator d;
    generator g;
    double reals[BATCH][PIXELS];                                   /* [N][3][8][8] */
    g_tape fakes[BATCH];                                           /* each from z [D] to picture [3][8][8] */
    double real_scores[BATCH], fake_scores[BATCH], d_loss, g_loss; /* of the last step */
} game;

static void reset(game *m, unsigned long long seed) {
    random_state = seed;
    memset(m, 0, sizeof *m);
    build_discriminator(&m->d);
    build_generator(&m->g);
}

static double softplus(double x) { /* log(1 + exp(x)): the loss of a score that should be low */
    return x > 0 ? x + log1p(exp(-x)) : log1p(exp(x));
}

static double sigmoid(double x) { /* its derivative */
    return 1 / (1 + exp(-x));
}

/* The training set: a blob of random place, size and colour on a dark background, values from -1 to 1. */
static void draw_blob(double *picture) {
    const double x = 1 + 5 * uniform(), y = 1 + 5 * uniform(), radius = 1.5 + uniform();
    for (int c = 0; c < COLORS; c++) {
        const double inside = 1.8 * uniform() - 0.8, outside = -0.8;
        for (int i = 0; i < SIZE * SIZE; i++) {
            const double share = sigmoid(3 * (radius - hypot(i % SIZE - x, i / SIZE - y)));
            picture[c * SIZE * SIZE + i] = outside + (inside - outside) * share;
        }
    }
}

static void draw_latents(g_tape *t) {
    for (int i = 0; i < LATENTS; i++) t->z[i] = normal();
    for (int l = 0; l < G_LAYERS; l++)
        for (int i = 0; i < SIZES[l] * SIZES[l]; i++) t->noise[l][i] = normal();
}

/* Real pictures should score high, generated ones low; scores should be flat around real ones. Returns the loss. */
static double teach_discriminator(game *m) {
    static d_tape t;
    double loss = 0;
    memset(m->d.p.gradient, 0, sizeof m->d.p.gradient);
    for (int n = 0; n < BATCH; n++) {
        const double fake = m->fake_scores[n] = discriminate(&m->d, m->fakes[n].picture, &t);
        loss += softplus(fake) / BATCH;
        add_d_gradient(&m->d, &t, sigmoid(fake) / BATCH, 0);
        const double real = m->real_scores[n] = discriminate(&m->d, m->reals[n], &t);
        loss += softplus(-real) / BATCH + add_d_gradient(&m->d, &t, -sigmoid(-real) / BATCH, r1_gamma / BATCH);
    }
    return loss;
}

/* Generated pictures should score high: the discriminator says in which direction each pixel has to change for that. */
static double teach_generator(game *m) {
    static d_tape t;
    double loss = 0, dpicture[PIXELS];
    memset(m->g.p.gradient, 0, sizeof m->g.p.gradient);
    for (int n = 0; n < BATCH; n++) {
        generate(&m->g, &m->fakes[n]);
        const double score = discriminate(&m->d, m->fakes[n].picture, &t);
        loss += softplus(-score) / BATCH;
        discriminate_backward(&m->d, &t, dpicture);
        for (int i = 0; i < PIXELS; i++) dpicture[i] *= -sigmoid(-score) / BATCH;
        add_g_gradient(&m->g, &m->fakes[n], dpicture);
    }
    return loss;
}

static void train_step(game *m) {
    for (int n = 0; n < BATCH; n++) {
        draw_blob(m->reals[n]);
        draw_latents(&m->fakes[n]);
        generate(&m->g, &m->fakes[n]);
    }
    m->d_loss = teach_discriminator(m);
    adam(&m->d.p);
    m->g_loss = teach_generator(m);
    adam(&m->g.p);
}

/* What the generator draws best: with the averages of its parameters. */
static void draw_averaged(const game *m, g_tape *t) {
    static generator averaged;
    averaged = m->g;
    memcpy(averaged.p.value, averaged.p.average, sizeof averaged.p.value);
    generate(&averaged, t);
}

#ifndef TRAIN_STEP_LIBRARY /* the playground brings its own program */
#include <stdio.h>
#include <stdlib.h>

/* --- The program: a sheet of training pictures, what is drawn before training, and what is drawn after it --- */

enum { COLUMNS = 12, ROWS = 2, BANDS = 3, ZOOM = 6, TILE = (SIZE + 1) * ZOOM, WIDTH = COLUMNS * TILE };
static unsigned char sheet[BANDS * ROWS * TILE][WIDTH][COLORS];

static void put(int row, int column, const double *picture) {
    for (int i = 0; i < SIZE * ZOOM; i++)
        for (int j = 0; j < SIZE * ZOOM; j++)
            for (int c = 0; c < COLORS; c++) {
                const double value = picture[(c * SIZE + i / ZOOM) * SIZE + j / ZOOM] * 127.5 + 128;
                sheet[row * TILE + i][column * TILE + j][c] = (unsigned char)fmin(fmax(value, 0), 255);
            }
}

static void draw_band(const game *m, int band, const g_tape *latents) {
    for (int i = 0; i < ROWS * COLUMNS; i++) {
        g_tape t = latents[i];
        if (band)
            draw_averaged(m, &t);
        else
            draw_blob(t.picture);
        put(band * ROWS + i / COLUMNS, i % COLUMNS, t.picture);
    }
}

/* Of two parameters of each group, the first and the middle one: the largest difference of its gradient and
   (loss(p + h) - loss(p - h)) / 2 h, relative to the largest gradient. */
static double gradient_error(game *m, parameters *p, double (*loss)(game *)) {
    static double gradient[MOST_PARAMETERS];
    const double h = 1e-6;
    double largest = 0, error = 0;
    loss(m);
    memcpy(gradient, p->gradient, sizeof gradient);
    for (int tried = 0; tried < 2 * p->groups; tried++) {
        const int group = tried / 2, end = group + 1 < p->groups ? p->first[group + 1] : p->count;
        const int i = tried % 2 ? (p->first[group] + end) / 2 : p->first[group];
        const double value = p->value[i];
        p->value[i] = value + h;
        const double above = loss(m);
        p->value[i] = value - h;
        const double slope = (above - loss(m)) / (2 * h);
        p->value[i] = value;
        largest = fmax(largest, fabs(slope));
        error = fmax(error, fabs(slope - gradient[i]));
    }
    return error / largest;
}

static int check(game *m) {
    for (int i = 0; i < 3; i++) train_step(m); /* away from where many parameters are 0 */
    const double errors[] = {gradient_error(m, &m->d.p, teach_discriminator),
                             gradient_error(m, &m->g.p, teach_generator)};
    static const char *const names[] = {"discriminator, with R1,", "generator"};
    int failed = 0;
    for (int i = 0; i < 2; i++) {
        const int good = errors[i] < 1e-5;
        printf("%s gradient of the %s differs by %.1e\n", good ? "ok" : "FAIL", names[i], errors[i]);
        failed |= !good;
    }
    return failed;
}

int main(int argc, char **argv) {
    static game m;
    static g_tape latents[ROWS * COLUMNS];
    const int checks = argc == 2 && strcmp(argv[1], "--check") == 0;
    char *end = NULL;
    const long steps = argc > 2 ? strtol(argv[2], &end, 10) : 1200;
    if (argc < 2 || argc > 3 || (argv[1][0] == '-' && !checks) || (end && (end == argv[2] || *end)))
        return fprintf(stderr, "usage: train_step SHEET.ppm [STEPS] | --check\n"), 2;
    reset(&m, 1);
    for (int i = 0; i < ROWS * COLUMNS; i++) draw_latents(&latents[i]);
    if (checks) return check(&m);

    FILE *file = fopen(argv[1], "wb"); /* before the work, in case that it cannot be written */
    if (!file) return perror(argv[1]), 1;
    draw_band(&m, 0, latents);
    draw_band(&m, 1, latents);
    for (long step = 1; step <= steps; step++) {
        train_step(&m);
        if (step % 100 == 0)
            printf("step %ld, loss of the discriminator %.3f, of the generator %.3f\n", step, m.d_loss, m.g_loss);
    }
    draw_band(&m, 2, latents);

    fprintf(file, "P6 %d %d 255\n", WIDTH, BANDS * ROWS * TILE);
    const int whole = fwrite(sheet, 1, sizeof sheet, file) == sizeof sheet;
    if (fclose(file) || !whole) return perror(argv[1]), 1;
    return 0;
}
#endif
