/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virsh-cxl.c: virsh with commands for CXL dynamic capacity
 *
 * A superset of virsh that contains no copy of it: the command line is parsed only as far
 * as needed to decide who runs the command.
 *
 *     command line                     who runs it
 *     ------------------------------   ------------------------------------------------
 *     none                             this program's shell (vsh-cxl-shell.c)
 *     one of our commands, help        this program (vsh-cxl-session.c)
 *     a string of commands that
 *     includes one of those            this program, one after the other
 *     -h                               virsh; then this program prints its own group
 *     anything else                    virsh, which replaces this process (vsh-cxl-stock.c)
 *
 * "Anything else" includes -v, and whatever virsh would refuse: virsh reports that
 * itself, in its own words. As in virsh, a single argument is a string of commands,
 * "list; dominfo vm".
 */

#include <getopt.h>
#include <glib.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "vsh-cxl-cmd.h"
#include "vsh-cxl-complete.h"
#include "vsh-cxl-line.h"
#include "vsh-cxl-session.h"
#include "vsh-cxl-shell.h"
#include "vsh-cxl-stock.h"

/* Who runs the command line, as far as its global options tell. */
typedef enum {
    VSH_CXL_GLOBAL_COMMAND, /* depends on the command */
    VSH_CXL_GLOBAL_HELP,    /* -h */
    VSH_CXL_GLOBAL_STOCK,   /* virsh's */
    VSH_CXL_GLOBAL_WRONG,   /* this program's, and an option is wrong */
} vshCxlGlobal;

static const struct option vshCxlGlobalOptions[] = {
    {"connect", required_argument, NULL, 'c'},
    {"debug", required_argument, NULL, 'd'},
    {"escape", required_argument, NULL, 'e'},
    {"help", no_argument, NULL, 'h'},
    {"keepalive-interval", required_argument, NULL, 'k'},
    {"keepalive-count", required_argument, NULL, 'K'},
    {"log", required_argument, NULL, 'l'},
    {"quiet", no_argument, NULL, 'q'},
    {"readonly", no_argument, NULL, 'r'},
    {"timing", no_argument, NULL, 't'},
    {"version", optional_argument, NULL, 'v'},
    {0},
};

/* Whether one of @words is one of our commands. */
static bool
vshCxlNamesOurs(char **words)
{
    for (; *words; words++) {
        if (g_str_has_prefix(*words, VSH_CXL_CMD_GROUP))
            return true;
    }
    return false;
}

/**
 * vshCxlParseGlobal:
 * @session: the session, filled in from the options
 * @argc: number of arguments
 * @argv: the arguments; optind is left at the first that is not a global option
 *
 * Returns who runs the command line, as far as the options tell.
 */
static vshCxlGlobal
vshCxlParseGlobal(vshCxlSession *session, int argc, char **argv)
{
    vshCxlControl *ctl = session->ctl;
    int option;

    ctl->uri = g_getenv("VIRSH_DEFAULT_CONNECT_URI");

    while ((option = getopt_long(argc, argv, "+:c:d:e:hk:K:l:qrtvV", vshCxlGlobalOptions, NULL)) !=
           -1) {
        switch (option) {
        case 'c':
            ctl->uri = optarg;
            break;
        case 'q':
            ctl->quiet = true;
            g_ptr_array_add(session->options, g_strdup("--quiet"));
            break;
        case 'r':
            ctl->readonly = true;
            break;
        case 't':
            ctl->timing = true;
            g_ptr_array_add(session->options, g_strdup("--timing"));
            break;
        case 'd':
        case 'e':
        case 'k':
        case 'K':
        case 'l':
            g_ptr_array_add(session->options, g_strdup_printf("-%c", option));
            g_ptr_array_add(session->options, g_strdup(optarg));
            break;
        case 'h':
            return VSH_CXL_GLOBAL_HELP;
        case '?':
        case ':':
            return vshCxlNamesOurs(argv + optind) ? VSH_CXL_GLOBAL_WRONG : VSH_CXL_GLOBAL_STOCK;
        default:
            return VSH_CXL_GLOBAL_STOCK;
        }
    }
    return VSH_CXL_GLOBAL_COMMAND;
}

static int
vshCxlFailed(vshCxlControl *ctl, const GError *error)
{
    vshCxlError(ctl, "%s", error->message);
    return EXIT_FAILURE;
}

static int
vshCxlRunStock(vshCxlControl *ctl, char **argv)
{
    g_autoptr(GError) error = NULL;

    vshCxlStockExec(argv, &error);
    return vshCxlFailed(ctl, error);
}

/**
 * vshCxlRunFullHelp:
 * @ctl: the run
 * @argv: the arguments of this program, which include -h
 *
 * Returns the exit status.
 */
static int
vshCxlRunFullHelp(vshCxlControl *ctl, char **argv)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *group = vshCxlCmdFormatGroup(false);
    int status;

    if (vshCxlStockRun(argv, &status, &error) < 0)
        return vshCxlFailed(ctl, error);
    if (status == EXIT_SUCCESS)
        fputs(group, ctl->out);
    return status;
}

/**
 * vshCxlRunString:
 * @session: the session
 * @argv: the arguments of this program, the last of which is @string
 * @string: a string of commands
 *
 * Returns the exit status.
 */
static int
vshCxlRunString(vshCxlSession *session, char **argv, const char *string)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) commands = vshCxlLineParse(string, &error);
    size_t i;

    /* a string that cannot be parsed: report it here if it mentions our commands, otherwise let
     * virsh refuse it in its own way */
    if (!commands && strstr(string, VSH_CXL_CMD_GROUP)) {
        vshCxlUsageError(session->ctl, "%s", error->message);
        return VSH_CXL_EXIT_USAGE;
    }
    for (i = 0; commands && i < commands->len; i++) {
        GPtrArray *command = g_ptr_array_index(commands, i);

        if (command->len > 1 && vshCxlSessionIsOurs((char **)command->pdata))
            return vshCxlSessionRunLine(session, commands);
    }
    return vshCxlRunStock(session->ctl, argv);
}

/**
 * vshCxlRun:
 * @session: the session
 * @argc: number of arguments
 * @argv: the arguments of this program
 *
 * Returns the exit status.
 */
static int
vshCxlRun(vshCxlSession *session, int argc, char **argv)
{
    vshCxlGlobal global = vshCxlParseGlobal(session, argc, argv);
    char **words = argv + optind;

    if (global == VSH_CXL_GLOBAL_HELP)
        return vshCxlRunFullHelp(session->ctl, argv);
    if (global == VSH_CXL_GLOBAL_STOCK)
        return vshCxlRunStock(session->ctl, argv);
    if (global == VSH_CXL_GLOBAL_WRONG) {
        g_autofree char *option =
            optopt ? g_strdup_printf("-%c", optopt) : g_strdup(argv[optind - 1]);

        vshCxlUsageError(session->ctl,
                         "there is no option '%s' before a command, or it lacks its value: "
                         "virsh-cxl --help lists them; options of a command come after its name",
                         option);
        return VSH_CXL_EXIT_USAGE;
    }

    if (!words[0])
        return vshCxlShellRun(session);
    if (g_str_equal(words[0], VSH_CXL_COMPLETE)) {
        if (vshCxlSessionInitialize(session->ctl) < 0)
            return EXIT_FAILURE;
        return vshCxlCompletePrint(session->ctl, words + 1);
    }
    if (!words[1])
        return vshCxlRunString(session, argv, words[0]);
    if (vshCxlSessionIsOurs(words))
        return vshCxlSessionRun(session, words);
    return vshCxlRunStock(session->ctl, argv);
}

int
main(int argc, char **argv)
{
    vshCxlControl ctl = {.out = stdout, .err = stderr};
    g_autoptr(GPtrArray) options = g_ptr_array_new_with_free_func(g_free);
    vshCxlSession session = {.ctl = &ctl, .program = argv[0], .options = options};
    int status;

    setlocale(LC_ALL, "");
    status = vshCxlRun(&session, argc, argv);
    vshCxlDisconnect(&ctl);
    g_free(session.uri);

    /* a tag or a list that was not fully written must not look like success */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        vshCxlError(&ctl, "cannot write the output");
        status = EXIT_FAILURE;
    }
    return status;
}
