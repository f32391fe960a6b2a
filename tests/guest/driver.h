/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * driver.h: how the guest answers the device's requests
 */

#ifndef GUEST_DRIVER_H
#define GUEST_DRIVER_H

#include "dcd.h"

int driverAnswer(CxlDevice *device,
                 gboolean accept,
                 const guint8 *tag,
                 GString *output,
                 GError **error);
int driverReleaseAsked(CxlDevice *device, GString *output, GError **error);
int driverReleaseTag(CxlDevice *device, const guint8 *tag, GString *output, GError **error);
int driverReleaseRange(CxlDevice *device,
                       guint region,
                       guint64 offset,
                       guint64 size,
                       GString *output,
                       GError **error);
int
driverWork(CxlDevice *device, gboolean accept, gboolean release, GString *output, GError **error);
gboolean driverHasWork(CxlDevice *device, GError **error);

#endif
