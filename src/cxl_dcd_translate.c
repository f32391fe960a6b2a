/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_translate.c: domain XML, between a client and libvirt
 *
 * The only place where what the XML means (src/conf) meets what QEMU is told
 * (src/qemu). A definition on its way to libvirt gets the stored form and the
 * arguments; a definition on its way back loses both.
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
 * The name of the element and all our namespaces contain "cxl-dcd". In UTF-8 and without
 * entities, an element's name can be written in one way only. A namespace is an attribute's
 * value, in which a character can be written as a reference ("cxl&#45;dcd"), but no program
 * prints it like that, least of all libvirt, which prints what it has parsed. If a user writes
 * it so by hand, or uses an encoding such as UTF-7 or an entity, the domain goes to libvirt as
 * it would without us: libvirt ignores an element that it does not know, and keeps metadata.
 * We recognize such a domain once libvirt prints it.
 *
 * Returns false if @xml contains nothing of ours, and need not be parsed.
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
 * Returns true if there is a <cxl-dcd> among its devices: then the daemon has the
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
 * @domain: a running domain whose XML cannot be obtained
 *
 * To print a running domain, libvirt may need to talk to its QEMU, and gives up if that takes
 * too long. Its metadata is always available (libvirt: virDomainGetMetadata()).
 *
 * Returns 1 if libvirt has a definition of ours for it, 0 if it has none, or -1 with an
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

/* Write the stored form of @doc, with @def as its devices. */
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
 * @validate: whether to check it against the schema too
 * @decide: called for each device
 * @opaque: for @decide
 * @stored: where to store the domain for libvirt, to be freed with g_free(); NULL
 *          if @xml can go to libvirt as it is
 *
 * Convert a definition to the stored form. A domain that already is in the stored
 * form stays as it is, except that the records of running capacities are removed.
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
 * @def: its devices, with no change that would change the arguments
 * @stored: where to store the domain for libvirt, to be freed with g_free()
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
 * Convert a domain from the stored to the plain form. If its stored form is not
 * consistent (somebody edited it by hand), it is shown as it is.
 *
 * Returns the domain, to be freed with g_free(), or NULL if @xml is to be shown
 * as it is.
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
 * @xml: a snapshot or a checkpoint, which contains a <domain> and perhaps an <inactiveDomain>
 * @translate: called for each of them, as a document of its own
 * @opaque: for @translate
 * @changed: where to store the document with the translated domains, to be freed with
 *           g_free(); NULL if @translate left all of them as they are
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
