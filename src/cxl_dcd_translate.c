/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_translate.c: domain XML, between a client and libvirt
 *
 * The one place where what the XML means (src/conf) and what QEMU is told
 * (src/qemu) meet: a definition on its way to libvirt gets the stored form with
 * the arguments, one on its way back loses both.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "conf/cxl_dcd_splice.h"
#include "cxl_dcd_error.h"
#include "cxl_dcd_translate.h"
#include "qemu/qemu_cxl_dcd_command.h"

/**
 * virCxlDcdIsConcerned:
 * @xml: any XML, or NULL
 *
 * The name of the element and all our namespaces hold "cxl-dcd". In UTF-8 and without
 * entities an element's name can be written in one way only. A namespace is an attribute's
 * value, in which a character can be a reference ("cxl&#45;dcd"). No program prints one like
 * that: libvirt, which prints what it has parsed, least of all. Who writes it by hand, or
 * takes an encoding such as UTF-7 or an entity, has his domain go to libvirt as it would
 * without us: libvirt ignores an element that it does not know, and keeps metadata. We see
 * those once libvirt prints them.
 *
 * Returns false when @xml speaks of nothing of ours, and need not be parsed.
 */
bool
virCxlDcdIsConcerned(const char *xml)
{
    return xml && strstr(xml, "cxl-dcd");
}

/**
 * virCxlDcdHasPlain:
 * @xml: a domain as a daemon printed it
 *
 * Returns true when <cxl-dcd> stands among its devices: the daemon has the
 * driver module.
 */
bool
virCxlDcdHasPlain(const char *xml)
{
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    g_autoptr(virCxlDcdDomainDef) def = NULL;

    if (!virCxlDcdIsConcerned(xml) || !(doc = virCxlDcdXMLParse(xml, "domain")) ||
        !(def = virCxlDcdDomainDefParse(doc)))
        return false;
    return def->plain;
}

/**
 * virCxlDcdHasDefinition:
 * @domain: a running domain whose XML cannot be had
 *
 * libvirt prints a running domain when it may talk to its QEMU, and gives up where that takes
 * long. Its metadata is always at hand (libvirt: virDomainGetMetadata()).
 *
 * Returns 1 when libvirt has a definition of ours for it, 0 when it has none, or -1 with an
 * error set.
 */
int
virCxlDcdHasDefinition(virDomainPtr domain)
{
    char *definition = virDomainGetMetadata(domain,
                                            VIR_DOMAIN_METADATA_ELEMENT,
                                            VIR_CXL_DCD_NAMESPACE,
                                            VIR_DOMAIN_AFFECT_LIVE);
    bool has = definition;

    free(definition);
    if (has)
        return 1;
    if (virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_METADATA)
        return -1;
    virResetLastError();
    return 0;
}

static int
virCxlDcdTranslateValidate(virCxlDcdXMLDoc *doc, const virCxlDcdDomainDef *def)
{
    xmlNodePtr devices = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "devices");
    xmlNodePtr node;

    for (node = virCxlDcdXMLChild(devices, "cxl-dcd"); node;
         node = virCxlDcdXMLNext(node->next, "cxl-dcd")) {
        const virCxlDcdXMLSpan *span = virCxlDcdXMLGetSpan(doc, node);
        g_autofree char *text = g_strndup(doc->text + span->start, span->end - span->start);
        g_autofree char *what = g_strdup_printf("<cxl-dcd> of domain '%s'", def->name);

        if (virCxlDcdXMLHasNamespace(node, NULL) && virCxlDcdXMLValidate(text, what) < 0)
            return -1;
    }
    return 0;
}

static int
virCxlDcdTranslateDecide(virCxlDcdXMLDoc *doc,
                         const virCxlDcdDomainDef *def,
                         virCxlDcdDecideFunc decide,
                         void *opaque)
{
    guint i;

    for (i = 0; i < def->devices->len; i++) {
        if (decide(doc, g_ptr_array_index(def->devices, i), opaque) < 0)
            return -1;
    }
    return 0;
}

/* The stored form of @doc with @def for its devices. */
static int
virCxlDcdTranslateSplice(virCxlDcdXMLDoc *doc, const virCxlDcdDomainDef *def, char **stored)
{
    g_autoptr(virCxlDcdDomainDef) old = virCxlDcdDomainDefParseStored(doc);
    g_autoptr(GPtrArray) before = NULL;
    g_autoptr(GPtrArray) after = qemuCxlDcdBuildCommandLine(def);

    if (!old)
        return -1;
    if (old->stored)
        before = qemuCxlDcdBuildCommandLine(old);
    if ((*stored = virCxlDcdSpliceStore(doc, def, before, after)))
        return 0;
    virCxlDcdReportErrorDomain(VIR_FROM_DOMAIN,
                               VIR_ERR_XML_ERROR,
                               "domain '%s' has a CXL dynamic capacity definition in its "
                               "<metadata> that its <qemu:commandline> does not match: take the "
                               "element in namespace '" VIR_CXL_DCD_NAMESPACE "' and the QEMU "
                               "arguments of its devices out",
                               def->name);
    return -1;
}

/**
 * virCxlDcdTranslateStore:
 * @xml: a domain as a client gave it
 * @validate: check it against the schema too
 * @decide: called for each device
 * @opaque: for @decide
 * @stored: where the domain for libvirt goes, to be freed with g_free(); NULL
 *          when @xml is for libvirt as it is
 *
 * Bring a definition into the stored form. A domain that is in the stored form
 * already stays as it is, but for the records of running capacities, which go.
 *
 * Returns 0, or -1 with an error set.
 */
int
virCxlDcdTranslateStore(const char *xml,
                        bool validate,
                        virCxlDcdDecideFunc decide,
                        void *opaque,
                        char **stored)
{
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    g_autoptr(virCxlDcdDomainDef) def = NULL;

    *stored = NULL;
    if (!virCxlDcdIsConcerned(xml))
        return 0;
    if (!(doc = virCxlDcdXMLParse(xml, "domain")) || !(def = virCxlDcdDomainDefParseInput(doc)))
        return -1;
    if (!def->plain) {
        *stored = virCxlDcdSpliceDropLive(doc);
        return 0;
    }
    if (validate && virCxlDcdTranslateValidate(doc, def) < 0)
        return -1;
    if (virCxlDcdDomainDefComplete(def, doc) < 0 || virCxlDcdDomainDefValidate(def, doc) < 0 ||
        virCxlDcdDomainDefPlace(def) < 0 || virCxlDcdTranslateDecide(doc, def, decide, opaque) < 0)
        return -1;
    return virCxlDcdTranslateSplice(doc, def, stored);
}

/**
 * virCxlDcdTranslateRedefine:
 * @xml: a domain in the stored form, as libvirt printed it
 * @def: its devices, changed in nothing that shows in the arguments
 * @stored: where the domain for libvirt goes, to be freed with g_free()
 *
 * Returns 0, or -1 with an error set.
 */
int
virCxlDcdTranslateRedefine(const char *xml, const virCxlDcdDomainDef *def, char **stored)
{
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(xml, "domain");

    return doc ? virCxlDcdTranslateSplice(doc, def, stored) : -1;
}

/**
 * virCxlDcdTranslateShow:
 * @xml: a domain as libvirt printed it
 *
 * Bring a domain from the stored into the plain form. One whose stored form
 * does not fit together (somebody edited it by hand) is shown as it is.
 *
 * Returns the domain, to be freed with g_free(), or NULL when @xml is to be
 * shown as it is.
 */
char *
virCxlDcdTranslateShow(const char *xml)
{
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    g_autoptr(virCxlDcdDomainDef) def = NULL;
    g_autoptr(GPtrArray) arguments = NULL;
    char *plain = NULL;

    if (!virCxlDcdIsConcerned(xml))
        return NULL;
    if ((doc = virCxlDcdXMLParse(xml, "domain")) && (def = virCxlDcdDomainDefParse(doc)) &&
        def->stored && !def->plain) {
        arguments = qemuCxlDcdBuildCommandLine(def);
        plain = virCxlDcdSpliceShow(doc, def, arguments);
    }
    if (!plain)
        virResetLastError();
    return plain;
}

/**
 * virCxlDcdTranslateNested:
 * @xml: a snapshot or a checkpoint, with a <domain> inside and perhaps an <inactiveDomain>
 * @translate: called for each of them, as a document of its own
 * @opaque: for @translate
 * @changed: where the document with what @translate made of them goes, to be freed with
 *           g_free(); NULL when it left all as they are
 *
 * Returns 0, or -1 with an error set.
 */
int
virCxlDcdTranslateNested(const char *xml,
                         virCxlDcdTranslateFunc translate,
                         void *opaque,
                         char **changed)
{
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(xml, "document");
    g_autoptr(GString) out = g_string_new(NULL);
    bool any = false;
    size_t position = 0;
    xmlNodePtr node;

    *changed = NULL;
    if (!doc)
        return -1;
    for (node = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), NULL); node;
         node = virCxlDcdXMLNext(node->next, NULL)) {
        const virCxlDcdXMLSpan *span = virCxlDcdXMLGetSpan(doc, node);
        g_autofree char *domain = NULL;
        g_autofree char *other = NULL;

        if (!virCxlDcdDomainDefIsDomain(node))
            continue;
        domain = g_strndup(doc->text + span->start, span->end - span->start);
        if (translate(domain, &other, opaque) < 0)
            return -1;
        g_string_append_len(out, doc->text + position, span->start - position);
        g_string_append(out, other ? other : domain);
        position = span->end;
        any = any || other;
    }
    if (any) {
        g_string_append(out, doc->text + position);
        *changed = g_string_free(g_steal_pointer(&out), FALSE);
    }
    return 0;
}
