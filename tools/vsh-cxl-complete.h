/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-complete.h: what a word that is being typed could become
 */

#ifndef VSH_CXL_COMPLETE_H
#define VSH_CXL_COMPLETE_H

#include "vsh-cxl.h"

/* The hidden command by which a shell's completion asks. */
#define VSH_CXL_COMPLETE "cxl-dcd-complete"

char **vshCxlComplete(const vshCxlControl *ctl, char **words);
int vshCxlCompletePrint(vshCxlControl *ctl, char **words);

#endif /* VSH_CXL_COMPLETE_H */
