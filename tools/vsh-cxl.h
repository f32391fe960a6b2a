/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl.h: what all commands share
 */

#ifndef VSH_CXL_H
#define VSH_CXL_H

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>
#include <stdio.h>

#include "libvirt/libvirt-cxl-dcd.h"
#include "vsh-cxl-opt.h"
#include "vsh-cxl-table.h"

/* What stands for the state of a capacity that is in a definition alone. */
#define VSH_CXL_STATE_CONFIGURED "configured"

/* The exit status. Scripts rely on it: it is documented, and stays. */
typedef enum {
    VSH_CXL_EXIT_DONE = 0,
    VSH_CXL_EXIT_ERROR = 1,         /* it could not be done, or not all of it */
    VSH_CXL_EXIT_USAGE = 2,         /* the command line is wrong; nothing was tried */
    VSH_CXL_EXIT_TIMEOUT = 3,       /* done, but the guest has not answered in time */
    VSH_CXL_EXIT_INTERRUPTED = 130, /* the wait for the guest was: 128 + SIGINT, as in a shell */
} vshCxlExit;

/* One run of the program. */
struct _vshCxlControl {
    const char *uri; /* NULL: libvirt's default */
    bool readonly;
    bool quiet;
    bool timing;
    FILE *out;          /* what was asked for */
    FILE *err;          /* errors, and texts that no script should have to skip */
    virConnectPtr conn; /* NULL until vshCxlConnect() */
    vshCxlExit status;  /* the gravest of the errors reported so far */
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, virDomainFree)

void vshCxlError(vshCxlControl *ctl, const char *format, ...) G_GNUC_PRINTF(2, 3);
void vshCxlErrorStatus(vshCxlControl *ctl, vshCxlExit status, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
void vshCxlUsageError(vshCxlControl *ctl, const char *format, ...) G_GNUC_PRINTF(2, 3);
void vshCxlLibvirtError(vshCxlControl *ctl, const char *format, ...) G_GNUC_PRINTF(2, 3);
void vshCxlWarning(vshCxlControl *ctl, const char *format, ...) G_GNUC_PRINTF(2, 3);
void vshCxlPrintExtra(vshCxlControl *ctl, FILE *stream, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
void vshCxlPrintTable(vshCxlControl *ctl, vshCxlTable *table);

int
vshCxlCheckExclusive(vshCxlControl *ctl, const vshCxlArgs *args, const char *one, const char *two);
const char *vshCxlTagFault(const char *tag);
int vshCxlCheckWritable(vshCxlControl *ctl, const char *what);
int vshCxlCheckImpact(vshCxlControl *ctl, const vshCxlArgs *args, const char *const *live_only);
int vshCxlCheckPersistent(vshCxlControl *ctl, const char *name, bool persistent);
int vshCxlImpact(vshCxlControl *ctl,
                 const vshCxlArgs *args,
                 virDomainPtr domain,
                 const char *const *live_only,
                 unsigned int *impact);

int vshCxlOpen(vshCxlControl *ctl);
int vshCxlConnect(vshCxlControl *ctl);
void vshCxlDisconnect(vshCxlControl *ctl);
virDomainPtr vshCxlLookupDomain(vshCxlControl *ctl, const vshCxlArgs *args);
GPtrArray *vshCxlGetDevices(virDomainPtr domain, unsigned int flags);
int vshCxlFindState(GPtrArray *devices, const char *tag);
int
vshCxlSelectDevice(vshCxlControl *ctl, virDomainPtr domain, GPtrArray *devices, const char *alias);
const char *vshCxlStateToString(int state);

#endif /* VSH_CXL_H */
