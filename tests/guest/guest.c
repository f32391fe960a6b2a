/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * guest.c: what firmware and the operating system's bus drivers do before a
 * CXL driver sees its device
 *
 * Starting at the host bridges of the CEDT, it walks down the hierarchy: it
 * numbers buses, opens bridge windows and assigns addresses to BARs. Whatever
 * is set up already is left as it is, so that any number of processes can do
 * this in turn. Then each device gets its place in the fixed memory window
 * that leads to its host bridge, one after another in order of enumeration,
 * whether or not it is mapped there.
 *
 * Relies on QEMU using the number of a host bridge's root bus as its uid.
 * Windows that are interleaved over several host bridges are not used.
 */

#include "guest.h"

#include "dcd.h"

/* A walk down from one host bridge. */
typedef struct _GuestWalk GuestWalk;
struct _GuestWalk {
    Guest *guest;
    guint32 hostBridge; /* uid */
    GArray *hops;       /* CxlHop: from the host bridge to here */
    PciAddress port;    /* the nearest root or downstream port */
    guint lastBus;      /* highest bus number in use so far */
};

static int guestWalkBus(GuestWalk *walk, guint8 bus, guint slots, guint8 limit, GError **error);

/**
 * guestOpen:
 * @path: QEMU's qtest socket
 * @error: set on failure
 *
 * Returns the machine, of which nothing is known yet, or NULL with @error
 * set.
 */
Guest *
guestOpen(const char *path, GError **error)
{
    g_autoptr(Guest) guest = g_new0(Guest, 1);

    guest->devices = g_ptr_array_new_with_free_func((GDestroyNotify)cxlDeviceFree);
    guest->qtest = qtestConnect(path, error);
    if (!guest->qtest)
        return NULL;
    return g_steal_pointer(&guest);
}

/**
 * guestFree:
 * @guest: the machine, or NULL
 */
void
guestFree(Guest *guest)
{
    if (!guest)
        return;

    g_clear_pointer(&guest->devices, g_ptr_array_unref);
    g_clear_pointer(&guest->cedt, acpiCedtFree);
    g_clear_pointer(&guest->qtest, qtestFree);
    g_free(guest);
}

/**
 * guestWalkBridge:
 * @walk: the walk
 * @address: a bridge
 * @limit: highest bus number that it may use
 * @error: set on failure
 *
 * Numbers the bridge's buses, walks them, then opens the bridge's window.
 *
 * Returns 0, or -1 with @error set.
 */
static int
guestWalkBridge(GuestWalk *walk, PciAddress address, guint8 limit, GError **error)
{
    Pci *pci = &walk->guest->pci;
    gboolean upstream = pciPortKind(pci, address) == PCI_EXPRESS_UPSTREAM;
    guint8 bus = pciRead8(pci, address, PCI_SECONDARY_BUS);
    gboolean numbered = bus != 0;
    CxlHop hop = {.address = address};

    if (numbered) {
        limit = pciRead8(pci, address, PCI_SUBORDINATE_BUS);
    } else if (walk->lastBus >= limit) {
        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_NO_SPACE,
                    "no bus number is left below host bridge %u",
                    walk->hostBridge);
        return -1;
    } else {
        bus = ++walk->lastBus;
        pciBridgeSetBuses(pci, address, bus, limit);
    }

    if (upstream) {
        if (pciAssignBars(pci, address, error) < 0)
            return -1;
        g_array_append_val(walk->hops, hop);
    } else {
        pciPortPowerOn(pci, address);
        walk->port = address;
        g_array_index(walk->hops, CxlHop, walk->hops->len - 1).target = pciPortNumber(pci, address);
    }
    if (guestWalkBus(walk, bus, upstream ? PCI_SLOTS : 1, limit, error) < 0)
        return -1;
    if (upstream)
        g_array_set_size(walk->hops, walk->hops->len - 1);

    if (!numbered)
        pciBridgeSetBuses(pci, address, bus, walk->lastBus);
    pciBridgeSetWindow(pci, address);
    return 0;
}

/**
 * guestWalkFunction:
 * @walk: the walk
 * @address: a function that answers
 * @limit: highest bus number that may be used below it
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
guestWalkFunction(GuestWalk *walk, PciAddress address, guint8 limit, GError **error)
{
    Pci *pci = &walk->guest->pci;
    GPtrArray *devices = walk->guest->devices;
    CxlDevice *device;

    if ((pciRead8(pci, address, PCI_HEADER_TYPE) & ~PCI_HEADER_MULTIFUNCTION) == PCI_HEADER_BRIDGE)
        return guestWalkBridge(walk, address, limit, error);
    if (!cxlDeviceIsType3(pci, address))
        return 0;

    device = cxlDeviceNew(walk->guest->qtest, address);
    g_ptr_array_add(devices, device);
    device->index = devices->len - 1;
    device->port = walk->port;
    device->portNumber = pciPortNumber(pci, walk->port);
    device->hostBridge = walk->hostBridge;
    g_array_append_vals(device->hops, walk->hops->data, walk->hops->len);
    return pciAssignBars(pci, address, error);
}

/**
 * guestWalkBus:
 * @walk: the walk
 * @bus: a bus
 * @slots: how many slots it has: 1 below a port that is a link
 * @limit: highest bus number that may be used below it
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
guestWalkBus(GuestWalk *walk, guint8 bus, guint slots, guint8 limit, GError **error)
{
    Pci *pci = &walk->guest->pci;
    g_autoptr(GArray) found = g_array_new(FALSE, FALSE, sizeof(PciAddress));
    guint slot;
    guint function;
    guint i;

    for (slot = 0; slot < slots; slot++) {
        guint functions = 1;

        for (function = 0; function < functions; function++) {
            PciAddress address = PCI_ADDRESS(bus, slot, function);
            guint8 header;

            if (!pciPresent(pci, address))
                continue;
            g_array_append_val(found, address);
            header = pciRead8(pci, address, PCI_HEADER_TYPE);
            if (header & PCI_HEADER_MULTIFUNCTION)
                functions = PCI_FUNCTIONS;
            /* Numbers in use must be known before new ones are assigned. */
            if ((header & ~PCI_HEADER_MULTIFUNCTION) == PCI_HEADER_BRIDGE)
                walk->lastBus = MAX(walk->lastBus, pciRead8(pci, address, PCI_SUBORDINATE_BUS));
        }
    }
    for (i = 0; i < found->len; i++) {
        if (guestWalkFunction(walk, g_array_index(found, PciAddress, i), limit, error) < 0)
            return -1;
    }
    return qtestCheck(walk->guest->qtest, error);
}

/**
 * guestWalkHostBridge:
 * @guest: the machine
 * @index: which host bridge of the CEDT
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
guestWalkHostBridge(Guest *guest, guint index, GError **error)
{
    GArray *bridges = guest->cedt->hostBridges;
    const CxlHostBridge *bridge = &g_array_index(bridges, CxlHostBridge, index);
    g_autoptr(GArray) hops = g_array_new(FALSE, TRUE, sizeof(CxlHop));
    GuestWalk walk = {.guest = guest,
                      .hostBridge = bridge->uid,
                      .hops = hops,
                      .lastBus = bridge->uid};
    CxlHop hop = {.decoders = hdmFind(guest->qtest, bridge->registers)};
    guint8 limit = PCI_LAST_BUS;

    if (bridge->uid > PCI_LAST_BUS) {
        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_NOT_SUPPORTED,
                    "the uid %u of a host bridge is no bus number",
                    bridge->uid);
        return -1;
    }
    if (index + 1 < bridges->len)
        limit = g_array_index(bridges, CxlHostBridge, index + 1).uid - 1;
    g_array_append_val(hops, hop);
    return guestWalkBus(&walk, bridge->uid, PCI_SLOTS, limit, error);
}

/**
 * guestPlace:
 * @guest: the machine
 *
 * Gives each device its place in a window.
 */
static void
guestPlace(Guest *guest)
{
    GArray *windows = guest->cedt->windows;
    g_autofree guint64 *used = g_new0(guint64, windows->len);
    guint i;
    guint j;

    for (i = 0; i < guest->devices->len; i++) {
        CxlDevice *device = g_ptr_array_index(guest->devices, i);
        guint64 span = cxlDeviceSpan(device);

        for (j = 0; j < windows->len && !device->placed; j++) {
            const CxlWindow *window = &g_array_index(windows, CxlWindow, j);

            if (window->targets != 1 || window->uid != device->hostBridge ||
                span > window->size - used[j])
                continue;
            device->placed = TRUE;
            device->base = window->base + used[j];
            used[j] += span;
        }
    }
}

/**
 * guestSetUp:
 * @guest: the machine
 * @error: set on failure
 *
 * Finds all CXL devices, sets up those that are not, and forgets what was
 * known before. To be called again after a reset of the machine.
 *
 * Returns 0, or -1 with @error set.
 */
int
guestSetUp(Guest *guest, GError **error)
{
    guint i;
    guint j;

    g_ptr_array_set_size(guest->devices, 0);
    g_clear_pointer(&guest->cedt, acpiCedtFree);

    if (pciOpen(&guest->pci, guest->qtest, error) < 0)
        return -1;
    guest->cedt = acpiReadCedt(guest->qtest, error);
    if (!guest->cedt)
        return -1;
    for (i = 0; i < guest->cedt->hostBridges->len; i++) {
        if (guestWalkHostBridge(guest, i, error) < 0)
            return -1;
    }

    for (i = 0; i < guest->devices->len; i++) {
        CxlDevice *device = g_ptr_array_index(guest->devices, i);
        g_autoptr(GError) local = NULL;

        for (j = 1; j < device->hops->len; j++) {
            CxlHop *hop = &g_array_index(device->hops, CxlHop, j);

            hop->decoders = hdmFind(guest->qtest, cxlComponentRegisters(&guest->pci, hop->address));
        }
        if (cxlDeviceOpen(device, &guest->pci, error) < 0)
            return -1;
        if (dcdReadRegions(device, NULL, &local) < 0 &&
            !g_error_matches(local, MAILBOX_ERROR, MAILBOX_UNSUPPORTED)) {
            g_propagate_error(error, g_steal_pointer(&local));
            return -1;
        }
    }
    guestPlace(guest);
    return 0;
}

/**
 * guestSelect:
 * @guest: the machine
 * @name: a device's serial number in hexadecimal ("0x63"), or its index in
 *   decimal; NULL for all devices
 * @error: set on failure
 *
 * Returns the devices (CxlDevice, still @guest's own), at least one, or NULL
 * with @error set.
 */
GPtrArray *
guestSelect(Guest *guest, const char *name, GError **error)
{
    g_autoptr(GPtrArray) selected = g_ptr_array_new();
    gboolean hexadecimal = name && g_str_has_prefix(name, "0x");
    guint64 number = 0;
    guint i;

    if (name && !g_ascii_string_to_unsigned(hexadecimal ? name + 2 : name,
                                            hexadecimal ? 16 : 10,
                                            0,
                                            G_MAXUINT64,
                                            &number,
                                            NULL)) {
        g_set_error(error,
                    G_OPTION_ERROR,
                    G_OPTION_ERROR_BAD_VALUE,
                    "'%s' is neither a serial number (0x...) nor an index",
                    name);
        return NULL;
    }
    for (i = 0; i < guest->devices->len; i++) {
        CxlDevice *device = g_ptr_array_index(guest->devices, i);

        if (!name || number == (hexadecimal ? device->serial : device->index))
            g_ptr_array_add(selected, device);
    }
    if (selected->len == 0) {
        if (name)
            g_set_error(error,
                        G_IO_ERROR,
                        G_IO_ERROR_NOT_FOUND,
                        "no CXL type 3 device %s among %u",
                        name,
                        guest->devices->len);
        else
            g_set_error_literal(error,
                                G_IO_ERROR,
                                G_IO_ERROR_NOT_FOUND,
                                "the machine has no CXL type 3 device");
        return NULL;
    }
    return g_steal_pointer(&selected);
}
