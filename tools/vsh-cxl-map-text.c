/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-map-text.c: the map of a device, drawn with characters
 *
 *     Device: cxl-dcd0   Model: tagged   Regions: 1   Size: 1 GiB ...
 *
 *     Region 0: 1 GiB, 640 MiB free
 *       5be13bce        8d2e0f6c
 *      |A##############P???????.....................................|
 *      5be13bce  accepted   256 MiB at 0 B
 *      8d2e0f6c  pending    128 MiB at 256 MiB
 *      -         free       640 MiB at 384 MiB
 *
 *     A### accepted   P??? pending   .... free
 *
 * Each capacity begins with a letter and continues with the sign of its state, so that
 * two neighbours in the same state can be told apart without colour, and so can a
 * capacity of a single character. In colour the signs become blocks, and the letters are
 * drawn on the same colour.
 */

#include <string.h>

#include "vsh-cxl-map.h"
#include "vsh-cxl-size.h"
#include "vsh-cxl-table.h"

/* How a piece is drawn. */
typedef struct {
    int state;           /* virDomainCxlDcdState; NONE: free space */
    const char *name;    /* in lists and the legend */
    char first;          /* the first character */
    char rest;           /* the remaining characters */
    const char *block;   /* the remaining characters, in colour */
    unsigned int colour; /* ANSI, 0 to 7 */
} vshCxlMapLook;

/* The last entry is for states of later library versions. */
static const vshCxlMapLook vshCxlMapLooks[] = {
    {VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED, "accepted", 'A', '#', "█", 2},
    {VIR_DOMAIN_CXL_DCD_STATE_PENDING, "pending", 'P', '?', "▒", 3},
    {VIR_DOMAIN_CXL_DCD_STATE_ADDING, "adding", 'N', '+', "░", 6},
    {VIR_DOMAIN_CXL_DCD_STATE_RELEASING, "releasing", 'R', '-', "▓", 5},
    {VIR_DOMAIN_CXL_DCD_STATE_NONE, "free", '.', '.', "·", 7},
    {VIR_DOMAIN_CXL_DCD_STATE_REJECTED, "rejected", 'X', 'x', "×", 1},
    {-1, "unknown", 'U', 'u', "░", 7},
};

/* How a map is drawn, and the line being filled. */
typedef struct {
    GString *out;
    size_t width; /* of a line, in columns */
    bool colour;
    size_t tag;    /* displayed length of a tag */
    size_t column; /* columns used in the current line */
} vshCxlMapPen;

/* The cells in a row: a line without its frame, and one column that stays empty. */
static size_t
vshCxlMapTextCells(size_t width)
{
    return width - strlen(" |") - strlen("|") - 1;
}

static const vshCxlMapLook *
vshCxlMapGetLook(const virDomainCxlDcdCapacity *capacity)
{
    int state = capacity ? capacity->state : VIR_DOMAIN_CXL_DCD_STATE_NONE;
    size_t i;

    for (i = 0; i + 1 < G_N_ELEMENTS(vshCxlMapLooks) && vshCxlMapLooks[i].state != state; i++)
        ;
    return &vshCxlMapLooks[i];
}

/* Append text that takes @columns columns, on a new line if it does not fit the current one. */
static void
vshCxlMapAppendWrapped(vshCxlMapPen *pen, const char *text, size_t columns)
{
    if (pen->column > 0 && pen->column + 3 + columns > pen->width) {
        g_string_append_c(pen->out, '\n');
        pen->column = 0;
    }
    if (pen->column > 0) {
        g_string_append(pen->out, "   ");
        pen->column += 3;
    }
    g_string_append(pen->out, text);
    pen->column += columns;
}

static void
vshCxlMapEndWrapped(vshCxlMapPen *pen)
{
    g_string_append(pen->out, "\n\n");
    pen->column = 0;
}

/* Append @n cells of a piece, starting with its letter if the piece begins here. */
static void
vshCxlMapAppendCells(vshCxlMapPen *pen, const vshCxlMapLook *look, size_t n, bool begins)
{
    size_t i = 0;

    if (begins && look->first != look->rest) {
        if (pen->colour)
            g_string_append_printf(pen->out, "\033[30;4%um%c\033[0m", look->colour, look->first);
        else
            g_string_append_c(pen->out, look->first);
        i = 1;
    }
    if (i == n)
        return;
    if (pen->colour)
        g_string_append_printf(pen->out, "\033[3%um", look->colour);
    for (; i < n; i++) {
        if (pen->colour)
            g_string_append(pen->out, look->block);
        else
            g_string_append_c(pen->out, look->rest);
    }
    if (pen->colour)
        g_string_append(pen->out, "\033[0m");
}

/* The cells of a piece within a row; returns their number, 0 for none. */
static size_t
vshCxlMapGetSegment(const vshCxlMapPiece *piece, size_t row, size_t cells, size_t *start)
{
    size_t end = MIN(piece->start + piece->cells, (row + 1) * cells);

    *start = MAX(piece->start, row * cells);
    return end > *start ? end - *start : 0;
}

/* Append the tags of the capacities, above the first row in which each has room. */
static void
vshCxlMapAppendLabels(vshCxlMapPen *pen, const vshCxlMapRegion *region, size_t row, size_t cells)
{
    g_autoptr(GString) line = g_string_new(NULL);
    size_t i;

    for (i = 0; i < region->pieces->len; i++) {
        const vshCxlMapPiece *piece = vshCxlMapGetPiece(region, i);
        size_t above;
        size_t start;

        if (!piece->capacity || vshCxlMapGetSegment(piece, row, cells, &start) <= pen->tag)
            continue;
        if (row > 0 && vshCxlMapGetSegment(piece, row - 1, cells, &above) > pen->tag)
            continue;
        g_string_append_printf(line,
                               "%*s%.*s",
                               (int)(start - row * cells - line->len),
                               "",
                               (int)pen->tag,
                               piece->capacity->tag);
    }
    if (line->len > 0)
        g_string_append_printf(pen->out, "  %s\n", line->str);
}

static void
vshCxlMapAppendBar(vshCxlMapPen *pen, const vshCxlMapRegion *region)
{
    size_t cells = vshCxlMapTextCells(pen->width);
    size_t row;
    size_t i;

    for (row = 0; row < region->rows; row++) {
        vshCxlMapAppendLabels(pen, region, row, cells);
        g_string_append(pen->out, " |");
        for (i = 0; i < region->pieces->len; i++) {
            const vshCxlMapPiece *piece = vshCxlMapGetPiece(region, i);
            size_t start;
            size_t n = vshCxlMapGetSegment(piece, row, cells, &start);

            if (n > 0)
                vshCxlMapAppendCells(pen,
                                     vshCxlMapGetLook(piece->capacity),
                                     n,
                                     start == piece->start);
        }
        g_string_append(pen->out, "|\n");
    }
}

/* Append one line of the list: what the piece is, and where. */
static void
vshCxlMapAppendLine(vshCxlMapPen *pen,
                    const virDomainCxlDcdCapacity *capacity,
                    unsigned long long offset,
                    unsigned long long size)
{
    const vshCxlMapLook *look = vshCxlMapGetLook(capacity);
    g_autofree char *at = vshCxlSizeFormat(offset);
    g_autofree char *bytes = vshCxlSizeFormat(size);

    g_string_append_printf(pen->out,
                           " %-*.*s  ",
                           (int)pen->tag,
                           (int)pen->tag,
                           capacity ? capacity->tag : "-");
    if (pen->colour)
        g_string_append_printf(pen->out, "\033[3%um", look->colour);
    g_string_append_printf(pen->out, "%-9s", look->name);
    if (pen->colour)
        g_string_append(pen->out, "\033[0m");
    g_string_append_printf(pen->out, " %8s at %s", bytes, at);
    if (capacity && capacity->state == VIR_DOMAIN_CXL_DCD_STATE_REJECTED)
        g_string_append(pen->out, ", occupies nothing");
    g_string_append_c(pen->out, '\n');
}

static void
vshCxlMapAppendRegion(vshCxlMapPen *pen, const virDomainCxlDcdDevice *device, unsigned int number)
{
    g_autoptr(vshCxlMapRegion) region =
        vshCxlMapRegionNew(device, number, vshCxlMapTextCells(pen->width));
    g_autofree char *size = vshCxlSizeFormat(region->size);
    g_autofree char *unoccupied = vshCxlSizeFormat(region->unoccupied);
    size_t i;

    g_string_append_printf(pen->out, "Region %u: %s, %s free\n", number, size, unoccupied);
    vshCxlMapAppendBar(pen, region);
    for (i = 0; i < region->pieces->len; i++) {
        const vshCxlMapPiece *piece = vshCxlMapGetPiece(region, i);

        if (piece->capacity)
            vshCxlMapAppendLine(pen,
                                piece->capacity,
                                piece->capacity->offset,
                                piece->capacity->size);
        else if (region->pieces->len > 1)
            vshCxlMapAppendLine(pen, NULL, piece->offset, piece->size);
    }
    for (i = 0; i < region->rejected->len; i++) {
        const virDomainCxlDcdCapacity *capacity = g_ptr_array_index(region->rejected, i);

        vshCxlMapAppendLine(pen, capacity, capacity->offset, capacity->size);
    }
    g_string_append_c(pen->out, '\n');
}

/* Append the legend. Rejected capacities and unknown states are not in it: they appear on no
 * map, or hardly ever. */
static void
vshCxlMapAppendLegend(vshCxlMapPen *pen)
{
    size_t i;

    for (i = 0; vshCxlMapLooks[i].state != VIR_DOMAIN_CXL_DCD_STATE_REJECTED; i++) {
        g_autoptr(GString) item = g_string_new(NULL);
        vshCxlMapPen sample = {.out = item, .colour = pen->colour};

        vshCxlMapAppendCells(&sample, &vshCxlMapLooks[i], 4, true);
        g_string_append_printf(item, " %s", vshCxlMapLooks[i].name);
        vshCxlMapAppendWrapped(pen, item->str, 5 + strlen(vshCxlMapLooks[i].name));
    }
    g_string_append_c(pen->out, '\n');
}

/**
 * vshCxlMapFormatText:
 * @devices: all devices of a domain, of virDomainCxlDcdDevicePtr
 * @alias: the device to draw, NULL for all
 * @width: columns of a line
 * @colour: whether to use colour and block characters
 *
 * Returns the map as lines of text, the last of which is the legend. Without @colour it
 * is pure ASCII, except for a non-ASCII alias.
 */
char *
vshCxlMapFormatText(GPtrArray *devices, const char *alias, size_t width, bool colour)
{
    vshCxlMapPen pen = {
        .out = g_string_new(NULL),
        .width = width,
        .colour = colour,
        .tag = vshCxlMapTagLength(devices),
    };
    size_t i;
    size_t j;

    for (i = 0; i < devices->len; i++) {
        const virDomainCxlDcdDevice *device = g_ptr_array_index(devices, i);
        g_auto(GStrv) fields = NULL;

        if (alias && !g_str_equal(device->alias, alias))
            continue;
        fields = vshCxlMapDescribe(device);
        for (j = 0; fields[j]; j++) {
            size_t columns;
            g_autofree char *field = vshCxlTableEscape(fields[j], &columns);

            vshCxlMapAppendWrapped(&pen, field, columns);
        }
        vshCxlMapEndWrapped(&pen);
        for (j = 0; j < device->regions; j++)
            vshCxlMapAppendRegion(&pen, device, (unsigned int)j);
    }
    vshCxlMapAppendLegend(&pen);
    return g_string_free(pen.out, FALSE);
}
