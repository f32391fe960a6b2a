/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_device.c: finds the registers of a CXL type 3 device and maps it
 *
 * Component and device registers are where the Register Locator DVSEC says
 * (CXL 3.1, section 8.1.9). A device is mapped by one decoder in each
 * component on the path, from the host down, which covers all its dynamic
 * capacity regions:
 *
 *     fixed memory window    host bridge    [upstream port]    device
 *     |..| span of device |  decoder:       decoder:           decoder:
 *        ^ base              target port    target port        skip to the
 *                                                              first region
 *
 * Relies on the regions following each other in device memory without gaps (as
 * QEMU lays them out), and on no decoder for the device's static memory.
 */

#include "cxl_device.h"

#define CXL_CLASS_MEMORY 0x050210u /* class, subclass, interface */
#define CXL_DVSEC_VENDOR 0x1e98
#define CXL_DVSEC_REGISTER_LOCATOR 0x8
#define CXL_LOCATOR_ENTRIES 0x0c
#define CXL_LOCATOR_ENTRY_SIZE 8
#define CXL_LOCATOR_COMPONENT 0x1
#define CXL_LOCATOR_DEVICE 0x3

/**
 * cxlDeviceNew:
 * @qtest: the machine; outlives the device
 * @address: where the device is
 *
 * Returns a device of which only the address is known.
 */
CxlDevice *
cxlDeviceNew(Qtest *qtest, PciAddress address)
{
    CxlDevice *device = g_new0(CxlDevice, 1);

    device->qtest = qtest;
    device->address = address;
    device->hops = g_array_new(FALSE, TRUE, sizeof(CxlHop));
    return device;
}

/**
 * cxlDeviceFree:
 * @device: a device, or NULL
 */
void
cxlDeviceFree(CxlDevice *device)
{
    if (!device)
        return;

    g_array_unref(device->hops);
    g_clear_pointer(&device->postponed, g_array_unref);
    g_free(device);
}

/**
 * cxlDeviceIsType3:
 * @pci: the machine
 * @address: a function
 *
 * Returns whether it is a CXL memory device with the standard's interface.
 */
gboolean
cxlDeviceIsType3(Pci *pci, PciAddress address)
{
    return pciRead32(pci, address, PCI_CLASS) >> 8 == CXL_CLASS_MEMORY;
}

/**
 * cxlRegisters:
 * @pci: the machine
 * @address: a function whose BARs have addresses
 * @kind: CXL_LOCATOR_COMPONENT or CXL_LOCATOR_DEVICE
 *
 * Returns the address of the register block in memory, 0 if there is none.
 */
static guint64
cxlRegisters(Pci *pci, PciAddress address, guint8 kind)
{
    guint16 locator = pciFindDvsec(pci, address, CXL_DVSEC_VENDOR, CXL_DVSEC_REGISTER_LOCATOR);
    guint16 end;
    guint16 at;

    if (locator == 0)
        return 0;

    end = locator + (pciRead32(pci, address, locator + 4) >> 20);
    for (at = locator + CXL_LOCATOR_ENTRIES; at + CXL_LOCATOR_ENTRY_SIZE <= end;
         at += CXL_LOCATOR_ENTRY_SIZE) {
        guint32 low = pciRead32(pci, address, at);
        guint64 high = pciRead32(pci, address, at + 4);

        if ((low >> 8 & 0xff) == kind)
            return pciBar(pci, address, low & 0x7) + (high << 32 | (low & 0xffff0000u));
    }
    return 0;
}

/**
 * cxlComponentRegisters:
 * @pci: the machine
 * @address: a function whose BARs have addresses
 *
 * Returns the address of its component registers in memory, 0 if it has none.
 */
guint64
cxlComponentRegisters(Pci *pci, PciAddress address)
{
    return cxlRegisters(pci, address, CXL_LOCATOR_COMPONENT);
}

/**
 * cxlDeviceOpen:
 * @device: a device whose BARs have addresses and are reached
 * @pci: the machine
 * @error: set on failure
 *
 * Finds the serial number, the decoders and the mailbox.
 *
 * Returns 0, or -1 with @error set.
 */
int
cxlDeviceOpen(CxlDevice *device, Pci *pci, GError **error)
{
    guint16 serial = pciFindExtended(pci, device->address, PCI_EXTENDED_SERIAL, 0);
    guint64 registers = cxlRegisters(pci, device->address, CXL_LOCATOR_DEVICE);

    if (serial != 0) {
        device->serial = pciRead32(pci, device->address, serial + 8);
        device->serial = device->serial << 32 | pciRead32(pci, device->address, serial + 4);
    }
    device->decoders = hdmFind(pci->qtest, cxlComponentRegisters(pci, device->address));
    if (qtestCheck(pci->qtest, error) < 0)
        return -1;

    if (device->decoders == 0 || registers == 0) {
        g_autofree char *name = pciFormatAddress(device->address);

        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_INVALID_DATA,
                    "the CXL device %s has no %s",
                    name,
                    registers == 0 ? "device registers" : "HDM decoders");
        return -1;
    }
    return mailboxOpen(&device->mailbox, pci->qtest, registers, error);
}

/**
 * cxlDeviceSpan:
 * @device: a device whose regions are known
 *
 * Returns how many bytes of the window it needs, 0 without dynamic capacity.
 */
guint64
cxlDeviceSpan(const CxlDevice *device)
{
    const CxlRegion *last;

    if (device->regionCount == 0)
        return 0;

    last = &device->regions[device->regionCount - 1];
    return last->dpa + last->decodeLength - device->regions[0].dpa;
}

/**
 * cxlDeviceRange:
 * @device: a device
 * @range: filled with what the device's own decoder is to do
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set if the device cannot be mapped.
 */
static int
cxlDeviceRange(const CxlDevice *device, HdmRange *range, GError **error)
{
    range->base = device->base;
    range->size = cxlDeviceSpan(device);
    range->target = device->regionCount > 0 ? device->regions[0].dpa : 0;
    if (device->placed && range->size > 0)
        return 0;

    g_set_error(error,
                G_IO_ERROR,
                G_IO_ERROR_NO_SPACE,
                "device %u cannot be mapped: %s",
                device->index,
                range->size == 0 ? "it has no dynamic capacity region"
                                 : "no fixed memory window leads to it and has room for it");
    return -1;
}

/**
 * cxlHopName:
 * @device: a device
 * @hop: on the path to it
 *
 * Returns a human-readable name of the hop.
 */
static char *
cxlHopName(const CxlDevice *device, const CxlHop *hop)
{
    g_autofree char *address = pciFormatAddress(hop->address);

    if (hop == &g_array_index(device->hops, CxlHop, 0))
        return g_strdup_printf("host bridge %u", device->hostBridge);
    return g_strdup_printf("the switch at %s", address);
}

/**
 * cxlDeviceMap:
 * @device: a device that has its place
 * @error: set on failure
 *
 * Maps the device's regions to its place in the window.
 *
 * Returns 0, or -1 with @error set.
 */
int
cxlDeviceMap(CxlDevice *device, GError **error)
{
    g_autofree char *name = g_strdup_printf("device %u", device->index);
    HdmRange range;
    guint i;

    if (cxlDeviceRange(device, &range, error) < 0 ||
        hdmCommit(device->qtest, device->decoders, &range, name, error) < 0)
        return -1;

    for (i = device->hops->len; i > 0; i--) {
        const CxlHop *hop = &g_array_index(device->hops, CxlHop, i - 1);
        g_autofree char *owner = cxlHopName(device, hop);

        range.target = hop->target;
        if (hop->decoders != 0 && hdmCommit(device->qtest, hop->decoders, &range, owner, error) < 0)
            return -1;
    }
    return 0;
}

/**
 * cxlDeviceUnmap:
 * @device: a device that has its place
 * @error: set on failure
 *
 * Undoes cxlDeviceMap(), the device first.
 *
 * Returns 0, or -1 with @error set.
 */
int
cxlDeviceUnmap(CxlDevice *device, GError **error)
{
    HdmRange range;
    guint i;

    if (cxlDeviceRange(device, &range, error) < 0 ||
        hdmUncommit(device->qtest, device->decoders, &range, error) < 0)
        return -1;

    for (i = device->hops->len; i > 0; i--) {
        const CxlHop *hop = &g_array_index(device->hops, CxlHop, i - 1);

        range.target = hop->target;
        if (hop->decoders != 0 && hdmUncommit(device->qtest, hop->decoders, &range, error) < 0)
            return -1;
    }
    return 0;
}

/**
 * cxlDeviceAddress:
 * @device: a mapped device
 * @region: one of its regions
 * @offset: in the region
 * @size: bytes from there
 * @address: set to the host physical address
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
int
cxlDeviceAddress(CxlDevice *device,
                 guint region,
                 guint64 offset,
                 guint64 size,
                 guint64 *address,
                 GError **error)
{
    const CxlRegion *at = &device->regions[region];
    HdmRange range;

    if (cxlDeviceRange(device, &range, error) < 0)
        return -1;
    if (region >= device->regionCount) {
        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_INVALID_ARGUMENT,
                    "device %u has no region %u (0..%u)",
                    device->index,
                    region,
                    device->regionCount - 1);
        return -1;
    }
    if (offset > at->decodeLength || size > at->decodeLength - offset) {
        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_INVALID_ARGUMENT,
                    "0x%" G_GINT64_MODIFIER "x bytes at 0x%" G_GINT64_MODIFIER
                    "x are beyond region %u, which has 0x%" G_GINT64_MODIFIER "x",
                    size,
                    offset,
                    region,
                    at->decodeLength);
        return -1;
    }
    if (!hdmIsCommitted(device->qtest, device->decoders, &range)) {
        if (qtestCheck(device->qtest, error) == 0)
            g_set_error(error,
                        G_IO_ERROR,
                        G_IO_ERROR_FAILED,
                        "device %u is not mapped: use map first",
                        device->index);
        return -1;
    }
    *address = device->base + (at->dpa - device->regions[0].dpa) + offset;
    return 0;
}

/**
 * cxlDeviceLocate:
 * @device: a device
 * @dpa: an address in its memory
 * @region: set to the region that it is in
 * @offset: set to where in the region
 *
 * Returns 0, or -1 if @dpa is in no region.
 */
int
cxlDeviceLocate(const CxlDevice *device, guint64 dpa, guint *region, guint64 *offset)
{
    guint i;

    for (i = 0; i < device->regionCount; i++) {
        const CxlRegion *candidate = &device->regions[i];

        if (dpa >= candidate->dpa && dpa - candidate->dpa < candidate->decodeLength) {
            *region = i;
            *offset = dpa - candidate->dpa;
            return 0;
        }
    }
    return -1;
}
