/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_domain.c: all the <cxl-dcd> of one domain
 *
 * A domain's XML holds them in one of two forms, and whoever reads a domain
 * takes either:
 *
 *   plain    <domain><devices><cxl-dcd>               what a user writes and reads
 *   stored   <domain><metadata><cxl-dcd:devices>      what libvirt keeps, beside the
 *            <domain><metadata><cxl-dcd:capacity>     QEMU arguments: the definition,
 *            <domain><metadata><cxl-dcd:start>        and of a running domain a record
 *                                                     for each capacity, and what of
 *                                                     its start is done
 *
 * A stored definition carries, beyond the devices, the place of the host bridge
 * that was generated for them: it was free when the domain was defined, and
 * libvirt, which knows nothing of the bridge, gives places to its own devices
 * from the other end. So the arguments follow from the stored definition alone.
 *
 * In a running domain the records are the truth: what a stored definition says
 * of capacities is what the next start begins with.
 */

#include <config.h>

#include <string.h>

#include "cxl_dcd_domain.h"
#include "cxl_dcd_error.h"

#define virCxlDcdReportConf(code, ...)                                                             \
    virCxlDcdReportErrorDomain(VIR_FROM_DOMAIN, code, __VA_ARGS__)

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

/* The states of a plain form that came from a daemon that has the driver module. */
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

/* The plain form of a running domain, given back as a definition, has the capacities that
 * the guest refused too. They are history: what has taken their place since may be there as
 * well. */
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

/* Whoever may write a domain's metadata can have written a stored device too. */
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

/* The stored devices, but for those that the plain form has too: it is newer. */
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

/* A record cannot be trusted: all that is done with it would be done to another place, another
 * backend, or none. Whoever has libvirt's permission to write metadata can have written it. */
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
 * virCxlDcdCapacityDefFree(), or NULL with an error set that says how to be rid of the record.
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
 * Read the devices of a domain in either form. Where both are there, the stored
 * devices whose aliases the plain form does not have are added to it.
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
 * As virCxlDcdDomainDefParse(), but it is not the running domain, even when that is
 * where the client has it from: states are output, and ignored here, but for capacities
 * that were rejected, which are no part of it.
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

/* ------------------------------------------------------------ completing */

/* Whether a <qemu:arg> that does not come from us matches @pattern, a regular
 * expression whose one group is a number from @first to @last. A number is read in
 * @base, or in hexadecimal with 0x. */
static bool
virCxlDcdUserArgumentHas(virCxlDcdXMLDoc *doc,
                         const char *pattern,
                         unsigned int base,
                         unsigned long long first,
                         unsigned long long last)
{
    xmlNodePtr commandline = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "commandline");
    g_autoptr(GRegex) regex = g_regex_new(pattern, 0, 0, NULL);
    xmlNodePtr arg;

    for (arg = virCxlDcdXMLChild(commandline, "arg"); arg;
         arg = virCxlDcdXMLNext(arg->next, "arg")) {
        g_autofree char *value = virCxlDcdXMLAttribute(arg, "value");
        g_autoptr(GMatchInfo) match = NULL;

        if (!value || strstr(value, VIR_CXL_DCD_HOST_BRIDGE))
            continue;
        for (g_regex_match(regex, value, 0, &match); g_match_info_matches(match);
             g_match_info_next(match, NULL)) {
            g_autofree char *text = g_match_info_fetch(match, 1);
            bool hex = g_ascii_strncasecmp(text, "0x", 2) == 0;
            guint64 number = g_ascii_strtoull(hex ? text + 2 : text, NULL, hex ? 16 : base);

            if (number >= first && number <= last)
                return true;
        }
    }
    return false;
}

/* A property of QEMU's -device, as addr=0x1c.0 or in JSON, "addr": "1c". */
#define VIR_CXL_DCD_PROPERTY(name) "(?<![\\w-])" name "(?:=|\"\\s*:\\s*\"?)((?:0[xX])?[0-9a-fA-F]+)"

/* QEMU reads a slot without 0x in hexadecimal too. */
static bool
virCxlDcdUserArgumentTakesSlot(virCxlDcdXMLDoc *doc, unsigned long long slot)
{
    return virCxlDcdUserArgumentHas(doc, VIR_CXL_DCD_PROPERTY("addr"), 16, slot, slot);
}

static bool
virCxlDcdUserArgumentTakesBus(virCxlDcdXMLDoc *doc,
                              unsigned long long first,
                              unsigned long long last)
{
    return virCxlDcdUserArgumentHas(doc, VIR_CXL_DCD_PROPERTY("bus_nr"), 10, first, last);
}

/* A host bridge or a window: any number, which is the empty text. */
static bool
virCxlDcdUserArgumentHasTopology(virCxlDcdXMLDoc *doc)
{
    return virCxlDcdUserArgumentHas(doc, "(?:pxb-cxl|cxl-fmw)()", 10, 0, 0);
}

static void
virCxlDcdUsedSlots(virCxlDcdXMLDoc *doc, bool *used)
{
    xmlNodePtr devices = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "devices");
    xmlNodePtr device;

    for (device = virCxlDcdXMLChild(devices, NULL); device;
         device = virCxlDcdXMLNext(device->next, NULL)) {
        xmlNodePtr address = virCxlDcdXMLChild(device, "address");
        g_autofree char *type = address ? virCxlDcdXMLAttribute(address, "type") : NULL;
        g_autofree char *bus = address ? virCxlDcdXMLAttribute(address, "bus") : NULL;
        g_autofree char *slot = address ? virCxlDcdXMLAttribute(address, "slot") : NULL;
        unsigned long long value;

        if (g_strcmp0(type, "pci") != 0)
            continue;
        if (bus && (virCxlDcdParseUnsigned(bus, 255, &value) < 0 || value != 0))
            continue;
        if (slot && virCxlDcdParseUnsigned(slot, 31, &value) == 0)
            used[value] = true;
    }
}

/* A place on pcie.0 that libvirt would come to last. 0x1a to 0x1f are where the
 * functions of the ICH9 chipset go. */
static int
virCxlDcdDomainDefChooseSlot(virCxlDcdDomainDef *def, virCxlDcdXMLDoc *doc)
{
    bool used[32] = {
        [0x1a] = true,
        [0x1b] = true,
        [0x1d] = true,
        [0x1e] = true,
        [0x1f] = true,
    };

    virCxlDcdUsedSlots(doc, used);
    for (def->slot = 0x1c; def->slot > 0; def->slot--) {
        if (!used[def->slot] && !virCxlDcdUserArgumentTakesSlot(doc, def->slot))
            return 0;
    }
    virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                        "domain '%s' has no free slot on pcie.0 for the CXL host bridge",
                        def->name);
    return -1;
}

/* The bus numbers from @first on, one for the bridge and one for each port. */
static bool
virCxlDcdBusesFree(virCxlDcdXMLDoc *doc, unsigned long long first, size_t nports)
{
    xmlNodePtr devices = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "devices");
    xmlNodePtr device;

    for (device = virCxlDcdXMLChild(devices, "controller"); device;
         device = virCxlDcdXMLNext(device->next, "controller")) {
        xmlNodePtr target = virCxlDcdXMLChild(device, "target");
        g_autofree char *text = target ? virCxlDcdXMLAttribute(target, "busNr") : NULL;
        unsigned long long taken;

        if (text && virCxlDcdParseUnsigned(text, 255, &taken) == 0 && taken >= first &&
            taken <= first + nports)
            return false;
    }
    return !virCxlDcdUserArgumentTakesBus(doc, first, first + nports);
}

/* Above the buses that firmware counts up from pcie.0, and below the expander
 * buses that libvirt numbers down from 254. */
static int
virCxlDcdDomainDefChooseBus(virCxlDcdDomainDef *def, virCxlDcdXMLDoc *doc)
{
    size_t nports = virCxlDcdDomainDefGenerated(def);

    for (def->bus_nr = 0xc0; def->bus_nr >= 0x40; def->bus_nr -= 0x10) {
        if (virCxlDcdBusesFree(doc, def->bus_nr, nports))
            return 0;
    }
    virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                        "domain '%s' has no free PCI bus numbers for the CXL host bridge: expander "
                        "buses take them all",
                        def->name);
    return -1;
}

/**
 * virCxlDcdDomainDefComplete:
 * @def: the devices of @doc
 * @doc: the domain that a user wrote
 *
 * Give what the user left out: the aliases, the tags of capacities, and a place
 * for the host bridge.
 *
 * Returns 0, or -1 with an error set.
 */
int
virCxlDcdDomainDefComplete(virCxlDcdDomainDef *def, virCxlDcdXMLDoc *doc)
{
    unsigned int next = 0;
    guint i;
    guint j;

    for (i = 0; i < def->devices->len; i++) {
        virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        while (!device->alias) {
            g_autofree char *alias = g_strdup_printf("cxl-dcd%u", next++);

            if (!virCxlDcdDomainDefDevice(def, alias))
                device->alias = g_steal_pointer(&alias);
        }
        for (j = 0; j < device->capacities->len; j++) {
            virCxlDcdCapacityDef *capacity = g_ptr_array_index(device->capacities, j);

            if (!capacity->tag)
                capacity->tag = g_uuid_string_random();
        }
    }
    def->slot = 0;
    def->bus_nr = 0;
    if (virCxlDcdDomainDefGenerated(def) == 0)
        return 0;
    if (virCxlDcdDomainDefChooseSlot(def, doc) < 0 || virCxlDcdDomainDefChooseBus(def, doc) < 0)
        return -1;
    return 0;
}

/* ------------------------------------------------------------ validating */

/* libvirt takes what it finds in all elements of a name; our devices and their arguments are put
 * into one. */
static int
virCxlDcdDomainDefValidateOnce(const virCxlDcdDomainDef *def, virCxlDcdXMLDoc *doc)
{
    static const char *const names[] = {"devices", "metadata", "commandline"};
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(names); i++) {
        xmlNodePtr first = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), names[i]);

        if (!first || !virCxlDcdXMLNext(first->next, names[i]))
            continue;
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "domain '%s' has more than one <%s>: put all of it into one, "
                            "together with <cxl-dcd>",
                            def->name,
                            names[i]);
        return -1;
    }
    return 0;
}

/* What the guest needs to find a CXL host bridge at all. */
static int
virCxlDcdDomainDefValidateMachine(const virCxlDcdDomainDef *def, virCxlDcdXMLDoc *doc)
{
    xmlNodePtr os = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "os");
    xmlNodePtr type = virCxlDcdXMLChild(os, "type");
    g_autofree char *machine = type ? virCxlDcdXMLAttribute(type, "machine") : NULL;
    g_autofree char *arch = type ? virCxlDcdXMLAttribute(type, "arch") : NULL;

    if (arch && !g_str_equal(arch, "x86_64")) {
        virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                            "<cxl-dcd> needs a guest of architecture x86_64, not '%s' as domain "
                            "'%s' has",
                            arch,
                            def->name);
        return -1;
    }
    if (!machine || !strstr(machine, "q35")) {
        virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                            "<cxl-dcd> needs PCI Express: domain '%s' needs <type "
                            "machine='q35'> under <os>, not '%s'",
                            def->name,
                            machine ? machine : "");
        return -1;
    }
    if (!virCxlDcdXMLChild(virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "features"), "acpi")) {
        virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                            "<cxl-dcd> needs ACPI, by which the guest finds the CXL host bridge: "
                            "domain '%s' needs <features><acpi/></features>",
                            def->name);
        return -1;
    }
    return 0;
}

/* What is generated, and whether the domain has what it takes. */
static int
virCxlDcdDomainDefValidateTopology(const virCxlDcdDomainDef *def, virCxlDcdXMLDoc *doc)
{
    const virCxlDcdDef *first = NULL;
    guint i;

    if (virCxlDcdDomainDefGenerated(def) > VIR_CXL_DCD_GENERATED_MAX) {
        virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                            "domain '%s' has %zu <cxl-dcd> without <address>: at most %d fit the "
                            "generated host bridge, which has a decoder for each",
                            def->name,
                            virCxlDcdDomainDefGenerated(def),
                            VIR_CXL_DCD_GENERATED_MAX);
        return -1;
    }
    for (i = 0; i < def->devices->len; i++) {
        const virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        if (device->bus)
            continue;
        if (!first)
            first = device;
        if (device->node != first->node) {
            virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                                "<cxl-dcd> '%s' and '%s' of domain '%s' share a host bridge: "
                                "their <node> must be the same",
                                first->alias,
                                device->alias,
                                def->name);
            return -1;
        }
    }
    if (first && virCxlDcdUserArgumentHasTopology(doc)) {
        virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                            "the <qemu:commandline> of domain '%s' has CXL host bridges or "
                            "windows of its own: name the port of <cxl-dcd> '%s' with <address "
                            "type='cxl' bus='...'/>",
                            def->name,
                            first->alias);
        return -1;
    }
    return 0;
}

static int
virCxlDcdDomainDefValidateNode(const virCxlDcdDomainDef *def,
                               const virCxlDcdDef *device,
                               virCxlDcdXMLDoc *doc)
{
    xmlNodePtr cpu = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "cpu");
    xmlNodePtr cell = virCxlDcdXMLChild(virCxlDcdXMLChild(cpu, "numa"), "cell");
    int position;

    for (position = 0; cell; cell = virCxlDcdXMLNext(cell->next, "cell"), position++) {
        g_autofree char *id = virCxlDcdXMLAttribute(cell, "id");
        unsigned long long value = position;

        if ((!id || virCxlDcdParseUnsigned(id, INT_MAX, &value) == 0) &&
            value == (unsigned long long)device->node)
            return 0;
    }
    virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                        "domain '%s' has no guest NUMA node %d, which <cxl-dcd> '%s' names: give "
                        "it a <cell> under <cpu><numa>",
                        def->name,
                        device->node,
                        device->alias);
    return -1;
}

/* The port that @device stands on, to be freed with g_free(). */
static char *
virCxlDcdDefPort(const virCxlDcdDef *device)
{
    return device->bus ? g_strdup(device->bus)
                       : g_strconcat(device->alias, VIR_CXL_DCD_PORT_SUFFIX, NULL);
}

/* A device's alias and its port must be no other <cxl-dcd>'s, and what is generated
 * for one must not be called as another one is. */
static int
virCxlDcdDomainDefValidateIds(const virCxlDcdDomainDef *def, const virCxlDcdDef *device)
{
    g_autofree char *port = virCxlDcdDefPort(device);
    guint i;

    if (g_str_equal(device->alias, VIR_CXL_DCD_HOST_BRIDGE)) {
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "the alias '%s' of a <cxl-dcd> of domain '%s' is what the generated "
                            "host bridge is called",
                            device->alias,
                            def->name);
        return -1;
    }
    for (i = 0; i < def->devices->len; i++) {
        const virCxlDcdDef *other = g_ptr_array_index(def->devices, i);
        g_autofree char *other_port = virCxlDcdDefPort(other);

        if (other == device)
            continue;
        if (g_str_equal(device->alias, other->alias)) {
            virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                                "domain '%s' has two <cxl-dcd> with the alias '%s'",
                                def->name,
                                device->alias);
            return -1;
        }
        if (!other->bus && g_str_equal(device->alias, other_port)) {
            virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                                "the alias '%s' of a <cxl-dcd> of domain '%s' is what the "
                                "generated port of <cxl-dcd> '%s' is called",
                                device->alias,
                                def->name,
                                other->alias);
            return -1;
        }
        if (g_str_equal(port, other_port)) {
            virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                                "<cxl-dcd> '%s' and '%s' of domain '%s' are both on port '%s', "
                                "which takes one device",
                                device->alias,
                                other->alias,
                                def->name,
                                port);
            return -1;
        }
    }
    return 0;
}

/* Nor any other device's. */
static int
virCxlDcdDomainDefValidateAlias(const virCxlDcdDomainDef *def,
                                const virCxlDcdDef *device,
                                virCxlDcdXMLDoc *doc)
{
    xmlNodePtr devices = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "devices");
    xmlNodePtr node;

    for (node = virCxlDcdXMLChild(devices, NULL); node; node = virCxlDcdXMLNext(node->next, NULL)) {
        xmlNodePtr child = virCxlDcdXMLChild(node, "alias");
        g_autofree char *alias = child ? virCxlDcdXMLAttribute(child, "name") : NULL;

        if (g_strcmp0(alias, device->alias) == 0 && !virCxlDcdXMLIsElement(node, "cxl-dcd")) {
            virCxlDcdReportConf(
                VIR_ERR_XML_ERROR,
                "the alias '%s' of a <cxl-dcd> of domain '%s' is that of a <%s> too",
                device->alias,
                def->name,
                node->name);
            return -1;
        }
    }
    return 0;
}

/* Whether both map one file for others to see. */
static bool
virCxlDcdSourcesClash(const virCxlDcdSourceDef *left, const virCxlDcdSourceDef *right)
{
    return left && right && left != right && left->path && right->path &&
           left->access != VIR_CXL_DCD_ACCESS_PRIVATE &&
           right->access != VIR_CXL_DCD_ACCESS_PRIVATE && g_str_equal(left->path, right->path);
}

/* The file of @capacity is nothing else's in the domain. A file that is named by another name is
 * seen when it is added. */
static int
virCxlDcdDomainDefValidateFile(const virCxlDcdDomainDef *def, const virCxlDcdCapacityDef *capacity)
{
    guint i;
    guint j;

    for (i = 0; i < def->devices->len; i++) {
        const virCxlDcdDef *device = g_ptr_array_index(def->devices, i);
        bool clash = virCxlDcdSourcesClash(capacity->source, device->source);

        for (j = 0; !clash && j < device->capacities->len; j++) {
            const virCxlDcdCapacityDef *other = g_ptr_array_index(device->capacities, j);

            clash = virCxlDcdSourcesClash(capacity->source, other->source);
        }
        if (!clash)
            continue;
        virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                            "the file '%s' is named twice in domain '%s': the guest would see the "
                            "same memory at two places. Several domains may share a file",
                            capacity->source->path,
                            def->name);
        return -1;
    }
    return 0;
}

/**
 * virCxlDcdDomainDefValidateCapacities:
 * @def: the devices of a definition
 * @device: one of them
 *
 * Check the capacities of @device among each other and with those of the others.
 *
 * Returns 0, or -1 with an error set that names what is wrong.
 */
int
virCxlDcdDomainDefValidateCapacities(const virCxlDcdDomainDef *def, const virCxlDcdDef *device)
{
    guint i;

    if (device->capacities->len > VIR_CXL_DCD_OFFERS_MAX) {
        virCxlDcdReportConf(VIR_ERR_CONFIG_UNSUPPORTED,
                            "<cxl-dcd> '%s' of domain '%s' has %u capacities: a start can offer "
                            "the guest at most %d a device",
                            device->alias,
                            def->name,
                            device->capacities->len,
                            VIR_CXL_DCD_OFFERS_MAX);
        return -1;
    }
    for (i = 0; i < device->capacities->len; i++) {
        const virCxlDcdCapacityDef *capacity = g_ptr_array_index(device->capacities, i);
        const virCxlDcdCapacityDef *other;

        if (capacity->tag && virCxlDcdDomainDefCapacity(def, capacity->tag, NULL) != capacity) {
            virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                                "domain '%s' has two capacities with the tag '%s'",
                                def->name,
                                capacity->tag);
            return -1;
        }
        if ((other = virCxlDcdDefOverlap(device, capacity))) {
            virCxlDcdReportConf(VIR_ERR_XML_ERROR,
                                "capacities '%s' and '%s' of <cxl-dcd> '%s' overlap in region %llu",
                                capacity->tag ? capacity->tag : "",
                                other->tag ? other->tag : "",
                                device->alias,
                                capacity->region);
            return -1;
        }
        if (virCxlDcdDomainDefValidateFile(def, capacity) < 0)
            return -1;
    }
    return 0;
}

/**
 * virCxlDcdDomainDefValidate:
 * @def: the devices of @doc, complete
 * @doc: the domain that a user wrote
 *
 * Check the devices, each and together.
 *
 * Returns 0, or -1 with an error set that names what is wrong.
 */
int
virCxlDcdDomainDefValidate(const virCxlDcdDomainDef *def, virCxlDcdXMLDoc *doc)
{
    guint i;

    if (virCxlDcdDomainDefValidateOnce(def, doc) < 0 ||
        virCxlDcdDomainDefValidateMachine(def, doc) < 0)
        return -1;
    for (i = 0; i < def->devices->len; i++) {
        const virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        if (virCxlDcdDomainDefValidateIds(def, device) < 0 ||
            virCxlDcdDomainDefValidateAlias(def, device, doc) < 0 ||
            virCxlDcdDefValidate(device) < 0 ||
            (device->node >= 0 && virCxlDcdDomainDefValidateNode(def, device, doc) < 0) ||
            virCxlDcdDomainDefValidateCapacities(def, device) < 0)
            return -1;
    }
    return virCxlDcdDomainDefValidateTopology(def, doc);
}

/**
 * virCxlDcdDomainDefPlace:
 * @def: the devices, valid
 *
 * Give every capacity its place: those that name none come after those that do, so that a
 * definition starts whatever the order in which it names them.
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
