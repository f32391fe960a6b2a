/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-event.h: libvirt's events about the capacities of domains
 */

#ifndef VSH_CXL_EVENT_H
#define VSH_CXL_EVENT_H

#include "vsh-cxl.h"

typedef enum {
    VSH_CXL_EVENT_RECORD,      /* the record of a capacity was written or dropped */
    VSH_CXL_EVENT_STOPPED,     /* a domain stopped, and its records with it */
    VSH_CXL_EVENT_TIMEOUT,     /* the timeout expired */
    VSH_CXL_EVENT_INTERRUPTED, /* Ctrl-C */
    VSH_CXL_EVENT_CLOSED,      /* the connection to the daemon was lost */
} vshCxlEventType;

typedef struct {
    vshCxlEventType type;
    virDomainPtr domain; /* for RECORD and STOPPED, otherwise NULL */
    char *tag;           /* for RECORD, otherwise NULL */
} vshCxlEvent;

void vshCxlEventFree(vshCxlEvent *event);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(vshCxlEvent, vshCxlEventFree)

typedef struct _vshCxlEvents vshCxlEvents;

int vshCxlEventsConnect(vshCxlControl *ctl);
vshCxlEvents *vshCxlEventsNew(vshCxlControl *ctl, virDomainPtr domain);
void vshCxlEventsFree(vshCxlEvents *events);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(vshCxlEvents, vshCxlEventsFree)

vshCxlEvent *vshCxlEventsWait(vshCxlEvents *events, gint64 end);

#endif /* VSH_CXL_EVENT_H */
