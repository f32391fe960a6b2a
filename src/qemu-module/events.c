/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.c: which tag belongs to a record in the device's event log
 *
 * The guest may read a record long after its extent has gone, and more than
 * once before it clears it. So the tag of what QEMU puts into the log is noted
 * here, by the handle that QEMU gave the record. What the log holds is QEMU's to
 * say, and the device is asked each time: a guest clears records that it has not
 * read, a request to clear all may clear none, and a fabric manager adds some.
 */
#include "cxl-tagged.h"

static void
forget_others(struct device *dev, const uint16_t *handles, unsigned n)
{
    unsigned i, j, kept = 0;

    for (i = 0; i < dev->nevents; i++) {
        for (j = 0; j < n && handles[j] != dev->events[i].handle; j++) {
            continue;
        }
        if (j < n) {
            dev->events[kept++] = dev->events[i];
        }
    }
    dev->nevents = kept;
}

/*
 * events_room: whether the log takes a further record. If not, QEMU would drop
 * it, and the guest never hear of the extent.
 */
bool
events_room(struct device *dev, Error **errp)
{
    uint16_t handles[EVENT_LOG_MAX];
    int n = mailbox_events(dev, handles);

    if (n < 0) {
        fail(errp, "the device does not tell what is in its event log");
        return false;
    }
    forget_others(dev, handles, n);
    if (n >= EVENT_LOG_RECORDS) {
        fail(errp,
             "the guest has not cleared the %d records in the event log of the "
             "device, and would "
             "not learn of this one",
             n);
        return false;
    }
    return true;
}

/* events_add: QEMU has just logged an offer or a release of @extent. */
void
events_add(struct device *dev, const struct extent *extent)
{
    uint16_t handles[EVENT_LOG_MAX];
    int n = mailbox_events(dev, handles);
    struct event *event;

    if (n <= 0 || dev->nevents >= EVENT_LOG_RECORDS) {
        return;
    }
    event = &dev->events[dev->nevents++];
    event->handle = handles[n - 1];
    memcpy(event->tag, extent->uuid, sizeof(event->tag));
}

/* events_tag: the tag of a record, or NULL if it is none of ours. */
const uint8_t *
events_tag(struct device *dev, uint16_t handle)
{
    unsigned i;

    for (i = 0; i < dev->nevents; i++) {
        if (dev->events[i].handle == handle) {
            return dev->events[i].tag;
        }
    }
    return NULL;
}
