/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_connect.c: where a connection leads
 *
 * Only where the daemon is on this host can its files be looked at. A URI that names a
 * host, even this one, counts as another host's: what it resolves to is not asked. Nor is
 * what an external command (transport ext) leads to.
 */

#include <config.h>

#include <glib.h>
#include <libxml/uri.h>
#include <stdlib.h>

#include "cxl_dcd_connect.h"

/**
 * virCxlDcdConnectIsLocal:
 * @conn: a connection
 *
 * Returns true when its daemon runs on this host, and the files that it names are
 * files here.
 */
bool
virCxlDcdConnectIsLocal(virConnectPtr conn)
{
    char *uri = virConnectGetURI(conn);
    xmlURIPtr parsed = uri ? xmlParseURI(uri) : NULL;
    bool local = parsed && (!parsed->server || !*parsed->server) &&
                 !(parsed->scheme && g_str_has_suffix(parsed->scheme, "+ext"));

    if (parsed)
        xmlFreeURI(parsed);
    free(uri);
    return local;
}
