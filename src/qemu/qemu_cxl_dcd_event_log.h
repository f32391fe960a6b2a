/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_event_log.h: whether the guest can learn of an offer or a request
 */

#ifndef QEMU_CXL_DCD_EVENT_LOG_H
#define QEMU_CXL_DCD_EVENT_LOG_H

#include <stdbool.h>

#include "conf/cxl_dcd_domain.h"

bool qemuCxlDcdEventLogHasRoom(const virCxlDcdDef *device);
int
qemuCxlDcdEventLogCheck(const virCxlDcdDomainDef *def, const virCxlDcdDef *device, const char *act);

#endif /* QEMU_CXL_DCD_EVENT_LOG_H */
