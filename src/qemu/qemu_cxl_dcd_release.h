/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_release.h: asking capacity back from the guest
 */

#ifndef QEMU_CXL_DCD_RELEASE_H
#define QEMU_CXL_DCD_RELEASE_H

#include <libvirt/libvirt.h>

#include "conf/cxl_dcd_domain.h"

int qemuCxlDcdReleaseContinue(virDomainPtr domain,
                              virCxlDcdDef *device,
                              virCxlDcdCapacityDef *capacity);
int qemuCxlDcdCapacityRelease(virDomainPtr domain,
                              virCxlDcdDomainDef *def,
                              const virCxlDcdDef *request,
                              const char *tag);

#endif /* QEMU_CXL_DCD_RELEASE_H */
