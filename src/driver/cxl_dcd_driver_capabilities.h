/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_capabilities.h: what a connection's QEMU can do
 */

#ifndef CXL_DCD_DRIVER_CAPABILITIES_H
#define CXL_DCD_DRIVER_CAPABILITIES_H

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "cxl_dcd_xml.h"

bool cxlDcdDriverIsReadOnly(virConnectPtr conn);
bool cxlDcdDriverNextHasModule(virConnectPtr conn);
char *cxlDcdDriverEmulator(virConnectPtr conn, virCxlDcdXMLDoc *doc);
char *cxlDcdDriverExtendCapabilities(virConnectPtr conn, char *xml);

#endif /* CXL_DCD_DRIVER_CAPABILITIES_H */
