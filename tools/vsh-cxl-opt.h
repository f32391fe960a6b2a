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
    VSH_CXL_OPT_SIZE, /* bytes, or with a unit suffix */
} vshCxlOptType;

/* One option of a command. */
typedef struct {
    const char *name; /* without dashes; NULL ends a table of options */
    vshCxlOptType type;
    bool positional; /* may be given without its name */
    bool required;
    const char *const *values; /* the allowed values, NULL-terminated; NULL: any */
    /* checks a string: returns what is wrong and what would be right, or NULL; NULL: no check */
    const char *(*fault)(const char *string);
    unsigned int min;            /* for INT and SIZE */
    unsigned int max;            /* for INT; 0: UINT_MAX */
    unsigned long long multiple; /* bytes that a size must be a multiple of; 0: any */
    const char *help;
} vshCxlOptDef;

typedef struct _vshCxlControl vshCxlControl;
typedef struct _vshCxlArgs vshCxlArgs;

/* One command: everything that the parser, the help and the execution need. */
typedef struct {
    const char *name;
    const char *help; /* one line */
    const char *desc; /* lines of text, the last without newline */
    const vshCxlOptDef *opts;
    int (*handler)(vshCxlControl *ctl, const vshCxlArgs *args); /* returns 0, or -1 with the error
                                                                 * reported */
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
