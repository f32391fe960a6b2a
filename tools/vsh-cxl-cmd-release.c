/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-cmd-release.c: cxl-dcd-release, ask capacity back from the guest
 *
 * One capacity and all of them go the same way: first every release is asked
 * for, so that the guest works on all at once, then each is waited for, under
 * one deadline. A failure of one does not keep the others from being released.
 */

#include <libvirt/virterror.h>

#include "vsh-cxl-cmd.h"

static const vshCxlOptDef vshCxlCmdReleaseOpts[] = {
    VSH_CXL_OPT_DEF_DOMAIN,
    {
        .name = "tag",
        .type = VSH_CXL_OPT_STRING,
        .help = "UUID of the capacity",
    },
    {
        .name = "all",
        .type = VSH_CXL_OPT_BOOL,
        .help = "release every capacity of the domain, or of the device if one is named",
    },
    {
        .name = "device",
        .type = VSH_CXL_OPT_STRING,
        .help = "alias of the device",
    },
    {
        .name = "wait",
        .type = VSH_CXL_OPT_BOOL,
        .help = "wait until the guest has given the capacity back",
    },
    {
        .name = "timeout",
        .type = VSH_CXL_OPT_INT,
        .help = "with --wait, give up waiting after this many seconds",
    },
    {0},
};

/**
 * vshCxlCmdReleaseGetAll:
 * @ctl: the run
 * @domain: the domain
 * @device: the alias of a device, NULL for all
 *
 * Returns the tags of all capacities, or NULL with the error reported.
 */
static GPtrArray *
vshCxlCmdReleaseGetAll(vshCxlControl *ctl, virDomainPtr domain, const char *device)
{
    g_autoptr(GPtrArray) devices = NULL;
    g_autoptr(GPtrArray) tags = g_ptr_array_new_with_free_func(g_free);
    const char *name = virDomainGetName(domain);
    bool found = false;
    size_t i;
    size_t j;

    if (!(devices = vshCxlGetDevices(domain, VIR_DOMAIN_CXL_DCD_LIST_REFRESH))) {
        vshCxlLibvirtError(ctl, "Failed to list the capacity of domain '%s'", name);
        return NULL;
    }

    for (i = 0; i < devices->len; i++) {
        virDomainCxlDcdDevicePtr one = g_ptr_array_index(devices, i);

        if (device && !g_str_equal(one->alias, device))
            continue;
        found = true;
        for (j = 0; j < one->ncapacities; j++)
            g_ptr_array_add(tags, g_strdup(one->capacities[j].tag));
    }

    if (!found) {
        vshCxlErrorNoDevice(ctl, domain, device);
        return NULL;
    }
    return g_steal_pointer(&tags);
}

/**
 * vshCxlCmdReleaseWait:
 * @ctl: the run
 * @domain: the domain
 * @tag: the capacity, which was asked back
 * @timeout: milliseconds, -1 for no end
 *
 * Returns 0 once it is gone, -1 with the error reported.
 */
static int
vshCxlCmdReleaseWait(vshCxlControl *ctl, virDomainPtr domain, const char *tag, long long timeout)
{
    const char *name = virDomainGetName(domain);
    int state = virDomainCxlDcdWait(domain, tag, timeout, 0);

    if (state == VIR_DOMAIN_CXL_DCD_STATE_NONE) {
        vshCxlPrintExtra(ctl, ctl->out, "Capacity %s released\n", tag);
        return 0;
    }
    if (state >= 0) {
        vshCxlError(ctl,
                    "Failed to release capacity %s: it is now in state '%s'",
                    tag,
                    vshCxlStateToString(state));
    } else if (virGetLastErrorCode() == VIR_ERR_OPERATION_TIMEOUT) {
        vshCxlLibvirtError(ctl,
                           "Capacity %s stays asked back from the guest of domain '%s'",
                           tag,
                           name);
    } else {
        vshCxlLibvirtError(ctl, "Failed to wait for the release of capacity %s", tag);
    }
    return -1;
}

/* A capacity that was there when --all looked, and that the guest has given back since. */
static bool
vshCxlCmdReleaseIsGone(const vshCxlArgs *args)
{
    return vshCxlArgsHas(args, "all") && virGetLastErrorCode() == VIR_ERR_DEVICE_MISSING;
}

/**
 * vshCxlCmdReleaseTags:
 * @ctl: the run
 * @domain: the domain
 * @args: the arguments
 * @tags: the capacities; those that fail are removed
 *
 * Returns 0 if all were asked back, otherwise -1 with each error reported.
 */
static int
vshCxlCmdReleaseTags(vshCxlControl *ctl,
                     virDomainPtr domain,
                     const vshCxlArgs *args,
                     GPtrArray *tags)
{
    const char *device = vshCxlArgsString(args, "device");
    const char *name = virDomainGetName(domain);
    guint i = 0;
    int ret = 0;

    while (i < tags->len) {
        const char *tag = g_ptr_array_index(tags, i);

        if (virDomainCxlDcdRelease(domain, device, tag, VIR_DOMAIN_AFFECT_LIVE) < 0 &&
            !vshCxlCmdReleaseIsGone(args)) {
            vshCxlLibvirtError(ctl, "Failed to release capacity %s of domain '%s'", tag, name);
            g_ptr_array_remove_index(tags, i);
            ret = -1;
            continue;
        }
        if (!vshCxlArgsHas(args, "wait"))
            vshCxlPrintExtra(ctl, ctl->out, "Release of capacity %s requested\n", tag);
        i++;
    }
    return ret;
}

static int
cmdCxlDcdRelease(vshCxlControl *ctl, const vshCxlArgs *args)
{
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(GPtrArray) tags = NULL;
    long long timeout;
    gint64 start;
    size_t i;
    int ret;

    if (vshCxlCheckExclusive(ctl, args, "tag", "all") < 0 || vshCxlTimeout(ctl, args, &timeout) < 0)
        return -1;
    if (!vshCxlArgsHas(args, "tag") && !vshCxlArgsHas(args, "all")) {
        vshCxlError(ctl, "command 'cxl-dcd-release' requires --tag or --all option");
        return -1;
    }
    if (!(domain = vshCxlLookupDomain(ctl, args)))
        return -1;

    if (vshCxlArgsHas(args, "all")) {
        tags = vshCxlCmdReleaseGetAll(ctl, domain, vshCxlArgsString(args, "device"));
        if (!tags)
            return -1;
        if (tags->len == 0)
            vshCxlPrintExtra(ctl, ctl->out, "No capacity to release\n");
    } else {
        tags = g_ptr_array_new_with_free_func(g_free);
        g_ptr_array_add(tags, g_strdup(vshCxlArgsString(args, "tag")));
    }

    ret = vshCxlCmdReleaseTags(ctl, domain, args, tags);
    if (!vshCxlArgsHas(args, "wait"))
        return ret;

    start = g_get_monotonic_time();
    for (i = 0; i < tags->len; i++) {
        long long spent = (g_get_monotonic_time() - start) / 1000;
        long long left = timeout < 0 ? -1 : MAX(timeout - spent, 0);

        if (vshCxlCmdReleaseWait(ctl, domain, g_ptr_array_index(tags, i), left) < 0)
            ret = -1;
    }
    return ret;
}

const vshCxlCmdDef vshCxlCmdRelease = {
    .name = "cxl-dcd-release",
    .help = "ask CXL dynamic capacity back from the guest",
    .desc = "Release capacity of a running domain: ask the guest to give it back, which it\n"
            "does in its own time. A capacity that the guest refused is only forgotten.",
    .opts = vshCxlCmdReleaseOpts,
    .handler = cmdCxlDcdRelease,
};
