/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-wait.c: waiting for the guest
 *
 * A guest answers in its own time, perhaps never. The library is asked for one look at
 * a time (virDomainCxlDcdWait() with a timeout of 0), and the pauses between are this
 * file's: in a pause the user can be shown what is awaited, and can end the wait.
 *
 *      look --> answered ------------------> done
 *       ^  `--> not yet --> deadline over -> exit status 3
 *       |               `-> Ctrl-C --------> exit status 130
 *       `------ pause <-'
 *
 * No look is cut short by Ctrl-C: what it may have begun (a look finishes what others
 * left unfinished) it ends, and its result is told. Where a daemon hangs and a look does
 * not return, a second Ctrl-C kills the program, as it would any other.
 *
 * One wait serves all capacities of a command: they share its deadline and its Ctrl-C,
 * and after either each of the rest gets one look. The deadline counts from the first look;
 * Ctrl-C belongs to the wait from before the guest is asked, so that there is no moment
 * in which a capacity is asked for and nobody would say what became of it.
 */

#include <libvirt/virterror.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "vsh-cxl-wait.h"

/* The pauses: microseconds, doubled from first to last. */
#define VSH_CXL_WAIT_FIRST 20000
#define VSH_CXL_WAIT_LAST 1000000

struct _vshCxlWait {
    vshCxlControl *ctl;
    long long timeout;         /* milliseconds, -1: none */
    gint64 start;              /* of the first look: monotonic microseconds; -1: not yet */
    gint64 end;                /* the same; G_MAXINT64: none */
    int terminal;              /* where progress is shown, -1: nowhere */
    size_t shown;              /* columns that the progress line takes now */
    bool handled;              /* whether Ctrl-C comes here */
    struct sigaction previous; /* what became of it before */
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
 * @timeout: filled with milliseconds, -1 for no end
 *
 * Returns 0 on success, -1 with the error reported if --timeout stands without --wait.
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
 * @timeout: milliseconds, -1 for no end
 *
 * Get ready to wait: from now on, until vshCxlWaitFree(), Ctrl-C ends the wait and not the
 * program. Where Ctrl-C is ignored (nohup, a shell's background job) it stays so.
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
 * Returns whether Ctrl-C has ended it: nothing more should be begun.
 */
bool
vshCxlWaitIsInterrupted(const vshCxlWait *wait G_GNUC_UNUSED)
{
    return vshCxlWaitInterrupted != 0;
}

/* The state as it is recorded. */
static int
vshCxlWaitRecorded(virDomainPtr domain, const char *tag)
{
    g_autoptr(GPtrArray) devices = vshCxlGetDevices(domain, 0);

    return devices ? vshCxlFindState(devices, tag) : VIR_DOMAIN_CXL_DCD_STATE_NONE;
}

/* ---------------------------------------------------------------- progress */

/* Columns that a terminal takes to echo Ctrl-C. */
#define VSH_CXL_WAIT_ECHO 2

/* Rewrite the line, by nothing but its own beginning: no terminal is too simple for that. */
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

/* Report that @tag was not waited for any longer, and what it is left in. */
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

/* Report libvirt's error. A daemon that has gone leaves everything as it is. */
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
 * @state: filled with its virDomainCxlDcdState once the guest has answered
 *
 * Returns 0, or -1 with the error reported: the wait is over, was interrupted, or
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
