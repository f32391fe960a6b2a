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

/* One run of the program. */
struct _vshCxlControl {
    const char *uri; /* NULL: libvirt's default */
    bool readonly;
    bool quiet;
    bool timing;
    FILE *out;          /* what was asked for */
    FILE *err;          /* errors, and texts that no script should have to skip */
    virConnectPtr conn; /* NULL until vshCxlConnect() */
};

G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, virDomainFree)

void vshCxlError(vshCxlControl *ctl, const char *format, ...) G_GNUC_PRINTF(2, 3);
void vshCxlLibvirtError(vshCxlControl *ctl, const char *format, ...) G_GNUC_PRINTF(2, 3);
void vshCxlPrintExtra(vshCxlControl *ctl, FILE *stream, const char *format, ...)
    G_GNUC_PRINTF(3, 4);
void vshCxlPrintTable(vshCxlControl *ctl, vshCxlTable *table);

int
vshCxlCheckExclusive(vshCxlControl *ctl, const vshCxlArgs *args, const char *one, const char *two);
int vshCxlTimeout(vshCxlControl *ctl, const vshCxlArgs *args, long long *timeout);

int vshCxlConnect(vshCxlControl *ctl);
void vshCxlDisconnect(vshCxlControl *ctl);
virDomainPtr vshCxlLookupDomain(vshCxlControl *ctl, const vshCxlArgs *args);
GPtrArray *vshCxlGetDevices(virDomainPtr domain, unsigned int flags);
void vshCxlErrorNoDevice(vshCxlControl *ctl, virDomainPtr domain, const char *alias);
const char *vshCxlStateToString(int state);

#endif /* VSH_CXL_H */
