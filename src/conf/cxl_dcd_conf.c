/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_conf.c: what <cxl-dcd> means
 *
 * XML in, structs out, and XML back, without a connection or QEMU. Like libvirt's
 * parsers, these ignore elements and attributes that they do not know; whoever
 * wants them refused can check against the schema (docs/schemas/cxl-dcd.rng).
 * Elements are looked up by their local names, since libvirt gives every element
 * of a stored metadata element that element's namespace.
 *
 * Parsing refuses only what is not a value at all (a size that is not a number).
 * Whether the values make a valid device is up to the Validate functions, so that
 * every definition is checked by the same rules, wherever it comes from.
 */

#include <config.h>

#include <limits.h>
#include <string.h>

#include "cxl_dcd_conf_priv.h"

static const char *const virCxlDcdModelNames[] = {"tagged", "static"};
static const char *const virCxlDcdDriverNames[] = {"", "qemu", "module"};
const char *const virCxlDcdPolicyNames[VIR_CXL_DCD_POLICY_LAST] = {"", "tag-based", "prescriptive"};
static const char *const virCxlDcdYesNoNames[] = {"", "yes", "no"};

G_STATIC_ASSERT(G_N_ELEMENTS(virCxlDcdDriverNames) == VIR_CXL_DCD_DRIVER_LAST);

const char *
virCxlDcdModelToString(int model)
{
    return virCxlDcdModelNames[model];
}

const char *
virCxlDcdDriverToString(int driver)
{
    return virCxlDcdDriverNames[driver];
}

const char *
virCxlDcdPolicyToString(int policy)
{
    return virCxlDcdPolicyNames[policy];
}

/**
 * virCxlDcdXMLEnum:
 * @node: an element
 * @name: the name of an attribute
 * @names: what it can be; an empty name stands for none
 * @nnames: how many those are
 * @value: where the index of the name goes; not changed if there is no such attribute
 *
 * Returns 0, or -1 with VIR_ERR_XML_ERROR set if the attribute is none of @names.
 */
int
virCxlDcdXMLEnum(xmlNodePtr node,
                 const char *name,
                 const char *const *names,
                 size_t nnames,
                 int *value)
{
    g_autofree char *text = virCxlDcdXMLAttribute(node, name);
    g_autoptr(GString) right = g_string_new(NULL);
    size_t i;

    if (!text)
        return 0;
    for (i = 0; i < nnames; i++) {
        if (*names[i] && g_str_equal(text, names[i])) {
            *value = i;
            return 0;
        }
        if (*names[i])
            g_string_append_printf(right, "%s'%s'", right->len ? ", " : "", names[i]);
    }
    virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                        "invalid value '%s' for attribute %s of <%s>: expected one of %s",
                        text,
                        name,
                        node->name,
                        right->str);
    return -1;
}

/**
 * virCxlDcdFormatSize:
 * @buf: where the XML goes
 * @indent: spaces before it
 * @name: the element's
 * @size: bytes
 *
 * Write <NAME unit='KiB'>...</NAME>, the form in which libvirt prints sizes.
 */
void
virCxlDcdFormatSize(GString *buf, int indent, const char *name, unsigned long long size)
{
    bool whole = size % 1024 == 0;

    g_string_append_printf(buf,
                           "%*s<%s unit='%s'>%llu</%s>\n",
                           indent,
                           "",
                           name,
                           whole ? "KiB" : "bytes",
                           whole ? size / 1024 : size,
                           name);
}

/**
 * virCxlDcdFormatAttribute:
 * @buf: where the XML goes
 * @name: the attribute's
 * @value: its value, unescaped
 *
 * Write an attribute. g_markup_escape_text() escapes single quotes too.
 */
void
virCxlDcdFormatAttribute(GString *buf, const char *name, const char *value)
{
    g_autofree char *escaped = g_markup_escape_text(value, -1);

    g_string_append_printf(buf, " %s='%s'", name, escaped);
}

/**
 * virCxlDcdIsId:
 * @id: a string
 *
 * Returns true if it can be an alias: a QEMU id, as QEMU's id_wellformed() defines it.
 */
bool
virCxlDcdIsId(const char *id)
{
    return g_ascii_isalpha(*id) &&
           strspn(id, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._") ==
               strlen(id);
}

/* ------------------------------------------------------------- <cxl-dcd> */

/**
 * virCxlDcdDefNew:
 *
 * Returns a device in which everything that has a default is set to it.
 */
virCxlDcdDef *
virCxlDcdDefNew(void)
{
    virCxlDcdDef *def = g_new0(virCxlDcdDef, 1);

    def->regions = 1;
    def->node = -1;
    def->fallback = -1;
    def->capacities = g_ptr_array_new_with_free_func((GDestroyNotify)virCxlDcdCapacityDefFree);
    return def;
}

/**
 * virCxlDcdDefFree:
 * @def: the definition, or NULL
 */
void
virCxlDcdDefFree(virCxlDcdDef *def)
{
    if (!def)
        return;
    g_free(def->module);
    virCxlDcdSourceDefFree(def->source);
    g_clear_pointer(&def->capacities, g_ptr_array_unref);
    g_free(def->alias);
    g_free(def->bus);
    g_free(def);
}

static int
virCxlDcdDefParseTarget(virCxlDcdDef *def, xmlNodePtr target)
{
    xmlNodePtr child;
    unsigned long long node;

    def->has_target = true;
    if ((child = virCxlDcdXMLChild(target, "size")) && virCxlDcdXMLSize(child, &def->size) < 0)
        return -1;
    if ((child = virCxlDcdXMLChild(target, "regions")) &&
        virCxlDcdXMLUnsigned(child, NULL, UINT_MAX, &def->regions) < 0)
        return -1;
    if ((child = virCxlDcdXMLChild(target, "node"))) {
        if (virCxlDcdXMLUnsigned(child, NULL, INT_MAX, &node) < 0)
            return -1;
        def->node = node;
    }
    return 0;
}

static int
virCxlDcdDefParseAddress(virCxlDcdDef *def, xmlNodePtr address)
{
    g_autofree char *type = virCxlDcdXMLAttribute(address, "type");

    if (g_strcmp0(type, "cxl") != 0) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "invalid value '%s' for attribute type of the <address> of a "
                            "<cxl-dcd>: expected 'cxl'",
                            type ? type : "");
        return -1;
    }
    def->bus = virCxlDcdXMLAttribute(address, "bus");
    if (!def->bus || !virCxlDcdIsId(def->bus)) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "invalid value '%s' for attribute bus of the <address> of a "
                            "<cxl-dcd>: expected the id of a cxl-rp or cxl-downstream",
                            def->bus ? def->bus : "");
        return -1;
    }
    return 0;
}

/* Parse the children of <cxl-dcd> that say how QEMU gets the device: driver, alias, address. */
static int
virCxlDcdDefParseHost(virCxlDcdDef *def, xmlNodePtr node)
{
    int driver = VIR_CXL_DCD_DRIVER_NONE;
    xmlNodePtr child;

    if ((child = virCxlDcdXMLChild(node, "driver"))) {
        if (VIR_CXL_DCD_XML_ENUM(child, "name", virCxlDcdDriverNames, &driver) < 0)
            return -1;
        def->driver = driver;
        def->module = virCxlDcdXMLAttribute(child, "path");
    }
    if ((child = virCxlDcdXMLChild(node, "alias"))) {
        def->alias = virCxlDcdXMLAttribute(child, "name");
        if (!def->alias || !virCxlDcdIsId(def->alias)) {
            virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                                "invalid value '%s' for attribute name of the <alias> of a "
                                "<cxl-dcd>: expected a letter, then letters, digits, '-', '.', '_'",
                                def->alias ? def->alias : "");
            return -1;
        }
    }
    if ((child = virCxlDcdXMLChild(node, "address")) && virCxlDcdDefParseAddress(def, child) < 0)
        return -1;
    return 0;
}

/* Parse <release>: in a document for detach-device, how to release; in a device of a domain
 * (fallback), how the device asks. */
static int
virCxlDcdDefParseRelease(virCxlDcdDef *def, xmlNodePtr release)
{
    g_autofree char *fallback = virCxlDcdXMLAttribute(release, "fallback");
    unsigned long long seconds;
    int policy = VIR_CXL_DCD_POLICY_NONE;
    int forced = 0;

    if (VIR_CXL_DCD_XML_ENUM(release, "policy", virCxlDcdPolicyNames, &policy) < 0 ||
        VIR_CXL_DCD_XML_ENUM(release, "forced", virCxlDcdYesNoNames, &forced) < 0)
        return -1;
    def->policy = policy;
    def->forced = forced == 1;
    if (!fallback)
        return 0;
    if (virCxlDcdXMLUnsigned(release, "fallback", INT_MAX, &seconds) < 0)
        return -1;
    def->fallback = seconds;
    return 0;
}

/**
 * virCxlDcdDefParseXML:
 * @node: a <cxl-dcd>
 *
 * Returns what it says, to be freed with virCxlDcdDefFree(), or NULL with
 * VIR_ERR_XML_ERROR set.
 */
virCxlDcdDef *
virCxlDcdDefParseXML(xmlNodePtr node)
{
    g_autoptr(virCxlDcdDef) def = virCxlDcdDefNew();
    int model = VIR_DOMAIN_CXL_DCD_MODEL_TAGGED;
    xmlNodePtr child;

    if (VIR_CXL_DCD_XML_ENUM(node, "model", virCxlDcdModelNames, &model) < 0)
        return NULL;
    def->model = model;
    if (virCxlDcdDefParseHost(def, node) < 0)
        return NULL;
    if ((child = virCxlDcdXMLChild(node, "serial"))) {
        if (virCxlDcdXMLUnsigned(child, NULL, ULLONG_MAX, &def->serial) < 0)
            return NULL;
        def->has_serial = true;
    }
    if ((child = virCxlDcdXMLChild(node, "target")) && virCxlDcdDefParseTarget(def, child) < 0)
        return NULL;
    if ((child = virCxlDcdXMLChild(node, "source")) &&
        !(def->source = virCxlDcdSourceDefParseXML(child)))
        return NULL;
    if ((child = virCxlDcdXMLChild(node, "release")) && virCxlDcdDefParseRelease(def, child) < 0)
        return NULL;

    for (child = virCxlDcdXMLChild(node, "capacity"); child;
         child = virCxlDcdXMLNext(child->next, "capacity")) {
        virCxlDcdCapacityDef *capacity = virCxlDcdCapacityDefParseXML(child);

        if (!capacity)
            return NULL;
        g_ptr_array_add(def->capacities, capacity);
    }
    return g_steal_pointer(&def);
}

/**
 * virCxlDcdDefParseString:
 * @xml: a document whose root is <cxl-dcd>
 *
 * Returns what it says, to be freed with virCxlDcdDefFree(), or NULL with
 * VIR_ERR_XML_ERROR set.
 */
virCxlDcdDef *
virCxlDcdDefParseString(const char *xml)
{
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(xml, "device");

    if (!doc)
        return NULL;
    if (!virCxlDcdXMLIsElement(virCxlDcdXMLRoot(doc), "cxl-dcd")) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "expected a <cxl-dcd> element, not <%s>",
                            virCxlDcdXMLRoot(doc)->name);
        return NULL;
    }
    return virCxlDcdDefParseXML(virCxlDcdXMLRoot(doc));
}

static void
virCxlDcdDefFormatTarget(GString *buf, int indent, const virCxlDcdDef *def, unsigned int flags)
{
    g_string_append_printf(buf, "%*s<target>\n", indent, "");
    virCxlDcdFormatSize(buf, indent + 2, "size", def->size);
    g_string_append_printf(buf, "%*s<regions>%llu</regions>\n", indent + 2, "", def->regions);
    if (def->node >= 0)
        g_string_append_printf(buf, "%*s<node>%d</node>\n", indent + 2, "", def->node);
    if (flags & VIR_CXL_DCD_FORMAT_LIVE)
        virCxlDcdFormatSize(buf, indent + 2, "current", virCxlDcdDefAccepted(def));
    g_string_append_printf(buf, "%*s</target>\n", indent, "");
}

/**
 * virCxlDcdDefFormat:
 * @buf: the buffer to append the XML to
 * @indent: spaces before each line
 * @def: the device
 * @flags: virCxlDcdFormatFlags
 *
 * Write @def as a <cxl-dcd>.
 */
void
virCxlDcdDefFormat(GString *buf, int indent, const virCxlDcdDef *def, unsigned int flags)
{
    guint i;

    g_string_append_printf(buf,
                           "%*s<cxl-dcd model='%s'>\n",
                           indent,
                           "",
                           virCxlDcdModelToString(def->model));
    if (def->driver) {
        g_string_append_printf(buf,
                               "%*s<driver name='%s'",
                               indent + 2,
                               "",
                               virCxlDcdDriverToString(def->driver));
        if (def->module)
            virCxlDcdFormatAttribute(buf, "path", def->module);
        g_string_append(buf, "/>\n");
    }
    if (def->has_serial)
        g_string_append_printf(buf, "%*s<serial>0x%llx</serial>\n", indent + 2, "", def->serial);
    if (def->has_target)
        virCxlDcdDefFormatTarget(buf, indent + 2, def, flags);
    if (def->source)
        virCxlDcdSourceDefFormat(buf, indent + 2, def->source);
    for (i = 0; i < def->capacities->len; i++)
        virCxlDcdCapacityDefFormat(buf,
                                   indent + 2,
                                   "capacity",
                                   g_ptr_array_index(def->capacities, i),
                                   flags);
    if (def->fallback >= 0)
        g_string_append_printf(buf,
                               "%*s<release fallback='%lld'/>\n",
                               indent + 2,
                               "",
                               def->fallback);
    if (def->alias)
        g_string_append_printf(buf, "%*s<alias name='%s'/>\n", indent + 2, "", def->alias);
    if (def->bus)
        g_string_append_printf(buf,
                               "%*s<address type='cxl' bus='%s'/>\n",
                               indent + 2,
                               "",
                               def->bus);
    g_string_append_printf(buf, "%*s</cxl-dcd>\n", indent, "");
}

static int
virCxlDcdDefValidateSize(const virCxlDcdDef *def)
{
    if (!def->has_target || def->size == 0) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "<cxl-dcd> '%s' needs a <target> with the <size> of its dynamic "
                            "capacity",
                            def->alias);
        return -1;
    }
    if (def->regions < 1 || def->regions > VIR_CXL_DCD_REGIONS_MAX) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "<cxl-dcd> '%s' has %llu <regions>: expected 1 to %d",
                            def->alias,
                            def->regions,
                            VIR_CXL_DCD_REGIONS_MAX);
        return -1;
    }
    if (def->size % (def->regions * VIR_CXL_DCD_REGION_UNIT)) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "the <size> of <cxl-dcd> '%s', %llu bytes, does not make %llu "
                            "region%s of a multiple of 256 MiB each",
                            def->alias,
                            def->size,
                            def->regions,
                            def->regions == 1 ? "" : "s");
        return -1;
    }
    if (def->size > 1ULL << 60) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "the <size> of <cxl-dcd> '%s', %llu bytes, is more than 1 EiB",
                            def->alias,
                            def->size);
        return -1;
    }
    return 0;
}

static int
virCxlDcdDefValidateDriver(const virCxlDcdDef *def)
{
    if (def->driver && def->model == VIR_DOMAIN_CXL_DCD_MODEL_STATIC) {
        virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                            "<driver name='%s'> of <cxl-dcd> '%s' goes with model 'tagged': the "
                            "static model needs none",
                            virCxlDcdDriverToString(def->driver),
                            def->alias);
        return -1;
    }
    if (def->module && def->driver != VIR_CXL_DCD_DRIVER_MODULE) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "the path '%s' in the <driver> of <cxl-dcd> '%s' goes with "
                            "name='module'",
                            def->module,
                            def->alias);
        return -1;
    }
    if (def->module && *def->module != '/') {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "the path '%s' in the <driver> of <cxl-dcd> '%s' does not begin with "
                            "'/'",
                            def->module,
                            def->alias);
        return -1;
    }
    if (def->module && strpbrk(def->module, "\n\r\t")) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "the path '%s' in the <driver> of <cxl-dcd> '%s' contains a control "
                            "character, which XML does not preserve",
                            def->module,
                            def->alias);
        return -1;
    }
    return 0;
}

static int
virCxlDcdDefValidateRelease(const virCxlDcdDef *def)
{
    if (def->policy || def->forced) {
        virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                            "%s of the <release> of <cxl-dcd> '%s' goes with one release, in a "
                            "document for detach-device: a device of a domain has no more than "
                            "fallback='SECONDS'",
                            def->policy ? "the policy" : "forced='yes'",
                            def->alias);
        return -1;
    }
    if (def->fallback >= 0 && def->model == VIR_DOMAIN_CXL_DCD_MODEL_STATIC) {
        virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                            "<release fallback='%lld'> of <cxl-dcd> '%s' goes with model 'tagged': "
                            "capacity of a static device is asked back by its range at once",
                            def->fallback,
                            def->alias);
        return -1;
    }
    return 0;
}

/**
 * virCxlDcdDefIsDecided:
 * @def: a device
 *
 * Returns true if it says what provides its dynamic capacity.
 */
bool
virCxlDcdDefIsDecided(const virCxlDcdDef *def)
{
    return def->model != VIR_DOMAIN_CXL_DCD_MODEL_TAGGED ||
           def->driver == VIR_CXL_DCD_DRIVER_QEMU || def->module;
}

/**
 * virCxlDcdDefValidate:
 * @def: a device with an alias
 *
 * Check that @def is a valid device, ignoring the other devices of the domain.
 *
 * Returns 0, or -1 with an error set that names the value.
 */
int
virCxlDcdDefValidate(const virCxlDcdDef *def)
{
    guint i;

    if (virCxlDcdDefValidateSize(def) < 0 || virCxlDcdDefValidateDriver(def) < 0 ||
        virCxlDcdDefValidateRelease(def) < 0)
        return -1;
    if (def->source && def->model == VIR_DOMAIN_CXL_DCD_MODEL_TAGGED) {
        virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                            "<cxl-dcd> '%s' of model 'tagged' has no <source>: each <capacity> "
                            "brings its own",
                            def->alias);
        return -1;
    }
    if (def->source && virCxlDcdSourceDefValidate(def->source, def->size) < 0)
        return -1;
    if (def->node >= 0 && def->bus) {
        virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                            "<node> %d of <cxl-dcd> '%s' has no meaning together with an "
                            "<address>: the host bridge above '%s' decides its node",
                            def->node,
                            def->alias,
                            def->bus);
        return -1;
    }
    for (i = 0; i < def->capacities->len; i++) {
        if (virCxlDcdCapacityDefValidate(g_ptr_array_index(def->capacities, i), def) < 0)
            return -1;
    }
    return 0;
}

/**
 * virCxlDcdDefRegionSize:
 * @def: a valid device
 *
 * Returns the size of each of its regions in bytes.
 */
unsigned long long
virCxlDcdDefRegionSize(const virCxlDcdDef *def)
{
    return def->size / def->regions;
}

/**
 * virCxlDcdDefAccepted:
 * @def: a device of a running domain
 *
 * Returns the bytes that the guest holds: what it accepted and has not given
 * back.
 */
unsigned long long
virCxlDcdDefAccepted(const virCxlDcdDef *def)
{
    unsigned long long accepted = 0;
    guint i;

    for (i = 0; i < def->capacities->len; i++) {
        const virCxlDcdCapacityDef *capacity = g_ptr_array_index(def->capacities, i);

        if (capacity->state == VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED ||
            capacity->state == VIR_DOMAIN_CXL_DCD_STATE_RELEASING)
            accepted += capacity->size;
    }
    return accepted;
}
