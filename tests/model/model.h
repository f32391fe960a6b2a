/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * model.h: a QEMU with CXL dynamic capacity, its guest and libvirt above it, in memory
 *
 * A modelQemu answers QMP as QEMU does; a modelDomain is the libvirt domain around it;
 * and each modelClientNew() is one client's virDomainPtr, which the library under test
 * uses without knowing the difference. The model's answers are those recorded from real
 * QEMUs: see tests/modeldata.
 */

#ifndef MODEL_H
#define MODEL_H

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

#include "util/cxl_dcd_json.h"

#define MODEL_TAG_NIL "00000000-0000-0000-0000-000000000000"

/* The block size of a region, bytes. */
#define MODEL_BLOCK (2ULL << 20)

/* The extents a device can hold, pending and accepted. */
#define MODEL_EXTENTS_MAX 512

/* Records in a device's dynamic capacity event log. */
#define MODEL_EVENTS_MAX 8

/* The number of backends mapped directly into the fixed memory window at a time. */
#define MODEL_DIRECT_MAX 4

/* Return codes of the CXL mailbox (CXL 3.1, table 8-34). */
typedef enum {
    MODEL_RC_SUCCESS = 0,
    MODEL_RC_INVALID_INPUT = 2,
    MODEL_RC_INVALID_PA = 15,
    MODEL_RC_RESOURCES_EXHAUSTED = 29,
} modelReturnCode;

typedef enum {
    MODEL_STOCK,   /* 9.1 to 11.1: static devices, no tags, no status */
    MODEL_SERIES,  /* with the tagged series */
    MODEL_NEITHER, /* before 9.1: no dynamic capacity at all */
} modelFlavour;

/* A host memory backend. */
typedef struct {
    char *id;
    char *type;
    char *tag;               /* as given; NULL: none */
    unsigned long long size; /* bytes */
    bool share;
    unsigned int users; /* accepted extents and devices that map it */
} modelObject;

typedef struct {
    unsigned long long dpa; /* bytes from the start of the device's dynamic capacity */
    unsigned long long len; /* bytes */
} modelRange;

/* A pending or accepted extent. */
typedef struct {
    modelRange range;
    char tag[37];  /* canonical; nil if QEMU keeps none */
    char *backend; /* the id of its backend; NULL: the device's */
    bool dangling; /* its backend was deleted */
    bool decoder;  /* the guest had a decoder when it was offered */
    bool direct;   /* mapped straight into the window */
} modelExtent;

/* The extents of one add, which the guest answers together. */
typedef struct {
    GPtrArray *extents; /* modelExtent */
    bool logged;        /* all its records fit into the event log */
} modelGroup;

/* A record of the event log. */
typedef struct {
    unsigned int handle;
    bool add; /* true: add, false: release */
    unsigned int region;
    unsigned int flags; /* 1: more of the same group follow */
    modelRange range;
    char tag[37];
    unsigned int available; /* extents that the device still has room for */
} modelEvent;

/* A type 3 device. */
typedef struct {
    char *alias;
    unsigned int regions;           /* 0: no dynamic capacity */
    unsigned long long region_size; /* bytes */
    bool tagged;                    /* dc-regions-total-size: each capacity brings its own
                                     * backend */
    char *memdev;                   /* the id that the link volatile-dc-memdev points to; NULL:
                                     * none */
    GQueue pending;                 /* modelGroup, oldest offer first */
    GPtrArray *accepted;            /* modelExtent */
    GQueue events;                  /* modelEvent */
    unsigned int handle;            /* of the last record */
    bool decoder;                   /* the guest has committed an HDM decoder */
    bool used;                      /* something was added at some time */
    bool unplugging;                /* device_del was accepted */
} modelDevice;

typedef struct {
    modelFlavour flavour;
    bool terse;          /* its status does not report pending */
    GPtrArray *objects;  /* modelObject */
    GPtrArray *devices;  /* modelDevice */
    GQueue messages;     /* char *: QMP events, without timestamps */
    GPtrArray *requests; /* char *: all requests received */
    bool running;        /* its processors are running */
    bool incoming;       /* its guest ran elsewhere before */
    const char *crashed; /* why QEMU has exited; NULL: it is running */
    bool corrupt;        /* QEMU uses memory that it has freed */
} modelQemu;

/* qmp.c */
modelQemu *modelQemuNew(modelFlavour flavour);
void modelQemuFree(modelQemu *qemu);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(modelQemu, modelQemuFree)
char *modelQemuCommand(modelQemu *qemu, const char *request);
void modelQemuCrash(modelQemu *qemu, const char *why);
void modelQemuMessage(modelQemu *qemu, const char *event, const char *data);

/* One QMP command: returns a JSON value, or NULL with *@error set or with QEMU crashed. */
typedef char *(*modelCommand)(modelQemu *qemu, virCxlDcdJSON *args, char **error);

const char *modelArgString(virCxlDcdJSON *args, const char *name, char **error);
bool modelArgUnsigned(virCxlDcdJSON *args,
                      const char *name,
                      unsigned int bits,
                      unsigned long long *value,
                      char **error);

/* objects.c */
void modelObjectFree(modelObject *object);
modelObject *
modelObjectNew(modelQemu *qemu, const char *type, const char *id, unsigned long long size);
modelObject *modelObjectById(modelQemu *qemu, const char *id);
modelObject *modelObjectByTag(modelQemu *qemu, const char *tag);
char *modelObjectAdd(modelQemu *qemu, virCxlDcdJSON *args, char **error);
char *modelObjectDel(modelQemu *qemu, virCxlDcdJSON *args, char **error);
char *modelQomList(modelQemu *qemu, virCxlDcdJSON *args, char **error);
char *modelQomListProperties(modelQemu *qemu, virCxlDcdJSON *args, char **error);
char *modelQomGet(modelQemu *qemu, virCxlDcdJSON *args, char **error);
char *modelQomSet(modelQemu *qemu, virCxlDcdJSON *args, char **error);
char *modelQueryMemdev(modelQemu *qemu, virCxlDcdJSON *args, char **error);

/* device.c */
modelDevice *modelDeviceNew(modelQemu *qemu,
                            const char *alias,
                            unsigned int regions,
                            unsigned long long size,
                            const char *memdev);
void modelDeviceFree(modelDevice *device);
modelDevice *modelDeviceByAlias(modelQemu *qemu, const char *alias);
void modelExtentFree(modelExtent *extent);
void modelGroupFree(modelGroup *group);
unsigned int modelDeviceTotal(const modelDevice *device);
void modelDeviceBackendGone(modelDevice *device, const char *id);
char *modelDeviceAdd(modelQemu *qemu, virCxlDcdJSON *args, char **error);
char *modelDeviceRelease(modelQemu *qemu, virCxlDcdJSON *args, char **error);
char *modelDeviceStatus(modelQemu *qemu, virCxlDcdJSON *args, char **error);
char *modelDeviceDel(modelQemu *qemu, virCxlDcdJSON *args, char **error);
void modelDeviceReset(modelDevice *device);
modelReturnCode
modelDeviceRespond(modelQemu *qemu, modelDevice *device, const modelRange *ranges, size_t n);
modelReturnCode
modelDeviceGiveBack(modelQemu *qemu, modelDevice *device, const modelRange *ranges, size_t n);
void modelDeviceTouch(modelQemu *qemu, modelDevice *device);
void modelDeviceEject(modelQemu *qemu, modelDevice *device);
const char *modelDeviceTagState(const modelDevice *device, const char *tag);

/* guest.c */
char *modelGuestStep(modelQemu *qemu, modelDevice *device, virCxlDcdJSON *step);
bool modelGuestAnswer(modelQemu *qemu, modelDevice *device, bool accept);
bool modelGuestObey(modelQemu *qemu, modelDevice *device, bool strict);
void modelGuestGiveAllBack(modelQemu *qemu, modelDevice *device);

/* faults.c */
typedef enum {
    MODEL_FAULT_NONE,
    MODEL_FAULT_ERROR,         /* libvirt fails; QEMU did not get the command */
    MODEL_FAULT_LOST,          /* libvirt fails; QEMU executed the command */
    MODEL_FAULT_DENIED,        /* as ERROR, with the code of the fault */
    MODEL_FAULT_REFUSED,       /* QEMU refuses the command */
    MODEL_FAULT_HANG,          /* QEMU answers nobody; this client waits forever */
    MODEL_FAULT_GONE,          /* QEMU exits before the command */
    MODEL_FAULT_GONE_AFTER,    /* QEMU exits after the command */
    MODEL_FAULT_NOT_JSON,      /* QEMU executes the command; the reply is not JSON */
    MODEL_FAULT_HUGE,          /* the reply is 10 MB of JSON */
    MODEL_FAULT_HUGE_NOT_JSON, /* the reply is 10 MB of something else */
} modelFaultKind;

typedef struct {
    modelFaultKind kind;
    int code;              /* of DENIED; 0: VIR_ERR_OPERATION_DENIED */
    unsigned int at;       /* the command, from 1; 0: none */
    unsigned int commands; /* how many there have been */
} modelFault;

struct _modelDomain;
int modelFaultCommand(virDomainPtr client, const char *request, char **reply);

/* libvirt.c */
typedef struct _modelDomain modelDomain;
struct _modelDomain {
    modelQemu *qemu; /* NULL: not running */
    char *live;      /* XML of the running domain */
    char *config;    /* XML of the stored definition */
    bool hung;       /* QEMU answers nobody */
    int reason;      /* why it runs, a virDomainRunningReason; 0: it was booted */
    modelFault fault;
    char *attached; /* the XML last given to attach-device and detach-device */
};

/* What a call looks at or changes. */
typedef enum {
    MODEL_CALL_READ_XML,
    MODEL_CALL_WRITE_XML,
    MODEL_CALL_READ_QEMU,
    MODEL_CALL_WRITE_QEMU,
} modelCallKind;

/* A client's connection to the domain. */
struct _virConnect {
    const char *type;
    const char *uri;
};
struct _virDomain {
    modelDomain *domain;
    struct _virConnect conn;
    unsigned int calls;                                      /* libvirt calls that it has made */
    unsigned int dies_after;                                 /* dies after this many calls;
                                                              * G_MAXUINT: never */
    void (*before)(virDomainPtr client, modelCallKind kind); /* runs before each call; NULL:
                                                              * nothing */
    void *opaque;
};

extern gint64 model_time;                    /* microseconds: the time on every clock */
extern void (*model_on_sleep)(void *opaque); /* what happens while a client sleeps */
extern void *model_on_sleep_opaque;

modelDomain *modelDomainNew(modelQemu *qemu);
void modelDomainFree(modelDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(modelDomain, modelDomainFree)
void modelDomainStop(modelDomain *domain);
void modelDomainPutRecord(modelDomain *domain, const char *tag, const char *xml);
char *modelDomainGetRecord(modelDomain *domain, const char *tag);
virDomainPtr modelClientNew(modelDomain *domain);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(virDomain, virDomainFree)

#endif /* MODEL_H */
