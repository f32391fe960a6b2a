/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qtest.h: the machine as its processor sees it, through QEMU's qtest socket
 *
 * Every access is one command and one answer. The first failure sticks: it is
 * kept, and each later access does nothing and reads as zero. So a sequence of
 * accesses needs no error handling but one qtestCheck() at its end, and no
 * loop that waits for a register may treat zero as "wait longer".
 */

#ifndef GUEST_QTEST_H
#define GUEST_QTEST_H

#include <gio/gio.h>

typedef struct _Qtest Qtest;

Qtest *qtestConnect(const char *path, GError **error);
void qtestFree(Qtest *qtest);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Qtest, qtestFree)

int qtestFileDescriptor(Qtest *qtest);
int qtestCheck(Qtest *qtest, GError **error);

guint32 qtestIn32(Qtest *qtest, guint16 port);
void qtestOut32(Qtest *qtest, guint16 port, guint32 value);

guint8 qtestRead8(Qtest *qtest, guint64 address);
guint16 qtestRead16(Qtest *qtest, guint64 address);
guint32 qtestRead32(Qtest *qtest, guint64 address);
guint64 qtestRead64(Qtest *qtest, guint64 address);
void qtestWrite16(Qtest *qtest, guint64 address, guint16 value);
void qtestWrite32(Qtest *qtest, guint64 address, guint32 value);
void qtestWrite64(Qtest *qtest, guint64 address, guint64 value);

void qtestRead(Qtest *qtest, guint64 address, void *buffer, gsize size);
void qtestWrite(Qtest *qtest, guint64 address, const void *buffer, gsize size);

GByteArray *qtestFromHex(const char *text);
void qtestAppendHex(GString *text, const guint8 *bytes, gsize size);

#endif
