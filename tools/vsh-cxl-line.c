/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-line.c: a line of commands, in virsh's grammar
 *
 *     list --all; dominfo "my vm"   # both in one line
 *
 * Words are separated by white space, commands by ';' or newlines. A backslash makes the
 * next character an ordinary one, also inside double quotes; inside single quotes it is
 * an ordinary character itself; a backslash before a newline removes both. A '#' where a
 * word could begin starts a comment that runs to the end of the line. The closing single
 * quote may be missing. This is not a shell's grammar: nothing is expanded.
 */

#include <gio/gio.h>
#include <string.h>

#include "vsh-cxl-line.h"

typedef struct {
    const char *next;
    GPtrArray *commands; /* of GPtrArray of words; the last one is being filled */
} vshCxlLine;

static void
vshCxlLineBeginCommand(vshCxlLine *line)
{
    g_ptr_array_add(line->commands, g_ptr_array_new_with_free_func(g_free));
}

/* Read the inside of a quotation; a single quote need not be closed. */
static int
vshCxlLineParseQuoted(vshCxlLine *line, char quote, GString *word, GError **error)
{
    for (; *line->next && *line->next != quote; line->next++) {
        if (*line->next == '\\' && quote == '"' && line->next[1])
            line->next++;
        g_string_append_c(word, *line->next);
    }
    if (*line->next) {
        line->next++;
        return 0;
    }
    if (quote == '\'')
        return 0;
    g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "missing \"");
    return -1;
}

/* Read the word that begins here. */
static int
vshCxlLineParseWord(vshCxlLine *line, GError **error)
{
    g_autoptr(GString) word = g_string_new(NULL);
    GPtrArray *command = g_ptr_array_index(line->commands, line->commands->len - 1);

    while (*line->next && !strchr(" \t\r\n;", *line->next)) {
        char c = *line->next++;

        if (c == '\'' || c == '"') {
            if (vshCxlLineParseQuoted(line, c, word, error) < 0)
                return -1;
            continue;
        }
        if (c == '\\') {
            if (!*line->next) {
                g_set_error_literal(error, G_IO_ERROR, G_IO_ERROR_INVALID_ARGUMENT, "dangling \\");
                return -1;
            }
            if (*line->next == '\n') {
                line->next++;
                continue;
            }
            c = *line->next++;
        }
        g_string_append_c(word, c);
    }
    g_ptr_array_add(command, g_strdup(word->str));
    return 0;
}

/**
 * vshCxlLineParse:
 * @text: one or more lines
 * @error: set to what is wrong, in virsh's words
 *
 * Returns the commands, a GPtrArray with at least one element, each a NULL-terminated
 * GPtrArray of words: what follows the last ';' or newline counts as a command too, and
 * may have no words. Returns NULL with @error set if a quotation or a backslash is
 * unfinished.
 */
GPtrArray *
vshCxlLineParse(const char *text, GError **error)
{
    g_autoptr(GPtrArray) commands =
        g_ptr_array_new_with_free_func((GDestroyNotify)g_ptr_array_unref);
    vshCxlLine line = {.next = text, .commands = commands};
    size_t i;

    vshCxlLineBeginCommand(&line);
    while (*line.next) {
        if (*line.next == '#') {
            line.next += strcspn(line.next, "\n");
        } else if (g_str_has_prefix(line.next, "\\\n")) {
            line.next += 2;
        } else if (!strchr(" \t\r\n;", *line.next)) {
            if (vshCxlLineParseWord(&line, error) < 0)
                return NULL;
        } else if (strchr("\n;", *line.next++)) {
            vshCxlLineBeginCommand(&line);
        }
    }
    for (i = 0; i < commands->len; i++)
        g_ptr_array_add(g_ptr_array_index(commands, i), NULL);
    return g_steal_pointer(&commands);
}

/**
 * vshCxlLineQuote:
 * @word: a word
 * @quote: the quote that it is typed inside of, 0 for none
 *
 * Returns @word as it has to be typed.
 */
char *
vshCxlLineQuote(const char *word, char quote)
{
    const char *special = quote == '"' ? "\"\\" : quote ? "" : "\"'\\ \t;#";
    GString *quoted = g_string_new(NULL);

    for (; *word; word++) {
        if (strchr(special, *word))
            g_string_append_c(quoted, '\\');
        g_string_append_c(quoted, *word);
    }
    return g_string_free(quoted, FALSE);
}
