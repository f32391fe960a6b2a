/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_validate.c: whether the <cxl-dcd> of a domain go with it and with each other
 *
 * Each device and capacity is checked by itself in cxl_dcd_conf.c. What is left are the machine
 * that the domain needs, the ids and ports that devices must not share, the guest's NUMA nodes,
 * the places and files of capacities, and the limits of the generated host bridge.
 */

#include <config.h>

#include <string.h>

#include "cxl_dcd_conf_priv.h"
#include "cxl_dcd_domain.h"

/* libvirt reads several elements of these names, but our devices and arguments go into one: which
 * one would be arbitrary. */
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

/* Check the generated host bridge: that the devices fit it, and that the domain has no other. */
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

/* No two <cxl-dcd> may have the same alias or port, and a generated id must not be the name of
 * another one. */
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

/* Nor may the alias be that of any other device. */
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

/* Whether both map the same file shared. */
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
 * Check each device, and the devices together.
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
