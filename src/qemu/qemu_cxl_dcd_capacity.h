/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_capacity.h: adding, following and releasing capacity
 */

#ifndef QEMU_CXL_DCD_CAPACITY_H
#define QEMU_CXL_DCD_CAPACITY_H

#include <libvirt/libvirt.h>

#include "conf/cxl_dcd_domain.h"

virCxlDcdDomainDef *qemuCxlDcdDomainLoad(virDomainPtr domain);
virCxlDcdDef *qemuCxlDcdDomainFindDevice(const virCxlDcdDomainDef *def, const char *alias);
int qemuCxlDcdCheckNew(const virCxlDcdDomainDef *def,
                       const virCxlDcdDef *device,
                       const virCxlDcdCapacityDef *capacity);

int qemuCxlDcdCapacityAdd(virDomainPtr domain,
                          virCxlDcdDomainDef *def,
                          virCxlDcdDef *device,
                          virCxlDcdCapacityDef *capacity);
int qemuCxlDcdCapacityRefresh(virDomainPtr domain,
                              virCxlDcdDef *device,
                              virCxlDcdCapacityDef *capacity);
int qemuCxlDcdDomainRefresh(virDomainPtr domain,
                            virCxlDcdDomainDef *def,
                            const virCxlDcdCapacityDef *except);

#endif /* QEMU_CXL_DCD_CAPACITY_H */
