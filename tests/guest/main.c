/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl-guest: plays the guest of a machine with CXL dynamic capacity
 *
 * A test needs a guest that accepts extents, uses the memory and gives it
 * back, in the order and at the moment that the test wants. A real one needs a
 * kernel image, takes a minute to start and acts on its own. This program does
 * what firmware, bus driver and CXL driver would do, from outside, through
 * QEMU's qtest socket, on a machine that was started paused:
 *
 *     main --- command --- driver --- dcd --- mailbox -----.
 *         \          \                                      \
 *          serve      guest --- pci, acpi, cxl_device, hdm --- qtest --- QEMU
 *
 * Each command enumerates the machine afresh and sets up what is not set up
 * yet, so that commands can be run one by one as separate processes; all state
 * between them is in the machine. The qtest socket serves one client at a
 * time: a guest that is to act by itself while a test goes on is a single
 * process, "serve", which takes the same commands on standard input.
 *
 * Exit status: 0, 1 if something failed, 2 on wrong usage.
 */

#include "command.h"
#include "serve.h"

#include <stdio.h>

#define EXIT_FAILED 1
#define EXIT_USAGE 2

/**
 * mainRun:
 * @path: QEMU's qtest socket
 * @device: which device, or NULL
 * @arguments: the command and what follows
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
mainRun(const char *path, const char *device, char **arguments, GError **error)
{
    gboolean serve = arguments[0] && g_str_equal(arguments[0], "serve");
    ServeOptions options;
    g_autoptr(Guest) guest = NULL;
    g_autoptr(GString) output = g_string_new(NULL);
    int result;

    if (!path || !arguments[0]) {
        g_set_error(error,
                    G_OPTION_ERROR,
                    G_OPTION_ERROR_FAILED,
                    "%s missing; see --help",
                    path ? "the command is" : "--qtest PATH is");
        return -1;
    }
    if (!serve && !commandExists(arguments[0])) {
        g_set_error(error,
                    G_OPTION_ERROR,
                    G_OPTION_ERROR_FAILED,
                    "unknown command '%s'; see --help",
                    arguments[0]);
        return -1;
    }
    if (serve && serveParse(arguments, &options, error) < 0)
        return -1;

    guest = guestOpen(path, error);
    if (!guest)
        return -1;
    if (serve)
        return serveRun(guest, device, &options, error);
    if (guestSetUp(guest, error) < 0)
        return -1;
    result = commandRun(guest, device, arguments, output, error);
    fputs(output->str, stdout);
    return result;
}

int
main(int argc, char **argv)
{
    g_autoptr(GOptionContext) context = g_option_context_new("COMMAND [ARGUMENT...]");
    g_autoptr(GError) error = NULL;
    g_autofree char *path = NULL;
    g_autofree char *device = NULL;
    g_autofree char *commands = commandSummary();
    g_autofree char *summary = g_strdup_printf("%s\n  %s", commands, SERVE_USAGE);
    const GOptionEntry entries[] =
        {{"qtest", 0, 0, G_OPTION_ARG_FILENAME, &path, "QEMU's qtest socket", "PATH"},
         {"device",
          0,
          0,
          G_OPTION_ARG_STRING,
          &device,
          "serial number (0x...) or index of the device",
          "DEVICE"},
         {NULL, 0, 0, G_OPTION_ARG_NONE, NULL, NULL, NULL}};

    g_option_context_set_strict_posix(context, TRUE);
    g_option_context_add_main_entries(context, entries, NULL);
    g_option_context_set_summary(context, summary);
    if (g_option_context_parse(context, &argc, &argv, &error) &&
        mainRun(path, device, argv + 1, &error) == 0)
        return 0;

    fprintf(stderr, "cxl-guest: %s\n", error->message);
    return error->domain == G_OPTION_ERROR ? EXIT_USAGE : EXIT_FAILED;
}
