/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-table.c: tables in virsh's layout
 *
 * A script that can read virsh's tables can read ours. A cell is one space, the text
 * padded to its column, and two spaces; below the titles is a line of dashes. Column
 * widths are terminal columns, which are neither bytes nor characters, and what cannot be
 * displayed is escaped, so that a domain's name can neither shift a column nor forge a
 * line.
 */

#include <stdarg.h>
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "vsh-cxl-table.h"

typedef struct {
    char *text;   /* escaped */
    size_t width; /* terminal columns */
} vshCxlTableCell;

struct _vshCxlTable {
    size_t ncolumns;
    GArray *cells; /* of vshCxlTableCell, row by row; the titles are the first row */
};

static void
vshCxlTableCellClear(void *data)
{
    vshCxlTableCell *cell = data;

    g_free(cell->text);
}

/**
 * vshCxlTableEscape:
 * @text: any bytes
 * @width: set to the columns that the returned text takes; may be NULL
 *
 * Returns @text with each byte that the locale cannot display written as \xNN.
 */
char *
vshCxlTableEscape(const char *text, size_t *width)
{
    GString *escaped = g_string_new(NULL);
    size_t left = strlen(text);
    mbstate_t state = {0};
    size_t columns = 0;

    while (left > 0) {
        wchar_t wide;
        size_t length = mbrtowc(&wide, text, left, &state);
        bool valid = length != (size_t)-1 && length != (size_t)-2;

        if (valid && iswprint((wint_t)wide)) {
            g_string_append_len(escaped, text, (gssize)length);
            columns += (size_t)MAX(wcwidth(wide), 0);
        } else {
            length = 1;
            memset(&state, 0, sizeof(state));
            g_string_append_printf(escaped, "\\x%02x", (unsigned char)*text);
            columns += strlen("\\x00");
        }
        text += length;
        left -= length;
    }

    if (width)
        *width = columns;
    return g_string_free(escaped, FALSE);
}

static void
vshCxlTableAppendCell(vshCxlTable *table, const char *text)
{
    vshCxlTableCell cell;

    cell.text = vshCxlTableEscape(text, &cell.width);
    g_array_append_val(table->cells, cell);
}

/**
 * vshCxlTableNew:
 * @title: the first column's title, followed by the others' and NULL
 *
 * Returns a table with no rows yet.
 */
vshCxlTable *
vshCxlTableNew(const char *title, ...)
{
    vshCxlTable *table = g_new0(vshCxlTable, 1);
    va_list titles;

    table->cells = g_array_new(FALSE, FALSE, sizeof(vshCxlTableCell));
    g_array_set_clear_func(table->cells, vshCxlTableCellClear);

    va_start(titles, title);
    for (; title; title = va_arg(titles, const char *))
        vshCxlTableAppendCell(table, title);
    va_end(titles);

    table->ncolumns = table->cells->len;
    return table;
}

/**
 * vshCxlTableFree:
 * @table: the table, or NULL
 */
void
vshCxlTableFree(vshCxlTable *table)
{
    if (!table)
        return;
    g_array_unref(table->cells);
    g_free(table);
}

/**
 * vshCxlTableAppend:
 * @table: the table
 * @cell: the first column's text, followed by the others' and NULL; as many as
 *        the table has titles
 */
void
vshCxlTableAppend(vshCxlTable *table, const char *cell, ...)
{
    va_list cells;

    va_start(cells, cell);
    for (; cell; cell = va_arg(cells, const char *))
        vshCxlTableAppendCell(table, cell);
    va_end(cells);

    g_assert(table->cells->len % table->ncolumns == 0);
}

/**
 * vshCxlTableFormat:
 * @table: the table
 * @header: whether to print the titles and the dashes; without them, columns are no wider
 *          than their rows need
 *
 * Returns the table as text, each line with its newline.
 */
char *
vshCxlTableFormat(vshCxlTable *table, bool header)
{
    g_autofree size_t *widths = g_new0(size_t, table->ncolumns);
    GString *out = g_string_new(NULL);
    size_t first = header ? 0 : table->ncolumns;
    size_t dashes = 0;
    size_t i;

    for (i = first; i < table->cells->len; i++) {
        size_t *width = &widths[i % table->ncolumns];

        *width = MAX(*width, g_array_index(table->cells, vshCxlTableCell, i).width);
    }
    for (i = 0; i < table->ncolumns; i++)
        dashes += widths[i] + 3;

    for (i = first; i < table->cells->len; i++) {
        vshCxlTableCell *cell = &g_array_index(table->cells, vshCxlTableCell, i);
        size_t column = i % table->ncolumns;

        g_string_append_printf(out, " %s", cell->text);
        if (column + 1 < table->ncolumns) {
            g_string_append_printf(out, "%*s", (int)(widths[column] - cell->width) + 2, "");
            continue;
        }
        g_string_append_c(out, '\n');
        if (i + 1 == table->ncolumns) {
            for (; dashes > 0; dashes--)
                g_string_append_c(out, '-');
            g_string_append_c(out, '\n');
        }
    }
    return g_string_free(out, FALSE);
}
