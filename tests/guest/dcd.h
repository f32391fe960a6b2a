/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dcd.h: the dynamic capacity commands of a type 3 device
 */

#ifndef GUEST_DCD_H
#define GUEST_DCD_H

#include "cxl_device.h"

#define DCD_TAG_SIZE 16

typedef struct _DcdExtent DcdExtent;
struct _DcdExtent {
    guint64 dpa;
    guint64 size;             /* bytes */
    guint8 tag[DCD_TAG_SIZE]; /* in the order in which a UUID is written */
};

typedef enum {
    DCD_EVENT_ADD = 0,
    DCD_EVENT_RELEASE = 1,
    DCD_EVENT_FORCED_RELEASE = 2,
} DcdEventType;

typedef struct _DcdEvent DcdEvent;
struct _DcdEvent {
    guint16 handle;
    guint8 type;   /* DcdEventType, or another from the same table */
    gboolean more; /* the next record is of the same group */
    DcdExtent extent;
};

typedef struct _DcdLimits DcdLimits;
struct _DcdLimits {
    guint32 extentsSupported;
    guint32 extentsAvailable;
    guint32 tagsSupported;
    guint32 tagsAvailable;
};

int dcdReadRegions(CxlDevice *device, DcdLimits *limits, GError **error);
GArray *dcdReadExtents(CxlDevice *device, GError **error);
GArray *dcdReadEvents(CxlDevice *device, GError **error);
int dcdClearEvents(CxlDevice *device, const DcdEvent *events, guint count, GError **error);
int dcdRespond(CxlDevice *device, const DcdExtent *extents, guint count, GError **error);
int dcdRelease(CxlDevice *device, const DcdExtent *extents, guint count, GError **error);

const char *dcdEventName(guint8 type);
char *dcdFormatTag(const guint8 *tag);
int dcdParseTag(const char *text, guint8 *tag, GError **error);
void dcdFormatExtent(GString *text, const CxlDevice *device, const DcdExtent *extent);

#endif
