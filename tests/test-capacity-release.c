/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-capacity-release.c: how a guest is asked for capacity, and asked again
 *
 * Each case lists what happens after the guest has accepted, in the words of model/scene.c, how
 * the guest is asked, and what there is at the end.
 */

#include <config.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "model/scene.h"
#include "testutils.h"

#define TAG_BASED VIR_DOMAIN_CXL_DCD_RELEASE_TAG_BASED
#define PRESCRIPTIVE VIR_DOMAIN_CXL_DCD_RELEASE_PRESCRIPTIVE
#define FORCED VIR_DOMAIN_CXL_DCD_RELEASE_FORCED

typedef struct {
    const char *name;
    bool tagged;
    const char *fallback; /* the fallback time of the device; NULL: not given */
    unsigned int flags;   /* of the first release */
    const char *then;
    const char *asked; /* T: by tag, P: by range, in their order */
    const char *record;
    const char *extent;
} caseDef;

static const caseDef cases[] = {
    /* asked by tag, and 5 seconds later by range */
    {"obeys", true, NULL, 0, "obey refresh", "T", "none", "gone"},
    {"in-its-time", true, NULL, 0, "later refresh obey refresh", "T", "none", "gone"},
    {"not-before", true, NULL, 0, "later refresh", "T", "releasing", "accepted"},
    {"again", true, NULL, 0, "later later refresh", "TP", "releasing", "accepted"},
    {"once",
     true,
     NULL,
     0,
     "later later refresh much-later refresh",
     "TP",
     "releasing",
     "accepted"},
    {"clock-set-back", true, NULL, 0, "clock-back refresh", "TP", "releasing", "accepted"},
    {"wait-asks", true, NULL, 0, "answers-while-waiting", "TP", "none", "gone"},

    /* a guest that knows a capacity by range and tag finds nothing by the tag-based request */
    {"strict", true, NULL, 0, "obey-strict refresh", "T", "releasing", "accepted"},
    {"strict-again",
     true,
     NULL,
     0,
     "obey-strict later later refresh obey-strict refresh",
     "TP",
     "none",
     "gone"},

    /* as the device says */
    {"never", true, "0", 0, "later later refresh much-later refresh", "T", "releasing", "accepted"},
    {"soon", true, "1", 0, "later refresh", "TP", "releasing", "accepted"},
    {"late", true, "60", 0, "later later refresh", "T", "releasing", "accepted"},
    {"late-comes", true, "60", 0, "much-later refresh", "TP", "releasing", "accepted"},

    /* as the user says */
    {"by-tag", true, NULL, TAG_BASED, "much-later refresh", "T", "releasing", "accepted"},
    {"by-range", true, NULL, PRESCRIPTIVE, "much-later refresh", "P", "releasing", "accepted"},
    {"by-range-strict", true, NULL, PRESCRIPTIVE, "obey-strict refresh", "P", "none", "gone"},

    /* when the user asks once more, it starts over */
    {"twice", true, NULL, 0, "release", "TT", "releasing", "accepted"},
    {"twice-again", true, NULL, 0, "later later refresh release", "TPT", "releasing", "accepted"},
    {"twice-all",
     true,
     NULL,
     0,
     "later later refresh release later later refresh",
     "TPTP",
     "releasing",
     "accepted"},
    {"policy-ends",
     true,
     NULL,
     TAG_BASED,
     "release later later refresh",
     "TTP",
     "releasing",
     "accepted"},

    /* QEMU knows the extents of a static device by their range */
    {"static", false, NULL, 0, "much-later refresh", "P", "releasing", "accepted"},
    {"static-obeys", false, NULL, 0, "obey-strict refresh", "P", "none", "gone"},
    {"static-by-range", false, NULL, PRESCRIPTIVE, "obey refresh", "P", "none", "gone"},
};

/* Set the number of seconds after which the device of @self asks again. */
static void
testSetFallback(scene *self, const char *seconds)
{
    g_auto(GStrv) parts = g_strsplit(self->domain->live, "<alias", 2);
    g_autofree char *element = g_strdup_printf("<release fallback='%s'/><alias", seconds);

    g_assert_cmpuint(g_strv_length(parts), ==, 2);
    g_free(self->domain->live);
    self->domain->live = g_strjoinv(element, parts);
}

/* How the guest was asked: one letter for each request. */
static char *
testAsked(const scene *self)
{
    g_autoptr(GString) letters = g_string_new(NULL);
    guint i;

    for (i = 0; i < self->domain->qemu->requests->len; i++) {
        const char *request = g_ptr_array_index(self->domain->qemu->requests, i);

        if (!strstr(request, "\"cxl-release-dynamic-capacity\""))
            continue;
        g_string_append_c(letters, strstr(request, "\"tag-based\"") ? 'T' : 'P');
    }
    return g_string_free(g_steal_pointer(&letters), FALSE);
}

static void
testAnswer(void *opaque)
{
    sceneDo(opaque, "obey-strict");
}

static void
testRelease(gconstpointer opaque)
{
    const caseDef *test = opaque;
    g_autoptr(scene) self = sceneNew(test->tagged, "accepted");
    g_autofree char *asked = NULL;

    if (test->fallback)
        testSetFallback(self, test->fallback);
    g_assert_cmpint(virDomainCxlDcdRelease(self->client,
                                           NULL,
                                           SCENE_TAG,
                                           VIR_DOMAIN_AFFECT_LIVE | test->flags),
                    ==,
                    0);
    if (g_str_equal(test->then, "answers-while-waiting")) {
        model_on_sleep = testAnswer;
        model_on_sleep_opaque = self;
        g_assert_cmpint(virDomainCxlDcdWait(self->client, SCENE_TAG, 20000, 0),
                        ==,
                        VIR_DOMAIN_CXL_DCD_STATE_NONE);
        model_on_sleep = NULL;
    } else {
        sceneDo(self, test->then);
    }
    asked = testAsked(self);
    g_assert_cmpstr(asked, ==, test->asked);
    sceneCheck(self, SCENE_TAG, test->record, test->extent);
}

/* QEMU does not take capacity from a guest by force, and says so; then nothing has changed. */
static void
testForced(gconstpointer opaque)
{
    static const char *const starts[] = {"accepted", "releasing"};
    bool tagged = GPOINTER_TO_INT(opaque);
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(starts); i++) {
        g_autoptr(scene) self = sceneNew(tagged, starts[i]);
        g_autofree char *before = NULL;

        sceneDo(self, "later refresh");
        before = g_strdup(self->domain->live);
        g_assert_cmpint(virDomainCxlDcdRelease(self->client,
                                               NULL,
                                               SCENE_TAG,
                                               VIR_DOMAIN_AFFECT_LIVE | FORCED),
                        ==,
                        -1);
        g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_FAILED);
        g_assert_nonnull(strstr(virGetLastErrorMessage(), "forcibly release"));
        g_assert_nonnull(strstr(virGetLastErrorMessage(), "Forced removal not supported"));
        g_assert_cmpstr(self->domain->live, ==, before);
        sceneCheck(self, SCENE_TAG, starts[i], "accepted");
    }
}

static void
testGiveBack(virDomainPtr client, modelCallKind kind)
{
    if (kind != MODEL_CALL_WRITE_QEMU)
        return;
    client->before = NULL;
    sceneDo(client->opaque, "give-back");
}

/* A guest may give capacity back just before QEMU is asked to request it. */
static void
testGivenBack(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "accepted");

    self->client->before = testGiveBack;
    self->client->opaque = self;
    g_assert_cmpint(virDomainCxlDcdRelease(self->client, NULL, SCENE_TAG, VIR_DOMAIN_AFFECT_LIVE),
                    ==,
                    0);
    g_assert_null(virGetLastError());
    sceneDo(self, "refresh");
    sceneCheck(self, SCENE_TAG, "none", "gone");
}

/* The same, if a refresh asks: once more by range (tagged), or for a process that was killed
 * (static). The goal of the request is reached, so neither a refresh nor a wait fails. */
static void
testGivenBackLater(gconstpointer opaque)
{
    static const char *const words[] = {"later later refresh refresh", "later later wait"};
    bool tagged = GPOINTER_TO_INT(opaque);
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(words); i++) {
        g_autoptr(scene) self = sceneNew(tagged, tagged ? "releasing" : "releasing-not-asked");

        self->client->before = testGiveBack;
        self->client->opaque = self;
        sceneDo(self, words[i]);
        g_assert_null(self->client->before);
        sceneCheck(self, SCENE_TAG, "none", "gone");
    }
}

/* If QEMU refuses the second request, it is not sent again, and the error is reported once. */
static void
testNotTaken(void)
{
    g_autoptr(scene) self = sceneNew(true, "releasing");
    g_autofree char *asked = NULL;

    sceneDo(self, "later later");
    self->domain->fault.kind = MODEL_FAULT_REFUSED;
    self->domain->fault.at =
        self->domain->fault.commands + 2; /* after the command that asks for the state */
    g_assert_cmpint(sceneRefresh(self->client), ==, -1);
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_FAILED);
    g_assert_nonnull(strstr(virGetLastErrorMessage(), "release (once more, by range)"));
    g_assert_nonnull(strstr(virGetLastErrorMessage(), ": not now"));
    virResetLastError();
    sceneDo(self, "much-later refresh much-later refresh");
    asked = testAsked(self);
    g_assert_cmpstr(asked, ==, "T");
    sceneDo(self, "obey refresh");
    sceneCheck(self, SCENE_TAG, "none", "gone");
}

/* A request that is impossible is refused before anything is done. */
static void
testRefused(void)
{
    static const struct {
        bool tagged;
        unsigned int flags;
        int code;
        const char *message;
    } wrong[] = {
        {true, VIR_DOMAIN_AFFECT_LIVE | TAG_BASED | PRESCRIPTIVE, VIR_ERR_INVALID_ARG, "exclude"},
        {true, VIR_DOMAIN_AFFECT_CONFIG | TAG_BASED, VIR_ERR_OPERATION_INVALID, "definition"},
        {true, VIR_DOMAIN_AFFECT_CONFIG | FORCED, VIR_ERR_OPERATION_INVALID, "definition"},
        {false,
         VIR_DOMAIN_AFFECT_LIVE | TAG_BASED,
         VIR_ERR_OPERATION_UNSUPPORTED,
         "'tag-based': the device is static"},
        {true, 1 << 20, VIR_ERR_INVALID_ARG, "unsupported flags (0x100000)"},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(scene) self = sceneNew(wrong[i].tagged, "accepted");
        g_autofree char *before = g_strdup(self->domain->live);
        guint requests = self->domain->qemu->requests->len;

        g_assert_cmpint(virDomainCxlDcdRelease(self->client, NULL, SCENE_TAG, wrong[i].flags),
                        ==,
                        -1);
        g_assert_cmpint(virGetLastErrorCode(), ==, wrong[i].code);
        g_assert_nonnull(strstr(virGetLastErrorMessage(), wrong[i].message));
        g_assert_cmpstr(self->domain->live, ==, before);
        g_assert_cmpuint(self->domain->qemu->requests->len, ==, requests);
    }
}

/* Offer capacities of 2 MiB. Returns how many are accepted by the library. */
static unsigned int
testOfferMany(scene *self, unsigned int n)
{
    unsigned int taken = 0;
    unsigned int i;

    for (i = 0; i < n; i++) {
        char *tag = virDomainCxlDcdAdd(self->client,
                                       "<cxl-dcd><capacity><size unit='MiB'>2</size></capacity>"
                                       "</cxl-dcd>",
                                       VIR_DOMAIN_AFFECT_LIVE);

        taken += tag != NULL;
        free(tag);
    }
    return taken;
}

/* The guest would never learn of a request that does not fit the event log: it is made later. */
static void
testLogFull(void)
{
    g_autoptr(scene) self = sceneNew(true, "releasing");
    g_autofree char *asked = NULL;
    g_autofree char *later = NULL;

    testOfferMany(self, 7);
    sceneDo(self, "later later refresh");
    asked = testAsked(self);
    g_assert_cmpstr(asked, ==, "T");
    sceneDo(self, "accept refresh");
    later = testAsked(self);
    g_assert_cmpstr(later, ==, "TP");
}

/* The same for the first request: the user gets an error. Answers make room even without a
 * refresh. */
static void
testLogFullFirst(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "accepted");
    g_autofree char *before = NULL;
    g_autofree char *asked = NULL;

    g_assert_cmpuint(testOfferMany(self, 8), ==, 8);
    before = g_strdup(self->domain->live);
    sceneDo(self, "release!");
    g_assert_cmpstr(self->domain->live, ==, before);
    g_assert_cmpint(virDomainCxlDcdRelease(self->client, NULL, SCENE_TAG, VIR_DOMAIN_AFFECT_LIVE),
                    ==,
                    -1);
    g_assert_nonnull(strstr(virGetLastErrorMessage(), "would not learn of another request"));
    virResetLastError();
    sceneDo(self, "accept release");
    g_assert_null(virGetLastError());
    asked = testAsked(self);
    g_assert_cmpstr(asked, ==, self->tagged ? "T" : "P");
    g_assert_cmpuint(self->device->events.length, ==, 1);
}

/* A paused guest reads nothing. However often it is asked, it learns of every offer and every
 * request that was made. A guest that had time to read may be asked again. */
static void
testLogOften(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "accepted");
    g_autofree char *before = NULL;
    unsigned int taken = 0;
    unsigned int i;

    for (i = 0; i < 20; i++) {
        if (i == 6)
            sceneDo(self, "later later refresh"); /* tagged: asked by range */
        taken += virDomainCxlDcdRelease(self->client, NULL, SCENE_TAG, VIR_DOMAIN_AFFECT_LIVE) == 0;
    }
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_INVALID);
    g_assert_nonnull(strstr(virGetLastErrorMessage(), "would not learn of another request"));
    g_assert_cmpuint(taken, ==, self->tagged ? 7 : 8);
    g_assert_cmpuint(self->device->events.length, ==, 8);
    before = g_strdup(self->domain->live);
    g_assert_cmpuint(testOfferMany(self, 1), ==, 0);
    g_assert_cmpstr(self->domain->live, ==, before);
    virResetLastError();

    sceneDo(self, "obey refresh");
    sceneCheck(self, SCENE_TAG, "none", "gone");
    g_assert_cmpuint(testOfferMany(self, 8), ==, 8);
    g_assert_cmpuint(self->device->events.length, ==, 8);
}

/* A guest that reads its requests, and keeps what it uses, may be asked for ever. */
static void
testAskForEver(void)
{
    g_autoptr(scene) self = sceneNew(true, "accepted");
    unsigned int i;

    for (i = 0; i < 30; i++) {
        sceneDo(self, "release");
        model_time += 20 * G_USEC_PER_SEC;
        sceneDo(self, "refresh");
        g_queue_clear_full(&self->device->events, g_free);
    }
    sceneCheck(self, SCENE_TAG, "releasing", "accepted");
}

/* What @document tells the daemon's module, if that does the work. */
static void
testDaemon(void)
{
    static const struct {
        unsigned int flags;
        const char *element;
    } ways[] = {
        {0, NULL},
        {TAG_BASED, "<release policy='tag-based'/>"},
        {PRESCRIPTIVE, "<release policy='prescriptive'/>"},
        {FORCED, "<release forced='yes'/>"},
        {PRESCRIPTIVE | FORCED, "<release policy='prescriptive' forced='yes'/>"},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autoptr(scene) self = sceneNew(true, "none");

        g_free(self->domain->live);
        self->domain->live = g_strdup("<domain type='kvm' id='1'><name>vm</name><devices>"
                                      "<cxl-dcd model='tagged'><target><size unit='GiB'>1</size>"
                                      "</target><alias name='cxl-dcd0'/></cxl-dcd></devices>"
                                      "</domain>");
        g_assert_cmpint(virDomainCxlDcdRelease(self->client,
                                               NULL,
                                               SCENE_TAG,
                                               VIR_DOMAIN_AFFECT_LIVE | ways[i].flags),
                        ==,
                        0);
        g_assert_true(g_str_has_prefix(self->domain->attached, "detach 1 <cxl-dcd>"));
        if (ways[i].element)
            g_assert_nonnull(strstr(self->domain->attached, ways[i].element));
        else
            g_assert_null(strstr(self->domain->attached, "<release"));
    }
}

/* A guest that was asked twice may have read neither request, and would not learn of a ninth
 * record; but a guest that keeps its memory is assumed to have read them after a while. So is one
 * that was asked, as the record says, at a time that has not come yet. */
static void
testLogTwice(void)
{
    static const char *const passes[] = {"much-later", "clock-back"};
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(passes); i++) {
        g_autoptr(scene) self = sceneNew(true, "releasing");
        g_autofree char *asked = NULL;

        sceneDo(self, "later later refresh");
        asked = testAsked(self);
        g_assert_cmpstr(asked, ==, "TP");
        g_assert_cmpuint(testOfferMany(self, 7), ==, 6);
        g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_INVALID);
        g_assert_nonnull(
            strstr(virGetLastErrorMessage(), "has not answered 8 offers and requests"));
        virResetLastError();
        sceneDo(self, passes[i]);
        g_assert_cmpuint(testOfferMany(self, 3), ==, 2);
        virResetLastError();
    }
}

int
main(int argc, char **argv)
{
    size_t i;

    testInit(&argc, &argv);
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name = g_strconcat("/release/", cases[i].name, NULL);

        g_test_add_data_func(name, &cases[i], testRelease);
    }
    g_test_add_data_func("/release/tagged/forced", GINT_TO_POINTER(true), testForced);
    g_test_add_data_func("/release/static/forced", GINT_TO_POINTER(false), testForced);
    g_test_add_data_func("/release/tagged/given-back", GINT_TO_POINTER(true), testGivenBack);
    g_test_add_data_func("/release/static/given-back", GINT_TO_POINTER(false), testGivenBack);
    g_test_add_data_func("/release/tagged/given-back-later",
                         GINT_TO_POINTER(true),
                         testGivenBackLater);
    g_test_add_data_func("/release/static/given-back-later",
                         GINT_TO_POINTER(false),
                         testGivenBackLater);
    g_test_add_func("/release/not-taken", testNotTaken);
    g_test_add_data_func("/release/tagged/log-full-first", GINT_TO_POINTER(true), testLogFullFirst);
    g_test_add_data_func("/release/static/log-full-first",
                         GINT_TO_POINTER(false),
                         testLogFullFirst);
    g_test_add_func("/release/refused", testRefused);
    g_test_add_func("/release/log-full", testLogFull);
    g_test_add_func("/release/log-twice", testLogTwice);
    g_test_add_data_func("/release/tagged/log-often", GINT_TO_POINTER(true), testLogOften);
    g_test_add_data_func("/release/static/log-often", GINT_TO_POINTER(false), testLogOften);
    g_test_add_func("/release/ask-for-ever", testAskForEver);
    g_test_add_func("/release/daemon", testDaemon);
    return g_test_run();
}
