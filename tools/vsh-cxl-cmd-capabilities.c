/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-cmd-capabilities.c: cxl-dcd-capabilities, what is available and what is missing
 *
 * Three programs are involved, each with its own version and possibly on another host:
 * this one, the daemon, and QEMU. Each is queried separately.
 *
 *     libvirt, library and daemon   their versions
 *     driver module in the daemon   <cxl-dcd> appears in the domain capabilities
 *     driver module for virsh       the file exists
 *     QEMU                          the binary is run, with and without the QEMU module:
 *                                   only if the daemon, and so its QEMU, is on this host;
 *                                   for another host, the domain capabilities tell
 *
 * This program does not load the driver module, so the capabilities that it sees are the
 * daemon's.
 */

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <unistd.h>

#include "cxl_dcd_error.h"
#include "cxl_dcd_xml.h"
#include "qemu/qemu_cxl_dcd_capabilities.h"
#include "util/cxl_dcd_connect.h"
#include "vsh-cxl-cmd.h"
#include "vsh-cxl-stock.h"

static const vshCxlOptDef vshCxlCmdCapabilitiesOpts[] = {
    VSH_CXL_OPT_DEF_FORMAT,
    {0},
};

/* What was found out. */
typedef struct {
    unsigned long library; /* versions as libvirt writes them: 11.3.0 is 11003000 */
    unsigned long daemon;
    bool local;             /* the daemon runs on this host */
    bool driver_in_daemon;  /* the daemon has loaded the driver module */
    const char *driver;     /* the driver module that virsh is given */
    bool driver_there;      /* it is readable */
    char *emulator;         /* the QEMU binary for x86_64; NULL: none */
    char *version;          /* QEMU's; NULL: unknown */
    const char *module;     /* the QEMU module on this host */
    vshCxlAnswer fixed;     /* the static model */
    vshCxlAnswer by_qemu;   /* the tagged model, supported by QEMU itself */
    vshCxlAnswer by_module; /* the tagged model, added by the QEMU module */
    vshCxlAnswer tagged;    /* the tagged model, either way */
    GPtrArray *missing;     /* sentences */
} vshCxlFound;

static void vshCxlFoundMissing(vshCxlFound *found, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void
vshCxlFoundMissing(vshCxlFound *found, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    g_ptr_array_add(found->missing, g_strdup_vprintf(format, args));
    va_end(args);
}

static void
vshCxlFoundClear(vshCxlFound *found)
{
    g_free(found->emulator);
    g_free(found->version);
    g_ptr_array_unref(found->missing);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(vshCxlFound, vshCxlFoundClear)

static vshCxlAnswer
vshCxlAnswerOf(bool yes)
{
    return yes ? VSH_CXL_ANSWER_YES : VSH_CXL_ANSWER_NO;
}

/* ------------------------------------------------------------ finding out */

static int
vshCxlFindVersions(vshCxlControl *ctl, vshCxlFound *found)
{
    if (virGetVersion(&found->library, NULL, NULL) == 0 &&
        virConnectGetLibVersion(ctl->conn, &found->daemon) == 0)
        return 0;
    vshCxlLibvirtError(ctl, "Failed to get the version of libvirt");
    return -1;
}

/* @device: the <cxl-dcd> of domain capabilities, whose first list is of models. */
static bool
vshCxlHasModel(xmlNodePtr device, const char *model)
{
    xmlNodePtr value = virCxlDcdXMLChild(virCxlDcdXMLChild(device, "enum"), "value");

    for (; value; value = virCxlDcdXMLNext(value->next, "value")) {
        g_autofree char *text = virCxlDcdXMLContent(value);

        if (g_str_equal(text, model))
            return true;
    }
    return false;
}

/* What the daemon reports about its QEMU. */
static void
vshCxlFindDaemon(vshCxlControl *ctl, vshCxlFound *found)
{
    char *xml = virConnectGetDomainCapabilities(ctl->conn, NULL, "x86_64", "q35", NULL, 0);
    g_autoptr(virCxlDcdXMLDoc) doc = xml ? virCxlDcdXMLParse(xml, "domain capabilities") : NULL;
    xmlNodePtr root = doc ? virCxlDcdXMLRoot(doc) : NULL;
    xmlNodePtr path = virCxlDcdXMLChild(root, "path");
    xmlNodePtr device = virCxlDcdXMLChild(virCxlDcdXMLChild(root, "devices"), "cxl-dcd");

    if (!doc)
        vshCxlFoundMissing(found,
                           "libvirt has no QEMU for x86_64 guests (%s): install one, 9.1 or later.",
                           virCxlDcdLastErrorMessage());
    free(xml);
    virResetLastError();

    found->emulator = path ? virCxlDcdXMLContent(path) : NULL;
    found->driver_in_daemon = device != NULL;
    if (device) {
        found->fixed = vshCxlAnswerOf(vshCxlHasModel(device, "static"));
        found->tagged = vshCxlAnswerOf(vshCxlHasModel(device, "tagged"));
    } else {
        vshCxlFoundMissing(found,
                           "The driver module is not in the daemon, and only virsh-cxl knows "
                           "<cxl-dcd>: to have it in every client, restart libvirtd or virtqemud "
                           "where its systemd drop-in is installed, or start it with "
                           "LD_PRELOAD=%s.",
                           found->driver);
    }
}

/* What the QEMU module adds if QEMU lacks it. */
static void
vshCxlFindModule(vshCxlFound *found)
{
    g_autoptr(qemuCxlDcdCapabilities) extended = NULL;

    found->by_module = VSH_CXL_ANSWER_NO;
    if (access(found->module, F_OK) < 0) {
        vshCxlFoundMissing(
            found,
            "The QEMU module, which gives tagged devices to this QEMU, is not at %s: "
            "install it there, or name it with LIBVIRT_CXL_DCD_QEMU_MODULE.",
            found->module);
        return;
    }
    extended = qemuCxlDcdCapabilitiesGet(found->emulator, found->module);
    found->by_module = vshCxlAnswerOf(extended && extended->tagged);
    if (found->by_module == VSH_CXL_ANSWER_NO)
        vshCxlFoundMissing(found,
                           "The QEMU module %s does not give tagged devices to this QEMU (%s): use "
                           "a QEMU that it is made for.",
                           found->module,
                           !extended             ? virCxlDcdLastErrorMessage()
                           : *extended->messages ? extended->messages
                                                 : "it gives no reason");
    virResetLastError();
}

/* What this host's QEMU reports. */
static void
vshCxlFindQemu(vshCxlFound *found)
{
    g_autoptr(qemuCxlDcdCapabilities) stock = qemuCxlDcdCapabilitiesGet(found->emulator, NULL);

    if (!stock) {
        vshCxlFoundMissing(found,
                           "What QEMU can do is not known (%s): check that this user can run it.",
                           virCxlDcdLastErrorMessage());
        virResetLastError();
        return;
    }
    found->version = g_strdup(stock->version);
    found->fixed = vshCxlAnswerOf(stock->fixed);
    found->by_qemu = vshCxlAnswerOf(stock->tagged);
    if (!stock->fixed)
        vshCxlFoundMissing(found,
                           "QEMU %s has no devices of the static model: QEMU 9.1 is the first that "
                           "has them.",
                           stock->version);
    if (stock->tagged) {
        found->tagged = VSH_CXL_ANSWER_YES;
        return;
    }
    vshCxlFindModule(found);
    found->tagged = found->by_module;
    if (found->tagged != VSH_CXL_ANSWER_YES)
        vshCxlFoundMissing(found,
                           "QEMU %s has no devices of the tagged model by itself: the series "
                           "\"Application Specific Tagged Memory Support in CXL Type 3 Devices\" "
                           "has them, or else the QEMU module gives them.",
                           stock->version);
}

static int
vshCxlFind(vshCxlControl *ctl, vshCxlFound *found)
{
    found->driver = vshCxlStockDriver();
    found->driver_there = access(found->driver, R_OK) == 0;
    found->module = qemuCxlDcdModulePath();
    found->local = virCxlDcdConnectIsLocal(ctl->conn);
    if (vshCxlFindVersions(ctl, found) < 0)
        return -1;
    if (!found->driver_there)
        vshCxlFoundMissing(found,
                           "virsh-cxl cannot give <cxl-dcd> to virsh's own commands: the driver "
                           "module is not at %s; install it there, or name it with "
                           "LIBVIRT_CXL_DCD_DRIVER.",
                           found->driver);
    vshCxlFindDaemon(ctl, found);
    if (found->emulator && found->local)
        vshCxlFindQemu(found);
    else if (found->emulator)
        vshCxlFoundMissing(found,
                           "QEMU is on another host, and cannot be asked from here: run virsh-cxl "
                           "cxl-dcd-capabilities there.");
    return 0;
}

/* --------------------------------------------------------------- reporting */

static char *
vshCxlFormatVersion(unsigned long version)
{
    return g_strdup_printf("%lu.%lu.%lu", version / 1000000, version / 1000 % 1000, version % 1000);
}

static const char *
vshCxlAnswerToString(vshCxlAnswer answer)
{
    return answer == VSH_CXL_ANSWER_YES ? "yes" : answer == VSH_CXL_ANSWER_NO ? "no" : "unknown";
}

static void
vshCxlFoundPrintTable(vshCxlControl *ctl, const vshCxlFound *found)
{
    g_autoptr(vshCxlTable) table = vshCxlTableNew("What", "Here", NULL);
    g_autofree char *library = vshCxlFormatVersion(found->library);
    g_autofree char *daemon = vshCxlFormatVersion(found->daemon);
    const struct {
        const char *what;
        const char *value;
    } rows[] = {
        {"libvirt library", library},
        {"libvirt daemon", daemon},
        {"driver module in the daemon", found->driver_in_daemon ? "yes" : "no"},
        {"driver module for virsh", found->driver_there ? found->driver : "no"},
        {"QEMU", found->emulator ? found->emulator : "no"},
        {"QEMU version", found->version ? found->version : "unknown"},
        {"static devices", vshCxlAnswerToString(found->fixed)},
        {"tagged devices", vshCxlAnswerToString(found->tagged)},
        {"tagged devices by QEMU itself", vshCxlAnswerToString(found->by_qemu)},
        {"tagged devices by the QEMU module", vshCxlAnswerToString(found->by_module)},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(rows); i++)
        vshCxlTableAppend(table, rows[i].what, rows[i].value, NULL);
    vshCxlPrintTable(ctl, table);

    for (i = 0; i < found->missing->len; i++) {
        g_autofree char *line = vshCxlTableEscape(g_ptr_array_index(found->missing, i), NULL);

        fprintf(ctl->out, "%s\n", line);
    }
    if (found->missing->len > 0)
        vshCxlPrintExtra(ctl, ctl->out, "\n");
}

static void
vshCxlFoundPrintJSON(vshCxlControl *ctl,
                     const vshCxlMember *members,
                     size_t n,
                     const GPtrArray *missing)
{
    g_autoptr(virCxlDcdJSONWriter) writer = virCxlDcdJSONWriterNew();
    g_autofree char *text = NULL;
    guint i;

    virCxlDcdJSONBeginObject(writer, NULL);
    vshCxlJSONAddMembers(writer, members, n);
    virCxlDcdJSONBeginArray(writer, "missing");
    for (i = 0; i < missing->len; i++)
        vshCxlJSONAddText(writer, NULL, g_ptr_array_index(missing, i));
    virCxlDcdJSONEndArray(writer);
    virCxlDcdJSONEndObject(writer);
    text = virCxlDcdJSONFinish(writer);
    fprintf(ctl->out, "%s\n", text);
}

static void
vshCxlFoundPrintXML(vshCxlControl *ctl,
                    const vshCxlMember *members,
                    size_t n,
                    const GPtrArray *missing)
{
    g_autoptr(GString) xml = g_string_new("<capabilities");
    guint i;

    vshCxlXMLAppendMembers(xml, members, n);
    g_string_append(xml, ">\n");
    for (i = 0; i < missing->len; i++) {
        const vshCxlMember sentence = {.name = "text", .text = g_ptr_array_index(missing, i)};

        g_string_append(xml, "  <missing");
        vshCxlXMLAppendMembers(xml, &sentence, 1);
        g_string_append(xml, "/>\n");
    }
    g_string_append(xml, "</capabilities>\n");
    fputs(xml->str, ctl->out);
}

/* For programs: unknown or absent values are left out. */
static void
vshCxlFoundPrint(vshCxlControl *ctl, const vshCxlFound *found, vshCxlFormat format)
{
    g_autofree char *library = vshCxlFormatVersion(found->library);
    g_autofree char *daemon = vshCxlFormatVersion(found->daemon);
    const char *module = found->by_module == VSH_CXL_ANSWER_YES ? found->module : NULL;
    const vshCxlMember members[] = {
        {"library", library, VSH_CXL_ANSWER_UNKNOWN},
        {"daemon", daemon, VSH_CXL_ANSWER_UNKNOWN},
        {"local", NULL, vshCxlAnswerOf(found->local)},
        {"driver-in-daemon", NULL, vshCxlAnswerOf(found->driver_in_daemon)},
        {"driver", found->driver_there ? found->driver : NULL, VSH_CXL_ANSWER_UNKNOWN},
        {"emulator", found->emulator, VSH_CXL_ANSWER_UNKNOWN},
        {"qemu", found->version, VSH_CXL_ANSWER_UNKNOWN},
        {"qemu-module", module, VSH_CXL_ANSWER_UNKNOWN},
        {"static", NULL, found->fixed},
        {"tagged", NULL, found->tagged},
        {"tagged-by-qemu", NULL, found->by_qemu},
        {"tagged-by-module", NULL, found->by_module},
    };

    if (format == VSH_CXL_FORMAT_JSON)
        vshCxlFoundPrintJSON(ctl, members, G_N_ELEMENTS(members), found->missing);
    else
        vshCxlFoundPrintXML(ctl, members, G_N_ELEMENTS(members), found->missing);
}

static int
cmdCxlDcdCapabilities(vshCxlControl *ctl, const vshCxlArgs *args)
{
    g_auto(vshCxlFound) found = {.missing = g_ptr_array_new_with_free_func(g_free)};

    if (vshCxlCheckWritable(ctl, "ask for the domain capabilities") < 0 || vshCxlConnect(ctl) < 0)
        return -1;
    if (vshCxlFind(ctl, &found) < 0)
        return -1;
    if (vshCxlGetFormat(args) == VSH_CXL_FORMAT_TABLE)
        vshCxlFoundPrintTable(ctl, &found);
    else
        vshCxlFoundPrint(ctl, &found, vshCxlGetFormat(args));
    return 0;
}

const vshCxlCmdDef vshCxlCmdCapabilities = {
    .name = "cxl-dcd-capabilities",
    .help = "show what libvirt and QEMU can do with CXL dynamic capacity",
    .desc = "Show what the libvirt, the QEMU and the modules of the connection's host can do\n"
            "with CXL dynamic capacity, and what would give what is missing.",
    .opts = vshCxlCmdCapabilitiesOpts,
    .handler = cmdCxlDcdCapabilities,
};
