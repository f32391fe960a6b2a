/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * vsh-cxl-cmd.c: the group of commands that virsh-cxl adds
 */

#include "vsh-cxl-cmd.h"

static const vshCxlCmdDef *const vshCxlCmds[] = {
    &vshCxlCmdAdd,
    &vshCxlCmdCapabilities,
    &vshCxlCmdEvent,
    &vshCxlCmdList,
    &vshCxlCmdMap,
    &vshCxlCmdRelease,
    &vshCxlCmdStatus,
};

/**
 * vshCxlCmdFind:
 * @name: the name of a command
 *
 * Returns the command, or NULL if it is not one of ours.
 */
const vshCxlCmdDef *
vshCxlCmdFind(const char *name)
{
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(vshCxlCmds); i++) {
        if (g_str_equal(vshCxlCmds[i]->name, name))
            return vshCxlCmds[i];
    }
    return NULL;
}

/**
 * vshCxlCmdGet:
 * @i: an index
 *
 * Returns the command with that index, in the order of their names, or NULL if @i is past
 * the end.
 */
const vshCxlCmdDef *
vshCxlCmdGet(size_t i)
{
    return i < G_N_ELEMENTS(vshCxlCmds) ? vshCxlCmds[i] : NULL;
}

/**
 * vshCxlCmdFormatGroup:
 * @help: true for `help`, whose titles end in a colon, false for --help
 *
 * Returns the commands, one per line, under the title of their group.
 */
char *
vshCxlCmdFormatGroup(bool help)
{
    GString *out = g_string_new(NULL);
    size_t i;

    g_string_append_printf(out,
                           " CXL dynamic capacity (help keyword '%s')%s\n",
                           VSH_CXL_CMD_GROUP,
                           help ? ":" : "");
    for (i = 0; i < G_N_ELEMENTS(vshCxlCmds); i++)
        g_string_append_printf(out, "    %-30s %s\n", vshCxlCmds[i]->name, vshCxlCmds[i]->help);
    g_string_append_c(out, '\n');
    return g_string_free(out, FALSE);
}

/**
 * vshCxlCmdFormatNames:
 *
 * Returns the names of the commands, separated by commas.
 */
char *
vshCxlCmdFormatNames(void)
{
    GString *names = g_string_new(NULL);
    size_t i;

    for (i = 0; i < G_N_ELEMENTS(vshCxlCmds); i++)
        g_string_append_printf(names, "%s%s", i ? ", " : "", vshCxlCmds[i]->name);
    return g_string_free(names, FALSE);
}
