/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp.c: the QMP commands for tagged capacity
 *
 * Three of QEMU's commands are served here first and passed on. For a device
 * that is not ours they are QEMU's own, but for sums that would crash it. What
 * is asked of one of ours is checked as a whole before anything is changed.
 */
#include "cxl-tagged.h"

static QmpFunction *stock_object_add;
static QmpFunction *stock_add;
static QmpFunction *stock_release;

#define STATUS_COMMAND "cxl-release-dynamic-capacity-status"

/*
 * stock_says: whether QEMU's error to an add (or a @release) of this range has
 * @word in it. Nothing is changed: the extents of a request are checked in
 * order before anything is done, and the last one here has no length.
 */
bool
stock_says(struct device *dev, bool release, unsigned region, uint64_t offset,
           uint64_t len, const char *word)
{
    g_autofree char *path = qemu.object_get_canonical_path(dev->obj);
    QDict *args = qemu.qdict_from_jsonf_nofail(
        "{'path': %s, 'host-id': 0, 'region': %d, 'extents': "
        "[{'offset': %lld, 'len': %lld}, {'offset': 0, 'len': 0}]}",
        path, (int)region, (long long)offset, (long long)len);
    QObject *ret = NULL;
    Error *err = NULL;
    bool said = false;

    if (release) {
        qemu.qdict_put_str(args, "removal-policy", "prescriptive");
        stock_release(args, &ret, &err);
    } else {
        qemu.qdict_put_str(args, "selection-policy", "prescriptive");
        stock_add(args, &ret, &err);
    }
    if (err) {
        said = strstr(qemu.error_get_pretty(err), word) != NULL;
        qemu.error_free(err);
    }
    qemu.qdict_unref(args);
    return said;
}

/* object-add: QEMU's own, which knows no 'tag'; so that is set afterwards. */
static void
object_add(QDict *args, QObject **ret, Error **errp)
{
    const char *type = qemu.qdict_get_try_str(args, "qom-type");
    g_autofree char *tag = NULL;
    uint8_t uuid[16];
    Object *backend;
    Error *err = NULL;

    if (!type || !g_str_has_prefix(type, "memory-backend-") ||
        !qemu.qdict_haskey(args, "tag")) {
        stock_object_add(args, ret, errp);
        return;
    }
    tag = g_strdup(qemu.qdict_get_try_str(args, "tag"));
    if (!tag) {
        fail(errp, "Invalid parameter type for 'tag', expected: string");
        return;
    }
    if (!tag_check(tag, NULL, uuid, errp)) {
        return;
    }
    qemu.qdict_del(args, "tag");
    if (!qmp_call(stock_object_add, args, ret, errp)) {
        return;
    }
    backend = qemu.object_resolve_path_component(
        qemu.object_get_objects_root(), qemu.qdict_get_try_str(args, "id"));
    qemu.object_property_set_str(backend, "tag", tag, &err);
    qemu.error_propagate(errp, err);
}

/* The cxl-type3 that a request names, if it is one of ours. */
static struct device *
requested_device(QDict *args)
{
    const char *path = qemu.qdict_get_try_str(args, "path");
    Object *obj =
        path ? qemu.object_resolve_path_type(path, "cxl-type3", NULL) : NULL;

    return obj ? device_find(obj) : NULL;
}

struct range {
    uint64_t offset;
    uint64_t len;
    bool known; /* both are whole numbers */
    bool overflows;
};

static void
read_range(QDict *extent, void *opaque)
{
    struct range *range = opaque;

    range->known = qdict_number(extent, "offset", &range->offset) &&
                   qdict_number(extent, "len", &range->len);
    range->overflows |= range->known && range->offset > UINT64_MAX - range->len;
}

/* Refuse what would fail an assertion in QEMU, whatever device it is for. */
static bool
check_sums(QDict *args, Error **errp)
{
    QList *extents = qemu.qdict_get_qlist(args, "extents");
    struct range range = { 0 };

    if (extents) {
        qlist_each(extents, read_range, &range);
    }
    if (range.overflows) {
        fail(errp, "the offset and length of an extent overflow");
    }
    return !range.overflows;
}

/* The one extent of a request to one of our devices. */
static bool
one_range(QDict *args, struct range *range, Error **errp)
{
    QList *extents = qemu.qdict_get_qlist(args, "extents");
    size_t n = extents ? qemu.qlist_size(extents) : 0;

    memset(range, 0, sizeof(*range));
    if (n != 1) {
        fail(errp, "tagged capacity is exactly one extent, not %zu", n);
        return false;
    }
    qlist_each(extents, read_range, range);
    if (!range->known) {
        fail(errp, "an extent has an 'offset' and a 'len'");
        return false;
    }
    return true;
}

static bool
requested_region(struct device *dev, QDict *args, unsigned *region,
                 Error **errp)
{
    uint64_t value;

    if (!qdict_number(args, "region", &value)) {
        fail(errp, "Parameter 'region' is missing, or not a number");
        return false;
    }
    if (value >= device_regions(dev)) {
        fail(errp, "region id is too large");
        return false;
    }
    *region = value;
    return true;
}

static bool
requested_tag(QDict *args, uint8_t *uuid, Error **errp)
{
    const char *tag = qemu.qdict_get_try_str(args, "tag");

    if (!tag) {
        fail(errp, "Parameter 'tag' is missing: it names the memory backend "
                   "behind the extent");
        return false;
    }
    if (!tag_parse(tag, uuid)) {
        fail(errp, "tag '%s' is not a UUID, or is nil", tag);
        return false;
    }
    return true;
}

static bool
check_backend(const struct extent *extent, Error **errp)
{
    const char *id;
    uint64_t size;

    if (!extent->backend) {
        fail(errp, "no memory backend has the tag '%s'", extent->tag);
        return false;
    }
    id = qemu.object_get_canonical_path_component(extent->backend);
    size = qemu.memory_region_size(
        qemu.host_memory_backend_get_memory(extent->backend));
    if (size != extent->len) {
        fail(errp,
             "extent length 0x%" PRIx64 " is not the size 0x%" PRIx64
             " of memory backend '%s'",
             extent->len, size, id);
        return false;
    }
    if (qemu.host_memory_backend_is_mapped(extent->backend)) {
        fail(errp, "memory backend '%s' is in use", id);
        return false;
    }
    return true;
}

/* Fill @extent from an add request; the rest of it QEMU checks itself. */
static bool
requested_extent(struct device *dev, QDict *args, struct extent *extent,
                 Error **errp)
{
    g_autofree char *tag = NULL;
    struct range range;
    uint64_t size;

    memset(extent, 0, sizeof(*extent));
    if (!requested_tag(args, extent->uuid, errp) ||
        !requested_region(dev, args, &extent->region, errp) ||
        !one_range(args, &range, errp)) {
        return false;
    }
    tag = tag_text(extent->uuid);
    g_strlcpy(extent->tag, tag, sizeof(extent->tag));
    extent->backend = tag_find(extent->uuid);
    extent->offset = range.offset;
    extent->len = range.len;
    if (!check_backend(extent, errp)) {
        return false;
    }
    size = dev->total / device_regions(dev);
    if (range.offset > size || range.len > size - range.offset) {
        fail(errp, "extent range is beyond the region end");
        return false;
    }
    extent->dpa = device_dc_base(dev) + extent->region * size + range.offset;
    if (!qemu.cxl_find_dc_region(dev->obj, extent->dpa, extent->len)) {
        fail(errp, "this QEMU lays out its regions in a way not known to "
                   "cxl-tagged");
        return false;
    }
    return true;
}

static bool
check_log(struct device *dev, Error **errp)
{
    if (events_full(dev)) {
        fail(errp,
             "the guest has not cleared the %d records in the event log "
             "of the device, and would not hear of this one",
             EVENT_LOG_RECORDS);
        return false;
    }
    return true;
}

static void
find_empty(QDict *extent, void *opaque)
{
    bool *found = opaque;
    uint64_t len;

    *found |= qdict_number(extent, "len", &len) && !len;
}

/*
 * Whether the request lists an extent of no length. QEMU refuses that one when it
 * comes to it, but looks at those before it first: whoever asks so wants to know
 * whether they are free, and QEMU's own answer tells.
 */
static bool
is_probe(QDict *args)
{
    QList *extents = qemu.qdict_get_qlist(args, "extents");
    bool found = false;

    if (extents) {
        qlist_each(extents, find_empty, &found);
    }
    return found;
}

/* cxl-add-dynamic-capacity */
static void
add(QDict *args, QObject **ret, Error **errp)
{
    struct device *dev = requested_device(args);
    struct extent like, *extent;

    if (!check_sums(args, errp)) {
        return;
    }
    if (!dev || is_probe(args)) {
        stock_add(args, ret, errp);
        return;
    }
    if (!device_ready(dev, errp) || !check_log(dev, errp) ||
        !requested_extent(dev, args, &like, errp)) {
        return;
    }
    extent = extent_new(dev, &like, errp);
    if (!extent) {
        return;
    }
    if (!qmp_call(stock_add, args, ret, errp)) {
        extent_free(extent);
        return;
    }
    events_add(dev, extent, false);
    detail("%s: offered at dpa 0x%" PRIx64, extent->tag, extent->dpa);
}

/* The extent that a release by tag means. */
static struct extent *
release_by_tag(struct device *dev, QDict *args, Error **errp)
{
    struct extent *extent;
    uint8_t uuid[16];
    unsigned region;

    if (!requested_tag(args, uuid, errp) ||
        !requested_region(dev, args, &region, errp)) {
        return NULL;
    }
    extent = extent_by_tag(dev, uuid);
    if (!extent) {
        fail(errp, "the device has no extent with the tag '%s'",
             qemu.qdict_get_try_str(args, "tag"));
        return NULL;
    }
    if (region != extent->region) {
        fail(errp, "the extent with the tag '%s' is in region %u", extent->tag,
             extent->region);
        return NULL;
    }
    return extent;
}

/* The extent that a release by place means; a tag, if given, must be its own. */
static struct extent *
release_by_place(struct device *dev, QDict *args, Error **errp)
{
    struct extent *extent;
    struct range range;
    uint8_t uuid[16];
    unsigned region;

    if (!requested_region(dev, args, &region, errp) ||
        !one_range(args, &range, errp)) {
        return NULL;
    }
    for (extent = dev->extents; extent; extent = extent->next) {
        if (extent->region == region && extent->offset == range.offset &&
            extent->len == range.len) {
            break;
        }
    }
    if (!extent) {
        fail(errp, "only the whole extent of a memory backend can be released, "
                   "and there is none at this place");
        return NULL;
    }
    if (qemu.qdict_haskey(args, "tag") &&
        (!requested_tag(args, uuid, errp) ||
         memcmp(uuid, extent->uuid, sizeof(uuid)))) {
        if (!*errp) {
            fail(errp, "the extent at this place has the tag '%s'",
                 extent->tag);
        }
        return NULL;
    }
    return extent;
}

/* A release by tag names the whole extent, or leaves the list empty. */
static bool
check_whole(QDict *args, const struct extent *extent, Error **errp)
{
    QList *extents = qemu.qdict_get_qlist(args, "extents");
    struct range range;

    if (extents && !qemu.qlist_size(extents)) {
        return true;
    }
    if (!one_range(args, &range, errp)) {
        return false;
    }
    if (range.offset != extent->offset || range.len != extent->len) {
        fail(errp, "only the whole extent of a memory backend can be released");
        return false;
    }
    return true;
}

/* cxl-release-dynamic-capacity. QEMU knows no release by tag: give the place. */
static void
release(QDict *args, QObject **ret, Error **errp)
{
    struct device *dev = requested_device(args);
    const char *policy = qemu.qdict_get_try_str(args, "removal-policy");
    bool by_tag = !g_strcmp0(policy, "tag-based");
    struct extent *extent;
    g_autofree char *place = NULL;
    Error *err = NULL;

    if (!check_sums(args, errp)) {
        return;
    }
    if (!dev || !policy) {
        stock_release(args, ret, errp);
        return;
    }
    extent = by_tag ? release_by_tag(dev, args, &err)
                    : release_by_place(dev, args, &err);
    if (!extent || (by_tag && !check_whole(args, extent, &err)) ||
        !check_log(dev, &err)) {
        qemu.error_propagate(errp, err);
        return;
    }
    if (by_tag) {
        place =
            g_strdup_printf("[{\"offset\": %" PRIu64 ", \"len\": %" PRIu64 "}]",
                            extent->offset, extent->len);
        qemu.qdict_put_str(args, "removal-policy", "prescriptive");
        qemu.qdict_put_obj(args, "extents",
                           qemu.qobject_from_json(place, NULL));
    }
    if (qmp_call(stock_release, args, ret, errp)) {
        events_add(dev, extent, true);
        detail("%s: release asked", extent->tag);
    }
}

static bool
check_status_args(QDict *args, Error **errp)
{
    static const char *const names[] = { "path", "host-id", "region", "tag" };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(names); i++) {
        if (!qemu.qdict_haskey(args, names[i])) {
            fail(errp, "Parameter '%s' is missing", names[i]);
            return false;
        }
    }
    if (qemu.qdict_size(args) != G_N_ELEMENTS(names)) {
        fail(errp, STATUS_COMMAND " takes 'path', 'host-id', 'region' and "
                                  "'tag', and nothing else");
        return false;
    }
    if (!qemu.qdict_get_try_str(args, "tag")) {
        fail(errp, "Invalid parameter type for 'tag', expected: string");
        return false;
    }
    return true;
}

/* cxl-release-dynamic-capacity-status */
static void
status(QDict *args, QObject **ret, Error **errp)
{
    struct device *dev = requested_device(args);
    g_autofree char *message = NULL;
    struct extent *extent = NULL;
    const char *tag;
    uint8_t uuid[16];
    unsigned region;
    QDict *reply;

    if (!check_status_args(args, errp)) {
        return;
    }
    if (!dev) {
        fail(errp, "Unable to resolve CXL type 3 device with "
                   "'dc-regions-total-size'");
        return;
    }
    if (!requested_region(dev, args, &region, errp)) {
        return;
    }
    tag = qemu.qdict_get_try_str(args, "tag");
    if (tag_parse(tag, uuid)) {
        extent = extent_by_tag(dev, uuid);
    }
    if (extent) {
        message = g_strdup_printf(
            "%s extent with tag %s: dpa 0x%" PRIx64 " len 0x%" PRIx64 "%s",
            extent->accepted ? "accepted" : "pending", extent->tag, extent->dpa,
            extent->len, extent->direct ? ", direct" : "");
    } else {
        message = g_strdup_printf("no extent with tag %s", tag);
    }
    reply = qemu.qdict_new();
    qemu.qdict_put_str(reply, "status",
                       !extent            ? "Released"
                       : extent->accepted ? "Not Released"
                                          : "Pending");
    qemu.qdict_put_str(reply, "message", message);
    *ret = (QObject *)reply;
}

/* qmp_check_commands: whether all commands to be replaced are as expected. */
bool
qmp_check_commands(void)
{
    return qmp_check("object-add", "qmp_marshal_object_add",
                     &stock_object_add) &&
           qmp_check("cxl-add-dynamic-capacity",
                     "qmp_marshal_cxl_add_dynamic_capacity", &stock_add) &&
           qmp_check("cxl-release-dynamic-capacity",
                     "qmp_marshal_cxl_release_dynamic_capacity",
                     &stock_release);
}

void
qmp_install(void)
{
    qmp_replace("object-add", object_add);
    qmp_replace("cxl-add-dynamic-capacity", add);
    qmp_replace("cxl-release-dynamic-capacity", release);
    qemu.qmp_register_command(qemu.qmp_commands, STATUS_COMMAND, status, 0, 0);
}
