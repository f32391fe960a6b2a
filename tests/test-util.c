/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-util.c: sizes and numbers, JSON, and XML with the position of each element
 *
 * The XML comes from anyone who may define a domain, so it matters as much what is
 * refused, and that nothing is fetched, as what is read.
 */

#include <config.h>

#include <libxml/encoding.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cxl_dcd_error.h"
#include "cxl_dcd_json.h"
#include "testutils.h"

/* ----------------------------------------------------------------- numbers */

static const struct {
    const char *text;
    unsigned long long max;
    int ret;
    unsigned long long value;
} testNumbers[] = {
    {"0", 7, 0, 0},
    {"7", 7, 0, 7},
    {"8", 7, -1, 0},
    {"007", 7, 0, 7},
    {"0x7", 7, 0, 7},
    {"0X1f", 255, 0, 31},
    {"18446744073709551615", ULLONG_MAX, 0, ULLONG_MAX},
    {"0xffffffffffffffff", ULLONG_MAX, 0, ULLONG_MAX},
    {"18446744073709551616", ULLONG_MAX, -1, 0},
    {"0x10000000000000000", ULLONG_MAX, -1, 0},
    {"99999999999999999999999", ULLONG_MAX, -1, 0},
    {"-0", 7, -1, 0},
    {"-1", ULLONG_MAX, -1, 0},
    {"+1", 7, -1, 0},
    {" 1", 7, -1, 0},
    {"1 ", 7, -1, 0},
    {"", 7, -1, 0},
    {"0x", 7, -1, 0},
    {"0x-1", 7, -1, 0},
    {"0x 1", 7, -1, 0},
    {"0x0x1", 7, -1, 0},
    {"1.0", 7, -1, 0},
    {"1e3", ULLONG_MAX, -1, 0},
    {"f", 255, -1, 0},
    {"1f", 255, -1, 0},
    {"\xd9\xa1", 7, -1, 0},
};

static void
testRunNumbers(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(testNumbers); i++) {
        unsigned long long value = 0;
        int ret = virCxlDcdParseUnsigned(testNumbers[i].text, testNumbers[i].max, &value);

        testCase(testNumbers[i].text);
        g_assert_cmpint(ret, ==, testNumbers[i].ret);
        if (ret == 0)
            g_assert_cmpuint(value, ==, testNumbers[i].value);
    }
    g_assert_null(virGetLastError());
}

static unsigned long long
testPower(unsigned long long base, unsigned int n)
{
    unsigned long long value = 1;

    while (n--)
        value *= base;
    return value;
}

/* @base ^ @power bytes are one of any of @units. */
static void
testUnits(void)
{
    static const struct {
        const char *units; /* separated by spaces */
        unsigned int base;
        unsigned int power;
    } cases[] = {
        {"b B byte bytes Bytes BYTES", 1, 1},
        {"k K KiB kib KIB", 1024, 1},
        {"KB kB kb", 1000, 1},
        {"M m MiB mib", 1024, 2},
        {"MB mb", 1000, 2},
        {"G g GiB gib", 1024, 3},
        {"GB gb", 1000, 3},
        {"T t TiB tib", 1024, 4},
        {"TB tb", 1000, 4},
        {"P p PiB pib", 1024, 5},
        {"PB pb", 1000, 5},
        {"E e EiB eib", 1024, 6},
        {"EB eb", 1000, 6},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_auto(GStrv) units = g_strsplit(cases[i].units, " ", -1);
        char **unit;

        for (unit = units; *unit; unit++) {
            g_autofree char *xml = g_strdup_printf("<size unit='%s'>3</size>", *unit);
            g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(xml, "size");
            unsigned long long size = 0;

            testCase(*unit);
            g_assert_cmpint(virCxlDcdXMLSize(virCxlDcdXMLRoot(doc), &size), ==, 0);
            g_assert_cmpuint(size, ==, 3 * testPower(cases[i].base, cases[i].power));
        }
    }
}

static const struct {
    const char *xml;
    const char *message; /* NULL: it is valid */
    unsigned long long size;
} testSizes[] = {
    {"<size>2048</size>", NULL, 2ULL << 20},
    {"<size> \n 2048\t</size>", NULL, 2ULL << 20},
    {"<size unit='b'>0x10</size>", NULL, 16},
    {"<size unit='GiB'>0</size>", NULL, 0},
    {"<size unit='b'>18446744073709551615</size>", NULL, ULLONG_MAX},
    {"<size unit='EiB'>15</size>", NULL, 15ULL << 60},
    {"<size>18014398509481983</size>", NULL, ULLONG_MAX - 1023},
    {"<size unit='EiB'>16</size>",
     "XML error: value '16' EiB of <size> is too large: it must be less than 16 EiB",
     0},
    {"<size>18014398509481984</size>",
     "XML error: value '18014398509481984' KiB of <size> is too large: it must be less than 16 EiB",
     0},
    {"<size unit='b'>18446744073709551616</size>",
     "XML error: invalid value '18446744073709551616' for element <size>: expected a number from "
     "0 to 18446744073709551615",
     0},
    {"<size>-1</size>",
     "XML error: invalid value '-1' for element <size>: expected a number from 0 to "
     "18446744073709551615",
     0},
    {"<size/>",
     "XML error: invalid value '' for element <size>: expected a number from 0 to "
     "18446744073709551615",
     0},
    {"<offset>1G</offset>",
     "XML error: invalid value '1G' for element <offset>: expected a number from 0 to "
     "18446744073709551615",
     0},
    {"<size unit=''>1</size>",
     "XML error: unknown unit '' in <size>: expected b, KiB, MiB, GiB, TiB, PiB, EiB or KB, MB, "
     "...",
     0},
    {"<size unit='Ki'>1</size>",
     "XML error: unknown unit 'Ki' in <size>: expected b, KiB, MiB, GiB, TiB, PiB, EiB or KB, MB, "
     "...",
     0},
    {"<size unit='KiBs'>1</size>",
     "XML error: unknown unit 'KiBs' in <size>: expected b, KiB, MiB, GiB, TiB, PiB, EiB or KB, "
     "MB, ...",
     0},
    {"<size unit='ZiB'>1</size>",
     "XML error: unknown unit 'ZiB' in <size>: expected b, KiB, MiB, GiB, TiB, PiB, EiB or KB, MB, "
     "...",
     0},
    {"<size unit='bib'>1</size>",
     "XML error: unknown unit 'bib' in <size>: expected b, KiB, MiB, GiB, TiB, PiB, EiB or KB, MB, "
     "...",
     0},
};

static void
testRunSizes(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(testSizes); i++) {
        g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(testSizes[i].xml, "size");
        unsigned long long size = 42;
        int ret = virCxlDcdXMLSize(virCxlDcdXMLRoot(doc), &size);

        testCase(testSizes[i].xml);
        g_assert_cmpint(ret, ==, testSizes[i].message ? -1 : 0);
        if (testSizes[i].message)
            testAssertError(VIR_ERR_XML_ERROR, testSizes[i].message);
        else
            g_assert_cmpuint(size, ==, testSizes[i].size);
    }
}

/* -------------------------------------------------------------------- JSON */

static void
testJSONWrite(void)
{
    g_autoptr(virCxlDcdJSONWriter) writer = virCxlDcdJSONWriterNew();
    g_autofree char *text = NULL;

    virCxlDcdJSONBeginObject(writer, NULL);
    virCxlDcdJSONAddString(writer, "text", "a \"b\" \\ / \n\t\x01 <&> \xc3\xa9");
    virCxlDcdJSONAddString(writer, "na\"me", "");
    virCxlDcdJSONAddUnsigned(writer, "zero", 0);
    virCxlDcdJSONAddUnsigned(writer, "most", ULLONG_MAX);
    virCxlDcdJSONAddBoolean(writer, "yes", true);
    virCxlDcdJSONAddBoolean(writer, "no", false);
    virCxlDcdJSONBeginArray(writer, "array");
    virCxlDcdJSONAddUnsigned(writer, NULL, 1);
    virCxlDcdJSONAddString(writer, NULL, "2");
    virCxlDcdJSONBeginObject(writer, NULL);
    virCxlDcdJSONEndObject(writer);
    virCxlDcdJSONBeginArray(writer, NULL);
    virCxlDcdJSONEndArray(writer);
    virCxlDcdJSONEndArray(writer);
    virCxlDcdJSONBeginObject(writer, "object");
    virCxlDcdJSONEndObject(writer);
    virCxlDcdJSONEndObject(writer);
    text = virCxlDcdJSONFinish(writer);
    g_assert_cmpstr(text,
                    ==,
                    "{\"text\":\"a \\\"b\\\" \\\\ / \\n\\t\\u0001 <&> \xc3\xa9\",\"na\\\"me\":\"\","
                    "\"zero\":0,\"most\":18446744073709551615,\"yes\":true,\"no\":false,"
                    "\"array\":[1,\"2\",{},[]],\"object\":{}}");
}

static void
testJSONRead(void)
{
    static const char text[] = "{\"s\": \"a\\u00e9\\\"\\\\\\/\\n\", \"n\": 18446744073709551615, "
                               "\"neg\": -1, \"real\": 1.5, \"big\": 18446744073709551616, "
                               "\"null\": null, \"yes\": true, \"a\": [{\"x\": 1}, [], \"e\"], "
                               "\"\": \"empty\", \"text\": \"5\"}";
    g_autofree char *message = NULL;
    g_autoptr(virCxlDcdJSON) value = virCxlDcdJSONParse(text, &message);
    virCxlDcdJSON *array = virCxlDcdJSONMember(value, "a");
    unsigned long long number = 0;

    g_assert_nonnull(value);
    g_assert_null(message);
    g_assert_cmpstr(virCxlDcdJSONMemberString(value, "s"), ==, "a\xc3\xa9\"\\/\n");
    g_assert_cmpstr(virCxlDcdJSONMemberString(value, ""), ==, "empty");
    g_assert_null(virCxlDcdJSONMemberString(value, "n"));
    g_assert_null(virCxlDcdJSONMemberString(value, "null"));
    g_assert_null(virCxlDcdJSONMemberString(value, "absent"));
    g_assert_true(virCxlDcdJSONMemberUnsigned(value, "n", &number));
    g_assert_cmpuint(number, ==, ULLONG_MAX);
    g_assert_false(virCxlDcdJSONMemberUnsigned(value, "neg", &number));
    g_assert_false(virCxlDcdJSONMemberUnsigned(value, "real", &number));
    g_assert_false(virCxlDcdJSONMemberUnsigned(value, "big", &number));
    g_assert_false(virCxlDcdJSONMemberUnsigned(value, "text", &number));
    g_assert_false(virCxlDcdJSONMemberUnsigned(value, "yes", &number));
    g_assert_false(virCxlDcdJSONMemberUnsigned(value, "absent", &number));
    g_assert_nonnull(virCxlDcdJSONMember(value, "null"));
    g_assert_cmpuint(virCxlDcdJSONLength(array), ==, 3);
    g_assert_true(virCxlDcdJSONMemberUnsigned(virCxlDcdJSONElement(array, 0), "x", &number));
    g_assert_cmpuint(number, ==, 1);
    g_assert_cmpuint(virCxlDcdJSONLength(virCxlDcdJSONElement(array, 1)), ==, 0);
    g_assert_null(virCxlDcdJSONMember(virCxlDcdJSONElement(array, 2), "x"));
    g_assert_cmpuint(virCxlDcdJSONLength(value), ==, 0);
    g_assert_cmpuint(virCxlDcdJSONLength(NULL), ==, 0);
    g_assert_null(virCxlDcdJSONMember(NULL, "x"));
    g_assert_null(virCxlDcdJSONMemberString(NULL, "x"));
}

static void
testJSONBroken(void)
{
    static const char *const texts[] = {
        "",
        " ",
        "{",
        "}",
        "{\"a\"}",
        "{\"a\": 1,}",
        "[1 2]",
        "nul",
        "\"a",
        "\"\\x\"",
        "\"\xff\"",
        "{} {}",
        "01",
        "{'a': 1}",
        "hello",
        "/* a comment */ 1",
        "{\"return\": {}}\n{\"event\": \"x\"}",
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autofree char *message = NULL;
        g_autoptr(virCxlDcdJSON) value = virCxlDcdJSONParse(texts[i], &message);

        testCase(texts[i]);
        g_assert_null(value);
        g_assert_nonnull(message);
        g_assert_cmpstr(message, !=, "");
        g_assert_null(strchr(message, '\n'));
    }
}

/* @before once and then @inside many times, as deep as requested. */
static char *
testNested(const char *before, const char *inside, size_t depth)
{
    g_autoptr(GString) text = g_string_new(before);
    size_t i;

    for (i = 0; i < depth; i++)
        g_string_append(text, inside);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

#define TOO_DEEP "arrays and objects are nested more than 100 deep"
#define NO_COMMENT "lexical error: probable comment found in input text, comments are not enabled."

/* Nesting has a limit, however the text continues. Brackets in strings do not count, nor do
 * closed ones; a comment, which is not JSON, does not hide what follows it. */
static void
testJSONDeep(void)
{
    static const struct {
        const char *before;
        const char *inside;
        size_t depth;
        const char *message;
    } cases[] = {
        {"", "[", 101, TOO_DEEP},
        {"", "[", 3000000, TOO_DEEP},
        {"", "{\"a\":", 3000000, TOO_DEEP},
        {"", "[{\"a\":", 51, TOO_DEEP},
        {"[\"\\\"\",", "[", 3000000, TOO_DEEP},
        {"/*\"*/", "[", 3000000, NO_COMMENT},
        {"//\"\n", "[", 3000000, NO_COMMENT},
    };
    g_autofree char *many = testNested("", "[", 3000000);
    g_autofree char *deepest = testNested(many, "]", 3000000);
    g_autofree char *open = testNested("", "[", 100);
    g_autofree char *deep = testNested(open, "]", 100);
    g_autofree char *brackets = testNested("[\"", "[{", 1000);
    g_autofree char *text = g_strconcat(brackets, "\"]", NULL);
    g_autofree char *pairs = testNested("[0", ",[],{}", 1000);
    g_autofree char *wide = g_strconcat(pairs, "]", NULL);
    const char *const good[] = {deep, text, wide};
    g_autofree char *complaint = NULL;
    size_t i;

    g_assert_null(virCxlDcdJSONParse(deepest, &complaint));
    g_assert_cmpstr(complaint, ==, TOO_DEEP);
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *bad = testNested(cases[i].before, cases[i].inside, cases[i].depth);
        g_autofree char *message = NULL;

        testCase(bad);
        g_assert_null(virCxlDcdJSONParse(bad, &message));
        g_assert_cmpstr(message, ==, cases[i].message);
    }
    for (i = 0; i < G_N_ELEMENTS(good); i++) {
        g_autofree char *message = NULL;
        g_autoptr(virCxlDcdJSON) value = virCxlDcdJSONParse(good[i], &message);

        testCase(good[i]);
        g_assert_cmpstr(message, ==, NULL);
        g_assert_nonnull(value);
    }
}

/* --------------------------------------------------- XML: places in the text */

static const struct {
    const char *name;
    const char *text; /* the element called "x" is from { to }, its start tag ends at | */
} testSpans[] = {
    {"root", "{<x>|</x>}"},
    {"empty-tag", "<a>{<x/>|}</a>"},
    {"empty-tag-space", "<a>{<x  />|}</a>"},
    {"nested", "<a><b>{<x>|<c/><d>e</d></x>}</b></a>"},
    {"end-tag-space", "<a>{<x >|</x  >}</a>"},
    {"attribute-with-greater", "<a>{<x b='>' c=\"/>\">|</x>}</a>"},
    {"attribute-with-greater-empty", "<a>{<x b='/>'/>|}</a>"},
    {"attributes-on-lines", "<a>\n  {<x\n  b='1'\n  c='2'\n  >|\n</x>}\n</a>"},
    {"attribute-with-references", "<a>{<x b='&lt;&#60;&#x3c;&amp;'>|</x>}</a>"},
    {"comment-before", "<a><!-- <x> --> {<x>|</x>}</a>"},
    {"comment-inside", "<a>{<x>|<!-- </x> > --></x>}</a>"},
    {"cdata-before", "<a><![CDATA[<x></x>]]>{<x>|</x>}</a>"},
    {"cdata-inside", "<a>{<x>|<![CDATA[</x>]]></x>}</a>"},
    {"instruction", "<?xml version='1.0'?><?p <x> ?><a>{<x>|<?p </x> ?></x>}</a>"},
    {"text-around", "<a>b ]]&gt; > {<x>|c > d</x>} e</a>"},
    {"namespace", "<a xmlns:n='urn:n'>{<n:x n:b='1'>|</n:x>}</a>"},
    {"namespace-declared-on-it", "<a>{<n:x xmlns:n='urn:>'/>|}</a>"},
    {"utf-8-before", "<a b='\xc3\xa9'>\xe2\x82\xac\xf0\x9f\x98\x80{<x>|</x>}</a>"},
    {"utf-8-inside", "<a>{<x b='\xc3\xa9'>|\xe2\x82\xac</x>}</a>"},
    {"utf-8-declared", "<?xml version='1.0' encoding='UTF-8'?><a>\xc3\xa9{<x>|</x>}</a>"},
    {"utf-8-declared-small", "<?xml version='1.0' encoding='utf-8'?><a>\xc3\xa9{<x>|</x>}</a>"},
    {"byte-order-mark", "\xef\xbb\xbf<a>\xc3\xa9{<x>|</x>}</a>"},
    {"carriage-returns", "<a>\r\n\r\n{<x\r\nb='1'>|\r\n</x>}\r\n</a>"},
    {"same-name-inside", "{<x>|<b><b/></b></x>}"},
};

static xmlNodePtr
testFind(xmlNodePtr node, const char *name)
{
    xmlNodePtr child;
    xmlNodePtr found;

    if (virCxlDcdXMLIsElement(node, name))
        return node;
    for (child = virCxlDcdXMLChild(node, NULL); child;
         child = virCxlDcdXMLNext(child->next, NULL)) {
        if ((found = testFind(child, name)))
            return found;
    }
    return NULL;
}

/* Remove the first @mark from @text and return its position. */
static size_t
testTakeMark(GString *text, char mark)
{
    const char *at = strchr(text->str, mark);
    size_t place = at - text->str;

    g_string_erase(text, place, 1);
    return place;
}

static void
testRunSpan(gconstpointer opaque)
{
    g_autoptr(GString) text = g_string_new(opaque);
    size_t start = testTakeMark(text, '{');
    size_t start_tag_end = testTakeMark(text, '|');
    size_t end = testTakeMark(text, '}');
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(text->str, "test");
    const virCxlDcdXMLSpan *span;

    g_assert_nonnull(doc);
    g_assert_cmpstr(doc->text, ==, text->str);
    span = virCxlDcdXMLGetSpan(doc, testFind(virCxlDcdXMLRoot(doc), "x"));
    g_assert_nonnull(span);
    g_assert_cmpuint(span->start, ==, start);
    g_assert_cmpuint(span->start_tag_end, ==, start_tag_end);
    g_assert_cmpuint(span->end, ==, end);
}

/* Every element of a long document is at the position that the text shows. */
static void
testSpansLarge(void)
{
    g_autoptr(GString) text = g_string_new("<a>");
    g_autofree char *filling = g_strnfill(300, 'z');
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    xmlNodePtr node;
    size_t i;

    for (i = 0; i < 5000; i++)
        g_string_append_printf(text, "\n  <e n='%zu>'>\xc3\xa9%s<f/></e>", i, filling);
    g_string_append(text, "</a>");
    g_assert_cmpuint(text->len, >, 1 << 20);
    doc = virCxlDcdXMLParse(text->str, "test");
    g_assert_nonnull(doc);
    for (node = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "e"), i = 0; node;
         node = virCxlDcdXMLNext(node->next, "e"), i++) {
        const virCxlDcdXMLSpan *span = virCxlDcdXMLGetSpan(doc, node);
        g_autofree char *expected = g_strdup_printf("<e n='%zu>'>", i);

        g_assert_cmpint(strncmp(text->str + span->start, expected, strlen(expected)), ==, 0);
        g_assert_cmpuint(span->start_tag_end, ==, span->start + strlen(expected));
        g_assert_cmpint(strncmp(text->str + span->end - 4, "</e>", 4), ==, 0);
        g_assert_cmpuint(span->end - span->start, <, 400);
    }
    g_assert_cmpuint(i, ==, 5000);
}

/* Text in another encoding is converted to UTF-8, and positions refer to the result. */
static void
testEncodings(void)
{
    static const char *const texts[] = {
        "<?xml version='1.0' encoding='ISO-8859-1'?>\n<a b='\xe9'>\xe9\xe9<x>\xe9</x></a>",
        "<?xml version='1.0' encoding='windows-1252'?>\n<a b='\xe9'>\xe9\xe9<x>\xe9</x></a>",
        "<?xml version='1.0' encoding='US-ASCII'?>\n<a b='&#xe9;'>&#xe9;&#233;<x>&#xe9;</x></a>",
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(texts); i++) {
        g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(texts[i], "test");
        const virCxlDcdXMLSpan *span;
        g_autofree char *part = NULL;

        g_assert_nonnull(doc);
        g_assert_true(g_utf8_validate(doc->text, -1, NULL));
        span = virCxlDcdXMLGetSpan(doc, testFind(virCxlDcdXMLRoot(doc), "x"));
        part = g_strndup(doc->text + span->start, span->end - span->start);
        g_assert_cmpstr(part, ==, "<x>\xc3\xa9</x>");
    }
}

static size_t testConverted; /* bytes, from and to the encoding of testCost() */

static int
testConvert(unsigned char *out, int *outlen, const unsigned char *in, int *inlen)
{
    *inlen = *outlen = MIN(*inlen, *outlen);
    memcpy(out, in, *inlen);
    testConverted += *inlen;
    return *inlen;
}

/* The work for text in another encoding is proportional to its length, however many elements it
 * has. The work is counted, not timed: the encoding is the test's own. */
static void
testCost(void)
{
    g_autoptr(GString) text = g_string_new("<?xml version='1.0' encoding='X-COUNTED'?>\n<a>");
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    const virCxlDcdXMLSpan *span;
    size_t i;

    g_assert_nonnull(xmlNewCharEncodingHandler("X-COUNTED", testConvert, testConvert));
    for (i = 0; i < 64000; i++)
        g_string_append(text, "<b/>");
    g_string_append(text, "<x/></a>");
    doc = virCxlDcdXMLParse(text->str, "test");
    g_assert_nonnull(doc);
    g_assert_cmpuint(testConverted, >=, 64000 * strlen("<b/>"));
    g_assert_cmpuint(testConverted, <, 2 * text->len);
    span = virCxlDcdXMLGetSpan(doc, testFind(virCxlDcdXMLRoot(doc), "x"));
    g_assert_nonnull(span);
    g_assert_true(g_str_has_prefix(doc->text + span->start, "<x/></a>"));
}

/* ------------------------------------------------------- XML: what is refused */

#define NOT_WELL_FORMED "XML error: the test XML is not well-formed: "

static const struct {
    const char *text;
    const char *message;
} testMalformed[] = {
    {NULL, NOT_WELL_FORMED "line 0: the document is empty"},
    {"", NOT_WELL_FORMED "line 0: the document is empty"},
    {"<a>", NOT_WELL_FORMED "line 1: Premature end of data in tag a line 1"},
    {"<a>\n<b>\n</a>", NOT_WELL_FORMED "line 3: Opening and ending tag mismatch: b line 2 and a"},
    {"<a>\n\n<b c=1/></a>", NOT_WELL_FORMED "line 3: AttValue: \" or ' expected"},
    {"<a>\n<b c='1' c='2'/></a>", NOT_WELL_FORMED "line 2: Attribute c redefined"},
    {"<a>&size;</a>", NOT_WELL_FORMED "line 1: Entity 'size' not defined"},
    {"<a/>\n<b/>", NOT_WELL_FORMED "line 2: Extra content at the end of the document"},
    {"text", NOT_WELL_FORMED "line 1: Start tag expected, '<' not found"},
    {"\n<a>\n\xff</a>", NULL},
    {"<a>\x01</a>", NULL},
};

static void
testRunMalformed(void)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(testMalformed); i++) {
        g_assert_null(virCxlDcdXMLParse(testMalformed[i].text, "test"));
        g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_XML_ERROR);
        if (testMalformed[i].message)
            g_assert_cmpstr(virGetLastErrorMessage(), ==, testMalformed[i].message);
        else
            g_assert_true(g_str_has_prefix(virGetLastErrorMessage(), NOT_WELL_FORMED "line "));
        virResetLastError();
    }
}

/* Elements nested too deeply are an error, not a crash. */
static void
testTooDeep(void)
{
    g_autoptr(GString) text = g_string_new(NULL);
    size_t i;

    for (i = 0; i < 100000; i++)
        g_string_append(text, "<a>");
    g_assert_null(virCxlDcdXMLParse(text->str, "test"));
    g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_XML_ERROR);
    virResetLastError();
}

/* A document type declaration is refused before anything that it declares is read, defined or
 * fetched: @path is a pipe, and opening it would block forever. */
static void
testDoctype(void)
{
    static const char *const declarations[] = {
        "<!DOCTYPE a>",
        "<!DOCTYPE a SYSTEM 'file://@'>",
        "<!DOCTYPE a PUBLIC '-//x' 'file://@'>",
        "<!DOCTYPE a [<!ENTITY b SYSTEM 'file://@'>]>",
        "<!DOCTYPE a [<!ENTITY % b SYSTEM 'file://@'> %b;]>",
        "<!DOCTYPE a [<!ENTITY b '1'>]>",
        "<!DOCTYPE a [<!ENTITY c 'cccccccccc'><!ENTITY d '&c;&c;&c;&c;&c;&c;&c;&c;&c;&c;'>"
        "<!ENTITY e '&d;&d;&d;&d;&d;&d;&d;&d;&d;&d;'><!ENTITY f '&e;&e;&e;&e;&e;&e;&e;&e;&e;&e;'>"
        "<!ENTITY g '&f;&f;&f;&f;&f;&f;&f;&f;&f;&f;'><!ENTITY h '&g;&g;&g;&g;&g;&g;&g;&g;&g;&g;'>"
        "<!ENTITY i '&h;&h;&h;&h;&h;&h;&h;&h;&h;&h;'><!ENTITY b "
        "'&i;&i;&i;&i;&i;&i;&i;&i;&i;&i;'>]>",
        "<!DOCTYPE a [<!ENTITY b '&b;'>]>",
        "<!DOCTYPE a [<!ATTLIST a x CDATA 'y'>]>",
        "<!DOCTYPE a [<!-- not closed",
    };
    g_autofree char *folder = g_dir_make_tmp("test-util.XXXXXX", NULL);
    g_autofree char *path = g_build_filename(folder, "pipe", NULL);
    size_t i;

    g_assert_nonnull(folder);
    g_assert_cmpint(mkfifo(path, 0600), ==, 0);
    for (i = 0; i < G_N_ELEMENTS(declarations); i++) {
        g_auto(GStrv) parts = g_strsplit(declarations[i], "@", -1);
        g_autofree char *declaration = g_strjoinv(path, parts);
        g_autofree char *text = g_strconcat(declaration, "<a>&b;</a>", NULL);

        g_assert_null(virCxlDcdXMLParse(text, "test"));
        testAssertError(VIR_ERR_XML_ERROR,
                        "XML error: the test XML has a document type declaration, which is not "
                        "accepted together with <cxl-dcd>");
    }
    unlink(path);
    rmdir(folder);
}

/* An undeclared namespace does not make a document unreadable. */
static void
testUndeclaredNamespace(void)
{
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse("<a><n:b/><n:c/></a>", "test");

    g_assert_nonnull(doc);
    g_assert_nonnull(virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), NULL));
}

/* ------------------------------------------------------------ XML: reading it */

static void
testRead(void)
{
    static const char text[] =
        "<a xmlns:n='urn:n' b='1 &lt; 2' n:b='3' empty=''>text<!-- c --><b> x <c>y</c>&amp; </b>"
        "<n:b/><c/></a>";
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(text, "test");
    xmlNodePtr root = virCxlDcdXMLRoot(doc);
    xmlNodePtr first = virCxlDcdXMLChild(root, "b");
    xmlNodePtr second = virCxlDcdXMLNext(first->next, "b");
    g_autofree char *attribute = virCxlDcdXMLAttribute(root, "b");
    g_autofree char *empty = virCxlDcdXMLAttribute(root, "empty");
    g_autofree char *content = virCxlDcdXMLContent(first);

    g_assert_cmpstr(attribute, ==, "1 < 2");
    g_assert_cmpstr(empty, ==, "");
    g_assert_null(virCxlDcdXMLAttribute(root, "absent"));
    g_assert_cmpstr(content, ==, "x y&");
    g_assert_true(virCxlDcdXMLHasNamespace(first, NULL));
    g_assert_false(virCxlDcdXMLHasNamespace(first, "urn:n"));
    g_assert_true(virCxlDcdXMLHasNamespace(second, "urn:n"));
    g_assert_false(virCxlDcdXMLHasNamespace(second, NULL));
    g_assert_null(virCxlDcdXMLNext(second->next, "b"));
    g_assert_true(virCxlDcdXMLIsElement(virCxlDcdXMLNext(second->next, NULL), "c"));
    g_assert_false(virCxlDcdXMLIsElement(root->children, NULL));
    g_assert_false(virCxlDcdXMLIsElement(NULL, NULL));
    g_assert_null(virCxlDcdXMLChild(NULL, "b"));
    g_assert_null(virCxlDcdXMLChild(second, NULL));
}

int
main(int argc, char **argv)
{
    size_t i;

    testInit(&argc, &argv);
    g_test_add_func("/util/numbers", testRunNumbers);
    g_test_add_func("/util/units", testUnits);
    g_test_add_func("/util/sizes", testRunSizes);
    g_test_add_func("/util/json/write", testJSONWrite);
    g_test_add_func("/util/json/read", testJSONRead);
    g_test_add_func("/util/json/broken", testJSONBroken);
    g_test_add_func("/util/json/deep", testJSONDeep);
    for (i = 0; i < G_N_ELEMENTS(testSpans); i++) {
        g_autofree char *path = g_strconcat("/util/xml/span/", testSpans[i].name, NULL);

        g_test_add_data_func(path, testSpans[i].text, testRunSpan);
    }
    g_test_add_func("/util/xml/span/large", testSpansLarge);
    g_test_add_func("/util/xml/encodings", testEncodings);
    g_test_add_func("/util/xml/encodings/cost", testCost);
    g_test_add_func("/util/xml/malformed", testRunMalformed);
    g_test_add_func("/util/xml/too-deep", testTooDeep);
    g_test_add_func("/util/xml/doctype", testDoctype);
    g_test_add_func("/util/xml/undeclared-namespace", testUndeclaredNamespace);
    g_test_add_func("/util/xml/read", testRead);
    return g_test_run();
}
