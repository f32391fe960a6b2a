/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-cmd-add.c: cxl-dcd-add, offer capacity to the guest
 *
 * Standard output carries the tag and nothing else, printed as soon as it is known and
 * before any wait: a script can read it directly, and a user who interrupts the wait
 * still knows which capacity to query or release.
 */

#include <libvirt/virterror.h>

#include "conf/cxl_dcd_conf.h"
#include "vsh-cxl-cmd.h"
#include "vsh-cxl-wait.h"
#include "vsh-cxl-xml.h"

static const char *const vshCxlSourceNames[] = {"ram", "memfd", "file", NULL};

/* Rejects a path that the XML cannot represent: a user who gave a path should neither see an
 * error about XML that he did not write, nor get a file with another name. */
static const char *
vshCxlCmdAddPathFault(const char *path)
{
    const char *next;

    if (!g_utf8_validate(path, -1, NULL))
        return "it is not UTF-8, which the capacity's XML is in: expected UTF-8";
    for (next = path; *next; next = g_utf8_next_char(next)) {
        gunichar c = g_utf8_get_char(next);

        if (g_unichar_iscntrl(c) || c == 0xfffe || c == 0xffff)
            return "it has a control character, which the capacity's XML cannot hold: expected "
                   "none";
    }
    /* white space around an element's text would be stripped */
    if (g_str_has_prefix(path, " ") || g_str_has_suffix(path, " "))
        return "it begins or ends with a space, which the capacity's XML does not keep: expected "
               "none there";
    return *path == '/' ? NULL : "expected an absolute path, which begins with '/'";
}

static const char *
vshCxlCmdAddNodesetFault(const char *nodes)
{
    g_autoptr(GArray) parsed = virCxlDcdNodesetParse(nodes);

    virResetLastError();
    return parsed ? NULL : "expected host NUMA nodes, as in 0-1,3, from 0 to 127";
}

G_STATIC_ASSERT(VIR_CXL_DCD_HOST_NODES_MAX == 128);

static const char *
vshCxlCmdAddDeviceFault(const char *alias)
{
    return virCxlDcdIsId(alias)
               ? NULL
               : "expected an alias: a letter, then letters, digits, '-', '.', '_'";
}

static const vshCxlOptDef vshCxlCmdAddOpts[] = {
    VSH_CXL_OPT_DEF_DOMAIN,
    {
        .name = "size",
        .type = VSH_CXL_OPT_SIZE,
        .min = 1,
        .multiple = VIR_CXL_DCD_BLOCK_SIZE,
        .help = "size of the capacity, as scaled integer (default bytes)",
    },
    {
        .name = "tag",
        .type = VSH_CXL_OPT_STRING,
        .fault = vshCxlTagFault,
        .help = "UUID that names the capacity; generated if not given",
    },
    {
        .name = "device",
        .type = VSH_CXL_OPT_STRING,
        .fault = vshCxlCmdAddDeviceFault,
        .help = "alias of the device; needed if the domain has several",
    },
    {
        .name = "region",
        .type = VSH_CXL_OPT_INT,
        .max = VIR_CXL_DCD_REGIONS_MAX - 1,
        .help = "region of the device, from 0 (default 0)",
    },
    {
        .name = "offset",
        .type = VSH_CXL_OPT_SIZE,
        .multiple = VIR_CXL_DCD_BLOCK_SIZE,
        .help = "offset in the region, as scaled integer (default bytes); chosen if not given",
    },
    {
        .name = "source",
        .type = VSH_CXL_OPT_STRING,
        .values = vshCxlSourceNames,
        .help = "kind of host memory: ram, memfd or file (default: file with --path, memfd with "
                "--pagesize, otherwise ram)",
    },
    {
        .name = "path",
        .type = VSH_CXL_OPT_STRING,
        .fault = vshCxlCmdAddPathFault,
        .help = "absolute path of the file that is the memory",
    },
    {
        .name = "pagesize",
        .type = VSH_CXL_OPT_SIZE,
        .help = "size of the huge pages of a memfd, as scaled integer (default bytes)",
    },
    {
        .name = "nodeset",
        .type = VSH_CXL_OPT_STRING,
        .fault = vshCxlCmdAddNodesetFault,
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
    VSH_CXL_OPT_DEF_CONFIG,
    VSH_CXL_OPT_DEF_LIVE,
    VSH_CXL_OPT_DEF_CURRENT,
    {
        .name = "wait",
        .type = VSH_CXL_OPT_BOOL,
        .help = "wait for the guest's answer",
    },
    {
        .name = "timeout",
        .type = VSH_CXL_OPT_INT,
        .min = 1,
        .help = "with --wait, give up waiting after this many seconds",
    },
    {
        .name = "print-xml",
        .type = VSH_CXL_OPT_BOOL,
        .help = "print the XML that would be used and do nothing",
    },
    {0},
};

/* Options that only make sense with a guest. */
static const char *const vshCxlCmdAddLiveOnly[] = {"wait", NULL};

/* Options that --file replaces, or that are meaningless with it. */
static const char *const vshCxlCmdAddNotWithFile[] = {
    "size",
    "tag",
    "device",
    "region",
    "offset",
    "source",
    "path",
    "pagesize",
    "nodeset",
    "prealloc",
    "shared",
    "private",
    "print-xml",
};

/**
 * vshCxlCmdAddCheckSource:
 * @ctl: the run
 * @args: the arguments
 *
 * Returns 0 if the options that describe the memory are consistent, -1 with the error
 * reported.
 */
static int
vshCxlCmdAddCheckSource(vshCxlControl *ctl, const vshCxlArgs *args)
{
    const char *type = vshCxlSourceType(args);
    unsigned long long size = vshCxlArgsNumber(args, "size");

    if (g_str_equal(type, "file") && !vshCxlArgsHas(args, "path")) {
        vshCxlUsageError(ctl, "Option --path is required by option --source file");
        return -1;
    }
    if (!g_str_equal(type, "file") && vshCxlArgsHas(args, "path")) {
        vshCxlUsageError(ctl, "Option --path goes with --source file, not %s: leave one out", type);
        return -1;
    }
    if (!vshCxlArgsHas(args, "pagesize"))
        return 0;
    if (!g_str_equal(type, "memfd")) {
        vshCxlUsageError(ctl,
                         "Option --pagesize goes with --source memfd, not %s: leave one out",
                         type);
        return -1;
    }
    if (virCxlDcdIsPagesize(vshCxlArgsNumber(args, "pagesize"), size))
        return 0;
    vshCxlUsageError(ctl,
                     "Invalid value '%s' for <pagesize> option: expected a power of two, at least "
                     "4096, of which --size %s is a multiple",
                     vshCxlArgsString(args, "pagesize"),
                     vshCxlArgsString(args, "size"));
    return -1;
}

/**
 * vshCxlCmdAddCheck:
 * @ctl: the run
 * @args: the arguments
 *
 * Returns 0 if the options are consistent, -1 with the error reported.
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
        vshCxlUsageError(ctl, "command 'cxl-dcd-add' requires --size or --file option");
        return -1;
    }
    if (vshCxlCheckExclusive(ctl, args, "shared", "private") < 0 ||
        vshCxlCheckExclusive(ctl, args, "print-xml", "wait") < 0 ||
        vshCxlCheckImpact(ctl, args, vshCxlCmdAddLiveOnly) < 0 ||
        (!vshCxlArgsHas(args, "file") && vshCxlCmdAddCheckSource(ctl, args) < 0))
        return -1;
    return vshCxlArgsHas(args, "print-xml") ? 0 : vshCxlCheckWritable(ctl, "add capacity");
}

/**
 * vshCxlCmdAddGetXML:
 * @ctl: the run
 * @args: the arguments
 *
 * Returns the XML of the capacity, or NULL with the error reported.
 */
static char *
vshCxlCmdAddGetXML(vshCxlControl *ctl, const vshCxlArgs *args)
{
    g_autoptr(GError) error = NULL;
    char *xml = NULL;

    if (!vshCxlArgsHas(args, "file"))
        return vshCxlCapacityFormatXML(args);

    if (!g_file_get_contents(vshCxlArgsString(args, "file"), &xml, NULL, &error))
        vshCxlError(ctl,
                    "cannot read the XML of the capacity, which --file names: %s",
                    error->message);
    return xml;
}

/**
 * vshCxlCmdAddWait:
 * @wait: the wait
 * @ctl: the run
 * @domain: the domain
 * @tag: the capacity, which was offered
 *
 * Returns 0 if the guest accepted, otherwise -1 with the error reported.
 */
static int
vshCxlCmdAddWait(vshCxlWait *wait, vshCxlControl *ctl, virDomainPtr domain, const char *tag)
{
    const char *name = virDomainGetName(domain);
    const char *reason;
    int state;

    if (vshCxlWaitCapacity(wait, domain, tag, &state) < 0)
        return -1;
    switch (state) {
    case VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED:
        vshCxlPrintExtra(ctl, ctl->err, "Capacity accepted by the guest of domain '%s'\n", name);
        return 0;
    case VIR_DOMAIN_CXL_DCD_STATE_REJECTED:
        reason = "the guest refused it (cxl-dcd-release removes it from the list)";
        break;
    case VIR_DOMAIN_CXL_DCD_STATE_NONE:
        reason = "it was given back meanwhile";
        break;
    default:
        reason = vshCxlStateToString(state);
    }
    vshCxlError(ctl, "Failed to add capacity %s to domain '%s': %s", tag, name, reason);
    return -1;
}

/* Print the outcome, for a human reader. */
static void
vshCxlCmdAddTell(vshCxlControl *ctl, const char *name, unsigned int impact)
{
    if (impact == VIR_DOMAIN_AFFECT_CONFIG)
        vshCxlPrintExtra(ctl,
                         ctl->err,
                         "Capacity added to the definition of domain '%s': its next start offers "
                         "it\n",
                         name);
    else
        vshCxlPrintExtra(ctl,
                         ctl->err,
                         "Capacity offered to the guest of domain '%s'%s\n",
                         name,
                         impact & VIR_DOMAIN_AFFECT_CONFIG ? " and added to its definition" : "");
}

static int
cmdCxlDcdAdd(vshCxlControl *ctl, const vshCxlArgs *args)
{
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(vshCxlWait) wait = NULL;
    g_autofree char *xml = NULL;
    g_autofree char *tag = NULL;
    unsigned int impact;
    const char *name;
    long long timeout;

    if (vshCxlCmdAddCheck(ctl, args) < 0 || vshCxlTimeout(ctl, args, &timeout) < 0 ||
        !(xml = vshCxlCmdAddGetXML(ctl, args)))
        return -1;
    if (vshCxlArgsHas(args, "print-xml")) {
        fputs(xml, ctl->out);
        return 0;
    }

    if (!(domain = vshCxlLookupDomain(ctl, args)) ||
        vshCxlImpact(ctl, args, domain, vshCxlCmdAddLiveOnly, &impact) < 0)
        return -1;
    name = virDomainGetName(domain);
    if (vshCxlArgsHas(args, "wait"))
        wait = vshCxlWaitNew(ctl, timeout);
    if (!(tag = virDomainCxlDcdAdd(domain, xml, impact))) {
        vshCxlLibvirtError(ctl, "Failed to add capacity to domain '%s'", name);
        return -1;
    }
    fprintf(ctl->out, "%s\n", tag);
    fflush(ctl->out);

    if (wait)
        return vshCxlCmdAddWait(wait, ctl, domain, tag);
    vshCxlCmdAddTell(ctl, name, impact);
    return 0;
}

const vshCxlCmdDef vshCxlCmdAdd = {
    .name = "cxl-dcd-add",
    .help = "offer CXL dynamic capacity to the guest",
    .desc = "Add a capacity to a CXL dynamic capacity device. In a running domain it is\n"
            "offered to the guest, which accepts or refuses it in its own time; in the\n"
            "definition it is what the next start offers. Prints the tag of the capacity.",
    .opts = vshCxlCmdAddOpts,
    .handler = cmdCxlDcdAdd,
};
