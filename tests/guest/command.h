/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * command.h: the guest's commands, on the command line and in serve
 */

#ifndef GUEST_COMMAND_H
#define GUEST_COMMAND_H

#include "guest.h"

gboolean commandExists(const char *name);
char *commandSummary(void);
int commandRun(Guest *guest, const char *device, char **arguments, GString *output, GError **error);
int commandMapDevice(CxlDevice *device, GString *output, GError **error);
int commandParseOptions(char ***arguments, const GOptionEntry *entries, GError **error);
int commandParseNumber(const char *text,
                       const char *what,
                       guint64 limit,
                       guint64 *value,
                       GError **error);

#endif
