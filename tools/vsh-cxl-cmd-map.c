/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-cmd-map.c: cxl-dcd-map, a picture of where the capacities of a domain lie
 *
 * The picture goes to the terminal, or as SVG to a file. The file is written under a
 * temporary name and then renamed, so that a viewer never sees half of it. Anything but a
 * plain file would be replaced by the rename, and is refused.
 */

#include <errno.h>
#include <gio/gio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "vsh-cxl-cmd.h"
#include "vsh-cxl-map.h"
#include "vsh-cxl-term.h"

static const vshCxlOptDef vshCxlCmdMapOpts[] = {
    VSH_CXL_OPT_DEF_DOMAIN,
    {
        .name = "device",
        .type = VSH_CXL_OPT_STRING,
        .help = "alias of the device; all devices if not given",
    },
    {
        .name = "svg",
        .type = VSH_CXL_OPT_STRING,
        .help = "write the picture as SVG to this file; - is standard output",
    },
    {
        .name = "no-refresh",
        .type = VSH_CXL_OPT_BOOL,
        .help = "show the states as recorded, without asking QEMU",
    },
    {0},
};

/**
 * vshCxlCmdMapWrite:
 * @ctl: the run
 * @file: the name of a file
 * @text: its new content
 *
 * Returns 0 once @file contains @text and nothing else, -1 with the error reported and
 * @file unchanged.
 */
static int
vshCxlCmdMapWrite(vshCxlControl *ctl, const char *file, const char *text)
{
    g_autoptr(GError) error = NULL;
    struct stat old;
    char *real = NULL; /* with symbolic links resolved: the links stay */
    gboolean written;

    if (stat(file, &old) == 0) {
        if (!S_ISREG(old.st_mode)) {
            vshCxlError(ctl, "cannot write '%s': it is there and is not a regular file", file);
            return -1;
        }
        real = realpath(file, NULL);
    }
    written = g_file_set_contents_full(real ? real : file,
                                       text,
                                       -1,
                                       G_FILE_SET_CONTENTS_CONSISTENT,
                                       0666,
                                       &error);
    free(real);
    if (written)
        return 0;
    vshCxlError(ctl, "cannot write '%s': %s", file, error->message);
    return -1;
}

static int
vshCxlCmdMapShow(vshCxlControl *ctl,
                 const vshCxlArgs *args,
                 virDomainPtr domain,
                 GPtrArray *devices)
{
    const char *alias = vshCxlArgsString(args, "device");
    const char *file = vshCxlArgsString(args, "svg");
    g_autofree char *map = NULL;

    if (!file) {
        map = vshCxlMapFormatText(devices,
                                  alias,
                                  vshCxlTermWidth(ctl->out),
                                  vshCxlTermHasColour(ctl->out));
        fputs(map, ctl->out);
        vshCxlPrintExtra(ctl, ctl->out, "\n");
        return 0;
    }
    map = vshCxlMapFormatSvg(devices, alias, virDomainGetName(domain));
    if (g_str_equal(file, "-")) {
        fputs(map, ctl->out);
        return 0;
    }
    if (vshCxlCmdMapWrite(ctl, file, map) < 0)
        return -1;
    vshCxlPrintExtra(ctl, ctl->out, "Map written to '%s'\n", file);
    return 0;
}

static int
cmdCxlDcdMap(vshCxlControl *ctl, const vshCxlArgs *args)
{
    g_autoptr(virDomain) domain = NULL;
    g_autoptr(GPtrArray) devices = NULL;
    g_autoptr(GPtrArray) wanted = g_ptr_array_new();
    bool refresh = !ctl->readonly && !vshCxlArgsHas(args, "no-refresh");
    const char *name;

    if (!(domain = vshCxlLookupDomain(ctl, args)))
        return -1;
    name = virDomainGetName(domain);
    if (virDomainIsActive(domain) == 0) {
        vshCxlError(ctl,
                    "domain '%s' is not running, and a map shows what a guest has: start it, or "
                    "show its definition with cxl-dcd-status",
                    name);
        return -1;
    }
    if (!(devices = vshCxlGetDevices(domain, refresh ? VIR_DOMAIN_CXL_DCD_LIST_REFRESH : 0))) {
        vshCxlLibvirtError(ctl, "Failed to get the capacity of domain '%s'", name);
        return -1;
    }
    /* the map needs all devices, to know how much of a tag makes it unique */
    g_ptr_array_extend(wanted, devices, NULL, NULL);
    if (vshCxlSelectDevice(ctl, domain, wanted, vshCxlArgsString(args, "device")) < 0)
        return -1;
    return vshCxlCmdMapShow(ctl, args, domain, devices);
}

const vshCxlCmdDef vshCxlCmdMap = {
    .name = "cxl-dcd-map",
    .help = "draw where the CXL dynamic capacity of a domain is",
    .desc = "Draw each region of each CXL dynamic capacity device of a running domain to\n"
            "scale, with its capacities, their states and the free room. QEMU is asked\n"
            "first, unless the connection is read-only.",
    .opts = vshCxlCmdMapOpts,
    .handler = cmdCxlDcdMap,
};
