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

/* The state shown for a capacity that exists in a definition only. */
#define VSH_CXL_STATE_CONFIGURED "configured"

/* Exit statuses. Documented, and scripts rely on them: do not change. */
typedef enum {
    VSH_CXL_EXIT_DONE = 0,
    VSH_CXL_EXIT_ERROR = 1,         /* failed, entirely or in part */
    VSH_CXL_EXIT_USAGE = 2,         /* the command line is wrong; nothing was tried */
    VSH_CXL_EXIT_TIMEOUT = 3,       /* done, but the guest did not answer in time */
    VSH_CXL_EXIT_INTERRUPTED = 130, /* the wait was interrupted: 128 + SIGINT, as in a shell */
} vshCxlExit;

/* One run of the program. */
struct _vshCxlControl {
    const char *uri; /* NULL: libvirt's default */
    bool readonly;
    bool quiet;
    bool timing;
    FILE *out;          /* results */
    FILE *err;          /* errors, and messages that scripts should not have to skip */
    virConnectPtr conn; /* NULL until vshCxlConnect() */
    vshCxlExit status;  /* the most serious of the errors reported so far */
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
