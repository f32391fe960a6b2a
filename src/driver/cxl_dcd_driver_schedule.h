/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_schedule.h: when each domain is looked at
 */

#ifndef CXL_DCD_DRIVER_SCHEDULE_H
#define CXL_DCD_DRIVER_SCHEDULE_H

#include <glib.h>
#include <stdbool.h>

/* What a look found, which determines when the next one is due. */
typedef enum {
    CXL_DCD_DRIVER_NEED_NONE,    /* nothing to follow: look only when poked */
    CXL_DCD_DRIVER_NEED_HELD,    /* something that may change unasked: look now and then */
    CXL_DCD_DRIVER_NEED_PASSING, /* something about to change: look soon, then less often */
    CXL_DCD_DRIVER_NEED_RETRY,   /* the look failed: as PASSING, slowing down to as HELD */
} cxlDcdDriverNeed;

/**
 * cxlDcdDriverLookFunc:
 * @key: the key to look at; no other thread looks at it at the same time
 * @changed: set to true if something has changed since the last look
 * @opaque: the caller's
 */
typedef cxlDcdDriverNeed (*cxlDcdDriverLookFunc)(const char *key, bool *changed, void *opaque);

/* Times in microseconds. */
typedef struct {
    gint64 first;         /* from a poke or a change to the next look */
    gint64 last;          /* what that doubles up to while something is passing */
    gint64 held;          /* between two looks while something is held */
    gint64 slow;          /* a look that takes longer does not keep others waiting */
    unsigned int workers; /* how many looks that are not slow may run at a time */
} cxlDcdDriverPauses;

typedef struct _cxlDcdDriverSchedule cxlDcdDriverSchedule;

cxlDcdDriverSchedule *
cxlDcdDriverScheduleNew(const cxlDcdDriverPauses *pauses, cxlDcdDriverLookFunc look, void *opaque);
void cxlDcdDriverScheduleFree(cxlDcdDriverSchedule *schedule);
void cxlDcdDriverScheduleRun(cxlDcdDriverSchedule *schedule);
void cxlDcdDriverSchedulePoke(cxlDcdDriverSchedule *schedule, const char *key);
void cxlDcdDriverScheduleForget(cxlDcdDriverSchedule *schedule, const char *key);
void cxlDcdDriverScheduleStop(cxlDcdDriverSchedule *schedule);
bool cxlDcdDriverScheduleDrain(cxlDcdDriverSchedule *schedule, gint64 timeout);

#endif /* CXL_DCD_DRIVER_SCHEDULE_H */
