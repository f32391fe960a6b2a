/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-view.c: selecting what to show of a domain
 *
 * Filtering for all formats happens here, so that a table and a document for the same
 * query have the same content.
 */

#include "vsh-cxl-view.h"

const char *const vshCxlFormatNames[] = {"table", "json", "xml", NULL};

/**
 * vshCxlGetFormat:
 * @args: the arguments of a command with --format
 *
 * Returns the requested format.
 */
vshCxlFormat
vshCxlGetFormat(const vshCxlArgs *args)
{
    return (vshCxlFormat)MAX(vshCxlArgsChoice(args, "format"), VSH_CXL_FORMAT_TABLE);
}

static bool
vshCxlFilterCapacity(const vshCxlFilter *filter, const virDomainCxlDcdCapacity *capacity)
{
    if (filter->state >= 0 && capacity->state != filter->state)
        return false;
    return !filter->tag || g_ascii_strcasecmp(capacity->tag, filter->tag) == 0;
}

static void
vshCxlDeviceViewFree(void *data)
{
    vshCxlDeviceView *view = data;

    g_ptr_array_unref(view->capacities);
    g_free(view);
}

/* Append the view of @device to @devices, if anything of it matches. */
static void
vshCxlDeviceViewAppend(GPtrArray *devices,
                       const virDomainCxlDcdDevice *device,
                       const vshCxlFilter *filter)
{
    vshCxlDeviceView *view;
    size_t i;

    if (filter->device && !g_str_equal(device->alias, filter->device))
        return;
    view = g_new0(vshCxlDeviceView, 1);
    view->device = device;
    view->free = device->size;
    view->capacities = g_ptr_array_new();
    for (i = 0; i < device->ncapacities; i++) {
        virDomainCxlDcdCapacity *capacity = device->capacities[i];

        if (capacity->state != VIR_DOMAIN_CXL_DCD_STATE_REJECTED)
            view->free -= MIN(capacity->size, view->free);
        if (vshCxlFilterCapacity(filter, capacity))
            g_ptr_array_add(view->capacities, capacity);
    }
    if (view->capacities->len > 0 || filter->empty)
        g_ptr_array_add(devices, view);
    else
        vshCxlDeviceViewFree(view);
}

/**
 * vshCxlDomainViewNew:
 * @domain: the domain
 * @devices: its devices, of virDomainCxlDcdDevicePtr; a reference is taken
 * @filter: what to show
 *
 * Returns the view; the caller sets active, config and refreshed.
 */
vshCxlDomainView *
vshCxlDomainViewNew(virDomainPtr domain, GPtrArray *devices, const vshCxlFilter *filter)
{
    vshCxlDomainView *view = g_new0(vshCxlDomainView, 1);
    guint i;

    view->name = g_strdup(virDomainGetName(domain));
    virDomainGetUUIDString(domain, view->uuid);
    view->sources = g_ptr_array_ref(devices);
    view->devices = g_ptr_array_new_with_free_func(vshCxlDeviceViewFree);
    for (i = 0; i < devices->len; i++)
        vshCxlDeviceViewAppend(view->devices, g_ptr_array_index(devices, i), filter);
    return view;
}

/**
 * vshCxlDomainViewFree:
 * @view: the view, or NULL
 */
void
vshCxlDomainViewFree(vshCxlDomainView *view)
{
    if (!view)
        return;
    g_ptr_array_unref(view->devices);
    g_ptr_array_unref(view->sources);
    g_free(view->name);
    g_free(view);
}
