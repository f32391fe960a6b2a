/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-conf.c: what <cxl-dcd> and <capacity> mean
 *
 * What is canonical is formatted as it was parsed; what is omitted, or spelled
 * differently, is formatted in the one form that libvirt's users know. Also the placement
 * of capacities in their regions. Refused XML is in qemuxml2argvdata/bad-*.
 */

#include <config.h>

#include <string.h>

#include "cxl_dcd_error.h"
#include "testutils.h"

#define TAG_A "5be13bce-ae34-4a77-b6c3-16df975fcf1a"
#define TAG_B "9d1b1a0e-2f57-4cf5-8c5b-0a6c7a4b2f10"
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

typedef struct {
    const char *name;
    const char *in;
    const char *out; /* NULL: the same */
} testFormatCase;

static char *
testFormat(const virCxlDcdDef *def, unsigned int flags)
{
    GString *buf = g_string_new(NULL);

    virCxlDcdDefFormat(buf, 0, def, flags);
    return g_string_free(buf, FALSE);
}

/* --------------------------------------------------------- parse and format */

#define TARGET                                                                                     \
    "  <target>\n"                                                                                 \
    "    <size unit='KiB'>4194304</size>\n"                                                        \
    "    <regions>1</regions>\n"                                                                   \
    "  </target>\n"
#define STATIC(lines) "<cxl-dcd model='static'>\n" TARGET lines "</cxl-dcd>\n"
#define TAGGED(lines) "<cxl-dcd model='tagged'>\n" TARGET lines "</cxl-dcd>\n"
#define CAPACITY(lines)                                                                            \
    "  <capacity tag='" TAG_A "' region='0'>\n"                                                    \
    "    <size unit='KiB'>1048576</size>\n" lines "  </capacity>\n"

/* Every element and attribute, in canonical form. */
static const testFormatCase testCanonical[] = {
    {"tagged", TAGGED(""), NULL},
    {"static", STATIC(""), NULL},
    {"driver-qemu",
     "<cxl-dcd model='tagged'>\n  <driver name='qemu'/>\n" TARGET "</cxl-dcd>\n",
     NULL},
    {"driver-module",
     "<cxl-dcd model='tagged'>\n  <driver name='module'/>\n" TARGET "</cxl-dcd>\n",
     NULL},
    {"driver-module-path",
     "<cxl-dcd model='tagged'>\n"
     "  <driver name='module' path='/a &amp; &lt;b&gt; &quot;c&quot; &apos;d&apos;,e'/>\n" TARGET
     "</cxl-dcd>\n",
     NULL},
    {"serial", "<cxl-dcd model='static'>\n  <serial>0x63</serial>\n" TARGET "</cxl-dcd>\n", NULL},
    {"serial-zero",
     "<cxl-dcd model='static'>\n  <serial>0x0</serial>\n" TARGET "</cxl-dcd>\n",
     NULL},
    {"target",
     "<cxl-dcd model='static'>\n"
     "  <target>\n"
     "    <size unit='KiB'>4194304</size>\n"
     "    <regions>8</regions>\n"
     "    <node>0</node>\n"
     "  </target>\n"
     "</cxl-dcd>\n",
     NULL},
    {"source-ram", STATIC("  <source type='ram'/>\n"), NULL},
    {"source-ram-shared", STATIC("  <source type='ram' access='shared'/>\n"), NULL},
    {"source-memfd-private", STATIC("  <source type='memfd' access='private'/>\n"), NULL},
    {"source-file",
     STATIC("  <source type='file'>\n"
            "    <path>/dev/shm/a &amp; &lt;b&gt; \xc3\xa9</path>\n"
            "  </source>\n"),
     NULL},
    {"source-all",
     STATIC("  <source type='memfd' access='shared'>\n"
            "    <pagesize unit='KiB'>2048</pagesize>\n"
            "    <nodemask>0-1,3,5-7</nodemask>\n"
            "    <preallocate/>\n"
            "  </source>\n"),
     NULL},
    {"capacity", TAGGED(CAPACITY("")), NULL},
    {"capacity-offset", TAGGED(CAPACITY("    <offset unit='KiB'>0</offset>\n")), NULL},
    {"capacity-source",
     TAGGED(CAPACITY("    <offset unit='KiB'>2048</offset>\n"
                     "    <source type='file' access='private'>\n"
                     "      <path>/dev/shm/dataset</path>\n"
                     "      <nodemask>127</nodemask>\n"
                     "      <preallocate/>\n"
                     "    </source>\n")),
     NULL},
    {"capacity-tag-alone",
     "<cxl-dcd model='tagged'>\n  <capacity tag='" TAG_A "' region='0'/>\n</cxl-dcd>\n",
     NULL},
    {"capacity-no-tag",
     "<cxl-dcd model='tagged'>\n"
     "  <capacity region='7'>\n"
     "    <size unit='KiB'>2048</size>\n"
     "  </capacity>\n"
     "</cxl-dcd>\n",
     NULL},
    {"capacities",
     "<cxl-dcd model='static'>\n" TARGET "  <capacity tag='" TAG_B "' region='1'>\n"
     "    <size unit='KiB'>2048</size>\n"
     "  </capacity>\n" CAPACITY("") "</cxl-dcd>\n",
     NULL},
    {"release", TAGGED("  <release fallback='30'/>\n"), NULL},
    {"release-never", TAGGED("  <release fallback='0'/>\n"), NULL},
    {"alias", TAGGED("  <alias name='cxl-vmem0'/>\n"), NULL},
    {"address", TAGGED("  <address type='cxl' bus='cxl-rp0'/>\n"), NULL},
    {"bytes",
     TAGGED("  <capacity region='0'>\n    <size unit='bytes'>2097153</size>\n  </capacity>\n"),
     NULL},
    {"all",
     "<cxl-dcd model='tagged'>\n"
     "  <driver name='module' path='/usr/lib/qemu/cxl-tagged.so'/>\n"
     "  <serial>0xffffffffffffffff</serial>\n"
     "  <target>\n"
     "    <size unit='KiB'>4194304</size>\n"
     "    <regions>2</regions>\n"
     "    <node>1</node>\n"
     "  </target>\n" CAPACITY("    <offset unit='KiB'>0</offset>\n"
                              "    <source type='memfd'/>\n") "  <alias name='a'/>\n"
                                                              "  <address type='cxl' bus='rp0'/>\n"
                                                              "</cxl-dcd>\n",
     NULL},
};

/* Other spellings. */
static const testFormatCase testOther[] = {
    {"model-default", "<cxl-dcd><target><size unit='GiB'>4</size></target></cxl-dcd>", TAGGED("")},
    {"nothing", "<cxl-dcd/>", "<cxl-dcd model='tagged'>\n</cxl-dcd>\n"},
    {"serial-decimal",
     "<cxl-dcd><serial> 99 </serial></cxl-dcd>",
     "<cxl-dcd model='tagged'>\n  <serial>0x63</serial>\n</cxl-dcd>\n"},
    {"serial-capital",
     "<cxl-dcd><serial>0X6F</serial></cxl-dcd>",
     "<cxl-dcd model='tagged'>\n  <serial>0x6f</serial>\n</cxl-dcd>\n"},
    {"serial-not-octal",
     "<cxl-dcd><serial>0010</serial></cxl-dcd>",
     "<cxl-dcd model='tagged'>\n  <serial>0xa</serial>\n</cxl-dcd>\n"},
    {"order",
     "<cxl-dcd><address type='cxl' bus='b'/><alias name='a'/><capacity><source/><size>2048</size>"
     "</capacity><target><regions>1</regions><size>4194304</size></target><serial>1</serial>"
     "<driver name='qemu'/></cxl-dcd>",
     "<cxl-dcd model='tagged'>\n"
     "  <driver name='qemu'/>\n"
     "  <serial>0x1</serial>\n" TARGET "  <capacity region='0'>\n"
     "    <size unit='KiB'>2048</size>\n"
     "    <source type='ram'/>\n"
     "  </capacity>\n"
     "  <alias name='a'/>\n"
     "  <address type='cxl' bus='b'/>\n"
     "</cxl-dcd>\n"},
    {"unknown",
     "<cxl-dcd colour='red'><colour/><target><size unit='GiB'>4</size><shape>round</shape></target>"
     "<capacity tag='" TAG_A "' shape='x'><size unit='GiB'>1</size><x/></capacity></cxl-dcd>",
     TAGGED(CAPACITY(""))},
    {"state-and-current",
     "<cxl-dcd><target><size unit='GiB'>4</size><current>x</current></target>"
     "<capacity tag='" TAG_A "' state='x' since='x' device='x' asked='yes'>"
     "<size unit='GiB'>1</size></capacity></cxl-dcd>",
     TAGGED(CAPACITY(""))},
    {"tag-upper-case",
     "<cxl-dcd><target><size unit='GiB'>4</size></target>"
     "<capacity tag='5BE13BCE-AE34-4A77-B6C3-16DF975FCF1A'><size unit='GiB'>1</size></capacity>"
     "</cxl-dcd>",
     TAGGED(CAPACITY(""))},
    {"path-white-space",
     "<cxl-dcd model='static'><target><size unit='GiB'>4</size></target>"
     "<source type='file'><path>\n  /dev/shm/x \n</path></source></cxl-dcd>",
     STATIC("  <source type='file'>\n    <path>/dev/shm/x</path>\n  </source>\n")},
    {"namespace",
     "<x:cxl-dcd xmlns:x='urn:x' model='static'><x:target><x:size unit='GiB'>4</x:size></x:target>"
     "</x:cxl-dcd>",
     STATIC("")},
    {"comments",
     "<!-- a --><cxl-dcd model='static'><!-- b --><target><size unit='GiB'>4<!-- c --></size>"
     "</target></cxl-dcd><!-- d -->",
     STATIC("")},
    {"first-of-two",
     "<cxl-dcd model='static'><target><size unit='GiB'>4</size><size>1</size></target><target/>"
     "</cxl-dcd>",
     STATIC("")},
};

static void
testRunFormat(gconstpointer opaque)
{
    const testFormatCase *data = opaque;
    g_autoptr(virCxlDcdDef) def = virCxlDcdDefParseString(data->in);
    g_autofree char *out = NULL;

    g_assert_nonnull(def);
    out = testFormat(def, 0);
    g_assert_cmpstr(out, ==, data->out ? data->out : data->in);
}

static void
testDefaults(void)
{
    g_autoptr(virCxlDcdDef) def = virCxlDcdDefParseString("<cxl-dcd><capacity/></cxl-dcd>");
    virCxlDcdCapacityDef *capacity = g_ptr_array_index(def->capacities, 0);

    g_assert_cmpint(def->model, ==, VIR_DOMAIN_CXL_DCD_MODEL_TAGGED);
    g_assert_cmpint(def->driver, ==, VIR_CXL_DCD_DRIVER_NONE);
    g_assert_cmpuint(def->regions, ==, 1);
    g_assert_cmpint(def->node, ==, -1);
    g_assert_false(def->has_target);
    g_assert_false(def->has_serial);
    g_assert_null(def->module);
    g_assert_null(def->source);
    g_assert_null(def->alias);
    g_assert_null(def->bus);
    g_assert_null(capacity->tag);
    g_assert_null(capacity->source);
    g_assert_false(capacity->has_offset);
    g_assert_cmpuint(capacity->size, ==, 0);
    g_assert_cmpuint(capacity->region, ==, 0);
    g_assert_cmpint(capacity->since, ==, -1);
    g_assert_cmpint(capacity->state, ==, VIR_DOMAIN_CXL_DCD_STATE_NONE);
}

static void
testNotADevice(void)
{
    g_assert_null(virCxlDcdDefParseString("<disk/>"));
    testAssertError(VIR_ERR_XML_ERROR, "XML error: expected a <cxl-dcd> element, not <disk>");
}

/* -------------------------------------------------------------------- tags */

static const struct {
    const char *text;
    const char *tag; /* NULL: refused */
} testTags[] = {
    {TAG_A, TAG_A},
    {"5BE13BCE-AE34-4A77-B6C3-16DF975FCF1A", TAG_A},
    {"ffffffff-ffff-ffff-ffff-ffffffffffff", "ffffffff-ffff-ffff-ffff-ffffffffffff"},
    {"00000000-0000-0000-0000-000000000001", "00000000-0000-0000-0000-000000000001"},
    {"00000000-0000-0000-0000-000000000000", NULL},
    {"{" TAG_A "}", NULL},
    {"urn:uuid:" TAG_A, NULL},
    {"5be13bceae344a77b6c316df975fcf1a", NULL},
    {"5be13bce", NULL},
    {TAG_A "0", NULL},
    {" " TAG_A, NULL},
    {TAG_A "\n", NULL},
    {"5be13bce-ae34-4a77-b6c3-16df975fcf1g", NULL},
    {"", NULL},
};

static void
testRunTags(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(testTags); i++) {
        g_autofree char *tag = virCxlDcdTagParse(testTags[i].text);

        g_test_message("'%s'", testTags[i].text);
        g_assert_cmpstr(tag, ==, testTags[i].tag);
        g_assert_cmpint(virGetLastErrorCode(), ==, tag ? VIR_ERR_OK : VIR_ERR_XML_ERROR);
        virResetLastError();
    }
}

/* --------------------------------------------------------------- nodemasks */

static const struct {
    const char *text;
    const char *nodes; /* NULL: refused */
} testNodemasks[] = {
    {"0", "0"},
    {"0-1", "0-1"},
    {"0,1,2", "0-2"},
    {"3,1", "1,3"},
    {"0-3,^2", "0-1,3"},
    {"^2,0-3", "0-3"},
    {"0-7,^2-5", "0-1,6-7"},
    {" 0 - 1 , 3 ", "0-1,3"},
    {"2-2", "2"},
    {"127", "127"},
    {"0-127", "0-127"},
    {"128", NULL},
    {"0-128", NULL},
    {"1-0", NULL},
    {"5,1-0", NULL},
    {"0-", NULL},
    {"-1", NULL},
    {"^0", NULL},
    {"0,^0", NULL},
    {"0,,1", NULL},
    {"0,", NULL},
    {"0-1-2", NULL},
    {"^", NULL},
    {"", NULL},
    {"all", NULL},
    {"18446744073709551616", NULL},
};

static void
testRunNodemasks(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(testNodemasks); i++) {
        g_autofree char *xml =
            g_strdup_printf("<cxl-dcd><source><nodemask>%s</nodemask></source></cxl-dcd>",
                            testNodemasks[i].text);
        g_autoptr(virCxlDcdDef) def = virCxlDcdDefParseString(xml);
        g_autofree char *out = NULL;
        g_autofree char *expected = NULL;

        g_test_message("'%s'", testNodemasks[i].text);
        g_assert_true(!def == !testNodemasks[i].nodes);
        virResetLastError();
        if (!def)
            continue;
        out = testFormat(def, 0);
        expected = g_strdup_printf("<nodemask>%s</nodemask>", testNodemasks[i].nodes);
        g_assert_nonnull(strstr(out, expected));
    }
}

/* ----------------------------------------------------------------- records */

static const char *const testRecords[] = {
    "<capacity tag='" TAG_A "' region='0' state='adding' device='a'>"
    "<size unit='KiB'>2048</size></capacity>",
    "<capacity tag='" TAG_A "' region='7' state='pending' since='1774500000' device='a' "
    "request='" TAG_B "'><size unit='KiB'>2048</size><offset unit='KiB'>0</offset></capacity>",
    "<capacity tag='" TAG_A "' region='1' state='accepted' since='1' device='a'>"
    "<size unit='KiB'>2048</size><offset unit='KiB'>4096</offset>"
    "<source type='file' access='shared'><path>/dev/shm/a  b &amp; &lt;c&gt;</path>"
    "<nodemask>0-1</nodemask><preallocate/></source></capacity>",
    "<capacity tag='" TAG_A "' region='1' state='rejected' since='9223372036854775807' device='a'>"
    "<size unit='KiB'>2048</size></capacity>",
    "<capacity tag='" TAG_A "' region='0' state='releasing' since='2' asked='1774500009' "
    "earlier='1774500004 1774500000' repeated='yes' policy='prescriptive' device='a'>"
    "<size unit='KiB'>2048</size></capacity>",
    "<capacity tag='" TAG_A "' region='0' state='releasing' since='2' device='a'/>",
};

/* A record is one line and has every property. */
static void
testRunRecords(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(testRecords); i++) {
        g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(testRecords[i], "record");
        g_autoptr(virCxlDcdCapacityDef) def = NULL;
        g_autofree char *out = NULL;

        def = virCxlDcdCapacityDefParseXML(virCxlDcdXMLRoot(doc));
        g_assert_nonnull(def);
        g_assert_cmpint(virCxlDcdCapacityDefParseLive(def, virCxlDcdXMLRoot(doc)), ==, 0);
        out = virCxlDcdRecordFormat(def);
        g_assert_cmpstr(out, ==, testRecords[i]);
    }
}

static void
testRecordNamespace(void)
{
    g_autofree char *uri = virCxlDcdRecordNamespace(TAG_A);

    g_assert_cmpstr(uri, ==, "urn:libvirt-cxl-dcd:capacity:1.0:" TAG_A);
}

/* Every state has a name; a value that is not a state has none. */
static void
testStates(void)
{
    static const struct {
        virDomainCxlDcdState state;
        const char *name;
        bool passing;
        bool occupies;
        bool accepted;
    } states[] = {
        {VIR_DOMAIN_CXL_DCD_STATE_NONE, "none", false, true, false},
        {VIR_DOMAIN_CXL_DCD_STATE_ADDING, "adding", true, true, false},
        {VIR_DOMAIN_CXL_DCD_STATE_PENDING, "pending", true, true, false},
        {VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED, "accepted", false, true, true},
        {VIR_DOMAIN_CXL_DCD_STATE_REJECTED, "rejected", false, false, false},
        {VIR_DOMAIN_CXL_DCD_STATE_RELEASING, "releasing", true, true, true},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(states); i++) {
        g_autoptr(virCxlDcdDef) def = virCxlDcdDefNew();
        virCxlDcdCapacityDef *capacity = virCxlDcdCapacityDefNew();

        capacity->state = states[i].state;
        capacity->size = 2 * MIB;
        capacity->has_offset = true;
        g_ptr_array_add(def->capacities, capacity);
        g_assert_cmpstr(virDomainCxlDcdStateToString(states[i].state), ==, states[i].name);
        g_assert_true(virCxlDcdCapacityIsPassing(capacity) == states[i].passing);
        g_assert_true(virCxlDcdCapacityOccupies(capacity) == states[i].occupies);
        g_assert_cmpuint(virCxlDcdDefAccepted(def), ==, states[i].accepted ? 2 * MIB : 0);
        capacity->has_offset = false;
        g_assert_false(virCxlDcdCapacityOccupies(capacity));
    }
    g_assert_null(virDomainCxlDcdStateToString(-1));
    g_assert_null(virDomainCxlDcdStateToString(G_N_ELEMENTS(states)));
}

static void
testLive(void)
{
    g_autoptr(virCxlDcdDef) def = virCxlDcdDefParseString(TAGGED(CAPACITY("")));
    virCxlDcdCapacityDef *capacity = g_ptr_array_index(def->capacities, 0);
    g_autofree char *out = NULL;

    capacity->state = VIR_DOMAIN_CXL_DCD_STATE_RELEASING;
    capacity->since = 5;
    out = testFormat(def, VIR_CXL_DCD_FORMAT_LIVE);
    g_assert_cmpstr(out,
                    ==,
                    "<cxl-dcd model='tagged'>\n"
                    "  <target>\n"
                    "    <size unit='KiB'>4194304</size>\n"
                    "    <regions>1</regions>\n"
                    "    <current unit='KiB'>1048576</current>\n"
                    "  </target>\n"
                    "  <capacity tag='" TAG_A "' region='0' state='releasing'>\n"
                    "    <size unit='KiB'>1048576</size>\n"
                    "  </capacity>\n"
                    "</cxl-dcd>\n");
}

/* ------------------------------------------------------------------ places */

/* A device of two regions of 16 MiB each, its capacities, and one more: "r:offset+size" in MiB,
 * or "r:+size" for one without an offset yet; a "!" marks one that was refused. */
typedef struct {
    const char *name;
    const char *taken;
    const char *more;
    long long fits;       /* MiB where first fit places it; -1: nowhere */
    const char *overlaps; /* "offset" in MiB of what a capacity with an offset overlaps */
} testPlaceCase;

static const testPlaceCase testPlaces[] = {
    {"empty", "", "0:+4", 0, NULL},
    {"whole", "", "0:+16", 0, NULL},
    {"too-large", "", "0:+18", -1, NULL},
    {"behind", "0:0+4", "0:+4", 4, NULL},
    {"before", "0:4+4", "0:+4", 0, NULL},
    {"between", "0:0+4 0:8+4", "0:+4", 4, NULL},
    {"hole-too-small", "0:0+4 0:6+4", "0:+4", 10, NULL},
    {"lowest-hole", "0:2+2 0:6+2 0:10+2", "0:+2", 0, NULL},
    {"lowest-hole-out-of-order", "0:10+2 0:0+2 0:4+2", "0:+2", 2, NULL},
    {"fragmented", "0:2+2 0:6+2 0:10+2", "0:+4", 12, NULL},
    {"fragmented-full", "0:2+2 0:6+2 0:10+2 0:14+2", "0:+4", -1, NULL},
    {"exact", "0:0+6 0:8+8", "0:+2", 6, NULL},
    {"exact-end", "0:0+14", "0:+2", 14, NULL},
    {"full", "0:0+16", "0:+2", -1, NULL},
    {"other-region", "0:0+16", "1:+16", 0, NULL},
    {"refused-takes-no-place", "0:0+16!", "0:+2", 0, NULL},
    {"no-place-takes-none", "0:+16", "0:+2", 0, NULL},
    {"same", "0:4+4", "0:4+4", 0, "4"},
    {"inside", "0:4+8", "0:6+2", 0, "4"},
    {"around", "0:6+2", "0:4+8", 0, "6"},
    {"over-start", "0:4+4", "0:2+4", 0, "4"},
    {"over-end", "0:4+4", "0:6+4", 0, "4"},
    {"touches-start", "0:4+4", "0:2+2", 0, NULL},
    {"touches-end", "0:4+4", "0:8+2", 0, NULL},
    {"same-in-other-region", "0:4+4", "1:4+4", 0, NULL},
    {"over-refused", "0:4+4!", "0:4+4", 0, NULL},
    {"second-of-two", "0:0+2 0:6+2", "0:4+4", 0, "6"},
};

static virCxlDcdCapacityDef *
testPlaceParse(const char *text)
{
    virCxlDcdCapacityDef *capacity = virCxlDcdCapacityDefNew();
    char *end;

    capacity->region = strtoull(text, &end, 10);
    g_assert_cmpint(*end, ==, ':');
    capacity->has_offset = end[1] != '+';
    if (capacity->has_offset)
        capacity->offset = strtoull(end + 1, &end, 10) * MIB;
    else
        end++;
    capacity->size = strtoull(end + 1, &end, 10) * MIB;
    if (*end == '!')
        capacity->state = VIR_DOMAIN_CXL_DCD_STATE_REJECTED;
    return capacity;
}

static void
testRunPlace(gconstpointer opaque)
{
    const testPlaceCase *data = opaque;
    g_autoptr(virCxlDcdDef) def = virCxlDcdDefNew();
    g_autoptr(virCxlDcdCapacityDef) more = testPlaceParse(data->more);
    g_auto(GStrv) taken = g_strsplit(data->taken, " ", -1);
    const virCxlDcdCapacityDef *other;
    char **text;

    def->size = 32 * MIB;
    def->regions = 2;
    for (text = taken; *text; text++)
        g_ptr_array_add(def->capacities, testPlaceParse(*text));

    if (more->has_offset) {
        other = virCxlDcdDefOverlap(def, more);
        g_assert_true(!other == !data->overlaps);
        if (other)
            g_assert_cmpuint(other->offset, ==, strtoull(data->overlaps, NULL, 10) * MIB);
        return;
    }
    g_assert_cmpint(virCxlDcdDefFirstFit(def, more), ==, data->fits < 0 ? -1 : 0);
    g_assert_true(more->has_offset == (data->fits >= 0));
    g_assert_cmpuint(more->offset, ==, data->fits < 0 ? 0 : data->fits * MIB);
    if (more->has_offset)
        g_assert_null(virCxlDcdDefOverlap(def, more));
}

/* A capacity does not overlap itself. */
static void
testOverlapItself(void)
{
    g_autoptr(virCxlDcdDef) def = virCxlDcdDefNew();
    virCxlDcdCapacityDef *capacity = testPlaceParse("0:0+2");

    g_ptr_array_add(def->capacities, capacity);
    g_assert_null(virCxlDcdDefOverlap(def, capacity));
}

static void
testAccepted(void)
{
    g_autoptr(virCxlDcdDef) def = virCxlDcdDefNew();
    int state;

    for (state = VIR_DOMAIN_CXL_DCD_STATE_NONE; state <= VIR_DOMAIN_CXL_DCD_STATE_RELEASING;
         state++) {
        virCxlDcdCapacityDef *capacity = virCxlDcdCapacityDefNew();

        capacity->state = state;
        capacity->size = (1ULL << state) * GIB;
        g_ptr_array_add(def->capacities, capacity);
    }
    g_assert_cmpuint(virCxlDcdDefAccepted(def),
                     ==,
                     GIB * ((1ULL << VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED) +
                            (1ULL << VIR_DOMAIN_CXL_DCD_STATE_RELEASING)));
}

static void
testRegionSize(void)
{
    g_autoptr(virCxlDcdDef) def = virCxlDcdDefNew();

    def->size = 4 * GIB;
    def->regions = 8;
    g_assert_cmpuint(virCxlDcdDefRegionSize(def), ==, 512 * MIB);
}

/* ----------------------------------------------------------------- domains */

#define METADATA                                                                                   \
    "<metadata><m:devices xmlns:m='urn:libvirt-cxl-dcd:domain:1.0' slot='0x1c' bus-nr='0xc0'>"     \
    "<m:cxl-dcd model='static'><m:target><m:size unit='GiB'>1</m:size></m:target>"                 \
    "<m:capacity tag='" TAG_A "'><m:size unit='MiB'>2</m:size></m:capacity>"                       \
    "<m:alias name='a'/></m:cxl-dcd></m:devices>"                                                  \
    "<r:capacity xmlns:r='urn:libvirt-cxl-dcd:capacity:1.0:" TAG_B "' tag='" TAG_B "' "            \
    "state='pending' device='a'><r:size>2048</r:size><r:offset>0</r:offset></r:capacity>"          \
    "</metadata>"

/* A running domain's capacities come from its records, a definition's from its XML. */
static void
testForms(void)
{
    static const char *const texts[] = {
        "<domain><name>vm</name>" METADATA "</domain>",
        "<domain id='1'><name>vm</name>" METADATA "</domain>",
    };
    static const char *const shown[] = {TAG_A, TAG_B};
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(texts[i], "domain");
        g_autoptr(virCxlDcdDomainDef) def = virCxlDcdDomainDefParse(doc);
        g_autoptr(virCxlDcdDomainDef) configured = virCxlDcdDomainDefParseConfigured(doc);
        virCxlDcdDef *device;
        virCxlDcdCapacityDef *capacity;

        g_assert_nonnull(def);
        g_assert_nonnull(configured);
        g_assert_cmpstr(def->name, ==, "vm");
        g_assert_true(def->live == (i == 1));
        g_assert_true(def->stored);
        g_assert_false(def->plain);
        g_assert_cmpuint(def->slot, ==, 0x1c);
        g_assert_cmpuint(def->bus_nr, ==, 0xc0);
        capacity = virCxlDcdDomainDefCapacity(def, shown[i], &device);
        g_assert_nonnull(capacity);
        g_assert_cmpstr(device->alias, ==, "a");
        g_assert_cmpuint(device->capacities->len, ==, 1);
        g_assert_null(virCxlDcdDomainDefCapacity(def, shown[1 - i], NULL));
        g_assert_nonnull(virCxlDcdDomainDefCapacity(configured, TAG_A, NULL));
        g_assert_null(virCxlDcdDomainDefCapacity(configured, TAG_B, NULL));
    }
}

/* A client that may write metadata can write anything into it: it is checked like a user's
 * definition. */
static void
testForged(void)
{
    static const struct {
        const char *device;
        const char *message;
    } cases[] = {
        {"<cxl-dcd model='static'><target><size unit='GiB'>1</size></target></cxl-dcd>",
         "XML error: a <cxl-dcd> in the metadata of domain 'vm' has no <alias>"},
        {"<cxl-dcd><target><size unit='GiB'>1</size><regions>0</regions></target>"
         "<alias name='a'/></cxl-dcd>",
         "XML error: <cxl-dcd> 'a' has 0 <regions>: expected 1 to 8"},
        {"<cxl-dcd><alias name='a'/></cxl-dcd>",
         "XML error: <cxl-dcd> 'a' needs a <target> with the <size> of its dynamic capacity"},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf("<domain><name>vm</name><metadata>"
                            "<m:devices xmlns:m='urn:libvirt-cxl-dcd:domain:1.0'>%s</m:devices>"
                            "</metadata></domain>",
                            cases[i].device);
        g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(xml, "domain");

        g_assert_null(virCxlDcdDomainDefParse(doc));
        testAssertError(VIR_ERR_XML_ERROR, cases[i].message);
    }
}

/* So is a record, and the error says how to get rid of a wrong one. */
static void
testForgedRecord(void)
{
    static const struct {
        const char *attributes;
        const char *content;
        const char *why;
    } cases[] = {
        {"state='flying' tag='" TAG_A "' device='a'",
         "",
         "XML error: invalid value 'flying' for attribute state of <capacity>: expected one of "
         "'none', 'adding', 'pending', 'accepted', 'rejected', 'releasing'"},
        {"state='releasing' asked='3' earlier='2 x' tag='" TAG_A "' device='a'",
         "",
         "XML error: invalid value '2 x' for attribute earlier: expected at most 7 times in "
         "seconds"},
        {"state='releasing' asked='9' earlier='8 7 6 5 4 3 2 1' tag='" TAG_A "' device='a'",
         "",
         "XML error: invalid value '8 7 6 5 4 3 2 1' for attribute earlier: expected at most 7 "
         "times in seconds"},
        {"state='accepted' device='a'", "", "it has the tag ''"},
        {"state='accepted' tag='" TAG_B "' device='a'", "", "it has the tag '" TAG_B "'"},
        {"state='accepted' tag='" TAG_A "'",
         "",
         "it names device '', which the domain does not have"},
        {"state='accepted' tag='" TAG_A "' device='b'",
         "",
         "it names device 'b', which the domain does not have"},
        {"tag='" TAG_A "' device='a'", "", "it has no state"},
        {"state='accepted' tag='" TAG_A "' device='a'", "<size>2048</size>", "it has no <offset>"},
        {"state='accepted' tag='" TAG_A "' device='a'",
         "<size>2048</size><offset unit='bytes'>18446744073707454464</offset>",
         "XML error: a capacity of 2097152 bytes at offset 18446744073707454464 does not fit "
         "region 0 of device 'a', which has 1073741824 bytes"},
        {"state='accepted' tag='" TAG_A "' device='a' region='1'",
         "<size>2048</size><offset>0</offset>",
         "XML error: device 'a' has no region 1: its regions are 0 to 0"},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml =
            g_strdup_printf("<domain id='1'><name>vm</name><metadata>"
                            "<m:devices xmlns:m='urn:libvirt-cxl-dcd:domain:1.0'>"
                            "<cxl-dcd model='static'><target><size unit='GiB'>1</size></target>"
                            "<alias name='a'/></cxl-dcd></m:devices>"
                            "<r:capacity xmlns:r='urn:libvirt-cxl-dcd:capacity:1.0:" TAG_A "' %s>"
                            "%s</r:capacity></metadata></domain>",
                            cases[i].attributes,
                            cases[i].content);
        g_autofree char *message = g_strdup_printf(
            "XML error: the record of capacity '" TAG_A "' in the metadata of domain 'vm' is "
            "wrong: %s. If there is no such capacity, remove the record: virsh metadata vm --live "
            "--uri urn:libvirt-cxl-dcd:capacity:1.0:" TAG_A " --remove",
            cases[i].why);
        g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(xml, "domain");

        g_assert_null(virCxlDcdDomainDefParse(doc));
        testAssertError(VIR_ERR_XML_ERROR, message);
    }
}

/* The plain form of a running domain has states, which are read. */
static void
testPlainLive(void)
{
    static const char xml[] =
        "<domain id='1'><name>vm</name><devices><cxl-dcd model='static'>"
        "<target><size unit='GiB'>1</size></target>"
        "<capacity tag='" TAG_A "' state='pending'><size>2048</size></capacity>"
        "<capacity tag='" TAG_B "' state='accepted'><size>4096</size></capacity>"
        "<alias name='a'/></cxl-dcd></devices></domain>";
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(xml, "domain");
    g_autoptr(virCxlDcdDomainDef) def = virCxlDcdDomainDefParse(doc);
    virCxlDcdCapacityDef *first = virCxlDcdDomainDefCapacity(def, TAG_A, NULL);
    virCxlDcdCapacityDef *second = virCxlDcdDomainDefCapacity(def, TAG_B, NULL);

    g_assert_true(def->plain);
    g_assert_cmpint(first->state, ==, VIR_DOMAIN_CXL_DCD_STATE_PENDING);
    g_assert_cmpint(second->state, ==, VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED);
    g_assert_cmpstr(second->device, ==, "a");
    g_assert_cmpuint(virCxlDcdDefAccepted(g_ptr_array_index(def->devices, 0)), ==, 4 * MIB);
}

/* Records are sorted by their offsets, whatever their order in libvirt. */
static void
testRecordOrder(void)
{
    g_autoptr(GString) xml =
        g_string_new("<domain id='1'><name>vm</name><metadata>"
                     "<m:devices xmlns:m='urn:libvirt-cxl-dcd:domain:1.0'>"
                     "<cxl-dcd model='static'><target><size unit='GiB'>1</size><regions>2</regions>"
                     "</target><alias name='a'/></cxl-dcd></m:devices>");
    static const char *const places[] = {"1:0", "0:4096", "0:0", "1:2048", "0:2048"};
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    g_autoptr(virCxlDcdDomainDef) def = NULL;
    virCxlDcdDef *device;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(places); i++)
        g_string_append_printf(xml,
                               "<r:capacity xmlns:r='urn:libvirt-cxl-dcd:capacity:1.0:"
                               "5be13bce-ae34-4a77-b6c3-16df975fcf1%zu' "
                               "tag='5be13bce-ae34-4a77-b6c3-16df975fcf1%zu' device='a' "
                               "state='accepted' region='%c'><size>2048</size><offset>%s</offset>"
                               "</r:capacity>",
                               i,
                               i,
                               *places[i],
                               places[i] + 2);
    g_string_append(xml, "</metadata></domain>");
    doc = virCxlDcdXMLParse(xml->str, "domain");
    def = virCxlDcdDomainDefParse(doc);
    g_assert_nonnull(def);
    device = virCxlDcdDomainDefDevice(def, "a");
    g_assert_cmpuint(device->capacities->len, ==, G_N_ELEMENTS(places));
    for (i = 0; i < G_N_ELEMENTS(places); i++) {
        virCxlDcdCapacityDef *capacity = g_ptr_array_index(device->capacities, i);

        g_assert_cmpuint(capacity->region, ==, i / 3);
        g_assert_cmpuint(capacity->offset, ==, (i % 3) * 2 * MIB);
    }
}

static void
testAddCases(const char *kind, const testFormatCase *cases, size_t n)
{
    size_t i;

    for (i = 0; i < n; i++) {
        g_autofree char *path = g_strconcat("/conf/", kind, "/", cases[i].name, NULL);

        g_test_add_data_func(path, &cases[i], testRunFormat);
    }
}

int
main(int argc, char **argv)
{
    size_t i;

    testInit(&argc, &argv);
    testAddCases("canonical", testCanonical, G_N_ELEMENTS(testCanonical));
    testAddCases("other", testOther, G_N_ELEMENTS(testOther));
    for (i = 0; i < G_N_ELEMENTS(testPlaces); i++) {
        g_autofree char *path = g_strconcat("/conf/place/", testPlaces[i].name, NULL);

        g_test_add_data_func(path, &testPlaces[i], testRunPlace);
    }
    g_test_add_func("/conf/place/itself", testOverlapItself);
    g_test_add_func("/conf/defaults", testDefaults);
    g_test_add_func("/conf/not-a-device", testNotADevice);
    g_test_add_func("/conf/tags", testRunTags);
    g_test_add_func("/conf/nodemasks", testRunNodemasks);
    g_test_add_func("/conf/records", testRunRecords);
    g_test_add_func("/conf/record-namespace", testRecordNamespace);
    g_test_add_func("/conf/record-order", testRecordOrder);
    g_test_add_func("/conf/states", testStates);
    g_test_add_func("/conf/live", testLive);
    g_test_add_func("/conf/accepted", testAccepted);
    g_test_add_func("/conf/region-size", testRegionSize);
    g_test_add_func("/conf/forms", testForms);
    g_test_add_func("/conf/forged", testForged);
    g_test_add_func("/conf/forged-record", testForgedRecord);
    g_test_add_func("/conf/plain-live", testPlainLive);
    return g_test_run();
}
