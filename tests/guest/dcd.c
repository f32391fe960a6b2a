/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * dcd.c: event records of the dynamic capacity log (0100h, 0101h) and the
 * dynamic capacity commands (4800h to 4803h) of CXL 3.1, sections 8.2.9.2 and
 * 8.2.9.9.9: one function per command, payloads in and structures out
 *
 * QEMU counts pending extents in the extent list's length and fills the
 * difference with empty extents, which are dropped here. It also trusts the
 * guest to ask for no more extents than an answer holds.
 */

#include "dcd.h"

#include <string.h>

#define DCD_GET_EVENTS 0x0100
#define DCD_CLEAR_EVENTS 0x0101
#define DCD_GET_CONFIGURATION 0x4800
#define DCD_GET_EXTENTS 0x4801
#define DCD_ADD_RESPONSE 0x4802
#define DCD_RELEASE 0x4803

#define DCD_LOG 4 /* the dynamic capacity event log */

#define EVENTS_COUNT 20 /* where in the answer, 16 bits */
#define EVENTS_HEADER_SIZE 32
#define EVENT_SIZE 128
#define EVENT_HANDLE 20
#define EVENT_TYPE 48
#define EVENT_FLAGS 53
#define EVENT_FLAGS_MORE 0x1
#define EVENT_EXTENT 56

/* ca95afa7-f183-4018-8c2f-95268e101a2a: a dynamic capacity record */
static const guint8 dcdEventUuid[] = {0xca,
                                      0x95,
                                      0xaf,
                                      0xa7,
                                      0xf1,
                                      0x83,
                                      0x40,
                                      0x18,
                                      0x8c,
                                      0x2f,
                                      0x95,
                                      0x26,
                                      0x8e,
                                      0x10,
                                      0x1a,
                                      0x2a};

#define CONFIGURATION_HEADER_SIZE 8
#define CONFIGURATION_REGION_SIZE 40
#define CONFIGURATION_LIMITS_SIZE 16
#define CONFIGURATION_DECODE_UNIT (256 * 1024 * 1024ull)

#define EXTENTS_HEADER_SIZE 16
#define EXTENT_SIZE 40
#define EXTENT_LENGTH 8
#define EXTENT_TAG 16

#define UPDATE_HEADER_SIZE 8
#define UPDATE_EXTENT_SIZE 24

/**
 * dcdShort:
 * @opcode: the command
 * @length: bytes of its answer
 * @error: set
 *
 * Reports that an answer is too short.
 */
static void
dcdShort(guint16 opcode, guint length, GError **error)
{
    g_set_error(error,
                G_IO_ERROR,
                G_IO_ERROR_INVALID_DATA,
                "the answer to %s (%04Xh) has only %u bytes",
                mailboxCommandName(opcode),
                opcode,
                length);
}

/**
 * dcdReadRegions:
 * @device: a device; its regions are set, to none if it has no dynamic
 *   capacity
 * @limits: filled if not NULL
 * @error: set on failure
 *
 * Get Dynamic Capacity Configuration (4800h).
 *
 * Returns 0, or -1 with @error set.
 */
int
dcdReadRegions(CxlDevice *device, DcdLimits *limits, GError **error)
{
    g_autoptr(GByteArray) input = g_byte_array_new();
    g_autoptr(GByteArray) output = NULL;
    const guint8 *at;
    guint count;
    guint i;

    mailboxPut(input, CXL_REGIONS, 1);
    mailboxPut(input, 0, 1);
    output = mailboxCommand(&device->mailbox, DCD_GET_CONFIGURATION, input, error);
    if (!output)
        return -1;

    count = output->len > 1 ? output->data[1] : 0;
    if (count > CXL_REGIONS || output->len < CONFIGURATION_HEADER_SIZE +
                                                 count * CONFIGURATION_REGION_SIZE +
                                                 CONFIGURATION_LIMITS_SIZE) {
        dcdShort(DCD_GET_CONFIGURATION, output->len, error);
        return -1;
    }

    at = output->data + CONFIGURATION_HEADER_SIZE;
    for (i = 0; i < count; i++, at += CONFIGURATION_REGION_SIZE) {
        CxlRegion *region = &device->regions[i];

        region->dpa = mailboxGet(at, 8);
        region->decodeLength = mailboxGet(at + 8, 8) * CONFIGURATION_DECODE_UNIT;
        region->size = mailboxGet(at + 16, 8);
        region->blockSize = mailboxGet(at + 24, 8);
    }
    device->regionCount = count;
    if (limits) {
        limits->extentsSupported = mailboxGet(at, 4);
        limits->extentsAvailable = mailboxGet(at + 4, 4);
        limits->tagsSupported = mailboxGet(at + 8, 4);
        limits->tagsAvailable = mailboxGet(at + 12, 4);
    }
    return 0;
}

/**
 * dcdGetExtent:
 * @bytes: an extent in a payload
 * @extent: filled
 */
static void
dcdGetExtent(const guint8 *bytes, DcdExtent *extent)
{
    extent->dpa = mailboxGet(bytes, 8);
    extent->size = mailboxGet(bytes + EXTENT_LENGTH, 8);
    memcpy(extent->tag, bytes + EXTENT_TAG, DCD_TAG_SIZE);
}

/**
 * dcdReadExtents:
 * @device: a device
 * @error: set on failure
 *
 * Get Dynamic Capacity Extent List (4801h), repeated until the list is
 * complete.
 *
 * Returns the accepted extents (DcdExtent), or NULL with @error set.
 */
GArray *
dcdReadExtents(CxlDevice *device, GError **error)
{
    guint fits = (device->mailbox.payloadSize - EXTENTS_HEADER_SIZE) / EXTENT_SIZE;
    g_autoptr(GArray) extents = g_array_new(FALSE, TRUE, sizeof(DcdExtent));
    guint32 start = 0;
    guint32 total;

    do {
        g_autoptr(GByteArray) input = g_byte_array_new();
        g_autoptr(GByteArray) output = NULL;
        guint32 count;
        guint32 i;

        mailboxPut(input, fits, 4);
        mailboxPut(input, start, 4);
        output = mailboxCommand(&device->mailbox, DCD_GET_EXTENTS, input, error);
        if (!output)
            return NULL;

        count = output->len < 8 ? 0 : mailboxGet(output->data, 4);
        if (output->len < EXTENTS_HEADER_SIZE ||
            (output->len - EXTENTS_HEADER_SIZE) / EXTENT_SIZE < count) {
            dcdShort(DCD_GET_EXTENTS, output->len, error);
            return NULL;
        }
        total = mailboxGet(output->data + 4, 4);
        for (i = 0; i < count; i++) {
            DcdExtent extent;

            dcdGetExtent(output->data + EXTENTS_HEADER_SIZE + i * EXTENT_SIZE, &extent);
            if (extent.size > 0)
                g_array_append_val(extents, extent);
        }
        if (count == 0)
            break;
        start += count;
    } while (start < total);
    return g_steal_pointer(&extents);
}

/**
 * dcdReadEvents:
 * @device: a device
 * @error: set on failure
 *
 * Get Event Records (0100h) of the dynamic capacity log. Records stay in the
 * log until they are cleared, so this returns the oldest ones each time.
 *
 * Returns the records (DcdEvent), or NULL with @error set.
 */
GArray *
dcdReadEvents(CxlDevice *device, GError **error)
{
    g_autoptr(GArray) events = g_array_new(FALSE, TRUE, sizeof(DcdEvent));
    g_autoptr(GByteArray) input = g_byte_array_new();
    g_autoptr(GByteArray) output = NULL;
    guint count;
    guint i;

    mailboxPut(input, DCD_LOG, 1);
    output = mailboxCommand(&device->mailbox, DCD_GET_EVENTS, input, error);
    if (!output)
        return NULL;

    count = output->len < EVENTS_HEADER_SIZE ? 0 : mailboxGet(output->data + EVENTS_COUNT, 2);
    if (output->len < EVENTS_HEADER_SIZE + count * EVENT_SIZE) {
        dcdShort(DCD_GET_EVENTS, output->len, error);
        return NULL;
    }
    for (i = 0; i < count; i++) {
        const guint8 *record = output->data + EVENTS_HEADER_SIZE + i * EVENT_SIZE;
        DcdEvent event = {.handle = mailboxGet(record + EVENT_HANDLE, 2),
                          .type = record[EVENT_TYPE]};

        if (memcmp(record, dcdEventUuid, sizeof(dcdEventUuid)) != 0) {
            g_set_error(error,
                        G_IO_ERROR,
                        G_IO_ERROR_INVALID_DATA,
                        "event record %u is not a dynamic capacity record",
                        event.handle);
            return NULL;
        }
        event.more = (record[EVENT_FLAGS] & EVENT_FLAGS_MORE) != 0;
        dcdGetExtent(record + EVENT_EXTENT, &event.extent);
        g_array_append_val(events, event);
    }
    return g_steal_pointer(&events);
}

/**
 * dcdClearEvents:
 * @device: a device
 * @events: the oldest records of the log, in their order
 * @count: how many of them to clear
 * @error: set on failure
 *
 * Clear Event Records (0101h). A device refuses to clear a record before an
 * older one.
 *
 * Returns 0, or -1 with @error set.
 */
int
dcdClearEvents(CxlDevice *device, const DcdEvent *events, guint count, GError **error)
{
    g_autoptr(GByteArray) input = g_byte_array_new();
    g_autoptr(GByteArray) output = NULL;
    guint i;

    if (count == 0)
        return 0;

    mailboxPut(input, DCD_LOG, 1);
    mailboxPut(input, 0, 1); /* flags: by handle, not all */
    mailboxPut(input, count, 1);
    mailboxPut(input, 0, 3);
    for (i = 0; i < count; i++)
        mailboxPut(input, events[i].handle, 2);
    output = mailboxCommand(&device->mailbox, DCD_CLEAR_EVENTS, input, error);
    return output ? 0 : -1;
}

/**
 * dcdUpdate:
 * @device: a device
 * @opcode: DCD_ADD_RESPONSE or DCD_RELEASE
 * @extents: the list that the command takes
 * @count: of it
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
dcdUpdate(CxlDevice *device, guint16 opcode, const DcdExtent *extents, guint count, GError **error)
{
    g_autoptr(GByteArray) input = g_byte_array_new();
    g_autoptr(GByteArray) output = NULL;
    guint i;

    mailboxPut(input, count, 4);
    mailboxPut(input, 0, UPDATE_HEADER_SIZE - 4);
    for (i = 0; i < count; i++) {
        mailboxPut(input, extents[i].dpa, 8);
        mailboxPut(input, extents[i].size, 8);
        mailboxPut(input, 0, UPDATE_EXTENT_SIZE - 16);
    }
    output = mailboxCommand(&device->mailbox, opcode, input, error);
    return output ? 0 : -1;
}

/**
 * dcdRespond:
 * @device: a device that has offered extents
 * @extents: those of the oldest offer that are accepted
 * @count: how many; 0 refuses the offer
 * @error: set on failure
 *
 * Add Dynamic Capacity Response (4802h). Never to be called without an offer:
 * QEMU 10.0 takes an empty list to mean the oldest offer without looking
 * whether there is one, and crashes.
 *
 * Returns 0, or -1 with @error set.
 */
int
dcdRespond(CxlDevice *device, const DcdExtent *extents, guint count, GError **error)
{
    return dcdUpdate(device, DCD_ADD_RESPONSE, extents, count, error);
}

/**
 * dcdRelease:
 * @device: a device
 * @extents: what is given back
 * @count: how many
 * @error: set on failure
 *
 * Release Dynamic Capacity (4803h).
 *
 * Returns 0, or -1 with @error set.
 */
int
dcdRelease(CxlDevice *device, const DcdExtent *extents, guint count, GError **error)
{
    return dcdUpdate(device, DCD_RELEASE, extents, count, error);
}

/**
 * dcdEventName:
 * @type: of an event record
 *
 * Returns a word for it.
 */
const char *
dcdEventName(guint8 type)
{
    static const char *const names[] = {
        "add",
        "release",
        "forced-release",
        "region-configuration-updated",
        "add-response",
        "capacity-released",
    };

    return type < G_N_ELEMENTS(names) ? names[type] : "unknown";
}

/**
 * dcdFormatTag:
 * @tag: DCD_TAG_SIZE bytes
 *
 * Returns it written as a UUID.
 */
char *
dcdFormatTag(const guint8 *tag)
{
    g_autoptr(GString) text = g_string_new(NULL);

    qtestAppendHex(text, tag, DCD_TAG_SIZE);
    g_string_insert_c(text, 20, '-');
    g_string_insert_c(text, 16, '-');
    g_string_insert_c(text, 12, '-');
    g_string_insert_c(text, 8, '-');
    return g_string_free(g_steal_pointer(&text), FALSE);
}

/**
 * dcdParseTag:
 * @text: a UUID, in either case
 * @tag: set to its DCD_TAG_SIZE bytes
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
int
dcdParseTag(const char *text, guint8 *tag, GError **error)
{
    g_autoptr(GByteArray) bytes = NULL;
    g_autoptr(GString) digits = g_string_new(text);

    if (g_uuid_string_is_valid(text)) {
        g_string_replace(digits, "-", "", 0);
        bytes = qtestFromHex(digits->str);
    }
    if (!bytes) {
        g_set_error(error,
                    G_OPTION_ERROR,
                    G_OPTION_ERROR_BAD_VALUE,
                    "the tag '%s' is not a UUID",
                    text);
        return -1;
    }
    memcpy(tag, bytes->data, DCD_TAG_SIZE);
    return 0;
}

/**
 * dcdFormatExtent:
 * @text: where the extent is appended
 * @device: whose it is
 * @extent: what to write
 */
void
dcdFormatExtent(GString *text, const CxlDevice *device, const DcdExtent *extent)
{
    g_autofree char *tag = dcdFormatTag(extent->tag);
    guint region;
    guint64 offset;

    if (cxlDeviceLocate(device, extent->dpa, &region, &offset) < 0)
        g_string_append(text, "region - offset -");
    else
        g_string_append_printf(text, "region %u offset 0x%" G_GINT64_MODIFIER "x", region, offset);
    g_string_append_printf(text,
                           " size 0x%" G_GINT64_MODIFIER "x dpa 0x%" G_GINT64_MODIFIER "x tag %s",
                           extent->size,
                           extent->dpa,
                           tag);
}
