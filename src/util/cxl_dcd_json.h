/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_json.h: JSON, read and written with yajl
 */

#ifndef CXL_DCD_JSON_H
#define CXL_DCD_JSON_H

#include <glib.h>
#include <stdbool.h>

/* A value that is being written: begin, members, end, finish. */
typedef struct _virCxlDcdJSONWriter virCxlDcdJSONWriter;

virCxlDcdJSONWriter *virCxlDcdJSONWriterNew(void);
void virCxlDcdJSONWriterFree(virCxlDcdJSONWriter *writer);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virCxlDcdJSONWriter, virCxlDcdJSONWriterFree)

void virCxlDcdJSONBeginObject(virCxlDcdJSONWriter *writer, const char *name);
void virCxlDcdJSONEndObject(virCxlDcdJSONWriter *writer);
void virCxlDcdJSONBeginArray(virCxlDcdJSONWriter *writer, const char *name);
void virCxlDcdJSONEndArray(virCxlDcdJSONWriter *writer);
void virCxlDcdJSONAddString(virCxlDcdJSONWriter *writer, const char *name, const char *value);
void
virCxlDcdJSONAddUnsigned(virCxlDcdJSONWriter *writer, const char *name, unsigned long long value);
void virCxlDcdJSONAddBoolean(virCxlDcdJSONWriter *writer, const char *name, bool value);
char *virCxlDcdJSONFinish(virCxlDcdJSONWriter *writer);

/* A parsed value, or a part of one, which belongs to the whole value. */
typedef struct yajl_val_s virCxlDcdJSON;

virCxlDcdJSON *virCxlDcdJSONParse(const char *text, char **message);
void virCxlDcdJSONFree(virCxlDcdJSON *value);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virCxlDcdJSON, virCxlDcdJSONFree)

virCxlDcdJSON *virCxlDcdJSONMember(virCxlDcdJSON *object, const char *name);
const char *virCxlDcdJSONMemberString(virCxlDcdJSON *object, const char *name);
bool
virCxlDcdJSONMemberUnsigned(virCxlDcdJSON *object, const char *name, unsigned long long *value);
size_t virCxlDcdJSONLength(virCxlDcdJSON *array);
virCxlDcdJSON *virCxlDcdJSONElement(virCxlDcdJSON *array, size_t i);

#endif /* CXL_DCD_JSON_H */
