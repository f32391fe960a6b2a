/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * old-client FUNCTION DOMAIN URI MIGRATION-URI: migrate a domain to the daemon at URI,
 * with a function that virsh does not call (migrate.sh)
 *
 * The first four functions are public, and older than the one that virsh calls. The
 * others are libvirt's migration protocol, as spoken by clients before libvirt 1.1 and
 * 0.9.2: libvirt.so exports them for its daemons, which a client's library calls by the
 * same names, and no installed header declares them.
 */

#include <config.h>

#include <dlfcn.h>
#include <glib.h>
#include <libvirt/libvirt.h>
#include <libvirt/virterror.h>
#include <stdio.h>

#define P2P (VIR_MIGRATE_LIVE | VIR_MIGRATE_PEER2PEER)

typedef char *(*oldClientBegin3)(virDomainPtr domain,
                                 const char *xmlin,
                                 char **cookieout,
                                 int *cookieoutlen,
                                 unsigned long flags,
                                 const char *dname,
                                 unsigned long bandwidth);
typedef int (*oldClientPerform)(virDomainPtr domain,
                                const char *cookie,
                                int cookielen,
                                const char *uri,
                                unsigned long flags,
                                const char *dname,
                                unsigned long bandwidth);
typedef int (*oldClientPerform3)(virDomainPtr domain,
                                 const char *xmlin,
                                 const char *cookiein,
                                 int cookieinlen,
                                 char **cookieout,
                                 int *cookieoutlen,
                                 const char *dconnuri,
                                 const char *uri,
                                 unsigned long flags,
                                 const char *dname,
                                 unsigned long bandwidth);

/* A function of libvirt.so that no header declares. */
static void *
protocol(const char *name)
{
    void *function = dlsym(RTLD_DEFAULT, name);

    if (!function)
        g_error("libvirt has no %s", name);
    return function;
}

static gboolean
call(const char *function, virDomainPtr domain, const char *there, const char *uri)
{
    g_autofree char *cookie = NULL;
    int size = 0;

    if (g_str_equal(function, "virDomainMigrate"))
        return virDomainMigrate(domain, virConnectOpen(there), VIR_MIGRATE_LIVE, NULL, uri, 0) !=
               NULL;
    if (g_str_equal(function, "virDomainMigrate2"))
        return virDomainMigrate2(domain,
                                 virConnectOpen(there),
                                 NULL,
                                 VIR_MIGRATE_LIVE,
                                 NULL,
                                 uri,
                                 0) != NULL;
    if (g_str_equal(function, "virDomainMigrateToURI"))
        return virDomainMigrateToURI(domain, there, P2P, NULL, 0) == 0;
    if (g_str_equal(function, "virDomainMigrateToURI2"))
        return virDomainMigrateToURI2(domain, there, uri, NULL, P2P, NULL, 0) == 0;
    if (g_str_equal(function, "virDomainMigrateBegin3"))
        return ((oldClientBegin3)protocol(
                   function))(domain, NULL, &cookie, &size, VIR_MIGRATE_LIVE, NULL, 0) != NULL;
    if (g_str_equal(function, "virDomainMigratePerform"))
        return ((oldClientPerform)protocol(function))(domain, NULL, 0, there, P2P, NULL, 0) == 0;
    if (g_str_equal(function, "virDomainMigratePerform3"))
        return ((oldClientPerform3)protocol(
                   function))(domain, NULL, NULL, 0, &cookie, &size, there, uri, P2P, NULL, 0) == 0;
    g_error("no such function here: %s", function);
}

int
main(int argc, char **argv)
{
    virConnectPtr conn;
    virDomainPtr domain;
    gboolean done;

    if (argc != 5)
        return 2;
    if (!(conn = virConnectOpen(NULL)) || !(domain = virDomainLookupByName(conn, argv[2])))
        return 3;
    done = call(argv[1], domain, argv[3], argv[4]);
    virDomainFree(domain);
    virConnectClose(conn);
    return done ? 0 : 1;
}
