/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * device.c: the dynamic capacity of a modelQemu's type 3 devices
 *
 * Regions of equal size follow one another from DPA 0. Offers wait in groups, which the
 * guest answers in order; what it accepts becomes extents. The event log holds 8 records:
 * a ninth offer becomes pending all the same, but the guest is not notified.
 *
 * A device of the tagged series maps the backend of an extent when the guest accepts the
 * extent. What makes that QEMU crash makes the model crash; what makes it use freed
 * memory, which may show later or never, marks the model as corrupt.
 */

#include <config.h>

#include <string.h>
#include <yajl/yajl_tree.h>

#include "model.h"

void
modelExtentFree(modelExtent *extent)
{
    g_free(extent->backend);
    g_free(extent);
}

void
modelGroupFree(modelGroup *group)
{
    g_ptr_array_unref(group->extents);
    g_free(group);
}

/* @regions: 0 for a device without dynamic capacity. @memdev: the id of a static device's
 *           backend, or NULL for a tagged device. */
modelDevice *
modelDeviceNew(modelQemu *qemu,
               const char *alias,
               unsigned int regions,
               unsigned long long size,
               const char *memdev)
{
    modelDevice *device = g_new0(modelDevice, 1);

    device->alias = g_strdup(alias);
    device->regions = regions;
    device->region_size = regions ? size / regions : 0;
    device->tagged = !memdev;
    device->memdev = g_strdup(memdev);
    device->accepted = g_ptr_array_new_with_free_func((GDestroyNotify)modelExtentFree);
    g_queue_init(&device->pending);
    g_queue_init(&device->events);
    if (memdev)
        modelObjectById(qemu, memdev)->users++;
    g_ptr_array_add(qemu->devices, device);
    return device;
}

void
modelDeviceFree(modelDevice *device)
{
    g_queue_clear_full(&device->pending, (GDestroyNotify)modelGroupFree);
    g_queue_clear_full(&device->events, g_free);
    g_ptr_array_unref(device->accepted);
    g_free(device->memdev);
    g_free(device->alias);
    g_free(device);
}

/* @alias: an id, or a path under /machine/peripheral */
modelDevice *
modelDeviceByAlias(modelQemu *qemu, const char *alias)
{
    const char *slash = strrchr(alias, '/');
    guint i;

    for (i = 0; i < qemu->devices->len; i++) {
        modelDevice *device = g_ptr_array_index(qemu->devices, i);

        if (g_str_equal(device->alias, slash ? slash + 1 : alias))
            return device;
    }
    return NULL;
}

static bool
modelOverlap(const modelRange *a, const modelRange *b)
{
    return a->dpa < b->dpa + b->len && b->dpa < a->dpa + a->len;
}

static bool
modelContains(const modelRange *outer, const modelRange *inner)
{
    return outer->dpa <= inner->dpa && inner->dpa + inner->len <= outer->dpa + outer->len;
}

static modelExtent *
modelFindOverlap(GPtrArray *extents, const modelRange *range)
{
    guint i;

    for (i = 0; i < extents->len; i++) {
        modelExtent *extent = g_ptr_array_index(extents, i);

        if (modelOverlap(&extent->range, range))
            return extent;
    }
    return NULL;
}

static modelExtent *
modelFindContaining(GPtrArray *extents, const modelRange *range)
{
    guint i;

    for (i = 0; i < extents->len; i++) {
        modelExtent *extent = g_ptr_array_index(extents, i);

        if (modelContains(&extent->range, range))
            return extent;
    }
    return NULL;
}

static modelExtent *
modelFindTag(GPtrArray *extents, const char *uuid)
{
    guint i;

    for (i = 0; i < extents->len; i++) {
        modelExtent *extent = g_ptr_array_index(extents, i);

        if (g_str_equal(extent->tag, uuid))
            return extent;
    }
    return NULL;
}

static modelExtent *
modelFindPendingOverlap(const modelDevice *device, const modelRange *range)
{
    modelExtent *found = NULL;
    GList *item;

    for (item = device->pending.head; item && !found; item = item->next)
        found = modelFindOverlap(((modelGroup *)item->data)->extents, range);
    return found;
}

static modelExtent *
modelFindPendingTag(const modelDevice *device, const char *uuid)
{
    modelExtent *found = NULL;
    GList *item;

    for (item = device->pending.head; item && !found; item = item->next)
        found = modelFindTag(((modelGroup *)item->data)->extents, uuid);
    return found;
}

/* The number of extents the device holds, pending and accepted. */
unsigned int
modelDeviceTotal(const modelDevice *device)
{
    unsigned int total = device->accepted->len;
    GList *item;

    for (item = device->pending.head; item; item = item->next)
        total += ((modelGroup *)item->data)->extents->len;
    return total;
}

/* The state of the extent tagged @tag: "accepted", "pending" or "gone". */
const char *
modelDeviceTagState(const modelDevice *device, const char *tag)
{
    if (modelFindTag(device->accepted, tag))
        return "accepted";
    return modelFindPendingTag(device, tag) ? "pending" : "gone";
}

/* ----------------------------------------------------------- event records */

/* Returns false if the log is full: the guest is not notified. */
static bool
modelDeviceLog(modelDevice *device,
               bool add,
               unsigned int region,
               bool more,
               const modelRange *range,
               const char *uuid)
{
    modelEvent *event;

    if (device->events.length >= MODEL_EVENTS_MAX)
        return false;
    event = g_new0(modelEvent, 1);
    event->handle = ++device->handle;
    event->add = add;
    event->region = region;
    event->flags = more;
    event->range = *range;
    event->available = MODEL_EXTENTS_MAX - modelDeviceTotal(device);
    g_strlcpy(event->tag, uuid, sizeof(event->tag));
    g_queue_push_tail(&device->events, event);
    return true;
}

/* ---------------------------------------------------------------- requests */

/* The arguments that add, release and status share. */
typedef struct {
    modelDevice *device;
    unsigned int region;
    const char *tag; /* NULL: not given */
    char uuid[37];   /* the tag as a UUID; nil if it is not one */
    GArray *ranges;  /* modelRange */
} modelRequest;

static void
modelRequestClear(modelRequest *request)
{
    g_clear_pointer(&request->ranges, g_array_unref);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(modelRequest, modelRequestClear)

static bool
modelRequestPolicy(virCxlDcdJSON *args,
                   const char *name,
                   const char *const *policies,
                   const char **policy,
                   char **error)
{
    if (!(*policy = modelArgString(args, name, error)))
        return false;
    if (g_strv_contains(policies, *policy))
        return true;
    *error = g_strdup_printf("Parameter '%s' does not accept value '%s'", name, *policy);
    return false;
}

static void
modelRequestTag(modelRequest *request, virCxlDcdJSON *args)
{
    g_autofree char *lower = NULL;

    request->tag = virCxlDcdJSONMemberString(args, "tag");
    lower = g_ascii_strdown(request->tag ? request->tag : "", -1);
    g_strlcpy(request->uuid,
              g_uuid_string_is_valid(lower) ? lower : MODEL_TAG_NIL,
              sizeof(request->uuid));
}

/* Check the members that QAPI checks before the command runs. */
static bool
modelRequestArgs(modelRequest *request, virCxlDcdJSON *args, bool extents, char **error)
{
    virCxlDcdJSON *list = virCxlDcdJSONMember(args, "extents");
    unsigned long long value;
    size_t i;

    if (!modelArgString(args, "path", error) ||
        !modelArgUnsigned(args, "host-id", 16, &value, error) ||
        !modelArgUnsigned(args, "region", 8, &value, error))
        return false;
    request->region = value;
    modelRequestTag(request, args);
    if (!extents)
        return true;
    if (!list) {
        *error = g_strdup("Parameter 'extents' is missing");
        return false;
    }
    request->ranges = g_array_new(FALSE, TRUE, sizeof(modelRange));
    for (i = 0; i < virCxlDcdJSONLength(list); i++) {
        modelRange range;

        if (!modelArgUnsigned(virCxlDcdJSONElement(list, i), "offset", 64, &range.dpa, error) ||
            !modelArgUnsigned(virCxlDcdJSONElement(list, i), "len", 64, &range.len, error))
            return false;
        g_array_append_val(request->ranges, range);
    }
    return true;
}

static bool
modelRequestDevice(modelRequest *request,
                   modelQemu *qemu,
                   virCxlDcdJSON *args,
                   const char *too_large,
                   char **error)
{
    const char *path = virCxlDcdJSONMemberString(args, "path");

    /* QEMU also resolves a partial path, if it is unambiguous. */
    if (!(request->device = modelDeviceByAlias(qemu, path)))
        *error = g_strdup("Unable to resolve CXL type 3 device");
    else if (!request->device->regions)
        *error = g_strdup("No dynamic capacity support from the device");
    else if (request->region >= request->device->regions)
        *error = g_strdup(too_large);
    return !*error;
}

/* Returns why range @i of the request is invalid, checking ranges one after another as QEMU
 * does. Turns the offset into a DPA. */
static const char *
modelRequestCheck(modelQemu *qemu, modelRequest *request, guint i, bool add)
{
    modelDevice *device = request->device;
    modelRange *range = &g_array_index(request->ranges, modelRange, i);
    guint j;

    if (range->len == 0)
        return "extent with 0 length is not allowed";
    if (range->dpa % MODEL_BLOCK || range->len % MODEL_BLOCK)
        return "dpa or len is not aligned to region block size";
    if (range->dpa > G_MAXUINT64 - range->len) {
        modelQemuCrash(qemu, "the sum of an offset and a length overflows");
        return "crashed";
    }
    if (range->dpa + range->len > device->region_size)
        return "extent range is beyond the region end";
    range->dpa += request->region * device->region_size;
    for (j = 0; j < i; j++) {
        if (modelOverlap(range, &g_array_index(request->ranges, modelRange, j)))
            return "duplicate or overlapped extents are detected";
    }
    if (!add && modelFindPendingOverlap(device, range))
        return "cannot release extent with pending DPA range";
    if (!add && !modelFindContaining(device->accepted, range))
        return "cannot release extent with non-existing DPA range";
    if (add && modelFindOverlap(device->accepted, range))
        return "cannot add DPA already accessible to the same LD";
    if (add && modelFindPendingOverlap(device, range))
        return "cannot add DPA again while still pending";
    return NULL;
}

static bool
modelRequestCheckAll(modelQemu *qemu, modelRequest *request, bool add, char **error)
{
    const char *why = NULL;
    guint i;

    for (i = 0; i < request->ranges->len && !why; i++)
        why = modelRequestCheck(qemu, request, i, add);
    if (why)
        *error = g_strdup(why);
    return !why;
}

/* --------------------------------------------------------------------- add */

/* The backend for an add to a tagged device. */
static modelObject *
modelAddBackend(modelQemu *qemu, const modelRequest *request, char **error)
{
    modelObject *object = modelObjectByTag(qemu, request->tag);
    unsigned long long len;

    if (request->ranges->len > 1) {
        *error = g_strdup("Only single extent add is supported currently");
        return NULL;
    }
    if (!object) {
        *error = g_strdup("dynamic capacity must have a backing device");
        return NULL;
    }
    len = request->ranges->len ? g_array_index(request->ranges, modelRange, 0).len : 0;
    if (len != object->size) {
        *error = g_strdup_printf("Host memory backend size 0x%llx does not match extent length "
                                 "0x%llx",
                                 object->size,
                                 len);
        return NULL;
    }
    return object;
}

/* Make the offer: a group of pending extents, and a record of each in the event log. */
static void
modelAddOffer(modelQemu *qemu, const modelRequest *request, const modelObject *object)
{
    modelDevice *device = request->device;
    bool series = qemu->flavour == MODEL_SERIES;
    modelGroup *group = g_new0(modelGroup, 1);
    guint i;

    group->extents = g_ptr_array_new_with_free_func((GDestroyNotify)modelExtentFree);
    group->logged = true;
    for (i = 0; i < request->ranges->len; i++) {
        modelExtent *extent = g_new0(modelExtent, 1);

        extent->range = g_array_index(request->ranges, modelRange, i);
        extent->backend = object ? g_strdup(object->id) : NULL;
        extent->decoder = device->decoder;
        g_strlcpy(extent->tag, series ? request->uuid : MODEL_TAG_NIL, sizeof(extent->tag));
        g_ptr_array_add(group->extents, extent);
    }
    g_queue_push_tail(&device->pending, group);
    /* The recorded series reports region 0 whatever the region is. */
    for (i = 0; i < request->ranges->len; i++)
        group->logged &= modelDeviceLog(device,
                                        true,
                                        series ? 0 : request->region,
                                        i + 1 < request->ranges->len,
                                        &g_array_index(request->ranges, modelRange, i),
                                        series ? request->uuid : MODEL_TAG_NIL);
    device->used = true;
}

/* QMP cxl-add-dynamic-capacity */
char *
modelDeviceAdd(modelQemu *qemu, virCxlDcdJSON *args, char **error)
{
    static const char *const policies[] = {
        "free",
        "contiguous",
        "prescriptive",
        "enable-shared-access",
        NULL,
    };
    g_auto(modelRequest) request = {0};
    modelObject *object = NULL;
    const char *policy;

    if (!modelRequestPolicy(args, "selection-policy", policies, &policy, error) ||
        !modelRequestArgs(&request, args, true, error))
        return NULL;
    if (!g_str_equal(policy, "prescriptive")) {
        *error = g_strdup("Selection policy not supported");
        return NULL;
    }
    if (!modelRequestDevice(&request, qemu, args, "region id is too large", error))
        return NULL;
    if (qemu->flavour == MODEL_SERIES && !request.tag) {
        modelQemuCrash(qemu, "an add without a tag");
        return NULL;
    }
    if (!modelRequestCheckAll(qemu, &request, true, error) ||
        (request.device->tagged && !(object = modelAddBackend(qemu, &request, error))))
        return NULL;
    if (object) {
        g_free(request.device->memdev);
        request.device->memdev = g_strdup(object->id);
    }
    if (request.ranges->len > 0)
        modelAddOffer(qemu, &request, object);
    return g_strdup("{}");
}

/* The backend @id was deleted: extents offered with it are left dangling. */
void
modelDeviceBackendGone(modelDevice *device, const char *id)
{
    GList *item;
    guint i;

    if (g_strcmp0(device->memdev, id) == 0)
        g_clear_pointer(&device->memdev, g_free);
    for (item = device->pending.head; item; item = item->next) {
        modelGroup *group = item->data;

        for (i = 0; i < group->extents->len; i++) {
            modelExtent *extent = g_ptr_array_index(group->extents, i);

            extent->dangling |= g_strcmp0(extent->backend, id) == 0;
        }
    }
}

/* ----------------------------------------------------------------- release */

/* Release by range, with a record for each extent. All ranges are checked before anything is
 * done. */
static char *
modelReleasePrescriptive(modelQemu *qemu, modelRequest *request, char **error)
{
    guint i;

    if (!modelRequestCheckAll(qemu, request, false, error))
        return NULL;
    for (i = 0; i < request->ranges->len; i++)
        modelDeviceLog(request->device,
                       false,
                       qemu->flavour == MODEL_SERIES ? 0 : request->region,
                       i + 1 < request->ranges->len,
                       &g_array_index(request->ranges, modelRange, i),
                       qemu->flavour == MODEL_SERIES ? request->uuid : MODEL_TAG_NIL);
    return g_strdup("{}");
}

/* Release by tag: the extents are not examined, and the record carries no tag. */
static char *
modelReleaseByTag(modelRequest *request)
{
    modelExtent *extent = modelFindTag(request->device->accepted, request->uuid);

    if (extent)
        modelDeviceLog(request->device, false, 0, false, &extent->range, MODEL_TAG_NIL);
    return g_strdup("{}");
}

/* QMP cxl-release-dynamic-capacity */
char *
modelDeviceRelease(modelQemu *qemu, virCxlDcdJSON *args, char **error)
{
    static const char *const policies[] = {"tag-based", "prescriptive", NULL};
    g_auto(modelRequest) request = {0};
    virCxlDcdJSON *forced = virCxlDcdJSONMember(args, "forced-removal");
    const char *policy;
    bool by_tag;

    if (!modelRequestPolicy(args, "removal-policy", policies, &policy, error) ||
        !modelRequestArgs(&request, args, true, error))
        return NULL;
    by_tag = g_str_equal(policy, "tag-based");
    if (forced && YAJL_IS_TRUE(forced)) {
        *error = g_strdup("Forced removal not supported yet");
        return NULL;
    }
    if (by_tag && qemu->flavour != MODEL_SERIES) {
        *error = g_strdup("Removal policy not supported");
        return NULL;
    }
    if (!modelRequestDevice(&request, qemu, args, "region id is too large", error))
        return NULL;
    if (qemu->flavour == MODEL_SERIES && !request.tag) {
        modelQemuCrash(qemu, "a release without a tag");
        return NULL;
    }
    return by_tag ? modelReleaseByTag(&request) : modelReleasePrescriptive(qemu, &request, error);
}

/* QMP cxl-release-dynamic-capacity-status */
char *
modelDeviceStatus(modelQemu *qemu, virCxlDcdJSON *args, char **error)
{
    g_auto(modelRequest) request = {0};
    const modelExtent *accepted;
    const modelExtent *extent;

    if (!modelRequestArgs(&request, args, false, error) || !modelArgString(args, "tag", error) ||
        !modelRequestDevice(&request, qemu, args, "Region id is too large", error))
        return NULL;
    accepted = modelFindTag(request.device->accepted, request.uuid);
    extent = accepted ? accepted : modelFindPendingTag(request.device, request.uuid);
    if (!extent || (qemu->terse && !accepted))
        return g_strdup_printf("{\"status\":\"Released\",\"message\":\"Tag %s released or not "
                               "found\\n\"}",
                               request.tag);
    return g_strdup_printf("{\"status\":\"%s\",\"message\":\"Found %sextent with tag %s dpa "
                           "0x%llx len 0x%llx\\n\"}",
                           accepted ? "Not Released" : "Pending",
                           accepted ? "" : "pending ",
                           extent->tag,
                           extent->range.dpa,
                           extent->range.len);
}

/* ------------------------------------------------------- unplug, reset */

/* QMP device_del: the guest has to eject the device, see modelDeviceEject() */
char *
modelDeviceDel(modelQemu *qemu, virCxlDcdJSON *args, char **error)
{
    const char *id = modelArgString(args, "id", error);
    modelDevice *device = id ? modelDeviceByAlias(qemu, id) : NULL;

    if (!id)
        return NULL;
    if (!device) {
        *error = g_strdup_printf("Device '%s' not found", id);
        return NULL;
    }
    device->unplugging = true;
    return g_strdup("{}");
}

/* The guest ejects a device after device_del. Its backend stays in use. */
void
modelDeviceEject(modelQemu *qemu, modelDevice *device)
{
    g_autofree char *data = NULL;

    g_assert_true(device->unplugging);
    if (qemu->flavour == MODEL_SERIES && device->used) {
        modelQemuCrash(qemu, "a device is unplugged to which capacity was added");
        return;
    }
    data = g_strdup_printf("{\"device\":\"%s\",\"path\":\"/machine/peripheral/%s\"}",
                           device->alias,
                           device->alias);
    if (qemu->flavour == MODEL_SERIES)
        modelQemuMessage(qemu, "DEVICE_DELETED", data);
    g_ptr_array_remove(qemu->devices, device);
}

/* Only what the guest had set up is lost. */
void
modelDeviceReset(modelDevice *device)
{
    device->decoder = false;
}

/* --------------------------------------------------- the guest's mailbox */

/* Whether the guest may accept these ranges now. */
static modelReturnCode
modelRespondCheck(const modelDevice *device, const modelRange *ranges, size_t n)
{
    const modelGroup *group = g_queue_peek_head((GQueue *)&device->pending);
    unsigned int direct = 0;
    const modelExtent *extent;
    size_t i;

    for (i = 0; i < device->accepted->len; i++)
        direct += ((modelExtent *)g_ptr_array_index(device->accepted, i))->direct;
    for (i = 0; i < n; i++) {
        if (!group || !(extent = modelFindContaining(group->extents, &ranges[i])) ||
            modelFindOverlap(device->accepted, &ranges[i]))
            return MODEL_RC_INVALID_PA;
        if (!device->tagged)
            continue;
        if (modelFindTag(device->accepted, extent->tag))
            return MODEL_RC_INVALID_PA;
        if (device->decoder && direct >= MODEL_DIRECT_MAX)
            return MODEL_RC_RESOURCES_EXHAUSTED;
    }
    return MODEL_RC_SUCCESS;
}

/* The guest accepts these ranges of the oldest offered group and refuses the rest of it (4802h:
 * Add Dynamic Capacity Response). */
modelReturnCode
modelDeviceRespond(modelQemu *qemu, modelDevice *device, const modelRange *ranges, size_t n)
{
    modelReturnCode rc = modelRespondCheck(device, ranges, n);
    modelGroup *group;
    size_t i;

    if (rc != MODEL_RC_SUCCESS)
        return rc;
    group = g_queue_pop_head(&device->pending);
    for (i = 0; i < n; i++) {
        const modelExtent *offered = modelFindContaining(group->extents, &ranges[i]);
        modelObject *object = modelObjectById(qemu, offered->backend);
        modelExtent *extent = g_new0(modelExtent, 1);

        *extent = *offered;
        extent->range = ranges[i];
        extent->backend = g_strdup(offered->backend);
        extent->direct = device->tagged && device->decoder;
        if (!device->tagged)
            g_strlcpy(extent->tag, MODEL_TAG_NIL, sizeof(extent->tag));
        g_ptr_array_add(device->accepted, extent);
        if (extent->dangling)
            qemu->corrupt = true;
        else if (object)
            object->users++;
        if (extent->direct && !extent->decoder)
            modelQemuCrash(qemu, "an extent is accepted that was offered before the decoder");
    }
    if (group)
        modelGroupFree(group);
    return MODEL_RC_SUCCESS;
}

/* Keep what remains of @extent when a range inside it is released. */
static void
modelSplit(modelDevice *device, const modelExtent *extent, const modelRange *gone)
{
    modelRange rest[] = {
        {extent->range.dpa, gone->dpa - extent->range.dpa},
        {gone->dpa + gone->len, extent->range.dpa + extent->range.len - gone->dpa - gone->len},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(rest); i++) {
        modelExtent *copy;

        if (rest[i].len == 0)
            continue;
        copy = g_new0(modelExtent, 1);
        *copy = *extent;
        copy->backend = g_strdup(extent->backend);
        copy->range = rest[i];
        g_ptr_array_add(device->accepted, copy);
    }
}

/* The guest gives these ranges back (4803h: Release Dynamic Capacity). */
modelReturnCode
modelDeviceGiveBack(modelQemu *qemu, modelDevice *device, const modelRange *ranges, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        const modelExtent *extent = modelFindContaining(device->accepted, &ranges[i]);

        if (!extent)
            return MODEL_RC_INVALID_PA;
        if (device->tagged && extent->range.len != ranges[i].len)
            return MODEL_RC_INVALID_INPUT;
    }
    for (i = 0; i < n; i++) {
        modelExtent *extent = modelFindContaining(device->accepted, &ranges[i]);
        modelObject *object = modelObjectById(qemu, extent->backend);

        modelSplit(device, extent, &ranges[i]);
        if (object && !extent->dangling)
            object->users--;
        g_ptr_array_remove(device->accepted, extent);
    }
    return MODEL_RC_SUCCESS;
}

/* The guest reads or writes through the window. */
void
modelDeviceTouch(modelQemu *qemu, modelDevice *device)
{
    guint i;

    for (i = 0; device->tagged && device->decoder && i < device->accepted->len; i++) {
        const modelExtent *extent = g_ptr_array_index(device->accepted, i);

        if (extent->dangling)
            modelQemuCrash(qemu, "a backend is used after it was deleted");
        else if (!extent->direct)
            modelQemuCrash(qemu, "an extent is used that was accepted without a decoder");
    }
}
