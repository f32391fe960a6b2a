/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_look.c: one look of the tracker at a domain
 *
 * A look offers the capacities that the domain should start with, if that is still to be done,
 * and updates the record of each capacity. This is what a client's status query does, with the
 * same functions and under the same lock, so that the two do not interfere.
 *
 * Nobody waits for the result of a look, so errors go to the daemon's log: once, and again
 * when a different error occurs, or the same one after a look without errors.
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
static GHashTable *cxlDcdDriverTold; /* UUID to the last error logged for the domain */

/* Log what is wrong with a domain, unless that was the last thing logged about it. */
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
 * @uuid: a domain that has no error, or is gone
 *
 * Whatever goes wrong with it next is logged.
 */
void
cxlDcdDriverLookForget(const char *uuid)
{
    g_mutex_lock(&cxlDcdDriverToldLock);
    if (cxlDcdDriverTold)
        g_hash_table_remove(cxlDcdDriverTold, uuid);
    g_mutex_unlock(&cxlDcdDriverToldLock);
}

/* A capacity that the domain should start with cannot be offered. If QEMU or the library refuses
 * it, they would do so again, and there is no client to report it to. */
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

/* Everything that a look may change, as text to be compared; to be freed with g_free(). */
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

/* Load the devices of a running domain. Returns 1, 0 if it has none, or -1 with an error
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

/* Returns 0 with the need for further looks in @need, or -1 with an error set. */
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
    /* a refusal by QEMU concerns one capacity, any other error all of them */
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
 * @changed: set to true if a state has changed
 *
 * Look at a domain. The calling thread must be inside the module.
 *
 * Returns the need for further looks.
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
            return CXL_DCD_DRIVER_NEED_NONE; /* it ended in the meantime */
    }
    if (text)
        cxlDcdDriverTell(uuid, virDomainGetName(domain), text);
    else
        cxlDcdDriverLookForget(uuid);
    return need;
}
