/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-model.c: the device model answers as QEMU does
 *
 * modeldata/NAME.jsonl has what was sent to a QEMU with the tagged series and what it
 * answered, line by line, and NAME.guest.json what its guest did in between. The model
 * gets the same requests and must give the same answers, and must crash where that QEMU
 * did. The answers of QEMU as released are in a table of their own.
 */

#include <config.h>

#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>
#include <string.h>

#include "model/model.h"
#include "testutils.h"
#include "util/cxl_dcd_error.h"

#define DATA "modeldata"
#define GiB (1ULL << 30)
#define TAG "5be13bce-ae34-4a77-b6c3-16df975fcf1a"

/* ------------------------------------------------------- comparing answers */

static virCxlDcdJSON *
testParse(const char *text)
{
    g_autofree char *message = NULL;
    virCxlDcdJSON *value = virCxlDcdJSONParse(text, &message);

    g_assert_cmpstr(message, ==, NULL);
    return value;
}

/* The names in a list, one per line: "name" of each element. */
static bool
testNames(virCxlDcdJSON *list, const char *name)
{
    size_t i;

    for (i = 0; i < virCxlDcdJSONLength(list); i++) {
        if (g_strcmp0(virCxlDcdJSONMemberString(virCxlDcdJSONElement(list, i), "name"), name) == 0)
            return true;
    }
    return false;
}

/* What detection relies on: the model must list it if QEMU does. */
static const char *const testNeeded[] = {
    "cxl-add-dynamic-capacity",
    "cxl-release-dynamic-capacity",
    "cxl-release-dynamic-capacity-status",
    "tag",
    "dc-regions-total-size",
};

/* The model implements a subset of QEMU: it must not claim more, nor hide what is needed. */
static void
testCompareIntrospection(virCxlDcdJSON *expected, virCxlDcdJSON *is)
{
    virCxlDcdJSON *list = virCxlDcdJSONMember(is, "return");
    size_t i;

    g_assert_cmpuint(virCxlDcdJSONLength(list), >, 0);
    for (i = 0; i < virCxlDcdJSONLength(list); i++) {
        const char *name = virCxlDcdJSONMemberString(virCxlDcdJSONElement(list, i), "name");

        if (!testNames(virCxlDcdJSONMember(expected, "return"), name) &&
            !g_str_equal(name, "qmp_capabilities"))
            g_test_fail_printf("QEMU has no '%s'", name);
    }
    for (i = 0; i < G_N_ELEMENTS(testNeeded); i++) {
        if (testNames(virCxlDcdJSONMember(expected, "return"), testNeeded[i]) &&
            !testNames(list, testNeeded[i]))
            g_test_fail_printf("QEMU has '%s', and the model does not", testNeeded[i]);
    }
}

/* ---------------------------------------------------------------- replaying */

/* How a recorded QEMU was started. The default: one tagged device with one region of 4 GiB. */
static const struct {
    const char *name;
    unsigned int regions;
    unsigned long long size;
    const char *memdev;  /* the backend of a static device */
    const char *backend; /* a tagged backend on the command line */
    bool both;           /* tagged, and with a memdev too */
} testStarts[] = {
    {"more-than-four", 1, 8 * GiB},
    {"two-regions", 2, 4 * GiB},
    {"device-nine-regions", 9, 9 * GiB},
    {"device-without-dc", 0, 0},
    {"classic-dcd-with-tag", 1, 4 * GiB, .memdev = "v0"},
    {"classic-dcd-without-tag", 1, 4 * GiB, .memdev = "v0"},
    {"device-total-and-memdev", 1, 4 * GiB, .memdev = "v0", .both = true},
    {"backend-on-command-line", 1, 4 * GiB, .backend = "cl0"},
};

static modelQemu *
testStart(const char *name)
{
    modelQemu *qemu = modelQemuNew(MODEL_SERIES);
    modelDevice *device;
    modelObject *object;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(testStarts); i++) {
        if (!g_str_equal(testStarts[i].name, name))
            continue;
        if (testStarts[i].memdev)
            modelObjectNew(qemu, "memory-backend-ram", testStarts[i].memdev, testStarts[i].size);
        if (testStarts[i].backend) {
            object = modelObjectNew(qemu, "memory-backend-ram", testStarts[i].backend, GiB);
            object->tag = g_strdup(TAG);
        }
        device = modelDeviceNew(qemu,
                                "cxl-vmem0",
                                testStarts[i].regions,
                                testStarts[i].size,
                                testStarts[i].memdev);
        device->tagged |= testStarts[i].both;
        return qemu;
    }
    modelDeviceNew(qemu, "cxl-vmem0", 1, 4 * GiB, NULL);
    qemu->running = g_str_equal(name, "under-libvirt");
    return qemu;
}

/* What that QEMU crashed on: the last request of the recording, or, if all requests were
 * answered, what its guest did next. */
typedef enum {
    TEST_ENDS_WELL,
    TEST_CRASH_REQUEST,
    TEST_CRASH_ACCEPT,
    TEST_CRASH_TOUCH,
    TEST_CRASH_EJECT,
} testCrash;

static const struct {
    const char *name;
    testCrash crash;
} testCrashes[] = {
    {"add-without-tag", TEST_CRASH_REQUEST},
    {"classic-dcd-without-tag", TEST_CRASH_REQUEST},
    {"device-total-and-memdev", TEST_CRASH_REQUEST},
    {"release-without-tag-prescriptive", TEST_CRASH_REQUEST},
    {"release-without-tag-tag-based", TEST_CRASH_REQUEST},
    {"add-before-decoder", TEST_CRASH_ACCEPT},
    {"accept-without-decoder-then-access", TEST_CRASH_TOUCH},
    {"object-del-while-pending-then-accept", TEST_CRASH_TOUCH},
    {"device-del-after-add", TEST_CRASH_EJECT},
    {"device-del-after-release", TEST_CRASH_EJECT},
};

static testCrash
testCrashOf(const char *name)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(testCrashes); i++) {
        if (g_str_equal(testCrashes[i].name, name))
            return testCrashes[i].crash;
    }
    return TEST_ENDS_WELL;
}

/* A recording being replayed. */
typedef struct {
    modelQemu *qemu;
    char **lines;         /* of NAME.jsonl */
    virCxlDcdJSON *guest; /* NAME.guest.json; NULL: there is none */
    size_t step;          /* index of the guest's next step */
    char *answer;         /* the model's answer to the last request; NULL: it was compared */
    char *request;        /* that request */
} testReplay;

/* Execute the guest's steps that follow line @line. */
static void
testReplayGuest(testReplay *replay, unsigned int line)
{
    unsigned long long after;

    for (; replay->step < virCxlDcdJSONLength(replay->guest); replay->step++) {
        virCxlDcdJSON *step = virCxlDcdJSONElement(replay->guest, replay->step);
        modelDevice *device = modelDeviceByAlias(replay->qemu, "cxl-vmem0");
        g_autofree char *wrong = NULL;

        g_assert_true(virCxlDcdJSONMemberUnsigned(step, "after_qmp_line", &after));
        if (after > line)
            return;
        if ((wrong = modelGuestStep(replay->qemu, device, step)))
            g_test_fail_printf("line %u: guest: %s", line, wrong);
    }
}

/* Check a line that QEMU sent: an event, or the answer to the last request. */
static void
testReplayReceived(testReplay *replay, unsigned int line, virCxlDcdJSON *message)
{
    const char *event = virCxlDcdJSONMemberString(message, "event");
    g_autofree char *text =
        event ? g_queue_pop_head(&replay->qemu->messages) : g_steal_pointer(&replay->answer);
    g_autoptr(virCxlDcdJSON) is = text ? testParse(text) : NULL;
    g_autofree char *expected = NULL;
    g_autofree char *got = NULL;

    if (!is) {
        g_test_fail_printf("line %u: the model says nothing", line);
        return;
    }
    if (!event &&
        (strstr(replay->request, "query-commands") || strstr(replay->request, "list-properties"))) {
        testCompareIntrospection(message, is);
        return;
    }
    expected =
        testCanonicalJSON(event ? virCxlDcdJSONMember(message, "data") : message, false, NULL);
    got = testCanonicalJSON(event ? virCxlDcdJSONMember(is, "data") : is, false, NULL);
    if (event)
        g_assert_cmpstr(virCxlDcdJSONMemberString(is, "event"), ==, event);
    g_assert_cmpstr(got, ==, expected);
}

static void
testReplayLine(testReplay *replay, unsigned int line, bool last)
{
    g_autoptr(virCxlDcdJSON) value = testParse(replay->lines[line - 1]);
    virCxlDcdJSON *message = virCxlDcdJSONMember(value, "msg");

    if (virCxlDcdJSONMember(message, "QMP"))
        return;
    if (g_str_equal(virCxlDcdJSONMemberString(value, "dir"), "recv")) {
        testReplayReceived(replay, line, message);
    } else {
        const char *begin = strstr(replay->lines[line - 1], "\"msg\": ") + strlen("\"msg\": ");

        g_free(replay->request);
        replay->request = g_strndup(begin, strlen(begin) - 1);
        g_free(replay->answer);
        replay->answer = modelQemuCommand(replay->qemu, replay->request);
        if (replay->qemu->crashed && !last)
            g_test_fail_printf("line %u: the model crashed: %s", line, replay->qemu->crashed);
    }
    if (!replay->qemu->crashed)
        testReplayGuest(replay, line);
}

/* At the end of the recording, the model must be running or have crashed, as QEMU did. */
static void
testReplayEnd(testReplay *replay, testCrash crash)
{
    modelDevice *device = modelDeviceByAlias(replay->qemu, "cxl-vmem0");

    if (crash != TEST_CRASH_REQUEST)
        g_assert_cmpstr(replay->qemu->crashed, ==, NULL);
    if (crash == TEST_CRASH_ACCEPT)
        modelGuestAnswer(replay->qemu, device, true);
    if (crash == TEST_CRASH_TOUCH)
        modelDeviceTouch(replay->qemu, device);
    if (crash == TEST_CRASH_EJECT)
        modelDeviceEject(replay->qemu, device);
    if (crash != TEST_ENDS_WELL)
        g_assert_cmpstr(replay->qemu->crashed, !=, NULL);
    else
        g_assert_false(replay->qemu->corrupt);
}

static void
testReplayRecording(gconstpointer opaque)
{
    const char *name = opaque;
    g_autofree char *qmp_name = g_strconcat(name, ".jsonl", NULL);
    g_autofree char *guest_name = g_strconcat(name, ".guest.json", NULL);
    g_autofree char *qmp_path = testPath(DATA, qmp_name);
    g_autofree char *guest_path = testPath(DATA, guest_name);
    g_autofree char *qmp = testReadFile(qmp_path);
    g_auto(GStrv) lines = g_strsplit(g_strchomp(qmp), "\n", -1);
    testReplay replay = {testStart(name), lines};
    unsigned int n = g_strv_length(lines);
    unsigned int i;

    if (g_file_test(guest_path, G_FILE_TEST_EXISTS)) {
        g_autofree char *guest = testReadFile(guest_path);

        replay.guest = testParse(guest);
    }
    for (i = 1; i <= n; i++)
        testReplayLine(&replay, i, i == n);
    g_assert_cmpuint(replay.step, ==, virCxlDcdJSONLength(replay.guest));
    testReplayEnd(&replay, testCrashOf(name));
    virCxlDcdJSONFree(replay.guest);
    g_free(replay.answer);
    g_free(replay.request);
    modelQemuFree(replay.qemu);
}

/* ------------------------------------------- what a QEMU as released answers */

static char *
testDescription(modelQemu *qemu, const char *request)
{
    g_autofree char *answer = modelQemuCommand(qemu, request);
    g_autoptr(virCxlDcdJSON) value = testParse(answer);
    const char *description =
        virCxlDcdJSONMemberString(virCxlDcdJSONMember(value, "error"), "desc");

    return g_strdup(description ? description : "");
}

/* Request @extents in region 0 of "d". Returns QEMU's reason, "" on success. */
static char *
testAsk(modelQemu *qemu, bool add, const char *extents)
{
    g_autofree char *request = g_strdup_printf(
        "{\"execute\":\"cxl-%s-dynamic-capacity\",\"arguments\":{\"path\":"
        "\"/machine/peripheral/d\",\"host-id\":0,\"%s-policy\":\"prescriptive\",\"region\":0,"
        "\"extents\":[%s]}}",
        add ? "add" : "release",
        add ? "selection" : "removal",
        extents);

    return testDescription(qemu, request);
}

#define MIB2 "\"len\":2097152}"
#define PROBE ",{\"offset\":0,\"len\":0}"

/* Pending at 2 MiB, accepted at 4 MiB, partly accepted at 8 to 12 MiB, refused at 16. */
static const struct {
    const char *extents;
    const char *add; /* why not */
    const char *release;
} testStockAnswers[] = {
    {"{\"offset\":0," MIB2 PROBE,
     "extent with 0 length is not allowed",
     "cannot release extent with non-existing DPA range"},
    {"{\"offset\":16777216," MIB2 PROBE,
     "extent with 0 length is not allowed",
     "cannot release extent with non-existing DPA range"},
    {"{\"offset\":2097152," MIB2 PROBE,
     "cannot add DPA again while still pending",
     "cannot release extent with pending DPA range"},
    {"{\"offset\":0,\"len\":4194304}" PROBE,
     "cannot add DPA again while still pending",
     "cannot release extent with pending DPA range"},
    {"{\"offset\":4194304," MIB2 PROBE,
     "cannot add DPA already accessible to the same LD",
     "extent with 0 length is not allowed"},
    {"{\"offset\":8388608,\"len\":4194304}" PROBE,
     "cannot add DPA already accessible to the same LD",
     "cannot release extent with non-existing DPA range"},
    {"{\"offset\":268435456," MIB2,
     "extent range is beyond the region end",
     "extent range is beyond the region end"},
    {"{\"offset\":4096," MIB2,
     "dpa or len is not aligned to region block size",
     "dpa or len is not aligned to region block size"},
    {"{\"offset\":20971520," MIB2 ",{\"offset\":20971520," MIB2,
     "duplicate or overlapped extents are detected",
     "cannot release extent with non-existing DPA range"},
    {"", "", ""},
};

static modelQemu *
testStockStart(void)
{
    static const modelRange half = {8 << 20, 2 << 20};
    modelQemu *qemu = modelQemuNew(MODEL_STOCK);
    modelDevice *device;

    modelObjectNew(qemu, "memory-backend-ram", "m", 256 << 20);
    device = modelDeviceNew(qemu, "d", 1, 256 << 20, "m");
    g_free(testAsk(qemu, true, "{\"offset\":4194304," MIB2));
    g_assert_true(modelGuestAnswer(qemu, device, true));
    g_free(testAsk(qemu, true, "{\"offset\":8388608,\"len\":4194304}"));
    g_assert_cmpint(modelDeviceRespond(qemu, device, &half, 1), ==, MODEL_RC_SUCCESS);
    g_free(testAsk(qemu, true, "{\"offset\":16777216," MIB2));
    g_assert_true(modelGuestAnswer(qemu, device, false));
    g_free(testAsk(qemu, true, "{\"offset\":2097152," MIB2));
    g_assert_cmpuint(modelDeviceTotal(device), ==, 3);
    return qemu;
}

static void
testStock(void)
{
    g_autoptr(modelQemu) qemu = testStockStart();
    modelDevice *device = modelDeviceByAlias(qemu, "d");
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(testStockAnswers); i++) {
        g_autofree char *add = testAsk(qemu, true, testStockAnswers[i].extents);
        g_autofree char *release = testAsk(qemu, false, testStockAnswers[i].extents);

        g_assert_cmpstr(add, ==, testStockAnswers[i].add);
        g_assert_cmpstr(release, ==, testStockAnswers[i].release);
    }
    g_assert_cmpuint(modelDeviceTotal(device), ==, 3);
}

/* The sum of an offset and a length must not overflow. */
static void
testStockOverflow(void)
{
    g_autoptr(modelQemu) qemu = testStockStart();
    char *answer = modelQemuCommand(qemu,
                                    "{\"execute\":\"cxl-add-dynamic-capacity\",\"arguments\":{"
                                    "\"path\":\"d\",\"host-id\":0,\"selection-policy\":"
                                    "\"prescriptive\",\"region\":0,\"extents\":[{\"offset\":"
                                    "18446744073707454464,\"len\":4194304}]}}");

    g_assert_null(answer);
    g_assert_nonnull(qemu->crashed);
    g_assert_null(modelQemuCommand(qemu, "{\"execute\":\"query-status\"}"));
}

/* The event log holds eight records: the ninth offer is pending, but nobody is notified. */
static void
testStockLog(void)
{
    g_autoptr(modelQemu) qemu = modelQemuNew(MODEL_STOCK);
    modelDevice *device;
    unsigned int i;

    modelObjectNew(qemu, "memory-backend-ram", "m", 256 << 20);
    device = modelDeviceNew(qemu, "d", 1, 256 << 20, "m");
    for (i = 0; i < 9; i++) {
        g_autofree char *extent = g_strdup_printf("{\"offset\":%u," MIB2, i << 21);
        g_autofree char *why = testAsk(qemu, true, extent);

        g_assert_cmpstr(why, ==, "");
    }
    g_assert_cmpuint(device->events.length, ==, 8);
    for (i = 0; i < 8; i++)
        g_assert_true(modelGuestAnswer(qemu, device, true));
    g_assert_false(modelGuestAnswer(qemu, device, true));
    g_assert_cmpuint(modelDeviceTotal(device), ==, 9);
}

/* What a flavour lacks. */
static void
testFlavours(void)
{
    static const struct {
        modelFlavour flavour;
        const char *request;
        const char *answer;
    } cases[] = {
        {MODEL_STOCK,
         "{\"execute\":\"object-add\",\"arguments\":{\"qom-type\":\"memory-backend-ram\",\"id\":"
         "\"x\",\"size\":1,\"tag\":\"x\"}}",
         "Parameter 'tag' is unexpected"},
        {MODEL_STOCK,
         "{\"execute\":\"cxl-release-dynamic-capacity-status\"}",
         "The command cxl-release-dynamic-capacity-status has not been found"},
        {MODEL_STOCK,
         "{\"execute\":\"cxl-release-dynamic-capacity\",\"arguments\":{\"path\":\"d\",\"host-id\":"
         "0,"
         "\"removal-policy\":\"tag-based\",\"region\":0,\"extents\":[]}}",
         "Removal policy not supported"},
        {MODEL_NEITHER,
         "{\"execute\":\"cxl-add-dynamic-capacity\"}",
         "The command cxl-add-dynamic-capacity has not been found"},
        {MODEL_NEITHER,
         "{\"execute\":\"cxl-release-dynamic-capacity\"}",
         "The command cxl-release-dynamic-capacity has not been found"},
        {MODEL_SERIES,
         "{\"execute\":\"object-del\",\"arguments\":{\"id\":\"x\"}}",
         "object 'x' not found"},
        {MODEL_SERIES, "{\"execute\"", "JSON parse error"},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(modelQemu) qemu = modelQemuNew(cases[i].flavour);
        g_autofree char *answer = testDescription(qemu, cases[i].request);

        g_assert_cmpstr(answer, ==, cases[i].answer);
    }
}

/* ------------------------------------------------------------------ libvirt */

/* Metadata is one element per namespace, replaced as a whole, and read back without the
 * namespace. */
static void
testMetadata(void)
{
    modelQemu *qemu = modelQemuNew(MODEL_STOCK);
    g_autoptr(modelDomain) domain = modelDomainNew(qemu);
    g_autoptr(virDomain) client = modelClientNew(domain);
    const unsigned int live = VIR_DOMAIN_AFFECT_LIVE;
    const int type = VIR_DOMAIN_METADATA_ELEMENT;
    char *xml;

    g_assert_null(virDomainGetMetadata(client, type, "urn:a", live));
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_NO_DOMAIN_METADATA);
    g_assert_cmpint(virDomainSetMetadata(client, type, "<x><y/></x>", "p", "urn:a", live), ==, 0);
    g_assert_cmpint(virDomainSetMetadata(client, type, "<x>1</x>", "p", "urn:b", live), ==, 0);
    g_assert_nonnull(strstr(domain->live, "<p:x xmlns:p=\"urn:a\"><p:y/></p:x>"));
    g_assert_cmpint(virDomainSetMetadata(client, type, "<x>2</x>", "p", "urn:b", live), ==, 0);
    xml = virDomainGetMetadata(client, type, "urn:b", live);
    g_assert_cmpstr(xml, ==, "<x>2</x>");
    free(xml);
    g_assert_null(strstr(domain->live, ">1<"));
    g_assert_cmpint(virDomainSetMetadata(client, type, NULL, NULL, "urn:a", live), ==, 0);
    g_assert_null(strstr(domain->live, "urn:a"));
    g_assert_null(strstr(domain->config, "urn:b"));
    modelDomainStop(domain);
    g_assert_cmpint(virDomainSetMetadata(client, type, "<x/>", "p", "urn:a", live), ==, -1);
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_INVALID);
}

int
main(int argc, char **argv)
{
    g_autoptr(GPtrArray) names = NULL;
    guint i;

    testInit(&argc, &argv);
    names = testListFolder(DATA, ".jsonl");
    for (i = 0; i < names->len; i++) {
        g_autofree char *path = g_strconcat("/model/replay/", g_ptr_array_index(names, i), NULL);

        g_test_add_data_func(path, g_ptr_array_index(names, i), testReplayRecording);
    }
    g_test_add_func("/model/stock/answers", testStock);
    g_test_add_func("/model/stock/overflow", testStockOverflow);
    g_test_add_func("/model/stock/event-log", testStockLog);
    g_test_add_func("/model/flavours", testFlavours);
    g_test_add_func("/model/libvirt/metadata", testMetadata);
    return g_test_run();
}
