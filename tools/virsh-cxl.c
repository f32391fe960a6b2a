/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * virsh-cxl.c: virsh with commands for CXL dynamic capacity
 *
 * A superset of virsh that has no copy of it: the command line is read just far
 * enough to know whose command it is.
 *
 *     command line             who runs it
 *     ----------------------   -------------------------------------------------
 *     one of our commands      this program
 *     help of one of ours      this program
 *     help, -h                 virsh; then this program prints its own group
 *     all else                 virsh, in this process's place (vsh-cxl-stock.c)
 *
 * All else is also no command at all (virsh's shell), -v, and options that virsh
 * would refuse: virsh says so itself, in its own words. As in virsh, one argument
 * alone is a string of words, "dominfo vm"; but none of ours stands in a string of
 * several commands.
 */

#include <getopt.h>
#include <glib.h>
#include <libvirt/virterror.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "vsh-cxl-cmd.h"
#include "vsh-cxl-stock.h"

/* Whose the command line is, as far as its options tell. */
typedef enum {
    VSH_CXL_GLOBAL_COMMAND, /* the command's */
    VSH_CXL_GLOBAL_HELP,    /* -h */
    VSH_CXL_GLOBAL_STOCK,   /* virsh's */
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

/* virsh's own help command: which command or group is asked for. */
static const vshCxlOptDef vshCxlHelpOpts[] = {
    {.name = "command", .type = VSH_CXL_OPT_STRING, .positional = true},
    {0},
};

static const vshCxlCmdDef vshCxlHelp = {.name = "help", .opts = vshCxlHelpOpts};

/* libvirt prints each error by itself unless it is given another place to go */
static void
vshCxlErrorIgnore(void *data G_GNUC_UNUSED, virErrorPtr error G_GNUC_UNUSED)
{
}

/**
 * vshCxlParseGlobal:
 * @ctl: the run, filled
 * @argc: number of arguments
 * @argv: the arguments; optind is left at the first that is no global option
 *
 * Returns whose the command line is, as far as the options tell.
 */
static vshCxlGlobal
vshCxlParseGlobal(vshCxlControl *ctl, int argc, char **argv)
{
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
            break;
        case 'r':
            ctl->readonly = true;
            break;
        case 't':
            ctl->timing = true;
            break;
        case 'd':
        case 'e':
        case 'k':
        case 'K':
        case 'l':
            break;
        case 'h':
            return VSH_CXL_GLOBAL_HELP;
        default:
            return VSH_CXL_GLOBAL_STOCK;
        }
    }
    return VSH_CXL_GLOBAL_COMMAND;
}

/**
 * vshCxlGetWords:
 * @args: the arguments behind the global options
 *
 * Returns the command and its arguments; NULL if there is no command, or if it is
 * for virsh to say what is wrong with it.
 */
static char **
vshCxlGetWords(char **args)
{
    char **words = NULL;

    if (!args[0])
        return NULL;
    if (args[1])
        return g_strdupv(args);
    if (!g_shell_parse_argv(args[0], NULL, &words, NULL))
        return NULL;
    words[0][strcspn(words[0], ";")] = '\0';
    return words;
}

static int
vshCxlStockFailed(vshCxlControl *ctl, const GError *error)
{
    vshCxlError(ctl, "%s", error->message);
    return EXIT_FAILURE;
}

static int
vshCxlRunStock(vshCxlControl *ctl, char **argv)
{
    g_autoptr(GError) error = NULL;

    vshCxlStockExec(argv, &error);
    return vshCxlStockFailed(ctl, error);
}

/**
 * vshCxlRunFullHelp:
 * @ctl: the run
 * @argv: the arguments of this program, which ask for help
 * @option: whether -h asks for it, or the command help
 *
 * Returns the exit status.
 */
static int
vshCxlRunFullHelp(vshCxlControl *ctl, char **argv, bool option)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *group = vshCxlCmdFormatGroup(!option);
    int status;

    if (vshCxlStockRun(argv, &status, &error) < 0)
        return vshCxlStockFailed(ctl, error);
    if (status == EXIT_SUCCESS)
        fputs(group, ctl->out);
    return status;
}

/**
 * vshCxlRunHelp:
 * @ctl: the run
 * @argv: the arguments of this program
 * @words: what follows the command help
 *
 * Returns the exit status.
 */
static int
vshCxlRunHelp(vshCxlControl *ctl, char **argv, char **words)
{
    g_autoptr(vshCxlArgs) args = vshCxlArgsParse(&vshCxlHelp, words, NULL);
    const vshCxlCmdDef *cmd;
    const char *name;
    g_autofree char *text = NULL;

    if (!args || vshCxlArgsIsHelp(args))
        return vshCxlRunStock(ctl, argv);
    if (!(name = vshCxlArgsString(args, "command")))
        return vshCxlRunFullHelp(ctl, argv, false);

    if (g_str_equal(name, VSH_CXL_CMD_GROUP))
        text = vshCxlCmdFormatGroup(true);
    else if ((cmd = vshCxlCmdFind(name)))
        text = vshCxlCmdFormatHelp(cmd);
    else
        return vshCxlRunStock(ctl, argv);

    fputs(text, ctl->out);
    return EXIT_SUCCESS;
}

/**
 * vshCxlRunCommand:
 * @ctl: the run
 * @cmd: one of our commands
 * @words: what follows its name
 *
 * Returns the exit status.
 */
static int
vshCxlRunCommand(vshCxlControl *ctl, const vshCxlCmdDef *cmd, char **words)
{
    g_autoptr(vshCxlArgs) args = NULL;
    g_autoptr(GError) error = NULL;
    gint64 start;
    int ret;

    ctl->status = VSH_CXL_EXIT_DONE;
    if (!(args = vshCxlArgsParse(cmd, words, &error))) {
        vshCxlUsageError(ctl, "%s", error->message);
        return ctl->status;
    }
    if (vshCxlArgsIsHelp(args)) {
        g_autofree char *text = vshCxlCmdFormatHelp(cmd);

        fputs(text, ctl->out);
        return EXIT_SUCCESS;
    }

    if (virInitialize() < 0) {
        vshCxlLibvirtError(ctl, "Failed to initialize libvirt");
        return EXIT_FAILURE;
    }
    virSetErrorFunc(NULL, vshCxlErrorIgnore);

    start = g_get_monotonic_time();
    ret = cmd->handler(ctl, args);
    if (ctl->timing)
        fprintf(ctl->out, "(Time: %.3f ms)\n\n", (double)(g_get_monotonic_time() - start) / 1000);
    vshCxlDisconnect(ctl);
    return ret < 0 ? ctl->status : VSH_CXL_EXIT_DONE;
}

/* What virsh cannot know either. */
static int
vshCxlUnknownCommand(vshCxlControl *ctl, const char *name)
{
    g_autofree char *names = vshCxlCmdFormatNames();

    vshCxlUsageError(ctl, "unknown command: '%s': expected one of %s", name, names);
    return ctl->status;
}

/**
 * vshCxlRun:
 * @ctl: the run
 * @argc: number of arguments
 * @argv: the arguments of this program
 *
 * Returns the exit status.
 */
static int
vshCxlRun(vshCxlControl *ctl, int argc, char **argv)
{
    vshCxlGlobal global = vshCxlParseGlobal(ctl, argc, argv);
    g_auto(GStrv) words = NULL;
    const vshCxlCmdDef *cmd;

    if (global == VSH_CXL_GLOBAL_HELP)
        return vshCxlRunFullHelp(ctl, argv, true);
    if (global == VSH_CXL_GLOBAL_STOCK || !(words = vshCxlGetWords(argv + optind)))
        return vshCxlRunStock(ctl, argv);

    if (g_str_equal(words[0], "help"))
        return vshCxlRunHelp(ctl, argv, words + 1);
    if (!(cmd = vshCxlCmdFind(words[0]))) {
        if (g_str_has_prefix(words[0], VSH_CXL_CMD_GROUP))
            return vshCxlUnknownCommand(ctl, words[0]);
        return vshCxlRunStock(ctl, argv);
    }
    if (!argv[optind + 1] && strchr(argv[optind], ';')) {
        vshCxlUsageError(ctl,
                         "command '%s' cannot stand in a string of several commands: run it alone",
                         cmd->name);
        return ctl->status;
    }
    return vshCxlRunCommand(ctl, cmd, words + 1);
}

int
main(int argc, char **argv)
{
    vshCxlControl ctl = {.out = stdout, .err = stderr};
    int status;

    setlocale(LC_ALL, "");
    status = vshCxlRun(&ctl, argc, argv);

    /* a tag or a list that did not reach its file must not look like success */
    if (fflush(stdout) != 0 || ferror(stdout)) {
        vshCxlError(&ctl, "cannot write the output");
        status = EXIT_FAILURE;
    }
    return status;
}
