/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-virsh-cxl.c: what the commands of virsh-cxl are made of
 *
 * The option grammar, sizes, tables, documents and the search for the stock virsh, each
 * on its own. test-virsh-cxl-commands.c runs whole commands.
 */

#include <gio/gio.h>
#include <glib/gstdio.h>
#include <libxml/parser.h>
#include <locale.h>
#include <string.h>
#include <unistd.h>

#include "cxl_dcd_json.h"
#include "virshcxlmock.h"
#include "vsh-cxl-cmd.h"
#include "vsh-cxl-size.h"
#include "vsh-cxl-stock.h"
#include "vsh-cxl-xml.h"

/* ------------------------------------------------------------------- sizes */

static void
testSizeParse(void)
{
    static const struct {
        const char *text;
        unsigned long long size;
        const char *error; /* its beginning; NULL: none */
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

    /* hidden titles take no room */
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
        {"\xc2\x85", "\\xc2\\x85", 8}, /* a newline, in some places */
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

static const char *const testColors[] = {"red", "blue", NULL};

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
    {.name = "color", .type = VSH_CXL_OPT_STRING, .values = testColors, .help = "red or blue"},
    {0},
};

static const vshCxlCmdDef testCmd = {
    .name = "cmd",
    .help = "do it",
    .desc = "Do it,\nand well.",
    .opts = testOpts,
};

#define ALL "--domain, --extra, --size, --count, --device, --wait, --color"

static void
testOptParse(void)
{
    static const struct {
        const char *words; /* separated by spaces; '' is an empty word */
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
        /* a value is a value whatever it looks like, and one dash does not make an option */
        {"--device --wait vm", NULL, "vm", NULL, 0, 0, "--wait", false},
        {"-x", NULL, "-x", NULL, 0, 0, NULL, false},
        {"-- --wait", NULL, "--wait", NULL, 0, 0, NULL, false},
        {"vm -- --", NULL, "vm", "--", 0, 0, NULL, false},
        /* mistakes */
        {"", "command 'cmd' requires <domain> option", .domain = NULL},
        {"--wait", "command 'cmd' requires <domain> option", .domain = NULL},
        {"vm x y", "unexpected data 'y': command 'cmd' takes " ALL, .domain = NULL},
        {"vm --foo", "command 'cmd' doesn't support option --foo: it takes " ALL, .domain = NULL},
        {"vm --foo=1", "command 'cmd' doesn't support option --foo: it takes " ALL, .domain = NULL},
        {"vm --wai", "command 'cmd' doesn't support option --wai: it takes " ALL, .domain = NULL},
        {"vm --=", "command 'cmd' doesn't support option --: it takes " ALL, .domain = NULL},
        {"vm --wait --wait", "option --wait already seen: give it once", .domain = NULL},
        {"vm --domain vm", "option --domain already seen: give it once", .domain = NULL},
        {"vm --wait=yes", "invalid '=' after option --wait: it takes no value", .domain = NULL},
        {"vm --device",
         "option --device has no value: expected syntax: --device <string>",
         .domain = NULL},
        {"vm --size",
         "option --size has no value: expected syntax: --size <number>",
         .domain = NULL},
        {"''",
         "Failed to get option 'domain': Option argument is empty: expected --domain <string>",
         .domain = NULL},
        {"vm --size=",
         "Failed to get option 'size': Option argument is empty: expected --size <number>",
         .domain = NULL},
        {"vm --count -1",
         "Numeric value '-1' for <count> option is malformed or out of range: expected a number "
         "from 0 to 4294967295",
         .domain = NULL},
        {"vm --count 4294967296",
         "Numeric value '4294967296' for <count> option is malformed or out of range: expected a "
         "number from 0 to 4294967295",
         .domain = NULL},
        {"vm --count 1s",
         "Numeric value '1s' for <count> option is malformed or out of range: expected a number "
         "from 0 to 4294967295",
         .domain = NULL},
        {"vm --size -1",
         "Scaled numeric value '-1' for <size> option is malformed or out of range: a size begins "
         "with a digit",
         .domain = NULL},
        {"vm --color green",
         "Invalid value 'green' for <color> option: expected one of red, blue",
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

static void
testOptChoice(void)
{
    static const struct {
        const char *words;
        int choice;
    } cases[] = {{"vm", -1}, {"vm --color red", 0}, {"vm --color=blue", 1}};
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) words = g_strsplit(cases[i].words, " ", -1);
        g_autoptr(vshCxlArgs) args = vshCxlArgsParse(&testCmd, words, NULL);

        g_assert_nonnull(args);
        g_assert_cmpint(vshCxlArgsChoice(args, "color"), ==, cases[i].choice);
    }
}

/* --help takes precedence over what follows it and what is missing, not over what precedes it */
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
                    " [--device <string>] [--wait] [--color <string>]\n"
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
                    "    --color <string>  red or blue\n"
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
        {"vm --size 2M --pagesize 2M --nodeset 0-1",
         "<cxl-dcd>\n"
         "  <capacity>\n"
         "    <size unit='b'>2097152</size>\n"
         "    <source type='memfd'>\n"
         "      <pagesize unit='b'>2097152</pagesize>\n"
         "      <nodemask>0-1</nodemask>\n"
         "    </source>\n"
         "  </capacity>\n"
         "</cxl-dcd>\n"},
        {"vm --size 2M --path '/a<b>&c' ",
         "<cxl-dcd>\n"
         "  <capacity>\n"
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

/* Whatever a name contains, it stays a single name: a table shows it on one line with every byte
 * visible, and a JSON or XML parser gets it back. */
static void
testNames(void)
{
    static const struct {
        const char *name;
        const char *table;
        const char *document; /* what a JSON or XML parser returns; NULL: the name */
        const char *xml;      /* what an XML parser returns, if different */
    } cases[] = {
        {"vm", "vm", NULL, NULL},
        {"a 'b' \"c\" <d> & e; [f] {g} $h `i` \\j",
         "a 'b' \"c\" <d> & e; [f] {g} $h `i` \\j",
         NULL,
         NULL},
        {" two  spaces ", " two  spaces ", NULL, NULL},
        {"a\nb\tc\rd", "a\\x0ab\\x09c\\x0dd", NULL, NULL},
        {"]]>--><!--", "]]>--><!--", NULL, NULL},
        {"&#10;&amp;", "&#10;&amp;", NULL, NULL},
        {"\xc3\xa9t\xc3\xa9 \xe4\xba\x91", "\xc3\xa9t\xc3\xa9 \xe4\xba\x91", NULL, NULL},
        {"a\xff\xc3z", "a\\xff\\xc3z", "a\xef\xbf\xbd\xef\xbf\xbdz", NULL},
        {"\033[31m\001", "\\x1b[31m\\x01", NULL, "\xef\xbf\xbd[31m\xef\xbf\xbd"},
        {"\xc2\x9b"
         "2Jvm",
         "\\xc2\\x9b2Jvm",
         NULL,
         NULL},
        {"\xef\xbf\xbf", "\\xef\\xbf\\xbf", NULL, "\xef\xbf\xbd"},
    };
    size_t i;

    if (!setlocale(LC_CTYPE, "C.UTF-8")) {
        g_test_skip("no locale C.UTF-8");
        return;
    }
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GPtrArray) devices = g_ptr_array_new();
        vshCxlDomainView view = {.name = (char *)cases[i].name, .devices = devices};
        g_autofree char *cell = vshCxlTableEscape(cases[i].name, NULL);
        g_autofree char *json = vshCxlDomainViewFormatJSON(&view);
        g_autofree char *xml = vshCxlDomainViewFormatXML(&view);
        g_autofree char *message = NULL;
        g_autoptr(virCxlDcdJSON) value = virCxlDcdJSONParse(json, &message);
        const char *document = cases[i].document ? cases[i].document : cases[i].name;
        xmlDocPtr doc = xmlReadMemory(xml, (int)strlen(xml), NULL, NULL, XML_PARSE_NOERROR);
        xmlChar *name;

        g_test_message("name %zu", i);
        g_assert_cmpstr(cell, ==, cases[i].table);
        g_assert_null(strstr(xml, "\xc2\x9b"));
        g_assert_cmpstr(message, ==, NULL);
        g_assert_cmpstr(virCxlDcdJSONMemberString(value, "name"), ==, document);
        g_assert_nonnull(doc);
        name = xmlGetProp(xmlDocGetRootElement(doc), (const xmlChar *)"name");
        g_assert_cmpstr((const char *)name, ==, cases[i].xml ? cases[i].xml : document);
        xmlFree(name);
        xmlFreeDoc(doc);
    }
    setlocale(LC_CTYPE, "C");
}

/* Messages for people cannot move the cursor, and keep their lines. */
static void
testExtra(void)
{
    char *said = NULL;
    size_t length = 0;
    FILE *stream = open_memstream(&said, &length);
    vshCxlControl ctl = {0};

    vshCxlPrintExtra(&ctl,
                     stream,
                     "of domain '%s'\nand another\n",
                     "\xc2\x9b"
                     "2J\033[2J\r");
    ctl.quiet = true;
    vshCxlPrintExtra(&ctl, stream, "nothing\n");
    fclose(stream);
    g_assert_cmpstr(said, ==, "of domain '\\xc2\\x9b2J\\x1b[2J\\x0d'\nand another\n");
    free(said);
}

static void
testGroup(void)
{
    g_autofree char *names = vshCxlCmdFormatNames();
    g_autofree char *group = vshCxlCmdFormatGroup(true);

    g_assert_true(
        g_str_has_prefix(group, " CXL dynamic capacity (help keyword 'cxl-dcd'):\n    cxl-dcd-"));
    g_assert_true(g_str_has_prefix(names, "cxl-dcd-add, cxl-dcd-"));
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

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_assert_cmpint(virInitialize(), ==, 0);

    g_test_add_func("/virsh-cxl/size/parse", testSizeParse);
    g_test_add_func("/virsh-cxl/size/format", testSizeFormat);
    g_test_add_func("/virsh-cxl/table/layout", testTable);
    g_test_add_func("/virsh-cxl/table/escape", testTableEscape);
    g_test_add_func("/virsh-cxl/extra", testExtra);
    g_test_add_func("/virsh-cxl/options/parse", testOptParse);
    g_test_add_func("/virsh-cxl/options/choice", testOptChoice);
    g_test_add_func("/virsh-cxl/options/help-wins", testOptHelp);
    g_test_add_func("/virsh-cxl/options/help-text", testCmdHelp);
    g_test_add_func("/virsh-cxl/xml", testXML);
    g_test_add_func("/virsh-cxl/group", testGroup);
    g_test_add_func("/virsh-cxl/names", testNames);
    g_test_add_func("/virsh-cxl/stock/search", testStockSearch);
    g_test_add_func("/virsh-cxl/stock/preload", testStockPreload);
    return g_test_run();
}
