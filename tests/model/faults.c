/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * faults.c: what can go wrong between a client and QEMU
 *
 * One fault at the Nth QMP command of a modelDomain: libvirt fails before or after QEMU
 * has executed the command, QEMU hangs or exits, or the reply is not what it should be.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "model.h"
#include "util/cxl_dcd_error.h"

#define MODEL_HUGE (10UL << 20)

/* 10 MB of text between @head and @tail, to be freed with free(). */
static char *
modelHuge(const char *begin, const char *end)
{
    char *text = malloc(strlen(begin) + MODEL_HUGE + strlen(end) + 1);
    char *to = stpcpy(text, begin);

    memset(to, 'x', MODEL_HUGE);
    strcpy(to + MODEL_HUGE, end);
    return text;
}

static int
modelGone(modelDomain *domain)
{
    modelDomainStop(domain);
    virCxlDcdReportError(VIR_ERR_OPERATION_FAILED,
                         "qemu unexpectedly closed the monitor: Segmentation fault");
    return -1;
}

/* Inject the fault that replaces the command, if there is one. Returns 0 if there is none. */
static int
modelFaultBefore(virDomainPtr client, modelFaultKind kind)
{
    switch (kind) {
    case MODEL_FAULT_ERROR:
        virCxlDcdReportError(VIR_ERR_RPC, "connection reset by peer");
        return -1;
    case MODEL_FAULT_DENIED:
        virCxlDcdReportError(client->domain->fault.code ? client->domain->fault.code
                                                        : VIR_ERR_OPERATION_DENIED,
                             "monitor commands are forbidden");
        return -1;
    case MODEL_FAULT_HANG:
        client->domain->hung = true;
        client->dies_after = client->calls;
        virCxlDcdReportError(VIR_ERR_RPC, "this client waits for ever");
        return -1;
    case MODEL_FAULT_GONE:
        return modelGone(client->domain);
    default:
        return 0;
    }
}

/* Hand the client its view of @answer, QEMU's reply. */
static int
modelFaultAfter(virDomainPtr client, modelFaultKind kind, const char *answer, char **reply)
{
    switch (kind) {
    case MODEL_FAULT_LOST:
        virCxlDcdReportError(VIR_ERR_RPC, "connection reset by peer");
        return -1;
    case MODEL_FAULT_GONE_AFTER:
        return modelGone(client->domain);
    case MODEL_FAULT_NOT_JSON:
        *reply = strdup("{\"return\": {\"status\"");
        return 0;
    case MODEL_FAULT_HUGE: {
        g_autofree char *begin = g_strdup_printf("{\"padding\":\"");
        g_autofree char *end = g_strdup_printf("\",%s", answer + 1);

        *reply = modelHuge(begin, end);
        return 0;
    }
    case MODEL_FAULT_HUGE_NOT_JSON:
        *reply = modelHuge("", "");
        return 0;
    default:
        *reply = strdup(answer);
        return 0;
    }
}

/* Execute one QMP command of a client, as virDomainQemuMonitorCommand() does. */
int
modelFaultCommand(virDomainPtr client, const char *request, char **reply)
{
    modelDomain *domain = client->domain;
    bool now = ++domain->fault.commands == domain->fault.at;
    modelFaultKind kind = now ? domain->fault.kind : MODEL_FAULT_NONE;
    g_autofree char *answer = NULL;

    if (modelFaultBefore(client, kind) < 0)
        return -1;
    if (kind == MODEL_FAULT_REFUSED) {
        *reply = strdup("{\"error\":{\"class\":\"GenericError\",\"desc\":\"not now\"}}");
        return 0;
    }
    if (!(answer = modelQemuCommand(domain->qemu, request)))
        return modelGone(domain);
    return modelFaultAfter(client, kind, answer, reply);
}
