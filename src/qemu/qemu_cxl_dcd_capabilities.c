/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_capabilities.c: what a QEMU binary can do
 *
 * Asked of the binary itself, over QMP on its standard input and output, with no
 * machine: the same question whether QEMU has tagged dynamic capacity by itself or
 * is given it by the QEMU module. What was found is kept for as long as neither
 * file changes. One QEMU runs at a time; as root it runs as nobody; it is killed
 * when it does not answer.
 */

#include <config.h>

#include <gio/gio.h>
#include <grp.h>
#include <pwd.h>
#include <sys/stat.h>
#include <string.h>
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

/* In the child, before QEMU: never more rights than its answers need. */
static void
qemuCxlDcdDropPrivileges(gpointer opaque)
{
    const struct passwd *nobody = opaque;

    if (geteuid() != 0)
        return;
    if (!nobody || setgroups(0, NULL) < 0 || setgid(nobody->pw_gid) < 0 ||
        setuid(nobody->pw_uid) < 0)
        _exit(126);
}

typedef struct {
    GSubprocess *process;
    GMainLoop *loop;
    char *output;
    char *messages;
    GError *error;
    bool late;
} qemuCxlDcdProbe;

static void
qemuCxlDcdProbeEnded(GObject *source, GAsyncResult *result, gpointer opaque)
{
    qemuCxlDcdProbe *probe = opaque;

    g_subprocess_communicate_utf8_finish(G_SUBPROCESS(source),
                                         result,
                                         &probe->output,
                                         &probe->messages,
                                         &probe->error);
    g_main_loop_quit(probe->loop);
}

static gboolean
qemuCxlDcdProbeLate(gpointer opaque)
{
    qemuCxlDcdProbe *probe = opaque;

    probe->late = true;
    g_subprocess_force_exit(probe->process);
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
                                          qemuCxlDcdDropPrivileges,
                                          geteuid() == 0 ? getpwnam("nobody") : NULL,
                                          NULL);
    return g_subprocess_launcher_spawnv(launcher, (const char *const *)argv->pdata, error);
}

/* Run QEMU to its end or its deadline, in a main loop of this call alone. */
static void
qemuCxlDcdProbeRun(qemuCxlDcdProbe *probe, const char *emulator, const char *module)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GSource) deadline = g_timeout_source_new_seconds(QEMU_CXL_DCD_PROBE_TIMEOUT);

    g_main_context_push_thread_default(context);
    probe->loop = g_main_loop_new(context, FALSE);
    probe->process = qemuCxlDcdProbeStart(emulator, module, &probe->error);
    if (probe->process) {
        g_source_set_callback(deadline, qemuCxlDcdProbeLate, probe, NULL);
        g_source_attach(deadline, context);
        g_subprocess_communicate_utf8_async(probe->process,
                                            qemuCxlDcdQuestions,
                                            NULL,
                                            qemuCxlDcdProbeEnded,
                                            probe);
        g_main_loop_run(probe->loop);
        g_source_destroy(deadline);
        g_object_unref(probe->process);
    }
    g_main_loop_unref(probe->loop);
    g_main_context_pop_thread_default(context);
}

static qemuCxlDcdCapabilities *
qemuCxlDcdCapabilitiesAsk(const char *emulator, const char *module)
{
    qemuCxlDcdProbe probe = {0};
    g_autofree char *output = NULL;
    g_autofree char *messages = NULL;
    g_autoptr(GError) error = NULL;
    qemuCxlDcdCapabilities *capabilities;

    qemuCxlDcdProbeRun(&probe, emulator, module);
    output = probe.output;
    messages = g_strstrip(probe.messages ? probe.messages : g_strdup(""));
    error = probe.error;
    g_strdelimit(messages, "\n", ' ');

    capabilities = output ? qemuCxlDcdCapabilitiesParse(output) : NULL;
    if (capabilities) {
        g_free(capabilities->messages);
        capabilities->messages = g_steal_pointer(&messages);
        return capabilities;
    }
    virCxlDcdReportError(VIR_ERR_OPERATION_FAILED,
                         "cannot find out what '%s'%s%s can do: %s",
                         emulator,
                         module ? " with QEMU module " : "",
                         module ? module : "",
                         probe.late  ? "it did not answer in time"
                         : error     ? error->message
                         : *messages ? messages
                                     : "it ended without an answer");
    return NULL;
}

/* A name for a file as it is now. */
static char *
qemuCxlDcdFileKey(const char *path)
{
    struct stat buf;

    if (!path || stat(path, &buf) < 0)
        return g_strdup("");
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
        if (!(found = qemuCxlDcdCapabilitiesAsk(emulator, module)))
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

static void
qemuCxlDcdReportNoTagged(const virCxlDcdDef *device,
                         const char *emulator,
                         const qemuCxlDcdCapabilities *stock,
                         const char *why)
{
    virCxlDcdReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                         "<cxl-dcd> '%s' of model 'tagged' needs a QEMU with tagged dynamic "
                         "capacity: %s (QEMU %s) does not have it, and the QEMU module %s cannot "
                         "give it: %s%s",
                         device->alias,
                         emulator,
                         stock->version,
                         qemuCxlDcdModulePath(),
                         why,
                         stock->fixed ? ". model='static' works with this QEMU as it is"
                                      : ". Dynamic capacity begins with QEMU 9.1");
}

/**
 * qemuCxlDcdDecideDriver:
 * @device: a device of the tagged model without a <driver>, or with
 *          <driver name='module'> without a path
 * @emulator: path of the QEMU binary that it is for, on this host
 *
 * Decide who gives the device its tagged dynamic capacity: QEMU itself where it
 * has it, else the QEMU module. Sets device->driver and device->module.
 *
 * Returns 0, or -1 with an error set when neither does.
 */
int
qemuCxlDcdDecideDriver(virCxlDcdDef *device, const char *emulator)
{
    g_autoptr(qemuCxlDcdCapabilities) stock = qemuCxlDcdCapabilitiesGet(emulator, NULL);
    g_autoptr(qemuCxlDcdCapabilities) extended = NULL;
    const char *module = qemuCxlDcdModulePath();

    if (!stock)
        return -1;
    if (device->driver == VIR_CXL_DCD_DRIVER_NONE && stock->tagged) {
        device->driver = VIR_CXL_DCD_DRIVER_QEMU;
        return 0;
    }
    if (!g_file_test(module, G_FILE_TEST_EXISTS)) {
        qemuCxlDcdReportNoTagged(device, emulator, stock, "there is no such file");
        return -1;
    }
    if (!(extended = qemuCxlDcdCapabilitiesGet(emulator, module)) || !extended->tagged) {
        g_autofree char *why = g_strdup(!extended             ? virCxlDcdLastErrorMessage()
                                        : *extended->messages ? extended->messages
                                                              : "it gives no reason");

        qemuCxlDcdReportNoTagged(device, emulator, stock, why);
        return -1;
    }
    device->driver = VIR_CXL_DCD_DRIVER_MODULE;
    device->module = g_strdup(module);
    return 0;
}
