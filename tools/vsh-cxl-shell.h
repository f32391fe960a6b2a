/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-shell.h: the interactive shell, for a run without a command
 */

#ifndef VSH_CXL_SHELL_H
#define VSH_CXL_SHELL_H

#include "vsh-cxl-session.h"

int vshCxlShellRun(vshCxlSession *session);

#endif /* VSH_CXL_SHELL_H */
