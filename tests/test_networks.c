/* test_networks.c - both whole networks and a whole step of the trainer against plain double-precision references and their
   central differences. */
#include "small_trainer.h"

#include <stdlib.h>

/* --- Whole networks --- */

/* Parameters of both networks in double; [floats] as the network has them. */
typedef struct reference {
    const trainer *t;
    double *g, *d;
    growth growth;
    plain image, logits_weight; /* of D; the loss is their product, or R1 of it */
    plain z[2], image_weight;   /* of G */
    const float *labels;
    plain noise[MOST_LEVELS][2];
    plain direction; /* v of R1 */
    double factor;
} reference;

static plain ref_linear(const network *net, const double *theta, const linear *l, plain x, int activate) {
    const parameter *weight = &net->parameters[l->weight], *bias = &net->parameters[l->bias];
    const int stride = (weight->groups * weight->columns + COLUMNS - 1) / COLUMNS * COLUMNS;
    const int columns = l->c.out, row = weight->groups > 1 ? columns : stride;
    plain y = ref_conv(l->c.kind == CONVOLUTION_UP ? ref_up(x) : x, theta + weight->offset, l->c.kernel, columns, row,
                       (double)weight->gain);
    if (l->c.kind == CONVOLUTION_DOWN) y = ref_pool(y);
    if (activate) ref_activate(y, theta + bias->offset, (double)bias->gain, activate > 1 ? 1 : 0.2);
    return y;
}

enum { RAW, LRELU, LINEAR };

static const double MARGIN = 1e-5;

/* A layer of D, and its derivative: along *t, unless that is empty, which becomes the output's. */
static plain d_layer(const reference *r, const linear *l, plain x, plain *t) {
    const plain y = ref_linear(&r->t->d.net, r->d, l, x, LRELU);
    if (!t->v) return y;
    *t = ref_linear(&r->t->d.net, r->d, l, *t, RAW);
    for (int i = 0; i < plain_count(y); i++) t->v[i] *= y.v[i] < 0 ? 0.2 : 1;
    return y;
}

static plain d_stddev(plain x, plain *t) {
    const double step = 1e-4;
    const plain y = ref_stddev(x);
    if (!t->v) return y;
    plain moved[2], u = plain_new(y.c, y.s);
    for (int k = 0; k < 2; k++) {
        moved[k] = plain_new(x.c, x.s);
        for (int i = 0; i < plain_count(x); i++) moved[k].v[i] = x.v[i] + (k ? step : -step) * t->v[i];
        moved[k] = ref_stddev(moved[k]);
    }
    for (int i = 0; i < plain_count(y); i++) u.v[i] = (moved[1].v[i] - moved[0].v[i]) / (2 * step);
    *t = u;
    return y;
}

static plain flattened(plain x) {
    plain flat = plain_new(16 * x.c, 1);
    EACH(x) * at(flat, n, (row * 4 + column) * x.c + c, 0, 0) = *at(x, n, c, row, column);
    return flat;
}

static plain ref_add(plain a, plain b, double factor) {
    plain y = plain_new(a.c, a.s);
    for (int i = 0; i < plain_count(y); i++) y.v[i] = factor * (a.v[i] + b.v[i]);
    return y;
}

/* The logits, and their derivative along *t if that is not empty. */
static plain d_reference(const reference *r, plain *t) {
    const discriminator *d = &r->t->d;
    const int top = r->growth.top;
    plain small_t = t->v ? ref_pool(*t) : *t;
    plain x = d_layer(r, d->from_rgb[top], r->image, t);
    for (int l = top; l > 0; l--) {
        const plain input = x, input_t = *t;
        x = d_layer(r, d->conv0[l], x, t);
        if (t->v) *t = ref_blur(*t);
        x = d_layer(r, d->conv1[l], ref_blur(x), t);
        if (d->residual) { /* (x + skip) / sqrt(2) */
            x = ref_add(x, ref_linear(&d->net, r->d, d->skip[l], ref_pool(input), LINEAR), sqrt(0.5));
            if (t->v) *t = ref_add(*t, ref_linear(&d->net, r->d, d->skip[l], ref_pool(input_t), RAW), sqrt(0.5));
        }
        if (l < top || r->growth.fade == 1) continue;
        x = ref_lerp(d_layer(r, d->from_rgb[l - 1], ref_pool(r->image), &small_t), x, (double)r->growth.fade);
        if (t->v) *t = ref_lerp(small_t, *t, (double)r->growth.fade);
    }
    x = d_layer(r, d->conv, d_stddev(x, t), t);
    if (t->v) *t = flattened(*t);
    x = d_layer(r, d->dense0, flattened(x), t);
    if (t->v) *t = ref_linear(&d->net, r->d, d->dense1, *t, RAW);
    return ref_linear(&d->net, r->d, d->dense1, x, LINEAR);
}

static double d_loss(void *context) {
    const reference *r = context;
    plain none_of_it = {0, 0, NULL};
    return dot(r->logits_weight, d_reference(r, &none_of_it));
}

/* R1 from its definition: every component of D's gradient by a central difference. */
static double r1_loss(void *context) {
    const reference *r = context;
    const double step = 1e-5;
    double sum = 0;
    const size_t before = heap_used;
    for (int i = 0; i < plain_count(r->image); i++) {
        const double value = r->image.v[i];
        r->image.v[i] = value + step;
        const double above = d_loss(context);
        r->image.v[i] = value - step;
        const double below = d_loss(context);
        r->image.v[i] = value;
        sum += pow((above - below) / (2 * step), 2);
        heap_used = before;
    }
    return r->factor / 2 * sum;
}

/* v . dD/dx: its gradient is R1's where v = factor * dD/dx is held. */
static double along_loss(void *context) {
    const reference *r = context;
    plain t = r->direction;
    d_reference(r, &t);
    return dot(r->logits_weight, t);
}

/* Both w [N][D]. */
static void ref_mapping(const reference *r, plain *w) {
    const generator *g = &r->t->g;
    const network *net = &g->net;
    const double *theta = r->g;
    for (int i = 0; i < 2; i++) {
        plain input = plain_new(2 * g->z_dim, 1);
        for (int n = 0; n < SHARD; n++)
            for (int c = 0; c < g->z_dim; c++) {
                *at(input, n, c, 0, 0) = *at(r->z[i], n, c, 0, 0);
                for (int k = 0; k < g->labels; k++)
                    *at(input, n, g->z_dim + c, 0, 0) +=
                        (double)r->labels[n * g->labels + k] *
                        theta[net->parameters[g->embed].offset + (size_t)(k * COLUMNS + c)];
            }
        w[i] = ref_pixel_norm(input);
        for (int m = 0; m < g->mapping_layers; m++) w[i] = ref_linear(net, theta, g->mapping[m], w[i], LRELU);
    }
}

static plain ref_constant(const reference *r) {
    const generator *g = &r->t->g;
    plain x = plain_new(g->channels[0], 4);
    EACH(x)
    *at(x, n, c, row, column) =
        r->g[g->net.parameters[g->constant].offset + (size_t)((row * 4 + column) * COLUMNS + c)];
    return x;
}

/* A layer's style, where style `number` is the first to take the second latent for crossover = number. */
static plain ref_style(const reference *r, const plain *w, const g_layer *layer, int number, const int *crossover) {
    plain mixed = plain_new(r->t->g.w_dim, 1);
    EACH(mixed) * at(mixed, n, c, 0, 0) = *at(w[number >= crossover[n]], n, c, row, column);
    return ref_linear(&r->t->g.net, r->g, layer->affine, mixed, LINEAR);
}

static plain g_reference1(const reference *r, const plain *w, const int *crossover) {
    const generator *g = &r->t->g;
    const network *net = &g->net;
    const double *theta = r->g;
    plain x = {0, 0, NULL}, below = {0, 0, NULL};
    for (int level = 0; level <= r->growth.top; level++)
        for (int index = 0; index < 2; index++) {
            const g_layer *layer = &g->layer[level][index];
            const double *bias = theta + net->parameters[layer->bias].offset;
            const double *strength = theta + net->parameters[layer->strength].offset;
            if (layer->conv) {
                x = ref_linear(net, theta, layer->conv, x, RAW);
                if (!index) x = ref_blur(x);
            } else {
                x = ref_constant(r);
            }
            const plain style = ref_style(r, w, layer, 2 * level + index, crossover);
            x = ref_adain(ref_epilogue(x, r->noise[level][index], strength, bias), style, style.c / 2);
            if (level == r->growth.top - 1 && index && r->growth.fade < 1)
                below = ref_up(ref_linear(net, theta, g->to_rgb[level], x, LINEAR));
        }
    const plain image = ref_linear(net, theta, g->to_rgb[r->growth.top], x, LINEAR);
    return below.v ? ref_lerp(below, image, (double)r->growth.fade) : image;
}

static plain modulated_layer(const reference *r, const linear *l, plain x, plain style, int demodulated) {
    const parameter *weight = &r->t->g.net.parameters[l->weight];
    return ref_modulated(x, style, r->g + weight->offset, l->c.kernel, l->c.out, padded(l->c.out), (double)weight->gain,
                         demodulated);
}

static plain g_reference2(const reference *r, const plain *w, const int *crossover) {
    const generator *g = &r->t->g;
    const network *net = &g->net;
    plain x = ref_constant(r), image = {0, 0, NULL};
    for (int level = 0; level <= r->growth.top; level++)
        for (int index = level ? 0 : 1; index < 3; index++) {
            const g_layer *layer = &g->layer[level][index];
            const plain style = ref_style(r, w, layer, 2 * level + index - 1, crossover);
            const double *bias = r->g + net->parameters[layer->conv->bias].offset;
            if (index == 2) {
                plain rgb = modulated_layer(r, layer->conv, x, style, 0);
                ref_activate(rgb, bias, 1, 1);
                for (int i = 0; level == r->growth.top && i < plain_count(rgb); i++) rgb.v[i] *= (double)r->growth.fade;
                image = image.v ? ref_add(ref_blur(ref_up(image)), rgb, 1) : rgb;
                continue;
            }
            if (index) x = modulated_layer(r, layer->conv, x, style, 1);
            if (!index) x = ref_blur_within(modulated_layer(r, layer->conv, ref_pad(ref_up(x), 1), style, 1));
            x = ref_noise_and_lrelu(x, r->noise[level][index], r->g + net->parameters[layer->strength].offset, bias);
        }
    return image;
}

static plain g_reference(const reference *r, const int *crossover) {
    plain w[2];
    ref_mapping(r, w);
    return (r->t->config.shape.architecture == ARCHITECTURE_STYLEGAN2 ? g_reference2 : g_reference1)(r, w, crossover);
}

static double g_loss(void *context) {
    const reference *r = context;
    return dot(r->image_weight, g_reference(r, r->t->shards_of_batch[0].fakes.crossover));
}

/* The gradient of the parameters themselves, gains included, of those that take part. Those with little share in it are
   measured by the whole. */
static double *used_gradient(const network *net, growth g, const float *gradient, verdict *v) {
    double *used = take(net->floats), square = 0;
    for (int i = 0; i < net->count; i++) {
        const parameter *p = &net->parameters[i];
        for (size_t k = p->offset; k < p->offset + network_floats(net, i) && network_active(p, g); k++) {
            used[k] = (double)(gradient[k] * p->gain);
            square += used[k] * used[k];
        }
    }
    v->floor = sqrt(square) / 30;
    return used;
}

/* Parameter by parameter. */
static void compare_parameters(verdict *v, const network *net, growth g, double *theta, const double *gradient,
                               loss_fn *loss, void *context) {
    for (int i = 0; i < net->count; i++) {
        const parameter *p = &net->parameters[i];
        if (!network_active(p, g)) continue;
        compare_gradient(v, theta + p->offset, gradient + p->offset, (int)network_floats(net, i), loss, context);
        v->count++;
    }
}

static void check_discriminator(network_architecture architecture, growth g) {
    trainer *t = small_trainer(architecture, g);
    trainer_thread *desk = &t->desks[0];
    d_maps *real = &t->activations[0][REAL];
    verdict v = none, r1 = none;
    r1.step = 1e-6;
    reference r = {.t = t, .d = take(t->d.net.floats), .growth = g, .logits_weight = random_plain(3, 1), .factor = 0.3};
    copy_doubles(r.d, t->d.net.values, t->d.net.floats);
    float *gradient = t->shards_of_batch[0].d_gradient[REAL];
    plain none_of_it = {0, 0, NULL};
    for (nearest_kink = 0; nearest_kink < MARGIN;) {
        r.image = random_plain(3, 4 << g.top);
        nearest_kink = INFINITY;
        d_reference(&r, &none_of_it);
    }
    to_map(r.image, &real->level[g.top].image);
    discriminator_forward(&t->d, g, real, NULL, &desk->scratch);
    compare(&v, from_map(&real->logits), d_reference(&r, &none_of_it));

    to_map(r.logits_weight, &desk->dx.logits);
    memset(gradient, 0, t->d.net.floats * sizeof *gradient);
    discriminator_backward(&t->d, g, real, &desk->dx, NULL, gradient, &desk->scratch);
    discriminator_image_gradient(&t->d, g, &desk->dx, &desk->scratch);
    discriminator_gradient(&t->d, g, real, &desk->dx, gradient, &desk->scratch);
    const plain slope = from_map(&desk->dx.level[g.top].image);
    compare_gradient(&v, r.image.v, slope.v, plain_count(r.image), d_loss, &r);
    compare_parameters(&v, &t->d.net, g, r.d, used_gradient(&t->d.net, g, gradient, &v), d_loss, &r);

    /* R1 alone: its own part, then what goes down with a loss of zero */
    memset(gradient, 0, t->d.net.floats * sizeof *gradient);
    const double square = discriminator_r1(&t->d, g, real, &desk->dx, &desk->tangent, &desk->extra, (float)r.factor,
                                           gradient, &desk->scratch);
    map_clear(&desk->dx.logits);
    discriminator_backward(&t->d, g, real, &desk->dx, &desk->extra, gradient, &desk->scratch);
    discriminator_gradient(&t->d, g, real, &desk->dx, gradient, &desk->scratch);
    r.direction = plain_new(3, 4 << g.top);
    for (int i = 0; i < plain_count(r.image); i++) r.direction.v[i] = r.factor * slope.v[i];
    double *all = used_gradient(&t->d.net, g, gradient, &r1);
    compare_parameters(&r1, &t->d.net, g, r.d, all, along_loss, &r);
    /* R1 by its definition, with all parameters moving at once */
    if (g.top == 1 && (g.fade < 1 || t->d.residual)) { /* 1536 passes for one value: not at 16 x 16 */
        note(&r1.value, fabs(r.factor / 2 * square / r1_loss(&r) - 1));
        compare_gradient(&r1, r.d, all, (int)t->d.net.floats, r1_loss, &r);
    }
    char name[80];
    snprintf(name, sizeof name, "StyleGAN %d, discriminator at %d, fade %g", architecture + 1, 4 << g.top,
             (double)g.fade);
    report(t->d.net.engine, name, v);
    snprintf(name, sizeof name, "StyleGAN %d, R1 at %d, fade %g", architecture + 1, 4 << g.top, (double)g.fade);
    report(t->d.net.engine, name, r1);
    trainer_free(t);
}

/* What training_draw drew for the shard. */
static void copy_draws(const g_maps *x, reference *r) {
    for (int i = 0; i < 2; i++) {
        r->z[i] = plain_new(r->t->g.z_dim, 1);
        EACH(r->z[i]) * at(r->z[i], n, c, row, column) =
            (double)x->latent[i].input.data[map_at(&x->latent[i].input, c, 0, 0, n)];
    }
    for (int l = 0; l <= r->growth.top; l++)
        for (int i = 0; i < 2; i++) {
            const int pixels = 16 << 2 * l;
            if (!x->layer[l][i].noise) continue;
            r->noise[l][i] = plain_new(1, 4 << l);
            for (int p = 0; p < pixels * SHARD; p++)
                r->noise[l][i].v[p % SHARD * pixels + p / SHARD] = (double)x->layer[l][i].noise[p];
        }
}

static void check_generator(network_architecture architecture, growth g) {
    static const float labels[SHARD * 3] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0.5f, 0, 0.25f};
    trainer *t = small_trainer(architecture, g);
    trainer_thread *desk = &t->desks[0];
    g_maps *x = &t->shards_of_batch[0].fakes;
    verdict v = none;
    reference r = {
        .t = t, .g = take(t->g.net.floats), .growth = g, .image_weight = random_plain(3, 4 << g.top), .labels = labels};
    copy_doubles(r.g, t->g.net.values, t->g.net.floats);
    for (nearest_kink = 0; nearest_kink < MARGIN; t->steps++) {
        training_draw(t, 0);
        copy_draws(x, &r);
        nearest_kink = INFINITY;
        g_reference(&r, x->crossover);
    }
    generator_forward(&t->g, g, x, labels, &desk->scratch);
    compare(&v, from_map(generator_image(x, g)), g_reference(&r, x->crossover));
    map *d_image = &desk->dx.level[g.top].image;
    to_map(r.image_weight, d_image);
    float *gradient = t->shards_of_batch[0].g_gradient;
    memset(gradient, 0, t->g.net.floats * sizeof *gradient);
    generator_backward(&t->g, g, x, &desk->g_gradient, d_image, labels, gradient, &desk->scratch);
    compare_parameters(&v, &t->g.net, g, r.g, used_gradient(&t->g.net, g, gradient, &v), g_loss, &r);
    char name[80];
    snprintf(name, sizeof name, "StyleGAN %d, generator at %d, fade %g", architecture + 1, 4 << g.top, (double)g.fade);
    report(t->g.net.engine, name, v);
    trainer_free(t);
}

/* --- A whole step: the gradients that the trainer leaves, of losses and penalties as they are defined --- */

typedef struct step_case {
    reference r;
    plain real, labels, slope_real, slope_fake; /* slopes: factor * dD/dx, held */
} step_case;

static double step_softplus(double x) {
    return log1p(exp(-fabs(x))) + fmax(x, 0);
}

/* Scores [N] of images; adds the derivative of their sum along `slope` to *along, unless that is empty. */
static void step_scores(step_case *k, plain image, plain slope, double *scores, double *along) {
    k->r.image = image;
    const plain logits = d_reference(&k->r, &slope);
    if (slope.v) *along += dot(k->labels, slope);
    for (int n = 0; n < SHARD; n++) {
        scores[n] = 0;
        for (int c = 0; c < logits.c; c++) scores[n] += logits.v[n * logits.c + c] * k->labels.v[n * logits.c + c];
    }
}

static plain step_fakes(const step_case *k) {
    const trainer *t = k->r.t;
    const trainer_shard *shard = &t->shards_of_batch[0];
    const plain images = g_reference(&k->r, shard->fakes.crossover);
    return t->p > 0 ? ref_augment(images, shard->augmentations[FAKE]) : images;
}

static double step_d_loss(void *context) {
    step_case *k = context;
    double real[SHARD], fake[SHARD], penalties = 0, loss = 0;
    step_scores(k, k->real, k->slope_real, real, &penalties);
    step_scores(k, step_fakes(k), k->slope_fake, fake, &penalties);
    for (int n = 0; n < SHARD; n++)
        loss += k->r.t->config.loss == LOSS_RELATIVISTIC ? step_softplus(-(real[n] - fake[n]))
                                                         : step_softplus(-real[n]) + step_softplus(fake[n]);
    return loss / SHARD + penalties;
}

static double step_g_loss(void *context) {
    step_case *k = context;
    double real[SHARD], fake[SHARD], ignored = 0, loss = 0;
    const plain empty = {0, 0, NULL};
    step_scores(k, k->real, empty, real, &ignored);
    step_scores(k, step_fakes(k), empty, fake, &ignored);
    for (int n = 0; n < SHARD; n++)
        loss += step_softplus(k->r.t->config.loss == LOSS_RELATIVISTIC ? -(fake[n] - real[n]) : -fake[n]);
    return loss / SHARD;
}

static plain slope_at(trainer *t, const d_maps *x, plain labels) {
    trainer_thread *desk = &t->desks[0];
    to_map(labels, &desk->dx.logits);
    discriminator_backward(&t->d, t->growth, x, &desk->dx, NULL, NULL, &desk->scratch);
    discriminator_image_gradient(&t->d, t->growth, &desk->dx, &desk->scratch);
    plain slope = from_map(&desk->dx.level[t->growth.top].image);
    for (int i = 0; i < plain_count(slope); i++) slope.v[i] *= t->config.r1_gamma * t->config.r1_interval / SHARD;
    return slope;
}

static void check_step(trainer_loss loss, double p, const char *name) {
    static const float labels[SHARD * 3] = {1, 0, 0, 0, 1, 0, 0, 0, 1, 0.5f, 0, 0.25f};
    uint8_t pixels[SHARD * 16 * 16 * 3];
    trainer_config config = small;
    config.loss = (int)loss;
    config.aug = p > 0 ? AUG_FIXED : AUG_NONE;
    config.p = p;
    config.g_rate = config.d_rate = 0; /* the networks stay as they are */
    config.r1_interval = 2;
    trainer *t = trainer_create(&config, 1);
    shake(&t->g.net);
    shake(&t->d.net);
    step_case k = {.r = {.t = t, .g = take(t->g.net.floats), .d = take(t->d.net.floats), .labels = labels},
                   .labels = plain_new(3, 1)};
    copy_doubles(k.r.g, t->g.net.values, t->g.net.floats);
    copy_doubles(k.r.d, t->d.net.values, t->d.net.floats);
    copy_doubles(k.labels.v, labels, SHARD * 3);
    trainer_step_report found;
    for (nearest_kink = 0; nearest_kink < MARGIN;) {
        t->steps += t->steps % 2; /* to the next one with penalties */
        t->images = 0;
        for (size_t i = 0; i < sizeof pixels; i++) pixels[i] = (uint8_t)(256 * random_uniform(3, draws++));
        trainer_step(t, pixels, labels, &found);
        k.r.growth = t->growth;
        copy_draws(&t->shards_of_batch[0].fakes, &k.r);
        k.real = from_map(&t->activations[0][REAL].level[t->growth.top].image);
        nearest_kink = INFINITY;
        step_d_loss(&k);
    }
    verdict v = none;
    note(&v.value, fabs(found.g_loss / step_g_loss(&k) - 1));
    note(&v.value, fabs(found.d_loss / step_d_loss(&k) - 1));
    k.slope_real = slope_at(t, &t->activations[0][REAL], k.labels);
    if (loss == LOSS_RELATIVISTIC) k.slope_fake = slope_at(t, &t->activations[0][FAKE], k.labels);
    v.step = 1e-6;
    compare_parameters(&v, &t->d.net, t->growth, k.r.d, used_gradient(&t->d.net, t->growth, d_gradient_of_both(t), &v),
                       step_d_loss, &k);
    compare_parameters(&v, &t->g.net, t->growth, k.r.g,
                       used_gradient(&t->g.net, t->growth, t->shards_of_batch[0].g_gradient, &v), step_g_loss, &k);
    report(t->g.net.engine, name, v);
    trainer_free(t);
}

int main(void) {
    heap = cli_alloc(HEAP, sizeof *heap);
    check_discriminator(ARCHITECTURE_STYLEGAN1, (growth){1, 1});
    check_discriminator(ARCHITECTURE_STYLEGAN1, (growth){1, 0.3f});
    check_discriminator(ARCHITECTURE_STYLEGAN1, (growth){2, 0.6f});
    check_discriminator(ARCHITECTURE_STYLEGAN2, (growth){1, 1});
    check_discriminator(ARCHITECTURE_STYLEGAN2, (growth){1, 0.3f});
    check_discriminator(ARCHITECTURE_STYLEGAN2, (growth){2, 0.6f});
    check_generator(ARCHITECTURE_STYLEGAN1, (growth){1, 1});
    check_generator(ARCHITECTURE_STYLEGAN1, (growth){1, 0.3f});
    check_generator(ARCHITECTURE_STYLEGAN1, (growth){2, 0.6f});
    check_generator(ARCHITECTURE_STYLEGAN2, (growth){1, 1});
    check_generator(ARCHITECTURE_STYLEGAN2, (growth){1, 0.3f});
    check_generator(ARCHITECTURE_STYLEGAN2, (growth){2, 0.6f});
    check_step(LOSS_LOGISTIC, 0, "a step with the logistic loss and R1");
    check_step(LOSS_RELATIVISTIC, 0, "a step with the relativistic loss, R1 and R2");
    check_step(LOSS_RELATIVISTIC, 1, "a step with all augmentations");
    free(heap);
    return test_end();
}
