/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_start.c: the capacities that a domain starts with
 *
 * A definition may name capacities. libvirt starts the domain without them; whoever
 * started it through the driver module offers them then, and the daemon's tracker those
 * of a domain that libvirt started by itself. Each is offered once: one that was released
 * on purpose must not come back because a daemon was restarted. So the live XML has a
 * mark of the tags that are dealt with:
 *
 *     <metadata>
 *       <cxl-dcd:start><cxl-dcd:capacity tag='...'/>...</cxl-dcd:start>
 *
 * What is still to be done are the capacities of the definition in the live XML that the
 * mark does not name. Offering comes first and the mark after it; a process that is killed
 * between the two has left a record, and a capacity that has a record counts as dealt with
 * too. The definition itself stays as it is, so that it shows what it did.
 *
 * A guest that goes on where it was saved does not begin: it has had its offers, and they
 * are dealt with, too.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>

#include "cxl_dcd_error.h"
#include "cxl_dcd_start.h"
#include "cxl_dcd_translate.h"
#include "qemu/qemu_cxl_dcd_capacity.h"
#include "qemu/qemu_cxl_dcd_lock.h"

/* The tags of the mark in @doc, a set; empty where there is none. */
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

/* Whether the guest of a running domain began with it (libvirt: virDomainGetState()).
 * Returns 1, 0 when it goes on from elsewhere, or -1 with an error set. */
static int
virCxlDcdStartBegins(virDomainPtr domain)
{
    int state = 0;
    int reason = 0;

    if (virDomainGetState(domain, &state, &reason, 0) < 0)
        return -1;
    return !(state == VIR_DOMAIN_RUNNING && reason == VIR_DOMAIN_RUNNING_RESTORED) &&
           !(state == VIR_DOMAIN_PAUSED && reason == VIR_DOMAIN_PAUSED_MIGRATION);
}

/* What goes along with the offers of one domain. */
typedef struct {
    virDomainPtr domain;
    virCxlDcdDomainDef *def;         /* what runs; gets what is offered */
    GHashTable *done;                /* the tags that are dealt with */
    bool begins;                     /* the guest does, and has had no offers */
    virCxlDcdStartFailedFunc failed; /* or NULL */
    void *opaque;                    /* for failed */
} virCxlDcdStartWork;

/* Takes @capacity. */
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
 * @def: the devices of @doc with their records; what is offered joins them
 * @failed: told of a capacity that cannot be offered; NULL where that is the end of it
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

/* libvirt does not print a domain that it has started. Returns 0 when it surely has nothing of
 * ours, else -1 with the error that is set. */
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
 * Offer the capacities of its definition, all or none: where one cannot be offered, the
 * domain is not what was asked for. A domain in the plain form has the driver module in
 * its daemon, which has done it; a client that may start it and not look at it cannot, and
 * leaves it to the tracker.
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
    char *xml;

    if (virCxlDcdStartBegins(domain) < 0) {
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
