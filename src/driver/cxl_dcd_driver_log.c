/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_log.c: what the driver module writes to a daemon's log
 *
 * Here the log is the daemon's standard error, which systemd sends to the journal: libvirt
 * has no public function for its own log.
 */

#include <config.h>

#include <stdio.h>
#include <unistd.h>

#include "cxl_dcd_driver_log.h"

/**
 * cxlDcdDriverLog:
 * @priority: "info", "warning" or "error"
 * @format: the message, as for printf()
 *
 * Write the message on one line, in the form of libvirt's own messages. It contains no control
 * characters for a terminal, whatever names clients have chosen.
 */
void
cxlDcdDriverLog(const char *priority, const char *format, ...)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *time = g_date_time_format(now, "%Y-%m-%d %H:%M:%S");
    g_autofree char *text = NULL;
    g_autofree char *valid = NULL;
    g_autoptr(GString) line = g_string_new(NULL);
    const char *at;
    va_list args;

    va_start(args, format);
    text = g_strdup_vprintf(format, args);
    va_end(args);
    valid = g_utf8_make_valid(text, -1);
    for (at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);

        g_string_append_unichar(line, g_unichar_iscntrl(c) ? ' ' : c);
    }
    fprintf(stderr,
            "%s.%03d+0000: %ld: %s : libvirt-cxl-dcd " PACKAGE_VERSION ": %s\n",
            time,
            g_date_time_get_microsecond(now) / 1000,
            (long)getpid(),
            priority,
            line->str);
}
