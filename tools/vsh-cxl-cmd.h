/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-cmd.h: the commands that virsh-cxl adds
 */

#ifndef VSH_CXL_CMD_H
#define VSH_CXL_CMD_H

#include "vsh-cxl.h"

#define VSH_CXL_CMD_GROUP "cxl-dcd" /* its help keyword */

#define VSH_CXL_OPT_DEF_DOMAIN                                                                     \
    {                                                                                              \
        .name = "domain", .type = VSH_CXL_OPT_STRING, .positional = true, .required = true,        \
        .help = "domain name, id or uuid",                                                         \
    }

extern const vshCxlCmdDef vshCxlCmdAdd;
extern const vshCxlCmdDef vshCxlCmdRelease;
extern const vshCxlCmdDef vshCxlCmdStatus;
extern const vshCxlCmdDef vshCxlCmdList;

const vshCxlCmdDef *vshCxlCmdFind(const char *name);
char *vshCxlCmdFormatGroup(bool help);

#endif /* VSH_CXL_CMD_H */
