/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_load.c: how the driver module begins
 *
 * What is preloaded gets into whatever is started with that environment: a daemon, a
 * client, but also the shell, timeout or python in front of it, and a libvirt of any age.
 * So before the program's main():
 *
 *   - libvirt's own definition of every function that the module stands before is looked
 *     up. Where one is missing the module is off: it says so once, and every call goes
 *     straight on, so that a daemon comes up as it would without. Found out only at a
 *     call, it would end a daemon that has domains to look after.
 *   - In a daemon, a line of its log says that the module is there, and with which libvirt.
 *   - A program that is linked with libvirt loses this object's name from its environment:
 *     libvirt hands LD_PRELOAD on to QEMU, and a client its own to an editor. All other
 *     programs hand it on, since what they start may be the one that was meant.
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

/* The program: a daemon serves others, and asks nobody. */
static bool cxlDcdDriverDaemon;

/* All that it needs was found. */
static bool cxlDcdDriverOn;

/* Look up what comes next. Returns the names of what is not there, or NULL. */
static char *
cxlDcdDriverFindNext(void)
{
    g_autoptr(GString) missing = g_string_new(NULL);

#define CXL_DCD_DRIVER_FUNCTION(name)                                                              \
    if (!(cxlDcdDriverNext.name = (__typeof__(&name))dlsym(RTLD_NEXT, #name)))                     \
        g_string_append_printf(missing, "%s" #name "()", missing->len ? ", " : "");
#include "cxl_dcd_driver_functions.h"
#undef CXL_DCD_DRIVER_FUNCTION
    /* by which a client hears of an error: in no header (cxl_dcd_error.c) */
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

/* LD_PRELOAD without this object. */
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

/* Whether the program itself asks for libvirt: this object always brings it. */
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
 * Returns true when the program is a daemon that has the QEMU driver.
 */
bool
cxlDcdDriverIsDaemon(void)
{
    return cxlDcdDriverDaemon;
}

/**
 * cxlDcdDriverIsOn:
 *
 * Returns false when the module does nothing here, for want of what it stands on.
 */
bool
cxlDcdDriverIsOn(void)
{
    return cxlDcdDriverOn;
}
