/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-cmd-status.c: cxl-dcd-status, the devices and capacities of one domain
 */

#include "vsh-cxl-cmd.h"
#include "vsh-cxl-size.h"

static const vshCxlOptDef vshCxlCmdStatusOpts[] = {
    VSH_CXL_OPT_DEF_DOMAIN,
    {
        .name = "device",
        .type = VSH_CXL_OPT_STRING,
        .help = "alias of the device; all devices if not given",
    },
    {
        .name = "no-refresh",
        .type = VSH_CXL_OPT_BOOL,
        .help = "show the states as recorded, without asking QEMU",
    },
    {0},
};

static void
vshCxlCmdStatusAppend(vshCxlTable *table, const virDomainCxlDcdCapacity *capacity)
{
    g_autofree char *region = g_strdup_printf("%u", capacity->region);
    g_autofree char *offset = vshCxlSizeFormat(capacity->offset);
    g_autofree char *size = vshCxlSizeFormat(capacity->size);
    g_autofree char *since = g_strdup("-");

    if (capacity->since >= 0) {
        /* the clock that wrote it may be another host's, and ahead of ours */
        long long seconds = MAX(g_get_real_time() / G_USEC_PER_SEC - capacity->since, 0);

        g_free(since);
        since = g_strdup_printf("%lld s", seconds);
    }
    vshCxlTableAppend(table,
                      capacity->tag,
                      region,
                      offset,
                      size,
                      vshCxlStateToString(capacity->state),
                      since,
                      capacity->source ? capacity->source : "-",
                      NULL);
}

static void
vshCxlCmdStatusPrintDevice(vshCxlControl *ctl, const virDomainCxlDcdDevice *device)
{
    g_autoptr(vshCxlTable) table = NULL;
    g_autofree char *alias = vshCxlTableEscape(device->alias, NULL);
    g_autofree char *size = vshCxlSizeFormat(device->size);
    g_autofree char *accepted = vshCxlSizeFormat(device->accepted);
    g_autofree char *unused = NULL;
    unsigned long long left = device->size;
    size_t i;

    table = vshCxlTableNew("Tag", "Region", "Offset", "Size", "State", "Since", "Source", NULL);
    for (i = 0; i < device->ncapacities; i++) {
        const virDomainCxlDcdCapacity *capacity = &device->capacities[i];

        vshCxlCmdStatusAppend(table, capacity);
        if (capacity->state != VIR_DOMAIN_CXL_DCD_STATE_REJECTED)
            left -= MIN(capacity->size, left);
    }
    unused = vshCxlSizeFormat(left);

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

static int
cmdCxlDcdStatus(vshCxlControl *ctl, const vshCxlArgs *args)
{
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(GPtrArray) devices = NULL;
    const char *alias = vshCxlArgsString(args, "device");
    bool refresh = !ctl->readonly && !vshCxlArgsHas(args, "no-refresh");
    bool found = false;
    const char *name;
    size_t i;

    if (!(domain = vshCxlLookupDomain(ctl, args)))
        return -1;
    name = virDomainGetName(domain);
    if (!(devices = vshCxlGetDevices(domain, refresh ? VIR_DOMAIN_CXL_DCD_LIST_REFRESH : 0))) {
        vshCxlLibvirtError(ctl, "Failed to get the capacity of domain '%s'", name);
        return -1;
    }

    for (i = 0; i < devices->len; i++) {
        const virDomainCxlDcdDevice *device = g_ptr_array_index(devices, i);

        if (alias && !g_str_equal(device->alias, alias))
            continue;
        found = true;
        vshCxlCmdStatusPrintDevice(ctl, device);
    }
    if (!found) {
        vshCxlErrorNoDevice(ctl, domain, alias);
        return -1;
    }
    return 0;
}

const vshCxlCmdDef vshCxlCmdStatus = {
    .name = "cxl-dcd-status",
    .help = "show the CXL dynamic capacity of a domain",
    .desc = "Show each CXL dynamic capacity device of a running domain and its capacities:\n"
            "where they are, their state and for how long they have been in it. QEMU is\n"
            "asked first, unless the connection is read-only.",
    .opts = vshCxlCmdStatusOpts,
    .handler = cmdCxlDcdStatus,
};
