/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_error.c: errors of libvirt's own kind
 *
 * A client learns of a failure from the virError of the thread that failed.
 * libvirt sets it with virSetError(), which its shared library exports but no
 * header declares. It is looked up at run time, so that with a libvirt that does
 * not have it, errors go to stderr instead of the client, and all else works.
 */

#include <config.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include "cxl_dcd_error.h"

/* The text that libvirt puts before the message of an error with this code. */
static const struct {
    int code;
    const char *prefix;
} virCxlDcdErrorPrefixes[] = {
    {VIR_ERR_INTERNAL_ERROR, "internal error"},
    {VIR_ERR_INVALID_ARG, "invalid argument"},
    {VIR_ERR_XML_ERROR, "XML error"},
    {VIR_ERR_OPERATION_INVALID, "Requested operation is not valid"},
    {VIR_ERR_OPERATION_FAILED, "operation failed"},
    {VIR_ERR_OPERATION_TIMEOUT, "Timed out during operation"},
    {VIR_ERR_OPERATION_UNSUPPORTED, "Operation not supported"},
    {VIR_ERR_CONFIG_UNSUPPORTED, "unsupported configuration"},
    {VIR_ERR_DEVICE_MISSING, "device not found"},
    {VIR_ERR_XML_INVALID_SCHEMA, "XML document failed to validate against schema"},
};

static void
virCxlDcdSetError(virErrorPtr error)
{
    int (*setError)(virErrorPtr) = (int (*)(virErrorPtr))dlsym(RTLD_DEFAULT, "virSetError");

    if (setError)
        setError(error);
    else
        fprintf(stderr, "libvirt-cxl-dcd: %s\n", error->message);
}

/**
 * virCxlDcdReportErrorDomain:
 * @domain: a virErrorDomain, the part of libvirt that reports the error
 * @code: a virErrorNumber
 * @format: the message, as for printf()
 *
 * Set the calling thread's libvirt error, as virReportError() does inside
 * libvirt (source: virSetError(), libvirt.so).
 */
void
virCxlDcdReportErrorDomain(int domain, int code, const char *format, ...)
{
    g_autofree char *text = NULL;
    g_autofree char *message = NULL;
    virError error = {.code = code, .domain = domain, .level = VIR_ERR_ERROR};
    va_list args;
    size_t i;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);

    for (i = 0; i < G_N_ELEMENTS(virCxlDcdErrorPrefixes); i++) {
        if (virCxlDcdErrorPrefixes[i].code == code)
            message = g_strdup_printf("%s: %s", virCxlDcdErrorPrefixes[i].prefix, text);
    }
    if (!message)
        message = g_steal_pointer(&text);

    error.message = message;
    error.str1 = (char *)"%s";
    error.str2 = text ? text : message;

    virCxlDcdSetError(&error);
}

/**
 * virCxlDcdErrorSave:
 *
 * Returns the calling thread's libvirt error, to be set again with virCxlDcdErrorRestore()
 * after work that may set another one.
 */
virErrorPtr
virCxlDcdErrorSave(void)
{
    return virSaveLastError();
}

/**
 * virCxlDcdErrorRestore:
 * @error: what virCxlDcdErrorSave() returned; it is freed
 */
void
virCxlDcdErrorRestore(virErrorPtr error)
{
    if (error)
        virCxlDcdSetError(error);
    virFreeError(error);
}

/**
 * virCxlDcdLastErrorMessage:
 *
 * Returns the text of the calling thread's libvirt error, never NULL.
 */
const char *
virCxlDcdLastErrorMessage(void)
{
    virErrorPtr error = virGetLastError();

    return error && error->message ? error->message : "unknown error";
}
