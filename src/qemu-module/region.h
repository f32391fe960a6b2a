/* SPDX-License-Identifier: GPL-2.0-or-later */
/* region.h: memory regions of the module's own; see region.c */
#pragma once

#include "qemu-abi.h"

struct region;

struct region *region_new_io(const struct region_ops *ops, void *opaque,
                             const char *name, uint64_t size);
struct region *region_new_alias(MemoryRegion *target, const char *name,
                                uint64_t size);
void region_show(struct region *region, MemoryRegion *container,
                 uint64_t offset, int priority);
void region_hide(struct region *region);
void region_free(struct region *region);

struct region *region_overlay(MemoryRegion *below, const struct region_ops *ops,
                              void *opaque, const char *name);
MemoryRegion *region_child(Object *object, const char *name);
uint64_t region_read(MemoryRegion *region, uint64_t offset, unsigned size);
void region_write(MemoryRegion *region, uint64_t offset, uint64_t value,
                  unsigned size);
