/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-cmd-status.c: cxl-dcd-status, the devices and capacities of one domain
 *
 * QEMU is asked unless the user opts out: a daemon without the driver module does not
 * follow guests by itself, so this command is what brings the record up to date. If QEMU
 * cannot be asked (a read-only connection, a monitor that does not respond), the record
 * is still worth showing; --refresh makes that an error instead. For a domain that is not
 * running, the definition is shown.
 */

#include <libvirt/virterror.h>

#include "vsh-cxl-cmd.h"
#include "vsh-cxl-size.h"
#include "vsh-cxl-view.h"

static const vshCxlOptDef vshCxlCmdStatusOpts[] = {
    VSH_CXL_OPT_DEF_DOMAIN,
    {
        .name = "device",
        .type = VSH_CXL_OPT_STRING,
        .help = "alias of the device; all devices if not given",
    },
    {
        .name = "refresh",
        .type = VSH_CXL_OPT_BOOL,
        .help = "fail if QEMU cannot be asked for the states",
    },
    {
        .name = "no-refresh",
        .type = VSH_CXL_OPT_BOOL,
        .help = "show the states as recorded, without asking QEMU",
    },
    {
        .name = "config",
        .type = VSH_CXL_OPT_BOOL,
        .help = "show the definition, also of a running domain",
    },
    VSH_CXL_OPT_DEF_FORMAT,
    {0},
};

/* How long ago @since was, in its two largest units, such as "3 min 20 s". */
static char *
vshCxlCmdStatusFormatAge(long long since)
{
    static const struct {
        long long seconds;
        const char *name;
    } units[] = {{86400, "d"}, {3600, "h"}, {60, "min"}, {1, "s"}};
    /* it may have been written by another host's clock, ahead of ours */
    long long age = MAX(g_get_real_time() / G_USEC_PER_SEC - since, 0);
    size_t i = 0;

    if (since < 0)
        return g_strdup("-");
    while (age < units[i].seconds && i + 1 < G_N_ELEMENTS(units))
        i++;
    if (i + 1 == G_N_ELEMENTS(units))
        return g_strdup_printf("%lld %s", age, units[i].name);
    return g_strdup_printf("%lld %s %lld %s",
                           age / units[i].seconds,
                           units[i].name,
                           age % units[i].seconds / units[i + 1].seconds,
                           units[i + 1].name);
}

static void
vshCxlCmdStatusAppend(vshCxlTable *table, const virDomainCxlDcdCapacity *capacity)
{
    g_autofree char *region = g_strdup_printf("%u", capacity->region);
    g_autofree char *offset = vshCxlSizeFormat(capacity->offset);
    g_autofree char *size = vshCxlSizeFormat(capacity->size);
    g_autofree char *age = vshCxlCmdStatusFormatAge(capacity->since);

    vshCxlTableAppend(table,
                      capacity->tag,
                      region,
                      offset,
                      size,
                      vshCxlStateToString(capacity->state),
                      age,
                      capacity->source ? capacity->source : "-",
                      NULL);
}

static void
vshCxlCmdStatusPrintDevice(vshCxlControl *ctl, const vshCxlDeviceView *view)
{
    const virDomainCxlDcdDevice *device = view->device;
    g_autoptr(vshCxlTable) table = NULL;
    g_autofree char *alias = vshCxlTableEscape(device->alias, NULL);
    g_autofree char *size = vshCxlSizeFormat(device->size);
    g_autofree char *accepted = vshCxlSizeFormat(device->accepted);
    g_autofree char *unused = vshCxlSizeFormat(view->free);
    guint i;

    table = vshCxlTableNew("Tag", "Region", "Offset", "Size", "State", "For", "Source", NULL);
    for (i = 0; i < view->capacities->len; i++)
        vshCxlCmdStatusAppend(table, g_ptr_array_index(view->capacities, i));
    fprintf(ctl->out,
            "Device: %s   Model: %s   Regions: %u   Size: %s   Accepted: %s   Free: %s\n",
            alias,
            device->model == VIR_DOMAIN_CXL_DCD_MODEL_STATIC ? "static" : "tagged",
            device->regions,
            size,
            accepted,
            unused);
    vshCxlPrintExtra(ctl, ctl->out, "\n");
    vshCxlPrintTable(ctl, table);
}

static void
vshCxlCmdStatusPrint(vshCxlControl *ctl, const vshCxlArgs *args, const vshCxlDomainView *view)
{
    g_autofree char *text = NULL;
    guint i;

    switch (vshCxlGetFormat(args)) {
    case VSH_CXL_FORMAT_JSON:
        text = vshCxlDomainViewFormatJSON(view);
        break;
    case VSH_CXL_FORMAT_XML:
        text = vshCxlDomainViewFormatXML(view);
        break;
    case VSH_CXL_FORMAT_TABLE:
        if (!view->active)
            vshCxlPrintExtra(ctl,
                             ctl->err,
                             "Domain '%s' is not running: this is its definition\n",
                             view->name);
        for (i = 0; i < view->devices->len; i++)
            vshCxlCmdStatusPrintDevice(ctl, g_ptr_array_index(view->devices, i));
        return;
    }
    fputs(text, ctl->out);
}

/**
 * vshCxlCmdStatusLoad:
 * @ctl: the run
 * @args: the arguments
 * @domain: the domain
 * @active: whether it is running
 * @refreshed: set to whether QEMU was asked
 *
 * Returns the domain's devices, or NULL with libvirt's error set and not yet reported.
 */
static GPtrArray *
vshCxlCmdStatusLoad(vshCxlControl *ctl,
                    const vshCxlArgs *args,
                    virDomainPtr domain,
                    bool active,
                    bool *refreshed)
{
    g_autofree char *reason = NULL;
    GPtrArray *devices;

    *refreshed = false;
    if (!active || vshCxlArgsHas(args, "config"))
        return vshCxlGetDevices(domain, VIR_DOMAIN_CXL_DCD_LIST_CONFIG);
    if (ctl->readonly || vshCxlArgsHas(args, "no-refresh"))
        return vshCxlGetDevices(domain, 0);

    *refreshed = true;
    devices = vshCxlGetDevices(domain, VIR_DOMAIN_CXL_DCD_LIST_REFRESH);
    if (devices || vshCxlArgsHas(args, "refresh"))
        return devices;

    *refreshed = false;
    reason = g_strdup(virGetLastErrorMessage());
    if ((devices = vshCxlGetDevices(domain, 0)))
        vshCxlWarning(ctl,
                      "the states of domain '%s' could not be brought up to date and are those "
                      "recorded: %s",
                      virDomainGetName(domain),
                      reason);
    return devices;
}

static int
vshCxlCmdStatusCheck(vshCxlControl *ctl, const vshCxlArgs *args)
{
    if (vshCxlCheckExclusive(ctl, args, "refresh", "no-refresh") < 0 ||
        vshCxlCheckExclusive(ctl, args, "refresh", "config") < 0)
        return -1;
    return vshCxlArgsHas(args, "refresh") ? vshCxlCheckWritable(ctl, "ask QEMU") : 0;
}

/* Check that the domain has what the options ask for. Returns 1 if it is running, 0 if not, -1
 * with the error reported. */
static int
vshCxlCmdStatusCheckDomain(vshCxlControl *ctl, const vshCxlArgs *args, virDomainPtr domain)
{
    const char *name = virDomainGetName(domain);
    int active = virDomainIsActive(domain);
    int persistent = active < 0 ? -1 : virDomainIsPersistent(domain);

    if (persistent < 0) {
        vshCxlLibvirtError(ctl, "Failed to find out whether domain '%s' is running", name);
        return -1;
    }
    if (!active && vshCxlArgsHas(args, "refresh")) {
        vshCxlError(ctl,
                    "domain '%s' is not running, and has no QEMU to ask: start it, or leave out "
                    "--refresh",
                    name);
        return -1;
    }
    if (vshCxlArgsHas(args, "config") && vshCxlCheckPersistent(ctl, name, persistent) < 0)
        return -1;
    return active;
}

static int
cmdCxlDcdStatus(vshCxlControl *ctl, const vshCxlArgs *args)
{
    const vshCxlFilter filter = {.state = -1, .empty = true};
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(GPtrArray) devices = NULL;
    g_autoptr(vshCxlDomainView) view = NULL;
    bool refreshed;
    const char *name;
    int active;

    if (vshCxlCmdStatusCheck(ctl, args) < 0 || !(domain = vshCxlLookupDomain(ctl, args)) ||
        (active = vshCxlCmdStatusCheckDomain(ctl, args, domain)) < 0)
        return -1;
    name = virDomainGetName(domain);
    if (!(devices = vshCxlCmdStatusLoad(ctl, args, domain, active, &refreshed))) {
        vshCxlLibvirtError(ctl, "Failed to get the capacity of domain '%s'", name);
        return -1;
    }
    if (vshCxlSelectDevice(ctl, domain, devices, vshCxlArgsString(args, "device")) < 0)
        return -1;

    view = vshCxlDomainViewNew(domain, devices, &filter);
    view->active = active;
    view->config = !active || vshCxlArgsHas(args, "config");
    view->refreshed = refreshed;
    vshCxlCmdStatusPrint(ctl, args, view);
    return 0;
}

const vshCxlCmdDef vshCxlCmdStatus = {
    .name = "cxl-dcd-status",
    .help = "show the CXL dynamic capacity of a domain",
    .desc = "Show each CXL dynamic capacity device of a domain and its capacities: where they\n"
            "are, their state and for how long they have been in it. QEMU is asked first,\n"
            "unless the connection is read-only. Of a domain that is not running the\n"
            "definition is shown.",
    .opts = vshCxlCmdStatusOpts,
    .handler = cmdCxlDcdStatus,
};
