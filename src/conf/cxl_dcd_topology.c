/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_topology.c: the place of the generated host bridge
 *
 * Devices without <address> share a host bridge that is generated for them. It needs a slot
 * on pcie.0 and PCI bus numbers that neither libvirt nor the user's own <qemu:arg> take.
 * libvirt gives places to its devices only after our arguments are made, from the low end; so
 * the bridge takes the highest free slot, and bus numbers in the middle. Both are chosen from
 * the XML alone: the same XML gives the same places again.
 */

#include <config.h>

#include <string.h>

#include "cxl_dcd_conf_priv.h"
#include "cxl_dcd_domain.h"

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

/**
 * virCxlDcdUserArgumentHasTopology:
 * @doc: the XML of a domain
 *
 * Returns true if the user's own QEMU arguments make a CXL host bridge or a fixed memory window.
 */
bool
virCxlDcdUserArgumentHasTopology(virCxlDcdXMLDoc *doc)
{
    /* any number, which is the empty text */
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

/* The slot on pcie.0 that libvirt would use last. The functions of the ICH9 chipset are in
 * 0x1a to 0x1f. */
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
 * Fill in what the user left out: the aliases, the tags of capacities, and a place for the
 * host bridge.
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
