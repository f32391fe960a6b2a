/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_connect.c: whether the daemon of a connection is on this host
 *
 * Files of the daemon can be checked only if it is on this host. A URI that names a host, even
 * this one, counts as another host: the name is not resolved. So does a URI whose transport is
 * an external command (transport ext).
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
 * Returns true if its daemon runs on this host, so that the files it names are files of
 * this host.
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
