/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.c: the guest of a modelQemu
 *
 * Two guests: one replays a recorded guest step by step, and reports where the device
 * answers differently; the other behaves like a driver: it knows what the event log told
 * it, and answers offers in order.
 */

#include <config.h>

#include <string.h>

#include "model.h"

/* --------------------------------------------------- the recorded guest */

/* A tag as the recordings write it: 32 digits. */
static char *
modelTagBytes(const char *tag)
{
    g_auto(GStrv) groups = g_strsplit(tag, "-", -1);

    return g_strjoinv("", groups);
}

static char *
modelFormatRecord(const modelEvent *event)
{
    g_autofree char *tag = modelTagBytes(event->tag);

    return g_strdup_printf("%u %s region %u flags %u dpa %llu len %llu tag %s available %u\n",
                           event->handle,
                           event->add ? "add" : "release",
                           event->region,
                           event->flags,
                           event->range.dpa,
                           event->range.len,
                           tag,
                           event->available);
}

static unsigned long long
modelNumber(virCxlDcdJSON *object, const char *name)
{
    unsigned long long value = G_MAXUINT64;

    virCxlDcdJSONMemberUnsigned(object, name, &value);
    return value;
}

/* Get Event Records: the records are removed from the log. */
static char *
modelStepEvents(modelDevice *device, virCxlDcdJSON *step)
{
    virCxlDcdJSON *records = virCxlDcdJSONMember(step, "records");
    g_autoptr(GString) expected = g_string_new(NULL);
    g_autoptr(GString) is = g_string_new(NULL);
    modelEvent *event;
    size_t i;

    for (i = 0; i < virCxlDcdJSONLength(records); i++) {
        virCxlDcdJSON *record = virCxlDcdJSONElement(records, i);

        g_string_append_printf(expected,
                               "%llu %s region %llu flags %llu dpa %llu len %llu tag %s available "
                               "%llu\n",
                               modelNumber(record, "handle"),
                               virCxlDcdJSONMemberString(record, "type"),
                               modelNumber(record, "region"),
                               modelNumber(record, "flags"),
                               modelNumber(record, "dpa"),
                               modelNumber(record, "len"),
                               virCxlDcdJSONMemberString(record, "tag_bytes"),
                               modelNumber(record, "extents_avail"));
    }
    while ((event = g_queue_pop_head(&device->events))) {
        g_autofree char *line = modelFormatRecord(event);

        g_string_append(is, line);
        g_free(event);
    }
    if (g_str_equal(expected->str, is->str))
        return NULL;
    return g_strdup_printf("event log: expected\n%sbut it is\n%s", expected->str, is->str);
}

/* Get Dynamic Capacity Extent List: pending extents take up entries too, but empty ones. */
static char *
modelStepList(modelDevice *device, virCxlDcdJSON *step)
{
    virCxlDcdJSON *extents = virCxlDcdJSONMember(step, "extents");
    g_autoptr(GString) expected = g_string_new(NULL);
    g_autoptr(GString) is = g_string_new(NULL);
    g_autofree char *nil = modelTagBytes(MODEL_TAG_NIL);
    guint i;

    for (i = 0; i < virCxlDcdJSONLength(extents); i++) {
        virCxlDcdJSON *extent = virCxlDcdJSONElement(extents, i);

        g_string_append_printf(expected,
                               "dpa %llu len %llu tag %s\n",
                               modelNumber(extent, "dpa"),
                               modelNumber(extent, "len"),
                               virCxlDcdJSONMemberString(extent, "tag_bytes"));
    }
    for (i = 0; i < device->accepted->len; i++) {
        const modelExtent *extent = g_ptr_array_index(device->accepted, i);
        g_autofree char *tag = modelTagBytes(extent->tag);

        g_string_append_printf(is,
                               "dpa %llu len %llu tag %s\n",
                               extent->range.dpa,
                               extent->range.len,
                               tag);
    }
    for (; i < modelDeviceTotal(device); i++)
        g_string_append_printf(is, "dpa 0 len 0 tag %s\n", nil);
    if (g_str_equal(expected->str, is->str))
        return NULL;
    return g_strdup_printf("extent list: expected\n%sbut it is\n%s", expected->str, is->str);
}

/* Add Dynamic Capacity Response, Release Dynamic Capacity. */
static char *
modelStepMailbox(modelQemu *qemu, modelDevice *device, virCxlDcdJSON *step, bool respond)
{
    virCxlDcdJSON *extents = virCxlDcdJSONMember(step, "extents");
    g_autoptr(GArray) ranges = g_array_new(FALSE, TRUE, sizeof(modelRange));
    unsigned long long expected = modelNumber(step, "rc");
    modelReturnCode rc;
    size_t i;

    for (i = 0; i < virCxlDcdJSONLength(extents); i++) {
        virCxlDcdJSON *extent = virCxlDcdJSONElement(extents, i);
        modelRange range = {modelNumber(extent, "dpa"), modelNumber(extent, "len")};

        g_array_append_val(ranges, range);
    }
    rc = (respond
              ? modelDeviceRespond
              : modelDeviceGiveBack)(qemu, device, (modelRange *)(void *)ranges->data, ranges->len);
    if (rc == expected)
        return NULL;
    return g_strdup_printf("mailbox: expected %llu but it is %u", expected, rc);
}

/* Replay one step of a recording. Returns NULL, or how the result differs from the recording. */
char *
modelGuestStep(modelQemu *qemu, modelDevice *device, virCxlDcdJSON *step)
{
    static const char *const comments[] = {
        "bus numbers, BARs set",
        "guest declines the first pending group",
        "guest declined (4802h with no extents)",
        "info mtree lines",
        NULL,
    };
    const char *what = virCxlDcdJSONMemberString(step, "guest");

    if (g_str_has_prefix(what, "Get Event Records"))
        return modelStepEvents(device, step);
    if (g_str_has_prefix(what, "Get Dynamic Capacity Extent List"))
        return modelStepList(device, step);
    if (g_str_has_prefix(what, "Add Dynamic Capacity Response"))
        return modelStepMailbox(qemu, device, step, true);
    if (g_str_has_prefix(what, "Release Dynamic Capacity"))
        return modelStepMailbox(qemu, device, step, false);
    if (g_str_has_prefix(what, "HDM decoder"))
        device->decoder = true;
    else if (g_str_has_prefix(what, "guest ejects"))
        modelDeviceEject(qemu, device);
    else if (virCxlDcdJSONMember(step, "val"))
        modelDeviceTouch(qemu, device);
    else if (!g_strv_contains(comments, what))
        return g_strdup_printf("no such step: %s", what);
    return NULL;
}

/* --------------------------------------------------------------- a driver */

/* The guest reads the whole log. modelGuestObey() acts on the releases in it. */
static GQueue *
modelGuestRead(modelDevice *device)
{
    GQueue *events = g_queue_new();
    modelEvent *event;

    while ((event = g_queue_pop_head(&device->events)))
        g_queue_push_tail(events, event);
    return events;
}

/* Answer the oldest offer, if the guest was notified of it. Returns whether it was, and the
 * device took the answer. */
bool
modelGuestAnswer(modelQemu *qemu, modelDevice *device, bool accept)
{
    modelGroup *group = g_queue_peek_head(&device->pending);
    g_autoptr(GArray) ranges = g_array_new(FALSE, TRUE, sizeof(modelRange));
    GList *item;
    GList *next;
    guint i;

    if (!group || !group->logged)
        return false;
    for (item = device->events.head; item; item = next) {
        modelEvent *event = item->data;

        next = item->next;
        if (event->add) {
            g_free(event);
            g_queue_delete_link(&device->events, item);
        }
    }
    for (i = 0; accept && i < group->extents->len; i++)
        g_array_append_val(ranges, ((modelExtent *)g_ptr_array_index(group->extents, i))->range);
    return modelDeviceRespond(qemu, device, (modelRange *)(void *)ranges->data, ranges->len) ==
           MODEL_RC_SUCCESS;
}

/* Whether the guest has an extent with the range and the tag of @event. */
static bool
modelGuestHas(const modelDevice *device, const modelEvent *event)
{
    guint i;

    for (i = 0; i < device->accepted->len; i++) {
        const modelExtent *extent = g_ptr_array_index(device->accepted, i);

        if (extent->range.dpa == event->range.dpa && extent->range.len == event->range.len)
            return g_str_equal(extent->tag, event->tag);
    }
    return false;
}

/* Give back what the log asks for. @strict: look it up by range and tag, as Linux does. Returns
 * whether there was anything to give back. */
bool
modelGuestObey(modelQemu *qemu, modelDevice *device, bool strict)
{
    GQueue *events = modelGuestRead(device);
    modelEvent *event;
    bool any = false;

    while ((event = g_queue_pop_head(events))) {
        if (!event->add && (!strict || modelGuestHas(device, event)))
            any |= modelDeviceGiveBack(qemu, device, &event->range, 1) == MODEL_RC_SUCCESS;
        g_free(event);
    }
    g_queue_free(events);
    return any;
}

/* Give everything back, unasked. */
void
modelGuestGiveAllBack(modelQemu *qemu, modelDevice *device)
{
    while (device->accepted->len > 0) {
        modelRange range = ((modelExtent *)g_ptr_array_index(device->accepted, 0))->range;

        g_assert_cmpint(modelDeviceGiveBack(qemu, device, &range, 1), ==, MODEL_RC_SUCCESS);
    }
}
