/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_schedule.c: when each domain is looked at
 *
 *        poke, forget                        looks, each in a thread of a pool
 *             |                                 ^              |
 *             v           due?                  |              | what it found
 *      [ key: due, pause ] ------ one thread ---'              |
 *             ^                   (Run)                        |
 *             `------------------------------------------------'
 *
 * A key is a domain, but nothing here knows more about it. One thread waits for the next key
 * that is due, and hands it to the pool. It sleeps until a key is due, or for ever if none is
 * going to be. Any thread may poke a key: that means that there is, or may be, something new
 * to see.
 *
 * Invariants:
 *   - A key is never looked at by two threads at once. A poke during a look causes another
 *     look after it, so that no poke is lost.
 *   - Only a limited number of looks run at a time, earliest due first. But a look that takes
 *     long (its QEMU hangs) no longer counts, so that however many hang, the others go on.
 *   - A key that is never due is not kept.
 *   - The lock is never held during a look.
 */

#include <config.h>

#include "cxl_dcd_driver_schedule.h"

#define CXL_DCD_DRIVER_NEVER G_MAXINT64

typedef struct {
    char *key;
    gint64 due;     /* when the next look is, on the monotonic clock, or never */
    gint64 pause;   /* how long the one after it waits if it finds no change */
    gint64 begun;   /* when the running look began */
    bool running;   /* a look runs */
    bool again;     /* another look must follow it, whatever it finds */
    bool forgotten; /* no look must follow it, whatever it finds */
} cxlDcdDriverEntry;

struct _cxlDcdDriverSchedule {
    cxlDcdDriverPauses pauses;
    cxlDcdDriverLookFunc look;
    void *opaque;
    GThreadPool *pool;

    GMutex lock; /* for all that follows */
    GCond wake;  /* some of it has changed */
    GHashTable *entries;
    unsigned int looks; /* number of running looks */
    bool stopping;
};

static void
cxlDcdDriverEntryFree(gpointer opaque)
{
    cxlDcdDriverEntry *entry = opaque;

    g_free(entry->key);
    g_free(entry);
}

/* ------------------------------------------------------------------- looks */

/* Decide from what a look found when @entry is due again. Returns false if it is to be removed. */
static bool
cxlDcdDriverEntrySettle(cxlDcdDriverEntry *entry,
                        const cxlDcdDriverPauses *pauses,
                        cxlDcdDriverNeed need,
                        bool changed)
{
    gint64 longest = need == CXL_DCD_DRIVER_NEED_RETRY ? pauses->held : pauses->last;
    gint64 now = g_get_monotonic_time();

    if (entry->forgotten || (need == CXL_DCD_DRIVER_NEED_NONE && !entry->again))
        return false;
    if (entry->again || changed)
        entry->pause = pauses->first;
    if (need == CXL_DCD_DRIVER_NEED_HELD && !entry->again) {
        entry->due = now + pauses->held;
        entry->pause = pauses->first;
    } else {
        entry->due = now + MIN(entry->pause, longest);
        entry->pause = MIN(entry->pause * 2, longest);
    }
    entry->again = false;
    return true;
}

/* Runs in a thread of the pool. */
static void
cxlDcdDriverScheduleLook(gpointer data, gpointer opaque)
{
    cxlDcdDriverEntry *entry = data;
    cxlDcdDriverSchedule *self = opaque;
    bool changed = false;
    cxlDcdDriverNeed need = self->look(entry->key, &changed, self->opaque);

    g_mutex_lock(&self->lock);
    entry->running = false;
    if (!cxlDcdDriverEntrySettle(entry, &self->pauses, need, changed))
        g_hash_table_remove(self->entries, entry->key);
    self->looks--;
    g_cond_broadcast(&self->wake);
    g_mutex_unlock(&self->lock);
}

/* The entry that has been due for longest and is not being looked at, or NULL. @next: the latest
 * time at which there is something to do. @busy: the number of looks that count. */
static cxlDcdDriverEntry *
cxlDcdDriverScheduleFind(cxlDcdDriverSchedule *self, gint64 now, gint64 *next, unsigned int *busy)
{
    gint64 relief = CXL_DCD_DRIVER_NEVER; /* when a look ceases to count */
    cxlDcdDriverEntry *found = NULL;
    cxlDcdDriverEntry *entry;
    GHashTableIter iter;

    *next = CXL_DCD_DRIVER_NEVER;
    *busy = 0;
    g_hash_table_iter_init(&iter, self->entries);
    while (g_hash_table_iter_next(&iter, NULL, (gpointer *)&entry)) {
        if (entry->running) {
            if (now - entry->begun < self->pauses.slow) {
                (*busy)++;
                relief = MIN(relief, entry->begun + self->pauses.slow);
            }
        } else if (entry->due > now) {
            *next = MIN(*next, entry->due);
        } else if (!found || entry->due < found->due) {
            found = entry;
        }
    }
    if (found)
        *next = MIN(*next, relief);
    return found;
}

/* Begin all looks that can begin. Returns the time at which there is something to do again. */
static gint64
cxlDcdDriverScheduleBegin(cxlDcdDriverSchedule *self)
{
    gint64 now = g_get_monotonic_time();
    cxlDcdDriverEntry *entry;
    unsigned int busy;
    gint64 next;

    while ((entry = cxlDcdDriverScheduleFind(self, now, &next, &busy)) &&
           busy < self->pauses.workers) {
        entry->running = true;
        entry->begun = now;
        self->looks++;
        /* if no thread can be created for it, it waits for another thread of the pool */
        g_thread_pool_push(self->pool, entry, NULL);
    }
    return next;
}

/**
 * cxlDcdDriverScheduleRun:
 * @self: a schedule
 *
 * Look at what is due, until cxlDcdDriverScheduleStop(). A schedule can run only once.
 */
void
cxlDcdDriverScheduleRun(cxlDcdDriverSchedule *self)
{
    gint64 next;

    g_mutex_lock(&self->lock);
    while (!self->stopping) {
        next = cxlDcdDriverScheduleBegin(self);
        if (next == CXL_DCD_DRIVER_NEVER)
            g_cond_wait(&self->wake, &self->lock);
        else
            g_cond_wait_until(&self->wake, &self->lock, next);
    }
    g_mutex_unlock(&self->lock);
}

/* ------------------------------------------------------------- from outside */

/**
 * cxlDcdDriverSchedulePoke:
 * @self: a schedule
 * @key: a key that has, or may have, something new to see
 *
 * Have @key looked at soon. Several pokes in quick succession cause one look.
 */
void
cxlDcdDriverSchedulePoke(cxlDcdDriverSchedule *self, const char *key)
{
    cxlDcdDriverEntry *entry;

    g_mutex_lock(&self->lock);
    if (!(entry = g_hash_table_lookup(self->entries, key))) {
        entry = g_new0(cxlDcdDriverEntry, 1);
        entry->key = g_strdup(key);
        entry->due = CXL_DCD_DRIVER_NEVER;
        g_hash_table_insert(self->entries, entry->key, entry);
    }
    entry->forgotten = false;
    entry->again = entry->running;
    entry->pause = self->pauses.first;
    entry->due = MIN(entry->due, g_get_monotonic_time() + self->pauses.first);
    g_cond_broadcast(&self->wake);
    g_mutex_unlock(&self->lock);
}

/**
 * cxlDcdDriverScheduleForget:
 * @self: a schedule
 * @key: a key that is not to be looked at again until it is poked
 */
void
cxlDcdDriverScheduleForget(cxlDcdDriverSchedule *self, const char *key)
{
    cxlDcdDriverEntry *entry;

    g_mutex_lock(&self->lock);
    entry = g_hash_table_lookup(self->entries, key);
    if (entry && entry->running) {
        entry->forgotten = true;
        entry->again = false;
    } else if (entry) {
        g_hash_table_remove(self->entries, key);
    }
    g_mutex_unlock(&self->lock);
}

/**
 * cxlDcdDriverScheduleStop:
 * @self: a schedule
 *
 * Begin no more looks. Running looks continue: see cxlDcdDriverScheduleDrain().
 */
void
cxlDcdDriverScheduleStop(cxlDcdDriverSchedule *self)
{
    g_mutex_lock(&self->lock);
    self->stopping = true;
    g_cond_broadcast(&self->wake);
    g_mutex_unlock(&self->lock);
}

/**
 * cxlDcdDriverScheduleDrain:
 * @self: a schedule that was stopped
 * @timeout: microseconds
 *
 * Wait until no look runs.
 *
 * Returns true if none runs any more, false if one still did after @timeout.
 */
bool
cxlDcdDriverScheduleDrain(cxlDcdDriverSchedule *self, gint64 timeout)
{
    gint64 end = g_get_monotonic_time() + timeout;
    bool drained;

    g_mutex_lock(&self->lock);
    while (self->looks > 0 && g_cond_wait_until(&self->wake, &self->lock, end))
        continue;
    drained = self->looks == 0;
    g_mutex_unlock(&self->lock);
    return drained;
}

/* -------------------------------------------------------- beginning and end */

/**
 * cxlDcdDriverScheduleNew:
 * @pauses: its times
 * @look: called to look at a key
 * @opaque: for @look
 *
 * Returns a schedule that does nothing yet.
 */
cxlDcdDriverSchedule *
cxlDcdDriverScheduleNew(const cxlDcdDriverPauses *pauses, cxlDcdDriverLookFunc look, void *opaque)
{
    cxlDcdDriverSchedule *self = g_new0(cxlDcdDriverSchedule, 1);

    self->pauses = *pauses;
    self->look = look;
    self->opaque = opaque;
    self->entries = g_hash_table_new_full(g_str_hash, g_str_equal, NULL, cxlDcdDriverEntryFree);
    self->pool = g_thread_pool_new(cxlDcdDriverScheduleLook, self, -1, FALSE, NULL);
    g_mutex_init(&self->lock);
    g_cond_init(&self->wake);
    return self;
}

/**
 * cxlDcdDriverScheduleFree:
 * @self: a schedule that was stopped and drained, and whose Run has returned, or NULL
 */
void
cxlDcdDriverScheduleFree(cxlDcdDriverSchedule *self)
{
    if (!self)
        return;
    g_thread_pool_free(self->pool, FALSE, TRUE);
    g_hash_table_unref(self->entries);
    g_mutex_clear(&self->lock);
    g_cond_clear(&self->wake);
    g_free(self);
}
