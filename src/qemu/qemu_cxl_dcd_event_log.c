/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_event_log.c: whether the guest can learn of an offer or a request
 *
 * QEMU passes both to the guest as a record in the device's dynamic capacity event log, which
 * holds 8 (hw/cxl/cxl-events.c). QEMU silently drops a ninth record, and the guest never learns
 * of it. QEMU does not report how full the log is, so this file counts what the guest has not
 * answered: each offer, and each request, however often a capacity is asked for. A request
 * counts only for a while, since a guest may keep memory that is in use for as long as it
 * wants.
 */

#include <config.h>

#include <libvirt/virterror.h>

#include "qemu_cxl_dcd_event_log.h"
#include "util/cxl_dcd_error.h"

/* Seconds after which a guest is assumed to have read a request for a capacity: a guest that
 * runs a driver reads its log at once. */
#define QEMU_CXL_DCD_REQUEST_READ 60

/* Whether the guest may not yet have read the request that was made at @asked. */
static bool
qemuCxlDcdIsUnread(long long asked)
{
    long long age = g_get_real_time() / G_USEC_PER_SEC - asked;

    return age >= 0 && age < QEMU_CXL_DCD_REQUEST_READ;
}

/* How many event records about @capacity the guest may not yet have read. */
static unsigned int
qemuCxlDcdUnread(const virCxlDcdCapacityDef *capacity)
{
    unsigned int unread;
    size_t i;

    switch (capacity->state) {
    case VIR_DOMAIN_CXL_DCD_STATE_ADDING:
    case VIR_DOMAIN_CXL_DCD_STATE_PENDING:
        return 1;
    case VIR_DOMAIN_CXL_DCD_STATE_RELEASING:
        unread = qemuCxlDcdIsUnread(capacity->asked ? capacity->asked : capacity->since);
        for (i = 0; i < G_N_ELEMENTS(capacity->earlier); i++)
            unread += qemuCxlDcdIsUnread(capacity->earlier[i]);
        return unread;
    case VIR_DOMAIN_CXL_DCD_STATE_NONE:
    case VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED:
    case VIR_DOMAIN_CXL_DCD_STATE_REJECTED:
        break;
    }
    return 0;
}

static unsigned int
qemuCxlDcdUnreadAll(const virCxlDcdDef *device)
{
    unsigned int unread = 0;
    guint i;

    for (i = 0; i < device->capacities->len; i++)
        unread += qemuCxlDcdUnread(g_ptr_array_index(device->capacities, i));
    return unread;
}

/**
 * qemuCxlDcdEventLogHasRoom:
 * @device: a device of a running domain
 *
 * Returns true if the log has room for one more offer or request.
 */
bool
qemuCxlDcdEventLogHasRoom(const virCxlDcdDef *device)
{
    return qemuCxlDcdUnreadAll(device) < VIR_CXL_DCD_OFFERS_MAX;
}

/**
 * qemuCxlDcdEventLogCheck:
 * @def: the devices of a domain
 * @device: one of them
 * @act: "offer" or "request": what is about to be made
 *
 * Returns 0 if the log has room for it, else -1 with VIR_ERR_OPERATION_INVALID set.
 */
int
qemuCxlDcdEventLogCheck(const virCxlDcdDomainDef *def, const virCxlDcdDef *device, const char *act)
{
    if (qemuCxlDcdEventLogHasRoom(device))
        return 0;
    virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                         "the guest of domain '%s' has not answered %u offers and requests on "
                         "device '%s': its event log holds %d, and it would not learn of another "
                         "%s. Wait for the guest",
                         def->name,
                         qemuCxlDcdUnreadAll(device),
                         device->alias,
                         VIR_CXL_DCD_OFFERS_MAX,
                         act);
    return -1;
}
