/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-virsh-cxl.c: the commands of virsh-cxl
 *
 * The option grammar, sizes, tables and documents are tested by themselves; the
 * commands are run whole, on libvirt's test driver and with this file in the place
 * of the library: it notes down each call and answers as the case wants. So no
 * QEMU, no daemon and no guest is needed.
 */

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <libvirt/virterror.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#include "vsh-cxl-cmd.h"
#include "vsh-cxl-size.h"
#include "vsh-cxl-stock.h"
#include "vsh-cxl-xml.h"

#define TAG_A "5be13bce-ae34-4a77-b6c3-16df975fcf1a"
#define TAG_B "8d2e0f6c-0a3a-4c7e-9c43-d1f1f5b0c2aa"
#define MIB (1ULL << 20)
#define GIB (1ULL << 30)

/* ------------------------------------------------- in the library's place */

/* libvirt exports it and declares it nowhere public */
int virSetError(virErrorPtr error);

/* What the library answers, and what it was asked. */
static struct {
    const char *fail; /* the tag, or "add" or "list", whose call fails */
    int wait;         /* what waiting returns; -1: times out, -2: fails otherwise */
    bool empty;       /* the domain's device holds no capacity */
    bool none;        /* the domain has no device */
    int code;         /* the error code of a failing release or list */
    GString *calls;
} mock;

static int
mockFail(int code, const char *message)
{
    virError error = {
        .code = code,
        .domain = VIR_FROM_QEMU,
        .level = VIR_ERR_ERROR,
        .message = (char *)message,
    };

    virSetError(&error);
    return -1;
}

char *
virDomainCxlDcdAdd(virDomainPtr domain, const char *xml, unsigned int flags)
{
    g_string_append_printf(mock.calls, "add %s %.8s %u;", virDomainGetName(domain), xml, flags);
    if (g_strcmp0(mock.fail, "add") == 0) {
        mockFail(VIR_ERR_OPERATION_INVALID, "no room");
        return NULL;
    }
    return g_strdup(TAG_A);
}

int
virDomainCxlDcdRelease(virDomainPtr domain, const char *device, const char *tag, unsigned int flags)
{
    g_string_append_printf(mock.calls,
                           "release %s %s %s %u;",
                           virDomainGetName(domain),
                           device ? device : "-",
                           tag,
                           flags);
    return g_strcmp0(mock.fail, tag) == 0 ? mockFail(mock.code, "not answered") : 0;
}

int
virDomainCxlDcdWait(virDomainPtr domain, const char *tag, long long timeout, unsigned int flags)
{
    (void)domain;
    (void)flags;
    g_string_append_printf(mock.calls, "wait %s %s;", tag, timeout < 0 ? "ever" : "some");
    if (mock.wait == -1)
        return mockFail(VIR_ERR_OPERATION_TIMEOUT, "too slow");
    if (mock.wait == -2)
        return mockFail(VIR_ERR_OPERATION_FAILED, "monitor is gone");
    return mock.wait;
}

int
virDomainCxlDcdListDevices(virDomainPtr domain,
                           virDomainCxlDcdDevicePtr **devices,
                           unsigned int flags)
{
    virDomainCxlDcdDevicePtr device;

    g_string_append_printf(mock.calls, "list %s %u;", virDomainGetName(domain), flags);
    if (g_strcmp0(mock.fail, "list") == 0)
        return mockFail(mock.code, "no answer");

    *devices = g_new0(virDomainCxlDcdDevicePtr, 2);
    if (mock.none)
        return 0;
    device = (*devices)[0] = g_new0(virDomainCxlDcdDevice, 1);
    device->alias = g_strdup("cxl-dcd0");
    device->model = VIR_DOMAIN_CXL_DCD_MODEL_TAGGED;
    device->regions = 2;
    device->size = 4 * GIB;
    if (mock.empty)
        return 1;
    device->accepted = 256 * MIB;
    device->ncapacities = 2;
    device->capacities = g_new0(virDomainCxlDcdCapacity, 2);
    device->capacities[0] = (virDomainCxlDcdCapacity){
        .tag = TAG_A,
        .state = VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED,
        .size = 256 * MIB,
        .since = -1,
        .source = g_strdup("memfd"),
    };
    device->capacities[1] = (virDomainCxlDcdCapacity){
        .tag = TAG_B,
        .state = VIR_DOMAIN_CXL_DCD_STATE_REJECTED,
        .region = 1,
        .offset = 2 * MIB,
        .size = GIB,
        .since = G_MAXINT64, /* a clock ahead of ours */
    };
    return 1;
}

void
virDomainCxlDcdDeviceFree(virDomainCxlDcdDevicePtr device)
{
    size_t i;

    for (i = 0; i < device->ncapacities; i++)
        g_free(device->capacities[i].source);
    g_free(device->capacities);
    g_free(device->alias);
    g_free(device);
}

const char *
virDomainCxlDcdStateToString(int state)
{
    static const char *const names[] = {
        "none",
        "adding",
        "pending",
        "accepted",
        "rejected",
        "releasing",
    };

    return state >= 0 && state < (int)G_N_ELEMENTS(names) ? names[state] : NULL;
}

/* ------------------------------------------------------------------- sizes */

static void
testSizeParse(void)
{
    static const struct {
        const char *text;
        unsigned long long size;
        const char *error; /* how it begins; NULL: none */
    } cases[] = {
        {"0", 0, NULL},
        {"1", 1, NULL},
        {"1b", 1, NULL},
        {"1B", 1, NULL},
        {"7byte", 7, NULL},
        {"7bytes", 7, NULL},
        {"1k", 1024, NULL},
        {"1K", 1024, NULL},
        {"1KiB", 1024, NULL},
        {"1kib", 1024, NULL},
        {"1KB", 1000, NULL},
        {"2M", 2 * MIB, NULL},
        {"2MiB", 2 * MIB, NULL},
        {"2MB", 2000000, NULL},
        {"1G", GIB, NULL},
        {"1GiB", GIB, NULL},
        {"1T", 1024 * GIB, NULL},
        {"1P", 1024 * 1024 * GIB, NULL},
        {"15E", 15ULL << 60, NULL},
        {"18EB", 18000000000000000000ULL, NULL},
        {"18446744073709551615", G_MAXUINT64, NULL},
        {"18446744073709551616", 0, "value too large"},
        {"16E", 0, "value too large"},
        {"99999999999999999999G", 0, "value too large"},
        {"", 0, "a size begins with a digit"},
        {"-5", 0, "a size begins with a digit"},
        {"+5", 0, "a size begins with a digit"},
        {" 5", 0, "a size begins with a digit"},
        {"GiB", 0, "a size begins with a digit"},
        {"5 G", 0, "unknown suffix ' G'"},
        {"5q", 0, "unknown suffix 'q'"},
        {"5Gi", 0, "unknown suffix 'Gi'"},
        {"5GiBs", 0, "unknown suffix 'GiBs'"},
        {"5.5G", 0, "unknown suffix '.5G'"},
        {"0x10", 0, "unknown suffix 'x10'"},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        unsigned long long size = 0;
        int ret = vshCxlSizeParse(cases[i].text, &size, &error);

        g_test_message("size '%s'", cases[i].text);
        g_assert_cmpint(ret, ==, cases[i].error ? -1 : 0);
        g_assert_cmpuint(size, ==, cases[i].size);
        if (cases[i].error)
            g_assert_true(g_str_has_prefix(error->message, cases[i].error));
    }
}

static void
testSizeFormat(void)
{
    static const struct {
        unsigned long long size;
        const char *text;
    } cases[] = {
        {0, "0 B"},
        {1023, "1023 B"},
        {1024, "1 KiB"},
        {2 * MIB, "2 MiB"},
        {3 * GIB / 2, "1536 MiB"},
        {4 * GIB, "4 GiB"},
        {8ULL << 60, "8 EiB"},
        {G_MAXUINT64, "18446744073709551615 B"},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = vshCxlSizeFormat(cases[i].size);

        g_assert_cmpstr(text, ==, cases[i].text);
    }
}

/* ------------------------------------------------------------------ tables */

static void
testTable(void)
{
    g_autoptr(vshCxlTable) table = vshCxlTableNew("Id", "Name", "State", NULL);
    g_autofree char *empty = vshCxlTableFormat(table, true);
    g_autofree char *full = NULL;
    g_autofree char *rows = NULL;

    g_assert_cmpstr(empty, ==, " Id   Name   State\n--------------------\n");

    vshCxlTableAppend(table, "1", "test", "running", NULL);
    vshCxlTableAppend(table, "22", "a\nb\t", "off", NULL);
    full = vshCxlTableFormat(table, true);
    rows = vshCxlTableFormat(table, false);
    g_assert_cmpstr(full,
                    ==,
                    " Id   Name         State\n"
                    "----------------------------\n"
                    " 1    test         running\n"
                    " 22   a\\x0ab\\x09   off\n");
    g_assert_cmpstr(rows,
                    ==,
                    " 1    test         running\n"
                    " 22   a\\x0ab\\x09   off\n");

    /* titles that are not shown take no room */
    vshCxlTableFree(g_steal_pointer(&table));
    table = vshCxlTableNew("Id", "Name", NULL);
    vshCxlTableAppend(table, "1", "vm", NULL);
    g_free(rows);
    rows = vshCxlTableFormat(table, false);
    g_assert_cmpstr(rows, ==, " 1   vm\n");
}

static void
testTableEscape(void)
{
    static const struct {
        const char *text;
        const char *escaped;
        size_t width;
    } cases[] = {
        {"", "", 0},
        {"vm-1", "vm-1", 4},
        {"\033[2J", "\\x1b[2J", 7},
        {"\xff", "\\xff", 4},
        {"a\xc3", "a\\xc3", 5},
        {"\xc3\xa9t\xc3\xa9", "\xc3\xa9t\xc3\xa9", 3},
        {"\xe4\xba\x91", "\xe4\xba\x91", 2},
        {"\xc2\x85", "\\xc2\\x85", 8}, /* a newline, for some */
    };
    size_t i;

    if (!setlocale(LC_CTYPE, "C.UTF-8")) {
        g_test_skip("no locale C.UTF-8");
        return;
    }
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        size_t width;
        g_autofree char *escaped = vshCxlTableEscape(cases[i].text, &width);

        g_assert_cmpstr(escaped, ==, cases[i].escaped);
        g_assert_cmpuint(width, ==, cases[i].width);
    }
    setlocale(LC_CTYPE, "C");
}

/* ----------------------------------------------------------------- options */

static const vshCxlOptDef testOpts[] = {
    {.name = "domain",
     .type = VSH_CXL_OPT_STRING,
     .positional = true,
     .required = true,
     .help = "domain name"},
    {.name = "extra", .type = VSH_CXL_OPT_STRING, .positional = true, .help = "more data"},
    {.name = "size", .type = VSH_CXL_OPT_SIZE, .help = "a size"},
    {.name = "count", .type = VSH_CXL_OPT_INT, .help = "a number"},
    {.name = "device", .type = VSH_CXL_OPT_STRING, .help = "a name"},
    {.name = "wait", .type = VSH_CXL_OPT_BOOL, .help = "a choice"},
    {0},
};

static const vshCxlCmdDef testCmd = {
    .name = "cmd",
    .help = "do it",
    .desc = "Do it,\nand well.",
    .opts = testOpts,
};

static void
testOptParse(void)
{
    static const struct {
        const char *words; /* between spaces; '' is an empty word */
        const char *error; /* NULL: none */
        const char *domain;
        const char *extra;
        unsigned long long size;
        unsigned long long count;
        const char *device;
        bool wait;
    } cases[] = {
        /* any order, any form */
        {"vm", NULL, "vm", NULL, 0, 0, NULL, false},
        {"--domain vm", NULL, "vm", NULL, 0, 0, NULL, false},
        {"--domain=vm", NULL, "vm", NULL, 0, 0, NULL, false},
        {"vm x", NULL, "vm", "x", 0, 0, NULL, false},
        {"--wait vm --size 1k x", NULL, "vm", "x", 1024, 0, NULL, true},
        {"--extra x vm", NULL, "vm", "x", 0, 0, NULL, false},
        {"--size=1k --count 3 --device d vm", NULL, "vm", NULL, 1024, 3, "d", false},
        {"vm --device a=b", NULL, "vm", NULL, 0, 0, "a=b", false},
        {"vm --device=a=b", NULL, "vm", NULL, 0, 0, "a=b", false},
        {"vm --count 4294967295", NULL, "vm", NULL, 0, 4294967295, NULL, false},
        /* a value is a value whatever it looks like, and one dash makes no option */
        {"--device --wait vm", NULL, "vm", NULL, 0, 0, "--wait", false},
        {"-x", NULL, "-x", NULL, 0, 0, NULL, false},
        {"-- --wait", NULL, "--wait", NULL, 0, 0, NULL, false},
        {"vm -- --", NULL, "vm", "--", 0, 0, NULL, false},
        /* mistakes */
        {"", "command 'cmd' requires <domain> option", .domain = NULL},
        {"--wait", "command 'cmd' requires <domain> option", .domain = NULL},
        {"vm x y", "unexpected data 'y'", .domain = NULL},
        {"vm --foo", "command 'cmd' doesn't support option --foo", .domain = NULL},
        {"vm --foo=1", "command 'cmd' doesn't support option --foo", .domain = NULL},
        {"vm --wai", "command 'cmd' doesn't support option --wai", .domain = NULL},
        {"vm --=", "command 'cmd' doesn't support option --", .domain = NULL},
        {"vm --wait --wait", "option --wait already seen", .domain = NULL},
        {"vm --domain vm", "option --domain already seen", .domain = NULL},
        {"vm --wait=yes", "invalid '=' after option --wait", .domain = NULL},
        {"vm --device", "expected syntax: --device <string>", .domain = NULL},
        {"vm --size", "expected syntax: --size <number>", .domain = NULL},
        {"''", "Failed to get option 'domain': Option argument is empty", .domain = NULL},
        {"vm --size=", "Failed to get option 'size': Option argument is empty", .domain = NULL},
        {"vm --count -1",
         "Numeric value '-1' for <count> option is malformed or out of range",
         .domain = NULL},
        {"vm --count 4294967296",
         "Numeric value '4294967296' for <count> option is malformed or out of range",
         .domain = NULL},
        {"vm --count 1s",
         "Numeric value '1s' for <count> option is malformed or out of range",
         .domain = NULL},
        {"vm --size -1",
         "Scaled numeric value '-1' for <size> option is malformed or out of range: a size begins "
         "with a digit",
         .domain = NULL},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) words = NULL;
        g_autoptr(GError) error = NULL;
        g_autoptr(vshCxlArgs) args = NULL;

        g_test_message("words: %s", cases[i].words);
        if (!g_shell_parse_argv(cases[i].words, NULL, &words, NULL))
            words = g_new0(char *, 1);
        args = vshCxlArgsParse(&testCmd, words, &error);
        g_assert_cmpstr(error ? error->message : NULL, ==, cases[i].error);
        if (cases[i].error) {
            g_assert_null(args);
            continue;
        }
        g_assert_false(vshCxlArgsIsHelp(args));
        g_assert_cmpstr(vshCxlArgsString(args, "domain"), ==, cases[i].domain);
        g_assert_cmpstr(vshCxlArgsString(args, "extra"), ==, cases[i].extra);
        g_assert_cmpuint(vshCxlArgsNumber(args, "size"), ==, cases[i].size);
        g_assert_cmpuint(vshCxlArgsNumber(args, "count"), ==, cases[i].count);
        g_assert_cmpstr(vshCxlArgsString(args, "device"), ==, cases[i].device);
        g_assert_cmpint(vshCxlArgsHas(args, "wait"), ==, cases[i].wait);
    }
}

/* --help wins over what follows it and what is missing, not over what precedes it */
static void
testOptHelp(void)
{
    static const struct {
        const char *words;
        bool help;
    } cases[] = {
        {"--help", true},
        {"vm --help --foo", true},
        {"--foo --help", false},
        {"--help=x", false},
        {"vm --device --help", false},
        {"vm -- --help", false},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) words = g_strsplit(cases[i].words, " ", -1);
        g_autoptr(vshCxlArgs) args = vshCxlArgsParse(&testCmd, words, NULL);

        g_test_message("words: %s", cases[i].words);
        g_assert_cmpint(args && vshCxlArgsIsHelp(args), ==, cases[i].help);
    }
}

static void
testCmdHelp(void)
{
    g_autofree char *text = vshCxlCmdFormatHelp(&testCmd);

    g_assert_cmpstr(text,
                    ==,
                    "  NAME\n"
                    "    cmd - do it\n"
                    "\n"
                    "  SYNOPSIS\n"
                    "    cmd <domain> [<extra>] [--size <number>] [--count <number>]"
                    " [--device <string>] [--wait]\n"
                    "\n"
                    "  DESCRIPTION\n"
                    "    Do it,\n"
                    "    and well.\n"
                    "\n"
                    "  OPTIONS\n"
                    "    [--domain] <string>  domain name\n"
                    "    [--extra] <string>  more data\n"
                    "    --size <number>  a size\n"
                    "    --count <number>  a number\n"
                    "    --device <string>  a name\n"
                    "    --wait           a choice\n"
                    "\n");
}

/* --------------------------------------------------------------- documents */

static void
testXML(void)
{
    static const struct {
        const char *words;
        const char *xml;
    } cases[] = {
        {"vm --size 1GiB",
         "<cxl-dcd>\n"
         "  <capacity>\n"
         "    <size unit='b'>1073741824</size>\n"
         "  </capacity>\n"
         "</cxl-dcd>\n"},
        {"vm --size 2M --tag " TAG_A " --device cxl-dcd1 --region 1 --offset 0",
         "<cxl-dcd>\n"
         "  <capacity tag='" TAG_A "' region='1'>\n"
         "    <size unit='b'>2097152</size>\n"
         "    <offset unit='b'>0</offset>\n"
         "  </capacity>\n"
         "  <alias name='cxl-dcd1'/>\n"
         "</cxl-dcd>\n"},
        {"vm --size 2M --source ram --private",
         "<cxl-dcd>\n"
         "  <capacity>\n"
         "    <size unit='b'>2097152</size>\n"
         "    <source type='ram' access='private'/>\n"
         "  </capacity>\n"
         "</cxl-dcd>\n"},
        {"vm --size 2M --shared --prealloc",
         "<cxl-dcd>\n"
         "  <capacity>\n"
         "    <size unit='b'>2097152</size>\n"
         "    <source type='ram' access='shared'>\n"
         "      <preallocate/>\n"
         "    </source>\n"
         "  </capacity>\n"
         "</cxl-dcd>\n"},
        {"vm --size 2M --pagesize 2M --nodemask 0-1",
         "<cxl-dcd>\n"
         "  <capacity>\n"
         "    <size unit='b'>2097152</size>\n"
         "    <source type='memfd'>\n"
         "      <pagesize unit='b'>2097152</pagesize>\n"
         "      <nodemask>0-1</nodemask>\n"
         "    </source>\n"
         "  </capacity>\n"
         "</cxl-dcd>\n"},
        {"vm --size 2M --path '/a<b>&c' --tag \"'><x\"",
         "<cxl-dcd>\n"
         "  <capacity tag='&apos;&gt;&lt;x'>\n"
         "    <size unit='b'>2097152</size>\n"
         "    <source type='file'>\n"
         "      <path>/a&lt;b&gt;&amp;c</path>\n"
         "    </source>\n"
         "  </capacity>\n"
         "</cxl-dcd>\n"},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) words = NULL;
        g_autoptr(vshCxlArgs) args = NULL;
        g_autofree char *xml = NULL;

        g_assert_true(g_shell_parse_argv(cases[i].words, NULL, &words, NULL));
        args = vshCxlArgsParse(&vshCxlCmdAdd, words, NULL);
        g_assert_nonnull(args);
        xml = vshCxlCapacityFormatXML(args);
        g_assert_cmpstr(xml, ==, cases[i].xml);
    }
}

/* ---------------------------------------------------------------- commands */

typedef struct {
    const char *line;  /* the command and its words */
    const char *fail;  /* see mock */
    int wait;          /* see mock */
    int code;          /* see mock */
    bool empty;        /* see mock */
    bool none;         /* see mock */
    bool quiet;        /* --quiet */
    bool readonly;     /* --readonly */
    int ret;           /* what the command returns */
    const char *calls; /* what the library was asked */
    const char *out;   /* standard output */
    const char *err;   /* standard error */
} testCommandCase;

#define DEVICE                                                                                     \
    "Device: cxl-dcd0   Model: tagged   Regions: 2   Size: 4 GiB   Accepted: 256 MiB   "           \
    "Free: 3840 MiB\n"
#define TABLE_A " " TAG_A "   0        0 B      256 MiB   accepted   -       memfd\n"
#define TABLE_B " " TAG_B "   1        2 MiB    1 GiB     rejected   0 s     -\n"
#define TABLE_HEAD                                                                                 \
    " Tag                                    Region   Offset   Size      State      Since   "      \
    "Source\n"                                                                                     \
    "----------------------------------------------------------------------------------------"     \
    "-------\n"
/* the same without titles, which make no column wider */
#define ROW_A " " TAG_A "   0   0 B     256 MiB   accepted   -     memfd\n"
#define ROW_B " " TAG_B "   1   2 MiB   1 GiB     rejected   0 s   -\n"
#define LIST_A " test   cxl-dcd0   " TAG_A "   0   0 B     256 MiB   accepted\n"
#define LIST_B " test   cxl-dcd0   " TAG_B "   1   2 MiB   1 GiB     rejected\n"
#define ACCEPTED VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED

static const testCommandCase testCommandCases[] = {
    /* add: the tag alone is the output, whatever comes of the wait */
    {.line = "cxl-dcd-add test --size 2M",
     .calls = "add test <cxl-dcd 1;",
     .out = TAG_A "\n",
     .err = "Capacity offered to the guest of domain 'test'\n"},
    {.line = "cxl-dcd-add 1 --size 2M",
     .quiet = true,
     .calls = "add test <cxl-dcd 1;",
     .out = TAG_A "\n"},
    {.line = "cxl-dcd-add 6695eb01-f6a4-8304-79aa-97f2502e193f --size 2M",
     .quiet = true,
     .calls = "add test <cxl-dcd 1;",
     .out = TAG_A "\n"},
    {.line = "cxl-dcd-add test --size 2M --wait",
     .wait = ACCEPTED,
     .calls = "add test <cxl-dcd 1;wait " TAG_A " ever;",
     .out = TAG_A "\n",
     .err = "Capacity accepted by the guest of domain 'test'\n"},
    {.line = "cxl-dcd-add test --size 2M --wait --timeout 5",
     .wait = VIR_DOMAIN_CXL_DCD_STATE_REJECTED,
     .ret = -1,
     .calls = "add test <cxl-dcd 1;wait " TAG_A " some;",
     .out = TAG_A "\n",
     .err = "error: Failed to add capacity to domain 'test'\n"
            "error: the guest refused capacity " TAG_A "\n"},
    {.line = "cxl-dcd-add test --size 2M --wait",
     .wait = VIR_DOMAIN_CXL_DCD_STATE_NONE,
     .ret = -1,
     .calls = "add test <cxl-dcd 1;wait " TAG_A " ever;",
     .out = TAG_A "\n",
     .err = "error: Failed to add capacity to domain 'test'\n"
            "error: capacity " TAG_A " was given back meanwhile\n"},
    {.line = "cxl-dcd-add test --size 2M --wait --timeout 1",
     .wait = -1,
     .ret = -1,
     .calls = "add test <cxl-dcd 1;wait " TAG_A " some;",
     .out = TAG_A "\n",
     .err = "error: Capacity " TAG_A " stays offered to the guest of domain 'test'\n"
            "error: too slow\n"},
    {.line = "cxl-dcd-add test --size 2M --wait",
     .wait = -2,
     .ret = -1,
     .calls = "add test <cxl-dcd 1;wait " TAG_A " ever;",
     .out = TAG_A "\n",
     .err = "error: Failed to wait for the answer of domain 'test' to capacity " TAG_A "\n"
            "error: monitor is gone\n"},
    {.line = "cxl-dcd-add test --size 2M",
     .fail = "add",
     .ret = -1,
     .calls = "add test <cxl-dcd 1;",
     .err = "error: Failed to add capacity to domain 'test'\nerror: no room\n"},
    {.line = "cxl-dcd-add test --size 2M --print-xml",
     .out = "<cxl-dcd>\n  <capacity>\n    <size unit='b'>2097152</size>\n  </capacity>\n"
            "</cxl-dcd>\n"},
    {.line = "cxl-dcd-add nosuch --size 2M",
     .ret = -1,
     .err = "error: failed to get domain 'nosuch'\nerror: Domain not found\n"},
    {.line = "cxl-dcd-add test",
     .ret = -1,
     .err = "error: command 'cxl-dcd-add' requires --size or --file option\n"},
    {.line = "cxl-dcd-add test --file x --tag y",
     .ret = -1,
     .err = "error: Options --file and --tag are mutually exclusive\n"},
    {.line = "cxl-dcd-add test --size 1 --shared --private",
     .ret = -1,
     .err = "error: Options --shared and --private are mutually exclusive\n"},
    {.line = "cxl-dcd-add test --size 1 --timeout 1",
     .ret = -1,
     .err = "error: Option --wait is required by option --timeout\n"},
    {.line = "cxl-dcd-add test --size 1 --wait --timeout 0",
     .ret = -1,
     .err = "error: Numeric value '0' for <timeout> option is malformed or out of range\n"},

    /* release */
    {.line = "cxl-dcd-release test --tag " TAG_A,
     .calls = "release test - " TAG_A " 1;",
     .out = "Release of capacity " TAG_A " requested\n"},
    {.line = "cxl-dcd-release test --tag " TAG_A " --device d --wait",
     .calls = "release test d " TAG_A " 1;wait " TAG_A " ever;",
     .out = "Capacity " TAG_A " released\n"},
    {.line = "cxl-dcd-release test --tag " TAG_A " --wait",
     .wait = ACCEPTED,
     .ret = -1,
     .calls = "release test - " TAG_A " 1;wait " TAG_A " ever;",
     .err = "error: Failed to release capacity " TAG_A ": it is now in state 'accepted'\n"},
    {.line = "cxl-dcd-release test --tag " TAG_A " --wait --timeout 1",
     .wait = -1,
     .ret = -1,
     .calls = "release test - " TAG_A " 1;wait " TAG_A " some;",
     .err = "error: Capacity " TAG_A " stays asked back from the guest of domain 'test'\n"
            "error: too slow\n"},
    {.line = "cxl-dcd-release test --all",
     .calls = "list test 1;release test - " TAG_A " 1;release test - " TAG_B " 1;",
     .out = "Release of capacity " TAG_A " requested\nRelease of capacity " TAG_B " requested\n"},
    /* one that fails does not keep the other from being released and waited for */
    {.line = "cxl-dcd-release test --all --wait --device cxl-dcd0",
     .fail = TAG_A,
     .code = VIR_ERR_OPERATION_INVALID,
     .ret = -1,
     .calls = "list test 1;release test cxl-dcd0 " TAG_A " 1;release test cxl-dcd0 " TAG_B
              " 1;wait " TAG_B " ever;",
     .out = "Capacity " TAG_B " released\n",
     .err = "error: Failed to release capacity " TAG_A " of domain 'test'\nerror: not answered\n"},
    /* what the guest gave back after it was listed is no failure; of one tag it is */
    {.line = "cxl-dcd-release test --all --wait",
     .fail = TAG_A,
     .code = VIR_ERR_DEVICE_MISSING,
     .calls = "list test 1;release test - " TAG_A " 1;release test - " TAG_B " 1;wait " TAG_A
              " ever;wait " TAG_B " ever;",
     .out = "Capacity " TAG_A " released\nCapacity " TAG_B " released\n"},
    {.line = "cxl-dcd-release test --tag " TAG_A,
     .fail = TAG_A,
     .code = VIR_ERR_DEVICE_MISSING,
     .ret = -1,
     .calls = "release test - " TAG_A " 1;",
     .err = "error: Failed to release capacity " TAG_A " of domain 'test'\nerror: not answered\n"},
    {.line = "cxl-dcd-release test --all",
     .empty = true,
     .calls = "list test 1;",
     .out = "No capacity to release\n"},
    {.line = "cxl-dcd-release test --all --device other",
     .ret = -1,
     .calls = "list test 1;",
     .err = "error: domain 'test' has no CXL dynamic capacity device 'other'\n"},
    {.line = "cxl-dcd-release test",
     .ret = -1,
     .err = "error: command 'cxl-dcd-release' requires --tag or --all option\n"},
    {.line = "cxl-dcd-release test --all --tag x",
     .ret = -1,
     .err = "error: Options --tag and --all are mutually exclusive\n"},

    /* status: QEMU is asked, unless that is not wanted or not allowed */
    {.line = "cxl-dcd-status test",
     .calls = "list test 1;",
     .out = DEVICE "\n" TABLE_HEAD TABLE_A TABLE_B "\n"},
    {.line = "cxl-dcd-status test --device cxl-dcd0",
     .quiet = true,
     .calls = "list test 1;",
     .out = DEVICE ROW_A ROW_B},
    {.line = "cxl-dcd-status test --no-refresh",
     .quiet = true,
     .calls = "list test 0;",
     .out = DEVICE ROW_A ROW_B},
    {.line = "cxl-dcd-status test",
     .quiet = true,
     .readonly = true,
     .calls = "list test 0;",
     .out = DEVICE ROW_A ROW_B},
    {.line = "cxl-dcd-status test",
     .none = true,
     .ret = -1,
     .calls = "list test 1;",
     .err = "error: domain 'test' has no CXL dynamic capacity device\n"},
    {.line = "cxl-dcd-status test",
     .fail = "list",
     .code = VIR_ERR_OPERATION_FAILED,
     .ret = -1,
     .calls = "list test 1;",
     .err = "error: Failed to get the capacity of domain 'test'\nerror: no answer\n"},

    /* list */
    {.line = "cxl-dcd-list", .quiet = true, .calls = "list test 0;", .out = LIST_A LIST_B},
    {.line = "cxl-dcd-list --state rejected",
     .quiet = true,
     .calls = "list test 0;",
     .out = " test   cxl-dcd0   " TAG_B "   1   2 MiB   1 GiB   rejected\n"},
    {.line = "cxl-dcd-list", .quiet = true, .empty = true, .calls = "list test 0;"},
    {.line = "cxl-dcd-list --all",
     .quiet = true,
     .empty = true,
     .calls = "list test 0;",
     .out = " test   cxl-dcd0   -   -   -   -   -\n"},
    {.line = "cxl-dcd-list",
     .none = true,
     .calls = "list test 0;",
     .out = " Domain   Device   Tag   Region   Offset   Size   State\n"
            "---------------------------------------------------------\n\n"},
    /* a domain that has gone meanwhile or has no device is no error */
    {.line = "cxl-dcd-list",
     .quiet = true,
     .fail = "list",
     .code = VIR_ERR_OPERATION_INVALID,
     .calls = "list test 0;"},
    {.line = "cxl-dcd-list",
     .quiet = true,
     .fail = "list",
     .code = VIR_ERR_NO_DOMAIN,
     .calls = "list test 0;"},
    {.line = "cxl-dcd-list",
     .quiet = true,
     .fail = "list",
     .code = VIR_ERR_XML_ERROR,
     .ret = -1,
     .calls = "list test 0;",
     .err = "error: Failed to get the capacity of domain 'test'\nerror: no answer\n"},
    {.line = "cxl-dcd-list --state here",
     .ret = -1,
     .err = "error: Invalid value 'here' for <state> option: expected adding, pending, accepted, "
            "rejected or releasing\n"},
    {.line = "cxl-dcd-list --all --state pending",
     .ret = -1,
     .err = "error: Options --all and --state are mutually exclusive\n"},
};

static void
testCommand(const void *data)
{
    const testCommandCase *one = data;
    g_auto(GStrv) words = NULL;
    g_autoptr(vshCxlArgs) args = NULL;
    g_autofree char *out = NULL;
    g_autofree char *err = NULL;
    const vshCxlCmdDef *cmd;
    size_t size;
    vshCxlControl ctl = {
        .uri = "test:///default",
        .quiet = one->quiet,
        .readonly = one->readonly,
        .out = open_memstream(&out, &size),
        .err = open_memstream(&err, &size),
    };

    mock.fail = one->fail;
    mock.wait = one->wait;
    mock.empty = one->empty;
    mock.none = one->none;
    mock.code = one->code;
    mock.calls = g_string_new(NULL);

    g_assert_true(g_shell_parse_argv(one->line, NULL, &words, NULL));
    cmd = vshCxlCmdFind(words[0]);
    g_assert_nonnull(cmd);
    args = vshCxlArgsParse(cmd, words + 1, NULL);
    g_assert_nonnull(args);

    g_assert_cmpint(cmd->handler(&ctl, args), ==, one->ret);
    fclose(ctl.out);
    fclose(ctl.err);
    g_assert_cmpstr(mock.calls->str, ==, one->calls ? one->calls : "");
    g_assert_cmpstr(out, ==, one->out ? one->out : "");
    g_assert_cmpstr(err, ==, one->err ? one->err : "");

    g_string_free(mock.calls, TRUE);
    vshCxlDisconnect(&ctl);
}

/* what is in the file goes to the library as it is */
static void
testCommandFile(void)
{
    g_autofree char *file = NULL;
    g_autofree char *line = NULL;
    int fd = g_file_open_tmp("test-virsh-cxl-XXXXXX", &file, NULL);
    testCommandCase one = {
        .quiet = true,
        .calls = "add test <my-file 1;",
        .out = TAG_A "\n",
    };

    g_assert_cmpint(fd, >=, 0);
    close(fd);
    g_assert_true(g_file_set_contents(file, "<my-file/>", -1, NULL));
    one.line = line = g_strdup_printf("cxl-dcd-add test --file %s", file);
    testCommand(&one);
    g_unlink(file);
}

static void
testGroup(void)
{
    g_autofree char *group = vshCxlCmdFormatGroup(true);

    g_assert_true(
        g_str_has_prefix(group, " CXL dynamic capacity (help keyword 'cxl-dcd'):\n    cxl-dcd-"));
    g_assert_null(vshCxlCmdFind("list"));
    g_assert_null(vshCxlCmdFind("cxl-dcd"));
}

/* --------------------------------------------------------- the stock virsh */

static void
testStockSearch(void)
{
    g_autofree char *dir = g_dir_make_tmp("test-virsh-cxl-XXXXXX", NULL);
    g_autofree char *self = g_strdup_printf("%s/virsh-cxl", dir);
    g_autofree char *path = g_strdup_printf("%s/none:%s/a:%s/b:%s/c:%s/d", dir, dir, dir, dir, dir);
    g_autofree char *b = g_strdup_printf("%s/b/virsh", dir);
    g_autofree char *c = g_strdup_printf("%s/c/virsh", dir);
    g_autofree char *d = g_strdup_printf("%s/d/virsh", dir);
    g_autofree char *script = NULL;
    g_autoptr(GError) error = NULL;
    const char *const folders[] = {"a", "b", "c", "d"};
    size_t i;

    /* a: this program; b: not a program; c and d: programs */
    g_assert_true(g_file_set_contents(self, "#!/bin/sh\n", -1, NULL));
    g_chmod(self, 0755);
    for (i = 0; i < G_N_ELEMENTS(folders); i++) {
        g_autofree char *folder = g_build_filename(dir, folders[i], NULL);
        g_autofree char *file = g_build_filename(folder, "virsh", NULL);

        g_assert_cmpint(g_mkdir(folder, 0755), ==, 0);
        if (i == 0) {
            g_assert_cmpint(symlink(self, file), ==, 0);
            continue;
        }
        g_assert_true(g_file_set_contents(file, "#!/bin/sh\n", -1, NULL));
        g_chmod(file, i == 1 ? 0644 : 0755);
    }

    {
        g_autofree char *first = vshCxlStockSearch("virsh", path, NULL, self, NULL);
        g_autofree char *next = vshCxlStockSearch("virsh", path, c, self, NULL);
        g_autofree char *given = vshCxlStockSearch(d, path, c, self, NULL);

        g_assert_cmpstr(first, ==, c);
        g_assert_cmpstr(next, ==, d);
        g_assert_cmpstr(given, ==, d);
        g_assert_null(vshCxlStockSearch("virsh", path, d, self, NULL));
        g_assert_null(vshCxlStockSearch("virsh", "", NULL, self, NULL));
        g_assert_null(vshCxlStockSearch(b, path, NULL, self, NULL));
        g_assert_null(vshCxlStockSearch(self, path, NULL, self, &error));
        g_assert_true(g_str_has_prefix(error->message, "the stock virsh '"));
    }

    script = g_strdup_printf("rm -r '%s'", dir);
    g_assert_true(g_spawn_command_line_sync(script, NULL, NULL, NULL, NULL));
}

static void
testStockPreload(void)
{
    g_autofree char *dir = g_dir_make_tmp("test-virsh-cxl-XXXXXX", NULL);
    g_autofree char *driver = g_build_filename(dir, "driver.so", NULL);
    g_autofree char *spaced = g_build_filename(dir, "a driver.so", NULL);
    g_autofree char *expected = g_strdup_printf("%s:libx.so", driver);
    g_autofree char *alone = NULL;
    g_autofree char *both = NULL;
    g_autoptr(GError) missing = NULL;
    g_autoptr(GError) space = NULL;

    g_assert_null(vshCxlStockPreload(driver, NULL, &missing));
    g_assert_true(g_str_has_prefix(missing->message, "the driver module '"));
    g_assert_null(vshCxlStockPreload(dir, NULL, NULL));

    g_assert_true(g_file_set_contents(driver, "", 0, NULL));
    g_assert_true(g_file_set_contents(spaced, "", 0, NULL));
    alone = vshCxlStockPreload(driver, "", NULL);
    both = vshCxlStockPreload(driver, "libx.so", NULL);
    g_assert_cmpstr(alone, ==, driver);
    g_assert_cmpstr(both, ==, expected);
    g_assert_null(vshCxlStockPreload(spaced, NULL, &space));
    g_assert_true(g_str_has_prefix(space->message, "cannot preload the driver module '"));

    g_unlink(driver);
    g_unlink(spaced);
    g_rmdir(dir);
}

static void
testErrorIgnore(void *data G_GNUC_UNUSED, virErrorPtr error G_GNUC_UNUSED)
{
}

int
main(int argc, char **argv)
{
    size_t i;

    g_test_init(&argc, &argv, NULL);
    virSetErrorFunc(NULL, testErrorIgnore);

    g_test_add_func("/virsh-cxl/size/parse", testSizeParse);
    g_test_add_func("/virsh-cxl/size/format", testSizeFormat);
    g_test_add_func("/virsh-cxl/table/layout", testTable);
    g_test_add_func("/virsh-cxl/table/escape", testTableEscape);
    g_test_add_func("/virsh-cxl/options/parse", testOptParse);
    g_test_add_func("/virsh-cxl/options/help-wins", testOptHelp);
    g_test_add_func("/virsh-cxl/options/help-text", testCmdHelp);
    g_test_add_func("/virsh-cxl/xml", testXML);
    g_test_add_func("/virsh-cxl/group", testGroup);
    g_test_add_func("/virsh-cxl/add-file", testCommandFile);
    g_test_add_func("/virsh-cxl/stock/search", testStockSearch);
    g_test_add_func("/virsh-cxl/stock/preload", testStockPreload);
    for (i = 0; i < G_N_ELEMENTS(testCommandCases); i++) {
        g_autofree char *name =
            g_strdup_printf("/virsh-cxl/command/%02zu %s", i, testCommandCases[i].line);

        g_strdelimit(name + strlen("/virsh-cxl/command/"), "/", '_');
        g_test_add_data_func(name, &testCommandCases[i], testCommand);
    }
    return g_test_run();
}
