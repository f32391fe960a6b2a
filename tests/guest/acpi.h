/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * acpi.h: what the CXL Early Discovery Table tells a guest
 */

#ifndef GUEST_ACPI_H
#define GUEST_ACPI_H

#include "qtest.h"

/* A CXL Host Bridge Structure (CHBS). */
typedef struct _CxlHostBridge CxlHostBridge;
struct _CxlHostBridge {
    guint32 uid;       /* in QEMU also the number of its root bus */
    guint64 registers; /* its component registers */
};

/* A CXL Fixed Memory Window Structure (CFMWS). */
typedef struct _CxlWindow CxlWindow;
struct _CxlWindow {
    guint64 base;  /* host physical address */
    guint64 size;  /* bytes */
    guint targets; /* host bridges it is interleaved over */
    guint32 uid;   /* the first of them */
};

typedef struct _Cedt Cedt;
struct _Cedt {
    GArray *hostBridges; /* CxlHostBridge, by increasing uid */
    GArray *windows;     /* CxlWindow */
};

Cedt *acpiReadCedt(Qtest *qtest, GError **error);
void acpiCedtFree(Cedt *cedt);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(Cedt, acpiCedtFree)

#endif
