/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_next.h: the definitions that the driver module stands before
 */

#ifndef CXL_DCD_DRIVER_NEXT_H
#define CXL_DCD_DRIVER_NEXT_H

#include <dlfcn.h>

#define CXL_DCD_DRIVER_EXPORT __attribute__((visibility("default")))

/* libvirt's own @function. All that are used have been in libvirt since before the
 * version that the build asks for (libvirt 9.0), so it is always found. */
#define CXL_DCD_NEXT(function) ((__typeof__(&function))dlsym(RTLD_NEXT, #function))

#endif /* CXL_DCD_DRIVER_NEXT_H */
