/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_load.c: how the driver module is loaded
 *
 * A preloaded object is loaded into every program that is started with that environment: a
 * daemon or a client, but also the shell, timeout or python that starts it, and with a
 * libvirt of any version. So before the program's main():
 *
 *   - The module looks up libvirt's own definition of every function that it overrides. If
 *     one is missing, the module is off: it says so once, and passes every call on, so that
 *     a daemon comes up as it would without the module. If this were found out only at a
 *     call, it would end a daemon that has domains to look after.
 *   - In a daemon, the module writes a line to the log: that it is loaded, and with which
 *     libvirt.
 *   - In a program that is linked with libvirt, the module removes itself from LD_PRELOAD:
 *     a daemon would pass that on to QEMU, and a client to its editor. In all other programs
 *     LD_PRELOAD stays, since one that they start may be the one that was meant.
 */

#include <config.h>

#include <dlfcn.h>
#include <gio/gio.h>
#include <link.h>
#include <string.h>

#include "cxl_dcd_driver_error.h"
#include "cxl_dcd_driver_load.h"
#include "cxl_dcd_driver_log.h"
#include "cxl_dcd_driver_next.h"

cxlDcdDriverFunctions cxlDcdDriverNext;

/* Whether the program is a daemon: it serves clients, and can ask nobody. */
static bool cxlDcdDriverDaemon;

/* Whether everything that the module needs was found. */
static bool cxlDcdDriverOn;

/* Look up the next definitions. Returns the names of those that are missing, or NULL. */
static char *
cxlDcdDriverFindNext(void)
{
    g_autoptr(GString) missing = g_string_new(NULL);

#define CXL_DCD_DRIVER_FUNCTION(name)                                                              \
    if (!(cxlDcdDriverNext.name = (__typeof__(&name))dlsym(RTLD_NEXT, #name)))                     \
        g_string_append_printf(missing, "%s" #name "()", missing->len ? ", " : "");
#include "cxl_dcd_driver_functions.h"
#undef CXL_DCD_DRIVER_FUNCTION
    /* passes an error to the client; in no header (cxl_dcd_error.c) */
    if (!dlsym(RTLD_DEFAULT, "virSetError"))
        g_string_append_printf(missing, "%svirSetError()", missing->len ? ", " : "");
    return missing->len ? g_string_free(g_steal_pointer(&missing), FALSE) : NULL;
}

static void
cxlDcdDriverSayMissing(const char *missing)
{
    Dl_info info = {.dli_fname = NULL};

    dladdr((void *)virGetLastError, &info);
    cxlDcdDriverLog("error",
                    "the libvirt that is here, %s, has no %s: the module is switched off, and "
                    "<cxl-dcd> is not known; it needs libvirt 9.0 or later",
                    info.dli_fname ? info.dli_fname : "unknown",
                    missing);
}

static void
cxlDcdDriverSayLoaded(const char *program)
{
    unsigned long version = 0;

    if (virGetVersion(&version, NULL, NULL) < 0) {
        cxlDcdDriverLog("warning",
                        "cannot find out the version of libvirt: %s",
                        virGetLastErrorMessage());
        virResetLastError();
    }
    cxlDcdDriverLog("info",
                    "the driver module is loaded into %s, libvirt %lu.%lu.%lu",
                    program,
                    version / 1000000,
                    version / 1000 % 1000,
                    version % 1000);
}

/* Returns LD_PRELOAD without this object. */
static void
cxlDcdDriverDropPreload(void)
{
    const char *preload = g_getenv("LD_PRELOAD");
    g_autoptr(GString) rest = g_string_new(NULL);
    g_autofree char *own = NULL;
    g_auto(GStrv) names = NULL;
    char **name;
    Dl_info info;

    if (!preload || !dladdr((void *)cxlDcdDriverDropPreload, &info) || !info.dli_fname)
        return;
    own = g_canonicalize_filename(info.dli_fname, NULL);
    names = g_strsplit_set(preload, ": ", -1);
    for (name = names; *name; name++) {
        g_autofree char *canonical = g_canonicalize_filename(*name, NULL);

        if (**name && g_strcmp0(canonical, own) != 0)
            g_string_append_printf(rest, "%s%s", rest->len ? ":" : "", *name);
    }
    if (rest->len)
        g_setenv("LD_PRELOAD", rest->str, TRUE);
    else
        g_unsetenv("LD_PRELOAD");
}

/* Whether the program itself is linked with libvirt, which this object always brings along. */
static bool
cxlDcdDriverProgramHasLibvirt(void)
{
    void *program = dlopen(NULL, RTLD_LAZY);
    struct link_map *map = NULL;
    const char *strings = NULL;
    const ElfW(Dyn) * entry;
    bool found = false;

    if (!program)
        return false;
    if (dlinfo(program, RTLD_DI_LINKMAP, &map) == 0 && map->l_ld) {
        for (entry = map->l_ld; entry->d_tag != DT_NULL; entry++) {
            if (entry->d_tag == DT_STRTAB)
                strings = (const char *)entry->d_un.d_ptr;
        }
        for (entry = map->l_ld; strings && entry->d_tag != DT_NULL; entry++)
            found = found || (entry->d_tag == DT_NEEDED &&
                              g_str_has_prefix(strings + entry->d_un.d_val, "libvirt.so."));
    }
    dlclose(program);
    return found;
}

__attribute__((constructor)) static void
cxlDcdDriverLoad(void)
{
    g_autofree char *path = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *program = path ? g_path_get_basename(path) : NULL;
    g_autofree char *missing = cxlDcdDriverFindNext();

    cxlDcdDriverDaemon =
        g_strcmp0(program, "libvirtd") == 0 || g_strcmp0(program, "virtqemud") == 0;
    if (!cxlDcdDriverProgramHasLibvirt())
        cxlDcdDriverDaemon = false;
    else
        cxlDcdDriverDropPreload();

    if (missing) {
        cxlDcdDriverSayMissing(missing);
        return;
    }
    cxlDcdDriverOn = true;
    cxlDcdDriverErrorLoad();
    if (cxlDcdDriverDaemon)
        cxlDcdDriverSayLoaded(program);
}

/**
 * cxlDcdDriverIsDaemon:
 *
 * Returns true if the program is a daemon that has the QEMU driver.
 */
bool
cxlDcdDriverIsDaemon(void)
{
    return cxlDcdDriverDaemon;
}

/**
 * cxlDcdDriverIsOn:
 *
 * Returns false if the module does nothing here, because something that it needs is missing.
 */
bool
cxlDcdDriverIsOn(void)
{
    return cxlDcdDriverOn;
}
