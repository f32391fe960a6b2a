/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_lock.c: one thread at a time works on the capacities of a domain
 *
 * libvirt cannot write a record on condition that it has not changed since it was read.
 * Between processes that leaves windows of a few milliseconds (docs/architecture.rst). In the
 * daemon, through which every client's calls go, this lock closes them. Each domain has its
 * own lock, so that no domain waits for another one's QEMU. A lock exists for as long as a
 * thread holds it or waits for it.
 */

#include <config.h>

#include "qemu_cxl_dcd_lock.h"

struct _qemuCxlDcdLock {
    char uuid[VIR_UUID_STRING_BUFLEN]; /* of the domain: the key */
    unsigned int users;                /* threads that hold it or wait; under the table's lock */
    GMutex mutex;
};

static GMutex qemuCxlDcdLocksLock;
static GHashTable *qemuCxlDcdLocks; /* UUID to qemuCxlDcdLock; owned by their users */

/**
 * qemuCxlDcdLockDomain:
 * @domain: a domain
 *
 * Wait until no other thread of this process has the lock of @domain, and take it. The lock is
 * not recursive: a thread that has it must not take it again.
 *
 * Returns the lock, to be released with qemuCxlDcdUnlock().
 */
qemuCxlDcdLock *
qemuCxlDcdLockDomain(virDomainPtr domain)
{
    char uuid[VIR_UUID_STRING_BUFLEN] = "";
    qemuCxlDcdLock *lock;

    virDomainGetUUIDString(domain, uuid);
    g_mutex_lock(&qemuCxlDcdLocksLock);
    if (!qemuCxlDcdLocks)
        qemuCxlDcdLocks = g_hash_table_new(g_str_hash, g_str_equal);
    if (!(lock = g_hash_table_lookup(qemuCxlDcdLocks, uuid))) {
        lock = g_new0(qemuCxlDcdLock, 1);
        g_strlcpy(lock->uuid, uuid, sizeof(lock->uuid));
        g_mutex_init(&lock->mutex);
        g_hash_table_insert(qemuCxlDcdLocks, lock->uuid, lock);
    }
    lock->users++;
    g_mutex_unlock(&qemuCxlDcdLocksLock);

    g_mutex_lock(&lock->mutex);
    return lock;
}

/**
 * qemuCxlDcdUnlock:
 * @lock: a lock that the calling thread has
 */
void
qemuCxlDcdUnlock(qemuCxlDcdLock *lock)
{
    g_mutex_unlock(&lock->mutex);

    g_mutex_lock(&qemuCxlDcdLocksLock);
    if (--lock->users == 0) {
        g_hash_table_remove(qemuCxlDcdLocks, lock->uuid);
        g_mutex_clear(&lock->mutex);
        g_free(lock);
    }
    g_mutex_unlock(&qemuCxlDcdLocksLock);
}
