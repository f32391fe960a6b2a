/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_error.h: errors of libvirt's own kind
 */

#ifndef CXL_DCD_ERROR_H
#define CXL_DCD_ERROR_H

#include <glib.h>
#include <libvirt/virterror.h>

void virCxlDcdReportErrorDomain(int domain, int code, const char *format, ...) G_GNUC_PRINTF(3, 4);

/* The domain is the one that a caller of libvirt sees in virErrorPtr->domain. */
#define virCxlDcdReportError(code, ...) virCxlDcdReportErrorDomain(VIR_FROM_QEMU, code, __VA_ARGS__)

const char *virCxlDcdLastErrorMessage(void);

virErrorPtr virCxlDcdErrorSave(void);
void virCxlDcdErrorRestore(virErrorPtr error);

#endif /* CXL_DCD_ERROR_H */
