/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-cmd-add.c: cxl-dcd-add, offer capacity to the guest
 *
 * Standard output is the tag and nothing else, printed as soon as it is known and
 * before any waiting: a script gets it plainly, and a user who interrupts the wait
 * can still see the capacity's status and release it.
 */

#include <libvirt/virterror.h>

#include "vsh-cxl-cmd.h"
#include "vsh-cxl-xml.h"

static const vshCxlOptDef vshCxlCmdAddOpts[] = {
    VSH_CXL_OPT_DEF_DOMAIN,
    {
        .name = "size",
        .type = VSH_CXL_OPT_SIZE,
        .help = "size of the capacity, as scaled integer (default bytes)",
    },
    {
        .name = "tag",
        .type = VSH_CXL_OPT_STRING,
        .help = "UUID that names the capacity; generated if not given",
    },
    {
        .name = "device",
        .type = VSH_CXL_OPT_STRING,
        .help = "alias of the device; needed if the domain has several",
    },
    {
        .name = "region",
        .type = VSH_CXL_OPT_INT,
        .help = "region of the device, from 0 (default 0)",
    },
    {
        .name = "offset",
        .type = VSH_CXL_OPT_SIZE,
        .help = "offset in the region, as scaled integer (default bytes); chosen if not given",
    },
    {
        .name = "source",
        .type = VSH_CXL_OPT_STRING,
        .help = "kind of host memory: ram, memfd or file (default: file with --path, memfd with "
                "--pagesize, otherwise ram)",
    },
    {
        .name = "path",
        .type = VSH_CXL_OPT_STRING,
        .help = "absolute path of the file that is the memory",
    },
    {
        .name = "pagesize",
        .type = VSH_CXL_OPT_SIZE,
        .help = "size of the huge pages of a memfd, as scaled integer (default bytes)",
    },
    {
        .name = "nodemask",
        .type = VSH_CXL_OPT_STRING,
        .help = "host NUMA nodes to take the memory from, as in 0-1,3",
    },
    {
        .name = "prealloc",
        .type = VSH_CXL_OPT_BOOL,
        .help = "allocate the memory before it is offered",
    },
    {
        .name = "shared",
        .type = VSH_CXL_OPT_BOOL,
        .help = "map the memory shared",
    },
    {
        .name = "private",
        .type = VSH_CXL_OPT_BOOL,
        .help = "map the memory private",
    },
    {
        .name = "file",
        .type = VSH_CXL_OPT_STRING,
        .help = "XML file that describes the capacity, instead of the options above",
    },
    {
        .name = "wait",
        .type = VSH_CXL_OPT_BOOL,
        .help = "wait for the guest's answer",
    },
    {
        .name = "timeout",
        .type = VSH_CXL_OPT_INT,
        .help = "with --wait, give up waiting after this many seconds",
    },
    {
        .name = "print-xml",
        .type = VSH_CXL_OPT_BOOL,
        .help = "print the XML that would be used and do nothing",
    },
    {0},
};

/* What --file stands for, or has no meaning with it. */
static const char *const vshCxlCmdAddNotWithFile[] = {
    "size",
    "tag",
    "device",
    "region",
    "offset",
    "source",
    "path",
    "pagesize",
    "nodemask",
    "prealloc",
    "shared",
    "private",
    "print-xml",
};

/**
 * vshCxlCmdAddCheck:
 * @ctl: the run
 * @args: the arguments
 *
 * Returns 0 if the options go together, -1 with the error reported.
 */
static int
vshCxlCmdAddCheck(vshCxlControl *ctl, const vshCxlArgs *args)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(vshCxlCmdAddNotWithFile); i++) {
        if (vshCxlCheckExclusive(ctl, args, "file", vshCxlCmdAddNotWithFile[i]) < 0)
            return -1;
    }
    if (!vshCxlArgsHas(args, "file") && !vshCxlArgsHas(args, "size")) {
        vshCxlError(ctl, "command 'cxl-dcd-add' requires --size or --file option");
        return -1;
    }
    if (vshCxlCheckExclusive(ctl, args, "shared", "private") < 0 ||
        vshCxlCheckExclusive(ctl, args, "print-xml", "wait") < 0)
        return -1;
    return 0;
}

/**
 * vshCxlCmdAddGetXML:
 * @ctl: the run
 * @args: the arguments
 *
 * Returns the document of the capacity, or NULL with the error reported.
 */
static char *
vshCxlCmdAddGetXML(vshCxlControl *ctl, const vshCxlArgs *args)
{
    g_autoptr(GError) error = NULL;
    char *xml = NULL;

    if (!vshCxlArgsHas(args, "file"))
        return vshCxlCapacityFormatXML(args);

    if (!g_file_get_contents(vshCxlArgsString(args, "file"), &xml, NULL, &error))
        vshCxlError(ctl, "%s", error->message);
    return xml;
}

/**
 * vshCxlCmdAddWait:
 * @ctl: the run
 * @domain: the domain
 * @tag: the capacity, which was offered
 * @timeout: milliseconds, -1 for no end
 *
 * Returns 0 if the guest accepted, otherwise -1 with the error reported.
 */
static int
vshCxlCmdAddWait(vshCxlControl *ctl, virDomainPtr domain, const char *tag, long long timeout)
{
    const char *name = virDomainGetName(domain);
    int state = virDomainCxlDcdWait(domain, tag, timeout, 0);

    switch (state) {
    case VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED:
        vshCxlPrintExtra(ctl, ctl->err, "Capacity accepted by the guest of domain '%s'\n", name);
        return 0;
    case VIR_DOMAIN_CXL_DCD_STATE_REJECTED:
        vshCxlError(ctl, "Failed to add capacity to domain '%s'", name);
        vshCxlError(ctl, "the guest refused capacity %s", tag);
        return -1;
    case VIR_DOMAIN_CXL_DCD_STATE_NONE:
        vshCxlError(ctl, "Failed to add capacity to domain '%s'", name);
        vshCxlError(ctl, "capacity %s was given back meanwhile", tag);
        return -1;
    case -1:
        if (virGetLastErrorCode() == VIR_ERR_OPERATION_TIMEOUT) {
            vshCxlLibvirtError(ctl,
                               "Capacity %s stays offered to the guest of domain '%s'",
                               tag,
                               name);
        } else {
            vshCxlLibvirtError(ctl,
                               "Failed to wait for the answer of domain '%s' to capacity %s",
                               name,
                               tag);
        }
        return -1;
    default:
        vshCxlError(ctl, "Failed to add capacity to domain '%s'", name);
        vshCxlError(ctl, "capacity %s is now in state '%s'", tag, vshCxlStateToString(state));
        return -1;
    }
}

static int
cmdCxlDcdAdd(vshCxlControl *ctl, const vshCxlArgs *args)
{
    g_autoptr(virDomain) domain = NULL;
    g_autofree char *xml = NULL;
    g_autofree char *tag = NULL;
    const char *name;
    long long timeout;

    if (vshCxlCmdAddCheck(ctl, args) < 0 || vshCxlTimeout(ctl, args, &timeout) < 0 ||
        !(xml = vshCxlCmdAddGetXML(ctl, args)))
        return -1;
    if (vshCxlArgsHas(args, "print-xml")) {
        fputs(xml, ctl->out);
        return 0;
    }

    if (!(domain = vshCxlLookupDomain(ctl, args)))
        return -1;
    name = virDomainGetName(domain);
    if (!(tag = virDomainCxlDcdAdd(domain, xml, VIR_DOMAIN_AFFECT_LIVE))) {
        vshCxlLibvirtError(ctl, "Failed to add capacity to domain '%s'", name);
        return -1;
    }
    fprintf(ctl->out, "%s\n", tag);
    fflush(ctl->out);

    if (vshCxlArgsHas(args, "wait"))
        return vshCxlCmdAddWait(ctl, domain, tag, timeout);
    vshCxlPrintExtra(ctl, ctl->err, "Capacity offered to the guest of domain '%s'\n", name);
    return 0;
}

const vshCxlCmdDef vshCxlCmdAdd = {
    .name = "cxl-dcd-add",
    .help = "offer CXL dynamic capacity to the guest",
    .desc = "Add a capacity to a CXL dynamic capacity device of a running domain: offer it\n"
            "to the guest, which accepts or refuses it in its own time. Prints the tag of\n"
            "the capacity.",
    .opts = vshCxlCmdAddOpts,
    .handler = cmdCxlDcdAdd,
};
