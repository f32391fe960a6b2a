/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-source.c: the file that is to back a capacity
 *
 * Each case creates something at a path, and adds a capacity of SCENE_SIZE backed by it
 * to the domain of model/scene.c. A refusal must come before anything is recorded, sent
 * to QEMU, or done to the file.
 */

#include <config.h>

#include <glib/gstdio.h>
#include <libvirt/virterror.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "model/scene.h"
#include "testutils.h"

#define REMOTE "qemu+ssh://host/system"
#define EXTERNAL "qemu+ext:///system?command=/usr/bin/reach"
#define TEST_ORDINARY_USER 65534 /* nobody */
#define OF_ITS_SIZE                                                                                \
    " bytes and cannot be the memory of a capacity of 268435456 bytes: it must have that size, "   \
    "or be empty or absent"

typedef enum {
    TEST_ABSENT,
    TEST_FILE,
    TEST_FOLDER,
    TEST_PIPE,
    TEST_LINK,     /* a link to a file */
    TEST_DANGLING, /* a link to nothing */
    TEST_UNDER,    /* a path below a file */
    TEST_NO_FOLDER,
    TEST_LOOP,   /* a link to itself */
    TEST_CLOSED, /* in a folder without search permission */
} testKind;

typedef struct {
    const char *name;
    testKind kind;
    unsigned long long size; /* of the file, bytes */
    const char *attributes;  /* attributes of <source> */
    const char *error;       /* %s stands for the path, %d for its folder; NULL: it is added */
    const char *uri;         /* NULL: this host's */
} caseDef;

static const caseDef cases[] = {
    {"absent", TEST_ABSENT, 0, " access='shared'", NULL},
    {"empty", TEST_FILE, 0, " access='shared'", NULL},
    {"right", TEST_FILE, SCENE_SIZE, " access='shared'", NULL},
    {"right-without-access", TEST_FILE, SCENE_SIZE, "", NULL},
    {"right-private", TEST_FILE, SCENE_SIZE, " access='private'", NULL},
    {"link", TEST_LINK, SCENE_SIZE, "", NULL},
    {"folder", TEST_FOLDER, 0, "", NULL},
    {"smaller", TEST_FILE, SCENE_SIZE - 1, "", "the file '%s' has 268435455" OF_ITS_SIZE},
    {"larger", TEST_FILE, SCENE_SIZE + 1, "", "the file '%s' has 268435457" OF_ITS_SIZE},
    {"larger-private",
     TEST_FILE,
     SCENE_SIZE * 2,
     " access='private'",
     "the file '%s' has 536870912" OF_ITS_SIZE},
    {"link-to-larger", TEST_LINK, SCENE_SIZE + 1, "", "the file '%s' has 268435457" OF_ITS_SIZE},
    {"pipe",
     TEST_PIPE,
     0,
     "",
     "'%s' cannot be the memory of a capacity: it is neither a file nor a directory of hugetlbfs"},
    {"dangling",
     TEST_DANGLING,
     0,
     "",
     "'%s' is a dangling symbolic link: QEMU makes the file of a capacity where there is none, "
     "but not through a link"},
    {"loop",
     TEST_LOOP,
     0,
     "",
     "cannot stat the file '%s' of a capacity: Too many levels of symbolic links"},
    {"no-folder",
     TEST_NO_FOLDER,
     0,
     "",
     "the file '%s' of a capacity is not there and cannot be made: there is no directory '%d'"},
    {"under-file",
     TEST_UNDER,
     SCENE_SIZE,
     "",
     "the file '%s' of a capacity is not there and cannot be made: there is no directory '%d'"},
    /* what cannot be checked from here is left to QEMU */
    {"closed", TEST_CLOSED, 1, "", NULL},
    {"remote-larger", TEST_FILE, SCENE_SIZE + 1, "", NULL, REMOTE},
    {"remote-no-folder", TEST_NO_FOLDER, 0, "", NULL, REMOTE},
    {"external-larger", TEST_FILE, SCENE_SIZE + 1, "", NULL, EXTERNAL},
};

static void
testMakeFile(const char *path, unsigned long long size)
{
    g_autoptr(GError) error = NULL;

    g_file_set_contents(path, "", 0, &error);
    g_assert_no_error(error);
    g_assert_cmpint(truncate(path, size), ==, 0);
}

/* Create what @test needs under @root. Returns the path that is given to QEMU. */
static char *
testMake(const caseDef *test, const char *root)
{
    g_autofree char *path = g_build_filename(root, "memory", NULL);
    g_autofree char *other = g_build_filename(root, "other", NULL);

    switch (test->kind) {
    case TEST_ABSENT:
        break;
    case TEST_FILE:
        testMakeFile(path, test->size);
        break;
    case TEST_FOLDER:
        g_assert_cmpint(g_mkdir(path, 0700), ==, 0);
        break;
    case TEST_PIPE:
        g_assert_cmpint(mkfifo(path, 0600), ==, 0);
        break;
    case TEST_LINK:
        testMakeFile(other, test->size);
        g_assert_cmpint(symlink(other, path), ==, 0);
        break;
    case TEST_DANGLING:
        g_assert_cmpint(symlink(other, path), ==, 0);
        break;
    case TEST_LOOP:
        g_assert_cmpint(symlink(path, path), ==, 0);
        break;
    case TEST_UNDER:
        testMakeFile(other, test->size);
        return g_build_filename(other, "memory", NULL);
    case TEST_NO_FOLDER:
        return g_build_filename(other, "memory", NULL);
    case TEST_CLOSED:
        g_assert_cmpint(g_mkdir(other, 0700), ==, 0);
        g_free(path);
        path = g_build_filename(other, "memory", NULL);
        testMakeFile(path, test->size);
        g_assert_cmpint(g_chmod(other, 0), ==, 0);
        break;
    }
    return g_steal_pointer(&path);
}

static void
testRemove(const char *root)
{
    g_autofree char *other = g_build_filename(root, "other", NULL);
    g_autofree char *path = g_build_filename(root, "memory", NULL);
    g_autofree char *inner = g_build_filename(other, "memory", NULL);

    if (g_file_test(other, G_FILE_TEST_IS_DIR))
        g_assert_cmpint(g_chmod(other, 0700), ==, 0);
    g_remove(inner);
    g_remove(path);
    g_remove(other);
    g_assert_cmpint(g_rmdir(root), ==, 0);
}

/* Root can access everything: become another user, who may access @root. */
static void
testBeOrdinary(const char *root)
{
    if (geteuid() != 0)
        return;
    g_assert_cmpint(g_chmod(root, 0755), ==, 0);
    g_assert_cmpint(seteuid(TEST_ORDINARY_USER), ==, 0);
}

static char *
testAddFile(scene *self, const char *tag, const char *path, const char *attributes)
{
    g_autofree char *xml =
        g_strdup_printf("<cxl-dcd><capacity tag='%s'><size unit='bytes'>%llu</size><source "
                        "type='file'%s><path>%s</path></source></capacity>"
                        "<alias name='cxl-dcd0'/></cxl-dcd>",
                        tag,
                        SCENE_SIZE,
                        attributes,
                        path);

    return virDomainCxlDcdAdd(self->client, xml, VIR_DOMAIN_AFFECT_LIVE);
}

/* The expected error of @test, for the file at @path. */
static char *
testErrorText(const caseDef *test, const char *path)
{
    g_autoptr(GString) text = g_string_new("unsupported configuration: ");
    g_autofree char *folder = g_path_get_dirname(path);

    g_string_append(text, test->error);
    g_string_replace(text, "%s", path, 0);
    g_string_replace(text, "%d", folder, 0);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

static void
testFile(gconstpointer opaque)
{
    const caseDef *test = opaque;
    g_autoptr(scene) self = sceneNew(true, "none");
    g_autofree char *root = g_dir_make_tmp("cxl-dcd-source-XXXXXX", NULL);
    g_autofree char *path = testMake(test, root);
    g_autofree char *before = g_strdup(self->domain->live);
    struct stat old = {0};
    struct stat new = {0};
    char *tag;

    if (test->uri)
        self->client->conn.uri = test->uri;
    stat(path, &old);
    if (test->kind == TEST_CLOSED)
        testBeOrdinary(root);
    tag = testAddFile(self, SCENE_TAG, path, test->attributes);
    if (test->kind == TEST_CLOSED)
        g_assert_cmpint(seteuid(getuid()), ==, 0);
    if (test->error) {
        g_autofree char *text = testErrorText(test, path);

        testAssertError(VIR_ERR_CONFIG_UNSUPPORTED, text);
        g_assert_null(tag);
        g_assert_cmpstr(self->domain->live, ==, before);
        g_assert_cmpuint(self->domain->qemu->requests->len, ==, 0);
        stat(path, &new);
        g_assert_cmpint(new.st_size, ==, old.st_size);
    } else {
        g_assert_cmpstr(tag, ==, SCENE_TAG);
        g_assert_cmpuint(sceneBackends(self), ==, 1);
    }
    free(tag);
    virResetLastError();
    testRemove(root);
}

/* ------------------------------------------------- one file, two capacities */

static const struct {
    const char *name;
    const char *first; /* attributes of <source> */
    const char *second;
    const char *meanwhile; /* words of model/scene.c */
    bool link;             /* the second refers to the file by another name */
    bool added;
} testPairs[] = {
    {"shared", " access='shared'", " access='shared'", "", false, false},
    {"default", "", "", "", false, false},
    {"another-name", " access='shared'", " access='shared'", "", true, false},
    {"accepted", " access='shared'", " access='shared'", "accept", false, false},
    {"asked-back", " access='shared'", " access='shared'", "accept release", false, false},
    {"private", " access='private'", " access='private'", "", false, true},
    {"one-private", " access='shared'", " access='private'", "", false, true},
    {"other-private", " access='private'", " access='shared'", "", false, true},
    {"refused", " access='shared'", " access='shared'", "refuse refresh", false, true},
    /* the records do not reflect it yet */
    {"just-refused", " access='shared'", " access='shared'", "refuse", false, true},
    {"just-returned",
     " access='shared'",
     " access='shared'",
     "accept refresh give-back",
     false,
     true},
    {"returned", " access='shared'", " access='shared'", "accept release obey", false, true},
};

static void
testPair(gconstpointer opaque)
{
    size_t i = GPOINTER_TO_SIZE(opaque);
    g_autoptr(scene) self = sceneNew(true, "none");
    g_autofree char *root = g_dir_make_tmp("cxl-dcd-source-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(root, "memory", NULL);
    g_autofree char *link = g_build_filename(root, "other", NULL);
    const char *name = testPairs[i].link ? link : path;
    g_autofree char *text = NULL;
    char *tag;

    testMakeFile(path, SCENE_SIZE);
    g_assert_cmpint(symlink(path, link), ==, 0);
    tag = testAddFile(self, SCENE_TAG, path, testPairs[i].first);
    g_assert_nonnull(tag);
    free(tag);
    sceneDo(self, testPairs[i].meanwhile);

    tag = testAddFile(self, SCENE_OTHER, name, testPairs[i].second);
    if (testPairs[i].added) {
        g_assert_cmpstr(tag, ==, SCENE_OTHER);
    } else {
        text = g_strdup_printf("Requested operation is not valid: the file '%s' is the memory of "
                               "'" SCENE_TAG "' in domain 'vm' already: the guest would see the "
                               "same memory at two places. Several domains may share a file",
                               name);
        testAssertError(VIR_ERR_OPERATION_INVALID, text);
        g_assert_null(tag);
        g_assert_cmpuint(sceneBackends(self), ==, 1);
        g_assert_cmpint(sceneRecordState(self, SCENE_OTHER), ==, VIR_DOMAIN_CXL_DCD_STATE_NONE);
    }
    free(tag);
    sceneCheckSafe(self);
    testRemove(root);
}

/* Several domains share one file. */
static void
testDomains(void)
{
    g_autoptr(scene) one = sceneNew(true, "none");
    g_autoptr(scene) two = sceneNew(true, "none");
    g_autofree char *root = g_dir_make_tmp("cxl-dcd-source-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(root, "memory", NULL);
    scene *scenes[] = {one, two};
    size_t i;

    testMakeFile(path, SCENE_SIZE);
    for (i = 0; i < G_N_ELEMENTS(scenes); i++) {
        char *tag = testAddFile(scenes[i], SCENE_TAG, path, " access='shared'");

        g_assert_cmpstr(tag, ==, SCENE_TAG);
        free(tag);
    }
    testRemove(root);
}

/* The file behind a static device is memory of the guest as well. */
static void
testStaticDevice(void)
{
    static const struct {
        const char *device; /* attributes of its <source> */
        const char *capacity;
        bool added;
    } ways[] = {
        {"", "", false},
        {" access='private'", "", true},
        {"", " access='private'", true},
    };
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(ways); i++) {
        g_autoptr(scene) self = sceneNew(true, "none");
        g_autofree char *root = g_dir_make_tmp("cxl-dcd-source-XXXXXX", NULL);
        g_autofree char *path = g_build_filename(root, "memory", NULL);
        g_autofree char *device = NULL;
        g_auto(GStrv) parts = g_strsplit(self->domain->live, "</cxl-dcd:devices>", 2);
        char *tag;

        testMakeFile(path, SCENE_SIZE);
        device = g_strdup_printf("<cxl-dcd model='static'><target><size unit='MiB'>256</size>"
                                 "</target><source type='file'%s><path>%s</path></source>"
                                 "<alias name='fixed'/></cxl-dcd></cxl-dcd:devices>",
                                 ways[i].device,
                                 path);
        g_free(self->domain->live);
        self->domain->live = g_strjoinv(device, parts);
        tag = testAddFile(self, SCENE_TAG, path, ways[i].capacity);
        g_assert_true((tag != NULL) == ways[i].added);
        if (!tag) {
            g_assert_cmpint(virGetLastErrorCode(), ==, VIR_ERR_OPERATION_INVALID);
            g_assert_nonnull(strstr(virGetLastErrorMessage(), "is the memory of 'fixed' in"));
            g_assert_cmpuint(self->domain->qemu->requests->len, ==, 0);
        }
        virResetLastError();
        free(tag);
        testRemove(root);
    }
}

int
main(int argc, char **argv)
{
    size_t i;

    testInit(&argc, &argv);
    for (i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *path = g_strconcat("/source/file/", cases[i].name, NULL);

        g_test_add_data_func(path, &cases[i], testFile);
    }
    for (i = 0; i < G_N_ELEMENTS(testPairs); i++) {
        g_autofree char *path = g_strconcat("/source/pair/", testPairs[i].name, NULL);

        g_test_add_data_func(path, GSIZE_TO_POINTER(i), testPair);
    }
    g_test_add_func("/source/domains", testDomains);
    g_test_add_func("/source/static-device", testStaticDevice);
    return g_test_run();
}
