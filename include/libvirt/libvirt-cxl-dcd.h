/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * libvirt-cxl-dcd.h: CXL dynamic capacity of a libvirt domain
 *
 * The public interface, in the manner of libvirt-qemu.h: functions over a virDomainPtr of
 * a QEMU connection. Errors are libvirt's own: after a failure virGetLastError() says
 * what went wrong. Sizes and offsets are bytes.
 *
 * Only the library allocates and frees structures: a later version may append members.
 *
 * The terms (device, region, extent, tag, capacity) are those of the CXL
 * specification 3.1, section 9.13.3, and of QEMU's QAPI schema, qapi/cxl.json.
 */

#ifndef LIBVIRT_CXL_DCD_H
#define LIBVIRT_CXL_DCD_H

#include <libvirt/libvirt.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * virDomainCxlDcdState:
 *
 * The state of one capacity, as the domain's live XML records it.
 */
typedef enum {
    VIR_DOMAIN_CXL_DCD_STATE_NONE = 0,      /* no such capacity */
    VIR_DOMAIN_CXL_DCD_STATE_ADDING = 1,    /* the add has begun; QEMU may not know of it yet */
    VIR_DOMAIN_CXL_DCD_STATE_PENDING = 2,   /* offered; the guest has not answered */
    VIR_DOMAIN_CXL_DCD_STATE_ACCEPTED = 3,  /* the guest uses it */
    VIR_DOMAIN_CXL_DCD_STATE_REJECTED = 4,  /* the guest refused it; its memory is freed */
    VIR_DOMAIN_CXL_DCD_STATE_RELEASING = 5, /* asked back; the guest still holds it */
} virDomainCxlDcdState;

/**
 * virDomainCxlDcdModel:
 *
 * What backs a device's memory: QEMU's dc-regions-total-size (tagged) or its
 * volatile-dc-memdev (static).
 */
typedef enum {
    VIR_DOMAIN_CXL_DCD_MODEL_TAGGED = 0, /* each capacity brings its own memory */
    VIR_DOMAIN_CXL_DCD_MODEL_STATIC = 1, /* a capacity is a range of one backend */
} virDomainCxlDcdModel;

/**
 * virDomainCxlDcdCapacity:
 *
 * One capacity: one extent and its tag. In a definition it has no state yet:
 * VIR_DOMAIN_CXL_DCD_STATE_NONE.
 */
typedef struct _virDomainCxlDcdCapacity virDomainCxlDcdCapacity;
typedef virDomainCxlDcdCapacity *virDomainCxlDcdCapacityPtr;
struct _virDomainCxlDcdCapacity {
    char tag[VIR_UUID_STRING_BUFLEN]; /* canonical lower-case UUID */
    int state;                        /* virDomainCxlDcdState */
    unsigned int region;              /* 0 to 7 */
    unsigned long long offset;        /* bytes, in the region */
    unsigned long long size;          /* bytes */
    long long since;                  /* when this state began: seconds since the
                                       * epoch, -1 if not known */
    char *source;                     /* "ram", "memfd" or "file"; NULL for a device
                                       * of the static model */
};

/**
 * virDomainCxlDcdDevice:
 *
 * One CXL type 3 device with dynamic capacity, and its capacities.
 */
typedef struct _virDomainCxlDcdDevice virDomainCxlDcdDevice;
typedef virDomainCxlDcdDevice *virDomainCxlDcdDevicePtr;
struct _virDomainCxlDcdDevice {
    char *alias;                 /* QEMU's id of the device */
    int model;                   /* virDomainCxlDcdModel */
    unsigned int regions;        /* 1 to 8 */
    unsigned long long size;     /* bytes, over all regions */
    unsigned long long accepted; /* bytes that the guest holds now */
    size_t ncapacities;
    virDomainCxlDcdCapacityPtr *capacities; /* in order of region and offset */
};

/**
 * virDomainCxlDcdListFlags:
 *
 * Flags of virDomainCxlDcdListDevices().
 */
typedef enum {
    VIR_DOMAIN_CXL_DCD_LIST_REFRESH = 1 << 0, /* ask QEMU first, and complete unfinished work */
    VIR_DOMAIN_CXL_DCD_LIST_CONFIG = 1 << 1,  /* the definition: what the next start will offer */
} virDomainCxlDcdListFlags;

/**
 * virDomainCxlDcdReleaseFlags:
 *
 * Flags of virDomainCxlDcdRelease(), in addition to those of virDomainModificationImpact.
 * They select QEMU's removal-policy, which the library chooses otherwise, and its
 * forced-removal.
 */
typedef enum {
    VIR_DOMAIN_CXL_DCD_RELEASE_TAG_BASED = 1 << 8,    /* ask by tag alone */
    VIR_DOMAIN_CXL_DCD_RELEASE_PRESCRIPTIVE = 1 << 9, /* ask by range, with the tag */
    VIR_DOMAIN_CXL_DCD_RELEASE_FORCED = 1 << 10,      /* without the guest's consent: QEMU up to
                                                       * 11.1 does not implement it, and says so */
} virDomainCxlDcdReleaseFlags;

#pragma GCC visibility push(default)

char *virDomainCxlDcdAdd(virDomainPtr domain, const char *xml, unsigned int flags);

int virDomainCxlDcdRelease(virDomainPtr domain,
                           const char *device,
                           const char *tag,
                           unsigned int flags);

int
virDomainCxlDcdWait(virDomainPtr domain, const char *tag, long long timeout, unsigned int flags);

int virDomainCxlDcdListDevices(virDomainPtr domain,
                               virDomainCxlDcdDevicePtr **devices,
                               unsigned int flags);

void virDomainCxlDcdDeviceFree(virDomainCxlDcdDevicePtr device);

const char *virDomainCxlDcdStateToString(int state);

#pragma GCC visibility pop

#ifdef __cplusplus
}
#endif

#endif /* LIBVIRT_CXL_DCD_H */
