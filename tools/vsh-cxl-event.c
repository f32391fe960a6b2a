/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-event.c: libvirt's events about the capacities of domains
 *
 *     libvirt's callbacks     SIGINT
 *     in the event thread       |
 *           |                   |
 *        queue  ----> eventfd <-'
 *                        |
 *                  vshCxlEventsWait(), in the thread of the command
 *
 * A callback only queues what happened; the command queries libvirt about it in its own
 * thread. libvirt delivers events to a connection only if the event loop was registered
 * before the connection was opened, and drops a connection whose loop does not run: so
 * once started, the thread runs until the program ends.
 */

#include <errno.h>
#include <libvirt/virterror.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "conf/cxl_dcd_domain.h"
#include "vsh-cxl-event.h"

/* virsh's defaults: a daemon that leaves COUNT probes unanswered, sent every INTERVAL seconds,
 * is considered gone. */
#define VSH_CXL_EVENT_INTERVAL 5
#define VSH_CXL_EVENT_COUNT 6

/* Reference-counted: libvirt may still call back while the callbacks are being removed. */
typedef struct {
    GAsyncQueue *queue; /* of vshCxlEvent */
    int wakeup;         /* eventfd */
} vshCxlEventSink;

struct _vshCxlEvents {
    virConnectPtr conn;
    vshCxlEventSink *sink; /* one reference */
    int metadata;          /* callback ids, -1: not registered */
    int lifecycle;
    bool close;                /* the close callback is registered */
    struct sigaction previous; /* the previous handler of SIGINT */
};

static volatile sig_atomic_t vshCxlEventInterrupted;
static volatile sig_atomic_t vshCxlEventWakeup = -1;

/**
 * vshCxlEventFree:
 * @event: the event, or NULL
 */
void
vshCxlEventFree(vshCxlEvent *event)
{
    if (!event)
        return;
    if (event->domain)
        virDomainFree(event->domain);
    g_free(event->tag);
    g_free(event);
}

/* ------------------------------------------------------------ the event loop */

static void *
vshCxlEventLoop(void *data G_GNUC_UNUSED)
{
    while (virEventRunDefaultImpl() == 0)
        ;
    return NULL;
}

/**
 * vshCxlEventsConnect:
 * @ctl: the run
 *
 * Returns 0 once there is a connection that receives events, -1 with the error reported.
 */
int
vshCxlEventsConnect(vshCxlControl *ctl)
{
    static bool running;
    sigset_t all;
    sigset_t before;

    if (!running) {
        if (virEventRegisterDefaultImpl() < 0) {
            vshCxlLibvirtError(ctl, "Failed to begin the event loop");
            return -1;
        }
        /* leave signals to the thread that waits for them */
        sigfillset(&all);
        pthread_sigmask(SIG_SETMASK, &all, &before);
        g_thread_unref(g_thread_new("event loop", vshCxlEventLoop, NULL));
        pthread_sigmask(SIG_SETMASK, &before, NULL);
        running = true;
        vshCxlDisconnect(ctl);
    }
    if (vshCxlConnect(ctl) < 0)
        return -1;
    /* detects a host that went silent; a local connection does not support it, and does not need
     * it */
    if (virConnectSetKeepAlive(ctl->conn, VSH_CXL_EVENT_INTERVAL, VSH_CXL_EVENT_COUNT) != 0)
        virResetLastError();
    return 0;
}

/* ------------------------------------------------- in the event loop's thread */

static void
vshCxlEventSinkClear(void *data)
{
    vshCxlEventSink *sink = data;

    g_async_queue_unref(sink->queue);
    close(sink->wakeup);
}

static void
vshCxlEventSinkRelease(void *sink)
{
    g_atomic_rc_box_release_full(sink, vshCxlEventSinkClear);
}

static void
vshCxlEventSinkPut(vshCxlEventSink *sink, vshCxlEventType type, virDomainPtr domain, char *tag)
{
    const uint64_t one = 1;
    vshCxlEvent *event = g_new0(vshCxlEvent, 1);

    event->type = type;
    event->tag = tag;
    if (domain && virDomainRef(domain) == 0)
        event->domain = domain;
    g_async_queue_push(sink->queue, event);
    /* this can only fail if the counter is full, which wakes the reader as well */
    if (write(sink->wakeup, &one, sizeof(one)) < 0)
        return;
}

static void
vshCxlEventMetadata(virConnectPtr conn G_GNUC_UNUSED,
                    virDomainPtr domain,
                    int type,
                    const char *uri,
                    void *opaque)
{
    const char *tag;

    if (type != VIR_DOMAIN_METADATA_ELEMENT || !uri ||
        !g_str_has_prefix(uri, VIR_CXL_DCD_NAMESPACE_CAPACITY))
        return;
    tag = uri + strlen(VIR_CXL_DCD_NAMESPACE_CAPACITY);
    if (g_uuid_string_is_valid(tag))
        vshCxlEventSinkPut(opaque, VSH_CXL_EVENT_RECORD, domain, g_strdup(tag));
}

static int
vshCxlEventLifecycle(virConnectPtr conn G_GNUC_UNUSED,
                     virDomainPtr domain,
                     int event,
                     int detail G_GNUC_UNUSED,
                     void *opaque)
{
    if (event == VIR_DOMAIN_EVENT_STOPPED)
        vshCxlEventSinkPut(opaque, VSH_CXL_EVENT_STOPPED, domain, NULL);
    return 0;
}

static void
vshCxlEventClosed(virConnectPtr conn G_GNUC_UNUSED, int reason G_GNUC_UNUSED, void *opaque)
{
    vshCxlEventSinkPut(opaque, VSH_CXL_EVENT_CLOSED, NULL, NULL);
}

/* --------------------------------------------------- in the command's thread */

static void
vshCxlEventInterrupt(int signal G_GNUC_UNUSED)
{
    const uint64_t one = 1;
    int saved = errno;

    vshCxlEventInterrupted = 1;
    if (write(vshCxlEventWakeup, &one, sizeof(one)) < 0)
        vshCxlEventInterrupted = 2; /* the counter is full: the reader wakes up anyway */
    errno = saved;
}

static void
vshCxlEventsCatch(vshCxlEvents *events)
{
    struct sigaction action = {.sa_handler = vshCxlEventInterrupt, .sa_flags = SA_RESTART};

    vshCxlEventInterrupted = 0;
    vshCxlEventWakeup = events->sink->wakeup;
    sigaction(SIGINT, NULL, &events->previous);
    if (events->previous.sa_handler != SIG_IGN)
        sigaction(SIGINT, &action, NULL);
}

static int
vshCxlEventsRegister(vshCxlEvents *events,
                     virDomainPtr domain,
                     int id,
                     virConnectDomainEventGenericCallback callback)
{
    int registered = virConnectDomainEventRegisterAny(events->conn,
                                                      domain,
                                                      id,
                                                      callback,
                                                      g_atomic_rc_box_acquire(events->sink),
                                                      vshCxlEventSinkRelease);

    if (registered < 0)
        vshCxlEventSinkRelease(events->sink);
    return registered;
}

/**
 * vshCxlEventsNew:
 * @ctl: the run, connected by vshCxlEventsConnect()
 * @domain: the domain whose events are wanted, NULL for all domains
 *
 * From now on events are queued, and so is Ctrl-C.
 *
 * Returns the source of events, or NULL with the error reported.
 */
vshCxlEvents *
vshCxlEventsNew(vshCxlControl *ctl, virDomainPtr domain)
{
    g_autoptr(vshCxlEvents) events = g_new0(vshCxlEvents, 1);

    events->conn = ctl->conn;
    events->lifecycle = -1;
    events->sink = g_atomic_rc_box_new0(vshCxlEventSink);
    events->sink->queue = g_async_queue_new_full((GDestroyNotify)vshCxlEventFree);
    events->sink->wakeup = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    vshCxlEventsCatch(events);

    events->metadata = vshCxlEventsRegister(events,
                                            domain,
                                            VIR_DOMAIN_EVENT_ID_METADATA_CHANGE,
                                            VIR_DOMAIN_EVENT_CALLBACK(vshCxlEventMetadata));
    if (events->metadata >= 0)
        events->lifecycle = vshCxlEventsRegister(events,
                                                 domain,
                                                 VIR_DOMAIN_EVENT_ID_LIFECYCLE,
                                                 VIR_DOMAIN_EVENT_CALLBACK(vshCxlEventLifecycle));
    if (events->lifecycle < 0) {
        vshCxlLibvirtError(ctl, "Failed to register for events");
        return NULL;
    }
    /* a driver without a daemon has no connection to lose, and refuses this */
    events->close = virConnectRegisterCloseCallback(events->conn,
                                                    vshCxlEventClosed,
                                                    g_atomic_rc_box_acquire(events->sink),
                                                    vshCxlEventSinkRelease) == 0;
    if (!events->close)
        vshCxlEventSinkRelease(events->sink);
    virResetLastError();
    return g_steal_pointer(&events);
}

/**
 * vshCxlEventsFree:
 * @events: the source of events, or NULL
 */
void
vshCxlEventsFree(vshCxlEvents *events)
{
    if (!events)
        return;
    if (events->close)
        virConnectUnregisterCloseCallback(events->conn, vshCxlEventClosed);
    if (events->lifecycle >= 0)
        virConnectDomainEventDeregisterAny(events->conn, events->lifecycle);
    if (events->metadata >= 0)
        virConnectDomainEventDeregisterAny(events->conn, events->metadata);
    sigaction(SIGINT, &events->previous, NULL);
    vshCxlEventWakeup = -1;
    vshCxlEventSinkRelease(events->sink);
    g_free(events);
}

/**
 * vshCxlEventsWait:
 * @events: the source of events
 * @end: when to give up, in monotonic microseconds; G_MAXINT64 for never
 *
 * Returns the next event.
 */
vshCxlEvent *
vshCxlEventsWait(vshCxlEvents *events, gint64 end)
{
    struct pollfd wakeup = {.fd = events->sink->wakeup, .events = POLLIN};
    vshCxlEvent *event = NULL;
    uint64_t count;

    while (!vshCxlEventInterrupted && !(event = g_async_queue_try_pop(events->sink->queue))) {
        gint64 left = end == G_MAXINT64 ? 0 : end - g_get_monotonic_time();

        if (left < 0)
            break;
        poll(&wakeup, 1, end == G_MAXINT64 ? -1 : (int)MIN(left / 1000 + 1, G_MAXINT));
        if (read(wakeup.fd, &count, sizeof(count)) < 0)
            count = 0;
    }
    if (!event) {
        event = g_new0(vshCxlEvent, 1);
        event->type = vshCxlEventInterrupted ? VSH_CXL_EVENT_INTERRUPTED : VSH_CXL_EVENT_TIMEOUT;
    }
    return event;
}
