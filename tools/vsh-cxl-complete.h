/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-complete.h: completion of a word being typed
 */

#ifndef VSH_CXL_COMPLETE_H
#define VSH_CXL_COMPLETE_H

#include "vsh-cxl.h"

/* The hidden command that shell completion calls. */
#define VSH_CXL_COMPLETE "cxl-dcd-complete"

char **vshCxlComplete(const vshCxlControl *ctl, char **words);
int vshCxlCompletePrint(vshCxlControl *ctl, char **words);

#endif /* VSH_CXL_COMPLETE_H */
