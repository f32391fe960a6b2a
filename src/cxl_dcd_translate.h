/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_translate.h: domain XML, between a client and libvirt
 */

#ifndef CXL_DCD_TRANSLATE_H
#define CXL_DCD_TRANSLATE_H

#include "conf/cxl_dcd_domain.h"

/**
 * virCxlDcdDecideFunc:
 * @doc: the domain
 * @device: one of its devices
 * @opaque: the caller's
 *
 * Set device->driver and device->module of a device of the tagged model that does not specify
 * them, and check that the domain's QEMU can have the device.
 *
 * Returns 0, or -1 with an error set if it cannot.
 */
typedef int (*virCxlDcdDecideFunc)(virCxlDcdXMLDoc *doc, virCxlDcdDef *device, void *opaque);

/**
 * virCxlDcdTranslateFunc:
 * @xml: a domain
 * @changed: where to store its new text, to be freed with g_free(); NULL if @xml stays as it is
 * @opaque: the caller's
 *
 * Returns 0, or -1 with an error set.
 */
typedef int (*virCxlDcdTranslateFunc)(const char *xml, char **changed, void *opaque);

bool virCxlDcdIsConcerned(const char *xml);
bool virCxlDcdHasPlain(const char *xml);
int virCxlDcdHasDefinition(virDomainPtr domain);
int virCxlDcdTranslateStore(const char *xml,
                            bool validate,
                            virCxlDcdDecideFunc decide,
                            void *opaque,
                            char **stored);
char *virCxlDcdTranslateShow(const char *xml);
int virCxlDcdTranslateNested(const char *xml,
                             virCxlDcdTranslateFunc translate,
                             void *opaque,
                             char **changed);
int virCxlDcdTranslateRedefine(const char *xml, const virCxlDcdDomainDef *def, char **stored);

#endif /* CXL_DCD_TRANSLATE_H */
