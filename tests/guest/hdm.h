/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * hdm.h: host-managed device memory (HDM) decoders
 */

#ifndef GUEST_HDM_H
#define GUEST_HDM_H

#include "qtest.h"

/* What one decoder does. */
typedef struct _HdmRange HdmRange;
struct _HdmRange {
    guint64 base;   /* host physical address */
    guint64 size;   /* bytes, multiple of 256 MiB */
    guint64 target; /* of a port: the number of the port below it;
                                 * of a device: bytes of device memory that
                                 * the decoder skips */
};

guint64 hdmFind(Qtest *qtest, guint64 registers);
int
hdmCommit(Qtest *qtest, guint64 decoders, const HdmRange *range, const char *owner, GError **error);
int hdmUncommit(Qtest *qtest, guint64 decoders, const HdmRange *range, GError **error);
gboolean hdmIsCommitted(Qtest *qtest, guint64 decoders, const HdmRange *range);

#endif
