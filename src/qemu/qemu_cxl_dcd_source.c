/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_source.c: the file that is to be the memory of a capacity
 *
 * QEMU opens the file of a memory backend, and creates it if there is none. Of all that can
 * be wrong with the file, QEMU refuses only a part (measured on 10.0.2):
 *
 *   smaller than the memory      refused, with the sizes in hexadecimal
 *   larger                       accepted: the rest of it is silently out of reach, and
 *                                domains that share it may disagree on what it is
 *   empty                        enlarged to the size of the memory
 *   a directory                  QEMU creates a nameless file in it: meant for hugetlbfs
 *   a pipe, a device             refused, with "No such device", after an attempt
 *   a link that leads nowhere    QEMU tries to create the file for ever, and no longer
 *                                answers anybody
 *   no such directory            refused
 *
 * So the file is checked before QEMU is asked to do anything. That is a courtesy, not a
 * protection: the file may change a moment later, and QEMU's own answer is what counts. If
 * the file cannot be seen, because the daemon is on another host or permission is missing,
 * QEMU's answer is the only one.
 *
 * A file that two capacities of one domain share is the same memory at two places of the
 * guest's physical address space, under two names. QEMU accepts that silently, and a guest
 * that uses both as memory destroys its own data. Repeating an add without its tag leads to
 * exactly this, so it is refused. A private mapping is a copy, and harmless.
 */

#include <config.h>

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "qemu_cxl_dcd_source.h"
#include "util/cxl_dcd_connect.h"
#include "util/cxl_dcd_error.h"

/* There is nothing at @path: check that QEMU can create the file. */
static int
qemuCxlDcdSourceCheckAbsent(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    struct stat buf;

    if (lstat(path, &buf) == 0) {
        virCxlDcdReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                             "'%s' is a dangling symbolic link: QEMU makes the file of a capacity "
                             "where there is none, but not through a link",
                             path);
        return -1;
    }
    if (stat(folder, &buf) == 0 && S_ISDIR(buf.st_mode))
        return 0;
    virCxlDcdReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                         "the file '%s' of a capacity is not there and cannot be made: there is no "
                         "directory '%s'",
                         path,
                         folder);
    return -1;
}

static int
qemuCxlDcdSourceCheckSize(const struct stat *file, const virCxlDcdCapacityDef *capacity)
{
    if (file->st_size == 0 || (unsigned long long)file->st_size == capacity->size)
        return 0;
    virCxlDcdReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                         "the file '%s' has %llu bytes and cannot be the memory of a capacity of "
                         "%llu bytes: it must have that size, or be empty or absent",
                         capacity->source->path,
                         (unsigned long long)file->st_size,
                         capacity->size);
    return -1;
}

/* Whether @source is a shared mapping of @file. */
static bool
qemuCxlDcdSourceShares(const virCxlDcdSourceDef *source, const struct stat *file)
{
    struct stat buf;

    return source && source->path && source->access != VIR_CXL_DCD_ACCESS_PRIVATE &&
           stat(source->path, &buf) == 0 && buf.st_dev == file->st_dev &&
           buf.st_ino == file->st_ino;
}

/* What of @device already uses @file: a capacity, by its tag, or the device itself, by its alias.
 * NULL if nothing does. */
static const char *
qemuCxlDcdSourceUser(const virCxlDcdDef *device,
                     const struct stat *file,
                     const virCxlDcdCapacityDef *except)
{
    guint i;

    if (qemuCxlDcdSourceShares(device->source, file))
        return device->alias;
    for (i = 0; i < device->capacities->len; i++) {
        const virCxlDcdCapacityDef *other = g_ptr_array_index(device->capacities, i);

        if (virCxlDcdCapacityOccupies(other) && g_strcmp0(other->tag, except->tag) != 0 &&
            qemuCxlDcdSourceShares(other->source, file))
            return other->tag;
    }
    return NULL;
}

static int
qemuCxlDcdSourceCheckUnused(const virCxlDcdDomainDef *def,
                            const struct stat *file,
                            const virCxlDcdCapacityDef *capacity)
{
    guint i;

    if (capacity->source->access == VIR_CXL_DCD_ACCESS_PRIVATE)
        return 0;
    for (i = 0; i < def->devices->len; i++) {
        const virCxlDcdDef *device = g_ptr_array_index(def->devices, i);
        const char *user = qemuCxlDcdSourceUser(device, file, capacity);

        if (!user)
            continue;
        virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                             "the file '%s' is the memory of '%s' in domain '%s' already: the "
                             "guest would see the same memory at two places. Several domains may "
                             "share a file",
                             capacity->source->path,
                             user,
                             def->name);
        return -1;
    }
    return 0;
}

/**
 * qemuCxlDcdSourceCheck:
 * @domain: a running domain
 * @def: its devices
 * @capacity: the capacity to add to one of them
 *
 * Check the file that is to be the memory of @capacity, if it has one and the file can be
 * seen from here.
 *
 * Returns 0, or -1 with an error set: VIR_ERR_OPERATION_INVALID if another capacity of
 * the domain uses the file, VIR_ERR_CONFIG_UNSUPPORTED if the file is unsuitable.
 */
int
qemuCxlDcdSourceCheck(virDomainPtr domain,
                      const virCxlDcdDomainDef *def,
                      const virCxlDcdCapacityDef *capacity)
{
    const char *path = capacity->source ? capacity->source->path : NULL;
    struct stat file;

    if (!path || !virCxlDcdConnectIsLocal(virDomainGetConnect(domain)))
        return 0;
    if (stat(path, &file) < 0) {
        if (errno == ENOENT || errno == ENOTDIR)
            return qemuCxlDcdSourceCheckAbsent(path);
        if (errno == EACCES)
            return 0;
        virCxlDcdReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                             "cannot stat the file '%s' of a capacity: %s",
                             path,
                             g_strerror(errno));
        return -1;
    }
    if (S_ISDIR(file.st_mode))
        return 0;
    if (!S_ISREG(file.st_mode)) {
        virCxlDcdReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                             "'%s' cannot be the memory of a capacity: it is neither a file nor a "
                             "directory of hugetlbfs",
                             path);
        return -1;
    }
    if (qemuCxlDcdSourceCheckSize(&file, capacity) < 0)
        return -1;
    return qemuCxlDcdSourceCheckUnused(def, &file, capacity);
}
