/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * kill-at: a process is killed at a chosen step of its work
 *
 * Preloaded into a client or into libvirtd, it wraps the two libvirt functions by which
 * the library changes anything: sending a QMP command, and writing the record of a
 * capacity. The file that the environment variable KILL_AT names has one line, "before
 * TEXT" or "after TEXT": at the first call that contains TEXT the process is killed,
 * before the call or as soon as it has returned. As long as there is no such file,
 * nothing happens. The text of a dropped record is "no record".
 */

#include <config.h>

#include <dlfcn.h>
#include <glib.h>
#include <libvirt/libvirt-qemu.h>
#include <libvirt/libvirt.h>
#include <signal.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))

static void
killAt(const char *when, const char *text)
{
    const char *path = g_getenv("KILL_AT");
    g_autofree char *line = NULL;

    if (path && g_file_get_contents(path, &line, NULL, NULL) && g_str_has_prefix(line, when) &&
        strstr(text, g_strchomp(line + strlen(when))))
        raise(SIGKILL);
}

EXPORT int
virDomainQemuMonitorCommand(virDomainPtr domain, const char *cmd, char **result, unsigned int flags)
{
    int (*next)(virDomainPtr, const char *, char **, unsigned int) =
        (int (*)(virDomainPtr, const char *, char **, unsigned int))
            dlsym(RTLD_NEXT, "virDomainQemuMonitorCommand");
    int ret;

    killAt("before ", cmd);
    ret = next(domain, cmd, result, flags);
    killAt("after ", cmd);
    return ret;
}

EXPORT int
virDomainSetMetadata(virDomainPtr domain,
                     int type,
                     const char *metadata,
                     const char *key,
                     const char *uri,
                     unsigned int flags)
{
    int (*next)(virDomainPtr, int, const char *, const char *, const char *, unsigned int) =
        (int (*)(virDomainPtr, int, const char *, const char *, const char *, unsigned int))
            dlsym(RTLD_NEXT, "virDomainSetMetadata");
    const char *text = metadata ? metadata : "no record";
    int ret;

    killAt("before ", text);
    ret = next(domain, type, metadata, key, uri, flags);
    killAt("after ", text);
    return ret;
}
