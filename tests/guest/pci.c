/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * pci.c: configuration space of a q35 machine on which no firmware has run
 *
 * Extended capabilities can only be reached through the memory-mapped
 * configuration space, whose address (PCIEXBAR) is set through the legacy
 * ports.
 *
 * Addresses depend on the bus number alone: bus N owns the megabyte at
 * PCI_MEMORY + N MiB, so that a process that finds some buses already set up
 * adds the missing ones without having to know what others have used. Relies
 * on one function with BARs per bus (the one device behind a port), and on the
 * range being free: RAM below 4 GiB ends at 0xb0000000 at most, and nothing
 * else of the machine is given addresses. What already has addresses is left
 * as it is.
 */

#include "pci.h"

#include <string.h>

#define PCI_CONFIG_ADDRESS 0xcf8
#define PCI_CONFIG_DATA 0xcfc
#define PCI_CONFIG_ENABLE 0x80000000u

#define MCH_IDENTITY 0x29c08086u /* the q35 host bridge, 00:00.0 */
#define MCH_PCIEXBAR 0x60
#define MCH_PCIEXBAR_HIGH 0x64
#define MCH_PCIEXBAR_ENABLE 0x1

#define PCI_ECAM 0xb0000000u   /* 256 MiB, all 256 buses */
#define PCI_MEMORY 0xc0000000u /* 1 MiB a bus */
#define PCI_MEMORY_PER_BUS 0x100000u

#define PCI_PRIMARY_BUS 0x18
#define PCI_STATUS 0x06
#define PCI_STATUS_CAPABILITIES 0x10
#define PCI_CAPABILITY_LIST 0x34
#define PCI_EXTENDED_START 0x100
#define PCI_EXTENDED_DVSEC 0x0023
#define PCI_CONFIG_SIZE 0x1000

#define PCI_BAR0 0x10
#define PCI_BARS 6
#define PCI_BAR_IO 0x1
#define PCI_BAR_64 0x4
#define PCI_BAR_FLAGS 0xfu

#define PCI_BRIDGE_MEMORY 0x20 /* base, limit: 16 bits each */

#define EXPRESS_FLAGS 0x02
#define EXPRESS_FLAGS_SLOT 0x100
#define EXPRESS_LINK_CAPABILITIES 0x0c
#define EXPRESS_SLOT_CAPABILITIES 0x14
#define EXPRESS_SLOT_POWER_CONTROLLER 0x2
#define EXPRESS_SLOT_CONTROL 0x18
#define EXPRESS_SLOT_CONTROL_POWER_OFF 0x400
#define EXPRESS_SLOT_CONTROL_INDICATOR 0x300
#define EXPRESS_SLOT_CONTROL_INDICATOR_ON 0x100
#define EXPRESS_SLOT_STATUS 0x1a
#define EXPRESS_SLOT_STATUS_PRESENT 0x40

/**
 * pciOpen:
 * @pci: set up
 * @qtest: the machine; outlives @pci
 * @error: set on failure
 *
 * Finds the memory-mapped configuration space, or puts it in place.
 *
 * Returns 0, or -1 with @error set.
 */
int
pciOpen(Pci *pci, Qtest *qtest, GError **error)
{
    guint32 identity;
    guint32 low;
    guint32 high;

    qtestOut32(qtest, PCI_CONFIG_ADDRESS, PCI_CONFIG_ENABLE | PCI_VENDOR);
    identity = qtestIn32(qtest, PCI_CONFIG_DATA);
    qtestOut32(qtest, PCI_CONFIG_ADDRESS, PCI_CONFIG_ENABLE | MCH_PCIEXBAR_HIGH);
    high = qtestIn32(qtest, PCI_CONFIG_DATA);
    qtestOut32(qtest, PCI_CONFIG_ADDRESS, PCI_CONFIG_ENABLE | MCH_PCIEXBAR);
    low = qtestIn32(qtest, PCI_CONFIG_DATA);
    if (qtestCheck(qtest, error) < 0)
        return -1;

    if (identity != MCH_IDENTITY) {
        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_NOT_SUPPORTED,
                    "not a q35 machine: its host bridge is %04x:%04x",
                    identity & 0xffff,
                    identity >> 16);
        return -1;
    }
    if (!(low & MCH_PCIEXBAR_ENABLE)) {
        low = PCI_ECAM | MCH_PCIEXBAR_ENABLE;
        high = 0;
        qtestOut32(qtest, PCI_CONFIG_DATA, low);
    }
    pci->qtest = qtest;
    pci->ecam = (guint64)high << 32 | (low & 0xf0000000u);
    return qtestCheck(qtest, error);
}

/**
 * pciMemory:
 * @pci: the machine
 * @address: a function
 * @offset: a register of its configuration space
 *
 * Returns the register's place in memory.
 */
static guint64
pciMemory(Pci *pci, PciAddress address, guint16 offset)
{
    return pci->ecam + ((guint64)address << 12) + offset;
}

/**
 * pciRead8:
 * @pci: the machine
 * @address: a function
 * @offset: a register
 *
 * Returns the register's value, all ones where there is no such function.
 */
guint8
pciRead8(Pci *pci, PciAddress address, guint16 offset)
{
    return qtestRead8(pci->qtest, pciMemory(pci, address, offset));
}

/**
 * pciRead16:
 * @pci: the machine
 * @address: a function
 * @offset: a register
 *
 * Returns the register's value, all ones where there is no such function.
 */
guint16
pciRead16(Pci *pci, PciAddress address, guint16 offset)
{
    return qtestRead16(pci->qtest, pciMemory(pci, address, offset));
}

/**
 * pciRead32:
 * @pci: the machine
 * @address: a function
 * @offset: a register
 *
 * Returns the register's value, all ones where there is no such function.
 */
guint32
pciRead32(Pci *pci, PciAddress address, guint16 offset)
{
    return qtestRead32(pci->qtest, pciMemory(pci, address, offset));
}

/**
 * pciWrite16:
 * @pci: the machine
 * @address: a function
 * @offset: a register
 * @value: its new value
 */
static void
pciWrite16(Pci *pci, PciAddress address, guint16 offset, guint16 value)
{
    qtestWrite16(pci->qtest, pciMemory(pci, address, offset), value);
}

/**
 * pciWrite32:
 * @pci: the machine
 * @address: a function
 * @offset: a register
 * @value: its new value
 */
static void
pciWrite32(Pci *pci, PciAddress address, guint16 offset, guint32 value)
{
    qtestWrite32(pci->qtest, pciMemory(pci, address, offset), value);
}

/**
 * pciPresent:
 * @pci: the machine
 * @address: a function's address
 *
 * Returns whether a function answers there.
 */
gboolean
pciPresent(Pci *pci, PciAddress address)
{
    guint32 identity = pciRead32(pci, address, PCI_VENDOR);

    return identity != 0 && identity != 0xffffffffu;
}

/**
 * pciFindCapability:
 * @pci: the machine
 * @address: a function
 * @id: a capability
 *
 * Returns the capability's offset, 0 if the function has none such.
 */
guint16
pciFindCapability(Pci *pci, PciAddress address, guint8 id)
{
    guint8 at;
    guint i;

    if (!(pciRead16(pci, address, PCI_STATUS) & PCI_STATUS_CAPABILITIES))
        return 0;

    at = pciRead8(pci, address, PCI_CAPABILITY_LIST) & ~3;
    for (i = 0; at != 0 && i < 64; i++) {
        guint16 header = pciRead16(pci, address, at);

        if ((header & 0xff) == id)
            return at;
        at = header >> 8 & ~3;
    }
    return 0;
}

/**
 * pciFindExtended:
 * @pci: the machine
 * @address: a function
 * @id: an extended capability
 * @after: 0, or the one found before, to find the next
 *
 * Returns the capability's offset, 0 if there is none (left).
 */
guint16
pciFindExtended(Pci *pci, PciAddress address, guint16 id, guint16 after)
{
    guint16 at = after ? pciRead32(pci, address, after) >> 20 : PCI_EXTENDED_START;
    guint i;

    for (i = 0; at >= PCI_EXTENDED_START && i < 1024; i++) {
        guint32 header = pciRead32(pci, address, at);

        if (header == 0 || header == 0xffffffffu)
            return 0;
        if ((header & 0xffff) == id)
            return at;
        at = header >> 20;
    }
    return 0;
}

/**
 * pciFindDvsec:
 * @pci: the machine
 * @address: a function
 * @vendor: who defines the capability
 * @id: which of the vendor's
 *
 * Returns the offset of the designated vendor-specific extended capability,
 * 0 if the function has none such.
 */
guint16
pciFindDvsec(Pci *pci, PciAddress address, guint16 vendor, guint16 id)
{
    guint16 at = 0;
    guint i;

    for (i = 0; i < 64; i++) {
        at = pciFindExtended(pci, address, PCI_EXTENDED_DVSEC, at);
        if (at == 0)
            return 0;
        if (pciRead16(pci, address, at + 4) == vendor && pciRead16(pci, address, at + 8) == id)
            return at;
    }
    return 0;
}

/**
 * pciPortKind:
 * @pci: the machine
 * @address: a bridge
 *
 * Returns PCI_EXPRESS_ROOT_PORT or the like.
 */
guint8
pciPortKind(Pci *pci, PciAddress address)
{
    guint16 express = pciFindCapability(pci, address, PCI_CAPABILITY_EXPRESS);

    return express ? pciRead16(pci, address, express + EXPRESS_FLAGS) >> 4 & 0xf : 0;
}

/**
 * pciPortNumber:
 * @pci: the machine
 * @address: a root port or downstream port
 *
 * Returns the port's number, by which decoders name it.
 */
guint8
pciPortNumber(Pci *pci, PciAddress address)
{
    guint16 express = pciFindCapability(pci, address, PCI_CAPABILITY_EXPRESS);

    return express ? pciRead32(pci, address, express + EXPRESS_LINK_CAPABILITIES) >> 24 : 0;
}

/**
 * pciPortPowerOn:
 * @pci: the machine
 * @address: a root port or downstream port
 *
 * Powers the slot if something is in it: a device that was plugged into a
 * running machine does not answer before that.
 */
void
pciPortPowerOn(Pci *pci, PciAddress address)
{
    guint16 express = pciFindCapability(pci, address, PCI_CAPABILITY_EXPRESS);
    guint16 control;

    if (express == 0 || !(pciRead16(pci, address, express + EXPRESS_FLAGS) & EXPRESS_FLAGS_SLOT) ||
        !(pciRead32(pci, address, express + EXPRESS_SLOT_CAPABILITIES) &
          EXPRESS_SLOT_POWER_CONTROLLER) ||
        !(pciRead16(pci, address, express + EXPRESS_SLOT_STATUS) & EXPRESS_SLOT_STATUS_PRESENT))
        return;

    control = pciRead16(pci, address, express + EXPRESS_SLOT_CONTROL);
    if (!(control & EXPRESS_SLOT_CONTROL_POWER_OFF))
        return;
    control &= ~(EXPRESS_SLOT_CONTROL_POWER_OFF | EXPRESS_SLOT_CONTROL_INDICATOR);
    control |= EXPRESS_SLOT_CONTROL_INDICATOR_ON;
    pciWrite16(pci, address, express + EXPRESS_SLOT_CONTROL, control);
}

/**
 * pciBridgeSetBuses:
 * @pci: the machine
 * @address: a bridge
 * @secondary: the bus behind it
 * @subordinate: the last bus behind it
 */
void
pciBridgeSetBuses(Pci *pci, PciAddress address, guint8 secondary, guint8 subordinate)
{
    pciWrite32(pci, address, PCI_PRIMARY_BUS, subordinate << 16 | secondary << 8 | address >> 8);
}

/**
 * pciBridgeSetWindow:
 * @pci: the machine
 * @address: a bridge that has its bus numbers
 *
 * Lets memory accesses through to the buses behind the bridge, unless the
 * window is already set.
 */
void
pciBridgeSetWindow(Pci *pci, PciAddress address)
{
    guint32 first = pciRead8(pci, address, PCI_SECONDARY_BUS);
    guint32 last = pciRead8(pci, address, PCI_SUBORDINATE_BUS);
    guint32 base = PCI_MEMORY + first * PCI_MEMORY_PER_BUS;
    guint32 limit = PCI_MEMORY + last * PCI_MEMORY_PER_BUS;
    guint16 command = pciRead16(pci, address, PCI_COMMAND);

    if (command & PCI_COMMAND_MEMORY)
        return;

    pciWrite32(pci,
               address,
               PCI_BRIDGE_MEMORY,
               (limit >> 16 & 0xfff0) << 16 | (base >> 16 & 0xfff0));
    pciWrite16(pci, address, PCI_COMMAND, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
}

/**
 * pciAssignBars:
 * @pci: the machine
 * @address: the one function with BARs on its bus
 * @error: set on failure
 *
 * Gives the function's memory BARs their addresses and lets it answer there,
 * unless it already does.
 *
 * Returns 0, or -1 with @error set.
 */
int
pciAssignBars(Pci *pci, PciAddress address, GError **error)
{
    guint16 command = pciRead16(pci, address, PCI_COMMAND);
    gboolean bridge = (pciRead8(pci, address, PCI_HEADER_TYPE) & 0x7f) == PCI_HEADER_BRIDGE;
    guint bars = bridge ? 2 : PCI_BARS;
    guint64 next = PCI_MEMORY + (guint64)(address >> 8) * PCI_MEMORY_PER_BUS;
    guint64 end = next + PCI_MEMORY_PER_BUS;
    guint i;

    if (command & PCI_COMMAND_MEMORY && pciBar(pci, address, 0) != 0)
        return 0;

    for (i = 0; i < bars; i++) {
        guint16 at = PCI_BAR0 + 4 * i;
        guint32 mask;
        guint64 size;

        pciWrite32(pci, address, at, 0xffffffffu);
        mask = pciRead32(pci, address, at);
        if (mask == 0 || mask & PCI_BAR_IO)
            continue;
        size = (guint64)(guint32) ~(mask & ~PCI_BAR_FLAGS) + 1;
        next = (next + size - 1) & ~(size - 1);
        if (size > PCI_MEMORY_PER_BUS || next + size > end) {
            g_autofree char *name = pciFormatAddress(address);

            g_set_error(error,
                        G_IO_ERROR,
                        G_IO_ERROR_NO_SPACE,
                        "the BARs of %s do not fit into the 0x%x bytes "
                        "that a bus has",
                        name,
                        PCI_MEMORY_PER_BUS);
            return -1;
        }
        pciWrite32(pci, address, at, next);
        if (mask & PCI_BAR_64) {
            pciWrite32(pci, address, at + 4, 0);
            i++;
        }
        next += size;
    }
    /* A bridge forwards memory accesses as soon as it answers: set up its window first. */
    if (!bridge)
        pciWrite16(pci, address, PCI_COMMAND, command | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER);
    return qtestCheck(pci->qtest, error);
}

/**
 * pciBar:
 * @pci: the machine
 * @address: a function
 * @bar: 0 to 5
 *
 * Returns the address of the memory BAR, 0 if it has none.
 */
guint64
pciBar(Pci *pci, PciAddress address, guint bar)
{
    guint32 low = pciRead32(pci, address, PCI_BAR0 + 4 * bar);
    guint64 high = 0;

    if (low & PCI_BAR_64 && bar + 1 < PCI_BARS)
        high = pciRead32(pci, address, PCI_BAR0 + 4 * (bar + 1));
    return high << 32 | (low & ~PCI_BAR_FLAGS);
}

/**
 * pciFormatAddress:
 * @address: a function
 *
 * Returns its address as lspci writes it.
 */
char *
pciFormatAddress(PciAddress address)
{
    return g_strdup_printf("0000:%02x:%02x.%x", address >> 8, address >> 3 & 0x1f, address & 0x7);
}
