/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-format.c: a view as JSON and as XML
 *
 * Both formats are documented in virsh-cxl(1), and programs rely on them: members,
 * elements and attributes may be added, but existing ones keep their name and meaning.
 * Sizes and offsets are bytes, states are words, and unknown values are left out.
 *
 * In XML each device is a <cxl-dcd>, as in the domain's own XML, reduced to what concerns
 * the states of its capacities; "since" is the only attribute that does not appear in a
 * domain.
 *
 * Both formats require UTF-8. In a name that is not UTF-8, or that has a character that
 * XML cannot represent, U+FFFD takes the place of what is invalid: the UUID tells such
 * domains apart.
 */

#include <string.h>

#include "cxl_dcd_json.h"
#include "vsh-cxl-view.h"

static const char *
vshCxlModelToString(int model)
{
    return model == VIR_DOMAIN_CXL_DCD_MODEL_STATIC ? "static" : "tagged";
}

/* -------------------------------------------------------------------- JSON */

/**
 * vshCxlJSONAddText:
 * @writer: the writer
 * @name: the member's name, or NULL for none
 * @text: any bytes
 *
 * Add a string member that may not be valid UTF-8.
 */
void
vshCxlJSONAddText(virCxlDcdJSONWriter *writer, const char *name, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);

    virCxlDcdJSONAddString(writer, name, valid);
}

/**
 * vshCxlJSONAddMembers:
 * @writer: the writer, in an object
 * @members: its members
 * @n: how many
 *
 * Add them.
 */
void
vshCxlJSONAddMembers(virCxlDcdJSONWriter *writer, const vshCxlMember *members, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (members[i].text)
            vshCxlJSONAddText(writer, members[i].name, members[i].text);
        else if (members[i].answer != VSH_CXL_ANSWER_UNKNOWN)
            virCxlDcdJSONAddBoolean(writer,
                                    members[i].name,
                                    members[i].answer == VSH_CXL_ANSWER_YES);
    }
}

static void
vshCxlJSONAddCapacity(virCxlDcdJSONWriter *writer, const virDomainCxlDcdCapacity *capacity)
{
    virCxlDcdJSONBeginObject(writer, NULL);
    virCxlDcdJSONAddString(writer, "tag", capacity->tag);
    virCxlDcdJSONAddString(writer, "state", vshCxlStateToString(capacity->state));
    if (capacity->since >= 0)
        virCxlDcdJSONAddUnsigned(writer, "since", (unsigned long long)capacity->since);
    virCxlDcdJSONAddUnsigned(writer, "region", capacity->region);
    virCxlDcdJSONAddUnsigned(writer, "offset", capacity->offset);
    virCxlDcdJSONAddUnsigned(writer, "size", capacity->size);
    if (capacity->source)
        virCxlDcdJSONAddString(writer, "source", capacity->source);
    virCxlDcdJSONEndObject(writer);
}

static void
vshCxlJSONAddDevice(virCxlDcdJSONWriter *writer, const vshCxlDeviceView *view)
{
    const virDomainCxlDcdDevice *device = view->device;
    guint i;

    virCxlDcdJSONBeginObject(writer, NULL);
    vshCxlJSONAddText(writer, "alias", device->alias);
    virCxlDcdJSONAddString(writer, "model", vshCxlModelToString(device->model));
    virCxlDcdJSONAddUnsigned(writer, "regions", device->regions);
    virCxlDcdJSONAddUnsigned(writer, "size", device->size);
    virCxlDcdJSONAddUnsigned(writer, "accepted", device->accepted);
    virCxlDcdJSONAddUnsigned(writer, "free", view->free);
    virCxlDcdJSONBeginArray(writer, "capacities");
    for (i = 0; i < view->capacities->len; i++)
        vshCxlJSONAddCapacity(writer, g_ptr_array_index(view->capacities, i));
    virCxlDcdJSONEndArray(writer);
    virCxlDcdJSONEndObject(writer);
}

static void
vshCxlJSONAddDomain(virCxlDcdJSONWriter *writer, const vshCxlDomainView *view)
{
    guint i;

    virCxlDcdJSONBeginObject(writer, NULL);
    vshCxlJSONAddText(writer, "name", view->name);
    virCxlDcdJSONAddString(writer, "uuid", view->uuid);
    virCxlDcdJSONAddBoolean(writer, "active", view->active);
    virCxlDcdJSONAddBoolean(writer, "config", view->config);
    virCxlDcdJSONAddBoolean(writer, "refreshed", view->refreshed);
    virCxlDcdJSONBeginArray(writer, "devices");
    for (i = 0; i < view->devices->len; i++)
        vshCxlJSONAddDevice(writer, g_ptr_array_index(view->devices, i));
    virCxlDcdJSONEndArray(writer);
    virCxlDcdJSONEndObject(writer);
}

/**
 * vshCxlDomainViewFormatJSON:
 * @view: a domain
 *
 * Returns the object of the domain, with a newline.
 */
char *
vshCxlDomainViewFormatJSON(const vshCxlDomainView *view)
{
    g_autoptr(virCxlDcdJSONWriter) writer = virCxlDcdJSONWriterNew();
    g_autofree char *text = NULL;

    vshCxlJSONAddDomain(writer, view);
    text = virCxlDcdJSONFinish(writer);
    return g_strdup_printf("%s\n", text);
}

/**
 * vshCxlDomainViewsFormatJSON:
 * @views: domains, of vshCxlDomainView
 *
 * Returns an object whose member "domains" is an array of their objects, with a newline.
 */
char *
vshCxlDomainViewsFormatJSON(const GPtrArray *views)
{
    g_autoptr(virCxlDcdJSONWriter) writer = virCxlDcdJSONWriterNew();
    g_autofree char *text = NULL;
    guint i;

    virCxlDcdJSONBeginObject(writer, NULL);
    virCxlDcdJSONBeginArray(writer, "domains");
    for (i = 0; i < views->len; i++)
        vshCxlJSONAddDomain(writer, g_ptr_array_index(views, i));
    virCxlDcdJSONEndArray(writer);
    virCxlDcdJSONEndObject(writer);
    text = virCxlDcdJSONFinish(writer);
    return g_strdup_printf("%s\n", text);
}

/* --------------------------------------------------------------------- XML */

/* U+FFFE and U+FFFF are valid in UTF-8, but not in XML 1.0 (section 2.2), nor are control
 * characters except these three. */
static bool
vshCxlXMLIsChar(gunichar c)
{
    return c == '\t' || c == '\n' || c == '\r' || (c >= ' ' && c != 0xfffe && c != 0xffff);
}

/* Write @text as an attribute's value. A parser normalizes white space to spaces unless it is
 * written as a character reference, so all of it is. */
static void
vshCxlXMLAppendText(GString *xml, const char *text)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    const char *at;

    for (at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        if (!vshCxlXMLIsChar(c))
            g_string_append(xml, "\xef\xbf\xbd");
        else if (g_unichar_iscntrl(c) || (c < 0x80 && strchr("&<>'\"", (int)c)))
            g_string_append_printf(xml, "&#%u;", c);
        else
            g_string_append_unichar(xml, c);
    }
}

static void
vshCxlXMLAppendAttribute(GString *xml, const char *name, const char *text)
{
    g_string_append_printf(xml, " %s='", name);
    vshCxlXMLAppendText(xml, text);
    g_string_append_c(xml, '\'');
}

/**
 * vshCxlXMLAppendMembers:
 * @xml: an unfinished start tag
 * @members: its attributes
 * @n: how many
 *
 * Append the attributes. Characters that XML cannot represent become U+FFFD.
 */
void
vshCxlXMLAppendMembers(GString *xml, const vshCxlMember *members, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        if (members[i].text)
            vshCxlXMLAppendAttribute(xml, members[i].name, members[i].text);
        else if (members[i].answer != VSH_CXL_ANSWER_UNKNOWN)
            vshCxlXMLAppendAttribute(xml,
                                     members[i].name,
                                     members[i].answer == VSH_CXL_ANSWER_YES ? "yes" : "no");
    }
}

static void
vshCxlXMLAppendCapacity(GString *xml, int indent, const virDomainCxlDcdCapacity *capacity)
{
    g_string_append_printf(xml,
                           "%*s<capacity tag='%s' region='%u' state='%s'",
                           indent,
                           "",
                           capacity->tag,
                           capacity->region,
                           vshCxlStateToString(capacity->state));
    if (capacity->since >= 0)
        g_string_append_printf(xml, " since='%lld'", capacity->since);
    g_string_append_printf(xml,
                           ">\n%*s  <size unit='b'>%llu</size>\n%*s  <offset unit='b'>%llu</offset>"
                           "\n",
                           indent,
                           "",
                           capacity->size,
                           indent,
                           "",
                           capacity->offset);
    if (capacity->source)
        g_string_append_printf(xml, "%*s  <source type='%s'/>\n", indent, "", capacity->source);
    g_string_append_printf(xml, "%*s</capacity>\n", indent, "");
}

static void
vshCxlXMLAppendDevice(GString *xml, int indent, const vshCxlDeviceView *view)
{
    const virDomainCxlDcdDevice *device = view->device;
    guint i;

    g_string_append_printf(xml,
                           "%*s<cxl-dcd model='%s'>\n%*s  <target>\n",
                           indent,
                           "",
                           vshCxlModelToString(device->model),
                           indent,
                           "");
    g_string_append_printf(xml, "%*s    <size unit='b'>%llu</size>\n", indent, "", device->size);
    g_string_append_printf(xml, "%*s    <regions>%u</regions>\n", indent, "", device->regions);
    g_string_append_printf(xml,
                           "%*s    <current unit='b'>%llu</current>\n",
                           indent,
                           "",
                           device->accepted);
    g_string_append_printf(xml, "%*s    <free unit='b'>%llu</free>\n", indent, "", view->free);
    g_string_append_printf(xml, "%*s  </target>\n", indent, "");
    for (i = 0; i < view->capacities->len; i++)
        vshCxlXMLAppendCapacity(xml, indent + 2, g_ptr_array_index(view->capacities, i));
    g_string_append_printf(xml, "%*s  <alias", indent, "");
    vshCxlXMLAppendAttribute(xml, "name", device->alias);
    g_string_append_printf(xml, "/>\n%*s</cxl-dcd>\n", indent, "");
}

static void
vshCxlXMLAppendDomain(GString *xml, int indent, const vshCxlDomainView *view)
{
    guint i;

    g_string_append_printf(xml, "%*s<domain", indent, "");
    vshCxlXMLAppendAttribute(xml, "name", view->name);
    g_string_append_printf(xml,
                           " uuid='%s' active='%s' config='%s' refreshed='%s'>\n",
                           view->uuid,
                           view->active ? "yes" : "no",
                           view->config ? "yes" : "no",
                           view->refreshed ? "yes" : "no");
    for (i = 0; i < view->devices->len; i++)
        vshCxlXMLAppendDevice(xml, indent + 2, g_ptr_array_index(view->devices, i));
    g_string_append_printf(xml, "%*s</domain>\n", indent, "");
}

/**
 * vshCxlDomainViewFormatXML:
 * @view: a domain
 *
 * Returns its <domain>.
 */
char *
vshCxlDomainViewFormatXML(const vshCxlDomainView *view)
{
    GString *xml = g_string_new(NULL);

    vshCxlXMLAppendDomain(xml, 0, view);
    return g_string_free(xml, FALSE);
}

/**
 * vshCxlDomainViewsFormatXML:
 * @views: domains, of vshCxlDomainView
 *
 * Returns a <domains> element with the <domain> of each.
 */
char *
vshCxlDomainViewsFormatXML(const GPtrArray *views)
{
    GString *xml = g_string_new("<domains>\n");
    guint i;

    for (i = 0; i < views->len; i++)
        vshCxlXMLAppendDomain(xml, 2, g_ptr_array_index(views, i));
    g_string_append(xml, "</domains>\n");
    return g_string_free(xml, FALSE);
}
