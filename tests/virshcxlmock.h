/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virshcxlmock.h: what the commands of virsh-cxl are run on in their unit tests
 */

#ifndef VIRSHCXLMOCK_H
#define VIRSHCXLMOCK_H

#include <glib.h>
#include <stdbool.h>

#define TAG_A "5be13bce-ae34-4a77-b6c3-16df975fcf1a"
#define TAG_B "8d2e0f6c-0a3a-4c7e-9c43-d1f1f5b0c2aa"
#define TAG_C "0c6a7d7e-58a4-4a53-9c0e-3a1f0f4f9d11"
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

/* What waiting for a capacity comes to, beside a state. */
#define MOCK_WAIT_EVER (-1)  /* the guest never answers */
#define MOCK_WAIT_FAILS (-2) /* the library fails */

/* What the library answers, and what it was asked. */
typedef struct {
    const char *fail;           /* the tag, or "add", "list", "look" (list after a release) or
                                   "refresh", whose call fails */
    const char *gone;           /* the tag of the capacity that is gone once it was asked back */
    int code;                   /* the error code of a failing release or list */
    int wait;                   /* what waiting ends in: a state, or MOCK_WAIT_... */
    int recorded;               /* the recorded state of the first capacity; 0: accepted */
    bool empty;                 /* the domain's device holds no capacity */
    bool none;                  /* the domain has no device */
    const char *type;           /* of the connection; NULL: QEMU */
    bool transient;             /* the domain has no definition */
    const char *interrupted_by; /* the tag, or "add", whose call Ctrl-C comes in */
    int interrupt;              /* Ctrl-C in this pause of a wait, from 1; 0: never */
    gint64 clock;               /* microseconds since the test began: it goes on in pauses alone */
    const char *config_tag;     /* of the capacity of the definition; NULL: TAG_A */
    const char *alias;          /* of the device; NULL: cxl-dcd0 */
    bool asked;                 /* a release was asked for */
    GString *calls;
} mockState;

extern mockState mock;

#endif /* VIRSHCXLMOCK_H */
