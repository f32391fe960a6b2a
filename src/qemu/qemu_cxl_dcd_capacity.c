/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_capacity.c: adding, following and releasing capacity
 *
 * Theory of operation
 *
 * QEMU is the truth, and the domain's live XML holds a record of it, one metadata
 * element for each capacity, which libvirt replaces atomically:
 *
 *   (none) -> adding -> pending -> accepted -> releasing -> (none)
 *                 \         \-> rejected -> (none)
 *                  \-> (none), with an error
 *
 *   adding      the record is written before QEMU is told: the intent comes before
 *               the act. Then object-add of the backend (tagged) and
 *               cxl-add-dynamic-capacity.
 *   pending     QEMU has the offer. The guest answers in its own time.
 *   accepted    the guest has it. rejected: it has refused, its backend is gone; the
 *               record stays so that it is seen, until it is released or the same
 *               tag is added again.
 *   releasing   written before cxl-release-dynamic-capacity; "asked" is noted after it.
 *               The record goes when QEMU has the extent no longer, after object-del.
 *
 * Whoever finds a record in a passing state may finish the work, so that a process
 * that was killed between any two steps loses nothing; each step may be repeated. A
 * record that says adding is left to its owner for a moment, since the owner is
 * probably at work.
 *
 * Two clients exclude each other in QEMU: the id of a backend is made from the tag,
 * and QEMU refuses a second object of one id; and it refuses an extent over another.
 * Each request has a UUID of its own in the record, by which its owner sees, when QEMU
 * refuses, whether somebody else finished the same request or another one took the
 * tag.
 *
 * A backend is deleted only when its extent is known to be gone: QEMU with the tagged
 * series deletes the backend of an offered extent without complaint, and crashes
 * later.
 *
 * Deliberately not done: no lock, no file, no memory between calls; no waiting.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_cxl_dcd_capacity.h"
#include "qemu_cxl_dcd_monitor.h"
#include "util/cxl_dcd_error.h"

/* Seconds after which a guest is taken to have read that it is asked for a capacity. A
 * guest that runs a driver reads its log at once, but may keep memory that is in use for
 * as long as it wants: that must not count against its log for ever. */
#define QEMU_CXL_DCD_REQUEST_READ 60

/* Seconds for which a record that says adding is left to its owner. */
#define QEMU_CXL_DCD_ADDING_GRACE 2

/* --------------------------------------------------------------- records */

/**
 * qemuCxlDcdCapacityReadRecord:
 * @domain: a running domain
 * @tag: a tag in its canonical spelling
 * @record: where the capacity goes, to be freed with virCxlDcdCapacityDefFree();
 *          NULL when there is no record of it
 *
 * Read one record (libvirt: virDomainGetMetadata()).
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdCapacityReadRecord(virDomainPtr domain, const char *tag, virCxlDcdCapacityDef **record)
{
    g_autofree char *uri = virCxlDcdRecordNamespace(tag);
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    g_autoptr(virCxlDcdCapacityDef) capacity = NULL;
    char *xml;

    *record = NULL;
    xml = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, uri, VIR_DOMAIN_AFFECT_LIVE);
    if (!xml) {
        if (virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_METADATA)
            return -1;
        virResetLastError();
        return 0;
    }
    doc = virCxlDcdXMLParse(xml, "record");
    free(xml);
    if (!doc || !(capacity = virCxlDcdCapacityDefParseXML(virCxlDcdXMLRoot(doc))) ||
        virCxlDcdCapacityDefParseLive(capacity, virCxlDcdXMLRoot(doc)) < 0)
        return -1;
    *record = g_steal_pointer(&capacity);
    return 0;
}

/* The only place where a state changes (libvirt: virDomainSetMetadata()). */
static int
qemuCxlDcdCapacitySetState(virDomainPtr domain,
                           virCxlDcdCapacityDef *capacity,
                           virDomainCxlDcdState state)
{
    g_autofree char *uri = virCxlDcdRecordNamespace(capacity->tag);
    g_autofree char *xml = NULL;

    if (state != capacity->state) {
        capacity->state = state;
        capacity->since = g_get_real_time() / G_USEC_PER_SEC;
    }
    if (state != VIR_DOMAIN_CXL_DCD_STATE_RELEASING)
        capacity->asked = false;
    if (state != VIR_DOMAIN_CXL_DCD_STATE_NONE)
        xml = virCxlDcdRecordFormat(capacity);
    return virDomainSetMetadata(domain,
                                VIR_DOMAIN_METADATA_ELEMENT,
                                xml,
                                xml ? VIR_CXL_DCD_PREFIX : NULL,
                                uri,
                                VIR_DOMAIN_AFFECT_LIVE);
}

/* Undo what a request has recorded, and keep the error that made it necessary. */
static void
qemuCxlDcdCapacityForget(virDomainPtr domain, virCxlDcdCapacityDef *capacity)
{
    virErrorPtr error = virCxlDcdErrorSave();

    qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_NONE);
    virCxlDcdErrorRestore(error);
}

/* -------------------------------------------------------------- backends */

static char *
qemuCxlDcdBackendId(const virCxlDcdCapacityDef *capacity)
{
    return g_strconcat("cxl-dcd-", capacity->tag, NULL);
}

/* The caller knows that the extent is gone. Repeating it is no error. */
static int
qemuCxlDcdBackendDelete(virDomainPtr domain,
                        const virCxlDcdDef *device,
                        const virCxlDcdCapacityDef *capacity)
{
    g_autofree char *id = qemuCxlDcdBackendId(capacity);
    g_autofree char *refusal = NULL;
    int ret;

    if (device->model != VIR_DOMAIN_CXL_DCD_MODEL_TAGGED)
        return 0;
    if ((ret = qemuCxlDcdMonitorObjectDel(domain, id, &refusal)) != QEMU_CXL_DCD_REFUSED)
        return ret;
    if ((ret = qemuCxlDcdMonitorHasObject(domain, id)) <= 0)
        return ret;
    virCxlDcdReportError(VIR_ERR_OPERATION_FAILED,
                         "cannot free the memory of capacity '%s' of domain '%s': %s",
                         capacity->tag,
                         virDomainGetName(domain),
                         refusal);
    return -1;
}

/* What QEMU says of the extent of @capacity. */
static int
qemuCxlDcdCapacityQuery(virDomainPtr domain,
                        const virCxlDcdDef *device,
                        const virCxlDcdCapacityDef *capacity,
                        qemuCxlDcdExtentState *state)
{
    if (device->model == VIR_DOMAIN_CXL_DCD_MODEL_TAGGED)
        return qemuCxlDcdMonitorGetStatus(domain, device->alias, capacity, state);
    return qemuCxlDcdMonitorProbe(domain, device->alias, capacity, state);
}

/* ------------------------------------------------------------------- add */

static void
qemuCxlDcdReportRefusal(virDomainPtr domain,
                        const virCxlDcdDef *device,
                        const virCxlDcdCapacityDef *capacity,
                        const char *act,
                        const char *refusal)
{
    virCxlDcdReportError(VIR_ERR_OPERATION_FAILED,
                         "QEMU refuses to %s capacity '%s' (region %llu, offset %llu, %llu bytes) "
                         "of device '%s' of domain '%s': %s",
                         act,
                         capacity->tag,
                         capacity->region,
                         capacity->offset,
                         capacity->size,
                         device->alias,
                         virDomainGetName(domain),
                         refusal);
}

/* QEMU's reason for refusing an extent where another one is. */
static bool
qemuCxlDcdIsPlaceTaken(const char *refusal)
{
    qemuCxlDcdExtentState state;

    return qemuCxlDcdParseProbe(refusal, &state) == 0 && state != QEMU_CXL_DCD_EXTENT_ABSENT;
}

/* QEMU has something at the place of @capacity. Learn what: the capacities of other tags
 * that were recorded meanwhile join those of @device. */
static int
qemuCxlDcdLearnTaken(virDomainPtr domain,
                     virCxlDcdDef *device,
                     const virCxlDcdCapacityDef *capacity)
{
    g_autoptr(virCxlDcdDomainDef) def = qemuCxlDcdDomainLoad(domain);
    virCxlDcdDef *now = def ? qemuCxlDcdDomainFindDevice(def, device->alias) : NULL;
    virCxlDcdCapacityDef *taken;

    if (!now)
        return -1;
    while (now->capacities->len > 0) {
        taken = g_ptr_array_steal_index(now->capacities, 0);
        if (g_strcmp0(taken->tag, capacity->tag) == 0)
            virCxlDcdCapacityDefFree(taken);
        else
            g_ptr_array_add(device->capacities, taken);
    }
    return 0;
}

/* Give @capacity another place. One that is taken without a record counts as taken, but
 * not on a static device: QEMU knows no tags there, and it is likely that another client
 * adds the same tag. Returns false when there is no other place. */
static bool
qemuCxlDcdFindAnother(virCxlDcdDef *device, virCxlDcdCapacityDef *capacity)
{
    unsigned long long offset = capacity->offset;
    virCxlDcdCapacityDef *taken;

    if (!virCxlDcdDefOverlap(device, capacity)) {
        if (device->model == VIR_DOMAIN_CXL_DCD_MODEL_STATIC)
            return false;
        taken = virCxlDcdCapacityDefNew();
        taken->region = capacity->region;
        taken->has_offset = true;
        taken->offset = capacity->offset;
        taken->size = capacity->size;
        taken->state = VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED;
        g_ptr_array_add(device->capacities, taken);
    }
    if (virCxlDcdDefFirstFit(device, capacity) == 0)
        return true;
    capacity->has_offset = true;
    capacity->offset = offset;
    return false;
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

/* Create the backend of @capacity. @mine: a backend that is there already belongs to
 * this request. */
static int
qemuCxlDcdBackendCreate(virDomainPtr domain,
                        const virCxlDcdDef *device,
                        const virCxlDcdCapacityDef *capacity,
                        bool mine,
                        char **refusal)
{
    g_autofree char *id = qemuCxlDcdBackendId(capacity);
    int exists = 0;

    if (device->model != VIR_DOMAIN_CXL_DCD_MODEL_TAGGED)
        return QEMU_CXL_DCD_DONE;
    if (mine && (exists = qemuCxlDcdMonitorHasObject(domain, id)) < 0)
        return -1;
    if (exists)
        return QEMU_CXL_DCD_DONE;
    return qemuCxlDcdMonitorObjectAdd(domain, capacity, id, refusal);
}

/* Offer the extent; where the place was ours to choose and somebody else has it,
 * choose another. The record follows the place. */
static int
qemuCxlDcdOfferExtent(virDomainPtr domain,
                      virCxlDcdDef *device,
                      virCxlDcdCapacityDef *capacity,
                      bool choose,
                      char **refusal)
{
    int ret;

    while ((ret = qemuCxlDcdMonitorAdd(domain, device->alias, capacity, refusal)) ==
               QEMU_CXL_DCD_REFUSED &&
           choose && qemuCxlDcdIsPlaceTaken(*refusal)) {
        if (qemuCxlDcdLearnTaken(domain, device, capacity) < 0)
            return -1;
        if (!qemuCxlDcdFindAnother(device, capacity))
            break;
        g_clear_pointer(refusal, g_free);
        if (qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_ADDING) < 0)
            return -1;
    }
    return ret;
}

/* Whether QEMU refused a step of an add because another client is at the same tag: it
 * has a backend of that id which this request did not make; on a static device, something
 * at that place which no other capacity accounts for. Returns 1, 0, or -1 with an error
 * set. */
static int
qemuCxlDcdIsTagTaken(virDomainPtr domain,
                     virCxlDcdDef *device,
                     const virCxlDcdCapacityDef *capacity,
                     bool created,
                     const char *refusal)
{
    g_autofree char *id = qemuCxlDcdBackendId(capacity);
    qemuCxlDcdExtentState state;

    if (device->model == VIR_DOMAIN_CXL_DCD_MODEL_TAGGED)
        return created ? 0 : qemuCxlDcdMonitorHasObject(domain, id);
    if (!qemuCxlDcdIsPlaceTaken(refusal))
        return 0;
    if (qemuCxlDcdLearnTaken(domain, device, capacity) < 0)
        return -1;
    if (virCxlDcdDefOverlap(device, capacity))
        return 0;
    if (qemuCxlDcdCapacityQuery(domain, device, capacity, &state) < 0)
        return -1;
    return state != QEMU_CXL_DCD_EXTENT_ABSENT;
}

/* QEMU refused a step of an add that this request began. Returns -1 with an error set;
 * nothing is left of the request but, where another client is at the same tag, the record:
 * it may have replaced that client's, whose next write replaces it, or else a refresh
 * makes it the record of what is there. */
static int
qemuCxlDcdCapacityRefused(virDomainPtr domain,
                          virCxlDcdDef *device,
                          virCxlDcdCapacityDef *capacity,
                          bool created,
                          const char *refusal)
{
    int taken = qemuCxlDcdIsTagTaken(domain, device, capacity, created, refusal);
    virErrorPtr error;

    if (taken < 0)
        return -1;
    qemuCxlDcdReportRefusal(domain, device, capacity, "add", refusal);
    if (taken)
        return -1;
    error = virCxlDcdErrorSave();
    if (!created || qemuCxlDcdBackendDelete(domain, device, capacity) == 0)
        qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_NONE);
    virCxlDcdErrorRestore(error);
    return -1;
}

/* Whether QEMU refused a step of a refresh that finishes somebody's add because another
 * one is finishing it too: its backend or its extent is there now. Returns 1, 0, or -1
 * with an error set. */
static int
qemuCxlDcdIsFinishing(virDomainPtr domain,
                      const virCxlDcdDef *device,
                      const virCxlDcdCapacityDef *capacity,
                      bool created,
                      const char *refusal)
{
    g_autofree char *id = qemuCxlDcdBackendId(capacity);

    if (device->model == VIR_DOMAIN_CXL_DCD_MODEL_TAGGED)
        return created ? 0 : qemuCxlDcdMonitorHasObject(domain, id);
    return qemuCxlDcdIsPlaceTaken(refusal);
}

/* QEMU refused a step of an add. @finish: the request is somebody else's. Returns 0 when
 * somebody else has finished the same request meanwhile, or is about to, else -1 with an
 * error set. */
static int
qemuCxlDcdResolveRefusal(virDomainPtr domain,
                         virCxlDcdDef *device,
                         virCxlDcdCapacityDef *capacity,
                         bool created,
                         bool finish,
                         const char *refusal)
{
    bool tagged = device->model == VIR_DOMAIN_CXL_DCD_MODEL_TAGGED;
    g_autoptr(virCxlDcdCapacityDef) record = NULL;
    qemuCxlDcdExtentState state = QEMU_CXL_DCD_EXTENT_ABSENT;
    int finishing = 0;
    bool mine;

    if (qemuCxlDcdCapacityReadRecord(domain, capacity->tag, &record) < 0)
        return -1;
    mine = record && g_strcmp0(record->request, capacity->request) == 0;
    if (mine && record->state != VIR_DOMAIN_CXL_DCD_STATE_ADDING)
        return 0;
    if (finish && mine)
        finishing = qemuCxlDcdIsFinishing(domain, device, capacity, created, refusal);
    if (finishing < 0)
        return -1;
    if (finish && (!mine || finishing))
        return 0; /* the next refresh sees what became of it */
    if (created && tagged && qemuCxlDcdCapacityQuery(domain, device, capacity, &state) < 0)
        return -1;
    if (state != QEMU_CXL_DCD_EXTENT_ABSENT)
        return qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_PENDING);
    if (mine)
        return qemuCxlDcdCapacityRefused(domain, device, capacity, created, refusal);
    qemuCxlDcdReportRefusal(domain, device, capacity, "add", refusal);
    return -1; /* another request has the tag: nothing here is ours */
}

/* The connection failed at the first command of an add. Where it is sure that QEMU heard
 * nothing, nothing is left; else the record stays, and a refresh ends the work. */
static void
qemuCxlDcdCapacityInterrupted(virDomainPtr domain, virCxlDcdCapacityDef *capacity)
{
    switch (virGetLastErrorCode()) {
    case VIR_ERR_ACCESS_DENIED:
    case VIR_ERR_OPERATION_DENIED:
    case VIR_ERR_NO_SUPPORT:
    case VIR_ERR_OPERATION_UNSUPPORTED:
        qemuCxlDcdCapacityForget(domain, capacity);
        break;
    default:
        break;
    }
}

/* From the record that says adding to the one that says pending. @finish: the record
 * is that of a request whose owner is gone. */
static int
qemuCxlDcdCapacityOffer(virDomainPtr domain,
                        virCxlDcdDef *device,
                        virCxlDcdCapacityDef *capacity,
                        bool choose,
                        bool finish)
{
    g_autofree char *refusal = NULL;
    bool created = false;
    int ret;

    ret = qemuCxlDcdBackendCreate(domain, device, capacity, finish, &refusal);
    if (ret == QEMU_CXL_DCD_DONE) {
        created = true;
        ret = qemuCxlDcdOfferExtent(domain, device, capacity, choose, &refusal);
    }
    if (ret == QEMU_CXL_DCD_DONE)
        return qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_PENDING);
    if (ret == QEMU_CXL_DCD_REFUSED)
        return qemuCxlDcdResolveRefusal(domain, device, capacity, created, finish, refusal);
    if (!finish && (!created || device->model != VIR_DOMAIN_CXL_DCD_MODEL_TAGGED))
        qemuCxlDcdCapacityInterrupted(domain, capacity);
    return -1;
}

/**
 * qemuCxlDcdCheckNew:
 * @def: the devices of a domain
 * @device: one of them
 * @capacity: what is to become a capacity of it; its tag may be missing
 *
 * Everything that can be refused without asking QEMU.
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
        virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                             "domain '%s' has a capacity with the tag '%s' already, on device "
                             "'%s'%s%s: a tag names one capacity",
                             def->name,
                             capacity->tag,
                             owner->alias,
                             other->state ? ", state " : "",
                             other->state ? virDomainCxlDcdStateToString(other->state) : "");
        return -1;
    }
    if ((other = virCxlDcdDefOverlap(device, capacity))) {
        virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                             "a capacity of %llu bytes at offset %llu of region %llu overlaps "
                             "capacity '%s' of device '%s' (%llu bytes at offset %llu)",
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

/* Whether the guest may not have read yet what it was told of @capacity. */
static bool
qemuCxlDcdCapacityIsUnread(const virCxlDcdCapacityDef *capacity)
{
    long long age = g_get_real_time() / G_USEC_PER_SEC - capacity->since;

    if (capacity->state == VIR_DOMAIN_CXL_DCD_STATE_RELEASING)
        return age < QEMU_CXL_DCD_REQUEST_READ;
    return capacity->state == VIR_DOMAIN_CXL_DCD_STATE_ADDING ||
           capacity->state == VIR_DOMAIN_CXL_DCD_STATE_PENDING;
}

/* Whether the event log of @device has room for @act, "offer" or "request", about
 * @capacity. */
static int
qemuCxlDcdCheckEventLog(const virCxlDcdDomainDef *def,
                        const virCxlDcdDef *device,
                        const virCxlDcdCapacityDef *capacity,
                        const char *act)
{
    unsigned int unread = 0;
    guint i;

    for (i = 0; i < device->capacities->len; i++) {
        const virCxlDcdCapacityDef *other = g_ptr_array_index(device->capacities, i);

        unread += other != capacity && qemuCxlDcdCapacityIsUnread(other);
    }
    if (unread < VIR_CXL_DCD_OFFERS_MAX)
        return 0;
    virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                         "the guest of domain '%s' has not answered %u offers and requests on "
                         "device '%s': its event log holds %d, and it would not hear of another "
                         "%s. Wait for the guest",
                         def->name,
                         unread,
                         device->alias,
                         VIR_CXL_DCD_OFFERS_MAX,
                         act);
    return -1;
}

/* All that the records can speak against. Gives @capacity a place where it has none. */
static int
qemuCxlDcdCheckRoom(const virCxlDcdDomainDef *def,
                    const virCxlDcdDef *device,
                    virCxlDcdCapacityDef *capacity)
{
    if (qemuCxlDcdCheckNew(def, device, capacity) < 0 ||
        qemuCxlDcdCheckEventLog(def, device, capacity, "offer") < 0)
        return -1;
    return capacity->has_offset ? 0 : qemuCxlDcdFindPlace(device, capacity);
}

/**
 * qemuCxlDcdCapacityAdd:
 * @domain: a running domain
 * @def: its devices
 * @device: one of them
 * @capacity: what to add; gets a tag and an offset where it has none
 *
 * Offer @capacity to the guest, and record it. The guest answers in its own time. Where
 * the records speak against it, QEMU is asked whether they are still true.
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

    if (qemuCxlDcdCheckRoom(def, device, capacity) < 0) {
        if (virGetLastErrorCode() != VIR_ERR_OPERATION_INVALID ||
            qemuCxlDcdDomainRefresh(domain, def, NULL) < 0 ||
            qemuCxlDcdCheckRoom(def, device, capacity) < 0)
            return -1;
        virResetLastError();
    }
    if (!capacity->tag)
        capacity->tag = g_uuid_string_random();
    g_free(capacity->device);
    capacity->device = g_strdup(device->alias);
    g_free(capacity->request);
    capacity->request = g_uuid_string_random();
    if (qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_ADDING) < 0)
        return -1;
    return qemuCxlDcdCapacityOffer(domain, device, capacity, choose, false);
}

/* --------------------------------------------------------------- refresh */

/* An add whose owner may be gone. */
static int
qemuCxlDcdRefreshAdding(virDomainPtr domain,
                        virCxlDcdDef *device,
                        virCxlDcdCapacityDef *capacity,
                        qemuCxlDcdExtentState state)
{
    bool ambiguous = device->model == VIR_DOMAIN_CXL_DCD_MODEL_STATIC &&
                     virCxlDcdDefOverlap(device, capacity) != NULL;

    if (g_get_real_time() / G_USEC_PER_SEC - capacity->since < QEMU_CXL_DCD_ADDING_GRACE)
        return 0;
    if (state == QEMU_CXL_DCD_EXTENT_ABSENT)
        return qemuCxlDcdCapacityOffer(domain, device, capacity, false, true);
    /* Two requests chose one place, and QEMU knows ranges, not tags: what is there
     * is the other's. */
    if (ambiguous)
        return qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_NONE);
    return qemuCxlDcdCapacitySetState(domain,
                                      capacity,
                                      state == QEMU_CXL_DCD_EXTENT_PENDING
                                          ? VIR_DOMAIN_CXL_DCD_STATE_PENDING
                                          : VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED);
}

/* The extent is gone: an offer was refused, anything else was given back. Who else saw
 * that may have forgotten the capacity meanwhile, and added the tag again. */
static int
qemuCxlDcdRefreshGone(virDomainPtr domain,
                      const virCxlDcdDef *device,
                      virCxlDcdCapacityDef *capacity)
{
    g_autoptr(virCxlDcdCapacityDef) record = NULL;

    if (qemuCxlDcdBackendDelete(domain, device, capacity) < 0 ||
        qemuCxlDcdCapacityReadRecord(domain, capacity->tag, &record) < 0)
        return -1;
    if (!record || g_strcmp0(record->request, capacity->request) != 0) {
        capacity->state = VIR_DOMAIN_CXL_DCD_STATE_NONE;
        return 0;
    }
    return qemuCxlDcdCapacitySetState(domain,
                                      capacity,
                                      capacity->state == VIR_DOMAIN_CXL_DCD_STATE_PENDING
                                          ? VIR_DOMAIN_CXL_DCD_STATE_REJECTED
                                          : VIR_DOMAIN_CXL_DCD_STATE_NONE);
}

/* Ask the guest for it. The record says releasing, and says so before and after. */
static int
qemuCxlDcdAskBack(virDomainPtr domain, const virCxlDcdDef *device, virCxlDcdCapacityDef *capacity)
{
    g_autofree char *refusal = NULL;
    int ret = qemuCxlDcdMonitorRelease(domain, device, capacity, &refusal);

    if (ret < 0)
        return -1;
    if (ret == QEMU_CXL_DCD_REFUSED) {
        virErrorPtr error;

        qemuCxlDcdReportRefusal(domain, device, capacity, "release", refusal);
        error = virCxlDcdErrorSave();
        qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED);
        virCxlDcdErrorRestore(error);
        return -1;
    }
    capacity->asked = true;
    return qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_RELEASING);
}

/**
 * qemuCxlDcdCapacityRefresh:
 * @domain: a running domain
 * @device: one of its devices
 * @capacity: a capacity of it; becomes what its record says now
 *
 * Compare the record with what QEMU says, bring it up to date, and finish what is
 * unfinished. @capacity ends in VIR_DOMAIN_CXL_DCD_STATE_NONE when its record is gone.
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdCapacityRefresh(virDomainPtr domain, virCxlDcdDef *device, virCxlDcdCapacityDef *capacity)
{
    g_autoptr(virCxlDcdCapacityDef) record = NULL;
    virCxlDcdCapacityDef old;
    qemuCxlDcdExtentState state;

    if (qemuCxlDcdCapacityReadRecord(domain, capacity->tag, &record) < 0)
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
    if (capacity->state == VIR_DOMAIN_CXL_DCD_STATE_RELEASING && !capacity->asked)
        return qemuCxlDcdAskBack(domain, device, capacity);
    return 0;
}

/**
 * qemuCxlDcdDomainRefresh:
 * @domain: a running domain
 * @def: its devices
 * @except: a capacity that is fresh, or NULL
 *
 * Refresh all other capacities; those that are gone leave @def.
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdDomainRefresh(virDomainPtr domain,
                        virCxlDcdDomainDef *def,
                        const virCxlDcdCapacityDef *except)
{
    guint i;
    guint j;

    for (i = 0; i < def->devices->len; i++) {
        virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        for (j = device->capacities->len; j > 0; j--) {
            virCxlDcdCapacityDef *capacity = g_ptr_array_index(device->capacities, j - 1);

            if (capacity == except)
                continue;
            if (qemuCxlDcdCapacityRefresh(domain, device, capacity) < 0)
                return -1;
            if (capacity->state == VIR_DOMAIN_CXL_DCD_STATE_NONE)
                g_ptr_array_remove_index(device->capacities, j - 1);
        }
    }
    return 0;
}

/* --------------------------------------------------------------- release */

/* Ask for a capacity that the guest has, where it can hear of it. */
static int
qemuCxlDcdCapacityRequest(virDomainPtr domain,
                          virCxlDcdDomainDef *def,
                          virCxlDcdDef *device,
                          virCxlDcdCapacityDef *capacity)
{
    if (qemuCxlDcdCheckEventLog(def, device, capacity, "request") < 0) {
        if (qemuCxlDcdDomainRefresh(domain, def, capacity) < 0 ||
            qemuCxlDcdCheckEventLog(def, device, capacity, "request") < 0)
            return -1;
        virResetLastError();
    }
    capacity->asked = false;
    if (qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_RELEASING) < 0)
        return -1;
    return qemuCxlDcdAskBack(domain, device, capacity);
}

/**
 * qemuCxlDcdCapacityRelease:
 * @domain: a running domain
 * @def: its devices
 * @alias: the device that the capacity is expected on, or NULL
 * @tag: the capacity's tag in its canonical spelling
 *
 * Ask the guest to give a capacity back, and record that. One that was refused is
 * forgotten; one that the guest has given back meanwhile is gone already, which is
 * no error; one that was asked back already is asked again.
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdCapacityRelease(virDomainPtr domain,
                          virCxlDcdDomainDef *def,
                          const char *alias,
                          const char *tag)
{
    virCxlDcdDef *device = NULL;
    virCxlDcdCapacityDef *capacity = virCxlDcdDomainDefCapacity(def, tag, &device);

    if (!capacity || (alias && !g_str_equal(alias, device->alias))) {
        virCxlDcdReportError(VIR_ERR_DEVICE_MISSING,
                             "domain '%s' has no capacity with the tag '%s'%s%s%s",
                             def->name,
                             tag,
                             alias ? " on device '" : "",
                             alias ? alias : "",
                             alias ? "'" : "");
        return -1;
    }
    if (qemuCxlDcdCapacityRefresh(domain, device, capacity) < 0)
        return -1;
    switch (capacity->state) {
    case VIR_DOMAIN_CXL_DCD_STATE_NONE:
        return 0;
    case VIR_DOMAIN_CXL_DCD_STATE_ADDING:
    case VIR_DOMAIN_CXL_DCD_STATE_PENDING:
        virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                             "the guest of domain '%s' has not answered the offer of capacity "
                             "'%s': it can be released once the guest has accepted it",
                             def->name,
                             tag);
        return -1;
    case VIR_DOMAIN_CXL_DCD_STATE_REJECTED:
        return qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_NONE);
    case VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED:
    case VIR_DOMAIN_CXL_DCD_STATE_RELEASING:
        return qemuCxlDcdCapacityRequest(domain, def, device, capacity);
    }
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
 * Returns them, to be freed with virCxlDcdDomainDefFree(), or NULL with an error
 * set when it is not running or has none.
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
 * Returns the device, or NULL with an error set that names those that there are.
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
