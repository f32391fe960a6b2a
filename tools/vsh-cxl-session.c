/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-session.c: running our commands and virsh's, one after another
 *
 *     one of our commands           in this process, over one connection that is kept
 *     help, with or without a name  virsh's and ours
 *     connect, cd, quit, exit       in this process: they affect later commands
 *     anything else                 a virsh of its own, with the current options and URI
 *
 * Running a virsh for each command costs a connection each time (some milliseconds on one
 * host), and in return every command of every version of virsh works unchanged.
 */

#include <errno.h>
#include <libvirt/virterror.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "vsh-cxl-cmd.h"
#include "vsh-cxl-session.h"
#include "vsh-cxl-stock.h"

/* by default libvirt prints each error itself */
static void
vshCxlErrorIgnore(void *data G_GNUC_UNUSED, virErrorPtr error G_GNUC_UNUSED)
{
}

/**
 * vshCxlSessionInitialize:
 * @ctl: the run
 *
 * Returns 0 once libvirt is ready, -1 with the error reported.
 */
int
vshCxlSessionInitialize(vshCxlControl *ctl)
{
    if (virInitialize() < 0) {
        vshCxlLibvirtError(ctl, "Failed to initialize libvirt");
        return -1;
    }
    virSetErrorFunc(NULL, vshCxlErrorIgnore);
    return 0;
}

/* ------------------------------------------------------- virsh's commands */

static int
vshCxlSessionRunStock(vshCxlSession *session, char **words)
{
    g_autoptr(GPtrArray) args = g_ptr_array_new();
    g_autoptr(GError) error = NULL;
    int status;
    size_t i;

    g_ptr_array_add(args, (char *)session->program);
    for (i = 0; i < session->options->len; i++)
        g_ptr_array_add(args, g_ptr_array_index(session->options, i));
    if (session->ctl->readonly)
        g_ptr_array_add(args, (char *)"--readonly");
    if (session->ctl->uri) {
        g_ptr_array_add(args, (char *)"--connect");
        g_ptr_array_add(args, (char *)session->ctl->uri);
    }
    for (i = 0; words[i]; i++)
        g_ptr_array_add(args, words[i]);
    g_ptr_array_add(args, NULL);

    if (vshCxlStockRun((char **)args->pdata, &status, &error) == 0)
        return status;
    vshCxlError(session->ctl, "%s", error->message);
    return EXIT_FAILURE;
}

/* -------------------------------------------- commands about the session */

/* Same as virsh's own commands of these names. */
static const vshCxlOptDef vshCxlConnectOpts[] = {
    {.name = "name", .type = VSH_CXL_OPT_STRING, .positional = true},
    {.name = "readonly", .type = VSH_CXL_OPT_BOOL},
    {0},
};

static const vshCxlOptDef vshCxlCdOpts[] = {
    {.name = "dir", .type = VSH_CXL_OPT_STRING, .positional = true},
    {0},
};

static const vshCxlOptDef vshCxlQuitOpts[] = {{0}};

/* If the new connection fails, the old one is kept. */
static int
vshCxlSessionConnect(vshCxlSession *session, const vshCxlArgs *args)
{
    vshCxlControl next = *session->ctl;
    const char *uri = vshCxlArgsString(args, "name");

    next.conn = NULL;
    next.uri = uri;
    next.readonly = vshCxlArgsHas(args, "readonly");
    if (vshCxlOpen(&next) < 0)
        return EXIT_FAILURE;

    vshCxlDisconnect(session->ctl);
    g_free(session->uri);
    next.uri = session->uri = g_strdup(uri);
    /* without a name virsh uses libvirt's default, not the URI that it was started with */
    if (!uri)
        g_unsetenv("VIRSH_DEFAULT_CONNECT_URI");
    *session->ctl = next;
    vshCxlPrintExtra(session->ctl, session->ctl->out, "\n");
    return EXIT_SUCCESS;
}

static int
vshCxlSessionCd(vshCxlSession *session, const vshCxlArgs *args)
{
    const char *dir = vshCxlArgsString(args, "dir");

    if (!dir)
        dir = g_get_home_dir();
    if (chdir(dir) < 0) {
        vshCxlError(session->ctl, "cd: %s: %s", dir, g_strerror(errno));
        return EXIT_FAILURE;
    }
    vshCxlPrintExtra(session->ctl, session->ctl->out, "\n");
    return EXIT_SUCCESS;
}

static int
vshCxlSessionQuit(vshCxlSession *session, const vshCxlArgs *args G_GNUC_UNUSED)
{
    session->done = true;
    vshCxlPrintExtra(session->ctl, session->ctl->out, "\n");
    return EXIT_SUCCESS;
}

static const struct {
    vshCxlCmdDef cmd;
    int (*run)(vshCxlSession *session, const vshCxlArgs *args); /* returns the exit status */
} vshCxlSessionCmds[] = {
    {{.name = "connect", .opts = vshCxlConnectOpts}, vshCxlSessionConnect},
    {{.name = "cd", .opts = vshCxlCdOpts}, vshCxlSessionCd},
    {{.name = "quit", .opts = vshCxlQuitOpts}, vshCxlSessionQuit},
    {{.name = "exit", .opts = vshCxlQuitOpts}, vshCxlSessionQuit},
};

/* --------------------------------------------------------------- any command */

/* After a restart of the daemon the old connection no longer works. */
static void
vshCxlSessionCheckConnection(vshCxlControl *ctl)
{
    unsigned long version;

    if (!ctl->conn)
        return;
    if (virConnectGetLibVersion(ctl->conn, &version) < 0) {
        virResetLastError();
        vshCxlDisconnect(ctl);
    }
}

/* Returns the arguments; NULL once the error was reported or --help was printed, with @status
 * set accordingly. */
static vshCxlArgs *
vshCxlSessionParse(vshCxlSession *session, const vshCxlCmdDef *cmd, char **words, int *status)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(vshCxlArgs) args = vshCxlArgsParse(cmd, words + 1, &error);

    if (!args) {
        vshCxlUsageError(session->ctl, "%s", error->message);
        *status = VSH_CXL_EXIT_USAGE;
        return NULL;
    }
    if (!vshCxlArgsIsHelp(args))
        return g_steal_pointer(&args);

    *status = EXIT_SUCCESS;
    if (cmd->handler) {
        g_autofree char *text = vshCxlCmdFormatHelp(cmd);

        fputs(text, session->ctl->out);
    } else {
        *status = vshCxlSessionRunStock(session, words);
    }
    return NULL;
}

/* Run one of our commands. Ctrl-C ends this program unless the command catches it. */
static int
vshCxlSessionHandle(vshCxlControl *ctl, const vshCxlCmdDef *cmd, const vshCxlArgs *args)
{
    const struct sigaction end = {.sa_handler = SIG_DFL};
    struct sigaction caught;
    bool catching;
    int ret;

    sigaction(SIGINT, NULL, &caught);
    catching = caught.sa_handler != SIG_DFL && caught.sa_handler != SIG_IGN;
    if (catching)
        sigaction(SIGINT, &end, NULL);
    ret = cmd->handler(ctl, args);
    if (catching)
        sigaction(SIGINT, &caught, NULL);
    return ret;
}

static int
vshCxlSessionRunOurs(vshCxlSession *session, const vshCxlCmdDef *cmd, char **words)
{
    vshCxlControl *ctl = session->ctl;
    g_autoptr(vshCxlArgs) args = NULL;
    gint64 start;
    int status;
    int ret;

    ctl->status = VSH_CXL_EXIT_DONE;
    /* checks of values use the library, whose errors need libvirt initialized */
    if (vshCxlSessionInitialize(ctl) < 0)
        return EXIT_FAILURE;
    if (!(args = vshCxlSessionParse(session, cmd, words, &status)))
        return status;
    vshCxlSessionCheckConnection(ctl);

    start = g_get_monotonic_time();
    ret = vshCxlSessionHandle(ctl, cmd, args);
    if (ctl->timing)
        fprintf(ctl->out, "(Time: %.3f ms)\n\n", (double)(g_get_monotonic_time() - start) / 1000);
    return ret < 0 ? (int)ctl->status : VSH_CXL_EXIT_DONE;
}

/* Help on one of our commands or our group; or on everything, with ours among virsh's groups. */
static int
vshCxlSessionHelp(vshCxlSession *session, char **words)
{
    const char *name = words[1] && !words[2] ? words[1] : NULL;
    const vshCxlCmdDef *cmd = name ? vshCxlCmdFind(name) : NULL;
    g_autofree char *text = NULL;
    int status = EXIT_SUCCESS;

    if (cmd)
        text = vshCxlCmdFormatHelp(cmd);
    else if (!words[1] || g_strcmp0(name, VSH_CXL_CMD_GROUP) == 0)
        text = vshCxlCmdFormatGroup(true);
    if (!text || !words[1])
        status = vshCxlSessionRunStock(session, words);
    if (text && status == EXIT_SUCCESS)
        fputs(text, session->ctl->out);
    return status;
}

static bool
vshCxlSessionHasOurPrefix(const char *name)
{
    return g_str_has_prefix(name, VSH_CXL_CMD_GROUP);
}

/* Report a command that virsh does not know either. */
static int
vshCxlSessionUnknown(vshCxlControl *ctl, const char *name)
{
    g_autofree char *names = vshCxlCmdFormatNames();

    vshCxlUsageError(ctl, "unknown command: '%s': expected one of %s", name, names);
    return VSH_CXL_EXIT_USAGE;
}

/**
 * vshCxlSessionIsOurs:
 * @words: a command and its arguments
 *
 * Returns whether virsh alone could not run it.
 */
bool
vshCxlSessionIsOurs(char **words)
{
    return vshCxlSessionHasOurPrefix(words[0]) || g_str_equal(words[0], "help");
}

/**
 * vshCxlSessionRun:
 * @session: the session
 * @words: a command and its arguments
 *
 * Returns the exit status of the command.
 */
int
vshCxlSessionRun(vshCxlSession *session, char **words)
{
    const vshCxlCmdDef *cmd = vshCxlCmdFind(words[0]);
    size_t i;

    if (cmd)
        return vshCxlSessionRunOurs(session, cmd, words);
    if (vshCxlSessionHasOurPrefix(words[0]))
        return vshCxlSessionUnknown(session->ctl, words[0]);
    if (g_str_equal(words[0], "help"))
        return vshCxlSessionHelp(session, words);
    for (i = 0; i < G_N_ELEMENTS(vshCxlSessionCmds); i++) {
        g_autoptr(vshCxlArgs) args = NULL;
        int status;

        cmd = &vshCxlSessionCmds[i].cmd;
        if (!g_str_equal(words[0], cmd->name))
            continue;
        if (!(args = vshCxlSessionParse(session, cmd, words, &status)))
            return status;
        if (vshCxlSessionInitialize(session->ctl) < 0)
            return EXIT_FAILURE;
        return vshCxlSessionCmds[i].run(session, args);
    }
    return vshCxlSessionRunStock(session, words);
}

/**
 * vshCxlSessionRunLine:
 * @session: the session
 * @commands: as returned by vshCxlLineParse()
 *
 * As in virsh, a command that fails does not prevent the next from running.
 *
 * Returns the exit status of the last one.
 */
int
vshCxlSessionRunLine(vshCxlSession *session, GPtrArray *commands)
{
    int status = EXIT_SUCCESS;
    size_t i;

    for (i = 0; i < commands->len && !session->done; i++) {
        GPtrArray *command = g_ptr_array_index(commands, i);

        if (command->len > 1)
            status = vshCxlSessionRun(session, (char **)command->pdata);
        /* a child process writes to the same place */
        fflush(session->ctl->out);
    }
    return status;
}
