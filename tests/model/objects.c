/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * objects.c: the host memory backends of a modelQemu
 *
 * QEMU with the tagged series gives a backend a tag, which is arbitrary text, can be
 * changed, and may be shared by two backends: a lookup then finds the one with the lowest
 * id in QEMU's own order, here the first that was created. A backend that an accepted
 * extent maps is in use; one whose extent is only pending is not, and QEMU lets it be
 * deleted.
 */

#include <config.h>

#include <string.h>
#include <yajl/yajl_tree.h>

#include "model.h"

void
modelObjectFree(modelObject *object)
{
    g_free(object->id);
    g_free(object->type);
    g_free(object->tag);
    g_free(object);
}

/* A backend without a tag, not shared. */
modelObject *
modelObjectNew(modelQemu *qemu, const char *type, const char *id, unsigned long long size)
{
    modelObject *object = g_new0(modelObject, 1);

    object->id = g_strdup(id);
    object->type = g_strdup(type);
    object->size = size;
    g_ptr_array_add(qemu->objects, object);
    return object;
}

modelObject *
modelObjectById(modelQemu *qemu, const char *id)
{
    guint i;

    for (i = 0; id && i < qemu->objects->len; i++) {
        modelObject *object = g_ptr_array_index(qemu->objects, i);

        if (g_str_equal(object->id, id))
            return object;
    }
    return NULL;
}

/* The backend that an add with @tag refers to: tags are compared as text. */
modelObject *
modelObjectByTag(modelQemu *qemu, const char *tag)
{
    guint i;

    for (i = 0; i < qemu->objects->len; i++) {
        modelObject *object = g_ptr_array_index(qemu->objects, i);

        if (object->tag && g_str_equal(object->tag, tag))
            return object;
    }
    return NULL;
}

/* QMP object-add */
char *
modelObjectAdd(modelQemu *qemu, virCxlDcdJSON *args, char **error)
{
    const char *type = modelArgString(args, "qom-type", error);
    const char *id = type ? modelArgString(args, "id", error) : NULL;
    const char *tag = virCxlDcdJSONMemberString(args, "tag");
    virCxlDcdJSON *share = virCxlDcdJSONMember(args, "share");
    unsigned long long size;
    modelObject *object;

    if (!id || !modelArgUnsigned(args, "size", 64, &size, error))
        return NULL;
    if (!g_str_has_prefix(type, "memory-backend-")) {
        *error = g_strdup_printf("Parameter 'qom-type' does not accept value '%s'", type);
        return NULL;
    }
    if (tag && qemu->flavour != MODEL_SERIES) {
        *error = g_strdup("Parameter 'tag' is unexpected");
        return NULL;
    }
    if (modelObjectById(qemu, id)) {
        *error = g_strdup_printf("attempt to add duplicate property '%s' to object (type "
                                 "'container')",
                                 id);
        return NULL;
    }
    object = modelObjectNew(qemu, type, id, size);
    object->tag = g_strdup(tag);
    object->share = share ? YAJL_IS_TRUE(share) : !g_str_has_suffix(type, "-ram");
    return g_strdup("{}");
}

/* QMP object-del */
char *
modelObjectDel(modelQemu *qemu, virCxlDcdJSON *args, char **error)
{
    const char *id = modelArgString(args, "id", error);
    modelObject *object = modelObjectById(qemu, id);
    guint i;

    if (!id)
        return NULL;
    if (!object) {
        *error = g_strdup_printf("object '%s' not found", id);
        return NULL;
    }
    if (object->users > 0) {
        *error = g_strdup_printf("object '%s' is in use, can not be deleted", id);
        return NULL;
    }
    for (i = 0; i < qemu->devices->len; i++)
        modelDeviceBackendGone(g_ptr_array_index(qemu->devices, i), id);
    g_ptr_array_remove(qemu->objects, object);
    return g_strdup("{}");
}

/* QMP qom-list of /objects and of /machine/peripheral */
char *
modelQomList(modelQemu *qemu, virCxlDcdJSON *args, char **error)
{
    const char *path = modelArgString(args, "path", error);
    g_autoptr(GString) buf = g_string_new("[{\"name\":\"type\",\"type\":\"string\"}");
    guint i;

    if (!path)
        return NULL;
    if (g_str_equal(path, "/machine/peripheral")) {
        g_string_append(buf,
                        ",{\"name\":\"cxl.1\",\"type\":\"child<pxb-cxl>\"}"
                        ",{\"name\":\"root_port13\",\"type\":\"child<cxl-rp>\"}");
        for (i = 0; i < qemu->devices->len; i++) {
            modelDevice *device = g_ptr_array_index(qemu->devices, i);

            g_string_append_printf(buf,
                                   ",{\"name\":\"%s\",\"type\":\"child<cxl-type3>\"}",
                                   device->alias);
        }
    } else if (g_str_equal(path, "/objects")) {
        for (i = 0; i < qemu->objects->len; i++) {
            modelObject *object = g_ptr_array_index(qemu->objects, i);

            g_string_append_printf(buf,
                                   ",{\"name\":\"%s\",\"type\":\"child<%s>\"}",
                                   object->id,
                                   object->type);
        }
    } else {
        *error = g_strdup_printf("Device '%s' not found", path);
        return NULL;
    }
    g_string_append_c(buf, ']');
    return g_string_free(g_steal_pointer(&buf), FALSE);
}

/* QMP qom-list-properties and device-list-properties: only those the library looks at */
char *
modelQomListProperties(modelQemu *qemu, virCxlDcdJSON *args, char **error)
{
    const char *type = modelArgString(args, "typename", error);
    bool series = qemu->flavour == MODEL_SERIES;

    if (!type)
        return NULL;
    if (g_str_equal(type, "cxl-type3"))
        return g_strdup(series ? "[{\"name\":\"num-dc-regions\"},{\"name\":\"volatile-dc-memdev\"},"
                                 "{\"name\":\"dc-regions-total-size\"}]"
                        : qemu->flavour == MODEL_STOCK
                            ? "[{\"name\":\"num-dc-regions\"},{\"name\":\"volatile-dc-memdev\"}]"
                            : "[]");
    if (g_str_has_prefix(type, "memory-backend-"))
        return g_strdup(series ? "[{\"name\":\"size\"},{\"name\":\"share\"},{\"name\":\"tag\"}]"
                               : "[{\"name\":\"size\"},{\"name\":\"share\"}]");
    *error = g_strdup_printf("Class '%s' not found", type);
    return NULL;
}

/* The object of /objects/ID that @args name, if they ask for its tag. */
static modelObject *
modelQomTag(modelQemu *qemu, virCxlDcdJSON *args, char **error)
{
    const char *path = modelArgString(args, "path", error);
    const char *property = path ? modelArgString(args, "property", error) : NULL;
    modelObject *object = NULL;

    if (!property)
        return NULL;
    if (g_str_has_prefix(path, "/objects/"))
        object = modelObjectById(qemu, path + strlen("/objects/"));
    if (!object)
        *error = g_strdup_printf("Device '%s' not found", path);
    else if (!g_str_equal(property, "tag") || qemu->flavour != MODEL_SERIES)
        *error = g_strdup_printf("Property '%s.%s' not found", object->type, property);
    return *error ? NULL : object;
}

/* QMP qom-get of a backend's tag, and of a device's link to its backend */
char *
modelQomGet(modelQemu *qemu, virCxlDcdJSON *args, char **error)
{
    const char *path = virCxlDcdJSONMemberString(args, "path");
    modelObject *object;

    if (path && g_str_has_prefix(path, "/machine/peripheral/")) {
        modelDevice *device = modelDeviceByAlias(qemu, path);

        if (device &&
            g_strcmp0(virCxlDcdJSONMemberString(args, "property"), "volatile-dc-memdev") == 0)
            return device->memdev ? g_strdup_printf("\"/objects/%s\"", device->memdev)
                                  : g_strdup("\"\"");
        *error = g_strdup_printf("Device '%s' not found", path);
        return NULL;
    }
    object = modelQomTag(qemu, args, error);
    return object ? g_strdup_printf("\"%s\"", object->tag ? object->tag : "") : NULL;
}

/* QMP qom-set of a backend's tag */
char *
modelQomSet(modelQemu *qemu, virCxlDcdJSON *args, char **error)
{
    modelObject *object = modelQomTag(qemu, args, error);
    const char *value = object ? modelArgString(args, "value", error) : NULL;

    if (!value)
        return NULL;
    g_free(object->tag);
    object->tag = g_strdup(value);
    return g_strdup("{}");
}

/* QMP query-memdev */
char *
modelQueryMemdev(modelQemu *qemu, virCxlDcdJSON *args G_GNUC_UNUSED, char **error G_GNUC_UNUSED)
{
    g_autoptr(GString) buf = g_string_new("[");
    guint i;

    for (i = 0; i < qemu->objects->len; i++) {
        modelObject *object = g_ptr_array_index(qemu->objects, i);

        g_string_append_printf(buf,
                               "%s{\"share\":%s,\"reserve\":true,\"prealloc\":false,"
                               "\"host-nodes\":[],\"size\":%llu,\"merge\":true,\"dump\":true,"
                               "\"policy\":\"default\",\"id\":\"%s\"}",
                               i ? "," : "",
                               object->share ? "true" : "false",
                               object->size,
                               object->id);
    }
    g_string_append_c(buf, ']');
    return g_string_free(g_steal_pointer(&buf), FALSE);
}
