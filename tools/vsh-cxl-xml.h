/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-xml.h: building the XML of a capacity from options
 */

#ifndef VSH_CXL_XML_H
#define VSH_CXL_XML_H

#include "vsh-cxl-opt.h"

const char *vshCxlSourceType(const vshCxlArgs *args);
char *vshCxlCapacityFormatXML(const vshCxlArgs *args);

#endif /* VSH_CXL_XML_H */
