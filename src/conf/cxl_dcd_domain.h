/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * cxl_dcd_domain.h: all the <cxl-dcd> of one domain
 */

#ifndef CXL_DCD_DOMAIN_H
#define CXL_DCD_DOMAIN_H

#include "cxl_dcd_conf.h"
#include "cxl_dcd_xml.h"

/* The namespaces of our metadata elements: one element for all devices, one for each capacity of
 * a running domain (its tag is appended), and one for the capacities that were offered at the start
 * of a running domain. */
#define VIR_CXL_DCD_NAMESPACES "urn:libvirt-cxl-dcd:"
#define VIR_CXL_DCD_NAMESPACE VIR_CXL_DCD_NAMESPACES "domain:1.0"
#define VIR_CXL_DCD_NAMESPACE_CAPACITY VIR_CXL_DCD_NAMESPACES "capacity:1.0:"
#define VIR_CXL_DCD_NAMESPACE_START VIR_CXL_DCD_NAMESPACES "start:1.0"
#define VIR_CXL_DCD_PREFIX "cxl-dcd"

/* A generated host bridge has this many HDM decoders, one for each of its ports
 * (QEMU: CXL_HDM_DECODER_COUNT, hw/cxl/cxl-component-utils.c). */
#define VIR_CXL_DCD_GENERATED_MAX 4

/* The id of the generated host bridge. The id of a generated port is the alias of its device with
 * VIR_CXL_DCD_PORT_SUFFIX. */
#define VIR_CXL_DCD_HOST_BRIDGE "cxl-dcd-host-bridge"
#define VIR_CXL_DCD_PORT_SUFFIX "-port"

typedef struct {
    char *name;                /* of the domain, for messages */
    bool live;                 /* of a running domain */
    bool plain;                /* a <cxl-dcd> stands in <devices> */
    bool stored;               /* our element stands in <metadata> */
    GPtrArray *devices;        /* virCxlDcdDef */
    unsigned long long slot;   /* of the generated host bridge on pcie.0; 0: none */
    unsigned long long bus_nr; /* its PCI bus number */
} virCxlDcdDomainDef;

virCxlDcdDomainDef *virCxlDcdDomainDefNew(void);
void virCxlDcdDomainDefFree(virCxlDcdDomainDef *def);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virCxlDcdDomainDef, virCxlDcdDomainDefFree)

bool virCxlDcdDomainDefIsDomain(xmlNodePtr node);
virCxlDcdDomainDef *virCxlDcdDomainDefParse(virCxlDcdXMLDoc *doc);
virCxlDcdDomainDef *virCxlDcdDomainDefParseInput(virCxlDcdXMLDoc *doc);
virCxlDcdDomainDef *virCxlDcdDomainDefParseStored(virCxlDcdXMLDoc *doc);
virCxlDcdDomainDef *virCxlDcdDomainDefParseConfigured(virCxlDcdXMLDoc *doc);
bool virCxlDcdUserArgumentHasTopology(virCxlDcdXMLDoc *doc);
int virCxlDcdDomainDefComplete(virCxlDcdDomainDef *def, virCxlDcdXMLDoc *doc);
int virCxlDcdDomainDefValidate(const virCxlDcdDomainDef *def, virCxlDcdXMLDoc *doc);
int virCxlDcdDomainDefValidateCapacities(const virCxlDcdDomainDef *def, const virCxlDcdDef *device);
int virCxlDcdDomainDefPlace(virCxlDcdDomainDef *def);
void virCxlDcdDomainDefFormatStored(GString *buf, int indent, const virCxlDcdDomainDef *def);

size_t virCxlDcdDomainDefGenerated(const virCxlDcdDomainDef *def);
virCxlDcdDef *virCxlDcdDomainDefDevice(const virCxlDcdDomainDef *def, const char *alias);
virCxlDcdCapacityDef *
virCxlDcdDomainDefCapacity(const virCxlDcdDomainDef *def, const char *tag, virCxlDcdDef **device);
const virCxlDcdCapacityDef *virCxlDcdDefOverlap(const virCxlDcdDef *device,
                                                const virCxlDcdCapacityDef *capacity);
void virCxlDcdDefSort(virCxlDcdDef *device);
int virCxlDcdDefFirstFit(const virCxlDcdDef *device, virCxlDcdCapacityDef *capacity);

bool virCxlDcdIsStoredDevices(xmlNodePtr node);
bool virCxlDcdIsRecord(xmlNodePtr node);
bool virCxlDcdIsStart(xmlNodePtr node);
bool virCxlDcdIsLiveOnly(xmlNodePtr node);
char *virCxlDcdRecordNamespace(const char *tag);
char *virCxlDcdRecordFormat(const virCxlDcdCapacityDef *capacity);
virCxlDcdCapacityDef *virCxlDcdRecordParse(xmlNodePtr node, const char *tag, const char *domain);
int virCxlDcdRecordValidate(const virCxlDcdCapacityDef *capacity,
                            const virCxlDcdDef *device,
                            const char *domain);

#endif /* CXL_DCD_DOMAIN_H */
