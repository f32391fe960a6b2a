/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-cmd-list.c: cxl-dcd-list, the capacities of all running domains
 *
 * A view of a whole host must not hang on one busy guest: it shows what is
 * recorded and asks no QEMU. Domains come and go while it is made; one that is
 * gone is left out.
 */

#include <libvirt/virterror.h>
#include <string.h>

#include "vsh-cxl-cmd.h"
#include "vsh-cxl-size.h"

static const vshCxlOptDef vshCxlCmdListOpts[] = {
    {
        .name = "all",
        .type = VSH_CXL_OPT_BOOL,
        .help = "list also devices that hold no capacity",
    },
    {
        .name = "state",
        .type = VSH_CXL_OPT_STRING,
        .help = "only capacities in this state: adding, pending, accepted, rejected, releasing",
    },
    {0},
};

/**
 * vshCxlCmdListGetState:
 * @ctl: the run
 * @args: the arguments
 * @state: filled with the state that is asked for, -1 if any
 *
 * Returns 0 on success, -1 with the error reported.
 */
static int
vshCxlCmdListGetState(vshCxlControl *ctl, const vshCxlArgs *args, int *state)
{
    const char *name = vshCxlArgsString(args, "state");

    *state = -1;
    if (!name)
        return 0;
    for (*state = VIR_DOMAIN_CXL_DCD_STATE_ADDING; *state <= VIR_DOMAIN_CXL_DCD_STATE_RELEASING;
         (*state)++) {
        if (g_str_equal(vshCxlStateToString(*state), name))
            return 0;
    }
    vshCxlError(ctl,
                "Invalid value '%s' for <state> option: expected adding, pending, accepted, "
                "rejected or releasing",
                name);
    return -1;
}

static void
vshCxlCmdListAppend(vshCxlTable *table,
                    virDomainPtr domain,
                    const virDomainCxlDcdDevice *device,
                    const virDomainCxlDcdCapacity *capacity)
{
    g_autofree char *region = g_strdup_printf("%u", capacity->region);
    g_autofree char *offset = vshCxlSizeFormat(capacity->offset);
    g_autofree char *size = vshCxlSizeFormat(capacity->size);

    vshCxlTableAppend(table,
                      virDomainGetName(domain),
                      device->alias,
                      capacity->tag,
                      region,
                      offset,
                      size,
                      vshCxlStateToString(capacity->state),
                      NULL);
}

/**
 * vshCxlCmdListDomain:
 * @ctl: the run
 * @table: where the rows go
 * @domain: the domain
 * @state: the state of a capacity to be listed, -1 for any
 * @all: whether a device without capacity gets a row
 *
 * Returns 0 on success, also where there is nothing to list; otherwise -1 with the
 * error reported.
 */
static int
vshCxlCmdListDomain(vshCxlControl *ctl,
                    vshCxlTable *table,
                    virDomainPtr domain,
                    int state,
                    bool all)
{
    const char *name = virDomainGetName(domain);
    g_autoptr(GPtrArray) devices = vshCxlGetDevices(domain, 0);
    size_t i;
    size_t j;

    if (!devices) {
        int code = virGetLastErrorCode();

        /* it is gone; it no longer runs, or has no device */
        if (code == VIR_ERR_NO_DOMAIN || code == VIR_ERR_OPERATION_INVALID)
            return 0;
        vshCxlLibvirtError(ctl, "Failed to get the capacity of domain '%s'", name);
        return -1;
    }

    for (i = 0; i < devices->len; i++) {
        const virDomainCxlDcdDevice *device = g_ptr_array_index(devices, i);

        for (j = 0; j < device->ncapacities; j++) {
            if (state < 0 || device->capacities[j].state == state)
                vshCxlCmdListAppend(table, domain, device, &device->capacities[j]);
        }
        if (all && device->ncapacities == 0) {
            vshCxlTableAppend(table, name, device->alias, "-", "-", "-", "-", "-", NULL);
        }
    }
    return 0;
}

static int
vshCxlCmdListCompare(const void *a, const void *b)
{
    return strcmp(virDomainGetName(*(const virDomainPtr *)a),
                  virDomainGetName(*(const virDomainPtr *)b));
}

static int
cmdCxlDcdList(vshCxlControl *ctl, const vshCxlArgs *args)
{
    g_autofree virDomainPtr *domains = NULL;
    g_autoptr(vshCxlTable) table = NULL;
    int ndomains;
    int state;
    int ret = 0;
    int i;

    if (vshCxlCheckExclusive(ctl, args, "all", "state") < 0 ||
        vshCxlCmdListGetState(ctl, args, &state) < 0 || vshCxlConnect(ctl) < 0)
        return -1;

    ndomains = virConnectListAllDomains(ctl->conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE);
    if (ndomains < 0) {
        vshCxlLibvirtError(ctl, "Failed to list domains");
        return -1;
    }
    qsort(domains, (size_t)ndomains, sizeof(*domains), vshCxlCmdListCompare);

    table = vshCxlTableNew("Domain", "Device", "Tag", "Region", "Offset", "Size", "State", NULL);
    for (i = 0; i < ndomains; i++) {
        if (vshCxlCmdListDomain(ctl, table, domains[i], state, vshCxlArgsHas(args, "all")) < 0)
            ret = -1;
        virDomainFree(domains[i]);
    }
    vshCxlPrintTable(ctl, table);
    return ret;
}

const vshCxlCmdDef vshCxlCmdList = {
    .name = "cxl-dcd-list",
    .help = "list the CXL dynamic capacity of all running domains",
    .desc = "List the capacities of all running domains, in the states that are recorded;\n"
            "cxl-dcd-status asks QEMU. Domains without <cxl-dcd> are not listed.",
    .opts = vshCxlCmdListOpts,
    .handler = cmdCxlDcdList,
};
