/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virshcxlmock.c: what the commands of virsh-cxl run on in their unit tests
 *
 * It replaces the library, the clock, and what libvirt's test driver does not support.
 * Each call of the library is recorded and answered as the case specifies; an identical
 * call that follows at once is not recorded again.
 */

#include <libvirt/virterror.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "libvirt/libvirt-cxl-dcd.h"
#include "virshcxlmock.h"

mockState mock;

/* exported by libvirt, but declared in no public header */
int virSetError(virErrorPtr error);

static int
mockFail(int code, const char *message)
{
    virError error = {
        .code = code,
        .domain = VIR_FROM_QEMU,
        .level = VIR_ERR_ERROR,
        .message = (char *)message,
    };

    virSetError(&error);
    return -1;
}

static void mockCall(const char *format, ...) G_GNUC_PRINTF(1, 2);

static void
mockCall(const char *format, ...)
{
    g_autofree char *call = NULL;
    va_list args;

    va_start(args, format);
    call = g_strdup_vprintf(format, args);
    va_end(args);
    if (!g_str_has_suffix(mock.calls->str, call))
        g_string_append(mock.calls, call);
}

/* ------------------------------------------------------------------ the clock */

gint64
g_get_monotonic_time(void)
{
    return mock.clock;
}

int
nanosleep(const struct timespec *time, struct timespec *left G_GNUC_UNUSED)
{
    mock.clock += (gint64)time->tv_sec * G_USEC_PER_SEC + time->tv_nsec / 1000;
    if (mock.interrupt > 0 && --mock.interrupt == 0)
        raise(SIGINT);
    return 0;
}

/* -------------------------------------------------------------------- libvirt */

const char *
virConnectGetType(virConnectPtr conn G_GNUC_UNUSED)
{
    return mock.type ? mock.type : "QEMU";
}

int
virDomainIsPersistent(virDomainPtr domain G_GNUC_UNUSED)
{
    return !mock.transient;
}

/* ---------------------------------------------------------------- the library */

char *
virDomainCxlDcdAdd(virDomainPtr domain, const char *xml, unsigned int flags)
{
    if (g_strcmp0(mock.interrupted_by, "add") == 0)
        raise(SIGINT);
    mockCall("add %s %.8s %u;", virDomainGetName(domain), xml, flags);
    if (g_strcmp0(mock.fail, "add") == 0) {
        mockFail(VIR_ERR_OPERATION_INVALID, "no room");
        return NULL;
    }
    return g_strdup(TAG_A);
}

int
virDomainCxlDcdRelease(virDomainPtr domain, const char *device, const char *tag, unsigned int flags)
{
    if (g_strcmp0(mock.interrupted_by, tag) == 0)
        raise(SIGINT);
    mockCall("release %s %s %s %u;", virDomainGetName(domain), device ? device : "-", tag, flags);
    mock.asked = true;
    return g_strcmp0(mock.fail, tag) == 0 ? mockFail(mock.code, "not\nanswered") : 0;
}

int
virDomainCxlDcdWait(virDomainPtr domain, const char *tag, long long timeout, unsigned int flags)
{
    g_assert_cmpint(timeout, ==, 0);
    g_assert_cmpuint(flags, ==, 0);
    mockCall("wait %s %s;", virDomainGetName(domain), tag);
    if (mock.wait == MOCK_WAIT_EVER)
        return mockFail(VIR_ERR_OPERATION_TIMEOUT, "too slow");
    if (mock.wait == MOCK_WAIT_FAILS)
        return mockFail(VIR_ERR_OPERATION_FAILED, "monitor is gone");
    return mock.wait;
}

static void
mockCapacityFree(virDomainCxlDcdCapacityPtr capacity)
{
    g_free(capacity->source);
    g_free(capacity);
}

static virDomainCxlDcdDevicePtr
mockDevice(bool config)
{
    virDomainCxlDcdDevicePtr device = g_new0(virDomainCxlDcdDevice, 1);

    device->alias = g_strdup(mock.alias ? mock.alias : "cxl-dcd0");
    device->model = VIR_DOMAIN_CXL_DCD_MODEL_TAGGED;
    device->regions = 2;
    device->size = 4 * GIB;
    if (mock.empty)
        return device;
    device->accepted = config ? 0 : 256 * MIB;
    device->ncapacities = 2;
    device->capacities = g_new0(virDomainCxlDcdCapacityPtr, 2);
    device->capacities[0] = g_new0(virDomainCxlDcdCapacity, 1);
    *device->capacities[0] = (virDomainCxlDcdCapacity){
        .tag = TAG_A,
        .state = config          ? VIR_DOMAIN_CXL_DCD_STATE_NONE
                 : mock.recorded ? mock.recorded
                                 : VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED,
        .size = 256 * MIB,
        .since = -1,
        .source = g_strdup("memfd"),
    };
    device->capacities[1] = g_new0(virDomainCxlDcdCapacity, 1);
    *device->capacities[1] = (virDomainCxlDcdCapacity){
        .tag = TAG_B,
        .state = VIR_DOMAIN_CXL_DCD_STATE_REJECTED,
        .region = 1,
        .offset = 2 * MIB,
        .size = GIB,
        .since = G_MAXINT64, /* a clock ahead of ours */
    };
    if (config || (mock.asked && g_strcmp0(mock.gone, TAG_B) == 0))
        mockCapacityFree(device->capacities[--device->ncapacities]);
    if (mock.asked && g_strcmp0(mock.gone, TAG_A) == 0) {
        mockCapacityFree(device->capacities[0]);
        device->capacities[0] = device->capacities[--device->ncapacities];
    }
    if (config && mock.config_tag)
        g_strlcpy(device->capacities[0]->tag, mock.config_tag, VIR_UUID_STRING_BUFLEN);
    return device;
}

int
virDomainCxlDcdListDevices(virDomainPtr domain,
                           virDomainCxlDcdDevicePtr **devices,
                           unsigned int flags)
{
    bool config = flags & VIR_DOMAIN_CXL_DCD_LIST_CONFIG;

    mockCall("list %s %u;", virDomainGetName(domain), flags);
    if (g_strcmp0(mock.fail, "list") == 0)
        return mockFail(mock.code, "no answer");
    if (g_strcmp0(mock.fail, "look") == 0 && mock.asked)
        return mockFail(VIR_ERR_OPERATION_FAILED, "no answer");
    if (g_strcmp0(mock.fail, "refresh") == 0 && flags & VIR_DOMAIN_CXL_DCD_LIST_REFRESH)
        return mockFail(VIR_ERR_OPERATION_TIMEOUT, "busy");

    *devices = g_new0(virDomainCxlDcdDevicePtr, 2);
    if (mock.none)
        return 0;
    (*devices)[0] = mockDevice(config);
    return 1;
}

void
virDomainCxlDcdDeviceFree(virDomainCxlDcdDevicePtr device)
{
    size_t i;

    for (i = 0; i < device->ncapacities; i++)
        mockCapacityFree(device->capacities[i]);
    g_free(device->capacities);
    g_free(device->alias);
    g_free(device);
}
