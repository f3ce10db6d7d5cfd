/* portrait_scene.h - an endless source of drawn portraits: what varies from person to person, and the picture of it. */
#ifndef PORTRAIT_SCENE_H
#define PORTRAIT_SCENE_H

#include <stdint.h>

/* X(name, least, most, bell): every factor of a portrait, drawn independently of all others: evenly from least to most,
   or (bell 1) from a bell curve between them. Angles in degrees, lengths in head radii. Coarse to fine: pose and shape,
   then features, then colours. */
#define PORTRAIT_FACTORS(X)                                           \
    /* pose and framing */                                            \
    X(yaw, -38, 38, 1)                                                \
    X(pitch, -14, 14, 1)                                              \
    X(roll, -11, 11, 1)                                               \
    X(body_yaw, -18, 18, 1)                                           \
    X(distance, 0.95f, 1.07f, 1)                                      \
    X(shift_x, -0.05f, 0.05f, 1)                                      \
    X(shift_y, -0.05f, 0.05f, 1)                                      \
    /* shape of head and body */                                      \
    X(head_width, 0.93f, 1.07f, 1)                                    \
    X(jaw_width, 0.56f, 0.74f, 0)                                     \
    X(chin_length, -0.05f, 0.08f, 0)                                  \
    X(chin_size, 0.16f, 0.26f, 0)                                     \
    X(cheeks, 0.14f, 0.27f, 0)                                        \
    X(ear_size, 0.85f, 1.25f, 1)                                      \
    X(shoulders, 0.88f, 1.22f, 0)                                     \
    X(neck_width, 0.32f, 0.44f, 0)                                    \
    /* hair, beard, glasses, clothes: style numbers come from 0..1 */ \
    X(hair_style, 0, 1, 0)                                            \
    X(hair_volume, 0.8f, 1.25f, 1)                                    \
    X(hair_length, -0.15f, 0.15f, 0)                                  \
    X(hair_side, -1, 1, 0)                                            \
    X(beard_style, 0, 1, 0)                                           \
    X(glasses_style, 0, 1, 0)                                         \
    X(clothes_style, 0, 1, 0)                                         \
    /* features */                                                    \
    X(eye_size, 0.225f, 0.275f, 1)                                    \
    X(eye_distance, 0.305f, 0.36f, 1)                                 \
    X(eye_slant, -8, 14, 1)                                           \
    X(eye_opening, 0.62f, 1.08f, 1)                                   \
    X(gaze_x, -20, 20, 1)                                             \
    X(gaze_y, -9, 9, 1)                                               \
    X(iris_size, 0.54f, 0.66f, 0)                                     \
    X(brow_height, 0.02f, 0.10f, 0)                                   \
    X(brow_thickness, 0.025f, 0.062f, 0)                              \
    X(brow_tilt, -0.07f, 0.07f, 1)                                    \
    X(nose_length, 0.9f, 1.12f, 1)                                    \
    X(nose_width, 0.75f, 1.3f, 1)                                     \
    X(nose_tip, 0.085f, 0.135f, 0)                                    \
    X(mouth_width, 0.25f, 0.36f, 1)                                   \
    X(mouth_open, -1.0f, 1.0f, 0)                                     \
    X(smile, -0.35f, 1.15f, 0)                                        \
    X(lips, 0.6f, 1.35f, 1)                                           \
    X(lashes, 0, 1, 0)                                                \
    X(age, 0, 1, 0)                                                   \
    /* colours and light */                                           \
    X(skin_tone, 0, 1, 0)                                             \
    X(skin_warmth, -1, 1, 1)                                          \
    X(blush, 0, 1, 0)                                                 \
    X(lipstick, 0, 1, 0)                                              \
    X(hair_color, 0, 1, 0)                                            \
    X(iris_color, 0, 1, 0)                                            \
    X(cloth_hue, 0, 1, 0)                                             \
    X(cloth_saturation, 0.15f, 0.75f, 0)                              \
    X(cloth_value, 0.25f, 0.92f, 0)                                   \
    X(back_hue, 0, 1, 0)                                              \
    X(back_saturation, 0.15f, 0.55f, 0)                               \
    X(back_value, 0.45f, 1.0f, 0)                                     \
    X(light_azimuth, -62, 62, 0)                                      \
    X(light_height, 12, 52, 0)                                        \
    X(light_warmth, -1, 1, 1)                                         \
    X(light_power, 0.9f, 1.15f, 1)

typedef struct portrait {
#define PORTRAIT_FIELD(name, least, most, bell) float name;
    PORTRAIT_FACTORS(PORTRAIT_FIELD)
#undef PORTRAIT_FIELD
} portrait;

/* The factors of portrait `index` of the collection `seed`. */
void portrait_draw_factors(portrait *p, uint64_t seed, uint64_t index);

/* What a factor comes to in the picture: rows of the tables of styles (hair_styles, ... in portrait_scene.c), angles in
   degrees, shares from 0 to 1, colours as they look on a screen, 0 to 1. */
typedef struct portrait_look {
    portrait p;
    float hair, beard, glasses, clothes; /* rows */
    float gaze_x, gaze_y;                /* of the eyes, from the head */
    float open, painted, wrinkles;       /* mouth, lips, age */
    float skin[3], hair_color[3], iris[3], cloth[3], back[3];
    float beard_contrast; /* length of the difference in colour between skin and beard; of stubble that which shows */
    int has_hair, hangs, has_beard;
} portrait_look;
void portrait_describe(const portrait *p, portrait_look *look);

/* The same person, as a mirror shows them. */
portrait portrait_mirrored(const portrait *p);

/* Renders it: pixels [size][size][3]. The same on every machine, but for the rounding of float arithmetic. */
void portrait_render(const portrait *p, int size, uint8_t *pixels);

#endif
