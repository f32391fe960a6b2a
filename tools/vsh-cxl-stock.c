/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-stock.c: handing a command over to the stock virsh
 *
 * The stock virsh replaces this process, with its arguments unchanged and with the driver
 * module preloaded, so that it knows <cxl-dcd>.
 *
 * This program may itself be called "virsh" and come first in PATH, as a link, a copy or
 * a wrapper script. Two checks keep it from mistaking itself for the stock virsh. First,
 * a file that is the same as this program is skipped. Second, before handing over, the
 * program records in the environment which file it hands over to, and its process id. A
 * program that finds its own id there (the id survives an exec) or its parent's (a script
 * that did not exec) was reached by that very handover, and continues the search in PATH
 * after that file. So no chain of copies and scripts can loop forever.
 */

#include <errno.h>
#include <gio/gio.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "vsh-cxl-stock.h"

/* Let users name both files. */
#define VSH_CXL_STOCK_ENV_DRIVER "LIBVIRT_CXL_DCD_DRIVER"
#define VSH_CXL_STOCK_ENV_VIRSH "LIBVIRT_CXL_DCD_VIRSH"

/* "PID FILE": who handed over, and to what. Internal. */
#define VSH_CXL_STOCK_ENV_HANDED "LIBVIRT_CXL_DCD_HANDED"

#define VSH_CXL_STOCK_SELF "/proc/self/exe"

/**
 * vshCxlStockIsCandidate:
 * @file: a path
 * @self: this program
 *
 * Returns whether @file is a program other than @self.
 */
static gboolean
vshCxlStockIsCandidate(const char *file, const char *self)
{
    struct stat candidate;
    struct stat own;

    if (stat(file, &candidate) < 0 || !S_ISREG(candidate.st_mode) || access(file, X_OK) < 0)
        return FALSE;
    return stat(self, &own) < 0 || candidate.st_dev != own.st_dev || candidate.st_ino != own.st_ino;
}

/**
 * vshCxlStockSearch:
 * @name: the file name of the stock virsh, or its path
 * @path: the folders to search, as in PATH; ignored if @name is a path
 * @after: a file found earlier, after which to continue the search; or NULL
 * @self: this program, which is skipped
 * @error: set if there is none
 *
 * Returns the path of the stock virsh, or NULL with @error set.
 */
char *
vshCxlStockSearch(const char *name,
                  const char *path,
                  const char *after,
                  const char *self,
                  GError **error)
{
    g_auto(GStrv) folders = g_strsplit(path, G_SEARCHPATH_SEPARATOR_S, -1);
    GString *found = g_string_new(NULL);
    gboolean behind = after == NULL;
    size_t i;

    if (strchr(name, '/')) {
        if (vshCxlStockIsCandidate(name, self))
            return g_string_free(g_string_assign(found, name), FALSE);
        g_string_free(found, TRUE);
        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_NOT_FOUND,
                    "the stock virsh '%s' is not executable, or is virsh-cxl itself; name it "
                    "with " VSH_CXL_STOCK_ENV_VIRSH,
                    name);
        return NULL;
    }

    for (i = 0; folders[i]; i++) {
        g_string_printf(found, "%s/%s", *folders[i] ? folders[i] : ".", name);
        if (behind && vshCxlStockIsCandidate(found->str, self))
            return g_string_free(found, FALSE);
        behind = behind || g_str_equal(found->str, after);
    }
    g_string_free(found, TRUE);
    g_set_error(error,
                G_IO_ERROR,
                G_IO_ERROR_NOT_FOUND,
                "the stock virsh was not found: PATH has no other '%s' than this program; name "
                "it with " VSH_CXL_STOCK_ENV_VIRSH,
                name);
    return NULL;
}

/**
 * vshCxlStockPreload:
 * @driver: the driver module
 * @preload: the current LD_PRELOAD, or NULL
 * @error: set if the module cannot be loaded
 *
 * The dynamic linker carries on without a module that it cannot find, and the user would
 * lose <cxl-dcd> without an error: hence the checks.
 *
 * Returns the new LD_PRELOAD, @driver first, or NULL with @error set.
 */
char *
vshCxlStockPreload(const char *driver, const char *preload, GError **error)
{
    g_autofree char *file = g_canonicalize_filename(driver, NULL);

    if (!g_file_test(file, G_FILE_TEST_IS_REGULAR) || access(file, R_OK) < 0) {
        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_NOT_FOUND,
                    "the driver module '%s' is not there or cannot be read; name it "
                    "with " VSH_CXL_STOCK_ENV_DRIVER,
                    file);
        return NULL;
    }
    if (strpbrk(file, " :")) {
        g_set_error(error,
                    G_IO_ERROR,
                    G_IO_ERROR_INVALID_FILENAME,
                    "cannot preload the driver module '%s': its path has a space or a colon, "
                    "which LD_PRELOAD cannot hold",
                    file);
        return NULL;
    }
    if (!preload || !*preload)
        return g_steal_pointer(&file);
    return g_strdup_printf("%s:%s", file, preload);
}

/**
 * vshCxlStockGetHanded:
 *
 * Returns the file that this program, in this process or its parent, last handed over to;
 * NULL if it did not.
 */
static const char *
vshCxlStockGetHanded(void)
{
    const char *handed = g_getenv(VSH_CXL_STOCK_ENV_HANDED);
    char *end = NULL;
    guint64 pid;

    if (!handed)
        return NULL;
    pid = g_ascii_strtoull(handed, &end, 10);
    if (*end != ' ' || (pid != (guint64)getpid() && pid != (guint64)getppid()))
        return NULL;
    return end + 1;
}

/**
 * vshCxlStockFind:
 * @error: set if there is none
 *
 * Returns the path of the stock virsh, or NULL with @error set.
 */
static char *
vshCxlStockFind(GError **error)
{
    const char *name = g_getenv(VSH_CXL_STOCK_ENV_VIRSH);
    const char *path = g_getenv("PATH");

    return vshCxlStockSearch(name && *name ? name : VIRSH,
                             path ? path : "/usr/local/bin:/usr/bin:/bin",
                             vshCxlStockGetHanded(),
                             VSH_CXL_STOCK_SELF,
                             error);
}

/**
 * vshCxlStockDriver:
 *
 * Returns the path of the driver module that the stock virsh is given, without checking
 * that it exists.
 */
const char *
vshCxlStockDriver(void)
{
    const char *driver = g_getenv(VSH_CXL_STOCK_ENV_DRIVER);

    return driver && *driver ? driver : DRIVER_MODULE;
}

/**
 * vshCxlStockPrepare:
 * @environment: set to the environment for the stock virsh
 * @error: set if there is no stock virsh or no driver module
 *
 * Returns the path of the stock virsh, or NULL with @error set.
 */
static char *
vshCxlStockPrepare(char ***environment, GError **error)
{
    g_autofree char *virsh = vshCxlStockFind(error);
    g_autofree char *preload = NULL;
    g_autofree char *handed = NULL;

    if (!virsh)
        return NULL;
    preload = vshCxlStockPreload(vshCxlStockDriver(), g_getenv("LD_PRELOAD"), error);
    if (!preload)
        return NULL;

    handed = g_strdup_printf("%ld %s", (long)getpid(), virsh);
    *environment = g_environ_setenv(g_get_environ(), "LD_PRELOAD", preload, TRUE);
    *environment = g_environ_setenv(*environment, VSH_CXL_STOCK_ENV_HANDED, handed, TRUE);
    return g_steal_pointer(&virsh);
}

/**
 * vshCxlStockExec:
 * @argv: the arguments of this program, its name included
 * @error: set if the stock virsh cannot be run
 *
 * Replace this process with the stock virsh.
 *
 * Returns only on failure: -1 with @error set.
 */
int
vshCxlStockExec(char **argv, GError **error)
{
    g_auto(GStrv) environment = NULL;
    g_autofree char *virsh = vshCxlStockPrepare(&environment, error);

    if (!virsh)
        return -1;
    execve(virsh, argv, environment);
    g_set_error(error,
                G_IO_ERROR,
                G_IO_ERROR_FAILED,
                "cannot run '%s': %s",
                virsh,
                g_strerror(errno));
    return -1;
}

/**
 * vshCxlStockSpawn:
 * @argv: the arguments of virsh, its name included
 * @output: set to its standard output, with standard input and error at /dev/null; NULL
 *          to share all three with this program
 * @status: set to its exit status, 128 plus the signal if it was killed
 * @error: set if the stock virsh cannot be run
 *
 * Run the stock virsh, set up as for vshCxlStockExec(), and wait for it to end.
 *
 * Returns 0 once it has ended, -1 with @error set.
 */
static int
vshCxlStockSpawn(char **argv, char **output, int *status, GError **error)
{
    g_auto(GStrv) environment = NULL;
    g_autofree char *virsh = vshCxlStockPrepare(&environment, error);
    g_autofree char **args = NULL;
    guint nargs = g_strv_length(argv);
    int wait_status;

    if (!virsh)
        return -1;

    /* the file to run, then its arguments, starting with its name */
    args = g_new0(char *, nargs + 2);
    args[0] = virsh;
    memcpy(args + 1, argv, nargs * sizeof(*argv));

    if (!g_spawn_sync(NULL,
                      args,
                      environment,
                      G_SPAWN_FILE_AND_ARGV_ZERO |
                          (output ? G_SPAWN_STDERR_TO_DEV_NULL : G_SPAWN_CHILD_INHERITS_STDIN),
                      NULL,
                      NULL,
                      output,
                      NULL,
                      &wait_status,
                      error))
        return -1;
    *status = WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
    return 0;
}

/**
 * vshCxlStockRun:
 * @argv: the arguments of virsh, its name included
 * @status: set to its exit status, 128 plus the signal if it was killed
 * @error: set if the stock virsh cannot be run
 *
 * Run the stock virsh in this program's terminal, and wait for it to end.
 *
 * Returns 0 once it has ended, -1 with @error set.
 */
int
vshCxlStockRun(char **argv, int *status, GError **error)
{
    /* our earlier output must come before virsh's */
    fflush(stdout);
    return vshCxlStockSpawn(argv, NULL, status, error);
}

/**
 * vshCxlStockRead:
 * @argv: the arguments of virsh, its name included
 *
 * Run the stock virsh and capture its output. It has no input, and its errors are
 * discarded.
 *
 * Returns its standard output, or NULL if it failed.
 */
char *
vshCxlStockRead(char **argv)
{
    g_autofree char *output = NULL;
    int status;

    if (vshCxlStockSpawn(argv, &output, &status, NULL) < 0 || status != 0)
        return NULL;
    return g_steal_pointer(&output);
}
