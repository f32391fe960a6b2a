/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_xml.h: reading XML, and the position of each element in the text
 */

#ifndef CXL_DCD_XML_H
#define CXL_DCD_XML_H

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

/* A document and its text, with the position of each element in the text. */
typedef struct {
    char *text;        /* UTF-8 */
    xmlDocPtr doc;     /* the tree of text */
    GHashTable *spans; /* xmlNodePtr to virCxlDcdXMLSpan */
} virCxlDcdXMLDoc;

/* The bytes of an element: from its '<' to just after its last '>'. */
typedef struct {
    size_t start;
    size_t end;
    size_t start_tag_end; /* just after the '>' of the start tag */
} virCxlDcdXMLSpan;

virCxlDcdXMLDoc *virCxlDcdXMLParse(const char *text, const char *what);
void virCxlDcdXMLDocFree(virCxlDcdXMLDoc *doc);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virCxlDcdXMLDoc, virCxlDcdXMLDocFree)

const virCxlDcdXMLSpan *virCxlDcdXMLGetSpan(virCxlDcdXMLDoc *doc, xmlNodePtr node);

xmlNodePtr virCxlDcdXMLRoot(virCxlDcdXMLDoc *doc);
bool virCxlDcdXMLIsElement(xmlNodePtr node, const char *name);
bool virCxlDcdXMLHasNamespace(xmlNodePtr node, const char *uri);
xmlNodePtr virCxlDcdXMLChild(xmlNodePtr node, const char *name);
xmlNodePtr virCxlDcdXMLNext(xmlNodePtr node, const char *name);
char *virCxlDcdXMLAttribute(xmlNodePtr node, const char *name);
char *virCxlDcdXMLContent(xmlNodePtr node);

int virCxlDcdParseUnsigned(const char *text, unsigned long long max, unsigned long long *value);
int virCxlDcdXMLUnsigned(xmlNodePtr node,
                         const char *attribute,
                         unsigned long long max,
                         unsigned long long *value);
int virCxlDcdXMLSize(xmlNodePtr node, unsigned long long *size);

int virCxlDcdXMLValidate(const char *text, const char *what);

#endif /* CXL_DCD_XML_H */
