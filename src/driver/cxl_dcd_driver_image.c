/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_image.c: domains that libvirt keeps beside the definition
 *
 * A saved state contains its domain, and a snapshot or a checkpoint one or two domains.
 * libvirt prints these, and accepts changed ones, as it does a definition. So they are
 * shown in the plain form and converted to the stored one. Creating a saved state or a
 * snapshot is in cxl_dcd_driver_loss.c.
 */

#include <config.h>

#include "cxl_dcd_driver_next.h"
#include "cxl_dcd_driver_xml.h"

/* ------------------------------------------------------------- saved states */

CXL_DCD_DRIVER_EXPORT char *
virDomainSaveImageGetXMLDesc(virConnectPtr conn, const char *file, unsigned int flags)
{
    return cxlDcdDriverShow(CXL_DCD_NEXT(virDomainSaveImageGetXMLDesc)(conn, file, flags));
}

CXL_DCD_DRIVER_EXPORT int
virDomainSaveImageDefineXML(virConnectPtr conn,
                            const char *file,
                            const char *dxml,
                            unsigned int flags)
{
    g_autofree char *stored = NULL;

    if (cxlDcdDriverStore(conn, dxml, false, &stored) < 0)
        return -1;
    return CXL_DCD_NEXT(virDomainSaveImageDefineXML)(conn, file, stored ? stored : dxml, flags);
}

CXL_DCD_DRIVER_EXPORT char *
virDomainManagedSaveGetXMLDesc(virDomainPtr domain, unsigned int flags)
{
    return cxlDcdDriverShow(CXL_DCD_NEXT(virDomainManagedSaveGetXMLDesc)(domain, flags));
}

CXL_DCD_DRIVER_EXPORT int
virDomainManagedSaveDefineXML(virDomainPtr domain, const char *dxml, unsigned int flags)
{
    g_autofree char *stored = NULL;

    if (cxlDcdDriverStore(virDomainGetConnect(domain), dxml, false, &stored) < 0)
        return -1;
    return CXL_DCD_NEXT(virDomainManagedSaveDefineXML)(domain, stored ? stored : dxml, flags);
}

CXL_DCD_DRIVER_EXPORT int
virDomainRestoreFlags(virConnectPtr conn, const char *from, const char *dxml, unsigned int flags)
{
    g_autofree char *stored = NULL;

    if (cxlDcdDriverStore(conn, dxml, false, &stored) < 0)
        return -1;
    return CXL_DCD_NEXT(virDomainRestoreFlags)(conn, from, stored ? stored : dxml, flags);
}

CXL_DCD_DRIVER_EXPORT int
virDomainRestoreParams(virConnectPtr conn,
                       virTypedParameterPtr params,
                       int nparams,
                       unsigned int flags)
{
    g_auto(cxlDcdDriverParams) stored = {0};

    if (cxlDcdDriverStoreParams(conn, params, nparams, &stored) < 0)
        return -1;
    return CXL_DCD_NEXT(virDomainRestoreParams)(conn, stored.params, nparams, flags);
}

/* -------------------------------------------------- snapshots and checkpoints */

CXL_DCD_DRIVER_EXPORT char *
virDomainSnapshotGetXMLDesc(virDomainSnapshotPtr snapshot, unsigned int flags)
{
    return cxlDcdDriverShowNested(CXL_DCD_NEXT(virDomainSnapshotGetXMLDesc)(snapshot, flags));
}

CXL_DCD_DRIVER_EXPORT char *
virDomainCheckpointGetXMLDesc(virDomainCheckpointPtr checkpoint, unsigned int flags)
{
    return cxlDcdDriverShowNested(CXL_DCD_NEXT(virDomainCheckpointGetXMLDesc)(checkpoint, flags));
}

CXL_DCD_DRIVER_EXPORT virDomainCheckpointPtr
virDomainCheckpointCreateXML(virDomainPtr domain, const char *xmlDesc, unsigned int flags)
{
    g_autofree char *stored = NULL;

    if (cxlDcdDriverStoreNested(virDomainGetConnect(domain), xmlDesc, false, &stored) < 0)
        return NULL;
    return CXL_DCD_NEXT(virDomainCheckpointCreateXML)(domain, stored ? stored : xmlDesc, flags);
}
