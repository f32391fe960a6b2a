/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_connect.h: whether the daemon of a connection is on this host
 */

#ifndef CXL_DCD_CONNECT_H
#define CXL_DCD_CONNECT_H

#include <libvirt/libvirt.h>
#include <stdbool.h>

bool virCxlDcdConnectIsLocal(virConnectPtr conn);

#endif /* CXL_DCD_CONNECT_H */
