/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * serve.c: a guest with its driver at work, which also takes commands
 *
 * One main loop and no threads: a timer that looks at the event log, standard
 * input, the signals that end a program, and the end of the qtest connection.
 * The log has to be polled, as qtest does not report message-signalled
 * interrupts.
 *
 * What the driver does by itself is printed as one line each, "device N" and
 * what it did; the answer to a command is the command's own output, then "ok"
 * or "error: " and the reason. Lines of the two kinds never mix within one
 * answer. A failure of the driver is a line "device N failed: ".
 */

#include "serve.h"

#include "command.h"
#include "driver.h"

#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define SERVE_INTERVAL_MS 50
#define SERVE_READ 4096

typedef struct _Serve Serve;
struct _Serve {
    Guest *guest;
    const char *device; /* as guestSelect() takes it */
    const ServeOptions *options;
    GMainLoop *loop;
    GString *input;  /* what came after the last newline */
    GError *failure; /* why it ends, NULL if asked to */
};

/**
 * serveParse:
 * @arguments: "serve" and its options
 * @options: filled
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
int
serveParse(char **arguments, ServeOptions *options, GError **error)
{
    const GOptionEntry entries[] =
        {{.long_name = "refuse", .arg = G_OPTION_ARG_NONE, .arg_data = &options->refuse},
         {.long_name = "no-release", .arg = G_OPTION_ARG_NONE, .arg_data = &options->noRelease},
         {.long_name = "no-stdin", .arg = G_OPTION_ARG_NONE, .arg_data = &options->noStdin},
         {.long_name = "delay", .arg = G_OPTION_ARG_INT, .arg_data = &options->delay},
         {.long_name = "interval", .arg = G_OPTION_ARG_INT, .arg_data = &options->interval},
         {.long_name = NULL}};
    g_auto(GStrv) copy = g_strdupv(arguments);

    *options = (ServeOptions){.interval = SERVE_INTERVAL_MS};
    if (commandParseOptions(&copy, entries, error) < 0)
        return -1;
    if (options->delay < 0 || options->interval < 1) {
        g_set_error_literal(error,
                            G_OPTION_ERROR,
                            G_OPTION_ERROR_BAD_VALUE,
                            "--delay is at least 0 ms and --interval at "
                            "least 1 ms");
        return -1;
    }
    return 0;
}

/**
 * servePrint:
 * @prefix: for each line
 * @text: lines
 *
 * Prints the lines, and flushes them so that the reader gets them at once.
 */
static void
servePrint(const char *prefix, const char *text)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", 0);
    gsize i;

    for (i = 0; lines[i] && lines[i + 1]; i++)
        printf("%s%s\n", prefix, lines[i]);
    fflush(stdout);
}

/**
 * serveConnected:
 * @serve: the guest
 *
 * Returns whether QEMU is still there; ends the main loop if not.
 */
static gboolean
serveConnected(Serve *serve)
{
    if (serve->failure || qtestCheck(serve->guest->qtest, &serve->failure) < 0) {
        g_main_loop_quit(serve->loop);
        return FALSE;
    }
    return TRUE;
}

/**
 * serveFailed:
 * @device: a device
 * @error: what went wrong
 *
 * Reports the failure.
 */
static void
serveFailed(CxlDevice *device, const GError *error)
{
    printf("device %u failed: %s\n", device->index, error->message);
    fflush(stdout);
}

/**
 * serveMap:
 * @serve: the guest
 * @error: set on failure; a device that cannot be mapped is not a failure, as
 *   its offers can still be answered
 *
 * Finds and maps the devices.
 *
 * Returns 0, or -1 with @error set.
 */
static int
serveMap(Serve *serve, GError **error)
{
    g_autoptr(GPtrArray) devices = NULL;
    g_autoptr(GString) output = g_string_new(NULL);
    guint i;

    if (guestSetUp(serve->guest, error) < 0)
        return -1;
    devices = guestSelect(serve->guest, serve->device, error);
    if (!devices)
        return -1;

    for (i = 0; i < devices->len; i++) {
        CxlDevice *device = g_ptr_array_index(devices, i);
        g_autoptr(GError) local = NULL;

        if (device->regionCount == 0)
            continue;
        if (commandMapDevice(device, output, &local) < 0)
            serveFailed(device, local);
        servePrint("", output->str);
        g_string_truncate(output, 0);
    }
    return qtestCheck(serve->guest->qtest, error);
}

/**
 * serveReset:
 * @serve: the guest
 *
 * Sets the machine up again if it was reset. Ends the main loop on failure.
 *
 * Returns whether it was reset.
 */
static gboolean
serveReset(Serve *serve)
{
    GPtrArray *devices = serve->guest->devices;
    gboolean reset = FALSE;
    guint i;

    for (i = 0; i < devices->len && !reset; i++) {
        CxlDevice *device = g_ptr_array_index(devices, i);

        reset = !mailboxResponds(&device->mailbox);
    }
    if (!reset || !serveConnected(serve))
        return reset;
    servePrint("", "reset\n");
    if (serveMap(serve, &serve->failure) < 0)
        g_main_loop_quit(serve->loop);
    return TRUE;
}

/**
 * serveDevice:
 * @serve: the guest
 * @device: one of its devices
 *
 * Does what the device's event log asks for, once the delay has passed.
 */
static void
serveDevice(Serve *serve, CxlDevice *device)
{
    gint64 delay = serve->options->delay * G_TIME_SPAN_MILLISECOND;
    g_autofree char *prefix = g_strdup_printf("device %u ", device->index);
    g_autoptr(GString) output = g_string_new(NULL);
    g_autoptr(GError) error = NULL;

    if (!driverHasWork(device, &error) && !error) {
        device->seen = 0;
        return;
    }
    if (device->seen == 0)
        device->seen = g_get_monotonic_time();
    if (!error && g_get_monotonic_time() - device->seen < delay)
        return;

    device->seen = 0;
    if (!error)
        driverWork(device, !serve->options->refuse, !serve->options->noRelease, output, &error);
    servePrint(prefix, output->str);
    if (error && serveConnected(serve))
        serveFailed(device, error);
}

/**
 * serveTick:
 * @opaque: the guest
 *
 * Looks after all devices; sets the machine up again after a reset.
 *
 * Returns whether to be called again.
 */
static gboolean
serveTick(gpointer opaque)
{
    Serve *serve = opaque;
    g_autoptr(GPtrArray) devices = NULL;
    guint i;

    if (!serveReset(serve))
        devices = guestSelect(serve->guest, serve->device, NULL);
    for (i = 0; devices && i < devices->len; i++) {
        CxlDevice *device = g_ptr_array_index(devices, i);

        if (device->regionCount > 0)
            serveDevice(serve, device);
    }
    return serveConnected(serve) ? G_SOURCE_CONTINUE : G_SOURCE_REMOVE;
}

/**
 * serveCommand:
 * @serve: the guest
 * @line: "[--device DEVICE] COMMAND [ARGUMENTS]"
 *
 * Runs the command and prints its answer.
 */
static void
serveCommand(Serve *serve, const char *line)
{
    g_autoptr(GOptionContext) context = g_option_context_new(NULL);
    g_autoptr(GString) output = g_string_new(NULL);
    g_autoptr(GError) error = NULL;
    g_autofree char *device = g_strdup(serve->device);
    g_autofree char *program = g_strdup_printf("cxl-guest %s", line);
    g_auto(GStrv) words = NULL;
    const GOptionEntry entries[] = {{.long_name = "device",
                                     .arg = G_OPTION_ARG_STRING,
                                     .arg_data = &device},
                                    {.long_name = NULL}};

    serveReset(serve);
    g_option_context_set_help_enabled(context, FALSE);
    g_option_context_set_strict_posix(context, TRUE);
    g_option_context_add_main_entries(context, entries, NULL);
    if (g_shell_parse_argv(program, NULL, &words, &error) &&
        g_option_context_parse_strv(context, &words, &error))
        commandRun(serve->guest, device, words + 1, output, &error);

    servePrint("", output->str);
    if (error)
        printf("error: %s\n", error->message);
    else
        printf("ok\n");
    fflush(stdout);
    serveConnected(serve);
}

/**
 * serveInput:
 * @descriptor: standard input
 * @condition: unused
 * @opaque: the guest
 *
 * Reads the available input, and runs each complete line. The end of standard
 * input ends the guest.
 *
 * Returns whether to be called again.
 */
static gboolean
serveInput(gint descriptor, GIOCondition condition G_GNUC_UNUSED, gpointer opaque)
{
    Serve *serve = opaque;
    char buffer[SERVE_READ];
    ssize_t size = read(descriptor, buffer, sizeof(buffer));
    char *end;

    if (size <= 0) {
        /* The last line may lack its newline. */
        if (*g_strstrip(serve->input->str))
            serveCommand(serve, serve->input->str);
        g_main_loop_quit(serve->loop);
        return G_SOURCE_REMOVE;
    }
    g_string_append_len(serve->input, buffer, size);
    while (!serve->failure && (end = strchr(serve->input->str, '\n'))) {
        g_autofree char *line = g_strndup(serve->input->str, end - serve->input->str);

        g_string_erase(serve->input, 0, end + 1 - serve->input->str);
        if (*g_strstrip(line))
            serveCommand(serve, line);
    }
    return G_SOURCE_CONTINUE;
}

/**
 * serveGone:
 * @descriptor: the qtest socket
 * @condition: unused
 * @opaque: the guest
 *
 * QEMU has ended.
 *
 * Returns G_SOURCE_REMOVE.
 */
static gboolean
serveGone(gint descriptor G_GNUC_UNUSED, GIOCondition condition G_GNUC_UNUSED, gpointer opaque)
{
    Serve *serve = opaque;

    g_main_loop_quit(serve->loop);
    return G_SOURCE_REMOVE;
}

/**
 * serveStop:
 * @opaque: the guest
 *
 * A signal asks for the end.
 *
 * Returns G_SOURCE_CONTINUE.
 */
static gboolean
serveStop(gpointer opaque)
{
    Serve *serve = opaque;

    g_main_loop_quit(serve->loop);
    return G_SOURCE_CONTINUE;
}

/**
 * serveRun:
 * @guest: the machine
 * @device: the devices to serve, as guestSelect() takes it
 * @options: how
 * @error: set on failure; QEMU's end is not one
 *
 * Maps the devices, says "ready", and serves until the end of standard input,
 * of QEMU, or until SIGTERM or SIGINT.
 *
 * Returns 0, or -1 with @error set.
 */
int
serveRun(Guest *guest, const char *device, const ServeOptions *options, GError **error)
{
    g_autoptr(GMainLoop) loop = g_main_loop_new(NULL, FALSE);
    g_autoptr(GString) input = g_string_new(NULL);
    Serve serve = {.guest = guest,
                   .device = device,
                   .options = options,
                   .loop = loop,
                   .input = input};

    if (serveMap(&serve, error) < 0)
        return -1;
    servePrint("", "ready\n");

    g_timeout_add(options->interval, serveTick, &serve);
    g_unix_fd_add(qtestFileDescriptor(guest->qtest), G_IO_HUP | G_IO_ERR, serveGone, &serve);
    g_unix_signal_add(SIGTERM, serveStop, &serve);
    g_unix_signal_add(SIGINT, serveStop, &serve);
    if (!options->noStdin)
        g_unix_fd_add(STDIN_FILENO, G_IO_IN | G_IO_HUP | G_IO_ERR, serveInput, &serve);
    g_main_loop_run(loop);

    if (serve.failure && !g_error_matches(serve.failure, G_IO_ERROR, G_IO_ERROR_CLOSED)) {
        g_propagate_error(error, serve.failure);
        return -1;
    }
    g_clear_error(&serve.failure);
    return 0;
}
