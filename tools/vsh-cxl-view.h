/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-view.h: selecting what to show of a domain, and in which format
 */

#ifndef VSH_CXL_VIEW_H
#define VSH_CXL_VIEW_H

#include "cxl_dcd_json.h"
#include "vsh-cxl.h"

typedef enum {
    VSH_CXL_FORMAT_TABLE,
    VSH_CXL_FORMAT_JSON,
    VSH_CXL_FORMAT_XML,
} vshCxlFormat;

/* The names of the formats, in enum order, NULL-terminated. */
extern const char *const vshCxlFormatNames[];
/* The same for a command without an XML format. */

/* Which devices and capacities to show; NULL or -1 matches all. */
typedef struct {
    const char *device; /* the alias of a device, or NULL */
    const char *tag;    /* the UUID of a capacity, in any spelling, or NULL */
    int state;          /* the virDomainCxlDcdState of a capacity, or -1 */
    bool empty;         /* also show a device with no matching capacity */
} vshCxlFilter;

/* A device, and those of its capacities that match the filter. */
typedef struct {
    const virDomainCxlDcdDevice *device;
    unsigned long long free; /* bytes that no capacity occupies, matching or not */
    GPtrArray *capacities;   /* const virDomainCxlDcdCapacity */
} vshCxlDeviceView;

/* A domain, and those of its devices that match the filter. */
typedef struct {
    char *name; /* any bytes that libvirt allows */
    char uuid[VIR_UUID_STRING_BUFLEN];
    bool active;        /* the domain is running */
    bool config;        /* the devices are those of the definition */
    bool refreshed;     /* QEMU was asked for the states */
    GPtrArray *sources; /* virDomainCxlDcdDevice, which devices points into */
    GPtrArray *devices; /* vshCxlDeviceView */
} vshCxlDomainView;

vshCxlDomainView *
vshCxlDomainViewNew(virDomainPtr domain, GPtrArray *devices, const vshCxlFilter *filter);
void vshCxlDomainViewFree(vshCxlDomainView *view);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(vshCxlDomainView, vshCxlDomainViewFree)

vshCxlFormat vshCxlGetFormat(const vshCxlArgs *args);

/* The answer to a yes-or-no question. */
typedef enum {
    VSH_CXL_ANSWER_UNKNOWN,
    VSH_CXL_ANSWER_NO,
    VSH_CXL_ANSWER_YES,
} vshCxlAnswer;

/* A member of a JSON object, or an attribute in XML. One with neither text nor answer is left
 * out. */
typedef struct {
    const char *name;
    const char *text;    /* any bytes; NULL: use answer */
    vshCxlAnswer answer; /* true and false in JSON, yes and no in XML */
} vshCxlMember;

void vshCxlJSONAddText(virCxlDcdJSONWriter *writer, const char *name, const char *text);
void vshCxlJSONAddMembers(virCxlDcdJSONWriter *writer, const vshCxlMember *members, size_t n);
void vshCxlXMLAppendMembers(GString *xml, const vshCxlMember *members, size_t n);
char *vshCxlDomainViewFormatJSON(const vshCxlDomainView *view);
char *vshCxlDomainViewFormatXML(const vshCxlDomainView *view);
char *vshCxlDomainViewsFormatJSON(const GPtrArray *views);
char *vshCxlDomainViewsFormatXML(const GPtrArray *views);

#endif /* VSH_CXL_VIEW_H */
