/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * glib-threads.c: telling ThreadSanitizer about GLib's locks
 *
 * ThreadSanitizer intercepts pthread functions. GLib's locks and conditions use futexes
 * in a library built without it, so each of our critical sections looks like a race. In a
 * build with -Db_sanitize=thread the definitions here replace GLib's in our own objects:
 * each tells ThreadSanitizer, then calls GLib's. GLib's threads are pthreads, which
 * ThreadSanitizer sees; but a thread pool hands work over under a lock inside GLib, so
 * that is covered here too.
 *
 * Only the functions that the project calls are here: scripts/check-threads looks for
 * others.
 */

#include <config.h>

#include <dlfcn.h>
#include <glib.h>
#include <sanitizer/tsan_interface.h>
#include <stdlib.h>

/* These must not replace the locks of a daemon that loads the driver module. */
#pragma GCC visibility push(hidden)

/* GLib's own function @name. */
static void *
glibThreadsNext(const char *name)
{
    void *function = dlsym(RTLD_NEXT, name);

    if (!function)
        g_error("GLib has no %s()", name);
    return function;
}

/* ThreadSanitizer is preloaded along with the driver module, and must not get into QEMU. */
static void __attribute__((constructor(101))) glibThreadsDropPreload(void)
{
    unsetenv("LD_PRELOAD");
}

#define NEXT(name) ((__typeof__(&name))glibThreadsNext(#name))

/* ------------------------------------------------------------------- locks */

void(g_mutex_init)(GMutex *mutex)
{
    __tsan_mutex_create(mutex, 0);
    NEXT(g_mutex_init)(mutex);
}

void(g_mutex_clear)(GMutex *mutex)
{
    NEXT(g_mutex_clear)(mutex);
    __tsan_mutex_destroy(mutex, 0);
}

void(g_mutex_lock)(GMutex *mutex)
{
    __tsan_mutex_pre_lock(mutex, 0);
    NEXT(g_mutex_lock)(mutex);
    __tsan_mutex_post_lock(mutex, 0, 0);
}

void(g_mutex_unlock)(GMutex *mutex)
{
    __tsan_mutex_pre_unlock(mutex, 0);
    NEXT(g_mutex_unlock)(mutex);
    __tsan_mutex_post_unlock(mutex, 0);
}

/* -------------------------------------------------------------- conditions */

static void
glibThreadsBeforeWait(GMutex *mutex)
{
    __tsan_mutex_pre_unlock(mutex, 0);
    __tsan_mutex_post_unlock(mutex, 0);
}

static void
glibThreadsAfterWait(GMutex *mutex)
{
    __tsan_mutex_pre_lock(mutex, 0);
    __tsan_mutex_post_lock(mutex, 0, 0);
}

void(g_cond_wait)(GCond *cond, GMutex *mutex)
{
    glibThreadsBeforeWait(mutex);
    NEXT(g_cond_wait)(cond, mutex);
    glibThreadsAfterWait(mutex);
}

gboolean(g_cond_wait_until)(GCond *cond, GMutex *mutex, gint64 end)
{
    gboolean woken;

    glibThreadsBeforeWait(mutex);
    woken = NEXT(g_cond_wait_until)(cond, mutex, end);
    glibThreadsAfterWait(mutex);
    return woken;
}

/* ------------------------------------------------------------- thread pools */

typedef struct {
    GFunc run;
    gpointer opaque;
} glibThreadsPool;

static void
glibThreadsRun(gpointer data, gpointer opaque)
{
    glibThreadsPool *self = opaque;

    __tsan_acquire(data);
    self->run(data, self->opaque);
}

/* The data kept for a pool is never freed: this is a test build, and pools live long. */
GThreadPool *(g_thread_pool_new)(GFunc run, gpointer opaque, gint n, gboolean own, GError **error)
{
    glibThreadsPool *self = g_new0(glibThreadsPool, 1);

    self->run = run;
    self->opaque = opaque;
    return NEXT(g_thread_pool_new)(glibThreadsRun, self, n, own, error);
}

gboolean(g_thread_pool_push)(GThreadPool *pool, gpointer data, GError **error)
{
    __tsan_release(data);
    return NEXT(g_thread_pool_push)(pool, data, error);
}

#pragma GCC visibility pop
