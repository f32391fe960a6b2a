/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_start.c: the capacities that a domain starts with
 *
 * A definition may name capacities. libvirt starts the domain without them. Whoever started
 * the domain through the driver module then offers them; if libvirt started the domain by
 * itself, the daemon's tracker does. Each capacity is offered once: one that was released on
 * purpose must not come back because a daemon was restarted. So the live XML has a mark
 * with the tags that are dealt with:
 *
 *     <metadata>
 *       <cxl-dcd:start><cxl-dcd:capacity tag='...'/>...</cxl-dcd:start>
 *
 * The capacities of the definition in the live XML that the mark does not name are still to
 * be offered. The offer comes first, and the mark after it. A process that is killed between
 * the two has left a record, and a capacity with a record counts as dealt with too. The
 * definition itself is not changed, so that it still shows what it asked for.
 *
 * A guest that resumes from a saved state or a snapshot, or arrives from another host, has had
 * its offers before, so its capacities count as dealt with too. It may come without its mark,
 * which is not in the XML that a user writes for the other host, the saved state or the
 * snapshot. The state of the domain tells this only until the domain is paused or resumed, so
 * QEMU is asked as well.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>

#include "cxl_dcd_error.h"
#include "cxl_dcd_start.h"
#include "cxl_dcd_translate.h"
#include "qemu/qemu_cxl_dcd_capacity.h"
#include "qemu/qemu_cxl_dcd_lock.h"
#include "qemu/qemu_cxl_dcd_monitor.h"

/* The tags in the mark in @doc, as a set; empty if there is no mark. */
static GHashTable *
virCxlDcdStartParseMark(virCxlDcdXMLDoc *doc)
{
    GHashTable *tags = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    xmlNodePtr metadata = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "metadata");
    xmlNodePtr node;
    xmlNodePtr child;

    for (node = virCxlDcdXMLChild(metadata, "start"); node;
         node = virCxlDcdXMLNext(node->next, "start")) {
        if (!virCxlDcdIsStart(node))
            continue;
        for (child = virCxlDcdXMLChild(node, "capacity"); child;
             child = virCxlDcdXMLNext(child->next, "capacity")) {
            char *tag = virCxlDcdXMLAttribute(child, "tag");

            if (tag)
                g_hash_table_add(tags, tag);
        }
    }
    return tags;
}

/* Write the mark (libvirt: virDomainSetMetadata()). */
static int
virCxlDcdStartSetMark(virDomainPtr domain, GHashTable *tags)
{
    g_autoptr(GString) xml = g_string_new("<start>");
    g_autoptr(GList) list = g_list_sort(g_hash_table_get_keys(tags), (GCompareFunc)g_strcmp0);
    GList *tag;

    for (tag = list; tag; tag = tag->next) {
        g_autofree char *escaped = g_markup_escape_text(tag->data, -1);

        g_string_append_printf(xml, "<capacity tag='%s'/>", escaped);
    }
    g_string_append(xml, "</start>");
    return virDomainSetMetadata(domain,
                                VIR_DOMAIN_METADATA_ELEMENT,
                                xml->str,
                                VIR_CXL_DCD_PREFIX,
                                VIR_CXL_DCD_NAMESPACE_START,
                                VIR_DOMAIN_AFFECT_LIVE);
}

/* Whether libvirt says that the guest continues from a saved state or from elsewhere. */
static bool
virCxlDcdStartGoesOn(int state, int reason)
{
    if (state == VIR_DOMAIN_RUNNING)
        return reason == VIR_DOMAIN_RUNNING_RESTORED || reason == VIR_DOMAIN_RUNNING_MIGRATED ||
               reason == VIR_DOMAIN_RUNNING_FROM_SNAPSHOT;
    return state == VIR_DOMAIN_PAUSED &&
           (reason == VIR_DOMAIN_PAUSED_MIGRATION || reason == VIR_DOMAIN_PAUSED_FROM_SNAPSHOT);
}

/* Whether the guest of a running domain was booted with it (libvirt: virDomainGetState()).
 * Returns 1, 0 if the guest continues from a saved state or elsewhere, or -1 with an error set. */
static int
virCxlDcdStartBegins(virDomainPtr domain)
{
    int state = 0;
    int reason = 0;
    int incoming;

    if (virDomainGetState(domain, &state, &reason, 0) < 0)
        return -1;
    if (virCxlDcdStartGoesOn(state, reason))
        return 0;
    incoming = qemuCxlDcdMonitorIsIncoming(domain);
    return incoming < 0 ? -1 : !incoming;
}

/* The context of the offers to one domain. */
typedef struct {
    virDomainPtr domain;
    virCxlDcdDomainDef *def;         /* the running devices; what is offered is added */
    GHashTable *done;                /* the tags that are dealt with */
    bool begins;                     /* the guest was booted, and has had no offers */
    virCxlDcdStartFailedFunc failed; /* or NULL */
    void *opaque;                    /* for failed */
} virCxlDcdStartWork;

/* Takes ownership of @capacity. */
static int
virCxlDcdStartOfferOne(virCxlDcdStartWork *work,
                       virCxlDcdDef *device,
                       virCxlDcdCapacityDef *capacity)
{
    g_autoptr(virCxlDcdCapacityDef) owned = capacity;

    if (!capacity->tag || g_hash_table_contains(work->done, capacity->tag))
        return 0;
    if (work->begins && !virCxlDcdDomainDefCapacity(work->def, capacity->tag, NULL)) {
        if (qemuCxlDcdCapacityAdd(work->domain, work->def, device, capacity) == 0)
            g_ptr_array_add(device->capacities, g_steal_pointer(&owned));
        else if (!work->failed || !work->failed(work->domain, capacity, work->opaque))
            return -1;
    }
    g_hash_table_add(work->done, g_strdup(capacity->tag));
    return 0;
}

/* Whether @configured has capacities that are not dealt with. */
static bool
virCxlDcdStartHasMore(const virCxlDcdStartWork *work, const virCxlDcdDomainDef *configured)
{
    guint i;
    guint j;

    for (i = 0; i < configured->devices->len; i++) {
        const virCxlDcdDef *device = g_ptr_array_index(configured->devices, i);

        for (j = 0; j < device->capacities->len; j++) {
            const virCxlDcdCapacityDef *capacity = g_ptr_array_index(device->capacities, j);

            if (capacity->tag && !g_hash_table_contains(work->done, capacity->tag))
                return true;
        }
    }
    return false;
}

static int
virCxlDcdStartOfferAll(virCxlDcdStartWork *work, const virCxlDcdDomainDef *configured)
{
    guint i;

    for (i = 0; i < configured->devices->len; i++) {
        virCxlDcdDef *from = g_ptr_array_index(configured->devices, i);
        virCxlDcdDef *device = virCxlDcdDomainDefDevice(work->def, from->alias);

        while (device && from->capacities->len > 0) {
            if (virCxlDcdStartOfferOne(work, device, g_ptr_array_steal_index(from->capacities, 0)) <
                0)
                return -1;
        }
    }
    return 0;
}

/**
 * virCxlDcdStartOffer:
 * @domain: a running domain whose lock the calling thread has
 * @doc: its live XML
 * @def: the devices of @doc with their records; what is offered is added to them
 * @failed: called for a capacity that cannot be offered; NULL: such a capacity ends the work
 * @opaque: for @failed
 *
 * Offer the capacities of the definition that have not been offered since the domain
 * started.
 *
 * Returns 0, or -1 with an error set.
 */
int
virCxlDcdStartOffer(virDomainPtr domain,
                    virCxlDcdXMLDoc *doc,
                    virCxlDcdDomainDef *def,
                    virCxlDcdStartFailedFunc failed,
                    void *opaque)
{
    g_autoptr(virCxlDcdDomainDef) configured = virCxlDcdDomainDefParseConfigured(doc);
    g_autoptr(GHashTable) done = virCxlDcdStartParseMark(doc);
    virCxlDcdStartWork work = {domain, def, done, false, failed, opaque};
    guint marked = g_hash_table_size(done);
    virErrorPtr error;
    int begins;
    int ret;

    if (!configured)
        return -1;
    if (!virCxlDcdStartHasMore(&work, configured))
        return 0;
    if ((begins = virCxlDcdStartBegins(domain)) < 0)
        return -1;
    work.begins = begins;
    ret = virCxlDcdStartOfferAll(&work, configured);
    if (g_hash_table_size(done) == marked)
        return ret;
    if (ret == 0)
        return virCxlDcdStartSetMark(domain, done);
    error = virCxlDcdErrorSave();
    virCxlDcdStartSetMark(domain, done);
    virCxlDcdErrorRestore(error);
    return ret;
}

/* libvirt does not print the XML of a domain that it has started. Returns 0 if the domain certainly
 * has nothing of ours, else -1 with the error that is set already. */
static int
virCxlDcdStartHidden(virDomainPtr domain)
{
    virErrorPtr error = virCxlDcdErrorSave();

    if (virCxlDcdHasDefinition(domain) != 0) {
        virCxlDcdErrorRestore(error);
        return -1;
    }
    virFreeError(error);
    return 0;
}

/**
 * virCxlDcdStart:
 * @domain: a domain that has just been started
 *
 * Offer the capacities of its definition. This fails if one of them cannot be offered, since the
 * domain is then not what was asked for. If the domain is in the plain form, its daemon has the
 * driver module, which has already offered them. A client that may start the domain but not read
 * it cannot do so, and leaves it to the tracker.
 *
 * Returns 0, or -1 with an error set.
 */
int
virCxlDcdStart(virDomainPtr domain)
{
    g_autoptr(qemuCxlDcdLock) lock = qemuCxlDcdLockDomain(domain);
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    g_autoptr(virCxlDcdDomainDef) def = NULL;
    bool concerned;
    int state;
    char *xml;

    if (virDomainGetState(domain, &state, NULL, 0) < 0) {
        virResetLastError();
        return 0;
    }
    if (!(xml = virDomainGetXMLDesc(domain, 0)))
        return virCxlDcdStartHidden(domain);
    if ((concerned = virCxlDcdIsConcerned(xml)))
        doc = virCxlDcdXMLParse(xml, "domain");
    free(xml);
    if (!concerned)
        return 0;
    if (!doc || !(def = virCxlDcdDomainDefParse(doc)))
        return -1;
    if (def->devices->len == 0 || def->plain)
        return 0;
    if (!def->live) {
        virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                             "domain '%s' ended before it was offered its capacities",
                             def->name);
        return -1;
    }
    return virCxlDcdStartOffer(domain, doc, def, NULL, NULL);
}
