/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_capabilities.h: what a QEMU binary can do
 */

#ifndef QEMU_CXL_DCD_CAPABILITIES_H
#define QEMU_CXL_DCD_CAPABILITIES_H

#include "conf/cxl_dcd_conf.h"

typedef struct {
    char *version;  /* "10.0.2" */
    bool fixed;     /* cxl-type3 has volatile-dc-memdev: the static model works */
    bool tagged;    /* it has dc-regions-total-size, and QEMU has the status command */
    char *messages; /* what QEMU wrote to stderr, on one line; "" for nothing */
} qemuCxlDcdCapabilities;

void qemuCxlDcdCapabilitiesFree(qemuCxlDcdCapabilities *capabilities);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(qemuCxlDcdCapabilities, qemuCxlDcdCapabilitiesFree)

qemuCxlDcdCapabilities *qemuCxlDcdCapabilitiesParse(const char *output);
qemuCxlDcdCapabilities *qemuCxlDcdCapabilitiesGet(const char *emulator, const char *module);
qemuCxlDcdCapabilities *qemuCxlDcdCapabilitiesAsk(const char *emulator,
                                                  const char *module,
                                                  unsigned int timeout,
                                                  char **message);
const char *qemuCxlDcdModulePath(void);
int qemuCxlDcdDecideDriver(virCxlDcdDef *device, const char *emulator);

#endif /* QEMU_CXL_DCD_CAPABILITIES_H */
