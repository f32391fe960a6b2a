/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-stock.h: handing a command over to the stock virsh
 */

#ifndef VSH_CXL_STOCK_H
#define VSH_CXL_STOCK_H

#include <glib.h>

char *vshCxlStockSearch(const char *name,
                        const char *path,
                        const char *after,
                        const char *self,
                        GError **error);
char *vshCxlStockPreload(const char *driver, const char *preload, GError **error);

const char *vshCxlStockDriver(void);

int vshCxlStockExec(char **argv, GError **error);
int vshCxlStockRun(char **argv, int *status, GError **error);
char *vshCxlStockRead(char **argv);

#endif /* VSH_CXL_STOCK_H */
