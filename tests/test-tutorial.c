/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-tutorial.c: what the library tells QEMU is what the tutorial of the tagged series does
 *
 * The steps of the series' cover letter are recorded (modeldata/cover-with-guest.jsonl):
 * two backends of 1 GiB, offered, accepted, released by tag. The library does the same on
 * the model, and what it sent is compared with what was recorded, argument for argument
 * (requests.c). Other kinds of backends are compared with a recording where there is one
 * (backend-kinds.jsonl), and otherwise with what is written down here.
 */

#include <config.h>

#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>
#include <string.h>

#include "model/scene.h"
#include "requests.h"
#include "testutils.h"

#define DATA "modeldata"
#define GIB (1ULL << 30)
#define DEVICE "cxl-vmem0"

/* ------------------------------------------------------------ a domain of the tutorial */

typedef struct {
    modelDomain *domain;
    modelDevice *device;
    virDomainPtr client;
} testMachine;

/* A device of 4 GiB in one region. */
static void
testMachineInit(testMachine *machine)
{
    modelQemu *qemu = modelQemuNew(MODEL_SERIES);

    machine->device = modelDeviceNew(qemu, DEVICE, 1, 4 * GIB, NULL);
    machine->device->decoder = true;
    machine->domain = modelDomainNew(qemu);
    machine->client = modelClientNew(machine->domain);
    /* the paths in recordings do not exist on this host */
    machine->client->conn.uri = "qemu+ssh://host/system";
}

static void
testMachineClear(testMachine *machine)
{
    g_assert_cmpstr(machine->domain->qemu->crashed, ==, NULL);
    virDomainFree(machine->client);
    modelDomainFree(machine->domain);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(testMachine, testMachineClear)

static void
testAdd(testMachine *machine, const char *tag, unsigned int gib, const char *source)
{
    g_autofree char *xml = g_strdup_printf("<cxl-dcd><capacity tag='%s'><size unit='GiB'>1</size>"
                                           "<offset unit='GiB'>%u</offset>%s</capacity>"
                                           "<alias name='" DEVICE "'/></cxl-dcd>",
                                           tag,
                                           gib,
                                           source);
    char *added = virDomainCxlDcdAdd(machine->client, xml, VIR_DOMAIN_AFFECT_LIVE);

    g_assert_cmpstr(added, ==, tag);
    free(added);
}

static void
testWait(testMachine *machine, const char *tag, virDomainCxlDcdState state)
{
    g_assert_cmpint(virDomainCxlDcdWait(machine->client, tag, 0, 0), ==, state);
}

static GPtrArray *
testRecorded(const char *name)
{
    g_autofree char *path = testPath(DATA, name);
    g_autofree char *text = testReadFile(path);

    return requestsOfRecord(text);
}

/* ---------------------------------------------------------------- the tutorial */

static void
testSteps(testMachine *machine, const char *tag, unsigned int gib)
{
    testAdd(machine, tag, gib, "<source type='ram' access='shared'/>");
    g_assert_true(modelGuestAnswer(machine->domain->qemu, machine->device, true));
    testWait(machine, tag, VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED);
}

static void
testStepsBack(testMachine *machine, const char *tag)
{
    g_assert_cmpint(virDomainCxlDcdRelease(machine->client, NULL, tag, VIR_DOMAIN_AFFECT_LIVE),
                    ==,
                    0);
    g_assert_true(modelGuestObey(machine->domain->qemu, machine->device, false));
    testWait(machine, tag, VIR_DOMAIN_CXL_DCD_STATE_NONE);
}

static void
testTutorial(void)
{
    static const char *const tags[] = {SCENE_TAG, SCENE_OTHER};
    g_auto(testMachine) machine = {NULL};
    g_autoptr(GPtrArray) recorded = testRecorded("cover-with-guest.jsonl");
    guint objects;
    size_t i;

    testMachineInit(&machine);
    objects = machine.domain->qemu->objects->len;
    for (i = 0; i < G_N_ELEMENTS(tags); i++)
        testSteps(&machine, tags[i], i);
    for (i = 0; i < G_N_ELEMENTS(tags); i++)
        testStepsBack(&machine, tags[i]);
    for (i = 0; i < G_N_ELEMENTS(tags); i++) {
        g_autofree char *expected = requestsReport(recorded, tags[i]);
        g_autofree char *sent = requestsReport(machine.domain->qemu->requests, tags[i]);
        g_auto(GStrv) lines = g_strsplit(expected, "\n", -1);

        g_assert_cmpuint(g_strv_length(lines), ==, 6); /* 5 requests */
        g_assert_cmpstr(sent, ==, expected);
    }
    g_assert_cmpuint(machine.domain->qemu->objects->len, ==, objects);
}

/* ---------------------------------------------------------------- other backends */

static const struct {
    const char *tag;
    const char *source;
} testRecordedKinds[] = {
    {"000000b0-0000-4000-8000-000000000000",
     "<source type='file' access='shared'><path>/dev/shm/backend-kinds/mem0</path></source>"},
    {"000000b1-0000-4000-8000-000000000000", "<source type='memfd'/>"},
    {"000000b3-0000-4000-8000-000000000000", "<source type='ram' access='private'/>"},
};

/* Only the lines of @text about object-add. */
static char *
testFirstLine(const char *text)
{
    g_assert_true(g_str_has_prefix(text, "object-add "));
    return g_strndup(text, strcspn(text, "\n"));
}

static void
testKinds(void)
{
    g_auto(testMachine) machine = {NULL};
    g_autoptr(GPtrArray) recorded = testRecorded("backend-kinds.jsonl");
    size_t i;

    testMachineInit(&machine);
    for (i = 0; i < G_N_ELEMENTS(testRecordedKinds); i++) {
        const char *tag = testRecordedKinds[i].tag;
        g_autofree char *expected = requestsReport(recorded, tag);
        g_autofree char *expected_line = testFirstLine(expected);
        g_autofree char *sent = NULL;
        g_autofree char *sent_line = NULL;

        testAdd(&machine, tag, i, testRecordedKinds[i].source);
        sent = requestsReport(machine.domain->qemu->requests, tag);
        sent_line = testFirstLine(sent);
        g_assert_cmpstr(sent_line, ==, expected_line);
    }
}

/* A <source>, and the arguments of object-add that are its own. */
static const struct {
    const char *source;
    const char *arguments;
} testSources[] = {
    {"", "\"qom-type\":\"memory-backend-ram\""},
    {"<source type='ram' access='shared'><nodemask>0-1</nodemask><preallocate/></source>",
     "\"qom-type\":\"memory-backend-ram\",\"share\":true,\"prealloc\":true,\"host-nodes\":[0,1],"
     "\"policy\":\"bind\""},
    {"<source type='memfd' access='shared'><preallocate/></source>",
     "\"qom-type\":\"memory-backend-memfd\",\"share\":true,\"prealloc\":true"},
    {"<source type='memfd'><pagesize unit='MiB'>2</pagesize></source>",
     "\"qom-type\":\"memory-backend-memfd\",\"share\":true,\"hugetlb\":true,"
     "\"hugetlbsize\":2097152"},
    {"<source type='memfd' access='private'><pagesize unit='GiB'>1</pagesize>"
     "<nodemask>1,3</nodemask><preallocate/></source>",
     "\"qom-type\":\"memory-backend-memfd\",\"share\":false,\"hugetlb\":true,"
     "\"hugetlbsize\":1073741824,\"host-nodes\":[1,3],\"policy\":\"bind\",\"prealloc\":true"},
    {"<source type='file' access='shared'><path>/dev/shm/dataset</path></source>",
     "\"qom-type\":\"memory-backend-file\",\"mem-path\":\"/dev/shm/dataset\",\"share\":true"},
    {"<source type='file' access='private'><path>/srv/image</path></source>",
     "\"qom-type\":\"memory-backend-file\",\"mem-path\":\"/srv/image\",\"share\":false"},
    {"<source type='file' access='shared'><path>/dev/hugepages</path><nodemask>0</nodemask>"
     "<preallocate/></source>",
     "\"qom-type\":\"memory-backend-file\",\"mem-path\":\"/dev/hugepages\",\"share\":true,"
     "\"host-nodes\":[0],\"policy\":\"bind\",\"prealloc\":true"},
};

static void
testArguments(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(testSources); i++) {
        g_auto(testMachine) machine = {NULL};
        g_autoptr(GPtrArray) expected = g_ptr_array_new_with_free_func(g_free);
        g_autofree char *report = NULL;
        g_autofree char *sent = NULL;
        g_autofree char *line = NULL;

        testCase(testSources[i].source);
        testMachineInit(&machine);
        g_ptr_array_add(expected,
                        g_strdup_printf("{\"execute\":\"object-add\",\"arguments\":{%s,"
                                        "\"size\":1073741824,\"id\":\"any\",\"tag\":\"" SCENE_TAG
                                        "\"}}",
                                        testSources[i].arguments));
        testAdd(&machine, SCENE_TAG, 0, testSources[i].source);
        sent = requestsReport(machine.domain->qemu->requests, SCENE_TAG);
        line = testFirstLine(sent);
        report = requestsReport(expected, SCENE_TAG);
        g_assert_cmpstr(line, ==, g_strchomp(report));
    }
}

/* ------------------------------------------------------------------ the comparison */

/* Requests that must not count as equal, and requests that must not be left out. */
static void
testReports(void)
{
    static const struct {
        const char *request;
        const char *report;
    } cases[] = {
        {"{\"execute\":\"qom-list\",\"arguments\":{\"path\":\"/objects\"}}", ""},
        {"{\"execute\":\"device_del\",\"arguments\":{\"id\":\"d\"},\"id\":\"libvirt-9\"}",
         "device_del {}\n"},
        {"{\"execute\":\"object-del\",\"arguments\":{\"id\":\"unheard\"}}", "object-del {}\n"},
        {"{\"execute\":\"stop\",\"control\":{}}",
         "not a plain request: {\"execute\":\"stop\",\"control\":{}}\n"},
        {"{\"execute\":\"cxl-add-dynamic-capacity\",\"arguments\":{\"tag\":\"t\",\"extents\":["
         "{\"offset\":2,\"len\":1},{\"len\":0}]}}",
         ""},
        {"{\"execute\":\"cxl-add-dynamic-capacity\",\"arguments\":{\"tag\":\"t\",\"extents\":["
         "{\"offset\":2,\"len\":1},{\"offset\":1,\"len\":1}]}}",
         "cxl-add-dynamic-capacity {extents: [{len: 1, offset: 2}, {len: 1, offset: 1}], tag: "
         "'t'}\n"},
        {"{\"execute\":\"cxl-add-dynamic-capacity\",\"arguments\":{\"tag\":\"other\"}}", ""},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) requests = g_ptr_array_new();
        g_autofree char *report = NULL;

        testCase(cases[i].request);
        g_ptr_array_add(requests, (char *)cases[i].request);
        report = requestsReport(requests, "t");
        g_assert_cmpstr(report, ==, cases[i].report);
    }
}

int
main(int argc, char **argv)
{
    testInit(&argc, &argv);
    g_test_add_func("/tutorial/reports", testReports);
    g_test_add_func("/tutorial/steps", testTutorial);
    g_test_add_func("/tutorial/backend-kinds", testKinds);
    g_test_add_func("/tutorial/backend-arguments", testArguments);
    return g_test_run();
}
