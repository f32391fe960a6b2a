/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_capabilities.c: what a connection's QEMU can do
 *
 * Domain capabilities tell a client which emulator a domain gets. The module also uses them
 * to announce that it is present:
 *
 *     <domainCapabilities><devices>
 *       <cxl-dcd supported='yes'>
 *         <enum name='model'><value>tagged</value><value>static</value></enum>
 *         <enum name='sourceType'>...
 *
 * All functions are called from inside the module, and so see what the next side reports.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "conf/cxl_dcd_conf.h"
#include "cxl_dcd_driver_capabilities.h"
#include "qemu/qemu_cxl_dcd_capabilities.h"
#include "util/cxl_dcd_connect.h"

/**
 * cxlDcdDriverNextHasModule:
 * @conn: a client's connection
 *
 * Returns true if the daemon at the other end has the driver module too.
 */
bool
cxlDcdDriverNextHasModule(virConnectPtr conn)
{
    char *xml = virConnectGetDomainCapabilities(conn, NULL, "x86_64", "q35", NULL, 0);
    g_autoptr(virCxlDcdXMLDoc) doc = xml ? virCxlDcdXMLParse(xml, "domain capabilities") : NULL;
    xmlNodePtr devices = doc ? virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "devices") : NULL;

    free(xml);
    virResetLastError();
    return virCxlDcdXMLChild(devices, "cxl-dcd") != NULL;
}

/**
 * cxlDcdDriverIsReadOnly:
 * @conn: a connection
 *
 * libvirt has no function for this, but refuses domain capabilities to a read-only connection.
 *
 * Returns true if @conn may not change anything.
 */
bool
cxlDcdDriverIsReadOnly(virConnectPtr conn)
{
    char *xml = virConnectGetDomainCapabilities(conn, NULL, "x86_64", "q35", NULL, 0);
    bool readonly = !xml && virGetLastErrorCode() == VIR_ERR_OPERATION_DENIED;

    free(xml);
    virResetLastError();
    return readonly;
}

/**
 * cxlDcdDriverEmulator:
 * @conn: a connection to a daemon on this host
 * @doc: a domain
 *
 * libvirt is asked in either case: a client that may not have libvirt run a binary of its
 * choice, such as a read-only one, must not get that from us.
 *
 * Returns the QEMU binary that the domain names, or the one that libvirt would choose for
 * it, to be freed with g_free(); or NULL with an error set.
 */
char *
cxlDcdDriverEmulator(virConnectPtr conn, virCxlDcdXMLDoc *doc)
{
    xmlNodePtr root = virCxlDcdXMLRoot(doc);
    xmlNodePtr node = virCxlDcdXMLChild(virCxlDcdXMLChild(root, "devices"), "emulator");
    xmlNodePtr type = virCxlDcdXMLChild(virCxlDcdXMLChild(root, "os"), "type");
    g_autofree char *emulator = node ? virCxlDcdXMLContent(node) : NULL;
    g_autofree char *machine = type ? virCxlDcdXMLAttribute(type, "machine") : NULL;
    g_autofree char *virttype = virCxlDcdXMLAttribute(root, "type");
    g_autoptr(virCxlDcdXMLDoc) capabilities = NULL;
    xmlNodePtr path;
    char *xml;

    if (emulator)
        xml = virConnectGetDomainCapabilities(conn, emulator, NULL, NULL, NULL, 0);
    else
        xml = virConnectGetDomainCapabilities(conn, NULL, "x86_64", machine, virttype, 0);
    if (!xml)
        return NULL;
    if (!emulator) {
        capabilities = virCxlDcdXMLParse(xml, "domain capabilities");
        path = capabilities ? virCxlDcdXMLChild(virCxlDcdXMLRoot(capabilities), "path") : NULL;
        emulator = path ? virCxlDcdXMLContent(path) : g_strdup("/usr/bin/qemu-system-x86_64");
    }
    free(xml);
    return g_steal_pointer(&emulator);
}

static char *
cxlDcdDriverFormatCapabilities(bool tagged, bool fixed)
{
    g_autoptr(GString) buf = g_string_new(NULL);
    int i;

    if (!tagged && !fixed)
        return g_strdup("    <cxl-dcd supported='no'/>\n");
    g_string_append(buf, "    <cxl-dcd supported='yes'>\n      <enum name='model'>\n");
    if (tagged)
        g_string_append(buf, "        <value>tagged</value>\n");
    if (fixed)
        g_string_append(buf, "        <value>static</value>\n");
    g_string_append(buf, "      </enum>\n      <enum name='sourceType'>\n");
    for (i = 0; i < VIR_CXL_DCD_SOURCE_LAST; i++)
        g_string_append_printf(buf, "        <value>%s</value>\n", virCxlDcdSourceToString(i));
    g_string_append(buf, "      </enum>\n    </cxl-dcd>\n");
    return g_string_free(g_steal_pointer(&buf), FALSE);
}

/* The position before the line of </devices>, where lines can be inserted, or 0. Capabilities of
 * other hosts and other architectures are not extended. */
static size_t
cxlDcdDriverCapabilitiesPlace(const char *xml, char **emulator)
{
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(xml, "domain capabilities");
    xmlNodePtr root = doc ? virCxlDcdXMLRoot(doc) : NULL;
    xmlNodePtr arch = virCxlDcdXMLChild(root, "arch");
    xmlNodePtr path = virCxlDcdXMLChild(root, "path");
    xmlNodePtr devices = virCxlDcdXMLChild(root, "devices");
    g_autofree char *name = arch ? virCxlDcdXMLContent(arch) : NULL;
    size_t place;

    if (g_strcmp0(name, "x86_64") != 0 || !path || !devices ||
        virCxlDcdXMLChild(devices, "cxl-dcd"))
        return 0;
    place = virCxlDcdXMLGetSpan(doc, devices)->end;
    while (place > 0 && xml[place - 1] != '\n')
        place--;
    *emulator = virCxlDcdXMLContent(path);
    return place;
}

/**
 * cxlDcdDriverExtendCapabilities:
 * @conn: a connection
 * @xml: its domain capabilities
 *
 * Returns @xml, or a new text with <cxl-dcd> in it, in which case @xml is freed.
 */
char *
cxlDcdDriverExtendCapabilities(virConnectPtr conn, char *xml)
{
    g_autoptr(qemuCxlDcdCapabilities) stock = NULL;
    g_autoptr(qemuCxlDcdCapabilities) extended = NULL;
    g_autofree char *emulator = NULL;
    g_autofree char *element = NULL;
    const char *module = qemuCxlDcdModulePath();
    size_t place;
    char *longer;

    if (!virCxlDcdConnectIsLocal(conn) ||
        !(place = cxlDcdDriverCapabilitiesPlace(xml, &emulator)) ||
        !(stock = qemuCxlDcdCapabilitiesGet(emulator, NULL))) {
        virResetLastError();
        return xml;
    }
    if (!stock->tagged && g_file_test(module, G_FILE_TEST_EXISTS))
        extended = qemuCxlDcdCapabilitiesGet(emulator, module);
    virResetLastError();

    element = cxlDcdDriverFormatCapabilities(stock->tagged || (extended && extended->tagged),
                                             stock->fixed);
    longer = g_strdup_printf("%.*s%s%s", (int)place, xml, element, xml + place);
    free(xml);
    return longer;
}
