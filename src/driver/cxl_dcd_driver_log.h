/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_log.h: what the driver module writes to a daemon's log
 */

#ifndef CXL_DCD_DRIVER_LOG_H
#define CXL_DCD_DRIVER_LOG_H

#include <glib.h>

void cxlDcdDriverLog(const char *priority, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif /* CXL_DCD_DRIVER_LOG_H */
