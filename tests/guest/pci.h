/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pci.h: configuration space, and what firmware does there
 */

#ifndef GUEST_PCI_H
#define GUEST_PCI_H

#include "qtest.h"

#define PCI_VENDOR 0x00
#define PCI_COMMAND 0x04
#define PCI_COMMAND_MEMORY 0x2
#define PCI_COMMAND_MASTER 0x4
#define PCI_CLASS 0x08 /* revision, programming interface, class */
#define PCI_HEADER_TYPE 0x0e
#define PCI_HEADER_BRIDGE 0x1
#define PCI_HEADER_MULTIFUNCTION 0x80
#define PCI_SECONDARY_BUS 0x19
#define PCI_SUBORDINATE_BUS 0x1a

#define PCI_CAPABILITY_EXPRESS 0x10
#define PCI_EXTENDED_SERIAL 0x0003

/* The kind of a function, from its PCI Express capability. */
#define PCI_EXPRESS_ROOT_PORT 0x4
#define PCI_EXPRESS_UPSTREAM 0x5
#define PCI_EXPRESS_DOWNSTREAM 0x6

#define PCI_SLOTS 32
#define PCI_FUNCTIONS 8
#define PCI_LAST_BUS 255

/* A function's place: bus << 8 | slot << 3 | function. */
typedef guint16 PciAddress;
#define PCI_ADDRESS(bus, slot, function) ((PciAddress)((bus) << 8 | (slot) << 3 | (function)))

typedef struct _Pci Pci;
struct _Pci {
    Qtest *qtest;
    guint64 ecam; /* where configuration space is in memory */
};

int pciOpen(Pci *pci, Qtest *qtest, GError **error);

guint8 pciRead8(Pci *pci, PciAddress address, guint16 offset);
guint16 pciRead16(Pci *pci, PciAddress address, guint16 offset);
guint32 pciRead32(Pci *pci, PciAddress address, guint16 offset);

gboolean pciPresent(Pci *pci, PciAddress address);
guint16 pciFindCapability(Pci *pci, PciAddress address, guint8 id);
guint16 pciFindExtended(Pci *pci, PciAddress address, guint16 id, guint16 after);
guint16 pciFindDvsec(Pci *pci, PciAddress address, guint16 vendor, guint16 id);

guint8 pciPortKind(Pci *pci, PciAddress address);
guint8 pciPortNumber(Pci *pci, PciAddress address);
void pciPortPowerOn(Pci *pci, PciAddress address);
void pciBridgeSetBuses(Pci *pci, PciAddress address, guint8 secondary, guint8 subordinate);
void pciBridgeSetWindow(Pci *pci, PciAddress address);

int pciAssignBars(Pci *pci, PciAddress address, GError **error);
guint64 pciBar(Pci *pci, PciAddress address, guint bar);

char *pciFormatAddress(PciAddress address);

#endif
