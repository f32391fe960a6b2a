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
 * QEMU tells the guest of a request with an event record. One that is asked for by its tag
 * (removal-policy tag-based, as the tagged series has it) carries the extent's range and,
 * with the series, no tag. Linux looks an extent up by its range and its tag, and may not
 * find it. So a guest that has not answered a release by tag is asked once more, by range
 * with the tag (prescriptive), unless the user has named a policy. A request that a guest
 * understands twice is answered once: the second finds nothing.
 *
 * A release may take as long as the guest wants. It stays releasing until then, and a user
 * may ask again.
 *
 * That a release was to be forced is not recorded: it is the act of one request, and whoever
 * finishes for a process that was killed asks the guest.
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

/* The policy that @capacity is asked for with at first. */
static virCxlDcdPolicy
qemuCxlDcdFirstPolicy(const virCxlDcdDef *device, const virCxlDcdCapacityDef *capacity)
{
    if (capacity->policy)
        return capacity->policy;
    return device->model == VIR_DOMAIN_CXL_DCD_MODEL_TAGGED ? VIR_CXL_DCD_POLICY_TAG_BASED
                                                            : VIR_CXL_DCD_POLICY_PRESCRIPTIVE;
}

/* @capacity is to be asked for once more. What the guest was asked before it may not have read. */
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

/* Ask the guest for @capacity, whose record says releasing, and note it. Where QEMU refuses, the
 * record becomes what it was @before. */
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

/* Whether the guest has had its time to answer a release by tag. */
static bool
qemuCxlDcdIsFallbackDue(const virCxlDcdDef *device, const virCxlDcdCapacityDef *capacity)
{
    long long fallback = device->fallback < 0 ? VIR_CXL_DCD_FALLBACK : device->fallback;
    long long age = g_get_real_time() / G_USEC_PER_SEC - capacity->asked;

    return fallback > 0 && device->model == VIR_DOMAIN_CXL_DCD_MODEL_TAGGED && !capacity->policy &&
           !capacity->repeated && (age >= fallback || age < 0) && qemuCxlDcdEventLogHasRoom(device);
}

/* Ask once more, by range. QEMU is told once, whatever it says to that. */
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

/* QEMU did not take a request. Whether that is because the guest has just given the capacity
 * back, which is what was asked for. The error stays set where it is not. The refresh asks QEMU no
 * third time: nothing is due after a refusal. */
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
 * @capacity: a capacity of it that is releasing, and that the guest has not given back
 *
 * Do what is due: ask, where the process that began the release did not come to it, or ask
 * once more by range. @capacity ends in VIR_DOMAIN_CXL_DCD_STATE_NONE where the guest gives it
 * back just before it is asked.
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

/* Ask for a capacity that the guest has, where it can hear of it. */
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
 * Ask the guest to give a capacity back, and record that. One that was refused is
 * forgotten; one that the guest has given back meanwhile is gone already, which is
 * no error; one that was asked back already is asked again.
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
