/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_conf_priv.h: what the files of src/conf share
 */

#ifndef CXL_DCD_CONF_PRIV_H
#define CXL_DCD_CONF_PRIV_H

#include <libvirt/virterror.h>

#include "cxl_dcd_conf.h"
#include "cxl_dcd_error.h"
#include "cxl_dcd_xml.h"

#define virCxlDcdReportConf(code, ...)                                                             \
    virCxlDcdReportErrorDomain(VIR_FROM_DOMAIN, code, __VA_ARGS__)

extern const char *const virCxlDcdPolicyNames[VIR_CXL_DCD_POLICY_LAST];

int virCxlDcdXMLEnum(xmlNodePtr node,
                     const char *name,
                     const char *const *names,
                     size_t nnames,
                     int *value);
#define VIR_CXL_DCD_XML_ENUM(node, name, names, value)                                             \
    virCxlDcdXMLEnum(node, name, names, G_N_ELEMENTS(names), value)

void virCxlDcdFormatSize(GString *buf, int indent, const char *name, unsigned long long size);
void virCxlDcdFormatAttribute(GString *buf, const char *name, const char *value);

virCxlDcdSourceDef *virCxlDcdSourceDefParseXML(xmlNodePtr node);
void virCxlDcdSourceDefFormat(GString *buf, int indent, const virCxlDcdSourceDef *def);
int virCxlDcdSourceDefValidate(const virCxlDcdSourceDef *def, unsigned long long size);

#endif /* CXL_DCD_CONF_PRIV_H */
