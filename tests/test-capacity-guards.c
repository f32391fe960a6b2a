/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-capacity-guards.c: what the library steers around
 *
 * What QEMU would accept, but be harmed by, must never be sent. Each test fails if its guard is
 * removed from the library.
 */

#include <config.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "conf/cxl_dcd_domain.h"
#include "model/scene.h"
#include "testutils.h"

/* How many requests to @self's QEMU contain @text. */
static unsigned int
testRequests(const scene *self, const char *text)
{
    unsigned int n = 0;
    guint i;

    for (i = 0; i < self->domain->qemu->requests->len; i++)
        n += strstr(g_ptr_array_index(self->domain->qemu->requests, i), text) != NULL;
    return n;
}

static char *
testTag(unsigned int n)
{
    return g_strdup_printf("000000a%u-0000-4000-8000-000000000000", n);
}

/* Add @size bytes under the tag @n. Returns 0, or -1 with libvirt's error. */
static int
testAddSize(scene *self, unsigned int n, unsigned long long size)
{
    g_autofree char *tag = testTag(n);
    g_autofree char *xml = g_strdup_printf("<cxl-dcd><capacity tag='%s'><size unit='bytes'>%llu"
                                           "</size></capacity></cxl-dcd>",
                                           tag,
                                           size);
    char *got = virDomainCxlDcdAdd(self->client, xml, VIR_DOMAIN_AFFECT_LIVE);

    free(got);
    return got ? 0 : -1;
}

/* Every add, release and status query carries a tag, probes included. */
static void
testTagAlways(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "none");

    sceneDo(self, "add refresh accept refresh release refresh obey refresh");
    g_assert_cmpuint(testRequests(self, "cxl-add-dynamic-capacity"), >=, 1);
    g_assert_cmpuint(testRequests(self, "cxl-release-dynamic-capacity\""), >=, 1);
    sceneCheck(self, SCENE_TAG, "none", "gone");
}

/* A tag is the same however a user spells it: in the record, in QEMU, and for a second add. */
static void
testTagSpelling(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "none");
    const char *upper = "5BE13BCE-AE34-4A77-B6C3-16DF975FCF1A";
    char *tag = sceneAdd(self->client, upper);

    g_assert_cmpstr(tag, ==, SCENE_TAG);
    free(tag);
    sceneCheck(self, SCENE_TAG, "pending", "pending");
    sceneDo(self, "add! accept refresh");
    g_assert_null(sceneAdd(self->client, upper));
    g_assert_cmpint(virDomainCxlDcdRelease(self->client, NULL, upper, VIR_DOMAIN_AFFECT_LIVE),
                    ==,
                    0);
    sceneDo(self, "obey");
    g_assert_cmpint(virDomainCxlDcdWait(self->client, upper, 1000, 0),
                    ==,
                    VIR_DOMAIN_CXL_DCD_STATE_NONE);
    g_assert_cmpuint(testRequests(self, upper), ==, 0);
    sceneCheck(self, SCENE_TAG, "none", "gone");
}

/* QEMU with the series accepts two backends with the same tag, and an add finds either of them. A
 * backend that somebody else created is noticed, whatever its spelling of the tag, before anything
 * is created. */
static void
testTagForeign(void)
{
    static const struct {
        const char *type;
        const char *tag;
        bool refused;
    } foreign[] = {
        {"memory-backend-ram", SCENE_TAG, true},
        {"memory-backend-file", "5BE13BCE-AE34-4A77-B6C3-16DF975FCF1A", true},
        {"memory-backend-memfd", SCENE_OTHER, false},
        {"memory-backend-ram", "", false},
        {"memory-backend-ram", NULL, false},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(foreign); i++) {
        g_autoptr(scene) self = sceneNew(true, "none");
        modelObject *object =
            modelObjectNew(self->domain->qemu, foreign[i].type, "of-another", SCENE_SIZE);
        g_autofree char *before = g_strdup(self->domain->live);

        object->tag = g_strdup(foreign[i].tag);
        if (!foreign[i].refused) {
            sceneDo(self, "add accept refresh");
            sceneCheck(self, SCENE_TAG, "accepted", "accepted");
            continue;
        }
        sceneDo(self, "add!");
        g_assert_null(sceneAdd(self->client, SCENE_TAG));
        g_assert_nonnull(strstr(virGetLastErrorMessage(), "'of-another'"));
        g_assert_nonnull(strstr(virGetLastErrorMessage(), SCENE_TAG));
        g_assert_cmpstr(self->domain->live, ==, before);
        g_assert_cmpuint(testRequests(self, "object-add"), ==, 0);
        g_assert_cmpuint(testRequests(self, "cxl-add"), ==, 0);
    }
}

/* A backend is deleted when its extent is gone, and at no other time. */
static void
testBackendKept(void)
{
    g_autoptr(scene) self = sceneNew(true, "none");

    sceneDo(self, "add refresh later refresh reset refresh release! add!");
    g_assert_cmpuint(testRequests(self, "object-del"), ==, 0);
    sceneDo(self, "accept refresh later refresh release refresh later refresh release");
    g_assert_cmpuint(testRequests(self, "object-del"), ==, 0);
    sceneDo(self, "obey refresh");
    g_assert_cmpuint(testRequests(self, "object-del"), ==, 1);
    sceneCheck(self, SCENE_TAG, "none", "gone");
}

/* The record stays as long as QEMU does not free the memory, and goes with it. */
static void
testBackendInUse(void)
{
    g_autoptr(scene) self = sceneNew(true, "accepted");
    modelObject *backend = modelObjectById(self->domain->qemu, "cxl-dcd-" SCENE_TAG);

    g_assert_nonnull(backend);
    backend->users++;
    sceneDo(self, "release obey");
    g_assert_cmpint(sceneRefresh(self->client), ==, -1);
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_FAILED);
    g_assert_nonnull(strstr(virGetLastErrorMessage(), "cannot free the memory"));
    g_assert_cmpint(sceneRecordState(self, SCENE_TAG), ==, VIR_DOMAIN_CXL_DCD_STATE_RELEASING);
    backend->users--;
    sceneDo(self, "refresh");
    sceneCheck(self, SCENE_TAG, "none", "gone");
}

/* A device is not unplugged, neither by a <cxl-dcd> without a capacity nor with two. */
static void
testDeviceStays(void)
{
    static const char *const documents[] = {
        "<cxl-dcd/>",
        "<cxl-dcd><alias name='cxl-dcd0'/></cxl-dcd>",
        "<cxl-dcd><capacity><size unit='MiB'>256</size></capacity>"
        "<capacity><size unit='MiB'>256</size></capacity></cxl-dcd>",
    };
    g_autoptr(scene) self = sceneNew(true, "accepted");
    guint before = self->domain->qemu->requests->len;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_assert_null(virDomainCxlDcdAdd(self->client, documents[i], VIR_DOMAIN_AFFECT_LIVE));
        g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_CONFIG_UNSUPPORTED);
    }
    g_assert_cmpuint(self->domain->qemu->requests->len, ==, before);
    sceneDo(self, "release obey refresh");
    g_assert_cmpuint(testRequests(self, "device_del"), ==, 0);
}

/* The guest would never learn of a ninth unanswered offer. */
static void
testNinthOffer(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "none");
    g_autofree char *before = NULL;
    unsigned int answered = 0;
    unsigned int i;

    for (i = 0; i < 8; i++)
        g_assert_cmpint(testAddSize(self, i, 64ULL << 20), ==, 0);
    before = g_strdup(self->domain->live);
    g_assert_cmpint(testAddSize(self, 8, 64ULL << 20), ==, -1);
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_INVALID);
    g_assert_nonnull(strstr(virGetLastErrorMessage(), "has not answered 8 offers"));
    g_assert_cmpstr(self->domain->live, ==, before);
    g_assert_cmpuint(modelDeviceTotal(self->device), ==, 8);
    /* Answers make room even without a refresh: QEMU is asked. */
    sceneDo(self, "refuse refuse");
    for (i = 8; i < 10; i++)
        g_assert_cmpint(testAddSize(self, i, 64ULL << 20), ==, 0);
    while (modelGuestAnswer(self->domain->qemu, self->device, false))
        answered++;
    g_assert_cmpuint(answered, ==, 8);
    sceneCheckSafe(self);
}

/* An add in progress may make its offer at any moment: it counts as an offer. */
static void
testNinthAdding(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "adding");
    unsigned int i;

    for (i = 0; i < 7; i++)
        g_assert_cmpint(testAddSize(self, i, 64ULL << 20), ==, 0);
    g_assert_cmpint(testAddSize(self, 7, 64ULL << 20), ==, -1);
    g_assert_nonnull(strstr(virGetLastErrorMessage(), "has not answered 8 offers"));
    sceneDo(self, "later refresh");
    g_assert_cmpuint(self->device->events.length, ==, 8);
}

/* Released versions of QEMU know no tags: an unfinished add does not claim the extent of another
 * capacity at its place. */
static void
testNotClaimed(void)
{
    g_autoptr(scene) left = sceneNew(false, "adding");
    g_autoptr(scene) self = sceneNew(false, "none");
    char *record = modelDomainGetRecord(left->domain, SCENE_TAG);

    free(sceneAdd(self->client, SCENE_OTHER));
    sceneDo(self, "accept refresh");
    modelDomainPutRecord(self->domain, SCENE_TAG, record);
    free(record);
    sceneDo(self, "later refresh");
    sceneCheck(self, SCENE_TAG, "none", "accepted");
    sceneCheck(self, SCENE_OTHER, "accepted", "accepted");
}

/* Two adds have chosen the same place, and both clients are gone. One of them, with the tag
 * @offered, had made its offer; the other had created its backend at most. */
static scene *
testOnePlace(bool tagged, const char *offered, const char *other, bool backend)
{
    scene *self = sceneNew(tagged, "none");
    g_autoptr(GString) adding = NULL;
    char *record;

    free(sceneAdd(self->client, offered));
    record = modelDomainGetRecord(self->domain, offered);
    adding = g_string_new(record);
    free(record);
    g_assert_cmpuint(g_string_replace(adding, "pending", "adding", 1), ==, 1);
    modelDomainPutRecord(self->domain, offered, adding->str);
    g_string_replace(adding, offered, other, 0);
    modelDomainPutRecord(self->domain, other, adding->str);
    if (backend) {
        g_autofree char *id = g_strconcat("cxl-dcd-", other, NULL);

        modelObjectNew(self->domain->qemu, "memory-backend-ram", id, SCENE_SIZE)->tag =
            g_strdup(other);
    }
    sceneNewClient(self);
    model_time += 3 * G_USEC_PER_SEC;
    return self;
}

/* Whichever of the two is refreshed first, and whatever QEMU says about an offer: the memory of
 * the offer stays until the guest has answered, and then it is known whose it was. */
static void
testSamePlace(void)
{
    static const char *const tags[] = {SCENE_TAG, SCENE_OTHER};
    unsigned int i;

    for (i = 0; i < 16; i++) {
        const char *offered = tags[i & 1];
        const char *other = tags[!(i & 1)];
        g_autoptr(scene) self = testOnePlace(true, offered, other, i & 2);
        bool accept = i & 8;
        unsigned int j;

        self->domain->qemu->terse = i & 4;
        g_test_message("%u", i);
        for (j = 0; j < 3; j++)
            sceneRefresh(self->client); /* QEMU may refuse to finish the other */
        virResetLastError();
        g_assert_cmpstr(sceneDanger(self), ==, NULL);
        g_assert_cmpint(sceneRecordState(self, offered), ==, VIR_DOMAIN_CXL_DCD_STATE_PENDING);
        if (!self->domain->qemu->terse)
            g_assert_cmpint(sceneRecordState(self, other), ==, VIR_DOMAIN_CXL_DCD_STATE_NONE);
        sceneDo(self, accept ? "accept refresh" : "refuse refresh");
        g_assert_cmpint(sceneRecordState(self, offered),
                        ==,
                        accept ? VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED
                               : VIR_DOMAIN_CXL_DCD_STATE_REJECTED);
        g_assert_cmpint(sceneRecordState(self, other), !=, VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED);
        g_assert_cmpuint(sceneBackends(self), ==, accept);
        sceneCheckSafe(self);
    }
}

/* If QEMU cannot be asked whose the place is, that is an error: nothing is guessed. */
static void
testSamePlaceMute(void)
{
    unsigned int n = 1;
    bool met;

    do {
        g_autoptr(scene) self = testOnePlace(true, SCENE_TAG, SCENE_OTHER, true);
        int ret;

        self->domain->qemu->terse = true;
        self->domain->fault.kind = MODEL_FAULT_ERROR;
        self->domain->fault.commands = 0;
        self->domain->fault.at = n;
        ret = sceneRefresh(self->client);
        if ((met = self->domain->fault.commands >= n++)) {
            g_assert_cmpint(ret, ==, -1);
            g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_RPC);
        }
        virResetLastError();
        g_assert_cmpstr(sceneDanger(self), ==, NULL);
    } while (met);
    g_assert_cmpuint(n, >, 4);
}

/* A tag names one capacity in the whole domain, not only in its device. */
static void
testTagUnique(gconstpointer opaque)
{
    bool tagged = GPOINTER_TO_INT(opaque);
    g_autoptr(scene) self = sceneNew(tagged, "none");
    modelQemu *qemu = self->domain->qemu;
    g_autoptr(modelDomain) domain = NULL;
    g_autoptr(virDomain) client = NULL;
    const char *first = "<cxl-dcd><capacity tag='" SCENE_TAG "'><size unit='MiB'>256</size>"
                        "</capacity><alias name='cxl-dcd0'/></cxl-dcd>";
    const char *second = "<cxl-dcd><capacity tag='" SCENE_TAG "'><size unit='MiB'>256</size>"
                         "</capacity><alias name='other'/></cxl-dcd>";
    char *tag;

    /* the domain gets two devices */
    if (!tagged)
        modelObjectNew(qemu, "memory-backend-ram", "other-mem", 1ULL << 30);
    modelDeviceNew(qemu, "other", 1, 1ULL << 30, tagged ? NULL : "other-mem");
    self->domain->qemu = NULL;
    domain = modelDomainNew(qemu);
    client = modelClientNew(domain);
    tag = virDomainCxlDcdAdd(client, first, VIR_DOMAIN_AFFECT_LIVE);
    g_assert_cmpstr(tag, ==, SCENE_TAG);
    free(tag);
    g_assert_null(virDomainCxlDcdAdd(client, second, VIR_DOMAIN_AFFECT_LIVE));
    g_assert_nonnull(strstr(virGetLastErrorMessage(), "a tag names one capacity"));
    g_assert_cmpuint(modelDeviceTotal(modelDeviceByAlias(qemu, "other")), ==, 0);
    g_assert_cmpint(virDomainCxlDcdRelease(client, "other", SCENE_TAG, VIR_DOMAIN_AFFECT_LIVE),
                    ==,
                    -1);
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_DEVICE_MISSING);
}

/* Two clients add the same tag at the same time. A record that the other client has written since
 * the domain was read is not overwritten. */
static void
testTagMeanwhile(virDomainPtr client, modelCallKind kind G_GNUC_UNUSED)
{
    virDomainPtr other;

    if (client->calls < 2) /* it reads the domain twice */
        return;
    client->before = NULL;
    other = modelClientNew(client->domain);
    free(sceneAdd(other, SCENE_TAG));
    virDomainFree(other);
}

static void
testTagRecorded(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "none");

    self->client->before = testTagMeanwhile;
    g_assert_null(virDomainCxlDcdAdd(self->client,
                                     "<cxl-dcd><capacity tag='" SCENE_TAG "'><size unit='MiB'>128"
                                     "</size><offset unit='MiB'>512</offset></capacity></cxl-dcd>",
                                     VIR_DOMAIN_AFFECT_LIVE));
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_INVALID);
    g_assert_nonnull(strstr(virGetLastErrorMessage(), "state pending: a tag names one capacity"));
    virResetLastError();
    sceneDo(self, "later refresh accept refresh release obey refresh");
    sceneCheck(self, SCENE_TAG, "none", "gone");
}

#define TEST_ADDING                                                                                \
    "<capacity tag='" SCENE_TAG "' region='0' state='adding' since='%lld' device='cxl-dcd0' "      \
    "request='11111111-2222-4333-8444-555555555555'><size unit='MiB'>128</size>"                   \
    "<offset unit='MiB'>512</offset></capacity>"

/* The other client writes its record just after this client has written its own. */
static void
testWriteOver(virDomainPtr client, modelCallKind kind G_GNUC_UNUSED)
{
    g_autofree char *other = NULL;
    char *record = modelDomainGetRecord(client->domain, SCENE_TAG);

    if (record) {
        client->before = NULL;
        other = g_strdup_printf(TEST_ADDING, (long long)(model_time / G_USEC_PER_SEC));
        modelDomainPutRecord(client->domain, SCENE_TAG, other);
    }
    free(record);
}

/* Released versions of QEMU know no tags: the client whose record was overwritten sends QEMU
 * nothing, and leaves the tag to the other client. */
static void
testTagOverwritten(void)
{
    g_autoptr(scene) self = sceneNew(false, "none");
    modelRange range;

    self->client->before = testWriteOver;
    g_assert_null(sceneAdd(self->client, SCENE_TAG));
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_INVALID);
    g_assert_nonnull(strstr(virGetLastErrorMessage(), "at the same time"));
    virResetLastError();
    g_assert_cmpuint(modelDeviceTotal(self->device), ==, 0);
    sceneDo(self, "later refresh accept refresh");
    sceneCheck(self, SCENE_TAG, "accepted", "accepted");
    range = ((modelExtent *)g_ptr_array_index(self->device->accepted, 0))->range;
    g_assert_cmpuint(range.dpa, ==, 512ULL << 20);
    g_assert_cmpuint(range.len, ==, 128ULL << 20);
}

/* A record that says adding is left to its owner for two seconds, and no longer. */
static void
testGrace(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "adding");

    model_time += G_USEC_PER_SEC;
    sceneDo(self, "refresh");
    g_assert_cmpint(sceneRecordState(self, SCENE_TAG), ==, VIR_DOMAIN_CXL_DCD_STATE_ADDING);
    g_assert_cmpuint(modelDeviceTotal(self->device), ==, 0);
    model_time += G_USEC_PER_SEC;
    sceneDo(self, "refresh");
    sceneCheck(self, SCENE_TAG, "pending", "pending");
}

/* ----------------------------------------------- what QEMU or libvirt refuses */

/* If libvirt forbids the first command, or does not have it, nothing is left behind, not even for
 * a refresh. This is so whether the first command is a query (tagged: who has the tag) or a
 * change. */
static void
testDenied(gconstpointer opaque)
{
    static const int codes[] = {
        VIR_ERR_ACCESS_DENIED,
        VIR_ERR_OPERATION_DENIED,
        VIR_ERR_NO_SUPPORT,
        VIR_ERR_OPERATION_UNSUPPORTED,
    };
    bool tagged = GPOINTER_TO_INT(opaque);
    unsigned int questions = tagged ? 2 : 0;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(codes) * (questions + 1); i++) {
        g_autoptr(scene) self = sceneNew(tagged, "none");

        self->domain->fault.kind = MODEL_FAULT_DENIED;
        self->domain->fault.code = codes[i % G_N_ELEMENTS(codes)];
        self->domain->fault.at = 1 + i / G_N_ELEMENTS(codes);
        g_assert_null(sceneAdd(self->client, SCENE_TAG));
        g_assert_cmpint(virGetLastErrorCode(), ==, self->domain->fault.code);
        sceneCheck(self, SCENE_TAG, "none", "gone");
    }
}

/* An invalid reply is an error, whose message quotes no more than a part of it. */
static void
testBadReply(gconstpointer opaque)
{
    static const modelFaultKind kinds[] = {MODEL_FAULT_NOT_JSON, MODEL_FAULT_HUGE_NOT_JSON};
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(kinds); i++) {
        g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "none");

        self->domain->fault.kind = kinds[i];
        self->domain->fault.at = 1;
        g_assert_null(sceneAdd(self->client, SCENE_TAG));
        g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_INTERNAL_ERROR);
        g_assert_nonnull(strstr(virGetLastErrorMessage(), "neither a result nor an error"));
        g_assert_cmpuint(strlen(virGetLastErrorMessage()), <, 1000);
    }
}

/* An add that QEMU refuses leaves nothing behind: no record, and no backend. */
static void
testRefused(void)
{
    g_autoptr(scene) self = sceneNew(true, "none");
    modelObject *object = modelObjectNew(self->domain->qemu, "memory-backend-ram", "x", SCENE_SIZE);
    char *tag;

    object->tag = g_strdup("x");
    g_free(modelQemuCommand(self->domain->qemu,
                            "{\"execute\":\"cxl-add-dynamic-capacity\",\"arguments\":{\"path\":"
                            "\"cxl-dcd0\",\"host-id\":0,\"selection-policy\":\"prescriptive\","
                            "\"region\":0,\"tag\":\"x\",\"extents\":[{\"offset\":0,\"len\":"
                            "268435456}]}}"));
    g_ptr_array_set_size(self->domain->qemu->requests, 0);
    tag = virDomainCxlDcdAdd(self->client,
                             "<cxl-dcd><capacity tag='" SCENE_TAG "'><size unit='MiB'>256</size>"
                             "<offset>0</offset></capacity></cxl-dcd>",
                             VIR_DOMAIN_AFFECT_LIVE);
    g_assert_null(tag);
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_FAILED);
    g_assert_nonnull(strstr(virGetLastErrorMessage(), "cannot add DPA again while still pending"));
    g_assert_cmpint(sceneRecordState(self, SCENE_TAG), ==, VIR_DOMAIN_CXL_DCD_STATE_NONE);
    g_assert_cmpuint(sceneBackends(self), ==, 0);
    /* If it may choose the place, it goes elsewhere. */
    sceneDo(self, "add");
    g_assert_cmpstr(modelDeviceTagState(self->device, SCENE_TAG), ==, "pending");
}

/* Somebody else takes the last place just before the record of this add is written. */
static void
testTakePlace(virDomainPtr client, modelCallKind kind)
{
    virDomainPtr other;

    if (kind != MODEL_CALL_WRITE_XML || !client->before)
        return;
    client->before = NULL;
    other = modelClientNew(client->domain);
    free(sceneAdd(other, SCENE_OTHER));
    virDomainFree(other);
}

/* An add for which there is no place leaves nothing behind, and takes nothing from others. */
static void
testLastPlace(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "none");
    g_autofree char *wrong = NULL;
    unsigned int records;
    unsigned int i;

    for (i = 1; i < 4; i++)
        g_assert_cmpint(testAddSize(self, i, SCENE_SIZE), ==, 0);
    sceneDo(self, "refuse refresh accept accept refresh");
    g_assert_cmpint(testAddSize(self, 4, SCENE_SIZE), ==, 0);
    self->client->before = testTakePlace;
    g_assert_null(sceneAdd(self->client, SCENE_TAG));
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_FAILED);
    g_assert_cmpint(sceneRecordState(self, SCENE_TAG), ==, VIR_DOMAIN_CXL_DCD_STATE_NONE);
    g_assert_cmpint(sceneRecordState(self, SCENE_OTHER), ==, VIR_DOMAIN_CXL_DCD_STATE_PENDING);
    wrong = sceneInconsistency(self, &records);
    g_assert_cmpstr(wrong, ==, NULL);
    g_assert_cmpuint(records, ==, 5);
    sceneCheckSafe(self);
}

/* ------------------------------------------------------------------- waiting */

static void
testSleep(void *opaque)
{
    scene *self = opaque;
    static unsigned int sleeps;

    if (++sleeps % 3 == 0)
        sceneDo(self, "accept");
}

/* A wait ends with the guest's answer, or in time. */
static void
testWait(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "pending");
    gint64 begin = model_time;

    g_assert_cmpint(virDomainCxlDcdWait(self->client, SCENE_TAG, 1500, 0), ==, -1);
    testAssertError(VIR_ERR_OPERATION_TIMEOUT,
                    "Timed out during operation: the guest of domain 'vm' has not answered in "
                    "1.500 seconds: capacity '" SCENE_TAG "' stays pending");
    g_assert_cmpint(model_time - begin, ==, 1500000);
    sceneCheck(self, SCENE_TAG, "pending", "pending");
    model_on_sleep = testSleep;
    model_on_sleep_opaque = self;
    g_assert_cmpint(virDomainCxlDcdWait(self->client, SCENE_TAG, -1, 0),
                    ==,
                    VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED);
    model_on_sleep = NULL;
    sceneCheck(self, SCENE_TAG, "accepted", "accepted");
}

/* A wait with a timeout of some millions of years does not end at once. */
static void
testWaitLong(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "pending");

    model_on_sleep = testSleep;
    model_on_sleep_opaque = self;
    g_assert_cmpint(virDomainCxlDcdWait(self->client, SCENE_TAG, G_MAXINT64 / 900, 0),
                    ==,
                    VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED);
    model_on_sleep = NULL;
}

#define TEST_RECORD(tag, device, size, offset)                                                     \
    "<capacity " tag " region='0' state='accepted' since='1' device='" device "' "                 \
    "request='11111111-2222-4333-8444-555555555555'><size unit='bytes'>" size "</size>"            \
    "<offset unit='bytes'>" offset "</offset></capacity>"

/* The tags of the domain's own capacities are known. QEMU is not asked for them, so that the
 * hundredth add costs as much as the second. */
static void
testCost(void)
{
    g_autoptr(scene) self = sceneNew(true, "accepted");
    guint before = self->domain->qemu->requests->len;
    guint first;

    free(sceneAdd(self->client, "00000000-0000-4000-8000-000000000001"));
    first = self->domain->qemu->requests->len - before;
    sceneDo(self, "accept");
    before = self->domain->qemu->requests->len;
    free(sceneAdd(self->client, "00000000-0000-4000-8000-000000000002"));
    g_assert_cmpuint(self->domain->qemu->requests->len - before, ==, first);
}

/* A record about which QEMU cannot answer, because its device is gone, affects no other record. */
static void
testOneBad(gconstpointer opaque)
{
    bool tagged = GPOINTER_TO_INT(opaque);
    g_autoptr(scene) self = sceneNew(tagged, "none");
    modelQemu *qemu = self->domain->qemu;

    if (!tagged)
        modelObjectNew(qemu, "memory-backend-ram", "other-mem", 1ULL << 30);
    modelDeviceNew(qemu, "other", 1, 1ULL << 30, tagged ? NULL : "other-mem");
    self->domain->qemu = NULL;
    modelDomainFree(self->domain);
    self->domain = modelDomainNew(qemu);
    sceneNewClient(self);
    modelDomainPutRecord(self->domain,
                         SCENE_TAG,
                         TEST_RECORD("tag='" SCENE_TAG "'", "cxl-dcd0", "268435456", "0"));
    g_ptr_array_remove(qemu->devices, modelDeviceByAlias(qemu, "other"));
    modelDomainPutRecord(self->domain,
                         SCENE_OTHER,
                         TEST_RECORD("tag='" SCENE_OTHER "'", "other", "268435456", "0"));
    g_assert_cmpint(sceneRefresh(self->client), ==, -1);
    g_assert_nonnull(strstr(virGetLastErrorMessage(), "QEMU does not tell the state"));
    virResetLastError();
    g_assert_cmpint(sceneRecordState(self, SCENE_TAG), ==, VIR_DOMAIN_CXL_DCD_STATE_NONE);
    g_assert_cmpint(sceneRecordState(self, SCENE_OTHER), ==, VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED);
}

/* If libvirt cannot ask QEMU, that concerns all capacities: QEMU is not asked about any other one,
 * since each attempt may take as long. */
static void
testAllConcerned(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "pending");

    g_assert_cmpint(testAddSize(self, 1, SCENE_SIZE), ==, 0);
    self->domain->fault.kind = MODEL_FAULT_ERROR;
    self->domain->fault.commands = 0;
    self->domain->fault.at = 1;
    g_assert_cmpint(sceneRefresh(self->client), ==, -1);
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_RPC);
    g_assert_cmpuint(self->domain->fault.commands, ==, 1);
}

/* An add that is invalid by itself is refused without asking QEMU, although the records do not
 * reflect the guest's answer yet. */
static void
testWrongInItself(gconstpointer opaque)
{
    static const char *const wrong[] = {
        "<size unit='MiB'>3</size>",
        "<size unit='GiB'>2</size>",
        "<size unit='MiB'>256</size><offset unit='MiB'>1</offset>",
    };
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "pending");
    guint requests = self->domain->qemu->requests->len;
    g_autofree char *before = g_strdup(self->domain->live);
    size_t i;

    sceneDo(self, "accept");
    for (i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autofree char *xml =
            g_strdup_printf("<cxl-dcd><capacity>%s</capacity></cxl-dcd>", wrong[i]);

        g_assert_null(virDomainCxlDcdAdd(self->client, xml, VIR_DOMAIN_AFFECT_LIVE));
        g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_XML_ERROR);
        g_assert_cmpstr(self->domain->live, ==, before);
        g_assert_cmpuint(self->domain->qemu->requests->len, ==, requests);
    }
}

/* Another client writes metadata just after the domain was read. */
static void
testForge(virDomainPtr client, modelCallKind kind G_GNUC_UNUSED)
{
    if (client->calls != 1)
        return;
    client->before = NULL;
    modelDomainPutRecord(client->domain, SCENE_TAG, client->opaque);
}

/* Nothing is done with a record whose contents are impossible, whenever it is written: QEMU would
 * crash on a range that overflows, and lose the backend of another capacity. */
static void
testForged(gconstpointer opaque)
{
    static const char *const records[] = {
        TEST_RECORD("tag='" SCENE_TAG "'",
                    "cxl-dcd0",
                    "18446744073707454464",
                    "18446744073707454464"),
        TEST_RECORD("tag='" SCENE_OTHER "'", "cxl-dcd0", "268435456", "536870912"),
        TEST_RECORD("", "cxl-dcd0", "268435456", "0"),
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(records) * 2; i++) {
        g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "accepted");
        guint requests = self->domain->qemu->requests->len;
        unsigned int backends = sceneBackends(self);

        sceneNewClient(self);
        if (i % 2) {
            self->client->before = testForge;
            self->client->opaque = (void *)records[i / 2];
        } else {
            modelDomainPutRecord(self->domain, SCENE_TAG, records[i / 2]);
        }
        g_assert_cmpint(sceneRefresh(self->client), ==, -1);
        g_assert_null(self->client->before);
        g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_XML_ERROR);
        g_assert_nonnull(strstr(virGetLastErrorMessage(), "virsh metadata vm --live --uri"));
        virResetLastError();
        g_assert_cmpuint(self->domain->qemu->requests->len, ==, requests);
        g_assert_cmpuint(sceneBackends(self), ==, backends);
    }
}

/* A tag that now belongs to another device is none of this device's. */
static void
testOtherDevice(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "accepted");
    guint requests = self->domain->qemu->requests->len;

    sceneNewClient(self);
    self->client->before = testForge;
    self->client->opaque = (void *)TEST_RECORD("tag='" SCENE_TAG "'", "other", "268435456", "0");
    sceneDo(self, "refresh");
    g_assert_cmpuint(self->domain->qemu->requests->len, ==, requests);
}

/* The record of a client whose clock was ahead is not left to it until then. */
static void
testFuture(gconstpointer opaque)
{
    g_autoptr(scene) self = sceneNew(GPOINTER_TO_INT(opaque), "adding");

    model_time -= 3600LL * G_USEC_PER_SEC;
    sceneDo(self, "refresh");
    sceneCheck(self, SCENE_TAG, "pending", "pending");
    model_time += 3600LL * G_USEC_PER_SEC;
}

/* ------------------------------------------------------- left to the daemon */

/* If the domain shows <cxl-dcd>, the daemon has the module, and does the work. */
static void
testDaemon(void)
{
    g_autoptr(scene) self = sceneNew(true, "none");
    char *tag;

    g_free(self->domain->live);
    self->domain->live = g_strdup("<domain type='kvm' id='1'><name>vm</name><devices>"
                                  "<cxl-dcd model='tagged'><driver name='qemu'/><target>"
                                  "<size unit='GiB'>1</size></target><alias name='cxl-dcd0'/>"
                                  "</cxl-dcd></devices></domain>");
    tag = sceneAdd(self->client, SCENE_TAG);
    g_assert_cmpstr(tag, ==, SCENE_TAG);
    free(tag);
    g_assert_true(g_str_has_prefix(self->domain->attached, "attach 1 <cxl-dcd>"));
    g_assert_nonnull(strstr(self->domain->attached, SCENE_TAG));
    sceneDo(self, "release");
    g_assert_true(g_str_has_prefix(self->domain->attached, "detach 1 <cxl-dcd>"));
    g_assert_cmpuint(self->domain->qemu->requests->len, ==, 0);
}

int
main(int argc, char **argv)
{
    static const struct {
        const char *name;
        GTestDataFunc function;
    } both[] = {
        {"tag-always", testTagAlways},
        {"tag-spelling", testTagSpelling},
        {"tag-unique", testTagUnique},
        {"tag-recorded", testTagRecorded},
        {"ninth-offer", testNinthOffer},
        {"ninth-adding", testNinthAdding},
        {"grace", testGrace},
        {"denied", testDenied},
        {"bad-reply", testBadReply},
        {"last-place", testLastPlace},
        {"wait", testWait},
        {"wait-long", testWaitLong},
        {"one-bad", testOneBad},
        {"all-concerned", testAllConcerned},
        {"wrong-in-itself", testWrongInItself},
        {"forged", testForged},
        {"other-device", testOtherDevice},
        {"future", testFuture},
    };
    size_t i;

    testInit(&argc, &argv);
    for (i = 0; i < G_N_ELEMENTS(both); i++) {
        g_autofree char *tagged = g_strconcat("/guards/tagged/", both[i].name, NULL);
        g_autofree char *fixed = g_strconcat("/guards/static/", both[i].name, NULL);

        g_test_add_data_func(tagged, GINT_TO_POINTER(true), both[i].function);
        g_test_add_data_func(fixed, GINT_TO_POINTER(false), both[i].function);
    }
    g_test_add_func("/guards/tagged/tag-foreign", testTagForeign);
    g_test_add_func("/guards/tagged/cost", testCost);
    g_test_add_func("/guards/tagged/backend-kept", testBackendKept);
    g_test_add_func("/guards/tagged/backend-in-use", testBackendInUse);
    g_test_add_func("/guards/tagged/refused", testRefused);
    g_test_add_func("/guards/tagged/device-stays", testDeviceStays);
    g_test_add_func("/guards/static/not-claimed", testNotClaimed);
    g_test_add_func("/guards/static/tag-overwritten", testTagOverwritten);
    g_test_add_func("/guards/tagged/same-place", testSamePlace);
    g_test_add_func("/guards/tagged/same-place-mute", testSamePlaceMute);
    g_test_add_func("/guards/daemon", testDaemon);
    return g_test_run();
}
