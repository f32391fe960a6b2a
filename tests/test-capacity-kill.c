/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-capacity-kill.c: a client is killed at any step
 *
 * Whatever a client does is run once for each call of libvirt that it makes, and once more: in
 * the Nth run the client dies after N calls. Whatever it had not done by then, others find a
 * domain that refreshes to a correct state. If the record said that there is something to do,
 * it is done; if the record did not say so yet, nothing has happened.
 *
 * A second client is killed in the same way while it cleans up after the first. And instead of
 * being killed, a client meets each fault at each of its QMP commands.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "model/scene.h"
#include "testutils.h"

/* What is cut short, and how it ends all the same. */
typedef struct {
    const char *name;
    const char *start;
    const char *words;     /* what the client does, and the guest before that or meanwhile */
    const char *guest;     /* what the guest does afterwards, whenever it can */
    const char *begun;     /* the record's state at the end if the client had written it */
    const char *untouched; /* and if it had not */
    unsigned int points;   /* at least this many calls can be the last */
} caseDef;

static const caseDef cases[] = {
    {"add-accepted", "none", "add accept wait", "accept", "accepted", "none", 8},
    {"add-refused", "none", "add refuse wait", "refuse", "rejected", "none", 8},
    {"add-unanswered", "none", "add refresh", "", "pending", "none", 8},
    {"add-after-refusal", "rejected", "add accept wait", "accept", "accepted", "rejected", 8},
    {"release", "accepted", "release obey wait", "obey", "none", "accepted", 8},
    {"release-unanswered", "accepted", "release refresh", "", "releasing", "accepted", 8},
    {"release-again", "releasing", "release obey wait", "obey", "none", "none", 8},
    {"forget", "rejected", "release", "", "none", "rejected", 4},
    {"see-acceptance", "pending", "accept refresh", "", "accepted", "accepted", 3},
    {"see-refusal", "pending", "refuse refresh", "", "rejected", "rejected", 3},
    {"see-return", "accepted", "give-back refresh", "", "none", "none", 3},
    {"finish-adding",
     "adding",
     "later refresh accept refresh",
     "accept",
     "accepted",
     "accepted",
     4},
    {"finish-backend",
     "adding-backend",
     "later refresh accept refresh",
     "accept",
     "accepted",
     "accepted",
     4},
    {"finish-offer", "adding-offered", "later refresh refresh", "", "pending", "pending", 4},
    {"ask-again", "releasing", "later later refresh obey refresh", "obey", "none", "none", 4},
    {"ask-back", "releasing-not-asked", "refresh obey refresh", "obey", "none", "none", 4},
};

/* Do the words of a case, however they end. */
static void
testAct(scene *self, const char *words)
{
    g_auto(GStrv) list = g_strsplit(words, " ", -1);
    char **word;

    for (word = list; *word; word++) {
        if (g_str_equal(*word, "add")) {
            free(sceneAdd(self->client, SCENE_TAG));
        } else if (g_str_equal(*word, "release")) {
            virDomainCxlDcdRelease(self->client, NULL, SCENE_TAG, VIR_DOMAIN_AFFECT_LIVE);
        } else if (g_str_equal(*word, "wait")) {
            virDomainCxlDcdWait(self->client, SCENE_TAG, 1000, 0);
        } else if (g_str_equal(*word, "refresh")) {
            sceneRefresh(self->client);
        } else if (self->device) {
            sceneDo(self, *word);
        }
        if (!self->domain->qemu)
            self->device = NULL;
    }
    virResetLastError();
}

/* Other clients refresh, and the guest goes on, until nothing changes any more. */
static void
testSettle(scene *self, const char *guest)
{
    unsigned int i;

    sceneNewClient(self);
    for (i = 0; i < 4; i++) {
        sceneDo(self, "later refresh");
        sceneDo(self, guest);
    }
    sceneDo(self, "refresh");
}

static const char *
testExtentOf(const char *record)
{
    if (g_str_equal(record, "accepted") || g_str_equal(record, "releasing"))
        return "accepted";
    return g_str_equal(record, "pending") ? "pending" : "gone";
}

/* Check the result. @before: the record that @self started with; @at: the record when the client
 * was cut short. */
static void
testExpect(const scene *self, const caseDef *test, const char *before, char *at)
{
    const char *record = !at ? "none" : g_strcmp0(before, at) == 0 ? test->untouched : test->begun;

    sceneCheck(self, SCENE_TAG, record, testExtentOf(record));
}

/* How many calls the case takes if nobody is killed. */
static unsigned int
testCount(const caseDef *test, bool tagged)
{
    g_autoptr(scene) self = sceneNew(tagged, test->start);
    unsigned int before = self->client->calls;

    testAct(self, test->words);
    return self->client->calls - before;
}

static void
testKill(const caseDef *test, bool tagged)
{
    unsigned int calls = testCount(test, tagged);
    unsigned int n;

    g_assert_cmpuint(calls, >=, test->points);
    for (n = 0; n <= calls; n++) {
        g_autoptr(scene) self = sceneNew(tagged, test->start);
        char *before = modelDomainGetRecord(self->domain, SCENE_TAG);
        char *at;

        g_test_message("killed after call %u of %u", n, calls);
        self->client->dies_after = self->client->calls + n;
        testAct(self, test->words);
        at = modelDomainGetRecord(self->domain, SCENE_TAG);
        testSettle(self, test->guest);
        testExpect(self, test, before, at);
        free(before);
        free(at);
    }
}

/* The client that cleans up after the first one is killed too, at each of its calls. */
static void
testKillTwice(const caseDef *test, bool tagged)
{
    unsigned int calls = testCount(test, tagged);
    unsigned int n;
    unsigned int m;

    for (n = 0; n <= calls; n++) {
        for (m = testFew() ? n % 8 : 0; m < 8; m += testFew() ? 8 : 1) {
            g_autoptr(scene) self = sceneNew(tagged, test->start);
            char *before = modelDomainGetRecord(self->domain, SCENE_TAG);
            char *at;

            g_test_message("killed after call %u of %u, then after call %u", n, calls, m);
            self->client->dies_after = self->client->calls + n;
            testAct(self, test->words);
            at = modelDomainGetRecord(self->domain, SCENE_TAG);
            sceneNewClient(self);
            self->client->dies_after = m;
            testAct(self, "later refresh");
            testSettle(self, test->guest);
            testExpect(self, test, before, at);
            free(before);
            free(at);
        }
    }
}

/* --------------------------------------------------------------------- faults */

static const struct {
    const char *name;
    modelFaultKind kind;
} testFaults[] = {
    {"error", MODEL_FAULT_ERROR},
    {"lost", MODEL_FAULT_LOST},
    {"denied", MODEL_FAULT_DENIED},
    {"refused", MODEL_FAULT_REFUSED},
    {"hang", MODEL_FAULT_HANG},
    {"gone", MODEL_FAULT_GONE},
    {"gone-after", MODEL_FAULT_GONE_AFTER},
    {"not-json", MODEL_FAULT_NOT_JSON},
    {"huge", MODEL_FAULT_HUGE},
    {"huge-not-json", MODEL_FAULT_HUGE_NOT_JSON},
};

/* If QEMU refuses, the work may be left undone, with an error; but the records are true. */
static void
testAgree(const scene *self)
{
    unsigned int records;
    g_autofree char *wrong = sceneInconsistency(self, &records);

    g_assert_cmpstr(wrong, ==, NULL);
    sceneCheckSafe(self);
}

/* While QEMU hangs, another client's call ends once libvirt gives up. */
static void
testHanging(scene *self)
{
    sceneNewClient(self);
    g_assert_cmpint(sceneRefresh(self->client), ==, -1);
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_TIMEOUT);
    virResetLastError();
    self->domain->hung = false;
}

/* Inject one fault at the Nth command of what the case does. The client survives, and does the
 * rest. Returns false if there is no Nth command. */
static bool
testFaultAt(const caseDef *test, bool tagged, modelFaultKind kind, unsigned int n)
{
    g_autoptr(scene) self = sceneNew(tagged, test->start);
    char *before = modelDomainGetRecord(self->domain, SCENE_TAG);
    char *at;
    bool met;

    self->domain->fault.kind = kind;
    self->domain->fault.at = n;
    self->domain->fault.commands = 0;
    testAct(self, test->words);
    met = self->domain->fault.commands >= n;
    self->domain->fault.at = 0;
    g_assert_cmpuint(strlen(virGetLastErrorMessage()), <, 2000);
    at = modelDomainGetRecord(self->domain, SCENE_TAG);
    if (self->domain->hung)
        testHanging(self);
    if (self->device) {
        testSettle(self, test->guest);
        if (kind == MODEL_FAULT_REFUSED)
            testAgree(self);
        else
            testExpect(self, test, before, at);
    } else {
        sceneCheck(self, SCENE_TAG, "none", "gone");
    }
    free(before);
    free(at);
    return met;
}

static void
testFault(const caseDef *test, bool tagged)
{
    static size_t turn; /* the next fault, if each case gets only one */
    size_t i;
    unsigned int n;

    for (i = 0; i < G_N_ELEMENTS(testFaults); i++) {
        if (testFew() && i != turn % G_N_ELEMENTS(testFaults))
            continue;
        n = 1;
        do
            g_test_message("%s at command %u", testFaults[i].name, n);
        while (testFaultAt(test, tagged, testFaults[i].kind, n++));
    }
    turn++;
}

/* ----------------------------------------------------------- going elsewhere */

/* Another client takes the place of an add just before the add is recorded. */
static void
testTakePlace(virDomainPtr client, modelCallKind kind)
{
    virDomainPtr other;

    if (kind != MODEL_CALL_WRITE_XML)
        return;
    client->before = NULL;
    other = modelClientNew(client->domain);
    free(sceneAdd(other, SCENE_OTHER));
    virDomainFree(other);
}

/* An add that must go elsewhere is found in its new place, whenever its client is killed. */
static void
testElsewhere(gconstpointer opaque)
{
    unsigned int n = 0;
    bool done;

    do {
        g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "none");
        char *tag;

        g_test_message("killed after call %u", n);
        self->client->before = testTakePlace;
        self->client->dies_after = n++;
        tag = sceneAdd(self->client, SCENE_TAG);
        done = tag != NULL;
        free(tag);
        sceneNewClient(self);
        sceneDo(self, "later");
        sceneRefresh(self->client); /* it was not offered yet, and has no place: QEMU refuses */
        virResetLastError();
        sceneDo(self, "refresh");
        testAgree(self);
    } while (!done);
    g_assert_cmpuint(n, >, 6);
}

/* ------------------------------------------------------------------- the cases */

typedef struct {
    const caseDef *test;
    bool tagged;
    void (*function)(const caseDef *test, bool tagged);
} testRun;

static void
testDo(gconstpointer opaque)
{
    const testRun *run = opaque;

    run->function(run->test, run->tagged);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*function)(const caseDef *test, bool tagged);
    } functions[] = {
        {"kill", testKill},
        {"kill-twice", testKillTwice},
        {"fault", testFault},
    };
    static testRun runs[G_N_ELEMENTS(functions) * G_N_ELEMENTS(cases) * 2];
    size_t i;

    testInit(&argc, &argv);
    for (i = 0; i < G_N_ELEMENTS(runs); i++) {
        const caseDef *test = &cases[i / 2 % G_N_ELEMENTS(cases)];
        g_autofree char *path = NULL;

        runs[i].test = test;
        runs[i].tagged = i % 2 == 0;
        runs[i].function = functions[i / (2 * G_N_ELEMENTS(cases))].function;
        path = g_strdup_printf("/capacity/%s/%s/%s",
                               functions[i / (2 * G_N_ELEMENTS(cases))].name,
                               runs[i].tagged ? "tagged" : "static",
                               test->name);
        g_test_add_data_func(path, &runs[i], testDo);
    }
    g_test_add_data_func("/capacity/kill/tagged/elsewhere", GINT_TO_POINTER(true), testElsewhere);
    g_test_add_data_func("/capacity/kill/static/elsewhere", GINT_TO_POINTER(false), testElsewhere);
    return g_test_run();
}
