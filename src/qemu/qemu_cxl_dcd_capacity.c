/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_capacity.c: adding, following and releasing capacity
 *
 * Theory of operation
 *
 * QEMU holds the truth, and the domain's live XML a record of it: one metadata
 * element for each capacity, which libvirt replaces atomically:
 *
 *   (none) -> adding -> pending -> accepted -> releasing -> (none)
 *                 \         \-> rejected -> (none)
 *                  \-> (none), with an error
 *
 *   adding      The record is written before QEMU is asked to do anything: the intent
 *               precedes the act. Then come object-add of the backend (tagged) and
 *               cxl-add-dynamic-capacity.
 *   pending     QEMU has the offer. The guest answers in its own time.
 *   accepted    The guest has it.
 *   rejected    The guest has refused it, and its backend is gone. The record stays,
 *               so that the user sees it, until the capacity is released or the same
 *               tag is added again.
 *   releasing   The record is written before cxl-release-dynamic-capacity, and the time
 *               of the request is added afterwards (qemu_cxl_dcd_release.c). Once QEMU
 *               no longer has the extent, object-del follows, and then the record is
 *               dropped.
 *
 * Any process that finds a record in a passing state may finish the work, so nothing is
 * lost if a process is killed between any two steps. Every step may be repeated. A
 * record in the state adding is left to its owner for a moment, since the owner is
 * probably still at work.
 *
 * QEMU keeps two clients from adding the same capacity: the id of a backend is made from
 * the tag, and QEMU refuses a second object with the same id, and an extent that overlaps
 * another. Each request also has its own UUID in the record. When QEMU refuses, the owner
 * of the request uses it to find out whether another process finished the same request,
 * or another request took the tag.
 *
 * A backend is deleted only when its extent is known to be gone: QEMU with the tagged
 * series deletes the backend of an offered extent without complaint, and crashes
 * later.
 *
 * Deliberately left out: locks (callers take that of qemu_cxl_dcd_lock.c), files, memory between
 * calls, and waiting.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_cxl_dcd_capacity.h"
#include "qemu_cxl_dcd_event_log.h"
#include "qemu_cxl_dcd_monitor.h"
#include "qemu_cxl_dcd_offer.h"
#include "qemu_cxl_dcd_record.h"
#include "qemu_cxl_dcd_release.h"
#include "qemu_cxl_dcd_source.h"
#include "util/cxl_dcd_error.h"

/* ------------------------------------------------------------------- add */

static void
qemuCxlDcdReportTag(const virCxlDcdDomainDef *def,
                    const virCxlDcdCapacityDef *other,
                    const char *device)
{
    virCxlDcdReportError(
        VIR_ERR_OPERATION_INVALID,
        "domain '%s' has a capacity with the tag '%s' already, on device '%s'%s%s: "
        "a tag names one capacity: give another tag, or none",
        def->name,
        other->tag,
        device,
        other->state ? ", state " : "",
        other->state ? virDomainCxlDcdStateToString(other->state) : "");
}

/**
 * qemuCxlDcdCheckNew:
 * @def: the devices of a domain
 * @device: one of them
 * @capacity: the capacity to add to it; its tag may be missing
 *
 * Check everything that can be checked without asking QEMU.
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdCheckNew(const virCxlDcdDomainDef *def,
                   const virCxlDcdDef *device,
                   const virCxlDcdCapacityDef *capacity)
{
    const virCxlDcdCapacityDef *other = NULL;
    virCxlDcdDef *owner = NULL;

    if (virCxlDcdCapacityDefValidate(capacity, device) < 0)
        return -1;
    if (capacity->tag)
        other = virCxlDcdDomainDefCapacity(def, capacity->tag, &owner);
    if (other && other->state != VIR_DOMAIN_CXL_DCD_STATE_REJECTED) {
        qemuCxlDcdReportTag(def, other, owner->alias);
        return -1;
    }
    if ((other = virCxlDcdDefOverlap(device, capacity))) {
        virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                             "a capacity of %llu bytes at offset %llu of region %llu overlaps "
                             "capacity '%s' of device '%s' (%llu bytes at offset %llu): leave the "
                             "offset out, and a free place is chosen",
                             capacity->size,
                             capacity->offset,
                             capacity->region,
                             other->tag,
                             device->alias,
                             other->size,
                             other->offset);
        return -1;
    }
    return 0;
}

static int
qemuCxlDcdFindPlace(const virCxlDcdDef *device, virCxlDcdCapacityDef *capacity)
{
    if (virCxlDcdDefFirstFit(device, capacity) == 0)
        return 0;
    virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                         "region %llu of device '%s' has no free range of %llu bytes",
                         capacity->region,
                         device->alias,
                         capacity->size);
    return -1;
}

/* Check @capacity against the records, and check its file. If @capacity has no place, choose
 * one. */
static int
qemuCxlDcdCheckRoom(virDomainPtr domain,
                    const virCxlDcdDomainDef *def,
                    const virCxlDcdDef *device,
                    virCxlDcdCapacityDef *capacity)
{
    if (qemuCxlDcdCheckNew(def, device, capacity) < 0 ||
        qemuCxlDcdEventLogCheck(def, device, "offer") < 0 ||
        qemuCxlDcdSourceCheck(domain, def, capacity) < 0)
        return -1;
    return capacity->has_offset ? 0 : qemuCxlDcdFindPlace(device, capacity);
}

/* Record that @capacity is being added. Another client may have recorded the tag since @def was
 * read, or may be doing so now. If both do, QEMU accepts only one backend with the tag; but on a
 * static device QEMU knows no tags, so the client whose record is there in the end continues. */
static int
qemuCxlDcdClaimTag(virDomainPtr domain,
                   const virCxlDcdDomainDef *def,
                   const virCxlDcdDef *device,
                   virCxlDcdCapacityDef *capacity)
{
    g_autoptr(virCxlDcdCapacityDef) before = NULL;
    g_autoptr(virCxlDcdCapacityDef) after = NULL;

    if (qemuCxlDcdCapacityReadRecord(domain, NULL, capacity->tag, &before) < 0)
        return -1;
    if (before && before->state != VIR_DOMAIN_CXL_DCD_STATE_REJECTED) {
        qemuCxlDcdReportTag(def, before, before->device ? before->device : "");
        return -1;
    }
    if (qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_ADDING) < 0)
        return -1;
    if (device->model == VIR_DOMAIN_CXL_DCD_MODEL_TAGGED)
        return 0;
    if (qemuCxlDcdCapacityReadRecord(domain, NULL, capacity->tag, &after) < 0)
        return -1;
    if (after && g_strcmp0(after->request, capacity->request) == 0)
        return 0;
    virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                         "another client adds a capacity with the tag '%s' to domain '%s' at the "
                         "same time: a tag names one capacity",
                         capacity->tag,
                         def->name);
    return -1;
}

/**
 * qemuCxlDcdCapacityAdd:
 * @domain: a running domain
 * @def: its devices
 * @device: one of them
 * @capacity: what to add; a missing tag or offset is filled in
 *
 * Offer @capacity to the guest, and record it. The guest answers in its own time. If
 * the records forbid the add, ask QEMU whether they are still true.
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdCapacityAdd(virDomainPtr domain,
                      virCxlDcdDomainDef *def,
                      virCxlDcdDef *device,
                      virCxlDcdCapacityDef *capacity)
{
    bool choose = !capacity->has_offset;

    if (qemuCxlDcdCheckRoom(domain, def, device, capacity) < 0) {
        if (virGetLastErrorCode() != VIR_ERR_OPERATION_INVALID)
            return -1;
        /* if another capacity cannot be refreshed, the check below tells whether it matters */
        qemuCxlDcdDomainRefresh(domain, def, NULL);
        if (qemuCxlDcdCheckRoom(domain, def, device, capacity) < 0)
            return -1;
        virResetLastError();
    }
    if (!capacity->tag)
        capacity->tag = g_uuid_string_random();
    if (qemuCxlDcdCheckForeign(domain, def, device, capacity) < 0)
        return -1;
    g_free(capacity->device);
    capacity->device = g_strdup(device->alias);
    g_free(capacity->request);
    capacity->request = g_uuid_string_random();
    if (qemuCxlDcdClaimTag(domain, def, device, capacity) < 0)
        return -1;
    return qemuCxlDcdCapacityOffer(domain, device, capacity, choose, false);
}

/* --------------------------------------------------------------- refresh */

/* Continue an add whose owner may be gone. */
static int
qemuCxlDcdRefreshAdding(virDomainPtr domain,
                        virCxlDcdDef *device,
                        virCxlDcdCapacityDef *capacity,
                        qemuCxlDcdExtentState state)
{
    bool ambiguous = device->model == VIR_DOMAIN_CXL_DCD_MODEL_STATIC &&
                     virCxlDcdDefOverlap(device, capacity) != NULL;

    if (qemuCxlDcdCapacityIsLeftToOwner(capacity))
        return 0;
    if (state == QEMU_CXL_DCD_EXTENT_ABSENT)
        return qemuCxlDcdCapacityOffer(domain, device, capacity, false, true);
    /* Two requests chose the same place, and QEMU knows ranges, not tags: what is there
     * belongs to the other request. */
    if (ambiguous)
        return qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_NONE);
    return qemuCxlDcdCapacitySetState(domain,
                                      capacity,
                                      state == QEMU_CXL_DCD_EXTENT_PENDING
                                          ? VIR_DOMAIN_CXL_DCD_STATE_PENDING
                                          : VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED);
}

/* Whether the record of @capacity still belongs to the same request. Returns 1, 0, or -1 with an
 * error set. */
static int
qemuCxlDcdIsSameRequest(virDomainPtr domain,
                        const virCxlDcdDef *device,
                        const virCxlDcdCapacityDef *capacity)
{
    g_autoptr(virCxlDcdCapacityDef) record = NULL;

    if (qemuCxlDcdCapacityReadRecord(domain, device, capacity->tag, &record) < 0)
        return -1;
    return record && g_strcmp0(record->request, capacity->request) == 0;
}

/* The extent is gone: the guest refused the offer, or gave the capacity back. Another process may
 * have seen that too, forgotten the capacity, and added the tag again. */
static int
qemuCxlDcdRefreshGone(virDomainPtr domain,
                      const virCxlDcdDef *device,
                      virCxlDcdCapacityDef *capacity)
{
    int same = qemuCxlDcdIsSameRequest(domain, device, capacity);

    if (same > 0 && qemuCxlDcdBackendDelete(domain, device, capacity) < 0)
        return -1;
    if (same > 0)
        same = qemuCxlDcdIsSameRequest(domain, device, capacity);
    if (same > 0)
        return qemuCxlDcdCapacitySetState(domain,
                                          capacity,
                                          capacity->state == VIR_DOMAIN_CXL_DCD_STATE_PENDING
                                              ? VIR_DOMAIN_CXL_DCD_STATE_REJECTED
                                              : VIR_DOMAIN_CXL_DCD_STATE_NONE);
    capacity->state = VIR_DOMAIN_CXL_DCD_STATE_NONE;
    return same;
}

/**
 * qemuCxlDcdCapacityRefresh:
 * @domain: a running domain
 * @device: one of its devices
 * @capacity: a capacity of it, which is replaced by what its record says now
 *
 * Compare the record with what QEMU says, update it, and finish any unfinished work. When the
 * record is gone, @capacity is left in the state VIR_DOMAIN_CXL_DCD_STATE_NONE.
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdCapacityRefresh(virDomainPtr domain, virCxlDcdDef *device, virCxlDcdCapacityDef *capacity)
{
    g_autoptr(virCxlDcdCapacityDef) record = NULL;
    virCxlDcdCapacityDef old;
    qemuCxlDcdExtentState state;

    if (qemuCxlDcdCapacityReadRecord(domain, device, capacity->tag, &record) < 0)
        return -1;
    if (!record) {
        capacity->state = VIR_DOMAIN_CXL_DCD_STATE_NONE;
        return 0;
    }
    old = *capacity;
    *capacity = *record;
    *record = old;
    if (capacity->state == VIR_DOMAIN_CXL_DCD_STATE_REJECTED)
        return 0;
    if (qemuCxlDcdCapacityQuery(domain, device, capacity, &state) < 0)
        return -1;
    if (capacity->state == VIR_DOMAIN_CXL_DCD_STATE_ADDING)
        return qemuCxlDcdRefreshAdding(domain, device, capacity, state);
    if (state == QEMU_CXL_DCD_EXTENT_ABSENT)
        return qemuCxlDcdRefreshGone(domain, device, capacity);
    if (state == QEMU_CXL_DCD_EXTENT_PENDING)
        return capacity->state == VIR_DOMAIN_CXL_DCD_STATE_PENDING
                   ? 0
                   : qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_PENDING);
    if (capacity->state == VIR_DOMAIN_CXL_DCD_STATE_PENDING)
        return qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED);
    if (capacity->state == VIR_DOMAIN_CXL_DCD_STATE_RELEASING)
        return qemuCxlDcdReleaseContinue(domain, device, capacity);
    return 0;
}

/**
 * qemuCxlDcdDomainRefresh:
 * @domain: a running domain
 * @def: its devices
 * @except: a capacity that is up to date, or NULL
 *
 * Refresh all other capacities, and remove from @def those that are gone. If QEMU refuses to
 * report the state of one capacity, the others are refreshed nevertheless; any other error
 * ends the refresh.
 *
 * Returns 0, or -1 with an error set: VIR_ERR_OPERATION_FAILED, with the first refusal, if
 * all other capacities were refreshed.
 */
int
qemuCxlDcdDomainRefresh(virDomainPtr domain,
                        virCxlDcdDomainDef *def,
                        const virCxlDcdCapacityDef *except)
{
    virErrorPtr refusal = NULL;
    guint i;
    guint j;

    for (i = 0; i < def->devices->len; i++) {
        virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        for (j = device->capacities->len; j > 0; j--) {
            virCxlDcdCapacityDef *capacity = g_ptr_array_index(device->capacities, j - 1);

            if (capacity == except)
                continue;
            if (qemuCxlDcdCapacityRefresh(domain, device, capacity) < 0) {
                if (virGetLastErrorCode() != VIR_ERR_OPERATION_FAILED) {
                    virFreeError(refusal);
                    return -1;
                }
                if (!refusal)
                    refusal = virCxlDcdErrorSave();
            }
            if (capacity->state == VIR_DOMAIN_CXL_DCD_STATE_NONE)
                g_ptr_array_remove_index(device->capacities, j - 1);
        }
    }
    if (!refusal)
        return 0;
    virCxlDcdErrorRestore(refusal);
    return -1;
}

/* --------------------------------------------------------------- loading */

/**
 * qemuCxlDcdDomainLoad:
 * @domain: a domain
 *
 * Read the devices of a running domain and their capacities from its live XML
 * (libvirt: virDomainGetXMLDesc()).
 *
 * Returns the devices, to be freed with virCxlDcdDomainDefFree(), or NULL with an error
 * set if the domain is not running or has no such device.
 */
virCxlDcdDomainDef *
qemuCxlDcdDomainLoad(virDomainPtr domain)
{
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    g_autoptr(virCxlDcdDomainDef) def = NULL;
    char *xml = virDomainGetXMLDesc(domain, 0);

    if (!xml)
        return NULL;
    doc = virCxlDcdXMLParse(xml, "domain");
    free(xml);
    if (!doc || !(def = virCxlDcdDomainDefParse(doc)))
        return NULL;
    if (def->devices->len == 0) {
        virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                             "domain '%s' has no CXL device with dynamic capacity: its definition "
                             "needs a <cxl-dcd> under <devices>",
                             virDomainGetName(domain));
        return NULL;
    }
    if (!def->live) {
        virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                             "domain '%s' is not running",
                             virDomainGetName(domain));
        return NULL;
    }
    return g_steal_pointer(&def);
}

/**
 * qemuCxlDcdDomainFindDevice:
 * @def: the devices of a domain
 * @alias: an alias, or NULL for the only device
 *
 * Returns the device, or NULL with an error set that lists the devices there are.
 */
virCxlDcdDef *
qemuCxlDcdDomainFindDevice(const virCxlDcdDomainDef *def, const char *alias)
{
    g_autoptr(GString) aliases = g_string_new(NULL);
    virCxlDcdDef *device;
    guint i;

    if (!alias && def->devices->len == 1)
        return g_ptr_array_index(def->devices, 0);
    if (alias && (device = virCxlDcdDomainDefDevice(def, alias)))
        return device;
    for (i = 0; i < def->devices->len; i++) {
        device = g_ptr_array_index(def->devices, i);
        g_string_append_printf(aliases, "%s'%s'", i ? ", " : "", device->alias);
    }
    if (alias)
        virCxlDcdReportError(VIR_ERR_DEVICE_MISSING,
                             "domain '%s' has no <cxl-dcd> with the alias '%s': it has %s",
                             def->name,
                             alias,
                             aliases->len ? aliases->str : "none");
    else
        virCxlDcdReportError(VIR_ERR_INVALID_ARG,
                             "domain '%s' has several <cxl-dcd>: name one of %s",
                             def->name,
                             aliases->str);
    return NULL;
}
