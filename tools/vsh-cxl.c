/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl.c: what all commands share
 *
 * The connection, the domain that is named and its devices, and how a result or a
 * failure is told. libvirt's own printing of errors is off: each error is reported
 * once, by whoever knows what was being done, as "error: WHAT" and "error: WHY".
 */

#include <libvirt/virterror.h>
#include <stdarg.h>
#include <string.h>

#include "vsh-cxl.h"

static void
vshCxlErrorValist(vshCxlControl *ctl, const char *format, va_list args)
{
    /* what was printed before the error also comes before it in a terminal or a log */
    fflush(ctl->out);
    fputs("error: ", ctl->err);
    vfprintf(ctl->err, format, args);
    fputc('\n', ctl->err);
}

/**
 * vshCxlError:
 * @ctl: the run
 * @format: what is wrong, in the manner of printf
 *
 * Report an error that libvirt has no part in.
 */
void
vshCxlError(vshCxlControl *ctl, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vshCxlErrorValist(ctl, format, args);
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
    va_list args;

    va_start(args, format);
    vshCxlErrorValist(ctl, format, args);
    va_end(args);

    if (error && error->code != VIR_ERR_OK)
        vshCxlError(ctl, "%s", error->message ? error->message : "unknown error");
    virResetLastError();
}

/**
 * vshCxlPrintExtra:
 * @ctl: the run
 * @stream: ctl->out or ctl->err
 * @format: text for a person, in the manner of printf
 *
 * Print, unless --quiet was given.
 */
void
vshCxlPrintExtra(vshCxlControl *ctl, FILE *stream, const char *format, ...)
{
    va_list args;

    if (ctl->quiet)
        return;
    va_start(args, format);
    vfprintf(stream, format, args);
    va_end(args);
}

/**
 * vshCxlPrintTable:
 * @ctl: the run
 * @table: the table
 *
 * Print the table and an empty line, as virsh does; the rows alone after --quiet.
 */
void
vshCxlPrintTable(vshCxlControl *ctl, vshCxlTable *table)
{
    g_autofree char *text = vshCxlTableFormat(table, !ctl->quiet);

    fputs(text, ctl->out);
    vshCxlPrintExtra(ctl, ctl->out, "\n");
}

/**
 * vshCxlCheckExclusive:
 * @ctl: the run
 * @args: the arguments
 * @one: an option
 * @two: an option
 *
 * Returns 0 if not both options were given, otherwise -1 with the error reported.
 */
int
vshCxlCheckExclusive(vshCxlControl *ctl, const vshCxlArgs *args, const char *one, const char *two)
{
    if (!vshCxlArgsHas(args, one) || !vshCxlArgsHas(args, two))
        return 0;
    vshCxlError(ctl, "Options --%s and --%s are mutually exclusive", one, two);
    return -1;
}

/**
 * vshCxlTimeout:
 * @ctl: the run
 * @args: the arguments of a command with --wait and --timeout
 * @timeout: filled with milliseconds, -1 for no end
 *
 * Returns 0 on success, -1 with the error reported if --timeout is 0 or stands
 * without --wait.
 */
int
vshCxlTimeout(vshCxlControl *ctl, const vshCxlArgs *args, long long *timeout)
{
    *timeout = -1;
    if (!vshCxlArgsHas(args, "timeout"))
        return 0;
    if (!vshCxlArgsHas(args, "wait")) {
        vshCxlError(ctl, "Option --wait is required by option --timeout");
        return -1;
    }
    *timeout = (long long)vshCxlArgsNumber(args, "timeout") * 1000;
    if (*timeout == 0) {
        vshCxlError(ctl,
                    "Numeric value '%s' for <timeout> option is malformed or out of range",
                    vshCxlArgsString(args, "timeout"));
        return -1;
    }
    return 0;
}

/**
 * vshCxlConnect:
 * @ctl: the run
 *
 * Returns 0 once ctl->conn is open, -1 with the error reported.
 */
int
vshCxlConnect(vshCxlControl *ctl)
{
    if (ctl->conn)
        return 0;
    ctl->conn =
        virConnectOpenAuth(ctl->uri, virConnectAuthPtrDefault, ctl->readonly ? VIR_CONNECT_RO : 0);
    if (ctl->conn)
        return 0;
    vshCxlLibvirtError(ctl, "failed to connect to the hypervisor");
    return -1;
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
 * @ctl: the run; it gets connected
 * @args: the arguments of a command with a <domain>
 *
 * As virsh does, the domain is looked for by id, then by UUID, then by name.
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
        vshCxlLibvirtError(ctl, "failed to get domain '%s'", name);
    return domain;
}

/**
 * vshCxlGetDevices:
 * @domain: the domain
 * @flags: bitwise-OR of virDomainCxlDcdListFlags
 *
 * Returns the domain's devices, of virDomainCxlDcdDevicePtr, perhaps none; or NULL
 * with libvirt's error set and not yet reported.
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
 * vshCxlErrorNoDevice:
 * @ctl: the run
 * @domain: the domain
 * @alias: the device that was asked for, NULL for any
 *
 * Report that the domain has no such device.
 */
void
vshCxlErrorNoDevice(vshCxlControl *ctl, virDomainPtr domain, const char *alias)
{
    const char *name = virDomainGetName(domain);

    if (alias)
        vshCxlError(ctl, "domain '%s' has no CXL dynamic capacity device '%s'", name, alias);
    else
        vshCxlError(ctl, "domain '%s' has no CXL dynamic capacity device", name);
}

/**
 * vshCxlStateToString:
 * @state: a virDomainCxlDcdState, perhaps of a later version of the library
 *
 * Returns the name of the state, never NULL.
 */
const char *
vshCxlStateToString(int state)
{
    const char *name = virDomainCxlDcdStateToString(state);

    return name ? name : "unknown";
}
