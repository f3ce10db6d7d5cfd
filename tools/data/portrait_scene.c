/* portrait_scene.c - little people, ray-marched.

   A head is a signed-distance scene: skin, eyes, hair, clothes and glasses are functions that tell how far a point is
   from their surface (negative inside). From coarse to fine:

     factors    what this person is like          portrait_draw_factors
     scene      lengths, directions and colours   scene_build
     parts      the distance functions            skin_distance, hair_distance, ...
     tracing    cones, then rays, to a surface    trace
     light      from a surface to its colour      shade
     picture    a quadtree of cones               render_square

   Lengths are in head radii. The head's frame has its origin between the ears: x to its left (our right), y up, z out
   of the face. The body's frame is the world: the camera looks along -z. Colours are linear light; bytes are their
   square roots (gamma 2). */
#include "portrait_scene.h"
#include "../base/random.h"

#include <math.h>
#include <stddef.h>

/* --- Vectors and numbers. Conditional expressions, because fminf and fmaxf are slow library calls --- */

typedef struct vec {
    float x, y, z;
} vec;

static inline vec add(vec a, vec b) {
    return (vec){a.x + b.x, a.y + b.y, a.z + b.z};
}

static inline vec subtract(vec a, vec b) {
    return (vec){a.x - b.x, a.y - b.y, a.z - b.z};
}

static inline vec scale(vec a, float s) {
    return (vec){a.x * s, a.y * s, a.z * s};
}

static inline vec multiply(vec a, vec b) {
    return (vec){a.x * b.x, a.y * b.y, a.z * b.z};
}

static inline float dot(vec a, vec b) {
    return a.x * b.x + a.y * b.y + a.z * b.z;
}

static inline float length(vec a) {
    return sqrtf(dot(a, a));
}

static inline vec normalize(vec a) {
    return scale(a, 1 / length(a));
}

static inline vec blend(vec a, vec b, float share) {
    return add(scale(a, 1 - share), scale(b, share));
}

static inline float smaller(float a, float b) {
    return a < b ? a : b;
}

static inline float larger(float a, float b) {
    return a > b ? a : b;
}

static inline float clamp(float x, float least, float most) {
    return smaller(larger(x, least), most);
}

static inline float mix(float a, float b, float share) {
    return a + (b - a) * share;
}

/* 0 up to `from`, 1 beyond `to`, smooth between. */
static inline float ramp(float from, float to, float x) {
    const float t = clamp((x - from) / (to - from), 0, 1);
    return t * t * (3 - 2 * t);
}

/* 1 at 0, 0 beyond +-width. */
static inline float bump(float x, float width) {
    const float t = larger(1 - x * x / (width * width), 0);
    return t * t;
}

/* sin(2 pi x), nearly, from two parabolas. */
static inline float wave(float x) {
    x -= (float)(int)x;
    if (x < 0) x += 1;
    return x < 0.5f ? 16 * x * (0.5f - x) : -16 * (x - 0.5f) * (1 - x);
}

/* --- Solids: distances of simple shapes, and their rounded union and difference --- */

/* An ellipsoid, its radii given as inverses: divisions are slow. Nearly the distance, exact at the surface. */
typedef struct egg {
    vec center, inverse;
} egg;

static egg egg_of(vec center, vec radii) {
    return (egg){center, {1 / radii.x, 1 / radii.y, 1 / radii.z}};
}

static inline float ellipsoid(vec p, const egg *e) {
    const vec n = multiply(subtract(p, e->center), e->inverse), slope = multiply(n, e->inverse);
    const float size = length(n);
    return size * (size - 1) / (length(slope) + 1e-9f);
}

static inline float ball(vec p, vec center, float radius) {
    return length(subtract(p, center)) - radius;
}

/* A capsule whose radius goes from r0 at a to r1 at b. */
static inline float capsule(vec p, vec a, vec b, float r0, float r1) {
    const vec ap = subtract(p, a), ab = subtract(b, a);
    const float t = clamp(dot(ap, ab) / dot(ab, ab), 0, 1);
    return length(subtract(ap, scale(ab, t))) - mix(r0, r1, t);
}

/* The union of two shapes, the seam filled over the width k; the intersection. */
static inline float join(float a, float b, float k) {
    const float h = larger(k - fabsf(a - b), 0);
    return smaller(a, b) - h * h / (4 * k);
}

static inline float meet(float a, float b, float k) {
    return -join(-a, -b, k);
}

/* --- The tables: kinds of hair, beard, glasses and clothes, and colours --- */

/* Hair is a shell about the skull with a window for the face. Lengths in head radii; 0 where not used. */
typedef struct hair_style {
    float frequency;        /* of this row among all, relative */
    float top, side;        /* thickness */
    float hairline, window; /* of the window: y of its upper edge, half width */
    float bottom;           /* y of the lower end */
    float hang;             /* half width of the hair that hangs beside and behind the neck */
    float quiff, curl;      /* lift above the forehead; height of the curls */
    float part;             /* sideways shift of the window */
    float bun, bun_y, bun_z;
} hair_style;

static const hair_style hair_styles[] = {
    /*  top    side   line   window bottom hang   quiff  curl   part   bun: radius, y, z */
    {4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0},                                                   /* bald */
    {4, 0.05f, 0.04f, 0.56f, 0.62f, -0.45f, 0.00f, 0.00f, 0.00f, 0.00f, 0, 0, 0},              /* cropped */
    {5, 0.17f, 0.09f, 0.50f, 0.64f, -0.50f, 0.00f, 0.08f, 0.00f, 0.20f, 0, 0, 0},              /* parted */
    {5, 0.16f, 0.08f, 0.54f, 0.62f, -0.50f, 0.00f, 0.28f, 0.00f, 0.08f, 0, 0, 0},              /* quiff */
    {4, 0.18f, 0.10f, 0.36f, 0.62f, -0.50f, 0.00f, 0.02f, 0.00f, 0.04f, 0, 0, 0},              /* fringe */
    {5, 0.25f, 0.17f, 0.48f, 0.62f, -0.48f, 0.00f, 0.10f, 0.08f, 0.00f, 0, 0, 0},              /* short curls */
    {4, 0.38f, 0.35f, 0.57f, 0.66f, -0.64f, 0.00f, 0.00f, 0.05f, 0.00f, 0, 0, 0},              /* afro */
    {4, 0.17f, 0.17f, 0.34f, 0.58f, -0.85f, 0.96f, 0.00f, 0.00f, 0.00f, 0, 0, 0},              /* bob, fringe */
    {5, 0.17f, 0.16f, 0.56f, 0.58f, -0.85f, 0.96f, 0.05f, 0.00f, 0.22f, 0, 0, 0},              /* bob, parted */
    {6, 0.15f, 0.13f, 0.56f, 0.57f, -1.75f, 0.92f, 0.02f, 0.00f, 0.14f, 0, 0, 0},              /* long, parted */
    {4, 0.16f, 0.15f, 0.35f, 0.57f, -1.75f, 0.93f, 0.00f, 0.00f, 0.00f, 0, 0, 0},              /* long, fringe */
    {6, 0.22f, 0.20f, 0.52f, 0.58f, -1.45f, 1.04f, 0.06f, 0.06f, 0.10f, 0, 0, 0},              /* long curls */
    {4, 0.10f, 0.08f, 0.60f, 0.66f, -0.50f, 0.00f, 0.02f, 0.00f, 0.00f, 0.34f, 1.14f, -0.30f}, /* bun */
    {4, 0.11f, 0.09f, 0.58f, 0.66f, -0.55f, 0.00f, 0.04f, 0.00f, 0.16f, 0.42f, 0.85f, -0.85f}, /* knot behind */
};

/* Thickness of the beard by region; stubble is only a shade. */
typedef struct beard_style {
    float frequency, cheeks, chin, moustache, shade;
} beard_style;

static const beard_style beard_styles[] = {
    {66, 0, 0, 0, 0},             /* none */
    {8, 0, 0, 0, 0.45f},          /* stubble */
    {5, 0, 0, 0.06f, 0},          /* moustache */
    {6, 0, 0.09f, 0.05f, 0},      /* goatee */
    {8, 0.05f, 0.05f, 0.045f, 0}, /* short */
    {7, 0.08f, 0.12f, 0.05f, 0},  /* full */
};

/* A rim round each eye: half width, half height and corner radius. */
typedef struct glasses_style {
    float frequency, half_width, half_height, corner, thickness;
    vec color;
} glasses_style;

static const glasses_style glasses_styles[] = {
    {73, 0, 0, 0, 0, {0, 0, 0}},                                /* none */
    {9, 0.255f, 0.255f, 0.255f, 0.027f, {0.78f, 0.60f, 0.26f}}, /* round, golden */
    {9, 0.265f, 0.220f, 0.110f, 0.036f, {0.10f, 0.09f, 0.10f}}, /* square, black */
    {9, 0.260f, 0.245f, 0.210f, 0.036f, {0.45f, 0.20f, 0.10f}}, /* rounded, brown */
};

/* The neckline: radius of the hole for the neck, depth of the V below it, thickness of the collar. */
typedef struct clothes_style {
    float frequency, hole, v_depth, collar;
    int is_roll_neck, is_jacket; /* a jacket is open over a light shirt */
} clothes_style;

static const clothes_style clothes_styles[] = {
    {4, 0.46f, 0.00f, 0.050f, 0, 0}, /* T-shirt */
    {3, 0.48f, 0.55f, 0.045f, 0, 0}, /* V-neck */
    {3, 0.40f, 0.00f, 0.000f, 1, 0}, /* roll neck */
    {3, 0.52f, 0.20f, 0.140f, 0, 0}, /* hood */
    {4, 0.44f, 0.00f, 0.080f, 0, 1}, /* jacket */
    {2, 0.62f, 0.00f, 0.035f, 0, 0}, /* wide neck */
};

#define COUNT(table) ((int)(sizeof(table) / sizeof *(table)))

/* The row that a number in [0, 1) stands for, in a table whose rows begin with their frequency. */
static const void *pick(const void *table, int rows, size_t row_size, float number) {
    const char *row = table;
    float total = 0;
    for (int i = 0; i < rows; i++) total += *(const float *)(const void *)(row + (size_t)i * row_size);
    for (number *= total; rows > 1; rows--, row += row_size) {
        number -= *(const float *)(const void *)row;
        if (number < 0) break;
    }
    return row;
}
#define PICK(type, number) (*(const type *)pick(type##s, COUNT(type##s), sizeof(type), number))
#define PICK_ROW(type, number) ((const type *)pick(type##s, COUNT(type##s), sizeof(type), number) - type##s)

/* Colours as they look on a screen, from which palette() picks. */
static const vec skin_colors[] = {
    {1.00f, 0.86f, 0.77f}, {0.98f, 0.79f, 0.66f}, {0.93f, 0.71f, 0.55f}, {0.84f, 0.59f, 0.42f},
    {0.70f, 0.46f, 0.31f}, {0.54f, 0.34f, 0.23f}, {0.40f, 0.25f, 0.18f},
};
static const vec hair_colors[] = {
    {0.10f, 0.09f, 0.10f}, {0.17f, 0.12f, 0.10f}, {0.26f, 0.16f, 0.11f}, {0.38f, 0.23f, 0.14f}, {0.45f, 0.20f, 0.12f},
    {0.68f, 0.31f, 0.13f}, {0.60f, 0.43f, 0.24f}, {0.80f, 0.62f, 0.34f}, {0.92f, 0.78f, 0.50f}, {0.93f, 0.87f, 0.74f},
};
static const vec iris_colors[] = {
    {0.28f, 0.16f, 0.08f}, {0.42f, 0.25f, 0.11f}, {0.52f, 0.38f, 0.14f}, {0.30f, 0.50f, 0.26f},
    {0.25f, 0.52f, 0.62f}, {0.28f, 0.50f, 0.82f}, {0.52f, 0.60f, 0.66f},
};
static vec linear(vec c) {
    return multiply(c, c);
}

/* A colour between two neighbours of a row of colours, linear. */
static vec palette(const vec *colors, int count, float number) {
    const float place = number * (float)(count - 1);
    const int first = place < (float)(count - 1) ? (int)place : count - 2;
    return linear(blend(colors[first], colors[first + 1], place - (float)first));
}

static vec hue_color(float hue, float saturation, float value) {
    float rgb[3];
    for (int i = 0; i < 3; i++) {
        const float turn = hue + 1 - (float)i / 3, angle = turn - (float)(int)turn;
        const float from_peak = fabsf(smaller(angle, 1 - angle)) * 6; /* 0 at the channel's own hue, 3 opposite */
        rgb[i] = value * (1 - saturation * clamp(from_peak - 1, 0, 1));
    }
    return linear((vec){rgb[0], rgb[1], rgb[2]});
}

/* --- Factors --- */

void portrait_draw_factors(portrait *p, uint64_t seed, uint64_t index) {
    static const struct factor {
        size_t offset;
        float least, most;
        int bell;
    } factors[] = {
#define PORTRAIT_FACTOR(name, least, most, bell) {offsetof(portrait, name), least, most, bell},
        PORTRAIT_FACTORS(PORTRAIT_FACTOR)
#undef PORTRAIT_FACTOR
    };
    uint64_t state = random_mix(random_mix(seed) + index);
    for (int i = 0; i < COUNT(factors); i++) {
        const uint64_t bits = state = random_mix(state);
        float share = 0; /* three numbers of 21 bits: their mean makes a bell */
        const int draws = factors[i].bell ? 3 : 1;
        for (int k = 0; k < draws; k++) share += (float)((bits >> (21 * k)) & 0x1FFFFF) / (0x200000 * (float)draws);
        *(float *)(void *)((char *)p + factors[i].offset) = mix(factors[i].least, factors[i].most, share);
    }
}

/* --- The scene --- */

/* A place, or a direction, in both frames. */
typedef struct place {
    vec head, body;
} place;

typedef enum part { SKIN, EYES, HAIR, CLOTHES, GLASSES, PARTS, NOTHING = PARTS } part;

/* A ball that holds a part. */
typedef struct bound {
    place center;
    float radius;
    int in_head;
} bound;

typedef struct scene {
    const portrait *p;
    vec axis_x, axis_y, axis_z; /* of the head, in the body's frame */
    vec pivot;                  /* of the head, in the body's frame */
    vec camera;
    float field; /* half width of the picture at distance 1 */
    float near;  /* what counts as touching a surface: a small part of a pixel */
    unsigned parts;
    bound bounds[PARTS];

    hair_style hair;
    beard_style beard;
    glasses_style glasses;
    clothes_style clothes;
    int bald, bearded;

    egg skull, jaw, ear, window, fall, torso;
    vec cheek, chin, nose_bridge, nose_end, wing;
    vec eye, brow;
    float upper_y, upper_z, lower_y, lower_z, slant_x, slant_y; /* planes that cut the lids; the slant's axis */
    float mouth_y, smile, open, lip;
    vec neck_top, neck_bottom, roll_top;
    vec gaze; /* in the head's frame */

    vec skin, blush_color, lip_color, hair_color, brow_color, iris, cloth, cloth_2, back_top, back_bottom;
    place to_light, to_rim;
    vec light, sky, ground, rim;
    place corners[4]; /* of a tetrahedron, for slopes */
} scene;

static const vec head_pivot = {0, -0.45f, -0.15f}; /* where the head sits on the neck, in its own frame */

static vec turn_to_body(const scene *s, vec v) {
    return add(add(scale(s->axis_x, v.x), scale(s->axis_y, v.y)), scale(s->axis_z, v.z));
}

static inline vec turn_to_head(const scene *s, vec v) {
    return (vec){dot(v, s->axis_x), dot(v, s->axis_y), dot(v, s->axis_z)};
}

static vec move_to_body(const scene *s, vec v) {
    return add(turn_to_body(s, subtract(v, head_pivot)), s->pivot);
}

static vec move_to_head(const scene *s, vec v) {
    return add(turn_to_head(s, subtract(v, s->pivot)), head_pivot);
}

static place direction(const scene *s, vec body) {
    return (place){turn_to_head(s, body), body};
}

static inline place along(const place *from, const place *way, float t) {
    return (place){add(from->head, scale(way->head, t)), add(from->body, scale(way->body, t))};
}

static float radians(float degrees) {
    return degrees * 0.01745329252f;
}

/* Head axes: roll (yaw (pitch v)). */
static void build_pose(scene *s) {
    const portrait *p = s->p;
    const float cy = cosf(radians(p->yaw)), sy = sinf(radians(p->yaw)), cp = cosf(radians(p->pitch)),
                sp = sinf(radians(p->pitch)), cr = cosf(radians(p->roll)), sr = sinf(radians(p->roll));
    const vec x = {cy, 0, -sy}, y = {sy * sp, cp, cy * sp}, z = {sy * cp, -sp, cy * cp};
    s->axis_x = (vec){cr * x.x - sr * x.y, sr * x.x + cr * x.y, x.z};
    s->axis_y = (vec){cr * y.x - sr * y.y, sr * y.x + cr * y.y, y.z};
    s->axis_z = (vec){cr * z.x - sr * z.y, sr * z.x + cr * z.y, z.z};
    s->pivot = head_pivot;
}

/* The point between eyes and mouth comes to the middle, as in aligned photographs. */
static void build_camera(scene *s) {
    const float distance = 9, half_width = 1.33f * s->p->distance;
    const vec middle = move_to_body(s, (vec){0, -0.10f, 0.30f});
    s->camera = (vec){0.75f * middle.x + s->p->shift_x, 0.8f * middle.y - 0.04f + s->p->shift_y, distance};
    s->field = half_width / (distance - 0.3f);
}

static void build_head(scene *s) {
    const portrait *p = s->p;
    const float w = p->head_width;
    const float happy = clamp(p->smile, 0, 1);
    s->skull = egg_of((vec){0, 0.16f, -0.08f}, (vec){0.79f * w, 0.86f, 0.86f});
    s->jaw = egg_of((vec){0, -0.34f - 0.4f * p->chin_length, 0.12f}, (vec){p->jaw_width * w, 0.62f, 0.62f});
    s->cheek = (vec){0.36f * w, -0.27f + 0.05f * happy, 0.50f};
    s->chin = (vec){0, -0.78f - p->chin_length, 0.42f};
    s->eye = (vec){p->eye_distance * w, 0, 0.555f};
    s->nose_bridge = (vec){0, 0.06f, 0.73f};
    s->nose_end = (vec){0, -0.02f - 0.21f * p->nose_length, 0.90f};
    s->wing = (vec){0.085f * p->nose_width, s->nose_end.y - 0.02f, 0.79f};
    s->ear = egg_of((vec){0.80f * w, -0.05f, -0.08f}, scale((vec){0.10f, 0.21f, 0.15f}, p->ear_size));
    s->brow = (vec){p->eye_distance * w + 0.01f, p->eye_size + 0.04f + p->brow_height, 0};

    /* Lid angles above and below the eye's horizon. A smile lifts the lower lid. */
    const float upper = radians(38 * p->eye_opening), lower = radians(30 * p->eye_opening - 12 * happy);
    s->upper_y = cosf(upper), s->upper_z = sinf(upper);
    s->lower_y = cosf(lower), s->lower_z = sinf(lower);
    s->slant_x = cosf(radians(p->eye_slant)), s->slant_y = sinf(radians(p->eye_slant));
    const float gx = radians(p->gaze_x - 0.55f * p->yaw), gy = radians(p->gaze_y + 0.6f * p->pitch);
    s->gaze = (vec){sinf(gx) * cosf(gy), sinf(gy), cosf(gx) * cosf(gy)};

    s->smile = p->smile;
    s->open = clamp(p->mouth_open, 0, 1);
    s->lip = 0.052f * p->lips;
    s->mouth_y = -0.515f - 0.35f * p->chin_length;
}

static void build_body(scene *s) {
    const portrait *p = s->p;
    s->neck_top = move_to_body(s, (vec){0, -0.45f, -0.18f});
    s->neck_bottom = (vec){0, -1.75f, -0.30f};
    s->roll_top = blend(s->neck_bottom, s->neck_top, 0.52f);
    s->torso = egg_of((vec){0, -2.25f, -0.35f}, (vec){1.38f * p->shoulders, 0.92f, 0.72f});
}

static void build_styles(scene *s) {
    const portrait *p = s->p;
    s->hair = PICK(hair_style, p->hair_style);
    s->bald = s->hair.top <= 0;
    s->hair.top *= p->hair_volume;
    s->hair.side *= p->hair_volume;
    s->hair.bottom += s->hair.hang > 0 ? p->hair_length : 0;
    if (p->hair_side < 0) s->hair.part = -s->hair.part;
    const float low = s->hair.hang > 0 ? -2.1f : -1.25f, middle = 0.5f * (s->hair.hairline + low);
    s->window =
        egg_of((vec){s->hair.part, middle, 1.02f}, (vec){s->hair.window + 0.12f, s->hair.hairline - middle, 0.90f});
    /* A cylinder: an egg of no end. */
    s->fall = egg_of((vec){0, 0, -0.46f}, (vec){s->hair.hang * mix(1, p->hair_volume, 0.5f), 1e3f, 0.50f});
    s->beard = PICK(beard_style, p->beard_style);
    s->bearded = s->beard.cheeks + s->beard.chin + s->beard.moustache > 0;
    s->glasses = PICK(glasses_style, p->glasses_style);
    s->clothes = PICK(clothes_style, p->clothes_style);
}

static void build_colors(scene *s) {
    const portrait *p = s->p;
    s->skin = palette(skin_colors, COUNT(skin_colors), p->skin_tone);
    s->skin = multiply(s->skin, (vec){1, 1 - 0.04f * p->skin_warmth, 1 - 0.12f * p->skin_warmth});
    s->blush_color = multiply(s->skin, (vec){1.0f, 0.62f, 0.62f});
    const vec rosy = multiply(s->skin, (vec){0.86f, 0.48f, 0.48f}), painted = linear((vec){0.72f, 0.10f, 0.16f});
    s->lip_color = blend(rosy, painted, 0.9f * ramp(0.72f, 0.9f, p->lipstick));
    const vec grey = linear(scale((vec){0.74f, 0.74f, 0.76f}, 0.8f + 0.25f * p->hair_color));
    s->hair_color = blend(palette(hair_colors, COUNT(hair_colors), p->hair_color), grey, ramp(0.78f, 0.95f, p->age));
    s->brow_color = blend(scale(s->hair_color, 0.7f), scale(s->skin, 0.25f), 0.25f);
    s->iris = palette(iris_colors, COUNT(iris_colors), p->iris_color);
    s->cloth = hue_color(p->cloth_hue, p->cloth_saturation, p->cloth_value);
    s->cloth_2 = linear((vec){0.93f, 0.92f, 0.90f});
    s->back_top = hue_color(p->back_hue, p->back_saturation, p->back_value);
    s->back_bottom = scale(hue_color(p->back_hue + 0.06f, p->back_saturation, p->back_value), 0.45f);
}

static void build_light(scene *s) {
    const portrait *p = s->p;
    const float azimuth = radians(p->light_azimuth), height = radians(p->light_height);
    const vec to_light = {sinf(azimuth) * cosf(height), sinf(height), cosf(azimuth) * cosf(height)};
    s->to_light = direction(s, to_light);
    s->to_rim = direction(s, normalize((vec){to_light.x > 0 ? -0.8f : 0.8f, 0.35f, -0.55f}));
    const vec warm = {1.10f, 0.98f, 0.84f}, cool = {0.92f, 1.00f, 1.12f};
    s->light = scale(blend(cool, warm, 0.5f + 0.5f * p->light_warmth), 0.92f * p->light_power);
    s->sky = add((vec){0.35f, 0.36f, 0.39f}, scale(s->back_top, 0.16f));
    s->ground = (vec){0.25f, 0.20f, 0.17f};
    s->rim = add((vec){0.28f, 0.28f, 0.30f}, scale(s->back_top, 0.55f));
}

static void build_corners(scene *s) {
    static const vec corners[] = {{1, -1, -1}, {-1, -1, 1}, {-1, 1, -1}, {1, 1, 1}};
    for (int i = 0; i < COUNT(corners); i++) s->corners[i] = direction(s, corners[i]);
}

static void set_bound(scene *s, part which, int in_head, vec center, float radius) {
    const place there = in_head ? (place){center, move_to_body(s, center)} : (place){move_to_head(s, center), center};
    s->bounds[which] = (bound){there, radius, in_head};
    s->parts |= 1u << which;
}

static void scene_build(scene *s, const portrait *p, int size) {
    *s = (scene){.p = p};
    build_pose(s);
    build_camera(s);
    s->near = smaller(0.3f * 9 * s->field / (float)size, 0.02f);
    build_head(s);
    build_body(s);
    build_styles(s);
    build_colors(s);
    build_light(s);
    build_corners(s);
    set_bound(s, SKIN, 0, (vec){0, -0.65f, -0.1f}, 1.9f);
    set_bound(s, EYES, 1, (vec){0, s->eye.y, s->eye.z}, s->eye.x + p->eye_size + 0.01f);
    if (!s->bald) {
        const float low = s->hair.hang > 0 ? smaller(s->hair.bottom, -0.8f) : -0.8f;
        const float high = larger(1.12f + s->hair.top + s->hair.quiff, s->hair.bun_y + s->hair.bun);
        const float half = 0.5f * (high - low);
        set_bound(s, HAIR, 1, (vec){0, 0.5f * (high + low), -0.2f}, larger(half, 1.05f + s->hair.side) + 0.12f);
    }
    set_bound(s, CLOTHES, 0, (vec){0, -2.1f, -0.3f}, 1.75f);
    if (s->glasses.thickness > 0) set_bound(s, GLASSES, 1, (vec){0, s->eye.y, 0.40f}, 1.0f);
}

/* --- What can be told of it --- */

static void screen_color(vec linear_color, float *color) {
    color[0] = sqrtf(linear_color.x), color[1] = sqrtf(linear_color.y), color[2] = sqrtf(linear_color.z);
}

static float color_difference(vec a, vec b) {
    float x[3], y[3];
    screen_color(a, x);
    screen_color(b, y);
    return length((vec){x[0] - y[0], x[1] - y[1], x[2] - y[2]});
}

void portrait_describe(const portrait *p, portrait_look *look) {
    const float degrees = 57.29577951f;
    scene s;
    scene_build(&s, p, 64);
    *look = (portrait_look){.p = *p,
                            .hair = (float)PICK_ROW(hair_style, p->hair_style),
                            .beard = (float)PICK_ROW(beard_style, p->beard_style),
                            .glasses = (float)PICK_ROW(glasses_style, p->glasses_style),
                            .clothes = (float)PICK_ROW(clothes_style, p->clothes_style),
                            .gaze_x = degrees * atan2f(s.gaze.x, s.gaze.z),
                            .gaze_y = degrees * asinf(s.gaze.y),
                            .open = s.open,
                            .painted = ramp(0.72f, 0.9f, p->lipstick),
                            .wrinkles = ramp(0.55f, 1, p->age),
                            .has_hair = !s.bald,
                            .hangs = s.hair.hang > 0,
                            .has_beard = s.bearded};
    const vec beard = scale(s.hair_color, 0.8f);
    look->beard_contrast = color_difference(s.skin, s.bearded ? beard : blend(s.skin, beard, s.beard.shade));
    screen_color(s.skin, look->skin);
    screen_color(s.hair_color, look->hair_color);
    screen_color(s.iris, look->iris);
    screen_color(s.cloth, look->cloth);
    screen_color(s.back_top, look->back);
}

portrait portrait_mirrored(const portrait *p) {
    portrait m = *p;
    float *const turned[] = {&m.yaw, &m.roll, &m.body_yaw, &m.shift_x, &m.gaze_x, &m.light_azimuth, &m.hair_side};
    for (int i = 0; i < COUNT(turned); i++) *turned[i] = -*turned[i];
    return m;
}

/* --- The face, drawn: features that are colour and relief on the head. Coordinates: x and y of the head's frame --- */

/* How deep a point is inside the opening of the mouth, and inside lips and opening together; negative outside.
   u: -1 and 1 at the corners; v: height above the line between the lips. */
typedef struct mouth_depth {
    float opening, lips, u, v;
} mouth_depth;

static mouth_depth mouth_at(const scene *s, float x, float y) {
    const float half = s->p->mouth_width * (1 + 0.16f * clamp(s->smile, 0, 1));
    const float u = x / half, arch = 1 - u * u, full = larger(arch, 0);
    const float v = y - s->mouth_y - s->smile * (0.085f * u * u - 0.03f);
    const float top = 0.016f * arch + 0.030f * s->open * full, bottom = -0.016f * arch - 0.20f * s->open * full;
    const float upper = top + s->lip * full * (1 - 0.25f * bump(u, 0.25f)), lower = bottom - 1.25f * s->lip * full;
    const float end = 0.6f * half * (1.02f - fabsf(u));
    return (mouth_depth){smaller(smaller(top - v, v - bottom), end), smaller(smaller(upper - v, v - lower), end), u, v};
}

static float brow_at(const scene *s, float x, float y) {
    const float u = (x - s->brow.x) / 0.205f;
    const float v = y - s->brow.y - 0.055f * (1 - u * u) + 0.03f - s->p->brow_tilt * u;
    const float thickness = s->p->brow_thickness * (0.9f - 0.25f * u) * (1.1f - 0.6f * u * u * u * u);
    return smaller(thickness - fabsf(v), 0.2f * (1.05f - fabsf(u)));
}

/* The share, 0 to 1, of cheek, chin and lip that grows a beard. */
typedef struct beard_regions {
    float cheeks, chin, moustache;
} beard_regions;

static beard_regions beard_at(const scene *s, vec p, const mouth_depth *mouth) {
    const float x = fabsf(p.x), y = p.y - s->mouth_y;
    const float off_lips = ramp(0, -0.035f, mouth->lips);
    const float off_neck = ramp(0, 0.12f, p.z - larger(-0.8f - p.y, 0));                 /* ends under the chin */
    const float edge = x > 0.5f ? 2.2f * (x - 0.5f) - 0.36f : 0.4f * (x - 0.5f) - 0.36f; /* up to the ears */
    const float jaw = ramp(edge + 0.04f, edge - 0.14f, p.y) * ramp(-0.25f, 0, p.z);
    const float off_moustache = smaller(ramp(0.20f, 0.30f, x) + ramp(-0.02f, -0.08f, y), 1);
    const float from_chin = sqrtf(x * x + 0.8f * (p.y + 0.78f) * (p.y + 0.78f));
    return (beard_regions){
        .cheeks = jaw * off_moustache * off_lips * (p.y < -0.8f ? off_neck : 1),
        .chin = ramp(0.38f, 0.12f, from_chin) * ramp(-0.01f, -0.07f, y) * off_lips * off_neck,
        .moustache = ramp(0.30f, 0.24f, x) * bump(y + 0.25f * x - 0.105f, 0.115f) * off_lips,
    };
}

static float beard_height(const scene *s, vec q, const mouth_depth *mouth) {
    const beard_regions r = beard_at(s, q, mouth);
    const float strands = 0.85f + 0.15f * wave(4.5f * q.x + 2.5f * q.y);
    return strands * (r.cheeks * s->beard.cheeks + r.chin * s->beard.chin + r.moustache * s->beard.moustache);
}

/* --- Parts: distance of a point to each --- */

/* The lid is a shell about the eye, open between two planes through the eye's axis. q: right half of the head. */
static vec eye_coordinates(const scene *s, vec q) {
    const vec e = subtract(q, s->eye);
    return (vec){s->slant_x * e.x + s->slant_y * e.y, s->slant_x * e.y - s->slant_y * e.x, e.z};
}

static float lid_distance(const scene *s, vec e) {
    const float above = e.y * s->upper_y - e.z * s->upper_z, below = -e.y * s->lower_y - e.z * s->lower_z;
    return meet(length(e) - s->p->eye_size * 1.11f, -larger(above, below), 0.03f);
}

/* Socket and lid of the eye, and the brow. */
static float upper_face(const scene *s, vec q, float d) {
    d = meet(d, -ball(q, (vec){s->eye.x, s->eye.y + 0.01f, 0.92f}, 0.19f), 0.24f);
    d = join(d, lid_distance(s, eye_coordinates(s, q)), 0.08f);
    return q.y > s->eye.y ? d - 0.03f * ramp(-0.03f, 0.02f, brow_at(s, q.x, q.y)) : d;
}

static float nose(const scene *s, vec p, vec q, float d) {
    d = join(d, capsule(p, s->nose_bridge, s->nose_end, 0.055f, s->p->nose_tip), 0.16f);
    return join(d, ball(q, s->wing, 0.062f), 0.06f);
}

static float lower_face(const scene *s, vec p, float d) {
    const mouth_depth mouth = mouth_at(s, p.x, p.y);
    d -= 0.035f * ramp(-0.04f, 0.03f, mouth.lips) - 0.06f * ramp(-0.01f, 0.05f, mouth.opening);
    return s->bearded ? d - beard_height(s, p, &mouth) : d;
}

/* Features only where they reach. */
static float face_distance(const scene *s, vec p, vec q, float d) {
    const float relief = 0.2f; /* lips and beard rise less */
    if (p.y > -0.45f) d = upper_face(s, q, d);
    if (p.y < 0.32f) d = nose(s, p, q, d);
    if (p.y > s->eye.y) return d;
    return d < 0.3f ? lower_face(s, p, d) : d - relief;
}

static float skin_distance(const scene *s, const place *at) {
    const vec p = at->head, q = {fabsf(p.x), p.y, p.z};
    const float reach = 0.45f; /* features rise less than this above skull and jaw */
    float d = join(ellipsoid(p, &s->skull), ellipsoid(p, &s->jaw), 0.28f);
    if (d < reach) {
        d = join(d, ball(q, s->cheek, s->p->cheeks), 0.34f);
        d = join(d, ball(p, s->chin, s->p->chin_size), 0.22f);
        if (p.z > 0) d = face_distance(s, p, q, d);
        if (q.x > 0.5f) {
            float ear = ellipsoid(q, &s->ear);
            ear = meet(ear, -ball(q, add(s->ear.center, (vec){0.07f, 0.02f, 0.09f}), 0.10f), 0.05f);
            d = join(d, ear, 0.06f);
        }
    } else {
        d -= 0.8f * reach;
    }
    const float to_chest = -1.3f - at->body.y; /* at least */
    const float neck = capsule(at->body, s->neck_top, s->neck_bottom, s->p->neck_width, s->p->neck_width * 1.15f);
    d = join(d, neck, 0.10f);
    return to_chest > d + 0.3f ? d : join(d, ellipsoid(at->body, &s->torso) + 0.05f, 0.30f);
}

/* From the centre of the nearer eye. */
static vec from_eye(const scene *s, vec p) {
    return subtract(p, (vec){p.x < 0 ? -s->eye.x : s->eye.x, s->eye.y, s->eye.z});
}

static float eyes_distance(const scene *s, const place *at) {
    return length(from_eye(s, at->head)) - s->p->eye_size;
}

/* Strands run from the crown outwards, as meridians: a wave of the angle about the crown. */
static inline float strands_at(const scene *s, vec p) {
    const float x = p.x - 0.5f * s->hair.part, z = p.z + 0.35f;
    const float reach = fabsf(x) + fabsf(z) + 0.05f, angle = z > 0 ? x / reach : 2 - x / reach;
    return (0.6f * wave(2.7f * angle + 0.15f * p.y) + 0.4f * wave(6.1f * angle - 0.35f * p.y)) *
           ramp(0.1f, 0.5f, reach);
}

/* Thickness of the shell of hair. scalp, window: distances from both. */
static float hair_thickness(const scene *s, vec p, float scalp, float window, float strands) {
    const hair_style *h = &s->hair;
    const float up = ramp(-0.1f, 0.7f, p.y), front = ramp(-0.1f, 0.8f, p.z), forehead = ramp(0.35f, 0.8f, p.y);
    float thickness = mix(h->side, h->top, up) + h->quiff * up * front * forehead;
    if (fabsf(h->part) > 0.05f) thickness -= 0.06f * up * bump(p.x - 1.4f * h->part, 0.10f);
    if (h->curl > 0 && scalp < h->top + 0.3f)
        thickness +=
            h->curl * (wave(1.35f * p.x + 0.2f) * wave(1.35f * p.y) + wave(1.5f * p.z) * wave(1.2f * p.x - 0.3f));
    return thickness * (0.30f + 0.70f * ramp(0, 0.28f, window)) * (1 + 0.13f * strands); /* thinner at the window */
}

/* The hair that hangs beside and behind the neck. */
static float hanging_distance(const scene *s, vec p) {
    const hair_style *h = &s->hair;
    const float fall = ellipsoid(p, &s->fall) - 0.04f * clamp(-p.y, 0, 1.4f),
                ends = larger(p.y - 0.35f, h->bottom - p.y);
    const float curls = h->curl > 0 ? h->curl * wave(1.3f * p.y) * wave(1.2f * p.x + 0.7f * p.z) : 0;
    return meet(fall, ends, 0.35f) - curls;
}

static float hair_distance(const scene *s, const place *at) {
    const hair_style *h = &s->hair;
    const vec p = at->head;
    const float scalp = ellipsoid(p, &s->skull), window = ellipsoid(p, &s->window);
    const float strands = scalp < 0.8f ? strands_at(s, p) : 0;
    const float nape = (h->hang > 0 ? -0.65f : h->bottom + 0.33f) + 0.55f * p.z; /* y of the line from ear to nape */
    float d = meet(scalp - hair_thickness(s, p, scalp, window, strands), nape - p.y, 0.10f);
    if (h->hang > 0) d = join(d, hanging_distance(s, p), 0.18f);
    d = meet(d, -window - 0.035f * strands, 0.07f);
    if (h->bun > 0) d = join(d, ball(p, (vec){0, h->bun_y, h->bun_z}, h->bun), 0.06f);
    return 0.85f * d;
}

static float clothes_distance(const scene *s, const place *at) {
    const clothes_style *c = &s->clothes;
    const vec p = at->body;
    /* The hole for the neck slopes down to the front. */
    const float y = p.y + 1.38f + 0.25f * p.z, around = sqrtf(p.x * p.x + (p.z + 0.25f) * (p.z + 0.25f));
    const float cloth = join(ellipsoid(p, &s->torso), capsule(p, s->neck_top, s->neck_bottom, 0.30f, 0.40f), 0.40f);
    const float from_hem = around - c->hole;
    float d = meet(cloth, -larger(from_hem, -0.45f - y), 0.04f);
    if (c->v_depth > 0 && p.z > 0)
        d = meet(d, 0.8f * (0.8f * c->hole * (p.y + 1.45f + c->v_depth) / c->v_depth - fabsf(p.x)), 0.03f);
    if (c->collar > 0) d = join(d, larger(sqrtf(from_hem * from_hem + cloth * cloth) - c->collar, y - 0.05f), 0.04f);
    if (!c->is_roll_neck) return d;
    return join(d, capsule(p, s->neck_bottom, s->roll_top, s->p->neck_width + 0.10f, s->p->neck_width + 0.07f), 0.12f);
}

static float glasses_distance(const scene *s, const place *at) {
    const glasses_style *g = &s->glasses;
    const vec q = {fabsf(at->head.x), at->head.y, at->head.z};
    const float front = s->eye.z + s->p->eye_size + 0.13f, dz = q.z - front + 0.25f * q.x * q.x;
    const float ax = larger(fabsf(q.x - s->eye.x) - g->half_width + g->corner, 0),
                ay = larger(fabsf(q.y - s->eye.y + 0.01f) - g->half_height + g->corner, 0);
    const float rim = sqrtf(ax * ax + ay * ay) - g->corner;
    float d = sqrtf(rim * rim + dz * dz);
    const float inner = s->eye.x - g->half_width, outer = s->eye.x + g->half_width;
    d = smaller(d, capsule(q, (vec){0, 0.03f, front}, (vec){inner, 0.02f, front}, 0, 0));
    d = smaller(d, capsule(q, (vec){outer, 0.03f, front - 0.08f}, (vec){s->ear.center.x + 0.02f, 0.05f, -0.05f}, 0, 0));
    return d - g->thickness;
}

static float (*const part_distance[PARTS])(const scene *s, const place *at) = {
    [SKIN] = skin_distance,       [EYES] = eyes_distance,       [HAIR] = hair_distance,
    [CLOTHES] = clothes_distance, [GLASSES] = glasses_distance,
};

/* The nearest of some parts. Far from a part, the distance to its ball will do. */
static float nearest(const scene *s, unsigned parts, const place *at, part *which) {
    const float close_by = 0.4f;
    float least = 1e9f;
    for (part i = 0; i < PARTS; i++) {
        if (!(parts >> i & 1)) continue;
        const bound *b = &s->bounds[i];
        float d = b->in_head ? ball(at->head, b->center.head, b->radius) : ball(at->body, b->center.body, b->radius);
        if (d >= least) continue;
        if (d < close_by) d = part_distance[i](s, at);
        if (d < least) least = d, *which = i;
    }
    return least;
}

/* --- Tracing --- */

typedef struct ray {
    place from, to;
} ray;

enum { FAR = 13 };

/* Walks on until a surface is nearer than the cone is wide. Returns the distance, or FAR. */
static float trace(const scene *s, unsigned parts, const ray *r, float spread, float t, part *which) {
    for (int step = 0; step < 60 && t < FAR; step++) {
        const place at = along(&r->from, &r->to, t);
        const float wide = spread * t, d = nearest(s, parts, &at, which) - wide;
        if (d < s->near + 0.4f * wide) return t;
        t += 0.9f * d;
    }
    return t < FAR ? t : FAR;
}

/* The parts whose balls touch the cone. */
static unsigned parts_in_cone(const scene *s, unsigned parts, const ray *r, float spread) {
    unsigned kept = 0;
    for (part i = 0; i < PARTS; i++) {
        const vec to_center = subtract(s->bounds[i].center.body, r->from.body);
        const float t = dot(to_center, r->to.body), reach = s->bounds[i].radius + spread * t;
        if (dot(to_center, to_center) - t * t < reach * reach) kept |= parts & 1u << i;
    }
    return kept;
}

/* The gradient of a part's distance, from the corners of a tetrahedron; in the body's frame. */
static vec normal_at(const scene *s, part which, const place *at) {
    const float step = 0.015f;
    vec sum = {0, 0, 0};
    for (int i = 0; i < COUNT(s->corners); i++) {
        const place there = along(at, &s->corners[i], step);
        sum = add(sum, scale(s->corners[i].body, part_distance[which](s, &there)));
    }
    return normalize(sum);
}

/* How much of the key light gets past the other surfaces: the narrowest gap on the way, widened by the distance. */
static float key_light_at(const scene *s, const place *at) {
    float open = 1, t = 0.07f;
    part which;
    for (int step = 0; step < 7 && open > 0; step++, t *= 1.6f) {
        const place there = along(at, &s->to_light, t);
        open = smaller(open, 0.5f + 2.5f * nearest(s, s->parts, &there, &which) / t);
    }
    return ramp(0, 1, open);
}

/* How open the surroundings are. */
static float openness_at(const scene *s, const place *at, const place *normal) {
    float closed = 0, weight = 1.5f;
    part which;
    for (int i = 0; i < 2; i++, weight *= 0.45f) {
        const float h = i ? 0.28f : 0.09f;
        const place there = along(at, normal, h);
        closed += weight * larger(h - nearest(s, s->parts, &there, &which), 0);
    }
    return clamp(1 - 1.7f * closed, 0.15f, 1);
}

/* --- Surfaces --- */

typedef struct surface {
    vec color;
    float shine, gloss; /* strength of the highlight and how narrow it is */
    float soft;         /* how far light creeps round into the shade: skin */
} surface;

static vec lay(vec under, vec over, float share) {
    return blend(under, over, clamp(share, 0, 1));
}

/* Blood shows in cheeks, nose and ears. */
static vec paint_blush(const scene *s, vec color, vec p, vec q) {
    const vec cheek = {s->cheek.x + 0.06f, s->cheek.y + 0.01f, 0.62f};
    const float cheeks = (0.15f + 0.55f * s->p->blush) * bump(length(subtract(q, cheek)), 0.34f);
    const float nose = 0.45f * bump(length(subtract(p, s->nose_end)), 0.24f), ears = 0.5f * ramp(0.76f, 0.86f, q.x);
    return lay(color, s->blush_color, cheeks + nose + ears);
}

/* A fold beside the mouth and bags below the eyes come with age. e: from the eye's centre. */
static vec paint_age(const scene *s, vec color, vec q, vec e) {
    const float line = 0.17f - 0.35f * (0.22f + q.y);
    const float fold = bump(q.x - line, 0.035f) * ramp(-0.24f, -0.30f, q.y) * ramp(-0.54f, -0.44f, q.y);
    const float bag = bump(length(e) - 1.35f * s->p->eye_size, 0.05f) * ramp(-0.05f, -0.15f, e.y);
    return scale(color, 1 - 0.35f * ramp(0.55f, 1, s->p->age) * larger(fold, 0.7f * bag));
}

static vec paint_beard(const scene *s, vec color, vec p, const mouth_depth *mouth) {
    const beard_regions r = beard_at(s, p, mouth);
    const beard_style *b = &s->beard;
    const float stubble = b->shade * larger(r.cheeks, larger(r.chin, r.moustache));
    const float grown =
        larger(r.cheeks * (b->cheeks > 0), larger(r.chin * (b->chin > 0), 1.5f * r.moustache * (b->moustache > 0)));
    return lay(color, scale(s->hair_color, 0.8f), larger(stubble, ramp(0.25f, 0.65f, grown)));
}

static vec paint_mouth(const scene *s, vec color, const mouth_depth *mouth) {
    static const vec hollow = {0.09f, 0.005f, 0.006f}, tongue = {0.60f, 0.10f, 0.10f}, teeth = {1.30f, 1.26f, 1.19f};
    vec inside = lay(hollow, tongue, ramp(0.085f, 0.115f, -mouth->v) * ramp(0.65f, 0.40f, fabsf(mouth->u)));
    inside = lay(inside, teeth,
                 ramp(0.25f, 0.5f, s->open) * ramp(0.08f, 0.06f, -mouth->v) * ramp(0.88f, 0.76f, fabsf(mouth->u)));
    color = lay(color, s->lip_color, ramp(-0.012f, 0.012f, mouth->lips));
    return lay(color, inside, ramp(-0.010f, 0.010f, mouth->opening));
}

/* Along the edge of the upper lid. */
static vec paint_lashes(const scene *s, vec color, vec e) {
    static const vec dark = {0.010f, 0.006f, 0.004f};
    const float edge = e.y * s->upper_y - e.z * s->upper_z, lashes = s->p->lashes;
    const int on_lid = e.z > 0 && length(e) < 1.25f * s->p->eye_size;
    return on_lid ? lay(color, dark, (0.45f + 0.55f * lashes) * bump(edge - 0.004f, 0.022f + 0.026f * lashes)) : color;
}

static surface skin_surface(const scene *s, const place *at) {
    const vec p = at->head, q = {fabsf(p.x), p.y, p.z};
    surface skin = {s->skin, 0.10f, 14, 1};
    if (p.y < -1 - 1.4f * s->beard.chin) return skin; /* neck and chest */
    skin.color = paint_blush(s, skin.color, p, q);
    if (p.z < 0) return skin;
    const mouth_depth mouth = mouth_at(s, p.x, p.y);
    const vec e = eye_coordinates(s, q);
    skin.color = paint_age(s, skin.color, q, e);
    skin.color = lay(skin.color, s->brow_color, ramp(-0.012f, 0.012f, brow_at(s, q.x, q.y)));
    if (s->bearded) skin.color = paint_beard(s, skin.color, p, &mouth);
    skin.color = paint_mouth(s, skin.color, &mouth);
    skin.color = paint_lashes(s, skin.color, e);
    if (mouth.lips > 0) skin.shine = 0.22f;
    return skin;
}

static surface eyes_surface(const scene *s, const place *at) {
    static const vec pupil = {0.004f, 0.004f, 0.005f}, glint = {1.3f, 1.3f, 1.3f};
    const float side = at->head.x < 0 ? -1.0f : 1.0f, iris_size = s->p->iris_size;
    const vec e = scale(from_eye(s, at->head), 1 / s->p->eye_size);
    const vec look = normalize(add(s->gaze, (vec){-0.04f * side, 0, 0})); /* the axes meet in front */
    const vec off = subtract(e, look);
    const float from_pupil = length(off) / iris_size;
    vec iris =
        lay(s->iris, add(scale(s->iris, 1.5f), (vec){0.02f, 0.02f, 0.02f}), ramp(0.15f, -0.5f, off.y / iris_size));
    iris = lay(iris, scale(s->iris, 0.25f), ramp(0.78f, 0.98f, from_pupil));
    vec color = lay((vec){1.05f, 1.03f, 1.02f}, iris, ramp(1.06f, 0.94f, from_pupil));
    color = lay(color, pupil, ramp(0.62f, 0.50f, from_pupil));
    /* The upper lid shades the ball, and a window is mirrored beside the pupil. */
    const vec q = eye_coordinates(s, (vec){fabsf(at->head.x), at->head.y, at->head.z});
    color = scale(color, 0.6f + 0.4f * ramp(0, 0.07f, q.z * s->upper_z - q.y * s->upper_y));
    const vec mirror = normalize(add(look, (vec){s->to_light.body.x > 0 ? 0.24f : -0.24f, 0.26f, 0}));
    color = lay(color, glint, ramp(0.16f, 0.10f, length(subtract(e, mirror))));
    return (surface){color, 0.15f, 80, 0.4f};
}

static surface hair_surface(const scene *s, const place *at) {
    return (surface){scale(s->hair_color, 1 + 0.20f * strands_at(s, at->head)), 0.16f, 14, 0.15f};
}

static surface clothes_surface(const scene *s, const place *at) {
    const float shirt = 0.16f + 0.5f * (at->body.y + 1.75f); /* half width of the jacket's opening */
    const vec c =
        s->clothes.is_jacket ? blend(s->cloth_2, s->cloth, ramp(-0.02f, 0.02f, fabsf(at->body.x) - shirt)) : s->cloth;
    return (surface){c, 0.03f, 6, 0.25f};
}

static surface glasses_surface(const scene *s, const place *at) {
    (void)at;
    return (surface){linear(s->glasses.color), 0.6f, 30, 0};
}

static surface (*const part_surface[PARTS])(const scene *s, const place *at) = {
    [SKIN] = skin_surface,       [EYES] = eyes_surface,       [HAIR] = hair_surface,
    [CLOTHES] = clothes_surface, [GLASSES] = glasses_surface,
};

/* --- Light --- */

/* What changes so slowly that a pixel's rays share it where they meet the same part at nearly the same distance. */
typedef struct visibility {
    float distance;        /* of the place, 0: not known yet */
    float light, openness; /* of the key light, of the surroundings */
} visibility;

static visibility visibility_at(const scene *s, const place *at, const place *normal, float distance) {
    const place above = along(at, normal, 2 * s->near);
    return (visibility){distance, key_light_at(s, &above), openness_at(s, &above, normal)};
}

/* cosine ^ exponent, nearly (Schlick). */
static float highlight(float cosine, float exponent) {
    return cosine / (exponent - exponent * cosine + cosine);
}

/* The key light on a surface that it meets at this cosine. It creeps round skin into the shade, the redder the
   further. */
static vec key_light(const scene *s, const surface *m, float cosine, float light) {
    const vec creep = scale((vec){0.42f, 0.20f, 0.14f}, m->soft), glow = scale((vec){0.16f, 0.05f, 0.03f}, m->soft);
    const vec lit = {larger(cosine + creep.x, 0) / (1 + creep.x), larger(cosine + creep.y, 0) / (1 + creep.y),
                     larger(cosine + creep.z, 0) / (1 + creep.z)};
    const vec through = {mix(glow.x, 1, light), mix(glow.y, 1, light), mix(glow.z, 1, light)};
    return multiply(multiply(lit, through), s->light);
}

/* What the eye sees of a part at some distance along a ray. */
static vec shade(const scene *s, part which, const ray *r, float distance, visibility *seen) {
    const place here = along(&r->from, &r->to, distance), *at = &here;
    const vec to = r->to.body;
    const vec n = normal_at(s, which, at);
    const surface m = part_surface[which](s, at);
    if (fabsf(distance - seen->distance) > 20 * s->near) {
        const place normal = direction(s, n);
        *seen = visibility_at(s, at, &normal, distance);
    }
    const float edge = 1 - larger(-dot(n, to), 0), behind = larger(dot(n, s->to_rim.body) + 0.25f, 0);
    const vec around = scale(blend(s->ground, s->sky, 0.5f + 0.5f * n.y), seen->openness);
    const vec rim = scale(s->rim, 1.6f * edge * edge * behind * seen->openness);
    const vec light = add(add(key_light(s, &m, dot(n, s->to_light.body), seen->light), around), rim);
    const float mirrored = larger(dot(n, normalize(subtract(s->to_light.body, to))), 0);
    const float shine = m.shine * (highlight(mirrored, m.gloss) * seen->light + 0.1f * edge * edge);
    return add(multiply(m.color, light), scale(s->light, shine));
}

static vec background(const scene *s, float x, float y) {
    const float glow = bump(sqrtf(x * x + (y + 0.1f) * (y + 0.1f)), 1.5f);
    return scale(blend(s->back_bottom, s->back_top, ramp(-1.2f, 1.1f, y)), 0.72f + 0.5f * glow);
}

/* --- The picture --- */

typedef struct picture {
    const scene *s;
    int size;
    uint8_t *pixels;
} picture;

/* Through the point (x, y) of the picture, -1 to 1. */
static ray ray_through(const scene *s, float x, float y) {
    const vec to = normalize((vec){x * s->field, y * s->field, -1});
    return (ray){{move_to_head(s, s->camera), s->camera}, direction(s, to)};
}

static uint8_t to_byte(float linear_light) {
    const float soft = linear_light * (1 + 0.12f * linear_light) / (1 + 0.32f * linear_light); /* highlights roll off */
    return (uint8_t)(clamp(sqrtf(1.16f * soft), 0, 1) * 255 + 0.5f);
}

static void put_pixel(const picture *whole, int x, int y, vec color) {
    uint8_t *pixel = whole->pixels + 3 * ((size_t)y * (size_t)whole->size + (size_t)x);
    pixel[0] = to_byte(color.x), pixel[1] = to_byte(color.y), pixel[2] = to_byte(color.z);
}

static void render_pixel(const picture *whole, int px, int py, float t, unsigned parts) {
    const float unit = 2 / (float)whole->size;
    static const float offsets[][2] = {{0.375f, 0.125f}, {0.875f, 0.375f}, {0.125f, 0.625f}, {0.625f, 0.875f}};
    visibility seen[PARTS] = {{0}};
    vec sum = {0, 0, 0};
    for (int i = 0; i < COUNT(offsets); i++) {
        const float x = ((float)px + offsets[i][0]) * unit - 1, y = 1 - ((float)py + offsets[i][1]) * unit;
        const ray r = ray_through(whole->s, x, y);
        part which = NOTHING;
        const float hit = parts ? trace(whole->s, parts, &r, 0, t, &which) : FAR;
        sum = add(sum, hit < FAR ? shade(whole->s, which, &r, hit, &seen[which]) : background(whole->s, x, y));
    }
    put_pixel(whole, px, py, scale(sum, 1.0f / COUNT(offsets)));
}

/* A square of the picture seen through one cone; its quarters go on where it stopped. */
static void render_square(const picture *whole, int px, int py, int side, float t, unsigned parts) {
    if (px >= whole->size || py >= whole->size) return;
    const float unit = 1 / (float)whole->size, x = (float)(2 * px + side) * unit - 1,
                y = 1 - (float)(2 * py + side) * unit;
    const ray r = ray_through(whole->s, x, y);
    const float spread = 1.4143f * (float)side * unit * whole->s->field;
    part which;
    if (t < FAR) {
        parts = parts_in_cone(whole->s, parts, &r, spread);
        t = parts ? trace(whole->s, parts, &r, spread, t, &which) : FAR;
    }
    if (t >= FAR) parts = 0;
    if (side == 1) {
        render_pixel(whole, px, py, t, parts);
        return;
    }
    const int half = side / 2;
    for (int i = 0; i < 4; i++) render_square(whole, px + (i & 1) * half, py + (i >> 1) * half, half, t, parts);
}

void portrait_render(const portrait *p, int size, uint8_t *pixels) {
    scene s;
    scene_build(&s, p, size);
    const picture whole = {&s, size, pixels};
    int side = 1;
    while (side < size) side *= 2;
    render_square(&whole, 0, 0, side, 6, s.parts);
}
