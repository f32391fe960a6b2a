/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-schemas.c: the RELAX NG grammars accept what they should, and no more
 *
 * The cases are files, and a file's name says what is expected of it:
 *
 *   schemadata/valid-NAME.xml            cxl-dcd.rng accepts it
 *   schemadata/invalid-NAME.xml          cxl-dcd.rng refuses it
 *   schemadata/domain-valid-NAME.xml     the domain grammar accepts it
 *   schemadata/domain-invalid-NAME.xml   the domain grammar refuses it
 *   qemuxml2argvdata/NAME.xml            the domain grammar accepts it, unless
 *                                        NAME begins with bad-
 *   qemuxml2argvdata/output/NAME.out.xml the same
 *
 * An invalid file differs from some valid one by a single fault. It must be well-formed:
 * a file that cannot be parsed would be refused by any grammar and prove nothing.
 *
 * Paths are compiled in, but the environment takes precedence: SCHEMA_DIR (the folder of
 * cxl-dcd.rng), DOMAIN_SCHEMA (the configured domain-cxl-dcd.rng) and TEST_DIR (the
 * folder of this file).
 */

#include <glib.h>
#include <libxml/parser.h>
#include <libxml/relaxng.h>
#include <stdbool.h>
#include <string.h>

#ifndef SCHEMA_DIR
#define SCHEMA_DIR NULL
#endif
#ifndef DOMAIN_SCHEMA
#define DOMAIN_SCHEMA NULL
#endif
#ifndef TEST_DIR
#define TEST_DIR NULL
#endif

#if LIBXML_VERSION >= 21200
typedef const xmlError *testSchemasErrorPtr;
#else
typedef xmlErrorPtr testSchemasErrorPtr;
#endif

G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlDoc, xmlFreeDoc)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNG, xmlRelaxNGFree)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNGParserCtxt, xmlRelaxNGFreeParserCtxt)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(xmlRelaxNGValidCtxt, xmlRelaxNGFreeValidCtxt)

typedef struct {
    xmlRelaxNGPtr schema; /* borrowed */
    char *file;
    bool valid; /* the expected result */
} testSchemasCase;

/* What the prefix of a file name means. No name can match two of them. */
static const struct {
    const char *prefix;
    bool domain;
    bool valid;
} testSchemasKinds[] = {
    {"valid-", false, true},
    {"invalid-", false, false},
    {"domain-valid-", true, true},
    {"domain-invalid-", true, false},
};

static void
testSchemasCaseFree(gpointer opaque)
{
    testSchemasCase *data = opaque;

    g_free(data->file);
    g_free(data);
}

static void
testSchemasOnError(void *opaque, testSchemasErrorPtr error)
{
    GString *messages = opaque;

    g_string_append_printf(messages,
                           "%s:%d: %s",
                           error->file ? error->file : "(no file)",
                           error->line,
                           error->message ? error->message : "(no message)\n");
}

static void
testSchemasRun(gconstpointer opaque)
{
    const testSchemasCase *data = opaque;
    g_autoptr(GString) messages = g_string_new(NULL);
    g_autoptr(xmlDoc) document = NULL;
    g_autoptr(xmlRelaxNGValidCtxt) context = NULL;
    int result;

    document = xmlReadFile(data->file, NULL, XML_PARSE_NONET);
    if (!document) {
        g_test_message("%s is not well-formed", data->file);
        g_test_fail();
        return;
    }

    context = xmlRelaxNGNewValidCtxt(data->schema);
    g_assert_nonnull(context);
    xmlRelaxNGSetValidStructuredErrors(context, testSchemasOnError, messages);

    /* 0 valid, above 0 invalid; below 0 libxml2 itself failed, which is neither of the two */
    result = xmlRelaxNGValidateDoc(context, document);
    if (result < 0 || (result == 0) != data->valid) {
        g_test_message("%s: expected to be %s, and the result is %d\n%s",
                       data->file,
                       data->valid ? "valid" : "invalid",
                       result,
                       messages->str);
        g_test_fail();
    }
}

static void
testSchemasAdd(const char *group,
               xmlRelaxNGPtr schema,
               const char *folder,
               const char *name,
               bool valid)
{
    g_autofree char *path = NULL;
    testSchemasCase *data = g_new0(testSchemasCase, 1);

    data->schema = schema;
    data->file = g_build_filename(folder, name, NULL);
    data->valid = valid;

    path = g_strdup_printf("/schemas/%s/%.*s", group, (int)(strlen(name) - strlen(".xml")), name);
    g_test_add_data_func_full(path, data, testSchemasRun, testSchemasCaseFree);
}

static int
testSchemasCompareNames(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The names in @folder that end in @suffix, in order; NULL if it cannot be read. */
static GPtrArray *
testSchemasListFolder(const char *folder, const char *suffix)
{
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    g_autoptr(GPtrArray) names = NULL;
    const char *name;

    if (!dir)
        return NULL;

    names = g_ptr_array_new_with_free_func(g_free);
    while ((name = g_dir_read_name(dir))) {
        if (g_str_has_suffix(name, suffix))
            g_ptr_array_add(names, g_strdup(name));
    }
    g_ptr_array_sort(names, testSchemasCompareNames);

    return g_steal_pointer(&names);
}

/*
 * Adds the files of schemadata. A name that matches no prefix, or a prefix without any
 * file, is a mistake that would otherwise go unnoticed.
 */
static bool
testSchemasAddData(const char *tests, xmlRelaxNGPtr device, xmlRelaxNGPtr domain)
{
    g_autofree char *folder = g_build_filename(tests, "schemadata", NULL);
    g_autoptr(GPtrArray) names = testSchemasListFolder(folder, ".xml");
    size_t count[G_N_ELEMENTS(testSchemasKinds)] = {0};
    size_t i;
    size_t k;

    if (!names) {
        g_printerr("no folder %s\n", folder);
        return false;
    }

    for (i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);

        for (k = 0; k < G_N_ELEMENTS(testSchemasKinds); k++) {
            if (g_str_has_prefix(name, testSchemasKinds[k].prefix))
                break;
        }
        if (k == G_N_ELEMENTS(testSchemasKinds)) {
            g_printerr("%s/%s: the name does not say what to expect\n", folder, name);
            return false;
        }
        count[k]++;
        testSchemasAdd("schemadata",
                       testSchemasKinds[k].domain ? domain : device,
                       folder,
                       name,
                       testSchemasKinds[k].valid);
    }

    for (k = 0; k < G_N_ELEMENTS(testSchemasKinds); k++) {
        if (count[k] == 0) {
            g_printerr("%s: no file %s*.xml\n", folder, testSchemasKinds[k].prefix);
            return false;
        }
    }

    return true;
}

/*
 * Adds the domains that the tests of the QEMU arguments use. It is not an error if the
 * folder does not exist, but it is if it exists and holds no domain.
 */
static bool
testSchemasAddDomains(const char *tests,
                      const char *subfolder,
                      const char *suffix,
                      xmlRelaxNGPtr domain)
{
    g_autofree char *folder = g_build_filename(tests, subfolder, NULL);
    g_autoptr(GPtrArray) names = testSchemasListFolder(folder, suffix);
    size_t count = 0;
    size_t i;

    if (!names)
        return true;

    for (i = 0; i < names->len; i++) {
        const char *name = g_ptr_array_index(names, i);

        if (g_str_has_prefix(name, "bad-"))
            continue;
        testSchemasAdd(subfolder, domain, folder, name, true);
        count++;
    }

    if (count == 0) {
        g_printerr("%s: no file *%s that must be valid\n", folder, suffix);
        return false;
    }

    return true;
}

static xmlRelaxNGPtr
testSchemasLoad(const char *file)
{
    g_autoptr(GString) messages = g_string_new(NULL);
    g_autoptr(xmlRelaxNGParserCtxt) context = xmlRelaxNGNewParserCtxt(file);
    xmlRelaxNGPtr schema;

    g_assert_nonnull(context);
    xmlRelaxNGSetParserStructuredErrors(context, testSchemasOnError, messages);
    schema = xmlRelaxNGParse(context);
    if (!schema)
        g_printerr("%s is not a grammar that can be used:\n%s", file, messages->str);

    return schema;
}

static const char *
testSchemasSetting(const char *name, const char *compiled)
{
    const char *value = g_getenv(name);

    if (!value)
        value = compiled;
    if (!value)
        g_printerr("%s is not set\n", name);

    return value;
}

static int
testSchemasMain(void)
{
    const char *schemas = testSchemasSetting("SCHEMA_DIR", SCHEMA_DIR);
    const char *domainFile = testSchemasSetting("DOMAIN_SCHEMA", DOMAIN_SCHEMA);
    const char *tests = testSchemasSetting("TEST_DIR", TEST_DIR);
    g_autofree char *deviceFile = NULL;
    g_autoptr(xmlRelaxNG) device = NULL;
    g_autoptr(xmlRelaxNG) domain = NULL;

    if (!schemas || !domainFile || !tests)
        return 1;

    deviceFile = g_build_filename(schemas, "cxl-dcd.rng", NULL);
    device = testSchemasLoad(deviceFile);
    domain = testSchemasLoad(domainFile);
    if (!device || !domain)
        return 1;

    if (!testSchemasAddData(tests, device, domain) ||
        !testSchemasAddDomains(tests, "qemuxml2argvdata", ".xml", domain) ||
        !testSchemasAddDomains(tests, "qemuxml2argvdata/output", ".out.xml", domain))
        return 1;

    return g_test_run();
}

int
main(int argc, char **argv)
{
    int result;

    xmlInitParser();
    g_test_init(&argc, &argv, NULL);
    /* one failing file must not hide the next */
    g_test_set_nonfatal_assertions();
    result = testSchemasMain();
    xmlCleanupParser();

    return result;
}
