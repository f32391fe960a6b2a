/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver.c: the driver module
 *
 * A shared object that is preloaded into libvirtd or virtqemud, or into a client. It
 * defines the functions of libvirt's public interface whose meaning <cxl-dcd> extends. The
 * program's calls through its PLT arrive here, and everything that is not about <cxl-dcd>
 * is passed on unchanged to the next definition, which is libvirt's own.
 *
 *      client's call ---> [module] ---> libvirt.so ---> RPC
 *                                                        |
 *                              libvirtd's dispatch  <----'
 *                                   |
 *                                   `---> [module] ---> libvirt.so ---> QEMU driver
 *
 * XML on its way to libvirt is converted to the form that libvirt can store, and XML on its
 * way back to the form that a user writes. If the module is on both sides, the daemon's
 * module does the work, and the client's sees <cxl-dcd> in what the daemon prints.
 *
 * The library does the actual work, and calls the same public functions; those calls are
 * passed on at once (cxl_dcd_driver_error.c).
 *
 * cxl_dcd_driver_load.c explains how the module is loaded, and cxl_dcd_driver.syms which
 * functions are overridden, and why.
 */

#include <config.h>

#include <gio/gio.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "cxl_dcd_driver_capabilities.h"
#include "cxl_dcd_driver_error.h"
#include "cxl_dcd_driver_log.h"
#include "cxl_dcd_driver_next.h"
#include "cxl_dcd_driver_starts.h"
#include "cxl_dcd_driver_xml.h"
#include "cxl_dcd_error.h"
#include "cxl_dcd_start.h"
#include "cxl_dcd_translate.h"
#include "libvirt/libvirt-cxl-dcd.h"

/* ------------------------------------------------------------ what is ours */

/* Whether @xml, a device for @domain, is a <cxl-dcd>. XML that is not well-formed, or comes over a
 * read-only connection, is left to libvirt to refuse; in the latter case it is not even parsed. */
static bool
cxlDcdDriverIsDevice(virDomainPtr domain, const char *xml)
{
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    bool is_device;

    if (!domain || !cxlDcdDriverConcerns(xml))
        return false;
    cxlDcdDriverEnter();
    if (!cxlDcdDriverIsReadOnly(virDomainGetConnect(domain)))
        doc = virCxlDcdXMLParse(xml, "device");
    is_device = doc && virCxlDcdXMLIsElement(virCxlDcdXMLRoot(doc), "cxl-dcd");
    virResetLastError();
    cxlDcdDriverLeave(false);
    return is_device;
}

/* ------------------------------------------------------ domain XML towards */

CXL_DCD_DRIVER_EXPORT virDomainPtr
virDomainDefineXML(virConnectPtr conn, const char *xml)
{
    g_autofree char *stored = NULL;

    if (cxlDcdDriverStore(conn, xml, false, &stored) < 0)
        return NULL;
    return CXL_DCD_NEXT(virDomainDefineXML)(conn, stored ? stored : xml);
}

CXL_DCD_DRIVER_EXPORT virDomainPtr
virDomainDefineXMLFlags(virConnectPtr conn, const char *xml, unsigned int flags)
{
    g_autofree char *stored = NULL;

    if (cxlDcdDriverStore(conn, xml, flags & VIR_DOMAIN_DEFINE_VALIDATE, &stored) < 0)
        return NULL;
    return CXL_DCD_NEXT(virDomainDefineXMLFlags)(conn, stored ? stored : xml, flags);
}

CXL_DCD_DRIVER_EXPORT char *
virConnectDomainXMLToNative(virConnectPtr conn,
                            const char *nativeFormat,
                            const char *domainXml,
                            unsigned int flags)
{
    g_autofree char *stored = NULL;

    if (cxlDcdDriverStore(conn, domainXml, false, &stored) < 0)
        return NULL;
    return CXL_DCD_NEXT(
        virConnectDomainXMLToNative)(conn, nativeFormat, stored ? stored : domainXml, flags);
}

/* ---------------------------------------------- capacities at a domain's start */

/* Whether a start of @domain may restore the guest from a managed save, whose image is then gone.
 * Returns false only if it certainly does not: only libvirt knows whether it uses the image, and
 * the guest's state at the time that we look at it proves nothing. */
static bool
cxlDcdDriverMayRestore(virDomainPtr domain, unsigned int flags)
{
    bool restore;

    if (cxlDcdDriverIsInside() || flags & VIR_DOMAIN_START_FORCE_BOOT)
        return false;
    cxlDcdDriverEnter();
    restore = virDomainHasManagedSaveImage(domain, 0) != 0;
    virResetLastError();
    cxlDcdDriverLeave(false);
    return restore;
}

/* A domain that cannot get the capacities of its definition is not started. But a guest that may
 * have been restored is not destroyed, since its state exists nowhere else any more. */
static int
cxlDcdDriverStarted(virDomainPtr domain, bool restored)
{
    virErrorPtr error;
    int ret = 0;

    if (cxlDcdDriverIsInside())
        return 0;
    cxlDcdDriverEnter();
    if (g_strcmp0(virConnectGetType(virDomainGetConnect(domain)), "QEMU") == 0)
        ret = virCxlDcdStart(domain);
    if (ret < 0 && restored) {
        g_autofree char *text = g_strdup(virCxlDcdLastErrorMessage());

        cxlDcdDriverLog("error",
                        "domain '%s' goes on from its managed save, without all capacities of "
                        "its definition: %s",
                        virDomainGetName(domain),
                        text);
        virResetLastError();
        ret = 0;
    } else if (ret < 0) {
        error = virCxlDcdErrorSave();
        virDomainDestroy(domain);
        virCxlDcdErrorRestore(error);
    }
    cxlDcdDriverLeave(ret < 0);
    return ret;
}

/* Returns @domain, as virDomainCreateXML() returned it, or NULL if it cannot be as defined. */
static virDomainPtr
cxlDcdDriverCreated(virDomainPtr domain)
{
    virErrorPtr error;

    if (!domain || cxlDcdDriverStarted(domain, false) == 0)
        return domain;
    error = virCxlDcdErrorSave();
    virDomainFree(domain);
    virCxlDcdErrorRestore(error);
    return NULL;
}

CXL_DCD_DRIVER_EXPORT virDomainPtr
virDomainCreateXML(virConnectPtr conn, const char *xmlDesc, unsigned int flags)
{
    g_autoptr(cxlDcdDriverStart) start = cxlDcdDriverStartBeginXML(conn, xmlDesc);
    g_autofree char *stored = NULL;

    if (cxlDcdDriverStore(conn, xmlDesc, flags & VIR_DOMAIN_START_VALIDATE, &stored) < 0)
        return NULL;
    return cxlDcdDriverCreated(
        CXL_DCD_NEXT(virDomainCreateXML)(conn, stored ? stored : xmlDesc, flags));
}

CXL_DCD_DRIVER_EXPORT virDomainPtr
virDomainCreateXMLWithFiles(virConnectPtr conn,
                            const char *xmlDesc,
                            unsigned int nfiles,
                            int *files,
                            unsigned int flags)
{
    g_autoptr(cxlDcdDriverStart) start = cxlDcdDriverStartBeginXML(conn, xmlDesc);
    g_autofree char *stored = NULL;

    if (cxlDcdDriverStore(conn, xmlDesc, flags & VIR_DOMAIN_START_VALIDATE, &stored) < 0)
        return NULL;
    return cxlDcdDriverCreated(CXL_DCD_NEXT(
        virDomainCreateXMLWithFiles)(conn, stored ? stored : xmlDesc, nfiles, files, flags));
}

CXL_DCD_DRIVER_EXPORT int
virDomainCreate(virDomainPtr domain)
{
    g_autoptr(cxlDcdDriverStart) start = cxlDcdDriverStartBegin(domain);
    bool restored = cxlDcdDriverMayRestore(domain, 0);

    if (cxlDcdDriverCheckStart(domain) < 0 || CXL_DCD_NEXT(virDomainCreate)(domain) < 0)
        return -1;
    return cxlDcdDriverStarted(domain, restored);
}

CXL_DCD_DRIVER_EXPORT int
virDomainCreateWithFlags(virDomainPtr domain, unsigned int flags)
{
    g_autoptr(cxlDcdDriverStart) start = cxlDcdDriverStartBegin(domain);
    bool restored = cxlDcdDriverMayRestore(domain, flags);

    if (cxlDcdDriverCheckStart(domain) < 0 ||
        CXL_DCD_NEXT(virDomainCreateWithFlags)(domain, flags) < 0)
        return -1;
    return cxlDcdDriverStarted(domain, restored);
}

CXL_DCD_DRIVER_EXPORT int
virDomainCreateWithFiles(virDomainPtr domain, unsigned int nfiles, int *files, unsigned int flags)
{
    g_autoptr(cxlDcdDriverStart) start = cxlDcdDriverStartBegin(domain);
    bool restored = cxlDcdDriverMayRestore(domain, flags);

    if (cxlDcdDriverCheckStart(domain) < 0 ||
        CXL_DCD_NEXT(virDomainCreateWithFiles)(domain, nfiles, files, flags) < 0)
        return -1;
    return cxlDcdDriverStarted(domain, restored);
}

/* --------------------------------------------------------- domain XML back */

/* A domain for migration goes from one libvirt to another: it stays in the form that they
 * store. */
CXL_DCD_DRIVER_EXPORT char *
virDomainGetXMLDesc(virDomainPtr domain, unsigned int flags)
{
    char *xml = CXL_DCD_NEXT(virDomainGetXMLDesc)(domain, flags);

    return flags & VIR_DOMAIN_XML_MIGRATABLE ? xml : cxlDcdDriverShow(xml);
}

CXL_DCD_DRIVER_EXPORT char *
virConnectGetDomainCapabilities(virConnectPtr conn,
                                const char *emulatorbin,
                                const char *arch,
                                const char *machine,
                                const char *virttype,
                                unsigned int flags)
{
    char *xml = CXL_DCD_NEXT(
        virConnectGetDomainCapabilities)(conn, emulatorbin, arch, machine, virttype, flags);

    if (!xml || cxlDcdDriverIsInside())
        return xml;
    cxlDcdDriverEnter();
    xml = cxlDcdDriverExtendCapabilities(conn, xml);
    cxlDcdDriverLeave(false);
    return xml;
}

/* ------------------------------------------------------------ hot plugging */

/* Attach a <cxl-dcd>: add its capacity. */
static int
cxlDcdDriverAttach(virDomainPtr domain, const char *xml, unsigned int flags)
{
    char *tag;

    cxlDcdDriverEnter();
    tag = virDomainCxlDcdAdd(domain, xml, flags);
    cxlDcdDriverLeave(!tag);
    free(tag);
    return tag ? 0 : -1;
}

/* The <release> of a document, as flags of virDomainCxlDcdRelease(). */
static unsigned int
cxlDcdDriverReleaseFlags(const virCxlDcdDef *def)
{
    unsigned int flags = def->forced ? VIR_DOMAIN_CXL_DCD_RELEASE_FORCED : 0;

    if (def->policy == VIR_CXL_DCD_POLICY_TAG_BASED)
        flags |= VIR_DOMAIN_CXL_DCD_RELEASE_TAG_BASED;
    if (def->policy == VIR_CXL_DCD_POLICY_PRESCRIPTIVE)
        flags |= VIR_DOMAIN_CXL_DCD_RELEASE_PRESCRIPTIVE;
    return flags;
}

/* Detach a <cxl-dcd>: release the capacity with its tag. */
static int
cxlDcdDriverDetach(virDomainPtr domain, const char *xml, unsigned int flags)
{
    g_autoptr(virCxlDcdDef) def = NULL;
    virCxlDcdCapacityDef *capacity = NULL;
    int ret = -1;

    cxlDcdDriverEnter();
    if ((def = virCxlDcdDefParseString(xml))) {
        if (def->capacities->len == 1)
            capacity = g_ptr_array_index(def->capacities, 0);
        if (capacity && capacity->tag)
            ret = virDomainCxlDcdRelease(domain,
                                         def->alias,
                                         capacity->tag,
                                         flags | cxlDcdDriverReleaseFlags(def));
        else
            virCxlDcdReportErrorDomain(VIR_FROM_DOMAIN,
                                       VIR_ERR_XML_ERROR,
                                       "a <cxl-dcd> to be detached has one <capacity> with the "
                                       "tag of the capacity that is to be released: the device "
                                       "itself stays");
    }
    cxlDcdDriverLeave(ret < 0);
    return ret;
}

CXL_DCD_DRIVER_EXPORT int
virDomainAttachDevice(virDomainPtr domain, const char *xml)
{
    if (cxlDcdDriverIsDevice(domain, xml))
        return cxlDcdDriverAttach(domain, xml, VIR_DOMAIN_AFFECT_LIVE);
    return CXL_DCD_NEXT(virDomainAttachDevice)(domain, xml);
}

/* Flags that only have a meaning for other devices are accepted, and ignored. */
#define CXL_DCD_DRIVER_IMPACT(flags) ((flags) & (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG))

CXL_DCD_DRIVER_EXPORT int
virDomainAttachDeviceFlags(virDomainPtr domain, const char *xml, unsigned int flags)
{
    if (cxlDcdDriverIsDevice(domain, xml))
        return cxlDcdDriverAttach(domain, xml, CXL_DCD_DRIVER_IMPACT(flags));
    return CXL_DCD_NEXT(virDomainAttachDeviceFlags)(domain, xml, flags);
}

CXL_DCD_DRIVER_EXPORT int
virDomainDetachDevice(virDomainPtr domain, const char *xml)
{
    if (cxlDcdDriverIsDevice(domain, xml))
        return cxlDcdDriverDetach(domain, xml, VIR_DOMAIN_AFFECT_LIVE);
    return CXL_DCD_NEXT(virDomainDetachDevice)(domain, xml);
}

CXL_DCD_DRIVER_EXPORT int
virDomainDetachDeviceFlags(virDomainPtr domain, const char *xml, unsigned int flags)
{
    if (cxlDcdDriverIsDevice(domain, xml))
        return cxlDcdDriverDetach(domain, xml, CXL_DCD_DRIVER_IMPACT(flags));
    return CXL_DCD_NEXT(virDomainDetachDeviceFlags)(domain, xml, flags);
}

CXL_DCD_DRIVER_EXPORT int
virDomainUpdateDeviceFlags(virDomainPtr domain, const char *xml, unsigned int flags)
{
    if (cxlDcdDriverIsDevice(domain, xml)) {
        cxlDcdDriverEnter();
        virCxlDcdReportErrorDomain(VIR_FROM_DOMAIN,
                                   VIR_ERR_OPERATION_UNSUPPORTED,
                                   "a <cxl-dcd> cannot be updated: release a capacity and add "
                                   "another, or define the domain anew");
        cxlDcdDriverLeave(true);
        return -1;
    }
    return CXL_DCD_NEXT(virDomainUpdateDeviceFlags)(domain, xml, flags);
}
