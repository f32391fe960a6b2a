/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-xml.c: building the XML of a capacity from options
 *
 * The document has the form that attach-device takes. Values are escaped but not checked:
 * the options were checked already.
 */

#include "vsh-cxl-xml.h"

static void
vshCxlFormatAttribute(GString *xml, const char *name, const char *value)
{
    g_autofree char *text = g_markup_printf_escaped(" %s='%s'", name, value);

    g_string_append(xml, text);
}

static void
vshCxlFormatElement(GString *xml, int indent, const char *name, const char *value)
{
    g_autofree char *text = g_markup_printf_escaped("<%s>%s</%s>\n", name, value, name);

    g_string_append_printf(xml, "%*s%s", indent, "", text);
}

static void
vshCxlFormatSize(GString *xml, int indent, const char *name, unsigned long long size)
{
    g_string_append_printf(xml, "%*s<%s unit='b'>%llu</%s>\n", indent, "", name, size, name);
}

/**
 * vshCxlSourceType:
 * @args: the arguments of cxl-dcd-add
 *
 * Returns the requested type, otherwise the only one that accepts the options given.
 */
const char *
vshCxlSourceType(const vshCxlArgs *args)
{
    if (vshCxlArgsHas(args, "source"))
        return vshCxlArgsString(args, "source");
    if (vshCxlArgsHas(args, "path"))
        return "file";
    return vshCxlArgsHas(args, "pagesize") ? "memfd" : "ram";
}

/**
 * vshCxlSourceFormat:
 * @args: the arguments of cxl-dcd-add
 * @xml: the document so far
 *
 * Append <source> if any option refers to it: a device of the static model has none.
 */
static void
vshCxlSourceFormat(const vshCxlArgs *args, GString *xml)
{
    bool access = vshCxlArgsHas(args, "shared") || vshCxlArgsHas(args, "private");
    bool children = vshCxlArgsHas(args, "path") || vshCxlArgsHas(args, "pagesize") ||
                    vshCxlArgsHas(args, "nodeset") || vshCxlArgsHas(args, "prealloc");

    if (!vshCxlArgsHas(args, "source") && !access && !children)
        return;

    g_string_append(xml, "    <source");
    vshCxlFormatAttribute(xml, "type", vshCxlSourceType(args));
    if (access) {
        vshCxlFormatAttribute(xml, "access", vshCxlArgsHas(args, "shared") ? "shared" : "private");
    }
    if (!children) {
        g_string_append(xml, "/>\n");
        return;
    }
    g_string_append(xml, ">\n");

    if (vshCxlArgsHas(args, "path"))
        vshCxlFormatElement(xml, 6, "path", vshCxlArgsString(args, "path"));
    if (vshCxlArgsHas(args, "pagesize"))
        vshCxlFormatSize(xml, 6, "pagesize", vshCxlArgsNumber(args, "pagesize"));
    if (vshCxlArgsHas(args, "nodeset"))
        vshCxlFormatElement(xml, 6, "nodemask", vshCxlArgsString(args, "nodeset"));
    if (vshCxlArgsHas(args, "prealloc"))
        g_string_append(xml, "      <preallocate/>\n");
    g_string_append(xml, "    </source>\n");
}

/**
 * vshCxlCapacityFormatXML:
 * @args: the arguments of cxl-dcd-add, with --size
 *
 * Returns <cxl-dcd> with one <capacity> and, where a device was named, its <alias>.
 */
char *
vshCxlCapacityFormatXML(const vshCxlArgs *args)
{
    GString *xml = g_string_new("<cxl-dcd>\n  <capacity");

    if (vshCxlArgsHas(args, "tag"))
        vshCxlFormatAttribute(xml, "tag", vshCxlArgsString(args, "tag"));
    if (vshCxlArgsHas(args, "region"))
        g_string_append_printf(xml, " region='%llu'", vshCxlArgsNumber(args, "region"));
    g_string_append(xml, ">\n");

    vshCxlFormatSize(xml, 4, "size", vshCxlArgsNumber(args, "size"));
    if (vshCxlArgsHas(args, "offset"))
        vshCxlFormatSize(xml, 4, "offset", vshCxlArgsNumber(args, "offset"));
    vshCxlSourceFormat(args, xml);
    g_string_append(xml, "  </capacity>\n");

    if (vshCxlArgsHas(args, "device")) {
        g_string_append(xml, "  <alias");
        vshCxlFormatAttribute(xml, "name", vshCxlArgsString(args, "device"));
        g_string_append(xml, "/>\n");
    }
    g_string_append(xml, "</cxl-dcd>\n");
    return g_string_free(xml, FALSE);
}
