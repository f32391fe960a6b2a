/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-term.c: what the output's terminal can show
 *
 * COLUMNS lets a user or a test set the width, and takes precedence over the terminal's
 * own. Colour is used together with block characters, and so only in a UTF-8 locale; all
 * other output is plain ASCII.
 */

#include <glib.h>
#include <langinfo.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vsh-cxl-term.h"

#define VSH_CXL_TERM_WIDTH 80
#define VSH_CXL_TERM_WIDTH_MIN 20
#define VSH_CXL_TERM_WIDTH_MAX 10000

/**
 * vshCxlTermWidth:
 * @out: where the output goes
 *
 * Returns the columns of a line, within limits: from COLUMNS, from the terminal, or 80.
 */
size_t
vshCxlTermWidth(FILE *out)
{
    const char *columns = g_getenv("COLUMNS");
    int fd = fileno(out);
    struct winsize size;
    guint64 width;

    if (!columns || !g_ascii_string_to_unsigned(columns, 10, 1, G_MAXUINT, &width, NULL)) {
        width = VSH_CXL_TERM_WIDTH;
        if (fd >= 0 && ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
            width = size.ws_col;
    }
    return CLAMP(width, VSH_CXL_TERM_WIDTH_MIN, VSH_CXL_TERM_WIDTH_MAX);
}

/**
 * vshCxlTermHasColour:
 * @out: where the output goes
 *
 * Returns whether it is a terminal that shows colour and UTF-8, and NO_COLOR (see
 * https://no-color.org) is not set.
 */
bool
vshCxlTermHasColour(FILE *out)
{
    const char *no_color = g_getenv("NO_COLOR");
    const char *term = g_getenv("TERM");
    int fd = fileno(out);

    return fd >= 0 && isatty(fd) && !(no_color && *no_color) && term &&
           !g_str_equal(term, "dumb") && g_str_equal(nl_langinfo(CODESET), "UTF-8");
}
