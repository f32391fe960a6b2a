/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qmp.c: the QMP commands for tagged capacity
 *
 * Three of QEMU's commands are served here first and passed on. For a device
 * that is not ours they are QEMU's own, but for sums that would crash it. What
 * is asked of one of ours is checked as a whole before anything is changed.
 *
 * They are served before QEMU has checked the types of the arguments. What is
 * not as the module reads it is passed on as well: QEMU's own command refuses
 * it, and in its own words.
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

/* The cxl-type3 at @path, if it is one of ours. */
static struct device *
device_at(const char *path)
{
    Object *obj = qemu.object_resolve_path_type(path, "cxl-type3", NULL);

    return obj ? device_find(obj) : NULL;
}

/* What the module reads of an add or a release. */
struct request {
    struct device *dev; /* NULL: none of ours, or a request to be passed on */
    const char *policy;
    const char *tag; /* NULL: not given */
    uint64_t region;
    size_t extents;  /* how many; the rest tells of them */
    uint64_t offset; /* of the last one */
    uint64_t len;    /* of the last one */
    bool malformed;  /* one has no such numbers */
    bool empty;      /* one is of no length */
    bool overflows;  /* one ends beyond 64 bits */
};

static void
read_extent(QDict *extent, void *opaque)
{
    struct request *request = opaque;

    request->extents++;
    if (!qdict_number(extent, "offset", &request->offset) ||
        !qdict_number(extent, "len", &request->len)) {
        request->malformed = true;
        return;
    }
    request->empty |= !request->len;
    request->overflows |= request->offset > UINT64_MAX - request->len;
}

/* Read @args, or leave @request all zero where QEMU will refuse them. */
static void
read_request(QDict *args, const char *policy, struct request *request)
{
    const char *path = qemu.qdict_get_try_str(args, "path");
    QList *extents = qemu.qdict_get_qlist(args, "extents");

    *request = (struct request){
        .policy = qemu.qdict_get_try_str(args, policy),
        .tag = qemu.qdict_get_try_str(args, "tag"),
    };
    if (!path || !request->policy ||
        (!request->tag && qemu.qdict_haskey(args, "tag")) ||
        !qdict_number(args, "region", &request->region) || !extents ||
        !qlist_each(extents, read_extent, request) || request->malformed) {
        memset(request, 0, sizeof(*request));
        return;
    }
    request->dev = device_at(path);
}

/* Refuse what would fail an assertion in QEMU, whatever device it is for. */
static bool
check_sums(const struct request *request, Error **errp)
{
    if (request->overflows) {
        fail(errp, "the offset and length of an extent overflow");
    }
    return !request->overflows;
}

static bool
check_one_extent(const struct request *request, Error **errp)
{
    if (request->extents != 1) {
        fail(errp, "tagged capacity is exactly one extent, not %zu",
             request->extents);
        return false;
    }
    return true;
}

static bool
check_region(struct device *dev, uint64_t region, Error **errp)
{
    if (region >= device_regions(dev)) {
        fail(errp, "region id is too large");
        return false;
    }
    return true;
}

static bool
requested_tag(const struct request *request, uint8_t *uuid, Error **errp)
{
    if (!request->tag) {
        fail(errp, "Parameter 'tag' is missing: it names the memory backend "
                   "behind the extent");
        return false;
    }
    if (!tag_parse(request->tag, uuid)) {
        fail(errp, "tag '%s' is not a UUID, or is nil", request->tag);
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
requested_extent(const struct request *request, struct extent *extent,
                 Error **errp)
{
    struct device *dev = request->dev;
    g_autofree char *tag = NULL;
    uint64_t size;

    memset(extent, 0, sizeof(*extent));
    if (!requested_tag(request, extent->uuid, errp) ||
        !check_region(dev, request->region, errp) ||
        !check_one_extent(request, errp)) {
        return false;
    }
    tag = tag_text(extent->uuid);
    g_strlcpy(extent->tag, tag, sizeof(extent->tag));
    extent->backend = tag_find(extent->uuid);
    extent->region = request->region;
    extent->offset = request->offset;
    extent->len = request->len;
    if (!check_backend(extent, errp)) {
        return false;
    }
    size = dev->total / device_regions(dev);
    if (extent->offset > size || extent->len > size - extent->offset) {
        fail(errp, "extent range is beyond the region end");
        return false;
    }
    extent->dpa = device_dc_base(dev) + extent->region * size + extent->offset;
    if (!qemu.cxl_find_dc_region(dev->obj, extent->dpa, extent->len)) {
        fail(errp, "this QEMU lays out its regions in a way not known to "
                   "cxl-tagged");
        return false;
    }
    return true;
}

/* cxl-add-dynamic-capacity */
static void
add(QDict *args, QObject **ret, Error **errp)
{
    struct request request;
    struct device *dev;
    struct extent like, *extent;

    read_request(args, "selection-policy", &request);
    if (!check_sums(&request, errp)) {
        return;
    }
    dev = request.dev;
    /*
     * QEMU refuses an extent of no length when it comes to it, but looks at
     * those before it first: whoever asks so wants to know whether they are
     * free, and QEMU's own answer tells.
     */
    if (!dev || request.empty) {
        stock_add(args, ret, errp);
        return;
    }
    if (!device_ready(dev, errp) || !events_room(dev, errp) ||
        !requested_extent(&request, &like, errp)) {
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
    events_add(dev, extent);
    detail("%s: offered at dpa 0x%" PRIx64, extent->tag, extent->dpa);
}

/* The extent that a release by tag means. */
static struct extent *
release_by_tag(const struct request *request, Error **errp)
{
    struct extent *extent;
    uint8_t uuid[16];

    if (!requested_tag(request, uuid, errp) ||
        !check_region(request->dev, request->region, errp)) {
        return NULL;
    }
    extent = extent_by_tag(request->dev, uuid);
    if (!extent) {
        fail(errp, "the device has no extent with the tag '%s'", request->tag);
        return NULL;
    }
    if (request->region != extent->region) {
        fail(errp, "the extent with the tag '%s' is in region %u", extent->tag,
             extent->region);
        return NULL;
    }
    return extent;
}

/* The extent that a release by place means; a tag, if given, must be its own. */
static struct extent *
release_by_place(const struct request *request, Error **errp)
{
    struct extent *extent;
    uint8_t uuid[16];

    if (!check_region(request->dev, request->region, errp) ||
        !check_one_extent(request, errp)) {
        return NULL;
    }
    for (extent = request->dev->extents; extent; extent = extent->next) {
        if (extent->region == request->region &&
            extent->offset == request->offset && extent->len == request->len) {
            break;
        }
    }
    if (!extent) {
        fail(errp, "only the whole extent of a memory backend can be released, "
                   "and there is none at this place");
        return NULL;
    }
    if (request->tag) {
        if (!requested_tag(request, uuid, errp)) {
            return NULL;
        }
        if (memcmp(uuid, extent->uuid, sizeof(uuid))) {
            fail(errp, "the extent at this place has the tag '%s'",
                 extent->tag);
            return NULL;
        }
    }
    return extent;
}

/* A release by tag names the whole extent, or leaves the list empty. */
static bool
check_whole(const struct request *request, const struct extent *extent,
            Error **errp)
{
    if (!request->extents) {
        return true;
    }
    if (!check_one_extent(request, errp)) {
        return false;
    }
    if (request->offset != extent->offset || request->len != extent->len) {
        fail(errp, "only the whole extent of a memory backend can be released");
        return false;
    }
    return true;
}

/* cxl-release-dynamic-capacity. QEMU knows no release by tag: give the place. */
static void
release(QDict *args, QObject **ret, Error **errp)
{
    struct request request;
    struct extent *extent;
    g_autofree char *place = NULL;
    Error *err = NULL;
    bool by_tag;

    read_request(args, "removal-policy", &request);
    if (!check_sums(&request, errp)) {
        return;
    }
    if (!request.dev) {
        stock_release(args, ret, errp);
        return;
    }
    by_tag = !strcmp(request.policy, "tag-based");
    extent = by_tag ? release_by_tag(&request, &err)
                    : release_by_place(&request, &err);
    if (!extent || (by_tag && !check_whole(&request, extent, &err)) ||
        !events_room(request.dev, &err)) {
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
        events_add(request.dev, extent);
        detail("%s: release asked", extent->tag);
    }
}

/* The status command is the module's own: refuse as QEMU refuses. */
static bool
check_status_args(QDict *args, Error **errp)
{
    static const struct {
        const char *name;
        const char *type; /* of a number; a string has none */
        uint64_t max;
    } members[] = {
        { "path", NULL, 0 },
        { "host-id", "uint16_t", UINT16_MAX },
        { "region", "uint8_t", UINT8_MAX },
        { "tag", NULL, 0 },
    };
    uint64_t number;
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(members); i++) {
        const char *name = members[i].name;

        if (!qemu.qdict_haskey(args, name)) {
            fail(errp, "Parameter '%s' is missing", name);
            return false;
        }
        if (!members[i].type) {
            if (!qemu.qdict_get_try_str(args, name)) {
                fail(errp, "Invalid parameter type for '%s', expected: string",
                     name);
                return false;
            }
        } else if (!qdict_number(args, name, &number) ||
                   number > members[i].max) {
            fail(errp, "Parameter '%s' expects %s", name, members[i].type);
            return false;
        }
    }
    if (qemu.qdict_size(args) != G_N_ELEMENTS(members)) {
        fail(errp, STATUS_COMMAND " takes 'path', 'host-id', 'region' and "
                                  "'tag', and nothing else");
        return false;
    }
    return true;
}

/* cxl-release-dynamic-capacity-status */
static void
status(QDict *args, QObject **ret, Error **errp)
{
    g_autofree char *message = NULL;
    struct extent *extent = NULL;
    struct device *dev;
    const char *tag;
    uint8_t uuid[16];
    uint64_t region;
    QDict *reply;

    if (!check_status_args(args, errp)) {
        return;
    }
    dev = device_at(qemu.qdict_get_try_str(args, "path"));
    if (!dev) {
        fail(errp, "Unable to resolve CXL type 3 device with "
                   "'dc-regions-total-size'");
        return;
    }
    if (!qdict_number(args, "region", &region) ||
        !check_region(dev, region, errp)) {
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
