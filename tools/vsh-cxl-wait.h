/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-wait.h: waiting for the guest
 */

#ifndef VSH_CXL_WAIT_H
#define VSH_CXL_WAIT_H

#include "vsh-cxl.h"

typedef struct _vshCxlWait vshCxlWait;

int vshCxlTimeout(vshCxlControl *ctl, const vshCxlArgs *args, long long *timeout);

vshCxlWait *vshCxlWaitNew(vshCxlControl *ctl, long long timeout);
void vshCxlWaitFree(vshCxlWait *wait);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(vshCxlWait, vshCxlWaitFree)

bool vshCxlWaitIsInterrupted(const vshCxlWait *wait);
int vshCxlWaitCapacity(vshCxlWait *wait, virDomainPtr domain, const char *tag, int *state);

#endif /* VSH_CXL_WAIT_H */
