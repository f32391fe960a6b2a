/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl.c: what all commands share
 *
 * The connection, finding a domain and its devices, and reporting results and failures.
 * libvirt's own printing of errors is off: each error is reported once, by the code that
 * knows what was being done, on one line, "error: WHAT: WHY". So a line-based reader gets
 * whole messages, whatever a name or QEMU's message contains.
 *
 * A handler returns -1 once an error was reported; the report also records the exit
 * status (ctl->status).
 */

#include <libvirt/virterror.h>
#include <signal.h>
#include <stdarg.h>
#include <string.h>

#include "conf/cxl_dcd_conf.h"
#include "vsh-cxl.h"
#include "vsh-cxl-table.h"

/* Exit statuses from the least to the most serious: a run ends with the most serious one. */
static const vshCxlExit vshCxlGravity[] = {
    VSH_CXL_EXIT_DONE,
    VSH_CXL_EXIT_TIMEOUT,
    VSH_CXL_EXIT_ERROR,
    VSH_CXL_EXIT_USAGE,
    VSH_CXL_EXIT_INTERRUPTED,
};

static void
vshCxlNoteStatus(vshCxlControl *ctl, vshCxlExit status)
{
    vshCxlExit before = ctl->status;
    size_t i;

    /* the one later in the table is the more serious */
    for (i = 0; i < G_N_ELEMENTS(vshCxlGravity); i++) {
        if (vshCxlGravity[i] == status || vshCxlGravity[i] == before)
            ctl->status = vshCxlGravity[i];
    }
}

/* One line: newlines, which some of libvirt's parsers produce, become spaces. */
static void
vshCxlPrintLine(vshCxlControl *ctl, const char *kind, const char *text)
{
    g_autofree char *line = g_strdelimit(g_strdup(text), "\r\n", ' ');
    g_autofree char *escaped = vshCxlTableEscape(g_strchomp(line), NULL);

    /* earlier output must also come before the error in a terminal or a log */
    fflush(ctl->out);
    fprintf(ctl->err, "%s: %s\n", kind, escaped);
}

static void
vshCxlErrorValist(vshCxlControl *ctl, vshCxlExit status, const char *format, va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);

    vshCxlNoteStatus(ctl, status);
    vshCxlPrintLine(ctl, "error", text);
}

/**
 * vshCxlError:
 * @ctl: the run
 * @format: what is wrong, in the manner of printf
 *
 * Report an error that does not come from libvirt.
 */
void
vshCxlError(vshCxlControl *ctl, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vshCxlErrorValist(ctl, VSH_CXL_EXIT_ERROR, format, args);
    va_end(args);
}

/**
 * vshCxlErrorStatus:
 * @ctl: the run
 * @status: the resulting exit status, unless a more serious error is reported
 * @format: what is wrong, in the manner of printf
 *
 * Like vshCxlError().
 */
void
vshCxlErrorStatus(vshCxlControl *ctl, vshCxlExit status, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vshCxlErrorValist(ctl, status, format, args);
    va_end(args);
}

/**
 * vshCxlUsageError:
 * @ctl: the run
 * @format: what is wrong with the command line and what would be right, in the manner
 *          of printf
 *
 * Like vshCxlError(), for a command line that is wrong no matter what libvirt would say.
 */
void
vshCxlUsageError(vshCxlControl *ctl, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vshCxlErrorValist(ctl, VSH_CXL_EXIT_USAGE, format, args);
    va_end(args);
}

/**
 * vshCxlLibvirtError:
 * @ctl: the run
 * @format: what failed, in the manner of printf
 *
 * Report the failure of a libvirt function and libvirt's reason. No other libvirt
 * function may be called in between: even virDomainGetName() and virDomainFree()
 * reset the reason.
 */
void
vshCxlLibvirtError(vshCxlControl *ctl, const char *format, ...)
{
    virErrorPtr error = virGetLastError();
    g_autofree char *what = NULL;
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);

    vshCxlError(ctl, "%s: %s", what, error && error->message ? error->message : "unknown error");
    virResetLastError();
}

/**
 * vshCxlWarning:
 * @ctl: the run
 * @format: what went wrong, in the manner of printf
 *
 * Report a failure that does not prevent the command from doing its work.
 */
void
vshCxlWarning(vshCxlControl *ctl, const char *format, ...)
{
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    vshCxlPrintLine(ctl, "warning", text);
}

/**
 * vshCxlPrintExtra:
 * @ctl: the run
 * @stream: ctl->out or ctl->err
 * @format: text for a human reader, in the manner of printf
 *
 * Print, unless --quiet was given. Escaped, so that the name of a domain or file cannot
 * move the cursor.
 */
void
vshCxlPrintExtra(vshCxlControl *ctl, FILE *stream, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_auto(GStrv) lines = NULL;
    va_list args;
    size_t i;

    if (ctl->quiet)
        return;
    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    lines = g_strsplit(text, "\n", -1);
    for (i = 0; lines[i]; i++) {
        g_autofree char *line = vshCxlTableEscape(lines[i], NULL);

        fprintf(stream, "%s%s", i > 0 ? "\n" : "", line);
    }
}

/**
 * vshCxlPrintTable:
 * @ctl: the run
 * @table: the table
 *
 * Print the table and an empty line, as virsh does; with --quiet only the rows.
 */
void
vshCxlPrintTable(vshCxlControl *ctl, vshCxlTable *table)
{
    g_autofree char *text = vshCxlTableFormat(table, !ctl->quiet);

    fputs(text, ctl->out);
    vshCxlPrintExtra(ctl, ctl->out, "\n");
}

/**
 * vshCxlTagFault:
 * @tag: a tag as the user wrote it
 *
 * Returns what is wrong with it and what would be right; NULL if nothing is wrong.
 */
const char *
vshCxlTagFault(const char *tag)
{
    g_autofree char *canonical = virCxlDcdTagParse(tag);

    virResetLastError();
    return canonical ? NULL
                     : "expected a UUID, 32 hexadecimal digits in groups of 8-4-4-4-12, not all of "
                       "them 0";
}

/**
 * vshCxlCheckExclusive:
 * @ctl: the run
 * @args: the arguments
 * @one: an option
 * @two: another option
 *
 * Returns 0 unless both options were given, otherwise -1 with the error reported.
 */
int
vshCxlCheckExclusive(vshCxlControl *ctl, const vshCxlArgs *args, const char *one, const char *two)
{
    if (!vshCxlArgsHas(args, one) || !vshCxlArgsHas(args, two))
        return 0;
    vshCxlUsageError(ctl, "Options --%s and --%s are mutually exclusive: leave one out", one, two);
    return -1;
}

/**
 * vshCxlCheckWritable:
 * @ctl: the run
 * @what: what a read-only connection cannot do
 *
 * Returns 0 if the connection may write, otherwise -1 with the error reported.
 */
int
vshCxlCheckWritable(vshCxlControl *ctl, const char *what)
{
    if (!ctl->readonly)
        return 0;
    vshCxlUsageError(ctl, "A read-only connection cannot %s: leave out --readonly", what);
    return -1;
}

/**
 * vshCxlCheckImpact:
 * @ctl: the run
 * @args: the arguments of a command with --live, --config and --current
 * @live_only: options that apply to a running domain only, NULL-terminated
 *
 * Returns 0 if the options are consistent, otherwise -1 with the error reported.
 */
int
vshCxlCheckImpact(vshCxlControl *ctl, const vshCxlArgs *args, const char *const *live_only)
{
    if (vshCxlCheckExclusive(ctl, args, "current", "live") < 0 ||
        vshCxlCheckExclusive(ctl, args, "current", "config") < 0)
        return -1;
    if (!vshCxlArgsHas(args, "config") || vshCxlArgsHas(args, "live"))
        return 0;
    for (; *live_only; live_only++) {
        if (vshCxlArgsHas(args, *live_only)) {
            vshCxlUsageError(ctl,
                             "Option --%s needs a running guest, and --config is about the "
                             "definition alone: leave one out, or add --live",
                             *live_only);
            return -1;
        }
    }
    return 0;
}

/**
 * vshCxlCheckPersistent:
 * @ctl: the run of a command with --config
 * @name: the name of the domain
 * @persistent: whether it has a definition
 *
 * Returns 0 if it has one, otherwise -1 with the error reported.
 */
int
vshCxlCheckPersistent(vshCxlControl *ctl, const char *name, bool persistent)
{
    if (persistent)
        return 0;
    vshCxlError(ctl,
                "domain '%s' is transient and has no definition beside what runs: leave out "
                "--config",
                name);
    return -1;
}

/* Check that the domain has what the options ask for; @active and @persistent describe it. */
static int
vshCxlImpactCheckDomain(vshCxlControl *ctl,
                        const vshCxlArgs *args,
                        const char *name,
                        bool active,
                        bool persistent)
{
    if (vshCxlArgsHas(args, "live") && !active) {
        vshCxlError(ctl,
                    "domain '%s' is not running, as --live needs it: start it, or use --config to "
                    "change its definition",
                    name);
        return -1;
    }
    return vshCxlArgsHas(args, "config") ? vshCxlCheckPersistent(ctl, name, persistent) : 0;
}

/**
 * vshCxlImpact:
 * @ctl: the run
 * @args: the arguments of a command with --live, --config and --current
 * @domain: the domain
 * @live_only: options that apply to a running domain only, NULL-terminated
 * @impact: set to VIR_DOMAIN_AFFECT_LIVE, VIR_DOMAIN_AFFECT_CONFIG or both; --current is
 *          resolved to one of them
 *
 * Returns 0 if the domain has what is to be changed, otherwise -1 with the error
 * reported.
 */
int
vshCxlImpact(vshCxlControl *ctl,
             const vshCxlArgs *args,
             virDomainPtr domain,
             const char *const *live_only,
             unsigned int *impact)
{
    const char *name = virDomainGetName(domain);
    bool both = vshCxlArgsHas(args, "live") && vshCxlArgsHas(args, "config");
    int active = virDomainIsActive(domain);
    int persistent = active < 0 ? -1 : virDomainIsPersistent(domain);

    if (persistent < 0) {
        vshCxlLibvirtError(ctl, "Failed to find out whether domain '%s' is running", name);
        return -1;
    }
    if (vshCxlImpactCheckDomain(ctl, args, name, active, persistent) < 0)
        return -1;
    *impact = both ? VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG
              : active && !vshCxlArgsHas(args, "config") ? VIR_DOMAIN_AFFECT_LIVE
                                                         : VIR_DOMAIN_AFFECT_CONFIG;
    for (; *live_only && !(*impact & VIR_DOMAIN_AFFECT_LIVE); live_only++) {
        if (vshCxlArgsHas(args, *live_only)) {
            vshCxlError(ctl,
                        "domain '%s' is not running, as --%s needs it: start it, or leave out --%s",
                        name,
                        *live_only,
                        *live_only);
            return -1;
        }
    }
    return 0;
}

/* Check that the connection is to QEMU. Returns 0, or -1 with the error reported. */
static int
vshCxlCheckConnection(vshCxlControl *ctl)
{
    const char *type = virConnectGetType(ctl->conn);

    if (!type) {
        vshCxlLibvirtError(ctl, "Failed to get the type of the connection");
        return -1;
    }
    if (g_str_equal(type, "QEMU"))
        return 0;
    vshCxlError(ctl,
                "CXL dynamic capacity needs a connection to QEMU, such as --connect "
                "qemu:///system, not to %s",
                type);
    return -1;
}

static void
vshCxlIgnoreSignal(int signal G_GNUC_UNUSED)
{
}

/* When libvirt writes to a daemon that has gone, SIGPIPE would end the program before it could
 * report what happened. The signal is caught, not ignored: a virsh run from here would inherit
 * that. */
static void
vshCxlCatchPipe(void)
{
    const struct sigaction action = {.sa_handler = vshCxlIgnoreSignal, .sa_flags = SA_RESTART};
    struct sigaction before;

    if (sigaction(SIGPIPE, NULL, &before) == 0 && before.sa_handler == SIG_DFL)
        sigaction(SIGPIPE, &action, NULL);
}

/**
 * vshCxlOpen:
 * @ctl: the run
 *
 * From now on SIGPIPE does not end the program.
 *
 * Returns 0 once ctl->conn is open, to any hypervisor; -1 with the error reported.
 */
int
vshCxlOpen(vshCxlControl *ctl)
{
    if (ctl->conn)
        return 0;
    vshCxlCatchPipe();
    ctl->conn =
        virConnectOpenAuth(ctl->uri, virConnectAuthPtrDefault, ctl->readonly ? VIR_CONNECT_RO : 0);
    if (ctl->conn)
        return 0;
    vshCxlLibvirtError(ctl,
                       "failed to connect to %s (it takes a URI such as qemu:///system, a libvirtd "
                       "or virtqemud that runs there, and access to it)",
                       ctl->uri ? ctl->uri : "libvirt's default URI");
    return -1;
}

/**
 * vshCxlConnect:
 * @ctl: the run
 *
 * Returns 0 once ctl->conn is open, to QEMU; -1 with the error reported.
 */
int
vshCxlConnect(vshCxlControl *ctl)
{
    return vshCxlOpen(ctl) < 0 ? -1 : vshCxlCheckConnection(ctl);
}

/**
 * vshCxlDisconnect:
 * @ctl: the run
 */
void
vshCxlDisconnect(vshCxlControl *ctl)
{
    if (ctl->conn)
        virConnectClose(ctl->conn);
    ctl->conn = NULL;
}

/**
 * vshCxlLookupDomain:
 * @ctl: the run; it is connected if it is not yet
 * @args: the arguments of a command with a <domain>
 *
 * As in virsh, the domain is looked up by id, then by UUID, then by name.
 *
 * Returns the domain, or NULL with the error reported.
 */
virDomainPtr
vshCxlLookupDomain(vshCxlControl *ctl, const vshCxlArgs *args)
{
    const char *name = vshCxlArgsString(args, "domain");
    virDomainPtr domain = NULL;
    guint64 id;

    if (vshCxlConnect(ctl) < 0)
        return NULL;

    if (g_ascii_string_to_unsigned(name, 10, 0, G_MAXINT, &id, NULL))
        domain = virDomainLookupByID(ctl->conn, (int)id);
    if (!domain && strlen(name) == VIR_UUID_STRING_BUFLEN - 1)
        domain = virDomainLookupByUUIDString(ctl->conn, name);
    if (!domain)
        domain = virDomainLookupByName(ctl->conn, name);
    if (!domain)
        vshCxlLibvirtError(
            ctl,
            "failed to get domain '%s' ('list --all' shows the domains that there are)",
            name);
    return domain;
}

/**
 * vshCxlGetDevices:
 * @domain: the domain
 * @flags: bitwise-OR of virDomainCxlDcdListFlags
 *
 * Returns the domain's devices, of virDomainCxlDcdDevicePtr, possibly none; or NULL with
 * libvirt's error set and not yet reported.
 */
GPtrArray *
vshCxlGetDevices(virDomainPtr domain, unsigned int flags)
{
    g_autofree virDomainCxlDcdDevicePtr *devices = NULL;
    GPtrArray *array;
    int ndevices;
    int i;

    ndevices = virDomainCxlDcdListDevices(domain, &devices, flags);
    if (ndevices < 0)
        return NULL;

    array = g_ptr_array_new_with_free_func((GDestroyNotify)virDomainCxlDcdDeviceFree);
    for (i = 0; i < ndevices; i++)
        g_ptr_array_add(array, devices[i]);
    return array;
}

/**
 * vshCxlFindState:
 * @devices: a domain's devices, of virDomainCxlDcdDevicePtr
 * @tag: a capacity
 *
 * Returns its virDomainCxlDcdState, VIR_DOMAIN_CXL_DCD_STATE_NONE if there is no such
 * capacity.
 */
int
vshCxlFindState(GPtrArray *devices, const char *tag)
{
    guint i;
    size_t j;

    for (i = 0; i < devices->len; i++) {
        const virDomainCxlDcdDevice *device = g_ptr_array_index(devices, i);

        for (j = 0; j < device->ncapacities; j++) {
            if (g_ascii_strcasecmp(device->capacities[j]->tag, tag) == 0)
                return device->capacities[j]->state;
        }
    }
    return VIR_DOMAIN_CXL_DCD_STATE_NONE;
}

/**
 * vshCxlSelectDevice:
 * @ctl: the run
 * @domain: the domain
 * @devices: its devices, of virDomainCxlDcdDevicePtr; if @alias is given, all others are
 *           removed
 * @alias: the requested device, NULL for any
 *
 * Returns 0 if there is such a device, otherwise -1 with the error reported.
 */
int
vshCxlSelectDevice(vshCxlControl *ctl, virDomainPtr domain, GPtrArray *devices, const char *alias)
{
    g_autoptr(GString) aliases = g_string_new(NULL);
    guint i;

    i = 0;
    while (alias && i < devices->len) {
        const virDomainCxlDcdDevice *device = g_ptr_array_index(devices, i);

        if (g_str_equal(device->alias, alias)) {
            i++;
            continue;
        }
        g_string_append_printf(aliases, "%s'%s'", aliases->len ? ", " : "", device->alias);
        g_ptr_array_remove_index(devices, i);
    }
    if (devices->len > 0)
        return 0;
    if (aliases->len)
        vshCxlError(ctl,
                    "domain '%s' has no CXL dynamic capacity device '%s': it has %s",
                    virDomainGetName(domain),
                    alias,
                    aliases->str);
    else
        vshCxlError(ctl,
                    "domain '%s' has no CXL dynamic capacity device: its definition needs a "
                    "<cxl-dcd> under <devices>",
                    virDomainGetName(domain));
    return -1;
}

/**
 * vshCxlStateToString:
 * @state: the virDomainCxlDcdState of a listed capacity, possibly one that only a later
 *         version of the library knows
 *
 * Returns the name of the state, never NULL; VIR_DOMAIN_CXL_DCD_STATE_NONE means that the
 * capacity is in a definition.
 */
const char *
vshCxlStateToString(int state)
{
    const char *name = virDomainCxlDcdStateToString(state);

    if (state == VIR_DOMAIN_CXL_DCD_STATE_NONE)
        return VSH_CXL_STATE_CONFIGURED;
    return name ? name : "unknown";
}
