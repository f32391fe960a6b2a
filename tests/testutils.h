/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * testutils.h: what several tests need
 */

#ifndef TESTUTILS_H
#define TESTUTILS_H

#include <glib.h>

#include "cxl_dcd_translate.h"
#include "util/cxl_dcd_json.h"

/* The answer of testDecide() where nobody asked for another. */
#define TEST_MODULE "/usr/lib/x86_64-linux-gnu/qemu/cxl-tagged.so"

void testInit(int *argc, char ***argv);
void testCase(const char *text);
bool testFew(void);

char *testPath(const char *folder, const char *name);
char *testReadFile(const char *path);
void testCompareToFile(const char *text, const char *path);
GPtrArray *testListFolder(const char *folder, const char *suffix);

char *testCanonicalJSON(virCxlDcdJSON *value, bool ordered, const char *without);
int testDecide(virCxlDcdXMLDoc *doc, virCxlDcdDef *device, void *opaque);
char *testStore(const char *xml);

#define testAssertError(code_, text_)                                                              \
    do {                                                                                           \
        g_assert_cmpstr(virGetLastErrorMessage(), ==, text_);                                      \
        g_assert_cmpint(virGetLastErrorCode(), ==, code_);                                         \
        virResetLastError();                                                                       \
    } while (0)

#endif /* TESTUTILS_H */
