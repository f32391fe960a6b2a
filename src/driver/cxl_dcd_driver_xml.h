/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_xml.h: domain XML on its way through the driver module
 */

#ifndef CXL_DCD_DRIVER_XML_H
#define CXL_DCD_DRIVER_XML_H

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

/* Typed parameters as the next side gets them: the caller's, or a copy with other strings in
 * it. */
typedef struct {
    virTypedParameterPtr params;
    virTypedParameterPtr copy;
    GPtrArray *strings;
} cxlDcdDriverParams;

void cxlDcdDriverParamsClear(cxlDcdDriverParams *stored);
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(cxlDcdDriverParams, cxlDcdDriverParamsClear)

bool cxlDcdDriverConcerns(const char *xml);
int cxlDcdDriverStore(virConnectPtr conn, const char *xml, bool validate, char **stored);
int cxlDcdDriverStoreNested(virConnectPtr conn, const char *xml, bool validate, char **stored);
int cxlDcdDriverStoreParams(virConnectPtr conn,
                            virTypedParameterPtr params,
                            int nparams,
                            cxlDcdDriverParams *stored);
int cxlDcdDriverCheckStart(virDomainPtr domain);
char *cxlDcdDriverShow(char *xml);
char *cxlDcdDriverShowNested(char *xml);

#endif /* CXL_DCD_DRIVER_XML_H */
