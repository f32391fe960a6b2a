/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * mailbox.h: commands to a CXL device
 */

#ifndef GUEST_MAILBOX_H
#define GUEST_MAILBOX_H

#include "qtest.h"

/* Errors of this domain have the mailbox return code as their code. */
#define MAILBOX_ERROR (mailboxErrorQuark())
GQuark mailboxErrorQuark(void);

#define MAILBOX_SUCCESS 0x0
#define MAILBOX_UNSUPPORTED 0x3

typedef struct _Mailbox Mailbox;
struct _Mailbox {
    Qtest *qtest;
    guint64 registers;    /* in memory; 0: none found */
    guint32 capabilities; /* register, to check that it is still there */
    gsize payloadSize;    /* most bytes a command or answer carries */
};

int mailboxOpen(Mailbox *mailbox, Qtest *qtest, guint64 deviceRegisters, GError **error);
gboolean mailboxResponds(Mailbox *mailbox);
GByteArray *mailboxSend(Mailbox *mailbox,
                        guint16 opcode,
                        const GByteArray *input,
                        guint16 *code,
                        GError **error);
GByteArray *
mailboxCommand(Mailbox *mailbox, guint16 opcode, const GByteArray *input, GError **error);

const char *mailboxCommandName(guint16 opcode);
const char *mailboxCodeName(guint16 code);

guint64 mailboxGet(const guint8 *bytes, guint size);
void mailboxPut(GByteArray *payload, guint64 value, guint size);

#endif
