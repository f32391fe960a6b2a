/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * alias.c: the direct alias, which makes an extent ordinary RAM for the CPU
 *
 * QEMU serves a fixed memory window by trapping each access. Where the window,
 * the host bridge, the switch and the device send a whole extent to one device
 * in order, its backend can stand in system memory itself, over the window.
 *
 * Where that may be, the decoders say: at each component on the way one has the
 * extent whole, and does not interleave. Whether QEMU really goes that way is
 * not reasoned about but tried: for a moment a region that answers with its own
 * offset lies over the dynamic capacity, and is read through the window's own
 * region. That happens under QEMU's big lock, which a CPU would need for the
 * same access, so none sees it. The decoders come first as QEMU itself fails an
 * assertion on an access by way of one that interleaves in more than 8 ways.
 *
 * Every write to the decoders of any component between the device and its host
 * bridge puts all this to the test again; a reset takes the alias away. An alias
 * that passes stays where it is, without a gap: a CPU under KVM cannot run code
 * from what is trapped, not even for a moment.
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
    bool routes; /* its decoders choose the port below */
    unsigned users;
};

/* An HDM decoder, as its registers say. */
struct decoder {
    uint64_t base; /* in host physical memory */
    uint64_t size;
    uint64_t skip; /* device addresses before it */
    bool whole;    /* committed, and does not interleave */
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
 * Fill @decoders from the registers of a component. Returns how many it has, or
 * -1 if that is not known.
 */
static int
decoders_read(MemoryRegion *registers, struct decoder decoders[HDM_MAX])
{
    static const int counts[] = { 1, 2, 4, 6, 8, 10 };
    uint32_t hdm = hdm_offset(registers);
    unsigned count = hdm ? region_read(registers, hdm, 4) & 0xf : 0;
    int i;

    if (!hdm) {
        return 0;
    }
    if (count >= G_N_ELEMENTS(counts)) {
        return -1;
    }
    for (i = 0; i < counts[count]; i++) {
        uint32_t at = hdm + HDM_DECODER + i * HDM_DECODER_BYTES;
        uint32_t control = region_read(registers, at + HDM_CONTROL, 4);

        decoders[i].base = hdm_address(registers, at + HDM_BASE);
        decoders[i].size = hdm_address(registers, at + HDM_SIZE);
        decoders[i].skip = hdm_address(registers, at + HDM_SKIP);
        decoders[i].whole = (control & HDM_COMMITTED) && !HDM_WAYS(control);
    }
    return i;
}

/*
 * Where in host physical memory the device's decoders put @extent. Returns
 * false if no committed one has it whole, or it is interleaved.
 */
static bool
decoded_at(struct extent *extent, uint64_t *hpa)
{
    MemoryRegion *registers = region_child(extent->dev->obj, ".cache_mem[0]");
    struct decoder decoders[HDM_MAX];
    int i, n = registers ? decoders_read(registers, decoders) : 0;
    uint64_t dpa = 0;

    for (i = 0; i < n && decoders[i].whole; i++) {
        dpa += decoders[i].skip;
        if (extent->dpa >= dpa && extent->dpa - dpa < decoders[i].size &&
            extent->len <= decoders[i].size - (extent->dpa - dpa)) {
            *hpa = decoders[i].base + (extent->dpa - dpa);
            return true;
        }
        dpa += decoders[i].size;
    }
    return false;
}

/*
 * Does a host bridge or a switch send all of [@hpa, @hpa + @len) through one
 * port? The first decoder that has a byte of it must have it whole. One that
 * has no decoders has one port only.
 */
static bool
sent_whole(const struct watch *watch, uint64_t hpa, uint64_t len)
{
    struct decoder decoders[HDM_MAX];
    int i, n = decoders_read(watch->registers, decoders);

    for (i = 0; i < n; i++) {
        uint64_t base = decoders[i].base;
        uint64_t size = decoders[i].size;

        if (base > UINT64_MAX - size || hpa >= base + size ||
            base >= hpa + len) {
            continue;
        }
        return decoders[i].whole && base <= hpa && hpa + len <= base + size;
    }
    return n == 0;
}

#define NOWHERE UINT64_MAX
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
    uint64_t size;
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
    window->size = size;
    return 1;
}

/* Make @window the one that has [@hpa, @hpa + @len), if there is one. */
static bool
window_find(struct window *window, uint64_t hpa, uint64_t len)
{
    if (!window->region || hpa < window->base ||
        hpa - window->base >= window->size) {
        window->hpa = hpa;
        window->region = NULL;
        qemu.object_child_foreach_recursive(
            qemu.object_resolve_path("/machine", NULL), match_window, window);
    }
    return window->region && len <= window->size - (hpa - window->base);
}

static bool
probe_at(const struct window *window, uint64_t hpa, uint64_t expected)
{
    uint64_t value = 0;
    int failed = qemu.memory_region_dispatch_read(
        window->region, hpa - window->base, &value, 3, 0);

    return !failed && value == (PROBE ^ expected);
}

/*
 * Does QEMU send @extent's place in the window to @extent, in order? Four places
 * for each power of two from the smallest interleave granularity on, and the
 * end. The probe is shown.
 */
static bool
routed(struct extent *extent, const struct window *window, uint64_t hpa)
{
    uint64_t offset = extent->dpa - device_dc_base(extent->dev);
    uint64_t step, at;
    bool good;

    good = probe_at(window, hpa + extent->len - 8, offset + extent->len - 8);
    for (step = 256; good && step < extent->len; step *= 2) {
        for (at = 0; good && at < extent->len && at < 4 * step; at += step) {
            good = probe_at(window, hpa + at, offset + at);
        }
    }
    return good;
}

/* Where an alias of @extent may stand, as all decoders say, or NOWHERE. */
static uint64_t
place_of(struct extent *extent, struct window *window)
{
    struct device *dev = extent->dev;
    uint64_t hpa;
    unsigned i;

    if (!dev->direct || !dev->path || !extent->mapping ||
        !decoded_at(extent, &hpa) || !window_find(window, hpa, extent->len)) {
        return NOWHERE;
    }
    for (i = 0; i < dev->path->len; i++) {
        const struct watch *watch = g_ptr_array_index(dev->path, i);

        if (watch->routes && !sent_whole(watch, hpa, extent->len)) {
            return NOWHERE;
        }
    }
    return hpa;
}

static void
probe_show(struct device *dev)
{
    static const struct region_ops ops = {
        .read = probe_read,
        .write = probe_write,
        .endianness = REGION_LITTLE_ENDIAN,
        .valid = { .min = 8, .max = 8 },
        .impl = { .min = 8, .max = 8 },
    };

    if (!dev->probe) {
        dev->probe = region_new_io(&ops, NULL, "cxl-tagged-probe", dev->total);
    }
    region_show(dev->probe, device_memory(dev), 0, 2);
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

static void
direct(struct extent *extent, uint64_t hpa)
{
    extent->hpa = hpa;
    extent->direct =
        region_new_alias(qemu.host_memory_backend_get_memory(extent->backend),
                         "cxl-tagged-direct", extent->len);
    region_show(extent->direct, qemu.get_system_memory(), hpa, 1);
    detail("%s: direct at hpa 0x%" PRIx64, extent->tag, hpa);
}

/* alias_drop: take away all direct aliases of @dev. */
void
alias_drop(struct device *dev)
{
    struct extent *extent;

    qemu.memory_region_transaction_begin();
    for (extent = dev->extents; extent; extent = extent->next) {
        undirect(extent);
    }
    qemu.memory_region_transaction_commit();
}

/* Fill in @extent->place. Returns whether there is one to be probed. */
static bool
find_places(struct device *dev, bool all, struct window *window)
{
    struct extent *extent;
    bool some = false;

    for (extent = dev->extents; extent; extent = extent->next) {
        if (extent->direct && !all) {
            extent->place = extent->hpa;
            continue;
        }
        extent->place = place_of(extent, window);
        some |= extent->place != NOWHERE;
    }
    return some;
}

static void
probe_places(struct device *dev, bool all, struct window *window)
{
    struct extent *extent;

    for (extent = dev->extents; extent; extent = extent->next) {
        if (extent->place != NOWHERE && (all || !extent->direct) &&
            !(window_find(window, extent->place, extent->len) &&
              routed(extent, window, extent->place))) {
            extent->place = NOWHERE;
        }
    }
}

/*
 * Have the direct aliases that are right now, and no other. As each change of
 * memory costs QEMU time for all of it, there are two, however many extents.
 */
static void
refresh(struct device *dev, bool all)
{
    struct window window = { .region = NULL };
    bool some = find_places(dev, all, &window);
    struct extent *extent;

    if (some) {
        probe_show(dev);
        probe_places(dev, all, &window);
    }
    qemu.memory_region_transaction_begin();
    if (some) {
        region_hide(dev->probe);
    }
    for (extent = dev->extents; extent; extent = extent->next) {
        if (extent->direct && extent->place != extent->hpa) {
            undirect(extent);
        }
    }
    for (extent = dev->extents; extent; extent = extent->next) {
        if (!extent->direct && extent->place != NOWHERE) {
            direct(extent, extent->place);
        }
    }
    qemu.memory_region_transaction_commit();
}

/* alias_refresh: put all to the test: a decoder has changed. */
void
alias_refresh(struct device *dev)
{
    refresh(dev, true);
}

/* alias_extend: the same for extents that have none: some are new. */
void
alias_extend(struct device *dev)
{
    refresh(dev, false);
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
watch_get(Object *obj, MemoryRegion *registers)
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
    watch->routes = qemu.object_dynamic_cast(obj, "pxb-cxl-host") ||
                    qemu.object_dynamic_cast(obj, "cxl-upstream");
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
        struct watch *watch = registers ? watch_get(obj, registers) : NULL;

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
