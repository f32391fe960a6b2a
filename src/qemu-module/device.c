/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * device.c: a cxl-type3 whose dynamic capacity has no memory of its own
 *
 * The property `dc-regions-total-size` gives the device a memory backend of
 * that size which is address space and nothing more: it reserves no memory, and
 * no access reaches it. QEMU refuses a CPU's to what is not accepted, but lets
 * a guest write there by a command (Clear Poison), which would take memory from
 * the host page by page. So a region that has none lies over all of it, and the
 * tagged backends over that.
 *
 * An empty bus of our own type under the device tells us what no exported
 * function does: a bus is reset with its device, however that comes about, and
 * ends with it at an unplug.
 */
#define _GNU_SOURCE
#include "cxl-tagged.h"

#include <sys/mman.h>
#include <unistd.h>

#define BUS_TYPE "cxl-tagged-bus"
#define GRANULE (256ULL << 20) /* of the place and the size of a region */

static struct device *devices;
static Object *checked; /* reset by device_check_reset() */

/* What is asked for the device that is being made; see creating(). */
static struct {
    uint64_t regions; /* 0: not said */
    uint64_t before;  /* bytes of other memory, at lower device addresses */
} asked;

static const char *const memory_before[] = {
    "volatile-memdev",
    "persistent-memdev",
    "memdev",
};

/* device_find: ours for the cxl-type3 @obj, or NULL if it is a stock one. */
struct device *
device_find(const Object *obj)
{
    struct device *dev;

    for (dev = devices; dev && dev->obj != obj; dev = dev->next) {
        continue;
    }
    return dev;
}

/* device_next: the device after @dev, the first one after NULL. */
struct device *
device_next(struct device *dev)
{
    return dev ? dev->next : devices;
}

/* device_memory: the region behind all dynamic capacity of @dev. */
MemoryRegion *
device_memory(struct device *dev)
{
    return qemu.host_memory_backend_get_memory(dev->hole);
}

/* device_dc_base: device address of the first byte of dynamic capacity. */
uint64_t
device_dc_base(struct device *dev)
{
    uint64_t base = 0;
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(memory_before); i++) {
        Object *backend =
            qemu.object_property_get_link(dev->obj, memory_before[i], NULL);

        if (backend) {
            base += qemu.memory_region_size(
                qemu.host_memory_backend_get_memory(backend));
        }
    }
    return base;
}

unsigned
device_regions(struct device *dev)
{
    return qemu.object_property_get_uint(dev->obj, "num-dc-regions", NULL);
}

/* device_ready: whether capacity can be added; sets @errp when not. */
bool
device_ready(struct device *dev, Error **errp)
{
    if (qemu.object_property_get_link(dev->obj, "volatile-dc-memdev", NULL) !=
        dev->hole) {
        fail(errp, "the device has a 'volatile-dc-memdev' as well");
        return false;
    }
    if (!dev->mailbox_overlay) {
        fail(errp, "this QEMU's cxl-type3 has no mailbox known to cxl-tagged");
        return false;
    }
    return true;
}

/* The device leaves: nothing of what it mapped may stay. */
static void
device_free(struct device *dev)
{
    struct device **p;

    qemu.memory_region_transaction_begin();
    while (dev->extents) {
        extent_free(dev->extents);
    }
    qemu.memory_region_transaction_commit();
    alias_unwatch(dev);
    region_free(dev->mailbox_overlay);
    region_free(dev->probe);
    region_free(dev->floor);
    for (p = &devices; *p != dev; p = &(*p)->next) {
        continue;
    }
    *p = dev->next;
    qemu.object_unref(dev->hole);
    detail("a device is gone, and all that it mapped");
    g_free(dev);
}

static struct device *
device_of_bus(const Object *bus)
{
    struct device *dev;

    for (dev = devices; dev && dev->bus != bus; dev = dev->next) {
        continue;
    }
    return dev;
}

/* All of the reset is done by the phase "exit": the decoders are clear. */
static void
bus_reset_exit(Object *bus, int type G_GNUC_UNUSED)
{
    struct device *dev = device_of_bus(bus);

    if (bus == checked) {
        checked = NULL;
    }
    if (!dev) {
        return;
    }
    alias_drop(dev);
    dev->answer = -1;
    if (!dev->mailbox_overlay) { /* the first one: it is realized now */
        if (mailbox_attach(dev)) {
            alias_watch(dev);
        }
    }
}

static void
bus_finalize(Object *bus)
{
    struct device *dev = device_of_bus(bus);

    if (dev) {
        device_free(dev);
    }
}

static void
bus_class_init(ObjectClass *class, void *data G_GNUC_UNUSED)
{
    ObjectClass *resettable =
        qemu.object_class_dynamic_cast(class, "resettable");
    struct reset_phases parent[4]; /* more room than it needs */

    if (resettable) {
        qemu.resettable_class_set_parent_phases(resettable, NULL, NULL,
                                                bus_reset_exit, parent);
    }
}

/* device_check_reset: register the bus type, and see that a reset reaches it. */
bool
device_check_reset(void)
{
    static const struct type_info type = {
        .name = BUS_TYPE,
        .parent = "bus",
        .instance_finalize = bus_finalize,
        .class_init = bus_class_init,
    };
    Object *bus;
    bool reached;

    qemu.type_register_static(&type);
    if (!qemu.object_class_by_name(BUS_TYPE)) {
        return false;
    }
    bus = qemu.object_new(BUS_TYPE);
    checked = bus;
    qemu.resettable_reset(bus, 0);
    reached = checked == NULL;
    checked = NULL;
    qemu.object_unref(bus);
    return reached;
}

/*
 * Is new memory filled at once? So it is after mlockall(MCL_FUTURE), which is
 * what -overcommit mem-lock=on does; asking the kernel needs no QEMU variable.
 */
static bool
memory_is_locked(void)
{
    size_t size = sysconf(_SC_PAGESIZE);
    unsigned char resident = 0;
    void *page = mmap(NULL, size, PROT_READ | PROT_WRITE,
                      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    if (page == MAP_FAILED) {
        return false;
    }
    if (mincore(page, size, &resident) < 0) {
        resident = 0;
    }
    munmap(page, size);
    return resident & 1;
}

static Object *
hole_new(Object *obj, uint64_t size, Error **errp)
{
    g_autofree char *text = g_strdup_printf("%" PRIu64, size);

    /* prealloc before reserve: -mem-prealloc is no wish for this one */
    return qemu.object_new_with_props(
        "memory-backend-ram", obj, "cxl-tagged-hole", errp, "size", text,
        "prealloc", "off", "reserve", "off", "share", "off", "dump", "off",
        "merge", "off", NULL);
}

static uint64_t
floor_read(void *opaque G_GNUC_UNUSED, uint64_t addr G_GNUC_UNUSED,
           unsigned size G_GNUC_UNUSED)
{
    return 0;
}

static void
floor_write(void *opaque G_GNUC_UNUSED, uint64_t addr G_GNUC_UNUSED,
            uint64_t value G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
}

static struct region *
floor_new(MemoryRegion *hole, uint64_t size)
{
    static const struct region_ops ops = {
        .read = floor_read,
        .write = floor_write,
        .endianness = REGION_LITTLE_ENDIAN,
        .valid = { .min = 1, .max = 8 },
        .impl = { .min = 1, .max = 8 },
    };
    struct region *floor = region_new_io(&ops, NULL, "cxl-tagged-floor", size);

    region_show(floor, hole, 0, 0);
    return floor;
}

/*
 * QEMU finds these too, but only when the device has an address space, which it
 * then leaves behind, and crashes on when memory changes the next time.
 */
static bool
check_layout(uint64_t total, Error **errp)
{
    if (!asked.regions) {
        return true;
    }
    if (total % (asked.regions * GRANULE)) {
        fail(errp,
             "0x%" PRIx64 " bytes of dynamic capacity are not %" PRIu64
             " regions of equal size, each a multiple of 256 MiB",
             total, asked.regions);
        return false;
    }
    if (asked.before % GRANULE) {
        fail(errp,
             "the other memory of the device, before its dynamic capacity, is "
             "0x%" PRIx64 " bytes, and not a multiple of 256 MiB",
             asked.before);
        return false;
    }
    return true;
}

static bool
total_check(Object *obj, const char *name, uint64_t total, Error **errp)
{
    if (qemu.object_property_get_bool(obj, "realized", NULL)) {
        fail(errp, "'%s' cannot be set once the device is realized", name);
        return false;
    }
    if (device_find(obj)) {
        fail(errp, "'%s' can be set only once", name);
        return false;
    }
    if (qemu.object_property_get_link(obj, "volatile-dc-memdev", NULL)) {
        fail(errp, "'%s' and 'volatile-dc-memdev' exclude each other", name);
        return false;
    }
    if (memory_is_locked()) {
        fail(errp,
             "'%s' cannot be combined with -overcommit mem-lock=on, under "
             "which all of it would "
             "be allocated at once",
             name);
        return false;
    }
    return check_layout(total, errp);
}

static void
total_set(Object *obj, Visitor *visitor, const char *name,
          void *opaque G_GNUC_UNUSED, Error **errp)
{
    uint64_t total;
    Object *hole;
    struct device *dev;

    /* 0 is the default, which QEMU sets on each new object */
    if (!qemu.visit_type_size(visitor, name, &total, errp) || !total ||
        !total_check(obj, name, total, errp)) {
        return;
    }
    hole = hole_new(obj, total, errp);
    if (!hole) {
        return;
    }
    if (!qemu.object_property_set_link(obj, "volatile-dc-memdev", hole, errp)) {
        qemu.object_unparent(hole);
        return;
    }
    dev = g_new0(struct device, 1);
    dev->obj = obj;
    dev->hole = qemu.object_ref(hole);
    dev->floor = floor_new(device_memory(dev), total);
    dev->total = total;
    dev->direct = true;
    dev->answer = -1;
    dev->next = devices;
    devices = dev;
    dev->bus = qemu.qbus_new(BUS_TYPE, obj, "cxl-tagged");
}

static void
total_get(Object *obj, Visitor *visitor, const char *name,
          void *opaque G_GNUC_UNUSED, Error **errp)
{
    struct device *dev = device_find(obj);
    uint64_t total = dev ? dev->total : 0;

    qemu.visit_type_size(visitor, name, &total, errp);
}

/* x-direct-alias: off takes the direct aliases away, to measure or to debug. */
static void
direct_set(Object *obj, Visitor *visitor, const char *name,
           void *opaque G_GNUC_UNUSED, Error **errp)
{
    struct device *dev = device_find(obj);
    bool value;

    if (!qemu.visit_type_bool(visitor, name, &value, errp)) {
        return;
    }
    if (dev) {
        dev->direct = value;
        alias_refresh(dev);
    }
}

static void
direct_get(Object *obj, Visitor *visitor, const char *name,
           void *opaque G_GNUC_UNUSED, Error **errp)
{
    struct device *dev = device_find(obj);
    bool value = dev && dev->direct;

    qemu.visit_type_bool(visitor, name, &value, errp);
}

/* The size of the memory backend that an option names, or 0. */
static uint64_t
backend_size(const QDict *options, const char *name)
{
    const char *path = qemu.qdict_get_try_str(options, name);
    Object *backend = NULL;

    if (path) {
        backend = qemu.object_resolve_path_type(path, "memory-backend", NULL);
    }
    return backend ? qemu.memory_region_size(
                         qemu.host_memory_backend_get_memory(backend))
                   : 0;
}

static void
read_asked(const QDict *options)
{
    const char *text = qemu.qdict_get_try_str(options, "num-dc-regions");
    unsigned i;

    memset(&asked, 0, sizeof(asked));
    if (text) { /* from the command line */
        asked.regions = g_ascii_strtoull(text, NULL, 0);
    } else {
        qdict_number(options, "num-dc-regions", &asked.regions);
    }
    for (i = 0; i < G_N_ELEMENTS(memory_before); i++) {
        asked.before += backend_size(options, memory_before[i]);
    }
}

/*
 * Before a device is made, whether by -device or by device_add: what QEMU would
 * take and then crash on, or take in either order of the options.
 */
static bool
creating(struct device_listener *listener G_GNUC_UNUSED, const QDict *options,
         bool from_json G_GNUC_UNUSED, Error **errp)
{
    const char *driver = qemu.qdict_get_try_str(options, "driver");

    if (g_strcmp0(driver, "cxl-type3")) {
        return false;
    }
    read_asked(options);
    if (asked.regions > MAX_REGIONS) {
        fail(errp, "num-dc-regions is %" PRIu64 ", and can be at most %d",
             asked.regions, MAX_REGIONS);
    } else if (!qemu.qdict_haskey(options, "volatile-dc-memdev")) {
        return false; /* dc-regions-total-size has its own check */
    } else if (qemu.qdict_haskey(options, "dc-regions-total-size")) {
        fail(errp, "'dc-regions-total-size' and 'volatile-dc-memdev' exclude "
                   "each other");
    } else {
        check_layout(backend_size(options, "volatile-dc-memdev"), errp);
    }
    return false; /* not hidden: made, or refused */
}

/* device_install: give cxl-type3 the properties, and watch their use. */
void
device_install(ObjectClass *type3)
{
    static struct device_listener listener = { .creating = creating };
    void *property;

    property =
        qemu.object_class_property_add(type3, "dc-regions-total-size", "size",
                                       total_get, total_set, NULL, NULL);
    qemu.object_property_set_default_uint(property, 0);
    qemu.object_class_property_set_description(
        type3, "dc-regions-total-size",
        "size of the dynamic capacity, backed by tagged memory as it is added");
    qemu.object_class_property_add(type3, "x-direct-alias", "bool", direct_get,
                                   direct_set, NULL, NULL);
    qemu.object_class_property_set_description(
        type3, "x-direct-alias",
        "map accepted extents directly where the decoders allow it");
    qemu.device_listener_register(&listener);
}
