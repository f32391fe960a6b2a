/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-session.h: running our commands and virsh's, one after another
 */

#ifndef VSH_CXL_SESSION_H
#define VSH_CXL_SESSION_H

#include "vsh-cxl.h"

typedef struct {
    vshCxlControl *ctl;
    const char *program; /* the name this program was called by */
    GPtrArray *options;  /* command-line options to pass to each virsh */
    char *uri;           /* owns ctl->uri once a command has changed it */
    bool done;           /* quit or exit was run */
} vshCxlSession;

int vshCxlSessionInitialize(vshCxlControl *ctl);
int vshCxlSessionRun(vshCxlSession *session, char **words);
int vshCxlSessionRunLine(vshCxlSession *session, GPtrArray *commands);
bool vshCxlSessionIsOurs(char **words);

#endif /* VSH_CXL_SESSION_H */
