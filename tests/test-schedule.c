/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-schedule.c: each key is looked at when it should be, by one thread at a time, and
 * no key waits for another one that hangs
 */

#include <config.h>

#include "driver/cxl_dcd_driver_schedule.h"
#include "testutils.h"

#define MS G_TIME_SPAN_MILLISECOND
#define TEST_PATIENCE (20 * G_TIME_SPAN_SECOND)

/* The tracker's pauses, shortened in proportion. */
static const cxlDcdDriverPauses pauses = {
    .first = 5 * MS,
    .last = 80 * MS,
    .held = 400 * MS,
    .slow = 50 * MS,
    .workers = 2,
};

/* ------------------------------------------------------------------ a world */

/* What looks find, and what happened to them. All protected by the lock. */
typedef struct {
    cxlDcdDriverSchedule *schedule;
    GThread *runner;
    GMutex lock;
    GCond cond;
    GHashTable *looks;  /* maps a key to how often it was looked at */
    GHashTable *inside; /* the keys being looked at now */
    cxlDcdDriverNeed need;
    unsigned int changes;     /* the first so many looks find a change */
    unsigned int at_once;     /* looks running now */
    unsigned int at_once_max; /* the maximum so far */
    bool crowded;             /* two threads looked at a key at the same time */
    bool hang;                /* looks at keys that begin with "hang" do not return */
    gint64 work;              /* how long a look takes, microseconds */
    GPtrArray *order;         /* the keys, in the order they were looked at */
} testWorld;

static unsigned int
testLooks(testWorld *world, const char *key)
{
    return GPOINTER_TO_UINT(g_hash_table_lookup(world->looks, key));
}

static cxlDcdDriverNeed
testLook(const char *key, bool *changed, void *opaque)
{
    testWorld *world = opaque;
    cxlDcdDriverNeed need;

    g_mutex_lock(&world->lock);
    world->crowded = world->crowded || !g_hash_table_add(world->inside, g_strdup(key));
    world->at_once++;
    world->at_once_max = MAX(world->at_once_max, world->at_once);
    g_hash_table_insert(world->looks, g_strdup(key), GUINT_TO_POINTER(testLooks(world, key) + 1));
    g_ptr_array_add(world->order, g_strdup(key));
    g_cond_broadcast(&world->cond);
    while (world->hang && g_str_has_prefix(key, "hang"))
        g_cond_wait(&world->cond, &world->lock);
    if (world->work) {
        g_mutex_unlock(&world->lock);
        g_usleep(world->work);
        g_mutex_lock(&world->lock);
    }
    *changed = world->changes > 0;
    world->changes -= *changed;
    need = world->need;
    world->at_once--;
    g_hash_table_remove(world->inside, key);
    g_mutex_unlock(&world->lock);
    return need;
}

static gpointer
testRun(gpointer opaque)
{
    cxlDcdDriverScheduleRun(opaque);
    return NULL;
}

static testWorld *
testWorldNew(cxlDcdDriverNeed need)
{
    testWorld *world = g_new0(testWorld, 1);

    g_mutex_init(&world->lock);
    g_cond_init(&world->cond);
    world->looks = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    world->inside = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    world->order = g_ptr_array_new_with_free_func(g_free);
    world->need = need;
    world->schedule = cxlDcdDriverScheduleNew(&pauses, testLook, world);
    world->runner = g_thread_new("run", testRun, world->schedule);
    return world;
}

static void
testWorldFree(testWorld *world)
{
    g_mutex_lock(&world->lock);
    world->hang = false;
    g_cond_broadcast(&world->cond);
    g_mutex_unlock(&world->lock);
    cxlDcdDriverScheduleStop(world->schedule);
    g_assert_true(cxlDcdDriverScheduleDrain(world->schedule, TEST_PATIENCE));
    g_thread_join(world->runner);
    cxlDcdDriverScheduleFree(world->schedule);
    g_assert_false(world->crowded);
    g_hash_table_unref(world->looks);
    g_hash_table_unref(world->inside);
    g_ptr_array_unref(world->order);
    g_mutex_clear(&world->lock);
    g_cond_clear(&world->cond);
    g_free(world);
}

G_DEFINE_AUTOPTR_CLEANUP_FUNC(testWorld, testWorldFree)

/* Returns how often @key was looked at after @time. */
static unsigned int
testAfter(testWorld *world, const char *key, gint64 time)
{
    unsigned int looks;

    g_usleep(time);
    g_mutex_lock(&world->lock);
    looks = testLooks(world, key);
    g_mutex_unlock(&world->lock);
    return looks;
}

/* Wait until @key was looked at this many times. */
static void
testWait(testWorld *world, const char *key, unsigned int looks)
{
    gint64 end = g_get_monotonic_time() + TEST_PATIENCE;

    g_mutex_lock(&world->lock);
    while (testLooks(world, key) < looks)
        g_assert_true(g_cond_wait_until(&world->cond, &world->lock, end));
    g_mutex_unlock(&world->lock);
}

/* ------------------------------------------------------------------- cases */

/* How often one key is looked at within a second after a poke. The maximum is what the pauses
 * allow; the minimum leaves room for a busy machine. */
static const struct {
    const char *name;
    cxlDcdDriverNeed need;
    unsigned int changes;
    unsigned int least;
    unsigned int most;
} testPaces[] = {
    {"nothing-to-follow", CXL_DCD_DRIVER_NEED_NONE, 0, 1, 1},
    {"held", CXL_DCD_DRIVER_NEED_HELD, 0, 2, 3},
    {"passing", CXL_DCD_DRIVER_NEED_PASSING, 0, 8, 18},    /* 5 5 10 20 40 80 80... */
    {"changing", CXL_DCD_DRIVER_NEED_PASSING, 40, 30, 60}, /* 5, forty times */
    {"failing", CXL_DCD_DRIVER_NEED_RETRY, 0, 6, 9},       /* 5 5 10 20 40 80 160 320 400 */
};

static void
testPace(gconstpointer opaque)
{
    size_t i = GPOINTER_TO_SIZE(opaque);
    g_autoptr(testWorld) world = testWorldNew(testPaces[i].need);
    unsigned int looks;

    world->changes = testPaces[i].changes;
    cxlDcdDriverSchedulePoke(world->schedule, "a");
    looks = testAfter(world, "a", 1000 * MS);
    g_assert_cmpuint(looks, >=, testPaces[i].least);
    g_assert_cmpuint(looks, <=, testPaces[i].most);
}

/* A poke brings the next look forward, and pokes in quick succession cause a single look. */
static void
testPoke(void)
{
    g_autoptr(testWorld) world = testWorldNew(CXL_DCD_DRIVER_NEED_HELD);
    gint64 begun;
    int i;

    cxlDcdDriverSchedulePoke(world->schedule, "a");
    testWait(world, "a", 1);
    g_assert_cmpuint(testAfter(world, "a", 50 * MS), ==, 1);
    begun = g_get_monotonic_time();
    for (i = 0; i < 100; i++)
        cxlDcdDriverSchedulePoke(world->schedule, "a");
    testWait(world, "a", 2);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, pauses.held);
    g_assert_cmpuint(testAfter(world, "a", 50 * MS), <=, 3);
}

/* What happens during a look is seen by another look, even if the first one says that there is
 * nothing to follow. */
static void
testPokeMeanwhile(void)
{
    g_autoptr(testWorld) world = testWorldNew(CXL_DCD_DRIVER_NEED_NONE);

    world->hang = true;
    cxlDcdDriverSchedulePoke(world->schedule, "hang");
    testWait(world, "hang", 1);
    cxlDcdDriverSchedulePoke(world->schedule, "hang");
    g_mutex_lock(&world->lock);
    world->hang = false;
    g_cond_broadcast(&world->cond);
    g_mutex_unlock(&world->lock);
    testWait(world, "hang", 2);
    g_assert_cmpuint(testAfter(world, "hang", 100 * MS), ==, 2);
}

/* A key that was forgotten is not looked at unless it is poked afterwards, whether or not it was
 * forgotten during a look. */
static void
testForget(void)
{
    g_autoptr(testWorld) world = testWorldNew(CXL_DCD_DRIVER_NEED_PASSING);
    unsigned int looks;

    cxlDcdDriverSchedulePoke(world->schedule, "a");
    testWait(world, "a", 3);
    cxlDcdDriverScheduleForget(world->schedule, "a");
    looks = testAfter(world, "a", 50 * MS);
    g_assert_cmpuint(testAfter(world, "a", 200 * MS), ==, looks);
    cxlDcdDriverSchedulePoke(world->schedule, "a");
    testWait(world, "a", looks + 2);

    world->hang = true;
    cxlDcdDriverSchedulePoke(world->schedule, "hang");
    testWait(world, "hang", 1);
    cxlDcdDriverSchedulePoke(world->schedule, "hang");
    cxlDcdDriverScheduleForget(world->schedule, "hang");
    g_mutex_lock(&world->lock);
    world->hang = false;
    g_cond_broadcast(&world->cond);
    g_mutex_unlock(&world->lock);
    g_assert_cmpuint(testAfter(world, "hang", 100 * MS), ==, 1);
    cxlDcdDriverScheduleForget(world->schedule, "nobody");
}

/* More looks hang than may run at a time: the other keys carry on, at their own pace. */
static void
testHang(void)
{
    g_autoptr(testWorld) world = testWorldNew(CXL_DCD_DRIVER_NEED_PASSING);
    static const char *const hung[] = {"hang 1", "hang 2", "hang 3", "hang 4", "hang 5"};
    size_t i;

    world->hang = true;
    for (i = 0; i < G_N_ELEMENTS(hung); i++)
        cxlDcdDriverSchedulePoke(world->schedule, hung[i]);
    for (i = 0; i < G_N_ELEMENTS(hung); i++)
        testWait(world, hung[i], 1);
    cxlDcdDriverSchedulePoke(world->schedule, "a");
    testWait(world, "a", 10);
    for (i = 0; i < G_N_ELEMENTS(hung); i++)
        g_assert_cmpuint(testAfter(world, hung[i], 0), ==, 1);
}

/* There are no more looks at a time than workers, and the key that is due first comes first. */
static void
testWorkers(void)
{
    g_autoptr(testWorld) world = testWorldNew(CXL_DCD_DRIVER_NEED_NONE);
    char key[] = "a";

    world->work = 10 * MS;
    for (key[0] = 'a'; key[0] <= 'p'; key[0]++) {
        cxlDcdDriverSchedulePoke(world->schedule, key);
        g_usleep(10);
    }
    for (key[0] = 'a'; key[0] <= 'p'; key[0]++)
        testWait(world, key, 1);
    g_assert_cmpuint(world->at_once_max, <=, pauses.workers);
    g_assert_cmpstr(g_ptr_array_index(world->order, world->order->len - 1), >, "k");
}

/* No look begins after the stop; one that does not return is waited for no longer than
 * requested. */
static void
testStop(void)
{
    g_autoptr(testWorld) world = testWorldNew(CXL_DCD_DRIVER_NEED_PASSING);
    gint64 begun;
    unsigned int looks;

    world->hang = true;
    cxlDcdDriverSchedulePoke(world->schedule, "a");
    cxlDcdDriverSchedulePoke(world->schedule, "hang");
    testWait(world, "a", 3);
    testWait(world, "hang", 1);
    cxlDcdDriverScheduleStop(world->schedule);
    begun = g_get_monotonic_time();
    g_assert_false(cxlDcdDriverScheduleDrain(world->schedule, 100 * MS));
    g_assert_cmpint(g_get_monotonic_time() - begun, <, TEST_PATIENCE);
    looks = testAfter(world, "a", 0);
    cxlDcdDriverSchedulePoke(world->schedule, "a");
    g_assert_cmpuint(testAfter(world, "a", 200 * MS), ==, looks);
}

/* ------------------------------------------------------------------ a crowd */

#define TEST_THREADS 8
#define TEST_KEYS 16

static gpointer
testCrowdPokes(gpointer opaque)
{
    testWorld *world = opaque;
    unsigned int i;

    for (i = 0; i < 400; i++) {
        g_autofree char *key = g_strdup_printf("%d", g_random_int_range(0, TEST_KEYS));

        if (i % 16 == 15)
            cxlDcdDriverScheduleForget(world->schedule, key);
        else
            cxlDcdDriverSchedulePoke(world->schedule, key);
        g_usleep(g_random_int_range(0, 1000));
    }
    return NULL;
}

/* Many threads poke and forget many keys: no key is looked at by two threads at once, and each
 * is looked at after its last poke. */
static void
testCrowd(void)
{
    g_autoptr(testWorld) world = testWorldNew(CXL_DCD_DRIVER_NEED_PASSING);
    GThread *threads[TEST_THREADS];
    unsigned int looks;
    int i;

    world->changes = 200;
    world->work = 200;
    for (i = 0; i < TEST_THREADS; i++)
        threads[i] = g_thread_new("poke", testCrowdPokes, world);
    for (i = 0; i < TEST_THREADS; i++)
        g_thread_join(threads[i]);
    for (i = 0; i < TEST_KEYS; i++) {
        g_autofree char *key = g_strdup_printf("%d", i);

        looks = testAfter(world, key, 0);
        cxlDcdDriverSchedulePoke(world->schedule, key);
        testWait(world, key, looks + 1);
    }
}

int
main(int argc, char **argv)
{
    size_t i;

    testInit(&argc, &argv);
    for (i = 0; i < G_N_ELEMENTS(testPaces); i++) {
        g_autofree char *path = g_strdup_printf("/schedule/pace/%s", testPaces[i].name);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), testPace);
    }
    g_test_add_func("/schedule/poke", testPoke);
    g_test_add_func("/schedule/poke-meanwhile", testPokeMeanwhile);
    g_test_add_func("/schedule/forget", testForget);
    g_test_add_func("/schedule/hang", testHang);
    g_test_add_func("/schedule/workers", testWorkers);
    g_test_add_func("/schedule/stop", testStop);
    g_test_add_func("/schedule/crowd", testCrowd);
    return g_test_run();
}
