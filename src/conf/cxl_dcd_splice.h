/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_splice.h: domain XML, from the plain form to the stored and back
 */

#ifndef CXL_DCD_SPLICE_H
#define CXL_DCD_SPLICE_H

#include "cxl_dcd_domain.h"

char *virCxlDcdSpliceStore(virCxlDcdXMLDoc *doc,
                           const virCxlDcdDomainDef *def,
                           const GPtrArray *before,
                           const GPtrArray *after);
char *virCxlDcdSpliceShow(virCxlDcdXMLDoc *doc,
                          const virCxlDcdDomainDef *def,
                          const GPtrArray *arguments);
char *virCxlDcdSpliceDropLive(virCxlDcdXMLDoc *doc);

#endif /* CXL_DCD_SPLICE_H */
