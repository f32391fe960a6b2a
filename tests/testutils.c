/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * testutils.c: what several tests need
 *
 * Expected output is in files next to the input. VIR_TEST_REGENERATE_OUTPUT=1 rewrites
 * them, and the diff is what to review.
 */

#include <config.h>

#include <libvirt/libvirt.h>
#include <string.h>
#include <yajl/yajl_tree.h>

#include "cxl_dcd_error.h"
#include "testutils.h"

/* A failing case must not hide the next. libvirt keeps a thread's error only after it was
 * initialized, as it is in any program that has opened a connection. */
void
testInit(int *argc, char ***argv)
{
    g_test_init(argc, argv, NULL);
    g_test_set_nonfatal_assertions();
    g_assert_cmpint(virInitialize(), ==, 0);
}

/* Whether to run only some of many combinations, as under valgrind, which is slow. */
bool
testFew(void)
{
    return g_getenv("TEST_FEW") != NULL;
}

/* Print which case of a table is next, as one line of plain text, whatever bytes it contains. */
void
testCase(const char *text)
{
    g_autofree char *escaped = g_strescape(text, NULL);

    g_test_message("%.200s", escaped);
}

/* Returns the path of a test's data, to be freed with g_free(). */
char *
testPath(const char *folder, const char *name)
{
    return g_build_filename(TEST_DIR, folder, name, NULL);
}

char *
testReadFile(const char *path)
{
    g_autoptr(GError) error = NULL;
    char *text = NULL;

    g_file_get_contents(path, &text, NULL, &error);
    g_assert_no_error(error);
    return text;
}

/* Check that the file at @path contains @text, or write it there if asked to regenerate. */
void
testCompareToFile(const char *text, const char *path)
{
    g_autofree char *expected = NULL;

    if (g_getenv("VIR_TEST_REGENERATE_OUTPUT")) {
        g_autoptr(GError) error = NULL;

        g_file_set_contents(path, text, -1, &error);
        g_assert_no_error(error);
        return;
    }
    expected = testReadFile(path);
    g_assert_cmpstr(text, ==, expected);
}

static gint
testCompareText(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Returns the names of the files in the data folder @folder that end with @suffix, without the
 * suffix and sorted. */
GPtrArray *
testListFolder(const char *folder, const char *suffix)
{
    g_autofree char *path = testPath(folder, NULL);
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    const char *name;

    g_assert_no_error(error);
    while ((name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, suffix))
            g_ptr_array_add(names, g_strndup(name, strlen(name) - strlen(suffix)));
    }
    g_ptr_array_sort(names, testCompareText);
    return names;
}

/* @value in a canonical form, in which equal values are equal text: members are sorted by their
 * text, and so are list elements unless @ordered, as QEMU lists them from hash tables.
 * @without: a member of @value to leave out, or NULL. */
char *
testCanonicalJSON(virCxlDcdJSON *value, bool ordered, const char *without)
{
    g_autoptr(GPtrArray) parts = g_ptr_array_new_with_free_func(g_free);
    g_autofree char *joined = NULL;
    size_t i;

    if (YAJL_IS_OBJECT(value)) {
        for (i = 0; i < YAJL_GET_OBJECT(value)->len; i++) {
            const char *key = YAJL_GET_OBJECT(value)->keys[i];
            g_autofree char *member =
                testCanonicalJSON(YAJL_GET_OBJECT(value)->values[i], ordered, NULL);

            if (g_strcmp0(key, without) != 0)
                g_ptr_array_add(parts, g_strdup_printf("%s: %s", key, member));
        }
    } else if (YAJL_IS_ARRAY(value)) {
        for (i = 0; i < virCxlDcdJSONLength(value); i++)
            g_ptr_array_add(parts,
                            testCanonicalJSON(virCxlDcdJSONElement(value, i), ordered, NULL));
    } else {
        return YAJL_IS_STRING(value)   ? g_strdup_printf("'%s'", YAJL_GET_STRING(value))
               : YAJL_IS_NUMBER(value) ? g_strdup(YAJL_GET_NUMBER(value))
               : YAJL_IS_NULL(value)   ? g_strdup("null")
                                       : g_strdup(YAJL_IS_TRUE(value) ? "true" : "false");
    }
    if (YAJL_IS_OBJECT(value) || !ordered)
        g_ptr_array_sort(parts, testCompareText);
    g_ptr_array_add(parts, NULL);
    joined = g_strjoinv(", ", (char **)parts->pdata);
    return g_strdup_printf(YAJL_IS_OBJECT(value) ? "{%s}" : "[%s]", joined);
}

/* Replaces the query of a QEMU binary: this one supports the QEMU module. */
int
testDecide(virCxlDcdXMLDoc *doc G_GNUC_UNUSED, virCxlDcdDef *device, void *opaque G_GNUC_UNUSED)
{
    if (virCxlDcdDefIsDecided(device))
        return 0;
    device->driver = VIR_CXL_DCD_DRIVER_MODULE;
    device->module = g_strdup(TEST_MODULE);
    return 0;
}

/* Returns the stored form of @xml, which must be valid and have something to store. */
char *
testStore(const char *xml)
{
    char *stored = NULL;

    if (virCxlDcdTranslateStore(xml, false, testDecide, NULL, &stored) < 0)
        g_error("%s", virCxlDcdLastErrorMessage());
    g_assert_nonnull(stored);
    return stored;
}
