/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-wait.c: waiting for the guest
 *
 * A guest answers in its own time, perhaps never. The library is asked to check once at a
 * time (virDomainCxlDcdWait() with a timeout of 0), and this file does the pauses in
 * between: during a pause, progress can be shown and the user can end the wait.
 *
 *      check -> answered ------------------> done
 *       ^  `--> not yet --> deadline over -> exit status 3
 *       |               `-> Ctrl-C --------> exit status 130
 *       `------ pause <-'
 *
 * Ctrl-C does not cut a check short: it completes what it may have begun (a check
 * finishes what others left unfinished), and its result is reported. If the daemon hangs
 * and a check does not return, a second Ctrl-C kills the program, as it would any other.
 *
 * One wait serves all capacities of a command: they share its deadline and its Ctrl-C,
 * and after either one, each remaining capacity is checked once. The deadline counts from
 * the first check. The wait takes over Ctrl-C before the guest is asked, so that an
 * interruption never leaves a capacity requested without its outcome being reported.
 */

#include <libvirt/virterror.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "vsh-cxl-wait.h"

/* The pauses, in microseconds, doubling from first to last. */
#define VSH_CXL_WAIT_FIRST 20000
#define VSH_CXL_WAIT_LAST 1000000

struct _vshCxlWait {
    vshCxlControl *ctl;
    long long timeout;         /* milliseconds, -1: none */
    gint64 start;              /* when it began, monotonic microseconds; -1: not yet */
    gint64 end;                /* likewise; G_MAXINT64: none */
    int terminal;              /* where to show progress, -1: nowhere */
    size_t shown;              /* columns that the progress line takes now */
    bool handled;              /* our SIGINT handler is installed */
    struct sigaction previous; /* the previous handler */
};

static volatile sig_atomic_t vshCxlWaitInterrupted;

static void
vshCxlWaitInterrupt(int signal G_GNUC_UNUSED)
{
    vshCxlWaitInterrupted = 1;
}

/**
 * vshCxlTimeout:
 * @ctl: the run
 * @args: the arguments of a command with --wait and --timeout
 * @timeout: set to milliseconds, -1 for no limit
 *
 * Returns 0 on success, -1 with the error reported if --timeout is given without --wait.
 */
int
vshCxlTimeout(vshCxlControl *ctl, const vshCxlArgs *args, long long *timeout)
{
    *timeout = -1;
    if (!vshCxlArgsHas(args, "timeout"))
        return 0;
    if (!vshCxlArgsHas(args, "wait")) {
        vshCxlUsageError(ctl, "Option --wait is required by option --timeout");
        return -1;
    }
    *timeout = (long long)vshCxlArgsNumber(args, "timeout") * 1000;
    return 0;
}

/**
 * vshCxlWaitNew:
 * @ctl: the run
 * @timeout: milliseconds, -1 for no limit
 *
 * Get ready to wait: from now until vshCxlWaitFree(), Ctrl-C ends the wait and not the
 * program. If Ctrl-C is ignored (nohup, a shell's background job), it stays ignored.
 *
 * Returns the wait.
 */
vshCxlWait *
vshCxlWaitNew(vshCxlControl *ctl, long long timeout)
{
    struct sigaction action = {.sa_handler = vshCxlWaitInterrupt, .sa_flags = (int)SA_RESETHAND};
    vshCxlWait *wait = g_new0(vshCxlWait, 1);
    int fd = fileno(ctl->err);

    wait->ctl = ctl;
    wait->timeout = timeout;
    wait->start = -1;
    wait->terminal = !ctl->quiet && fd >= 0 && isatty(fd) ? fd : -1;

    vshCxlWaitInterrupted = 0;
    if (sigaction(SIGINT, NULL, &wait->previous) == 0 && wait->previous.sa_handler != SIG_IGN)
        wait->handled = sigaction(SIGINT, &action, NULL) == 0;
    return wait;
}

/**
 * vshCxlWaitFree:
 * @wait: the wait, or NULL
 *
 * End a wait.
 */
void
vshCxlWaitFree(vshCxlWait *wait)
{
    if (!wait)
        return;
    if (wait->handled)
        sigaction(SIGINT, &wait->previous, NULL);
    g_free(wait);
}

/**
 * vshCxlWaitIsInterrupted:
 * @wait: the wait
 *
 * Returns whether Ctrl-C has ended it: the caller should begin nothing more.
 */
bool
vshCxlWaitIsInterrupted(const vshCxlWait *wait G_GNUC_UNUSED)
{
    return vshCxlWaitInterrupted != 0;
}

/* The recorded state. */
static int
vshCxlWaitRecorded(virDomainPtr domain, const char *tag)
{
    g_autoptr(GPtrArray) devices = vshCxlGetDevices(domain, 0);

    return devices ? vshCxlFindState(devices, tag) : VIR_DOMAIN_CXL_DCD_STATE_NONE;
}

/* ---------------------------------------------------------------- progress */

/* Columns that the terminal's echo of Ctrl-C takes. */
#define VSH_CXL_WAIT_ECHO 2

/* Rewrite the line using nothing but a carriage return, which every terminal supports. */
static void
vshCxlWaitShow(vshCxlWait *wait, const char *text)
{
    size_t length = strlen(text);
    size_t before = wait->shown ? wait->shown + VSH_CXL_WAIT_ECHO : 0;

    if (wait->terminal < 0 || (before == 0 && length == 0))
        return;
    fprintf(wait->ctl->err, "\r%s%*s", text, (int)(MAX(before, length) - length), "");
    if (length == 0)
        fputc('\r', wait->ctl->err);
    fflush(wait->ctl->err);
    wait->shown = length;
}

static void
vshCxlWaitProgress(vshCxlWait *wait, virDomainPtr domain, const char *tag)
{
    g_autoptr(GString) line = g_string_new(NULL);
    struct winsize size = {0};
    int state;

    if (wait->terminal < 0)
        return;
    state = vshCxlWaitRecorded(domain, tag);
    g_string_printf(line,
                    "%s, %d s",
                    vshCxlStateToString(state),
                    (int)((g_get_monotonic_time() - wait->start) / G_USEC_PER_SEC));
    if (wait->timeout >= 0)
        g_string_append_printf(line, " of %lld", wait->timeout / 1000);
    g_string_append(line,
                    state == VIR_DOMAIN_CXL_DCD_STATE_RELEASING ? ", guest to give back"
                                                                : ", guest to answer");
    g_string_append_printf(line, ": %s", tag);

    /* a line that wraps could not be rewritten */
    if (ioctl(wait->terminal, TIOCGWINSZ, &size) == 0 && size.ws_col > VSH_CXL_WAIT_ECHO + 1)
        g_string_truncate(line, MIN(line->len, (gsize)size.ws_col - VSH_CXL_WAIT_ECHO - 1));
    vshCxlWaitShow(wait, line->str);
}

/* ----------------------------------------------------------------- waiting */

static void
vshCxlWaitPause(const vshCxlWait *wait, gint64 pause)
{
    gint64 left = MIN(pause, MAX(wait->end - g_get_monotonic_time(), 0));
    struct timespec time = {
        .tv_sec = left / G_USEC_PER_SEC,
        .tv_nsec = left % G_USEC_PER_SEC * 1000,
    };

    /* Ctrl-C ends it early */
    nanosleep(&time, NULL);
}

/* Report that the wait for @tag has ended early, and in which state it leaves the capacity. */
static void
vshCxlWaitGaveUp(vshCxlWait *wait, virDomainPtr domain, const char *tag)
{
    int state = vshCxlWaitRecorded(domain, tag);
    g_autofree char *after = g_strdup("Interrupted");
    const char *rest;

    if (!vshCxlWaitInterrupted) {
        g_free(after);
        after = g_strdup_printf("Timed out after %lld s", wait->timeout / 1000);
    }
    switch (state) {
    case VIR_DOMAIN_CXL_DCD_STATE_PENDING:
        rest = "the guest has not answered; the offer stands";
        break;
    case VIR_DOMAIN_CXL_DCD_STATE_RELEASING:
        rest = "the guest has not given it back; the request stands";
        break;
    default:
        rest = "cxl-dcd-status shows what becomes of it";
    }
    vshCxlErrorStatus(wait->ctl,
                      vshCxlWaitInterrupted ? VSH_CXL_EXIT_INTERRUPTED : VSH_CXL_EXIT_TIMEOUT,
                      "%s: capacity %s of domain '%s' is %s: %s",
                      after,
                      tag,
                      virDomainGetName(domain),
                      state == VIR_DOMAIN_CXL_DCD_STATE_NONE ? "gone" : vshCxlStateToString(state),
                      rest);
}

/* Report libvirt's error. If the daemon is gone, nothing has changed. */
static void
vshCxlWaitFailed(vshCxlWait *wait, const char *name, const char *tag)
{
    g_autofree char *why = g_strdup(virGetLastErrorMessage());
    bool lost = virConnectIsAlive(wait->ctl->conn) == 0;

    vshCxlError(wait->ctl,
                "Failed to wait for the guest of domain '%s' and capacity %s%s: %s",
                name,
                tag,
                lost ? ": the connection to the daemon is lost, and the capacity stays as it is "
                       "(cxl-dcd-status shows it)"
                     : "",
                why);
}

/**
 * vshCxlWaitCapacity:
 * @wait: the wait
 * @domain: the domain
 * @tag: a capacity
 * @state: set to its virDomainCxlDcdState once the guest has answered
 *
 * Returns 0, or -1 with the error reported: the wait timed out, was interrupted, or
 * failed.
 */
int
vshCxlWaitCapacity(vshCxlWait *wait, virDomainPtr domain, const char *tag, int *state)
{
    const char *name = virDomainGetName(domain);
    gint64 pause = VSH_CXL_WAIT_FIRST;

    if (wait->start < 0) {
        wait->start = g_get_monotonic_time();
        wait->end = wait->timeout < 0 ? G_MAXINT64 : wait->start + wait->timeout * 1000;
    }
    while ((*state = virDomainCxlDcdWait(domain, tag, 0, 0)) < 0) {
        if (virGetLastErrorCode() != VIR_ERR_OPERATION_TIMEOUT) {
            vshCxlWaitShow(wait, "");
            vshCxlWaitFailed(wait, name, tag);
            return -1;
        }
        if (vshCxlWaitInterrupted || g_get_monotonic_time() >= wait->end) {
            vshCxlWaitShow(wait, "");
            vshCxlWaitGaveUp(wait, domain, tag);
            return -1;
        }
        vshCxlWaitProgress(wait, domain, tag);
        vshCxlWaitPause(wait, pause);
        pause = MIN(pause * 2, VSH_CXL_WAIT_LAST);
    }
    vshCxlWaitShow(wait, "");
    return 0;
}
