/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_release.c: asking capacity back from the guest
 *
 *   record: releasing ---> cxl-release-dynamic-capacity ---> record: asked at
 *                                                               |
 *              guest gives back: refresh drops the record <-----+
 *                                                               | fallback seconds
 *                          record: repeated  <--- the same, by range
 *
 * QEMU passes a request to the guest in an event record. A request by tag (removal-policy
 * tag-based, which the tagged series has) carries the extent's range and, with the series,
 * no tag. Linux looks an extent up by range and tag, and may not find it. So a guest that
 * has not answered a release by tag is asked once more, by range with the tag
 * (prescriptive), unless the user named a policy. A guest that understands both requests
 * answers only the first: the second finds nothing.
 *
 * A release may take as long as the guest wants. Until then the capacity stays in the state
 * releasing, and a user may ask again.
 *
 * The record does not say whether a release was forced: forcing concerns one request only.
 * A process that finishes the work of one that was killed asks the guest.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <string.h>

#include "qemu_cxl_dcd_capacity.h"
#include "qemu_cxl_dcd_event_log.h"
#include "qemu_cxl_dcd_monitor.h"
#include "qemu_cxl_dcd_offer.h"
#include "qemu_cxl_dcd_record.h"
#include "qemu_cxl_dcd_release.h"
#include "util/cxl_dcd_error.h"

/* The policy of the first request for @capacity. */
static virCxlDcdPolicy
qemuCxlDcdFirstPolicy(const virCxlDcdDef *device, const virCxlDcdCapacityDef *capacity)
{
    if (capacity->policy)
        return capacity->policy;
    return device->model == VIR_DOMAIN_CXL_DCD_MODEL_TAGGED ? VIR_CXL_DCD_POLICY_TAG_BASED
                                                            : VIR_CXL_DCD_POLICY_PRESCRIPTIVE;
}

/* @capacity is about to be requested again. Keep the time of the last request, which the guest may
 * not have read yet. */
static void
qemuCxlDcdKeepAsked(virCxlDcdCapacityDef *capacity)
{
    if (!capacity->asked)
        return;
    memmove(&capacity->earlier[1],
            &capacity->earlier[0],
            sizeof(capacity->earlier) - sizeof(capacity->earlier[0]));
    capacity->earlier[0] = capacity->asked;
    capacity->asked = 0;
}

/* Ask the guest for @capacity, whose record says releasing, and record the time. If QEMU refuses,
 * restore the record to what it was @before. */
static int
qemuCxlDcdAskBack(virDomainPtr domain,
                  const virCxlDcdDef *device,
                  virCxlDcdCapacityDef *capacity,
                  const virCxlDcdCapacityDef *before,
                  bool forced)
{
    virCxlDcdPolicy policy = qemuCxlDcdFirstPolicy(device, capacity);
    g_autofree char *refusal = NULL;
    int ret = qemuCxlDcdMonitorRelease(domain, device->alias, capacity, policy, forced, &refusal);
    virErrorPtr error;

    if (ret < 0)
        return -1;
    if (ret == QEMU_CXL_DCD_DONE) {
        capacity->asked = g_get_real_time() / G_USEC_PER_SEC;
        return qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_RELEASING);
    }
    qemuCxlDcdReportRefusal(domain,
                            device,
                            capacity,
                            forced ? "forcibly release" : "release",
                            refusal);
    error = virCxlDcdErrorSave();
    qemuCxlDcdCapacityRestore(domain, capacity, before);
    virCxlDcdErrorRestore(error);
    return -1;
}

/* Whether to ask once more by range: the guest has had enough time to answer a release by tag, and
 * its event log has room. */
static bool
qemuCxlDcdIsFallbackDue(const virCxlDcdDef *device, const virCxlDcdCapacityDef *capacity)
{
    long long fallback = device->fallback < 0 ? VIR_CXL_DCD_FALLBACK : device->fallback;
    long long age = g_get_real_time() / G_USEC_PER_SEC - capacity->asked;

    return fallback > 0 && device->model == VIR_DOMAIN_CXL_DCD_MODEL_TAGGED && !capacity->policy &&
           !capacity->repeated && (age >= fallback || age < 0) && qemuCxlDcdEventLogHasRoom(device);
}

/* Ask once more, by range. This is done only once, whatever QEMU answers. */
static int
qemuCxlDcdAskByRange(virDomainPtr domain,
                     const virCxlDcdDef *device,
                     virCxlDcdCapacityDef *capacity)
{
    g_autofree char *refusal = NULL;
    int ret = qemuCxlDcdMonitorRelease(domain,
                                       device->alias,
                                       capacity,
                                       VIR_CXL_DCD_POLICY_PRESCRIPTIVE,
                                       false,
                                       &refusal);

    if (ret < 0)
        return -1;
    qemuCxlDcdKeepAsked(capacity);
    capacity->asked = g_get_real_time() / G_USEC_PER_SEC;
    capacity->repeated = true;
    if (qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_RELEASING) < 0)
        return -1;
    if (ret == QEMU_CXL_DCD_DONE)
        return 0;
    qemuCxlDcdReportRefusal(domain, device, capacity, "release (once more, by range)", refusal);
    return -1;
}

/* Whether QEMU refused a request because the guest has just given the capacity back, which is what
 * the request was for. Otherwise the error stays set. The refresh does not make a third request:
 * nothing is due after a refusal. */
static bool
qemuCxlDcdIsGoneMeanwhile(virDomainPtr domain, virCxlDcdDef *device, virCxlDcdCapacityDef *capacity)
{
    virErrorPtr error;

    if (virGetLastErrorCode() != VIR_ERR_OPERATION_FAILED)
        return false;
    error = virCxlDcdErrorSave();
    if (qemuCxlDcdCapacityRefresh(domain, device, capacity) == 0 &&
        capacity->state == VIR_DOMAIN_CXL_DCD_STATE_NONE) {
        virFreeError(error);
        virResetLastError();
        return true;
    }
    virCxlDcdErrorRestore(error);
    return false;
}

/**
 * qemuCxlDcdReleaseContinue:
 * @domain: a running domain
 * @device: one of its devices
 * @capacity: a capacity of it in the state releasing that the guest has not given back
 *
 * Do what is due: ask the guest, if the process that began the release did not get that far,
 * or ask once more by range. If the guest gives the capacity back just before it is asked,
 * @capacity ends in VIR_DOMAIN_CXL_DCD_STATE_NONE.
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdReleaseContinue(virDomainPtr domain, virCxlDcdDef *device, virCxlDcdCapacityDef *capacity)
{
    const virCxlDcdCapacityDef accepted = {.state = VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED,
                                           .since = g_get_real_time() / G_USEC_PER_SEC};
    int ret = 0;

    if (!capacity->asked)
        ret = qemuCxlDcdAskBack(domain, device, capacity, &accepted, false);
    else if (qemuCxlDcdIsFallbackDue(device, capacity))
        ret = qemuCxlDcdAskByRange(domain, device, capacity);
    return ret == 0 || qemuCxlDcdIsGoneMeanwhile(domain, device, capacity) ? 0 : -1;
}

/* Ask for a capacity that the guest has, if the event log has room for the request. */
static int
qemuCxlDcdCapacityRequest(virDomainPtr domain,
                          virCxlDcdDomainDef *def,
                          virCxlDcdDef *device,
                          virCxlDcdCapacityDef *capacity,
                          const virCxlDcdDef *request)
{
    virCxlDcdCapacityDef before = *capacity;

    if (qemuCxlDcdEventLogCheck(def, device, "request") < 0) {
        qemuCxlDcdDomainRefresh(domain, def, capacity);
        if (qemuCxlDcdEventLogCheck(def, device, "request") < 0)
            return -1;
        virResetLastError();
    }
    qemuCxlDcdKeepAsked(capacity);
    capacity->repeated = false;
    capacity->policy = request->policy;
    if (qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_RELEASING) < 0)
        return -1;
    if (qemuCxlDcdAskBack(domain, device, capacity, &before, request->forced) == 0)
        return 0;
    return qemuCxlDcdIsGoneMeanwhile(domain, device, capacity) ? 0 : -1;
}

static int
qemuCxlDcdCheckPolicy(const virCxlDcdDef *device, const virCxlDcdDef *request)
{
    if (request->policy != VIR_CXL_DCD_POLICY_TAG_BASED ||
        device->model == VIR_DOMAIN_CXL_DCD_MODEL_TAGGED)
        return 0;
    virCxlDcdReportError(VIR_ERR_OPERATION_UNSUPPORTED,
                         "capacity of device '%s' cannot be released by the removal policy "
                         "'tag-based': the device is static, and QEMU knows its extents by their "
                         "range alone, 'prescriptive'",
                         device->alias);
    return -1;
}

/**
 * qemuCxlDcdCapacityRelease:
 * @domain: a running domain
 * @def: its devices
 * @request: names the device that the capacity is expected on, if it has an alias, the removal
 *           policy, and whether the release is forced
 * @tag: the capacity's tag in its canonical spelling
 *
 * Ask the guest to give a capacity back, and record that. A capacity that the guest refused
 * is forgotten. One that the guest has given back in the meantime is gone, which is not an
 * error. One that was already asked for is asked for again.
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdCapacityRelease(virDomainPtr domain,
                          virCxlDcdDomainDef *def,
                          const virCxlDcdDef *request,
                          const char *tag)
{
    virCxlDcdDef *device = NULL;
    virCxlDcdCapacityDef *capacity = virCxlDcdDomainDefCapacity(def, tag, &device);
    const char *alias = request->alias;

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
    if (qemuCxlDcdCheckPolicy(device, request) < 0 ||
        qemuCxlDcdCapacityRefresh(domain, device, capacity) < 0)
        return -1;
    switch (capacity->state) {
    case VIR_DOMAIN_CXL_DCD_STATE_NONE:
        return 0;
    case VIR_DOMAIN_CXL_DCD_STATE_ADDING:
        virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                             "capacity '%s' of domain '%s' is still being added: it can be "
                             "released once the guest has accepted it",
                             tag,
                             def->name);
        return -1;
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
        return qemuCxlDcdCapacityRequest(domain, def, device, capacity, request);
    }
    return -1;
}
