/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_lock.h: one thread at a time works on the capacities of a domain
 */

#ifndef QEMU_CXL_DCD_LOCK_H
#define QEMU_CXL_DCD_LOCK_H

#include <glib.h>
#include <libvirt/libvirt.h>

typedef struct _qemuCxlDcdLock qemuCxlDcdLock;

qemuCxlDcdLock *qemuCxlDcdLockDomain(virDomainPtr domain);
void qemuCxlDcdUnlock(qemuCxlDcdLock *lock);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qemuCxlDcdLock, qemuCxlDcdUnlock)

#endif /* QEMU_CXL_DCD_LOCK_H */
