/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_domain.c: all the <cxl-dcd> of one domain
 *
 * A domain's XML holds them in one of two forms, and every reader takes either:
 *
 *   plain    <domain><devices><cxl-dcd>               what a user writes and reads
 *   stored   <domain><metadata><cxl-dcd:devices>      what libvirt keeps, beside the
 *            <domain><metadata><cxl-dcd:capacity>     QEMU arguments: the definition,
 *            <domain><metadata><cxl-dcd:start>        and for a running domain a record
 *                                                     for each capacity, and which
 *                                                     capacities were offered at its start
 *
 * A stored definition carries, beyond the devices, the place of the host bridge
 * that was generated for them: it was free when the domain was defined, and
 * libvirt, which knows nothing of the bridge, gives places to its own devices
 * from the other end. So the arguments follow from the stored definition alone.
 *
 * In a running domain the records count: the capacities of a stored definition are those
 * that the next start begins with.
 */

#include <config.h>

#include <string.h>

#include "cxl_dcd_conf_priv.h"
#include "cxl_dcd_domain.h"

/**
 * virCxlDcdDomainDefNew:
 *
 * Returns a domain without devices.
 */
virCxlDcdDomainDef *
virCxlDcdDomainDefNew(void)
{
    virCxlDcdDomainDef *def = g_new0(virCxlDcdDomainDef, 1);

    def->devices = g_ptr_array_new_with_free_func((GDestroyNotify)virCxlDcdDefFree);
    return def;
}

/**
 * virCxlDcdDomainDefFree:
 * @def: the definition, or NULL
 */
void
virCxlDcdDomainDefFree(virCxlDcdDomainDef *def)
{
    if (!def)
        return;
    g_free(def->name);
    g_clear_pointer(&def->devices, g_ptr_array_unref);
    g_free(def);
}

/**
 * virCxlDcdIsStoredDevices:
 * @node: a child of <metadata>
 *
 * Returns true when it is the stored form of the devices.
 */
bool
virCxlDcdIsStoredDevices(xmlNodePtr node)
{
    return virCxlDcdXMLIsElement(node, "devices") &&
           virCxlDcdXMLHasNamespace(node, VIR_CXL_DCD_NAMESPACE);
}

/**
 * virCxlDcdIsRecord:
 * @node: a child of <metadata>
 *
 * Returns true when it is the record of a capacity.
 */
bool
virCxlDcdIsRecord(xmlNodePtr node)
{
    return virCxlDcdXMLIsElement(node, "capacity") && node->ns && node->ns->href &&
           g_str_has_prefix((const char *)node->ns->href, VIR_CXL_DCD_NAMESPACE_CAPACITY);
}

/**
 * virCxlDcdIsStart:
 * @node: a child of <metadata>
 *
 * Returns true when it tells what of the domain's start is done (src/cxl_dcd_start.c).
 */
bool
virCxlDcdIsStart(xmlNodePtr node)
{
    return virCxlDcdXMLIsElement(node, "start") &&
           virCxlDcdXMLHasNamespace(node, VIR_CXL_DCD_NAMESPACE_START);
}

/**
 * virCxlDcdIsLiveOnly:
 * @node: a child of <metadata>
 *
 * Returns true when it is ours and belongs to a running domain, never to a definition.
 */
bool
virCxlDcdIsLiveOnly(xmlNodePtr node)
{
    return virCxlDcdIsRecord(node) || virCxlDcdIsStart(node);
}

/**
 * virCxlDcdRecordNamespace:
 * @tag: a capacity's tag
 *
 * Returns the namespace of its record, to be freed with g_free(): each has its
 * own, since libvirt keeps one metadata element a namespace.
 */
char *
virCxlDcdRecordNamespace(const char *tag)
{
    return g_strconcat(VIR_CXL_DCD_NAMESPACE_CAPACITY, tag, NULL);
}

/**
 * virCxlDcdRecordFormat:
 * @capacity: a capacity of a running domain
 *
 * Returns its record, as virDomainSetMetadata() takes it: on one line, so that
 * libvirt indents it as it does all else. To be freed with g_free().
 */
char *
virCxlDcdRecordFormat(const virCxlDcdCapacityDef *capacity)
{
    g_autoptr(GString) buf = g_string_new(NULL);
    g_auto(GStrv) lines = NULL;
    char **line;

    virCxlDcdCapacityDefFormat(buf,
                               0,
                               "capacity",
                               capacity,
                               VIR_CXL_DCD_FORMAT_LIVE | VIR_CXL_DCD_FORMAT_RECORD);
    lines = g_strsplit(buf->str, "\n", -1);
    for (line = lines; *line; line++)
        g_strchug(*line);
    return g_strjoinv("", lines);
}

/* --------------------------------------------------------------- reading */

static gint
virCxlDcdCapacityCompare(gconstpointer a, gconstpointer b)
{
    const virCxlDcdCapacityDef *left = *(virCxlDcdCapacityDef *const *)a;
    const virCxlDcdCapacityDef *right = *(virCxlDcdCapacityDef *const *)b;

    if (left->region != right->region)
        return left->region < right->region ? -1 : 1;
    if (left->offset != right->offset)
        return left->offset < right->offset ? -1 : 1;
    return g_strcmp0(left->tag, right->tag);
}

/**
 * virCxlDcdDefSort:
 * @device: a device
 *
 * Put its capacities into the order of region and offset, in which they are shown.
 */
void
virCxlDcdDefSort(virCxlDcdDef *device)
{
    g_ptr_array_sort(device->capacities, virCxlDcdCapacityCompare);
}

/* Read the states in a plain form that came from a daemon with the driver module. */
static int
virCxlDcdDefParsePlainLive(virCxlDcdDef *device, xmlNodePtr node)
{
    xmlNodePtr child = virCxlDcdXMLChild(node, "capacity");
    guint i;

    for (i = 0; i < device->capacities->len; i++) {
        virCxlDcdCapacityDef *capacity = g_ptr_array_index(device->capacities, i);

        if (virCxlDcdCapacityDefParseLive(capacity, child) < 0)
            return -1;
        g_free(capacity->device);
        capacity->device = g_strdup(device->alias);
        child = virCxlDcdXMLNext(child->next, "capacity");
    }
    return 0;
}

/* The plain form of a running domain, given back as a definition, also has the capacities that
 * the guest refused. They are dropped: another capacity may have taken their place since. */
static void
virCxlDcdDefDropRejected(virCxlDcdDef *device, xmlNodePtr node)
{
    xmlNodePtr child;
    guint i = 0;

    for (child = virCxlDcdXMLChild(node, "capacity"); child;
         child = virCxlDcdXMLNext(child->next, "capacity")) {
        g_autofree char *state = virCxlDcdXMLAttribute(child, "state");

        if (g_strcmp0(state, virDomainCxlDcdStateToString(VIR_DOMAIN_CXL_DCD_STATE_REJECTED)) == 0)
            g_ptr_array_remove_index(device->capacities, i);
        else
            i++;
    }
}

static int
virCxlDcdDomainDefParsePlain(virCxlDcdDomainDef *def, xmlNodePtr devices)
{
    xmlNodePtr node;

    for (node = virCxlDcdXMLChild(devices, "cxl-dcd"); node;
         node = virCxlDcdXMLNext(node->next, "cxl-dcd")) {
        virCxlDcdDef *device;

        if (!virCxlDcdXMLHasNamespace(node, NULL))
            continue;
        if (!(device = virCxlDcdDefParseXML(node)))
            return -1;
        g_ptr_array_add(def->devices, device);
        def->plain = true;
        if (!def->live)
            virCxlDcdDefDropRejected(device, node);
        else if (virCxlDcdDefParsePlainLive(device, node) < 0)
            return -1;
    }
    return 0;
}

/* Anyone who may write a domain's metadata can have written a stored device, so it is checked. */
static int
virCxlDcdDomainDefCheckStored(const virCxlDcdDomainDef *def, const virCxlDcdDef *device)
{
    if (device->alias)
        return virCxlDcdDefValidate(device);
    virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                        "a <cxl-dcd> in the metadata of domain '%s' has no <alias>",
                        def->name);
    return -1;
}

/* Read the stored devices, except those that the plain form has too: the plain form is newer. */
static int
virCxlDcdDomainDefParseDevices(virCxlDcdDomainDef *def, xmlNodePtr stored)
{
    xmlNodePtr node;

    def->stored = true;
    if (virCxlDcdXMLUnsigned(stored, "slot", 31, &def->slot) < 0 ||
        virCxlDcdXMLUnsigned(stored, "bus-nr", 255, &def->bus_nr) < 0)
        return -1;
    for (node = virCxlDcdXMLChild(stored, "cxl-dcd"); node;
         node = virCxlDcdXMLNext(node->next, "cxl-dcd")) {
        g_autoptr(virCxlDcdDef) device = virCxlDcdDefParseXML(node);

        if (!device || virCxlDcdDomainDefCheckStored(def, device) < 0)
            return -1;
        if (virCxlDcdDomainDefDevice(def, device->alias))
            continue;
        if (def->live)
            g_ptr_array_set_size(device->capacities, 0);
        g_ptr_array_add(def->devices, g_steal_pointer(&device));
    }
    return 0;
}

/* Report a record that cannot be trusted: acting on it would act on the wrong place or backend.
 * Anyone with libvirt's permission to write metadata can have written it. */
static void
virCxlDcdReportRecord(const char *domain, const char *tag, const char *why)
{
    virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                        "the record of capacity '%s' in the metadata of domain '%s' is wrong: %s. "
                        "If there is no such capacity, remove the record: virsh metadata %s "
                        "--live --uri %s%s --remove",
                        tag,
                        domain,
                        why,
                        domain,
                        VIR_CXL_DCD_NAMESPACE_CAPACITY,
                        tag);
}

/**
 * virCxlDcdRecordParse:
 * @node: a record
 * @tag: the tag that its namespace names
 * @domain: the name of its domain
 *
 * Returns the capacity, whose device is not looked at, to be freed with
 * virCxlDcdCapacityDefFree(), or NULL with an error set that says how to remove the record.
 */
virCxlDcdCapacityDef *
virCxlDcdRecordParse(xmlNodePtr node, const char *tag, const char *domain)
{
    g_autoptr(virCxlDcdCapacityDef) capacity = virCxlDcdCapacityDefParseXML(node);
    g_autofree char *why = NULL;

    if (!capacity || virCxlDcdCapacityDefParseLive(capacity, node) < 0)
        why = g_strdup(virCxlDcdLastErrorMessage());
    else if (g_strcmp0(capacity->tag, tag) != 0)
        why = g_strdup_printf("it has the tag '%s'", capacity->tag ? capacity->tag : "");
    if (!why)
        return g_steal_pointer(&capacity);
    virCxlDcdReportRecord(domain, tag, why);
    return NULL;
}

/**
 * virCxlDcdRecordValidate:
 * @capacity: what a record says
 * @device: the device that it names, or NULL where the domain does not have that
 * @domain: the name of the domain
 *
 * Returns 0, or -1 with an error set that says how to be rid of the record.
 */
int
virCxlDcdRecordValidate(const virCxlDcdCapacityDef *capacity,
                        const virCxlDcdDef *device,
                        const char *domain)
{
    g_autofree char *why = NULL;

    if (!device)
        why = g_strdup_printf("it names device '%s', which the domain does not have",
                              capacity->device ? capacity->device : "");
    else if (capacity->state == VIR_DOMAIN_CXL_DCD_STATE_NONE)
        why = g_strdup("it has no state");
    else if (!capacity->has_offset)
        why = g_strdup("it has no <offset>");
    else if (virCxlDcdCapacityDefValidate(capacity, device) < 0)
        why = g_strdup(virCxlDcdLastErrorMessage());
    if (!why)
        return 0;
    virCxlDcdReportRecord(domain, capacity->tag, why);
    return -1;
}

static int
virCxlDcdDomainDefParseRecord(virCxlDcdDomainDef *def, xmlNodePtr node)
{
    const char *tag = (const char *)node->ns->href + strlen(VIR_CXL_DCD_NAMESPACE_CAPACITY);
    g_autoptr(virCxlDcdCapacityDef) capacity = virCxlDcdRecordParse(node, tag, def->name);
    virCxlDcdDef *device;

    if (!capacity)
        return -1;
    device = virCxlDcdDomainDefDevice(def, capacity->device ? capacity->device : "");
    if (virCxlDcdRecordValidate(capacity, device, def->name) < 0)
        return -1;
    g_ptr_array_add(device->capacities, g_steal_pointer(&capacity));
    return 0;
}

static int
virCxlDcdDomainDefParseMetadata(virCxlDcdDomainDef *def, xmlNodePtr metadata)
{
    xmlNodePtr node;
    guint i;

    for (node = virCxlDcdXMLChild(metadata, NULL); node;
         node = virCxlDcdXMLNext(node->next, NULL)) {
        if (virCxlDcdIsStoredDevices(node) && virCxlDcdDomainDefParseDevices(def, node) < 0)
            return -1;
    }
    if (!def->live || def->plain)
        return 0;
    for (node = virCxlDcdXMLChild(metadata, NULL); node;
         node = virCxlDcdXMLNext(node->next, NULL)) {
        if (virCxlDcdIsRecord(node) && virCxlDcdDomainDefParseRecord(def, node) < 0)
            return -1;
    }
    for (i = 0; i < def->devices->len; i++)
        virCxlDcdDefSort(g_ptr_array_index(def->devices, i));
    return 0;
}

/**
 * virCxlDcdDomainDefIsDomain:
 * @node: an element
 *
 * Returns true when it is a domain: also the second one of a snapshot of a running domain,
 * the definition, which has another name.
 */
bool
virCxlDcdDomainDefIsDomain(xmlNodePtr node)
{
    return virCxlDcdXMLIsElement(node, "domain") || virCxlDcdXMLIsElement(node, "inactiveDomain");
}

/* @plain: look for the plain form too. @running: take the records of a running
 * domain for its capacities, not those of the definition. */
static virCxlDcdDomainDef *
virCxlDcdDomainDefParseForms(virCxlDcdXMLDoc *doc, bool plain, bool running)
{
    g_autoptr(virCxlDcdDomainDef) def = virCxlDcdDomainDefNew();
    g_autofree char *id = NULL;
    xmlNodePtr root = virCxlDcdXMLRoot(doc);
    xmlNodePtr node;

    if (!virCxlDcdDomainDefIsDomain(root))
        return g_steal_pointer(&def);

    id = virCxlDcdXMLAttribute(root, "id");
    def->live = running && id;
    node = virCxlDcdXMLChild(root, "name");
    def->name = node ? virCxlDcdXMLContent(node) : g_strdup("");
    for (node = plain ? virCxlDcdXMLChild(root, "devices") : NULL; node;
         node = virCxlDcdXMLNext(node->next, "devices")) {
        if (virCxlDcdDomainDefParsePlain(def, node) < 0)
            return NULL;
    }
    if (virCxlDcdDomainDefParseMetadata(def, virCxlDcdXMLChild(root, "metadata")) < 0)
        return NULL;
    return g_steal_pointer(&def);
}

/**
 * virCxlDcdDomainDefParse:
 * @doc: any document; one that is no <domain> has no devices
 *
 * Read the devices of a domain in either form. If the domain has both, the stored devices whose
 * aliases the plain form does not have are added to it.
 *
 * Returns the devices, or NULL with an error set.
 */
virCxlDcdDomainDef *
virCxlDcdDomainDefParse(virCxlDcdXMLDoc *doc)
{
    return virCxlDcdDomainDefParseForms(doc, true, true);
}

/**
 * virCxlDcdDomainDefParseInput:
 * @doc: a domain that is to be defined, as a client gave it
 *
 * As virCxlDcdDomainDefParse(), but for a definition, even if the client copied it from the
 * running domain: states are output, and ignored here, except that rejected capacities are
 * dropped.
 *
 * Returns the devices, or NULL with an error set.
 */
virCxlDcdDomainDef *
virCxlDcdDomainDefParseInput(virCxlDcdXMLDoc *doc)
{
    return virCxlDcdDomainDefParseForms(doc, true, false);
}

/**
 * virCxlDcdDomainDefParseStored:
 * @doc: any document
 *
 * Read the stored form alone: what the arguments in @doc were generated from.
 *
 * Returns the devices, or NULL with an error set.
 */
virCxlDcdDomainDef *
virCxlDcdDomainDefParseStored(virCxlDcdXMLDoc *doc)
{
    return virCxlDcdDomainDefParseForms(doc, false, true);
}

/**
 * virCxlDcdDomainDefParseConfigured:
 * @doc: a domain, running or not
 *
 * Read the stored form for the capacities that a start of the domain begins
 * with, whether or not it is running.
 *
 * Returns the devices, or NULL with an error set.
 */
virCxlDcdDomainDef *
virCxlDcdDomainDefParseConfigured(virCxlDcdXMLDoc *doc)
{
    return virCxlDcdDomainDefParseForms(doc, false, false);
}

/* --------------------------------------------------------------- writing */

/**
 * virCxlDcdDomainDefFormatStored:
 * @buf: where the XML goes
 * @indent: spaces before each line
 * @def: the devices
 *
 * Write the stored form: one metadata element for all devices.
 */
void
virCxlDcdDomainDefFormatStored(GString *buf, int indent, const virCxlDcdDomainDef *def)
{
    guint i;

    g_string_append_printf(buf,
                           "%*s<" VIR_CXL_DCD_PREFIX ":devices xmlns:" VIR_CXL_DCD_PREFIX
                           "='" VIR_CXL_DCD_NAMESPACE "'",
                           indent,
                           "");
    if (def->slot)
        g_string_append_printf(buf, " slot='0x%llx' bus-nr='0x%llx'", def->slot, def->bus_nr);
    g_string_append(buf, ">\n");
    for (i = 0; i < def->devices->len; i++)
        virCxlDcdDefFormat(buf, indent + 2, g_ptr_array_index(def->devices, i), 0);
    g_string_append_printf(buf, "%*s</" VIR_CXL_DCD_PREFIX ":devices>\n", indent, "");
}

/* ------------------------------------------------------------ looking up */

/**
 * virCxlDcdDomainDefGenerated:
 * @def: the devices
 *
 * Returns how many of them stand under the generated host bridge.
 */
size_t
virCxlDcdDomainDefGenerated(const virCxlDcdDomainDef *def)
{
    size_t n = 0;
    guint i;

    for (i = 0; i < def->devices->len; i++) {
        const virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        if (!device->bus)
            n++;
    }
    return n;
}

/**
 * virCxlDcdDomainDefDevice:
 * @def: the devices
 * @alias: an alias
 *
 * Returns the first device of that alias, or NULL.
 */
virCxlDcdDef *
virCxlDcdDomainDefDevice(const virCxlDcdDomainDef *def, const char *alias)
{
    guint i;

    for (i = 0; i < def->devices->len; i++) {
        virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        if (g_strcmp0(device->alias, alias) == 0)
            return device;
    }
    return NULL;
}

/**
 * virCxlDcdDomainDefCapacity:
 * @def: the devices
 * @tag: a tag in its canonical spelling
 * @device: where the capacity's device goes, or NULL
 *
 * Returns the first capacity with that tag, or NULL.
 */
virCxlDcdCapacityDef *
virCxlDcdDomainDefCapacity(const virCxlDcdDomainDef *def, const char *tag, virCxlDcdDef **device)
{
    guint i;
    guint j;

    for (i = 0; i < def->devices->len; i++) {
        virCxlDcdDef *owner = g_ptr_array_index(def->devices, i);

        for (j = 0; j < owner->capacities->len; j++) {
            virCxlDcdCapacityDef *capacity = g_ptr_array_index(owner->capacities, j);

            if (g_strcmp0(capacity->tag, tag) == 0) {
                if (device)
                    *device = owner;
                return capacity;
            }
        }
    }
    return NULL;
}

/**
 * virCxlDcdDefOverlap:
 * @device: a device
 * @capacity: a capacity of it, or one that is to become one
 *
 * Returns another capacity of @device that takes part of the same range, or
 * NULL.
 */
const virCxlDcdCapacityDef *
virCxlDcdDefOverlap(const virCxlDcdDef *device, const virCxlDcdCapacityDef *capacity)
{
    guint i;

    for (i = 0; i < device->capacities->len; i++) {
        const virCxlDcdCapacityDef *other = g_ptr_array_index(device->capacities, i);

        if (virCxlDcdCapacityOverlaps(other, capacity))
            return other;
    }
    return NULL;
}

/**
 * virCxlDcdDefFirstFit:
 * @device: a valid device
 * @capacity: what is to become a capacity of it, without an offset
 *
 * Give @capacity the lowest offset in its region at which it overlaps no other.
 *
 * Returns 0, or -1 when there is no room; no error is set then.
 */
int
virCxlDcdDefFirstFit(const virCxlDcdDef *device, virCxlDcdCapacityDef *capacity)
{
    unsigned long long region = virCxlDcdDefRegionSize(device);
    const virCxlDcdCapacityDef *other;

    capacity->has_offset = true;
    capacity->offset = 0;
    while (capacity->size <= region && capacity->offset <= region - capacity->size) {
        if (!(other = virCxlDcdDefOverlap(device, capacity)))
            return 0;
        capacity->offset = other->offset + other->size;
    }
    capacity->has_offset = false;
    capacity->offset = 0;
    return -1;
}

/**
 * virCxlDcdDomainDefPlace:
 * @def: the devices, valid
 *
 * Give every capacity its place. Capacities without an offset are placed around those that have
 * one, so that their order in the definition does not matter.
 *
 * Returns 0, or -1 with an error set when they do not fit.
 */
int
virCxlDcdDomainDefPlace(virCxlDcdDomainDef *def)
{
    guint i;
    guint j;

    for (i = 0; i < def->devices->len; i++) {
        const virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        for (j = 0; j < device->capacities->len; j++) {
            virCxlDcdCapacityDef *capacity = g_ptr_array_index(device->capacities, j);

            if (capacity->has_offset || virCxlDcdDefFirstFit(device, capacity) == 0)
                continue;
            virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                                "region %llu of <cxl-dcd> '%s' of domain '%s' has no free range "
                                "of %llu bytes for capacity '%s' beside the others",
                                capacity->region,
                                device->alias,
                                def->name,
                                capacity->size,
                                capacity->tag);
            return -1;
        }
    }
    return 0;
}
