/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_error.h: being inside the driver module, and leaving it with an error
 */

#ifndef CXL_DCD_DRIVER_ERROR_H
#define CXL_DCD_DRIVER_ERROR_H

#include <stdbool.h>

void cxlDcdDriverErrorLoad(void);
bool cxlDcdDriverIsInside(void);
void cxlDcdDriverEnter(void);
void cxlDcdDriverLeave(bool failed);

#endif /* CXL_DCD_DRIVER_ERROR_H */
