/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mailbox.c: the guest's commands to a device, on their way to QEMU
 *
 * A region over the device's mailbox passes all on. It is how the module is
 * there at the very moment at which a guest accepts or releases, and how the
 * tag, which QEMU does not keep, gets into what the guest reads. An answer that
 * cannot be taken (part of an extent, say) is not passed on: the guest finds a
 * return code of ours in the status register, until its next command.
 */
#include "cxl-tagged.h"

/* CXL 3.1, 8.2.8.4: the mailbox registers */
#define MB_CONTROL 0x04
#define MB_COMMAND 0x08
#define MB_STATUS 0x10
#define MB_PAYLOAD 0x20
#define MB_PAYLOAD_BYTES 2048
#define DOORBELL 1

/* CXL 3.1, 8.2.9: opcodes and return codes */
#define OP_GET_EVENTS 0x0100
#define OP_GET_EXTENTS 0x4801
#define OP_ADD_RESPONSE 0x4802
#define OP_RELEASE 0x4803
#define RC_SUCCESS 0
#define RC_INVALID_INPUT 2
#define RC_INVALID_ADDRESS 15

/* The Dynamic Capacity event log, and its records (8.2.9.2.1.6) */
#define LOG_DYNAMIC_CAPACITY 4
#define EVENT_COUNT 0x14
#define EVENT_HEADER 0x20
#define EVENT_BYTES 0x80
#define EVENT_HANDLE 0x14
#define EVENT_TYPE 0x30
#define EVENT_EXTENT 0x38

/* An extent as the guest reads it: address, length, tag */
#define EXTENT_LIST_HEADER 16
#define EXTENT_BYTES 40
#define EXTENT_TAG 16

/* An extent as the guest writes it: address, length */
#define ANSWER_HEADER 8
#define ANSWER_BYTES 24
#define ANSWER_MAX ((MB_PAYLOAD_BYTES - ANSWER_HEADER) / ANSWER_BYTES)

static uint16_t
return_code(struct device *dev)
{
    return region_read(dev->mailbox, MB_STATUS, 8) >> 32;
}

/* payload_read: the payload, and payload_write: another one in its place. */
static void
payload_read(struct device *dev, uint64_t payload[MB_PAYLOAD_BYTES / 8])
{
    unsigned i;

    for (i = 0; i < MB_PAYLOAD_BYTES / 8; i++) {
        payload[i] = region_read(dev->mailbox, MB_PAYLOAD + 8 * i, 8);
    }
}

static void
payload_write(struct device *dev, const uint64_t payload[MB_PAYLOAD_BYTES / 8])
{
    unsigned i;

    for (i = 0; i < MB_PAYLOAD_BYTES / 8; i++) {
        region_write(dev->mailbox, MB_PAYLOAD + 8 * i, payload[i], 8);
    }
}

/*
 * mailbox_events: the @handles of the records in the device's event log
 *
 * QEMU's device is asked as a guest asks it. A command that the guest has not
 * rung for yet, and an answer that it has not read, are there afterwards.
 *
 * Returns how many there are, the oldest first, or -1 if the device refuses.
 */
int
mailbox_events(struct device *dev, uint16_t handles[EVENT_LOG_MAX])
{
    uint64_t command = region_read(dev->mailbox, MB_COMMAND, 8);
    uint64_t control = region_read(dev->mailbox, MB_CONTROL, 4);
    uint16_t answer = return_code(dev);
    uint64_t payload[MB_PAYLOAD_BYTES / 8];
    int i, n = -1;

    payload_read(dev, payload);
    region_write(dev->mailbox, MB_PAYLOAD, LOG_DYNAMIC_CAPACITY, 1);
    region_write(dev->mailbox, MB_COMMAND, 1 << 16 | OP_GET_EVENTS, 8);
    region_write(dev->mailbox, MB_CONTROL, control | DOORBELL, 4);
    if (return_code(dev) == RC_SUCCESS) {
        n = region_read(dev->mailbox, MB_PAYLOAD + EVENT_COUNT, 2);
        n = MIN(n, EVENT_LOG_MAX);
    }
    for (i = 0; i < n; i++) {
        handles[i] = region_read(
            dev->mailbox,
            MB_PAYLOAD + EVENT_HEADER + i * EVENT_BYTES + EVENT_HANDLE, 2);
    }
    payload_write(dev, payload);
    region_write(dev->mailbox, MB_COMMAND, command, 8);
    if (dev->answer < 0) {
        dev->answer = answer;
    }
    return n;
}

static void
put_tag(struct device *dev, uint64_t at, const uint8_t *uuid)
{
    uint64_t half[2];

    memcpy(half, uuid, sizeof(half));
    region_write(dev->mailbox, at, half[0], 8);
    region_write(dev->mailbox, at + 8, half[1], 8);
}

/* Get Event Records was answered: write the tags into what it gave. */
static void
tag_events(struct device *dev)
{
    static const uint8_t dynamic_capacity[16] = {
        0xca, 0x95, 0xaf, 0xa7, 0xf1, 0x83, 0x40, 0x18,
        0x8c, 0x2f, 0x95, 0x26, 0x8e, 0x10, 0x1a, 0x2a,
    };
    MemoryRegion *mailbox = dev->mailbox;
    unsigned n = region_read(mailbox, MB_PAYLOAD + EVENT_COUNT, 2);
    uint64_t record = MB_PAYLOAD + EVENT_HEADER;

    for (; n && record + EVENT_BYTES <= MB_PAYLOAD + MB_PAYLOAD_BYTES;
         n--, record += EVENT_BYTES) {
        uint64_t id[2] = { region_read(mailbox, record, 8),
                           region_read(mailbox, record + 8, 8) };
        uint64_t at = record + EVENT_EXTENT;
        uint64_t dpa = region_read(mailbox, at, 8);
        uint64_t len = region_read(mailbox, at + 8, 8);
        bool release = region_read(mailbox, record + EVENT_TYPE, 1) != 0;
        struct extent *extent = release ? extent_at(dev, dpa, len) : NULL;
        const uint8_t *uuid;

        if (memcmp(id, dynamic_capacity, sizeof(id))) {
            continue;
        }
        uuid = events_tag(dev, region_read(mailbox, record + EVENT_HANDLE, 2));
        if (!uuid && extent) { /* a fabric manager's release */
            uuid = extent->uuid;
        }
        if (uuid) {
            put_tag(dev, at + EXTENT_TAG, uuid);
        }
    }
}

/* Get Dynamic Capacity Extent List was answered. */
static void
tag_extents(struct device *dev)
{
    unsigned n = region_read(dev->mailbox, MB_PAYLOAD, 4);
    uint64_t at = MB_PAYLOAD + EXTENT_LIST_HEADER;

    for (; n && at + EXTENT_BYTES <= MB_PAYLOAD + MB_PAYLOAD_BYTES;
         n--, at += EXTENT_BYTES) {
        struct extent *extent = extent_at(dev, region_read(dev->mailbox, at, 8),
                                          region_read(dev->mailbox, at + 8, 8));

        if (extent) {
            put_tag(dev, at + EXTENT_TAG, extent->uuid);
        }
    }
}

/*
 * What to answer to an Add Dynamic Capacity Response or a Release before QEMU
 * sees it: an extent is a whole backend, so it is taken or given back whole.
 * QEMU itself would split it, and crashes on an answer to no offer.
 */
static uint16_t
check_answer(struct device *dev, bool release)
{
    uint32_t i, n = region_read(dev->mailbox, MB_PAYLOAD, 4);

    if (!release && !stock_pending(dev)) {
        return n ? RC_INVALID_ADDRESS : RC_INVALID_INPUT;
    }
    for (i = 0; i < n && i < ANSWER_MAX; i++) {
        uint64_t at = MB_PAYLOAD + ANSWER_HEADER + i * ANSWER_BYTES;
        struct extent *extent = extent_at(dev, region_read(dev->mailbox, at, 8),
                                          region_read(dev->mailbox, at + 8, 8));

        if (!extent || extent->accepted != release) {
            return RC_INVALID_ADDRESS;
        }
    }
    return RC_SUCCESS;
}

/*
 * Whether the guest answers an offer that is none of ours: a fabric manager can
 * make one through the device's other mailboxes, and nothing is behind it.
 */
static bool
answers_foreign(struct device *dev)
{
    uint32_t i, n = region_read(dev->mailbox, MB_PAYLOAD, 4);

    for (i = 0; i < n && i < ANSWER_MAX; i++) {
        uint64_t at = MB_PAYLOAD + ANSWER_HEADER + i * ANSWER_BYTES;
        uint64_t dpa = region_read(dev->mailbox, at, 8);
        uint64_t len = region_read(dev->mailbox, at + 8, 8);
        uint64_t offset = dpa - device_dc_base(dev);

        if (offset >= dev->total || len > dev->total - offset ||
            extent_overlapping(dev, dpa, len)) {
            return false;
        }
    }
    return n > 0 && n <= ANSWER_MAX && stock_pending(dev);
}

/*
 * Let QEMU accept it, so that it no longer stands before the offers behind it,
 * and give it back at once. The guest is told that it was refused.
 */
static void
bounce_foreign(struct device *dev, uint64_t control)
{
    uint64_t command = region_read(dev->mailbox, MB_COMMAND, 8);
    uint64_t payload[MB_PAYLOAD_BYTES / 8];

    payload_read(dev, payload);
    region_write(dev->mailbox, MB_CONTROL, control, 4);
    if (return_code(dev) != RC_SUCCESS) {
        return;
    }
    payload_write(dev, payload);
    region_write(dev->mailbox, MB_COMMAND, (command & ~0xffffULL) | OP_RELEASE,
                 8);
    region_write(dev->mailbox, MB_CONTROL, control, 4);
    region_write(dev->mailbox, MB_COMMAND, OP_ADD_RESPONSE, 8);
    dev->answer = RC_INVALID_ADDRESS;
    detail("an offer that names no memory backend was given back");
}

/* The guest rings: the command that its mailbox holds is to be done now. */
static void
ring(struct device *dev, uint64_t control)
{
    unsigned opcode = region_read(dev->mailbox, MB_COMMAND, 8) & 0xffff;
    uint16_t refusal = RC_SUCCESS;

    dev->answer = -1;
    if (opcode == OP_ADD_RESPONSE && answers_foreign(dev)) {
        bounce_foreign(dev, control);
        return;
    }
    if (opcode == OP_ADD_RESPONSE || opcode == OP_RELEASE) {
        refusal = check_answer(dev, opcode == OP_RELEASE);
    }
    if (refusal) { /* no output, and never rung */
        dev->answer = refusal;
        region_write(dev->mailbox, MB_COMMAND, opcode, 8);
        region_write(dev->mailbox, MB_CONTROL, control & ~DOORBELL, 4);
        return;
    }
    region_write(dev->mailbox, MB_CONTROL, control, 4);
    if (return_code(dev) != RC_SUCCESS) {
        return;
    }
    switch (opcode) {
    case OP_GET_EVENTS:
        tag_events(dev);
        break;
    case OP_GET_EXTENTS:
        tag_extents(dev);
        break;
    case OP_ADD_RESPONSE:
    case OP_RELEASE:
        extents_reconcile(dev);
    }
}

static uint64_t
mailbox_read(void *opaque, uint64_t addr, unsigned size)
{
    struct device *dev = opaque;
    uint64_t value;

    if (dev->answer < 0 || addr < MB_STATUS || addr >= MB_STATUS + 8) {
        return region_read(dev->mailbox, addr, size);
    }
    value = region_read(dev->mailbox, MB_STATUS, 8);
    value = (value & ~(0xffffULL << 32)) | (uint64_t)dev->answer << 32;
    return value >> (8 * (addr - MB_STATUS)) & (UINT64_MAX >> (64 - 8 * size));
}

/* One or two bytes of a register do nothing: QEMU fails an assertion on them. */
static void
mailbox_write(void *opaque, uint64_t addr, uint64_t value, unsigned size)
{
    struct device *dev = opaque;

    if (addr == MB_CONTROL && size == 4 && (value & DOORBELL)) {
        ring(dev, value);
    } else if (addr >= MB_PAYLOAD || size >= 4) {
        region_write(dev->mailbox, addr, value, size);
    }
}

/* mailbox_attach: stand before the mailbox of @dev, which is realized. */
bool
mailbox_attach(struct device *dev)
{
    static const struct region_ops ops = {
        .read = mailbox_read,
        .write = mailbox_write,
        .endianness = REGION_LITTLE_ENDIAN,
        .valid = { .min = 1, .max = 8 },
        .impl = { .min = 1, .max = 8 },
    };

    dev->mailbox = region_child(dev->obj, "mailbox[0]");
    if (!dev->mailbox ||
        qemu.memory_region_size(dev->mailbox) < MB_PAYLOAD + MB_PAYLOAD_BYTES ||
        !region_read(dev->mailbox, 0, 4)) {
        return false;
    }
    dev->mailbox_overlay =
        region_overlay(dev->mailbox, &ops, dev, "cxl-tagged-mailbox");
    return dev->mailbox_overlay != NULL;
}
