/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_look.c: one look of the tracker at a domain
 *
 * A look offers what the domain is still to start with, and brings the record of each
 * capacity up to date: what a client's status does, by the same functions and under the
 * same lock, so that the two do not get into each other's way.
 *
 * Nobody waits for what it finds, so what goes wrong goes to the daemon's log: once, and
 * again when something else goes wrong, or after it was right meanwhile.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>

#include "cxl_dcd_driver_log.h"
#include "cxl_dcd_driver_look.h"
#include "cxl_dcd_driver_starts.h"
#include "cxl_dcd_error.h"
#include "cxl_dcd_start.h"
#include "cxl_dcd_translate.h"
#include "qemu/qemu_cxl_dcd_capacity.h"
#include "qemu/qemu_cxl_dcd_lock.h"

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, virDomainFree)

/* ------------------------------------------------------------------ errors */

static GMutex cxlDcdDriverToldLock;
static GHashTable *cxlDcdDriverTold; /* UUID to what was last said of the domain */

/* Say what is wrong with a domain, unless that was the last that was said of it. */
static void
cxlDcdDriverTell(const char *uuid, const char *name, const char *text)
{
    bool news;

    g_mutex_lock(&cxlDcdDriverToldLock);
    if (!cxlDcdDriverTold)
        cxlDcdDriverTold = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    news = g_strcmp0(g_hash_table_lookup(cxlDcdDriverTold, uuid), text) != 0;
    if (news)
        g_hash_table_insert(cxlDcdDriverTold, g_strdup(uuid), g_strdup(text));
    g_mutex_unlock(&cxlDcdDriverToldLock);
    if (news)
        cxlDcdDriverLog("error",
                        "the states of the capacities of domain '%s' cannot be brought up to "
                        "date: %s",
                        name,
                        text);
}

/**
 * cxlDcdDriverLookForget:
 * @uuid: a domain that is right, or gone
 *
 * Whatever goes wrong with it next is said.
 */
void
cxlDcdDriverLookForget(const char *uuid)
{
    g_mutex_lock(&cxlDcdDriverToldLock);
    if (cxlDcdDriverTold)
        g_hash_table_remove(cxlDcdDriverTold, uuid);
    g_mutex_unlock(&cxlDcdDriverToldLock);
}

/* A capacity that the domain was to start with cannot be offered. Where QEMU or the
 * library refuses it they would again, and there is no client to tell. */
static bool
cxlDcdDriverStartFailed(virDomainPtr domain,
                        const virCxlDcdCapacityDef *capacity,
                        void *opaque G_GNUC_UNUSED)
{
    bool busy = virGetLastErrorCode() == VIR_ERR_OPERATION_TIMEOUT;
    g_autofree char *text = g_strdup(virCxlDcdLastErrorMessage());
    virErrorPtr error = virCxlDcdErrorSave();
    bool settled = !busy && virDomainIsActive(domain) == 1;

    if (settled)
        cxlDcdDriverLog("error",
                        "domain '%s' was started without capacity '%s' of its definition: %s",
                        virDomainGetName(domain),
                        capacity->tag,
                        text);
    virCxlDcdErrorRestore(error);
    return settled;
}

/* ----------------------------------------------------------- the capacities */

/* All that a look may change, to be compared and freed with g_free(). */
static char *
cxlDcdDriverSummary(const virCxlDcdDomainDef *def)
{
    g_autoptr(GString) summary = g_string_new(NULL);
    guint i;
    guint j;

    for (i = 0; i < def->devices->len; i++) {
        const virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        for (j = 0; j < device->capacities->len; j++) {
            const virCxlDcdCapacityDef *capacity = g_ptr_array_index(device->capacities, j);

            g_string_append_printf(summary,
                                   "%s %d %lld\n",
                                   capacity->tag,
                                   capacity->state,
                                   capacity->asked);
        }
    }
    return g_string_free(g_steal_pointer(&summary), FALSE);
}

static cxlDcdDriverNeed
cxlDcdDriverNeedOf(const virCxlDcdDomainDef *def)
{
    cxlDcdDriverNeed need = CXL_DCD_DRIVER_NEED_NONE;
    guint i;
    guint j;

    for (i = 0; i < def->devices->len; i++) {
        const virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        for (j = 0; j < device->capacities->len; j++) {
            const virCxlDcdCapacityDef *capacity = g_ptr_array_index(device->capacities, j);

            if (virCxlDcdCapacityIsPassing(capacity))
                return CXL_DCD_DRIVER_NEED_PASSING;
            if (capacity->state == VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED)
                need = CXL_DCD_DRIVER_NEED_HELD;
        }
    }
    return need;
}

/* -------------------------------------------------------------------- looks */

/* The devices of a running domain. Returns 1, 0 when it has none, or -1 with an error
 * set. */
static int
cxlDcdDriverLoad(virDomainPtr domain, virCxlDcdXMLDoc **doc, virCxlDcdDomainDef **def)
{
    char *xml = virDomainGetXMLDesc(domain, 0);
    bool concerned;

    if (!xml)
        return -1;
    if ((concerned = virCxlDcdIsConcerned(xml)))
        *doc = virCxlDcdXMLParse(xml, "domain");
    free(xml);
    if (!concerned)
        return 0;
    if (!*doc || !(*def = virCxlDcdDomainDefParse(*doc)))
        return -1;
    return (*def)->live && (*def)->devices->len > 0;
}

/* Returns 0 with what is to come in @need, or -1 with an error set. */
static int
cxlDcdDriverLookInside(virDomainPtr domain, cxlDcdDriverNeed *need, bool *changed, char **refusal)
{
    g_autoptr(qemuCxlDcdLock) lock = qemuCxlDcdLockDomain(domain);
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    g_autoptr(virCxlDcdDomainDef) def = NULL;
    g_autofree char *before = NULL;
    g_autofree char *after = NULL;
    bool starting;
    int ret;

    if ((ret = cxlDcdDriverLoad(domain, &doc, &def)) <= 0)
        return ret;
    before = cxlDcdDriverSummary(def);
    starting = cxlDcdDriverIsStarting(def->name);
    if (!starting && virCxlDcdStartOffer(domain, doc, def, cxlDcdDriverStartFailed, NULL) < 0)
        return -1;
    /* what QEMU refuses concerns one of them, anything else all */
    if (qemuCxlDcdDomainRefresh(domain, def, NULL) < 0) {
        if (virGetLastErrorCode() != VIR_ERR_OPERATION_FAILED)
            return -1;
        *refusal = g_strdup(virCxlDcdLastErrorMessage());
    }
    after = cxlDcdDriverSummary(def);
    *changed = !g_str_equal(before, after);
    *need = starting ? CXL_DCD_DRIVER_NEED_PASSING : cxlDcdDriverNeedOf(def);
    return 0;
}

/**
 * cxlDcdDriverLook:
 * @conn: the tracker's connection
 * @uuid: a domain that may run
 * @changed: set to true when a state has changed
 *
 * Look at a domain. The calling thread is inside of the module.
 *
 * Returns what is to come.
 */
cxlDcdDriverNeed
cxlDcdDriverLook(virConnectPtr conn, const char *uuid, bool *changed)
{
    g_autoptr(virDomain) domain = virDomainLookupByUUIDString(conn, uuid);
    cxlDcdDriverNeed need = CXL_DCD_DRIVER_NEED_NONE;
    g_autofree char *text = NULL;

    if (!domain)
        return CXL_DCD_DRIVER_NEED_NONE; /* gone: libvirt keeps every domain that runs */
    if (cxlDcdDriverLookInside(domain, &need, changed, &text) < 0) {
        g_free(text);
        text = g_strdup(virCxlDcdLastErrorMessage());
        need = CXL_DCD_DRIVER_NEED_RETRY;
        if (virDomainIsActive(domain) != 1)
            return CXL_DCD_DRIVER_NEED_NONE; /* it ended meanwhile */
    }
    if (text)
        cxlDcdDriverTell(uuid, virDomainGetName(domain), text);
    else
        cxlDcdDriverLookForget(uuid);
    return need;
}
