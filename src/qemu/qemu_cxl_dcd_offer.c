/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_offer.c: from the record that says adding to the offer to the guest
 *
 * This file creates the backend of a capacity, offers its extent, and interprets a refusal by
 * QEMU: another client may have the place or the tag, or may be finishing the same request; or
 * the refusal is genuine.
 */

#include <config.h>

#include <string.h>

#include <libvirt/virterror.h>

#include "qemu_cxl_dcd_capacity.h"
#include "qemu_cxl_dcd_offer.h"
#include "qemu_cxl_dcd_record.h"
#include "util/cxl_dcd_error.h"

/* -------------------------------------------------------------- backends */

static char *
qemuCxlDcdBackendId(const virCxlDcdCapacityDef *capacity)
{
    return g_strconcat("cxl-dcd-", capacity->tag, NULL);
}

/**
 * qemuCxlDcdBackendDelete:
 * @domain: a running domain
 * @device: one of its devices
 * @capacity: a capacity of it whose extent is known to be gone
 *
 * Free the memory of @capacity; on a static device there is nothing to do. Deleting the
 * backend again is not an error.
 *
 * Returns 0, or -1 with an error set.
 */
int
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

/* The ids of the backends of @capacity and of all capacities of @def, whose tags are known. */
static GHashTable *
qemuCxlDcdBackendIds(const virCxlDcdDomainDef *def, const virCxlDcdCapacityDef *capacity)
{
    GHashTable *ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    guint i;
    guint j;

    g_hash_table_add(ids, qemuCxlDcdBackendId(capacity));
    for (i = 0; i < def->devices->len; i++) {
        const virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        for (j = 0; j < device->capacities->len; j++)
            g_hash_table_add(ids, qemuCxlDcdBackendId(g_ptr_array_index(device->capacities, j)));
    }
    return ids;
}

/**
 * qemuCxlDcdCheckForeign:
 * @domain: a running domain
 * @def: its devices
 * @device: one of them
 * @capacity: the capacity to add to it, with its tag
 *
 * Check that no backend with this tag was created by anybody else.
 *
 * Returns 0, or -1 with VIR_ERR_OPERATION_INVALID, or another error, set.
 */
int
qemuCxlDcdCheckForeign(virDomainPtr domain,
                       const virCxlDcdDomainDef *def,
                       const virCxlDcdDef *device,
                       const virCxlDcdCapacityDef *capacity)
{
    g_autoptr(GHashTable) ids = qemuCxlDcdBackendIds(def, capacity);
    g_autofree char *other = NULL;
    int ret;

    if (device->model != VIR_DOMAIN_CXL_DCD_MODEL_TAGGED)
        return 0;
    if ((ret = qemuCxlDcdMonitorFindTag(domain, capacity->tag, ids, &other)) <= 0)
        return ret;
    virCxlDcdReportError(
        VIR_ERR_OPERATION_INVALID,
        "QEMU of domain '%s' has a memory backend '%s' with the tag '%s', which is "
        "none of the capacities of the domain: a tag names one capacity",
        virDomainGetName(domain),
        other,
        capacity->tag);
    return -1;
}

/* Whether the extent at the place of @capacity is known to belong to another capacity, because
 * QEMU finds it by the other one's tag. The other record alone proves no more than that of
 * @capacity does: that something is at the place. Returns 1, 0, or -1 with an error set. */
static int
qemuCxlDcdIsPlaceOfAnother(virDomainPtr domain,
                           const virCxlDcdDef *device,
                           const virCxlDcdCapacityDef *capacity)
{
    qemuCxlDcdExtentState state;
    guint i;

    for (i = 0; i < device->capacities->len; i++) {
        const virCxlDcdCapacityDef *other = g_ptr_array_index(device->capacities, i);

        if (!virCxlDcdCapacityOverlaps(other, capacity))
            continue;
        if (qemuCxlDcdMonitorGetStatus(domain, device->alias, other, &state) < 0)
            return -1;
        if (state != QEMU_CXL_DCD_EXTENT_ABSENT)
            return 1;
    }
    return 0;
}

/* The status "Released" only means that the extent is not among the accepted ones, and not every
 * QEMU with the series reports "Pending". The probe reveals an offer, but only by its place. If
 * the offer may be ours, and QEMU does not say whose it is, the guest's answer will tell; until
 * then nothing is deleted. */
static int
qemuCxlDcdQueryTagged(virDomainPtr domain,
                      const virCxlDcdDef *device,
                      const virCxlDcdCapacityDef *capacity,
                      qemuCxlDcdExtentState *state)
{
    qemuCxlDcdExtentState place;
    int another;

    if (qemuCxlDcdMonitorGetStatus(domain, device->alias, capacity, state) < 0)
        return -1;
    if (*state != QEMU_CXL_DCD_EXTENT_ABSENT)
        return 0;
    if ((another = qemuCxlDcdIsPlaceOfAnother(domain, device, capacity)) != 0)
        return another < 0 ? -1 : 0;
    if (qemuCxlDcdMonitorProbe(domain, device->alias, capacity, &place) < 0)
        return -1;
    if (place == QEMU_CXL_DCD_EXTENT_PENDING)
        *state = QEMU_CXL_DCD_EXTENT_PENDING;
    if (place != QEMU_CXL_DCD_EXTENT_ACCEPTED)
        return 0;
    /* the guest has accepted it in the meantime, or it is not ours */
    return qemuCxlDcdMonitorGetStatus(domain, device->alias, capacity, state);
}

/**
 * qemuCxlDcdCapacityQuery:
 * @domain: a running domain
 * @device: one of its devices
 * @capacity: a capacity of it
 * @state: where to store the state of its extent
 *
 * Ask QEMU for the state, in the way that fits the model of the device.
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdCapacityQuery(virDomainPtr domain,
                        const virCxlDcdDef *device,
                        const virCxlDcdCapacityDef *capacity,
                        qemuCxlDcdExtentState *state)
{
    if (device->model == VIR_DOMAIN_CXL_DCD_MODEL_TAGGED)
        return qemuCxlDcdQueryTagged(domain, device, capacity, state);
    return qemuCxlDcdMonitorProbe(domain, device->alias, capacity, state);
}

/* ----------------------------------------------------------------- offers */

/**
 * qemuCxlDcdReportRefusal:
 * @domain: a running domain
 * @device: one of its devices
 * @capacity: a capacity of it
 * @act: "add" or "release"
 * @refusal: QEMU's reason
 *
 * Set the error of a request that QEMU refused.
 */
void
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

/* Whether @refusal says that another extent is in the way. */
static bool
qemuCxlDcdIsPlaceTaken(const char *refusal)
{
    qemuCxlDcdExtentState state;

    return qemuCxlDcdParseProbe(refusal, &state) == 0 && state != QEMU_CXL_DCD_EXTENT_ABSENT;
}

/* Put @taken, a capacity as it is recorded now, among those of @device, in place of what was
 * known of it, if anything. */
static void
qemuCxlDcdTakeRecord(virCxlDcdDef *device, virCxlDcdCapacityDef *taken)
{
    guint i;

    for (i = 0; i < device->capacities->len; i++) {
        virCxlDcdCapacityDef *known = g_ptr_array_index(device->capacities, i);
        const virCxlDcdCapacityDef old = *known;

        if (g_strcmp0(known->tag, taken->tag) != 0)
            continue;
        *known = *taken; /* in place: others hold pointers to it */
        *taken = old;
        virCxlDcdCapacityDefFree(taken);
        return;
    }
    g_ptr_array_add(device->capacities, taken);
}

/* QEMU has something at the place of @capacity. Find out what: add the capacities with other
 * tags that have been recorded in the meantime to those of @device. */
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
            qemuCxlDcdTakeRecord(device, taken);
    }
    return 0;
}

/* Give @capacity another place. A place that is taken without a record counts as taken, by a
 * capacity without a tag, unless what is there may be this capacity itself: on a static device,
 * where QEMU knows no tags and another client is probably adding the same capacity; and once the
 * record is old enough for others to have continued this add, and offered it. Returns false if
 * there is no other place. */
static bool
qemuCxlDcdFindAnother(virCxlDcdDef *device, virCxlDcdCapacityDef *capacity)
{
    unsigned long long offset = capacity->offset;
    virCxlDcdCapacityDef *taken;

    if (!virCxlDcdDefOverlap(device, capacity)) {
        if (device->model == VIR_DOMAIN_CXL_DCD_MODEL_STATIC ||
            !qemuCxlDcdCapacityIsLeftToOwner(capacity))
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

/* Remove from @device what qemuCxlDcdFindAnother() counted as taken: it is no capacity of it. */
static void
qemuCxlDcdDropUnrecorded(virCxlDcdDef *device)
{
    guint i;

    for (i = device->capacities->len; i > 0; i--) {
        if (!((virCxlDcdCapacityDef *)g_ptr_array_index(device->capacities, i - 1))->tag)
            g_ptr_array_remove_index(device->capacities, i - 1);
    }
}

/* What an administrator should look at when QEMU refuses a backend: QEMU's own text only names
 * the call that failed. NULL if there is nothing special about the memory. */
static char *
qemuCxlDcdSourceAdvice(const virCxlDcdSourceDef *source)
{
    g_autoptr(GString) advice = g_string_new(NULL);

    if (source && source->nodes)
        g_string_append(advice, "; the host's NUMA nodes are listed in /sys/devices/system/node");
    if (source && source->pagesize)
        g_string_append_printf(advice,
                               "; huge pages of this size must be reserved first, in "
                               "/sys/kernel/mm/hugepages/hugepages-%llukB/nr_hugepages",
                               source->pagesize / 1024);
    if (source && source->path)
        g_string_append_printf(advice,
                               "; QEMU's user must be able to open '%s' for reading and writing",
                               source->path);
    return advice->len > 0 ? g_strdup(advice->str + strlen("; ")) : NULL;
}

/* Create the backend of @capacity. @mine: a backend that already exists belongs to this
 * request. */
static int
qemuCxlDcdBackendCreate(virDomainPtr domain,
                        const virCxlDcdDef *device,
                        const virCxlDcdCapacityDef *capacity,
                        bool mine,
                        char **refusal)
{
    g_autofree char *id = qemuCxlDcdBackendId(capacity);
    g_autofree char *advice = qemuCxlDcdSourceAdvice(capacity->source);
    g_autofree char *words = NULL;
    int exists = 0;
    int ret;

    if (device->model != VIR_DOMAIN_CXL_DCD_MODEL_TAGGED)
        return QEMU_CXL_DCD_DONE;
    if (mine && (exists = qemuCxlDcdMonitorHasObject(domain, id)) < 0)
        return -1;
    if (exists)
        return QEMU_CXL_DCD_DONE;
    ret = qemuCxlDcdMonitorObjectAdd(domain, capacity, id, refusal);
    if (ret == QEMU_CXL_DCD_REFUSED && advice) {
        words = g_steal_pointer(refusal);
        *refusal = g_strdup_printf("%s (%s)", words, advice);
    }
    return ret;
}

/* Something else has the place of @capacity: choose another one, and update the record. Returns 1,
 * 0 if there is no other place, or -1 with an error set. */
static int
qemuCxlDcdMove(virDomainPtr domain, virCxlDcdDef *device, virCxlDcdCapacityDef *capacity)
{
    if (qemuCxlDcdLearnTaken(domain, device, capacity) < 0)
        return -1;
    if (!qemuCxlDcdFindAnother(device, capacity))
        return 0;
    if (qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_ADDING) < 0)
        return -1;
    return 1;
}

/* Offer the extent. If its place is taken, and was ours to @choose, offer it elsewhere. */
static int
qemuCxlDcdOfferExtent(virDomainPtr domain,
                      virCxlDcdDef *device,
                      virCxlDcdCapacityDef *capacity,
                      bool choose,
                      char **refusal)
{
    int moved = 1;
    int ret;

    while ((ret = qemuCxlDcdMonitorAdd(domain, device->alias, capacity, refusal)) ==
               QEMU_CXL_DCD_REFUSED &&
           choose && qemuCxlDcdIsPlaceTaken(*refusal) &&
           (moved = qemuCxlDcdMove(domain, device, capacity)) > 0)
        g_clear_pointer(refusal, g_free);
    qemuCxlDcdDropUnrecorded(device);
    return moved < 0 ? -1 : ret;
}

/* Whether QEMU refused a step of an add because another client is using the same tag: QEMU has a
 * backend with that id that this request did not create, or, on a static device, something at
 * that place that no other capacity accounts for. Returns 1, 0, or -1 with an error set. */
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

/* QEMU refused a step of an add that this request began. Returns -1 with an error set, and leaves
 * nothing behind, with two exceptions. If the backend cannot be deleted, it stays, and its record
 * with it. If another client is using the same tag, the record stays: it may have replaced the
 * record of that client. The next write of that client replaces it in turn, or else a refresh turns
 * it into the record of what is there. */
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

/* Whether QEMU refused a step of a refresh that finishes another client's add because someone
 * else is finishing it too: its backend or its extent now exists. Returns 1, 0, or -1 with an
 * error set. */
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

/* QEMU refused a step of an add. @finish: the request belongs to another client. Returns 0 if
 * another process has finished the same request in the meantime, or is about to, else -1 with an
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

    if (qemuCxlDcdCapacityReadRecord(domain, device, capacity->tag, &record) < 0)
        return -1;
    if (!record || g_strcmp0(record->request, capacity->request) != 0) {
        if (finish)
            return 0; /* the next refresh finds out what became of it */
        qemuCxlDcdReportRefusal(domain, device, capacity, "add", refusal);
        return -1; /* another request has the tag: nothing here is ours */
    }
    if (record->state != VIR_DOMAIN_CXL_DCD_STATE_ADDING)
        return 0;
    if (finish)
        finishing = qemuCxlDcdIsFinishing(domain, device, capacity, created, refusal);
    if (finishing != 0)
        return finishing < 0 ? -1 : 0;
    if (created && tagged && !qemuCxlDcdCapacityIsLeftToOwner(capacity) &&
        qemuCxlDcdCapacityQuery(domain, device, capacity, &state) < 0)
        return -1;
    if (state != QEMU_CXL_DCD_EXTENT_ABSENT)
        return qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_PENDING);
    return qemuCxlDcdCapacityRefused(domain, device, capacity, created, refusal);
}

/* The connection failed at the first command of an add. If it is certain that QEMU did not receive
 * the command, the record is dropped; otherwise it stays, and a refresh finishes the work. */
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

/**
 * qemuCxlDcdCapacityOffer:
 * @domain: a running domain
 * @device: one of its devices
 * @capacity: a capacity of it whose record says adding
 * @choose: whether another place may be chosen for it
 * @finish: whether the record belongs to a request whose owner is gone
 *
 * Create the backend and offer the extent, so that the record goes from adding to pending.
 *
 * Returns 0, or -1 with an error set.
 */
int
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
