/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mailbox.c: the primary mailbox of a CXL device (CXL 3.1, section 8.2.8.4)
 *
 * Found through the device capabilities array at the start of the device
 * registers. A command is: payload, opcode and length, doorbell; then wait for
 * the doorbell to clear, and read return code, length and payload. This file
 * knows the names of commands and return codes, but not the meaning of
 * payloads.
 */

#include "mailbox.h"

#define DEVICE_CAPABILITIES_COUNT 0x04 /* 16 bits */
#define DEVICE_CAPABILITIES 0x10       /* 16 bytes each: id, offset, length */
#define DEVICE_CAPABILITY_SIZE 0x10
#define DEVICE_CAPABILITY_MAILBOX 0x0002

#define MAILBOX_CAPABILITIES 0x00 /* low 5 bits: log2 of payload size */
#define MAILBOX_CONTROL 0x04
#define MAILBOX_CONTROL_DOORBELL 0x1
#define MAILBOX_COMMAND 0x08 /* 64 bits: opcode, length */
#define MAILBOX_STATUS 0x10  /* 64 bits: return code at bit 32 */
#define MAILBOX_PAYLOAD 0x20

#define MAILBOX_SMALLEST 256
#define MAILBOX_LARGEST (1024 * 1024)

/* Two seconds by the specification. */
#define MAILBOX_DEADLINE_MS 2000

static const struct {
    guint16 opcode;
    const char *name;
} mailboxCommands[] = {
    {0x0001, "Identify"},
    {0x0100, "Get Event Records"},
    {0x0101, "Clear Event Records"},
    {0x0102, "Get Event Interrupt Policy"},
    {0x0103, "Set Event Interrupt Policy"},
    {0x0400, "Get Supported Logs"},
    {0x0401, "Get Log"},
    {0x4000, "Identify Memory Device"},
    {0x4800, "Get Dynamic Capacity Configuration"},
    {0x4801, "Get Dynamic Capacity Extent List"},
    {0x4802, "Add Dynamic Capacity Response"},
    {0x4803, "Release Dynamic Capacity"},
};

/* CXL 3.1, table 8-34. */
static const char *const mailboxCodes[] = {
    "success",
    "background command started",
    "invalid input",
    "unsupported",
    "internal error",
    "retry required",
    "busy",
    "media disabled",
    "FW transfer in progress",
    "FW transfer out of order",
    "FW verification failed",
    "invalid slot",
    "activation failed, FW rolled back",
    "cold reset required",
    "invalid handle",
    "invalid physical address",
    "inject poison limit reached",
    "permanent media failure",
    "aborted",
    "invalid security state",
    "incorrect passphrase",
    "unsupported mailbox or CCI",
    "invalid payload length",
    "invalid log",
    "interrupted",
    "unsupported feature version",
    "unsupported feature selection value",
    "feature transfer in progress",
    "feature transfer out of order",
    "resources exhausted",
    "invalid extent list",
    "transfer out of order",
    "no background abort available",
};

/**
 * mailboxErrorQuark:
 *
 * Returns the domain of errors whose code is a mailbox return code.
 */
GQuark
mailboxErrorQuark(void)
{
    return g_quark_from_static_string("guest-mailbox-error");
}

/**
 * mailboxCommandName:
 * @opcode: a command
 *
 * Returns the command's name in the specification.
 */
const char *
mailboxCommandName(guint16 opcode)
{
    gsize i;

    for (i = 0; i < G_N_ELEMENTS(mailboxCommands); i++) {
        if (mailboxCommands[i].opcode == opcode)
            return mailboxCommands[i].name;
    }
    return "command";
}

/**
 * mailboxCodeName:
 * @code: a return code
 *
 * Returns the code's name in the specification.
 */
const char *
mailboxCodeName(guint16 code)
{
    return code < G_N_ELEMENTS(mailboxCodes) ? mailboxCodes[code] : "unknown return code";
}

/**
 * mailboxGet:
 * @bytes: where a number starts in a payload, the lowest byte first
 * @size: bytes of it
 *
 * Returns the number.
 */
guint64
mailboxGet(const guint8 *bytes, guint size)
{
    guint64 value = 0;

    while (size > 0)
        value = value << 8 | bytes[--size];
    return value;
}

/**
 * mailboxPut:
 * @payload: where the number is appended
 * @value: the number
 * @size: bytes of it
 */
void
mailboxPut(GByteArray *payload, guint64 value, guint size)
{
    for (; size > 0; size--) {
        guint8 byte = value;

        g_byte_array_append(payload, &byte, 1);
        value >>= 8;
    }
}

/**
 * mailboxOpen:
 * @mailbox: set up
 * @qtest: the machine; outlives @mailbox
 * @deviceRegisters: where the device registers are in memory
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
int
mailboxOpen(Mailbox *mailbox, Qtest *qtest, guint64 deviceRegisters, GError **error)
{
    guint count = qtestRead32(qtest, deviceRegisters + DEVICE_CAPABILITIES_COUNT) & 0xffff;
    guint i;

    mailbox->qtest = qtest;
    mailbox->registers = 0;
    for (i = 0; i < MIN(count, 64); i++) {
        guint64 entry = deviceRegisters + DEVICE_CAPABILITIES + i * DEVICE_CAPABILITY_SIZE;

        if ((qtestRead32(qtest, entry) & 0xffff) == DEVICE_CAPABILITY_MAILBOX)
            mailbox->registers = deviceRegisters + qtestRead32(qtest, entry + 4);
    }
    if (mailbox->registers != 0)
        mailbox->capabilities = qtestRead32(qtest, mailbox->registers + MAILBOX_CAPABILITIES);
    if (qtestCheck(qtest, error) < 0)
        return -1;

    mailbox->payloadSize = (gsize)1 << (mailbox->capabilities & 0x1f);
    if (mailbox->registers == 0 || mailbox->payloadSize < MAILBOX_SMALLEST ||
        mailbox->payloadSize > MAILBOX_LARGEST) {
        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_INVALID_DATA,
                    "no mailbox in the device registers at 0x%" G_GINT64_MODIFIER "x",
                    deviceRegisters);
        return -1;
    }
    return 0;
}

/**
 * mailboxResponds:
 * @mailbox: an open mailbox
 *
 * Returns whether the mailbox is still where it was: after a reset of the
 * machine it is not.
 */
gboolean
mailboxResponds(Mailbox *mailbox)
{
    return qtestRead32(mailbox->qtest, mailbox->registers + MAILBOX_CAPABILITIES) ==
           mailbox->capabilities;
}

/**
 * mailboxWait:
 * @mailbox: an open mailbox
 * @opcode: the command it works on, for the error
 * @error: set on failure
 *
 * Waits until the doorbell is clear.
 *
 * Returns 0, or -1 with @error set.
 */
static int
mailboxWait(Mailbox *mailbox, guint16 opcode, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + MAILBOX_DEADLINE_MS * G_TIME_SPAN_MILLISECOND;

    while (qtestRead32(mailbox->qtest, mailbox->registers + MAILBOX_CONTROL) &
           MAILBOX_CONTROL_DOORBELL) {
        if (g_get_monotonic_time() > deadline) {
            g_set_error(error,
                        G_IO_ERROR,
                        G_IO_ERROR_TIMED_OUT,
                        "the mailbox is still busy with %s (%04Xh) after "
                        "%d ms",
                        mailboxCommandName(opcode),
                        opcode,
                        MAILBOX_DEADLINE_MS);
            return -1;
        }
        /* The register itself is the only indication. */
        g_usleep(1000);
    }
    return qtestCheck(mailbox->qtest, error);
}

/**
 * mailboxSend:
 * @mailbox: an open mailbox
 * @opcode: a command
 * @input: its payload, NULL for none
 * @code: set to the return code
 * @error: set on failure; a return code is not a failure
 *
 * Returns the answer's payload, or NULL with @error set.
 */
GByteArray *
mailboxSend(Mailbox *mailbox,
            guint16 opcode,
            const GByteArray *input,
            guint16 *code,
            GError **error)
{
    Qtest *qtest = mailbox->qtest;
    guint64 registers = mailbox->registers;
    g_autoptr(GByteArray) output = g_byte_array_new();
    guint64 length = input ? input->len : 0;

    if (length > mailbox->payloadSize) {
        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_MESSAGE_TOO_LARGE,
                    "a payload of %" G_GUINT64_FORMAT " bytes does not fit "
                    "into the mailbox, which takes %" G_GSIZE_FORMAT,
                    length,
                    mailbox->payloadSize);
        return NULL;
    }
    if (mailboxWait(mailbox, opcode, error) < 0)
        return NULL;

    if (length > 0)
        qtestWrite(qtest, registers + MAILBOX_PAYLOAD, input->data, length);
    qtestWrite64(qtest, registers + MAILBOX_COMMAND, length << 16 | opcode);
    qtestWrite32(qtest, registers + MAILBOX_CONTROL, MAILBOX_CONTROL_DOORBELL);
    if (mailboxWait(mailbox, opcode, error) < 0)
        return NULL;

    *code = qtestRead64(qtest, registers + MAILBOX_STATUS) >> 32;
    length = qtestRead64(qtest, registers + MAILBOX_COMMAND) >> 16 & 0xfffff;
    length = MIN(length, mailbox->payloadSize);
    g_byte_array_set_size(output, length);
    qtestRead(qtest, registers + MAILBOX_PAYLOAD, output->data, length);
    if (qtestCheck(qtest, error) < 0)
        return NULL;
    return g_steal_pointer(&output);
}

/**
 * mailboxCommand:
 * @mailbox: an open mailbox
 * @opcode: a command
 * @input: its payload, NULL for none
 * @error: set on failure, and to a MAILBOX_ERROR for any return code but
 *   success
 *
 * Returns the answer's payload, or NULL with @error set.
 */
GByteArray *
mailboxCommand(Mailbox *mailbox, guint16 opcode, const GByteArray *input, GError **error)
{
    g_autoptr(GByteArray) output = NULL;
    guint16 code;

    output = mailboxSend(mailbox, opcode, input, &code, error);
    if (!output)
        return NULL;

    if (code != MAILBOX_SUCCESS) {
        g_set_error(error,
                    MAILBOX_ERROR,
                    code,
                    "%s (%04Xh) failed: %s (%u)",
                    mailboxCommandName(opcode),
                    opcode,
                    mailboxCodeName(code),
                    code);
        return NULL;
    }
    return g_steal_pointer(&output);
}
