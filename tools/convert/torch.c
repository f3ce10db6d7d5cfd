/* torch.c - both containers hold one pickle in which every storage is a persistent id
   ("storage", class, key, location, number of elements), and the storages' bytes by key. In the older stream a sixth item
   may tell that it is a part of the storage: (its own key, first element, number of elements). */
#include "torch.h"
#include "pickle.h"
#include "tensor.h"
#include "../base/zip.h"

#include <stdlib.h>
#include <string.h>

/* The older stream begins with this number, pickled: since protocol 2 after PROTO and perhaps FRAME. */
static const unsigned char legacy_magic[] = {0x8a, 10, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50, 0x19, '.'};
static const char legacy_magic_text[] = "L119547037146038801333356L\n.";

static bool begins_with(const unsigned char *data, size_t size, const void *magic, size_t magic_size) {
    return size >= magic_size && !memcmp(data, magic, magic_size);
}

static bool is_legacy(const unsigned char *data, size_t size) {
    enum { PROTO_SIZE = 2, FRAME = 0x95, FRAME_SIZE = 9 };
    if (begins_with(data, size, legacy_magic_text, sizeof legacy_magic_text - 1)) return true;
    if (size < PROTO_SIZE + FRAME_SIZE || data[0] != 0x80) return false;
    const size_t start = data[PROTO_SIZE] == FRAME ? PROTO_SIZE + FRAME_SIZE : PROTO_SIZE;
    return begins_with(data + start, size - start, legacy_magic, sizeof legacy_magic);
}

bool torch_recognise(const unsigned char *data, size_t size) {
    return begins_with(data, size, "PK\3\4", 4) || is_legacy(data, size);
}

static const value *storage_key(const value *storage) {
    const value *key = value_item(storage->arguments, 2);
    return key && key->kind == VALUE_TEXT && value_equals(value_item(storage->arguments, 0), "storage") ? key : NULL;
}

/* --- The zip archive: NAME/data.pkl, NAME/data/KEY, NAME/byteorder --- */

static const char *archive_prefix(reader *r, const zip *archive) {
    static const char suffix[] = "/data.pkl";
    const size_t cut = sizeof suffix - 1;
    for (size_t i = 0; i < archive->count; i++) {
        const zip_member *m = &archive->members[i];
        if (m->name_size <= cut || memcmp(m->name + m->name_size - cut, suffix, cut)) continue;
        return reader_format(r, "%.*s", (int)(m->name_size - cut), m->name);
    }
    reader_fail(r, "zip: no data.pkl inside: not written by torch.save");
    return NULL;
}

/* The bytes of a member, NULL if there is none. */
static const unsigned char *find_member(reader *r, const zip *archive, const char *name, size_t *size) {
    const zip_member *member = zip_find(archive, name);
    if (!member) return NULL;
    const unsigned char *bytes = zip_bytes(archive, member);
    *size = member->size;
    if (member->method != ZIP_STORED) reader_fail(r, "zip: member %s is compressed: not written by torch.save", name);
    if (!bytes) reader_fail(r, "zip: member %s (%zu bytes) lies outside the file", name, member->size);
    return member->method == ZIP_STORED ? bytes : NULL;
}

static value *read_members(reader *r, const zip *archive) {
    const char *prefix = archive_prefix(r, archive);
    size_t size, order_size, end;
    const unsigned char *pickle =
        prefix ? find_member(r, archive, reader_format(r, "%s/data.pkl", prefix), &size) : NULL;
    value *storages = value_new(r, VALUE_LIST);
    if (!pickle || !storages) return NULL;
    value *root = pickle_read(r, pickle, size, &end, storages);
    const unsigned char *order = find_member(r, archive, reader_format(r, "%s/byteorder", prefix), &order_size);
    for (size_t i = 0; root && i < storages->count; i++) {
        value *storage = storages->items[i];
        const value *key = storage_key(storage);
        if (!key || key->size > 32) continue;
        const char *name = reader_format(r, "%s/data/%.*s", prefix, (int)key->size, key->data);
        const unsigned char *bytes = find_member(r, archive, name, &size);
        if (!bytes) continue; /* matters only if one of its tensors is used */
        storage->data = bytes;
        storage->size = size;
        storage->big_endian = order && begins_with(order, order_size, "big", 3);
    }
    return r->error[0] ? NULL : root;
}

static value *read_zip(reader *r, const unsigned char *data, size_t size) {
    zip archive;
    char *fault = zip_open(data, size, &archive);
    if (fault) reader_fail(r, "%s", fault);
    value *root = fault ? NULL : read_members(r, &archive);
    free(fault);
    zip_close(&archive);
    return root;
}

/* --- The older stream: magic, protocol, system, object, keys (all pickled), then the storages in the keys' order,
   little-endian whatever the system was --- */

static int compare_texts(const value *a, const value *b) {
    const size_t shorter = a->size < b->size ? a->size : b->size;
    const int order = memcmp(a->data, b->data, shorter);
    return order ? order : (a->size > b->size) - (a->size < b->size);
}

static int compare_storages(const void *a, const void *b) {
    return compare_texts(storage_key(*(value *const *)a), storage_key(*(value *const *)b));
}

/* Keeps those that have a key, sorted by it: one storage may occur several times. */
static void sort_storages(value *storages) {
    size_t kept = 0;
    for (size_t i = 0; i < storages->count; i++) {
        if (storage_key(storages->items[i])) storages->items[kept++] = storages->items[i];
    }
    storages->count = kept;
    if (kept) qsort(storages->items, kept, sizeof *storages->items, compare_storages);
}

static size_t first_with_key(const value *storages, const value *key) {
    size_t low = 0, high = storages->count;
    while (low < high) {
        const size_t middle = low + (high - low) / 2;
        if (compare_texts(storage_key(storages->items[middle]), key) < 0) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

/* Narrows a storage that was placed to the part that its persistent id asks for. */
static void take_part(reader *r, value *storage, size_t element_size) {
    const value *part = value_item(storage->arguments, 5);
    if (!part || part->kind == VALUE_NONE) return;
    const value *first = value_item(part, 1), *count = value_item(part, 2);
    const uint64_t available = storage->size / element_size;
    const uint64_t start = first && first->integer >= 0 ? (uint64_t)first->integer : UINT64_MAX;
    if (start > available || !count || count->integer < 0 || (uint64_t)count->integer > available - start) {
        const value *key = storage_key(storage);
        reader_fail(r, "storage %.*s: a part of it lies outside", key->size < 40 ? (int)key->size : 40, key->data);
        return;
    }
    storage->data += (size_t)start * element_size;
    storage->size = (size_t)count->integer * element_size;
}

/* Places the storages of `key` at `at`; returns the bytes there: the number of elements, then the elements. */
static size_t place_storage(reader *r, value *storages, const value *key, const unsigned char *at, size_t left) {
    const size_t first = key && key->kind == VALUE_TEXT ? first_with_key(storages, key) : storages->count;
    value *storage = value_item(storages, first);
    if (!storage || compare_texts(storage_key(storage), key) || storage->data) {
        reader_fail(r, "a storage is listed that no tensor uses");
        return 0;
    }
    const size_t element_size = storage_element_size(storage);
    uint64_t count = 0;
    for (int i = 8; left >= 8 && i-- > 0;) count = count << 8 | at[i];
    if (!element_size || left < 8 || count > (left - 8) / element_size) {
        reader_fail(r, "storage %.*s (%llu elements) lies outside the file: cut off?",
                    key->size < 40 ? (int)key->size : 40, key->data, (unsigned long long)count);
        return 0;
    }
    for (size_t i = first; i < storages->count && !compare_texts(storage_key(storages->items[i]), key); i++) {
        storages->items[i]->data = at + 8;
        storages->items[i]->size = (size_t)count * element_size;
        take_part(r, storages->items[i], element_size);
    }
    return 8 + (size_t)count * element_size;
}

static value *read_legacy(reader *r, const unsigned char *data, size_t size) {
    enum { MAGIC, PROTOCOL, SYSTEM, OBJECT, KEYS, PARTS };
    value *parts[PARTS], *storages = value_new(r, VALUE_LIST), *others = value_new(r, VALUE_LIST);
    size_t at = 0, end;
    for (int part = 0; part < PARTS; part++) {
        parts[part] = pickle_read(r, data + at, size - at, &end, part == OBJECT ? storages : others);
        if (!parts[part]) return NULL;
        at += end;
    }
    const value *keys = parts[KEYS];
    sort_storages(storages);
    for (size_t i = 0; keys->kind == VALUE_LIST && i < keys->count && !r->error[0]; i++) {
        at += place_storage(r, storages, keys->items[i], data + at, size - at);
    }
    return r->error[0] ? NULL : parts[OBJECT];
}

value *torch_read(reader *r, const unsigned char *data, size_t size) {
    return data[0] == 'P' ? read_zip(r, data, size) : read_legacy(r, data, size);
}
