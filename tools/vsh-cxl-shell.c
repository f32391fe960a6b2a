/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-shell.c: the interactive shell, for a run without a command
 *
 * It behaves like virsh, on a pipe as well as on a terminal: readline reads both, one
 * character at a time, so that a command can read the input that follows it.
 *
 * Ctrl-C at the prompt discards the line. While one of virsh's commands is running,
 * Ctrl-C goes to that command (it is caught here, not ignored, as a child would inherit
 * that). One of our commands that waits catches it itself; any other is ended by it,
 * along with the shell, as in virsh.
 */

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <readline/history.h>
#include <readline/readline.h>

#include "vsh-cxl-complete.h"
#include "vsh-cxl-line.h"
#include "vsh-cxl-shell.h"

/* The same number of lines as virsh. */
#define VSH_CXL_SHELL_HISTORY 500

/* The characters that delimit a word to complete. */
#define VSH_CXL_SHELL_BREAKS " \t\n;"

static vshCxlSession *vshCxlShellSession; /* readline's callbacks take no argument */
static char *vshCxlShellLine;             /* the line read, NULL at the end of the input */
static bool vshCxlShellHasLine;
static volatile sig_atomic_t vshCxlShellInterrupted;

/* ------------------------------------------------------------- completion */

/* Whether the character at this index is escaped by a backslash. */
static int
vshCxlShellIsQuoted(char *line, int at)
{
    int backslashes = 0;

    while (at > backslashes && line[at - backslashes - 1] == '\\')
        backslashes++;
    return backslashes % 2;
}

/* The words of the command that ends with the one being typed; NULL if the line cannot be
 * parsed. */
static char **
vshCxlShellGetWords(const char *text, int start)
{
    bool quoted = rl_completion_quote_character && start > 0;
    g_autofree char *before = g_strndup(rl_line_buffer, (gsize)(start - quoted));
    g_autoptr(GPtrArray) commands = vshCxlLineParse(before, NULL);
    g_autoptr(GPtrArray) typed = quoted ? NULL : vshCxlLineParse(text, NULL);
    GPtrArray *command;
    const char *last = text;
    char **words;
    size_t i;

    if (!commands)
        return NULL;
    if (typed && ((GPtrArray *)g_ptr_array_index(typed, 0))->len > 1)
        last = g_ptr_array_index((GPtrArray *)g_ptr_array_index(typed, 0), 0);

    /* the NULL at the end makes room for the last word */
    command = g_ptr_array_index(commands, commands->len - 1);
    words = g_new0(char *, command->len + 1);
    for (i = 0; i + 1 < command->len; i++)
        words[i] = g_strdup(g_ptr_array_index(command, i));
    words[i] = g_strdup(last);
    return words;
}

/* The common prefix of all values. */
static char *
vshCxlShellCommon(char **values)
{
    size_t length = strlen(values[0]);
    size_t i;

    for (i = 1; values[i]; i++) {
        while (strncmp(values[0], values[i], length) != 0)
            length--;
    }
    return g_strndup(values[0], length);
}

/* readline calls free() on what it is given: the common prefix, then the values. If there are
 * none, it completes file names. */
static char **
vshCxlShellComplete(const char *text, int start, int end G_GNUC_UNUSED)
{
    g_auto(GStrv) words = vshCxlShellGetWords(text, start);
    g_auto(GStrv) values = words ? vshCxlComplete(vshCxlShellSession->ctl, words) : NULL;
    g_autofree char *common = NULL;
    char **matches;
    size_t n;
    size_t i;

    if (!values || !values[0])
        return NULL;
    for (i = 0; values[i]; i++) {
        char *value = values[i];

        values[i] = vshCxlLineQuote(value, (char)rl_completion_quote_character);
        g_free(value);
    }
    n = i;
    common = vshCxlShellCommon(values);
    matches = calloc(n + 2, sizeof(*matches));
    if (!matches)
        return NULL;
    matches[0] = strdup(common);
    for (i = 0; n > 1 && i < n; i++)
        matches[i + 1] = strdup(values[i]);
    return matches;
}

/* ----------------------------------------------------------------- history */

static char *
vshCxlShellHistoryFile(void)
{
    return g_build_filename(g_get_user_cache_dir(), "virsh-cxl", "history", NULL);
}

static int
vshCxlShellBeginHistory(vshCxlControl *ctl)
{
    const char *lines = g_getenv("VIRSH_HISTSIZE");
    g_autofree char *file = vshCxlShellHistoryFile();
    guint64 size = VSH_CXL_SHELL_HISTORY;

    if (lines && !g_ascii_string_to_unsigned(lines, 10, 0, G_MAXINT, &size, NULL)) {
        vshCxlError(ctl,
                    "the environment variable VIRSH_HISTSIZE is '%s': expected a number of lines",
                    lines);
        return -1;
    }
    stifle_history((int)size);
    /* fails the first time, when there is no file */
    read_history(file);
    return 0;
}

static void
vshCxlShellEndHistory(vshCxlControl *ctl)
{
    g_autofree char *file = vshCxlShellHistoryFile();
    g_autofree char *folder = g_path_get_dirname(file);
    int error = 0;

    if (g_mkdir_with_parents(folder, 0700) < 0)
        error = errno;
    else
        error = write_history(file);
    if (error)
        vshCxlError(ctl, "cannot write the history to '%s': %s", file, g_strerror(error));
}

/* -------------------------------------------------------------- the shell */

static void
vshCxlShellInterrupt(int signal G_GNUC_UNUSED)
{
    vshCxlShellInterrupted = 1;
}

static void
vshCxlShellTakeLine(char *line)
{
    rl_callback_handler_remove();
    vshCxlShellLine = line;
    vshCxlShellHasLine = true;
}

/* Ctrl-C: what was typed stays on the screen, and a new prompt appears below. */
static void
vshCxlShellDropLine(const char *prompt)
{
    vshCxlShellInterrupted = 0;
    rl_callback_sigcleanup();
    rl_free_line_state();
    rl_crlf();
    rl_callback_handler_remove();
    rl_replace_line("", 1);
    rl_callback_handler_install(prompt, vshCxlShellTakeLine);
}

/* Wait for a key or a signal. readline's handler only sets a flag, so a signal that arrives just
 * before the wait must not go unnoticed until the next key. Returns whether there is a key. */
static bool
vshCxlShellWait(void)
{
    struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
    sigset_t interrupt;
    sigset_t before;
    bool key = false;

    sigemptyset(&interrupt);
    sigaddset(&interrupt, SIGINT);
    sigprocmask(SIG_BLOCK, &interrupt, &before);
    rl_check_signals();
    if (!vshCxlShellInterrupted)
        key = ppoll(&input, 1, NULL, &before) > 0;
    sigprocmask(SIG_SETMASK, &before, NULL);
    if (!key)
        rl_check_signals();
    return key;
}

/**
 * vshCxlShellReadLine:
 * @prompt: the prompt
 *
 * Drives readline through its callback interface: in its blocking interface, Ctrl-C
 * cannot cancel an incremental search.
 *
 * Returns the line, to be freed with free(), or NULL at the end of the input.
 */
static char *
vshCxlShellReadLine(const char *prompt)
{
    vshCxlShellInterrupted = 0;
    vshCxlShellHasLine = false;
    rl_callback_handler_install(prompt, vshCxlShellTakeLine);
    while (!vshCxlShellHasLine) {
        if (vshCxlShellWait())
            rl_callback_read_char();
        if (vshCxlShellInterrupted && !vshCxlShellHasLine)
            vshCxlShellDropLine(prompt);
    }
    return vshCxlShellLine;
}

static void
vshCxlShellRunLine(vshCxlSession *session, const char *line)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) commands = vshCxlLineParse(line, &error);

    if (commands)
        vshCxlSessionRunLine(session, commands);
    else
        vshCxlError(session->ctl, "%s", error->message);
}

static void
vshCxlShellLoop(vshCxlSession *session, bool history)
{
    g_autofree char *name = g_path_get_basename(session->program);
    const struct sigaction action = {.sa_handler = vshCxlShellInterrupt};

    sigaction(SIGINT, &action, NULL);
    while (!session->done && !ferror(session->ctl->out)) {
        g_autofree char *prompt =
            g_strdup_printf("%s %c ", name, session->ctl->readonly ? '>' : '#');
        char *line = vshCxlShellReadLine(prompt);

        if (!line) {
            fputc('\n', session->ctl->out);
            break;
        }
        if (*line && history)
            add_history(line);
        vshCxlShellRunLine(session, line);
        free(line);
    }
}

/**
 * vshCxlShellRun:
 * @session: the session
 *
 * As in virsh, if a connection was named, it must succeed before anything else runs.
 *
 * Returns the exit status.
 */
int
vshCxlShellRun(vshCxlSession *session)
{
    vshCxlControl *ctl = session->ctl;
    bool terminal = isatty(STDIN_FILENO);

    if (vshCxlSessionInitialize(ctl) < 0 || (ctl->uri && vshCxlOpen(ctl) < 0) ||
        (terminal && vshCxlShellBeginHistory(ctl) < 0))
        return EXIT_FAILURE;
    vshCxlPrintExtra(ctl,
                     ctl->out,
                     "Welcome to virsh-cxl, virsh with commands for CXL dynamic capacity.\n\n"
                     "Type:  'help' for help with commands\n"
                     "       'quit' to quit\n\n");

    vshCxlShellSession = session;
    rl_readline_name = "virsh-cxl";
    rl_basic_word_break_characters = VSH_CXL_SHELL_BREAKS;
    rl_completer_quote_characters = "\"'";
    rl_char_is_quoted_p = vshCxlShellIsQuoted;
    rl_attempted_completion_function = vshCxlShellComplete;
    rl_persistent_signal_handlers = 1;
    vshCxlShellLoop(session, terminal);

    if (terminal)
        vshCxlShellEndHistory(ctl);
    return EXIT_SUCCESS;
}
