/* sources.h - what data sets are made from: see dataset_open. */
#ifndef SOURCES_H
#define SOURCES_H

#include "dataset.h"

enum { CHANNELS = 3 };

size_t picture_bytes(int resolution);

/* A class's name as texts take it, to be freed: control characters become question marks, and ", ", which stands between
   classes, becomes "; ". */
char *dataset_class_name(const char *name, size_t length);
void dataset_free_classes(dataset *d);

/* Each ends the program if there are no pictures. */
void dataset_open_folder(dataset *d, const char *path, int resolution);
void dataset_open_packed(dataset *d, const char *path, int resolution); /* 0: the file's own */

/* A packed file that is open already, and closed with the data set. Returns NULL, or what is wrong; the caller frees it. */
char *dataset_view_packed(dataset *d, const file_view *file);

#endif
