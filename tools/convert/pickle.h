/* pickle.h - reads Python's pickles, protocols 0 to 5, without running them. */
#ifndef PICKLE_H
#define PICKLE_H

#include "value.h"

/* Returns what the pickle at the start of `data` describes, NULL on failure. Calls and imports become inert objects
   and names; plain containers (OrderedDict, EasyDict, set, ...) become plain values. *end: bytes read. Every persistent
   id becomes a STORAGE, which is also appended to `storages`. */
value *pickle_read(reader *r, const unsigned char *data, size_t size, size_t *end, value *storages);

#endif
