/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * driver.c: the dynamic capacity driver's part: answering offers, and giving
 * back what is asked back
 *
 * The device's event log is a queue of 8 records, and records can only be
 * cleared from the oldest on. Offers must be answered in order too; the
 * records of one offer are linked by their More flag. So:
 *
 *   - an offer is cleared from the log after the device took the answer; one
 *     that the device would not take stays, and can still be refused;
 *   - a release record in front of an offer that is to be answered has to be
 *     cleared along with it. It is then "postponed": remembered for as long as
 *     this process lives (so in serve), as a driver would in its own memory;
 *   - a release record behind an offer is acted on at once but cleared later,
 *     when what it asks for is already gone ("skipped").
 *
 * Each action is reported as one line of output, its verb first.
 */

#include "driver.h"

#include <string.h>

/**
 * driverPrint:
 * @output: where the line is appended
 * @verb: what was done
 * @device: the extent's device
 * @extent: the extent
 */
static void
driverPrint(GString *output, const char *verb, const CxlDevice *device, const DcdExtent *extent)
{
    g_string_append_printf(output, "%s ", verb);
    dcdFormatExtent(output, device, extent);
    g_string_append_c(output, '\n');
}

/**
 * driverFindExtent:
 * @extents: the extent list
 * @dpa: an address in device memory
 * @size: bytes from there
 *
 * Returns the first extent that overlaps this range, or NULL.
 */
static const DcdExtent *
driverFindExtent(GArray *extents, guint64 dpa, guint64 size)
{
    guint i;

    for (i = 0; i < extents->len; i++) {
        const DcdExtent *extent = &g_array_index(extents, DcdExtent, i);

        if (dpa < extent->dpa ? extent->dpa - dpa < size : dpa - extent->dpa < extent->size)
            return extent;
    }
    return NULL;
}

/**
 * driverGroup:
 * @events: records of the log
 * @start: the first add record of an offer
 *
 * Returns how many records the offer has.
 */
static guint
driverGroup(GArray *events, guint start)
{
    guint end = start;

    while (g_array_index(events, DcdEvent, end).more && end + 1 < events->len &&
           g_array_index(events, DcdEvent, end + 1).type == DCD_EVENT_ADD)
        end++;
    return end + 1 - start;
}

/**
 * driverAnswerGroup:
 * @device: a device
 * @events: the records of one offer, the oldest in the log
 * @count: how many
 * @accept: whether to accept or to refuse
 * @output: what was done is appended
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
driverAnswerGroup(CxlDevice *device,
                  const DcdEvent *events,
                  guint count,
                  gboolean accept,
                  GString *output,
                  GError **error)
{
    g_autofree DcdExtent *extents = g_new0(DcdExtent, count);
    guint i;

    for (i = 0; i < count; i++)
        extents[i] = events[i].extent;
    device->stuck = TRUE;
    device->stuckHandle = events[0].handle;
    if (dcdRespond(device, extents, accept ? count : 0, error) < 0)
        return -1;
    device->stuck = FALSE;
    for (i = 0; i < count; i++)
        driverPrint(output, accept ? "accepted" : "refused", device, &extents[i]);
    return dcdClearEvents(device, events, count, error);
}

/**
 * driverPostpone:
 * @device: a device
 * @event: the oldest record in the log, not an add record
 * @output: what was done is appended
 * @error: set on failure
 *
 * Removes the record from the log, and remembers what it asks for.
 *
 * Returns 0, or -1 with @error set.
 */
static int
driverPostpone(CxlDevice *device, const DcdEvent *event, GString *output, GError **error)
{
    if (event->type == DCD_EVENT_RELEASE) {
        if (!device->postponed)
            device->postponed = g_array_new(FALSE, TRUE, sizeof(DcdExtent));
        g_array_append_val(device->postponed, event->extent);
        driverPrint(output, "postponed", device, &event->extent);
    } else {
        g_autofree char *verb = g_strdup_printf("ignored %s", dcdEventName(event->type));

        driverPrint(output, verb, device, &event->extent);
    }
    return dcdClearEvents(device, event, 1, error);
}

/**
 * driverNextOffer:
 * @events: records of the log
 * @start: where to begin
 *
 * Returns where the next offer starts, @events->len if there is none.
 */
static guint
driverNextOffer(GArray *events, guint start)
{
    while (start < events->len && g_array_index(events, DcdEvent, start).type != DCD_EVENT_ADD)
        start++;
    return start;
}

/**
 * driverAnswer:
 * @device: a device
 * @accept: whether to accept or to refuse
 * @tag: answer only offers with this tag, up to the first with another; NULL
 *   for all
 * @output: what was done is appended, one line per extent
 * @error: set on failure, also when there was nothing to answer
 *
 * Returns 0, or -1 with @error set.
 */
int
driverAnswer(CxlDevice *device, gboolean accept, const guint8 *tag, GString *output, GError **error)
{
    g_autoptr(GArray) events = dcdReadEvents(device, error);
    guint answered = 0;
    guint at = 0;
    guint offer;

    if (!events)
        return -1;

    while ((offer = driverNextOffer(events, at)) < events->len) {
        const DcdEvent *first = &g_array_index(events, DcdEvent, offer);
        guint count = driverGroup(events, offer);

        if (tag && memcmp(tag, first->extent.tag, DCD_TAG_SIZE) != 0) {
            g_autofree char *other = dcdFormatTag(first->extent.tag);

            if (answered > 0)
                return 0;
            g_set_error(error,
                        G_IO_ERROR,
                        G_IO_ERROR_NOT_FOUND,
                        "the oldest offer has the tag %s, "
                        "and offers are answered in their order",
                        other);
            return -1;
        }
        for (; at < offer; at++) {
            if (driverPostpone(device, &g_array_index(events, DcdEvent, at), output, error) < 0)
                return -1;
        }
        if (driverAnswerGroup(device, first, count, accept, output, error) < 0)
            return -1;
        at = offer + count;
        answered++;
    }
    if (answered == 0) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND, "the event log has no offer");
        return -1;
    }
    return 0;
}

/**
 * driverGiveBack:
 * @device: a device
 * @asked: what to give back; a nil tag matches any
 * @output: what was done is appended
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
driverGiveBack(CxlDevice *device, const DcdExtent *asked, GString *output, GError **error)
{
    g_autoptr(GArray) extents = dcdReadExtents(device, error);
    const DcdExtent *held;
    DcdExtent done = *asked;

    if (!extents)
        return -1;

    held = driverFindExtent(extents, asked->dpa, asked->size);
    if (!held) {
        driverPrint(output, "skipped", device, asked);
        return 0;
    }
    memcpy(done.tag, held->tag, DCD_TAG_SIZE);
    if (dcdRelease(device, &done, 1, error) < 0)
        return -1;
    driverPrint(output, "released", device, &done);
    return 0;
}

/**
 * driverReleaseAsked:
 * @device: a device
 * @output: what was done is appended, one line per extent
 * @error: set on failure, also when nothing was asked for
 *
 * Gives back what was postponed and what the release records in the log ask
 * for.
 *
 * Returns 0, or -1 with @error set.
 */
int
driverReleaseAsked(CxlDevice *device, GString *output, GError **error)
{
    g_autoptr(GArray) events = dcdReadEvents(device, error);
    guint asked = 0;
    guint head;
    guint i;

    if (!events)
        return -1;

    while (device->postponed && device->postponed->len > 0) {
        DcdExtent extent = g_array_index(device->postponed, DcdExtent, 0);

        g_array_remove_index(device->postponed, 0);
        asked++;
        if (driverGiveBack(device, &extent, output, error) < 0)
            return -1;
    }
    head = driverNextOffer(events, 0);
    for (i = 0; i < events->len; i++) {
        const DcdEvent *event = &g_array_index(events, DcdEvent, i);

        if (event->type == DCD_EVENT_RELEASE) {
            asked++;
            if (driverGiveBack(device, &event->extent, output, error) < 0)
                return -1;
        }
        if (i < head && dcdClearEvents(device, event, 1, error) < 0)
            return -1;
    }
    if (asked == 0) {
        g_set_error_literal(error,
                            G_IO_ERROR,
                            G_IO_ERROR_NOT_FOUND,
                            "the event log has no release record");
        return -1;
    }
    return 0;
}

/**
 * driverReleaseTag:
 * @device: a device
 * @tag: of the extents to give back
 * @output: what was done is appended, one line per extent
 * @error: set on failure, also when no extent has the tag
 *
 * Returns 0, or -1 with @error set.
 */
int
driverReleaseTag(CxlDevice *device, const guint8 *tag, GString *output, GError **error)
{
    g_autoptr(GArray) extents = dcdReadExtents(device, error);
    guint released = 0;
    guint i;

    if (!extents)
        return -1;

    for (i = 0; i < extents->len; i++) {
        const DcdExtent *extent = &g_array_index(extents, DcdExtent, i);

        if (memcmp(extent->tag, tag, DCD_TAG_SIZE) != 0)
            continue;
        if (dcdRelease(device, extent, 1, error) < 0)
            return -1;
        driverPrint(output, "released", device, extent);
        released++;
    }
    if (released == 0) {
        g_autofree char *name = dcdFormatTag(tag);

        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_NOT_FOUND,
                    "no accepted extent has the tag %s",
                    name);
        return -1;
    }
    return 0;
}

/**
 * driverReleaseRange:
 * @device: a device
 * @region: one of its regions
 * @offset: in the region
 * @size: bytes from there
 * @output: what was done is appended
 * @error: set on failure
 *
 * Gives back exactly this range, without checking first whether the device
 * will accept it.
 *
 * Returns 0, or -1 with @error set.
 */
int
driverReleaseRange(CxlDevice *device,
                   guint region,
                   guint64 offset,
                   guint64 size,
                   GString *output,
                   GError **error)
{
    g_autoptr(GArray) extents = dcdReadExtents(device, error);
    const DcdExtent *held;
    DcdExtent extent = {.size = size};

    if (!extents)
        return -1;
    if (region >= device->regionCount) {
        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_INVALID_ARGUMENT,
                    "device %u has %u regions, no region %u",
                    device->index,
                    device->regionCount,
                    region);
        return -1;
    }

    extent.dpa = device->regions[region].dpa + offset;
    held = driverFindExtent(extents, extent.dpa, extent.size);
    if (held)
        memcpy(extent.tag, held->tag, DCD_TAG_SIZE);
    if (dcdRelease(device, &extent, 1, error) < 0)
        return -1;
    driverPrint(output, "released", device, &extent);
    return 0;
}

/**
 * driverWork:
 * @device: a device
 * @accept: whether offers are accepted or refused
 * @release: whether to give back what is asked for, or to postpone it
 * @output: what was done is appended
 * @error: set to the first failure
 *
 * Empties the log in its order, as a driver does when the device interrupts.
 * An offer that the device does not let the guest accept stays at the front of
 * the log and blocks what is behind it, as it does in the device, until it is
 * answered differently.
 *
 * Returns 0, or -1 with @error set.
 */
int
driverWork(CxlDevice *device, gboolean accept, gboolean release, GString *output, GError **error)
{
    g_autoptr(GArray) events = dcdReadEvents(device, error);
    g_autoptr(GError) failure = NULL;
    guint at = 0;

    if (!events)
        return -1;

    while (at < events->len) {
        const DcdEvent *event = &g_array_index(events, DcdEvent, at);
        guint count = 1;

        if (event->type == DCD_EVENT_ADD) {
            if (device->stuck && device->stuckHandle == event->handle)
                break;
            count = driverGroup(events, at);
            if (driverAnswerGroup(device, event, count, accept, output, error) < 0)
                return -1;
        } else if (event->type == DCD_EVENT_RELEASE && release) {
            g_autoptr(GError) local = NULL;

            if (driverGiveBack(device, &event->extent, output, &local) < 0 && !failure)
                failure = g_steal_pointer(&local);
            if (dcdClearEvents(device, event, 1, error) < 0)
                return -1;
        } else if (driverPostpone(device, event, output, error) < 0) {
            return -1;
        }
        at += count;
    }
    if (failure) {
        g_propagate_error(error, g_steal_pointer(&failure));
        return -1;
    }
    return 0;
}

/**
 * driverHasWork:
 * @device: a device
 * @error: set on failure
 *
 * Returns whether there is something for driverWork() to do; FALSE with @error
 * set on failure.
 */
gboolean
driverHasWork(CxlDevice *device, GError **error)
{
    g_autoptr(GArray) events = dcdReadEvents(device, error);
    const DcdEvent *first;

    if (!events || events->len == 0)
        return FALSE;

    first = &g_array_index(events, DcdEvent, 0);
    return !device->stuck || device->stuckHandle != first->handle;
}
