/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * scene.h: a domain with a device, and what happens to it, in words
 */

#ifndef SCENE_H
#define SCENE_H

#include "libvirt/libvirt-cxl-dcd.h"
#include "model.h"

#define SCENE_TAG "5be13bce-ae34-4a77-b6c3-16df975fcf1a"
#define SCENE_OTHER "6be13bce-ae34-4a77-b6c3-16df975fcf1a"
#define SCENE_SIZE (256ULL << 20)

typedef struct {
    bool tagged;
    modelDomain *domain;
    modelDevice *device; /* NULL once QEMU has exited */
    virDomainPtr client; /* the client whose words are executed */
} scene;

scene *sceneNew(bool tagged, const char *start);
void sceneFree(scene *self);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(scene, sceneFree)

char *sceneAdd(virDomainPtr client, const char *tag);
int sceneRefresh(virDomainPtr client);
void sceneDo(scene *self, const char *words);
void sceneNewClient(scene *self);

int sceneRecordState(const scene *self, const char *tag);
unsigned int sceneBackends(const scene *self);
char *sceneInconsistency(const scene *self, unsigned int *records);
const char *sceneDanger(const scene *self);
void sceneCheckSafe(const scene *self);
void sceneCheck(const scene *self, const char *tag, const char *record, const char *extent);

#endif /* SCENE_H */
