/* like.h - the flags that draw a picture again, from what it says of itself. */
#ifndef LIKE_H
#define LIKE_H

#include "drawing.h"
#include "latents.h"

/* Fills in the flags of a command for the picture at `path`, before the model is opened. Ends the program if the picture
   does not tell enough, or if a flag contradicts it.
   Returns what the picture says, for like_check, which frees it. */
char *like_flags(const char *path, latent_flags *source, drawing_flags *noise, model_flags *compute);

/* Ends the program unless the picture was drawn by this model. */
void like_check(const char *path, char *notes, const opened_model *opened);

#endif
