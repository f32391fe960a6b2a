/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-map.c: a picture of where the capacities of a device lie
 *
 * The layout, shared by terminal and SVG. A region is divided into pieces, which are its
 * capacities and the gaps between them, and each piece is given cells: characters on the
 * terminal, a few pixels in SVG.
 *
 *     bytes   |  256 MiB  |      768 MiB       |2|               the rest             |
 *     cells   |A #  #  #  |P  ?  ?  ?  ?  ?  ? |A| .  .  .  .  .  .  .  .  .  .  .  . |
 *
 * A boundary is drawn to scale unless a piece would get no cell; then it moves by as
 * little as necessary. So a capacity of 2 MiB in a region of 1 TiB is visible. A region
 * with many pieces is folded into several rows, so that there are at least two cells per
 * piece and the scale survives.
 *
 * A rejected capacity occupies no memory and gets no cell. Records written by two clients
 * may overlap for a moment; the later one then gets what the earlier one leaves of it.
 */

#include "vsh-cxl-map.h"
#include "vsh-cxl-size.h"

/* Tags are never shortened below this, so that a capacity keeps its label as others come and go. */
#define VSH_CXL_MAP_TAG_LENGTH 8

static void
vshCxlMapAppendPiece(vshCxlMapRegion *region,
                     const virDomainCxlDcdCapacity *capacity,
                     unsigned long long offset,
                     unsigned long long end)
{
    vshCxlMapPiece piece = {.capacity = capacity, .offset = offset, .size = end - offset};

    g_array_append_val(region->pieces, piece);
}

/* Divide the region into pieces, which have no cells yet. */
static void
vshCxlMapCut(vshCxlMapRegion *region, const virDomainCxlDcdDevice *device, unsigned int number)
{
    unsigned long long end = 0;
    size_t i;

    for (i = 0; i < device->ncapacities; i++) {
        const virDomainCxlDcdCapacity *capacity = device->capacities[i];
        unsigned long long offset = CLAMP(capacity->offset, end, region->size);

        if (capacity->region != number)
            continue;
        if (capacity->state == VIR_DOMAIN_CXL_DCD_STATE_REJECTED) {
            g_ptr_array_add(region->rejected, (void *)capacity);
            continue;
        }
        if (offset > end) {
            vshCxlMapAppendPiece(region, NULL, end, offset);
            region->unoccupied += offset - end;
        }
        end = offset + MIN(capacity->size, region->size - offset);
        vshCxlMapAppendPiece(region, capacity, offset, end);
    }
    if (end < region->size || region->pieces->len == 0) {
        vshCxlMapAppendPiece(region, NULL, end, region->size);
        region->unoccupied += region->size - end;
    }
}

/* Distribute @cells cells, at least as many as there are pieces. */
static void
vshCxlMapPlace(vshCxlMapRegion *region, size_t cells)
{
    size_t npieces = region->pieces->len;
    size_t end = 0;
    size_t i;

    /* to scale, but after the previous piece; until the next loop cells is an end position */
    for (i = 0; i < npieces; i++) {
        vshCxlMapPiece *piece = vshCxlMapGetPiece(region, i);
        double share = (double)(piece->offset + piece->size) / (double)MAX(region->size, 1);

        end = MAX((size_t)(share * (double)cells + 0.5), end + 1);
        piece->cells = end;
    }
    /* leaving room for those after it; from here on cells is a number of cells */
    for (i = npieces, end = cells; i > 0; i--) {
        vshCxlMapPiece *piece = vshCxlMapGetPiece(region, i - 1);
        size_t before = i > 1 ? vshCxlMapGetPiece(region, i - 2)->cells : 0;

        piece->start = MIN(before, end - 1);
        piece->cells = end - piece->start;
        end = piece->start;
    }
}

/**
 * vshCxlMapRegionNew:
 * @device: a device, its capacities sorted by region and offset
 * @number: the number of one of its regions
 * @width: cells in a row, not 0
 *
 * Returns the layout of the region, which points into @device.
 */
vshCxlMapRegion *
vshCxlMapRegionNew(const virDomainCxlDcdDevice *device, unsigned int number, size_t width)
{
    vshCxlMapRegion *region = g_new0(vshCxlMapRegion, 1);

    region->size = device->size / MAX(device->regions, 1);
    region->pieces = g_array_new(FALSE, FALSE, sizeof(vshCxlMapPiece));
    region->rejected = g_ptr_array_new();
    vshCxlMapCut(region, device, number);
    region->rows = region->pieces->len == 1 ? 1 : (2 * region->pieces->len + width - 1) / width;
    vshCxlMapPlace(region, region->rows * width);
    return region;
}

/**
 * vshCxlMapRegionFree:
 * @region: the layout, or NULL
 */
void
vshCxlMapRegionFree(vshCxlMapRegion *region)
{
    if (!region)
        return;
    g_array_unref(region->pieces);
    g_ptr_array_unref(region->rejected);
    g_free(region);
}

/**
 * vshCxlMapTagLength:
 * @devices: all devices of a domain, of virDomainCxlDcdDevicePtr
 *
 * Returns how many leading characters make every tag of the domain unique, at least 8.
 */
size_t
vshCxlMapTagLength(GPtrArray *devices)
{
    g_autoptr(GHashTable) seen = NULL;
    size_t length = VSH_CXL_MAP_TAG_LENGTH;
    size_t i = 0;
    size_t j = 0;

    while (i < devices->len && length < VIR_UUID_STRING_BUFLEN - 1) {
        const virDomainCxlDcdDevice *device = g_ptr_array_index(devices, i);

        if (!seen)
            seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        if (j == device->ncapacities) {
            i++;
            j = 0;
        } else if (!g_hash_table_add(seen, g_strndup(device->capacities[j++]->tag, length))) {
            length++;
            g_clear_pointer(&seen, g_hash_table_unref);
            i = j = 0;
        }
    }
    return length;
}

/**
 * vshCxlMapDescribe:
 * @device: a device
 *
 * Returns the fields of the heading above its regions, NULL-terminated.
 */
char **
vshCxlMapDescribe(const virDomainCxlDcdDevice *device)
{
    g_autofree char *size = vshCxlSizeFormat(device->size);
    g_autofree char *accepted = vshCxlSizeFormat(device->accepted);
    g_autofree char *left = NULL;
    unsigned long long unoccupied = 0;
    char **fields = g_new0(char *, 7);
    unsigned int i;

    for (i = 0; i < device->regions; i++) {
        g_autoptr(vshCxlMapRegion) region = vshCxlMapRegionNew(device, i, 1);

        unoccupied += region->unoccupied;
    }
    left = vshCxlSizeFormat(unoccupied);

    fields[0] = g_strdup_printf("Device: %s", device->alias);
    fields[1] =
        g_strdup_printf("Model: %s",
                        device->model == VIR_DOMAIN_CXL_DCD_MODEL_STATIC ? "static" : "tagged");
    fields[2] = g_strdup_printf("Regions: %u", device->regions);
    fields[3] = g_strdup_printf("Size: %s", size);
    fields[4] = g_strdup_printf("Accepted: %s", accepted);
    fields[5] = g_strdup_printf("Free: %s", left);
    return fields;
}
