/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-term.h: what the output's terminal can show
 */

#ifndef VSH_CXL_TERM_H
#define VSH_CXL_TERM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

size_t vshCxlTermWidth(FILE *out);
bool vshCxlTermHasColour(FILE *out);

#endif /* VSH_CXL_TERM_H */
