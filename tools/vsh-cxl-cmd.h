/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-cmd.h: the commands that virsh-cxl adds
 */

#ifndef VSH_CXL_CMD_H
#define VSH_CXL_CMD_H

#include "vsh-cxl-view.h"
#include "vsh-cxl.h"

#define VSH_CXL_CMD_GROUP "cxl-dcd" /* its help keyword */

#define VSH_CXL_OPT_DEF_DOMAIN                                                                     \
    {                                                                                              \
        .name = "domain", .type = VSH_CXL_OPT_STRING, .positional = true, .required = true,        \
        .help = "domain name, id or uuid",                                                         \
    }

/* As in virsh: whether to act on the running domain or on its definition. */
#define VSH_CXL_OPT_DEF_CONFIG                                                                     \
    {                                                                                              \
        .name = "config", .type = VSH_CXL_OPT_BOOL,                                                \
        .help = "affect the definition, for the next start",                                       \
    }
#define VSH_CXL_OPT_DEF_LIVE                                                                       \
    {                                                                                              \
        .name = "live", .type = VSH_CXL_OPT_BOOL, .help = "affect the running domain",             \
    }
#define VSH_CXL_OPT_DEF_CURRENT                                                                    \
    {                                                                                              \
        .name = "current", .type = VSH_CXL_OPT_BOOL,                                               \
        .help = "affect the domain if it is running, otherwise its definition (default)",          \
    }
#define VSH_CXL_OPT_DEF_FORMAT                                                                     \
    {                                                                                              \
        .name = "format", .type = VSH_CXL_OPT_STRING, .values = vshCxlFormatNames,                 \
        .help = "table (default), json or xml",                                                    \
    }

extern const vshCxlCmdDef vshCxlCmdAdd;
extern const vshCxlCmdDef vshCxlCmdCapabilities;
extern const vshCxlCmdDef vshCxlCmdEvent;
extern const vshCxlCmdDef vshCxlCmdRelease;
extern const vshCxlCmdDef vshCxlCmdStatus;
extern const vshCxlCmdDef vshCxlCmdList;
extern const vshCxlCmdDef vshCxlCmdMap;

const vshCxlCmdDef *vshCxlCmdFind(const char *name);
const vshCxlCmdDef *vshCxlCmdGet(size_t i);
char *vshCxlCmdFormatGroup(bool help);
char *vshCxlCmdFormatNames(void);

#endif /* VSH_CXL_CMD_H */
