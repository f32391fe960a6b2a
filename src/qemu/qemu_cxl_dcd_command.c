/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_command.c: the QEMU arguments of a domain's <cxl-dcd>
 *
 * The arguments depend on the stored definition and on nothing else, so that
 * they can be recognized in what libvirt prints by computing them again. If
 * this file is changed to write other arguments for the same definition, those
 * of domains that were defined before are therefore no longer recognized: such
 * domains start as before, but show their stored form until they are redefined.
 *
 *      pcie.0
 *        `- pxb-cxl    cxl-dcd-host-bridge     one for all devices
 *             `- cxl-rp    ALIAS-port          one for each
 *                  `- cxl-type3    ALIAS
 *                       volatile-dc-memdev = ALIAS-mem     (static)
 *                       dc-regions-total-size = ...        (tagged)
 *
 * and one fixed memory window, cxl-fmw.0, as large as all devices together. A
 * device with an <address> gets only the last line: its port, bridge and window
 * are the user's.
 */

#include <config.h>

#include "qemu_cxl_dcd_command.h"

/* Takes ownership of @value. */
static void
qemuCxlDcdAddArgument(GPtrArray *arguments, const char *option, char *value)
{
    g_ptr_array_add(arguments, g_strdup(option));
    g_ptr_array_add(arguments, value);
}

/* Add each QEMU module once. QEMU wants a comma in a value to be doubled. */
static void
qemuCxlDcdAddModules(GPtrArray *arguments, const virCxlDcdDomainDef *def)
{
    guint i;

    for (i = 0; i < def->devices->len; i++) {
        const virCxlDcdDef *device = g_ptr_array_index(def->devices, i);
        g_autoptr(GString) value = NULL;

        if (!device->module)
            continue;
        value = g_string_new(device->module);
        g_string_replace(value, ",", ",,", 0);
        g_string_prepend(value, "file=");
        if (!g_ptr_array_find_with_equal_func(arguments, value->str, g_str_equal, NULL))
            qemuCxlDcdAddArgument(arguments,
                                  "-plugin",
                                  g_string_free(g_steal_pointer(&value), FALSE));
    }
}

/* Add the host bridge, and a window that holds all devices below it. */
static void
qemuCxlDcdAddHostBridge(GPtrArray *arguments, const virCxlDcdDomainDef *def)
{
    unsigned long long size = 0;
    int node = -1;
    guint i;

    for (i = 0; i < def->devices->len; i++) {
        const virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        if (device->bus)
            continue;
        size += device->size;
        node = device->node;
    }
    qemuCxlDcdAddArgument(arguments,
                          "-machine",
                          g_strdup_printf("cxl=on,cxl-fmw.0.targets.0=" VIR_CXL_DCD_HOST_BRIDGE
                                          ",cxl-fmw.0.size=%llu",
                                          size));
    qemuCxlDcdAddArgument(arguments,
                          "-device",
                          node < 0 ? g_strdup_printf("pxb-cxl,bus_nr=%llu,bus=pcie.0,"
                                                     "id=" VIR_CXL_DCD_HOST_BRIDGE ",addr=0x%llx",
                                                     def->bus_nr,
                                                     def->slot)
                                   : g_strdup_printf("pxb-cxl,bus_nr=%llu,bus=pcie.0,"
                                                     "id=" VIR_CXL_DCD_HOST_BRIDGE
                                                     ",addr=0x%llx,numa_node=%d",
                                                     def->bus_nr,
                                                     def->slot,
                                                     node));
}

/**
 * qemuCxlDcdBackendAddMembers:
 * @writer: the writer, in which an object has begun
 * @source: where the memory comes from; NULL: ram
 * @id: of the backend
 * @size: bytes
 *
 * Add the members of QEMU's ObjectOptions (qapi/qom.json) for a host memory
 * backend, on the command line or in object-add.
 */
void
qemuCxlDcdBackendAddMembers(virCxlDcdJSONWriter *writer,
                            const virCxlDcdSourceDef *source,
                            const char *id,
                            unsigned long long size)
{
    static const virCxlDcdSourceDef ram = {.type = VIR_CXL_DCD_SOURCE_RAM};
    g_autofree char *type = NULL;
    guint i;

    if (!source)
        source = &ram;
    type = g_strconcat("memory-backend-", virCxlDcdSourceToString(source->type), NULL);
    virCxlDcdJSONAddString(writer, "qom-type", type);
    virCxlDcdJSONAddString(writer, "id", id);
    virCxlDcdJSONAddUnsigned(writer, "size", size);
    if (source->path)
        virCxlDcdJSONAddString(writer, "mem-path", source->path);
    if (source->access || source->type != VIR_CXL_DCD_SOURCE_RAM)
        virCxlDcdJSONAddBoolean(writer, "share", source->access != VIR_CXL_DCD_ACCESS_PRIVATE);
    if (source->pagesize) {
        virCxlDcdJSONAddBoolean(writer, "hugetlb", true);
        virCxlDcdJSONAddUnsigned(writer, "hugetlbsize", source->pagesize);
    }
    if (source->nodes) {
        virCxlDcdJSONBeginArray(writer, "host-nodes");
        for (i = 0; i < source->nodes->len; i++)
            virCxlDcdJSONAddUnsigned(writer, NULL, g_array_index(source->nodes, unsigned int, i));
        virCxlDcdJSONEndArray(writer);
        virCxlDcdJSONAddString(writer, "policy", "bind");
    }
    if (source->preallocate)
        virCxlDcdJSONAddBoolean(writer, "prealloc", true);
}

/* Add the only backend of a static device. It reserves no memory before the memory is used. */
static void
qemuCxlDcdAddStaticBackend(GPtrArray *arguments, const virCxlDcdDef *device)
{
    g_autoptr(virCxlDcdJSONWriter) writer = virCxlDcdJSONWriterNew();
    g_autofree char *id = g_strconcat(device->alias, "-mem", NULL);

    virCxlDcdJSONBeginObject(writer, NULL);
    qemuCxlDcdBackendAddMembers(writer, device->source, id, device->size);
    if (!device->source || !device->source->preallocate)
        virCxlDcdJSONAddBoolean(writer, "reserve", false);
    virCxlDcdJSONEndObject(writer);
    qemuCxlDcdAddArgument(arguments, "-object", virCxlDcdJSONFinish(writer));
}

static void
qemuCxlDcdAddDevice(GPtrArray *arguments, const virCxlDcdDef *device)
{
    g_autoptr(GString) value = g_string_new("cxl-type3");

    if (device->bus)
        g_string_append_printf(value, ",bus=%s", device->bus);
    else
        g_string_append_printf(value, ",bus=%s" VIR_CXL_DCD_PORT_SUFFIX, device->alias);
    g_string_append_printf(value, ",id=%s", device->alias);
    if (device->model == VIR_DOMAIN_CXL_DCD_MODEL_STATIC)
        g_string_append_printf(value, ",volatile-dc-memdev=%s-mem", device->alias);
    else
        g_string_append_printf(value, ",dc-regions-total-size=%llu", device->size);
    g_string_append_printf(value, ",num-dc-regions=%llu", device->regions);
    if (device->has_serial)
        g_string_append_printf(value, ",sn=0x%llx", device->serial);
    qemuCxlDcdAddArgument(arguments, "-device", g_string_free(g_steal_pointer(&value), FALSE));
}

/**
 * qemuCxlDcdBuildCommandLine:
 * @def: the devices of a domain, complete and valid
 *
 * Returns the arguments as strings, in the order in which QEMU must read them, in an
 * array to be freed with g_ptr_array_unref().
 */
GPtrArray *
qemuCxlDcdBuildCommandLine(const virCxlDcdDomainDef *def)
{
    GPtrArray *arguments = g_ptr_array_new_with_free_func(g_free);
    unsigned int port = 0;
    guint i;

    qemuCxlDcdAddModules(arguments, def);
    if (virCxlDcdDomainDefGenerated(def) > 0)
        qemuCxlDcdAddHostBridge(arguments, def);
    for (i = 0; i < def->devices->len; i++) {
        const virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        if (!device->bus) {
            qemuCxlDcdAddArgument(arguments,
                                  "-device",
                                  g_strdup_printf("cxl-rp,port=%u,bus=" VIR_CXL_DCD_HOST_BRIDGE
                                                  ",id=%s" VIR_CXL_DCD_PORT_SUFFIX
                                                  ",chassis=%llu,slot=%u",
                                                  port,
                                                  device->alias,
                                                  def->bus_nr,
                                                  port));
            port++;
        }
        if (device->model == VIR_DOMAIN_CXL_DCD_MODEL_STATIC)
            qemuCxlDcdAddStaticBackend(arguments, device);
        qemuCxlDcdAddDevice(arguments, device);
    }
    return arguments;
}
