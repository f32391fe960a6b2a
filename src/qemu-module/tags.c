/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * tags.c: the property `tag` of host memory backends
 *
 * A tag is a UUID, not nil, set once, and no two backends have the same. It is
 * kept beside the backend, as QEMU's structure has no room for it, and goes
 * when the backend is finalized.
 */
#include "cxl-tagged.h"

static GHashTable *tags; /* backend -> its 16 bytes */

/* tag_parse: @text as 16 bytes. Returns false if it is not a UUID, or nil. */
bool
tag_parse(const char *text, uint8_t *uuid)
{
    static const uint8_t nil[16];
    unsigned digits = 0;
    const char *p;

    if (!text || strlen(text) != 36) {
        return false;
    }
    for (p = text; *p; p++) {
        size_t at = p - text;

        if (at == 8 || at == 13 || at == 18 || at == 23) {
            if (*p != '-') {
                return false;
            }
            continue;
        }
        if (!g_ascii_isxdigit(*p)) {
            return false;
        }
        uuid[digits / 2] =
            (digits % 2 ? uuid[digits / 2] << 4 : 0) | g_ascii_xdigit_value(*p);
        digits++;
    }
    return memcmp(uuid, nil, 16) != 0;
}

/* tag_text: @uuid as text, to be freed. */
char *
tag_text(const uint8_t *uuid)
{
    GString *text = g_string_new(NULL);
    unsigned i;

    for (i = 0; i < 16; i++) {
        g_string_append_printf(text, "%s%02x",
                               i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "",
                               uuid[i]);
    }
    return g_string_free(text, FALSE);
}

struct search {
    const uint8_t *uuid;
    Object *found;
};

static int
match(Object *object, void *opaque)
{
    struct search *search = opaque;
    const uint8_t *uuid = g_hash_table_lookup(tags, object);

    if (uuid && !memcmp(uuid, search->uuid, 16)) {
        search->found = object;
    }
    return search->found != NULL;
}

/* tag_find: the memory backend in /objects with this tag, or NULL. */
Object *
tag_find(const uint8_t *uuid)
{
    struct search search = { uuid, NULL };

    qemu.object_child_foreach(qemu.object_get_objects_root(), match, &search);
    return search.found;
}

/*
 * tag_check: whether @text may become a tag, that of @mine if it exists yet
 *
 * Returns true with @uuid filled, or false with @errp set.
 */
bool
tag_check(const char *text, const Object *mine, uint8_t *uuid, Error **errp)
{
    Object *other;

    if (!tag_parse(text, uuid)) {
        fail(errp, "tag '%s' is not a UUID, or is nil", text);
        return false;
    }
    other = tag_find(uuid);
    if (other && other != mine) {
        fail(errp, "tag '%s' is already that of memory backend '%s'", text,
             qemu.object_get_canonical_path_component(other));
        return false;
    }
    return true;
}

static void
tag_get(Object *backend, Visitor *visitor, const char *name,
        void *opaque G_GNUC_UNUSED, Error **errp)
{
    const uint8_t *uuid = g_hash_table_lookup(tags, backend);
    char *text = uuid ? tag_text(uuid) : g_strdup("");

    qemu.visit_type_str(visitor, name, &text, errp);
    g_free(text);
}

static void
tag_set(Object *backend, Visitor *visitor, const char *name,
        void *opaque G_GNUC_UNUSED, Error **errp)
{
    g_autofree char *text = NULL;
    uint8_t uuid[16];

    if (!qemu.visit_type_str(visitor, name, &text, errp)) {
        return;
    }
    if (g_hash_table_contains(tags, backend)) {
        fail(errp, "the tag of a memory backend can be set only once");
        return;
    }
    if (tag_check(text, backend, uuid, errp)) {
        g_hash_table_insert(tags, backend, g_memdup2(uuid, 16));
    }
}

static void
tag_release(Object *backend, const char *name G_GNUC_UNUSED,
            void *opaque G_GNUC_UNUSED)
{
    g_hash_table_remove(tags, backend);
}

/* tags_install: give the class of all memory backends the property. */
void
tags_install(ObjectClass *backend)
{
    tags = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    qemu.object_class_property_add(backend, "tag", "string", tag_get, tag_set,
                                   tag_release, NULL);
    qemu.object_class_property_set_description(
        backend, "tag",
        "UUID by which dynamic capacity requests name this memory");
}
