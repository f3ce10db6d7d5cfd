/* sgt.h - the few facts about training states that damaging them on purpose needs: magic, size and checksum of what
   follows, 8 bytes each, then the options, then two counters, images and
   steps, and the augmentation's probability. */
#ifndef SGT_H
#define SGT_H

#include "../tools/train/trainer.h"

#include <string.h>

enum { SGT_HEAD = 24 };

/* Where an option lies; where the options end, for a name that is none. */
static inline size_t sgt_offset(const char *name) {
    size_t at = SGT_HEAD;
    for (const trainer_option *o = trainer_options; o->name && strcmp(o->name, name) != 0; o++)
        at += o->kind == 'i' ? sizeof(int) : sizeof(double);
    return at;
}

static inline void sgt_set(unsigned char *state, const char *name, int value) {
    memcpy(state + sgt_offset(name), &value, sizeof value);
}

/* Makes size and checksum right again, whatever else is wrong. */
static inline void sgt_fix(unsigned char *state, size_t size) {
    uint64_t sum = 0xcbf29ce484222325u, length = size;
    if (size < SGT_HEAD) return;
    for (size_t i = SGT_HEAD; i < size; i++) sum = (sum ^ state[i]) * 0x100000001b3u;
    memcpy(state + 8, &length, sizeof length);
    memcpy(state + 16, &sum, sizeof sum);
}

#endif
