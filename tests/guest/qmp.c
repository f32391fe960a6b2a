/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qmp-send: sends QMP commands, one after another, and prints their replies
 *
 * Just enough for a test written in shell: "qmp-send SOCKET JSON..." does the
 * greeting, sends each JSON text as it is, and prints the reply to it on one
 * line. Events are left out. Relies on QEMU sending each message on one line,
 * and on replies starting with "return" or "error" (as they do for commands
 * without an id), so that no JSON has to be understood here.
 *
 * Exit status: 0, 1 if a command failed (the rest is still sent), 2 on wrong
 * usage or if QEMU is not there.
 */

#include <gio/gio.h>
#include <gio/gunixsocketaddress.h>
#include <stdio.h>
#include <string.h>

#define QMP_DEADLINE 30 /* seconds */
#define QMP_REPLY "{\"return\""
#define QMP_ERROR "{\"error\""
#define QMP_GREETING "{\"QMP\""

/**
 * qmpReceive:
 * @input: QEMU's messages
 * @greeting: whether the greeting is waited for, or a reply
 * @error: set on failure
 *
 * Returns the next such message, or NULL with @error set.
 */
static char *
qmpReceive(GDataInputStream *input, gboolean greeting, GError **error)
{
    while (TRUE) {
        g_autofree char *line = NULL;
        g_autoptr(GError) local = NULL;

        line = g_data_input_stream_read_line(input, NULL, NULL, &local);
        if (!line) {
            g_set_error(error,
                        G_IO_ERROR,
                        G_IO_ERROR_FAILED,
                        "no reply from QEMU: %s",
                        local ? local->message : "it closed the connection");
            return NULL;
        }
        g_strchomp(line);
        if (greeting ? g_str_has_prefix(line, QMP_GREETING)
                     : g_str_has_prefix(line, QMP_REPLY) || g_str_has_prefix(line, QMP_ERROR))
            return g_steal_pointer(&line);
    }
}

/**
 * qmpSend:
 * @connection: to QEMU
 * @input: QEMU's messages
 * @command: JSON
 * @error: set on failure; an error reply is not a failure
 *
 * Returns the reply, or NULL with @error set.
 */
static char *
qmpSend(GSocketConnection *connection, GDataInputStream *input, const char *command, GError **error)
{
    g_autofree char *line = g_strdup_printf("%s\n", command);

    if (!g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(connection)),
                                   line,
                                   strlen(line),
                                   NULL,
                                   NULL,
                                   error))
        return NULL;
    return qmpReceive(input, FALSE, error);
}

/**
 * qmpRun:
 * @path: QEMU's QMP socket
 * @commands: JSON texts
 * @failed: set to whether a reply was an error
 * @error: set on failure
 *
 * Returns 0, or -1 with @error set.
 */
static int
qmpRun(const char *path, char **commands, gboolean *failed, GError **error)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GSocketConnection) connection = NULL;
    g_autoptr(GDataInputStream) input = NULL;
    g_autofree char *greeting = NULL;
    g_autofree char *ready = NULL;

    g_socket_client_set_timeout(client, QMP_DEADLINE);
    connection = g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, error);
    if (!connection)
        return -1;
    input = g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
    greeting = qmpReceive(input, TRUE, error);
    if (!greeting)
        return -1;
    ready = qmpSend(connection, input, "{\"execute\":\"qmp_capabilities\"}", error);
    if (!ready)
        return -1;

    for (; *commands; commands++) {
        g_autofree char *reply = qmpSend(connection, input, *commands, error);

        if (!reply)
            return -1;
        puts(reply);
        if (g_str_has_prefix(reply, QMP_ERROR))
            *failed = TRUE;
    }
    return 0;
}

int
main(int argc, char **argv)
{
    g_autoptr(GError) error = NULL;
    gboolean failed = FALSE;

    if (argc < 3) {
        fprintf(stderr, "usage: qmp-send SOCKET JSON...\n");
        return 2;
    }
    if (qmpRun(argv[1], argv + 2, &failed, &error) < 0) {
        fprintf(stderr, "qmp-send: %s: %s\n", argv[1], error->message);
        return 2;
    }
    return failed ? 1 : 0;
}
