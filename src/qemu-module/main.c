/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * cxl-tagged: tagged host memory backends for CXL dynamic capacity
 *
 * An unmodified QEMU loads this module by its own option, -plugin file=..., and
 * then has what no release has yet: a cxl-type3 that starts with no memory at
 * all, and to which capacity is added as memory backends that are looked up by
 * a tag, mapped when the guest accepts, and gone when the guest has released
 * them. The plugin interface is the way in and nothing else: no instruction is
 * watched, and it is the same under KVM.
 *
 * Theory of operation
 * -------------------
 * An extent is one backend, whole. Its states are QEMU's; the module follows:
 *
 *      add (qmp.c)          guest accepts (mailbox.c)
 *   o ------------> offered ------------------------> accepted
 *   ^                  |                                 |
 *   |  guest refuses   |            guest gives it back, |
 *   +------------------+            asked to or not      |
 *   +----------------------------------------------------+
 *      the unplug of the device ends either state too
 *
 * The backend is referenced and marked in use from the offer on, and can be
 * deleted again once the extent has gone. A reset of the device changes no
 * state, as with QEMU's own extents: it takes the direct alias away.
 *
 * The way of a guest's load, and what the module lays over QEMU's regions (=):
 *
 *   CPU -> system memory
 *            = direct alias --------------------------> backend     (alias.c)
 *            | fixed memory window (trap)
 *            |   host bridge, switch, device decoders
 *            |   = overlays that see each change of one             (alias.c)
 *            v
 *          device's dynamic capacity: address space only            (device.c)
 *            = accepted extent -----------------------> backend     (extent.c)
 *
 *   CPU -> device's mailbox
 *            = overlay: accept, release, tags in replies (mailbox.c, events.c)
 *
 * Commands are replaced in QEMU's table of them (qmp.c, schema.c), and what is
 * not for a device of ours goes on to QEMU's own.
 *
 * Invariants
 *   - An extent has a mapping if and only if the guest has accepted it, and a
 *     direct alias only if it has a mapping and QEMU itself was seen to route
 *     the whole range there since the last change of any decoder on the way.
 *   - What is refused is refused before anything is changed.
 *   - No QEMU header, and no offset into a device's structure: functions that
 *     the binary exports, and the layouts of qemu-abi.h, each tried at load.
 *     Where one is not as expected, the module changes nothing.
 *   - Everything runs under QEMU's big lock; the module has no lock and no
 *     thread.
 *
 * Deliberately not done
 *   - Migration: extents do not travel, and are a migration blocker instead.
 *   - `tag` in -object: QEMU checks those arguments before any module is there.
 *   - A time limit on offers: one that the guest ignores stays.
 *   - Sharing one backend between extents or devices in one QEMU.
 */
#define _GNU_SOURCE
#include "cxl-tagged.h"

#include <dlfcn.h>

#define EXPORT __attribute__((visibility("default")))

/* The versions of QEMU that it was tested with, all of them on x86_64. */
static const struct {
    int64_t major;
    int64_t minor;
} tested[] = {
    { 10, 0 },
    { 11, 1 },
};

/*
 * The plugin interface refuses a module that names a version out of its range,
 * and the program ends. The module uses none of what changed between them, and
 * names one that this QEMU takes, by what came with it.
 */
EXPORT int qemu_plugin_version = 0;

static void __attribute__((constructor)) choose_plugin_version(void)
{
    static const struct {
        const char *symbol;
        int version;
    } added[] = {
        { "qemu_plugin_register_vcpu_syscall_filter_cb", 7 },
        { "qemu_plugin_register_vcpu_discon_cb", 6 },
        { "qemu_plugin_translate_vaddr", 5 },
        { "qemu_plugin_read_memory_vaddr", 4 },
        { "qemu_plugin_scoreboard_new", 2 },
    };
    unsigned i;

    for (i = 0; i < G_N_ELEMENTS(added); i++) {
        if (dlsym(RTLD_DEFAULT, added[i].symbol)) {
            qemu_plugin_version = added[i].version;
            return;
        }
    }
}

static bool
parse_switch(const char *text, bool *value)
{
    if (!g_strcmp0(text, "on")) {
        *value = true;
    } else if (!g_strcmp0(text, "off")) {
        *value = false;
    } else {
        return false;
    }
    return true;
}

static bool
parse_arguments(int argc, char **argv, bool *untested)
{
    int i;

    for (i = 0; i < argc; i++) {
        const char *value = strchr(argv[i], '=');

        if (value && g_str_has_prefix(argv[i], "verbose=") &&
            parse_switch(value + 1, &verbose)) {
            continue;
        }
        if (value && g_str_has_prefix(argv[i], "untested=") &&
            parse_switch(value + 1, untested)) {
            continue;
        }
        note("bad argument '%s': the arguments are verbose=on|off and "
             "untested=on|off",
             argv[i]);
        return false;
    }
    return true;
}

static bool
check_version(const char *target, bool untested, char **why)
{
    int64_t major, minor, micro;
    unsigned i;

    if (!qemu_version(&major, &minor, &micro)) {
        *why = g_strdup("the version of QEMU cannot be found out");
        return false;
    }
    for (i = 0; i < G_N_ELEMENTS(tested); i++) {
        if (major == tested[i].major && minor == tested[i].minor &&
            !g_strcmp0(target, "x86_64")) {
            return true;
        }
    }
    if (untested) {
        note("not tested with QEMU %d.%d.%d for %s, continuing because of "
             "untested=on",
             (int)major, (int)minor, (int)micro, target);
        return true;
    }
    *why = g_strdup_printf("not tested with QEMU %d.%d.%d for %s "
                           "(untested=on tries it)",
                           (int)major, (int)minor, (int)micro, target);
    return false;
}

/* Everything that can be checked without changing anything. */
static bool
check(const char *target, bool untested, char **why)
{
    if (!qemu_resolve(why)) {
        return false;
    }
    if (qemu.qmp_find_command(qemu.qmp_commands,
                              "cxl-release-dynamic-capacity-status")) {
        *why = g_strdup("this QEMU has tagged capacity itself");
        return false;
    }
    if (!qemu.object_class_by_name("memory-backend") ||
        !qemu.object_class_by_name("cxl-type3")) {
        *why = g_strdup("this QEMU has no cxl-type3");
        return false;
    }
    if (!check_version(target, untested, why)) {
        return false;
    }
    if (!qemu_check_regions()) {
        *why = g_strdup("memory regions are not laid out as expected");
        return false;
    }
    if (!qmp_check_commands() || !schema_check()) {
        *why = g_strdup("QMP commands are not laid out as expected");
        return false;
    }
    if (!device_check_reset()) {
        *why = g_strdup("resets do not work as expected");
        return false;
    }
    return true;
}

EXPORT int qemu_plugin_install(uint64_t id G_GNUC_UNUSED, const void *info,
                               int argc, char **argv);

/*
 * qemu_plugin_install: QEMU's call, once its types and commands are there
 * @info: begins with the name of the target
 *
 * Returns 0, also when the module switches off; QEMU ends otherwise.
 */
EXPORT int
qemu_plugin_install(uint64_t id G_GNUC_UNUSED, const void *info, int argc,
                    char **argv)
{
    static bool loaded;
    const char *target = *(const char *const *)info;
    g_autofree char *why = NULL;
    bool untested = false;

    if (!parse_arguments(argc, argv, &untested)) {
        return -1;
    }
    if (loaded) {
        note("loaded twice: the second time is ignored");
        return 0;
    }
    loaded = true;
    if (!check(target, untested, &why)) {
        note("switched off: %s", why);
        return 0;
    }
    qmp_install();
    schema_install();
    tags_install(qemu.object_class_by_name("memory-backend"));
    device_install(qemu.object_class_by_name("cxl-type3"));
    detail("ready");
    return 0;
}
