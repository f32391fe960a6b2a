/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * extent.c: the extents of a device, and the one place where they change state
 *
 * What state an extent is in is QEMU's to say; here it is only followed, after
 * each command that can change it. Accepted is a function that QEMU exports;
 * pending is read from the error of a request that always fails (stock_says).
 */
#include "cxl-tagged.h"

/* No extents travel with a migration: say so, instead of losing them. */
static bool
migration_block(struct device *dev, Error **errp)
{
    if (dev->extents) {
        return true;
    }
    fail(&dev->blocker, "tagged dynamic capacity of a CXL device cannot be "
                        "migrated or saved: release it first");
    return qemu.migrate_add_blocker(&dev->blocker, errp) >= 0;
}

static void
migration_unblock(struct device *dev)
{
    if (!dev->extents && dev->blocker) {
        qemu.migrate_del_blocker(&dev->blocker);
        dev->blocker = NULL;
    }
}

/*
 * extent_new: an extent as @like, offered from now on
 *
 * Its backend is marked in use and cannot be deleted. Returns NULL, with @errp
 * set, if QEMU cannot promise not to migrate meanwhile.
 */
struct extent *
extent_new(struct device *dev, const struct extent *like, Error **errp)
{
    struct extent *extent, **tail;

    if (!migration_block(dev, errp)) {
        return NULL;
    }
    extent = g_new0(struct extent, 1);
    *extent = *like;
    extent->dev = dev;
    qemu.object_ref(extent->backend);
    qemu.host_memory_backend_set_mapped(extent->backend, true);
    for (tail = &dev->extents; *tail; tail = &(*tail)->next) {
        continue;
    }
    *tail = extent;
    return extent;
}

/* extent_free: no alias, no mapping, no reference stays. */
void
extent_free(struct extent *extent)
{
    struct device *dev = extent->dev;
    struct extent **p;

    region_free(extent->direct);
    region_free(extent->mapping);
    qemu.host_memory_backend_set_mapped(extent->backend, false);
    qemu.object_unref(extent->backend);
    for (p = &dev->extents; *p != extent; p = &(*p)->next) {
        continue;
    }
    *p = extent->next;
    g_free(extent);
    migration_unblock(dev);
}

struct extent *
extent_by_tag(struct device *dev, const uint8_t *uuid)
{
    struct extent *extent;

    for (extent = dev->extents; extent; extent = extent->next) {
        if (!memcmp(extent->uuid, uuid, sizeof(extent->uuid))) {
            break;
        }
    }
    return extent;
}

/* extent_at: the extent that is exactly this range, or NULL. */
struct extent *
extent_at(struct device *dev, uint64_t dpa, uint64_t len)
{
    struct extent *extent;

    for (extent = dev->extents; extent; extent = extent->next) {
        if (extent->dpa == dpa && extent->len == len) {
            break;
        }
    }
    return extent;
}

/* extent_overlapping: whether any extent has a byte of this range. */
bool
extent_overlapping(struct device *dev, uint64_t dpa, uint64_t len)
{
    struct extent *extent;

    for (extent = dev->extents; extent; extent = extent->next) {
        if (extent->dpa < dpa ? dpa - extent->dpa < extent->len
                              : extent->dpa - dpa < len) {
            return true;
        }
    }
    return false;
}

/* The guest has accepted: its accesses find the backend from now on. */
static void
extent_map(struct extent *extent)
{
    struct device *dev = extent->dev;

    extent->accepted = true;
    extent->mapping =
        region_new_alias(qemu.host_memory_backend_get_memory(extent->backend),
                         "cxl-tagged-extent", extent->len);
    region_show(extent->mapping, device_memory(dev),
                extent->dpa - device_dc_base(dev), 1);
    detail("%s: mapped at dpa 0x%" PRIx64, extent->tag, extent->dpa);
}

/* extents_reconcile: follow what the device now says of each extent. */
void
extents_reconcile(struct device *dev)
{
    struct extent *extent, *next;
    bool mapped = false;

    qemu.memory_region_transaction_begin();
    for (extent = dev->extents; extent; extent = next) {
        next = extent->next;
        if (qemu.ct3_test_region_block_backed(dev->obj, extent->dpa,
                                              extent->len)) {
            if (!extent->accepted) {
                extent_map(extent);
                mapped = true;
            }
        } else if (extent->accepted ||
                   !stock_says(dev, false, extent->region, extent->offset,
                               extent->len, "pending")) {
            detail("%s: %s", extent->tag,
                   extent->accepted ? "released" : "refused");
            extent_free(extent);
        }
    }
    qemu.memory_region_transaction_commit();
    if (mapped) {
        alias_extend(dev);
    }
}

/* stock_pending: whether anything at all is offered and not answered. */
bool
stock_pending(struct device *dev)
{
    unsigned i, n = device_regions(dev);

    for (i = 0; i < n; i++) {
        if (stock_says(dev, true, i, 0, dev->total / n, "pending")) {
            return true;
        }
    }
    return false;
}
