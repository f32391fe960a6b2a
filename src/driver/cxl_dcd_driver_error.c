/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_error.c: being inside the driver module, and leaving it with an error
 *
 * libvirt reports an error to a program in two ways: as the error of the thread, and by
 * calling the handler that the program has set with virSetErrorFunc(). virsh, for one,
 * prints what its handler was given. A call that fails in the module must do both, and
 * what libvirt reports about the calls that the module makes in between must stay inside
 * the module. So the module overrides virSetErrorFunc(): libvirt's handler is always the
 * module's, which passes on errors that do not come from inside.
 *
 * While a thread is inside, its calls of libvirt are passed on at once: the library sees
 * what the next side reports, and never the module itself.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stddef.h>

#include "cxl_dcd_driver_error.h"
#include "cxl_dcd_driver_load.h"
#include "cxl_dcd_driver_next.h"

static __thread bool cxlDcdDriverInside;

/* The handler that the program has set. As in libvirt, it is set for one thread alone. */
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
 * Make the module's handler libvirt's handler.
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
 * Returns true if the calling thread is inside, or the module is off: its call must be passed
 * on at once.
 */
bool
cxlDcdDriverIsInside(void)
{
    return cxlDcdDriverInside || !cxlDcdDriverIsOn();
}

/**
 * cxlDcdDriverEnter:
 *
 * The calling thread, which must be outside, begins to work on behalf of a call.
 */
void
cxlDcdDriverEnter(void)
{
    cxlDcdDriverInside = true;
}

/**
 * cxlDcdDriverLeave:
 * @failed: whether the call fails; the thread's error then says why
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
