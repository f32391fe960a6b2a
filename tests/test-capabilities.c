/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-capabilities.c: querying a QEMU binary's capabilities, and the decisions based on
 * them
 *
 * A script takes QEMU's place: it either repeats the output of some real QEMU, or does
 * what no QEMU should. It is run as QEMU is: as another user if the test runs as root.
 */

#include <config.h>

#include <glib/gstdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cxl_dcd_error.h"
#include "qemu/qemu_cxl_dcd_capabilities.h"
#include "testutils.h"

/* A folder that any user can read, the script in it, and a file that any user can write. */
static char *folder;
static char *emulator;
static char *notes;

/* Make the script do what @body says; "notes" stands for the file. */
static void
testBecome(const char *body)
{
    g_autofree char *text = g_strdup_printf("#!/bin/sh\nnotes='%s'\n%s\n", notes, body);
    g_autoptr(GError) error = NULL;

    g_file_set_contents(emulator, text, -1, &error);
    g_assert_no_error(error);
    g_assert_cmpint(g_chmod(emulator, 0755), ==, 0);
}

/* Make the script print the output of QEMU in @file. */
static void
testBecomeQEMU(const char *file, const char *more)
{
    g_autofree char *path = testPath("monitordata", file);
    g_autofree char *words = testReadFile(path);
    g_autofree char *body = g_strdup_printf("%s\ncat <<'WORDS'\n%s\nWORDS\n", more, words);

    testBecome(body);
}

static char *
testNotes(void)
{
    return testReadFile(notes);
}

static void
testForget(void)
{
    g_autoptr(GError) error = NULL;

    g_file_set_contents(notes, "", -1, &error);
    g_assert_no_error(error);
    g_assert_cmpint(g_chmod(notes, 0666), ==, 0);
}

/* ---------------------------------------------------------------- querying */

static void
testHowItIsAsked(void)
{
    g_autoptr(qemuCxlDcdCapabilities) capabilities = NULL;
    g_autofree char *message = NULL;
    g_autofree char *noted = NULL;
    g_autofree char *expected = NULL;

    testForget();
    testBecomeQEMU("capabilities-10.0.jsonl",
                   "echo \"$(id -u) $(id -G) $(pwd) $LC_ALL $HOME$LD_PRELOAD\" \"$@\" >>$notes\n"
                   "cat >>$notes; echo some words >&2; echo and more >&2");
    g_setenv("LD_PRELOAD", "", TRUE);
    capabilities = qemuCxlDcdCapabilitiesAsk(emulator, "/some/module,of.so", 20, &message);
    g_assert_cmpstr(message, ==, NULL);
    g_assert_nonnull(capabilities);
    g_assert_cmpstr(capabilities->version, ==, "10.0.2");
    g_assert_cmpstr(capabilities->messages, ==, "some words and more");

    /* as nobody, with no supplementary groups, if run as root; and with no machine */
    noted = testNotes();
    if (geteuid() == 0)
        expected = g_strdup("65534 65534 / C  ");
    else
        expected = g_strdup_printf("%u ", (unsigned int)geteuid());
    g_assert_true(g_str_has_prefix(noted, expected));
    g_assert_nonnull(strstr(noted, " -machine none "));
    g_assert_nonnull(strstr(noted, " -plugin file=/some/module,,of.so\n{\"execute\""));
    g_assert_nonnull(strstr(noted, "{\"execute\": \"quit\"}\n"));
}

/* Query the script: it must fail with @reason. */
static void
testAskFails(unsigned int timeout, const char *reason)
{
    g_autofree char *expected =
        g_strdup_printf("cannot find out what '%s' can do: %s", emulator, reason);
    g_autofree char *message = NULL;

    g_assert_null(qemuCxlDcdCapabilitiesAsk(emulator, NULL, timeout, &message));
    g_assert_cmpstr(message, ==, expected);
}

/* Not a QEMU, or one that does not work. */
static void
testNoAnswer(void)
{
    static const struct {
        const char *body;
        const char *message;
    } cases[] = {
        {"exit 0", "it ended without an answer"},
        {"exit 3", "it ended without an answer"},
        {"echo one >&2; echo two >&2; exit 1", "one two"},
        {"kill -SEGV $$", "it was ended by signal 11"},
        {"echo bad >&2; kill -ABRT $$", "bad"},
        {"echo garbage; echo '{\"return\": 5}'; echo '{'", "it ended without an answer"},
        {"head -c 1000000 /dev/zero | tr '\\0' x", "it ended without an answer"},
        {"exec sleep 60", "it did not answer in 1 seconds"},
        {"trap '' TERM; exec sleep 60 2>/dev/null", "it did not answer in 1 seconds"},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        gint64 start = g_get_monotonic_time();

        testCase(cases[i].body);
        testBecome(cases[i].body);
        testAskFails(1, cases[i].message);
        g_assert_cmpint(g_get_monotonic_time() - start, <, 20 * G_USEC_PER_SEC);
    }
}

/* A program that writes without end, on either stream or both, is killed. */
static void
testTooMuch(void)
{
    static const char *const bodies[] = {
        "exec yes",
        "exec yes >&2",
        "yes & yes >&2",
        "yes & exit 0",
        "head -c 600000 /dev/zero; head -c 600000 /dev/zero >&2",
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(bodies); i++) {
        testCase(bodies[i]);
        testBecome(bodies[i]);
        testAskFails(20, "it wrote more than 1 MiB");
    }
}

/* The error quotes the end of what QEMU wrote to its standard error, as text. */
static void
testMessages(void)
{
    g_autofree char *message = NULL;

    testBecome("yes | head -c 100000 >&2; printf 'no \\377\\n' >&2; exit 1");
    g_assert_null(qemuCxlDcdCapabilitiesAsk(emulator, NULL, 20, &message));
    g_assert_true(g_str_has_suffix(message, " y y no \xef\xbf\xbd"));
    g_assert_cmpuint(strlen(message), <, 5000);
}

/* Whether a process is gone, or a zombie that its new parent has not reaped yet. */
static bool
testIsGone(const char *pid)
{
    g_autofree char *proc = g_strdup_printf("/proc/%s/stat", pid);
    int tries;

    for (tries = 0; tries < 100; tries++) {
        g_autofree char *stat = NULL;

        if (!g_file_get_contents(proc, &stat, NULL, NULL) || strstr(stat, ") Z "))
            return true;
        g_usleep(20000);
    }
    return false;
}

/* Nothing remains of a script, however it ends, nor of what it has started. */
static void
testNothingStays(void)
{
    static const struct {
        const char *body;
        unsigned int timeout;
        const char *message;
    } cases[] = {
        {"sleep 60 & echo $$ $! >>$notes; wait", 1, "it did not answer in 1 seconds"},
        {"sleep 60 & echo $$ $! >>$notes; exit 0", 1, "it did not answer in 1 seconds"},
        {"sleep 60 >/dev/null 2>&1 & echo $$ $! >>$notes; exit 0",
         20,
         "it ended without an answer"},
        {"sleep 60 >/dev/null 2>&1 & echo $$ $! >>$notes; exec >&- 2>&-; wait",
         20,
         "it was ended by signal 9"},
        {"sleep 60 & echo $$ $! >>$notes; exec yes", 20, "it wrote more than 1 MiB"},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *noted = NULL;
        g_auto(GStrv) pids = NULL;

        testCase(cases[i].body);
        testForget();
        testBecome(cases[i].body);
        testAskFails(cases[i].timeout, cases[i].message);
        noted = g_strstrip(testNotes());
        pids = g_strsplit(noted, " ", -1);
        g_assert_cmpuint(g_strv_length(pids), ==, 2);
        g_assert_true(testIsGone(pids[0]));
        g_assert_true(testIsGone(pids[1]));
    }
}

static void
testMissing(void)
{
    g_assert_null(qemuCxlDcdCapabilitiesGet("/nowhere/qemu", NULL));
    g_assert_nonnull(strstr(virGetLastErrorMessage(),
                            "cannot find out what '/nowhere/qemu' can do: "
                            "Failed to execute child process"));
    virResetLastError();
    g_assert_null(qemuCxlDcdCapabilitiesGet(folder, NULL));
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_FAILED);
    virResetLastError();
}

/* ------------------------------------------------------------- remembering */

static guint
testCountRuns(const char *module)
{
    g_autoptr(qemuCxlDcdCapabilities) capabilities = NULL;
    g_autofree char *noted = NULL;
    g_auto(GStrv) lines = NULL;

    capabilities = qemuCxlDcdCapabilitiesGet(emulator, module);
    virResetLastError();
    noted = testNotes();
    lines = g_strsplit(noted, "\n", -1);
    return g_strv_length(lines) - 1;
}

/* An answer is kept until one of the files changes. */
static void
testCache(void)
{
    g_autofree char *module = g_build_filename(folder, "module.so", NULL);

    testForget();
    testBecomeQEMU("capabilities-10.0.jsonl", "echo run >>$notes");
    g_assert_cmpuint(testCountRuns(NULL), ==, 1);
    g_assert_cmpuint(testCountRuns(NULL), ==, 1);
    g_assert_cmpuint(testCountRuns(module), ==, 2);
    g_assert_cmpuint(testCountRuns(module), ==, 2);
    g_usleep(50000); /* file timestamps are coarse */
    g_assert_true(g_file_set_contents(module, "", -1, NULL));
    g_assert_cmpuint(testCountRuns(module), ==, 3);
    g_assert_cmpuint(testCountRuns(module), ==, 3);
    g_assert_cmpuint(testCountRuns(NULL), ==, 3);
    g_usleep(50000);
    g_assert_cmpint(g_chmod(emulator, 0555), ==, 0);
    g_assert_cmpuint(testCountRuns(NULL), ==, 4);
}

/* A failure is kept for as long as it took, or until the file changes, and is reported again. */
static void
testFailureCache(void)
{
    guint tries;

    testForget();
    testBecome("echo run >>$notes; sleep 0.3; echo bad >&2; exit 1");
    g_assert_cmpuint(testCountRuns(NULL), ==, 1);
    g_assert_null(qemuCxlDcdCapabilitiesGet(emulator, NULL));
    g_assert_true(g_str_has_suffix(virGetLastErrorMessage(), "' can do: bad"));
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_FAILED);
    g_assert_cmpuint(testCountRuns(NULL), ==, 1);
    for (tries = 0; tries < 100 && testCountRuns(NULL) == 1; tries++)
        g_usleep(50000);
    g_assert_cmpuint(tries, >, 0);
    g_assert_cmpuint(tries, <, 100);
    g_assert_cmpuint(testCountRuns(NULL), ==, 2);

    testBecomeQEMU("capabilities-10.0.jsonl", "echo run >>$notes");
    g_assert_cmpuint(testCountRuns(NULL), ==, 3);
    g_assert_cmpuint(testCountRuns(NULL), ==, 3);
}

static gpointer
testThread(gpointer path)
{
    return qemuCxlDcdCapabilitiesGet(path, NULL);
}

/* Many threads that query at the same time start one QEMU, and each gets an answer. */
static void
testOneAtATime(void)
{
    GThread *threads[8];
    g_autofree char *noted = NULL;
    size_t i;

    testForget();
    testBecomeQEMU("capabilities-10.0.jsonl", "echo run >>$notes; sleep 0.2");
    for (i = 0; i < G_N_ELEMENTS(threads); i++)
        threads[i] = g_thread_new("asks", testThread, emulator);
    for (i = 0; i < G_N_ELEMENTS(threads); i++) {
        g_autoptr(qemuCxlDcdCapabilities) capabilities = g_thread_join(threads[i]);

        g_assert_nonnull(capabilities);
        g_assert_true(capabilities->fixed);
    }
    noted = testNotes();
    g_assert_cmpstr(noted, ==, "run\n");
}

/* The answer for one QEMU does not wait for another QEMU that hangs. */
static void
testKnownDoesNotWait(void)
{
    g_autofree char *slow = g_build_filename(folder, "slow", NULL);
    g_autoptr(qemuCxlDcdCapabilities) first = NULL;
    g_autoptr(qemuCxlDcdCapabilities) again = NULL;
    g_autofree char *noted = NULL;
    GThread *thread;
    FILE *file;

    testForget();
    testBecome(
        "echo run >>$notes; until grep -q go $notes; do sleep 0.05; done; echo end >>$notes");
    g_assert_cmpint(g_rename(emulator, slow), ==, 0);
    testBecomeQEMU("capabilities-10.0.jsonl", "");
    first = qemuCxlDcdCapabilitiesGet(emulator, NULL);
    g_assert_nonnull(first);

    thread = g_thread_new("waits", testThread, slow);
    while (!noted || !*noted) {
        g_usleep(10000);
        g_free(noted);
        noted = testNotes();
    }
    again = qemuCxlDcdCapabilitiesGet(emulator, NULL);
    g_assert_nonnull(again);
    file = g_fopen(notes, "a");
    g_assert_nonnull(file);
    fputs("go\n", file);
    fclose(file);
    g_assert_null(g_thread_join(thread));
    g_free(noted);
    noted = testNotes();
    g_assert_cmpstr(noted, ==, "run\ngo\nend\n"); /* it was not killed before it finished */
    g_unlink(slow);
}

/* ----------------------------------------------------------------- deciding */

/* QEMU, EMULATOR and MODULE stand for the files. */
#define NEEDS_TAGGED                                                                               \
    "<cxl-dcd> 'dev' of model 'tagged' needs a QEMU with tagged dynamic capacity: EMULATOR (QEMU "

static const struct {
    const char *qemu;
    const char *module; /* the output of a QEMU that loads it; NULL: it does not exist */
    virDomainCxlDcdModel model;
    virCxlDcdDriver driver;
    bool path; /* the device names the module */
    virCxlDcdDriver decided;
    const char *message; /* NULL: the device is possible */
} testDecisions[] = {
    {"10.0", "tagged", VIR_DOMAIN_CXL_DCD_MODEL_STATIC, 0, false, 0, NULL},
    {"tagged", NULL, VIR_DOMAIN_CXL_DCD_MODEL_STATIC, 0, false, 0, NULL},
    {"8.2",
     "tagged",
     VIR_DOMAIN_CXL_DCD_MODEL_STATIC,
     0,
     false,
     0,
     "<cxl-dcd> 'dev' of model 'static' needs a QEMU with dynamic capacity, which QEMU has since "
     "9.1 where it is built with CXL: EMULATOR (QEMU 8.2.2) does not have it"},
    {"no-cxl",
     NULL,
     VIR_DOMAIN_CXL_DCD_MODEL_STATIC,
     0,
     false,
     0,
     "<cxl-dcd> 'dev' of model 'static' needs a QEMU with dynamic capacity, which QEMU has since "
     "9.1 where it is built with CXL: EMULATOR (QEMU 10.0.2) does not have it"},
    {"tagged",
     NULL,
     VIR_DOMAIN_CXL_DCD_MODEL_TAGGED,
     VIR_CXL_DCD_DRIVER_NONE,
     false,
     VIR_CXL_DCD_DRIVER_QEMU,
     NULL},
    {"tagged",
     "tagged",
     VIR_DOMAIN_CXL_DCD_MODEL_TAGGED,
     VIR_CXL_DCD_DRIVER_NONE,
     false,
     VIR_CXL_DCD_DRIVER_QEMU,
     NULL},
    {"10.0",
     "tagged",
     VIR_DOMAIN_CXL_DCD_MODEL_TAGGED,
     VIR_CXL_DCD_DRIVER_NONE,
     false,
     VIR_CXL_DCD_DRIVER_MODULE,
     NULL},
    {"10.0",
     NULL,
     VIR_DOMAIN_CXL_DCD_MODEL_TAGGED,
     VIR_CXL_DCD_DRIVER_NONE,
     false,
     0,
     NEEDS_TAGGED
     "10.0.2) does not have it, and the QEMU module MODULE cannot give it: there is no such file. "
     "model='static' works with this QEMU unmodified"},
    {"8.2",
     "8.2",
     VIR_DOMAIN_CXL_DCD_MODEL_TAGGED,
     VIR_CXL_DCD_DRIVER_NONE,
     false,
     0,
     NEEDS_TAGGED
     "8.2.2) does not have it, and the QEMU module MODULE cannot give it: not this QEMU. Dynamic "
     "capacity requires QEMU 9.1 or later"},
    {"10.0",
     "10.0",
     VIR_DOMAIN_CXL_DCD_MODEL_TAGGED,
     VIR_CXL_DCD_DRIVER_MODULE,
     true,
     0,
     NEEDS_TAGGED "10.0.2) does not have it, and the QEMU module MODULE cannot give it: not this "
                  "QEMU. model='static' works with this QEMU unmodified"},
    {"10.0",
     "tagged",
     VIR_DOMAIN_CXL_DCD_MODEL_TAGGED,
     VIR_CXL_DCD_DRIVER_MODULE,
     true,
     VIR_CXL_DCD_DRIVER_MODULE,
     NULL},
    {"tagged",
     NULL,
     VIR_DOMAIN_CXL_DCD_MODEL_TAGGED,
     VIR_CXL_DCD_DRIVER_QEMU,
     false,
     VIR_CXL_DCD_DRIVER_QEMU,
     NULL},
    {"10.0",
     "tagged",
     VIR_DOMAIN_CXL_DCD_MODEL_TAGGED,
     VIR_CXL_DCD_DRIVER_QEMU,
     false,
     0,
     "<driver name='qemu'/> of <cxl-dcd> 'dev' needs a QEMU that has tagged dynamic capacity "
     "itself: EMULATOR (QEMU 10.0.2) does not have it. Without <driver> the QEMU module adds it "
     "to QEMU 10.0 and 11.1. model='static' works with this QEMU unmodified"},
    {"8.2",
     NULL,
     VIR_DOMAIN_CXL_DCD_MODEL_TAGGED,
     VIR_CXL_DCD_DRIVER_QEMU,
     false,
     0,
     "<driver name='qemu'/> of <cxl-dcd> 'dev' needs a QEMU that has tagged dynamic capacity "
     "itself: EMULATOR (QEMU 8.2.2) does not have it. Without <driver> the QEMU module adds it to "
     "QEMU 10.0 and 11.1. Dynamic capacity requires QEMU 9.1 or later"},
};

/* A QEMU that reports one thing by itself, and another when it loads the module. */
static void
testBecomeBoth(const char *qemu, const char *module)
{
    g_autofree char *file = g_strdup_printf("capabilities-%s.jsonl", qemu);
    g_autofree char *other = g_strdup_printf("capabilities-%s.jsonl", module ? module : qemu);
    g_autofree char *path = testPath("monitordata", other);
    g_autofree char *words = testReadFile(path);
    g_autofree char *more = g_strdup_printf("case $* in *-plugin*) echo not this QEMU >&2\n"
                                            "cat <<'WORDS'\n%s\nWORDS\nexit;; esac\n",
                                            words);

    g_usleep(20000);
    testBecomeQEMU(file, more);
}

static void
testDecisionsMade(void)
{
    g_autofree char *module = g_build_filename(folder, "module.so", NULL);
    size_t i;

    g_setenv("LIBVIRT_CXL_DCD_QEMU_MODULE", module, TRUE);
    for (i = 0; i < G_N_ELEMENTS(testDecisions); i++) {
        g_autoptr(virCxlDcdDef) device = virCxlDcdDefNew();
        int expected = testDecisions[i].message ? -1 : 0;

        testCase(testDecisions[i].message ? testDecisions[i].message : testDecisions[i].qemu);
        testBecomeBoth(testDecisions[i].qemu, testDecisions[i].module);
        g_unlink(module);
        if (testDecisions[i].module)
            g_assert_true(g_file_set_contents(module, "", -1, NULL));
        device->alias = g_strdup("dev");
        device->model = testDecisions[i].model;
        device->driver = testDecisions[i].driver;
        device->module = testDecisions[i].path ? g_strdup(module) : NULL;

        g_assert_cmpint(qemuCxlDcdDecideDriver(device, emulator), ==, expected);
        if (testDecisions[i].message) {
            g_autoptr(GString) message = g_string_new("unsupported configuration: ");

            g_string_append(message, testDecisions[i].message);
            g_string_replace(message, "EMULATOR", emulator, 0);
            g_string_replace(message, "MODULE", module, 0);
            testAssertError(VIR_ERR_CONFIG_UNSUPPORTED, message->str);
        } else {
            g_assert_cmpint(device->driver, ==, testDecisions[i].decided);
            g_assert_cmpstr(device->module,
                            ==,
                            device->driver == VIR_CXL_DCD_DRIVER_MODULE ? module : NULL);
        }
    }
    g_unsetenv("LIBVIRT_CXL_DCD_QEMU_MODULE");
    g_unlink(module);
}

int
main(int argc, char **argv)
{
    int ret;

    testInit(&argc, &argv);
    folder = g_dir_make_tmp("cxl-dcd-test.XXXXXX", NULL);
    g_assert_nonnull(folder);
    g_assert_cmpint(g_chmod(folder, 0755), ==, 0);
    emulator = g_build_filename(folder, "qemu", NULL);
    notes = g_build_filename(folder, "notes", NULL);

    g_test_add_func("/capabilities/how-it-is-asked", testHowItIsAsked);
    g_test_add_func("/capabilities/no-answer", testNoAnswer);
    g_test_add_func("/capabilities/too-much", testTooMuch);
    g_test_add_func("/capabilities/messages", testMessages);
    g_test_add_func("/capabilities/nothing-stays", testNothingStays);
    g_test_add_func("/capabilities/missing", testMissing);
    g_test_add_func("/capabilities/cache", testCache);
    g_test_add_func("/capabilities/failure-cache", testFailureCache);
    g_test_add_func("/capabilities/one-at-a-time", testOneAtATime);
    g_test_add_func("/capabilities/known-does-not-wait", testKnownDoesNotWait);
    g_test_add_func("/capabilities/decide", testDecisionsMade);
    ret = g_test_run();

    g_unlink(emulator);
    g_unlink(notes);
    g_rmdir(folder);
    g_free(emulator);
    g_free(notes);
    g_free(folder);
    return ret;
}
