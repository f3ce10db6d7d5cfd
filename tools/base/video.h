/* video.h - frames become a file or a folder, as its name says: .y4m (and -, standard output), .apng or .png (animated),
   or a folder of numbered pictures. */
#ifndef VIDEO_H
#define VIDEO_H

#include "apng.h"
#include "y4m.h"

typedef struct video_format {
    int width, height, channels;
    int frames, rate;  /* rate: frames a second */
    int colours;       /* of an animated PNG, 0: as they are */
    const char *notes; /* what pictures say of themselves (notes.h); NULL: nothing */
} video_format;

typedef struct video_kind video_kind;

typedef struct video {
    const video_kind *kind;
    const char *path;
    video_format format;
    union {
        y4m_writer y4m;
        apng_writer apng;
    } writer;
} video;

/* Files appear whole or not at all, a folder keeps the frames that are finished. End the program on failure. */
void video_check(const char *path, int colours); /* whether it is known what to write there */
void video_make_folder(const char *path);        /* if it is one: video_open does so, too */
void video_open(video *v, const char *path, const video_format *format);
/* Whether an earlier run has left the frame there, with the same notes; then it may be left out. */
int video_has(const video *v, int frame);
void video_add(video *v, int frame, const unsigned char *pixels); /* in order; [height][width][channels] */
void video_close(video *v);

#endif
