/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-map.h: a picture of where the capacities of a device lie
 */

#ifndef VSH_CXL_MAP_H
#define VSH_CXL_MAP_H

#include <glib.h>
#include <stdbool.h>

#include "libvirt/libvirt-cxl-dcd.h"

/* A capacity in its region, or the gap between two. */
typedef struct {
    const virDomainCxlDcdCapacity *capacity; /* NULL: free space */
    unsigned long long offset;               /* bytes, in the region */
    unsigned long long size;                 /* bytes */
    size_t start;                            /* its first cell */
    size_t cells;                            /* at least 1 */
} vshCxlMapPiece;

/* A region as a sequence of cells, folded into rows of equal length. */
typedef struct {
    unsigned long long size;       /* bytes */
    unsigned long long unoccupied; /* bytes */
    size_t rows;
    GArray *pieces;      /* of vshCxlMapPiece; together they cover all cells */
    GPtrArray *rejected; /* of virDomainCxlDcdCapacity; they occupy no cells */
} vshCxlMapRegion;

vshCxlMapRegion *
vshCxlMapRegionNew(const virDomainCxlDcdDevice *device, unsigned int number, size_t width);
void vshCxlMapRegionFree(vshCxlMapRegion *region);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(vshCxlMapRegion, vshCxlMapRegionFree)

#define vshCxlMapGetPiece(region, i) (&g_array_index((region)->pieces, vshCxlMapPiece, (i)))

size_t vshCxlMapTagLength(GPtrArray *devices);
char **vshCxlMapDescribe(const virDomainCxlDcdDevice *device);

char *vshCxlMapFormatText(GPtrArray *devices, const char *alias, size_t width, bool colour);
char *vshCxlMapFormatSvg(GPtrArray *devices, const char *alias, const char *domain);

#endif /* VSH_CXL_MAP_H */
