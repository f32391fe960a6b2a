/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt.c: the libvirt functions that the library calls, over a domain in memory
 *
 * Defined in a test's executable, these replace libvirt's own. Each client has a
 * virDomainPtr of its own and can die: from then on its calls have no effect. That is
 * what a killed process looks like from outside, without a process.
 *
 * The live XML keeps metadata as libvirt does: one element per namespace, replaced as a
 * whole, with the namespace declared on every element in it (virDomainDefSetMetadata(),
 * libvirt's src/conf/domain_conf.c). Calls that change or print a running domain block
 * while QEMU hangs; those that only read its metadata do not.
 *
 * Time is under the test's control: it passes when somebody sleeps.
 */

#include <config.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>
#include <libxml/parser.h>
#include <libxml/tree.h>
#include <stdlib.h>
#include <string.h>

#include "conf/cxl_dcd_domain.h"
#include "model.h"
#include "util/cxl_dcd_error.h"

/* ------------------------------------------------------------------- time */

gint64 model_time = G_GINT64_CONSTANT(1700000000) * G_USEC_PER_SEC;
void (*model_on_sleep)(void *opaque);
void *model_on_sleep_opaque;

gint64
g_get_real_time(void)
{
    return model_time;
}

gint64
g_get_monotonic_time(void)
{
    return model_time;
}

void
g_usleep(gulong microseconds)
{
    model_time += microseconds;
    if (model_on_sleep)
        model_on_sleep(model_on_sleep_opaque);
}

/* -------------------------------------------------------------- the domain */

static void
modelFormatDevice(GString *buf, const modelQemu *qemu, const modelDevice *device)
{
    if (!device->regions)
        return;
    g_string_append_printf(buf,
                           "      <cxl-dcd model='%s'>\n"
                           "%s"
                           "        <target>\n"
                           "          <size unit='KiB'>%llu</size>\n"
                           "          <regions>%u</regions>\n"
                           "        </target>\n"
                           "        <alias name='%s'/>\n"
                           "      </cxl-dcd>\n",
                           device->tagged ? "tagged" : "static",
                           device->tagged && qemu->flavour == MODEL_SERIES
                               ? "        <driver name='qemu'/>\n"
                               : "",
                           device->regions * device->region_size / 1024,
                           device->regions,
                           device->alias);
}

/* A running domain of @qemu, with its devices in the stored form. Takes ownership of @qemu. */
modelDomain *
modelDomainNew(modelQemu *qemu)
{
    modelDomain *domain = g_new0(modelDomain, 1);
    g_autoptr(GString) buf = g_string_new(NULL);
    guint i;

    g_string_append(buf,
                    "  <name>vm</name>\n  <metadata>\n    <cxl-dcd:devices "
                    "xmlns:cxl-dcd='" VIR_CXL_DCD_NAMESPACE "'>\n");
    for (i = 0; i < qemu->devices->len; i++)
        modelFormatDevice(buf, qemu, g_ptr_array_index(qemu->devices, i));
    g_string_append(buf, "    </cxl-dcd:devices>\n  </metadata>\n  <devices/>\n</domain>\n");
    domain->qemu = qemu;
    domain->live = g_strdup_printf("<domain type='kvm' id='1'>\n%s", buf->str);
    domain->config = g_strdup_printf("<domain type='kvm'>\n%s", buf->str);
    return domain;
}

/* QEMU has exited: whatever was only in the live XML is lost with it. */
void
modelDomainStop(modelDomain *domain)
{
    g_clear_pointer(&domain->qemu, modelQemuFree);
    g_clear_pointer(&domain->live, g_free);
    domain->hung = false;
}

void
modelDomainFree(modelDomain *domain)
{
    if (!domain)
        return;
    modelDomainStop(domain);
    g_free(domain->config);
    g_free(domain->attached);
    g_free(domain);
}

static xmlNodePtr
modelFindMetadata(xmlNodePtr metadata, const char *uri)
{
    xmlNodePtr node;

    for (node = metadata ? metadata->children : NULL; node; node = node->next) {
        if (node->type == XML_ELEMENT_NODE && virCxlDcdXMLHasNamespace(node, uri))
            return node;
    }
    return NULL;
}

static void
modelSetNamespace(xmlNodePtr node, xmlNsPtr ns)
{
    xmlNodePtr child;

    if (node->type != XML_ELEMENT_NODE)
        return;
    xmlSetNs(node, ns);
    for (child = node->children; child; child = child->next)
        modelSetNamespace(child, ns);
}

/* Replace the element of namespace @uri in the metadata of @doc with @xml, as libvirt does; NULL
 * removes it. */
static int
modelReplaceMetadata(xmlDocPtr doc, const char *xml, const char *key, const char *uri)
{
    xmlNodePtr metadata = virCxlDcdXMLChild(xmlDocGetRootElement(doc), "metadata");
    xmlNodePtr old;
    xmlNodePtr new = NULL;

    if (xml) {
        xmlDocPtr part = xmlReadMemory(xml, strlen(xml), NULL, NULL, XML_PARSE_NONET);

        if (!part)
            return -1;
        new = xmlDocCopyNode(xmlDocGetRootElement(part), doc, 1);
        xmlFreeDoc(part);
        modelSetNamespace(new, xmlNewNs(new, BAD_CAST uri, BAD_CAST key));
    }
    if (!metadata)
        metadata = xmlNewChild(xmlDocGetRootElement(doc), NULL, BAD_CAST "metadata", NULL);
    while ((old = modelFindMetadata(metadata, uri))) {
        xmlUnlinkNode(old);
        xmlFreeNode(old);
    }
    if (new)
        xmlAddChild(metadata, new);
    return 0;
}

static int
modelDomainSetMetadata(modelDomain *domain, const char *xml, const char *key, const char *uri)
{
    xmlDocPtr doc = xmlReadMemory(domain->live, strlen(domain->live), NULL, NULL, XML_PARSE_NONET);
    int ret = modelReplaceMetadata(doc, xml, key, uri);
    xmlBufferPtr buffer;

    if (ret == 0) {
        buffer = xmlBufferCreate();
        xmlNodeDump(buffer, doc, xmlDocGetRootElement(doc), 0, 0);
        g_free(domain->live);
        domain->live = g_strdup((const char *)xmlBufferContent(buffer));
        xmlBufferFree(buffer);
    }
    xmlFreeDoc(doc);
    return ret;
}

/* The element of namespace @uri without its namespace, or NULL. */
static char *
modelDomainGetMetadata(modelDomain *domain, const char *uri)
{
    xmlDocPtr doc = xmlReadMemory(domain->live, strlen(domain->live), NULL, NULL, XML_PARSE_NONET);
    xmlNodePtr metadata = virCxlDcdXMLChild(xmlDocGetRootElement(doc), "metadata");
    xmlNodePtr node = modelFindMetadata(metadata, uri);
    xmlBufferPtr buffer;
    char *xml = NULL;

    if (node) {
        modelSetNamespace(node, NULL);
        xmlFreeNsList(g_steal_pointer(&node->nsDef));
        buffer = xmlBufferCreate();
        xmlNodeDump(buffer, doc, node, 0, 0);
        xml = strdup((const char *)xmlBufferContent(buffer));
        xmlBufferFree(buffer);
    }
    xmlFreeDoc(doc);
    return xml;
}

/* Lets a test read and write the live XML directly, without a client. */
void
modelDomainPutRecord(modelDomain *domain, const char *tag, const char *xml)
{
    g_autofree char *uri = virCxlDcdRecordNamespace(tag);

    g_assert_cmpint(modelDomainSetMetadata(domain, xml, VIR_CXL_DCD_PREFIX, uri), ==, 0);
}

char *
modelDomainGetRecord(modelDomain *domain, const char *tag)
{
    g_autofree char *uri = virCxlDcdRecordNamespace(tag);

    return domain->live ? modelDomainGetMetadata(domain, uri) : NULL;
}

/* ------------------------------------------------------------------ clients */

virDomainPtr
modelClientNew(modelDomain *domain)
{
    virDomainPtr client = g_new0(virDomain, 1);

    client->domain = domain;
    client->conn.type = "QEMU";
    client->conn.uri = "qemu:///system";
    client->dies_after = G_MAXUINT;
    return client;
}

int
virDomainFree(virDomainPtr client)
{
    g_free(client);
    return 0;
}

/* Every call of a client starts here: a dead client gets no further. */
static int
modelCall(virDomainPtr client, modelCallKind kind)
{
    if (client->before)
        client->before(client, kind);
    if (client->calls >= client->dies_after) {
        virCxlDcdReportError(VIR_ERR_RPC, "this client is dead");
        return -1;
    }
    client->calls++;
    return 0;
}

/* libvirt gives up after a while if somebody else is waiting for QEMU. */
static int
modelWait(const modelDomain *domain)
{
    if (!domain->hung)
        return 0;
    virCxlDcdReportError(VIR_ERR_OPERATION_TIMEOUT,
                         "cannot acquire state change lock (held by "
                         "monitor=remoteDispatchDomainQemuMonitorCommand)");
    return -1;
}

/* For calls that need the running domain: libvirt takes a job for them. */
static int
modelJob(virDomainPtr client, modelCallKind kind)
{
    if (modelCall(client, kind) < 0 || modelWait(client->domain) < 0)
        return -1;
    if (!client->domain->qemu) {
        virCxlDcdReportError(VIR_ERR_OPERATION_INVALID, "domain is not running");
        return -1;
    }
    return 0;
}

virConnectPtr
virDomainGetConnect(virDomainPtr client)
{
    return &client->conn;
}

const char *
virConnectGetType(virConnectPtr conn)
{
    return conn->type;
}

char *
virConnectGetURI(virConnectPtr conn)
{
    return strdup(conn->uri);
}

const char *
virDomainGetName(virDomainPtr client G_GNUC_UNUSED)
{
    return "vm";
}

/* The library uses the UUID to tell domains apart within one process. Clients stand for separate
 * processes, which share nothing, so each sees a UUID of its own. */
int
virDomainGetUUIDString(virDomainPtr client, char *uuid)
{
    g_snprintf(uuid,
               VIR_UUID_STRING_BUFLEN,
               "%036" G_GINT64_MODIFIER "x",
               (guint64)GPOINTER_TO_SIZE(client));
    return 0;
}

int
virDomainIsActive(virDomainPtr client)
{
    return modelCall(client, MODEL_CALL_READ_XML) < 0 ? -1 : client->domain->qemu != NULL;
}

int
virDomainGetState(virDomainPtr client, int *state, int *reason, unsigned int flags)
{
    g_assert_cmpuint(flags, ==, 0);
    if (modelCall(client, MODEL_CALL_READ_XML) < 0)
        return -1;
    *state = client->domain->qemu ? VIR_DOMAIN_RUNNING : VIR_DOMAIN_SHUTOFF;
    if (reason)
        *reason = client->domain->reason ? client->domain->reason : VIR_DOMAIN_RUNNING_BOOTED;
    return 0;
}

int
virDomainIsPersistent(virDomainPtr client)
{
    return modelCall(client, MODEL_CALL_READ_XML) < 0 ? -1 : 1;
}

char *
virDomainGetXMLDesc(virDomainPtr client, unsigned int flags)
{
    modelDomain *domain = client->domain;

    if (modelCall(client, MODEL_CALL_READ_XML) < 0 || modelWait(domain) < 0)
        return NULL;
    return strdup(domain->live && !(flags & VIR_DOMAIN_XML_INACTIVE) ? domain->live
                                                                     : domain->config);
}

int
virDomainSetMetadata(virDomainPtr client,
                     int type,
                     const char *metadata,
                     const char *key,
                     const char *uri,
                     unsigned int flags)
{
    g_assert_cmpint(type, ==, VIR_DOMAIN_METADATA_ELEMENT);
    g_assert_cmpuint(flags, ==, VIR_DOMAIN_AFFECT_LIVE);
    g_assert_true(uri && (!metadata || key));
    if (modelJob(client, MODEL_CALL_WRITE_XML) < 0)
        return -1;
    if (modelDomainSetMetadata(client->domain, metadata, key, uri) == 0)
        return 0;
    virCxlDcdReportError(VIR_ERR_XML_ERROR, "(metadata_xml): %s", metadata);
    return -1;
}

char *
virDomainGetMetadata(virDomainPtr client, int type, const char *uri, unsigned int flags)
{
    char *xml;

    g_assert_cmpint(type, ==, VIR_DOMAIN_METADATA_ELEMENT);
    g_assert_cmpuint(flags, ==, VIR_DOMAIN_AFFECT_LIVE);
    if (modelCall(client, MODEL_CALL_READ_XML) < 0)
        return NULL;
    if (!client->domain->live) {
        virCxlDcdReportError(VIR_ERR_OPERATION_INVALID, "domain is not running");
        return NULL;
    }
    if (!(xml = modelDomainGetMetadata(client->domain, uri)))
        virCxlDcdReportError(VIR_ERR_NO_DOMAIN_METADATA,
                             "metadata not found: Requested metadata element is not present");
    return xml;
}

/* Whether a command changes nothing: a query, or an add of an extent of no length. */
static bool
modelIsQuery(const char *command)
{
    return strstr(command, "\"qom-list\"") || strstr(command, "\"query-") ||
           strstr(command, "-status\"") || strstr(command, "\"len\":0");
}

int
virDomainQemuMonitorCommand(virDomainPtr client,
                            const char *command,
                            char **result,
                            unsigned int flags)
{
    g_assert_cmpuint(flags, ==, 0);
    *result = NULL;
    if (modelJob(client, modelIsQuery(command) ? MODEL_CALL_READ_QEMU : MODEL_CALL_WRITE_QEMU) < 0)
        return -1;
    return modelFaultCommand(client, command, result);
}

virDomainPtr
virDomainDefineXMLFlags(virConnectPtr conn, const char *xml, unsigned int flags)
{
    virDomainPtr client = (virDomainPtr)(void *)((char *)conn - G_STRUCT_OFFSET(virDomain, conn));

    g_assert_cmpuint(flags, ==, 0);
    if (modelCall(client, MODEL_CALL_WRITE_XML) < 0)
        return NULL;
    g_free(client->domain->config);
    client->domain->config = g_strdup(xml);
    return modelClientNew(client->domain);
}

/* What the library leaves to a daemon that has the driver module is only recorded: what the
 * daemon would do with it is not tested here. */
static int
modelLeftToDaemon(virDomainPtr client, const char *what, const char *xml, unsigned int flags)
{
    if (modelCall(client, MODEL_CALL_WRITE_XML) < 0)
        return -1;
    g_free(client->domain->attached);
    client->domain->attached = g_strdup_printf("%s %u %s", what, flags, xml);
    return 0;
}

int
virDomainAttachDeviceFlags(virDomainPtr client, const char *xml, unsigned int flags)
{
    return modelLeftToDaemon(client, "attach", xml, flags);
}

int
virDomainDetachDeviceFlags(virDomainPtr client, const char *xml, unsigned int flags)
{
    return modelLeftToDaemon(client, "detach", xml, flags);
}
