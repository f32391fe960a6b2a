/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alias.c: the direct alias, which makes an extent ordinary RAM for the CPU
 *
 * QEMU serves a fixed memory window by trapping each access. Where the window,
 * the host bridge, the switch and the device send a whole extent to one device
 * in order, its backend can stand in system memory itself.
 *
 * Where that may be, the device's own decoder says; whether QEMU really goes
 * that way is not reasoned about but tried: for a moment a region that answers
 * with its own offset lies over the dynamic capacity, and is read through
 * system memory. That happens under QEMU's big lock, which a CPU would need for
 * the same access, so none sees it.
 *
 * Every write to the decoders of any component between the device and its host
 * bridge puts all this to the test again; a reset takes the alias away. An alias
 * that passes stays where it is, without a gap: a CPU under KVM cannot run code
 * from what is trapped, not even for a moment. Behind it the way is tried through
 * the window's own region.
 */
#include "cxl-tagged.h"

/* CXL 3.1, 8.2.4: the component registers; 8.2.4.20: HDM decoders */
#define CAP_HDM 5
#define HDM_DECODER 0x10
#define HDM_DECODER_BYTES 0x20
#define HDM_MAX 32
#define HDM_BASE 0x00
#define HDM_SIZE 0x08
#define HDM_CONTROL 0x10
#define HDM_SKIP 0x14
#define HDM_WAYS(control) ((control) >> 4 & 0xf)
#define HDM_COMMITTED (1u << 10)

/* The component registers of a device on the way; shared by those below it. */
struct watch {
    struct watch *next;
    MemoryRegion *registers;
    struct region *overlay;
    unsigned users;
};

static struct watch *watches;

/* Offset of the HDM decoder capability in component registers, or 0. */
static uint32_t
hdm_offset(MemoryRegion *registers)
{
    unsigned i, n = region_read(registers, 0, 4) >> 24;

    for (i = 1; i <= n; i++) {
        uint32_t header = region_read(registers, 4 * i, 4);

        if ((header & 0xffff) == CAP_HDM) {
            return header >> 20;
        }
    }
    return 0;
}

static uint64_t
hdm_address(MemoryRegion *registers, uint32_t low)
{
    return region_read(registers, low + 4, 4) << 32 |
           (region_read(registers, low, 4) & 0xf0000000);
}

/*
 * Where in host physical memory the device's decoders put @extent. Returns
 * false if no committed one has it whole, or it is interleaved.
 */
static bool
decoded_at(struct extent *extent, uint64_t *hpa)
{
    static const unsigned counts[] = { 1, 2, 4, 6, 8, 10 };
    MemoryRegion *registers = region_child(extent->dev->obj, ".cache_mem[0]");
    uint32_t hdm = registers ? hdm_offset(registers) : 0;
    unsigned i, count = hdm ? region_read(registers, hdm, 4) & 0xf : 0;
    uint64_t dpa = 0;

    if (!hdm || count >= G_N_ELEMENTS(counts)) {
        return false;
    }
    for (i = 0; i < counts[count]; i++) {
        uint32_t at = hdm + HDM_DECODER + i * HDM_DECODER_BYTES;
        uint32_t control = region_read(registers, at + HDM_CONTROL, 4);
        uint64_t size = hdm_address(registers, at + HDM_SIZE);

        if (!(control & HDM_COMMITTED) || HDM_WAYS(control)) {
            return false;
        }
        dpa += hdm_address(registers, at + HDM_SKIP);
        if (extent->dpa >= dpa && extent->dpa - dpa < size &&
            extent->len <= size - (extent->dpa - dpa)) {
            *hpa = hdm_address(registers, at + HDM_BASE) + (extent->dpa - dpa);
            return true;
        }
        dpa += size;
    }
    return false;
}

#define PROBE 0x5ca1ab1edeadbeefULL

static uint64_t
probe_read(void *opaque G_GNUC_UNUSED, uint64_t addr,
           unsigned size G_GNUC_UNUSED)
{
    return PROBE ^ addr;
}

static void
probe_write(void *opaque G_GNUC_UNUSED, uint64_t addr G_GNUC_UNUSED,
            uint64_t value G_GNUC_UNUSED, unsigned size G_GNUC_UNUSED)
{
}

/* A fixed memory window, by its region and where that stands. */
struct window {
    uint64_t hpa;         /* wanted in it */
    MemoryRegion *region; /* NULL: none found */
    uint64_t base;
};

static int
match_window(Object *object, void *opaque)
{
    struct window *window = opaque;
    const char *name = qemu.object_get_canonical_path_component(object);
    uint64_t base, size;

    if (!name || !g_str_has_prefix(name, "cxl-fixed-memory-region") ||
        !qemu.object_dynamic_cast(object, "memory-region")) {
        return 0;
    }
    base = qemu.object_property_get_uint(object, "addr", NULL);
    size = qemu.memory_region_size((MemoryRegion *)object);
    if (window->hpa < base || window->hpa - base >= size) {
        return 0;
    }
    window->region = (MemoryRegion *)object;
    window->base = base;
    return 1;
}

/* Read at @hpa, as a CPU does, or behind an alias: through @window. */
static bool
probe_at(const struct window *window, uint64_t hpa, uint64_t expected)
{
    uint64_t value = 0;
    int failed;

    if (window->region) {
        failed = qemu.memory_region_dispatch_read(
            window->region, hpa - window->base, &value, 3, 0);
    } else {
        failed = qemu.address_space_rw(qemu.address_space_memory, hpa, 0,
                                       &value, sizeof(value), false);
    }
    return !failed && value == (PROBE ^ expected);
}

/*
 * Does QEMU send [@hpa, @hpa + length) to @extent, in order? Four places for
 * each power of two from the smallest interleave granularity on, and the end.
 */
static bool
routed(struct extent *extent, uint64_t hpa)
{
    static const struct region_ops ops = {
        .read = probe_read,
        .write = probe_write,
        .endianness = REGION_LITTLE_ENDIAN,
        .valid = { .min = 8, .max = 8 },
        .impl = { .min = 8, .max = 8 },
    };
    struct device *dev = extent->dev;
    struct window window = { .hpa = hpa };
    uint64_t offset = extent->dpa - device_dc_base(dev);
    uint64_t step, at;
    bool good;

    if (extent->direct && !qemu.object_child_foreach_recursive(
                              qemu.object_resolve_path("/machine", NULL),
                              match_window, &window)) {
        return false;
    }
    if (!dev->probe) {
        dev->probe = region_new_io(&ops, NULL, "cxl-tagged-probe", dev->total);
    }
    region_show(dev->probe, device_memory(dev), 0, 2);
    good = probe_at(&window, hpa + extent->len - 8, offset + extent->len - 8);
    for (step = 256; good && step < extent->len; step *= 2) {
        for (at = 0; good && at < extent->len && at < 4 * step; at += step) {
            good = probe_at(&window, hpa + at, offset + at);
        }
    }
    region_hide(dev->probe);
    return good;
}

static void
undirect(struct extent *extent)
{
    if (extent->direct) {
        detail("%s: no longer direct at hpa 0x%" PRIx64, extent->tag,
               extent->hpa);
        region_free(extent->direct);
        extent->direct = NULL;
    }
}

/* alias_drop: take away all direct aliases of @dev. */
void
alias_drop(struct device *dev)
{
    struct extent *extent;

    for (extent = dev->extents; extent; extent = extent->next) {
        undirect(extent);
    }
}

/* The alias of one extent: kept, taken away, or made, as is right now. */
static void
extent_refresh(struct extent *extent)
{
    struct device *dev = extent->dev;
    uint64_t hpa;
    bool wanted =
        dev->direct && dev->path && extent->mapping && decoded_at(extent, &hpa);

    if (extent->direct && wanted && hpa == extent->hpa && routed(extent, hpa)) {
        return;
    }
    undirect(extent);
    if (!wanted || !routed(extent, hpa)) {
        return;
    }
    extent->hpa = hpa;
    extent->direct =
        region_new_alias(qemu.host_memory_backend_get_memory(extent->backend),
                         "cxl-tagged-direct", extent->len);
    region_show(extent->direct, qemu.get_system_memory(), hpa, 1);
    detail("%s: direct at hpa 0x%" PRIx64, extent->tag, hpa);
}

/* alias_refresh: have the direct aliases that are right now, and no other. */
void
alias_refresh(struct device *dev)
{
    struct extent *extent;

    for (extent = dev->extents; extent; extent = extent->next) {
        extent_refresh(extent);
    }
}

static uint64_t
watch_read(void *opaque, uint64_t addr, unsigned size)
{
    struct watch *watch = opaque;

    return region_read(watch->registers, addr, size);
}

static void
watch_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    struct watch *watch = opaque;
    uint32_t hdm = hdm_offset(watch->registers);
    struct device *dev = NULL;

    region_write(watch->registers, addr, value, size);
    if (!hdm || addr < hdm ||
        addr >= hdm + HDM_DECODER + HDM_MAX * HDM_DECODER_BYTES) {
        return;
    }
    while ((dev = device_next(dev))) {
        if (dev->path && g_ptr_array_find(dev->path, watch, NULL)) {
            alias_refresh(dev);
        }
    }
}

static struct watch *
watch_get(MemoryRegion *registers)
{
    static const struct region_ops ops = {
        .read = watch_read,
        .write = watch_write,
        .endianness = REGION_LITTLE_ENDIAN,
        .valid = { .min = 4, .max = 8 },
        .impl = { .min = 4, .max = 8 },
    };
    struct watch *watch;

    for (watch = watches; watch; watch = watch->next) {
        if (watch->registers == registers) {
            watch->users++;
            return watch;
        }
    }
    watch = g_new0(struct watch, 1);
    watch->registers = registers;
    watch->users = 1;
    watch->overlay =
        region_overlay(registers, &ops, watch, "cxl-tagged-decoders");
    watch->next = watches;
    watches = watch;
    return watch;
}

static void
watch_put(void *data)
{
    struct watch *watch = data;
    struct watch **p;

    if (--watch->users) {
        return;
    }
    for (p = &watches; *p != watch; p = &(*p)->next) {
        continue;
    }
    *p = watch->next;
    region_free(watch->overlay);
    g_free(watch);
}

/* The device that has @obj's bus, or NULL at the top. */
static Object *
upstream(Object *obj)
{
    Object *bus = qemu.object_property_get_link(obj, "parent_bus", NULL);
    g_autofree char *path = NULL;
    char *slash;

    if (!bus) {
        return NULL;
    }
    path = qemu.object_get_canonical_path(bus);
    slash = path ? strrchr(path, '/') : NULL;
    if (!slash) {
        return NULL;
    }
    *slash = '\0'; /* a bus is a child of its device */
    return qemu.object_resolve_path(path, NULL);
}

/*
 * alias_watch: see every change of a decoder between @dev and its host bridge.
 *
 * Where one would not be seen, @dev has no path, and gets no direct alias.
 */
void
alias_watch(struct device *dev)
{
    Object *obj;
    bool bridge = false, good = true;

    dev->path = g_ptr_array_new_with_free_func(watch_put);
    for (obj = dev->obj; obj && !bridge; obj = upstream(obj)) {
        MemoryRegion *registers = region_child(obj, ".cache_mem[0]");
        struct watch *watch = registers ? watch_get(registers) : NULL;

        if (watch) {
            g_ptr_array_add(dev->path, watch);
        }
        good = good && watch && watch->overlay;
        bridge = qemu.object_dynamic_cast(obj, "pxb-cxl-host") != NULL;
    }
    if (!bridge || !good) {
        note("'%s' gets no direct aliases: the decoders above it cannot be "
             "watched",
             qemu.object_get_canonical_path_component(dev->obj));
        alias_unwatch(dev);
    }
}

void
alias_unwatch(struct device *dev)
{
    g_clear_pointer(&dev->path, g_ptr_array_unref);
}
