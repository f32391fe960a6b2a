/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-start.c: the capacities of a definition are offered once
 *
 * A client that starts a domain and a client that finds it started call the same
 * function, and each of them may be killed after any call to libvirt. In the end the
 * guest has been offered each capacity of the definition, exactly once.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "cxl_dcd_start.h"
#include "model/scene.h"
#include "qemu/qemu_cxl_dcd_capacity.h"
#include "testutils.h"

/* A scene whose definition names @capacities. */
static scene *
testScene(bool tagged, const char *capacities)
{
    scene *self = sceneNew(tagged, "none");
    g_auto(GStrv) parts = g_strsplit(self->domain->live, "</cxl-dcd>", 2);

    g_assert_nonnull(parts[1]);
    g_free(self->domain->live);
    self->domain->live = g_strconcat(parts[0], capacities, "</cxl-dcd>", parts[1], NULL);
    return self;
}

#define CAPACITY(tag, inner)                                                                       \
    "<capacity tag='" tag "'><size unit='MiB'>256</size>" inner "</capacity>"
#define TWO CAPACITY(SCENE_TAG, "") CAPACITY(SCENE_OTHER, "")
#define OVERLAPPING                                                                                \
    CAPACITY(SCENE_TAG, "<offset>0</offset>") CAPACITY(SCENE_OTHER, "<offset>0</offset>")

/* The states of both capacities, as "record record". */
static char *
testStates(const scene *self)
{
    return g_strdup_printf("%s %s",
                           virDomainCxlDcdStateToString(sceneRecordState(self, SCENE_TAG)),
                           virDomainCxlDcdStateToString(sceneRecordState(self, SCENE_OTHER)));
}

static void
testExpect(const scene *self, const char *states, guint offers)
{
    g_autofree char *got = testStates(self);
    guint n = 0;
    GList *event;

    for (event = self->device->events.head; event; event = event->next)
        n += ((modelEvent *)event->data)->add;
    g_assert_cmpstr(got, ==, states);
    g_assert_cmpuint(n, ==, offers);
}

static void
testOnce(gconstpointer opaque)
{
    g_autoptr(scene) self = testScene(GPOINTER_TO_INT(opaque), TWO);

    g_assert_cmpint(virCxlDcdStart(self->client), ==, 0);
    testExpect(self, "pending pending", 2);
    g_assert_cmpint(virCxlDcdStart(self->client), ==, 0);
    testExpect(self, "pending pending", 2);

    /* what was released on purpose, and what was refused and forgotten, is not offered again */
    sceneDo(self, "accept refuse refresh release obey refresh");
    g_assert_cmpint(virDomainCxlDcdRelease(self->client, NULL, SCENE_OTHER, 0), ==, 0);
    g_assert_cmpint(virCxlDcdStart(self->client), ==, 0);
    testExpect(self, "none none", 0);
    g_assert_cmpuint(sceneBackends(self), ==, 0);
}

static void
testKilled(gconstpointer opaque)
{
    bool done = false;
    unsigned int calls;

    /* a client that cannot look at the domain does nothing, and reports no error */
    for (calls = 1; !done; calls++) {
        g_autoptr(scene) self = testScene(GPOINTER_TO_INT(opaque), TWO);

        self->client->dies_after = calls;
        done = virCxlDcdStart(self->client) == 0;
        virResetLastError();
        sceneNewClient(self);
        sceneDo(self, "later");
        g_assert_cmpint(virCxlDcdStart(self->client), ==, 0);
        sceneDo(self, "refresh");
        testExpect(self, "pending pending", 2);
        sceneCheckSafe(self);
    }
    g_assert_cmpuint(calls, >, 8);
}

typedef struct {
    bool settle;       /* do not retry */
    GString *failures; /* the tags reported to it */
} testFailures;

static bool
testFailed(virDomainPtr domain G_GNUC_UNUSED, const virCxlDcdCapacityDef *capacity, void *opaque)
{
    testFailures *failures = opaque;

    g_assert_nonnull(virGetLastError());
    g_string_append(failures->failures, capacity->tag);
    return failures->settle;
}

static int
testOffer(scene *self, testFailures *failures)
{
    char *xml = virDomainGetXMLDesc(self->client, 0);
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(xml, "domain");
    g_autoptr(virCxlDcdDomainDef) def = virCxlDcdDomainDefParse(doc);

    free(xml);
    return virCxlDcdStartOffer(self->client, doc, def, failures ? testFailed : NULL, failures);
}

/* A capacity that cannot be offered: it ends the start, or is reported once and not retried, or
 * is retried, depending on the caller. */
static void
testImpossible(gconstpointer opaque)
{
    static const struct {
        bool told;
        bool settle;
        int ret;
        const char *failures; /* after two tries */
    } cases[] = {
        {false, false, -1, ""},
        {true, true, 0, SCENE_OTHER},
        {true, false, -1, SCENE_OTHER SCENE_OTHER},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(scene) self = testScene(GPOINTER_TO_INT(opaque), OVERLAPPING);
        g_autoptr(GString) told = g_string_new(NULL);
        testFailures failures = {cases[i].settle, told};
        unsigned int try;

        for (try = 0; try < 2; try++) {
            g_assert_cmpint(testOffer(self, cases[i].told ? &failures : NULL), ==, cases[i].ret);
            if (cases[i].ret < 0)
                g_assert_nonnull(strstr(virGetLastErrorMessage(), "overlaps capacity"));
            virResetLastError();
            testExpect(self, "pending none", 1);
        }
        g_assert_cmpstr(told->str, ==, cases[i].failures);
    }
}

/* A guest that continues from a saved state, or from elsewhere, has had its offers already,
 * whoever looks and whenever, and whether libvirt still says so or QEMU alone. */
static void
testRestored(gconstpointer opaque)
{
    static const struct {
        int reason;
        bool incoming;
    } cases[] = {
        {VIR_DOMAIN_RUNNING_RESTORED, true},
        {VIR_DOMAIN_RUNNING_MIGRATED, true},
        {VIR_DOMAIN_RUNNING_FROM_SNAPSHOT, false},
        {VIR_DOMAIN_RUNNING_UNPAUSED, true},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(scene) self = testScene(GPOINTER_TO_INT(opaque), TWO);

        self->domain->reason = cases[i].reason;
        self->domain->qemu->incoming = cases[i].incoming;
        g_assert_cmpint(virCxlDcdStart(self->client), ==, 0);
        testExpect(self, "none none", 0);
        self->domain->reason = 0;
        self->domain->qemu->incoming = false;
        g_assert_cmpint(testOffer(self, NULL), ==, 0);
        testExpect(self, "none none", 0);
    }
}

/* Nothing to do, and a domain that has stopped. */
static void
testNothing(gconstpointer opaque)
{
    g_autoptr(scene) self = testScene(GPOINTER_TO_INT(opaque), "");
    g_autofree char *live = g_strdup(self->domain->live);

    g_assert_cmpint(virCxlDcdStart(self->client), ==, 0);
    g_assert_cmpstr(self->domain->live, ==, live);
    g_assert_cmpint(virDomainCxlDcdListDevices(self->client, NULL, 0), ==, 1);

    g_free(self->domain->live);
    self->domain->live = g_strdup("<domain id='1'><name>vm</name><devices/></domain>");
    g_assert_cmpint(virCxlDcdStart(self->client), ==, 0);
    g_assert_null(strstr(self->domain->live, "metadata"));

    sceneDo(self, "die");
    g_assert_cmpint(virCxlDcdStart(self->client), ==, -1);
    testAssertError(VIR_ERR_OPERATION_INVALID,
                    "Requested operation is not valid: domain 'vm' ended before it was offered "
                    "its capacities");
}

/* libvirt cannot print a domain whose QEMU does not respond. That makes the start fail only if
 * there may be something to offer. */
static void
testBusy(gconstpointer opaque)
{
    g_autoptr(scene) self = testScene(GPOINTER_TO_INT(opaque), TWO);

    self->domain->hung = true;
    g_assert_cmpint(virCxlDcdStart(self->client), ==, -1);
    testAssertError(VIR_ERR_OPERATION_TIMEOUT,
                    "Timed out during operation: cannot acquire state change lock (held by "
                    "monitor=remoteDispatchDomainQemuMonitorCommand)");
    virResetLastError();
    g_free(self->domain->live);
    self->domain->live = g_strdup("<domain id='1'><name>vm</name><devices/></domain>");
    g_assert_cmpint(virCxlDcdStart(self->client), ==, 0);
    g_assert_null(virGetLastError());
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        void (*function)(gconstpointer opaque);
    } tests[] = {
        {"once", testOnce},
        {"killed", testKilled},
        {"impossible", testImpossible},
        {"restored", testRestored},
        {"nothing", testNothing},
        {"busy", testBusy},
    };
    size_t i;
    int tagged;

    testInit(&argc, &argv);
    for (i = 0; i < G_N_ELEMENTS(tests); i++) {
        for (tagged = 0; tagged < 2; tagged++) {
            g_autofree char *path =
                g_strdup_printf("/start/%s/%s", tests[i].name, tagged ? "tagged" : "static");

            g_test_add_data_func(path, GINT_TO_POINTER(tagged), tests[i].function);
        }
    }
    return g_test_run();
}
