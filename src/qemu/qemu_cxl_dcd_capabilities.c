/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_capabilities.c: what a QEMU binary can do
 *
 * Asked of the binary itself, over QMP on its standard input and output, with no
 * machine: the same question whether QEMU has tagged dynamic capacity by itself or
 * is given it by the QEMU module. What was found is kept for as long as neither
 * file changes. One QEMU runs at a time; as root it runs as nobody; it is killed
 * when it does not answer, with all that it has started: the <emulator> of a domain
 * is often a script.
 */

#include <config.h>

#include <gio/gio.h>
#include <grp.h>
#include <pwd.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qemu_cxl_dcd_capabilities.h"
#include "util/cxl_dcd_error.h"
#include "util/cxl_dcd_json.h"

/* Seconds that a QEMU gets to answer. */
#define QEMU_CXL_DCD_PROBE_TIMEOUT 20

/* Each answer comes back under the id of its question. */
static const char qemuCxlDcdQuestions[] =
    "{\"execute\": \"qmp_capabilities\"}\n"
    "{\"execute\": \"query-version\", \"id\": \"version\"}\n"
    "{\"execute\": \"device-list-properties\", \"arguments\": {\"typename\": \"cxl-type3\"}, "
    "\"id\": \"properties\"}\n"
    "{\"execute\": \"query-commands\", \"id\": \"commands\"}\n"
    "{\"execute\": \"quit\"}\n";

static GMutex qemuCxlDcdCacheLock;
static GHashTable *qemuCxlDcdCache; /* key to qemuCxlDcdCapabilities */

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
 * Returns what it says, or NULL when it does not say a version; no error is set.
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

/* In the child, before QEMU: a process group of its own, and never more rights than its
 * answers need. */
static void
qemuCxlDcdProbeSetup(gpointer opaque)
{
    const struct passwd *nobody = opaque;

    if (setpgid(0, 0) < 0)
        _exit(126);
    if (geteuid() != 0)
        return;
    if (!nobody || setgroups(0, NULL) < 0 || setgid(nobody->pw_gid) < 0 ||
        setuid(nobody->pw_uid) < 0)
        _exit(126);
}

typedef struct {
    GSubprocess *process;
    GCancellable *cancellable;
    GMainLoop *loop;
    char *output;
    char *messages;
    GError *error;
    int signal; /* that ended it, or 0 */
    bool late;
} qemuCxlDcdProbe;

static void
qemuCxlDcdProbeClear(qemuCxlDcdProbe *probe)
{
    g_clear_object(&probe->process);
    g_clear_object(&probe->cancellable);
    g_clear_pointer(&probe->loop, g_main_loop_unref);
    g_clear_pointer(&probe->output, g_free);
    g_clear_pointer(&probe->messages, g_free);
    g_clear_error(&probe->error);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(qemuCxlDcdProbe, qemuCxlDcdProbeClear)

static void
qemuCxlDcdProbeEnded(GObject *source, GAsyncResult *result, gpointer opaque)
{
    qemuCxlDcdProbe *probe = opaque;

    g_subprocess_communicate_utf8_finish(G_SUBPROCESS(source),
                                         result,
                                         &probe->output,
                                         &probe->messages,
                                         &probe->error);
    if (!probe->error && g_subprocess_get_if_signaled(probe->process))
        probe->signal = g_subprocess_get_term_sig(probe->process);
    g_main_loop_quit(probe->loop);
}

static gboolean
qemuCxlDcdProbeLate(gpointer opaque)
{
    qemuCxlDcdProbe *probe = opaque;

    const char *pid = g_subprocess_get_identifier(probe->process);

    probe->late = true;
    if (pid)
        kill(-(pid_t)g_ascii_strtoll(pid, NULL, 10), SIGKILL);
    g_cancellable_cancel(probe->cancellable);
    return G_SOURCE_REMOVE;
}

static GSubprocess *
qemuCxlDcdProbeStart(const char *emulator, const char *module, GError **error)
{
    g_autoptr(GSubprocessLauncher) launcher = NULL;
    g_autoptr(GPtrArray) argv = g_ptr_array_new_with_free_func(g_free);
    const char *const arguments[] =
        {"-machine", "none", "-nodefaults", "-no-user-config", "-display", "none", "-qmp", "stdio"};
    char *environment[] = {(char *)"LC_ALL=C", (char *)"PATH=/usr/bin:/bin", NULL};
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

    launcher =
        g_subprocess_launcher_new(G_SUBPROCESS_FLAGS_STDIN_PIPE | G_SUBPROCESS_FLAGS_STDOUT_PIPE |
                                  G_SUBPROCESS_FLAGS_STDERR_PIPE);
    g_subprocess_launcher_set_environ(launcher, environment);
    g_subprocess_launcher_set_cwd(launcher, "/");
    g_subprocess_launcher_set_child_setup(launcher,
                                          qemuCxlDcdProbeSetup,
                                          geteuid() == 0 ? getpwnam("nobody") : NULL,
                                          NULL);
    return g_subprocess_launcher_spawnv(launcher, (const char *const *)argv->pdata, error);
}

/* Put the questions into QEMU's standard input: they fit the pipe, which is closed when its
 * output is waited for. One that ends before it has read them has its reasons, which its
 * output tells; the SIGPIPE of this thread must not end a client, nor may one that the client
 * itself waits for be lost. */
static void
qemuCxlDcdProbeAsk(GSubprocess *process)
{
    GOutputStream *input = g_subprocess_get_stdin_pipe(process);
    const struct timespec now = {0};
    sigset_t broken;
    sigset_t before;

    sigemptyset(&broken);
    sigaddset(&broken, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &broken, &before);
    if (!g_output_stream_write_all(input,
                                   qemuCxlDcdQuestions,
                                   strlen(qemuCxlDcdQuestions),
                                   NULL,
                                   NULL,
                                   NULL) &&
        !sigismember(&before, SIGPIPE))
        sigtimedwait(&broken, NULL, &now);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

/* Run QEMU to its end or its deadline, in a main loop of this call alone. */
static void
qemuCxlDcdProbeRun(qemuCxlDcdProbe *probe,
                   const char *emulator,
                   const char *module,
                   unsigned int timeout)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GSource) deadline = g_timeout_source_new_seconds(timeout);

    g_main_context_push_thread_default(context);
    probe->loop = g_main_loop_new(context, FALSE);
    probe->cancellable = g_cancellable_new();
    probe->process = qemuCxlDcdProbeStart(emulator, module, &probe->error);
    if (probe->process) {
        g_source_set_callback(deadline, qemuCxlDcdProbeLate, probe, NULL);
        g_source_attach(deadline, context);
        qemuCxlDcdProbeAsk(probe->process);
        g_subprocess_communicate_utf8_async(probe->process,
                                            NULL,
                                            probe->cancellable,
                                            qemuCxlDcdProbeEnded,
                                            probe);
        g_main_loop_run(probe->loop);
        g_source_destroy(deadline);
    }
    g_main_context_pop_thread_default(context);
}

/* Why @probe has no answer. */
static char *
qemuCxlDcdProbeReason(const qemuCxlDcdProbe *probe, const char *messages, unsigned int timeout)
{
    if (probe->late)
        return g_strdup_printf("it did not answer in %u seconds", timeout);
    if (probe->error)
        return g_strdup(probe->error->message);
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
 *
 * As qemuCxlDcdCapabilitiesGet(), but always asks.
 *
 * Returns what it said, or NULL with an error set.
 */
qemuCxlDcdCapabilities *
qemuCxlDcdCapabilitiesAsk(const char *emulator, const char *module, unsigned int timeout)
{
    g_auto(qemuCxlDcdProbe) probe = {0};
    g_autofree char *messages = NULL;
    g_autofree char *reason = NULL;
    qemuCxlDcdCapabilities *capabilities;

    qemuCxlDcdProbeRun(&probe, emulator, module, timeout);
    messages = g_strdup(probe.messages ? g_strstrip(probe.messages) : "");
    g_strdelimit(messages, "\n", ' ');

    capabilities = probe.output ? qemuCxlDcdCapabilitiesParse(probe.output) : NULL;
    if (capabilities) {
        g_free(capabilities->messages);
        capabilities->messages = g_steal_pointer(&messages);
        return capabilities;
    }
    reason = qemuCxlDcdProbeReason(&probe, messages, timeout);
    virCxlDcdReportError(VIR_ERR_OPERATION_FAILED,
                         "cannot find out what '%s'%s%s can do: %s",
                         emulator,
                         module ? " with QEMU module " : "",
                         module ? module : "",
                         reason);
    return NULL;
}

/* A name for a file as it is now. */
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

/**
 * qemuCxlDcdCapabilitiesGet:
 * @emulator: path of a QEMU binary on this host
 * @module: path of the QEMU module that it is to load, or NULL for none
 *
 * Ask a QEMU what it can do: query-version, query-commands, and
 * device-list-properties of cxl-type3.
 *
 * Returns that, to be freed with qemuCxlDcdCapabilitiesFree(), or NULL with an
 * error set.
 */
qemuCxlDcdCapabilities *
qemuCxlDcdCapabilitiesGet(const char *emulator, const char *module)
{
    g_autofree char *emulator_key = qemuCxlDcdFileKey(emulator);
    g_autofree char *module_key = qemuCxlDcdFileKey(module);
    g_autofree char *key = g_strdup_printf("%s\n%s", emulator_key, module_key);
    g_autoptr(GMutexLocker) locker = g_mutex_locker_new(&qemuCxlDcdCacheLock);
    qemuCxlDcdCapabilities *found;

    if (!qemuCxlDcdCache)
        qemuCxlDcdCache = g_hash_table_new_full(g_str_hash,
                                                g_str_equal,
                                                g_free,
                                                (GDestroyNotify)qemuCxlDcdCapabilitiesFree);
    found = g_hash_table_lookup(qemuCxlDcdCache, key);
    if (!found) {
        if (!(found = qemuCxlDcdCapabilitiesAsk(emulator, module, QEMU_CXL_DCD_PROBE_TIMEOUT)))
            return NULL;
        g_hash_table_insert(qemuCxlDcdCache, g_steal_pointer(&key), found);
    }
    return qemuCxlDcdCapabilitiesCopy(found);
}

/**
 * qemuCxlDcdModulePath:
 *
 * Returns where the QEMU module is installed; the environment variable
 * LIBVIRT_CXL_DCD_QEMU_MODULE names another place.
 */
const char *
qemuCxlDcdModulePath(void)
{
    const char *path = g_getenv("LIBVIRT_CXL_DCD_QEMU_MODULE");

    return path && *path ? path : QEMU_MODULE_PATH;
}

/* What would do where QEMU has no tagged dynamic capacity. */
static const char *
qemuCxlDcdAdvice(const qemuCxlDcdCapabilities *stock)
{
    return stock->fixed ? ". model='static' works with this QEMU as it is"
                        : ". Dynamic capacity begins with QEMU 9.1";
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
                         "dynamic capacity itself: %s (QEMU %s) does not have it. Without <driver> "
                         "the QEMU module gives it to QEMU 10.0%s",
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
 * Check that QEMU can have the device. One of the tagged model that does not say who gives
 * it its tagged dynamic capacity is decided: QEMU itself where it has it, else the QEMU
 * module. Sets device->driver and device->module then.
 *
 * Returns 0, or -1 with an error set: VIR_ERR_CONFIG_UNSUPPORTED where QEMU cannot have it,
 * VIR_ERR_OPERATION_FAILED where that could not be found out.
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
