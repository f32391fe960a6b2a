/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_source.h: the file that is to be the memory of a capacity
 */

#ifndef QEMU_CXL_DCD_SOURCE_H
#define QEMU_CXL_DCD_SOURCE_H

#include <libvirt/libvirt.h>

#include "conf/cxl_dcd_domain.h"

int qemuCxlDcdSourceCheck(virDomainPtr domain,
                          const virCxlDcdDomainDef *def,
                          const virCxlDcdCapacityDef *capacity);

#endif /* QEMU_CXL_DCD_SOURCE_H */
