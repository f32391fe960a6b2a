/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-capacity.c: the states of a capacity, and every event in each
 *
 * Each case starts in a state, on a device of either model, and on a tagged device in a QEMU
 * whose status does not report offers. It lets something happen, and then has another client
 * refresh some time later, as the driver module or a status command does. The words are those of
 * model/scene.c. Checked at the end are the record's state, what QEMU has, and that there is no
 * backend too many or too few; another refresh must find nothing to do.
 *
 * Then every event follows every other one in every state, and the guest acts before each call
 * that a client makes: whatever happens, the records and QEMU agree after a refresh.
 */

#include <config.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "model/scene.h"
#include "testutils.h"

typedef struct {
    const char *start;
    const char *events;
    const char *record; /* its state at the end */
    const char *extent; /* what QEMU has at the end */
} caseDef;

static const caseDef cases[] = {
    /* nothing there */
    {"none", "", "none", "gone"},
    {"none", "accept", "none", "gone"},
    {"none", "release?", "none", "gone"},
    {"none", "add", "pending", "pending"},
    {"none", "add add!", "pending", "pending"},
    {"none", "add accept", "accepted", "accepted"},
    {"none", "add refuse", "rejected", "gone"},
    {"none", "add accept release obey", "none", "gone"},
    {"none", "add accept wait", "accepted", "accepted"},
    {"none", "add refuse wait", "rejected", "gone"},
    {"none", "reset", "none", "gone"},
    {"none", "die", "none", "gone"},

    /* an add whose process died before it asked QEMU */
    {"adding", "", "pending", "pending"},
    {"adding", "add!", "pending", "pending"},
    {"adding", "release!", "pending", "pending"},
    {"adding", "later release!", "pending", "pending"},
    {"adding", "reset", "pending", "pending"},
    {"adding", "later refresh accept", "accepted", "accepted"},
    {"adding", "later refresh refuse", "rejected", "gone"},
    {"adding", "die", "none", "gone"},

    /* after it had created the backend */
    {"adding-backend", "", "pending", "pending"},
    {"adding-backend", "add!", "pending", "pending"},
    {"adding-backend", "release!", "pending", "pending"},
    {"adding-backend", "reset", "pending", "pending"},
    {"adding-backend", "later refresh accept", "accepted", "accepted"},
    {"adding-backend", "later refresh refuse", "rejected", "gone"},
    {"adding-backend", "die", "none", "gone"},

    /* after it had made the offer: nobody can know whether the guest has refused an offer that
     * was not recorded, so it is made again */
    {"adding-offered", "", "pending", "pending"},
    {"adding-offered", "accept", "accepted", "accepted"},
    {"adding-offered", "refuse", "pending", "pending"},
    {"adding-offered", "refuse later refresh refuse", "rejected", "gone"},
    {"adding-offered", "add!", "pending", "pending"},
    {"adding-offered", "release!", "pending", "pending"},
    {"adding-offered", "accept later release obey", "none", "gone"},
    {"adding-offered", "reset", "pending", "pending"},
    {"adding-offered", "reset accept", "accepted", "accepted"},
    {"adding-offered", "die", "none", "gone"},

    {"pending", "", "pending", "pending"},
    {"pending", "accept", "accepted", "accepted"},
    {"pending", "refuse", "rejected", "gone"},
    {"pending", "accept give-back", "rejected", "gone"},
    {"pending", "obey", "pending", "pending"},
    {"pending", "add!", "pending", "pending"},
    {"pending", "release!", "pending", "pending"},
    {"pending", "accept release", "releasing", "accepted"},
    {"pending", "accept release obey", "none", "gone"},
    {"pending", "refuse release", "none", "gone"},
    {"pending", "refuse add", "pending", "pending"},
    {"pending", "reset", "pending", "pending"},
    {"pending", "reset accept", "accepted", "accepted"},
    {"pending", "reset refuse", "rejected", "gone"},
    {"pending", "die", "none", "gone"},

    {"accepted", "", "accepted", "accepted"},
    {"accepted", "refuse", "accepted", "accepted"},
    {"accepted", "give-back", "none", "gone"},
    {"accepted", "give-back release", "none", "gone"},
    {"accepted", "give-back add", "pending", "pending"},
    {"accepted", "give-back refresh add", "pending", "pending"},
    {"accepted", "add!", "accepted", "accepted"},
    {"accepted", "release", "releasing", "accepted"},
    {"accepted", "release obey", "none", "gone"},
    {"accepted", "release obey wait", "none", "gone"},
    {"accepted", "reset", "accepted", "accepted"},
    {"accepted", "reset release obey", "none", "gone"},
    {"accepted", "die", "none", "gone"},

    {"rejected", "", "rejected", "gone"},
    {"rejected", "accept", "rejected", "gone"},
    {"rejected", "add", "pending", "pending"},
    {"rejected", "add accept", "accepted", "accepted"},
    {"rejected", "add refuse", "rejected", "gone"},
    {"rejected", "release", "none", "gone"},
    {"rejected", "release release?", "none", "gone"},
    {"rejected", "reset", "rejected", "gone"},
    {"rejected", "die", "none", "gone"},

    /* a release whose process died before it asked QEMU */
    {"releasing-not-asked", "", "releasing", "accepted"},
    {"releasing-not-asked", "obey", "releasing", "accepted"},
    {"releasing-not-asked", "refresh obey", "none", "gone"},
    {"releasing-not-asked", "give-back", "none", "gone"},
    {"releasing-not-asked", "release obey", "none", "gone"},
    {"releasing-not-asked", "add!", "releasing", "accepted"},
    {"releasing-not-asked", "reset refresh obey", "none", "gone"},
    {"releasing-not-asked", "die", "none", "gone"},

    {"releasing", "", "releasing", "accepted"},
    {"releasing", "obey", "none", "gone"},
    {"releasing", "give-back", "none", "gone"},
    {"releasing", "release", "releasing", "accepted"},
    {"releasing", "release release obey", "none", "gone"},
    {"releasing", "obey release", "none", "gone"},
    {"releasing", "obey refresh release?", "none", "gone"},
    {"releasing", "add!", "releasing", "accepted"},
    {"releasing", "obey add accept", "accepted", "accepted"},
    {"releasing", "obey refresh add accept", "accepted", "accepted"},
    {"releasing", "reset", "releasing", "accepted"},
    {"releasing", "reset obey", "none", "gone"},
    {"releasing", "die", "none", "gone"},
};

/* @terse: QEMU's status does not distinguish an offer from nothing. */
static void
testState(const caseDef *test, bool tagged, bool terse)
{
    g_autoptr(scene) self = sceneNew(tagged, test->start);
    g_autofree char *before = NULL;
    guint i;

    self->domain->qemu->terse = terse;
    sceneDo(self, test->events);
    sceneNewClient(self);
    if (!self->device) {
        g_assert_cmpint(sceneRefresh(self->client), ==, -1);
        g_assert_null(strstr(self->domain->config, "capacity:1.0"));
        sceneCheck(self, SCENE_TAG, test->record, test->extent);
        return;
    }
    sceneDo(self, "later refresh much-later refresh");
    sceneCheck(self, SCENE_TAG, test->record, test->extent);
    before = g_strdup(self->domain->live);
    i = self->domain->qemu->requests->len;
    sceneDo(self, "later refresh");
    g_assert_cmpstr(self->domain->live, ==, before);
    g_assert_cmpuint(self->domain->qemu->requests->len - i, <=, terse ? 2 : 1);
}

static void
testStateTagged(gconstpointer opaque)
{
    testState(opaque, true, false);
}

static void
testStateTerse(gconstpointer opaque)
{
    testState(opaque, true, true);
}

static void
testStateStatic(gconstpointer opaque)
{
    testState(opaque, false, false);
}

/* ------------------------------------------------- every event in every state */

static const char *const starts[] = {"none",
                                     "adding",
                                     "adding-backend",
                                     "adding-offered",
                                     "pending",
                                     "accepted",
                                     "rejected",
                                     "releasing-not-asked",
                                     "releasing"};
static const char *const acts[] = {"add", "release", "refresh"};
static const char *const events[] =
    {"accept", "refuse", "obey", "obey-strict", "give-back", "reset", "later"};

typedef enum {
    TAGGED,
    TERSE,
    STATIC
} modelKind;

static scene *
testStart(modelKind kind, const char *start)
{
    scene *self = sceneNew(kind != STATIC, start);

    self->domain->qemu->terse = kind == TERSE;
    return self;
}

/* A client's act may be refused in some states: what counts is the result. */
static void
testEvent(scene *self, const char *word)
{
    if (g_str_equal(word, "add"))
        free(sceneAdd(self->client, SCENE_TAG));
    else if (g_str_equal(word, "release"))
        virDomainCxlDcdRelease(self->client, NULL, SCENE_TAG, VIR_DOMAIN_AFFECT_LIVE);
    else if (g_str_equal(word, "refresh"))
        g_assert_cmpint(sceneRefresh(self->client), ==, 0);
    else
        sceneDo(self, word);
    virResetLastError();
}

/* Another client refreshes later: then the records and QEMU agree, backends included. */
static void
testEnd(scene *self, const char *what)
{
    unsigned int records;
    g_autofree char *wrong = NULL;

    sceneNewClient(self);
    sceneDo(self, "later refresh much-later refresh");
    wrong = sceneInconsistency(self, &records);
    if (wrong)
        g_test_fail_printf("%s: %s", what, wrong);
    sceneCheckSafe(self);
}

static size_t
testStep(void)
{
    return testFew() ? 37 : 1;
}

static const char *
testEventName(size_t i)
{
    return i < G_N_ELEMENTS(acts) ? acts[i] : events[i - G_N_ELEMENTS(acts)];
}

static void
testPairs(gconstpointer opaque)
{
    const size_t n = G_N_ELEMENTS(acts) + G_N_ELEMENTS(events);
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(starts) * n * n; i += testStep()) {
        const char *first = testEventName(i / n % n);
        const char *second = testEventName(i % n);
        g_autoptr(scene) self = testStart(GPOINTER_TO_INT(opaque), starts[i / n / n]);
        g_autofree char *what = g_strdup_printf("%s: %s, %s", starts[i / n / n], first, second);

        testEvent(self, first);
        testEvent(self, second);
        testEnd(self, what);
    }
}

/* The guest acts before the call of libvirt that has this number. */
static struct {
    scene *self;
    const char *word;
    unsigned int at;
} guest;

static void
testGuest(virDomainPtr client, modelCallKind kind G_GNUC_UNUSED)
{
    if (client->calls < guest.at)
        return;
    client->before = NULL;
    sceneDo(guest.self, guest.word);
}

/* Returns false if @act made fewer calls than @at. */
static bool
testGuestAt(modelKind kind, const char *start, const char *act, const char *word, unsigned int at)
{
    g_autoptr(scene) self = testStart(kind, start);
    g_autofree char *what = g_strdup_printf("%s: %s, %s before call %u", start, act, word, at);
    bool acted;

    sceneNewClient(self);
    model_time += 3 * G_USEC_PER_SEC; /* an add is no longer left to its owner */
    guest.self = self;
    guest.word = word;
    guest.at = at;
    self->client->before = testGuest;
    testEvent(self, act);
    acted = !self->client->before;
    self->client->before = NULL;
    if (acted)
        testEnd(self, what);
    return acted;
}

static void
testGuestBetween(gconstpointer opaque)
{
    const size_t words = G_N_ELEMENTS(events) - 1; /* not "later" */
    const size_t n = G_N_ELEMENTS(acts);
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(starts) * n * words; i += testStep()) {
        unsigned int at = 0;

        while (testGuestAt(GPOINTER_TO_INT(opaque),
                           starts[i / words / n],
                           acts[i / words % n],
                           events[i % words],
                           at))
            at++;
        g_assert_cmpuint(at, >, 0);
    }
}

int
main(int argc, char **argv)
{
    size_t i;

    testInit(&argc, &argv);
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strdup_printf("%s/%s",
                                                cases[i].start,
                                                *cases[i].events ? cases[i].events : "nothing");
        g_autofree char *tagged = NULL;
        g_autofree char *terse = NULL;
        g_autofree char *fixed = NULL;

        g_strdelimit(name, " ", ',');
        tagged = g_strconcat("/capacity/tagged/", name, NULL);
        terse = g_strconcat("/capacity/terse/", name, NULL);
        fixed = g_strconcat("/capacity/static/", name, NULL);
        g_test_add_data_func(tagged, &cases[i], testStateTagged);
        g_test_add_data_func(terse, &cases[i], testStateTerse);
        g_test_add_data_func(fixed, &cases[i], testStateStatic);
    }
    for (i = TAGGED; i <= STATIC; i++) {
        static const char *const kinds[] = {"tagged", "terse", "static"};
        g_autofree char *pairs = g_strconcat("/capacity/pairs/", kinds[i], NULL);
        g_autofree char *between = g_strconcat("/capacity/guest-between/", kinds[i], NULL);

        g_test_add_data_func(pairs, GINT_TO_POINTER(i), testPairs);
        g_test_add_data_func(between, GINT_TO_POINTER(i), testGuestBetween);
    }
    return g_test_run();
}
