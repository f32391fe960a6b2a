/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_splice.c: domain XML, from the plain form to the stored and back
 *
 *      plain                                 stored
 *      <domain>                              <domain xmlns:qemu='...'>
 *                             Store          <metadata>
 *                          ----------->        <cxl-dcd:devices>...
 *        <devices>                           <devices>
 *          <cxl-dcd>...       Show         <qemu:commandline>
 *                          <-----------        <qemu:arg value='...'/>...
 *
 * A document is changed by a list of edits to its text: everything outside of
 * the edits stays byte for byte. An element is removed together with the white
 * space before it, including the end of the line above, which libvirt printed for
 * it. What held nothing but ours (<metadata>, the elements of the QEMU namespace
 * and its declaration) is removed too, since libvirt would not have printed it
 * without us.
 *
 * The QEMU arguments are just strings here: this file recognizes them as the run
 * of <qemu:arg> whose values are equal to the arguments that it is given.
 */

#include <config.h>

#include <string.h>

#include "cxl_dcd_splice.h"

#define VIR_CXL_DCD_QEMU_NAMESPACE "http://libvirt.org/schemas/domain/qemu/1.0"

/* Replace the text from start to end by this. */
typedef struct {
    size_t start;
    size_t end;
    char *text;
} virCxlDcdEdit;

static void
virCxlDcdEditClear(gpointer opaque)
{
    virCxlDcdEdit *edit = opaque;

    g_free(edit->text);
}

static GArray *
virCxlDcdEditsNew(void)
{
    GArray *edits = g_array_new(FALSE, FALSE, sizeof(virCxlDcdEdit));

    g_array_set_clear_func(edits, virCxlDcdEditClear);
    return edits;
}

/* Takes ownership of @text, which may be NULL for nothing. */
static void
virCxlDcdEditsAdd(GArray *edits, size_t start, size_t end, char *text)
{
    virCxlDcdEdit edit = {start, end, text};

    g_array_append_val(edits, edit);
}

static gint
virCxlDcdEditCompare(gconstpointer a, gconstpointer b)
{
    const virCxlDcdEdit *left = a;
    const virCxlDcdEdit *right = b;

    if (left->start != right->start)
        return left->start < right->start ? -1 : 1;
    return left->end < right->end ? -1 : left->end > right->end;
}

/* The edits never overlap; of two at the same place, the one added first comes first. */
static char *
virCxlDcdEditsApply(GArray *edits, const char *text)
{
    g_autoptr(GString) out = g_string_new(NULL);
    size_t position = 0;
    guint i;

    g_array_sort(edits, virCxlDcdEditCompare);
    for (i = 0; i < edits->len; i++) {
        virCxlDcdEdit *edit = &g_array_index(edits, virCxlDcdEdit, i);

        g_string_append_len(out, text + position, edit->start - position);
        if (edit->text)
            g_string_append(out, edit->text);
        position = edit->end;
    }
    g_string_append(out, text + position);
    return g_string_free(g_steal_pointer(&out), FALSE);
}

/* ------------------------------------------------------- places in a text */

/* Where the white space before @position begins, at most one line up. */
static size_t
virCxlDcdLineStart(const char *text, size_t position)
{
    size_t start = position;

    while (start > 0 && (text[start - 1] == ' ' || text[start - 1] == '\t'))
        start--;
    if (start > 0 && text[start - 1] == '\n')
        return start - 1;
    return position;
}

static size_t
virCxlDcdEndTag(virCxlDcdXMLDoc *doc, xmlNodePtr node)
{
    size_t position = virCxlDcdXMLGetSpan(doc, node)->end - 1;

    while (doc->text[position] != '<')
        position--;
    return position;
}

/* How far the domain is indented: not at all, unless it is inside another document. */
static int
virCxlDcdIndent(virCxlDcdXMLDoc *doc)
{
    size_t position = virCxlDcdEndTag(doc, virCxlDcdXMLRoot(doc));
    size_t start = virCxlDcdLineStart(doc->text, position);

    return start == position ? 0 : (int)(position - start - 1);
}

static bool
virCxlDcdIsEmptyTag(virCxlDcdXMLDoc *doc, xmlNodePtr node)
{
    const virCxlDcdXMLSpan *span = virCxlDcdXMLGetSpan(doc, node);

    return span->start_tag_end == span->end;
}

static void
virCxlDcdCutElement(GArray *edits, virCxlDcdXMLDoc *doc, xmlNodePtr node)
{
    const virCxlDcdXMLSpan *span = virCxlDcdXMLGetSpan(doc, node);

    virCxlDcdEditsAdd(edits, virCxlDcdLineStart(doc->text, span->start), span->end, NULL);
}

/* Insert @lines, each with its own line end, as the last children of @node. */
static void
virCxlDcdAppendLines(GArray *edits, virCxlDcdXMLDoc *doc, xmlNodePtr node, const char *lines)
{
    const virCxlDcdXMLSpan *span = virCxlDcdXMLGetSpan(doc, node);
    const char *prefix = node->ns && node->ns->prefix ? (const char *)node->ns->prefix : NULL;
    size_t position;
    bool own_line;

    if (virCxlDcdIsEmptyTag(doc, node)) {
        /* split <metadata/> into a start tag, and an end tag on a line of its own */
        virCxlDcdEditsAdd(edits,
                          span->end - 2,
                          span->end,
                          g_strdup_printf(">\n%s%*s</%s%s%s>",
                                          lines,
                                          virCxlDcdIndent(doc) + 2,
                                          "",
                                          prefix ? prefix : "",
                                          prefix ? ":" : "",
                                          node->name));
        return;
    }
    position = virCxlDcdEndTag(doc, node);
    own_line = virCxlDcdLineStart(doc->text, position) != position;
    if (own_line)
        position = virCxlDcdLineStart(doc->text, position) + 1;
    virCxlDcdEditsAdd(edits, position, position, g_strconcat(own_line ? "" : "\n", lines, NULL));
}

/* -------------------------------------------------------- QEMU arguments */

static xmlNodePtr
virCxlDcdCommandline(virCxlDcdXMLDoc *doc)
{
    xmlNodePtr node = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "commandline");

    while (node && !virCxlDcdXMLHasNamespace(node, VIR_CXL_DCD_QEMU_NAMESPACE))
        node = virCxlDcdXMLNext(node->next, "commandline");
    return node;
}

/* Whether the run of <qemu:arg> that begins at @arg is equal to @arguments. */
static bool
virCxlDcdIsRun(xmlNodePtr arg, const GPtrArray *arguments)
{
    guint i;

    for (i = 0; i < arguments->len; i++, arg = virCxlDcdXMLNext(arg->next, "arg")) {
        g_autofree char *value = arg ? virCxlDcdXMLAttribute(arg, "value") : NULL;

        if (g_strcmp0(value, g_ptr_array_index(arguments, i)) != 0)
            return false;
    }
    return true;
}

/* The first <qemu:arg> of the run that is equal to @arguments, or NULL. */
static xmlNodePtr
virCxlDcdFindRun(virCxlDcdXMLDoc *doc, const GPtrArray *arguments)
{
    xmlNodePtr arg = virCxlDcdXMLChild(virCxlDcdCommandline(doc), "arg");

    while (arg && !virCxlDcdIsRun(arg, arguments))
        arg = virCxlDcdXMLNext(arg->next, "arg");
    return arg;
}

static guint
virCxlDcdCountChildren(xmlNodePtr node)
{
    xmlNodePtr child;
    guint n = 0;

    for (child = node->children; child; child = child->next) {
        if (child->type != XML_TEXT_NODE || !xmlIsBlankNode(child))
            n++;
    }
    return n;
}

/* Whether the name of @node, or of an element in it other than @without, is in @ns. */
static bool
virCxlDcdUsesNamespace(xmlNodePtr node, xmlNsPtr ns, xmlNodePtr without)
{
    xmlAttrPtr attribute;
    xmlNodePtr child;
    bool uses = node->ns == ns;

    for (attribute = node->properties; attribute && !uses; attribute = attribute->next)
        uses = attribute->ns == ns;
    for (child = virCxlDcdXMLChild(node, NULL); child && !uses;
         child = virCxlDcdXMLNext(child->next, NULL))
        uses = child != without && virCxlDcdUsesNamespace(child, ns, without);
    return uses;
}

/* Drop the declaration of the QEMU namespace from the root's start tag, unless it is used by more
 * than the <qemu:commandline>, which is removed. */
static void
virCxlDcdCutNamespace(GArray *edits, virCxlDcdXMLDoc *doc)
{
    xmlNodePtr root = virCxlDcdXMLRoot(doc);
    const virCxlDcdXMLSpan *span = virCxlDcdXMLGetSpan(doc, root);
    g_autofree char *tag = g_strndup(doc->text + span->start, span->start_tag_end - span->start);
    g_autoptr(GRegex) regex = NULL;
    g_autoptr(GMatchInfo) match = NULL;
    xmlNsPtr ns = root->nsDef;
    int start;
    int end;

    while (ns && (!ns->prefix || !g_str_equal(ns->href, VIR_CXL_DCD_QEMU_NAMESPACE)))
        ns = ns->next;
    if (!ns || virCxlDcdUsesNamespace(root, ns, virCxlDcdCommandline(doc)))
        return;
    regex = g_regex_new("\\s+xmlns:[^\\s=]+\\s*=\\s*(['\"])" VIR_CXL_DCD_QEMU_NAMESPACE "\\1",
                        0,
                        0,
                        NULL);
    if (g_regex_match(regex, tag, 0, &match) && g_match_info_fetch_pos(match, 0, &start, &end))
        virCxlDcdEditsAdd(edits, span->start + start, span->start + end, NULL);
}

/* Cut the run of @arguments that begins at @arg. Returns true if there was nothing else beside it,
 * and the whole <qemu:commandline> was cut. */
static bool
virCxlDcdCutRun(GArray *edits,
                virCxlDcdXMLDoc *doc,
                xmlNodePtr arg,
                const GPtrArray *arguments,
                bool keep_commandline)
{
    guint i;

    if (!keep_commandline && virCxlDcdCountChildren(arg->parent) == arguments->len) {
        virCxlDcdCutElement(edits, doc, arg->parent);
        return true;
    }
    for (i = 0; i < arguments->len; i++, arg = virCxlDcdXMLNext(arg->next, "arg"))
        virCxlDcdCutElement(edits, doc, arg);
    return false;
}

static void
virCxlDcdPutArguments(GArray *edits, virCxlDcdXMLDoc *doc, const GPtrArray *arguments)
{
    xmlNodePtr commandline = virCxlDcdCommandline(doc);
    g_autoptr(GString) lines = g_string_new(NULL);
    g_autofree char *prefix = NULL;
    int indent = virCxlDcdIndent(doc) + 2;
    size_t position;
    guint i;

    if (!commandline)
        prefix = g_strdup("qemu:");
    else if (commandline->ns->prefix)
        prefix = g_strdup_printf("%s:", commandline->ns->prefix);
    for (i = 0; i < arguments->len; i++) {
        g_autofree char *value = g_markup_escape_text(g_ptr_array_index(arguments, i), -1);

        g_string_append_printf(lines,
                               "%*s<%sarg value='%s'/>\n",
                               indent + 2,
                               "",
                               prefix ? prefix : "",
                               value);
    }
    if (commandline) {
        virCxlDcdAppendLines(edits, doc, commandline, lines->str);
        return;
    }
    position = virCxlDcdEndTag(doc, virCxlDcdXMLRoot(doc)) - virCxlDcdIndent(doc);
    virCxlDcdEditsAdd(edits,
                      position,
                      position,
                      g_strdup_printf("%*s<qemu:commandline xmlns:qemu='%s'>\n%s"
                                      "%*s</qemu:commandline>\n",
                                      indent,
                                      "",
                                      VIR_CXL_DCD_QEMU_NAMESPACE,
                                      lines->str,
                                      indent,
                                      ""));
}

/* -------------------------------------------------------------- metadata */

/* Cut what is ours from <metadata>, or all of it if it holds nothing else. */
static void
virCxlDcdCutMetadata(GArray *edits, virCxlDcdXMLDoc *doc, bool keep_metadata)
{
    xmlNodePtr metadata = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "metadata");
    xmlNodePtr node;
    guint ours = 0;

    for (node = virCxlDcdXMLChild(metadata, NULL); node; node = virCxlDcdXMLNext(node->next, NULL))
        ours += virCxlDcdIsStoredDevices(node) || virCxlDcdIsLiveOnly(node);
    if (ours && !keep_metadata && ours == virCxlDcdCountChildren(metadata)) {
        virCxlDcdCutElement(edits, doc, metadata);
        return;
    }
    for (node = virCxlDcdXMLChild(metadata, NULL); node;
         node = virCxlDcdXMLNext(node->next, NULL)) {
        if (virCxlDcdIsStoredDevices(node) || virCxlDcdIsLiveOnly(node))
            virCxlDcdCutElement(edits, doc, node);
    }
}

static void
virCxlDcdPutMetadata(GArray *edits, virCxlDcdXMLDoc *doc, const virCxlDcdDomainDef *def)
{
    xmlNodePtr root = virCxlDcdXMLRoot(doc);
    xmlNodePtr metadata = virCxlDcdXMLChild(root, "metadata");
    g_autoptr(GString) lines = g_string_new(NULL);
    int indent = virCxlDcdIndent(doc) + 2;
    size_t position;

    virCxlDcdDomainDefFormatStored(lines, indent + 2, def);
    if (metadata) {
        virCxlDcdAppendLines(edits, doc, metadata, lines->str);
        return;
    }
    position = virCxlDcdXMLGetSpan(doc, root)->start_tag_end;
    virCxlDcdEditsAdd(
        edits,
        position,
        position,
        g_strdup_printf("\n%*s<metadata>\n%s%*s</metadata>", indent, "", lines->str, indent, ""));
}

/**
 * virCxlDcdSpliceStore:
 * @doc: a domain in either form, with at least one <cxl-dcd>
 * @def: its devices, complete
 * @before: the arguments of the stored form in @doc, or NULL if there is none
 * @after: the arguments of @def
 *
 * Returns the domain in the stored form, to be freed with g_free(), or NULL
 * if @before are not in @doc; no error is set then.
 */
char *
virCxlDcdSpliceStore(virCxlDcdXMLDoc *doc,
                     const virCxlDcdDomainDef *def,
                     const GPtrArray *before,
                     const GPtrArray *after)
{
    g_autoptr(GArray) edits = virCxlDcdEditsNew();
    xmlNodePtr devices = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "devices");
    xmlNodePtr node;

    for (node = virCxlDcdXMLChild(devices, "cxl-dcd"); node;
         node = virCxlDcdXMLNext(node->next, "cxl-dcd")) {
        if (virCxlDcdXMLHasNamespace(node, NULL))
            virCxlDcdCutElement(edits, doc, node);
    }
    virCxlDcdCutMetadata(edits, doc, true);
    if (before) {
        xmlNodePtr run = virCxlDcdFindRun(doc, before);

        if (!run)
            return NULL;
        virCxlDcdCutRun(edits, doc, run, before, true);
    }
    virCxlDcdPutMetadata(edits, doc, def);
    virCxlDcdPutArguments(edits, doc, after);
    return virCxlDcdEditsApply(edits, doc->text);
}

/**
 * virCxlDcdSpliceShow:
 * @doc: a domain in the stored form, as libvirt printed it
 * @def: its devices
 * @arguments: the arguments of @def
 *
 * Returns the domain in the plain form, to be freed with g_free(), or NULL
 * if @arguments are not in @doc; no error is set then.
 */
char *
virCxlDcdSpliceShow(virCxlDcdXMLDoc *doc, const virCxlDcdDomainDef *def, const GPtrArray *arguments)
{
    g_autoptr(GArray) edits = virCxlDcdEditsNew();
    g_autoptr(GString) lines = g_string_new(NULL);
    xmlNodePtr devices = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "devices");
    xmlNodePtr run = virCxlDcdFindRun(doc, arguments);
    guint i;

    if (!run || !devices)
        return NULL;
    for (i = 0; i < def->devices->len; i++)
        virCxlDcdDefFormat(lines,
                           virCxlDcdIndent(doc) + 4,
                           g_ptr_array_index(def->devices, i),
                           def->live ? VIR_CXL_DCD_FORMAT_LIVE : 0);
    virCxlDcdAppendLines(edits, doc, devices, lines->str);
    virCxlDcdCutMetadata(edits, doc, false);
    if (virCxlDcdCutRun(edits, doc, run, arguments, false))
        virCxlDcdCutNamespace(edits, doc);
    return virCxlDcdEditsApply(edits, doc->text);
}

/**
 * virCxlDcdSpliceDropLive:
 * @doc: a domain in the stored form
 *
 * The records and the start mark belong to a running domain, and must not become
 * part of the definition when somebody defines what a dumpxml of a running domain
 * without the driver module printed.
 *
 * Returns the domain without them, to be freed with g_free(), or NULL if there
 * are none.
 */
char *
virCxlDcdSpliceDropLive(virCxlDcdXMLDoc *doc)
{
    g_autoptr(GArray) edits = virCxlDcdEditsNew();
    xmlNodePtr metadata = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "metadata");
    xmlNodePtr node;

    for (node = virCxlDcdXMLChild(metadata, NULL); node;
         node = virCxlDcdXMLNext(node->next, NULL)) {
        if (virCxlDcdIsLiveOnly(node))
            virCxlDcdCutElement(edits, doc, node);
    }
    return edits->len ? virCxlDcdEditsApply(edits, doc->text) : NULL;
}
