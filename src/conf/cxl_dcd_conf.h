/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_conf.h: what <cxl-dcd> and <capacity> mean
 */

#ifndef CXL_DCD_CONF_H
#define CXL_DCD_CONF_H

#include <glib.h>
#include <libxml/tree.h>
#include <stdbool.h>

#include "libvirt/libvirt-cxl-dcd.h"

/* The block size of a region, and the unit of which its size is a multiple
 * (QEMU: hw/mem/cxl_type3.c; measured on 10.0). Bytes. */
#define VIR_CXL_DCD_BLOCK_SIZE (2ULL << 20)
#define VIR_CXL_DCD_REGION_UNIT (256ULL << 20)
#define VIR_CXL_DCD_REGIONS_MAX 8

/* QEMU's MAX_NODES: host NUMA nodes are 0 to 127. */
#define VIR_CXL_DCD_HOST_NODES_MAX 128

/* The dynamic capacity event log of a device holds 8 records: the guest would never
 * learn of a ninth offer (measured on QEMU 10.0). */
#define VIR_CXL_DCD_OFFERS_MAX 8

typedef enum {
    VIR_CXL_DCD_DRIVER_NONE,   /* not decided */
    VIR_CXL_DCD_DRIVER_QEMU,   /* QEMU has the tagged series itself */
    VIR_CXL_DCD_DRIVER_MODULE, /* the QEMU module provides it */
    VIR_CXL_DCD_DRIVER_LAST
} virCxlDcdDriver;

typedef enum {
    VIR_CXL_DCD_SOURCE_RAM,   /* memory-backend-ram */
    VIR_CXL_DCD_SOURCE_MEMFD, /* memory-backend-memfd */
    VIR_CXL_DCD_SOURCE_FILE,  /* memory-backend-file */
    VIR_CXL_DCD_SOURCE_LAST
} virCxlDcdSource;

typedef enum {
    VIR_CXL_DCD_ACCESS_NONE, /* shared for memfd and file, QEMU's default for ram */
    VIR_CXL_DCD_ACCESS_SHARED,
    VIR_CXL_DCD_ACCESS_PRIVATE,
    VIR_CXL_DCD_ACCESS_LAST
} virCxlDcdAccess;

/* How a guest is asked for capacity: QEMU's removal-policy. */
typedef enum {
    VIR_CXL_DCD_POLICY_NONE,      /* tagged: by its tag, later by its range; static: by its range */
    VIR_CXL_DCD_POLICY_TAG_BASED, /* by its tag alone */
    VIR_CXL_DCD_POLICY_PRESCRIPTIVE, /* by its range, with the tag */
    VIR_CXL_DCD_POLICY_LAST
} virCxlDcdPolicy;

/* Seconds after which a guest that was asked by tag is asked once more by range. */
#define VIR_CXL_DCD_FALLBACK 5

const char *virCxlDcdModelToString(int model);
const char *virCxlDcdDriverToString(int driver);
const char *virCxlDcdSourceToString(int source);
const char *virCxlDcdAccessToString(int access);
const char *virCxlDcdPolicyToString(int policy);

/* <source>: where the memory of a backend comes from. */
typedef struct {
    virCxlDcdSource type;
    virCxlDcdAccess access;
    char *path;                  /* file only */
    unsigned long long pagesize; /* bytes; 0: not hugetlb. memfd only */
    GArray *nodes;               /* unsigned int, ascending: host NUMA nodes; NULL: any */
    bool preallocate;
} virCxlDcdSourceDef;

/* <capacity>: one extent, its tag, and (tagged) its backend. */
typedef struct {
    char *tag; /* canonical lower-case UUID; NULL: to be generated */
    unsigned long long region;
    unsigned long long size; /* bytes; 0: not given */
    bool has_offset;
    unsigned long long offset;  /* bytes in the region, if has_offset */
    virCxlDcdSourceDef *source; /* NULL: ram (tagged), none (static) */

    /* what only a capacity of a running domain has */
    virDomainCxlDcdState state;
    long long since; /* seconds since the epoch, -1: not known */
    char *device;    /* the alias of its device */
    char *request;   /* a UUID of the request that began it */

    /* what only a capacity that is being released has */
    long long asked; /* when the guest was asked, seconds since the epoch; 0: not yet */
    long long earlier[VIR_CXL_DCD_OFFERS_MAX - 1]; /* the times before, latest first; 0: none */
    bool repeated;                                 /* the guest was asked again by range */
    virCxlDcdPolicy policy;                        /* the policy that the user named */
} virCxlDcdCapacityDef;

/* <cxl-dcd>: one CXL type 3 device with dynamic capacity. */
typedef struct {
    virDomainCxlDcdModel model;
    virCxlDcdDriver driver;
    char *module; /* path of the QEMU module; driver module only */
    bool has_serial;
    unsigned long long serial;
    bool has_target;         /* false in a document for attach-device */
    unsigned long long size; /* bytes, all regions */
    unsigned long long regions;
    int node;                   /* guest NUMA node, -1: none */
    virCxlDcdSourceDef *source; /* static only; NULL: ram */
    GPtrArray *capacities;      /* virCxlDcdCapacityDef */
    virCxlDcdPolicy policy;     /* only in a document for detach-device */
    bool forced;                /* likewise: release without the guest's consent */
    long long fallback;         /* seconds; 0: never; -1: not given, VIR_CXL_DCD_FALLBACK */
    char *alias;                /* QEMU's id; NULL: to be chosen */
    char *bus;                  /* an existing port; NULL: generated */
} virCxlDcdDef;

/* What virCxlDcdDefFormat() writes. */
typedef enum {
    VIR_CXL_DCD_FORMAT_LIVE = 1 << 0,   /* states and <current> */
    VIR_CXL_DCD_FORMAT_RECORD = 1 << 1, /* what only the record of a capacity holds */
} virCxlDcdFormatFlags;

GArray *virCxlDcdNodesetParse(const char *text);
bool virCxlDcdIsPagesize(unsigned long long pagesize, unsigned long long size);
void virCxlDcdSourceDefFree(virCxlDcdSourceDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virCxlDcdSourceDef, virCxlDcdSourceDefFree)

virCxlDcdCapacityDef *virCxlDcdCapacityDefNew(void);
void virCxlDcdCapacityDefFree(virCxlDcdCapacityDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virCxlDcdCapacityDef, virCxlDcdCapacityDefFree)
virCxlDcdCapacityDef *virCxlDcdCapacityDefParseXML(xmlNodePtr node);
int virCxlDcdCapacityDefParseLive(virCxlDcdCapacityDef *def, xmlNodePtr node);
void virCxlDcdCapacityDefFormat(GString *buf,
                                int indent,
                                const char *name,
                                const virCxlDcdCapacityDef *def,
                                unsigned int flags);
int virCxlDcdCapacityDefValidate(const virCxlDcdCapacityDef *def, const virCxlDcdDef *device);

virCxlDcdDef *virCxlDcdDefNew(void);
void virCxlDcdDefFree(virCxlDcdDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virCxlDcdDef, virCxlDcdDefFree)
virCxlDcdDef *virCxlDcdDefParseXML(xmlNodePtr node);
virCxlDcdDef *virCxlDcdDefParseString(const char *xml);
void virCxlDcdDefFormat(GString *buf, int indent, const virCxlDcdDef *def, unsigned int flags);
bool virCxlDcdDefIsDecided(const virCxlDcdDef *def);
int virCxlDcdDefValidate(const virCxlDcdDef *def);

bool virCxlDcdCapacityIsPassing(const virCxlDcdCapacityDef *def);
bool virCxlDcdCapacityOccupies(const virCxlDcdCapacityDef *def);
bool virCxlDcdCapacityOverlaps(const virCxlDcdCapacityDef *other, const virCxlDcdCapacityDef *def);
unsigned long long virCxlDcdDefRegionSize(const virCxlDcdDef *def);
unsigned long long virCxlDcdDefAccepted(const virCxlDcdDef *def);
char *virCxlDcdTagParse(const char *text);
bool virCxlDcdIsId(const char *id);

#endif /* CXL_DCD_CONF_H */
