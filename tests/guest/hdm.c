/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hdm.c: the decoders by which host bridges, switches and devices route an
 * address of the fixed memory window to device memory
 *
 * They are in the component registers (CXL 3.1, section 8.2.4.20), found
 * through the capability array at their start. QEMU only takes accesses of 4
 * bytes. A host bridge with one root port has no decoders, and needs none.
 *
 * Relies on nobody else programming decoders: they are used in order from the
 * first, and a decoder is found again by the range that it decodes.
 */

#include "hdm.h"

#define COMPONENT_CACHE_MEMORY 0x1000 /* where the array is */
#define COMPONENT_CAPABILITY 0x1      /* its id, in its first register */
#define COMPONENT_CAPABILITY_HDM 0x5

#define HDM_CAPABILITY 0x00 /* low 4 bits: number of decoders */
#define HDM_GLOBAL_CONTROL 0x04
#define HDM_GLOBAL_CONTROL_ENABLE 0x2
#define HDM_DECODERS 0x10
#define HDM_DECODER_SIZE 0x20

#define HDM_BASE_LOW 0x00
#define HDM_BASE_HIGH 0x04
#define HDM_SIZE_LOW 0x08
#define HDM_SIZE_HIGH 0x0c
#define HDM_CONTROL 0x10
#define HDM_CONTROL_COMMIT 0x200
#define HDM_CONTROL_COMMITTED 0x400
#define HDM_CONTROL_ERROR 0x800
#define HDM_CONTROL_HOST_ONLY 0x1000
#define HDM_TARGET_LOW 0x14 /* of a device: DPA skip */
#define HDM_TARGET_HIGH 0x18

/* A commit may take 10 ms by the specification; QEMU takes no time. */
#define HDM_DEADLINE_MS 1000

/**
 * hdmFind:
 * @qtest: the machine
 * @registers: where component registers are in memory
 *
 * Returns where the decoders are, 0 if there are none.
 */
guint64
hdmFind(Qtest *qtest, guint64 registers)
{
    guint64 array = registers + COMPONENT_CACHE_MEMORY;
    guint32 header = qtestRead32(qtest, array);
    guint i;

    if (registers == 0 || (header & 0xffff) != COMPONENT_CAPABILITY)
        return 0;

    for (i = 1; i <= header >> 24; i++) {
        guint32 capability = qtestRead32(qtest, array + 4 * i);

        if ((capability & 0xffff) == COMPONENT_CAPABILITY_HDM)
            return array + (capability >> 20);
    }
    return 0;
}

/**
 * hdmCount:
 * @qtest: the machine
 * @decoders: what hdmFind() found
 *
 * Returns how many decoders there are.
 */
static guint
hdmCount(Qtest *qtest, guint64 decoders)
{
    static const guint counts[] = {1, 2, 4, 6, 8, 10, 12, 14, 16, 20, 24, 28, 32};
    guint encoded = qtestRead32(qtest, decoders + HDM_CAPABILITY) & 0xf;

    return encoded < G_N_ELEMENTS(counts) ? counts[encoded] : 0;
}

/**
 * hdmRead64:
 * @qtest: the machine
 * @low: the lower register of a pair
 *
 * Returns the pair's value.
 */
static guint64
hdmRead64(Qtest *qtest, guint64 low)
{
    return (guint64)qtestRead32(qtest, low + 4) << 32 | qtestRead32(qtest, low);
}

/**
 * hdmWrite64:
 * @qtest: the machine
 * @low: the lower register of a pair
 * @value: the pair's new value
 */
static void
hdmWrite64(Qtest *qtest, guint64 low, guint64 value)
{
    qtestWrite32(qtest, low, (guint32)value);
    qtestWrite32(qtest, low + 4, value >> 32);
}

/**
 * hdmLookUp:
 * @qtest: the machine
 * @decoders: what hdmFind() found
 * @range: what to look for
 * @unused: where to store the first decoder that is not committed, 0 if all
 *   are; may be NULL
 *
 * Returns the committed decoder that decodes exactly @range, 0 if there is
 * none.
 */
static guint64
hdmLookUp(Qtest *qtest, guint64 decoders, const HdmRange *range, guint64 *unused)
{
    guint count = hdmCount(qtest, decoders);
    guint i;

    if (unused)
        *unused = 0;
    for (i = 0; i < count; i++) {
        guint64 decoder = decoders + HDM_DECODERS + i * HDM_DECODER_SIZE;

        if (!(qtestRead32(qtest, decoder + HDM_CONTROL) & HDM_CONTROL_COMMITTED)) {
            if (unused && *unused == 0)
                *unused = decoder;
        } else if (hdmRead64(qtest, decoder + HDM_BASE_LOW) == range->base &&
                   hdmRead64(qtest, decoder + HDM_SIZE_LOW) == range->size &&
                   hdmRead64(qtest, decoder + HDM_TARGET_LOW) == range->target) {
            return decoder;
        }
    }
    return 0;
}

/**
 * hdmWaitFor:
 * @qtest: the machine
 * @decoder: one decoder
 * @committed: the bits of its control register to wait for: committed or 0
 * @owner: whose decoder it is, for the error
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
hdmWaitFor(Qtest *qtest, guint64 decoder, guint32 committed, const char *owner, GError **error)
{
    gint64 deadline = g_get_monotonic_time() + HDM_DEADLINE_MS * G_TIME_SPAN_MILLISECOND;
    guint32 control;

    while (TRUE) {
        control = qtestRead32(qtest, decoder + HDM_CONTROL);
        if (qtestCheck(qtest, error) < 0)
            return -1;
        if (control & HDM_CONTROL_ERROR || g_get_monotonic_time() > deadline) {
            g_set_error(error,
                        G_IO_ERROR,
                        G_IO_ERROR_FAILED,
                        "%s does not commit its HDM decoder: control is 0x%x",
                        owner,
                        control);
            return -1;
        }
        if ((control & HDM_CONTROL_COMMITTED) == committed)
            return 0;
        /* The register itself is the only indication. */
        g_usleep(1000);
    }
}

/**
 * hdmCommit:
 * @qtest: the machine
 * @decoders: what hdmFind() found
 * @range: what a decoder is to do
 * @owner: whose decoders they are, for errors
 * @error: set on failure
 *
 * Programs and commits the first free decoder, unless one already decodes
 * @range.
 *
 * Returns 0, or -1 with @error set.
 */
int
hdmCommit(Qtest *qtest, guint64 decoders, const HdmRange *range, const char *owner, GError **error)
{
    guint64 unused;
    guint64 decoder = hdmLookUp(qtest, decoders, range, &unused);
    guint32 global;

    if (qtestCheck(qtest, error) < 0)
        return -1;
    if (decoder != 0)
        return 0;
    if (unused == 0) {
        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_NO_SPACE,
                    "all %u HDM decoders of %s are in use",
                    hdmCount(qtest, decoders),
                    owner);
        return -1;
    }

    global = qtestRead32(qtest, decoders + HDM_GLOBAL_CONTROL);
    qtestWrite32(qtest, decoders + HDM_GLOBAL_CONTROL, global | HDM_GLOBAL_CONTROL_ENABLE);
    hdmWrite64(qtest, unused + HDM_BASE_LOW, range->base);
    hdmWrite64(qtest, unused + HDM_SIZE_LOW, range->size);
    hdmWrite64(qtest, unused + HDM_TARGET_LOW, range->target);
    qtestWrite32(qtest, unused + HDM_CONTROL, HDM_CONTROL_HOST_ONLY | HDM_CONTROL_COMMIT);
    return hdmWaitFor(qtest, unused, HDM_CONTROL_COMMITTED, owner, error);
}

/**
 * hdmUncommit:
 * @qtest: the machine
 * @decoders: what hdmFind() found
 * @range: what the decoder decodes
 * @error: set on failure
 *
 * Uncommits the decoder of @range, if there is one.
 *
 * Returns 0, or -1 with @error set.
 */
int
hdmUncommit(Qtest *qtest, guint64 decoders, const HdmRange *range, GError **error)
{
    guint64 decoder = hdmLookUp(qtest, decoders, range, NULL);

    if (qtestCheck(qtest, error) < 0)
        return -1;
    if (decoder == 0)
        return 0;

    qtestWrite32(qtest, decoder + HDM_CONTROL, 0);
    return hdmWaitFor(qtest, decoder, 0, "the component", error);
}

/**
 * hdmIsCommitted:
 * @qtest: the machine
 * @decoders: what hdmFind() found
 * @range: what a decoder should decode
 *
 * Returns whether there is a committed decoder of @range.
 */
gboolean
hdmIsCommitted(Qtest *qtest, guint64 decoders, const HdmRange *range)
{
    return hdmLookUp(qtest, decoders, range, NULL) != 0;
}
