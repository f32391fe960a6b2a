/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qtest.c: QEMU's qtest protocol
 *
 * One line per command, one line per answer: "OK", "OK VALUE", or anything
 * else for a failure. Lines that start with "IRQ" report interrupt lines, can
 * come at any time and belong to no command. Relies on QEMU answering in
 * order, and on being the socket's only client: QEMU leaves a second one in
 * the listen queue, which shows here as an answer that does not come.
 */

#include "qtest.h"

#include <gio/gunixsocketaddress.h>
#include <string.h>

/* Seconds until a silent QEMU is given up on. */
#define QTEST_DEADLINE 10

/* Bytes that one read or write command moves at most. */
#define QTEST_CHUNK 65536

struct _Qtest {
    GSocketConnection *connection;
    GDataInputStream *input; /* of the connection, by lines */
    GError *error;           /* the first failure, or NULL */
};

/**
 * qtestConnect:
 * @path: QEMU's qtest socket
 * @error: set on failure
 *
 * Returns the connection, or NULL with @error set.
 */
Qtest *
qtestConnect(const char *path, GError **error)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(Qtest) qtest = g_new0(Qtest, 1);

    g_socket_client_set_timeout(client, QTEST_DEADLINE);
    qtest->connection = g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, error);
    if (!qtest->connection) {
        g_prefix_error(error, "cannot connect to the qtest socket %s: ", path);
        return NULL;
    }
    qtest->input =
        g_data_input_stream_new(g_io_stream_get_input_stream(G_IO_STREAM(qtest->connection)));
    return g_steal_pointer(&qtest);
}

/**
 * qtestFree:
 * @qtest: the connection, or NULL
 */
void
qtestFree(Qtest *qtest)
{
    if (!qtest)
        return;

    g_clear_object(&qtest->input);
    g_clear_object(&qtest->connection);
    g_clear_error(&qtest->error);
    g_free(qtest);
}

/**
 * qtestFileDescriptor:
 * @qtest: the connection
 *
 * Returns the socket's file descriptor, for a main loop that watches for
 * QEMU's end; it stays @qtest's own.
 */
int
qtestFileDescriptor(Qtest *qtest)
{
    return g_socket_get_fd(g_socket_connection_get_socket(qtest->connection));
}

/**
 * qtestCheck:
 * @qtest: the connection
 * @error: set to the first failure
 *
 * Returns 0 if every access so far worked, or -1 with @error set.
 */
int
qtestCheck(Qtest *qtest, GError **error)
{
    if (!qtest->error)
        return 0;

    g_propagate_error(error, g_error_copy(qtest->error));
    return -1;
}

/**
 * qtestFail:
 * @qtest: the connection
 * @error: what happened; taken
 *
 * Records a failure of the socket, with a message that says what to do.
 */
static void
qtestFail(Qtest *qtest, GError *error)
{
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_TIMED_OUT)) {
        g_set_error(&qtest->error,
                    G_IO_ERROR,
                    G_IO_ERROR_TIMED_OUT,
                    "no answer from QEMU within %d seconds "
                    "(the qtest socket serves one client at a time)",
                    QTEST_DEADLINE);
    } else {
        g_set_error(&qtest->error,
                    G_IO_ERROR,
                    G_IO_ERROR_CLOSED,
                    "the qtest connection is gone: %s",
                    error->message);
    }
    g_error_free(error);
}

/**
 * qtestAnswer:
 * @qtest: the connection
 * @command: what was asked, for the error
 *
 * Returns what follows "OK " in the answer ("" for a plain "OK"), or NULL
 * after a failure.
 */
static char *
qtestAnswer(Qtest *qtest, const char *command)
{
    while (TRUE) {
        g_autoptr(GError) error = NULL;
        g_autofree char *line = g_data_input_stream_read_line(qtest->input, NULL, NULL, &error);

        if (!line && !error) {
            g_set_error_literal(&qtest->error,
                                G_IO_ERROR,
                                G_IO_ERROR_CLOSED,
                                "QEMU closed the qtest connection");
            return NULL;
        }
        if (!line) {
            qtestFail(qtest, g_steal_pointer(&error));
            return NULL;
        }
        if (g_str_has_prefix(line, "IRQ "))
            continue;
        if (g_str_equal(line, "OK"))
            return g_strdup("");
        if (g_str_has_prefix(line, "OK "))
            return g_strdup(line + strlen("OK "));

        g_set_error(&qtest->error,
                    G_IO_ERROR,
                    G_IO_ERROR_INVALID_DATA,
                    "QEMU's answer to the qtest command '%.60s' is '%.100s'",
                    command,
                    line);
        return NULL;
    }
}

/**
 * qtestCommand:
 * @qtest: the connection
 * @format: the command, in the manner of printf, without a newline
 *
 * Returns the answer's value as qtestAnswer() does.
 */
static char *G_GNUC_PRINTF(2, 3) qtestCommand(Qtest *qtest, const char *format, ...)
{
    g_autoptr(GString) line = g_string_new(NULL);
    GError *error = NULL;
    va_list arguments;

    if (qtest->error)
        return NULL;

    va_start(arguments, format);
    g_string_vprintf(line, format, arguments);
    va_end(arguments);
    g_string_append_c(line, '\n');

    if (!g_output_stream_write_all(g_io_stream_get_output_stream(G_IO_STREAM(qtest->connection)),
                                   line->str,
                                   line->len,
                                   NULL,
                                   NULL,
                                   &error)) {
        qtestFail(qtest, error);
        return NULL;
    }
    g_string_truncate(line, line->len - 1);
    return qtestAnswer(qtest, line->str);
}

/**
 * qtestGet:
 * @qtest: the connection
 * @command: the name of a command that reads one value
 * @address: where
 *
 * Returns the value, 0 after a failure.
 */
static guint64
qtestGet(Qtest *qtest, const char *command, guint64 address)
{
    g_autofree char *answer = qtestCommand(qtest, "%s 0x%" G_GINT64_MODIFIER "x", command, address);

    return answer ? g_ascii_strtoull(answer, NULL, 16) : 0;
}

/**
 * qtestSet:
 * @qtest: the connection
 * @command: the name of a command that writes one value
 * @address: where
 * @value: what
 */
static void
qtestSet(Qtest *qtest, const char *command, guint64 address, guint64 value)
{
    g_free(qtestCommand(qtest,
                        "%s 0x%" G_GINT64_MODIFIER "x "
                        "0x%" G_GINT64_MODIFIER "x",
                        command,
                        address,
                        value));
}

/**
 * qtestIn32:
 * @qtest: the connection
 * @port: an I/O port
 *
 * Returns the port's value, 0 after a failure.
 */
guint32
qtestIn32(Qtest *qtest, guint16 port)
{
    return qtestGet(qtest, "inl", port);
}

/**
 * qtestOut32:
 * @qtest: the connection
 * @port: an I/O port
 * @value: what to write
 */
void
qtestOut32(Qtest *qtest, guint16 port, guint32 value)
{
    qtestSet(qtest, "outl", port, value);
}

/**
 * qtestRead8:
 * @qtest: the connection
 * @address: a guest physical address
 *
 * Returns the byte there, 0 after a failure.
 */
guint8
qtestRead8(Qtest *qtest, guint64 address)
{
    return qtestGet(qtest, "readb", address);
}

/**
 * qtestRead16:
 * @qtest: the connection
 * @address: a guest physical address
 *
 * Returns the 16 bits there, 0 after a failure.
 */
guint16
qtestRead16(Qtest *qtest, guint64 address)
{
    return qtestGet(qtest, "readw", address);
}

/**
 * qtestRead32:
 * @qtest: the connection
 * @address: a guest physical address
 *
 * Returns the 32 bits there, 0 after a failure.
 */
guint32
qtestRead32(Qtest *qtest, guint64 address)
{
    return qtestGet(qtest, "readl", address);
}

/**
 * qtestRead64:
 * @qtest: the connection
 * @address: a guest physical address
 *
 * Returns the 64 bits there, 0 after a failure.
 */
guint64
qtestRead64(Qtest *qtest, guint64 address)
{
    return qtestGet(qtest, "readq", address);
}

/**
 * qtestWrite16:
 * @qtest: the connection
 * @address: a guest physical address
 * @value: what to write
 */
void
qtestWrite16(Qtest *qtest, guint64 address, guint16 value)
{
    qtestSet(qtest, "writew", address, value);
}

/**
 * qtestWrite32:
 * @qtest: the connection
 * @address: a guest physical address
 * @value: what to write
 */
void
qtestWrite32(Qtest *qtest, guint64 address, guint32 value)
{
    qtestSet(qtest, "writel", address, value);
}

/**
 * qtestWrite64:
 * @qtest: the connection
 * @address: a guest physical address
 * @value: what to write
 */
void
qtestWrite64(Qtest *qtest, guint64 address, guint64 value)
{
    qtestSet(qtest, "writeq", address, value);
}

/**
 * qtestRead:
 * @qtest: the connection
 * @address: a guest physical address
 * @buffer: filled with what is there, with zeroes after a failure
 * @size: bytes
 */
void
qtestRead(Qtest *qtest, guint64 address, void *buffer, gsize size)
{
    guint8 *to = buffer;

    if (size > 0)
        memset(buffer, 0, size);
    while (size > 0 && !qtest->error) {
        gsize chunk = MIN(size, QTEST_CHUNK);
        g_autofree char *answer =
            qtestCommand(qtest, "read 0x%" G_GINT64_MODIFIER "x %" G_GSIZE_FORMAT, address, chunk);
        g_autoptr(GByteArray) bytes = answer ? qtestFromHex(answer) : NULL;

        if (bytes && bytes->len == chunk) {
            memcpy(to, bytes->data, chunk);
        } else if (answer) {
            g_set_error(&qtest->error,
                        G_IO_ERROR,
                        G_IO_ERROR_INVALID_DATA,
                        "QEMU's answer to a read of %" G_GSIZE_FORMAT " bytes is '%.100s'",
                        chunk,
                        answer);
        }
        to += chunk;
        address += chunk;
        size -= chunk;
    }
}

/**
 * qtestWrite:
 * @qtest: the connection
 * @address: a guest physical address
 * @buffer: what to write there
 * @size: bytes
 */
void
qtestWrite(Qtest *qtest, guint64 address, const void *buffer, gsize size)
{
    const guint8 *from = buffer;

    while (size > 0 && !qtest->error) {
        gsize chunk = MIN(size, QTEST_CHUNK);
        g_autoptr(GString) hex = g_string_new("0x");

        qtestAppendHex(hex, from, chunk);
        g_free(qtestCommand(qtest,
                            "write 0x%" G_GINT64_MODIFIER "x %" G_GSIZE_FORMAT " %s",
                            address,
                            chunk,
                            hex->str));
        from += chunk;
        address += chunk;
        size -= chunk;
    }
}

/**
 * qtestFromHex:
 * @text: pairs of hexadecimal digits, after "0x" or not
 *
 * Returns the bytes, or NULL if @text is anything else.
 */
GByteArray *
qtestFromHex(const char *text)
{
    g_autoptr(GByteArray) bytes = g_byte_array_new();

    if (g_str_has_prefix(text, "0x"))
        text += 2;
    for (; *text; text += 2) {
        guint8 byte;

        if (!g_ascii_isxdigit(text[0]) || !g_ascii_isxdigit(text[1]))
            return NULL;
        byte = g_ascii_xdigit_value(text[0]) << 4 | g_ascii_xdigit_value(text[1]);
        g_byte_array_append(bytes, &byte, 1);
    }
    return g_steal_pointer(&bytes);
}

/**
 * qtestAppendHex:
 * @text: where two digits a byte are appended
 * @bytes: what
 * @size: how many
 */
void
qtestAppendHex(GString *text, const guint8 *bytes, gsize size)
{
    static const char digits[] = "0123456789abcdef";
    gsize i;

    for (i = 0; i < size; i++) {
        g_string_append_c(text, digits[bytes[i] >> 4]);
        g_string_append_c(text, digits[bytes[i] & 0xf]);
    }
}
