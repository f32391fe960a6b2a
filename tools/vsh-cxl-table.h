/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-table.h: tables in virsh's layout
 */

#ifndef VSH_CXL_TABLE_H
#define VSH_CXL_TABLE_H

#include <glib.h>
#include <stdbool.h>

typedef struct _vshCxlTable vshCxlTable;

vshCxlTable *vshCxlTableNew(const char *title, ...) G_GNUC_NULL_TERMINATED;
void vshCxlTableFree(vshCxlTable *table);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(vshCxlTable, vshCxlTableFree)

void vshCxlTableAppend(vshCxlTable *table, const char *cell, ...) G_GNUC_NULL_TERMINATED;
char *vshCxlTableFormat(vshCxlTable *table, bool header);

char *vshCxlTableEscape(const char *text, size_t *width);

#endif /* VSH_CXL_TABLE_H */
