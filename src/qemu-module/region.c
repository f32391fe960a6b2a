/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * region.c: memory regions of the module's own, and how long they live
 *
 * QEMU's readers may still use a region after it is hidden: what holds it then
 * is a reference on the region's owner. So each region here has an owner of its
 * own, and the memory is given back once QEMU has finalized that owner, in the
 * next turn of the main loop, when nothing can touch it any more.
 */
#include "region.h"

struct region {
    MemoryRegion *mr;
    Object *owner;
    MemoryRegion *container; /* where it is shown, or NULL */
};

static gboolean
free_memory(void *memory)
{
    g_free(memory);
    return G_SOURCE_REMOVE;
}

static void
owner_gone(Object *owner G_GNUC_UNUSED, const char *name G_GNUC_UNUSED,
           void *memory)
{
    g_idle_add(free_memory, memory);
}

static struct region *
region_new(void)
{
    struct region *region = g_new0(struct region, 1);

    region->mr = g_malloc0(qemu_region_bytes());
    region->owner = qemu.object_new("container");
    qemu.object_property_add(region->owner, "cxl-tagged-memory", "memory", NULL,
                             NULL, owner_gone, region->mr);
    return region;
}

/* region_new_io: a region of @size bytes served by @ops, shown nowhere yet. */
struct region *
region_new_io(const struct region_ops *ops, void *opaque, const char *name,
              uint64_t size)
{
    struct region *region = region_new();

    qemu.memory_region_init_io(region->mr, region->owner, ops, opaque, name,
                               size);
    return region;
}

/* region_new_alias: the first @size bytes of @target, shown nowhere yet. */
struct region *
region_new_alias(MemoryRegion *target, const char *name, uint64_t size)
{
    struct region *region = region_new();

    qemu.memory_region_init_alias(region->mr, region->owner, name, target, 0,
                                  size);
    return region;
}

void
region_show(struct region *region, MemoryRegion *container, uint64_t offset,
            int priority)
{
    region->container = container;
    qemu.memory_region_add_subregion_overlap(container, offset, region->mr,
                                             priority);
}

void
region_hide(struct region *region)
{
    if (region->container) {
        qemu.memory_region_del_subregion(region->container, region->mr);
        region->container = NULL;
    }
}

/* region_free: hide @region, if not NULL, and give it back. */
void
region_free(struct region *region)
{
    if (region) {
        region_hide(region);
        qemu.object_unref(region->owner);
        g_free(region);
    }
}

/*
 * region_overlay: lay a region served by @ops exactly over @below, which then
 * only what @ops forwards still reaches. Returns NULL if it cannot be found
 * where @below is.
 */
struct region *
region_overlay(MemoryRegion *below, const struct region_ops *ops, void *opaque,
               const char *name)
{
    Object *container =
        qemu.object_property_get_link((Object *)below, "container", NULL);
    uint64_t offset =
        qemu.object_property_get_uint((Object *)below, "addr", NULL);
    struct region *region;

    if (!container) {
        return NULL;
    }
    region = region_new_io(ops, opaque, name, qemu.memory_region_size(below));
    region_show(region, (MemoryRegion *)container, offset, 1);
    return region;
}

/* region_child: the memory region @name of @object, or NULL. */
MemoryRegion *
region_child(Object *object, const char *name)
{
    Object *child = qemu.object_resolve_path_component(object, name);

    if (!child || !qemu.object_dynamic_cast(child, "memory-region")) {
        return NULL;
    }
    return (MemoryRegion *)child;
}

/* region_read: @size bytes (1, 2, 4, 8) of @region, past any overlay. */
uint64_t
region_read(MemoryRegion *region, uint64_t offset, unsigned size)
{
    uint64_t value = 0;

    qemu.memory_region_dispatch_read(region, offset, &value,
                                     __builtin_ctz(size), 0);
    return value;
}

void
region_write(MemoryRegion *region, uint64_t offset, uint64_t value,
             unsigned size)
{
    qemu.memory_region_dispatch_write(region, offset, value,
                                      __builtin_ctz(size), 0);
}
