/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scene.c: a domain with a device, and what happens to it, in words
 *
 * A tagged device belongs to a QEMU with the series, a static one to a QEMU as released.
 *
 * What a client does, through the public interface:
 *   add, release, refresh, wait
 *   ...!                 it must fail with VIR_ERR_OPERATION_INVALID, and a reason
 *   ...?                 it must fail with VIR_ERR_DEVICE_MISSING
 * What the guest does:
 *   accept, refuse       the offer that is first in turn, if there is one
 *   obey                 give back what it was asked for
 *   obey-strict          the same, but it knows a capacity by its range and tag only
 *   give-back            give everything back, asked or not
 * What happens to both:
 *   later                three seconds pass; much-later: a minute
 *   clock-back           the clock is set back by an hour
 *   reset, die           QEMU is reset, or is gone
 */

#include <config.h>

#include <libvirt/libvirt-qemu.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>

#include "conf/cxl_dcd_domain.h"
#include "scene.h"

/* ------------------------------------------------------------ what clients do */

/* Add a capacity of SCENE_SIZE wherever there is room. Returns its tag, or NULL. */
char *
sceneAdd(virDomainPtr client, const char *tag)
{
    g_autofree char *xml = g_strdup_printf("<cxl-dcd><capacity tag='%s'><size unit='bytes'>%llu"
                                           "</size></capacity></cxl-dcd>",
                                           tag,
                                           SCENE_SIZE);

    return virDomainCxlDcdAdd(client, xml, VIR_DOMAIN_AFFECT_LIVE);
}

int
sceneRefresh(virDomainPtr client)
{
    virDomainCxlDcdDevicePtr *devices = NULL;
    int n = virDomainCxlDcdListDevices(client, &devices, VIR_DOMAIN_CXL_DCD_LIST_REFRESH);
    int i;

    for (i = 0; i < n; i++)
        virDomainCxlDcdDeviceFree(devices[i]);
    free(devices);
    return n < 0 ? -1 : 0;
}

static int
sceneClientDoes(scene *self, const char *word)
{
    if (g_str_equal(word, "add")) {
        char *tag = sceneAdd(self->client, SCENE_TAG);

        free(tag);
        return tag ? 0 : -1;
    }
    if (g_str_equal(word, "release"))
        return virDomainCxlDcdRelease(self->client, NULL, SCENE_TAG, VIR_DOMAIN_AFFECT_LIVE);
    if (g_str_equal(word, "wait"))
        return virDomainCxlDcdWait(self->client, SCENE_TAG, 60000, 0) < 0 ? -1 : 0;
    g_assert_cmpstr(word, ==, "refresh");
    return sceneRefresh(self->client);
}

/* ------------------------------------------------------------------- words */

static bool
sceneGuestDoes(scene *self, const char *word)
{
    modelQemu *qemu = self->domain->qemu;

    if (g_str_equal(word, "accept"))
        modelGuestAnswer(qemu, self->device, true);
    else if (g_str_equal(word, "refuse"))
        modelGuestAnswer(qemu, self->device, false);
    else if (g_str_equal(word, "obey"))
        modelGuestObey(qemu, self->device, false);
    else if (g_str_equal(word, "obey-strict"))
        modelGuestObey(qemu, self->device, true);
    else if (g_str_equal(word, "give-back"))
        modelGuestGiveAllBack(qemu, self->device);
    else
        return false;
    return true;
}

static void
sceneDoWord(scene *self, const char *text)
{
    size_t length = strcspn(text, "!?");
    g_autofree char *word = g_strndup(text, length);

    if (sceneGuestDoes(self, word))
        return;
    if (g_str_equal(word, "later")) {
        model_time += 3 * G_USEC_PER_SEC;
    } else if (g_str_equal(word, "much-later")) {
        model_time += 60 * G_USEC_PER_SEC;
    } else if (g_str_equal(word, "clock-back")) {
        model_time -= 3600LL * G_USEC_PER_SEC;
    } else if (g_str_equal(word, "reset")) {
        g_free(modelQemuCommand(self->domain->qemu, "{\"execute\":\"system_reset\"}"));
        self->device->decoder = true;
    } else if (g_str_equal(word, "die")) {
        modelDomainStop(self->domain);
        self->device = NULL;
    } else if (text[length]) {
        g_assert_cmpint(sceneClientDoes(self, word), ==, -1);
        g_assert_cmpint(virGetLastErrorCode(),
                        ==,
                        text[length] == '!' ? VIR_ERR_OPERATION_INVALID : VIR_ERR_DEVICE_MISSING);
        virResetLastError();
    } else if (sceneClientDoes(self, word) < 0) {
        g_test_fail_printf("%s: %s", word, virGetLastErrorMessage());
        virResetLastError();
    }
}

/* Execute @words, one after another. */
void
sceneDo(scene *self, const char *words)
{
    g_auto(GStrv) list = g_strsplit(words, " ", -1);
    char **word;

    for (word = list; *word; word++) {
        if (**word)
            sceneDoWord(self, *word);
    }
}

/* Continue as another client. */
void
sceneNewClient(scene *self)
{
    virDomainFree(self->client);
    self->client = modelClientNew(self->domain);
}

/* ------------------------------------------------------------------ starting */

/* Make the record say @state, and drop what a process writes only after the change happened. */
static void
sceneRewriteRecord(scene *self, const char *state)
{
    g_autofree char *text = NULL;
    g_autoptr(GRegex) regex = g_regex_new(" state='\\w+'| state=\"\\w+\"", 0, 0, NULL);
    g_autoptr(GRegex) asked = g_regex_new(" asked=.\\d+.", 0, 0, NULL);
    g_autofree char *attribute = g_strdup_printf(" state='%s'", state);
    g_autofree char *with = NULL;
    char *record = modelDomainGetRecord(self->domain, SCENE_TAG);

    text = g_regex_replace_literal(regex, record, -1, 0, attribute, 0, NULL);
    with = g_regex_replace_literal(asked, text, -1, 0, "", 0, NULL);
    modelDomainPutRecord(self->domain, SCENE_TAG, with);
    free(record);
}

/* An add whose process died just before it told QEMU anything, or after it created the backend. */
static void
sceneStartAdding(scene *self, bool backend)
{
    g_autofree char *xml = NULL;

    xml = g_strdup_printf("<capacity tag='" SCENE_TAG "' region='0' state='adding' since='%lld' "
                          "device='cxl-dcd0' request='11111111-2222-4333-8444-555555555555'>"
                          "<size unit='KiB'>%llu</size><offset unit='KiB'>0</offset></capacity>",
                          (long long)(model_time / G_USEC_PER_SEC),
                          SCENE_SIZE / 1024);
    modelDomainPutRecord(self->domain, SCENE_TAG, xml);
    if (backend && self->tagged) {
        g_autofree char *request = g_strdup_printf("{\"execute\":\"object-add\",\"arguments\":{"
                                                   "\"qom-type\":\"memory-backend-ram\",\"id\":"
                                                   "\"cxl-dcd-" SCENE_TAG "\",\"size\":%llu,"
                                                   "\"tag\":\"" SCENE_TAG "\"}}",
                                                   SCENE_SIZE);

        g_free(modelQemuCommand(self->domain->qemu, request));
    }
}

static void
sceneStart(scene *self, const char *state)
{
    static const struct {
        const char *state;
        const char *words;
        const char *rewrite; /* what the record is changed to say */
    } ways[] = {
        {"none", ""},
        {"adding-offered", "add", "adding"},
        {"pending", "add"},
        {"accepted", "add accept refresh"},
        {"rejected", "add refuse refresh"},
        {"releasing-not-asked", "add accept refresh release", "releasing"},
        {"releasing", "add accept refresh release"},
    };
    size_t i;

    if (g_str_equal(state, "adding") || g_str_equal(state, "adding-backend")) {
        sceneStartAdding(self, g_str_equal(state, "adding-backend"));
        return;
    }
    for (i = 0; i < G_N_ELEMENTS(ways) && !g_str_equal(ways[i].state, state); i++)
        continue;
    g_assert_cmpuint(i, <, G_N_ELEMENTS(ways));
    sceneDo(self, ways[i].words);
    if (ways[i].rewrite)
        sceneRewriteRecord(self, ways[i].rewrite);
    if (g_str_equal(state, "releasing-not-asked"))
        g_free(g_queue_pop_tail(&self->device->events));
}

/* A domain with one device of 1 GiB, which has a capacity tagged SCENE_TAG in the state @start. */
scene *
sceneNew(bool tagged, const char *start)
{
    scene *self = g_new0(scene, 1);
    modelQemu *qemu = modelQemuNew(tagged ? MODEL_SERIES : MODEL_STOCK);

    if (!tagged)
        modelObjectNew(qemu, "memory-backend-ram", "cxl-dcd0-mem", 1ULL << 30);
    self->tagged = tagged;
    self->device = modelDeviceNew(qemu, "cxl-dcd0", 1, 1ULL << 30, tagged ? NULL : "cxl-dcd0-mem");
    self->device->decoder = true;
    self->domain = modelDomainNew(qemu);
    self->client = modelClientNew(self->domain);
    sceneStart(self, start);
    return self;
}

void
sceneFree(scene *self)
{
    if (!self)
        return;
    virDomainFree(self->client);
    modelDomainFree(self->domain);
    g_free(self);
}

/* ------------------------------------------------------------------- looking */

/* The state in the record of @tag: a virDomainCxlDcdState. */
int
sceneRecordState(const scene *self, const char *tag)
{
    char *record = modelDomainGetRecord(self->domain, tag);
    int state = VIR_DOMAIN_CXL_DCD_STATE_NONE;

    if (record) {
        g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(record, "record");
        g_autoptr(virCxlDcdCapacityDef) capacity =
            virCxlDcdCapacityDefParseXML(virCxlDcdXMLRoot(doc));

        g_assert_cmpint(virCxlDcdCapacityDefParseLive(capacity, virCxlDcdXMLRoot(doc)), ==, 0);
        state = capacity->state;
    }
    free(record);
    return state;
}

/* The number of backends that were created for capacities. */
unsigned int
sceneBackends(const scene *self)
{
    unsigned int n = 0;
    guint i;

    for (i = 0; self->device && i < self->domain->qemu->objects->len; i++) {
        const modelObject *object = g_ptr_array_index(self->domain->qemu->objects, i);

        n += g_str_has_prefix(object->id, "cxl-dcd-");
    }
    return n;
}

/* Whether @extent is that of @capacity: of exactly its range, and its tag where QEMU keeps it. */
static bool
sceneIsExtentOf(const scene *self, const modelExtent *extent, const virCxlDcdCapacityDef *capacity)
{
    return extent->range.dpa == capacity->offset && extent->range.len == capacity->size &&
           (!self->tagged || g_str_equal(extent->tag, capacity->tag));
}

/* The state of the extent of @capacity. */
static const char *
sceneExtentAt(const scene *self, const virCxlDcdCapacityDef *capacity)
{
    GList *item;
    guint i;

    for (i = 0; i < self->device->accepted->len; i++) {
        if (sceneIsExtentOf(self, g_ptr_array_index(self->device->accepted, i), capacity))
            return "accepted";
    }
    for (item = self->device->pending.head; item; item = item->next) {
        const modelGroup *group = item->data;

        if (sceneIsExtentOf(self, g_ptr_array_index(group->extents, 0), capacity))
            return "pending";
    }
    return "gone";
}

/* The state that an extent must have, given the state in its record. */
static const char *
sceneExtentOfState(int state)
{
    if (state == VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED || state == VIR_DOMAIN_CXL_DCD_STATE_RELEASING)
        return "accepted";
    return state == VIR_DOMAIN_CXL_DCD_STATE_PENDING ? "pending" : "gone";
}

/* How the records of the domain and QEMU disagree, or NULL: each extent must have a record, each
 * record an extent, each extent (tagged) a backend. @records is set to the number of records. */
char *
sceneInconsistency(const scene *self, unsigned int *records)
{
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(self->domain->live, "domain");
    g_autoptr(virCxlDcdDomainDef) def = virCxlDcdDomainDefParse(doc);
    const virCxlDcdDef *device = g_ptr_array_index(def->devices, 0);
    unsigned int extents = 0;
    guint i;

    *records = device->capacities->len;
    for (i = 0; i < device->capacities->len; i++) {
        const virCxlDcdCapacityDef *capacity = g_ptr_array_index(device->capacities, i);
        const char *state = virDomainCxlDcdStateToString(capacity->state);
        const char *is = sceneExtentAt(self, capacity);

        if (capacity->state == VIR_DOMAIN_CXL_DCD_STATE_REJECTED)
            continue; /* others may use its place */
        extents++;
        if (!g_str_equal(sceneExtentOfState(capacity->state), is))
            return g_strdup_printf("%s is %s at %llu, and its extent is %s",
                                   capacity->tag,
                                   state,
                                   capacity->offset,
                                   is);
    }
    if (extents != modelDeviceTotal(self->device))
        return g_strdup_printf("%u extents, %u of them recorded",
                               modelDeviceTotal(self->device),
                               extents);
    if (self->tagged && sceneBackends(self) != extents)
        return g_strdup_printf("%u extents, %u backends", extents, sceneBackends(self));
    return NULL;
}

/* Every request about dynamic capacity must contain its tag, in canonical spelling. */
static void
sceneCheckRequest(const char *text)
{
    g_autofree char *message = NULL;
    g_autoptr(virCxlDcdJSON) request = virCxlDcdJSONParse(text, &message);
    const char *command = virCxlDcdJSONMemberString(request, "execute");
    virCxlDcdJSON *arguments = virCxlDcdJSONMember(request, "arguments");
    const char *tag = virCxlDcdJSONMemberString(arguments, "tag");

    g_assert_cmpstr(command, !=, "device_del");
    if (g_str_has_prefix(command, "cxl-")) {
        g_autofree char *lower = g_ascii_strdown(tag ? tag : "", -1);

        g_assert_true(g_uuid_string_is_valid(lower));
        g_assert_cmpstr(tag, ==, lower);
    }
}

/* Returns what was done that endangers QEMU, or NULL. */
const char *
sceneDanger(const scene *self)
{
    GList *item;
    guint i;

    if (!self->device)
        return NULL;
    if (self->domain->qemu->crashed || self->domain->qemu->corrupt)
        return "QEMU crashed, or will";
    for (item = self->device->pending.head; item; item = item->next) {
        const modelGroup *group = item->data;

        for (i = 0; i < group->extents->len; i++) {
            if (((modelExtent *)g_ptr_array_index(group->extents, i))->dangling)
                return "the backend of a pending extent was deleted";
        }
    }
    return NULL;
}

void
sceneCheckSafe(const scene *self)
{
    guint i;

    g_assert_cmpstr(sceneDanger(self), ==, NULL);
    for (i = 0; self->device && i < self->domain->qemu->requests->len; i++)
        sceneCheckRequest(g_ptr_array_index(self->domain->qemu->requests, i));
}

/* The state of the only capacity's extent: QEMU as released keeps no tags. */
static const char *
sceneExtent(const scene *self, const char *tag)
{
    if (!self->device || modelDeviceTotal(self->device) == 0)
        return "gone";
    if (self->tagged)
        return modelDeviceTagState(self->device, tag);
    return self->device->accepted->len > 0 ? "accepted" : "pending";
}

/* The only capacity's record must say @record, its extent must be @extent, and it must have a
 * backend if and only if it has an extent. */
void
sceneCheck(const scene *self, const char *tag, const char *record, const char *extent)
{
    bool there = !g_str_equal(extent, "gone");

    g_assert_cmpstr(virDomainCxlDcdStateToString(sceneRecordState(self, tag)), ==, record);
    g_assert_cmpstr(sceneExtent(self, tag), ==, extent);
    g_assert_cmpuint(self->device ? modelDeviceTotal(self->device) : 0, ==, there);
    g_assert_cmpuint(sceneBackends(self), ==, there && self->tagged);
    sceneCheckSafe(self);
}
