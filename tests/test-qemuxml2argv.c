/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-qemuxml2argv.c: from a domain as a user writes it to QEMU's arguments
 *
 * Each qemuxml2argvdata/NAME.xml is a case.
 *
 *   NAME.args        the domain is valid, and these are the arguments and variables of
 *                    its stored form, including the user's own
 *   NAME.err         (NAME begins with bad-) the domain is refused with this message,
 *                    and nothing is stored
 *
 * A valid domain must also survive a client that reads it back and defines what it read:
 * nothing changes.
 */

#include <config.h>

#include <string.h>

#include "cxl_dcd_error.h"
#include "testutils.h"

#define DATA "qemuxml2argvdata"

/* @text as a shell reads it, quoted only if necessary. */
static void
testAppendQuoted(GString *buf, const char *text)
{
    g_autofree char *quoted = g_shell_quote(text);

    if (*text && strspn(text,
                        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                        "-_=,.:/@+") == strlen(text))
        g_string_append(buf, text);
    else
        g_string_append(buf, quoted);
}

/* The <qemu:commandline> of @stored: each variable and each option on a line of its own. */
static char *
testFormatArguments(const char *stored)
{
    g_autoptr(virCxlDcdXMLDoc) doc = virCxlDcdXMLParse(stored, "domain");
    g_autoptr(GString) buf = g_string_new(NULL);
    xmlNodePtr commandline = virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "commandline");
    xmlNodePtr node;

    for (node = virCxlDcdXMLChild(commandline, "env"); node;
         node = virCxlDcdXMLNext(node->next, "env")) {
        g_autofree char *name = virCxlDcdXMLAttribute(node, "name");
        g_autofree char *value = virCxlDcdXMLAttribute(node, "value");

        g_string_append_printf(buf, "%s%s=", buf->len ? " \\\n" : "", name);
        testAppendQuoted(buf, value);
    }
    for (node = virCxlDcdXMLChild(commandline, "arg"); node;
         node = virCxlDcdXMLNext(node->next, "arg")) {
        g_autofree char *value = virCxlDcdXMLAttribute(node, "value");

        if (buf->len)
            g_string_append(buf, *value == '-' ? " \\\n" : " ");
        testAppendQuoted(buf, value);
    }
    g_string_append_c(buf, '\n');
    return g_string_free(g_steal_pointer(&buf), FALSE);
}

static void
testGood(gconstpointer opaque)
{
    const char *name = opaque;
    g_autofree char *xml_name = g_strconcat(name, ".xml", NULL);
    g_autofree char *args_name = g_strconcat(name, ".args", NULL);
    g_autofree char *xml_path = testPath(DATA, xml_name);
    g_autofree char *args_path = testPath(DATA, args_name);
    g_autofree char *xml = testReadFile(xml_path);
    g_autofree char *stored = testStore(xml);
    g_autofree char *arguments = testFormatArguments(stored);
    g_autofree char *shown = NULL;
    g_autofree char *again = NULL;
    g_autofree char *arguments_again = NULL;

    testCompareToFile(arguments, args_path);

    shown = virCxlDcdTranslateShow(stored);
    g_assert_nonnull(shown);
    g_assert_null(strstr(shown, "cxl-dcd-host-bridge"));
    again = testStore(shown);
    arguments_again = testFormatArguments(again);
    g_assert_cmpstr(arguments_again, ==, arguments);
}

static void
testBad(gconstpointer opaque)
{
    const char *name = opaque;
    g_autofree char *xml_name = g_strconcat(name, ".xml", NULL);
    g_autofree char *err_name = g_strconcat(name, ".err", NULL);
    g_autofree char *xml_path = testPath(DATA, xml_name);
    g_autofree char *err_path = testPath(DATA, err_name);
    g_autofree char *xml = testReadFile(xml_path);
    g_autofree char *message = NULL;
    char *stored = NULL;

    virResetLastError();
    g_assert_cmpint(virCxlDcdTranslateStore(xml, false, testDecide, NULL, &stored), ==, -1);
    g_assert_null(stored);
    message = g_strconcat(virCxlDcdLastErrorMessage(), "\n", NULL);
    testCompareToFile(message, err_path);
}

/* Every file of expected output has its input. */
static void
testNoStrays(void)
{
    static const char *const suffixes[] = {".args", ".err"};
    size_t i;
    guint j;

    for (i = 0; i < G_N_ELEMENTS(suffixes); i++) {
        g_autoptr(GPtrArray) names = testListFolder(DATA, suffixes[i]);

        for (j = 0; j < names->len; j++) {
            const char *name = g_ptr_array_index(names, j);
            g_autofree char *xml_name = g_strconcat(name, ".xml", NULL);
            g_autofree char *xml_path = testPath(DATA, xml_name);

            if (!g_file_test(xml_path, G_FILE_TEST_EXISTS) ||
                g_str_has_prefix(name, "bad-") != g_str_equal(suffixes[i], ".err"))
                g_error("%s%s belongs to no domain", name, suffixes[i]);
        }
    }
}

int
main(int argc, char **argv)
{
    g_autoptr(GPtrArray) names = NULL;
    guint i;

    testInit(&argc, &argv);
    names = testListFolder(DATA, ".xml");
    g_assert_cmpuint(names->len, >, 0);
    g_test_add_func("/qemuxml2argv/no-strays", testNoStrays);
    for (i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);
        g_autofree char *path = g_strconcat("/qemuxml2argv/", name, NULL);

        g_test_add_data_func(path, name, g_str_has_prefix(name, "bad-") ? testBad : testGood);
    }
    return g_test_run();
}
