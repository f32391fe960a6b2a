/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_tracker.c: keeps the states of a daemon's domains up to date, unasked
 *
 *     client's open --> [module] --> begins, once in a daemon's life
 *                                       |
 *     libvirt's events --> poke --> [schedule] --> look --> [library] --> libvirt, QEMU
 *     (main loop)                    (thread)     (pool)                      |
 *              ^                                                              |
 *              `------------ metadata-change, started, stopped <--------------'
 *
 * The tracker has a thread and a connection of its own, which it opens inside the daemon
 * when the first client opens a connection to the QEMU driver: before that its URI is not
 * known, and the driver may not be there yet. It looks at every running domain, then listens:
 * a domain that starts, or any write to one of our metadata elements, pokes the schedule. What
 * a look writes is such a write too, and causes one more look, which finds nothing new. Events
 * arrive on the daemon's main loop, which must not wait for anything: they do nothing but
 * poke.
 *
 * When the daemon shuts down, libvirt tears down its drivers, whoever is still calling them.
 * It announces this (virStateShutdownPrepare(), on the main loop): from then on no look
 * begins. Then it waits for its own work, in a thread that may block (virStateShutdownWait()):
 * before that, the tracker waits for its looks. A look that waits for a hanging QEMU cannot be
 * ended; but libvirt's own wait stops the threads that read from QEMU, after which that look
 * never wakes up. A look that woke up just before gets a moment to end, or to reach its next
 * question to QEMU.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>

#include "conf/cxl_dcd_domain.h"
#include "cxl_dcd_connect.h"
#include "cxl_dcd_driver_error.h"
#include "cxl_dcd_driver_load.h"
#include "cxl_dcd_driver_log.h"
#include "cxl_dcd_driver_look.h"
#include "cxl_dcd_driver_next.h"
#include "cxl_dcd_driver_schedule.h"
#include "cxl_dcd_error.h"

static const cxlDcdDriverPauses cxlDcdDriverTrackerPauses = {
    .first = 20 * G_TIME_SPAN_MILLISECOND,
    .last = 2 * G_TIME_SPAN_SECOND,
    .held = 30 * G_TIME_SPAN_SECOND,
    .slow = 1 * G_TIME_SPAN_SECOND,
    .workers = 4,
};

/* How long the shutdown of a daemon waits for looks; libvirt itself waits up to 30 seconds. */
#define CXL_DCD_DRIVER_TRACKER_PATIENCE (5 * G_TIME_SPAN_SECOND)
#define CXL_DCD_DRIVER_TRACKER_MOMENT (1 * G_TIME_SPAN_SECOND)

static GMutex cxlDcdDriverTrackerLock; /* for all that follows */
static GCond cxlDcdDriverTrackerOver;
static bool cxlDcdDriverTrackerRunning;  /* its thread runs */
static bool cxlDcdDriverTrackerStopping; /* it must not be started again */
static char *cxlDcdDriverTrackerFailure; /* why it could not start, as last logged */

/* Once created it is never freed: an event may come at any time. */
static cxlDcdDriverSchedule *cxlDcdDriverTrackerSchedule;

/* Open from before the first look until after the last. */
static virConnectPtr cxlDcdDriverTrackerConnection;

/* ------------------------------------------------------------------- events */

static void
cxlDcdDriverTrackerPoke(virDomainPtr domain)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (virDomainGetUUIDString(domain, uuid) == 0)
        cxlDcdDriverSchedulePoke(cxlDcdDriverTrackerSchedule, uuid);
}

static void
cxlDcdDriverTrackerLifecycle(virConnectPtr conn G_GNUC_UNUSED,
                             virDomainPtr domain,
                             int event,
                             int detail G_GNUC_UNUSED,
                             void *opaque G_GNUC_UNUSED)
{
    char uuid[VIR_UUID_STRING_BUFLEN];

    if (event == VIR_DOMAIN_EVENT_STARTED) {
        cxlDcdDriverTrackerPoke(domain);
    } else if (event == VIR_DOMAIN_EVENT_STOPPED && virDomainGetUUIDString(domain, uuid) == 0) {
        cxlDcdDriverScheduleForget(cxlDcdDriverTrackerSchedule, uuid);
        cxlDcdDriverLookForget(uuid);
    }
}

static void
cxlDcdDriverTrackerMetadata(virConnectPtr conn G_GNUC_UNUSED,
                            virDomainPtr domain,
                            int type,
                            const char *uri,
                            void *opaque G_GNUC_UNUSED)
{
    if (type == VIR_DOMAIN_METADATA_ELEMENT && uri && g_str_has_prefix(uri, VIR_CXL_DCD_NAMESPACES))
        cxlDcdDriverTrackerPoke(domain);
}

/* ---------------------------------------------------------------- its thread */

static cxlDcdDriverNeed
cxlDcdDriverTrackerLook(const char *uuid, bool *changed, void *opaque G_GNUC_UNUSED)
{
    cxlDcdDriverNeed need;

    cxlDcdDriverEnter();
    need = cxlDcdDriverLook(cxlDcdDriverTrackerConnection, uuid, changed);
    cxlDcdDriverLeave(false);
    return need;
}

/* Register for events, then list the running domains: one that starts in between is poked twice. */
static int
cxlDcdDriverTrackerListen(virConnectPtr conn, int *lifecycle, int *metadata)
{
    virDomainPtr *domains = NULL;
    int n;
    int i;

    *lifecycle =
        virConnectDomainEventRegisterAny(conn,
                                         NULL,
                                         VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                         VIR_DOMAIN_EVENT_CALLBACK(cxlDcdDriverTrackerLifecycle),
                                         NULL,
                                         NULL);
    *metadata = *lifecycle < 0
                    ? -1
                    : virConnectDomainEventRegisterAny(conn,
                                                       NULL,
                                                       VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
                                                       VIR_DOMAIN_EVENT_CALLBACK(
                                                           cxlDcdDriverTrackerMetadata),
                                                       NULL,
                                                       NULL);
    if (*metadata < 0 ||
        (n = virConnectListAllDomains(conn, &domains, VIR_CONNECT_LIST_DOMAINS_ACTIVE)) < 0)
        return -1;
    for (i = 0; i < n; i++) {
        cxlDcdDriverTrackerPoke(domains[i]);
        virDomainFree(domains[i]);
    }
    free(domains);
    return 0;
}

/* Track the domains until the daemon ends. Returns 0, or -1 with an error set if this cannot be
 * started. */
static int
cxlDcdDriverTrackerTrack(const char *uri)
{
    virConnectPtr conn = CXL_DCD_NEXT(virConnectOpen)(uri);
    int lifecycle = -1;
    int metadata = -1;
    virErrorPtr error;
    int ret;

    if (!conn)
        return -1;
    cxlDcdDriverTrackerConnection = conn;
    ret = cxlDcdDriverTrackerListen(conn, &lifecycle, &metadata);
    error = virCxlDcdErrorSave();
    if (ret == 0) {
        cxlDcdDriverScheduleRun(cxlDcdDriverTrackerSchedule);
        cxlDcdDriverScheduleDrain(cxlDcdDriverTrackerSchedule, CXL_DCD_DRIVER_TRACKER_PATIENCE);
    }
    if (lifecycle >= 0)
        virConnectDomainEventDeregisterAny(conn, lifecycle);
    if (metadata >= 0)
        virConnectDomainEventDeregisterAny(conn, metadata);
    virConnectClose(conn); /* a look that hangs has its own reference */
    virCxlDcdErrorRestore(error);
    return ret;
}

/* Log why the tracker could not start, unless that was logged before. */
static void
cxlDcdDriverTrackerFail(const char *text)
{
    if (g_strcmp0(cxlDcdDriverTrackerFailure, text) == 0)
        return;
    g_free(cxlDcdDriverTrackerFailure);
    cxlDcdDriverTrackerFailure = g_strdup(text);
    cxlDcdDriverLog("error",
                    "the states of capacities are not tracked until the next client connects: %s",
                    text);
}

static gpointer
cxlDcdDriverTrackerMain(gpointer opaque)
{
    g_autofree char *uri = opaque;
    int ret;

    cxlDcdDriverEnter();
    ret = cxlDcdDriverTrackerTrack(uri);
    g_mutex_lock(&cxlDcdDriverTrackerLock);
    if (ret < 0)
        cxlDcdDriverTrackerFail(virCxlDcdLastErrorMessage());
    cxlDcdDriverTrackerRunning = false;
    g_cond_broadcast(&cxlDcdDriverTrackerOver);
    g_mutex_unlock(&cxlDcdDriverTrackerLock);
    cxlDcdDriverLeave(false);
    return NULL;
}

/* ------------------------------------------------------------ its beginning */

static void
cxlDcdDriverTrackerBegin(const char *uri)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *copy = g_strdup(uri);
    GThread *thread;

    g_mutex_lock(&cxlDcdDriverTrackerLock);
    if (!cxlDcdDriverTrackerRunning && !cxlDcdDriverTrackerStopping) {
        if (!cxlDcdDriverTrackerSchedule)
            cxlDcdDriverTrackerSchedule =
                cxlDcdDriverScheduleNew(&cxlDcdDriverTrackerPauses, cxlDcdDriverTrackerLook, NULL);
        thread = g_thread_try_new("cxl-dcd-tracker", cxlDcdDriverTrackerMain, copy, &error);
        if (thread) {
            cxlDcdDriverTrackerRunning = true;
            g_steal_pointer(&copy);
            g_thread_unref(thread);
        } else {
            cxlDcdDriverTrackerFail(error->message);
        }
    }
    g_mutex_unlock(&cxlDcdDriverTrackerLock);
}

/* A client of the daemon has opened @conn. It does not matter what the client may do: the states
 * belong to the daemon. A connection to another host is one that the daemon itself opened, for a
 * migration: the domains there are tracked there. */
static virConnectPtr
cxlDcdDriverOpened(virConnectPtr conn)
{
    char *uri;

    if (!conn || !cxlDcdDriverIsDaemon() || cxlDcdDriverIsInside())
        return conn;
    cxlDcdDriverEnter();
    if (g_strcmp0(virConnectGetType(conn), "QEMU") == 0 && virCxlDcdConnectIsLocal(conn) &&
        (uri = virConnectGetURI(conn))) {
        cxlDcdDriverTrackerBegin(uri);
        free(uri);
    }
    cxlDcdDriverLeave(false);
    return conn;
}

CXL_DCD_DRIVER_EXPORT virConnectPtr
virConnectOpen(const char *name)
{
    return cxlDcdDriverOpened(CXL_DCD_NEXT(virConnectOpen)(name));
}

CXL_DCD_DRIVER_EXPORT virConnectPtr
virConnectOpenReadOnly(const char *name)
{
    return cxlDcdDriverOpened(CXL_DCD_NEXT(virConnectOpenReadOnly)(name));
}

CXL_DCD_DRIVER_EXPORT virConnectPtr
virConnectOpenAuth(const char *name, virConnectAuthPtr auth, unsigned int flags)
{
    return cxlDcdDriverOpened(CXL_DCD_NEXT(virConnectOpenAuth)(name, auth, flags));
}

/* ------------------------------------------------------------------ its end */

CXL_DCD_DRIVER_EXPORT int
virStateShutdownPrepare(void)
{
    g_mutex_lock(&cxlDcdDriverTrackerLock);
    cxlDcdDriverTrackerStopping = true;
    if (cxlDcdDriverTrackerSchedule)
        cxlDcdDriverScheduleStop(cxlDcdDriverTrackerSchedule);
    g_mutex_unlock(&cxlDcdDriverTrackerLock);
    return CXL_DCD_NEXT(virStateShutdownPrepare)();
}

CXL_DCD_DRIVER_EXPORT int
virStateShutdownWait(void)
{
    gint64 end =
        g_get_monotonic_time() + CXL_DCD_DRIVER_TRACKER_PATIENCE + CXL_DCD_DRIVER_TRACKER_MOMENT;
    int ret;

    g_mutex_lock(&cxlDcdDriverTrackerLock);
    while (cxlDcdDriverTrackerRunning &&
           g_cond_wait_until(&cxlDcdDriverTrackerOver, &cxlDcdDriverTrackerLock, end))
        continue;
    g_mutex_unlock(&cxlDcdDriverTrackerLock);
    ret = CXL_DCD_NEXT(virStateShutdownWait)();
    if (cxlDcdDriverTrackerSchedule)
        cxlDcdDriverScheduleDrain(cxlDcdDriverTrackerSchedule, CXL_DCD_DRIVER_TRACKER_MOMENT);
    return ret;
}
