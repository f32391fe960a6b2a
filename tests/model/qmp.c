/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qmp.c: a modelQemu, and the QMP requests that it takes
 *
 * A request is checked as QEMU's QAPI layer checks it, in the order of the schema, and
 * passed to the function of its command. Every request is kept, so that tests can look at
 * what was sent. A command that a flavour lacks is reported as not found.
 */

#include <config.h>

#include "model.h"

/* Commands without arguments whose answer is always the same. */
static char *
modelDone(modelQemu *qemu G_GNUC_UNUSED,
          virCxlDcdJSON *args G_GNUC_UNUSED,
          char **error G_GNUC_UNUSED)
{
    return g_strdup("{}");
}

static char *
modelNone(modelQemu *qemu G_GNUC_UNUSED,
          virCxlDcdJSON *args G_GNUC_UNUSED,
          char **error G_GNUC_UNUSED)
{
    return g_strdup("[]");
}

/* One that has sent its guest says more; nobody asks the model for that. */
static char *
modelQueryMigrate(modelQemu *qemu, virCxlDcdJSON *args G_GNUC_UNUSED, char **error G_GNUC_UNUSED)
{
    return g_strdup(qemu->incoming ? "{\"status\":\"completed\"}" : "{}");
}

static char *
modelQueryStatus(modelQemu *qemu, virCxlDcdJSON *args G_GNUC_UNUSED, char **error G_GNUC_UNUSED)
{
    return g_strdup(qemu->running ? "{\"status\":\"running\",\"running\":true}"
                                  : "{\"status\":\"prelaunch\",\"running\":false}");
}

static char *
modelQueryVersion(modelQemu *qemu, virCxlDcdJSON *args G_GNUC_UNUSED, char **error G_GNUC_UNUSED)
{
    if (qemu->flavour == MODEL_SERIES)
        return g_strdup("{\"qemu\":{\"micro\":50,\"minor\":2,\"major\":10},"
                        "\"package\":\"v9.2.0-9278-ga5b14cdedf-dirty\"}");
    return g_strdup_printf("{\"qemu\":{\"micro\":2,\"minor\":0,\"major\":%d},\"package\":\"\"}",
                           qemu->flavour == MODEL_STOCK ? 10 : 8);
}

static char *
modelSystemReset(modelQemu *qemu, virCxlDcdJSON *args G_GNUC_UNUSED, char **error G_GNUC_UNUSED)
{
    g_ptr_array_foreach(qemu->devices, (GFunc)(void *)modelDeviceReset, NULL);
    modelQemuMessage(qemu, "RESET", "{\"guest\":false,\"reason\":\"host-qmp-system-reset\"}");
    return g_strdup("{}");
}

static char *
modelQuit(modelQemu *qemu, virCxlDcdJSON *args G_GNUC_UNUSED, char **error G_GNUC_UNUSED)
{
    modelQemuMessage(qemu, "SHUTDOWN", "{\"guest\":false,\"reason\":\"host-qmp-quit\"}");
    return g_strdup("{}");
}

static char *modelQueryCommands(modelQemu *qemu, virCxlDcdJSON *args, char **error);

static const struct {
    const char *name;
    modelCommand command;
    unsigned int flavours; /* bits: which flavours have it */
} modelCommands[] = {
#define ALL (1 << MODEL_STOCK | 1 << MODEL_SERIES | 1 << MODEL_NEITHER)
    {"qmp_capabilities", modelDone, ALL},
    {"quit", modelQuit, ALL},
    {"query-commands", modelQueryCommands, ALL},
    {"query-memdev", modelQueryMemdev, ALL},
    {"query-memory-devices", modelNone, ALL},
    {"query-migrate", modelQueryMigrate, ALL},
    {"query-status", modelQueryStatus, ALL},
    {"query-version", modelQueryVersion, ALL},
    {"system_reset", modelSystemReset, ALL},
    {"object-add", modelObjectAdd, ALL},
    {"object-del", modelObjectDel, ALL},
    {"qom-get", modelQomGet, ALL},
    {"qom-list", modelQomList, ALL},
    {"qom-list-properties", modelQomListProperties, ALL},
    {"device-list-properties", modelQomListProperties, ALL},
    {"qom-set", modelQomSet, ALL},
    {"device_del", modelDeviceDel, ALL},
    {"cxl-add-dynamic-capacity", modelDeviceAdd, 1 << MODEL_STOCK | 1 << MODEL_SERIES},
    {"cxl-release-dynamic-capacity", modelDeviceRelease, 1 << MODEL_STOCK | 1 << MODEL_SERIES},
    {"cxl-release-dynamic-capacity-status", modelDeviceStatus, 1 << MODEL_SERIES},
#undef ALL
};

static char *
modelQueryCommands(modelQemu *qemu, virCxlDcdJSON *args G_GNUC_UNUSED, char **error G_GNUC_UNUSED)
{
    g_autoptr(GString) buf = g_string_new("[");
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(modelCommands); i++) {
        if (modelCommands[i].flavours & 1 << qemu->flavour)
            g_string_append_printf(buf,
                                   "%s{\"name\":\"%s\"}",
                                   buf->len > 1 ? "," : "",
                                   modelCommands[i].name);
    }
    g_string_append_c(buf, ']');
    return g_string_free(g_steal_pointer(&buf), FALSE);
}

/* A mandatory string member. Returns NULL with *@error set in QAPI's words. */
const char *
modelArgString(virCxlDcdJSON *args, const char *name, char **error)
{
    const char *value = virCxlDcdJSONMemberString(args, name);

    if (!value)
        *error = g_strdup_printf(virCxlDcdJSONMember(args, name)
                                     ? "Invalid parameter type for '%s', expected: string"
                                     : "Parameter '%s' is missing",
                                 name);
    return value;
}

/* A mandatory number member of at most so many bits. */
bool
modelArgUnsigned(virCxlDcdJSON *args,
                 const char *name,
                 unsigned int bits,
                 unsigned long long *value,
                 char **error)
{
    if (!virCxlDcdJSONMember(args, name)) {
        *error = g_strdup_printf("Parameter '%s' is missing", name);
        return false;
    }
    if (virCxlDcdJSONMemberUnsigned(args, name, value) && (bits == 64 || *value >> bits == 0))
        return true;
    *error = g_strdup_printf("Parameter '%s' expects uint%u_t", name, bits);
    return false;
}

static char *
modelError(const char *class, const char *description)
{
    g_autoptr(virCxlDcdJSONWriter) writer = virCxlDcdJSONWriterNew();

    virCxlDcdJSONBeginObject(writer, NULL);
    virCxlDcdJSONBeginObject(writer, "error");
    virCxlDcdJSONAddString(writer, "class", class);
    virCxlDcdJSONAddString(writer, "desc", description);
    virCxlDcdJSONEndObject(writer);
    virCxlDcdJSONEndObject(writer);
    return virCxlDcdJSONFinish(writer);
}

/* One request and its answer, a whole JSON object; NULL if QEMU crashed on it. */
char *
modelQemuCommand(modelQemu *qemu, const char *request)
{
    g_autofree char *message = NULL;
    g_autoptr(virCxlDcdJSON) value = virCxlDcdJSONParse(request, &message);
    const char *name = virCxlDcdJSONMemberString(value, "execute");
    g_autofree char *error = NULL;
    g_autofree char *answer = NULL;
    size_t i;

    if (qemu->crashed)
        return NULL;
    g_ptr_array_add(qemu->requests, g_strdup(request));
    if (!value)
        return modelError("GenericError", "JSON parse error");
    if (!name)
        return modelError("GenericError", "QMP input lacks member 'execute'");
    for (i = 0; i < G_N_ELEMENTS(modelCommands); i++) {
        if (g_str_equal(modelCommands[i].name, name) &&
            modelCommands[i].flavours & 1 << qemu->flavour)
            break;
    }
    if (i == G_N_ELEMENTS(modelCommands)) {
        error = g_strdup_printf("The command %s has not been found", name);
        return modelError("CommandNotFound", error);
    }
    answer = modelCommands[i].command(qemu, virCxlDcdJSONMember(value, "arguments"), &error);
    if (qemu->crashed)
        return NULL;
    g_assert_true((answer == NULL) != (error == NULL));
    return answer ? g_strdup_printf("{\"return\":%s}", answer) : modelError("GenericError", error);
}

/* QEMU exits without being asked to. */
void
modelQemuCrash(modelQemu *qemu, const char *why)
{
    if (!qemu->crashed)
        qemu->crashed = why;
}

/* QEMU sends something unasked: a QMP event. */
void
modelQemuMessage(modelQemu *qemu, const char *event, const char *data)
{
    g_queue_push_tail(&qemu->messages,
                      g_strdup_printf("{\"event\":\"%s\",\"data\":%s}", event, data));
}

/* A QEMU with its main memory and no device. */
modelQemu *
modelQemuNew(modelFlavour flavour)
{
    modelQemu *qemu = g_new0(modelQemu, 1);

    qemu->flavour = flavour;
    qemu->objects = g_ptr_array_new_with_free_func((GDestroyNotify)modelObjectFree);
    qemu->devices = g_ptr_array_new_with_free_func((GDestroyNotify)modelDeviceFree);
    qemu->requests = g_ptr_array_new_with_free_func(g_free);
    g_queue_init(&qemu->messages);
    modelObjectNew(qemu, "memory-backend-ram", "pc.ram", 1ULL << 30);
    return qemu;
}

void
modelQemuFree(modelQemu *qemu)
{
    if (!qemu)
        return;
    g_ptr_array_unref(qemu->devices);
    g_ptr_array_unref(qemu->objects);
    g_ptr_array_unref(qemu->requests);
    g_queue_clear_full(&qemu->messages, g_free);
    g_free(qemu);
}
