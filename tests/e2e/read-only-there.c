/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * read-only-there: a connection that only the daemon knows to be read-only
 *
 * libvirt refuses what a read-only connection must not do in two places: in the client's
 * library, and in the daemon, which cannot rely on the client. A test of the second needs
 * a client without the first. Preloaded into virsh, this makes it one: virsh opens a
 * connection that may write, and the packet that requests it from the daemon gets the
 * flag of a read-only one on its way.
 *
 * The packet is defined by libvirt's src/rpc/virnetprotocol.x: its length and a header of
 * six words, here program 0x20008086, procedure 1 (REMOTE_PROC_CONNECT_OPEN), type 0
 * (call); then the URI, and as the last word the flags. All words are big-endian.
 */

#include <config.h>

#include <dlfcn.h>
#include <glib.h>
#include <libvirt/libvirt.h>
#include <string.h>
#include <unistd.h>

#define WORDS_MIN 9
#define REMOTE_PROGRAM 0x20008086
#define REMOTE_PROC_CONNECT_OPEN 1

static guint32
word(const char *packet, size_t n)
{
    guint32 value;

    memcpy(&value, packet + n * sizeof(value), sizeof(value));
    return GUINT32_FROM_BE(value);
}

static gboolean
isOpen(const char *packet, size_t size)
{
    return size >= WORDS_MIN * sizeof(guint32) && word(packet, 0) == size &&
           word(packet, 1) == REMOTE_PROGRAM && word(packet, 3) == REMOTE_PROC_CONNECT_OPEN &&
           word(packet, 4) == 0;
}

__attribute__((visibility("default"))) ssize_t
write(int fd, const void *buf, size_t size)
{
    ssize_t (*next)(int, const void *, size_t) =
        (ssize_t(*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    g_autofree char *packet = NULL;

    if (!isOpen(buf, size))
        return next(fd, buf, size);
    packet = g_memdup2(buf, size);
    packet[size - 1] |= VIR_CONNECT_RO;
    return next(fd, packet, size);
}
