/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * qemu-abi.h: all that the module knows of QEMU's binary interface
 *
 * The functions are those that the QEMU binary exports; they are found by name
 * and called through the table `qemu`. The few structures that must be known
 * are declared here, each with the check in qemu-abi.c that shows it is right.
 * QEMU's own objects stay opaque.
 */
#pragma once

#include <glib.h>
#include <inttypes.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef struct Object Object;
typedef struct ObjectClass ObjectClass;
typedef struct MemoryRegion MemoryRegion;
typedef struct Error Error;
typedef struct QDict QDict;
typedef struct QList QList;
typedef struct QObject QObject;
typedef struct Visitor Visitor;
typedef uint64_t MemTxAttrs; /* at most 8 bytes, in one register */

typedef void PropertyAccessor(Object *, Visitor *, const char *name,
                              void *opaque, Error **);
typedef void PropertyRelease(Object *, const char *name, void *opaque);
typedef void QmpFunction(QDict *args, QObject **ret, Error **);
typedef void ResetPhase(Object *, int type);

/* MemoryRegionOps: checked by reading and writing a region made with it. */
struct region_ops {
    uint64_t (*read)(void *opaque, uint64_t addr, unsigned size);
    void (*write)(void *opaque, uint64_t addr, uint64_t value, unsigned size);
    void *read_with_attrs;
    void *write_with_attrs;
    int endianness;
    struct {
        unsigned min;
        unsigned max;
        bool unaligned;
        void *accepts;
    } valid;
    struct {
        unsigned min;
        unsigned max;
        bool unaligned;
    } impl;
};
#define REGION_LITTLE_ENDIAN 2

/* TypeInfo: checked by making an object of a type registered with it. */
struct type_info {
    const char *name;
    const char *parent;
    size_t instance_size;
    size_t instance_align;
    void (*instance_init)(Object *);
    void (*instance_post_init)(Object *);
    void (*instance_finalize)(Object *);
    bool abstract;
    size_t class_size;
    void (*class_init)(ObjectClass *, void *);
    void (*class_base_init)(ObjectClass *, void *);
    void *class_data;
    void *interfaces;
};

/* ResettablePhases: checked by resetting such an object. */
struct reset_phases {
    ResetPhase *enter;
    ResetPhase *hold;
    ResetPhase *exit;
};

/*
 * DeviceListener: only the third function is used. Were the order another, it
 * would not be called, and the requests it refuses would go to QEMU as before.
 */
struct device_listener {
    void (*realize)(struct device_listener *, Object *);
    void (*unrealize)(struct device_listener *, Object *);
    bool (*creating)(struct device_listener *, const QDict *options,
                     bool from_json, Error **);
    void *links[13]; /* QEMU's own; more than it needs */
};

/* clang-format off */
#define QEMU_FUNCTIONS(F)                                                     \
    /* QMP */                                                                 \
    F(const void *, qmp_find_command, (const void *, const char *))           \
    F(void, qmp_register_command,                                             \
      (void *, const char *, QmpFunction *, int, uint64_t))                   \
    F(void, error_setg_internal,                                              \
      (Error **, const char *, int, const char *, const char *, ...))         \
    F(void, error_propagate, (Error **, Error *))                             \
    F(const char *, error_get_pretty, (const Error *))                        \
    F(void, error_free, (Error *))                                            \
    /* the object model */                                                    \
    F(void *, type_register_static, (const struct type_info *))               \
    F(ObjectClass *, object_class_by_name, (const char *))                    \
    F(ObjectClass *, object_class_dynamic_cast,                               \
      (ObjectClass *, const char *))                                          \
    F(void *, object_class_property_add,                                      \
      (ObjectClass *, const char *, const char *, PropertyAccessor *get,      \
       PropertyAccessor *set, PropertyRelease *, void *))                     \
    F(void, object_class_property_set_description,                            \
      (ObjectClass *, const char *, const char *))                            \
    F(void *, object_property_add,                                            \
      (Object *, const char *, const char *, PropertyAccessor *get,           \
       PropertyAccessor *set, PropertyRelease *, void *))                     \
    F(void, object_property_set_default_uint, (void *, uint64_t))             \
    F(Object *, object_resolve_path, (const char *, bool *))                  \
    F(Object *, object_resolve_path_type,                                     \
      (const char *, const char *, bool *))                                   \
    F(Object *, object_resolve_path_component, (Object *, const char *))      \
    F(Object *, object_get_objects_root, (void))                              \
    F(char *, object_get_canonical_path, (const Object *))                    \
    F(const char *, object_get_canonical_path_component, (const Object *))    \
    F(Object *, object_dynamic_cast, (Object *, const char *))                \
    F(int, object_child_foreach,                                              \
      (Object *, int (*)(Object *, void *), void *))                          \
    F(int, object_child_foreach_recursive,                                    \
      (Object *, int (*)(Object *, void *), void *))                          \
    F(Object *, object_new, (const char *))                                   \
    F(Object *, object_new_with_props,                                        \
      (const char *, Object *, const char *, Error **, ...))                  \
    F(bool, object_property_set_str,                                          \
      (Object *, const char *, const char *, Error **))                       \
    F(bool, object_property_set_link,                                         \
      (Object *, const char *, Object *, Error **))                           \
    F(Object *, object_property_get_link, (Object *, const char *, Error **)) \
    F(uint64_t, object_property_get_uint, (Object *, const char *, Error **)) \
    F(bool, object_property_get_bool, (Object *, const char *, Error **))     \
    F(Object *, object_ref, (void *))                                         \
    F(void, object_unref, (void *))                                           \
    F(void, object_unparent, (Object *))                                      \
    F(bool, visit_type_bool, (Visitor *, const char *, bool *, Error **))     \
    F(bool, visit_type_size, (Visitor *, const char *, uint64_t *, Error **)) \
    F(bool, visit_type_str, (Visitor *, const char *, char **, Error **))     \
    /* devices */                                                             \
    F(Object *, qbus_new, (const char *, Object *, const char *))             \
    F(void, resettable_class_set_parent_phases,                               \
      (ObjectClass *, ResetPhase *enter, ResetPhase *hold, ResetPhase *exit,  \
       struct reset_phases *))                                                \
    F(void, resettable_reset, (Object *, int))                                \
    F(void, device_listener_register, (struct device_listener *))             \
    F(int, migrate_add_blocker, (Error **, Error **))                         \
    F(void, migrate_del_blocker, (Error **))                                  \
    F(bool, ct3_test_region_block_backed, (Object *, uint64_t, uint64_t))     \
    F(void *, cxl_find_dc_region, (Object *, uint64_t, uint64_t))             \
    /* memory */                                                              \
    F(MemoryRegion *, host_memory_backend_get_memory, (Object *))             \
    F(bool, host_memory_backend_is_mapped, (Object *))                        \
    F(void, host_memory_backend_set_mapped, (Object *, bool))                 \
    F(void, memory_region_init_io,                                            \
      (MemoryRegion *, Object *, const struct region_ops *, void *,           \
       const char *, uint64_t))                                               \
    F(void, memory_region_init_alias,                                         \
      (MemoryRegion *, Object *, const char *, MemoryRegion *, uint64_t,      \
       uint64_t))                                                             \
    F(void, memory_region_add_subregion_overlap,                              \
      (MemoryRegion *, uint64_t, MemoryRegion *, int))                        \
    F(void, memory_region_del_subregion, (MemoryRegion *, MemoryRegion *))    \
    F(void, memory_region_transaction_begin, (void))                          \
    F(void, memory_region_transaction_commit, (void))                         \
    F(int, memory_region_dispatch_read,                                       \
      (MemoryRegion *, uint64_t, uint64_t *, int, MemTxAttrs))                \
    F(int, memory_region_dispatch_write,                                      \
      (MemoryRegion *, uint64_t, uint64_t, int, MemTxAttrs))                  \
    F(uint64_t, memory_region_size, (MemoryRegion *))                         \
    F(MemoryRegion *, get_system_memory, (void))                              \
    /* QMP data */                                                            \
    F(QObject *, qdict_get, (const QDict *, const char *))                    \
    F(const char *, qdict_get_try_str, (const QDict *, const char *))         \
    F(int64_t, qdict_get_try_int, (const QDict *, const char *, int64_t))     \
    F(QList *, qdict_get_qlist, (const QDict *, const char *))                \
    F(QDict *, qdict_get_qdict, (const QDict *, const char *))                \
    F(int, qdict_haskey, (const QDict *, const char *))                       \
    F(size_t, qdict_size, (const QDict *))                                    \
    F(void, qdict_del, (QDict *, const char *))                               \
    F(void, qdict_put_str, (QDict *, const char *, const char *))             \
    F(void, qdict_put_obj, (QDict *, const char *, QObject *))                \
    F(QDict *, qdict_new, (void))                                             \
    F(void, qdict_unref, (QDict *))                                           \
    F(QDict *, qdict_from_jsonf_nofail, (const char *, ...))                  \
    F(QObject *, qobject_from_json, (const char *, Error **))                 \
    F(GString *, qobject_to_json, (const QObject *))                          \
    F(QObject *, qlist_pop, (QList *))                                        \
    F(size_t, qlist_size, (const QList *))                                    \
    F(void, qlist_append_obj, (QList *, QObject *))
/* clang-format on */

/* QEMU's functions and data. Filled by qemu_resolve(). */
extern struct qemu_table {
#define F(ret, name, args) ret(*name) args;
    QEMU_FUNCTIONS(F)
#undef F
    void *qmp_commands; /* the QMP command list */
} qemu;

/* fail: set @errp, printf-like. */
#define fail(errp, ...)                                                        \
    qemu.error_setg_internal(errp, __FILE__, __LINE__, __func__, __VA_ARGS__)

/* note: one line for the operator, on stderr. */
void note(const char *format, ...) G_GNUC_PRINTF(1, 2);

/* detail: the same, under verbose=on only. */
void detail(const char *format, ...) G_GNUC_PRINTF(1, 2);
extern bool verbose;

bool qemu_resolve(char **why);
bool qemu_check_regions(void);
bool qemu_version(int64_t *major, int64_t *minor, int64_t *micro);
size_t qemu_region_bytes(void);

bool qmp_check(const char *command, const char *symbol, QmpFunction **stock);
void qmp_replace(const char *command, QmpFunction *mine);
bool qmp_call(QmpFunction *function, QDict *args, QObject **ret, Error **errp);
bool qlist_each(QList *list, void (*visit)(QDict *, void *), void *opaque);
bool qdict_number(const QDict *dict, const char *key, uint64_t *value);
