/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_device.h: a CXL type 3 memory device, and the path to it
 */

#ifndef GUEST_CXL_DEVICE_H
#define GUEST_CXL_DEVICE_H

#include "acpi.h"
#include "hdm.h"
#include "mailbox.h"
#include "pci.h"

#define CXL_REGIONS 8

/* A dynamic capacity region. */
typedef struct _CxlRegion CxlRegion;
struct _CxlRegion {
    guint64 dpa;          /* where it starts in device memory */
    guint64 decodeLength; /* bytes that decoders set aside for it */
    guint64 size;         /* bytes, at most decodeLength */
    guint64 blockSize;    /* bytes; extents are multiples of it */
};

/* A component on the path from the host to a device, and the port that leads on. */
typedef struct _CxlHop CxlHop;
struct _CxlHop {
    PciAddress address; /* of the upstream port; unused for a host
                                 * bridge, which is no PCI function */
    guint64 decoders;   /* its HDM decoders, 0 if it has none */
    guint8 target;      /* number of the port that leads on */
};

typedef struct _CxlDevice CxlDevice;
struct _CxlDevice {
    guint index; /* in order of enumeration */
    Qtest *qtest;
    PciAddress address;
    PciAddress port; /* root port or downstream port above it */
    guint8 portNumber;
    guint64 serial;     /* 0 if the device has none */
    guint32 hostBridge; /* the uid of its host bridge */
    GArray *hops;       /* CxlHop, the host bridge first */

    guint64 decoders; /* its own HDM decoders */
    Mailbox mailbox;
    guint regionCount; /* 0: no dynamic capacity */
    CxlRegion regions[CXL_REGIONS];

    gboolean placed; /* whether base is set */
    guint64 base;    /* host physical address of its first region, in the fixed memory window */

    GArray *postponed; /* DcdExtent: asked back, but not yet given back */
    gint64 seen;       /* since when events have waited, monotonic; 0: none */
    gboolean stuck;    /* the offer stuckHandle was tried and failed */
    guint16 stuckHandle;
};

CxlDevice *cxlDeviceNew(Qtest *qtest, PciAddress address);
void cxlDeviceFree(CxlDevice *device);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(CxlDevice, cxlDeviceFree)

gboolean cxlDeviceIsType3(Pci *pci, PciAddress address);
guint64 cxlComponentRegisters(Pci *pci, PciAddress address);
int cxlDeviceOpen(CxlDevice *device, Pci *pci, GError **error);

guint64 cxlDeviceSpan(const CxlDevice *device);
int cxlDeviceMap(CxlDevice *device, GError **error);
int cxlDeviceUnmap(CxlDevice *device, GError **error);
int cxlDeviceAddress(CxlDevice *device,
                     guint region,
                     guint64 offset,
                     guint64 size,
                     guint64 *address,
                     GError **error);
int cxlDeviceLocate(const CxlDevice *device, guint64 dpa, guint *region, guint64 *offset);

#endif
