/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_xml.c: domain XML on its way through the driver module
 *
 * On its way to libvirt it is converted to the form that libvirt can store, and on its way to
 * the user to the plain form; XML that contains nothing of ours stays as it is. A domain comes
 * as a document of its own, inside a snapshot or a checkpoint, or as one of a call's typed
 * parameters.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>

#include "cxl_dcd_driver_capabilities.h"
#include "cxl_dcd_driver_error.h"
#include "cxl_dcd_driver_load.h"
#include "cxl_dcd_driver_xml.h"
#include "cxl_dcd_error.h"
#include "cxl_dcd_translate.h"
#include "qemu/qemu_cxl_dcd_capabilities.h"
#include "util/cxl_dcd_connect.h"

/* The typed parameters that are a domain. */
static const char *const cxlDcdDriverParamNames[] = {
    VIR_DOMAIN_SAVE_PARAM_DXML, /* of a restore too */
    VIR_MIGRATE_PARAM_DEST_XML,
    VIR_MIGRATE_PARAM_PERSIST_XML,
    NULL,
};

/**
 * cxlDcdDriverConcerns:
 * @xml: any XML, or NULL
 *
 * Returns true if a call with @xml is for us: only if it does not come from inside, and the XML
 * contains something of ours.
 */
bool
cxlDcdDriverConcerns(const char *xml)
{
    return !cxlDcdDriverIsInside() && virCxlDcdIsConcerned(xml);
}

/* Whether @xml, which is meant for @conn, is for us: only QEMU has such devices. A domain of
 * another driver may contain our words, for example in its name, without having anything of ours.
 * Returns 1, 0, or -1 with an error set if it has a <cxl-dcd>. */
static int
cxlDcdDriverIsForQemu(virConnectPtr conn, const char *xml)
{
    const char *type = virConnectGetType(conn);

    if (!type)
        return -1;
    if (g_str_equal(type, "QEMU"))
        return 1;
    if (!virCxlDcdHasPlain(xml)) {
        virResetLastError();
        return 0;
    }
    virCxlDcdReportErrorDomain(VIR_FROM_DOMAIN,
                               VIR_ERR_CONFIG_UNSUPPORTED,
                               "<cxl-dcd> needs a connection to QEMU, not to %s",
                               type);
    return -1;
}

/* ------------------------------------------------------------ towards libvirt */

/* Which QEMU is asked about the devices of a domain. */
typedef struct {
    virConnectPtr conn;
    bool validate;
    char *emulator; /* NULL until it is known */
} cxlDcdDriverStoring;

/* The virCxlDcdDecideFunc of virCxlDcdTranslateStore(). */
static int
cxlDcdDriverDecide(virCxlDcdXMLDoc *doc, virCxlDcdDef *device, void *opaque)
{
    cxlDcdDriverStoring *storing = opaque;

    if (virCxlDcdConnectIsLocal(storing->conn)) {
        if (!storing->emulator && !(storing->emulator = cxlDcdDriverEmulator(storing->conn, doc)))
            return -1;
        return qemuCxlDcdDecideDriver(device, storing->emulator);
    }
    if (virCxlDcdDefIsDecided(device))
        return 0;
    virCxlDcdReportErrorDomain(VIR_FROM_DOMAIN,
                               VIR_ERR_CONFIG_UNSUPPORTED,
                               "what QEMU on the other host can do is not known here: give "
                               "<driver name='qemu'/> or <driver name='module' path='...'/> in "
                               "<cxl-dcd> '%s', or load the driver module into the daemon there",
                               device->alias);
    return -1;
}

static int
cxlDcdDriverStoreDomain(const char *xml, char **stored, void *opaque)
{
    cxlDcdDriverStoring *storing = opaque;
    int ret = virCxlDcdTranslateStore(xml, storing->validate, cxlDcdDriverDecide, storing, stored);

    /* the next domain of a snapshot may have another emulator */
    g_clear_pointer(&storing->emulator, g_free);
    return ret;
}

static int
cxlDcdDriverStoreAny(virConnectPtr conn, const char *xml, bool validate, bool nested, char **stored)
{
    cxlDcdDriverStoring storing = {conn, validate, NULL};
    int ret;

    *stored = NULL;
    if (!cxlDcdDriverConcerns(xml))
        return 0;
    cxlDcdDriverEnter();
    if (cxlDcdDriverIsReadOnly(conn)) {
        ret = 0; /* libvirt refuses the call itself */
    } else if ((ret = cxlDcdDriverIsForQemu(conn, xml)) > 0) {
        if (!cxlDcdDriverIsDaemon() && cxlDcdDriverNextHasModule(conn))
            ret = 0;
        else if (nested)
            ret = virCxlDcdTranslateNested(xml, cxlDcdDriverStoreDomain, &storing, stored);
        else
            ret = cxlDcdDriverStoreDomain(xml, stored, &storing);
    }
    cxlDcdDriverLeave(ret < 0);
    return ret;
}

/**
 * cxlDcdDriverStore:
 * @conn: the connection that it is meant for
 * @xml: a domain, or NULL
 * @validate: whether to check it against the schema too
 * @stored: where to store @xml as the next side gets it, to be freed with g_free(); NULL
 *          if that is @xml itself
 *
 * Returns 0, or -1 with an error set.
 */
int
cxlDcdDriverStore(virConnectPtr conn, const char *xml, bool validate, char **stored)
{
    return cxlDcdDriverStoreAny(conn, xml, validate, false, stored);
}

/**
 * cxlDcdDriverStoreNested:
 *
 * The same for a document that has domains inside: a snapshot or a checkpoint.
 */
int
cxlDcdDriverStoreNested(virConnectPtr conn, const char *xml, bool validate, char **stored)
{
    return cxlDcdDriverStoreAny(conn, xml, validate, true, stored);
}

/**
 * cxlDcdDriverParamsClear:
 * @stored: what cxlDcdDriverStoreParams() filled
 */
void
cxlDcdDriverParamsClear(cxlDcdDriverParams *stored)
{
    g_clear_pointer(&stored->copy, g_free);
    g_clear_pointer(&stored->strings, g_ptr_array_unref);
}

/**
 * cxlDcdDriverStoreParams:
 * @conn: the connection that they are meant for
 * @params: typed parameters, a domain perhaps among them
 * @nparams: how many
 * @stored: zeroed; filled with the parameters as the next side gets them
 *
 * Returns 0, or -1 with an error set.
 */
int
cxlDcdDriverStoreParams(virConnectPtr conn,
                        virTypedParameterPtr params,
                        int nparams,
                        cxlDcdDriverParams *stored)
{
    int i;

    stored->params = params;
    for (i = 0; params && i < nparams; i++) {
        char *xml = NULL;

        if (params[i].type != VIR_TYPED_PARAM_STRING ||
            !g_strv_contains(cxlDcdDriverParamNames, params[i].field))
            continue;
        if (cxlDcdDriverStore(conn, params[i].value.s, false, &xml) < 0)
            return -1;
        if (!xml)
            continue;
        if (!stored->copy) {
            stored->copy = g_memdup2(params, sizeof(*params) * nparams);
            stored->strings = g_ptr_array_new_with_free_func(g_free);
            stored->params = stored->copy;
        }
        g_ptr_array_add(stored->strings, xml);
        stored->copy[i].value.s = xml;
    }
    return 0;
}

/* Remove from the definition what belongs to an earlier run. It has some if libvirt made it from a
 * running domain: from a transient one that was migrated with --persistent. A client that may not
 * write the definition leaves it there. */
static void
cxlDcdDriverForgetLive(virDomainPtr domain, virCxlDcdXMLDoc *doc)
{
    xmlNodePtr node = virCxlDcdXMLChild(virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "metadata"), NULL);

    for (; node; node = virCxlDcdXMLNext(node->next, NULL)) {
        if (virCxlDcdIsLiveOnly(node))
            virDomainSetMetadata(domain,
                                 VIR_DOMAIN_METADATA_ELEMENT,
                                 NULL,
                                 NULL,
                                 (const char *)node->ns->href,
                                 VIR_DOMAIN_AFFECT_CONFIG);
    }
}

/**
 * cxlDcdDriverCheckStart:
 * @domain: a domain that is about to be started
 *
 * Check that QEMU still supports the devices: it may have changed since the domain was defined.
 * What cannot be found out is left to libvirt, which starts QEMU in the end. The definition loses
 * what belongs to an earlier run.
 *
 * Returns 0, or -1 with an error set if QEMU cannot have one of the devices.
 */
int
cxlDcdDriverCheckStart(virDomainPtr domain)
{
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    g_autoptr(virCxlDcdDomainDef) def = NULL;
    cxlDcdDriverStoring storing = {0};
    char *xml = NULL;
    int ret = 0;
    guint i;

    if (cxlDcdDriverIsInside())
        return 0;
    cxlDcdDriverEnter();
    storing.conn = virDomainGetConnect(domain);
    if (storing.conn && (xml = virDomainGetXMLDesc(domain, VIR_DOMAIN_XML_INACTIVE)) &&
        virCxlDcdIsConcerned(xml) && (doc = virCxlDcdXMLParse(xml, "domain")))
        cxlDcdDriverForgetLive(domain, doc);
    if (doc && virCxlDcdConnectIsLocal(storing.conn))
        def = virCxlDcdDomainDefParseStored(doc);
    for (i = 0; ret == 0 && def && i < def->devices->len; i++) {
        if (cxlDcdDriverDecide(doc, g_ptr_array_index(def->devices, i), &storing) < 0 &&
            virGetLastErrorCode() == VIR_ERR_CONFIG_UNSUPPORTED)
            ret = -1;
    }
    g_free(storing.emulator);
    free(xml);
    if (ret == 0)
        virResetLastError();
    cxlDcdDriverLeave(ret < 0);
    return ret;
}

/* ---------------------------------------------------------- towards the user */

static int
cxlDcdDriverShowDomain(const char *xml, char **shown, void *opaque G_GNUC_UNUSED)
{
    *shown = virCxlDcdTranslateShow(xml);
    return 0;
}

/**
 * cxlDcdDriverShow:
 * @xml: a domain as the next side returned it, or NULL; it is freed if another text is returned
 *
 * Returns the domain as the user gets it, to be freed with free().
 */
char *
cxlDcdDriverShow(char *xml)
{
    char *shown;

    if (!cxlDcdDriverConcerns(xml) || !(shown = virCxlDcdTranslateShow(xml)))
        return xml;
    free(xml);
    return shown;
}

/**
 * cxlDcdDriverShowNested:
 *
 * The same for a document that contains domains: a snapshot or a checkpoint. A document that
 * cannot be parsed is shown as it is.
 */
char *
cxlDcdDriverShowNested(char *xml)
{
    char *shown = NULL;

    if (!cxlDcdDriverConcerns(xml))
        return xml;
    if (virCxlDcdTranslateNested(xml, cxlDcdDriverShowDomain, NULL, &shown) < 0)
        virResetLastError();
    if (!shown)
        return xml;
    free(xml);
    return shown;
}
