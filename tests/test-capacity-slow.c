/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-capacity-slow.c: a client is so slow that others get ahead of it
 *
 * A client stops before one of the commands by which it changes QEMU, when its record says adding.
 * Three seconds later, other clients no longer leave the capacity to it. Each case says what they
 * do in the meantime, what the slow client is told when it goes on, and what there is after a
 * refresh.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "model/scene.h"
#include "testutils.h"

typedef struct {
    const char *name;
    bool tagged;
    const char *start;
    const char *act;       /* of the slow client: add, add-there (at offset 0), refresh */
    unsigned int at;       /* the command it stops at: tagged 1 backend, 2 offer; static 1 */
    const char *meanwhile; /* words of model/scene.c, and those of testOthersDo() */
    bool mute;             /* when its command was refused, QEMU cannot be asked why */
    int code;              /* the error code that the slow client gets; 0: none */
    const char *record;    /* its state at the end */
} caseDef;

static const caseDef cases[] = {
    /* others have finished its add: it is done, whatever the guest has said to it */
    {"add-done", true, "none", "add", 1, "refresh", false, 0, "pending"},
    {"add-done-offer", true, "none", "add", 2, "refresh", false, 0, "pending"},
    {"add-accepted", true, "none", "add", 1, "refresh accept refresh", false, 0, "accepted"},
    {"add-accepted-offer", true, "none", "add", 2, "refresh accept refresh", false, 0, "accepted"},
    {"add-refused", true, "none", "add", 2, "refresh refuse refresh", false, 0, "rejected"},
    {"add-done", false, "none", "add", 1, "refresh", false, 0, "pending"},
    {"add-accepted", false, "none", "add", 1, "refresh accept refresh", false, 0, "accepted"},

    /* they were killed before they recorded the offer */
    {"add-offered", true, "none", "add", 2, "offer", false, 0, "pending"},
    {"add-offered-mute", true, "none", "add", 2, "offer", true, VIR_ERR_RPC, "pending"},

    /* a backend that it did not create may belong to another client */
    {"add-taken",
     true,
     "none",
     "add",
     1,
     "backend offer",
     false,
     VIR_ERR_OPERATION_FAILED,
     "pending"},

    /* they have forgotten it, and added the tag again: that is another capacity */
    {"add-anew",
     true,
     "none",
     "add",
     1,
     "refresh refuse refresh release add",
     false,
     VIR_ERR_OPERATION_FAILED,
     "pending"},
    {"add-anew-offer",
     true,
     "none",
     "add",
     2,
     "refresh refuse refresh release add",
     false,
     VIR_ERR_OPERATION_FAILED,
     "pending"},
    {"add-anew",
     false,
     "none",
     "add-there",
     1,
     "refresh refuse refresh release add",
     false,
     VIR_ERR_OPERATION_FAILED,
     "pending"},

    /* they have forgotten it */
    {"add-forgotten",
     true,
     "none",
     "add",
     2,
     "refresh refuse refresh release",
     false,
     VIR_ERR_OPERATION_FAILED,
     "none"},

    /* another capacity has its place */
    {"add-there", false, "none", "add-there", 1, "other", false, VIR_ERR_OPERATION_FAILED, "none"},

    /* a client that finishes for one that is gone gets no error if others were faster */
    {"finish-done", true, "adding", "refresh", 1, "refresh", false, 0, "pending"},
    {"finish-done-offer", true, "adding", "refresh", 2, "refresh", false, 0, "pending"},
    {"finish-backend", true, "adding", "refresh", 1, "backend", false, 0, "pending"},
    {"finish-backend-mute", true, "adding", "refresh", 1, "backend", true, VIR_ERR_RPC, "pending"},
    {"finish-offered", true, "adding", "refresh", 2, "offer", false, 0, "pending"},
    {"finish-anew",
     true,
     "adding",
     "refresh",
     1,
     "refresh refuse refresh add",
     false,
     0,
     "pending"},
    {"finish-anew-offer",
     true,
     "adding",
     "refresh",
     2,
     "refresh refuse refresh add",
     false,
     0,
     "pending"},
    {"finish-done", false, "adding", "refresh", 1, "refresh", false, 0, "pending"},
    {"finish-offered", false, "adding", "refresh", 1, "offer", false, 0, "pending"},
    {"finish-forgotten",
     true,
     "adding",
     "refresh",
     2,
     "refresh refuse refresh release",
     false,
     0,
     "none"},
    {"finish-anew",
     false,
     "adding",
     "refresh",
     1,
     "refresh refuse refresh add",
     false,
     0,
     "pending"},
};

typedef struct {
    const caseDef *test;
    scene *self;
    unsigned int commands; /* how many the slow client has come to */
} testSlow;

static void
testOffer(scene *self, const char *tag)
{
    g_autofree char *request =
        g_strdup_printf("{\"execute\":\"cxl-add-dynamic-capacity\",\"arguments\":{\"path\":"
                        "\"cxl-dcd0\",\"host-id\":0,\"selection-policy\":\"prescriptive\","
                        "\"region\":0,\"tag\":\"%s\",\"extents\":[{\"offset\":0,\"len\":%llu}]}}",
                        tag,
                        SCENE_SIZE);
    g_autofree char *answer = modelQemuCommand(self->domain->qemu, request);

    g_assert_cmpstr(answer, ==, "{\"return\":{}}");
}

/* What others have done in QEMU without recording it: the backend, or the offer. "other" is the
 * offer of another capacity at the same place, which is recorded. */
static void
testOthersDo(scene *self, const char *word)
{
    modelQemu *qemu = self->domain->qemu;
    scene others = *self;

    if (g_str_equal(word, "backend")) {
        modelObject *object =
            modelObjectNew(qemu, "memory-backend-ram", "cxl-dcd-" SCENE_TAG, SCENE_SIZE);

        object->tag = g_strdup(SCENE_TAG);
    } else if (g_str_equal(word, "offer")) {
        testOffer(self, SCENE_TAG);
    } else if (g_str_equal(word, "other")) {
        testOffer(self, SCENE_OTHER);
        modelDomainPutRecord(self->domain,
                             SCENE_OTHER,
                             "<capacity tag='" SCENE_OTHER "' region='0' state='pending' since='1' "
                             "device='cxl-dcd0'><size unit='MiB'>256</size><offset>0</offset>"
                             "</capacity>");
    } else {
        others.client = modelClientNew(self->domain);
        sceneDo(&others, word);
        virDomainFree(others.client);
    }
}

static void
testBefore(virDomainPtr client, modelCallKind kind)
{
    testSlow *slow = client->opaque;
    scene *self = slow->self;
    g_auto(GStrv) words = g_strsplit(slow->test->meanwhile, " ", -1);
    char **word;

    if (kind != MODEL_CALL_WRITE_QEMU ||
        sceneRecordState(self, SCENE_TAG) != VIR_DOMAIN_CXL_DCD_STATE_ADDING ||
        ++slow->commands < slow->test->at)
        return;
    client->before = NULL;
    sceneDo(self, "later");
    for (word = words; *word; word++)
        testOthersDo(self, *word);
    if (slow->test->mute) {
        self->domain->fault.kind = MODEL_FAULT_ERROR;
        self->domain->fault.at = self->domain->fault.commands + 2;
    }
}

/* Returns 0, or -1 with libvirt's error. */
static int
testAct(scene *self, const char *act)
{
    char *tag;

    if (g_str_equal(act, "refresh"))
        return sceneRefresh(self->client);
    tag = virDomainCxlDcdAdd(self->client,
                             g_str_equal(act, "add")
                                 ? "<cxl-dcd><capacity tag='" SCENE_TAG "'><size unit='MiB'>256"
                                   "</size></capacity></cxl-dcd>"
                                 : "<cxl-dcd><capacity tag='" SCENE_TAG "'><size unit='MiB'>256"
                                   "</size><offset>0</offset></capacity></cxl-dcd>",
                             VIR_DOMAIN_AFFECT_LIVE);
    free(tag);
    return tag ? 0 : -1;
}

static void
testCapacitySlow(gconstpointer opaque)
{
    const caseDef *test = opaque;
    g_autoptr(scene) self = sceneNew(test->tagged, test->start);
    testSlow slow = {test, self, 0};
    g_autofree char *wrong = NULL;
    unsigned int records;

    sceneDo(self, "later");
    sceneNewClient(self);
    self->client->before = testBefore;
    self->client->opaque = &slow;
    g_assert_cmpint(testAct(self, test->act), ==, test->code ? -1 : 0);
    g_assert_cmpint(virGetLastErrorCode(), ==, test->code);
    g_assert_null(self->client->before);
    virResetLastError();
    g_assert_cmpstr(sceneDanger(self), ==, NULL);

    sceneNewClient(self);
    sceneDo(self, "later refresh");
    g_assert_cmpstr(virDomainCxlDcdStateToString(sceneRecordState(self, SCENE_TAG)),
                    ==,
                    test->record);
    wrong = sceneInconsistency(self, &records);
    g_assert_cmpstr(wrong, ==, NULL);
    sceneCheckSafe(self);
}

int
main(int argc, char **argv)
{
    size_t i;

    testInit(&argc, &argv);
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *name =
            g_strdup_printf("/slow/%s/%s", cases[i].tagged ? "tagged" : "static", cases[i].name);

        g_test_add_data_func(name, &cases[i], testCapacitySlow);
    }
    return g_test_run();
}
