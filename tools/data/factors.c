/* factors.c - see factors.h. */
#include "factors.h"
#include "../base/notes.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* --- The table --- */

static const char *const hair_names[] = {"bald",         "cropped",    "parted",      "quiff",      "fringe",
                                         "short curls",  "afro",       "fringed bob", "parted bob", "long, parted",
                                         "long, fringe", "long curls", "bun",         "knot behind"};
static const char *const beard_names[] = {"none", "stubble", "moustache", "goatee", "short", "full"};
static const char *const glasses_names[] = {"none", "round, golden", "square, black", "rounded, brown"};
static const char *const clothes_names[] = {"T-shirt", "V-neck", "roll neck", "hood", "jacket", "wide neck"};

/* What 64 pixels do not tell apart: stubble from none, a short beard from a full one; and of clothes hardly more than the
   collar is in the picture, so that T-shirt, V-neck and hood end in the same line. */
static const char *const told_beards[] = {"none or stubble", "none or stubble", "moustache", "goatee", "full", "full"};
static const char *const told_clothes[] = {"collar", "collar", "roll neck", "collar", "jacket", "wide neck"};

/* A bald head shows the hair's colour in its brows alone. */
static int shows_hair_color(const portrait_look *look) {
    return look->has_hair || look->has_beard;
}

/* A beard, or stubble, of nearly the skin's colour is not to be seen. */
static int shows_beard(const portrait_look *look) {
    return look->beard < 0.5f || look->beard_contrast > 0.12f;
}

#define CATEGORY(name, group, told, seen, field, names, told_names)                        \
    {                                                                                      \
        name, group, told, 0, names, told_names, 0, 1, sizeof names / sizeof *names, seen, \
            offsetof(portrait_look, field)                                                 \
    }
#define ANY_NUMBER(name, group, told, color, seen, field, mean, deviation) \
    { name, group, told, color, NULL, NULL, mean, deviation, 1, seen, offsetof(portrait_look, field) }
#define NUMBER(name, group, told, seen, field, mean, deviation) \
    ANY_NUMBER(name, group, told, 0, seen, field, mean, deviation)
#define COLOR(name, told, seen, field, deviation)                                          \
    ANY_NUMBER(name "_red", FACTOR_COLOR, told, 1, seen, field[0], 0.5f, deviation),       \
        ANY_NUMBER(name "_green", FACTOR_COLOR, told, 0, seen, field[1], 0.5f, deviation), \
        ANY_NUMBER(name "_blue", FACTOR_COLOR, told, 0, seen, field[2], 0.5f, deviation)

/* Told is what the shipped network reads surely in portraits that it has not seen: 95 % of a category, R^2 of 0.9 of a
   number. The others are too faint at 64 pixels (R^2 of 2000 portraits): smile 0.901 (of other 400 0.896), gaze_y 0.898,
   shoulders 0.83, age 0.82, iris 0.78 to 0.99. Not in the table are what is smaller than half a pixel (brows, nose, lips,
   lids, chin, ...) and body_yaw, which the scene does not use. */
static const factor factors[] = {
    NUMBER("yaw", FACTOR_POSE, 1, NULL, p.yaw, 0, 12.7f),
    NUMBER("pitch", FACTOR_POSE, 1, NULL, p.pitch, 0, 4.7f),
    NUMBER("roll", FACTOR_POSE, 1, NULL, p.roll, 0, 3.7f),
    NUMBER("shoulders", FACTOR_SHAPE, 0, NULL, p.shoulders, 1.05f, 0.098f),
    CATEGORY("hair", FACTOR_SHAPE, 1, NULL, hair, hair_names, hair_names),
    CATEGORY("beard", FACTOR_FEATURE, 1, shows_beard, beard, beard_names, told_beards),
    CATEGORY("glasses", FACTOR_FEATURE, 1, NULL, glasses, glasses_names, glasses_names),
    CATEGORY("clothes", FACTOR_SHAPE, 1, NULL, clothes, clothes_names, told_clothes),
    NUMBER("gaze_x", FACTOR_FEATURE, 1, NULL, gaze_x, 0, 9.7f),
    NUMBER("gaze_y", FACTOR_FEATURE, 0, NULL, gaze_y, 0, 4.1f),
    NUMBER("mouth_open", FACTOR_FEATURE, 1, NULL, open, 0.25f, 0.32f),
    NUMBER("smile", FACTOR_FEATURE, 0, NULL, p.smile, 0.4f, 0.433f),
    NUMBER("age", FACTOR_FEATURE, 0, NULL, wrinkles, 0.22f, 0.33f),
    COLOR("skin", 1, NULL, skin, 0.17f),
    NUMBER("lipstick", FACTOR_COLOR, 1, NULL, painted, 0.19f, 0.36f),
    COLOR("hair_color", 1, shows_hair_color, hair_color, 0.25f),
    COLOR("iris", 0, NULL, iris, 0.2f),
    COLOR("cloth", 1, NULL, cloth, 0.2f),
    COLOR("background", 1, NULL, back, 0.17f),
    NUMBER("light_azimuth", FACTOR_LIGHT, 1, NULL, p.light_azimuth, 0, 35.8f),
    NUMBER("light_height", FACTOR_LIGHT, 1, NULL, p.light_height, 32, 11.5f),
};

enum { COUNT = sizeof factors / sizeof *factors };

int factor_count(void) {
    return COUNT;
}

const factor *factor_at(int index) {
    return &factors[index];
}

int factor_outputs(void) {
    int outputs = 0;
    for (int i = 0; i < COUNT; i++) outputs += factors[i].classes;
    return outputs;
}

/* --- Truth and reading --- */

void factors_of(const portrait *p, float *values) {
    portrait_look look;
    portrait_describe(p, &look);
    for (int i = 0; i < COUNT; i++) {
        const factor *f = &factors[i];
        const int seen = !f->is_seen || f->is_seen(&look);
        values[i] = seen ? *(const float *)(const void *)((const char *)&look + f->offset) : NAN;
    }
}

static int largest(const float *outputs, int classes) {
    int best = 0;
    for (int k = 1; k < classes; k++)
        if (outputs[k] > outputs[best]) best = k;
    return best;
}

/* Values of one name are one: the first of them. */
static int told_value(const factor *f, int value) {
    int first = 0;
    while (strcmp(f->told_names[first], f->told_names[value]) != 0) first++;
    return first;
}

/* The likeliest. */
static int told_value_of(const factor *f, const float *outputs) {
    float shares[FACTOR_MOST_CLASSES] = {0};
    const float most = outputs[largest(outputs, f->classes)];
    for (int k = 0; k < f->classes; k++) shares[told_value(f, k)] += expf(outputs[k] - most);
    return largest(shares, f->classes);
}

void factors_read(const float *outputs, float *values) {
    for (int i = 0; i < COUNT; outputs += factors[i++].classes)
        values[i] = factors[i].names ? (float)told_value_of(&factors[i], outputs)
                                     : factors[i].mean + factors[i].deviation * *outputs;
}

char *factor_text(const factor *f, float value) {
    return f->names ? cli_format("%s", f->told_names[(int)value]) : cli_format("%.4g", (double)value);
}

static int byte_of(float share) {
    return (int)(255 * fminf(fmaxf(share, 0), 1) + 0.5f);
}

void factors_note(const float *values, const char *prefix, char **notes) {
    for (int i = 0; i < COUNT; i++) {
        const factor *f = &factors[i];
        if (!f->told) continue;
        char *key = cli_format("%s%s", prefix, f->name), *text = factor_text(f, values[i]);
        if (f->color) { /* "skin_red" becomes "skin" */
            *strrchr(key, '_') = 0;
            notes_add(notes, key, "#%02x%02x%02x", byte_of(values[i]), byte_of(values[i + 1]), byte_of(values[i + 2]));
            i += 2;
        } else {
            notes_add(notes, key, "%s", text);
        }
        free(key);
        free(text);
    }
}

/* --- Learning and its success --- */

/* -log of the softmax at `truth`, whose derivative is softmax - truth. */
static double cross_entropy(const float *outputs, int classes, int truth, float *derivative) {
    const double most = (double)outputs[largest(outputs, classes)];
    double sum = 0;
    for (int k = 0; k < classes; k++) sum += exp((double)outputs[k] - most);
    for (int k = 0; k < classes; k++)
        derivative[k] = (float)(exp((double)outputs[k] - most) / sum) - (k == truth ? 1.0f : 0.0f);
    return log(sum) + most - (double)outputs[truth];
}

double factors_loss(const float *outputs, const float *values, float *derivative) {
    double loss = 0;
    for (int i = 0; i < COUNT; i++) {
        const factor *f = &factors[i];
        if (isnan(values[i])) {
            for (int k = 0; k < f->classes; k++) derivative[k] = 0;
        } else if (f->names) {
            loss += cross_entropy(outputs, f->classes, (int)values[i], derivative);
        } else {
            *derivative = *outputs - (values[i] - f->mean) / f->deviation;
            loss += 0.5 * (double)(*derivative * *derivative);
        }
        outputs += f->classes;
        derivative += f->classes;
    }
    return loss;
}

double factor_score(int index, int count, const float *values, const float *truths) {
    double right = 0, seen = 0, sum = 0, square = 0, errors = 0;
    for (int n = 0; n < count; n++) {
        const double value = (double)values[n * COUNT + index], truth = (double)truths[n * COUNT + index];
        if (isnan(truth)) continue;
        seen++;
        right += factors[index].names && value == told_value(&factors[index], (int)truth);
        sum += truth;
        square += truth * truth;
        errors += (value - truth) * (value - truth);
    }
    return factors[index].names ? right / seen : 1 - errors / (square - sum * sum / seen);
}

/* --- Comparing pictures --- */

static int first_output(int index) {
    int at = 0;
    for (int i = 0; i < index; i++) at += factors[i].classes;
    return at;
}

int factor_differs(int index, const float *a, const float *b) {
    const factor *f = &factors[index];
    const int at = first_output(index);
    if (f->names) return told_value_of(f, a + at) != told_value_of(f, b + at);
    return fabsf(a[at] - b[at]) > 0.5f;
}

/* Of a category: 1 less the share that its value has. */
double factor_distance(int index, const float *outputs, const float *shown) {
    const factor *f = &factors[index];
    const int at = first_output(index);
    if (!f->names) return fabs((double)outputs[at] - (double)shown[at]);
    const int value = told_value_of(f, shown + at);
    const double most = (double)outputs[at + largest(outputs + at, f->classes)];
    double sum = 0, share = 0;
    for (int k = 0; k < f->classes; k++) {
        const double weight = exp((double)outputs[at + k] - most);
        sum += weight;
        if (told_value(f, k) == value) share += weight;
    }
    return 1 - share / sum;
}

/* Mean and deviation of factor `index` among `count` rows of values [factor_count()]. */
static void measure_spread_of(int index, const float *values, int count, double *mean, double *deviation) {
    double sum = 0, square = 0;
    for (int n = 0; n < count; n++) {
        const double value = (double)values[n * COUNT + index];
        sum += value;
        square += value * value;
    }
    *mean = sum / count;
    *deviation = sqrt(fmax(square / count - *mean * *mean, 0));
}

double factors_strangeness(const float *outputs, int count) {
    enum { KNOWN = 2000 }; /* portraits of which only the factors are drawn */
    float *known = cli_alloc((size_t)KNOWN * COUNT, sizeof *known);
    float *read = cli_alloc((size_t)count * COUNT, sizeof *read);
    double strangeness = 0;
    int compared = 0;
    for (int n = 0; n < KNOWN; n++) {
        portrait p;
        portrait_draw_factors(&p, 0, (uint64_t)n);
        factors_of(&p, known + n * COUNT);
    }
    for (int n = 0; n < count; n++) factors_read(outputs + (size_t)n * (size_t)factor_outputs(), read + n * COUNT);
    for (int i = 0; i < COUNT; i++) {
        double mean, deviation, read_mean, read_deviation;
        if (!factors[i].told || factors[i].names || factors[i].is_seen) continue;
        measure_spread_of(i, known, KNOWN, &mean, &deviation);
        measure_spread_of(i, read, count, &read_mean, &read_deviation);
        strangeness += pow((read_mean - mean) / deviation, 2) + pow(read_deviation / deviation - 1, 2);
        compared++;
    }
    free(known);
    free(read);
    return strangeness / compared;
}
