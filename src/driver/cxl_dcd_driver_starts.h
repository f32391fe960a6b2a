/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_starts.h: the domains that a call is starting
 */

#ifndef CXL_DCD_DRIVER_STARTS_H
#define CXL_DCD_DRIVER_STARTS_H

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

/* Exists from the beginning of a call that starts a domain until it has offered the capacities. */
typedef char cxlDcdDriverStart;

cxlDcdDriverStart *cxlDcdDriverStartBegin(virDomainPtr domain);
cxlDcdDriverStart *cxlDcdDriverStartBeginXML(virConnectPtr conn, const char *xml);
void cxlDcdDriverStartEnd(cxlDcdDriverStart *start);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(cxlDcdDriverStart, cxlDcdDriverStartEnd)

bool cxlDcdDriverIsStarting(const char *name);

#endif /* CXL_DCD_DRIVER_STARTS_H */
