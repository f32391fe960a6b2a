/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * events.c: which tag belongs to a record in the device's event log
 *
 * The guest may read a record long after its extent has gone, and more than
 * once before it clears it. So what QEMU puts into the log is noted here in the
 * same order, and stays until the guest clears it: a record gets the handle by
 * which it was first read, and answers to that from then on.
 */
#include "cxl-tagged.h"

/*
 * events_full: whether the log takes no further record. QEMU would drop it, and
 * the guest never hear of the extent.
 */
bool
events_full(const struct device *dev)
{
    return dev->nevents >= EVENT_LOG_RECORDS;
}

/* events_add: QEMU has just logged the offer, or the @release, of @extent. */
void
events_add(struct device *dev, const struct extent *extent, bool release)
{
    struct event *event;

    if (events_full(dev)) {
        return;
    }
    event = &dev->events[dev->nevents++];
    *event = (struct event){
        .release = release,
        .dpa = extent->dpa,
        .len = extent->len,
    };
    memcpy(event->tag, extent->uuid, sizeof(event->tag));
}

static bool
same(const struct event *event, bool release, uint16_t handle, uint64_t dpa,
     uint64_t len)
{
    return event->release == release && event->handle == handle &&
           event->dpa == dpa && event->len == len;
}

/*
 * events_tag: the tag of a record that the guest reads
 * @handle: the record's own
 *
 * Returns NULL if the record is none of ours.
 */
const uint8_t *
events_tag(struct device *dev, bool release, uint16_t handle, uint64_t dpa,
           uint64_t len)
{
    unsigned i;

    for (i = 0; i < dev->nevents; i++) {
        if (same(&dev->events[i], release, handle, dpa, len)) {
            return dev->events[i].tag;
        }
    }
    for (i = 0; i < dev->nevents; i++) {
        if (same(&dev->events[i], release, 0, dpa, len)) {
            dev->events[i].handle = handle;
            return dev->events[i].tag;
        }
    }
    return NULL;
}

/* events_clear: the guest cleared the record with this handle. */
void
events_clear(struct device *dev, uint16_t handle)
{
    unsigned i;

    for (i = 0; i < dev->nevents; i++) {
        if (dev->events[i].handle == handle) {
            dev->nevents--;
            memmove(&dev->events[i], &dev->events[i + 1],
                    (dev->nevents - i) * sizeof(dev->events[0]));
            return;
        }
    }
}

void
events_clear_all(struct device *dev)
{
    dev->nevents = 0;
}
