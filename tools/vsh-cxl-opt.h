/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-opt.h: the options of a command, in virsh's grammar
 */

#ifndef VSH_CXL_OPT_H
#define VSH_CXL_OPT_H

#include <glib.h>
#include <stdbool.h>

typedef enum {
    VSH_CXL_OPT_BOOL,
    VSH_CXL_OPT_STRING,
    VSH_CXL_OPT_INT,
    VSH_CXL_OPT_SIZE, /* bytes, or with a suffix */
} vshCxlOptType;

/* One option of a command. */
typedef struct {
    const char *name; /* without dashes; NULL ends a table of options */
    vshCxlOptType type;
    bool positional; /* may be given by its place alone */
    bool required;
    const char *const *values; /* a string's few values, ended by NULL; NULL: any */
    /* what is wrong with a string and would be right, NULL if nothing is; NULL: all are right */
    const char *(*fault)(const char *string);
    unsigned int min;            /* of a number or a size */
    unsigned int max;            /* of a number; 0: UINT_MAX */
    unsigned long long multiple; /* bytes, of which a size is a multiple; 0: any */
    const char *help;
} vshCxlOptDef;

typedef struct _vshCxlControl vshCxlControl;
typedef struct _vshCxlArgs vshCxlArgs;

/* One command: all that its parser, its help and its execution need. */
typedef struct {
    const char *name;
    const char *help; /* one line */
    const char *desc; /* lines of text, the last without newline */
    const vshCxlOptDef *opts;
    int (*handler)(vshCxlControl *ctl, const vshCxlArgs *args); /* 0, or -1 once reported */
} vshCxlCmdDef;

vshCxlArgs *vshCxlArgsParse(const vshCxlCmdDef *cmd, char **words, GError **error);
void vshCxlArgsFree(vshCxlArgs *args);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(vshCxlArgs, vshCxlArgsFree)

bool vshCxlArgsIsHelp(const vshCxlArgs *args);
bool vshCxlArgsHas(const vshCxlArgs *args, const char *name);
const char *vshCxlArgsString(const vshCxlArgs *args, const char *name);
unsigned long long vshCxlArgsNumber(const vshCxlArgs *args, const char *name);
int vshCxlArgsChoice(const vshCxlArgs *args, const char *name);

char *vshCxlCmdFormatHelp(const vshCxlCmdDef *cmd);

#endif /* VSH_CXL_OPT_H */
