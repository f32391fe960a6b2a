/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_monitor.h: the QMP commands, one function each
 */

#ifndef QEMU_CXL_DCD_MONITOR_H
#define QEMU_CXL_DCD_MONITOR_H

#include <libvirt/libvirt.h>

#include "conf/cxl_dcd_conf.h"
#include "util/cxl_dcd_json.h"

/* The state of an extent, according to QEMU. */
typedef enum {
    QEMU_CXL_DCD_EXTENT_ABSENT,   /* not offered, refused, or given back */
    QEMU_CXL_DCD_EXTENT_PENDING,  /* offered, not answered */
    QEMU_CXL_DCD_EXTENT_ACCEPTED, /* the guest has it */
} qemuCxlDcdExtentState;

/* How a command ended: libvirt failed or the reply makes no sense (-1, with an error set), QEMU
 * did it, or QEMU refused and said why. */
#define QEMU_CXL_DCD_DONE 0
#define QEMU_CXL_DCD_REFUSED 1

int qemuCxlDcdMonitorParseReply(const char *command,
                                const char *reply,
                                virCxlDcdJSON **result,
                                char **refusal);

int qemuCxlDcdMonitorIsIncoming(virDomainPtr domain);
int qemuCxlDcdMonitorObjectAdd(virDomainPtr domain,
                               const virCxlDcdCapacityDef *capacity,
                               const char *id,
                               char **refusal);
int qemuCxlDcdMonitorObjectDel(virDomainPtr domain, const char *id, char **refusal);
int qemuCxlDcdMonitorHasObject(virDomainPtr domain, const char *id);
int qemuCxlDcdMonitorFindTag(virDomainPtr domain, const char *tag, GHashTable *except, char **id);
int qemuCxlDcdMonitorAdd(virDomainPtr domain,
                         const char *device,
                         const virCxlDcdCapacityDef *capacity,
                         char **refusal);
int qemuCxlDcdMonitorRelease(virDomainPtr domain,
                             const char *device,
                             const virCxlDcdCapacityDef *capacity,
                             virCxlDcdPolicy policy,
                             bool forced,
                             char **refusal);
int qemuCxlDcdMonitorGetStatus(virDomainPtr domain,
                               const char *device,
                               const virCxlDcdCapacityDef *capacity,
                               qemuCxlDcdExtentState *state);
int qemuCxlDcdMonitorProbe(virDomainPtr domain,
                           const char *device,
                           const virCxlDcdCapacityDef *capacity,
                           qemuCxlDcdExtentState *state);

char *qemuCxlDcdFormatObjectAdd(const virCxlDcdCapacityDef *capacity, const char *id);
char *qemuCxlDcdFormatAdd(const char *device, const virCxlDcdCapacityDef *capacity, bool probe);
char *qemuCxlDcdFormatRelease(const char *device,
                              const virCxlDcdCapacityDef *capacity,
                              virCxlDcdPolicy policy,
                              bool forced);
char *qemuCxlDcdFormatStatus(const char *device, const virCxlDcdCapacityDef *capacity);
int qemuCxlDcdParseStatus(const char *status, qemuCxlDcdExtentState *state);
int qemuCxlDcdParseProbe(const char *refusal, qemuCxlDcdExtentState *state);

#endif /* QEMU_CXL_DCD_MONITOR_H */
