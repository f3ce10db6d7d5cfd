/* torch.h - reads what torch.save wrote: a zip archive, or the older single stream. */
#ifndef TORCH_H
#define TORCH_H

#include "value.h"

bool torch_recognise(const unsigned char *data, size_t size);

/* The saved object; its STORAGEs point at their bytes. */
value *torch_read(reader *r, const unsigned char *data, size_t size);

#endif
