/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_xml.c: reading XML, and the position of each element in the text
 *
 * libvirt prints domain XML in its own way (attributes in single quotes, two
 * spaces for each level), and whatever is not this project's must stay byte for
 * byte as it came. So a document is not changed as a tree and printed again:
 * instead, text is cut and inserted at the positions of elements. This file
 * parses a text into a tree and records for each element where it begins and ends.
 *
 * The positions are the parser's own at the start-tag and end-tag events. At the
 * start-tag event the parser has passed the attributes, and '<' cannot occur in
 * an attribute's value: the tag begins at the nearest '<' before that position.
 * This requires a text that the parser reads without converting its encoding, so
 * a text in an encoding other than UTF-8 is first converted to UTF-8. Until then
 * no positions are taken: for each of them, libxml2 would encode everything
 * again that it has decoded ahead, and a small document could keep a daemon busy.
 * A document type declaration is refused, and with it all entities but XML's own.
 */

#include <config.h>

#include <errno.h>
#include <gio/gio.h>
#include <libxml/parser.h>
#include <libxml/parserInternals.h>
#include <libxml/SAX2.h>
#include <libxml/relaxng.h>
#include <string.h>

#include "cxl_dcd_error.h"
#include "cxl_dcd_xml.h"

/* The state that the events of one parse share, in xmlParserCtxt._private. */
typedef struct {
    const char *text;
    size_t length;
    GHashTable *spans;
    char *message; /* the parser's first error */
    int line;
    bool doctype;
    bool decoded; /* the parser converts from another encoding: no spans */
} virCxlDcdXMLReader;

/* The position just after the first '>' at or after @position. */
static size_t
virCxlDcdXMLTagEnd(virCxlDcdXMLReader *reader, size_t position)
{
    const char *end = memchr(reader->text + position, '>', reader->length - position);

    return end ? (size_t)(end - reader->text) + 1 : reader->length;
}

/* The parser's position in its text, or -1 if it cannot be known. */
static long
virCxlDcdXMLPosition(xmlParserCtxtPtr ctxt)
{
    virCxlDcdXMLReader *reader = ctxt->_private;

    if (ctxt->input->buf && ctxt->input->buf->encoder) {
        reader->decoded = true;
        return -1;
    }
    return xmlByteConsumed(ctxt);
}

static void
virCxlDcdXMLOnStart(void *opaque,
                    const xmlChar *name,
                    const xmlChar *prefix,
                    const xmlChar *uri,
                    int nnamespaces,
                    const xmlChar **namespaces,
                    int nattributes,
                    int ndefaulted,
                    const xmlChar **attributes)
{
    xmlParserCtxtPtr ctxt = opaque;
    virCxlDcdXMLReader *reader = ctxt->_private;
    virCxlDcdXMLSpan *span;
    long position = virCxlDcdXMLPosition(ctxt);

    xmlSAX2StartElementNs(ctxt,
                          name,
                          prefix,
                          uri,
                          nnamespaces,
                          namespaces,
                          nattributes,
                          ndefaulted,
                          attributes);
    if (!ctxt->node || position < 0 || (size_t)position > reader->length)
        return;

    span = g_new0(virCxlDcdXMLSpan, 1);
    span->start = position;
    while (span->start > 0 && reader->text[span->start] != '<')
        span->start--;
    span->start_tag_end = virCxlDcdXMLTagEnd(reader, position);
    g_hash_table_insert(reader->spans, ctxt->node, span);
}

static void
virCxlDcdXMLOnEnd(void *opaque, const xmlChar *name, const xmlChar *prefix, const xmlChar *uri)
{
    xmlParserCtxtPtr ctxt = opaque;
    virCxlDcdXMLReader *reader = ctxt->_private;
    virCxlDcdXMLSpan *span = g_hash_table_lookup(reader->spans, ctxt->node);
    long position = virCxlDcdXMLPosition(ctxt);

    if (span && position > 0)
        span->end = position;
    xmlSAX2EndElementNs(ctxt, name, prefix, uri);
}

static void
virCxlDcdXMLOnDoctype(void *opaque,
                      const xmlChar *name G_GNUC_UNUSED,
                      const xmlChar *publicId G_GNUC_UNUSED,
                      const xmlChar *systemId G_GNUC_UNUSED)
{
    xmlParserCtxtPtr ctxt = opaque;
    virCxlDcdXMLReader *reader = ctxt->_private;

    reader->doctype = true;
    xmlStopParser(ctxt);
}

/* libxml2 changed the constness of this callback's argument in 2.12. */
#if LIBXML_VERSION >= 21200
typedef const xmlError *virCxlDcdXMLErrorPtr;
#else
typedef xmlErrorPtr virCxlDcdXMLErrorPtr;
#endif

static void
virCxlDcdXMLOnError(void *opaque, virCxlDcdXMLErrorPtr error)
{
    xmlParserCtxtPtr ctxt = opaque;
    virCxlDcdXMLReader *reader = ctxt->_private;

    if (reader->message || !error->message || error->level < XML_ERR_ERROR)
        return;
    reader->message = g_strchomp(g_strdup(error->message));
    reader->line = error->line;
}

/* Parse the text once. Returns the tree, or NULL with reader->message or ->doctype set. */
static xmlDocPtr
virCxlDcdXMLRead(virCxlDcdXMLReader *reader)
{
    xmlParserCtxtPtr ctxt = xmlCreateMemoryParserCtxt(reader->text, reader->length);
    xmlDocPtr doc = NULL;

    if (!ctxt) {
        reader->message = g_strdup("the document is empty");
        return NULL;
    }
    xmlCtxtUseOptions(ctxt, XML_PARSE_NONET);
    ctxt->_private = reader;
    ctxt->sax->startElementNs = virCxlDcdXMLOnStart;
    ctxt->sax->endElementNs = virCxlDcdXMLOnEnd;
    ctxt->sax->internalSubset = virCxlDcdXMLOnDoctype;
    ctxt->sax->serror = virCxlDcdXMLOnError;
    ctxt->sax->initialized = XML_SAX2_MAGIC;

    xmlParseDocument(ctxt);
    if (ctxt->wellFormed && !reader->doctype)
        doc = g_steal_pointer(&ctxt->myDoc);
    if (ctxt->myDoc)
        xmlFreeDoc(ctxt->myDoc);
    xmlFreeParserCtxt(ctxt);
    return doc;
}

/**
 * virCxlDcdXMLParse:
 * @text: an XML document; NULL counts as an empty one
 * @what: what it is, for error messages: "domain", "device"
 *
 * Parse @text without fetching anything, and with no entities but XML's own.
 *
 * Returns the document, or NULL with VIR_ERR_XML_ERROR set.
 */
virCxlDcdXMLDoc *
virCxlDcdXMLParse(const char *text, const char *what)
{
    g_autoptr(virCxlDcdXMLDoc) self = g_new0(virCxlDcdXMLDoc, 1);
    g_autofree char *message = NULL;
    virCxlDcdXMLReader reader = {0};
    const char *encoding;

    self->text = g_strdup(text ? text : "");
    self->spans = g_hash_table_new_full(NULL, NULL, NULL, g_free);
    reader.text = self->text;
    reader.length = strlen(self->text);
    reader.spans = self->spans;
    self->doc = virCxlDcdXMLRead(&reader);

    message = reader.message;
    if (!self->doc) {
        if (reader.doctype)
            virCxlDcdReportErrorDomain(VIR_FROM_XML,
                                       VIR_ERR_XML_ERROR,
                                       "the %s XML has a document type declaration, which is not "
                                       "accepted together with <cxl-dcd>",
                                       what);
        else
            virCxlDcdReportErrorDomain(VIR_FROM_XML,
                                       VIR_ERR_XML_ERROR,
                                       "the %s XML is not well-formed: line %d: %s",
                                       what,
                                       reader.line,
                                       message ? message : "no reason given");
        return NULL;
    }

    encoding = (const char *)self->doc->encoding;
    if (reader.decoded || (encoding && g_ascii_strcasecmp(encoding, "UTF-8") != 0)) {
        xmlChar *utf8 = NULL;
        virCxlDcdXMLDoc *again;
        int size;

        xmlDocDumpMemoryEnc(self->doc, &utf8, &size, "UTF-8");
        again = utf8 ? virCxlDcdXMLParse((const char *)utf8, what) : NULL;
        xmlFree(utf8);
        return again;
    }
    return g_steal_pointer(&self);
}

/**
 * virCxlDcdXMLDocFree:
 * @doc: the document, or NULL
 */
void
virCxlDcdXMLDocFree(virCxlDcdXMLDoc *doc)
{
    if (!doc)
        return;
    g_clear_pointer(&doc->spans, g_hash_table_unref);
    if (doc->doc)
        xmlFreeDoc(doc->doc);
    g_free(doc->text);
    g_free(doc);
}

/**
 * virCxlDcdXMLGetSpan:
 * @doc: the document
 * @node: one of its elements
 *
 * Returns the part of doc->text that @node occupies; never NULL for an element
 * of @doc.
 */
const virCxlDcdXMLSpan *
virCxlDcdXMLGetSpan(virCxlDcdXMLDoc *doc, xmlNodePtr node)
{
    return g_hash_table_lookup(doc->spans, node);
}

/**
 * virCxlDcdXMLRoot:
 * @doc: the document
 *
 * Returns its root element.
 */
xmlNodePtr
virCxlDcdXMLRoot(virCxlDcdXMLDoc *doc)
{
    return xmlDocGetRootElement(doc->doc);
}

/**
 * virCxlDcdXMLIsElement:
 * @node: a node, or NULL
 * @name: a local name, or NULL for any
 *
 * The namespace is ignored: libvirt's virDomainSetMetadata() gives a namespace to
 * all elements of what it stores.
 *
 * Returns true if @node is an element with that name.
 */
bool
virCxlDcdXMLIsElement(xmlNodePtr node, const char *name)
{
    return node && node->type == XML_ELEMENT_NODE &&
           (!name || g_str_equal((const char *)node->name, name));
}

/**
 * virCxlDcdXMLHasNamespace:
 * @node: an element
 * @uri: a namespace, or NULL for none
 *
 * Returns true if @node is in that namespace.
 */
bool
virCxlDcdXMLHasNamespace(xmlNodePtr node, const char *uri)
{
    return g_strcmp0(node->ns ? (const char *)node->ns->href : NULL, uri) == 0;
}

/**
 * virCxlDcdXMLNext:
 * @node: a node, or NULL
 * @name: a local name, or NULL for any
 *
 * Returns the first element with that name among @node and its following
 * siblings, or NULL.
 */
xmlNodePtr
virCxlDcdXMLNext(xmlNodePtr node, const char *name)
{
    while (node && !virCxlDcdXMLIsElement(node, name))
        node = node->next;
    return node;
}

/**
 * virCxlDcdXMLChild:
 * @node: an element, or NULL
 * @name: a local name, or NULL for any
 *
 * Returns the first child element with that name, or NULL.
 */
xmlNodePtr
virCxlDcdXMLChild(xmlNodePtr node, const char *name)
{
    return node ? virCxlDcdXMLNext(node->children, name) : NULL;
}

/**
 * virCxlDcdXMLAttribute:
 * @node: an element
 * @name: an attribute's name
 *
 * Returns its value, to be freed with g_free(), or NULL if there is no such attribute.
 */
char *
virCxlDcdXMLAttribute(xmlNodePtr node, const char *name)
{
    xmlChar *value = xmlGetNoNsProp(node, BAD_CAST name);
    char *copy = g_strdup((const char *)value);

    xmlFree(value);
    return copy;
}

/**
 * virCxlDcdXMLContent:
 * @node: an element
 *
 * Returns its text without surrounding white space, to be freed with g_free().
 */
char *
virCxlDcdXMLContent(xmlNodePtr node)
{
    xmlChar *value = xmlNodeGetContent(node);
    char *copy = g_strstrip(g_strdup(value ? (const char *)value : ""));

    xmlFree(value);
    return copy;
}

/**
 * virCxlDcdParseUnsigned:
 * @text: a number, decimal or with 0x
 * @max: the largest valid number
 * @value: where to store it
 *
 * Returns 0, or -1 if @text is not such a number; no error is set.
 */
int
virCxlDcdParseUnsigned(const char *text, unsigned long long max, unsigned long long *value)
{
    bool hex = g_str_has_prefix(text, "0x") || g_str_has_prefix(text, "0X");
    const char *digits = hex ? text + 2 : text;

    /* strtoull() alone would accept a sign, white space, and another 0x */
    if (!*digits || digits[strspn(digits, hex ? "0123456789abcdefABCDEF" : "0123456789")])
        return -1;
    errno = 0;
    *value = g_ascii_strtoull(digits, NULL, hex ? 16 : 10);
    return errno || *value > max ? -1 : 0;
}

/**
 * virCxlDcdXMLUnsigned:
 * @node: an element
 * @attribute: one of its attributes, or NULL for its text
 * @max: the largest valid number
 * @value: where to store it; unchanged if the attribute is missing
 *
 * Returns 0, or -1 with VIR_ERR_XML_ERROR set.
 */
int
virCxlDcdXMLUnsigned(xmlNodePtr node,
                     const char *attribute,
                     unsigned long long max,
                     unsigned long long *value)
{
    g_autofree char *text = NULL;

    text = attribute ? virCxlDcdXMLAttribute(node, attribute) : virCxlDcdXMLContent(node);
    if (!text || virCxlDcdParseUnsigned(text, max, value) == 0)
        return 0;

    virCxlDcdReportErrorDomain(VIR_FROM_DOMAIN,
                               VIR_ERR_XML_ERROR,
                               "invalid value '%s' for %s%s%s: expected a number from 0 to %llu",
                               text,
                               attribute ? "attribute " : "element <",
                               attribute ? attribute : (const char *)node->name,
                               attribute ? "" : ">",
                               max);
    return -1;
}

/* The number of bytes in one @unit, or 0 if there is no such unit, as libvirt's
 * virScaleInteger() has it. */
static unsigned long long
virCxlDcdUnitBytes(const char *unit)
{
    static const char letters[] = "kmgtpe";
    const char *letter;
    unsigned long long base;
    unsigned long long bytes = 1;

    if (!g_ascii_strcasecmp(unit, "b") || !g_ascii_strcasecmp(unit, "byte") ||
        !g_ascii_strcasecmp(unit, "bytes"))
        return 1;
    if (!*unit || !(letter = strchr(letters, g_ascii_tolower(*unit))))
        return 0;
    if (!unit[1] || !g_ascii_strcasecmp(unit + 1, "ib"))
        base = 1024;
    else if (!g_ascii_strcasecmp(unit + 1, "b"))
        base = 1000;
    else
        return 0;
    for (; letter >= letters; letter--)
        bytes *= base;
    return bytes;
}

/**
 * virCxlDcdXMLSize:
 * @node: an element with a size: <size unit='GiB'>4</size>
 * @size: where to store the number of bytes
 *
 * The default unit is KiB, as for libvirt's <memory>.
 *
 * Returns 0, or -1 with VIR_ERR_XML_ERROR set.
 */
int
virCxlDcdXMLSize(xmlNodePtr node, unsigned long long *size)
{
    g_autofree char *unit = virCxlDcdXMLAttribute(node, "unit");
    unsigned long long bytes = unit ? virCxlDcdUnitBytes(unit) : 1024;
    unsigned long long value = 0;

    if (!bytes) {
        virCxlDcdReportErrorDomain(VIR_FROM_DOMAIN,
                                   VIR_ERR_XML_ERROR,
                                   "unknown unit '%s' in <%s>: expected b, KiB, MiB, GiB, TiB, "
                                   "PiB, EiB or KB, MB, ...",
                                   unit,
                                   node->name);
        return -1;
    }
    if (virCxlDcdXMLUnsigned(node, NULL, ULLONG_MAX, &value) < 0)
        return -1;
    if (value > ULLONG_MAX / bytes) {
        virCxlDcdReportErrorDomain(VIR_FROM_DOMAIN,
                                   VIR_ERR_XML_ERROR,
                                   "value '%llu' %s of <%s> is too large: it must be less than 16 "
                                   "EiB",
                                   value,
                                   unit ? unit : "KiB",
                                   node->name);
        return -1;
    }
    *size = value * bytes;
    return 0;
}

/* Collects libxml2's errors about a schema or a document in a GString. */
static void
virCxlDcdXMLCollect(void *opaque, virCxlDcdXMLErrorPtr error)
{
    GString *messages = opaque;

    if (messages->len > 0)
        g_string_append(messages, "; ");
    g_string_append(messages, error->message ? error->message : "no reason given");
    g_strchomp(messages->str);
    messages->len = strlen(messages->str);
}

/**
 * virCxlDcdXMLValidate:
 * @text: a <cxl-dcd> or <capacity> element
 * @what: what it is, for error messages
 *
 * Check @text against the RELAX NG grammar docs/schemas/cxl-dcd.rng, which is
 * linked into the library.
 *
 * Returns 0, or -1 with VIR_ERR_XML_INVALID_SCHEMA set.
 */
int
virCxlDcdXMLValidate(const char *text, const char *what)
{
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(text, what);
    g_autoptr(GString) messages = g_string_new(NULL);
    g_autoptr(GBytes) grammar = NULL;
    xmlRelaxNGParserCtxtPtr parser = NULL;
    xmlRelaxNGPtr schema = NULL;
    xmlRelaxNGValidCtxtPtr validator = NULL;
    gsize size;
    const char *data;
    int ret = -1;

    if (!doc)
        return -1;

    grammar = g_resources_lookup_data("/libvirt-cxl-dcd/cxl-dcd.rng", 0, NULL);
    g_assert(grammar); /* linked into the library */
    data = g_bytes_get_data(grammar, &size);
    parser = xmlRelaxNGNewMemParserCtxt(data, size);
    xmlRelaxNGSetParserStructuredErrors(parser, (void *)virCxlDcdXMLCollect, messages);
    if ((schema = xmlRelaxNGParse(parser))) {
        validator = xmlRelaxNGNewValidCtxt(schema);
        xmlRelaxNGSetValidStructuredErrors(validator, (void *)virCxlDcdXMLCollect, messages);
        ret = xmlRelaxNGValidateDoc(validator, doc->doc) == 0 ? 0 : -1;
    }
    if (ret < 0)
        virCxlDcdReportErrorDomain(VIR_FROM_DOMAIN,
                                   VIR_ERR_XML_INVALID_SCHEMA,
                                   "%s: %s",
                                   what,
                                   messages->len ? messages->str : "no reason given");

    if (validator)
        xmlRelaxNGFreeValidCtxt(validator);
    if (schema)
        xmlRelaxNGFree(schema);
    xmlRelaxNGFreeParserCtxt(parser);
    return ret;
}
