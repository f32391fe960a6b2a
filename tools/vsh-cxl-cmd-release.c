/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-cmd-release.c: cxl-dcd-release, ask the guest to give capacity back
 *
 * Releasing one capacity and releasing all work the same way: first every release is
 * requested, so that the guest can work on all of them at once, then each is waited for,
 * under one common deadline. If one fails, the others are still released.
 */

#include <libvirt/virterror.h>

#include "vsh-cxl-cmd.h"
#include "vsh-cxl-wait.h"

/* One capacity to release. */
typedef struct {
    char *tag;
    unsigned int impact; /* VIR_DOMAIN_AFFECT_LIVE, VIR_DOMAIN_AFFECT_CONFIG */
} vshCxlRelease;

/* QEMU's names, in the order of vshCxlPolicyFlags. */
static const char *const vshCxlPolicyNames[] = {"tag-based", "prescriptive", NULL};

static const unsigned int vshCxlPolicyFlags[] = {
    VIR_DOMAIN_CXL_DCD_RELEASE_TAG_BASED,
    VIR_DOMAIN_CXL_DCD_RELEASE_PRESCRIPTIVE,
};

/* Options that only make sense with a guest. */
static const char *const vshCxlCmdReleaseLiveOnly[] = {"wait", "removal-policy", "force", NULL};

static const vshCxlOptDef vshCxlCmdReleaseOpts[] = {
    VSH_CXL_OPT_DEF_DOMAIN,
    {
        .name = "tag",
        .type = VSH_CXL_OPT_STRING,
        .fault = vshCxlTagFault,
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
        .name = "removal-policy",
        .type = VSH_CXL_OPT_STRING,
        .values = vshCxlPolicyNames,
        .help = "how the guest is asked: tag-based or prescriptive (default: as the device can)",
    },
    {
        .name = "force",
        .type = VSH_CXL_OPT_BOOL,
        .help = "take the capacity away without the guest's consent, if QEMU can",
    },
    VSH_CXL_OPT_DEF_CONFIG,
    VSH_CXL_OPT_DEF_LIVE,
    VSH_CXL_OPT_DEF_CURRENT,
    {
        .name = "wait",
        .type = VSH_CXL_OPT_BOOL,
        .help = "wait until the guest has given the capacity back",
    },
    {
        .name = "timeout",
        .type = VSH_CXL_OPT_INT,
        .min = 1,
        .help = "with --wait, give up waiting after this many seconds",
    },
    {0},
};

static void
vshCxlReleaseFree(void *data)
{
    vshCxlRelease *release = data;

    g_free(release->tag);
    g_free(release);
}

/* Add @tag to the list, or @impact to its entry if it is there already. */
static void
vshCxlReleaseNote(GPtrArray *releases, const char *tag, unsigned int impact)
{
    vshCxlRelease *release;
    guint i;

    for (i = 0; i < releases->len; i++) {
        release = g_ptr_array_index(releases, i);
        if (g_str_equal(release->tag, tag)) {
            release->impact |= impact;
            return;
        }
    }
    release = g_new0(vshCxlRelease, 1);
    release->tag = g_strdup(tag);
    release->impact = impact;
    g_ptr_array_add(releases, release);
}

/**
 * vshCxlCmdReleaseNoteAll:
 * @ctl: the run
 * @domain: the domain
 * @device: the alias of a device, NULL for all
 * @impact: VIR_DOMAIN_AFFECT_LIVE or VIR_DOMAIN_AFFECT_CONFIG
 * @releases: all capacities found are added here
 *
 * Returns 0, or -1 with the error reported.
 */
static int
vshCxlCmdReleaseNoteAll(vshCxlControl *ctl,
                        virDomainPtr domain,
                        const char *device,
                        unsigned int impact,
                        GPtrArray *releases)
{
    g_autoptr(GPtrArray) devices = NULL;
    const char *name = virDomainGetName(domain);
    guint i;
    size_t j;

    devices = vshCxlGetDevices(domain,
                               impact == VIR_DOMAIN_AFFECT_LIVE ? VIR_DOMAIN_CXL_DCD_LIST_REFRESH
                                                                : VIR_DOMAIN_CXL_DCD_LIST_CONFIG);
    if (!devices) {
        vshCxlLibvirtError(ctl, "Failed to list the capacity of domain '%s'", name);
        return -1;
    }
    if (vshCxlSelectDevice(ctl, domain, devices, device) < 0)
        return -1;
    for (i = 0; i < devices->len; i++) {
        const virDomainCxlDcdDevice *one = g_ptr_array_index(devices, i);

        for (j = 0; j < one->ncapacities; j++)
            vshCxlReleaseNote(releases, one->capacities[j]->tag, impact);
    }
    return 0;
}

/**
 * vshCxlCmdReleaseGet:
 * @ctl: the run
 * @args: the arguments
 * @domain: the domain
 * @impact: where to release capacity from
 *
 * Returns the capacities to release, of vshCxlRelease, or NULL with the error reported.
 */
static GPtrArray *
vshCxlCmdReleaseGet(vshCxlControl *ctl,
                    const vshCxlArgs *args,
                    virDomainPtr domain,
                    unsigned int impact)
{
    g_autoptr(GPtrArray) releases = g_ptr_array_new_with_free_func(vshCxlReleaseFree);
    const char *device = vshCxlArgsString(args, "device");

    if (!vshCxlArgsHas(args, "all")) {
        vshCxlReleaseNote(releases, vshCxlArgsString(args, "tag"), impact);
        return g_steal_pointer(&releases);
    }
    if (impact & VIR_DOMAIN_AFFECT_LIVE &&
        vshCxlCmdReleaseNoteAll(ctl, domain, device, VIR_DOMAIN_AFFECT_LIVE, releases) < 0)
        return NULL;
    if (impact & VIR_DOMAIN_AFFECT_CONFIG &&
        vshCxlCmdReleaseNoteAll(ctl, domain, device, VIR_DOMAIN_AFFECT_CONFIG, releases) < 0)
        return NULL;
    if (releases->len == 0)
        vshCxlPrintExtra(ctl, ctl->out, "No capacity to release\n");
    return g_steal_pointer(&releases);
}

/**
 * vshCxlCmdReleaseLook:
 * @ctl: the run
 * @domain: the domain
 * @releases: what was requested
 *
 * Not every release results in a request to the guest: it may have given the capacity
 * back already, or have refused it.
 *
 * Returns the domain's devices as recorded after the releases; NULL with a warning if
 * they cannot be listed, which does not undo the releases.
 */
static GPtrArray *
vshCxlCmdReleaseLook(vshCxlControl *ctl, virDomainPtr domain, GPtrArray *releases)
{
    g_autofree char *why = NULL;
    GPtrArray *devices = vshCxlGetDevices(domain, 0);
    guint i;

    if (devices)
        return devices;
    why = g_strdup(virGetLastErrorMessage());
    for (i = 0; i < releases->len; i++) {
        const vshCxlRelease *release = g_ptr_array_index(releases, i);

        if (release->impact & VIR_DOMAIN_AFFECT_LIVE)
            vshCxlWarning(ctl,
                          "capacity %s was asked back, but its state cannot be read: %s",
                          release->tag,
                          why);
    }
    return NULL;
}

/* Print the outcome, for a human reader; the wait reports what it waits for. */
static void
vshCxlCmdReleaseTell(vshCxlControl *ctl, virDomainPtr domain, GPtrArray *releases, bool look)
{
    g_autoptr(GPtrArray) devices = NULL;
    guint i;

    if (ctl->quiet)
        return;
    if (look)
        devices = vshCxlCmdReleaseLook(ctl, domain, releases);
    for (i = 0; i < releases->len; i++) {
        const vshCxlRelease *release = g_ptr_array_index(releases, i);

        if (release->impact & VIR_DOMAIN_AFFECT_CONFIG)
            vshCxlPrintExtra(ctl,
                             ctl->out,
                             "Capacity %s removed from the definition\n",
                             release->tag);
        if (!devices || !(release->impact & VIR_DOMAIN_AFFECT_LIVE))
            continue;
        if (vshCxlFindState(devices, release->tag) == VIR_DOMAIN_CXL_DCD_STATE_NONE)
            vshCxlPrintExtra(ctl, ctl->out, "Capacity %s released\n", release->tag);
        else
            vshCxlPrintExtra(ctl, ctl->out, "Release of capacity %s requested\n", release->tag);
    }
}

/* Whether a capacity that --all found has been given back by the guest since. */
static bool
vshCxlCmdReleaseIsGone(const vshCxlArgs *args)
{
    return vshCxlArgsHas(args, "all") && virGetLastErrorCode() == VIR_ERR_DEVICE_MISSING;
}

/* Report libvirt's error, adding what would be right if its message does not say. */
static void
vshCxlCmdReleaseFailed(vshCxlControl *ctl,
                       const vshCxlArgs *args,
                       const char *name,
                       const char *tag)
{
    const char *advice = "";

    if (virGetLastErrorCode() == VIR_ERR_DEVICE_MISSING)
        advice = " (cxl-dcd-status shows what it has)";
    else if (vshCxlArgsHas(args, "force"))
        advice = " by force (without --force the guest is asked for it)";
    vshCxlLibvirtError(ctl, "Failed to release capacity %s of domain '%s'%s", tag, name, advice);
}

/**
 * vshCxlCmdReleaseRequest:
 * @ctl: the run
 * @args: the arguments
 * @domain: the domain
 * @release: what to release
 *
 * Returns 0 if the release was requested, otherwise -1 with the error reported.
 */
static int
vshCxlCmdReleaseRequest(vshCxlControl *ctl,
                        const vshCxlArgs *args,
                        virDomainPtr domain,
                        const vshCxlRelease *release)
{
    const char *name = virDomainGetName(domain);
    int policy = vshCxlArgsChoice(args, "removal-policy");
    unsigned int flags = release->impact;

    if (release->impact & VIR_DOMAIN_AFFECT_LIVE) {
        flags |= policy < 0 ? 0 : vshCxlPolicyFlags[policy];
        flags |= vshCxlArgsHas(args, "force") ? VIR_DOMAIN_CXL_DCD_RELEASE_FORCED : 0;
    }
    if (virDomainCxlDcdRelease(domain, vshCxlArgsString(args, "device"), release->tag, flags) < 0 &&
        !vshCxlCmdReleaseIsGone(args)) {
        vshCxlCmdReleaseFailed(ctl, args, name, release->tag);
        return -1;
    }
    return 0;
}

/**
 * vshCxlCmdReleaseWait:
 * @wait: the wait
 * @ctl: the run
 * @domain: the domain
 * @tag: the capacity, whose release was requested
 *
 * Returns 0 once it is gone, -1 with the error reported.
 */
static int
vshCxlCmdReleaseWait(vshCxlWait *wait, vshCxlControl *ctl, virDomainPtr domain, const char *tag)
{
    int state;

    if (vshCxlWaitCapacity(wait, domain, tag, &state) < 0)
        return -1;
    if (state == VIR_DOMAIN_CXL_DCD_STATE_NONE) {
        vshCxlPrintExtra(ctl, ctl->out, "Capacity %s released\n", tag);
        return 0;
    }
    vshCxlError(ctl,
                "Failed to release capacity %s: it is %s, as cxl-dcd-status shows",
                tag,
                vshCxlStateToString(state));
    return -1;
}

static int
vshCxlCmdReleaseCheck(vshCxlControl *ctl, const vshCxlArgs *args)
{
    if (vshCxlCheckExclusive(ctl, args, "tag", "all") < 0 ||
        vshCxlCheckImpact(ctl, args, vshCxlCmdReleaseLiveOnly) < 0)
        return -1;
    if (!vshCxlArgsHas(args, "tag") && !vshCxlArgsHas(args, "all")) {
        vshCxlUsageError(ctl, "command 'cxl-dcd-release' requires --tag or --all option");
        return -1;
    }
    return vshCxlCheckWritable(ctl, "release capacity");
}

static int
cmdCxlDcdRelease(vshCxlControl *ctl, const vshCxlArgs *args)
{
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(GPtrArray) releases = NULL;
    g_autoptr(vshCxlWait) wait = NULL;
    unsigned int impact;
    long long timeout;
    guint i = 0;
    int ret = 0;

    if (vshCxlCmdReleaseCheck(ctl, args) < 0 || vshCxlTimeout(ctl, args, &timeout) < 0 ||
        !(domain = vshCxlLookupDomain(ctl, args)) ||
        vshCxlImpact(ctl, args, domain, vshCxlCmdReleaseLiveOnly, &impact) < 0 ||
        !(releases = vshCxlCmdReleaseGet(ctl, args, domain, impact)))
        return -1;

    if (vshCxlArgsHas(args, "wait"))
        wait = vshCxlWaitNew(ctl, timeout);
    while (i < releases->len && !(wait && vshCxlWaitIsInterrupted(wait))) {
        if (vshCxlCmdReleaseRequest(ctl, args, domain, g_ptr_array_index(releases, i)) < 0) {
            g_ptr_array_remove_index(releases, i);
            ret = -1;
        } else {
            i++;
        }
    }
    vshCxlCmdReleaseTell(ctl,
                         domain,
                         releases,
                         !wait && releases->len > 0 && impact & VIR_DOMAIN_AFFECT_LIVE);
    for (i = 0; wait && i < releases->len; i++) {
        const vshCxlRelease *release = g_ptr_array_index(releases, i);

        if (release->impact & VIR_DOMAIN_AFFECT_LIVE &&
            vshCxlCmdReleaseWait(wait, ctl, domain, release->tag) < 0)
            ret = -1;
    }
    return ret;
}

const vshCxlCmdDef vshCxlCmdRelease = {
    .name = "cxl-dcd-release",
    .help = "ask CXL dynamic capacity back from the guest",
    .desc = "Release capacity. The guest of a running domain is asked to give it back, which\n"
            "it does in its own time; one that the guest refused is only forgotten. From the\n"
            "definition it is taken out.",
    .opts = vshCxlCmdReleaseOpts,
    .handler = cmdCxlDcdRelease,
};
