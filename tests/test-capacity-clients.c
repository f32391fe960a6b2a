/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-capacity-clients.c: two clients at a time, in every order of their steps
 *
 * Each client is a thread that stops before each call of libvirt and goes on when it is
 * told to. So only one of them runs at a time, and the test determines the order. A case is
 * run once for each possible order: the first run always prefers the first client, and each
 * further run differs from the one before in the last choice that can differ.
 *
 * At the end of each order, and after a later refresh, the records agree with QEMU, nothing
 * is left over, and what the clients were told is true.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "model/scene.h"
#include "testutils.h"

/* ---------------------------------------------------------------- scheduling */

typedef struct {
    const char *words; /* what it does */
    const char *tag;   /* of the capacity that it does this with */
    scene *scene;
    virDomainPtr client;
    GThread *thread;
    GMutex *lock;
    GCond *turn;        /* somebody's turn has come */
    bool mine;          /* it is this client's turn */
    modelCallKind next; /* the call that it stopped before */
    bool done;
    unsigned int succeeded; /* how many of its words succeeded */
    char *error;            /* the error of the last one that failed */
} testClient;

/* Give the turn back, and wait for the next one. */
static void
testYield(testClient *self)
{
    g_mutex_lock(self->lock);
    self->mine = false;
    g_cond_broadcast(self->turn);
    while (!self->mine)
        g_cond_wait(self->turn, self->lock);
    g_mutex_unlock(self->lock);
}

static void
testBefore(virDomainPtr client, modelCallKind kind)
{
    testClient *self = client->opaque;

    self->next = kind;
    testYield(self);
}

/* Whether it matters which of two calls comes first. */
static bool
testDepend(modelCallKind a, modelCallKind b)
{
    bool a_qemu = a == MODEL_CALL_READ_QEMU || a == MODEL_CALL_WRITE_QEMU;
    bool b_qemu = b == MODEL_CALL_READ_QEMU || b == MODEL_CALL_WRITE_QEMU;
    bool write = a == MODEL_CALL_WRITE_XML || a == MODEL_CALL_WRITE_QEMU ||
                 b == MODEL_CALL_WRITE_XML || b == MODEL_CALL_WRITE_QEMU;

    return a_qemu == b_qemu && write;
}

/* A capacity of half of SCENE_SIZE, in the middle of the device. */
static char *
testAddSmall(virDomainPtr client, const char *tag)
{
    g_autofree char *xml = g_strdup_printf("<cxl-dcd><capacity tag='%s'><size unit='MiB'>128</size>"
                                           "<offset unit='MiB'>512</offset></capacity></cxl-dcd>",
                                           tag);

    return virDomainCxlDcdAdd(client, xml, VIR_DOMAIN_AFFECT_LIVE);
}

static bool
testWord(testClient *self, const char *word)
{
    char *tag;

    if (g_str_equal(word, "release"))
        return virDomainCxlDcdRelease(self->client, NULL, self->tag, VIR_DOMAIN_AFFECT_LIVE) == 0;
    if (g_str_equal(word, "refresh"))
        return sceneRefresh(self->client) == 0;
    if (g_str_equal(word, "later")) {
        sceneDo(self->scene, word);
        return true;
    }
    if (g_str_equal(word, "add-small")) {
        tag = testAddSmall(self->client, self->tag);
    } else {
        g_assert_cmpstr(word, ==, "add");
        tag = sceneAdd(self->client, self->tag);
    }
    free(tag);
    return tag != NULL;
}

static gpointer
testRunClient(gpointer opaque)
{
    testClient *self = opaque;
    g_auto(GStrv) words = g_strsplit(self->words, " ", -1);
    char **word;

    testYield(self);
    for (word = words; *word; word++) {
        if (testWord(self, *word)) {
            self->succeeded++;
        } else {
            g_free(self->error);
            self->error = g_strdup(virGetLastErrorMessage());
        }
    }
    g_mutex_lock(self->lock);
    self->done = true;
    self->mine = false;
    g_cond_broadcast(self->turn);
    g_mutex_unlock(self->lock);
    return NULL;
}

/* Let @self go on until it stops again. The lock is held. */
static void
testLetGo(testClient *self)
{
    self->mine = true;
    g_cond_broadcast(self->turn);
    while (self->mine)
        g_cond_wait(self->turn, self->lock);
}

/* Run both clients to their first call. The lock is held. */
static void
testBegin(testClient *clients)
{
    guint i;

    for (i = 0; i < 2; i++) {
        clients[i].mine = true;
        clients[i].thread = g_thread_new("client", testRunClient, &clients[i]);
        while (clients[i].mine)
            g_cond_wait(clients[i].turn, clients[i].lock);
        testLetGo(&clients[i]);
    }
}

/* Run both clients to their ends. @choices: whose turn it was, 0 or 1, each time that both could
 * go on. Choices that it already holds are followed, and the others are added as 0. Returns
 * false if another order was the same. */
static bool
testInterleave(testClient *clients, GByteArray *choices)
{
    const guint8 first = 0;
    bool sleeping = false; /* the first client */
    bool same = false;
    guint n = 0;
    guint i;

    g_mutex_lock(clients[0].lock);
    testBegin(clients);
    while (!clients[0].done || !clients[1].done) {
        i = clients[0].done;
        same |= sleeping && clients[1].done;
        if (!clients[0].done && !clients[1].done) {
            if (!sleeping && n == choices->len)
                g_byte_array_append(choices, &first, 1);
            i = sleeping ? 1 : choices->data[n++];
            sleeping = i == 1 && !testDepend(clients[0].next, clients[1].next);
        }
        testLetGo(&clients[i]);
    }
    g_mutex_unlock(clients[0].lock);
    for (i = 0; i < 2; i++)
        g_thread_join(clients[i].thread);
    return !same;
}

/* Change the choices to the next order. Returns false if there is none. */
static bool
testNextOrder(GByteArray *choices)
{
    while (choices->len > 0 && choices->data[choices->len - 1] == 1)
        g_byte_array_set_size(choices, choices->len - 1);
    if (choices->len == 0)
        return false;
    choices->data[choices->len - 1] = 1;
    return true;
}

static char *
testFormatOrder(const GByteArray *choices)
{
    g_autoptr(GString) buf = g_string_new(NULL);
    guint i;

    for (i = 0; i < choices->len; i++)
        g_string_append_c(buf, choices->data[i] ? 'B' : 'A');
    return g_string_free(g_steal_pointer(&buf), FALSE);
}

/* -------------------------------------------------------------------- cases */

typedef struct {
    const char *name;
    const char *start;
    const char *before;   /* what happens first, words of scene.c */
    const char *words[2]; /* what each client does, with the capacity of its tag */
    const char *tags[2];
    unsigned int succeed[2]; /* how many of all those words succeed: from, to */
    unsigned int records[2]; /* how many records there are at the end: from, to */
    unsigned int known[2];   /* how many orders end otherwise (tagged, static), see below */
} caseDef;

/* What cannot be prevented without a compare-and-set, which libvirt's metadata lacks. A client
 * may see that a capacity is gone, and stop just before it acts on that. If another client then
 * forgets the capacity too, and adds the same tag again, the first takes the new capacity for the
 * old one. Or a client may see that a tag has no record, and stop just before it writes one. If
 * another client then adds the tag, the first overwrites that record. This is how many orders of
 * either kind there are; there must not be more. */
static const caseDef cases[] = {
    {"add-same-tag", "none", "", {"add", "add"}, {SCENE_TAG, SCENE_TAG}, {1, 1}, {1, 1}},
    /* the record describes what the client that succeeds has added */
    {"add-same-tag-else",
     "none",
     "",
     {"add", "add-small"},
     {SCENE_TAG, SCENE_TAG},
     {1, 1},
     {1, 1},
     {8, 12}},
    {"add-other-tag", "none", "", {"add", "add"}, {SCENE_TAG, SCENE_OTHER}, {2, 2}, {2, 2}},
    {"release-twice",
     "accepted",
     "",
     {"release", "release"},
     {SCENE_TAG, SCENE_TAG},
     {2, 2},
     {1, 1}},
    {"refresh-twice-adding",
     "adding",
     "later",
     {"refresh", "refresh"},
     {SCENE_TAG, SCENE_TAG},
     {2, 2},
     {1, 1}},
    {"refresh-twice-backend",
     "adding-backend",
     "later",
     {"refresh", "refresh"},
     {SCENE_TAG, SCENE_TAG},
     {2, 2},
     {1, 1}},
    {"refresh-twice-refused",
     "pending",
     "refuse",
     {"refresh", "refresh"},
     {SCENE_TAG, SCENE_TAG},
     {2, 2},
     {1, 1}},
    {"refresh-twice-returned",
     "releasing",
     "obey",
     {"refresh", "refresh"},
     {SCENE_TAG, SCENE_TAG},
     {2, 2},
     {0, 0}},
    {"refresh-twice-ask",
     "releasing-not-asked",
     "",
     {"refresh", "refresh"},
     {SCENE_TAG, SCENE_TAG},
     {2, 2},
     {1, 1}},
    {"refresh-and-release",
     "adding",
     "later",
     {"refresh", "release"},
     {SCENE_TAG, SCENE_TAG},
     {1, 1},
     {1, 1}},
    {"refresh-and-add-other",
     "adding",
     "later",
     {"refresh", "add"},
     {SCENE_TAG, SCENE_OTHER},
     {2, 2},
     {2, 2}},
    {"refresh-and-add-same",
     "releasing",
     "obey",
     {"refresh", "add"},
     {SCENE_TAG, SCENE_TAG},
     {1, 2},
     {0, 1},
     {15, 1}},
    {"add-and-release", "none", "", {"add", "release"}, {SCENE_TAG, SCENE_TAG}, {1, 1}, {1, 1}},
    {"forget-and-add",
     "rejected",
     "",
     {"release", "add"},
     {SCENE_TAG, SCENE_TAG},
     {1, 2},
     {0, 1},
     {1, 1}},
    /* the owner is so slow that another client finishes its add, for which it may get an error */
    {"slow-add",
     "none",
     "",
     {"add", "refresh later refresh"},
     {SCENE_TAG, SCENE_TAG},
     {3, 4},
     {1, 1}},
    {"slow-add-after-refusal",
     "rejected",
     "",
     {"add", "refresh later refresh"},
     {SCENE_TAG, SCENE_TAG},
     {3, 4},
     {1, 1}},
    {"accept-and-release",
     "pending",
     "accept",
     {"refresh", "release"},
     {SCENE_TAG, SCENE_TAG},
     {2, 2},
     {1, 1}},
};

/* Run one order. Returns what is wrong at its end, or NULL. @orders is incremented if it is a new
 * one. */
static char *
testOrder(const caseDef *test, bool tagged, GByteArray *choices, unsigned int *orders)
{
    g_autoptr(scene) self = sceneNew(tagged, test->start);
    GMutex lock;
    GCond turn;
    testClient clients[2] = {0};
    unsigned int succeeded;
    unsigned int records = 0;
    char *wrong;
    guint i;

    g_mutex_init(&lock);
    g_cond_init(&turn);
    sceneDo(self, test->before);
    for (i = 0; i < 2; i++) {
        clients[i].words = test->words[i];
        clients[i].tag = test->tags[i];
        clients[i].scene = self;
        clients[i].client = modelClientNew(self->domain);
        clients[i].client->before = testBefore;
        clients[i].client->opaque = &clients[i];
        clients[i].lock = &lock;
        clients[i].turn = &turn;
    }
    *orders += testInterleave(clients, choices);
    sceneDo(self, "later refresh later refresh");
    wrong = g_strdup(sceneDanger(self));
    if (!wrong)
        wrong = sceneInconsistency(self, &records);
    succeeded = clients[0].succeeded + clients[1].succeeded;
    if (!wrong && (succeeded < test->succeed[0] || succeeded > test->succeed[1]))
        wrong =
            g_strdup_printf("%u succeeded: %s; %s", succeeded, clients[0].error, clients[1].error);
    if (!wrong && (records < test->records[0] || records > test->records[1]))
        wrong = g_strdup_printf("%u records", records);
    for (i = 0; i < 2; i++) {
        virDomainFree(clients[i].client);
        g_free(clients[i].error);
    }
    g_cond_clear(&turn);
    g_mutex_clear(&lock);
    return wrong;
}

static void
testClients(const caseDef *test, bool tagged)
{
    g_autoptr(GByteArray) choices = g_byte_array_new();
    unsigned int orders = 0;
    unsigned int wrongs = 0;

    do {
        g_autofree char *wrong = testOrder(test, tagged, choices, &orders);

        if (wrong) {
            g_autofree char *order = testFormatOrder(choices);

            g_test_message("in the order %s: %s", order, wrong);
            wrongs++;
        }
    } while (testNextOrder(choices) && (!testFew() || orders < 8));
    g_test_message("%u orders", orders);
    g_assert_cmpuint(wrongs, <=, test->known[!tagged]);
    g_assert_cmpuint(orders, >, 1);
}

static void
testClientsTagged(gconstpointer opaque)
{
    testClients(opaque, true);
}

static void
testClientsStatic(gconstpointer opaque)
{
    testClients(opaque, false);
}

int
main(int argc, char **argv)
{
    size_t i;

    testInit(&argc, &argv);
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *tagged = g_strconcat("/clients/tagged/", cases[i].name, NULL);
        g_autofree char *fixed = g_strconcat("/clients/static/", cases[i].name, NULL);

        g_test_add_data_func(tagged, &cases[i], testClientsTagged);
        g_test_add_data_func(fixed, &cases[i], testClientsStatic);
    }
    return g_test_run();
}
