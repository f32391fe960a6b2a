/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_driver_starts.c: the domains that a call is starting
 *
 * If a client starts a domain through the module, its capacities are offered before the call
 * returns, and the domain does not start if that fails. In the meantime the tracker learns of
 * the domain, and must leave the offers to the call. So each such call registers the domain's
 * name here. It is the name, since a domain that is being created has nothing else before it
 * runs.
 */

#include <config.h>

#include <libvirt/virterror.h>

#include "cxl_dcd_driver_capabilities.h"
#include "cxl_dcd_driver_error.h"
#include "cxl_dcd_driver_starts.h"
#include "cxl_dcd_translate.h"

static GMutex cxlDcdDriverStartsLock;
static GHashTable *cxlDcdDriverStarts; /* name to the number of calls that are starting it */

static cxlDcdDriverStart *
cxlDcdDriverStartAdd(char *name)
{
    guint calls;

    if (!name)
        return NULL;
    g_mutex_lock(&cxlDcdDriverStartsLock);
    if (!cxlDcdDriverStarts)
        cxlDcdDriverStarts = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    calls = GPOINTER_TO_UINT(g_hash_table_lookup(cxlDcdDriverStarts, name));
    g_hash_table_insert(cxlDcdDriverStarts, g_strdup(name), GUINT_TO_POINTER(calls + 1));
    g_mutex_unlock(&cxlDcdDriverStartsLock);
    return name;
}

/**
 * cxlDcdDriverStartBegin:
 * @domain: a domain that is about to be started
 *
 * Returns a value to pass to cxlDcdDriverStartEnd() once its capacities have been offered.
 */
cxlDcdDriverStart *
cxlDcdDriverStartBegin(virDomainPtr domain)
{
    return cxlDcdDriverStartAdd(g_strdup(virDomainGetName(domain)));
}

/**
 * cxlDcdDriverStartBeginXML:
 * @conn: the connection that it is created on
 * @xml: a domain that is about to be created
 *
 * Returns as cxlDcdDriverStartBegin() does; NULL if @xml has nothing of ours, or if it is not
 * well-formed or comes over a read-only connection, which is left to libvirt to refuse.
 */
cxlDcdDriverStart *
cxlDcdDriverStartBeginXML(virConnectPtr conn, const char *xml)
{
    g_autoptr(virCxlDcdXMLDoc) doc = NULL;
    xmlNodePtr name;

    if (cxlDcdDriverIsInside() || !virCxlDcdIsConcerned(xml))
        return NULL;
    cxlDcdDriverEnter();
    if (!cxlDcdDriverIsReadOnly(conn))
        doc = virCxlDcdXMLParse(xml, "domain");
    virResetLastError();
    cxlDcdDriverLeave(false);
    name = doc ? virCxlDcdXMLChild(virCxlDcdXMLRoot(doc), "name") : NULL;
    return name ? cxlDcdDriverStartAdd(virCxlDcdXMLContent(name)) : NULL;
}

/**
 * cxlDcdDriverStartEnd:
 * @start: what one of the two functions above returned
 */
void
cxlDcdDriverStartEnd(cxlDcdDriverStart *start)
{
    g_autofree char *name = start;
    guint calls;

    if (!name)
        return;
    g_mutex_lock(&cxlDcdDriverStartsLock);
    calls = GPOINTER_TO_UINT(g_hash_table_lookup(cxlDcdDriverStarts, name));
    if (calls > 1)
        g_hash_table_insert(cxlDcdDriverStarts, g_strdup(name), GUINT_TO_POINTER(calls - 1));
    else
        g_hash_table_remove(cxlDcdDriverStarts, name);
    g_mutex_unlock(&cxlDcdDriverStartsLock);
}

/**
 * cxlDcdDriverIsStarting:
 * @name: a domain's name
 *
 * Returns true if a call is starting the domain.
 */
bool
cxlDcdDriverIsStarting(const char *name)
{
    bool starting;

    g_mutex_lock(&cxlDcdDriverStartsLock);
    starting = cxlDcdDriverStarts && g_hash_table_contains(cxlDcdDriverStarts, name);
    g_mutex_unlock(&cxlDcdDriverStartsLock);
    return starting;
}
