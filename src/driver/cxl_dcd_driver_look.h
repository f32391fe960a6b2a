/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_look.h: one look of the tracker at a domain
 */

#ifndef CXL_DCD_DRIVER_LOOK_H
#define CXL_DCD_DRIVER_LOOK_H

#include <libvirt/libvirt.h>

#include "cxl_dcd_driver_schedule.h"

cxlDcdDriverNeed cxlDcdDriverLook(virConnectPtr conn, const char *uuid, bool *changed);
void cxlDcdDriverLookForget(const char *uuid);

#endif /* CXL_DCD_DRIVER_LOOK_H */
