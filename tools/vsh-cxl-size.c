/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-size.c: sizes as the user writes and reads them
 *
 * The only place in the program that knows what "1GiB" means. The suffixes are virsh's:
 * K, M, ... and KiB, MiB, ... are powers of 1024, KB, MB, ... powers of 1000, in upper or
 * lower case. A bare number is bytes.
 */

#include <errno.h>
#include <gio/gio.h>
#include <string.h>

#include "vsh-cxl-size.h"

/* Powers of 1000 and of 1024, in order. */
static const char vshCxlSizePrefixes[] = "KMGTPE";

/**
 * vshCxlSizeUnit:
 * @suffix: what follows the number, possibly nothing
 * @unit: set to the number of bytes that it stands for
 *
 * Returns TRUE if @suffix is known.
 */
static gboolean
vshCxlSizeUnit(const char *suffix, unsigned long long *unit)
{
    unsigned long long base = 1024;
    const char *prefix;
    ptrdiff_t power;

    *unit = 1;
    if (!*suffix || !g_ascii_strcasecmp(suffix, "b") || !g_ascii_strcasecmp(suffix, "byte") ||
        !g_ascii_strcasecmp(suffix, "bytes"))
        return TRUE;

    prefix = strchr(vshCxlSizePrefixes, g_ascii_toupper(*suffix));
    if (!prefix)
        return FALSE;
    if (!g_ascii_strcasecmp(suffix + 1, "b"))
        base = 1000;
    else if (suffix[1] && g_ascii_strcasecmp(suffix + 1, "iB"))
        return FALSE;

    for (power = prefix - vshCxlSizePrefixes; power >= 0; power--)
        *unit *= base;
    return TRUE;
}

/**
 * vshCxlSizeParse:
 * @text: a decimal number and an optional suffix, with no space between them
 * @size: set to the size in bytes
 * @error: set to what is wrong with @text
 *
 * Returns 0 on success, -1 with @error set if @text is not a size or does not fit in 64
 * bits.
 */
int
vshCxlSizeParse(const char *text, unsigned long long *size, GError **error)
{
    unsigned long long number;
    unsigned long long unit;
    char *suffix = NULL;

    if (!g_ascii_isdigit(*text)) {
        g_set_error_literal(error,
                            G_IO_ERROR,
                            G_IO_ERROR_INVALID_ARGUMENT,
                            "a size begins with a digit");
        return -1;
    }

    errno = 0;
    number = g_ascii_strtoull(text, &suffix, 10);
    if (errno == 0 && !vshCxlSizeUnit(suffix, &unit)) {
        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_INVALID_ARGUMENT,
                    "unknown suffix '%s' (known are b, K, KiB, KB, and so on with M, G, T, P, E)",
                    suffix);
        return -1;
    }
    if (errno != 0 || number > G_MAXUINT64 / unit) {
        g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "value too large");
        return -1;
    }

    *size = number * unit;
    return 0;
}

/**
 * vshCxlSizeFormat:
 * @size: bytes
 *
 * Nothing is rounded: the unit is the largest that @size is a whole multiple of.
 *
 * Returns @size with its unit, such as "256 MiB".
 */
char *
vshCxlSizeFormat(unsigned long long size)
{
    size_t power = 0;

    while (size != 0 && size % 1024 == 0 && power < strlen(vshCxlSizePrefixes)) {
        size /= 1024;
        power++;
    }
    if (power == 0)
        return g_strdup_printf("%llu B", size);
    return g_strdup_printf("%llu %ciB", size, vshCxlSizePrefixes[power - 1]);
}
