/* labels.h - the classes of a folder's pictures, as the official data sets give them: dataset.json in the folder,
   {"labels": [["cats/1.png", 0], ["dogs/2.png", 1]]}. */
#ifndef LABELS_H
#define LABELS_H

#include <stddef.h>

enum { MOST_LABELS = 65536 };

typedef struct file_label {
    char *file; /* below the folder, with / between folders */
    int class_index;
} file_label;

typedef struct label_list {
    file_label *items; /* sorted by file */
    size_t count;
} label_list;

/* Parses the text of a dataset.json, terminated. Returns NULL, or what is wrong, which the caller frees; the list is to be
   freed in either case. "labels": null is an empty list. */
char *label_list_parse(const char *text, label_list *list);
void label_list_free(label_list *list);

/* The class of a file, -1 if the list does not have it. */
int label_list_find(const label_list *list, const char *file);

#endif
