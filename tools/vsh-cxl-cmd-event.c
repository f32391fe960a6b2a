/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-cmd-event.c: cxl-dcd-event, report changes of state as they happen
 *
 * libvirt reports that the record of a capacity changed, but not its old or new state. So
 * this command tracks the state of each capacity itself: first from a listing of all
 * domains, taken after it has subscribed, then from the record that each event refers to.
 * An event that leaves the state as it was known is not reported: something else in the
 * record changed, or an earlier event already found this change. If changes follow one
 * another faster than they can be read, only the last is reported. QEMU is never asked.
 *
 * When a domain stops, its records vanish with it, without an event for each.
 */

#include <libvirt/virterror.h>
#include <string.h>

#include "qemu/qemu_cxl_dcd_record.h"
#include "vsh-cxl-cmd.h"
#include "vsh-cxl-event.h"

static const vshCxlOptDef vshCxlCmdEventOpts[] = {
    {
        .name = "domain",
        .type = VSH_CXL_OPT_STRING,
        .positional = true,
        .help = "filter by domain name, id or uuid",
    },
    {
        .name = "loop",
        .type = VSH_CXL_OPT_BOOL,
        .help = "loop until timeout or interrupt, rather than one-shot",
    },
    {
        .name = "timeout",
        .type = VSH_CXL_OPT_INT,
        .min = 1,
        .help = "timeout seconds",
    },
    {
        .name = "timestamp",
        .type = VSH_CXL_OPT_BOOL,
        .help = "show timestamp for each printed event",
    },
    VSH_CXL_OPT_DEF_FORMAT,
    {0},
};

/* A capacity as last reported. */
typedef struct {
    char *device;
    int state;
} vshCxlCmdEventKnown;

typedef struct {
    vshCxlControl *ctl;
    GHashTable *known; /* "UUID TAG", of domain and capacity, to vshCxlCmdEventKnown */
    bool timestamp;
    vshCxlFormat format;
    unsigned int count; /* changes reported so far */
} vshCxlCmdEventWatch;

/* A change of state. */
typedef struct {
    virDomainPtr domain;
    const char *device;
    const char *tag;
    int from;
    int to;
    bool stopped; /* because the domain stopped */
} vshCxlCmdEventChange;

static void
vshCxlCmdEventKnownFree(void *data)
{
    vshCxlCmdEventKnown *known = data;

    g_free(known->device);
    g_free(known);
}

/* --------------------------------------------------------------- reporting */

/* In virsh's format: UTC, with milliseconds. */
static char *
vshCxlCmdEventTime(void)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *seconds = g_date_time_format(now, "%Y-%m-%d %H:%M:%S");

    return g_strdup_printf("%s.%03d+0000", seconds, g_date_time_get_microsecond(now) / 1000);
}

/* The name of a state: a capacity that is gone has none, and "configured" would be wrong. */
static const char *
vshCxlCmdEventState(int state)
{
    return state == VIR_DOMAIN_CXL_DCD_STATE_NONE ? "none" : vshCxlStateToString(state);
}

static char *
vshCxlCmdEventFormatMembers(const vshCxlMember *members, size_t n, vshCxlFormat format)
{
    g_autoptr(virCxlDcdJSONWriter) writer = NULL;
    GString *xml;

    if (format == VSH_CXL_FORMAT_XML) {
        xml = g_string_new("<event");
        vshCxlXMLAppendMembers(xml, members, n);
        g_string_append(xml, "/>");
        return g_string_free(xml, FALSE);
    }
    writer = virCxlDcdJSONWriterNew();
    virCxlDcdJSONBeginObject(writer, NULL);
    vshCxlJSONAddMembers(writer, members, n);
    virCxlDcdJSONEndObject(writer);
    return virCxlDcdJSONFinish(writer);
}

/* For programs. */
static char *
vshCxlCmdEventFormatData(const vshCxlCmdEventChange *change,
                         const char *timestamp,
                         vshCxlFormat format)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    const vshCxlMember members[] = {
        {"timestamp", timestamp, VSH_CXL_ANSWER_UNKNOWN},
        {"domain", virDomainGetName(change->domain), VSH_CXL_ANSWER_UNKNOWN},
        {"uuid", uuid, VSH_CXL_ANSWER_UNKNOWN},
        {"device", change->device, VSH_CXL_ANSWER_UNKNOWN},
        {"tag", change->tag, VSH_CXL_ANSWER_UNKNOWN},
        {"old", vshCxlCmdEventState(change->from), VSH_CXL_ANSWER_UNKNOWN},
        {"new", vshCxlCmdEventState(change->to), VSH_CXL_ANSWER_UNKNOWN},
        {"stopped", NULL, change->stopped ? VSH_CXL_ANSWER_YES : VSH_CXL_ANSWER_NO},
    };

    virDomainGetUUIDString(change->domain, uuid);
    return vshCxlCmdEventFormatMembers(members, G_N_ELEMENTS(members), format);
}

static char *
vshCxlCmdEventFormatText(const vshCxlCmdEventChange *change, const char *timestamp)
{
    g_autofree char *name = vshCxlTableEscape(virDomainGetName(change->domain), NULL);
    g_autofree char *device = vshCxlTableEscape(change->device, NULL);

    return g_strdup_printf("%s%sevent 'cxl-dcd' for domain '%s': %s %s %s -> %s%s",
                           timestamp ? timestamp : "",
                           timestamp ? ": " : "",
                           name,
                           device,
                           change->tag,
                           vshCxlCmdEventState(change->from),
                           vshCxlCmdEventState(change->to),
                           change->stopped ? " (domain stopped)" : "");
}

static void
vshCxlCmdEventTell(vshCxlCmdEventWatch *watch, const vshCxlCmdEventChange *change)
{
    g_autofree char *timestamp = watch->timestamp ? vshCxlCmdEventTime() : NULL;
    g_autofree char *line = watch->format == VSH_CXL_FORMAT_TABLE
                                ? vshCxlCmdEventFormatText(change, timestamp)
                                : vshCxlCmdEventFormatData(change, timestamp, watch->format);

    fprintf(watch->ctl->out, "%s\n", line);
    fflush(watch->ctl->out);
    watch->count++;
}

/* --------------------------------------------------------------- watching */

static char *
vshCxlCmdEventKey(virDomainPtr domain, const char *tag)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";

    virDomainGetUUIDString(domain, uuid);
    return g_strdup_printf("%s %s", uuid, tag);
}

/* Remember @state as the capacity's current one. */
static void
vshCxlCmdEventKnow(vshCxlCmdEventWatch *watch,
                   virDomainPtr domain,
                   const char *tag,
                   const char *device,
                   int state)
{
    g_autofree char *key = vshCxlCmdEventKey(domain, tag);
    vshCxlCmdEventKnown *known;

    if (state == VIR_DOMAIN_CXL_DCD_STATE_NONE) {
        g_hash_table_remove(watch->known, key);
        return;
    }
    known = g_new0(vshCxlCmdEventKnown, 1);
    known->device = g_strdup(device);
    known->state = state;
    g_hash_table_insert(watch->known, g_steal_pointer(&key), known);
}

/* Whether libvirt's last error means that the domain has no capacity: it is not running, has no
 * device, or is gone. */
static bool
vshCxlCmdEventIsNothing(void)
{
    int code = virGetLastErrorCode();

    return code == VIR_ERR_NO_DOMAIN || code == VIR_ERR_OPERATION_INVALID;
}

/* Remember the state of all capacities of a domain. */
static int
vshCxlCmdEventLookAt(vshCxlCmdEventWatch *watch, virDomainPtr domain)
{
    const char *name = virDomainGetName(domain);
    g_autoptr(GPtrArray) devices = vshCxlGetDevices(domain, 0);
    size_t i;
    size_t j;

    if (!devices && !vshCxlCmdEventIsNothing()) {
        vshCxlLibvirtError(watch->ctl, "Failed to get the capacity of domain '%s'", name);
        return -1;
    }
    for (i = 0; devices && i < devices->len; i++) {
        const virDomainCxlDcdDevice *device = g_ptr_array_index(devices, i);

        for (j = 0; j < device->ncapacities; j++)
            vshCxlCmdEventKnow(watch,
                               domain,
                               device->capacities[j]->tag,
                               device->alias,
                               device->capacities[j]->state);
    }
    return 0;
}

/* Remember the state of all capacities of @domain, or of all domains if it is NULL. */
static int
vshCxlCmdEventLook(vshCxlCmdEventWatch *watch, virDomainPtr domain)
{
    g_autofree virDomainPtr *domains = NULL;
    int ret = 0;
    int n;
    int i;

    if (domain)
        return vshCxlCmdEventLookAt(watch, domain);
    n = virConnectListAllDomains(watch->ctl->conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    if (n < 0) {
        vshCxlLibvirtError(watch->ctl, "Failed to list domains");
        return -1;
    }
    for (i = 0; i < n; i++) {
        if (ret == 0)
            ret = vshCxlCmdEventLookAt(watch, domains[i]);
        virDomainFree(domains[i]);
    }
    return ret;
}

/* Handle a change of the record of @tag. */
static int
vshCxlCmdEventRecord(vshCxlCmdEventWatch *watch, virDomainPtr domain, const char *tag)
{
    g_autofree char *key = vshCxlCmdEventKey(domain, tag);
    const vshCxlCmdEventKnown *known = g_hash_table_lookup(watch->known, key);
    g_autoptr(virCxlDcdCapacityDef) record = NULL;
    vshCxlCmdEventChange change = {.domain = domain, .tag = tag};

    if (qemuCxlDcdCapacityReadRecord(domain, NULL, tag, &record) < 0) {
        /* it stopped in the meantime, which is an event of its own */
        if (vshCxlCmdEventIsNothing()) {
            virResetLastError();
            return 0;
        }
        vshCxlLibvirtError(watch->ctl, "Failed to read the record of capacity %s", tag);
        return -1;
    }
    change.from = known ? known->state : VIR_DOMAIN_CXL_DCD_STATE_NONE;
    change.to = record ? record->state : VIR_DOMAIN_CXL_DCD_STATE_NONE;
    change.device = record && record->device ? record->device : known ? known->device : "-";
    if (change.from == change.to)
        return 0;
    vshCxlCmdEventTell(watch, &change);
    vshCxlCmdEventKnow(watch, domain, tag, change.device, change.to);
    return 0;
}

/* Handle the stop of @domain: all its capacities are gone. */
static void
vshCxlCmdEventStopped(vshCxlCmdEventWatch *watch, virDomainPtr domain)
{
    g_autofree char *prefix = vshCxlCmdEventKey(domain, "");
    g_autoptr(GList) keys = g_hash_table_get_keys(watch->known);
    GList *key;

    keys = g_list_sort(keys, (GCompareFunc)strcmp);
    for (key = keys; key; key = key->next) {
        const vshCxlCmdEventKnown *known = g_hash_table_lookup(watch->known, key->data);
        g_autofree char *tag = NULL;
        vshCxlCmdEventChange change = {.domain = domain, .stopped = true};

        if (!g_str_has_prefix(key->data, prefix))
            continue;
        change.tag = tag = g_strdup((const char *)key->data + strlen(prefix));
        change.device = known->device;
        change.from = known->state;
        vshCxlCmdEventTell(watch, &change);
        g_hash_table_remove(watch->known, key->data);
    }
}

/**
 * vshCxlCmdEventFollow:
 * @watch: the states known so far
 * @events: the source of events
 * @loop: whether to continue after the first change
 * @end: when to give up, in monotonic microseconds
 *
 * Returns 0 once it is done, timed out or interrupted by the user; -1 with the error
 * reported.
 */
static int
vshCxlCmdEventFollow(vshCxlCmdEventWatch *watch, vshCxlEvents *events, bool loop, gint64 end)
{
    while (watch->count == 0 || loop) {
        g_autoptr(vshCxlEvent) event = vshCxlEventsWait(events, end);

        switch (event->type) {
        case VSH_CXL_EVENT_RECORD:
            if (vshCxlCmdEventRecord(watch, event->domain, event->tag) < 0)
                return -1;
            break;
        case VSH_CXL_EVENT_STOPPED:
            vshCxlCmdEventStopped(watch, event->domain);
            break;
        case VSH_CXL_EVENT_TIMEOUT:
            vshCxlPrintExtra(watch->ctl, watch->ctl->err, "event loop timed out\n");
            return 0;
        case VSH_CXL_EVENT_INTERRUPTED:
            vshCxlPrintExtra(watch->ctl, watch->ctl->err, "event loop interrupted\n");
            return 0;
        case VSH_CXL_EVENT_CLOSED:
            vshCxlError(watch->ctl, "the connection to the hypervisor was lost");
            return -1;
        }
        if (ferror(watch->ctl->out)) {
            vshCxlError(watch->ctl, "cannot write the output");
            return -1;
        }
    }
    return 0;
}

static int
cmdCxlDcdEvent(vshCxlControl *ctl, const vshCxlArgs *args)
{
    unsigned long long timeout = vshCxlArgsNumber(args, "timeout");
    g_autoptr(GHashTable) known =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, vshCxlCmdEventKnownFree);
    vshCxlCmdEventWatch watch = {
        .ctl = ctl,
        .known = known,
        .timestamp = vshCxlArgsHas(args, "timestamp"),
        .format = vshCxlGetFormat(args),
    };
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(vshCxlEvents) events = NULL;
    gint64 end = G_MAXINT64;

    if (vshCxlArgsHas(args, "timeout"))
        end = g_get_monotonic_time() + (gint64)timeout * G_USEC_PER_SEC;
    if (vshCxlEventsConnect(ctl) < 0 ||
        (vshCxlArgsHas(args, "domain") && !(domain = vshCxlLookupDomain(ctl, args))) ||
        !(events = vshCxlEventsNew(ctl, domain)))
        return -1;

    if (vshCxlCmdEventLook(&watch, domain) < 0 ||
        vshCxlCmdEventFollow(&watch, events, vshCxlArgsHas(args, "loop"), end) < 0)
        return -1;
    vshCxlPrintExtra(ctl, ctl->err, "events received: %u\n", watch.count);
    if (watch.count > 0)
        return 0;
    /* as in virsh, which prints no error either */
    ctl->status = VSH_CXL_EXIT_ERROR;
    return -1;
}

const vshCxlCmdDef vshCxlCmdEvent = {
    .name = "cxl-dcd-event",
    .help = "follow changes of the state of CXL dynamic capacity",
    .desc = "Wait for changes of the state of capacities, of all running domains or of one,\n"
            "and print a line for each. Changes are told as they are recorded; QEMU is not\n"
            "asked.",
    .opts = vshCxlCmdEventOpts,
    .handler = cmdCxlDcdEvent,
};
