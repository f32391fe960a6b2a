/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-size.h: sizes as the user writes and reads them
 */

#ifndef VSH_CXL_SIZE_H
#define VSH_CXL_SIZE_H

#include <glib.h>

int vshCxlSizeParse(const char *text, unsigned long long *size, GError **error);
char *vshCxlSizeFormat(unsigned long long size);

#endif /* VSH_CXL_SIZE_H */
