/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_offer.h: from the record that says adding to the offer to the guest
 */

#ifndef QEMU_CXL_DCD_OFFER_H
#define QEMU_CXL_DCD_OFFER_H

#include <libvirt/libvirt.h>

#include "conf/cxl_dcd_domain.h"
#include "qemu_cxl_dcd_monitor.h"

int qemuCxlDcdBackendDelete(virDomainPtr domain,
                            const virCxlDcdDef *device,
                            const virCxlDcdCapacityDef *capacity);
int qemuCxlDcdCheckForeign(virDomainPtr domain,
                           const virCxlDcdDomainDef *def,
                           const virCxlDcdDef *device,
                           const virCxlDcdCapacityDef *capacity);
int qemuCxlDcdCapacityQuery(virDomainPtr domain,
                            const virCxlDcdDef *device,
                            const virCxlDcdCapacityDef *capacity,
                            qemuCxlDcdExtentState *state);
void qemuCxlDcdReportRefusal(virDomainPtr domain,
                             const virCxlDcdDef *device,
                             const virCxlDcdCapacityDef *capacity,
                             const char *act,
                             const char *refusal);
int qemuCxlDcdCapacityOffer(virDomainPtr domain,
                            virCxlDcdDef *device,
                            virCxlDcdCapacityDef *capacity,
                            bool choose,
                            bool finish);

#endif /* QEMU_CXL_DCD_OFFER_H */
