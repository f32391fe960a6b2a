/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-monitor.c: what is sent to QEMU and how its answers are read
 *
 * This file takes libvirt's place: virDomainQemuMonitorCommand() records what is sent,
 * and returns what the case specifies. The answers are QEMU's own, recorded from the
 * stock 10.0 and from one with the tagged series (monitordata/).
 */

#include <config.h>

#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>
#include <string.h>

#include "cxl_dcd_error.h"
#include "qemu/qemu_cxl_dcd_capabilities.h"
#include "qemu/qemu_cxl_dcd_monitor.h"
#include "testutils.h"

#define TAG "5be13bce-ae34-4a77-b6c3-16df975fcf1a"
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

/* ---------------------------------------------------- in libvirt's place */

static const char *mockReply; /* NULL: libvirt fails */
static char *mockSent;

int
virDomainQemuMonitorCommand(virDomainPtr domain G_GNUC_UNUSED,
                            const char *cmd,
                            char **result,
                            unsigned int flags)
{
    g_assert_cmpuint(flags, ==, 0);
    g_free(mockSent);
    mockSent = g_strdup(cmd);
    if (mockReply) {
        *result = strdup(mockReply);
        return 0;
    }
    virCxlDcdReportErrorDomain(VIR_FROM_QEMU, VIR_ERR_OPERATION_FAILED, "no monitor");
    return -1;
}

const char *
virDomainGetName(virDomainPtr domain G_GNUC_UNUSED)
{
    return "vm";
}

/* ------------------------------------------------------------ what is sent */

/* A <capacity>, and the object-add of its backend. */
static const struct {
    const char *xml;
    const char *arguments;
} testBackends[] = {
    {"<capacity tag='" TAG "'><size unit='GiB'>1</size></capacity>",
     "\"qom-type\":\"memory-backend-ram\",\"id\":\"b\",\"size\":1073741824"},
    {"<capacity tag='" TAG "'><size>2048</size><source type='ram'/></capacity>",
     "\"qom-type\":\"memory-backend-ram\",\"id\":\"b\",\"size\":2097152"},
    {"<capacity tag='" TAG "'><size>2048</size><source type='ram' access='shared'/></capacity>",
     "\"qom-type\":\"memory-backend-ram\",\"id\":\"b\",\"size\":2097152,\"share\":true"},
    {"<capacity tag='" TAG "'><size>2048</size><source type='ram' access='private'/></capacity>",
     "\"qom-type\":\"memory-backend-ram\",\"id\":\"b\",\"size\":2097152,\"share\":false"},
    {"<capacity tag='" TAG "'><size>2048</size><source type='memfd'/></capacity>",
     "\"qom-type\":\"memory-backend-memfd\",\"id\":\"b\",\"size\":2097152,\"share\":true"},
    {"<capacity tag='" TAG "'><size>2048</size><source type='memfd' access='private'>"
     "<pagesize unit='MiB'>2</pagesize><nodemask>0,2-3</nodemask><preallocate/></source>"
     "</capacity>",
     "\"qom-type\":\"memory-backend-memfd\",\"id\":\"b\",\"size\":2097152,\"share\":false,"
     "\"hugetlb\":true,\"hugetlbsize\":2097152,\"host-nodes\":[0,2,3],\"policy\":\"bind\","
     "\"prealloc\":true"},
    {"<capacity tag='" TAG "'><size>2048</size><source type='file'><path>/dev/shm/a \"b\",c \\d"
     "</path></source></capacity>",
     "\"qom-type\":\"memory-backend-file\",\"id\":\"b\",\"size\":2097152,"
     "\"mem-path\":\"/dev/shm/a \\\"b\\\",c \\\\d\",\"share\":true"},
    {"<capacity tag='" TAG "'><size unit='b'>18446744073709551615</size></capacity>",
     "\"qom-type\":\"memory-backend-ram\",\"id\":\"b\",\"size\":18446744073709551615"},
};

static void
testObjectAdd(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(testBackends); i++) {
        g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(testBackends[i].xml, "capacity");
        g_autoptr(virCxlDcdCapacityDef) capacity =
            virCxlDcdCapacityDefParseXML(virCxlDcdXMLRoot(doc));
        g_autofree char *request = qemuCxlDcdFormatObjectAdd(capacity, "b");
        g_autofree char *expected =
            g_strdup_printf("{\"execute\":\"object-add\",\"arguments\":{%s,\"tag\":\"" TAG "\"}}",
                            testBackends[i].arguments);

        g_assert_cmpstr(request, ==, expected);
    }
}

#define PATH "\"path\":\"/machine/peripheral/cxl-dcd0\",\"host-id\":0"
#define EXTENT "\"extents\":[{\"offset\":2097152,\"len\":1073741824}"

/* The same capacity on both models: region 1, 1 GiB at 2 MiB. */
static void
testCommands(void)
{
    virCxlDcdCapacityDef capacity = {
        .tag = (char *)TAG,
        .region = 1,
        .size = GIB,
        .has_offset = true,
        .offset = 2 * MIB,
    };
    g_autofree char *add = qemuCxlDcdFormatAdd("cxl-dcd0", &capacity, false);
    g_autofree char *probe = qemuCxlDcdFormatAdd("cxl-dcd0", &capacity, true);
    g_autofree char *status = qemuCxlDcdFormatStatus("cxl-dcd0", &capacity);
    g_autofree char *by_tag =
        qemuCxlDcdFormatRelease("cxl-dcd0", &capacity, VIR_CXL_DCD_POLICY_TAG_BASED, false);
    g_autofree char *by_range =
        qemuCxlDcdFormatRelease("cxl-dcd0", &capacity, VIR_CXL_DCD_POLICY_PRESCRIPTIVE, false);
    g_autofree char *forced =
        qemuCxlDcdFormatRelease("cxl-dcd0", &capacity, VIR_CXL_DCD_POLICY_TAG_BASED, true);

    g_assert_cmpstr(add,
                    ==,
                    "{\"execute\":\"cxl-add-dynamic-capacity\",\"arguments\":{" PATH
                    ",\"selection-policy\":\"prescriptive\",\"region\":1,\"tag\":\"" TAG
                    "\"," EXTENT "]}}");
    g_assert_cmpstr(probe,
                    ==,
                    "{\"execute\":\"cxl-add-dynamic-capacity\",\"arguments\":{" PATH
                    ",\"selection-policy\":\"prescriptive\",\"region\":1,\"tag\":\"" TAG
                    "\"," EXTENT ",{\"offset\":0,\"len\":0}]}}");
    g_assert_cmpstr(by_tag,
                    ==,
                    "{\"execute\":\"cxl-release-dynamic-capacity\",\"arguments\":{" PATH
                    ",\"removal-policy\":\"tag-based\",\"region\":1,\"tag\":\"" TAG "\"," EXTENT
                    "]}}");
    g_assert_cmpstr(by_range,
                    ==,
                    "{\"execute\":\"cxl-release-dynamic-capacity\",\"arguments\":{" PATH
                    ",\"removal-policy\":\"prescriptive\",\"region\":1,\"tag\":\"" TAG "\"," EXTENT
                    "]}}");
    g_assert_cmpstr(forced,
                    ==,
                    "{\"execute\":\"cxl-release-dynamic-capacity\",\"arguments\":{" PATH
                    ",\"removal-policy\":\"tag-based\",\"forced-removal\":true,\"region\":1,"
                    "\"tag\":\"" TAG "\"," EXTENT "]}}");
    g_assert_cmpstr(status,
                    ==,
                    "{\"execute\":\"cxl-release-dynamic-capacity-status\",\"arguments\":{" PATH
                    ",\"region\":1,\"tag\":\"" TAG "\"}}");
}

/* ------------------------------------------------------------- what is read */

static const struct {
    const char *reply;
    int ret;
    const char *text; /* the refusal, or the end of the error */
} testReplies[] = {
    {"{\"return\": {}}", QEMU_CXL_DCD_DONE, NULL},
    {"{\"return\": {}, \"id\": \"libvirt-42\"}", QEMU_CXL_DCD_DONE, NULL},
    {"{\"id\":\"libvirt-42\",\"return\":[]}\r\n", QEMU_CXL_DCD_DONE, NULL},
    {"{\"return\": null}", QEMU_CXL_DCD_DONE, NULL},
    {"{\"error\": {\"class\": \"GenericError\", \"desc\": \"region id is too large\"}}",
     QEMU_CXL_DCD_REFUSED,
     "region id is too large"},
    {"{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"The command cxl-x has not been "
     "found\"}}",
     QEMU_CXL_DCD_REFUSED,
     "The command cxl-x has not been found"},
    {"{\"error\": {\"class\": \"GenericError\", \"desc\": \"\"}}", QEMU_CXL_DCD_REFUSED, ""},
    {"{\"error\": {\"class\": \"GenericError\"}}",
     -1,
     "{\"error\": {\"class\": \"GenericError\"}}"},
    {"{\"error\": \"x\"}", -1, "{\"error\": \"x\"}"},
    {"{\"event\": \"STOP\"}", -1, "{\"event\": \"STOP\"}"},
    {"[]", -1, "[]"},
    {"{}", -1, "{}"},
    {"\"return\"", -1, "\"return\""},
    {"", -1, ": : parse error: premature EOF"},
    {"{\"return\": {}", -1, NULL},
    {"Error: no such command", -1, NULL},
    {"{\"return\": \"\xff\"}", -1, NULL},
};

static void
testRunReplies(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(testReplies); i++) {
        g_autoptr(virCxlDcdJSON) result = NULL;
        g_autofree char *refusal = NULL;
        int ret = qemuCxlDcdMonitorParseReply("cmd", testReplies[i].reply, &result, &refusal);

        testCase(testReplies[i].reply);
        g_assert_cmpint(ret, ==, testReplies[i].ret);
        g_assert_true(!!result == (ret == QEMU_CXL_DCD_DONE));
        g_assert_cmpstr(refusal, ==, ret == QEMU_CXL_DCD_REFUSED ? testReplies[i].text : NULL);
        if (ret < 0) {
            g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_INTERNAL_ERROR);
            g_assert_true(g_str_has_prefix(virGetLastErrorMessage(),
                                           "internal error: QEMU's reply to 'cmd' has neither a "
                                           "result nor an error: "));
            if (testReplies[i].text)
                g_assert_true(g_str_has_suffix(virGetLastErrorMessage(), testReplies[i].text));
        }
        virResetLastError();
    }
}

/* An answer of 10 MB is read; if a long one is wrong, the error quotes its start. */
static void
testLargeReplies(void)
{
    g_autofree char *filling = g_strnfill(10 << 20, 'x');
    g_autofree char *right = g_strdup_printf("{\"return\": \"%s\"}", filling);
    g_autofree char *wrong = g_strdup_printf("{\"other\": \"%s\"}", filling);
    g_autoptr(virCxlDcdJSON) result = NULL;
    char *refusal = NULL;

    g_assert_cmpint(qemuCxlDcdMonitorParseReply("cmd", right, &result, &refusal), ==, 0);
    g_assert_cmpstr(virCxlDcdJSONMemberString(result, "return"), ==, filling);
    g_assert_cmpint(qemuCxlDcdMonitorParseReply("cmd", wrong, NULL, &refusal), ==, -1);
    g_assert_cmpuint(strlen(virGetLastErrorMessage()), <, 400);
    g_assert_null(refusal);
    virResetLastError();
}

/* Callers of a command without a result may pass NULL for it. */
static void
testNoResult(void)
{
    char *refusal = NULL;

    g_assert_cmpint(qemuCxlDcdMonitorParseReply("cmd", "{\"return\": {}}", NULL, &refusal), ==, 0);
    g_assert_null(refusal);
}

/* What QEMU 10.0 says of a guest that it has: which began with it, was migrated or restored,
 * is being sent, was sent in vain, or was written to a file. */
static const struct {
    const char *reply;
    int incoming;
} testMigrations[] = {
    {"{\"return\":{},\"id\":\"libvirt-476\"}", 0},
    {"{\"return\":{\"status\":\"completed\"},\"id\":\"libvirt-483\"}", 1},
    {"{\"return\":{\"status\":\"postcopy-active\"}}", 1},
    {"{\"return\":{\"status\":\"setup\"}}", 0},
    {"{\"return\":{\"status\":\"cancelled\"}}", 0},
    {"{\"return\":{\"status\":\"failed\",\"error-desc\":\"Unable to write to socket\"}}", 0},
    {"{\"return\":{\"status\":\"postcopy-active\",\"ram\":{\"total\":67641344}}}", 0},
    {"{\"return\":{\"status\":\"completed\",\"setup-time\":3,\"downtime\":4,\"total-time\":177,"
     "\"ram\":{\"total\":67641344}}}",
     0},
    {"{\"return\":[]}", 0},
    {"{\"error\":{\"class\":\"CommandNotFound\",\"desc\":\"The command query-migrate has not been "
     "found\"}}",
     -1},
    {NULL, -1},
};

static void
testIncoming(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(testMigrations); i++) {
        testCase(testMigrations[i].reply ? testMigrations[i].reply : "libvirt fails");
        mockReply = testMigrations[i].reply;
        g_assert_cmpint(qemuCxlDcdMonitorIsIncoming(NULL), ==, testMigrations[i].incoming);
        g_assert_cmpstr(mockSent, ==, "{\"execute\":\"query-migrate\",\"arguments\":{}}");
        g_assert_true((virGetLastError() != NULL) == (testMigrations[i].incoming < 0));
        virResetLastError();
    }
}

#define ABSENT QEMU_CXL_DCD_EXTENT_ABSENT
#define PENDING QEMU_CXL_DCD_EXTENT_PENDING
#define ACCEPTED QEMU_CXL_DCD_EXTENT_ACCEPTED
#define NOT_KNOWN (-1)

typedef struct {
    const char *text;
    int state;
} testStateCase;

static const testStateCase testStatuses[] = {
    {"Not Released", ACCEPTED},
    {"not released", ACCEPTED},
    {"not-released", ACCEPTED},
    {"NOT_RELEASED", ACCEPTED},
    {"Pending", PENDING},
    {"pending", PENDING},
    {"pending-add", PENDING},
    {"Release Pending", PENDING},
    {"Released", ABSENT},
    {"released", ABSENT},
    {"Not Found", ABSENT},
    {"not-found", ABSENT},
    {"Accepted", NOT_KNOWN},
    {"Unreleased", NOT_KNOWN},
    {"Released?", NOT_KNOWN},
    {"", NOT_KNOWN},
};

/* What stock QEMU answers when the last extent of a request has no length, and other possible
 * answers. */
static const testStateCase testProbes[] = {
    {"extent with 0 length is not allowed", ABSENT},
    {"cannot add DPA again while still pending", PENDING},
    {"cannot add DPA already accessible to the same LD", ACCEPTED},
    {"extent range is beyond the region end", NOT_KNOWN},
    {"dpa or len is not aligned to region block size", NOT_KNOWN},
    {"duplicate or overlapped extents are detected", NOT_KNOWN},
    {"region id is too large", NOT_KNOWN},
    {"Unable to resolve CXL type 3 device", NOT_KNOWN},
    {"No dynamic capacity support from the device", NOT_KNOWN},
    {"Only single extent add is supported currently", NOT_KNOWN},
    {"cannot add DPA", NOT_KNOWN},
    {"", NOT_KNOWN},
};

static void
testRunStates(int (*parse)(const char *, qemuCxlDcdExtentState *),
              const testStateCase *cases,
              size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        qemuCxlDcdExtentState state = ABSENT;
        int ret = parse(cases[i].text, &state);

        testCase(cases[i].text);
        g_assert_cmpint(ret, ==, cases[i].state == NOT_KNOWN ? -1 : 0);
        if (ret == 0)
            g_assert_cmpint(state, ==, cases[i].state);
    }
    g_assert_null(virGetLastError());
}

static void
testRunStatuses(void)
{
    testRunStates(qemuCxlDcdParseStatus, testStatuses, G_N_ELEMENTS(testStatuses));
}

static void
testRunProbes(void)
{
    testRunStates(qemuCxlDcdParseProbe, testProbes, G_N_ELEMENTS(testProbes));
}

/* ------------------------------------------------------------- round trips */

static virCxlDcdCapacityDef testCapacity = {
    .tag = (char *)TAG,
    .size = 2 * MIB,
    .has_offset = true,
};

/* The answers of a QEMU with the tagged series throughout the life of a capacity: unknown, with
 * a backend, offered, declined, accepted, asked back, given back, under its tag in upper case,
 * without backend. */
static void
testRecordedStatuses(void)
{
    static const qemuCxlDcdExtentState states[] = {
        ABSENT,
        ABSENT,
        PENDING,
        ABSENT,
        ACCEPTED,
        ACCEPTED,
        ABSENT,
        ABSENT,
        ABSENT,
    };
    g_autofree char *path = testPath("monitordata", "status-states.jsonl");
    g_autofree char *text = testReadFile(path);
    g_auto(GStrv) lines = g_strsplit(g_strchomp(text), "\n", -1);
    size_t i;

    g_assert_cmpuint(g_strv_length(lines), ==, G_N_ELEMENTS(states));
    for (i = 0; i < G_N_ELEMENTS(states); i++) {
        qemuCxlDcdExtentState state = ABSENT;

        mockReply = lines[i];
        g_assert_cmpint(qemuCxlDcdMonitorGetStatus(NULL, "d", &testCapacity, &state), ==, 0);
        g_assert_cmpint(state, ==, states[i]);
    }
}

typedef int (*testStateFunc)(virDomainPtr,
                             const char *,
                             const virCxlDcdCapacityDef *,
                             qemuCxlDcdExtentState *);

/* An answer without a state is an error, never a state. */
static void
testNoState(void)
{
#define SUBJECT "of capacity '" TAG "' of device 'd' of domain 'vm'"
    static const struct {
        testStateFunc ask;
        const char *reply;
        int code;
        const char *message;
    } cases[] = {
        {qemuCxlDcdMonitorGetStatus,
         NULL,
         VIR_ERR_OPERATION_FAILED,
         "operation failed: no monitor"},
        {qemuCxlDcdMonitorGetStatus,
         "{\"error\": {\"desc\": \"Unable to resolve CXL type 3 device\"}}",
         VIR_ERR_OPERATION_FAILED,
         "operation failed: QEMU does not tell the state " SUBJECT
         ": Unable to resolve CXL type 3 device"},
        {qemuCxlDcdMonitorGetStatus,
         "{\"return\": {\"status\": \"Lost\"}}",
         VIR_ERR_INTERNAL_ERROR,
         "internal error: QEMU says that the status " SUBJECT
         " is 'Lost', which is not known here"},
        {qemuCxlDcdMonitorGetStatus,
         "{\"return\": {}}",
         VIR_ERR_INTERNAL_ERROR,
         "internal error: QEMU says that the status " SUBJECT " is '', which is not known here"},
        {qemuCxlDcdMonitorProbe, NULL, VIR_ERR_OPERATION_FAILED, "operation failed: no monitor"},
        {qemuCxlDcdMonitorProbe,
         "{\"return\": {}}",
         VIR_ERR_OPERATION_FAILED,
         "operation failed: QEMU does not tell the state " SUBJECT
         ": it took an extent of no length"},
        {qemuCxlDcdMonitorProbe,
         "{\"error\": {\"desc\": \"region id is too large\"}}",
         VIR_ERR_OPERATION_FAILED,
         "operation failed: QEMU does not tell the state " SUBJECT ": region id is too large"},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        qemuCxlDcdExtentState state;

        mockReply = cases[i].reply;
        g_assert_cmpint(cases[i].ask(NULL, "d", &testCapacity, &state), ==, -1);
        testAssertError(cases[i].code, cases[i].message);
    }
}

static void
testProbe(void)
{
    qemuCxlDcdExtentState state = ABSENT;
    g_autofree char *request = qemuCxlDcdFormatAdd("d", &testCapacity, true);

    mockReply = "{\"error\": {\"desc\": \"cannot add DPA again while still pending\"}}";
    g_assert_cmpint(qemuCxlDcdMonitorProbe(NULL, "d", &testCapacity, &state), ==, 0);
    g_assert_cmpint(state, ==, PENDING);
    g_assert_cmpstr(mockSent, ==, request);
}

/* Each command sends its text and returns one of three outcomes. */
static void
testOutcomes(void)
{
    static const struct {
        const char *reply;
        int ret;
        const char *refusal;
    } outcomes[] = {
        {"{\"return\": {}}", QEMU_CXL_DCD_DONE, NULL},
        {"{\"error\": {\"desc\": \"no\"}}", QEMU_CXL_DCD_REFUSED, "no"},
        {NULL, -1, NULL},
        {"{}", -1, NULL},
    };
    size_t i;
    int command;

    for (i = 0; i < G_N_ELEMENTS(outcomes); i++) {
        for (command = 0; command < 4; command++) {
            g_autofree char *refusal = NULL;
            g_autofree char *expected = NULL;
            int ret = 0;

            mockReply = outcomes[i].reply;
            if (command == 0) {
                ret = qemuCxlDcdMonitorObjectAdd(NULL, &testCapacity, "b", &refusal);
                expected = qemuCxlDcdFormatObjectAdd(&testCapacity, "b");
            } else if (command == 1) {
                ret = qemuCxlDcdMonitorObjectDel(NULL, "b", &refusal);
                expected = g_strdup("{\"execute\":\"object-del\",\"arguments\":{\"id\":\"b\"}}");
            } else if (command == 2) {
                ret = qemuCxlDcdMonitorAdd(NULL, "d", &testCapacity, &refusal);
                expected = qemuCxlDcdFormatAdd("d", &testCapacity, false);
            } else {
                ret = qemuCxlDcdMonitorRelease(NULL, "d", &testCapacity, 1, false, &refusal);
                expected = qemuCxlDcdFormatRelease("d", &testCapacity, 1, false);
            }
            g_assert_cmpint(ret, ==, outcomes[i].ret);
            g_assert_cmpstr(refusal, ==, outcomes[i].refusal);
            g_assert_cmpstr(mockSent, ==, expected);
            g_assert_true(!!virGetLastError() == (ret < 0));
            virResetLastError();
        }
    }
}

static void
testHasObject(void)
{
    static const struct {
        const char *reply;
        int ret;
    } cases[] = {
        {"{\"return\": [{\"name\": \"type\", \"type\": \"string\"},"
         "{\"name\": \"b\", \"type\": \"child<memory-backend-ram>\"}]}",
         1},
        {"{\"return\": [{\"name\": \"bb\"}, {\"name\": \"B\"}, {}]}", 0},
        {"{\"return\": []}", 0},
        {"{\"error\": {\"desc\": \"no\"}}", -1},
        {"{}", -1},
        {NULL, -1},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        mockReply = cases[i].reply;
        g_assert_cmpint(qemuCxlDcdMonitorHasObject(NULL, "b"), ==, cases[i].ret);
        g_assert_cmpstr(mockSent,
                        ==,
                        "{\"execute\":\"qom-list\",\"arguments\":{\"path\":\"/objects\"}}");
        g_assert_true(!!virGetLastError() == (cases[i].ret < 0));
        virResetLastError();
    }
}

/* ------------------------------------------------------------ capabilities */

static const struct {
    const char *file;
    const char *version;
    bool fixed;
    bool tagged;
} testCapabilities[] = {
    {"capabilities-10.0.jsonl", "10.0.2", true, false},
    {"capabilities-tagged.jsonl", "10.2.50", true, true},
    {"capabilities-8.2.jsonl", "8.2.2", false, false},
    {"capabilities-no-cxl.jsonl", "10.0.2", false, false},
};

static void
testRunCapabilities(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(testCapabilities); i++) {
        g_autofree char *path = testPath("monitordata", testCapabilities[i].file);
        g_autofree char *text = testReadFile(path);
        g_autoptr(qemuCxlDcdCapabilities) capabilities = qemuCxlDcdCapabilitiesParse(text);

        testCase(testCapabilities[i].file);
        g_assert_nonnull(capabilities);
        g_assert_cmpstr(capabilities->version, ==, testCapabilities[i].version);
        g_assert_true(capabilities->fixed == testCapabilities[i].fixed);
        g_assert_true(capabilities->tagged == testCapabilities[i].tagged);
        g_assert_cmpstr(capabilities->messages, ==, "");
    }
}

/* Other text in QEMU's output does no harm; without the version nothing can be trusted. */
static void
testOddCapabilities(void)
{
    static const char version[] =
        "{\"return\": {\"qemu\": {\"micro\": 1, \"minor\": 2, \"major\": 9}}, \"id\": \"version\"}";
    static const char property[] =
        "{\"return\": [{\"name\": \"dc-regions-total-size\"}], \"id\": \"properties\"}";
    static const char command[] =
        "{\"return\": [{\"name\": \"cxl-release-dynamic-capacity-status\"}], \"id\": \"commands\"}";
    static const struct {
        const char *lines[6];
        const char *version; /* NULL: the output is not accepted */
        bool tagged;
    } cases[] = {
        {{version, property, command}, "9.2.1", true},
        {{command, property, version}, "9.2.1", true},
        {{version, property}, "9.2.1", false},
        {{version, command}, "9.2.1", false},
        {{"warning: junk", "{", "", version, "[]", "\xff"}, "9.2.1", false},
        {{version, "{\"id\": \"properties\", \"return\": {}}", "{\"id\": 5}", "5"}, "9.2.1", false},
        {{"{\"return\": {}, \"id\": \"version\"}"}, "0.0.0", false},
        {{property, command}, NULL, false},
        {{""}, NULL, false},
        {{"qemu: could not start"}, NULL, false},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = g_strjoin("\r\n",
                                          cases[i].lines[0],
                                          cases[i].lines[1],
                                          cases[i].lines[2],
                                          cases[i].lines[3],
                                          cases[i].lines[4],
                                          cases[i].lines[5],
                                          NULL);
        g_autoptr(qemuCxlDcdCapabilities) capabilities = qemuCxlDcdCapabilitiesParse(text);

        testCase(text);
        g_assert_cmpstr(capabilities ? capabilities->version : NULL, ==, cases[i].version);
        if (capabilities)
            g_assert_true(capabilities->tagged == cases[i].tagged);
        g_assert_null(virGetLastError());
    }
}

int
main(int argc, char **argv)
{
    int ret;

    testInit(&argc, &argv);
    g_test_add_func("/monitor/object-add", testObjectAdd);
    g_test_add_func("/monitor/commands", testCommands);
    g_test_add_func("/monitor/replies", testRunReplies);
    g_test_add_func("/monitor/replies-large", testLargeReplies);
    g_test_add_func("/monitor/no-result", testNoResult);
    g_test_add_func("/monitor/incoming", testIncoming);
    g_test_add_func("/monitor/statuses", testRunStatuses);
    g_test_add_func("/monitor/statuses-recorded", testRecordedStatuses);
    g_test_add_func("/monitor/probes", testRunProbes);
    g_test_add_func("/monitor/probe", testProbe);
    g_test_add_func("/monitor/no-state", testNoState);
    g_test_add_func("/monitor/outcomes", testOutcomes);
    g_test_add_func("/monitor/has-object", testHasObject);
    g_test_add_func("/monitor/capabilities", testRunCapabilities);
    g_test_add_func("/monitor/capabilities-odd", testOddCapabilities);
    ret = g_test_run();
    g_free(mockSent);
    return ret;
}
