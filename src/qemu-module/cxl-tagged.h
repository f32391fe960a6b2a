/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cxl-tagged.h: what the files of the module share; main.c tells the theory */
#pragma once

#include "qemu-abi.h"
#include "region.h"

#define EVENT_LOG_RECORDS 8 /* what QEMU's device log holds */
#define EVENT_LOG_MAX 15    /* what one answer of its mailbox holds */
#define MAX_REGIONS 8

struct extent;

/* A record of ours that QEMU has put into the device's event log. */
struct event {
    uint16_t handle;
    uint8_t tag[16];
};

/* A cxl-type3 that was given 'dc-regions-total-size'. */
struct device {
    struct device *next;
    Object *obj;                    /* the device; not a reference */
    Object *hole;                   /* its own backend: address space only */
    struct region *floor;           /* over the hole: nobody falls in */
    Object *bus;                    /* sees its resets and its end */
    uint64_t total;                 /* bytes, over all its regions */
    bool direct;                    /* x-direct-alias */
    MemoryRegion *mailbox;          /* QEMU's own */
    struct region *mailbox_overlay; /* NULL until the first reset */
    int answer;                     /* in place of QEMU's return code, or -1 */
    GPtrArray *path;                /* struct watch; NULL: not watched */
    struct region *probe;
    struct event events[EVENT_LOG_RECORDS];
    unsigned nevents;
    struct extent *extents; /* in the order of the offers */
    Error *blocker;         /* no migration while there are some */
};

/* One extent: one backend, from the offer to the release. */
struct extent {
    struct extent *next;
    struct device *dev;
    Object *backend; /* a reference, and marked in use */
    uint8_t uuid[16];
    char tag[37]; /* as in QMP, lower case */
    unsigned region;
    uint64_t offset; /* in the region */
    uint64_t dpa;
    uint64_t len;
    bool accepted;          /* by the guest */
    struct region *mapping; /* in the device's address space */
    struct region *direct;  /* in system memory, or NULL */
    uint64_t hpa;           /* where `direct` is */
    uint64_t place;         /* alias.c: where it is to be */
};

/* tags.c */
void tags_install(ObjectClass *backend);
bool tag_parse(const char *text, uint8_t *uuid);
char *tag_text(const uint8_t *uuid);
Object *tag_find(const uint8_t *uuid);
bool tag_check(const char *text, const Object *mine, uint8_t *uuid,
               Error **errp);

/* device.c */
bool device_check_reset(void);
void device_install(ObjectClass *type3);
struct device *device_find(const Object *obj);
struct device *device_next(struct device *dev);
bool device_ready(struct device *dev, Error **errp);
MemoryRegion *device_memory(struct device *dev);
uint64_t device_dc_base(struct device *dev);
unsigned device_regions(struct device *dev);

/* extent.c */
struct extent *extent_new(struct device *dev, const struct extent *like,
                          Error **errp);
void extent_free(struct extent *extent);
struct extent *extent_by_tag(struct device *dev, const uint8_t *uuid);
struct extent *extent_at(struct device *dev, uint64_t dpa, uint64_t len);
bool extent_overlapping(struct device *dev, uint64_t dpa, uint64_t len);
void extents_reconcile(struct device *dev);
bool stock_pending(struct device *dev);

/* events.c */
bool events_room(struct device *dev, Error **errp);
void events_add(struct device *dev, const struct extent *extent);
const uint8_t *events_tag(struct device *dev, uint16_t handle);

/* mailbox.c */
bool mailbox_attach(struct device *dev);
int mailbox_events(struct device *dev, uint16_t handles[EVENT_LOG_MAX]);

/* alias.c */
void alias_watch(struct device *dev);
void alias_unwatch(struct device *dev);
void alias_drop(struct device *dev);
void alias_refresh(struct device *dev);
void alias_extend(struct device *dev);

/* qmp.c */
bool qmp_check_commands(void);
void qmp_install(void);
bool stock_says(struct device *dev, bool release, unsigned region,
                uint64_t offset, uint64_t len, const char *word);

/* schema.c */
bool schema_check(void);
void schema_install(void);
