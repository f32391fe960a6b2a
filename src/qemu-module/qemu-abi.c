/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-abi.c: find QEMU's functions, and check what is assumed about its data
 *
 * Every check is made by use: a region is read and written, a command's entry
 * is compared with the address of the function that it must hold. What a check
 * touches it gives back, so that a failed one leaves QEMU as it was.
 */
#define _GNU_SOURCE
#include "qemu-abi.h"

#include <dlfcn.h>
#include <malloc.h>
#include <stdarg.h>

struct qemu_table qemu;
bool verbose;

static size_t region_bytes; /* an upper bound of a MemoryRegion */

static void
print_line(const char *format, va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);

    fprintf(stderr, "cxl-tagged: %s\n", text);
}

void
note(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    print_line(format, args);
    va_end(args);
}

void
detail(const char *format, ...)
{
    va_list args;

    if (!verbose) {
        return;
    }
    va_start(args, format);
    print_line(format, args);
    va_end(args);
}

/*
 * qemu_resolve:
 * @why: where to put what is missing; to be freed
 *
 * Fill the table `qemu`. Returns false if this process has not all of it.
 */
bool
qemu_resolve(char **why)
{
    const char *missing = NULL;

    if (!dlsym(RTLD_DEFAULT, "qmp_commands")) {
        *why = g_strdup("this program is not QEMU, or was built without "
                        "--enable-modules and exports no functions");
        return false;
    }
    if (!dlsym(RTLD_DEFAULT, "qmp_marshal_cxl_add_dynamic_capacity")) {
        *why = g_strdup("this QEMU has no CXL dynamic capacity, which came "
                        "with QEMU 9.1");
        return false;
    }
#define F(ret, name, args)                                                     \
    if (!(*(void **)&qemu.name = dlsym(RTLD_DEFAULT, #name))) {                \
        missing = #name;                                                       \
    }
    QEMU_FUNCTIONS(F)
#undef F
    qemu.qmp_commands = dlsym(RTLD_DEFAULT, "qmp_commands");
    if (missing) {
        *why = g_strdup_printf("this QEMU does not export '%s'", missing);
    }
    return !missing;
}

/* What the region under test was last asked. */
static struct {
    uint64_t addr;
    uint64_t value;
    unsigned size;
} asked;

static uint64_t
check_read(void *opaque G_GNUC_UNUSED, uint64_t addr, unsigned size)
{
    asked.addr = addr;
    asked.size = size;
    return 0x8877665544332211ULL & (UINT64_MAX >> (64 - 8 * size));
}

static void
check_write(void *opaque G_GNUC_UNUSED, uint64_t addr, uint64_t value,
            unsigned size)
{
    asked.addr = addr;
    asked.size = size;
    asked.value = value;
}

static bool
check_access(MemoryRegion *region)
{
    uint64_t value;
    int order; /* MemOp 0..3 is log2 of the size */

    for (order = 0; order < 4; order++) {
        unsigned size = 1u << order;

        value = 0;
        memset(&asked, 0, sizeof(asked));
        if (qemu.memory_region_dispatch_read(region, 64, &value, order, 0) ||
            asked.addr != 64 || asked.size != size ||
            value != check_read(NULL, 64, size)) {
            return false;
        }
        memset(&asked, 0, sizeof(asked));
        if (qemu.memory_region_dispatch_write(region, 128, value, order, 0) ||
            asked.addr != 128 || asked.size != size || asked.value != value) {
            return false;
        }
    }
    /* not aligned: to be refused, as `valid` says */
    return qemu.memory_region_dispatch_read(region, 1, &value, 3, 0) != 0;
}

/*
 * qemu_check_regions:
 *
 * Measure MemoryRegion, and try the layout of MemoryRegionOps, the meaning of
 * MemOp and the size of MemTxAttrs on a region of our own.
 */
bool
qemu_check_regions(void)
{
    static const struct region_ops ops = {
        .read = check_read,
        .write = check_write,
        .endianness = REGION_LITTLE_ENDIAN,
        .valid = { .min = 1, .max = 8 },
        .impl = { .min = 1, .max = 8 },
    };
    Object *sample = qemu.object_new("memory-region");
    size_t bytes = malloc_usable_size(sample);
    MemoryRegion *region;
    Object *owner;
    bool good;

    qemu.object_unref(sample);
    if (bytes < 128 || bytes > 32768) {
        return false;
    }
    region_bytes = 2 * bytes;
    owner = qemu.object_new("container");
    region = g_malloc0(region_bytes);
    qemu.memory_region_init_io(region, owner, &ops, region, "cxl-tagged-check",
                               4096);
    good = qemu.memory_region_size(region) == 4096 && check_access(region);
    qemu.object_unref(owner);
    g_free(region);
    return good;
}

size_t
qemu_region_bytes(void)
{
    return region_bytes;
}

/*
 * qmp_check:
 * @command: name of a QMP command
 * @symbol: the exported function that serves it
 * @stock: where to put that function
 *
 * QmpCommand begins with {name, function}; true if that is seen to be so.
 */
bool
qmp_check(const char *command, const char *symbol, QmpFunction **stock)
{
    void *const *entry = qemu.qmp_find_command(qemu.qmp_commands, command);
    void *function = dlsym(RTLD_DEFAULT, symbol);

    if (!entry || !function || entry[1] != function ||
        strcmp(entry[0], command)) {
        return false;
    }
    *(void **)stock = function;
    return true;
}

/* qmp_replace: let @mine serve @command, after qmp_check(). */
void
qmp_replace(const char *command, QmpFunction *mine)
{
    void **entry = (void **)qemu.qmp_find_command(qemu.qmp_commands, command);

    entry[1] = (void *)mine;
}

/* qmp_call: call @function; unlike itself, says whether it worked. */
bool
qmp_call(QmpFunction *function, QDict *args, QObject **ret, Error **errp)
{
    Error *err = NULL;

    function(args, ret, &err);
    if (err) {
        qemu.error_propagate(errp, err);
        return false;
    }
    return true;
}

/*
 * qlist_each: call @visit for each element of @list that is an object
 *
 * The list goes once round, as QEMU exports no way to walk it, and no way to ask
 * for the type of an element: that is told by how its JSON begins.
 *
 * Returns whether all elements are objects.
 */
bool
qlist_each(QList *list, void (*visit)(QDict *, void *), void *opaque)
{
    size_t left = qemu.qlist_size(list);
    bool all = true;

    while (left--) {
        QObject *element = qemu.qlist_pop(list);
        GString *text = qemu.qobject_to_json(element);

        qemu.qlist_append_obj(list, element);
        if (text->str[0] == '{') {
            visit((QDict *)element, opaque);
        } else {
            all = false;
        }
        g_string_free(text, TRUE);
    }
    return all;
}

/*
 * qdict_number: the whole number @key of @dict, in all of 64 bits
 *
 * A negative one is what QEMU makes of it where it wants an unsigned one.
 *
 * Returns false if it is absent, or not a whole number.
 */
bool
qdict_number(const QDict *dict, const char *key, uint64_t *value)
{
    QObject *object = qemu.qdict_get(dict, key);
    GString *text;
    int64_t negative;
    bool good;

    if (!object) {
        return false;
    }
    text = qemu.qobject_to_json(object);
    good =
        g_ascii_string_to_unsigned(text->str, 10, 0, G_MAXUINT64, value, NULL);
    if (!good && g_ascii_string_to_signed(text->str, 10, G_MININT64, -1,
                                          &negative, NULL)) {
        *value = negative;
        good = true;
    }
    g_string_free(text, TRUE);
    return good;
}

/* qemu_version: QEMU's own version, by its command query-version. */
bool
qemu_version(int64_t *major, int64_t *minor, int64_t *micro)
{
    QmpFunction *query;
    QObject *reply = NULL;
    QDict *args, *version;
    bool good;

    if (!qmp_check("query-version", "qmp_marshal_query_version", &query)) {
        return false;
    }
    args = qemu.qdict_new();
    good = qmp_call(query, args, &reply, NULL);
    qemu.qdict_unref(args);
    if (!good || !reply) {
        return false;
    }
    version = qemu.qdict_get_qdict((QDict *)reply, "qemu");
    *major = qemu.qdict_get_try_int(version, "major", -1);
    *minor = qemu.qdict_get_try_int(version, "minor", -1);
    *micro = qemu.qdict_get_try_int(version, "micro", -1);
    qemu.qdict_unref((QDict *)reply);
    return *major >= 0 && *minor >= 0;
}
