/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_log.c: what the driver module says in a daemon's log
 *
 * The log is here the daemon's standard error, which systemd puts into the journal:
 * libvirt's own way to it is no public function.
 */

#include <config.h>

#include <stdio.h>
#include <unistd.h>

#include "cxl_dcd_driver_log.h"

/**
 * cxlDcdDriverLog:
 * @priority: "info", "warning" or "error"
 * @format: what to say, on one line, in the manner of printf
 *
 * Say it in the form of libvirt's own messages.
 */
void
cxlDcdDriverLog(const char *priority, const char *format, ...)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%d %H:%M:%S");
    g_autofree char *text = NULL;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    g_strdelimit(text, "\n", ' ');
    fprintf(stderr,
            "%s.%03d+0000: %ld: %s : libvirt-cxl-dcd " PACKAGE_VERSION ": %s\n",
            time,
            g_date_time_get_microsecond(now) / 1000,
            (long)getpid(),
            priority,
            text);
}
