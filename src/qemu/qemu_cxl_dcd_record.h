/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_record.h: the record of a capacity in the live XML
 */

#ifndef QEMU_CXL_DCD_RECORD_H
#define QEMU_CXL_DCD_RECORD_H

#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "conf/cxl_dcd_conf.h"

bool qemuCxlDcdCapacityIsLeftToOwner(const virCxlDcdCapacityDef *capacity);
int qemuCxlDcdCapacityReadRecord(virDomainPtr domain,
                                 const virCxlDcdDef *device,
                                 const char *tag,
                                 virCxlDcdCapacityDef **record);
int qemuCxlDcdCapacitySetState(virDomainPtr domain,
                               virCxlDcdCapacityDef *capacity,
                               virDomainCxlDcdState state);
int qemuCxlDcdCapacityRestore(virDomainPtr domain,
                              virCxlDcdCapacityDef *capacity,
                              const virCxlDcdCapacityDef *before);
void qemuCxlDcdCapacityForget(virDomainPtr domain, virCxlDcdCapacityDef *capacity);

#endif /* QEMU_CXL_DCD_RECORD_H */
