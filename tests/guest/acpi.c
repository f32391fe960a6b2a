/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * acpi.c: where the host bridges' registers and the fixed memory windows are
 *
 * A guest can only learn both from ACPI. Firmware would fetch the tables from
 * QEMU's fw_cfg device; so does this file, through the device's DMA interface
 * (a port access a byte would take seconds). That temporarily uses some of the
 * guest's memory, whose content is restored afterwards: it relies on the
 * machine having RAM at 1 MiB and on no processor using it meanwhile.
 */

#include "acpi.h"

#include <string.h>

#define FW_CFG_DMA_HIGH 0x514
#define FW_CFG_DMA_LOW 0x518
#define FW_CFG_DMA_ERROR 0x1u
#define FW_CFG_DMA_READ 0x2u
#define FW_CFG_DMA_SELECT 0x8u
#define FW_CFG_DIRECTORY 0x19
#define FW_CFG_ENTRY_SIZE 64 /* size 4, key 2, 2 unused, name 56 */
#define FW_CFG_ENTRY_NAME 8
#define FW_CFG_TABLES "etc/acpi/tables"

#define FW_CFG_SCRATCH 0x100000u /* the DMA descriptor, then the data */
#define FW_CFG_DESCRIPTOR_SIZE 16
#define FW_CFG_LARGEST 0x400000u

#define ACPI_HEADER_SIZE 36
#define CEDT_CHBS 0
#define CEDT_CHBS_SIZE 32
#define CEDT_CFMWS 1
#define CEDT_CFMWS_SIZE 36 /* and 4 bytes a target */

/**
 * acpiGet:
 * @bytes: where a number starts, the lowest byte first
 * @size: bytes of it
 *
 * Returns the number.
 */
static guint64
acpiGet(const guint8 *bytes, guint size)
{
    guint64 value = 0;

    while (size > 0)
        value = value << 8 | bytes[--size];
    return value;
}

/**
 * acpiReadItem:
 * @qtest: the machine
 * @key: a fw_cfg item
 * @size: bytes to read from its start
 * @error: set on failure
 *
 * Returns the bytes, or NULL with @error set.
 */
static GByteArray *
acpiReadItem(Qtest *qtest, guint16 key, guint32 size, GError **error)
{
    g_autoptr(GByteArray) item = g_byte_array_new();
    g_autofree guint8 *saved = g_malloc(FW_CFG_DESCRIPTOR_SIZE + size);
    guint32 descriptor[4] = {
        GUINT32_TO_BE((guint32)key << 16 | FW_CFG_DMA_SELECT | FW_CFG_DMA_READ),
        GUINT32_TO_BE(size),
        0,
        GUINT32_TO_BE(FW_CFG_SCRATCH + FW_CFG_DESCRIPTOR_SIZE),
    };
    guint32 control = 0;

    g_byte_array_set_size(item, size);
    qtestRead(qtest, FW_CFG_SCRATCH, saved, FW_CFG_DESCRIPTOR_SIZE + size);
    qtestWrite(qtest, FW_CFG_SCRATCH, descriptor, sizeof(descriptor));
    qtestOut32(qtest, FW_CFG_DMA_HIGH, 0);
    qtestOut32(qtest, FW_CFG_DMA_LOW, GUINT32_SWAP_LE_BE(FW_CFG_SCRATCH));
    /* QEMU is done by the time it answers the write that starts it. */
    qtestRead(qtest, FW_CFG_SCRATCH, &control, sizeof(control));
    qtestRead(qtest, FW_CFG_SCRATCH + FW_CFG_DESCRIPTOR_SIZE, item->data, size);
    qtestWrite(qtest, FW_CFG_SCRATCH, saved, FW_CFG_DESCRIPTOR_SIZE + size);
    if (qtestCheck(qtest, error) < 0)
        return NULL;
    if (control != 0) {
        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_FAILED,
                    "reading item 0x%x of fw_cfg failed: control is 0x%x "
                    "(has the machine less than 2 MiB of memory?)",
                    key,
                    GUINT32_FROM_BE(control));
        return NULL;
    }
    return g_steal_pointer(&item);
}

/**
 * acpiReadTables:
 * @qtest: the machine
 * @error: set on failure
 *
 * Returns all ACPI tables, one after another, or NULL with @error set.
 */
static GByteArray *
acpiReadTables(Qtest *qtest, GError **error)
{
    g_autoptr(GByteArray) count = acpiReadItem(qtest, FW_CFG_DIRECTORY, 4, error);
    g_autoptr(GByteArray) directory = NULL;
    guint32 entries;
    guint32 i;

    if (!count)
        return NULL;
    /* fw_cfg is big-endian. */
    entries = count->data[2] << 8 | count->data[3];
    directory = acpiReadItem(qtest, FW_CFG_DIRECTORY, 4 + entries * FW_CFG_ENTRY_SIZE, error);
    if (!directory)
        return NULL;

    for (i = 0; i < entries; i++) {
        const guint8 *entry = directory->data + 4 + i * FW_CFG_ENTRY_SIZE;
        guint32 size = (guint32)entry[0] << 24 | entry[1] << 16 | entry[2] << 8 | entry[3];
        guint16 key = entry[4] << 8 | entry[5];

        if (strncmp((const char *)entry + FW_CFG_ENTRY_NAME,
                    FW_CFG_TABLES,
                    FW_CFG_ENTRY_SIZE - FW_CFG_ENTRY_NAME) == 0)
            return acpiReadItem(qtest, key, MIN(size, FW_CFG_LARGEST), error);
    }
    g_set_error_literal(error,
                        G_IO_ERROR,
                        G_IO_ERROR_NOT_FOUND,
                        "the machine has no " FW_CFG_TABLES " in fw_cfg: "
                        "is ACPI off?");
    return NULL;
}

/**
 * acpiCompareHostBridges:
 * @first: a CxlHostBridge
 * @second: another
 *
 * Returns less than, equal to or greater than 0, as their uids compare.
 */
static gint
acpiCompareHostBridges(gconstpointer first, gconstpointer second)
{
    const CxlHostBridge *a = first;
    const CxlHostBridge *b = second;

    return a->uid < b->uid ? -1 : a->uid > b->uid;
}

/**
 * acpiParseCedt:
 * @table: the table, its header first
 * @size: bytes
 *
 * Returns its content.
 */
static Cedt *
acpiParseCedt(const guint8 *table, gsize size)
{
    g_autoptr(Cedt) cedt = g_new0(Cedt, 1);
    gsize at = ACPI_HEADER_SIZE;

    cedt->hostBridges = g_array_new(FALSE, TRUE, sizeof(CxlHostBridge));
    cedt->windows = g_array_new(FALSE, TRUE, sizeof(CxlWindow));
    while (at + 4 <= size) {
        const guint8 *entry = table + at;
        gsize length = acpiGet(entry + 2, 2);

        if (length < 4 || length > size - at)
            break;
        if (entry[0] == CEDT_CHBS && length >= CEDT_CHBS_SIZE) {
            CxlHostBridge bridge = {.uid = acpiGet(entry + 4, 4),
                                    .registers = acpiGet(entry + 16, 8)};

            g_array_append_val(cedt->hostBridges, bridge);
        } else if (entry[0] == CEDT_CFMWS && length > CEDT_CFMWS_SIZE) {
            CxlWindow window = {.base = acpiGet(entry + 8, 8),
                                .size = acpiGet(entry + 16, 8),
                                .targets = (length - CEDT_CFMWS_SIZE) / 4,
                                .uid = acpiGet(entry + CEDT_CFMWS_SIZE, 4)};

            g_array_append_val(cedt->windows, window);
        }
        at += length;
    }
    g_array_sort(cedt->hostBridges, acpiCompareHostBridges);
    return g_steal_pointer(&cedt);
}

/**
 * acpiReadCedt:
 * @qtest: the machine
 * @error: set on failure
 *
 * Returns the content of the machine's CXL Early Discovery Table, or NULL with
 * @error set.
 */
Cedt *
acpiReadCedt(Qtest *qtest, GError **error)
{
    g_autoptr(GByteArray) tables = acpiReadTables(qtest, error);
    gsize at = 0;

    if (!tables)
        return NULL;

    while (at + ACPI_HEADER_SIZE <= tables->len) {
        const guint8 *table = tables->data + at;
        gsize length = acpiGet(table + 4, 4);

        /* FACS is aligned to 64 bytes, the end padded: gaps are zero. */
        if (table[0] == 0) {
            at++;
            continue;
        }
        if (length < 8 || length > tables->len - at)
            break;
        if (memcmp(table, "CEDT", 4) == 0)
            return acpiParseCedt(table, length);
        at += length;
    }
    g_set_error_literal(error,
                        G_IO_ERROR,
                        G_IO_ERROR_NOT_FOUND,
                        "the machine has no CXL Early Discovery Table: "
                        "is it started with cxl=on?");
    return NULL;
}

/**
 * acpiCedtFree:
 * @cedt: what acpiReadCedt() returned, or NULL
 */
void
acpiCedtFree(Cedt *cedt)
{
    if (!cedt)
        return;

    g_array_unref(cedt->hostBridges);
    g_array_unref(cedt->windows);
    g_free(cedt);
}
