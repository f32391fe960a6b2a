/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_capabilities.c: what a QEMU binary can do
 *
 * The binary itself is asked, over QMP on its standard input and output, with no machine. The
 * question is the same whether QEMU has tagged dynamic capacity itself or gets it from the QEMU
 * module. The answer is kept until one of the two files changes. A failure is kept for as long
 * as it took to occur, so that a client that asks a hanging binary again and again keeps us busy
 * half of the time at most. Only one QEMU runs at a time, and a known answer does not wait for
 * it.
 *
 * If we are root, QEMU runs as nobody. The <emulator> of a domain is often a script, and may be
 * any program: one that does not answer in time, or writes too much, is killed. In any case its
 * process group is killed at the end, so that nothing that it started is left behind.
 *
 * A process group is identified by the PID of its first process. That process is reaped last,
 * after its group was killed: until then nobody else can get the PID.
 */

#include <config.h>

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "qemu_cxl_dcd_capabilities.h"
#include "util/cxl_dcd_error.h"
#include "util/cxl_dcd_json.h"

/* How long a QEMU may take to answer, in seconds. */
#define QEMU_CXL_DCD_PROBE_TIMEOUT 20

/* How much it may write to standard output and error together, in MiB. QEMU's answers take
 * 10 KiB. */
#define QEMU_CXL_DCD_PROBE_MOST 1

/* How many of the last bytes that it wrote to standard error are reported. */
#define QEMU_CXL_DCD_PROBE_MESSAGES 4096

/* How long it may take to die, in milliseconds. */
#define QEMU_CXL_DCD_PROBE_DYING 2000

/* Each answer carries the id of its question. */
static const char qemuCxlDcdQuestions[] =
    "{\"execute\": \"qmp_capabilities\"}\n"
    "{\"execute\": \"query-version\", \"id\": \"version\"}\n"
    "{\"execute\": \"device-list-properties\", \"arguments\": {\"typename\": \"cxl-type3\"}, "
    "\"id\": \"properties\"}\n"
    "{\"execute\": \"query-commands\", \"id\": \"commands\"}\n"
    "{\"execute\": \"quit\"}\n";

/* The outcome of asking a QEMU. */
typedef struct {
    qemuCxlDcdCapabilities *capabilities; /* NULL: a failure */
    char *message;                        /* why it failed */
    gint64 until; /* a failure is forgotten then: microseconds of the monotonic clock */
} qemuCxlDcdOutcome;

static GMutex qemuCxlDcdProbeLock;  /* held while a QEMU runs, taken before the other */
static GMutex qemuCxlDcdCacheLock;  /* held while the table is accessed */
static GHashTable *qemuCxlDcdCache; /* key to qemuCxlDcdOutcome */

/**
 * qemuCxlDcdCapabilitiesFree:
 * @capabilities: what to free, or NULL
 */
void
qemuCxlDcdCapabilitiesFree(qemuCxlDcdCapabilities *capabilities)
{
    if (!capabilities)
        return;
    g_free(capabilities->version);
    g_free(capabilities->messages);
    g_free(capabilities);
}

static qemuCxlDcdCapabilities *
qemuCxlDcdCapabilitiesCopy(const qemuCxlDcdCapabilities *from)
{
    qemuCxlDcdCapabilities *copy = g_new0(qemuCxlDcdCapabilities, 1);

    *copy = *from;
    copy->version = g_strdup(from->version);
    copy->messages = g_strdup(from->messages);
    return copy;
}

static bool
qemuCxlDcdListHasName(virCxlDcdJSON *list, const char *name)
{
    size_t i;

    for (i = 0; i < virCxlDcdJSONLength(list); i++) {
        if (g_strcmp0(virCxlDcdJSONMemberString(virCxlDcdJSONElement(list, i), "name"), name) == 0)
            return true;
    }
    return false;
}

static void
qemuCxlDcdCapabilitiesRead(qemuCxlDcdCapabilities *capabilities,
                           virCxlDcdJSON *answer,
                           bool *status)
{
    const char *id = virCxlDcdJSONMemberString(answer, "id");
    virCxlDcdJSON *value = virCxlDcdJSONMember(answer, "return");

    if (g_strcmp0(id, "version") == 0) {
        virCxlDcdJSON *qemu = virCxlDcdJSONMember(value, "qemu");
        unsigned long long major = 0;
        unsigned long long minor = 0;
        unsigned long long micro = 0;

        virCxlDcdJSONMemberUnsigned(qemu, "major", &major);
        virCxlDcdJSONMemberUnsigned(qemu, "minor", &minor);
        virCxlDcdJSONMemberUnsigned(qemu, "micro", &micro);
        g_free(capabilities->version);
        capabilities->version = g_strdup_printf("%llu.%llu.%llu", major, minor, micro);
    } else if (g_strcmp0(id, "properties") == 0) {
        capabilities->fixed = qemuCxlDcdListHasName(value, "volatile-dc-memdev");
        capabilities->tagged = qemuCxlDcdListHasName(value, "dc-regions-total-size");
    } else if (g_strcmp0(id, "commands") == 0) {
        *status = qemuCxlDcdListHasName(value, "cxl-release-dynamic-capacity-status");
    }
}

/**
 * qemuCxlDcdCapabilitiesParse:
 * @output: all that a QEMU wrote on its QMP socket, one JSON value a line
 *
 * Returns the capabilities, or NULL if @output has no version; no error is set.
 */
qemuCxlDcdCapabilities *
qemuCxlDcdCapabilitiesParse(const char *output)
{
    g_autoptr(qemuCxlDcdCapabilities) capabilities = g_new0(qemuCxlDcdCapabilities, 1);
    g_auto(GStrv) lines = g_strsplit(output, "\n", -1);
    bool status = false;
    char **line;

    for (line = lines; *line; line++) {
        g_autofree char *message = NULL;
        g_autoptr(virCxlDcdJSON) answer = **line ? virCxlDcdJSONParse(*line, &message) : NULL;

        if (answer)
            qemuCxlDcdCapabilitiesRead(capabilities, answer, &status);
    }
    capabilities->tagged = capabilities->tagged && status;
    capabilities->messages = g_strdup("");
    return capabilities->version ? g_steal_pointer(&capabilities) : NULL;
}

/* The user that QEMU runs as. */
typedef struct {
    uid_t uid;
    gid_t gid;
} qemuCxlDcdProbeUser;

typedef struct {
    GPid pid;            /* of the process, and of its group; 0: it was not started */
    int fds[2];          /* its standard output and error; -1: closed */
    GString *written[2]; /* what it wrote to them */
    char *error;         /* why it was not started */
    int signal;          /* the signal that ended it, or 0 */
    bool late;           /* the deadline passed before it was done */
    bool much;           /* it wrote more than it may */
} qemuCxlDcdProbe;

static void
qemuCxlDcdProbeInit(qemuCxlDcdProbe *probe)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(probe->fds); i++) {
        probe->fds[i] = -1;
        probe->written[i] = g_string_new(NULL);
    }
}

static void
qemuCxlDcdProbeClear(qemuCxlDcdProbe *probe)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(probe->fds); i++) {
        if (probe->fds[i] >= 0)
            close(probe->fds[i]);
        g_string_free(probe->written[i], TRUE);
    }
    g_free(probe->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(qemuCxlDcdProbe, qemuCxlDcdProbeClear)

/* Look up the user nobody. This is done before the fork, since the child of a threaded program
 * cannot do it. Returns false if there is no such user. */
static bool
qemuCxlDcdProbeFindUser(qemuCxlDcdProbeUser *user)
{
    char buffer[16384];
    struct passwd entry;
    struct passwd *found = NULL;

    if (getpwnam_r("nobody", &entry, buffer, sizeof(buffer), &found) != 0 || !found)
        return false;
    user->uid = found->pw_uid;
    user->gid = found->pw_gid;
    return true;
}

/* Runs in the child, before QEMU: give it a process group of its own, and take away the rights
 * that it does not need to answer. */
static void
qemuCxlDcdProbeSetup(gpointer opaque)
{
    const qemuCxlDcdProbeUser *user = opaque;

    if (setpgid(0, 0) < 0)
        _exit(126);
    if (user && (setgroups(0, NULL) < 0 || setgid(user->gid) < 0 || setuid(user->uid) < 0))
        _exit(126);
}

static GPtrArray *
qemuCxlDcdProbeArguments(const char *emulator, const char *module)
{
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
    const char *const arguments[] =
        {"-machine", "none", "-nodefaults", "-no-user-config", "-display", "none", "-qmp", "stdio"};
    size_t i;

    g_ptr_array_add(argv, g_strdup(emulator));
    for (i = 0; i < G_N_ELEMENTS(arguments); i++)
        g_ptr_array_add(argv, g_strdup(arguments[i]));
    if (module) {
        g_auto(GStrv) parts = g_strsplit(module, ",", -1);
        g_autofree char *escaped = g_strjoinv(",,", parts);

        g_ptr_array_add(argv, g_strdup("-plugin"));
        g_ptr_array_add(argv, g_strconcat("file=", escaped, NULL));
    }
    g_ptr_array_add(argv, NULL);
    return argv;
}

/* Returns the writable end of QEMU's standard input, or -1 with probe->error set. */
static int
qemuCxlDcdProbeStart(qemuCxlDcdProbe *probe, const char *emulator, const char *module)
{
    g_autoptr(GPtrArray) argv = qemuCxlDcdProbeArguments(emulator, module);
    char *environment[] = {(char *)"LC_ALL=C", (char *)"PATH=/usr/bin:/bin", NULL};
    bool root = geteuid() == 0;
    g_autoptr(GError) error = NULL;
    qemuCxlDcdProbeUser user;
    int input = -1;

    if (root && !qemuCxlDcdProbeFindUser(&user)) {
        probe->error = g_strdup("there is no user 'nobody' for it to run as");
        return -1;
    }
    if (!g_spawn_async_with_pipes("/",
                                  (char **)argv->pdata,
                                  environment,
                                  G_SPAWN_DO_NOT_REAP_CHILD | G_SPAWN_CLOEXEC_PIPES,
                                  qemuCxlDcdProbeSetup,
                                  root ? &user : NULL,
                                  &probe->pid,
                                  &input,
                                  &probe->fds[0],
                                  &probe->fds[1],
                                  &error))
        probe->error = g_strdup(error->message);
    return input;
}

/* Write the questions to QEMU's standard input, and close it: they fit into the pipe. If QEMU ends
 * before it has read them, its output says why. The SIGPIPE that this thread then gets must not
 * end the client; but a SIGPIPE that the client itself has blocked must not be lost. */
static void
qemuCxlDcdProbeAsk(int input)
{
    const struct timespec now = {0};
    sigset_t broken;
    sigset_t before;

    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    if (write(input, qemuCxlDcdQuestions, strlen(qemuCxlDcdQuestions)) < 0 &&
        !sigismember(&before, SIGPIPE))
        sigtimedwait(&broken, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    close(input);
}

/* Read what has arrived on one of the two pipes, and close the pipe at its end. */
static void
qemuCxlDcdProbeTake(qemuCxlDcdProbe *probe, size_t which)
{
    char bytes[16384];
    ssize_t length = read(probe->fds[which], bytes, sizeof(bytes));

    if (length > 0) {
        g_string_append_len(probe->written[which], bytes, length);
    } else if (length == 0 || errno != EINTR) {
        close(probe->fds[which]);
        probe->fds[which] = -1;
    }
    probe->much =
        probe->written[0]->len + probe->written[1]->len > QEMU_CXL_DCD_PROBE_MOST * 1024 * 1024;
}

/* Read until both pipes are closed, the deadline has passed, or QEMU has written too much. */
static void
qemuCxlDcdProbeRead(qemuCxlDcdProbe *probe, unsigned int timeout)
{
    gint64 deadline = g_get_monotonic_time() + timeout * G_USEC_PER_SEC;

    while (!probe->much && (probe->fds[0] >= 0 || probe->fds[1] >= 0)) {
        struct pollfd polled[] = {
            {.fd = probe->fds[0], .events = POLLIN},
            {.fd = probe->fds[1], .events = POLLIN},
        };
        gint64 left = deadline - g_get_monotonic_time();
        size_t i;

        if (left <= 0) {
            probe->late = true;
            return;
        }
        if (poll(polled, G_N_ELEMENTS(polled), (int)(left / 1000) + 1) <= 0)
            continue;
        for (i = 0; i < G_N_ELEMENTS(polled); i++) {
            if (polled[i].revents)
                qemuCxlDcdProbeTake(probe, i);
        }
    }
}

/* Kill the process and its group, then reap it. A process that has closed both its standard output
 * and error has no more to say. If somebody else has reaped our child (a client that ignores
 * SIGCHLD), its PID may belong to another process, so nothing is killed. A process that does not
 * even end on SIGKILL (it belongs to another user, or hangs in the kernel) is left alone: better
 * a zombie than a daemon that hangs. */
static void
qemuCxlDcdProbeEnd(qemuCxlDcdProbe *probe)
{
    siginfo_t info;
    int status = 0;
    pid_t reaped;
    int i;

    if (waitid(P_PID, probe->pid, &info, WEXITED | WNOHANG | WNOWAIT) < 0)
        return;
    kill(-probe->pid, SIGKILL);
    kill(probe->pid, SIGKILL); /* it may have left its group */
    for (i = 0; (reaped = waitpid(probe->pid, &status, WNOHANG)) == 0; i++) {
        if (i == QEMU_CXL_DCD_PROBE_DYING)
            return;
        g_usleep(1000);
    }
    if (reaped > 0 && WIFSIGNALED(status))
        probe->signal = WTERMSIG(status);
}

/* Run QEMU until it ends, its deadline passes, or it has written too much. */
static void
qemuCxlDcdProbeRun(qemuCxlDcdProbe *probe,
                   const char *emulator,
                   const char *module,
                   unsigned int timeout)
{
    int input = qemuCxlDcdProbeStart(probe, emulator, module);

    if (probe->error)
        return;
    qemuCxlDcdProbeAsk(input);
    qemuCxlDcdProbeRead(probe, timeout);
    qemuCxlDcdProbeEnd(probe);
}

/* What QEMU wrote to standard error, or the end of it, on one line. */
static char *
qemuCxlDcdProbeMessages(const qemuCxlDcdProbe *probe)
{
    const GString *written = probe->written[1];
    size_t length = MIN(written->len, QEMU_CXL_DCD_PROBE_MESSAGES);
    char *messages = g_utf8_make_valid(written->str + written->len - length, length);

    return g_strdelimit(g_strstrip(messages), "\n", ' ');
}

/* The reason why @probe has no answer. */
static char *
qemuCxlDcdProbeReason(const qemuCxlDcdProbe *probe, const char *messages, unsigned int timeout)
{
    if (probe->error)
        return g_strdup(probe->error);
    if (probe->much)
        return g_strdup_printf("it wrote more than %d MiB", QEMU_CXL_DCD_PROBE_MOST);
    if (probe->late)
        return g_strdup_printf("it did not answer in %u seconds", timeout);
    if (*messages)
        return g_strdup(messages);
    if (probe->signal)
        return g_strdup_printf("it was ended by signal %d", probe->signal);
    return g_strdup("it ended without an answer");
}

/**
 * qemuCxlDcdCapabilitiesAsk:
 * @emulator: path of a QEMU binary on this host
 * @module: path of the QEMU module that it is to load, or NULL for none
 * @timeout: seconds that it gets to answer
 * @message: where to store the reason of a failure, to be freed with g_free()
 *
 * As qemuCxlDcdCapabilitiesGet(), but always asks.
 *
 * Returns what it said, or NULL with *@message set; no error is set.
 */
qemuCxlDcdCapabilities *
qemuCxlDcdCapabilitiesAsk(const char *emulator,
                          const char *module,
                          unsigned int timeout,
                          char **message)
{
    g_auto(qemuCxlDcdProbe) probe = {0};
    g_autoptr(qemuCxlDcdCapabilities) capabilities = NULL;
    g_autofree char *messages = NULL;
    g_autofree char *reason = NULL;

    qemuCxlDcdProbeInit(&probe);
    qemuCxlDcdProbeRun(&probe, emulator, module, timeout);
    messages = qemuCxlDcdProbeMessages(&probe);
    if (!probe.late && !probe.much)
        capabilities = qemuCxlDcdCapabilitiesParse(probe.written[0]->str);
    if (capabilities) {
        g_free(capabilities->messages);
        capabilities->messages = g_steal_pointer(&messages);
        return g_steal_pointer(&capabilities);
    }
    reason = qemuCxlDcdProbeReason(&probe, messages, timeout);
    *message = g_strdup_printf("cannot find out what '%s'%s%s can do: %s",
                               emulator,
                               module ? " with QEMU module " : "",
                               module ? module : "",
                               reason);
    return NULL;
}

/* A key for the present version of a file. */
static char *
qemuCxlDcdFileKey(const char *path)
{
    struct stat buf;

    if (!path)
        return g_strdup("");
    if (stat(path, &buf) < 0)
        return g_strdup_printf("%s missing", path);
    return g_strdup_printf("%s %lld.%ld",
                           path,
                           (long long)buf.st_ctim.tv_sec,
                           (long)buf.st_ctim.tv_nsec);
}

static void
qemuCxlDcdOutcomeFree(gpointer opaque)
{
    qemuCxlDcdOutcome *outcome = opaque;

    qemuCxlDcdCapabilitiesFree(outcome->capabilities);
    g_free(outcome->message);
    g_free(outcome);
}

static gboolean
qemuCxlDcdOutcomeIsOver(gpointer key G_GNUC_UNUSED, gpointer value, gpointer opaque)
{
    const qemuCxlDcdOutcome *outcome = value;
    const gint64 *now = opaque;

    return !outcome->capabilities && outcome->until <= *now;
}

/* Look up @key. Returns false if nothing is known; otherwise *@capabilities or *@message is a copy
 * of the outcome. */
static bool
qemuCxlDcdCacheFind(const char *key, qemuCxlDcdCapabilities **capabilities, char **message)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&qemuCxlDcdCacheLock);
    gint64 now = g_get_monotonic_time();
    const qemuCxlDcdOutcome *outcome;

    if (!qemuCxlDcdCache)
        qemuCxlDcdCache =
            g_hash_table_new_full(g_str_hash, g_str_equal, g_free, qemuCxlDcdOutcomeFree);
    g_hash_table_foreach_remove(qemuCxlDcdCache, qemuCxlDcdOutcomeIsOver, &now);
    if (!(outcome = g_hash_table_lookup(qemuCxlDcdCache, key)))
        return false;
    if (outcome->capabilities)
        *capabilities = qemuCxlDcdCapabilitiesCopy(outcome->capabilities);
    else
        *message = g_strdup(outcome->message);
    return true;
}

/* Keep @capabilities, or else @message, which took @taken microseconds to find out. */
static void
qemuCxlDcdCacheAdd(const char *key,
                   const qemuCxlDcdCapabilities *capabilities,
                   const char *message,
                   gint64 taken)
{
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&qemuCxlDcdCacheLock);
    qemuCxlDcdOutcome *outcome = g_new0(qemuCxlDcdOutcome, 1);

    outcome->capabilities = capabilities ? qemuCxlDcdCapabilitiesCopy(capabilities) : NULL;
    outcome->message = g_strdup(message);
    outcome->until = g_get_monotonic_time() + taken;
    g_hash_table_replace(qemuCxlDcdCache, g_strdup(key), outcome);
}

/**
 * qemuCxlDcdCapabilitiesGet:
 * @emulator: path of a QEMU binary on this host
 * @module: path of the QEMU module that it is to load, or NULL for none
 *
 * Ask a QEMU what it can do: query-version, query-commands, and
 * device-list-properties of cxl-type3.
 *
 * Returns the answer, to be freed with qemuCxlDcdCapabilitiesFree(), or NULL with an
 * error set.
 */
qemuCxlDcdCapabilities *
qemuCxlDcdCapabilitiesGet(const char *emulator, const char *module)
{
    g_autofree char *emulator_key = qemuCxlDcdFileKey(emulator);
    g_autofree char *module_key = qemuCxlDcdFileKey(module);
    g_autofree char *key = g_strdup_printf("%s\n%s", emulator_key, module_key);
    g_autofree char *message = NULL;
    qemuCxlDcdCapabilities *capabilities = NULL;

    if (!qemuCxlDcdCacheFind(key, &capabilities, &message)) {
        g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&qemuCxlDcdProbeLock);

        /* somebody else may have asked while we waited */
        if (!qemuCxlDcdCacheFind(key, &capabilities, &message)) {
            gint64 start = g_get_monotonic_time();

            capabilities =
                qemuCxlDcdCapabilitiesAsk(emulator, module, QEMU_CXL_DCD_PROBE_TIMEOUT, &message);
            qemuCxlDcdCacheAdd(key, capabilities, message, g_get_monotonic_time() - start);
        }
    }
    if (!capabilities)
        virCxlDcdReportError(VIR_ERR_OPERATION_FAILED, "%s", message);
    return capabilities;
}

/**
 * qemuCxlDcdModulePath:
 *
 * Returns the path at which the QEMU module is installed, or what the environment variable
 * LIBVIRT_CXL_DCD_QEMU_MODULE names instead.
 */
const char *
qemuCxlDcdModulePath(void)
{
    const char *path = g_getenv("LIBVIRT_CXL_DCD_QEMU_MODULE");

    return path && *path ? path : QEMU_MODULE_PATH;
}

/* What to do if QEMU has no tagged dynamic capacity. */
static const char *
qemuCxlDcdAdvice(const qemuCxlDcdCapabilities *stock)
{
    return stock->fixed ? ". model='static' works with this QEMU unmodified"
                        : ". Dynamic capacity requires QEMU 9.1 or later";
}

static int
qemuCxlDcdCheckStatic(const virCxlDcdDef *device,
                      const char *emulator,
                      const qemuCxlDcdCapabilities *stock)
{
    if (stock->fixed)
        return 0;
    virCxlDcdReportError(
        VIR_ERR_CONFIG_UNSUPPORTED,
        "<cxl-dcd> '%s' of model 'static' needs a QEMU with dynamic capacity, which "
        "QEMU has since 9.1 where it is built with CXL: %s (QEMU %s) does not have "
        "it",
        device->alias,
        emulator,
        stock->version);
    return -1;
}

static int
qemuCxlDcdCheckSeries(const virCxlDcdDef *device,
                      const char *emulator,
                      const qemuCxlDcdCapabilities *stock)
{
    if (stock->tagged)
        return 0;
    virCxlDcdReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                         "<driver name='qemu'/> of <cxl-dcd> '%s' needs a QEMU that has tagged "
                         "dynamic capacity itself: %s (QEMU %s) does not have it. Without "
                         "<driver> the QEMU module adds it to QEMU 10.0 and 11.1%s",
                         device->alias,
                         emulator,
                         stock->version,
                         qemuCxlDcdAdvice(stock));
    return -1;
}

static int
qemuCxlDcdCheckModule(const virCxlDcdDef *device,
                      const char *emulator,
                      const char *module,
                      const qemuCxlDcdCapabilities *stock)
{
    g_autoptr(qemuCxlDcdCapabilities) extended = NULL;
    g_autofree char *why = NULL;

    if (!g_file_test(module, G_FILE_TEST_EXISTS))
        why = g_strdup("there is no such file");
    else if (!(extended = qemuCxlDcdCapabilitiesGet(emulator, module)))
        why = g_strdup(virCxlDcdLastErrorMessage());
    else if (!extended->tagged)
        why = g_strdup(*extended->messages ? extended->messages : "it gives no reason");
    else
        return 0;
    virCxlDcdReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                         "<cxl-dcd> '%s' of model 'tagged' needs a QEMU with tagged dynamic "
                         "capacity: %s (QEMU %s) does not have it, and the QEMU module %s cannot "
                         "give it: %s%s",
                         device->alias,
                         emulator,
                         stock->version,
                         module,
                         why,
                         qemuCxlDcdAdvice(stock));
    return -1;
}

/**
 * qemuCxlDcdDecideDriver:
 * @device: a device
 * @emulator: path of the QEMU binary that it is for, on this host
 *
 * Check that QEMU can have the device. If a device of the tagged model does not say what
 * provides its tagged dynamic capacity, choose: QEMU itself if it can, else the QEMU module.
 * That sets device->driver and device->module.
 *
 * Returns 0, or -1 with an error set: VIR_ERR_CONFIG_UNSUPPORTED if QEMU cannot have it,
 * VIR_ERR_OPERATION_FAILED if that could not be found out.
 */
int
qemuCxlDcdDecideDriver(virCxlDcdDef *device, const char *emulator)
{
    g_autoptr(qemuCxlDcdCapabilities) stock = qemuCxlDcdCapabilitiesGet(emulator, NULL);
    const char *module = device->module ? device->module : qemuCxlDcdModulePath();

    if (!stock)
        return -1;
    if (device->model != VIR_DOMAIN_CXL_DCD_MODEL_TAGGED)
        return qemuCxlDcdCheckStatic(device, emulator, stock);
    if (device->driver == VIR_CXL_DCD_DRIVER_NONE && stock->tagged)
        device->driver = VIR_CXL_DCD_DRIVER_QEMU;
    if (device->driver == VIR_CXL_DCD_DRIVER_QEMU)
        return qemuCxlDcdCheckSeries(device, emulator, stock);
    if (qemuCxlDcdCheckModule(device, emulator, module, stock) < 0)
        return -1;
    device->driver = VIR_CXL_DCD_DRIVER_MODULE;
    if (!device->module)
        device->module = g_strdup(module);
    return 0;
}
