/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_command.h: the QEMU arguments of a domain's <cxl-dcd>
 */

#ifndef QEMU_CXL_DCD_COMMAND_H
#define QEMU_CXL_DCD_COMMAND_H

#include "conf/cxl_dcd_domain.h"
#include "util/cxl_dcd_json.h"

GPtrArray *qemuCxlDcdBuildCommandLine(const virCxlDcdDomainDef *def);

void qemuCxlDcdBackendAddMembers(virCxlDcdJSONWriter *writer,
                                 const virCxlDcdSourceDef *source,
                                 const char *id,
                                 unsigned long long size);

#endif /* QEMU_CXL_DCD_COMMAND_H */
