/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-cmd-list.c: cxl-dcd-list, the capacities of all domains
 *
 * An overview of a whole host must not hang on one busy guest: it shows what is recorded
 * and asks no QEMU. Domains come and go while it is being collected; one that has gone is
 * left out.
 */

#include <libvirt/virterror.h>
#include <string.h>

#include "vsh-cxl-cmd.h"
#include "vsh-cxl-size.h"
#include "vsh-cxl-view.h"

/* In the order of virDomainCxlDcdState. */
static const char *const vshCxlCmdListStates[] = {
    VSH_CXL_STATE_CONFIGURED,
    "adding",
    "pending",
    "accepted",
    "rejected",
    "releasing",
    NULL,
};

static const vshCxlOptDef vshCxlCmdListOpts[] = {
    {
        .name = "all",
        .type = VSH_CXL_OPT_BOOL,
        .help = "list also domains that are not running, and devices that hold no capacity",
    },
    {
        .name = "state",
        .type = VSH_CXL_OPT_STRING,
        .values = vshCxlCmdListStates,
        .help = "only capacities in this state: adding, pending, accepted, rejected, releasing, or "
                "configured in domains that are not running",
    },
    {
        .name = "tag",
        .type = VSH_CXL_OPT_STRING,
        .fault = vshCxlTagFault,
        .help = "only the capacity with this UUID",
    },
    {
        .name = "device",
        .type = VSH_CXL_OPT_STRING,
        .help = "only devices with this alias",
    },
    VSH_CXL_OPT_DEF_FORMAT,
    {0},
};

/* @filter: filled in from the options. */
static void
vshCxlCmdListGetFilter(const vshCxlArgs *args, vshCxlFilter *filter)
{
    filter->device = vshCxlArgsString(args, "device");
    filter->tag = vshCxlArgsString(args, "tag");
    filter->state = vshCxlArgsChoice(args, "state");
    filter->empty = vshCxlArgsHas(args, "all") && !filter->tag && filter->state < 0;
}

/**
 * vshCxlCmdListDomain:
 * @ctl: the run
 * @domain: the domain
 * @filter: which capacities to list
 * @view: filled with what there is to list; NULL if there is nothing
 *
 * Returns 0 on success, otherwise -1 with the error reported.
 */
static int
vshCxlCmdListDomain(vshCxlControl *ctl,
                    virDomainPtr domain,
                    const vshCxlFilter *filter,
                    vshCxlDomainView **view)
{
    const char *name = virDomainGetName(domain);
    g_autoptr(GPtrArray) devices = NULL;
    int active = virDomainIsActive(domain);

    *view = NULL;
    if (active >= 0)
        devices = vshCxlGetDevices(domain, active ? 0 : VIR_DOMAIN_CXL_DCD_LIST_CONFIG);
    if (!devices) {
        int code = virGetLastErrorCode();

        /* it is gone, was started or stopped in the meantime, or has no device */
        if (code == VIR_ERR_NO_DOMAIN || code == VIR_ERR_OPERATION_INVALID)
            return 0;
        vshCxlLibvirtError(ctl, "Failed to get the capacity of domain '%s'", name);
        return -1;
    }
    *view = vshCxlDomainViewNew(domain, devices, filter);
    (*view)->active = active;
    (*view)->config = !active;
    if ((*view)->devices->len == 0) {
        vshCxlDomainViewFree(*view);
        *view = NULL;
    }
    return 0;
}

static int
vshCxlCmdListCompare(const void *a, const void *b)
{
    return strcmp(virDomainGetName(*(const virDomainPtr *)a),
                  virDomainGetName(*(const virDomainPtr *)b));
}

/**
 * vshCxlCmdListDomains:
 * @ctl: the run, connected
 * @filter: which capacities to list
 * @flags: virConnectListAllDomainsFlags
 * @views: the domains are appended here, sorted by name
 *
 * If one domain fails, the others are still listed.
 *
 * Returns 0, or -1 with each error reported.
 */
static int
vshCxlCmdListDomains(vshCxlControl *ctl,
                     const vshCxlFilter *filter,
                     unsigned int flags,
                     GPtrArray *views)
{
    g_autofree virDomainPtr *domains = NULL;
    int ndomains = virConnectListAllDomains(ctl->conn, &domains, flags);
    int ret = 0;
    int i;

    if (ndomains < 0) {
        vshCxlLibvirtError(ctl, "Failed to list domains");
        return -1;
    }
    qsort(domains, (size_t)ndomains, sizeof(*domains), vshCxlCmdListCompare);
    for (i = 0; i < ndomains; i++) {
        vshCxlDomainView *view;

        if (vshCxlCmdListDomain(ctl, domains[i], filter, &view) < 0)
            ret = -1;
        else if (view)
            g_ptr_array_add(views, view);
        virDomainFree(domains[i]);
    }
    return ret;
}

/* ------------------------------------------------------------------ tables */

static void
vshCxlCmdListAppend(vshCxlTable *table,
                    const char *name,
                    const char *alias,
                    const virDomainCxlDcdCapacity *capacity)
{
    g_autofree char *region = g_strdup_printf("%u", capacity->region);
    g_autofree char *offset = vshCxlSizeFormat(capacity->offset);
    g_autofree char *size = vshCxlSizeFormat(capacity->size);

    vshCxlTableAppend(table,
                      name,
                      alias,
                      capacity->tag,
                      region,
                      offset,
                      size,
                      vshCxlStateToString(capacity->state),
                      NULL);
}

static void
vshCxlCmdListAppendDomain(vshCxlTable *table, const vshCxlDomainView *view)
{
    guint i;
    guint j;

    for (i = 0; i < view->devices->len; i++) {
        const vshCxlDeviceView *device = g_ptr_array_index(view->devices, i);
        const char *alias = device->device->alias;

        for (j = 0; j < device->capacities->len; j++)
            vshCxlCmdListAppend(table, view->name, alias, g_ptr_array_index(device->capacities, j));
        if (device->capacities->len == 0)
            vshCxlTableAppend(table, view->name, alias, "-", "-", "-", "-", "-", NULL);
    }
}

static void
vshCxlCmdListPrintTable(vshCxlControl *ctl, const GPtrArray *views)
{
    g_autoptr(vshCxlTable) table = NULL;
    guint i;

    table = vshCxlTableNew("Domain", "Device", "Tag", "Region", "Offset", "Size", "State", NULL);
    for (i = 0; i < views->len; i++)
        vshCxlCmdListAppendDomain(table, g_ptr_array_index(views, i));
    vshCxlPrintTable(ctl, table);
}

static int
cmdCxlDcdList(vshCxlControl *ctl, const vshCxlArgs *args)
{
    g_autoptr(GPtrArray) views =
        g_ptr_array_new_with_free_func((GDestroyNotify)vshCxlDomainViewFree);
    g_autofree char *text = NULL;
    unsigned int flags = VIR_CONNECT_LIST_DOMAINS_ACTIVE;
    vshCxlFilter filter;
    int ret;

    vshCxlCmdListGetFilter(args, &filter);
    if (vshCxlConnect(ctl) < 0)
        return -1;
    if (filter.state == VIR_DOMAIN_CXL_DCD_STATE_NONE)
        flags = VIR_CONNECT_LIST_DOMAINS_INACTIVE;
    else if (vshCxlArgsHas(args, "all"))
        flags |= VIR_CONNECT_LIST_DOMAINS_INACTIVE;
    ret = vshCxlCmdListDomains(ctl, &filter, flags, views);
    if (ret < 0 && views->len == 0)
        return ret;

    switch (vshCxlGetFormat(args)) {
    case VSH_CXL_FORMAT_JSON:
        text = vshCxlDomainViewsFormatJSON(views);
        break;
    case VSH_CXL_FORMAT_XML:
        text = vshCxlDomainViewsFormatXML(views);
        break;
    case VSH_CXL_FORMAT_TABLE:
        vshCxlCmdListPrintTable(ctl, views);
        return ret;
    }
    fputs(text, ctl->out);
    return ret;
}

const vshCxlCmdDef vshCxlCmdList = {
    .name = "cxl-dcd-list",
    .help = "list the CXL dynamic capacity of all domains",
    .desc = "List the capacities of all running domains, in the states that are recorded;\n"
            "cxl-dcd-status asks QEMU. Domains without <cxl-dcd> are not listed.",
    .opts = vshCxlCmdListOpts,
    .handler = cmdCxlDcdList,
};
