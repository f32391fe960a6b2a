/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-session.h: commands of both kinds, one after the other
 */

#ifndef VSH_CXL_SESSION_H
#define VSH_CXL_SESSION_H

#include "vsh-cxl.h"

typedef struct {
    vshCxlControl *ctl;
    const char *program; /* the name that this program was called by */
    GPtrArray *options;  /* what of the command line's options virsh gets each time */
    char *uri;           /* owns ctl->uri once a command has changed it */
    bool done;           /* quit or exit was run */
} vshCxlSession;

int vshCxlSessionInitialize(vshCxlControl *ctl);
int vshCxlSessionRun(vshCxlSession *session, char **words);
int vshCxlSessionRunLine(vshCxlSession *session, GPtrArray *commands);
bool vshCxlSessionIsOurs(char **words);

#endif /* VSH_CXL_SESSION_H */
