/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * test-lock.c: the lock of a domain keeps others out of that domain, and of no other
 * domain
 */

#include <config.h>

#include <libvirt/libvirt.h>

#include "qemu/qemu_cxl_dcd_lock.h"
#include "testutils.h"

#define TEST_THREADS 8
#define TEST_ROUNDS 2000

static virConnectPtr testConnection;

static virDomainPtr
testDefine(const char *name)
{
    g_autofree char *xml = g_strdup_printf("<domain type='test'><name>%s</name>"
                                           "<memory>1024</memory><os><type>hvm</type></os>"
                                           "</domain>",
                                           name);
    virDomainPtr domain = virDomainDefineXML(testConnection, xml);

    g_assert_nonnull(domain);
    return domain;
}

typedef struct {
    virDomainPtr domain;
    int inside;  /* how many threads hold the lock */
    int entered; /* how often one has held it */
    bool crowded;
} testRoom;

static gpointer
testEnter(gpointer opaque)
{
    testRoom *room = opaque;
    int i;

    for (i = 0; i < TEST_ROUNDS; i++) {
        g_autoptr(qemuCxlDcdLock) lock = qemuCxlDcdLockDomain(room->domain);

        if (g_atomic_int_add(&room->inside, 1) != 0)
            room->crowded = true;
        room->entered++;
        g_atomic_int_add(&room->inside, -1);
    }
    return NULL;
}

/* Threads in two domains: never two in one, and no lock is lost or freed too early. */
static void
testExclusive(void)
{
    testRoom rooms[] = {{.domain = testDefine("a")}, {.domain = testDefine("b")}};
    GThread *threads[TEST_THREADS];
    size_t i;

    for (i = 0; i < TEST_THREADS; i++)
        threads[i] = g_thread_new("enter", testEnter, &rooms[i % 2]);
    for (i = 0; i < TEST_THREADS; i++)
        g_thread_join(threads[i]);
    for (i = 0; i < G_N_ELEMENTS(rooms); i++) {
        g_assert_false(rooms[i].crowded);
        g_assert_cmpint(rooms[i].entered, ==, TEST_ROUNDS * TEST_THREADS / 2);
        virDomainFree(rooms[i].domain);
    }
}

/* One domain's lock is free while another's is held, otherwise this hangs. */
static void
testOthersGoOn(void)
{
    virDomainPtr held = testDefine("held");
    testRoom room = {.domain = testDefine("free")};
    g_autoptr(qemuCxlDcdLock) lock = qemuCxlDcdLockDomain(held);

    g_thread_join(g_thread_new("enter", testEnter, &room));
    g_assert_cmpint(room.entered, ==, TEST_ROUNDS);
    virDomainFree(room.domain);
    virDomainFree(held);
}

int
main(int argc, char **argv)
{
    int ret;

    testInit(&argc, &argv);
    testConnection = virConnectOpen("test:///default");
    g_assert_nonnull(testConnection);
    g_test_add_func("/lock/exclusive", testExclusive);
    g_test_add_func("/lock/others-go-on", testOthersGoOn);
    ret = g_test_run();
    virConnectClose(testConnection);
    return ret;
}
