/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt-cxl-dcd.c: CXL dynamic capacity of a libvirt domain
 *
 * The public interface. Each function first finds out who does the work. If the domain XML
 * shows <cxl-dcd> among the devices, the daemon has the driver module, and an add or a
 * release is left to it, as an attach or detach of a device. Otherwise the work is done
 * here, over the same connection.
 */

#include <config.h>

#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "cxl_dcd_error.h"
#include "cxl_dcd_translate.h"
#include "cxl_dcd_xml.h"
#include "libvirt/libvirt-cxl-dcd.h"
#include "qemu/qemu_cxl_dcd_capacity.h"
#include "qemu/qemu_cxl_dcd_lock.h"
#include "qemu/qemu_cxl_dcd_record.h"
#include "qemu/qemu_cxl_dcd_release.h"

/* How often virDomainCxlDcdWait() asks: microseconds, doubled from first to last. */
#define VIR_CXL_DCD_WAIT_FIRST 20000
#define VIR_CXL_DCD_WAIT_LAST 1000000

static int
virCxlDcdCheckFlags(unsigned int flags, unsigned int known, const char *function)
{
    if (!(flags & ~known))
        return 0;
    virCxlDcdReportError(VIR_ERR_INVALID_ARG,
                         "unsupported flags (0x%x) in function %s",
                         flags & ~known,
                         function);
    return -1;
}

static int
virCxlDcdCheckDomain(virDomainPtr domain)
{
    virConnectPtr conn = domain ? virDomainGetConnect(domain) : NULL;
    const char *type = conn ? virConnectGetType(conn) : NULL;

    if (g_strcmp0(type, "QEMU") == 0)
        return 0;
    if (conn && type)
        virCxlDcdReportError(VIR_ERR_OPERATION_UNSUPPORTED,
                             "CXL dynamic capacity needs a connection to QEMU, not to %s",
                             type);
    else if (!conn)
        virCxlDcdReportError(VIR_ERR_INVALID_ARG, "no domain was given");
    return -1;
}

/* Replace VIR_DOMAIN_AFFECT_CURRENT by the flag that it stands for. */
static int
virCxlDcdImpact(virDomainPtr domain, unsigned int *flags)
{
    int active;

    if (*flags & (VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG))
        return 0;
    if ((active = virDomainIsActive(domain)) < 0)
        return -1;
    *flags |= active ? VIR_DOMAIN_AFFECT_LIVE : VIR_DOMAIN_AFFECT_CONFIG;
    return 0;
}

/* The only <capacity> of an attach or detach document. */
static virCxlDcdCapacityDef *
virCxlDcdTakeCapacity(virCxlDcdDef *request)
{
    if (request->capacities->len == 1)
        return g_ptr_array_steal_index(request->capacities, 0);
    virCxlDcdReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                         "a <cxl-dcd> to be attached or detached has one <capacity>, not %u: "
                         "capacity comes and goes, the device itself is there from the start of "
                         "the domain to its end",
                         request->capacities->len);
    return NULL;
}

/* A document for attach-device must not say how to release. */
static int
virCxlDcdCheckNoRelease(const virCxlDcdDef *request)
{
    if (!request->policy && !request->forced)
        return 0;
    virCxlDcdReportError(VIR_ERR_CONFIG_UNSUPPORTED,
                         "%s of <release> goes with the release of a capacity, detach-device, not "
                         "with its attach",
                         request->policy ? "the policy" : "forced='yes'");
    return -1;
}

/* Format a document that says the same, for a daemon that has the driver module. */
static char *
virCxlDcdFormatRequest(const virCxlDcdDef *request, const virCxlDcdCapacityDef *capacity)
{
    g_autoptr(GString) buf = g_string_new("<cxl-dcd>\n");

    virCxlDcdCapacityDefFormat(buf, 2, "capacity", capacity, 0);
    if (request->policy || request->forced)
        g_string_append_printf(buf,
                               "  <release%s%s%s%s/>\n",
                               request->policy ? " policy='" : "",
                               virCxlDcdPolicyToString(request->policy),
                               request->policy ? "'" : "",
                               request->forced ? " forced='yes'" : "");
    if (request->alias) {
        g_autofree char *escaped = g_markup_escape_text(request->alias, -1);

        g_string_append_printf(buf, "  <alias name='%s'/>\n", escaped);
    }
    g_string_append(buf, "</cxl-dcd>\n");
    return g_string_free(g_steal_pointer(&buf), FALSE);
}

/* ---------------------------------------------------- the stored definition */

/* The definition that libvirt keeps for the next start, and its devices. @secrets: include
 * what a read-only connection may not see, so that it can be defined again. */
static virCxlDcdDomainDef *
virCxlDcdLoadConfig(virDomainPtr domain, bool secrets, char **xml)
{
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    g_autoptr(virCxlDcdDomainDef) def = NULL;
    int persistent = virDomainIsPersistent(domain);

    if (persistent < 0)
        return NULL;
    if (!persistent) {
        virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                             "domain '%s' is transient: it has no definition beside what runs",
                             virDomainGetName(domain));
        return NULL;
    }
    *xml = virDomainGetXMLDesc(domain,
                               VIR_DOMAIN_XML_INACTIVE | (secrets ? VIR_DOMAIN_XML_SECURE : 0));
    if (!*xml || !(doc = virCxlDcdXMLParse(*xml, "domain")) ||
        !(def = virCxlDcdDomainDefParse(doc)))
        return NULL;
    return g_steal_pointer(&def);
}

static int
virCxlDcdCheckConfigDevices(const virCxlDcdDomainDef *def)
{
    if (def->devices->len > 0)
        return 0;
    virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                         "the definition of domain '%s' has no CXL device with dynamic capacity: "
                         "it needs a <cxl-dcd> under <devices>",
                         def->name);
    return -1;
}

/* Copy what a user may write of @capacity in XML. */
static virCxlDcdCapacityDef *
virCxlDcdCapacityCopy(const virCxlDcdCapacityDef *capacity)
{
    g_autoptr(GString) buf = g_string_new(NULL);
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;

    virCxlDcdCapacityDefFormat(buf, 0, "capacity", capacity, 0);
    doc = virCxlDcdXMLParse(buf->str, "capacity");
    return doc ? virCxlDcdCapacityDefParseXML(virCxlDcdXMLRoot(doc)) : NULL;
}

/* Add a copy of @capacity to @def, the definition. */
static int
virCxlDcdConfigAdd(virCxlDcdDomainDef *def, const char *alias, const virCxlDcdCapacityDef *capacity)
{
    virCxlDcdCapacityDef *copy;
    virCxlDcdDef *device;

    if (virCxlDcdCheckConfigDevices(def) < 0 ||
        !(device = qemuCxlDcdDomainFindDevice(def, alias)) ||
        qemuCxlDcdCheckNew(def, device, capacity) < 0 || !(copy = virCxlDcdCapacityCopy(capacity)))
        return -1;
    g_ptr_array_add(device->capacities, copy);
    if (virCxlDcdDomainDefPlace(def) < 0)
        return -1;
    return virCxlDcdDomainDefValidateCapacities(def, device);
}

static int
virCxlDcdConfigRemove(virCxlDcdDomainDef *def,
                      const char *alias,
                      const virCxlDcdCapacityDef *capacity)
{
    virCxlDcdDef *device;
    virCxlDcdCapacityDef *found = virCxlDcdDomainDefCapacity(def, capacity->tag, &device);

    if (!found || (alias && !g_str_equal(alias, device->alias))) {
        virCxlDcdReportError(VIR_ERR_DEVICE_MISSING,
                             "the definition of domain '%s' has no capacity with the tag '%s'",
                             def->name,
                             capacity->tag);
        return -1;
    }
    g_ptr_array_remove(device->capacities, found);
    return 0;
}

/* Add @capacity to the definition, or remove it. @check: only find out whether that is possible.
 * Somebody may redefine the domain while a guest is offered or asked for capacity, so the
 * definition is read again after that, and then changed. */
static int
virCxlDcdChangeConfig(virDomainPtr domain,
                      const char *alias,
                      const virCxlDcdCapacityDef *capacity,
                      bool add,
                      bool check)
{
    g_autofree char *old = NULL;
    g_autofree char *xml = NULL;
    g_autoptr(virCxlDcdDomainDef) def = virCxlDcdLoadConfig(domain, true, &old);
    virDomainPtr defined;

    if (!def ||
        (add ? virCxlDcdConfigAdd(def, alias, capacity)
             : virCxlDcdConfigRemove(def, alias, capacity)) < 0 ||
        virCxlDcdTranslateRedefine(old, def, &xml) < 0)
        return -1;
    if (check)
        return 0;
    if (!(defined = virDomainDefineXMLFlags(virDomainGetConnect(domain), xml, 0)))
        return -1;
    virDomainFree(defined);
    return 0;
}

/* ---------------------------------------------------------- add and release */

/* Whether @domain shows <cxl-dcd> among its devices. Returns 1, 0, or -1 with an error set. */
static int
virCxlDcdShowsPlain(virDomainPtr domain, unsigned int flags)
{
    char *xml = virDomainGetXMLDesc(domain, flags);
    int plain;

    if (!xml)
        return -1;
    plain = virCxlDcdHasPlain(xml);
    free(xml);
    return plain;
}

/* The running domain and the definition may differ, and only one of them may have a device.
 * Returns 1 if the daemon has the driver module, 0 if not, -1 with an error set. */
static int
virCxlDcdIsLeftToDaemon(virDomainPtr domain, unsigned int impact)
{
    int plain = virCxlDcdShowsPlain(domain, 0);

    if (plain == 0 && impact & VIR_DOMAIN_AFFECT_CONFIG)
        plain = virCxlDcdShowsPlain(domain, VIR_DOMAIN_XML_INACTIVE);
    return plain;
}

/* Report that the running domain was changed, but the definition could not be. */
static int
virCxlDcdReportHalf(virDomainPtr domain, const char *tag, const char *what)
{
    virErrorPtr error = virSaveLastError();

    virCxlDcdReportError(error ? (virErrorNumber)error->code : VIR_ERR_INTERNAL_ERROR,
                         "capacity '%s' %s running domain '%s', but the definition could not be "
                         "changed: %s",
                         tag,
                         what,
                         virDomainGetName(domain),
                         error && error->message ? error->message : "unknown error");
    virFreeError(error);
    return -1;
}

static int
virCxlDcdAddHere(virDomainPtr domain,
                 const char *alias,
                 virCxlDcdCapacityDef *capacity,
                 unsigned int flags)
{
    g_autoptr(qemuCxlDcdLock) lock = qemuCxlDcdLockDomain(domain);
    g_autoptr(virCxlDcdCapacityDef) configured = NULL;

    if (flags & VIR_DOMAIN_AFFECT_CONFIG &&
        (!(configured = virCxlDcdCapacityCopy(capacity)) ||
         virCxlDcdChangeConfig(domain, alias, configured, true, flags & VIR_DOMAIN_AFFECT_LIVE) <
             0))
        return -1;
    if (flags & VIR_DOMAIN_AFFECT_LIVE) {
        g_autoptr(virCxlDcdDomainDef) def = qemuCxlDcdDomainLoad(domain);
        virCxlDcdDef *device = def ? qemuCxlDcdDomainFindDevice(def, alias) : NULL;

        if (!device || qemuCxlDcdCapacityAdd(domain, def, device, capacity) < 0)
            return -1;
        if (flags & VIR_DOMAIN_AFFECT_CONFIG &&
            virCxlDcdChangeConfig(domain, alias, configured, true, false) < 0)
            return virCxlDcdReportHalf(domain, capacity->tag, "was offered to the guest of");
    }
    return 0;
}

/**
 * virDomainCxlDcdAdd:
 * @domain: a domain of a QEMU connection that may write
 * @xml: <cxl-dcd> with one <capacity>, and an <alias> if the domain has several
 *       devices (docs/schemas/cxl-dcd.rng)
 * @flags: bitwise-OR of virDomainModificationImpact
 *
 * Add a capacity. With VIR_DOMAIN_AFFECT_LIVE it is offered to the running domain: QEMU
 * gets its backend, if the device is of the tagged model, and the guest gets the offer,
 * which it accepts or refuses in its own time: see virDomainCxlDcdWait(). With
 * VIR_DOMAIN_AFFECT_CONFIG it is added to the definition, and offered when the domain is
 * next started.
 *
 * If @xml has no tag, one is generated. If it has no offset, the lowest free one is chosen.
 *
 * Source: QEMU object-add, cxl-add-dynamic-capacity; CXL 3.1, section 9.13.3.
 *
 * Returns the capacity's tag, to be freed with free(), or NULL with an error set:
 * VIR_ERR_XML_ERROR for a wrong value, VIR_ERR_OPERATION_INVALID for one that conflicts
 * with what the domain has, VIR_ERR_CONFIG_UNSUPPORTED for a file that cannot be the
 * memory, VIR_ERR_OPERATION_FAILED with QEMU's words if QEMU refuses. In these cases nothing
 * has changed, unless the message says that the capacity was offered: that happens with both
 * flags, if the definition could not be changed afterwards. With any other error (the connection
 * broke, QEMU does not answer) it is not known how far the add came: its record stays, and the next
 * refresh finishes the add.
 */
char *
virDomainCxlDcdAdd(virDomainPtr domain, const char *xml, unsigned int flags)
{
    g_autoptr(virCxlDcdDef) request = NULL;
    g_autoptr(virCxlDcdCapacityDef) capacity = NULL;
    int left;

    virResetLastError();
    if (virCxlDcdCheckFlags(flags, VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG, __func__) <
            0 ||
        virCxlDcdCheckDomain(domain) < 0 || virCxlDcdImpact(domain, &flags) < 0 ||
        !(request = virCxlDcdDefParseString(xml)) || !(capacity = virCxlDcdTakeCapacity(request)) ||
        virCxlDcdCheckNoRelease(request) < 0 || (left = virCxlDcdIsLeftToDaemon(domain, flags)) < 0)
        return NULL;
    if (!capacity->tag)
        capacity->tag = g_uuid_string_random();

    if (left) {
        g_autofree char *document = virCxlDcdFormatRequest(request, capacity);

        if (virDomainAttachDeviceFlags(domain, document, flags) < 0)
            return NULL;
    } else if (virCxlDcdAddHere(domain, request->alias, capacity, flags) < 0) {
        return NULL;
    }
    return strdup(capacity->tag);
}

static int
virCxlDcdReleaseHere(virDomainPtr domain,
                     const virCxlDcdDef *request,
                     const virCxlDcdCapacityDef *capacity,
                     unsigned int flags)
{
    g_autoptr(qemuCxlDcdLock) lock = qemuCxlDcdLockDomain(domain);
    const char *alias = request->alias;

    if (flags & VIR_DOMAIN_AFFECT_CONFIG &&
        virCxlDcdChangeConfig(domain, alias, capacity, false, flags & VIR_DOMAIN_AFFECT_LIVE) < 0)
        return -1;
    if (flags & VIR_DOMAIN_AFFECT_LIVE) {
        g_autoptr(virCxlDcdDomainDef) def = qemuCxlDcdDomainLoad(domain);

        if (!def || (alias && !qemuCxlDcdDomainFindDevice(def, alias)) ||
            qemuCxlDcdCapacityRelease(domain, def, request, capacity->tag) < 0)
            return -1;
        if (flags & VIR_DOMAIN_AFFECT_CONFIG &&
            virCxlDcdChangeConfig(domain, alias, capacity, false, false) < 0)
            return virCxlDcdReportHalf(domain, capacity->tag, "was asked back from the guest of");
    }
    return 0;
}

#define VIR_CXL_DCD_RELEASE_FLAGS                                                                  \
    (VIR_DOMAIN_CXL_DCD_RELEASE_TAG_BASED | VIR_DOMAIN_CXL_DCD_RELEASE_PRESCRIPTIVE |              \
     VIR_DOMAIN_CXL_DCD_RELEASE_FORCED)

/* Read from @flags how to ask the guest. Returns 0, or -1 with an error set. */
static int
virCxlDcdReleaseRequest(virCxlDcdDef *request, unsigned int flags)
{
    if (flags & VIR_DOMAIN_CXL_DCD_RELEASE_TAG_BASED)
        request->policy = VIR_CXL_DCD_POLICY_TAG_BASED;
    if (flags & VIR_DOMAIN_CXL_DCD_RELEASE_PRESCRIPTIVE) {
        if (request->policy) {
            virCxlDcdReportError(VIR_ERR_INVALID_ARG,
                                 "the removal policies 'tag-based' and 'prescriptive' exclude each "
                                 "other");
            return -1;
        }
        request->policy = VIR_CXL_DCD_POLICY_PRESCRIPTIVE;
    }
    request->forced = (flags & VIR_DOMAIN_CXL_DCD_RELEASE_FORCED) != 0;
    if (flags & VIR_CXL_DCD_RELEASE_FLAGS && !(flags & VIR_DOMAIN_AFFECT_LIVE)) {
        virCxlDcdReportError(VIR_ERR_OPERATION_INVALID,
                             "a removal policy or force has no meaning for a definition: only a "
                             "running guest is asked for capacity");
        return -1;
    }
    return 0;
}

/**
 * virDomainCxlDcdRelease:
 * @domain: a domain of a QEMU connection that may write
 * @device: the alias of the device that the capacity is expected on, or NULL for any
 * @tag: the capacity's tag, a UUID
 * @flags: bitwise-OR of virDomainModificationImpact and virDomainCxlDcdReleaseFlags
 *
 * Release a capacity. In a running domain the guest is asked for it, and gives it back in
 * its own time: see virDomainCxlDcdWait(). Its memory is freed after that. A capacity that
 * the guest refused is forgotten. With VIR_DOMAIN_AFFECT_CONFIG it is removed from the
 * definition.
 *
 * The guest of a tagged device is asked by tag. If it has not answered some seconds later,
 * it is asked once more, by range (<release fallback='SECONDS'/> in the <cxl-dcd> of the
 * domain, default 5, 0 never), unless a policy is named in @flags.
 *
 * Source: QEMU cxl-release-dynamic-capacity, object-del; CXL 3.1, section 9.13.3.
 *
 * Returns 0, or -1 with an error set: VIR_ERR_DEVICE_MISSING if there is no such
 * capacity, VIR_ERR_OPERATION_INVALID if the guest has not answered its offer,
 * VIR_ERR_OPERATION_UNSUPPORTED for a policy that the device does not have,
 * VIR_ERR_OPERATION_FAILED with QEMU's words if QEMU refuses. In these cases nothing has
 * changed, unless the message says that the guest was asked: that happens with both flags, if
 * the definition could not be changed afterwards. With any other error the guest may have been
 * asked; a release can be repeated.
 */
int
virDomainCxlDcdRelease(virDomainPtr domain, const char *device, const char *tag, unsigned int flags)
{
    g_autoptr(virCxlDcdCapacityDef) capacity = virCxlDcdCapacityDefNew();
    g_autoptr(virCxlDcdDef) request = virCxlDcdDefNew();
    int left;

    virResetLastError();
    if (virCxlDcdCheckFlags(flags,
                            VIR_DOMAIN_AFFECT_LIVE | VIR_DOMAIN_AFFECT_CONFIG |
                                VIR_CXL_DCD_RELEASE_FLAGS,
                            __func__) < 0 ||
        virCxlDcdCheckDomain(domain) < 0 || virCxlDcdImpact(domain, &flags) < 0 ||
        virCxlDcdReleaseRequest(request, flags) < 0)
        return -1;
    if (!tag) {
        virCxlDcdReportError(VIR_ERR_INVALID_ARG, "a capacity to be released is named by its tag");
        return -1;
    }
    request->alias = g_strdup(device);
    if (!(capacity->tag = virCxlDcdTagParse(tag)) ||
        (left = virCxlDcdIsLeftToDaemon(domain, flags)) < 0)
        return -1;
    if (left) {
        g_autofree char *document = virCxlDcdFormatRequest(request, capacity);

        return virDomainDetachDeviceFlags(domain, document, flags & ~VIR_CXL_DCD_RELEASE_FLAGS);
    }
    return virCxlDcdReleaseHere(domain, request, capacity, flags);
}

/* -------------------------------------------------------------- waiting */

/* Refresh one capacity. Returns its state, NONE if there is no such capacity, or -1 with an
 * error set. */
static int
virCxlDcdRefreshTag(virDomainPtr domain, const char *tag)
{
    g_autoptr(qemuCxlDcdLock) lock = qemuCxlDcdLockDomain(domain);
    g_autoptr(virCxlDcdDomainDef) def = qemuCxlDcdDomainLoad(domain);
    virCxlDcdCapacityDef *capacity;
    virCxlDcdDef *device;

    if (!def)
        return -1;
    if (!(capacity = virCxlDcdDomainDefCapacity(def, tag, &device)))
        return VIR_DOMAIN_CXL_DCD_STATE_NONE;
    if (qemuCxlDcdCapacityRefresh(domain, device, capacity) < 0)
        return -1;
    return capacity->state;
}

static bool
virCxlDcdIsPassing(int state)
{
    virCxlDcdCapacityDef capacity = {.state = state};

    return virCxlDcdCapacityIsPassing(&capacity);
}

/**
 * virDomainCxlDcdWait:
 * @domain: a running domain of a QEMU connection that may write
 * @tag: a capacity's tag, a UUID
 * @timeout: how long to wait, in milliseconds; negative: forever
 * @flags: extra flags; not used yet, so callers should always pass 0
 *
 * Wait until the guest has answered, that is, until the capacity is in none of the states
 * adding, pending and releasing. QEMU is asked for the state, which is recorded.
 *
 * Returns the virDomainCxlDcdState, VIR_DOMAIN_CXL_DCD_STATE_NONE if there is no such
 * capacity (any more), or -1 with an error set: VIR_ERR_OPERATION_TIMEOUT, with the state in
 * the message, if the guest has not answered; nothing has changed then.
 */
int
virDomainCxlDcdWait(virDomainPtr domain, const char *tag, long long timeout, unsigned int flags)
{
    gint64 now = g_get_monotonic_time();
    gint64 end =
        timeout < 0 || timeout > (G_MAXINT64 - now) / 1000 ? G_MAXINT64 : now + timeout * 1000;
    gint64 pause = VIR_CXL_DCD_WAIT_FIRST;
    g_autofree char *canonical = NULL;
    int state;

    virResetLastError();
    if (virCxlDcdCheckFlags(flags, 0, __func__) < 0 || virCxlDcdCheckDomain(domain) < 0 ||
        !(canonical = virCxlDcdTagParse(tag ? tag : "")))
        return -1;

    while ((state = virCxlDcdRefreshTag(domain, canonical)) >= 0 && virCxlDcdIsPassing(state)) {
        gint64 left = end - g_get_monotonic_time();

        if (left <= 0) {
            virCxlDcdReportError(VIR_ERR_OPERATION_TIMEOUT,
                                 "the guest of domain '%s' has not answered in %lld.%03lld "
                                 "seconds: capacity '%s' stays %s",
                                 virDomainGetName(domain),
                                 timeout / 1000,
                                 timeout % 1000,
                                 canonical,
                                 virDomainCxlDcdStateToString(state));
            return -1;
        }
        g_usleep(MIN(pause, left));
        pause = MIN(pause * 2, VIR_CXL_DCD_WAIT_LAST);
    }
    return state;
}

/* -------------------------------------------------------------- listing */

/* The plain form does not show everything that a record holds. */
static int
virCxlDcdReadRecords(virDomainPtr domain, virCxlDcdDomainDef *def)
{
    guint i;
    guint j;

    for (i = 0; def->live && def->plain && i < def->devices->len; i++) {
        virCxlDcdDef *device = g_ptr_array_index(def->devices, i);

        for (j = 0; j < device->capacities->len; j++) {
            virCxlDcdCapacityDef *capacity = g_ptr_array_index(device->capacities, j);
            g_autoptr(virCxlDcdCapacityDef) record = NULL;

            if (qemuCxlDcdCapacityReadRecord(domain, device, capacity->tag, &record) < 0)
                return -1;
            if (record)
                capacity->since = record->since;
        }
    }
    return 0;
}

static virDomainCxlDcdDevicePtr
virCxlDcdDeviceExport(const virCxlDcdDef *def)
{
    virDomainCxlDcdDevicePtr device = g_new0(virDomainCxlDcdDevice, 1);
    guint i;

    device->alias = g_strdup(def->alias);
    device->model = def->model;
    device->regions = def->regions;
    device->size = def->size;
    device->accepted = virCxlDcdDefAccepted(def);
    device->ncapacities = def->capacities->len;
    device->capacities = g_new0(virDomainCxlDcdCapacityPtr, device->ncapacities);
    for (i = 0; i < device->ncapacities; i++) {
        const virCxlDcdCapacityDef *from = g_ptr_array_index(def->capacities, i);
        virDomainCxlDcdCapacityPtr to = g_new0(virDomainCxlDcdCapacity, 1);

        g_strlcpy(to->tag, from->tag, sizeof(to->tag));
        to->state = from->state;
        to->region = from->region;
        to->offset = from->offset;
        to->size = from->size;
        to->since = from->since;
        if (def->model == VIR_DOMAIN_CXL_DCD_MODEL_TAGGED)
            to->source = g_strdup(virCxlDcdSourceToString(from->source ? from->source->type
                                                                       : VIR_CXL_DCD_SOURCE_RAM));
        device->capacities[i] = to;
    }
    return device;
}

/* The devices of the definition or of the running domain, depending on @flags. */
static virCxlDcdDomainDef *
virCxlDcdListLoad(virDomainPtr domain, unsigned int flags)
{
    g_autoptr(virCxlDcdDomainDef) def = NULL;
    char *xml = NULL;
    guint i;

    if (!(flags & VIR_DOMAIN_CXL_DCD_LIST_CONFIG)) {
        if (!(def = qemuCxlDcdDomainLoad(domain)))
            return NULL;
        if (flags & VIR_DOMAIN_CXL_DCD_LIST_REFRESH &&
            qemuCxlDcdDomainRefresh(domain, def, NULL) < 0)
            return NULL;
        return virCxlDcdReadRecords(domain, def) < 0 ? NULL : g_steal_pointer(&def);
    }
    def = virCxlDcdLoadConfig(domain, false, &xml);
    free(xml);
    if (!def || virCxlDcdCheckConfigDevices(def) < 0)
        return NULL;
    /* a definition has its capacities in the order in which they were written */
    for (i = 0; i < def->devices->len; i++)
        virCxlDcdDefSort(g_ptr_array_index(def->devices, i));
    return g_steal_pointer(&def);
}

/**
 * virDomainCxlDcdListDevices:
 * @domain: a domain of a QEMU connection
 * @devices: where to store the devices: an array that ends with NULL, to be freed with free()
 *           after virDomainCxlDcdDeviceFree() of each; NULL: only count them
 * @flags: bitwise-OR of virDomainCxlDcdListFlags
 *
 * List the devices of a running domain and their capacities. Without
 * VIR_DOMAIN_CXL_DCD_LIST_REFRESH this only reads the live XML and does not ask QEMU, so
 * that a read-only connection may do it too. With VIR_DOMAIN_CXL_DCD_LIST_CONFIG the devices
 * and capacities are those of the definition, whether or not the domain is running; such
 * capacities have no state.
 *
 * Returns the number of devices, or -1 with an error set: VIR_ERR_OPERATION_INVALID if
 * the domain is not running, has no definition, or has no such device.
 */
int
virDomainCxlDcdListDevices(virDomainPtr domain,
                           virDomainCxlDcdDevicePtr **devices,
                           unsigned int flags)
{
    g_autoptr(qemuCxlDcdLock) lock = NULL;
    g_autoptr(virCxlDcdDomainDef) def = NULL;
    guint i;

    virResetLastError();
    if (devices)
        *devices = NULL;
    if (virCxlDcdCheckFlags(flags,
                            VIR_DOMAIN_CXL_DCD_LIST_REFRESH | VIR_DOMAIN_CXL_DCD_LIST_CONFIG,
                            __func__) < 0 ||
        virCxlDcdCheckDomain(domain) < 0)
        return -1;
    if (flags & VIR_DOMAIN_CXL_DCD_LIST_REFRESH && flags & VIR_DOMAIN_CXL_DCD_LIST_CONFIG) {
        virCxlDcdReportError(VIR_ERR_INVALID_ARG,
                             "QEMU can be asked for what runs, not for the definition: "
                             "VIR_DOMAIN_CXL_DCD_LIST_REFRESH and VIR_DOMAIN_CXL_DCD_LIST_CONFIG "
                             "exclude each other");
        return -1;
    }
    if (flags & VIR_DOMAIN_CXL_DCD_LIST_REFRESH)
        lock = qemuCxlDcdLockDomain(domain);
    if (!(def = virCxlDcdListLoad(domain, flags)))
        return -1;

    if (devices)
        *devices = g_new0(virDomainCxlDcdDevicePtr, def->devices->len + 1);
    for (i = 0; devices && i < def->devices->len; i++)
        (*devices)[i] = virCxlDcdDeviceExport(g_ptr_array_index(def->devices, i));
    return def->devices->len;
}

/**
 * virDomainCxlDcdDeviceFree:
 * @device: a device of virDomainCxlDcdListDevices(), or NULL
 */
void
virDomainCxlDcdDeviceFree(virDomainCxlDcdDevicePtr device)
{
    size_t i;

    if (!device)
        return;
    for (i = 0; i < device->ncapacities; i++) {
        g_free(device->capacities[i]->source);
        g_free(device->capacities[i]);
    }
    g_free(device->capacities);
    g_free(device->alias);
    g_free(device);
}
