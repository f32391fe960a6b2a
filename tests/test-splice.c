/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-splice.c: what is not ours stays byte for byte as it was
 *
 * The cases are domains as libvirt 11.3 printed them, defined or running:
 *
 *   splicedata/NAME.stock.xml     without <cxl-dcd>
 *   splicedata/NAME.stored.xml    the same domain in the stored form
 *   splicedata/NAME.shown.xml     what a client is to see of it: the first, with what
 *                                 the second says about the devices
 *
 * They are followed by documents made for one purpose each.
 */

#include <config.h>

#include <string.h>

#include "cxl_dcd_error.h"
#include "testutils.h"

#define DATA "splicedata"
#define TAG "5be13bce-ae34-4a77-b6c3-16df975fcf1a"
#define QEMU_NAMESPACE "http://libvirt.org/schemas/domain/qemu/1.0"

/* @xml without the lines of its <cxl-dcd>. */
static char *
testCut(const char *xml)
{
    g_autoptr(GRegex) regex = g_regex_new("^ {4}<cxl-dcd .*?^ {4}</cxl-dcd>\n",
                                          G_REGEX_MULTILINE | G_REGEX_DOTALL,
                                          0,
                                          NULL);

    return g_regex_replace_literal(regex, xml, -1, 0, "", 0, NULL);
}

static char *
testReadData(const char *name, const char *suffix)
{
    g_autofree char *file = g_strconcat(name, suffix, NULL);
    g_autofree char *path = testPath(DATA, file);

    return testReadFile(path);
}

/* Store the domain, and show it again. */
static char *
testRound(const char *xml)
{
    g_autofree char *stored = testStore(xml);
    char *shown = virCxlDcdTranslateShow(stored);

    g_assert_nonnull(shown);
    return shown;
}

/* ------------------------------------------------------- what libvirt prints */

/* Showing changes only the lines of the devices. */
static void
testShow(gconstpointer opaque)
{
    const char *name = opaque;
    g_autofree char *stock = testReadData(name, ".stock.xml");
    g_autofree char *stored = testReadData(name, ".stored.xml");
    g_autofree char *shown = virCxlDcdTranslateShow(stored);
    g_autofree char *file = g_strconcat(name, ".shown.xml", NULL);
    g_autofree char *path = testPath(DATA, file);
    g_autofree char *rest = NULL;

    g_assert_nonnull(shown);
    rest = testCut(shown);
    g_assert_cmpstr(rest, ==, stock);
    testCompareToFile(shown, path);
}

/* Defining what was shown changes nothing, however often it is repeated. For a running domain,
 * the capacities that were offered since its start become part of the definition, and its states
 * do not. */
static void
testDefineShown(gconstpointer opaque)
{
    const char *name = opaque;
    g_autofree char *stock = testReadData(name, ".stock.xml");
    g_autofree char *shown = testReadData(name, ".shown.xml");
    bool live = g_str_has_prefix(name, "live-");
    size_t i;

    for (i = 0; i < 10; i++) {
        g_autofree char *next = testRound(shown);
        g_autofree char *rest = testCut(next);

        if (!live || i > 0)
            g_assert_cmpstr(next, ==, shown);
        g_assert_cmpstr(rest, ==, stock);
        g_free(shown);
        shown = g_steal_pointer(&next);
    }
}

/* A domain without <cxl-dcd> is left alone. */
static void
testStock(gconstpointer opaque)
{
    const char *name = opaque;
    g_autofree char *stock = testReadData(name, ".stock.xml");
    char *stored = NULL;

    g_assert_cmpint(virCxlDcdTranslateStore(stock, true, testDecide, NULL, &stored), ==, 0);
    g_assert_null(stored);
    g_assert_null(virCxlDcdTranslateShow(stock));
}

/* The stored form of a defined domain goes to libvirt unchanged; that of a running domain
 * without its records. */
static void
testDefineStored(gconstpointer opaque)
{
    const char *name = opaque;
    g_autofree char *xml = testReadData(name, ".stored.xml");
    g_autofree char *stored = NULL;

    g_assert_cmpint(virCxlDcdTranslateStore(xml, true, testDecide, NULL, &stored), ==, 0);
    if (!strstr(xml, "urn:libvirt-cxl-dcd:capacity")) {
        g_assert_null(stored);
        return;
    }
    g_assert_nonnull(stored);
    g_assert_null(strstr(stored, "urn:libvirt-cxl-dcd:capacity"));
    g_assert_nonnull(strstr(stored, "urn:libvirt-cxl-dcd:domain:1.0"));
}

/* ------------------------------------------------------------ inside of others */

/* A snapshot that contains @xml as libvirt prints it: indented by two more spaces, and twice,
 * the second time under another name. */
static char *
testNest(const char *xml)
{
    g_auto(GStrv) lines = g_strsplit(xml, "\n", -1);
    g_autoptr(GString) domain = g_string_new("  ");
    g_autoptr(GString) inactive = NULL;
    g_autofree char *joined = g_strjoinv("\n  ", lines);

    g_string_append(domain, g_strchomp(joined));
    inactive = g_string_new(domain->str);
    g_string_replace(inactive, "<domain", "<inactiveDomain", 1);
    g_string_replace(inactive, "</domain>", "</inactiveDomain>", 1);
    return g_strdup_printf("<domainsnapshot>\n  <name>cxl-dcd</name>\n%s\n%s\n"
                           "  <domainname/>\n</domainsnapshot>\n",
                           domain->str,
                           inactive->str);
}

static int
testNestedStore(const char *xml, char **stored, void *opaque G_GNUC_UNUSED)
{
    return virCxlDcdTranslateStore(xml, false, testDecide, NULL, stored);
}

static int
testNestedShow(const char *xml, char **shown, void *opaque G_GNUC_UNUSED)
{
    *shown = virCxlDcdTranslateShow(xml);
    return 0;
}

static void
testNested(gconstpointer opaque)
{
    g_autofree char *stored = testReadData(opaque, ".stored.xml");
    g_autofree char *shown = testReadData(opaque, ".shown.xml");
    g_autofree char *stock = testReadData(opaque, ".stock.xml");
    g_autofree char *nested_stored = testNest(stored);
    g_autofree char *nested_shown = testNest(shown);
    g_autofree char *nested_stock = testNest(stock);
    g_autofree char *changed = NULL;
    g_autofree char *again = NULL;
    g_autofree char *none = NULL;

    g_assert_cmpint(virCxlDcdTranslateNested(nested_stored, testNestedShow, NULL, &changed), ==, 0);
    g_assert_cmpstr(changed, ==, nested_shown);
    g_assert_cmpint(virCxlDcdTranslateNested(nested_stock, testNestedShow, NULL, &none), ==, 0);
    g_assert_null(none);

    g_free(changed);
    g_assert_cmpint(virCxlDcdTranslateNested(nested_shown, testNestedStore, NULL, &changed), ==, 0);
    g_assert_nonnull(changed);
    g_assert_cmpint(virCxlDcdTranslateNested(changed, testNestedShow, NULL, &again), ==, 0);
    if (!strstr(shown, " state='"))
        g_assert_cmpstr(again, ==, nested_shown);
}

static void
testNestedBad(void)
{
    static const struct {
        const char *xml;
        const char *message;
    } cases[] = {
        {"<domainsnapshot>", "XML error: the document XML is not well-formed: "},
        {"<domainsnapshot><domain><devices><cxl-dcd/></devices></domain></domainsnapshot>",
         "unsupported configuration: <cxl-dcd> needs PCI Express: "},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *changed = NULL;

        testCase(cases[i].xml);
        g_assert_cmpint(virCxlDcdTranslateNested(cases[i].xml, testNestedStore, NULL, &changed),
                        ==,
                        -1);
        g_assert_null(changed);
        if (!g_str_has_prefix(virGetLastErrorMessage(), cases[i].message))
            g_assert_cmpstr(virGetLastErrorMessage(), ==, cases[i].message);
        virResetLastError();
    }
}

/* ----------------------------------------------------------- single documents */

#define DOMAIN(attributes, before, devices, after)                                                 \
    "<domain type='qemu'" attributes ">\n"                                                         \
    "  <name>vm</name>\n" before "  <os>\n"                                                        \
    "    <type arch='x86_64' machine='q35'>hvm</type>\n"                                           \
    "  </os>\n"                                                                                    \
    "  <features>\n"                                                                               \
    "    <acpi/>\n"                                                                                \
    "  </features>\n"                                                                              \
    "  <devices>\n" devices "  </devices>\n" after "</domain>\n"

#define QEMU " xmlns:qemu='" QEMU_NAMESPACE "'"
#define DEVICE(alias)                                                                              \
    "    <cxl-dcd model='static'>\n"                                                               \
    "      <target>\n"                                                                             \
    "        <size unit='KiB'>1048576</size>\n"                                                    \
    "        <regions>1</regions>\n"                                                               \
    "      </target>\n"                                                                            \
    "      <alias name='" alias "'/>\n"                                                            \
    "    </cxl-dcd>\n"
#define STORED(devices)                                                                            \
    "    <cxl-dcd:devices xmlns:cxl-dcd='urn:libvirt-cxl-dcd:domain:1.0' slot='0x1c' "             \
    "bus-nr='0xc0'>\n" devices "    </cxl-dcd:devices>\n"
#define RECORD(attributes)                                                                         \
    "    <r:capacity xmlns:r='urn:libvirt-cxl-dcd:capacity:1.0:" TAG "' tag='" TAG "' "            \
    "region='0'" attributes                                                                        \
    "><r:size unit='KiB'>2048</r:size><r:offset unit='KiB'>0</r:offset></r:capacity>\n"
#define METADATA(lines) "  <metadata>\n" lines "  </metadata>\n"

/* The arguments of DEVICE("a"). */
#define ARGUMENTS                                                                                  \
    "    <qemu:arg value='-machine'/>\n"                                                           \
    "    <qemu:arg "                                                                               \
    "value='cxl=on,cxl-fmw.0.targets.0=cxl-dcd-host-bridge,cxl-fmw.0.size=1073741824'/>\n"         \
    "    <qemu:arg value='-device'/>\n"                                                            \
    "    <qemu:arg value='pxb-cxl,bus_nr=192,bus=pcie.0,id=cxl-dcd-host-bridge,addr=0x1c'/>\n"     \
    "    <qemu:arg value='-device'/>\n"                                                            \
    "    <qemu:arg "                                                                               \
    "value='cxl-rp,port=0,bus=cxl-dcd-host-bridge,id=a-port,chassis=192,slot=0'/>\n"               \
    "    <qemu:arg value='-object'/>\n"                                                            \
    "    <qemu:arg value='{&quot;qom-type&quot;:&quot;memory-backend-ram&quot;,"                   \
    "&quot;id&quot;:&quot;a-mem&quot;,&quot;size&quot;:1073741824,&quot;reserve&quot;:false}'/>\n" \
    "    <qemu:arg value='-device'/>\n"                                                            \
    "    <qemu:arg "                                                                               \
    "value='cxl-type3,bus=a-port,id=a,volatile-dc-memdev=a-mem,num-dc-regions=1'/>\n"
#define COMMANDLINE(lines) "  <qemu:commandline>\n" lines "  </qemu:commandline>\n"

/* What is stored and shown again is the same text, whatever is next to it. */
static const struct {
    const char *name;
    const char *xml;
} testSame[] = {
    {"alone", DOMAIN("", "", DEVICE("a"), "")},
    {"two", DOMAIN("", "", DEVICE("a") DEVICE("b"), "")},
    {"comments",
     DOMAIN("", "  <!-- cxl-dcd 1 -->\n", "    <!-- 2 -->\n" DEVICE("a"), "  <!-- 3 -->\n")},
    {"comment-in-metadata", DOMAIN("", METADATA("    <!-- cxl-dcd -->\n"), DEVICE("a"), "")},
    {"cdata", DOMAIN("", "  <title><![CDATA[<cxl-dcd>]]></title>\n", DEVICE("a"), "")},
    {"entities", DOMAIN("", "  <title>&lt;cxl-dcd&gt; &#38; &#x26;</title>\n", DEVICE("a"), "")},
    {"metadata", DOMAIN("", METADATA("    <x xmlns='y'/>\n"), DEVICE("a"), "")},
    {"metadata-not-ours",
     DOMAIN("",
            METADATA("    <devices xmlns='urn:cxl-dcd'><cxl-dcd/></devices>\n"),
            DEVICE("a"),
            "")},
    {"commandline", DOMAIN(QEMU, "", DEVICE("a"), COMMANDLINE("    <qemu:arg value='-S'/>\n"))},
    {"commandline-comment", DOMAIN(QEMU, "", DEVICE("a"), COMMANDLINE("    <!-- mine -->\n"))},
    {"commandline-prefix",
     DOMAIN(" xmlns:q='" QEMU_NAMESPACE "'",
            "",
            DEVICE("a"),
            "  <q:commandline>\n    <q:arg value='-S'/>\n  </q:commandline>\n")},
    {"commandline-default-namespace",
     DOMAIN("",
            "",
            DEVICE("a"),
            "  <commandline xmlns='" QEMU_NAMESPACE
            "'>\n    <arg value='-S'/>\n  </commandline>\n")},
    {"commandline-of-another-namespace",
     DOMAIN("", "", DEVICE("a"), "  <commandline xmlns='urn:x'>\n    <arg/>\n  </commandline>\n")},
    {"qemu-namespace-in-metadata",
     DOMAIN(QEMU, METADATA("    <x xmlns='y'>\n      <qemu:z/>\n    </x>\n"), DEVICE("a"), "")},
    {"qemu-namespace-of-an-attribute",
     DOMAIN(QEMU, METADATA("    <x xmlns='y' qemu:z='1'/>\n"), DEVICE("a"), "")},
    {"qemu-namespace-of-a-child",
     DOMAIN(QEMU, "", DEVICE("a"), "  <qemu:capabilities>\n  </qemu:capabilities>\n")},
    {"another-namespace-in-devices",
     DOMAIN("", "", "    <x:cxl-dcd xmlns:x='urn:x'/>\n" DEVICE("a"), "")},
    {"start-of-ours",
     DOMAIN(QEMU,
            "",
            DEVICE("a"),
            COMMANDLINE("    <qemu:arg value='-machine'/>\n    <qemu:arg value='cxl=on'/>\n"))},
};

/* The number of arguments in @doc that libvirt sees: those in its own namespace. */
static guint
testCountArguments(virCxlDcdXMLDoc *doc)
{
    xmlNodePtr commandline = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "commandline");
    xmlNodePtr arg;
    guint n = 0;

    while (commandline && !virCxlDcdXMLHasNamespace(commandline, QEMU_NAMESPACE))
        commandline = virCxlDcdXMLNext(commandline->next, "commandline");
    for (arg = virCxlDcdXMLChild(commandline, "arg"); arg; arg = virCxlDcdXMLNext(arg->next, "arg"))
        n += virCxlDcdXMLHasNamespace(arg, QEMU_NAMESPACE);
    return n;
}

static void
testRunSame(gconstpointer opaque)
{
    const char *xml = opaque;
    g_autofree char *stored = testStore(xml);
    g_autofree char *shown = virCxlDcdTranslateShow(stored);
    g_autoptr(virCxlDcdXMLDoc) before = virCxlDcdXMLParse(xml, "domain");
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(stored, "domain");
    g_autoptr(virCxlDcdDomainDef) def = virCxlDcdDomainDefParse(doc);

    g_assert_cmpstr(shown, ==, xml);
    /* two for the machine, two for the host bridge, six for each device */
    g_assert_cmpuint(testCountArguments(doc),
                     ==,
                     testCountArguments(before) + 4 + 6 * def->devices->len);
}

/* What goes to libvirt is a domain with all our arguments, however the user formatted the
 * existing ones. */
static const struct {
    const char *name;
    const char *xml;
} testSpaced[] = {
    {"metadata-empty", DOMAIN("", "  <metadata/>\n", DEVICE("a"), "")},
    {"metadata-empty-space", DOMAIN("", "  <metadata />\n", DEVICE("a"), "")},
    {"metadata-open-and-closed", DOMAIN("", "<metadata></metadata>", DEVICE("a"), "")},
    {"metadata-one-line", DOMAIN("", "<metadata><x xmlns='y'/></metadata>", DEVICE("a"), "")},
    {"commandline-empty", DOMAIN(QEMU, "", DEVICE("a"), "<qemu:commandline/>")},
    {"commandline-one-line",
     DOMAIN(QEMU, "", DEVICE("a"), "<qemu:commandline><qemu:arg value='-S'/></qemu:commandline>")},
    {"both-forms-one-line",
     DOMAIN(QEMU,
            "<metadata>" STORED(DEVICE("a")) "</metadata>",
            DEVICE("a"),
            "<qemu:commandline>" ARGUMENTS "</qemu:commandline>")},
    {"utf-8", "<?xml version='1.0' encoding='utf-8'?>\n" DOMAIN("", "", DEVICE("a"), "")},
    {"one-line",
     "<domain><name>vm</name><os><type machine='q35'/></os><features><acpi/></features><devices>"
     "<cxl-dcd model='static'><target><size unit='GiB'>1</size></target><alias name='a'/></cxl-dcd>"
     "</devices></domain>"},
    {"carriage-returns",
     "<domain>\r\n<name>vm</name><os><type machine='q35'/></os>\r\n<features><acpi/></features>\r\n"
     "  <devices>\r\n  <cxl-dcd model='static'>\r\n<target><size unit='GiB'>1</size></target>\r\n"
     "  <alias name='a'/></cxl-dcd>\r\n  </devices>\r\n</domain>\r\n"},
};

static guint
testCountText(const char *text, const char *part)
{
    guint n = 0;

    for (; (text = strstr(text, part)); text += strlen(part))
        n++;
    return n;
}

static void
testRunSpaced(gconstpointer opaque)
{
    g_autofree char *stored = testStore(opaque);
    g_autofree char *shown = virCxlDcdTranslateShow(stored);
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(stored, "domain");
    g_autoptr(virCxlDcdDomainDef) def = NULL;

    g_assert_nonnull(doc);
    def = virCxlDcdDomainDefParse(doc);
    g_assert_true(def->stored);
    g_assert_false(def->plain);
    g_assert_cmpuint(def->devices->len, ==, 1);
    g_assert_nonnull(shown);
    g_assert_cmpuint(testCountText(stored, "cxl-type3"), ==, 1);
    g_assert_cmpuint(testCountText(stored, "urn:libvirt-cxl-dcd"), ==, 1);
    g_assert_cmpuint(testCountText(shown, "<cxl-dcd "), ==, 1);
    g_assert_null(strstr(shown, "cxl-type3"));
}

/* A definition with both forms: a user put a <cxl-dcd> into what a stock virsh shows. */
static void
testBothForms(void)
{
    static const char xml[] = DOMAIN(QEMU,
                                     METADATA(STORED(DEVICE("a"))),
                                     DEVICE("b"),
                                     COMMANDLINE("    <qemu:arg value='-S'/>\n" ARGUMENTS));
    static const char expected[] =
        DOMAIN(QEMU, "", DEVICE("b") DEVICE("a"), COMMANDLINE("    <qemu:arg value='-S'/>\n"));
    g_autofree char *shown = testRound(xml);

    g_assert_cmpstr(shown, ==, expected);
    g_assert_null(virCxlDcdTranslateShow(xml));
}

/* If both forms name a device, the plain one is what the user wrote last. */
static void
testBothFormsSameDevice(void)
{
    static const char xml[] = DOMAIN(QEMU,
                                     METADATA(STORED(DEVICE("a"))),
                                     "    <cxl-dcd model='static'><target><size unit='GiB'>2"
                                     "</size></target><alias name='a'/></cxl-dcd>\n",
                                     COMMANDLINE(ARGUMENTS));
    g_autofree char *stored = testStore(xml);

    g_assert_nonnull(strstr(stored, "cxl-fmw.0.size=2147483648"));
    g_assert_null(strstr(stored, "1073741824"));
    g_assert_cmpuint(testCountText(stored, "id=a,"), ==, 1);
}

/* If libvirt's own output has both forms, nothing can be shown. */
static void
testBothFormsShown(void)
{
    g_assert_null(virCxlDcdTranslateShow(
        DOMAIN(QEMU, METADATA(STORED(DEVICE("a"))), DEVICE("a"), COMMANDLINE(ARGUMENTS))));
}

/* A user edited a running domain's stored form: what the next start begins with is kept, and the
 * running domain's records are not mistaken for it. */
static void
testBothFormsRunning(void)
{
    static const char stored_device[] =
        "<cxl-dcd model='static'><target><size unit='GiB'>1</size></target>"
        "<capacity tag='9d1b1a0e-2f57-4cf5-8c5b-0a6c7a4b2f10'><size unit='MiB'>2</size></capacity>"
        "<alias name='a'/></cxl-dcd>";
    g_autofree char *metadata =
        g_strdup_printf("<metadata>"
                        "<m:devices xmlns:m='urn:libvirt-cxl-dcd:domain:1.0' slot='0x1c' "
                        "bus-nr='0xc0'>%s</m:devices>" RECORD(
                            " state='accepted' device='a'") "</metadata>",
                        stored_device);
    static const char template[] =
        DOMAIN(QEMU " id='3'", "  @metadata@\n", DEVICE("b"), COMMANDLINE(ARGUMENTS));
    g_auto(GStrv) parts = g_strsplit(template, "@metadata@", 2);
    g_autofree char *xml = g_strconcat(parts[0], metadata, parts[1], NULL);
    g_autofree char *stored = testStore(xml);

    g_assert_nonnull(strstr(stored, "9d1b1a0e-2f57-4cf5-8c5b-0a6c7a4b2f10"));
    g_assert_null(strstr(stored, TAG));
}

/* Arguments that somebody changed are not recognised: such a domain is shown as it is, and a
 * plain form next to it is refused with advice on what to do. */
static void
testEditedArguments(void)
{
    static const char *const documents[] = {
        DOMAIN(QEMU,
               METADATA(STORED(DEVICE("a"))),
               "",
               COMMANDLINE("    <qemu:arg value='-device'/>\n"
                           "    <qemu:arg value='cxl-type3,bus=a-port,id=a'/>\n")),
        DOMAIN(QEMU, METADATA(STORED(DEVICE("a"))), "", ""),
        DOMAIN(QEMU, METADATA(STORED(DEVICE("z"))), "", COMMANDLINE(ARGUMENTS)),
        DOMAIN(QEMU, METADATA(STORED(DEVICE("a") DEVICE("b"))), "", COMMANDLINE(ARGUMENTS)),
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(documents); i++) {
        g_auto(GStrv) parts = g_strsplit(documents[i], "  <devices>\n", 2);
        g_autofree char *both = g_strjoin("  <devices>\n" DEVICE("new"), parts[0], parts[1], NULL);
        char *stored = NULL;

        g_assert_null(virCxlDcdTranslateShow(documents[i]));
        g_assert_null(virGetLastError());
        g_assert_cmpint(virCxlDcdTranslateStore(documents[i], false, NULL, NULL, &stored), ==, 0);
        g_assert_null(stored);
        g_assert_cmpint(virCxlDcdTranslateStore(both, false, testDecide, NULL, &stored), ==, -1);
        g_assert_null(stored);
        testAssertError(VIR_ERR_XML_ERROR,
                        "XML error: domain 'vm' has a CXL dynamic capacity definition in its "
                        "<metadata> that its <qemu:commandline> does not match: take the element "
                        "in namespace 'urn:libvirt-cxl-dcd:domain:1.0' and the QEMU arguments of "
                        "its devices out");
    }
}

/* A client that may write metadata can write anything into it. None of it may crash the daemon
 * that shows it, nor be hidden. */
static void
testForgedMetadata(void)
{
    static const char *const devices[] = {
        "<cxl-dcd/>",
        "<cxl-dcd model='static'/>",
        "<cxl-dcd model='static'><target><size>1048576</size></target></cxl-dcd>",
        "<cxl-dcd model='static'><target><size>1048576</size><regions>0</regions></target>"
        "<alias name='a'/></cxl-dcd>",
        "<cxl-dcd model='static'><target><size>1</size></target><alias name='a'/></cxl-dcd>",
        "<cxl-dcd model='static'><alias name='a'/></cxl-dcd>",
        "<cxl-dcd model='x'/>",
        "<cxl-dcd><driver name='module' path='x'/><alias name='a'/></cxl-dcd>",
        "",
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(devices); i++) {
        g_autofree char *xml =
            g_strdup_printf("<domain id='1'><name>vm</name><metadata>"
                            "<m:devices xmlns:m='urn:libvirt-cxl-dcd:domain:1.0'>%s</m:devices>"
                            "</metadata><devices/></domain>",
                            devices[i]);

        g_assert_null(virCxlDcdTranslateShow(xml));
        g_assert_null(virGetLastError());
    }
}

static void
testForgedRecords(void)
{
    static const char *const records[] = {
        RECORD(" state='accepted'"),
        RECORD(" state='accepted' device='b'"),
        RECORD(" state='flying' device='a'"),
        RECORD(" state='accepted' device='a' since='yesterday'"),
        "<r:capacity xmlns:r='urn:libvirt-cxl-dcd:capacity:1.0:x' device='a'/>",
        "<r:capacity xmlns:r='urn:libvirt-cxl-dcd:capacity:1.0:x' device='a' tag='x'/>",
    };
    static const char template[] =
        DOMAIN(QEMU " id='3'", METADATA(STORED(DEVICE("a")) "@"), "", COMMANDLINE(ARGUMENTS));
    g_auto(GStrv) parts = g_strsplit(template, "@", 2);
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(records); i++) {
        g_autofree char *xml = g_strconcat(parts[0], records[i], parts[1], NULL);

        g_assert_null(virCxlDcdTranslateShow(xml));
        g_assert_null(virGetLastError());
    }
}

/* The mark of what has been done of a running domain's start is never shown, and does not get
 * into a definition. */
static void
testStartMark(void)
{
    static const char mark[] =
        "    <m:start xmlns:m='urn:libvirt-cxl-dcd:start:1.0'><m:capacity tag='" TAG "'/>"
        "</m:start>\n";
    static const char template[] = DOMAIN(QEMU " id='3'", "@", "", COMMANDLINE(ARGUMENTS));
    g_auto(GStrv) parts = g_strsplit(template, "@", 2);
    g_autofree char *with = g_strconcat(parts[0],
                                        "  <metadata>\n",
                                        STORED(DEVICE("a")),
                                        mark,
                                        "  </metadata>\n",
                                        parts[1],
                                        NULL);
    g_autofree char *without = g_strconcat(parts[0], METADATA(STORED(DEVICE("a"))), parts[1], NULL);
    g_autofree char *plain = virCxlDcdTranslateShow(with);
    g_autofree char *expected = virCxlDcdTranslateShow(without);
    g_autofree char *stored = NULL;

    g_assert_nonnull(plain);
    g_assert_cmpstr(plain, ==, expected);
    g_assert_cmpint(virCxlDcdTranslateStore(with, false, testDecide, NULL, &stored), ==, 0);
    g_assert_cmpstr(stored, ==, without);
}

/* A state given by the user is ignored, and not even a reason for refusal. */
static void
testStateIgnored(void)
{
    static const char device[] =
        "    <cxl-dcd model='static'><target><size unit='GiB'>1</size>"
        "<current unit='parsec'>many</current></target>"
        "<capacity tag='" TAG "' state='flying' since='x'><size unit='MiB'>2</size></capacity>"
        "<alias name='a'/></cxl-dcd>\n";
    static const char *const attributes[] = {"", " id='3'"};
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(attributes); i++) {
        g_autofree char *xml = g_strdup_printf(
            "<domain%s><name>vm</name><os><type machine='q35'/></os><features><acpi/></features>"
            "<devices>%s</devices></domain>",
            attributes[i],
            device);
        g_autofree char *stored = testStore(xml);

        g_assert_null(strstr(stored, "flying"));
        g_assert_null(strstr(stored, "parsec"));
    }
}

/* A capacity that the guest refused, however, is not part of a definition: another may occupy
 * its place. */
static void
testRejectedDropped(void)
{
    static const char other[] = "0f3c9f60-52a4-4a55-a9b4-6bd3a4d2a3c5";
    static const char refused[] = "<capacity tag='" TAG "' state='rejected'><size>2048</size>"
                                  "<offset>0</offset></capacity>";
    static const char taken[] = "<capacity tag='0f3c9f60-52a4-4a55-a9b4-6bd3a4d2a3c5' "
                                "state='accepted'><size>4096</size><offset>0</offset></capacity>";
    static const struct {
        const char *attributes;
        const char *first;
        const char *second;
    } cases[] = {
        {"", refused, taken},
        {"", taken, refused},
        {" id='3'", refused, taken},
        {" id='3'", taken, refused},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf(
            DOMAIN("%s",
                   "",
                   "    <cxl-dcd model='static'><target><size unit='GiB'>1</size></target>%s%s"
                   "<alias name='a'/></cxl-dcd>\n",
                   ""),
            cases[i].attributes,
            cases[i].first,
            cases[i].second);
        g_autofree char *stored = testStore(xml);

        g_assert_null(strstr(stored, TAG));
        g_assert_cmpuint(testCountText(stored, other), ==, 1);
    }
}

/* A capacity without an offset gets one when it is defined, next to those that have one,
 * whatever their order. */
static void
testPlaced(void)
{
    static const char xml[] = DOMAIN("",
                                     "",
                                     "    <cxl-dcd model='static'><target><size unit='GiB'>1</size>"
                                     "</target><capacity><size>2048</size></capacity>"
                                     "<capacity><size>4096</size><offset>0</offset></capacity>"
                                     "<capacity><size>6144</size></capacity>"
                                     "<alias name='a'/></cxl-dcd>\n",
                                     "");
    static const unsigned long long offsets[] = {4096, 0, 6144};
    g_autofree char *stored = testStore(xml);
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(stored, "domain");
    g_autoptr(virCxlDcdDomainDef) def = virCxlDcdDomainDefParse(doc);
    virCxlDcdDef *device = virCxlDcdDomainDefDevice(def, "a");
    size_t i;

    g_assert_cmpuint(device->capacities->len, ==, G_N_ELEMENTS(offsets));
    for (i = 0; i < G_N_ELEMENTS(offsets); i++) {
        virCxlDcdCapacityDef *capacity = g_ptr_array_index(device->capacities, i);

        g_assert_true(capacity->has_offset);
        g_assert_cmpuint(capacity->offset, ==, offsets[i] * 1024);
        g_assert_nonnull(capacity->tag);
    }
}

/* Put a capacity into a definition that is stored already. */
static void
testRedefine(void)
{
    static const char plain[] = DOMAIN("", METADATA("    <x xmlns='y'/>\n"), DEVICE("a"), "");
    g_autofree char *stored = testStore(plain);
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(stored, "domain");
    g_autoptr(virCxlDcdDomainDef) def = virCxlDcdDomainDefParse(doc);
    virCxlDcdDef *device = virCxlDcdDomainDefDevice(def, "a");
    virCxlDcdCapacityDef *capacity = virCxlDcdCapacityDefNew();
    g_autofree char *redefined = NULL;
    g_autofree char *shown = NULL;

    capacity->tag = g_strdup(TAG);
    capacity->size = VIR_CXL_DCD_BLOCK_SIZE;
    g_ptr_array_add(device->capacities, capacity);
    g_assert_cmpint(virCxlDcdTranslateRedefine(stored, def, &redefined), ==, 0);
    shown = virCxlDcdTranslateShow(redefined);
    g_assert_nonnull(strstr(shown,
                            "      <capacity tag='" TAG "' region='0'>\n"
                            "        <size unit='KiB'>2048</size>\n"
                            "      </capacity>\n"));
    g_clear_pointer(&stored, g_free);
    stored = testCut(plain);
    g_clear_pointer(&redefined, g_free);
    redefined = testCut(shown);
    g_assert_cmpstr(redefined, ==, stored);
}

/* XML that does not mention us is not even parsed; XML that does, and cannot be parsed, is
 * refused on its way in and left alone on its way out. */
static void
testMalformed(void)
{
    static const char *const others[] = {
        "",
        "<domain>",
        "<domain><cxl/></x>",
        "<!DOCTYPE a><a/>",
        "<domain><metadata><a:start "
        "xmlns:a='urn:libvirt-cxl&#45;dcd:start:1.0'/></metadata></domain>",
    };
    static const char *const ours[] = {"cxl-dcd",
                                       "<domain><cxl-dcd></x>",
                                       "<!DOCTYPE a><cxl-dcd/>"};
    char *stored = NULL;
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(others); i++) {
        g_assert_cmpint(virCxlDcdTranslateStore(others[i], true, testDecide, NULL, &stored), ==, 0);
        g_assert_null(stored);
        g_assert_null(virCxlDcdTranslateShow(others[i]));
        g_assert_null(virGetLastError());
    }
    for (i = 0; i < G_N_ELEMENTS(ours); i++) {
        g_assert_null(virCxlDcdTranslateShow(ours[i]));
        g_assert_null(virGetLastError());
        g_assert_cmpint(virCxlDcdTranslateStore(ours[i], true, testDecide, NULL, &stored), ==, -1);
        g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_XML_ERROR);
        g_assert_null(stored);
        virResetLastError();
    }
    g_assert_cmpint(virCxlDcdTranslateStore(NULL, true, testDecide, NULL, &stored), ==, 0);
    g_assert_null(virCxlDcdTranslateShow(NULL));
}

/* A document that is not a domain has no devices. */
static void
testOtherDocuments(void)
{
    static const char xml[] =
        "<domainsnapshot>" DOMAIN("", "", DEVICE("a"), "") "</domainsnapshot>";
    char *stored = NULL;

    g_assert_cmpint(virCxlDcdTranslateStore(xml, true, testDecide, NULL, &stored), ==, 0);
    g_assert_null(stored);
    g_assert_null(virCxlDcdTranslateShow(xml));
}

/* The schema is consulted only if the caller wants it, and only for our element. */
static void
testValidate(void)
{
    static const char wrong[] = DOMAIN("",
                                       "  <unknown/>\n",
                                       "    <cxl-dcd model='static'><target><size>1048576</size>"
                                       "</target><colour>red</colour></cxl-dcd>\n",
                                       "");
    static const char right[] = DOMAIN("", "  <unknown/>\n", DEVICE("a"), "");
    char *stored = NULL;

    g_assert_cmpint(virCxlDcdTranslateStore(wrong, false, testDecide, NULL, &stored), ==, 0);
    g_clear_pointer(&stored, g_free);
    g_assert_cmpint(virCxlDcdTranslateStore(right, true, testDecide, NULL, &stored), ==, 0);
    g_clear_pointer(&stored, g_free);
    g_assert_cmpint(virCxlDcdTranslateStore(wrong, true, testDecide, NULL, &stored), ==, -1);
    g_assert_null(stored);
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_XML_INVALID_SCHEMA);
    g_assert_true(g_str_has_prefix(virGetLastErrorMessage(),
                                   "XML document failed to validate against schema: <cxl-dcd> of "
                                   "domain 'vm': "));
    virResetLastError();
}

static int
testRefuse(virCxlDcdXMLDoc *doc G_GNUC_UNUSED, virCxlDcdDef *device, void *opaque)
{
    bool *decided = opaque;

    *decided = virCxlDcdDefIsDecided(device);
    virCxlDcdReportError(VIR_ERR_CONFIG_UNSUPPORTED, "nothing for '%s'", device->alias);
    return -1;
}

/* For each device, QEMU is checked to support it, and a device that does not say what provides
 * its dynamic capacity gets that decided. */
static void
testDecided(void)
{
    static const struct {
        const char *model;
        const char *driver;
        bool decided;
    } cases[] = {
        {"tagged", "", false},
        {"tagged", "<driver name='module'/>", false},
        {"tagged", "<driver name='module' path='/x'/>", true},
        {"tagged", "<driver name='qemu'/>", true},
        {"static", "", true},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *xml = g_strdup_printf(
            "<domain><name>vm</name><os><type machine='q35'/></os><features><acpi/></features>"
            "<devices><cxl-dcd model='%s'>%s<target><size>1048576</size></target></cxl-dcd>"
            "</devices></domain>",
            cases[i].model,
            cases[i].driver);
        g_autofree char *stored = NULL;
        bool decided = !cases[i].decided;

        testCase(xml);
        g_assert_cmpint(virCxlDcdTranslateStore(xml, false, testRefuse, &decided, &stored), ==, -1);
        g_assert_true(decided == cases[i].decided);
        testAssertError(VIR_ERR_CONFIG_UNSUPPORTED,
                        "unsupported configuration: nothing for 'cxl-dcd0'");
    }
}

static void
testHasPlain(void)
{
    g_assert_true(virCxlDcdHasPlain(DOMAIN("", "", DEVICE("a"), "")));
    g_assert_false(
        virCxlDcdHasPlain(DOMAIN(QEMU, METADATA(STORED(DEVICE("a"))), "", COMMANDLINE(ARGUMENTS))));
    g_assert_false(virCxlDcdHasPlain(DOMAIN("", "", "", "")));
    g_assert_false(virCxlDcdHasPlain("<cxl-dcd"));
    g_assert_false(virCxlDcdHasPlain(NULL));
    virResetLastError();
}

static void
testAddData(const char *kind, const char *name, GTestDataFunc function)
{
    g_autofree char *path = g_strconcat("/splice/", kind, "/", name, NULL);

    g_test_add_data_func_full(path, g_strdup(name), function, g_free);
}

int
main(int argc, char **argv)
{
    g_autoptr(GPtrArray) names = NULL;
    size_t i;

    testInit(&argc, &argv);
    names = testListFolder(DATA, ".stored.xml");
    g_assert_cmpuint(names->len, >, 0);
    for (i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);

        testAddData("show", name, testShow);
        testAddData("define-shown", name, testDefineShown);
        testAddData("define-stored", name, testDefineStored);
        testAddData("stock", name, testStock);
        testAddData("nested", name, testNested);
    }
    for (i = 0; i < G_N_ELEMENTS(testSame); i++) {
        g_autofree char *path = g_strconcat("/splice/same/", testSame[i].name, NULL);

        g_test_add_data_func(path, testSame[i].xml, testRunSame);
    }
    for (i = 0; i < G_N_ELEMENTS(testSpaced); i++) {
        g_autofree char *path = g_strconcat("/splice/spaced/", testSpaced[i].name, NULL);

        g_test_add_data_func(path, testSpaced[i].xml, testRunSpaced);
    }
    g_test_add_func("/splice/both-forms", testBothForms);
    g_test_add_func("/splice/both-forms-same-device", testBothFormsSameDevice);
    g_test_add_func("/splice/both-forms-shown", testBothFormsShown);
    g_test_add_func("/splice/both-forms-running", testBothFormsRunning);
    g_test_add_func("/splice/edited-arguments", testEditedArguments);
    g_test_add_func("/splice/forged-metadata", testForgedMetadata);
    g_test_add_func("/splice/forged-records", testForgedRecords);
    g_test_add_func("/splice/start-mark", testStartMark);
    g_test_add_func("/splice/state-ignored", testStateIgnored);
    g_test_add_func("/splice/rejected-dropped", testRejectedDropped);
    g_test_add_func("/splice/placed", testPlaced);
    g_test_add_func("/splice/redefine", testRedefine);
    g_test_add_func("/splice/malformed", testMalformed);
    g_test_add_func("/splice/other-documents", testOtherDocuments);
    g_test_add_func("/splice/validate", testValidate);
    g_test_add_func("/splice/decided", testDecided);
    g_test_add_func("/splice/has-plain", testHasPlain);
    g_test_add_func("/splice/nested-bad", testNestedBad);
    return g_test_run();
}
