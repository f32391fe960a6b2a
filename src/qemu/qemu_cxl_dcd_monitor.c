/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * qemu_cxl_dcd_monitor.c: the QMP commands, one function each
 *
 * Every command goes through virDomainQemuMonitorCommand(), which needs only a
 * connection that may write. There are three outcomes, which callers treat
 * differently: QEMU did it; QEMU refused, with a text that says why, which may
 * reveal the state of an extent; or the command did not reach QEMU.
 *
 * The Format functions build what is sent, and the Parse functions read what
 * comes back; neither needs a domain.
 *
 * Every add and release carries a tag: QEMU with the tagged series crashes
 * without one, on static devices too.
 */

#include <config.h>

#include <libvirt/libvirt-qemu.h>
#include <stdlib.h>
#include <string.h>

#include "qemu_cxl_dcd_command.h"
#include "qemu_cxl_dcd_monitor.h"
#include "util/cxl_dcd_error.h"

/* -------------------------------------------------------- one round trip */

/**
 * qemuCxlDcdMonitorParseReply:
 * @command: the command's name, for errors
 * @reply: QEMU's whole reply
 * @result: where to store the whole reply, whose member "return" holds the value; to be
 *          freed with virCxlDcdJSONFree(); or NULL
 * @refusal: where to store QEMU's reason, to be freed with g_free()
 *
 * Returns QEMU_CXL_DCD_DONE, QEMU_CXL_DCD_REFUSED with *@refusal, or -1 with an
 * error set if @reply is neither.
 */
int
qemuCxlDcdMonitorParseReply(const char *command,
                            const char *reply,
                            virCxlDcdJSON **result,
                            char **refusal)
{
    g_autofree char *message = NULL;
    g_autoptr(virCxlDcdJSON) value = virCxlDcdJSONParse(reply, &message);
    const char *description;

    if (value && virCxlDcdJSONMember(value, "return")) {
        if (result)
            *result = g_steal_pointer(&value);
        return QEMU_CXL_DCD_DONE;
    }
    description = virCxlDcdJSONMemberString(virCxlDcdJSONMember(value, "error"), "desc");
    if (description) {
        *refusal = g_strdup(description);
        return QEMU_CXL_DCD_REFUSED;
    }
    virCxlDcdReportError(VIR_ERR_INTERNAL_ERROR,
                         "QEMU's reply to '%s' has neither a result nor an error: %.200s%s%s",
                         command,
                         reply,
                         message ? ": " : "",
                         message ? message : "");
    return -1;
}

/* Send @request, a whole QMP command. Returns as qemuCxlDcdMonitorParseReply() does. */
static int
qemuCxlDcdMonitorCall(virDomainPtr domain,
                      const char *command,
                      const char *request,
                      virCxlDcdJSON **result,
                      char **refusal)
{
    char *reply = NULL;
    int ret;

    if (virDomainQemuMonitorCommand(domain, request, &reply, 0) < 0)
        return -1;
    ret = qemuCxlDcdMonitorParseReply(command, reply, result, refusal);
    free(reply);
    return ret;
}

/* Begin { "execute": @command, "arguments": {, to be ended by qemuCxlDcdRequestFinish(). */
static virCxlDcdJSONWriter *
qemuCxlDcdRequestNew(const char *command)
{
    virCxlDcdJSONWriter *writer = virCxlDcdJSONWriterNew();

    virCxlDcdJSONBeginObject(writer, NULL);
    virCxlDcdJSONAddString(writer, "execute", command);
    virCxlDcdJSONBeginObject(writer, "arguments");
    return writer;
}

static char *
qemuCxlDcdRequestFinish(virCxlDcdJSONWriter *writer)
{
    virCxlDcdJSONEndObject(writer);
    virCxlDcdJSONEndObject(writer);
    return virCxlDcdJSONFinish(writer);
}

/* Add the members that all the CXL commands have. QEMU puts the devices of the command line and
 * of device_add under /machine/peripheral, by their ids. */
static void
qemuCxlDcdAddTarget(virCxlDcdJSONWriter *writer, const char *device)
{
    g_autofree char *path = g_strconcat("/machine/peripheral/", device, NULL);

    virCxlDcdJSONAddString(writer, "path", path);
    virCxlDcdJSONAddUnsigned(writer, "host-id", 0);
}

static void
qemuCxlDcdAddExtent(virCxlDcdJSONWriter *writer, unsigned long long offset, unsigned long long size)
{
    virCxlDcdJSONBeginObject(writer, NULL);
    virCxlDcdJSONAddUnsigned(writer, "offset", offset);
    virCxlDcdJSONAddUnsigned(writer, "len", size);
    virCxlDcdJSONEndObject(writer);
}

/* ---------------------------------------------------------- where it is from */

/**
 * qemuCxlDcdMonitorIsIncoming:
 * @domain: a running domain
 *
 * Ask QEMU whether its guest ran elsewhere before: it was migrated, or restored (QMP
 * query-migrate). A QEMU that has received a guest says so for as long as it lives; of one that
 * it sends, or has sent, it says how much that was ("ram").
 *
 * Returns 1, 0 when the guest began with this QEMU, or -1 with an error set.
 */
int
qemuCxlDcdMonitorIsIncoming(virDomainPtr domain)
{
    g_autoptr(virCxlDcdJSONWriter) writer = qemuCxlDcdRequestNew("query-migrate");
    g_autofree char *request = qemuCxlDcdRequestFinish(writer);
    g_autoptr(virCxlDcdJSON) reply = NULL;
    g_autofree char *refusal = NULL;
    virCxlDcdJSON *migration;
    const char *status;
    int ret = qemuCxlDcdMonitorCall(domain, "query-migrate", request, &reply, &refusal);

    if (ret == QEMU_CXL_DCD_REFUSED)
        virCxlDcdReportError(VIR_ERR_OPERATION_FAILED,
                             "cannot find out from QEMU where its guest comes from: %s",
                             refusal);
    if (ret != QEMU_CXL_DCD_DONE)
        return -1;
    migration = virCxlDcdJSONMember(reply, "return");
    status = virCxlDcdJSONMemberString(migration, "status");
    return status && !virCxlDcdJSONMember(migration, "ram") &&
           (g_str_equal(status, "completed") || g_str_has_prefix(status, "postcopy"));
}

/* ------------------------------------------------------- memory backends */

/**
 * qemuCxlDcdFormatObjectAdd:
 * @capacity: a capacity of a tagged device
 * @id: of its backend
 *
 * Returns QMP object-add of its host memory backend, with its tag.
 */
char *
qemuCxlDcdFormatObjectAdd(const virCxlDcdCapacityDef *capacity, const char *id)
{
    g_autoptr(virCxlDcdJSONWriter) writer = qemuCxlDcdRequestNew("object-add");

    qemuCxlDcdBackendAddMembers(writer, capacity->source, id, capacity->size);
    virCxlDcdJSONAddString(writer, "tag", capacity->tag);
    return qemuCxlDcdRequestFinish(writer);
}

/**
 * qemuCxlDcdMonitorObjectAdd:
 * @domain: a running domain
 * @capacity: a capacity of a tagged device
 * @id: of its backend
 * @refusal: where to store QEMU's reason, to be freed with g_free()
 *
 * Create the host memory backend of @capacity (QMP object-add).
 *
 * Returns QEMU_CXL_DCD_DONE, QEMU_CXL_DCD_REFUSED, or -1 with an error set.
 */
int
qemuCxlDcdMonitorObjectAdd(virDomainPtr domain,
                           const virCxlDcdCapacityDef *capacity,
                           const char *id,
                           char **refusal)
{
    g_autofree char *request = qemuCxlDcdFormatObjectAdd(capacity, id);

    return qemuCxlDcdMonitorCall(domain, "object-add", request, NULL, refusal);
}

/**
 * qemuCxlDcdMonitorObjectDel:
 * @domain: a running domain
 * @id: of a backend
 * @refusal: where to store QEMU's reason, to be freed with g_free()
 *
 * Delete a backend (QMP object-del). The caller must know that no extent maps it:
 * QEMU with the tagged series does not refuse to delete the backend of an offered
 * extent, and uses it after it was freed.
 *
 * Returns QEMU_CXL_DCD_DONE, QEMU_CXL_DCD_REFUSED, or -1 with an error set.
 */
int
qemuCxlDcdMonitorObjectDel(virDomainPtr domain, const char *id, char **refusal)
{
    g_autoptr(virCxlDcdJSONWriter) writer = qemuCxlDcdRequestNew("object-del");
    g_autofree char *request = NULL;

    virCxlDcdJSONAddString(writer, "id", id);
    request = qemuCxlDcdRequestFinish(writer);
    return qemuCxlDcdMonitorCall(domain, "object-del", request, NULL, refusal);
}

/* Returns the whole reply to qom-list of /objects, or NULL with an error set. */
static virCxlDcdJSON *
qemuCxlDcdListObjects(virDomainPtr domain)
{
    g_autoptr(virCxlDcdJSONWriter) writer = qemuCxlDcdRequestNew("qom-list");
    virCxlDcdJSON *reply = NULL;
    g_autofree char *request = NULL;
    g_autofree char *refusal = NULL;

    virCxlDcdJSONAddString(writer, "path", "/objects");
    request = qemuCxlDcdRequestFinish(writer);
    if (qemuCxlDcdMonitorCall(domain, "qom-list", request, &reply, &refusal) ==
        QEMU_CXL_DCD_REFUSED)
        virCxlDcdReportError(VIR_ERR_OPERATION_FAILED,
                             "QEMU does not list its objects: %s",
                             refusal);
    return reply;
}

/**
 * qemuCxlDcdMonitorHasObject:
 * @domain: a running domain
 * @id: of an object
 *
 * Look for an object of QEMU by its id (QMP qom-list of /objects).
 *
 * Returns 1 if it exists, 0 if not, -1 with an error set.
 */
int
qemuCxlDcdMonitorHasObject(virDomainPtr domain, const char *id)
{
    g_autoptr(virCxlDcdJSON) reply = qemuCxlDcdListObjects(domain);
    virCxlDcdJSON *list = virCxlDcdJSONMember(reply, "return");
    size_t i;

    if (!reply)
        return -1;
    for (i = 0; i < virCxlDcdJSONLength(list); i++) {
        if (g_strcmp0(virCxlDcdJSONMemberString(virCxlDcdJSONElement(list, i), "name"), id) == 0)
            return 1;
    }
    return 0;
}

/* Whether the backend @id has @tag, in any spelling. Returns 1, 0 (also if the backend is gone or
 * has no tag property), or -1 with an error set. */
static int
qemuCxlDcdBackendHasTag(virDomainPtr domain, const char *id, const char *tag)
{
    g_autoptr(virCxlDcdJSONWriter) writer = qemuCxlDcdRequestNew("qom-get");
    g_autofree char *path = g_strconcat("/objects/", id, NULL);
    g_autoptr(virCxlDcdJSON) reply = NULL;
    g_autofree char *request = NULL;
    g_autofree char *refusal = NULL;
    const char *has;
    int ret;

    virCxlDcdJSONAddString(writer, "path", path);
    virCxlDcdJSONAddString(writer, "property", "tag");
    request = qemuCxlDcdRequestFinish(writer);
    if ((ret = qemuCxlDcdMonitorCall(domain, "qom-get", request, &reply, &refusal)) < 0)
        return -1;
    if (ret == QEMU_CXL_DCD_REFUSED)
        return 0;
    has = virCxlDcdJSONMemberString(reply, "return");
    return has && g_ascii_strcasecmp(has, tag) == 0;
}

/**
 * qemuCxlDcdMonitorFindTag:
 * @domain: a running domain with a tagged device
 * @tag: a tag in its canonical spelling
 * @except: a set of the ids of backends that need not be asked
 * @id: where to store the id of another backend that has the tag, to be freed with g_free()
 *
 * Look for a tag among all of QEMU's memory backends, whoever created them (QMP qom-list of
 * /objects, qom-get of the property tag). QEMU with the series accepts several backends with
 * the same tag, and an add then picks any of them.
 *
 * Returns 1 with *@id, 0 if no other backend has the tag, -1 with an error set.
 */
int
qemuCxlDcdMonitorFindTag(virDomainPtr domain, const char *tag, GHashTable *except, char **id)
{
    g_autoptr(virCxlDcdJSON) reply = qemuCxlDcdListObjects(domain);
    virCxlDcdJSON *list = virCxlDcdJSONMember(reply, "return");
    size_t i;

    if (!reply)
        return -1;
    for (i = 0; i < virCxlDcdJSONLength(list); i++) {
        virCxlDcdJSON *object = virCxlDcdJSONElement(list, i);
        const char *name = virCxlDcdJSONMemberString(object, "name");
        const char *type = virCxlDcdJSONMemberString(object, "type");
        int has;

        if (!name || !type || !g_str_has_prefix(type, "child<memory-backend-") ||
            g_hash_table_contains(except, name))
            continue;
        if ((has = qemuCxlDcdBackendHasTag(domain, name, tag)) < 0)
            return -1;
        if (has) {
            *id = g_strdup(name);
            return 1;
        }
    }
    return 0;
}

/* -------------------------------------------------------- add and release */

/**
 * qemuCxlDcdFormatAdd:
 * @device: the id of a device
 * @capacity: what to offer, with its offset
 * @probe: whether to append an invalid extent, see qemuCxlDcdMonitorProbe()
 *
 * Returns QMP cxl-add-dynamic-capacity of the one extent of @capacity.
 */
char *
qemuCxlDcdFormatAdd(const char *device, const virCxlDcdCapacityDef *capacity, bool probe)
{
    g_autoptr(virCxlDcdJSONWriter) writer = qemuCxlDcdRequestNew("cxl-add-dynamic-capacity");

    qemuCxlDcdAddTarget(writer, device);
    virCxlDcdJSONAddString(writer, "selection-policy", "prescriptive");
    virCxlDcdJSONAddUnsigned(writer, "region", capacity->region);
    virCxlDcdJSONAddString(writer, "tag", capacity->tag);
    virCxlDcdJSONBeginArray(writer, "extents");
    qemuCxlDcdAddExtent(writer, capacity->offset, capacity->size);
    if (probe)
        qemuCxlDcdAddExtent(writer, 0, 0);
    virCxlDcdJSONEndArray(writer);
    return qemuCxlDcdRequestFinish(writer);
}

/**
 * qemuCxlDcdMonitorAdd:
 * @domain: a running domain
 * @device: the id of a device
 * @capacity: what to offer, with its offset
 * @refusal: where to store QEMU's reason, to be freed with g_free()
 *
 * Offer one extent to the guest (QMP cxl-add-dynamic-capacity).
 *
 * Returns QEMU_CXL_DCD_DONE, QEMU_CXL_DCD_REFUSED, or -1 with an error set.
 */
int
qemuCxlDcdMonitorAdd(virDomainPtr domain,
                     const char *device,
                     const virCxlDcdCapacityDef *capacity,
                     char **refusal)
{
    g_autofree char *request = qemuCxlDcdFormatAdd(device, capacity, false);

    return qemuCxlDcdMonitorCall(domain, "cxl-add-dynamic-capacity", request, NULL, refusal);
}

/**
 * qemuCxlDcdFormatRelease:
 * @device: the id of a device
 * @capacity: one of its capacities
 * @policy: how it is named to the guest; not VIR_CXL_DCD_POLICY_NONE
 * @forced: take it without the guest's consent
 *
 * Returns QMP cxl-release-dynamic-capacity of the one extent of @capacity.
 */
char *
qemuCxlDcdFormatRelease(const char *device,
                        const virCxlDcdCapacityDef *capacity,
                        virCxlDcdPolicy policy,
                        bool forced)
{
    g_autoptr(virCxlDcdJSONWriter) writer = qemuCxlDcdRequestNew("cxl-release-dynamic-capacity");

    qemuCxlDcdAddTarget(writer, device);
    virCxlDcdJSONAddString(writer, "removal-policy", virCxlDcdPolicyToString(policy));
    if (forced)
        virCxlDcdJSONAddBoolean(writer, "forced-removal", true);
    virCxlDcdJSONAddUnsigned(writer, "region", capacity->region);
    virCxlDcdJSONAddString(writer, "tag", capacity->tag);
    virCxlDcdJSONBeginArray(writer, "extents");
    qemuCxlDcdAddExtent(writer, capacity->offset, capacity->size);
    virCxlDcdJSONEndArray(writer);
    return qemuCxlDcdRequestFinish(writer);
}

/**
 * qemuCxlDcdMonitorRelease:
 * @domain: a running domain
 * @device: the id of a device
 * @capacity: a capacity of it that the guest has accepted
 * @policy: how it is named to the guest; not VIR_CXL_DCD_POLICY_NONE
 * @forced: take it without the guest's consent
 * @refusal: where to store QEMU's reason, to be freed with g_free()
 *
 * Ask the guest to give an extent back (QMP cxl-release-dynamic-capacity).
 *
 * Returns QEMU_CXL_DCD_DONE, QEMU_CXL_DCD_REFUSED, or -1 with an error set.
 */
int
qemuCxlDcdMonitorRelease(virDomainPtr domain,
                         const char *device,
                         const virCxlDcdCapacityDef *capacity,
                         virCxlDcdPolicy policy,
                         bool forced,
                         char **refusal)
{
    g_autofree char *request = qemuCxlDcdFormatRelease(device, capacity, policy, forced);

    return qemuCxlDcdMonitorCall(domain, "cxl-release-dynamic-capacity", request, NULL, refusal);
}

/* ------------------------------------------------------- state of an extent */

/**
 * qemuCxlDcdFormatStatus:
 * @device: the id of a tagged device
 * @capacity: a capacity of it
 *
 * Returns QMP cxl-release-dynamic-capacity-status of its tag.
 */
char *
qemuCxlDcdFormatStatus(const char *device, const virCxlDcdCapacityDef *capacity)
{
    g_autoptr(virCxlDcdJSONWriter) writer =
        qemuCxlDcdRequestNew("cxl-release-dynamic-capacity-status");

    qemuCxlDcdAddTarget(writer, device);
    virCxlDcdJSONAddUnsigned(writer, "region", capacity->region);
    virCxlDcdJSONAddString(writer, "tag", capacity->tag);
    return qemuCxlDcdRequestFinish(writer);
}

/**
 * qemuCxlDcdParseStatus:
 * @status: the member "status" of the answer
 * @state: where to store the state
 *
 * The wording is not settled, so it is read leniently: "Not Released" means that
 * the guest has the extent, any text with "pending" means an offer, and "Released"
 * or "not found" mean that QEMU does not have it.
 *
 * Returns 0, or -1 if @status is none of these; no error is set.
 */
int
qemuCxlDcdParseStatus(const char *status, qemuCxlDcdExtentState *state)
{
    g_autofree char *word = g_ascii_strdown(status, -1);

    g_strdelimit(word, "-_", ' ');
    if (strstr(word, "pending"))
        *state = QEMU_CXL_DCD_EXTENT_PENDING;
    else if (g_str_equal(word, "not released"))
        *state = QEMU_CXL_DCD_EXTENT_ACCEPTED;
    else if (g_str_equal(word, "released") || g_str_equal(word, "not found"))
        *state = QEMU_CXL_DCD_EXTENT_ABSENT;
    else
        return -1;
    return 0;
}

/**
 * qemuCxlDcdMonitorGetStatus:
 * @domain: a running domain
 * @device: the id of a tagged device
 * @capacity: a capacity of it
 * @state: where to store the state of its extent
 *
 * Ask QEMU by tag (QMP cxl-release-dynamic-capacity-status).
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdMonitorGetStatus(virDomainPtr domain,
                           const char *device,
                           const virCxlDcdCapacityDef *capacity,
                           qemuCxlDcdExtentState *state)
{
    g_autofree char *request = qemuCxlDcdFormatStatus(device, capacity);
    g_autoptr(virCxlDcdJSON) reply = NULL;
    g_autofree char *refusal = NULL;
    const char *status;
    int ret;

    ret = qemuCxlDcdMonitorCall(domain,
                                "cxl-release-dynamic-capacity-status",
                                request,
                                &reply,
                                &refusal);
    if (ret < 0)
        return -1;
    if (ret == QEMU_CXL_DCD_REFUSED) {
        virCxlDcdReportError(VIR_ERR_OPERATION_FAILED,
                             "QEMU does not tell the state of capacity '%s' of device '%s' of "
                             "domain '%s': %s",
                             capacity->tag,
                             device,
                             virDomainGetName(domain),
                             refusal);
        return -1;
    }
    status = virCxlDcdJSONMemberString(virCxlDcdJSONMember(reply, "return"), "status");
    if (status && qemuCxlDcdParseStatus(status, state) == 0)
        return 0;
    virCxlDcdReportError(VIR_ERR_INTERNAL_ERROR,
                         "QEMU says that the status of capacity '%s' of device '%s' of domain "
                         "'%s' is '%s', which is not known here",
                         capacity->tag,
                         device,
                         virDomainGetName(domain),
                         status ? status : "");
    return -1;
}

/**
 * qemuCxlDcdParseProbe:
 * @refusal: QEMU's answer to an add of one extent and an invalid one
 * @state: where to store the state of the first extent
 *
 * Returns 0, or -1 if @refusal reveals no state; no error is set.
 */
int
qemuCxlDcdParseProbe(const char *refusal, qemuCxlDcdExtentState *state)
{
    static const struct {
        const char *text;
        qemuCxlDcdExtentState state;
    } answers[] = {
        {"extent with 0 length is not allowed", QEMU_CXL_DCD_EXTENT_ABSENT},
        {"cannot add DPA again while still pending", QEMU_CXL_DCD_EXTENT_PENDING},
        {"cannot add DPA already accessible to the same LD", QEMU_CXL_DCD_EXTENT_ACCEPTED},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(answers); i++) {
        if (g_str_has_prefix(refusal, answers[i].text)) {
            *state = answers[i].state;
            return 0;
        }
    }
    return -1;
}

/**
 * qemuCxlDcdMonitorProbe:
 * @domain: a running domain
 * @device: the id of a device
 * @capacity: a capacity of it, with its offset
 * @state: where to store the state of its extent
 *
 * QEMU 9.1 to 11.1 have no command that reports the state of an extent. But
 * cxl-add-dynamic-capacity checks the extents of a request one by one, in
 * order, before it does anything (qmp_cxl_process_dynamic_capacity_prescriptive(),
 * hw/mem/cxl_type3.c). It refuses an extent that overlaps an accepted range, one
 * that overlaps a pending one, and one of length 0, each with its own text. So a
 * request for the extent in question followed by one of length 0 is always
 * refused, changes nothing and sends the guest no event, and the text reveals how
 * far the check got: it stopped either at the first extent, which is then accepted
 * or pending, or at the second, so the first is free. Any other text is an error,
 * never a state. QEMU with the tagged series checks in the same order, and accepts
 * no more than one extent in any case.
 *
 * Returns 0, or -1 with an error set.
 */
int
qemuCxlDcdMonitorProbe(virDomainPtr domain,
                       const char *device,
                       const virCxlDcdCapacityDef *capacity,
                       qemuCxlDcdExtentState *state)
{
    g_autofree char *request = qemuCxlDcdFormatAdd(device, capacity, true);
    g_autofree char *refusal = NULL;
    int ret = qemuCxlDcdMonitorCall(domain, "cxl-add-dynamic-capacity", request, NULL, &refusal);

    if (ret < 0)
        return -1;
    if (ret == QEMU_CXL_DCD_REFUSED && qemuCxlDcdParseProbe(refusal, state) == 0)
        return 0;
    virCxlDcdReportError(VIR_ERR_OPERATION_FAILED,
                         "QEMU does not tell the state of capacity '%s' of device '%s' of domain "
                         "'%s': %s",
                         capacity->tag,
                         device,
                         virDomainGetName(domain),
                         ret == QEMU_CXL_DCD_REFUSED ? refusal : "it took an extent of no length");
    return -1;
}
