/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_load.h: how the driver module is loaded
 */

#ifndef CXL_DCD_DRIVER_LOAD_H
#define CXL_DCD_DRIVER_LOAD_H

#include <stdbool.h>

bool cxlDcdDriverIsDaemon(void);
bool cxlDcdDriverIsOn(void);

#endif /* CXL_DCD_DRIVER_LOAD_H */
