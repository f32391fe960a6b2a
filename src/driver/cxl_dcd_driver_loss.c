/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_loss.c: what would silently lose dynamic capacity
 *
 * Stock QEMU writes neither the extents of a device nor the data in them to a saved state
 * or a migration stream, and says nothing: on the other side the guest finds that its
 * memory is gone. So everything that moves a domain's state elsewhere is refused while the
 * domain holds capacity, or if it cannot be determined whether it does. Capacity that the
 * guest has given back, but whose record does not say so yet, is no obstacle: QEMU is asked
 * before anything is refused. A core dump does not move the domain, and is let through.
 *
 * A client asks for a migration with one of libvirt's public functions. In a daemon the
 * migration arrives as the calls of libvirt's migration protocol, which no installed header
 * of libvirt declares. The first ones on the source side are overridden here: Begin (managed
 * by the client), and Perform (the only one if the daemons migrate peer to peer, and in
 * version 1 of the protocol). Prepare and Finish belong to the destination, and Confirm comes
 * after Perform.
 *
 * Some of these calls take a domain, for the other side or for the saved state; it may be in
 * the plain form.
 */

#include <config.h>

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>

#include "cxl_dcd_driver_capabilities.h"
#include "cxl_dcd_driver_error.h"
#include "cxl_dcd_driver_next.h"
#include "cxl_dcd_driver_xml.h"
#include "cxl_dcd_error.h"
#include "cxl_dcd_translate.h"
#include "qemu/qemu_cxl_dcd_capacity.h"
#include "qemu/qemu_cxl_dcd_lock.h"

/* Why a domain's state must not be moved elsewhere. */
typedef struct {
    unsigned int held; /* number of capacities that the domain holds */
    char *tag;         /* the tag of one of them */
    char *unknown;     /* why it cannot be determined what is held, or NULL */
} cxlDcdDriverLoss;

static void
cxlDcdDriverLossClear(cxlDcdDriverLoss *loss)
{
    g_clear_pointer(&loss->tag, g_free);
    g_clear_pointer(&loss->unknown, g_free);
    loss->held = 0;
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(cxlDcdDriverLoss, cxlDcdDriverLossClear)

/* Whether the XML of a running domain has records. */
static bool
cxlDcdDriverHasRecords(virCxlDcdXMLDoc *doc)
{
    xmlNodePtr root = virCxlDcdXMLRoot(doc);
    xmlNodePtr node;

    for (node = virCxlDcdXMLChild(virCxlDcdXMLChild(root, "metadata"), NULL); node;
         node = virCxlDcdXMLNext(node->next, NULL)) {
        if (virCxlDcdIsRecord(node))
            return true;
    }
    return false;
}

static void
cxlDcdDriverCountHeld(const virCxlDcdDomainDef *def, cxlDcdDriverLoss *loss)
{
    guint i;
    guint j;

    cxlDcdDriverLossClear(loss);
    for (i = 0; def->live && i < def->devices->len; i++) {
        const virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        for (j = 0; j < device->capacities->len; j++) {
            const virCxlDcdCapacityDef *capacity = g_ptr_array_index(device->capacities, j);

            if (capacity->state == VIR_DOMAIN_CXL_DCD_STATE_REJECTED)
                continue;
            if (!loss->held++)
                loss->tag = g_strdup(capacity->tag);
        }
    }
}

/* libvirt does not print @domain: it is waiting for QEMU, or the client may not read the domain.
 * The client may be allowed to save it all the same, so only a domain that certainly has nothing
 * of ours is let through. */
static void
cxlDcdDriverReadHidden(virDomainPtr domain, cxlDcdDriverLoss *loss)
{
    g_autofree char *text = g_strdup(virCxlDcdLastErrorMessage());

    if (virCxlDcdHasDefinition(domain) != 0 && virGetLastErrorCode() != VIR_ERR_NO_DOMAIN)
        loss->unknown = g_steal_pointer(&text);
}

/* Find out from its records what @domain holds. A record that cannot be read counts as capacity.
 * If the domain is in the plain form, its daemon has the module, which checks the records. */
static void
cxlDcdDriverReadHeld(virDomainPtr domain, cxlDcdDriverLoss *loss)
{
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    g_autoptr(virCxlDcdDomainDef) def = NULL;
    char *xml = virDomainGetXMLDesc(domain, 0);
    bool concerned = virCxlDcdIsConcerned(xml);

    if (!xml)
        cxlDcdDriverReadHidden(domain, loss);
    if (concerned)
        doc = virCxlDcdXMLParse(xml, "domain");
    free(xml);
    if (!concerned)
        return;
    if (doc && (def = virCxlDcdDomainDefParse(doc))) {
        if (!def->plain)
            cxlDcdDriverCountHeld(def, loss);
    } else if (!doc || cxlDcdDriverHasRecords(doc)) {
        loss->unknown = g_strdup(virCxlDcdLastErrorMessage());
    }
}

/* The guest may have given back what the records say that it holds. If QEMU cannot be asked about
 * a capacity, it counts as held. */
static void
cxlDcdDriverRefreshHeld(virDomainPtr domain, cxlDcdDriverLoss *loss)
{
    g_autoptr(qemuCxlDcdLock) lock = qemuCxlDcdLockDomain(domain);
    g_autoptr(virCxlDcdDomainDef) def = qemuCxlDcdDomainLoad(domain);

    if (!def)
        return;
    qemuCxlDcdDomainRefresh(domain, def, NULL);
    cxlDcdDriverCountHeld(def, loss);
}

static void
cxlDcdDriverReportLoss(virDomainPtr domain, const cxlDcdDriverLoss *loss, const char *act)
{
    const char *name = virDomainGetName(domain);

    if (loss->unknown)
        virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                             "cannot find out what capacity of a CXL device domain '%s' holds, "
                             "and so it cannot be %s: QEMU would preserve neither the capacity "
                             "nor the data in it: %s",
                             name,
                             act,
                             loss->unknown);
    else
        virCxlDcdReportError(
            VIR_ERR_OPERATION_INVALID,
            "domain '%s' holds %u capacit%s of a CXL device, '%s'%s, and cannot be %s: QEMU would "
            "preserve neither the capacity nor the data in it. Release it first",
            name,
            loss->held,
            loss->held == 1 ? "y" : "ies",
            loss->tag,
            loss->held == 1 ? "" : " among them",
            act);
}

/* Whether a snapshot of a running domain includes its memory: it does unless it says that it is
 * of the disks alone. */
static bool
cxlDcdDriverSnapshotHasMemory(const char *xml)
{
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(xml, "snapshot");
    xmlNodePtr memory = doc ? virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "memory") : NULL;
    g_autofree char *snapshot = memory ? virCxlDcdXMLAttribute(memory, "snapshot") : NULL;

    return g_strcmp0(snapshot, "no") != 0;
}

/* Check whether @act is allowed for @domain. Returns 0, or -1 with an error set if not. A domain
 * that does not exist, and a read-only connection, are left to libvirt to refuse. @snapshot: the
 * XML of the snapshot to be taken, or NULL if this is not a snapshot. It is parsed last: not for a
 * read-only client, nor if there is nothing to lose. */
static int
cxlDcdDriverRefuse(virDomainPtr domain, const char *act, const char *snapshot)
{
    g_auto(cxlDcdDriverLoss) loss = {0};
    bool refused;

    if (cxlDcdDriverIsInside() || !domain)
        return 0;
    cxlDcdDriverEnter();
    cxlDcdDriverReadHeld(domain, &loss);
    if ((loss.held || loss.unknown) && (cxlDcdDriverIsReadOnly(virDomainGetConnect(domain)) ||
                                        (snapshot && !cxlDcdDriverSnapshotHasMemory(snapshot))))
        cxlDcdDriverLossClear(&loss);
    if (loss.held)
        cxlDcdDriverRefreshHeld(domain, &loss);
    virResetLastError();
    if ((refused = loss.held || loss.unknown))
        cxlDcdDriverReportLoss(domain, &loss, act);
    cxlDcdDriverLeave(refused);
    return refused ? -1 : 0;
}

static int
cxlDcdDriverRefuseLoss(virDomainPtr domain, const char *act)
{
    return cxlDcdDriverRefuse(domain, act, NULL);
}

/* ------------------------------------------------------------- saved states */

CXL_DCD_DRIVER_EXPORT int
virDomainSave(virDomainPtr domain, const char *to)
{
    if (cxlDcdDriverRefuseLoss(domain, "saved") < 0)
        return -1;
    return CXL_DCD_NEXT(virDomainSave)(domain, to);
}

CXL_DCD_DRIVER_EXPORT int
virDomainSaveFlags(virDomainPtr domain, const char *to, const char *dxml, unsigned int flags)
{
    g_autofree char *stored = NULL;

    if (cxlDcdDriverRefuseLoss(domain, "saved") < 0 ||
        cxlDcdDriverStore(virDomainGetConnect(domain), dxml, false, &stored) < 0)
        return -1;
    return CXL_DCD_NEXT(virDomainSaveFlags)(domain, to, stored ? stored : dxml, flags);
}

CXL_DCD_DRIVER_EXPORT int
virDomainSaveParams(virDomainPtr domain,
                    virTypedParameterPtr params,
                    int nparams,
                    unsigned int flags)
{
    g_auto(cxlDcdDriverParams) stored = {0};

    if (cxlDcdDriverRefuseLoss(domain, "saved") < 0 ||
        cxlDcdDriverStoreParams(virDomainGetConnect(domain), params, nparams, &stored) < 0)
        return -1;
    return CXL_DCD_NEXT(virDomainSaveParams)(domain, stored.params, nparams, flags);
}

CXL_DCD_DRIVER_EXPORT int
virDomainManagedSave(virDomainPtr domain, unsigned int flags)
{
    if (cxlDcdDriverRefuseLoss(domain, "saved") < 0)
        return -1;
    return CXL_DCD_NEXT(virDomainManagedSave)(domain, flags);
}

CXL_DCD_DRIVER_EXPORT virDomainSnapshotPtr
virDomainSnapshotCreateXML(virDomainPtr domain, const char *xmlDesc, unsigned int flags)
{
    g_autofree char *stored = NULL;

    if (!(flags & (VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY | VIR_DOMAIN_SNAPSHOT_CREATE_REDEFINE)) &&
        cxlDcdDriverRefuse(domain, "snapshotted with its memory", xmlDesc) < 0)
        return NULL;
    if (cxlDcdDriverStoreNested(virDomainGetConnect(domain),
                                xmlDesc,
                                flags & VIR_DOMAIN_SNAPSHOT_CREATE_VALIDATE,
                                &stored) < 0)
        return NULL;
    return CXL_DCD_NEXT(virDomainSnapshotCreateXML)(domain, stored ? stored : xmlDesc, flags);
}

/* ------------------------------------------------- migration, from a client */

CXL_DCD_DRIVER_EXPORT virDomainPtr
virDomainMigrate(virDomainPtr domain,
                 virConnectPtr dconn,
                 unsigned long flags,
                 const char *dname,
                 const char *uri,
                 unsigned long bandwidth)
{
    if (cxlDcdDriverRefuseLoss(domain, "migrated") < 0)
        return NULL;
    return CXL_DCD_NEXT(virDomainMigrate)(domain, dconn, flags, dname, uri, bandwidth);
}

CXL_DCD_DRIVER_EXPORT virDomainPtr
virDomainMigrate2(virDomainPtr domain,
                  virConnectPtr dconn,
                  const char *dxml,
                  unsigned long flags,
                  const char *dname,
                  const char *uri,
                  unsigned long bandwidth)
{
    g_autofree char *stored = NULL;

    if (cxlDcdDriverRefuseLoss(domain, "migrated") < 0 ||
        cxlDcdDriverStore(virDomainGetConnect(domain), dxml, false, &stored) < 0)
        return NULL;
    return CXL_DCD_NEXT(
        virDomainMigrate2)(domain, dconn, stored ? stored : dxml, flags, dname, uri, bandwidth);
}

CXL_DCD_DRIVER_EXPORT virDomainPtr
virDomainMigrate3(virDomainPtr domain,
                  virConnectPtr dconn,
                  virTypedParameterPtr params,
                  unsigned int nparams,
                  unsigned int flags)
{
    g_auto(cxlDcdDriverParams) stored = {0};

    if (cxlDcdDriverRefuseLoss(domain, "migrated") < 0 ||
        cxlDcdDriverStoreParams(virDomainGetConnect(domain), params, nparams, &stored) < 0)
        return NULL;
    return CXL_DCD_NEXT(virDomainMigrate3)(domain, dconn, stored.params, nparams, flags);
}

CXL_DCD_DRIVER_EXPORT int
virDomainMigrateToURI(virDomainPtr domain,
                      const char *duri,
                      unsigned long flags,
                      const char *dname,
                      unsigned long bandwidth)
{
    if (cxlDcdDriverRefuseLoss(domain, "migrated") < 0)
        return -1;
    return CXL_DCD_NEXT(virDomainMigrateToURI)(domain, duri, flags, dname, bandwidth);
}

CXL_DCD_DRIVER_EXPORT int
virDomainMigrateToURI2(virDomainPtr domain,
                       const char *dconnuri,
                       const char *miguri,
                       const char *dxml,
                       unsigned long flags,
                       const char *dname,
                       unsigned long bandwidth)
{
    g_autofree char *stored = NULL;

    if (cxlDcdDriverRefuseLoss(domain, "migrated") < 0 ||
        cxlDcdDriverStore(virDomainGetConnect(domain), dxml, false, &stored) < 0)
        return -1;
    return CXL_DCD_NEXT(virDomainMigrateToURI2)(domain,
                                                dconnuri,
                                                miguri,
                                                stored ? stored : dxml,
                                                flags,
                                                dname,
                                                bandwidth);
}

CXL_DCD_DRIVER_EXPORT int
virDomainMigrateToURI3(virDomainPtr domain,
                       const char *dconnuri,
                       virTypedParameterPtr params,
                       unsigned int nparams,
                       unsigned int flags)
{
    g_auto(cxlDcdDriverParams) stored = {0};

    if (cxlDcdDriverRefuseLoss(domain, "migrated") < 0 ||
        cxlDcdDriverStoreParams(virDomainGetConnect(domain), params, nparams, &stored) < 0)
        return -1;
    return CXL_DCD_NEXT(virDomainMigrateToURI3)(domain, dconnuri, stored.params, nparams, flags);
}

/* --------------------------------------------------- migration, in a daemon */

CXL_DCD_DRIVER_EXPORT char *
virDomainMigrateBegin3(virDomainPtr domain,
                       const char *xmlin,
                       char **cookieout,
                       int *cookieoutlen,
                       unsigned long flags,
                       const char *dname,
                       unsigned long resource)
{
    g_autofree char *stored = NULL;

    if (cxlDcdDriverRefuseLoss(domain, "migrated") < 0 ||
        cxlDcdDriverStore(virDomainGetConnect(domain), xmlin, false, &stored) < 0)
        return NULL;
    return CXL_DCD_NEXT(virDomainMigrateBegin3)(domain,
                                                stored ? stored : xmlin,
                                                cookieout,
                                                cookieoutlen,
                                                flags,
                                                dname,
                                                resource);
}

CXL_DCD_DRIVER_EXPORT char *
virDomainMigrateBegin3Params(virDomainPtr domain,
                             virTypedParameterPtr params,
                             int nparams,
                             char **cookieout,
                             int *cookieoutlen,
                             unsigned int flags)
{
    g_auto(cxlDcdDriverParams) stored = {0};

    if (cxlDcdDriverRefuseLoss(domain, "migrated") < 0 ||
        cxlDcdDriverStoreParams(virDomainGetConnect(domain), params, nparams, &stored) < 0)
        return NULL;
    return CXL_DCD_NEXT(virDomainMigrateBegin3Params)(domain,
                                                      stored.params,
                                                      nparams,
                                                      cookieout,
                                                      cookieoutlen,
                                                      flags);
}

CXL_DCD_DRIVER_EXPORT int
virDomainMigratePerform(virDomainPtr domain,
                        const char *cookie,
                        int cookielen,
                        const char *uri,
                        unsigned long flags,
                        const char *dname,
                        unsigned long resource)
{
    if (cxlDcdDriverRefuseLoss(domain, "migrated") < 0)
        return -1;
    return CXL_DCD_NEXT(
        virDomainMigratePerform)(domain, cookie, cookielen, uri, flags, dname, resource);
}

CXL_DCD_DRIVER_EXPORT int
virDomainMigratePerform3(virDomainPtr domain,
                         const char *xmlin,
                         const char *cookiein,
                         int cookieinlen,
                         char **cookieout,
                         int *cookieoutlen,
                         const char *dconnuri,
                         const char *uri,
                         unsigned long flags,
                         const char *dname,
                         unsigned long resource)
{
    g_autofree char *stored = NULL;

    if (cxlDcdDriverRefuseLoss(domain, "migrated") < 0 ||
        cxlDcdDriverStore(virDomainGetConnect(domain), xmlin, false, &stored) < 0)
        return -1;
    return CXL_DCD_NEXT(virDomainMigratePerform3)(domain,
                                                  stored ? stored : xmlin,
                                                  cookiein,
                                                  cookieinlen,
                                                  cookieout,
                                                  cookieoutlen,
                                                  dconnuri,
                                                  uri,
                                                  flags,
                                                  dname,
                                                  resource);
}

CXL_DCD_DRIVER_EXPORT int
virDomainMigratePerform3Params(virDomainPtr domain,
                               const char *dconnuri,
                               virTypedParameterPtr params,
                               int nparams,
                               const char *cookiein,
                               int cookieinlen,
                               char **cookieout,
                               int *cookieoutlen,
                               unsigned int flags)
{
    g_auto(cxlDcdDriverParams) stored = {0};

    if (cxlDcdDriverRefuseLoss(domain, "migrated") < 0 ||
        cxlDcdDriverStoreParams(virDomainGetConnect(domain), params, nparams, &stored) < 0)
        return -1;
    return CXL_DCD_NEXT(virDomainMigratePerform3Params)(domain,
                                                        dconnuri,
                                                        stored.params,
                                                        nparams,
                                                        cookiein,
                                                        cookieinlen,
                                                        cookieout,
                                                        cookieoutlen,
                                                        flags);
}
