/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * requests.c: QMP requests, for comparing what different senders sent
 *
 * Requests come from a recording (modeldata/NAME.jsonl), from libvirt's log of its
 * monitors, or from the model. requestsReport() writes down what they do to one tag, such
 * that two senders that do the same produce equal text: every argument, and nothing else.
 * Only this is left out:
 *
 *   the id of a backend    differs for each sender; it is checked to be the same in
 *                          object-add and object-del
 *   the id of a request    libvirt numbers them
 *   how often, and when, a status is queried: it appears once each, at the end
 *   requests that only query, requestsExtra, and an add with an extent of no length, which
 *   never adds anything
 *   what was refused, in a recording
 */

#include <config.h>

#include <string.h>
#include <yajl/yajl_tree.h>

#include "requests.h"
#include "testutils.h"
#include "util/cxl_dcd_json.h"

/* Commands that query and change nothing, and who sends them. */
static const char *const requestsExtra[] = {
    "qmp_capabilities", /* the recording, libvirt: start of QMP */
    "query-status",     /* the recording, libvirt */
    "quit",             /* the recording: its end */
    "qom-list",         /* the library: lists backends */
    "qom-get",          /* the library: reads their tags */
};

#define REQUESTS_STATUS "cxl-release-dynamic-capacity-status"

static virCxlDcdJSON *
requestsParse(const char *text)
{
    g_autofree char *message = NULL;
    virCxlDcdJSON *value = virCxlDcdJSONParse(text, &message);

    if (!value)
        g_error("%s: %s", message, text);
    return value;
}

/**
 * requestsOfRecord:
 * @text: a recording: each line has a message, and whether it was sent or received
 *
 * Returns the requests that were not refused, as JSON.
 */
GPtrArray *
requestsOfRecord(const char *text)
{
    GPtrArray *requests = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    char **line;

    for (line = lines; *line && **line; line++) {
        g_autoptr(virCxlDcdJSON) value = requestsParse(*line);
        virCxlDcdJSON *message = virCxlDcdJSONMember(value, "msg");
        const char *begin = strstr(*line, "\"msg\": ") + strlen("\"msg\": ");

        if (g_strcmp0(virCxlDcdJSONMemberString(value, "dir"), "send") == 0)
            g_ptr_array_add(requests, g_strndup(begin, strlen(begin) - 1));
        else if (virCxlDcdJSONMember(message, "error"))
            g_ptr_array_remove_index(requests, requests->len - 1);
    }
    return requests;
}

/**
 * requestsOfLog:
 * @text: libvirt's log, with messages of qemu.qemu_monitor at all priorities
 *
 * Returns what libvirt sent to QEMU, as JSON.
 */
GPtrArray *
requestsOfLog(const char *text)
{
    static const char mark[] = "QEMU_MONITOR_SEND_MSG: mon=";
    GPtrArray *requests = g_ptr_array_new_with_free_func(g_free);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    char **line;

    for (line = lines; *line; line++) {
        const char *begin = strstr(*line, mark);

        if (begin && (begin = strstr(begin, " msg=")))
            g_ptr_array_add(requests, g_strchomp(g_strdup(begin + strlen(" msg="))));
    }
    return requests;
}

/* An add that cannot succeed: the reason that QEMU gives shows what is there. */
static bool
requestsIsProbe(const char *command, virCxlDcdJSON *arguments)
{
    virCxlDcdJSON *extents = virCxlDcdJSONMember(arguments, "extents");
    size_t n = virCxlDcdJSONLength(extents);
    unsigned long long len = 1;

    return g_str_equal(command, "cxl-add-dynamic-capacity") && n == 2 &&
           virCxlDcdJSONMemberUnsigned(virCxlDcdJSONElement(extents, n - 1), "len", &len) &&
           len == 0;
}

static bool
requestsIsExtra(const char *command)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(requestsExtra); i++) {
        if (g_str_equal(requestsExtra[i], command))
            return true;
    }
    return false;
}

/* The tag that a request is about, or NULL. @ids maps the ids of backends to their tags. */
static const char *
requestsTag(const char *command, virCxlDcdJSON *arguments, GHashTable *ids)
{
    const char *tag = virCxlDcdJSONMemberString(arguments, "tag");
    const char *id = virCxlDcdJSONMemberString(arguments, "id");

    if (g_str_equal(command, "object-add") && id && tag)
        g_hash_table_insert(ids, g_strdup(id), g_strdup(tag));
    return tag ? tag : id ? g_hash_table_lookup(ids, id) : NULL;
}

/* @request on one line, if it is about @tag or about no tag; otherwise NULL. */
static char *
requestsLine(const char *request, const char *tag, GHashTable *ids)
{
    g_autoptr(virCxlDcdJSON) value = requestsParse(request);
    const char *command = virCxlDcdJSONMemberString(value, "execute");
    virCxlDcdJSON *arguments = virCxlDcdJSONMember(value, "arguments");
    g_autofree char *text = NULL;
    const char *about;

    if (!command || YAJL_GET_OBJECT(value)->len >
                        1u + (arguments != NULL) + (virCxlDcdJSONMember(value, "id") != NULL))
        return g_strdup_printf("not a plain request: %s", request);
    if (requestsIsExtra(command) || requestsIsProbe(command, arguments))
        return NULL;
    about = requestsTag(command, arguments, ids);
    if (about && !g_str_equal(about, tag))
        return NULL;
    text = arguments ? testCanonicalJSON(arguments, true, "id") : g_strdup("");
    return g_strdup_printf("%s %s", command, text);
}

/**
 * requestsReport:
 * @requests: QMP requests, as JSON
 * @tag: of a capacity
 *
 * Returns what they do to @tag, one per line, including any request not known to be
 * harmless.
 */
char *
requestsReport(const GPtrArray *requests, const char *tag)
{
    g_autoptr(GHashTable) ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GString) report = g_string_new(NULL);
    g_autoptr(GString) statuses = g_string_new(NULL);
    guint i;

    for (i = 0; i < requests->len; i++) {
        g_autofree char *line = requestsLine(g_ptr_array_index(requests, i), tag, ids);

        if (!line)
            continue;
        if (!g_str_has_prefix(line, REQUESTS_STATUS))
            g_string_append_printf(report, "%s\n", line);
        else if (!strstr(statuses->str, line))
            g_string_append_printf(statuses, "%s\n", line);
    }
    g_string_append(report, statuses->str);
    return g_string_free(g_steal_pointer(&report), FALSE);
}
