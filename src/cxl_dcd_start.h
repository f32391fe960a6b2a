/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_start.h: the capacities that a domain starts with
 */

#ifndef CXL_DCD_START_H
#define CXL_DCD_START_H

#include <libvirt/libvirt.h>

#include "conf/cxl_dcd_domain.h"

/**
 * virCxlDcdStartFailedFunc:
 * @domain: a running domain
 * @capacity: a capacity of its definition that cannot be offered; the thread's error
 *            says why
 * @opaque: the caller's
 *
 * Returns true to go on with the other capacities without it; false to try all of it again
 * later.
 */
typedef bool (*virCxlDcdStartFailedFunc)(virDomainPtr domain,
                                         const virCxlDcdCapacityDef *capacity,
                                         void *opaque);

int virCxlDcdStartOffer(virDomainPtr domain,
                        virCxlDcdXMLDoc *doc,
                        virCxlDcdDomainDef *def,
                        virCxlDcdStartFailedFunc failed,
                        void *opaque);
int virCxlDcdStart(virDomainPtr domain);

#endif /* CXL_DCD_START_H */
