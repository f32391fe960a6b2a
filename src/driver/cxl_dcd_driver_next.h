/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_next.h: the definitions that the driver module overrides
 */

#ifndef CXL_DCD_DRIVER_NEXT_H
#define CXL_DCD_DRIVER_NEXT_H

#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>

#define CXL_DCD_DRIVER_EXPORT __attribute__((visibility("default")))

/* The migration protocol, as in libvirt's src/libvirt_internal.h since 1.1: daemons call these
 * functions, and no installed header declares them. */
char *virDomainMigrateBegin3(virDomainPtr domain,
                             const char *xmlin,
                             char **cookieout,
                             int *cookieoutlen,
                             unsigned long flags,
                             const char *dname,
                             unsigned long resource);
char *virDomainMigrateBegin3Params(virDomainPtr domain,
                                   virTypedParameterPtr params,
                                   int nparams,
                                   char **cookieout,
                                   int *cookieoutlen,
                                   unsigned int flags);
int virDomainMigratePerform(virDomainPtr domain,
                            const char *cookie,
                            int cookielen,
                            const char *uri,
                            unsigned long flags,
                            const char *dname,
                            unsigned long resource);
int virDomainMigratePerform3(virDomainPtr domain,
                             const char *xmlin,
                             const char *cookiein,
                             int cookieinlen,
                             char **cookieout,
                             int *cookieoutlen,
                             const char *dconnuri,
                             const char *uri,
                             unsigned long flags,
                             const char *dname,
                             unsigned long resource);
int virDomainMigratePerform3Params(virDomainPtr domain,
                                   const char *dconnuri,
                                   virTypedParameterPtr params,
                                   int nparams,
                                   const char *cookiein,
                                   int cookieinlen,
                                   char **cookieout,
                                   int *cookieoutlen,
                                   unsigned int flags);

/* What a daemon calls when it begins to shut down, as in libvirt's src/libvirt_internal.h since
 * 6.8; no installed header declares them either. */
int virStateShutdownPrepare(void);
int virStateShutdownWait(void);

/* libvirt's own definition of each function in cxl_dcd_driver.syms, from which
 * cxl_dcd_driver_functions.h is generated; looked up when the module is loaded. */
typedef struct {
#define CXL_DCD_DRIVER_FUNCTION(name) __typeof__(&name) name;
#include "cxl_dcd_driver_functions.h"
#undef CXL_DCD_DRIVER_FUNCTION
} cxlDcdDriverFunctions;

extern cxlDcdDriverFunctions cxlDcdDriverNext;

#define CXL_DCD_NEXT(function) (cxlDcdDriverNext.function)

#endif /* CXL_DCD_DRIVER_NEXT_H */
