/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.h: the machine with all its CXL devices
 */

#ifndef GUEST_GUEST_H
#define GUEST_GUEST_H

#include "cxl_device.h"

typedef struct _Guest Guest;
struct _Guest {
    Qtest *qtest;
    Pci pci;
    Cedt *cedt;
    GPtrArray *devices; /* CxlDevice, in order of enumeration */
};

Guest *guestOpen(const char *path, GError **error);
void guestFree(Guest *guest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Guest, guestFree)

int guestSetUp(Guest *guest, GError **error);
GPtrArray *guestSelect(Guest *guest, const char *name, GError **error);

#endif
