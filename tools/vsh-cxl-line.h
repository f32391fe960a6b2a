/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-line.h: a line of commands, in virsh's grammar
 */

#ifndef VSH_CXL_LINE_H
#define VSH_CXL_LINE_H

#include <glib.h>

GPtrArray *vshCxlLineParse(const char *text, GError **error);
char *vshCxlLineQuote(const char *word, char quote);

#endif /* VSH_CXL_LINE_H */
