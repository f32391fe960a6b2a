/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_error.c: being inside of the driver module, and leaving it with an error
 *
 * libvirt tells a program of an error in two ways: as the error of the thread, and by
 * calling the handler that the program has set with virSetErrorFunc(). virsh, for one,
 * prints what its handler was told. A call that fails in the module has to do both, and
 * what libvirt says of the calls that the module makes on the way is the module's own
 * business. So it stands before virSetErrorFunc(): libvirt's handler is always the
 * module's, which passes on what does not come from inside.
 *
 * While a thread is inside, its calls of libvirt go straight on: the library sees what
 * the next side sees, and never the module itself.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stddef.h>

#include "cxl_dcd_driver_error.h"
#include "cxl_dcd_driver_load.h"
#include "cxl_dcd_driver_next.h"

static __thread bool cxlDcdDriverInside;

/* What the program has set. As in libvirt, setting it is for one thread alone. */
static virErrorFunc cxlDcdDriverHandler;
static void *cxlDcdDriverHandlerData;

static void
cxlDcdDriverPassOn(void *opaque __attribute__((unused)), virErrorPtr error)
{
    if (cxlDcdDriverInside)
        return;
    if (cxlDcdDriverHandler)
        cxlDcdDriverHandler(cxlDcdDriverHandlerData, error);
    else
        virDefaultErrorFunc(error);
}

/**
 * cxlDcdDriverErrorLoad:
 *
 * From now on libvirt's handler is the module's.
 */
void
cxlDcdDriverErrorLoad(void)
{
    CXL_DCD_NEXT(virSetErrorFunc)(NULL, cxlDcdDriverPassOn);
}

CXL_DCD_DRIVER_EXPORT void
virSetErrorFunc(void *userData, virErrorFunc handler)
{
    if (!cxlDcdDriverIsOn()) {
        CXL_DCD_NEXT(virSetErrorFunc)(userData, handler);
        return;
    }
    cxlDcdDriverHandler = handler;
    cxlDcdDriverHandlerData = userData;
}

/**
 * cxlDcdDriverIsInside:
 *
 * Returns true when the calling thread is inside, or the module is off: its call is to go
 * straight on.
 */
bool
cxlDcdDriverIsInside(void)
{
    return cxlDcdDriverInside || !cxlDcdDriverIsOn();
}

/**
 * cxlDcdDriverEnter:
 *
 * The calling thread, which was outside, begins to work on behalf of a call.
 */
void
cxlDcdDriverEnter(void)
{
    cxlDcdDriverInside = true;
}

/**
 * cxlDcdDriverLeave:
 * @failed: the call fails, and the thread's error says why
 *
 * The calling thread ends its work.
 */
void
cxlDcdDriverLeave(bool failed)
{
    virErrorPtr error = failed ? virGetLastError() : NULL;

    cxlDcdDriverInside = false;
    if (error)
        cxlDcdDriverPassOn(NULL, error);
}
