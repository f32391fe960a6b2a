/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * schema.c: introspection, by which a client finds the feature
 *
 * query-qmp-schema is QEMU's own list with our additions: the status command,
 * its types, and the member `tag` in the arguments that object-add takes for
 * each kind of memory backend. Types have opaque names there; ours cannot be
 * QEMU's, which are numbers.
 */
#include "cxl-tagged.h"

static QmpFunction *stock_schema;

struct walk {
    char *arguments;      /* name of object-add's argument type */
    GHashTable *backends; /* names of the memory backends' types */
};

static void
find_arguments(QDict *entry, void *opaque)
{
    struct walk *walk = opaque;

    if (!walk->arguments &&
        !g_strcmp0(qemu.qdict_get_try_str(entry, "name"), "object-add") &&
        !g_strcmp0(qemu.qdict_get_try_str(entry, "meta-type"), "command")) {
        walk->arguments = g_strdup(qemu.qdict_get_try_str(entry, "arg-type"));
    }
}

static void
find_backend(QDict *variant, void *opaque)
{
    struct walk *walk = opaque;
    const char *kind = qemu.qdict_get_try_str(variant, "case");

    if (kind && g_str_has_prefix(kind, "memory-backend-")) {
        g_hash_table_add(walk->backends,
                         g_strdup(qemu.qdict_get_try_str(variant, "type")));
    }
}

static void
find_backends(QDict *entry, void *opaque)
{
    struct walk *walk = opaque;
    QList *variants = qemu.qdict_get_qlist(entry, "variants");

    if (variants &&
        !g_strcmp0(qemu.qdict_get_try_str(entry, "name"), walk->arguments)) {
        qlist_each(variants, find_backend, walk);
    }
}

static void
add_tag(QDict *entry, void *opaque)
{
    struct walk *walk = opaque;
    const char *name = qemu.qdict_get_try_str(entry, "name");
    QList *members = qemu.qdict_get_qlist(entry, "members");

    if (members && name && g_hash_table_contains(walk->backends, name)) {
        qemu.qlist_append_obj(
            members,
            qemu.qobject_from_json(
                "{\"name\": \"tag\", \"default\": null, \"type\": \"str\"}",
                NULL));
    }
}

/* query-qmp-schema */
static void
schema(QDict *args, QObject **ret, Error **errp)
{
    static const char *const additions[] = {
        "{\"name\": \"cxl-release-dynamic-capacity-status\","
        " \"meta-type\": \"command\", \"arg-type\": \"cxl-tagged-request\","
        " \"ret-type\": \"cxl-tagged-status\", \"features\": [\"unstable\"]}",
        "{\"name\": \"cxl-tagged-request\", \"meta-type\": \"object\","
        " \"members\": [{\"name\": \"path\", \"type\": \"str\"},"
        " {\"name\": \"host-id\", \"type\": \"int\"},"
        " {\"name\": \"region\", \"type\": \"int\"},"
        " {\"name\": \"tag\", \"type\": \"str\"}]}",
        "{\"name\": \"cxl-tagged-status\", \"meta-type\": \"object\","
        " \"members\": [{\"name\": \"status\", \"type\": \"str\"},"
        " {\"name\": \"message\", \"type\": \"str\"}]}",
    };
    struct walk walk = { NULL, NULL };
    QList *all;
    unsigned i;

    if (!qmp_call(stock_schema, args, ret, errp)) {
        return;
    }
    all = (QList *)*ret;
    walk.backends =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    qlist_each(all, find_arguments, &walk);
    if (walk.arguments) {
        qlist_each(all, find_backends, &walk);
        qlist_each(all, add_tag, &walk);
    }
    for (i = 0; i < G_N_ELEMENTS(additions); i++) {
        qemu.qlist_append_obj(all, qemu.qobject_from_json(additions[i], NULL));
    }
    g_hash_table_unref(walk.backends);
    g_free(walk.arguments);
}

bool
schema_check(void)
{
    return qmp_check("query-qmp-schema", "qmp_marshal_query_qmp_schema",
                     &stock_schema);
}

void
schema_install(void)
{
    qmp_replace("query-qmp-schema", schema);
}
