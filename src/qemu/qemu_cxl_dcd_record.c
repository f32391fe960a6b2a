/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_record.c: the record of a capacity in the live XML
 *
 * The record is one metadata element for each capacity, in its own namespace. libvirt replaces
 * it atomically, and reports the change with its metadata-change event.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "conf/cxl_dcd_domain.h"
#include "qemu_cxl_dcd_record.h"
#include "util/cxl_dcd_error.h"

/* Seconds for which a record that says adding is left to its owner. */
#define QEMU_CXL_DCD_ADDING_GRACE 2

/**
 * qemuCxlDcdCapacityIsLeftToOwner:
 * @capacity: a capacity whose record says adding
 *
 * Returns true if the record is so new that whoever wrote it is probably still at work, so that
 * nobody else should continue the add. A time in the future comes from another clock and tells
 * nothing.
 */
bool
qemuCxlDcdCapacityIsLeftToOwner(const virCxlDcdCapacityDef *capacity)
{
    long long age = g_get_real_time() / G_USEC_PER_SEC - capacity->since;

    return age >= 0 && age < QEMU_CXL_DCD_ADDING_GRACE;
}

/**
 * qemuCxlDcdCapacityReadRecord:
 * @domain: a running domain
 * @device: one of its devices; NULL: any, and the record is only to be displayed
 * @tag: a tag in its canonical spelling
 * @record: where to store the capacity, to be freed with virCxlDcdCapacityDefFree();
 *          NULL if it has no record, or the tag now belongs to a capacity of another device
 *
 * Read one record (libvirt: virDomainGetMetadata()).
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdCapacityReadRecord(virDomainPtr domain,
                             const virCxlDcdDef *device,
                             const char *tag,
                             virCxlDcdCapacityDef **record)
{
    g_autofree char *uri = virCxlDcdRecordNamespace(tag);
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    g_autoptr(virCxlDcdCapacityDef) capacity = NULL;
    char *xml;

    *record = NULL;
    xml = virDomainGetMetadata(domain, VIR_DOMAIN_METADATA_ELEMENT, uri, VIR_DOMAIN_AFFECT_LIVE);
    if (!xml) {
        if (virGetLastErrorCode() != VIR_ERR_NO_DOMAIN_METADATA)
            return -1;
        virResetLastError();
        return 0;
    }
    doc = virCxlDcdXMLParse(xml, "record");
    free(xml);
    if (!doc ||
        !(capacity = virCxlDcdRecordParse(virCxlDcdXMLRoot(doc), tag, virDomainGetName(domain))))
        return -1;
    if (device && g_strcmp0(capacity->device, device->alias) != 0)
        return 0;
    if (device && virCxlDcdRecordValidate(capacity, device, virDomainGetName(domain)) < 0)
        return -1;
    *record = g_steal_pointer(&capacity);
    return 0;
}

/**
 * qemuCxlDcdCapacitySetState:
 * @domain: a running domain
 * @capacity: a capacity of it
 * @state: its new state; VIR_DOMAIN_CXL_DCD_STATE_NONE drops the record
 *
 * Write the record of @capacity. This is the only place where a state changes (libvirt:
 * virDomainSetMetadata()).
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdCapacitySetState(virDomainPtr domain,
                           virCxlDcdCapacityDef *capacity,
                           virDomainCxlDcdState state)
{
    g_autofree char *uri = virCxlDcdRecordNamespace(capacity->tag);
    g_autofree char *xml = NULL;

    if (state != capacity->state) {
        capacity->state = state;
        capacity->since = g_get_real_time() / G_USEC_PER_SEC;
    }
    if (state != VIR_DOMAIN_CXL_DCD_STATE_NONE)
        xml = virCxlDcdRecordFormat(capacity);
    return virDomainSetMetadata(domain,
                                VIR_DOMAIN_METADATA_ELEMENT,
                                xml,
                                xml ? VIR_CXL_DCD_PREFIX : NULL,
                                uri,
                                VIR_DOMAIN_AFFECT_LIVE);
}

/**
 * qemuCxlDcdCapacityRestore:
 * @domain: a running domain
 * @capacity: a capacity of it
 * @before: its earlier state, and how the guest had been asked for it
 *
 * Undo a change of state that led to nothing.
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdCapacityRestore(virDomainPtr domain,
                          virCxlDcdCapacityDef *capacity,
                          const virCxlDcdCapacityDef *before)
{
    capacity->state = before->state;
    capacity->since = before->since;
    capacity->asked = before->asked;
    memcpy(capacity->earlier, before->earlier, sizeof(capacity->earlier));
    capacity->repeated = before->repeated;
    capacity->policy = before->policy;
    return qemuCxlDcdCapacitySetState(domain, capacity, before->state);
}

/**
 * qemuCxlDcdCapacityForget:
 * @domain: a running domain
 * @capacity: a capacity of it
 *
 * Drop the record that a request has written, and keep the error that made it necessary.
 */
void
qemuCxlDcdCapacityForget(virDomainPtr domain, virCxlDcdCapacityDef *capacity)
{
    virErrorPtr error = virCxlDcdErrorSave();

    qemuCxlDcdCapacitySetState(domain, capacity, VIR_DOMAIN_CXL_DCD_STATE_NONE);
    virCxlDcdErrorRestore(error);
}
