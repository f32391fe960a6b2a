/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-vsh-line.c: the grammar of a line of commands, as observed in virsh 11.3
 */

#include <glib.h>
#include <string.h>

#include "vsh-cxl-line.h"

/* Words, each followed by '|', commands separated by ';'. */
static char *
testJoin(GPtrArray *commands)
{
    GString *out = g_string_new(NULL);
    size_t i;
    size_t j;

    for (i = 0; i < commands->len; i++) {
        GPtrArray *command = g_ptr_array_index(commands, i);

        if (i > 0)
            g_string_append_c(out, ';');
        for (j = 0; j + 1 < command->len; j++)
            g_string_append_printf(out, "%s|", (char *)g_ptr_array_index(command, j));
        g_assert_null(g_ptr_array_index(command, j));
    }
    return g_string_free(out, FALSE);
}

static void
testParse(void)
{
    static const struct {
        const char *text;
        const char *words; /* see testJoin() */
        const char *error; /* NULL: none */
    } cases[] = {
        {"", "", NULL},
        {"  \t ", "", NULL},
        {"list", "list|", NULL},
        {" list  --all\t--name ", "list|--all|--name|", NULL},
        {"list;uri", "list|;uri|", NULL},
        {"list ; ; uri;", "list|;;uri|;", NULL},
        {"list\nuri\r\n", "list|;uri|;", NULL},
        {"dominfo \"my vm\"", "dominfo|my vm|", NULL},
        {"dominfo 'my vm'", "dominfo|my vm|", NULL},
        {"dominfo my\\ vm", "dominfo|my vm|", NULL},
        {"a'b'\"c\"d", "abcd|", NULL},
        {"\"\" ''", "||", NULL},
        {"\"a;b\" 'c;d' e\\;f", "a;b|c;d|e;f|", NULL},
        {"\"a'b\" 'a\"b'", "a'b|a\"b|", NULL},
        {"\"a\\\"b\"", "a\"b|", NULL},
        {"\"a\\nb\\\\c\\$\"", "anb\\c$|", NULL},
        {"'a\\b'", "a\\b|", NULL},
        {"'not closed", "not closed|", NULL},
        {"# list", "", NULL},
        {"list # all; uri\nuri", "list|;uri|", NULL},
        {"list#all a#b", "list#all|a#b|", NULL},
        {"list --\\\nall", "list|--all|", NULL},
        {"list \\\n --all", "list|--all|", NULL},
        {"\"two\nlines\"", "two\nlines|", NULL},
        {"list; dominfo \"my vm", NULL, "missing \""},
        {"\"", NULL, "missing \""},
        {"\"a\\", NULL, "missing \""},
        {"list \\", NULL, "dangling \\"},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autoptr(GError) error = NULL;
        g_autoptr(GPtrArray) commands = vshCxlLineParse(cases[i].text, &error);
        g_autofree char *words = commands ? testJoin(commands) : NULL;
        g_autofree char *escaped = g_strescape(cases[i].text, NULL);

        g_test_message("%s", escaped);
        g_assert_cmpstr(words, ==, cases[i].words);
        g_assert_cmpstr(error ? error->message : NULL, ==, cases[i].error);
    }
}

/* A quoted word is read back unchanged. */
static void
testQuote(void)
{
    static const char *const words[] = {
        "vm",
        "my vm",
        "a \"b\" 'c' [d] \\ <e>&amp; #;\t",
        "#",
    };
    static const struct {
        char quote;
        const char *opening;
        const char *closing;
    } quotes[] = {{0, "", ""}, {'"', "\"", "\""}};
    size_t i;
    size_t j;

    for (i = 0; i < G_N_ELEMENTS(words); i++) {
        for (j = 0; j < G_N_ELEMENTS(quotes); j++) {
            g_autofree char *quoted = vshCxlLineQuote(words[i], quotes[j].quote);
            g_autofree char *line =
                g_strdup_printf("%s%s%s", quotes[j].opening, quoted, quotes[j].closing);
            g_autoptr(GPtrArray) commands = vshCxlLineParse(line, NULL);
            g_autofree char *expected = g_strdup_printf("%s|", words[i]);
            g_autofree char *got = testJoin(commands);

            g_assert_cmpstr(got, ==, expected);
        }
    }
}

int
main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_set_nonfatal_assertions();
    g_test_add_func("/line/parse", testParse);
    g_test_add_func("/line/quote", testQuote);
    return g_test_run();
}
