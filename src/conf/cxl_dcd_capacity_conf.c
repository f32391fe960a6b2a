/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_capacity_conf.c: what <capacity> and its <source> mean
 *
 * By the rules of cxl_dcd_conf.c: parsing refuses only what is not a value at all. A <source>
 * is also the memory behind a static device.
 */

#include <config.h>

#include <limits.h>
#include <string.h>

#include "cxl_dcd_conf_priv.h"

static const char *const virCxlDcdSourceNames[] = {"ram", "memfd", "file"};
static const char *const virCxlDcdAccessNames[] = {"", "shared", "private"};
static const char *const virCxlDcdStateNames[] = {
    "none",
    "adding",
    "pending",
    "accepted",
    "rejected",
    "releasing",
};

G_STATIC_ASSERT(G_N_ELEMENTS(virCxlDcdSourceNames) == VIR_CXL_DCD_SOURCE_LAST);
G_STATIC_ASSERT(G_N_ELEMENTS(virCxlDcdAccessNames) == VIR_CXL_DCD_ACCESS_LAST);

const char *
virCxlDcdSourceToString(int source)
{
    return virCxlDcdSourceNames[source];
}

const char *
virCxlDcdAccessToString(int access)
{
    return virCxlDcdAccessNames[access];
}

/**
 * virDomainCxlDcdStateToString:
 * @state: a virDomainCxlDcdState
 *
 * Returns the name that the domain XML and the commands use for it, or NULL
 * if @state is not a valid state.
 */
const char *
virDomainCxlDcdStateToString(int state)
{
    if (state < 0 || (size_t)state >= G_N_ELEMENTS(virCxlDcdStateNames))
        return NULL;
    return virCxlDcdStateNames[state];
}

/**
 * virCxlDcdTagParse:
 * @text: a tag as the user wrote it
 *
 * Returns it in its canonical spelling, 36 lower-case characters, or NULL with
 * VIR_ERR_XML_ERROR set if it is not a UUID, or is the nil UUID. (CXL 3.1, table
 * 8-51: a nil tag means that there is none.)
 */
char *
virCxlDcdTagParse(const char *text)
{
    g_autofree char *tag = g_ascii_strdown(text, -1);

    if (!g_uuid_string_is_valid(tag)) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "tag '%s' is not a UUID: expected 32 hexadecimal digits in groups of "
                            "8-4-4-4-12",
                            text);
        return NULL;
    }
    if (g_str_equal(tag, "00000000-0000-0000-0000-000000000000")) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "tag '%s' is the nil UUID, which means 'no tag': give another UUID, "
                            "or none to have one generated",
                            text);
        return NULL;
    }
    return g_steal_pointer(&tag);
}

/* -------------------------------------------------------------- <source> */

/**
 * virCxlDcdSourceDefFree:
 * @def: the definition, or NULL
 */
void
virCxlDcdSourceDefFree(virCxlDcdSourceDef *def)
{
    if (!def)
        return;
    g_free(def->path);
    g_clear_pointer(&def->nodes, g_array_unref);
    g_free(def);
}

/* Set or clear one member of a node set, "3" or "0-3", in @set. */
static int
virCxlDcdNodesetApply(bool *set, const char *member)
{
    bool on = *member != '^';
    g_auto(GStrv) ends = g_strsplit(on ? member : member + 1, "-", 2);
    unsigned long long first;
    unsigned long long last;

    if (!ends[0] ||
        virCxlDcdParseUnsigned(g_strstrip(ends[0]), VIR_CXL_DCD_HOST_NODES_MAX - 1, &first) < 0)
        return -1;
    last = first;
    if (ends[1] &&
        virCxlDcdParseUnsigned(g_strstrip(ends[1]), VIR_CXL_DCD_HOST_NODES_MAX - 1, &last) < 0)
        return -1;
    if (last < first)
        return -1;
    for (; first <= last; first++)
        set[first] = on;
    return 0;
}

/**
 * virCxlDcdNodesetParse:
 * @text: host NUMA nodes in libvirt's bitmap syntax, "0-3,^2,8"
 *
 * Returns the nodes, ascending, or NULL with VIR_ERR_XML_ERROR set.
 */
GArray *
virCxlDcdNodesetParse(const char *text)
{
    g_autoptr(GArray) nodes = g_array_new(FALSE, FALSE, sizeof(unsigned int));
    g_auto(GStrv) members = g_strsplit(text, ",", -1);
    bool set[VIR_CXL_DCD_HOST_NODES_MAX] = {false};
    bool good = true;
    unsigned int i;

    for (i = 0; members[i]; i++)
        good = good && virCxlDcdNodesetApply(set, g_strstrip(members[i])) == 0;
    for (i = 0; i < G_N_ELEMENTS(set); i++) {
        if (set[i])
            g_array_append_val(nodes, i);
    }
    if (good && nodes->len > 0)
        return g_steal_pointer(&nodes);

    virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                        "invalid value '%s' for element <nodemask>: expected host NUMA nodes, as "
                        "in 0-1,3 (at most node %d)",
                        text,
                        VIR_CXL_DCD_HOST_NODES_MAX - 1);
    return NULL;
}

static void
virCxlDcdNodesetFormat(GString *buf, const GArray *nodes)
{
    const char *comma = "";
    guint i = 0;

    while (i < nodes->len) {
        unsigned int first = g_array_index(nodes, unsigned int, i);
        unsigned int last = first;

        while (++i < nodes->len && g_array_index(nodes, unsigned int, i) == last + 1)
            last++;
        g_string_append_printf(buf, "%s%u", comma, first);
        comma = ",";
        if (last > first)
            g_string_append_printf(buf, "-%u", last);
    }
}

/**
 * virCxlDcdSourceDefParseXML:
 * @node: a <source>
 *
 * Returns what it says, or NULL with an error set.
 */
virCxlDcdSourceDef *
virCxlDcdSourceDefParseXML(xmlNodePtr node)
{
    g_autoptr(virCxlDcdSourceDef) def = g_new0(virCxlDcdSourceDef, 1);
    int type = VIR_CXL_DCD_SOURCE_RAM;
    int access = VIR_CXL_DCD_ACCESS_NONE;
    xmlNodePtr child;

    if (VIR_CXL_DCD_XML_ENUM(node, "type", virCxlDcdSourceNames, &type) < 0 ||
        VIR_CXL_DCD_XML_ENUM(node, "access", virCxlDcdAccessNames, &access) < 0)
        return NULL;
    def->type = type;
    def->access = access;

    if ((child = virCxlDcdXMLChild(node, "path")))
        def->path = virCxlDcdXMLContent(child);
    if ((child = virCxlDcdXMLChild(node, "pagesize")) &&
        virCxlDcdXMLSize(child, &def->pagesize) < 0)
        return NULL;
    if ((child = virCxlDcdXMLChild(node, "nodemask"))) {
        g_autofree char *text = virCxlDcdXMLContent(child);

        if (!(def->nodes = virCxlDcdNodesetParse(text)))
            return NULL;
    }
    def->preallocate = virCxlDcdXMLChild(node, "preallocate") != NULL;
    return g_steal_pointer(&def);
}

/**
 * virCxlDcdSourceDefFormat:
 * @buf: where the XML goes
 * @indent: spaces before each line
 * @def: the source
 */
void
virCxlDcdSourceDefFormat(GString *buf, int indent, const virCxlDcdSourceDef *def)
{
    g_string_append_printf(buf,
                           "%*s<source type='%s'",
                           indent,
                           "",
                           virCxlDcdSourceToString(def->type));
    if (def->access)
        g_string_append_printf(buf, " access='%s'", virCxlDcdAccessToString(def->access));
    if (!def->path && !def->pagesize && !def->nodes && !def->preallocate) {
        g_string_append(buf, "/>\n");
        return;
    }
    g_string_append(buf, ">\n");
    if (def->path) {
        g_autofree char *path = g_markup_escape_text(def->path, -1);

        g_string_append_printf(buf, "%*s<path>%s</path>\n", indent + 2, "", path);
    }
    if (def->pagesize)
        virCxlDcdFormatSize(buf, indent + 2, "pagesize", def->pagesize);
    if (def->nodes) {
        g_string_append_printf(buf, "%*s<nodemask>", indent + 2, "");
        virCxlDcdNodesetFormat(buf, def->nodes);
        g_string_append(buf, "</nodemask>\n");
    }
    if (def->preallocate)
        g_string_append_printf(buf, "%*s<preallocate/>\n", indent + 2, "");
    g_string_append_printf(buf, "%*s</source>\n", indent, "");
}

/**
 * virCxlDcdIsPagesize:
 * @pagesize: bytes
 * @size: the size of the memory made of such pages, in bytes
 *
 * Returns true if such pages can exist, and @size is a whole number of them.
 */
bool
virCxlDcdIsPagesize(unsigned long long pagesize, unsigned long long size)
{
    return pagesize >= 4096 && (pagesize & (pagesize - 1)) == 0 && size % pagesize == 0;
}

/**
 * virCxlDcdSourceDefValidate:
 * @def: the source
 * @size: the size of the memory that it is for, in bytes
 *
 * Returns 0, or -1 with an error set that names what is wrong.
 */
int
virCxlDcdSourceDefValidate(const virCxlDcdSourceDef *def, unsigned long long size)
{
    if (def->type == VIR_CXL_DCD_SOURCE_FILE && (!def->path || *def->path != '/')) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "a <source> of type 'file' needs a <path> that begins with '/', not "
                            "'%s'",
                            def->path ? def->path : "");
        return -1;
    }
    if (def->type != VIR_CXL_DCD_SOURCE_FILE && def->path) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "<path> '%s' goes with a <source> of type 'file', not '%s'",
                            def->path,
                            virCxlDcdSourceToString(def->type));
        return -1;
    }
    if (def->path && strpbrk(def->path, "\n\r\t")) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "<path> '%s' contains a control character, which XML does not preserve",
                            def->path);
        return -1;
    }
    if (def->type != VIR_CXL_DCD_SOURCE_MEMFD && def->pagesize) {
        virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                            "<pagesize> goes with a <source> of type 'memfd', not '%s'%s",
                            virCxlDcdSourceToString(def->type),
                            def->type == VIR_CXL_DCD_SOURCE_FILE
                                ? ": the file system of <path> has its own page size"
                                : "");
        return -1;
    }
    if (def->pagesize && !virCxlDcdIsPagesize(def->pagesize, size)) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "<pagesize> of %llu bytes: expected a power of two, at least 4096, of "
                            "which %llu bytes are a multiple",
                            def->pagesize,
                            size);
        return -1;
    }
    return 0;
}

/* ------------------------------------------------------------ <capacity> */

/**
 * virCxlDcdCapacityDefNew:
 *
 * Returns an empty capacity.
 */
virCxlDcdCapacityDef *
virCxlDcdCapacityDefNew(void)
{
    virCxlDcdCapacityDef *def = g_new0(virCxlDcdCapacityDef, 1);

    def->since = -1;
    return def;
}

/**
 * virCxlDcdCapacityDefFree:
 * @def: the definition, or NULL
 */
void
virCxlDcdCapacityDefFree(virCxlDcdCapacityDef *def)
{
    if (!def)
        return;
    g_free(def->tag);
    virCxlDcdSourceDefFree(def->source);
    g_free(def->device);
    g_free(def->request);
    g_free(def);
}

/**
 * virCxlDcdCapacityDefParseXML:
 * @node: a <capacity>
 *
 * Returns what it says, to be freed with virCxlDcdCapacityDefFree(), or NULL
 * with VIR_ERR_XML_ERROR set.
 */
virCxlDcdCapacityDef *
virCxlDcdCapacityDefParseXML(xmlNodePtr node)
{
    g_autoptr(virCxlDcdCapacityDef) def = virCxlDcdCapacityDefNew();
    g_autofree char *tag = virCxlDcdXMLAttribute(node, "tag");
    xmlNodePtr child;

    if (tag && !(def->tag = virCxlDcdTagParse(tag)))
        return NULL;
    if (virCxlDcdXMLUnsigned(node, "region", VIR_CXL_DCD_REGIONS_MAX - 1, &def->region) < 0)
        return NULL;
    if ((child = virCxlDcdXMLChild(node, "size"))) {
        if (virCxlDcdXMLSize(child, &def->size) < 0)
            return NULL;
        if (def->size == 0) {
            virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                                "the <size> of a <capacity> is 0: expected a multiple of 2 MiB");
            return NULL;
        }
    }
    if ((child = virCxlDcdXMLChild(node, "offset"))) {
        if (virCxlDcdXMLSize(child, &def->offset) < 0)
            return NULL;
        def->has_offset = true;
    }
    if ((child = virCxlDcdXMLChild(node, "source")) &&
        !(def->source = virCxlDcdSourceDefParseXML(child)))
        return NULL;
    return g_steal_pointer(&def);
}

/* Read the times at which the guest was asked before the last time. */
static int
virCxlDcdCapacityDefParseEarlier(virCxlDcdCapacityDef *def, xmlNodePtr node)
{
    g_autofree char *text = virCxlDcdXMLAttribute(node, "earlier");
    g_auto(GStrv) times = g_strsplit(text ? text : "", " ", -1);
    unsigned long long time;
    size_t i;

    for (i = 0; times[i]; i++) {
        if (i == G_N_ELEMENTS(def->earlier) ||
            virCxlDcdParseUnsigned(times[i], LLONG_MAX, &time) < 0) {
            virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                                "invalid value '%s' for attribute earlier: expected at most %zu "
                                "times in seconds",
                                text,
                                G_N_ELEMENTS(def->earlier));
            return -1;
        }
        def->earlier[i] = time;
    }
    return 0;
}

static void
virCxlDcdCapacityDefFormatEarlier(GString *buf, const virCxlDcdCapacityDef *def)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(def->earlier) && def->earlier[i]; i++)
        g_string_append_printf(buf, "%s%lld", i ? " " : " earlier='", def->earlier[i]);
    if (i > 0)
        g_string_append_c(buf, '\'');
}

/**
 * virCxlDcdCapacityDefParseLive:
 * @def: the capacity
 * @node: the element that it was parsed from
 *
 * Read what only a capacity of a running domain has: its state, and what a
 * record holds in addition to a <capacity>. In XML that a user wrote, all of
 * this is ignored, so it is parsed in a separate step.
 *
 * Returns 0, or -1 with VIR_ERR_XML_ERROR set.
 */
int
virCxlDcdCapacityDefParseLive(virCxlDcdCapacityDef *def, xmlNodePtr node)
{
    g_autofree char *repeated = virCxlDcdXMLAttribute(node, "repeated");
    unsigned long long since = 0;
    unsigned long long asked = 0;
    int state = VIR_DOMAIN_CXL_DCD_STATE_NONE;
    int policy = VIR_CXL_DCD_POLICY_NONE;

    if (VIR_CXL_DCD_XML_ENUM(node, "state", virCxlDcdStateNames, &state) < 0 ||
        VIR_CXL_DCD_XML_ENUM(node, "policy", virCxlDcdPolicyNames, &policy) < 0 ||
        virCxlDcdXMLUnsigned(node, "since", LLONG_MAX, &since) < 0 ||
        virCxlDcdXMLUnsigned(node, "asked", LLONG_MAX, &asked) < 0 ||
        virCxlDcdCapacityDefParseEarlier(def, node) < 0)
        return -1;
    def->state = state;
    def->policy = policy;
    def->asked = asked;
    def->repeated = g_strcmp0(repeated, "yes") == 0;
    if (since)
        def->since = since;
    def->device = virCxlDcdXMLAttribute(node, "device");
    def->request = virCxlDcdXMLAttribute(node, "request");
    return 0;
}

/**
 * virCxlDcdCapacityDefFormat:
 * @buf: the buffer to append the XML to
 * @indent: spaces before each line
 * @name: the element's name, with a prefix if it needs one
 * @def: the capacity
 * @flags: virCxlDcdFormatFlags
 *
 * Write @def as the element @name.
 */
void
virCxlDcdCapacityDefFormat(GString *buf,
                           int indent,
                           const char *name,
                           const virCxlDcdCapacityDef *def,
                           unsigned int flags)
{
    g_string_append_printf(buf, "%*s<%s", indent, "", name);
    if (def->tag)
        g_string_append_printf(buf, " tag='%s'", def->tag);
    g_string_append_printf(buf, " region='%llu'", def->region);
    if (flags & VIR_CXL_DCD_FORMAT_LIVE)
        g_string_append_printf(buf, " state='%s'", virDomainCxlDcdStateToString(def->state));
    if (flags & VIR_CXL_DCD_FORMAT_RECORD) {
        if (def->since >= 0)
            g_string_append_printf(buf, " since='%lld'", def->since);
        if (def->asked)
            g_string_append_printf(buf, " asked='%lld'", def->asked);
        virCxlDcdCapacityDefFormatEarlier(buf, def);
        if (def->repeated)
            g_string_append(buf, " repeated='yes'");
        if (def->policy)
            virCxlDcdFormatAttribute(buf, "policy", virCxlDcdPolicyToString(def->policy));
        if (def->device)
            virCxlDcdFormatAttribute(buf, "device", def->device);
        if (def->request)
            virCxlDcdFormatAttribute(buf, "request", def->request);
    }
    if (!def->size && !def->has_offset && !def->source) {
        g_string_append(buf, "/>\n");
        return;
    }
    g_string_append(buf, ">\n");
    if (def->size)
        virCxlDcdFormatSize(buf, indent + 2, "size", def->size);
    if (def->has_offset)
        virCxlDcdFormatSize(buf, indent + 2, "offset", def->offset);
    if (def->source)
        virCxlDcdSourceDefFormat(buf, indent + 2, def->source);
    g_string_append_printf(buf, "%*s</%s>\n", indent, "", name);
}

/**
 * virCxlDcdCapacityDefValidate:
 * @def: the capacity
 * @device: the device that it is for, which must be valid
 *
 * Check that @def can be a capacity of @device, ignoring its other capacities.
 *
 * Returns 0, or -1 with an error set that names the value.
 */
int
virCxlDcdCapacityDefValidate(const virCxlDcdCapacityDef *def, const virCxlDcdDef *device)
{
    unsigned long long region = virCxlDcdDefRegionSize(device);

    if (def->size == 0 || def->size % VIR_CXL_DCD_BLOCK_SIZE) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            def->size ? "a capacity of %llu bytes is not a multiple of 2 MiB, the "
                                        "block size of dynamic capacity"
                                      : "the <capacity> has no <size>",
                            def->size);
        return -1;
    }
    if (def->region >= device->regions) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "device '%s' has no region %llu: its regions are 0 to %llu",
                            device->alias,
                            def->region,
                            device->regions - 1);
        return -1;
    }
    if (def->offset % VIR_CXL_DCD_BLOCK_SIZE) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "offset %llu is not a multiple of 2 MiB, the block size of dynamic "
                            "capacity",
                            def->offset);
        return -1;
    }
    if (def->size > region || def->offset > region - def->size) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "a capacity of %llu bytes at offset %llu does not fit region %llu of "
                            "device '%s', which has %llu bytes",
                            def->size,
                            def->offset,
                            def->region,
                            device->alias,
                            region);
        return -1;
    }
    if (def->source && device->model == VIR_DOMAIN_CXL_DCD_MODEL_STATIC) {
        virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                            "a capacity of device '%s' has no <source> of its own: a static "
                            "device has one for all its memory",
                            device->alias);
        return -1;
    }
    return def->source ? virCxlDcdSourceDefValidate(def->source, def->size) : 0;
}

/**
 * virCxlDcdCapacityIsPassing:
 * @def: a capacity of a running domain
 *
 * Returns true if its state is a passing one, which somebody has to bring to an end.
 */
bool
virCxlDcdCapacityIsPassing(const virCxlDcdCapacityDef *def)
{
    return def->state == VIR_DOMAIN_CXL_DCD_STATE_ADDING ||
           def->state == VIR_DOMAIN_CXL_DCD_STATE_PENDING ||
           def->state == VIR_DOMAIN_CXL_DCD_STATE_RELEASING;
}

/**
 * virCxlDcdCapacityOccupies:
 * @def: a capacity
 *
 * Returns true if its range is taken: a refused capacity no longer has one.
 */
bool
virCxlDcdCapacityOccupies(const virCxlDcdCapacityDef *def)
{
    return def->has_offset && def->state != VIR_DOMAIN_CXL_DCD_STATE_REJECTED;
}

/**
 * virCxlDcdCapacityOverlaps:
 * @other: a capacity of a device
 * @def: a capacity of the same device, or one that may be added to it
 *
 * Returns true if @other is a different capacity, and takes part of the range of @def.
 */
bool
virCxlDcdCapacityOverlaps(const virCxlDcdCapacityDef *other, const virCxlDcdCapacityDef *def)
{
    return other != def && virCxlDcdCapacityOccupies(other) && def->has_offset &&
           other->region == def->region && def->offset < other->offset + other->size &&
           other->offset < def->offset + def->size;
}
