/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * serve.h: a guest that keeps running
 */

#ifndef GUEST_SERVE_H
#define GUEST_SERVE_H

#include "guest.h"

#define SERVE_USAGE                                                                                \
    "serve [--refuse] [--no-release] [--delay MS] "                                                \
    "[--interval MS] [--no-stdin]"

typedef struct _ServeOptions ServeOptions;
struct _ServeOptions {
    gboolean refuse;    /* answer offers with an empty list */
    gboolean noRelease; /* do not give back what is asked for */
    gboolean noStdin;   /* take no commands */
    gint delay;         /* ms from seeing a record to acting on it */
    gint interval;      /* ms between two polls of the log */
};

int serveParse(char **arguments, ServeOptions *options, GError **error);
int serveRun(Guest *guest, const char *device, const ServeOptions *options, GError **error);

#endif
